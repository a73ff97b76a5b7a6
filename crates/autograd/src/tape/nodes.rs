//! The nodes of a tape: recorded once, never changed, and read while others are recorded.

use crate::float::Float;
use crate::ops::table::Kind;
use crate::tensor::error::Error;
use crate::tensor::memory::OutOfMemory;
use crate::tensor::shape::Shape;
use std::cell::{Cell, OnceCell};
use std::ops::{Deref, Index};
use std::panic::Location;

/// Marks the absence of a node.
pub(crate) const NONE: u32 = u32::MAX;

/// One recorded operation. Its operands have smaller indices than itself.
pub(crate) struct Node<T: Float> {
    pub(crate) kind: Kind<T>,
    pub(crate) args: Args,
    pub(crate) shape: Shape,
    /// The number of elements of the shape.
    pub(crate) len: usize,
    pub(crate) origin: Origin,
}

const INLINE: usize = 3;

/// The indices of a node's operands; up to three are inline.
pub(crate) enum Args {
    Inline { count: u8, indices: [u32; INLINE] },
    Heap(Box<[u32]>),
}

impl Args {
    pub(crate) const NONE: Self = Self::Inline { count: 0, indices: [NONE; INLINE] };
}

impl Deref for Args {
    type Target = [u32];
    #[inline]
    fn deref(&self) -> &[u32] {
        match self {
            Self::Inline { count, indices } => &indices[..usize::from(*count)],
            Self::Heap(indices) => indices,
        }
    }
}

impl From<&[u32]> for Args {
    #[inline]
    fn from(args: &[u32]) -> Self {
        if args.len() > INLINE {
            return Self::Heap(args.into());
        }
        let indices = std::array::from_fn(|k| args.get(k).copied().unwrap_or(NONE));
        Self::Inline { count: args.len() as u8, indices }
    }
}

/// Who asked for a node: a line of the user's, and, where a derivative rule recorded it, the node whose rule it was.
#[derive(Clone, Copy)]
pub(crate) struct Origin {
    pub(crate) location: &'static Location<'static>,
    /// The node whose rule recorded this one, in a derivative's pass.
    pub(crate) rule_of: u32,
    /// The pass, whether it is computed again, and how deep in `no_grad` it is, in one number: what is written byte by byte and
    /// read together at once makes a CPU wait.
    flags: u32,
}

/// Which pass recorded a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// The user's own expression.
    Primal,
    /// A reverse sweep: the node is, or leads to, a cotangent.
    Reverse,
    /// A forward sweep: the node is, or leads to, a tangent.
    Forward,
}

impl Origin {
    const REVERSE: u32 = 1;
    const FORWARD: u32 = 2;
    const AGAIN: u32 = 4;
    /// The depth comes above the other flags.
    const DEPTH: u32 = 8;

    /// Of a node that was recorded within so many calls of `no_grad` (`depth`), or by a checkpoint, to be computed anew
    /// (`again`).
    #[inline]
    pub(crate) fn new(location: &'static Location<'static>, pass: Pass, rule_of: u32, depth: u32, again: bool) -> Self {
        let pass = match pass {
            Pass::Primal => 0,
            Pass::Reverse => Self::REVERSE,
            Pass::Forward => Self::FORWARD,
        };
        let flags = depth * Self::DEPTH + u32::from(again) * Self::AGAIN;
        Self { location, rule_of, flags: pass | flags }
    }

    pub(crate) fn pass(&self) -> Pass {
        match self.flags & (Self::REVERSE | Self::FORWARD) {
            Self::REVERSE => Pass::Reverse,
            Self::FORWARD => Pass::Forward,
            _ => Pass::Primal,
        }
    }

    /// How many calls of `no_grad` it was recorded within.
    #[inline]
    pub(crate) fn depth(&self) -> u32 {
        self.flags / Self::DEPTH
    }

    /// Whether a checkpoint recorded it, to be computed anew.
    pub(crate) fn again(&self) -> bool {
        self.flags & Self::AGAIN != 0
    }

    /// Whether two stand for the same line in the same pass.
    #[inline]
    pub(crate) fn same(&self, other: &Self) -> bool {
        std::ptr::eq(self.location, other.location) && self.rule_of == other.rule_of && self.flags == other.flags
    }
}

/// The longest list that is kept when it is cleared: beyond this, what a node costs is small beside its arithmetic.
const MOST_KEPT: usize = 1 << 12;

/// A list of nodes that grows behind a shared reference.
///
/// When it is cleared, the nodes stay behind. The next list is compared with them as it is recorded: as long as it repeats
/// them, nothing is written, and it costs a comparison to record a node.
pub(crate) struct Nodes<T: Float> {
    /// The nodes of the list before.
    kept: Vec<Node<T>>,
    /// How many of them this list repeats.
    repeated: Cell<usize>,
    /// Whether it has left them.
    left: Cell<bool>,
    /// What comes after those that it repeats.
    grown: Grown<T>,
}

impl<T: Float> Default for Nodes<T> {
    fn default() -> Self {
        Self { kept: Vec::new(), repeated: Cell::new(0), left: Cell::new(false), grown: Grown::default() }
    }
}

impl<T: Float> Nodes<T> {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.repeated.get() + self.grown.len.get()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Node<T>> {
        (0..self.len() as u32).map(|i| &self[i])
    }

