//! The frame of a plot: two axes with round numbers, a grid, and names.

use crate::axis::Axis;
use crate::canvas::{Anchor, Canvas, FONT, SMALL, at, mark};
use crate::style::KINDS;
use crate::text::{cut, width};

/// The width of plots.
pub(crate) const WIDE: f64 = 460.0;

/// Where a plot is, and how numbers become places in it.
pub(crate) struct Frame {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) wide: f64,
    pub(crate) high: f64,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
}

impl Frame {
    /// Leaves room for the labels of the axes, and draws all but what is in the plot.
    pub(crate) fn draw(canvas: &mut Canvas, top: f64, high: f64, x: (Axis, &str), y: (Axis, &str)) -> Self {
        let ((x, x_name), (y, y_name)) = (x, y);
        let labels = y.ticks.iter().map(|(_, label)| width(label) * SMALL).fold(0.0, f64::max);
        let left = labels + 12.0 + if y_name.is_empty() { 0.0 } else { FONT + 6.0 };
        // Half a label may stand over the right end.
        let right = x.ticks.last().map_or(0.0, |(_, label)| width(label) * SMALL / 2.0).max(8.0) + 2.0;
        let frame = Self { left, top, wide: WIDE - left - right, high, x, y };
        let (bottom, end) = (top + high, left + frame.wide);
        let mut grid = String::new();
        for (tick, label) in &frame.y.ticks {
            let y = frame.y_at(*tick);
            put!(grid, "M{} {}H{}", at(left), at(y), at(end));
            canvas.text((left - 6.0, y + 4.0), Anchor::End, "small", label);
        }
        // Labels that would touch their neighbours are left out; the grid stays.
        let mut free = f64::NEG_INFINITY;
        for (tick, label) in &frame.x.ticks {
            let (x, half) = (frame.x_at(*tick), width(label) * SMALL / 2.0);
            put!(grid, "M{} {}V{}", at(x), at(top), at(bottom));
            if x - half > free && x - half >= 0.0 {
                canvas.text((x, bottom + 16.0), Anchor::Middle, "small", label);
                free = x + half + 4.0;
            }
        }
        canvas.path(&grid, "grid");
        canvas.path(&format!("M{} {}V{}H{}", at(left), at(top), at(bottom), at(end)), "axis");
        canvas.text_in((left + frame.wide / 2.0, bottom + 34.0), Anchor::Middle, "", x_name, frame.wide, FONT);
        if !y_name.is_empty() {
            canvas.text_up((FONT, top + high / 2.0), y_name, high);
        }
        frame
    }

    /// How far below the plot its labels reach.
    pub(crate) const BELOW: f64 = 42.0;

    pub(crate) fn x_at(&self, x: f64) -> f64 {
        self.left + self.wide * self.x.place(x)
    }

    pub(crate) fn y_at(&self, y: f64) -> f64 {
        self.top + self.high * (1.0 - self.y.place(y))
    }

    /// The mark of a number that has no place: an arrow at the end towards which it lies.
    pub(crate) fn beyond(&self, x: f64, y: f64) -> String {
        if y > 0.0 { mark(2, x, self.top + 5.0, 4.0) } else { mark(4, x, self.top + self.high - 5.0, 4.0) }
    }
}

/// How an entry of a legend is drawn.
pub(crate) enum Sample {
    /// A line with its dashes and its mark.
    Line,
    /// A hatched area with the mark of its examples.
    Area,
}

/// The rows of a legend above a plot, each entry with a sample of its line, mark or area, and how high they are.
pub(crate) fn legend(canvas: &mut Canvas, names: &[String], sample: Sample, first: impl Fn(usize) -> usize) -> f64 {
    let (mut x, mut y) = (4.0, 14.0);
    for (place, name) in names.iter().enumerate() {
        let name = cut(name, 16.0);
        let room = 40.0 + width(&name) * SMALL + 12.0;
        if x + room > WIDE && x > 4.0 {
            (x, y) = (4.0, y + 20.0);
        }
        let kind = first(place) % KINDS;
        match sample {
            Sample::Line => {
                canvas.line((x, y - 4.0), (x + 34.0, y - 4.0), &format!("line{kind}"));
                canvas.path(&mark(kind, x + 17.0, y - 4.0, 3.5), &format!("mark{kind}"));
            }
            Sample::Area => {
                canvas.area(&format!("M{} {}h30v14h-30z", at(x), at(y - 11.0)), kind);
                canvas.path(&format!("M{} {}h30v14h-30z", at(x), at(y - 11.0)), "axis");
                canvas.path(&mark(kind, x + 15.0, y - 4.0, 3.5), &format!("mark{kind}"));
            }
        }
        canvas.text((x + 40.0, y), Anchor::Start, "small", &name);
        x += room;
    }
    if names.is_empty() { 8.0 } else { y + 12.0 }
}
