//! What element-wise operations compute, as formulas: the one table from which nodes of ONNX and lines of C and Rust are made.

use autograd::{Attribute, Attributes};
use std::f64::consts::{FRAC_1_SQRT_2, LN_2};
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A function that every target has, or is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Neg,
    Abs,
    Floor,
    Ceil,
    RoundEven,
    Sqrt,
    Exp,
    ExpM1,
    Log,
    Log1p,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Sinh,
    Cosh,
    Tanh,
    Asinh,
    Acosh,
    Atanh,
    Erf,
    Erfc,
    Add,
    Sub,
    Mul,
    Div,
    Pow,
    Atan2,
    Hypot,
    /// The remainder of a division, with the sign of what is divided.
    Mod,
    Less,
    Equal,
    Or,
    Not,
}

/// A formula of operands, which are known by their places.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Formula {
    Number(f64),
    Operand(usize),
    Call(Function, Vec<Formula>),
    /// The second where the first is true, else the third.
    Select(Box<[Formula; 3]>),
}

use Formula::{Number, Operand};

pub(crate) fn call<const N: usize>(function: Function, arguments: [Formula; N]) -> Formula {
    Formula::Call(function, arguments.into())
}

pub(crate) fn select(condition: Formula, then: impl Into<Formula>, otherwise: impl Into<Formula>) -> Formula {
    Formula::Select(Box::new([condition, then.into(), otherwise.into()]))
}

impl From<f64> for Formula {
    fn from(x: f64) -> Self {
        Number(x)
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident),*) => {$(
        impl<B: Into<Formula>> $trait<B> for Formula {
            type Output = Formula;
            fn $method(self, b: B) -> Formula {
                call(Function::$trait, [self, b.into()])
            }
        }
        impl $trait<Formula> for f64 {
            type Output = Formula;
            fn $method(self, b: Formula) -> Formula {
                call(Function::$trait, [Number(self), b])
            }
        }
    )*};
}
operators!(Add add, Sub sub, Mul mul, Div div);

impl Neg for Formula {
    type Output = Self;
    fn neg(self) -> Self {
        call(Function::Neg, [self])
    }
}

impl Formula {
    /// Whether an operand is in it.
    pub(crate) fn has(&self, operand: usize) -> bool {
        match self {
            Number(_) => false,
            Operand(i) => *i == operand,
            Self::Call(_, arguments) => arguments.iter().any(|argument| argument.has(operand)),
            Self::Select(parts) => parts.iter().any(|part| part.has(operand)),
        }
    }

    fn of(self, function: Function) -> Self {
        call(function, [self])
    }
    pub(crate) fn less(self, b: impl Into<Self>) -> Self {
        call(Function::Less, [self, b.into()])
    }
    fn above(self, b: impl Into<Self>) -> Self {
        b.into().less(self)
    }
    fn equals(self, b: impl Into<Self>) -> Self {
        call(Function::Equal, [self, b.into()])
    }
    fn or(self, b: Self) -> Self {
        call(Function::Or, [self, b])
    }
    /// 1 where a condition is true, else 0.
    fn mask(self) -> Self {
        select(self, 1.0, 0.0)
    }
    pub(crate) fn log(self) -> Self {
        self.of(Function::Log)
    }
    pub(crate) fn asinh(self) -> Self {
        self.of(Function::Asinh)
    }
    pub(crate) fn floor(self) -> Self {
        self.of(Function::Floor)
    }
    fn abs(self) -> Self {
        self.of(Function::Abs)
    }
    fn exp(self) -> Self {
        self.of(Function::Exp)
    }
    fn square(self) -> Self {
        self.clone() * self
    }
}

/// `ln(1 + e^−|x|)`, which every logistic function is made of.
fn tail(x: Formula) -> Formula {
    (-x.abs()).exp().of(Function::Log1p)
}

/// `max(x, 0)`, and NaN for NaN.
fn positive(x: Formula) -> Formula {
    select(x.clone().less(0.0), 0.0, x)
}

/// The normal distribution function.
fn normal(x: Formula) -> Formula {
    0.5 * (x * -FRAC_1_SQRT_2).of(Function::Erfc)
}

