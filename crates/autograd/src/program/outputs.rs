//! What a run gives.

use super::Program;
use super::steps::Operand;
use crate::float::Float;
use crate::tensor::Tensor;
use crate::tensor::error::{Error, Kind, Reason};
use std::fmt;
use std::panic::Location;

/// What a run gave, borrowed from the program until its next run.
#[derive(Clone, Copy)]
pub struct Outputs<'p, T: Float> {
    pub(super) program: &'p Program<T>,
}

impl<T: Float> fmt::Debug for Outputs<'_, T> {
    /// The tensors, as a list.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries((0..self.len()).map(|output| self.tensor(output))).finish()
    }
}

impl<'p, T: Float> Outputs<'p, T> {
    /// How many outputs there are.
    pub fn len(self) -> usize {
        self.program.outputs.len()
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// An output's elements in row-major order, in the order in which the outputs were recorded.
    ///
    /// # Panics
    /// Where there is no such output.
    #[track_caller]
    pub fn slice(self, output: usize) -> &'p [T] {
        self.program.slice(self.output("slice", output))
    }

    /// The one element of an output that has one.
    ///
    /// # Panics
    /// Where there is no such output, or it has more or fewer elements.
    #[track_caller]
    pub fn item(self, output: usize) -> T {
        let operand = self.output("item", output);
        let [x] = self.program.slice(operand) else {
            let reason = Reason::shape(format!("output {output} is needed to have one element"));
            Error::new("item", reason, vec![operand.shape.clone()], Location::caller()).raise()
        };
        *x
    }

    /// An output as a tensor of its own, to keep.
    ///
    /// # Panics
    /// Where there is no such output.
    #[track_caller]
    pub fn tensor(self, output: usize) -> Tensor<T> {
        let operand = self.output("tensor", output);
        self.program.tensor(operand)
    }

    #[track_caller]
    fn output(self, function: &str, output: usize) -> &'p Operand {
        let Some(operand) = self.program.outputs.get(output) else {
            let text = format!("there is no output {output} among {}", self.len());
            Error::of_call(function, Kind::Index, text).raise()
        };
        operand
    }
}
