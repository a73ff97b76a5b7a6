//! Compares recorded runs of PyTorch's optimisers with the rules of `nn`, on tensors and in a program:
//!
//! `cargo run --release --example trajectories -- FILES --data FOLDER`
//!
//! A run names a model (data, layers, initial weights), batches, an optimiser with its settings, a schedule and clipping, and holds what
//! came of it: the loss of each step and sums over the final weights. What is not known here is an error that names it.

mod loss;
mod settings;

use autograd::{Program, Tape, Tensor, Tree, grad};
use clap::Parser;
use loss::cross_entropy;
use nn::optim::{Lbfgs, Optimiser, Rule, Scheduler, next_state};
use nn::{Activation, Linear, Mlp};
use serde_json::Value;
use settings::{array, number, text};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Compare recorded optimiser runs.
#[derive(Parser)]
struct Options {
    /// Files of recorded runs.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The folder with the data that the runs name.
    #[arg(long)]
    data: PathBuf,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let (mut passed, mut failed) = (0, 0);
    for file in &options.files {
        let runs = std::fs::read_to_string(file)
            .map_err(|error| error.to_string())
            .and_then(|text| serde_json::from_str::<Value>(&text).map_err(|error| error.to_string()));
        let runs = match runs {
            Ok(runs) => runs,
            Err(error) => {
                eprintln!("error: {}: {error}", file.display());
                return ExitCode::FAILURE;
            }
        };
        for run in runs["runs"].as_array().into_iter().flatten() {
            let id = run["id"].as_str().unwrap_or("a run without a name");
            match compare(&runs, run, &options.data) {
                Ok(()) => passed += 1,
                Err(error) => {
                    failed += 1;
                    println!("{id}: {error}");
                }
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What a run is made of.
struct Model {
    net: Mlp<Tensor>,
    x: Tensor,
    labels: Vec<usize>,
    /// The rows of each step; all rows where there are none.
    batches: Option<Vec<Vec<usize>>>,
}

impl Model {
    fn read(file: &Value, run: &Value, folder: &Path) -> Result<Self, String> {
        let model = &file["models"][text(run, "model")?];
        let path = folder.join(text(model, "data")?);
        let csv = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let (scale, shift) = (number(model, "scale")?, number(model, "shift")?);
        let classes: Vec<&str> = array(model, "classes")?.iter().filter_map(Value::as_str).collect();
        let (mut features, mut labels) = (Vec::new(), Vec::new());
        for line in csv.lines().skip(1) {
            let Some((numbers, class)) = line.rsplit_once(',') else { continue };
            let place = classes.iter().position(|known| *known == class.trim());
            labels.push(place.ok_or_else(|| format!("the class `{class}` is not known"))?);
            for cell in numbers.split(',') {
                let x: f64 = cell.trim().parse().map_err(|_| format!("`{cell}` is no number"))?;
                features.push(x / scale - shift);
            }
        }
        let width = features.len() / labels.len().max(1);
        let activation = match text(model, "activation")? {
            "tanh" => Activation::Tanh,
            "relu" => Activation::Relu,
            other => return Err(format!("the activation `{other}` is not known")),
        };
        let tensors = array(model, "weights")?.iter().map(settings::tensor).collect::<Result<Vec<_>, _>>()?;
        let layers = tensors.chunks(2).map(|pair| Linear { weight: pair[0].clone(), bias: pair.get(1).cloned() });
        let net = Mlp { layers: layers.collect(), activation };
        let rows = |list: &Value| -> Vec<usize> {
            list.as_array().into_iter().flatten().filter_map(|row| Some(row.as_u64()? as usize)).collect()
        };
        let batches = file["batches"][text(run, "batches")?].as_array().map(|list| list.iter().map(rows).collect());
        Ok(Self { net, x: Tensor::new([labels.len(), width], features), labels, batches })
    }

    /// The batch of a step.
    fn batch(&self, step: usize) -> (Tensor, Vec<usize>) {
        let Some(batches) = &self.batches else { return (self.x.clone(), self.labels.clone()) };
        let (rows, width) = (&batches[step % batches.len()], self.x.shape()[1]);
        let x = self.x.as_slice();
        let features = rows.iter().flat_map(|row| x[row * width..(row + 1) * width].iter().copied()).collect();
        (Tensor::new([rows.len(), width], features), rows.iter().map(|&row| self.labels[row]).collect())
    }

    /// The mean cross-entropy of all rows, and how many of them are named rightly.
    fn all(&self, net: &Mlp<Tensor>) -> (f64, usize) {
        let scores = net.predict(&self.x);
        let right = nn::classes(&scores).iter().zip(&self.labels).filter(|(a, b)| a == b).count();
        let tape = Tape::new();
        (cross_entropy(tape.var(&scores), &self.labels).item(), right)
    }
}

fn compare(file: &Value, run: &Value, folder: &Path) -> Result<(), String> {
    let model = Model::read(file, run, folder)?;
    let steps = run["steps"].as_u64().ok_or("`steps` is not there")? as usize;
    if text(&run["optimizer"], "name")? == "LBFGS" {
        for in_program in [false, true] {
            let (net, losses) = minimised(&model, &run["optimizer"], steps, in_program)?;
            check(run, &model, &net, &losses).map_err(|error| format!("{} {error}", place(in_program)))?;
        }
        return Ok(());
    }
    let rule = settings::rule(run)?;
    let schedule = Some(&run["schedule"]).filter(|schedule| !schedule.is_null());
    let schedule = schedule.map(settings::schedule).transpose()?;
    let scheduler = schedule.map(|schedule| Scheduler::new(schedule, rule.rate(), rule.momentum()));
    for in_program in [false, true] {
        let (rule, scheduler) = (settings::rule(run)?, scheduler.clone());
        let (net, losses) = if in_program {
            replayed(&model, rule, scheduler, steps)?
        } else {
            stepped(&model, rule, scheduler, steps)
        };
        check(run, &model, &net, &losses).map_err(|error| format!("{} {error}", place(in_program)))?;
    }
    Ok(())
}

fn place(in_program: bool) -> &'static str {
    if in_program { "in a program:" } else { "on tensors:" }
}

type Run = (Mlp<Tensor>, Vec<f64>);

/// On tensors.
fn stepped(model: &Model, mut rule: Box<dyn Rule<f64>>, mut scheduler: Option<Scheduler>, steps: usize) -> Run {
    let (mut net, mut tape, mut losses) = (model.net.clone(), Tape::new(), Vec::new());
    for step in 0..steps {
        let (x, labels) = model.batch(step);
        if let Some(scheduler) = &scheduler {
            scheduler.apply(&mut rule);
        }
        let (loss, grads) = tape.value_and_grad(&net, |tape, net| cross_entropy(net.forward(tape.var(&x)), &labels));
        rule.step(&mut net, &grads);
        losses.push(loss);
        if let Some(scheduler) = &mut scheduler {
            scheduler.step_with(loss);
        }
    }
    (net, losses)
}

/// In one program with the step.
fn replayed(
    model: &Model,
    rule: Box<dyn Rule<f64>>,
    mut scheduler: Option<Scheduler>,
    steps: usize,
) -> Result<Run, String> {
    let mut net = model.net.clone();
    let (x, labels) = model.batch(0);
    let moves = scheduler.as_ref().and_then(Scheduler::momentum).is_some();
    let now = |scheduler: &Option<Scheduler>| {
        let rate = scheduler.as_ref().map_or(rule.rate(), Scheduler::rate);
        (rate, scheduler.as_ref().and_then(Scheduler::momentum).unwrap_or(0.0))
    };
    let state = (net.clone(), rule.start(&net));
    let mut program = Program::record(
        &state,
        &(&x, &labels, now(&scheduler)),
        |_, (net, memory): (Mlp<_>, BTreeMap<String, _>), (x, labels, (rate, momentum))| {
            let loss = cross_entropy(net.forward(x), &labels);
            let grads = grad(loss, &net);
            let next = if moves {
                rule.update(&net, &grads, &memory, (rate, momentum))
            } else {
                rule.update(&net, &grads, &memory, rate)
            };
            (next_state(&next), vec![loss])
        },
    )
    .map_err(|error| error.to_string())?;
    let mut losses = Vec::new();
    for step in 0..steps {
        let (x, labels) = model.batch(step);
        let loss = program.run(&(&x, &labels, now(&scheduler))).map_err(|error| error.to_string())?.item(0);
        losses.push(loss);
        if let Some(scheduler) = &mut scheduler {
            scheduler.step_with(loss);
        }
    }
    program.store_part("0", &mut net).map_err(|error| error.to_string())?;
    Ok((net, losses))
}

/// By L-BFGS, which asks for loss and gradient again and again: of a tape, or of a program.
fn minimised(model: &Model, settings: &Value, steps: usize, in_program: bool) -> Result<Run, String> {
    let mut optimiser: Lbfgs = settings::lbfgs(settings)?;
    let mut net = model.net.clone();
    let (x, labels) = model.batch(0);
    let mut tape = Tape::new();
    let mut program = Program::record(&(), &(&net, &x, &labels), |_, (), (net, x, labels)| {
        let loss = cross_entropy(net.forward(x), &labels);
        let grads = grad(loss, &net);
        (vec![], std::iter::once(loss).chain(grads.leaves().into_iter().copied()).collect())
    })
    .map_err(|error| error.to_string())?;
    let mut losses = Vec::new();
    for step in 0..steps {
        let (x, labels) = model.batch(step);
        let report = optimiser.step(&mut net, |net| {
            if !in_program {
                return tape.value_and_grad(net, |tape, net| cross_entropy(net.forward(tape.var(&x)), &labels));
            }
            let outputs = program.run(&(net, &x, &labels)).expect("the inputs have the recorded shapes");
            let mut grads = net.clone();
            for (i, leaf) in grads.leaves_mut().into_iter().enumerate() {
                *leaf = outputs.tensor(i + 1);
            }
            (outputs.item(0), grads)
        });
        losses.push(report.loss);
    }
    Ok((net, losses))
}

/// Holds what came of a run to what is recorded.
fn check(run: &Value, model: &Model, net: &Mlp<Tensor>, losses: &[f64]) -> Result<(), String> {
    let rtol = number(run, "rtol")?;
    let near = |got: f64, want: f64, size: f64| (got - want).abs() <= rtol * size;
    let recorded = array(run, "losses")?;
    if recorded.len() != losses.len() {
        return Err(format!("expected {} losses, found {}", recorded.len(), losses.len()));
    }
    for (step, (got, want)) in losses.iter().zip(recorded).enumerate() {
        let want = want.as_f64().unwrap_or(f64::NAN);
        if !near(*got, want, want.abs()) {
            return Err(format!("the loss of step {step} is {got}, expected {want}"));
        }
    }
    let (loss, right) = model.all(net);
    let want = number(run, "final_loss")?;
    if !near(loss, want, want.abs()) || run["final_correct"].as_u64() != Some(right as u64) {
        return Err(format!(
            "the final loss is {loss} with {right} right, expected {want} and {}",
            run["final_correct"]
        ));
    }
    let (leaves, names) = (net.leaves(), net.names());
    for ((leaf, name), want) in leaves.iter().zip(names).zip(array(run, "final_weights")?) {
        let w = leaf.as_slice();
        let largest = w.iter().fold(0.0, |a: f64, x| a.max(x.abs()));
        let many = largest * w.len() as f64;
        let squares = w.iter().map(|x| x * x).sum::<f64>();
        let cosines = w.iter().enumerate().map(|(i, x)| x * (0.1 * i as f64 + 1.0).cos()).sum::<f64>();
        let mut rows = vec![
            ("sum", w.iter().sum::<f64>(), number(want, "sum")?, many),
            ("sum_of_squares", squares, number(want, "sum_of_squares")?, many * largest),
            ("cosine_sum", cosines, number(want, "cosine_sum")?, many),
            ("last", w[w.len() - 1], number(want, "last")?, largest),
        ];
        for (got, want) in w.iter().zip(array(want, "first")?) {
            rows.push(("first", *got, want.as_f64().unwrap_or(f64::NAN), largest));
        }
        if let Some((what, got, want, _)) = rows.into_iter().find(|(_, got, want, size)| !near(*got, *want, *size)) {
            return Err(format!("`{what}` of {name} is {got}, expected {want}"));
        }
    }
    Ok(())
}
