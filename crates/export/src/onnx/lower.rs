//! From what is recorded to nodes of ONNX.

mod arrange;

use super::dims::{Dim, dims};
use super::graph::{Graph, Value};
use super::proto::{Element, Setting};
use crate::Error;
use crate::formula;
use crate::forward::{Forward, Node, Recording, Source};
use crate::strided::{self, flag, integer, integers, places, strides};

/// The way of a recorded pass into a graph.
pub(super) struct Lowering<'f> {
    first: &'f Recording,
    second: &'f Recording,
    dims: Vec<Vec<Dim>>,
    element: Element,
    values: Vec<Value>,
    /// The size of the batch, once it is asked for: an input and one of its axes tell it.
    batch: Option<Value>,
}

/// Sizes, or what those are called that are not known.
type Sizes = Vec<Result<usize, String>>;

type Lowered = Result<Value, String>;

impl<'f> Lowering<'f> {
    pub(super) fn new(forward: &'f Forward, element: Element) -> Result<Self, Error> {
        let [_, first, second] = &forward.recordings;
        let values = vec![Value::new(); first.nodes.len()];
        Ok(Self { first, second, dims: dims(forward)?, element, values, batch: None })
    }

    /// An input of the graph for one of the pass.
    pub(super) fn input(&mut self, graph: &mut Graph, place: usize) {
        let port = &self.first.inputs[place];
        let element = if port.integers { Element::Int64 } else { self.element };
        let sizes: Vec<_> = self.dims[port.node].iter().map(|dim| dim.told()).collect();
        self.values[port.node] = graph.input(&port.name, element, &sizes);
    }

    /// A value of the graph for an input of the pass.
    pub(super) fn given(&mut self, place: usize, value: Value) {
        self.values[self.first.inputs[place].node] = value;
    }

    /// The outputs: name, value and sizes.
    pub(super) fn outputs(&self) -> Vec<(String, Value, Sizes)> {
        let of = |port: &crate::forward::Port| {
            let sizes = self.dims[port.node].iter().map(|dim| dim.told()).collect();
            (port.name.clone(), self.values[port.node].clone(), sizes)
        };
        self.first.outputs.iter().map(of).collect()
    }

    /// Everything between.
    pub(super) fn run(&mut self, graph: &mut Graph) -> Result<(), Error> {
        for at in 0..self.first.nodes.len() {
            let node = &self.first.nodes[at];
            if node.source == Source::Input {
                continue;
            }
            let value = match node.source {
                Source::Numbers(_) | Source::Integers(_) => self.constant(graph, at),
                Source::Computed | Source::Input => self.computed(graph, at),
            };
            self.values[at] = value.map_err(|why| Error::Operation {
                op: node.op.to_owned(),
                location: node.location,
                target: "ONNX",
                why,
            })?;
        }
        Ok(())
    }

    /// A constant; one that goes with the batch is the same for each example, and repeated.
    fn constant(&mut self, graph: &mut Graph, at: usize) -> Lowered {
        let (node, other) = (&self.first.nodes[at], &self.second.nodes[at]);
        let batch = self.dims[at].iter().position(|dim| matches!(dim, Dim::Batch(_)));
        let mut shape = node.shape.clone();
        let mut at_first: Vec<i64> = (0..shape.iter().product::<usize>() as i64).collect();
        if let Some(axis) = batch {
            let mut steps = strides(&node.shape);
            shape[axis] = 1;
            at_first = places(0, &steps, &shape);
            steps[axis] = 0;
            if !same_along(node, axis) || !same_along(other, axis) {
                return Err("a constant is not the same for each example of a batch".to_owned());
            }
        } else if node.source != other.source {
            return Err("a constant depends on the size of the batch".to_owned());
        }
        let value = match &node.source {
            Source::Numbers(all) => {
                let numbers: Vec<f64> = at_first.iter().map(|&i| all[i as usize]).collect();
                graph.numbers(self.element, &shape, &numbers)
            }
            Source::Integers(all) => {
                let all: Vec<i64> = at_first.iter().map(|&i| all[i as usize]).collect();
                graph.integers(&shape, &all)
            }
            Source::Input | Source::Computed => return Err("it is no constant".to_owned()),
        };
        if batch.is_some() { self.expanded(graph, &value, at) } else { Ok(value) }
    }

