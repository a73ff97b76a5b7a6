//! Chains of element-wise operations, run tile by tile, so that intermediate values stay in the first-level cache.

use super::Operand;
use crate::float::Float;
use crate::kernels::in_turn::{First, Then, in_turn};
use crate::kernels::machine::LINE;
use crate::kernels::map::map_vectors_to_two;
use crate::kernels::reduce::Running;
use crate::ops::table::Kind;
use crate::tape::op::{View, ViewMut, eval};
use crate::tensor::memory::{self, OutOfMemory};
use crate::tensor::shape::Shape;
use smallvec::SmallVec;
use std::fmt;

/// The most sums that a chain takes with it.
pub(in crate::program) const MOST_SUMS: usize = 4;

/// Element-wise operations of one shape, each before its readers, and sums of their values.
#[derive(Clone)]
pub(in crate::program) struct Chain<T: Float> {
    pub(in crate::program) inputs: Vec<(Operand, Layout)>,
    /// Numbers that operations read as tiles.
    pub(in crate::program) numbers: Vec<T>,
    pub(in crate::program) micro: Vec<Micro<T>>,
    /// The values that others read, each in a buffer of its own.
    pub(in crate::program) results: Vec<Operand>,
    pub(in crate::program) sums: Vec<Operand>,
    /// The elements of each value, and those of a tile.
    pub(in crate::program) len: usize,
    pub(in crate::program) tile: usize,
    /// How many registers the operations need.
    pub(in crate::program) registers: usize,
    /// The shape of a full tile, and of a scalar, as operations want to see them.
    pub(in crate::program) shapes: (Shape, Shape),
}

/// How an operand is laid over the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::program) enum Layout {
    /// An element for each of the result.
    Full,
    /// One for all.
    Scalar,
    /// A row of this many, repeated.
    Row(usize),
    /// An element for this many neighbours, then the next.
    Column(usize),
    /// The result's own buffer, as it was before: a state that is updated in place.
    InPlace,
}

/// One operation of a chain.
#[derive(Clone)]
pub(in crate::program) struct Micro<T: Float> {
    pub(in crate::program) action: Action<T>,
    pub(in crate::program) args: SmallVec<[Arg; 3]>,
    pub(in crate::program) out: Out,
    /// Where the second result of one that has two goes.
    pub(in crate::program) second: Out,
}

/// What an operation of a chain does with a tile.
#[derive(Clone)]
pub(in crate::program) enum Action<T: Float> {
    Op(Kind<T>),
    /// Two cheap operations, one on the result of the other.
    InTurn(First, Then),
    /// A function and its slope.
    WithSlope(Sloped),
    /// Adds the tile to a sum.
    Sum(usize),
}

/// A function whose slope comes of the same exponential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::program) enum Sloped {
    Sigmoid,
    Tanh,
}

/// An operand of one operation of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::program) enum Arg {
    Input(usize),
    /// An input of one element, as a tile.
    Spread(usize),
    /// A number, as a tile.
    Number(usize),
    Register(usize),
    Result(usize),
}

/// Where an operation of a chain leaves its tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::program) enum Out {
    Register(usize),
    Result(usize),
    Nowhere,
}

/// Memory for a tile, which starts where a line of the cache does: vectors that cross lines take twice the time.
pub(in crate::program) struct Register<T> {
    memory: Vec<T>,
    start: usize,
}

impl Layout {
    /// How an operand of this shape is laid over a result, if it is simple enough.
    pub(in crate::program) fn of(operand: &Shape, result: &Shape) -> Option<Self> {
        let (n, m) = (operand.numel(), result.numel());
        if operand == result || (n == m && operand.rank() <= result.rank()) {
            return Some(Self::Full);
        }
        if n == 1 {
            return Some(Self::Scalar);
        }
        let lead = result.rank().checked_sub(operand.rank())?;
        let stretched = |i: usize| i < lead || operand[i - lead] != result[i];
        let first_kept = (0..result.rank()).find(|&i| !stretched(i) && result[i] != 1)?;
        let last_kept = (0..result.rank()).rfind(|&i| !stretched(i) && result[i] != 1)?;
        // Sizes of 1 count as kept or stretched, whichever helps.
        let (before, after) = ((0..first_kept), (last_kept + 1..result.rank()));
        let solid = (first_kept..=last_kept).all(|i| !stretched(i) || result[i] == 1);
        let outer: usize = before.map(|i| result[i]).product();
        let inner: usize = after.map(|i| result[i]).product();
        match (solid, outer, inner) {
            (true, _, 1) => Some(Self::Row(n)),
            (true, 1, inner) => Some(Self::Column(inner)),
            _ => None,
        }
    }
}

