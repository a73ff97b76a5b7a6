//! Steps that repeat others: what a tape was asked for again and again is computed by a program, one for each structure and
//! question.
//!
//! Whether a step repeats a structure is found node by node, as it is recorded (see [`Nodes`](crate::tape::list::Nodes)). Here is
//! decided how its values are computed, and all that decides it: how often they were asked for, how large they are, and
//! whether leaves went into a program already.

use super::on_tape::OnTape;
use super::running::Running;
use crate::diff::reverse::{Cotangents, swept};
use crate::float::{Engine, Float};
use crate::kernels::chain::TileOp;
use crate::ops::table::Kind;
use crate::ops::with_slope::Pair;
use crate::scan::body::Body;
use crate::scan::op::Spec;
use crate::tape::Tape;
use crate::tape::nodes::Origin;
use crate::tape::op::{Arity, DynOp, View};
use crate::tape::values::State;
use crate::tape::var::Var;
use crate::tensor::error::Error;
use crate::tensor::memory::OutOfMemory;
use smallvec::SmallVec;
use std::sync::Arc;

/// More nodes than these are not made a program of: that would take seconds at once.
const MOST_NODES: usize = 1 << 19;
/// How many times the same values of a short tape are asked for before a program is made for them.
const PATIENCE: usize = 2;
/// A program that ran so often was worth making: to make one costs as much as some ten steps of a small net.
const WORTH: usize = 64;
/// How many questions are remembered.
const MOST_ASKED: usize = 16;

/// What is remembered of the questions.
pub struct Memory<T: Float> {
    asked: Vec<Asked<T>>,
    /// The question whose program the leaves of this step went into.
    into: usize,
    /// Those leaves: their values are there and nowhere else.
    ahead: Vec<u32>,
    /// Whether nothing was computed yet in this step.
    open: bool,
    /// How many times values of a short tape are asked for before a program is made.
    patience: usize,
    /// How many questions there were.
    questions: u64,
    /// How many of them a program has answered.
    replays: u64,
}

impl<T: Float> Default for Memory<T> {
    fn default() -> Self {
        Self { asked: Vec::new(), into: 0, ahead: Vec::new(), open: true, patience: PATIENCE, questions: 0, replays: 0 }
    }
}

/// Values that were asked for together, as the first of a step: in which structure, and how many nodes there were then.
struct Asked<T: Float> {
    structure: u64,
    len: usize,
    roots: SmallVec<[u32; 16]>,
    times: usize,
    /// The number of the question that was the last of these.
    last: u64,
    way: Way<T>,
}

/// How they are computed.
enum Way<T: Float> {
    /// A program is made when they have been asked for often enough.
    Unmade,
    Program(Box<OnTape<T>>),
    /// A program would be too long, or need too much memory for itself.
    Usual,
}

impl<T: Float> Asked<T> {
    fn program(&mut self) -> Option<&mut OnTape<T>> {
        if let Way::Program(program) = &mut self.way { Some(program) } else { None }
    }
}

impl<T: Float> Memory<T> {
    /// Forgets the leaves of a step that ends, and the questions about structures that are no longer known.
    fn clear(&mut self, knows: Option<impl Fn(u64) -> bool>) {
        self.ahead.clear();
        self.open = true;
        let Some(knows) = knows else { return };
        let gone = |asked: &Asked<T>| !knows(asked.structure);
        while let Some(place) = self.asked.iter().position(gone) {
            self.forget(place);
        }
    }

    /// Forgets a question. A program that was not worth making makes the next one wait longer.
    fn forget(&mut self, place: usize) {
        let Asked { times, way, .. } = self.asked.swap_remove(place);
        if times >= WORTH {
            self.patience = PATIENCE;
        } else if !matches!(way, Way::Unmade) {
            self.patience = self.patience.saturating_mul(4);
        }
    }

