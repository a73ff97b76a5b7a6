//! What an optimiser remembers, and its step on tensors: the rule as a program, recorded at the first step.

use crate::optim::Optimiser;
use crate::optim::rule::{Now, Rule, wrong_setting};
use crate::optim::step::{Recall, Step};
use autograd::{Float, InputRecorder, InputWriter, Inputs, Program, ProgramError, Shape, Tape, Tensor, Tree, Var};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Deref, DerefMut};

/// What an optimiser remembers between steps: tensors by name, such as `momentum.layers.0.weight`, and nothing before the first
/// step. It is a map of tensors in every respect: it is read, saved and replaced as one.
///
/// ```
/// use autograd::Tensor;
/// use nn::{Adam, Optimiser};
/// let mut adam = Adam::new(0.1);
/// adam.step(&mut Tensor::scalar(1.0), &Tensor::scalar(2.0));
/// assert_eq!(adam.memory.keys().collect::<Vec<_>>(), ["mean", "square", "steps"]);
/// let mut resumed = Adam { memory: adam.memory.clone(), ..Adam::new(0.1) };
/// resumed.memory.insert("steps".into(), Tensor::scalar(7.0));
/// ```
#[derive(Default)]
pub struct Memory<T: Float = f64> {
    tensors: BTreeMap<String, Tensor<T>>,
    /// The rule on these, until somebody changes them.
    program: Option<Box<Kept<T>>>,
}

/// A rule as a program, with what it was recorded for.
struct Kept<T: Float> {
    program: Program<T>,
    /// The settings that are a part of it, in their bits.
    settings: Vec<u64>,
    /// How many parameters there are.
    leaves: usize,
}

impl<T: Float> Deref for Memory<T> {
    type Target = BTreeMap<String, Tensor<T>>;
    fn deref(&self) -> &Self::Target {
        &self.tensors
    }
}

impl<T: Float> DerefMut for Memory<T> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.program = None;
        &mut self.tensors
    }
}

impl<T: Float> From<BTreeMap<String, Tensor<T>>> for Memory<T> {
    fn from(tensors: BTreeMap<String, Tensor<T>>) -> Self {
        Self { tensors, program: None }
    }
}

impl<T: Float> Clone for Memory<T> {
    fn clone(&self) -> Self {
        self.tensors.clone().into()
    }
}

impl<T: Float> PartialEq for Memory<T> {
    fn eq(&self, other: &Self) -> bool {
        self.tensors == other.tensors
    }
}

impl<T: Float> fmt::Debug for Memory<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tensors.fmt(f)
    }
}

impl<T: Float, R: Rule<T>> Optimiser<T> for R {
    #[track_caller]
    fn step(&mut self, params: &mut impl Tree<Leaf = Tensor<T>>, grads: &impl Tree<Leaf = Tensor<T>>) {
        if let Some(wrong) = wrong_setting(self) {
            panic!("step: {wrong}");
        }
        let numbers = [self.rate(), self.momentum().unwrap_or(0.0)].map(T::of);
        let (kept, mut memory) = (self.memory_mut().program.take(), std::mem::take(self.memory_mut()).tensors);
        if let Some(mut kept) = kept.filter(|kept| kept.is_of(self))
            && kept.run(params, grads, &mut memory, numbers).is_ok()
        {
            *self.memory_mut() = Memory { tensors: memory, program: Some(kept) };
            return;
        }
        let wrong = wrong_structure(params, grads);
        let recorded = wrong.map_or_else(|| Kept::record(self, params, grads, &mut memory), Err);
        let ran = recorded.and_then(|mut kept| {
            kept.run(params, grads, &mut memory, numbers).map_err(|error| error.to_string())?;
            Ok(kept)
        });
        *self.memory_mut() = memory.into();
        match ran {
            Ok(kept) => self.memory_mut().program = Some(Box::new(kept)),
            Err(wrong) => panic!("step: {wrong}"),
        }
    }
}

/// The settings that a recorded program has in it.
fn visit_fixed<T: Float>(rule: &(impl Rule<T> + ?Sized), mut each: impl FnMut(u64)) {
    each(u64::from(rule.momentum().is_some()));
    rule.settings(&mut |setting| {
        if !setting.moves {
            each(setting.value.to_bits());
        }
    });
}

