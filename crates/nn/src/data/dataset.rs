//! Examples to learn from.

use crate::data::target::distinct;
use crate::data::{Batch, Target};
use crate::error::{Error, Kind};
use autograd::{Float, Tensor};

/// Examples: a matrix of features, a row for each, what is to be learnt of each row, and, where asked for, how much
/// each counts and what the features are called.
///
/// ```
/// use autograd::Tensor;
/// use nn::Dataset;
/// use nn::data::Target;
/// let classes = ["no", "yes"].map(String::from).to_vec();
/// let data = Dataset::new(Tensor::from_rows([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), vec![0, 1, 0], classes);
/// assert_eq!((data.len(), data.width()), (3, 2));
/// assert_eq!(data.select(&[2, 1]).features().as_slice(), [5.0, 6.0, 3.0, 4.0]);
///
/// let flats = Dataset::from_columns(&[("area", &[62.0, 38.0]), ("rooms", &[3.0, 1.0])], Target::value("rent", &[1200.0, 480.0]));
/// assert_eq!(flats.names(), ["area", "rooms"]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset<T: Float = f64> {
    features: Tensor<T>,
    target: Target<T>,
    weights: Option<Vec<f64>>,
    names: Vec<String>,
    /// As many for each row.
    indices: Option<Vec<usize>>,
}

impl<T: Float> Dataset<T> {
    /// Features `[n, d]`, `n` labels, and the names of the classes that the labels count.
    ///
    /// # Panics
    /// Where the features are not a matrix, one of them is NaN or infinite, there is not one label for each row, a label
    /// names no class, or classes share a name or have none.
    #[track_caller]
    pub fn new(features: Tensor<T>, labels: Vec<usize>, classes: Vec<String>) -> Self {
        or_panic("Dataset::new", Self::try_with(features, Target::Classes { labels, names: classes }))
    }

    /// Features `[n, d]` and any target of `n` rows.
    ///
    /// # Panics
    /// Where the features are not a matrix, one of them or of the values is NaN or infinite, the numbers of rows differ, or
    /// names are not distinct.
    #[track_caller]
    pub fn with(features: Tensor<T>, target: Target<T>) -> Self {
        or_panic("Dataset::with", Self::try_with(features, target))
    }

    /// As [`Dataset::with`], for data that comes from outside.
    ///
    /// # Errors
    /// Where [`Dataset::with`] panics.
    #[inline(never)]
    pub fn try_with(features: Tensor<T>, target: Target<T>) -> Result<Self, Error> {
        let (shape, n) = (features.shape(), target.len());
        if shape.rank() != 2 || shape[0] != n {
            let what = if matches!(target, Target::Classes { .. }) { "labels" } else { "targets" };
            return Err(Error::of(Kind::Data(format!(
                "features of shape {shape} do not fit {n} {what}: [{n}, d] is needed"
            ))));
        }
        if let Some(i) = features.as_slice().iter().position(|x| !x.is_finite()) {
            let (row, column, x) = (i / shape[1], i % shape[1], features.as_slice()[i]);
            let text = format!("expected finite features, found {x} in row {row}, column {column} (counted from 0)");
            return Err(Error::of(Kind::Data(text)));
        }
        target.check()?;
        Ok(Self { features, target, weights: None, names: Vec::new(), indices: None })
    }

    /// Columns of features with their names, and a target.
    ///
    /// # Panics
    /// Where the columns have different lengths, names are not distinct, or as [`Dataset::with`].
    #[track_caller]
    pub fn from_columns(columns: &[(&str, &[T])], target: Target<T>) -> Self {
        let (n, d) = (target.len(), columns.len());
        if let Some((name, column)) = columns.iter().find(|(_, column)| column.len() != n) {
            panic!("from_columns: column `{name}` has {} rows, the target has {n}", column.len());
        }
        let names: Vec<String> = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
        if let Err(text) = distinct(&names, "column") {
            panic!("from_columns: {text}");
        }
        let features = Tensor::from_fn([n, d], |i| columns[i % d].1[i / d]);
        Self { names, ..or_panic("from_columns", Self::try_with(features, target)) }
    }

