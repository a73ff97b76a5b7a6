//! Instructions of x86-64 as bytes, of which only those that element-wise work consists of (Intel's manual, volume 2).

use super::formula::{Comparison, Constant, Rounding};
use crate::kernels::machine::{LINES_OF_AVX2, LINES_OF_AVX512};
use crate::number::level::Level;

/// The vectors that code works with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kernels) enum Set {
    Avx2,
    Avx512,
}

/// The elements of vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kernels) enum Element {
    F32,
    F64,
}

/// A vector register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Vector(pub(super) u8);

/// A general register, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct General(pub(super) u8);

pub(super) const RAX: General = General(0);
pub(super) const RCX: General = General(1);
pub(super) const RDX: General = General(2);
pub(super) const RBX: General = General(3);
pub(super) const RBP: General = General(5);
pub(super) const RSI: General = General(6);
pub(super) const RDI: General = General(7);
pub(super) const R8: General = General(8);

/// The bits of a constant, which every lane has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Literal(pub(super) u64);

/// The second operand of an instruction, which may be in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    Vector(Vector),
    /// So many bytes from what a register points to on, and from there as many as RAX says, if so.
    Memory {
        base: General,
        indexed: bool,
        offset: i32,
    },
    Literal(Literal),
}

/// Which of the three tables of instructions, and which of them.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Opcode {
    table: u8,
    code: u8,
    /// Whether the code of f64 is the same, told apart by the prefix, or one more.
    by_prefix: bool,
}

const fn arithmetic(code: u8) -> Opcode {
    Opcode { table: 1, code, by_prefix: true }
}

pub(super) const LOAD: Opcode = arithmetic(0x10);
pub(super) const STORE: Opcode = arithmetic(0x11);
pub(super) const SQRT: Opcode = arithmetic(0x51);
pub(super) const AND: Opcode = arithmetic(0x54);
const AND_NOT: Opcode = arithmetic(0x55);
pub(super) const OR: Opcode = arithmetic(0x56);
pub(super) const XOR: Opcode = arithmetic(0x57);
pub(super) const ADD: Opcode = arithmetic(0x58);
pub(super) const MUL: Opcode = arithmetic(0x59);
pub(super) const SUB: Opcode = arithmetic(0x5C);
pub(super) const DIV: Opcode = arithmetic(0x5E);
const COMPARE: Opcode = arithmetic(0xC2);
const MASKED_LOAD: Opcode = Opcode { table: 2, code: 0x2C, by_prefix: false };
const MASKED_STORE: Opcode = Opcode { table: 2, code: 0x2E, by_prefix: false };
const BLEND_BY_VECTOR: Opcode = Opcode { table: 3, code: 0x4A, by_prefix: false };
const ROUND: Opcode = Opcode { table: 3, code: 0x08, by_prefix: false };
const BROADCAST: Opcode = Opcode { table: 2, code: 0x18, by_prefix: false };
const BLEND_BY_MASK: Opcode = Opcode { table: 2, code: 0x65, by_prefix: true };

/// The mask register of comparisons, of which each of vectors abreast has its own, and that of the lanes that are left at the end.
const COMPARED: u8 = 1;
const LANES_LEFT: u8 = 7;
/// The same of AVX2, where masks are vectors.
const SCRATCH: Vector = Vector(15);
const LEFT: Vector = Vector(13);
/// Holds 0.
pub(super) const ZERO: Vector = Vector(14);
/// Values get the registers below; from here on to 15 they have the uses above.
const KEPT: u8 = 13;
/// The second of vectors abreast has this for comparisons.
const SECOND_SCRATCH: u8 = 12;

/// A write by a mask: its register, and whether other lanes become 0.
#[derive(Clone, Copy, Default)]
struct By {
    mask: u8,
    zero: bool,
}

