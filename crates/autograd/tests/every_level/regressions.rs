//! Wrong gradients that other systems shipped, each a case here: with a cotangent that is neither symmetric nor all
//! ones, in reverse and in forward mode, each input alone and all together, replayed by a program that was recorded at
//! other inputs, and against differences at orders 1 and 2 where the function is smooth. A case names who had it wrong,
//! where a tracker or a release shows it, and what was given.
//!
//! What does not apply here, and why:
//!
//! - In-place operations and rebound views (PyTorch #136662, #31258, #26546, #193061; JAX #7461; MLX #610): a value
//!   does not change once it is computed; the expressions alone are cases.
//! - Planned buffers and optimised graphs (JAX #39100, MLX #3166, CppAD): `replay.rs` runs with and without each
//!   pass; here every case is replayed, to the same bits.
//! - Optimisers (rust-autograd's SGD, burn #888, echidna's L-BFGS) are not part of this crate.
//! - Scatter that replaces (PyTorch #146299, candle's `scatter`), `cross`, `cast`, quiet softmax, `rope`, `ldexp`,
//!   `renorm`, spherical Bessel functions, the cube root, transposed convolution: not offered. Nor are weights of single
//!   examples in binary cross-entropy; class weights are.
//! - Replaced or missing gradients (burn #695, dfdx `grads.get`): nothing stores a gradient, and a variable that is not
//!   reached has zeros.
//! - Conversions of number types (burn #4069, candle #1094) and gradients through integers (candle #865): a tape has
//!   one type, and an `IndexVar` cannot be differentiated.
//! - Recycled names and ids (neuronika's `History`, taper, dfdx's ids that clones share): index order is the only
//!   order.
//! - Ties by the thousand, saturation in `f32`, 1e±200 and tensors without elements are rows of `edges.rs`.

#[macro_use]
mod case;
mod products;
mod functions;
mod selections;
mod arrangement;
mod matrices;
mod losses;
mod graphs;
mod nesting;
