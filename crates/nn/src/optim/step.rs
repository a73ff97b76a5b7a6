//! A step of a rule under way: the parameters, what became of their gradients, and the memory; and what rules are made of.

use crate::optim::rule::{Now, Rule};
use autograd::{Float, Shape, Tape, Tensor, Var};
use std::collections::{BTreeMap, BTreeSet};

/// A step under way, of all parameters together: a rule is a short chain of changes to it.
///
/// See [`Rule`](crate::optim::Rule) for a rule of one's own.
pub struct Step<'t, T: Float = f64> {
    /// The learning rate, one number.
    pub rate: Var<'t, T>,
    /// The parameters in order.
    pub leaves: Vec<Leaf<'t, T>>,
    /// What is remembered.
    pub memory: Recall<'t, T>,
    momentum: Option<Var<'t, T>>,
}

/// A parameter in a step under way.
#[derive(Clone, Debug)]
pub struct Leaf<'t, T: Float = f64> {
    /// Its path, such as `layers.0.weight`.
    pub name: String,
    /// The parameter.
    pub value: Var<'t, T>,
    /// Its gradient, or what the rule has made of it so far.
    pub grad: Var<'t, T>,
    /// A factor of the learning rate.
    pub factor: f64,
    /// A weight decay of its own.
    pub weight_decay: Option<f64>,
    /// Whether it stays as it is: it has no gradient, and nothing is remembered of it.
    pub frozen: bool,
}

impl<'t, T: Float> Step<'t, T> {
    pub(crate) fn new(
        rule: &(impl Rule<T> + ?Sized),
        names: Vec<String>,
        values: &[Var<'t, T>],
        grads: &[Var<'t, T>],
        memory: Recall<'t, T>,
        now: Now<'t, T>,
    ) -> Self {
        let leaf = |((name, &value), &grad)| Leaf { name, value, grad, factor: 1.0, weight_decay: None, frozen: false };
        let leaves = names.into_iter().zip(values).zip(grads).map(leaf).collect();
        let rate = now.rate.unwrap_or_else(|| memory.tape.scalar(T::of(rule.rate())));
        Self { rate, leaves, memory, momentum: now.momentum }
    }

    /// The tape that it is recorded on.
    pub fn tape(&self) -> &'t Tape<T> {
        self.memory.tape
    }

    /// The momentum of this step, or the setting of the rule where no schedule moves it.
    pub fn momentum(&self, setting: f64) -> Var<'t, T> {
        self.momentum.unwrap_or_else(|| self.tape().scalar(T::of(setting)))
    }

    /// Calls a function with each parameter that is not frozen, and the memory.
    pub fn each(&mut self, mut f: impl FnMut(&mut Leaf<'t, T>, &mut Recall<'t, T>)) {
        for leaf in self.leaves.iter_mut().filter(|leaf| !leaf.frozen) {
            f(leaf, &mut self.memory);
        }
    }

    /// Counts the step; the number of this one, from 1. In `f32` the count ends at 2²⁴, where no rule tells steps apart any more.
    pub fn count(&mut self) -> Var<'t, T> {
        let steps = self.memory.number("steps", 0.0) + 1.0;
        self.memory.keep_number("steps", steps);
        steps
    }

    /// Turns gradients round where a function is to be made large.
    pub fn maximise(&mut self, maximize: bool) {
        if maximize {
            self.each(|leaf, _| leaf.grad = leaf.grad.neg());
        }
    }

    /// Draws parameters to 0: `g ← g + decay · p`, the gradient of `decay/2 · p²`, or decoupled from the gradient,
    /// `p ← p − rate · decay · p` (Loshchilov and Hutter, 2019).
    pub fn decay(&mut self, weight_decay: f64, decoupled: bool) {
        let rate = self.rate;
        self.each(|leaf, _| {
            let decay = leaf.weight_decay.unwrap_or(weight_decay);
            if decay == 0.0 {
                return;
            }
            if decoupled {
                leaf.value *= T::ONE - leaf.scaled(rate) * decay;
            } else {
                leaf.grad += leaf.value * decay;
            }
        });
    }

    /// `p ← p − rate · g`, with what the rule has made of the gradient.
    pub fn descend(&mut self, rate: Var<'t, T>) {
        self.each(|leaf, _| leaf.value -= leaf.scaled(rate) * leaf.grad);
    }
}

impl<'t, T: Float> Leaf<'t, T> {
    /// A rate times the factor of this parameter.
    pub fn scaled(&self, rate: Var<'t, T>) -> Var<'t, T> {
        if self.factor == 1.0 { rate } else { rate * self.factor }
    }
}

/// The memory in a step under way: what it was, and what it becomes.
pub struct Recall<'t, T: Float = f64> {
    tape: &'t Tape<T>,
    before: BTreeMap<String, Var<'t, T>>,
    after: BTreeMap<String, Var<'t, T>>,
    /// What was asked for and not there.
    started: BTreeMap<String, Tensor<T>>,
    asked: BTreeSet<String>,
    /// What was asked for and has another shape: its name, that shape, and the right one.
    misfit: Option<(String, Shape, Shape)>,
    /// What else is wrong.
    wrong: Option<String>,
}

/// The name of what is remembered of a parameter.
pub(crate) fn key(slot: &str, leaf: &str) -> String {
    autograd::join(slot, leaf).trim_end_matches('.').to_owned()
}

impl<'t, T: Float> Recall<'t, T> {
    #[inline(never)]
    pub(crate) fn new(tape: &'t Tape<T>, before: BTreeMap<String, Var<'t, T>>) -> Self {
        Self {
            tape,
            after: before.clone(),
            before,
            started: BTreeMap::new(),
            asked: BTreeSet::new(),
            misfit: None,
            wrong: None,
        }
    }

