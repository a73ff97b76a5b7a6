//! Every public function that may be given something that does not fit names itself, what was expected and what came, at the
//! caller's line.

use crate::rows::{Rows, panics};
use autograd::{Tape, Tensor};
use nn::data::{Array, Numbers, npy, npz};
use nn::data::{
    Batch, BatchVars, Batcher, By, Csv, Dataset, Schema, Standardiser, Table, Target, balanced, empty_batch,
};
use nn::file::Stored;
use nn::losses::{mixture_nll, pinball};
use nn::optim::{Adam, Group, Grouped, Now, Optimiser, Rprop, Rule, Sgd, clip_norm, clip_value};
use nn::{Activation, Init, Linear, Mlp, Trainer, accuracy, classes, generator};
use std::collections::BTreeMap;

fn two() -> Dataset {
    Dataset::new(Tensor::from_rows([[1.0, 2.0], [3.0, 5.0]]), vec![0, 1], vec!["a".into(), "b".into()])
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_public_function_names_itself_what_is_wrong_and_the_callers_line() {
    let (tape, other) = (Tape::new(), Tape::new());
    let (data, none) = (two(), two().select(&[]));
    let rng = || generator(0);
    let net = || Mlp::<Tensor>::new(&[2, 3, 2], Activation::Tanh, 0);
    let (x, narrow) = (tape.var(&Tensor::zeros([1, 5])), Tensor::zeros([3]));
    let vars = tape.vars(&net());
    let [many, far] = [Init::Zeros, Init::KaimingNormal { gain: f64::NAN }];
    let huge = [1 << 33, 1 << 31];
    let scale = Standardiser::fit(&data);
    let mut weights = Tensor::<f64>::zeros([2]);
    let (mut sgd, mut adam) = (Sgd::new(0.1), Adam::new(0.1));
    sgd.step(&mut weights, &Tensor::zeros([2]));
    adam.step(&mut weights, &Tensor::zeros([2]));
    let mut model = net();

    let mut rows = Rows::default();
    panics!(rows, "Init::sample", ["finite gain", "not NaN"], far.sample::<f64>([2, 2], &mut rng()));
    panics!(rows, "Init::sample", ["[8589934592, 2147483648] is too large"], many.sample::<f64>(huge, &mut rng()));
    panics!(
        rows,
        "Init::sample",
        ["[out, in, …]", "[3]"],
        Init::XavierNormal { gain: 1.0 }.sample::<f64>([3], &mut rng())
    );
    panics!(
        rows,
        "Init::sample",
        ["from 2 to 1"],
        Init::Uniform { low: 2.0, high: 1.0 }.sample::<f64>([3], &mut rng())
    );
    panics!(
        rows,
        "Init::sample",
        ["deviation of 0 or more", "not -1"],
        Init::Normal { mean: 0.0, std: -1.0 }.sample::<f64>([3], &mut rng())
    );
    panics!(
        rows,
        "Init::sample",
        ["three deviations around the mean", "from 5 to 6"],
        Init::TruncatedNormal { mean: 0.0, std: 1.0, low: 5.0, high: 6.0 }.sample::<f64>([3], &mut rng())
    );
    panics!(rows, "Linear::new", ["finite gain", "not NaN"], Linear::<Tensor>::new([2, 2], far, &mut rng()));
    panics!(
        rows,
        "Linear::new",
        ["[2147483648, 8589934592] is too large"],
        Linear::<Tensor>::new(huge, many, &mut rng())
    );
    panics!(
        rows,
        "Linear::forward",
        ["inner sizes differ: 5 and 2", "[1, 5], [3, 2] and [3]"],
        vars.layers[0].forward(x)
    );
    panics!(rows, "Linear::forward", ["different tapes"], vars.layers[0].forward(other.var(&Tensor::zeros([1, 2]))));
    panics!(rows, "Mlp::new", ["two sizes or more", "[4]"], Mlp::<Tensor>::new(&[4], Activation::Relu, 0));
    panics!(rows, "Mlp::new", ["sizes of 1 or more", "[4, 0, 2]"], Mlp::<Tensor>::new(&[4, 0, 2], Activation::Relu, 0));
    panics!(rows, "Mlp::new", ["is too large"], Mlp::<Tensor>::new(&huge, Activation::Relu, 0));
    panics!(
        rows,
        "Mlp::new",
        ["finite gain", "not NaN"],
        Mlp::<Tensor>::new(&[2, 2, 2], Activation::LeakyRelu { slope: f64::NAN }, 0)
    );
    panics!(rows, "Mlp::forward", ["inner sizes differ: 5 and 2", "[1, 5], [3, 2] and [2, 3]"], vars.forward(x));
    panics!(rows, "Mlp::forward", ["different tapes"], vars.forward(other.var(&Tensor::zeros([1, 2]))));
    panics!(
        rows,
        "Mlp::predict",
        ["inner sizes differ: 5 and 2", "[1, 5], [3, 2] and [2, 3]"],
        net().predict(&Tensor::zeros([1, 5]))
    );
    panics!(rows, "leaky_relu", ["negative slope", "NaN"], Activation::LeakyRelu { slope: f64::NAN }.apply(x));
    panics!(rows, "elu", ["alpha", "NaN"], Activation::Elu { alpha: f64::NAN }.apply(x));
    panics!(rows, "classes", ["[n, k] with k > 0", "[3]"], classes(&narrow));
    panics!(rows, "accuracy", ["[n, k] with k > 0", "[2, 0]"], accuracy(&Tensor::<f64>::zeros([2, 0]), &[0, 0]));
    panics!(rows, "accuracy", ["2 rows of scores and 3 labels"], accuracy(&Tensor::<f64>::zeros([2, 2]), &[0, 0, 0]));
    panics!(rows, "accuracy", ["label 2 of row 1", "2 classes"], accuracy(&Tensor::<f64>::zeros([2, 2]), &[0, 2]));
    panics!(
        rows,
        "step",
        ["there are 1 parameters and 2 gradients"],
        sgd.step(&mut weights, &vec![Tensor::zeros([2]); 2])
    );
    panics!(rows, "step", ["parameter 0", "[2]", "its gradient has [3]"], adam.step(&mut weights, &Tensor::zeros([3])));
    panics!(
        rows,
        "step",
        ["parameter 0 of 2 elements", "one of 3"],
        adam.step(&mut Tensor::zeros([3]), &Tensor::zeros([3]))
    );
    panics!(
        rows,
        "step",
        ["on 1 parameters, 2 were given"],
        adam.step(&mut vec![Tensor::zeros([2]); 2], &vec![Tensor::zeros([2]); 2])
    );
    let tape2 = Tape::new();
    let grads = tape2.vars(&[Tensor::scalar(1.0)]);
    panics!(rows, "clip_norm", ["0 or more", "not -1"], clip_norm(&grads, -1.0, 2.0));
    panics!(rows, "clip_value", ["0 or more", "not NaN"], clip_value(&grads, f64::NAN));
    let one = || (Tensor::scalar(1.0), Tensor::scalar(1.0));
    panics!(rows, "step", ["rate", "not NaN"], Sgd::new(f64::NAN).step(&mut one().0, &one().1));
    panics!(rows, "step", ["rate", "not -0.5"], Sgd::new(-0.5).step(&mut one().0, &one().1));
    panics!(rows, "step", ["rate", "not inf"], Sgd::new(f64::INFINITY).step(&mut one().0, &one().1));
    panics!(rows, "step", ["momentum", "not 1.5"], Sgd { momentum: 1.5, ..Sgd::new(0.1) }.step(&mut one().0, &one().1));
    panics!(rows, "step", ["momentum", "not -1"], Sgd { momentum: -1.0, ..Sgd::new(0.1) }.step(&mut one().0, &one().1));
    panics!(
        rows,
        "step",
        ["weight_decay", "not -3"],
        Sgd { weight_decay: -3.0, ..Sgd::new(0.1) }.step(&mut one().0, &one().1)
    );
    panics!(
        rows,
        "step",
        ["beta1", "below 1", "not 1"],
        Adam { beta1: 1.0, ..Adam::new(0.1) }.step(&mut one().0, &one().1)
    );
    panics!(rows, "step", ["beta2", "not 1.5"], Adam { beta2: 1.5, ..Adam::new(0.1) }.step(&mut one().0, &one().1));
    panics!(
        rows,
        "step",
        ["epsilon", "not NaN"],
        Adam { epsilon: f64::NAN, ..Adam::new(0.1) }.step(&mut one().0, &one().1)
    );
    panics!(rows, "step", ["shrink", "not 1"], Rprop { shrink: 1.0, ..Rprop::new(0.1) }.step(&mut one().0, &one().1));
    panics!(
        rows,
        "step",
        ["no parameter", "encoder.*"],
        Grouped { groups: vec![Group::new("encoder.*")], rule: Sgd::new(0.1) }.step(&mut one().0, &one().1)
    );
    panics!(
        rows,
        "update",
        ["epsilon", "not -1"],
        Adam { epsilon: -1.0, ..Adam::new(0.1) }.update(&grads, &grads, &BTreeMap::new(), Now::default())
    );
    panics!(
        rows,
        "update",
        ["1 parameters and 2 gradients"],
        Sgd::new(0.1).update(&grads, &vec![grads[0]; 2], &BTreeMap::new(), Now::default())
    );
    panics!(
        rows,
        "update",
        ["no parameter", "momentum.w"],
        Sgd::new(0.1).update(
            &grads,
            &grads,
            &tape2.vars(&BTreeMap::from([("momentum.w".to_owned(), Tensor::scalar(1.0))])),
            Now::default()
        )
    );
    panics!(
        rows,
        "Dataset::new",
        ["shape [3]", "2 labels"],
        Dataset::new(Tensor::<f64>::zeros([3]), vec![0; 2], vec!["a".into()])
    );
    panics!(
        rows,
        "Dataset::new",
        ["label 1", "1 classes"],
        Dataset::new(Tensor::<f64>::zeros([1, 2]), vec![1], vec!["a".into()])
    );
    let nan = Tensor::from_rows([[1.0, 2.0], [3.0, f64::NAN]]);
    let two = || vec!["a".into(), "b".into()];
    panics!(rows, "Dataset::new", ["NaN", "row 1, column 1"], Dataset::new(nan, vec![0, 1], two()));
    panics!(
        rows,
        "Dataset::new",
        ["`pike` is named twice"],
        Dataset::new(Tensor::<f64>::zeros([1, 1]), vec![0], vec!["pike".into(), "pike".into()])
    );
    let value = || Target::value("rent", &[1.0, 2.0]);
    panics!(rows, "Dataset::with", ["shape [3, 1]", "2 targets"], Dataset::with(Tensor::zeros([3, 1]), value()));
    panics!(rows, "from_columns", ["`x` has 1 rows", "has 2"], Dataset::from_columns(&[("x", &[1.0])], value()));
    let twice: [(&str, &[f64]); 2] = [("x", &[1.0, 2.0]), ("x", &[1.0, 2.0])];
    panics!(rows, "from_columns", ["`x` is named twice"], Dataset::from_columns(&twice, value()));
    let values = || Dataset::with(Tensor::<f64>::zeros([2, 1]), value());
    panics!(rows, "labels", ["values, not classes"], values().labels());
    panics!(rows, "classes", ["values, not classes"], values().classes());
    panics!(rows, "batches", ["values, not classes"], values().batches(1, 0, 0));
    panics!(rows, "split_stratified", ["values, not classes"], values().split_stratified(0.5, 0));
    panics!(rows, "with_balanced_weights", ["values, not classes"], values().with_balanced_weights());
    panics!(rows, "with_weights", ["1 weights for 2 rows"], values().with_weights(vec![1.0]));
    panics!(rows, "with_weights", ["-1 in row 1"], values().with_weights(vec![1.0, -1.0]));
    panics!(rows, "with_names", ["2 names for 1 features"], values().with_names(two()));
    panics!(rows, "with_indices", ["3 indices", "2 rows"], values().with_indices(vec![1, 2, 3]));
    panics!(rows, "with_features_as_indices", ["no feature `town`"], values().with_features_as_indices(&["town"]));
    panics!(rows, "indices", ["the batch has none"], BatchVars::new(&Tape::new(), &values().whole()).indices());
    panics!(rows, "balanced", ["label 2", "2 classes"], balanced(&[2], 2));
    panics!(rows, "select", ["row 2", "one of 2"], data.select(&[2]));
    panics!(
        rows,
        "Table::from_columns",
        ["`b` has 1 rows", "`a` has 2"],
        Table::from_columns([("a", &[1.0, 2.0][..]), ("b", &[3.0])])
    );
    panics!(
        rows,
        "Table::select",
        ["row 2", "one of 2"],
        Table::from_columns([("a", &[1.0, 2.0][..])]).select(&[0, 2])
    );
    panics!(rows, "batch", ["row 2", "one of 2"], data.batch(&[2]));
    panics!(rows, "gather_into", ["row 2", "one of 2"], data.gather_into(&[2], &mut empty_batch()));
    panics!(rows, "Batcher::new", ["1 example or more", "not of 0"], Batcher::new(&data, 0, 0));
    panics!(rows, "split", ["between 0 and 1", "not 1.5"], By::Rows(20).split(1.5, 0));
    panics!(rows, "split", ["0.02 of 2 rows", "nothing would be held out"], data.split(0.02, 0));
    panics!(rows, "folds", ["2 folds or more", "not 1"], By::Rows(20).folds(1, 0));
    panics!(rows, "try_split", ["between 0 and 1", "not 2"], data.try_split(By::Rows(2), 2.0, 0));
    let table = Table::from_columns([("a", &[1.0, 2.0][..])]);
    panics!(rows, "split", ["between 0 and 1", "not 3"], Schema::default().split(&table, 3.0, 0));
    panics!(rows, "try_split", ["3 rows", "there are 2"], data.try_split(By::Rows(3), 0.5, 0));
    panics!(rows, "batches", ["1 example or more", "not of 0"], data.batches(0, 0, 0));
    panics!(rows, "split", ["between 0 and 1", "not 1.5"], data.split(1.5, 0));
    panics!(rows, "split_stratified", ["between 0 and 1", "not NaN"], data.split_stratified(f64::NAN, 0));
    panics!(rows, "Standardiser::fit", ["1 example or more", "none"], Standardiser::fit(&none));
    panics!(
        rows,
        "Standardiser::apply",
        ["2 features", "[1, 3]"],
        scale.apply(&Dataset::new(Tensor::zeros([1, 3]), vec![0], vec!["a".into()]))
    );
    panics!(rows, "Standardiser::apply_to", ["2 features", "[3]"], scale.apply_to(&narrow));
    panics!(
        rows,
        "Trainer::epoch",
        ["1 example or more", "not of 0"],
        Trainer::new(0, 0)
            .epoch(&mut model, &mut Sgd::new(0.1), &data, |net, x, labels| net.forward(x).cross_entropy(labels))
    );
    panics!(
        rows,
        "Trainer::epoch",
        ["a loss of one number", "[2, 2]"],
        Trainer::new(2, 0).epoch(&mut model, &mut Sgd::new(0.1), &data, |net, x, _| net.forward(x))
    );
    panics!(
        rows,
        "Trainer::epoch_with",
        ["a loss of one number", "[2, 2]"],
        Trainer::new(2, 0).epoch_with(
            &mut model,
            &mut Sgd::new(0.1),
            &data,
            |net, x, _| (net.forward(x), [x]),
            |_, _| ()
        )
    );
    panics!(
        rows,
        "Trainer::fit",
        ["1 example or more", "not of 0"],
        Trainer::new(0, 0).fit(
            2,
            &mut model,
            &mut Sgd::new(0.1),
            &data,
            |net, x, l| net.forward(x).cross_entropy(l),
            |_, _| ()
        )
    );
    panics!(
        rows,
        "Trainer::fit",
        ["a loss of one number", "[2, 2]"],
        Trainer::new(2, 0).fit(2, &mut model, &mut Sgd::new(0.1), &data, |net, x, _| net.forward(x), |_, _| ())
    );
    let wrong = Array { shape: vec![3], numbers: Numbers::U8(vec![1, 2]) };
    let right = Array { shape: vec![2], numbers: Numbers::U8(vec![1, 2]) };
    panics!(rows, "npy::bytes", ["2 elements", "[3]"], npy::bytes(&wrong));
    panics!(rows, "npz::bytes", ["`x` came twice"], npz::bytes([("x", &right), ("x", &right)]));
    panics!(rows, "transposed", ["2 elements", "[3]"], wrong.transposed());
    panics!(
        rows,
        "Stored::bytes",
        ["2 elements", "[3]"],
        Stored { tensors: [("x".to_owned(), wrong.clone())].into(), ..Stored::default() }.bytes()
    );
    let batch = BatchVars::new(&tape, &data.whole());
    let numbers = BatchVars::new(&tape, &Batch::new(Tensor::zeros([2, 1]), Target::value("y", &[0.0, 0.0])));
    panics!(rows, "values", ["the target is classes, not values"], batch.values());
    panics!(rows, "labels", ["the target is values, not classes"], numbers.labels());
    panics!(rows, "loss", ["[1, 5]"], batch.loss(x));
    panics!(rows, "loss", ["[2, 1]", "[1, 5]"], numbers.loss(x));
    panics!(rows, "mean", ["losses of 2 examples", "[1, 5]"], numbers.mean(x));
    panics!(rows, "pinball", ["[n, 2] of 2 quantiles", "[1, 5]"], pinball(x, x, &[0.1, 0.9]));
    panics!(rows, "pinball", ["between 0 and 1", "not 90"], pinball(x.t(), tape.full([5], 0.0), &[90.0]));
    panics!(rows, "mixture_nll", ["logits [n, k]", "[1, 5]"], mixture_nll(x, x, x, x));
    rows.hold_all(&["", "data", "optim"], NO_ROW);
}

/// Functions that no caller can give anything wrong, those of files, which return errors, and that of activations, which are
/// told as the functions that they are.
const NO_ROW: &[&str] = &[
    "shown",
    "write",
    "write_csv_rows",
    "name",
    "has_nan",
    "tensor",
    "rounded",
    "next_state",
    "shortfall",
    "shortfall_by",
    "number",
    "rate",
    "share",
    "momentum",
    "flag",
    "within",
    "moving",
    "holds",
    "tape",
    "each",
    "count",
    "maximise",
    "decay",
    "descend",
    "scaled",
    "of",
    "keep",
    "keep_number",
    "average",
    "average_by",
    "adam_w",
    "whole",
    // Of sequences and made data, held in hostile_data.rs.
    "moons",
    "circles",
    "blobs",
    "spirals",
    "checkerboard",
    "friedman1",
    "regression",
    "sine",
    "sine_waves",
    "per_step",
    "try_per_step",
    "try_new",
    "lengths",
    "sequence",
    "is_per_step",
    "from_array",
    "classes_from_array",
    "as_array",
    // Of a context and of losses, held in layers.rs.
    "evaluating",
    "training",
    "training_without_noise",
    "is_training",
    "at",
    "path",
    "key",
    "kept",
    "with_buffers",
    "is_plain",
    "cross_entropy_of_probabilities",
    "smooth_l1",
    "state",
    "restore",
    "frozen",
    "freeze",
    "norm",
    "generator",
    "replays",
    "init",
    "mean",
    "std",
    "features",
    "labels",
    "classes",
    "len",
    "is_empty",
    "width",
    "column",
    "notes",
    "decimal_comma",
    "place",
    "missing",
    "columns",
    "read",
    "write_csv",
    "parse",
    "target",
    "weights",
    "names",
    "shown",
    "classes_of",
    "value",
    "try_with",
    "shuffle",
    "empty_batch",
    "apply",
    "days",
    "columns",
    "column_mut",
    "features",
    "with_targets",
    "groups",
    "infer",
    "take",
];

#[test]
fn files_that_do_not_fit_name_the_file_the_line_and_what_came() {
    let csv = Csv::new("kind");
    let said = |text: &str| csv.parse::<f64>("a.csv", text).unwrap_err().to_string();
    assert_eq!(said(""), "a.csv: expected a header with the names of the columns, found an empty file");
    assert_eq!(said("x,kind\n1,a\nb,a\n"), "a.csv, line 3, column 1: expected a number for `x`, found `b`");
    assert_eq!(said("x,kind\n1\n"), "a.csv, line 2, column 2: expected 2 fields as in the header, found 1");
    let error = csv.read::<f64>("no/such/file.csv").unwrap_err().to_string();
    assert!(error.starts_with("no/such/file.csv: cannot be read: "), "{error}");
}