impl<T: Float> Register<T> {
    pub(in crate::program) fn new(len: usize) -> Result<Self, OutOfMemory> {
        let memory: Vec<T> = memory::zeros(len + LINE / size_of::<T>())?;
        Ok(Self::aligned(memory))
    }

    fn aligned(memory: Vec<T>) -> Self {
        // Where the start cannot be told, any will do.
        let start = memory.as_ptr().align_offset(LINE).min(LINE / size_of::<T>());
        Self { memory, start }
    }

    fn tile(&self, n: usize) -> &[T] {
        &self.memory[self.start..self.start + n]
    }

    fn tile_mut(&mut self, n: usize) -> &mut [T] {
        &mut self.memory[self.start..self.start + n]
    }

    pub(in crate::program) fn capacity(&self) -> usize {
        self.memory.capacity()
    }
}

impl<T: Float> Clone for Register<T> {
    fn clone(&self) -> Self {
        Self::aligned(self.memory.clone())
    }
}

impl<T> Default for Register<T> {
    /// One without memory, to stand where another is missing meanwhile.
    fn default() -> Self {
        Self { memory: Vec::new(), start: 0 }
    }
}

/// The elements that are worked on.
#[derive(Clone, Copy)]
struct Span {
    start: usize,
    n: usize,
}

/// What is being written.
enum Taken<T> {
    Nothing,
    Register(Register<T>),
    Buffer(Vec<T>),
}

impl<T: Float> Taken<T> {
    fn part(&mut self, Span { start, n }: Span) -> &mut [T] {
        match self {
            Self::Nothing => &mut [],
            Self::Register(register) => register.tile_mut(n),
            Self::Buffer(buffer) => &mut buffer[start..start + n],
        }
    }
}

impl<T: Float> Chain<T> {
    /// How many registers its operations and its operands need. The first are those of inputs, then those of operations,
    /// then those of numbers.
    pub(in crate::program) fn all_registers(&self) -> usize {
        self.inputs.len() + self.registers + self.numbers.len()
    }

    pub(in crate::program) fn all_results(&self) -> Vec<Operand> {
        [&self.results[..], &self.sums].concat()
    }

    pub(in crate::program) fn run(&self, buffers: &mut [Vec<T>], registers: &mut [Register<T>]) {
        let mut sums: SmallVec<[Running<T>; MOST_SUMS]> = self.sums.iter().map(|_| Running::new()).collect();
        self.spread(buffers, registers);
        for start in (0..self.len).step_by(self.tile) {
            let span = Span { start, n: self.tile.min(self.len - start) };
            self.load(buffers, registers, span);
            for micro in &self.micro {
                if let Action::Sum(sum) = micro.action {
                    sums[sum].add(self.view(micro.args[0], buffers, registers, span).data);
                    continue;
                }
                let mut out = self.take(micro.out, buffers, registers);
                let mut second = self.take(micro.second, buffers, registers);
                self.apply(micro, (buffers, registers), span, out.part(span), second.part(span));
                self.put_back(micro.out, out, buffers, registers);
                self.put_back(micro.second, second, buffers, registers);
            }
        }
        for (operand, sum) in self.sums.iter().zip(sums) {
            // The tape adds sums to zeros.
            buffers[operand.buffer][0] = T::ZERO + sum.total();
        }
    }

    /// Makes tiles of numbers and of operands of one element.
    fn spread(&self, buffers: &[Vec<T>], registers: &mut [Register<T>]) {
        let n = self.tile.min(self.len);
        for (&number, register) in self.numbers.iter().zip(&mut registers[self.inputs.len() + self.registers..]) {
            register.tile_mut(n).fill(number);
        }
        for arg in self.micro.iter().flat_map(|micro| &micro.args) {
            if let Arg::Spread(k) = *arg {
                registers[k].tile_mut(n).fill(self.inputs[k].0.of(buffers)[0]);
            }
        }
    }

    /// Makes tiles of operands that have none: those that are repeated, and those that results will be written over. The
    /// first registers are theirs.
    fn load(&self, buffers: &[Vec<T>], registers: &mut [Register<T>], Span { start, n }: Span) {
        for ((operand, layout), register) in self.inputs.iter().zip(registers) {
            let data = || operand.of(buffers);
            match *layout {
                Layout::Full | Layout::Scalar => {}
                Layout::InPlace => register.tile_mut(n).copy_from_slice(&data()[start..start + n]),
                Layout::Row(row) => repeat(data(), start % row, register.tile_mut(n)),
                Layout::Column(width) => {
                    let data = data();
                    for (i, x) in register.tile_mut(n).iter_mut().enumerate() {
                        *x = data[(start + i) / width % data.len()];
                    }
                }
            }
        }
    }