    /// Counts a question, and tells its place and whether a program is due for it.
    fn ask(&mut self, structure: u64, len: usize, roots: &[u32]) -> (usize, bool) {
        self.questions += 1;
        let same = |asked: &Asked<T>| asked.structure == structure && asked.len == len && asked.roots[..] == *roots;
        let near = Some(self.into).filter(|&into| self.asked.get(into).is_some_and(same));
        let Some(place) = near.or_else(|| self.asked.iter().position(same)) else {
            if self.asked.len() == MOST_ASKED {
                let oldest =
                    (0..MOST_ASKED).filter(|&place| place != self.into).min_by_key(|&place| self.asked[place].last);
                let oldest = oldest.expect("there are several");
                self.forget(oldest);
                if self.into == self.asked.len() {
                    self.into = oldest; // where the last has moved to
                }
            }
            let (roots, last) = (roots.into(), self.questions);
            self.asked.push(Asked { structure, len, roots, times: 1, last, way: Way::Unmade });
            return (self.asked.len() - 1, false);
        };
        let asked = &mut self.asked[place];
        asked.times += 1;
        asked.last = self.questions;
        // To make a program takes as long as some tens of steps. That is soon over for a short one; of a longer one it is
        // better known that it goes on.
        let patience = self.patience.saturating_mul((len.max(1).ilog2() as usize).saturating_sub(6).max(1));
        (place, matches!(asked.way, Way::Unmade) && asked.times >= patience)
    }

    /// Notes a question, and tells its place and whether it is time to make a program for it. Leaves that went into the
    /// program of another get their values on the tape.
    fn turn_to(&mut self, tape: &Tape<T>, structure: u64, roots: &[u32]) -> Result<(usize, bool), Error> {
        let (place, is_due) = self.ask(structure, tape.len(), roots);
        if place != self.into {
            self.settle(tape)?;
            self.into = place;
        }
        if is_due {
            self.asked[place].way = Way::Usual;
        }
        Ok((place, is_due))
    }

    /// The question whose program takes the leaves of a step that repeats this structure: the one that was asked last.
    #[inline]
    fn expected(&mut self, structure: u64) -> Option<&mut OnTape<T>> {
        if self.asked.get(self.into).is_none_or(|asked| asked.structure != structure) && !self.turn_ahead(structure) {
            return None;
        }
        self.asked.get_mut(self.into)?.program()
    }

    /// Turns to the question that was asked last of a structure, if there is one and no leaf has gone ahead.
    #[cold]
    fn turn_ahead(&mut self, structure: u64) -> bool {
        let about = |&place: &usize| self.asked[place].structure == structure;
        let last = (0..self.asked.len()).filter(about).max_by_key(|&place| self.asked[place].last);
        self.into = last.filter(|_| self.ahead.is_empty()).unwrap_or(self.into);
        last.is_some() && self.ahead.is_empty()
    }

    /// Values are computed on the tape now: leaves get theirs there, those that come later too.
    fn close(&mut self, tape: &Tape<T>) -> Result<(), Error> {
        self.open = false;
        self.settle(tape)
    }

    /// Gives leaves the values that went ahead, since they are needed on the tape after all.
    fn settle(&mut self, tape: &Tape<T>) -> Result<(), Error> {
        if self.ahead.is_empty() { Ok(()) } else { self.settle_into(tape, &mut tape.state.borrow_mut()) }
    }

    fn settle_into(&mut self, tape: &Tape<T>, state: &mut State<T>) -> Result<(), Error> {
        while let Some(&leaf) = self.ahead.last() {
            let program = self.asked[self.into].program().expect("values go ahead into programs");
            state.fill(leaf, program.taken(leaf)).map_err(|memory| tape.nodes.lacks(leaf, memory))?;
            self.ahead.pop();
        }
        Ok(())
    }
}

/// Computes roots by the program of a step that repeats others, if there is one.
fn replay<T: Float<Memory = Memory<T>>>(tape: &Tape<T>, roots: &[u32]) -> Result<bool, Error> {
    let Some(structure) = tape.nodes.structure() else { return Ok(false) };
    if roots.is_empty() || tape.watch_kinks.get() || !tape.state.borrow().is_fresh() {
        return Ok(false);
    }
    let (place, is_due) = tape.memory.borrow_mut().turn_to(tape, structure, roots)?;
    if is_due {
        // Making a program asks the tape, so nothing of it is borrowed meanwhile.
        let made = way(tape, roots);
        let memory = &mut *tape.memory.borrow_mut();
        if let Way::Program(program) = &made {
            memory.ahead.reserve(program.leaves());
        }
        memory.asked[place].way = made;
    }
    let memory = &mut *tape.memory.borrow_mut();
    let Some(program) = memory.asked[place].program() else { return Ok(false) };
    let state = &mut *tape.state.borrow_mut();
    program.compute(tape, state)?;
    let some_are_leaves = program.outputs().len() < roots.len();
    memory.replays += 1;
    memory.open = false;
    if some_are_leaves {
        memory.settle_into(tape, state)?;
    }
    Ok(true)
}

