//! Rules and schedules: runs that PyTorch has made, the same bits on tensors and in a program, gradients through steps.

#[path = "../../../../examples/trajectories/settings.rs"]
#[allow(dead_code, reason = "the example has more of them")]
mod settings;

use autograd::{Float, Program, Tape, Tensor, Tree, grad};
use nn::data::{Csv, IRIS_CSV};
use nn::optim::{
    Accumulated, Adadelta, Adagrad, Adam, Adamax, Averaged, Clip, Clipped, Group, Grouped, Lion, NAdam, Optimiser,
    RAdam, RmsProp, Rprop, Rule, Schedule, Scheduler, Sgd, Weighting, clip_norm, next_state,
};
use nn::{Activation, Dataset, Linear, Mlp};
use serde_json::Value;
use std::collections::BTreeMap;

fn file(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn numbers(of: &Value) -> Vec<f64> {
    of.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

#[test]
fn schedules_move_rate_and_momentum_as_those_of_pytorch() {
    let recorded = file(include_str!("../data/schedules.json"));
    let metrics = numbers(&recorded["metrics"]);
    for row in recorded["rows"].as_array().unwrap() {
        let (rate, momentum) = (row["rate"].as_f64().unwrap(), row["momentum"].as_f64().unwrap());
        let schedule = settings::schedule(&row["schedule"]).unwrap();
        let is_plateau = matches!(schedule, Schedule::Plateau(_));
        let mut scheduler = Scheduler::new(schedule, rate, Some(momentum));
        let momenta = row.get("momenta").map(numbers);
        for (step, want) in numbers(&row["rates"]).into_iter().enumerate() {
            let got = scheduler.rate();
            assert!((got - want).abs() <= 1e-14 * want.abs().max(0.01), "{} {step}: {got} {want}", row["schedule"]);
            let (got, want) = (scheduler.momentum(), momenta.as_ref().map_or(momentum, |momenta| momenta[step]));
            assert!((got.unwrap_or(momentum) - want).abs() <= 1e-14, "{} {step}: {got:?} {want}", row["schedule"]);
            if is_plateau { scheduler.step_with(metrics[step]) } else { scheduler.step() }
        }
    }
}

/// A run's net, its data, and the rows of its batches.
struct Model {
    net: Mlp<Tensor>,
    x: Tensor,
    labels: Vec<usize>,
    batches: Vec<Vec<usize>>,
}

impl Model {
    fn read(file: &Value, run: &Value) -> Self {
        let iris: Dataset = Csv::new("species").parse("iris.csv", IRIS_CSV).unwrap();
        let model = &file["models"][run["model"].as_str().unwrap()];
        let weights: Vec<Tensor> =
            model["weights"].as_array().unwrap().iter().map(|of| settings::tensor(of).unwrap()).collect();
        let layers = weights.chunks(2).map(|w| Linear { weight: w[0].clone(), bias: Some(w[1].clone()) }).collect();
        let all = vec![(0..iris.len()).collect()];
        let rows = |list: &Value| numbers(list).into_iter().map(|row| row as usize).collect();
        let batches = file["batches"][run["batches"].as_str().unwrap()].as_array();
        Self {
            net: Mlp { layers, activation: Activation::Tanh },
            x: iris.features().map(|x| x / 4.0 - 1.0),
            labels: iris.labels().to_vec(),
            batches: batches.map_or(all, |list| list.iter().map(rows).collect()),
        }
    }

    fn batch(&self, step: usize) -> (Tensor, Vec<usize>) {
        let rows = &self.batches[step % self.batches.len()];
        let features = rows.iter().flat_map(|row| self.x.as_slice()[row * 4..row * 4 + 4].to_vec()).collect();
        (Tensor::new([rows.len(), 4], features), rows.iter().map(|&row| self.labels[row]).collect())
    }
}

#[test]
fn every_rule_follows_recorded_runs_of_pytorch_with_schedules_and_clipping() {
    let recorded = file(include_str!("../data/optimiser_runs.json"));
    for run in recorded["runs"].as_array().unwrap() {
        let (model, id) = (Model::read(&recorded, run), &run["id"]);
        let mut rule = settings::rule(run).unwrap();
        let schedule = Some(&run["schedule"]).filter(|schedule| !schedule.is_null());
        let schedule = schedule.map_or(Schedule::Constant, |schedule| settings::schedule(schedule).unwrap());
        let mut scheduler = Scheduler::of(schedule, &rule);
        let (mut net, mut tape, mut losses) = (model.net.clone(), Tape::new(), Vec::new());
        for step in 0..run["steps"].as_u64().unwrap() as usize {
            let (x, labels) = model.batch(step);
            scheduler.apply(&mut rule);
            let (loss, grads) = tape.value_and_grad(&net, |tape, net| net.forward(tape.var(&x)).cross_entropy(&labels));
            rule.step(&mut net, &grads);
            losses.push(loss);
            scheduler.step_with(loss);
        }
        let tolerance = run["rtol"].as_f64().unwrap();
        for (got, want) in losses.iter().step_by(10).zip(numbers(&run["losses"])) {
            assert!((got - want).abs() <= tolerance * want, "{id}: {got} {want}");
        }
        for (leaf, want) in net.leaves().iter().zip(run["final_weights"].as_array().unwrap()) {
            let w = leaf.as_slice();
            let largest = w.iter().fold(0.0, |a: f64, x| a.max(x.abs())) * w.len() as f64;
            let cosines: f64 = w.iter().enumerate().map(|(i, x)| x * (0.1 * i as f64 + 1.0).cos()).sum();
            let sum: f64 = w.iter().sum();
            for (got, want) in [(sum, &want["sum"]), (cosines, &want["cosine_sum"]), (w[w.len() - 1], &want["last"])] {
                let want = want.as_f64().unwrap();
                assert!((got - want).abs() <= tolerance * largest, "{id}: {got} {want}");
            }
        }
    }
}

/// Every rule, with its defaults and with all its settings.
fn rules<T: Float>() -> Vec<Box<dyn Rule<T>>> {
    vec![
        Box::new(Sgd::new(0.1)),
        Box::new(Sgd { momentum: 0.9, dampening: 0.3, weight_decay: 0.01, ..Sgd::new(0.1) }),
        Box::new(Sgd { momentum: 0.9, nesterov: true, maximize: true, ..Sgd::new(0.1) }),
        Box::new(Adam::new(0.1)),
        Box::new(Adam { amsgrad: true, beta1: 0.5, weight_decay: 0.1, ..Adam::new(0.1) }),
        Box::new(Adam { maximize: true, ..Adam::adam_w(0.1) }),
        Box::new(Adamax { weight_decay: 0.1, ..Adamax::new(0.1) }),
        Box::new(NAdam::new(0.1)),
        Box::new(NAdam { decoupled: true, weight_decay: 0.1, ..NAdam::new(0.1) }),
        Box::new(RAdam { beta2: 0.9, ..RAdam::new(0.1) }),
        Box::new(RmsProp::new(0.1)),
        Box::new(RmsProp { centred: true, momentum: 0.5, weight_decay: 0.1, ..RmsProp::new(0.1) }),
        Box::new(Adagrad { rate_decay: 0.1, initial_accumulator_value: 0.5, ..Adagrad::new(0.1) }),
        Box::new(Adadelta { weight_decay: 0.1, ..Adadelta::new(0.1) }),
        Box::new(Rprop::new(0.1)),
        Box::new(Lion { weight_decay: 0.1, ..Lion::new(0.1) }),
    ]
}

/// A rule as it is, or with one thing around it, or with all.
fn around<T: Float>(rule: Box<dyn Rule<T>>, what: usize) -> Box<dyn Rule<T>> {
    let groups = vec![Group { factor: 0.5, weight_decay: Some(0.2), ..Group::new("1") }, Group::frozen("2")];
    let weighting = if what == 5 { Weighting::Equal } else { Weighting::Exponential(0.9) };
    match what {
        0 => rule,
        1 => Box::new(Clipped { clip: Clip::Norm(0.5), rule }),
        2 => Box::new(Clipped { clip: Clip::Value(0.3), rule }),
        3 => Box::new(Grouped { groups, rule }),
        4 => Box::new(Accumulated { every: 2, rule }),
        5 => Box::new(Averaged { weighting, after: 1, every: 2, rule }),
        _ => {
            let rule = Grouped { groups, rule: Clipped { clip: Clip::Norm(0.5), rule } };
            Box::new(Averaged { weighting, after: 1, every: 1, rule: Accumulated { every: 2, rule } })
        }
    }
}

/// How many things [`around`] has.
const AROUND: usize = 7;

type Params<T> = (Tensor<T>, Tensor<T>, Tensor<T>);

fn params<T: Float>() -> Params<T> {
    let matrix = Tensor::from_fn([3, 2], |i| T::of(0.7 - 0.3 * i as f64));
    (matrix, Tensor::scalar(T::of(-0.4)), Tensor::from([T::of(1.5), T::of(2.5)]))
}

/// Gradients of a step.
fn gradients<T: Float>(step: usize) -> Params<T> {
    let number = |i: usize| T::of((1.3 * (i + 7 * step) as f64).sin() * if step == 2 { 30.0 } else { 0.6 });
    (Tensor::from_fn([3, 2], number), Tensor::scalar(number(8)), Tensor::from_fn([2], |i| number(9 + i)))
}

fn bits<T: Float>(tree: &impl Tree<Leaf = Tensor<T>>) -> Vec<u64> {
    tree.leaves().iter().flat_map(|leaf| leaf.as_slice().iter().map(|x| x.to_f64().to_bits())).collect()
}

fn same_bits<T: Float>(mut rule: Box<dyn Rule<T>>, around: usize) {
    let rates = [0.1, 0.1, 0.03, 0.2, 0.05];
    // Of a momentum, a schedule moves it, too.
    let momenta = rule.momentum().filter(|momentum| *momentum > 0.0).map(|_| [0.8, 0.8, 0.85, 0.9, 0.7]);
    let name = format!("{} in {around}", rule.name());
    let numbers =
        |step: usize| [rates[step], momenta.map_or(0.0, |momenta| momenta[step])].map(|x| Tensor::scalar(T::of(x)));
    let mut tensors = params::<T>();
    let state = (tensors.clone(), rule.start(&tensors));
    let [a, b, c] = <[Tensor<T>; 3]>::from(gradients(0));
    let now = numbers(0);
    let mut program =
        Program::record(&state, &(&a, &b, &c, &now[0], &now[1]), |_, (params, memory), (a, b, c, rate, momentum)| {
            let (params, memory): (_, BTreeMap<String, _>) = (params, memory);
            let next = match momenta {
                Some(_) => rule.update(&params, &(a, b, c), &memory, (rate, momentum)),
                None => rule.update(&params, &(a, b, c), &memory, rate),
            };
            (next_state(&next), vec![])
        })
        .unwrap();
    for step in 0..rates.len() {
        let [a, b, c] = <[Tensor<T>; 3]>::from(gradients(step));
        let now = numbers(step);
        program.run(&(&a, &b, &c, &now[0], &now[1])).unwrap();
        rule.set_rate(rates[step]);
        if let Some(momenta) = momenta {
            rule.set_momentum(momenta[step]);
        }
        rule.step(&mut tensors, &(a, b, c));
        let mut there = params::<T>();
        program.store_part("0", &mut there).unwrap();
        assert_eq!(bits(&tensors), bits(&there), "{name}: step {step}");
    }
    let mut memory = state.1;
    program.store_part("1", &mut memory).unwrap();
    assert!(memory.keys().eq(rule.memory().keys()), "{name}");
    assert_eq!(bits(&memory), bits(&**rule.memory()), "{name}");
    assert_ne!(bits(&tensors), bits(&params::<T>()), "{name}");
}

#[test]
fn a_step_on_tensors_and_one_in_a_program_are_the_same_to_the_bit() {
    fn check<T: Float>(kinds: &[usize]) {
        for i in 0..rules::<T>().len() {
            for &kind in kinds {
                same_bits(around(rules::<T>().swap_remove(i), kind), kind);
            }
        }
    }
    check::<f64>(&std::array::from_fn::<usize, AROUND, _>(|kind| kind));
    check::<f32>(&[0, AROUND - 1]);
}

#[test]
fn the_rate_that_a_schedule_gives_the_first_step_is_the_first_step_size_of_rprop() {
    for kind in [0, 3] {
        let mut rule = around::<f64>(Box::new(Rprop::new(0.1)), kind);
        let mut p = params::<f64>();
        let start = rule.start(&p);
        rule.set_rate(0.025);
        rule.step(&mut p, &gradients(0));
        assert!((p.0.as_slice()[1] - (0.4 - 0.025)).abs() < 1e-15);
        let factor = if kind == 3 { 0.5 } else { 1.0 };
        assert!((p.1.item() - (-0.4 + 0.025 * factor)).abs() < 1e-15, "{}", p.1.item());
        assert!(start.keys().eq(rule.memory().keys()));
    }
}

#[test]
fn equal_gradients_leave_a_centred_rule_finite() {
    fn check<T: Float>() {
        for gradient in [0.1, 1.0 / 3.0, 7.7] {
            let mut rule = RmsProp { centred: true, alpha: 0.5, ..RmsProp::new(1e-9) };
            let mut p = Tensor::from([T::ZERO]);
            for _ in 0..100 {
                rule.step(&mut p, &Tensor::from([T::of(gradient)]));
                assert!(p.as_slice()[0].is_finite());
            }
        }
    }
    check::<f64>();
    check::<f32>();
}

#[test]
fn parameters_of_no_axes_and_of_no_numbers_take_steps() {
    for i in 0..rules::<f64>().len() {
        for kind in [0, 1, 2, 4, 5] {
            let rule = || around(rules::<f64>().swap_remove(i), kind);
            let (mut one, mut other) = (rule(), rule());
            let none = || (Tensor::zeros([0]), Tensor::zeros([2, 0]));
            let mut mixed = (Tensor::scalar(0.5), none(), Tensor::from([0.5]));
            let mut plain = vec![Tensor::from([0.5]), Tensor::from([0.5])];
            for step in 0..3 {
                let g = [0.3, -0.2, 0.7][step];
                one.step(&mut mixed, &(Tensor::scalar(g), none(), Tensor::from([g])));
                other.step(&mut plain, &vec![Tensor::from([g]), Tensor::from([g])]);
            }
            assert_eq!(mixed.0.item().to_bits(), plain[0].as_slice()[0].to_bits(), "{} in {kind}", one.name());
            assert_eq!(mixed.2, plain[1]);
            assert_eq!(mixed.1, none());
        }
        let mut rule = around(rules::<f64>().swap_remove(i), 1);
        rule.step(&mut Tensor::zeros([0]), &Tensor::zeros([0]));
    }
    let tape = Tape::<f64>::new();
    for order in [1.0, 2.0, 3.0, f64::INFINITY] {
        let grads = tape.vars(&[Tensor::zeros([0]), Tensor::from([-3.0])]);
        assert!((clip_norm(&grads, 1.0, order).1.item() - 3.0).abs() < 1e-14);
        assert_eq!(clip_norm(&[grads[0]], 1.0, order).1.item(), 0.0);
    }
}

#[test]
fn frozen_parameters_stay_and_nothing_is_remembered_of_them_or_counts_of_their_gradients() {
    for i in 0..rules::<f64>().len() {
        let mut rule = Grouped {
            groups: vec![Group::frozen("2")],
            rule: Clipped { clip: Clip::Norm(0.1), rule: rules::<f64>().swap_remove(i) },
        };
        let mut alone = Clipped { clip: Clip::Norm(0.1), rule: rules::<f64>().swap_remove(i) };
        let (mut all, start) = (params::<f64>(), params::<f64>());
        let mut two = (all.0.clone(), all.1.clone());
        for step in 0..3 {
            let (a, b, _) = gradients::<f64>(step);
            rule.step(&mut all, &(a.clone(), b.clone(), Tensor::full([2], f64::NAN)));
            alone.step(&mut two, &(a, b));
        }
        let name = Rule::<f64>::name(&alone);
        assert_eq!(bits(&(all.0, all.1)), bits(&two), "{name}");
        assert_eq!(all.2, start.2);
        assert!(rule.memory().keys().eq(alone.memory().keys()), "{name}");
    }
}

#[test]
fn gradients_go_through_three_steps_of_a_rule() {
    // Of the loss after three steps on another loss: with respect to the start, and to the rate.
    let after = |rule: &dyn Fn() -> Box<dyn Rule<f64>>, start: &Tensor, rate: f64| -> (f64, Vec<f64>) {
        let tape = Tape::new();
        let (p0, rate) = (tape.var(start), tape.scalar(rate));
        let rule = rule();
        let (mut p, mut memory) = (p0, tape.vars(&rule.start(start)));
        for _ in 0..3 {
            let inner = (p.square() * p + p.sin()).sum();
            (p, memory) = rule.update(&p, &grad(inner, &p), &memory, rate);
        }
        let outer = (p - 0.3).square().sum();
        let (to_start, to_rate) = grad(outer, &(p0, rate));
        (outer.item(), [to_start.value().to_vec(), vec![to_rate.item()]].concat())
    };
    let smooth: [&dyn Fn() -> Box<dyn Rule<f64>>; 4] = [
        &|| Box::new(Adam::new(0.1)),
        &|| Box::new(Adam { weight_decay: 0.1, ..Adam::adam_w(0.1) }),
        &|| Box::new(Sgd { momentum: 0.9, nesterov: true, ..Sgd::new(0.1) }),
        &|| Box::new(Clipped { clip: Clip::Norm(0.5), rule: NAdam::new(0.1) }),
    ];
    for rule in smooth {
        let (start, rate, h) = ([0.8, -0.5, 0.2], 0.1, 1e-6);
        let (_, gradient) = after(rule, &Tensor::from(start), rate);
        for (i, got) in gradient.iter().enumerate() {
            let at = |by: f64| {
                let mut moved = start;
                if let Some(x) = moved.get_mut(i) {
                    *x += by;
                }
                after(rule, &Tensor::from(moved), if i == 3 { rate + by } else { rate }).0
            };
            let want = (at(h) - at(-h)) / (2.0 * h);
            assert!((got - want).abs() < 1e-7 * want.abs().max(1.0), "{} {i}: {got} {want}", rule().name());
        }
        assert!(gradient.iter().all(|g| g.abs() > 1e-6));
    }
}
