//! A product of matrices, or sums of columns, does what follows it before it stores: adds a bias, applies ReLU, keeps what a
//! ReLU let through, or takes a step of gradient descent. Such a step of rows that were read by index moves these rows alone.

use super::Rewrite;
use crate::float::Float;
use crate::kernels::product::Shape as Kernel;
use crate::kernels::take::Layout;
use crate::ops::binary::Binary;
use crate::ops::table::Kind;
use crate::ops::take::Put;
use crate::ops::unary::Unary;
use crate::program::graph::{Graph, Links};
use crate::program::operation::{Fused, Operation, Then};
use crate::tape::Tape;
use crate::tape::op::Arity;
use crate::tensor::error::Error;
use smallvec::{SmallVec, smallvec};

pub(super) struct Products;

impl<T: Float> Rewrite<T> for Products {
    fn name(&self) -> &'static str {
        "products"
    }

    fn run(&self, graph: &mut Graph<T>, _: &Tape<T>) -> Result<bool, Error> {
        let links = graph.links();
        let mut covered = vec![false; graph.nodes.len()];
        let mut changed = false;
        // From the back, so that the longest of what follows is found first.
        for i in (0..graph.nodes.len()).rev() {
            if covered[i] {
                continue;
            }
            if let Some(Followed { fused, args, inner }) = (Finder { graph, links: &links }).followed(i as u32) {
                inner.iter().for_each(|&node| covered[node as usize] = true);
                graph.nodes[i].operation = Operation::Fused(fused);
                graph.nodes[i].args = args;
                changed = true;
            }
        }
        graph.drop_nodes(&covered);
        Ok(changed)
    }
}

/// A product with what follows it: what it is, its operands, and the nodes that it makes needless.
struct Followed {
    fused: Fused,
    args: SmallVec<[u32; 3]>,
    inner: SmallVec<[u32; 3]>,
}

/// The patterns, one method for each. They are asked for the node that comes last.
struct Finder<'g, T: Float> {
    graph: &'g Graph<T>,
    links: &'g Links,
}

