//! One binary for every CPU: a kernel is compiled once for each set of vector instructions, and the widest set that the
//! CPU has is chosen when it runs.
//!
//! A [`Kernel`] is portable code with a body that inlines; the compiler vectorises it anew for each level. Levels differ
//! in speed only: the compiler fuses no multiplication with an addition, so a kernel computes the same bits at every
//! level, and short inputs may take whatever path is cheapest. A [`LaneKernel`] is written in vectors by hand, and fuses.
//!
//! The environment variable `AUTOGRAD_LEVEL` chooses a narrower level, for tests and to get the results of another CPU.
#![expect(unsafe_code, reason = "a function compiled for an instruction set may run only where the CPU has it")]

#[cfg(target_arch = "x86_64")]
use super::formula::Pack;
use super::lanes::Lanes;
use crate::number::Number;
use smallvec::SmallVec;
use std::ffi::OsStr;

/// A loop to be compiled for each level.
pub(crate) trait Kernel {
    type Output;
    /// Whether there is a copy for AVX-512. A loop that waits for memory is as fast with AVX2.
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "x86 alone has more than one set"))]
    const WIDEST: bool = true;
    /// Runs the loop. It must be `#[inline(always)]`, and so must what it calls in its inner loop: only what is inlined
    /// into the level's function is compiled for the level.
    fn run(self) -> Self::Output;
}

/// A computation in vectors by hand, to be compiled for each level.
pub(crate) trait LaneKernel<T: Number> {
    /// Runs the computation. It must be `#[inline(always)]`, and so must all that it calls.
    ///
    /// # Safety
    /// The CPU has the instruction set of these lanes.
    unsafe fn run<L: Lanes<T>>(self);
}

/// A computation by a formula, to be compiled for two vectors side by side at each level that has such.
pub(crate) trait PackKernel<T: Number>: Sized {
    /// Runs the computation. It must be `#[inline(always)]`, and so must all that it calls.
    ///
    /// # Safety
    /// The CPU has the instruction set of the pack.
    #[cfg(target_arch = "x86_64")]
    unsafe fn run<P: Pack<T>>(self);
    /// The same in vectors that the compiler makes.
    #[cfg(not(target_arch = "x86_64"))]
    fn run(self);
}

/// A set of vector instructions that this CPU has: that a value exists is the proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Level(Set);

/// The environment variable that names the level to use.
const VARIABLE: &str = "AUTOGRAD_LEVEL";
/// The names of all levels, on any CPU.
const NAMES: [&str; 4] = ["baseline", "avx2", "avx512", "simd128"];

impl Level {
    fn name(self) -> &'static str {
        NAMES[self.0 as usize]
    }

    /// The level that the environment asks for, or else the best of those that there are.
    fn chosen(asked: Option<&OsStr>, available: &[Self]) -> Result<Self, String> {
        let best = *available.last().expect("every CPU has the baseline");
        let Some(asked) = asked.filter(|asked| !asked.is_empty()) else { return Ok(best) };
        if let Some(&level) = available.iter().find(|level| asked == level.name()) {
            return Ok(level);
        }
        let known = NAMES.iter().any(|&name| asked == name);
        let problem = if known { "is an instruction set that this CPU has not" } else { "names no instruction set" };
        let possible: Vec<&str> = available.iter().map(|level| level.name()).collect();
        Err(format!("{VARIABLE}: {} {problem}; possible here: {}", asked.display(), possible.join(", ")))
    }

    /// The level that the environment asks for.
    ///
    /// # Panics
    /// Where it asks for one that there is not.
    #[cold]
    #[inline(never)]
    fn from_environment() -> Self {
        // No list on the heap: a program whose first run asks allocates nothing.
        let available: SmallVec<[Self; NAMES.len()]> = Self::available().collect();
        match Self::chosen(std::env::var_os(VARIABLE).as_deref(), &available) {
            Ok(level) => level,
            Err(problem) => panic!("{problem}"),
        }
    }
}

