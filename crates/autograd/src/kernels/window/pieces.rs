//! Windows where they lie, piece by piece.

use super::Window;

/// The most dimensions of rows.
const MOST_OUTER: usize = 4;
/// Shorter rows are copied to tiles: a piece costs something for each operation, and one with zeros around it is two or three.
const LONG_ROW: usize = 128;
const LONG_ROW_OF_SEVERAL: usize = 192;

impl Window {
    /// Whether its elements are neighbours in the operand, in pieces of which each is worth an operation of its own.
    pub(crate) fn is_in_pieces(&self) -> bool {
        let is_one = self.len == self.width && self.turn == 0;
        self.step == 1
            && self.len >= if is_one { LONG_ROW } else { LONG_ROW_OF_SEVERAL }
            && self.outer.len() <= MOST_OUTER
    }

    /// Whether its elements are added to zeros, which negative zeros do not survive.
    pub(crate) fn is_sum(&self) -> bool {
        self.is_sum
    }
}

/// A window that is gone through from an element on. Nothing is added to its elements.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct Pieces<'w> {
    window: &'w Window,
    /// The row, by the dimensions of rows, and where it begins in the operand, if it is there.
    index: [usize; MOST_OUTER],
    row: Option<usize>,
    column: usize,
}

impl<'w> Pieces<'w> {
    pub(in crate::kernels) fn new(window: &'w Window, start: usize) -> Self {
        let mut index = [0; MOST_OUTER];
        let column = window.locate(start, &mut index[..window.outer.len()]);
        Self { window, index, row: window.row(&index), column }
    }

    /// Where the next elements are in the operand, nowhere if they are zeros, and how many come one after the other.
    pub(in crate::kernels) fn next(&self) -> (Option<usize>, usize) {
        let &Window { from, len, width, turn, .. } = self.window;
        let column = self.column;
        match self.row {
            Some(_) if column < from => (None, from - column),
            // Rows that are turned have no zeros.
            Some(at) if column < turn => (Some(at + len - turn + column), turn - column),
            Some(at) if column < from + len => (Some(at + column - from - turn), from + len - column),
            _ => (None, width - column),
        }
    }

    /// Goes on by so many elements, at most those of the piece.
    pub(in crate::kernels) fn skip(&mut self, n: usize) {
        self.column += n;
        if self.column == self.window.width {
            self.column = 0;
            self.window.step_on(&mut self.index[..self.window.outer.len()]);
            self.row = self.window.row(&self.index);
        }
    }
}
