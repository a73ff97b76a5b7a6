//! Twenty-eight workloads on arrays in `f32`: `peer-arrays DIRECTORY` writes what each computes, for `arrays.py` to compare, and
//! prints how long a step of each takes, replayed and eager.
//!
//! A step is a loss, its gradient, and an update of all parameters at a small rate. Numbers come from the same formula as in
//! `arrays.py`.

mod workloads;
#[path = "../../../clock.rs"]
mod clock;

use autograd::{IndexVar, Program, Tape, Tensor, Var, grad, update};
use clock::Clock;
use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

/// How far a step moves the parameters: hardly, so that all steps do the same work.
const RATE: f32 = 1e-5;
/// The shortest batch.
const SHORTEST: Duration = Duration::from_micros(500);
const FEWEST_ROUNDS: usize = 5;
/// Steps whose results are compared.
const COMPARED: usize = 3;

/// Operands of a loss on a tape: parameters, inputs, and two lists of indices.
struct Given<'t> {
    p: Vec<Var<'t, f32>>,
    x: Vec<Var<'t, f32>>,
    i: IndexVar<'t, f32>,
    j: IndexVar<'t, f32>,
}

/// A loss of parameters and inputs.
struct Workload {
    name: &'static str,
    params: Vec<Tensor<f32>>,
    inputs: Vec<Tensor<f32>>,
    indices: [Vec<usize>; 2],
    loss: for<'t> fn(&Given<'t>) -> Var<'t, f32>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, rest @ ..] = &arguments[..] else { return Err("peer-arrays DIRECTORY [NAME]".into()) };
    let filter = rest.first().map_or("", String::as_str);
    let seconds = std::env::var("PEERS_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(0.5);
    fs::create_dir_all(directory)?;
    for workload in workloads::all().into_iter().filter(|workload| workload.name.contains(filter)) {
        workload.export(Path::new(directory))?;
        let mut replay = workload.replay();
        let mut params = workload.params.clone();
        let mut tape = Tape::default();
        let mut replayed = Clock::new(|| _ = black_box(replay()), SHORTEST);
        let mut eager = Clock::new(|| workload.eager(&mut tape, &mut params), SHORTEST);
        let start = Instant::now();
        while eager.times.len() < FEWEST_ROUNDS || start.elapsed().as_secs_f64() < seconds {
            replayed.round();
            eager.round();
        }
        println!("ours\t{}\t{:.3}\t{:.3}", workload.name, 1e6 * replayed.median(), 1e6 * eager.median());
    }
    Ok(())
}

impl Workload {
    /// A step of the recorded program, which gives the loss.
    fn replay(&self) -> impl FnMut() -> f32 {
        let mut program = self.program();
        let inputs = (self.inputs.clone(), self.indices[0].clone(), self.indices[1].clone());
        move || program.run(&inputs).expect("the inputs are those that were recorded").item(0)
    }

    fn program(&self) -> Program<f32> {
        let inputs = (self.inputs.clone(), self.indices[0].clone(), self.indices[1].clone());
        let recorded = Program::record(&self.params, &inputs, |_, p, (x, i, j)| {
            let given = Given { p, x, i, j };
            let loss = (self.loss)(&given);
            let grads = grad(loss, &given.p);
            (update(&given.p, &grads, |p, g| p - g * RATE), vec![loss])
        });
        recorded.unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    fn eager(&self, tape: &mut Tape<f32>, params: &mut Vec<Tensor<f32>>) {
        let (loss, grads) = tape.value_and_grad(params, |tape, p| {
            let x = self.inputs.iter().map(|x| tape.var(x)).collect();
            let [i, j] = [0, 1].map(|k| tape.labels(&self.indices[k]));
            (self.loss)(&Given { p: p.clone(), x, i, j })
        });
        black_box(loss);
        for (p, g) in params.iter_mut().zip(&grads) {
            p.as_mut_slice().iter_mut().zip(g.as_slice()).for_each(|(p, g)| *p -= RATE * g);
        }
    }

    /// Writes the first losses, and the parameters after them.
    fn export(&self, directory: &Path) -> Result<(), Box<dyn Error>> {
        let mut program = self.program();
        let inputs = (self.inputs.clone(), self.indices[0].clone(), self.indices[1].clone());
        let mut numbers = Vec::new();
        for _ in 0..COMPARED {
            numbers.push(program.run(&inputs)?.item(0));
        }
        for name in program.state_names() {
            numbers.extend(program.state(name).ok_or("a parameter is missing")?.to_vec());
        }
        let bytes: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
        Ok(fs::write(directory.join(self.name), bytes)?)
    }
}
