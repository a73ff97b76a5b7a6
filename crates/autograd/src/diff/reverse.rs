//! Reverse mode: one walk down the tape that records the cotangents.

use crate::diff::marks::Marks;
use crate::diff::parts::{Part, Parts, joined};
use crate::float::Float;
use crate::ops::table::Kind as NodeKind;
use crate::tape::list::Sweep;
use crate::tape::nodes::{Mode, NONE};
use crate::tape::tree::Tree;
use crate::tape::var::Var;
use crate::tape::{Operands, Tape};
use crate::tensor::error::{Error, Kind, Reason};
use smallvec::SmallVec;
use std::collections::BTreeMap;

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
pub fn grad<'t, T: Float, P: Tree<Leaf = Var<'t, T>> + ?Sized>(y: Var<'t, T>, wrt: &P) -> P::With<Var<'t, T>> {
    let _whole = y.tape().composite("grad", [y]);
    vjp(y, wrt, seed(y))
}

/// The cotangent of a scalar whose gradient is asked for.
#[track_caller]
#[inline(never)]
pub(crate) fn seed<T: Float>(y: Var<'_, T>) -> Var<'_, T> {
    y.require("grad", y.numel() == 1, Kind::Shape, || {
        format!("{y:?} has {} elements, a gradient is that of one number; see vjp", y.numel())
    });
    y.tape().leaf_filled("grad", NodeKind::Ones, y.sizes(), |all| all.fill(T::ONE))
}

/// Whether this is such a cotangent, or repeats it.
pub(crate) fn is_ones<T: Float>(x: Var<'_, T>) -> bool {
    let nodes = &x.tape().nodes;
    let mut node = &nodes[x.index()];
    while let NodeKind::Reshape(_) | NodeKind::Read(_) | NodeKind::Transpose(_) = node.kind {
        node = &nodes[node.args[0]];
    }
    matches!(node.kind, NodeKind::Ones)
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
/// Within a derivative rule of an operation, all that was recorded before the rule is independent: the operands, the result
/// and the cotangent do not depend on each other there, so that derivatives by them are partial ones (see [`Op::vjp`]).
///
/// [`Op::vjp`]: crate::Op::vjp
///
/// # Panics
/// Where `dy` does not have the shape of `y`, or a variable lives on another tape.
#[track_caller]
pub fn vjp<'t, T: Float, P: Tree<Leaf = Var<'t, T>> + ?Sized>(
    y: Var<'t, T>,
    wrt: &P,
    dy: Var<'t, T>,
) -> P::With<Var<'t, T>> {
    let mut inputs: SmallVec<[Var<'t, T>; 8]> = SmallVec::new();
    wrt.visit(&mut |x| inputs.push(*x));
    let mut gradients = pulled_back(y, &inputs, dy).into_iter();
    wrt.map(&mut |_| gradients.next().expect("each variable has a gradient"))
}

/// [`vjp`] with respect to a list of variables.
#[track_caller]
#[inline(never)]
pub(crate) fn pulled_back<'t, T: Float>(
    y: Var<'t, T>,
    wrt: &[Var<'t, T>],
    dy: Var<'t, T>,
) -> SmallVec<[Var<'t, T>; 8]> {
    let tape = y.tape();
    let _whole = tape.composite("vjp", [y, dy]);
    y.require("vjp", y.sizes() == dy.sizes(), Kind::Shape, || {
        format!("the cotangent {dy:?} must have the shape of {y:?}")
    });
    if let Some(x) = wrt.iter().find(|x| !std::ptr::eq(x.tape(), tape)) {
        let reason = Reason::new(Kind::Tape, format!("{x:?} and {y:?} live on different tapes"));
        tape.error("vjp", reason, &[y]).raise();
    }
    Error::or_raise(tape.mean_something([y.index()]));
    let inputs: SmallVec<[u32; 8]> = wrt.iter().map(Var::index).collect();
    gradients(tape, (y, dy), &inputs)
}

/// The gradients of one result with respect to these nodes: zeros where no path leads to one.
#[track_caller]
#[inline(never)]
pub(crate) fn gradients<'t, T: Float>(
    tape: &'t Tape<T>,
    result: (Var<'t, T>, Var<'t, T>),
    inputs: &[u32],
) -> SmallVec<[Var<'t, T>; 8]> {
    let mut gradients = SmallVec::new();
    // Not in a closure, in which a panic would be told at a line in here.
    for (cotangent, &input) in Error::or_raise(reverse(tape, &[result], inputs)).into_iter().zip(inputs) {
        gradients.push(match cotangent {
            Some(cotangent) => cotangent,
            None => tape.full(&tape.nodes[input].shape, T::ZERO),
        });
    }
    gradients
}

// What stands for a node's cotangent before it has one: no path leads from the inputs to the node; a path does, but no
// contribution has come yet.
const UNRELATED: u32 = NONE;
const UNREACHED: u32 = NONE - 1;

/// Each input's cotangent, `None` where no path leads to it.
pub(crate) type Cotangents<'t, T> = SmallVec<[Option<Var<'t, T>>; 8]>;

/// Walks from the results down to the inputs and records the cotangents on the paths between them, and only there; where
/// the step before did the same, that is repeated. Within a rule, the walk ends at what was there before the rule.
pub(crate) fn reverse<'t, T: Float>(
    tape: &'t Tape<T>,
    results: &[(Var<'t, T>, Var<'t, T>)],
    inputs: &[u32],
) -> Result<Cotangents<'t, T>, Error> {
    T::reverse(tape, results, inputs)
}

