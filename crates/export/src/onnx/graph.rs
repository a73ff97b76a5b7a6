//! A graph of ONNX that is being built: nodes by the names of their values.

use super::proto::{Element, Message, Setting, port, tensor, words};
use crate::formula::{Formula, Function, call, select};
use std::collections::{BTreeMap, BTreeSet};
use std::f64::consts::{FRAC_PI_2, LN_2};

/// The version of the operators; all of them, and strings, are in every runtime from 2022 on.
const OPERATORS: i64 = 17;
/// That of the operators for machine learning, of which one is used, for words.
const OPERATORS_OF_WORDS: i64 = 3;
const WORDS: &str = "ai.onnx.ml";

/// The name of a value.
pub(super) type Value = String;

/// A graph that is being built.
#[derive(Default)]
pub(super) struct Graph {
    nodes: Vec<Message>,
    constants: Vec<Message>,
    inputs: Vec<Message>,
    outputs: Vec<Message>,
    taken: BTreeSet<String>,
    scalars: BTreeMap<(u64, i64), Value>,
}

impl Graph {
    /// A name that nothing has, near to this one.
    pub(super) fn own(&mut self, near: &str) -> Value {
        let numbered = (2..).map(|n| format!("{near}_{n}"));
        let name = std::iter::once(near.to_owned()).chain(numbered).find(|name| !self.taken.contains(name));
        let name = name.unwrap_or_default();
        self.taken.insert(name.clone());
        name
    }

    /// An input; its name is as it is given.
    pub(super) fn input(&mut self, name: &str, element: Element, sizes: &[Result<usize, String>]) -> Value {
        self.taken.insert(name.to_owned());
        self.inputs.push(port(name, element, sizes));
        name.to_owned()
    }

