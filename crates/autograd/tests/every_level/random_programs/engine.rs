//! Programs on a tape.

use super::operations::{ByItsOwnGradient, Cube, Implicit, Mixed};
use super::program::{Binary, Block, Program, Reduction, Statement, Unary};
use autograd::{Float, Scan, Tape, Var, grad, hvp, jacobian, jvp, vjp};

/// A program as far as it is recorded.
pub(crate) struct Recorded<'a, 't, T: Float> {
    program: &'a Program,
    tape: &'t Tape<T>,
    vars: Vec<Option<Var<'t, T>>>,
    /// What each branch was decided to be.
    pub(crate) answers: Vec<Option<bool>>,
}

fn unary<'t, T: Float>(f: Unary, x: Var<'t, T>) -> Var<'t, T> {
    let above_one = |x: Var<'t, T>| x.square().add_scalar(1.0);
    match f {
        Unary::Sin => x.sin(),
        Unary::Tanh => x.tanh(),
        Unary::Sigmoid => x.sigmoid(),
        Unary::Softplus => x.softplus(),
        Unary::Exp => x.exp(),
        Unary::Square => x.square(),
        Unary::Relu => x.relu(),
        Unary::Abs => x.abs(),
        Unary::Bell => above_one(x).reciprocal(),
        Unary::Root => above_one(x).sqrt(),
        Unary::Log => above_one(x).log(),
        Unary::Scale => x.mul_scalar(0.7).add_scalar(-0.2),
        Unary::Cube => x.tape().apply(Cube, [x]),
        Unary::ByItsOwnGradient => x.tape().apply(ByItsOwnGradient, [x]),
        Unary::Implicit => x.tape().apply(Implicit, [x]),
    }
}

fn binary<'t, T: Float>(f: Binary, x: Var<'t, T>, y: Var<'t, T>) -> Var<'t, T> {
    match f {
        Binary::Add => x + y,
        Binary::Sub => x - y,
        Binary::Mul => x * y,
        Binary::Over => x / y.square().add_scalar(1.0),
        Binary::Mixed => x.tape().apply(Mixed, [x, y]),
    }
}

fn reduce<T: Float>(f: Reduction, x: Var<'_, T>) -> Var<'_, T> {
    match f {
        Reduction::Sum => x.sum(),
        Reduction::Mean => x.mean(),
        Reduction::SumRows => x.sum_axes(-1),
        Reduction::SumColumns => x.sum_axes(0),
        Reduction::LogSumExp => x.logsumexp(-1),
        Reduction::Softmax => x.softmax(-1),
    }
}

impl<'a, 't, T: Float> Recorded<'a, 't, T> {
    /// Records a program on these leaves.
    pub(crate) fn new(program: &'a Program, tape: &'t Tape<T>, leaves: &[Var<'t, T>]) -> Self {
        let len = program.statements.len();
        let mut vars: Vec<_> = leaves.iter().copied().map(Some).collect();
        vars.resize(len, None);
        let mut recorded = Self { program, tape, vars, answers: vec![None; len] };
        recorded.statements(leaves.len(), len);
        recorded
    }

    pub(crate) fn var(&self, place: usize) -> Var<'t, T> {
        self.vars[place].expect("operands stand before")
    }

    pub(crate) fn results(&self) -> Vec<Var<'t, T>> {
        self.program.results.iter().map(|&place| self.var(place)).collect()
    }

    /// The answers of all branches, in order.
    pub(crate) fn decisions(&self) -> Vec<bool> {
        self.answers.iter().copied().flatten().collect()
    }

    fn statements(&mut self, from: usize, to: usize) {
        let mut at = from;
        while at < to {
            if let Statement::Open { block, end } = self.program.statements[at] {
                let tape = self.tape;
                if block == Block::Scan {
                    self.vars[end] = Some(self.scanned(at, end));
                    at = end + 1;
                    continue;
                }
                let inside = || self.inside(at, end);
                let result = match block {
                    Block::Checkpoint => tape.checkpoint(inside),
                    Block::NoGrad => tape.no_grad(inside),
                    Block::Scan => unreachable!("recorded above"),
                };
                self.vars[end] = Some(result);
                at = end;
            } else {
                self.vars[at] = Some(self.statement(at));
            }
            at += 1;
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "what else there is has its operands in other places")]
    /// The statements of a block in two steps of a loop, which carries the first of what they read from outside.
    fn scanned(&mut self, open: usize, end: usize) -> Var<'t, T> {
        let read = |statement: &Statement| match *statement {
            Statement::Unary(_, x) | Statement::Reduce(_, x) | Statement::StopGradient(x) => Some(x),
            Statement::Binary(_, x, y) | Statement::Matmul(x, y) => Some(x.min(y)),
            _ => None,
        };
        let outside = self.program.statements[open..end].iter().filter_map(read).find(|&x| x < open);
        let Some(place) = outside else { return self.tape.checkpoint(|| self.inside(open, end)) };
        let before = self.var(place);
        let (_, both) = Scan::steps(2).run(self.tape, &before, &(), |carried, (), _| {
            self.vars[place] = Some(carried);
            (carried, self.inside(open, end))
        });
        self.vars[place] = Some(before);
        both.sum_axes(0) * T::of(0.5)
    }

    fn inside(&mut self, open: usize, end: usize) -> Var<'t, T> {
        self.statements(open + 1, end);
        self.var(end - 1)
    }

    fn statement(&mut self, at: usize) -> Var<'t, T> {
        let var = |place: usize| self.var(place);
        match self.program.statements[at] {
            Statement::Leaf | Statement::Open { .. } | Statement::Close { .. } => unreachable!("recorded elsewhere"),
            Statement::Unary(f, x) => unary(f, var(x)),
            Statement::Binary(f, x, y) => binary(f, var(x), var(y)),
            Statement::Reduce(f, x) => reduce(f, var(x)),
            Statement::Matmul(x, y) => var(x).matmul(var(y)),
            Statement::StopGradient(x) => var(x).stop_gradient(),
            Statement::Branch { scalar, yes, no, x } => {
                let holds = var(scalar).gt(self.tape.scalar(T::of(0.1))).holds();
                let y = unary(if holds { yes } else { no }, var(x));
                self.answers[at] = Some(holds);
                y
            }
            Statement::Grad { y, x } => grad(var(y).sum(), &var(x)),
            Statement::Vjp { y, x, dy } => vjp(var(y), &var(x), var(dy)),
            Statement::Jvp { y, x, dx } => jvp(var(y), &var(x), &var(dx)),
            Statement::Hvp { y, x, dx } => hvp(var(y).sum(), &var(x), &var(dx)),
            Statement::Jacobian { y, x } => jacobian(var(y), var(x)).square().mean(),
        }
    }
}