/// The settings that a recorded program has in it, in their bits.
pub(crate) fn fixed_settings<T: Float>(rule: &(impl Rule<T> + ?Sized)) -> Vec<u64> {
    let mut settings = Vec::new();
    visit_fixed(rule, |bits| settings.push(bits));
    settings
}

/// Whether a rule has these settings.
pub(crate) fn has_settings<T: Float>(rule: &(impl Rule<T> + ?Sized), settings: &[u64]) -> bool {
    let (mut same, mut count) = (true, 0);
    visit_fixed(rule, |bits| {
        same &= settings.get(count) == Some(&bits);
        count += 1;
    });
    same && count == settings.len()
}

impl<T: Float> Kept<T> {
    /// Whether it was recorded of a rule with the settings of this one.
    fn is_of(&self, rule: &(impl Rule<T> + ?Sized)) -> bool {
        has_settings(rule, &self.settings)
    }

    /// The program of a rule; what the memory lacks starts.
    fn record<P, G>(
        rule: &impl Rule<T>,
        params: &P,
        grads: &G,
        memory: &mut BTreeMap<String, Tensor<T>>,
    ) -> Result<Self, String>
    where
        P: Tree<Leaf = Tensor<T>>,
        G: Tree<Leaf = Tensor<T>>,
    {
        memory.append(&mut start(rule, params, memory)?);
        let names = params.names();
        let leaves = names.len();
        let given = Given { params, grads, memory, numbers: [T::ZERO; 2], leaves };
        let program =
            Program::record(&(), &given, |tape, (), Traced { params, grads, memory, numbers: [rate, momentum] }| {
                let momentum = rule.momentum().map(|_| momentum);
                let recall = Recall::new(tape, memory);
                let mut step = Step::new(rule, names, &params, &grads, recall, Now { rate: Some(rate), momentum });
                rule.advance(&mut step);
                let values = step.leaves.iter().map(|leaf| leaf.value).collect::<Vec<_>>();
                (Vec::new(), values.into_iter().chain(step.memory.into_values().into_values()).collect())
            });
        let settings = fixed_settings(rule);
        Ok(Self { program: program.map_err(|error| error.to_string())?, settings, leaves })
    }

    /// A step in place. An error changes nothing.
    fn run<P, G>(
        &mut self,
        params: &mut P,
        grads: &G,
        memory: &mut BTreeMap<String, Tensor<T>>,
        numbers: [T; 2],
    ) -> Result<(), ProgramError>
    where
        P: Tree<Leaf = Tensor<T>>,
        G: Tree<Leaf = Tensor<T>>,
    {
        let next = self.program.run(&Given { params, grads, memory, numbers, leaves: self.leaves })?;
        let mut outputs = 0..next.len();
        let mut write = |tensor: &mut Tensor<T>| {
            if let Some(output) = outputs.next() {
                tensor.as_mut_slice().copy_from_slice(next.slice(output));
            }
        };
        params.visit_mut(&mut write);
        memory.values_mut().for_each(write);
        Ok(())
    }
}

/// What a step is given.
struct Given<'a, T: Float, P, G> {
    params: &'a P,
    grads: &'a G,
    memory: &'a BTreeMap<String, Tensor<T>>,
    /// Rate and momentum.
    numbers: [T; 2],
    /// How many parameters there must be.
    leaves: usize,
}

/// The same as variables.
struct Traced<'t, T: Float> {
    params: Vec<Var<'t, T>>,
    grads: Vec<Var<'t, T>>,
    memory: BTreeMap<String, Var<'t, T>>,
    numbers: [Var<'t, T>; 2],
}

