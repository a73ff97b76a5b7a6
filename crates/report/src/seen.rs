//! What a model says of rows whose target is known.

use crate::count;
use autograd::{Tape, Tensor};
use nn::Dataset;
use nn::data::{Output, Table, Target};
use nn::file::Model;
use nn::measure::softmax;
use nn::{Error, Mlp};

/// Rows with their targets and what is said of them.
pub(crate) struct Seen<'a> {
    pub(crate) model: &'a Model,
    /// The rows as they came, without those that have no target.
    pub(crate) table: Table,
    pub(crate) data: Dataset,
    pub(crate) output: &'a Output,
    /// Scores, logits or scaled values, `[n, k]`.
    pub(crate) outputs: Tensor,
    /// Probabilities, or values in their own unit, row by row.
    pub(crate) said: Vec<f64>,
    /// The truth in the same form: 1 for the class or label that is true, or values in their own unit.
    pub(crate) truth: Vec<f64>,
    /// The loss of each row.
    pub(crate) losses: Vec<f64>,
    /// What is to be told of the rows that were left out.
    pub(crate) note: Option<String>,
}

impl<'a> Seen<'a> {
    pub(crate) fn of(model: &'a Model, table: &Table) -> Result<Self, Error> {
        let (table, note) = model.schema.with_targets(table)?;
        let data: Dataset = model.preprocess.examples(&table)?;
        let output = model.preprocess.output.as_ref().expect("examples have targets");
        let k = output.width();
        let outputs = if data.is_empty() { Tensor::zeros([0, k]) } else { model.net.predict(data.features()) };
        let said = said(output, &outputs);
        let truth = match data.target() {
            Target::Classes { labels, .. } => {
                labels.iter().flat_map(|&label| (0..k).map(move |class| f64::from(u8::from(class == label)))).collect()
            }
            Target::Labels { values, .. } => values.to_vec(),
            Target::Values { values, .. } => output.values(values),
        };
        let losses = losses(&outputs, data.target());
        Ok(Self { model, table, data, output, outputs, said, truth, losses, note })
    }

    pub(crate) fn len(&self) -> usize {
        self.data.len()
    }

    /// How many outputs the net has.
    pub(crate) fn width(&self) -> usize {
        self.output.width()
    }

    /// The names of the outputs.
    pub(crate) fn names(&self) -> &[String] {
        self.data.target().names()
    }

    /// The numbers of one output.
    pub(crate) fn column(&self, all: &[f64], of: usize) -> Vec<f64> {
        all.iter().skip(of).step_by(self.width()).copied().collect()
    }

    /// So many of the rows, in words.
    pub(crate) fn of_all(&self, some: usize) -> String {
        if some < self.len() { format!("{some} of the {} rows", self.len()) } else { count(some, "row", "rows") }
    }

    /// Some rows: all where they are few, else so many that lie evenly among them.
    pub(crate) fn some(&self, most: usize) -> Vec<usize> {
        let n = self.len();
        if n <= most { (0..n).collect() } else { (0..most).map(|k| k * n / most).collect() }
    }
}

/// Probabilities, or values in their own unit.
pub(crate) fn said(output: &Output, outputs: &Tensor) -> Vec<f64> {
    if outputs.numel() == 0 {
        return Vec::new();
    }
    match output {
        Output::Classes { .. } => softmax(outputs).to_vec(),
        Output::Labels { .. } => outputs.as_slice().iter().map(|x| 1.0 / (1.0 + libm::exp(-x))).collect(),
        Output::Values { .. } => output.values(outputs),
    }
}

/// The loss of each row: minus the logarithm of what was given to the truth, or the squared error of scaled values; of several labels or
/// values the mean.
pub(crate) fn losses(outputs: &Tensor, target: &Target) -> Vec<f64> {
    let k = target.names().len();
    if outputs.numel() == 0 {
        return Vec::new();
    }
    let rows = outputs.as_slice().chunks(k);
    let mean = |values: &Tensor, one: &dyn Fn(f64, f64) -> f64| {
        let each = rows.clone().zip(values.as_slice().chunks(k));
        each.map(|(row, truth)| row.iter().zip(truth).map(|(&x, &y)| one(x, y)).sum::<f64>() / k as f64).collect()
    };
    match target {
        Target::Classes { labels, .. } => {
            let tape = Tape::new();
            let logs = tape.var(outputs).log_softmax(-1).value();
            labels.iter().enumerate().map(|(row, label)| -logs.as_slice()[row * k + label]).collect()
        }
        // −ln σ(x) of a label that is true, −ln σ(−x) of one that is not, without overflow.
        Target::Labels { values, .. } => mean(values, &|x, y| {
            let x = if y > 0.5 { -x } else { x };
            x.max(0.0) + libm::log1p(libm::exp(-x.abs()))
        }),
        Target::Values { values, .. } => mean(values, &|x, y| (x - y) * (x - y)),
    }
}

/// The mean loss of features for a target.
pub(crate) fn mean_loss(net: &Mlp<Tensor>, features: &Tensor, target: &Target) -> f64 {
    let losses = losses(&net.predict(features), target);
    losses.iter().sum::<f64>() / losses.len() as f64
}
