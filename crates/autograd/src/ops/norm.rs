//! Norms, variances and normalisation.

use crate::diff::forward::plus;
use crate::float::Float;
use crate::kernels::norm_slope::norm_slope;
use crate::kernels::reduce;
use crate::ops::binary::BinaryRules;
use crate::ops::reduce::{Axes, keepdims};
use crate::tape::attribute::{Attributes, along};
use crate::tape::op::{Arity, Named, Op, View, ViewMut};
use crate::tape::var::Var;
use crate::tensor::error::{Kind, Reason};
use crate::tensor::shape::Shape;
use crate::tensor::span::Span;
use smallvec::SmallVec;

/// The Euclidean norm along axes, which are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Norm2 {
    pub(super) along: Span,
}

/// `g · x / y` for the norm `y` of `x` along axes and a cotangent `g` of that, 0 where the norm is: the subgradient of least norm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NormSlope {
    pub(crate) along: Span,
}

/// `x / ‖x‖`, 0 where the norm is.
fn direction<'t, T: Float>(along: Span, x: Var<'t, T>, y: Var<'t, T>) -> Var<'t, T> {
    x.over_norm(y.expand_span(along))
}

impl Named for Norm2 {
    const NAMES: &'static [&'static str] = &["norm"];
}

impl<T: Float> Op<T, 1> for Norm2 {
    fn name(&self) -> &'static str {
        "norm"
    }
    fn attributes(&self) -> Attributes {
        along(self.along)
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(x.splice(self.along, &[]))
    }
    fn eval(&self, [x]: [View<'_, T>; 1], y: ViewMut<'_, T>) {
        let (_, n, inner) = x.shape.around(self.along);
        if n == 0 {
            // The sum of no numbers is −0 in the standard library.
            return y.data.fill(T::ZERO);
        }
        reduce::norm(x.data, (n, inner), y.data);
    }
    fn kink(&self, [x]: [View<'_, T>; 1]) -> Option<usize> {
        let (outer, n, inner) = x.shape.around(self.along);
        let row = |r: usize| (0..n).map(move |j| x.data[(r / inner * n + j) * inner + r % inner]);
        (0..outer * inner).find(|&r| row(r).all(|x| x == T::ZERO))
    }
    fn vjp<'t>(&self, _: usize, [x]: [Var<'t, T>; 1], y: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        Some(y.tape().record(Arity(NormSlope { along: self.along }), [x, y, dy]))
    }
    fn jvp<'t>(&self, [x]: [Var<'t, T>; 1], y: Var<'t, T>, [dx]: [Option<Var<'t, T>>; 1]) -> Option<Var<'t, T>> {
        Some(dx?.both(direction(self.along, x, y)).sum_axes(self.along))
    }
}

impl Named for NormSlope {
    const NAMES: &'static [&'static str] = &["norm_slope"];
}

impl NormSlope {
    /// A cotangent or tangent of `x / y` as that of the norm `y`: `−dq·(x/y)/y`, which does not overflow where `y²` would.
    fn by_norm<'t, T: Float>(self, [x, y, _]: [Var<'t, T>; 3], dq: Var<'t, T>) -> Var<'t, T> {
        dq.both(direction(self.along, x, y)).over_norm(y.expand_span(self.along)).neg()
    }
}

impl<T: Float> Op<T, 3> for NormSlope {
    fn name(&self) -> &'static str {
        "norm_slope"
    }
    fn attributes(&self) -> Attributes {
        along(self.along)
    }
    fn shape(&self, [x, ..]: [&Shape; 3]) -> Result<Shape, Reason> {
        Ok(x.clone())
    }
    fn eval(&self, [x, y, g]: [View<'_, T>; 3], z: ViewMut<'_, T>) {
        let (_, n, inner) = x.shape.around(self.along);
        norm_slope([x.data, y.data, g.data], (n, inner), z.data);
    }
    fn vjp<'t>(&self, arg: usize, args: [Var<'t, T>; 3], _: Var<'t, T>, dz: Var<'t, T>) -> Option<Var<'t, T>> {
        let [x, y, g] = args;
        let of_quotient = || dz.both(g.expand_span(self.along));
        Some(match arg {
            0 => of_quotient().over_norm(y.expand_span(self.along)),
            1 => self.by_norm(args, of_quotient()).sum_axes(self.along),
            _ => dz.both(direction(self.along, x, y)).sum_axes(self.along),
        })
    }
    fn jvp<'t>(
        &self,
        args: [Var<'t, T>; 3],
        z: Var<'t, T>,
        [dx, dy, dg]: [Option<Var<'t, T>>; 3],
    ) -> Option<Var<'t, T>> {
        let [x, y, g] = args;
        let by_x = dx.map(|dx| dx.over_norm(y.expand_span(self.along)));
        let by_norm = dy.map(|dy| self.by_norm(args, dy.expand_span(self.along)));
        // What goes along `x` is taken away before a large cotangent multiplies it.
        let of_quotient = plus(by_x, by_norm).map(|dq| g.expand_span(self.along).both(dq));
        plus(of_quotient, dg.map(|dg| z.tape().record(Arity(*self), [x, y, dg])))
    }
}

