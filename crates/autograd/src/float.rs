//! The two number types an engine can compute in: `f32` and `f64`.

use crate::kernels::elementary;
use std::fmt::{Debug, Display, LowerExp};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// What only the engine uses of its number types, and what keeps [`Float`] sealed.
///
/// The functions that lead to the kernels, to the reverse sweep and to computing are here so that these are compiled once for
/// each type, with this crate, and not again in every program that uses it.
#[expect(private_interfaces, reason = "nobody outside can name what is in here")]
mod sealed {
    use crate::error::Error;
    use crate::kernels::column_sums::column_sums;
    use crate::kernels::cross_entropy::{self, Gradients, Losses};
    use crate::kernels::elementary;
    use crate::kernels::finish::Finish;
    use crate::kernels::gemm::{self, Store, Strided, gemm_f32, gemm_f64};
    use crate::kernels::group::Group;
    #[cfg(target_arch = "x86_64")]
    use crate::kernels::lanes;
    use crate::kernels::lanes::Lanes;
    use crate::kernels::perceptron::Planned;
    use crate::kernels::product::{Operand, Sizes};
    use crate::op::{Kind, SliceOp};
    use crate::reverse::{Cotangents, swept};
    use crate::tape::Tape;
    use crate::var::Var;

    pub trait Sealed: Sized {
        /// `a · b` into `out` for sizes `(m, k, n)`, by the GEMM crate.
        fn gemm(
            sizes: (usize, usize, usize),
            a: &Strided<'_, Self>,
            b: &Strided<'_, Self>,
            out: &mut [Self],
            store: Store<Self>,
        );
        /// The operation that made a node, or `None` for a leaf.
        fn op(kind: &Kind<Self>) -> Option<&dyn SliceOp<Self>>
        where
            Self: super::Float;
        /// [`swept`]
        fn reverse<'t>(
            tape: &'t Tape<Self>,
            results: &[(Var<'t, Self>, Var<'t, Self>)],
            inputs: &[u32],
        ) -> Result<Cotangents<'t, Self>, Error>
        where
            Self: super::Float;
        /// [`Tape::compute_here`]
        #[track_caller]
        fn compute(tape: &Tape<Self>, roots: &[u32], keep: bool)
        where
            Self: super::Float;
        /// [`gemm::matmul`]
        fn matmul(sizes: Sizes, a: Operand<'_, Self>, b: Operand<'_, Self>, out: &mut [Self], finish: Finish<'_, Self>);
        /// [`column_sums`]
        fn column_sums(x: &[Self], out: &mut [Self], finish: Finish<'_, Self>);
        /// [`cross_entropy::cross_entropy`]
        fn cross_entropy(
            scores: &[Self],
            labels: &[Self],
            n: usize,
            losses: Losses<'_, Self>,
            gradients: Gradients<'_, Self>,
        );
        /// [`Group::run`]
        fn run_group(group: &Group<Self>, buffers: &mut [Vec<Self>]);
        /// [`Planned::run`]
        fn run_net(net: &Planned<Self>, buffers: &mut [Vec<Self>]);
        /// An index carried in the bits of a float, so that index nodes share the tape's buffers.
        fn from_index(i: i64) -> Self;
        /// The index that `from_index` packed.
        fn to_index(self) -> i64;
        /// Whether two carry the same index.
        fn same_bits(self, other: Self) -> bool;
        /// The largest index that the bits can carry.
        const MAX_INDEX: i64;
        /// [`elementary::exp_of_shifted`]
        ///
        /// # Safety
        /// The CPU has the set of the lanes.
        #[expect(unsafe_code, reason = "vectors by hand may run only where the CPU has them")]
        unsafe fn exp_of_shifted<L: Lanes<Self>>(x: L::Vector) -> L::Vector;
        /// `Format::powers_of_two`
        fn scales(shifted: Self) -> [Self; 2];
        /// [`elementary::ln_of_sum`]
        fn ln_of_sum(total: Self, rest: Self) -> Self;
        /// [`elementary::inverse_binade`]
        fn inverse_binade(self) -> Self;
        /// `self · b + c`, rounded once.
        fn fused_multiply_add(self, b: Self, c: Self) -> Self;
        /// `σ(x)` and its derivative, the bits that they have alone.
        fn sigmoid_and_slope(self) -> (Self, Self);
        /// `tanh x` and its derivative, the bits that they have alone.
        fn tanh_and_sech2(self) -> (Self, Self);
        /// Vectors of 256 bits.
        #[cfg(target_arch = "x86_64")]
        type Avx2: Lanes<Self>;
        /// Vectors of 512 bits.
        #[cfg(target_arch = "x86_64")]
        type Avx512: Lanes<Self>;
    }

    macro_rules! sealed {
        ($t:ident, $bits:ident, $int:ident, $gemm:path) => {
            impl Sealed for $t {
                fn gemm(
                    sizes: (usize, usize, usize),
                    a: &Strided<'_, Self>,
                    b: &Strided<'_, Self>,
                    out: &mut [Self],
                    store: Store<Self>,
                ) {
                    $gemm(sizes, a, b, out, store);
                }
                fn op(kind: &Kind<Self>) -> Option<&dyn SliceOp<Self>> {
                    kind.operation()
                }
                fn reverse<'t>(
                    tape: &'t Tape<Self>,
                    results: &[(Var<'t, Self>, Var<'t, Self>)],
                    inputs: &[u32],
                ) -> Result<Cotangents<'t, Self>, Error> {
                    swept(tape, results, inputs)
                }
                #[track_caller]
                fn compute(tape: &Tape<Self>, roots: &[u32], keep: bool) {
                    tape.compute_here(roots, keep);
                }
                fn matmul(
                    sizes: Sizes,
                    a: Operand<'_, Self>,
                    b: Operand<'_, Self>,
                    out: &mut [Self],
                    finish: Finish<'_, Self>,
                ) {
                    gemm::matmul(sizes, a, b, out, finish);
                }
                fn column_sums(x: &[Self], out: &mut [Self], finish: Finish<'_, Self>) {
                    column_sums(x, out, finish);
                }
                fn cross_entropy(
                    scores: &[Self],
                    labels: &[Self],
                    n: usize,
                    losses: Losses<'_, Self>,
                    gradients: Gradients<'_, Self>,
                ) {
                    cross_entropy::cross_entropy(scores, labels, n, losses, gradients);
                }
                fn run_group(group: &Group<Self>, buffers: &mut [Vec<Self>]) {
                    group.run(buffers);
                }
                fn run_net(net: &Planned<Self>, buffers: &mut [Vec<Self>]) {
                    net.run(buffers);
                }
                #[inline(always)]
                fn from_index(i: i64) -> Self {
                    $t::from_bits(i as $int as $bits)
                }
                #[inline(always)]
                #[allow(clippy::cast_lossless, clippy::cast_possible_wrap)]
                fn to_index(self) -> i64 {
                    self.to_bits() as $int as i64
                }
                const MAX_INDEX: i64 = $int::MAX as i64;
                #[inline(always)]
                fn same_bits(self, other: Self) -> bool {
                    self.to_bits() == other.to_bits()
                }
                #[inline(always)]
                #[expect(unsafe_code, reason = "vectors by hand may run only where the CPU has them")]
                unsafe fn exp_of_shifted<L: Lanes<Self>>(x: L::Vector) -> L::Vector {
                    // SAFETY: the caller promises the set.
                    unsafe { elementary::exp_of_shifted::<Self, L>(x) }
                }
                #[inline(always)]
                fn scales(shifted: Self) -> [Self; 2] {
                    elementary::Format::powers_of_two(shifted)
                }
                #[inline(always)]
                fn ln_of_sum(total: Self, rest: Self) -> Self {
                    elementary::ln_of_sum(total, rest)
                }
                #[inline(always)]
                fn inverse_binade(self) -> Self {
                    elementary::inverse_binade(self)
                }
                #[inline(always)]
                fn fused_multiply_add(self, b: Self, c: Self) -> Self {
                    self.mul_add(b, c)
                }
                #[inline(always)]
                fn sigmoid_and_slope(self) -> (Self, Self) {
                    elementary::sigmoid_and_slope(self)
                }
                #[inline(always)]
                fn tanh_and_sech2(self) -> (Self, Self) {
                    elementary::tanh_and_sech2(self)
                }
                #[cfg(target_arch = "x86_64")]
                type Avx2 = lanes::Avx2;
                #[cfg(target_arch = "x86_64")]
                type Avx512 = lanes::Avx512;
            }
        };
    }
    sealed!(f32, u32, i32, gemm_f32);
    sealed!(f64, u64, i64, gemm_f64);
}