/// The vector instructions that kernels are computed with: `avx512`, `avx2` or `baseline`, and of WebAssembly `simd128`. They are the best
/// that the CPU has, unless the environment variable `AUTOGRAD_LEVEL` names others, and decide nothing but the time, and the last digits
/// of products of matrices, softmax and cross-entropy, which fuse multiplications with additions where the CPU can.
///
/// ```
/// println!("computed by {}", autograd::instruction_set()?);
/// # Ok::<(), String>(())
/// ```
///
/// # Errors
/// Where the variable names none, or such as this CPU has not, which anything that is computed panics about.
pub fn instruction_set() -> Result<&'static str, String> {
    let available: Vec<Level> = Level::available().collect();
    Level::chosen(std::env::var_os(VARIABLE).as_deref(), &available).map(Level::name)
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Kernel, LaneKernel, Level, PackKernel};
    use crate::number::Number;
    use crate::number::lanes::Portable;
    use std::sync::atomic::{AtomicU8, Ordering};

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) enum Set {
        /// What the target promises; SSE2 by default.
        Baseline,
        Avx2,
        Avx512,
    }

    /// A level below that of the CPU.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum Narrower {
        Baseline,
        Avx2,
    }

    /// The best set, as 1 + its discriminant; 0 until the CPU and the environment were asked.
    static BEST: AtomicU8 = AtomicU8::new(0);

    impl Level {
        /// What every CPU of the target has.
        pub(crate) const BASELINE: Self = Self(Set::Baseline);

        /// The best level of this CPU, or the one that the environment asks for. Asking costs about a nanosecond.
        #[inline]
        pub(crate) fn best() -> Self {
            #[cfg(test)]
            if let Some(level) = super::tests::FORCED.get() {
                return level;
            }
            match BEST.load(Ordering::Relaxed) {
                1 => Self(Set::Baseline),
                2 => Self(Set::Avx2),
                3 => Self(Set::Avx512),
                _ => Self::detect(),
            }
        }

        #[cold]
        #[inline(never)]
        fn detect() -> Self {
            let best = Self::from_environment();
            // Threads that race here store the same value.
            BEST.store(1 + best.0 as u8, Ordering::Relaxed);
            best
        }

        /// Every level of this CPU, from the narrowest to the widest.
        pub(super) fn available() -> impl Iterator<Item = Self> {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            let avx512 = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl");
            let sets = [(Set::Baseline, true), (Set::Avx2, avx2), (Set::Avx512, avx2 && avx512)];
            sets.into_iter().filter(|&(_, has)| has).map(|(set, _)| Self(set))
        }

        /// Whether there are vectors by hand that are worth a kernel of their own.
        pub(crate) fn has_vectors(self) -> bool {
            self.0 != Set::Baseline
        }

        /// The bytes of its vectors.
        pub(crate) fn vector_bytes(self) -> usize {
            match self.0 {
                Set::Baseline => 16,
                Set::Avx2 => 32,
                Set::Avx512 => 64,
            }
        }

        /// This, if the CPU has a wider one.
        pub(crate) fn narrower(self) -> Option<Narrower> {
            if Self::available().last() == Some(self) { None } else { self.as_narrower() }
        }

        /// This, if a CPU can have a wider one.
        pub(crate) fn as_narrower(self) -> Option<Narrower> {
            match self.0 {
                Set::Baseline => Some(Narrower::Baseline),
                Set::Avx2 => Some(Narrower::Avx2),
                Set::Avx512 => None,
            }
        }

        #[inline]
        pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
            match self.0 {
                Set::Baseline => kernel.run(),
                // SAFETY: a level with this set is made by `available` alone, which asked the CPU for AVX2 and FMA, also where
                // it has AVX-512.
                Set::Avx512 if !K::WIDEST => unsafe { avx2(kernel) },
                // SAFETY: as above.
                Set::Avx2 => unsafe { avx2(kernel) },
                // SAFETY: a level with this set is made by `available` alone, which asked the CPU for each feature.
                Set::Avx512 => unsafe { avx512(kernel) },
            }
        }

        #[inline]
        pub(crate) fn run_lanes<T: Number, K: LaneKernel<T>>(self, kernel: K) {
            match self.0 {
                // SAFETY: arrays need no instruction set.
                Set::Baseline => unsafe { kernel.run::<Portable>() },
                Set::Avx2 | Set::Avx512 => self.run_vectors(kernel),
            }
        }

        /// # Panics
        /// At a level that has no vectors.
        #[inline]
        pub(crate) fn run_packs<T: Number, K: PackKernel<T>>(self, kernel: K) {
            match self.0 {
                Set::Baseline => panic!("there are no vectors at the baseline"),
                // SAFETY: a level with this set is made by `available` alone, which asked the CPU for AVX2 and FMA.
                Set::Avx2 => unsafe { avx2_packs(kernel) },
                // SAFETY: a level with this set is made by `available` alone, which asked the CPU for each feature.
                Set::Avx512 => unsafe { avx512_packs(kernel) },
            }
        }

        /// As [`Level::run_lanes`], for a kernel that is not compiled for arrays, which would cost more than all others.
        ///
        /// # Panics
        /// At a level that has no vectors.
        #[inline]
        pub(crate) fn run_vectors<T: Number, K: LaneKernel<T>>(self, kernel: K) {
            match self.0 {
                Set::Baseline => panic!("there are no vectors at the baseline"),
                // SAFETY: a level with this set is made by `available` alone, which asked the CPU for AVX2 and FMA.
                Set::Avx2 => unsafe { avx2_lanes(kernel) },
                // SAFETY: a level with this set is made by `available` alone, which asked the CPU for each feature.
                Set::Avx512 => unsafe { avx512_lanes(kernel) },
            }
        }
    }

    #[target_feature(enable = "avx2,fma")]
    fn avx2<K: Kernel>(kernel: K) -> K::Output {
        kernel.run()
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
    fn avx512<K: Kernel>(kernel: K) -> K::Output {
        kernel.run()
    }

    #[target_feature(enable = "avx2,fma")]
    fn avx2_lanes<T: Number, K: LaneKernel<T>>(kernel: K) {
        // SAFETY: this function may run only where the CPU has these features.
        unsafe { kernel.run::<T::Avx2>() }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
    fn avx512_lanes<T: Number, K: LaneKernel<T>>(kernel: K) {
        // SAFETY: this function may run only where the CPU has these features.
        unsafe { kernel.run::<T::Avx512>() }
    }

    #[target_feature(enable = "avx2,fma")]
    fn avx2_packs<T: Number, K: PackKernel<T>>(kernel: K) {
        // SAFETY: this function may run only where the CPU has these features.
        unsafe { kernel.run::<T::Pack256>() }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
    fn avx512_packs<T: Number, K: PackKernel<T>>(kernel: K) {
        // SAFETY: this function may run only where the CPU has these features.
        unsafe { kernel.run::<T::Pack512>() }
    }
}
#[cfg(target_arch = "x86_64")]
pub(crate) use x86::Narrower;
#[cfg(target_arch = "x86_64")]
use x86::Set;

/// Elsewhere the target's own vectors are used: NEON on every 64-bit ARM, and those of WebAssembly where a program is compiled for
/// them, since there nobody can ask for them while it runs.
#[cfg(not(target_arch = "x86_64"))]
mod own {
    use super::{Kernel, LaneKernel, Level, PackKernel};
    use crate::number::Number;
    use std::sync::OnceLock;

    /// The one set, numbered by its name.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) enum Set {
        Own = if cfg!(all(target_arch = "wasm32", target_feature = "simd128")) { 3 } else { 0 },
    }

    /// The only level, once the environment was asked.
    static BEST: OnceLock<Level> = OnceLock::new();

    impl Level {
        pub(crate) const BASELINE: Self = Self(Set::Own);

        #[inline]
        pub(crate) fn best() -> Self {
            *BEST.get_or_init(Self::from_environment)
        }

        pub(super) fn available() -> impl Iterator<Item = Self> {
            std::iter::once(Self::BASELINE)
        }

        /// The bytes of its vectors.
        pub(crate) fn vector_bytes(self) -> usize {
            let Set::Own = self.0;
            16
        }

        /// The target's own vectors are in all kernels.
        pub(crate) fn has_vectors(self) -> bool {
            let Set::Own = self.0;
            true
        }

        #[inline]
        pub(crate) fn run_vectors<T: Number, K: LaneKernel<T>>(self, kernel: K) {
            self.run_lanes(kernel);
        }

        #[inline]
        pub(crate) fn run_packs<T: Number, K: PackKernel<T>>(self, kernel: K) {
            let Set::Own = self.0;
            kernel.run();
        }

        #[inline]
        pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
            let Set::Own = self.0;
            kernel.run()
        }

        #[inline]
        pub(crate) fn run_lanes<T: Number, K: LaneKernel<T>>(self, kernel: K) {
            let Set::Own = self.0;
            // SAFETY: the target promises its own vectors.
            unsafe { kernel.run::<T::Own>() }
        }
    }
}
#[cfg(not(target_arch = "x86_64"))]
use own::Set;

