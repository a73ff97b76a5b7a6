//! What a net says at each place of a plane.

use crate::Picture;
use crate::axis::Axis;
use crate::canvas::{Anchor, Canvas, at, mark};
use crate::frame::{Frame, Sample, WIDE, legend};
use crate::style::KINDS;
use crate::table::{Cell, Table};
use crate::text::{count, cut, number};
use std::collections::BTreeSet;

const HIGH: f64 = 320.0;
/// Into how many steps values are divided.
const LEVELS: usize = 6;
/// How many classes a legend names.
const MOST_NAMED: usize = 16;

/// What is said at the places of a grid, row by row from below.
#[derive(Clone, Debug, PartialEq)]
pub enum Plane {
    /// A class, as its place among the names.
    Classes(Vec<usize>),
    /// A value.
    Values(Vec<f64>),
}

/// A plane of two features: areas of one class are hatched alike, values have lines between their steps, and each area has its number in print.
#[derive(Clone, Debug, PartialEq)]
pub struct Regions {
    /// What it is of.
    pub title: String,
    /// The feature along the horizontal axis.
    pub x: String,
    /// The feature along the vertical axis.
    pub y: String,
    /// The ends of the horizontal axis.
    pub x_range: [f64; 2],
    /// The ends of the vertical axis.
    pub y_range: [f64; 2],
    /// How many cells the grid has in a row.
    pub columns: usize,
    /// The cells.
    pub plane: Plane,
    /// The names of the classes, or the one of the value.
    pub names: Vec<String>,
    /// Examples: two features and the class, which no value has.
    pub points: Vec<(f64, f64, usize)>,
}

impl Regions {
    /// Draws them.
    pub fn picture(&self) -> Picture {
        let mut canvas = Canvas::new();
        let columns = self.columns.max(1);
        let (cells, names, values) = match &self.plane {
            Plane::Classes(cells) => (cells.clone(), self.names.clone(), false),
            Plane::Values(values) => {
                let (cells, names) = levels(values);
                (cells, names, true)
            }
        };
        let rows = cells.len() / columns;
        let shown: BTreeSet<usize> =
            cells.iter().copied().chain(self.points.iter().map(|point| point.2).filter(|_| !values)).collect();
        // Those first that have the largest areas, in the order of their numbers.
        let mut entries: Vec<usize> = shown.iter().copied().filter(|&class| class < names.len()).collect();
        if entries.len() > MOST_NAMED {
            let size = |class: usize| cells.iter().filter(|&&cell| cell == class).count();
            entries.sort_by_key(|&class| std::cmp::Reverse(size(class)));
            entries.truncate(MOST_NAMED);
            entries.sort_unstable();
        }
        let labels: Vec<String> = entries.iter().map(|&class| format!("{} {}", class + 1, names[class])).collect();
        let top = if values { 10.0 } else { legend(&mut canvas, &labels, Sample::Area, |place| entries[place]) };
        let axis = |[low, high]: [f64; 2]| {
            if low < high && (high - low).is_finite() { Axis::linear(low, high, 5) } else { Axis::linear(0.0, 1.0, 5) }
        };
        let frame = Frame::draw(&mut canvas, top, HIGH, (axis(self.x_range), &self.x), (axis(self.y_range), &self.y));
        let (wide, high) = (frame.wide / columns as f64, HIGH / rows.max(1) as f64);
        let place = |column: usize, row: usize| (frame.left + wide * column as f64, top + HIGH - high * row as f64);
        for &class in &shown {
            let mut d = String::new();
            for (row, line) in cells.chunks_exact(columns).enumerate() {
                for (start, end) in runs(line, class) {
                    let (x, y) = place(start, row);
                    let length = at(wide * (end - start) as f64);
                    put!(d, "M{} {}h{length}v-{}h-{length}z", at(x), at(y), at(high));
                }
            }
            if values {
                canvas.path(&d, &format!("fill0 level{class}"));
            } else {
                canvas.area(&d, class);
            }
        }
        canvas.path(&edges(&cells, columns, place), "edge");
        let mut marks = vec![String::new(); KINDS];
        let inside = |&&(x, y, _): &&(f64, f64, usize)| x.is_finite() && y.is_finite();
        for &(x, y, class) in self.points.iter().filter(inside).take(2000) {
            let kind = if values { 0 } else { class % KINDS };
            marks[kind].push_str(&mark(kind, frame.x_at(x), frame.y_at(y), if values { 2.0 } else { 3.2 }));
        }
        for (kind, d) in marks.iter().enumerate() {
            canvas.path(d, &format!("mark{kind}"));
        }
        for (class, (column, row), size) in areas(&cells, columns) {
            // A number where there is room for it.
            if size as f64 * wide * high > 500.0 {
                let (x, y) = place(column, row);
                let label =
                    if values { names.get(class).cloned().unwrap_or_default() } else { (class + 1).to_string() };
                let room = crate::text::width(&label) * 13.0 + 6.0;
                let x = (x + wide / 2.0).clamp(frame.left + room / 2.0, frame.left + frame.wide - room / 2.0);
                let y = (y - high / 2.0).clamp(top + 9.0, top + HIGH - 9.0);
                canvas.rect([x - room / 2.0, y - 9.0, room, 18.0], "box");
                canvas.text((x, y + 4.5), Anchor::Middle, "strong", &label);
            }
        }
        let text = self.description(&cells, &names, values);
        Picture::new(&self.title, text, self.table(&cells, &names), (WIDE, top + HIGH + Frame::BELOW), canvas)
    }

