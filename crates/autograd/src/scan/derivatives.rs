//! The derivatives of a loop, which are loops: the adjoint goes the other way, with the cotangents of the carries as its
//! carries. What is the same in each step there is added up here, and what is added up there is the same in each step here.

use crate::diff::forward::forward;
use crate::diff::reverse::{Cotangents, reverse};
use crate::float::Float;
use crate::ops::table::Kind;
use crate::ops::view::{AddAt, Read};
use crate::scan::body::{Body, Recorded, Results};
use crate::scan::op::{AdjointOf, How, Loop, record};
use crate::tape::Tape;
use crate::tape::op::Arity;
use crate::tape::var::Var;
use crate::tensor::error::Error;
use crate::tensor::shape::Shape;
use smallvec::{SmallVec, smallvec};
use std::collections::{BTreeMap, BTreeSet};

/// So many terms are added up one by one in the time in which a step sums them.
const FEW: usize = 128;

/// The most sums that are taken together: an operand that is added to itself again and again has more than can be counted.
const MOST: usize = 8;

/// The steps of a loop recorded once more, to be differentiated.
struct Again<'t, T: Float> {
    tape: &'t Tape<T>,
    start: u32,
    /// By the numbers of the body.
    values: Vec<Var<'t, T>>,
}

/// What a loop over a derivative reads slices of: the node in a step, the node outside, and where it begins there.
type Sliced<'t, T> = Vec<(u32, Var<'t, T>, usize)>;

fn slots<'t, T: Float>(tape: &'t Tape<T>, shapes: &[Shape]) -> Vec<Var<'t, T>> {
    shapes.iter().map(|shape| tape.slot(shape)).collect()
}

