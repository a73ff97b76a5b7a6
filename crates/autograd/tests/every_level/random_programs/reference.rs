//! Programs in plain arithmetic. A derivative is the coefficient of a fresh infinitesimal, added to what it is taken by,
//! after everything in between was computed once more.

use super::dual::Dual;
use super::program::{Binary, Block, Form, Program, Reduction, Statement, Unary, WIDTH};

/// An array, row-major.
pub(crate) type Array = Vec<Dual>;

/// A run of a program: its arrays as far as they are computed, for batches of `n`, with known answers of its branches.
#[derive(Clone)]
pub(crate) struct Run<'a> {
    pub(crate) program: &'a Program,
    pub(crate) n: usize,
    /// The answer at each place that has a branch; decided here where there is none.
    pub(crate) answers: &'a [Option<bool>],
    pub(crate) arrays: Vec<Array>,
}

pub(crate) fn unary(f: Unary, x: &Dual) -> Dual {
    match f {
        Unary::Sin => x.sin(),
        Unary::Tanh => x.tanh(),
        Unary::Sigmoid => x.sigmoid(),
        Unary::Softplus => x.exp().plus(1.0).ln(),
        Unary::Exp => x.exp(),
        Unary::Square => x.square(),
        Unary::Relu => x.relu(),
        Unary::Abs => x.abs(),
        Unary::Bell => x.square().plus(1.0).reciprocal(),
        Unary::Root => x.square().plus(1.0).sqrt(),
        Unary::Log => x.square().plus(1.0).ln(),
        Unary::Scale => x.scale(0.7).plus(-0.2),
        Unary::Cube => x.square().mul(x).scale(0.1),
        Unary::ByItsOwnGradient => x.mul(&x.tanh()),
        Unary::Implicit => {
            // Newton's steps double the number of right digits, and then of right orders.
            let mut y = Dual::real(0.0);
            for _ in 0..12 {
                let tanh = x.add(&y.scale(0.5)).tanh();
                let slope = tanh.square().scale(-1.0).plus(1.0).scale(0.25);
                let miss = y.sub(&tanh.scale(0.5));
                y = y.sub(&miss.mul(&slope.scale(-1.0).plus(1.0).reciprocal()));
            }
            y
        }
    }
}

fn binary(f: Binary, x: &Dual, y: &Dual) -> Dual {
    match f {
        Binary::Add => x.add(y),
        Binary::Sub => x.sub(y),
        Binary::Mul => x.mul(y),
        Binary::Over => x.mul(&y.square().plus(1.0).reciprocal()),
        Binary::Mixed => x.mul(&y.sin()),
    }
}

fn sum<'a>(numbers: impl IntoIterator<Item = &'a Dual>) -> Dual {
    numbers.into_iter().fold(Dual::real(0.0), |sum, x| sum.add(x))
}

fn reduce(f: Reduction, x: &[Dual], form: Form) -> Array {
    let width = if form == Form::Column { x.len() } else { WIDTH };
    let rows = || x.chunks(width);
    match f {
        Reduction::Sum => vec![sum(x)],
        Reduction::Mean => vec![sum(x).scale(1.0 / x.len() as f64)],
        Reduction::SumRows => rows().map(sum).collect(),
        Reduction::SumColumns => (0..width).map(|k| sum(x.iter().skip(k).step_by(width))).collect(),
        Reduction::LogSumExp => rows().map(|row| sum(&row.iter().map(Dual::exp).collect::<Array>()).ln()).collect(),
        Reduction::Softmax => {
            let softmax = |row: &[Dual]| {
                let exps: Array = row.iter().map(Dual::exp).collect();
                let all = sum(&exps).reciprocal();
                exps.iter().map(|e| e.mul(&all)).collect::<Array>()
            };
            rows().flat_map(softmax).collect()
        }
    }
}

/// A product with a matrix of three rows, or with a vector.
fn matmul(x: &[Dual], y: &[Dual]) -> Array {
    let columns = y.len() / WIDTH;
    let element = |row: &[Dual], k: usize| sum(&(0..WIDTH).map(|j| row[j].mul(&y[j * columns + k])).collect::<Array>());
    x.chunks(WIDTH).flat_map(|row| (0..columns).map(move |k| element(row, k)).collect::<Array>()).collect()
}

