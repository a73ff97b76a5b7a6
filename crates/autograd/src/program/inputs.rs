//! Inputs of a program: how they are recorded, and how they are given to a run.

mod kinds;

use super::error::{Call, ProgramError, ProgramErrorKind};
use crate::float::Float;
use crate::kernels::lent::Lent;
use crate::kernels::map::copy;
use crate::kernels::pack::{in_order, pack};
use crate::ops::random::KeyVar;
use crate::tape::Tape;
use crate::tape::index::IndexVar;
use crate::tape::recording::Limit;
use crate::tape::tree::Tree;
use crate::tape::var::Var;
use crate::tensor::Tensor;
use crate::tensor::shape::Shape;
use std::panic::Location;
use std::sync::Arc;

/// The inputs that recording has met, in order.
#[derive(Default)]
pub struct InputRecorder {
    pub(super) slots: Vec<Slot>,
    /// The form of the structures since the last input.
    form: Vec<u64>,
}

/// An input: its node while recording, then its buffer.
#[derive(Clone)]
pub(super) struct Slot {
    pub(super) node: u32,
    pub(super) shape: Shape,
    /// What its integers must be; absent for numbers.
    pub(super) labels: Option<Vec<Limit>>,
    pub(super) buffer: usize,
    /// Whether a run may read it where it is: nothing but steps asks for it, and these do not write it.
    pub(super) is_only_read: bool,
    /// The form of the structures that begin with it; see [`Tree::form`].
    form: Vec<u64>,
    /// The line that recorded the first operation on it.
    pub(super) first_read: Option<&'static Location<'static>>,
    /// Where the tape of the node was while recording, to tell it from others.
    tape: usize,
}

impl Slot {
    pub(super) fn new<T: Float>(var: Var<'_, T>, labels: Option<Vec<Limit>>) -> Self {
        let tape = std::ptr::from_ref(var.tape()).addr();
        Self {
            node: var.index(),
            shape: var.shape(),
            labels,
            buffer: 0,
            is_only_read: false,
            form: Vec::new(),
            first_read: None,
            tape,
        }
    }
}

/// Gives inputs to a program, in the order in which they were recorded, or compares them with what was recorded.
pub struct InputWriter<'p, T: Float> {
    /// Who gives them.
    call: Call,
    slots: &'p [Slot],
    purpose: Purpose<'p, T>,
    next: usize,
    /// How much of the next input's form was given, and whether it is another one than the recorded.
    formed: usize,
    differs: bool,
}

/// What a binder does with inputs.
enum Purpose<'p, T> {
    /// Copies them into the program's buffers, or puts them there as they are.
    Fill(&'p mut [Vec<T>], &'p mut Lent<T>),
    /// Finds whether kinds and shapes are the recorded ones. That they are not is no error, which would be allocated.
    Compare { same: bool },
}

impl InputRecorder {
    /// Places numbers on a tape as an input.
    pub fn numbers<'t, T: Float>(&mut self, tape: &'t Tape<T>, value: &Tensor<T>) -> Var<'t, T> {
        let var = tape.var(value);
        self.push(Slot::new(var, None));
        var
    }

    /// Places the tensors of a structure on a tape, each as an input.
    pub fn tree<'t, T: Float, P>(&mut self, tape: &'t Tape<T>, values: &P) -> P::With<Var<'t, T>>
    where
        P: Tree<Leaf = Tensor<T>> + ?Sized,
    {
        values.form(&mut |part| self.form.push(part));
        values.map(&mut |value| self.numbers(tape, value))
    }

    fn push(&mut self, mut slot: Slot) {
        slot.form = std::mem::take(&mut self.form);
        self.slots.push(slot);
    }

    /// Places integers on a tape as an input.
    pub fn integers<'t, T: Float>(&mut self, index: IndexVar<'t, T>) -> IndexVar<'t, T> {
        let limit = Limit { low: -T::MAX_INDEX, high: T::MAX_INDEX, but: None, reader: None, part: None };
        self.push(Slot::new(index.var(), Some(vec![limit])));
        index
    }

    /// Places a key of random numbers on a tape as an input.
    pub fn key<'t, T: Float>(&mut self, key: KeyVar<'t, T>) -> KeyVar<'t, T> {
        let limit = Limit { low: i32::MIN.into(), high: i32::MAX.into(), but: None, reader: None, part: None };
        self.push(Slot::new(key.var(), Some(vec![limit])));
        key
    }

    /// Notes which line first read each input.
    pub(super) fn note_readers<T: Float>(&mut self, tape: &Tape<T>) {
        let mut first = vec![None; tape.len()];
        for node in tape.nodes.iter() {
            for &a in &*node.args {
                first[a as usize].get_or_insert(node.origin.location);
            }
        }
        for slot in &mut self.slots {
            slot.first_read = first.get(slot.node as usize).copied().flatten();
        }
    }

    /// The first input that was placed on another tape than this one.
    pub(super) fn stranger<T: Float>(&self, tape: &Tape<T>) -> Option<usize> {
        self.slots.iter().position(|slot| slot.tape != std::ptr::from_ref(tape).addr())
    }
}

