//! The processes that train together, and how they meet.
//!
//! All that ranks tell each other is told in *meetings*. At each, every rank sends every other a short header: why it has come, whether it is
//! well, and facts that must be the same on all. Only when all headers are there and agree, the numbers follow. So a rank that has failed, or
//! does something else, is noticed by all at the same meeting, all come to the same verdict, and none waits for numbers that will not come.

use crate::error::{Error, Kind, named};
use mpi::request::{Request, Scope};
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, Destination, Equivalence, Source};
use nn::file::Checkpoint;
use std::cell::{Cell, RefCell};
use std::io::ErrorKind;
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

/// The processes that train together; this one is one of them.
///
/// What is called on it, or on a [`Learner`](crate::Learner), is called on all ranks, in the same order.
pub struct Ranks {
    world: SimpleCommunicator,
    rank: usize,
    size: usize,
    patience: Cell<Duration>,
    /// Whether this rank is in a meeting, where others wait for what it has promised.
    meeting: Cell<bool>,
    /// Why there will be no more meetings.
    over: RefCell<Option<Error>>,
}

/// Why a rank comes to a meeting.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Step = 1,
    Measure,
    Save,
    Load,
    Finish,
}

/// How a rank is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Well = 0,
    Failed,
    Panicked,
}

/// What must be the same on all ranks: its name, and a number that tells it.
pub(crate) type Fact = (&'static str, u64);

/// How many facts a header has room for.
const FACTS: usize = 5;
/// Purpose, state, length of what follows, and the facts.
const HEADER: usize = 3 + FACTS;
/// The length of a file that is not there.
const ABSENT: u64 = u64::MAX;

impl Ranks {
    pub(crate) fn new(world: SimpleCommunicator) -> Self {
        Self {
            rank: world.rank() as usize,
            size: world.size() as usize,
            world,
            patience: Cell::new(Duration::from_mins(1)),
            meeting: Cell::new(false),
            over: RefCell::new(None),
        }
    }

    /// The number of this one, from 0.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// How many there are.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Whether this is the one that prints and writes files.
    pub fn is_first(&self) -> bool {
        self.rank == 0
    }

    /// How long this rank waits for another one that does not answer, before it ends the run: 60 seconds, if nothing is said. It must be
    /// longer than a rank may be busy without the others, reading data or recording a large net.
    pub fn set_patience(&self, patience: Duration) {
        self.patience.set(patience);
    }

    /// Saves a checkpoint: the first rank writes the file, and all learn whether it could.
    ///
    /// # Errors
    /// Where it cannot be written, or another rank has failed.
    pub fn save(&self, checkpoint: &Checkpoint, path: impl AsRef<Path>) -> Result<(), Error> {
        let saved = if self.is_first() { checkpoint.save(path) } else { Ok(()) };
        self.meet(Purpose::Save, &[], &saved.map_err(|error| error.to_string()))
    }

    /// Loads a checkpoint: the first rank reads the file, and all get what it says; `None` where there is no such file.
    ///
    /// # Errors
    /// Where it is there and cannot be read, is damaged, or is no checkpoint; where another rank has failed.
    pub fn load(&self, path: impl AsRef<Path>) -> Result<Option<Checkpoint>, Error> {
        let path = path.as_ref();
        let file = path.display().to_string();
        let read = match self.is_first().then(|| std::fs::read(path)) {
            None => Ok(None),
            Some(Ok(bytes)) => Ok(Some(bytes)),
            Some(Err(error)) if error.kind() == ErrorKind::NotFound => Ok(None),
            Some(Err(error)) => Err(format!("{file}: cannot be read: {error}")),
        };
        let bytes = read.as_ref().ok().and_then(Option::as_ref);
        let length = bytes.map_or(ABSENT, |bytes| bytes.len() as u64);
        let lengths = self.meet_with(Purpose::Load, &[], &read.as_ref().map(|_| length).map_err(Clone::clone))?;
        if lengths[0] == ABSENT {
            return Ok(None);
        }
        let bytes = self.sent_by(0, bytes.map_or(&[], Vec::as_slice), lengths[0] as usize);
        Ok(Some(Checkpoint::parse(&file, &bytes)?))
    }

    /// The meeting at which a rank says that it has ended its work, well or not; the message where not all have ended well.
    pub(crate) fn finish(&self, state: State, message: &str) -> Option<String> {
        let own = (state != State::Well).then(|| message.to_owned());
        if self.meeting.get() {
            self.abort(message);
        }
        if let Some(error) = &*self.over.borrow() {
            return own.or_else(|| Some(error.to_string()));
        }
        let header = header(Purpose::Finish, state, message.len() as u64, &[]);
        match self.meet_as(header, message, &[]) {
            Ok(_) => None,
            // What all have met is told as the first of them tells it.
            Err(error) if error.ranks.len() == self.size && state == State::Failed => own,
            Err(error) => Some(error.to_string()),
        }
    }

    /// A meeting of ranks that have nothing to give each other but how they are.
    pub(crate) fn meet(&self, purpose: Purpose, facts: &[Fact], state: &Result<(), String>) -> Result<(), Error> {
        self.meet_with(purpose, facts, &state.as_ref().map(|()| 0).map_err(Clone::clone)).map(|_| ())
    }

    /// A meeting of ranks that then give each other so many numbers; how many each has.
    pub(crate) fn meet_with(
        &self,
        purpose: Purpose,
        facts: &[Fact],
        state: &Result<u64, String>,
    ) -> Result<Vec<u64>, Error> {
        match state {
            Ok(length) => self.meet_as(header(purpose, State::Well, *length, facts), "", facts),
            Err(text) => self.meet_as(header(purpose, State::Failed, text.len() as u64, facts), text, facts),
        }
    }

    fn meet_as(&self, own: [u64; HEADER], message: &str, facts: &[Fact]) -> Result<Vec<u64>, Error> {
        if let Some(error) = &*self.over.borrow() {
            return Err(error.again());
        }
        let mut all = vec![0; HEADER * self.size];
        all[HEADER * self.rank..][..HEADER].copy_from_slice(&own);
        self.gather(&mut all, |rank| HEADER * rank..HEADER * (rank + 1));
        let headers: Vec<&[u64]> = all.chunks(HEADER).collect();
        let result = self.verdict(&headers, message, facts);
        if let Err(error) = &result
            && headers.iter().any(|header| header[0] == Purpose::Finish as u64)
        {
            *self.over.borrow_mut() = Some(error.again());
        }
        result
    }

    /// What all ranks conclude from the headers of all.
    fn verdict(&self, headers: &[&[u64]], message: &str, facts: &[Fact]) -> Result<Vec<u64>, Error> {
        let those = |which: &dyn Fn(&[u64]) -> bool| -> Vec<usize> {
            (0..headers.len()).filter(|&rank| which(headers[rank])).collect()
        };
        let unwell = those(&|header| header[1] != State::Well as u64);
        if let Some(&first) = unwell.first() {
            let text = self.sent_by(first, message.as_bytes(), headers[first][2] as usize);
            let text = String::from_utf8_lossy(&text).into_owned();
            let panicked = headers[first][1] == State::Panicked as u64;
            let kind = if panicked { Kind::Panicked(text) } else { Kind::Failed(text) };
            let alike = those(&|header| header[1] == headers[first][1]);
            return Err(Error { ranks: alike, kind });
        }
        let finished = those(&|header| header[0] == Purpose::Finish as u64);
        if !finished.is_empty() && finished.len() < headers.len() {
            return Err(Error { ranks: finished, kind: Kind::Finished });
        }
        let parted = |ranks, what| Err(Error { ranks, kind: Kind::Parted { what } });
        let others = those(&|header| header[0] != headers[0][0]);
        if !others.is_empty() {
            return parted(others, "thing to do (a step, a measurement, a checkpoint)");
        }
        for (place, (what, _)) in facts.iter().enumerate() {
            let others = those(&|header| header[3 + place] != headers[0][3 + place]);
            if !others.is_empty() {
                return parted(others, what);
            }
        }
        Ok(headers.iter().map(|header| header[2]).collect())
    }

    /// What one rank sends to all.
    fn sent_by(&self, sender: usize, bytes: &[u8], length: usize) -> Vec<u8> {
        let mut all = vec![0; length];
        if self.rank == sender {
            all.copy_from_slice(bytes);
        }
        let start = |rank: usize| if rank > sender { length } else { 0 };
        self.gather(&mut all, |rank| start(rank)..start(rank + 1));
        all
    }

    /// Fills a list of which each rank has a part, one behind the other in the order of ranks, with the parts of all.
    pub(crate) fn gather<N: Equivalence>(&self, all: &mut [N], part: impl Fn(usize) -> Range<usize>) {
        self.meeting.set(true);
        let own = part(self.rank);
        let (mut before, rest) = all.split_at_mut(own.start);
        let (own, mut after) = rest.split_at_mut(own.len());
        let own = &*own;
        mpi::request::scope(|scope| {
            let mut waiting = Vec::with_capacity(2 * self.size);
            for other in (0..self.size).filter(|&other| other != self.rank) {
                let rest = if other < self.rank { &mut before } else { &mut after };
                let (theirs, others) = std::mem::take(rest).split_at_mut(part(other).len());
                *rest = others;
                let process = self.world.process_at_rank(other as i32);
                if !theirs.is_empty() {
                    waiting.push((other, process.immediate_receive_into(scope, theirs)));
                }
                if !own.is_empty() {
                    waiting.push((other, process.immediate_send(scope, own)));
                }
            }
            self.wait(waiting);
        });
        self.meeting.set(false);
    }

    /// Waits until all is sent and received, or patience ends.
    fn wait<'a, N: ?Sized, S: Scope<'a>>(&self, mut waiting: Vec<(usize, Request<'a, N, S>)>) {
        let (started, mut turns) = (Instant::now(), 0_u32);
        let mut left = Vec::with_capacity(waiting.len());
        loop {
            while let Some((other, request)) = waiting.pop() {
                if let Err(request) = request.test() {
                    left.push((other, request));
                }
            }
            if left.is_empty() {
                return;
            }
            std::mem::swap(&mut waiting, &mut left);
            turns = turns.saturating_add(1);
            if turns < 100 {
                continue;
            }
            // Others may need this processor to get done.
            std::thread::yield_now();
            let waited = started.elapsed();
            if waited > self.patience.get() {
                let mut silent: Vec<usize> = waiting.iter().map(|(other, _)| *other).collect();
                silent.sort_unstable();
                silent.dedup();
                let seconds = waited.as_secs_f64();
                self.abort(&format!("{} gave no answer for {seconds:.0} seconds: the run is ended", named(&silent)));
            }
            if waited > Duration::from_millis(5) {
                std::thread::sleep(Duration::from_micros(50));
            }
        }
    }

    /// Ends all ranks at once, where they cannot be told otherwise.
    fn abort(&self, message: &str) -> ! {
        eprintln!("error: rank {}: {message}", self.rank);
        self.world.abort(1)
    }
}

fn header(purpose: Purpose, state: State, length: u64, facts: &[Fact]) -> [u64; HEADER] {
    let mut header = [0; HEADER];
    (header[0], header[1], header[2]) = (purpose as u64, state as u64, length);
    header[3..].iter_mut().zip(facts).for_each(|(place, (_, fact))| *place = *fact);
    header
}
