//! Regions: element-wise operations of one shape that are computed together, tile by tile.
//!
//! First each operation joins its readers, where all of them are in one region: what is in between is then never stored.
//! Then regions that read the same values, or each other's, become one where nothing between them is in the way, and
//! take the sums of their values with them. Windows are seen by each region that reads them.

use super::slopes;
use super::windows::Windows;
use crate::float::Float;
use crate::kernels::chain::MOST_SUMS;
use crate::ops::table::Kind;
use crate::program::graph::{Graph, Links, NOBODY, Node};
use crate::program::ids::IdMap;
use crate::program::layout::is_element_wise;
use crate::tensor::shape::Shape;
use smallvec::{SmallVec, smallvec};

/// The most operations of a region that grows from its last one.
const LONGEST: usize = 32;
/// The most operations of regions that became one.
const LONGEST_MERGED: usize = 64;
/// The most values that are alive at a time in merged regions: their tiles stay in the first-level cache.
const MOST_ALIVE: usize = 12;
/// The most values of joined regions of one element that someone outside asks for: next states among them are looked for in all members.
const MOST_ASKED: usize = 64;
/// Regions of so many elements are worth a step of its own for a number that they read.
const MANY: usize = 1024;
/// How many of the regions that read a value are tried as the place of another that does: the latest. Without a bound a value
/// that all of a long program reads makes recording it quadratic.
const MOST_TRIED: usize = 16;

/// Whether a node adds up all elements of its operand.
pub(in crate::program) fn is_sum_of_all<T: Float>(graph: &Graph<T>, node: u32) -> bool {
    let node = &graph.nodes[node as usize];
    let Some(Kind::AddAt(op)) = node.kind() else { return false };
    op.0.sums_all() && graph.numel(node.args[0]) > 1
}

/// Nodes that are computed together, in ascending order, which is an order of computation.
#[derive(Debug, Default)]
pub(super) struct Unit {
    pub(super) members: Vec<u32>,
    /// Whether the members are element-wise, of the shape of the first.
    pub(super) is_region: bool,
    sums: usize,
    pub(super) guarded: bool,
}

/// Who reads a node.
#[derive(Clone, Copy)]
enum Readers {
    Nobody,
    One(usize),
    Many,
}

/// Groups nodes into what is computed together, in an order of computation: first what guards need. Also returns how many of
/// the groups are.
pub(super) fn regions<T: Float>(graph: &Graph<T>, links: &Links, chains: bool) -> (Vec<Vec<u32>>, usize) {
    let needed = graph.needed_for(graph.guards.iter().map(|guard| guard.0));
    let windows = Windows::of(graph, links, chains);
    let mut units = grown(graph, links, &needed, (chains, &windows));
    // Nothing but its last node is read from outside of a unit, so the last nodes are in an order of computation.
    units.sort_by_key(|unit| (!unit.guarded, unit.members.last().copied()));
    if chains {
        numbers_first(graph, (links, &windows), &mut units);
    }
    if chains {
        slopes::join(graph, &mut units, LONGEST_MERGED);
        let mut merger = Merger::new(graph, (links, &windows), &mut units);
        merger.merge();
        merger.join_numbers();
    }
    units.retain(|unit| !unit.members.is_empty());
    units.iter_mut().filter(|unit| unit.is_region).for_each(|unit| windows.join(graph, links, &mut unit.members));
    let guarded = units.iter().filter(|unit| unit.guarded).count();
    (units.into_iter().map(|unit| unit.members).collect(), guarded)
}

