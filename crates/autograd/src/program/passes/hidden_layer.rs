//! Nets of one hidden layer: a whole step of one, found among fused operations, becomes one operation.

use super::Rewrite;
use super::products::product;
use crate::float::Float;
use crate::kernels::perceptron::Sizes;
use crate::kernels::product::Shape as Kernel;
use crate::number::level::Level;
use crate::ops::cross_entropy::Reduction;
use crate::program::graph::{Graph, Links};
use crate::program::operation::{Fused, HiddenLayer, Operation, Then};
use crate::tape::Tape;
use crate::tensor::error::Error;
use smallvec::{SmallVec, smallvec};

pub(super) struct HiddenLayers;

impl<T: Float> Rewrite<T> for HiddenLayers {
    fn name(&self) -> &'static str {
        "hidden layers"
    }

    /// Replaces the steps of nets of one hidden layer, few features and few classes by one node each.
    fn run(&self, graph: &mut Graph<T>, _: &Tape<T>) -> Result<bool, Error> {
        let is_loss =
            |i: &u32| matches!(graph.nodes[*i as usize].operation, Operation::Fused(Fused::LossAndGradient(_)));
        let losses: Vec<u32> = (0..graph.nodes.len() as u32).filter(is_loss).collect();
        if losses.is_empty() {
            return Ok(false);
        }
        let mut readers: Vec<Vec<u32>> = vec![Vec::new(); graph.values.len()];
        for (i, node) in (0..).zip(&graph.nodes) {
            for &a in &node.args {
                if readers[a as usize].last() != Some(&i) {
                    readers[a as usize].push(i);
                }
            }
        }
        let links = graph.links();
        let mut replaced = vec![false; graph.nodes.len()];
        for loss in losses {
            let finder = Finder { graph, links: &links, readers: &readers };
            let Some(found) = finder.net_of(loss).filter(|found| finder.stands_alone(found)) else { continue };
            let Found { net, operands, nodes, results } = found;
            let last = *nodes.iter().max().expect("a net has nodes");
            nodes.iter().for_each(|&node| replaced[node as usize] = node != last);
            let node = &mut graph.nodes[last as usize];
            (node.operation, node.args, node.results) = (Operation::HiddenLayer(net), operands, results);
        }
        graph.drop_nodes(&replaced);
        Ok(replaced.contains(&true))
    }
}

/// A net as it was found: its operands and results, and the nodes that it stands for, of which the last takes its place.
struct Found {
    net: HiddenLayer,
    operands: SmallVec<[u32; 3]>,
    nodes: SmallVec<[u32; 8]>,
    results: SmallVec<[u32; 1]>,
}

/// A gradient, with what follows it, the rate's value, and the value that a step starts from.
struct Gradient {
    node: u32,
    then: Then,
    rate: Option<u32>,
    from: Option<u32>,
}

/// Whether two steps are the same, bit by bit: `p − 0 · dp` is not `p − (−0) · dp` where `p` is `−0`.
fn same_step(a: Then, b: Then) -> bool {
    match (a, b) {
        (Then::Descend(Some(a)), Then::Descend(Some(b))) => a.to_bits() == b.to_bits(),
        (a, b) => a == b,
    }
}

struct Finder<'g, T: Float> {
    graph: &'g Graph<T>,
    links: &'g Links,
    /// The nodes that read each value, each once.
    readers: &'g [Vec<u32>],
}

