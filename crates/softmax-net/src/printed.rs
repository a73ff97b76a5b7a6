//! The numbers that the assignment prints, beside those computed here.

use crate::error::Error;
use crate::published::Published;
use crate::sizes::Convention;
use autograd::{Tape, Tensor};
use std::fmt;

/// The decimals to which the assignment prints its scores and its loss.
const DECIMALS: [usize; 2] = [8, 11];
/// The factor of the penalty `Σ W1² + Σ W2²` in the printed loss.
const STRENGTH: f64 = 0.05;

/// The scores and the loss as the assignment prints them, and as they are computed here.
#[derive(Clone, Debug)]
pub struct Printed {
    /// The scores as printed, to 8 decimals, and ours.
    pub scores: [Tensor; 2],
    /// The loss as printed, to 11 decimals, and ours.
    pub loss: [f64; 2],
}

impl Printed {
    /// Computes scores and loss at the published parameters on a tape.
    ///
    /// ```
    /// use softmax_net::{printed::Printed, published::Published};
    /// let printed = Printed::compute(&Published::embedded())?;
    /// assert!(printed.agrees());
    /// assert!(printed.to_string().contains("1.30378789133"));
    /// # Ok::<(), softmax_net::Error>(())
    /// ```
    ///
    /// # Errors
    /// Where the shapes of the data do not fit each other, or a label is out of range.
    pub fn compute(data: &Published) -> Result<Self, Error> {
        let (loss, _) = data.net.loss_and_gradient(&mut Tape::new(), &data.x, &data.labels, STRENGTH)?;
        let tape = Tape::new();
        let forward = tape.vars(&data.net).try_forward(tape.var(&data.x), &data.labels, Convention::Mean)?;
        Ok(Self { scores: [data.printed_scores.clone(), forward.s.value()], loss: [data.printed_loss, loss] })
    }

    /// Whether ours are the printed ones to every printed digit.
    pub fn agrees(&self) -> bool {
        let [printed, ours] = &self.scores;
        let pairs = printed.as_slice().iter().zip(ours.as_slice());
        let [scores, loss] = DECIMALS;
        printed.shape() == ours.shape()
            && pairs.into_iter().all(|(printed, ours)| rounded(*printed, scores) == rounded(*ours, scores))
            && rounded(self.loss[0], loss) == rounded(self.loss[1], loss)
    }
}

fn rounded(x: f64, decimals: usize) -> String {
    format!("{x:.decimals$}")
}

/// A row of scores for each example, printed ones on the left; then the losses.
impl fmt::Display for Printed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [printed, ours] = &self.scores;
        let classes = printed.shape().last().copied().unwrap_or(1).max(1);
        let row = |scores: &[f64]| {
            let scores = scores.iter().map(|&score| format!("{:>12}", rounded(score, DECIMALS[0])));
            scores.collect::<String>()
        };
        let rows = |scores: &Tensor| scores.as_slice().chunks_exact(classes).map(row).collect::<Vec<_>>();
        let width = 12 * classes;
        writeln!(f, "{:<9}{:>width$}   {:>width$}", "", "as published", "here")?;
        for (i, (printed, ours)) in rows(printed).iter().zip(rows(ours)).enumerate() {
            writeln!(f, "{:<9}{printed}   {ours}", format!("scores {i}"))?;
        }
        let [printed, ours] = self.loss.map(|loss| rounded(loss, DECIMALS[1]));
        writeln!(f, "{:<9}{printed:>width$}   {ours:>width$}", "loss")?;
        write!(f, "{}", if self.agrees() { "the same to every published digit" } else { "NOT the same" })
    }
}
