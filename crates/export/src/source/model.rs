//! A model with its columns as source: a row, its features, and what is predicted of it.

use super::language::{Language, Syntax, bare, identifier};
use super::nest::Lines;
use super::{checked, guarded};
use crate::formula::date;
use crate::model::{columns, is_word, numbers, output, scaled, unit};
use crate::{Error, Forward, Number};
use nn::data::{Map, Output, PreparedColumn};
use nn::file::Model;

/// The source.
pub(crate) fn model(
    language: Language,
    model: &Model,
    forward: &Forward,
    name: &str,
    number: Number,
) -> Result<String, Error> {
    let name = checked(name)?;
    let output = output(model)?;
    let wide = Syntax { language, number: Number::F64 };
    let whole = Whole { model, output, wide, number, name, fields: fields(model) };
    let mut lines = Lines::new(wide);
    match language {
        Language::C => guarded(&mut lines, name, &["math.h", "string.h"], |lines| whole.write(lines, forward))?,
        Language::Rust => whole.write(&mut lines, forward)?,
    }
    Ok(lines.into_text())
}

/// The names of the fields of a row: each its own.
fn fields(model: &Model) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    for name in columns(model) {
        let name = identifier(&name);
        let numbered = (2..).map(|n| format!("{name}_{n}"));
        let own = std::iter::once(name.clone()).chain(numbered).find(|own| !fields.contains(own)).unwrap_or(name);
        fields.push(own);
    }
    fields
}

struct Whole<'m> {
    model: &'m Model,
    output: &'m Output,
    /// The syntax of what is prepared: in 64 bits.
    wide: Syntax,
    number: Number,
    name: &'m str,
    fields: Vec<String>,
}

