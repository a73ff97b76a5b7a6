//! Loops that are recorded step by step.

use super::whole::{Done, Whole};
use crate::float::Float;
use crate::ops::concat::stack;
use crate::scan::body::Body;
use crate::tape::Tape;
use crate::tape::var::Var;

impl<T: Float> Tape<T> {
    /// Whether from now on loops are recorded written out: each step with nodes of its own, made of the operations of its body, in place of
    /// one node for the loop. That is for who reads the tape and knows no loops, such as an export, and to find the operation and the step that
    /// gave a NaN, or the kink that a derivative went through; values and derivatives are the same.
    ///
    /// ```
    /// use autograd::{Scan, Tape};
    /// let tape = Tape::new();
    /// tape.write_out_loops(true);
    /// let (power, ()) = Scan::steps(3).run(&tape, &tape.scalar(2.0), &(), |x, (), _| (x * x, ()));
    /// assert_eq!(power.item(), 256.0);
    /// assert!(tape.recorded().all(|node| node.op != "scan"));
    /// ```
    pub fn write_out_loops(&self, on: bool) {
        self.written_out.set(on);
    }
}

impl<'t, T: Float> Whole<'t, T> {
    /// The steps, one after the other.
    pub(super) fn written_out(&self, body: &Body<T>, first: &[Var<'t, T>], steps: usize) -> Done<'t, T> {
        let (mut carries, mut left) = (first.to_vec(), Vec::with_capacity(steps));
        for step in 0..steps {
            let at = if self.scan.reverse { steps - 1 - step } else { step };
            let slices = self.sources.iter().map(|(of, _)| of.part(0, at));
            let ports: Vec<Var<'t, T>> =
                carries.iter().copied().chain(slices).chain(self.constants.iter().copied()).collect();
            let values = body.replay(self.tape, &ports);
            let of = |numbers: &[u32]| numbers.iter().map(|&k| values[k as usize]).collect::<Vec<_>>();
            carries = of(&body.results.next);
            left.push(of(&body.results.stacked));
        }
        if self.scan.reverse {
            left.reverse();
        }
        let stacked = body.results.stacked.iter().enumerate().map(|(k, &value)| {
            let all: Vec<Var<'t, T>> = left.iter().map(|step| step[k]).collect();
            if all.is_empty() {
                let shape = body.shape(value);
                return self.tape.full([&[0], &shape[..]].concat(), T::ZERO);
            }
            stack(&all, 0)
        });
        (carries, stacked.collect())
    }
}
