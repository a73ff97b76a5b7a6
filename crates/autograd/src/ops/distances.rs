//! Distances and angles between vectors, and losses of them, with the names and conventions of PyTorch.

use crate::float::Float;
use crate::ops::cross_entropy::Reduction;
use crate::ops::reduce::keepdims;
use crate::tape::var::Var;
use crate::tensor::error::{Kind, Reason};
use crate::tensor::shape::Shape;

/// Options of [`Var::triplet_margin`], with PyTorch's meaning and defaults.
///
/// ```
/// use autograd::{Reduction, TripletMargin};
/// let plain = TripletMargin::default();
/// assert_eq!((plain.margin, plain.p, plain.swap, plain.reduction), (1.0, 2.0, false, Reduction::Mean));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TripletMargin {
    /// By how much the negative should be farther away than the positive.
    pub margin: f64,
    /// The order of the distance.
    pub p: f64,
    /// What is added to each difference, as in [`Var::pairwise_distance`].
    pub eps: f64,
    /// Whether the distance from the positive to the negative counts, where it is smaller than that from the anchor.
    pub swap: bool,
    /// What becomes of the losses of single triplets.
    pub reduction: Reduction,
}

impl Default for TripletMargin {
    fn default() -> Self {
        Self { margin: 1.0, p: 2.0, eps: 1e-6, swap: false, reduction: Reduction::Mean }
    }
}

/// # Distances and angles
///
/// Between vectors, and losses of them.
impl<'t, T: Float> Var<'t, T> {
    #[track_caller]
    fn require_order(self, op: &str, p: f64) {
        self.require(op, p >= 0.0, Kind::Option, || format!("an order of at least 0 is needed, not {p}"));
    }

