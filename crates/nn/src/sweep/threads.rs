//! Runs on several threads.

use super::run::Stop;
use crate::error::{Error, Kind};
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
    let next = AtomicUsize::new(0);
    let worker = |sender: mpsc::Sender<(usize, D)>| {
        while !stop.is_asked() {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(done) = jobs.get(place).and_then(&work) else { break };
            if sender.send((place, done)).is_err() {
                break;
            }
        }
    };
    let worker = &worker;
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for number in 0..threads.min(jobs.len()) {
            let sender = sender.clone();
            let named = thread::Builder::new().name(format!("sweep {}", number + 1)).stack_size(STACK);
            let started = named.spawn_scoped(scope, move || worker(sender));
            match started {
                Ok(_) => (),
                // Fewer threads come to the same result.
                Err(_) if number > 0 => break,
                Err(error) => return Err(Error::of(Kind::Data(format!("no thread can be started: {error}")))),
            }
        }
        drop(sender);
        // Where this ends early, the others cannot send any more.
        receiver.into_iter().try_for_each(|(place, done)| take(&jobs[place], done))
    })
}
