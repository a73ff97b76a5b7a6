//! What the outputs of a net mean.

use super::Preparing;
use super::column::{bend, in_unit, one_of, unfit};
use super::each::{each, words};
use crate::data::cells::{self, Raw};
use crate::data::scale::moments;
use crate::data::schema::find;
use crate::data::{Goal, Notation, Table, Target};
use crate::error::{Error, shown};
use autograd::{Float, Tensor};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What the outputs of a net mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Output {
    /// Scores of classes.
    Classes {
        /// The column.
        column: String,
        /// The classes: numbers by their size, words by their letters.
        names: Vec<String>,
    },
    /// A logit for each label.
    Labels {
        /// The columns.
        columns: Vec<String>,
    },
    /// Values, `(y − mean) / scale`.
    Values {
        /// The columns.
        columns: Vec<String>,
        /// The mean of each in the training rows.
        mean: Vec<f64>,
        /// The standard deviation of each there, or 1.
        scale: Vec<f64>,
        /// By what each is divided before it is bent, as [`Map::Number`](super::Map::Number) is, where it is; one for each, or none at all.
        #[serde(default)]
        bend: Vec<Option<f64>>,
    },
}

impl Output {
    pub(super) fn fit(
        table: &Table,
        goal: &Goal,
        notations: &BTreeMap<String, Notation>,
        how: Preparing,
    ) -> Result<Self, Error> {
        match goal {
            Goal::Classes(name) => {
                let column = find(table, name)?;
                let missing = |row: usize| Err(table.error(row, name, unfit(name, "a class", None)));
                let names = words(column, &[], missing)?;
                Ok(Self::Classes { column: name.clone(), names })
            }
            Goal::Labels(names) => Ok(Self::Labels { columns: names.clone() }),
            Goal::Values(names) => {
                let (mut mean, mut scale, mut bends) = (Vec::new(), Vec::new(), Vec::new());
                for name in names {
                    let values = numbers(table, name, notations)?;
                    let bend = if how.bend_targets { bend(&values) } else { None };
                    let (of_mean, of_scale) = moments(values.iter().map(|&y| bent(y, bend)), 0.0);
                    mean.push(of_mean);
                    scale.push(of_scale);
                    bends.push(bend);
                }
                Ok(Self::Values { columns: names.clone(), mean, scale, bend: bends })
            }
        }
    }

    /// The columns of the table that it is of.
    pub fn columns(&self) -> &[String] {
        match self {
            Self::Classes { column, .. } => std::slice::from_ref(column),
            Self::Labels { columns } | Self::Values { columns, .. } => columns,
        }
    }

    /// By what each is divided before it is bent, where it is.
    pub(crate) fn bends(&self) -> Vec<Option<f64>> {
        let mut bends = match self {
            Self::Values { bend, .. } => bend.clone(),
            Self::Classes { .. } | Self::Labels { .. } => Vec::new(),
        };
        bends.resize(self.columns().len(), None);
        bends
    }

    /// How many outputs a net has for it.
    pub fn width(&self) -> usize {
        match self {
            Self::Classes { names, .. } => names.len(),
            Self::Labels { columns } | Self::Values { columns, .. } => columns.len(),
        }
    }

    /// What is to be learnt of these rows.
    pub(super) fn target<T: Float>(
        &self,
        table: &Table,
        notations: &BTreeMap<String, Notation>,
    ) -> Result<Target<T>, Error> {
        match self {
            Self::Classes { column, names } => {
                let cells = find(table, column)?;
                let mut labels = Vec::with_capacity(table.len());
                let place = |row: usize, cell: Option<Raw>| {
                    let wrong = || unfit(column, &one_of("a class", names), cell);
                    let place = cell.and_then(|cell| cells::place(names, cell));
                    place.ok_or_else(|| table.error(row, column, wrong()))
                };
                each(cells, &[], place, |_, place| labels.push(place))?;
                Ok(Target::Classes { labels, names: names.clone() })
            }
            Self::Labels { columns } => {
                Ok(Target::Labels { values: matrix(table, columns, notations, |_, y| y)?, names: columns.clone() })
            }
            Self::Values { columns, mean, scale, .. } => {
                let bends = self.bends();
                let values = matrix(table, columns, notations, |k, y| (bent(y, bends[k]) - mean[k]) / scale[k])?;
                Ok(Target::Values { values, names: columns.clone() })
            }
        }
    }

    /// Values in their own unit again, of outputs `[n, k]`, row by row; others as they are.
    pub fn values<T: Float>(&self, outputs: &Tensor<T>) -> Vec<f64> {
        let bends = self.bends();
        let of = |i: usize, y: f64| match self {
            Self::Values { mean, scale, .. } => {
                let (k, y) = (i % mean.len(), mean[i % mean.len()] + scale[i % scale.len()] * y);
                bends[k].map_or(y, |bend| bend * libm::sinh(y))
            }
            Self::Classes { .. } | Self::Labels { .. } => y,
        };
        outputs.as_slice().iter().enumerate().map(|(i, y)| of(i, y.to_f64())).collect()
    }
}

/// A number, bent where that is said.
fn bent(y: f64, bend: Option<f64>) -> f64 {
    bend.map_or(y, |bend| libm::asinh(y / bend))
}

fn matrix<T: Float>(
    table: &Table,
    columns: &[String],
    notations: &BTreeMap<String, Notation>,
    of: impl Fn(usize, f64) -> f64,
) -> Result<Tensor<T>, Error> {
    let read = columns.iter().map(|name| numbers(table, name, notations)).collect::<Result<Vec<_>, _>>()?;
    let k = columns.len();
    Ok(Tensor::from_fn([table.len(), k], |i| T::of(of(i % k, read[i % k][i / k]))))
}

/// A column of numbers without missing ones.
fn numbers(table: &Table, name: &str, notations: &BTreeMap<String, Notation>) -> Result<Vec<f64>, Error> {
    let (column, notation) = (find(table, name)?, notations.get(name));
    let number = |row: usize, cell: Option<Raw>| {
        let number = cell.and_then(|cell| cell.written(notation).number());
        number.ok_or_else(|| table.error(row, name, in_unit(unfit(name, "a number", cell), notation)))
    };
    let mut numbers = Vec::with_capacity(table.len());
    each(column, &[], number, |_, number| numbers.push(number))?;
    Ok(numbers)
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Classes { column, names } => write!(f, "target `{}`: {} classes", shown(column), names.len()),
            Self::Labels { columns } => write!(f, "targets: {} labels", columns.len()),
            Self::Values { columns, mean, scale, .. } => {
                let each = columns.iter().zip(self.bends()).zip(mean.iter().zip(scale));
                let each = each.map(|((name, bend), (mean, scale))| {
                    let y = bend.map_or("y".to_owned(), |bend| format!("arsinh(y / {bend})"));
                    format!("`{}`: ({y} − {mean}) / {scale}", shown(name))
                });
                write!(f, "target {}", each.collect::<Vec<_>>().join(", "))
            }
        }
    }
}
