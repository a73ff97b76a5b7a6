//! Which rows to train with, and which to hold out.

mod classes;
mod together;

use crate::data::Target;
use crate::error::{Error, Kind, counted};
use crate::random::{Generator, Purpose, stream};
use autograd::Float;
use classes::Classes;
use rand::seq::SliceRandom;
use together::{by_value, cut_near, folds_in_time, held_out_groups, in_time};

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

    /// Of examples with a target: the same share of each class, where a class of one row is trained with, or at random.
    pub(crate) fn target<T: Float>(target: &'a Target<T>) -> Self {
        match target {
            Target::Classes { labels, names } => Self::Classes { labels, names, lone: Lone::Train },
            Target::Labels { .. } | Target::Values { .. } => Self::Rows(target.len()),
        }
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
    let rows = counted(n, "row", "rows");
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

fn shuffled<V>(mut values: Vec<V>, rng: &mut Generator) -> Vec<V> {
    values.shuffle(rng);
    values
}

fn deal(rows: Vec<usize>, folds: &mut [Vec<usize>]) {
    let k = folds.len();
    rows.into_iter().enumerate().for_each(|(i, row)| folds[i % k].push(row));
}

/// These rows held out of `n`.
fn divided(n: usize, mut held_out: Vec<usize>) -> Parts {
    held_out.sort_unstable();
    let mut next = held_out.iter().copied().peekable();
    let train = (0..n).filter(|&row| next.next_if_eq(&row).is_none()).collect();
    Parts { train, held_out }
}

#[cfg(test)]
mod tests;
