//! Random programs of rows that go through products, losses, chains and operations along rows, with states that change places, give
//! the bits of recording and computing anew, whichever passes run and in blocks of rows or not.

use crate::random::Random;
use autograd::{Float, IndexVar, Optimisations, Program, Reduction, Tape, Tensor, Var, grad, keepdims, vjp};

fn numbers<T: Float>(shape: &[usize], seed: usize) -> Tensor<T> {
    Tensor::from_fn(shape, |i| T::of(((i * 29 + seed * 17) % 23) as f64 * 0.05 - 0.5))
}

/// How many rows there are, and the two widths that they have. With narrow ones all products are by our own kernels, which
/// round a step of gradient descent as its single operations do.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    rows: usize,
    widths: [usize; 2],
}

impl Sizes {
    /// Two layers there and back, two that keep the width, a number, and two batches.
    fn state(self) -> Vec<Vec<usize>> {
        let ([a, b], n) = (self.widths, self.rows);
        vec![vec![a, b], vec![b], vec![b, a], vec![a], vec![a, a], vec![b, b], vec![], vec![n, a], vec![n, a]]
    }
}

/// What every program reads.
#[derive(Clone, Copy)]
struct Data<'t, T: Float> {
    x: Var<'t, T>,
    labels: IndexVar<'t, T>,
    rate: Var<'t, T>,
}

/// Rows of both widths, numbers and outputs, as they grow.
struct Pool<'t, T: Float> {
    rows: [Vec<Var<'t, T>>; 2],
    numbers: Vec<Var<'t, T>>,
    outputs: Vec<Var<'t, T>>,
}

impl<'t, T: Float> Pool<'t, T> {
    fn grow(&mut self, random: &mut Random, p: &[Var<'t, T>], labels: IndexVar<'t, T>) {
        let side = random.below(2);
        let pick = |random: &mut Random| self.rows[side][random.below(self.rows[side].len())];
        let (h, other, number) = (pick(random), pick(random), self.numbers[random.below(self.numbers.len())]);
        let (over, bias) = if side == 0 { (p[0], p[1]) } else { (p[2], p[3]) };
        let (same, own_bias) = if side == 0 { (p[4], p[3]) } else { (p[5], p[1]) };
        let reduction = [Reduction::Mean, Reduction::Sum][random.below(2)];
        match random.below(25) {
            0 => self.rows[1 - side].push(h.matmul(over) + bias),
            1 => self.rows[1 - side].push((h.matmul(over) + bias).relu()),
            2 => self.rows[side].push((h.matmul(same) + own_bias).relu()),
            3 => self.rows[side].push(h.matmul(same.t())),
            4 => self.rows[side].push(h.matmul(h.t().matmul(other) * T::of(0.01))),
            5 => self.rows[side].push(other + h.sum_axes(0) * T::of(0.02)),
            6 => self.rows[side].push(h.tanh() * other),
            7 => self.rows[side].push(h * number.tanh()),
            8 => self.numbers.push((h * other).sum()),
            9 | 10 => {
                let loss = h.cross_entropy_with(&labels, reduction);
                let dy = if random.one_in(2) { number } else { loss.tape().scalar(T::ONE) };
                let [dw, dh] = vjp(loss, &[over, h], dy);
                self.numbers.push(loss);
                self.rows[side].push(dh);
                self.outputs.push(dw);
            }
            // The rule of a product multiplies by its right operand; here that is by itself.
            11 | 14 if h.shape()[0] < 200 => {
                let made = h.matmul(over);
                let square = made.matmul(made.t());
                self.outputs.extend(vjp(square.matmul(made), &[square], made));
            }
            15..=23 => {
                let along = along_rows(random, h, other);
                self.rows[side].push(along);
                if random.one_in(3) {
                    self.outputs.extend(vjp(along, &[h], other));
                }
            }
            12 => self.outputs.push(h),
            13 => self.outputs.push(number),
            _ => self.rows[side].push(h.select(other.relu(), h - T::ONE)),
        }
    }
}

/// Operations along rows, and what broadcasts what they leave.
fn along_rows<'t, T: Float>(random: &mut Random, h: Var<'t, T>, other: Var<'t, T>) -> Var<'t, T> {
    let (n, width) = (h.shape()[0], h.shape()[1]);
    match random.below(12) {
        0 => h.softmax(1) * other,
        1 => h.log_softmax(1),
        2 => other - h.max_axes(keepdims(1)),
        3 => h * other.norm(2.0, keepdims(1)),
        4 => h.layer_norm(1, None, None, 1e-5),
        5 => h.cumsum(1).tanh(),
        6 => h.logcumsumexp(1),
        7 => other + (h * other).sum_axes(1).expand_dims(1),
        8 => h.reshape([n, 1, width]).min_axes(1) * other,
        9 => h.cumprod(1) + h.std(0, keepdims(1)),
        10 => h.logsumexp(1).reshape([n, 1]) * other.reshape([n * width]).reshape([n, width]),
        // Each row has rows of its own, over which their sums are laid in the middle.
        _ => {
            let planes = h.expand_dims(2) * other.expand_dims(1);
            (planes - planes.mean_axes(keepdims(1))).softmax(2).sum_axes(2)
        }
    }
}

/// The next state and the outputs.
fn step<'t, T: Float>(seed: u64, p: &[Var<'t, T>], data: Data<'t, T>) -> [Vec<Var<'t, T>>; 2] {
    let mut random = Random(seed);
    let Data { x, labels, rate } = data;
    let rows = [vec![x, p[7]], vec![x.matmul(p[0]) + p[1]]];
    let mut pool = Pool { rows, numbers: vec![p[6], rate], outputs: vec![] };
    for _ in 0..3 + random.below(14) {
        pool.grow(&mut random, p, labels);
    }
    let Pool { rows, numbers, mut outputs } = pool;
    let last = [rows[0][rows[0].len() - 1], rows[1][rows[1].len() - 1]];
    let loss = last[random.below(2)].cross_entropy(&labels) + numbers[numbers.len() - 1].tanh() + last[1].tanh().mean();
    let g = grad(loss, &p.to_vec());
    let kind = random.below(3);
    let mut next: Vec<Var<'t, T>> = (0..p.len())
        .map(|k| match if random.one_in(4) { random.below(7) } else { kind } {
            0 => p[k] - g[k] * T::of(0.05),
            1 => p[k] - rate * g[k],
            2 => p[k] - g[k] * (loss * T::of(0.01)),
            3 => p[k],
            4 => g[k],
            5 => p[k] * T::of(0.9) + g[k] * T::of(0.1),
            _ => (p[k] + p[k]).tanh(),
        })
        .collect();
    if random.one_in(3) {
        next.swap(7, 8);
    }
    for (to, value) in [(7, x), (8, p[7]), (8, last[0]), (6, loss)] {
        if random.one_in(4) {
            next[to] = value;
        }
    }
    for output in [next[0], p[random.below(p.len())], x, x, next[7], next[7], g[random.below(g.len())], loss] {
        if random.one_in(2) {
            outputs.push(output);
        }
    }
    [next, outputs]
}

