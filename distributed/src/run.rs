//! The start and the end of a program of several ranks.

use crate::ranks::{Ranks, State};
use std::any::Any;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

/// Starts MPI, calls a function with the ranks that `mpirun` has started (one, where nobody has), and ends MPI. If the function ends with an
/// error or a panic on any rank, the first rank prints it behind `error: `, and all ranks end with a status that is not 0.
///
/// It is to be called from the main thread, once.
///
/// ```no_run
/// use nn_mpi::{Error, Ranks};
/// fn main() -> std::process::ExitCode {
///     nn_mpi::run(|ranks: &Ranks| -> Result<(), Error> {
///         println!("rank {} of {}", ranks.rank(), ranks.size());
///         Ok(())
///     })
/// }
/// ```
pub fn run<E: Display>(function: impl FnOnce(&Ranks) -> Result<(), E>) -> ExitCode {
    let Some((universe, _)) = mpi::initialize_with_threading(mpi::Threading::Funneled) else {
        eprintln!("error: MPI was started before in this program");
        return ExitCode::FAILURE;
    };
    let ranks = Ranks::new(universe.world());
    // A panic must not reach the end of MPI, which waits for the other ranks.
    let (state, message) = match catch_unwind(AssertUnwindSafe(|| function(&ranks))) {
        Ok(Ok(())) => (State::Well, String::new()),
        Ok(Err(error)) => (State::Failed, error.to_string()),
        Err(panic) => (State::Panicked, text_of(&*panic)),
    };
    let Some(wrong) = ranks.finish(state, &message) else { return ExitCode::SUCCESS };
    if ranks.is_first() {
        eprintln!("error: {wrong}");
    }
    ExitCode::FAILURE
}

/// What a panic says.
fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".to_owned())
}