/// Coefficients of `P` and `Q` in `e^(a²/2)·Φ(−a)·(1 + a) = P(t)/Q(t)`, with `t = 1/(1 + a/2)`, for `a ≥ 0`: errors of 7e-17 of its
/// logarithm, and of less of the first two derivatives of that.
const MILLS: [&[f64]; 2] = [
    &[
        0.39894228040143276,
        1.8347143836855129,
        7.687532074620276,
        20.06233827275829,
        43.24874993201348,
        69.99705922669744,
        90.05565205582134,
        86.42099754435077,
        57.224027678918425,
        16.399113748640524,
        -11.59171569649444,
        -15.199430066092646,
    ],
    &[
        1.0,
        4.098946950018583,
        16.970311785310717,
        40.9039317439495,
        84.66386378604425,
        127.21952613841053,
        155.05355251732104,
        141.46127406840122,
        97.89595917975717,
        47.215181499358735,
        14.49225301701911,
        2.100844423057543,
        0.0003177619924384328,
    ],
];

/// `(x + 3)/6` within 0 and 1; NaN for NaN. The sum is exact where it cancels.
fn hardsigmoid(x: Formula) -> Formula {
    let y = (x + 3.0) / 6.0;
    extreme(extreme(y, Number(0.0), true), Number(1.0), false)
}

fn softplus(x: Formula) -> Formula {
    positive(x.clone()) + tail(x)
}

/// The larger of two, or the smaller: NaN where one is.
fn extreme(a: Formula, b: Formula, largest: bool) -> Formula {
    let wins = if largest { b.clone().less(a.clone()) } else { a.clone().less(b.clone()) };
    select(wins.or(is_nan(a.clone())), a, b)
}

/// The remainder with the sign of the divisor.
fn remainder(a: Formula, b: Formula) -> Formula {
    let rest = call(Function::Mod, [a, b.clone()]);
    let below = select(b.clone().above(0.0), rest.clone() + b.clone(), rest.clone());
    let above = select(b.clone().less(0.0), rest.clone() + b, rest.clone());
    select(rest.clone().less(0.0), below, select(rest.clone().above(0.0), above, rest))
}

fn is_nan(x: Formula) -> Formula {
    call(Function::Not, [x.clone().equals(x)])
}

fn power(x: Formula, exponent: f64) -> Formula {
    if exponent == 0.0 {
        Number(1.0)
    } else if exponent == 1.0 {
        x
    } else if exponent == 2.0 {
        x.square()
    } else if exponent == 3.0 {
        x.clone() * x.square()
    } else if exponent == -1.0 {
        1.0 / x
    } else if exponent == 0.5 {
        x.of(Function::Sqrt)
    } else if exponent == -0.5 {
        1.0 / x.of(Function::Sqrt)
    } else {
        call(Function::Pow, [x, Number(exponent)])
    }
}

/// The number that an operation was told under this name.
pub(crate) fn number(attributes: &Attributes, name: &str) -> Option<f64> {
    attributes.iter().find(|(known, _)| *known == name).and_then(|(_, value)| match value {
        Attribute::Number(x) => Some(*x),
        Attribute::Integer(i) => Some(*i as f64),
        Attribute::Flag(_) | Attribute::Integers(_) => None,
    })
}

/// The formula of an element-wise operation; `None` where the table has none.
pub(crate) fn of(op: &str, attributes: &Attributes) -> Option<Formula> {
    let parameter = |name: &str| number(attributes, name);
    let (x, y) = (Operand(0), Operand(1));
    one(op, x.clone(), &parameter).or_else(|| smooth(op, x.clone())).or_else(|| two(op, x, y))
}

