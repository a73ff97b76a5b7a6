//! From the columns of a table to features, by what training rows have told.

mod column;
mod each;
mod output;

pub use column::{Column, Map};
pub use output::Output;

use crate::data::cells::Raw;
use crate::data::schema::find;
use crate::data::{Dataset, Notation, Schema, Table};
use crate::error::{Error, Kind, counted, shown};
use autograd::{Float, Tensor};
use each::{Part, each};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// How columns become features.
#[expect(clippy::struct_excessive_bools, reason = "settings, of which each stands for itself")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Preparing {
    /// How numbers come to one scale.
    pub scaling: Scaling,
    /// What stands for a missing number or date.
    pub missing_numbers: Fill,
    /// Whether missing words are a category of their own, else an error.
    pub missing_words: bool,
    /// Whether a word that no training row has is no category at all (its features are 0), else an error.
    pub unknown_words: bool,
    /// Whether a column of numbers with missing ones has a second feature, 1 where the number was missing.
    pub flags: bool,
    /// Whether numbers above 0 that go over three powers of ten or more become their logarithms.
    pub logarithms: bool,
    /// Whether skewed numbers are [bent](Map::Number::bend) where that takes half of their skewness or more.
    pub bend_features: bool,
    /// As [`bend_features`](Self::bend_features), of measured targets; predictions are bent back.
    pub bend_targets: bool,
    /// Whether words are places in a list, for an embedding, else one feature for each word.
    pub indices: bool,
}

/// Numbers are standardised, a missing one is the median, missing words are a category of their own, and unknown ones are errors.
impl Default for Preparing {
    fn default() -> Self {
        Self {
            scaling: Scaling::Standard,
            missing_numbers: Fill::Median,
            missing_words: true,
            unknown_words: false,
            flags: false,
            logarithms: false,
            bend_features: false,
            bend_targets: false,
            indices: false,
        }
    }
}

/// How numbers come to one scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scaling {
    /// They stay as they are.
    Plain,
    /// Mean 0 and variance 1.
    Standard,
    /// From 0, the smallest, to 1, the largest.
    MinMax,
}

/// What stands for a missing number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// Nothing: it is an error.
    Error,
    /// The median of the training rows.
    Median,
    /// Their mean.
    Mean,
}

/// The maps of columns to features and of targets to outputs, fitted to training rows alone: plain data, which is printed and saved.
///
/// ```
/// use nn::data::{Preparing, Preprocess, Schema, Table};
/// # fn main() -> Result<(), nn::Error> {
/// let train = Table::parse("a.csv", "area,town,rent\n50,Ulm,500\n,Bonn,810.5\n90,Ulm,900\n70,Bonn,720.5\n")?;
/// let schema = Schema::infer(&train, &["rent"], &[])?;
/// let prepare = Preprocess::fit(&train, &schema, Preparing::default())?;
/// assert_eq!(prepare.names(), ["area", "town=Bonn", "town=Ulm"]);
///
/// // Columns are found by their names, further ones do not count, and a missing number is the median, 70.
/// let new = Table::parse("new.csv", "town,note,area\nBonn,x,\n")?;
/// assert_eq!(prepare.features::<f64>(&new)?.to_vec(), [0.0, 1.0, 0.0]);
/// let error = prepare.features::<f64>(&Table::parse("b.csv", "area,town\n50,Ulm\n60,Jena\n")?).unwrap_err();
/// assert_eq!(error.to_string(), "b.csv, line 3, column 2: expected a known word (`Bonn`, `Ulm`) for `town`, found `Jena`");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preprocess {
    /// What becomes of each column.
    pub columns: Vec<Column>,
    /// What the outputs mean.
    pub output: Option<Output>,
    /// The column of how much each row counts.
    pub weight: Option<String>,
    /// How the numbers of columns of text are written, by the columns' names, where they are not plain.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub notations: BTreeMap<String, Notation>,
}

