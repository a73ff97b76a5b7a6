//! Pairs of numbers.

use crate::Picture;
use crate::axis::{Axis, Scale};
use crate::canvas::{Canvas, mark};
use crate::frame::{Frame, WIDE};
use crate::table::{Cell, Table};
use crate::text::{count, number};
use std::collections::BTreeSet;

const HIGH: f64 = 320.0;
/// How many points are drawn.
const MOST: usize = 1500;

/// Pairs of numbers over one range, such as measured and predicted values: what is right lies on the diagonal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Points {
    /// What they are of.
    pub title: String,
    /// What the first numbers are, along the horizontal axis.
    pub x: String,
    /// What the second are.
    pub y: String,
    /// The pairs.
    pub points: Vec<(f64, f64)>,
    /// How far below and above the diagonal a band reaches, where there is one.
    pub band: Option<[f64; 2]>,
}

impl Points {
    /// Draws them. Points that lie on each other are drawn once.
    pub fn picture(&self) -> Picture {
        let mut canvas = Canvas::new();
        let finite: Vec<(f64, f64)> =
            self.points.iter().copied().filter(|(x, y)| x.is_finite() && y.is_finite()).collect();
        let all = || finite.iter().flat_map(|&(x, y)| [x, y]);
        let axis = Axis::over(all(), Scale::Linear, 5);
        let frame = Frame::draw(&mut canvas, 10.0, HIGH, (axis.clone(), &self.x), (axis, &self.y));
        let (low, high) = all().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        if low < high {
            let place = |x: f64, y: f64| (frame.x_at(x), frame.y_at(y));
            canvas.line(place(low, low), place(high, high), "axis");
            for end in self.band.into_iter().flatten().filter(|end| end.is_finite() && *end != 0.0) {
                // The part of the shifted line that is within.
                let (from, to) = ((low - end).max(low), (high - end).min(high));
                if from < to {
                    canvas.line(place(from, from + end), place(to, to + end), "axis dashed");
                }
            }
        }
        // Where points lie close, one stands for those around it, so that a picture of many rows stays small.
        let places: Vec<(f64, f64)> = finite.iter().map(|&(x, y)| (frame.x_at(x), frame.y_at(y))).collect();
        let of = |room: f64| {
            let mut free = BTreeSet::new();
            let mut first = places.clone();
            first.retain(|(x, y)| free.insert(((x / room) as u32, (y / room) as u32)));
            first
        };
        let rooms = [3.0, 4.0, 6.0, 8.0, 12.0];
        let drawn = rooms.into_iter().map(of).find(|drawn| drawn.len() <= MOST).unwrap_or_default();
        let round = |x: f64| (x * 2.0).round() / 2.0;
        let left_out = finite.len() - drawn.len();
        let marks: String = drawn.into_iter().map(|(x, y)| mark(0, round(x), round(y), 2.5)).collect();
        canvas.path(&marks, "mark0");
        let mut text = format!(
            "{} of {} and {}, over one range; on the line both are the same.",
            count(finite.len(), "pair", "pairs"),
            self.x,
            self.y
        );
        let none = self.points.len() - finite.len();
        if none > 0 {
            put!(
                text,
                " {} no finite numbers and {} not drawn.",
                count(none, "pair has", "pairs have"),
                if none == 1 { "is" } else { "are" }
            );
        }
        if left_out > 0 {
            put!(
                text,
                " Where points lie close one is drawn for those around it: {} in all.",
                count(finite.len() - left_out, "point", "points")
            );
        }
        if let Some([below, above]) = self.band {
            put!(text, " Dashed lines are {} and {} away from it.", number(below), number(above));
        }
        let mut table = Table::new(&self.title[..], &["row", &self.x, &self.y]);
        for (row, &(x, y)) in self.points.iter().enumerate() {
            table.push([Cell::Number((row + 1) as f64), Cell::Number(x), Cell::Number(y)]);
        }
        Picture::new(&self.title, text, table, (WIDE, 10.0 + HIGH + Frame::BELOW), canvas)
    }
}
