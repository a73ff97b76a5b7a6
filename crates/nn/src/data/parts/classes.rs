//! The same share of each class.

use super::Lone;
use super::together::by_value;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// The rows by class, of which each has two or more, but for those that are kept.
pub(super) struct Classes<'a> {
    pub(super) rows: Vec<Vec<usize>>,
    names: &'a [String],
}

impl<'a> Classes<'a> {
    pub(super) fn new(labels: &[usize], names: &'a [String], lone: Lone) -> Result<Self, String> {
        let classes = Self { rows: by_value(labels), names };
        match classes.rows.iter().find(|rows| rows.len() == 1) {
            Some(rows) if lone == Lone::Refuse => Err(format!(
                "class {} has 1 row, which cannot be both to train with and held out: leave it out, or find more of it",
                classes.name(labels[rows[0]])
            )),
            _ => Ok(classes),
        }
    }

    fn name(&self, class: usize) -> String {
        self.names.get(class).map_or_else(|| class.to_string(), |name| format!("`{}`", name.escape_debug()))
    }

    /// How many rows of each class make so many in all: the share of each, one more or less. Each class keeps a row to train
    /// with, and holds one out where there are as many to hold out.
    pub(super) fn apportion(&self, share: f64, count: usize) -> Result<Vec<usize>, String> {
        let sizes: Vec<usize> = self.rows.iter().map(Vec::len).collect();
        let several = sizes.iter().filter(|&&size| size > 1).count();
        let least = usize::from(count >= several);
        let bounds: Vec<(usize, usize)> =
            sizes.iter().map(|&size| (least.min(size.saturating_sub(1)), size.saturating_sub(1))).collect();
        let most: usize = bounds.iter().map(|(_, most)| most).sum();
        if count > most {
            let (n, k) = (sizes.iter().sum::<usize>(), sizes.len());
            let left = n - count;
            return Err(format!(
                "{left} of {n} rows are left to train with, fewer than the {k} classes: hold out less"
            ));
        }
        let quota: Vec<f64> = sizes.iter().map(|&size| size as f64 * share).collect();
        let mut counts: Vec<usize> =
            quota.iter().zip(&bounds).map(|(quota, (low, high))| (quota.floor() as usize).clamp(*low, *high)).collect();
        let sum: usize = counts.iter().sum();
        let up = sum < count;
        // What is furthest from its share moves first, the first of equal ones.
        let room = |class: usize, counts: &[usize]| {
            let (low, high) = bounds[class];
            let lack = quota[class] - counts[class] as f64;
            let free = if up { counts[class] < high } else { counts[class] > low };
            free.then_some(Lack { lack: if up { lack } else { -lack }, class })
        };
        let mut heap: BinaryHeap<Lack> = (0..sizes.len()).filter_map(|class| room(class, &counts)).collect();
        for _ in 0..sum.abs_diff(count) {
            let Some(Lack { class, .. }) = heap.pop() else { break };
            counts[class] = if up { counts[class] + 1 } else { counts[class] - 1 };
            heap.extend(room(class, &counts));
        }
        Ok(counts)
    }
}

/// How far a class is from its share.
struct Lack {
    lack: f64,
    class: usize,
}

impl Ord for Lack {
    fn cmp(&self, other: &Self) -> Ordering {
        self.lack.total_cmp(&other.lack).then(other.class.cmp(&self.class))
    }
}

impl PartialOrd for Lack {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Lack {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Lack {}
