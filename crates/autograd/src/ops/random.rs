//! Random numbers on a tape: functions of a key, which is an input like any other.

use crate::float::Float;
use crate::kernels::random::{self, Purpose};
use crate::ops::key::Key;
use crate::ops::operand::{Given, Operand};
use crate::tape::Tape;
use crate::tape::index::IndexVar;
use crate::tape::op::{Arity, Named, Op, View, ViewMut, no_derivative};
use crate::tape::var::Var;
use crate::tensor::error::{Kind, Reason};
use crate::tensor::shape::Shape;
use std::ops::Range;

/// The words of a key in the bits of floats.
fn words<T: Float>(key: View<'_, T>) -> [u32; 2] {
    [key.data[0].to_index() as u32, key.data[1].to_index() as u32]
}

fn store<T: Float>(key: [u32; 2], out: &mut [T]) {
    for (out, word) in out.iter_mut().zip(key) {
        *out = T::from_index(i64::from(word as i32));
    }
}

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Law {
    Uniform,
    Normal,
    Exponential,
    Gumbel,
    /// Integers from the first on, of so many.
    Integers(i64, u64),
    Permutation,
    /// A key made with a number.
    Key(u64, Purpose),
}

/// Numbers of a law in a shape, from a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Random {
    law: Law,
    shape: Shape,
}

impl Random {
    /// Whether the results are integers.
    pub(crate) fn is_integer(&self) -> bool {
        matches!(self.law, Law::Integers(..) | Law::Permutation | Law::Key(..))
    }
}

impl Named for Random {
    const NAMES: &'static [&'static str] =
        &["uniform", "normal", "exponential", "gumbel", "integers", "permutation", "derived_key"];
}

impl<T: Float> Op<T, 1> for Random {
    fn name(&self) -> &'static str {
        match self.law {
            Law::Uniform => "uniform",
            Law::Normal => "normal",
            Law::Exponential => "exponential",
            Law::Gumbel => "gumbel",
            Law::Integers(..) => "integers",
            Law::Permutation => "permutation",
            Law::Key(..) => "derived_key",
        }
    }
    fn shape(&self, _: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(self.shape.clone())
    }
    fn eval(&self, [key]: [View<'_, T>; 1], y: ViewMut<'_, T>) {
        let key = words(key);
        match self.law {
            Law::Uniform => random::uniform(key, y.data),
            Law::Normal => random::normal(key, y.data),
            Law::Exponential => random::exponential(key, y.data),
            Law::Gumbel => random::gumbel(key, y.data),
            Law::Integers(low, count) => random::integers(key, (low, count), y.data),
            Law::Permutation => random::permutation(key, y.data),
            Law::Key(number, purpose) => store(random::derived(key, number, purpose), y.data),
        }
    }
    no_derivative!(1);
}

/// The key that a key and an integer, or a number, of a tape make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FoldIn {
    Index,
    Number,
}

impl Named for FoldIn {
    const NAMES: &'static [&'static str] = &["fold_in_index", "fold_in_number"];
}

impl<T: Float> Op<T, 2> for FoldIn {
    fn name(&self) -> &'static str {
        match self {
            Self::Index => "fold_in_index",
            Self::Number => "fold_in_number",
        }
    }
    fn shape(&self, [key, x]: [&Shape; 2]) -> Result<Shape, Reason> {
        if x.numel() == 1 { Ok(key.clone()) } else { Err(Reason::shape("one number is needed")) }
    }
    fn eval(&self, [key, x]: [View<'_, T>; 2], y: ViewMut<'_, T>) {
        let x = x.data[0];
        let (number, purpose) = match self {
            Self::Index => (x.to_index() as u64, Purpose::FoldIn),
            Self::Number => (x.to_f64().to_bits(), Purpose::FoldInNumber),
        };
        store(random::derived(words(key), number, purpose), y.data);
    }
    no_derivative!(2);
}

impl<T: Float> Tape<T> {
    /// A [`Key`] on the tape, to draw with.
    #[track_caller]
    pub fn key(&self, key: Key) -> KeyVar<'_, T> {
        KeyVar { var: self.index_leaf("key", &Shape::from([2]), |i| key.integers()[i]) }
    }
}

/// A [`Key`] on a tape: what it draws are variables, which have no derivative by anything, so a normal number of a mean and a
/// deviation that are learned is `mean + deviation * key.normal(shape)`.
///
/// The number at a position depends on the key and the position alone: two calls with one key give the same numbers, and one with
/// a larger shape begins with them. Take a key for each thing that is drawn, by [`KeyVar::split`] or [`KeyVar::fold_in`].
///
/// ```
/// use autograd::{grad, Key, Tape};
/// let tape = Tape::new();
/// let [noise, coin] = tape.key(Key::new(0)).split();
/// let (mean, deviation) = (tape.scalar(1.0), tape.scalar(2.0));
/// let x = mean + deviation * noise.normal([1000]);
/// let (x_mean, x_std) = (x.mean().item(), x.std(0, ..).item());
/// assert!((x_mean - 1.0).abs() < 0.2 && (x_std - 2.0).abs() < 0.2);
/// assert_eq!(grad(x.sum(), &mean).item(), 1000.0);
/// let heads = coin.bernoulli(0.5, [1000]).mean().item();
/// assert!((heads - 0.5).abs() < 0.05);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct KeyVar<'t, T: Float = f64> {
    var: Var<'t, T>,
}