    /// The same examples, each counting as much as its weight says.
    ///
    /// # Panics
    /// Where there is not one weight for each row, or one is negative, NaN or infinite.
    #[track_caller]
    pub fn with_weights(self, weights: Vec<f64>) -> Self {
        let n = self.len();
        assert!(weights.len() == n, "with_weights: there are {} weights for {n} rows", weights.len());
        if let Some(row) = weights.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
            panic!("with_weights: expected weights of 0 or more, found {} in row {row}", weights[row]);
        }
        Self { weights: Some(weights), ..self }
    }

    /// The same examples with integers to index with, row after row and as many for each: the words of a text, the places of categories.
    ///
    /// # Panics
    /// Where there are not as many for each row.
    #[track_caller]
    pub fn with_indices(self, indices: Vec<usize>) -> Self {
        let (n, count) = (self.len(), indices.len());
        let fits = if n == 0 { count == 0 } else { count.is_multiple_of(n) };
        assert!(fits, "with_indices: {count} indices are not as many for each of {n} rows");
        Self { indices: Some(indices), ..self }
    }

    /// The same examples, with some of their features as integers to index with, behind those that there are: places of words, as
    /// [`Preparing::indices`](crate::data::Preparing::indices) makes them.
    ///
    /// ```
    /// use nn::data::{Preparing, Preprocess, Schema, Table};
    /// # fn main() -> Result<(), nn::Error> {
    /// let table = Table::parse("a.csv", "town,area,rent\nUlm,50,500\nBonn,70,810.5\nUlm,90,900\n")?;
    /// let schema = Schema::infer(&table, &["rent"], &[])?;
    /// let prepare = Preprocess::fit(&table, &schema, Preparing { indices: true, ..Preparing::default() })?;
    /// let flats = prepare.examples::<f64>(&table)?.with_features_as_indices(&["town"]);
    /// assert_eq!((flats.indices(), flats.names()), (Some(&[1, 0, 1][..]), &["area".to_owned()][..]));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// Where a name is none of a feature, or a feature is no whole number of 0 or more.
    #[track_caller]
    pub fn with_features_as_indices(self, names: &[&str]) -> Self {
        let (n, d) = (self.len(), self.width());
        let mut places = Vec::with_capacity(names.len());
        for name in names {
            let place = self.names.iter().position(|known| known == name);
            let Some(place) = place else { panic!("with_features_as_indices: there is no feature `{name}`") };
            places.push(place);
        }
        let all = self.features.as_slice();
        let (known, k) =
            (self.indices.as_deref().unwrap_or_default(), self.indices.as_ref().map_or(0, Vec::len) / n.max(1));
        let mut indices = Vec::with_capacity(n * (k + places.len()));
        for row in 0..n {
            indices.extend_from_slice(&known[row * k..(row + 1) * k]);
            for (&place, name) in places.iter().zip(names) {
                let x = all[row * d + place].to_f64();
                assert!(
                    x >= 0.0 && x.fract() == 0.0,
                    "with_features_as_indices: expected whole numbers of 0 or more for `{name}`, found {x} in row {row}"
                );
                indices.push(x as usize);
            }
        }
        let rest: Vec<usize> = (0..d).filter(|place| !places.contains(place)).collect();
        let features = Tensor::from_fn([n, rest.len()], |i| all[i / rest.len() * d + rest[i % rest.len()]]);
        let names = rest.iter().map(|&place| self.names[place].clone()).collect();
        Self { features, names, indices: Some(indices), ..self }
    }

    /// The integers to index with, where there are some: row after row, as many for each.
    pub fn indices(&self) -> Option<&[usize]> {
        self.indices.as_deref()
    }

    /// Those of some rows, which exist.
    fn indices_of(&self, rows: &[usize]) -> Option<Vec<usize>> {
        let k = self.indices.as_ref()?.len() / self.len().max(1);
        let of = |&row: &usize| self.indices.iter().flat_map(move |all| &all[row * k..(row + 1) * k]).copied();
        Some(rows.iter().flat_map(of).collect())
    }

    /// The same examples with names for their features.
    ///
    /// # Panics
    /// Where there is not one name for each feature, or names are not distinct.
    #[track_caller]
    pub fn with_names(self, names: Vec<String>) -> Self {
        let d = self.width();
        assert!(names.len() == d, "with_names: there are {} names for {d} features", names.len());
        if let Err(text) = distinct(&names, "feature") {
            panic!("with_names: {text}");
        }
        Self { names, ..self }
    }

    /// The features, `[n, d]`.
    pub fn features(&self) -> &Tensor<T> {
        &self.features
    }

    /// What is to be learnt.
    pub fn target(&self) -> &Target<T> {
        &self.target
    }

    /// The class of each row.
    ///
    /// # Panics
    /// Where the target is not classes.
    #[track_caller]
    pub fn labels(&self) -> &[usize] {
        self.of_classes("labels").0
    }

    /// The names of the classes.
    ///
    /// # Panics
    /// Where the target is not classes.
    #[track_caller]
    pub fn classes(&self) -> &[String] {
        self.of_classes("classes").1
    }

    /// The labels and the classes, for a function that needs them.
    #[track_caller]
    pub(crate) fn of_classes(&self, function: &str) -> (&[usize], &[String]) {
        match &self.target {
            Target::Classes { labels, names } => (labels, names),
            other @ (Target::Labels { .. } | Target::Values { .. }) => {
                panic!("{function}: the target is {}, not classes: `target` gives it", other.noun())
            }
        }
    }

    /// How much each row counts, where that was said.
    pub fn weights(&self) -> Option<&[f64]> {
        self.weights.as_deref()
    }

    /// The names of the features; none where they were not said.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The number of examples, `n`.
    pub fn len(&self) -> usize {
        self.target.len()
    }

    /// Whether there are no examples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of features of an example, `d`.
    pub fn width(&self) -> usize {
        self.features.shape()[1]
    }

    /// The examples of these rows, in this order; a row may come again.
    ///
    /// # Panics
    /// Where a row does not exist.
    #[track_caller]
    #[inline(never)]
    pub fn select(&self, rows: &[usize]) -> Self {
        self.hold_rows("select", rows);
        Self {
            features: self.gathered(rows),
            target: self.target.select(rows),
            weights: self.weights.as_ref().map(|weights| rows.iter().map(|&row| weights[row]).collect()),
            names: self.names.clone(),
            indices: self.indices_of(rows),
        }
    }

    /// The features and labels of these rows.
    #[track_caller]
    pub(crate) fn rows(&self, rows: &[usize]) -> (Tensor<T>, Vec<usize>) {
        let labels = self.of_classes("batches").0;
        (self.gathered(rows), rows.iter().map(|&row| labels[row]).collect())
    }

    /// The examples of these rows as a batch.
    ///
    /// # Panics
    /// Where a row does not exist.
    #[track_caller]
    #[inline(never)]
    pub fn batch(&self, rows: &[usize]) -> Batch<T> {
        self.hold_rows("batch", rows);
        Batch {
            rows: rows.to_vec(),
            features: self.gathered(rows),
            target: self.target.select(rows),
            weights: self.weights.as_ref().map(|all| Tensor::from_fn([rows.len()], |i| T::of(all[rows[i]]))),
            mask: None,
            indices: self.indices_of(rows),
        }
    }

    /// All examples as a batch, in their order.
    ///
    /// ```
    /// use nn::data::{Csv, IRIS_CSV};
    /// # fn main() -> Result<(), nn::Error> {
    /// let iris = Csv::new("species").parse::<f64>("iris.csv", IRIS_CSV)?;
    /// assert_eq!(iris.whole().len(), 150);
    /// # Ok(())
    /// # }
    /// ```
    pub fn whole(&self) -> Batch<T> {
        self.batch(&(0..self.len()).collect::<Vec<_>>())
    }

    /// The examples of these rows in the place of what a batch holds. Memory is allocated only where the batch before had
    /// another number of rows, or its tensors are shared.
    ///
    /// ```
    /// use nn::data::{Csv, IRIS_CSV};
    /// # fn main() -> Result<(), nn::Error> {
    /// let iris = Csv::new("species").parse::<f64>("iris.csv", IRIS_CSV)?;
    /// let mut batch = iris.batch(&[0, 1]);
    /// iris.gather_into(&[149, 3], &mut batch);
    /// assert_eq!(batch, iris.batch(&[149, 3]));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// Where a row does not exist.
    #[track_caller]
    #[inline(never)]
    pub fn gather_into(&self, rows: &[usize], batch: &mut Batch<T>) {
        self.hold_rows("gather_into", rows);
        let m = rows.len();
        let targets_fit = match (&self.target, &mut batch.target) {
            (Target::Classes { labels, names }, Target::Classes { labels: into, names: theirs }) => {
                into.clear();
                into.extend(rows.iter().map(|&row| labels[row]));
                names == theirs
            }
            (Target::Labels { values, names }, Target::Labels { values: into, names: theirs })
            | (Target::Values { values, names }, Target::Values { values: into, names: theirs }) => {
                names == theirs && gather(values, rows, into)
            }
            _ => false,
        };
        let fits = targets_fit
            && batch.mask.is_none()
            && self.indices.is_none()
            && batch.indices.is_none()
            && batch.weights.as_ref().map(Tensor::numel) == self.weights.as_ref().map(|_| m)
            && gather(&self.features, rows, &mut batch.features);
        if !fits {
            *batch = self.batch(rows);
            return;
        }
        if let (Some(all), Some(into)) = (&self.weights, &mut batch.weights) {
            into.as_mut_slice().iter_mut().zip(rows).for_each(|(x, &row)| *x = T::of(all[row]));
        }
        batch.rows.clear();
        batch.rows.extend_from_slice(rows);
    }

    #[track_caller]
    fn hold_rows(&self, function: &str, rows: &[usize]) {
        let n = self.len();
        if let Some(row) = rows.iter().find(|&&row| row >= n) {
            panic!("{function}: row {row} is not one of {n}");
        }
    }

    #[track_caller]
    fn gathered(&self, rows: &[usize]) -> Tensor<T> {
        let (d, all) = (self.width(), self.features.as_slice());
        let mut features = Vec::new();
        let reserved = features.try_reserve_exact(rows.len().saturating_mul(d));
        assert!(reserved.is_ok(), "select: there is no memory for {} rows of {d}", rows.len());
        for &row in rows {
            features.extend_from_slice(&all[row * d..(row + 1) * d]);
        }
        Tensor::new([rows.len(), d], features)
    }

    /// The same examples with other features, which may be others in number.
    #[track_caller]
    #[inline(never)]
    pub(crate) fn with_features(&self, function: &str, features: Tensor<T>) -> Self {
        let new = or_panic(function, Self::try_with(features, self.target.clone()));
        let names = if new.width() == self.width() { self.names.clone() } else { Vec::new() };
        Self { names, weights: self.weights.clone(), indices: self.indices.clone(), ..new }
    }
}