impl<T: Float> Finder<'_, T> {
    /// What a node is as a product with what follows it.
    fn followed(&self, i: u32) -> Option<Followed> {
        if let Some((fused, args)) = product(self.graph, i) {
            return Some(Followed { fused, args, inner: smallvec![] });
        }
        self.biased(i).or_else(|| self.gated(i)).or_else(|| self.descended(i))
    }

    /// `product + row`, or `relu(product + row)`.
    fn biased(&self, i: u32) -> Option<Followed> {
        let relu = matches!(self.kind(i), Some(Kind::Unary(Arity(Unary::Relu {}))));
        let sum = if relu { self.maker(self.args(i)[0])? } else { i };
        let Some(Kind::Binary(Arity(Binary::Add))) = self.kind(sum) else { return None };
        let (then, between) = if relu { (Then::BiasRelu(()), &[sum][..]) } else { (Then::Bias(()), &[][..]) };
        let width = self.graph.shape(self.result(i)).last().copied().unwrap_or(1);
        either(self.args(sum), |product, row| {
            let shape = self.graph.shape(row);
            let is_row = shape.numel() == width && shape.last().is_none_or(|&n| n == width);
            if is_row { self.after(i, product, then, &[row], between) } else { None }
        })
    }

    /// `product` where another is positive.
    fn gated(&self, i: u32) -> Option<Followed> {
        let Some(Kind::Binary(Arity(Binary::Gate))) = self.kind(i) else { return None };
        let (product, by) = (self.args(i)[0], self.args(i)[1]);
        let same = self.graph.shape(by) == self.graph.shape(self.result(i));
        if same { self.after(i, product, Then::Gate(()), &[by], &[]) } else { None }
    }

    /// `from − product · rate`
    fn descended(&self, i: u32) -> Option<Followed> {
        let Some(Kind::Binary(Arity(Binary::Sub))) = self.kind(i) else { return None };
        let (from, scaled) = (self.args(i)[0], self.maker(self.args(i)[1])?);
        if self.graph.shape(from) != self.graph.shape(self.result(i)) {
            return None;
        }
        if let Some(Kind::Unary(Arity(Unary::MulScalar { factor }))) = self.kind(scaled) {
            return self.after(i, self.args(scaled)[0], Then::Descend(Some(*factor)), &[from], &[scaled]);
        }
        let Some(Kind::Binary(Arity(Binary::Mul))) = self.kind(scaled) else { return None };
        either(self.args(scaled), |product, rate| {
            let is_number = self.graph.numel(rate) == 1;
            if is_number { self.after(i, product, Then::Descend(None), &[from, rate], &[scaled]) } else { None }
        })
    }

    /// A product as a node follows it, of what else that reads, through the nodes between them.
    fn after(&self, i: u32, product: u32, then: Then, of: &[u32], between: &[u32]) -> Option<Followed> {
        let product = self.maker(product)?;
        if let Then::Descend(rate) = then
            && let Some(rows) = self.rows(product, rate, of, between)
        {
            return Some(rows);
        }
        let (fused, mut args) = self::product(self.graph, product)?;
        let mut inner: SmallVec<[u32; 3]> = SmallVec::from_slice(between);
        inner.push(product);
        let alone = inner.iter().all(|&node| self.links.reads[self.result(node) as usize] == 1);
        let same = self.graph.shape(self.result(product)) == self.graph.shape(self.result(i));
        let offered = matches!(fused, Fused::Product { .. }) || matches!(then, Then::Descend(_));
        // The GEMM crate rounds an update once less.
        let rounded = !self.graph.exact || !matches!(then, Then::Descend(_)) || self.is_own(fused, product);
        args.extend_from_slice(of);
        (alone && same && offered && rounded).then_some(Followed { fused: fused.with(then), args, inner })
    }

    /// A step of gradient descent of rows that were read by index, from what adds their cotangents up.
    fn rows(&self, put: u32, rate: Option<f64>, of: &[u32], between: &[u32]) -> Option<Followed> {
        let Some(Kind::Put(op)) = self.kind(put) else { return None };
        let Put { axis: 0, layout: Layout::Shared, .. } = op.0 else { return None };
        let mut inner: SmallVec<[u32; 3]> = SmallVec::from_slice(between);
        inner.push(put);
        let alone = inner.iter().all(|&node| self.links.reads[self.result(node) as usize] == 1);
        let shape = self.graph.shape(of[0]);
        let fits = alone && shape == self.graph.shape(self.result(put)) && shape.numel() > 0;
        let count = self.graph.numel(self.args(put)[1]);
        let args = self.args(put).iter().chain(of).copied().collect();
        (fits && count > 0 && u32::try_from(count).is_ok()).then_some(Followed {
            fused: Fused::Rows { rate },
            args,
            inner,
        })
    }

    /// Whether our own kernels compute a product.
    fn is_own(&self, fused: Fused, product: u32) -> bool {
        let Fused::Product { ta, tb, .. } = fused else { return true };
        let first = self.graph.shape(self.args(product)[0]);
        Kernel::of::<T>(fused.sizes(first, self.graph.shape(self.result(product))), ta, tb).is_some()
    }

    fn kind(&self, i: u32) -> Option<&Kind<T>> {
        self.graph.nodes[i as usize].kind()
    }

    fn args(&self, i: u32) -> &[u32] {
        &self.graph.nodes[i as usize].args
    }

    fn result(&self, i: u32) -> u32 {
        self.graph.nodes[i as usize].results[0]
    }

    /// The node that makes a value.
    fn maker(&self, value: u32) -> Option<u32> {
        let maker = self.links.maker[value as usize];
        ((maker as usize) < self.graph.nodes.len()).then_some(maker)
    }
}

/// A product of two matrices (or of rows with a matrix), or the sums of a matrix's columns, and its operands.
pub(super) fn product<T: Float>(graph: &Graph<T>, i: u32) -> Option<(Fused, SmallVec<[u32; 3]>)> {
    let node = &graph.nodes[i as usize];
    let shape = |k: usize| graph.shape(node.args[k]);
    let then = Then::Keep;
    #[allow(clippy::wildcard_enum_match_arm, reason = "two of a large table")]
    let fused = match node.kind()? {
        Kind::MatMul(Arity(op)) => {
            let fits = shape(1).rank() == 2 && (shape(0).rank() == 2 || !op.ta);
            fits.then_some(Fused::Product { ta: op.ta, tb: op.tb, then })
        }
        Kind::AddAt(op) => op.0.is_column_sums(shape(0)).then_some(Fused::ColumnSums { then }),
        _ => None,
    };
    fused.map(|fused| (fused, node.args.clone()))
}

/// What `f` finds in one order of two operands or in the other.
fn either<R>(args: &[u32], f: impl Fn(u32, u32) -> Option<R>) -> Option<R> {
    f(args[0], args[1]).or_else(|| f(args[1], args[0]))
}
