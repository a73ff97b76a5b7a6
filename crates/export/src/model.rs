//! A trained model with its columns: what is exported takes rows as they come.
//!
//! A missing number is NaN, a missing word is the empty one, a date is the number of days from 1970-01-01. Words are taken as training saw
//! them, letter by letter. What [`Model::predict`] refuses, such as a word that training has not seen, is refused elsewhere too: ONNX gives
//! NaN and no label for that row, C the number of the column, Rust an error with its name.
//!
//! ```
//! use export::{Number, model};
//! use nn::data::{Preparing, Preprocess, Schema, Table};
//! use nn::file::Model;
//! use nn::{Activation, Mlp};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let table = Table::parse("pets.csv", "weight,colour,kind\n4.1,black,cat\n30,brown,dog\n3.8,grey,cat\n")?;
//! let schema = Schema::infer(&table, &["kind"], &[])?;
//! let preprocess = Preprocess::fit(&table, &schema, Preparing::default())?;
//! let net = Mlp::new(&[preprocess.names().len(), 4, 2], Activation::Silu, 0); // not trained here
//! let pets = Model::new(schema, preprocess, net);
//!
//! let onnx: Vec<u8> = model::onnx(&pets, Number::F64)?;
//! let c = model::c(&pets, "pets", Number::F32)?;
//! assert!(c.contains("static inline int pets_predict(const pets_row *row, float probabilities[2])"));
//! let rust = model::rust(&pets, "pets", Number::F64)?;
//! assert!(rust.contains("pub fn predict(row: &Row<'_>) -> Result<[f64; 2], Refused>"));
//! let json = model::json(&pets);
//! assert!(json.starts_with("{\n  \"format\": \"nn\""));
//! # Ok(())
//! # }
//! ```

use crate::formula::Formula;
use crate::{Error, Forward, Number, onnx as of_onnx, source};
use autograd::Tensor;
use nn::data::{Map, Output, PreparedColumn};
use nn::file::Model;
use serde_json::{Value, json as value};

/// The bytes of a file of ONNX: an input `[batch, 1]` for each column, under its name. Classes give `label` and `probabilities`, labels
/// `probabilities`, values `values`, and `low` and `high` where the interval is known. Rows are prepared in 64 bits, whatever the net
/// computes with.
///
/// # Errors
/// Where the net has an operation that ONNX has not.
pub fn onnx(model: &Model, number: Number) -> Result<Vec<u8>, Error> {
    of_onnx::model(model, &forward(model)?, number)
}

/// A header in C99 that needs `math.h` and `string.h` alone: `NAME_row`, `NAME_predict`, and what it is made of. Rows are prepared in
/// `double`, whatever the net computes with.
///
/// # Errors
/// Where the name is none in C.
pub fn c(model: &Model, name: &str, number: Number) -> Result<String, Error> {
    source::model(source::Language::C, model, &forward(model)?, name, number)
}

/// A module in Rust that needs `core` and the crate `libm` alone: `Row`, `predict`, and what it is made of; otherwise as [`c`].
///
/// # Errors
/// As [`c`].
pub fn rust(model: &Model, name: &str, number: Number) -> Result<String, Error> {
    source::model(source::Language::Rust, model, &forward(model)?, name, number)
}

/// All of a model as JSON: the columns and how they become features, the layers (`y = W x + b`, the activation between each two), what the
/// outputs mean, and all else that is told of it.
pub fn json(model: &Model) -> String {
    let matrix = |weight: &Tensor| {
        let width = weight.shape()[1].max(1);
        weight.as_slice().chunks(width).map(<[f64]>::to_vec).collect::<Vec<_>>()
    };
    let layers: Vec<Value> = model
        .net
        .layers
        .iter()
        .map(|layer| value!({"weight": matrix(&layer.weight), "bias": layer.bias.as_ref().map(Tensor::to_vec)}))
        .collect();
    // In this order, whatever the map of the library does with it.
    let parts = [
        ("format", value!("nn")),
        ("version", value!(1)),
        ("schema", value!(model.schema)),
        ("preprocess", value!(model.preprocess)),
        ("features", value!(model.preprocess.names())),
        ("activation", value!(model.net.activation)),
        ("layers", value!(layers)),
        ("spread", value!(model.spread)),
        ("about", value!(model.about)),
    ];
    let written: Vec<String> = parts.iter().map(|(name, part)| format!("  \"{name}\": {part}")).collect();
    format!("{{\n{}\n}}\n", written.join(",\n"))
}

/// From features to probabilities, or to values in their own unit.
///
/// # Errors
/// Where the model has no target.
pub fn forward(model: &Model) -> Result<Forward, Error> {
    let output = output(model)?;
    let width: usize = model.preprocess.columns.iter().map(PreparedColumn::width).sum();
    Forward::record::<f64>(|to| {
        let x = to.input("features", [to.batch(), width]);
        let y = to.tape().vars(&model.net).forward(x);
        let row = |numbers: &[f64]| to.tape().var(&Tensor::new([1, numbers.len()], numbers.to_vec()));
        let of = match output {
            Output::Classes { .. } => y.softmax(-1),
            Output::Labels { .. } => y.sigmoid(),
            Output::Values { mean, scale, bend, .. } => {
                let values = y * row(scale) + row(mean);
                if bend.iter().all(Option::is_none) {
                    values
                } else {
                    let is_bent: Vec<f64> = bend.iter().map(|bend| f64::from(u8::from(bend.is_some()))).collect();
                    let by: Vec<f64> = bend.iter().map(|bend| bend.unwrap_or(1.0)).collect();
                    row(&is_bent).select(values.sinh() * row(&by), values)
                }
            }
        };
        to.output(numbers(output), of);
    })
}

/// What the outputs mean.
pub(crate) fn output(model: &Model) -> Result<&Output, Error> {
    let none = || Error::Port("expected a model with a target, found none".to_owned());
    model.preprocess.output.as_ref().ok_or_else(none)
}

/// Whether the cells of a column are words.
pub(crate) fn is_word(column: &PreparedColumn) -> bool {
    matches!(column.map, Map::OneHot { .. } | Map::Index { .. })
}

/// What the numbers that are predicted are called.
pub(crate) fn numbers(output: &Output) -> &'static str {
    match output {
        Output::Classes { .. } | Output::Labels { .. } => "probabilities",
        Output::Values { .. } => "values",
    }
}

/// The names of the columns as inputs: each its own, and none empty.
pub(crate) fn columns(model: &Model) -> Vec<String> {
    let name = |(i, column): (usize, &PreparedColumn)| {
        if column.name.is_empty() { format!("column_{}", i + 1) } else { column.name.clone() }
    };
    model.preprocess.columns.iter().enumerate().map(name).collect()
}

/// The unit of a column's numbers, as they are to be given: `in kg`; empty where there is none.
pub(crate) fn unit(model: &Model, column: &PreparedColumn) -> String {
    let notation = model.preprocess.notations.get(&column.name);
    let notation = notation.filter(|notation| !notation.before.is_empty() || !notation.after.is_empty());
    notation.map_or_else(String::new, |notation| format!(", in {notation}"))
}

/// A number as a feature, of one that is there.
pub(crate) fn scaled(logarithm: bool, bend: Option<f64>, shift: f64, scale: f64) -> Formula {
    let x = Formula::Operand(0);
    let x = if logarithm { x.log() } else { x };
    let x = match bend {
        Some(bend) => (x / bend).asinh(),
        None => x,
    };
    (x - shift) / scale
}
