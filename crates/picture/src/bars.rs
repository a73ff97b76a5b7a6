//! Numbers by name.

use crate::axis::Axis;
use crate::canvas::{Anchor, Canvas, FONT, SMALL, at};
use crate::frame::WIDE;
use crate::table::{Cell, Table};
use crate::text::{count, cut, number, width};
use crate::{Picture, Scale};

/// How many bars one picture draws.
const MOST: usize = 40;
/// How much room a bar has.
const STEP: f64 = 24.0;

/// A number with its name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bar {
    /// The name.
    pub name: String,
    /// The number.
    pub value: f64,
    /// The ends of its interval, where it has one.
    pub interval: Option<[f64; 2]>,
}

/// Numbers as bars from 0, each with its number in print.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bars {
    /// What they are of.
    pub title: String,
    /// What a name is the name of.
    pub what: String,
    /// What the numbers are.
    pub unit: String,
    /// The bars, from above.
    pub bars: Vec<Bar>,
}

impl Bars {
    /// Draws them.
    pub fn picture(&self) -> Picture {
        let mut canvas = Canvas::new();
        let bars = &self.bars[..self.bars.len().min(MOST)];
        let names: Vec<String> = bars.iter().map(|bar| cut(&bar.name, 13.0)).collect();
        let left = names.iter().map(|name| width(name) * FONT).fold(40.0, f64::max) + 8.0;
        let print = bars.iter().map(|bar| width(&number(bar.value)) * SMALL).fold(20.0, f64::max) + 8.0;
        let (wide, top) = (WIDE - left - print, 8.0);
        let ends = bars.iter().flat_map(|bar| bar.interval.into_iter().flatten().chain([bar.value, 0.0]));
        let axis = Axis::over(ends.chain([0.0]), Scale::Linear, 5);
        let place = |x: f64| left + wide * axis.place(x);
        let bottom = top + STEP * bars.len().max(1) as f64;
        let mut grid = String::new();
        let mut free = f64::NEG_INFINITY;
        for (tick, label) in &axis.ticks {
            let (x, half) = (place(*tick), width(label) * SMALL / 2.0);
            put!(grid, "M{} {}V{}", at(x), at(top), at(bottom));
            if x - half > free && x + half <= WIDE {
                canvas.text((x, bottom + 15.0), Anchor::Middle, "small", label);
                free = x + half + 4.0;
            }
        }
        canvas.path(&grid, "grid");
        for (row, (bar, name)) in bars.iter().zip(&names).enumerate() {
            let y = top + STEP * row as f64;
            canvas.text((left - 6.0, y + 16.0), Anchor::End, "", name);
            let (zero, end) = (place(0.0), place(bar.value));
            let mut reach = zero.max(end);
            if bar.value.is_finite() {
                // Bars below 0 are hollow.
                let box_ = [zero.min(end), y + 5.0, (end - zero).abs(), STEP - 10.0];
                canvas.rect(box_, if bar.value < 0.0 { "mark4" } else { "fill0" });
            }
            if let Some([low, high]) = bar.interval
                && low.is_finite()
                && high.is_finite()
            {
                let (low, high, middle) = (place(low), place(high), y + STEP / 2.0);
                canvas.path(
                    &format!(
                        "M{0} {2}V{3}M{1} {2}V{3}M{0} {4}H{1}",
                        at(low),
                        at(high),
                        at(middle - 4.0),
                        at(middle + 4.0),
                        at(middle)
                    ),
                    "edge",
                );
                reach = reach.max(high);
            }
            canvas.text((reach.min(WIDE - print) + 5.0, y + 16.0), Anchor::Start, "small", &number(bar.value));
        }
        canvas.line((place(0.0), top), (place(0.0), bottom), "axis");
        canvas.text_in((left + wide / 2.0, bottom + 32.0), Anchor::Middle, "", &self.unit, wide, FONT);
        Picture::new(&self.title, self.description(), self.table(), (WIDE, bottom + 40.0), canvas)
    }

    fn description(&self) -> String {
        let finite = || self.bars.iter().filter(|bar| bar.value.is_finite());
        let largest = finite().max_by(|a, b| a.value.total_cmp(&b.value));
        let smallest = finite().min_by(|a, b| a.value.total_cmp(&b.value));
        let mut text = match (largest, smallest) {
            (Some(most), Some(least)) if most != least => format!(
                "The largest is {} with {}, the smallest {} with {}.",
                cut(&most.name, 40.0),
                number(most.value),
                cut(&least.name, 40.0),
                number(least.value)
            ),
            (Some(one), _) => format!("{} has {}.", cut(&one.name, 40.0), number(one.value)),
            _ => "There is nothing to draw.".to_owned(),
        };
        let none = self.bars.len() - finite().count();
        if none > 0 {
            put!(text, " {} no finite number.", if none == 1 { "1 has".into() } else { format!("{none} have") });
        }
        if self.bars.len() > MOST {
            let more = self.bars.len() - MOST;
            put!(text, " The first {MOST} are drawn, {} in the table alone.", count(more, "more is", "more are"));
        }
        text
    }

    fn table(&self) -> Table {
        let intervals = self.bars.iter().any(|bar| bar.interval.is_some());
        let mut table = Table::new(&self.title[..], &[&self.what, &self.unit]);
        table.most_rows = Some(300);
        if intervals {
            table.columns.extend(["from".to_owned(), "to".to_owned()]);
        }
        for bar in &self.bars {
            let mut row = vec![Cell::text(&bar.name[..]), Cell::Number(bar.value)];
            if intervals {
                let ends = bar.interval.map_or([Cell::text(""), Cell::text("")], |ends| ends.map(Cell::Number));
                row.extend(ends);
            }
            table.rows.push(row);
        }
        table
    }
}
