//! Nets of one hidden layer: a whole step of one, found among fused operations, becomes one operation.

use super::fuse::{Fused, Then};
use super::graph::{Graph, Source};
use crate::float::Float;
use crate::kernels::perceptron::Sizes;
use crate::kernels::product::Shape;
use crate::ops::cross_entropy::Reduction;
use smallvec::{SmallVec, smallvec};

/// A step of a net by its nodes.
struct Net {
    operands: SmallVec<[u32; 3]>,
    fused: Fused,
    /// The loss, and what becomes of `W1`, `b1`, `W2` and `b2`.
    results: [u32; 5],
    /// What is no longer computed by itself.
    inner: [u32; 4],
}

/// Whether two steps are the same, bit by bit: `p − 0 · dp` is not `p − (−0) · dp` where `p` is `−0`.
fn same_step(a: Then, b: Then) -> bool {
    match (a, b) {
        (Then::Descend { rate: Some(a) }, Then::Descend { rate: Some(b) }) => a.to_bits() == b.to_bits(),
        (a, b) => a == b,
    }
}

/// The nodes that read each node, each once.
type Readers = Vec<SmallVec<[u32; 4]>>;

impl<T: Float> Graph<T> {
    /// Replaces the steps of nets of one hidden layer, few features and few classes by one operation each.
    pub(super) fn fuse_nets(&mut self) {
        let needed = self.needed();
        let mut readers: Readers = vec![smallvec![]; self.nodes.len()];
        for (i, node) in self.nodes.iter().enumerate().filter(|&(i, _)| needed[i]) {
            for &a in &node.args {
                if readers[a as usize].last() != Some(&(i as u32)) {
                    readers[a as usize].push(i as u32);
                }
            }
        }
        for loss in 0..self.nodes.len() as u32 {
            if !needed[loss as usize] {
                continue;
            }
            let Some(net) = self.net_of(loss, &readers) else { continue };
            let last = *net.results.iter().max().expect("there are five results");
            if !self.stands_alone(&net, last, &readers) {
                continue;
            }
            for &result in net.results.iter().filter(|&&result| result != last) {
                self.nodes[result as usize].source = Source::Beside;
                self.nodes[result as usize].args = smallvec![last];
            }
            self.nodes[last as usize].source = Source::Fused(net.fused);
            self.nodes[last as usize].args = net.operands;
        }
    }

    fn fused(&self, i: u32) -> Option<(Fused, &[u32])> {
        let node = &self.nodes[i as usize];
        match node.source {
            Source::Fused(fused) => Some((fused, &node.args)),
            Source::Input | Source::State | Source::Constant(_) | Source::Op(_) | Source::Beside => None,
        }
    }

    /// An operation that sums over rows, fused with what follows it or not, and its operands.
    fn operation(&self, i: u32) -> Option<(Fused, SmallVec<[u32; 3]>)> {
        let fused = self.fused(i).map(|(fused, args)| (fused, SmallVec::from_slice(args)));
        fused.or_else(|| self.product(i))
    }

