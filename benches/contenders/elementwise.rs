//! The element-wise workload on the tape and recorded; the points are to both what parameters are to a net.

use crate::closed::number::Number;
use crate::contenders::Contender;
use autograd::{Float, Program, Tape, Tensor, Var, grad};

/// The mean of `σ(x)·tanh x + e^(−x²)`, as a user writes it.
fn loss<T: Float>(x: Var<'_, T>) -> Var<'_, T> {
    (x.sigmoid() * x.tanh() + (-x.square()).exp()).mean()
}

/// Recorded, differentiated and computed anew each time.
pub(crate) struct Eager<T: Float> {
    tape: Tape<T>,
    x: Tensor<T>,
    dx: Option<Tensor<T>>,
}

impl<T: Number> Eager<T> {
    /// At these points.
    pub(crate) fn new(x: &[T]) -> Self {
        Self { tape: Tape::default(), x: Tensor::new([x.len()], x.to_vec()), dx: None }
    }
}

impl<T: Number> Contender<T> for Eager<T> {
    fn loss_and_grads(&mut self) -> T {
        let (y, dx) = self.tape.value_and_grad(&self.x, |_, x| loss(x));
        self.dx = Some(dx);
        y
    }

    fn grads(&mut self) -> Vec<T> {
        self.dx.as_ref().expect("loss_and_grads ran before").to_vec()
    }
}

/// Recorded once.
pub(crate) struct Replay<T: Float>(Program<T>);

impl<T: Number> Replay<T> {
    /// At these points.
    pub(crate) fn new(x: &[T]) -> Self {
        let x = Tensor::new([x.len()], x.to_vec());
        let program = Program::record(&x, &(), |_: &Tape<T>, x, ()| {
            let y = loss(x);
            (vec![], vec![y, grad(y, &x)])
        });
        Self(program.expect("an element-wise function has no branches"))
    }
}

impl<T: Number> Contender<T> for Replay<T> {
    fn loss_and_grads(&mut self) -> T {
        self.0.run(&()).expect("there are no inputs").item(0)
    }

    fn grads(&mut self) -> Vec<T> {
        self.0.run(&()).expect("there are no inputs").slice(1).to_vec()
    }
}
