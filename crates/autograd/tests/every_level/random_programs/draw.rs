//! Drawing a program. Each statement is computed by the reference as it is drawn, and dropped where its numbers are large.

use super::dual::Dual;
use super::program::{Binary, Block, Form, Program, Reduction, Statement, Unary};
use super::reference::{Array, Run};
use crate::random::Random;

/// The size of the batch that the numbers are tried with.
const TRIAL: usize = 2;
/// What is drawn again because it is larger.
const LARGEST: f64 = 5.0;
/// Derivatives of derivatives are drawn up to this order.
const ORDER: usize = 3;

impl Random {
    pub(crate) fn of<C: Copy>(&mut self, choices: &[C]) -> C {
        choices[self.below(choices.len())]
    }

    /// A number between −1 and 1.
    pub(crate) fn number(&mut self) -> f64 {
        self.below(4001) as f64 * 5e-4 - 1.0
    }
}

struct Draw {
    random: Random,
    program: Program,
    arrays: Vec<Array>,
    /// The places that a statement may read.
    visible: Vec<usize>,
    /// Where the innermost `no_grad` begins.
    no_grad: Option<usize>,
}

impl Program {
    pub(crate) fn random(seed: u64) -> Self {
        let mut draw = Draw {
            random: Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5DEE_CE66),
            program: Self { seed, ..Self::default() },
            arrays: vec![],
            visible: vec![],
            no_grad: None,
        };
        (0..4).for_each(|_| _ = draw.random.below(2)); // Neighbouring seeds part.
        let forms: [&[Form]; 4] = [
            &[Form::Row, Form::Square, Form::Scalar],
            &[Form::Row, Form::Square],
            &[Form::Batch],
            &[Form::Batch, Form::Column, Form::Row, Form::Scalar],
        ];
        for forms in forms {
            let form = draw.random.of(forms);
            let numbers = (0..form.numel(TRIAL)).map(|_| Dual::real(draw.random.number())).collect();
            draw.arrays.push(numbers);
            let leaf = draw.program.push(Statement::Leaf, form);
            draw.visible.push(leaf);
        }
        let len = 8 + draw.random.below(14);
        draw.grow(len, 0);
        let mut program = draw.program;
        let last = draw.visible.len() - 1;
        for (i, &place) in draw.visible.iter().enumerate().skip(4) {
            if i == last || draw.random.below(3) > 0 {
                program.results.push(place);
            }
        }
        program
    }
}

impl Draw {
    fn grow(&mut self, len: usize, depth: usize) {
        for _ in 0..len {
            match self.random.below(12) {
                0 | 1 if depth < 2 => self.block(depth),
                2 if self.no_grad.is_none() => self.scan(),
                3..=5 => _ = self.derivative().and_then(|(statement, form)| self.attempt(statement, form)),
                _ => _ = self.plain().and_then(|(statement, form)| self.attempt(statement, form)),
            }
        }
    }

    /// Adds a statement, unless its numbers are large.
    fn attempt(&mut self, statement: Statement, form: Form) -> Option<usize> {
        let at = self.program.push(statement, form);
        let arrays = std::mem::take(&mut self.arrays);
        let run = Run { program: &self.program, n: TRIAL, answers: &[], arrays };
        let array = run.statement(at, 0);
        self.arrays = run.arrays;
        if array.iter().all(|x| x.value().abs() <= LARGEST) {
            self.arrays.push(array);
            self.visible.push(at);
            Some(at)
        } else {
            self.program.truncate(at);
            None
        }
    }

    /// One that is visible, later ones more often.
    fn pick(&mut self) -> usize {
        let len = self.visible.len();
        self.visible[self.random.below(len).max(self.random.below(len))]
    }

    fn plain(&mut self) -> Option<(Statement, Form)> {
        let (x, y) = (self.pick(), self.pick());
        let (p, q) = (self.program.forms[x], self.program.forms[y]);
        Some(match self.random.below(16) {
            0..=5 => (Statement::Unary(self.random.of(&Unary::ALL), x), p),
            6..=9 => {
                let f = self.random.of(&Binary::ALL);
                let form = if f == Binary::Mixed { (p == q).then_some(p) } else { p.joined(q) };
                (Statement::Binary(f, x, y), form?)
            }
            10 | 11 => {
                let f = self.random.of(&Reduction::ALL);
                (Statement::Reduce(f, x), f.form(p)?)
            }
            12 | 13 => (Statement::Matmul(x, y), product(p, q)?),
            14 => (Statement::StopGradient(x), p),
            _ => {
                let scalar = *self.visible.iter().rev().find(|&&v| self.program.forms[v] == Form::Scalar)?;
                let (yes, no) = (self.random.of(&Unary::ALL), self.random.of(&Unary::ALL));
                (Statement::Branch { scalar, yes, no, x }, p)
            }
        })
    }

