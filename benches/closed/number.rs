//! What the closed forms need of `f32` and `f64` beyond the engine's trait: a vectorisable `e^x`, a multiply-add that
//! is fused where that is one instruction, and the GEMM crate.
#![expect(unsafe_code, reason = "the GEMM crate takes raw pointers")]
#![expect(clippy::excessive_precision, reason = "coefficients stand as they were computed")]

use autograd::Float;

/// A matrix in memory, `rows × cols`, row-major or stored transposed.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a, T> {
    data: &'a [T],
    row: usize,
    col: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// `rows × cols`, row-major.
    pub(crate) fn new(data: &'a [T], rows: usize, cols: usize) -> Self {
        assert!(data.len() >= rows * cols, "a matrix of {rows} x {cols} needs more than {} numbers", data.len());
        Self { data, row: cols, col: 1 }
    }

    /// The transpose, without moving a number.
    pub(crate) fn t(self) -> Self {
        Self { data: self.data, row: self.col, col: self.row }
    }
}

/// What a product does with what its destination holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Store<T> {
    /// `C = A B`; what `C` holds is not read.
    Set,
    /// `C = C + factor · A B`: the update of parameters as the product's own last step.
    Add(T),
}

/// `f32` or `f64`.
pub(crate) trait Number: Float {
    /// How many sums `Σ_k exp(S_k − max S)`, each in `1..=10`, may be multiplied without overflow, with room to spare.
    const SUMS_PER_LOG: usize;

    /// `e^x` for `x ≤ 88` to 1 ulp, vectorisable: no branch, no table, no call. Below the logarithm of the smallest
    /// normal number it gives that number.
    fn fast_exp<const FMA: bool>(self) -> Self;

    /// `self · b + c`, fused if `FMA`.
    fn multiply_add<const FMA: bool>(self, b: Self, c: Self) -> Self;

    /// `C = A B` or `C += factor · A B` for sizes `(m, k, n)`, `C` row-major, on one thread.
    fn multiply(
        sizes: (usize, usize, usize),
        a: Matrix<'_, Self>,
        b: Matrix<'_, Self>,
        c: &mut [Self],
        store: Store<Self>,
    );
}

/// One row: the type; the GEMM; sums per logarithm; bits of the mantissa and the exponent's bias; the least argument;
/// `ln 2` split in two, the high part short enough that its product with an exponent is exact; the coefficients.
macro_rules! number {
    ($t:ident, $bits:ident, $gemm:path, sums $sums:literal, mantissa $mantissa:literal,
     bias $bias:literal, least $least:literal, ln2 [$high:literal, $low:literal], poly [$($c:literal),*]) => {
        impl Number for $t {
            const SUMS_PER_LOG: usize = $sums;

            #[inline(always)]
            fn fast_exp<const FMA: bool>(self) -> Self {
                // x = n ln 2 + r with |r| ≤ ln 2 / 2; adding 1.5 · 2^mantissa rounds to the integer n, in the low bits.
                const MAGIC: $t = 1.5 * (1_u64 << $mantissa) as $t;
                // (e^r − 1 − r) / r², interpolated at the Chebyshev nodes of the interval: total degree 6 is within
                // 0.2 · 2^−24 of e^r, total degree 11 within 0.16 · 2^−53.
                const POLY: &[$t] = &[$($c),*];
                let x = if self < $least { $least } else { self };
                let shifted = x.multiply_add::<FMA>(std::$t::consts::LOG2_E, MAGIC);
                let n = shifted - MAGIC;
                let r = n.multiply_add::<FMA>(-$low, n.multiply_add::<FMA>(-$high, x));
                let mut q = POLY[POLY.len() - 1];
                for &c in POLY[..POLY.len() - 1].iter().rev() {
                    q = q.multiply_add::<FMA>(r, c);
                }
                let e = (r * r).multiply_add::<FMA>(q, r) + 1.0;
                let power: $bits = (shifted.to_bits() << $mantissa).wrapping_add($bias << $mantissa);
                e * $t::from_bits(power)
            }

            #[inline(always)]
            fn multiply_add<const FMA: bool>(self, b: Self, c: Self) -> Self {
                if FMA { self.mul_add(b, c) } else { self * b + c }
            }

            fn multiply(
                (m, k, n): (usize, usize, usize),
                a: Matrix<'_, Self>,
                b: Matrix<'_, Self>,
                c: &mut [Self],
                store: Store<Self>,
            ) {
                let reaches = |x: &Matrix<'_, Self>, rows: usize, cols: usize| {
                    rows == 0 || cols == 0 || (rows - 1) * x.row + (cols - 1) * x.col < x.data.len()
                };
                assert!(reaches(&a, m, k) && reaches(&b, k, n) && c.len() >= m * n, "gemm: a matrix is too short");
                let (add, factor) = match store {
                    Store::Set => (false, 1.0),
                    Store::Add(factor) => (true, factor),
                };
                let (a_strides, b_strides) = ((a.row as isize, a.col as isize), (b.row as isize, b.col as isize));
                // The crate's kernels write whole registers down columns. Row-major C is therefore computed as
                // Cᵀ = Bᵀ Aᵀ (six times the speed at 512 x 1024 x 1024), unless C is as narrow as scores are and A
                // stands transposed, so that its columns are read whole (three times the speed at 256 x 128 x 10).
                if n <= 16 && a.row == 1 {
                    // SAFETY: the assertion above says that the strides reach elements of the three slices only;
                    // `c` is a unique borrow, so it overlaps neither operand; it is initialised, so it may be read.
                    unsafe {
                        $gemm()(
                            m, n, k, c.as_mut_ptr(), 1, n as isize, add,
                            a.data.as_ptr(), a_strides.1, a_strides.0, b.data.as_ptr(), b_strides.1, b_strides.0,
                            1.0, factor, false, false, false, gemm_common::Parallelism::None,
                        );
                    }
                } else {
                    // SAFETY: as above, with the roles of rows and columns, and of `a` and `b`, exchanged.
                    unsafe {
                        $gemm()(
                            n, m, k, c.as_mut_ptr(), n as isize, 1, add,
                            b.data.as_ptr(), b_strides.0, b_strides.1, a.data.as_ptr(), a_strides.0, a_strides.1,
                            1.0, factor, false, false, false, gemm_common::Parallelism::None,
                        );
                    }
                }
            }
        }
    };
}

number!(f32, u32, gemm_f32::gemm::f32::get_gemm_fn, sums 32, mantissa 23, bias 127, least -87.33654,
    ln2 [0.693115234375, 3.1946184949453094e-5],
    poly [0.5, 0.16666576989698775, 0.041666554617204574, 0.008363179052722578, 0.0013926183587713494]);
number!(f64, u64, gemm_f64::gemm::f64::get_gemm_fn, sums 256, mantissa 52, bias 1023,
    least -708.3964185322641, ln2 [0.6931471804855391, 7.44061711001239685e-11],
    poly [0.5, 0.16666666666666669, 0.04166666666662413, 0.008333333333330062, 0.0013888888917213717,
        0.00019841269863053618, 2.4801521295954376e-5, 2.7557268459997064e-6, 2.7620088445409746e-7,
        2.510038549551032e-8]);
