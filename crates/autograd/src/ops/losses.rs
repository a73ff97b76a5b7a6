//! Losses, with the names and conventions of PyTorch.

use crate::float::Float;
use crate::ops::cross_entropy::Reduction;
use crate::tape::index::{IndexVar, Indices};
use crate::tape::var::Var;
use crate::tensor::Tensor;
use crate::tensor::error::Kind;
use crate::tensor::shape::Shape;

/// Options of [`Var::cross_entropy_opts`] and [`Var::nll`], with PyTorch's meaning.
///
/// ```
/// use autograd::{CrossEntropyOptions, Reduction};
/// let plain = CrossEntropyOptions::<f64>::default();
/// assert_eq!((plain.reduction, plain.label_smoothing), (Reduction::Mean, 0.0));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CrossEntropyOptions<T: Float = f64> {
    /// What becomes of the losses of single examples; a mean is weighted by the examples' class weights.
    pub reduction: Reduction,
    /// A weight for each class, finite and not negative.
    pub class_weights: Option<Tensor<T>>,
    /// The part of each target that is spread evenly over all classes, 0 to 1.
    pub label_smoothing: f64,
    /// A label whose examples do not count.
    pub ignore_index: Option<i64>,
}

impl Reduction {
    #[track_caller]
    pub(crate) fn apply<'t, T: Float>(self, losses: Var<'t, T>) -> Var<'t, T> {
        match self {
            Self::None => losses,
            Self::Sum => losses.sum(),
            Self::Mean => losses.mean(),
            Self::BatchMean => {
                let batch = losses.sizes().first().copied().unwrap_or(1);
                losses.require("mean", batch > 0, Kind::Empty, || "the mean over an empty batch does not exist".into());
                losses.sum().div_scalar(batch as f64)
            }
        }
    }
}

/// Labels with the ignored ones replaced by class 0, and 1 where an example counts, 0 where it does not.
pub(crate) struct Counted<'t, T: Float> {
    pub(crate) labels: IndexVar<'t, T>,
    counts: Option<Var<'t, T>>,
    /// Whether no example counts, or all that do have the weight 0.
    nothing: bool,
}

/// How the target of a Kullback-Leibler divergence is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KlTarget {
    /// As probabilities.
    Probabilities,
    /// As logarithms of probabilities.
    Logarithms,
}

/// # Losses
///
/// With the names and conventions of PyTorch.
impl<'t, T: Float> Var<'t, T> {
    /// The classes moved from axis 1 to the end and all else flattened: `[rows, classes]`, and the shape of the rows.
    #[track_caller]
    pub(crate) fn class_rows(self, op: &str) -> (Self, Shape) {
        let shape = self.shape();
        self.require(op, shape.rank() >= 1, Kind::Shape, || "scores with a dimension of classes are needed".into());
        if shape.rank() == 1 {
            return (self.reshape([1, shape[0]]), Shape::scalar());
        }
        let rows = shape.splice(1, &[]);
        let order: Vec<isize> = (0..shape.rank() as isize).filter(|&i| i != 1).chain([1]).collect();
        let moved = if shape.rank() == 2 { self } else { self.transpose(&order) };
        (moved.reshape([rows.numel(), shape[1]]), rows)
    }

