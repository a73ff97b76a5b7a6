//! Random choices of the tests that build random programs.

/// The seeds to try: as many as this unless `AUTOGRAD_FUZZ_CASES` says how many, from `AUTOGRAD_FUZZ_SEED` or 0 on.
#[allow(dead_code, reason = "not every test that makes random choices has seeds")]
pub(crate) fn seeds(cases: u64) -> std::ops::Range<u64> {
    let setting = |name: &str, default: u64| {
        let parse = |text: String| text.parse().unwrap_or_else(|_| panic!("{name} = {text} is no number"));
        std::env::var(name).map_or(default, parse)
    };
    let first = setting("AUTOGRAD_FUZZ_SEED", 0);
    first..first + setting("AUTOGRAD_FUZZ_CASES", cases)
}

/// Knuth's MMIX generator: reproducible, and good enough to choose.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    /// Whether the one case of `n` has come.
    #[allow(dead_code, reason = "not every test asks for it")]
    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}
