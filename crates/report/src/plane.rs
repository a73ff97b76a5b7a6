//! What the net says over a plane of two columns, or along one.

use crate::page::Page;
use crate::seen::{Seen, said};
use nn::Error;
use nn::data::{self, Cells, Map, Output, PreparedColumn, Table};
use picture::{Lines, Plane, Regions, Series};

/// How many places along each axis.
const SIDE: usize = 48;
/// How many examples are drawn.
const MOST: usize = 300;
const MOST_CURVES: usize = 12;

pub(crate) fn write(page: &mut Page, seen: &Seen, order: &[usize]) {
    page.section("What it says over two columns");
    let columns = &seen.model.preprocess.columns;
    let axes: Vec<Axis> = order.iter().filter_map(|&place| Axis::of(seen, &columns[place])).take(2).collect();
    let others = columns.len() - axes.len();
    let rest = match others {
        0 => String::new(),
        _ => " The other columns stay as they are in the middle: the median of numbers, the most frequent word."
            .to_owned(),
    };
    let drawn = match &axes[..] {
        [x, y, ..] => plane(page, seen, x, y, &rest),
        [x] => line(page, seen, x, &rest),
        [] => {
            page.says("There are no two columns of numbers that differ, so there is no plane to draw.");
            return;
        }
    };
    if let Err(error) = drawn {
        page.says(&format!("This cannot be drawn: {error}."));
    }
}

/// A column of numbers, and from where to where it goes.
struct Axis<'a> {
    name: &'a str,
    range: [f64; 2],
    numbers: &'a [f64],
}

impl<'a> Axis<'a> {
    fn of(seen: &'a Seen, column: &'a PreparedColumn) -> Option<Self> {
        let Map::Number { logarithm, .. } = column.map else { return None };
        let Cells::Numbers(numbers) = &seen.table.column(&column.name)?.cells else { return None };
        let low = numbers.iter().copied().filter(|x| x.is_finite()).fold(f64::INFINITY, f64::min);
        let high = numbers.iter().copied().filter(|x| x.is_finite()).fold(f64::NEG_INFINITY, f64::max);
        let room = 0.05 * (high - low);
        // Logarithms are of numbers above 0.
        let range = [if logarithm { low } else { low - room }, high + room];
        (low < high && range.iter().all(|end| end.is_finite())).then_some(Self { name: &column.name, range, numbers })
    }

    fn at(&self, place: usize, of: usize) -> f64 {
        self.range[0] + (self.range[1] - self.range[0]) * (place as f64 + 0.5) / of as f64
    }
}

/// What is said where columns have these numbers, and all others are in the middle.
fn outputs(seen: &Seen, rows: usize, given: &[(&str, Vec<f64>)]) -> Result<Vec<f64>, Error> {
    let mut table = Table::default();
    for column in &seen.model.preprocess.columns {
        let numbers = given.iter().find(|(name, _)| *name == column.name);
        let cells = match (numbers, seen.table.column(&column.name).map(|known| &known.cells)) {
            (Some((_, numbers)), _) => Cells::Numbers(numbers.clone()),
            (None, Some(Cells::Numbers(numbers))) => Cells::Numbers(vec![median(numbers); rows]),
            (None, Some(Cells::Text { words, rows: all })) => {
                Cells::Text { words: words.clone(), rows: vec![most_frequent(words.len(), all); rows] }
            }
            (None, None) => continue,
        };
        table.columns.push(data::Column { name: column.name.clone(), cells });
    }
    let features = seen.model.preprocess.features(&table)?;
    Ok(said(seen.output, &seen.model.net.predict(&features)))
}

fn median(numbers: &[f64]) -> f64 {
    let mut known: Vec<f64> = numbers.iter().copied().filter(|x| x.is_finite()).collect();
    known.sort_by(f64::total_cmp);
    known.get(known.len() / 2).copied().unwrap_or(f64::NAN)
}

