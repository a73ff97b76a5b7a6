//! What cheap operations consist of, for code that does them, but for those that go in turn (`cheap.rs`). Each is the expression of its row in the tables of operations, step by step;
//! a test compares the bits.

use crate::float::Float;
use crate::kernels::jit::formula::{Comparison, Formula, Op, Rounding, Term};
use crate::ops::binary::Binary;
use crate::ops::table::Kind;
use crate::ops::unary::Unary;
use crate::tape::op::Arity;

const ZERO: Term = Term::ZERO;
const ONE: Term = Term::ONE;
const NAN: Term = Term::number(f64::NAN);

/// The steps of an operation, if they are few.
#[allow(clippy::wildcard_enum_match_arm, reason = "the few cheap ones of a large table")]
pub(super) fn formula<T: Float>(kind: &Kind<T>) -> Option<Formula> {
    let mut f = Formula::default();
    match kind {
        Kind::Unary(Arity(op)) => unary(*op, &mut f)?,
        Kind::Binary(Arity(op)) => binary(*op, &mut f)?,
        Kind::Select(_) => {
            let [mask, a, b] = [0, 1, 2].map(Term::Arg);
            f.choose(Comparison::Equal, [mask, ZERO], b, a)
        }
        _ => return None,
    };
    Some(f)
}

#[allow(clippy::wildcard_enum_match_arm, reason = "as above")]
fn unary(op: Unary, f: &mut Formula) -> Option<Term> {
    let (x, number) = (Term::Arg(0), Term::number);
    Some(match op {
        Unary::DivScalar { divisor } => f.div(x, number(divisor)),
        Unary::Abs {} => f.abs(x),
        Unary::Sign {} => {
            let one = with_sign_of(f, ONE, x);
            let of_numbers = f.choose(Comparison::Equal, [x, ZERO], x, one);
            f.choose(Comparison::NotEqual, [x, x], x, of_numbers)
        }
        Unary::Floor {} => f.unary(Op::Round(Rounding::Below), x),
        Unary::Ceil {} => f.unary(Op::Round(Rounding::Above), x),
        Unary::Round {} => f.unary(Op::Round(Rounding::Nearest), x),
        Unary::Rsqrt {} => {
            let root = f.unary(Op::Sqrt, x);
            f.div(ONE, root)
        }
        Unary::Reciprocal {} => f.div(ONE, x),
        Unary::LogSlope {} => log_slope(f, x),
        Unary::LogitSlope {} => {
            let rest = f.sub(ONE, x);
            let p = f.mul(x, rest);
            log_slope(f, p)
        }
        Unary::AsinSlope {} => {
            let (less, more) = (f.sub(ONE, x), f.add(ONE, x));
            let product = f.mul(less, more);
            let root = f.unary(Op::Sqrt, product);
            f.div(ONE, root)
        }
        Unary::Softsign {} => {
            let (size, one) = (f.abs(x), with_sign_of(f, ONE, x));
            let more = f.add(ONE, size);
            let quotient = f.div(x, more);
            f.choose(Comparison::Equal, [size, number(f64::INFINITY)], one, quotient)
        }
        Unary::SoftsignSlope {} => {
            let size = f.abs(x);
            let more = f.add(ONE, size);
            let r = f.div(ONE, more);
            f.mul(r, r)
        }
        Unary::AtanhSlope {} => {
            let (size, less, more) = (f.abs(x), f.sub(ONE, x), f.add(ONE, x));
            let product = f.mul(less, more);
            let slope = f.div(ONE, product);
            f.choose(Comparison::Greater, [size, ONE], NAN, slope)
        }
        Unary::PowScalar { exponent } if exponent == 3.0 || exponent == 4.0 => {
            let square = f.mul(x, x);
            f.mul(square, if exponent == 3.0 { x } else { square })
        }
        _ => return piecewise(op, f),
    })
}

