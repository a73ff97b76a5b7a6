//! Forward mode: one walk up the tape that records the tangents.

use crate::error::{Kind, Reason};
use crate::float::Float;
use crate::nodes::{NONE, Pass};
use crate::op::SliceOp;
use crate::reverse::reverse;
use crate::tape::{Operands, Restore, Tape};
use crate::tree::Tree;
use crate::var::Var;
use smallvec::SmallVec;

/// The Jacobian-vector product: the derivative of `y` along `tangents`, one for each variable of `x`, recorded.
///
/// ```
/// use autograd::{grad, jvp, Tape, Tensor};
/// let tape = Tape::new();
/// let x = tape.var(&Tensor::from([1.0, 2.0]));
/// let v = tape.var(&Tensor::from([1.0, -1.0]));
/// let y = (x * x * x).sum();
/// assert_eq!(jvp(y, &x, &v).item(), 3.0 - 12.0);
/// let hv = jvp(grad(y, &x), &x, &v); // the Hessian times v
/// assert_eq!(hv.value().as_slice(), [6.0, -12.0]);
/// ```
///
/// # Panics
/// Where a tangent does not have the shape of its variable, their numbers differ, or a variable lives on another tape.
#[track_caller]
pub fn jvp<'t, T: Float, P: Tree<Leaf = Var<'t, T>>>(y: Var<'t, T>, x: &P, tangents: &P) -> Var<'t, T> {
    let tape = y.tape();
    let (x, tangents) = (x.leaves(), tangents.leaves());
    let _whole = tape.composite("jvp", [y]);
    y.require("jvp", x.len() == tangents.len(), Kind::Shape, || {
        format!("{} variables, but {} tangents", x.len(), tangents.len())
    });
    let mut seeds: SmallVec<[(u32, Var<'t, T>); 8]> = SmallVec::new();
    for (&&x, &&dx) in x.iter().zip(&tangents) {
        y.require("jvp", x.sizes() == dx.sizes(), Kind::Shape, || {
            format!("the tangent {dx:?} must have the shape of {x:?}")
        });
        let same = [x.tape(), dx.tape()].iter().all(|t| std::ptr::eq(*t, tape));
        y.require("jvp", same, Kind::Tape, || format!("{x:?}, {dx:?} and {y:?} live on different tapes"));
        seeds.push((x.index(), dx));
    }
    forward(tape, y.index(), &seeds).unwrap_or_else(|| tape.full(y.shape(), T::ZERO))
}

// What stands for a node's tangent before it has one: the result does not need the node; it does, but its tangent is zero
// so far.
const UNNEEDED: u32 = NONE;
const ZERO: u32 = NONE - 1;

/// Walks from the inputs up to a result and records the tangents of what the result depends on. `None` where no path
/// leads from an input to it.
#[track_caller]
pub(crate) fn forward<'t, T: Float>(tape: &'t Tape<T>, result: u32, seeds: &[(u32, Var<'t, T>)]) -> Option<Var<'t, T>> {
    let base = seeds.iter().map(|s| s.0).min()?;
    if base > result {
        return None;
    }
    let mut tangents = vec![UNNEEDED; (result - base) as usize + 1];
    tangents[(result - base) as usize] = ZERO;
    for index in (base..=result).rev() {
        let node = &tape.nodes[index];
        if tangents[(index - base) as usize] != UNNEEDED && !node.origin.constant() {
            for &a in node.args.iter().filter(|&&a| a >= base) {
                tangents[(a - base) as usize] = ZERO;
            }
        }
    }
    // Two seeds of one variable add up, as do the two slots of f(x, x).
    for &(input, seed) in seeds.iter().filter(|s| s.0 <= result) {
        let slot = &mut tangents[(input - base) as usize];
        *slot = if *slot < ZERO { (Var::new(tape, *slot) + seed).index() } else { seed.index() };
    }
    for index in base..=result {
        let slot = (index - base) as usize;
        if tangents[slot] == UNNEEDED {
            continue;
        }
        let Some((op, args)) = tape.differentiable(index) else { continue };
        let args: Operands<'t, T> = args.iter().map(|&a| Var::new(tape, a)).collect();
        let given: SmallVec<[Option<Var<'t, T>>; 4]> = args
            .iter()
            .map(|a| a.index().checked_sub(base).map(|i| tangents[i as usize]).filter(|&t| t < ZERO))
            .map(|t| t.map(|t| Var::new(tape, t)))
            .collect();
        if given.iter().all(Option::is_none) {
            continue;
        }
        // Not in a closure, in which a panic would be told at a line in here.
        let _rule = tape.within_rule_of(index, Pass::Forward);
        let y = Var::new(tape, index);
        let dy = op.jvp(&args, y, &given);
        #[cfg(test)]
        let dy = crate::mutation::of_jvp(op, &args, y, &given, dy);
        if let Some(dy) = dy {
            let dy = if dy.shape() == y.shape() { dy } else { fit(dy, y, op) };
            // An intermediate that was given a tangent of its own has both.
            let own = Some(tangents[slot]).filter(|&t| t < ZERO).map(|t| Var::new(tape, t));
            tangents[slot] = own.map_or(dy, |own| own + dy).index();
        }
    }
    let last = *tangents.last()?;
    (last < ZERO).then(|| Var::new(tape, last))
}

/// A tangent, repeated until it has the shape of the result.
#[track_caller]
fn fit<'t, T: Float>(dy: Var<'t, T>, y: Var<'t, T>, op: &dyn SliceOp<T>) -> Var<'t, T> {
    // Of a user's operation: the rules of this crate fit.
    match dy.try_broadcast_to(y.sizes()) {
        Ok(repeated) => repeated,
        Err(_) => {
            let text = format!(
                "its rule, given to apply, makes a tangent {} of the result, which is {}",
                dy.sizes(),
                y.sizes()
            );
            dy.tape().error(op.name(), Reason::shape(text), &[y]).raise()
        }
    }
}

/// The sum of two tangents, where none is a zero.
pub(crate) fn plus<'t, T: Float>(a: Option<Var<'t, T>>, b: Option<Var<'t, T>>) -> Option<Var<'t, T>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a + b),
        (one, other) => one.or(other),
    }
}

/// A JVP from a VJP rule: the rule is linear in `dy`, so its own VJP with respect to `dy`, at the tangents, is the JVP.
pub(crate) fn jvp_from_vjp<'t, T: Float>(
    y: Var<'t, T>,
    tangents: &[Option<Var<'t, T>>],
    rule: impl Fn(usize, Var<'t, T>) -> Option<Var<'t, T>>,
) -> Option<Var<'t, T>> {
    let tape = y.tape();
    let tangent = {
        // Within `no_grad` the rule must be seen through all the same; only the tangent is a constant then.
        let _through = Restore::set(&tape.constant, false);
        let dy = tape.full(y.shape(), T::ZERO);
        let mut results: SmallVec<[(Var<'t, T>, Var<'t, T>); 4]> = SmallVec::new();
        for (k, tangent) in tangents.iter().enumerate() {
            if let Some((tangent, da)) = tangent.and_then(|t| Some((t, rule(k, dy)?))) {
                let shape = da.shape();
                let tangent = if tangent.shape() == shape { tangent } else { tangent.broadcast_to(shape) };
                results.push((da, tangent));
            }
        }
        reverse(tape, &results, &[dy.index()])[0]?
    };
    Some(if tape.constant.get() { tangent.stop_gradient() } else { tangent })
}
