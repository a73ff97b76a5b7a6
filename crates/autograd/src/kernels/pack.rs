//! Labels as the bits of numbers.

use super::map::level;
use crate::number::Number;
use crate::number::level::Kernel;

/// Packs labels into the bits of as many numbers, and tells the least and the largest: the range of all is found much faster than
/// each is asked for. One that is no `i64` counts as the largest.
pub(crate) fn pack<T: Number>(labels: &[usize], out: &mut [T]) -> [i64; 2] {
    level(out.len()).run(Pack { labels, out })
}

/// Puts integers at their place, as many as there are and fit, and tells how many these are, the least and the largest.
pub(crate) fn in_order<T: Number>(data: impl Iterator<Item = i64>, place: &mut [T]) -> (usize, [i64; 2]) {
    let (mut found, mut least, mut largest) = (0, i64::MAX, i64::MIN);
    for (bits, label) in place.iter_mut().zip(data) {
        found += 1;
        (least, largest) = (least.min(label), largest.max(label));
        *bits = T::from_index(label);
    }
    (found, [least, largest])
}

struct Pack<'a, T> {
    labels: &'a [usize],
    out: &'a mut [T],
}

impl<T: Number> Kernel for Pack<'_, T> {
    type Output = [i64; 2];
    #[inline(always)]
    fn run(self) -> [i64; 2] {
        let (mut least, mut largest) = (i64::MAX, i64::MIN);
        for (out, &label) in self.out.iter_mut().zip(self.labels) {
            let label = i64::try_from(label).unwrap_or(i64::MAX);
            (least, largest) = (least.min(label), largest.max(label));
            *out = T::from_index(label);
        }
        [least, largest]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::level::Level;
    use crate::number::level::tests::at_every_level;

    fn is_packed<T: Number>(labels: &[usize], level: Level) {
        let mut out = vec![T::ZERO; labels.len()];
        let [least, largest] = level.run(Pack { labels, out: &mut out });
        assert!(out.iter().map(|bits| bits.to_index() as usize).eq(labels.iter().copied()), "{level:?}");
        let range = (labels.iter().min(), labels.iter().max());
        let found = (usize::try_from(least).ok(), usize::try_from(largest).ok());
        assert!(labels.is_empty() || found == (range.0.copied(), range.1.copied()), "{level:?} {found:?}");
    }

    #[test]
    fn labels_are_packed_and_their_range_is_told_at_every_level() {
        at_every_level(|level| {
            for n in [0, 1, 15, 64, 1000, 1003] {
                let labels: Vec<usize> = (0..n).map(|i| 3 + i * 7919 % 1009).collect();
                is_packed::<f32>(&labels, level);
                is_packed::<f64>(&labels, level);
            }
            let [least, largest] = level.run(Pack { labels: &[5, usize::MAX], out: &mut [0.0_f64; 2] });
            assert_eq!([least, largest], [5, i64::MAX]);
        });
    }
}
