//! Negative zeros.

use crate::float::Float;
use crate::ops::binary::Binary;
use crate::ops::table::Kind;
use crate::ops::unary::Unary;
use crate::tape::op::Arity;

/// Whether what an operation makes has no negative zeros, given whether operands have none: a sum has one where all its terms are, a
/// difference where a negative zero is less a positive one.
#[allow(clippy::wildcard_enum_match_arm, reason = "a few of a large table")]
pub(super) fn has_no_negative_zeros<T: Float>(kind: &Kind<T>, args: &[u32], have_none: impl Fn(u32) -> bool) -> bool {
    match kind {
        // Elements are added to zeros.
        Kind::AddAt(op) => op.0.name != "pad",
        Kind::Binary(Arity(Binary::Add)) => args.iter().any(|&arg| have_none(arg)),
        Kind::Binary(Arity(Binary::Sub)) => have_none(args[0]),
        Kind::Binary(Arity(Binary::Mul)) => args[0] == args[1],
        Kind::Unary(Arity(Unary::Square {})) => true,
        Kind::Unary(Arity(Unary::AddScalar { offset })) => {
            !T::of(*offset).to_f64().is_sign_negative() || T::of(*offset) != T::ZERO
        }
        _ => false,
    }
}
