//! Shapes, axes and the broadcasting rule.

use crate::tensor::error::{Kind, Reason};
use crate::tensor::span::Span;
use smallvec::SmallVec;
use std::fmt;
use std::ops::Deref;

/// The sizes of a tensor's dimensions, outermost first; rank 0 is a scalar. Up to rank 4 it lives inline.
///
/// Made from an array, a slice, a vector or a tuple of `usize`, or from one, which is the size of one dimension.
///
/// ```
/// use autograd::Shape;
/// let shape = Shape::from([5, 4]);
/// assert_eq!((shape.rank(), shape.numel(), shape.to_string().as_str()), (2, 20, "[5, 4]"));
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Shape(Sizes);

const INLINE: usize = 4;

/// The most elements of a tensor: their bytes, at 8 for each in either type, are as many as a buffer can have.
const MOST: usize = isize::MAX as usize / 8;

/// Inline sizes below this multiply to less than [`MOST`], whatever the width of an address.
const SMALL: usize = 1 << ((MOST + 1).ilog2() as usize / INLINE);

/// Sizes up to rank 4 are always inline and padded with ones, so that equality and the number of elements need no loop.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Sizes {
    Inline { rank: Rank, padded: [usize; INLINE] },
    Heap(Box<[usize]>),
}

/// A rank up to [`INLINE`], as wide as a size, so that a shape has no gaps: copied in larger parts than it was written in,
/// it would make a CPU wait.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(usize)]
enum Rank {
    Zero,
    One,
    Two,
    Three,
    Four,
}

impl Rank {
    const ALL: [Self; INLINE + 1] = [Self::Zero, Self::One, Self::Two, Self::Three, Self::Four];
}

impl Shape {
    /// The shape of a scalar: rank 0, one element.
    #[inline]
    pub fn scalar() -> Self {
        Self(Sizes::Inline { rank: Rank::Zero, padded: [1; INLINE] })
    }

    /// The number of dimensions.
    #[inline]
    pub fn rank(&self) -> usize {
        self.len()
    }

    /// The number of elements: the product of the sizes, 1 for a scalar, and `usize::MAX` where it is larger than that.
    /// No tensor has so many: where one is made, its shape is checked.
    #[inline]
    pub fn numel(&self) -> usize {
        self.of_sizes(|sizes| sizes.iter().fold(1_usize, |product, &n| product.saturating_mul(n)))
    }

    /// The number of elements of a tensor or a node that has this shape, which [`Shape::elements`] has found to be a number.
    #[inline]
    pub(crate) fn count(&self) -> usize {
        self.of_sizes(|sizes| sizes.iter().fold(1_usize, |product, &n| product.wrapping_mul(n)))
    }

    /// The number of elements, for a tensor or a node that is about to have this shape: the product of its sizes that
    /// are not 0 may be [`MOST`] at most.
    ///
    /// This is the one check of sizes. Each tensor and each node is made with the number that it gives; so products of
    /// some of the sizes, strides, offsets and the lengths of buffers are below 2^60 from here on, and plain arithmetic
    /// does not wrap. What is computed of a user's numbers before that saturates, and a size that did is refused here.
    #[inline]
    pub(crate) fn elements(&self) -> Result<usize, Reason> {
        if let Sizes::Inline { padded, .. } = &self.0
            && padded.iter().fold(0, |all, n| all | n) < SMALL
        {
            return Ok(padded.iter().product());
        }
        self.large_elements()
    }

    fn large_elements(&self) -> Result<usize, Reason> {
        let product = self.of_sizes(|sizes| sizes.iter().fold(1_usize, |product, &n| product.saturating_mul(n.max(1))));
        if product > MOST {
            return Err(self.too_large());
        }
        Ok(if self.contains(&0) { 0 } else { product })
    }

    #[cold]
    fn too_large(&self) -> Reason {
        let text = format!("{self} is too large: its sizes other than 0 multiply to more than {MOST} elements");
        Reason::shape(text)
    }

