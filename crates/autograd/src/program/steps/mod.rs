//! What runs: steps on numbered buffers.

pub(super) mod fused;

use super::graph::Graph;
use super::layout::Layout;
use super::memory::Places;
use super::operation::{Fused, HiddenLayer};
use crate::float::Float;
use crate::kernels::group::Group;
use crate::kernels::map::copy;
use crate::kernels::perceptron::Planned;
use crate::kernels::place::{Base, Spot};
use crate::ops::table::Kind;
use crate::tape::op::{View, ViewMut, eval};
use crate::tensor::error::Error;
use crate::tensor::shape::Shape;
use fused::FusedStep;
use smallvec::SmallVec;
use std::fmt;
use std::panic::Location;

/// A value in a buffer, from an element of it on.
#[derive(Clone, Debug)]
pub(super) struct Operand {
    pub(super) buffer: usize,
    start: usize,
    pub(super) len: usize,
    pub(super) shape: Shape,
}

impl Operand {
    /// That of a value of a graph.
    pub(super) fn new<T: Float>(graph: &Graph<T>, places: &Places, value: u32) -> Self {
        let (shape, Spot { buffer, start }) = (graph.shape(value).clone(), places.spot(value));
        Self { buffer: buffer as usize, start: start as usize, len: shape.numel(), shape }
    }

    /// Its elements.
    pub(super) fn of<'b, T>(&self, buffers: &'b [Vec<T>]) -> &'b [T] {
        &buffers[self.buffer][self.start..][..self.len]
    }

    /// Its elements, to write.
    pub(super) fn of_mut<'b, T>(&self, buffers: &'b mut [Vec<T>]) -> &'b mut [T] {
        &mut buffers[self.buffer][self.start..][..self.len]
    }

    /// Where it begins.
    pub(super) fn spot(&self) -> Spot {
        Spot { buffer: self.buffer as u32, start: self.start as u32 }
    }

    /// Whether it is where another one is.
    pub(super) fn is_at(&self, other: &Self) -> bool {
        self.spot() == other.spot()
    }
}

impl fmt::Display for Operand {
    /// As a listing shows it: its buffer, and the element that it begins with where that is not the first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b{}", self.buffer)?;
        if self.start > 0 {
            write!(f, "+{}", self.start)?;
        }
        write!(f, " {}", self.shape)
    }
}

/// Operands as a listing shows them.
pub(super) fn list<'o>(operands: impl IntoIterator<Item = &'o Operand>) -> String {
    let shown: Vec<String> = operands.into_iter().map(Operand::to_string).collect();
    shown.join(", ")
}

/// One thing to do.
#[derive(Clone)]
pub(super) enum Step<T: Float> {
    /// An operation by its own kernel.
    Op(Box<OpStep<T>>),
    /// Operations that are computed together.
    Fused(Box<FusedStep>),
    /// A step of a net of one hidden layer.
    HiddenLayer(Box<(Planned<T>, Listed)>),
    /// What our own kernels do, one after the other; what that is is for the listing.
    Group(Box<(Group<T>, Vec<Listed>)>),
    /// A value that stands for itself in two places.
    Copy(Box<[Operand; 2]>),
}

/// An operation on its operands, recorded at a line.
#[derive(Clone)]
pub(super) struct OpStep<T: Float> {
    pub(super) kind: Kind<T>,
    pub(super) args: SmallVec<[Operand; 3]>,
    pub(super) result: Operand,
    pub(super) location: &'static Location<'static>,
}

/// What a task does, for the listing.
#[derive(Clone)]
pub(super) struct Listed {
    pub(super) what: What,
    pub(super) operands: SmallVec<[Operand; 3]>,
    pub(super) results: SmallVec<[Operand; 2]>,
}