impl<T, P, G> Inputs<T> for Given<'_, T, P, G>
where
    T: Float,
    P: Tree<Leaf = Tensor<T>>,
    G: Tree<Leaf = Tensor<T>>,
{
    type Traced<'t> = Traced<'t, T>;
    type Owned = Given<'static, T, Vec<Tensor<T>>, Vec<Tensor<T>>>;

    fn trace<'t>(&self, tape: &'t Tape<T>, slots: &mut InputRecorder) -> Traced<'t, T> {
        let (mut params, mut grads) = (Vec::new(), Vec::new());
        self.params.visit(&mut |param| params.push(slots.numbers(tape, param)));
        self.grads.visit(&mut |grad| grads.push(slots.numbers(tape, grad)));
        let memory = self.memory.iter().map(|(key, value)| (key.clone(), slots.numbers(tape, value))).collect();
        Traced {
            params,
            grads,
            memory,
            numbers: self.numbers.map(|number| slots.numbers(tape, &Tensor::scalar(number))),
        }
    }

    fn bind(&self, binder: &mut InputWriter<'_, T>) -> Result<(), ProgramError> {
        let (mut bound, mut count) = (Ok(()), 0);
        let mut give = |value: &Tensor<T>| {
            count += 1;
            if bound.is_ok() {
                bound = binder.tensor(value);
            }
        };
        self.params.visit(&mut give);
        self.grads.visit(&mut give);
        self.memory.values().for_each(give);
        bound?;
        // Neither half may have what belongs to the other.
        let mut params = 0;
        self.params.visit(&mut |_| params += 1);
        if params != self.leaves || count < 2 * params {
            return Ok(()); // the numbers are missing, which is an error
        }
        self.numbers.iter().try_for_each(|&number| binder.numbers(&Shape::scalar(), &[number]))
    }
}

/// Why gradients are not of the structure of parameters.
pub(crate) fn wrong_structure<T: Float>(
    params: &impl Tree<Leaf = Tensor<T>>,
    grads: &impl Tree<Leaf = Tensor<T>>,
) -> Option<String> {
    let shapes = |leaves: Vec<&Tensor<T>>| leaves.into_iter().map(|leaf| leaf.shape().clone()).collect::<Vec<_>>();
    misfit(|| params.names(), &shapes(params.leaves()), &shapes(grads.leaves()))
}

/// What a memory lacks for the next step of a rule on parameters, or why it is that of others.
pub(crate) fn start<T: Float>(
    rule: &(impl Rule<T> + ?Sized),
    params: &impl Tree<Leaf = Tensor<T>>,
    memory: &BTreeMap<String, Tensor<T>>,
) -> Result<BTreeMap<String, Tensor<T>>, String> {
    let tape = Tape::default();
    let mut leaves = Vec::new();
    params.visit(&mut |param| leaves.push(tape.var(param)));
    let recall = Recall::new(&tape, tape.vars(memory));
    // What is recorded is not computed; any gradients will do.
    let mut step = Step::new(rule, params.names(), &leaves, &leaves, recall, Now::default());
    rule.advance(&mut step);
    step.memory.complaint(rule.name(), &params.names()).map_or(Ok(step.memory.into_started()), Err)
}

/// Why gradients do not fit parameters.
pub(crate) fn misfit(names: impl FnOnce() -> Vec<String>, params: &[Shape], grads: &[Shape]) -> Option<String> {
    let (count, given) = (params.len(), grads.len());
    if given != count {
        return Some(format!("there are {count} parameters and {given} gradients"));
    }
    let i = (0..count).find(|&i| params[i] != grads[i])?;
    let name = names().swap_remove(i);
    let name = if name.is_empty() { String::new() } else { format!(" ({})", name.escape_debug()) };
    Some(format!("parameter {i}{name} has shape {}, its gradient has {}", params[i], grads[i]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_of_another_structure_are_told_by_name() {
        let params = (Tensor::from([1.0]), Tensor::<f64>::zeros([2]));
        let wrong = wrong_structure(&params, &(Tensor::from([1.0]), Tensor::zeros([3]))).unwrap();
        assert_eq!(wrong, "parameter 1 (1) has shape [2], its gradient has [3]");
        let wrong = wrong_structure(&vec![Tensor::<f64>::zeros([1]); 2], &vec![Tensor::zeros([1])]).unwrap();
        assert_eq!(wrong, "there are 2 parameters and 1 gradients");
        assert_eq!(wrong_structure(&params, &params), None);
    }
}
