//! Matrix products: the GEMM crate for large ones, our own kernels for small and narrow ones.
//!
//! The crate adds up the terms of a sum one after the other, in blocks of some 512 whose length depends on the CPU's caches,
//! or in the lanes of a vector. Longer sums than [`DEEP`] are cut here, by the [`order`](super::order) of sums.
#![expect(unsafe_code, reason = "the GEMM crate takes raw pointers")]

#[cfg(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "simd128")))]
mod by_level;

use super::compiled::Compiled;
use super::finish::{self, Finish, SliceFinish};
#[cfg(feature = "threads")]
use super::machine;
use super::map::copy;
use super::order::{LargeBlocks, zeros};
use super::product::{self, Operand, Sizes};

/// Up to this many columns, a product with a transposed left side is asked for as it is.
const FEW: usize = 16;

/// The terms of a block of a sum.
const DEEP: usize = 4096;

/// A matrix in memory: its elements, and the strides of its rows and columns.
#[derive(Clone, Copy)]
pub struct Strided<'a, T> {
    data: &'a [T],
    row: usize,
    col: usize,
}

impl<'a, T> Strided<'a, T> {
    /// `rows × cols`, row-major, or stored transposed.
    fn new(data: &'a [T], rows: usize, cols: usize, transposed: bool) -> Self {
        assert!(product::holds(data, rows, cols), "matmul kernel: an operand is too short");
        if transposed { Self { data, row: 1, col: rows } } else { Self { data, row: cols, col: 1 } }
    }

    fn transposed(self) -> Self {
        Self { data: self.data, row: self.col, col: self.row }
    }

    /// What lies behind so many elements.
    fn behind(self, elements: usize) -> Self {
        Self { data: &self.data[elements..], ..self }
    }
}

/// The crate gives each thread a part of the result, whose sums one thread alone computes, in the same order.
#[cfg(feature = "threads")]
fn parallelism((m, k, n): Sizes) -> gemm_common::Parallelism {
    if m.saturating_mul(k).saturating_mul(n) < machine::SHARED {
        gemm_common::Parallelism::None
    } else {
        gemm_common::Parallelism::Rayon(0)
    }
}

#[cfg(not(feature = "threads"))]
fn parallelism(_: Sizes) -> gemm_common::Parallelism {
    gemm_common::Parallelism::None
}

/// What a product does with what its result holds.
#[derive(Clone, Copy)]
pub enum Store<T> {
    /// `out = a · b`
    Set,
    /// `out = out − rate · a · b`
    Subtract(T),
}

/// `a · b` by the GEMM crate, into `out` `[m, n]`, row-major.
macro_rules! gemm {
    ($name:ident, $t:ident, $get:path) => {
        pub(crate) fn $name(
            (m, k, n): Sizes,
            a: &Strided<'_, $t>,
            b: &Strided<'_, $t>,
            out: &mut [$t],
            store: Store<$t>,
        ) {
            let (read, factor) = match store {
                Store::Set => (false, 1.0),
                Store::Subtract(rate) => (true, -rate),
            };
            assert!(product::holds(out, m, n), "matmul kernel: the result is too short");
            let stride = |s: usize| s as isize;
            // The crate's kernels write columns, so they are asked for outᵀ = bᵀ aᵀ, which is up to six times as fast;
            // but for few columns and a transposed `a`, measured on Zen 5: 256×128×10 in 3.2 µs instead of 7.9.
            let swap = n > FEW || a.col == 1;
            let (left, right) = if swap { (b.transposed(), a.transposed()) } else { (*a, *b) };
            let (rows, cols) = if swap { (n, m) } else { (m, n) };
            let (out_row, out_col) = if swap { (1, n) } else { (n, 1) };
            #[cfg(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "simd128")))]
            let function = by_level::$t().unwrap_or_else($get);
            #[cfg(not(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "simd128"))))]
            let function = $get();
            // SAFETY: the operands hold m·k and k·n elements (asserted where they were made) and `out` m·n (asserted
            // above, by products that do not wrap), which is what these strides reach; `out` is a unique borrow, so it overlaps neither operand;
            // it is initialised, so it may be read.
            unsafe {
                function(
                    rows,
                    cols,
                    k,
                    out.as_mut_ptr(),
                    stride(out_col),
                    stride(out_row),
                    read,
                    left.data.as_ptr(),
                    stride(left.col),
                    stride(left.row),
                    right.data.as_ptr(),
                    stride(right.col),
                    stride(right.row),
                    1.0,
                    factor,
                    false,
                    false,
                    false,
                    parallelism((m, k, n)),
                );
            }
        }
    };
}
gemm!(gemm_f32, f32, gemm_f32::gemm::f32::get_gemm_fn);
gemm!(gemm_f64, f64, gemm_f64::gemm::f64::get_gemm_fn);

