//! The toy data and parameters of CS231n (2016, assignment 1), with reference values for everything derived from them.
//!
//! The arrays are those of NumPy's legacy generator: seed 0 for `W1` and `W2` (`0.1 · randn`, biases 0), seed 1 for `X`
//! (`10 · randn`). The reference values come from NumPy's closed form and from JAX in `f64`, which agree to `1e-12`.

use crate::activation::Activation;
use crate::error::Error;
use crate::sizes::Sizes;
use crate::toy::{Forward, Gradients, Toy};
use autograd::Tensor;
use serde_json::Value;

const EMBEDDED: &str = include_str!("../data/cs231n_toy.json");

/// The published network and examples, with reference values.
#[derive(Clone, Debug)]
pub struct Published {
    /// The parameters, with `f` = `ReLU`.
    pub net: Toy<Tensor>,
    /// `X`, `[5, 4]`.
    pub x: Tensor,
    /// `y`, 5 labels in `0..3`.
    pub labels: Vec<usize>,
    /// The forward pass; `L` is the sum.
    pub forward: Forward<Tensor>,
    /// The mean of `L_i`.
    pub loss_mean: f64,
    /// The gradients of the sum.
    pub grad_sum: Gradients<Tensor>,
    /// The gradients of the mean.
    pub grad_mean: Gradients<Tensor>,
    /// Eq. 1.1, `[5]`.
    pub dl_do2_at_label: Tensor,
    /// The Jacobian of the softmax, `[5, 3, 3]`.
    pub do2_ds: Tensor,
    /// The Gradient Equation for each example, `[5, 10, 3]`.
    pub dl_i_dw2: Tensor,
    /// `d²L_i/dS[i]²`, `[5, 3, 3]`.
    pub d2l_ds2: Tensor,
    /// `d²L/dW2²`, `[30, 30]`, `W2` row-major.
    pub d2l_dw2: Tensor,
    /// The scores as the assignment prints them, to 8 decimals.
    pub printed_scores: Tensor,
    /// The loss as the assignment prints it, to 11 decimals: `mean L_i + 0.05 · (Σ W1² + Σ W2²)`.
    pub printed_loss: f64,
    /// 100 steps of gradient descent.
    pub trajectory: Trajectory,
}

/// Full-batch gradient descent at rate 0.1 on `mean L_i + 0.5e-5 · (Σ W1² + Σ W2²)`.
#[derive(Clone, Debug)]
pub struct Trajectory {
    /// The loss before each of the 100 updates, and after the last: 101 values.
    pub losses: Vec<f64>,
    /// The parameters after the last update.
    pub net: Toy<Tensor>,
}

impl Published {
    /// The data that comes with this crate.
    ///
    /// ```
    /// use softmax_net::published::Published;
    /// assert_eq!(Published::embedded().labels, [0, 1, 2, 2, 1]);
    /// ```
    pub fn embedded() -> Self {
        Self::from_json(EMBEDDED).expect("the embedded data has all fields")
    }

    /// Data of the same form from JSON text.
    ///
    /// # Errors
    /// Where the text is not JSON, or a field is missing, ragged or no number; where shapes or labels do not fit.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let root: Value = serde_json::from_str(text)?;
        let top = Fields { value: &root, path: "" };
        let published = Self {
            net: top.net()?,
            x: top.tensor("X")?,
            labels: top.labels("y")?,
            forward: Forward {
                z1: top.tensor("Z1")?,
                o1: top.tensor("O1")?,
                s: top.tensor("S")?,
                u: top.tensor("U")?,
                o2: top.tensor("O2")?,
                l_i: top.tensor("L_i")?,
                l: top.tensor("loss_sum")?,
            },
            loss_mean: top.number("loss_mean")?,
            grad_sum: top.inner("grad_sum").gradients()?,
            grad_mean: top.inner("grad_mean").gradients()?,
            dl_do2_at_label: top.tensor("dL_i_dO2_at_label")?,
            do2_ds: top.tensor("dO2_dS")?,
            dl_i_dw2: top.tensor("dL_i_dW2")?,
            d2l_ds2: top.tensor("hessian_L_i_S")?,
            d2l_dw2: top.tensor("hessian_sum_W2")?,
            printed_scores: top.inner("published").tensor("scores")?,
            printed_loss: top.inner("published").number("loss")?,
            trajectory: Trajectory {
                losses: top.inner("trajectory").tensor("losses")?.to_vec(),
                net: top.inner("trajectory").net()?,
            },
        };
        Sizes::of(&published.net.shapes(), published.x.shape(), &published.labels)?;
        Ok(published)
    }

    /// `N = 5`, `D = 4`, `H = 10`, `K = 3`.
    pub fn sizes(&self) -> Sizes {
        Sizes::of(&self.net.shapes(), self.x.shape(), &self.labels).expect("reading the data has checked the shapes")
    }
}

