//! The training loop.

use super::guard::{Diverged, NanGuard};
use crate::data::{Batcher, Dataset, Target, empty_batch};
use crate::optim::Optimiser;
use autograd::{Float, Tape, Tensor, Tree, Var};

/// A training loop: it deals out batches, records the loss of each on a tape that it reuses, and lets an optimiser
/// step. The model is any [`Tree`] of tensors, the loss a function of its variables, a batch `[n, d]` and `n` labels.
///
/// [`Trainer::fit`] runs several epochs in one call; a loop over [`Trainer::epoch`] has the model and the optimiser in
/// its hands between two epochs, to validate, to change the rate, or to stop.
///
/// ```
/// use autograd::{Tensor, Var};
/// use nn::{Dataset, Sgd, Trainer};
/// let classes = ["below", "above"].map(String::from).to_vec();
/// let data = Dataset::new(Tensor::from_rows([[-2.0], [-1.0], [1.0], [2.0]]), vec![0, 0, 1, 1], classes);
///
/// let mut weight = Tensor::from_rows([[0.0, 0.0]]); // a model of one leaf
/// let mut trainer = Trainer::new(2, 0);
/// let mut losses = Vec::new();
/// trainer.fit(10, &mut weight, &mut Sgd::new(1.0), &data,
///     |w, x, labels| x.matmul(*w).cross_entropy(labels),
///     |_epoch, loss| losses.push(loss),
/// )?;
/// assert!(losses[0] < 2_f64.ln() && losses[9] < 0.1);
/// # Ok::<(), nn::train::Diverged>(())
/// ```
pub struct Trainer<T: Float = f64> {
    /// How many examples a step sees.
    pub batch_size: usize,
    /// Decides the order of the examples.
    pub seed: u64,
    /// The number of epochs done.
    pub epochs: u32,
    tape: Tape<T>,
}

impl<T: Float> Trainer<T> {
    /// A training loop with batches of this size, in an order from a seed.
    pub fn new(batch_size: usize, seed: u64) -> Self {
        Self { batch_size, seed, epochs: 0, tape: Tape::default() }
    }

    /// Trains for one epoch, in which each example comes once, and returns the mean loss of the examples, each taken
    /// before the step that its batch led to.
    ///
    /// The loss is `loss(net, x, labels)`, the mean over the batch.
    ///
    /// # Errors
    /// Where a loss is not finite. The model then has the last weights whose loss was finite, and the error tells the batch, its rows,
    /// and the operation that it came from.
    ///
    /// # Panics
    /// Where the batch size is 0, there are no examples, their target is not classes, or the loss is not one number.
    #[track_caller]
    pub fn epoch<P>(
        &mut self,
        model: &mut P,
        optimiser: &mut impl Optimiser<T>,
        data: &Dataset<T>,
        mut loss: impl for<'t> FnMut(&P::With<Var<'t, T>>, Var<'t, T>, &[usize]) -> Var<'t, T>,
    ) -> Result<f64, Diverged>
    where
        P: Tree<Leaf = Tensor<T>, With<Tensor<T>> = P>,
    {
        self.pass("Trainer::epoch", model, optimiser, data, |net, x, labels| (loss(net, x, labels), []), |[], _| ())
    }

