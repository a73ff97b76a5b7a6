//! Options, sizes, axes and indices drawn from absurd numbers: every operation that has some gives a value or an error by
//! name. The process has little address space, so that whatever is large is refused. `AUTOGRAD_ABSURD_CASES` says how many
//! calls are tried, `AUTOGRAD_ABSURD_SEED` with which.

use super::memory::{USUAL, with_memory};
use super::outcome::{Outcome, outcome};
use super::random::Random;
use autograd::{
    Conv, CrossEntropyOptions, Pool, Shape, Slice, Tape, Tensor, Var, concat, einsum, grad, jacobian, jvp, keepdims,
    stack,
};

const SIZES: [usize; 14] =
    [0, 1, 1, 2, 2, 3, 1 << 31, 1 << 32, 1 << 60, 1 << 62, (1 << 63) - 1, 1 << 63, (1 << 63) + 1, usize::MAX];
const SMALL: [usize; 5] = [0, 1, 1, 2, 3];
const STEPS: [isize; 14] =
    [0, 1, 1, -1, 2, -2, 1 << 31, -(1 << 32), 1 << 62, -(1 << 62), isize::MAX, isize::MIN, isize::MIN + 1, 3];

/// Chooses operands and options for one call.
struct Draw<'t> {
    random: Random,
    tape: &'t Tape,
}

impl<'t> Draw<'t> {
    fn below(&mut self, n: usize) -> usize {
        self.random.below(n)
    }

    fn flag(&mut self) -> bool {
        self.below(2) == 1
    }

    fn size(&mut self) -> usize {
        let i = self.below(SIZES.len());
        SIZES[i]
    }

    fn step(&mut self) -> isize {
        let i = self.below(STEPS.len());
        STEPS[i]
    }

    fn pair(&mut self) -> [usize; 2] {
        [self.size(), self.size()]
    }

    fn sizes(&mut self) -> Vec<usize> {
        (0..self.below(5)).map(|_| self.size()).collect()
    }

    /// An axis, most often one that there is.
    fn axis(&mut self, rank: usize) -> isize {
        if self.below(4) == 0 { self.step() } else { self.below(rank.max(1)) as isize - isize::from(self.flag()) }
    }

    fn axes(&mut self, rank: usize) -> Vec<isize> {
        (0..self.below(3)).map(|_| self.axis(rank)).collect()
    }

    /// A variable of this rank, most often small; a large one has no elements.
    fn of_rank(&mut self, rank: usize) -> Var<'t> {
        let mut sizes: Vec<usize> = (0..rank).map(|_| SMALL[self.below(SMALL.len())]).collect();
        if rank > 1 && self.below(4) == 0 {
            let (large, empty) = (self.below(rank), self.below(rank));
            sizes[large] = self.size().min(1 << 59);
            sizes[empty] = 0;
        }
        let n: usize = sizes.iter().product();
        if n > 1000 {
            return self.tape.scalar(1.5);
        }
        self.tape.var(&Tensor::from_fn(sizes, |i| i as f64 + 0.5))
    }

    fn var(&mut self) -> Var<'t> {
        let rank = self.below(5);
        self.of_rank(rank)
    }
}