/// Functions of one operand that are a function of the targets, or piecewise.
fn one(op: &str, x: Formula, parameter: &dyn Fn(&str) -> Option<f64>) -> Option<Formula> {
    use Function as F;
    let function = match op {
        "neg" => F::Neg,
        "abs" => F::Abs,
        "floor" => F::Floor,
        "ceil" => F::Ceil,
        "round" => F::RoundEven,
        "exp" => F::Exp,
        "expm1" => F::ExpM1,
        "log" => F::Log,
        "log1p" => F::Log1p,
        "sqrt" => F::Sqrt,
        "sin" => F::Sin,
        "cos" => F::Cos,
        "tan" => F::Tan,
        "asin" => F::Asin,
        "acos" => F::Acos,
        "atan" => F::Atan,
        "sinh" => F::Sinh,
        "cosh" => F::Cosh,
        "tanh" => F::Tanh,
        "asinh" => F::Asinh,
        "acosh" => F::Acosh,
        "atanh" => F::Atanh,
        "erf" => F::Erf,
        "erfc" => F::Erfc,
        _ => {
            return Some(match op {
                "stop_gradient" | "numbers" => x,
                "to_index" => {
                    let (down, last) = (x.floor(), parameter("places")? - 1.0);
                    let within = select(down.clone().less(last), down.clone(), last);
                    select(down.above(0.0), within, 0.0)
                }
                "add_scalar" => x + parameter("offset")?,
                "mul_scalar" => x * parameter("factor")?,
                "div_scalar" => x / parameter("divisor")?,
                "sign" => select(x.clone().above(0.0), 1.0, select(x.clone().less(0.0), -1.0, x)),
                "reciprocal" => 1.0 / x,
                "exp2" => call(F::Pow, [Number(2.0), x]),
                "log2" => x.of(F::Log) / std::f64::consts::LN_2,
                "log10" => x.of(F::Log) / std::f64::consts::LN_10,
                "cbrt" => {
                    let root = call(F::Pow, [x.clone().abs(), Number(1.0 / 3.0)]);
                    select(x.less(0.0), -root.clone(), root)
                }
                "power_of" => call(F::Pow, [Number(parameter("base")?), x]),
                "tanhshrink" => {
                    // Lambert's fraction near 0, where the difference cancels.
                    let square = x.clone() * x.clone();
                    let below = [19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0];
                    let t = below.into_iter().fold(square.clone() / 21.0, |t, n| square.clone() / (t + n));
                    let near = x.clone() * (t.clone() / (t + 1.0));
                    select(x.clone().abs().less(1.5), near, x.clone() - x.of(F::Tanh))
                }
                "logit" => x.clone().of(F::Log) - (-x).of(F::Log1p),
                "log_cosh" => {
                    let near = (x.clone().of(F::Sinh) * (0.5 * x.clone()).of(F::Tanh)).of(F::Log1p);
                    let far =
                        x.clone().abs() + ((-2.0 * x.clone().abs()).of(F::Exp).of(F::Log1p) - std::f64::consts::LN_2);
                    select(x.abs().less(1.0), near, far)
                }
                "rsqrt" => 1.0 / x.of(F::Sqrt),
                "square" => x.square(),
                "pow_scalar" => power(x, parameter("exponent")?),
                "pow_parts" => power(x, parameter("exponent")? + parameter("rest")?),
                "relu" => positive(x),
                "hardsigmoid" => hardsigmoid(x),
                "hardswish" => select(
                    x.clone().above(-3.0),
                    x.clone() * hardsigmoid(x.clone()),
                    0.0 * extreme(x, Number(0.0), true),
                ),
                "softshrink_by" => {
                    let lambda = parameter("lambda")?;
                    positive(x.clone() - lambda) - positive(-x - lambda)
                }
                "hardshrink_by" => {
                    let lambda = parameter("lambda")?;
                    select(x.clone().abs().above(lambda).or(is_nan(x.clone())), x, 0.0)
                }
                "leaky_relu" => select(x.clone().above(0.0), x.clone(), parameter("negative_slope")? * x),
                "elu" => select(x.clone().above(0.0), x.clone(), parameter("alpha")? * x.of(F::ExpM1)),
                "clamp_to" => {
                    let (low, high) = (parameter("min")?, parameter("max")?);
                    select(x.clone().less(low), low, select(x.clone().above(high), high, x))
                }
                "inside" => {
                    let below_high = x.clone().less(parameter("max")?);
                    select(x.above(parameter("min")?), below_high.mask(), 0.0)
                }
                "step_to" => {
                    let otherwise = select(x.clone().equals(0.0), parameter("at_zero")?, parameter("below")?);
                    select(x.above(0.0), 1.0, otherwise)
                }
                // Any scale does, so that its squares stay in range; see its documentation.
                "unit_scale" => 1.0 / extreme(x.abs(), Number(parameter("floor")?), true),
                _ => return None,
            });
        }
    };
    Some(x.of(function))
}

