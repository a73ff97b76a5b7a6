//! What the columns of a table mean.

use crate::data::cells::Raw;
use crate::data::names::closest;
use crate::data::{By, Cells, Column, DateOrder, Lone, Notation, Parts, Table};
use crate::error::{Error, Kind, shown};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What the columns of a table mean: guessed by [`Schema::infer`], printed, edited and saved as plain data.
///
/// ```
/// use nn::data::{Goal, Role, Schema, Table};
/// # fn main() -> Result<(), nn::Error> {
/// let table = Table::parse("pets.csv", "Id,weight,colour,kind\n1,4.1,black,cat\n2,30,brown,dog\n3,3.8,black,cat\n4,25,black,dog\n")?;
/// let mut schema = Schema::infer(&table, &["kind"], &[])?;
/// println!("{schema}");
/// assert_eq!(schema.column("Id").map(|field| field.kind), Some(Role::Ignore));
/// assert_eq!(schema.target, Some(Goal::Classes("kind".into())));
/// schema.column_mut("colour").unwrap().kind = Role::Ignore;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    /// The columns beside the targets, in the order of the table.
    pub columns: Vec<Field>,
    /// What is to be learnt.
    pub target: Option<Goal>,
    /// Why that is taken for what it is.
    pub why: String,
    /// The column of how much each row counts.
    pub weight: Option<String>,
    /// How the numbers of columns of text are written, by the columns' names, where they are not plain.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub notations: BTreeMap<String, Notation>,
}

/// A column, and what it is taken for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What it is taken for.
    pub kind: Role,
    /// Why.
    pub why: String,
    /// Words that stand for a missing cell of this column.
    #[serde(default)]
    pub missing: Vec<String>,
    /// Some of its cells.
    pub samples: Vec<String>,
}

/// What a column is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// Numbers.
    Number,
    /// Words, or numbers that are names.
    Category,
    /// Dates.
    Date(DateOrder),
    /// Nothing to learn from.
    Ignore,
}

/// What is to be learnt, by the names of columns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Goal {
    /// One class of several.
    Classes(String),
    /// Several labels at once, a column of 0 and 1 for each.
    Labels(Vec<String>),
    /// Measured values, one or several.
    Values(Vec<String>),
}

impl Goal {
    /// The columns that it is made of.
    pub fn columns(&self) -> &[String] {
        match self {
            Self::Classes(name) => std::slice::from_ref(name),
            Self::Labels(names) | Self::Values(names) => names,
        }
    }
}

impl Schema {
    /// The column of this name, if it is none of the targets.
    pub fn column(&self, name: &str) -> Option<&Field> {
        self.columns.iter().find(|field| field.name == name)
    }

    /// The column of this name, to say otherwise.
    pub fn column_mut(&mut self, name: &str) -> Option<&mut Field> {
        self.columns.iter_mut().find(|field| field.name == name)
    }

    /// The columns that are learnt from: neither ignored, nor a target, nor the weight.
    pub fn features(&self) -> impl Iterator<Item = &Field> {
        let is_target = |name: &String| self.target.as_ref().is_some_and(|goal| goal.columns().contains(name));
        let is_feature = move |field: &&Field| {
            field.kind != Role::Ignore && !is_target(&field.name) && self.weight.as_ref() != Some(&field.name)
        };
        self.columns.iter().filter(is_feature)
    }

    /// The rows whose targets are all there, and a note of how many are not.
    ///
    /// ```
    /// use nn::data::{Schema, Table};
    /// # fn main() -> Result<(), nn::Error> {
    /// let table = Table::parse("a.csv", "x,y\n1,2.5\n2,\n3,7.25\n")?;
    /// let (known, note) = Schema::infer(&table, &["y"], &[])?.with_targets(&table)?;
    /// assert_eq!((known.len(), &note.unwrap()[..]), (2, "1 of 3 rows has no `y` and is left out, the first in line 3"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Where a column of the target is not there.
    pub fn with_targets(&self, table: &Table) -> Result<(Table, Option<String>), Error> {
        let names = self.target.as_ref().map_or(&[][..], Goal::columns);
        let columns = names.iter().map(|name| find(table, name)).collect::<Result<Vec<_>, _>>()?;
        let is_known = |&row: &usize| columns.iter().all(|column| Raw::of(column, row, &[]).is_some());
        let (rows, lost): (Vec<usize>, Vec<usize>) = (0..table.len()).partition(is_known);
        let Some(&first) = lost.first() else { return Ok((table.clone(), None)) };
        let (names, n) = (names.iter().map(|name| format!("`{}`", shown(name))).collect::<Vec<_>>(), table.len());
        let (_, line, _) = table.place(first, "");
        let verbs = if lost.len() == 1 { "row has no" } else { "rows have no" };
        let left = if lost.len() == 1 { "is" } else { "are" };
        let count =
            if lost.len() == 1 { format!("1 of {n} rows has no") } else { format!("{} of {n} {verbs}", lost.len()) };
        let note = format!("{count} {} and {left} left out, the first in line {line}", names.join(" or "));
        Ok((table.select(&rows), Some(note)))
    }

