//! What an optimiser is: a rule that makes new parameters of old ones, written once on variables.

use crate::optim::memory::Memory;
use crate::optim::setting::Setting;
use crate::optim::step::{Recall, Step};
use autograd::{Float, Tape, Tensor, Tree, Var};
use std::collections::BTreeMap;

/// A rule that makes new parameters, and new memory, of parameters, their gradients and its memory. It is an expression of
/// variables, for all parameters together, so that it runs inside the [`Program`](autograd::Program) of a step, by
/// [`Rule::update`]; on tensors, by [`Optimiser::step`](crate::optim::Optimiser::step); and is differentiated like any other expression.
///
/// A rule is a plain struct: its settings, and a [`Memory`]. One of one's own says what it changes in [`Rule::advance`] and
/// what it holds in the other methods:
///
/// ```
/// use autograd::{Float, Tensor};
/// use nn::optim::{Memory, Optimiser, Rule, Setting, Step};
///
/// /// Steps of one size against the sign of the mean of the last gradients.
/// struct Signs { rate: f64, beta: f64, memory: Memory }
///
/// impl Rule<f64> for Signs {
///     fn name(&self) -> &'static str { "Signs" }
///     fn settings(&self, each: &mut dyn FnMut(Setting)) {
///         each(Setting::rate(self.rate));
///         each(Setting::share("beta", self.beta));
///     }
///     fn rate(&self) -> f64 { self.rate }
///     fn set_rate(&mut self, rate: f64) { self.rate = rate }
///     fn memory(&self) -> &Memory { &self.memory }
///     fn memory_mut(&mut self) -> &mut Memory { &mut self.memory }
///     fn advance<'t>(&self, step: &mut Step<'t, f64>) {
///         step.each(|leaf, memory| leaf.grad = memory.average("mean", leaf, leaf.grad, self.beta).sign());
///         step.descend(step.rate);
///     }
/// }
///
/// let mut signs = Signs { rate: 0.5, beta: 0.9, memory: Memory::default() };
/// let mut weights = Tensor::from([1.0, 2.0]);
/// signs.step(&mut weights, &Tensor::from([3.0, -0.1]));
/// assert_eq!(weights.as_slice(), [0.5, 2.5]);
/// ```
pub trait Rule<T: Float> {
    /// What messages call it.
    fn name(&self) -> &'static str;

    /// Calls a function with each number that it reads, and what that must be. What [`Rule::advance`] reads and is not told here must
    /// not change between steps.
    fn settings(&self, each: &mut dyn FnMut(Setting));

    /// The learning rate.
    fn rate(&self) -> f64;

    /// Changes the learning rate, as a schedule does.
    fn set_rate(&mut self, rate: f64);

    /// The momentum, or `β₁`, that a schedule may move; `None` where there is none.
    fn momentum(&self) -> Option<f64> {
        None
    }

    /// Changes the momentum, where there may be one.
    fn set_momentum(&mut self, momentum: f64) {
        let _ = momentum;
    }

    /// What it remembers between steps.
    fn memory(&self) -> &Memory<T>;

    /// What it remembers, to change.
    fn memory_mut(&mut self) -> &mut Memory<T>;

    /// One step: replaces parameters and memory of a [`Step`] by their next values.
    fn advance<'t>(&self, step: &mut Step<'t, T>);

    /// The memory before the first step on these parameters, by name: that of a leaf has its name behind it, as
    /// `momentum.layers.0.weight`.
    ///
    /// ```
    /// use autograd::{Tensor, Tree};
    /// use nn::optim::{Rule, Sgd};
    /// let net = (Tensor::<f64>::zeros([2]), Tensor::zeros([]));
    /// let sgd = Sgd { momentum: 0.9, ..Sgd::new(0.1) };
    /// assert_eq!(sgd.start(&net).names(), ["momentum.0", "momentum.1", "steps"]);
    /// ```
    fn start<P>(&self, params: &P) -> BTreeMap<String, Tensor<T>>
    where
        P: Tree<Leaf = Tensor<T>>,
        Self: Sized,
    {
        super::memory::start(self, params, &BTreeMap::new()).unwrap_or_default()
    }

    /// Records a step: the next parameters and the next memory, of parameters, gradients of the same structure, and a memory that
    /// [`Rule::start`] made (what is missing in it starts anew). The rate, and the momentum where a schedule moves it, are variables, so that
    /// a program takes them as inputs; without, they are those of the rule, for ever ([`Now::default`]).
    ///
    /// ```
    /// use autograd::{Program, Tensor, grad};
    /// use nn::optim::{Adam, Rule, next_state};
    /// let (weights, adam) = (Tensor::from([1.0, 2.0]), Adam::new(0.1));
    /// let state = (weights.clone(), adam.start(&weights));
    /// let mut step = Program::record(&state, &0.1_f64, |_, (weights, memory), rate| {
    ///     let loss = weights.square().sum();
    ///     let next = adam.update(&weights, &grad(loss, &weights), &memory, rate);
    ///     (next_state(&next), vec![loss])
    /// })?;
    /// for _ in 0..100 {
    ///     step.run(&0.1)?;
    /// }
    /// assert!(step.run(&0.1)?.item(0) < 0.01);
    /// assert_eq!(step.state("1.steps").unwrap().item(), 101.0);
    /// # Ok::<(), autograd::ProgramError>(())
    /// ```
    ///
    /// # Panics
    /// Where a setting is out of its range, gradients or memory do not fit the parameters, or there are no parameters.
    #[track_caller]
    fn update<'t, P, G>(
        &self,
        params: &P,
        grads: &G,
        memory: &BTreeMap<String, Var<'t, T>>,
        now: impl Into<Now<'t, T>>,
    ) -> (P, BTreeMap<String, Var<'t, T>>)
    where
        P: Tree<Leaf = Var<'t, T>, With<Var<'t, T>> = P>,
        G: Tree<Leaf = Var<'t, T>>,
        Self: Sized,
    {
        if let Some(wrong) = wrong_setting(self) {
            panic!("update: {wrong}");
        }
        let list = |leaves: Vec<&Var<'t, T>>| leaves.into_iter().copied().collect::<Vec<_>>();
        let (values, grads) = (list(params.leaves()), list(grads.leaves()));
        let names = params.names();
        let shapes = |leaves: &[Var<'t, T>]| leaves.iter().map(Var::shape).collect::<Vec<_>>();
        if let Some(wrong) = super::memory::misfit(|| names.clone(), &shapes(&values), &shapes(&grads)) {
            panic!("update: {wrong}");
        }
        let Some(first) = values.first() else { panic!("update: there are no parameters") };
        let tape = first.tape();
        let _whole = tape.composite("update", values.iter().chain(&grads).chain(memory.values()).copied());
        let (values, memory) = match advance(self, tape, names, (&values, &grads), memory.clone(), now.into()) {
            Ok(next) => next,
            Err(wrong) => panic!("update: {wrong}"),
        };
        let mut next = values.into_iter();
        (params.map(&mut |old| next.next().unwrap_or(*old)), memory)
    }
}

/// The numbers of a step that a schedule moves, as variables; what is absent is the setting of the rule.
#[derive(Clone, Copy, Debug)]
pub struct Now<'t, T: Float = f64> {
    /// The learning rate.
    pub rate: Option<Var<'t, T>>,
    /// The momentum, or `β₁`.
    pub momentum: Option<Var<'t, T>>,
}

