//! A matrix of numbers.

use crate::Picture;
use crate::canvas::{Anchor, Canvas, FONT, SMALL, at};
use crate::table::{Cell, Table};
use crate::text::{count, cut, number, width};

/// How many rows and columns are drawn; larger matrices are drawn in blocks.
const MOST: usize = 64;
/// The width of all columns together.
const WIDE: f64 = 400.0;
/// How many cells the table has.
const MOST_IN_TABLE: usize = 24;

/// What a cell tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// How far from 0, and on which side: filled squares are above 0, hollow ones below.
    #[default]
    Signed,
    /// Numbers above 0 by their logarithm, such as the sizes of gradients.
    Logarithm,
}

/// A matrix of numbers, as squares whose size tells how large each is; small matrices have their numbers in print.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heat {
    /// What it is of.
    pub title: String,
    /// What its rows are.
    pub y: String,
    /// What its columns are.
    pub x: String,
    /// The names of the rows, or none.
    pub rows: Vec<String>,
    /// The names of the columns, or none.
    pub columns: Vec<String>,
    /// The numbers, row by row; all rows have one length.
    pub cells: Vec<Vec<f64>>,
    /// What a cell tells.
    pub tone: Tone,
}

impl Heat {
    /// Draws it.
    pub fn picture(&self) -> Picture {
        let mut canvas = Canvas::new();
        let (row_blocks, column_blocks) = (blocks(self.cells.len()), blocks(self.width()));
        let (m, n) = (row_blocks.len(), column_blocks.len());
        let names: Vec<String> =
            row_blocks.iter().map(|&(from, to)| cut(&block_name(&self.rows, from, to), 12.0)).collect();
        let y_name = format!("{} ↓", cut(&self.y, 9.0));
        let named = names.iter().chain([&y_name]).map(|name| width(name) * SMALL);
        let left = named.fold(24.0, f64::max) + 10.0;
        let cell = (WIDE / n.max(1) as f64).clamp(6.0, 46.0);
        let high = if n <= 10 { cell.min(28.0) } else { cell.min(22.0) };
        let top = 40.0;
        let x_name = format!("{} →", cut(&self.x, 20.0));
        canvas.text((left, 12.0), Anchor::Start, "small strong", &x_name);
        canvas.text((left - 6.0, 32.0), Anchor::End, "small strong", &y_name);
        let mut free = f64::NEG_INFINITY;
        for (place, &(from, to)) in column_blocks.iter().enumerate() {
            let name = cut(&block_name(&self.columns, from, to), (cell * 2.0).max(44.0) / SMALL);
            let (x, half) = (left + cell * (place as f64 + 0.5), width(&name) * SMALL / 2.0);
            let x = x.max(left - 4.0 + half);
            if x - half > free {
                canvas.text((x, 32.0), Anchor::Middle, "small", &name);
                free = x + half + 4.0; // also how far to the right they reach
            }
        }
        let (low, high_end) = self.range();
        let mut shapes = Shapes::default();
        let mut under = f64::NEG_INFINITY;
        for (row, &(top_row, end_row)) in row_blocks.iter().enumerate() {
            let y = top + high * row as f64;
            if y >= under {
                canvas.text((left - 6.0, y + high / 2.0 + 4.0), Anchor::End, "small", &names[row]);
                under = y + 12.0;
            }
            for (column, &(from, to)) in column_blocks.iter().enumerate() {
                let x = left + cell * column as f64;
                let value = self.block((top_row, end_row), (from, to));
                let share = self.share(value, low, high_end);
                // A number in print tells all; else the size of a square does.
                if n <= 10 {
                    canvas.tint([x, y, cell, high], usize::from(value < 0.0), share);
                    canvas.rect([x, y, cell, high], "grid");
                    canvas.text(
                        (x + cell / 2.0, y + high / 2.0 + 4.0),
                        Anchor::Middle,
                        "small",
                        &short(value, cell - 4.0),
                    );
                } else {
                    shapes.add((x + cell / 2.0, y + high / 2.0), cell.min(high), value, share);
                }
            }
        }
        let side = (cell * n as f64, high * m as f64);
        canvas.path(&shapes.filled, "fill0");
        canvas.path(&shapes.hollow, "mark1");
        canvas.path(&shapes.crossed, "axis");
        canvas.rect([left, top, side.0, side.1], "axis");
        let mut bottom = top + side.1 + 8.0;
        if n > 10 {
            bottom = self.legend(&mut canvas, bottom, low, high_end);
        }
        let wide = (left + side.0 + 8.0).max(free).max(left + width(&x_name) * SMALL).max(330.0);
        Picture::new(&self.title, self.description(m, n), self.table(), (wide, bottom), canvas)
    }

    fn width(&self) -> usize {
        self.cells.iter().map(Vec::len).max().unwrap_or(0)
    }

    /// Of the numbers in a block the one that is furthest from 0, or largest; NaN where one is.
    fn block(&self, rows: (usize, usize), columns: (usize, usize)) -> f64 {
        let within = self.cells[rows.0..rows.1].iter().flat_map(|row| row.iter().take(columns.1).skip(columns.0));
        within.copied().reduce(|a, b| if a.is_nan() || a.abs() >= b.abs() { a } else { b }).unwrap_or(f64::NAN)
    }

    /// The smallest and the largest of what squares tell.
    fn range(&self) -> (f64, f64) {
        let told = |x: &f64| match self.tone {
            Tone::Signed => x.abs(),
            Tone::Logarithm => x.log10(),
        };
        let all = self.cells.iter().flatten().map(told).filter(|x| x.is_finite());
        let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        if low > high { (0.0, 1.0) } else { (low, high) }
    }

