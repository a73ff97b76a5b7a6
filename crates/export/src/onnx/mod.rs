//! ONNX: a file that runtimes of all languages take.

mod dims;
mod graph;
mod lower;
mod model;

mod proto;

use crate::{Error, Forward, Number};
use graph::Graph;
use lower::Lowering;
use proto::Element;

pub(crate) use model::model;

impl From<Number> for Element {
    fn from(number: Number) -> Self {
        match number {
            Number::F32 => Self::Float,
            Number::F64 => Self::Double,
        }
    }
}

impl Forward {
    /// The bytes of a file of ONNX (version 8 of the format, 17 of the operators). Sizes that go with the batch are named `batch`; integers
    /// are of 64 bits. `arcsin`, `arccos`, `arctan` and the error function are computed in 32 bits there.
    ///
    /// # Errors
    /// Where an operation has no counterpart, or what is recorded goes with the size of the batch otherwise than by its shapes.
    pub fn onnx(&self, number: Number) -> Result<Vec<u8>, Error> {
        let mut graph = Graph::default();
        let element = Element::from(number);
        graph.reserve(self.one().outputs.iter().map(|port| &port.name[..]));
        let mut lowering = Lowering::new(self, element)?;
        for place in 0..self.one().inputs.len() {
            lowering.input(&mut graph, place);
        }
        lowering.run(&mut graph)?;
        for (name, value, sizes) in lowering.outputs() {
            graph.output(&name, &value, element, &sizes);
        }
        Ok(graph.finish("forward", "A forward pass.", &[]))
    }
}
