//! Layers name themselves where something does not fit; noise is that of the path and of the step; buffers move in training alone.

use crate::rows::{Rows, panics};
use autograd::{Conv, Key, Tape, Tensor, Tree, Var, tree};
use nn::data::{Batcher, Dataset, Target};
use nn::layers::{
    BatchNorm, Bilinear, Cell, Conv1d, Conv2d, ConvTranspose2d, Dropout, Edges, Embedding, GroupNorm, InstanceNorm,
    LayerNorm, MultiheadAttention, PRelu, Recurrent, RmsNorm, TransformerBlock, Window, adaptive_mean, glu,
};
use nn::losses::{cross_entropy_of_probabilities, smooth_l1};
use nn::train::{Fit, Learner};
use nn::{Context, Init, Linear, Sgd, generator};

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_layer_names_itself_what_is_wrong_and_the_callers_line() {
    let tape = Tape::new();
    let of = |shape: &[usize]| tape.full(shape.to_vec(), 0.5);
    let rng = || generator(0);
    let (eval, train) = (Context::evaluating(), Context::training_without_noise());
    let mut rows = Rows::default();
    panics!(rows, "Dropout::new", ["between 0 and 1", "not 2"], Dropout::new(2.0));
    panics!(rows, "key", ["`drop` needs random numbers"], Dropout::new(0.5).forward(of(&[2]), &train.at("drop")));
    let noisy = Context::training(tape.key(Key::new(0))).at("a");
    let _ = noisy.key();
    panics!(rows, "key", ["two parts are `a`"], noisy.key());
    panics!(rows, "with_padding", ["4 is not one of 3"], Embedding::<Tensor>::new(3, 2, &mut rng()).with_padding(4));
    panics!(rows, "gather", ["3"], tape.vars(&Embedding::<Tensor>::new(3, 2, &mut rng())).forward(&[3]));
    let bilinear = tape.vars(&Bilinear::<Tensor>::new([2, 3], 4, &mut rng()));
    panics!(rows, "Bilinear::forward", ["[5, 2]", "[5, 2]"], bilinear.forward(of(&[5, 2]), of(&[5, 2])));
    panics!(rows, "PRelu::forward", ["[n, 3, …]", "[5, 2]"], tape.vars(&PRelu::<Tensor>::new(3)).forward(of(&[5, 2])));
    panics!(rows, "glu", ["even size", "axis 1", "[2, 3]"], glu(of(&[2, 3]), 1));
    let batch = tape.vars(&BatchNorm::<Tensor>::new(3));
    panics!(rows, "BatchNorm::forward", ["[n, c, …]", "[3]"], batch.forward(of(&[3]), &eval));
    panics!(rows, "BatchNorm::forward", ["more than one number"], batch.forward(of(&[1, 3]), &train));
    panics!(rows, "BatchNorm::forward", ["[4, 2]"], batch.forward(of(&[4, 2]), &eval));
    panics!(rows, "GroupNorm::new", ["5 channels are not 2 groups"], GroupNorm::<Tensor>::new(2, 5));
    let groups = tape.vars(&GroupNorm::<Tensor>::new(2, 4));
    panics!(rows, "GroupNorm::forward", ["2 groups", "[4, 3]"], groups.forward(of(&[4, 3])));
    let instance = tape.vars(&InstanceNorm::<Tensor>::new());
    panics!(rows, "InstanceNorm::forward", ["[n, c, …]", "[4, 3]"], instance.forward(of(&[4, 3]), &eval));
    panics!(rows, "InstanceNorm::forward", ["more than one number"], instance.forward(of(&[4, 3, 1]), &eval));
    panics!(rows, "LayerNorm::new", ["one axis or more"], LayerNorm::<Tensor>::new([]));
    panics!(rows, "RmsNorm::new", ["one axis or more"], RmsNorm::<Tensor>::new([]));
    panics!(
        rows,
        "LayerNorm::forward",
        ["[3]", "[4, 2]"],
        tape.vars(&LayerNorm::<Tensor>::new([3])).forward(of(&[4, 2]))
    );
    panics!(rows, "RmsNorm::forward", ["[3]", "[4, 2]"], tape.vars(&RmsNorm::<Tensor>::new([3])).forward(of(&[4, 2])));
    let conv = Conv { groups: 2, ..Conv::default() };
    panics!(
        rows,
        "Conv1d::with",
        ["[2, 3]", "2 groups"],
        Conv1d::<Tensor>::with([2, 3], [3], Conv { groups: 2, ..Conv::default() }, &mut rng())
    );
    panics!(rows, "Conv2d::with", ["[2, 3]", "2 groups"], Conv2d::<Tensor>::with([2, 3], [3, 3], conv, &mut rng()));
    let strided = Conv { stride: [2, 2], ..Conv::default() };
    panics!(
        rows,
        "same",
        ["strides of 1", "[2, 2]"],
        Conv2d::<Tensor>::with([2, 2], [3, 3], strided, &mut rng()).same()
    );
    let images = Conv2d::<Tensor>::new([2, 3], [3, 3], &mut rng());
    panics!(
        rows,
        "Conv2d::forward",
        ["[n, channels, height, width]", "[2, 9]"],
        tape.vars(&images).forward(of(&[2, 9]))
    );
    panics!(rows, "Conv2d::forward", ["[1, 4, 5, 5]"], tape.vars(&images).forward(of(&[1, 4, 5, 5])));
    let mirrored = Conv2d { edges: Edges::Reflect, padding: [(3, 3); 2], ..images };
    panics!(
        rows,
        "Conv2d::forward",
        ["3 elements", "size 3", "Reflect"],
        tape.vars(&mirrored).forward(of(&[1, 2, 3, 3]))
    );
    let line = tape.vars(&Conv1d::<Tensor>::new([2, 3], [3], &mut rng()));
    panics!(rows, "Conv1d::forward", ["[n, channels, length]", "[2, 9]"], line.forward(of(&[2, 9])));
    panics!(
        rows,
        "ConvTranspose2d::new",
        ["[2, 3]", "2 groups"],
        ConvTranspose2d::<Tensor>::new([2, 3], [2, 2], conv, &mut rng())
    );
    let transposed = tape.vars(&ConvTranspose2d::<Tensor>::new([2, 3], [2, 2], Conv::default(), &mut rng()));
    panics!(
        rows,
        "ConvTranspose2d::forward",
        ["[n, 2, height, width]", "[1, 3, 4, 4]"],
        transposed.forward(of(&[1, 3, 4, 4]))
    );
    let inside = ConvTranspose2d { conv: Conv { padding: [4, 4], ..Conv::default() }, ..transposed };
    panics!(rows, "ConvTranspose2d::forward", ["nothing is left", "[4, 4]"], inside.forward(of(&[1, 2, 2, 2])));
    let window = Window::new([2, 2]);
    panics!(rows, "Window::max", ["[3, 3]"], window.max(of(&[3, 3])));
    panics!(rows, "Window::mean", ["[3, 3]"], window.mean(of(&[3, 3])));
    panics!(
        rows,
        "Window::mean",
        ["divisor of 1 or more"],
        Window { divisor: Some(0), ..window }.mean(of(&[1, 1, 3, 3]))
    );
    panics!(rows, "Window::max_along", ["[n, channels, length]", "[3, 3]"], window.max_along(of(&[3, 3])));
    panics!(rows, "Window::mean_along", ["[n, channels, length]", "[3, 3]"], window.mean_along(of(&[3, 3])));
    panics!(rows, "adaptive_mean", ["[3, 3]"], adaptive_mean(of(&[3, 3]), [None, None]));
    let gru = tape.vars(&Recurrent::<Tensor>::new(Cell::Gru, [3, 4], 1, &mut rng()));
    panics!(rows, "Recurrent::forward", ["[steps, n, in]", "[3, 4]"], gru.forward(of(&[3, 4]), &[]));
    panics!(
        rows,
        "Recurrent::forward",
        ["1 states or none", "not 2"],
        gru.forward(of(&[2, 1, 3]), &[of(&[1, 1, 4]); 2])
    );
    panics!(rows, "Recurrent::forward", ["[2, 1, 5]"], gru.forward(of(&[2, 1, 5]), &[]));
    panics!(
        rows,
        "MultiheadAttention::new",
        ["width of 5", "2 heads"],
        MultiheadAttention::<Tensor>::new(5, 2, &mut rng())
    );
    let attention = tape.vars(&MultiheadAttention::<Tensor>::new(4, 2, &mut rng()));
    panics!(
        rows,
        "MultiheadAttention::forward",
        ["three axes", "[3, 4]"],
        attention.forward([of(&[3, 4]); 3], None, None, &eval)
    );
    let without = MultiheadAttention { in_proj_weight: None, ..attention };
    panics!(
        rows,
        "MultiheadAttention::forward",
        ["`in_proj_weight` or"],
        without.forward([of(&[3, 1, 4]); 3], None, None, &eval)
    );
    let block = tape.vars(&TransformerBlock::<Tensor>::new(4, 2, 8, &mut rng()));
    panics!(rows, "TransformerBlock::forward", ["[3, 1, 5]"], block.forward(of(&[3, 1, 5]), None, None, &eval));
    let options = autograd::CrossEntropyOptions::default();
    let function = cross_entropy_of_probabilities;
    panics!(rows, "cross_entropy_of_probabilities", ["[2, 3]", "[2, 4]"], function(of(&[2, 3]), of(&[2, 4]), &options));
    panics!(rows, "smooth_l1", ["[2]", "[3]"], smooth_l1(of(&[2]), of(&[3]), 1.0, autograd::Reduction::Mean));
    rows.hold_all(&["layers", "layers/norm", "layers/init"], NO_ROW);
}

