//! Element-wise functions of two operands, broadcast by NumPy's rule: a table, and the operators.

use crate::diff::forward::plus;
use crate::diff::reverse::is_ones;
use crate::float::Float;
use crate::kernels::chain::TileOp;
use crate::kernels::extreme::is_top;
use crate::kernels::in_turn;
use crate::kernels::norm_slope::over_norm;
use crate::kernels::spread::in_tiles;
use crate::kernels::zip::{Rows, zip, zip_formula, zip_formula_but, zip_numbers};
use crate::number::Number;
use crate::number::elementary::{self, select};
use crate::number::formula::{Formula, Functions};
use crate::ops::operand::{Given, Operand};
use crate::tape::op::{Arity, Named, Op, View, ViewMut};
use crate::tape::var::Var;
use crate::tensor::error::{Error, Kind, Reason};
use crate::tensor::shape::Shape;
use smallvec::{SmallVec, smallvec};
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// The cotangent of a second operand that is broadcast, if it is negated: the sum is less to negate. What is divided before is not
/// summed first, which may overflow.
fn negated_last<'t, T: Float>(
    op: Binary,
    arg: usize,
    [_, b]: [Var<'t, T>; 2],
    y: Var<'t, T>,
    dy: Var<'t, T>,
) -> Option<Var<'t, T>> {
    if arg == 0 || b.sizes().numel() >= dy.sizes().numel() {
        return None;
    }
    let terms = if op == Binary::Sub {
        dy
    } else if op == Binary::Div {
        dy.zmul(y).zdiv(b)
    } else {
        return None;
    };
    Some(terms.sum_to(b.sizes()).neg())
}

