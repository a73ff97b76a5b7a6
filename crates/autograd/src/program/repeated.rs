//! Steps that repeat others: what a tape was asked for again and again is computed by a program, one for each structure and
//! question.
//!
//! Whether a step repeats a structure is found node by node, as it is recorded (see [`Nodes`](crate::tape::list::Nodes)); what was
//! asked of it before stands in [`Memory`]. Here is decided how its values are computed.

use super::on_tape::{OnTape, Part};
use super::questions::{Memory, Noted, Way};
use super::running::Running;
use crate::diff::reverse::{Cotangents, swept};
use crate::float::{Engine, Float};
use crate::kernels::chain::TileOp;
use crate::ops::table::Kind;
use crate::ops::with_slope::Pair;
use crate::scan::body::Body;
use crate::scan::op::Spec;
use crate::tape::Tape;
use crate::tape::nodes::Origin;
use crate::tape::op::{Arity, DynOp, View};
use crate::tape::var::Var;
use crate::tensor::error::Error;
use crate::tensor::memory::OutOfMemory;
use std::sync::Arc;

/// More nodes than these are not made a program of: that would take a minute at once. Shorter steps have taken as long before one is due.
const MOST_NODES: usize = 1 << 22;

/// Computes roots by the program of a step that repeats others, if there is one.
fn replay<T: Float<Memory = Memory<T>>>(tape: &Tape<T>, roots: &[u32], keep: bool) -> Result<bool, Error> {
    if roots.is_empty() || tape.watch_kinks.get() || tape.state.borrow().is_watched() {
        return Ok(false);
    }
    let Some(structure) = tape.nodes.structure() else {
        tape.memory.borrow_mut().lose();
        return Ok(false);
    };
    let Some(Noted { place, is_due }) = tape.memory.borrow_mut().turn_to(tape, structure, roots, keep)? else {
        return Ok(false);
    };
    if is_due {
        // Making a program asks the tape, so nothing of it is borrowed meanwhile.
        let part = tape.memory.borrow_mut().part(place);
        let made = way(tape, part);
        tape.memory.borrow_mut().answer(place, made);
    }
    let memory = &mut *tape.memory.borrow_mut();
    let Some(program) = memory.program(place) else { return Ok(false) };
    let state = &mut *tape.state.borrow_mut();
    program.compute(tape, state)?;
    let some_are_leaves = roots.iter().any(|&root| tape.nodes[root].kind.op().is_none());
    memory.note_answered();
    if some_are_leaves {
        memory.settle_into(tape, state)?;
    }
    Ok(true)
}

/// How values that are asked for again and again are best computed.
fn way<T: Float>(tape: &Tape<T>, part: Part) -> Way<T> {
    if tape.len() > MOST_NODES {
        return Way::Usual;
    }
    OnTape::new(tape, part).map_or(Way::Usual, |program| Way::Program(Box::new(program)))
}

macro_rules! engine {
    ($t:ident) => {
        #[expect(private_interfaces, reason = "nobody outside can name what is in here")]
        impl Engine for $t {
            type Memory = Memory<Self>;
            type Running = Running<Self>;

            fn op(kind: &Kind<Self>) -> Option<&dyn DynOp<Self>> {
                kind.operation()
            }
            #[allow(clippy::wildcard_enum_match_arm, reason = "a few of a large table")]
            fn tile_op(kind: &Kind<Self>) -> Option<Arc<dyn TileOp<Self>>> {
                match kind {
                    Kind::Unary(Arity(op)) => Some(Arc::new(*op)),
                    Kind::Binary(Arity(op)) => Some(Arc::new(*op)),
                    Kind::Select(Arity(op)) => Some(Arc::new(*op)),
                    _ => None,
                }
            }
            fn pair(pair: Pair) -> Arc<dyn TileOp<Self>> {
                Arc::new(pair)
            }
            fn append<'t>(
                tape: &'t Tape<Self>,
                name: Option<&str>,
                kind: Kind<Self>,
                args: &[Var<'t, Self>],
                origin: Origin,
            ) -> Result<Var<'t, Self>, Error> {
                tape.append(name, kind, args, origin)
            }
            fn reverse<'t>(
                tape: &'t Tape<Self>,
                results: &[(Var<'t, Self>, Var<'t, Self>)],
                inputs: &[u32],
            ) -> Result<Cotangents<'t, Self>, Error> {
                swept(tape, results, inputs)
            }
            #[track_caller]
            fn compute(tape: &Tape<Self>, roots: &[u32], keep: bool) {
                tape.compute_by(roots, || {
                    if replay(tape, roots, keep)? {
                        return Ok(None);
                    }
                    Self::close(tape)?;
                    tape.compute_nodes(roots, keep)
                });
            }
            fn close(tape: &Tape<Self>) -> Result<(), Error> {
                tape.memory.borrow_mut().close(tape)
            }
            #[track_caller]
            fn ask(tape: &Tape<Self>, roots: &[u32], stranger: Option<Var<'_, Self>>, keep: bool) {
                tape.asked(roots, stranger, keep);
            }
            fn take_leaf(tape: &Tape<Self>, leaf: u32, value: &[Self]) -> bool {
                let Some(structure) = tape.nodes.structure() else { return false };
                tape.memory.borrow_mut().take(structure, leaf, value)
            }
            fn cleared(tape: &mut Tape<Self>, forgot: bool) {
                let nodes = &tape.nodes;
                tape.memory.get_mut().clear(forgot.then_some(|structure| nodes.knows(structure)));
            }
            fn prepare(body: &Body<Self>) -> Result<Running<Self>, OutOfMemory> {
                Running::new(body)
            }
            fn run_loop(
                running: &mut Running<Self>,
                spec: &Spec<Self>,
                args: &[View<'_, Self>],
                y: &mut [Self],
            ) -> Result<(), OutOfMemory> {
                running.run(spec, args, y)
            }
            fn replays(tape: &Tape<Self>) -> u64 {
                tape.memory.borrow().replays()
            }
        }
    };
}

engine!(f32);
engine!(f64);
