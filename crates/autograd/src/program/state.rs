//! What a program keeps between its runs.

use super::error::Call;
use super::steps::Step;
use super::{Program, ProgramError, ProgramErrorKind};
use crate::float::Float;
use crate::kernels::map::copy;
use crate::tape::tree::{Tree, join};
use crate::tape::var::Var;
use crate::tensor::Tensor;

/// The state of a program: a structure of tensors, or `()` for none, which tells no number type: that of the inputs is then
/// written where nothing else tells it, `Tensor::<f64>::zeros([2])`.
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

/// A part of the state in words: of one leaf it has no name.
pub(super) fn part(name: &str) -> String {
    if name.is_empty() { "the state".into() } else { format!("the state's {name}") }
}

impl<T: Float> Program<T> {
    /// The names of the parts of the state.
    pub fn state_names(&self) -> impl Iterator<Item = &str> {
        self.state.iter().map(|slot| &slot.name[..])
    }

    /// A part of the state by name, as it is after the last run.
    #[track_caller]
    #[inline(never)]
    pub fn state(&self, name: &str) -> Option<Tensor<T>> {
        let slot = self.state.iter().find(|slot| slot.name == name)?;
        Some(self.tensor(&slot.now))
    }

    /// Replaces a part of the state by name.
    ///
    /// # Errors
    /// Where there is no such part, or the shape is another.
    #[track_caller]
    #[inline(never)]
    pub fn set_state(&mut self, name: &str, value: &Tensor<T>) -> Result<(), ProgramError> {
        let call = Call::of("Program::set_state");
        let Some(slot) = self.state.iter().find(|slot| slot.name == name) else {
            return Err(call.error(ProgramErrorKind::NoState { name: name.to_owned() }));
        };
        if slot.now.shape != *value.shape() {
            let (expected, found) = (slot.now.shape.clone(), value.shape().clone());
            return Err(call.error(ProgramErrorKind::Shape { what: part(name), expected, found }));
        }
        copy(value.as_slice(), slot.now.of_mut(&mut self.buffers));
        self.forget_copies();
        Ok(())
    }

    /// What the steps have copied of the state is out of date.
    #[inline(never)]
    pub(super) fn forget_copies(&mut self) {
        for step in self.steps.iter() {
            if let Step::HiddenLayer(net) = step
                && let Some(buffer) = net.0.copy_buffer()
            {
                self.buffers[buffer][0] = T::ZERO;
            }
        }
    }

    /// Copies the whole state into a structure like the one that was recorded.
    ///
    /// # Errors
    /// Where the structure has another number of leaves, or one has another shape.
    #[track_caller]
    pub fn store_state<S: State<T> + ?Sized>(&self, into: &mut S) -> Result<(), ProgramError> {
        let call = Call::of("Program::store_state");
        let leaves = into.tensors_mut();
        if leaves.len() != self.state.len() {
            return Err(call.error(ProgramErrorKind::State { expected: self.state.len(), found: leaves.len() }));
        }
        // All of them fit, or none is written.
        for (leaf, slot) in leaves.iter().zip(&self.state) {
            if *leaf.shape() != slot.now.shape {
                let (expected, found) = (slot.now.shape.clone(), leaf.shape().clone());
                return Err(call.error(ProgramErrorKind::Shape { what: part(&slot.name), expected, found }));
            }
        }
        for (leaf, slot) in leaves.into_iter().zip(&self.state) {
            copy(self.slice(&slot.now), leaf.as_mut_slice());
        }
        Ok(())
    }

    /// Copies the numbers of the whole state, one part after the other, into a list whose memory is used again: what
    /// [`Program::set_state_numbers`] takes back, after a step that was none.
    ///
    /// ```
    /// use autograd::{Program, Tensor};
    /// let mut root = Program::record(&Tensor::from([16.0, 4.0]), &(), |_, x, ()| (vec![x.sqrt()], vec![]))?;
    /// let mut before = Vec::new();
    /// root.copy_state_into(&mut before);
    /// root.run(&())?;
    /// root.set_state_numbers(&before)?;
    /// root.run(&())?;
    /// root.copy_state_into(&mut before);
    /// assert_eq!(before, [4.0, 2.0]);
    /// # Ok::<(), autograd::ProgramError>(())
    /// ```
    pub fn copy_state_into(&self, numbers: &mut Vec<T>) {
        numbers.clear();
        for slot in &self.state {
            numbers.extend_from_slice(self.slice(&slot.now));
        }
    }

