//! Random numbers by position: each depends on a key and on where it stands, so in whatever order they are computed they are
//! the same.

use crate::number::{Number, special};
use std::f64::consts::SQRT_2;

/// Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (2011), section 4.3: ten rounds
/// of multiplications that mix a counter by a key.
pub(crate) fn philox([mut a, mut b, mut c, mut d]: [u32; 4], [mut k, mut l]: [u32; 2]) -> [u32; 4] {
    // The multipliers and the increments of the key are those of the paper.
    let product = |x: u32, y: u32| {
        let product = u64::from(x) * u64::from(y);
        ((product >> 32) as u32, product as u32)
    };
    for _ in 0..10 {
        let ((high, low), (other_high, other_low)) = (product(0xd251_1f53, a), product(0xcd9e_8d57, c));
        (a, b, c, d) = (other_high ^ b ^ k, other_low, high ^ d ^ l, low);
        (k, l) = (k.wrapping_add(0x9e37_79b9), l.wrapping_add(0xbb67_ae85));
    }
    [a, b, c, d]
}

/// What a counter is for: its last word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Numbers; the counter is their position.
    Numbers = 0,
    /// The key that a key and a number make.
    FoldIn = 1,
    /// One of the keys that a key is split into.
    Split = 2,
    /// As `FoldIn`, with the bits of a number.
    FoldInNumber = 3,
}

/// The key that a key makes with a number.
pub(crate) fn derived(key: [u32; 2], number: u64, purpose: Purpose) -> [u32; 2] {
    let [a, b, ..] = philox([number as u32, (number >> 32) as u32, 0, purpose as u32], key);
    [a, b]
}

/// The 64 bits at a pair of positions: words 0 and 1 of a block for the even one, 2 and 3 for the odd one, the first word above.
fn pair(key: [u32; 2], block: u64) -> [u64; 2] {
    let [a, b, c, d] = philox([block as u32, (block >> 32) as u32, 0, Purpose::Numbers as u32], key);
    [(u64::from(a) << 32) | u64::from(b), (u64::from(c) << 32) | u64::from(d)]
}

/// A function of the bits at each position.
pub(crate) fn fill<T: Number>(key: [u32; 2], out: &mut [T], f: impl Fn(u64) -> T) {
    for (block, out) in (0..).zip(out.chunks_mut(2)) {
        for (out, bits) in out.iter_mut().zip(pair(key, block)) {
            *out = f(bits);
        }
    }
}

/// In [0, 1): the upper 53 bits, 24 in `f32`, as a fraction.
pub(crate) fn uniform<T: Number>(key: [u32; 2], out: &mut [T]) {
    // ε is 2^(1 − digits), and its half, 2^−digits, what the last bit is worth; its exponent is the number of digits.
    let unit = T::EPSILON.to_f64() * 0.5;
    let digits = 1023 - (unit.to_bits() >> 52);
    let below = 64 - digits;
    fill(key, out, |bits| T::of((bits >> below) as f64 * unit));
}

/// In (0, 1), with a middle and equal ends: `(2k + 1) · 2^−53` for the upper 52 bits `k`, exactly.
fn inside(bits: u64) -> f64 {
    ((bits >> 12) as f64 * 2.0 + 1.0) * (f64::EPSILON * 0.5)
}

/// `√2 · erfinv(2u − 1)`, where the argument is exact.
pub(crate) fn normal<T: Number>(key: [u32; 2], out: &mut [T]) {
    fill(key, out, |bits| T::of(SQRT_2 * special::erfinv(2.0 * inside(bits) - 1.0)));
}

/// `−ln u`
pub(crate) fn exponential<T: Number>(key: [u32; 2], out: &mut [T]) {
    fill(key, out, |bits| T::of(-Number::ln(inside(bits))));
}

/// `−ln(−ln u)`
pub(crate) fn gumbel<T: Number>(key: [u32; 2], out: &mut [T]) {
    fill(key, out, |bits| T::of(-Number::ln(-Number::ln(inside(bits)))));
}

/// One of so many numbers: the upper half of a product of 128 bits, whose bias is below `count / 2^64`.
fn below(bits: u64, count: u64) -> u64 {
    ((u128::from(bits) * u128::from(count)) >> 64) as u64
}

/// Integers from `low` on, one of so many, as indices.
pub(crate) fn integers<T: Number>(key: [u32; 2], (low, count): (i64, u64), out: &mut [T]) {
    fill(key, out, |bits| T::from_index(low.wrapping_add_unsigned(below(bits, count))));
}

/// The indices of `out` in an order of which each is as likely: from the last place on, each changes with one up to it (Fisher
/// and Yates, as Durstenfeld writes it).
pub(crate) fn permutation<T: Number>(key: [u32; 2], out: &mut [T]) {
    for (i, out) in (0..).zip(out.iter_mut()) {
        *out = T::from_index(i);
    }
    for i in (1..out.len()).rev() {
        let bits = pair(key, (i / 2) as u64)[i % 2];
        out.swap(i, below(bits, i as u64 + 1) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known answers that the authors publish with Random123 (`kat_vectors`).
    #[test]
    fn philox_gives_the_known_answers() {
        let pi = ([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]);
        for (counter, key, answer) in [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (pi.0, pi.1, [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]),
        ] {
            assert_eq!(philox(counter, key), answer, "{counter:x?}");
        }
    }

    #[test]
    fn the_ends_of_what_bits_can_be_give_numbers_inside_the_range() {
        assert_eq!((inside(0), inside(u64::MAX)), (f64::EPSILON * 0.5, 1.0 - f64::EPSILON * 0.5));
        assert_eq!((inside(1 << 63) + inside((1 << 63) - 1), below(u64::MAX, 7), below(0, 7)), (1.0, 6, 0));
        let largest = |below: u32, unit: f64| (u64::MAX >> below) as f64 * unit;
        assert_eq!(largest(11, f64::EPSILON * 0.5), 1.0_f64.next_down());
        assert_eq!(largest(40, f64::from(f32::EPSILON) * 0.5), f64::from(1.0_f32.next_down()));
        let mut bits = [0.0_f64; 100];
        integers([0, 0], (i64::MIN, u64::MAX), &mut bits);
        let high = bits.iter().filter(|bits| (bits.to_bits() as i64) > 0).count();
        assert!((30..70).contains(&high), "{high}");
    }
}
