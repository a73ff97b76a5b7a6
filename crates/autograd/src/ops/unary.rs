//! Element-wise functions of one operand: a table.
//!
//! Each derivative is written so that it keeps its relative accuracy where the function saturates or vanishes, and a
//! zero cotangent gives exactly zero. Slopes that need a formula of their own are rows too, so that they can be
//! differentiated again.

use crate::float::Float;
use crate::kernels::chain::TileOp;
use crate::kernels::map::{map, map_formula, map_formula_but, map_numbers, map_vectors_but};
use crate::kernels::powers::{powers, powers_of};
use crate::number::Number;
use crate::number::elementary::{self, select};
use crate::number::formula::{Formula, Functions};
use crate::number::special;
use crate::ops::binary::BinaryRules;
use crate::ops::unary_rules::{gelu_tanh_third, mills_third, mish_third, pow_rule, silu_third, sinc_derivatives};
use crate::tape::attribute::Attributes;
use crate::tape::op::{Arity, Named, Op, View, ViewMut};
use crate::tape::var::Var;
use crate::tensor::error::{Kind, Reason};
use crate::tensor::shape::Shape;
use smallvec::{SmallVec, smallvec};
use std::f64::consts::{LN_2, LOG2_E, LOG10_E};

/// A row: docs, visibility, name and parameters of the method; the variant; the function of a number, marked `formula` where it costs much
/// and is one of any `R` that formulas are of, but for rare arguments perhaps, `vectors` where it all the same becomes vectors, and
/// `numbers` where nothing does, or the function
/// of slices and of the parameters as they are, where these decide on the loop; and the rule, which multiplies `g`, a cotangent or a tangent, by the
/// derivative at `x` (with `y = f(x)`), or is `None` where the derivative is zero everywhere. An element-wise Jacobian
/// is diagonal, so one rule serves both directions. A row with a kink says where it is; see [`Op::kink`].
macro_rules! unary {
    ($(
        $(#[$doc:meta])*
        $vis:vis $name:ident($($p:ident: $ty:ty),*) => $variant:ident,
        $($kind:ident)? |$v:ident $(, $w:ident)?| $f:expr, $(rare |$r:ident| $rare:expr => $whole:expr,)?
        |$x:ident, $y:ident, $g:ident| $rule:expr $(, kink |$k:ident| $kink:expr)?;
    )*) => {
        /// Which element-wise function, and its parameters.
        #[derive(Clone, Copy, Debug)]
        pub(crate) enum Unary {
            $($variant { $($p: $ty),* },)*
        }

        /// The same function of the same parameters, bit by bit: `−0` is not `0`.
        impl PartialEq for Unary {
            fn eq(&self, other: &Self) -> bool {
                let parameters = |unary: &Self| -> SmallVec<[u64; 2]> {
                    match *unary {
                        $(Self::$variant { $($p),* } => smallvec![$(f64::from($p).to_bits()),*],)*
                    }
                };
                std::mem::discriminant(self) == std::mem::discriminant(other) && parameters(self) == parameters(other)
            }
        }

        impl Named for Unary {
            const NAMES: &'static [&'static str] = &[$(stringify!($name)),*];
        }

        impl Unary {
            /// Whether it costs much more than an addition: the rows that are marked.
            pub(crate) fn costs_much(self) -> bool {
                match self {
                    $(Self::$variant { .. } => unary!(@is_marked $($kind)?),)*
                }
            }

            fn rule<'t, T: Float>(self, x: Var<'t, T>, y: Var<'t, T>, g: Var<'t, T>) -> Option<Var<'t, T>> {
                #[allow(unused_variables, reason = "not every row's derivative depends on its parameters")]
                match self {
                    $(Self::$variant { $($p),* } => {
                        let ($x, $y, $g) = (x, y, g);
                        let _ = ($x, $y, $g);
                        Option::<Var<'t, T>>::from($rule)
                    })*
                }
            }
        }

        impl<T: Float> Op<T, 1> for Unary {
            fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => stringify!($name),)*
                }
            }
            fn attributes(&self) -> Attributes {
                match *self {
                    $(Self::$variant { $($p),* } => vec![$((stringify!($p), $p.into())),*],)*
                }
            }
            fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
                self.options().map(|()| x.clone())
            }
            fn eval(&self, [x]: [View<'_, T>; 1], y: ViewMut<'_, T>) {
                self.run([x.data, &[], &[]], y.data, &mut []);
            }
            fn kink(&self, [x]: [View<'_, T>; 1]) -> Option<usize> {
                #[allow(unused_variables, reason = "few rows have a kink, and few kinks depend on parameters")]
                match *self {
                    $(Self::$variant { $($p),* } => {
                        $(let $p = Parameter::<T>::of($p);)*
                        $(return x.data.iter().position(|&$k| $kink);)?
                    })*
                }
                None
            }
            fn vjp<'t>(&self, _: usize, [x]: [Var<'t, T>; 1], y: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
                self.rule(x, y, dy)
            }
            fn jvp<'t>(
                &self,
                [x]: [Var<'t, T>; 1],
                y: Var<'t, T>,
                [dx]: [Option<Var<'t, T>>; 1],
            ) -> Option<Var<'t, T>> {
                self.rule(x, y, dx?)
            }
        }

        impl<T: Float> TileOp<T> for Unary {
            fn names(&self) -> SmallVec<[&'static str; 2]> {
                smallvec![Op::<T, 1>::name(self)]
            }
            fn run(&self, [x, ..]: [&[T]; 3], y: &mut [T], _: &mut [T]) {
                match *self {
                    $(Self::$variant { $($p),* } => {
                        unary!(@eval $($kind)? [$($p)*] (x, y) |$v $(, $w)?| $f $(, |$r| $rare, $whole)?);
                    })*
                }
            }
        }

        /// # Element-wise functions
        ///
        /// Functions of each element by itself; the shape stays.
        impl<'t, T: Float> Var<'t, T> {
            $(
                $(#[$doc])*
                #[track_caller]
                #[allow(clippy::should_implement_trait, reason = "the operator of `neg` calls it")]
                $vis fn $name(self, $($p: $ty),*) -> Self {
                    self.tape().record(Arity(Unary::$variant { $($p),* }), [self])
                }
            )*
        }
    };
    (@eval slices [$($p:ident)*] ($from:expr, $to:expr) |$v:ident, $w:ident| $f:expr) => {{
        let ($v, $w): (&[T], &mut [T]) = ($from, $to);
        $f
    }};
    (@eval formula [$($p:ident)*] ($from:expr, $to:expr) |$v:ident| $f:expr) => {{
        let formula = unary!(@formula [$($p)*] |$v| $f);
        map_formula($from, [$to], &formula)
    }};
    (@eval formula [] ($from:expr, $to:expr) |$v:ident| $f:expr, |$r:ident| $rare:expr, $whole:expr) => {{
        let formula = unary!(@formula [] |$v| $f);
        map_formula_but($from, [$to], &formula, #[inline(always)] |$r: T| $rare, |$r: T| [$whole])
    }};
    (@formula [$($p:ident)*] |$v:ident| $f:expr) => {{
        struct Row {
            $($p: f64),*
        }
        impl Formula<1, 1> for Row {
            #[inline(always)]
            fn of<R: Functions>(&self, [$v]: [R; 1]) -> [R; 1] {
                $(let $p = R::of(self.$p);)*
                [$f]
            }
        }
        Row { $($p),* }
    }};
    (@eval $($kind:ident)? [$($p:ident)*] ($from:expr, $to:expr) |$v:ident| $f:expr $(, |$r:ident| $rare:expr, $whole:expr)?) => {
        $(let $p = Parameter::<T>::of($p);)*
        unary!(@map $($kind)? $($r)?)(
            $from, $to, #[inline(always)] move |$v: T| $f
            $(, #[inline(always)] |$r: T| $rare, |$r: T| $whole)?
        )
    };
    (@is_marked) => { false };
    (@is_marked $kind:ident) => { true };
    (@map) => { map };
    (@map vectors $rare:ident) => { map_vectors_but };
    (@map numbers) => { map_numbers };
}

impl Unary {
    /// Whether the options have a meaning. A number that `x` is multiplied by or added to may be NaN, as in arithmetic.
    fn options(self) -> Result<(), Reason> {
        let number = |what: &str, value: f64| {
            let reason = || Reason::new(Kind::Option, format!("the {what} is {value}, a number is needed"));
            if value.is_nan() { Err(reason()) } else { Ok(()) }
        };
        if let Self::LeakyRelu { negative_slope } = self {
            number("negative slope", negative_slope)
        } else if let Self::Elu { alpha } = self {
            number("alpha", alpha)
        } else {
            Ok(())
        }
    }
}

/// A row's parameter in the number type of the kernel.
trait Parameter<T> {
    type Number;
    fn of(self) -> Self::Number;
}
impl<T: Float> Parameter<T> for f64 {
    type Number = T;
    fn of(self) -> T {
        T::of(self)
    }
}
impl<T> Parameter<T> for u32 {
    type Number = u32;
    fn of(self) -> u32 {
        self
    }
}

/// `1/p` of what is 0 or more, NaN below.
#[inline(always)]
fn log_slope<T: Float>(p: T) -> T {
    select(p < T::ZERO, T::NAN, p.abs().recip())
}

/// `(2x + 3)/6`, `(x + 3)/6` and the like within −3 and 3, 0 below and 1 above. The sum is exact where it cancels.
#[inline(always)]
fn hard_gate<T: Float>(x: T, slope: f64) -> T {
    let within = (x * T::of(slope) + T::of(3.0)) / T::of(6.0);
    select(x <= T::of(-3.0), T::ZERO, select(x >= T::of(3.0), T::ONE, within))
}

/// A function computed in `f64` and rounded once, for derivatives whose formula cancels in the narrow type.
pub(super) fn wide<T: Float>(x: T, f: impl Fn(f64) -> f64) -> T {
    T::of(f(x.to_f64()))
}

unary! {
    /// `−x`
    pub neg() => Neg, |x| -x, |x, y, g| g.neg();
    /// `x + offset`
    pub add_scalar(offset: f64) => AddScalar, |x| x + offset, |x, y, g| g;
    /// `x · factor`; the derivative by a factor of 0 is 0, also where that of `x` is infinite.
    pub mul_scalar(factor: f64) => MulScalar, |x| x * factor,
        |x, y, g| (factor != 0.0).then(|| g.mul_scalar(factor));
    /// `x / divisor`
    pub div_scalar(divisor: f64) => DivScalar, |x| x / divisor, |x, y, g| g.div_scalar(divisor);

    /// `|x|`; the derivative is `sign x`, and 0 at 0 (the subgradient of least norm).
    pub abs() => Abs, |x| x.abs(), |x, y, g| g.weigh(x.sign()), kink |x| x == T::ZERO;
    /// −1, 0 or 1; NaN for NaN. The derivative is 0.
    pub sign() => Sign, |x| select((x == T::ZERO) | x.is_nan(), x, T::ONE.copysign(x)), |x, y, g| None;
    /// The largest integer not above. The derivative is 0.
    pub floor() => Floor, |x| x.floor(), |x, y, g| None;
    /// The smallest integer not below. The derivative is 0.
    pub ceil() => Ceil, |x| x.ceil(), |x, y, g| None;
    /// The nearest integer, ties to even. The derivative is 0.
    pub round() => Round, |x| x.round_ties_even(), |x, y, g| None;

    /// `e^x`
    pub exp() => Exp, formula |x| elementary::exp(x), |x, y, g| g.zmul(y);
    /// `e^x − 1`, exact near 0; the derivative is `e^x`, not `y + 1`, which cancels in the left tail.
    pub expm1() => Expm1, formula |x| elementary::exp_m1(x), |x, y, g| g.zmul(x.exp());
    /// `2^x`, exact for whole numbers.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-1.0, 0.0, 10.0]));
    /// let y = x.exp2();
    /// assert_eq!(y.value().as_slice(), [0.5, 1.0, 1024.0]);
    /// assert_eq!(grad(y.sum(), &x).value().as_slice()[1], std::f64::consts::LN_2);
    /// ```
    pub exp2() => Exp2, formula |x| elementary::exp2(x), |x, y, g| g.zmul(y).mul_scalar(LN_2);
    /// The natural logarithm: −∞ at 0, where the derivative is +∞; NaN below.
    pub log() => Log, formula |x| elementary::ln(x), |x, y, g| g.zmul(x.log_slope());
    /// `ln(1 + x)`, exact near 0.
    pub log1p() => Log1p, formula |x| elementary::ln_1p(x), |x, y, g| g.zmul(x.add_scalar(1.0).log_slope());
    /// The logarithm of base 2, exact for powers of 2: −∞ at 0, where the derivative is +∞; NaN below.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.125, 1.0, 1024.0]));
    /// let y = x.log2();
    /// assert_eq!(y.value().as_slice(), [-3.0, 0.0, 10.0]);
    /// assert_eq!(grad(y.sum(), &x).value().as_slice()[1], 1.0 / std::f64::consts::LN_2);
    /// ```
    pub log2() => Log2, formula |x| elementary::log2(x), |x, y, g| g.zmul(x.log_slope()).mul_scalar(LOG2_E);
    /// The logarithm of base 10, exact for powers of 10: −∞ at 0, where the derivative is +∞; NaN below.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.01, 1.0, 1000.0]));
    /// let y = x.log10();
    /// assert_eq!(y.value().as_slice(), [-2.0, 0.0, 3.0]);
    /// assert_eq!(grad(y.sum(), &x).value().as_slice()[1], std::f64::consts::LOG10_E);
    /// ```
    pub log10() => Log10, formula |x| elementary::log10(x), |x, y, g| g.zmul(x.log_slope()).mul_scalar(LOG10_E);
    /// `ln(x / (1 − x))`, the inverse of the sigmoid: −∞ at 0, ∞ at 1, NaN outside. The derivative is `1/(x·(1 − x))`. Next to ½ it is
    /// `2 artanh(2x − 1)`, elsewhere `ln x − ln(1 − x)`, so it has all digits near 0, ½ and 1.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.0, 0.5, 1.0]));
    /// let y = x.logit();
    /// assert_eq!(y.value().as_slice(), [f64::NEG_INFINITY, 0.0, f64::INFINITY]);
    /// assert_eq!(grad(y.sum(), &x).value().as_slice(), [f64::INFINITY, 4.0, f64::INFINITY]);
    /// ```
    pub logit() => Logit, formula |x| elementary::logit(x), |x, y, g| g.zmul(x.logit_slope());
    /// `1/(x·(1−x))`, NaN outside of the domain of `logit`.
    pub(crate) logit_slope() => LogitSlope, |x| log_slope(x * (T::ONE - x)), |x, y, g| g.zmul(x.mul_scalar(2.0).add_scalar(-1.0)).zmul(y).zmul(y);
    /// `1/x` for `x ≥ 0`, NaN below: the derivative of the logarithm on its own domain.
    pub(crate) log_slope() => LogSlope, |x| log_slope(x),
        |x, y, g| g.zmul(y.square()).neg();
    /// `√x`; the derivative at 0 is +∞, and a zero cotangent stays zero there.
    pub sqrt() => Sqrt, |x| (x + T::ZERO).sqrt(), |x, y, g| g.zmul(y.reciprocal().mul_scalar(0.5));
    /// The cube root, with the sign of `x`; the derivative `x^(−2/3)/3` at 0 is +∞, and a zero cotangent stays zero there.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-8.0, 0.0, 27.0]));
    /// let y = x.cbrt();
    /// assert_eq!(y.value().as_slice(), [-2.0, 0.0, 3.0]);
    /// assert_eq!(grad(y.sum(), &x).value().as_slice(), [1.0 / 12.0, f64::INFINITY, 1.0 / 27.0]);
    /// ```
    pub cbrt() => Cbrt, formula |x| elementary::cbrt(x), |x, y, g| g.zmul(x.cbrt_slope());
    /// `x^(−2/3)/3`
    pub(crate) cbrt_slope() => CbrtSlope, formula |x| elementary::cbrt_slope(x), |x, y, g| g.zmul(y).mul_scalar(-2.0 / 3.0).zdiv(x);
    /// `1/√x`. The rule is `−(g·y)/(2x)`: the slope alone may underflow where that does not.
    pub rsqrt() => Rsqrt, |x| x.sqrt().recip(), |x, y, g| g.zmul(y).mul_scalar(-0.5).zdiv(x);
    /// `1/x`. The rule is `−(g·y)·y`, since `y²` may underflow.
    pub reciprocal() => Reciprocal, |x| x.recip(), |x, y, g| g.zmul(y).zmul(y).neg();
    /// `x²`
    pub square() => Square, |x| x * x, |x, y, g| g.zmul(x.mul_scalar(2.0));
    /// `x^exponent`; an integer exponent takes negative bases, and 0 and 1 are exact at 0.
    pub pow_scalar(exponent: f64) => PowScalar, slices |x, y| powers(x, y, exponent, 0.0),
        |x, y, g| pow_rule(x, g, [exponent, 0.0]);
    /// `base^x` for a finite base above 0.
    pub(crate) power_of(base: f64) => PowerOf, slices |x, y| powers_of(base, x, y), |x, y, g| g.zmul(y).mul_scalar(Number::ln(base));
    /// `x^(exponent + rest)`, where one number cannot be that sum.
    pub(crate) pow_parts(exponent: f64, rest: f64) => PowParts, slices |x, y| powers(x, y, exponent, rest),
        |x, y, g| pow_rule(x, g, [exponent, rest]);

    /// Sine, `x` in radians.
    pub sin() => Sin, formula |x| elementary::sin_near(x), rare |x| x.is_far() => x.sin(),
        |x, y, g| g.zmul(x.cos());
    /// Cosine, `x` in radians.
    pub cos() => Cos, formula |x| elementary::cos_near(x), rare |x| x.is_far() => x.cos(),
        |x, y, g| g.zmul(x.sin()).neg();
    /// Tangent, `x` in radians.
    pub tan() => Tan, formula |x| elementary::tan_near(x), rare |x| x.is_far() => x.tan(),
        |x, y, g| g.zmul(y.square().add_scalar(1.0));
    /// Inverse sine, in radians; the derivative at ±1 is ∞.
    pub asin() => Asin, formula |x| elementary::asin(x), |x, y, g| g.zmul(x.asin_slope());
    /// Inverse cosine, in radians; the derivative at ±1 is −∞.
    pub acos() => Acos, formula |x| elementary::acos(x), |x, y, g| g.zmul(x.asin_slope()).neg();
    /// `1/√((1−x)(1+x))`
    pub(crate) asin_slope() => AsinSlope, |x| ((T::ONE - x) * (T::ONE + x)).sqrt().recip(),
        |x, y, g| g.zmul(x.both(y).both(y.square()));
    /// Inverse tangent, in radians.
    pub atan() => Atan, formula |x| elementary::atan(x), |x, y, g| g.zmul(x.atan_slope());
    /// `1/(1+x²)`, without overflow.
    pub(crate) atan_slope() => AtanSlope,
        |x| {
            let large = x.abs() > T::of(1e10);
            let y = (if large { x } else { T::ONE + x * x }).recip();
            if large { y * y } else { y }
        },
        |x, y, g| g.zmul(x.both(y).both(y).mul_scalar(-2.0));
    /// Hyperbolic sine.
    pub sinh() => Sinh, formula |x| elementary::sinh(x), |x, y, g| g.zmul(x.cosh());
    /// Hyperbolic cosine.
    pub cosh() => Cosh, formula |x| elementary::cosh(x), |x, y, g| g.zmul(x.sinh());
    /// Hyperbolic tangent; the derivative comes from `e^−2|x|`, so it does not cancel where `y` saturates.
    pub tanh() => Tanh, formula |x| elementary::tanh(x), |x, y, g| g.zmul(x.sech2());
    /// `1 − tanh² x`
    pub(crate) sech2() => Sech2, formula |x| elementary::sech2(x), |x, y, g| g.zmul(x.tanh().mul_scalar(-2.0).zmul(y));
    /// Inverse hyperbolic sine.
    pub asinh() => Asinh, formula |x| elementary::asinh(x), |x, y, g| g.zmul(x.asinh_slope());
    /// `1/√(1+x²)`
    pub(crate) asinh_slope() => AsinhSlope, |x| x.asinh_slope(),
        |x, y, g| g.zmul(x.both(y).both(y.square())).neg();
    /// Inverse hyperbolic cosine; the derivative at 1 is ∞.
    pub acosh() => Acosh, formula |x| elementary::acosh(x), |x, y, g| g.zmul(x.acosh_slope());
    /// `1/(√(x−1)·√(x+1))`
    pub(crate) acosh_slope() => AcoshSlope, |x| x.acosh_slope(),
        |x, y, g| g.zmul(x.both(y).both(y.square())).neg();
    /// `ln cosh x`, without overflow and with all digits near 0, where it is `x²/2`; the derivative is `tanh x`. As a loss of a
    /// difference it is between the square and the absolute value.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1e-10, 0.0, 1000.0]));
    /// let y = x.log_cosh();
    /// assert!((y.value().as_slice()[0] / 5e-21 - 1.0).abs() < 1e-15);
    /// assert!((y.value().as_slice()[2] - (1000.0 - std::f64::consts::LN_2)).abs() < 2e-13);
    /// assert_eq!(grad(y.sum(), &x).value().as_slice()[1..], [0.0, 1.0]);
    /// ```
    pub log_cosh() => LogCosh, formula |x| elementary::log_cosh(x), |x, y, g| g.zmul(x.tanh());
    /// Inverse hyperbolic tangent; the derivative at ±1 is ∞.
    pub atanh() => Atanh, formula |x| elementary::atanh(x), |x, y, g| g.zmul(x.atanh_slope());
    /// `1/((1−x)(1+x))`, NaN outside [−1, 1].
    pub(crate) atanh_slope() => AtanhSlope,
        |x| if x.abs() > T::ONE { T::NAN } else { ((T::ONE - x) * (T::ONE + x)).recip() },
        |x, y, g| g.zmul(x.mul_scalar(2.0).zmul(y.square()));

    /// `1/(1+e^−x)`
    pub sigmoid() => Sigmoid, formula |x| elementary::sigmoid(x), |x, y, g| g.zmul(x.sigmoid_slope());
    /// `σ(x)·σ(−x)` from `e^−|x|`
    pub(crate) sigmoid_slope() => SigmoidSlope, formula |x| elementary::sigmoid_slope(x),
        |x, y, g| g.zmul(y.zmul(x.mul_scalar(0.5).tanh())).neg();
    /// `ln σ(x)`
    pub log_sigmoid() => LogSigmoid, formula |x| elementary::log_sigmoid(x),
        |x, y, g| g.zmul(x.neg().sigmoid());
    /// `ln(1 + e^x)`
    pub softplus() => Softplus, formula |x| elementary::softplus(x), |x, y, g| g.zmul(x.sigmoid());

    /// `max(x, 0)`; the derivative at 0 is 0. The rule reads the result, which is positive where `x` is.
    pub relu() => Relu, |x| select(x < T::ZERO, T::ZERO, x), |x, y, g| g.gate(y),
        kink |x| x == T::ZERO;
    /// `x − tanh x`, with all digits near 0, where it is `x³/3`; the derivative is `tanh² x`.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([3e-50, 0.0, 1e3]));
    /// let y = x.tanhshrink();
    /// assert!((y.value().as_slice()[0] / 9e-150 - 1.0).abs() < 1e-15);
    /// assert_eq!(y.value().as_slice()[1..], [0.0, 999.0]);
    /// assert_eq!(grad(y.sum(), &x).value().as_slice()[1..], [0.0, 1.0]);
    /// ```
    pub tanhshrink() => Tanhshrink, formula |x| elementary::tanhshrink(x), |x, y, g| {
        let slope = x.tanh();
        g.zmul(slope).zmul(slope)
    };
    /// `x` above 0, `negative_slope · x` below.
    pub leaky_relu(negative_slope: f64) => LeakyRelu, |x| select(x > T::ZERO, x, negative_slope * x),
        |x, y, g| g.weigh(x.step_to(negative_slope, negative_slope.min(1.0))),
        kink |x| x == T::ZERO && negative_slope != T::ONE;
    /// `x` above 0, `alpha · (e^x − 1)` below.
    pub elu(alpha: f64) => Elu, formula |x| select(x.is_above(R::ZERO), x, alpha * elementary::exp_m1(x)),
        |x, y, g| g.zmul(x.elu_slope(alpha)), kink |x| x == T::ZERO;
    /// 1 above 0, `alpha · e^x` below, the smaller of both at 0.
    pub(crate) elu_slope(alpha: f64) => EluSlope,
        formula |x| {
            let below = select(x.equals(R::ZERO), alpha.smaller(R::ONE), alpha * elementary::exp(x));
            select(x.is_above(R::ZERO), R::ONE, below)
        },
        |x, y, g| g.both(x.elu_tail(alpha));
    /// 0 from 0 on, `alpha · e^x` below.
    pub(crate) elu_tail(alpha: f64) => EluTail,
        formula |x| select(x.is_below(R::ZERO), alpha * elementary::exp(x), R::ZERO),
        |x, y, g| g.zmul(y);
    /// 1 above 0, `at_zero` at 0, `below` below.
    pub(crate) step_to(below: f64, at_zero: f64) => StepTo,
        |x| select(x > T::ZERO, T::ONE, select(x == T::ZERO, at_zero, below)), |x, y, g| None;
    /// `(x + 3)/6` limited to `[0, 1]`; the derivative at the knees −3 and 3 is 0.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-3.0, 0.0, 4.0]));
    /// let y = x.hardsigmoid();
    /// assert_eq!(y.value().as_slice(), [0.0, 0.5, 1.0]);
    /// assert_eq!(grad(y.sum(), &x).value().as_slice(), [0.0, 1.0 / 6.0, 0.0]);
    /// ```
    pub hardsigmoid() => Hardsigmoid, |x| hard_gate(x, 1.0), |x, y, g| g.weigh(x.inside(-3.0, 3.0)).div_scalar(6.0),
        kink |x| x.abs() == T::of(3.0);
    /// `x · hardsigmoid(x)` (Howard et al., 2019): 0 up to −3 and `x` from 3 on. The derivative is 0 at −3 and 1 at 3, the supergradients
    /// of least norm.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-3.0, 0.0, 3.0]));
    /// let y = x.hardswish();
    /// assert_eq!(y.value().as_slice(), [0.0, 0.0, 3.0]);
    /// assert_eq!(grad(y.sum(), &x).value().as_slice(), [0.0, 0.5, 1.0]);
    /// ```
    pub hardswish() => Hardswish, |x| select(x <= T::of(-3.0), T::ZERO, x * hard_gate(x, 1.0)), |x, y, g| g.both(x.hardswish_slope()),
        kink |x| x.abs() == T::of(3.0);
    /// 0 up to −3, 1 from 3 on, `(2x + 3)/6` between.
    pub(crate) hardswish_slope() => HardswishSlope, |x| hard_gate(x, 2.0),
        |x, y, g| g.weigh(x.inside(-3.0, 3.0)).div_scalar(3.0);
    /// `x` moved towards 0 by a `lambda` above 0, or 0.
    pub(crate) softshrink_by(lambda: f64) => SoftshrinkBy,
        |x| select(x.abs() <= lambda, T::ZERO, x - lambda.copysign(x)), |x, y, g| g.gate(y.abs()), kink |x| x.abs() == lambda;
    /// `x` beyond `±lambda`, which is above 0, else 0.
    pub(crate) hardshrink_by(lambda: f64) => HardshrinkBy,
        |x| select(x.abs() <= lambda, T::ZERO, x), |x, y, g| g.keep(y), kink |x| x.abs() == lambda;
    /// `x` limited to `[min, max]`; the derivative at a bound is 0.
    pub(crate) clamp_to(min: f64, max: f64) => ClampTo,
        |x| select(x < min, min, select(x > max, max, x)), |x, y, g| g.weigh(x.inside(min, max)),
        kink |x| x == min || x == max;
    /// A power of two that brings the larger of `|x|` and a floor near 1, so that squares neither overflow nor vanish. What is
    /// multiplied by it must not depend on which one it is: the derivative is 0.
    pub(crate) unit_scale(floor: f64) => UnitScale, |x| x.abs().larger(floor).inverse_binade(), |x, y, g| None;
    /// 1 strictly between the bounds, else 0.
    pub(crate) inside(min: f64, max: f64) => Inside,
        |x| select((x > min) & (x < max), T::ONE, T::ZERO), |x, y, g| None;

    /// `x · Φ(x)`, with the normal distribution function `Φ` (Hendrycks and Gimpel, 2016).
    pub gelu() => Gelu, formula |x| elementary::gelu(x),
        |x, y, g| g.zmul(x.gelu_slope());
    /// `Φ(x) + x·φ(x)`
    pub(crate) gelu_slope() => GeluSlope,
        formula |x| elementary::gelu_slope(x),
        |x, y, g| g.zmul(x.normal_density().zmul(x.square().neg().add_scalar(2.0)));
    /// `φ(x) = e^(−x²/2) / √(2π)`
    pub(crate) normal_density() => NormalDensity, formula |x| elementary::normal_density(x), |x, y, g| g.zmul(y.zmul(x)).neg();
    /// The tanh form of GELU: `x/2 · (1 + tanh(√(2/π)(x + 0.044715 x³)))`.
    pub gelu_tanh() => GeluTanh, formula |x| elementary::gelu_tanh(x), |x, y, g| g.zmul(x.gelu_tanh_slope());
    /// The derivative of `gelu_tanh`.
    pub(crate) gelu_tanh_slope() => GeluTanhSlope, formula |x| elementary::gelu_tanh_slope(x), |x, y, g| g.zmul(x.gelu_tanh_curve());
    /// The second derivative of `gelu_tanh`, a function of its own since `v` must not be rounded.
    pub(crate) gelu_tanh_curve() => GeluTanhCurve, formula |x| elementary::gelu_tanh_curve(x), |x, y, g| gelu_tanh_third(x, g);
    /// `x · σ(x)`, also called swish.
    pub silu() => Silu, formula |x| elementary::silu(x),
        |x, y, g| g.zmul(x.silu_slope());
    /// `σ(x) + x·σ′(x)`
    pub(crate) silu_slope() => SiluSlope,
        formula |x| elementary::silu_slope(x),
        |x, y, g| g.zmul(x.silu_curve());
    /// The second derivative of silu.
    pub(crate) silu_curve() => SiluCurve, formula |x| elementary::silu_curve(x), |x, y, g| silu_third(x, g);

    /// `x · tanh(ln(1 + e^x))` (Misra, 2019).
    pub mish() => Mish, formula |x| elementary::mish(x),
        |x, y, g| g.zmul(x.mish_slope());
    /// With `w = tanh(softplus x)`: `w + x·(1 − w²)·σ(x)`.
    pub(crate) mish_slope() => MishSlope,
        formula |x| elementary::mish_slope(x),
        |x, y, g| g.zmul(x.mish_curve());
    /// The second derivative of mish.
    pub(crate) mish_curve() => MishCurve, formula |x| elementary::mish_curve(x), |x, y, g| mish_third(x, g);
    /// `x / (1 + |x|)`; the second derivative at 0, which jumps from 2 to −2, is 0.
    pub softsign() => Softsign,
        |x| select(x.abs() == T::INFINITY, T::ONE.copysign(x), x / (T::ONE + x.abs())),
        |x, y, g| g.zmul(x.softsign_slope()), kink |x| x == T::ZERO;
    /// `1 / (1 + |x|)²`
    pub(crate) softsign_slope() => SoftsignSlope,
        |x| { let r = (T::ONE + x.abs()).recip(); r * r },
        |x, y, g| g.weigh(x.sign()).zmul(y.zmul(x.abs().add_scalar(1.0).reciprocal())).mul_scalar(-2.0);

    /// The error function `2/√π ∫₀ˣ e^(−t²) dt`.
    pub erf() => Erf, formula |x| elementary::erf(x), |x, y, g| g.zmul(x.erf_slope());
    /// `1 − erf x`, exact in the right tail.
    pub erfc() => Erfc, formula |x| elementary::erfc(x), |x, y, g| g.zmul(x.erf_slope()).neg();
    /// `2/√π · e^(−x²)`
    pub(crate) erf_slope() => ErfSlope, formula |x| elementary::erf_slope(x),
        |x, y, g| g.zmul(y.zmul(x.mul_scalar(-2.0)));
    /// The normal distribution function `Φ(x) = ½·erfc(−x/√2)`, with all digits on the left; the derivative is the density
    /// `e^(−x²/2)/√(2π)`.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([f64::NEG_INFINITY, 0.0, 1.959963984540054]));
    /// let y = x.ndtr();
    /// assert_eq!(y.value().as_slice(), [0.0, 0.5, 0.975]);
    /// assert_eq!(grad(y.sum(), &x).value().as_slice()[1], 0.3989422804014327);
    /// ```
    pub ndtr() => Ndtr, formula |x| elementary::ndtr(x), |x, y, g| g.zmul(x.normal_density());
    /// `ln Φ(x)`, the logarithm of the normal distribution function, as `scipy.special.log_ndtr`: with all digits in both tails, on the
    /// left `−x²/2 − ln(−x·√(2π))` and what is small beside it. The derivative is `φ(x)/Φ(x)`, which goes as `−x` there.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-1e10, 0.0]));
    /// let y = x.log_ndtr();
    /// assert_eq!(y.value().as_slice(), [-5e19, -std::f64::consts::LN_2]);
    /// assert_eq!(grad(y.sum(), &x).value().as_slice()[0], 1e10);
    /// ```
    pub log_ndtr() => LogNdtr, formula |x| elementary::log_ndtr(x), |x, y, g| g.zmul(x.inverse_mills());
    /// `φ(x)/Φ(x)`, the inverse of Mills' ratio at `−x`.
    pub(crate) inverse_mills() => InverseMills, formula |x| elementary::inverse_mills(x), |x, y, g| g.zmul(x.mills_curve()).neg();
    /// `h·(h + x)` for `h = φ(x)/Φ(x)`: less the second derivative of `ln Φ`.
    pub(crate) mills_curve() => MillsCurve, formula |x| elementary::mills_curve(x), |x, y, g| mills_third(x, g);
    /// `E[(x − Z)^order | Z < x] / order!` of a normally distributed `Z`, for an order of 1 and above.
    pub(crate) normal_excess(order: u32) => NormalExcess, numbers |x| wide(x, |x| special::normal_excess(order, x)),
        |x, y, g| g.zmul(x.normal_excess(order + 1).mul_scalar(f64::from(order) + 1.0) - y.zmul(x.normal_excess(1)));
    /// The inverse of the error function: ±∞ at ±1, NaN beyond. The derivative is `√π/2 · e^(y²)`.
    pub erfinv() => Erfinv, formula |x| special::erfinv_near(x), rare |x| x.is_near_one() => x.erfinv(),
        |x, y, g| g.zmul(x.erfinv_slope());
    /// `√π/2 · e^(y²)` for `y = erfinv x`, from `x` itself, whose distance from ±1 decides it.
    pub(crate) erfinv_slope() => ErfinvSlope, formula |x| special::erfinv_slope_near(x), rare |x| x.is_near_one() => x.erfinv_slope(),
        |x, y, g| g.zmul(x.erfinv().mul_scalar(2.0).zmul(y.square()));
    /// `ln |Γ(x)|`: ∞ at 0 and at the negative integers. The derivative is the digamma function.
    pub lgamma() => Lgamma, vectors |x| T::of(special::lgamma_usual(x.to_f64())),
        rare |x| !special::is_usual_for_gamma(x.to_f64()) => wide(x, special::lgamma), |x, y, g| g.zmul(x.digamma());
    /// The digamma function `ψ(x) = Γ′(x)/Γ(x)`: −∞ at 0, ∞ at −0, NaN at the negative integers.
    pub digamma() => Digamma, vectors |x| T::of(special::digamma_usual(x.to_f64())),
        rare |x| !special::is_usual_for_gamma(x.to_f64()) => wide(x, special::digamma), |x, y, g| g.zmul(x.polygamma_order(1));
    /// The `order`-th derivative of the digamma function.
    pub(crate) polygamma_order(order: u32) => PolygammaOrder, numbers |x| wide(x, |x| special::polygamma(order, x)),
        |x, y, g| g.zmul(x.polygamma_order(order + 1));
    /// The `order`-th derivative of `sin(πx) / (πx)`.
    pub(crate) sinc_order(order: u32) => SincOrder,
        slices |x, y| sinc_derivatives(order, x, y),
        |x, y, g| g.zmul(x.sinc_order(order + 1));
}