/// `out = finish(op(a) · op(b))` with `out` `[m, n]`, all row-major; `op(a)` is `[m, k]`, stored transposed where its flag
/// is set.
pub(crate) fn matmul<T: Compiled>(
    sizes: Sizes,
    (a, ta): Operand<'_, T>,
    (b, tb): Operand<'_, T>,
    out: &mut [T],
    finish: SliceFinish<'_, T>,
) {
    if let Some(shape) = product::Shape::of::<T>(sizes, ta, tb) {
        return shape.run(sizes, (a, ta), (b, tb), out, finish);
    }
    let (m, k, n) = sizes;
    // A row times a matrix is the transpose of that times a column.
    if let Some(shape) = product::Shape::of::<T>((n, k, 1), !tb, false).filter(|_| m == 1 && k > 2) {
        let product = |out: &mut [T], finish| shape.run((n, k, 1), (b, !tb), (a, false), out, finish);
        if let Finish::Bias(_) | Finish::BiasRelu(_) = finish {
            product(out, Finish::Keep);
            return finish::in_place(&mut out[..n], n, finish);
        }
        return product(out, finish);
    }
    let (a, b) = (Strided::new(a, m, k, ta), Strided::new(b, k, n, tb));
    if k > DEEP {
        return deep(sizes, a, b, out, finish);
    }
    match finish {
        // The update is the product's own last step, and no gradient is stored.
        Finish::Descend(rate) => T::gemm(sizes, &a, &b, out, Store::Subtract(rate)),
        Finish::Keep | Finish::Bias(_) | Finish::BiasRelu(_) | Finish::Gate(_) => {
            T::gemm(sizes, &a, &b, out, Store::Set);
            finish::in_place(&mut out[..m * n], n, finish);
        }
    }
}