/// An input that is given to its slot.
struct Filling<'f, 'p, T> {
    input: usize,
    slot: &'p Slot,
    buffers: &'f mut [Vec<T>],
    lent: &'f mut Lent<T>,
}

impl<T> Filling<'_, '_, T> {
    /// Where it is copied to.
    #[inline(always)]
    fn place(&mut self) -> &mut [T] {
        &mut self.buffers[self.slot.buffer]
    }
}

/// The shape of what is given. That of a list of labels is not made to be compared: read right after it was written, in larger
/// parts, it would make a CPU wait.
#[derive(Clone, Copy)]
enum Given<'a> {
    Of(&'a Shape),
    Vector(usize),
}

impl Given<'_> {
    #[inline(always)]
    fn is(self, shape: &Shape) -> bool {
        match self {
            Self::Of(given) => given == shape,
            Self::Vector(len) => shape[..] == [len],
        }
    }

    fn shape(self) -> Shape {
        match self {
            Self::Of(shape) => shape.clone(),
            Self::Vector(len) => Shape::from([len]),
        }
    }
}

/// Elements that are worth more than counting who shares them.
const SHARED: usize = 256;

impl<'p, T: Float> InputWriter<'p, T> {
    pub(super) fn new(call: Call, slots: &'p [Slot], buffers: &'p mut [Vec<T>], lent: &'p mut Lent<T>) -> Self {
        Self { call, slots, purpose: Purpose::Fill(buffers, lent), next: 0, formed: 0, differs: false }
    }

    /// Gives the tensors of a structure, whose lengths, variants and keys must be the recorded ones.
    ///
    /// # Errors
    /// Where the structure is another one than the recorded, or one of its tensors has another shape.
    pub fn tree<P: Tree<Leaf = Tensor<T>> + ?Sized>(&mut self, values: &P) -> Result<(), ProgramError> {
        let recorded = self.slots.get(self.next).map_or(&[][..], |slot| &slot.form);
        values.form(&mut |part| {
            self.differs |= recorded.get(self.formed) != Some(&part);
            self.formed += 1;
        });
        let mut bound = Ok(());
        values.visit(&mut |value| {
            if bound.is_ok() {
                bound = self.tensor(value);
            }
        });
        bound
    }

    /// What the next input is given to, where it is to be given and is of the recorded kind and shape.
    #[inline(always)]
    fn place(&mut self, is_labels: bool, given: Given<'_>) -> Result<Option<Filling<'_, 'p, T>>, ProgramError> {
        let input = self.next;
        self.next += 1;
        let slot = self.slots.get(input);
        let differs = std::mem::take(&mut self.differs) || slot.is_some_and(|slot| slot.form.len() != self.formed);
        self.formed = 0;
        let fits = |slot: &&Slot| !differs && slot.labels.is_some() == is_labels && given.is(&slot.shape);
        match &mut self.purpose {
            Purpose::Compare { same } => {
                *same &= slot.as_ref().is_some_and(fits);
                Ok(None)
            }
            Purpose::Fill(buffers, lent) => match slot {
                Some(slot) if fits(&slot) => Ok(Some(Filling { input, slot, buffers, lent })),
                slot => {
                    let error = self.call.error(misfit(input, self.slots.len(), slot, is_labels, &given.shape()));
                    Err(error.read_at(slot.and_then(|slot| slot.first_read)))
                }
            },
        }
    }