    /// The cosine of the angle between vectors along an axis: `Σ a·b / (max(‖a‖, eps) · max(‖b‖, eps))`, the operands
    /// broadcast to each other, as `torch.nn.functional.cosine_similarity`. A vector shorter than `eps` counts as if it
    /// were that long, so the derivative at zero is that of `Σ a·b / (eps·‖b‖)`. Neither large nor small vectors overflow.
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from_rows([[3e200, 0.0], [0.0, 0.0]]));
    /// let b = tape.var(&Tensor::from([3.0, 4.0]));
    /// assert_eq!(a.cosine_similarity(b, 1, 1e-8).value().as_slice(), [0.6, 0.0]);
    /// ```
    ///
    /// # Panics
    /// Where the shapes do not broadcast, the axis does not exist, or `eps` is negative.
    #[track_caller]
    pub fn cosine_similarity(self, other: Self, axis: isize, eps: f64) -> Self {
        const OP: &str = "cosine_similarity";
        let _whole = self.tape().composite(OP, [self, other]);
        self.require_eps(OP, eps);
        let Some(shape) = self.sizes().broadcast(other.sizes()) else {
            self.tape().error(OP, Reason::shape("the shapes do not broadcast"), &[self, other]).raise();
        };
        let axis = self.expect(OP, shape.axis(axis)) as isize;
        let (a, b) = (self.broadcast_to(shape.clone()), other.broadcast_to(shape));
        let ((a, length), (b, other_length)) = (a.of_near_unit_length(axis, eps), b.of_near_unit_length(axis, eps));
        (a * b).sum_axes(axis) / (length * other_length).squeeze(axis)
    }

    /// `x` and `max(‖x‖, eps)`, times a power of two that brings the latter near 1: nothing is rounded, and no product overflows. One
    /// division for each vector, not for each element.
    #[track_caller]
    fn of_near_unit_length(self, axis: isize, eps: f64) -> (Self, Self) {
        let length = self.norm(2.0, keepdims(axis)).clamp(eps, None);
        let scale = length.unit_scale(0.0);
        (self * scale, length * scale)
    }

    /// The distance `‖a − b + eps‖_p` of vectors along the last axis, the operands broadcast to each other, as
    /// `torch.nn.functional.pairwise_distance`, whose defaults are `p = 2` and `eps = 1e-6`. With an `eps` of 0 the
    /// derivative where both coincide is 0, as for every norm.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from_rows([[3.0, 4.0], [0.0, 0.0]]));
    /// let d = a.pairwise_distance(tape.var(&Tensor::from([0.0, 0.0])), 2.0, 0.0);
    /// assert_eq!(d.value().as_slice(), [5.0, 0.0]);
    /// assert_eq!(grad(d.sum(), &a).value().as_slice(), [0.6, 0.8, 0.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// Where the shapes do not broadcast, there is no axis, `p` is negative, or `eps` is negative.
    #[track_caller]
    pub fn pairwise_distance(self, other: Self, p: f64, eps: f64) -> Self {
        let _whole = self.tape().composite("pairwise_distance", [self, other]);
        self.distance("pairwise_distance", other, p, eps)
    }

    #[track_caller]
    fn distance(self, op: &str, other: Self, p: f64, eps: f64) -> Self {
        self.require_order(op, p);
        self.require_eps(op, eps);
        let shape = self.sizes().broadcast(other.sizes());
        let Some(shape) = shape.filter(|shape| shape.rank() > 0) else {
            let reason = Reason::shape("vectors whose shapes broadcast are needed");
            self.tape().error(op, reason, &[self, other]).raise();
        };
        let difference = self - other;
        let difference = if eps == 0.0 { difference } else { difference.add_scalar(eps) };
        // Vectors without elements are all the same; their largest difference would be that of nothing.
        let p = if shape[shape.rank() - 1] == 0 { 1.0 } else { p };
        difference.norm(p, -1)
    }

    /// All distances of order `p` between vectors `[.., n, d]` and `[.., m, d]`: `[.., n, m]`, the leading axes broadcast, as
    /// `torch.cdist`. The derivative where two coincide is 0. All `n · m · d` differences are kept.
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from_rows([[0.0, 0.0], [3.0, 4.0]]));
    /// let d = a.cdist(a, f64::INFINITY);
    /// assert_eq!(d.value().as_slice(), [0.0, 4.0, 4.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// Where an operand has fewer than two axes, the vectors differ in length, the leading axes do not broadcast, or `p`
    /// is negative.
    #[track_caller]
    pub fn cdist(self, other: Self, p: f64) -> Self {
        let _whole = self.tape().composite("cdist", [self, other]);
        let (a, b) = (self.sizes(), other.sizes());
        let lead = |rank: usize| rank.saturating_sub(2);
        let (lead_a, lead_b) = (&a[..lead(a.rank())], &b[..lead(b.rank())]);
        let fits = a.rank() >= 2
            && b.rank() >= 2
            && a[a.rank() - 1] == b[b.rank() - 1]
            && Shape::from(lead_a).broadcast(&Shape::from(lead_b)).is_some();
        if !fits {
            let reason = Reason::shape("vectors of one length, [.., n, d] and [.., m, d], are needed");
            self.tape().error("cdist", reason, &[self, other]).raise();
        }
        self.expand_dims(-2).distance("cdist", other.expand_dims(-3), p, 0.0)
    }

    /// `max(0, margin + d(self, positive) − d(self, negative))` for anchors `self`, vectors along the last axis, as
    /// `torch.nn.functional.triplet_margin_loss`; `d` is [`Var::pairwise_distance`].
    ///
    /// ```
    /// use autograd::{Tape, Tensor, TripletMargin};
    /// let tape = Tape::new();
    /// let at = |x: f64| tape.var(&Tensor::from([x, 0.0]));
    /// let options = TripletMargin { eps: 0.0, ..TripletMargin::default() };
    /// assert_eq!(at(0.0).triplet_margin(at(1.0), at(-1.5), &options).item(), 0.5);
    /// ```
    ///
    /// # Panics
    /// Where the shapes differ, an option makes no sense, or a mean has nothing to count.
    #[track_caller]
    pub fn triplet_margin(self, positive: Self, negative: Self, options: &TripletMargin) -> Self {
        const OP: &str = "triplet_margin";
        let _whole = self.tape().composite(OP, [self, positive, negative]);
        self.require_alike(OP, "a positive of the anchor's shape", positive);
        self.require_alike(OP, "a negative of the anchor's shape", negative);
        self.require_margin(OP, options.margin);
        let near = self.distance(OP, positive, options.p, options.eps);
        let far = self.distance(OP, negative, options.p, options.eps);
        let far = if options.swap { far.minimum(positive.distance(OP, negative, options.p, options.eps)) } else { far };
        options.reduction.apply((near - far).add_scalar(options.margin).relu())
    }

    /// `1 − cos` where the target is 1, `max(0, cos − margin)` where it is −1, for the cosine of vectors along the last
    /// axis, as `torch.nn.functional.cosine_embedding_loss`: here each length is `√(‖x‖² + 1e-12)`.
    ///
    /// # Panics
    /// Where the vectors' shapes differ, the targets' is not theirs without the last axis, the margin is not finite, or a
    /// mean has nothing to count.
    #[track_caller]
    pub fn cosine_embedding(self, other: Self, target: Self, margin: f64, reduction: Reduction) -> Self {
        const OP: &str = "cosine_embedding";
        let _whole = self.tape().composite(OP, [self, other, target]);
        self.require_alike(OP, "another vector of the shape", other);
        self.require_margin(OP, margin);
        let shape = self.sizes();
        let rows = shape.rank().checked_sub(1).map(|last| shape.splice(last, &[]));
        if rows.as_ref() != Some(target.sizes()) {
            let reason = Reason::shape("vectors [.., d] and targets [..] are needed");
            self.tape().error(OP, reason, &[self, target]).raise();
        }
        let cosine = (self.smooth_direction() * other.smooth_direction()).sum_axes(-1);
        reduction.apply(Self::by_sign(target, cosine.neg().add_scalar(1.0), cosine.add_scalar(-margin).relu()))
    }

    /// `x / √(‖x‖² + 1e-12)`, also where the squares would overflow.
    #[track_caller]
    fn smooth_direction(self) -> Self {
        self / self.norm(2.0, keepdims(-1)).hypot(self.tape().scalar(T::of(1e-6)))
    }
}