    /// Takes what will be written out of the lists, from which is read meanwhile.
    fn take(&self, out: Out, buffers: &mut [Vec<T>], registers: &mut [Register<T>]) -> Taken<T> {
        match out {
            Out::Nowhere => Taken::Nothing,
            Out::Register(r) => Taken::Register(std::mem::take(&mut registers[self.inputs.len() + r])),
            Out::Result(k) => Taken::Buffer(std::mem::take(&mut buffers[self.results[k].buffer])),
        }
    }

    fn put_back(&self, out: Out, taken: Taken<T>, buffers: &mut [Vec<T>], registers: &mut [Register<T>]) {
        match (out, taken) {
            (Out::Register(r), Taken::Register(register)) => registers[self.inputs.len() + r] = register,
            (Out::Result(k), Taken::Buffer(buffer)) => buffers[self.results[k].buffer] = buffer,
            _ => {}
        }
    }

    fn apply(
        &self,
        micro: &Micro<T>,
        (buffers, registers): (&[Vec<T>], &[Register<T>]),
        span: Span,
        out: &mut [T],
        second: &mut [T],
    ) {
        let view = |k: usize| self.view(micro.args[k], buffers, registers, span);
        match &micro.action {
            Action::Op(kind) => {
                let op = kind.op().expect("chains are made of operations");
                let done = eval(op, micro.args.len(), view, ViewMut { shape: &self.shapes.0, data: out });
                done.expect("element-wise operations need no memory of their own");
            }
            Action::InTurn(first, then) => in_turn(*first, *then, [view(0).data, view(1).data, view(2).data], out),
            Action::WithSlope(Sloped::Sigmoid) => {
                map_vectors_to_two(view(0).data, out, second, T::sigmoid_and_slope);
            }
            Action::WithSlope(Sloped::Tanh) => map_vectors_to_two(view(0).data, out, second, T::tanh_and_sech2),
            Action::Sum(_) => unreachable!("a sum has no tile to write"),
        }
    }

    fn view<'a>(&'a self, arg: Arg, buffers: &'a [Vec<T>], registers: &'a [Register<T>], span: Span) -> View<'a, T> {
        let Span { start, n } = span;
        let (tile, scalar) = (&self.shapes.0, &self.shapes.1);
        let part = |operand: &Operand| View { shape: tile, data: &buffers[operand.buffer][start..start + n] };
        match arg {
            Arg::Spread(k) => View { shape: tile, data: registers[k].tile(n) },
            Arg::Number(k) => View { shape: tile, data: registers[self.inputs.len() + self.registers + k].tile(n) },
            Arg::Register(r) => View { shape: tile, data: registers[self.inputs.len() + r].tile(n) },
            Arg::Result(k) => part(&self.results[k]),
            Arg::Input(k) => match &self.inputs[k] {
                (operand, Layout::Full) => part(operand),
                (operand, Layout::Scalar) => View { shape: scalar, data: &buffers[operand.buffer][..1] },
                (_, Layout::Row(_) | Layout::Column(_) | Layout::InPlace) => {
                    View { shape: tile, data: registers[k].tile(n) }
                }
            },
        }
    }
}

/// Fills a tile with a row, repeated, from a place in it on.
fn repeat<T: Copy>(row: &[T], from: usize, tile: &mut [T]) {
    let mut at = from;
    let mut filled = 0;
    while filled < tile.len() {
        let n = (row.len() - at).min(tile.len() - filled);
        tile[filled..filled + n].copy_from_slice(&row[at..at + n]);
        filled += n;
        at = 0;
    }
}

impl<T: Float> fmt::Display for Chain<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |micro: &Micro<T>| match &micro.action {
            Action::Op(kind) => kind.name().to_owned(),
            Action::InTurn(first, then) => format!("{} · {}", first.name(), then.name()),
            Action::WithSlope(Sloped::Sigmoid) => "sigmoid · sigmoid_slope".to_owned(),
            Action::WithSlope(Sloped::Tanh) => "tanh · sech2".to_owned(),
            Action::Sum(_) => "sum".to_owned(),
        };
        let names: Vec<String> = self.micro.iter().map(names).collect();
        let inputs: Vec<String> =
            self.inputs.iter().map(|(o, layout)| format!("b{} {} {layout:?}", o.buffer, o.shape)).collect();
        write!(f, "chain {} over ({})", names.join(" · "), inputs.join(", "))
    }
}
