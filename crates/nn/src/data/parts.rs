//! Which rows to train with, and which to hold out.

use crate::error::{Error, Kind};
use crate::random::{Generator, Purpose, stream};
use rand::seq::SliceRandom;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Rows in two parts, each in the order of the rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// To train with.
    pub train: Vec<usize>,
    /// To measure on.
    pub held_out: Vec<usize>,
}

/// What must be kept when rows are divided.
///
/// ```
/// use nn::data::By;
/// # fn main() -> Result<(), nn::Error> {
/// let patients = [7, 7, 8, 8, 8, 9, 9, 4];
/// let parts = By::Groups(&patients).split(0.4, 0)?;
/// assert!(parts.held_out.iter().all(|&row| parts.train.iter().all(|&other| patients[row] != patients[other])));
///
/// let days = [3.0, 1.0, 2.0, 5.0];
/// assert_eq!(By::Time(&days).split(0.5, 0)?.train, [1, 2]);
///
/// let folds = By::classes(&[0, 0, 0, 1, 1, 1]).folds(3, 0)?;
/// assert_eq!(folds.len(), 3);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub enum By<'a> {
    /// So many rows, at random.
    Rows(usize),
    /// Rows at random, the same share of each class.
    Classes {
        /// The class of each row.
        labels: &'a [usize],
        /// The names of the classes, for errors; none where they have no names.
        names: &'a [String],
        /// What becomes of a class of a single row.
        lone: Lone,
    },
    /// Rows of the same group stay together: those of one patient, one site, one device.
    Groups(&'a [usize]),
    /// The latest rows are held out; rows of the same time stay together.
    Time(&'a [f64]),
}

/// What becomes of a class of one row, which cannot be both to train with and held out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lone {
    /// It is an error.
    #[default]
    Refuse,
    /// It is trained with, and never held out.
    Train,
}

impl<'a> By<'a> {
    /// The same share of each class; a class of one row is an error.
    pub fn classes(labels: &'a [usize]) -> Self {
        Self::Classes { labels, names: &[], lone: Lone::Refuse }
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Rows(n) => *n,
            Self::Classes { labels: all, .. } | Self::Groups(all) => all.len(),
            Self::Time(times) => times.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Holds out this share of the rows, rounded; of groups and times, the share that comes next to it.
    ///
    /// # Errors
    /// Where a part would be empty, though the share is neither 0 nor 1, or a class would be missing from what is trained with.
    ///
    /// # Panics
    /// Where the share is not between 0 and 1.
    #[track_caller]
    pub fn split(&self, held_out: f64, seed: u64) -> Result<Parts, Error> {
        hold_share("split", held_out);
        self.parts(held_out, seed).map_err(|text| Error::of(Kind::Data(text)))
    }

    /// Divides the rows `k` times into what is trained with and what is held out, so that each row is held out once (of a
    /// class of a single row that [`Lone::Train`] keeps, never). By time, the rows are cut into `k + 1` pieces; each but the
    /// first is held out once, and what is before it is trained with.
    ///
    /// # Errors
    /// Where there are fewer rows, groups or times than that needs, or a class would be missing from what is trained with.
    ///
    /// # Panics
    /// Where there are fewer than 2 folds.
    #[track_caller]
    pub fn folds(&self, k: usize, seed: u64) -> Result<Vec<Parts>, Error> {
        assert!(k >= 2, "folds: 2 folds or more are needed, not {k}");
        self.fold_parts(k, seed).map_err(|text| Error::of(Kind::Data(text)))
    }

    /// As [`By::split`], with what is wrong as text.
    pub(crate) fn parts(&self, share: f64, seed: u64) -> Result<Parts, String> {
        let n = self.len();
        if share == 0.0 || share == 1.0 {
            let (all, none) = ((0..n).collect(), Vec::new());
            return Ok(if share == 0.0 {
                Parts { train: all, held_out: none }
            } else {
                Parts { train: none, held_out: all }
            });
        }
        let count = (n as f64 * share).round() as usize;
        hold_count(n, share, count)?;
        let rng = &mut stream(seed, Purpose::Split);
        let held_out = match self {
            Self::Rows(_) => shuffled((0..n).collect(), rng)[..count].to_vec(),
            Self::Classes { labels, names, lone } => {
                let classes = Classes::new(labels, names, *lone)?;
                let counts = classes.apportion(share, count)?;
                let each = classes.rows.into_iter().zip(counts);
                each.flat_map(|(rows, count)| shuffled(rows, rng).into_iter().take(count)).collect()
            }
            Self::Groups(groups) => held_out_groups(by_value(groups), count, rng)?,
            Self::Time(times) => {
                let order = in_time(times)?;
                let cut = cut_near(times, &order, n - count)?;
                order[cut..].to_vec()
            }
        };
        Ok(divided(n, held_out))
    }

    fn fold_parts(&self, k: usize, seed: u64) -> Result<Vec<Parts>, String> {
        let n = self.len();
        if n < k {
            return Err(format!("{n} rows are too few for {k} folds"));
        }
        let rng = &mut stream(seed, Purpose::Split);
        let mut folds = vec![Vec::new(); k];
        match self {
            Self::Rows(_) => deal(shuffled((0..n).collect(), rng), &mut folds),
            Self::Classes { labels, names, lone } => {
                // Dealt on from where the class before ended, so that folds have the same size too.
                let classes = Classes::new(labels, names, *lone)?;
                let single = |rows: &Vec<usize>| rows.len() > 1;
                deal(
                    classes.rows.into_iter().filter(single).flat_map(|rows| shuffled(rows, rng)).collect(),
                    &mut folds,
                );
                if folds.iter().any(Vec::is_empty) {
                    return Err(format!("too few rows of classes with several rows for {k} folds"));
                }
            }
            Self::Groups(groups) => {
                let mut groups = shuffled(by_value(groups), rng);
                if groups.len() < k {
                    return Err(format!("{} groups are too few for {k} folds", groups.len()));
                }
                groups.sort_by_key(|rows| std::cmp::Reverse(rows.len())); // stable: equal ones stay shuffled
                for rows in groups {
                    let smallest = folds.iter_mut().min_by_key(|fold| fold.len()).expect("there are folds");
                    smallest.extend(rows);
                }
            }
            Self::Time(times) => return folds_in_time(times, k),
        }
        Ok(folds.into_iter().map(|held_out| divided(n, held_out)).collect())
    }
}

#[track_caller]
pub(crate) fn hold_share(function: &str, share: f64) {
    assert!((0.0..=1.0).contains(&share), "{function}: a share between 0 and 1 is needed, not {share}");
}

/// A share that rounds to no rows, or to all, is an error, since 0 and 1 would ask for that.
fn hold_count(n: usize, share: f64, count: usize) -> Result<(), String> {
    let rows = if n == 1 { "1 row".to_owned() } else { format!("{n} rows") };
    if n < 2 {
        return Err(format!("{rows} cannot be divided"));
    }
    let part = |which: &str| format!("a share of {share} of {rows} rounds to {count}: nothing would be {which}");
    match count {
        0 => Err(part("held out (0.0 asks for that)")),
        _ if count == n => Err(part("left to train with (1.0 asks for that)")),
        _ => Ok(()),
    }
}

/// The rows by class, of which each has two or more, but for those that are kept.
struct Classes<'a> {
    rows: Vec<Vec<usize>>,
    names: &'a [String],
}

