//! Nets of one hidden layer: a whole step of one, found among fused operations, becomes one operation.

use super::fuse::{Fused, Then};
use super::graph::{Graph, Source};
use super::plan::{Operand, list};
use crate::float::Float;
use crate::kernels::finish::Rate;
use crate::kernels::perceptron::{Buffers, Planned, Sizes};
use crate::kernels::product::Shape;
use crate::number::level::Level;
use crate::ops::cross_entropy::Reduction;
use crate::tensor::memory::{self, OutOfMemory};
use smallvec::{SmallVec, smallvec};
use std::fmt;

/// A step of a net, of the operands that [`Source::Net`] lists.
#[derive(Clone, Copy, Debug)]
pub(super) struct Net {
    /// Whether the loss is the mean of the losses of the rows, or their sum.
    mean: bool,
    /// What becomes of a gradient: nothing, or a step of gradient descent.
    then: Then,
    /// The loss, and the gradients or next values of `W1`, `b1`, `W2` and `b2`.
    pub(super) results: [u32; 5],
}

impl Net {
    /// The operand that a result may be written over: the one that its step of gradient descent starts from.
    pub(super) fn updates(self, result: u32) -> Option<usize> {
        // Parameters stand behind `x`, and their next values behind the loss.
        let parameter = self.results.iter().position(|&r| r == result).filter(|&k| k > 0);
        parameter.filter(|_| matches!(self.then, Then::Descend { .. }))
    }
}

/// A net as it was found.
struct Found {
    net: Net,
    operands: SmallVec<[u32; 3]>,
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
            let Some(found) = self.net_of(loss, &readers) else { continue };
            let last = *found.net.results.iter().max().expect("there are five results");
            if !self.stands_alone(&found, last, &readers) {
                continue;
            }
            let Found { net, operands, .. } = found;
            for &result in net.results.iter().filter(|&&result| result != last) {
                self.nodes[result as usize].source = Source::Beside;
                self.nodes[result as usize].args = smallvec![last];
            }
            self.nodes[last as usize].source = Source::Net(net);
            self.nodes[last as usize].args = operands;
        }
    }

    fn fused(&self, i: u32) -> Option<(Fused, &[u32])> {
        let node = &self.nodes[i as usize];
        if let Source::Fused(fused) = node.source { Some((fused, &node.args)) } else { None }
    }

    /// An operation that sums over rows, fused with what follows it or not, and its operands.
    fn operation(&self, i: u32) -> Option<(Fused, SmallVec<[u32; 3]>)> {
        let fused = self.fused(i).map(|(fused, args)| (fused, SmallVec::from_slice(args)));
        fused.or_else(|| self.product(i))
    }

    /// The net that a loss is of, if all of its gradients are asked for, and nothing else is made of what is between.
    fn net_of(&self, loss: u32, readers: &Readers) -> Option<Found> {
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
        // A step whose size is the loss needs the loss first.
        let apart = operands.iter().all(|operand| !results.contains(operand));
        let fits = matrices && apart && all_read && steps && self.fits(&operands);
        let net = Net { mean: reduction == Reduction::Mean, then, results };
        fits.then(|| Found { net, operands, inner: [scores, o1, ds, dz1] })
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
    fn net_sizes(&self, operands: &[u32]) -> Sizes {
        let size = |operand: usize, axis: usize| self.nodes[operands[operand] as usize].shape[axis];
        Sizes { rows: size(0, 0), features: size(0, 1), hidden: size(3, 0), classes: size(3, 1) }
    }

    /// A net on the buffers of its values; its scratch memory gets one behind those that there are.
    pub(super) fn plan_net(
        &self,
        net: Net,
        operands: &[u32],
        place: &[Option<usize>],
        buffers: &mut Vec<Vec<T>>,
    ) -> Result<Planned<T>, OutOfMemory> {
        let at = |value: u32| place[value as usize].expect("what is read has a place");
        let sizes = self.net_sizes(operands);
        let [loss, results @ ..] = net.results.map(at);
        let rate = match net.then {
            Then::Descend { rate } => Some(Rate::new(rate, || at(operands[7]))),
            Then::Nothing | Then::Bias | Then::BiasRelu | Then::Gate => None,
        };
        buffers.push(memory::zeros(sizes.scratch::<T>())?);
        let buffers = Buffers {
            x: at(operands[0]),
            params: std::array::from_fn(|k| at(operands[1 + k])),
            labels: at(operands[5]),
            cotangent: at(operands[6]),
            loss,
            results,
            rate,
            scratch: buffers.len() - 1,
        };
        Ok(Planned::new(sizes, net.mean, buffers))
    }

    /// Whether the kernels of the single operations are those whose sums the sweep repeats, and the sizes are its own.
    fn fits(&self, operands: &[u32]) -> bool {
        let sizes = self.net_sizes(operands);
        let Sizes { rows, features, hidden, classes } = sizes;
        let own = |sizes, ta, tb| Shape::of::<T>(sizes, ta, tb);
        sizes.fit()
            && Level::best().has_vectors()
            && own((rows, features, hidden), false, false) == Some(Shape::Rows)
            && own((rows, hidden, classes), false, false) == Some(Shape::Dots)
            && own((rows, classes, hidden), false, true) == Some(Shape::Rows)
            && own((features, rows, hidden), true, false).is_some()
            && own((hidden, rows, classes), true, false).is_some()
    }

    /// Whether nobody else asks for what is between, and nobody reads a result before the last is there.
    fn stands_alone(&self, Found { net, inner, .. }: &Found, last: u32, readers: &Readers) -> bool {
        let asked = |i: &u32| self.roots().any(|root| root == *i);
        let ours = |i: &u32| inner.contains(i) || net.results.contains(i);
        let in_time = net.results.iter().flat_map(|&result| &readers[result as usize]).all(|i| ours(i) || *i > last);
        in_time && !inner.iter().any(asked)
    }
}

/// A net in its place, for the listing.
pub(super) struct NetStep {
    descends: bool,
    operands: Vec<Operand>,
    results: Vec<Operand>,
}

impl NetStep {
    pub(super) fn new(net: Net, operands: Vec<Operand>, results: Vec<Operand>) -> Self {
        Self { descends: matches!(net.then, Then::Descend { .. }), operands, results }
    }
}

impl fmt::Display for NetStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let then = if self.descends { " · mul · sub" } else { "" };
        let (results, operands) = (list(&self.results), list(&self.operands));
        write!(f, "{results} = one hidden layer, forward and backward{then}({operands})")
    }
}
