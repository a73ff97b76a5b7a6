//! How well a net does on rows whose target is known.

use crate::json::{number, object};
use autograd::Tensor;
use nn::Dataset;
use nn::data::{Output, Target};
use nn::measure::{
    Bootstrap, Confusion, Interval, Weighted, bootstrap, classes, log_loss, mae, r2, rmse, softmax, wilson,
};
use serde_json::Value;
use std::fmt::Write as _;

/// The level of intervals.
const LEVEL: f64 = 0.95;

/// How well a net does: measures with intervals, the first of them the one to tell.
pub(crate) struct Score {
    pub(crate) rows: usize,
    pub(crate) measures: Vec<Measure>,
    /// Of classes, what was taken for what.
    confusion: Option<(Vec<String>, Confusion)>,
}

/// A measure of one target, or of all.
pub(crate) struct Measure {
    pub(crate) name: &'static str,
    /// The column, where there are several.
    pub(crate) of: Option<String>,
    pub(crate) interval: Interval,
}

/// Measures outputs against rows; values in their own unit.
pub(crate) fn score(data: &Dataset, output: &Output, outputs: &Tensor) -> Score {
    // Of many rows a few resamples are sure enough.
    scored(data, output, outputs, (20_000_000 / data.len().max(1)).clamp(100, 1000))
}

/// The measure that ranks, which is better higher, and a second one: their names, and the mean of each over the targets.
pub(crate) fn ranked(data: &Dataset, output: &Output, outputs: &Tensor) -> Vec<(String, f64)> {
    let all = scored(data, output, outputs, 0).measures;
    let names: &[&str] = match data.target() {
        Target::Classes { .. } => &["accuracy", "log loss"],
        Target::Labels { .. } => &["accuracy"],
        Target::Values { .. } => &["r2", "rmse"],
    };
    let mean = |name: &&str| {
        let each: Vec<f64> = all.iter().filter(|one| one.name == *name).map(|one| one.interval.estimate).collect();
        (name.replace(' ', "_"), mean(&each, None))
    };
    names.iter().map(mean).collect()
}

/// With intervals from so many resamples, or without.
fn scored(data: &Dataset, output: &Output, outputs: &Tensor, resamples: usize) -> Score {
    let drawn = |rows: usize, metric: &mut dyn FnMut(&[usize]) -> f64| drawn(rows, resamples, metric);
    let share = |right: &[f64], weights: Option<&[f64]>| share(right, weights, resamples);
    let weights = data.weights();
    let (rows, mut measures) = (data.len(), Vec::new());
    let mut confusion = None;
    match data.target() {
        Target::Classes { labels, names } => {
            let predicted = classes(outputs);
            let right: Vec<f64> =
                labels.iter().zip(&predicted).map(|(y, guess)| f64::from(u8::from(y == guess))).collect();
            measures.push(measure("accuracy", None, share(&right, weights)));
            let own = softmax(outputs);
            let losses = |drawn: &[usize]| {
                let k = names.len();
                let some: Vec<usize> = drawn.iter().map(|&row| labels[row]).collect();
                let of = Tensor::from_fn([drawn.len(), k], |i| own.as_slice()[drawn[i / k] * k + i % k]);
                match weights {
                    None => log_loss(&of, &some),
                    Some(all) => weighted(all, drawn, |weights| weights.log_loss(&of, &some)),
                }
            };
            measures.push(measure("log loss", None, drawn(rows, &mut { losses })));
            let count = names.len();
            let counted = match weights {
                Some(all) if all.iter().any(|&weight| weight > 0.0) => {
                    Confusion::weighted(Weighted(all), count, &predicted, labels)
                }
                _ => Confusion::of(count, &predicted, labels),
            };
            confusion = Some((names.clone(), counted));
        }
        Target::Labels { values, names } => {
            let right: Vec<f64> = values
                .as_slice()
                .iter()
                .zip(outputs.as_slice())
                .map(|(y, x)| f64::from(u8::from((*y > 0.5) == (*x > 0.0))))
                .collect();
            let k = names.len();
            for (place, name) in names.iter().enumerate() {
                let own: Vec<f64> = right.iter().skip(place).step_by(k).copied().collect();
                let of = (k > 1).then(|| name.clone());
                measures.push(measure("accuracy", of, share(&own, weights)));
            }
            if k > 1 {
                let all = drawn(rows, &mut |drawn| {
                    let each = drawn.iter().map(|&row| right[row * k..][..k].iter().sum::<f64>() / k as f64);
                    let each: Vec<f64> = each.collect();
                    mean(&each, weights.map(|all| drawn.iter().map(|&row| all[row]).collect::<Vec<_>>()).as_deref())
                });
                measures.insert(0, measure("accuracy", None, all));
            }
        }
        Target::Values { values, names } => {
            let (truth, guess) = (output.values(values), output.values(outputs));
            let k = names.len();
            for (place, name) in names.iter().enumerate() {
                let column = |all: &[f64]| all.iter().skip(place).step_by(k).copied().collect::<Vec<f64>>();
                let (truth, guess) = (column(&truth), column(&guess));
                let own = |name: &'static str| {
                    drawn(rows, &mut |drawn| {
                        let pick = |all: &[f64]| drawn.iter().map(|&row| all[row]).collect::<Vec<f64>>();
                        of_values(name, &pick(&guess), &pick(&truth), weights.map(pick).as_deref())
                    })
                };
                for kind in ["r2", "rmse", "mae"] {
                    measures.push(measure(kind, (k > 1).then(|| name.clone()), own(kind)));
                }
            }
        }
    }
    Score { rows, measures, confusion }
}