/// # Norms, variances and normalisation
///
/// Along axes.
impl<'t, T: Float> Var<'t, T> {
    /// The vector norm of order `p` over axes: `(Σ |x|^p)^(1/p)`; 2 is Euclidean, ∞ the largest magnitude, −∞ the
    /// smallest, 0 the number of elements that are not 0. No order overflows or underflows where the norm itself does
    /// not; the derivative of a norm of zero is 0.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([3e200, 4e200]));
    /// assert!((x.norm(2.0, ..).item() / 5e200 - 1.0).abs() < 1e-15);
    /// let zero = tape.var(&Tensor::from([0.0, 0.0]));
    /// assert_eq!(grad(zero.norm(2.0, ..), &zero).value().as_slice(), [0.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// Where an axis does not exist, or a norm of order ±∞ is over no elements.
    #[track_caller]
    pub fn norm(self, p: f64, axes: impl Into<Axes>) -> Self {
        let axes = axes.into();
        let _whole = self.tape().composite("norm", [self]);
        self.require("norm", !p.is_nan(), Kind::Option, || "an order is a number, not NaN".into());
        if p == 2.0 {
            let (x, along, shape) = self.gather_axes("norm", &axes);
            return x.tape().record(Arity(Norm2 { along }), [x]).reshape(shape);
        }
        if p == 0.0 {
            return self.ne(self.tape().scalar(T::ZERO)).sum_axes(axes);
        }
        let magnitude = self.abs();
        if p == 1.0 {
            magnitude.sum_axes(axes)
        } else if p == f64::INFINITY {
            magnitude.max_axes(axes)
        } else if p == f64::NEG_INFINITY {
            magnitude.min_axes(axes)
        } else {
            self.scaled_norm(p, axes)
        }
    }

    /// `m · (Σ (|x|/m)^p)^(1/p)`, which is the norm for every constant `m`, so that its derivatives are right although
    /// `m` has none. `m` is the magnitude that decides the sum, whose power is then 1 and neither overflows nor vanishes.
    #[track_caller]
    fn scaled_norm(self, p: f64, axes: Axes) -> Self {
        let (zero, one) = (self.tape().scalar(T::ZERO), self.tape().scalar(T::ONE));
        let magnitude = self.abs();
        if self.count_along("norm", &axes) == 0 {
            return magnitude.sum_axes(axes);
        }
        let kept = keepdims(axes.clone());
        let decides = if p > 0.0 { magnitude.max_axes(kept) } else { magnitude.min_axes(kept) }.stop_gradient();
        // Neither 0 nor ∞ can be divided by; the powers are exact there without.
        let usable = decides.gt(zero) * decides.lt(self.tape().scalar(T::INFINITY));
        let scale = usable.select(decides, one);
        let sum = (magnitude / scale).pow_scalar(p).sum_axes(axes);
        // The root has an infinite derivative at 0, so it is taken elsewhere and 0 put in its place.
        let vanishes = sum.eq(zero);
        let root = vanishes.select(one, sum).pow_scalar(1.0 / p);
        vanishes.select(zero, root * scale.reshape(root.shape()))
    }

