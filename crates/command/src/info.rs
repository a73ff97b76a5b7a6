//! `nn info`.

use crate::cli::InfoFlags;
use crate::json::{number, object};
use crate::{Failure, output, run_folder};
use autograd::Tree;
use nn::data::Output;
use nn::file::Model;
use serde_json::Value;
use std::fmt::Write as _;
use std::io::Write as _;

pub(crate) fn info(flags: &InfoFlags) -> Result<(), Failure> {
    let model = run_folder::load(&flags.model.path())?;
    let text = if flags.json { format!("{}\n", json(&model)) } else { words(&model) };
    output::write(|out| write!(out, "{text}"))
}

/// The sizes of the layers, from the features to the outputs.
fn sizes(model: &Model) -> Vec<usize> {
    let first = model.net.layers.first().map(|layer| layer.weight.shape()[1]);
    first.into_iter().chain(model.net.layers.iter().map(|layer| layer.weight.shape()[0])).collect()
}

fn parameters(model: &Model) -> usize {
    model.net.leaves().iter().map(|leaf| leaf.numel()).sum()
}

fn words(model: &Model) -> String {
    let mut text = String::new();
    let sizes: Vec<String> = sizes(model).iter().map(usize::to_string).collect();
    let between = if sizes.len() > 2 { format!(", {:?} between", model.net.activation) } else { String::new() };
    // Writing to a string does not fail.
    let _ = writeln!(text, "net: {}{between}, {} parameters", sizes.join(" → "), parameters(model));
    if let Some(Output::Classes { names, .. }) = &model.preprocess.output {
        let names: Vec<String> = names.iter().map(|name| nn::shown(name)).collect();
        let _ = writeln!(text, "classes: {}", names.join(", "));
    }
    let _ = writeln!(text, "\n{}", model.schema.to_string().trim_end());
    let _ = writeln!(text, "\nprepared as\n{}", model.preprocess.to_string().trim_end());
    if let Some(output) = model.preprocess.output.as_ref().filter(|_| !model.spread.is_empty()) {
        let _ = writeln!(text, "\nnine of ten held-out rows lie");
        for (name, [low, high]) in output.columns().iter().zip(&model.spread) {
            let _ = writeln!(text, "`{}`: from {low:+} to {high:+} around the prediction", nn::shown(name));
        }
    }
    if !model.about.is_empty() {
        let _ = writeln!(text, "\nabout");
        for (key, value) in &model.about {
            let _ = writeln!(text, "{}: {value}", nn::shown(key));
        }
    }
    text
}

fn json(model: &Model) -> Value {
    let plain = |of: &dyn Fn() -> serde_json::Result<Value>| of().unwrap_or(Value::Null);
    object([
        ("sizes", Value::from(sizes(model))),
        ("activation", plain(&|| serde_json::to_value(model.net.activation))),
        ("parameters", Value::from(parameters(model))),
        ("schema", plain(&|| serde_json::to_value(&model.schema))),
        ("preprocess", plain(&|| serde_json::to_value(&model.preprocess))),
        (
            "spread",
            Value::Array(
                model.spread.iter().map(|ends| Value::Array(ends.iter().map(|x| number(*x)).collect())).collect(),
            ),
        ),
        ("about", Value::Object(model.about.clone().into_iter().collect())),
    ])
}
