//! Which register holds what, and for how long: a value stays in one until others are wanted sooner.

use super::encode::{
    ADD, AND, Assembler, DIV, Element, General, LOAD, MUL, OR, Operand, R8, RAX, RBP, RBX, RCX, RDI, RDX, RSI, SQRT,
    STORE, SUB, Set, Vector, XOR, ZERO,
};
use super::formula::{Constant, Op};
use super::{Home, Line, Read};

/// Registers that hold pointers of the table; further ones are loaded each time. Callers want the last ones back.
const POINTERS: [General; 9] =
    [General(9), General(10), General(11), R8, RBX, General(12), General(13), General(14), General(15)];
/// How many of them they do not.
const UNSAVED: usize = 4;

/// What a register holds: a home's value, whether that is only here, and which line reads it next, as of the line that looked last.
#[derive(Clone, Copy)]
struct Held {
    home: Home,
    is_only_here: bool,
    next: Option<usize>,
}

/// A number that is copied to where a pointer of the table tells, by way of its cell.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) struct Move {
    pub(in crate::kernels) from: Read,
    pub(in crate::kernels) cell: Home,
    pub(in crate::kernels) to: usize,
}

/// The code of a loop as it is written.
pub(super) struct Writer<'a> {
    to: Assembler,
    element: Element,
    lines: &'a [Line],
    /// What each register holds of those that there are.
    holds: Vec<Option<Held>>,
    /// The line that is being written.
    at: usize,
    /// Whether it is the code for elements that do not fill a vector.
    is_end: bool,
    /// Whether there may be others behind those in a tile.
    in_pieces: bool,
    /// What is done once, on single numbers, ends with these results.
    once: Option<&'a [Move]>,
    /// Whether more values without a home are wanted at a time than there are registers.
    is_full: bool,
}

impl<'a> Writer<'a> {
    pub(super) fn new(set: Set, element: Element, lines: &'a [Line], in_pieces: bool) -> Self {
        let holds = Vec::new();
        Self {
            to: Assembler::new(set, element),
            element,
            lines,
            holds,
            at: 0,
            is_end: false,
            once: None,
            in_pieces,
            is_full: false,
        }
    }

    /// What is done once, and then copies numbers to where pointers of the table tell. All of them are read before one is written.
    pub(super) fn once(set: Set, element: Element, lines: &'a [Line], moves: &'a [Move]) -> Self {
        Self { once: Some(moves), ..Self::new(set, element, lines, false) }
    }

    /// The code, if there are registers enough, and where that for elements that do not fill a vector begins, if there are pointers to
    /// more than numbers.
    pub(super) fn code(mut self) -> Option<(Vec<u8>, Option<usize>)> {
        let homes = || {
            self.lines.iter().flat_map(|line| {
                let home = |from: &Read| if let Read::Home(home) = *from { Some(home) } else { None };
                line.of.iter().filter_map(home).chain([line.out])
            })
        };
        let pointer = |home| if let Home::Pointer(k) | Home::Number(k) = home { Some(k + 1) } else { None };
        // What is done once takes a pointer where it is asked for.
        let pointers = if self.once.is_some() { 0 } else { homes().filter_map(pointer).max().unwrap_or(0) };
        let has_ends = self.in_pieces || homes().any(|home| matches!(home, Home::Pointer(_)));
        self.function(pointers);
        let end = has_ends.then(|| {
            self.to.align(32);
            let end = self.to.bytes.len();
            self.is_end = true;
            self.function(pointers);
            end
        });
        (!self.is_full).then(|| (self.to.finish(), end))
    }

    /// A function that loops over vectors, or does the end.
    fn function(&mut self, pointers: usize) {
        self.to.entry();
        let saved = POINTERS[UNSAVED..].iter().take(pointers.saturating_sub(UNSAVED));
        let saved: Vec<General> = saved.copied().chain((pointers > POINTERS.len()).then_some(RBP)).collect();
        for &r in &saved {
            self.to.push(r);
        }
        self.to.copy(RAX, RDX);
        if self.is_end {
            self.to.take_mask(R8);
        }
        for (k, &r) in POINTERS.iter().enumerate().take(pointers) {
            self.to.pointer(r, RSI, k);
        }
        self.to.op(XOR, ZERO, ZERO, Operand::Vector(ZERO));
        if self.is_end || self.once.is_some() {
            self.body(false);
            self.moves();
        } else {
            // Several vectors side by side: the operations of one wait for each other.
            self.to.go_abreast(true);
            self.to.limit();
            self.turns(RDX, true);
            self.turns(RCX, false);
        }
        for &r in saved.iter().rev() {
            self.to.pop(r);
        }
        self.to.leave();
    }

