//! Rows of one group, or of one time, stay together.

use super::{Parts, shuffled};
use crate::random::Generator;

/// The rows of each group, groups in the order of their numbers.
pub(super) fn by_value(groups: &[usize]) -> Vec<Vec<usize>> {
    let mut rows: Vec<usize> = (0..groups.len()).collect();
    rows.sort_by_key(|&row| groups[row]);
    rows.chunk_by(|&a, &b| groups[a] == groups[b]).map(<[usize]>::to_vec).collect()
}

/// Groups at random, each taken where it brings the rows held out nearer to their number; neither part is empty.
pub(super) fn held_out_groups(
    groups: Vec<Vec<usize>>,
    count: usize,
    rng: &mut Generator,
) -> Result<Vec<usize>, String> {
    if groups.len() < 2 {
        return Err("all rows are of one group, which cannot be divided".to_owned());
    }
    let groups = shuffled(groups, rng);
    let mut held_out: Vec<usize> = Vec::new();
    for rows in &groups {
        let (without, with) = (held_out.len(), held_out.len() + rows.len());
        if with.abs_diff(count) < without.abs_diff(count) {
            held_out.extend(rows);
        }
    }
    if held_out.is_empty() {
        // Each group is more than twice the share.
        held_out.extend(groups.iter().min_by_key(|rows| rows.len()).into_iter().flatten());
    }
    if held_out.len() == groups.iter().map(Vec::len).sum::<usize>() {
        return Err(format!("{} groups cannot be divided by that share: hold out less", groups.len()));
    }
    Ok(held_out)
}

/// The rows in the order of time, of one time in the order of rows.
pub(super) fn in_time(times: &[f64]) -> Result<Vec<usize>, String> {
    if let Some(row) = times.iter().position(|time| time.is_nan()) {
        return Err(format!("expected a time for each row, found none for row {row} (counted from 0)"));
    }
    let mut order: Vec<usize> = (0..times.len()).collect();
    order.sort_by(|&a, &b| times[a].total_cmp(&times[b]));
    Ok(order)
}

/// The place in the order next to a wished one where the time changes.
pub(super) fn cut_near(times: &[f64], order: &[usize], wish: usize) -> Result<usize, String> {
    let cuts = changes(times, order).into_iter();
    cuts.min_by_key(|cut| cut.abs_diff(wish))
        .ok_or_else(|| "all rows are of one time, which cannot be divided".to_owned())
}

/// The places in the order where the time changes.
fn changes(times: &[f64], order: &[usize]) -> Vec<usize> {
    (1..order.len()).filter(|&cut| times[order[cut - 1]] != times[order[cut]]).collect()
}

pub(super) fn folds_in_time(times: &[f64], k: usize) -> Result<Vec<Parts>, String> {
    let (n, order) = (times.len(), in_time(times)?);
    if n < k + 1 {
        return Err(format!("{n} rows are too few for {k} folds in time, each trained with what is before it"));
    }
    let mut left = &changes(times, &order)[..];
    if left.len() < k {
        return Err(format!("there are too few different times for {k} folds: {} of {}", left.len() + 1, k + 1));
    }
    // Each cut where the time changes next to its wish, after the one before, with enough changes left for the others.
    let mut cuts = Vec::new();
    for i in 1..=k {
        let wish = n * i / (k + 1);
        let choice = &left[..=left.len() - (k + 1 - i)];
        let at = (0..choice.len()).min_by_key(|&at| choice[at].abs_diff(wish)).expect("there are changes left");
        cuts.push(choice[at]);
        left = &left[at + 1..];
    }
    cuts.push(n);
    let sorted = |rows: &[usize]| {
        let mut rows = rows.to_vec();
        rows.sort_unstable();
        rows
    };
    let part = |pair: &[usize]| Parts { train: sorted(&order[..pair[0]]), held_out: sorted(&order[pair[0]..pair[1]]) };
    Ok(cuts.windows(2).map(part).collect())
}
