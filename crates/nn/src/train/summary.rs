//! What a model is made of.

use autograd::{Float, Shape, Tensor, Tree};
use std::fmt;

/// A tensor of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Its path, such as `layers.0.weight`.
    pub path: String,
    /// Its shape.
    pub shape: Shape,
    /// Its number of elements.
    pub parameters: usize,
    /// Their share of all; 0 where there are none.
    pub share: f64,
}

/// The tensors of a model, in order. Displayed, a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// A part for each tensor.
    pub parts: Vec<Part>,
    /// The number of all elements.
    pub parameters: usize,
    /// The bytes that they take in memory.
    pub bytes: usize,
}

/// What a model is made of: paths, shapes, and numbers of parameters.
///
/// ```
/// use nn::train::summary;
/// use nn::{Activation, Mlp};
/// let net = Mlp::<autograd::Tensor>::new(&[4, 16, 3], Activation::Relu, 0);
/// let summary = summary(&net);
/// assert_eq!((summary.parameters, summary.bytes), (131, 1048));
/// assert_eq!((&summary.parts[1].path[..], summary.parts[1].parameters), ("layers.0.bias", 16));
/// assert!(summary.to_string().ends_with("  131  1048 bytes\n"));
/// ```
pub fn summary<T: Float>(model: &(impl Tree<Leaf = Tensor<T>> + ?Sized)) -> Summary {
    let leaves = model.leaves();
    let parameters: usize = leaves.iter().map(|leaf| leaf.numel()).sum();
    let part = |(leaf, path): (&Tensor<T>, String)| Part {
        path,
        shape: leaf.shape().clone(),
        parameters: leaf.numel(),
        share: if parameters == 0 { 0.0 } else { leaf.numel() as f64 / parameters as f64 },
    };
    let parts = leaves.into_iter().zip(model.names()).map(part).collect();
    Summary { parts, parameters, bytes: parameters * size_of::<T>() }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shapes: Vec<String> = self.parts.iter().map(|part| part.shape.to_string()).collect();
        let wide = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
        let path = wide(&mut self.parts.iter().map(|part| part.path.chars().count())).max("total".len());
        let shape = wide(&mut shapes.iter().map(String::len));
        let count = self.parameters.to_string().len();
        for (part, shown) in self.parts.iter().zip(&shapes) {
            let Part { path: name, parameters, share, .. } = part;
            writeln!(f, "{name:path$}  {shown:shape$}  {parameters:>count$}  {:5.1} %", 100.0 * share)?;
        }
        writeln!(f, "{:path$}  {:shape$}  {:>count$}  {} bytes", "total", "", self.parameters, self.bytes)
    }
}
