//! Loops that are recorded once: a body, which each step runs on.

pub(crate) mod body;
pub(crate) mod op;
mod derivatives;
mod whole;
mod written_out;

use crate::float::Float;
use crate::scan::body::{Closed, Recorded, Results};
use crate::tape::Tape;
use crate::tape::index::IndexVar;
use crate::tape::tree::Tree;
use crate::tape::var::Var;
use crate::tensor::error::{Error, Kind, Reason};
use crate::tensor::shape::Shape;
use std::panic::Location;
use whole::Whole;

/// What a [`scan`](Tape::scan) keeps of its steps for a reverse sweep. Values are the same to the bit, derivatives but for the order in which
/// contributions are added. What a step computes element by element of its slices alone is no part of the loop in any of these ways, and takes
/// memory as the slices do.
///
/// To know what a sweep reads, all but [`Keep::Carries`] ask the rules of the body's operations when the loop is recorded, unless it is within
/// [`no_grad`](Tape::no_grad): there, or by `Carries`, an operation of one's own needs no rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// The carries of all steps and what else the sweep reads: the quickest, as a loop that is written out.
    #[default]
    All,
    /// The carries of all steps. Everything else is computed once more.
    Carries,
    /// The carries of every √n-th of `n` steps: memory grows as √n, for one more computation. The steps between are computed
    /// once more when the sweep comes to them.
    Sqrt,
}

/// How a [`scan`](Tape::scan) goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// How many steps; needed where nothing is sliced, which otherwise tells.
    pub steps: Option<usize>,
    /// Whether it begins with the last slices. What the steps leave is stacked at the places of their slices all the same.
    pub reverse: bool,
    /// What it keeps for a reverse sweep.
    pub keep: Keep,
}

/// A structure of variables (see [`Tree`]), or `()` for none: what the steps of a loop have slices of, and what they leave.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no structure of variables",
    label = "this is no variable, nor a structure of them",
    note = "`()` stands for none; several are a tuple, an array, or a struct that `tree!` declares"
)]
pub trait Variables<'t, T: Float> {
    /// The structure with other variables.
    type Like;
    /// The same structure with a function of each variable, in order.
    fn like(&self, f: &mut dyn FnMut(Var<'t, T>) -> Var<'t, T>) -> Self::Like;
    /// The paths of the variables, in order.
    fn paths(&self) -> Vec<String>;
}

