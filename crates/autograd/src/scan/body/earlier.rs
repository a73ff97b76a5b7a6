//! What steps compute of their slices alone: it is computed before the loop, for all steps at once, and the loop has slices of it instead.

use super::Body;
use super::at_once::Given;
use crate::float::Float;
use crate::tape::Tape;
use crate::tape::var::Var;
use crate::tensor::shape::Shape;
use std::collections::{BTreeMap, BTreeSet};

/// The most values that a loop gets slices of instead: each is looked up in each step, and has memory for all steps.
const MOST: usize = 64;

/// A body without what is computed before the loop, or after it, and what it is given.
pub(crate) struct Shortened<'t, T: Float> {
    pub(crate) body: Body<T>,
    pub(crate) sources: Vec<(Var<'t, T>, usize)>,
    pub(crate) constants: Vec<Var<'t, T>>,
}

impl<'t, T: Float> Shortened<'t, T> {
    /// A body, and which of the slices and constants that there were it still has.
    pub(crate) fn new(
        (body, slices, kept): (Body<T>, Vec<usize>, Vec<usize>),
        (sources, constants): Given<'_, 't, T>,
    ) -> Self {
        let sources = slices.iter().map(|&k| sources[k]).collect();
        Self { body, sources, constants: kept.iter().map(|&k| constants[k]).collect() }
    }
}

impl<T: Float> Body<T> {
    /// Records the element-wise work of a few elements to which no carry leads, if there is any, and tells what is left of the body.
    pub(crate) fn before_the_loop<'t>(
        &self,
        of: (&'t Tape<T>, usize),
        (sources, constants): Given<'_, 't, T>,
    ) -> Option<Shortened<'t, T>> {
        let (ports, carries) = (self.ports.count(), self.ports.carries.len());
        let first_constant = carries + sources.len();
        // Slices and constants are given, and so is what is made of them here.
        let mut is_given: Vec<bool> = (0..ports).map(|port| port >= carries).collect();
        // Memory grows as that of what the loop is given, whatever it keeps.
        let most: usize = self.ports.slices.iter().map(Shape::numel).sum();
        for node in &self.nodes {
            let varies = |&a: &u32| !(first_constant..ports).contains(&(a as usize));
            let can = node.args.iter().all(|&a| is_given[a as usize]) && node.args.iter().any(varies);
            let can = can && node.shape.numel() <= most;
            is_given.push(can && (node.is_for_all() || node.is_part()));
        }
        let mut taken: BTreeSet<u32> = BTreeSet::new();
        let mut seen = vec![false; is_given.len()];
        let mut open: Vec<u32> = self.results.all().collect();
        while let Some(value) = open.pop() {
            let Some(node) = (value as usize).checked_sub(ports).map(|k| &self.nodes[k]) else { continue };
            if is_given[value as usize] && node.is_for_all() {
                taken.insert(value);
            } else if !std::mem::replace(&mut seen[value as usize], true) {
                open.extend_from_slice(&node.args);
            }
        }
        if !(1..=MOST).contains(&taken.len()) {
            return None;
        }
        let made = self.needed(taken.iter().copied(), |value| value as usize >= ports && is_given[value as usize]);
        let nodes: Vec<u32> = (0..made.len() as u32).filter(|&value| made[value as usize]).collect();
        let mut values = BTreeMap::new();
        self.at_once(&mut values, &nodes, of, (sources, constants));

        let mut shortened = Shortened::new(self.with_slices(&self.results, &taken), (sources, constants));
        shortened.sources.extend(taken.iter().map(|value| (values[value], 0)));
        Some(shortened)
    }
}

#[cfg(test)]
mod tests {
    use crate::scan::body::tests::bodies;
    use crate::{Keep, Scan, Tape, Tensor, grad};

    /// An average that forgets, of a number that is computed from a part of each row, as a loop or written out: its last value, what the
    /// steps left, and gradients.
    fn run(scan: Scan, written_out: bool) -> (Vec<String>, Vec<Tensor<f64>>) {
        let tape = Tape::new();
        tape.write_out_loops(written_out);
        let rows = tape.var(&Tensor::from_fn([6, 3], |i| 0.2 + 0.1 * i as f64));
        let (rate, start) = (tape.scalar(0.3), tape.var(&Tensor::from([0.5, 0.1])));
        let weights = tape.var(&Tensor::from([0.7, -0.4]));
        let (last, left) = scan.run(&tape, &start, &rows, |h, row, _| {
            let number = (row.narrow(0, 1, 2).log() * rate).exp() - row.narrow(0, 0, 1).sin() * weights;
            let next = h * weights + number * h.sum();
            (next, next.square())
        });
        let inputs = [rows, rate, start, weights];
        let gradients = grad((last * last).sum() + left.sum(), &inputs);
        let [second] = grad(gradients[1], &[rate]);
        let values = [last, left, second].iter().chain(&gradients).map(|var| var.value()).collect();
        (bodies(&tape), values)
    }

    #[test]
    fn steps_do_not_compute_what_no_carry_leads_to_and_all_bits_are_those_of_the_loop_written_out() {
        for reverse in [false, true] {
            for keep in [Keep::All, Keep::Carries, Keep::Sqrt] {
                let scan = Scan { reverse, keep, ..Scan::default() };
                let (bodies, found) = run(scan, false);
                let is_in_the_loop = bodies[0].contains("sin") || bodies[0].contains("log");
                assert!(!is_in_the_loop, "{}", bodies[0]);
                let (_, expected) = run(scan, true);
                for (k, (found, expected)) in found.iter().zip(&expected).enumerate() {
                    for (a, b) in found.as_slice().iter().zip(expected.as_slice()) {
                        assert!((a - b).abs() <= 1e-13 * b.abs(), "{k} {keep:?}: {a} {b}");
                    }
                }
                assert_eq!((&found[0], &found[1]), (&expected[0], &expected[1]), "{keep:?}");
            }
        }
    }
}
