//! What steps leave that no later step needs: it is computed after the loop, for all steps at once, of what the loop leaves instead.

use super::at_once::Given;
use super::{Body, Node, Results};
use crate::float::Float;
use crate::tape::Tape;
use crate::tape::var::Var;

/// What is computed after a loop.
pub(crate) struct Later {
    /// What comes out of a step instead.
    pub(crate) left: Results,
    /// The nodes that are computed after the loop.
    nodes: Vec<u32>,
}

impl<T: Float> Body<T> {
    /// Element-wise work of a few elements that may be done after the loop, if there is any: no later step needs it.
    pub(crate) fn later(&self) -> Option<Later> {
        let (ports, carries) = (self.ports.count(), self.ports.carries.len());
        let results = &self.results;
        let feeds = self.needed(results.next.iter().chain(&results.sums).copied(), |_| true);
        let can_wait = |value: u32| {
            let node = (value as usize).checked_sub(ports).map(|k| &self.nodes[k]);
            node.is_some_and(Node::is_for_all) && !feeds[value as usize]
        };
        let waits = self.needed(results.stacked.iter().copied(), can_wait);
        let nodes: Vec<u32> = (0..waits.len() as u32).filter(|&value| waits[value as usize]).collect();
        let mut stacked: Vec<u32> = results.stacked.iter().copied().filter(|&value| !waits[value as usize]).collect();
        for &a in nodes.iter().flat_map(|&value| &*self.nodes[value as usize - ports].args) {
            let is_made_in_steps = (a as usize) < carries || a as usize >= ports;
            if is_made_in_steps && !waits[a as usize] && !stacked.contains(&a) {
                stacked.push(a);
            }
        }
        (!nodes.is_empty()).then(|| Later { left: Results { stacked, ..results.clone() }, nodes })
    }

    /// What the steps were to leave, from what they left: their numbers stand along the first axis of all.
    pub(crate) fn after_the_loop<'t>(
        &self,
        later: &Later,
        of: (&'t Tape<T>, usize),
        left: &[Var<'t, T>],
        given: Given<'_, 't, T>,
    ) -> Vec<Var<'t, T>> {
        let mut values = later.left.stacked.iter().copied().zip(left.iter().copied()).collect();
        self.at_once(&mut values, &later.nodes, of, given);
        self.results.stacked.iter().map(|value| values[value]).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::scan::body::tests::bodies;
    use crate::{Tape, Tensor, grad};

    #[test]
    fn steps_do_not_compute_what_no_later_step_needs() {
        let (rows, factor) = (Tensor::from_fn([5, 2], |i| 0.5 + i as f64), Tensor::from([0.3, 0.7]));
        for reverse in [false, true] {
            let tape = Tape::new();
            let (rows, factor) = (tape.var(&rows), tape.var(&factor));
            let start = tape.scalar(1.0);
            let scan = crate::Scan { reverse, ..crate::Scan::default() };
            let (last, left) = scan.run(&tape, &start, &rows, |sum, row, _| {
                let sum = sum * 0.5 + row.sum();
                (sum, (sum.log() * row / factor, row.exp()))
            });
            let body = bodies(&tape).pop().expect("there is a loop");
            assert!(!body.contains("exp") && !body.contains("log") && !body.contains("div"), "{body}");

            let (mut sum, mut by_hand) = (start, Vec::new());
            let order: Vec<usize> = if reverse { (0..5).rev().collect() } else { (0..5).collect() };
            for &t in &order {
                let row = rows.index_axis(0, t as isize);
                sum = sum * 0.5 + row.sum();
                by_hand.push((t, sum.log() * row / factor, row.exp()));
            }
            by_hand.sort_by_key(|row| row.0);
            let of = |k: usize| {
                let rows: Vec<_> = by_hand.iter().map(|row| if k == 0 { row.1 } else { row.2 }).collect();
                crate::stack(&rows, 0)
            };
            assert_eq!(last.value(), sum.value());
            assert_eq!(left.0.value(), of(0).value());
            assert_eq!(left.1.value(), of(1).value());
            let inputs = [rows, factor, start];
            let found = grad((left.0 * left.1).sum() + last, &inputs);
            let expected = grad((of(0) * of(1)).sum() + sum, &inputs);
            for (found, expected) in found.iter().zip(&expected) {
                for (a, b) in found.value().as_slice().iter().zip(expected.value().as_slice()) {
                    assert!((a - b).abs() <= 1e-12 * b.abs(), "{a} {b}");
                }
            }
        }
    }
}
