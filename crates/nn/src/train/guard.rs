//! A loss that is no number: where it came from, and the weights of before.

use super::best::{copy_into, keep};
use autograd::{Float, NonFinite, Tape, Tensor, Tree, Var, grad};
use std::fmt;

/// Why training stopped: the loss of a batch is NaN or infinite.
#[derive(Clone, Debug, PartialEq)]
pub struct Diverged {
    /// The epoch, from 1; 0 where epochs are not counted.
    pub epoch: u32,
    /// The batch in it, from 1; the step where epochs are not counted.
    pub batch: usize,
    /// The loss; where it is finite, it is the step that was none.
    pub loss: f64,
    /// The rows of the batch, where they are known.
    pub rows: Vec<usize>,
    /// The first feature of the batch that is not finite: its row, counted as `rows` are where they are known, and its place in the row.
    pub feature: Option<(usize, usize)>,
    /// The first parameter that is not finite: the step before, on the batch before, has made it so; or this one, where the loss is finite.
    pub parameter: Option<String>,
    /// The operation that gave the first value that is not finite; of the step before, where a parameter was not finite already.
    pub origin: Option<Box<NonFinite>>,
    /// Whether there are weights of before whose loss was finite, which the model has again.
    pub restored: bool,
}

impl std::error::Error for Diverged {}

impl fmt::Display for Diverged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { epoch, batch, loss, rows, feature, parameter, origin, restored } = self;
        if *epoch == 0 {
            write!(f, "step {batch}: the loss is {loss}")?;
        } else {
            write!(f, "epoch {epoch}, batch {batch}: the loss is {loss}")?;
        }
        match (parameter, restored) {
            (Some(path), true) if loss.is_finite() => {
                write!(f, ", but the step makes {} no finite number", shown(path))?;
            }
            (Some(path), true) => write!(f, ", since the step before has made {} no finite number", shown(path))?,
            (Some(path), false) => write!(f, ", since {} was no finite number from the start", shown(path))?,
            (None, _) => {}
        }
        if let Some((row, place)) = feature {
            write!(f, "; feature {place} of row {row} is no finite number")?;
        } else if let Some(origin) = origin {
            write!(f, "; {origin}")?;
        }
        if !rows.is_empty() {
            let shown: Vec<String> = rows.iter().take(8).map(usize::to_string).collect();
            let more = if rows.len() > shown.len() {
                format!(" and {} more", rows.len() - shown.len())
            } else {
                String::new()
            };
            write!(f, "; rows {}{more}", shown.join(", "))?;
        }
        let weights =
            if *restored { "the weights are the last whose loss was finite" } else { "no weights were better" };
        write!(f, "; {weights}")
    }
}

/// A path in words; a model of one tensor has none.
fn shown(path: &str) -> String {
    if path.is_empty() { "the parameter".to_owned() } else { format!("`{path}`") }
}

/// Stops training at the first loss that is not finite, tells which operation, at which line, on which rows gave it, and keeps the
/// weights of before. A copy of the weights at each step is all that it costs.
///
/// ```
/// use autograd::{Tape, Tensor};
/// use nn::train::NanGuard;
/// use nn::{Optimiser, Sgd};
/// let rows = [4.0, 0.25, 1.0];
/// let (mut tape, mut w, mut sgd) = (Tape::new(), Tensor::scalar(1.0), Sgd::new(10.0));
/// let mut guard = NanGuard::default();
/// let mut stopped = None;
/// for (row, &x) in rows.iter().enumerate() {
///     let (loss, grads) = tape.value_and_grad(&w, |_, w| (w * x).sqrt());
///     let checked = guard.check(loss, &mut w, (1, row + 1, &[row]), |_, w, again| (*w * rows[again[0]]).sqrt());
///     if let Err(diverged) = checked {
///         stopped = Some(diverged);
///         break;
///     }
///     sgd.step(&mut w, &grads);
/// }
/// let stopped = stopped.unwrap(); // the first step went below 0
/// assert_eq!((stopped.batch, &stopped.rows[..], w.item()), (2, &[1][..], 1.0));
/// assert_eq!(stopped.origin.unwrap().op, "sqrt");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct NanGuard<P> {
    /// The last weights whose loss was finite.
    pub good: Option<P>,
    /// The rows of the batch of that loss.
    pub rows: Vec<usize>,
}

impl<P> Default for NanGuard<P> {
    fn default() -> Self {
        Self { good: None, rows: Vec::new() }
    }
}

impl<P> NanGuard<P> {
    /// Takes the loss of a batch before the step that it leads to. Where it is finite, keeps a copy of the weights; else gives the
    /// weights the values of the last copy, and records `again(tape, weights, rows)`, the loss, once more to find the origin.
    ///
    /// The batch is told as its epoch and its place in it, both from 1, and its rows, which may be unknown.
    ///
    /// # Errors
    /// Where the loss is not finite.
    pub fn check<T: Float>(
        &mut self,
        loss: f64,
        params: &mut P,
        (epoch, batch, rows): (u32, usize, &[usize]),
        again: impl for<'t> FnMut(&'t Tape<T>, &P::With<Var<'t, T>>, &[usize]) -> Var<'t, T>,
    ) -> Result<(), Diverged>
    where
        P: Tree<Leaf = Tensor<T>, With<Tensor<T>> = P>,
    {
        if loss.is_finite() {
            keep(&mut self.good, params);
            self.rows.clear();
            self.rows.extend_from_slice(rows);
            return Ok(());
        }
        let parameter = first_broken(params);
        let origin = match (&self.good, &parameter) {
            (Some(good), Some(_)) => origin(good, &self.rows, again),
            _ => origin(params, rows, again),
        };
        if let Some(good) = &self.good {
            copy_into(params, good);
        }
        Err(Diverged {
            epoch,
            batch,
            loss,
            rows: rows.to_vec(),
            feature: None,
            parameter,
            origin: origin.map(Box::new),
            restored: self.good.is_some(),
        })
    }
}

/// The path of the first parameter that is not finite.
pub(super) fn first_broken<T: Float>(params: &impl Tree<Leaf = Tensor<T>>) -> Option<String> {
    let broken = params.leaves().iter().position(|value| value.as_slice().iter().any(|x| !x.is_finite()));
    broken.map(|place| params.names().swap_remove(place))
}

/// The first operation of a loss, or else of its gradient, that is not finite.
pub(super) fn origin<T: Float, P>(
    params: &P,
    rows: &[usize],
    mut again: impl for<'t> FnMut(&'t Tape<T>, &P::With<Var<'t, T>>, &[usize]) -> Var<'t, T>,
) -> Option<NonFinite>
where
    P: Tree<Leaf = Tensor<T>, With<Tensor<T>> = P>,
{
    let tape = Tape::default();
    // The variables of the model are the first nodes.
    let vars: Vec<Var<'_, T>> = params.leaves().into_iter().map(|value| tape.var(value)).collect();
    let mut given = vars.iter();
    let net = params.map(&mut |_| *given.next().expect("there is a variable for each leaf"));
    let loss = again(&tape, &net, rows);
    let found = tape.first_non_finite(&loss);
    if found.is_some() || loss.numel() != 1 {
        return found;
    }
    tape.first_non_finite(&grad(loss, &vars))
}
