//! Chains of element-wise operations, run tile by tile, so that intermediate values stay in the first-level cache.

use super::graph::{Graph, Source};
use super::plan::Operand;
use crate::float::Float;
use crate::op::{Kind, SliceOp, View, ViewMut, eval};
use crate::shape::Shape;
use std::fmt;

/// Elements of a tile: a few registers of it fit the first-level cache beside the operands.
pub(super) const TILE: usize = 1024;

/// A tree of element-wise operations whose last one writes the result.
pub(super) struct Chain<T: Float> {
    pub(super) inputs: Vec<(Operand, Layout)>,
    pub(super) micro: Vec<Micro<T>>,
    pub(super) result: Operand,
    /// The shape of a full tile, and of a scalar, as operations want to see them.
    pub(super) shapes: (Shape, Shape),
}

/// How an operand is laid over the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
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

/// One operation of a chain: it reads operands and registers and writes a register.
pub(super) struct Micro<T: Float> {
    pub(super) kind: Kind<T>,
    pub(super) args: Vec<Arg>,
    pub(super) register: usize,
}

/// An operand of one operation of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arg {
    Input(usize),
    Register(usize),
}

impl Layout {
    /// How an operand of this shape is laid over a result, if it is simple enough.
    pub(super) fn of(operand: &Shape, result: &Shape) -> Option<Self> {
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

/// Whether an operation is element-wise, so that it can be part of a chain.
pub(super) fn is_element_wise<T: Float>(graph: &Graph<T>, index: u32) -> bool {
    let node = &graph.nodes[index as usize];
    let Source::Op(kind) = &node.source else { return false };
    matches!(kind, Kind::Unary(_) | Kind::Binary(_) | Kind::Select(_))
        && node.shape.numel() > 0
        && node.args.iter().all(|&a| Layout::of(&graph.nodes[a as usize].shape, &node.shape).is_some())
}

impl<T: Float> Chain<T> {
    /// How many registers its operations and its repeated operands need.
    pub(super) fn registers(&self) -> usize {
        self.inputs.len() + self.micro.iter().map(|m| m.register + 1).max().unwrap_or(0)
    }

    pub(super) fn run(&self, buffers: &[Vec<T>], registers: &mut [Vec<T>], result: &mut [T]) {
        // The first registers hold tiles of operands that are repeated; those of operations come behind.
        let base = self.inputs.len();
        let mut start = 0;
        for tile in result.chunks_mut(TILE) {
            for (k, (operand, layout)) in self.inputs.iter().enumerate() {
                let data = || &buffers[operand.buffer][..operand.len];
                match *layout {
                    Layout::Full | Layout::Scalar => {}
                    Layout::InPlace => registers[k][..tile.len()].copy_from_slice(tile),
                    Layout::Row(n) => repeat(data(), start % n, &mut registers[k][..tile.len()]),
                    Layout::Column(n) => {
                        let (register, data) = (&mut registers[k][..tile.len()], data());
                        for (i, x) in register.iter_mut().enumerate() {
                            *x = data[(start + i) / n % data.len()];
                        }
                    }
                }
            }
            for (i, micro) in self.micro.iter().enumerate() {
                if i + 1 == self.micro.len() {
                    self.apply(micro, buffers, registers, start, tile);
                } else {
                    let mut register = std::mem::take(&mut registers[base + micro.register]);
                    self.apply(micro, buffers, registers, start, &mut register[..tile.len()]);
                    registers[base + micro.register] = register;
                }
            }
            start += tile.len();
        }
    }

    fn apply(&self, micro: &Micro<T>, buffers: &[Vec<T>], registers: &[Vec<T>], start: usize, out: &mut [T]) {
        let (tile, scalar) = (&self.shapes.0, &self.shapes.1);
        let n = out.len();
        let view = |k: usize| match micro.args[k] {
            Arg::Register(r) => View { shape: tile, data: &registers[self.inputs.len() + r][..n] },
            Arg::Input(k) => {
                let (operand, layout) = &self.inputs[k];
                match layout {
                    Layout::Full => View { shape: tile, data: &buffers[operand.buffer][start..start + n] },
                    Layout::Scalar => View { shape: scalar, data: &buffers[operand.buffer][..1] },
                    Layout::Row(_) | Layout::Column(_) | Layout::InPlace => {
                        View { shape: tile, data: &registers[k][..n] }
                    }
                }
            }
        };
        let op = micro.kind.op().expect("chains are made of operations");
        let y = ViewMut { shape: tile, data: out };
        eval(op, micro.args.len(), view, y);
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
        let names: Vec<&str> = self.micro.iter().map(|m| m.kind.op().map_or("", SliceOp::name)).collect();
        let inputs: Vec<String> =
            self.inputs.iter().map(|(o, layout)| format!("b{} {} {layout:?}", o.buffer, o.shape)).collect();
        write!(f, "chain {} over ({})", names.join(" · "), inputs.join(", "))
    }
}
