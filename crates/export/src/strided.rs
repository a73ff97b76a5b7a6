//! What operations were told, and where the elements of strided reads lie.

use autograd::{Attribute, Attributes};
use std::ops::Range;

/// Integers that an operation was told.
pub(crate) fn integers<'a>(attributes: &'a Attributes, name: &str) -> &'a [i64] {
    attributes.iter().find(|(known, _)| *known == name).map_or(&[], |(_, value)| match value {
        Attribute::Integers(all) => &all[..],
        Attribute::Flag(_) | Attribute::Number(_) | Attribute::Integer(_) => &[],
    })
}

/// An integer that an operation was told.
pub(crate) fn integer(attributes: &Attributes, name: &str) -> i64 {
    attributes.iter().find(|(known, _)| *known == name).map_or(0, |(_, value)| match value {
        Attribute::Integer(i) => *i,
        Attribute::Flag(_) | Attribute::Number(_) | Attribute::Integers(_) => 0,
    })
}

/// The axes that an operation goes along: one, or several next to each other.
pub(crate) fn along(attributes: &Attributes) -> Range<usize> {
    if let [first, .., last] = integers(attributes, "axes") {
        return *first as usize..*last as usize + 1;
    }
    let axis = integer(attributes, "axis") as usize;
    axis..axis + 1
}

/// Whether an operation was told something.
pub(crate) fn flag(attributes: &Attributes, name: &str) -> bool {
    attributes.iter().any(|(known, value)| *known == name && *value == Attribute::Flag(true))
}

/// The distances of neighbours in row-major order.
pub(crate) fn strides(shape: &[usize]) -> Vec<i64> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis].max(1) as i64;
    }
    strides
}

/// The first places along each axis that an offset into a shape is made of.
pub(crate) fn starts(offset: i64, shape: &[usize]) -> Vec<i64> {
    let mut rest = offset;
    let part = |stride: i64| {
        let start = rest / stride;
        rest %= stride;
        start
    };
    strides(shape).into_iter().map(part).collect()
}

/// Where each element of a strided read lies, in row-major order of its shape.
pub(crate) fn places(offset: i64, strides: &[i64], shape: &[usize]) -> Vec<i64> {
    let mut places = vec![offset];
    for (&size, &stride) in shape.iter().zip(strides) {
        places = places.iter().flat_map(|&start| (0..size as i64).map(move |i| start + i * stride)).collect();
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_and_strides_are_walked_in_row_major_order() {
        assert_eq!(strides(&[2, 3, 4]), [12, 4, 1]);
        assert_eq!(starts(23, &[2, 3, 4]), [1, 2, 3]);
        assert_eq!(places(5, &[-3, 1], &[2, 2]), [5, 6, 2, 3]);
        assert_eq!(places(7, &[], &[]), [7]);
    }
}
