//! Regions: element-wise operations of one shape that are computed together, tile by tile.
//!
//! First each operation joins its readers, where all of them are in one region: what is in between is then never stored.
//! Then regions that read the same values, or each other's, become one where nothing between them is in the way, and
//! take the sums of their values with them.

use super::chain::Layout;
use super::graph::{Graph, Source};
use crate::float::Float;
use crate::ops::table::Kind;
use crate::tape::op::Arity;
use crate::tensor::shape::Shape;
use smallvec::SmallVec;
use std::collections::{HashMap, HashSet};

/// The most operations of a region that grows from its last one.
const LONGEST: usize = 32;
/// The most operations of regions that became one.
const LONGEST_MERGED: usize = 64;
/// The most values that are alive at a time in merged regions: their tiles stay in the first-level cache.
const MOST_ALIVE: usize = 12;
/// The most sums that a region takes with it.
pub(super) const MOST_SUMS: usize = 4;

/// Whether an operation is element-wise, so that it can be part of a chain.
pub(super) fn is_element_wise<T: Float>(graph: &Graph<T>, index: u32) -> bool {
    let node = &graph.nodes[index as usize];
    let Source::Op(kind) = &node.source else { return false };
    matches!(kind, Kind::Unary(_) | Kind::Binary(_) | Kind::Select(_))
        && node.shape.numel() > 0
        && node.args.iter().all(|&a| Layout::of(&graph.nodes[a as usize].shape, &node.shape).is_some())
}

/// Whether an operation adds up all elements of its operand.
fn is_sum_of_all<T: Float>(graph: &Graph<T>, index: u32) -> bool {
    let node = &graph.nodes[index as usize];
    let Source::Op(Kind::AddAt(Arity(op))) = &node.source else { return false };
    op.sums_all() && graph.nodes[node.args[0] as usize].shape.numel() > 1
}

impl<T: Float> Graph<T> {
    /// Lets element-wise operations read what a broadcast repeats, since they repeat it themselves.
    pub(super) fn see_through_broadcasts(&mut self) {
        for i in 0..self.nodes.len() {
            let node = &self.nodes[i];
            // One of a single operand has no other that gives the result its shape.
            let Source::Op(Kind::Binary(_) | Kind::Select(_)) = &node.source else { continue };
            let small = |&a: &u32| self.broadcast_of(a, &node.shape).unwrap_or(a);
            let args: SmallVec<[u32; 3]> = node.args.iter().map(small).collect();
            self.nodes[i].args = args;
        }
    }

    /// What a node broadcasts, if a chain of this shape can read it instead.
    fn broadcast_of(&self, node: u32, shape: &Shape) -> Option<u32> {
        let node = &self.nodes[node as usize];
        let Source::Op(Kind::Read(Arity(op))) = &node.source else { return None };
        let from = &self.nodes[node.args[0] as usize].shape;
        let same = node.shape == *shape && shape.numel() > 0;
        (same && op.is_broadcast_of(from) && Layout::of(from, shape).is_some()).then_some(node.args[0])
    }
}

/// Nodes that are computed together, in ascending order, which is an order of computation.
#[derive(Debug, Default)]
struct Unit {
    members: Vec<u32>,
    /// Whether the members are element-wise, of the shape of the first.
    is_region: bool,
    sums: usize,
    guarded: bool,
}

/// Who reads a node.
#[derive(Clone, Copy)]
enum Readers {
    Nobody,
    One(usize),
    Many,
}

/// Groups an ascending order of nodes into what is computed together, in an order of computation: first what guards need.
/// Also returns how many of the groups are.
pub(super) fn regions<T: Float>(
    graph: &Graph<T>,
    order: &[u32],
    guard_needs: &[bool],
    chains: bool,
) -> (Vec<Vec<u32>>, usize) {
    let mut units = grown(graph, order, guard_needs, chains);
    // Nothing but its last node is read from outside of a unit, so the last nodes are in an order of computation.
    units.sort_by_key(|unit| (!unit.guarded, unit.members.last().copied()));
    if chains {
        Merger::new(graph, &mut units).run();
    }
    units.retain(|unit| !unit.members.is_empty());
    let guarded = units.iter().filter(|unit| unit.guarded).count();
    (units.into_iter().map(|unit| unit.members).collect(), guarded)
}

