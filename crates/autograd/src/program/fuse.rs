//! Fusion: operations that are computed together with the one they follow, while its result is at hand.
//!
//! A product of matrices (or sums of columns) does what follows it before it stores: adds a bias, applies ReLU, keeps what
//! a ReLU let through, or takes a step of gradient descent. A cross-entropy and its gradient share their exponentials.

use super::graph::{Graph, Source};
use super::plan::{Operand, list};
use crate::float::Float;
use crate::kernels::finish::Finish;
use crate::kernels::product::Shape;
use crate::ops::binary::Binary;
use crate::ops::cross_entropy::Reduction;
use crate::ops::table::Kind;
use crate::ops::unary::Unary;
use crate::tape::op::{Arity, View};
use smallvec::{SmallVec, smallvec};
use std::fmt;

/// An operation of a program that is several of the tape's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fused {
    /// `op(a) · op(b)`, of operands `a`, `b` and those of what follows.
    Product { ta: bool, tb: bool, then: Then },
    /// The sums of the columns of the first operand.
    ColumnSums { then: Then },
    /// The loss of scores and labels, and its gradient for the cotangent that is the third operand: two results.
    LossAndGradient(Reduction),
}

/// What follows a product, and the operands that it reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Then {
    Nothing,
    /// A row is added.
    Bias,
    /// A row is added, and ReLU applied.
    BiasRelu,
    /// Kept where an operand is positive.
    Gate,
    /// An operand, less the product times a rate: a number, or one more operand.
    Descend {
        rate: Option<f64>,
    },
}

impl Fused {
    fn with(self, following: Then) -> Self {
        match self {
            Self::Product { ta, tb, .. } => Self::Product { ta, tb, then: following },
            Self::ColumnSums { .. } => Self::ColumnSums { then: following },
            Self::LossAndGradient(_) => self,
        }
    }

    /// How many operands come before those of what follows.
    pub(super) fn own_operands(self) -> usize {
        match self {
            Self::Product { .. } => 2,
            Self::ColumnSums { .. } => 1,
            Self::LossAndGradient(_) => 3,
        }
    }

    pub(super) fn then(self) -> Then {
        match self {
            Self::Product { then, .. } | Self::ColumnSums { then } => then,
            Self::LossAndGradient(_) => Then::Nothing,
        }
    }

    /// The operand that the result may be written over: the one that a step of gradient descent starts from.
    pub(super) fn updates(self) -> Option<usize> {
        matches!(self.then(), Then::Descend { .. }).then(|| self.own_operands())
    }
}

/// A product with what follows it: what it is, its operands, and the nodes that it makes needless.
struct Followed {
    fused: Fused,
    args: SmallVec<[u32; 3]>,
    inner: SmallVec<[u32; 3]>,
}

impl<T: Float> Graph<T> {
    /// Replaces products with what follows them, and losses with their gradients, by operations that compute both.
    pub(super) fn fuse(&mut self) {
        let (needed, readers) = (self.needed(), self.readers());
        let mut covered = vec![false; self.nodes.len()];
        // From the back, so that the longest of what follows is found first.
        for i in (0..self.nodes.len()).rev().filter(|&i| needed[i]) {
            if covered[i] {
                continue;
            }
            if let Some(Followed { fused, args, inner }) = self.followed(i as u32, &readers) {
                inner.iter().for_each(|&k| covered[k as usize] = true);
                self.nodes[i].source = Source::Fused(fused);
                self.nodes[i].args = args;
            } else if let Some(Kind::CrossEntropyGrad(Arity(op))) = self.op(i as u32) {
                self.pair(i, op.reduction(), &needed);
            }
        }
    }

    /// How many needed nodes read each node; what is asked for outside counts as read twice.
    pub(super) fn readers(&self) -> Vec<usize> {
        let needed = self.needed();
        let mut readers = vec![0; self.nodes.len()];
        for (_, node) in self.nodes.iter().enumerate().filter(|&(i, _)| needed[i]) {
            node.args.iter().for_each(|&a| readers[a as usize] += 1);
        }
        self.roots().for_each(|root| readers[root as usize] += 2);
        readers
    }

    fn op(&self, i: u32) -> Option<&Kind<T>> {
        if let Source::Op(kind) = &self.nodes[i as usize].source { Some(kind) } else { None }
    }

    /// What node `i` is as a product with what follows it.
    fn followed(&self, i: u32, readers: &[usize]) -> Option<Followed> {
        if let Some((fused, args)) = self.product(i) {
            let inner = smallvec![];
            return matches!(fused, Fused::Product { .. }).then_some(Followed { fused, args, inner });
        }
        self.biased(i, readers).or_else(|| self.gated(i, readers)).or_else(|| self.descended(i, readers))
    }

