//! Negative zeros: which values have none, so that windows that are added to zeros need not be.

use super::{Arg, From, Places};
use crate::float::Float;
use crate::kernels::in_turn::Then;
use crate::ops::binary::Binary;
use crate::ops::table::Kind;
use crate::program::ids::IdSet;
use crate::tape::op::Arity;
use smallvec::SmallVec;

/// What is known of the zeros of a chain's values.
pub(super) struct Zeros {
    /// Values without negative zeros: sums with a positive one have none.
    pub(super) positive: IdSet,
    /// Windows whose elements are added to zeros, and which can be read where they lie, where they may have negative ones.
    raw: IdSet,
}

impl Zeros {
    /// Those of the windows that are seen.
    pub(super) fn of<T: Float>(places: &Places<T>) -> Self {
        let is_raw = |arg: &Arg| matches!(*arg, Arg::Spread(input) if places.in_pieces(input) == Some(true));
        let windows = places.of.iter().filter(|(_, arg)| is_raw(arg)).map(|(&value, _)| value);
        let raw: IdSet = windows.collect();
        Self { positive: raw.clone(), raw }
    }

    /// Whether a window is added to zeros first, and then this follows. It is not where what follows loses negative zeros anyway.
    pub(super) fn adds<T: Float>(&self, then: Then, y: u32, c: From<T>) -> bool {
        let loses = matches!(then, Then::Add | Then::SubFrom)
            && matches!(c, From::Value(c) if self.positive.contains(&c) && !self.raw.contains(&c));
        self.raw.contains(&y) && !loses
    }

    /// The second operand of what follows a value.
    pub(super) fn second<T: Float>(&self, then: Then, y: u32, c: From<T>) -> From<T> {
        match c {
            // A number without a sign of its zero stays what it is if a zero of either sign is added or subtracted.
            From::Value(c)
                if self.raw.contains(&c) && matches!(then, Then::Add | Then::Sub) && self.positive.contains(&y) =>
            {
                From::Raw(c)
            }
            From::Value(_) | From::Tile(_) | From::Raw(_) | From::Number(_) => c,
        }
    }

    /// The operands of an operation by itself.
    pub(super) fn operands<T: Float>(
        &self,
        kind: &Kind<T>,
        mut args: SmallVec<[From<T>; 3]>,
    ) -> SmallVec<[From<T>; 3]> {
        #[allow(clippy::wildcard_enum_match_arm, reason = "two of a large table")]
        let then = match kind {
            Kind::Binary(Arity(Binary::Add)) => Then::Add,
            Kind::Binary(Arity(Binary::Sub)) => Then::Sub,
            _ => return args,
        };
        if let [From::Value(x), From::Value(y)] = args[..] {
            let of = |x: u32, y: u32| {
                if self.raw.contains(&x) { From::Value(y) } else { self.second(then, x, From::Value(y)) }
            };
            args[1] = of(x, y);
            if then == Then::Add {
                args[0] = of(y, x);
            }
        }
        args
    }
}
