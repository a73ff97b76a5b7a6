//! What a net records on the tape, as plain data.

use crate::count;
use autograd::{Shape, Tape, Tensor, Tree, Var, grad};
use nn::Mlp;
use nn::data::{Batch, BatchVars};
use nn::file::Model;
use picture::{Graph, Node, NodeKind, number};
use std::collections::BTreeMap;
use std::panic::Location;
use std::path::Path;

/// A tape as plain data, for a picture of it or a list.
///
/// ```
/// use nn::data::{IRIS_CSV, Preparing, Preprocess, Schema, Table};
/// use nn::{Activation, Mlp, file::Model};
/// use report::Recording;
/// # fn main() -> Result<(), nn::Error> {
/// let table = Table::parse("iris.csv", IRIS_CSV)?;
/// let schema = Schema::infer(&table, &["species"], &[])?;
/// let preprocess = Preprocess::fit(&table, &schema, Preparing::default())?;
/// let model = Model::new(schema, preprocess, Mlp::new(&[4, 5, 3], Activation::Tanh, 0));
/// let recording = Recording::of_net(&model);
/// assert_eq!(recording.nodes.last().unwrap().shape[..], [1, 3]);
/// assert!(recording.graph().dot().contains("layers.0.weight"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Recording {
    /// What is recorded.
    pub title: String,
    /// The nodes in order.
    pub nodes: Vec<RecordedNode>,
}

/// A node of a [`Recording`].
#[derive(Clone, Debug)]
pub struct RecordedNode {
    /// Its operation.
    pub op: &'static str,
    /// What a value from outside is, such as `layers.0.weight`.
    pub name: Option<String>,
    /// The places of its operands.
    pub reads: Vec<usize>,
    /// The sizes of its dimensions.
    pub shape: Shape,
    /// Its value; `None` for integers.
    pub value: Option<Tensor>,
    /// The derivative of the loss with respect to it, where there is a loss.
    pub cotangent: Option<Tensor>,
    /// The line that recorded it, without the folders in which that was built.
    pub line: String,
    /// Whether it is what the others lead to.
    pub result: bool,
}

impl Recording {
    /// The scores of a row of which each feature is 0, as the mean of a standardised column is.
    pub fn of_net(model: &Model) -> Self {
        let width = model.net.layers.first().map_or(0, |layer| layer.weight.shape()[1]);
        let tape = Tape::new();
        let (net, x) = (tape.vars(&model.net), tape.var(&Tensor::zeros([1, width])));
        let names = names(model, &net, x);
        let outputs = net.forward(x);
        Self::of(&tape, "The net on the tape".to_owned(), names, outputs, None)
    }

    /// The loss of some rows, with its derivative with respect to each node.
    ///
    /// # Panics
    /// Where the batch does not fit the model.
    #[track_caller]
    pub fn of_loss(model: &Model, batch: &Batch) -> Self {
        let tape = Tape::new();
        let net = tape.vars(&model.net);
        let vars = BatchVars::new(&tape, batch);
        let names = names(model, &net, vars.features);
        let loss = vars.loss(net.forward(vars.features));
        let title = format!("The loss of {} on the tape", count(batch.len(), "row", "rows"));
        Self::of(&tape, title, names, loss, Some(loss))
    }

    fn of<'t>(
        tape: &'t Tape,
        title: String,
        names: BTreeMap<u32, String>,
        result: Var<'t>,
        loss: Option<Var<'t>>,
    ) -> Self {
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
            RecordedNode {
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
        Self { title, nodes: nodes.collect() }
    }

    /// As a picture has it.
    pub fn graph(&self) -> Graph {
        let node = |(place, node): (usize, &RecordedNode)| {
            let kind = match (node.result, node.reads.is_empty()) {
                (true, _) => NodeKind::Result,
                (false, true) => NodeKind::Leaf,
                (false, false) => NodeKind::Operation,
            };
            let mut facts = vec![("shape".to_owned(), node.shape.to_string())];
            facts.extend(node.value.as_ref().map(|value| ("value".to_owned(), few(value))));
            facts.extend(node.cotangent.as_ref().map(|of| ("cotangent".to_owned(), few(of))));
            facts.push(("line".to_owned(), node.line.clone()));
            let name = format!("#{place} {}", node.name.as_deref().unwrap_or(node.op));
            Node { name, kind, facts, reads: node.reads.clone() }
        };
        Graph { title: self.title.clone(), nodes: self.nodes.iter().enumerate().map(node).collect() }
    }
}

/// What the values from outside are, by their places on the tape.
fn names<'t>(model: &Model, net: &Mlp<Var<'t>>, x: Var<'t>) -> BTreeMap<u32, String> {
    let leaves = net.leaves().into_iter().map(Var::index).zip(model.net.names());
    leaves.chain([(x.index(), "features".to_owned())]).collect()
}

/// A line of a source file, without the folders in which it was built.
fn line(location: &Location<'_>) -> String {
    let file = Path::new(location.file()).file_name().unwrap_or_default().to_string_lossy();
    format!("{file}:{}", location.line())
}

/// Few numbers as they are, of many the least and the largest.
fn few(tensor: &Tensor) -> String {
    let all = tensor.as_slice();
    if all.len() <= 3 {
        return all.iter().map(|x| number(*x)).collect::<Vec<_>>().join(", ");
    }
    let (low, high) = all.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| (low.min(x), high.max(x)));
    format!("{} to {}", number(low), number(high))
}
