//! How the operands of element-wise operations lie over their result.

use crate::float::Float;
use crate::kernels::chain::{Fill, Seen};
use crate::kernels::place::Place;
use crate::kernels::spread::Spread;
use crate::kernels::window::Window;
use crate::ops::table::Kind;
use crate::ops::view::{AddAt, Read};
use crate::program::graph::{Graph, Node};
use crate::tensor::shape::Shape;

/// How an operand is laid over the result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// An element for each of the result.
    Full,
    /// One for all.
    Scalar,
    /// A row of this many, repeated.
    Row(usize),
    /// An element for this many neighbours, then the next.
    Column(usize),
    /// Rows and columns in turn.
    Spread(Spread),
    /// Neighbours of the operand, from one on.
    From(u32),
    /// Another part of the operand, or the operand and zeros around it.
    Window(Window),
}

impl Layout {
    /// How an operand of this shape is laid over a result, if it is.
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
            _ => {
                let fits = operand.broadcast(result).is_some_and(|shape| shape == *result);
                fits.then(|| Self::Spread(Spread::new(result, &operand.strides_in(result))))
            }
        }
    }

    /// How a node of a chain reads an operand, if it can be part of one.
    #[allow(clippy::wildcard_enum_match_arm, reason = "few of a large table")]
    pub(super) fn of_member<T: Float>(graph: &Graph<T>, node: &Node<T>, operand: u32) -> Option<Self> {
        let (operand, result) = (graph.shape(operand), graph.shape(node.results[0]));
        match node.kind()? {
            Kind::Read(_) if repeats(graph, node) => Self::of(operand, result),
            Kind::Read(op) => {
                let Read { shape, offset, strides, .. } = &op.0;
                Window::read(shape, *offset, strides).map(Self::through)
            }
            Kind::Roll(op) => op.0.window(operand).map(Self::through),
            Kind::AddAt(op) if op.0.sums_all() => Some(Self::Full),
            Kind::AddAt(op) => {
                let AddAt { name, shape, offset, strides } = &op.0;
                Window::put(operand, shape, *offset, strides, *name != "pad").map(Self::through)
            }
            Kind::Unary(_) | Kind::Binary(_) | Kind::Select(_) => Self::of(operand, result),
            _ => None,
        }
    }

    fn through(window: Window) -> Self {
        match window.start() {
            Some(start) => Self::From(start),
            None => Self::Window(window),
        }
    }

    /// Whether each of so many rows of a result has elements of the operand's own, which come one after the other, or all rows have
    /// the same ones; nothing where neither is so.
    pub(super) fn by_rows(&self, operand: &Shape, result: &Shape, rows: usize) -> Option<bool> {
        let width = result.numel() / rows;
        match self {
            Self::Full => Some(true),
            Self::Scalar => Some(false),
            Self::From(_) => None,
            Self::Row(n) => width.is_multiple_of(*n).then_some(false),
            Self::Column(n) => width.is_multiple_of(*n).then_some(true),
            Self::Spread(spread) => match spread.period() {
                Some(n) => width.is_multiple_of(n).then_some(false),
                None => spread.divides(rows).then_some(true),
            },
            Self::Window(window) => window.divides(rows, operand.numel()).then_some(true),
        }
    }

    /// The neighbours among the result's elements that a row of the operand has, or that one of its elements stands for.
    pub(super) fn width(&self) -> Option<usize> {
        match *self {
            Self::Row(n) | Self::Column(n) => Some(n),
            Self::Full | Self::Scalar | Self::Spread(_) | Self::From(_) | Self::Window(_) => None,
        }
    }

    /// What a register of a chain holds of an operand of so many elements, which is not read as it is; `by_row` where each row
    /// of a block has its own.
    pub(super) fn fill<T>(&self, from: Place, len: usize, by_row: bool) -> Fill<T> {
        match self {
            Self::Full | Self::From(_) => Fill::Before(from),
            Self::Scalar => Fill::Number(from),
            Self::Row(n) => Fill::Row(from, *n),
            Self::Column(width) => Fill::Column(from, *width),
            Self::Spread(spread) => Fill::Spread { from, spread: spread.clone(), len, by_row },
            Self::Window(window) => Fill::Window(Seen { from, window: window.clone(), len, by_row }),
        }
    }
}

/// Whether a node is a broadcast that repeats elements of its operand.
pub(super) fn repeats<T: Float>(graph: &Graph<T>, node: &Node<T>) -> bool {
    let Some(Kind::Read(op)) = node.kind() else { return false };
    let operand = graph.shape(node.args[0]);
    op.0.is_broadcast_of(operand) && operand.numel() < op.0.shape.numel()
}

/// Whether a node is element-wise, so that it can be part of a chain.
pub(super) fn is_element_wise<T: Float>(graph: &Graph<T>, node: u32) -> bool {
    let node = &graph.nodes[node as usize];
    let Some(Kind::Unary(_) | Kind::Binary(_) | Kind::Select(_)) = node.kind() else { return false };
    let shape = graph.shape(node.results[0]);
    shape.numel() > 0 && node.args.iter().all(|&a| Layout::of(graph.shape(a), shape).is_some())
}
