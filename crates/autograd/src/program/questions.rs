//! What a tape is asked for, step after step, and which programs there are for it.
//!
//! A step asks questions: for some values of what is recorded by then, later perhaps for more of it, or for what was recorded
//! since. Each question that comes first, or is about what is new, is remembered with all that the rest of its step wanted of the
//! same nodes, so that one program answers the lot: `loss.item()`, then one gradient after the other, are as good as all at once.

use super::ids::IdSet;
use super::on_tape::{OnTape, Part};
use crate::float::Float;
use crate::tape::Tape;
use crate::tape::nodes::{NONE, Node};
use crate::tape::values::State;
use crate::tensor::error::Error;
use smallvec::SmallVec;

/// How many times the same values of a short tape are asked for before a program is made for them.
const PATIENCE: usize = 2;
/// A program that ran so often was worth making: to make one costs as much as some ten steps of a small net.
const WORTH: usize = 64;
/// How many questions are remembered.
const MOST_ASKED: usize = 16;
/// How many of them one step asks; what it asks after them is computed node by node.
const MOST_IN_STEP: usize = 8;
/// A question that reads more of what was recorded before it is computed node by node: each value that is handed on costs something.
const MOST_READ: usize = 512;
/// In how many steps, one after the other, a program gives other values than were wanted before it is made anew.
const CHANGED: usize = 8;

/// What is remembered of the questions.
pub struct Memory<T: Float> {
    asked: Vec<Asked<T>>,
    /// The first question of a step: that whose program its leaves went into.
    into: usize,
    /// Those leaves: their values are there and nowhere else.
    ahead: Vec<u32>,
    /// Whether nothing was computed yet in this step.
    open: bool,
    /// The questions of this step, and whether something else was asked in it, of which nobody knows what it needs.
    step: SmallVec<[usize; MOST_IN_STEP]>,
    is_lost: bool,
    /// How many times values of a short tape are asked for before a program is made.
    patience: usize,
    /// How many questions there were.
    questions: u64,
    /// How many steps there were whose first question a program has answered.
    replays: u64,
}

impl<T: Float> Default for Memory<T> {
    fn default() -> Self {
        Self {
            asked: Vec::new(),
            into: 0,
            ahead: Vec::new(),
            open: true,
            step: SmallVec::new(),
            is_lost: false,
            patience: PATIENCE,
            questions: 0,
            replays: 0,
        }
    }
}

/// Some values of a tape, by their nodes.
pub(super) type Nodes = SmallVec<[u32; 16]>;

/// Which question this is: values that are asked for in a structure, how many nodes there are then, and the question before
/// it in its step.
#[derive(PartialEq)]
struct Question {
    structure: u64,
    len: usize,
    roots: Nodes,
    after: Option<u64>,
    /// How many nodes there were at that one.
    base: u32,
}

impl Question {
    /// Whether it is the first of a step of this structure.
    fn begins(&self, structure: u64) -> bool {
        self.structure == structure && self.after.is_none()
    }
}

/// A question that was asked.
struct Asked<T: Float> {
    question: Question,
    /// Its own number.
    id: u64,
    /// What its values and others that were wanted are, or read, of that which was recorded before the question before it,
    /// leaves left out; and all that was looked at for that.
    reads: Nodes,
    seen: IdSet,
    /// What else of these nodes the rest of a step wanted, in the step before this one ([`NONE`] where nobody knows what), and
    /// how many steps in a row have wanted just that.
    more: Nodes,
    alike: usize,
    /// The same, of this step so far, and as it was when a program was made.
    now: Nodes,
    given: Nodes,
    times: usize,
    /// The number of the question that was the last of these.
    last: u64,
    way: Way<T>,
}

/// How they are computed.
pub(super) enum Way<T: Float> {
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

