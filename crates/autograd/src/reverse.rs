//! Reverse mode: one walk down the tape that records the cotangents.

use crate::error::{Kind, Reason};
use crate::float::Float;
use crate::nodes::{NONE, Pass};
use crate::op::SliceOp;
use crate::tape::{Operands, Tape};
use crate::tree::Tree;
use crate::var::Var;
use smallvec::SmallVec;

/// The gradient of a scalar with respect to every variable of a structure, recorded: it can be computed, and
/// differentiated again.
///
/// Variables that `y` does not depend on get zeros. Intermediate results may be asked for as well as leaves.
///
/// ```
/// use autograd::{grad, Tape, Tensor};
/// let tape = Tape::new();
/// let x = tape.var(&Tensor::from([1.0, 2.0]));
/// let h = x.exp();
/// let [dx, dh] = grad((h * h).sum(), &[x, h]);
/// assert_eq!(dh.value().as_slice(), [2.0 * 1_f64.exp(), 2.0 * 2_f64.exp()]);
/// let [ddx] = grad(dx.sum(), &[x]); // d²/dx² e^2x = 4 e^2x
/// assert!((ddx.value().at([0]) - 4.0 * 2_f64.exp()).abs() < 1e-12);
/// ```
///
/// # Panics
/// Where `y` has more than one element (see [`vjp`]), or a variable lives on another tape.
#[track_caller]
pub fn grad<'t, T: Float, P: Tree<Leaf = Var<'t, T>>>(y: Var<'t, T>, wrt: &P) -> P::With<Var<'t, T>> {
    let _whole = y.tape().composite("grad", [y]);
    vjp(y, wrt, seed(y))
}

/// The cotangent of a scalar whose gradient is asked for.
#[track_caller]
pub(crate) fn seed<T: Float>(y: Var<'_, T>) -> Var<'_, T> {
    y.require("grad", y.numel() == 1, Kind::Shape, || {
        format!("{y:?} has {} elements, a gradient is that of one number; see vjp", y.numel())
    });
    y.tape().full(y.sizes(), T::ONE)
}

/// The vector-Jacobian product: the gradient of `Σ dy ∘ y` with respect to every variable of a structure, recorded.
///
/// ```
/// use autograd::{vjp, Tape, Tensor};
/// let tape = Tape::new();
/// let x = tape.var(&Tensor::from([1.0, 2.0]));
/// let dy = tape.var(&Tensor::from([10.0, 100.0]));
/// let [dx] = vjp(x * x, &[x], dy);
/// assert_eq!(dx.value().as_slice(), [20.0, 400.0]);
/// ```
///
/// # Panics
/// Where `dy` does not have the shape of `y`, or a variable lives on another tape.
#[track_caller]
pub fn vjp<'t, T: Float, P: Tree<Leaf = Var<'t, T>>>(y: Var<'t, T>, wrt: &P, dy: Var<'t, T>) -> P::With<Var<'t, T>> {
    let tape = y.tape();
    let _whole = tape.composite("vjp", [y, dy]);
    y.require("vjp", y.sizes() == dy.sizes(), Kind::Shape, || {
        format!("the cotangent {dy:?} must have the shape of {y:?}")
    });
    let mut inputs: SmallVec<[u32; 8]> = SmallVec::new();
    let mut stranger = None;
    wrt.visit(&mut |x| {
        if !std::ptr::eq(x.tape(), tape) {
            stranger = Some(*x);
        }
        inputs.push(x.index());
    });
    if let Some(x) = stranger {
        let reason = Reason::new(Kind::Tape, format!("{x:?} and {y:?} live on different tapes"));
        tape.error("vjp", reason, &[y]).raise();
    }
    let mut cotangents = reverse(tape, &[(y, dy)], &inputs).into_iter();
    wrt.map(&mut |x| cotangents.next().flatten().unwrap_or_else(|| tape.full(x.sizes(), T::ZERO)))
}

// What stands for a node's cotangent before it has one: no path leads from the inputs to the node; a path does, but no
// contribution has come yet.
const UNRELATED: u32 = NONE;
const UNREACHED: u32 = NONE - 1;

/// Walks from the results down to the inputs and records the cotangents on the paths between them, and only there; where
/// the step before did the same, that is repeated. Returns each input's cotangent, `None` where no path leads to it.
#[track_caller]
pub(crate) fn reverse<'t, T: Float>(
    tape: &'t Tape<T>,
    results: &[(Var<'t, T>, Var<'t, T>)],
    inputs: &[u32],
) -> SmallVec<[Option<Var<'t, T>>; 8]> {
    if let Some(cotangents) = tape.repeat_sweep(results, inputs) {
        return cotangents;
    }
    let start = tape.len();
    let top = results.iter().map(|(y, _)| y.index() + 1).max().unwrap_or(0);
    let base = inputs.iter().copied().min().unwrap_or(top).min(top);
    let mut cotangents = tape.state.borrow_mut().scratch.pop().unwrap_or_default();
    cotangents.clear();
    cotangents.resize((top - base) as usize, UNRELATED);
    for &input in inputs.iter().filter(|&&input| input < top) {
        cotangents[(input - base) as usize] = UNREACHED;
    }
    for index in base..top {
        let node = &tape.nodes[index];
        let related = |&a: &u32| a >= base && cotangents[(a - base) as usize] != UNRELATED;
        if !node.origin.constant() && node.args.iter().any(related) {
            cotangents[(index - base) as usize] = UNREACHED;
        }
    }
    for &(y, dy) in results.iter().filter(|(y, _)| y.index() >= base) {
        land(tape, &mut cotangents[(y.index() - base) as usize], dy);
    }
    let mut operands: Operands<'t, T> = SmallVec::new();
    for index in (base..top).rev() {
        let cotangent = cotangents[(index - base) as usize];
        if cotangent >= UNREACHED {
            continue;
        }
        let Some((op, args)) = tape.differentiable(index) else { continue };
        operands.clear();
        operands.extend(args.iter().map(|&a| Var::new(tape, a)));
        let (y, dy) = (Var::new(tape, index), Var::new(tape, cotangent));
        // Not in a closure, in which a panic would be told at a line in here.
        let _rule = tape.within_rule_of(index, Pass::Reverse);
        for (k, &a) in operands.iter().enumerate() {
            let Some(slot) = a.index().checked_sub(base).map(|i| i as usize) else { continue };
            if cotangents[slot] == UNRELATED {
                continue;
            }
            let da = op.vjp(k, &operands, y, dy);
            #[cfg(test)]
            let da = crate::mutation::of_vjp(op, k, &operands, (y, dy), da);
            if let Some(da) = da {
                land(tape, &mut cotangents[slot], fit(da, a, op, k));
            }
        }
    }
    let found = |&input: &u32| {
        let cotangent = input.checked_sub(base).and_then(|i| cotangents.get(i as usize)).copied();
        cotangent.filter(|&c| c < UNREACHED).map(|c| Var::new(tape, c))
    };
    let found: SmallVec<[Option<Var<'t, T>>; 8]> = inputs.iter().map(found).collect();
    tape.state.borrow_mut().scratch.push(cotangents);
    tape.remember_sweep(start, results, inputs, &found);
    found
}

/// Stores the first contribution to a cotangent, adds the later ones.
fn land<'t, T: Float>(tape: &'t Tape<T>, slot: &mut u32, contribution: Var<'t, T>) {
    let sum = match *slot {
        UNRELATED | UNREACHED => contribution,
        earlier => Var::new(tape, earlier) + contribution,
    };
    *slot = sum.index();
}

/// Sums a contribution over the dimensions that the operand was broadcast along.
#[track_caller]
fn fit<'t, T: Float>(da: Var<'t, T>, a: Var<'t, T>, op: &dyn SliceOp<T>, k: usize) -> Var<'t, T> {
    if da.sizes() == a.sizes() {
        return da;
    }
    // Of a user's operation: the rules of this crate fit.
    match da.try_sum_to(a.sizes()) {
        Ok(summed) => summed,
        Err(_) => {
            let text = format!("its rule, given to apply, makes {} of operand {k}, which is {}", da.sizes(), a.sizes());
            da.tape().error(op.name(), Reason::shape(text), &[a]).raise()
        }
    }
}
