//! The network on the tape: one hidden layer, scores, softmax, cross-entropy.

use crate::activation::Activation;
use crate::error::Error;
use crate::sizes::{Convention, Sizes};
use autograd::{Composite, Float, Reduction, Shape, Tape, Tensor, Tree, Var, grad, keepdims, tree};

/// The parameters of the network, or their gradients, or their variables: whatever stands at `V`.
///
/// ```
/// use autograd::{Tape, Tensor};
/// use softmax_net::{Activation, Convention, Toy};
/// let params = Toy {
///     w1: Tensor::<f64>::eye(2),
///     b1: Tensor::zeros([2]),
///     w2: Tensor::eye(2),
///     b2: Tensor::zeros([2]),
///     f: Activation::Relu,
/// };
/// let tape = Tape::new();
/// let net = tape.vars(&params); // Toy<Var>
/// let x = tape.var(&Tensor::from_rows([[3.0, 1.0], [1.0, -1.0]]));
/// let forward = net.forward(x, &[0, 0], Convention::Sum);
/// assert_eq!(forward.s.value(), Tensor::from_rows([[3.0, 1.0], [1.0, 0.0]]));
/// let gradients = net.gradients(x, &forward); // with respect to each array by name
/// assert_eq!(gradients.b2.value().shape()[..], [2]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Toy<V> {
    /// `W1`, `[D, H]`.
    pub w1: V,
    /// `b1`, `[H]`.
    pub b1: V,
    /// `W2`, `[H, K]`.
    pub w2: V,
    /// `b2`, `[K]`.
    pub b2: V,
    /// The activation `f` of the hidden layer.
    pub f: Activation,
}
tree!(Toy { w1, b1, w2, b2, ..f });

/// The named intermediate results of the forward pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Forward<V> {
    /// `Z1 = X W1 + b1`, `[N, H]`.
    pub z1: V,
    /// `O1 = f(Z1)`, `[N, H]`.
    pub o1: V,
    /// `S = O1 W2 + b2`, the scores, `[N, K]`.
    pub s: V,
    /// `U = exp(S)`, `[N, K]`. It overflows past `S = 709` in `f64`.
    pub u: V,
    /// `O2[i,k] = U[i,k] / Σ_p U[i,p]`, `[N, K]`.
    pub o2: V,
    /// `L_i = −ln O2[i, y_i]`, `[N]`.
    pub l_i: V,
    /// `L`, one number: the sum or the mean of `L_i`.
    pub l: V,
}
tree!(Forward { z1, o1, s, u, o2, l_i, l });

/// The gradients of the loss `L` with respect to each array by name, of that array's shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradients<V> {
    /// `dL/dS = O2 − Y` (Eq. 1.3).
    pub s: V,
    /// `dL/dO1 = dL/dS W2ᵀ`.
    pub o1: V,
    /// `dL/dZ1 = dL/dO1 ∘ f′(Z1)`.
    pub z1: V,
    /// `dL/dW1 = Xᵀ dL/dZ1`.
    pub w1: V,
    /// `dL/db1`, the column sums of `dL/dZ1`.
    pub b1: V,
    /// `dL/dW2 = O1ᵀ dL/dS`, the post's aim.
    pub w2: V,
    /// `dL/db2`, the column sums of `dL/dS`.
    pub b2: V,
    /// `dL/dX = dL/dZ1 W1ᵀ`.
    pub x: V,
}
tree!(Gradients { s, o1, z1, w1, b1, w2, b2, x });