    fn derivative(&mut self) -> Option<(Statement, Form)> {
        let y = self.pick();
        let x = if self.random.below(4) > 0 { self.visible[self.random.below(4)] } else { self.pick() };
        if !self.is_taken_by(y, x) {
            return None;
        }
        let with = |draw: &mut Self, form: Form| {
            let fits: Vec<usize> = draw.visible.iter().copied().filter(|&v| draw.program.forms[v] == form).collect();
            draw.random.of(&fits)
        };
        let (p, q) = (self.program.forms[y], self.program.forms[x]);
        let (statement, form, order) = match self.random.below(7) {
            0 | 1 => (Statement::Grad { y, x }, q, 1),
            2 => (Statement::Vjp { y, x, dy: with(self, p) }, q, 1),
            3 | 4 => (Statement::Jvp { y, x, dx: with(self, q) }, p, 1),
            5 => (Statement::Hvp { y, x, dx: with(self, q) }, q, 2),
            _ => (Statement::Jacobian { y, x }, Form::Scalar, 1),
        };
        // What is recorded in `no_grad` is constant there; what stands before it may be differentiated.
        let constant = self.no_grad.is_some_and(|open| y >= open);
        (!constant && self.order(y) + order <= ORDER).then_some((statement, form))
    }

    /// How often what a place depends on was differentiated.
    fn order(&self, y: usize) -> usize {
        let statements = self.program.statements.iter().enumerate().take(y + 1);
        let derivatives = statements.filter(|(at, s)| self.program.depends[y][*at] && s.is_derivative());
        derivatives.map(|(_, s)| if matches!(s, Statement::Hvp { .. }) { 2 } else { 1 }).sum()
    }

    /// Whether the derivative has one meaning. By a leaf it has; by a result in between, only where nothing from there to
    /// `y` is a derivative, whose rules may read that result or compute it anew.
    fn is_taken_by(&mut self, y: usize, x: usize) -> bool {
        if x > y || !self.program.depends[y][x] {
            return x < 4 && self.random.one_in(8);
        }
        let program = &self.program;
        let plain = |at: usize| {
            matches!(
                program.statements[at],
                Statement::Unary(..) | Statement::Binary(..) | Statement::Reduce(..) | Statement::Matmul(..)
            )
        };
        let between = (x + 1..=y)
            .any(|at| program.depends[y][at] && program.depends[at][x] && program.statements[at].is_derivative());
        x < 4 || (plain(x) && !between)
    }

    fn block(&mut self, depth: usize) {
        let block = if self.random.one_in(4) { Block::NoGrad } else { Block::Checkpoint };
        let (visible, no_grad) = (self.visible.len(), self.no_grad);
        let open = self.program.push(Statement::Open { block, end: 0 }, Form::Scalar);
        self.arrays.push(vec![]);
        if block == Block::NoGrad && no_grad.is_none() {
            self.no_grad = Some(open);
        }
        let len = 2 + self.random.below(5);
        self.grow(len, depth + 1);
        self.no_grad = no_grad;
        // A body is recorded once, so it has no branch; and a derivative by what it carries would be a partial one.
        let bars = |statement: &Statement| statement.is_derivative() || matches!(statement, Statement::Branch { .. });
        let is_body = block == Block::Checkpoint && !self.program.statements[open + 1..].iter().any(bars);
        let block = if is_body && self.random.one_in(2) { Block::Scan } else { block };
        self.close(open, block, visible);
    }

    /// Ends a block; one without statements is as if it had not been there.
    fn close(&mut self, open: usize, block: Block, visible: usize) -> Option<usize> {
        let end = self.program.statements.len();
        self.visible.truncate(visible);
        if end > open + 1 {
            self.program.statements[open] = Statement::Open { block, end };
            let form = self.program.forms[end - 1];
            self.attempt(Statement::Close { block }, form)
        } else {
            self.program.truncate(open);
            self.arrays.truncate(open);
            None
        }
    }

    /// A step that is taken several times on its own result, with the same weight; perhaps each a checkpoint.
    fn scan(&mut self) {
        let (mut state, weight) = (self.pick(), self.pick());
        let (p, q) = (self.program.forms[state], self.program.forms[weight]);
        let (f, g) = (self.random.of(&Unary::ALL), self.random.of(&[Unary::Tanh, Unary::Sin, Unary::Scale]));
        let (kind, is_checkpoint) = (self.random.below(3), self.random.one_in(2));
        let start = self.program.statements.len();
        for _ in 0..2 + self.random.below(3) {
            let (open, visible) = (self.program.statements.len(), self.visible.len());
            if is_checkpoint {
                self.program.push(Statement::Open { block: Block::Checkpoint, end: 0 }, Form::Scalar);
                self.arrays.push(vec![]);
            }
            let met = if kind == 0 && product(p, q) == Some(p) {
                self.attempt(Statement::Matmul(state, weight), p)
            } else if p.joined(q) == Some(p) {
                self.attempt(Statement::Binary(Binary::Mul, state, weight), p)
            } else {
                self.attempt(Statement::Unary(f, state), p)
            };
            let curved = met.and_then(|met| self.attempt(Statement::Unary(g, met), p));
            let stepped = curved.and_then(|curved| match kind {
                1 => self.attempt(Statement::Binary(Binary::Add, curved, state), p),
                _ => Some(curved),
            });
            let stepped = if is_checkpoint { self.close(open, Block::Checkpoint, visible) } else { stepped };
            let Some(stepped) = stepped else { break };
            state = stepped;
        }
        if self.program.statements.len() > start {
            self.program.scans.push(start);
        }
    }
}

/// The form of a matrix product.
fn product(x: Form, y: Form) -> Option<Form> {
    match (x, y) {
        (Form::Row, Form::Row) => Some(Form::Scalar),
        (Form::Row | Form::Batch | Form::Square, Form::Square) => Some(x),
        (Form::Batch, Form::Row) => Some(Form::Column),
        (Form::Square, Form::Row) => Some(Form::Row),
        _ => None,
    }
}
