//! Nets of one hidden layer: a whole step of one, found among fused operations, becomes one operation.

use super::Rewrite;
use super::products::product;
use crate::float::Float;
use crate::kernels::perceptron::Sizes;
use crate::kernels::product::Shape as Kernel;
use crate::number::level::Level;
use crate::ops::binary::Binary;
use crate::ops::cross_entropy::Reduction;
use crate::ops::table::Kind;
use crate::program::graph::{Graph, Links};
use crate::program::operation::{Function, Fused, HiddenLayer, Operation, Then};
use crate::tape::Tape;
use crate::tape::op::Arity;
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
            let Some(found) = finder.net_of(loss) else { continue };
            let Some(place) = finder.place(&found) else { continue };
            let Found { net, operands, nodes, results } = found;
            nodes.iter().for_each(|&node| replaced[node as usize] = node != place);
            let node = &mut graph.nodes[place as usize];
            (node.operation, node.args, node.results) = (Operation::HiddenLayer(net), operands, results);
        }
        graph.drop_nodes(&replaced);
        Ok(replaced.contains(&true))
    }
}

/// A net as it was found: its operands and results, and the nodes that it stands for, of which one takes its place.
struct Found {
    net: HiddenLayer,
    operands: SmallVec<[u32; 3]>,
    nodes: SmallVec<[u32; 8]>,
    results: SmallVec<[u32; 1]>,
}

