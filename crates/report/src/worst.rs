//! The examples that the net is furthest from.

use crate::page::Page;
use crate::seen::Seen;
use crate::{count, short};
use nn::data::{Cells, Output};
use picture::{Cell, Table, number};

/// How many examples there are.
const MOST: usize = 10;
/// How many of their columns.
const MOST_COLUMNS: usize = 250;
/// How many of several labels or values.
const MOST_VALUES: usize = 10;

pub(crate) fn write(page: &mut Page, seen: &Seen) {
    let n = seen.len().min(MOST);
    page.section(if n == MOST { "The ten worst examples" } else { "The worst examples" });
    let mut order: Vec<usize> = (0..seen.len()).collect();
    // What is no number is the worst of all; of alike ones the first come first.
    let key = |row: usize| if seen.losses[row].is_nan() { f64::INFINITY } else { seen.losses[row] };
    order.sort_by(|&a, &b| key(b).total_cmp(&key(a)).then(a.cmp(&b)));
    order.truncate(n);
    let k = seen.width();
    let classes = matches!(seen.output, Output::Classes { .. });
    let all = count(seen.len(), "row", "rows");
    page.says(&if classes {
        format!("Of all {all}, those whose true class got the least probability, as they stand in the table. Look whether the label or the net is wrong.")
    } else {
        format!("Of all {all}, those with the largest errors, as they stand in the table. Look whether a cell or the net is wrong.")
    });
    let mut columns = vec!["line".to_owned()];
    if classes {
        columns.extend(["true", "said", "probability of the true one", "of the said one"].map(str::to_owned));
    } else {
        for name in seen.names().iter().take(MOST_VALUES) {
            columns.extend([format!("{name}, true"), format!("{name}, said")]);
        }
    }
    columns.push("loss".to_owned());
    let targets = seen.output.columns();
    let raw: Vec<_> = seen.table.columns.iter().filter(|column| !targets.contains(&column.name)).collect();
    columns.extend(raw.iter().take(MOST_COLUMNS).map(|column| short(&column.name)));
    let mut table = Table { columns, ..Table::new("The worst examples, the worst first", &[]) };
    let guesses = if classes { nn::classes(&seen.outputs) } else { Vec::new() };
    for row in order {
        let (_, line, _) = seen.table.place(row, "");
        let mut cells = vec![Cell::Number(f64::from(line))];
        let (said, truth) = (&seen.said[row * k..][..k], &seen.truth[row * k..][..k]);
        if classes {
            let place = |all: &[f64]| (0..k).max_by(|&a, &b| all[a].total_cmp(&all[b]).then(b.cmp(&a))).unwrap_or(0);
            let (label, guess) = (place(truth), guesses[row]);
            cells.extend([label, guess].map(|class| Cell::text(seen.names()[class].as_str())));
            cells.extend([label, guess].map(|class| Cell::Number(said[class])));
        } else {
            cells.extend(
                truth.iter().zip(said).take(MOST_VALUES).flat_map(|(y, p)| [Cell::Number(*y), Cell::Number(*p)]),
            );
        }
        cells.push(Cell::Number(seen.losses[row]));
        cells.extend(raw.iter().take(MOST_COLUMNS).map(|column| cell(&column.cells, row)));
        table.rows.push(cells);
    }
    page.table(&table);
    if raw.len() > MOST_COLUMNS {
        page.note(&format!("{} are not shown.", count(raw.len() - MOST_COLUMNS, "more column", "more columns")));
    }
    if !classes && k > MOST_VALUES {
        page.note(&format!("The first {MOST_VALUES} of {k} are shown; the loss is of all."));
    }
    let sum: f64 = seen.losses.iter().sum();
    page.note(&format!("The mean loss of all rows is {}.", number(sum / seen.len() as f64)));
}

/// A cell as it stands in the table.
fn cell(cells: &Cells, row: usize) -> Cell {
    match cells {
        Cells::Numbers(numbers) if numbers[row].is_nan() => Cell::text(""),
        // With all its digits: it is to be found again.
        Cells::Numbers(numbers) => Cell::text(numbers[row].to_string()),
        Cells::Text { words, rows } => Cell::text(rows[row].map_or(String::new(), |word| short(&words[word as usize]))),
    }
}
