//! What an element-wise operation consists of, as code does it: each step an instruction or two.

/// What a step does with its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Add,
    Sub,
    Mul,
    Div,
    Sqrt,
    /// Bit by bit.
    And,
    Or,
    Xor,
    /// To an integer.
    Round(Rounding),
    /// The third operand where the first compares with the second, else the fourth.
    Choose(Comparison),
}

/// Which integer, with the numbers that the instruction has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rounding {
    /// Ties to even.
    Nearest = 8,
    Below = 9,
    Above = 10,
}

/// What is compared, with the numbers that the instruction has for it: never where one is NaN, but for [`Comparison::NotEqual`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal = 0x00,
    NotEqual = 0x04,
    Less = 0x11,
    LessOrEqual = 0x12,
    GreaterOrEqual = 0x1D,
    Greater = 0x1E,
}

/// An operand of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Term {
    /// One of the operation's.
    Arg(u8),
    /// What an earlier step made.
    Step(u8),
    Constant(Constant),
}

/// What is the same for all elements and in all runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Constant {
    Number(f64),
    /// The sign alone, and all bits but that.
    Sign,
    Magnitude,
}

/// One step; operands that it has not are its first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Step {
    pub(crate) op: Op,
    pub(crate) of: [Term; 4],
}

/// The steps of an operation, of which the last one makes its result.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Formula(pub(crate) Vec<Step>);

impl Formula {
    fn step(&mut self, op: Op, of: [Term; 4]) -> Term {
        self.0.push(Step { op, of });
        Term::Step((self.0.len() - 1) as u8)
    }

    pub(crate) fn unary(&mut self, op: Op, x: Term) -> Term {
        self.step(op, [x; 4])
    }

    pub(crate) fn binary(&mut self, op: Op, x: Term, y: Term) -> Term {
        self.step(op, [x, y, x, x])
    }

    /// `x compares with y ? a : b`
    pub(crate) fn choose(&mut self, comparison: Comparison, [x, y]: [Term; 2], a: Term, b: Term) -> Term {
        self.step(Op::Choose(comparison), [x, y, a, b])
    }

    /// `x + y`
    pub(crate) fn add(&mut self, x: Term, y: Term) -> Term {
        self.binary(Op::Add, x, y)
    }

    /// `x − y`
    pub(crate) fn sub(&mut self, x: Term, y: Term) -> Term {
        self.binary(Op::Sub, x, y)
    }

    /// `x · y`
    pub(crate) fn mul(&mut self, x: Term, y: Term) -> Term {
        self.binary(Op::Mul, x, y)
    }

    /// `x / y`
    pub(crate) fn div(&mut self, x: Term, y: Term) -> Term {
        self.binary(Op::Div, x, y)
    }

    /// `−x`
    pub(crate) fn neg(&mut self, x: Term) -> Term {
        self.binary(Op::Xor, x, Term::SIGN)
    }

    /// `|x|`
    pub(crate) fn abs(&mut self, x: Term) -> Term {
        self.binary(Op::And, x, Term::MAGNITUDE)
    }

    /// `√(x + 0)`
    pub(crate) fn sqrt(&mut self, x: Term) -> Term {
        let x = self.add(x, Term::ZERO);
        self.unary(Op::Sqrt, x)
    }

    /// `y`, but 0 where `g` is 0.
    pub(crate) fn unless_zero(&mut self, g: Term, y: Term) -> Term {
        self.choose(Comparison::Equal, [g, Term::ZERO], Term::ZERO, y)
    }

    /// `g · p`, but 0 where `g` is 0.
    pub(crate) fn zmul(&mut self, g: Term, p: Term) -> Term {
        let product = self.mul(g, p);
        self.unless_zero(g, product)
    }
}

impl Term {
    pub(crate) const ZERO: Self = Self::number(0.0);
    pub(crate) const ONE: Self = Self::number(1.0);
    pub(crate) const SIGN: Self = Self::Constant(Constant::Sign);
    pub(crate) const MAGNITUDE: Self = Self::Constant(Constant::Magnitude);

    pub(crate) const fn number(x: f64) -> Self {
        Self::Constant(Constant::Number(x))
    }
}
