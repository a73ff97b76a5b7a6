//! The operation of a loop: a body, how often, and where its operands and results lie.

use crate::float::{Engine, Float};
use crate::ops::table::{BuiltIn, Kind};
use crate::ops::view::Read;
use crate::scan::body::{Body, Closed, Recorded, Results, Shortened};
use crate::tape::Tape;
use crate::tape::op::{Arity, DynOp, View, ViewMut};
use crate::tape::var::Var;
use crate::tensor::Tensor;
use crate::tensor::error::Reason;
use crate::tensor::memory::OutOfMemory;
use crate::tensor::shape::Shape;
use smallvec::SmallVec;
use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

/// A loop. Its operands are those of the ports of its body, in order: first values of the carries, what the slices are of, and
/// what is the same in each step. Its result is one row of numbers that holds all that comes out, part by part: the last
/// carries, the sums, and what each step leaves, the steps one after the other. The parts are read as views.
#[derive(Clone)]
pub(crate) struct Loop<T: Float>(Arc<Spec<T>>);

/// All of a loop but its operands.
#[derive(Clone)]
pub(crate) struct Spec<T: Float> {
    pub(crate) body: Arc<Body<T>>,
    pub(crate) how: How,
    /// Where in its operand each of the slices begins, with those of the first step; the others follow.
    pub(crate) offsets: Vec<usize>,
    pub(crate) parts: Vec<Part>,
    total: Shape,
    /// Of what it gives the cotangents, where it is the adjoint of another one.
    pub(crate) adjoint: Option<AdjointOf>,
}

/// How often a body runs, and in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct How {
    pub(crate) steps: usize,
    /// Whether the last slices come first.
    pub(crate) reverse: bool,
    /// How many steps are added up by themselves before that is added to the rest: as many as would be computed together if the
    /// carries of others were not kept, so that sums have the same bits.
    pub(crate) together: usize,
    /// Whether what no carry leads to is computed before the loop, for all steps at once, which takes memory for all of them.
    pub(crate) at_once: bool,
}

/// A part of what comes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) offset: usize,
    pub(crate) shape: Shape,
}

impl Part {
    /// Its places in the row.
    pub(crate) fn range(&self) -> Range<usize> {
        self.offset..self.offset + self.shape.numel()
    }
}

/// A group of steps whose sums are added up by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    /// As many as are together.
    Whole,
    /// Those behind the last whole group.
    Rest,
}

/// A loop that leaves less than another one.
pub(crate) struct Shorter<T: Float> {
    pub(crate) scan: Loop<T>,
    /// Which of the operands it has still.
    pub(crate) args: Vec<usize>,
    /// What each of the parts has become.
    pub(crate) parts: Vec<Option<usize>>,
}

/// Whose cotangents a loop gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AdjointOf {
    /// The operands of that loop, its result, and the cotangent of that.
    pub(crate) nodes: SmallVec<[u32; 8]>,
    /// The part that is the cotangent of what goes into each port.
    pub(crate) cotangents: Vec<Option<usize>>,
}

impl How {
    /// Whether there are steps behind the last whole group.
    pub(crate) fn has_rest(self) -> bool {
        !self.steps.is_multiple_of(self.together)
    }

    /// The group whose last step in this direction this is.
    pub(crate) fn group_that_ends(self, at: usize) -> Option<Group> {
        let whole = self.steps - self.steps % self.together;
        let ends = if self.reverse { at.is_multiple_of(self.together) } else { (at + 1).is_multiple_of(self.together) };
        match at >= whole {
            true if ends || (!self.reverse && at + 1 == self.steps) => Some(Group::Rest),
            false if ends => Some(Group::Whole),
            _ => None,
        }
    }
}

impl<T: Float> Spec<T> {
    /// The shape of all that comes out.
    pub(crate) fn total(&self) -> &Shape {
        &self.total
    }

    /// The part that begins at a place and has so many elements, if there is one and it has any.
    pub(crate) fn part_at(&self, offset: usize, len: usize) -> Option<usize> {
        self.parts.iter().position(|part| len > 0 && part.range() == (offset..offset + len))
    }

    /// The number of parts before those that each step leaves.
    pub(crate) fn first_stacked(&self) -> usize {
        self.body.results.next.len() + self.body.results.sums.len()
    }
}

