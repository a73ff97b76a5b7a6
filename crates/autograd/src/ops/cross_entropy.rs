//! Cross-entropy of scores against integer labels, whose gradient is `P − Y`.

use crate::diff::forward::plus;
use crate::float::Float;
use crate::kernels::cross_entropy::{LaneSums, Losses, Weight};
use crate::kernels::softmax::By;
use crate::ops::reduce::keepdims;
use crate::tape::index::{IndexVar, Indices};
use crate::tape::op::{Arity, Named, Op, View, ViewMut};
use crate::tape::var::Var;
use crate::tensor::error::{Error, Kind, Reason};
use crate::tensor::shape::Shape;

/// What becomes of the losses of single examples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Reduction {
    /// One loss for each example.
    None,
    /// Their sum: the loss `L = Σ L_i` of the derivation.
    Sum,
    /// Their mean, as in PyTorch.
    #[default]
    Mean,
    /// Their sum divided by the size of the first axis, the batch: PyTorch's `batchmean`.
    BatchMean,
}

/// `L_i = ln Σ exp S_i − S_i[y_i]` from scores `[n, k]` and labels `[n]`: Exp. `−log O2[i, y_i]` of the derivation, from
/// shifted scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CrossEntropy {
    reduction: Reduction,
}

/// `(P − Y) · dy`, with the reduction's factor: Eq. 1.3 of the derivation, from scores, labels and the cotangent of
/// the loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CrossEntropyGrad {
    reduction: Reduction,
}

impl Reduction {
    /// Of single losses of a batch, both means are the same.
    fn is_mean(self) -> bool {
        matches!(self, Self::Mean | Self::BatchMean)
    }

    /// The factor that the reduction puts on each of `n` losses.
    fn factor(self, n: usize) -> f64 {
        if self.is_mean() { 1.0 / n as f64 } else { 1.0 }
    }

    /// What the gradient `P − Y` of `n` examples is multiplied by, for the loss's cotangent `dy`.
    pub(crate) fn weight<T: Float>(self, dy: &[T], n: usize) -> Weight<'_, T> {
        match self {
            Self::None => Weight::Each(dy),
            Self::Sum => Weight::All(dy[0]),
            Self::Mean | Self::BatchMean => Weight::All(dy[0] / T::of_count(n)),
        }
    }

    /// The sum or mean of `n` losses.
    pub(crate) fn reduce<T: Float>(self, sums: LaneSums, n: usize) -> T {
        T::of(if self.is_mean() { sums.total() / n as f64 } else { sums.total() })
    }

    /// The loss of scores and labels, and, where `gradient` has the cotangent of the loss and a place, its gradient.
    pub(crate) fn eval<T: Float>(
        self,
        scores: View<'_, T>,
        labels: View<'_, T>,
        loss: &mut [T],
        gradient: Option<(&[T], &mut [T])>,
    ) {
        let (n, k) = (labels.data.len(), scores.shape[1]);
        let gradient = gradient.map(|(dy, out)| (self.weight(dy, n), out));
        if self == Self::None {
            return T::cross_entropy(scores.data, labels.data, k, Losses::Each(loss), gradient);
        }
        let mut sums = LaneSums::default();
        T::cross_entropy(scores.data, labels.data, k, Losses::Sum(&mut sums), gradient);
        loss[0] = self.reduce(sums, n);
    }
}

impl CrossEntropy {
    pub(crate) fn reduction(self) -> Reduction {
        self.reduction
    }
}

impl Named for CrossEntropy {
    const NAMES: &'static [&'static str] = &["cross_entropy"];
}

impl<T: Float> Op<T, 2> for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross_entropy"
    }
    fn shape(&self, [scores, labels]: [&Shape; 2]) -> Result<Shape, Reason> {
        if scores.rank() != 2 || labels.rank() != 1 || scores[0] != labels[0] {
            return Err(Reason::shape("scores [n, k] and n labels are needed"));
        }
        if self.reduction == Reduction::Mean && scores[0] == 0 {
            return Err(Reason::new(Kind::Empty, "the mean over an empty batch does not exist"));
        }
        Ok(if self.reduction == Reduction::None { labels.clone() } else { Shape::scalar() })
    }
    fn eval(&self, [scores, labels]: [View<'_, T>; 2], y: ViewMut<'_, T>) {
        self.reduction.eval(scores, labels, y.data, None);
    }
    fn vjp<'t>(
        &self,
        arg: usize,
        [scores, labels]: [Var<'t, T>; 2],
        y: Var<'t, T>,
        dy: Var<'t, T>,
    ) -> Option<Var<'t, T>> {
        let op = CrossEntropyGrad { reduction: self.reduction };
        (arg == 0).then(|| y.tape().record(Arity(op), [scores, labels, dy]))
    }
    fn jvp<'t>(
        &self,
        [scores, labels]: [Var<'t, T>; 2],
        y: Var<'t, T>,
        [dx, _]: [Option<Var<'t, T>>; 2],
    ) -> Option<Var<'t, T>> {
        let op = CrossEntropyGrad { reduction: self.reduction };
        let one = y.tape().full(y.shape(), T::ONE);
        Some(op.contract(y.tape().record(Arity(op), [scores, labels, one]) * dx?))
    }
}

impl CrossEntropyGrad {
    pub(crate) fn reduction(self) -> Reduction {
        self.reduction
    }

