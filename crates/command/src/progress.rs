//! Who is told how far a training is: a bar at a terminal, a page, a folder for TensorBoard.

use crate::report::Page;
use crate::tensorboard::{Board, Part};
use autograd::Tensor;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use nn::train::{History, Trying};
use nn::{Fitted, Mlp};
use std::cell::RefCell;
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

/// All who look on at a training.
pub(crate) struct Onlookers<'a> {
    bar: Bar,
    page: RefCell<Option<Page<'a>>>,
    board: RefCell<Option<Board>>,
}

impl<'a> Onlookers<'a> {
    pub(crate) fn new(page: Option<Page<'a>>, board: Option<Board>) -> Self {
        Self { bar: Bar::new(), page: RefCell::new(page), board: RefCell::new(board) }
    }

    /// How far it is, and the same in words.
    pub(crate) fn at(&self, now: Trying<'_>, said: String) {
        if let Some(page) = &mut *self.page.borrow_mut() {
            page.at(now, &said);
        }
        if let Some(board) = &mut *self.board.borrow_mut() {
            board.told(now.trial, now.tried, now.history);
        }
        self.bar.at(now.progress.share, said);
    }

    /// A part of the training begins.
    pub(crate) fn begins(&self, part: Part) {
        if let Some(board) = &mut *self.board.borrow_mut() {
            board.part = part;
        }
    }

    /// What came of the part under way.
    pub(crate) fn told(&self, fitted: &Fitted, history: &History) {
        if let Some(board) = &mut *self.board.borrow_mut() {
            board.told(&fitted.best, &fitted.tried, history);
        }
    }

    /// It is over, with this net.
    pub(crate) fn end(&self, net: Option<&Mlp<Tensor>>) {
        self.bar.end();
        if let (Some(board), Some(net)) = (self.board.take(), net) {
            board.end(net);
        }
    }
}