/// One call, and the variable that its derivative is asked for.
#[expect(clippy::too_many_lines, reason = "a table")]
fn call<'t>(d: &mut Draw<'t>, x: Var<'t>) -> Option<Var<'t>> {
    let (tape, rank) = (d.tape, x.rank());
    Some(match d.below(56) {
        0 => tape.var(&Tensor::new(d.sizes(), vec![1.0; d.below(3)])),
        1 => tape.var(&Tensor::zeros(d.sizes())),
        2 => tape.var(&Tensor::full(d.sizes(), 2.0)),
        3 => tape.var(&Tensor::eye(d.size())),
        4 => tape.var(&Tensor::from_fn(d.sizes(), |i| i as f64)),
        5 => tape.var(&Tensor::from([1.0, 2.0]).reshape(d.sizes())),
        6 => tape.full(d.sizes(), 3.0),
        7 => {
            let index = tape.indices(d.sizes(), &[1, 0][..d.below(3)]);
            return if index.shape() == Shape::scalar() { None } else { Some(tape.scalar(index.value().len() as f64)) };
        }
        8 => x.reshape(d.sizes()),
        9 => x.expand_dims(d.step()),
        10 => x.squeeze(d.axis(rank)),
        11 => x.broadcast_to([&d.sizes()[..], &x.shape()].concat()),
        12 => x.broadcast_to(d.sizes()),
        13 => x.sum_to(d.sizes()),
        14 => {
            let axes: Vec<isize> = (0..rank).map(|_| d.axis(rank)).collect();
            x.transpose(&axes)
        }
        15 => {
            let one = |d: &mut Draw<'t>| Slice {
                start: d.flag().then(|| d.step()),
                stop: d.flag().then(|| d.step()),
                step: d.step(),
            };
            let slices: Vec<Slice> = (0..d.below(rank + 2)).map(|_| one(d)).collect();
            x.slice(&slices)
        }
        16 => x.narrow(d.axis(rank), d.size(), d.size()),
        17 | 18 => {
            let pads: Vec<(usize, usize)> = (0..d.below(rank + 2)).map(|_| (d.size(), d.size())).collect();
            x.pad(&pads, if d.flag() { 0.0 } else { 7.0 })
        }
        19 => x.flip(&d.axes(rank)),
        20 => x.roll(&[d.step()], &[d.axis(rank)]),
        21 => {
            let parts = x.split(&d.sizes(), d.axis(rank));
            *parts.first()?
        }
        22 => x.tril(d.step()),
        23 => x.triu(d.step()),
        24 => x.diagonal(d.axis(rank), d.axis(rank)),
        25 => concat(&[x, d.of_rank(rank), x], d.axis(rank)),
        26 => stack(&[x, x], d.axis(rank + 1)),
        27 => {
            let sizes = d.sizes();
            let list: Vec<i64> = if d.flag() { vec![0; 2] } else { vec![d.step() as i64; d.below(3)] };
            x.gather(d.axis(rank), &tape.indices(if d.flag() { vec![list.len()] } else { sizes }, &list))
        }
        28 => x.take_along_axis(d.axis(rank), &tape.indices(d.sizes(), &[0][..d.below(2)])),
        29 => x.index_select(d.axis(rank), &vec![d.size(); d.below(3)]),
        30 => x.embedding(&vec![d.size(); d.below(3)]),
        31 => {
            let source = d.of_rank(rank);
            x.index_add(d.axis(rank), &vec![d.size(); d.below(3)], source)
        }
        32 => {
            let source = d.of_rank(rank);
            x.scatter_add(d.axis(rank), &tape.indices(source.shape(), &vec![d.step() as i64; source.numel()]), source)
        }
        33 => x.sum_axes(&d.axes(rank)[..]),
        34 => x.mean_axes(&d.axes(rank)[..]),
        35 => x.max_axes(keepdims(&d.axes(rank)[..])),
        36 => x.prod_axes(&d.axes(rank)[..]),
        37 => x.logsumexp(&d.axes(rank)[..]),
        38 => x.norm([2.0, 1.0, 3.0, f64::INFINITY][d.below(4)], &d.axes(rank)[..]),
        39 => x.var(d.size(), &d.axes(rank)[..]),
        40 => x.std(d.size(), &d.axes(rank)[..]),
        41 => x.layer_norm(d.size(), None, None, 1e-5),
        42 => x.softmax(d.axis(rank)) + x.log_softmax(d.axis(rank)),
        43 => x.cumsum(d.axis(rank)) + x.cumprod(d.axis(rank)),
        44 => x.sort(d.axis(rank), d.flag()),
        45 => x.topk(d.size(), d.axis(rank), d.flag()).0,
        46 => tape.scalar(x.argmax(d.axis(rank)).value().len() as f64),
        47 => {
            let (x, kernel) = (d.of_rank(3), d.of_rank(3));
            let option = |d: &mut Draw<'t>| [if d.flag() { 1 } else { d.size() }];
            let conv = Conv { stride: option(d), padding: option(d), dilation: option(d), groups: 1 };
            x.conv1d(kernel, None, conv)
        }
        48 | 49 => {
            let (x, kernel) = (d.of_rank(4), d.of_rank(4));
            let option = |d: &mut Draw<'t>| if d.flag() { [1, 1] } else { d.pair() };
            let groups = if d.flag() { 1 } else { d.size() };
            let conv = Conv { stride: option(d), padding: option(d), dilation: option(d), groups };
            x.conv2d(kernel, None, conv)
        }
        50 | 51 => {
            let x = d.of_rank(4);
            let kernel = d.pair();
            let padding = [if d.flag() { 0 } else { kernel[0] / 2 }, if d.flag() { d.size() } else { kernel[1] / 2 }];
            let pool = Pool { kernel, stride: if d.flag() { [1, 1] } else { d.pair() }, padding };
            if d.flag() { x.max_pool2d(pool) } else { x.avg_pool2d(pool, d.flag()) }
        }
        52 => {
            let other = d.var();
            if d.flag() { x.matmul(other) } else { x.matmul_with(other, d.flag(), d.flag()) }
        }
        53 => {
            let other = d.of_rank(2);
            let equation = ["ij,kj->ik", "ij,kl->ijkl", "ji,kj->ki", "ij,ij->", "ij,ij->ji"][d.below(5)];
            einsum(equation, &[d.of_rank(2), other])
        }
        54 => {
            let scores = d.of_rank(2);
            let rows = scores.shape()[0];
            if rows > 100 {
                return None;
            }
            let options = CrossEntropyOptions {
                ignore_index: d.flag().then(|| d.step() as i64),
                label_smoothing: if d.flag() { 0.0 } else { 0.5 },
                ..CrossEntropyOptions::default()
            };
            scores.cross_entropy_opts(&vec![d.size(); rows], &options)
        }
        _ => {
            let other = d.var();
            if d.flag() { x + other } else { jacobian(x * 2.0, x) }
        }
    })
}