    /// The variance over axes: `Σ (x − mean)² / (n − ddof)`.
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 3.0]));
    /// assert_eq!((x.var(0, ..).item(), x.var(1, ..).item()), (1.0, 2.0));
    /// ```
    ///
    /// # Panics
    /// Where there are no more than `ddof` elements to take the variance of.
    #[track_caller]
    pub fn var(self, ddof: usize, axes: impl Into<Axes>) -> Self {
        let axes = axes.into();
        let (centred, n) = self.centred("var", ddof, &axes);
        centred.square().sum_axes(axes).div_scalar(n)
    }

    /// The standard deviation over axes: `√(Σ (x − mean)² / (n − ddof))`. Its derivative where all elements are equal
    /// is 0, as for every norm.
    ///
    /// # Panics
    /// Where there are no more than `ddof` elements to take the deviation of.
    #[track_caller]
    pub fn std(self, ddof: usize, axes: impl Into<Axes>) -> Self {
        let axes = axes.into();
        let (centred, n) = self.centred("std", ddof, &axes);
        centred.norm(2.0, axes).div_scalar(n.sqrt())
    }

    /// `x − mean`, and `n − ddof`.
    #[track_caller]
    fn centred(self, op: &str, ddof: usize, axes: &Axes) -> (Self, f64) {
        let n = self.count_along(op, axes);
        self.require(op, n > ddof, Kind::Empty, || format!("{n} elements are too few with ddof {ddof}"));
        (self - self.mean_axes(keepdims(axes.clone())), (n - ddof) as f64)
    }

    /// Layer normalisation over the last `ndim` dimensions: `(x − mean) / √(var + eps)`, then `· weight + bias` where
    /// given, which have the shape of those dimensions (Ba, Kiros and Hinton, 2016).
    ///
    /// # Panics
    /// Where there are fewer dimensions, nothing to normalise, or a weight does not broadcast.
    #[track_caller]
    pub fn layer_norm(self, ndim: usize, weight: Option<Self>, bias: Option<Self>, eps: f64) -> Self {
        let _whole = self.tape().composite("layer_norm", [Some(self), weight, bias]);
        self.require_eps("layer_norm", eps);
        let axes = keepdims(self.last_axes("layer_norm", ndim));
        let (centred, _) = self.centred("layer_norm", 0, &axes);
        let y = centred.over_root_mean_square(axes, eps);
        // A closure would panic at its own line, so the options are matched.
        let y = match weight {
            Some(weight) => y * weight.fitting("layer_norm", "the weight", y),
            None => y,
        };
        match bias {
            Some(bias) => y + bias.fitting("layer_norm", "the bias", y),
            None => y,
        }
    }

    /// Root-mean-square normalisation over the last dimension: `x / √(mean x² + eps)`, then `· weight` where given
    /// (Zhang and Sennrich, 2019).
    ///
    /// # Panics
    /// Where there is no dimension, nothing to normalise, or the weight does not broadcast.
    #[track_caller]
    pub fn rms_norm(self, weight: Option<Self>, eps: f64) -> Self {
        let _whole = self.tape().composite("rms_norm", [Some(self), weight]);
        self.require_eps("rms_norm", eps);
        let axes = keepdims(self.last_axes("rms_norm", 1));
        let n = self.count_along("rms_norm", &axes);
        self.require("rms_norm", n > 0, Kind::Empty, || "the mean of no elements does not exist".into());
        let y = self.over_root_mean_square(axes, eps);
        match weight {
            Some(weight) => y * weight.fitting("rms_norm", "the weight", y),
            None => y,
        }
    }

    /// `x / √(mean x² + eps)`. Both `x` and `√eps` are multiplied by a power of two first, which rounds nothing and which the
    /// quotient does not depend on: squares and slopes then stay in range for rows of every size.
    #[track_caller]
    fn over_root_mean_square(self, axes: Axes, eps: f64) -> Self {
        let scale = self.norm(f64::INFINITY, axes.clone()).unit_scale(eps.sqrt());
        let x = self * scale;
        let eps = scale.mul_scalar(eps) * scale;
        x * (x.square().mean_axes(axes) + eps).rsqrt()
    }

    #[track_caller]
    pub(crate) fn require_eps(self, op: &str, eps: f64) {
        self.require(op, eps >= 0.0, Kind::Option, || format!("an eps of 0 or more is needed, not {eps}"));
    }

    #[track_caller]
    fn last_axes(self, op: &str, ndim: usize) -> Axes {
        let rank = self.rank();
        self.require(op, ndim <= rank, Kind::Axis, || format!("{ndim} dimensions of rank {rank} are asked"));
        let axes: SmallVec<[isize; 4]> = (rank - ndim..rank).map(|i| i as isize).collect();
        Axes::from(&axes[..])
    }
}
