//! What is built from the two sweeps: values with gradients, Jacobians, Hessians, Hessian-vector products.

use crate::diff::forward::{jvp, pushed_forward};
use crate::diff::reverse::{grad, gradients, seed, vjp};
use crate::float::Float;
use crate::ops::concat::{concat, stack};
use crate::tape::Tape;
use crate::tape::tree::Tree;
use crate::tape::var::Var;
use crate::tensor::Tensor;
use crate::tensor::error::{Kind, Reason};
use crate::tensor::memory::room;
use crate::tensor::shape::Shape;
use smallvec::SmallVec;

impl<T: Float> Tape<T> {
    /// The value of a scalar function of parameters, and its gradient. The tape is cleared before and after, so a
    /// training loop that calls this reuses its memory, and updating the parameters copies nothing.
    ///
    /// The function is given the tape, to put data on: `tape.var(&x)`. A variable from outside lives on another tape, and
    /// does not outlive this call («`outside` does not live long enough»).
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let mut tape = Tape::new();
    /// let mut w = Tensor::from([0.0, 0.0]);
    /// for _ in 0..100 {
    ///     let (_loss, dw) = tape.value_and_grad(&w, |tape, w| {
    ///         (w - tape.var(&Tensor::from([1.0, 2.0]))).square().sum()
    ///     });
    ///     w -= dw * 0.25;
    /// }
    /// assert_eq!(w.as_slice(), [1.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// Where the function's value has more than one element, or lives on another tape.
    #[track_caller]
    pub fn value_and_grad<P: Tree<Leaf = Tensor<T>> + ?Sized>(
        &mut self,
        params: &P,
        f: impl for<'t> FnOnce(&'t Self, P::With<Var<'t, T>>) -> Var<'t, T>,
    ) -> (T, P::With<Tensor<T>>) {
        let (value, [], grads) = self.graded("value_and_grad", params, |tape, vars| (f(tape, vars), []));
        (value, grads)
    }

