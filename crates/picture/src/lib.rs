//! Pictures of nets as SVG, each with a title, a description, and its numbers as a table.
//!
//! | | |
//! |---|---|
//! | [`Lines`] | curves, such as a loss by epoch |
//! | [`Bars`] | numbers by name, with intervals |
//! | [`Points`] | pairs of numbers, such as measured and predicted values |
//! | [`Matrix`] | which class is taken for which, with counts |
//! | [`Calibration`] | how often probabilities come true |
//! | [`Regions`] | which class, or how large a value, a net says at each place of a plane |
//! | [`Heat`] | a matrix of numbers: weights, or gradients over time |
//! | [`Cards`] | numbers of the same thing by several accounts |
//! | [`Graph`] | operations and what they read, in layers; also as [DOT](Graph::dot) |
//!
//! Nothing is told by colour alone: lines differ in dashes and marks, areas in hatching, cells in size and filling, and numbers are
//! printed where there is room. Colours are variables of a [style sheet](style()) for light, dark and paper. A picture is as wide as its
//! place allows. Numbers that are none, infinite ones, and names of any kind are drawn or told, never cut off.
//!
//! ```
//! use picture::{Lines, Scale, Series};
//! let loss = Series::new("training", (1..=100).map(|i| (f64::from(i), 1.0 / f64::from(i))));
//! let lines = Lines { title: "Loss by epoch".into(), y_scale: Scale::Log, series: vec![loss], ..Lines::new("epoch", "loss") };
//! let picture = lines.picture();
//! assert!(picture.svg("loss").starts_with("<svg "));
//! assert!(picture.figure("loss").contains("<table>"));
//! # picture::well_formed(&picture.figure("loss")).unwrap();
//! ```

/// Appends to a string, as `write!` does; that cannot fail.
macro_rules! put {
    ($to:expr, $($what:tt)*) => {{
        use std::fmt::Write as _;
        let _ = write!($to, $($what)*);
    }};
}

mod text;
mod style;
mod xml;
mod table;
mod axis;
mod canvas;
mod frame;
mod lines;
mod bars;
mod points;
mod matrix;
mod calibration;
mod regions;
mod heat;
mod cards;
mod graph;

pub use axis::Scale;
pub use bars::{Bar, Bars};
pub use calibration::{Calibration, Frequency};
pub use cards::{Card, Cards};
pub use graph::{Graph, Node, NodeKind};
pub use heat::{Heat, Tone};
pub use lines::{Lines, Series};
pub use matrix::Matrix;
pub use points::Points;
pub use regions::{Plane, Regions};
pub use style::{Colours, style};
pub use table::{Cell, Table};
pub use text::{count, escaped, number};
pub use xml::well_formed;

use canvas::{Canvas, NAME, at};
use text::whole;

/// A picture that is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// What it is of, in a few words.
    pub title: String,
    /// What it shows, in a sentence or two, also what is not drawn and why.
    pub description: String,
    /// Its numbers.
    pub table: Table,
    width: f64,
    height: f64,
    body: String,
}

impl Picture {
    fn new(title: &str, description: String, table: Table, (width, height): (f64, f64), canvas: Canvas) -> Self {
        Self { title: title.to_owned(), description, table, width, height, body: canvas.finish() }
    }

    /// The width and the height that it has where there is room.
    pub fn size(&self) -> (f64, f64) {
        (self.width, self.height)
    }

    /// The `<svg>` to stand in a page whose style sheet holds [`style()`]. No two pictures of a page may have one name; in it,
    /// characters that are no letters and digits of ASCII count as `-`.
    pub fn svg(&self, name: &str) -> String {
        self.with(name, "")
    }

    /// A file of its own, with its style sheet in it.
    pub fn file(&self) -> String {
        self.file_in(Colours::AsAsked)
    }

    /// As [`Picture::file`], in these colours: for pages that choose between two files.
    pub fn file_in(&self, colours: Colours) -> String {
        self.with("picture", &format!("<style>\n{}</style>\n", style::of(colours, "svg")))
    }

    fn with(&self, name: &str, style: &str) -> String {
        let name = named(name);
        let (width, height) = (at(self.width.ceil()), at(self.height.ceil()));
        let (title, description) = (whole(&self.title), escaped(&self.description));
        let body = self.body.replace(NAME, &name);
        let paper = if style.is_empty() {
            String::new()
        } else {
            format!("<rect class=\"ground\" width=\"{width}\" height=\"{height}\"/>\n")
        };
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"pic\" role=\"img\" aria-labelledby=\"{name}-title {name}-desc\" \
             viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">\n\
             <title id=\"{name}-title\">{title}</title>\n<desc id=\"{name}-desc\">{description}</desc>\n{style}{paper}{body}</svg>\n"
        )
    }

    /// A `<figure>`: the title and the description, the picture, and its numbers, which unfold.
    pub fn figure(&self, name: &str) -> String {
        let (title, description) = (whole(&self.title), escaped(&self.description));
        let (svg, table) = (self.svg(name), self.table.html());
        // On a small screen text would be too small to read: beyond this size a picture scrolls.
        let least = (self.width * 0.6).ceil();
        let (open, close) = if least > 290.0 {
            (
                format!(
                    "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Picture: {title}\"><div class=\"wide\" style=\"min-width:{least}px\">"
                ),
                "</div></div>",
            )
        } else {
            (String::new(), "")
        };
        format!(
            "<figure>\n<figcaption><strong>{title}.</strong> {description}</figcaption>\n{open}{svg}{close}\
             <details><summary>Numbers: {title}</summary>\n{table}\n</details>\n</figure>\n"
        )
    }
}

/// A name that an id may have.
fn named(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let name: String = name.chars().map(plain).collect();
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) { name } else { format!("p{name}") }
}

#[cfg(test)]
mod tests;
