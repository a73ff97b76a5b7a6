//! What all pictures are drawn on: SVG in which each number is finite.

use crate::style::KINDS;
use crate::text::{cut, escaped};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Stands for the name of a picture, which it gets when it is put into a page; no escaped text holds it.
pub(crate) const NAME: char = '\u{1}';
/// How much of a colour lies behind text at most.
pub(crate) const STRONGEST_TINT: f64 = 0.4;
/// The size of text.
pub(crate) const FONT: f64 = 13.0;
pub(crate) const SMALL: f64 = 11.0;
pub(crate) const TINY: f64 = 9.0;

/// Which side of its place a text begins at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// The elements of a picture, one after another.
pub(crate) struct Canvas {
    pub(crate) body: String,
    hatches: BTreeSet<usize>,
    arrows: bool,
}

/// A place or a length as an attribute.
pub(crate) fn at(x: f64) -> String {
    debug_assert!(x.is_finite(), "a picture has finite numbers, not {x}");
    let rounded = (if x.is_finite() { x } else { 0.0 } * 10.0).round() / 10.0;
    format!("{}", rounded + 0.0) // no minus before 0
}

impl Canvas {
    pub(crate) fn new() -> Self {
        Self { body: String::new(), hatches: BTreeSet::new(), arrows: false }
    }

    fn add(&mut self, element: std::fmt::Arguments) {
        // Writing to a string does not fail.
        let _ = self.body.write_fmt(element);
        self.body.push('\n');
    }

    pub(crate) fn line(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), class: &str) {
        let [x1, y1, x2, y2] = [x1, y1, x2, y2].map(at);
        self.add(format_args!("<path class=\"{class}\" d=\"M{x1} {y1}L{x2} {y2}\"/>"));
    }

    pub(crate) fn path(&mut self, d: &str, class: &str) {
        if !d.is_empty() {
            self.add(format_args!("<path class=\"{class}\" d=\"{d}\"/>"));
        }
    }

    pub(crate) fn rect(&mut self, [x, y, w, h]: [f64; 4], class: &str) {
        let [x, y, w, h] = [x, y, w.max(0.0), h.max(0.0)].map(at);
        self.add(format_args!("<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\"/>"));
    }

    /// A rectangle with round corners.
    pub(crate) fn round(&mut self, [x, y, w, h]: [f64; 4], radius: f64, class: &str) {
        let [x, y, w, h, r] = [x, y, w, h, radius].map(at);
        self.add(format_args!("<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"{r}\"/>"));
    }

    /// A rectangle behind text, with this share of the strongest tint.
    pub(crate) fn tint(&mut self, [x, y, w, h]: [f64; 4], kind: usize, share: f64) {
        let opacity = (share.clamp(0.0, 1.0) * STRONGEST_TINT * 100.0).round() / 100.0;
        let [x, y, w, h] = [x, y, w.max(0.0), h.max(0.0)].map(at);
        let kind = kind % KINDS;
        self.add(format_args!(
            "<rect class=\"fill{kind}\" fill-opacity=\"{opacity}\" x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\"/>"
        ));
    }

    /// The area of a path in the colour and the hatching of a kind.
    pub(crate) fn area(&mut self, d: &str, kind: usize) {
        let kind = kind % KINDS;
        if d.is_empty() {
            return;
        }
        self.add(format_args!("<path class=\"fill{kind} soft\" d=\"{d}\"/>"));
        self.add(format_args!("<path fill=\"url(#{NAME}-hatch{kind})\" d=\"{d}\"/>"));
        self.hatches.insert(kind);
    }

    pub(crate) fn text(&mut self, (x, y): (f64, f64), anchor: Anchor, class: &str, text: &str) {
        let [x, y] = [x, y].map(at);
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        let text = escaped(text);
        self.add(format_args!("<text{class} x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{text}</text>"));
    }

    /// A text cut to a width, at this size of letters.
    pub(crate) fn text_in(
        &mut self,
        place: (f64, f64),
        anchor: Anchor,
        class: &str,
        text: &str,
        width: f64,
        size: f64,
    ) {
        self.text(place, anchor, class, &cut(text, width / size));
    }

    /// A text from below to above, around its middle.
    pub(crate) fn text_up(&mut self, (x, y): (f64, f64), text: &str, height: f64) {
        let [x, y] = [x, y].map(at);
        let text = escaped(&cut(text, height / FONT));
        self.add(format_args!(
            "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\" transform=\"rotate(-90 {x} {y})\">{text}</text>"
        ));
    }

    /// A path with an arrow at its end.
    pub(crate) fn arrow(&mut self, d: &str, class: &str) {
        self.arrows = true;
        self.add(format_args!("<path class=\"{class}\" d=\"{d}\" marker-end=\"url(#{NAME}-arrow)\"/>"));
    }

    /// Elements with what they refer to.
    pub(crate) fn finish(self) -> String {
        if self.hatches.is_empty() && !self.arrows {
            return self.body;
        }
        let mut defs = String::from("<defs>\n");
        if self.arrows {
            put!(
                defs,
                "<marker id=\"{NAME}-arrow\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">\
                 <path class=\"ink\" d=\"M0 0L8 4L0 8z\"/></marker>\n"
            );
        }
        for &kind in &self.hatches {
            let lines = match kind {
                0 => "M0 10L10 0M-2 2L2 -2M8 12L12 8",
                1 => "M0 0L10 10M-2 8L2 12M8 -2L12 2",
                2 => "M0 5H10",
                3 => "M5 0V10",
                4 => "M0 10L10 0M0 0L10 10",
                5 => "M2 2h2M7 7h2",
                6 => "M0 5H10M5 0V10",
                _ => "M1 4h4M6 9h4M3 1v0.5",
            };
            put!(
                defs,
                "<pattern id=\"{NAME}-hatch{kind}\" width=\"10\" height=\"10\" patternUnits=\"userSpaceOnUse\">\
                 <path class=\"hatch{kind}\" d=\"{lines}\"/></pattern>\n"
            );
        }
        defs.push_str("</defs>\n");
        defs + &self.body
    }
}

