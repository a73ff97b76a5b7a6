//! A test of the tests: rules made wrong on purpose, each of which the checker must notice.
//!
//! The sweeps ask this module, in tests only, what a rule gave; it answers with something else where a mutant is set.
#![allow(clippy::wildcard_enum_match_arm, reason = "a change concerns one arm of what the sweeps do")]

use crate::check::{Checker, Verdict};
use crate::corpus::rows;
use crate::float::Float;
use crate::op::{SliceOp, primitives};
use crate::var::Var;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What is done to a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    FlipSign,
    ScaleByAThousandth,
    SwapOperands,
    IgnoreCotangent,
    Drop,
    /// The n-th sum that the rule records loses its second term.
    DropTerm(usize),
    /// What should be summed to the operand's shape is cut to it.
    CutInsteadOfSum,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Mode {
    Vjp,
    Jvp,
}

/// A change to the rule of one operand of one operation.
type Mutant = (&'static str, usize, Mode, Change);

thread_local! {
    static ACTIVE: Cell<Option<Mutant>> = const { Cell::new(None) };
    static APPLIED: Cell<bool> = const { Cell::new(false) };
    /// Every change that could have been made to what the sweeps saw.
    static SEEN: RefCell<BTreeSet<Mutant>> = const { RefCell::new(BTreeSet::new()) };
}

fn active(name: &'static str, arg: usize, mode: Mode) -> Option<Change> {
    ACTIVE.get().filter(|m| (m.0, m.1, m.2) == (name, arg, mode)).map(|m| m.3)
}

fn seen(name: &'static str, arg: usize, mode: Mode, change: Change) {
    SEEN.with_borrow_mut(|seen| seen.insert((name, arg, mode, change)));
}

/// The sums and differences among the nodes recorded since `start`.
fn sums<T: Float>(y: Var<'_, T>, start: u32) -> Vec<u32> {
    let nodes = &y.tape().nodes;
    let is_sum = |&i: &u32| {
        let node = &nodes[i];
        matches!(node.kind.name(), "add" | "sub") && nodes[node.args[0]].shape == node.shape
    };
    (start..nodes.len() as u32).filter(is_sum).collect()
}

/// Records what was recorded since `start` again, with the first operand of `sum` in its place.
fn without_term<'t, T: Float>(y: Var<'t, T>, start: u32, sum: u32) -> Var<'t, T> {
    let tape = y.tape();
    let mut copies: Vec<u32> = (0..tape.len() as u32).collect();
    for i in start..=y.index() {
        let node = &tape.nodes[i];
        let args: Vec<_> = node.args.iter().map(|&a| Var::new(tape, copies[a as usize])).collect();
        if i == sum {
            copies[i as usize] = args[0].index();
        } else if node.kind.op().is_some() {
            copies[i as usize] = tape.record_slice(node.kind.clone(), &args).index();
        }
    }
    Var::new(tape, copies[y.index() as usize])
}

fn altered<'t, T: Float>(change: Change, da: Var<'t, T>, start: u32) -> Option<Var<'t, T>> {
    let term = match change {
        Change::DropTerm(n) => sums(da, start).get(n).copied(),
        _ => None,
    };
    APPLIED.set(APPLIED.get() || term.is_some() || !matches!(change, Change::DropTerm(_)));
    match change {
        Change::FlipSign => Some(da.neg()),
        Change::ScaleByAThousandth => Some(da.mul_scalar(1.001)),
        Change::Drop => None,
        Change::DropTerm(_) => Some(term.map_or(da, |sum| without_term(da, start, sum))),
        Change::SwapOperands | Change::IgnoreCotangent | Change::CutInsteadOfSum => Some(da),
    }
}

/// What the sweep gets in the place of `da`, the VJP of operand `k`.
pub(crate) fn of_vjp<'t, T: Float>(
    op: &dyn SliceOp<T>,
    k: usize,
    args: &[Var<'t, T>],
    (y, dy): (Var<'t, T>, Var<'t, T>),
    da: Option<Var<'t, T>>,
) -> Option<Var<'t, T>> {
    let first = da?;
    let tape = y.tape();
    let Some(change) = active(op.name(), k, Mode::Vjp) else {
        for change in [Change::FlipSign, Change::ScaleByAThousandth, Change::IgnoreCotangent, Change::Drop] {
            seen(op.name(), k, Mode::Vjp, change);
        }
        if args.len() > 1 {
            seen(op.name(), k, Mode::Vjp, Change::SwapOperands);
        }
        if first.numel() > args[k].numel() {
            seen(op.name(), k, Mode::Vjp, Change::CutInsteadOfSum);
        }
        return da;
    };
    match change {
        Change::SwapOperands => {
            let other = op.vjp((k + 1) % args.len(), args, y, dy);
            APPLIED.set(APPLIED.get() || other.is_some_and(|other| other.index() != first.index()));
            other.or(da)
        }
        Change::IgnoreCotangent => {
            APPLIED.set(true);
            op.vjp(k, args, y, tape.full(dy.shape(), T::ONE))
        }
        Change::CutInsteadOfSum if first.numel() > args[k].numel() => {
            APPLIED.set(true);
            let shape = args[k].shape();
            let lead = first.rank() - shape.rank();
            let mut cut = first;
            for axis in 0..first.rank() {
                let keep = axis.checked_sub(lead).map_or(1, |i| shape[i]);
                cut = cut.narrow(axis as isize, 0, keep);
            }
            Some(cut.reshape(shape))
        }
        _ => {
            let start = tape.len() as u32;
            let again = op.vjp(k, args, y, dy)?;
            altered(change, again, start)
        }
    }
}

