//! The result in a sentence.

use crate::page::Page;
use crate::seen::Seen;
use crate::{Exposure, count, short};
use nn::data::{Output, Target};
use nn::measure::{Bootstrap, Interval, bootstrap, mae, r2, rmse, wilson};
use picture::{Bar, Bars, Table, escaped, number};

/// The probability of all intervals.
const LEVEL: f64 = 0.95;

pub(crate) fn write(page: &mut Page, seen: &Seen, rows: Exposure) {
    let which = match rows {
        Exposure::HeldOut => "that training has not seen",
        Exposure::Seen => "that training has seen, so that it will do worse on new ones",
        Exposure::Unknown => "(whether training has seen them is not known)",
    };
    page.top(&format!("<p class=\"verdict\">{}</p>\n", escaped(&sentence(seen, which))));
    if let Some(note) = &seen.note {
        page.top(&format!("<p class=\"note\">{}.</p>\n", escaped(note)));
    }
    if seen.width() > 1 && !matches!(seen.output, Output::Classes { .. }) {
        each(page, seen);
    }
}

/// The mean of numbers of rows, which count by their weights, and its interval.
pub(crate) fn mean(seen: &Seen, each: &[f64]) -> Interval {
    let weights = seen.data.weights();
    let of = |rows: &[usize]| match weights {
        None => rows.iter().map(|&row| each[row]).sum::<f64>() / rows.len() as f64,
        Some(all) => {
            rows.iter().map(|&row| all[row] * each[row]).sum::<f64>() / rows.iter().map(|&row| all[row]).sum::<f64>()
        }
    };
    if weights.is_none() && each.iter().all(|&x| x == 0.0 || x == 1.0) {
        return wilson(each.iter().sum::<f64>() as usize, each.len(), LEVEL);
    }
    drawn(each.len(), of)
}

/// An interval by resamples, fewer of many rows.
fn drawn(rows: usize, metric: impl FnMut(&[usize]) -> f64) -> Interval {
    let resamples = (4_000_000 / rows).clamp(100, 1000);
    bootstrap(rows, &Bootstrap { resamples, level: LEVEL, seed: 0 }, metric)
}

fn told(interval: &Interval) -> String {
    let [low, high] = [interval.low, interval.high].map(number);
    format!("95 % interval {low} to {high}")
}

fn sentence(seen: &Seen, which: &str) -> String {
    let n = seen.len();
    let rows = count(n, "row", "rows");
    match seen.data.target() {
        Target::Classes { labels, names } => {
            let right = right(seen);
            let share = mean(seen, &right);
            let mut counts = vec![0_usize; names.len()];
            for &label in labels {
                counts[label] += 1;
            }
            let most = (0..names.len()).max_by_key(|&class| counts[class]).unwrap_or(0);
            let usual = number(counts[most] as f64 / n as f64);
            format!(
                "The net is right on {} of {rows} {which}: {}, {}. To say `{}` always would be right on {usual}.",
                right.iter().filter(|&&right| right > 0.0).count(),
                number(share.estimate),
                told(&share),
                short(&names[most])
            )
        }
        Target::Labels { names, .. } => {
            let right = right(seen);
            let share = mean(seen, &right);
            format!(
                "The net is right on {} of the yes or no of {} of {rows} {which}, {}.",
                number(share.estimate),
                count(names.len(), "label", "labels"),
                told(&share)
            )
        }
        Target::Values { names, .. } => {
            let k = names.len();
            let columns: Vec<_> =
                (0..k).map(|of| (seen.column(&seen.said, of), seen.column(&seen.truth, of))).collect();
            let pick = |all: &[f64], rows: &[usize]| rows.iter().map(|&row| all[row]).collect::<Vec<f64>>();
            let explained = drawn(n, |rows| {
                columns.iter().map(|(said, truth)| r2(&pick(said, rows), &pick(truth, rows))).sum::<f64>() / k as f64
            });
            let (what, error) = if let [(said, truth)] = &columns[..] {
                (
                    format!("`{}`", short(&names[0])),
                    format!(
                        " A prediction is off by {} on average (root mean square {}).",
                        number(mae(said, truth)),
                        number(rmse(said, truth))
                    ),
                )
            } else {
                (format!("{k} values, on average,"), String::new())
            };
            format!(
                "The net explains {} of the variance of {what} on {rows} {which} (R²; {}).{error}",
                number(explained.estimate),
                told(&explained)
            )
        }
    }
}

/// Of each row how much of it is right.
pub(crate) fn right(seen: &Seen) -> Vec<f64> {
    let k = seen.width();
    match seen.data.target() {
        Target::Classes { labels, .. } => {
            let guesses = nn::classes(&seen.outputs);
            labels.iter().zip(guesses).map(|(&label, guess)| f64::from(u8::from(label == guess))).collect()
        }
        Target::Labels { .. } | Target::Values { .. } => {
            let rows = seen.said.chunks(k).zip(seen.truth.chunks(k));
            let share = |(said, truth): (&[f64], &[f64])| {
                said.iter().zip(truth).filter(|(p, y)| (**p > 0.5) == (**y > 0.5)).count() as f64 / k as f64
            };
            rows.map(share).collect()
        }
    }
}

/// Each of several labels or values.
fn each(page: &mut Page, seen: &Seen) {
    page.section("Each of what is predicted");
    let values = matches!(seen.output, Output::Values { .. });
    let mut bars = Vec::new();
    let mut table = Table::new("Errors in their own unit", &["value", "off by on average", "root mean square", "R²"]);
    table.most_rows = Some(300);
    for (of, name) in seen.names().iter().enumerate() {
        let (said, truth) = (seen.column(&seen.said, of), seen.column(&seen.truth, of));
        let pick = |all: &[f64], rows: &[usize]| rows.iter().map(|&row| all[row]).collect::<Vec<f64>>();
        let interval = if values {
            table.rows.push(vec![
                name.as_str().into(),
                mae(&said, &truth).into(),
                rmse(&said, &truth).into(),
                r2(&said, &truth).into(),
            ]);
            drawn(seen.len(), |rows| r2(&pick(&said, rows), &pick(&truth, rows)))
        } else {
            let hits: Vec<f64> =
                said.iter().zip(&truth).map(|(p, y)| f64::from(u8::from((*p > 0.5) == (*y > 0.5)))).collect();
            mean(seen, &hits)
        };
        bars.push(Bar { name: name.clone(), value: interval.estimate, interval: Some([interval.low, interval.high]) });
    }
    let (unit, said) = if values {
        ("R²", "How much of the variance of each value is explained: 1 is all of it, 0 no more than by its mean.")
    } else {
        ("share that is right", "How often the yes or no of each label is right.")
    };
    page.says(said);
    page.picture(&Bars { title: unit.to_owned(), what: "name".into(), unit: unit.into(), bars }.picture());
    if values {
        page.table(&table);
    }
}