    /// Finds what a node reads of that which was recorded before the question before this one, unless it is known.
    fn look_at(&mut self, tape: &Tape<T>, node: u32) {
        let base = self.question.base;
        let mut left: Nodes = [node].into_iter().filter(|_| base > 0).collect();
        while let Some(node) = left.pop() {
            let Node { kind, args, .. } = &tape.nodes[node];
            if kind.op().is_none() || !self.seen.insert(node) {
                continue;
            }
            if node < base {
                self.reads.push(node);
            } else {
                left.extend_from_slice(args);
            }
        }
    }

    /// Learns, when a step is over, what it wanted. A program that has given other values for some time is made anew.
    fn end_step(&mut self) {
        self.now.sort_unstable();
        self.now.dedup();
        if self.now == self.more {
            self.alike += 1;
        } else {
            std::mem::swap(&mut self.now, &mut self.more);
            self.alike = 1;
        }
        self.now.clear();
        if self.alike == CHANGED && self.given != self.more && matches!(self.way, Way::Program(_)) {
            self.way = Way::Unmade;
        }
    }
}

/// A question that has its place in the list.
pub(super) struct Noted {
    pub(super) place: usize,
    /// Whether it is time to make a program for it.
    pub(super) is_due: bool,
}

impl<T: Float> Memory<T> {
    /// Forgets the leaves of a step that ends, and the questions about structures that are no longer known.
    pub(super) fn clear(&mut self, knows: Option<impl Fn(u64) -> bool>) {
        self.ahead.clear();
        (self.open, self.is_lost) = (true, false);
        for place in self.step.drain(..) {
            self.asked[place].end_step();
        }
        let Some(knows) = knows else { return };
        let gone = |asked: &Asked<T>| !knows(asked.question.structure);
        while let Some(place) = self.asked.iter().position(gone) {
            self.forget(place);
        }
    }

    /// Forgets a question. A program that was not worth making makes the next one wait longer.
    fn forget(&mut self, place: usize) {
        let Asked { times, way, .. } = self.asked.swap_remove(place);
        let moved = self.asked.len();
        for other in self.step.iter_mut().chain([&mut self.into]).filter(|other| **other == moved) {
            *other = place;
        }
        if times >= WORTH {
            self.patience = PATIENCE;
        } else if !matches!(way, Way::Unmade) {
            self.patience = self.patience.saturating_mul(4);
        }
    }

    /// Counts a question, tells its place and whether a program is due for it. Where intermediate values are to be kept, there
    /// is none unless all that the rest of the step wants is known.
    fn ask(&mut self, question: Question, keep: bool) -> Noted {
        self.questions += 1;
        let (id, last) = (self.questions, self.questions);
        let same = |asked: &Asked<T>| asked.question == question;
        let near = Some(self.into).filter(|&into| self.asked.get(into).is_some_and(same));
        let Some(place) = near.or_else(|| self.asked.iter().position(same)) else {
            if self.asked.len() == MOST_ASKED {
                let is_free = |place: &usize| *place != self.into && !self.step.contains(place);
                let oldest = (0..MOST_ASKED).filter(is_free).min_by_key(|&place| self.asked[place].last);
                self.forget(oldest.expect("a step has not so many"));
            }
            self.asked.push(Asked {
                question,
                id,
                reads: Nodes::new(),
                seen: IdSet::default(),
                more: Nodes::new(),
                alike: 0,
                now: Nodes::new(),
                given: Nodes::new(),
                times: 1,
                last,
                way: Way::Unmade,
            });
            return Noted { place: self.asked.len() - 1, is_due: false };
        };
        let asked = &mut self.asked[place];
        asked.times += 1;
        asked.last = last;
        // To make a program takes as long as some tens of steps. That is soon over for a short one; of a longer one it is
        // better known that it goes on.
        let len = question.len.max(1);
        let patience = self.patience.saturating_mul((len.ilog2() as usize).saturating_sub(6).max(1));
        let is_known = asked.alike.saturating_add(1) >= patience || asked.times >= patience.saturating_mul(4);
        let is_due = asked.times >= patience && is_known && !(keep && asked.more.contains(&NONE));
        Noted { place, is_due: is_due && matches!(asked.way, Way::Unmade) }
    }

