//! What the instruction set that the kernels run at decides, for tests of plans.

/// Whether a net of one hidden layer is one step of a program: at the baseline of x86-64 the single operations are as fast.
pub(crate) fn has_net_step() -> bool {
    #[cfg(target_arch = "x86_64")]
    let wide = std::is_x86_feature_detected!("avx2")
        && std::is_x86_feature_detected!("fma")
        && std::env::var_os("AUTOGRAD_LEVEL").is_none_or(|level| level != "baseline");
    #[cfg(not(target_arch = "x86_64"))]
    let wide = true;
    wide
}