    /// Keeps names for outputs, before anything else takes them.
    pub(super) fn reserve<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) {
        self.taken.extend(names.into_iter().map(str::to_owned));
    }

    /// An output, of a name that has been reserved.
    pub(super) fn output(&mut self, name: &str, value: &str, element: Element, sizes: &[Result<usize, String>]) {
        self.outputs.push(port(name, element, sizes));
        self.nodes.push(Message::default().text(1, value).text(2, name).text(3, name).text(4, "Identity"));
    }

    pub(super) fn node(&mut self, op: &str, inputs: &[&str], settings: &[(&str, Setting<'_>)]) -> Value {
        self.node_of("", op, inputs, settings)
    }

    fn node_of(&mut self, domain: &str, op: &str, inputs: &[&str], settings: &[(&str, Setting<'_>)]) -> Value {
        let name = self.own(&op.to_lowercase());
        let node = inputs.iter().fold(Message::default(), |node, input| node.text(1, input));
        let node = node.text(2, &name).text(3, &name).text(4, op);
        let settings: Vec<Message> = settings.iter().map(|(name, setting)| setting.message(name)).collect();
        self.nodes.push(node.messages(5, &settings).text(7, domain));
        name
    }

    /// Numbers of a shape.
    pub(super) fn numbers(&mut self, element: Element, shape: &[usize], numbers: &[f64]) -> Value {
        let name = self.own("constant");
        let bytes: Vec<u8> = if element == Element::Float {
            numbers.iter().flat_map(|&x| (x as f32).to_le_bytes()).collect()
        } else {
            numbers.iter().flat_map(|x| x.to_le_bytes()).collect()
        };
        self.constants.push(tensor(&name, element, shape, &bytes));
        name
    }

    /// One number; the same one is stored once.
    pub(super) fn number(&mut self, element: Element, x: f64) -> Value {
        if let Some(known) = self.scalars.get(&(x.to_bits(), element as i64)) {
            return known.clone();
        }
        let name = self.numbers(element, &[], &[x]);
        self.scalars.insert((x.to_bits(), element as i64), name.clone());
        name
    }

    pub(super) fn integers(&mut self, shape: &[usize], integers: &[i64]) -> Value {
        let name = self.own("constant");
        let bytes: Vec<u8> = integers.iter().flat_map(|i| i.to_le_bytes()).collect();
        self.constants.push(tensor(&name, Element::Int64, shape, &bytes));
        name
    }

    pub(super) fn list(&mut self, integers: &[i64]) -> Value {
        self.integers(&[integers.len()], integers)
    }

    pub(super) fn words(&mut self, of: &[&str]) -> Value {
        let name = self.own("words");
        self.constants.push(words(&name, of));
        name
    }

    pub(super) fn cast(&mut self, value: &str, to: Element) -> Value {
        self.node("Cast", &[value], &[("to", Setting::Integer(to as i64))])
    }

    /// The number that stands beside a word in a list, −1 for others.
    pub(super) fn places(&mut self, value: &str, listed: &[(&str, i64)]) -> Value {
        let (words, places): (Vec<&str>, Vec<i64>) = listed.iter().copied().unzip();
        let settings = [
            ("keys_strings", Setting::Texts(&words)),
            ("values_int64s", Setting::Integers(&places)),
            ("default_int64", Setting::Integer(-1)),
        ];
        self.node_of(WORDS, "LabelEncoder", &[value], &settings)
    }

    /// A formula of values of numbers.
    pub(super) fn formula(
        &mut self,
        formula: &Formula,
        operands: &[&str],
        element: Element,
    ) -> Result<Value, &'static str> {
        match formula {
            Formula::Number(x) => Ok(self.number(element, *x)),
            Formula::Operand(i) => Ok(operands[*i].to_owned()),
            Formula::Select(parts) => {
                let mut values = Vec::with_capacity(3);
                for part in &**parts {
                    values.push(self.formula(part, operands, element)?);
                }
                Ok(self.node("Where", &[&values[0], &values[1], &values[2]], &[]))
            }
            Formula::Call(function, arguments) => {
                if let Some(other) = rewritten(*function, arguments) {
                    return self.formula(&other, operands, element);
                }
                let mut values = Vec::with_capacity(2);
                for argument in arguments {
                    values.push(self.formula(argument, operands, element)?);
                }
                let values: Vec<&str> = values.iter().map(|value| &value[..]).collect();
                match name(*function) {
                    // Runtimes compute these in 32 bits alone.
                    Some(Name::Single(op)) if element == Element::Double => {
                        let narrow = self.cast(values[0], Element::Float);
                        let result = self.node(op, &[&narrow], &[]);
                        Ok(self.cast(&result, element))
                    }
                    Some(Name::Both(op) | Name::Single(op)) => Ok(self.node(op, &values, &[])),
                    None => Err("ONNX has no such function"),
                }
            }
        }
    }

    /// The whole as the bytes of a file.
    pub(super) fn finish(self, name: &str, words: &str, told: &[(String, String)]) -> Vec<u8> {
        let graph = Message::default().messages(1, &self.nodes).text(2, name).messages(5, &self.constants);
        let graph = graph.messages(11, &self.inputs).messages(12, &self.outputs);
        let version = |domain: &str, version: i64| Message::default().text(1, domain).integer(2, version);
        let told: Vec<Message> =
            told.iter().map(|(key, value)| Message::default().text(1, key).text(2, value)).collect();
        let model = Message::default().integer(1, 8).text(2, env!("CARGO_PKG_NAME")).text(3, env!("CARGO_PKG_VERSION"));
        let model = model.text(6, words).message(7, &graph);
        let model = model.messages(8, &[version("", OPERATORS), version(WORDS, OPERATORS_OF_WORDS)]);
        model.messages(14, &told).into_bytes()
    }
}

/// What ONNX calls a function.
enum Name {
    /// In 32 and in 64 bits.
    Both(&'static str),
    /// In 32 bits alone, as far as runtimes go.
    Single(&'static str),
}

fn name(function: Function) -> Option<Name> {
    use Function as F;
    Some(match function {
        F::Neg => Name::Both("Neg"),
        F::Abs => Name::Both("Abs"),
        F::Floor => Name::Both("Floor"),
        F::Ceil => Name::Both("Ceil"),
        F::RoundEven => Name::Both("Round"),
        F::Sqrt => Name::Both("Sqrt"),
        F::Exp => Name::Both("Exp"),
        F::Log => Name::Both("Log"),
        F::Sin => Name::Both("Sin"),
        F::Tanh => Name::Both("Tanh"),
        F::Add => Name::Both("Add"),
        F::Sub => Name::Both("Sub"),
        F::Mul => Name::Both("Mul"),
        F::Div => Name::Both("Div"),
        F::Pow => Name::Both("Pow"),
        F::Less => Name::Both("Less"),
        F::Equal => Name::Both("Equal"),
        F::Or => Name::Both("Or"),
        F::Not => Name::Both("Not"),
        F::Asin => Name::Single("Asin"),
        F::Acos => Name::Single("Acos"),
        F::Atan => Name::Single("Atan"),
        F::Erf => Name::Single("Erf"),
        F::Atan2
        | F::ExpM1
        | F::Log1p
        | F::Cos
        | F::Tan
        | F::Sinh
        | F::Cosh
        | F::Asinh
        | F::Acosh
        | F::Atanh
        | F::Erfc
        | F::Hypot
        | F::Mod => return None,
    })
}

/// A function that ONNX has not, or not in 64 bits, by others.
fn rewritten(function: Function, arguments: &[Formula]) -> Option<Formula> {
    use Function as F;
    let x = arguments.first()?.clone();
    let of = |function: Function, x: Formula| call(function, [x]);
    let root = |x: Formula| of(F::Sqrt, x);
    Some(match function {
        F::ExpM1 => of(F::Exp, x) - 1.0,
        F::Log1p => of(F::Log, 1.0 + x),
        F::Cos => of(F::Sin, x + FRAC_PI_2),
        F::Tan => of(F::Sin, x.clone()) / of(F::Cos, x),
        F::Sinh => 0.5 * (of(F::Exp, x.clone()) - of(F::Exp, -x)),
        F::Cosh => 0.5 * (of(F::Exp, x.clone()) + of(F::Exp, -x)),
        F::Asinh => {
            let size = of(F::Abs, x.clone());
            // Beyond this the square would overflow, and the 1 is lost anyway.
            let large = of(F::Log, size.clone()) + LN_2;
            let small = of(F::Log, size.clone() + root(size.clone() * size.clone() + 1.0));
            let size = select(size.less(1e9), small, large);
            select(x.less(0.0), -size.clone(), size)
        }
        F::Acosh => of(F::Log, x.clone() + root(x.clone() * x - 1.0)),
        F::Atanh => 0.5 * of(F::Log, (1.0 + x.clone()) / (1.0 - x)),
        F::Erfc => 1.0 - of(F::Erf, x),
        F::Hypot => {
            let y = arguments.get(1)?.clone();
            root(x.clone() * x + y.clone() * y)
        }
        F::Mod => {
            // `Mod` of numbers that are not whole is an option that not every runtime has. Next to a multiple the quotient is rounded.
            let y = arguments.get(1)?.clone();
            let ratio = x.clone() / y.clone();
            let whole = select(ratio.clone().less(0.0), -of(F::Floor, -ratio.clone()), of(F::Floor, ratio));
            x - whole * y
        }
        F::Neg
        | F::Abs
        | F::Floor
        | F::Ceil
        | F::RoundEven
        | F::Sqrt
        | F::Exp
        | F::Log
        | F::Sin
        | F::Asin
        | F::Acos
        | F::Atan
        | F::Tanh
        | F::Erf
        | F::Add
        | F::Sub
        | F::Mul
        | F::Div
        | F::Pow
        | F::Atan2
        | F::Less
        | F::Equal
        | F::Or
        | F::Not => return None,
    })
}
