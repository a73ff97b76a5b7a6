//! `nn graph`: what a net records on the tape.

use crate::cli::GraphFlags;
use crate::input::Written;
use crate::json::{number, object};
use crate::train::no_target;
use crate::{Failure, input, output, run_folder};
use autograd::{Shape, Tape, Tensor, Tree, Var, grad};
use nn::Dataset;
use nn::data::{Batch, BatchVars};
use nn::file::Model;
use picture::{Graph, Node, NodeKind};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

/// A tape as plain data.
pub(crate) struct Recording {
    pub(crate) title: String,
    pub(crate) nodes: Vec<Told>,
}

/// A node of it.
pub(crate) struct Told {
    op: &'static str,
    /// What a value from outside is, such as `layers.0.weight`.
    name: Option<String>,
    reads: Vec<usize>,
    shape: Shape,
    value: Option<Tensor>,
    /// The derivative of the loss with respect to it, where there is a loss.
    cotangent: Option<Tensor>,
    line: String,
    result: bool,
}

pub(crate) fn graph(flags: &GraphFlags) -> Result<(), Failure> {
    let model = run_folder::load(&flags.model.path())?;
    let recording = match &flags.data {
        None => of_net(&model),
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
            of_loss(&model, &data.whole())
        }
    };
    let text = if flags.json {
        format!("{}\n", recording.json())
    } else if flags.svg {
        recording.graph().picture().file()
    } else {
        recording.graph().dot()
    };
    output::write(|out| out.write_all(text.as_bytes()))
}

/// The scores of a row of which each feature is 0, as the mean of a standardised column is.
fn of_net(model: &Model) -> Recording {
    let width = model.net.layers.first().map_or(0, |layer| layer.weight.shape()[1]);
    let tape = Tape::new();
    let (net, x) = (tape.vars(&model.net), tape.var(&Tensor::zeros([1, width])));
    let names = names(model, &net, x);
    let outputs = net.forward(x);
    recorded(&tape, "The net on the tape".to_owned(), names, outputs, None)
}

/// The loss of some rows, with the derivative of each node.
pub(crate) fn of_loss(model: &Model, batch: &Batch) -> Recording {
    let tape = Tape::new();
    let net = tape.vars(&model.net);
    let vars = BatchVars::new(&tape, batch);
    let names = names(model, &net, vars.features);
    let loss = vars.loss(net.forward(vars.features));
    let rows = if batch.len() == 1 { "1 row".to_owned() } else { format!("{} rows", batch.len()) };
    recorded(&tape, format!("The loss of {rows} on the tape"), names, loss, Some(loss))
}

/// What the values from outside are, by their places on the tape.
fn names<'t>(model: &Model, net: &<nn::Mlp<Tensor> as Tree>::With<Var<'t>>, x: Var<'t>) -> BTreeMap<u32, String> {
    let leaves = net.leaves().into_iter().map(Var::index).zip(model.net.names());
    leaves.chain([(x.index(), "features".to_owned())]).collect()
}

fn recorded<'t>(
    tape: &'t Tape,
    title: String,
    names: BTreeMap<u32, String>,
    result: Var<'t>,
    loss: Option<Var<'t>>,
) -> Recording {
    // The derivatives are recorded behind what they are of.
    let nodes: Vec<_> = tape.recorded().collect();
    let vars: Vec<Var> = nodes.iter().filter_map(|node| node.var).collect();
    let values = tape.values(&vars);
    let cotangents = loss.map(|loss| tape.values(&grad(loss, &vars)));
    let mut place = 0;
    let nodes = nodes.iter().map(|node| {
        let own = node.var.map(|_| {
            place += 1;
            place - 1
        });
        Told {
            op: node.op,
            name: names.get(&node.index).cloned().or_else(|| node.var.is_none().then(|| "labels".to_owned())),
            reads: node.operands.iter().map(|&operand| operand as usize).collect(),
            shape: node.shape.clone(),
            value: own.map(|own| values[own].clone()),
            cotangent: own.and_then(|own| Some(cotangents.as_ref()?[own].clone())),
            line: line(node.location),
            result: node.index == result.index(),
        }
    });
    Recording { title, nodes: nodes.collect() }
}

/// A line of a source file, without the folders in which it was built.
fn line(location: &std::panic::Location<'_>) -> String {
    let file = Path::new(location.file()).file_name().unwrap_or_default().to_string_lossy();
    format!("{file}:{}", location.line())
}

impl Recording {
    /// As a picture has it.
    pub(crate) fn graph(&self) -> Graph {
        let node = |(place, told): (usize, &Told)| {
            let is_leaf = told.op == "leaf" || told.reads.is_empty();
            let kind = match (told.result, is_leaf) {
                (true, _) => NodeKind::Result,
                (false, true) => NodeKind::Leaf,
                (false, false) => NodeKind::Operation,
            };
            let mut facts = vec![("shape".to_owned(), told.shape.to_string())];
            facts.extend(told.value.as_ref().map(|value| ("value".to_owned(), short(value))));
            facts.extend(told.cotangent.as_ref().map(|of| ("cotangent".to_owned(), short(of))));
            facts.push(("line".to_owned(), told.line.clone()));
            Node { name: format!("#{place} {}", told.shown()), kind, facts, reads: told.reads.clone() }
        };
        Graph { title: self.title.clone(), nodes: self.nodes.iter().enumerate().map(node).collect() }
    }

    fn json(&self) -> Value {
        let numbers = |tensor: &Option<Tensor>| match tensor {
            Some(tensor) => Value::Array(tensor.as_slice().iter().map(|x| number(*x)).collect()),
            None => Value::Null,
        };
        let nodes = self.nodes.iter().map(|told| {
            object([
                ("op", Value::from(told.op)),
                ("name", told.name.clone().map_or(Value::Null, Value::from)),
                ("reads", Value::from(told.reads.clone())),
                ("shape", Value::from(told.shape.to_vec())),
                ("value", numbers(&told.value)),
                ("cotangent", numbers(&told.cotangent)),
                ("line", Value::from(told.line.clone())),
                ("result", Value::from(told.result)),
            ])
        });
        object([("title", Value::from(self.title.clone())), ("nodes", Value::Array(nodes.collect()))])
    }
}

impl Told {
    fn shown(&self) -> &str {
        self.name.as_deref().unwrap_or(self.op)
    }
}

/// Few numbers as they are, of many the least and the largest.
fn short(tensor: &Tensor) -> String {
    let all = tensor.as_slice();
    if all.len() <= 3 {
        return all.iter().map(|x| picture::number(*x)).collect::<Vec<_>>().join(", ");
    }
    let (low, high) = all.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| (low.min(x), high.max(x)));
    format!("{} to {}", picture::number(low), picture::number(high))
}
