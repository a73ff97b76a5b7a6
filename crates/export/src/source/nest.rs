//! Loops over the elements of several arrays at once.

use super::language::{Language, Syntax};
use std::fmt::Write as _;

/// Lines of source, indented.
#[derive(Debug)]
pub(crate) struct Lines {
    pub(crate) syntax: Syntax,
    text: String,
    depth: usize,
}

impl Lines {
    pub(crate) fn new(syntax: Syntax) -> Self {
        Self { syntax, text: String::new(), depth: 0 }
    }

    pub(crate) fn line(&mut self, line: impl AsRef<str>) {
        let line = line.as_ref();
        if line.is_empty() {
            self.text.push('\n');
            return;
        }
        let _ = writeln!(self.text, "{:1$}{line}", "", 4 * self.depth);
    }

    pub(crate) fn comment(&mut self, text: &str) {
        self.line(self.syntax.language.comment(text));
    }

    /// A block behind a line that opens it.
    pub(crate) fn block(&mut self, opening: impl AsRef<str>, inner: impl FnOnce(&mut Self)) {
        self.block_and(opening, "", inner);
    }

    /// A block with something behind it.
    pub(crate) fn block_and(&mut self, opening: impl AsRef<str>, behind: &str, inner: impl FnOnce(&mut Self)) {
        self.line(format!("{} {{", opening.as_ref()).trim_start());
        self.depth += 1;
        inner(self);
        self.depth -= 1;
        self.line(format!("}}{behind}"));
    }

    /// A loop over `0..n`.
    pub(crate) fn over(&mut self, index: &str, n: usize, inner: impl FnOnce(&mut Self)) {
        let opening = match self.syntax.language {
            Language::C => format!("for (int {index} = 0; {index} < {n}; {index}++)"),
            Language::Rust => format!("for {index} in 0..{n}"),
        };
        self.block(opening, inner);
    }

    /// A new variable of a number.
    pub(crate) fn variable(&mut self, name: &str, value: &str) {
        let line = match self.syntax.language {
            Language::C => format!("{} {name} = {value};", self.syntax.element()),
            Language::Rust => format!("let mut {name} = {value};"),
        };
        self.line(line);
    }

    /// An array of numbers for a part of the work; nothing is in it yet.
    pub(crate) fn buffer(&mut self, name: &str, n: usize) {
        let (element, n) = (self.syntax.element(), n.max(1));
        let line = match self.syntax.language {
            Language::C => format!("{element} {name}[{n}];"),
            Language::Rust => format!("let mut {name} = [0.0_{element}; {n}];"),
        };
        self.line(line);
    }

    /// A constant array.
    pub(crate) fn constants(&mut self, name: &str, numbers: &[f64]) {
        let (element, n) = (self.syntax.element(), numbers.len().max(1));
        let opening = match self.syntax.language {
            Language::C => format!("static const {element} {name}[{n}] = {{"),
            Language::Rust => format!("static {name}: [{element}; {n}] = ["),
        };
        self.line(opening);
        self.depth += 1;
        let written: Vec<String> = numbers.iter().map(|&x| self.syntax.number(x)).collect();
        let mut line = String::new();
        for number in if written.is_empty() { vec![self.syntax.number(0.0)] } else { written } {
            if line.len() + number.len() > 120 {
                self.line(line.trim_end());
                line.clear();
            }
            line.push_str(&number);
            line.push_str(", ");
        }
        self.line(line.trim_end());
        self.depth -= 1;
        self.line(if self.syntax.language == Language::C { "};" } else { "];" });
    }

    /// A constant array of integers.
    pub(crate) fn integers(&mut self, name: &str, integers: &[i64]) {
        let n = integers.len().max(1);
        let mut all: Vec<String> = integers.iter().map(ToString::to_string).collect();
        all.resize(n, "0".to_owned());
        let all = all.join(", ");
        let line = match self.syntax.language {
            Language::C => format!("static const int {name}[{n}] = {{{all}}};"),
            Language::Rust => format!("static {name}: [i32; {n}] = [{all}];"),
        };
        self.line(line);
    }