    /// A loop over vectors while RAX is less than a register.
    fn turns(&mut self, below: General, abreast: bool) {
        let skip = self.to.skip(below);
        self.to.align(32);
        let start = self.to.bytes.len();
        self.body(abreast);
        self.to.again(start, below);
        self.to.land(skip);
    }

    /// All lines, for several vectors or one.
    fn body(&mut self, abreast: bool) {
        let registers = self.to.go_abreast(abreast);
        self.holds = vec![None; registers as usize];
        for at in 0..self.lines.len() {
            // There is no register for one of the values: nothing of this is used.
            if self.is_full {
                return;
            }
            self.at = at;
            self.line();
        }
    }

    /// Copies what comes last.
    fn moves(&mut self) {
        let Some(moves) = self.once else { return };
        self.at = self.lines.len();
        for &Move { from, cell, .. } in moves {
            if from != Read::Home(cell) {
                let x = self.register(from, &mut Vec::new());
                self.store(cell, x);
            }
        }
        for &Move { cell, to, .. } in moves {
            let x = self.register(Read::Home(cell), &mut Vec::new());
            let memory = self.memory(Home::Number(to));
            self.to.store_first(memory, x);
        }
    }

    fn line(&mut self) {
        let Line { op, of, out, is_kept } = self.lines[self.at];
        let homes = of.iter().filter_map(|from| if let Read::Home(home) = from { self.find(*home) } else { None });
        let mut busy: Vec<Vector> = homes.collect();
        let arithmetic = match op {
            Op::Add => Some(ADD),
            Op::Sub => Some(SUB),
            Op::Mul => Some(MUL),
            Op::Div => Some(DIV),
            Op::And => Some(AND),
            Op::Or => Some(OR),
            Op::Xor => Some(XOR),
            Op::Sqrt | Op::Round(_) | Op::Choose(_) => None,
        };
        let to = if let Some(opcode) = arithmetic {
            // What is in a register is the first operand, which cannot be in memory.
            let is_here = |from| matches!(from, Read::Home(home) if self.find(home).is_some());
            let turns = matches!(op, Op::Add | Op::Mul) && !is_here(of[0]) && is_here(of[1]);
            let [a, b] = if turns { [of[1], of[0]] } else { [of[0], of[1]] };
            let first = self.register(a, &mut busy);
            let second = self.operand(b, &mut busy);
            let to = self.free(&busy);
            self.to.op(opcode, to, first, second);
            to
        } else if let Op::Choose(comparison) = op {
            let first = self.register(of[0], &mut busy);
            let is_zero =
                |from| matches!(from, Read::Constant(Constant::Number(x)) if x == 0.0 && x.is_sign_positive());
            let second = if is_zero(of[1]) { Operand::Vector(ZERO) } else { self.operand(of[1], &mut busy) };
            let [a, b] = [of[2], of[3]].map(|from| (!is_zero(from)).then_some(from));
            let b = b.map(|b| Operand::Vector(self.register(b, &mut busy)));
            let a = a.map(|a| self.operand(a, &mut busy));
            let to = self.free(&busy);
            self.to.choose((comparison, first, second), to, [a, b]);
            to
        } else {
            let x = self.operand(of[0], &mut busy);
            let to = self.free(&busy);
            if let Op::Round(way) = op {
                self.to.round(way, to, x);
            } else {
                self.to.unary(SQRT, to, x);
            }
            to
        };
        // The value that was there is no more.
        for held in &mut self.holds {
            if held.is_some_and(|held| held.home == out) {
                *held = None;
            }
        }
        let is_stored = is_kept && !self.is_written_again(out);
        if is_stored {
            self.store(out, to);
        }
        self.hold(to, out, !is_stored);
    }

    /// Which register holds a value.
    fn find(&self, home: Home) -> Option<Vector> {
        let at = self.holds.iter().position(|held| held.is_some_and(|held| held.home == home));
        at.map(|r| Vector(r as u8))
    }

    /// When the value that is at home now is read next, after this line.
    fn next_read(&self, home: Home) -> Option<usize> {
        for (at, line) in self.lines.iter().enumerate().skip(self.at + 1) {
            if line.of.contains(&Read::Home(home)) {
                return Some(at);
            }
            if line.out == home {
                return None;
            }
        }
        None
    }

    /// Whether a later line writes over a value.
    fn is_written_again(&self, home: Home) -> bool {
        self.lines[self.at + 1..].iter().any(|line| line.out == home)
    }