impl<'a> Classes<'a> {
    fn new(labels: &[usize], names: &'a [String], lone: Lone) -> Result<Self, String> {
        let mut rows = vec![Vec::new(); labels.iter().max().map_or(0, |last| last + 1)];
        labels.iter().enumerate().for_each(|(row, &label)| rows[label].push(row));
        let classes = Self { rows, names };
        match classes.rows.iter().position(|rows| rows.len() == 1) {
            Some(class) if lone == Lone::Refuse => Err(format!(
                "class {} has 1 row, which cannot be both to train with and held out: leave it out, or find more of it",
                classes.name(class)
            )),
            _ => Ok(classes),
        }
    }

    fn name(&self, class: usize) -> String {
        self.names.get(class).map_or_else(|| class.to_string(), |name| format!("`{}`", name.escape_debug()))
    }

    /// How many rows of each class make so many in all: the share of each, one more or less. Each class keeps a row to train
    /// with, and holds one out where there are as many to hold out.
    fn apportion(&self, share: f64, count: usize) -> Result<Vec<usize>, String> {
        let sizes: Vec<usize> = self.rows.iter().map(Vec::len).collect();
        let several = sizes.iter().filter(|&&size| size > 1).count();
        let least = usize::from(count >= several);
        let bounds: Vec<(usize, usize)> =
            sizes.iter().map(|&size| (least.min(size.saturating_sub(1)), size.saturating_sub(1))).collect();
        let most: usize = bounds.iter().map(|(_, most)| most).sum();
        if count > most {
            let (n, k) = (sizes.iter().sum::<usize>(), sizes.iter().filter(|&&size| size > 0).count());
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

fn shuffled<V>(mut values: Vec<V>, rng: &mut Generator) -> Vec<V> {
    values.shuffle(rng);
    values
}

fn deal(rows: Vec<usize>, folds: &mut [Vec<usize>]) {
    let k = folds.len();
    rows.into_iter().enumerate().for_each(|(i, row)| folds[i % k].push(row));
}

/// The rows of each group, groups in the order of their numbers.
fn by_value(groups: &[usize]) -> Vec<Vec<usize>> {
    let mut rows: Vec<usize> = (0..groups.len()).collect();
    rows.sort_by_key(|&row| groups[row]);
    rows.chunk_by(|&a, &b| groups[a] == groups[b]).map(<[usize]>::to_vec).collect()
}

/// Groups at random, each taken where it brings the rows held out nearer to their number; neither part is empty.
fn held_out_groups(groups: Vec<Vec<usize>>, count: usize, rng: &mut Generator) -> Result<Vec<usize>, String> {
    if groups.len() < 2 {
        return Err("all rows are of one group, which cannot be divided".to_owned());
    }
    let groups = shuffled(groups, rng);
    let mut held_out: Vec<usize> = Vec::new();
    for rows in &groups {
        let (without, with) = (held_out.len(), held_out.len() + rows.len());
        if with.abs_diff(count) < without.abs_diff(count) {
            held_out.extend(rows);
        }
    }
    if held_out.is_empty() {
        // Each group is more than twice the share.
        held_out.extend(groups.iter().min_by_key(|rows| rows.len()).into_iter().flatten());
    }
    if held_out.len() == groups.iter().map(Vec::len).sum::<usize>() {
        return Err(format!("{} groups cannot be divided by that share: hold out less", groups.len()));
    }
    Ok(held_out)
}

/// The rows in the order of time, of one time in the order of rows.
fn in_time(times: &[f64]) -> Result<Vec<usize>, String> {
    if let Some(row) = times.iter().position(|time| time.is_nan()) {
        return Err(format!("expected a time for each row, found none for row {row} (counted from 0)"));
    }
    let mut order: Vec<usize> = (0..times.len()).collect();
    order.sort_by(|&a, &b| times[a].total_cmp(&times[b]));
    Ok(order)
}

/// The place in the order next to a wished one where the time changes.
fn cut_near(times: &[f64], order: &[usize], wish: usize) -> Result<usize, String> {
    let changes = |&cut: &usize| times[order[cut - 1]] != times[order[cut]];
    let cuts = (1..order.len()).filter(changes);
    cuts.min_by_key(|cut| cut.abs_diff(wish))
        .ok_or_else(|| "all rows are of one time, which cannot be divided".to_owned())
}

fn folds_in_time(times: &[f64], k: usize) -> Result<Vec<Parts>, String> {
    let (n, order) = (times.len(), in_time(times)?);
    if n < k + 1 {
        return Err(format!("{n} rows are too few for {k} folds in time, each trained with what is before it"));
    }
    let wishes = (1..=k).map(|i| n * i / (k + 1));
    let mut cuts = wishes.map(|wish| cut_near(times, &order, wish)).collect::<Result<Vec<_>, _>>()?;
    cuts.push(n);
    if cuts.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Err(format!("there are too few different times for {k} folds"));
    }
    let sorted = |rows: &[usize]| {
        let mut rows = rows.to_vec();
        rows.sort_unstable();
        rows
    };
    let part = |pair: &[usize]| Parts { train: sorted(&order[..pair[0]]), held_out: sorted(&order[pair[0]..pair[1]]) };
    Ok(cuts.windows(2).map(part).collect())
}

/// These rows held out of `n`.
fn divided(n: usize, mut held_out: Vec<usize>) -> Parts {
    held_out.sort_unstable();
    let mut next = held_out.iter().copied().peekable();
    let train = (0..n).filter(|&row| next.next_if_eq(&row).is_none()).collect();
    Parts { train, held_out }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn count(labels: &[usize], rows: &[usize], class: usize) -> usize {
        rows.iter().filter(|&&row| labels[row] == class).count()
    }

    fn hold_partition(n: usize, parts: &Parts) -> Result<(), TestCaseError> {
        let mut all = [&parts.train[..], &parts.held_out].concat();
        all.sort_unstable();
        prop_assert_eq!(all, (0..n).collect::<Vec<_>>());
        Ok(())
    }

    proptest! {
        #[test]
        fn classes_are_divided_by_their_share_and_kept_to_train_with(
            labels in prop::collection::vec(0_usize..5, 2..60),
            share in 0.01..0.99_f64,
            seed: u64,
        ) {
            let n = labels.len();
            let by = By::Classes { labels: &labels, names: &[], lone: Lone::Train };
            let Ok(parts) = by.split(share, seed) else { return Ok(()) };
            hold_partition(n, &parts)?;
            prop_assert_eq!(parts.held_out.len(), (n as f64 * share).round() as usize);
            let sizes: Vec<usize> = (0..5).map(|class| labels.iter().filter(|&&label| label == class).count()).collect();
            for (class, &size) in sizes.iter().enumerate() {
                let held = count(&labels, &parts.held_out, class);
                prop_assert!(size == 0 || held < size, "class {} is not trained with", class);
                if sizes.iter().all(|size| *size as f64 * share.min(1.0 - share) >= 1.0) {
                    prop_assert!((held as f64 - size as f64 * share).abs() < 1.0);
                }
            }
        }

        #[test]
        fn each_row_is_held_out_by_one_fold(labels in prop::collection::vec(0_usize..4, 2..60), k in 2_usize..6, seed: u64) {
            let n = labels.len();
            for by in [By::Rows(n), By::classes(&labels), By::Groups(&labels)] {
                let Ok(folds) = by.folds(k, seed) else { continue };
                prop_assert_eq!(folds.len(), k);
                for parts in &folds {
                    hold_partition(n, parts)?;
                    prop_assert!(!parts.held_out.is_empty() && !parts.train.is_empty());
                    match by {
                        By::Groups(_) => {
                            let divided = |g| count(&labels, &parts.train, g) * count(&labels, &parts.held_out, g) > 0;
                            prop_assert!(!(0..4).any(divided));
                        }
                        By::Classes { .. } => {
                            let fair = |class| {
                                let held = count(&labels, &parts.held_out, class);
                                let size = count(&labels, &(0..n).collect::<Vec<_>>(), class);
                                held.abs_diff(size / k) <= 1 && (size == 0 || held < size)
                            };
                            prop_assert!((0..4).all(fair));
                        }
                        By::Rows(_) | By::Time(_) => prop_assert!(parts.held_out.len().abs_diff(n / k) <= 1),
                    }
                }
                let mut held: Vec<usize> = folds.into_iter().flat_map(|parts| parts.held_out).collect();
                held.sort_unstable();
                prop_assert_eq!(held, (0..n).collect::<Vec<_>>());
            }
        }

        #[test]
        fn groups_and_times_stay_together(values in prop::collection::vec(0_usize..6, 2..60), share in 0.05..0.95_f64, seed: u64) {
            if let Ok(parts) = By::Groups(&values).split(share, seed) {
                hold_partition(values.len(), &parts)?;
                prop_assert!(!parts.train.is_empty() && !parts.held_out.is_empty());
                prop_assert!((0..6).all(|g| count(&values, &parts.train, g) == 0 || count(&values, &parts.held_out, g) == 0));
            }
            let times: Vec<f64> = values.iter().map(|&value| value as f64).collect();
            if let Ok(parts) = By::Time(&times).split(share, seed) {
                hold_partition(values.len(), &parts)?;
                let last = parts.train.iter().map(|&row| values[row]).max();
                prop_assert!(last < parts.held_out.iter().map(|&row| values[row]).min());
            }
        }
    }

    #[test]
    fn what_cannot_be_divided_says_why() {
        let split = |by: By, share: f64| by.split(share, 0).unwrap_err().to_string();
        assert!(split(By::Rows(20), 0.02).contains("0.02 of 20 rows rounds to 0: nothing would be held out"));
        assert!(split(By::Rows(20), 0.98).contains("nothing would be left to train with"));
        assert!(split(By::Rows(0), 0.5).contains("0 rows cannot be divided"));
        assert!(split(By::classes(&[0, 0, 1]), 0.4).contains("class 1 has 1 row"));
        assert!(
            split(By::classes(&[0, 0, 1, 1]), 0.7).contains("1 of 4 rows are left to train with, fewer than the 2")
        );
        assert!(split(By::Groups(&[3, 3]), 0.5).contains("one group"));
        assert!(split(By::Time(&[3.0, 3.0]), 0.5).contains("one time"));
        assert!(split(By::Time(&[3.0, f64::NAN]), 0.5).contains("found none for row 1"));
        let folds = |by: By| by.folds(3, 0).unwrap_err().to_string();
        assert!(folds(By::Rows(2)).contains("2 rows are too few for 3 folds"));
        assert!(folds(By::Groups(&[1, 1, 2])).contains("2 groups are too few"));
        assert!(folds(By::Time(&[1.0, 1.0, 1.0, 2.0])).contains("too few different times"));
        assert!(folds(By::Time(&[1.0, 2.0, 3.0])).contains("3 rows are too few for 3 folds in time"));
    }

    #[test]
    fn folds_in_time_train_with_what_is_before() {
        let times: Vec<f64> = (0..8).rev().map(f64::from).collect();
        let folds = By::Time(&times).folds(3, 0).unwrap();
        assert_eq!(folds[0], Parts { train: vec![6, 7], held_out: vec![4, 5] });
        assert_eq!(folds[2], Parts { train: vec![2, 3, 4, 5, 6, 7], held_out: vec![0, 1] });
    }
}