impl<T: Float> Loop<T> {
    /// The cotangent of an operand.
    pub(super) fn cotangent<'t>(
        &self,
        arg: usize,
        args: &[Var<'t, T>],
        y: Var<'t, T>,
        dy: Var<'t, T>,
    ) -> Option<Var<'t, T>> {
        let tape = y.tape();
        let nodes: SmallVec<[u32; 8]> = args.iter().chain([&y, &dy]).map(Var::index).collect();
        // The rule is asked for one operand at a time, and one loop gives the cotangents of all.
        let of_these = |index: u32| {
            let Kind::Loop(other) = &tape.nodes[index].kind else { return None };
            other.adjoint.as_ref().is_some_and(|of| of.nodes == nodes).then_some((other, index))
        };
        let known = (tape.floor()..tape.len() as u32).find_map(of_these);
        let (adjoint, found) = match known {
            Some((adjoint, index)) => (adjoint.clone(), Var::new(tape, index)),
            None => match self.adjoint(args, (y, dy), nodes) {
                Ok(adjoint) => adjoint,
                Err(error) => {
                    tape.set_fault(error);
                    return None;
                }
            },
        };
        let part = adjoint.adjoint.as_ref()?.cotangents[arg]?;
        let cotangent = adjoint.part(found, part);
        // Of a constant it may not be summed yet.
        if arg >= self.body.ports.carries.len() + self.offsets.len() && cotangent.sizes() != args[arg].sizes() {
            return Some(cotangent.sum_to(args[arg].sizes()));
        }
        let slice = arg.checked_sub(self.body.ports.carries.len()).filter(|&k| k < self.offsets.len());
        Some(slice.map_or(cotangent, |k| placed(cotangent, args[arg].sizes(), self.offsets[k])))
    }

    fn again<'t>(&self, args: &[Var<'t, T>], tape: &'t Tape<T>) -> Again<'t, T> {
        let (start, ports) = (tape.len() as u32, &self.body.ports);
        let mut first = slots(tape, &ports.carries);
        first.extend(slots(tape, &ports.slices));
        first.extend(&args[first.len()..]);
        Again { tape, start, values: self.body.replay(tape, &first) }
    }

    /// What the steps read of the loop's operands and of what it left.
    fn slices<'t>(&self, again: &Again<'t, T>, args: &[Var<'t, T>], y: Var<'t, T>) -> Sliced<'t, T> {
        let carries = self.body.ports.carries.len();
        let own = self.offsets.iter().zip(carries..);
        let mut sliced: Sliced<'t, T> =
            own.map(|(&offset, port)| (again.values[port].index(), args[port], offset)).collect();
        for (&value, part) in self.body.results.stacked.iter().zip(&self.parts[self.first_stacked()..]) {
            let node = again.values[value as usize].index();
            if node >= again.start && sliced.iter().all(|slice| slice.0 != node) {
                sliced.push((node, y, part.offset));
            }
        }
        sliced
    }

    fn adjoint<'t>(
        &self,
        args: &[Var<'t, T>],
        (y, dy): (Var<'t, T>, Var<'t, T>),
        nodes: SmallVec<[u32; 8]>,
    ) -> Result<(Self, Var<'t, T>), Error> {
        let tape = y.tape();
        let (ports, results) = (&self.body.ports, &self.body.results);
        let (carries, stacked) = (ports.carries.len(), self.first_stacked());
        let given = self.given(dy);
        let again = self.again(args, tape);
        let lambdas = slots(tape, &ports.carries);
        let left: Vec<Option<Var<'t, T>>> = (results.stacked.iter().zip(&given[stacked..]))
            .map(|(&value, given)| given.map(|_| tape.slot(self.body.shape(value))))
            .collect();
        let mut present: Vec<bool> = given[..carries].iter().map(Option::is_some).collect();
        let inputs: Vec<u32> = again.values[..ports.count()].iter().map(Var::index).collect();
        let found = loop {
            let lambda = |k: usize| present[k].then_some(lambdas[k]);
            let cotangents = (0..carries).map(lambda).chain(given[carries..stacked].iter().copied());
            let seeds: Vec<(Var<'t, T>, Var<'t, T>)> = (results.all().zip(cotangents.chain(left.iter().copied())))
                .filter_map(|(value, cotangent)| Some((again.values[value as usize], cotangent?)))
                .collect();
            let found: Cotangents<'t, T> = reverse(tape, &seeds, &inputs)?;
            // A carry that others lead to has a cotangent from the second step on.
            let more = (0..carries).filter(|&k| found[k].is_some() && !present[k]).collect::<Vec<usize>>();
            if more.is_empty() {
                break found;
            }
            for k in more {
                present[k] = true;
            }
        };
        let mut sliced = self.slices(&again, args, y);
        sliced.extend(left.iter().zip(&given[stacked..]).filter_map(|(slot, of)| Some(((*slot)?.index(), (*of)?, 0))));
        let zeros = |k: usize| lambdas[k].zeros();
        let there: Vec<usize> = (0..carries).filter(|&k| present[k]).collect();
        let node = |var: Var<'t, T>| var.index();
        let (of_slices, of_constants) = found[carries..].split_at(ports.slices.len());
        let next = Results {
            next: there.iter().map(|&k| node(found[k].unwrap_or_else(|| zeros(k)))).collect(),
            sums: of_constants.iter().flatten().map(|&sum| node(terms_of(sum).unwrap_or(sum))).collect(),
            stacked: (of_slices.iter().flatten().copied().map(node))
                .chain(there.iter().map(|&k| lambdas[k].index()))
                .collect(),
        };
        let mut numbers = 0..;
        let mut number = |is: bool| if is { numbers.next() } else { None };
        let of_carries: Vec<Option<usize>> = present.iter().map(|&is| number(is)).collect();
        let of_constants: Vec<Option<usize>> = of_constants.iter().map(|found| number(found.is_some())).collect();
        let of_slices: Vec<Option<usize>> = of_slices.iter().map(|found| number(found.is_some())).collect();
        let adjoint = AdjointOf { nodes, cotangents: [of_carries, of_slices, of_constants].concat() };
        let first: Vec<Var<'t, T>> = there.iter().map(|&k| given[k].unwrap_or_else(|| nothing_as(args[k]))).collect();
        let lambdas: Vec<u32> = there.iter().map(|&k| lambdas[k].index()).collect();
        again.record((&lambdas, &next), &first, &sliced, How { reverse: !self.how.reverse, ..self.how }, Some(adjoint))
    }

    /// The tangent of the result, in the same parts.
    pub(super) fn tangent<'t>(
        &self,
        args: &[Var<'t, T>],
        y: Var<'t, T>,
        tangents: &[Option<Var<'t, T>>],
    ) -> Option<Var<'t, T>> {
        match self.tangents(args, y, tangents) {
            Ok(found) => Some(found),
            Err(error) => {
                y.tape().set_fault(error);
                None
            }
        }
    }

    fn tangents<'t>(
        &self,
        args: &[Var<'t, T>],
        y: Var<'t, T>,
        tangents: &[Option<Var<'t, T>>],
    ) -> Result<Var<'t, T>, Error> {
        let tape = y.tape();
        let ports = &self.body.ports;
        let (carries, slices) = (ports.carries.len(), ports.slices.len());
        let again = self.again(args, tape);
        let along = slots(tape, &ports.carries);
        let mut sliced = self.slices(&again, args, y);
        let mut seeds: Vec<(u32, Var<'t, T>)> = Vec::new();
        for (k, &port) in again.values[..ports.count()].iter().enumerate() {
            let tangent = match tangents[k] {
                _ if k < carries => along[k],
                Some(tangent) if k < carries + slices => {
                    let slot = tape.slot(&ports.slices[k - carries]);
                    sliced.push((slot.index(), tangent, self.offsets[k - carries]));
                    slot
                }
                Some(tangent) => tangent,
                None => continue,
            };
            seeds.push((port.index(), tangent));
        }
        let of = |value: u32| -> Result<u32, Error> {
            let root = again.values[value as usize];
            Ok(forward(tape, root.index(), &seeds)?.unwrap_or_else(|| root.zeros()).index())
        };
        let all = |values: &[u32]| values.iter().map(|&value| of(value)).collect::<Result<Vec<u32>, Error>>();
        let Results { next, sums, stacked } = &self.body.results;
        let results = Results { next: all(next)?, sums: all(sums)?, stacked: all(stacked)? };
        let first: Vec<Var<'t, T>> = (0..carries).map(|k| tangents[k].unwrap_or_else(|| nothing_as(args[k]))).collect();
        let along: Vec<u32> = along.iter().map(Var::index).collect();
        let (_, y) = again.record((&along, &results), &first, &sliced, self.how, None)?;
        Ok(y)
    }

    /// The cotangents of the parts; of those that none came for there is none, where that can be told.
    fn given<'t>(&self, dy: Var<'t, T>) -> Vec<Option<Var<'t, T>>> {
        let mut given = vec![None; self.parts.len()];
        if self.find(dy, &mut given) {
            return given;
        }
        (0..self.parts.len()).map(|part| Some(self.part(dy, part))).collect()
    }

    /// Finds the cotangents of the parts in a sum of contributions, each of which is zero but for one part.
    fn find<'t>(&self, dy: Var<'t, T>, given: &mut [Option<Var<'t, T>>]) -> bool {
        let tape = dy.tape();
        let node = &tape.nodes[dy.index()];
        let of = |k: usize| Var::new(tape, node.args[k]);
        if node.kind.name() == "add" && node.args.len() == 2 && of(0).sizes() == of(1).sizes() {
            return self.find(of(0), given) && self.find(of(1), given);
        }
        let Kind::AddAt(op) = &node.kind else { return self.find_at(dy, 0, given) };
        let (from, strides) = (of(0), &op.0.strides);
        *strides == from.sizes().signed_strides_in(from.sizes()) && self.find_at(from, op.0.offset, given)
    }

    /// The same, of a row that lies at a place: it is one part, or parts beside each other.
    fn find_at<'t>(&self, row: Var<'t, T>, offset: usize, given: &mut [Option<Var<'t, T>>]) -> bool {
        if let Some(part) = self.part_at(offset, row.numel()).filter(|&part| self.parts[part].shape == *row.sizes()) {
            given[part] = Some(given[part].map_or(row, |earlier| earlier + row));
            return true;
        }
        let tape = row.tape();
        let node = &tape.nodes[row.index()];
        let mut at = offset;
        matches!(node.kind, Kind::Concat(_))
            && row.rank() == 1
            && node.args.iter().all(|&piece| {
                let (piece, start) = (Var::new(tape, piece), at);
                at += piece.numel();
                self.find_at(piece, start, given)
            })
    }
}

