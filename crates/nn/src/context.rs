//! What a forward pass needs beyond its input.

use autograd::{Float, KeyVar, Tree, Var, form_of};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::rc::Rc;

/// What a forward pass needs beyond its input: whether the net is being trained, random numbers, and a place for new values of buffers, as
/// running means. It is an argument that one sees: nothing about a net is switched from afar.
///
/// A layer of a name has noise of its own, by the path that leads to it: what is added elsewhere does not move it.
///
/// ```
/// use autograd::{Key, Tape, Tensor};
/// use nn::Context;
/// use nn::layers::Dropout;
/// let tape = Tape::new();
/// let (x, dropout) = (tape.var(&Tensor::ones([1000])), Dropout::new(0.5));
///
/// let training = Context::training(tape.key(Key::new(7)));
/// let [first, second] = ["first", "second"].map(|name| dropout.forward(x, &training.at(name)));
/// assert_ne!(first.value(), second.value());
/// assert!((first.mean().item() - 1.0).abs() < 0.1);
///
/// assert_eq!(dropout.forward(x, &Context::evaluating()).value(), x.value());
/// ```
#[derive(Clone, Debug)]
pub struct Context<'t, T: Float = f64> {
    path: String,
    pass: Rc<Pass<'t, T>>,
}

/// What all parts of one forward pass share.
#[derive(Debug)]
struct Pass<'t, T: Float> {
    training: bool,
    key: Option<KeyVar<'t, T>>,
    /// The paths that have drawn random numbers.
    drawn: RefCell<BTreeSet<String>>,
    /// Buffers with their next values.
    buffers: RefCell<Vec<(Var<'t, T>, Var<'t, T>)>>,
}

impl<'t, T: Float> Context<'t, T> {
    fn new(training: bool, key: Option<KeyVar<'t, T>>) -> Self {
        let pass = Pass { training, key, drawn: RefCell::default(), buffers: RefCell::default() };
        Self { path: String::new(), pass: Rc::new(pass) }
    }

    /// Of a net that is used: no noise, and buffers stay as they are.
    pub fn evaluating() -> Self {
        Self::new(false, None)
    }

    /// Of a net in training, with the key of this step.
    pub fn training(key: KeyVar<'t, T>) -> Self {
        Self::new(true, Some(key))
    }

    /// Of a net in training that needs no random numbers.
    pub fn training_without_noise() -> Self {
        Self::new(true, None)
    }

    /// Whether the net is in training.
    pub fn is_training(&self) -> bool {
        self.pass.training
    }

    /// The same pass, for a part of this name, or of this number in a list.
    pub fn at(&self, name: impl Display) -> Self {
        let path = if self.path.is_empty() { name.to_string() } else { format!("{}.{name}", self.path) };
        Self { path, pass: Rc::clone(&self.pass) }
    }

    /// The path of the part that this is for.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The key of the random numbers of this part.
    ///
    /// # Panics
    /// Where the pass has no key, or a part of the same path has one already: two layers would have the same noise.
    #[track_caller]
    pub fn key(&self) -> KeyVar<'t, T> {
        let shown = self.path.escape_debug();
        let Some(key) = self.pass.key else {
            panic!("key: `{shown}` needs random numbers; see Context::training");
        };
        let is_first = self.pass.drawn.borrow_mut().insert(self.path.clone());
        assert!(
            is_first,
            "key: two parts are `{shown}`, and would have the same noise; `context.at(name)` tells them apart"
        );
        key.fold_in(form_of(&self.path))
    }

    /// Says that a leaf of the net is a buffer, which no rule updates, and what it is after this pass.
    pub fn keep(&self, buffer: Var<'t, T>, next: Var<'t, T>) {
        self.pass.buffers.borrow_mut().push((buffer, next.stop_gradient()));
    }

    /// What a leaf is after this pass where it is a buffer; if several times, what was said last.
    pub fn kept(&self, leaf: Var<'t, T>) -> Option<Var<'t, T>> {
        let buffers = self.pass.buffers.borrow();
        buffers.iter().rev().find(|(buffer, _)| buffer.index() == leaf.index()).map(|(_, next)| *next)
    }

    /// A net that a rule has updated, with what its buffers are after this pass.
    pub fn with_buffers<P>(&self, before: &P, updated: &P) -> P
    where
        P: Tree<Leaf = Var<'t, T>, With<Var<'t, T>> = P>,
    {
        let before = before.leaves();
        let mut before = before.into_iter();
        updated.map(&mut |next| before.next().and_then(|leaf| self.kept(*leaf)).unwrap_or(*next))
    }

    /// Whether the pass has drawn no random numbers, and knows of no buffers.
    pub fn is_plain(&self) -> bool {
        self.pass.drawn.borrow().is_empty() && self.pass.buffers.borrow().is_empty()
    }
}
