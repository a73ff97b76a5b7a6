//! What the net looks at.

use crate::page::Page;
use crate::seen::{Seen, mean_loss};
use autograd::{Tape, Tensor, grad};
use nn::data::BatchVars;
use picture::{Bar, Bars};

/// How often a column is shuffled.
const TIMES: usize = 5;
/// How many multiplications all of that may take.
const WORK: f64 = 1e9;

/// Writes the section, and gives the places of the columns, the most important first.
pub(crate) fn write(page: &mut Page, seen: &Seen) -> Vec<usize> {
    page.section("What it looks at");
    let columns = &seen.model.preprocess.columns;
    let parameters: usize = seen.model.net.layers.iter().map(|layer| layer.weight.numel()).sum();
    let most = (WORK / (parameters.max(1) * columns.len() * TIMES) as f64) as usize;
    let rows = seen.some(most.clamp(30, 1000));
    let sample = seen.data.select(&rows);
    let loss = mean_loss(&seen.model.net, sample.features(), sample.target());
    let mut bars = Vec::new();
    let mut start = 0;
    for (place, column) in columns.iter().enumerate() {
        let end = start + column.width();
        let raised: Vec<f64> = (0..TIMES)
            .map(|time| {
                let shuffled = shuffled(sample.features(), start..end, (place * TIMES + time) as u64);
                mean_loss(&seen.model.net, &shuffled, sample.target()) - loss
            })
            .collect();
        let low = raised.iter().copied().fold(f64::INFINITY, f64::min);
        let high = raised.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let value = raised.iter().sum::<f64>() / TIMES as f64;
        bars.push((place, Bar { name: column.name.clone(), value, interval: Some([low, high]) }));
        start = end;
    }
    bars.sort_by(|a, b| b.1.value.total_cmp(&a.1.value).then(a.0.cmp(&b.0)));
    let order = bars.iter().map(|bar| bar.0).collect();
    page.says(&format!(
        "How much the loss rises when the cells of a column are exchanged among the rows, {TIMES} times, measured on {}. A column that others can \
         stand for looks less important than it is.",
        seen.of_all(rows.len())
    ));
    let title = "Importance of columns".to_owned();
    let bars = bars.into_iter().map(|bar| bar.1).collect();
    page.picture(&Bars { title, what: "column".into(), unit: "rise of the loss".into(), bars }.picture());
    gradients(page, seen);
    order
}

/// The same features with some columns in another order of the rows.
fn shuffled(features: &Tensor, columns: std::ops::Range<usize>, seed: u64) -> Tensor {
    let (n, d) = (features.shape()[0], features.shape()[1]);
    let mut order: Vec<usize> = (0..n).collect();
    let mut state = seed;
    // Fisher and Yates, with the numbers of splitmix64.
    for last in (1..n).rev() {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        order.swap(last, ((mixed ^ (mixed >> 31)) % (last as u64 + 1)) as usize);
    }
    let all = features.as_slice();
    Tensor::from_fn([n, d], |i| {
        let (row, column) = (i / d, i % d);
        all[if columns.contains(&column) { order[row] } else { row } * d + column]
    })
}

/// How steeply the loss changes with each feature.
fn gradients(page: &mut Page, seen: &Seen) {
    page.heading("Input gradients");
    let rows = seen.some(500);
    let tape = Tape::new();
    let net = tape.vars(&seen.model.net);
    let vars = BatchVars::new(&tape, &seen.data.batch(&rows));
    let loss = vars.loss(net.forward(vars.features));
    let slopes = grad(loss, &vars.features).value();
    let names = seen.model.preprocess.names();
    let d = names.len();
    let steep =
        |feature: usize| slopes.as_slice().iter().skip(feature).step_by(d).map(|slope| slope.abs()).sum::<f64>();
    let mut bars: Vec<Bar> = names
        .into_iter()
        .enumerate()
        .map(|(feature, name)| Bar { name, value: steep(feature), interval: None })
        .collect();
    bars.sort_by(|a, b| b.value.total_cmp(&a.value));
    page.says(&format!(
        "How steeply the loss of a row changes with each feature as the net gets it (scaled), by the tape: the mean of |dL/dx| over {}.",
        seen.of_all(rows.len())
    ));
    let title = "Input gradients".to_owned();
    page.picture(&Bars { title, what: "feature".into(), unit: "mean of |dL/dx|".into(), bars }.picture());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shuffling_keeps_the_numbers_of_each_column_and_the_others_in_place() {
        let features = Tensor::from_fn([20, 3], |i| i as f64);
        let other = shuffled(&features, 1..2, 7);
        let column = |of: &Tensor, k: usize| of.as_slice().iter().skip(k).step_by(3).copied().collect::<Vec<f64>>();
        assert_eq!((column(&other, 0), column(&other, 2)), (column(&features, 0), column(&features, 2)));
        let mut sorted = column(&other, 1);
        assert_ne!(sorted, column(&features, 1));
        sorted.sort_by(f64::total_cmp);
        assert_eq!(sorted, column(&features, 1));
    }
}