    /// As [`Tape::value_and_grad`], of a function that gives more values beside the one whose gradient is taken: scores, or a
    /// statistic of the batch. They come out as tensors, in an array of as many.
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let mut tape = Tape::new();
    /// let w = Tensor::from_rows([[1.0, -1.0]]);
    /// let x = Tensor::from_rows([[2.0], [-3.0]]);
    /// let (_loss, [scores], dw) = tape.value_and_grad_with(&w, |tape, w| {
    ///     let scores = tape.var(&x).matmul(w);
    ///     (scores.cross_entropy(&[0, 1]), [scores])
    /// });
    /// assert_eq!(scores, Tensor::from_rows([[2.0, -2.0], [-3.0, 3.0]]));
    /// assert_eq!(dw.shape(), w.shape());
    /// ```
    ///
    /// # Panics
    /// As [`Tape::value_and_grad`]; where one of the other values lives on another tape.
    #[track_caller]
    pub fn value_and_grad_with<P: Tree<Leaf = Tensor<T>> + ?Sized, const N: usize>(
        &mut self,
        params: &P,
        f: impl for<'t> FnOnce(&'t Self, P::With<Var<'t, T>>) -> (Var<'t, T>, [Var<'t, T>; N]),
    ) -> (T, [Tensor<T>; N], P::With<Tensor<T>>) {
        self.graded("value_and_grad_with", params, f)
    }

    #[track_caller]
    #[inline]
    fn graded<P: Tree<Leaf = Tensor<T>> + ?Sized, const N: usize>(
        &mut self,
        name: &'static str,
        params: &P,
        f: impl for<'t> FnOnce(&'t Self, P::With<Var<'t, T>>) -> (Var<'t, T>, [Var<'t, T>; N]),
    ) -> (T, [Tensor<T>; N], P::With<Tensor<T>>) {
        self.clear();
        let results = {
            let tape = &*self;
            let vars = tape.vars(params);
            let inputs: SmallVec<[u32; 8]> = (0..tape.len() as u32).collect();
            let (loss, more) = f(tape, vars);
            let grads = tape.graded_by(name, loss, &more, &inputs);
            let mut grads = grads.iter();
            let grads = params.map(&mut |_| tape.share(*grads.next().expect("there is a gradient for each parameter")));
            let more = more.map(|value| tape.share(value.index()));
            (tape.borrow_value(loss.index())[0], more, grads)
        };
        self.clear();
        results
    }

    /// Computes the gradients of a loss with it and what else is asked for, and gives the nodes of all, in this order.
    #[track_caller]
    #[inline(never)]
    pub(crate) fn graded_by(
        &self,
        name: &'static str,
        loss: Var<'_, T>,
        more: &[Var<'_, T>],
        inputs: &[u32],
    ) -> SmallVec<[u32; 16]> {
        let mut roots: SmallVec<[u32; 16]> = SmallVec::new();
        let _whole = self.composite(name, [loss].iter().chain(more).copied());
        let grads = gradients(self, (loss, seed(loss)), inputs);
        roots.extend(grads.iter().chain([&loss]).chain(more).map(Var::index));
        self.compute_roots(&roots, false);
        roots
    }
}

/// A leaf that is 1 at one position and 0 elsewhere.
fn unit<'t, T: Float>(tape: &'t Tape<T>, shape: Shape, at: usize) -> Var<'t, T> {
    tape.leaf_from_fn("unit", &shape, |i| if i == at { T::ONE } else { T::ZERO })
}

/// The Jacobian `dy/dx`, recorded, with the shape of `y` followed by the shape of `x`. It is computed by rows in
/// reverse mode or by columns in forward mode, whichever are fewer.
///
/// ```
/// use autograd::{jacobian, Tape, Tensor};
/// let tape = Tape::new();
/// let x = tape.var(&Tensor::from([1.0, 2.0]));
/// let j = jacobian(x * x, x);
/// assert_eq!(j.value(), Tensor::from_rows([[2.0, 0.0], [0.0, 4.0]]));
/// ```
///
/// # Panics
/// Where the two live on different tapes.
#[track_caller]
#[inline(never)]
pub fn jacobian<'t, T: Float>(y: Var<'t, T>, x: Var<'t, T>) -> Var<'t, T> {
    let tape = y.tape();
    let _whole = tape.composite("jacobian", [y, x]);
    let (ys, xs) = (y.shape(), x.shape());
    let (m, n) = (ys.numel(), xs.numel());
    let shape: Shape = ys.iter().chain(&*xs).copied().collect();
    y.expect("jacobian", shape.elements());
    if m == 0 || n == 0 {
        return tape.full(shape, T::ZERO);
    }
    if m <= n { by_rows(y, x).reshape(shape) } else { by_columns(y, x).reshape(shape) }
}

/// The Jacobian as a matrix, in reverse mode, a row for each result.
#[track_caller]
pub(crate) fn by_rows<'t, T: Float>(y: Var<'t, T>, x: Var<'t, T>) -> Var<'t, T> {
    // In closures, a panic would be told at a line in here.
    let mut rows = y.expect("jacobian", room(y.numel()).map_err(Reason::from));
    for i in 0..y.numel() {
        rows.push(vjp(y, &x, unit(y.tape(), y.shape(), i)).reshape([1, x.numel()]));
    }
    if rows.is_empty() { y.tape().full([0, x.numel()], T::ZERO) } else { concat(&rows, 0) }
}

/// The Jacobian as a matrix, in forward mode, a column for each element of the input.
#[track_caller]
pub(crate) fn by_columns<'t, T: Float>(y: Var<'t, T>, x: Var<'t, T>) -> Var<'t, T> {
    let mut columns = y.expect("jacobian", room(x.numel()).map_err(Reason::from));
    for j in 0..x.numel() {
        columns.push(jvp(y, &x, &unit(x.tape(), x.shape(), j)).reshape([y.numel(), 1]));
    }
    if columns.is_empty() { y.tape().full([y.numel(), 0], T::ZERO) } else { concat(&columns, 1) }
}

/// The Hessian `d²y/dx²` of a scalar, recorded, with the shape of `x` twice.
///
/// ```
/// use autograd::{hessian, Tape, Tensor};
/// let tape = Tape::new();
/// let x = tape.var(&Tensor::from([1.0, 2.0]));
/// let y = x.gather(0, &[0]) * x.gather(0, &[1]).square(); // x0 · x1²
/// assert_eq!(hessian(y, x).value(), Tensor::from_rows([[0.0, 4.0], [4.0, 2.0]]));
/// ```
///
/// # Panics
/// Where `y` has more than one element, or the two live on different tapes.
#[track_caller]
#[inline(never)]
pub fn hessian<'t, T: Float>(y: Var<'t, T>, x: Var<'t, T>) -> Var<'t, T> {
    let _whole = y.tape().composite("hessian", [y, x]);
    jacobian(grad(y, &x), x)
}

/// The Hessian of a scalar times a direction, recorded, without the Hessian: the tangent of the gradient.
///
/// ```
/// use autograd::{hvp, Tape, Tensor};
/// let tape = Tape::new();
/// let x = tape.var(&Tensor::from([1.0, 2.0]));
/// let v = tape.var(&Tensor::from([1.0, 0.0]));
/// let [hv] = hvp((x * x * x).sum(), &[x], &[v]);
/// assert_eq!(hv.value().as_slice(), [6.0, 0.0]);
/// ```
///
/// # Panics
/// Where `y` has more than one element, a direction does not have the shape of its variable, or the tapes differ.
#[track_caller]
pub fn hvp<'t, T, P>(y: Var<'t, T>, x: &P, directions: &P) -> P::With<Var<'t, T>>
where
    T: Float,
    P: Tree<Leaf = Var<'t, T>> + ?Sized,
{
    let mut products = products(y, &x.leaves(), &directions.leaves()).into_iter();
    x.map(&mut |_| products.next().expect("there is a product for each variable"))
}

