//! The GEMM crate's kernels for a level below that of the CPU. The crate itself chooses by the CPU alone.
#![expect(unsafe_code, reason = "the GEMM crate takes raw pointers")]

use crate::number::level::{Level, Narrower};
use gemm_common::Parallelism;
use gemm_common::gemm::gemm_basic_generic;
use gemm_common::simd::{MixedSimd, Scalar, V3};

/// A product as the crate computes it: sizes; the result, its strides, and whether it is read; two operands and their
/// strides; two factors; whether one of the three is conjugated; threads.
type Function<T> = unsafe fn(
    usize,
    usize,
    usize,
    *mut T,
    isize,
    isize,
    bool,
    *const T,
    isize,
    isize,
    *const T,
    isize,
    isize,
    T,
    T,
    bool,
    bool,
    bool,
    Parallelism,
);

fn wanted() -> Option<Narrower> {
    #[cfg(test)]
    if tests::ALSO_WIDEST.get() {
        return Level::best().as_narrower();
    }
    Level::best().narrower()
}

/// A row: the number type, the crate's modules of kernels, and the elements of a vector of AVX2.
macro_rules! functions {
    ($t:ident, $gemm:ident, $lanes:literal) => {
        /// The function for the level, if that is not the CPU's.
        pub(super) fn $t() -> Option<Function<$t>> {
            Some(match wanted()? {
                Narrower::Baseline => functions!(@ $t, $gemm, scalar, Scalar, 1),
                Narrower::Avx2 => functions!(@ $t, $gemm, fma, V3, $lanes),
            })
        }
    };
    (@ $t:ident, $gemm:ident, $module:ident, $set:ident, $lanes:literal) => {{
        use $gemm::microkernel::$module::$t::{H_M, H_N, H_UKR, MR_DIV_N, NR, UKR};
        /// As the crate's `gemm_basic` for the set.
        #[allow(clippy::too_many_arguments, reason = "those of the crate's function")]
        unsafe fn function(
            m: usize,
            n: usize,
            k: usize,
            dst: *mut $t,
            dst_cs: isize,
            dst_rs: isize,
            read_dst: bool,
            lhs: *const $t,
            lhs_cs: isize,
            lhs_rs: isize,
            rhs: *const $t,
            rhs_cs: isize,
            rhs_rs: isize,
            alpha: $t,
            beta: $t,
            conj_dst: bool,
            conj_lhs: bool,
            conj_rhs: bool,
            parallelism: Parallelism,
        ) {
            let set = <$set as MixedSimd<$t, $t, $t, $t>>::try_new().expect("the level is one of this CPU");
            // SAFETY: the caller promises the matrices; the value of the set shows that the CPU has it.
            unsafe {
                gemm_basic_generic::<_, _, $lanes, { MR_DIV_N * $lanes }, NR, MR_DIV_N, H_M, H_N>(
                    set,
                    m,
                    n,
                    k,
                    dst,
                    dst_cs,
                    dst_rs,
                    read_dst,
                    lhs,
                    lhs_cs,
                    lhs_rs,
                    rhs,
                    rhs_cs,
                    rhs_rs,
                    alpha,
                    beta,
                    conj_dst,
                    conj_lhs,
                    conj_rhs,
                    |a, b, c| a * b + c,
                    &UKR,
                    &H_UKR,
                    false,
                    parallelism,
                );
            }
        }
        function
    }};
}
functions!(f32, gemm_f32, 8);
functions!(f64, gemm_f64, 4);

#[cfg(test)]
pub(super) mod tests {
    use std::cell::Cell;

    thread_local! {
        /// Whether this thread takes the kernels of this file for the CPU's own level, too.
        pub(super) static ALSO_WIDEST: Cell<bool> = const { Cell::new(false) };
    }

    pub(in crate::kernels::gemm) fn as_if_narrower<R>(f: impl FnOnce() -> R) -> R {
        ALSO_WIDEST.set(true);
        let result = f();
        ALSO_WIDEST.set(false);
        result
    }
}