    /// A loop nest over a shape; each array's element is found by an offset and strides, and the body gets their places as text. Neighbouring
    /// axes that all arrays walk as one are one loop.
    pub(crate) fn nest(&mut self, shape: &[usize], arrays: &[(i64, &[i64])], body: impl FnOnce(&mut Self, &[String])) {
        let mut axes: Vec<(usize, Vec<i64>)> = Vec::new();
        for (axis, &size) in shape.iter().enumerate().filter(|(_, size)| **size != 1) {
            let steps: Vec<i64> = arrays.iter().map(|(_, strides)| strides[axis]).collect();
            match axes.last_mut() {
                Some((outer, known)) if known.iter().zip(&steps).all(|(&k, &s)| k == s * size as i64) => {
                    *outer *= size;
                    *known = steps;
                }
                _ => axes.push((size, steps)),
            }
        }
        let names: Vec<String> = (0..axes.len()).map(index_name).collect();
        let places: Vec<String> = (0..arrays.len())
            .map(|k| {
                let steps: Vec<(&str, i64)> =
                    names.iter().zip(&axes).map(|(name, (_, steps))| (&name[..], steps[k])).collect();
                place(arrays[k].0, &steps)
            })
            .collect();
        if axes.is_empty() {
            return self.block("", |lines| body(lines, &places)); // variables are its own
        }
        self.levels(&names, &axes, |lines| body(lines, &places));
    }

    fn levels(&mut self, names: &[String], axes: &[(usize, Vec<i64>)], body: impl FnOnce(&mut Self)) {
        match (names.split_first(), axes.split_first()) {
            (Some((name, names)), Some(((size, _), axes))) => {
                // A boxed closure keeps the depth of the types finite.
                let inner: Box<dyn FnOnce(&mut Self) + '_> = Box::new(body);
                self.over(name, *size, |lines| lines.levels_boxed(names, axes, inner));
            }
            _ => body(self),
        }
    }

    fn levels_boxed(&mut self, names: &[String], axes: &[(usize, Vec<i64>)], body: Box<dyn FnOnce(&mut Self) + '_>) {
        self.levels(names, axes, body);
    }

    /// The lines of a block that was written by itself.
    pub(crate) fn inner(&mut self, block: Self) {
        for line in block.text.lines() {
            self.line(line);
        }
    }

    /// Whether an element of an array is read or written.
    pub(crate) fn names(&self, array: &str) -> bool {
        let begins = |at: usize| !self.text[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        self.text.match_indices(&format!("{array}[")).any(|(at, _)| begins(at))
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

/// The name of the index of a loop.
fn index_name(depth: usize) -> String {
    ["i", "j", "k", "l", "m", "n"].get(depth).map_or_else(|| format!("i{depth}"), |&name| name.to_owned())
}

/// Where an element is: what is taken away comes last, so that no sum on the way is below 0.
pub(crate) fn place(offset: i64, steps: &[(&str, i64)]) -> String {
    let term = |name: &str, by: i64| if by == 1 { name.to_owned() } else { format!("{by} * {name}") };
    let added = steps.iter().filter(|(_, by)| *by > 0).map(|&(name, by)| term(name, by));
    let offset = (offset != 0).then(|| offset.to_string());
    let mut text = offset.into_iter().chain(added).collect::<Vec<_>>().join(" + ");
    for &(name, by) in steps.iter().filter(|(_, by)| *by < 0) {
        let _ = write!(text, " - {}", term(name, -by));
    }
    if text.is_empty() { "0".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Number;

    #[test]
    fn axes_that_are_walked_as_one_are_one_loop() {
        let mut lines = Lines::new(Syntax { language: Language::Rust, number: Number::F64 });
        lines.nest(&[2, 1, 3, 4], &[(0, &[12, 12, 4, 1]), (5, &[0, 0, -4, 1])], |lines, places| {
            lines.line(format!("y[{}] = x[{}];", places[0], places[1]));
        });
        let text = lines.into_text();
        assert_eq!(
            text.lines().map(str::trim).collect::<Vec<_>>(),
            [
                "for i in 0..2 {",
                "for j in 0..3 {",
                "for k in 0..4 {",
                "y[12 * i + 4 * j + k] = x[5 + k - 4 * j];",
                "}",
                "}",
                "}"
            ]
        );
    }
}