    /// A function of the sizes, and of ones; of those that are inline a function of its own, without a loop.
    #[inline(always)]
    fn of_sizes<R>(&self, f: impl Fn(&[usize]) -> R) -> R {
        match &self.0 {
            Sizes::Inline { padded, .. } => f(padded),
            Sizes::Heap(sizes) => f(sizes),
        }
    }

    fn sizes_mut(&mut self) -> &mut [usize] {
        match &mut self.0 {
            Sizes::Inline { rank, padded } => &mut padded[..*rank as usize],
            Sizes::Heap(sizes) => sizes,
        }
    }

    /// The shape that two operands broadcast to, by NumPy's rule, or `None` where they do not fit: trailing
    /// dimensions are aligned, and a size of 1 stretches.
    ///
    /// ```
    /// use autograd::Shape;
    /// let (a, b) = (Shape::from([2, 1, 3]), Shape::from([4, 1]));
    /// assert_eq!(a.broadcast(&b), Some(Shape::from([2, 4, 3])));
    /// ```
    pub fn broadcast(&self, other: &Self) -> Option<Self> {
        if self == other {
            return Some(self.clone());
        }
        let (long, short) = if self.rank() < other.rank() { (other, self) } else { (self, other) };
        let mut shape = long.clone();
        let lead = long.rank() - short.rank();
        for (size, &stretched) in shape.sizes_mut()[lead..].iter_mut().zip(&**short) {
            match (*size, stretched) {
                (a, b) if a == b || b == 1 => {}
                (1, b) => *size = b,
                _ => return None,
            }
        }
        Some(shape)
    }

    /// Whether this stretches to `out` by NumPy's rule.
    pub(crate) fn broadcasts_to(&self, out: &Self) -> bool {
        let mut pairs = self.iter().rev().zip(out.iter().rev());
        self.rank() <= out.rank() && pairs.all(|(&size, &stretched)| size == stretched || size == 1)
    }

    /// Steps between neighbours along each dimension of a contiguous, row-major buffer.
    pub(crate) fn strides(&self) -> SmallVec<[usize; 4]> {
        self.strides_in(self)
    }

    /// Strides that read this shape as if it were `out`: 0 along every stretched dimension.
    pub(crate) fn strides_in(&self, out: &Self) -> SmallVec<[usize; 4]> {
        self.strides_as(out, |step| step)
    }

    /// As [`Shape::strides_in`], for views that may walk backwards.
    pub(crate) fn signed_strides_in(&self, out: &Self) -> SmallVec<[isize; 4]> {
        self.strides_as(out, |step| step as isize)
    }

    fn strides_as<S: Copy + Default>(&self, out: &Self, stride: impl Fn(usize) -> S) -> SmallVec<[S; 4]> {
        let mut strides = SmallVec::from_elem(S::default(), out.rank());
        let mut step = 1_usize;
        for ((to, &size), &stretched) in strides.iter_mut().rev().zip(self.iter().rev()).zip(out.iter().rev()) {
            *to = if size == stretched { stride(step) } else { S::default() };
            // A user's shape may not be checked yet.
            step = step.saturating_mul(size);
        }
        strides
    }

    /// `(outer, size, inner)`: the elements before, along and after an axis, or several next to each other.
    pub(crate) fn around(&self, along: impl Into<Span>) -> (usize, usize, usize) {
        let axes = along.into().axes();
        let size = |sizes: &[usize]| sizes.iter().product();
        (size(&self[..axes.start]), size(&self[axes.clone()]), size(&self[axes.end..]))
    }

    /// The same shape with one size replaced.
    pub(crate) fn with(&self, axis: usize, size: usize) -> Self {
        let mut shape = self.clone();
        shape.sizes_mut()[axis] = size;
        shape
    }