/// Functions that no caller can give anything wrong, and those with a row in `errors.rs`.
const NO_ROW: &[&str] = &[
    "new",
    "mlp",
    "residual",
    "apply",
    "init",
    "sample",
    "predict",
    "without_affine",
    "without_running",
    "with_affine",
    "with_running",
    "of_widths",
    "without_bias",
    "causal",
    "with_bias_key",
    "with_dropout",
    "in_both_directions",
];

tree! { struct Noisy<V> { first: Linear<V>, norm: BatchNorm<V>, last: Linear<V>, ..noise: f64, ..more: bool } }

impl<'t> Noisy<Var<'t>> {
    fn forward(&self, x: Var<'t>, context: &Context<'t>) -> Var<'t> {
        let dropout = Dropout::new(self.noise);
        let x = if self.more { dropout.forward(x, &context.at("more")) * 1.0 } else { x };
        let hidden = self.norm.forward(self.first.forward(x), &context.at("norm")).relu();
        self.last.forward(dropout.forward(hidden, &context.at("hidden")))
    }
}

fn noisy(noise: f64, more: bool) -> Noisy<Tensor> {
    let (init, rng) = (Init::XavierUniform { gain: 1.0 }, &mut generator(0));
    Noisy {
        first: Linear::new([2, 6], init, rng),
        norm: BatchNorm::new(6),
        last: Linear::new([6, 1], init, rng),
        noise,
        more,
    }
}