/// Code as it is written.
pub(super) struct Assembler {
    pub(super) bytes: Vec<u8>,
    pub(super) set: Set,
    element: Element,
    /// How many vectors go side by side through each instruction, in registers of their own.
    pub(super) abreast: u8,
    each: u8,
    /// Where distances to constants are to be written, and from where they count.
    distances: Vec<(usize, usize, Literal)>,
}

impl Assembler {
    pub(super) fn new(set: Set, element: Element) -> Self {
        Self { bytes: Vec::new(), set, element, abreast: 1, each: KEPT, distances: Vec::new() }
    }

    /// From here on so many vectors go side by side, as many as there are registers for or one; returns how many registers each has.
    pub(super) fn go_abreast(&mut self, most: bool) -> u8 {
        (self.abreast, self.each) = match (self.set, most) {
            (_, false) => (1, KEPT),
            (Set::Avx2, true) => (2, 6),
            (Set::Avx512, true) => (4, 7),
        };
        self.each
    }

    /// The register of one of the vectors abreast.
    fn register_of(&self, register: u8, vector: u8) -> u8 {
        if register == SCRATCH.0 && vector == 1 {
            return SECOND_SCRATCH;
        }
        if register >= KEPT {
            return register;
        }
        let register = register + self.each * vector;
        if register < KEPT { register } else { register + (16 - KEPT) }
    }

    /// `bytes` and then the operands: three bits of each register are with them, the others in the prefix before.
    fn operands(&mut self, reg: u8, second: Operand, immediate: Option<u8>) {
        let reg = (reg & 7) << 3;
        match second {
            Operand::Vector(Vector(r)) => self.bytes.push(0xC0 | reg | r & 7),
            Operand::Memory { base, indexed, offset } => {
                let index = if indexed { RAX.0 } else { 4 };
                self.bytes.extend([0x84 | reg, index << 3 | base.0 & 7]);
                self.bytes.extend(offset.to_le_bytes());
            }
            Operand::Literal(literal) => {
                self.bytes.push(0x05 | reg);
                let at = self.bytes.len();
                self.distances.push((at, at + 4 + usize::from(immediate.is_some()), literal));
                self.bytes.extend([0; 4]);
            }
        }
        self.bytes.extend(immediate);
    }

    /// An instruction on vectors, for each of those abreast.
    fn vectors(&mut self, op: Opcode, reg: u8, first: Option<u8>, second: Operand, by: By, immediate: Option<u8>) {
        for vector in 0..self.abreast {
            let is_mask = op == COMPARE && self.set == Set::Avx512;
            let reg = if is_mask { reg + vector } else { self.register_of(reg, vector) };
            let second = match second {
                Operand::Vector(Vector(r)) => Operand::Vector(Vector(self.register_of(r, vector))),
                Operand::Memory { base, indexed: true, offset } => Operand::Memory {
                    base,
                    indexed: true,
                    offset: offset + i32::from(vector) * self.set.bytes() as i32,
                },
                Operand::Memory { indexed: false, .. } | Operand::Literal(_) => second,
            };
            let by = if by.mask == COMPARED { By { mask: by.mask + vector, ..by } } else { by };
            // The vector that chooses is in the immediate byte.
            let chooser = (op == BLEND_BY_VECTOR).then(|| self.register_of(SCRATCH.0, vector) << 4);
            let immediate = chooser.or(immediate);
            let first = first.map(|first| self.register_of(first, vector));
            self.instruction(op, reg, first, second, by, immediate);
        }
    }

