//! Gradients that are held to a size.

use crate::optim::{Memory, Rule, Setting, Step};
use autograd::{Float, Tensor, Tree, Var};

/// How gradients are held to a size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Clip {
    /// All gradients together, as one vector, are made no longer than this (Pascanu et al., 2013), as PyTorch's `clip_grad_norm_`:
    /// they are multiplied by `min(1, c / (norm + 1e-6))`.
    Norm(f64),
    /// Each number is held between −c and c, as by PyTorch's `clip_grad_value_`.
    Value(f64),
}

/// A rule whose gradients are held to a size first.
///
/// ```
/// use autograd::Tensor;
/// use nn::optim::{Clip, Clipped, Optimiser, Sgd};
/// let mut rule = Clipped { clip: Clip::Norm(1.0), rule: Sgd::new(1.0) };
/// let mut p = Tensor::<f64>::from([0.0, 0.0]);
/// rule.step(&mut p, &Tensor::from([30.0, -40.0]));
/// assert!((p.as_slice()[0] + 0.6).abs() < 1e-7 && (p.as_slice()[1] - 0.8).abs() < 1e-7);
/// ```
#[derive(Clone, Debug)]
pub struct Clipped<R> {
    /// To which size.
    pub clip: Clip,
    /// What moves the parameters.
    pub rule: R,
}

impl<T: Float, R: Rule<T>> Rule<T> for Clipped<R> {
    inner!();

    fn settings(&self, each: &mut dyn FnMut(Setting)) {
        each(match self.clip {
            Clip::Norm(norm) => Setting::number("norm", norm),
            Clip::Value(value) => Setting::number("value", value),
        });
        each(Setting::flag("clip", matches!(self.clip, Clip::Norm(_))));
        self.rule.settings(each);
    }

    fn advance<'t>(&self, step: &mut Step<'t, T>) {
        match self.clip {
            Clip::Norm(most) => {
                let grads: Vec<_> = step.leaves.iter().filter(|leaf| !leaf.frozen).map(|leaf| leaf.grad).collect();
                if let Some((factor, _)) = factor(&grads, most, 2.0) {
                    step.each(|leaf, _| leaf.grad = factor * leaf.grad);
                }
            }
            Clip::Value(most) => step.each(|leaf, _| leaf.grad = leaf.grad.clamp(-most, most)),
        }
        self.rule.advance(step);
    }
}

/// What gradients are multiplied by, and their norm: the `order`-th root of the sum of the powers, or the largest for an infinite
/// order; `None` of no gradients.
fn factor<'t, T: Float>(grads: &[Var<'t, T>], most: f64, order: f64) -> Option<(Var<'t, T>, Var<'t, T>)> {
    let norm = if order == 2.0 {
        grads.iter().map(|grad| grad.square().sum()).reduce(|a, b| a + b)?.sqrt()
    } else if order == f64::INFINITY {
        // Of no numbers there is no largest one.
        let none = grads.first()?.tape().scalar(T::ZERO);
        grads.iter().filter(|grad| grad.numel() > 0).fold(none, |most, grad| most.maximum(grad.abs().max()))
    } else if order == 1.0 {
        grads.iter().map(|grad| grad.abs().sum()).reduce(|a, b| a + b)?
    } else {
        let sum = grads.iter().map(|grad| grad.abs().pow_scalar(order).sum()).reduce(|a, b| a + b)?;
        sum.pow_scalar(1.0 / order)
    };
    let most = norm.tape().scalar(T::of(most));
    Some(((most / (norm + 1e-6)).minimum(1.0), norm))
}

/// Gradients whose norm, of all of them together as one vector, is at most `most`, and the norm that they had: PyTorch's
/// `clip_grad_norm_`, of order 2 by default there. The factor is `min(1, most / (norm + 1e-6))`.
///
/// ```
/// use autograd::{Tape, Tensor};
/// use nn::optim::clip_norm;
/// let tape = Tape::new();
/// let grads = tape.vars(&[Tensor::from([3.0]), Tensor::from([4.0])]);
/// let ([a, _], norm) = clip_norm(&grads, 2.5, 2.0);
/// assert_eq!(norm.item(), 5.0);
/// assert!((a.item() - 1.5).abs() < 1e-6);
/// ```
///
/// # Panics
/// Where there are no gradients, `most` is not a finite number of 0 or more, or the order is not above 0.
#[track_caller]
pub fn clip_norm<'t, T, G>(grads: &G, most: f64, order: f64) -> (G, Var<'t, T>)
where
    T: Float,
    G: Tree<Leaf = Var<'t, T>, With<Var<'t, T>> = G>,
{
    assert!(most.is_finite() && most >= 0.0, "clip_norm: a finite norm of 0 or more is needed, not {most}");
    assert!(order > 0.0, "clip_norm: an order above 0 is needed, not {order}");
    let list: Vec<_> = grads.leaves().into_iter().copied().collect();
    let Some((factor, norm)) = factor(&list, most, order) else { panic!("clip_norm: there are no gradients") };
    (grads.map(&mut |grad| factor * grad), norm)
}

/// Gradients whose numbers are held between `−most` and `most`: PyTorch's `clip_grad_value_`.
///
/// ```
/// use autograd::{Tape, Tensor};
/// use nn::optim::clip_value;
/// let tape = Tape::new();
/// let grads = tape.vars(&[Tensor::from([3.0, -0.1])]);
/// assert_eq!(clip_value(&grads, 0.5)[0].value().as_slice(), [0.5, -0.1]);
/// ```
///
/// # Panics
/// Where `most` is not a number of 0 or more.
#[track_caller]
pub fn clip_value<'t, T, G>(grads: &G, most: f64) -> G
where
    T: Float,
    G: Tree<Leaf = Var<'t, T>, With<Var<'t, T>> = G>,
{
    assert!(most >= 0.0, "clip_value: a number of 0 or more is needed, not {most}");
    grads.map(&mut |grad| grad.clamp(-most, most))
}

/// The 2-norm of tensors together, as one vector, such as gradients.
///
/// ```
/// use autograd::Tensor;
/// assert_eq!(nn::optim::norm(&(Tensor::from([3.0]), Tensor::from([0.0, -4.0]))), 5.0);
/// ```
pub fn norm<T: Float>(tensors: &impl Tree<Leaf = Tensor<T>>) -> f64 {
    let squares = |leaf: &&Tensor<T>| leaf.as_slice().iter().map(|x| x.to_f64().powi(2)).sum::<f64>();
    tensors.leaves().iter().map(squares).sum::<f64>().sqrt()
}