/// Writes rows of a matrix into another one, if that has as many rows and columns.
fn gather<T: Float>(matrix: &Tensor<T>, rows: &[usize], into: &mut Tensor<T>) -> bool {
    let (d, shape) = (matrix.shape()[1], into.shape());
    if shape.rank() != 2 || shape[0] != rows.len() || shape[1] != d {
        return false;
    }
    let all = matrix.as_slice();
    if d > 0 {
        let places = into.as_mut_slice().chunks_exact_mut(d);
        places.zip(rows).for_each(|(place, &row)| place.copy_from_slice(&all[row * d..][..d]));
    }
    true
}

/// What a call gives, or a panic at the line of the caller with the name of what was called.
#[track_caller]
pub(crate) fn or_panic<V>(function: &str, result: Result<V, Error>) -> V {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{function}: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "features of shape [2, 1] do not fit 3 labels")]
    fn each_row_needs_a_label() {
        Dataset::new(Tensor::<f64>::zeros([2, 1]), vec![0; 3], vec!["a".into()]);
    }

    #[test]
    #[should_panic(expected = "label 1 names none of 1 classes")]
    fn each_label_needs_a_class() {
        Dataset::new(Tensor::<f64>::zeros([2, 1]), vec![0, 1], vec!["a".into()]);
    }

    #[test]
    #[should_panic(expected = "select: row 2 is not one of 2")]
    fn rows_exist() {
        Dataset::new(Tensor::<f64>::zeros([2, 1]), vec![0, 0], vec!["a".into()]).select(&[0, 2]);
    }

    #[test]
    #[should_panic(expected = "labels: the target is values, not classes")]
    fn values_have_no_labels() {
        let _ = Dataset::with(Tensor::zeros([1, 1]), Target::value("y", &[1.0])).labels();
    }

    /// Of each kind of target, with and without weights.
    fn all_kinds() -> Vec<Dataset<f32>> {
        let features = Tensor::from_fn([5, 2], |i| i as f32);
        let names = vec!["a".to_owned(), "b".to_owned()];
        let classes = Target::Classes { labels: vec![0, 1, 1, 0, 1], names: names.clone() };
        let labels = Target::Labels { values: Tensor::from_fn([5, 2], |i| (i % 3 == 0).into()), names: names.clone() };
        let values = Target::Values { values: Tensor::from_fn([5, 2], |i| i as f32 * 0.5), names };
        [classes, labels, values]
            .into_iter()
            .flat_map(|target| {
                let plain = Dataset::with(features.clone(), target);
                let worded = plain.clone().with_indices((0..10).collect());
                [plain.clone().with_weights(vec![1.0, 2.0, 3.0, 4.0, 5.0]), worded, plain]
            })
            .collect()
    }

    #[test]
    fn a_batch_that_is_used_again_holds_what_a_new_one_does() {
        let kinds = all_kinds();
        for (i, data) in kinds.iter().enumerate() {
            let mut batch = data.batch(&[0, 1, 2]);
            let place = batch.features.as_slice().as_ptr();
            data.gather_into(&[4, 4, 1], &mut batch);
            assert_eq!(batch, data.batch(&[4, 4, 1]), "kind {i}");
            assert!(data.indices().is_some() || batch.features.as_slice().as_ptr() == place, "kind {i}");
            for other in &kinds {
                other.gather_into(&[2, 3], &mut batch);
                assert_eq!(batch, other.batch(&[2, 3]), "kind {i}");
                assert_eq!(other.select(&[2, 3]).batch(&[0, 1]).target, batch.target);
            }
        }
    }
}