/// As [`reverse`], compiled where it is called.
pub(crate) fn swept<'t, T: Float>(
    tape: &'t Tape<T>,
    results: &[(Var<'t, T>, Var<'t, T>)],
    inputs: &[u32],
) -> Result<Cotangents<'t, T>, Error> {
    let asked = results.iter().map(|(y, dy)| (y.index(), dy.index()));
    let repeated = if tape.is_plain() { tape.nodes.repeat_sweep(asked.clone(), inputs) } else { None };
    if let Some(sweep) = repeated {
        return Ok(sweep.cotangents.iter().map(|c| c.map(|c| Var::new(tape, c))).collect());
    }
    let start = tape.len();
    let top = results.iter().map(|(y, _)| y.index() + 1).max().unwrap_or(0);
    let lowest = inputs.iter().copied().min().unwrap_or(top);
    let base = lowest.max(tape.floor()).min(top);
    let memory = tape.state.borrow_mut().scratch.pop().unwrap_or_default();
    let mut cotangents = Marks::new(memory, base..top, UNRELATED);
    cotangents.admit(inputs.iter().copied(), UNREACHED);
    for index in base..top {
        let related = tape.nodes[index].args.iter().any(|&a| cotangents.get(a) != UNRELATED);
        if related && !tape.is_constant(index) {
            cotangents.set(index, UNREACHED);
        }
    }
    for &(y, dy) in results {
        land(tape, cotangents.slot(y.index()), dy);
    }
    let mut operands: Operands<'t, T> = SmallVec::new();
    let mut parts: BTreeMap<u32, Parts<'t, T>> = BTreeMap::new();
    for index in (base..top).rev() {
        if let Some(parts) = parts.remove(&index) {
            land_parts(tape, cotangents.slot(index), parts);
        }
        let cotangent = cotangents.get(index);
        if cotangent >= UNREACHED {
            continue;
        }
        let Some((op, args)) = tape.differentiable(index) else { continue };
        operands.clear();
        operands.extend(args.iter().map(|&a| Var::new(tape, a)));
        let (y, dy) = (Var::new(tape, index), Var::new(tape, cotangent));
        // Not in a closure, in which a panic would be told at a line in here.
        let _rule = tape.within_rule_of(index, Mode::Reverse);
        for (k, &a) in operands.iter().enumerate() {
            if cotangents.get(a.index()) == UNRELATED {
                continue;
            }
            let da = op.vjp(k, &operands, y, dy);
            #[cfg(test)]
            let da = crate::mutation::of_vjp(op, k, &operands, (y, dy), da);
            tape.fault()?;
            if let Some(da) = da {
                check(da, a, y, k)?;
                let da = if da.sizes() == a.sizes() { da } else { da.sum_to(a.sizes()) };
                match Part::of(tape, da) {
                    Some(part) => parts.entry(a.index()).or_default().push(part),
                    None => land(tape, cotangents.slot(a.index()), da),
                }
            }
        }
    }
    for (index, parts) in parts {
        land_parts(tape, cotangents.slot(index), parts);
    }
    let found = |&input: &u32| Some(cotangents.get(input)).filter(|&c| c < UNREACHED).map(|c| Var::new(tape, c));
    let found: Cotangents<'t, T> = inputs.iter().map(found).collect();
    tape.state.borrow_mut().scratch.push(cotangents.into_memory());
    // What depends on more than the nodes before is not the same another time, and the values of leaves are not known.
    let leaf = |index: u32| matches!(tape.nodes[index].kind, NodeKind::Leaf | NodeKind::Index | NodeKind::Ones);
    if tape.is_plain() && !(start as u32..tape.len() as u32).any(leaf) {
        tape.nodes.remember_sweep(Sweep {
            start,
            end: tape.len(),
            results: asked.collect(),
            inputs: inputs.into(),
            cotangents: found.iter().map(|c| c.as_ref().map(Var::index)).collect(),
        });
    }
    Ok(found)
}

/// Stores the first contribution to a cotangent, adds the later ones; a node out of reach has none.
fn land<'t, T: Float>(tape: &'t Tape<T>, slot: Option<&mut u32>, contribution: Var<'t, T>) {
    let Some(slot) = slot else { return };
    let sum = match *slot {
        UNRELATED | UNREACHED => contribution,
        earlier => Var::new(tape, earlier) + contribution,
    };
    *slot = sum.index();
}

/// The same, of contributions that are zeros but for slices.
fn land_parts<'t, T: Float>(tape: &'t Tape<T>, slot: Option<&mut u32>, parts: Parts<'t, T>) {
    let Some(slot) = slot else { return };
    for part in joined(parts) {
        land(tape, Some(&mut *slot), part);
    }
}

/// Whether what the rule of `y` gave as the cotangent of its operand `a` can be that.
pub(crate) fn check<'t, T: Float>(da: Var<'t, T>, a: Var<'t, T>, y: Var<'t, T>, k: usize) -> Result<(), Error> {
    let reason = if !std::ptr::eq(da.tape(), a.tape()) {
        let text = format!("what its rule for operand {k} gave and the operand live on different tapes");
        Reason::new(Kind::Tape, text)
    } else if !a.sizes().broadcasts_to(da.sizes()) {
        Reason::shape(format!("its rule for operand {k} gave the shape {}, the operand has {}", da.sizes(), a.sizes()))
    } else {
        return Ok(());
    };
    Err(y.tape().error(y.op_name(), reason, &[da, a]))
}