    /// Replaces the numbers of the whole state, one part after the other.
    ///
    /// # Errors
    /// Where they are more or fewer than the state has; nothing is written then.
    #[track_caller]
    #[inline(never)]
    pub fn set_state_numbers(&mut self, numbers: &[T]) -> Result<(), ProgramError> {
        let (expected, found) = (self.state.iter().map(|slot| slot.now.len).sum(), numbers.len());
        if expected != found {
            let kind = ProgramErrorKind::StateNumbers { expected, found };
            return Err(Call::of("Program::set_state_numbers").error(kind));
        }
        let mut rest = numbers;
        for slot in &self.state {
            let (these, others) = rest.split_at(slot.now.len);
            copy(these, slot.now.of_mut(&mut self.buffers));
            rest = others;
        }
        self.forget_copies();
        Ok(())
    }

    /// Copies a part of the state that is a structure: of a state `(net, optimiser)`, part `"0"` into a net.
    ///
    /// ```
    /// use autograd::{Program, Tensor};
    /// let state = ([Tensor::scalar(1.0), Tensor::scalar(2.0)], Tensor::scalar(0.0));
    /// let mut program = Program::record(&state, &Tensor::scalar(0.0), |_, ([a, b], steps), x| {
    ///     (vec![a * 2.0, b * 2.0, steps + 1.0], vec![x])
    /// })?;
    /// program.run(&Tensor::scalar(0.0))?;
    /// let mut pair = [Tensor::scalar(0.0), Tensor::scalar(0.0)];
    /// program.store_part("0", &mut pair)?;
    /// assert_eq!((pair[0].item(), pair[1].item()), (2.0, 4.0));
    /// program.set_part("0", &[Tensor::scalar(5.0), Tensor::scalar(6.0)])?;
    /// assert_eq!(program.state("0.1").unwrap().item(), 6.0);
    /// # Ok::<(), autograd::ProgramError>(())
    /// ```
    ///
    /// # Errors
    /// Where the state has no such part, or one of another shape; nothing is written then.
    #[track_caller]
    pub fn store_part<P>(&self, part: &str, into: &mut P) -> Result<(), ProgramError>
    where
        P: Tree<Leaf = Tensor<T>> + ?Sized,
    {
        let slots = self.slots_of(Call::of("Program::store_part"), part, &*into)?;
        for (leaf, slot) in into.leaves_mut().into_iter().zip(slots) {
            copy(self.slice(&self.state[slot].now), leaf.as_mut_slice());
        }
        Ok(())
    }

    /// Replaces a part of the state that is a structure; see [`Program::store_part`].
    ///
    /// # Errors
    /// As [`Program::store_part`].
    #[track_caller]
    pub fn set_part<P>(&mut self, part: &str, value: &P) -> Result<(), ProgramError>
    where
        P: Tree<Leaf = Tensor<T>> + ?Sized,
    {
        let slots = self.slots_of(Call::of("Program::set_part"), part, value)?;
        for (leaf, slot) in value.leaves().into_iter().zip(slots) {
            copy(leaf.as_slice(), self.state[slot].now.of_mut(&mut self.buffers));
        }
        self.forget_copies();
        Ok(())
    }

    /// The places in the state of the leaves of a structure that is a part of it.
    fn slots_of<P>(&self, call: Call, name: &str, structure: &P) -> Result<Vec<usize>, ProgramError>
    where
        P: Tree<Leaf = Tensor<T>> + ?Sized,
    {
        let mut slots = Vec::new();
        for (leaf, below) in structure.leaves().into_iter().zip(structure.names()) {
            let whole = if below.is_empty() { name.to_owned() } else { join(name, &below) };
            let Some(slot) = self.state.iter().position(|slot| slot.name == whole) else {
                return Err(call.error(ProgramErrorKind::NoState { name: whole }));
            };
            let expected = &self.state[slot].now.shape;
            if leaf.shape() != expected {
                let (what, expected, found) = (self::part(&whole), expected.clone(), leaf.shape().clone());
                return Err(call.error(ProgramErrorKind::Shape { what, expected, found }));
            }
            slots.push(slot);
        }
        Ok(slots)
    }
}
