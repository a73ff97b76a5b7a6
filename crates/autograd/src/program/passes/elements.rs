//! Arrays of a few numbers that are taken apart and put together go element by element: what moves numbers about is no step then, and
//! what is done to them is one.

mod costs;

use super::Rewrite;
use super::dead::Dead;
use crate::float::Float;
use crate::ops::binary::Binary;
use crate::ops::concat::Concat;
use crate::ops::table::Kind;
use crate::ops::unary::Unary;
use crate::ops::view::{AddAt, Read, Reshape};
use crate::program::graph::{Graph, Node};
use crate::tape::Tape;
use crate::tape::op::Arity;
use crate::tensor::error::Error;
use crate::tensor::shape::Shape;
use costs::taken_apart;
use smallvec::{SmallVec, smallvec};
use std::collections::HashMap;
use std::mem::take;

pub(super) struct Elements;

/// Arrays of up to so many elements are a few numbers.
const MOST: usize = 8;

impl<T: Float> Rewrite<T> for Elements {
    fn name(&self) -> &'static str {
        "elements"
    }

    fn run(&self, graph: &mut Graph<T>, tape: &Tape<T>) -> Result<bool, Error> {
        let taken = taken_apart(graph);
        if !taken.contains(&true) {
            return Ok(false);
        }
        let all = take(&mut graph.nodes);
        let mut apart = Apart { graph, known: HashMap::new(), some: None, zero: None };
        for (node, is_taken) in all.into_iter().zip(taken) {
            if is_taken {
                apart.take_apart(&node);
            } else {
                node.args.iter().for_each(|&a| apart.put_together(a));
                apart.graph.nodes.push(node);
            }
        }
        let roots: Vec<u32> = apart.graph.roots().collect();
        for root in roots {
            apart.put_together(root);
        }
        // Of an array that is taken apart, some elements may be read by nobody.
        Rewrite::<T>::run(&Dead, graph, tape)?;
        Ok(true)
    }
}

/// Where an operand is added to zeros.
enum Added {
    /// All in one place.
    Sum,
    /// Each in a place of its own.
    Apart(Vec<usize>),
}

impl Added {
    fn of(op: &AddAt, operand: &Shape) -> Option<Self> {
        if op.sums_all() {
            return Some(Self::Sum);
        }
        let places = places(operand, op.offset, &op.strides);
        let mut seen = vec![false; op.shape.numel()];
        let are_apart = places.iter().all(|&place| !std::mem::replace(&mut seen[place], true));
        are_apart.then_some(Self::Apart(places))
    }
}

/// `offset + i · strides` for every index `i` of a shape.
fn places(shape: &Shape, offset: usize, strides: &[isize]) -> Vec<usize> {
    let mut places = vec![offset];
    for (&n, &stride) in shape.iter().zip(strides) {
        let of = |&place: &usize| (0..n as isize).map(move |i| place.wrapping_add_signed(i * stride));
        places = places.iter().flat_map(of).collect();
    }
    places
}

/// An element of a value that goes by elements.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Element {
    /// A value of one element, and of one dimension at most.
    Of(u32),
    /// 0, which nothing makes.
    Zero,
}

type List = SmallVec<[Element; MOST]>;

struct Apart<'a, T: Float> {
    graph: &'a mut Graph<T>,
    /// The elements of values, and whether the value itself is there, too.
    known: HashMap<u32, (List, bool)>,
    /// A value of one element, and one that is 0.
    some: Option<u32>,
    zero: Option<u32>,
}

