//! Nets that a model can hold.

use crate::context::Context;
use crate::data::{Map, PreparedColumn, Preprocess};
use crate::layers::Sequential;
use crate::{Activation, Mlp};
use autograd::{IndexVar, Tape, Tensor, Tree, Var};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A net that a [`Model`](crate::file::Model) can hold: any structure of tensors, with what it makes of rows.
///
/// An own net, with words that have rows of an embedding, from a raw table to a file that predicts:
///
/// ```
/// use autograd::{IndexVar, Tensor, Var, concat, tree};
/// use nn::data::{Preparing, Preprocess, Schema, Table};
/// use nn::file::{Model, Predictor, RowVars};
/// use nn::layers::Embedding;
/// use nn::{Adam, Init, Learner, Linear, generator};
///
/// tree! { struct Net<V> { towns: Embedding<V>, out: Linear<V> } }
///
/// impl Net<Tensor> {
///     fn new(of: &Preprocess) -> Self {
///         let (towns, rng) = (of.columns[0].places().unwrap(), &mut generator(0));
///         Self { towns: Embedding::new(towns, 2, rng), out: Linear::new([1 + 2, 1], Init::XavierUniform { gain: 1.0 }, rng) }
///     }
/// }
/// impl<'t> Net<Var<'t>> {
///     fn forward(&self, x: Var<'t>, towns: IndexVar<'t>) -> Var<'t> {
///         self.out.forward(concat(&[x, self.towns.forward(&towns.squeeze(1))], 1))
///     }
/// }
/// impl Predictor for Net<Tensor> {
///     fn forward<'t>(net: &Net<Var<'t>>, rows: &RowVars<'t>) -> Var<'t> {
///         net.forward(rows.numbers, rows.places())
///     }
/// }
///
/// # fn main() -> Result<(), nn::Error> {
/// # let path = std::env::temp_dir().join(format!("nn-doc-predictor-{}.safetensors", std::process::id()));
/// let table = Table::parse("a.csv", "town,area,rent\nUlm,50,500\nBonn,70,810.5\nUlm,90,900\n,60,640.5\n")?;
/// let schema = Schema::infer(&table, &["rent"], &[])?;
/// let preprocess = Preprocess::fit(&table, &schema, Preparing { indices: true, ..Preparing::default() })?;
/// let examples = preprocess.examples(&table)?.with_features_as_indices(&["town"]);
/// let mut learner = Learner::new(Net::new(&preprocess), Adam::new(0.1), |net, batch| {
///     batch.loss(net.forward(batch.features, batch.indices()))
/// });
/// for _ in 0..100 {
///     learner.step(&examples.whole())?;
/// }
/// Model::new(schema, preprocess, learner.net().clone()).save(&path)?;
///
/// let model = Model::load_with(&path, |preprocess, _| Net::new(preprocess))?; // of the type Model<Net<Tensor>>
/// let rent = model.predict_row(&[("area", "70"), ("town", "Bonn")])?.numbers[0];
/// assert!((rent - 810.5).abs() < 50.0, "{rent}");
/// # std::fs::remove_file(path).unwrap();
/// # Ok(())
/// # }
/// ```
pub trait Predictor: Tree<Leaf = Tensor> + Sized {
    /// The outputs `[n, k]` of `n` rows, recorded: scores of classes, logits of labels, or values as they are scaled.
    fn forward<'t>(net: &Self::With<Var<'t>>, rows: &RowVars<'t>) -> Var<'t>;

    /// What a file says of a net that is loaded without being made by its user.
    #[doc(hidden)]
    fn activation(&self) -> Option<Activation> {
        None
    }

    /// Holds it to take prepared features, and to give so many outputs.
    #[doc(hidden)]
    fn fits(&self, preprocess: &Preprocess, outputs: usize) -> Result<(), String> {
        holds(self, preprocess, outputs)
    }
}

/// Rows on a tape, as a [`Predictor`] takes them.
#[derive(Clone, Debug)]
pub struct RowVars<'t> {
    /// All features, `[n, d]`.
    pub features: Var<'t>,
    /// Those that are no places of words.
    pub numbers: Var<'t>,
    places: Option<IndexVar<'t>>,
}

