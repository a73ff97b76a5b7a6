//! The passes over a graph: small, in one order, each switched off by its name. One that is to be added is a file here, a line
//! in [`rewrites`], and a name in [`NAMES`].

mod broadcasts;
mod views;
mod constants;
mod common;
mod dead;
mod slopes;
mod loops;
mod elements;
mod products;
mod losses;
mod logarithms;
mod shares;
mod squares;
mod signs;
pub(super) mod hidden_layer;
mod copies;

use super::graph::Graph;
use crate::float::Float;
use crate::tape::Tape;
use crate::tensor::error::{Error, Kind};
use std::fmt::{self, Write};

/// A pass: rewrites a graph into one that computes the same.
pub(super) trait Rewrite<T: Float> {
    /// The name by which it is switched off.
    fn name(&self) -> &'static str;

    /// Rewrites, and tells whether there was anything to rewrite. What is no longer needed for what was replaced goes, too.
    ///
    /// # Errors
    /// Where there is no memory for what is computed now.
    fn run(&self, graph: &mut Graph<T>, tape: &Tape<T>) -> Result<bool, Error>;
}

/// All passes, in the order in which they run.
fn rewrites<T: Float>() -> [&'static dyn Rewrite<T>; 15] {
    [
        &broadcasts::Broadcasts,
        &views::Views,
        &constants::Constants,
        &common::Common,
        &dead::Dead,
        &slopes::Slopes,
        &logarithms::Logarithms,
        &loops::Loops,
        &elements::Elements,
        &products::Products,
        &losses::Losses,
        &shares::Shares,
        &squares::Squares,
        &hidden_layer::HiddenLayers,
        &signs::Signs,
    ]
}

/// What can be switched off: the passes by name, then what is decided when the steps are put in order and made.
const NAMES: [&str; 20] = [
    "broadcasts",
    "views",
    "constants",
    "common",
    "dead",
    "slopes",
    "logarithms",
    "loops",
    "elements",
    "products",
    "losses",
    "shares",
    "squares",
    "hidden layers",
    "signs",
    "runs",
    "blocks",
    "chains",
    "memory",
    "code",
];

/// Which optimisations a program is recorded with; all of them, by default. None changes a bit of a result, but for those of a NaN, and the
/// update of parameters by a large matrix product, which `products` rounds once less.
///
/// | name | what it does |
/// |---|---|
/// | `broadcasts` | operations read what a broadcast repeats, and repeat it themselves |
/// | `views` | element-wise operations read a part of a value where it lies, also without its axes of one element |
/// | `constants` | what does not depend on inputs or state is computed when recording |
/// | `common` | equal expressions are computed once, and what stops a gradient is its operand |
/// | `dead` | what nothing asks for is dropped |
/// | `slopes` | slopes of norms and extremes are functions of each element and of numbers of its row |
/// | `logarithms` | a number times a logarithm, as of an entropy, is computed with the logarithm that its gradient reads, or of a row or column before it is repeated |
/// | `loops` | loops leave nothing that nothing reads |
/// | `elements` | arrays of a few numbers that are taken apart and put together go element by element |
/// | `products` | products are computed together with what follows them: a bias, ReLU, a gate, a step of gradient descent; such a step of rows that were read by index moves these alone |
/// | `losses` | losses are computed together with their gradients |
/// | `shares` | logarithms of softmax, or of sums of exponentials, are computed together with the shares that their gradients read |
/// | `squares` | sums of squares along axes are added up as the squares are made |
/// | `hidden layers` | a step of a net of one hidden layer, few features and few classes is one sweep |
/// | `signs` | what is negated only to be added is subtracted |
/// | `runs` | products, sums, losses, element-wise chains and operations along rows, one after the other, are one step |
/// | `blocks` | rows go through such a run block by block, where that keeps them in the cache |
/// | `chains` | element-wise operations run tile by tile |
/// | `memory` | values share buffers that are not needed at the same time |
/// | `code` | cheap operations of a chain go through registers, by code that is made for them where the CPU has AVX2 and the system allows it (not Apple's) |
///
/// ```
/// use autograd::{Optimisations, Program, Tensor};
/// let without = Optimisations::default().without("chains");
/// let mut program = Program::record_with(without, &(), &Tensor::<f64>::zeros([3]), |_, (), x| (vec![], vec![x.exp() * 2.0]))?;
/// assert_eq!(program.run(&Tensor::zeros([3]))?.slice(0), [2.0; 3]);
/// # Ok::<(), autograd::ProgramError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Optimisations {
    /// A bit for each name.
    on: u32,
    traced: bool,
}

impl Default for Optimisations {
    fn default() -> Self {
        Self { on: (1 << NAMES.len()) - 1, traced: false }
    }
}

impl fmt::Debug for Optimisations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let off: Vec<&str> = NAMES.into_iter().filter(|name| !self.has(name)).collect();
        write!(f, "Optimisations without {off:?}")
    }
}

impl Optimisations {
    /// No optimisation at all.
    pub const NONE: Self = Self { on: 0, traced: false };

    /// The names of all optimisations, in the order in which they are done.
    pub fn names() -> &'static [&'static str] {
        &NAMES
    }

    /// These without one.
    ///
    /// # Panics
    /// Where there is none of this name.
    #[track_caller]
    #[must_use]
    pub fn without(self, name: &str) -> Self {
        let Some(bit) = NAMES.iter().position(|&known| known == name) else {
            let text = format!("there is no optimisation «{name}» among {}", NAMES.join(", "));
            Error::of_call("without", Kind::Option, text).raise()
        };
        Self { on: self.on & !(1 << bit), ..self }
    }

    /// These, and the program tells what each pass made of it; see [`Program::trace`](crate::Program::trace).
    #[must_use]
    pub fn traced(self) -> Self {
        Self { traced: true, ..self }
    }

    /// All optimisations, all but one for each of them, and none: what a test of a program runs through.
    ///
    /// ```
    /// use autograd::Optimisations;
    /// assert!(Optimisations::choices().contains(&Optimisations::default().without("products")));
    /// ```
    pub fn choices() -> Vec<Self> {
        let all = Self::default();
        let without = NAMES.iter().map(|name| all.without(name));
        std::iter::once(all).chain(without).chain([Self::NONE]).collect()
    }

    pub(super) fn has(self, name: &str) -> bool {
        NAMES.iter().zip(0..).any(|(&known, bit)| known == name && self.on & 1 << bit != 0)
    }
}

/// Runs the passes in order, and returns what each made of the graph, if that is to be told.
///
/// # Errors
/// Where there is no memory for a constant.
pub(super) fn optimise<T: Float>(
    graph: &mut Graph<T>,
    with: Optimisations,
    tape: &Tape<T>,
) -> Result<Option<String>, Error> {
    let mut trace = with.traced.then(|| format!("recorded:\n{graph}"));
    verified(graph, "recorded");
    for pass in rewrites().into_iter().filter(|pass| with.has(pass.name())) {
        if pass.run(graph, tape)? {
            verified(graph, pass.name());
            if let Some(trace) = &mut trace {
                write!(trace, "\nafter {}:\n{graph}", pass.name()).expect("writing to a string cannot fail");
            }
        }
    }
    copies::add_copies(graph);
    verified(graph, "copies");
    Ok(trace)
}

/// In debug builds, panics where a pass left the graph in disorder.
fn verified<T: Float>(graph: &Graph<T>, pass: &str) {
    if cfg!(debug_assertions)
        && let Err(problem) = graph.verify()
    {
        panic!("the graph after «{pass}» is wrong: {problem}\n{graph}");
    }
}