/// A row: docs, name of the method; the variant; the function of two numbers, marked `formula` where it costs much and is one of any `R`
/// that formulas are of, with what is called `else`, where that gives NaN; and a rule for each operand, which multiplies `g`, a cotangent
/// or a tangent, by the partial derivative at `a`, `b` (with `y = f(a, b)`), or is `None` where that is zero everywhere. The Jacobians are
/// diagonal, so one rule serves both directions. A row with a kink says where it is; see [`Op::kink`]. The rows of `public` are methods of
/// `Var`, those of `internal` a trait's that other rules use.
macro_rules! binary {
    (
        public { $(
            $(#[$doc:meta])* $name:ident / $try_name:ident => $variant:ident, $($kind:ident)? |$u:ident, $v:ident| $f:expr, $(else $whole:path,)?
            |$a:ident, $b:ident, $y:ident, $g:ident| ($da:expr, $db:expr)
            $(, kink |$ka:ident, $kb:ident| $kink:expr)?;
        )* }
        internal { $(
            $(#[$idoc:meta])* $iname:ident => $ivariant:ident, $($ikind:ident)? |$iu:ident, $iv:ident| $if:expr,
            |$ia:ident, $ib:ident, $iy:ident, $ig:ident| ($ida:expr, $idb:expr);
        )* }
    ) => {
        /// Which element-wise function of two operands.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Binary {
            $($variant,)* $($ivariant,)*
        }

        impl Named for Binary {
            const NAMES: &'static [&'static str] = &[$(stringify!($name),)* $(stringify!($iname)),*];
        }

        impl Binary {
            /// Whether it costs much more than an addition: the rows that are marked.
            pub(crate) fn costs_much(self) -> bool {
                match self {
                    $(Self::$variant => binary!(@is_marked $($kind)?),)*
                    $(Self::$ivariant => binary!(@is_marked $($ikind)?),)*
                }
            }

            /// Whether this multiplies the cotangent that a gradient starts from, which is 1: the product is the other operand.
            #[inline]
            fn weighs_by_one<'t, T: Float>(self, g: Var<'t, T>, w: Var<'t, T>) -> bool {
                matches!(self, Self::Zmul | Self::Both | Self::Weigh)
                    && std::ptr::eq(g.tape(), w.tape())
                    && is_ones(g)
                    && g.sizes().broadcasts_to(w.sizes())
            }

            fn rule<'t, T: Float>(
                self,
                arg: usize,
                [a, b]: [Var<'t, T>; 2],
                y: Var<'t, T>,
                g: Var<'t, T>,
            ) -> Option<Var<'t, T>> {
                match self {
                    $(Self::$variant => { binary!(@rule arg, a, b, y, g, $a, $b, $y, $g, $da, $db) })*
                    $(Self::$ivariant => { binary!(@rule arg, a, b, y, g, $ia, $ib, $iy, $ig, $ida, $idb) })*
                }
            }
        }

        impl Binary {
            fn in_rows<T: Float>(self, rows: &Rows, a: &[T], b: &[T], y: &mut [T]) {
                match self {
                    $(Self::$variant => binary!(@eval $($kind)? (rows, a, b, y) |$u, $v| $f $(, else $whole)?),)*
                    $(Self::$ivariant => binary!(@eval $($ikind)? (rows, a, b, y) |$iu, $iv| $if),)*
                }
            }
        }

        impl<T: Float> TileOp<T> for Binary {
            fn names(&self) -> SmallVec<[&'static str; 2]> {
                smallvec![Op::<T, 2>::name(self)]
            }
            fn run(&self, [a, b, _]: [&[T]; 3], y: &mut [T], _: &mut [T]) {
                let step = |x: &[T]| usize::from(x.len() == y.len());
                self.in_rows(&Rows::one(y.len(), [step(a), step(b)]), a, b, y);
            }
        }

        impl<T: Float> Op<T, 2> for Binary {
            fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($name),)*
                    $(Self::$ivariant => stringify!($iname),)*
                }
            }
            fn shape(&self, [a, b]: [&Shape; 2]) -> Result<Shape, Reason> {
                a.broadcast(b).ok_or_else(|| Reason::shape("the shapes do not broadcast"))
            }
            fn eval(&self, [a, b]: [View<'_, T>; 2], y: ViewMut<'_, T>) {
                let rows = rows((a.shape, a.data.len()), (b.shape, b.data.len()), (y.shape, y.data.len()));
                if rows.are_short() {
                    return in_tiles([a, b].map(|x| x.over(y.shape)), y.data, |[a, b], y| {
                        self.run([a, b, &[]], y, &mut []);
                    });
                }
                self.in_rows(&rows, a.data, b.data, y.data);
            }
            fn kink(&self, [a, b]: [View<'_, T>; 2]) -> Option<usize> {
                match self {
                    $(Self::$variant => { $(return first(a, b, |$ka: T, $kb: T| $kink);)? })*
                    $(Self::$ivariant => {})*
                }
                None
            }
            fn vjp<'t>(&self, arg: usize, args: [Var<'t, T>; 2], y: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
                negated_last(*self, arg, args, y, dy).or_else(|| self.rule(arg, args, y, dy))
            }
            fn jvp<'t>(
                &self,
                args: [Var<'t, T>; 2],
                y: Var<'t, T>,
                [da, db]: [Option<Var<'t, T>>; 2],
            ) -> Option<Var<'t, T>> {
                let from_a = da.and_then(|da| self.rule(0, args, y, da));
                let from_b = db.and_then(|db| self.rule(1, args, y, db));
                plus(from_a, from_b)
            }
        }

        /// # Element-wise functions of two operands
        ///
        /// Shapes broadcast by NumPy's rule; the operators `+ - * /` are these, too. Each has a twin for shapes that come from outside.
        impl<'t, T: Float> Var<'t, T> {
            $(
                $(#[$doc])*
                #[track_caller]
                #[allow(clippy::should_implement_trait, reason = "the operators below do, and call these")]
                #[inline]
                pub fn $name(self, other: impl Operand<'t, T>) -> Self {
                    let other = other.given().on(self.tape());
                    if Binary::$variant.weighs_by_one(self, other) {
                        return other;
                    }
                    self.tape().record(Arity(Binary::$variant), [self, other])
                }

                #[doc = concat!("As [`Var::", stringify!($name), "`], for shapes that come from outside.")]
                ///
                /// # Errors
                /// Where the shapes do not broadcast, or the operands live on different tapes.
                #[track_caller]
                pub fn $try_name(self, other: impl Operand<'t, T>) -> Result<Self, Error> {
                    self.tape().try_record(Arity(Binary::$variant), [self, other.given().on(self.tape())])
                }
            )*
        }

        /// Element-wise operations that only rules use.
        pub(crate) trait BinaryRules: Sized {
            $($(#[$idoc])* fn $iname(self, other: Self) -> Self;)*
        }
        impl<'t, T: Float> BinaryRules for Var<'t, T> {
            $(
                #[track_caller]
                fn $iname(self, other: Self) -> Self {
                    if Binary::$ivariant.weighs_by_one(self, other) {
                        return other;
                    }
                    self.tape().record(Arity(Binary::$ivariant), [self, other])
                }
            )*
        }
    };
    (@is_marked) => { false };
    (@is_marked $kind:ident) => { true };
    (@eval formula ($($walked:expr),*) |$u:ident, $v:ident| $f:expr $(, else $whole:path)?) => {{
        struct Row;
        impl Formula<2, 1> for Row {
            #[inline(always)]
            fn of<R: Functions>(&self, [$u, $v]: [R; 2]) -> [R; 1] {
                [$f]
            }
        }
        binary!(@walk $($whole)?)($($walked),*, &Row $(, $whole)?)
    }};
    (@walk) => { zip_formula };
    (@walk $whole:path) => { zip_formula_but };
    (@eval ($($walked:expr),*) |$u:ident, $v:ident| $f:expr) => {
        zip($($walked),*, #[inline(always)] |$u: T, $v: T| $f)
    };
    (@rule $arg:ident, $va:ident, $vb:ident, $vy:ident, $vg:ident,
     $a:ident, $b:ident, $y:ident, $g:ident, $da:expr, $db:expr) => {{
        let ($a, $b, $y, $g) = ($va, $vb, $vy, $vg);
        let _ = ($a, $b, $y, $g);
        if $arg == 0 { Option::<Var<'t, T>>::from($da) } else { Option::<Var<'t, T>>::from($db) }
    }};
}

/// How the operands of an element-wise operation are walked, from their shapes and their lengths.
fn rows(a: (&Shape, usize), b: (&Shape, usize), y: (&Shape, usize)) -> Rows {
    let ((a, a_len), (b, b_len), (y, n)) = (a, b, y);
    match (a_len == n, b_len == n) {
        (true, true) => Rows::one(n, [1, 1]),
        (true, false) if b_len == 1 => Rows::one(n, [1, 0]),
        (false, true) if a_len == 1 => Rows::one(n, [0, 1]),
        // A row added to each of many rows, the commonest broadcast: a bias.
        (true, false) if b.rank() == 1 && b_len > 0 && b_len == y[y.rank() - 1] => {
            Rows::broadcast(&[n / b_len, b_len], [&[b_len, 1], &[0, 1]])
        }
        _ => Rows::broadcast(y, [&a.strides_in(y), &b.strides_in(y)]),
    }
}

/// The first element of the result at which a condition on the operands holds.
fn first<T: Float>(a: View<'_, T>, b: View<'_, T>, holds: impl Fn(T, T) -> bool) -> Option<usize> {
    let shape = a.shape.broadcast(b.shape)?;
    let mut masks = vec![T::ZERO; shape.numel()];
    let rows = rows((a.shape, a.data.len()), (b.shape, b.data.len()), (&shape, masks.len()));
    zip_numbers(&rows, a.data, b.data, &mut masks, |a, b| mask(holds(a, b)));
    masks.iter().position(|&mask| mask == T::ONE)
}

#[inline(always)]
fn mask<T: Float>(holds: bool) -> T {
    if holds { T::ONE } else { T::ZERO }
}

/// The share of `a` in an extreme of `a` and `b`: 1 where it wins, a half at a tie, 0 where it loses; a NaN wins.
#[inline(always)]
fn share<T: Float>(a: T, b: T, wins: bool) -> T {
    let half = T::of(0.5);
    let of_numbers = select(a == b, half, mask(wins));
    let beside_nan = select(b.is_nan(), T::ZERO, of_numbers);
    select(a.is_nan(), select(b.is_nan(), half, T::ONE), beside_nan)
}

binary! {
    public {
        /// `a + b`
        add / try_add => Add, |a, b| a + b, |a, b, y, g| (g, g);
        /// `a − b`
        sub / try_sub => Sub, |a, b| a - b, |a, b, y, g| (g, g.neg());
        /// `a · b`
        mul / try_mul => Mul, |a, b| a * b, |a, b, y, g| (g.zmul(b), g.zmul(a));
        /// `a / b`, as IEEE divides. The rule for `b` is `−g·(a/b)/b`, which does not overflow where `b²` would.
        div / try_div => Div, |a, b| a / b, |a, b, y, g| (g.zdiv(b), g.zmul(y).zdiv(b).neg());
        /// `g · p`, but exactly 0 where `g` is 0, whatever `p` is: the absolute zero of derivative rules.
        ///
        /// ```
        /// use autograd::{Tape, Tensor};
        /// let tape = Tape::new();
        /// let zero = tape.scalar(0.0);
        /// assert_eq!(zero.zmul(tape.scalar(f64::INFINITY)).item(), 0.0);
        /// ```
        zmul / try_zmul => Zmul, |g, p| in_turn::zmul(g, p),
            |a, b, y, g| (g.zmul(b), g.both(a));
        /// `a^b`, both variable. At `a = 0` the derivatives are their limits where those exist, and 0 at (0, 0).
        pow / try_pow => Pow, formula |a, b| elementary::pow(a, b), |a, b, y, g| (
            g.both(a.pow_slope(b)),
            g.both(y.zmul(a.pow_log(b)))
        );
        /// The larger; NaN if either is. A tie shares the cotangent equally; so `max(x, x)` has derivative 1.
        maximum / try_maximum => Maximum, |a, b| a.larger(b),
            |a, b, y, g| (g.weigh(a.larger_share(b)), g.weigh(b.larger_share(a))), kink |a, b| a == b;
        /// The smaller; NaN if either is. A tie shares the cotangent equally.
        minimum / try_minimum => Minimum, |a, b| a.smaller(b),
            |a, b, y, g| (g.weigh(a.smaller_share(b)), g.weigh(b.smaller_share(a))), kink |a, b| a == b;
        /// The angle of the point `(other, self)`, in radians: `y.atan2(x)`. The derivatives at the origin are 0.
        atan2 / try_atan2 => Atan2, formula |a, b| elementary::atan2(a, b), |a, b, y, g| (g.both(b.over_squares(a)), g.both(a.over_squares(b)).neg()), kink |a, b| a == T::ZERO && b == T::ZERO;
        /// `√(a² + b²)` without overflow. The derivatives at the origin are 0, as for every norm.
        hypot / try_hypot => Hypot, |a, b| a.hypot(b),
            |a, b, y, g| (g.both(a.hypot_share(b)), g.both(b.hypot_share(a))),
            kink |a, b| a == T::ZERO && b == T::ZERO;
        /// The remainder `a − ⌊a/b⌋·b`, with the sign of the divisor, as in Python, NumPy and `torch.remainder`: exact where the operands
        /// have one sign, else rounded once. The derivatives are 1 and `−⌊a/b⌋`, also where it jumps; the latter is NaN where the remainder
        /// is infinite.
        ///
        /// ```
        /// use autograd::{grad, Tape, Tensor};
        /// let tape = Tape::new();
        /// let (x, y) = (tape.var(&Tensor::from([7.0, -7.0])), tape.scalar(3.0));
        /// let rest = x.rem(y);
        /// assert_eq!(rest.value().as_slice(), [1.0, 2.0]);
        /// let (dx, dy) = grad(rest.sum(), &(x, y));
        /// assert_eq!(dx.value().as_slice(), [1.0, 1.0]);
        /// assert_eq!(dy.item(), -2.0 + 3.0);
        /// ```
        rem / try_rem => Rem, formula |a, b| elementary::near_remainder(a, b), else elementary::remainder,
            |a, b, y, g| (g, g.weigh((a / b - y / b).round()).neg());
        /// `ln(e^a + e^b)`
        logaddexp / try_logaddexp => Logaddexp,
            formula |a, b| elementary::logaddexp(a, b),
            |a, b, y, g| (g.zmul(a.logistic_share(b)), g.zmul(b.logistic_share(a)));
        /// `a · ln b`, 0 where `a` is 0.
        xlogy / try_xlogy => Xlogy, formula |a, b| select(a.equals(R::ZERO) & !b.is_nan(), R::ZERO, a * elementary::ln(b)),
            |a, b, y, g| (g.both(b.xlogy_log(a)), g.both(a.zmul(b.log_slope())));
        /// `a · ln(1 + b)`, exact near `b = 0`; 0 where `a` is 0.
        xlog1py / try_xlog1py => Xlog1py,
            formula |a, b| select(a.equals(R::ZERO) & !b.is_nan(), R::ZERO, a * elementary::ln_1p(b)),
            |a, b, y, g| (g.both(b.xlog1py_log(a)), g.both(a.zmul(b.add_scalar(1.0).log_slope())));
        /// 1 where `a = b`, else 0. The derivative is 0.
        eq / try_eq => Equal, |a, b| mask(a == b), |a, b, y, g| (None, None);
        /// 1 where `a ≠ b`, else 0. The derivative is 0.
        ne / try_ne => NotEqual, |a, b| mask(a != b), |a, b, y, g| (None, None);
        /// 1 where `a < b`, else 0. The derivative is 0.
        lt / try_lt => Less, |a, b| mask(a < b), |a, b, y, g| (None, None);
        /// 1 where `a ≤ b`, else 0. The derivative is 0.
        le / try_le => LessEqual, |a, b| mask(a <= b), |a, b, y, g| (None, None);
        /// 1 where `a > b`, else 0. The derivative is 0.
        gt / try_gt => Greater, |a, b| mask(a > b), |a, b, y, g| (None, None);
        /// 1 where `a ≥ b`, else 0. The derivative is 0.
        ge / try_ge => GreaterEqual, |a, b| mask(a >= b), |a, b, y, g| (None, None);
    }
    internal {
        /// `g / p`, but exactly 0 where `g` is 0.
        zdiv => Zdiv, |g, p| select(g == T::ZERO, T::ZERO, g / p),
            |a, b, y, g| (g.zdiv(b), g.both(y).zdiv(b).neg());
        /// `a / n` for a norm `n`: 0 where the norm is, at every order; ±1 where both are infinite, as if `a` alone were.
        over_norm => OverNorm, |a, n| over_norm(a, n),
            |a, b, y, g| (g.over_norm(b), g.both(y).over_norm(b).neg());
        /// `a / √(a² + b²)`, 0 at the origin: the slope of `hypot`. Its own slopes `b²/r³` and `−ab/r³` do not cancel.
        hypot_share => HypotShare, formula |a, b| elementary::hypot_share(a, b), |a, b, y, g| (
            { let other = b.hypot_share(a); g.both(other).both(other).over_norm(a.hypot(b)) },
            g.both(y).both(b.hypot_share(a)).over_norm(a.hypot(b)).neg()
        );
        /// `a / (a² + b²)`, 0 at the origin and at infinity: the slope of `atan2` by the other operand, without its sign.
        over_squares => OverSquares, formula |a, b| elementary::over_squares(a, b), |a, b, y, g| (
            { let other = b.over_squares(a); g.both(other - y).both(other + y) },
            g.both(y).both(b.over_squares(a)).mul_scalar(-2.0)
        );
        /// `g · w`, but exactly 0 where either is 0: what is selected away stays away, whatever the other is.
        both => Both, |g, w| select((g == T::ZERO) | (w == T::ZERO), T::ZERO, g * w),
            |a, b, y, g| (g.both(b), g.both(a));
        /// As `both`, for weights that are piecewise constant: a selection, not a product.
        weigh => Weigh, |g, w| select((g == T::ZERO) | (w == T::ZERO), T::ZERO, g * w),
            |a, b, y, g| (g.weigh(b), None);
        /// `g` where `x > 0`, else 0.
        gate => Gate, |g, x| select(x > T::ZERO, g, T::ZERO), |a, b, y, g| (g.gate(b), None);
        /// `g` where the mask holds, else 0.
        keep => Keep, |g, m| select(m == T::ZERO, T::ZERO, g), |a, b, y, g| (g.keep(b), None);
        /// 1 where an element is the extreme of its row, which is given, else 0; a NaN is where that is NaN.
        attains => Attains, |a, top| mask(is_top(a, top)), |a, b, y, g| (None, None);
        /// `g` where the mask does not hold, else 0.
        discard => Discard, |g, m| select(m == T::ZERO, g, T::ZERO), |a, b, y, g| (g.discard(b), None);
        /// The share of `a` in `max(a, b)`.
        larger_share => LargerShare, |a, b| share(a, b, a > b), |a, b, y, g| (None, None);
        /// The share of `a` in `min(a, b)`.
        smaller_share => SmallerShare, |a, b| share(a, b, a < b), |a, b, y, g| (None, None);
        /// `σ(a − b)`, and at equal infinities its limit: a half for +∞, 0 for −∞.
        logistic_share => LogisticShare,
            formula |a, b| elementary::logistic_share(a, b),
            |a, b, y, g| (
                g.zmul(y.zmul(b.logistic_share(a))),
                g.zmul(y.zmul(b.logistic_share(a))).neg()
            );
        /// `b · a^(b−1)`, 0 where `b` is 0: the slope of `pow` by its base.
        pow_slope => PowSlope, formula |a, b| elementary::pow_slope(a, b), |a, b, y, g| (
            g.both(b.zmul(a.pow_slope(b.add_scalar(-1.0)))),
            { let less = b.add_scalar(-1.0); g.both(a.pow(less) + y.zmul(a.pow_log(less))) }
        );
        /// `ln a`, but 0 where `a = 0 ≤ b`, where the power `a^b` does not change with `b`.
        pow_log => PowLog, formula |a, b| select(a.equals(R::ZERO) & b.is_at_least(R::ZERO), R::ZERO, elementary::ln(a)),
            |a, b, y, g| (g.over_norm(a), None);
        /// `ln b`, but 0 where both are 0.
        xlogy_log => XlogyLog,
            formula |b, a| select(a.equals(R::ZERO) & b.equals(R::ZERO), R::ZERO, elementary::ln(b)),
            |b, a, y, g| (g.zmul(b.log_slope()), None);
        /// `ln(1 + b)`, but 0 where `a` is 0 and `b` is −1.
        xlog1py_log => Xlog1pyLog,
            formula |b, a| select(a.equals(R::ZERO) & b.equals(-R::ONE), R::ZERO, elementary::ln_1p(b)),
            |b, a, y, g| (g.zmul(b.add_scalar(1.0).log_slope()), None);
    }
}

/// Operators between variables, and with numbers on either side, also by reference; and the assigning ones, which make
/// the handle one of the result.
macro_rules! operators {
    ($(
        $trait:ident, $method:ident, $assign:ident, $assign_method:ident,
        |$x:ident, $c:ident| $right:expr, $left:expr;
    )*) => {
        $(
            impl<'t, T: Float, R: Operand<'t, T>> $trait<R> for Var<'t, T> {
                type Output = Self;
                #[track_caller]
                #[inline]
                fn $method(self, other: R) -> Self {
                    match other.given() {
                        Given::Var(other) => Var::$method(self, other),
                        Given::Number($c) => {
                            let $x = self;
                            $right
                        }
                    }
                }
            }
            impl<'t, T: Float, R: Operand<'t, T>> $trait<R> for &Var<'t, T> {
                type Output = Var<'t, T>;
                #[track_caller]
                #[inline]
                fn $method(self, other: R) -> Var<'t, T> {
                    $trait::$method(*self, other)
                }
            }
            impl<'t, T: Float, R: Operand<'t, T>> $assign<R> for Var<'t, T> {
                #[track_caller]
                #[inline]
                fn $assign_method(&mut self, other: R) {
                    *self = $trait::$method(*self, other);
                }
            }
            operators!(@left f32, $trait, $method, $x, $c, $left);
            operators!(@left f64, $trait, $method, $x, $c, $left);
        )*
    };
    (@left $t:ident, $trait:ident, $method:ident, $x:ident, $c:ident, $left:expr) => {
        impl<'t> $trait<Var<'t, $t>> for $t {
            type Output = Var<'t, $t>;
            #[track_caller]
            fn $method(self, $x: Var<'t, $t>) -> Var<'t, $t> {
                let $c = f64::from(self);
                $left
            }
        }
        impl<'t> $trait<&Var<'t, $t>> for $t {
            type Output = Var<'t, $t>;
            #[track_caller]
            fn $method(self, var: &Var<'t, $t>) -> Var<'t, $t> {
                $trait::$method(self, *var)
            }
        }
    };
}

operators! {
    Add, add, AddAssign, add_assign, |x, c| x.add_scalar(c), x.add_scalar(c);
    Sub, sub, SubAssign, sub_assign, |x, c| x.add_scalar(-c), x.neg().add_scalar(c);
    Mul, mul, MulAssign, mul_assign, |x, c| x.mul_scalar(c), x.mul_scalar(c);
    Div, div, DivAssign, div_assign, |x, c| x.div_scalar(c), Var::div(x.tape().scalar(Number::of(c)), x);
}

impl<T: Float> Neg for Var<'_, T> {
    type Output = Self;
    #[track_caller]
    fn neg(self) -> Self {
        Var::neg(self)
    }
}

