//! A bar for who looks on at a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;

/// Of how many steps a bar is.
const STEPS: u64 = 1000;

/// A bar on standard error, ten times a second at most; nothing where that is no terminal.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    pub(crate) fn new() -> Self {
        let seen = std::io::stderr().is_terminal();
        let target = if seen { ProgressDrawTarget::stderr_with_hz(10) } else { ProgressDrawTarget::hidden() };
        let style = ProgressStyle::with_template("{bar:30} {percent:>3} % {msg}").expect("the template is well-formed");
        Self(ProgressBar::with_draw_target(Some(STEPS), target).with_style(style))
    }

    pub(crate) fn at(&self, share: f64, told: impl Into<std::borrow::Cow<'static, str>>) {
        self.0.set_position((share * STEPS as f64) as u64);
        self.0.set_message(told);
    }

    pub(crate) fn end(&self) {
        self.0.finish_and_clear();
    }
}
