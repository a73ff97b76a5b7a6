//! Reverse- and forward-mode automatic differentiation on a tape, to any order, for small neural nets and other
//! differentiable programs on the CPU.
//!
//! An expression of [`Var`]s records operations on a [`Tape`]; [`grad`], [`vjp`] and [`jvp`] read the tape and record
//! derivatives on it, which are variables like any other; values are computed when they are asked for.
//!
//! ```
//! use autograd::{grad, Tape, Tensor};
//! let tape = Tape::new();
//! let x = tape.var(&Tensor::from([1.0, 2.0]));
//! let y = (x * x * x).sum();
//! let [dx] = grad(y, &[x]); // 3x²
//! let [ddx] = grad(dx.sum(), &[x]); // 6x
//! assert_eq!(dx.value().as_slice(), [3.0, 12.0]);
//! assert_eq!(ddx.value().as_slice(), [6.0, 12.0]);
//! ```
//!
//! A part of a formula that is used more than once is a function whose variables share a lifetime. In a closure the compiler does not see that
//! the result lives as long as the argument (`|x: Var<'_>| (x * w).tanh()` is an error): leave out the type, and name the method's.
//! Masks are numbers, 1 where a condition holds: `a * b` is both, `a.maximum(b)` one of them, `1.0 - a` not.
//!
//! ```
//! use autograd::{Tape, Tensor, Var};
//! fn layer<'t>(x: Var<'t>, w: Var<'t>) -> Var<'t> {
//!     (x * w).tanh()
//! }
//! let tape = Tape::new();
//! let (x, w) = (tape.var(&Tensor::from([0.5, -2.0])), tape.scalar(0.1));
//! let near = |x| Var::abs(x).lt(1.0);
//! let y = near(x).select(layer(layer(x, w), w), x);
//! assert_eq!(y.value().as_slice()[1], -2.0);
//! ```
//!
//! Losses refuse what would broadcast in silence: a prediction `[n, 1]` and a target `[n]` have `n²` differences.
//! [`Tape::watch`] tells it of plain operators.
//!
//! ```
//! use autograd::{grad, Reduction, Tape, Tensor};
//! let tape = Tape::new();
//! let (x, w) = (tape.var(&Tensor::from_rows([[1.0], [2.0]])), tape.var(&Tensor::from_rows([[3.0]])));
//! let target = tape.var(&Tensor::from([1.0, 4.0]));
//! let loss = x.matmul(w).mse(target.reshape([2, 1]), Reduction::Mean); // of `target` itself: an error
//! assert_eq!(grad(loss, &w).value().as_slice(), [6.0]);
//! ```
//!
//! One binary serves every CPU: kernels take the widest vectors that there are. The environment variable `AUTOGRAD_LEVEL`
//! (`baseline`, `avx2` or `avx512`) lets them compute as on a CPU that has no more; one that is unknown, or that the CPU has
//! not, is a panic at the first computation.

mod number;
mod tensor;
mod kernels;
mod float;
mod tape;
mod ops;
mod diff;
mod scan;
mod program;
pub mod check;
mod shared;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod mutation;
#[cfg(test)]
mod floors;

pub use float::Float;
pub use number::Number;
pub use number::level::instruction_set;
pub use tensor::Tensor;
pub use tensor::error::{Error, Kind, Reason};
pub use tensor::memory::OutOfMemory;
pub use tensor::shape::Shape;

pub use tape::Tape;
pub use tape::attribute::{Attribute, Attributes};
pub use tape::finite::NonFinite;
pub use tape::kink::Kink;
pub use tape::nodes::Mode;
pub use tape::recorded::Recorded;
pub use tape::tree::{Tree, form_of, join};
pub use tape::var::Var;
pub use tape::within::Composite;

pub use ops::concat::{concat, stack, try_concat};
pub use ops::conv::Conv;
pub use ops::cross_entropy::Reduction;
pub use ops::distances::TripletMargin;
pub use ops::einsum::{einsum, try_einsum};
pub use ops::key::Key;
pub use ops::likelihoods::{GaussianNll, PoissonNll};
pub use ops::linalg::Triangular;
pub use ops::losses::{CrossEntropyOptions, KlTarget};
pub use ops::matmul::Transposed;
pub use ops::operand::{Given, Operand};
pub use ops::pooling::{Padding, Pool, Pooling};
pub use ops::quantile::Quantiles;
pub use ops::random::KeyVar;
pub use ops::reduce::{Axes, keepdims};
pub use ops::slice::{Slice, Slices};
pub use ops::sort::Order;
pub use ops::table::primitives;
pub use ops::tensors::{GivenTensor, TensorOperand};
pub use tape::index::{IndexVar, Indices};
pub use tape::op::{DynOp, Op, View, ViewMut};

pub use diff::forward::jvp;
pub use diff::jacobian::{hessian, hvp, jacobian, per_example_grads};
pub use diff::reverse::{grad, vjp};

pub use scan::{Keep, Scan, Variables};

pub use program::{
    InputRecorder, InputWriter, Inputs, Optimisations, Outputs, Program, ProgramError, ProgramErrorKind, Programs,
    State, update,
};
