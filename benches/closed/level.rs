//! One source for several instruction sets: a kernel is compiled for each level, and the best that the processor has
//! is picked once, at run time, from a default build.
#![expect(unsafe_code, reason = "a function for an instruction set may run only where the processor has it")]

/// A computation whose body is compiled once for each level.
pub(crate) trait Kernel {
    /// What it returns.
    type Output;

    /// The computation. It must be `#[inline(always)]`, or it is compiled for the baseline alone. `FMA` says whether
    /// a fused multiply-add is one instruction.
    fn run<const FMA: bool>(self) -> Self::Output;
}

/// An instruction set that this processor has; only [`Level::detect`] makes any but the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Level(Set);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Set {
    Baseline,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Level {
    /// The best level of the processor that runs this.
    pub(crate) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            let foundation = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl");
            let avx512 = foundation && is_x86_feature_detected!("avx512dq") && is_x86_feature_detected!("avx512bw");
            if avx2 && avx512 {
                return Self(Set::Avx512);
            }
            if avx2 {
                return Self(Set::Avx2);
            }
        }
        Self(Set::Baseline)
    }

    /// Runs a kernel at this level.
    #[inline(always)]
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            Set::Baseline => kernel.run::<false>(),
            // SAFETY: `detect` found AVX2 and FMA on this processor.
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => unsafe { avx2(kernel) },
            // SAFETY: `detect` found AVX2, FMA and the four parts of AVX-512 on this processor.
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => unsafe { avx512(kernel) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<true>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,avx512f,avx512vl,avx512dq,avx512bw")]
fn avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<true>()
}