/// Functions that are lines piece by piece.
#[allow(clippy::wildcard_enum_match_arm, reason = "as above")]
fn piecewise(op: Unary, f: &mut Formula) -> Option<Term> {
    let (x, number) = (Term::Arg(0), Term::number);
    Some(match op {
        Unary::Relu {} => f.choose(Comparison::Less, [x, ZERO], ZERO, x),
        Unary::LeakyRelu { negative_slope } => {
            let below = f.mul(number(negative_slope), x);
            f.choose(Comparison::Greater, [x, ZERO], x, below)
        }
        Unary::StepTo { below, at_zero } => {
            let not_above = f.choose(Comparison::Equal, [x, ZERO], number(at_zero), number(below));
            f.choose(Comparison::Greater, [x, ZERO], ONE, not_above)
        }
        Unary::Hardsigmoid {} => hard_gate(f, x, 1.0),
        Unary::HardswishSlope {} => hard_gate(f, x, 2.0),
        Unary::Hardswish {} => {
            let gate = hard_gate(f, x, 1.0);
            let product = f.mul(x, gate);
            f.choose(Comparison::LessOrEqual, [x, number(-3.0)], ZERO, product)
        }
        Unary::SoftshrinkBy { lambda } => {
            let (size, shift) = (f.abs(x), with_sign_of(f, number(lambda), x));
            let moved = f.sub(x, shift);
            f.choose(Comparison::LessOrEqual, [size, number(lambda)], ZERO, moved)
        }
        Unary::HardshrinkBy { lambda } => {
            let size = f.abs(x);
            f.choose(Comparison::LessOrEqual, [size, number(lambda)], ZERO, x)
        }
        Unary::ClampTo { min, max } => {
            let not_above = f.choose(Comparison::Greater, [x, number(max)], number(max), x);
            f.choose(Comparison::Less, [x, number(min)], number(min), not_above)
        }
        Unary::Inside { min, max } => {
            let below = f.choose(Comparison::Less, [x, number(max)], ONE, ZERO);
            f.choose(Comparison::Greater, [x, number(min)], below, ZERO)
        }
        _ => return None,
    })
}

#[allow(clippy::wildcard_enum_match_arm, reason = "as above")]
fn binary(op: Binary, f: &mut Formula) -> Option<Term> {
    let [a, b] = [0, 1].map(Term::Arg);
    let mut compared = |comparison| f.choose(comparison, [a, b], ONE, ZERO);
    Some(match op {
        Binary::Equal => compared(Comparison::Equal),
        Binary::NotEqual => compared(Comparison::NotEqual),
        Binary::Less => compared(Comparison::Less),
        Binary::LessEqual => compared(Comparison::LessOrEqual),
        Binary::Greater => compared(Comparison::Greater),
        Binary::GreaterEqual => compared(Comparison::GreaterOrEqual),
        Binary::Zdiv => {
            let quotient = f.div(a, b);
            f.unless_zero(a, quotient)
        }
        Binary::Both | Binary::Weigh => {
            let product = f.zmul(a, b);
            f.unless_zero(b, product)
        }
        Binary::Gate => f.choose(Comparison::Greater, [b, ZERO], a, ZERO),
        Binary::Keep => f.unless_zero(b, a),
        Binary::Discard => f.choose(Comparison::Equal, [b, ZERO], a, ZERO),
        Binary::Maximum => extreme(f, Comparison::Greater, [a, b]),
        Binary::Minimum => extreme(f, Comparison::Less, [a, b]),
        Binary::LargerShare => share(f, Comparison::Greater, [a, b]),
        Binary::SmallerShare => share(f, Comparison::Less, [a, b]),
        Binary::Attains => {
            let of_numbers = f.choose(Comparison::Equal, [a, b], ONE, ZERO);
            f.choose(Comparison::NotEqual, [a, a], ONE, of_numbers)
        }
        Binary::OverNorm => {
            let (size, one) = (f.abs(a), with_sign_of(f, ONE, a));
            let quotient = f.div(a, b);
            let share = f.choose(Comparison::Equal, [b, size], one, quotient);
            f.unless_zero(b, share)
        }
        _ => return None,
    })
}

/// A number above 0 with the sign of another.
fn with_sign_of(f: &mut Formula, size: Term, x: Term) -> Term {
    let sign = f.binary(Op::And, x, Term::SIGN);
    f.binary(Op::Or, sign, size)
}

fn log_slope(f: &mut Formula, p: Term) -> Term {
    let size = f.abs(p);
    let slope = f.div(ONE, size);
    f.choose(Comparison::Less, [p, ZERO], NAN, slope)
}

fn hard_gate(f: &mut Formula, x: Term, slope: f64) -> Term {
    let line = if slope == 1.0 { x } else { f.mul(x, Term::number(slope)) };
    let line = f.add(line, Term::number(3.0));
    let within = f.div(line, Term::number(6.0));
    let below = f.choose(Comparison::GreaterOrEqual, [x, Term::number(3.0)], ONE, within);
    f.choose(Comparison::LessOrEqual, [x, Term::number(-3.0)], ZERO, below)
}

/// The one of two that compares, NaN if either is.
fn extreme(f: &mut Formula, wins: Comparison, [a, b]: [Term; 2]) -> Term {
    let sum = f.add(a, b);
    let of_numbers = f.choose(wins, [a, b], a, b);
    f.choose(Comparison::NotEqual, [a, a], sum, of_numbers)
}

