//! A program as a list of statements, each of which makes one array of those before it.

use std::fmt::{self, Write};

/// The number of rows and columns; that of the batch is chosen when it runs.
pub(crate) const WIDTH: usize = 3;

/// The shape of an array, but for the size of the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `[]`
    Scalar,
    /// `[3]`
    Row,
    /// `[n]`
    Column,
    /// `[n, 3]`
    Batch,
    /// `[3, 3]`
    Square,
}

impl Form {
    pub(crate) fn shape(self, n: usize) -> Vec<usize> {
        match self {
            Self::Scalar => vec![],
            Self::Row => vec![WIDTH],
            Self::Column => vec![n],
            Self::Batch => vec![n, WIDTH],
            Self::Square => vec![WIDTH, WIDTH],
        }
    }

    pub(crate) fn numel(self, n: usize) -> usize {
        self.shape(n).iter().product()
    }

    /// The form of two arrays that broadcast against each other.
    pub(crate) fn joined(self, other: Self) -> Option<Self> {
        let is_matrix = |form| matches!(form, Self::Batch | Self::Square);
        match (self, other) {
            (a, b) if a == b || b == Self::Scalar => Some(a),
            (Self::Scalar, a) => Some(a),
            (Self::Row, a) | (a, Self::Row) if is_matrix(a) => Some(a),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unary {
    Sin,
    Tanh,
    Sigmoid,
    Softplus,
    Exp,
    Square,
    Relu,
    Abs,
    /// `1/(1 + x²)`
    Bell,
    /// `√(1 + x²)`
    Root,
    /// `ln(1 + x²)`
    Log,
    /// `0.7 x − 0.2`
    Scale,
    /// The custom operation `0.1 x³`.
    Cube,
    /// The custom operation `x tanh x`, whose rule takes the gradient of that expression.
    ByItsOwnGradient,
    /// The custom operation that solves `y = tanh(x + y/2)/2` for `y`, differentiated implicitly.
    Implicit,
}

impl Unary {
    pub(crate) const ALL: [Self; 15] = [
        Self::Sin,
        Self::Tanh,
        Self::Sigmoid,
        Self::Softplus,
        Self::Exp,
        Self::Square,
        Self::Relu,
        Self::Abs,
        Self::Bell,
        Self::Root,
        Self::Log,
        Self::Scale,
        Self::Cube,
        Self::ByItsOwnGradient,
        Self::Implicit,
    ];
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Add,
    Sub,
    Mul,
    /// `x/(1 + y²)`
    Over,
    /// The custom operation `x sin y`, on equal shapes.
    Mixed,
}

impl Binary {
    pub(crate) const ALL: [Self; 5] = [Self::Add, Self::Sub, Self::Mul, Self::Over, Self::Mixed];
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reduction {
    Sum,
    Mean,
    /// Over the last axis.
    SumRows,
    /// Over the first axis.
    SumColumns,
    /// Over the last axis.
    LogSumExp,
    /// Over the last axis, which stays.
    Softmax,
}

impl Reduction {
    pub(crate) const ALL: [Self; 6] =
        [Self::Sum, Self::Mean, Self::SumRows, Self::SumColumns, Self::LogSumExp, Self::Softmax];

    pub(crate) fn form(self, x: Form) -> Option<Form> {
        match (self, x) {
            (Self::Sum | Self::Mean, Form::Scalar) => None,
            (Self::Sum | Self::Mean, _) | (Self::SumRows | Self::LogSumExp, Form::Row | Form::Column) => {
                Some(Form::Scalar)
            }
            (Self::SumRows | Self::LogSumExp, Form::Batch) => Some(Form::Column),
            (Self::SumRows | Self::LogSumExp, Form::Square) | (Self::SumColumns, Form::Batch | Form::Square) => {
                Some(Form::Row)
            }
            (Self::Softmax, Form::Row | Form::Batch | Form::Square) => Some(x),
            _ => None,
        }
    }
}

/// A part of the program whose statements nothing after it reads; its result is the last of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Block {
    Checkpoint,
    NoGrad,
    /// The body of a loop of two steps that carries one of its operands; what both leave is the same.
    Scan,
}

/// The statement at a place makes the array of that place; operands are places.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Statement {
    /// A part of the state (the first two) or an input.
    Leaf,
    Unary(Unary, usize),
    Binary(Binary, usize, usize),
    Reduce(Reduction, usize),
    Matmul(usize, usize),
    StopGradient(usize),
    /// One of two functions of `x`, by whether the scalar is greater than 0.1.
    Branch {
        scalar: usize,
        yes: Unary,
        no: Unary,
        x: usize,
    },
    /// The block's statements follow, up to its end.
    Open {
        block: Block,
        end: usize,
    },
    /// The block's result, which is the array before.
    Close {
        block: Block,
    },
    /// `d Σy / dx`
    Grad {
        y: usize,
        x: usize,
    },
    /// `d Σ(y · dy) / dx`, `dy` held constant.
    Vjp {
        y: usize,
        x: usize,
        dy: usize,
    },
    /// The derivative of `y` by `x` along `dx`.
    Jvp {
        y: usize,
        x: usize,
        dx: usize,
    },
    /// The derivative of `d Σy / dx` by `x` along `dx`.
    Hvp {
        y: usize,
        x: usize,
        dx: usize,
    },
    /// The mean of the squares of the derivatives of all of `y` by all of `x`.
    Jacobian {
        y: usize,
        x: usize,
    },
}

impl Statement {
    /// The places of its operands.
    pub(crate) fn operands(&self, at: usize) -> Vec<usize> {
        match *self {
            Self::Leaf | Self::Open { .. } => vec![],
            Self::Unary(_, x) | Self::Reduce(_, x) | Self::StopGradient(x) => vec![x],
            Self::Binary(_, x, y) | Self::Matmul(x, y) => vec![x, y],
            Self::Branch { scalar, x, .. } => vec![scalar, x],
            Self::Close { .. } => vec![at - 1],
            Self::Grad { y, x } | Self::Jacobian { y, x } => vec![y, x],
            Self::Vjp { y, x, dy: z } | Self::Jvp { y, x, dx: z } | Self::Hvp { y, x, dx: z } => vec![y, x, z],
        }
    }

    pub(crate) fn is_derivative(&self) -> bool {
        matches!(
            self,
            Self::Grad { .. } | Self::Vjp { .. } | Self::Jvp { .. } | Self::Hvp { .. } | Self::Jacobian { .. }
        )
    }
}

/// A program, and what is known of each of its places.
#[derive(Clone, Debug, Default)]
pub(crate) struct Program {
    pub(crate) seed: u64,
    pub(crate) statements: Vec<Statement>,
    pub(crate) forms: Vec<Form>,
    /// Which places each depends on, itself included.
    pub(crate) depends: Vec<Vec<bool>>,
    /// Where scans start, for the listing.
    pub(crate) scans: Vec<usize>,
    /// The places that are its results.
    pub(crate) results: Vec<usize>,
}

impl Program {
    pub(crate) fn push(&mut self, statement: Statement, form: Form) -> usize {
        let at = self.statements.len();
        let mut depends = vec![false; at + 1];
        depends[at] = true;
        for operand in statement.operands(at) {
            for (on, operand_on) in depends.iter_mut().zip(&self.depends[operand]) {
                *on |= operand_on;
            }
        }
        self.statements.push(statement);
        self.forms.push(form);
        self.depends.push(depends);
        at
    }

    /// Undoes everything from a place on.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.statements.truncate(len);
        self.forms.truncate(len);
        self.depends.truncate(len);
        self.scans.retain(|&scan| scan < len);
    }

    /// The statements that a place depends on, one a line.
    pub(crate) fn listing(&self, of: impl Fn(usize) -> bool) -> String {
        let mut text = String::new();
        for (at, statement) in self.statements.iter().enumerate() {
            if self.scans.contains(&at) {
                text += "// a scan\n";
            }
            let shown = if let Statement::Open { end, .. } = statement { *end } else { at };
            if of(shown) {
                let _ = writeln!(text, "{}", self.line(at));
            }
        }
        text
    }

    fn line(&self, at: usize) -> String {
        match self.statements[at] {
            Statement::Leaf => format!("let v{at} = leaf; // {:?}", self.forms[at]),
            Statement::Unary(f, x) => format!("let v{at} = {f:?}(v{x});"),
            Statement::Binary(f, x, y) => format!("let v{at} = {f:?}(v{x}, v{y});"),
            Statement::Reduce(f, x) => format!("let v{at} = {f:?}(v{x});"),
            Statement::Matmul(x, y) => format!("let v{at} = v{x}.matmul(v{y});"),
            Statement::StopGradient(x) => format!("let v{at} = v{x}.stop_gradient();"),
            Statement::Branch { scalar, yes, no, x } => {
                format!("let v{at} = if v{scalar}.gt(0.1).holds() {{ {yes:?}(v{x}) }} else {{ {no:?}(v{x}) }};")
            }
            Statement::Open { block: Block::Checkpoint, end } => format!("let v{end} = tape.checkpoint(|| {{"),
            Statement::Open { block: Block::Scan, end } => format!("let v{end} = the same of both steps of scan(|| {{"),
            Statement::Open { block: Block::NoGrad, end } => format!("let v{end} = tape.no_grad(|| {{"),
            Statement::Close { .. } => format!("v{} }});", at - 1),
            Statement::Grad { y, x } => format!("let v{at} = grad(v{y}.sum(), &v{x});"),
            Statement::Vjp { y, x, dy } => format!("let v{at} = vjp(v{y}, &v{x}, v{dy});"),
            Statement::Jvp { y, x, dx } => format!("let v{at} = jvp(v{y}, &v{x}, &v{dx});"),
            Statement::Hvp { y, x, dx } => format!("let v{at} = hvp(v{y}.sum(), &v{x}, &v{dx});"),
            Statement::Jacobian { y, x } => format!("let v{at} = jacobian(v{y}, v{x}).square().mean();"),
        }
    }
}

/// The whole program.
impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.listing(|_| true))
    }
}
