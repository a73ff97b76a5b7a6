//! From what is recorded to loops over arrays.

mod row;

use super::buffers::{Place, is_view};
use super::language::{Language, bare, identifier};
use super::nest::{Lines, place};
use crate::formula::{self, Formula};
use crate::forward::{Node, Recording, Source};
use crate::strided::{self, flag, integer, integers, strides};
use row::Row;

/// The loops of a pass.
pub(super) struct Steps<'r> {
    pub(super) recording: &'r Recording,
    pub(super) places: Vec<Place>,
    /// What the constants' names begin with.
    pub(super) prefix: &'r str,
}

impl Steps<'_> {
    fn node(&self, at: usize) -> &Node {
        &self.recording.nodes[at]
    }

    /// The array of a node's value.
    pub(super) fn array(&self, at: usize, language: Language) -> String {
        match (self.places[at], language) {
            (Place::Input(k), _) => identifier(&self.recording.inputs[k].name),
            (Place::Constant(node), Language::C) => format!("{}_w{node}", self.prefix),
            (Place::Constant(node), Language::Rust) => format!("W{node}"),
            (Place::Buffer(k), _) => format!("t{k}"),
        }
    }

    /// An element of an integer array as an index of an axis of this size.
    fn index(&self, at: usize, text: &str, size: usize, language: Language) -> String {
        let mut root = at;
        while is_view(self.node(root).op) && self.node(root).source == Source::Computed {
            root = self.node(root).operands[0];
        }
        let element = format!("{}[{text}]", self.array(at, language));
        match (&self.node(root).source, language) {
            (Source::Integers(all), Language::C) if all.iter().any(|&i| i < 0) => {
                format!("({element} < 0 ? {element} + {size} : {element})")
            }
            (Source::Integers(all), Language::Rust) if all.iter().any(|&i| i < 0) => {
                format!("(if {element} < 0 {{ {element} + {size} }} else {{ {element} }}) as usize")
            }
            (_, Language::Rust) => format!("{element} as usize"),
            (Source::Computed, Language::C) => format!("(int){element}"),
            (_, Language::C) => element,
        }
    }

    /// The loops of one node, where the languages have a counterpart.
    pub(super) fn write(&self, lines: &mut Lines, at: usize) -> Result<(), &'static str> {
        let node = self.node(at);
        let own = strides(&node.shape);
        if node.custom {
            return Err("it is an operation of your own");
        }
        if is_view(node.op) || node.shape.contains(&0) {
            return Ok(());
        }
        match node.op {
            "matmul" => self.product(lines, at),
            "broadcast_to" | "slice" | "read" | "windows" | "diagonal" => {
                let by = integers(&node.attributes, "strides");
                self.copied(lines, at, integer(&node.attributes, "offset"), by);
            }
            "transpose" => {
                let from = strides(&self.node(node.operands[0]).shape);
                let by: Vec<i64> =
                    integers(&node.attributes, "permutation").iter().map(|&axis| from[axis as usize]).collect();
                self.copied(lines, at, 0, &by);
            }
            "sum" | "pad" | "add_at" | "diag" => self.added(lines, at),
            "concat" => {
                let axis = integer(&node.attributes, "axis") as usize;
                let mut offset = 0;
                for &operand in &node.operands {
                    let shape = &self.node(operand).shape;
                    self.moved(lines, (at, offset, &own), (operand, 0, &strides(shape)), shape, "=");
                    offset += own[axis] * shape[axis] as i64;
                }
            }
            "roll" => {
                let axis = integer(&node.attributes, "axis") as usize;
                let shift = integer(&node.attributes, "shift");
                let mut shape = node.shape.clone();
                for (size, to, from) in
                    [(shift, 0, node.shape[axis] as i64 - shift), (node.shape[axis] as i64 - shift, shift, 0)]
                {
                    shape[axis] = size as usize;
                    let (to, from) = ((at, to * own[axis], &own[..]), (node.operands[0], from * own[axis], &own[..]));
                    self.moved(lines, to, from, &shape, "=");
                }
            }
            "gather" => self.gathered(lines, at),
            "take_along_axis" => self.taken(lines, at),
            "max" | "min" | "argmax" | "argmin" | "norm" | "logsumexp" | "softmax" | "log_softmax" | "cumsum" => {
                self.along(lines, at);
            }
            "pool_argmax" => self.largest_of_windows(lines, at),
            "numbers" => {
                let (y, x) =
                    (self.array(at, lines.syntax.language), self.array(node.operands[0], lines.syntax.language));
                lines.nest(&node.shape, &[(0, &own)], |lines, p| {
                    let value = lines.syntax.cast(&format!("{x}[{}]", p[0]));
                    lines.line(format!("{y}[{}] = {value};", p[0]));
                });
            }
            op => match formula::of(op, &node.attributes) {
                Some(formula) => self.element_wise(lines, at, &formula),
                None => return Err("it has no counterpart there"),
            },
        }
        Ok(())
    }

    fn element_wise(&self, lines: &mut Lines, at: usize, formula: &Formula) {
        let node = self.node(at);
        let language = lines.syntax.language;
        let steps: Vec<Vec<i64>> =
            node.operands.iter().map(|&operand| broadcast(&self.node(operand).shape, node.shape.len())).collect();
        let own = strides(&node.shape);
        let arrays: Vec<(i64, &[i64])> =
            std::iter::once((0, &own[..])).chain(steps.iter().map(|steps| (0, &steps[..]))).collect();
        let y = self.array(at, language);
        lines.nest(&node.shape, &arrays, |lines, places| {
            let operands: Vec<String> = node
                .operands
                .iter()
                .zip(&places[1..])
                .map(|(&operand, place)| format!("{}[{place}]", self.array(operand, language)))
                .collect();
            // An operand that a formula has several times is read once.
            let names: Vec<String> = ["a", "b", "c"].iter().take(operands.len()).map(|&name| name.to_owned()).collect();
            for (name, operand) in
                names.iter().zip(&operands).enumerate().filter(|(i, _)| formula.has(*i)).map(|(_, pair)| pair)
            {
                constant(lines, name, operand);
            }
            let value = lines.syntax.formula(formula, &names);
            lines.line(format!("{y}[{}] = {};", places[0], bare(&value)));
        });
    }

    /// Elements from one array to another, of a shape: each with an offset and strides.
    fn moved(
        &self,
        lines: &mut Lines,
        to: (usize, i64, &[i64]),
        from: (usize, i64, &[i64]),
        shape: &[usize],
        sign: &str,
    ) {
        let language = lines.syntax.language;
        let (y, x) = (self.array(to.0, language), self.array(from.0, language));
        lines.nest(shape, &[(to.1, to.2), (from.1, from.2)], |lines, p| {
            lines.line(format!("{y}[{}] {sign} {x}[{}];", p[0], p[1]));
        });
    }

    fn copied(&self, lines: &mut Lines, at: usize, offset: i64, by: &[i64]) {
        let node = self.node(at);
        self.moved(lines, (at, 0, &strides(&node.shape)), (node.operands[0], offset, by), &node.shape, "=");
    }

    fn added(&self, lines: &mut Lines, at: usize) {
        let node = self.node(at);
        let y = self.array(at, lines.syntax.language);
        lines.nest(&node.shape, &[(0, &strides(&node.shape))], |lines, p| {
            let zero = lines.syntax.number(0.0);
            lines.line(format!("{y}[{}] = {zero};", p[0]));
        });
        let from = &self.node(node.operands[0]).shape;
        if !from.contains(&0) {
            let (offset, by) = (integer(&node.attributes, "offset"), integers(&node.attributes, "strides"));
            self.moved(lines, (at, offset, by), (node.operands[0], 0, &strides(from)), from, "+=");
        }
    }

    fn product(&self, lines: &mut Lines, at: usize) {
        let node = self.node(at);
        let (rank, language) = (node.shape.len(), lines.syntax.language);
        // The strides along the result's axes, and along what is summed.
        let side = |place: usize, name: &str| {
            let shape = &self.node(node.operands[place]).shape;
            let own = strides(shape);
            let batch = broadcast(&shape[..shape.len() - 2], rank - 2).into_iter();
            // Their strides count the matrices behind them.
            let matrix = (shape[shape.len() - 2] * shape[shape.len() - 1]) as i64;
            let mut steps: Vec<i64> = batch.map(|step| step * matrix).collect();
            let (mut row, mut column) = (own[shape.len() - 2], own[shape.len() - 1]);
            if flag(&node.attributes, name) {
                std::mem::swap(&mut row, &mut column);
            }
            let summed = if place == 0 { [row, 0] } else { [0, column] };
            steps.extend(summed);
            (steps, if place == 0 { column } else { row })
        };
        let ((a, along_a), (b, along_b)) = (side(0, "left"), side(1, "right"));
        let shape = &self.node(node.operands[0]).shape;
        let inner = if flag(&node.attributes, "left") { shape[shape.len() - 2] } else { shape[shape.len() - 1] };
        let [left, right] = [0, 1].map(|place| self.array(node.operands[place], language));
        let y = self.array(at, language);
        let own = strides(&node.shape);
        lines.nest(&node.shape, &[(0, &own), (0, &a), (0, &b)], |lines, p| {
            let zero = lines.syntax.number(0.0);
            lines.variable("sum", &zero);
            lines.over("p", inner, |lines| {
                let [a, b] = [(&p[1], along_a), (&p[2], along_b)].map(|(start, by)| behind(start, "p", by));
                lines.line(format!("sum += {left}[{a}] * {right}[{b}];"));
            });
            lines.line(format!("{y}[{}] = sum;", p[0]));
        });
    }

    fn gathered(&self, lines: &mut Lines, at: usize) {
        let node = self.node(at);
        let axis = integer(&node.attributes, "axis") as usize;
        let (x, index) = (node.operands[0], node.operands[1]);
        let (from, by) = (strides(&self.node(x).shape), strides(&self.node(index).shape));
        let around = |fill: &dyn Fn(usize) -> i64, middle: Vec<i64>| -> Vec<i64> {
            let before = (0..axis).map(fill);
            before.chain(middle).chain((axis + 1..from.len()).map(fill)).collect()
        };
        let data = around(&|i| from[i], vec![0; by.len()]);
        let indices = around(&|_| 0, by);
        self.by_index(lines, at, (&data, from[axis]), &indices);
    }

    fn taken(&self, lines: &mut Lines, at: usize) {
        let node = self.node(at);
        let axis = integer(&node.attributes, "axis") as usize;
        let mut data = strides(&self.node(node.operands[0]).shape);
        let along = std::mem::replace(&mut data[axis], 0);
        let indices = strides(&self.node(node.operands[1]).shape);
        self.by_index(lines, at, (&data, along), &indices);
    }

    fn by_index(&self, lines: &mut Lines, at: usize, (data, along): (&[i64], i64), indices: &[i64]) {
        let node = self.node(at);
        let (x, index, language) = (node.operands[0], node.operands[1], lines.syntax.language);
        let size = self.node(x).shape[integer(&node.attributes, "axis") as usize];
        let (y, from) = (self.array(at, language), self.array(x, language));
        lines.nest(&node.shape, &[(0, &strides(&node.shape)), (0, data), (0, indices)], |lines, p| {
            let chosen = self.index(index, &p[2], size, language);
            let by = if along == 1 { format!("({chosen})") } else { format!("{along} * ({chosen})") };
            let base = if p[1] == "0" { by } else { format!("{} + {by}", p[1]) };
            lines.line(format!("{y}[{}] = {from}[{}];", p[0], bare(&base)));
        });
    }

    /// What goes along one axis, or several next to each other: the rows are walked by `p`.
    fn along(&self, lines: &mut Lines, at: usize) {
        let node = self.node(at);
        let x = node.operands[0];
        let (axes, shape) = (strided::along(&node.attributes), &self.node(x).shape);
        let (size, from) = (shape[axes.clone()].iter().product(), strides(shape));
        let without = |steps: &[i64]| [&steps[..axes.start], &steps[axes.end..]].concat();
        let rest = [&shape[..axes.start], &shape[axes.end..]].concat();
        let keeps = node.shape.len() == shape.len();
        let to = if keeps { without(&strides(&node.shape)) } else { strides(&node.shape) };
        let language = lines.syntax.language;
        let (y, from_array, along) = (self.array(at, language), self.array(x, language), from[axes.end - 1]);
        lines.nest(&rest, &[(0, &to), (0, &without(&from))], |lines, p| {
            let row = Row { y, to: p[0].clone(), x: from_array, from: p[1].clone(), along, size };
            row.write(lines, node);
        });
    }

    fn largest_of_windows(&self, lines: &mut Lines, at: usize) {
        let node = self.node(at);
        let language = lines.syntax.language;
        let (y, x) = (self.array(at, language), self.array(node.operands[0], language));
        let from = &self.node(node.operands[0]).shape;
        let pair = |name: &str| <[i64; 2]>::try_from(integers(&node.attributes, name)).unwrap_or_default();
        let (kernel, stride, padding) = (pair("kernel"), pair("stride"), pair("padding"));
        let (h, w) = (from[2], from[3]);
        let [rows, columns] = [node.shape[2], node.shape[3]];
        lines.over("i", node.shape[0] * node.shape[1], |lines| {
            lines.over("j", rows, |lines| {
                lines.over("k", columns, |lines| {
                    let (none, zero) = (lines.syntax.number(-1.0), lines.syntax.number(0.0));
                    lines.variable("at", &none);
                    lines.variable("best", &zero);
                    lines.over("l", kernel[0] as usize, |lines| {
                        lines.over("m", kernel[1] as usize, |lines| {
                            let [top, left] = padding;
                            let row = place(0, &[("j", stride[0]), ("l", 1)]);
                            let column = place(0, &[("k", stride[1]), ("m", 1)]);
                            let within = |place: &str, before: i64, size: usize| {
                                let above = (before > 0).then(|| format!("{place} >= {before}"));
                                above.into_iter().chain([format!("{place} < {}", size as i64 + before)])
                            };
                            let inside = within(&row, top, h).chain(within(&column, left, w));
                            let inside = inside.collect::<Vec<_>>().join(" && ");
                            lines.block(condition(language, &inside), |lines| {
                                let in_plane = format!("({row} - {top}) * {w} + {column} - {left}");
                                constant(lines, "a", &format!("{x}[{} * i + {in_plane}]", h * w));
                                let better = format!("at < {zero} || a > best || (a != a && best == best)");
                                lines.block(condition(language, &better), |lines| {
                                    lines.line("best = a;");
                                    lines.line(format!("at = {};", lines.syntax.cast(&format!("({in_plane})"))));
                                });
                            });
                        });
                    });
                    lines.line(format!("{y}[({rows} * i + j) * {columns} + k] = at;"));
                });
            });
        });
    }
}

/// The strides of an operand along the axes of a result that it broadcasts to.
fn broadcast(shape: &[usize], rank: usize) -> Vec<i64> {
    let own = strides(shape);
    let new = rank - shape.len();
    (0..rank).map(|axis| if axis < new || shape[axis - new] == 1 { 0 } else { own[axis - new] }).collect()
}

/// A place, and some steps behind it.
fn behind(start: &str, index: &str, by: i64) -> String {
    let steps = if index == "0" { String::new() } else { place(0, &[(index, by)]) };
    match (start, &steps[..]) {
        (start, "") => start.to_owned(),
        ("0", steps) => steps.to_owned(),
        (start, steps) => format!("{start} + {steps}"),
    }
}

fn condition(language: Language, condition: &str) -> String {
    match language {
        Language::C => format!("if ({condition})"),
        Language::Rust => format!("if {condition}"),
    }
}

/// A variable that stays as it is.
fn constant(lines: &mut Lines, name: &str, value: &str) {
    let line = match lines.syntax.language {
        Language::C => format!("const {} {name} = {value};", lines.syntax.element()),
        Language::Rust => format!("let {name} = {value};"),
    };
    lines.line(line);
}