    /// The size of the batch, as a list of one.
    fn batch(&mut self, graph: &mut Graph) -> Lowered {
        if let Some(known) = &self.batch {
            return Ok(known.clone());
        }
        for port in &self.first.inputs {
            for (axis, dim) in self.dims[port.node].iter().enumerate() {
                if let Dim::Batch(times) = *dim {
                    let axis = axis as i64;
                    let settings = [("start", Setting::Integer(axis)), ("end", Setting::Integer(axis + 1))];
                    let size = graph.node("Shape", &[&self.values[port.node]], &settings);
                    let times = graph.list(&[times as i64]);
                    let batch = graph.node("Div", &[&size, &times], &[]);
                    self.batch = Some(batch.clone());
                    return Ok(batch);
                }
            }
        }
        Err("no input tells the size of the batch".to_owned())
    }

    /// Sizes as a list.
    fn sizes(&mut self, graph: &mut Graph, dims: &[Dim]) -> Lowered {
        let mut parts = Vec::with_capacity(dims.len());
        for dim in dims {
            parts.push(match *dim {
                Dim::Fixed(size) => graph.list(&[size as i64]),
                Dim::Batch(times) => {
                    let (batch, times) = (self.batch(graph)?, graph.list(&[times as i64]));
                    graph.node("Mul", &[&batch, &times], &[])
                }
            });
        }
        if parts.is_empty() {
            return Ok(graph.integers(&[0], &[]));
        }
        let parts: Vec<&str> = parts.iter().map(|part| &part[..]).collect();
        Ok(graph.node("Concat", &parts, &[("axis", Setting::Integer(0))]))
    }

    /// A value repeated to the shape of a node.
    fn expanded(&mut self, graph: &mut Graph, value: &str, at: usize) -> Lowered {
        let dims = self.dims[at].clone();
        let sizes = self.sizes(graph, &dims)?;
        Ok(graph.node("Expand", &[value, &sizes], &[]))
    }

    /// A value in the shape of these sizes.
    fn reshaped(&mut self, graph: &mut Graph, value: &str, dims: &[Dim]) -> Lowered {
        let free = dims.iter().filter(|dim| matches!(dim, Dim::Batch(_))).count();
        let sizes = if free <= 1 && !dims.contains(&Dim::Fixed(0)) {
            let size = |dim: &Dim| if let Dim::Fixed(size) = dim { *size as i64 } else { -1 };
            graph.list(&dims.iter().map(size).collect::<Vec<_>>())
        } else {
            self.sizes(graph, dims)?
        };
        let zeros_are_sizes = [("allowzero", Setting::Integer(i64::from(dims.contains(&Dim::Fixed(0)))))];
        Ok(graph.node("Reshape", &[value, &sizes], &zeros_are_sizes))
    }

