//! burn, on its CPU backend flex with its automatic differentiation.

use burn::tensor::activation::{log_softmax, relu, sigmoid};
use burn::tensor::module::linear;
use burn::tensor::{DType, Device, Element, Int, Tensor, TensorData};
use peer_common::{ELEMENTS, Number, Problem, Session, elements, problems};

fn main() {
    let session = Session::of_crate("burn", "burn");
    train::<f32>(&session, DType::F32);
    train::<f64>(&session, DType::F64);
    let x = Tensor::<1>::from_data(elements::<f32>().as_slice(), &Device::flex());
    session.map(x, |x| map(x), |_, y| y.into_data().try_to_vec().expect("the elements are of f32"));
}

fn train<T: Number + Element>(session: &Session, dtype: DType) {
    for problem in problems::<T>() {
        let mut net = Net::new(&problem, dtype);
        session.train(&problem, || net.step());
    }
    let numbers = TensorData::new(elements::<T>(), [ELEMENTS]);
    let x = Tensor::<1>::from_data(numbers, (&Device::flex().autodiff(), dtype)).require_grad();
    let run = |x: &mut Tensor<1>| {
        let y = map(x).mean();
        let dx = x.grad_remove(&mut y.backward()).expect("the mean depends on the elements");
        (y.into_scalar::<f64>(), dx)
    };
    session.gradient(x, run, |_, (y, dx)| (y, dx.into_data().try_to_vec::<T>().expect("the slopes have the type")));
}

/// A net with its batch.
struct Net {
    x: Tensor<2>,
    labels: Tensor<2, Int>,
    layers: Vec<(Tensor<2>, Tensor<1>)>,
    rate: f64,
}

impl Net {
    fn new<T: Number + Element>(problem: &Problem<T>, dtype: DType) -> Self {
        let device = Device::flex().autodiff();
        let matrix = |numbers: &[T], shape: [usize; 2]| {
            Tensor::<2>::from_data(TensorData::new(numbers.to_vec(), shape), (&device, dtype))
        };
        let layer = |(shape, (w, b)): ([usize; 2], &(Vec<T>, Vec<T>))| {
            let bias = TensorData::new(b.clone(), [shape[1]]);
            (matrix(w, shape).require_grad(), Tensor::from_data(bias, (&device, dtype)).require_grad())
        };
        let labels: Vec<i64> = problem.labels.iter().map(|&label| label as i64).collect();
        Self {
            x: matrix(&problem.x, [problem.batch, problem.sizes[0]]),
            labels: Tensor::from_data(TensorData::new(labels, [problem.batch, 1]), &device),
            layers: problem.shapes().zip(&problem.layers).map(layer).collect(),
            rate: problem.rate,
        }
    }

    fn step(&mut self) -> f64 {
        let mut o = self.x.clone();
        for (l, (w, b)) in self.layers.iter().enumerate() {
            let z = linear(o, w.clone(), Some(b.clone()));
            o = if l + 1 < self.layers.len() { relu(z) } else { z };
        }
        // What burn's CrossEntropyLoss computes, without its look at whether the labels are in range.
        let loss = log_softmax(o, 1).gather(1, self.labels.clone()).mean().neg();
        let mut grads = loss.backward();
        for (w, b) in &mut self.layers {
            let expect = "every parameter has a gradient";
            let (dw, db) = (w.grad_remove(&mut grads).expect(expect), b.grad_remove(&mut grads).expect(expect));
            *w = (w.clone().inner() - dw * self.rate).autodiff().require_grad();
            *b = (b.clone().inner() - db * self.rate).autodiff().require_grad();
        }
        loss.into_scalar::<f64>()
    }
}

fn map(x: &Tensor<1>) -> Tensor<1> {
    sigmoid(x.clone()) * x.clone().tanh() + x.clone().square().neg().exp()
}