/// A product whose sums are long enough to be cut into blocks.
fn deep<T: Compiled>(
    (m, k, n): Sizes,
    a: Strided<'_, T>,
    b: Strided<'_, T>,
    out: &mut [T],
    finish: SliceFinish<'_, T>,
) {
    let mut blocks = LargeBlocks::new();
    for start in (0..k).step_by(DEEP) {
        let mut block = zeros(m * n);
        let (a, b) = (a.behind(start * a.col), b.behind(start * b.row));
        T::gemm((m, DEEP.min(k - start), n), &a, &b, &mut block, Store::Set);
        blocks.push(block);
    }
    let total = blocks.total();
    if let Finish::Descend(rate) = finish {
        for (p, &dp) in out.iter_mut().zip(&total) {
            *p -= dp * rate;
        }
    } else {
        copy(&total, &mut out[..m * n]);
        finish::in_place(&mut out[..m * n], n, finish);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::level::tests::at_every_level;

    /// The definition, element by element.
    fn reference((m, k, n): Sizes, (a, ta): Operand<'_, f64>, (b, tb): Operand<'_, f64>) -> Vec<f64> {
        let a = |i: usize, p: usize| if ta { a[p * m + i] } else { a[i * k + p] };
        let b = |p: usize, j: usize| if tb { b[j * k + p] } else { b[p * n + j] };
        (0..m * n).map(|e| (0..k).map(|p| a(e / n, p) * b(p, e % n)).sum()).collect()
    }

    /// Whole numbers, whose products and sums are exact in either type.
    fn whole<T: Compiled>(n: usize, factor: usize, modulus: usize) -> Vec<T> {
        (0..n).map(|i| T::of(((i * factor + 3) % modulus) as f64 - (modulus / 2) as f64)).collect()
    }

    const SIZES: [Sizes; 31] = [
        (0, 2, 3),
        (2, 0, 3),
        (3, 2, 0),
        (1, 1, 1),
        (5, 4, 10),
        (5, 10, 3),
        (10, 5, 3),
        (3, 17, 2),
        (33, 20, 41),
        (64, 65, 3),
        (7, 3, 33),
        (6, 2, 16),
        (17, 9, 17),
        (37, 40, 1),
        (39, 33, 2),
        (34, 100, 4),
        (100, 30, 3),
        (100, 31, 10),
        (70, 5, 16),
        (9, 600, 40),
        (40, 300, 70),
        (3, 5000, 3),
        (1, 3, 2000),
        (1, 9, 700),
        (1, 300, 40),
        (1, 5000, 1),
        (9, 5000, 1),
        (2, 257, 40),
        (20, 1000, 4),
        (33, 600, 2),
        (9, 9000, 17),
    ];

    /// What a finish makes of an element and its number.
    type Meaning<'a> = &'a dyn Fn(usize, f64) -> f64;

    fn every_path_equals_the_definition<T: Compiled>() {
        for (m, k, n) in SIZES {
            let (a, b): (Vec<T>, Vec<T>) = (whole(m * k, 7, 11), whole(k * n, 5, 13));
            let (row, full): (Vec<T>, Vec<T>) = (whole(n, 3, 7), whole(m * n, 11, 17));
            let wide = |x: &[T]| x.iter().map(|x| x.to_f64()).collect::<Vec<f64>>();
            for (ta, tb) in [(false, false), (false, true), (true, false), (true, true)] {
                let product = reference((m, k, n), (&wide(&a), ta), (&wide(&b), tb));
                let finishes: [(SliceFinish<'_, T>, Meaning<'_>); 5] = [
                    (Finish::Keep, &|_, x| x),
                    (Finish::Bias(&row), &|e, x| x + row[e % n].to_f64()),
                    (Finish::BiasRelu(&row), &|e, x| (x + row[e % n].to_f64()).max(0.0)),
                    (Finish::Gate(&full), &|e, x| if full[e] > T::ZERO { x } else { 0.0 }),
                    (Finish::Descend(T::of(0.5)), &|e, x| full[e].to_f64() - 0.5 * x),
                ];
                at_every_level(|level| {
                    for (finish, f) in finishes {
                        let mut out = full.clone();
                        matmul((m, k, n), (&a, ta), (&b, tb), &mut out, finish);
                        let want: Vec<f64> = product.iter().enumerate().map(|(e, &x)| f(e, x)).collect();
                        assert_eq!(wide(&out), want, "{m}x{k}x{n} {ta} {tb} {finish:?} {level:?} {}", T::NAME);
                    }
                });
            }
        }
    }

    #[test]
    fn every_path_equals_the_definition_for_all_transpositions_and_finishes() {
        every_path_equals_the_definition::<f32>();
        every_path_equals_the_definition::<f64>();
    }

    #[test]
    fn a_finish_follows_ieee_at_special_numbers() {
        let special = [f64::NAN, -0.0, f64::INFINITY, -f64::INFINITY, 1.0, -1.0];
        let (zero, one) = ([0.0; 6], [1.0]);
        at_every_level(|_| {
            let mut relu = special;
            finish::in_place(&mut relu, 6, Finish::BiasRelu(&zero));
            assert!(relu[0].is_nan());
            assert_eq!(relu[1..], [0.0, f64::INFINITY, 0.0, 1.0, 0.0]);
            let mut gated = [2.0; 6];
            finish::in_place(&mut gated, 6, Finish::Gate(&special));
            assert_eq!(gated, [0.0, 0.0, 2.0, 0.0, 2.0, 0.0]);
            let mut gated = [f64::NAN];
            matmul((1, 1, 1), (&one, false), (&[f64::INFINITY], false), &mut gated, Finish::Gate(&[0.0]));
            assert_eq!(gated, [0.0]);
        });
    }

    #[test]
    fn the_bits_of_a_product_do_not_depend_on_its_finish() {
        let x =
            |n: usize, seed: usize| -> Vec<f32> { (0..n).map(|i| ((i * seed) % 97) as f32 * 0.013 - 0.6).collect() };
        for (m, k, n) in SIZES {
            let (a, b, row) = (x(m * k, 31), x(k * n, 17), x(n, 5));
            for (ta, tb) in [(false, false), (false, true), (true, false), (true, true)] {
                let (mut plain, mut biased) = (vec![0.0; m * n], vec![0.0; m * n]);
                matmul((m, k, n), (&a, ta), (&b, tb), &mut plain, Finish::Keep);
                matmul((m, k, n), (&a, ta), (&b, tb), &mut biased, Finish::Bias(&row));
                let want: Vec<f32> = plain.iter().enumerate().map(|(e, x)| x + row[e % n]).collect();
                assert_eq!(biased, want, "{m}x{k}x{n} {ta} {tb}");
            }
        }
    }

    #[cfg(feature = "threads")]
    #[test]
    fn the_bits_of_a_large_product_do_not_depend_on_the_number_of_threads() {
        fn check<T: Compiled>() {
            let x = |n: usize, seed: usize| -> Vec<T> {
                (0..n).map(|i| T::of(((i * seed) % 9973) as f64 * 1.3e-4 - 0.6)).collect()
            };
            for (m, k, n) in [(300, 301, 302), (128, 1500, 64), (1024, 16, 513)] {
                let (a, b, p) = (x(m * k, 31), x(k * n, 17), x(m * n, 7));
                for (ta, tb) in [(false, false), (false, true), (true, false)] {
                    let product = |threads: usize, finish: SliceFinish<'_, T>| {
                        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                        let mut out = p.clone();
                        pool.install(|| matmul((m, k, n), (&a, ta), (&b, tb), &mut out, finish));
                        out
                    };
                    for finish in [Finish::Keep, Finish::Descend(T::of(0.1))] {
                        let one = product(1, finish);
                        for threads in [2, 3, 4] {
                            assert_eq!(one, product(threads, finish), "{m}x{k}x{n} {ta} {tb} {threads} threads");
                        }
                    }
                }
            }
        }
        check::<f32>();
        check::<f64>();
    }

    #[test]
    fn the_error_of_a_product_does_not_grow_with_the_length_of_its_sums() {
        for (m, n) in [(1, 1), (1, 5), (3, 40), (20, 1), (20, 3), (20, 20)] {
            let k = 12_000;
            for value in [0.7_f32, 0.3] {
                let want = k as f64 * f64::from(value);
                let (a, b) = (vec![value; m * k], vec![1.0_f32; k * n]);
                for (ta, tb) in [(false, false), (false, true), (true, false), (true, true)] {
                    at_every_level(|level| {
                        for finish in [Finish::Keep, Finish::Descend(-1.0)] {
                            let mut out = vec![0.0; m * n];
                            matmul((m, k, n), (&a, ta), (&b, tb), &mut out, finish);
                            let wrong = out.iter().find(|&&y| (f64::from(y) / want - 1.0).abs() > 1e-5);
                            assert_eq!(wrong, None, "for {want}: {m}x{k}x{n} {ta} {tb} {level:?}");
                        }
                    });
                }
            }
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn the_crates_kernels_for_the_level_of_the_cpu_are_those_that_it_chooses() {
        fn check<T: Compiled>() {
            let x = |n: usize, seed: usize| -> Vec<T> {
                (0..n).map(|i| T::of(((i * seed) % 9973) as f64 * 1.3e-4 - 0.6)).collect()
            };
            for sizes @ (m, k, n) in [(70, 1100, 90), (12, 900, 14)] {
                let (a, b) = (x(m * k, 31), x(k * n, 17));
                let (a, b) = (Strided::new(&a, m, k, false), Strided::new(&b, k, n, true));
                let product = || {
                    let mut out = vec![T::NAN; m * n];
                    T::gemm(sizes, &a, &b, &mut out, Store::Set);
                    out
                };
                let chosen = product();
                assert_eq!(chosen, by_level::tests::as_if_narrower(product), "{m}x{k}x{n}");
            }
        }
        check::<f32>();
        check::<f64>();
    }
}