impl<'t, T: Float> Neg for &Var<'t, T> {
    type Output = Var<'t, T>;
    #[track_caller]
    fn neg(self) -> Var<'t, T> {
        Var::neg(*self)
    }
}

impl<T: Float> std::iter::Sum for Var<'_, T> {
    /// # Panics
    /// For an empty iterator, which has no tape to put a zero on, or shapes that do not broadcast. `Iterator::sum` does
    /// not pass on the line that calls it, so each sum, and an error, stands at the line that recorded its last operand;
    /// a panic is told at a line of the standard library. `stack(&vars, 0).sum_axes(0)` tells the caller's line.
    #[track_caller]
    fn sum<I: Iterator<Item = Self>>(mut vars: I) -> Self {
        let Some(mut total) = vars.next() else {
            let text = "the sum of no variables has no tape to live on (Iterator::sum does not tell who calls it)";
            Error::of_call("sum", Kind::Empty, text).raise()
        };
        for (k, var) in (1..).zip(vars) {
            let tape = total.tape();
            let _whole = Error::or_raise(tape.composite_at(var.location(), "sum", [total, var]));
            total.require("sum", total.sizes().broadcast(var.sizes()).is_some(), Kind::Shape, || {
                format!("{var:?}, item {k} of the iterator, does not broadcast with the sum of those before")
            });
            total += var;
        }
        total
    }
}

impl<'a, T: Float> std::iter::Sum<&'a Self> for Var<'_, T> {
    /// # Panics
    /// As the sum by value.
    #[track_caller]
    fn sum<I: Iterator<Item = &'a Self>>(vars: I) -> Self {
        std::iter::Sum::sum(vars.copied())
    }
}
