//! A net trained by an optimiser of the crate argmin: `cargo run --release` in this folder.
//!
//! Whatever wants a function and its gradient as numbers gets them from a program: here L-BFGS with the line search of Moré and
//! Thuente. All parameters are one vector, as such optimisers have them; the program cuts it into layers. The end is held against
//! its goal, so that what is printed is also a check.

use argmin::core::{CostFunction, Error, Executor, Gradient, State};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use autograd::{Program, Tape, Tensor, Var, grad};
use nn::data::Dataset;
use nn::data::synthetic::moons;
use std::cell::{Cell, RefCell};

/// Features, hidden nodes, classes.
const SIZES: [usize; 3] = [2, 16, 2];
/// The elements of the two layers' weights and biases.
const PARTS: [usize; 4] = [SIZES[0] * SIZES[1], SIZES[1], SIZES[1] * SIZES[2], SIZES[2]];
/// `λ` of the penalty `λ/2 · Σ p²`, which gives the loss a minimum.
const PENALTY: f64 = 1e-3;

/// What the program is given: all parameters, examples, labels.
type Inputs = (Tensor<f64>, Tensor<f64>, Vec<usize>);

/// The mean cross-entropy of a net over a table, with the penalty, as a function of one vector.
struct Loss {
    program: RefCell<Program<f64>>,
    /// The vector is written over; the table stays.
    inputs: RefCell<Inputs>,
    runs: Cell<usize>,
}

/// The scores of examples by the net of these parameters.
fn scores<'t>(params: Var<'t, f64>, x: Var<'t, f64>) -> Var<'t, f64> {
    let parts = params.split(&PARTS, 0);
    let hidden = (x.matmul(parts[0].reshape([SIZES[0], SIZES[1]])) + parts[1]).tanh();
    hidden.matmul(parts[2].reshape([SIZES[1], SIZES[2]])) + parts[3]
}

impl Loss {
    fn new(data: &Dataset<f64>, start: &[f64]) -> Result<Self, Error> {
        let inputs: Inputs =
            (Tensor::new([start.len()], start.to_vec()), data.features().clone(), data.labels().to_vec());
        let program =
            Program::record(&(), &(&inputs.0, &inputs.1, &inputs.2), |_: &Tape<f64>, (), (params, x, labels)| {
                let loss = scores(params, x).cross_entropy(&labels) + params.square().sum() * (PENALTY / 2.0);
                let [gradient] = grad(loss, &[params]);
                (vec![], vec![loss, gradient])
            })?;
        Ok(Self { program: RefCell::new(program), inputs: RefCell::new(inputs), runs: Cell::new(0) })
    }

    /// The loss, and its gradient, at these parameters.
    fn at(&self, params: &[f64]) -> Result<(f64, Vec<f64>), Error> {
        let (mut program, mut inputs) = (self.program.borrow_mut(), self.inputs.borrow_mut());
        inputs.0 = Tensor::new([params.len()], params.to_vec());
        self.runs.set(self.runs.get() + 1);
        let outputs = program.run(&(&inputs.0, &inputs.1, &inputs.2))?;
        Ok((outputs.item(0), outputs.slice(1).to_vec()))
    }
}

impl CostFunction for &Loss {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, params: &Vec<f64>) -> Result<f64, Error> {
        Ok(self.at(params)?.0)
    }
}

impl Gradient for &Loss {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, params: &Vec<f64>) -> Result<Vec<f64>, Error> {
        Ok(self.at(params)?.1)
    }
}

/// The share of rows whose highest score is that of their class.
fn accuracy(params: &[f64], data: &Dataset<f64>) -> f64 {
    let tape = Tape::new();
    let scores = scores(tape.var(&Tensor::new([params.len()], params.to_vec())), tape.var(data.features())).value();
    let right = |(row, &label): (&[f64], &usize)| (row[1] > row[0]) == (label == 1);
    scores.as_slice().chunks(SIZES[2]).zip(data.labels()).filter(|&pair| right(pair)).count() as f64 / data.len() as f64
}

fn main() -> Result<(), Error> {
    let (train, held_out) = (moons::<f64>(300, 0.15, 0), moons::<f64>(300, 0.15, 1));
    // Small numbers that differ, so that hidden nodes do.
    let start: Vec<f64> = (0..PARTS.iter().sum()).map(|i| (i as f64 * 0.7).sin() * 0.5).collect();
    let loss = Loss::new(&train, &start)?;
    let solver = LBFGS::new(MoreThuenteLineSearch::new(), 10).with_tolerance_grad(1e-6)?;
    let result = Executor::new(&loss, solver).configure(|state| state.param(start).max_iters(500)).run()?;
    let params = result.state().get_best_param().ok_or_else(|| Error::msg("no parameters were found"))?;
    let (value, gradient) = loss.at(params)?;
    let steepness = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
    let share = accuracy(params, &held_out);
    println!(
        "{} steps, {} runs of the program: loss {value:.6}, |gradient| {steepness:.1e}",
        result.state().get_iter(),
        loss.runs.get()
    );
    println!("{:.1} % of {} other rows are right", 100.0 * share, held_out.len());
    if steepness > 1e-5 || share < 0.97 {
        return Err(Error::msg("a minimum with 97 % of the other rows right was expected"));
    }
    Ok(())
}