    /// How much of its cell a number has.
    fn share(&self, value: f64, low: f64, high: f64) -> f64 {
        match self.tone {
            _ if !value.is_finite() || value == 0.0 => 0.0,
            Tone::Signed => (value.abs() / high.max(f64::MIN_POSITIVE)).min(1.0),
            // The least has a share too, so that it is seen.
            Tone::Logarithm if value > 0.0 && high > low => 0.1 + 0.9 * (value.log10() - low) / (high - low),
            Tone::Logarithm => 0.5,
        }
    }

    fn legend(&self, canvas: &mut Canvas, top: f64, low: f64, high: f64) -> f64 {
        let values: Vec<f64> = match self.tone {
            Tone::Signed => vec![high, high / 4.0, -high / 4.0, -high],
            Tone::Logarithm => [1.0, 0.5, 0.0].map(|share| 10_f64.powf(low + share * (high - low))).to_vec(),
        };
        let mut shapes = Shapes::default();
        for (place, &value) in values.iter().enumerate() {
            let x = 8.0 + 84.0 * place as f64;
            shapes.add((x + 8.0, top + 12.0), 14.0, value, self.share(value, low, high));
            canvas.text((x + 20.0, top + 16.0), Anchor::Start, "small", &short(value, 60.0));
        }
        canvas.path(&shapes.filled, "fill0");
        canvas.path(&shapes.hollow, "mark1");
        canvas.path(&shapes.crossed, "axis");
        top + 26.0
    }

    fn description(&self, m: usize, n: usize) -> String {
        let (rows, columns) = (self.cells.len(), self.width());
        let all = || self.cells.iter().flatten().copied();
        let finite = || all().filter(|x| x.is_finite());
        let none = all().count() - finite().count();
        let low = finite().fold(f64::INFINITY, f64::min);
        let high = finite().fold(f64::NEG_INFINITY, f64::max);
        let mut text = format!("{} by {}", count(rows, "row", "rows"), count(columns, "column", "columns"));
        if low <= high {
            put!(text, ", from {} to {}.", number(low), number(high));
        } else {
            text.push_str(", without a finite number.");
        }
        if n > 10 {
            text.push_str(match self.tone {
                Tone::Signed => {
                    " The area of a square is how far from 0 a number is; filled ones are above, hollow ones below."
                }
                Tone::Logarithm => " The area of a square grows with the logarithm.",
            });
        }
        if none > 0 {
            put!(
                text,
                " {} no finite number, and a cross.",
                if none == 1 { "1 has".into() } else { format!("{none} have") }
            );
        }
        if m < rows || n < columns {
            put!(text, " It is drawn in {m} by {n} blocks, each by its number that is furthest from 0.");
        }
        text
    }

    fn table(&self) -> Table {
        // The table has blocks too where there are more.
        let (rows, columns) = (blocks_of(self.cells.len(), MOST_IN_TABLE * 2), blocks_of(self.width(), MOST_IN_TABLE));
        let blocked = rows.len() < self.cells.len() || columns.len() < self.width();
        let caption = if blocked {
            format!("{} (of each block the number furthest from 0)", self.title)
        } else {
            self.title.clone()
        };
        let mut table = Table::new(caption, &[&format!("{} \\ {}", self.y, self.x)]);
        table.columns.extend(columns.iter().map(|&(from, to)| block_name(&self.columns, from, to)));
        for &(top, end) in &rows {
            let mut row = vec![Cell::text(block_name(&self.rows, top, end))];
            row.extend(columns.iter().map(|&block| Cell::Number(self.block((top, end), block))));
            table.rows.push(row);
        }
        table
    }
}

/// Paths of squares.
#[derive(Default)]
struct Shapes {
    filled: String,
    hollow: String,
    crossed: String,
}

impl Shapes {
    fn add(&mut self, (x, y): (f64, f64), room: f64, value: f64, share: f64) {
        if !value.is_finite() {
            let r = room * 0.3;
            put!(self.crossed, "M{} {}l{d} {d}m0 -{d}l-{d} {d}", at(x - r), at(y - r), d = at(2.0 * r));
            return;
        }
        let side = (room - 1.0) * share.clamp(0.0, 1.0).sqrt();
        if side < 0.3 {
            return;
        }
        if value > 0.0 {
            put!(self.filled, "M{} {}h{s}v{s}h-{s}z", at(x - side / 2.0), at(y - side / 2.0), s = at(side));
        } else {
            // The line lies within.
            let side = (side - 1.6).max(0.6);
            put!(self.hollow, "M{} {}h{s}v{s}h-{s}z", at(x - side / 2.0), at(y - side / 2.0), s = at(side));
        }
    }
}

/// Numbers of rows or columns, each alone or some together.
fn blocks(n: usize) -> Vec<(usize, usize)> {
    blocks_of(n, MOST)
}

fn blocks_of(n: usize, most: usize) -> Vec<(usize, usize)> {
    let k = n.min(most);
    (0..k).map(|block| (block * n / k, (block + 1) * n / k)).collect()
}

fn block_name(names: &[String], from: usize, to: usize) -> String {
    let name = |place: usize| names.get(place).cloned().unwrap_or_else(|| format!("{}", place + 1));
    if to - from == 1 { name(from) } else { format!("{} to {}", name(from), name(to - 1)) }
}

/// A number that fits.
fn short(x: f64, room: f64) -> String {
    let whole = number(x);
    if width(&whole) * SMALL <= room || !x.is_finite() {
        return whole;
    }
    for digits in [2, 1, 0] {
        let text = if (1e-2..1e4).contains(&x.abs()) {
            crate::text::trimmed(&format!("{x:.digits$}"))
        } else {
            format!("{x:.0e}")
        };
        if width(&text) * SMALL <= room || digits == 0 {
            return cut(&text, (room / SMALL).max(FONT / SMALL * 2.0));
        }
    }
    whole
}