    /// Notes a question, unless it is about what was recorded before another one of this step. Leaves that went into the
    /// program of another get their values on the tape. Tells nothing where values are missing that were computed before.
    pub(super) fn turn_to(
        &mut self,
        tape: &Tape<T>,
        structure: u64,
        roots: &[u32],
        keep: bool,
    ) -> Result<Option<Noted>, Error> {
        if self.is_lost {
            return Ok(None);
        }
        let before = self.step.last().map(|&place| &self.asked[place]);
        let (base, after) = before.map_or((0, None), |asked| (asked.question.len as u32, Some(asked.id)));
        if roots.iter().all(|&root| root < base) {
            let computed = roots.iter().filter(|&&root| tape.nodes[root].kind.op().is_some());
            computed.for_each(|&root| self.want(tape, root));
            return Ok(None);
        }
        if self.step.len() == MOST_IN_STEP {
            self.lose();
            return Ok(None);
        }
        let question = Question { structure, len: tape.len(), roots: roots.into(), after, base };
        let noted = self.ask(question, keep);
        let place = noted.place;
        for &root in roots {
            self.asked[place].look_at(tape, root);
        }
        if self.asked[place].reads.len() > MOST_READ {
            self.lose();
            return Ok(None);
        }
        for i in 0..self.asked[place].reads.len() {
            self.want(tape, self.asked[place].reads[i]);
        }
        if base > 0 || place != self.into {
            self.settle(tape)?;
        }
        if base == 0 {
            self.into = place;
        }
        self.step.push(place);
        let state = tape.state.borrow();
        let is_ready = self.asked[place].reads.iter().all(|&node| state.buffer(node).is_some());
        Ok(is_ready.then_some(noted))
    }

    /// Something is asked of what repeats no structure, or too much: what it needs is not known.
    pub(super) fn lose(&mut self) {
        if !std::mem::replace(&mut self.is_lost, !self.step.is_empty()) {
            self.step.iter().for_each(|&place| self.asked[place].now.push(NONE));
        }
    }

    /// What computes the values of a question, from that which was recorded before the one before it. Until there is an
    /// answer, it is computed in the usual way.
    pub(super) fn part(&mut self, place: usize) -> Part {
        self.asked[place].way = Way::Usual;
        let Asked { question, more, .. } = &self.asked[place];
        let roots = question.roots.iter().chain(more).copied().filter(|&root| root != NONE).collect();
        Part { base: question.base, roots }
    }

    /// How the values of a question are computed from now on.
    pub(super) fn answer(&mut self, place: usize, way: Way<T>) {
        if let Way::Program(program) = &way {
            self.ahead.reserve(program.leaves());
        }
        let asked = &mut self.asked[place];
        asked.given.clone_from(&asked.more);
        asked.way = way;
    }

    /// The program that answers a question.
    pub(super) fn program(&mut self, place: usize) -> Option<&mut OnTape<T>> {
        self.asked[place].program()
    }

    /// Notes that a program has answered a question.
    pub(super) fn note_answered(&mut self) {
        self.open = false;
        self.replays += u64::from(self.step.len() == 1);
    }

    /// Notes that a node is wanted after the question that it was there for, and so is what it reads of those before that.
    fn want(&mut self, tape: &Tape<T>, node: u32) {
        let there = |&&place: &&usize| (node as usize) < self.asked[place].question.len;
        let Some(&place) = self.step.iter().find(there) else { return };
        let asked = &mut self.asked[place];
        // Who asks for the same values ever again is answered from the tape.
        if asked.now.len() < asked.question.len {
            asked.now.push(node);
        }
        let known = asked.reads.len();
        asked.look_at(tape, node);
        for i in known..self.asked[place].reads.len() {
            self.want(tape, self.asked[place].reads[i]);
        }
    }

