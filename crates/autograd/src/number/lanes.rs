//! Vectors by hand, for the matrix products: what the compiler does not make of loops, that is masks for the ends of
//! rows, fused multiply-adds, and sums that stay in registers.
//!
//! A product fuses its multiplications with its additions wherever that is one instruction, as the GEMM crate does. So
//! its last bits depend on the CPU, unlike those of the element-wise functions.
#![expect(unsafe_code, reason = "vector instructions may run only where the CPU has them, and take raw pointers")]

use crate::number::Number;

/// The vectors of an instruction set.
///
/// # Safety
/// Every function may be called only on a CPU that has the instruction set; a kernel gets a type of this trait from
/// [`Level::run_lanes`](super::simd::Level::run_lanes) alone, which asked the CPU. `load` and `store` touch the elements
/// of the mask and no others.
pub trait Lanes<T> {
    type Vector: Copy;
    type Mask: Copy;
    /// Elements of a vector.
    const COUNT: usize;
    /// Rows of a tile of a matrix product, two vectors wide, whose sums fit the registers.
    const ROWS: usize;
    /// Whether kernels make do with one size of tiles: nobody waits for a set that the CPUs of fifteen years have left behind,
    /// but each size is code that everybody compiles.
    const PLAIN: bool;

    /// The first `n` lanes, or all.
    unsafe fn first(n: usize) -> Self::Mask;
    /// Lanes beyond the mask are zero.
    unsafe fn load(from: *const T, mask: Self::Mask) -> Self::Vector;
    unsafe fn store(to: *mut T, mask: Self::Mask, x: Self::Vector);
    unsafe fn splat(x: T) -> Self::Vector;
    unsafe fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    unsafe fn sub(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    unsafe fn mul(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a · b + c`, rounded once where that is one instruction.
    unsafe fn mul_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// 0 where `x < 0`, else `x`.
    unsafe fn relu(x: Self::Vector) -> Self::Vector;
    /// `a / b`
    unsafe fn div(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// The larger, `b` where one is NaN.
    unsafe fn larger(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a` where two have the same bits, else `b`.
    unsafe fn choose(x: Self::Vector, same: Self::Vector, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `x` where `by` is not 0, else 0.
    unsafe fn unless_zero(x: Self::Vector, by: Self::Vector) -> Self::Vector;
    /// `g` where `x > 0`, else 0.
    unsafe fn gate(g: Self::Vector, x: Self::Vector) -> Self::Vector;
    /// Zero beyond the mask.
    unsafe fn keep(x: Self::Vector, mask: Self::Mask) -> Self::Vector;
    /// The sums of the lanes of four vectors.
    unsafe fn totals(x: [Self::Vector; 4]) -> [T; 4];
    /// Lane `i` is what is left of the lanes of row `i` of as many rows as there are lanes, after the halves of a row were joined, those of
    /// what is left, and so on. It costs three instructions a row, where each by itself takes as many for each halving.
    unsafe fn joined(
        row: impl Fn(usize) -> Self::Vector,
        join: impl Fn(Self::Vector, Self::Vector) -> Self::Vector,
    ) -> Self::Vector;
    /// The sum of the lanes, added up by halves.
    #[inline(always)]
    unsafe fn total(x: Self::Vector) -> T
    where
        Self: Sized,
        T: Number,
    {
        // SAFETY: the caller promises the set.
        unsafe { by_halves::<T, Self>(x, |a, b| a + b) }
    }
    /// The largest of the lanes; anything where one is NaN.
    #[inline(always)]
    unsafe fn peak(x: Self::Vector) -> T
    where
        Self: Sized,
        T: Number,
    {
        // SAFETY: the caller promises the set.
        unsafe { by_halves::<T, Self>(x, |a, b| if a > b { a } else { b }) }
    }
    /// Two powers of two whose product is `2^k`, from `1.5 · 2^(p−1) + k`, whose lowest bits hold `k`.
    unsafe fn powers_of_two(shifted: Self::Vector) -> [Self::Vector; 2];
    /// The columns of a row-major matrix of [`COUNT`](Self::COUNT) rows and up to four columns, which lies in as many
    /// vectors as it has columns.
    unsafe fn columns<const K: usize>(rows: [Self::Vector; K]) -> [Self::Vector; K];
    /// The reverse of [`columns`](Self::columns).
    unsafe fn rows<const K: usize>(columns: [Self::Vector; K]) -> [Self::Vector; K];
}

/// The most lanes that vectors have.
const MOST: usize = 16;

/// The first of the lanes, after each was joined with that of the other half, until one is left.
///
/// # Safety
/// The CPU has the set of the lanes.
#[inline(always)]
unsafe fn by_halves<T: Number, L: Lanes<T>>(x: L::Vector, f: impl Fn(T, T) -> T) -> T {
    let mut lanes = [T::ZERO; MOST];
    // SAFETY: the caller promises the set; the array holds the lanes of any.
    unsafe { L::store(lanes.as_mut_ptr(), L::first(L::COUNT), x) };
    let mut width = L::COUNT / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] = f(lanes[i], lanes[i + width]);
        }
        width /= 2;
    }
    lanes[0]
}