/// A value or an error by name, of a call, its derivatives and their values.
fn tried(seed: u64) -> Result<bool, String> {
    let tape = Tape::new();
    let found = outcome(|| {
        let mut draw = Draw { random: Random(seed), tape: &tape };
        // The first numbers of neighbouring seeds are alike.
        (0..8).for_each(|_| _ = draw.below(2));
        let x = draw.var();
        let Some(y) = call(&mut draw, x) else { return String::new() };
        let dx = grad(y.sum(), &x);
        let dy = jvp(y, &x, &x);
        format!("{} {} {}", y.value().shape(), dx.value().shape(), dy.value().shape())
    });
    let by_name = found.error_of().is_some_and(|op| !op.is_empty());
    match &found {
        Outcome::Value(_) => Ok(true),
        Outcome::Panic { file, .. } if by_name && file == file!() => Ok(false),
        Outcome::Panic { .. } => Err(format!("AUTOGRAD_ABSURD_SEED={seed} AUTOGRAD_ABSURD_CASES=1: {found:?}")),
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

#[test]
#[cfg(target_os = "linux")]
fn absurd_options_give_a_value_or_an_error_by_name() {
    with_memory(USUAL, "absurd::absurd_options_give_a_value_or_an_error_by_name", 600, || {
        let (first, cases) = (number("AUTOGRAD_ABSURD_SEED", 0), number("AUTOGRAD_ABSURD_CASES", 3000));
        let (mut values, mut wrong) = (0, Vec::new());
        for seed in first..first + cases {
            match tried(seed) {
                Ok(is_value) => values += u64::from(is_value),
                Err(text) => wrong.push(text),
            }
        }
        assert!(wrong.is_empty(), "{} of {cases}:\n{}", wrong.len(), wrong.join("\n"));
        // Some of both, or the draw tells nothing.
        assert!(cases < 1000 || (values > cases / 10 && values < cases * 9 / 10), "{values} of {cases} have a value");
    });
}