impl<'t, T: Float> KeyVar<'t, T> {
    pub(crate) fn var(self) -> Var<'t, T> {
        self.var
    }

    #[track_caller]
    fn draw(self, law: Law, shape: Shape) -> Var<'t, T> {
        self.var.tape().record(Arity(Random { law, shape }), [self.var])
    }

    /// As [`Key::fold_in`].
    #[track_caller]
    pub fn fold_in(self, number: u64) -> Self {
        Self { var: self.draw(Law::Key(number, Purpose::FoldIn), Shape::from([2])) }
    }

    /// As [`Key::fold_in`] with an integer on the tape, such as the number of a step among the inputs of a program.
    ///
    /// ```
    /// use autograd::{Key, Tape};
    /// let (key, tape) = (Key::new(3), Tape::new());
    /// let step = tape.labels(&[5]);
    /// let drawn = tape.key(key).fold_in_index(&step).uniform([2]);
    /// assert_eq!(drawn.value(), tape.key(key.fold_in(5)).uniform([2]).value());
    /// ```
    ///
    /// # Panics
    /// Where there are more integers than one, they live on another tape, or the number type has no room for one.
    #[track_caller]
    pub fn fold_in_index(self, index: &IndexVar<'t, T>) -> Self {
        index.require_kept("fold_in_index");
        Self { var: self.var.tape().record(Arity(FoldIn::Index), [self.var, index.var()]) }
    }

    /// The key that this and a number on the tape make, such as a count in the state of a program, which then draws anew in each
    /// run by itself.
    ///
    /// ```
    /// use autograd::{Key, Program, Tensor};
    /// let mut draw = Program::record(&Tensor::scalar(0.0), &(), |tape, count, ()| {
    ///     let key = tape.key(Key::new(3)).fold_in_number(count);
    ///     (vec![count + 1.0], vec![key.uniform([2])])
    /// })?;
    /// let first = draw.run(&())?.tensor(0);
    /// assert_ne!(draw.run(&())?.tensor(0), first);
    /// draw.set_state("", &Tensor::scalar(0.0))?;
    /// assert_eq!(draw.run(&())?.tensor(0), first);
    /// # Ok::<(), autograd::ProgramError>(())
    /// ```
    ///
    /// # Panics
    /// Where the variable has more elements than one, or lives on another tape.
    #[track_caller]
    pub fn fold_in_number(self, number: Var<'t, T>) -> Self {
        Self { var: self.var.tape().record(Arity(FoldIn::Number), [self.var, number]) }
    }

    /// As [`Key::split`].
    #[track_caller]
    pub fn split<const N: usize>(self) -> [Self; N] {
        let mut keys = [self; N];
        for (i, key) in keys.iter_mut().enumerate() {
            key.var = self.draw(Law::Key(i as u64, Purpose::Split), Shape::from([2]));
        }
        keys
    }

    /// Numbers in [0, 1), each multiple of 2^−53 (2^−24 in `f32`) as likely. In `f32` they are those of `f64`, rounded down.
    ///
    /// # Panics
    /// Where the shape is too large for any buffer, as in all of these.
    #[track_caller]
    pub fn uniform(self, shape: impl Into<Shape>) -> Var<'t, T> {
        self.draw(Law::Uniform, shape.into())
    }

    /// Normal numbers of mean 0 and variance 1. In `f32` they are those of `f64`, rounded, as all below.
    #[track_caller]
    pub fn normal(self, shape: impl Into<Shape>) -> Var<'t, T> {
        self.draw(Law::Normal, shape.into())
    }

    /// Numbers of the density `e^−x`, of mean 1.
    #[track_caller]
    pub fn exponential(self, shape: impl Into<Shape>) -> Var<'t, T> {
        self.draw(Law::Exponential, shape.into())
    }

    /// Numbers of the distribution `e^(−e^−x)`, of Gumbel.
    #[track_caller]
    pub fn gumbel(self, shape: impl Into<Shape>) -> Var<'t, T> {
        self.draw(Law::Gumbel, shape.into())
    }

    /// 1 with a probability, which may be a number or a variable that broadcasts to the shape, else 0. The derivative is 0.
    ///
    /// # Panics
    /// Where a number is no probability, or a variable does not broadcast to the shape.
    #[track_caller]
    pub fn bernoulli(self, probability: impl Operand<'t, T>, shape: impl Into<Shape>) -> Var<'t, T> {
        let tape = self.var.tape();
        let probability = probability.given();
        if let Given::Number(p) = probability {
            self.var.require("bernoulli", (0.0..=1.0).contains(&p), Kind::Option, || {
                format!("a probability from 0 to 1 is needed, not {p}")
            });
        }
        let probability = probability.on(tape);
        let _whole = tape.composite("bernoulli", [self.var, probability]);
        let drawn = self.uniform(shape);
        drawn.lt(probability.fitting("bernoulli", "the probability", drawn))
    }

    /// The place of one element along an axis, which is dropped, drawn for each of the others: with the probabilities whose
    /// logarithms these are, up to a sum (as those of [`Var::softmax`]). An element of −∞ is not drawn.
    ///
    /// ```
    /// use autograd::{Key, Tape, Tensor};
    /// let tape = Tape::new();
    /// let logits = tape.var(&Tensor::from_rows([[0.0, f64::NEG_INFINITY], [f64::NEG_INFINITY, 3.0]]));
    /// assert_eq!(tape.key(Key::new(0)).categorical(logits, 1).value(), [0, 1]);
    /// ```
    ///
    /// # Panics
    /// Where the axis does not exist or has no elements.
    #[track_caller]
    pub fn categorical(self, logits: Var<'t, T>, axis: isize) -> IndexVar<'t, T> {
        let _whole = self.var.tape().composite("categorical", [self.var, logits]);
        (logits + self.gumbel(logits.sizes())).argmax(axis)
    }

    /// Integers of a range, each as likely.
    ///
    /// ```
    /// use autograd::{Key, Tape};
    /// let tape = Tape::<f64>::new();
    /// let dice = tape.key(Key::new(0)).integers(1..7, [100]).value();
    /// assert!((1..7).all(|face| dice.contains(&face)) && dice.len() == 100);
    /// ```
    ///
    /// # Panics
    /// Where the range is empty, or its ends do not fit the number type: 32 bits in `f32`.
    #[track_caller]
    pub fn integers(self, range: Range<i64>, shape: impl Into<Shape>) -> IndexVar<'t, T> {
        let Range { start, end } = range;
        let fits = start < end && start >= -T::MAX_INDEX && end - 1 <= T::MAX_INDEX;
        self.var.require("integers", fits, Kind::Option, || {
            format!("a range within ±{} that is not empty is needed, not {start}..{end}", T::MAX_INDEX)
        });
        let drawn = self.draw(Law::Integers(start, end.abs_diff(start)), shape.into());
        IndexVar::computed_within(drawn, (start, end - 1))
    }

    /// The places `0` to `n − 1` in an order of which each is as likely: `x.gather(0, &key.permutation(n))` shuffles.
    ///
    /// ```
    /// use autograd::{Key, Tape};
    /// let tape = Tape::<f64>::new();
    /// let mut order = tape.key(Key::new(0)).permutation(4).value();
    /// order.sort();
    /// assert_eq!(order, [0, 1, 2, 3]);
    /// ```
    ///
    /// # Panics
    /// Where there are more places than the number type has indices: 32 bits in `f32`.
    #[track_caller]
    pub fn permutation(self, n: usize) -> IndexVar<'t, T> {
        let drawn = self.draw(Law::Permutation, Shape::from([n]));
        self.var.require("permutation", n.saturating_sub(1) <= T::MAX_INDEX as usize, Kind::Option, || {
            format!("places up to {} are needed, not {n} of them", T::MAX_INDEX)
        });
        IndexVar::computed(drawn, n)
    }
}

/// # Dropout
impl<'t, T: Float> Var<'t, T> {
    /// This with each element left out (0) with a probability, the others divided by what is left of 1, so that the mean stays.
    ///
    /// ```
    /// use autograd::{grad, Key, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::ones([1000]));
    /// let y = x.dropout(0.75, tape.key(Key::new(0)));
    /// assert!(y.value().as_slice().iter().all(|&y| y == 0.0 || y == 4.0) && (y.mean().item() - 1.0).abs() < 0.2);
    /// assert_eq!(grad(y.sum(), &x).value(), y.value());
    /// ```
    ///
    /// # Panics
    /// Where the probability is no number from 0 to 1, or the key lives on another tape.
    #[track_caller]
    pub fn dropout(self, probability: f64, key: KeyVar<'t, T>) -> Self {
        self.require("dropout", (0.0..=1.0).contains(&probability), Kind::Option, || {
            format!("a probability from 0 to 1 is needed, not {probability}")
        });
        let _whole = self.tape().composite("dropout", [self, key.var]);
        let left = 1.0 - probability;
        let kept = key.uniform(self.sizes()).lt(left);
        let scale = if left == 0.0 { 0.0 } else { 1.0 / left };
        kept.select(self.mul_scalar(scale), 0.0)
    }
}
