//! What L-BFGS has learnt of a function.

use super::super::flat::{self, Memory, add, dot};
use autograd::{Float, Tensor};
use std::collections::VecDeque;

/// What is known of the function between two calls.
pub(super) struct Known<T> {
    pub(super) changes: VecDeque<Vec<T>>,
    pub(super) gradients: VecDeque<Vec<T>>,
    /// Of each, `1 / (change · change of the gradient)`.
    pub(super) inverse: VecDeque<f64>,
    pub(super) scale: f64,
    pub(super) direction: Vec<T>,
    pub(super) gradient: Vec<T>,
    pub(super) parameters: Vec<T>,
    pub(super) step: f64,
    pub(super) iterations: f64,
}

impl<T: Float> Known<T> {
    /// What is remembered of `n` numbers, or how many are remembered in their place.
    pub(super) fn of(memory: &Memory<T>, n: usize) -> Result<Self, usize> {
        let row = |name: &str| memory.get(name).map(Tensor::to_vec).unwrap_or_default();
        let rows = |name: &str| match memory.get(name) {
            Some(rows) if rows.numel() > 0 => {
                rows.as_slice().chunks(rows.shape().last().copied().unwrap_or(1)).map(<[T]>::to_vec).collect()
            }
            _ => VecDeque::new(),
        };
        let [parameters, direction, gradient] = ["parameters", "direction", "gradient"].map(row);
        let [changes, gradients]: [VecDeque<Vec<T>>; 2] = ["changes", "gradients"].map(rows);
        let lengths = [&parameters, &direction, &gradient].into_iter().chain(&changes).chain(&gradients).map(Vec::len);
        if let Some(held) = lengths.filter(|&held| held != n && held != 0).max() {
            return Err(held);
        }
        let inverse = changes.iter().zip(&gradients).map(|(s, y)| 1.0 / dot(y, s)).collect();
        let [scale, step, iterations] = [("scale", 1.0), ("step", 0.0), ("iterations", 0.0)]
            .map(|(name, default)| flat::number(memory, name).unwrap_or(default));
        Ok(Self { changes, gradients, inverse, scale, direction, gradient, parameters, step, iterations })
    }

    pub(super) fn memory(self, n: usize) -> Memory<T> {
        let mut memory = Memory::new();
        for (name, rows) in [("changes", self.changes), ("gradients", self.gradients)] {
            memory.insert(name.to_owned(), Tensor::new([rows.len(), n], rows.into_iter().flatten().collect()));
        }
        for (name, row) in [("direction", self.direction), ("gradient", self.gradient), ("parameters", self.parameters)]
        {
            memory.insert(name.to_owned(), Tensor::from(row));
        }
        for (name, number) in [("scale", self.scale), ("step", self.step), ("iterations", self.iterations)] {
            flat::keep(&mut memory, name, number);
        }
        memory
    }

    /// Takes in how the gradient has changed over the last step; of that which curves the wrong way, or hardly, nothing.
    pub(super) fn learn(&mut self, gradient: &[T], most: usize) {
        let y: Vec<T> = gradient.iter().zip(&self.gradient).map(|(&new, &old)| new - old).collect();
        let step = T::of(self.step);
        let s: Vec<T> = self.direction.iter().map(|&d| d * step).collect();
        let curvature = dot(&y, &s);
        if curvature > 1e-10 {
            while self.changes.len() >= most {
                self.changes.pop_front();
                self.gradients.pop_front();
                self.inverse.pop_front();
            }
            self.scale = curvature / dot(&y, &y);
            self.changes.push_back(s);
            self.gradients.push_back(y);
            self.inverse.push_back(1.0 / curvature);
        }
    }

    /// Minus the inverse Hessian times the gradient, by two loops.
    pub(super) fn along(&self, gradient: &[T]) -> Vec<T> {
        let mut q: Vec<T> = gradient.iter().map(|&g| -g).collect();
        let mut alphas = vec![0.0; self.changes.len()];
        for (i, alpha) in alphas.iter_mut().enumerate().rev() {
            *alpha = dot(&self.changes[i], &q) * self.inverse[i];
            add(&mut q, -*alpha, &self.gradients[i]);
        }
        let scale = T::of(self.scale);
        for q in &mut q {
            *q *= scale;
        }
        for (i, alpha) in alphas.into_iter().enumerate() {
            let beta = dot(&self.gradients[i], &q) * self.inverse[i];
            add(&mut q, alpha - beta, &self.changes[i]);
        }
        q
    }
}