/// [`hvp`] with respect to a list of variables.
#[track_caller]
#[inline(never)]
pub(crate) fn products<'t, T: Float>(y: Var<'t, T>, x: &[&Var<'t, T>], directions: &[&Var<'t, T>]) -> Vec<Var<'t, T>> {
    let _whole = y.tape().composite("hvp", [&y].into_iter().chain(x.iter().chain(directions).copied()).copied());
    let variables: Vec<Var<'t, T>> = x.iter().map(|&&x| x).collect();
    let mut products = grad(y, &variables);
    for product in &mut products {
        *product = pushed_forward(*product, x, directions);
    }
    products
}

/// The gradient of each example's own loss: for losses `[n]`, every variable's gradient with a leading dimension of `n`.
///
/// ```
/// use autograd::{per_example_grads, Tape, Tensor};
/// let tape = Tape::new();
/// let w = tape.var(&Tensor::from([2.0]));
/// let x = tape.var(&Tensor::from([1.0, 3.0]));
/// let dw = per_example_grads((w * x).square(), &w); // 2 w x²
/// assert_eq!(dw.value(), Tensor::from_rows([[4.0], [36.0]]));
/// ```
///
/// # Panics
/// Where the losses are no vector of at least one, or a variable lives on another tape.
#[track_caller]
pub fn per_example_grads<'t, T, P>(losses: Var<'t, T>, wrt: &P) -> P::With<Var<'t, T>>
where
    T: Float,
    P: Tree<Leaf = Var<'t, T>> + ?Sized,
{
    let mut columns = by_example(losses, &wrt.leaves()).into_iter();
    wrt.map(&mut |_| columns.next().expect("there is a gradient for each variable"))
}

/// [`per_example_grads`] with respect to a list of variables.
#[track_caller]
#[inline(never)]
pub(crate) fn by_example<'t, T: Float>(losses: Var<'t, T>, wrt: &[&Var<'t, T>]) -> Vec<Var<'t, T>> {
    let shape = losses.shape();
    let variables: Vec<Var<'t, T>> = wrt.iter().map(|&&x| x).collect();
    let _whole = losses.tape().composite("per_example_grads", [losses].iter().chain(&variables).copied());
    losses.require("per_example_grads", shape.rank() == 1 && shape[0] > 0, Kind::Shape, || {
        format!("{losses:?} is no vector of losses")
    });
    let tape = losses.tape();
    let rows = room::<Vec<Var<'t, T>>>(shape[0]).map_err(Reason::from);
    let mut rows = losses.expect("per_example_grads", rows);
    for i in 0..shape[0] {
        rows.push(vjp(losses, &variables, unit(tape, shape.clone(), i)));
    }
    let mut columns = Vec::with_capacity(wrt.len());
    for k in 0..wrt.len() {
        let column: Vec<Var<'t, T>> = rows.iter().map(|row| row[k]).collect();
        columns.push(stack(&column, 0));
    }
    columns
}
