//! What an optimiser remembers of each parameter, and the walk over parameters, gradients and memory together.

use autograd::{Float, Tensor, Tree};

/// What an optimiser remembers between steps: `N` buffers for each parameter, in the order of the leaves.
#[derive(Clone, Debug, Default)]
pub struct State<T: Float, const N: usize> {
    /// Empty before the first step.
    leaves: Vec<[Vec<T>; N]>,
    /// The gradients of the step under way, shared with the caller; kept for its memory.
    grads: Vec<Tensor<T>>,
}

impl<T: Float, const N: usize> State<T, N> {
    /// Calls `update(parameter, gradient, buffers)` for each leaf. The buffers are empty at the first step.
    #[track_caller]
    pub(crate) fn step(
        &mut self,
        params: &mut impl Tree<Leaf = Tensor<T>>,
        grads: &impl Tree<Leaf = Tensor<T>>,
        mut update: impl FnMut(&mut [T], &[T], &mut [Vec<T>; N]),
    ) {
        self.grads.clear(); // a panic may have left some
        grads.visit(&mut |grad| self.grads.push(grad.clone()));
        self.check(params);
        let (mut leaves, mut grads) = (self.leaves.iter_mut(), self.grads.iter());
        params.visit_mut(&mut |param| {
            if let (Some(buffers), Some(grad)) = (leaves.next(), grads.next()) {
                update(param.as_mut_slice(), grad.as_slice(), buffers);
            }
        });
        self.grads.clear();
    }

    /// Holds parameters, gradients and buffers to one structure.
    #[track_caller]
    fn check(&mut self, params: &impl Tree<Leaf = Tensor<T>>) {
        let mut count = 0;
        let mut wrong = None;
        params.visit(&mut |param| {
            if self.grads.get(count).is_some_and(|grad| grad.shape() != param.shape()) {
                wrong = wrong.or(Some(count));
            }
            count += 1;
        });
        let given = self.grads.len();
        assert!(given == count, "step: there are {count} parameters and {given} gradients");
        if let Some(i) = wrong {
            let (name, param, grad) = (&params.names()[i], params.leaves()[i].shape(), self.grads[i].shape());
            let name = if name.is_empty() { String::new() } else { format!(" ({name})") };
            panic!("step: parameter {i}{name} has shape {param}, its gradient has {grad}");
        }
        if self.leaves.is_empty() {
            self.leaves.resize_with(count, || std::array::from_fn(|_| Vec::new()));
        }
        let held = self.leaves.len();
        assert!(held == count, "step: the optimiser has made steps on {held} parameters, {count} were given");
        for (i, (buffers, grad)) in self.leaves.iter().zip(&self.grads).enumerate() {
            let (held, given) = (buffers.iter().map(Vec::len).max().unwrap_or(0), grad.numel());
            assert!(
                held == 0 || held == given,
                "step: the optimiser has made steps on a parameter {i} of {held} elements, one of {given} was given"
            );
        }
    }

    #[cfg(test)]
    pub(crate) fn addresses(&self) -> Vec<*const T> {
        self.leaves.iter().flatten().map(Vec::as_ptr).collect()
    }
}