    fn description(&self, cells: &[usize], names: &[String], values: bool) -> String {
        let kinds: BTreeSet<usize> = cells.iter().copied().collect();
        let mut shares: Vec<(usize, usize)> =
            kinds.into_iter().map(|kind| (cells.iter().filter(|&&cell| cell == kind).count(), kind)).collect();
        shares.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        let all = cells.len().max(1) as f64;
        let named = |kind: usize| names.get(kind).map_or("no number", |name| &name[..]);
        let told: Vec<String> = shares
            .iter()
            .take(5)
            .map(|&(n, kind)| format!("{} on {} %", cut(named(kind), 30.0), number((100.0 * n as f64 / all).round())))
            .collect();
        let said = if told.is_empty() {
            "Nothing is said".to_owned()
        } else {
            format!("Of this plane the net says {}", told.join(", "))
        };
        let what =
            if values { "lines are where the value passes a step" } else { "each area has the number of its class" };
        let points = if self.points.is_empty() {
            String::new()
        } else {
            format!(", and marks are {}", count(self.points.len(), "example", "examples"))
        };
        format!("{said}; {what}{points}.")
    }

    fn table(&self, cells: &[usize], names: &[String]) -> Table {
        let columns = self.columns.max(1);
        let rows = cells.len() / columns;
        let mut table = Table::new(
            &self.title[..],
            &[&self.x, &self.y, if matches!(self.plane, Plane::Classes(_)) { "class" } else { "value" }],
        );
        table.most_rows = Some(81);
        // Nine places along each axis.
        let places = |n: usize| -> BTreeSet<usize> {
            (0..9.min(n)).map(|k| if n < 2 { 0 } else { k * (n - 1) / (9.min(n) - 1).max(1) }).collect()
        };
        let middle =
            |[low, high]: [f64; 2], place: usize, n: usize| low + (high - low) * (place as f64 + 0.5) / n.max(1) as f64;
        for row in places(rows) {
            for column in places(columns) {
                let cell = row * columns + column;
                let said = match &self.plane {
                    Plane::Classes(classes) => Cell::text(names.get(classes[cell]).cloned().unwrap_or_default()),
                    Plane::Values(values) => Cell::Number(values[cell]),
                };
                table.rows.push(vec![
                    Cell::Number(middle(self.x_range, column, columns)),
                    Cell::Number(middle(self.y_range, row, rows)),
                    said,
                ]);
            }
        }
        table
    }
}

/// Values as steps, and what the steps are.
fn levels(values: &[f64]) -> (Vec<usize>, Vec<String>) {
    let axis = Axis::over(values.iter().copied(), crate::Scale::Linear, LEVELS - 1);
    let mut ends: Vec<f64> = axis.ticks.iter().map(|tick| tick.0).collect();
    ends.truncate(LEVELS);
    let level = |x: &f64| if x.is_finite() { ends.iter().filter(|&end| x >= end).count() } else { usize::MAX };
    let mut names = vec![ends.first().map_or(String::new(), |end| format!("< {}", number(*end)))];
    names.extend(ends.windows(2).map(|pair| format!("{} to {}", number(pair[0]), number(pair[1]))));
    names.extend(ends.last().map(|end| format!("≥ {}", number(*end))));
    (values.iter().map(level).collect(), names)
}

/// Where a line has one class: starts and ends.
fn runs(line: &[usize], class: usize) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (place, _) in line.iter().enumerate().filter(|(_, cell)| **cell == class) {
        match found.last_mut() {
            Some(run) if run.1 == place => run.1 += 1,
            _ => found.push((place, place + 1)),
        }
    }
    found
}

/// The lines between cells that differ.
fn edges(cells: &[usize], columns: usize, place: impl Fn(usize, usize) -> (f64, f64)) -> String {
    let rows = cells.len() / columns;
    let mut d = String::new();
    for row in 0..rows {
        for column in 0..columns {
            let cell = cells[row * columns + column];
            let (x, y) = place(column + 1, row + 1);
            if column + 1 < columns && cells[row * columns + column + 1] != cell {
                put!(d, "M{} {}V{}", at(x), at(y), at(place(column, row).1));
            }
            if row + 1 < rows && cells[(row + 1) * columns + column] != cell {
                put!(d, "M{} {}H{}", at(x), at(y), at(place(column, row).0));
            }
        }
    }
    d
}

/// Areas of one class: the cell nearest to the middle of each, and how many cells it has.
fn areas(cells: &[usize], columns: usize) -> Vec<(usize, (usize, usize), usize)> {
    let mut seen = vec![false; cells.len()];
    let mut found = Vec::new();
    for start in 0..cells.len() {
        if seen[start] || cells[start] == usize::MAX {
            continue;
        }
        let (mut area, mut next) = (Vec::new(), vec![start]);
        seen[start] = true;
        while let Some(cell) = next.pop() {
            area.push(cell);
            let (column, row) = (cell % columns, cell / columns);
            let beside = [
                (column > 0).then(|| cell - 1),
                (column + 1 < columns).then_some(cell + 1),
                (row > 0).then(|| cell - columns),
                Some(cell + columns),
            ];
            for other in beside.into_iter().flatten() {
                if other < cells.len() && !seen[other] && cells[other] == cells[start] {
                    seen[other] = true;
                    next.push(other);
                }
            }
        }
        let n = area.len() as f64;
        let (x, y) = area
            .iter()
            .fold((0.0, 0.0), |(x, y), cell| (x + (cell % columns) as f64 / n, y + (cell / columns) as f64 / n));
        let far = |cell: &usize| ((cell % columns) as f64 - x).powi(2) + ((cell / columns) as f64 - y).powi(2);
        if let Some(middle) = area.iter().min_by(|a, b| far(a).total_cmp(&far(b))) {
            found.push((cells[start], (middle % columns, middle / columns), area.len()));
        }
    }
    found.sort_by(|a, b| b.2.cmp(&a.2).then(a.1.cmp(&b.1)));
    found.truncate(60);
    found
}