/// A JSON object, and its place in the document.
struct Fields<'a> {
    value: &'a Value,
    path: &'a str,
}

impl<'a> Fields<'a> {
    fn inner(&self, name: &'a str) -> Fields<'a> {
        Fields { value: &self.value[name], path: name }
    }

    fn error(&self, name: &str, expected: &str) -> Error {
        let field = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        Error::Field { field, expected: expected.to_owned() }
    }

    fn number(&self, name: &str) -> Result<f64, Error> {
        self.value[name].as_f64().ok_or_else(|| self.error(name, "a number"))
    }

    fn labels(&self, name: &str) -> Result<Vec<usize>, Error> {
        let labels = self.value[name].as_array().and_then(|labels| {
            labels.iter().map(|label| label.as_u64().and_then(|label| usize::try_from(label).ok())).collect()
        });
        labels.ok_or_else(|| self.error(name, "a list of integers from 0"))
    }

    fn tensor(&self, name: &str) -> Result<Tensor, Error> {
        read(&self.value[name]).ok_or_else(|| self.error(name, "a rectangular array of numbers"))
    }

    fn net(&self) -> Result<Toy<Tensor>, Error> {
        let [w1, b1, w2, b2] = ["W1", "b1", "W2", "b2"].map(|name| self.tensor(name));
        Toy::try_new(w1?, b1?, w2?, b2?, Activation::Relu)
    }

    fn gradients(&self) -> Result<Gradients<Tensor>, Error> {
        Ok(Gradients {
            s: self.tensor("dS")?,
            o1: self.tensor("dO1")?,
            z1: self.tensor("dZ1")?,
            w1: self.tensor("dW1")?,
            b1: self.tensor("db1")?,
            w2: self.tensor("dW2")?,
            b2: self.tensor("db2")?,
            x: self.tensor("dX")?,
        })
    }
}

/// A number, or a list of arrays of one shape.
fn read(value: &Value) -> Option<Tensor> {
    let Value::Array(items) = value else { return value.as_f64().map(Tensor::scalar) };
    let items = items.iter().map(read).collect::<Option<Vec<_>>>()?;
    let inner = items.first().map_or(vec![], |first| first.shape().to_vec());
    if items.iter().any(|item| item.shape()[..] != inner[..]) {
        return None;
    }
    let shape: Vec<usize> = [items.len()].into_iter().chain(inner).collect();
    Some(Tensor::new(shape, items.iter().flat_map(Tensor::to_vec).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_is_missing_ragged_or_no_number_is_named() {
        let with = |name: &str, value: &str| {
            let mut root: Value = serde_json::from_str(EMBEDDED).unwrap();
            root[name] = serde_json::from_str(value).unwrap();
            Published::from_json(&root.to_string()).unwrap_err().to_string()
        };
        assert_eq!(with("Z1", "[[1.0, 2.0], [3.0]]"), "field Z1 must be a rectangular array of numbers");
        assert_eq!(with("grad_sum", "{}"), "field grad_sum.dS must be a rectangular array of numbers");
        assert_eq!(with("loss_mean", "\"low\""), "field loss_mean must be a number");
        assert_eq!(with("y", "[0, 1, 2, 2, -1]"), "field y must be a list of integers from 0");
        assert_eq!(with("y", "[0, 1, 2, 2, 3]"), "label 3 of example 4 is out of range for 3 classes");
        assert_eq!(with("b1", "[0.0]"), "b1 must have shape [10], it has [1]");
        assert_eq!(Published::from_json("{").unwrap_err().to_string(), "the data is not JSON");
    }
}
