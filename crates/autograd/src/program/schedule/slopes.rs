//! Functions and their slopes: where one region computes a function of a value and a later one its slope, as a pass backward does
//! behind a product, the first computes both, since they come of the same exponential.

use super::regions::Unit;
use crate::float::Float;
use crate::ops::table::Kind;
use crate::ops::with_slope::Pair;
use crate::program::graph::Graph;
use crate::program::ids::IdMap;
use smallvec::SmallVec;

/// One of a pair: its unit, its node, and what that does.
type Half<'g, T> = (usize, u32, &'g Kind<T>);

/// Moves the second half of each pair, in units in their order, to the unit of the first, which has not more than so many members
/// then. What is to be computed anew stays where it is.
pub(super) fn join<T: Float>(graph: &Graph<T>, units: &mut Vec<Unit>, most: usize) {
    let mut halves: IdMap<SmallVec<[Half<'_, T>; 2]>> = IdMap::default();
    for (u, unit) in units.iter().enumerate().filter(|(_, unit)| unit.is_region) {
        for &i in &unit.members {
            let node = &graph.nodes[i as usize];
            if let Some(kind) = node.kind().filter(|kind| !node.keep_apart && Pair::has_kind(kind)) {
                halves.entry(node.args[0]).or_default().push((u, i, kind));
            }
        }
    }
    let mut moves: Vec<(usize, usize, u32)> = Vec::new();
    for of_one in halves.values().filter(|of_one| of_one.len() > 1) {
        let is_pair = |a, b| Pair::of_kinds(a, b).or_else(|| Pair::of_kinds(b, a)).is_some();
        for (k, &(late, i, kind)) in of_one.iter().enumerate() {
            let early = of_one[..k].iter().find(|&&(early, _, other)| early < late && is_pair(kind, other));
            moves.extend(early.map(|&(early, ..)| (late, early, i)));
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
