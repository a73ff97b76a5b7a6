//! How rows are run and timed, and what they are compared with.

use crate::clock::Clock;
use crate::level::{Kernel, Level};
use crate::number::Number;
use crate::row::{Given, Pass, Row, Work};
use autograd::{
    Float, InputRecorder, InputWriter, Inputs, Key, Optimisations, Program, ProgramError, Shape, Tape, Tensor, Var, vjp,
};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// The shortest batch.
const SHORTEST: Duration = Duration::from_micros(100);
/// Fewer rounds have no median.
const FEWEST: usize = 5;

/// Operands of a row, and a cotangent where there is one.
pub(crate) struct Operands<T: Float> {
    numbers: Vec<Tensor<T>>,
    integers: Vec<(Shape, Vec<i64>)>,
    dy: Option<Tensor<T>>,
}

/// Operands on a tape, and the cotangent.
pub(crate) struct Traced<'t, T: Float>(Given<'t, T>, Option<Var<'t, T>>);

impl<T: Float> Inputs<T> for Operands<T> {
    type Traced<'t> = Traced<'t, T>;
    type Owned = Self;
    fn trace<'t>(&self, tape: &'t Tape<T>, slots: &mut InputRecorder) -> Self::Traced<'t> {
        let x = self.numbers.iter().map(|x| slots.numbers(tape, x)).collect();
        let index =
            self.integers.iter().map(|(shape, data)| slots.integers(tape.indices(shape.clone(), data))).collect();
        let key = slots.key(tape.key(Key::new(7)));
        Traced(Given { tape, x, index, key }, self.dy.as_ref().map(|dy| slots.numbers(tape, dy)))
    }
    fn bind(&self, binder: &mut InputWriter<'_, T>) -> Result<(), ProgramError> {
        self.numbers.iter().try_for_each(|x| binder.tensor(x))?;
        self.integers.iter().try_for_each(|(shape, data)| binder.integers(shape, data.iter().copied()))?;
        Key::new(7).bind(binder)?;
        self.dy.iter().try_for_each(|dy| binder.tensor(dy))
    }
}

/// Numbers that look random, the same in each run.
fn draw(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    (*state >> 11) as f64 / (1_u64 << 53) as f64
}

impl<T: Float> Operands<T> {
    fn of(row: &Row<T>, pass: Pass) -> Self {
        let mut state = 42;
        let mut numbers = |shape: &[usize], (low, high): (f64, f64)| {
            Tensor::from_fn(shape, |_| T::of(low + (high - low) * draw(&mut state)))
        };
        let all = row.numbers.iter().map(|(shape, range)| numbers(shape, *range)).collect();
        let dy = |shape: &Shape| numbers(shape, (0.5, 1.5));
        let mut state = 43;
        let mut integers = |(shape, below): &(Vec<usize>, usize)| {
            let shape = Shape::from(&shape[..]);
            let data = (0..shape.numel()).map(|_| (draw(&mut state) * *below as f64) as i64).collect();
            (shape, data)
        };
        let integers = row.integers.iter().map(&mut integers).collect();
        let mut operands = Self { numbers: all, integers, dy: None };
        if pass == Pass::Gradient {
            let tape = Tape::default();
            let Traced(given, _) = operands.trace(&tape, &mut InputRecorder::default());
            operands.dy = Some({ dy }(&(row.function)(&given).shape()));
        }
        operands
    }
}

/// The value of a row, and its gradients where there is a cotangent.
fn results<'t, T: Float>(row: &Row<T>, Traced(given, dy): Traced<'t, T>) -> Vec<Var<'t, T>> {
    let y = (row.function)(&given);
    let mut results = vec![y];
    if let Some(dy) = dy {
        results.extend(vjp(y, &given.x[..row.differentiated], dy));
    }
    results
}

fn program<T: Float>(row: &Row<T>, operands: &Operands<T>, how: Optimisations) -> Program<T> {
    let stateless: [Tensor<T>; 0] = [];
    let recorded = Program::record_with(how, &stateless, operands, |_, [], traced| (vec![], results(row, traced)));
    recorded.unwrap_or_else(|error| panic!("{}: {error}", row.name))
}

/// Elements that are read and written: all operands and results, or what the row says.
fn moved<T: Float>(row: &Row<T>, pass: Pass, operands: &Operands<T>, results: &[usize]) -> usize {
    let integers = operands.integers.iter().map(|(shape, _)| shape.numel());
    let numbers = operands.numbers.iter().chain(&operands.dy).map(Tensor::numel);
    let all = numbers.chain(integers).chain(results.iter().copied()).sum();
    row.moved.map_or(all, |moved| moved[usize::from(pass == Pass::Gradient)])
}

/// Nanoseconds an element of replay, of its bound, and of recording and computing anew.
pub(crate) struct Measured {
    pub(crate) ns: f64,
    pub(crate) bound: Option<f64>,
    pub(crate) eager: Option<f64>,
}