impl<V> Toy<V> {
    /// The arrays with their names in the derivation.
    pub fn named(&self) -> [(&'static str, &V); 4] {
        [("W1", &self.w1), ("b1", &self.b1), ("W2", &self.w2), ("b2", &self.b2)]
    }
}

impl<V> Forward<V> {
    /// The arrays with their names in the derivation.
    pub fn named(&self) -> [(&'static str, &V); 7] {
        let Self { z1, o1, s, u, o2, l_i, l } = self;
        [("Z1", z1), ("O1", o1), ("S", s), ("U", u), ("O2", o2), ("L_i", l_i), ("L", l)]
    }
}

impl<V> Gradients<V> {
    /// The gradients with their names in the derivation.
    pub fn named(&self) -> [(&'static str, &V); 8] {
        let Self { s, o1, z1, w1, b1, w2, b2, x } = self;
        [
            ("dL/dS", s),
            ("dL/dO1", o1),
            ("dL/dZ1", z1),
            ("dL/dW1", w1),
            ("dL/db1", b1),
            ("dL/dW2", w2),
            ("dL/db2", b2),
            ("dL/dX", x),
        ]
    }
}

impl<'t, T: Float> Toy<Var<'t, T>> {
    /// Records the forward pass over examples `X` `[N, D]` with a label in `0..K` each.
    ///
    /// `O2` and the losses come from shifted scores, so they stay finite for scores of any size. `U` is recorded to be
    /// looked at; nothing reads it.
    ///
    /// # Panics
    /// Where [`Toy::try_forward`] gives an error, with its text.
    #[track_caller]
    pub fn forward(&self, x: Var<'t, T>, labels: &[usize], convention: Convention) -> Forward<Var<'t, T>> {
        let _whole = self.whole("Toy::forward", x);
        match self.try_forward(x, labels, convention) {
            Ok(forward) => forward,
            Err(error) => panic!("Toy::forward: {error}"),
        }
    }

    /// As [`Toy::forward`], for data that comes from outside.
    ///
    /// # Errors
    /// Where the shapes do not fit each other, a label is out of range, or a mean over an empty batch is asked.
    #[track_caller]
    pub fn try_forward(
        &self,
        x: Var<'t, T>,
        labels: &[usize],
        convention: Convention,
    ) -> Result<Forward<Var<'t, T>>, Error> {
        let _whole = self.whole("Toy::try_forward", x);
        let [z1, o1, s] = self.scores(x, labels, convention)?;
        let labels = x.tape().labels(labels);
        let l_i = s.cross_entropy_with(&labels, Reduction::None);
        let l = s.cross_entropy_with(&labels, convention.reduction());
        Ok(Forward { z1, o1, s, u: s.exp(), o2: s.softmax(1), l_i, l })
    }

    /// The forward pass as the post writes it: `U = exp(S)`, `O2 = U / Σ U`, `L_i = −ln O2[i, y_i]`, each recorded as
    /// such, so that the engine differentiates the post's own steps. For scores of moderate size only: `U` overflows.
    ///
    /// ```
    /// use autograd::{grad, Tape};
    /// use softmax_net::{published::Published, Convention};
    /// let Published { net, x, labels, .. } = Published::embedded();
    /// let tape = Tape::new();
    /// let forward = tape.vars(&net).try_forward_as_written(tape.var(&x), &labels, Convention::Sum)?;
    /// let dl_du = grad(forward.l, &forward.u); // U is on the way from S to L
    /// assert!(dl_du.value().as_slice().iter().all(|g| *g != 0.0));
    /// # Ok::<(), softmax_net::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Toy::try_forward`].
    #[track_caller]
    pub fn try_forward_as_written(
        &self,
        x: Var<'t, T>,
        labels: &[usize],
        convention: Convention,
    ) -> Result<Forward<Var<'t, T>>, Error> {
        let _whole = self.whole("Toy::try_forward_as_written", x);
        let [z1, o1, s] = self.scores(x, labels, convention)?;
        let n = labels.len();
        let u = s.exp();
        let o2 = u / u.sum_axes(keepdims(1));
        let index: Vec<i64> = labels.iter().map(|&label| label as i64).collect();
        let l_i = -o2.take_along_axis(1, &x.tape().indices([n, 1], &index)).log().reshape([n]);
        let l = l_i.sum().div_scalar(convention.divisor(n)? as f64);
        Ok(Forward { z1, o1, s, u, o2, l_i, l })
    }

    /// What is recorded belongs to one function, which errors name.
    #[track_caller]
    fn whole(&self, function: &'static str, x: Var<'t, T>) -> Composite<'t, T> {
        x.tape().composite(function, [x, self.w1, self.b1, self.w2, self.b2])
    }

    /// `Z1`, `O1` and `S`, once everything is known to fit.
    #[track_caller]
    fn scores(&self, x: Var<'t, T>, labels: &[usize], convention: Convention) -> Result<[Var<'t, T>; 3], Error> {
        let Self { w1, b1, w2, b2, f } = self;
        let shapes = Toy { w1: w1.shape(), b1: b1.shape(), w2: w2.shape(), b2: b2.shape(), f: *f };
        let sizes = Sizes::of(&shapes, &x.shape(), labels)?;
        convention.divisor(sizes.n)?;
        let z1 = x.matmul(*w1) + b1;
        let o1 = f.record(z1);
        Ok([z1, o1, o1.matmul(*w2) + b2])
    }

    /// Records the gradients of the loss with respect to the parameters, the examples and the intermediate results.
    #[track_caller]
    pub fn gradients(&self, x: Var<'t, T>, forward: &Forward<Var<'t, T>>) -> Gradients<Var<'t, T>> {
        let _whole = self.whole("Toy::gradients", x);
        let (Self { w1, b1, w2, b2, .. }, Forward { z1, o1, s, .. }) = (self, forward);
        let wrt = Gradients { s: *s, o1: *o1, z1: *z1, w1: *w1, b1: *b1, w2: *w2, b2: *b2, x };
        grad(forward.l, &wrt)
    }