    /// Which nodes the roots are, or depend on.
    pub(crate) fn needed(&self, roots: &[u32]) -> Vec<bool> {
        let mut needed = vec![false; self.len()];
        for &root in roots {
            needed[root as usize] = true;
        }
        for i in (0..self.len() as u32).rev() {
            // Operands come before a node, so one pass down marks them all.
            if needed[i as usize] {
                self[i].args.iter().for_each(|&a| needed[a as usize] = true);
            }
        }
        needed
    }

    /// Why a node has no value: the operation, at the line that recorded it.
    #[cold]
    pub(crate) fn lacks(&self, index: u32, memory: OutOfMemory) -> Error {
        let Node { kind, args, shape, origin, .. } = &self[index];
        let shapes = args.iter().map(|&a| self[a].shape.clone()).collect();
        Error::new(kind.name(), memory.for_shape(shape), shapes, origin.location)
    }

    /// Whether all that is recorded repeats the list before.
    pub(crate) fn repeats(&self) -> bool {
        !self.left.get()
    }

    /// How many nodes repeat those of the list before.
    pub(crate) fn repeated(&self) -> usize {
        self.repeated.get()
    }

    /// The next node of the list before, if that is what is recorded next.
    #[inline]
    pub(crate) fn repeat(&self, is_next: impl FnOnce(&Node<T>) -> bool) -> Option<u32> {
        if self.left.get() {
            return None;
        }
        let next = self.repeated.get();
        if self.kept.get(next).is_some_and(is_next) {
            self.repeated.set(next + 1);
            Some(next as u32)
        } else {
            self.left.set(true);
            None
        }
    }

    /// Repeats all nodes of the list before up to a length, which the caller knows to be what is recorded next.
    pub(crate) fn repeat_to(&self, len: usize) {
        debug_assert!(self.repeats() && (self.len()..=self.kept.len()).contains(&len), "there is so much to repeat");
        self.repeated.set(len);
    }

    /// Appends a node that repeats none.
    #[inline]
    pub(crate) fn push(&self, node: Node<T>) -> u32 {
        self.left.set(true);
        let i = self.grown.push(node);
        self.repeated.get() as u32 + i
    }

    /// Forgets the list, but for the nodes that the next one may repeat, whose number it returns: up to the first that can
    /// never be repeated, since only its user knows what it does, or none of a long list.
    pub(crate) fn clear(&mut self) -> usize {
        let Self { kept, repeated, left, grown } = self;
        kept.truncate(repeated.take());
        left.set(false);
        let mut keeps = kept.len() + grown.len.get() <= MOST_KEPT;
        if !keeps {
            kept.clear();
        }
        grown.drain(|node| {
            keeps = keeps && node.kind.can_repeat();
            if keeps {
                kept.push(node);
            }
        });
        kept.len()
    }
}

impl<T: Float> Index<u32> for Nodes<T> {
    type Output = Node<T>;
    #[inline]
    fn index(&self, i: u32) -> &Node<T> {
        let (i, repeated) = (i as usize, self.repeated.get());
        if i < repeated { &self.kept[i] } else { self.grown.at(i - repeated) }
    }
}

/// Places for nodes, each filled once. What is filled stays where it is, so it can be read while the list grows.
type Block<T> = Box<[OnceCell<Node<T>>]>;

/// The size of the first of the further blocks.
const FURTHER: usize = 64;

/// Nodes that are recorded anew.
struct Grown<T: Float> {
    len: Cell<usize>,
    /// As many places as were ever filled when the list was cleared, so that as many nodes need no others.
    first: Block<T>,
    /// Further blocks, each twice as large as the one before.
    further: [OnceCell<Block<T>>; 27],
}

fn block<T: Float>(size: usize) -> Block<T> {
    (0..size).map(|_| OnceCell::new()).collect()
}

impl<T: Float> Default for Grown<T> {
    fn default() -> Self {
        Self { len: Cell::new(0), first: block(0), further: Default::default() }
    }
}

impl<T: Float> Grown<T> {
    #[inline]
    fn place(&self, i: usize) -> &OnceCell<Node<T>> {
        match self.first.get(i) {
            Some(place) => place,
            None => self.further_place(i - self.first.len()),
        }
    }

    #[cold]
    fn further_place(&self, i: usize) -> &OnceCell<Node<T>> {
        let number = (i / FURTHER + 1).ilog2() as usize;
        let before = FURTHER * ((1 << number) - 1);
        &self.further[number].get_or_init(|| block(FURTHER << number))[i - before]
    }

    #[inline]
    fn at(&self, i: usize) -> &Node<T> {
        self.place(i).get().expect("a node has an index once it is recorded")
    }

    #[inline]
    fn push(&self, node: Node<T>) -> u32 {
        let len = self.len.get();
        assert!(len < NONE as usize, "a tape holds 2^32 − 1 nodes");
        if let Err(node) = self.place(len).set(node) {
            // Told apart from dropping it, the compiler writes a node where it goes instead of moving it there.
            std::mem::forget(node);
            unreachable!("places are filled in order");
        }
        self.len.set(len + 1);
        len as u32
    }

    /// Moves all nodes out, in order, and makes one block of as many places.
    fn drain(&mut self, to: impl FnMut(Node<T>)) {
        let (len, first) = (self.len.take(), &mut self.first);
        let further = self.further.iter_mut().filter_map(OnceCell::get_mut).flatten();
        first.iter_mut().chain(further).take(len).filter_map(OnceCell::take).for_each(to);
        if len > self.first.len() {
            self.first = block(len.next_power_of_two());
            self.further = Default::default();
        }
    }
}