    /// An instruction.
    fn instruction(&mut self, op: Opcode, reg: u8, first: Option<u8>, second: Operand, by: By, immediate: Option<u8>) {
        // What has no first operand has the number of the first register there.
        let first = first.unwrap_or(0);
        let Opcode { table, code, by_prefix } = op;
        let wide = self.element == Element::F64;
        let prefix = u8::from(wide || !by_prefix || table != 1);
        // The highest bits of registers are written inverted.
        let (b, high) = match second {
            Operand::Vector(Vector(r)) => (r >> 3 & 1, r >> 4),
            Operand::Memory { base, .. } => (base.0 >> 3, 0),
            Operand::Literal(_) => (0, 0),
        };
        match self.set {
            Set::Avx2 => self.bytes.extend([
                0xC4,
                (reg >> 3 & 1 ^ 1) << 7 | 1 << 6 | (b ^ 1) << 5 | table,
                (!first & 15) << 3 | 1 << 2 | prefix,
            ]),
            Set::Avx512 => self.bytes.extend([
                0x62,
                (reg >> 3 & 1 ^ 1) << 7 | (high ^ 1) << 6 | (b ^ 1) << 5 | (reg >> 4 ^ 1) << 4 | table,
                u8::from(wide) << 7 | (!first & 15) << 3 | 1 << 2 | prefix,
                u8::from(by.zero) << 7 | 0b10 << 5 | (first >> 4 ^ 1) << 3 | by.mask,
            ]),
        }
        self.bytes.push(if wide && !by_prefix { code + 1 } else { code });
        self.operands(reg, second, immediate);
    }

    /// `to = first op second`
    pub(super) fn op(&mut self, op: Opcode, to: Vector, first: Vector, second: Operand) {
        self.vectors(op, to.0, Some(first.0), second, By::default(), None);
    }

    /// An instruction of one operand.
    pub(super) fn unary(&mut self, op: Opcode, to: Vector, of: Operand) {
        self.vectors(op, to.0, None, of, By::default(), None);
    }

    /// `to = x` as an integer.
    pub(super) fn round(&mut self, way: Rounding, to: Vector, x: Operand) {
        self.vectors(ROUND, to.0, None, x, By::default(), Some(way as u8));
    }

    /// The number at an address in each lane.
    pub(super) fn broadcast(&mut self, to: Vector, from: Operand) {
        self.vectors(BROADCAST, to.0, None, from, By::default(), None);
    }

    /// Compares.
    fn compare(&mut self, comparison: Comparison, first: Vector, second: Operand) {
        let to = if self.set == Set::Avx2 { SCRATCH.0 } else { COMPARED };
        self.vectors(COMPARE, to, Some(first.0), second, By::default(), Some(comparison as u8));
    }

    /// `to = a` where two compare, else `b`, of which `None` is 0.
    pub(super) fn choose(
        &mut self,
        (comparison, first, second): (Comparison, Vector, Operand),
        to: Vector,
        [a, b]: [Option<Operand>; 2],
    ) {
        self.compare(comparison, first, second);
        let masked = By { mask: COMPARED, zero: true };
        match (self.set, a, b) {
            (_, None, None) => self.op(XOR, to, ZERO, Operand::Vector(ZERO)),
            (Set::Avx2, Some(a), None) => self.op(AND, to, SCRATCH, a),
            (Set::Avx2, None, Some(b)) => self.op(AND_NOT, to, SCRATCH, b),
            (Set::Avx2, Some(a), Some(Operand::Vector(b))) => {
                self.vectors(BLEND_BY_VECTOR, to.0, Some(b.0), a, By::default(), None);
            }
            (Set::Avx512, Some(a), None) => self.vectors(LOAD, to.0, None, a, masked, None),
            (Set::Avx512, a, Some(Operand::Vector(b))) => {
                let a = a.unwrap_or(Operand::Vector(ZERO));
                self.vectors(BLEND_BY_MASK, to.0, Some(b.0), a, By { zero: false, ..masked }, None);
            }
            (_, a, Some(b)) => unreachable!("{a:?} is chosen, or {b:?}, which is not in a register"),
        }
    }

    /// What is left of values goes by a mask, which a register is, or points to.
    pub(super) fn take_mask(&mut self, from: General) {
        match self.set {
            Set::Avx2 => self.unary(LOAD, LEFT, Operand::Memory { base: from, indexed: false, offset: 0 }),
            // KMOVW
            Set::Avx512 => self.bytes.extend([
                0xC4,
                1 << 7 | 1 << 6 | (from.0 >> 3 ^ 1) << 5 | 1,
                0x78,
                0x92,
                0xC0 | LANES_LEFT << 3 | from.0 & 7,
            ]),
        }
    }