    fn computed(&mut self, graph: &mut Graph, at: usize) -> Lowered {
        let first = self.first;
        let node = &first.nodes[at];
        let operands: Vec<Value> = node.operands.iter().map(|&operand| self.values[operand].clone()).collect();
        let operands: Vec<&str> = operands.iter().map(|operand| &operand[..]).collect();
        if node.custom {
            return Err("it is an operation of your own".to_owned());
        }
        let axis = integer(&node.attributes, "axis");
        let along = [("axis", Setting::Integer(axis))];
        let over: Vec<i64> = strided::along(&node.attributes).map(|axis| axis as i64).collect();
        let reduced = [("axes", Setting::Integers(&over)), ("keepdims", Setting::Integer(0))];
        let single = [("axis", Setting::Integer(axis)), ("keepdims", Setting::Integer(0))];
        Ok(match node.op {
            "numbers" => graph.cast(operands[0], self.element),
            "matmul" => self.product(graph, node, &operands),
            "reshape" => {
                let dims = self.dims[at].clone();
                self.reshaped(graph, operands[0], &dims)?
            }
            "transpose" => {
                let permutation = integers(&node.attributes, "permutation");
                graph.node("Transpose", &operands, &[("perm", Setting::Integers(permutation))])
            }
            "broadcast_to" => self.expanded(graph, operands[0], at)?,
            "slice" => self.slice(graph, at)?,
            "read" | "windows" | "diagonal" => self.read(graph, at)?,
            "sum" | "pad" | "add_at" | "diag" => self.add_at(graph, at)?,
            "concat" => graph.node("Concat", &operands, &along),
            "roll" => self.rolled(graph, at)?,
            "gather" => graph.node("Gather", &operands, &along),
            "take_along_axis" => graph.node("GatherElements", &operands, &along),
            "max" => graph.node("ReduceMax", &operands, &reduced),
            "min" => graph.node("ReduceMin", &operands, &reduced),
            "norm" => graph.node("ReduceL2", &operands, &reduced),
            "logsumexp" => graph.node("ReduceLogSumExp", &operands, &reduced),
            "softmax" if over.len() > 1 => {
                let kept = [("axes", Setting::Integers(&over)), ("keepdims", Setting::Integer(1))];
                // What is close to 0 has all digits of a difference.
                let largest = graph.node("ReduceMax", &operands, &kept);
                let below = graph.node("Sub", &[operands[0], &largest], &[]);
                let total = graph.node("ReduceLogSumExp", &[&below], &kept);
                let logarithm = graph.node("Sub", &[&below, &total], &[]);
                graph.node("Exp", &[&logarithm], &[])
            }
            "softmax" => graph.node("Softmax", &operands, &along),
            "log_softmax" => graph.node("LogSoftmax", &operands, &along),
            "argmax" => graph.node("ArgMax", &operands, &single),
            "argmin" => graph.node("ArgMin", &operands, &single),
            "cumsum" => {
                let axis = graph.integers(&[], &[axis]);
                let reverse = i64::from(flag(&node.attributes, "reverse"));
                graph.node("CumSum", &[operands[0], &axis], &[("reverse", Setting::Integer(reverse))])
            }
            "pool_argmax" => self.largest_of_windows(graph, at)?,
            op => match formula::of(op, &node.attributes) {
                Some(formula) => {
                    let value = graph.formula(&formula, &operands, self.element)?;
                    if op == "to_index" {
                        return Ok(graph.cast(&value, Element::Int64));
                    }
                    // An operand that is not read gives its shape all the same.
                    let all_read = (0..operands.len()).all(|operand| formula.has(operand));
                    if all_read { value } else { self.expanded(graph, &value, at)? }
                }
                None => return Err("it has no counterpart there".to_owned()),
            },
        })
    }

    fn product(&mut self, graph: &mut Graph, node: &Node, operands: &[&str]) -> Value {
        let mut side = |place: usize, name: &str| {
            let rank = self.first.nodes[node.operands[place]].shape.len() as i64;
            if !flag(&node.attributes, name) {
                return operands[place].to_owned();
            }
            let mut axes: Vec<i64> = (0..rank).collect();
            axes.swap(rank as usize - 1, rank as usize - 2);
            graph.node("Transpose", &[operands[place]], &[("perm", Setting::Integers(&axes))])
        };
        let (left, right) = (side(0, "left"), side(1, "right"));
        graph.node("MatMul", &[&left, &right], &[])
    }
}

/// Whether a constant is the same all along an axis.
fn same_along(node: &Node, axis: usize) -> bool {
    let mut steps = strides(&node.shape);
    steps[axis] = 0;
    let first = places(0, &steps, &node.shape);
    match &node.source {
        Source::Numbers(all) => first.iter().enumerate().all(|(i, &j)| all[i].to_bits() == all[j as usize].to_bits()),
        Source::Integers(all) => first.iter().enumerate().all(|(i, &j)| all[i] == all[j as usize]),
        Source::Input | Source::Computed => false,
    }
}