/// Times a row and the copy of as many bytes in turn, so that what disturbs the machine disturbs them alike.
pub(crate) fn measure<T: Number>(row: &Row<T>, pass: Pass, rates: Rates, seconds: f64, eager: bool) -> Measured {
    let operands = Operands::of(row, pass);
    let mut program = program(row, &operands, Optimisations::default());
    let results: Vec<usize> = {
        let outputs = program.run(&operands).expect("it takes what it was recorded with");
        (0..outputs.len()).map(|k| outputs.slice(k).len()).collect()
    };
    let largest = operands.numbers.iter().map(Tensor::numel).chain(results.iter().copied());
    let elements = largest.chain(operands.integers.iter().map(|(shape, _)| shape.numel())).max().unwrap_or(1);
    let half = moved(row, pass, &operands, &results).div_ceil(2);
    let (from, mut to) = (vec![T::ONE; half], vec![T::ZERO; half]);
    let run = || _ = black_box(program.run(&operands).expect("it takes what it was recorded with"));
    let mut replay = Clock::new(run, SHORTEST);
    let mut copy = Clock::new(|| black_box(&mut to[..]).copy_from_slice(black_box(&from)), SHORTEST);
    let mut tape = Tape::default();
    let mut eager = eager.then(|| Clock::new(|| compute(&mut tape, row, &operands), SHORTEST));
    let start = Instant::now();
    while replay.times.len() < FEWEST || start.elapsed().as_secs_f64() < seconds {
        replay.round();
        copy.round();
        eager.iter_mut().for_each(Clock::round);
    }
    let each = 1e9 / elements as f64;
    let bound = match row.work[usize::from(pass == Pass::Gradient)] {
        Work::Other => None,
        Work::Formula(exponentials, divisions) => {
            let formula = rates.exponential * f64::from(exponentials) + rates.division * f64::from(divisions);
            Some(formula.max(copy.median() * each))
        }
    };
    Measured { ns: replay.median() * each, bound, eager: eager.map(|eager| eager.median() * each) }
}

/// Records a row and computes it, as a step that a tape may know.
fn compute<T: Float>(tape: &mut Tape<T>, row: &Row<T>, operands: &Operands<T>) {
    tape.clear();
    let tape = &*tape;
    let traced = operands.trace(tape, &mut InputRecorder::default());
    let results = results(row, traced);
    black_box(tape.values(&results[..]));
}

/// Nanoseconds of an exponential and of a division in vectors, from the first-level cache.
#[derive(Clone, Copy)]
pub(crate) struct Rates {
    exponential: f64,
    division: f64,
}

impl Rates {
    pub(crate) fn measure<T: Number>() -> Self {
        let x: Vec<T> = (0..1024).map(|i| T::of(f64::from(i) / -700.0)).collect();
        let (mut of_exponentials, mut of_divisions) = (x.clone(), x.clone());
        let level = Level::detect();
        let exponentials = || level.run(Exponentials { x: black_box(&x), y: black_box(&mut of_exponentials) });
        let divisions = || level.run(Divisions { x: black_box(&x), y: black_box(&mut of_divisions) });
        let (mut exponential, mut division) = (Clock::new(exponentials, SHORTEST), Clock::new(divisions, SHORTEST));
        for _ in 0..101 {
            exponential.round();
            division.round();
        }
        let each = 1e9 / x.len() as f64;
        Self { exponential: exponential.median() * each, division: division.median() * each }
    }
}

struct Exponentials<'a, T> {
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: Number> Kernel for Exponentials<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for (y, &x) in self.y.iter_mut().zip(self.x) {
            *y = x.fast_exp::<FMA>();
        }
    }
}

struct Divisions<'a, T> {
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: Number> Kernel for Divisions<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for (y, &x) in self.y.iter_mut().zip(self.x) {
            *y = T::ONE / x;
        }
    }
}

/// Whether the value of a row, or its gradient, is made of this primitive.
#[cfg(test)]
pub(crate) fn records<T: Float>(row: &Row<T>, primitive: &str) -> bool {
    let operands = Operands::of(row, Pass::Forward);
    let program = program(row, &operands, Optimisations::NONE.traced());
    let trace = program.trace().expect("it was asked for");
    trace.contains(&format!(" = {primitive}("))
}

/// Runs a row, and tells how many elements it moves.
#[cfg(test)]
pub(crate) fn runs<T: Float>(row: &Row<T>, pass: Pass) -> usize {
    let operands = Operands::of(row, pass);
    let mut program = program(row, &operands, Optimisations::default());
    let outputs = program.run(&operands).expect("it takes what it was recorded with");
    let results: Vec<usize> = (0..outputs.len()).map(|k| outputs.slice(k).len()).collect();
    moved(row, pass, &operands, &results)
}