impl<T: Float> Deref for Loop<T> {
    type Target = Spec<T>;
    fn deref(&self) -> &Spec<T> {
        &self.0
    }
}

impl<T: Float> fmt::Debug for Loop<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Loop of {} steps, {:?}", self.how.steps, self.body)
    }
}

impl<T: Float> PartialEq for Loop<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || self.how == other.how
                && self.offsets == other.offsets
                && self.adjoint == other.adjoint
                && self.body == other.body
    }
}

impl<T: Float> From<Loop<T>> for Kind<T> {
    fn from(scan: Loop<T>) -> Self {
        Self::Loop(scan)
    }
}

impl<T: Float> BuiltIn<T> for Loop<T> {
    fn is_kind(&self, kind: &Kind<T>) -> bool {
        if let Kind::Loop(scan) = kind { self == scan } else { false }
    }
}

impl<T: Float> Loop<T> {
    /// A loop over a body.
    ///
    /// # Errors
    /// Where what comes out has more elements than can be counted.
    pub(crate) fn new(
        body: Arc<Body<T>>,
        how: How,
        offsets: Vec<usize>,
        adjoint: Option<AdjointOf>,
    ) -> Result<Self, Reason> {
        let Results { next, sums, stacked } = &body.results;
        let single = next.iter().chain(sums).map(|&value| body.shape(value).clone());
        let rows = stacked.iter().map(|&value| of_all(how.steps, body.shape(value)));
        let (mut parts, mut total) = (Vec::new(), 0_usize);
        for shape in single.chain(rows) {
            let len = shape.elements()?;
            parts.push(Part { offset: total, shape });
            total = total.saturating_add(len);
        }
        let total = Shape::from([total]);
        total.elements()?;
        Ok(Self(Arc::new(Spec { body, how, offsets, parts, total, adjoint })))
    }

    /// A part of the result, on its own.
    pub(crate) fn part<'t>(&self, y: Var<'t, T>, part: usize) -> Var<'t, T> {
        let Part { offset, shape } = self.parts[part].clone();
        region(y, offset, shape)
    }

    /// This without the parts that are not wanted, of sums and of what each step leaves.
    pub(crate) fn with_parts(&self, wanted: &[bool]) -> Result<Shorter<T>, Reason> {
        let Results { next, sums, stacked } = &self.body.results;
        let is_wanted = |from: usize| move |(k, &value): (usize, &u32)| wanted[from + k].then_some(value);
        let kept = |values: &Vec<u32>, from: usize| values.iter().enumerate().filter_map(is_wanted(from)).collect();
        let results =
            Results { next: next.clone(), sums: kept(sums, next.len()), stacked: kept(stacked, self.first_stacked()) };
        let (body, slices, constants) = self.body.with_results(&results);
        let (carries, of) = (self.body.ports.carries.len(), self.body.ports.slices.len());
        let args = (0..carries).chain(slices.iter().map(|k| carries + k));
        let args = args.chain(constants.iter().map(|k| carries + of + k)).collect();
        let offsets = slices.iter().map(|&k| self.offsets[k]).collect();
        let mut numbers = 0..;
        let is_kept = |part: usize| part < next.len() || wanted[part];
        let parts = (0..self.parts.len()).map(|part| if is_kept(part) { numbers.next() } else { None }).collect();
        Ok(Shorter { scan: Self::new(Arc::new(body), self.how, offsets, None)?, args, parts })
    }

    /// This with slices that begin elsewhere.
    pub(crate) fn with_offsets(&self, offsets: Vec<usize>) -> Self {
        Self(Arc::new(Spec { offsets, ..Spec::clone(self) }))
    }
}

/// The shape of what is this in each step, of all steps.
pub(crate) fn of_all(steps: usize, each: &Shape) -> Shape {
    std::iter::once(steps).chain(each.iter().copied()).collect()
}