    /// Sums a product over scores `[n, k]` to the shape of the loss.
    fn contract<'t, T: Float>(self, product: Var<'t, T>) -> Var<'t, T> {
        if self.reduction == Reduction::None { product.sum_axes(1) } else { product.sum() }
    }

    /// The derivative with respect to the scores, `(diag(P) − P Pᵀ) g` scaled by `dy`: symmetric, so it serves both
    /// directions.
    fn curve<'t, T: Float>(self, scores: Var<'t, T>, dy: Var<'t, T>, g: Var<'t, T>) -> Var<'t, T> {
        let n = scores.sizes()[0];
        let weight = if self.reduction == Reduction::None { dy.reshape([n, 1]) } else { dy };
        let p = scores.softmax(1);
        let g = weight.zmul(g).by_likely(By::About, p, 1);
        let g = if self.reduction == Reduction::Mean { g.mul_scalar(self.reduction.factor(n)) } else { g };
        p * (g - (p * g).sum_axes(keepdims(1)))
    }
}

impl Named for CrossEntropyGrad {
    const NAMES: &'static [&'static str] = &["cross_entropy_grad"];
}

impl<T: Float> Op<T, 3> for CrossEntropyGrad {
    fn name(&self) -> &'static str {
        "cross_entropy_grad"
    }
    fn shape(&self, [scores, ..]: [&Shape; 3]) -> Result<Shape, Reason> {
        Ok(scores.clone())
    }
    fn eval(&self, [scores, labels, dy]: [View<'_, T>; 3], y: ViewMut<'_, T>) {
        let gradients = Some((self.reduction.weight(dy.data, labels.data.len()), y.data));
        T::cross_entropy(scores.data, labels.data, scores.shape[1], Losses::Dropped, gradients);
    }
    fn vjp<'t>(
        &self,
        arg: usize,
        [scores, labels, dy]: [Var<'t, T>; 3],
        y: Var<'t, T>,
        g: Var<'t, T>,
    ) -> Option<Var<'t, T>> {
        match arg {
            0 => Some(self.curve(scores, dy, g)),
            1 => None,
            _ => {
                let one = y.tape().full(dy.shape(), T::ONE);
                Some(self.contract(y.tape().record(Arity(*self), [scores, labels, one]) * g))
            }
        }
    }
    fn jvp<'t>(
        &self,
        [scores, labels, dy]: [Var<'t, T>; 3],
        y: Var<'t, T>,
        [dx, _, ddy]: [Option<Var<'t, T>>; 3],
    ) -> Option<Var<'t, T>> {
        let from_scores = dx.map(|dx| self.curve(scores, dy, dx));
        let from_dy = ddy.map(|ddy| y.tape().record(Arity(*self), [scores, labels, ddy]));
        plus(from_scores, from_dy)
    }
}

/// # Cross-entropy of labels
///
/// Whose gradient by the scores is `P − Y`.
impl<'t, T: Float> Var<'t, T> {
    /// The mean cross-entropy of scores `[n, k]` (logits) against `n` labels in `0..k`:
    /// `L = 1/n Σ_i (ln Σ_j exp S[i, j] − S[i, y_i])`, with `dL/dS = (P − Y)/n`. Large scores stay finite.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let scores = tape.var(&Tensor::from_rows([[0.0, 0.0], [1e4, 0.0]]));
    /// let loss = scores.cross_entropy(&[0, 1]);
    /// assert_eq!(loss.item(), (2_f64.ln() + 1e4) / 2.0);
    /// assert_eq!(grad(loss, &scores).value().as_slice(), [-0.25, 0.25, 0.5, -0.5]);
    /// ```
    ///
    /// # Panics
    /// Where the shapes do not fit, a label is out of range, or the batch is empty.
    #[track_caller]
    pub fn cross_entropy<I: Indices<'t, T> + ?Sized>(self, labels: &I) -> Self {
        Error::or_raise(self.cross_entropy_as("cross_entropy", labels, Reduction::Mean))
    }

    /// As [`Var::cross_entropy`], with another reduction of the losses `L_i`.
    ///
    /// # Panics
    /// Where the shapes do not fit, a label is out of range, or a mean over an empty batch is asked.
    #[track_caller]
    pub fn cross_entropy_with<I: Indices<'t, T> + ?Sized>(self, labels: &I, reduction: Reduction) -> Self {
        Error::or_raise(self.cross_entropy_as("cross_entropy_with", labels, reduction))
    }

    /// As [`Var::cross_entropy_with`], for labels that come from outside.
    ///
    /// # Errors
    /// Where the shapes do not fit, a label is out of range, or a mean over an empty batch is asked.
    #[track_caller]
    pub fn try_cross_entropy<I: Indices<'t, T> + ?Sized>(
        self,
        labels: &I,
        reduction: Reduction,
    ) -> Result<Self, Error> {
        self.cross_entropy_as("cross_entropy", labels, reduction)
    }

    #[track_caller]
    fn cross_entropy_as<I: Indices<'t, T> + ?Sized>(
        self,
        name: &'static str,
        labels: &I,
        reduction: Reduction,
    ) -> Result<Self, Error> {
        self.scored(name, labels.on(self.tape()), reduction)
    }

    #[track_caller]
    #[inline(never)]
    pub(crate) fn scored(
        self,
        name: &'static str,
        labels: IndexVar<'t, T>,
        reduction: Reduction,
    ) -> Result<Self, Error> {
        // One loss for each example of the batch: their mean is that of the batch.
        let reduction = if reduction == Reduction::BatchMean { Reduction::Mean } else { reduction };
        let op = Arity(CrossEntropy { reduction });
        let loss = self.tape().try_record_as(name, op, [self, labels.var()])?;
        let classes = self.sizes()[1];
        match labels.check_labels(name, classes) {
            Ok(()) => Ok(loss),
            Err(reason) => Err(self.tape().error(name, reason, &[self, labels.var()])),
        }
    }
}
