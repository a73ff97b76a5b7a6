//! dfdx: its modules with sizes known when they are compiled, its cross-entropy, its SGD.

use dfdx::losses::cross_entropy_with_logits_loss;
use dfdx::optim::{Optimizer, Sgd, SgdConfig};
use dfdx::prelude::*;
use peer_common::{ELEMENTS, Problem, Session, elements, problems};

/// The type of a number, and one row for each workload: batch, features, classes, the net, its affine layers.
macro_rules! train {
    ($session:ident, $t:ident, $($workload:literal: $batch:literal, $features:literal, $classes:literal,
     $net:ty, [$($layer:tt),*];)*) => {
        for problem in problems::<$t>() {
            match problem.name {
                $($workload => {
                    let device = Cpu::default();
                    let mut net = device.build_module::<$net, $t>();
                    let mut parameters = problem.shapes().zip(&problem.layers);
                    $(
                        let (shape, (w, b)) = parameters.next().expect("a net has as many layers as its problem");
                        net.$layer.weight.copy_from(&transposed(w, shape));
                        net.$layer.bias.copy_from(b);
                    )*
                    let x: Tensor<Rank2<$batch, $features>, $t, Cpu> = device.tensor(problem.x.clone());
                    let targets: Tensor<Rank2<$batch, $classes>, $t, Cpu> = device.tensor(one_hot(&problem, $classes));
                    let mut sgd = Sgd::new(&net, SgdConfig { lr: problem.rate, momentum: None, weight_decay: None });
                    let mut spare = Some(net.alloc_grads());
                    $session.train(&problem, || {
                        let spent = spare.take().expect("each step gives its gradients back");
                        let scores = net.forward(x.clone().traced(spent));
                        let loss = cross_entropy_with_logits_loss(scores, targets.clone());
                        let value = f64::from(loss.array());
                        let mut gradients = loss.backward();
                        sgd.update(&mut net, &gradients).expect("every parameter has a gradient");
                        net.zero_grads(&mut gradients);
                        spare = Some(gradients);
                        value
                    });
                })*
                name => eprintln!("dfdx has no net for {name}"),
            }
        }
    };
}

/// All workloads in one type.
macro_rules! train_all {
    ($session:ident, $t:ident) => {
        train!($session, $t,
            "toy": 5, 4, 3, (Linear<4, 10>, ReLU, Linear<10, 3>), [0, 2];
            "spiral": 300, 2, 3, (Linear<2, 100>, ReLU, Linear<100, 3>), [0, 2];
            "digits": 32, 64, 10, (Linear<64, 32>, ReLU, Linear<32, 10>), [0, 2];
            "mnist": 128, 784, 10, (Linear<784, 256>, ReLU, Linear<256, 10>), [0, 2];
            "large": 512, 784, 10,
                (Linear<784, 1024>, ReLU, Linear<1024, 1024>, ReLU, Linear<1024, 10>), [0, 2, 4];
        );
        let x: Tensor<(usize,), $t, Cpu> = Cpu::default().tensor_from_vec(elements::<$t>(), (ELEMENTS,));
        let run = |x: &mut Tensor<(usize,), $t, Cpu>| {
            let y = map(x.leaky_trace()).mean();
            (f64::from(y.array()), y.backward())
        };
        $session.gradient(x, run, |x, (y, gradients)| (y, gradients.get(x).as_vec()));
    };
}

fn main() {
    let session = Session::of_crate("dfdx", "dfdx");
    train_all!(session, f32);
    train_all!(session, f64);
    let x = Cpu::default().tensor_from_vec(elements::<f32>(), (ELEMENTS,));
    session.map(x, |x| map(x.clone()), |_, y| y.as_vec());
}

/// dfdx stores a weight as `[out, in]`.
fn transposed<T: Copy>(w: &[T], [inputs, outputs]: [usize; 2]) -> Vec<T> {
    (0..outputs).flat_map(|o| (0..inputs).map(move |i| w[i * outputs + o])).collect()
}

/// dfdx's loss takes probabilities.
fn one_hot<T: From<u8>>(problem: &Problem<T>, classes: usize) -> Vec<T> {
    let row = |label: usize| (0..classes).map(move |class| T::from(u8::from(class == label)));
    problem.labels.iter().flat_map(|&label| row(label)).collect()
}

fn map<E: Dtype, T: Tape<E, Cpu> + Merge<T>>(x: Tensor<(usize,), E, Cpu, T>) -> Tensor<(usize,), E, Cpu, T>
where
    Cpu: Device<E>,
{
    x.with_empty_tape().sigmoid() * x.with_empty_tape().tanh() + x.square().negate().exp()
}
