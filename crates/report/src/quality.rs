//! Which class is taken for which, predicted and measured values, and whether probabilities come true.

use crate::count;
use crate::page::Page;
use crate::seen::Seen;
use nn::data::Target;
use nn::measure::{Bin, Confusion, Reliability, wilson};
use picture::{Bar, Bars, Calibration, Cell, Frequency, Matrix, Points, Table};

/// How many values have a picture of their own.
const MOST_VALUES: usize = 6;

pub(crate) fn matrix(page: &mut Page, seen: &Seen) {
    match seen.data.target() {
        Target::Classes { labels, names } => {
            page.section("Which class is taken for which");
            let confusion = Confusion::of(names.len(), &nn::classes(&seen.outputs), labels);
            page.says("Each row of the matrix is a true class, each column what the net says; what is right is on the diagonal.");
            page.picture(
                &Matrix { title: "Confusion matrix".into(), names: names.clone(), counts: confusion.counts.clone() }
                    .picture(),
            );
            let (precision, recall, f1, support) =
                (confusion.precision(), confusion.recall(), confusion.f1(), confusion.support());
            let mut table = Table::new(
                "Each class: of what is said to be it, how much is (precision); of what is it, how much is found (recall)",
                &["class", "rows", "precision", "recall", "F1"],
            );
            table.most_rows = Some(200);
            for (class, name) in names.iter().enumerate() {
                let numbers = [support[class], precision[class], recall[class], f1[class]];
                table.rows.push([Cell::text(name.as_str())].into_iter().chain(numbers.map(Cell::Number)).collect());
            }
            page.table(&table);
        }
        Target::Labels { names, .. } => {
            page.section("Which labels are found");
            page.says("Of each label: how often it is there, is said to be there, and both.");
            let mut table = Table::new("Labels", &["label", "there", "said to be", "both", "neither"]);
            table.most_rows = Some(200);
            for (of, name) in names.iter().enumerate() {
                let (said, truth) = (seen.column(&seen.said, of), seen.column(&seen.truth, of));
                let how_many = |holds: &dyn Fn(bool, bool) -> bool| {
                    said.iter().zip(&truth).filter(|(p, y)| holds(**y > 0.5, **p > 0.5)).count() as f64
                };
                let numbers =
                    [how_many(&|y, _| y), how_many(&|_, p| p), how_many(&|y, p| y && p), how_many(&|y, p| !y && !p)];
                table.rows.push([Cell::text(name.as_str())].into_iter().chain(numbers.map(Cell::Number)).collect());
            }
            page.table(&table);
        }
        Target::Values { names, .. } => {
            page.section("Measured and predicted values");
            page.says("A point for each row: what is right lies on the line.");
            for (of, name) in names.iter().enumerate().take(MOST_VALUES) {
                let points = seen.column(&seen.truth, of).into_iter().zip(seen.column(&seen.said, of)).collect();
                // The truth is the prediction and a residual; seen from the truth, the prediction is that much to the other side.
                let band = seen.model.spread.get(of).map(|&[low, high]| [-high, -low]);
                let title = if names.len() == 1 {
                    "Measured and predicted".to_owned()
                } else {
                    format!("Measured and predicted: {name}")
                };
                page.picture(
                    &Points { title, x: format!("{name}, measured"), y: "predicted".into(), points, band }.picture(),
                );
            }
            if names.len() > MOST_VALUES {
                page.note(&format!("The first {MOST_VALUES} of {} values are drawn.", names.len()));
            }
        }
    }
}

pub(crate) fn calibration(page: &mut Page, seen: &Seen) {
    let k = seen.width();
    match seen.data.target() {
        Target::Classes { labels, .. } => {
            page.section("Whether probabilities come true");
            let guesses = nn::classes(&seen.outputs);
            let sure: Vec<f64> = guesses.iter().enumerate().map(|(row, guess)| seen.said[row * k + guess]).collect();
            let right: Vec<bool> = guesses.iter().zip(labels).map(|(guess, label)| guess == label).collect();
            page.says("How sure the net is of the class that it names, beside how often it is right then.");
            reliability(page, &sure, &right);
        }
        Target::Labels { .. } => {
            page.section("Whether probabilities come true");
            page.says("The probability of each label, beside how often it is there then; all labels together.");
            reliability(page, &seen.said, &seen.truth.iter().map(|&y| y > 0.5).collect::<Vec<_>>());
        }
        Target::Values { names, .. } => {
            page.section("Whether intervals hold");
            if seen.model.spread.len() != names.len() {
                page.says("This model has no intervals: no rows were held out of its training.");
                return;
            }
            let bars: Vec<Bar> = names.iter().enumerate().map(|(of, name)| covered(seen, of, name)).collect();
            page.says("An interval around each prediction is to hold the true value nine times of ten. This is how often it does here.");
            if let [one] = &bars[..] {
                let [low, high] = one.interval.unwrap_or([f64::NAN; 2]).map(picture::number);
                page.says(&format!(
                    "It holds the value in {} of the rows (95 % interval {low} to {high}).",
                    picture::number(one.value)
                ));
            } else {
                page.picture(
                    &Bars {
                        title: "Share of rows whose value is within".into(),
                        what: "value".into(),
                        unit: "share, 0.9 is expected".into(),
                        bars,
                    }
                    .picture(),
                );
            }
        }
    }
}

/// How often the interval of a value holds it.
fn covered(seen: &Seen, of: usize, name: &str) -> Bar {
    let [low, high] = seen.model.spread[of];
    let residuals = seen.column(&seen.truth, of).into_iter().zip(seen.column(&seen.said, of)).map(|(y, p)| y - p);
    let within = residuals.filter(|residual| (low..=high).contains(residual)).count();
    let share = wilson(within, seen.len(), 0.95);
    Bar { name: name.to_owned(), value: share.estimate, interval: Some([share.low, share.high]) }
}

fn reliability(page: &mut Page, sure: &[f64], right: &[bool]) {
    let known: Vec<(f64, bool)> =
        sure.iter().copied().zip(right.iter().copied()).filter(|(p, _)| (0.0..=1.0).contains(p)).collect();
    if known.len() < sure.len() {
        page.note(&format!(
            "{} is no number and is left out.",
            count(sure.len() - known.len(), "probability", "probabilities")
        ));
    }
    let (sure, right): (Vec<f64>, Vec<bool>) = known.into_iter().unzip();
    let reliability = Reliability::of(&sure, &right, 10);
    let bin = |bin: &Bin| {
        let hits = (bin.frequency * bin.rows as f64).round() as usize;
        let interval = (bin.rows > 0).then(|| wilson(hits.min(bin.rows), bin.rows, 0.95));
        Frequency {
            from: bin.from,
            to: bin.to,
            probability: bin.probability,
            frequency: bin.frequency,
            interval: interval.map(|interval| [interval.low, interval.high]),
            rows: bin.rows,
        }
    };
    page.picture(
        &Calibration { title: "Calibration".into(), bins: reliability.bins.iter().map(bin).collect() }.picture(),
    );
}