/// A floating-point number type: `f32` or `f64`. The trait is sealed.
///
/// The exponential, the logarithm, `tanh`, `sigmoid` and their kin are this crate's own: at most 2 ulp off (the inverse
/// hyperbolic functions 3), the same on every CPU, and made to vectorise. The other functions are those of the standard library and of `libm`.
///
/// ```
/// use autograd::Float;
/// fn half<T: Float>(x: T) -> T {
///     x * T::of(0.5)
/// }
/// assert_eq!(half(3.0_f32), 1.5);
/// ```
pub trait Float:
    sealed::Sealed
    + Copy
    + Default
    + PartialOrd
    + Debug
    + Display
    + LowerExp
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + Sum
{
    /// `0`
    const ZERO: Self;
    /// `1`
    const ONE: Self;
    /// The distance from 1 to the next larger number.
    const EPSILON: Self;
    /// The smallest positive normal number.
    const MIN_POSITIVE: Self;
    /// The largest finite number.
    const MAX: Self;
    /// `+∞`
    const INFINITY: Self;
    /// A quiet NaN.
    const NAN: Self;
    /// `"f32"` or `"f64"`.
    const NAME: &'static str;

    /// The nearest number of this type.
    fn of(x: f64) -> Self;
    /// The same number as `f64`.
    fn to_f64(self) -> f64;
    /// A count as a number of this type.
    #[inline]
    fn of_count(n: usize) -> Self {
        Self::of(n as f64)
    }

    /// `e^x`
    fn exp(self) -> Self;
    /// `e^x − 1`, exact near 0.
    fn exp_m1(self) -> Self;
    /// Natural logarithm.
    fn ln(self) -> Self;
    /// `ln(1 + x)`, exact near 0.
    fn ln_1p(self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Sine of an angle in radians.
    fn sin(self) -> Self;
    /// Cosine of an angle in radians.
    fn cos(self) -> Self;
    /// Tangent of an angle in radians.
    fn tan(self) -> Self;
    /// Inverse sine, in radians.
    fn asin(self) -> Self;
    /// Inverse cosine, in radians.
    fn acos(self) -> Self;
    /// Inverse tangent, in radians.
    fn atan(self) -> Self;
    /// Hyperbolic sine.
    fn sinh(self) -> Self;
    /// Hyperbolic cosine.
    fn cosh(self) -> Self;
    /// Hyperbolic tangent.
    fn tanh(self) -> Self;
    /// Inverse hyperbolic sine.
    fn asinh(self) -> Self;
    /// Inverse hyperbolic cosine.
    fn acosh(self) -> Self;
    /// Inverse hyperbolic tangent.
    fn atanh(self) -> Self;
    /// Error function.
    fn erf(self) -> Self;
    /// Complementary error function `1 − erf(x)`, exact in the right tail.
    fn erfc(self) -> Self;
    /// `self^p`
    fn powf(self, p: Self) -> Self;
    /// `self^n`
    fn powi(self, n: i32) -> Self;
    /// The angle of the point `(x, self)`, in radians.
    fn atan2(self, x: Self) -> Self;
    /// `√(self² + y²)` without overflow.
    fn hypot(self, y: Self) -> Self;
    /// Absolute value.
    fn abs(self) -> Self;
    /// The magnitude of `self` with the sign of `s`.
    fn copysign(self, s: Self) -> Self;
    /// Largest integer not above.
    fn floor(self) -> Self;
    /// Smallest integer not below.
    fn ceil(self) -> Self;
    /// Nearest integer, ties to even, as NumPy and PyTorch round.
    fn round_ties_even(self) -> Self;
    /// Whether NaN.
    fn is_nan(self) -> bool;
    /// Whether neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// Whether the sign bit is set.
    fn is_sign_negative(self) -> bool;
    /// `1 / self`
    #[inline]
    fn recip(self) -> Self {
        Self::ONE / self
    }
    /// `σ(x) = 1 / (1 + e^−x)`, accurate in both tails.
    fn sigmoid(self) -> Self;
    /// `σ(x)·σ(−x)`, the derivative of `σ`, accurate in both tails.
    fn sigmoid_slope(self) -> Self;
    /// `1 − tanh² x`, the derivative of `tanh`, accurate in both tails.
    fn sech2(self) -> Self;
    /// The larger of two numbers, NaN if either is.
    #[inline]
    fn larger(self, other: Self) -> Self {
        if self.is_nan() || self > other { self } else { other }
    }
    /// The smaller of two numbers, NaN if either is.
    #[inline]
    fn smaller(self, other: Self) -> Self {
        if self.is_nan() || self < other { self } else { other }
    }
}

macro_rules! float {
    ($t:ident, $erf:ident, $erfc:ident) => {
        impl Float for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const EPSILON: Self = $t::EPSILON;
            const MIN_POSITIVE: Self = $t::MIN_POSITIVE;
            const MAX: Self = $t::MAX;
            const INFINITY: Self = $t::INFINITY;
            const NAN: Self = $t::NAN;
            const NAME: &'static str = stringify!($t);

            #[inline]
            fn of(x: f64) -> Self {
                x as $t
            }
            #[inline]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            fn erf(self) -> Self {
                libm::$erf(self)
            }
            fn erfc(self) -> Self {
                libm::$erfc(self)
            }
            float!(@ours exp exp_m1 ln ln_1p tanh asinh acosh atanh sigmoid sigmoid_slope sech2);
            float!(@forward $t: sqrt sin cos tan asin acos atan sinh cosh abs floor ceil
                round_ties_even);
            fn powf(self, p: Self) -> Self {
                $t::powf(self, p)
            }
            fn powi(self, n: i32) -> Self {
                $t::powi(self, n)
            }
            fn atan2(self, x: Self) -> Self {
                $t::atan2(self, x)
            }
            fn hypot(self, y: Self) -> Self {
                $t::hypot(self, y)
            }
            #[inline]
            fn copysign(self, s: Self) -> Self {
                $t::copysign(self, s)
            }
            #[inline]
            fn is_nan(self) -> bool {
                $t::is_nan(self)
            }
            #[inline]
            fn is_finite(self) -> bool {
                $t::is_finite(self)
            }
            #[inline]
            fn is_sign_negative(self) -> bool {
                $t::is_sign_negative(self)
            }
        }
    };
    (@ours $($f:ident)*) => {
        $(
            #[inline(always)]
            fn $f(self) -> Self {
                elementary::$f(self)
            }
        )*
    };
    (@forward $t:ident: $($f:ident)*) => {
        $(
            #[inline]
            fn $f(self) -> Self {
                $t::$f(self)
            }
        )*
    };
}

float!(f32, erff, erfcf);
float!(f64, erf, erfc);

#[cfg(test)]
mod tests {
    use super::sealed::Sealed;
    use super::*;

    #[test]
    fn indices_survive_the_trip_through_the_bits_of_a_float() {
        for i in [0, 1, -1, 100, 16_777_217, -100] {
            assert_eq!(f32::from_index(i).to_index(), i);
            assert_eq!(f64::from_index(i).to_index(), i);
        }
    }

    #[test]
    fn sigmoid_keeps_its_relative_accuracy_in_both_tails() {
        assert_eq!((-1000.0_f64).sigmoid(), 0.0);
        assert_eq!(1000.0_f64.sigmoid(), 1.0);
        assert_eq!((-100.0_f64).sigmoid(), (-100.0_f64).exp());
        assert!(f64::NAN.sigmoid().is_nan());
    }

    #[test]
    fn the_larger_and_the_smaller_follow_the_nan() {
        assert!(f64::NAN.larger(1.0).is_nan() && 1.0.larger(f64::NAN).is_nan());
        assert!(f64::NAN.smaller(1.0).is_nan() && 1.0.smaller(f64::NAN).is_nan());
        assert_eq!(2.0.larger(1.0), 2.0);
    }
}
