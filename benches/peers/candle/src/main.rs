//! candle: its tensors, its cross-entropy, its SGD.

use candle_core::{DType, Device, Result, Tensor, Var, WithDType};
use candle_nn::{Optimizer, SGD, loss::cross_entropy, ops::sigmoid};
use peer_common::{ELEMENTS, Number, Problem, Session, elements, problems};

const EXPECT: &str = "the shapes fit";

fn main() -> Result<()> {
    let session = Session::of_crate("candle", "candle-core");
    train::<f32>(&session)?;
    train::<f64>(&session)?;
    let x = Tensor::from_vec(elements::<f32>(), ELEMENTS, &Device::Cpu)?;
    session.map(x, |x| map(x).expect(EXPECT), |_, y| y.to_vec1().expect(EXPECT));
    Ok(())
}

fn train<T: Number + WithDType>(session: &Session) -> Result<()> {
    for problem in problems::<T>() {
        let mut net = Net::new(&problem)?;
        session.train(&problem, || net.step().expect(EXPECT));
    }
    let x = Var::from_vec(elements::<T>(), ELEMENTS, &Device::Cpu)?;
    let read = |(y, dx): (f64, Tensor)| (y, dx.to_vec1::<T>().expect(EXPECT));
    session.gradient(x, |x| mean_and_gradient(x).expect(EXPECT), |_, both| read(both));
    Ok(())
}

/// A net with its batch and its optimiser.
struct Net {
    x: Tensor,
    labels: Tensor,
    layers: Vec<(Var, Var)>,
    sgd: SGD,
}

impl Net {
    fn new<T: Number + WithDType>(problem: &Problem<T>) -> Result<Self> {
        let var = |numbers: &[T], shape: &[usize]| Var::from_slice(numbers, shape, &Device::Cpu);
        let layer = |([inputs, outputs], (w, b)): ([usize; 2], &(Vec<T>, Vec<T>))| {
            Ok((var(w, &[inputs, outputs])?, var(b, &[outputs])?))
        };
        let layers: Vec<(Var, Var)> = problem.shapes().zip(&problem.layers).map(layer).collect::<Result<_>>()?;
        let vars = layers.iter().flat_map(|(w, b)| [w.clone(), b.clone()]).collect();
        let labels = problem.labels.iter().map(|&label| label as u32).collect();
        Ok(Self {
            x: Tensor::from_slice(&problem.x, (problem.batch, problem.sizes[0]), &Device::Cpu)?,
            labels: Tensor::from_vec(labels, problem.batch, &Device::Cpu)?,
            layers,
            sgd: SGD::new(vars, problem.rate)?,
        })
    }

    fn step(&mut self) -> Result<f64> {
        let mut o = self.x.clone();
        for (l, (w, b)) in self.layers.iter().enumerate() {
            let z = o.matmul(w)?.broadcast_add(b)?;
            o = if l + 1 < self.layers.len() { z.relu()? } else { z };
        }
        let loss = cross_entropy(&o, &self.labels)?;
        self.sgd.backward_step(&loss)?;
        loss.to_dtype(DType::F64)?.to_scalar()
    }
}

fn mean_and_gradient(x: &Tensor) -> Result<(f64, Tensor)> {
    let y = map(x)?.mean_all()?;
    let dx = y.backward()?.remove(x).expect("the mean depends on the elements");
    Ok((y.to_dtype(DType::F64)?.to_scalar()?, dx))
}

fn map(x: &Tensor) -> Result<Tensor> {
    (sigmoid(x)? * x.tanh()?)? + x.sqr()?.neg()?.exp()?
}