    /// Gives the next input, numbers in row-major order.
    ///
    /// # Errors
    /// Where the next input was not recorded as numbers of this shape, or their number is not that of the shape.
    #[inline]
    pub fn numbers(&mut self, shape: &Shape, data: &[T]) -> Result<(), ProgramError> {
        let call = self.call;
        let Some(mut filling) = self.place(false, Given::Of(shape))? else { return Ok(()) };
        let Filling { input, slot, .. } = filling;
        let place = filling.place();
        let (expected, found) = (place.len(), data.len());
        if expected != found {
            let error = call.error(ProgramErrorKind::Length { input, expected, found });
            return Err(error.read_at(slot.first_read));
        }
        copy(data, place);
        Ok(())
    }

    /// Gives the next input, a tensor, which is not copied where the program only reads it, but shared for the run.
    ///
    /// # Errors
    /// Where the next input was not recorded as numbers of this shape.
    #[inline]
    pub fn tensor(&mut self, value: &Tensor<T>) -> Result<(), ProgramError> {
        let Some(mut filling) = self.place(false, Given::Of(value.shape()))? else { return Ok(()) };
        let slot = filling.slot;
        let place = filling.place();
        if place.len() >= SHARED && slot.is_only_read {
            filling.lent.lend(filling.buffers, slot.buffer, Arc::clone(value.buffer()));
        } else {
            // As many as the shape has, which is the recorded one: counting them anew takes three multiplications in a row.
            copy(&value.buffer()[..place.len()], place);
        }
        Ok(())
    }

    /// Gives the next input, integers in row-major order.
    ///
    /// # Errors
    /// Where the next input was not recorded as integers of this shape, their number is not that of the shape, or one is out
    /// of range.
    #[inline]
    pub fn integers<I>(&mut self, shape: &Shape, data: I) -> Result<(), ProgramError>
    where
        I: IntoIterator<Item = i64, IntoIter: Clone>,
    {
        let data = data.into_iter();
        self.integers_of(Given::Of(shape), data.clone(), |place| in_order(data, place))
    }

    /// Gives the next input, labels one after the other.
    fn labels(&mut self, labels: &[usize]) -> Result<(), ProgramError> {
        let integers = labels.iter().map(|&label| i64::try_from(label).unwrap_or(i64::MAX));
        let bound = self.integers_of(Given::Vector(labels.len()), integers.clone(), |place| {
            if place.len() == labels.len() { (labels.len(), pack(labels, place)) } else { in_order(integers, place) }
        });
        bound.map_err(|error| error.with_label(|position| labels[position] as i128))
    }