/// Neighbours in a variable's elements, in a shape of their own.
pub(crate) fn region<T: Float>(x: Var<'_, T>, offset: usize, shape: Shape) -> Var<'_, T> {
    if offset == 0 && shape == *x.sizes() {
        return x;
    }
    let strides = shape.signed_strides_in(&shape);
    x.tape().record(Arity(Read { name: "slice", shape, offset, strides }), [x])
}

/// A loop over what was recorded, recorded itself: its result.
pub(crate) fn record<'t, T: Float>(
    recorded: &Recorded<'_, 't, T>,
    results: &Results,
    first: &[Var<'t, T>],
    sources: &[(Var<'t, T>, usize)],
    how: How,
    adjoint: Option<AdjointOf>,
) -> Result<(Loop<T>, Var<'t, T>), Reason> {
    let tape: &'t Tape<T> = recorded.tape;
    let Closed { mut body, slices, constants } = recorded.close(results);
    let mut sources: Vec<(Var<'t, T>, usize)> = slices.iter().map(|&k| sources[k]).collect();
    let mut constants: Vec<Var<'t, T>> = constants.iter().map(|&index| Var::new(tape, index)).collect();
    if how.at_once
        && let Some(shortened) = body.before_the_loop((tape, how.steps), (&sources, &constants))
    {
        Shortened { body, sources, constants } = shortened;
    }
    let offsets = sources.iter().map(|source| source.1).collect();
    let scan = Loop::new(Arc::new(body), how, offsets, adjoint)?;
    let sliced = sources.iter().map(|source| source.0);
    let args: SmallVec<[Var<'t, T>; 8]> = first.iter().copied().chain(sliced).chain(constants).collect();
    let y = tape.record_slice(scan.clone().into(), &args);
    // What repeats a known node has that node's loop, which may be ready to run.
    let Kind::Loop(known) = &tape.nodes[y.index()].kind else { return Ok((scan, y)) };
    Ok((known.clone(), y))
}

impl<T: Float> DynOp<T> for Loop<T> {
    fn name(&self) -> &'static str {
        "scan"
    }
    fn shape(&self, _: &[&Shape]) -> Result<Shape, Reason> {
        Ok(self.total.clone())
    }
    fn eval(&self, args: &[View<'_, T>], y: ViewMut<'_, T>) {
        self.try_eval(args, y).expect("whoever computes asks by the method that can answer");
    }
    fn try_eval(&self, args: &[View<'_, T>], y: ViewMut<'_, T>) -> Result<(), OutOfMemory> {
        self.body.run(|running| <T as Engine>::run_loop(running, self, args, y.data))
    }
    /// Whether an operation of a step lies on its kink; which element of the result that is, nobody knows.
    fn kink(&self, args: &[View<'_, T>]) -> Option<usize> {
        let copied = |shape: &Shape, data: &[T]| Tensor::new(shape.clone(), data.to_vec());
        let ports = &self.body.ports;
        let (first, others) = args.split_at(ports.carries.len());
        let (sources, constants) = others.split_at(ports.slices.len());
        let mut carries: Vec<Tensor<T>> = first.iter().map(|of| copied(of.shape, of.data)).collect();
        for step in 0..self.how.steps {
            let at = if self.how.reverse { self.how.steps - 1 - step } else { step };
            let tape = Tape::default();
            let slices = sources.iter().zip(&ports.slices).zip(&self.offsets).map(|((of, shape), offset)| {
                let n = shape.numel();
                copied(shape, &of.data[offset + at * n..][..n])
            });
            let all = constants.iter().map(|of| copied(of.shape, of.data));
            let ports: Vec<Var<'_, T>> =
                carries.iter().cloned().chain(slices).chain(all).map(|x| tape.var(&x)).collect();
            let values = self.body.replay(&tape, &ports);
            let steps: Vec<u32> = values[ports.len()..].iter().map(Var::index).collect();
            if tape.kink_among(&steps).is_some() {
                return Some(0);
            }
            carries = self.body.results.next.iter().map(|&value| values[value as usize].value()).collect();
        }
        None
    }
    fn vjp<'t>(&self, arg: usize, args: &[Var<'t, T>], y: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        self.cotangent(arg, args, y, dy)
    }
    fn jvp<'t>(&self, args: &[Var<'t, T>], y: Var<'t, T>, tangents: &[Option<Var<'t, T>>]) -> Option<Var<'t, T>> {
        self.tangent(args, y, tangents)
    }
}
