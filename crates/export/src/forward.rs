//! A forward pass as it was recorded, as plain data.

use crate::Error;
use autograd::{Attributes, Float, IndexVar, Recorded, Shape, Tape, Tensor, Var};
use std::cell::RefCell;
use std::panic::Location;

/// The sizes of batch with which a pass is recorded: one example, for source; and two others, which tell apart sizes that go with the batch
/// from those that do not.
const SIZES: [usize; 3] = [1, 5, 7];

/// A forward pass from named inputs to named outputs, as it was recorded, with all its numbers.
///
/// ```
/// use autograd::Tensor;
/// use export::{Forward, Number};
/// use nn::{Activation, Mlp};
/// # fn main() -> Result<(), export::Error> {
/// let net: Mlp<Tensor> = Mlp::new(&[4, 8, 3], Activation::Gelu, 0); // not trained here
/// let forward = Forward::record::<f64>(|to| {
///     let x = to.input("x", [to.batch(), 4]);
///     to.output("probabilities", to.tape().vars(&net).forward(x).softmax(-1));
/// })?;
/// let onnx: Vec<u8> = forward.onnx(Number::F32)?; // takes batches of any size
/// let header: String = forward.c("flowers", Number::F64)?; // takes one example at a time
/// assert!(header.contains("static inline void flowers(const double x[4], double probabilities[3])"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Forward {
    pub(crate) recordings: [Recording; 3],
}

/// In which numbers is computed elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Number {
    /// Of 32 bits.
    F32,
    /// Of 64 bits, as nets are trained here where nothing else is said.
    #[default]
    F64,
}

/// Where a forward pass is recorded; see [`Forward::record`].
#[derive(Debug)]
pub struct Recorder<'t, T: Float = f64> {
    tape: &'t Tape<T>,
    batch: usize,
    inputs: RefCell<Vec<Port>>,
    outputs: RefCell<Vec<Port>>,
}

/// A named input or output: a node.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Port {
    pub(crate) name: String,
    pub(crate) node: usize,
    /// Whether it takes integers.
    pub(crate) integers: bool,
}

/// One recording.
#[derive(Clone, Debug)]
pub(crate) struct Recording {
    pub(crate) batch: usize,
    pub(crate) nodes: Vec<Node>,
    pub(crate) inputs: Vec<Port>,
    pub(crate) outputs: Vec<Port>,
}

/// A value, and what makes it.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) op: &'static str,
    pub(crate) custom: bool,
    pub(crate) operands: Vec<usize>,
    pub(crate) shape: Vec<usize>,
    pub(crate) attributes: Attributes,
    pub(crate) source: Source,
    pub(crate) location: &'static Location<'static>,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Source {
    Input,
    Numbers(Vec<f64>),
    Integers(Vec<i64>),
    Computed,
}

impl<'t, T: Float> Recorder<'t, T> {
    /// The tape that is recorded on.
    pub fn tape(&self) -> &'t Tape<T> {
        self.tape
    }

    /// How many examples there are in this recording. Shapes that are made of it stand for batches of any size; it is recorded several
    /// times, with other sizes.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// An input of numbers of this shape.
    #[track_caller]
    pub fn input(&self, name: &str, shape: impl Into<Shape>) -> Var<'t, T> {
        let var = self.tape.var(&Tensor::zeros(shape));
        self.inputs.borrow_mut().push(Port { name: name.to_owned(), node: var.index() as usize, integers: false });
        var
    }

    /// An input of integers, from 0, of this shape.
    #[track_caller]
    pub fn indices(&self, name: &str, shape: impl Into<Shape>) -> IndexVar<'t, T> {
        let shape = shape.into();
        let index = self.tape.indices(shape.clone(), &vec![0; shape.numel()]);
        let node = self.tape.recorded().count() - 1;
        self.inputs.borrow_mut().push(Port { name: name.to_owned(), node, integers: true });
        index
    }

    /// An output.
    ///
    /// # Panics
    /// Where the value lives on another tape.
    #[track_caller]
    pub fn output(&self, name: &str, value: Var<'t, T>) {
        assert!(std::ptr::eq(value.tape(), self.tape), "output: `{name}` lives on another tape");
        let node = value.index() as usize;
        self.outputs.borrow_mut().push(Port { name: name.to_owned(), node, integers: false });
    }
}

