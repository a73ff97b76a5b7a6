//! A model with its columns as a graph.

use super::graph::{Graph, Value};
use super::lower::Lowering;
use super::proto::{Element, Setting};
use crate::formula::{Formula, Function, call, date};
use crate::model::{columns, is_word, numbers, output, scaled, unit};
use crate::{Error, Forward, Number};
use nn::data::{Map, Output, PreparedColumn};
use nn::file::Model;
use serde_json::json;

const REAL: Element = Element::Double;

/// The bytes of the file.
pub(crate) fn model(model: &Model, forward: &Forward, number: Number) -> Result<Vec<u8>, Error> {
    let element = Element::from(number);
    let output = output(model)?;
    let mut prepared = Prepared { graph: Graph::default(), features: Vec::new(), refused: None };
    let names = columns(model);
    let column = [Err("batch".to_owned()), Ok(1)];
    // The inputs first, so that their names are as they are.
    for (name, column_of) in names.iter().zip(&model.preprocess.columns) {
        let kind = if is_word(column_of) { Element::Text } else { REAL };
        prepared.graph.input(name, kind, &column);
    }
    for (name, column) in names.iter().zip(&model.preprocess.columns) {
        prepared.column(name, column)?;
    }
    let Prepared { mut graph, features, refused } = prepared;
    let parts: Vec<&str> = features.iter().map(|feature| &feature[..]).collect();
    let features = graph.node("Concat", &parts, &[("axis", Setting::Integer(1))]);
    let features = if element == REAL { features } else { graph.cast(&features, element) };
    let mut lowering = Lowering::new(forward, element)?;
    lowering.given(0, features);
    lowering.run(&mut graph)?;
    for (_, value, sizes) in lowering.outputs() {
        outputs(&mut graph, (output, &model.spread), (&value, element, &sizes), refused.as_deref());
    }
    let told = [
        ("columns".to_owned(), json!(names).to_string()),
        (
            "outputs".to_owned(),
            match output {
                Output::Classes { names, .. } => json!(names).to_string(),
                Output::Labels { .. } | Output::Values { .. } => json!(output.columns()).to_string(),
            },
        ),
        ("target".to_owned(), output.columns().join(", ")),
    ];
    Ok(graph.finish("model", &words(model, &names), &told))
}

/// What is told of the inputs.
fn words(model: &Model, names: &[String]) -> String {
    let each = names.iter().zip(&model.preprocess.columns).map(|(name, column)| {
        let what = match &column.map {
            Map::Number { .. } => "a number, NaN where it is missing",
            Map::Date { .. } => "days from 1970-01-01, NaN where it is missing",
            Map::OneHot { .. } | Map::Index { .. } => "a word, empty where it is missing",
        };
        format!("`{name}`: {what}{}", unit(model, column))
    });
    format!("{}. Rows that are refused give NaN.", each.collect::<Vec<_>>().join("; "))
}

/// A graph in which rows are prepared.
struct Prepared {
    graph: Graph,
    /// Of each column, `[batch, width]`.
    features: Vec<Value>,
    /// Whether a row is refused, `[batch, 1]`.
    refused: Option<Value>,
}

impl Prepared {
    fn column(&mut self, name: &str, column: &PreparedColumn) -> Result<(), Error> {
        match &column.map {
            Map::Number { fill, logarithm, bend, shift, scale, flag } => {
                let (x, missing) = self.filled(name, *fill);
                if *logarithm {
                    let positive = call(Function::Less, [Formula::Number(0.0), Formula::Operand(0)]);
                    let not = self.formula(&call(Function::Not, [positive]), &x)?;
                    self.refuse(not);
                }
                let feature = self.formula(&scaled(*logarithm, *bend, *shift, *scale), &x)?;
                self.features.push(feature);
                if *flag {
                    let flag = self.graph.cast(&missing, REAL);
                    self.features.push(flag);
                }
            }
            Map::Date { fill, shift, scale, .. } => {
                let (day, _) = self.filled(name, *fill);
                let feature = self.formula(&scaled(false, None, *shift, *scale), &day)?;
                self.features.push(feature);
                let mut operands = vec![day];
                for formula in date() {
                    let known: Vec<&str> = operands.iter().map(|value| &value[..]).collect();
                    operands.push(self.graph.formula(&formula, &known, REAL).map_err(absent)?);
                }
                let start = operands.len() - 2;
                self.features.extend(operands.drain(start..));
            }
            Map::OneHot { words, missing, unknown } => {
                let place = self.place(name, (words, &column.missing), *missing == Some(false), *unknown);
                let all: Vec<i64> = (0..column.width() as i64).collect();
                let all = self.graph.integers(&[1, all.len()], &all);
                let is = self.graph.node("Equal", &[&place, &all], &[]);
                let feature = self.graph.cast(&is, REAL);
                self.features.push(feature);
            }
            Map::Index { words, missing, unknown } => {
                let place = self.place(name, (words, &column.missing), !*missing, *unknown);
                let none = self.graph.integers(&[], &[-1]);
                let other = self.graph.integers(&[], &[(words.len() + usize::from(*missing)) as i64]);
                let is = self.graph.node("Equal", &[&place, &none], &[]);
                let place = self.graph.node("Where", &[&is, &other, &place], &[]);
                let feature = self.graph.cast(&place, REAL);
                self.features.push(feature);
            }
        }
        Ok(())
    }