impl Whole<'_> {
    fn is_c(&self) -> bool {
        self.wide.language == Language::C
    }

    fn columns(&self) -> &[PreparedColumn] {
        &self.model.preprocess.columns
    }

    fn width(&self) -> usize {
        self.columns().iter().map(PreparedColumn::width).sum()
    }

    /// A name of the source's own: behind the model's in C, where there are no modules.
    fn own(&self, name: &str) -> String {
        if self.is_c() { format!("{}_{name}", self.name) } else { name.to_owned() }
    }

    fn write(&self, lines: &mut Lines, forward: &Forward) -> Result<(), Error> {
        self.row(lines);
        self.outputs(lines);
        let mut net = Lines::new(Syntax { number: self.number, ..self.wide });
        forward.write(&mut net, &self.own("net"))?;
        lines.inner(net);
        lines.line("");
        self.features(lines);
        lines.line("");
        self.predict(lines);
        if let Output::Classes { names, .. } = self.output {
            lines.line("");
            self.largest(lines, names.len());
        }
        Ok(())
    }

    /// The structure of a row, and in Rust that of its refusal.
    fn row(&self, lines: &mut Lines) {
        lines.comment("A row as it comes: a missing number is NaN, a missing word the empty one, a date the days from 1970-01-01.");
        let fields = |lines: &mut Lines| {
            for (field, column) in self.fields.iter().zip(self.columns()) {
                lines.comment(&format!("{}{}", column.name, unit(self.model, column)));
                lines.line(match (self.is_c(), is_word(column)) {
                    (true, true) => format!("const char *{field};"),
                    (true, false) => format!("double {field};"),
                    (false, true) => format!("pub {field}: &'a str,"),
                    (false, false) => format!("pub {field}: f64,"),
                });
            }
        };
        if self.is_c() {
            lines.block_and("typedef struct", &format!(" {}_row;", self.name), fields);
        } else {
            lines.line("#[derive(Clone, Copy, Debug)]");
            let lifetime = if self.columns().iter().any(is_word) { "<'a>" } else { "" };
            lines.block(format!("pub struct Row{lifetime}"), fields);
        }
        lines.line("");
        if !self.is_c() {
            lines.comment("The column with a cell that is not taken.");
            lines.line("#[derive(Clone, Copy, Debug, PartialEq, Eq)]");
            lines.line("pub struct Refused(pub &'static str);");
            lines.line("");
        }
    }

    /// The type of a borrowed row.
    fn borrowed(&self) -> String {
        if self.is_c() {
            format!("const {}_row *row", self.name)
        } else if self.columns().iter().any(is_word) {
            "row: &Row<'_>".to_owned()
        } else {
            "row: &Row".to_owned()
        }
    }

    /// What the outputs are called, and the intervals of values.
    fn outputs(&self, lines: &mut Lines) {
        let (what, names) = match self.output {
            Output::Classes { names, .. } => ("classes", &names[..]),
            Output::Labels { columns } | Output::Values { columns, .. } => ("outputs", &columns[..]),
        };
        lines.comment(&format!("What the {} are of.", numbers(self.output)));
        self.words(lines, &self.own(what), names);
        lines.line("");
        if !self.model.spread.is_empty() {
            let shown: Vec<String> = self.model.spread.iter().map(|ends| self.pair(*ends)).collect();
            let n = shown.len();
            lines
                .comment("Of each value, what is to be added for the ends of an interval that holds nine rows of ten.");
            lines.line(if self.is_c() {
                format!("static const double {}[{n}][2] = {{{}}};", self.own("spread"), shown.join(", "))
            } else {
                format!("pub const SPREAD: [[f64; 2]; {n}] = [{}];", shown.join(", "))
            });
            lines.line("");
        }
    }

    fn pair(&self, ends: [f64; 2]) -> String {
        let [low, high] = ends.map(|end| self.wide.number(end));
        if self.is_c() { format!("{{{low}, {high}}}") } else { format!("[{low}, {high}]") }
    }

    fn words(&self, lines: &mut Lines, name: &str, words: &[String]) {
        let listed: Vec<String> = words.iter().map(|word| self.wide.language.literal(word)).collect();
        let (n, listed) = (words.len(), listed.join(", "));
        lines.line(if self.is_c() {
            format!("static const char *const {name}[{n}] = {{{listed}}};")
        } else {
            format!("pub const {}: [&str; {n}] = [{listed}];", name.to_uppercase())
        });
    }

    /// From a row to features.
    fn features(&self, lines: &mut Lines) {
        let d = self.width();
        if self.is_c() {
            lines.comment("The features of a row. Gives 0, or the place of the column that is refused, from 1.");
            let opening =
                format!("static inline int {}({}, double features[{d}])", self.own("features"), self.borrowed());
            lines.block(opening, |lines| {
                self.each_column(lines);
                lines.line("return 0;");
            });
        } else {
            lines.comment("The features of a row, or the column that is refused.");
            let opening = format!("pub fn features({}) -> Result<[f64; {d}], Refused>", self.borrowed());
            lines.block(opening, |lines| {
                lines.line(format!("let mut features = [0.0; {d}];"));
                self.each_column(lines);
                lines.line("Ok(features)");
            });
        }
    }

    fn each_column(&self, lines: &mut Lines) {
        let mut at = 0;
        for (place, column) in self.columns().iter().enumerate() {
            lines.block("", |lines| self.column(lines, place, at));
            at += column.width();
        }
    }

    /// A line that refuses the row.
    fn refusal(&self, place: usize) -> String {
        if self.is_c() {
            format!("return {};", place + 1)
        } else {
            format!("return Err(Refused({}));", self.wide.language.literal(&self.columns()[place].name))
        }
    }

    fn condition(&self, condition: &str) -> String {
        if self.is_c() { format!("if ({condition})") } else { format!("if {condition}") }
    }

    fn variable(&self, name: &str, value: &str) -> String {
        if self.is_c() { format!("const double {name} = {value};") } else { format!("let {name} = {value};") }
    }

    fn column(&self, lines: &mut Lines, place: usize, at: usize) {
        let column = &self.columns()[place];
        let feature = |lines: &mut Lines, k: usize, value: &str| {
            lines.line(format!("features[{}] = {};", at + k, bare(value)));
        };
        let field = &self.fields[place];
        let cell = if self.is_c() { format!("row->{field}") } else { format!("row.{field}") };
        let nan = if self.is_c() { format!("isnan({cell})") } else { format!("{cell}.is_nan()") };
        match &column.map {
            Map::Number { fill, logarithm, bend, shift, scale, flag } => {
                self.filled(lines, place, (&cell, &nan), *fill);
                if *logarithm {
                    lines.block(self.condition("x <= 0.0"), |lines| lines.line(self.refusal(place)));
                }
                let value = self.wide.formula(&scaled(*logarithm, *bend, *shift, *scale), &["x".to_owned()]);
                feature(lines, 0, &value);
                if *flag {
                    feature(lines, 1, &self.wide.choice(&nan, "1.0", "0.0"));
                }
            }
            Map::Date { fill, shift, scale, .. } => {
                self.filled(lines, place, (&cell, &nan), *fill);
                let value = self.wide.formula(&scaled(false, None, *shift, *scale), &["x".to_owned()]);
                feature(lines, 0, &value);
                let mut names = vec!["x".to_owned()];
                let formulas = date();
                let last = formulas.len() - 2;
                for (k, formula) in formulas.iter().enumerate() {
                    let value = self.wide.formula(formula, &names);
                    if k < last {
                        let name = format!("d{k}");
                        lines.line(self.variable(&name, bare(&value)));
                        names.push(name);
                    } else {
                        feature(lines, 1 + k - last, &value);
                    }
                }
            }
            Map::OneHot { words, missing, unknown } => {
                self.place(lines, place, (&cell, words), *missing == Some(false), *unknown);
                let each = if self.is_c() {
                    format!("for (int i = 0; i < {}; i++)", column.width())
                } else {
                    format!("for i in 0..{}", column.width())
                };
                lines.block(each, |lines| {
                    let value = self.wide.choice("place == i", "1.0", "0.0");
                    let to = if at == 0 { "i".to_owned() } else { format!("{at} + i") };
                    lines.line(format!("features[{to}] = {};", bare(&value)));
                });
            }
            Map::Index { words, missing, unknown } => {
                self.place(lines, place, (&cell, words), !*missing, *unknown);
                // Missing words come behind the others, other words behind these.
                let other = words.len() + usize::from(*missing);
                let shown = if self.is_c() { "(double)place" } else { "place as f64" };
                let is_other = format!("place > {}", words.len());
                feature(lines, 0, &self.wide.choice(&is_other, &self.wide.number(other as f64), shown));
            }
        }
    }

    /// The number `x` of a cell, with what stands for a missing one.
    fn filled(&self, lines: &mut Lines, place: usize, (cell, nan): (&str, &str), fill: Option<f64>) {
        let infinite = if self.is_c() { format!("isinf({cell})") } else { format!("{cell}.is_infinite()") };
        let refused = if fill.is_none() { format!("{infinite} || {nan}") } else { infinite };
        lines.block(self.condition(&refused), |lines| lines.line(self.refusal(place)));
        let value = match fill {
            Some(fill) => self.wide.choice(nan, &self.wide.number(fill), cell),
            None => cell.to_owned(),
        };
        lines.line(self.variable("x", bare(&value)));
    }

    /// The place of a word: that of the last one and one more where it is missing, two more where it is another one.
    fn place(
        &self,
        lines: &mut Lines,
        place: usize,
        (cell, words): (&str, &[String]),
        no_missing: bool,
        takes_unknown: bool,
    ) {
        let column = &self.columns()[place];
        let n = words.len();
        let marks: Vec<String> = std::iter::once(String::new()).chain(column.missing.iter().cloned()).collect();
        let listed = |words: &[String]| words.iter().map(|word| self.wide.language.literal(word)).collect::<Vec<_>>();
        if self.is_c() {
            lines.line(format!("static const char *const marks[{}] = {{{}}};", marks.len(), listed(&marks).join(", ")));
            lines.line(format!("static const char *const words[{}] = {{{}}};", n.max(1), listed(words).join(", ")));
            lines.line(format!("int place = {cell} == NULL ? {n} : {};", n + 1));
            lines.block(format!("for (int i = {n} - 1; i >= 0 && place > {n}; i--)"), |lines| {
                lines.line(format!("if (strcmp({cell}, words[i]) == 0) place = i;"));
            });
            lines.block(format!("for (int i = 0; i < {} && place != {n}; i++)", marks.len()), |lines| {
                lines.line(format!("if (strcmp({cell}, marks[i]) == 0) place = {n};"));
            });
        } else {
            lines.line(format!("let place = match {cell} {{"));
            let marks = listed(&marks);
            lines.line(format!("    {} => {n},", marks.join(" | ")));
            for (i, word) in
                words.iter().enumerate().filter(|(_, word)| !column.missing.contains(word) && !word.is_empty())
            {
                lines.line(format!("    {} => {i},", self.wide.language.literal(word)));
            }
            lines.line(format!("    _ => {},", n + 1));
            lines.line("};");
        }
        if no_missing {
            lines.block(self.condition(&format!("place == {n}")), |lines| lines.line(self.refusal(place)));
        }
        if !takes_unknown {
            lines.block(self.condition(&format!("place > {n}")), |lines| lines.line(self.refusal(place)));
        }
    }

    /// From a row to what is predicted.
    fn predict(&self, lines: &mut Lines) {
        let (d, k, what) = (self.width(), self.output.width(), numbers(self.output));
        let narrow = Syntax { number: self.number, ..self.wide };
        let element = narrow.element();
        if self.is_c() {
            lines
                .comment(&format!("The {what} of a row. Gives 0, or the place of the column that is refused, from 1."));
            let opening =
                format!("static inline int {}({}, {element} {what}[{k}])", self.own("predict"), self.borrowed());
            lines.block(opening, |lines| {
                lines.line(format!("double features[{d}];"));
                lines.line(format!("{element} x[{d}];"));
                lines.line(format!("const int refused = {}(row, features);", self.own("features")));
                lines.block("if (refused != 0)", |lines| lines.line("return refused;"));
                lines.line(format!("for (int i = 0; i < {d}; i++) x[i] = ({element})features[i];"));
                lines.line(format!("{}(x, {what});", self.own("net")));
                lines.line("return 0;");
            });
        } else {
            lines.comment(&format!("The {what} of a row, or the column that is refused."));
            let opening = format!("pub fn predict({}) -> Result<[{element}; {k}], Refused>", self.borrowed());
            lines.block(opening, |lines| {
                let narrowed = if self.number == Number::F32 { ".map(|x| x as f32)" } else { "" };
                lines.line(format!("let x = features(row)?{narrowed};"));
                lines.line(format!("let mut {what} = [0.0; {k}];"));
                lines.line(format!("net(&x, &mut {what});"));
                lines.line(format!("Ok({what})"));
            });
        }
    }

    /// The place of the largest probability.
    fn largest(&self, lines: &mut Lines, n: usize) {
        let element = Syntax { number: self.number, ..self.wide }.element();
        lines.comment("The place of the class with the largest probability.");
        let opening = if self.is_c() {
            format!("static inline int {}(const {element} probabilities[{n}])", self.own("class"))
        } else {
            format!("pub fn class(probabilities: &[{element}; {n}]) -> usize")
        };
        let is_c = self.is_c();
        lines.block(opening, |lines| {
            lines.line(if is_c { "int best = 0;" } else { "let mut best = 0;" });
            let each = if is_c { format!("for (int i = 1; i < {n}; i++)") } else { format!("for i in 1..{n}") };
            lines.block(each, |lines| {
                lines.block(self.condition("probabilities[i] > probabilities[best]"), |lines| lines.line("best = i;"));
            });
            lines.line(if is_c { "return best;" } else { "best" });
        });
    }
}
