//! What a program keeps between its runs.

use crate::float::Float;
use crate::tape::tree::Tree;
use crate::tape::var::Var;
use crate::tensor::Tensor;

/// The state of a program: a structure of tensors, or `()` for none.
///
/// ```
/// use autograd::{Program, Tensor};
/// let mut double = Program::record(&(), &Tensor::zeros([2]), |_, (), x| (vec![], vec![x * 2.0]))?;
/// assert_eq!(double.run(&Tensor::from([1.0, 2.0]))?.slice(0), [2.0, 4.0]);
/// # Ok::<(), autograd::ProgramError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no tree of tensors of `{T}`, and no state of a program",
    label = "this is no tensor, or structure of them",
    note = "for a struct or an enum of your own, write `tree! {{ struct Net<V> {{ w: V, b: V }} }}`, or `tree!(Net {{ w, b }});` \
            below it; a program without state takes `()`"
)]
pub trait State<T: Float> {
    /// What the recorded function is given.
    type Vars<'t>;
    /// The state with a variable for each of its tensors.
    fn vars<'t>(&self, var: &mut dyn FnMut(&Tensor<T>) -> Var<'t, T>) -> Self::Vars<'t>;
    /// The names of its tensors.
    fn tensor_names(&self) -> Vec<String>;
    /// Its tensors, to change.
    fn tensors_mut(&mut self) -> Vec<&mut Tensor<T>>;
}

impl<T: Float, S: Tree<Leaf = Tensor<T>> + ?Sized> State<T> for S {
    type Vars<'t> = S::With<Var<'t, T>>;
    fn vars<'t>(&self, var: &mut dyn FnMut(&Tensor<T>) -> Var<'t, T>) -> Self::Vars<'t> {
        self.map(var)
    }
    fn tensor_names(&self) -> Vec<String> {
        self.names()
    }
    fn tensors_mut(&mut self) -> Vec<&mut Tensor<T>> {
        self.leaves_mut()
    }
}

impl<T: Float> State<T> for () {
    type Vars<'t> = ();
    fn vars<'t>(&self, _: &mut dyn FnMut(&Tensor<T>) -> Var<'t, T>) {}
    fn tensor_names(&self) -> Vec<String> {
        Vec::new()
    }
    fn tensors_mut(&mut self) -> Vec<&mut Tensor<T>> {
        Vec::new()
    }
}