    /// Where a value is in memory.
    fn memory(&mut self, home: Home) -> Operand {
        let (base, indexed, offset) = match home {
            Home::Tile(offset) => (RDI, true, offset),
            Home::Repeated(offset) | Home::Cell(offset) => (RDI, false, offset),
            Home::Number(k) if self.once.is_some() => {
                self.to.pointer(RAX, RSI, k);
                (RAX, false, 0)
            }
            Home::Pointer(k) | Home::Number(k) => {
                let base = POINTERS.get(k).copied().unwrap_or_else(|| {
                    self.to.pointer(RBP, RSI, k);
                    RBP
                });
                (base, matches!(home, Home::Pointer(_)), 0)
            }
            Home::Passing(k) => unreachable!("value {k} is in a register until it was read"),
        };
        Operand::Memory { base, indexed, offset }
    }

    /// Whether no more than the lanes that are left may be read there.
    fn is_short(&self, home: Home) -> bool {
        self.is_end && matches!(home, Home::Pointer(_))
    }

    /// An operand in a register, which is busy then.
    fn register(&mut self, from: Read, busy: &mut Vec<Vector>) -> Vector {
        let r = match from {
            Read::Constant(constant) => {
                let to = self.free(busy);
                self.to.unary(LOAD, to, Operand::Literal(self.element.literal(constant)));
                to
            }
            Read::Home(home) => self.find(home).unwrap_or_else(|| self.load(home, busy)),
        };
        busy.push(r);
        r
    }

    fn load(&mut self, home: Home, busy: &[Vector]) -> Vector {
        let to = self.free(busy);
        let memory = self.memory(home);
        if matches!(home, Home::Number(_) | Home::Cell(_)) {
            self.to.broadcast(to, memory);
        } else if self.is_short(home) {
            self.to.load_left(to, memory);
        } else {
            self.to.unary(LOAD, to, memory);
        }
        self.hold(to, home, false);
        to
    }

    fn hold(&mut self, r: Vector, home: Home, is_only_here: bool) {
        self.holds[r.0 as usize] = Some(Held { home, is_only_here, next: self.next_read(home) });
    }

    /// Which later line reads next what a register holds.
    fn next(&mut self, r: u8) -> Option<usize> {
        let held = self.holds[r as usize]?;
        if held.next? > self.at {
            return held.next;
        }
        let next = self.next_read(held.home);
        self.holds[r as usize] = Some(Held { next, ..held });
        next
    }

    /// An operand that may be in memory.
    fn operand(&mut self, from: Read, busy: &mut Vec<Vector>) -> Operand {
        match from {
            Read::Constant(constant) => Operand::Literal(self.element.literal(constant)),
            Read::Home(home) if self.find(home).is_none() && self.may_stay(home) => self.memory(home),
            Read::Home(_) => Operand::Vector(self.register(from, busy)),
        }
    }

    /// Whether a value is read from memory, without a register for it.
    fn may_stay(&self, home: Home) -> bool {
        match home {
            Home::Repeated(_) => true,
            Home::Tile(_) => self.next_read(home).is_none(),
            Home::Pointer(k) => k < POINTERS.len() && !self.is_short(home) && self.next_read(home).is_none(),
            Home::Number(_) | Home::Cell(_) | Home::Passing(_) => false,
        }
    }

    /// A register that none of these is: one whose value nobody reads any more, or the one that is read last, stored if it is only
    /// there. What has no home stays.
    fn free(&mut self, busy: &[Vector]) -> Vector {
        const NEVER: usize = usize::MAX;
        let mut best: Option<(usize, u8)> = None;
        for r in (0..self.holds.len() as u8).filter(|&r| !busy.contains(&Vector(r))) {
            let next = self.next(r);
            let has_no_home = self.holds[r as usize].is_some_and(|held| matches!(held.home, Home::Passing(_)));
            let later = |(furthest, _)| next.unwrap_or(NEVER) > furthest;
            if !(has_no_home && next.is_some()) && best.is_none_or(later) {
                best = Some((next.unwrap_or(NEVER), r));
            }
        }
        let Some((next, r)) = best else {
            self.is_full = true;
            return Vector(0);
        };
        if let Some(Held { home, is_only_here: true, .. }) = self.holds[r as usize]
            && next != NEVER
        {
            self.store(home, Vector(r));
        }
        self.holds[r as usize] = None;
        Vector(r)
    }

    fn store(&mut self, home: Home, x: Vector) {
        let memory = self.memory(home);
        if matches!(home, Home::Cell(_)) {
            self.to.store_first(memory, x);
        } else if self.is_short(home) || self.is_end && self.in_pieces {
            self.to.store_left(memory, x);
        } else {
            self.to.unary(STORE, x, memory);
        }
    }
}