impl<'t, T: Float, P: Tree<Leaf = Var<'t, T>> + ?Sized> Variables<'t, T> for P {
    type Like = P::With<Var<'t, T>>;
    fn like(&self, f: &mut dyn FnMut(Var<'t, T>) -> Var<'t, T>) -> Self::Like {
        self.map(&mut |var: &Var<'t, T>| f(*var))
    }
    fn paths(&self) -> Vec<String> {
        self.names()
    }
}

impl<'t, T: Float> Variables<'t, T> for () {
    type Like = ();
    fn like(&self, _: &mut dyn FnMut(Var<'t, T>) -> Var<'t, T>) {}
    fn paths(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The variables of a structure in order.
fn listed<'t, T: Float, V: Variables<'t, T> + ?Sized>(of: &V) -> Vec<Var<'t, T>> {
    let mut list = Vec::new();
    of.like(&mut |var| {
        list.push(var);
        var
    });
    list
}

impl<T: Float> Tape<T> {
    /// A loop as one operation: `body` gets what is carried from step to step, this step's slices of `xs` along their first axis,
    /// and the number of the step, and gives the next carry, and what the step leaves. The results are the last carry and what
    /// all steps left, stacked along a new first axis.
    ///
    /// The body is called once, to be recorded, so a loop of any length is recorded in the time of one step, and has all
    /// derivatives, to any order, which are loops as well. It may use variables of the tape that the loop does not change, such as
    /// weights, take derivatives, and hold loops of its own; it cannot read values. A derivative that it takes by what was there
    /// before the loop is a partial one: the carry and the slices do not depend on that. Structures are those of [`Tree`], or `()`
    /// for none. See [`Scan`] for a number of steps, the other direction, and how much memory is used.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let (rate, xs) = (tape.scalar(0.5), tape.var(&Tensor::from([1.0, 2.0, 4.0])));
    /// // An average that forgets: h ← h + rate · (x − h)
    /// let (last, all) = tape.scan(&tape.scalar(0.0), &xs, |h, x, _| {
    ///     let next = h + rate * (x - h);
    ///     (next, next)
    /// });
    /// assert_eq!(all.value().as_slice(), [0.5, 1.25, 2.625]);
    /// assert_eq!((last.item(), grad(last, &xs).value().as_slice()), (2.625, &[0.125, 0.25, 0.5][..]));
    /// ```
    ///
    /// # Panics
    /// Where the leading axes of `xs` differ, or the body's next carry is of another structure or shape than the carry.
    #[track_caller]
    pub fn scan<'t, C, X, N, Y>(
        &'t self,
        carry: &C,
        xs: &X,
        body: impl FnOnce(C::Like, X::Like, IndexVar<'t, T>) -> (N, Y),
    ) -> (C::Like, Y::Like)
    where
        C: Variables<'t, T> + ?Sized,
        X: Variables<'t, T> + ?Sized,
        N: Variables<'t, T>,
        Y: Variables<'t, T>,
    {
        Scan::default().run(self, carry, xs, body)
    }

    /// A place of a body, which each step fills.
    #[track_caller]
    pub(crate) fn slot(&self, shape: &Shape) -> Var<'_, T> {
        self.slot_at(shape, Location::caller())
    }
}

impl Scan {
    /// So many steps.
    ///
    /// ```
    /// use autograd::{Scan, Tape};
    /// let tape = Tape::new();
    /// // Newton's iteration for √2
    /// let (root, ()) = Scan::steps(6).run(&tape, &tape.scalar(1.0), &(), |x, (), _| ((x + 2.0 / x) * 0.5, ()));
    /// assert!((root.item() - 2.0_f64.sqrt()).abs() < 1e-15);
    /// ```
    pub fn steps(steps: usize) -> Self {
        Self { steps: Some(steps), ..Self::default() }
    }

    /// As [`Tape::scan`], this way.
    ///
    /// # Panics
    /// As [`Tape::scan`]; and where nothing tells the number of steps, or `xs` tell another one.
    #[track_caller]
    pub fn run<'t, T, C, X, N, Y>(
        self,
        tape: &'t Tape<T>,
        carry: &C,
        xs: &X,
        body: impl FnOnce(C::Like, X::Like, IndexVar<'t, T>) -> (N, Y),
    ) -> (C::Like, Y::Like)
    where
        T: Float,
        C: Variables<'t, T> + ?Sized,
        X: Variables<'t, T> + ?Sized,
        N: Variables<'t, T>,
        Y: Variables<'t, T>,
    {
        let location = Location::caller();
        let (first, sequences) = (listed(carry), listed(xs));
        let nothing: [Var<'t, T>; 0] = [];
        let steps = {
            let operands = first.iter().chain(&sequences).copied();
            let _whole = Error::or_raise(tape.composite_at(location, "scan", operands));
            let steps = self.count(&sequences, &xs.paths());
            Error::or_raise(steps.map_err(|reason| tape.error("scan", reason, &[])))
        };
        let start = tape.len() as u32;
        let open = tape.body();
        let slot = |shape: &Shape| tape.slot_at(shape, location);
        let number = slot(&Shape::scalar());
        let carries: Vec<Var<'t, T>> = first.iter().map(|var| slot(var.sizes())).collect();
        let slices: Vec<Var<'t, T>> = sequences.iter().map(|var| slot(&var.sizes().splice(0, &[]))).collect();
        let (mut of_carry, mut of_xs) = (carries.iter().copied(), slices.iter().copied());
        let (next, left) = body(
            carry.like(&mut |_| of_carry.next().expect("a carry has as many variables each time")),
            xs.like(&mut |_| of_xs.next().expect("a structure has as many variables each time")),
            IndexVar::computed(number, steps),
        );
        drop(open);
        let _whole = Error::or_raise(tape.composite_at(location, "scan", nothing));
        let (after, stacked) = (listed(&next), listed(&left));
        let fits = fits(tape, (&carries, &carry.paths()), (&after, &next.paths()), &stacked);
        Error::or_raise(fits.map_err(|reason| tape.error("scan", reason, &[])));
        let indices = |vars: &[Var<'t, T>]| vars.iter().map(Var::index).collect::<Vec<u32>>();
        let (carries, slices) = (indices(&carries), [indices(&slices), vec![number.index()]].concat());
        let recorded = Recorded { tape, start, depth: tape.depth.get(), carries: &carries, slices: &slices };
        // A program cannot check what is in a body.
        tape.note(|recording| {
            let varying = recorded.varying();
            let varies = |index: u32| index.checked_sub(start).is_some_and(|i| varying[i as usize]);
            recording.guards.retain(|guard| !varies(guard.0));
        });
        let results = Results { next: indices(&after), sums: Vec::new(), stacked: indices(&stacked) };
        let Closed { body, slices, constants } = recorded.close(&results);
        // Few bodies read the numbers of the steps, which take memory.
        let numbers = || tape.index_leaf("scan", &Shape::from([steps]), |step| step as i64);
        let numbers = slices.contains(&sequences.len()).then(numbers);
        let sliced: Vec<Var<'t, T>> = sequences.iter().copied().chain(numbers).collect();
        let whole = Whole {
            tape,
            sources: slices.iter().map(|&k| (sliced[k], 0)).collect(),
            constants: constants.iter().map(|&index| Var::new(tape, index)).collect(),
            scan: self,
        };
        let done = whole.run(body, &first, steps);
        let (last, stacked) = Error::or_raise(done.map_err(|reason| tape.error("scan", reason, &first)));
        let (mut last, mut stacked) = (last.into_iter(), stacked.into_iter());
        (
            carry.like(&mut |_| last.next().expect("each carry has a last value")),
            left.like(&mut |_| stacked.next().expect("what is left is stacked")),
        )
    }

    /// The number of steps.
    fn count<T: Float>(self, sequences: &[Var<'_, T>], names: &[String]) -> Result<usize, Reason> {
        let mut steps = self.steps.map(|steps| (steps, "`steps`".to_owned()));
        for (var, name) in sequences.iter().zip(names) {
            let name = if name.is_empty() { "`xs`".to_owned() } else { format!("`{name}` of `xs`") };
            let Some(&n) = var.sizes().first() else {
                return Err(Reason::new(Kind::Axis, format!("{name} is one number, and has no axis to slice along")));
            };
            match &steps {
                Some((steps, other)) if *steps != n => {
                    let text = format!("{name} of shape {} has {n} slices, but {other} tells {steps}", var.sizes());
                    return Err(Reason::shape(text));
                }
                Some(_) => {}
                None => steps = Some((n, name)),
            }
        }
        let text = "nothing is sliced, which would tell the number of steps: give one, `Scan::steps(n).run(…)`";
        steps.map(|steps| steps.0).ok_or_else(|| Reason::new(Kind::Option, text))
    }
}

/// Whether what a body gave can go on.
fn fits<T: Float>(
    tape: &Tape<T>,
    (carries, names): (&[Var<'_, T>], &[String]),
    (next, next_names): (&[Var<'_, T>], &[String]),
    stacked: &[Var<'_, T>],
) -> Result<(), Reason> {
    if let Some(var) = next.iter().chain(stacked).find(|var| !std::ptr::eq(var.tape(), tape)) {
        return Err(Reason::new(Kind::Tape, format!("the body gave {var:?}, which lives on another tape")));
    }
    if names != next_names {
        let list = |names: &[String]| format!("{} variables ({})", names.len(), names.join(", "));
        let text = format!("the carry has {}, the body gave {} to go on with", list(names), list(next_names));
        return Err(Reason::shape(text));
    }
    let differs = |((now, next), _): &((&Var<'_, T>, &Var<'_, T>), &String)| now.sizes() != next.sizes();
    match carries.iter().zip(next).zip(names).find(differs) {
        None => Ok(()),
        Some(((now, next), name)) => {
            let name = if name.is_empty() { String::new() } else { format!(" `{name}`") };
            let (now, next) = (now.sizes(), next.sizes());
            let text = format!("the carry{name} has the shape {now}, what the body gave to go on with has {next}");
            Err(Reason::shape(text))
        }
    }
}