/// Every node in the unit of its readers, if that is one region of its shape, else in one of its own.
fn grown<T: Float>(
    graph: &Graph<T>,
    links: &Links,
    guard_needs: &[bool],
    (chains, windows): (bool, &Windows),
) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    let mut readers = vec![Readers::Nobody; graph.values.len()];
    for i in (0..graph.nodes.len() as u32).rev() {
        let Node { args, results, .. } = &graph.nodes[i as usize];
        if windows.has(i) {
            continue;
        }
        let guarded = results.iter().any(|&result| guard_needs[result as usize]);
        let is_region = chains && is_element_wise(graph, i);
        let unit = match readers[results[0] as usize] {
            Readers::One(unit) if is_region && units[unit].is_region => {
                let reader = &units[unit];
                let of = graph.nodes[reader.members[0] as usize].results[0];
                let fits = reader.members.len() < LONGEST && reader.guarded == guarded;
                (fits && graph.shape(of) == graph.shape(results[0])).then_some(unit)
            }
            Readers::Nobody | Readers::One(_) | Readers::Many => None,
        };
        let unit = unit.unwrap_or_else(|| {
            units.push(Unit { is_region, guarded, ..Unit::default() });
            units.len() - 1
        });
        units[unit].members.push(i);
        for &a in args {
            let seen = windows.seen(graph, links, a);
            let reader = &mut readers[seen as usize];
            *reader = match *reader {
                // What is seen through a window is there as a whole before.
                _ if seen != a => Readers::Many,
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

/// Moves the units first that make single numbers of what is there from the start, of a rate or the seed of a gradient, where a region
/// of many elements reads one: so it need not wait for it, and can be one with what comes before.
fn numbers_first<T: Float>(graph: &Graph<T>, (links, windows): (&Links, &Windows), units: &mut [Unit]) {
    let mut is_early = vec![false; graph.nodes.len()];
    for unit in &*units {
        let single = unit.members.iter().all(|&i| graph.numel(graph.nodes[i as usize].results[0]) == 1);
        let there = |a: u32| is_early.get(links.maker[a as usize] as usize).copied().unwrap_or(true);
        let is = unit.is_region && single && outside(graph, (links, windows), &unit.members).all(there);
        unit.members.iter().for_each(|&i| is_early[i as usize] = is);
    }
    let reads_early = |i: u32| {
        let node = &graph.nodes[i as usize];
        let many = graph.numel(node.results[0]) >= MANY;
        many && node.args.iter().any(|&a| is_early.get(links.maker[a as usize] as usize) == Some(&true))
    };
    let waits = |unit: &Unit| unit.is_region && unit.members.iter().any(|&i| reads_early(i));
    if units.iter().any(waits) {
        units.sort_by_key(|unit| (!unit.guarded, !is_early[unit.members[0] as usize]));
    }
}

/// Moves units into earlier regions, where all that they read is there in time.
struct Merger<'a, T: Float> {
    graph: &'a Graph<T>,
    links: (&'a Links, &'a Windows),
    units: &'a mut Vec<Unit>,
    /// The unit of each node.
    unit_of: Vec<usize>,
    /// The regions that read a value as it is, element by element, or a window.
    reads: IdMap<Vec<usize>>,
}

impl<'a, T: Float> Merger<'a, T> {
    fn new(graph: &'a Graph<T>, links: (&'a Links, &'a Windows), units: &'a mut Vec<Unit>) -> Self {
        let mut unit_of = vec![0; graph.nodes.len()];
        for (u, unit) in units.iter().enumerate() {
            for &i in &unit.members {
                unit_of[i as usize] = u;
            }
        }
        Self { graph, links, units, unit_of, reads: IdMap::default() }
    }

    fn merge(&mut self) {
        for u in 0..self.units.len() {
            let Unit { is_region, .. } = self.units[u];
            let target = self.target(u);
            let reads = if is_region { self.tile_reads(&self.units[u].members) } else { Vec::new() };
            if let Some(target) = target {
                let members = std::mem::take(&mut self.units[u].members);
                for &i in &members {
                    self.unit_of[i as usize] = target;
                }
                let unit = &mut self.units[target];
                unit.sums += usize::from(!is_region);
                unit.members.extend(members);
                unit.members.sort_unstable();
            }
            for a in reads {
                self.reads.entry(a).or_default().push(target.unwrap_or(u));
            }
        }
    }

    /// Joins regions of one element each that follow each other, however long they are: their registers are numbers, and so it costs
    /// nothing that many are alive, but what goes from one region to the next is a buffer.
    fn join_numbers(&mut self) {
        let mut is_asked = vec![false; self.graph.values.len()];
        self.graph.roots().for_each(|root| is_asked[root as usize] = true);
        let asked = |unit: &Unit| {
            let results = unit.members.iter().flat_map(|&member| &self.graph.nodes[member as usize].results);
            results.filter(|&&result| is_asked[result as usize]).count()
        };
        let asked: Vec<usize> = self.units.iter().map(asked).collect();
        let mut last: Option<(usize, usize)> = None;
        for (u, asked) in asked.into_iter().enumerate() {
            let unit = &self.units[u];
            let Some(&first) = unit.members.first() else { continue };
            if !unit.is_region || self.graph.numel(self.graph.nodes[first as usize].results[0]) != 1 {
                last = None;
                continue;
            }
            let joins = last.is_some_and(|(before, sum)| {
                let earlier = &self.units[before];
                let from = |&a: &u32| self.unit(a) == Some(before) && self.is_seen_through(a, &unit.members);
                unit.guarded == earlier.guarded
                    && sum + asked <= MOST_ASKED
                    && !outside(self.graph, self.links, &unit.members).any(|a| from(&a))
            });
            match last {
                Some((before, sum)) if joins => {
                    let members = std::mem::take(&mut self.units[u].members);
                    for &member in &members {
                        self.unit_of[member as usize] = before;
                    }
                    self.units[before].members.extend(members);
                    last = Some((before, sum + asked));
                }
                _ => last = Some((u, asked)),
            }
        }
        self.units.iter_mut().for_each(|unit| unit.members.sort_unstable());
    }

    fn shape(&self, members: &[u32]) -> &Shape {
        self.graph.shape(self.graph.nodes[members[0] as usize].results[0])
    }

    /// The values that members read from outside, element by element, and windows: each is copied to tiles by every region.
    fn tile_reads(&self, members: &[u32]) -> Vec<u32> {
        let (graph, (links, windows)) = (self.graph, self.links);
        let count = self.shape(members).numel();
        let full = |&a: &u32| graph.numel(a) == count && count > 1;
        let args = members.iter().flat_map(|&member| &graph.nodes[member as usize].args).copied();
        let seen = args.filter(|&a| windows.has(links.maker[a as usize]));
        outside(graph, self.links, members).filter(full).chain(seen).collect()
    }

    /// The region that a unit can be part of.
    fn target(&self, u: usize) -> Option<usize> {
        let unit = &self.units[u];
        let first = *unit.members.first()?;
        if !unit.is_region {
            let summed = *self.graph.nodes[first as usize].args.first()?;
            let from = self.unit(summed)?;
            let region = &self.units[from];
            let fits = region.is_region && region.guarded == unit.guarded && region.sums < MOST_SUMS;
            // What a region reads was summed by another.
            let whole = self.is_there_by_tiles(summed);
            return (fits && whole && is_sum_of_all(self.graph, first)).then_some(from);
        }
        let outside: Vec<u32> = outside(self.graph, self.links, &unit.members).collect();
        let near = outside.iter().filter_map(|&a| self.unit(a));
        let late = |list: &'_ Vec<usize>| list[list.len().saturating_sub(MOST_TRIED)..].to_vec();
        let beside = self.tile_reads(&unit.members).into_iter().filter_map(|a| self.reads.get(&a)).flat_map(late);
        let mut tried: SmallVec<[usize; 16]> = SmallVec::new();
        near.chain(beside).filter(|&r| r < u).find(|&r| {
            let is_new = !tried.contains(&r);
            tried.push(r);
            is_new && self.fits(u, r, &outside)
        })
    }

    /// Whether unit `u`, which reads these values, can be computed with an earlier one.
    fn fits(&self, u: usize, r: usize, outside: &[u32]) -> bool {
        let (unit, region) = (&self.units[u], &self.units[r]);
        let in_time = |&a: &u32| match self.unit(a) {
            Some(of) => of < r || (of == r && self.is_there_by_tiles(a) && !self.is_seen_through(a, &unit.members)),
            None => true,
        };
        region.is_region
            && unit.guarded == region.guarded
            && unit.members.len() + region.members.len() <= LONGEST_MERGED
            && self.shape(&unit.members) == self.shape(&region.members)
            && outside.iter().all(in_time)
            && self.alive(&unit.members, &region.members) <= MOST_ALIVE
    }

    /// Whether a value is not one of the sums of its region, which are there only when all tiles are done.
    fn is_there_by_tiles(&self, value: u32) -> bool {
        let maker = self.links.0.maker[value as usize];
        maker == NOBODY || !is_sum_of_all(self.graph, maker)
    }

    /// Whether members read a value through a window: elements of other tiles.
    fn is_seen_through(&self, value: u32, members: &[u32]) -> bool {
        let (graph, (links, windows)) = (self.graph, self.links);
        let mut args = members.iter().flat_map(|&node| &graph.nodes[node as usize].args);
        args.any(|&a| a != value && windows.seen(graph, links, a) == value)
    }

    /// The unit that makes a value.
    fn unit(&self, value: u32) -> Option<usize> {
        let maker = self.links.0.maker[value as usize];
        (maker != NOBODY).then(|| self.unit_of[maker as usize])
    }

    /// How many of the values of both are alive at a time, or how many there are if these are few.
    fn alive(&self, a: &[u32], b: &[u32]) -> usize {
        if a.len() + b.len() <= MOST_ALIVE {
            return a.len() + b.len();
        }
        let mut members: SmallVec<[u32; LONGEST_MERGED]> = a.iter().chain(b).copied().collect();
        members.sort_unstable();
        let mut last_read: SmallVec<[usize; LONGEST_MERGED]> = (0..members.len()).collect();
        for (k, &member) in members.iter().enumerate() {
            for &arg in &self.graph.nodes[member as usize].args {
                if let Ok(made) = members.binary_search(&self.links.0.maker[arg as usize]) {
                    last_read[made] = k;
                }
            }
        }
        // How many end at each place.
        let mut ends: SmallVec<[usize; LONGEST_MERGED]> = smallvec![0; members.len()];
        last_read.iter().for_each(|&last| ends[last] += 1);
        let (mut alive, mut most) = (0, 0);
        for ended in ends {
            alive += 1;
            most = most.max(alive);
            alive -= ended;
        }
        most
    }
}

/// What members, in ascending order, read from outside, also through windows.
fn outside<'a, T: Float>(
    graph: &'a Graph<T>,
    (links, windows): (&'a Links, &'a Windows),
    members: &'a [u32],
) -> impl Iterator<Item = u32> + 'a {
    let args = members.iter().flat_map(|&m| graph.nodes[m as usize].args.iter());
    let args = args.map(move |&a| windows.seen(graph, links, a));
    args.filter(|&a| members.binary_search(&links.maker[a as usize]).is_err())
}