impl<T: Float> Finder<'_, T> {
    fn readers(&self, value: u32) -> &[u32] {
        &self.readers[value as usize]
    }

    fn fused(&self, node: u32) -> Option<(Fused, &[u32])> {
        let node = &self.graph.nodes[node as usize];
        if let Operation::Fused(fused) = node.operation { Some((fused, &node.args)) } else { None }
    }

    /// The fused operation that makes a value.
    fn made(&self, value: u32) -> Option<(u32, Fused, &[u32])> {
        let maker = self.links.maker[value as usize];
        self.graph.nodes.get(maker as usize)?;
        self.fused(maker).map(|(fused, args)| (maker, fused, args))
    }

    /// An operation that sums over rows, fused with what follows it or not, and its operands.
    fn operation(&self, node: u32) -> Option<(Fused, SmallVec<[u32; 3]>)> {
        let fused = self.fused(node).map(|(fused, args)| (fused, SmallVec::from_slice(args)));
        fused.or_else(|| product(self.graph, node))
    }

    /// The net that a loss is of, if all of its gradients are asked for, and nothing else is made of what is between.
    fn net_of(&self, loss: u32) -> Option<Found> {
        let (Fused::LossAndGradient(reduction), &[scores, labels, dy]) = self.fused(loss)? else { return None };
        let &[loss_value, ds] = &self.graph.nodes[loss as usize].results[..] else { return None };
        let (second, Fused::Product { ta: false, tb: false, then: Then::Bias(()) }, &[o1, w2, b2]) =
            self.made(scores)?
        else {
            return None;
        };
        let (first, Fused::Product { ta: false, tb: false, then: Then::BiasRelu(()) }, &[x, w1, b1]) = self.made(o1)?
        else {
            return None;
        };
        let gated = |&&i: &&u32| {
            let gate = Fused::Product { ta: false, tb: true, then: Then::Gate(()) };
            self.fused(i).is_some_and(|(fused, args)| fused == gate && args == [ds, w2, o1])
        };
        let back = *self.readers(ds).iter().find(gated)?;
        let dz1 = self.graph.nodes[back as usize].results[0];
        let product = |a: u32, b: u32| {
            self.gradient(self.readers(b), |fused| matches!(fused, Fused::Product { ta: true, tb: false, .. }), &[a, b])
        };
        let sums = |a: u32| self.gradient(self.readers(a), |fused| matches!(fused, Fused::ColumnSums { .. }), &[a]);
        let found = [product(x, dz1)?, sums(dz1)?, product(o1, ds)?, sums(ds)?];
        let matrices = self.graph.shape(x).rank() == 2 && reduction != Reduction::None;
        let reads = [scores, o1, ds, dz1].map(|value| self.readers(value).len());
        // Parameters all take the same step, or all gradients are asked for.
        let Gradient { then, rate, .. } = found[0];
        let follows = |(g, param): (&Gradient, u32)| {
            same_step(g.then, then) && g.rate == rate && g.from.is_none_or(|from| from == param)
        };
        let steps = found.iter().zip([w1, b1, w2, b2]).all(follows);
        let made = found.iter().map(|g| self.graph.nodes[g.node as usize].results[0]);
        let results: SmallVec<[u32; 1]> = std::iter::once(loss_value).chain(made).collect();
        let mut operands: SmallVec<[u32; 3]> = smallvec![x, w1, b1, w2, b2, labels, dy];
        operands.extend(rate);
        // A step whose size is the loss needs the loss first.
        let apart = operands.iter().all(|operand| !results.contains(operand));
        let fits = matrices && apart && reads == [1, 3, 3, 2] && steps && self.fits(&operands);
        let nodes = [first, second, loss, back].into_iter().chain(found.iter().map(|g| g.node)).collect();
        fits.then(|| Found { net: HiddenLayer { mean: reduction == Reduction::Mean, then }, operands, nodes, results })
    }

    /// The reader that is this operation, with what follows it.
    fn gradient(&self, readers: &[u32], is: impl Fn(Fused) -> bool, operands: &[u32]) -> Option<Gradient> {
        readers.iter().find_map(|&node| {
            let (fused, args) = self.operation(node)?;
            let (own, rest) = args.split_at_checked(operands.len())?;
            let then = fused.then();
            let fits = is(fused) && own == operands && matches!(then, Then::Keep | Then::Descend(_));
            fits.then(|| Gradient { node, then, rate: rest.get(1).copied(), from: rest.first().copied() })
        })
    }

    /// Whether the kernels of the single operations are those whose sums the sweep repeats, and the sizes are its own.
    fn fits(&self, operands: &[u32]) -> bool {
        let sizes = sizes(self.graph, operands);
        let Sizes { rows, features, hidden, classes } = sizes;
        let own = |sizes, ta, tb| Kernel::of::<T>(sizes, ta, tb);
        sizes.fit()
            && Level::best().has_vectors()
            && own((rows, features, hidden), false, false) == Some(Kernel::Rows)
            && own((rows, hidden, classes), false, false) == Some(Kernel::Dots)
            && own((rows, classes, hidden), false, true) == Some(Kernel::Rows)
            && own((features, rows, hidden), true, false).is_some()
            && own((hidden, rows, classes), true, false).is_some()
    }

    /// Whether nobody else asks for what is between, and nobody reads a result before the last is there.
    fn stands_alone(&self, Found { nodes, results, .. }: &Found) -> bool {
        let last = nodes.iter().max();
        let ours = |node: &u32| nodes.contains(node);
        let in_time = |&value: &u32| self.readers(value).iter().all(|node| ours(node) || Some(node) > last);
        let made = nodes.iter().flat_map(|&node| &self.graph.nodes[node as usize].results);
        let mut between = made.filter(|value| !results.contains(value));
        results.iter().all(in_time) && !between.any(|&value| self.graph.roots().any(|root| root == value))
    }
}

/// The sizes of a net by its operands.
pub(in crate::program) fn sizes<T: Float>(graph: &Graph<T>, operands: &[u32]) -> Sizes {
    let size = |operand: usize, axis: usize| graph.shape(operands[operand])[axis];
    Sizes { rows: size(0, 0), features: size(0, 1), hidden: size(3, 0), classes: size(3, 1) }
}
