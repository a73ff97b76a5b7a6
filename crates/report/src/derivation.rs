//! The derivation on this net's last layer: closed form, tape, and differences.

use crate::count;
use crate::page::Page;
use crate::seen::{Seen, losses};
use autograd::{Tape, Tensor, Var, grad};
use nn::data::{BatchVars, Target};
use picture::{Cell, Table};
use softmax_net::derivation::{Row, Tolerance};

/// How many rows it is checked with.
const ROWS: usize = 8;
/// For how many entries of a gradient differences are made.
const MOST: usize = 400;
/// The rows that are printed.
const PRINTED: usize = 3;
/// How many classes are printed.
const MOST_PRINTED: usize = 12;

/// As the derivation of the toy net has it: closed form and tape round differently, differences keep about nine digits.
const TOLERANCE: Tolerance = Tolerance { tape: 1e-12, finite: 1e-6 };

pub(crate) fn write(page: &mut Page, seen: &Seen) {
    page.section("The derivation on the last layer");
    let batch = seen.data.batch(&(0..seen.len().min(ROWS)).collect::<Vec<_>>());
    let tape = Tape::new();
    let net = tape.vars(&seen.model.net);
    let mut vars = BatchVars::new(&tape, &batch);
    vars.weights = None; // each row counts the same in the formulas
    let (last, scores, before) = last_layer(&net, vars.features);
    let loss = vars.loss(scores);
    let mut wanted = vec![scores, last.weight];
    wanted.extend(last.bias);
    let slopes = tape.values(&grad(loss, &wanted));
    let (s, o1) = (scores.value(), before.value());
    let closed = Closed::of(&s, &o1, &batch.target);

    let words = Words::of(&batch.target);
    page.says(&format!(
        "With S the outputs of the last layer for {}, {}, and n = {}: {}. This is the same thing three times: by the formula, by the tape, and by \
         differences of the loss itself.",
        seen.of_all(batch.len()), words.truth, batch.len(), words.formula
    ));
    let finite = differences(seen, &s, &o1, &batch.target);
    let mut rows = vec![
        Row::compare((words.name, words.statement), &closed.scores, slopes[0].as_slice(), &finite[0], TOLERANCE),
        Row::compare(("weights", "dL/dW = (dL/dS)ᵀ O1"), &closed.weight, slopes[1].as_slice(), &finite[1], TOLERANCE),
    ];
    if let Some(slope) = slopes.get(2) {
        rows.push(Row::compare(
            ("bias", "dL/db = Σ_i dL/dS[i]"),
            &closed.bias,
            slope.as_slice(),
            &finite[2],
            TOLERANCE,
        ));
    }
    let mut table = Table::new(
        "Each line: the largest difference between two of the three, relative to the largest entry",
        &[
            "line",
            "what it says",
            "numbers",
            "with differences",
            "formula and tape",
            "formula and differences",
            "holds",
        ],
    );
    for row in &rows {
        let holds = if row.passed() { "yes" } else { "no" };
        table.rows.push(vec![
            row.name.into(),
            row.statement.into(),
            (row.entries as f64).into(),
            ((row.entries - row.held_back) as f64).into(),
            row.closed_tape.relative.into(),
            row.closed_finite.relative.into(),
            holds.into(),
        ]);
    }
    let held = rows.iter().filter(|row| row.passed()).count();
    page.says(&format!("{held} of {} hold.", count(rows.len(), "line", "lines")));
    page.table(&table);
    if rows.iter().any(|row| row.held_back > 0) {
        page.note(&format!("Of more than {MOST} numbers, differences are made of so many at most, evenly among them."));
    }
    numbers(page, seen, &closed, &slopes[0], &batch.target);
}

/// The last layer, its outputs and its inputs.
fn last_layer<'t>(net: &nn::Mlp<Var<'t>>, x: Var<'t>) -> (nn::Linear<Var<'t>>, Var<'t>, Var<'t>) {
    let (last, rest) = net.layers.split_last().expect("a model has layers");
    let mut before = x;
    for layer in rest {
        before = net.activation.apply(layer.forward(before));
    }
    (last.clone(), last.forward(before), before)
}

struct Words {
    truth: &'static str,
    formula: &'static str,
    name: &'static str,
    statement: &'static str,
}

impl Words {
    fn of(target: &Target) -> Self {
        match target {
            Target::Classes { .. } => Self {
                truth: "P their softmax, Y 1 for the true class and 0 elsewhere",
                formula: "the gradient of the mean cross-entropy is dL/dS = (P − Y) / n",
                name: "scores",
                statement: "dL/dS = (P − Y) / n",
            },
            Target::Labels { .. } => Self {
                truth: "P = 1 / (1 + exp(−S)), Y 1 for a label that is there, k labels",
                formula: "the gradient of the mean cross-entropy of all labels is dL/dS = (P − Y) / nk",
                name: "logits",
                statement: "dL/dS = (P − Y) / nk",
            },
            Target::Values { .. } => Self {
                truth: "Y the scaled true values, k of them",
                formula: "the gradient of the mean squared error is dL/dS = 2 (S − Y) / nk",
                name: "values",
                statement: "dL/dS = 2 (S − Y) / nk",
            },
        }
    }
}