fn measure(name: &'static str, of: Option<String>, interval: Interval) -> Measure {
    Measure { name, of, interval }
}

fn of_values(name: &str, guess: &[f64], truth: &[f64], weights: Option<&[f64]>) -> f64 {
    match (name, weights.filter(|all| all.iter().any(|&weight| weight > 0.0))) {
        (_, None) if weights.is_some() => f64::NAN,
        ("r2", None) => r2(guess, truth),
        ("rmse", None) => rmse(guess, truth),
        (_, None) => mae(guess, truth),
        ("r2", Some(all)) => Weighted(all).r2(guess, truth),
        ("rmse", Some(all)) => Weighted(all).rmse(guess, truth),
        (_, Some(all)) => Weighted(all).mae(guess, truth),
    }
}

fn weighted(all: &[f64], drawn: &[usize], of: impl Fn(Weighted<'_>) -> f64) -> f64 {
    let some: Vec<f64> = drawn.iter().map(|&row| all[row]).collect();
    if some.iter().any(|&weight| weight > 0.0) { of(Weighted(&some)) } else { f64::NAN }
}

/// The mean of zeros and ones, by Wilson's interval where all rows count the same.
fn share(right: &[f64], weights: Option<&[f64]>, resamples: usize) -> Interval {
    match weights {
        None if !right.is_empty() => wilson(right.iter().sum::<f64>() as usize, right.len(), LEVEL),
        _ => drawn(right.len(), resamples, &mut |drawn| {
            let pick = |all: &[f64]| drawn.iter().map(|&row| all[row]).collect::<Vec<f64>>();
            mean(&pick(right), weights.map(pick).as_deref())
        }),
    }
}

fn mean(values: &[f64], weights: Option<&[f64]>) -> f64 {
    match weights {
        None => values.iter().sum::<f64>() / values.len() as f64,
        Some(all) => values.iter().zip(all).map(|(x, weight)| x * weight).sum::<f64>() / all.iter().sum::<f64>(),
    }
}

fn drawn(rows: usize, resamples: usize, metric: &mut dyn FnMut(&[usize]) -> f64) -> Interval {
    if rows == 0 || resamples == 0 {
        let all: Vec<usize> = (0..rows).collect();
        let estimate = if rows == 0 { f64::NAN } else { metric(&all) };
        return Interval { low: f64::NAN, estimate, high: f64::NAN };
    }
    bootstrap(rows, &Bootstrap { resamples, level: LEVEL, seed: 0 }, metric)
}

impl Score {
    /// The measure to tell, in a sentence.
    pub(crate) fn told(&self) -> String {
        let Some(Measure { name, of, interval }) = self.measures.first() else { return "nothing measured".to_owned() };
        let of = of.as_ref().map_or_else(String::new, |of| format!(" of `{}`", nn::shown(of)));
        let Interval { low, estimate, high } = interval;
        let [low, estimate, high] = [low, estimate, high].map(|x| short(*x));
        let rows = picture::count(self.rows, "row", "rows");
        format!("{name}{of} {estimate} (95 % between {low} and {high}) on {rows}")
    }

    /// A table of all of it.
    pub(crate) fn table(&self) -> String {
        let mut text = format!("rows {}\n", self.rows);
        let label = |measure: &Measure| match &measure.of {
            Some(of) => format!("{} of {}", measure.name, nn::shown(of)),
            None => measure.name.to_owned(),
        };
        let width = self.measures.iter().map(|measure| label(measure).chars().count()).max().unwrap_or(0).max(7);
        // Writing to a string does not fail.
        let _ = writeln!(text, "{:width$}  {:>12}  {:>12}  {:>12}", "measure", "value", "95 % from", "to");
        for measure in &self.measures {
            let Interval { low, estimate, high } = measure.interval;
            let [low, estimate, high] = [low, estimate, high].map(short);
            let _ = writeln!(text, "{:width$}  {estimate:>12}  {low:>12}  {high:>12}", label(measure));
        }
        let Some((names, confusion)) = &self.confusion else { return text };
        let names: Vec<String> = names.iter().map(|name| nn::shown(name)).collect();
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(5);
        let (precision, recall, support) = (confusion.precision(), confusion.recall(), confusion.support());
        let _ = writeln!(text, "\n{:width$}  {:>9}  {:>9}  {:>9}", "class", "rows", "precision", "recall");
        for (place, name) in names.iter().enumerate() {
            let (rows, precision, recall) = (support[place], precision[place], recall[place]);
            let _ = writeln!(text, "{name:width$}  {rows:>9}  {precision:>9.4}  {recall:>9.4}");
        }
        if names.len() <= 20 {
            let _ = write!(text, "\n{:width$}  predicted as\n{:width$}", "", "truth");
            for name in &names {
                let _ = write!(text, "  {name:>width$}");
            }
            text.push('\n');
            for (name, row) in names.iter().zip(&confusion.counts) {
                let _ = write!(text, "{name:width$}");
                for count in row {
                    let _ = write!(text, "  {count:>width$}");
                }
                text.push('\n');
            }
        }
        text
    }

    pub(crate) fn json(&self) -> Value {
        let measures = self.measures.iter().map(|Measure { name, of, interval }| {
            object([
                ("measure", Value::from(*name)),
                ("of", of.clone().map_or(Value::Null, Value::from)),
                ("value", number(interval.estimate)),
                ("low", number(interval.low)),
                ("high", number(interval.high)),
            ])
        });
        let mut all = vec![("rows", Value::from(self.rows)), ("measures", Value::Array(measures.collect()))];
        if let Some((names, confusion)) = &self.confusion {
            let counts = confusion.counts.iter().map(|row| Value::Array(row.iter().map(|x| number(*x)).collect()));
            all.push(("classes", Value::from(names.clone())));
            all.push(("confusion", Value::Array(counts.collect())));
        }
        object(all)
    }
}

/// A number in few digits.
fn short(x: f64) -> String {
    if x != 0.0 && (x.abs() >= 1e7 || x.abs() < 1e-3) { format!("{x:.4e}") } else { format!("{x:.4}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_measured_in_their_own_unit() {
        let values = Tensor::from_fn([4, 1], |i| i as f64 - 1.5);
        let data =
            Dataset::with(Tensor::ones([4, 1]), Target::Values { values: values.clone(), names: vec!["y".into()] });
        let output =
            Output::Values { columns: vec!["y".into()], mean: vec![100.0], scale: vec![10.0], bend: Vec::new() };
        let score = score(&data, &output, &(values.map(|y| y + 0.1)));
        let of = |name: &str| score.measures.iter().find(|measure| measure.name == name).unwrap().interval.estimate;
        assert!((of("mae") - 1.0).abs() < 1e-9 && (of("rmse") - 1.0).abs() < 1e-9 && of("r2") < 1.0);
        assert!(score.table().contains("rmse"), "{}", score.table());
    }

    #[test]
    fn classes_are_counted_and_rows_of_no_weight_do_not_count() {
        let target = Target::classes_of(&["a", "b", "b", "a"]);
        let outputs = Tensor::from_rows([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [0.0, 1.0]]);
        let output = Output::Classes { column: "kind".into(), names: vec!["a".into(), "b".into()] };
        let data = Dataset::with(Tensor::ones([4, 1]), target);
        let plain = score(&data, &output, &outputs);
        assert_eq!(plain.measures[0].interval.estimate, 0.75);
        let told = plain.table();
        assert!(told.contains("predicted as") && plain.told().starts_with("accuracy 0.7500 (95 % between"), "{told}");
        let weighted = score(&data.with_weights(vec![1.0, 1.0, 1.0, 0.0]), &output, &outputs);
        assert_eq!(weighted.measures[0].interval.estimate, 1.0);
    }
}