    fn formula(&mut self, formula: &Formula, x: &str) -> Result<Value, Error> {
        self.graph.formula(formula, &[x], REAL).map_err(absent)
    }

    /// From now on rows for which this is true are refused.
    fn refuse(&mut self, those: Value) {
        self.refused = Some(match self.refused.take() {
            Some(others) => self.graph.node("Or", &[&others, &those], &[]),
            None => those,
        });
    }

    /// A number with what stands for a missing one, and whether it is missing.
    fn filled(&mut self, name: &str, fill: Option<f64>) -> (Value, Value) {
        let missing = self.graph.node("IsNaN", &[name], &[]);
        let infinite = self.graph.node("IsInf", &[name], &[]);
        self.refuse(infinite);
        let Some(fill) = fill else {
            self.refuse(missing.clone());
            return (name.to_owned(), missing);
        };
        let fill = self.graph.number(REAL, fill);
        (self.graph.node("Where", &[&missing, &fill, name], &[]), missing)
    }

    /// The place of a word: behind the last one where it is missing, −1 where it is another one.
    fn place(
        &mut self,
        name: &str,
        (words, marks): (&[String], &[String]),
        no_missing: bool,
        takes_unknown: bool,
    ) -> Value {
        let marks: Vec<&str> = std::iter::once("").chain(marks.iter().map(|mark| &mark[..])).collect();
        let listed: Vec<(&str, i64)> = (0..)
            .zip(words)
            .map(|(i, word)| (&word[..], i))
            .filter(|(word, _)| !marks.contains(word))
            .chain(marks.iter().map(|&mark| (mark, words.len() as i64)))
            .collect();
        let place = self.graph.places(name, &listed);
        let mut refuse = |at: i64| {
            let at = self.graph.integers(&[], &[at]);
            let is = self.graph.node("Equal", &[&place, &at], &[]);
            self.refuse(is);
        };
        if no_missing {
            refuse(words.len() as i64);
        }
        if !takes_unknown {
            refuse(-1);
        }
        place
    }
}

fn absent(why: &str) -> Error {
    Error::Port(why.to_owned())
}

type Given<'a> = (&'a str, Element, &'a [Result<usize, String>]);

/// The outputs of a model, from its numbers.
fn outputs(
    graph: &mut Graph,
    (output, spread): (&Output, &[[f64; 2]]),
    (value, element, sizes): Given<'_>,
    refused: Option<&str>,
) {
    let value = match refused {
        Some(refused) => {
            let nan = graph.number(element, f64::NAN);
            graph.node("Where", &[refused, &nan, value], &[])
        }
        None => value.to_owned(),
    };
    if let Output::Classes { names, .. } = output {
        let names: Vec<&str> = names.iter().map(|name| &name[..]).collect();
        let classes = graph.words(&names);
        let settings = [("axis", Setting::Integer(1)), ("keepdims", Setting::Integer(0))];
        let largest = graph.node("ArgMax", &[&value], &settings);
        let mut label = graph.node("Gather", &[&classes, &largest], &[]);
        if let Some(refused) = refused {
            let (none, axes) = (graph.words(&[""]), graph.list(&[1]));
            let refused = graph.node("Squeeze", &[refused, &axes], &[]);
            label = graph.node("Where", &[&refused, &none, &label], &[]);
        }
        let name = graph.own("label");
        graph.output(&name, &label, Element::Text, &[Err("batch".to_owned())]);
    }
    let name = graph.own(numbers(output));
    graph.output(&name, &value, element, sizes);
    if !spread.is_empty() {
        for (end, name) in ["low", "high"].into_iter().enumerate() {
            let ends: Vec<f64> = spread.iter().map(|ends| ends[end]).collect();
            let ends = graph.numbers(element, &[1, ends.len()], &ends);
            let at = graph.node("Add", &[&value, &ends], &[]);
            let name = graph.own(name);
            graph.output(&name, &at, element, sizes);
        }
    }
}
