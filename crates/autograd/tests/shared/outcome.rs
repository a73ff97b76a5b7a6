//! What became of a call: a value, or a panic with its text and its place.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    Value(String),
    Panic { text: String, file: String, line: u32 },
}

thread_local! {
    static WATCHES: Cell<bool> = const { Cell::new(false) };
    static PANICKED: RefCell<Option<Outcome>> = const { RefCell::new(None) };
}

/// Notes panics of watching threads instead of printing them.
fn install() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |info| {
            if !WATCHES.get() {
                return usual(info);
            }
            let text = info.payload_as_str().unwrap_or("a payload without text").to_owned();
            let (file, line) = info.location().map_or_else(Default::default, |l| (l.file().to_owned(), l.line()));
            PANICKED.set(Some(Outcome::Panic { text, file, line }));
        }));
    });
}

/// What becomes of a call.
pub(crate) fn outcome(call: impl FnOnce() -> String) -> Outcome {
    install();
    WATCHES.set(true);
    let result = catch_unwind(AssertUnwindSafe(call));
    WATCHES.set(false);
    match result {
        Ok(value) => Outcome::Value(value),
        Err(_) => PANICKED.take().expect("the hook noted the panic"),
    }
}

impl Outcome {
    /// The operation, if this is an error by name, `operation: reason, at FILE:LINE:COLUMN`, that a line of this file raised
    /// and that names a line of it.
    #[allow(dead_code, reason = "not every test asks for it")]
    pub(crate) fn error_of(&self) -> Option<&str> {
        let Self::Panic { text, file, .. } = self else { return None };
        text.contains(&format!(", at {file}:")).then(|| text.split(':').next().unwrap_or_default())
    }
}