    /// Which rows to hold out: of classes the same share of each, a class of a single row being kept to train with; else at
    /// random.
    ///
    /// # Errors
    /// Where a part would be empty, or the column of the target is not there.
    ///
    /// # Panics
    /// Where the share is not between 0 and 1.
    #[track_caller]
    pub fn split(&self, table: &Table, held_out: f64, seed: u64) -> Result<Parts, Error> {
        match &self.target {
            Some(Goal::Classes(name)) => {
                let labels = groups(find(table, name)?);
                By::Classes { labels: &labels, names: &[], lone: Lone::Train }.split(held_out, seed)
            }
            _ => By::Rows(table.len()).split(held_out, seed),
        }
    }
}

/// A number for each cell of a column, the same for cells that are alike, missing ones too: for [`By::Groups`] and
/// [`By::Classes`]. They count different cells in the order of the rows.
///
/// ```
/// let table = nn::data::Table::parse("a.csv", "site,x\nN,1\nS,2\nN,3\n").unwrap();
/// assert_eq!(nn::data::groups(table.column("site").unwrap()), [0, 1, 0]);
/// ```
pub fn groups(column: &Column) -> Vec<usize> {
    let mut known: BTreeMap<u64, usize> = BTreeMap::new();
    let mut group = |key: u64| {
        let next = known.len();
        *known.entry(key).or_insert(next)
    };
    match &column.cells {
        Cells::Numbers(numbers) => {
            let key = |x: &f64| if x.is_nan() { u64::MAX } else { (x + 0.0).to_bits() };
            numbers.iter().map(|x| group(key(x))).collect()
        }
        Cells::Text { rows, .. } => rows.iter().map(|word| group(word.map_or(u64::MAX, u64::from))).collect(),
    }
}

/// The column of this name, or an error that names those that are there.
pub(crate) fn find<'a>(table: &'a Table, name: &str) -> Result<&'a Column, Error> {
    table.column(name).ok_or_else(|| {
        let header: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
        let near = closest(name, header.iter().map(String::as_str)).map(str::to_owned);
        let (file, ..) = table.place(0, "");
        let kind = Kind::NoColumn { name: name.to_owned(), header, closest: near };
        Error { file: file.to_owned(), line: None, column: None, kind }
    })
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number => f.pad("number"),
            Self::Category => f.pad("category"),
            Self::Date(_) => f.pad("date"),
            Self::Ignore => f.pad("ignored"),
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.columns().iter().map(|name| format!("`{}`", shown(name))).collect();
        let kind = match self {
            Self::Classes(_) => "classes",
            Self::Labels(_) => "labels",
            Self::Values(_) => "values",
        };
        write!(f, "{kind} of {}", names.join(", "))
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(goal) = &self.target {
            writeln!(f, "target: {goal}: {}", self.why)?;
        }
        if let Some(weight) = &self.weight {
            writeln!(f, "weight of rows: `{}`", shown(weight))?;
        }
        let names: Vec<String> = self.columns.iter().map(|field| shown(&field.name)).collect();
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(6);
        writeln!(f, "{:width$}  taken as  why", "column")?;
        for (field, name) in self.columns.iter().zip(&names) {
            let samples: Vec<String> = field.samples.iter().map(|cell| shown(cell)).collect();
            writeln!(f, "{name:width$}  {:8}  {} ({})", field.kind, field.why, samples.join(", "))?;
        }
        Ok(())
    }
}