    /// A product as node `i` follows it, of what else that reads, through the nodes between them.
    fn after(
        &self,
        (i, readers): (u32, &[usize]),
        product: u32,
        then: Then,
        of: &[u32],
        between: &[u32],
    ) -> Option<Followed> {
        let (fused, mut args) = self.product(product)?;
        let mut inner: SmallVec<[u32; 3]> = SmallVec::from_slice(between);
        inner.push(product);
        let alone = inner.iter().all(|&k| readers[k as usize] == 1);
        let same = self.nodes[product as usize].shape == self.nodes[i as usize].shape;
        let offered = matches!(fused, Fused::Product { .. }) || matches!(then, Then::Descend { .. });
        // The GEMM crate rounds an update once less.
        let rounded = !self.exact || !matches!(then, Then::Descend { .. }) || self.is_own(product);
        args.extend_from_slice(of);
        (alone && same && offered && rounded).then_some(Followed { fused: fused.with(then), args, inner })
    }

    /// Whether our own kernels compute a product.
    fn is_own(&self, product: u32) -> bool {
        let node = &self.nodes[product as usize];
        let Some((Fused::Product { ta, tb, .. }, args)) = self.product(product) else { return true };
        let first = &self.nodes[args[0] as usize].shape;
        let n = node.shape.last().copied().unwrap_or(1);
        let k = if ta { first[0] } else { first.last().copied().unwrap_or(1) };
        Shape::of::<T>((node.shape.numel() / n.max(1), k, n), ta, tb).is_some()
    }

    /// `product + row`, or `relu(product + row)`.
    fn biased(&self, i: u32, readers: &[usize]) -> Option<Followed> {
        let relu = matches!(self.op(i), Some(Kind::Unary(Arity(Unary::Relu {}))));
        let sum = if relu { self.nodes[i as usize].args[0] } else { i };
        let Some(Kind::Binary(Arity(Binary::Add))) = self.op(sum) else { return None };
        let (then, between) = if relu { (Then::BiasRelu, &[sum][..]) } else { (Then::Bias, &[][..]) };
        let width = self.nodes[i as usize].shape.last().copied().unwrap_or(1);
        either(&self.nodes[sum as usize].args, |product, row| {
            let shape = &self.nodes[row as usize].shape;
            let is_row = shape.numel() == width && shape.last().is_none_or(|&n| n == width);
            if is_row { self.after((i, readers), product, then, &[row], between) } else { None }
        })
    }

    /// `product` where another is positive.
    fn gated(&self, i: u32, readers: &[usize]) -> Option<Followed> {
        let Some(Kind::Binary(Arity(Binary::Gate))) = self.op(i) else { return None };
        let node = &self.nodes[i as usize];
        let same = self.nodes[node.args[1] as usize].shape == node.shape;
        if same { self.after((i, readers), node.args[0], Then::Gate, &[node.args[1]], &[]) } else { None }
    }

    /// `from − product · rate`
    fn descended(&self, i: u32, readers: &[usize]) -> Option<Followed> {
        let Some(Kind::Binary(Arity(Binary::Sub))) = self.op(i) else { return None };
        let (from, scaled) = (self.nodes[i as usize].args[0], self.nodes[i as usize].args[1]);
        if self.nodes[from as usize].shape != self.nodes[i as usize].shape {
            return None;
        }
        let args = &self.nodes[scaled as usize].args;
        if let Some(Kind::Unary(Arity(Unary::MulScalar { factor }))) = self.op(scaled) {
            let then = Then::Descend { rate: Some(*factor) };
            return self.after((i, readers), args[0], then, &[from], &[scaled]);
        }
        let Some(Kind::Binary(Arity(Binary::Mul))) = self.op(scaled) else { return None };
        either(args, |product, rate| {
            let is_number = self.nodes[rate as usize].shape.numel() == 1;
            let then = Then::Descend { rate: None };
            if is_number { self.after((i, readers), product, then, &[from, rate], &[scaled]) } else { None }
        })
    }

