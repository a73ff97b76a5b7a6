//! What goes along one axis.

use super::{behind, condition, constant};
use crate::formula::{Formula, Function, call};
use crate::forward::Node;
use crate::source::nest::Lines;
use crate::strided::flag;

/// A row of an operand along an axis, and where its result goes.
pub(super) struct Row {
    pub(super) y: String,
    pub(super) to: String,
    pub(super) x: String,
    pub(super) from: String,
    pub(super) along: i64,
    pub(super) size: usize,
}

impl Row {
    /// An element of the row, by an index.
    fn element(&self, index: &str) -> String {
        format!("{}[{}]", self.x, behind(&self.from, index, self.along))
    }

    /// That of a result that is as long as the row.
    fn result(&self, index: &str) -> String {
        format!("{}[{}]", self.y, behind(&self.to, index, self.along))
    }

    pub(super) fn write(&self, lines: &mut Lines, node: &Node) {
        let syntax = lines.syntax;
        let (zero, size) = (syntax.number(0.0), self.size);
        let of = |function: Function, arguments: &[&str]| {
            let formulas = (0..arguments.len()).map(Formula::Operand).collect();
            let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
            syntax.formula(&Formula::Call(function, formulas), &arguments)
        };
        match node.op {
            "max" | "min" | "argmax" | "argmin" => {
                let sign = if node.op.ends_with("max") { ">" } else { "<" };
                let is_place = node.op.starts_with("arg");
                lines.variable("best", &self.element("0"));
                if is_place {
                    lines.variable("at", &zero);
                }
                lines.over("p", size, |lines| {
                    constant(lines, "a", &self.element("p"));
                    let wins = format!("a {sign} best || (a != a && best == best)");
                    lines.block(condition(syntax.language, &wins), |lines| {
                        lines.line("best = a;");
                        if is_place {
                            lines.line(format!("at = {};", syntax.cast("p")));
                        }
                    });
                });
                lines.line(format!("{}[{}] = {};", self.y, self.to, if is_place { "at" } else { "best" }));
            }
            "norm" => {
                lines.variable("sum", &zero);
                // No square overflows.
                lines.over("p", size, |lines| {
                    lines.line(format!("sum = {};", of(Function::Hypot, &["sum", &self.element("p")])));
                });
                lines.line(format!("{}[{}] = sum;", self.y, self.to));
            }
            "cumsum" => {
                lines.variable("sum", &zero);
                let reverse = flag(&node.attributes, "reverse");
                let index = if reverse { format!("({} - p)", size - 1) } else { "p".to_owned() };
                lines.over("p", size, |lines| {
                    lines.line(format!("sum += {};", self.element(&index)));
                    lines.line(format!("{} = sum;", self.result(&index)));
                });
            }
            _ => self.exponentials(lines, node.op),
        }
    }

    /// Softmax, its logarithm, and the logarithm of the sum: of what is left when the largest element is taken away.
    fn exponentials(&self, lines: &mut Lines, op: &str) {
        let syntax = lines.syntax;
        let zero = syntax.number(0.0);
        let exp = |text: &str| {
            let formula = call(Function::Exp, [call(Function::Sub, [Formula::Operand(0), Formula::Operand(1)])]);
            syntax.formula(&formula, &[text.to_owned(), "best".to_owned()])
        };
        let log_sum = syntax.formula(&call(Function::Log, [Formula::Operand(0)]), &["sum".to_owned()]);
        lines.variable("best", &self.element("0"));
        lines.over("p", self.size, |lines| {
            let element = self.element("p");
            lines.block(condition(syntax.language, &format!("{element} > best")), |lines| {
                lines.line(format!("best = {element};"));
            });
        });
        lines.variable("sum", &zero);
        lines.over("p", self.size, |lines| {
            let element = exp(&self.element("p"));
            if op == "softmax" {
                lines.line(format!("{} = {element};", self.result("p")));
                lines.line(format!("sum += {};", self.result("p")));
            } else {
                lines.line(format!("sum += {element};"));
            }
        });
        match op {
            "logsumexp" => lines.line(format!("{}[{}] = best + {log_sum};", self.y, self.to)),
            "softmax" => lines.over("p", self.size, |lines| lines.line(format!("{} /= sum;", self.result("p")))),
            _ => {
                constant(lines, "total", &log_sum);
                lines.over("p", self.size, |lines| {
                    lines.line(format!("{} = {} - best - total;", self.result("p"), self.element("p")));
                });
            }
        }
    }
}
