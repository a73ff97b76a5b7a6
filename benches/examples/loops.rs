//! Recurrent cells over a sequence, one step of training: written out beside `scan`, with each way to keep states, in a program
//! and on a tape, all in one run. Times are medians in microseconds, with their ratios to the loop written out.
//!
//! ```sh
//! cargo run --release --example loops
//! ```

use autograd::{Keep, Program, ProgramError, Scan, Tape, Tensor, Var, grad, stack, update};
use std::hint::black_box;
use std::time::Instant;

/// The next states, the first of which is the output, of what the input gives the gates, the states, weights and a bias.
type Cell = for<'t> fn(Var<'t>, &[Var<'t>], [Var<'t>; 2]) -> Vec<Var<'t>>;

fn gate(of: Var<'_>, gate: usize, size: usize) -> Var<'_> {
    of.narrow(1, gate * size, size)
}

fn gru<'t>(given: Var<'t>, states: &[Var<'t>], [weights, bias]: [Var<'t>; 2]) -> Vec<Var<'t>> {
    let (h, size) = (states[0], states[0].shape()[1]);
    let kept = h.linear(weights, Some(bias));
    let [r, z] = [0, 1].map(|i| (gate(given, i, size) + gate(kept, i, size)).sigmoid());
    let n = (gate(given, 2, size) + r * gate(kept, 2, size)).tanh();
    vec![n + z * (h - n)]
}

fn lstm<'t>(given: Var<'t>, states: &[Var<'t>], [weights, bias]: [Var<'t>; 2]) -> Vec<Var<'t>> {
    let size = states[0].shape()[1];
    let all = given + states[0].linear(weights, Some(bias));
    let [i, f, o] = [0, 1, 3].map(|i| gate(all, i, size).sigmoid());
    let c = f * states[1] + i * gate(all, 2, size).tanh();
    vec![o * c.tanh(), c]
}

/// The mean square of the outputs; written out, or by a loop.
fn loss<'t>((cell, states): (Cell, usize), keep: Option<Keep>, params: &[Var<'t>; 4], x: Var<'t>) -> Var<'t> {
    let [weights, bias, recurrent, recurrent_bias] = *params;
    let given = x.linear(weights, Some(bias));
    let (steps, n, size) = (x.shape()[0], x.shape()[1], recurrent.shape()[1]);
    let mut states = vec![x.tape().full([n, size], 0.0); states];
    let outputs = if let Some(keep) = keep {
        let how = Scan { keep, ..Scan::default() };
        let (_, outputs) = how.run(x.tape(), &states, &given, |states, given, _| {
            let next = cell(given, &states, [recurrent, recurrent_bias]);
            let output = next[0];
            (next, output)
        });
        outputs
    } else {
        let mut outputs = Vec::with_capacity(steps);
        for step in 0..steps {
            states = cell(given.narrow(0, step, 1).squeeze(0), &states, [recurrent, recurrent_bias]);
            outputs.push(states[0]);
        }
        stack(&outputs, 0)
    };
    outputs.square().mean()
}

const WAYS: [Option<Keep>; 4] = [None, Some(Keep::All), Some(Keep::Carries), Some(Keep::Sqrt)];

/// The medians of the ways, taken in turn.
fn medians(repeats: usize, mut run: impl FnMut(usize) -> f64) -> Vec<f64> {
    let mut times = vec![Vec::new(); WAYS.len()];
    for _ in 0..=repeats {
        for (way, times) in times.iter_mut().enumerate() {
            let start = Instant::now();
            black_box(run(way));
            times.push(start.elapsed().as_secs_f64() * 1e6);
        }
    }
    for times in &mut times {
        times.sort_by(f64::total_cmp);
    }
    times.iter().map(|times| times[times.len() / 2]).collect()
}

fn tell(what: &str, times: &[f64]) {
    print!("{what:40}");
    for time in times {
        print!(" {time:9.1} ({:.2})", time / times[0]);
    }
    println!();
}

fn main() -> Result<(), ProgramError> {
    println!("{:40} {:>16} {:>16} {:>16} {:>16}", "", "written out", "all kept", "carries", "√n");
    for [steps, n, input, size, repeats] in
        [[20, 1, 4, 8, 300], [20, 16, 8, 16, 100], [20, 32, 32, 64, 30], [400, 8, 8, 16, 10]]
    {
        for (name, cell, states, gates) in [("GRU", gru as Cell, 1, 3), ("LSTM", lstm as Cell, 2, 4)] {
            let tensor =
                |shape: &[usize], k: usize| Tensor::from_fn(shape, |i| ((i * 37 + k * 11) % 101) as f64 / 350.0 - 0.15);
            let rows = gates * size;
            let params = [tensor(&[rows, input], 1), tensor(&[rows], 2), tensor(&[rows, size], 3), tensor(&[rows], 4)];
            let x = tensor(&[steps, n, input], 5);
            let record = |&keep: &Option<Keep>| {
                Program::record(&params, &(&x, 0.01_f64), |_, params, (x, rate)| {
                    let loss = loss((cell, states), keep, &params, x);
                    (update(&params, &grad(loss, &params), |p, g| p - g * rate), vec![loss])
                })
            };
            let mut programs = WAYS.iter().map(record).collect::<Result<Vec<Program>, ProgramError>>()?;
            let what = format!("{name} {steps} steps, [{n}, {input}] → {size}");
            let run = |way: usize| programs[way].run(&(&x, 0.01)).map_or(f64::NAN, |outputs| outputs.item(0));
            tell(&format!("{what}, program"), &medians(repeats, run));
            let mut tapes: Vec<Tape> = WAYS.iter().map(|_| Tape::new()).collect();
            let run = |way: usize| {
                let tape = &mut tapes[way];
                tape.clear();
                let (params, x) = (tape.vars(&params), tape.var(&x));
                let loss = loss((cell, states), WAYS[way], &params, x);
                tape.values(&(loss, grad(loss, &params))).0.item()
            };
            tell(&format!("{what}, tape"), &medians(repeats, run));
        }
    }
    Ok(())
}