fn data() -> Dataset {
    let x = Tensor::from_fn([24, 2], |i| (i as f64 * 0.9).sin());
    let y: Vec<f64> = x.as_slice().chunks(2).map(|x| x[0] * x[1]).collect();
    Dataset::with(x, Target::value("y", &y))
}

fn losses(noise: f64, more: bool, seed: u64) -> (Vec<f64>, Noisy<Tensor>) {
    let data = data();
    let mut learner = Learner::new(noisy(noise, more), Sgd { weight_decay: 0.1, ..Sgd::new(0.05) }, |net, batch| {
        batch.loss(net.forward(batch.features, &batch.context))
    });
    learner.seed = seed;
    let mut batches = Batcher::new(&data, 8, 0);
    let losses = (0..4).map(|epoch| learner.epoch(&mut batches, epoch).unwrap()).collect();
    (losses, learner.into_parts().0)
}

#[test]
fn noise_is_that_of_the_seed_and_of_the_step_and_none_while_measuring() {
    let (first, net) = losses(0.5, false, 3);
    let (again, other) = losses(0.5, false, 3);
    assert_eq!((&first, net.leaves()), (&again, other.leaves()));
    assert_ne!(first, losses(0.5, false, 4).0);
    let data = data();
    let mut learner = Learner::new(noisy(0.5, false), Sgd::new(0.0), |net, batch| {
        batch.loss(net.forward(batch.features, &batch.context))
    });
    let batch = data.whole();
    let steps: Vec<f64> = (0..3).map(|_| learner.step(&batch).unwrap()).collect();
    assert!(steps[0] != steps[1] && steps[1] != steps[2], "{steps:?}");
    let measured = learner.measure(&batch).unwrap();
    assert_eq!(measured, learner.measure(&batch).unwrap());
}