/// A hidden layer, forward and backward, and its nodes, of which nobody else reads what is between.
struct Layer {
    /// `x`, `W1` and `b1`.
    operands: [u32; 3],
    turned: bool,
    /// The gradient of what the function of the hidden nodes is of.
    dz: u32,
    activation: Option<Function>,
    nodes: SmallVec<[u32; 5]>,
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
        let (second, Fused::Product { ta: false, tb: turned, then: Then::Bias(()) }, &[o1, w2, b2]) =
            self.made(scores)?
        else {
            return None;
        };
        let turns = !turned;
        let layer = self.relu(o1, [ds, w2], turns).or_else(|| self.function(o1, [ds, w2], turns))?;
        let Layer { operands: [x, w1, b1], turned: tb, dz: dz1, activation, .. } = layer;
        let product = |a: u32, b: u32| {
            let (a, b) = if turned { (b, a) } else { (a, b) };
            self.gradient(self.readers(b), |fused| matches!(fused, Fused::Product { ta: true, tb: false, .. }), &[a, b])
        };
        let sums = |a: u32| self.gradient(self.readers(a), |fused| matches!(fused, Fused::ColumnSums { .. }), &[a]);
        let found = [product(x, dz1)?, sums(dz1)?, product(o1, ds)?, sums(ds)?];
        let matrices = self.graph.shape(x).rank() == 2 && reduction != Reduction::None && turned == tb;
        let reads = [scores, ds, dz1].map(|value| self.readers(value).len());
        // Parameters that take a step all take the same.
        let descends = found.each_ref().map(|g| matches!(g.then, Then::Descend(_)));
        let one = found.iter().find(|g| matches!(g.then, Then::Descend(_))).unwrap_or(&found[0]);
        let (then, rate) = (one.then, one.rate);
        let follows = |(g, param): (&Gradient, u32)| {
            let step = matches!(g.then, Then::Keep) || (same_step(g.then, then) && g.rate == rate);
            step && g.from.is_none_or(|from| from == param)
        };
        let steps = found.iter().zip([w1, b1, w2, b2]).all(follows);
        let made = found.iter().map(|g| self.graph.nodes[g.node as usize].results[0]);
        let results: SmallVec<[u32; 1]> = std::iter::once(loss_value).chain(made).collect();
        let mut operands: SmallVec<[u32; 3]> = smallvec![x, w1, b1, w2, b2, labels, dy];
        operands.extend(rate);
        // A step whose size is the loss needs the loss first.
        let apart = operands.iter().all(|operand| !results.contains(operand));
        let fits = matrices && apart && reads == [1, 3, 2] && steps && self.fits(&operands, turned);
        let nodes = [second, loss].into_iter().chain(layer.nodes).chain(found.iter().map(|g| g.node)).collect();
        let rate = if let Then::Descend(rate) = then { rate } else { Some(0.0) };
        let net = HiddenLayer { mean: reduction == Reduction::Mean, activation, turned, descends, rate };
        fits.then(|| Found { net, operands, nodes, results })
    }

    /// The hidden layer that makes this with relu, and what comes back through it from these scores' gradients and weights.
    fn relu(&self, o1: u32, [ds, w2]: [u32; 2], turns: bool) -> Option<Layer> {
        let (first, Fused::Product { ta: false, tb, then: Then::BiasRelu(()) }, &[x, w1, b1]) = self.made(o1)? else {
            return None;
        };
        let gated = |&&i: &&u32| {
            let gate = Fused::Product { ta: false, tb: turns, then: Then::Gate(()) };
            self.fused(i).is_some_and(|(fused, args)| fused == gate && args == [ds, w2, o1])
        };
        let back = *self.readers(ds).iter().find(gated)?;
        let nodes = smallvec![first, back];
        let dz = self.graph.nodes[back as usize].results[0];
        let alone = self.readers(o1).len() == 3;
        alone.then_some(Layer { operands: [x, w1, b1], turned: tb, dz, activation: None, nodes })
    }

    /// The same with a function of one number, of which what comes back is multiplied by the slope.
    fn function(&self, o1: u32, [ds, w2]: [u32; 2], turns: bool) -> Option<Layer> {
        let unary = |value: u32| {
            let maker = self.links.maker[value as usize];
            let node = self.graph.nodes.get(maker as usize)?;
            let Some(&Kind::Unary(Arity(function))) = node.kind() else { return None };
            Some((maker, function, node.args[0]))
        };
        let (of_o1, value, z) = unary(o1)?;
        let (first, Fused::Product { ta: false, tb, then: Then::Bias(()) }, &[x, w1, b1]) = self.made(z)? else {
            return None;
        };
        let is_back = |&&i: &&u32| {
            let keeps = Fused::Product { ta: false, tb: turns, then: Then::Keep };
            self.operation(i).is_some_and(|(fused, args)| fused == keeps && args[..] == [ds, w2])
        };
        let back = *self.readers(ds).iter().find(is_back)?;
        let d_o1 = self.graph.nodes[back as usize].results[0];
        let &[last] = self.readers(d_o1) else { return None };
        let node = &self.graph.nodes[last as usize];
        let (Some(Kind::Binary(Arity(times))), &[dy, slopes]) = (node.kind(), &node.args[..]) else { return None };
        let selects = matches!(times, Binary::Weigh | Binary::Both);
        if !selects && !matches!(times, Binary::Zmul) {
            return None;
        }
        let (of_slopes, slope, of) = unary(slopes)?;
        let nodes = smallvec![first, of_o1, back, of_slopes, last];
        let reads = [z, o1, slopes].map(|value| self.readers(value).len());
        let fits = dy == d_o1 && of == z && reads == [2, 2, 1];
        let (dz, activation) = (node.results[0], Some(Function { value, slope, selects }));
        fits.then_some(Layer { operands: [x, w1, b1], turned: tb, dz, activation, nodes })
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
    fn fits(&self, operands: &[u32], turned: bool) -> bool {
        let sizes = sizes(self.graph, operands, turned);
        let Sizes { rows, features, hidden, classes } = sizes;
        let own = |sizes, ta, tb| Kernel::of::<T>(sizes, ta, tb);
        let gradient = |(m, k, n)| own(if turned { (n, k, m) } else { (m, k, n) }, true, false);
        sizes.fit()
            && Level::best().has_vectors()
            && own((rows, features, hidden), false, turned) == Some(Kernel::Rows)
            && own((rows, hidden, classes), false, turned) == Some(Kernel::Dots)
            && own((rows, classes, hidden), false, !turned) == Some(Kernel::Rows)
            && gradient((features, rows, hidden)).is_some()
            && gradient((hidden, rows, classes)).is_some()
    }

    /// The node in whose place a net can stand: all operands are there by then, and nobody has read a result. There is none where
    /// somebody else asks for what is between.
    fn place(&self, Found { nodes, results, operands, .. }: &Found) -> Option<u32> {
        let ours = |node: &&u32| nodes.contains(node);
        let others = results.iter().flat_map(|&value| self.readers(value)).filter(|node| !ours(node));
        let first_read = others.min().copied().unwrap_or(u32::MAX);
        let place = *nodes.iter().filter(|&&node| node < first_read).max()?;
        let made = |&operand: &u32| {
            let maker = self.links.maker[operand as usize];
            self.graph.nodes.get(maker as usize).is_none() || maker < place
        };
        let here = nodes.iter().flat_map(|&node| &self.graph.nodes[node as usize].results);
        let mut between = here.filter(|value| !results.contains(value));
        let alone = !between.any(|&value| self.graph.roots().any(|root| root == value));
        (alone && operands.iter().all(made)).then_some(place)
    }
}

/// The sizes of a net by its operands.
pub(in crate::program) fn sizes<T: Float>(graph: &Graph<T>, operands: &[u32], turned: bool) -> Sizes {
    let size = |operand: usize, axis: usize| graph.shape(operands[operand])[axis];
    let (hidden, classes) = if turned { (1, 0) } else { (0, 1) };
    Sizes { rows: size(0, 0), features: size(0, 1), hidden: size(3, hidden), classes: size(3, classes) }
}
