//! The GEMM crate's kernels for a level that the crate does not choose by itself: one below that of the CPU, and WebAssembly's vectors.
#![expect(unsafe_code, reason = "the GEMM crate takes raw pointers")]

#[cfg(target_arch = "x86_64")]
use crate::number::level::{Level, Narrower};
use gemm_common::Parallelism;
use gemm_common::gemm::gemm_basic_generic;
#[cfg(target_arch = "x86_64")]
use gemm_common::simd::V3;
use gemm_common::simd::{MixedSimd, Scalar};

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

#[cfg(target_arch = "x86_64")]
fn wanted() -> Option<Narrower> {
    #[cfg(test)]
    if tests::ALSO_WIDEST.get() {
        return Level::best().as_narrower();
    }
    Level::best().narrower()
}

/// A row: the number type, the crate's modules of kernels, and the elements of a vector of AVX2, and of WebAssembly.
macro_rules! functions {
    ($t:ident, $gemm:ident, $lanes:literal, $narrow:literal) => {
        /// The function for the level, if that is not the one that the crate chooses.
        #[cfg(target_arch = "x86_64")]
        pub(super) fn $t() -> Option<Function<$t>> {
            Some(match wanted()? {
                Narrower::Baseline => functions!(@ $t, $gemm, scalar, Scalar, 1),
                Narrower::Avx2 => functions!(@ $t, $gemm, fma, V3, $lanes),
            })
        }
        #[cfg(target_arch = "wasm32")]
        pub(super) fn $t() -> Option<Function<$t>> {
            Some(functions!(@ $t, $gemm, simd128, Scalar, $narrow))
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
functions!(f32, gemm_f32, 8, 4);
functions!(f64, gemm_f64, 4, 2);

#[cfg(all(test, target_arch = "x86_64"))]
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