    pub(super) fn replays(&self) -> u64 {
        self.replays
    }

    /// Takes the value of a leaf into the program that will compute the step which repeats this structure.
    pub(super) fn take(&mut self, structure: u64, leaf: u32, value: &[T]) -> bool {
        let accepted = self.open && self.expected(structure).is_some_and(|program| program.accept(leaf, value));
        if accepted {
            self.ahead.push(leaf);
        }
        accepted
    }

    /// The question whose program takes the leaves of a step that repeats this structure: the one that was asked last.
    #[inline]
    fn expected(&mut self, structure: u64) -> Option<&mut OnTape<T>> {
        if self.asked.get(self.into).is_none_or(|asked| !asked.question.begins(structure))
            && !self.turn_ahead(structure)
        {
            return None;
        }
        self.asked.get_mut(self.into)?.program()
    }

    /// Turns to the question that was asked last of a structure, if there is one and no leaf has gone ahead.
    #[cold]
    fn turn_ahead(&mut self, structure: u64) -> bool {
        let about = |&place: &usize| self.asked[place].question.begins(structure);
        let last = (0..self.asked.len()).filter(about).max_by_key(|&place| self.asked[place].last);
        self.into = last.filter(|_| self.ahead.is_empty()).unwrap_or(self.into);
        last.is_some() && self.ahead.is_empty()
    }

    /// Values are computed on the tape now: leaves get theirs there, those that come later too.
    pub(super) fn close(&mut self, tape: &Tape<T>) -> Result<(), Error> {
        self.open = false;
        self.settle(tape)
    }

    /// Gives leaves the values that went ahead, since they are needed on the tape after all.
    fn settle(&mut self, tape: &Tape<T>) -> Result<(), Error> {
        if self.ahead.is_empty() { Ok(()) } else { self.settle_into(tape, &mut tape.state.borrow_mut()) }
    }

    pub(super) fn settle_into(&mut self, tape: &Tape<T>, state: &mut State<T>) -> Result<(), Error> {
        while let Some(&leaf) = self.ahead.last() {
            let program = self.asked[self.into].program().expect("values go ahead into programs");
            state.fill(leaf, program.taken(leaf)).map_err(|memory| tape.nodes.lacks(leaf, memory))?;
            self.ahead.pop();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Way;
    use crate::{Tape, Tensor, grad};

    #[test]
    fn programs_answer_what_is_asked_before_and_after_a_gradient_is_recorded_and_one_by_one() {
        let mut tape: Tape = Tape::new();
        for step in 0..6 {
            tape.clear();
            let (x, w) =
                (tape.var(&Tensor::from_fn([4, 3], |i| i as f64)), tape.var(&Tensor::full([3, 2], f64::from(step))));
            let hidden = x.matmul(w).tanh();
            let loss = hidden.square().sum();
            loss.item();
            let [dx, dw] = grad(loss, &[x, w]);
            dx.value();
            dw.value();
            hidden.value();
            let memory = tape.memory.borrow();
            let made: Vec<bool> = memory.asked.iter().map(|asked| matches!(asked.way, Way::Program(_))).collect();
            // The first step is not known to repeat anything; the second is the first of its kind.
            assert_eq!(made, if step == 0 { vec![] } else { vec![step > 1; 2] }, "step {step}");
            let state = tape.state.borrow();
            let computed: Vec<u32> = (0..tape.len() as u32).filter(|&i| state.buffer(i).is_some()).collect();
            if step == 5 {
                // Leaves, what was asked for, and what the second program reads of the first. No sum of the sweep is there.
                assert!(computed.len() < tape.len() / 2 + 4, "{computed:?} of {}", tape.len());
            }
        }
        assert_eq!(tape.replays(), 4);
    }
}
