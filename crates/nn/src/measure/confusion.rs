//! Which class is taken for which, and what is counted of that.

use super::rows::{Weighted, Weights, same_length};
use std::fmt;

/// How often each class was taken for each: `counts[truth][prediction]`, of weights where there are some.
///
/// ```
/// use nn::measure::{Average, Confusion};
/// let (predicted, truth) = ([0, 2, 1, 0, 0, 1], [0, 1, 2, 0, 1, 2]);
/// let confusion = Confusion::of(3, &predicted, &truth);
/// assert_eq!(confusion.counts, [[2.0, 0.0, 0.0], [1.0, 0.0, 1.0], [0.0, 2.0, 0.0]]);
/// assert_eq!(confusion.recall(), [1.0, 0.0, 0.0]);
/// assert_eq!(confusion.average(&confusion.f1(), Average::Macro), 0.8 / 3.0);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Confusion {
    /// A row for each true class, in it a number for each predicted one.
    pub counts: Vec<Vec<f64>>,
}

/// How numbers of classes become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Average {
    /// Their mean, over the classes that are true or predicted anywhere.
    Macro,
    /// Their mean, weighted by how often each class is true.
    Weighted,
}

impl Confusion {
    /// Of predicted and true classes, which are counted from 0 to `classes`; [`classes`](crate::classes) makes them of scores.
    ///
    /// # Panics
    /// Where there are not as many predictions as true classes, or one is out of range.
    #[track_caller]
    pub fn of(classes: usize, predicted: &[usize], truth: &[usize]) -> Self {
        Self::count("Confusion::of", Weights::NONE, classes, predicted, truth)
    }

    /// As [`Confusion::of`], with a weight of each row.
    ///
    /// # Panics
    /// As [`Confusion::of`], and where the weights are no weights, or not as many.
    #[track_caller]
    pub fn weighted(weights: Weighted<'_>, classes: usize, predicted: &[usize], truth: &[usize]) -> Self {
        let weights = Weights::given("Confusion::weighted", weights, truth.len());
        Self::count("Confusion::weighted", weights, classes, predicted, truth)
    }

    #[track_caller]
    fn count(function: &str, weights: Weights<'_>, classes: usize, predicted: &[usize], truth: &[usize]) -> Self {
        same_length(function, [("predictions", predicted.len()), ("true classes", truth.len())]);
        for (what, list) in [("prediction", predicted), ("true class", truth)] {
            if let Some((row, class)) = list.iter().enumerate().find(|&(_, &class)| class >= classes) {
                panic!("{function}: the {what} {class} of row {row} is out of range for {classes} classes");
            }
        }
        let mut counts = vec![vec![0.0; classes]; classes];
        for (row, (&guess, &class)) in predicted.iter().zip(truth).enumerate() {
            counts[class][guess] += weights.of(row);
        }
        Self { counts }
    }

    /// How often each class is true.
    pub fn support(&self) -> Vec<f64> {
        self.counts.iter().map(|row| row.iter().sum()).collect()
    }

    /// How often each class is predicted.
    pub fn predicted(&self) -> Vec<f64> {
        (0..self.counts.len()).map(|class| self.counts.iter().map(|row| row[class]).sum()).collect()
    }

    /// The share of rows that are right; NaN without rows. It is also what averages of precision, recall and F1 are called `micro`.
    pub fn accuracy(&self) -> f64 {
        self.right().sum::<f64>() / self.support().iter().sum::<f64>()
    }

    /// Of the rows that each class is predicted for, the share that is right; 0 for a class that is never predicted.
    pub fn precision(&self) -> Vec<f64> {
        self.right().zip(self.predicted()).map(|(right, all)| share(right, all)).collect()
    }

    /// Of the rows that each class is true for, the share that is found; 0 for a class that is never true.
    pub fn recall(&self) -> Vec<f64> {
        self.right().zip(self.support()).map(|(right, all)| share(right, all)).collect()
    }

    /// The harmonic mean of precision and recall of each class; 0 for a class that is neither predicted nor true.
    pub fn f1(&self) -> Vec<f64> {
        self.f_beta(1.0)
    }

    /// As [`Confusion::f1`], with recall counted `beta` times as much as precision (van Rijsbergen, 1979).
    ///
    /// # Panics
    /// Where beta is not a number of 0 or more.
    #[track_caller]
    pub fn f_beta(&self, beta: f64) -> Vec<f64> {
        assert!(beta >= 0.0 && beta.is_finite(), "f_beta: a finite beta of 0 or more is needed, not {beta}");
        let square = beta * beta;
        let sizes = self.support().into_iter().zip(self.predicted());
        let both = self.right().zip(sizes);
        both.map(|(right, (truth, predicted))| share((1.0 + square) * right, square * truth + predicted)).collect()
    }

    /// The mean of the recalls of the classes that are true anywhere: an accuracy that counts each class alike.
    pub fn balanced_accuracy(&self) -> f64 {
        let support = self.support();
        let present: Vec<f64> =
            self.recall().into_iter().zip(support).filter(|(_, n)| *n > 0.0).map(|(recall, _)| recall).collect();
        present.iter().sum::<f64>() / present.len() as f64
    }

    /// One number of numbers of each class, such as those of [`Confusion::f1`]; NaN without rows. The average over all rows alike
    /// (`micro`) of precision, recall and F1 is [`Confusion::accuracy`].
    ///
    /// # Panics
    /// Where there is not one number for each class.
    #[track_caller]
    pub fn average(&self, of_classes: &[f64], average: Average) -> f64 {
        same_length("average", [("numbers", of_classes.len()), ("classes", self.counts.len())]);
        let (support, predicted) = (self.support(), self.predicted());
        let weight = |class: usize| match average {
            Average::Macro => f64::from(support[class] > 0.0 || predicted[class] > 0.0),
            Average::Weighted => support[class],
        };
        Weights::NONE.mean(of_classes.len(), |class| weight(class) * of_classes[class])
            / Weights::NONE.mean(of_classes.len(), weight)
    }

    fn right(&self) -> impl Iterator<Item = f64> {
        self.counts.iter().enumerate().map(|(class, row)| row[class])
    }
}

/// A share, 0 of nothing.
fn share(part: f64, all: f64) -> f64 {
    if all > 0.0 { part / all } else { 0.0 }
}

/// A row for each true class, a column for each predicted one, as wide as the longest number.
impl fmt::Display for Confusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<Vec<String>> = self.counts.iter().map(|row| row.iter().map(f64::to_string).collect()).collect();
        let width = shown.iter().flatten().map(String::len).max().unwrap_or(0);
        for row in &shown {
            let cells: Vec<String> = row.iter().map(|cell| format!("{cell:>width$}")).collect();
            writeln!(f, "{}", cells.join(" "))?;
        }
        Ok(())
    }
}
