//! What it costs to go by elements, and what it saves.

use super::{Added, MOST};
use crate::float::Float;
use crate::ops::table::Kind;
use crate::program::graph::Graph;
use crate::program::layout::is_element_wise;
use crate::tape::op::Arity;

/// A step that moves a few numbers costs as much as a cheap operation on so many of them, one by one.
const A_MOVE: usize = 12;
/// A function of several numbers, which goes in a vector, costs as much more one by one.
const A_FUNCTION: usize = 2;

/// Which nodes go by elements: those of parts of the graph that hang together by values of a few numbers, where less is to do so.
pub(super) fn taken_apart<T: Float>(graph: &Graph<T>) -> Vec<bool> {
    let fits: Vec<Option<Cost>> = (0..graph.nodes.len()).map(|node| Cost::of(graph, node)).collect();
    if !fits.iter().flatten().any(|cost| cost.moves > 0) {
        return vec![false; fits.len()];
    }
    let links = graph.links();
    let mut part: Vec<usize> = (0..fits.len()).collect();
    for (i, node) in graph.nodes.iter().enumerate().filter(|&(i, _)| fits[i].is_some()) {
        for &a in &node.args {
            let maker = links.maker[a as usize] as usize;
            if fits.get(maker).is_some_and(Option::is_some) {
                let (one, other) = (find(&mut part, i), find(&mut part, maker));
                part[one] = other;
            }
        }
    }
    let mut costs = vec![Cost::default(); fits.len()];
    for (i, cost) in fits.iter().enumerate() {
        if let Some(cost) = cost {
            let part = find(&mut part, i);
            costs[part].moves += cost.moves;
            costs[part].made += cost.made;
            costs[part].numbers += cost.numbers;
        }
    }
    // What others read is put together again, which is a step; so is what is asked for, which is copied by the work that makes it.
    let mut is_read = vec![false; graph.values.len()];
    let others = graph.nodes.iter().zip(&fits).filter_map(|(node, fits)| fits.is_none().then_some(node));
    let read = others.flat_map(|node| node.args.iter().map(|&a| (a, 1)));
    for (value, joins) in read.chain(graph.roots().map(|root| (root, 0))) {
        let maker = links.maker[value as usize] as usize;
        let Some(Some(cost)) = fits.get(maker) else { continue };
        let is_known = std::mem::replace(&mut is_read[value as usize], true);
        if !is_known && (graph.numel(value) > 1 || cost.made == 0) {
            let cost = &mut costs[find(&mut part, maker)];
            (cost.joins, cost.joined) = (cost.joins + joins, cost.joined + graph.numel(value));
        }
    }
    let is_taken = |i: usize| fits[i].is_some() && costs[find(&mut part, i)].is_less_apart();
    (0..fits.len()).map(is_taken).collect()
}

/// The part that a node is of, in a forest of unions.
fn find(part: &mut [usize], mut node: usize) -> usize {
    while part[node] != node {
        part[node] = part[part[node]];
        node = part[node];
    }
    node
}

/// What nodes cost.
#[derive(Clone, Copy, Default)]
struct Cost {
    /// Steps that only move numbers.
    moves: usize,
    /// Operations on single numbers.
    made: usize,
    /// What these cost, in cheap ones.
    numbers: usize,
    /// Steps that put together what others read.
    joins: usize,
    /// The numbers that are put together.
    joined: usize,
}

impl Cost {
    /// Of a node, if it can go by elements.
    #[allow(clippy::wildcard_enum_match_arm, reason = "few of a large table")]
    fn of<T: Float>(graph: &Graph<T>, node: usize) -> Option<Self> {
        let is_few = |value: u32| (1..=MOST).contains(&graph.numel(value));
        let own = &graph.nodes[node];
        let result = own.results[0];
        if own.keep_apart || !is_few(result) {
            return None;
        }
        let costs_much = match own.kind()? {
            Kind::Unary(Arity(op)) => op.costs_much(),
            Kind::Binary(Arity(op)) => op.costs_much(),
            _ => false,
        };
        let (moves, made) = match own.kind()? {
            Kind::Read(_) => (1, 0),
            _ if !own.args.iter().all(|&a| is_few(a)) => return None,
            Kind::Concat(_) | Kind::Transpose(_) => (1, 0),
            Kind::Reshape(_) | Kind::StopGradient(_) => (0, 0),
            Kind::AddAt(op) => match Added::of(&op.0, graph.shape(own.args[0]))? {
                Added::Sum => (0, graph.numel(own.args[0])),
                Added::Apart(_) => (1, 0),
            },
            _ if is_element_wise(graph, node as u32) => (0, graph.numel(result)),
            _ => return None,
        };
        let each = if made > 1 && costs_much { A_FUNCTION } else { 1 };
        Some(Self { moves, made, numbers: made * each, ..Self::default() })
    }

    fn is_less_apart(self) -> bool {
        // What nobody made is copied from where it was, number by number.
        let steps = self.joins + self.joined.saturating_sub(self.made);
        self.moves > steps && self.made > 0 && self.numbers <= A_MOVE * (self.moves - steps)
    }
}
