//! Was a difference of `[n, 1]` and `[n]` meant, or did it become `[n, n]`?

use crate::float::Float;
use crate::ops::table::Kind;
use crate::tape::Tape;
use crate::tape::nodes::{Mode, Node};

impl<T: Float> Tape<T> {
    pub(crate) fn is_watched(&self) -> bool {
        self.state.borrow().watch
    }

    /// Panics where an element-wise operation of the user's on the way to these roots broadcast two operands of as many
    /// elements, and different ranks, to a larger result. An outer product that is meant has operands of one rank.
    #[track_caller]
    pub(crate) fn refuse_outer(&self, roots: &[u32]) {
        let needed = self.nodes.needed(roots, 0);
        let is_outer = |node: &Node<T>| {
            let (Kind::Binary(_), Mode::Primal, &[a, b]) = (&node.kind, node.origin.pass(), &node.args[..]) else {
                return false;
            };
            let (a, b) = (&self.nodes[a], &self.nodes[b]);
            a.len == b.len && a.len < node.len && a.shape.rank() != b.shape.rank()
        };
        let Some((index, node)) = self.nodes.iter().enumerate().find(|&(i, node)| needed[i] && is_outer(node)) else {
            return;
        };
        let [a, b] = [0, 1].map(|k| &self.nodes[node.args[k]].shape);
        let (op, shape, location) = (node.kind.name(), &node.shape, node.origin.location);
        panic!(
            "{op} (#{index}) of {a} and {b} is {shape} by broadcasting, not one number for each element: reshape one of \
             them, or both to one rank where {shape} is meant; recorded at {location}"
        )
    }
}

#[cfg(test)]
mod tests {
    use crate::{Program, Reduction, Tape, Tensor, Var};
    use std::panic::{AssertUnwindSafe, catch_unwind};

    fn text_of<R>(f: impl FnOnce() -> R) -> Option<String> {
        let panic = catch_unwind(AssertUnwindSafe(f)).err()?;
        Some(panic.downcast_ref::<String>().expect("a text").clone())
    }

    #[test]
    fn a_watched_tape_tells_a_column_less_a_row_apart_from_what_is_meant() {
        let tape = Tape::new();
        let (column, row) = (tape.var(&Tensor::<f64>::zeros([3, 1])), tape.var(&Tensor::ones([3])));
        let squares = |tape: &Tape, y: Var<'_>| {
            tape.watch(true);
            let text = text_of(|| y.square().mean().item());
            tape.watch(false);
            text
        };
        let (wrong, line) = (column - row, line!());
        let text = squares(&tape, wrong).expect("n² differences");
        assert!(text.starts_with("sub (#2) of [3, 1] and [3] is [3, 3]"), "{text}");
        assert!(text.contains(&format!("outer.rs:{line}:")), "{text}");
        // What is meant: one rank, numbers, biases, rows against a matrix.
        for meant in [
            column - row.reshape([1, 3]),
            column - row.reshape([3, 1]),
            column - 1.0,
            column - tape.var(&Tensor::ones([1])),
            tape.var(&Tensor::zeros([3, 3])) - row,
            column.mse(row.reshape([3, 1]), Reduction::None),
        ] {
            assert_eq!(squares(&tape, meant), None);
        }
    }

    #[test]
    fn a_watched_program_tells_it_when_it_is_recorded() {
        let record = |watch| {
            text_of(|| {
                Program::record(&[] as &[Tensor; 0], &(Tensor::zeros([2, 1]), Tensor::zeros([2])), |tape, _, (a, b)| {
                    tape.watch(watch);
                    (vec![], vec![(a - b).square().mean()])
                })
                .map(|program| program.bytes())
            })
        };
        assert!(record(true).is_some_and(|text| text.starts_with("sub ")));
        assert_eq!(record(false), None);
    }
}