/// `to[i] = from[index(i)]` for the elements of vectors in a row, through memory.
///
/// # Safety
/// The CPU has the set of the lanes.
#[inline(always)]
unsafe fn rearranged<T: Number, L: Lanes<T>, const K: usize>(
    x: [L::Vector; K],
    index: impl Fn(usize) -> usize,
) -> [L::Vector; K] {
    let (mut from, mut to) = ([[T::ZERO; MOST]; K], [[T::ZERO; MOST]; K]);
    let mut y = x;
    for k in 0..K {
        // SAFETY: the caller promises the set; an array holds the lanes of any.
        unsafe { L::store(from[k].as_mut_ptr(), L::first(L::COUNT), x[k]) };
    }
    for i in 0..K * L::COUNT {
        let at = index(i);
        to[i / L::COUNT][i % L::COUNT] = from[at / L::COUNT][at % L::COUNT];
    }
    for k in 0..K {
        // SAFETY: as above.
        y[k] = unsafe { L::load(to[k].as_ptr(), L::first(L::COUNT)) };
    }
    y
}

/// Arrays, which the compiler turns into the vectors that the target promises.
#[allow(unreachable_pub, reason = "the trait of numbers names it on other CPUs, and is public")]
pub struct Portable;

const WIDTH: usize = 4;

#[inline(always)]
fn zip<T: Copy>(a: [T; WIDTH], b: [T; WIDTH], f: impl Fn(T, T) -> T) -> [T; WIDTH] {
    let mut c = a;
    for i in 0..WIDTH {
        c[i] = f(a[i], b[i]);
    }
    c
}

impl<T: Number> Lanes<T> for Portable {
    type Vector = [T; WIDTH];
    type Mask = usize;
    const COUNT: usize = WIDTH;
    const ROWS: usize = 4;
    const PLAIN: bool = cfg!(target_arch = "x86_64");

