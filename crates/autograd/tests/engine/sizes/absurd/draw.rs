//! Operands and options for one call.

use crate::random::Random;
use autograd::{IndexVar, Reduction, Shape, Tape, Tensor, Var};

pub(crate) const SIZES: [usize; 14] =
    [0, 1, 1, 2, 2, 3, 1 << 31, 1 << 32, 1 << 60, 1 << 62, (1 << 63) - 1, 1 << 63, (1 << 63) + 1, usize::MAX];
const SMALL: [usize; 5] = [0, 1, 1, 2, 3];
const STEPS: [isize; 14] =
    [0, 1, 1, -1, 2, -2, 1 << 31, -(1 << 32), 1 << 62, -(1 << 62), isize::MAX, isize::MIN, isize::MIN + 1, 3];

const NUMBERS: [f64; 14] =
    [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 3.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, 5e-324, 1e-200, 1e17];

/// Chooses operands and options for one call.
pub(crate) struct Draw<'t> {
    random: Random,
    pub(crate) tape: &'t Tape,
}

impl<'t> Draw<'t> {
    pub(crate) fn new(tape: &'t Tape, seed: u64) -> Self {
        let mut draw = Self { random: Random(seed), tape };
        // The first numbers of neighbouring seeds are alike.
        (0..8).for_each(|_| _ = draw.below(2));
        draw
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.random.below(n)
    }

    pub(crate) fn flag(&mut self) -> bool {
        self.below(2) == 1
    }

    pub(crate) fn size(&mut self) -> usize {
        let i = self.below(SIZES.len());
        SIZES[i]
    }

    pub(crate) fn step(&mut self) -> isize {
        let i = self.below(STEPS.len());
        STEPS[i]
    }

    pub(crate) fn pair(&mut self) -> [usize; 2] {
        [self.size(), self.size()]
    }

    pub(crate) fn sizes(&mut self) -> Vec<usize> {
        (0..self.below(5)).map(|_| self.size()).collect()
    }

    /// An axis, most often one that there is.
    pub(crate) fn axis(&mut self, rank: usize) -> isize {
        if self.below(4) == 0 { self.step() } else { self.below(rank.max(1)) as isize - isize::from(self.flag()) }
    }

    pub(crate) fn axes(&mut self, rank: usize) -> Vec<isize> {
        (0..self.below(3)).map(|_| self.axis(rank)).collect()
    }

    /// A variable of this rank, most often small; a large one has no elements.
    pub(crate) fn of_rank(&mut self, rank: usize) -> Var<'t> {
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

    pub(crate) fn var(&mut self) -> Var<'t> {
        let rank = self.below(5);
        self.of_rank(rank)
    }

    /// A variable of this one's shape, most often.
    pub(crate) fn twin(&mut self, x: Var<'t>) -> Var<'t> {
        if self.below(6) == 0 {
            return self.var();
        }
        let shift = self.below(3) as f64 * 0.5;
        if x.numel() > 1000 { x } else { self.tape.var(&Tensor::from_fn(x.shape(), |i| 0.25 * i as f64 - shift)) }
    }

    /// Square matrices, most often, in some batch; where the batch is empty, they may be large.
    pub(crate) fn matrices(&mut self) -> Var<'t> {
        let n = SMALL[self.below(SMALL.len())];
        let mut sizes: Vec<usize> = (0..self.below(3)).map(|_| SMALL[self.below(SMALL.len())]).collect();
        let n = if sizes.contains(&0) && self.flag() { self.size().min(1 << 29) } else { n };
        sizes.extend([n, if self.below(5) == 0 { n + 1 } else { n }]);
        let diagonal = n.saturating_add(1);
        self.tape.var(&Tensor::from_fn(sizes, |i| if i % diagonal == 0 { 2.0 } else { 0.125 * (i % 7) as f64 }))
    }

    /// A number as an option.
    pub(crate) fn number(&mut self) -> f64 {
        NUMBERS[self.below(NUMBERS.len())]
    }

    pub(crate) fn reduction(&mut self) -> Reduction {
        [Reduction::None, Reduction::Sum, Reduction::Mean, Reduction::BatchMean][self.below(4)]
    }

    /// Truth values, most often as many as these.
    pub(crate) fn mask(&mut self, n: usize) -> Vec<bool> {
        let n = if self.below(4) == 0 { self.below(4) } else { n.min(1000) };
        (0..n).map(|_| self.flag()).collect()
    }

    /// Indices along an axis, most often in range and of a shape that is near to this one's.
    pub(crate) fn indices(&mut self, shape: &Shape) -> IndexVar<'t> {
        let wild = self.below(4) == 0;
        let mut sizes = shape.to_vec();
        for size in &mut sizes {
            match self.below(5) {
                0 => *size = (*size).min(1),
                1 => *size = size.saturating_sub(1),
                2 if wild => *size = self.size(),
                _ => {}
            }
        }
        let n = Shape::from(&sizes[..]).numel();
        let index: Vec<i64> =
            (0..n.min(1000)).map(|_| if wild { self.step() as i64 } else { self.below(2) as i64 }).collect();
        self.tape.indices(sizes, &index)
    }
}
