//! The face of the number types: `f32` and `f64`, with all that the engine compiles once for each.

use crate::diff::reverse::Cotangents;
use crate::kernels::chain::TileOp;
use crate::kernels::compiled::Compiled;
use crate::number::Number;
use crate::ops::operand::Operand;
use crate::ops::table::Kind;
use crate::ops::tensors::TensorOperand;
use crate::ops::with_slope::Pair;
use crate::scan::body::Body;
use crate::scan::op::Spec;
use crate::tape::Tape;
use crate::tape::nodes::Origin;
use crate::tape::op::{DynOp, View};
use crate::tape::var::Var;
use crate::tensor::Tensor;
use crate::tensor::error::Error;
use crate::tensor::memory::OutOfMemory;
use std::ops::{Add, Div, Mul, Sub};
use std::sync::Arc;

/// A floating-point number type that the engine computes in: `f32` or `f64`. The trait is sealed; what a number can do is in
/// [`Number`].
///
/// The elementary functions are this crate's own: at most 2 ulp off (`acosh` 3; `sin`, `cos` and `tan` 1), the same on every CPU, and
/// made to vectorise. Only `powi` is that of the standard library.
///
/// ```
/// use autograd::Float;
/// fn half<T: Float>(x: T) -> T {
///     x * T::of(0.5)
/// }
/// assert_eq!(half(3.0_f32), 1.5);
/// ```
pub trait Float:
    Number
    + Compiled
    + Engine
    + for<'t> Operand<'t, Self>
    + for<'t> Add<Var<'t, Self>, Output = Var<'t, Self>>
    + for<'a, 't> Add<&'a Var<'t, Self>, Output = Var<'t, Self>>
    + for<'t> Sub<Var<'t, Self>, Output = Var<'t, Self>>
    + for<'a, 't> Sub<&'a Var<'t, Self>, Output = Var<'t, Self>>
    + for<'t> Mul<Var<'t, Self>, Output = Var<'t, Self>>
    + for<'a, 't> Mul<&'a Var<'t, Self>, Output = Var<'t, Self>>
    + for<'t> Div<Var<'t, Self>, Output = Var<'t, Self>>
    + for<'a, 't> Div<&'a Var<'t, Self>, Output = Var<'t, Self>>
    + TensorOperand<Self>
    + Add<Tensor<Self>, Output = Tensor<Self>>
    + Sub<Tensor<Self>, Output = Tensor<Self>>
    + Mul<Tensor<Self>, Output = Tensor<Self>>
    + Div<Tensor<Self>, Output = Tensor<Self>>
    + for<'a> Add<&'a Tensor<Self>, Output = Tensor<Self>>
    + for<'a> Sub<&'a Tensor<Self>, Output = Tensor<Self>>
    + for<'a> Mul<&'a Tensor<Self>, Output = Tensor<Self>>
    + for<'a> Div<&'a Tensor<Self>, Output = Tensor<Self>>
{
}

impl Float for f32 {}
impl Float for f64 {}

/// The parts of the engine that are compiled once for each type, with this crate, and not again in every program that uses it.
/// What lies above the tape is known to it by this alone; the implementation stands with that.
#[expect(private_interfaces, reason = "nobody outside can name what is in here")]
pub trait Engine: Sized {
    /// The operation that made a node, or `None` for a leaf.
    fn op(kind: &Kind<Self>) -> Option<&dyn DynOp<Self>>
    where
        Self: Float;
    /// An element-wise operation on tiles.
    fn tile_op(kind: &Kind<Self>) -> Option<Arc<dyn TileOp<Self>>>
    where
        Self: Float;
    /// Two of one operand.
    fn pair(pair: Pair) -> Arc<dyn TileOp<Self>>
    where
        Self: Float;
    /// [`Tape::append`]
    fn append<'t>(
        tape: &'t Tape<Self>,
        name: Option<&str>,
        kind: Kind<Self>,
        args: &[Var<'t, Self>],
        origin: Origin,
    ) -> Result<Var<'t, Self>, Error>
    where
        Self: Float;
    /// [`swept`](crate::diff::reverse::swept)
    fn reverse<'t>(
        tape: &'t Tape<Self>,
        results: &[(Var<'t, Self>, Var<'t, Self>)],
        inputs: &[u32],
    ) -> Result<Cotangents<'t, Self>, Error>
    where
        Self: Float;
    /// What the layer above remembers of the steps that a tape recorded.
    type Memory: Default;
    /// [`Tape::compute_roots`], by whatever way is quickest.
    #[track_caller]
    fn compute(tape: &Tape<Self>, roots: &[u32], keep: bool)
    where
        Self: Float;
    /// Leaves whose values were taken get them on the tape: something is computed there.
    ///
    /// # Errors
    /// Where there is no memory for them.
    fn close(tape: &Tape<Self>) -> Result<(), Error>
    where
        Self: Float;
    /// [`Tape::asked`]
    #[track_caller]
    fn ask(tape: &Tape<Self>, roots: &[u32], stranger: Option<Var<'_, Self>>, keep: bool)
    where
        Self: Float;
    /// A leaf that repeats one of a known structure gets this value: whether it is kept for whoever asks, so that the tape
    /// need not.
    fn take_leaf(tape: &Tape<Self>, leaf: u32, value: &[Self]) -> bool
    where
        Self: Float;
    /// The tape is being cleared, and has perhaps forgotten structures.
    fn cleared(tape: &mut Tape<Self>, forgot: bool)
    where
        Self: Float;
    /// What runs the steps of a loop.
    type Running: Send;
    /// Makes what runs the steps of a body.
    ///
    /// # Errors
    /// Where there is no memory for it.
    fn prepare(body: &Body<Self>) -> Result<Self::Running, OutOfMemory>
    where
        Self: Float;
    /// Runs a loop on its operands.
    ///
    /// # Errors
    /// Where there is no memory that an operation in a step needs for itself.
    fn run_loop(
        running: &mut Self::Running,
        spec: &Spec<Self>,
        args: &[View<'_, Self>],
        y: &mut [Self],
    ) -> Result<(), OutOfMemory>
    where
        Self: Float;
    /// [`Tape::replays`]
    fn replays(tape: &Tape<Self>) -> u64
    where
        Self: Float;
}