    /// Labels checked against the rows and classes, with the ignored ones set apart.
    #[track_caller]
    pub(crate) fn counted(
        self,
        op: &'static str,
        labels: &IndexVar<'t, T>,
        rows: &Shape,
        classes: usize,
        options: &CrossEntropyOptions<T>,
    ) -> Counted<'t, T> {
        self.require(op, labels.shape() == *rows, Kind::Shape, || {
            format!("labels of shape {rows} are needed, not {}", labels.shape())
        });
        let labels = labels.reshape([rows.numel()]);
        self.require_weights(op, options, classes);
        let CrossEntropyOptions { ignore_index: ignore, class_weights: weights, .. } = options;
        let checked = match *ignore {
            Some(ignore) => labels.check_labels_but(op, classes, ignore),
            None => labels.check_labels(op, classes),
        };
        self.expect(op, checked);
        let weighs = |label: i64| weights.as_ref().is_none_or(|weights| weights.as_slice()[label as usize] > T::ZERO);
        let counts = |label: i64| *ignore != Some(label) && weighs(label);
        let plain = ignore.is_none() && weights.is_none();
        let nothing = if plain { rows.numel() == 0 } else { !labels.may_have(counts) };
        let Some(ignore) = *ignore else { return Counted { labels, counts: None, nothing } };
        Counted { labels: labels.without(ignore, classes), counts: Some(labels.differs_from(ignore)), nothing }
    }

    /// Cross-entropy of scores, with classes on axis 1, against integer labels of the other dimensions' shape, with
    /// class weights, label smoothing and an ignored label, as `torch.nn.functional.cross_entropy`.
    ///
    /// ```
    /// use autograd::{CrossEntropyOptions, Tape, Tensor};
    /// let tape = Tape::new();
    /// let scores = tape.var(&Tensor::from_rows([[0.0, 0.0], [3.0, 1.0]]));
    /// let options = CrossEntropyOptions { ignore_index: Some(1), ..Default::default() };
    /// assert_eq!(scores.cross_entropy_opts(&[0, 1], &options).item(), 2_f64.ln());
    /// ```
    ///
    /// # Panics
    /// Where the shapes do not fit, a label is out of range, or a mean has nothing to count.
    #[track_caller]
    pub fn cross_entropy_opts<I: Indices<'t, T> + ?Sized>(self, labels: &I, options: &CrossEntropyOptions<T>) -> Self {
        let labels = labels.on(self.tape());
        let _whole = self.tape().composite("cross_entropy_opts", [self, labels.var()]);
        let smoothing = options.label_smoothing;
        self.require("cross_entropy_opts", (0.0..=1.0).contains(&smoothing), Kind::Option, || {
            format!("label smoothing {smoothing} is not between 0 and 1")
        });
        let (scores, rows) = self.class_rows("cross_entropy_opts");
        let classes = scores.sizes()[1];
        let Counted { labels, counts, nothing } = self.counted("cross_entropy_opts", &labels, &rows, classes, options);
        self.require_counted("cross_entropy_opts", nothing, options.reduction);
        if counts.is_none() && options.class_weights.is_none() && smoothing == 0.0 {
            // Rows of several axes are no batch, so a mean over the batch is taken of single losses.
            let batch = options.reduction == Reduction::BatchMean;
            let reduction = if batch { Reduction::None } else { options.reduction };
            let loss = scores.cross_entropy_with(&labels, reduction);
            return if reduction == Reduction::None { options.reduction.apply(loss.reshape(rows)) } else { loss };
        }
        let log_p = scores.log_softmax(1);
        let weights = options.class_weights.as_ref().map(|weights| self.tape().var(weights));
        let of_label = log_p.take_along_axis(1, &labels.expand_dims(1)).squeeze(1).neg();
        let row_weights = weights.map(|w| w.gather(0, &labels));
        let of_label = row_weights.map_or(of_label, |w| w.zmul(of_label));
        let losses = if smoothing == 0.0 {
            of_label
        } else {
            let spread = weights.map_or(log_p, |w| w.zmul(log_p)).sum_axes(1).neg();
            of_label.mul_scalar(1.0 - smoothing) + spread.mul_scalar(smoothing / classes as f64)
        };
        self.reduce_counted("cross_entropy_opts", losses, row_weights, counts, &rows, options.reduction)
    }

    /// The negative log-likelihood of labels under log-probabilities with classes on axis 1, as
    /// `torch.nn.functional.nll_loss`. Label smoothing does not apply.
    ///
    /// # Panics
    /// Where the shapes do not fit, a label is out of range, or a mean has nothing to count.
    #[track_caller]
    pub fn nll<I: Indices<'t, T> + ?Sized>(self, labels: &I, options: &CrossEntropyOptions<T>) -> Self {
        let labels = labels.on(self.tape());
        let _whole = self.tape().composite("nll", [self, labels.var()]);
        let (log_p, rows) = self.class_rows("nll");
        let classes = log_p.sizes()[1];
        let Counted { labels, counts, nothing } = self.counted("nll", &labels, &rows, classes, options);
        let losses = log_p.take_along_axis(1, &labels.expand_dims(1)).squeeze(1).neg();
        let row_weights = options.class_weights.as_ref().map(|weights| self.tape().var(weights).gather(0, &labels));
        let losses = row_weights.map_or(losses, |w| w.zmul(losses));
        self.require_counted("nll", nothing, options.reduction);
        self.reduce_counted("nll", losses, row_weights, counts, &rows, options.reduction)
    }

    /// Class weights must be one for each class, finite and not negative.
    #[track_caller]
    fn require_weights(self, op: &str, options: &CrossEntropyOptions<T>, classes: usize) {
        let Some(weights) = &options.class_weights else { return };
        self.require(op, weights.shape()[..] == [classes], Kind::Shape, || {
            format!("{classes} class weights are needed, not {}", weights.shape())
        });
        let wrong = weights.as_slice().iter().position(|w| !(w.is_finite() && *w >= T::ZERO));
        self.require(op, wrong.is_none(), Kind::Option, || {
            let class = wrong.unwrap_or_default();
            format!(
                "class weights must be finite and not negative, that of class {class} is {}",
                weights.as_slice()[class]
            )
        });
    }

    /// A mean needs something to count.
    #[track_caller]
    fn require_counted(self, op: &str, nothing: bool, reduction: Reduction) {
        self.require(op, !(nothing && reduction == Reduction::Mean), Kind::Empty, || {
            "the mean over no counted examples does not exist: each is ignored, or its class has the weight 0".into()
        });
    }

    /// Reduces losses `[rows]` with weights already in them; examples that do not count are selected away.
    #[track_caller]
    fn reduce_counted(
        self,
        op: &'static str,
        losses: Self,
        weights: Option<Self>,
        counts: Option<Self>,
        rows: &Shape,
        reduction: Reduction,
    ) -> Self {
        let tape = self.tape();
        let losses = counts.map_or(losses, |counts| counts.select(losses, tape.scalar(T::ZERO)));
        match reduction {
            Reduction::None => losses.reshape(rows.clone()),
            Reduction::Sum => losses.sum(),
            Reduction::BatchMean => Reduction::BatchMean.apply(losses.reshape(rows.clone())),
            Reduction::Mean => {
                let total = match (weights, counts) {
                    (None, None) => return losses.mean(),
                    (Some(weights), Some(counts)) => (weights * counts).sum(),
                    (one, other) => one.or(other).unwrap_or(losses).sum(),
                };
                total.divides_mean(op);
                losses.sum() / total
            }
        }
    }

    /// Cross-entropy of scores against probabilities, both with classes on axis 1: `−Σ_k p_k log softmax(s)_k`. A
    /// probability of 0 contributes exactly 0, also where the score is −∞. Differentiable in both.
    ///
    /// # Panics
    /// Where the shapes differ, or a mean has nothing to count.
    #[track_caller]
    pub fn soft_cross_entropy(self, probabilities: Self, reduction: Reduction) -> Self {
        let _whole = self.tape().composite("soft_cross_entropy", [self, probabilities]);
        self.require("soft_cross_entropy", self.shape() == probabilities.shape(), Kind::Shape, || {
            format!("probabilities of the scores' shape are needed, not {}", probabilities.shape())
        });
        let axis = isize::from(self.rank() != 1);
        let losses = probabilities.zmul(self.log_softmax(axis)).sum_axes(axis).neg();
        reduction.apply(losses)
    }

    /// A target that would broadcast, `[n]` against `[n, 1]`, would silently make `n²` losses.
    #[track_caller]
    pub(crate) fn require_target(self, op: &str, target: Self) {
        self.require_alike(op, "a target of the prediction's shape", target);
    }

    /// `what` is another operand of this one's shape.
    #[track_caller]
    pub(crate) fn require_alike(self, op: &str, what: &str, other: Self) {
        let (own, shape) = (self.sizes(), other.sizes());
        self.require(op, own == shape, Kind::Shape, || format!("{what} {own} is needed, not {shape}"));
    }

    /// `(self − target)²`
    ///
    /// # Panics
    /// Where the shapes differ, or a mean has nothing to count.
    #[track_caller]
    pub fn mse(self, target: Self, reduction: Reduction) -> Self {
        let _whole = self.tape().composite("mse", [self, target]);
        self.require_target("mse", target);
        reduction.apply((self - target).square())
    }

    /// `|self − target|`
    ///
    /// # Panics
    /// Where the shapes differ, or a mean has nothing to count.
    #[track_caller]
    pub fn l1(self, target: Self, reduction: Reduction) -> Self {
        let _whole = self.tape().composite("l1", [self, target]);
        self.require_target("l1", target);
        reduction.apply((self - target).abs())
    }

    /// With `d = |self − target|`: `d²/2` up to `delta`, then `delta · (d − delta/2)` (Huber, 1964).
    ///
    /// # Panics
    /// Where the shapes differ, `delta` is not positive, or a mean has nothing to count.
    #[track_caller]
    pub fn huber(self, target: Self, delta: f64, reduction: Reduction) -> Self {
        let _whole = self.tape().composite("huber", [self, target]);
        self.require_target("huber", target);
        self.require("huber", delta > 0.0, Kind::Option, || format!("a delta above 0 is needed, not {delta}"));
        let d = self - target;
        let inside = d.abs().le(self.tape().scalar(T::of(delta)));
        let far = d.abs().add_scalar(-0.5 * delta).mul_scalar(delta);
        reduction.apply(inside.select(d.square().mul_scalar(0.5), far))
    }

    /// Binary cross-entropy of logits against targets in [0, 1], with a weight for positive targets that broadcasts:
    /// `(1 − t)·softplus(s) + w·t·softplus(−s)`. Differentiable in both; large logits stay exact, and an infinite one
    /// that is right costs nothing.
    ///
    /// # Panics
    /// Where the shapes of logits and targets differ, the weight does not broadcast to them, or a mean has nothing to
    /// count.
    #[track_caller]
    pub fn bce_with_logits(self, target: Self, pos_weight: Option<Self>, reduction: Reduction) -> Self {
        let _whole = self.tape().composite("bce_with_logits", [Some(self), Some(target), pos_weight]);
        self.require_target("bce_with_logits", target);
        let positive = match pos_weight {
            Some(weight) => weight.fitting("bce_with_logits", "the weight of positive targets", target) * target,
            None => target,
        };
        let negative = target.neg().add_scalar(1.0);
        reduction.apply(negative.zmul(self.softplus()) + positive.zmul(self.neg().softplus()))
    }

    /// The Kullback-Leibler divergence pointwise, `t·(ln t − self)` for log-probabilities `self` and probabilities `t`
    /// (0 where `t` is 0), or `e^t·(t − self)` where the target is given as logarithms. [`Reduction::Mean`] is that over
    /// *all* elements; [`Reduction::BatchMean`], PyTorch's `batchmean`, is the divergence of an average example.
    ///
    /// ```
    /// use autograd::{KlTarget, Reduction, Tape, Tensor};
    /// let tape = Tape::new();
    /// let scores = tape.var(&Tensor::zeros([3, 2]));
    /// let certain = tape.var(&Tensor::from_rows([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]));
    /// let loss = scores.log_softmax(1).kl_div(certain, KlTarget::Probabilities, Reduction::BatchMean);
    /// assert!((loss.item() - 2_f64.ln()).abs() < 1e-15);
    /// ```
    ///
    /// # Panics
    /// Where the shapes differ, or a mean has nothing to count.
    #[track_caller]
    pub fn kl_div(self, target: Self, given: KlTarget, reduction: Reduction) -> Self {
        let _whole = self.tape().composite("kl_div", [self, target]);
        self.require_target("kl_div", target);
        let losses = match given {
            KlTarget::Probabilities => target.xlogy(target) - target.zmul(self),
            KlTarget::Logarithms => target.exp().zmul(target - self),
        };
        reduction.apply(losses)
    }
}
