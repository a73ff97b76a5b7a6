//! Element-wise operations read a part of a value where it lies, also where axes of one element were dropped from it or put in.

use super::Rewrite;
use crate::float::Float;
use crate::kernels::window::Window;
use crate::ops::table::Kind;
use crate::ops::view::Read;
use crate::program::graph::Graph;
use crate::program::layout::{is_element_wise, repeats};
use crate::program::operation::Operation;
use crate::tape::Tape;
use crate::tape::op::Arity;
use crate::tensor::error::Error;
use crate::tensor::shape::Shape;
use smallvec::SmallVec;

pub(super) struct Views;

impl<T: Float> Rewrite<T> for Views {
    fn name(&self) -> &'static str {
        "views"
    }

    /// A reshape that only drops axes of one element, or puts some in, of what is read by strides is read by strides itself. Where
    /// others than chains read it nothing is won: reshaping costs nothing.
    fn run(&self, graph: &mut Graph<T>, _: &Tape<T>) -> Result<bool, Error> {
        let links = graph.links();
        let mut reads: Vec<Option<(Read, u32)>> = vec![None; graph.nodes.len()];
        for (found, node) in reads.iter_mut().zip(&graph.nodes) {
            let Some(Kind::Reshape(_)) = node.kind().filter(|_| !node.keep_apart) else { continue };
            let maker = links.maker[node.args[0] as usize] as usize;
            let Some(read) = graph.nodes.get(maker).filter(|&read| !repeats(graph, read)) else { continue };
            let Some(Kind::Read(op)) = read.kind() else { continue };
            let shape = graph.shape(node.results[0]);
            let Some(strides) = strides_of(&op.0, shape) else { continue };
            if Window::read(shape, op.0.offset, &strides).is_some() {
                *found = Some((Read { shape: shape.clone(), strides, ..op.0.clone() }, read.args[0]));
            }
        }
        let mut is: Vec<bool> = reads.iter().map(Option::is_some).collect();
        graph.keep_read_by(&links, &mut is, |node| is_element_wise(graph, node));
        for (node, read) in graph.nodes.iter_mut().zip(reads).zip(&is).filter_map(|(both, &is)| is.then_some(both)) {
            if let Some((read, from)) = read {
                (node.operation, node.args[0]) = (Operation::Single(Kind::Read(Box::new(Arity(read)))), from);
            }
        }
        Ok(is.contains(&true))
    }
}

/// The strides of a read whose result has another shape, if that is the same but for axes of one element.
fn strides_of(read: &Read, shape: &Shape) -> Option<SmallVec<[isize; 4]>> {
    let mut kept = read.shape.iter().zip(&read.strides).filter(|(n, _)| **n != 1);
    let strides = shape.iter().map(|&n| match n {
        1 => Some(0),
        _ => kept.next().filter(|(own, _)| **own == n).map(|(_, &stride)| stride),
    });
    let strides = strides.collect::<Option<SmallVec<[isize; 4]>>>()?;
    kept.next().is_none().then_some(strides)
}
