//! Losses of margins: nothing is lost where a score is right by the margin. At its edge the derivative is 0, as that of
//! [`Var::relu`].

use crate::float::Float;
use crate::ops::cross_entropy::Reduction;
use crate::ops::losses::CrossEntropyOptions;
use crate::tape::index::Indices;
use crate::tape::var::Var;
use crate::tensor::Tensor;
use crate::tensor::error::Kind;

/// # Losses: margins
///
/// Nothing is lost where a score is right by the margin.
impl<'t, T: Float> Var<'t, T> {
    #[track_caller]
    pub(crate) fn require_margin(self, op: &str, margin: f64) {
        self.require(op, margin.is_finite(), Kind::Option, || format!("a finite margin is needed, not {margin}"));
    }

    /// `with_one` where the target is 1, `with_other` where it is −1, and 0 for any other, as PyTorch has it.
    #[track_caller]
    pub(crate) fn by_sign(target: Self, with_one: Self, with_other: Self) -> Self {
        let tape = target.tape();
        let (zero, one) = (tape.scalar(T::ZERO), tape.scalar(T::ONE));
        target.eq(one).select(with_one, target.eq(one.neg()).select(with_other, zero))
    }

    /// The hinge loss of scores against targets of −1 and 1: `max(0, 1 − target · self)`, as scikit-learn's `hinge_loss`.
    ///
    /// ```
    /// use autograd::{grad, Reduction, Tape, Tensor};
    /// let tape = Tape::new();
    /// let scores = tape.var(&Tensor::from([3.0, 0.5, 0.5]));
    /// let loss = scores.hinge(tape.var(&Tensor::from([1.0, 1.0, -1.0])), Reduction::Sum);
    /// assert_eq!(loss.item(), 2.0);
    /// assert_eq!(grad(loss, &scores).value().as_slice(), [0.0, -1.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// Where the shapes differ, or a mean has nothing to count.
    #[track_caller]
    pub fn hinge(self, target: Self, reduction: Reduction) -> Self {
        let _whole = self.tape().composite("hinge", [self, target]);
        self.require_target("hinge", target);
        reduction.apply((target * self).neg().add_scalar(1.0).relu())
    }

    /// `self` where the target is 1, `max(0, margin − self)` where it is −1, as
    /// `torch.nn.functional.hinge_embedding_loss`: `self` is a distance.
    ///
    /// # Panics
    /// Where the shapes differ, the margin is not finite, or a mean has nothing to count.
    #[track_caller]
    pub fn hinge_embedding(self, target: Self, margin: f64, reduction: Reduction) -> Self {
        let _whole = self.tape().composite("hinge_embedding", [self, target]);
        self.require_target("hinge_embedding", target);
        self.require_margin("hinge_embedding", margin);
        reduction.apply(Self::by_sign(target, self, self.neg().add_scalar(margin).relu()))
    }

    /// `ln(1 + e^(−target·self))` for targets of −1 and 1, as `torch.nn.functional.soft_margin_loss`, without overflow.
    ///
    /// # Panics
    /// Where the shapes differ, or a mean has nothing to count.
    #[track_caller]
    pub fn soft_margin(self, target: Self, reduction: Reduction) -> Self {
        let _whole = self.tape().composite("soft_margin", [self, target]);
        self.require_target("soft_margin", target);
        reduction.apply((target * self).neg().softplus())
    }

    /// The multi-class hinge loss of scores `[n, k]` against `n` labels, as `torch.nn.functional.multi_margin_loss`:
    /// `1/k Σ_{j≠y} w_y · max(0, margin − self[y] + self[j])^p` for each example, with `p` 1 or 2, and class weights where
    /// given. (Classes are on axis 1, other axes are examples, as for [`Var::cross_entropy_opts`].)
    ///
    /// ```
    /// use autograd::{Reduction, Tape, Tensor};
    /// let tape = Tape::new();
    /// let scores = tape.var(&Tensor::from_rows([[0.5, 1.0, 0.0]]));
    /// assert_eq!(scores.multi_margin(&[0], 1, 1.0, None, Reduction::Mean).item(), 2.0 / 3.0);
    /// ```
    ///
    /// # Panics
    /// Where the shapes do not fit, a label is out of range, `p` is neither 1 nor 2, the margin is not finite, or a mean
    /// has nothing to count.
    #[track_caller]
    pub fn multi_margin<I: Indices<'t, T> + ?Sized>(
        self,
        labels: &I,
        p: u32,
        margin: f64,
        class_weights: Option<&Tensor<T>>,
        reduction: Reduction,
    ) -> Self {
        const OP: &str = "multi_margin";
        let tape = self.tape();
        let labels = labels.on(tape);
        let _whole = tape.composite(OP, [self, labels.var()]);
        self.require(OP, p == 1 || p == 2, Kind::Option, || format!("a power of 1 or 2 is needed, not {p}"));
        self.require_margin(OP, margin);
        let (scores, rows) = self.class_rows(OP);
        let (n, classes) = (rows.numel(), scores.sizes()[1]);
        let options = CrossEntropyOptions { class_weights: class_weights.cloned(), ..CrossEntropyOptions::default() };
        let labels = self.counted(OP, &labels, &rows, classes, &options).labels;
        let places = labels.expand_dims(1);
        let excess = (scores - scores.take_along_axis(1, &places)).add_scalar(margin).relu();
        let excess = if p == 2 { excess.square() } else { excess };
        let is_own = tape.full([n, classes], T::ZERO).scatter_add(1, &places, tape.full([n, 1], T::ONE));
        let losses = is_own.select(tape.scalar(T::ZERO), excess).sum_axes(1).div_scalar(classes as f64);
        let losses = match class_weights {
            Some(weights) => tape.var(weights).gather(0, &labels).zmul(losses),
            None => losses,
        };
        reduction.apply(losses.reshape(rows))
    }

    /// `max(0, margin − target · (self − other))`: the target is 1 where `self` should be ranked higher, else −1; as
    /// `torch.nn.functional.margin_ranking_loss`.
    ///
    /// # Panics
    /// Where the shapes differ, the margin is not finite, or a mean has nothing to count.
    #[track_caller]
    pub fn margin_ranking(self, other: Self, target: Self, margin: f64, reduction: Reduction) -> Self {
        let _whole = self.tape().composite("margin_ranking", [self, other, target]);
        self.require_alike("margin_ranking", "another score of the shape", other);
        self.require_target("margin_ranking", target);
        self.require_margin("margin_ranking", margin);
        reduction.apply((target * (other - self)).add_scalar(margin).relu())
    }
}