impl<'t, T: Float> Again<'t, T> {
    /// The loop over what was recorded: carries and results, first values, slices.
    fn record(
        &self,
        (carries, results): (&[u32], &Results),
        first: &[Var<'t, T>],
        sliced: &Sliced<'t, T>,
        how: How,
        adjoint: Option<AdjointOf>,
    ) -> Result<(Loop<T>, Var<'t, T>), Error> {
        let slices: Vec<u32> = sliced.iter().map(|slice| slice.0).collect();
        let sources: Vec<(Var<'t, T>, usize)> = sliced.iter().map(|&(_, of, offset)| (of, offset)).collect();
        let depth = self.tape.depth.get();
        let recorded = Recorded { tape: self.tape, start: self.start, depth, carries, slices: &slices };
        record(&recorded, results, first, &sources, how, adjoint).map_err(|reason| self.tape.error("scan", reason, &[]))
    }
}

/// What a cotangent is the sum of, along the axes that broadcast its operand: where these are a few elements, they are added up step by
/// step, and the sum is taken once, after the loop.
fn terms_of<T: Float>(sum: Var<'_, T>) -> Option<Var<'_, T>> {
    let tape = sum.tape();
    let (mut terms, mut open) = (SmallVec::<[Var<'_, T>; MOST]>::new(), SmallVec::<[Var<'_, T>; MOST]>::new());
    open.push(sum);
    while let Some(sum) = open.pop() {
        let node = &tape.nodes[sum.index()];
        let of = |k: usize| Var::new(tape, node.args[k]);
        if let Kind::AddAt(op) = &node.kind {
            let AddAt { name, offset, strides, .. } = &op.0;
            let read = Read { name: "broadcast_to", shape: of(0).shape(), offset: *offset, strides: strides.clone() };
            if *name != "sum" || of(0).numel() > FEW || !read.is_broadcast_of(sum.sizes()) {
                return None;
            }
            terms.push(of(0));
        } else if node.kind.name() == "add" && of(0).sizes() == of(1).sizes() && terms.len() + open.len() + 2 <= MOST {
            open.extend([of(1), of(0)]);
        } else {
            return None;
        }
    }
    let same = terms.iter().all(|term| term.sizes() == terms[0].sizes());
    if same { terms.into_iter().reduce(|sum, term| sum + term) } else { None }
}

/// Zeros of the shape of a variable that is not read, recorded without a leaf, so that a sweep which repeats is known.
fn nothing_as<T: Float>(x: Var<'_, T>) -> Var<'_, T> {
    let none = x.reshape([x.numel()]).narrow(0, 0, 0);
    let op = AddAt { name: "add_at", shape: x.shape(), offset: 0, strides: smallvec![1] };
    x.tape().record(Arity(op), [none])
}

/// A variable in a larger one of zeros, from a place on.
fn placed<'t, T: Float>(x: Var<'t, T>, shape: &Shape, offset: usize) -> Var<'t, T> {
    if offset == 0 && x.numel() == shape.numel() {
        return x.reshape(shape.clone());
    }
    let strides = x.sizes().signed_strides_in(x.sizes());
    x.tape().record(Arity(AddAt { name: "add_at", shape: shape.clone(), offset, strides }), [x])
}

/// The values of a body that its adjoint reads, and would otherwise compute once more.
pub(super) fn residuals<T: Float>(body: &Body<T>) -> Vec<u32> {
    let tape = Tape::<T>::default();
    let (ports, results) = (&body.ports, &body.results);
    let first: Vec<Var<'_, T>> =
        [&ports.carries, &ports.slices, &ports.constants].into_iter().flat_map(|shapes| slots(&tape, shapes)).collect();
    let values = body.replay(&tape, &first);
    let end = tape.len() as u32;
    let seeds: Vec<(Var<'_, T>, Var<'_, T>)> =
        results.all().map(|value| (values[value as usize], tape.slot(body.shape(value)))).collect();
    let inputs: Vec<u32> = first.iter().map(Var::index).collect();
    // What is wrong with a rule shows when the loop is differentiated.
    let Ok(found) = reverse(&tape, &seeds, &inputs) else { return Vec::new() };
    let numbers: BTreeMap<u32, u32> = values.iter().map(Var::index).zip(0..).collect();
    let mut needed: BTreeSet<u32> = found.iter().flatten().map(Var::index).collect();
    let mut of_body = BTreeSet::new();
    while let Some(index) = needed.pop_last() {
        if index >= end {
            needed.extend(&*tape.nodes[index].args);
        } else {
            of_body.insert(numbers[&index]);
        }
    }
    let mut read = BTreeSet::new();
    while let Some(value) = of_body.pop_last() {
        let seen = body.seen_through(value);
        match body.computed_again(seen) {
            Some(from) => of_body.extend(from),
            None if body.is_port(seen) || results.stacked.contains(&seen) => {}
            None => {
                read.insert(seen);
            }
        }
    }
    read.into_iter().collect()
}