/// The outline of the mark of a kind around a place: kinds differ in shape, not in colour alone.
pub(crate) fn mark(kind: usize, x: f64, y: f64, r: f64) -> String {
    let n = |dx: f64, dy: f64| format!("{} {}", at(x + dx * r), at(y + dy * r));
    let r2 = at(2.0 * r);
    match kind % KINDS {
        0 => {
            let r = at(r);
            format!("M{}a{r} {r} 0 1 0 {r2} 0a{r} {r} 0 1 0 -{r2} 0z", n(-1.0, 0.0))
        }
        1 => format!("M{}h{r2}v{r2}h-{r2}z", n(-1.0, -1.0)),
        2 => format!("M{}L{}L{}z", n(0.0, -1.2), n(1.1, 0.9), n(-1.1, 0.9)),
        3 => format!("M{}L{}L{}L{}z", n(0.0, -1.35), n(1.35, 0.0), n(0.0, 1.35), n(-1.35, 0.0)),
        4 => format!("M{}L{}L{}z", n(0.0, 1.2), n(1.1, -0.9), n(-1.1, -0.9)),
        5 => format!("M{}L{}M{}L{}", n(-1.0, -1.0), n(1.0, 1.0), n(-1.0, 1.0), n(1.0, -1.0)),
        6 => format!("M{}L{}M{}L{}", n(-1.2, 0.0), n(1.2, 0.0), n(0.0, -1.2), n(0.0, 1.2)),
        _ => format!("M{}L{}L{}L{}z", n(-0.6, -1.2), n(0.6, -1.2), n(0.6, 1.2), n(-0.6, 1.2)),
    }
}