#[test]
fn what_is_added_elsewhere_moves_no_noise() {
    let tape = Tape::new();
    let (x, key) = (tape.var(&Tensor::ones([40])), tape.key(Key::new(1)));
    let dropout = Dropout::new(0.5);
    let alone = dropout.forward(x, &Context::training(key).at("net").at("last")).value();
    let context = Context::training(key);
    let _first = dropout.forward(x, &context.at("net").at("first"));
    assert_eq!(dropout.forward(x, &context.at("net").at("last")).value(), alone);
}

#[test]
fn buffers_move_in_training_alone_and_no_rule_decays_them() {
    let (_, net) = losses(0.0, false, 0);
    assert_eq!(net.norm.num_batches_tracked.as_ref().unwrap().item(), 12.0);
    let variance = net.norm.running_var.as_ref().unwrap();
    assert!(variance.as_slice().iter().all(|&x| x > 0.0 && x != 1.0), "{variance:?}");
    // By hand: the last batch's step of the running mean, with a rate of 0 so that the net stays.
    let data = data();
    let mut learner = Learner::new(noisy(0.0, false), Sgd { weight_decay: 1.0, ..Sgd::new(0.0) }, |net, batch| {
        batch.loss(net.forward(batch.features, &batch.context))
    });
    let batch = data.batch(&[0, 1, 2, 3]);
    learner.step(&batch).unwrap();
    let tape = Tape::new();
    let start = tape.vars(&noisy(0.0, false));
    let means = start.first.forward(tape.var(&batch.features)).mean_axes(0).value();
    for (running, mean) in learner.net().norm.running_mean.as_ref().unwrap().as_slice().iter().zip(means.as_slice()) {
        assert!((running - 0.1 * mean).abs() < 1e-15);
    }
    let kept = learner.net().norm.clone();
    learner.measure(&batch).unwrap();
    assert_eq!(learner.net().norm, kept);
}

#[test]
fn fit_trains_nets_with_noise_and_buffers_in_batches() {
    let mut net = noisy(0.1, true);
    let fit = Fit { epochs: 5, batch_size: 8, ..Fit::default() };
    let fitting = fit
        .run(&mut net, &data(), |net, batch| batch.loss(net.forward(batch.features, &batch.context)), |_| ())
        .unwrap();
    assert_eq!(fitting.history.len(), 5);
    assert!(net.norm.num_batches_tracked.as_ref().unwrap().item() > 0.0);
}
