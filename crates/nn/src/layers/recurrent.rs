//! Recurrent layers: one cell for all steps of a sequence.

use crate::layers::Init;
use autograd::{Float, Keep, Scan, Tensor, Tree, Var, concat, stack, tree};
use rand::Rng;
use std::fmt;

/// The weights of a cell in one direction, with the rows of its gates below each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Direction<V> {
    /// Of the input, `[gates · hidden, in]`.
    pub weight_ih: V,
    /// Of the state before, `[gates · hidden, hidden]`.
    pub weight_hh: V,
    /// `[gates · hidden]`
    pub bias_ih: Option<V>,
    /// `[gates · hidden]`
    pub bias_hh: Option<V>,
}
tree!(Direction { weight_ih, weight_hh, bias_ih, bias_hh });

/// What a recurrent layer does at each step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// `h′ = tanh(W x + b + U h + c)`
    Tanh,
    /// The same with ReLU.
    Relu,
    /// With a reset gate and an update gate (Cho et al., 2014), as PyTorch's: `n = tanh(W_n x + b_n + r (U_n h + c_n))`,
    /// `h′ = (1 − z) n + z h`.
    Gru,
    /// With a cell state, and gates of input, forgetting and output (Hochreiter and Schmidhuber, 1997): `c′ = f c + i g`, `h′ = o tanh c′`.
    Lstm,
}

impl Cell {
    /// How many gates it has.
    fn gates(self) -> usize {
        match self {
            Self::Tanh | Self::Relu => 1,
            Self::Gru => 3,
            Self::Lstm => 4,
        }
    }

    /// How many states it has.
    fn states(self) -> usize {
        if self == Self::Lstm { 2 } else { 1 }
    }
}

/// A recurrent layer, or several above each other, in one direction or both: `torch.nn.RNN`, `GRU` and `LSTM`, with their names and
/// layouts of parameters: `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, `weight_ih_l0_reverse`, …
///
/// ```
/// use autograd::{Tape, Tensor, Tree};
/// use nn::layers::{Cell, Recurrent};
/// let gru: Recurrent<Tensor> = Recurrent::new(Cell::Gru, [3, 8], 1, &mut nn::generator(0));
/// assert_eq!(gru.names(), ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]);
/// let tape = Tape::new();
/// let (y, states) = tape.vars(&gru).forward(tape.var(&Tensor::ones([20, 5, 3])), &[]); // 20 steps of 5 sequences
/// assert_eq!((&y.shape()[..], &states[0].shape()[..]), (&[20, 5, 8][..], &[1, 5, 8][..]));
/// ```
#[derive(Clone, PartialEq)]
pub struct Recurrent<V> {
    /// The weights: of each layer forward, and behind that backward where there are both.
    pub directions: Vec<Direction<V>>,
    /// What it does at each step.
    pub cell: Cell,
    /// Whether each layer reads the sequence in both directions.
    pub bidirectional: bool,
    /// Whether sequences are `[n, steps, in]`, else `[steps, n, in]`.
    pub batch_first: bool,
    /// What is kept of the steps for the gradient: of long sequences [`Keep::Sqrt`] needs little memory.
    pub keep: Keep,
}

impl<V: fmt::Debug> fmt::Debug for Recurrent<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recurrent")
            .field("cell", &self.cell)
            .field("bidirectional", &self.bidirectional)
            .field("batch_first", &self.batch_first)
            .field("keep", &self.keep)
            .field("directions", &self.directions)
            .finish()
    }
}