    #[inline(always)]
    unsafe fn first(n: usize) -> usize {
        n.min(WIDTH)
    }
    #[inline(always)]
    unsafe fn load(from: *const T, mask: usize) -> [T; WIDTH] {
        if mask == WIDTH {
            // SAFETY: the caller promises the elements of the mask, which are all.
            return unsafe { from.cast::<[T; WIDTH]>().read_unaligned() };
        }
        let mut x = [T::ZERO; WIDTH];
        // One by one: copies of a length that is not known are calls.
        for (i, x) in x.iter_mut().enumerate() {
            if i < mask {
                // SAFETY: as above.
                *x = unsafe { *from.add(i) };
            }
        }
        x
    }
    #[inline(always)]
    unsafe fn store(to: *mut T, mask: usize, x: [T; WIDTH]) {
        if mask == WIDTH {
            // SAFETY: the caller promises the elements of the mask, which are all.
            return unsafe { to.cast::<[T; WIDTH]>().write_unaligned(x) };
        }
        for (i, x) in x.into_iter().enumerate() {
            if i < mask {
                // SAFETY: as above.
                unsafe { *to.add(i) = x };
            }
        }
    }
    #[inline(always)]
    unsafe fn splat(x: T) -> [T; WIDTH] {
        [x; WIDTH]
    }
    #[inline(always)]
    unsafe fn add(a: [T; WIDTH], b: [T; WIDTH]) -> [T; WIDTH] {
        zip(a, b, |a, b| a + b)
    }
    #[inline(always)]
    unsafe fn sub(a: [T; WIDTH], b: [T; WIDTH]) -> [T; WIDTH] {
        zip(a, b, |a, b| a - b)
    }
    #[inline(always)]
    unsafe fn mul(a: [T; WIDTH], b: [T; WIDTH]) -> [T; WIDTH] {
        zip(a, b, |a, b| a * b)
    }
    #[inline(always)]
    unsafe fn mul_add(a: [T; WIDTH], b: [T; WIDTH], c: [T; WIDTH]) -> [T; WIDTH] {
        // Every 64-bit ARM has the fused instruction; on x86-64 it would be a slow call at this level.
        let fused = cfg!(target_arch = "aarch64");
        let mut y = c;
        for i in 0..WIDTH {
            y[i] = if fused { a[i].fused_multiply_add(b[i], c[i]) } else { a[i] * b[i] + c[i] };
        }
        y
    }
    #[inline(always)]
    unsafe fn relu(x: [T; WIDTH]) -> [T; WIDTH] {
        zip(x, x, |x, _| if x < T::ZERO { T::ZERO } else { x })
    }
    #[inline(always)]
    unsafe fn div(a: [T; WIDTH], b: [T; WIDTH]) -> [T; WIDTH] {
        zip(a, b, |a, b| a / b)
    }
    #[inline(always)]
    unsafe fn larger(a: [T; WIDTH], b: [T; WIDTH]) -> [T; WIDTH] {
        zip(a, b, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    unsafe fn choose(x: [T; WIDTH], same: [T; WIDTH], a: [T; WIDTH], b: [T; WIDTH]) -> [T; WIDTH] {
        let mut y = b;
        for i in 0..WIDTH {
            y[i] = if x[i].same_bits(same[i]) { a[i] } else { b[i] };
        }
        y
    }
    #[inline(always)]
    unsafe fn unless_zero(x: [T; WIDTH], by: [T; WIDTH]) -> [T; WIDTH] {
        zip(x, by, |x, by| if by == T::ZERO { T::ZERO } else { x })
    }
    #[inline(always)]
    unsafe fn gate(g: [T; WIDTH], x: [T; WIDTH]) -> [T; WIDTH] {
        zip(g, x, |g, x| if x > T::ZERO { g } else { T::ZERO })
    }
    #[inline(always)]
    unsafe fn keep(x: [T; WIDTH], mask: usize) -> [T; WIDTH] {
        let mut y = x;
        for (i, y) in y.iter_mut().enumerate() {
            if i >= mask {
                *y = T::ZERO;
            }
        }
        y
    }
    #[inline(always)]
    unsafe fn totals(x: [[T; WIDTH]; 4]) -> [T; 4] {
        let mut y = [T::ZERO; 4];
        for i in 0..4 {
            y[i] = (x[i][0] + x[i][2]) + (x[i][1] + x[i][3]);
        }
        y
    }
    #[inline(always)]
    unsafe fn joined(
        row: impl Fn(usize) -> [T; WIDTH],
        join: impl Fn([T; WIDTH], [T; WIDTH]) -> [T; WIDTH],
    ) -> [T; WIDTH] {
        let halves = |a: [T; WIDTH], b: [T; WIDTH]| join([a[0], a[1], b[0], b[1]], [a[2], a[3], b[2], b[3]]);
        let (a, b) = (halves(row(0), row(1)), halves(row(2), row(3)));
        join([a[0], a[2], b[0], b[2]], [a[1], a[3], b[1], b[3]])
    }
    #[inline(always)]
    unsafe fn powers_of_two(shifted: [T; WIDTH]) -> [[T; WIDTH]; 2] {
        let mut y = [shifted; 2];
        for i in 0..WIDTH {
            [y[0][i], y[1][i]] = T::scales(shifted[i]);
        }
        y
    }
    #[inline(always)]
    unsafe fn columns<const K: usize>(rows: [[T; WIDTH]; K]) -> [[T; WIDTH]; K] {
        // SAFETY: arrays need no instruction set.
        unsafe { rearranged::<T, Self, K>(rows, |i| i % WIDTH * K + i / WIDTH) }
    }
    #[inline(always)]
    unsafe fn rows<const K: usize>(columns: [[T; WIDTH]; K]) -> [[T; WIDTH]; K] {
        // SAFETY: arrays need no instruction set.
        unsafe { rearranged::<T, Self, K>(columns, |i| i % K * WIDTH + i / K) }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86;
#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512};

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm;
#[cfg(not(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "simd128"))))]
pub(crate) use Portable as Own;
/// The vectors of a target whose CPUs all have the same.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(crate) use wasm::Simd128 as Own;

#[cfg(test)]
mod tests {
    use super::{Lanes, MOST, by_halves};
    use crate::number::Number;
    use crate::number::level::LaneKernel;
    use crate::number::level::tests::at_every_level;

    struct Joined<'a, T>(&'a [[T; MOST]; MOST]);

    impl<T: Number> LaneKernel<T> for Joined<'_, T> {
        #[inline(always)]
        unsafe fn run<L: Lanes<T>>(self) {
            let rows = self.0;
            let mut got = [T::ZERO; MOST];
            // SAFETY: the caller promises the set; rows and results have the lanes of any.
            unsafe {
                let all = L::first(L::COUNT);
                let joined = L::joined(
                    #[inline(always)]
                    |i| L::load(rows[i].as_ptr(), all),
                    #[inline(always)]
                    |a, b| L::sub(L::add(a, a), b),
                );
                L::store(got.as_mut_ptr(), all, joined);
                for (row, got) in rows.iter().zip(got).take(L::COUNT) {
                    let want = by_halves::<T, L>(L::load(row.as_ptr(), all), |a, b| a + a - b);
                    assert_eq!(got, want, "{} lanes", L::COUNT);
                }
            }
        }
    }

    #[test]
    fn rows_are_joined_by_halves_each_to_its_lane() {
        fn check<T: Number>() {
            let mut rows = [[T::ZERO; MOST]; MOST];
            rows.as_flattened_mut().iter_mut().enumerate().for_each(|(i, x)| *x = T::from_index((i * i % 97) as i64));
            at_every_level(|level| level.run_lanes(Joined(&rows)));
        }
        check::<f32>();
        check::<f64>();
    }
}