fn stripped(x: &[Dual]) -> Array {
    x.iter().map(|x| Dual::real(x.value())).collect()
}

impl Run<'_> {
    /// Computes the array of the next place, or of one that is computed again, with the infinitesimals below `ε_depth` in use.
    pub(crate) fn statement(&self, at: usize, depth: usize) -> Array {
        let array = |place: usize| &self.arrays[place];
        match self.program.statements[at] {
            Statement::Leaf | Statement::Open { .. } => self.arrays.get(at).cloned().unwrap_or_default(),
            Statement::Unary(f, x) => array(x).iter().map(|x| unary(f, x)).collect(),
            Statement::Binary(f, x, y) => {
                let element = |of: usize, i: usize| match self.program.forms[of] {
                    Form::Scalar => &array(of)[0],
                    Form::Row => &array(of)[i % WIDTH],
                    Form::Column | Form::Batch | Form::Square => &array(of)[i],
                };
                let numel = self.program.forms[at].numel(self.n);
                (0..numel).map(|i| binary(f, element(x, i), element(y, i))).collect()
            }
            Statement::Reduce(f, x) => reduce(f, array(x), self.program.forms[x]),
            Statement::Matmul(x, y) => matmul(array(x), array(y)),
            Statement::StopGradient(x) => stripped(array(x)),
            Statement::Branch { scalar, yes, no, x } => {
                let answer = self.answers.get(at).copied().flatten();
                let holds = answer.unwrap_or_else(|| array(scalar)[0].value() > 0.1);
                array(x).iter().map(|x| unary(if holds { yes } else { no }, x)).collect()
            }
            Statement::Close { block: Block::Checkpoint | Block::Scan } => array(at - 1).clone(),
            Statement::Close { block: Block::NoGrad } => stripped(array(at - 1)),
            Statement::Grad { y, x } => self.each(x, |unit| vec![sum(&self.derivative(y, x, unit, depth))]),
            Statement::Vjp { y, x, dy } => self.each(x, |unit| {
                let along = self.derivative(y, x, unit, depth);
                vec![sum(&along.iter().zip(array(dy)).map(|(a, b)| a.mul(b)).collect::<Array>())]
            }),
            Statement::Jvp { y, x, dx } => self.derivative(y, x, array(dx), depth),
            Statement::Hvp { y, x, dx } => self.each(x, |unit| {
                // The second infinitesimal is added to what the first moved already.
                let moved = self.moved(x, array(dx), depth);
                let twice = moved.derivative(y, x, unit, depth + 1);
                vec![sum(&twice).coefficient(depth)]
            }),
            Statement::Jacobian { y, x } => {
                let all = self.each(x, |unit| self.derivative(y, x, unit, depth));
                vec![sum(&all.iter().map(Dual::square).collect::<Array>()).scale(1.0 / all.len() as f64)]
            }
        }
    }

    /// The results for each unit vector of an array, one after another.
    fn each(&self, x: usize, f: impl Fn(&[Dual]) -> Array) -> Array {
        let len = self.arrays[x].len();
        let unit = |i: usize| (0..len).map(|k| Dual::real(f64::from(u8::from(i == k)))).collect::<Array>();
        (0..len).flat_map(|i| f(&unit(i))).collect()
    }

    /// The run with `ε_depth` times a direction added to an array.
    fn moved(&self, x: usize, direction: &[Dual], depth: usize) -> Self {
        let mut moved = self.clone();
        let along = direction.iter().map(|d| Dual::along(d, depth));
        moved.arrays[x] = self.arrays[x].iter().zip(along).map(|(x, along)| x.add(&along)).collect();
        moved
    }

    /// The derivative of `y` by `x` along a direction.
    fn derivative(&self, y: usize, x: usize, direction: &[Dual], depth: usize) -> Array {
        let mut moved = self.moved(x, direction, depth);
        if y != x && self.program.depends[y][..].get(x) == Some(&true) {
            for at in x + 1..=y {
                if self.program.depends[y][at] && self.program.depends[at][x] {
                    moved.arrays[at] = moved.statement(at, depth + 1);
                }
            }
        }
        moved.arrays[y].iter().map(|y| y.coefficient(depth)).collect()
    }
}
