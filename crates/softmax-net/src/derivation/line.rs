//! A line of the derivation: what it is called, what it says, and how its three accounts are computed.

use super::{Derivation, LINES, Tolerance};
use crate::sizes::Sizes;
use std::ops::Range;

/// A line of the derivation: the one place for what it is called, what it says and how it is checked. Terminal, report and page
/// read it from here, so that they cannot disagree.
#[derive(Clone, Copy)]
pub struct Line {
    /// Its name in the post, or in what goes beyond it.
    pub name: &'static str,
    /// What it says.
    pub statement: &'static str,
    /// What it says as the content of a `<math>` element. Probabilities, labels, losses and scores have the classes
    /// `P`, `Y`, `L` and `S`.
    pub mathml: &'static str,
    /// What it says in words that can be read out.
    pub spoken: &'static str,
    /// How large its relative differences may be.
    pub tolerance: Tolerance,
    pub(super) shape: fn(Sizes) -> Vec<usize>,
    pub(super) closed: fn(&Derivation<'_>) -> Vec<f64>,
    pub(super) tape: Account<f64>,
    pub(super) finite: Account<Option<f64>>,
    /// What differences are relative to, from the closed form.
    pub(super) scale: fn(&Derivation<'_>, &[f64]) -> f64,
}

/// How an account of a line is computed: all of its entries at once, or any of them, where all would take long.
#[derive(Clone, Copy)]
pub(super) enum Account<V> {
    Whole(fn(&Derivation<'_>) -> Vec<V>),
    Part(fn(&Derivation<'_>, Range<usize>) -> Vec<V>),
}

impl<V: Copy> Account<V> {
    pub(super) fn entries(&self, of: &Derivation<'_>, part: Range<usize>) -> Vec<V> {
        match self {
            Self::Whole(all) => all(of)[part].to_vec(),
            Self::Part(some) => some(of, part),
        }
    }
}

impl Line {
    /// The line of this name.
    ///
    /// ```
    /// use softmax_net::derivation::Line;
    /// assert_eq!(Line::named("Eq. 1.3").map(|line| line.statement), Some("dL/dS = O2 − Y"));
    /// assert!(Line::named("Eq. 7").is_none());
    /// ```
    pub fn named(name: &str) -> Option<&'static Self> {
        LINES.iter().find(|line| line.name == name)
    }

    /// The shape of its derivative, for a network and examples of these sizes.
    pub fn shape(&self, sizes: Sizes) -> Vec<usize> {
        (self.shape)(sizes)
    }

    /// Whether all its entries at once take long, since its finite differences are differences of differences.
    pub fn is_second_order(&self) -> bool {
        matches!(self.finite, Account::Part(_))
    }
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.name, self.statement)
    }
}