impl<T: Float> Apart<'_, T> {
    /// Computes the elements of what a node makes.
    #[allow(clippy::wildcard_enum_match_arm, reason = "few of a large table")]
    fn take_apart(&mut self, node: &Node<T>) {
        let result = node.results[0];
        let elements = match node.kind().expect("it has a cost") {
            Kind::Read(op) => self.read(node.args[0], places(&op.0.shape, op.0.offset, &op.0.strides)),
            Kind::Transpose(op) => {
                let of = self.graph.shape(node.args[0]).strides();
                let strides: Vec<isize> = op.0.permutation.iter().map(|&axis| of[usize::from(axis)] as isize).collect();
                let places = places(self.graph.shape(result), 0, &strides);
                self.read(node.args[0], places)
            }
            Kind::Reshape(_) | Kind::StopGradient(_) => self.elements(node.args[0]),
            Kind::Concat(op) => self.concat(op.axis(), &node.args, result),
            Kind::AddAt(op) => self.add_at(&op.0, node.args[0], result),
            kind => self.element_wise(kind, &node.args, result),
        };
        let is_there = elements[..] == [Element::Of(result)];
        self.known.insert(result, (elements, is_there));
    }

    /// The elements of a value.
    fn elements(&mut self, value: u32) -> List {
        if let Some((elements, _)) = self.known.get(&value) {
            return elements.clone();
        }
        let elements: List = (0..self.graph.numel(value)).map(|k| Element::Of(self.element_of(value, k))).collect();
        self.known.insert(value, (elements.clone(), true));
        elements
    }

    /// An element of a value that is there.
    fn element_of(&mut self, value: u32, offset: usize) -> u32 {
        if matches!(self.graph.shape(value)[..], [] | [1]) {
            self.some = Some(value);
            return value;
        }
        let read = Read { name: "slice", shape: Shape::from([1]), offset, strides: smallvec![1] };
        let element = self.graph.value_of(Shape::from([1]), value);
        self.some = Some(element);
        self.push(Kind::Read(Box::new(Arity(read))), smallvec![value], element)
    }

    /// Some elements of a value, which may have many.
    fn read(&mut self, of: u32, places: Vec<usize>) -> List {
        if self.graph.numel(of) > MOST {
            return places.into_iter().map(|place| Element::Of(self.element_of(of, place))).collect();
        }
        let elements = self.elements(of);
        places.into_iter().map(|place| elements[place]).collect()
    }

    fn concat(&mut self, axis: usize, args: &[u32], result: u32) -> List {
        let (outer, _, _) = self.graph.shape(result).around(axis);
        let parts: Vec<List> = args.iter().map(|&a| self.elements(a)).collect();
        let row = |o: usize| parts.iter().flat_map(move |part| part.chunks(part.len() / outer).nth(o).unwrap_or(&[]));
        (0..outer).flat_map(row).copied().collect()
    }

    fn add_at(&mut self, op: &AddAt, of: u32, result: u32) -> List {
        let terms = self.elements(of);
        match Added::of(op, self.graph.shape(of)).expect("it has a cost") {
            Added::Sum => {
                // The sum begins with 0: no other one changes it.
                let terms: List = terms.into_iter().filter(|&term| term != Element::Zero).collect();
                let (last, mut sum) = (terms.len(), Element::Zero);
                for (k, term) in terms.into_iter().enumerate() {
                    sum = self.plus(sum, term, (result, k + 1 == last));
                }
                smallvec![sum]
            }
            Added::Apart(places) => {
                let mut all: List = smallvec![Element::Zero; self.graph.numel(result)];
                for (place, term) in places.into_iter().zip(terms) {
                    all[place] = if op.name == "pad" { term } else { self.plus(Element::Zero, term, (result, false)) };
                }
                all
            }
        }
    }

    fn element_wise(&mut self, kind: &Kind<T>, args: &[u32], result: u32) -> List {
        let shape = self.graph.shape(result).clone();
        let operands: SmallVec<[(List, Vec<usize>); 3]> = args
            .iter()
            .map(|&a| (self.elements(a), places(&shape, 0, &self.graph.shape(a).signed_strides_in(&shape))))
            .collect();
        let of = |k: usize| operands.iter().map(|(list, places)| list[places[k]]).collect();
        let all: Vec<SmallVec<[Element; 3]>> = (0..shape.numel()).map(of).collect();
        let of = (result, shape.numel() == 1);
        all.into_iter().map(|elements| self.single(kind, &elements, of)).collect()
    }

    /// One element of an element-wise operation.
    #[allow(clippy::wildcard_enum_match_arm, reason = "few of a large table")]
    fn single(&mut self, kind: &Kind<T>, args: &[Element], of: (u32, bool)) -> Element {
        if let (Kind::Binary(Arity(op)), &[a, b]) = (kind, args) {
            match (op, a, b) {
                (Binary::Add, ..) => return self.plus(a, b, of),
                (Binary::Sub, _, Element::Zero) => return a,
                (Binary::Zmul | Binary::Zdiv | Binary::Both | Binary::Weigh, Element::Zero, _)
                | (Binary::Both | Binary::Weigh, _, Element::Zero) => return Element::Zero,
                _ => {}
            }
        }
        let args = args.iter().map(|&element| self.value(element)).collect();
        self.compute(kind.clone(), args, of)
    }

    /// The sum of two elements; one that is 0 turns −0 to 0, as it does in an array.
    fn plus(&mut self, a: Element, b: Element, of: (u32, bool)) -> Element {
        let (kind, args) = match (a, b) {
            (Element::Zero, Element::Zero) => return Element::Zero,
            (Element::Zero, Element::Of(x)) | (Element::Of(x), Element::Zero) => {
                (Kind::Unary(Arity(Unary::AddScalar { offset: 0.0 })), smallvec![x])
            }
            (Element::Of(a), Element::Of(b)) => (Kind::Binary(Arity(Binary::Add)), smallvec![a, b]),
        };
        self.compute(kind, args, of)
    }

    /// An element of a value by an operation on others; the value itself, if it is all of it.
    fn compute(&mut self, kind: Kind<T>, args: SmallVec<[u32; 3]>, (of, is_all): (u32, bool)) -> Element {
        let is_scalar = args.iter().all(|&a| self.graph.shape(a).is_empty());
        let shape = if is_scalar { Shape::from([]) } else { Shape::from([1]) };
        let result = if is_all && *self.graph.shape(of) == shape { of } else { self.graph.value_of(shape, of) };
        Element::Of(self.push(kind, args, result))
    }

    fn value(&mut self, element: Element) -> u32 {
        match (element, self.zero) {
            (Element::Of(value), _) | (Element::Zero, Some(value)) => value,
            (Element::Zero, None) => {
                // Whether a number is less than itself: no leaf, which would lie on the tape of whoever takes a step.
                let some = self.some.expect("zeros are put around elements");
                let zero = self.graph.value_like(some);
                self.push(Kind::Binary(Arity(Binary::Less)), smallvec![some, some], zero);
                *self.zero.insert(zero)
            }
        }
    }

    fn push(&mut self, kind: Kind<T>, args: SmallVec<[u32; 3]>, result: u32) -> u32 {
        self.graph.push(kind, &args, result)
    }

    /// Makes a value of another one, in its own shape.
    fn reshape(&mut self, from: u32, to: u32) {
        let shape = self.graph.shape(to).clone();
        self.push(Kind::Reshape(Box::new(Arity(Reshape { shape }))), smallvec![from], to);
    }

    /// An element as something that can be joined.
    fn as_part(&mut self, element: u32) -> u32 {
        if !self.graph.shape(element).is_empty() {
            return element;
        }
        let part = self.graph.value_of(Shape::from([1]), element);
        self.reshape(element, part);
        part
    }

    /// Makes a value of its elements, if it is asked for as a whole.
    fn put_together(&mut self, value: u32) {
        let Some((elements, is_there @ false)) = self.known.get_mut(&value) else { return };
        *is_there = true;
        let elements = elements.clone();
        let args: SmallVec<[u32; 3]> = elements.into_iter().map(|element| self.value(element)).collect();
        if let &[one] = &args[..] {
            return self.reshape(one, value);
        }
        let args: SmallVec<[u32; 3]> = args.into_iter().map(|a| self.as_part(a)).collect();
        let flat = match self.graph.shape(value).rank() {
            1 => value,
            _ => self.graph.value_of(Shape::from([args.len()]), value),
        };
        self.push(Kind::Concat(Concat::along(0)), args, flat);
        if flat != value {
            self.reshape(flat, value);
        }
    }
}
