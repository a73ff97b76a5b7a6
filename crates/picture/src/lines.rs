//! Curves.

use crate::Picture;
use crate::axis::{Axis, Scale};
use crate::canvas::{Anchor, Canvas, SMALL, at, mark};
use crate::frame::{Frame, Sample, WIDE, legend};
use crate::style::KINDS;
use crate::table::{Cell, Table};
use crate::text::{count, cut, number};
use std::collections::BTreeSet;

/// How many curves one picture draws.
const MOST: usize = 16;
/// The height of a plot.
const HIGH: f64 = 230.0;

/// A curve: places along both axes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// What it is.
    pub name: String,
    /// Its points, in any order. Where a number is none, the curve has a gap.
    pub points: Vec<(f64, f64)>,
}

impl Series {
    /// Of these points.
    pub fn new(name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        Self { name: name.into(), points: points.into_iter().collect() }
    }
}

/// Curves over one axis, each with its own dashes and marks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lines {
    /// What they are of; the axes' names where it is empty.
    pub title: String,
    /// What the horizontal axis is.
    pub x: String,
    /// What the vertical axis is.
    pub y: String,
    /// How numbers lie along the horizontal axis.
    pub x_scale: Scale,
    /// How numbers lie along the vertical axis.
    pub y_scale: Scale,
    /// The curves.
    pub series: Vec<Series>,
    /// A place on the horizontal axis that is marked, and what it is.
    pub at: Option<(f64, String)>,
}

impl Lines {
    /// No curves yet, between axes of these names.
    pub fn new(x: impl Into<String>, y: impl Into<String>) -> Self {
        Self { x: x.into(), y: y.into(), ..Self::default() }
    }

    /// Draws them. Of many points those are drawn that reach furthest up and down at each place.
    pub fn picture(&self) -> Picture {
        let mut canvas = Canvas::new();
        let drawn = &self.series[..self.series.len().min(MOST)];
        let names: Vec<String> = drawn.iter().map(|series| series.name.clone()).collect();
        let top = if names.len() > 1 { legend(&mut canvas, &names, Sample::Line, |k| k) } else { 10.0 };
        let points = || drawn.iter().flat_map(|series| series.points.iter());
        let marked = self.at.iter().map(|(x, _)| *x);
        let x = Axis::over(points().map(|point| point.0).chain(marked), self.x_scale, 6);
        let y = Axis::over(points().filter(|point| point.0.is_finite()).map(|point| point.1), self.y_scale, 5);
        let frame = Frame::draw(&mut canvas, top, HIGH, (x, &self.x), (y, &self.y));
        if let Some((x, name)) = &self.at
            && frame.x.holds(*x)
        {
            let x = frame.x_at(*x);
            canvas.line((x, top), (x, top + HIGH), "axis dashed");
            let after = x < frame.left + frame.wide / 2.0;
            let (place, anchor) = if after { (x + 4.0, Anchor::Start) } else { (x - 4.0, Anchor::End) };
            canvas.text((place, top + 12.0), anchor, "small", &cut(name, frame.wide / 2.0 / SMALL));
        }
        for (kind, series) in drawn.iter().enumerate() {
            curve(&mut canvas, &frame, kind % KINDS, &series.points);
        }
        let title = if self.title.is_empty() { format!("{} by {}", self.y, self.x) } else { self.title.clone() };
        let height = top + HIGH + Frame::BELOW;
        Picture::new(&title, self.description(&frame), self.table(&title), (WIDE, height), canvas)
    }

    fn description(&self, frame: &Frame) -> String {
        let mut text = String::new();
        for series in self.series.iter().take(MOST) {
            let shown = |x: f64, y: f64| frame.x.holds(x) && frame.y.holds(y);
            let drawn: Vec<_> = sorted(&series.points).into_iter().filter(|&(x, y)| shown(x, y)).collect();
            let name = if series.name.is_empty() { "The curve" } else { &cut(&series.name, 40.0) };
            if let (Some(first), Some(last)) = (drawn.first(), drawn.last()) {
                let least = drawn.iter().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or(first);
                let [from, to, low, place] = [first.1, last.1, least.1, least.0].map(number);
                put!(text, "{name} goes from {from} to {to}; its least is {low} at {place}. ");
            } else {
                put!(text, "{name} has no points to draw. ");
            }
            let no_number = series.points.iter().filter(|(x, y)| x.is_nan() || y.is_nan()).count();
            let infinite =
                series.points.iter().filter(|(x, y)| x.is_infinite() || (y.is_infinite() && !x.is_nan())).count();
            let below =
                |&&(x, y): &&(f64, f64)| x.is_finite() && y.is_finite() && !(frame.x.holds(x) && frame.y.holds(y));
            let below = series.points.iter().filter(below).count();
            for (n, what) in [
                (no_number, "no number"),
                (infinite, "infinite"),
                (below, "0 or less, which a logarithmic axis does not have"),
            ] {
                if n > 0 {
                    let points = if n == 1 { "1 point is".to_owned() } else { format!("{n} points are") };
                    put!(text, "{points} {what}. ");
                }
            }
        }
        if self.series.is_empty() {
            text.push_str("There is nothing to draw. ");
        }
        if self.series.len() > MOST {
            put!(text, "{} more are in the table alone. ", count(self.series.len() - MOST, "curve", "curves"));
        }
        if frame.y.is_log() {
            text.push_str("The vertical axis is logarithmic. ");
        }
        text.trim_end().to_owned()
    }