impl Preprocess {
    /// What these rows tell of their columns.
    ///
    /// # Errors
    /// Where there are no rows or no features, a column of the schema is not there, or a cell is not what its column holds.
    pub fn fit(table: &Table, schema: &Schema, how: Preparing) -> Result<Self, Error> {
        if table.is_empty() {
            return Err(Error::of(Kind::Data("preprocessing needs 1 row or more, there are none".to_owned())));
        }
        let mut columns = Vec::new();
        for field in schema.features() {
            let notation = schema.notations.get(&field.name);
            columns.push(Column::fit(table, find(table, &field.name)?, field, notation, how)?);
        }
        if columns.is_empty() {
            return Err(Error::of(Kind::Data("there is no column to learn from".to_owned())));
        }
        let output = schema.target.as_ref().map(|goal| Output::fit(table, goal, &schema.notations, how)).transpose()?;
        Ok(Self { columns, output, weight: schema.weight.clone(), notations: schema.notations.clone() })
    }

    /// What the features are called.
    pub fn names(&self) -> Vec<String> {
        let mut taken = BTreeSet::new();
        let names = self.columns.iter().flat_map(Column::names);
        // A column `town=Ulm` may stand beside one of towns.
        let own = |name: String| {
            let numbered = (2..).map(|n| format!("{name} ({n})"));
            let own = std::iter::once(name.clone()).chain(numbered).find(|own| !taken.contains(own)).unwrap_or(name);
            taken.insert(own.clone());
            own
        };
        names.map(own).collect()
    }

    /// The features of rows, `[n, d]`.
    ///
    /// # Errors
    /// Where a column is not there, or a cell is not what its column holds.
    pub fn features<T: Float>(&self, table: &Table) -> Result<Tensor<T>, Error> {
        let (n, d) = (table.len(), self.columns.iter().map(Column::width).sum::<usize>());
        let mut features = vec![T::ZERO; n * d];
        let mut at = 0;
        for column in &self.columns {
            let (cells, notation) = (find(table, &column.name)?, self.notations.get(&column.name));
            let part = |row: usize, cell: Option<Raw>| {
                let part = column.part(cell.map(|cell| column.read(cell, notation)));
                part.map_err(|kind| table.error(row, &column.name, column::in_unit(kind, notation)))
            };
            let write = |row: usize, part: Part| part.write(|i, x| features[row * d + at + i] = T::of(x));
            each(cells, &column.missing, part, write)?;
            at += column.width();
        }
        Ok(Tensor::new([n, d], features))
    }

    /// The features of one row, which is given by the names of its columns and its cells as text, in any order.
    ///
    /// ```
    /// # use nn::data::{Preparing, Preprocess, Schema, Table};
    /// # fn main() -> Result<(), nn::Error> {
    /// let train = Table::parse("a.csv", "x,y\n1,1.5\n3,2.25\n")?;
    /// let prepare = Preprocess::fit(&train, &Schema::infer(&train, &["y"], &[])?, Preparing::default())?;
    /// assert_eq!(prepare.row::<f64>(&[("x", "3")])?, [1.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Preprocess::features`].
    pub fn row<T: Float>(&self, cells: &[(&str, &str)]) -> Result<Vec<T>, Error> {
        let mut values = Vec::new();
        for column in &self.columns {
            let Some((_, text)) = cells.iter().find(|(name, _)| *name == column.name) else {
                let header: Vec<String> = cells.iter().map(|(name, _)| (*name).to_owned()).collect();
                let closest = crate::data::names::closest(&column.name, cells.iter().map(|(name, _)| *name));
                let closest = closest.map(str::to_owned);
                return Err(Error::of(Kind::NoColumn { name: column.name.clone(), header, closest }));
            };
            let notation = self.notations.get(&column.name);
            let cell = Raw::parse(text, &column.missing).map(|cell| column.read(cell, notation));
            column.push(cell, &mut values).map_err(|kind| Error::of(column::in_unit(kind, notation)))?;
        }
        Ok(values.into_iter().map(T::of).collect())
    }

    /// Rows with their targets, and their weights where there is a column of them.
    ///
    /// # Errors
    /// As [`Preprocess::features`]; where there is no target, or one of its cells is missing or no known class.
    pub fn examples<T: Float>(&self, table: &Table) -> Result<Dataset<T>, Error> {
        let Some(output) = &self.output else {
            return Err(Error::of(Kind::Data("there is no target to learn".to_owned())));
        };
        let data =
            Dataset::try_with(self.features(table)?, output.target(table, &self.notations)?)?.with_names(self.names());
        let Some(name) = &self.weight else { return Ok(data) };
        let cells = find(table, name)?;
        let mut weights = Vec::with_capacity(table.len());
        let weight = |row: usize, cell: Option<Raw>| {
            let weight = cell.and_then(Raw::number).filter(|&x| x >= 0.0);
            weight.ok_or_else(|| table.error(row, name, column::unfit(name, "a weight of 0 or more", cell)))
        };
        each(cells, &[], weight, |_, weight| weights.push(weight))?;
        Ok(data.with_weights(weights))
    }

