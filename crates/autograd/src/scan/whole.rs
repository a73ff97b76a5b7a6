//! A loop on its way to nodes: what need not be in it is recorded before and after it, and it keeps what a sweep is to read.

use super::derivatives::residuals;
use super::{Keep, Scan};
use crate::float::Float;
use crate::ops::concat::concat;
use crate::ops::table::Kind as NodeKind;
use crate::scan::body::{Body, Recorded, Results, Shortened};
use crate::scan::op::{How, Loop, record};
use crate::tape::Tape;
use crate::tape::var::Var;
use crate::tensor::error::Reason;
use std::sync::Arc;

/// All of a loop but its body and how often that runs.
pub(super) struct Whole<'t, T: Float> {
    pub(super) tape: &'t Tape<T>,
    pub(super) sources: Vec<(Var<'t, T>, usize)>,
    pub(super) constants: Vec<Var<'t, T>>,
    pub(super) scan: Scan,
}

/// The last carries, and what the steps left.
pub(super) type Done<'t, T> = (Vec<Var<'t, T>>, Vec<Var<'t, T>>);

impl<'t, T: Float> Whole<'t, T> {
    pub(super) fn run(&self, mut body: Body<T>, first: &[Var<'t, T>], steps: usize) -> Result<Done<'t, T>, Reason> {
        let keep = self.scan.keep;
        if self.tape.written_out.get() {
            return Ok(self.written_out(&body, first, steps));
        }
        let (of, given) = ((self.tape, steps), (&self.sources[..], &self.constants[..]));
        let run = |Shortened { body, sources, constants }| Self { sources, constants, ..*self }.run(body, first, steps);
        if let Some(later) = body.later() {
            let (last, left) = run(Shortened::new(body.with_results(&later.left), given))?;
            return Ok((last, body.after_the_loop(&later, of, &left, given)));
        }
        if let Some(shortened) = body.before_the_loop(of, given) {
            return run(shortened);
        }
        let left = body.results.stacked.len();
        // The sweep reads the carries, wherever else they are.
        body.results.stacked.extend(0..first.len() as u32);
        // A step before may have found already what a sweep reads.
        let known = self.tape.nodes.expected().filter(|_| keep == Keep::All);
        let known = known.and_then(|node| if let NodeKind::Loop(scan) = &node.kind { Some(scan) } else { None });
        // One that keeps carries alone leaves too little.
        let known = known.filter(|known| known.how.at_once && body.is_part_of(&known.body));
        let known = known.map(|known| Arc::clone(&known.body));
        let body = known.unwrap_or_else(|| {
            // Rules are not asked where nobody need differentiate.
            if keep != Keep::Carries && self.tape.depth.get() == 0 {
                let residuals = residuals(&body);
                body.results.stacked.extend(residuals);
            }
            Arc::new(body)
        });
        let length = (steps as f64).sqrt().ceil() as usize;
        if keep != Keep::Sqrt || length < 2 {
            return self.part(&body, left, first, &self.sources, (steps, length.max(1)));
        }
        let (parts, rest) = (steps / length, steps % length);
        let whole = |first: &[Var<'t, T>]| self.of_parts(&body, left, first, (parts, length));
        let begin = |&(of, _): &(Var<'t, T>, usize)| (of, parts * length * slice(of));
        let remaining: Vec<(Var<'t, T>, usize)> = self.sources.iter().map(begin).collect();
        let beyond = |first: &[Var<'t, T>]| self.part(&body, left, first, &remaining, (rest, rest.max(1)));
        let (last, before, after);
        if self.scan.reverse {
            let between;
            (between, after) = beyond(first)?;
            (last, before) = whole(&between)?;
        } else {
            let between;
            (between, before) = whole(first)?;
            (last, after) = beyond(&between)?;
        }
        let joined = before.into_iter().zip(after).map(|(a, b)| if rest == 0 { a } else { concat(&[a, b], 0) });
        Ok((last, joined.collect()))
    }

    fn how(&self, steps: usize, together: usize) -> How {
        How { steps, reverse: self.scan.reverse, together, at_once: self.scan.keep == Keep::All }
    }

    /// Some of the steps.
    fn part(
        &self,
        body: &Arc<Body<T>>,
        left: usize,
        first: &[Var<'t, T>],
        sources: &[(Var<'t, T>, usize)],
        (steps, together): (usize, usize),
    ) -> Result<Done<'t, T>, Reason> {
        let offsets = sources.iter().map(|source| source.1).collect();
        let scan = Loop::new(Arc::clone(body), self.how(steps, together), offsets, None)?;
        let sliced = sources.iter().map(|source| source.0);
        let args: Vec<Var<'t, T>> = first.iter().copied().chain(sliced).chain(self.constants.iter().copied()).collect();
        let y = self.tape.record_slice(scan.clone().into(), &args);
        Ok(parts(&scan, y, left))
    }

    /// A loop over parts, each of which is a loop that keeps what it needs while it is differentiated.
    fn of_parts(
        &self,
        body: &Arc<Body<T>>,
        left: usize,
        first: &[Var<'t, T>],
        (count, length): (usize, usize),
    ) -> Result<Done<'t, T>, Reason> {
        let tape = self.tape;
        let start = tape.len() as u32;
        let carries: Vec<Var<'t, T>> = first.iter().map(|var| tape.slot(var.sizes())).collect();
        let segment = |&(of, _): &(Var<'t, T>, usize)| tape.slot(&of.sizes().with(0, length));
        let slices: Vec<Var<'t, T>> = self.sources.iter().map(segment).collect();
        let sources: Vec<(Var<'t, T>, usize)> = slices.iter().map(|&slot| (slot, 0)).collect();
        let (last, stacked) = self.part(body, left, &carries, &sources, (length, length))?;
        let indices = |vars: &[Var<'t, T>]| vars.iter().map(Var::index).collect::<Vec<u32>>();
        let (carries, slices) = (indices(&carries), indices(&slices));
        let kept = indices(&stacked).into_iter().chain(carries.iter().copied());
        let results = Results { next: indices(&last), sums: Vec::new(), stacked: kept.collect() };
        let recorded = Recorded { tape, start, depth: tape.depth.get(), carries: &carries, slices: &slices };
        let how = self.how(count, count);
        let (scan, y) = record(&recorded, &results, first, &self.sources, how, None)?;
        let (last, stacked) = parts(&scan, y, left);
        let flat = |var: Var<'t, T>| var.reshape(var.sizes().splice(0, &[]).with(0, count * length));
        Ok((last, stacked.into_iter().map(flat).collect()))
    }
}

/// The elements of a slice.
fn slice<T: Float>(of: Var<'_, T>) -> usize {
    of.sizes().splice(0, &[]).numel()
}

/// The last carries of a loop, and the first parts of what its steps left.
fn parts<'t, T: Float>(scan: &Loop<T>, y: Var<'t, T>, left: usize) -> Done<'t, T> {
    let (carries, from) = (scan.body.results.next.len(), scan.first_stacked());
    let part = |k: usize| scan.part(y, k);
    ((0..carries).map(part).collect(), (from..from + left).map(part).collect())
}

#[cfg(test)]
mod tests {
    use crate::scan::body::tests::bodies;
    use crate::{Keep, Scan, Tape, Tensor, grad};

    #[test]
    fn what_a_tape_knows_of_a_loop_that_keeps_less_is_not_taken_for_one_that_keeps_more() {
        let run = |tape: &Tape, keep| {
            let (h, c) = (tape.scalar(0.3), tape.scalar(0.77));
            let x = tape.var(&Tensor::from_fn([7], |i| 0.1 * i as f64));
            let (last, ()) = Scan { keep, ..Scan::default() }.run(tape, &h, &x, |h, x, _| {
                let t = (h * c).tanh();
                (t.exp() * t.sin() + x, ())
            });
            let first = grad(last, &c);
            grad(first, &c).item();
            bodies(tape)
        };
        let keeps = [Keep::All, Keep::Carries, Keep::Sqrt];
        for (before, keep) in keeps.into_iter().flat_map(|before| keeps.map(|keep| (before, keep))) {
            let mut tape = Tape::new();
            for _ in 0..3 {
                run(&tape, before);
                tape.clear();
            }
            assert_eq!(run(&tape, keep), run(&Tape::new(), keep), "{keep:?} after {before:?}");
        }
    }
}