/// Every node in the unit of its readers, if that is one region of its shape, else in one of its own.
fn grown<T: Float>(graph: &Graph<T>, order: &[u32], guard_needs: &[bool], chains: bool) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    let mut readers = vec![Readers::Nobody; graph.nodes.len()];
    for &i in order.iter().rev() {
        let (is_region, guarded) = (is_element_wise(graph, i), guard_needs[i as usize]);
        let shape = |i: u32| &graph.nodes[i as usize].shape;
        let unit = match readers[i as usize] {
            Readers::One(unit) if chains && is_region && units[unit].is_region => {
                let reader = &units[unit];
                let fits = reader.members.len() < LONGEST && reader.guarded == guarded;
                (fits && shape(reader.members[0]) == shape(i)).then_some(unit)
            }
            Readers::Nobody | Readers::One(_) | Readers::Many => None,
        };
        let unit = unit.unwrap_or_else(|| {
            units.push(Unit { is_region, guarded, ..Unit::default() });
            units.len() - 1
        });
        units[unit].members.push(i);
        for &a in &graph.nodes[i as usize].args {
            let reader = &mut readers[a as usize];
            *reader = match *reader {
                Readers::Nobody => Readers::One(unit),
                Readers::One(same) if same == unit => Readers::One(unit),
                Readers::One(_) | Readers::Many => Readers::Many,
            };
        }
    }
    for unit in &mut units {
        unit.members.reverse();
    }
    units
}

/// Moves units into earlier regions, where all that they read is there in time.
struct Merger<'a, T: Float> {
    graph: &'a Graph<T>,
    units: &'a mut Vec<Unit>,
    unit_of: Vec<Option<usize>>,
    /// The regions that read a value as it is, element by element.
    reads: HashMap<u32, Vec<usize>>,
}

impl<'a, T: Float> Merger<'a, T> {
    fn new(graph: &'a Graph<T>, units: &'a mut Vec<Unit>) -> Self {
        let mut unit_of = vec![None; graph.nodes.len()];
        for (u, unit) in units.iter().enumerate() {
            for &i in &unit.members {
                unit_of[i as usize] = Some(u);
            }
        }
        Self { graph, units, unit_of, reads: HashMap::new() }
    }

    fn run(mut self) {
        for u in 0..self.units.len() {
            let target = self.target(u);
            let Unit { members, is_region, .. } = if target.is_some() {
                std::mem::take(&mut self.units[u])
            } else {
                Unit { members: self.units[u].members.clone(), is_region: self.units[u].is_region, ..Unit::default() }
            };
            if let Some(target) = target {
                for &i in &members {
                    self.unit_of[i as usize] = Some(target);
                }
                let unit = &mut self.units[target];
                unit.sums += usize::from(!is_region);
                unit.members.extend(&members);
                unit.members.sort_unstable();
            }
            if is_region {
                for a in self.full_reads(&members) {
                    self.reads.entry(a).or_default().push(target.unwrap_or(u));
                }
            }
        }
    }

    /// The values that members read from outside, element by element.
    fn full_reads(&self, members: &[u32]) -> Vec<u32> {
        let shape = &self.graph.nodes[members[0] as usize].shape;
        let numel = |a: u32| self.graph.nodes[a as usize].shape.numel();
        let args = members.iter().flat_map(|&m| self.graph.nodes[m as usize].args.iter().copied());
        let outside = args.filter(|a| members.binary_search(a).is_err());
        outside.filter(|&a| numel(a) == shape.numel() && numel(a) > 1).collect()
    }

