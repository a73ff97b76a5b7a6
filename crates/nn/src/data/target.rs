//! What a net is to learn of each example.

use crate::error::{Error, Kind};
use autograd::{Float, Tensor};

/// What is to be learnt of `n` examples: one class of several for each, several yes-or-no labels at once, or values.
///
/// ```
/// use nn::data::Target;
/// let kinds = Target::<f64>::classes_of(&["pike", "carp", "pike"]);
/// assert_eq!(kinds, Target::Classes { labels: vec![1, 0, 1], names: vec!["carp".into(), "pike".into()] });
/// assert_eq!(Target::value("price", &[3.5, 4.0]).len(), 2);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Target<T: Float = f64> {
    /// Each example is of one class.
    Classes {
        /// The class of each example, a place among the names.
        labels: Vec<usize>,
        /// The names of the classes.
        names: Vec<String>,
    },
    /// Each example has any of several labels.
    Labels {
        /// `[n, k]`, 1 where the example has the label, else 0.
        values: Tensor<T>,
        /// The names of the labels.
        names: Vec<String>,
    },
    /// Each example has one or several measured values.
    Values {
        /// `[n, k]`.
        values: Tensor<T>,
        /// The names of the values.
        names: Vec<String>,
    },
}

impl<T: Float> Target<T> {
    /// The classes of these names, which are sorted, so that they do not depend on the order of the rows.
    pub fn classes_of<S: AsRef<str>>(names: &[S]) -> Self {
        let mut distinct: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        distinct.sort_unstable();
        distinct.dedup();
        let place = |name: &S| distinct.binary_search(&name.as_ref()).expect("each name is among the distinct ones");
        Self::Classes {
            labels: names.iter().map(place).collect(),
            names: distinct.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    /// One value for each example.
    pub fn value(name: &str, values: &[T]) -> Self {
        Self::Values { values: Tensor::new([values.len(), 1], values.to_vec()), names: vec![name.to_owned()] }
    }

    /// The number of examples.
    pub fn len(&self) -> usize {
        match self {
            Self::Classes { labels, .. } => labels.len(),
            Self::Labels { values, .. } | Self::Values { values, .. } => values.shape().first().copied().unwrap_or(0),
        }
    }

    /// Whether there are no examples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The names of the classes, the labels or the values. There are as many outputs of a net for them.
    pub fn names(&self) -> &[String] {
        let (Self::Classes { names, .. } | Self::Labels { names, .. } | Self::Values { names, .. }) = self;
        names
    }

    /// Whether it is the same for all examples.
    pub(crate) fn is_constant(&self) -> bool {
        match self {
            Self::Classes { labels, .. } => labels.windows(2).all(|pair| pair[0] == pair[1]),
            Self::Labels { values, names } | Self::Values { values, names } => {
                let rows = values.as_slice().chunks(names.len());
                rows.clone().zip(rows.skip(1)).all(|(row, next)| row == next)
            }
        }
    }

    /// What a target is of, in a sentence.
    pub(crate) fn noun(&self) -> &'static str {
        match self {
            Self::Classes { .. } => "classes",
            Self::Labels { .. } => "several labels at once",
            Self::Values { .. } => "values",
        }
    }

    /// Those of some rows, which exist.
    #[inline(never)]
    pub(crate) fn select(&self, rows: &[usize]) -> Self {
        match self {
            Self::Classes { labels, names } => {
                Self::Classes { labels: rows.iter().map(|&row| labels[row]).collect(), names: names.clone() }
            }
            Self::Labels { values, names } => Self::Labels { values: gathered(values, rows), names: names.clone() },
            Self::Values { values, names } => Self::Values { values: gathered(values, rows), names: names.clone() },
        }
    }

    /// What keeps this from being the target of examples.
    #[inline(never)]
    pub(crate) fn check(&self) -> Result<(), Error> {
        let fault = |text: String| Err(Error::of(Kind::Data(text)));
        distinct(self.names(), "class").map_err(|text| Error::of(Kind::Data(text)))?;
        match self {
            Self::Classes { labels, names } => {
                let k = names.len();
                match labels.iter().find(|&&label| label >= k) {
                    Some(label) => fault(format!("label {label} names none of {k} classes")),
                    None => Ok(()),
                }
            }
            Self::Labels { values, names } => {
                matrix(values, names)?;
                match values.as_slice().iter().position(|&x| x != T::ZERO && x != T::ONE) {
                    None => Ok(()),
                    Some(i) => {
                        let (row, name, x) = (i / names.len(), &names[i % names.len()], values.as_slice()[i]);
                        fault(format!("expected 0 or 1 for label `{name}` of row {row}, found {x}"))
                    }
                }
            }
            Self::Values { values, names } => {
                matrix(values, names)?;
                match values.as_slice().iter().position(|x| !x.is_finite()) {
                    None => Ok(()),
                    Some(i) => {
                        let (row, name, x) = (i / names.len(), &names[i % names.len()], values.as_slice()[i]);
                        fault(format!("expected a finite target `{name}` of row {row}, found {x}"))
                    }
                }
            }
        }
    }
}

/// Targets `[n, k]` have `k` names.
fn matrix<T: Float>(values: &Tensor<T>, names: &[String]) -> Result<(), Error> {
    let (shape, k) = (values.shape(), names.len());
    if shape.rank() == 2 && shape[1] == k && k > 0 {
        return Ok(());
    }
    Err(Error::of(Kind::Data(format!("targets of shape {shape} do not fit {k} names: [n, {k}] is needed"))))
}

/// What keeps names from telling things apart.
pub(crate) fn distinct(names: &[String], thing: &str) -> Result<(), String> {
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort_unstable();
    if sorted.first().is_some_and(|name| name.is_empty()) {
        return Err(format!("an empty name is no {thing}"));
    }
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!("`{}` is named twice: each {thing} has a name of its own", pair[0].escape_debug())),
        None => Ok(()),
    }
}

/// The rows of a matrix, which exist.
fn gathered<T: Float>(matrix: &Tensor<T>, rows: &[usize]) -> Tensor<T> {
    let (k, all) = (matrix.shape()[1], matrix.as_slice());
    Tensor::from_fn([rows.len(), k], |i| all[rows[i / k] * k + i % k])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(target: &Target) -> String {
        target.check().unwrap_err().to_string()
    }

    #[test]
    fn a_target_that_is_none_says_why() {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let classes = |labels: &[usize], of: &[&str]| Target::Classes { labels: labels.to_vec(), names: names(of) };
        assert!(fault(&classes(&[0], &["pike", "carp", "pike"])).contains("`pike` is named twice"));
        assert!(fault(&classes(&[0], &["pike", ""])).contains("an empty name is no class"));
        assert!(fault(&classes(&[2], &["pike", "carp"])).contains("label 2 names none of 2 classes"));
        let labels = Target::Labels { values: Tensor::from_rows([[0.0, 1.0], [0.5, 1.0]]), names: names(&["a", "b"]) };
        assert_eq!(fault(&labels), "expected 0 or 1 for label `a` of row 1, found 0.5");
        let values = Target::value("price", &[1.0, f64::NAN]);
        assert_eq!(fault(&values), "expected a finite target `price` of row 1, found NaN");
        let values = Target::Values { values: Tensor::zeros([3]), names: names(&["a"]) };
        assert!(fault(&values).contains("shape [3] do not fit 1 names"));
    }
}
