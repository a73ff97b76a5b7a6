//! Which operations are cheap enough to be done in one loop with another.

use super::From;
use crate::float::Float;
use crate::kernels::in_turn::{First, Then};
use crate::ops::binary::Binary;
use crate::ops::table::Kind;
use crate::ops::unary::Unary;
use crate::tape::op::Arity;
use smallvec::{SmallVec, smallvec};

/// A cheap operation as the first of two, or alone, and its operands.
#[allow(clippy::wildcard_enum_match_arm, reason = "the few cheap ones of a large table")]
pub(super) fn first<T: Float>(kind: &Kind<T>, args: &[u32]) -> Option<(First, [From<T>; 2])> {
    let x = From::Value(args[0]);
    if let Kind::Binary(Arity(op)) = kind {
        let first = match op {
            Binary::Add => First::Add,
            Binary::Sub => First::Sub,
            Binary::Mul => First::Mul,
            Binary::Zmul => First::Zmul,
            Binary::Div => First::Div,
            _ => return None,
        };
        return Some((first, [x, From::Value(args[1])]));
    }
    let Kind::Unary(Arity(op)) = kind else { return None };
    match *op {
        Unary::Neg {} => Some((First::Neg, [x, x])),
        Unary::Sqrt {} => Some((First::Sqrt, [x, x])),
        Unary::Square {} => Some((First::Mul, [x, x])),
        Unary::MulScalar { factor } => Some((First::Mul, [x, From::Number(T::of(factor))])),
        Unary::AddScalar { offset } => Some((First::Add, [x, From::Number(T::of(offset))])),
        _ => None,
    }
}

/// An operation as the second of two, in each order of its operands: what follows which operand, and the other one.
#[allow(clippy::wildcard_enum_match_arm, reason = "the few cheap ones of a large table")]
pub(super) fn then<T: Float>(kind: &Kind<T>, args: &[u32]) -> SmallVec<[(Then, u32, From<T>); 2]> {
    let x = args[0];
    if let Kind::Binary(Arity(op)) = kind {
        let (then, turned) = match op {
            Binary::Add => (Then::Add, Then::Add),
            Binary::Sub => (Then::Sub, Then::SubFrom),
            Binary::Mul => (Then::Mul, Then::Mul),
            Binary::Zmul => (Then::Zmul, Then::ZmulOf),
            _ => return smallvec![],
        };
        return smallvec![(then, x, From::Value(args[1])), (turned, args[1], From::Value(x))];
    }
    let Kind::Unary(Arity(op)) = kind else { return smallvec![] };
    match *op {
        // It reads no other operand; a number stands there.
        Unary::Neg {} => smallvec![(Then::Neg, x, From::Number(T::ZERO))],
        Unary::MulScalar { factor } => smallvec![(Then::Mul, x, From::Number(T::of(factor)))],
        Unary::AddScalar { offset } => smallvec![(Then::Add, x, From::Number(T::of(offset)))],
        _ => smallvec![],
    }
}