/// What the sweep gets in the place of `dy`, the JVP.
pub(crate) fn of_jvp<'t, T: Float>(
    op: &dyn SliceOp<T>,
    args: &[Var<'t, T>],
    y: Var<'t, T>,
    tangents: &[Option<Var<'t, T>>],
    dy: Option<Var<'t, T>>,
) -> Option<Var<'t, T>> {
    dy?;
    for (k, tangent) in tangents.iter().enumerate().filter_map(|(k, t)| Some((k, (*t)?))) {
        let mut only = vec![None; tangents.len()];
        only[k] = Some(tangent);
        let Some(change) = active(op.name(), k, Mode::Jvp) else {
            if op.jvp(args, y, &only).is_some() {
                for change in [Change::FlipSign, Change::ScaleByAThousandth, Change::Drop] {
                    seen(op.name(), k, Mode::Jvp, change);
                }
            }
            continue;
        };
        APPLIED.set(true);
        let mut changed = tangents.to_vec();
        changed[k] = match change {
            Change::FlipSign => Some(tangent.neg()),
            Change::ScaleByAThousandth => Some(tangent.mul_scalar(1.001)),
            _ => None,
        };
        return op.jvp(args, y, &changed);
    }
    dy
}

/// Runs the checker on a row; a panic counts as noticed, since a user would see it.
fn verdict_of(row: &crate::corpus::Row<f64>, orders: usize) -> Option<Verdict> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let checker = Checker { orders, ..Checker::default() };
    let result = catch_unwind(AssertUnwindSafe(|| checker.check(row.f, &row.inputs()).verdict()));
    std::panic::set_hook(hook);
    result.ok()
}

#[test]
fn every_mutant_of_every_rule_is_killed() {
    // Which rules a row exercises, at the first order if it can be.
    let rows = rows::<f64>();
    let mut exercised: Vec<BTreeSet<Mutant>> = Vec::new();
    for row in &rows {
        SEEN.with_borrow_mut(BTreeSet::clear);
        assert_eq!(verdict_of(row, 2), Some(Verdict::Pass), "{}", row.name);
        exercised.push(SEEN.take());
    }
    let mut mutants: BTreeSet<Mutant> = exercised.iter().flatten().copied().collect();
    for (name, arg, mode, change) in mutants.clone() {
        if (mode, change) == (Mode::Vjp, Change::Drop) {
            mutants.extend((0..3).map(|n| (name, arg, Mode::Vjp, Change::DropTerm(n))));
        }
    }
    let (mut killed, mut survivors) = (0, Vec::new());
    for &mutant in &mutants {
        let (name, arg, mode, _) = mutant;
        let (mut applied, mut noticed) = (false, false);
        for (row, seen) in rows.iter().zip(&exercised) {
            if noticed || !seen.iter().any(|m| (m.0, m.1, m.2) == (name, arg, mode)) {
                continue;
            }
            ACTIVE.set(Some(mutant));
            APPLIED.set(false);
            let verdict = verdict_of(row, 2);
            ACTIVE.set(None);
            applied |= APPLIED.get();
            noticed = matches!(verdict, None | Some(Verdict::Fail));
        }
        // A change that found nothing to change (a sum that is not there, equal rules) is no mutant.
        if noticed {
            killed += 1;
        } else if applied {
            survivors.push(format!("{mutant:?}"));
        }
    }
    println!("mutants: {killed} of {} killed", killed + survivors.len());
    assert!(killed > 500, "only {killed} mutants: the corpus does not exercise the rules");
    assert!(survivors.is_empty(), "{} survive:\n{}", survivors.len(), survivors.join("\n"));
}

#[test]
fn the_corpus_exercises_every_primitive_that_has_a_rule() {
    SEEN.with_borrow_mut(BTreeSet::clear);
    for row in &rows::<f64>() {
        verdict_of(row, 2);
    }
    let hit: BTreeSet<&str> = SEEN.take().iter().map(|m| m.0).collect();
    let missing: Vec<&str> = primitives().into_iter().filter(|n| !hit.contains(n)).collect();
    assert_eq!(missing, WITHOUT_DERIVATIVE);
}

/// Primitives whose derivative is zero everywhere.
const WITHOUT_DERIVATIVE: [&str; 27] = [
    "sign",
    "floor",
    "ceil",
    "round",
    "step_to",
    "unit_scale",
    "inside",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "larger_share",
    "smaller_share",
    "winners",
    "extreme_share",
    "argsort",
    "argmax",
    "argmin",
    "pool_argmax",
    "cumargmax",
    "cumargmin",
    "ranked",
    "labels_without",
    "labels_differ",
    "stop_gradient",
];
