//! Functions and their slopes: where one region computes a function of a value and a later one its slope, as a pass backward does
//! behind a product, the first computes both, since they come of the same exponential.

use super::regions::Unit;
use crate::float::Float;
use crate::ops::table::Kind;
use crate::ops::with_slope::Pair;
use crate::program::graph::Graph;
use crate::program::ids::IdMap;
use smallvec::SmallVec;

/// Moves the second half of each pair, in units in their order, to the unit of the first, which has not more than so many members
/// then. What is to be computed anew stays where it is.
pub(super) fn join<T: Float>(graph: &Graph<T>, units: &mut Vec<Unit>, most: usize) {
    let mut halves: IdMap<SmallVec<[(usize, u32); 2]>> = IdMap::default();
    for (u, unit) in units.iter().enumerate().filter(|(_, unit)| unit.is_region) {
        for &i in &unit.members {
            let node = &graph.nodes[i as usize];
            if !node.keep_apart && node.kind().is_some_and(Pair::has_kind) {
                halves.entry(node.args[0]).or_default().push((u, i));
            }
        }
    }
    let mut moves: Vec<(usize, usize, u32)> = Vec::new();
    for of_one in halves.values().filter(|of_one| of_one.len() > 1) {
        let kind = |i: u32| graph.nodes[i as usize].kind();
        let is_pair = |a: u32, b: u32| {
            let pair = |a: Option<&Kind<T>>, b: Option<&Kind<T>>| Pair::of_kinds(a?, b?);
            pair(kind(a), kind(b)).or_else(|| pair(kind(b), kind(a))).is_some()
        };
        for (k, &(late, i)) in of_one.iter().enumerate() {
            let early = of_one[..k].iter().find(|&&(early, j)| early < late && is_pair(i, j));
            moves.extend(early.map(|&(early, _)| (late, early, i)));
        }
    }
    moves.sort_unstable_by_key(|&(_, _, i)| i);
    for (late, early, i) in moves {
        let fits = units[early].guarded == units[late].guarded && units[early].members.len() < most;
        if fits {
            units[late].members.retain(|&member| member != i);
            let members = &mut units[early].members;
            members.insert(members.partition_point(|&member| member < i), i);
        }
    }
    units.retain(|unit| !unit.members.is_empty());
}