    /// The same shape with a dimension, or several next to each other (or none), replaced by others (or none).
    pub(crate) fn splice(&self, along: impl Into<Span>, sizes: &[usize]) -> Self {
        let axes = along.into().axes();
        self[..axes.start].iter().chain(sizes).chain(&self[axes.end..]).copied().collect()
    }

    /// The same shape with dimensions of one element where those of a span were dropped.
    pub(crate) fn with_ones(&self, dropped: Span) -> Self {
        let (at, ones) = (dropped.first(), SmallVec::<[usize; 4]>::from_elem(1, dropped.count()));
        self.splice(Span::new(at..at), &ones)
    }

    /// An axis counted from the front, or from the end where negative.
    pub(crate) fn axis(&self, axis: isize) -> Result<usize, Reason> {
        let rank = self.rank() as isize;
        let from_front = if axis < 0 { axis + rank } else { axis };
        if (0..rank).contains(&from_front) {
            Ok(from_front as usize)
        } else {
            Err(Reason::new(Kind::Axis, format!("axis {axis} is out of range for rank {rank}")))
        }
    }

    /// Several axes as a set; a repeated axis is an error.
    pub(crate) fn axis_set(&self, axes: &[isize]) -> Result<AxisSet, Reason> {
        AxisSet::all(self.rank())?;
        let mut set = AxisSet::default();
        for &axis in axes {
            let i = self.axis(axis)?;
            if set.contains(i) {
                return Err(Reason::new(Kind::Axis, format!("axis {axis} is named twice")));
            }
            set = set.with(i);
        }
        Ok(set)
    }
}

impl Default for Shape {
    fn default() -> Self {
        Self::scalar()
    }
}

impl Deref for Shape {
    type Target = [usize];
    #[inline]
    fn deref(&self) -> &[usize] {
        match &self.0 {
            Sizes::Inline { rank, padded } => &padded[..*rank as usize],
            Sizes::Heap(sizes) => sizes,
        }
    }
}

impl FromIterator<usize> for Shape {
    fn from_iter<I: IntoIterator<Item = usize>>(sizes: I) -> Self {
        Self::from(&sizes.into_iter().collect::<SmallVec<[usize; INLINE]>>()[..])
    }
}

impl<const R: usize> From<[usize; R]> for Shape {
    #[inline]
    fn from(sizes: [usize; R]) -> Self {
        Self::from(&sizes[..])
    }
}

impl From<&[usize]> for Shape {
    #[inline]
    fn from(sizes: &[usize]) -> Self {
        let Some(&rank) = Rank::ALL.get(sizes.len()) else { return Self(Sizes::Heap(sizes.into())) };
        let padded = std::array::from_fn(|i| sizes.get(i).copied().unwrap_or(1));
        Self(Sizes::Inline { rank, padded })
    }
}

impl<const R: usize> From<&[usize; R]> for Shape {
    fn from(sizes: &[usize; R]) -> Self {
        Self::from(&sizes[..])
    }
}

impl From<Vec<usize>> for Shape {
    fn from(sizes: Vec<usize>) -> Self {
        Self::from(&sizes[..])
    }
}

impl From<&Vec<usize>> for Shape {
    fn from(sizes: &Vec<usize>) -> Self {
        Self::from(&sizes[..])
    }
}

/// One dimension of this size.
impl From<usize> for Shape {
    fn from(size: usize) -> Self {
        Self::from([size])
    }
}

impl From<()> for Shape {
    fn from((): ()) -> Self {
        Self::scalar()
    }
}

impl From<(usize,)> for Shape {
    fn from((size,): (usize,)) -> Self {
        Self::from([size])
    }
}

impl From<(usize, usize)> for Shape {
    fn from((m, n): (usize, usize)) -> Self {
        Self::from([m, n])
    }
}

impl From<(usize, usize, usize)> for Shape {
    fn from((l, m, n): (usize, usize, usize)) -> Self {
        Self::from([l, m, n])
    }
}

