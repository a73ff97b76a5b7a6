//! A test of the tests: rules made wrong on purpose, each of which the checker must notice.
//!
//! The sweeps ask this module, in tests only, what a rule gave; it answers with something else where a mutant is set.
#![allow(clippy::wildcard_enum_match_arm, reason = "a change concerns one arm of what the sweeps do")]

use crate::check::{Checker, Verdict};
use crate::corpus::{Row, rows};
use crate::diff::forward::jvp;
use crate::diff::reverse::vjp;
use crate::float::Float;
use crate::ops::concat::concat;
use crate::ops::table::primitives;
use crate::tape::Tape;
use crate::tape::op::DynOp;
use crate::tape::var::Var;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

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
    op: &dyn DynOp<T>,
    k: usize,
    args: &[Var<'t, T>],
    (y, dy): (Var<'t, T>, Var<'t, T>),
    da: Option<Var<'t, T>>,
) -> Option<Var<'t, T>> {
    let first = da?;
    let tape = y.tape();
    let Some(change) = active(op.name(), k, Mode::Vjp) else {
        if ACTIVE.get().is_some() {
            return da;
        }
        let start = tape.len() as u32;
        let again = op.vjp(k, args, y, dy).map_or(0, |again| sums(again, start).len());
        (0..again.min(3)).for_each(|n| seen(op.name(), k, Mode::Vjp, Change::DropTerm(n)));
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
    op: &dyn DynOp<T>,
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
            if ACTIVE.get().is_none() && op.jvp(args, y, &only).is_some() {
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

/// How closely a row is looked at: two projections of its first derivatives, all of these, and of the second ones too. What is seen
/// at once is not looked for where it takes much longer.
const CHECKERS: [(usize, usize); 3] = [(1, 0), (1, 64), (2, 64)];

/// Runs the checker on a row; a panic counts as noticed, since a user would see it.
fn verdict_of(row: &Row<f64>, (orders, full_up_to): (usize, usize)) -> Option<Verdict> {
    let checker = Checker { orders, full_up_to, projections: 2, ..Checker::default() };
    catch_unwind(AssertUnwindSafe(|| checker.check(row.f, &row.inputs()).verdict())).ok()
}

/// Whether the mutant that is active changes anything that is recorded of a row's derivatives. They are not computed.
fn applies(row: &Row<f64>, orders: usize) -> bool {
    let before = APPLIED.replace(false);
    let recorded = catch_unwind(AssertUnwindSafe(|| {
        let tape = Tape::new();
        let x = tape.vars(&row.inputs());
        let mut y = (row.f)(&x);
        for _ in 1..orders {
            let parts: Vec<Var<'_>> =
                vjp(y, &x, tape.full(y.shape(), 1.5)).iter().map(|g| g.reshape([g.numel()])).collect();
            y = concat(&parts, 0);
        }
        let tangents: Vec<Var<'_>> = x.iter().map(|x| tape.full(x.shape(), 1.5)).collect();
        let _ = (vjp(y, &x, tape.full(y.shape(), 1.5)), jvp(y, &x, &tangents));
    }));
    let applies = APPLIED.get() || recorded.is_err();
    APPLIED.set(APPLIED.get() || before);
    applies
}

/// The rows of the corpus with the changes that each could notice, the quickest first.
fn rows_and_mutants() -> Vec<(Row<f64>, BTreeSet<Mutant>)> {
    let mut timed: Vec<_> = rows::<f64>()
        .into_iter()
        .map(|row| {
            SEEN.with_borrow_mut(BTreeSet::clear);
            let mut times = Vec::new();
            for how in CHECKERS {
                let start = Instant::now();
                assert_eq!(verdict_of(&row, how), Some(Verdict::Pass), "{}", row.name);
                times.push(start.elapsed());
            }
            (times[0], (row, SEEN.take()))
        })
        .collect();
    timed.sort_by_key(|(time, _)| *time);
    timed.into_iter().map(|(_, row)| row).collect()
}

/// Whether a row notices the mutant, and whether the mutant changed anything at all: a sum that is not there, or equal
/// rules, are no mutant.
fn noticed(mutant: Mutant, rows: &[(Row<f64>, BTreeSet<Mutant>)]) -> (bool, bool) {
    ACTIVE.set(Some(mutant));
    APPLIED.set(false);
    let concerned = || rows.iter().filter(|(_, seen)| seen.contains(&mutant));
    let fails = |row: &Row<f64>, how| matches!(verdict_of(row, how), None | Some(Verdict::Fail));
    let noticed = CHECKERS.iter().any(|&how| concerned().any(|(row, _)| applies(row, how.0) && fails(row, how)));
    ACTIVE.set(None);
    (noticed, APPLIED.get())
}

#[test]
fn every_mutant_of_every_rule_is_killed() {
    let rows = rows_and_mutants();
    let hit: BTreeSet<&str> = rows.iter().flat_map(|(_, seen)| seen).map(|m| m.0).collect();
    let missing: BTreeSet<&str> = primitives().into_iter().filter(|n| !hit.contains(n)).collect();
    assert_eq!(missing, BTreeSet::from(WITHOUT_DERIVATIVE), "the corpus must exercise every primitive that has a rule");
    let mutants: Vec<Mutant> =
        rows.iter().flat_map(|(_, seen)| seen).copied().collect::<BTreeSet<_>>().into_iter().collect();
    let results: Vec<(Mutant, (bool, bool))> = std::thread::scope(|scope| {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let (mutants, rows) = (&mutants, &rows);
        let work =
            move |w: usize| mutants.iter().skip(w).step_by(workers).map(|&m| (m, noticed(m, rows))).collect::<Vec<_>>();
        let threads: Vec<_> = (0..workers).map(|w| scope.spawn(move || work(w))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let killed = results.iter().filter(|(_, (noticed, _))| *noticed).count();
    let survivors: Vec<String> =
        results.iter().filter(|(_, (noticed, applied))| *applied && !noticed).map(|(m, _)| format!("{m:?}")).collect();
    println!("mutants: {killed} of {} killed", killed + survivors.len());
    assert!(killed > 500, "only {killed} mutants: the corpus does not exercise the rules");
    assert!(survivors.is_empty(), "{} survive:\n{}", survivors.len(), survivors.join("\n"));
}

/// Primitives whose derivative is zero everywhere.
const WITHOUT_DERIVATIVE: [&str; 39] = [
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
    "attains",
    "argsort",
    "argmax",
    "argmin",
    "cumargmax",
    "cumargmin",
    "labels_without",
    "labels_differ",
    "numbers",
    "to_index",
    "stop_gradient",
    "fold_in_index",
    "fold_in_number",
    "pool_argmax",
    "ranked",
    "uniform",
    "normal",
    "exponential",
    "gumbel",
    "integers",
    "permutation",
    "derived_key",
];
