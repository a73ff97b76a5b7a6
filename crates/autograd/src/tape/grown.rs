//! Nodes that are recorded anew, read while others are.

use crate::float::Float;
use crate::tape::list::MOST_NODES;
use crate::tape::nodes::Node;
use std::cell::{Cell, OnceCell};

/// Places for nodes, each filled once. What is filled stays where it is, so it can be read while the list grows.
type Block<T> = Box<[OnceCell<Node<T>>]>;

/// The size of the first of the further blocks.
const FURTHER: usize = 64;

/// Nodes that are recorded anew.
pub(super) struct Grown<T: Float> {
    pub(super) len: Cell<usize>,
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
    #[inline(never)]
    fn further_place(&self, i: usize) -> &OnceCell<Node<T>> {
        let number = (i / FURTHER + 1).ilog2() as usize;
        let before = FURTHER * ((1 << number) - 1);
        &self.further[number].get_or_init(|| block(FURTHER << number))[i - before]
    }

    #[inline]
    pub(super) fn at(&self, i: usize) -> &Node<T> {
        self.place(i).get().expect("a node has an index once it is recorded")
    }

    #[inline]
    pub(super) fn push(&self, node: Node<T>) -> u32 {
        let len = self.len.get();
        if let Err(node) = self.place(len).set(node) {
            // Told apart from dropping it, the compiler writes a node where it goes instead of moving it there.
            std::mem::forget(node);
            unreachable!("places are filled in order");
        }
        self.len.set(len + 1);
        len as u32
    }

    /// Moves all nodes out, in order, and makes one block of as many places, or none where they are many: places that a step
    /// fills anew each time are few.
    #[inline(never)]
    pub(super) fn drain(&mut self, to: impl FnMut(Node<T>)) {
        let (len, first) = (self.len.take(), &mut self.first);
        let further = self.further.iter_mut().filter_map(OnceCell::get_mut).flatten();
        first.iter_mut().chain(further).take(len).filter_map(OnceCell::take).for_each(to);
        if len > self.first.len() {
            self.first = block(if len <= MOST_NODES { len.next_power_of_two() } else { 0 });
            self.further = Default::default();
        }
    }
}
