//! In which order nodes are computed, and which of them together.

mod alike;
mod by_rows;
mod own;
mod regions;
mod runs;
mod slopes;
mod windows;

use super::graph::Graph;
use super::passes::Optimisations;
use crate::float::Float;
use crate::program::layout::is_element_wise;
pub(super) use own::{Own, own_kernel};
pub(super) use regions::is_sum_of_all;
use regions::regions;
pub(super) use runs::{Blocks, Phase};
use smallvec::SmallVec;
use std::ops::Range;
pub(super) use windows::is_window;

/// What is computed in one go.
#[derive(Default)]
pub(super) struct Work {
    /// The nodes in order.
    pub(super) members: SmallVec<[u32; 1]>,
    /// The values that it reads, perhaps twice.
    pub(super) reads: SmallVec<[u32; 4]>,
    /// The values that it leaves: those that others read, or someone outside, or nobody.
    pub(super) results: SmallVec<[u32; 2]>,
    /// Whether the members are element-wise operations, tile by tile, and sums of what they make.
    pub(super) is_chain: bool,
}

impl Work {
    /// Whether it reads a value through a window: not only element by element.
    pub(super) fn sees_through_window<T: Float>(&self, graph: &Graph<T>, value: u32) -> bool {
        let reads = |&&node: &&u32| graph.nodes[node as usize].args.contains(&value);
        self.is_chain && self.members.iter().filter(reads).any(|&node| is_window(graph, node))
    }

    /// A value of a chain that has the shape of all its values but the sums.
    fn one_value<T: Float>(&self, graph: &Graph<T>) -> u32 {
        graph.nodes[self.members[0] as usize].results[0]
    }
}

/// The order of the work.
pub(super) struct Schedule {
    pub(super) work: Vec<Work>,
    /// How much of it the guards need; that comes first.
    pub(super) guarded: usize,
    /// From here on nothing ends a run.
    pub(super) sure_from: usize,
    /// Work that is one step, and how that is done.
    pub(super) runs: Vec<Range<usize>>,
    pub(super) phases: Vec<Phase>,
}

impl Schedule {
    pub(super) fn new<T: Float>(graph: &Graph<T>, with: Optimisations) -> Self {
        let links = graph.links();
        let (groups, guarded) = regions(graph, &links, with.has("chains"));
        let results = left_by(graph, &groups);
        let mut work: Vec<Work> = groups
            .into_iter()
            .zip(results)
            .map(|(members, results)| {
                let is_chain = members.len() > 1 || is_element_wise(graph, members[0]);
                Work { reads: reads(graph, &members), members: members.into(), results, is_chain }
            })
            .collect();
        let may_fail = |work: &Work| !work.is_chain && graph.nodes[work.members[0] as usize].operation.may_fail();
        let sure_from = work.iter().rposition(may_fail).map_or(guarded, |last| guarded.max(last + 1));
        let (runs, phases) = runs::runs(graph, &links, &mut work, guarded, with);
        Self { work, guarded, sure_from, runs, phases }
    }
}

/// What a group of nodes reads, perhaps twice.
fn reads<T: Float>(graph: &Graph<T>, members: &[u32]) -> SmallVec<[u32; 4]> {
    if let [node] = *members {
        return SmallVec::from_slice(&graph.nodes[node as usize].args);
    }
    let mut made: SmallVec<[u32; 64]> = SmallVec::new();
    made.extend(members.iter().map(|&node| graph.nodes[node as usize].results[0]));
    made.sort_unstable();
    let args = members.iter().flat_map(|&node| &graph.nodes[node as usize].args);
    args.copied().filter(|a| made.binary_search(a).is_err()).collect()
}

/// What each group of nodes leaves for others.
fn left_by<T: Float>(graph: &Graph<T>, groups: &[Vec<u32>]) -> Vec<SmallVec<[u32; 2]>> {
    let mut group_of = vec![u32::MAX; graph.values.len()];
    for (g, group) in (0..).zip(groups) {
        for &node in group {
            graph.nodes[node as usize].results.iter().for_each(|&result| group_of[result as usize] = g);
        }
    }
    // Whether a value is read at all, and whether by others.
    let mut read = vec![(false, false); graph.values.len()];
    graph.roots().for_each(|root| read[root as usize] = (true, true));
    for (g, group) in (0..).zip(groups) {
        for &a in group.iter().flat_map(|&node| &graph.nodes[node as usize].args) {
            let (at_all, by_others) = &mut read[a as usize];
            *at_all = true;
            *by_others |= group_of[a as usize] != g;
        }
    }
    let leaves = |value: &u32| matches!(read[*value as usize], (false, _) | (_, true));
    let of = |group: &Vec<u32>| {
        // One node alone leaves all that it makes, a chain no windows: each has its own.
        let alone = group.len() == 1;
        let makers = group.iter().filter(|&&node| alone || !is_window(graph, node));
        let results = makers.flat_map(|&node| graph.nodes[node as usize].results.iter().copied());
        results.filter(|value| alone || leaves(value)).collect()
    };
    groups.iter().map(of).collect()
}