impl<'t> RowVars<'t> {
    /// Puts features of rows on a tape.
    pub(super) fn new(tape: &'t Tape, preprocess: &Preprocess, features: &Tensor) -> Self {
        let all = tape.var(features);
        let mut kinds = Vec::new();
        for column in &preprocess.columns {
            kinds.resize(kinds.len() + column.width(), matches!(column.map, Map::Index { .. }));
        }
        if !kinds.contains(&true) {
            return Self { features: all, numbers: all, places: None };
        }
        let (n, d, x) = (features.shape()[0], kinds.len(), features.as_slice());
        let of = |kind: bool| (0..d).filter(|&at| kinds[at] == kind).collect::<Vec<usize>>();
        let (rest, places) = (of(false), of(true));
        let numbers = Tensor::from_fn([n, rest.len()], |i| x[i / rest.len() * d + rest[i % rest.len()]]);
        let places = (0..n).flat_map(|row| places.iter().map(move |at| x[row * d + at] as i64));
        let places: Vec<i64> = places.collect();
        let shape = [n, places.len() / n.max(1)];
        Self { features: all, numbers: tape.var(&numbers), places: Some(tape.indices(shape, &places)) }
    }

    /// The places of words as integers to index with, `[n, k]`: of the columns that [`Preparing::indices`](crate::data::Preparing::indices) made so,
    /// in their order.
    ///
    /// # Panics
    /// Where there is no such column.
    #[track_caller]
    pub fn places(&self) -> IndexVar<'t> {
        let Some(places) = self.places else {
            panic!("places: no column is places of words: `Preparing::indices` makes them so")
        };
        places
    }
}

impl Predictor for Mlp<Tensor> {
    fn forward<'t>(net: &Mlp<Var<'t>>, rows: &RowVars<'t>) -> Var<'t> {
        net.forward(rows.features)
    }

    fn activation(&self) -> Option<Activation> {
        Some(self.activation)
    }

    fn fits(&self, preprocess: &Preprocess, outputs: usize) -> Result<(), String> {
        let mut width = inputs(preprocess);
        for (i, layer) in self.layers.iter().enumerate() {
            let shape = layer.weight.shape();
            let bias = layer.bias.as_ref().map(Tensor::shape);
            if shape.rank() != 2 || shape[1] != width || bias.as_ref().is_some_and(|bias| bias[..] != shape[..1]) {
                return Err(format!("expected layer {i} to take {width} numbers, found weights {shape}"));
            }
            width = shape[0];
        }
        if self.layers.is_empty() || width != outputs {
            let layers = self.layers.len();
            return Err(format!("expected a net with {outputs} outputs, found {width} of {layers} layers"));
        }
        Ok(())
    }
}

impl Predictor for Sequential<Tensor> {
    fn forward<'t>(net: &Sequential<Var<'t>>, rows: &RowVars<'t>) -> Var<'t> {
        net.forward(rows.features, &Context::evaluating())
    }
}

/// The outputs of a net for features of rows.
pub(super) fn outputs<N: Predictor>(net: &N, preprocess: &Preprocess, features: &Tensor) -> Tensor {
    let tape = Tape::new();
    let outputs = N::forward(&tape.vars(net), &RowVars::new(&tape, preprocess, features));
    tape.values(&outputs)
}

/// Holds a net to take rows of so many features, and to give so many outputs for each: by what it records, of which nothing is computed. What
/// was not made for these columns panics as it records, which is told as well.
fn holds<N: Predictor>(net: &N, preprocess: &Preprocess, outputs: usize) -> Result<(), String> {
    let inputs = inputs(preprocess);
    let recorded = catch_unwind(AssertUnwindSafe(|| {
        let (tape, rows) = (Tape::new(), Tensor::zeros([2, inputs]));
        N::forward(&tape.vars(net), &RowVars::new(&tape, preprocess, &rows)).shape()
    }));
    match recorded {
        Ok(shape) if shape[..] == [2, outputs] => Ok(()),
        Ok(shape) => Err(format!("expected a net with outputs [2, {outputs}] for 2 rows, found {shape}")),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref().copied());
            let text = text.unwrap_or("it panics").lines().next().unwrap_or_default().to_owned();
            Err(format!("expected a net for {inputs} features: {text}"))
        }
    }
}

/// How many features columns become.
fn inputs(preprocess: &Preprocess) -> usize {
    preprocess.columns.iter().map(PreparedColumn::width).sum()
}