    /// The net that a loss is of, if all of its gradients are asked for, and nothing else is made of what is between.
    fn net_of(&self, loss: u32, readers: &Readers) -> Option<Net> {
        let reads = |i: u32| &readers[i as usize][..];
        let shape = |i: u32| &self.nodes[i as usize].shape;
        let (Fused::LossAndGradient(reduction), &[scores, labels, dy]) = self.fused(loss)? else { return None };
        let (Fused::Product { ta: false, tb: false, then: Then::Bias }, &[o1, w2, b2]) = self.fused(scores)? else {
            return None;
        };
        let (Fused::Product { ta: false, tb: false, then: Then::BiasRelu }, &[x, w1, b1]) = self.fused(o1)? else {
            return None;
        };
        let ds = *reads(loss).iter().find(|&&i| matches!(self.nodes[i as usize].source, Source::Beside))?;
        let gated = |&&i: &&u32| {
            let gate = Fused::Product { ta: false, tb: true, then: Then::Gate };
            self.fused(i).is_some_and(|(fused, args)| fused == gate && args == [ds, w2, o1])
        };
        let dz1 = *reads(ds).iter().find(gated)?;
        let product = |a: u32, b: u32| {
            self.gradient(reads(b), |fused| matches!(fused, Fused::Product { ta: true, tb: false, .. }), &[a, b])
        };
        let sums = |a: u32| self.gradient(reads(a), |fused| matches!(fused, Fused::ColumnSums { .. }), &[a]);
        let found = [product(x, dz1)?, sums(dz1)?, product(o1, ds)?, sums(ds)?];
        let matrices = shape(x).rank() == 2 && reduction != Reduction::None;
        let all_read =
            reads(scores).len() == 1 && reads(o1).len() == 3 && reads(ds).len() == 3 && reads(dz1).len() == 2;
        // Parameters all take the same step, or all gradients are asked for.
        let (then, rate) = (found[0].1, found[0].2);
        let params = [w1, b1, w2, b2];
        let steps = found
            .iter()
            .zip(params)
            .all(|(&(_, t, r, from), param)| same_step(t, then) && r == rate && from.is_none_or(|from| from == param));
        let results = [loss, found[0].0, found[1].0, found[2].0, found[3].0];
        let mut operands: SmallVec<[u32; 3]> = smallvec![x, w1, b1, w2, b2, labels, dy];
        operands.extend(rate);
        let net = Net {
            operands,
            fused: Fused::Perceptron { reduction, then, results },
            results,
            inner: [scores, o1, ds, dz1],
        };
        // A step whose size is the loss needs the loss first.
        let apart = net.operands.iter().all(|operand| !results.contains(operand));
        (matrices && apart && all_read && steps && self.fits(&net)).then_some(net)
    }

    /// The reader that is this operation, with what follows it, the rate's node, and the node that a step starts from.
    fn gradient(
        &self,
        readers: &[u32],
        is: impl Fn(Fused) -> bool,
        operands: &[u32],
    ) -> Option<(u32, Then, Option<u32>, Option<u32>)> {
        readers.iter().find_map(|&i| {
            let (fused, args) = self.operation(i)?;
            let (own, rest) = args.split_at_checked(operands.len())?;
            let then = fused.then();
            let fits = is(fused) && own == operands && matches!(then, Then::Nothing | Then::Descend { .. });
            fits.then(|| (i, then, rest.get(1).copied(), rest.first().copied()))
        })
    }

    /// The sizes of a net by its operands.
    pub(super) fn net_sizes(&self, operands: &[u32]) -> Sizes {
        let size = |operand: usize, axis: usize| self.nodes[operands[operand] as usize].shape[axis];
        Sizes { rows: size(0, 0), features: size(0, 1), hidden: size(3, 0), classes: size(3, 1) }
    }

    /// Whether the kernels of the single operations are those whose sums the sweep repeats, and the sizes are its own.
    fn fits(&self, net: &Net) -> bool {
        let sizes = self.net_sizes(&net.operands);
        let Sizes { rows, features, hidden, classes } = sizes;
        let own = |sizes, ta, tb| Shape::of::<T>(sizes, ta, tb);
        sizes.fit()
            && own((rows, features, hidden), false, false) == Some(Shape::Rows)
            && own((rows, hidden, classes), false, false) == Some(Shape::Dots)
            && own((rows, classes, hidden), false, true) == Some(Shape::Rows)
            && own((features, rows, hidden), true, false).is_some()
            && own((hidden, rows, classes), true, false).is_some()
    }

    /// Whether nobody else asks for what is between, and nobody reads a result before the last is there.
    fn stands_alone(&self, net: &Net, last: u32, readers: &Readers) -> bool {
        let asked = |i: &u32| self.roots().any(|root| root == *i);
        let ours = |i: &u32| net.inner.contains(i) || net.results.contains(i);
        let in_time = net.results.iter().flat_map(|&result| &readers[result as usize]).all(|i| ours(i) || *i > last);
        in_time && !net.inner.iter().any(asked)
    }
}