    /// What is remembered of a parameter under a name, which has the parameter's shape, and `start` in all places before the
    /// first step.
    pub fn of(&mut self, slot: &str, leaf: &Leaf<'t, T>, start: f64) -> Var<'t, T> {
        self.recall(key(slot, &leaf.name), leaf.value.shape(), start)
    }

    /// What is remembered of a parameter from now on.
    pub fn keep(&mut self, slot: &str, leaf: &Leaf<'t, T>, value: Var<'t, T>) {
        self.after.insert(key(slot, &leaf.name), value);
    }

    /// A number that is remembered under a name.
    pub fn number(&mut self, slot: &str, start: f64) -> Var<'t, T> {
        self.recall(slot.to_owned(), Shape::scalar(), start)
    }

    /// The number that is remembered from now on.
    pub fn keep_number(&mut self, slot: &str, value: Var<'t, T>) {
        self.after.insert(slot.to_owned(), value);
    }

    /// A running mean, `m ← β m + (1 − β) x`, from 0 on.
    pub fn average(&mut self, slot: &str, leaf: &Leaf<'t, T>, x: Var<'t, T>, beta: f64) -> Var<'t, T> {
        let old = self.of(slot, leaf, 0.0);
        // As a step towards x: 1 − β keeps its digits in f32, so that the weights add up to 1. Where little is kept, x must not
        // be lost beside what was.
        let new = if beta < 0.5 { old * beta + x * (1.0 - beta) } else { old + (x - old) * (1.0 - beta) };
        self.keep(slot, leaf, new);
        new
    }

    /// As [`Recall::average`], of a `β` that moves.
    pub fn average_by(&mut self, slot: &str, leaf: &Leaf<'t, T>, x: Var<'t, T>, beta: Var<'t, T>) -> Var<'t, T> {
        let new = beta * self.of(slot, leaf, 0.0) + (T::ONE - beta) * x;
        self.keep(slot, leaf, new);
        new
    }

    #[inline(never)]
    pub(crate) fn recall(&mut self, key: String, shape: Shape, start: f64) -> Var<'t, T> {
        self.asked.insert(key.clone());
        if let Some(&value) = self.after.get(&key) {
            if value.shape() == shape {
                return value;
            }
            self.misfit.get_or_insert_with(|| (key.clone(), value.shape(), shape.clone()));
        }
        let start = Tensor::full(shape, T::of(start));
        let value = self.tape.var(&start);
        self.started.insert(key.clone(), start);
        self.before.insert(key.clone(), value);
        self.after.insert(key, value);
        value
    }

    /// Says what is wrong with the step: it is not made.
    pub(crate) fn complain(&mut self, wrong: String) {
        self.wrong.get_or_insert(wrong);
    }

    /// Why what was remembered is not of the parameters with these names, where it is not.
    #[inline(never)]
    pub(crate) fn complaint(&self, rule: &str, names: &[String]) -> Option<String> {
        if self.wrong.is_some() {
            return self.wrong.clone();
        }
        let paths = |key: &str| key.split_once('.').map_or(String::new(), |(_, path)| path.to_owned());
        let strange = |key: &&String| !self.asked.contains(*key) && !names.contains(&paths(key));
        if let Some(key) = self.before.keys().find(strange) {
            let slot = |key: &str| key.split('.').next().unwrap_or_default().to_owned();
            let held = self
                .before
                .keys()
                .filter(|other| !self.started.contains_key(*other) && slot(other) == slot(key))
                .count();
            let (key, given) = (key.escape_debug(), names.len());
            return Some(if held == given {
                format!("the memory of {rule} has `{key}`, which is of no parameter")
            } else {
                format!("{rule} has made steps on {held} parameters, {given} were given (its memory has `{key}`)")
            });
        }
        let (key, held, needed) = self.misfit.as_ref()?;
        let place = names.iter().position(|name| *name == paths(key)).unwrap_or_default();
        let count = |shape: &Shape| shape.iter().product::<usize>();
        Some(if count(held) == count(needed) {
            format!("{rule} has made steps on a parameter {place} of shape {held}, one of {needed} was given")
        } else {
            let (held, needed, key) = (count(held), count(needed), key.escape_debug());
            format!(
                "{rule} has made steps on a parameter {place} of {held} elements, one of {needed} was given (`{key}`)"
            )
        })
    }

    /// Keeps what was remembered before, instead of what the rule made of it, where a number is 0.
    #[inline(never)]
    pub(crate) fn unless(&mut self, moves: Var<'t, T>) {
        for (key, after) in &mut self.after {
            if let Some(&before) = self.before.get(key)
                && before.index() != after.index()
            {
                *after = moves.select(*after, before);
            }
        }
    }

    #[inline(never)]
    pub(crate) fn into_started(self) -> BTreeMap<String, Tensor<T>> {
        self.started
    }

    #[inline(never)]
    pub(crate) fn into_values(self) -> BTreeMap<String, Var<'t, T>> {
        self.after
    }
}

/// `1 − β^t`, by which a running mean from 0 on falls short of a mean after `t` steps: exact where `β` is near 1, and 1 where
/// it is 0.
pub fn shortfall<'t, T: Float>(beta: f64, t: Var<'t, T>) -> Var<'t, T> {
    if beta == 0.0 { t.tape().scalar(T::ONE) } else { (t * beta.ln()).expm1().neg() }
}

/// As [`shortfall`], of a `β` that moves.
pub fn shortfall_by<'t, T: Float>(beta: Var<'t, T>, t: Var<'t, T>) -> Var<'t, T> {
    (t * beta.log()).expm1().neg()
}