    /// Loads the lanes that are left.
    pub(super) fn load_left(&mut self, to: Vector, from: Operand) {
        match self.set {
            Set::Avx2 => self.op(MASKED_LOAD, to, LEFT, from),
            Set::Avx512 => self.vectors(LOAD, to.0, None, from, By { mask: LANES_LEFT, zero: true }, None),
        }
    }

    /// Stores the lanes that are left.
    pub(super) fn store_left(&mut self, to: Operand, x: Vector) {
        match self.set {
            Set::Avx2 => self.op(MASKED_STORE, x, LEFT, to),
            Set::Avx512 => self.vectors(STORE, x.0, None, to, By { mask: LANES_LEFT, zero: false }, None),
        }
    }

    /// Stores the first lane.
    ///
    /// # Panics
    /// Where there are registers that these bytes do not tell.
    pub(super) fn store_first(&mut self, to: Operand, Vector(x): Vector) {
        assert!(self.set == Set::Avx2 && self.abreast == 1, "numbers are computed once, by instructions of AVX2");
        let prefix = if self.element == Element::F64 { 3 } else { 2 };
        // VMOVSS or VMOVSD
        self.bytes.extend([0xC4, (x >> 3 ^ 1) << 7 | 1 << 6 | 1 << 5 | STORE.table, 15 << 3 | prefix, STORE.code]);
        self.operands(x, to, None);
    }

    /// The code with its constants.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let width = self.set.bytes();
        let mut distances = std::mem::take(&mut self.distances);
        while let Some(&(.., literal)) = distances.first() {
            self.align(width);
            let at = self.bytes.len();
            let lane = literal.0.to_le_bytes();
            let lanes = width / self.element.bytes();
            self.bytes.extend(std::iter::repeat_n(&lane[..self.element.bytes()], lanes).flatten());
            distances.retain(|&(from, end, other)| {
                if other == literal {
                    self.bytes[from..from + 4].copy_from_slice(&(at as i32 - end as i32).to_le_bytes());
                }
                other != literal
            });
        }
        self.bytes
    }
}

impl Set {
    /// That of a level, if code can use its vectors.
    pub(in crate::kernels) fn of(level: Level) -> Option<Self> {
        match level.vector_bytes() {
            32 => Some(Self::Avx2),
            64 => Some(Self::Avx512),
            _ => None,
        }
    }

    /// The most lines of a run.
    pub(in crate::kernels) fn longest(self) -> usize {
        match self {
            Self::Avx2 => LINES_OF_AVX2,
            Self::Avx512 => LINES_OF_AVX512,
        }
    }

    /// That for single numbers, which gain nothing from wider vectors.
    pub(in crate::kernels) fn of_numbers(level: Level) -> Option<Self> {
        Self::of(level).map(|_| Self::Avx2)
    }

    /// The bytes of a vector.
    pub(in crate::kernels) fn bytes(self) -> usize {
        match self {
            Self::Avx2 => 32,
            Self::Avx512 => 64,
        }
    }
}

impl Element {
    pub(in crate::kernels) fn of<T>() -> Self {
        if size_of::<T>() == 4 { Self::F32 } else { Self::F64 }
    }

    pub(super) fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// The bits of a constant of this type.
    pub(super) fn literal(self, constant: Constant) -> Literal {
        let sign = 1 << (8 * self.bytes() - 1);
        Literal(match (constant, self) {
            (Constant::Number(x), Self::F32) => u64::from((x as f32).to_bits()),
            (Constant::Number(x), Self::F64) => x.to_bits(),
            (Constant::Sign, _) => sign,
            (Constant::Magnitude, _) => sign - 1,
        })
    }
}