/// Smooth functions of one operand that are made of others.
fn smooth(op: &str, x: Formula) -> Option<Formula> {
    use Function as F;
    let sigmoid = |x: Formula| 1.0 / (1.0 + (-x).exp());
    Some(match op {
        "sigmoid" => sigmoid(x),
        "log_sigmoid" => -softplus(-x),
        "softplus" => softplus(x),
        "silu" => x.clone() / (1.0 + (-x).exp()),
        "mish" => x.clone() * softplus(x).of(F::Tanh),
        "softsign" => x.clone() / (1.0 + x.abs()),
        "gelu" => x.clone() * normal(x),
        "ndtr" => normal(x),
        "log_ndtr" => {
            // On the left by Mills' ratio: not every target has a complement of the error function that keeps its digits.
            let a = -x.clone();
            let t = 1.0 / (1.0 + 0.5 * a.clone());
            let [above, below] = MILLS.map(|c| c.iter().rev().fold(Number(0.0), |sum, &c| sum * t.clone() + c));
            let left = (above / below).log() - (a.clone().of(F::Log1p) + 0.5 * a.clone().square());
            select(x.less(0.0), left, (-normal(a)).of(F::Log1p))
        }
        "gelu_tanh" => {
            let inner = 1.5957691216057308 * (x.clone() + 0.044715 * (x.clone() * x.clone().square()));
            x * sigmoid(inner)
        }
        _ => return None,
    })
}

/// Functions of two operands, and the choice among two.
fn two(op: &str, a: Formula, b: Formula) -> Option<Formula> {
    use Function as F;
    let zero_stays = |product: Formula, a: Formula| select(a.equals(0.0), 0.0, product);
    Some(match op {
        "add" => a + b,
        "sub" => a - b,
        "mul" => a * b,
        "div" => a / b,
        "zmul" => zero_stays(a.clone() * b, a),
        "zdiv" => zero_stays(a.clone() / b, a),
        "pow" => call(F::Pow, [a, b]),
        "atan2" => call(F::Atan2, [a, b]),
        "hypot" => call(F::Hypot, [a, b]),
        "rem" => remainder(a, b),
        "maximum" => extreme(a, b, true),
        "minimum" => extreme(a, b, false),
        "logaddexp" => {
            select(a.clone().equals(b.clone()), a.clone() + LN_2, extreme(a.clone(), b.clone(), true) + tail(a - b))
        }
        "xlogy" => zero_stays(a.clone() * b.of(F::Log), a),
        "xlog1py" => zero_stays(a.clone() * b.of(F::Log1p), a),
        "eq" => a.equals(b).mask(),
        "ne" => select(a.equals(b), 0.0, 1.0),
        "lt" => a.less(b).mask(),
        "gt" => a.above(b).mask(),
        "le" => a.clone().less(b.clone()).or(a.equals(b)).mask(),
        "ge" => a.clone().above(b.clone()).or(a.equals(b)).mask(),
        "gate" => select(b.above(0.0), a, 0.0),
        "keep" => select(b.equals(0.0), 0.0, a),
        "discard" => select(b.equals(0.0), a, 0.0),
        // The mask, and what is taken where it is not 0 and where it is.
        "where" => select(a.equals(0.0), Operand(2), b),
        _ => return None,
    })
}

/// What is made of a date beside the time that has passed: sine and cosine of the time of the year are the last two formulas. Each is an
/// operand of the later ones; the days from 1970-01-01 are operand 0.
pub(crate) fn date() -> Vec<Formula> {
    let mut formulas = vec![Operand(0).floor()];
    formulas.extend(day_of_year());
    let angle = std::f64::consts::TAU * Operand(formulas.len()) / 366.0;
    formulas.push(angle);
    let angle = Operand(formulas.len());
    formulas.extend([angle.clone().of(Function::Sin), angle.of(Function::Cos)]);
    formulas
}

