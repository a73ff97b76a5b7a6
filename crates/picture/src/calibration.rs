//! How often probabilities come true.

use crate::Picture;
use crate::axis::Axis;
use crate::canvas::{Anchor, Canvas, at, mark};
use crate::frame::{Frame, WIDE};
use crate::table::{Cell, Table};
use crate::text::number;

const HIGH: f64 = 280.0;

/// Rows whose probabilities are alike.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Frequency {
    /// The interval of probabilities.
    pub from: f64,
    /// Its upper end.
    pub to: f64,
    /// The mean of their probabilities.
    pub probability: f64,
    /// The share of them that came true.
    pub frequency: f64,
    /// The ends of that share's interval, where they are known.
    pub interval: Option<[f64; 2]>,
    /// How many rows there are.
    pub rows: usize,
}

/// A reliability diagram: on the diagonal probabilities come true as often as they say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Calibration {
    /// What it is of.
    pub title: String,
    /// The bins; those without rows are not drawn.
    pub bins: Vec<Frequency>,
}

impl Calibration {
    /// Draws it.
    pub fn picture(&self) -> Picture {
        let mut canvas = Canvas::new();
        let axis = Axis::linear(0.0, 1.0, 5);
        let frame = Frame::draw(
            &mut canvas,
            22.0,
            HIGH,
            (axis.clone(), "probability as predicted"),
            (axis, "share that came true"),
        );
        canvas.line((frame.x_at(0.0), frame.y_at(0.0)), (frame.x_at(1.0), frame.y_at(1.0)), "axis dashed");
        let filled = |bin: &&Frequency| bin.rows > 0 && bin.probability.is_finite() && bin.frequency.is_finite();
        let drawn: Vec<&Frequency> = self.bins.iter().filter(filled).collect();
        let mut free = f64::NEG_INFINITY;
        for bin in &drawn {
            let (x, y) = (frame.x_at(bin.probability), frame.y_at(bin.frequency));
            if let Some([low, high]) = bin.interval.filter(|ends| ends.iter().all(|end| end.is_finite())) {
                let (low, high) = (frame.y_at(low), frame.y_at(high));
                let d = format!(
                    "M{x} {low}V{high}M{a} {low}h8M{a} {high}h8",
                    x = at(x),
                    low = at(low),
                    high = at(high),
                    a = at(x - 4.0)
                );
                canvas.path(&d, "edge");
            }
            canvas.path(&mark(0, x, y, 5.0), "mark0");
            // How many rows, above the plot.
            let rows = number(bin.rows as f64);
            let half = crate::text::width(&rows) * 5.5;
            if x - half > free {
                canvas.text((x, 14.0), Anchor::Middle, "small", &rows);
                free = x + half + 3.0;
            }
        }
        canvas.text((2.0, 14.0), Anchor::Start, "small strong", "rows");
        let rows: usize = drawn.iter().map(|bin| bin.rows).sum();
        let gap: f64 = drawn.iter().map(|bin| bin.rows as f64 * (bin.frequency - bin.probability).abs()).sum::<f64>()
            / rows as f64;
        let text = if rows == 0 {
            "There are no rows to draw.".to_owned()
        } else {
            format!(
                "Of {rows} rows, what was predicted and what came true differ by {} on average. Points above the dashed line came true more \
                 often than predicted, below it less often.",
                number(gap)
            )
        };
        let intervals = self.bins.iter().any(|bin| bin.interval.is_some());
        let mut table = Table::new(&self.title[..], &["probability", "rows", "mean predicted", "came true"]);
        if intervals {
            table.columns.extend(["from".to_owned(), "to".to_owned()]);
        }
        for bin in &self.bins {
            let mut row =
                vec![Cell::text(format!("{} to {}", number(bin.from), number(bin.to))), Cell::Number(bin.rows as f64)];
            row.extend(
                [bin.probability, bin.frequency].map(|x| if bin.rows == 0 { Cell::text("") } else { Cell::Number(x) }),
            );
            if intervals {
                row.extend(bin.interval.map_or([Cell::text(""), Cell::text("")], |ends| ends.map(Cell::Number)));
            }
            table.rows.push(row);
        }
        Picture::new(&self.title, text, table, (WIDE, 22.0 + HIGH + Frame::BELOW), canvas)
    }
}
