//! Runs on several threads.

use super::run::Stop;
use crate::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

/// As much as the main thread of a program usually has, since a run may be one that worked there.
const STACK: usize = 8 << 20;

/// Does jobs on several threads, each taking the next that is left, and takes in what came of them, on this thread, as they are
/// finished. It ends early where it is asked to stop, a job gives nothing, or what came of one cannot be taken in.
pub(super) fn each<J: Sync, D: Send>(
    jobs: &[J],
    threads: usize,
    stop: Stop<'_>,
    work: impl Fn(&J) -> Option<D> + Sync,
    mut take: impl FnMut(&J, D) -> Result<(), Error>,
) -> Result<(), Error> {
    let threads = threads.min(jobs.len());
    let next = AtomicUsize::new(0);
    let take_next = || {
        let place = next.fetch_add(1, Ordering::Relaxed);
        let job = jobs.get(place).filter(|_| !stop.is_asked())?;
        Some((job, work(job)?))
    };
    let take_next = &take_next;
    let started = thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        // One thread alone is this one.
        let others = if threads > 1 { threads } else { 0 };
        for number in 1..=others {
            let sender = sender.clone();
            let send_all = move || while take_next().is_some_and(|done| sender.send(done).is_ok()) {};
            let named = thread::Builder::new().name(format!("sweep {number}")).stack_size(STACK);
            if named.spawn_scoped(scope, send_all).is_err() {
                break;
            }
        }
        drop(sender);
        // Where this ends early, the others cannot send any more.
        receiver.into_iter().try_for_each(|(job, done)| take(job, done))
    });
    // What no thread could be started for is done here.
    started?;
    while let Some((job, done)) = take_next() {
        take(job, done)?;
    }
    Ok(())
}