    #[inline(always)]
    fn integers_of(
        &mut self,
        given: Given<'_>,
        data: impl Iterator<Item = i64> + Clone,
        put: impl FnOnce(&mut [T]) -> (usize, [i64; 2]),
    ) -> Result<(), ProgramError> {
        let call = self.call;
        let Some(mut filling) = self.place(true, given)? else { return Ok(()) };
        let Filling { input, slot, .. } = filling;
        let place = filling.place();
        let expected = place.len();
        // The range of all labels tells that each is right, which is much faster than asking each.
        let (found, [least, largest]) = put(place);
        // What goes on without end is too long.
        let beyond = data.clone().skip(found).take(1).count();
        if expected != found + beyond {
            let found = if beyond > 0 { data.size_hint().0.max(found + beyond) } else { found };
            let error = call.error(ProgramErrorKind::Length { input, expected, found });
            return Err(error.read_at(slot.first_read));
        }
        let limits = slot.labels.as_deref().unwrap_or_default();
        if limits.iter().all(|limit| least > largest || (limit.low <= least && largest <= limit.high)) {
            return Ok(());
        }
        for (position, label) in data.enumerate() {
            if let Some(limit) = limits.iter().rev().find(|limit| !limit.allows(position, label)) {
                let Limit { low, high, .. } = *limit;
                let (label, reader) = (i128::from(label), limit.what());
                return Err(call.error(ProgramErrorKind::Label { input, position, label, low, high, reader }));
            }
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<(), ProgramError> {
        let (expected, found) = (self.slots.len(), self.next);
        if expected == found { Ok(()) } else { Err(self.call.error(ProgramErrorKind::Count { expected, found })) }
    }
}

/// Why an input does not fit its slot.
#[cold]
fn misfit(input: usize, slots: usize, slot: Option<&Slot>, is_labels: bool, shape: &Shape) -> ProgramErrorKind {
    match slot {
        None => ProgramErrorKind::Count { expected: slots, found: input + 1 },
        Some(slot) if slot.labels.is_some() != is_labels => {
            ProgramErrorKind::Input { input, expected: if is_labels { "numbers" } else { "labels" } }
        }
        Some(slot) if slot.shape == *shape => ProgramErrorKind::Structure { input },
        Some(slot) => {
            let (expected, found) = (slot.shape.clone(), shape.clone());
            ProgramErrorKind::Shape { what: format!("input {input}"), expected, found }
        }
    }
}

/// Whether inputs are of the recorded kinds and shapes, found without an allocation.
#[track_caller]
pub(super) fn fits<T: Float, I: Inputs<T>>(slots: &[Slot], inputs: &I) -> bool {
    let (call, purpose) = (Call::of("Programs::run"), Purpose::Compare { same: true });
    let mut binder = InputWriter { call, slots, purpose, next: 0, formed: 0, differs: false };
    let is_bound = inputs.bind(&mut binder).is_ok();
    let is_same = matches!(binder.purpose, Purpose::Compare { same: true }) && !binder.differs;
    is_bound && binder.next == slots.len() && is_same
}

/// What a program takes as inputs: tensors, numbers (a learning rate), lists of labels, keys of random numbers, structures of tensors (see
/// [`Tree`]: vectors, arrays, slices, maps, options, boxes, and what [`tree!`](crate::tree!) declares, such as a net), tuples of
/// them, and `()` for none.
///
/// A structure has the same lengths, variants and keys in each run. Its fields that are no tensors are those of the recording.
///
/// ```
/// use autograd::{tree, Program, Tensor};
/// tree! { struct Line<V> { slope: V, offset: V } }
/// let line = |slope| Line { slope: Tensor::scalar(slope), offset: Tensor::scalar(1.0) };
/// let nothing: [Tensor; 0] = [];
/// let mut at = Program::record(&nothing, &(&line(2.0), 3.0_f64), |_, _, (line, x)| {
///     (vec![], vec![line.slope * x + line.offset])
/// })?;
/// assert_eq!(at.run(&(&line(5.0), 10.0))?.item(0), 51.0);
/// # Ok::<(), autograd::ProgramError>(())
/// ```
///
/// In code that is generic over the number type, a number is given as `Tensor::scalar(rate)`.
/// Where the type of the tensors is inferred too, a number needs its own: `(&x, 0.25_f64)`. Without the suffix rustc says
/// «implementation of `FnOnce` is not general enough».
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no input of a program of `{T}`",
    label = "this is no tensor, number, list of labels, structure of tensors, or tuple of them",
    note = "an input is a `Tensor<{T}>`, a number of type `{T}` (as `0.25_f64`), labels of `usize`, a `Key` of random numbers, a structure of tensors, or \
            a tuple of up to twelve inputs, each also by reference",
    note = "numbers in an array are a tensor: `Tensor::from([1.0, 2.0])`; a struct of tensors is an input once it is declared \
            with `tree!`"
)]
pub trait Inputs<T: Float> {
    /// What the recorded function is given.
    type Traced<'t>;
    /// Inputs that the function is given as the same, but which borrow nothing: they name a type of
    /// [`Programs`](crate::Programs), which outlives its inputs.
    type Owned: for<'t> Inputs<T, Traced<'t> = Self::Traced<'t>>;
    /// Places these on a tape, as values that will change.
    fn trace<'t>(&self, tape: &'t Tape<T>, slots: &mut InputRecorder) -> Self::Traced<'t>;
    /// Gives these to a run.
    ///
    /// # Errors
    /// Where they are not of the recorded kind, shape, range or number.
    fn bind(&self, binder: &mut InputWriter<'_, T>) -> Result<(), ProgramError>;
}