    /// A product of two matrices (or of rows with a matrix), or the sums of a matrix's columns, and its operands.
    pub(super) fn product(&self, i: u32) -> Option<(Fused, SmallVec<[u32; 3]>)> {
        let node = &self.nodes[i as usize];
        let shape = |k: usize| &self.nodes[node.args[k] as usize].shape;
        let then = Then::Nothing;
        let fused = if let Kind::MatMul(Arity(op)) = self.op(i)? {
            let fits = shape(1).rank() == 2 && (shape(0).rank() == 2 || !op.ta);
            fits.then_some(Fused::Product { ta: op.ta, tb: op.tb, then })
        } else if let Kind::AddAt(Arity(op)) = self.op(i)? {
            op.is_column_sums(shape(0)).then_some(Fused::ColumnSums { then })
        } else {
            None
        };
        fused.map(|fused| (fused, node.args.clone()))
    }

    /// Computes the gradient at node `i` with the loss that it is the gradient of, if that is asked for, and if the
    /// cotangent is there in time.
    fn pair(&mut self, i: usize, reduction: Reduction, needed: &[bool]) {
        let args = self.nodes[i].args.clone();
        let is_loss = |j: usize| {
            let same = self.nodes[j].args[..] == args[..2] && needed[j];
            same && matches!(self.op(j as u32), Some(Kind::CrossEntropy(Arity(op))) if op.reduction() == reduction)
        };
        if self.nodes[args[2] as usize].source.is_computed() {
            return;
        }
        if let Some(j) = (0..i).find(|&j| is_loss(j)) {
            self.nodes[j].source = Source::Fused(Fused::LossAndGradient(reduction));
            self.nodes[j].args = args;
            self.nodes[i].source = Source::Beside;
            self.nodes[i].args = smallvec![j as u32];
        }
    }
}

/// What `f` finds in one order of two operands or in the other.
fn either<R>(args: &[u32], f: impl Fn(u32, u32) -> Option<R>) -> Option<R> {
    f(args[0], args[1]).or_else(|| f(args[1], args[0]))
}

/// A fused operation in its place.
pub(super) struct FusedStep {
    pub(super) fused: Fused,
    pub(super) args: SmallVec<[Operand; 5]>,
    pub(super) result: Operand,
    /// Further results.
    pub(super) beside: Vec<Operand>,
    /// `(m, k, n)` of a product.
    sizes: (usize, usize, usize),
}

impl FusedStep {
    pub(super) fn new(fused: Fused, args: SmallVec<[Operand; 5]>, result: Operand, beside: Vec<Operand>) -> Self {
        let n = result.shape.last().copied().unwrap_or(1);
        let m = result.len.checked_div(n).unwrap_or(0);
        let k = match (fused, &args[0].shape[..]) {
            (Fused::Product { ta: true, .. }, [k, ..]) | (Fused::Product { ta: false, .. }, [.., k]) => *k,
            _ => 0,
        };
        Self { fused, args, result, beside, sizes: (m, k, n) }
    }

    pub(super) fn run<T: Float>(&self, buffers: &[Vec<T>], result: &mut [T], second: &mut [T]) {
        let slice = |k: usize| self.args[k].of(buffers);
        let own = self.fused.own_operands();
        let finish = match self.fused.then() {
            Then::Nothing => Finish::Keep,
            Then::Bias => Finish::Bias(slice(own)),
            Then::BiasRelu => Finish::BiasRelu(slice(own)),
            Then::Gate => Finish::Gate(slice(own)),
            Then::Descend { rate } => {
                if self.args[own].buffer != self.result.buffer {
                    result.copy_from_slice(slice(own));
                }
                Finish::Descend(rate.map_or_else(|| slice(own + 1)[0], T::of))
            }
        };
        match self.fused {
            Fused::Product { ta, tb, .. } => {
                T::matmul(self.sizes, (slice(0), ta), (slice(1), tb), result, finish);
            }
            Fused::ColumnSums { .. } => T::column_sums(slice(0), result, finish),
            Fused::LossAndGradient(reduction) => {
                let view = |k: usize| View { shape: &self.args[k].shape, data: slice(k) };
                reduction.eval(view(0), view(1), result, Some((slice(2), second)));
            }
        }
    }
}

impl fmt::Display for FusedStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (args, results) = (list(&self.args), list(std::iter::once(&self.result).chain(&self.beside)));
        let first = match self.fused {
            Fused::Product { .. } => "matmul",
            Fused::ColumnSums { .. } => "sum",
            Fused::LossAndGradient(_) => "cross_entropy · cross_entropy_grad",
        };
        let then = match self.fused.then() {
            Then::Nothing => "",
            Then::Bias => " · add",
            Then::BiasRelu => " · add · relu",
            Then::Gate => " · gate",
            Then::Descend { .. } => " · mul · sub",
        };
        write!(f, "{results} = {first}{then}({args})")
    }
}
