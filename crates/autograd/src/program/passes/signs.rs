//! What is negated only to be added is subtracted.

use super::Rewrite;
use crate::float::Float;
use crate::ops::binary::Binary;
use crate::ops::table::Kind;
use crate::ops::unary::Unary;
use crate::program::graph::{Graph, Links, NOBODY};
use crate::program::operation::Operation;
use crate::program::zeros::has_no_negative_zeros;
use crate::tape::Tape;
use crate::tape::op::Arity;
use crate::tensor::error::Error;

pub(super) struct Signs;

impl<T: Float> Rewrite<T> for Signs {
    fn name(&self) -> &'static str {
        "signs"
    }

    /// `x + (−y)` is `x − y`, bit for bit, and so where parts of `−y` are read. Where it is added to zeros first, a negative zero is
    /// lost, which `x` must not have then.
    fn run(&self, graph: &mut Graph<T>, _: &Tape<T>) -> Result<bool, Error> {
        let links = graph.links();
        let mut dropped = vec![false; graph.nodes.len()];
        let mut positive = vec![false; links.maker.len()];
        for i in 0..graph.nodes.len() {
            if let Some((op, x, negated)) = turned(graph, &links, &positive, i) {
                let Negated { view, node, of } = negated;
                dropped[node] = true;
                if let Some(view) = view {
                    graph.nodes[view].args[0] = of;
                }
                let y = view.map_or(of, |view| graph.nodes[view].results[0]);
                graph.nodes[i].operation = Operation::Single(Kind::Binary(Arity(op)));
                graph.nodes[i].args = [x, y].into_iter().collect();
            }
            let node = &graph.nodes[i];
            let have_none = |arg: u32| positive[arg as usize];
            if node.kind().is_some_and(|kind| has_no_negative_zeros(kind, &node.args, have_none)) {
                positive[node.results[0] as usize] = true;
            }
        }
        graph.drop_nodes(&dropped);
        Ok(dropped.contains(&true))
    }
}

/// What is negated for one reader: the view that this reads, if it is one, the node that negates, and what that negates.
struct Negated {
    view: Option<usize>,
    node: usize,
    of: u32,
}

/// An addition or subtraction of what is negated, as the other of both: its first operand, and what was negated.
fn turned<T: Float>(graph: &Graph<T>, links: &Links, positive: &[bool], i: usize) -> Option<(Binary, u32, Negated)> {
    let node = &graph.nodes[i];
    let Kind::Binary(Arity(op)) = node.kind()? else { return None };
    let (x, y) = (node.args[0], node.args.get(1).copied()?);
    #[allow(clippy::wildcard_enum_match_arm, reason = "two of a large table")]
    let (other, orders) = match op {
        Binary::Add => (Binary::Sub, &[(x, y), (y, x)][..]),
        Binary::Sub => (Binary::Add, &[(x, y)][..]),
        _ => return None,
    };
    orders.iter().find_map(|&(x, y)| Some((other, x, negated(graph, links, y, positive[x as usize])?)))
}

/// What a value is the negative of, if nobody else reads it; also of a view, where what it loses does not matter.
fn negated<T: Float>(graph: &Graph<T>, links: &Links, value: u32, may_lose: bool) -> Option<Negated> {
    let maker = |value: u32| {
        let maker = links.maker[value as usize];
        let is_for_one = maker != NOBODY && links.reads[value as usize] == 1;
        graph.nodes.get(maker as usize).filter(|node| is_for_one && !node.keep_apart).map(|node| (maker as usize, node))
    };
    let (at, node) = maker(value)?;
    #[allow(clippy::wildcard_enum_match_arm, reason = "two of a large table")]
    let is_view = match node.kind()? {
        Kind::Read(_) => true,
        Kind::AddAt(op) => may_lose && !op.0.sums_all(),
        _ => false,
    };
    let (at, node, view) = if is_view {
        let (inner, node) = maker(node.args[0])?;
        (inner, node, Some(at))
    } else {
        (at, node, None)
    };
    matches!(node.kind()?, Kind::Unary(Arity(Unary::Neg {}))).then(|| Negated { view, node: at, of: node.args[0] })
}