impl Forward {
    /// Records a pass: the closure names inputs and outputs. It is called several times, with batches of different sizes, and is to record
    /// the same each time. Loops ([`Tape::scan`]) are written out, step by step.
    ///
    /// # Errors
    /// Where there is no input or no output, or two have one name.
    pub fn record<T: Float>(pass: impl Fn(&Recorder<'_, T>)) -> Result<Self, Error> {
        let once = |batch: usize| {
            let tape = Tape::default();
            tape.write_out_loops(true);
            let to = Recorder { tape: &tape, batch, inputs: RefCell::default(), outputs: RefCell::default() };
            pass(&to);
            let (inputs, outputs) = (to.inputs.into_inner(), to.outputs.into_inner());
            distinct(&inputs, &outputs)?;
            Ok(Recording::of(&tape, batch, inputs, outputs))
        };
        let [one, five, seven] = SIZES.map(once);
        Ok(Self { recordings: [one?, five?, seven?] })
    }

    /// That of one example.
    pub(crate) fn one(&self) -> &Recording {
        &self.recordings[0]
    }
}

/// Holds names to be there, and to tell ports apart.
fn distinct(inputs: &[Port], outputs: &[Port]) -> Result<(), Error> {
    for (ports, what) in [(inputs, "input"), (outputs, "output")] {
        if ports.is_empty() {
            return Err(Error::Port(format!("expected one {what} or more, found none")));
        }
    }
    let mut names: Vec<&str> = inputs.iter().chain(outputs).map(|port| &port.name[..]).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => {
            Err(Error::Port(format!("expected a name of its own for each input and output, found `{}` twice", pair[0])))
        }
        None => Ok(()),
    }
}

impl Recording {
    fn of<T: Float>(tape: &Tape<T>, batch: usize, mut inputs: Vec<Port>, mut outputs: Vec<Port>) -> Self {
        let recorded: Vec<Recorded<'_, T>> = tape.recorded().collect();
        let is_input = |i: usize| inputs.iter().any(|port| port.node == i);
        let mut known = Vec::with_capacity(recorded.len());
        for (i, node) in recorded.iter().enumerate() {
            known.push(!is_input(i) && is_known(node, &recorded, &known));
        }
        // What a constant is made of is needed no more.
        let mut needed = vec![false; recorded.len()];
        for port in inputs.iter().chain(&outputs) {
            needed[port.node] = true;
        }
        for (i, node) in recorded.iter().enumerate().rev() {
            if needed[i] && !known[i] {
                node.operands.iter().for_each(|&operand| needed[operand as usize] = true);
            }
        }
        let (mut nodes, mut places) = (Vec::<Node>::new(), vec![0; recorded.len()]);
        for (i, node) in recorded.iter().enumerate().filter(|(i, _)| needed[*i]) {
            places[i] = nodes.len();
            let operands = node.operands.iter().filter(|_| !known[i]).map(|&operand| places[operand as usize]);
            nodes.push(Node {
                op: node.op,
                custom: node.custom,
                operands: operands.collect(),
                shape: node.shape.to_vec(),
                attributes: node.attributes.clone(),
                source: if is_input(i) { Source::Input } else { source(node, known[i]) },
                location: node.location,
            });
        }
        for port in inputs.iter_mut().chain(&mut outputs) {
            port.node = places[port.node];
        }
        Self { batch, nodes, inputs, outputs }
    }
}

/// What draws numbers: they are no constants.
const RANDOM: [&str; 6] = ["uniform", "normal", "exponential", "gumbel", "integers", "permutation"];

/// Whether a node that is no input is a constant: it came with its numbers, or is computed from constants, unless that makes more of them.
fn is_known<T: Float>(node: &Recorded<'_, T>, all: &[Recorded<'_, T>], known: &[bool]) -> bool {
    if node.integers().is_some() {
        return true;
    }
    let numel = |&operand: &u32| all[operand as usize].shape.numel();
    let grows = node.shape.numel() > node.operands.iter().map(numel).sum::<usize>();
    let of_known = !grows && node.operands.iter().all(|&operand| known[operand as usize]);
    let can_be_told = node.var.is_some() && !node.custom && !RANDOM.contains(&node.op);
    can_be_told && (node.operands.is_empty() || of_known)
}

/// Where the value of a node that is no input comes from.
fn source<T: Float>(node: &Recorded<'_, T>, is_known: bool) -> Source {
    if let Some(integers) = node.integers() {
        return Source::Integers(integers);
    }
    match node.var.filter(|_| is_known) {
        Some(var) => Source::Numbers(var.value().as_slice().iter().map(|x| x.to_f64()).collect()),
        None => Source::Computed,
    }
}