/// Its leaves have PyTorch's names, which are no paths of fields.
macro_rules! named_as_pytorch {
    ([$($parameter:tt)*] $leaf:ty) => {
        impl<$($parameter)*> Tree for Recurrent<$leaf> {
            type Leaf = $leaf;
            type With<U> = Recurrent<U>;

            fn map<U>(&self, f: &mut dyn FnMut(&$leaf) -> U) -> Recurrent<U> {
                let Self { cell, bidirectional, batch_first, keep, .. } = *self;
                let directions = self.directions.iter().map(|direction| direction.map(f)).collect();
                Recurrent { directions, cell, bidirectional, batch_first, keep }
            }
            fn visit<'a>(&'a self, f: &mut dyn FnMut(&'a $leaf)) {
                self.directions.iter().for_each(|direction| direction.visit(f));
            }
            fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(&'a mut $leaf)) {
                self.directions.iter_mut().for_each(|direction| direction.visit_mut(f));
            }
            fn paths(&self, prefix: &str, f: &mut dyn FnMut(&str)) {
                let ways = 1 + usize::from(self.bidirectional);
                for (i, direction) in self.directions.iter().enumerate() {
                    let way = if i % ways == 1 { "_reverse" } else { "" };
                    direction.paths(prefix, &mut |path| f(&format!("{path}_l{}{way}", i / ways)));
                }
            }
            fn form(&self, f: &mut dyn FnMut(u64)) {
                f(self.directions.len() as u64);
                f(u64::from(self.bidirectional));
                self.directions.iter().for_each(|direction| direction.form(f));
            }
        }
    };
}
named_as_pytorch!([T: Float] Tensor<T>);
named_as_pytorch!(['t, T: Float] Var<'t, T>);

impl<T: Float> Recurrent<Tensor<T>> {
    /// So many layers above each other, from `[in, hidden]` sizes, in one direction, with uniform weights and biases between `±1/√hidden` as
    /// PyTorch's.
    ///
    /// # Panics
    /// As [`Init::sample`].
    #[track_caller]
    pub fn new(cell: Cell, sizes: [usize; 2], layers: usize, rng: &mut impl Rng) -> Self {
        Self::with(cell, sizes, layers, false, rng)
    }

    /// The same in both directions: each layer gives the numbers of both side by side.
    ///
    /// # Panics
    /// As [`Init::sample`].
    #[track_caller]
    pub fn in_both_directions(cell: Cell, sizes: [usize; 2], layers: usize, rng: &mut impl Rng) -> Self {
        Self::with(cell, sizes, layers, true, rng)
    }

    #[track_caller]
    fn with(cell: Cell, [input, hidden]: [usize; 2], layers: usize, bidirectional: bool, rng: &mut impl Rng) -> Self {
        let (rows, ways) = (cell.gates() * hidden, 1 + usize::from(bidirectional));
        let high = 1.0 / (hidden.max(1) as f64).sqrt();
        let init = Init::Uniform { low: -high, high };
        let mut directions = Vec::new();
        // In a closure, a panic would be told at its line.
        for i in 0..layers * ways {
            let input = if i < ways { input } else { ways * hidden };
            directions.push(Direction {
                weight_ih: init.sample([rows, input], rng),
                weight_hh: init.sample([rows, hidden], rng),
                bias_ih: Some(init.sample([rows], rng)),
                bias_hh: Some(init.sample([rows], rng)),
            });
        }
        Self { directions, cell, bidirectional, batch_first: false, keep: Keep::All }
    }

    /// The same without biases.
    pub fn without_bias(mut self) -> Self {
        for direction in &mut self.directions {
            (direction.bias_ih, direction.bias_hh) = (None, None);
        }
        self
    }
}

impl<'t, T: Float> Recurrent<Var<'t, T>> {
    /// The outputs `[steps, n, ways · hidden]` (or `[n, steps, …]`) of the last layer, and the states after the last step, `[layers · ways, n,
    /// hidden]`: the hidden state, and the cell state of an LSTM. The states before the first step have the same shapes; none are zeros.
    ///
    /// # Panics
    /// Where shapes do not fit, there are no steps or layers, or another number of states.
    #[track_caller]
    pub fn forward(&self, x: Var<'t, T>, states: &[Var<'t, T>]) -> (Var<'t, T>, Vec<Var<'t, T>>) {
        let shape = x.shape();
        let first = self.directions.first().map(|direction| direction.weight_ih);
        let _whole = x.tape().composite("Recurrent::forward", [Some(x), first]);
        let (layout, kinds) = (if self.batch_first { "[n, steps, in]" } else { "[steps, n, in]" }, self.cell.states());
        assert!(
            shape.rank() == 3 && !self.directions.is_empty() && shape[usize::from(self.batch_first)] > 0,
            "Recurrent::forward: sequences {layout} of one step or more and a layer or more are needed, not shape {shape}"
        );
        assert!(
            states.is_empty() || states.len() == kinds,
            "Recurrent::forward: {kinds} states or none are needed, not {}",
            states.len()
        );
        let mut x = if self.batch_first { x.transpose(&[1, 0, 2]) } else { x };
        let n = x.shape()[1];
        let ways = 1 + usize::from(self.bidirectional);
        let mut last: Vec<Vec<Var<'t, T>>> = vec![Vec::new(); kinds];
        for layer in 0..self.directions.len() / ways {
            let mut sides = Vec::with_capacity(ways);
            for way in 0..ways {
                let place = layer * ways + way;
                let direction = &self.directions[place];
                let mut start = Vec::with_capacity(kinds);
                for kind in 0..kinds {
                    start.push(match states.get(kind) {
                        Some(state) => state.narrow(0, place, 1).squeeze(0),
                        None => x.tape().full([n, direction.weight_hh.shape()[1]], T::ZERO),
                    });
                }
                let (y, end) = self.run(direction, x, start, way == 1);
                sides.push(y);
                last.iter_mut().zip(end).for_each(|(all, state)| all.push(state));
            }
            x = if ways == 1 { sides[0] } else { concat(&sides, 2) };
        }
        let y = if self.batch_first { x.transpose(&[1, 0, 2]) } else { x };
        (y, last.iter().map(|all| stack(all, 0)).collect())
    }

    /// One direction of one layer.
    #[track_caller]
    fn run(
        &self,
        direction: &Direction<Var<'t, T>>,
        x: Var<'t, T>,
        states: Vec<Var<'t, T>>,
        backward: bool,
    ) -> (Var<'t, T>, Vec<Var<'t, T>>) {
        // What the inputs give is one product for all steps.
        let given = x.linear(direction.weight_ih, direction.bias_ih);
        let scan = Scan { reverse: backward, keep: self.keep, ..Scan::default() };
        let (states, outputs) = scan.run(x.tape(), &states, &given, |states, given, _| {
            let next = self.cell.step(given, &states, direction);
            let output = next[0];
            (next, output)
        });
        (outputs, states)
    }
}

impl Cell {
    /// The next states, of what the input gives the gates, `[n, gates · hidden]`, and the states before.
    #[track_caller]
    fn step<'t, T: Float>(
        self,
        given: Var<'t, T>,
        states: &[Var<'t, T>],
        direction: &Direction<Var<'t, T>>,
    ) -> Vec<Var<'t, T>> {
        let h = states[0];
        let kept = h.linear(direction.weight_hh, direction.bias_hh);
        let size = h.shape()[1];
        let gate = |of: Var<'t, T>, gate: usize| of.narrow(1, gate * size, size);
        match self {
            Self::Tanh => vec![(given + kept).tanh()],
            Self::Relu => vec![(given + kept).relu()],
            Self::Gru => {
                let [r, z] = [0, 1].map(|i| (gate(given, i) + gate(kept, i)).sigmoid());
                let n = (gate(given, 2) + r * gate(kept, 2)).tanh();
                vec![n + z * (h - n)]
            }
            Self::Lstm => {
                let all = given + kept;
                let [i, f, o] = [0, 1, 3].map(|i| gate(all, i).sigmoid());
                let c = f * states[1] + i * gate(all, 2).tanh();
                vec![o * c.tanh(), c]
            }
        }
    }
}