impl From<(usize, usize, usize, usize)> for Shape {
    fn from((k, l, m, n): (usize, usize, usize, usize)) -> Self {
        Self::from([k, l, m, n])
    }
}

impl From<&Shape> for Shape {
    fn from(shape: &Shape) -> Self {
        shape.clone()
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &**self)
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A set of the axes of a tensor of up to 64 dimensions, one bit each.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct AxisSet(u64);

impl AxisSet {
    const MOST: usize = u64::BITS as usize;

    /// All axes of a tensor of this rank.
    pub(crate) fn all(rank: usize) -> Result<Self, Reason> {
        if rank > Self::MOST {
            let text = format!("at most {} dimensions have axes that can be named, there are {rank}", Self::MOST);
            return Err(Reason::new(Kind::Axis, text));
        }
        Ok((0..rank).fold(Self::default(), Self::with))
    }

    pub(crate) fn contains(self, axis: usize) -> bool {
        axis < Self::MOST && self.0 >> axis & 1 == 1
    }

    fn with(self, axis: usize) -> Self {
        Self(self.0 | 1 << axis)
    }

    pub(crate) fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = usize> {
        (0..Self::MOST).filter(move |&i| self.contains(i))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broadcasting_follows_numpy() {
        type Case = (&'static [usize], &'static [usize], Option<&'static [usize]>);
        let cases: [Case; 6] = [
            (&[], &[], Some(&[])),
            (&[3], &[], Some(&[3])),
            (&[0, 3], &[3], Some(&[0, 3])),
            (&[2, 1], &[1, 0], Some(&[2, 0])),
            (&[2], &[3], None),
            (&[2, 3], &[2], None),
        ];
        for (a, b, want) in cases {
            let (a, b) = (Shape::from(a), Shape::from(b));
            assert_eq!(a.broadcast(&b), want.map(Shape::from), "{a} with {b}");
            assert_eq!(b.broadcast(&a), want.map(Shape::from), "{b} with {a}");
        }
    }

    #[test]
    fn strides_are_zero_where_a_dimension_stretches() {
        let shape = Shape::from([2, 1, 3]);
        assert_eq!(shape.strides_in(&Shape::from([5, 2, 4, 3]))[..], [0, 3, 0, 1]);
    }

    #[test]
    fn a_shape_has_no_more_elements_than_a_buffer_can_have() {
        let most = |sizes: &[usize]| Shape::from(sizes).elements().ok();
        assert_eq!(most(&[]), Some(1));
        assert_eq!(most(&[2, 0, 3]), Some(0));
        assert_eq!(most(&[MOST]), Some(MOST));
        assert_eq!(most(&[MOST, 0]), Some(0));
        assert_eq!(most(&[MOST + 1]), None);
        // The sizes beside a 0 count.
        assert_eq!(most(&[0, 1 << 33, 1 << 33]), None);
        // These wrap to 0, to 1 and to 2 elements.
        assert_eq!(most(&[1 << 40, 1 << 24]), None);
        assert_eq!(most(&[274_177, 67_280_421_310_721]), None);
        assert_eq!(most(&[1, 1, 1, 239_075_442, 77_158_673_929]), None);
    }

    #[test]
    fn the_number_of_elements_does_not_wrap() {
        assert_eq!(Shape::from([1 << 21, 1 << 21, 1 << 22]).numel(), usize::MAX);
        assert_eq!(Shape::from([274_177, 67_280_421_310_721]).numel(), usize::MAX);
        assert_eq!(Shape::from([usize::MAX, usize::MAX, 0]).numel(), 0);
    }

    #[test]
    fn axes_count_from_the_end_and_may_not_repeat() {
        let shape = Shape::from([2, 3]);
        assert_eq!(shape.axis(-1).unwrap(), 1);
        assert!(shape.axis(2).is_err() && shape.axis(-3).is_err());
        assert!(shape.axis_set(&[1, -1]).is_err());
    }
}
