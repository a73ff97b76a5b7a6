//! Groups of parameters with settings of their own.

use crate::optim::{Memory, Rule, Setting, Step};
use crate::pattern::fits;
use autograd::{Float, Tree, Var};

/// Parameters by a pattern of their names, and what is special about them.
///
/// In a pattern `*` stands for any text, also for none and for dots: `encoder.*` is everything below `encoder`, `*.bias` every bias.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Which parameters.
    pub pattern: String,
    /// A factor of the learning rate.
    pub factor: f64,
    /// A weight decay in place of the rule's.
    pub weight_decay: Option<f64>,
    /// Whether they stay as they are: nothing is remembered of them, and no gradient of theirs counts.
    pub frozen: bool,
}

impl Group {
    /// A group that is like all others.
    pub fn new(pattern: &str) -> Self {
        Self { pattern: pattern.to_owned(), factor: 1.0, weight_decay: None, frozen: false }
    }

    /// Parameters that stay as they are.
    pub fn frozen(pattern: &str) -> Self {
        Self { frozen: true, ..Self::new(pattern) }
    }
}

/// A rule for groups of parameters. A parameter is of the last group whose pattern has its name, and of none where no pattern does.
///
/// What is frozen has no gradient in a program, where nothing asks for it; on a tape, [`freeze`] sees to it.
///
/// ```
/// use autograd::Tensor;
/// use nn::optim::{Group, Grouped, Optimiser, Sgd};
/// let mut rule = Grouped {
///     groups: vec![Group::frozen("0.*"), Group { factor: 0.1, ..Group::new("0.1") }],
///     rule: Sgd::new(1.0),
/// };
/// let one = || Tensor::from([1.0]);
/// let mut net = ([one(), one()], one());
/// rule.step(&mut net, &([one(), one()], one()));
/// assert_eq!([&net.0[0], &net.0[1], &net.1].map(|p| p.as_slice()[0]), [1.0, 0.9, 0.0]);
/// ```
///
/// # Panics
/// In its steps, where a pattern has no parameter.
#[derive(Clone, Debug)]
pub struct Grouped<R> {
    /// The groups, of which the last one that fits counts.
    pub groups: Vec<Group>,
    /// What moves the parameters.
    pub rule: R,
}

impl<T: Float, R: Rule<T>> Rule<T> for Grouped<R> {
    inner!();

    fn settings(&self, each: &mut dyn FnMut(Setting)) {
        for group in &self.groups {
            each(Setting::number("factor", group.factor));
            each(Setting::flag("weight_decay", group.weight_decay.is_some()));
            each(Setting::number("weight_decay", group.weight_decay.unwrap_or(0.0)));
            each(Setting::flag("frozen", group.frozen));
            // The pattern, as the number that its letters make.
            let hash = autograd::form_of(&group.pattern);
            each(Setting::within("pattern", (hash >> 12) as f64, ..));
        }
        self.rule.settings(each);
    }

    fn advance<'t>(&self, step: &mut Step<'t, T>) {
        for leaf in &mut step.leaves {
            if let Some(group) = self.groups.iter().rev().find(|group| fits(&group.pattern, &leaf.name)) {
                leaf.factor *= group.factor;
                leaf.weight_decay = group.weight_decay.or(leaf.weight_decay);
                leaf.frozen |= group.frozen;
            }
        }
        for group in &self.groups {
            if !step.leaves.iter().any(|leaf| fits(&group.pattern, &leaf.name)) {
                step.memory
                    .complain(format!("no parameter has a name of the pattern `{}`", group.pattern.escape_debug()));
            }
        }
        self.rule.advance(step);
    }
}

/// A structure whose leaves with names of a pattern are constants for derivatives: frozen parts cost no gradient.
///
/// ```
/// use autograd::{Tape, Tensor, grad};
/// use nn::optim::freeze;
/// let tape = Tape::new();
/// let net = tape.vars(&[Tensor::scalar(2.0), Tensor::scalar(3.0)]);
/// let [a, b] = freeze(&net, "0");
/// assert_eq!(grad(a * b, &net).map(|g| g.item()), [0.0, 2.0]);
/// ```
pub fn freeze<'t, T, P>(params: &P, pattern: &str) -> P
where
    T: Float,
    P: Tree<Leaf = Var<'t, T>, With<Var<'t, T>> = P>,
{
    let names = params.names();
    let mut names = names.iter();
    params.map(&mut |leaf| match names.next() {
        Some(name) if fits(pattern, name) => leaf.stop_gradient(),
        _ => *leaf,
    })
}
