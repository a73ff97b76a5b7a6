//! Views of integers on a tape: the same operations as of numbers, with the range that the integers lie in.

use crate::float::Float;
use crate::ops::concat::{concat, stack};
use crate::ops::slice::Slices;
use crate::ops::table::Kind;
use crate::tape::Tape;
use crate::tape::index::{IndexVar, Indices};
use crate::tape::op::{View, ViewMut, eval};
use crate::tape::var::Var;
use crate::tensor::memory;
use std::collections::{BTreeMap, BTreeSet};

/// A part of the integers of a leaf: the leaf, and the places in order, each once.
pub(crate) type Part = (u32, Vec<u32>);

impl<'t, T: Float> IndexVar<'t, T> {
    /// As [`Var::narrow`].
    ///
    /// ```
    /// use autograd::{IndexVar, Tape, Tensor};
    /// let tape = Tape::new();
    /// let places = tape.indices([2, 3], &[0, 1, 2, 7, 8, 9]);
    /// let x = tape.var(&Tensor::from([5.0, 6.0, 7.0]));
    /// let row = places.narrow(0, 0, 1).squeeze(0); // the other row is out of range of `x`
    /// assert_eq!(x.gather(0, &row).value().as_slice(), [5.0, 6.0, 7.0]);
    /// assert_eq!(IndexVar::concat(&[row, places.narrow(0, 1, 1).squeeze(0)], 0).value(), [0, 1, 2, 7, 8, 9]);
    /// ```
    ///
    /// # Panics
    /// Where it reaches beyond the end.
    #[track_caller]
    pub fn narrow(&self, axis: isize, start: usize, count: usize) -> Self {
        self.viewed(self.var().narrow(axis, start, count))
    }

    /// As [`Var::slice`].
    ///
    /// # Panics
    /// Where there are more slices than dimensions, or a step is 0.
    #[track_caller]
    pub fn slice(&self, slices: impl Slices) -> Self {
        self.viewed(self.var().slice(slices))
    }

    /// As [`Var::flip`].
    #[track_caller]
    pub fn flip(&self, axes: &[isize]) -> Self {
        self.viewed(self.var().flip(axes))
    }

    /// As [`Var::transpose`].
    #[track_caller]
    pub fn transpose(&self, permutation: &[isize]) -> Self {
        self.viewed(self.var().transpose(permutation))
    }

    /// As [`Var::squeeze`].
    #[track_caller]
    pub fn squeeze(&self, axis: isize) -> Self {
        self.reordered(self.var().squeeze(axis))
    }

    /// As [`Var::index_select`]: those at chosen places of an axis, as at that of a step of a [`scan`](crate::Tape::scan).
    ///
    /// ```
    /// use autograd::Tape;
    /// let tape = Tape::<f64>::new();
    /// let ids = tape.indices([2, 3], &[4, 5, 6, 7, 8, 9]);
    /// assert_eq!(ids.index_select(0, &[1]).value(), [7, 8, 9]);
    /// ```
    ///
    /// # Panics
    /// Where a place is out of range.
    #[track_caller]
    pub fn index_select<I: Indices<'t, T> + ?Sized>(&self, axis: isize, places: &I) -> Self {
        self.viewed(self.var().index_select(axis, places))
    }

    /// As [`concat`](crate::concat()).
    ///
    /// # Panics
    /// Where there is nothing to join, or sizes differ outside the axis.
    #[track_caller]
    pub fn concat(parts: &[Self], axis: isize) -> Self {
        let vars: Vec<Var<'t, T>> = parts.iter().map(Self::var).collect();
        Self::joined(concat(&vars, axis), parts)
    }

    /// As [`stack`](crate::stack).
    ///
    /// # Panics
    /// Where there is nothing to stack, or shapes differ.
    #[track_caller]
    pub fn stack(parts: &[Self], axis: isize) -> Self {
        let vars: Vec<Var<'t, T>> = parts.iter().map(Self::var).collect();
        Self::joined(stack(&vars, axis), parts)
    }
}

/// The nodes that a view of integers is made of: leaves, and views of them. What an operation computes is not looked into.
struct Origins<T: Float> {
    leaves: BTreeSet<u32>,
    computed: BTreeSet<u32>,
    views: BTreeSet<u32>,
    /// Nodes of which any integers may be chosen.
    chosen: BTreeSet<u32>,
    elements: BTreeMap<u32, Vec<T>>,
}