    /// As [`Trainer::epoch`], of a loss that gives more values beside itself, such as scores: each batch's, and its labels, go
    /// to a function, once they are computed.
    ///
    /// ```
    /// use autograd::Tensor;
    /// use nn::{Dataset, Sgd, Trainer, accuracy};
    /// let classes = ["below", "above"].map(String::from).to_vec();
    /// let data = Dataset::new(Tensor::from_rows([[-2.0], [-1.0], [1.0], [2.0]]), vec![0, 0, 1, 1], classes);
    /// let mut weight = Tensor::from_rows([[-0.1, 0.1]]);
    /// let mut right = 0.0;
    /// Trainer::new(2, 0).epoch_with(&mut weight, &mut Sgd::new(1.0), &data,
    ///     |w, x, labels| { let scores = x.matmul(*w); (scores.cross_entropy(labels), [scores]) },
    ///     |[scores], labels| right += accuracy(&scores, labels) * labels.len() as f64,
    /// )?;
    /// assert_eq!(right, 4.0);
    /// # Ok::<(), nn::train::Diverged>(())
    /// ```
    ///
    /// # Errors
    /// As [`Trainer::epoch`].
    ///
    /// # Panics
    /// As [`Trainer::epoch`].
    #[track_caller]
    pub fn epoch_with<P, const N: usize>(
        &mut self,
        model: &mut P,
        optimiser: &mut impl Optimiser<T>,
        data: &Dataset<T>,
        loss: impl for<'t> FnMut(&P::With<Var<'t, T>>, Var<'t, T>, &[usize]) -> (Var<'t, T>, [Var<'t, T>; N]),
        each: impl FnMut([Tensor<T>; N], &[usize]),
    ) -> Result<f64, Diverged>
    where
        P: Tree<Leaf = Tensor<T>, With<Tensor<T>> = P>,
    {
        self.pass("Trainer::epoch_with", model, optimiser, data, loss, each)
    }

    /// One epoch of a function, which errors name.
    #[track_caller]
    fn pass<P, const N: usize>(
        &mut self,
        function: &str,
        model: &mut P,
        optimiser: &mut impl Optimiser<T>,
        data: &Dataset<T>,
        mut loss: impl for<'t> FnMut(&P::With<Var<'t, T>>, Var<'t, T>, &[usize]) -> (Var<'t, T>, [Var<'t, T>; N]),
        mut each: impl FnMut([Tensor<T>; N], &[usize]),
    ) -> Result<f64, Diverged>
    where
        P: Tree<Leaf = Tensor<T>, With<Tensor<T>> = P>,
    {
        assert!(self.batch_size > 0, "{function}: batches of 1 example or more are needed, not of 0");
        assert!(!data.is_empty(), "{function}: there are no examples");
        data.of_classes(function);
        let mut source = Batcher::new(data, self.batch_size, self.seed);
        source.arrange(self.epochs);
        let (mut batch, mut guard, mut total, mut count) = (empty_batch(), NanGuard::default(), 0.0, 0);
        while source.deal(&mut batch) {
            count += 1;
            let Target::Classes { labels, .. } = &batch.target else { break };
            let mut many = None;
            let (mean, values, grads) = self.tape.value_and_grad_with(model, |tape, net| {
                let (value, more) = loss(&net, tape.var(&batch.features), labels);
                // A panic in here would be told at this line.
                many = (value.numel() != 1).then(|| value.shape());
                (if many.is_some() { value.sum() } else { value }, more)
            });
            if let Some(shape) = many {
                panic!("{function}: a loss of one number is needed, its shape is {shape}");
            }
            guard.check(mean.to_f64(), model, (self.epochs + 1, count, &batch.rows), |tape, net, rows| {
                let (x, labels) = data.rows(rows);
                loss(net, tape.var(&x), &labels).0
            })?;
            optimiser.step(model, &grads);
            each(values, labels);
            total += mean.to_f64() * labels.len() as f64;
        }
        self.epochs += 1;
        Ok(total / data.len() as f64)
    }

    /// How many steps a program has computed, since they repeated others: all but the first two of each size of batch, where
    /// the step is small enough (see [`Tape::replays`]).
    pub fn replays(&self) -> u64 {
        self.tape.replays()
    }

    /// Trains for several epochs, and calls `report(epoch, loss)` after each, with epochs counted from 1 and the mean
    /// loss of [`Trainer::epoch`].
    ///
    /// # Errors
    /// As [`Trainer::epoch`], at the first epoch and batch whose loss is not finite.
    ///
    /// # Panics
    /// As [`Trainer::epoch`].
    #[track_caller]
    pub fn fit<P>(
        &mut self,
        epochs: u32,
        model: &mut P,
        optimiser: &mut impl Optimiser<T>,
        data: &Dataset<T>,
        mut loss: impl for<'t> FnMut(&P::With<Var<'t, T>>, Var<'t, T>, &[usize]) -> Var<'t, T>,
        mut report: impl FnMut(u32, f64),
    ) -> Result<(), Diverged>
    where
        P: Tree<Leaf = Tensor<T>, With<Tensor<T>> = P>,
    {
        for _ in 0..epochs {
            let loss = self.pass(
                "Trainer::fit",
                model,
                optimiser,
                data,
                |net, x, labels| (loss(net, x, labels), []),
                |[], _| (),
            )?;
            report(self.epochs, loss);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Csv, IRIS_CSV, Standardiser};
    use crate::{Activation, Adam, Mlp, Sgd, accuracy};

    fn iris<T: Float>() -> Dataset<T> {
        let iris = Csv::new("species").parse("iris.csv", IRIS_CSV).unwrap();
        Standardiser::fit(&iris).apply(&iris)
    }

    fn trained<T: Float>(seed: u64) -> (Mlp<Tensor<T>>, Vec<f64>) {
        let mut net = Mlp::new(&[4, 8, 3], Activation::Tanh, seed);
        let mut losses = Vec::new();
        Trainer::new(16, seed)
            .fit(
                40,
                &mut net,
                &mut Adam::new(0.02),
                &iris(),
                |net, x, labels| net.forward(x).cross_entropy(labels),
                |epoch, loss| losses.push((epoch, loss)),
            )
            .unwrap();
        assert_eq!(losses.iter().map(|(epoch, _)| *epoch).collect::<Vec<_>>(), (1..=40).collect::<Vec<_>>());
        (net, losses.into_iter().map(|(_, loss)| loss).collect())
    }

    #[test]
    fn a_net_learns_in_both_precisions() {
        fn check<T: Float>() {
            let (net, losses) = trained::<T>(3);
            let data = iris::<T>();
            assert!(losses[39] < 0.1 && losses[0] > 0.4, "{losses:?}");
            assert!(accuracy(&net.predict(data.features()), data.labels()) > 0.95);
        }
        check::<f64>();
        check::<f32>();
    }

    #[test]
    fn a_seed_gives_one_result() {
        assert_eq!(trained::<f64>(1), trained::<f64>(1));
        assert_ne!(trained::<f64>(1).0, trained::<f64>(2).0);
    }

    #[test]
    fn the_loss_is_the_mean_over_examples_not_over_batches() {
        // With a rate of 0 the net stays, so batches of 64, 64 and 22 must give the loss of all 150.
        let data: Dataset = iris();
        let mut net: Mlp<Tensor> = Mlp::new(&[4, 3], Activation::Identity, 0);
        let loss = Trainer::new(64, 0)
            .epoch(&mut net, &mut Sgd::new(0.0), &data, |net, x, labels| net.forward(x).cross_entropy(labels))
            .unwrap();
        let tape = Tape::new();
        let all = tape.vars(&net).forward(tape.var(data.features())).cross_entropy(data.labels()).item();
        approx::assert_relative_eq!(loss, all, max_relative = 1e-13);
    }

    #[test]
    fn all_but_the_first_two_steps_of_each_size_of_batch_are_replayed() {
        let (train, _) = iris::<f64>().split_stratified(1.0 / 3.0, 0);
        assert_eq!(train.len(), 100);
        for (batch, sizes) in [(16, 2), (20, 1), (32, 2), (48, 2), (10, 1), (25, 1)] {
            let mut net: Mlp<Tensor> = Mlp::new(&[4, 16, 3], Activation::Tanh, 0);
            let mut trainer = Trainer::new(batch, 0);
            let mut sgd = Sgd::new(0.1);
            let epochs = 0..20;
            epochs.for_each(|_| {
                trainer
                    .epoch(&mut net, &mut sgd, &train, |net, x, labels| net.forward(x).cross_entropy(labels))
                    .unwrap();
            });
            let steps = 20 * train.len().div_ceil(batch);
            assert_eq!(trainer.replays() as usize, steps - 2 * sizes, "batches of {batch}");
        }
    }

    #[test]
    fn parameters_are_updated_in_place() {
        let data: Dataset = iris();
        let mut net: Mlp<Tensor> = Mlp::new(&[4, 8, 3], Activation::Relu, 0);
        let addresses = |net: &Mlp<Tensor>| net.leaves().iter().map(|p| p.as_slice().as_ptr()).collect::<Vec<_>>();
        let before = addresses(&net);
        let mut adam = Adam::new(0.01);
        let mut trainer = Trainer::new(32, 0);
        for _ in 0..3 {
            trainer.epoch(&mut net, &mut adam, &data, |net, x, labels| net.forward(x).cross_entropy(labels)).unwrap();
        }
        assert_eq!(addresses(&net), before);
        assert_eq!(adam.memory["steps"].item(), 15.0);
    }

    fn four() -> Dataset {
        let classes = ["a", "b"].map(String::from).to_vec();
        Dataset::new(Tensor::from_rows([[1e3], [-2e3], [3e3], [-4e3]]), vec![0, 1, 0, 1], classes)
    }

    #[test]
    fn a_loss_that_is_not_finite_ends_training_with_its_batch_its_origin_and_the_weights_of_before() {
        let mut net: Mlp<Tensor> = Mlp::new(&[1, 4, 2], Activation::Relu, 0);
        let (start, mut losses) = (net.clone(), Vec::new());
        let line = line!() + 6;
        let ended = Trainer::new(2, 0).fit(
            6,
            &mut net,
            &mut Sgd::new(1e200),
            &four(),
            |net, x, labels| net.forward(x).cross_entropy(labels),
            |_, loss| losses.push(loss),
        );
        let error = ended.unwrap_err();
        assert!(losses.len() < 6 && losses.iter().all(|loss| loss.is_finite()), "{losses:?}");
        assert_eq!((error.epoch, error.rows.len(), error.restored), (losses.len() as u32 + 1, 2, true));
        assert!(net.leaves().iter().all(|w| w.as_slice().iter().all(|x| x.is_finite())));
        assert_eq!(net, start); // of which alone the loss was finite
        let origin = error.origin.as_ref().expect("the origin is found");
        assert_eq!((origin.location.file(), origin.location.line()), (file!(), line), "{error}");
        assert!(error.to_string().contains("; rows "), "{error}");
    }

    #[test]
    fn a_weight_that_is_nan_from_the_start_is_named() {
        let mut net: Mlp<Tensor> = Mlp::new(&[1, 4, 2], Activation::Relu, 0);
        net.layers[0].weight.as_mut_slice()[0] = f64::NAN;
        let error = Trainer::new(2, 0)
            .epoch(&mut net, &mut Sgd::new(0.1), &four(), |net, x, labels| net.forward(x).cross_entropy(labels))
            .unwrap_err();
        assert_eq!((error.epoch, error.batch, error.restored), (1, 1, false));
        assert_eq!(error.parameter.as_deref(), Some("layers.0.weight"));
    }

    #[test]
    fn a_gradient_that_is_not_finite_is_found_in_the_step_before() {
        // The slope of a root at 0 is infinite, its value is not.
        let mut w = Tensor::from([0.0]);
        let error = Trainer::new(2, 0)
            .epoch(&mut w, &mut Sgd::new(0.1), &four(), |w, x, _| (w.sqrt() + x.mean() * 1e-9).sum())
            .unwrap_err();
        assert_eq!((error.batch, error.parameter.as_deref(), w.item()), (2, Some(""), 0.0));
        assert_eq!(error.origin.unwrap().rule_of, Some("sqrt"));
    }

    #[test]
    #[should_panic(expected = "Trainer::epoch: there are no examples")]
    fn no_examples_are_no_epoch() {
        let none = four().select(&[]);
        let mut net: Mlp<Tensor> = Mlp::new(&[1, 2], Activation::Relu, 0);
        let _ = Trainer::new(2, 0)
            .epoch(&mut net, &mut Sgd::new(0.1), &none, |net, x, labels| net.forward(x).cross_entropy(labels));
    }
}
