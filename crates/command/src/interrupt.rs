//! What Ctrl-C does: once, and twice.

use crate::output::say;
use crate::{Failure, run_folder};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often it was pressed.
static PRESSED: AtomicU32 = AtomicU32::new(0);
/// Whether it was.
static ASKED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);
/// Whether there is something to be saved before the end.
static GENTLE: AtomicBool = AtomicBool::new(false);
/// Held while something is written that is not to be cut.
static HELD: Mutex<()> = Mutex::new(());

/// What becomes of what is written at the moment is waited for so long.
const PATIENCE: Duration = Duration::from_secs(1);

/// From now on an interruption is heard, and files that become too large are an error, not the end.
pub(crate) fn watch() {
    // Where another handler stands already, as in a test, that one is kept.
    let _ = ctrlc::set_handler(|| {
        let first = PRESSED.fetch_add(1, Ordering::SeqCst) == 0;
        ASKED.store(true, Ordering::SeqCst);
        if first && GENTLE.load(Ordering::SeqCst) {
            say("\nnote: interrupted: the step is finished and what is learnt is saved; once more stops at once");
            return;
        }
        let start = Instant::now();
        let held = loop {
            match HELD.try_lock() {
                Ok(held) => break Some(held),
                Err(_) if start.elapsed() > PATIENCE => break None,
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        run_folder::abandon();
        Failure::interrupted("interrupted", "nothing is left half written; run it again").tell();
        drop(held);
        std::process::exit(130);
    });
    #[cfg(unix)]
    {
        // Writing gives an error where this signal has a handler, and ends the process where not.
        let ignored = Arc::new(AtomicBool::new(false));
        let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, ignored);
    }
}

/// From now on the first interruption asks for an end, which [`asked`] tells.
pub(crate) fn gently() {
    GENTLE.store(true, Ordering::SeqCst);
}

/// Whether an end was asked for.
pub(crate) fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}

/// The same, for who wants to ask it on other threads.
pub(crate) fn flag() -> Arc<AtomicBool> {
    Arc::clone(&ASKED)
}

/// While this lives an interruption waits, for a moment.
pub(crate) fn hold() -> MutexGuard<'static, ()> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}