#[cfg(test)]
pub(crate) mod tests {
    use super::{Kernel, Level};
    use std::cell::Cell;

    thread_local! {
        /// What this thread takes for the best level.
        pub(super) static FORCED: Cell<Option<Level>> = const { Cell::new(None) };
    }

    /// Runs `f` once for each level of this CPU, as if that were the best.
    pub(crate) fn at_every_level(mut f: impl FnMut(Level)) {
        for level in Level::available() {
            FORCED.set(Some(level));
            f(level);
        }
        FORCED.set(None);
    }

    #[test]
    fn the_environment_chooses_a_level_that_the_cpu_has_or_gets_a_clear_message() {
        let chosen = |asked: Option<&str>| Level::chosen(asked.map(AsRef::as_ref), &[Level::BASELINE]);
        for asked in [None, Some(""), Some("baseline")] {
            assert_eq!(chosen(asked), Ok(Level::BASELINE));
        }
        let message = chosen(Some("avx512")).unwrap_err();
        assert_eq!(
            message,
            "AUTOGRAD_LEVEL: avx512 is an instruction set that this CPU has not; possible here: baseline"
        );
        let message = chosen(Some("sse9")).unwrap_err();
        assert_eq!(message, "AUTOGRAD_LEVEL: sse9 names no instruction set; possible here: baseline");
        let all: Vec<Level> = Level::available().collect();
        for level in &all {
            assert_eq!(Level::chosen(Some(level.name().as_ref()), &all), Ok(*level));
        }
    }

    #[test]
    fn every_level_runs_a_kernel() {
        struct Sum<'a>(&'a [f32]);
        impl Kernel for Sum<'_> {
            type Output = f32;
            #[inline(always)]
            fn run(self) -> f32 {
                self.0.iter().sum()
            }
        }
        at_every_level(|level| assert_eq!(Level::best(), level));
        for level in Level::available() {
            assert_eq!(level.run(Sum(&[1.0, 2.0, 4.0])), 7.0);
        }
    }
}