#[derive(Clone)]
pub(super) enum What {
    Fused(Fused),
    HiddenLayer(HiddenLayer),
    /// An operation along rows, by its name.
    Rows(&'static str),
    /// Operations, and how their operands lie.
    Chain {
        names: Vec<&'static str>,
        layouts: Vec<Layout>,
    },
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, operands, results } = self;
        write!(f, "{} = ", list(results))?;
        match what {
            What::Fused(fused) => write!(f, "{}({})", fused.name(), list(operands)),
            What::HiddenLayer(net) => write!(f, "{}({})", net.name(), list(operands)),
            What::Rows(name) => write!(f, "{name}({})", list(operands)),
            What::Chain { names, layouts } => {
                let laid = operands.iter().zip(layouts);
                let laid: Vec<String> = laid.map(|(o, layout)| format!("{o} {layout:?}")).collect();
                write!(f, "chain {} over ({})", names.join(" · "), laid.join(", "))
            }
        }
    }
}

impl<T: Float> Step<T> {
    /// # Errors
    /// Where there is no memory that an operation needs for itself.
    pub(super) fn run(&self, buffers: &mut [Vec<T>], bases: &mut [Base<T>]) -> Result<(), Error> {
        match self {
            Self::HiddenLayer(net) => T::run_net(&net.0, buffers),
            Self::Group(group) => T::run_group(&group.0, buffers, bases),
            Self::Op(op) => return op.run(buffers),
            Self::Fused(fused) => fused.run(buffers),
            Self::Copy(places) => {
                let [from, result] = &**places;
                into(buffers, result, |buffers, data| copy(from.of(buffers), data));
            }
        }
        Ok(())
    }

    /// The bases that it needs.
    pub(super) fn bases(&self) -> usize {
        if let Self::Group(group) = self { group.0.bases() } else { 0 }
    }
}

impl<T: Float> OpStep<T> {
    fn run(&self, buffers: &mut [Vec<T>]) -> Result<(), Error> {
        let Self { kind, args, result, location } = self;
        let op = kind.op().expect("steps are operations");
        let done = into(buffers, result, |buffers, data| {
            let view = |k: usize| View { shape: &args[k].shape, data: args[k].of(buffers) };
            eval(op, args.len(), view, ViewMut { shape: &result.shape, data })
        });
        done.map_err(|memory| {
            let shapes = args.iter().map(|arg| arg.shape.clone()).collect();
            Error::new(op.name(), memory.for_shape(&result.shape), shapes, location)
        })
    }
}

impl<T: Float> fmt::Display for Step<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Op(op) => writeln!(f, "{} = {}({})", list([&op.result]), op.kind.name(), list(&op.args)),
            Self::Fused(fused) => writeln!(f, "{fused}"),
            Self::HiddenLayer(net) => writeln!(f, "{}", net.1),
            Self::Group(group) => {
                if let [one] = &group.1[..] {
                    return writeln!(f, "{one}");
                }
                writeln!(f, "{}", group.0)?;
                group.1.iter().try_for_each(|step| writeln!(f, "  {step}"))
            }
            Self::Copy(copy) => writeln!(f, "{} = copy(b{})", list([&copy[1]]), copy[0].buffer),
        }
    }
}

/// A buffer taken out of the list, and put back at the end, also where a panic passes.
struct Taken<'b, T> {
    buffers: &'b mut [Vec<T>],
    place: usize,
    buffer: Vec<T>,
}

impl<T> Drop for Taken<'_, T> {
    fn drop(&mut self) {
        std::mem::swap(&mut self.buffers[self.place], &mut self.buffer);
    }
}

/// Gives a function a result's elements to write, and the buffers to read, where the result's own is missing meanwhile.
fn into<T, R>(buffers: &mut [Vec<T>], result: &Operand, f: impl FnOnce(&mut [Vec<T>], &mut [T]) -> R) -> R {
    let buffer = std::mem::take(&mut buffers[result.buffer]);
    let mut taken = Taken { buffers, place: result.buffer, buffer };
    f(&mut *taken.buffers, &mut taken.buffer[result.start..][..result.len])
}