    /// The region that a unit can be part of.
    fn target(&self, u: usize) -> Option<usize> {
        let unit = &self.units[u];
        let first = *unit.members.first()?;
        if !unit.is_region {
            let from = self.graph.nodes[first as usize].args.first().and_then(|&a| self.unit(a))?;
            let region = &self.units[from];
            let fits = region.is_region && region.guarded == unit.guarded && region.sums < MOST_SUMS;
            // What a region reads was summed by another.
            let whole = self.is_first_kind(self.graph.nodes[first as usize].args[0]);
            return (fits && whole && is_sum_of_all(self.graph, first)).then_some(from);
        }
        let outside: Vec<u32> = self.graph.outside(&unit.members).collect();
        let near = outside.iter().filter_map(|&a| self.unit(a));
        let beside = self.full_reads(&unit.members).into_iter().filter_map(|a| self.reads.get(&a)).flatten().copied();
        let mut tried = HashSet::new();
        near.chain(beside).filter(|&r| r < u && tried.insert(r)).find(|&r| self.fits(u, r, &outside))
    }

    /// Whether unit `u`, which reads these values, can be computed with an earlier one.
    fn fits(&self, u: usize, r: usize, outside: &[u32]) -> bool {
        let (unit, region) = (&self.units[u], &self.units[r]);
        let shape = |unit: &Unit| &self.graph.nodes[unit.members[0] as usize].shape;
        let in_time = |&a: &u32| match self.unit(a) {
            Some(of) => of < r || (of == r && self.is_first_kind(a)),
            None => true,
        };
        region.is_region
            && unit.guarded == region.guarded
            && unit.members.len() + region.members.len() <= LONGEST_MERGED
            && shape(unit) == shape(region)
            && outside.iter().all(in_time)
            && self.alive(&unit.members, &region.members) <= MOST_ALIVE
    }

    /// Whether a node of a region is not one of its sums, which is there only when all tiles are done.
    fn is_first_kind(&self, node: u32) -> bool {
        !matches!(self.graph.nodes[node as usize].source, Source::Op(Kind::AddAt(_)))
    }

    fn unit(&self, node: u32) -> Option<usize> {
        match self.graph.nodes[node as usize].source {
            // A second result is there with the first.
            Source::Beside => self.unit_of[self.graph.nodes[node as usize].args[0] as usize],
            Source::Input | Source::State | Source::Constant(_) | Source::Op(_) | Source::Fused(_) | Source::Net(_) => {
                self.unit_of[node as usize]
            }
        }
    }

    /// How many of the members of both are alive at a time.
    fn alive(&self, a: &[u32], b: &[u32]) -> usize {
        let mut members: Vec<u32> = [a, b].concat();
        members.sort_unstable();
        let mut last_read: HashMap<u32, usize> = members.iter().enumerate().map(|(k, &m)| (m, k)).collect();
        for (k, &m) in members.iter().enumerate() {
            for arg in &self.graph.nodes[m as usize].args {
                last_read.entry(*arg).and_modify(|last| *last = k);
            }
        }
        let at = |k: usize| (0..=k).filter(|&i| last_read[&members[i]] >= k).count();
        (0..members.len()).map(at).max().unwrap_or(0)
    }
}

impl<T: Float> Graph<T> {
    /// Of each group of nodes, those that others read, or someone outside, or nobody; `order` has all that are computed.
    pub(super) fn read_by_others(&self, groups: &[Vec<u32>], order: &[u32]) -> Vec<Vec<u32>> {
        let mut group_of = vec![usize::MAX; self.nodes.len()];
        for (g, group) in groups.iter().enumerate() {
            for &i in group {
                group_of[i as usize] = g;
            }
        }
        // Whether a node is read at all, and whether by others.
        let mut read = vec![(false, false); self.nodes.len()];
        for root in self.roots() {
            read[root as usize] = (true, true);
        }
        for &i in order {
            for &a in &self.nodes[i as usize].args {
                let (at_all, by_others) = &mut read[a as usize];
                *at_all = true;
                *by_others |= group_of[a as usize] != group_of[i as usize];
            }
        }
        let leaves = |i: &u32| matches!(read[*i as usize], (false, _) | (_, true));
        groups.iter().map(|group| group.iter().copied().filter(leaves).collect()).collect()
    }

    /// What members, in ascending order, read from outside.
    pub(super) fn outside<'a>(&'a self, members: &'a [u32]) -> impl Iterator<Item = u32> + 'a {
        let args = members.iter().flat_map(|&m| self.nodes[m as usize].args.iter().copied());
        args.filter(|a| members.binary_search(a).is_err())
    }
}
