//! Forward mode: one walk up the tape that records the tangents.

use crate::diff::marks::Marks;
use crate::diff::reverse::{self, reverse};
use crate::float::Float;
use crate::tape::nodes::{Mode, NONE};
use crate::tape::tree::Tree;
use crate::tape::var::Var;
use crate::tape::{Operands, Tape};
use crate::tensor::error::{Error, Kind, Reason};
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
pub fn jvp<'t, T: Float, P: Tree<Leaf = Var<'t, T>> + ?Sized>(y: Var<'t, T>, x: &P, tangents: &P) -> Var<'t, T> {
    pushed_forward(y, &x.leaves(), &tangents.leaves())
}

/// [`jvp`] with respect to a list of variables.
#[track_caller]
#[inline(never)]
pub(crate) fn pushed_forward<'t, T: Float>(y: Var<'t, T>, x: &[&Var<'t, T>], tangents: &[&Var<'t, T>]) -> Var<'t, T> {
    let tape = y.tape();
    let _whole = tape.composite("jvp", [y]);
    y.require("jvp", x.len() == tangents.len(), Kind::Shape, || {
        format!("{} variables, but {} tangents", x.len(), tangents.len())
    });
    Error::or_raise(tape.mean_something([y.index()]));
    let mut seeds: SmallVec<[(u32, Var<'t, T>); 8]> = SmallVec::new();
    for (&&x, &&dx) in x.iter().zip(tangents) {
        y.require("jvp", x.sizes() == dx.sizes(), Kind::Shape, || {
            format!("the tangent {dx:?} must have the shape of {x:?}")
        });
        let same = [x.tape(), dx.tape()].iter().all(|t| std::ptr::eq(*t, tape));
        y.require("jvp", same, Kind::Tape, || format!("{x:?}, {dx:?} and {y:?} live on different tapes"));
        seeds.push((x.index(), dx));
    }
    // Not by a closure, in which the panic for want of memory would be told at a line in here.
    match Error::or_raise(forward(tape, y.index(), &seeds)) {
        Some(dy) => dy,
        None => tape.full(y.shape(), T::ZERO),
    }
}

// What stands for a node's tangent before it has one: the result does not need the node; it does, but its tangent is zero
// so far.
const UNNEEDED: u32 = NONE;
const ZERO: u32 = NONE - 1;

/// Walks from the inputs up to a result and records the tangents of what the result depends on. `None` where no path
/// leads from an input to it. Within a rule, what was there before the rule has no tangent but those that are given.
#[inline(never)]
pub(crate) fn forward<'t, T: Float>(
    tape: &'t Tape<T>,
    result: u32,
    seeds: &[(u32, Var<'t, T>)],
) -> Result<Option<Var<'t, T>>, Error> {
    let lowest = seeds.iter().map(|s| s.0).min().unwrap_or(result + 1);
    let base = lowest.max(tape.floor()).min(result + 1);
    let mut tangents = Marks::new(Vec::new(), base..result + 1, UNNEEDED);
    tangents.admit(seeds.iter().map(|s| s.0).filter(|&input| input < base), ZERO);
    if base <= result {
        tangents.set(result, ZERO);
    }
    for index in (base..=result).rev() {
        let node = &tape.nodes[index];
        if tangents.get(index) != UNNEEDED && !tape.is_constant(index) {
            node.args.iter().filter(|&&a| a >= base).for_each(|&a| tangents.set(a, ZERO));
        }
    }
    // Two seeds of one variable add up, as do the two slots of f(x, x).
    for &(input, seed) in seeds {
        land(tape, tangents.slot(input), seed);
    }
    for index in base..=result {
        if tangents.get(index) == UNNEEDED {
            continue;
        }
        let Some((op, args)) = tape.differentiable(index) else { continue };
        let args: Operands<'t, T> = args.iter().map(|&a| Var::new(tape, a)).collect();
        let tangent = |a: &Var<'t, T>| Some(tangents.get(a.index())).filter(|&t| t < ZERO).map(|t| Var::new(tape, t));
        let given: SmallVec<[Option<Var<'t, T>>; 4]> = args.iter().map(tangent).collect();
        if given.iter().all(Option::is_none) {
            continue;
        }
        // Not in a closure, in which a panic would be told at a line in here.
        let _rule = tape.within_rule_of(index, Mode::Forward);
        let y = Var::new(tape, index);
        let dy = op.jvp(&args, y, &given);
        #[cfg(test)]
        let dy = crate::mutation::of_jvp(op, &args, y, &given, dy);
        tape.fault()?;
        if let Some(dy) = dy {
            check(dy, y)?;
            let dy = if dy.sizes() == y.sizes() { dy } else { dy.broadcast_to(y.sizes()) };
            // An intermediate that was given a tangent of its own has both.
            land(tape, tangents.slot(index), dy);
        }
    }
    Ok(Some(tangents.get(result)).filter(|&t| t < ZERO).map(|t| Var::new(tape, t)))
}

/// Stores a tangent, or adds it to the one that is there; a node out of reach has none.
fn land<'t, T: Float>(tape: &'t Tape<T>, slot: Option<&mut u32>, tangent: Var<'t, T>) {
    let Some(slot) = slot else { return };
    let sum = if *slot < ZERO { Var::new(tape, *slot) + tangent } else { tangent };
    *slot = sum.index();
}

/// Whether what the rule of `y` gave as its tangent can be that.
fn check<T: Float>(dy: Var<'_, T>, y: Var<'_, T>) -> Result<(), Error> {
    let reason = if !std::ptr::eq(dy.tape(), y.tape()) {
        Reason::new(Kind::Tape, "what its rule for tangents gave and the result live on different tapes")
    } else if !dy.sizes().broadcasts_to(y.sizes()) {
        let text = format!("its rule for tangents gave the shape {}, the result has {}", dy.sizes(), y.sizes());
        Reason::shape(text)
    } else {
        return Ok(());
    };
    Err(y.tape().error(y.op_name(), reason, &[dy, y]))
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
    args: &[Var<'t, T>],
    tangents: &[Option<Var<'t, T>>],
    rule: impl Fn(usize, Var<'t, T>) -> Option<Var<'t, T>>,
) -> Option<Var<'t, T>> {
    let tape = y.tape();
    let tangent = || {
        let dy = y.zeros();
        let mut results: SmallVec<[(Var<'t, T>, Var<'t, T>); 4]> = SmallVec::new();
        for (k, (&a, tangent)) in args.iter().zip(tangents).enumerate() {
            let Some(tangent) = *tangent else { continue };
            let Some(da) = rule(k, dy) else { continue };
            reverse::check(da, a, y, k)?;
            let shape = da.sizes();
            results.push((da, if tangent.sizes() == shape { tangent } else { tangent.broadcast_to(shape) }));
        }
        Ok(reverse(tape, &results, &[dy.index()])?[0])
    };
    tangent().unwrap_or_else(|error| {
        tape.set_fault(error);
        None
    })
}