    /// What stands for missing cells of a table, and for words that training has not seen where they are no error: a sentence for
    /// each column that has some.
    ///
    /// # Errors
    /// Where a column is not there.
    pub fn fills(&self, table: &Table) -> Result<Vec<String>, Error> {
        let mut notes = Vec::new();
        for column in &self.columns {
            let (cells, name) = (find(table, &column.name)?, shown(&column.name));
            let notation = self.notations.get(&column.name).filter(|notation| notation.has_unit());
            let notation = notation.filter(|_| matches!(column.map, Map::Number { .. }));
            let (mut missing, mut bare, mut unknown, mut first) = (0, 0, 0, None);
            let told = |row: usize, cell: Option<Raw>| {
                let is_bare = |cell: Raw| match (cell, notation) {
                    (Raw::Text(text), Some(notation)) => notation.is_bare(text),
                    (Raw::Number(_), Some(_)) => true,
                    (Raw::Text(_) | Raw::Number(_), None) => false,
                };
                let is_unknown = cell.is_some_and(|cell| column.takes_unknown(cell));
                if is_unknown {
                    first.get_or_insert(row);
                }
                Ok::<_, Error>((cell.is_none(), cell.is_some_and(is_bare), is_unknown))
            };
            each(cells, &column.missing, told, |_, (is_missing, is_bare, is_unknown)| {
                missing += usize::from(is_missing);
                bare += usize::from(is_bare);
                unknown += usize::from(is_unknown);
            })?;
            if let (1.., Some(fill)) = (missing, column.fill()) {
                let missing = counted(missing, "cell is missing", "cells are missing");
                notes.push(format!("`{name}`: {missing} and taken as {fill}"));
            }
            if let (1.., Some(notation)) = (bare, notation) {
                let cells = counted(bare, "cell has no unit and is", "cells have no unit and are");
                notes.push(format!("`{name}`: {cells} taken in {notation}"));
            }
            if let Some(first) = first.and_then(|row| Raw::of(cells, row, &column.missing)) {
                let (cells, first) = (counted(unknown, "cell has", "cells have"), shown(&first.text()));
                notes.push(format!("`{name}`: {cells} a word that training has not seen, such as `{first}`"));
            }
        }
        Ok(notes)
    }

    /// Holds the cells of a table to be there, also those for which something could stand.
    ///
    /// # Errors
    /// Where one is missing, of the first column that misses any, or a column is not there.
    pub fn hold_filled(&self, table: &Table) -> Result<(), Error> {
        for column in &self.columns {
            let cells = find(table, &column.name)?;
            let hold = |row: usize, cell: Option<Raw>| match cell {
                Some(_) => Ok(()),
                None => Err(table.error(row, &column.name, column::unfit(&column.name, column.expected(), None))),
            };
            each(cells, &column.missing, hold, |_, ()| ())?;
        }
        Ok(())
    }

    /// Which features and targets are bent, a sentence for each.
    pub fn bends(&self) -> Vec<String> {
        let told = |name: &str, bend: f64| format!("`{}` is skewed and taken as arsinh(x / {bend})", shown(name));
        let features = self.columns.iter().filter_map(|column| match &column.map {
            Map::Number { bend: Some(bend), .. } => Some(told(&column.name, *bend)),
            Map::Number { bend: None, .. } | Map::OneHot { .. } | Map::Index { .. } | Map::Date { .. } => None,
        });
        let targets = self.output.iter().flat_map(|output| {
            let each = output.columns().iter().zip(output.bends());
            each.filter_map(|(name, bend)| bend.map(|bend| told(name, bend))).collect::<Vec<_>>()
        });
        features.chain(targets).collect()
    }

    /// From now on words that training has not seen are no error where each word has a feature: all of these are 0 then.
    pub fn take_unknown_words(&mut self) {
        for column in &mut self.columns {
            if let Map::OneHot { unknown, .. } = &mut column.map {
                *unknown = true;
            }
        }
    }
}

impl fmt::Display for Preprocess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for column in &self.columns {
            writeln!(f, "{column}")?;
        }
        match &self.output {
            Some(output) => writeln!(f, "{output}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