fn most_frequent(words: usize, rows: &[Option<u32>]) -> Option<u32> {
    let mut counts = vec![0_usize; words];
    rows.iter().flatten().for_each(|&word| counts[word as usize] += 1);
    (0..words)
        .max_by(|&a, &b| counts[a].cmp(&counts[b]).then(b.cmp(&a)))
        .filter(|&word| counts[word] > 0)
        .map(|word| word as u32)
}

fn plane(page: &mut Page, seen: &Seen, x: &Axis, y: &Axis, rest: &str) -> Result<(), Error> {
    let places = |axis: &Axis, of: &dyn Fn(usize) -> usize| {
        (0..SIDE * SIDE).map(|cell| axis.at(of(cell), SIDE)).collect::<Vec<f64>>()
    };
    let given = [(x.name, places(x, &|cell| cell % SIDE)), (y.name, places(y, &|cell| cell / SIDE))];
    let all = outputs(seen, SIDE * SIDE, &given)?;
    let k = seen.width();
    let row = |row: &[f64]| (0..k).max_by(|&a, &b| row[a].total_cmp(&row[b]).then(b.cmp(&a))).unwrap_or(0);
    let (plane, names, what) = match seen.output {
        Output::Classes { names, .. } => {
            (Plane::Classes(all.chunks(k).map(row).collect()), names.clone(), "The class that the net says".to_owned())
        }
        Output::Labels { columns } => {
            let name = columns[0].clone();
            (
                Plane::Values(all.iter().step_by(k).copied().collect()),
                vec![name.clone()],
                format!("The probability of {}", crate::short(&name)),
            )
        }
        Output::Values { columns, .. } => {
            let name = columns[0].clone();
            (
                Plane::Values(all.iter().step_by(k).copied().collect()),
                vec![name.clone()],
                format!("The value of {}", crate::short(&name)),
            )
        }
    };
    let class = |row: usize| {
        if matches!(plane, Plane::Classes(_)) {
            (0..k).find(|&class| seen.truth[row * k + class] > 0.5).unwrap_or(0)
        } else {
            0
        }
    };
    let points = seen.some(MOST).into_iter().map(|row| (x.numbers[row], y.numbers[row], class(row)));
    let points: Vec<_> = points.filter(|point| !point.0.is_nan() && !point.1.is_nan()).collect();
    let (x_name, y_name) = (crate::short(x.name), crate::short(y.name));
    let which = if rest.is_empty() { "" } else { ", the two columns of numbers that matter most" };
    let drawn = seen.of_all(seen.len().min(MOST));
    let marks = if matches!(plane, Plane::Classes(_)) {
        format!("; marks are {drawn}, each with the mark of its true class")
    } else {
        format!("; marks are {drawn}")
    };
    page.says(&format!("{what} at each place of {x_name} and {y_name}{which}{marks}.{rest}"));
    let regions = Regions {
        title: format!("{what} over {x_name} and {y_name}"),
        x: x.name.to_owned(),
        y: y.name.to_owned(),
        x_range: x.range,
        y_range: y.range,
        columns: SIDE,
        plane,
        names,
        points,
    };
    page.picture(&regions.picture());
    Ok(())
}

fn line(page: &mut Page, seen: &Seen, x: &Axis, rest: &str) -> Result<(), Error> {
    const PLACES: usize = 100;
    let places: Vec<f64> = (0..PLACES).map(|place| x.at(place, PLACES)).collect();
    let all = outputs(seen, PLACES, &[(x.name, places.clone())])?;
    let k = seen.width();
    let what = if matches!(seen.output, Output::Values { .. }) { "value" } else { "probability" };
    let curve = |of: usize| {
        Series::new(seen.names()[of].clone(), places.iter().copied().zip(all.iter().skip(of).step_by(k).copied()))
    };
    let series = (0..k.min(MOST_CURVES)).map(curve).collect();
    let name = crate::short(x.name);
    page.says(&format!("The {what} that the net gives along {name}, the one column of numbers.{rest}"));
    if k > MOST_CURVES {
        page.note(&format!("The first {MOST_CURVES} of {k} are drawn."));
    }
    page.picture(&Lines { title: format!("What it says along {name}"), series, ..Lines::new(x.name, what) }.picture());
    Ok(())
}