impl<T: Float> Origins<T> {
    /// What is chosen by places is a view like others, where these are as they are `now`.
    #[allow(clippy::wildcard_enum_match_arm, reason = "the few views of a large table")]
    fn of(tape: &Tape<T>, root: u32, now: bool) -> Self {
        let mut found = Self {
            leaves: BTreeSet::new(),
            computed: BTreeSet::new(),
            views: BTreeSet::new(),
            chosen: BTreeSet::new(),
            elements: BTreeMap::new(),
        };
        let mut open = vec![root];
        while let Some(index) = open.pop() {
            let node = &tape.nodes[index];
            let is_view = match node.kind {
                Kind::Index => {
                    found.leaves.insert(index);
                    continue;
                }
                Kind::Reshape(_) | Kind::Read(_) | Kind::Transpose(_) | Kind::Concat(_) | Kind::Roll(_) => true,
                Kind::Take(_) => now,
                _ => false,
            };
            if is_view && found.views.insert(index) {
                open.extend_from_slice(&node.args);
            } else if !is_view {
                found.computed.insert(index);
                found.chosen.extend(matches!(node.kind, Kind::Take(_)).then(|| node.args[0]));
            }
        }
        found
    }

    /// The elements of the root, where those of leaves and computed nodes are given; `None` where there is no memory for them.
    fn evaluate(mut self, tape: &Tape<T>, root: u32) -> Option<Vec<T>> {
        for index in self.views {
            let node = &tape.nodes[index];
            let mut elements = memory::zeros(node.len).ok()?;
            let view = |k: usize| View { shape: &tape.nodes[node.args[k]].shape, data: &self.elements[&node.args[k]] };
            let result = ViewMut { shape: &node.shape, data: &mut elements };
            eval(node.kind.op()?, node.args.len(), view, result).ok()?;
            self.elements.insert(index, elements);
        }
        self.elements.remove(&root)
    }
}

/// The integers of a view of leaves, as they are now; `None` where an operation computes some, or memory lacks.
#[inline(never)]
pub(crate) fn integers_now<T: Float>(tape: &Tape<T>, root: u32) -> Option<Vec<i64>> {
    let mut views = Origins::of(tape, root, true);
    if !views.computed.is_empty() {
        return None;
    }
    for &leaf in &views.leaves {
        views.elements.insert(leaf, memory::copied(&tape.borrow_value(leaf)).ok()?);
    }
    Some(views.evaluate(tape, root)?.iter().map(|bits| bits.to_index()).collect())
}

/// Which of the integers of leaves a view is made of, or may be where it is chosen by places; `None` where memory lacks.
#[inline(never)]
pub(crate) fn parts<T: Float>(tape: &Tape<T>, root: u32) -> Option<Vec<Part>> {
    let mut all: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    let mut open = vec![root];
    let mut seen = BTreeSet::new();
    while let Some(root) = open.pop() {
        if seen.insert(root) {
            let (parts, chosen) = parts_of_views(tape, root)?;
            for (leaf, places) in parts {
                all.entry(leaf).or_default().extend(places);
            }
            open.extend(chosen);
        }
    }
    for places in all.values_mut() {
        places.sort_unstable();
        places.dedup();
    }
    Some(all.into_iter().collect())
}

/// The same without what is chosen by places, and the nodes that this is chosen from.
fn parts_of_views<T: Float>(tape: &Tape<T>, root: u32) -> Option<(Vec<Part>, BTreeSet<u32>)> {
    let mut views = Origins::of(tape, root, false);
    let chosen = std::mem::take(&mut views.chosen);
    // The views are of numbers for the places: those of each leaf go on from those of the one before.
    let (mut starts, mut next) = (Vec::new(), 0);
    for &leaf in &views.leaves {
        let len = tape.nodes[leaf].len;
        starts.push((leaf, next));
        views.elements.insert(leaf, memory::collected(len, (next..).take(len).map(T::from_index)).ok()?);
        next += len as i64;
    }
    for &computed in &views.computed {
        views.elements.insert(computed, memory::filled(tape.nodes[computed].len, T::from_index(-1)).ok()?);
    }
    let mut places: Vec<i64> = views.evaluate(tape, root)?.iter().map(|bits| bits.to_index()).collect();
    places.sort_unstable();
    let part = |(leaf, start): (u32, i64)| {
        let end = start + tape.nodes[leaf].len as i64;
        (leaf, places.iter().filter(|place| (start..end).contains(place)).map(|place| (place - start) as u32).collect())
    };
    Some((starts.into_iter().map(part).collect(), chosen))
}
