//! Chains that are alike, such as the updates of many parameters by one formula: they come one after the other, to be one chain over
//! the elements of all.

use super::{Work, is_window};
use crate::float::Float;
use crate::kernels::machine::TILE;
use crate::kernels::map::LANES;
use crate::ops::table::Kind;
use crate::program::graph::{Graph, Links, NOBODY};
use crate::program::ids::{IdMap, IdSet};
use crate::program::layout::Layout;
use std::ops::Range;

/// The most chains that are compared with a later one.
const MOST_TRIED: usize = 32;
/// The most work that is looked over between a chain and the last that is alike. Without these bounds both take time that is
/// quadratic in the length of a long program.
const MOST_BETWEEN: usize = 1024;

/// Moves chains of a list of work behind the last that is alike, where nothing in between reads what they make, and returns where
/// several are now beside each other. Together they fit a tile.
pub(super) fn gather<T: Float>(graph: &Graph<T>, links: &Links, work: &mut [Work]) -> Vec<Range<usize>> {
    let small = |work: &Work| {
        let has_window = || work.members.iter().any(|&node| is_window(graph, node));
        work.is_chain && (2..=TILE[1]).contains(&graph.numel(work.one_value(graph))) && !has_window()
    };
    let mut families: Vec<Vec<usize>> = Vec::new();
    let mut of_length: IdMap<Vec<usize>> = IdMap::default();
    for k in (0..work.len()).filter(|&k| small(&work[k])) {
        let list = of_length.entry(work[k].members.len() as u32).or_default();
        let recent = list.iter().rev().take(MOST_TRIED);
        let family = recent.copied().find(|&family| {
            let first: usize = families[family][0];
            Alike { graph, links }.are(&work[first], &work[k])
        });
        if let Some(family) = family {
            families[family].push(k);
        } else {
            list.push(families.len());
            families.push(vec![k]);
        }
    }
    // Each moves to the place of the last of its family; those that cannot stay.
    let mut key: Vec<(usize, usize)> = (0..work.len()).map(|k| (k, k)).collect();
    let mut together: Vec<usize> = vec![usize::MAX; work.len()];
    for family in families.iter().filter(|family| family.len() > 1) {
        let last = *family.last().expect("a family has members");
        let mut left = TILE[1].saturating_sub(padded(graph, &work[last]));
        // What is between a chain and the last one, from the last one back.
        let mut read: IdSet = work[last].reads.iter().copied().collect();
        let mut members = family.iter().rev().skip(1).copied().peekable();
        for k in (0..last).rev().take(MOST_BETWEEN) {
            let Some(&next) = members.peek() else { break };
            let len = padded(graph, &work[k]);
            if k == next {
                members.next();
                let free = work[k].results.iter().all(|result| !read.contains(result));
                if free && len <= left {
                    left -= len;
                    (key[k].0, together[k], together[last]) = (last, last, last);
                }
            }
            read.extend(work[k].reads.iter().copied());
        }
    }
    key.sort_unstable();
    let mut sorted: Vec<Work> = key.iter().map(|&(_, k)| std::mem::take(&mut work[k])).collect();
    work.swap_with_slice(&mut sorted);
    let family: Vec<usize> = key.iter().map(|&(_, k)| together[k]).collect();
    let mut ranges = Vec::new();
    let mut start = 0;
    for same in family.chunk_by(|a, b| a == b) {
        if same[0] != usize::MAX && same.len() > 1 {
            ranges.push(start..start + same.len());
        }
        start += same.len();
    }
    ranges
}

/// The elements that a chain takes in a tile, at most.
fn padded<T: Float>(graph: &Graph<T>, work: &Work) -> usize {
    graph.numel(work.one_value(graph)).next_multiple_of(LANES)
}

struct Alike<'g, T: Float> {
    graph: &'g Graph<T>,
    links: &'g Links,
}

impl<T: Float> Alike<'_, T> {
    /// Whether two chains do the same with other values of their own shape, and with the same numbers.
    fn are(&self, a: &Work, b: &Work) -> bool {
        let Self { graph, links } = self;
        if a.members.len() != b.members.len() || a.results.len() != b.results.len() {
            return false;
        }
        // The member of a chain that makes a value.
        let inside = |work: &Work, value: u32| {
            let maker = links.maker[value as usize];
            if maker == NOBODY { None } else { work.members.binary_search(&maker).ok() }
        };
        let full = |work: &Work, value: u32| {
            let shape = graph.shape(work.one_value(graph));
            Layout::of(graph.shape(value), shape) == Some(Layout::Full)
        };
        let mut known: IdMap<u32> = IdMap::default();
        let mut stands_for: IdMap<u32> = IdMap::default();
        let mut corresponds = |x: u32, y: u32| match (inside(a, x), inside(b, y)) {
            (Some(x), Some(y)) => x == y,
            (None, None) if graph.numel(x) == 1 => x == y,
            (None, None) => {
                full(a, x) && full(b, y) && *known.entry(x).or_insert(y) == y && *stands_for.entry(y).or_insert(x) == x
            }
            (Some(_), None) | (None, Some(_)) => false,
        };
        let nodes = a.members.iter().zip(&b.members);
        let mut pairs = nodes.map(|(&x, &y)| (&graph.nodes[x as usize], &graph.nodes[y as usize]));
        let same = pairs.all(|(x, y)| {
            let (Some(kind), Some(other)) = (x.kind(), y.kind()) else { return false };
            // Sums are of all elements.
            let same = matches!((kind, other), (Kind::AddAt(_), Kind::AddAt(_))) || kind.same(other);
            same && x.args.iter().zip(&y.args).all(|(&x, &y)| corresponds(x, y))
        });
        same && a.results.iter().zip(&b.results).all(|(&x, &y)| inside(a, x) == inside(b, y))
    }
}