impl<T: Float> Default for Now<'_, T> {
    /// The settings of the rule.
    fn default() -> Self {
        Self { rate: None, momentum: None }
    }
}

impl<'t, T: Float> From<Var<'t, T>> for Now<'t, T> {
    /// A rate.
    fn from(rate: Var<'t, T>) -> Self {
        Self { rate: Some(rate), momentum: None }
    }
}

impl<'t, T: Float> From<(Var<'t, T>, Var<'t, T>)> for Now<'t, T> {
    /// A rate and a momentum.
    fn from((rate, momentum): (Var<'t, T>, Var<'t, T>)) -> Self {
        Self { rate: Some(rate), momentum: Some(momentum) }
    }
}

/// Parameters in order, and memory.
pub(crate) type Advanced<'t, T> = (Vec<Var<'t, T>>, BTreeMap<String, Var<'t, T>>);

/// Parameters by name, and memory, after a step of a rule; or why the memory is that of others.
pub(crate) fn advance<'t, T: Float>(
    rule: &(impl Rule<T> + ?Sized),
    tape: &'t Tape<T>,
    names: Vec<String>,
    (values, grads): (&[Var<'t, T>], &[Var<'t, T>]),
    memory: BTreeMap<String, Var<'t, T>>,
    now: Now<'t, T>,
) -> Result<Advanced<'t, T>, String> {
    let mut step = Step::new(rule, names.clone(), values, grads, Recall::new(tape, memory), now);
    rule.advance(&mut step);
    if let Some(wrong) = step.memory.complaint(rule.name(), &names) {
        return Err(wrong);
    }
    Ok((step.leaves.iter().map(|leaf| leaf.value).collect(), step.memory.into_values()))
}

/// The variables of a structure in order, such as `(net, memory)`: the next state of a program.
pub fn next_state<'t, T: Float>(state: &impl Tree<Leaf = Var<'t, T>>) -> Vec<Var<'t, T>> {
    state.leaves().into_iter().copied().collect()
}

/// What is wrong with a setting of a rule.
pub(crate) fn wrong_setting<T: Float>(rule: &(impl Rule<T> + ?Sized)) -> Option<String> {
    let mut wrong = None;
    rule.settings(&mut |setting| {
        if wrong.is_none() && !setting.holds() {
            wrong = Some(setting);
        }
    });
    wrong.map(|setting| setting.complaint(rule.name()))
}

/// A boxed rule is the rule: which one may be chosen while a program runs.
impl<T: Float> Rule<T> for Box<dyn Rule<T> + '_> {
    fn name(&self) -> &'static str {
        (**self).name()
    }
    fn settings(&self, each: &mut dyn FnMut(Setting)) {
        (**self).settings(each);
    }
    fn rate(&self) -> f64 {
        (**self).rate()
    }
    fn set_rate(&mut self, rate: f64) {
        (**self).set_rate(rate);
    }
    fn momentum(&self) -> Option<f64> {
        (**self).momentum()
    }
    fn set_momentum(&mut self, momentum: f64) {
        (**self).set_momentum(momentum);
    }
    fn memory(&self) -> &Memory<T> {
        (**self).memory()
    }
    fn memory_mut(&mut self) -> &mut Memory<T> {
        (**self).memory_mut()
    }
    fn advance<'t>(&self, step: &mut Step<'t, T>) {
        (**self).advance(step);
    }
}
