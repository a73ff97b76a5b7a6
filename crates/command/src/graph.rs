//! `nn graph`: what a net records on the tape.

use crate::cli::GraphFlags;
use crate::input::Written;
use crate::json::{number, object};
use crate::train::no_target;
use crate::{Failure, input, output, run_folder};
use autograd::Tensor;
use nn::Dataset;
use report::Recording;
use serde_json::Value;
use std::io::Write as _;

pub(crate) fn graph(flags: &GraphFlags) -> Result<(), Failure> {
    let model = run_folder::load(&flags.model.path())?;
    let recording = match &flags.data {
        None => Recording::of_net(&model),
        Some(file) => {
            let table = input::table(file, &Written::of(&flags.reading).reading())?;
            let (table, _) = model.schema.with_targets(&table)?;
            if table.is_empty() {
                let text = format!("{}: expected rows whose target is there, found none", input::name(file));
                return Err(Failure::new(
                    text,
                    "give rows with their targets, or none: without `--data` there is no loss",
                ));
            }
            let rows: Vec<usize> = (0..table.len().min(flags.rows as usize)).collect();
            if model.preprocess.output.is_none() {
                return Err(no_target().into());
            }
            let data: Dataset = model.preprocess.examples(&table.select(&rows))?;
            Recording::of_loss(&model, &data.whole())
        }
    };
    let text = if flags.json {
        format!("{}\n", json(&recording))
    } else if flags.svg {
        recording.graph().picture().file()
    } else {
        recording.graph().dot()
    };
    output::write(|out| out.write_all(text.as_bytes()))
}

fn json(recording: &Recording) -> Value {
    let numbers = |tensor: &Option<Tensor>| match tensor {
        Some(tensor) => Value::Array(tensor.as_slice().iter().map(|x| number(*x)).collect()),
        None => Value::Null,
    };
    let nodes = recording.nodes.iter().map(|node| {
        object([
            ("op", Value::from(node.op)),
            ("name", node.name.clone().map_or(Value::Null, Value::from)),
            ("reads", Value::from(node.reads.clone())),
            ("shape", Value::from(node.shape.to_vec())),
            ("value", numbers(&node.value)),
            ("cotangent", numbers(&node.cotangent)),
            ("line", Value::from(node.line.clone())),
            ("result", Value::from(node.result)),
        ])
    });
    object([("title", Value::from(recording.title.clone())), ("nodes", Value::Array(nodes.collect()))])
}