/// The day in the year from 0, of whole days from 1970-01-01, which are operand 1: the algorithm of Hinnant, "chrono-compatible low-level
/// date algorithms". Each formula is an operand of the later ones.
fn day_of_year() -> Vec<Formula> {
    let over = |x: Formula, n: f64| (x / n).floor();
    let shifted = Operand(1) + 719_468.0;
    let [of_era, year, from_march] = [2, 3, 4].map(Operand);
    let part = |x: &Formula, n: f64| over(x.clone(), n);
    let leap = select(
        (part(&year, 4.0) * 4.0).equals(year.clone()),
        select((part(&year, 100.0) * 100.0).equals(year.clone()), year.clone().equals(0.0).mask(), 1.0),
        0.0,
    );
    vec![
        shifted.clone() - over(shifted, 146_097.0) * 146_097.0,
        over(of_era.clone() - part(&of_era, 1460.0) + part(&of_era, 36_524.0) - part(&of_era, 146_096.0), 365.0),
        of_era - (365.0 * year.clone() + part(&year, 4.0) - part(&year, 100.0)),
        select(from_march.clone().less(306.0), from_march.clone() + 59.0 + leap, from_march - 306.0),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use Function as F;

    /// What a formula gives, by the standard library.
    pub(crate) fn evaluate(formula: &Formula, operands: &[f64]) -> f64 {
        let truth = |x: bool| f64::from(u8::from(x));
        match formula {
            Number(x) => *x,
            Operand(i) => operands[*i],
            Formula::Select(parts) => {
                let [condition, a, b] = &**parts;
                evaluate(if evaluate(condition, operands) == 0.0 { b } else { a }, operands)
            }
            Formula::Call(function, arguments) => {
                let x: Vec<f64> = arguments.iter().map(|a| evaluate(a, operands)).collect();
                match function {
                    F::Neg => -x[0],
                    F::Abs => x[0].abs(),
                    F::Floor => x[0].floor(),
                    F::Ceil => x[0].ceil(),
                    F::RoundEven => x[0].round_ties_even(),
                    F::Sqrt => x[0].sqrt(),
                    F::Exp => x[0].exp(),
                    F::ExpM1 => x[0].exp_m1(),
                    F::Log => x[0].ln(),
                    F::Log1p => x[0].ln_1p(),
                    F::Sin => x[0].sin(),
                    F::Cos => x[0].cos(),
                    F::Tan => x[0].tan(),
                    F::Asin => x[0].asin(),
                    F::Acos => x[0].acos(),
                    F::Atan => x[0].atan(),
                    F::Sinh => x[0].sinh(),
                    F::Cosh => x[0].cosh(),
                    F::Tanh => x[0].tanh(),
                    F::Asinh => x[0].asinh(),
                    F::Acosh => x[0].acosh(),
                    F::Atanh => x[0].atanh(),
                    F::Erf => libm::erf(x[0]),
                    F::Erfc => libm::erfc(x[0]),
                    F::Add => x[0] + x[1],
                    F::Sub => x[0] - x[1],
                    F::Mul => x[0] * x[1],
                    F::Div => x[0] / x[1],
                    F::Pow => x[0].powf(x[1]),
                    F::Atan2 => x[0].atan2(x[1]),
                    F::Hypot => x[0].hypot(x[1]),
                    F::Mod => x[0] % x[1],
                    F::Less => truth(x[0] < x[1]),
                    F::Equal => truth(x[0] == x[1]),
                    F::Or => truth(x[0] != 0.0 || x[1] != 0.0),
                    F::Not => truth(x[0] == 0.0),
                }
            }
        }
    }

    #[test]
    fn days_of_the_year_are_those_of_the_calendar() {
        let formulas = day_of_year();
        let of = |day: f64| {
            let mut operands = vec![day, day];
            for formula in &formulas {
                operands.push(evaluate(formula, &operands));
            }
            *operands.last().unwrap()
        };
        // Walked day by day through four centuries, and before 1970.
        let (mut day, mut year) = (-719_162.0, 1); // 0001-01-01
        while year < 2420 {
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = if leap { 366 } else { 365 };
            for place in [0, 1, 31, 58, 59, 60, 150, length - 1] {
                assert_eq!(of(day + f64::from(place)), f64::from(place), "day {place} of {year}");
            }
            (day, year) = (day + f64::from(length), year + 1);
        }
    }
}