/// How values that are asked for again and again are best computed.
fn way<T: Float>(tape: &Tape<T>, roots: &[u32]) -> Way<T> {
    if tape.len() > MOST_NODES {
        return Way::Usual;
    }
    OnTape::new(tape, roots).map_or(Way::Usual, |program| Way::Program(Box::new(program)))
}

macro_rules! engine {
    ($t:ident) => {
        #[expect(private_interfaces, reason = "nobody outside can name what is in here")]
        impl Engine for $t {
            type Memory = Memory<Self>;
            type Running = Running<Self>;

            fn op(kind: &Kind<Self>) -> Option<&dyn DynOp<Self>> {
                kind.operation()
            }
            #[allow(clippy::wildcard_enum_match_arm, reason = "a few of a large table")]
            fn tile_op(kind: &Kind<Self>) -> Option<Arc<dyn TileOp<Self>>> {
                match kind {
                    Kind::Unary(Arity(op)) => Some(Arc::new(*op)),
                    Kind::Binary(Arity(op)) => Some(Arc::new(*op)),
                    Kind::Select(Arity(op)) => Some(Arc::new(*op)),
                    _ => None,
                }
            }
            fn pair(pair: Pair) -> Arc<dyn TileOp<Self>> {
                Arc::new(pair)
            }
            fn append<'t>(
                tape: &'t Tape<Self>,
                name: Option<&str>,
                kind: Kind<Self>,
                args: &[Var<'t, Self>],
                origin: Origin,
            ) -> Result<Var<'t, Self>, Error> {
                tape.append(name, kind, args, origin)
            }
            fn reverse<'t>(
                tape: &'t Tape<Self>,
                results: &[(Var<'t, Self>, Var<'t, Self>)],
                inputs: &[u32],
            ) -> Result<Cotangents<'t, Self>, Error> {
                swept(tape, results, inputs)
            }
            #[track_caller]
            fn compute(tape: &Tape<Self>, roots: &[u32], keep: bool) {
                tape.compute_by(roots, || {
                    if !keep && replay(tape, roots)? {
                        return Ok(None);
                    }
                    tape.memory.borrow_mut().close(tape)?;
                    tape.compute_nodes(roots, keep)
                });
            }
            #[track_caller]
            fn ask(tape: &Tape<Self>, roots: &[u32], stranger: Option<Var<'_, Self>>, keep: bool) {
                tape.asked(roots, stranger, keep);
            }
            fn take_leaf(tape: &Tape<Self>, leaf: u32, value: &[Self]) -> bool {
                let Some(structure) = tape.nodes.structure() else { return false };
                let memory = &mut *tape.memory.borrow_mut();
                if !memory.open {
                    return false;
                }
                let accepted = memory.expected(structure).is_some_and(|program| program.accept(leaf, value));
                if accepted {
                    memory.ahead.push(leaf);
                }
                accepted
            }
            fn cleared(tape: &mut Tape<Self>, forgot: bool) {
                let nodes = &tape.nodes;
                tape.memory.get_mut().clear(forgot.then_some(|structure| nodes.knows(structure)));
            }
            fn prepare(body: &Body<Self>) -> Result<Running<Self>, OutOfMemory> {
                Running::new(body)
            }
            fn run_loop(
                running: &mut Running<Self>,
                spec: &Spec<Self>,
                args: &[View<'_, Self>],
                y: &mut [Self],
            ) -> Result<(), OutOfMemory> {
                running.run(spec, args, y)
            }
            fn replays(tape: &Tape<Self>) -> u64 {
                tape.memory.borrow().replays
            }
        }
    };
}

engine!(f32);
engine!(f64);