fn share(f: &mut Formula, wins: Comparison, [a, b]: [Term; 2]) -> Term {
    let half = Term::number(0.5);
    let mask = f.choose(wins, [a, b], ONE, ZERO);
    let of_numbers = f.choose(Comparison::Equal, [a, b], half, mask);
    let beside_nan = f.choose(Comparison::NotEqual, [b, b], ZERO, of_numbers);
    let of_nan = f.choose(Comparison::NotEqual, [b, b], half, ONE);
    f.choose(Comparison::NotEqual, [a, a], of_nan, beside_nan)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::jit::tests::run_formula;
    use crate::number::level::tests::at_every_level;
    use crate::ops::select::Select;

    const UNARY: [Unary; 28] = [
        Unary::DivScalar { divisor: 7.0 },
        Unary::Abs {},
        Unary::Sign {},
        Unary::Floor {},
        Unary::Ceil {},
        Unary::Round {},
        Unary::Rsqrt {},
        Unary::Reciprocal {},
        Unary::LogSlope {},
        Unary::LogitSlope {},
        Unary::AsinSlope {},
        Unary::Relu {},
        Unary::LeakyRelu { negative_slope: 0.1 },
        Unary::LeakyRelu { negative_slope: -0.0 },
        Unary::StepTo { below: 0.1, at_zero: -0.0 },
        Unary::Hardsigmoid {},
        Unary::HardswishSlope {},
        Unary::Hardswish {},
        Unary::SoftshrinkBy { lambda: 0.7 },
        Unary::HardshrinkBy { lambda: 0.5 },
        Unary::ClampTo { min: -0.0, max: 0.3 },
        Unary::ClampTo { min: -0.3, max: f64::INFINITY },
        Unary::Inside { min: -0.5, max: 3.0 },
        Unary::Softsign {},
        Unary::SoftsignSlope {},
        Unary::AtanhSlope {},
        Unary::PowScalar { exponent: 3.0 },
        Unary::PowScalar { exponent: 4.0 },
    ];

    const BINARY: [Binary; 18] = [
        Binary::Equal,
        Binary::NotEqual,
        Binary::Less,
        Binary::LessEqual,
        Binary::Greater,
        Binary::GreaterEqual,
        Binary::Zdiv,
        Binary::Both,
        Binary::Weigh,
        Binary::Gate,
        Binary::Keep,
        Binary::Discard,
        Binary::Maximum,
        Binary::Minimum,
        Binary::LargerShare,
        Binary::SmallerShare,
        Binary::OverNorm,
        Binary::Attains,
    ];

    #[test]
    fn code_makes_the_bits_of_the_rows_of_the_tables() {
        fn check<T: Float>(smallest: T) {
            let positive = [T::ZERO, T::ONE, T::INFINITY, T::NAN, T::MAX, T::MIN_POSITIVE, smallest, T::EPSILON]
                .into_iter()
                .chain([0.3, 0.5, 0.7, 1.5, 2.5, 3.0, 3.1, 1e10, 1e-30].map(T::of));
            let some: Vec<T> = positive.flat_map(|x| [x, -x]).collect();
            let pairs = some.iter().flat_map(|&x| some.iter().map(move |&y| [x, y]));
            let args: Vec<[T; 3]> = pairs.zip(some.iter().cycle().skip(5)).map(|([x, y], &z)| [x, y, z]).collect();
            let column = |k: usize| -> Vec<T> { args.iter().map(|args| args[k]).collect() };
            let columns = [column(0), column(1), column(2)];
            let unary = UNARY.map(|op| Kind::<T>::Unary(Arity(op)));
            let binary = BINARY.map(|op| Kind::<T>::Binary(Arity(op)));
            for kind in unary.into_iter().chain(binary).chain([Kind::Select(Arity(Select))]) {
                let formula = formula(&kind).expect("the operation is cheap");
                let mut want = vec![T::ZERO; args.len()];
                let op = T::tile_op(&kind).expect("the operation is element-wise");
                op.run(std::array::from_fn(|k| &columns[k][..]), &mut want, &mut []);
                at_every_level(|level| {
                    for n in [1, 7, 16, args.len()] {
                        let slices = std::array::from_fn(|k| &columns[k][..n]);
                        let Some(y) = run_formula(level, &formula, slices) else { continue };
                        for i in 0..n {
                            let same = y[i].same_bits(want[i]) || (y[i].is_nan() && want[i].is_nan());
                            assert!(same, "{kind:?} of {:?} is {:?}, not {:?}; {level:?}", args[i], y[i], want[i]);
                        }
                    }
                });
            }
        }
        check(f32::from_bits(1));
        check(f64::from_bits(1));
    }
}