    /// A row for each place of the horizontal axis, a column for each curve; where the places are too many, those of the ends and some
    /// between.
    fn table(&self, title: &str) -> Table {
        let mut table = Table::new(title, &[]);
        table.columns.push(self.x.clone());
        table.columns.extend(
            self.series.iter().map(|series| if series.name.is_empty() { self.y.clone() } else { series.name.clone() }),
        );
        let sorted: Vec<Vec<(f64, f64)>> = self.series.iter().map(|series| sorted(&series.points)).collect();
        let mut places: Vec<f64> = sorted.iter().flatten().map(|point| point.0).collect();
        places.sort_by(f64::total_cmp);
        places.dedup_by(|a, b| a.to_bits() == b.to_bits());
        for x in places {
            let mut row = vec![Cell::Number(x)];
            for points in &sorted {
                let first = points.partition_point(|point| point.0.total_cmp(&x).is_lt());
                let found = points.get(first).filter(|point| point.0.to_bits() == x.to_bits());
                row.push(found.map_or(Cell::text(""), |point| Cell::Number(point.1)));
            }
            table.rows.push(row);
        }
        table
    }
}

/// By their place along the horizontal axis.
fn sorted(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut points = points.to_vec();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points
}

/// Draws one curve: pieces between gaps, marks on some of its points, arrows for what is infinite.
fn curve(canvas: &mut Canvas, frame: &Frame, kind: usize, points: &[(f64, f64)]) {
    let (mut pieces, mut piece, mut beyond) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (x, y) in sorted(points) {
        if frame.x.holds(x) && frame.y.holds(y) {
            piece.push((frame.x_at(x), frame.y_at(y)));
            continue;
        }
        if frame.x.holds(x) && y.is_infinite() {
            beyond.insert(((frame.x_at(x) / 6.0) as u32, y > 0.0));
        }
        if !piece.is_empty() {
            pieces.push(std::mem::take(&mut piece));
        }
    }
    pieces.push(piece);
    let (mut line, mut marks, mut free) = (String::new(), String::new(), BTreeSet::new());
    // Curves have their marks at different places.
    let mut next = frame.left + 8.0 * kind as f64 / KINDS as f64;
    for piece in &pieces {
        if let [(x, y)] = piece[..] {
            // A point alone; points that would lie on each other are one.
            if free.insert(((x / 4.0) as u32, (y / 4.0) as u32)) {
                marks.push_str(&mark(kind, x, y, 3.5));
            }
            continue;
        }
        for (k, (x, y)) in thinned(piece).into_iter().enumerate() {
            put!(line, "{}{} {}", if k == 0 { 'M' } else { 'L' }, at(x), at(y));
            if x >= next {
                marks.push_str(&mark(kind, x, y, 3.5));
                next = x + 48.0;
            }
        }
    }
    canvas.path(&line, &format!("line{kind}"));
    canvas.path(&marks, &format!("mark{kind}"));
    let arrows: String =
        beyond.into_iter().map(|(x, up)| frame.beyond(f64::from(x) * 6.0, if up { 1.0 } else { -1.0 })).collect();
    canvas.path(&arrows, &format!("fill{kind}"));
}

/// Of the points in one column of the screen the first, the lowest, the highest and the last, in their order.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut kept = Vec::new();
    let mut start = 0;
    while start < points.len() {
        let column = points[start].0.floor();
        let end = start + points[start..].iter().take_while(|point| point.0.floor() == column).count();
        let within = &points[start..end];
        let by = |a: &usize, b: &usize| within[*a].1.total_cmp(&within[*b].1);
        let (low, high) = ((0..within.len()).min_by(by), (0..within.len()).max_by(by));
        let places: BTreeSet<usize> = [Some(0), low, high, within.len().checked_sub(1)].into_iter().flatten().collect();
        kept.extend(places.into_iter().map(|place| within[place]));
        start = end;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_thousand_points_keep_their_peaks_in_few() {
        let points: Vec<_> =
            (0..100_000).map(|i| (f64::from(i), if i == 54_321 { 9.0 } else { f64::from(i % 7) })).collect();
        let picture = Lines { series: vec![Series::new("a", points)], ..Lines::new("x", "y") }.picture();
        let svg = picture.svg("a");
        assert!(svg.len() < 60_000, "{}", svg.len());
        // The peak is at the top of the plot.
        assert!(svg.contains(" 10L"), "no point at the top");
        assert!(picture.description.contains("from 0 to 4"), "{}", picture.description);
    }

    #[test]
    fn what_is_not_drawn_is_told() {
        let points = [(1.0, 1.0), (2.0, f64::NAN), (3.0, f64::INFINITY), (4.0, 0.0), (5.0, 0.5), (6.0, 0.25)];
        let lines =
            Lines { y_scale: Scale::Log, series: vec![Series::new("loss", points)], ..Lines::new("epoch", "loss") };
        let text = lines.picture().description;
        for part in ["from 1 to 0.25", "1 point is no number", "1 point is infinite", "1 point is 0 or less"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