/// The gradients by their formulas, and what these are made of.
struct Closed {
    /// Probabilities, or the outputs themselves.
    said: Vec<f64>,
    truth: Vec<f64>,
    scores: Vec<f64>,
    weight: Vec<f64>,
    bias: Vec<f64>,
}

impl Closed {
    fn of(s: &Tensor, o1: &Tensor, target: &Target) -> Self {
        let (n, k, h) = (s.shape()[0], s.shape()[1], o1.shape()[1]);
        let (said, truth, factor): (Vec<f64>, Vec<f64>, f64) = match target {
            Target::Classes { labels, .. } => {
                let truth = (0..n * k).map(|i| f64::from(u8::from(labels[i / k] == i % k))).collect();
                (s.as_slice().chunks(k).flat_map(softmax).collect(), truth, 1.0 / n as f64)
            }
            Target::Labels { values, .. } => (
                s.as_slice().iter().map(|x| 1.0 / (1.0 + libm::exp(-x))).collect(),
                values.to_vec(),
                1.0 / (n * k) as f64,
            ),
            Target::Values { values, .. } => (s.to_vec(), values.to_vec(), 2.0 / (n * k) as f64),
        };
        let scores: Vec<f64> = said.iter().zip(&truth).map(|(p, y)| factor * (p - y)).collect();
        let sum = |of: &dyn Fn(usize) -> f64| (0..n).map(of).sum::<f64>();
        let weight = (0..k * h).map(|e| sum(&|i| scores[i * k + e / h] * o1.as_slice()[i * h + e % h])).collect();
        let bias = (0..k).map(|c| sum(&|i| scores[i * k + c])).collect();
        Self { said, truth, scores, weight, bias }
    }
}

/// The formula, on plain numbers.
fn softmax(row: &[f64]) -> Vec<f64> {
    let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let all: Vec<f64> = row.iter().map(|x| libm::exp(x - most)).collect();
    let sum: f64 = all.iter().sum();
    all.into_iter().map(|x| x / sum).collect()
}

/// Central differences of the loss by the scores, the weights and the biases of the last layer; of many entries, some.
fn differences(seen: &Seen, s: &Tensor, o1: &Tensor, target: &Target) -> [Vec<Option<f64>>; 3] {
    let (n, k, h) = (s.shape()[0], s.shape()[1], o1.shape()[1]);
    let loss = |s: Vec<f64>| losses(&Tensor::new([n, k], s), target).iter().sum::<f64>() / n as f64;
    let step_of = |at: f64| 1e-5 * at.abs().max(1.0);
    // The scores where one entry is changed by a step: each is affine in the weights and in the biases.
    let by =
        |entries: usize, at: &dyn Fn(usize) -> f64, changed: &dyn Fn(usize, f64) -> Vec<f64>| -> Vec<Option<f64>> {
            let every = entries.div_ceil(MOST).max(1);
            let slope = |e: usize| {
                let step = step_of(at(e));
                (loss(changed(e, step)) - loss(changed(e, -step))) / (2.0 * step)
            };
            (0..entries).map(|e| (e % every == 0).then(|| slope(e))).collect()
        };
    let last = seen.model.net.layers.last().expect("a model has layers");
    let scores = by(n * k, &|e| s.as_slice()[e], &|e, step| {
        let mut s = s.to_vec();
        s[e] += step;
        s
    });
    let weights = by(k * h, &|e| last.weight.as_slice()[e], &|e, step| {
        let mut s = s.to_vec();
        (0..n).for_each(|i| s[i * k + e / h] += step * o1.as_slice()[i * h + e % h]);
        s
    });
    let biases = by(last.bias.as_ref().map_or(0, Tensor::numel), &|_| 0.0, &|e, step| {
        let mut s = s.to_vec();
        (0..n).for_each(|i| s[i * k + e] += step);
        s
    });
    [scores, weights, biases]
}

/// The numbers of some rows: P, Y, the formula, and the tape beside it.
fn numbers(page: &mut Page, seen: &Seen, closed: &Closed, tape: &Tensor, target: &Target) {
    let k = seen.width();
    let said = if matches!(target, Target::Values { .. }) { "S" } else { "P" };
    let mut table = Table::new(
        "The first rows in numbers",
        &["row", "output", said, "Y", "dL/dS by the formula", "dL/dS by the tape"],
    );
    for row in 0..target.len().min(PRINTED) {
        for c in 0..k.min(MOST_PRINTED) {
            let i = row * k + c;
            let exact = |x: f64| Cell::text(format!("{x:.12e}"));
            table.rows.push(vec![
                ((row + 1) as f64).into(),
                seen.names()[c].as_str().into(),
                closed.said[i].into(),
                closed.truth[i].into(),
                exact(closed.scores[i]),
                exact(tape.as_slice()[i]),
            ]);
        }
    }
    page.table(&table);
    if k > MOST_PRINTED {
        page.note(&format!("The first {MOST_PRINTED} of {k} outputs are printed; all are compared."));
    }
}