    /// `Σ W1² + Σ W2²`, which a regularised loss adds a multiple of.
    #[track_caller]
    pub fn penalty(&self) -> Var<'t, T> {
        self.w1.square().sum() + self.w2.square().sum()
    }
}

impl<T: Float> Toy<Tensor<T>> {
    /// A network of these parameters.
    ///
    /// # Errors
    /// Where their shapes do not fit each other.
    pub fn try_new(w1: Tensor<T>, b1: Tensor<T>, w2: Tensor<T>, b2: Tensor<T>, f: Activation) -> Result<Self, Error> {
        let net = Self { w1, b1, w2, b2, f };
        let shapes = net.shapes();
        let features = shapes.w1.first().copied().unwrap_or(0);
        Sizes::of(&shapes, &Shape::from([0, features]), &[])?;
        Ok(net)
    }

    /// The shapes of the parameters.
    pub fn shapes(&self) -> Toy<Shape> {
        let Self { w1, b1, w2, b2, f } = self;
        let [w1, b1, w2, b2] = [w1, b1, w2, b2].map(|p| p.shape().clone());
        Toy { w1, b1, w2, b2, f: *f }
    }

    /// The parameters as plain slices, which [`closed_form`](crate::closed_form) takes.
    pub fn slices(&self) -> Toy<&[T]> {
        let Self { w1, b1, w2, b2, f } = self;
        let [w1, b1, w2, b2] = [w1, b1, w2, b2].map(Tensor::as_slice);
        Toy { w1, b1, w2, b2, f: *f }
    }

    /// The regularised mean loss `1/N Σ L_i + strength · (Σ W1² + Σ W2²)` and its gradient. The tape is used and left
    /// empty.
    ///
    /// ```
    /// use autograd::Tape;
    /// use softmax_net::published::Published;
    /// let Published { mut net, x, labels, .. } = Published::embedded();
    /// let mut tape = Tape::new();
    /// let (before, gradient) = net.loss_and_gradient(&mut tape, &x, &labels, 0.05)?;
    /// assert_eq!(format!("{before:.11}"), "1.30378789133"); // as CS231n prints it
    /// net.descend(&gradient, 0.1);
    /// let (after, _) = net.loss_and_gradient(&mut tape, &x, &labels, 0.05)?;
    /// assert!(after < before);
    /// # Ok::<(), softmax_net::Error>(())
    /// ```
    ///
    /// # Errors
    /// Where the shapes do not fit each other, a label is out of range, or the batch is empty.
    pub fn loss_and_gradient(
        &self,
        tape: &mut Tape<T>,
        x: &Tensor<T>,
        labels: &[usize],
        strength: f64,
    ) -> Result<(T, Self), Error> {
        let sizes = Sizes::of(&self.shapes(), x.shape(), labels)?;
        Convention::Mean.divisor(sizes.n)?;
        Ok(tape.value_and_grad(self, |tape, net: Toy<Var<'_, T>>| {
            let loss = net.forward(tape.var(x), labels, Convention::Mean).l;
            loss + net.penalty().mul_scalar(strength)
        }))
    }

    /// One step of gradient descent: `p −= rate · dL/dp` for every parameter.
    ///
    /// # Panics
    /// Where the gradient is that of a network of other sizes.
    #[track_caller]
    pub fn descend(&mut self, gradient: &Self, rate: T) {
        // All or none.
        for ((name, p), (_, dp)) in self.named().into_iter().zip(gradient.named()) {
            let (p, dp) = (p.shape(), dp.shape());
            assert!(p == dp, "descend: a gradient {dp} for a parameter {p}, {name}");
        }
        for (p, dp) in self.leaves_mut().into_iter().zip(gradient.leaves()) {
            for (p, &dp) in p.as_mut_slice().iter_mut().zip(dp.as_slice()) {
                *p -= rate * dp;
            }
        }
    }

    /// The class with the largest score for each example of `X` `[N, D]`; the first where scores tie.
    ///
    /// # Errors
    /// Where the shapes do not fit each other, or there are no classes to choose from.
    pub fn predict(&self, x: &Tensor<T>) -> Result<Vec<usize>, Error> {
        // The labels do not change the scores; a network without classes has no label 0 to give.
        let labels = vec![0; x.shape().first().copied().unwrap_or(0)];
        let tape = Tape::default();
        let scores = tape.vars(self).try_forward(tape.var(x), &labels, Convention::Sum)?.s.value();
        let classes = self.b2.numel().max(1);
        let best = |row: &[T]| (0..row.len()).fold(0, |best, k| if row[k] > row[best] { k } else { best });
        Ok(scores.as_slice().chunks_exact(classes).map(best).collect())
    }
}