fn bits<T: Float>(values: &[Tensor<T>]) -> Vec<Vec<u64>> {
    let number = |x: &T| if x.is_finite() { x.to_f64().to_bits() } else { u64::MAX };
    values.iter().map(|value| value.as_slice().iter().map(number).collect()).collect()
}

fn agrees<T: Float>(seed: u64) {
    let mut random = Random(seed * 31 + 11);
    let widths = [[1, 4, 8, 3][random.below(4)], [2, 8, 5, 4][random.below(4)]];
    let sizes = Sizes { rows: [3, 40, 130, 300, 700][random.below(5)], widths };
    let start = random.0;
    let state: Vec<Tensor<T>> = sizes.state().iter().enumerate().map(|(k, shape)| numbers(shape, k)).collect();
    let input = |i: usize| {
        let labels: Vec<usize> = (0..sizes.rows).map(|j| (j * 7 + i) % widths[0].min(widths[1])).collect();
        (numbers::<T>(&[sizes.rows, widths[0]], 40 + i), labels, numbers::<T>(&[], 5 + i))
    };
    let mut now = state.clone();
    let want: Vec<_> = (0..3)
        .map(|i| {
            let (tape, (x, labels, rate)) = (Tape::<T>::default(), input(i));
            let data = Data { x: tape.var(&x), labels: tape.labels(&labels), rate: tape.var(&rate) };
            let [next, outputs] = tape.values(&step(start, &tape.vars(&now), data));
            now.clone_from(&next);
            [bits(&next), bits(&outputs)]
        })
        .collect();
    for passes in Optimisations::choices() {
        let mut program = Program::<T>::record_with(passes, &state, &input(0), |_, p, (x, labels, rate)| {
            step(start, &p, Data { x, labels, rate }).into()
        })
        .unwrap();
        for (i, want) in want.iter().enumerate() {
            let outputs = program.run(&input(i)).unwrap();
            let outputs: Vec<Tensor<T>> = (0..outputs.len()).map(|k| outputs.tensor(k)).collect();
            let next: Vec<Tensor<T>> = (0..state.len()).map(|k| program.state(&k.to_string()).unwrap()).collect();
            assert!([bits(&next), bits(&outputs)] == *want, "seed {seed}, run {i}, {passes:?}, {sizes:?}\n{program}");
        }
    }
}

#[test]
fn random_programs_of_rows_agree() {
    for seed in crate::random::seeds(20) {
        if seed % 2 == 0 { agrees::<f64>(seed) } else { agrees::<f32>(seed) }
    }
}
