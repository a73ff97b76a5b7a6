//! Tensors, views, orders and indices that are asked for with something that does not fit.

use super::row::{Found, Rows, fails, panics};
use super::{panic_of, zeros};
use autograd::{Tape, Tensor};

const TAPES: [&str; 1] = ["different tapes"];

pub(crate) fn rows(rows: &mut Rows) {
    of_tensors(rows);
    of_diagonals_and_masks(rows);
    of_orders(rows);
    of_indices(rows);
}

fn of_tensors(rows: &mut Rows) {
    panics!(rows, "new", ["3 elements", "4 are needed", "[2, 2]"], Tensor::new([2, 2], vec![1.0; 3]));
    panics!(rows, "new", ["too large"], Tensor::new([2, 1 << 63], vec![1.0]));
    fails!(rows, "try_new", ["3 elements", "4 are needed"], Tensor::try_new([2, 2], vec![1.0; 3]));
    fails!(rows, "try_from_fn", ["too large"], Tensor::try_from_fn([1 << 32, 1 << 32], |_| 1.0));
    panics!(rows, "from_fn", ["too large"], Tensor::from_fn([1 << 32, 1 << 32], |_| 1.0));
    panics!(rows, "zeros", ["too large"], Tensor::<f64>::zeros([1 << 32, 1 << 32]));
    panics!(rows, "ones", ["too large"], Tensor::<f64>::ones([1 << 32, 1 << 32]));
    panics!(rows, "full", ["too large"], Tensor::full([1 << 32, 1 << 32], 2.0));
    panics!(rows, "eye", ["too large"], Tensor::<f64>::eye(1 << 32));
    panics!(rows, "mask", ["2 truth values", "3 are needed", "[3]"], Tensor::<f64>::mask([3], &[true, false]));
    panics!(rows, "mask", ["too large"], Tensor::<f64>::mask([1 << 32, 1 << 32], &[true]));
    panics!(rows, "full", ["too large"], Tape::new().full([1 << 32, 1 << 32], 2.0));
}

fn of_diagonals_and_masks(rows: &mut Rows) {
    let (tape, other) = (Tape::new(), Tape::new());
    let (a, b, v) = (zeros(&tape, [2, 3]), zeros(&tape, [2, 2]), zeros(&tape, [3]));
    let (s, f) = (tape.scalar(1.0), zeros(&other, [2, 3]));

    panics!(rows, "diagonal", ["axis -2 is named twice"], a.diagonal(0, -2));
    panics!(rows, "diagonal_at", ["axis 2", "[2, 3]"], a.diagonal_at(1, 0, 2));
    panics!(rows, "diagonal_at", ["axis 1 is named twice"], a.diagonal_at(1, 1, 1));
    panics!(rows, "diag", ["a vector or a matrix", "[1, 2, 2]"], zeros(&tape, [1, 2, 2]).diag(0));
    panics!(rows, "diag", ["a vector or a matrix", "[]"], s.diag(0));
    panics!(rows, "diag", ["too large", "[3]"], v.diag(isize::MIN));
    panics!(rows, "diag_embed", ["a vector", "[]"], s.diag_embed(0));
    panics!(rows, "diag_embed", ["too large", "[2, 3]"], a.diag_embed(isize::MAX));

    panics!(rows, "masked_fill", ["a mask of shape [2, 2]", "to [2, 3]"], a.masked_fill(b, 0.0));
    panics!(rows, "masked_fill", TAPES, a.masked_fill(f, 0.0));
    panics!(rows, "masked_select", ["6 truth values", "not of 1", "[2, 3]"], a.masked_select(&[true]));
    panics!(rows, "compress", ["3 truth values", "not of 2", "[2, 3]"], a.compress(1, &[true, false]));
    panics!(rows, "compress", ["axis 2", "rank 2"], a.compress(2, &[true]));
}

fn of_orders(rows: &mut Rows) {
    let tape = Tape::new();
    let (a, e) = (zeros(&tape, [2, 3]), zeros(&tape, [0, 3]));

    panics!(rows, "median", ["axis 2", "[2, 3]"], a.median(2));
    panics!(rows, "median", ["no elements", "[0, 3]"], e.median(0));
    panics!(rows, "median", ["named twice"], a.median([0, -2]));
    panics!(rows, "quantile", ["axis 2", "[2, 3]"], a.quantile(0.5, 2));
    panics!(rows, "quantile", ["no elements", "[0, 3]"], e.quantile(0.5, ..));
    panics!(rows, "quantile", ["from 0 to 1", "not 1.5"], a.quantile(1.5, 0));
    panics!(rows, "quantile", ["from 0 to 1", "not NaN"], a.quantile([0.5, f64::NAN], 0));
    panics!(rows, "cummax", ["axis 2", "[2, 3]"], a.cummax(2));
    panics!(rows, "cummin", ["axis -3", "[2, 3]"], a.cummin(-3));
    panics!(rows, "cumargmax", ["axis 2", "[2, 3]"], a.cumargmax(2));
    panics!(rows, "cumargmin", ["axis 2", "[2, 3]"], a.cumargmin(2));
    panics!(rows, "logcumsumexp", ["axis 2", "[2, 3]"], a.logcumsumexp(2));
    panics!(rows, "polygamma", ["order up to 170", "not 171", "[2, 3]"], a.polygamma(171));
}

fn of_indices(rows: &mut Rows) {
    let (tape, other) = (Tape::new(), Tape::new());
    let (a, b, v, f) = (zeros(&tape, [2, 3]), zeros(&tape, [2, 2]), zeros(&tape, [3]), zeros(&other, [2, 3]));
    let (places, far) = (tape.indices([1, 3], &[0; 3]), tape.indices([1, 3], &[0, 1, 2]));
    let of_other = other.indices([1, 3], &[0; 3]);

    panics!(rows, "to_index", ["no places", "[2, 3]"], a.to_index(0));
    panics!(rows, "to_index", ["places: expected at most"], a.to_index(usize::MAX));
    panics!(rows, "reshape", ["3 elements", "[4]"], places.reshape([4]));
    panics!(rows, "expand_dims", ["axis 5", "[1, 3]"], places.expand_dims(5));
    panics!(rows, "scatter", ["axis 2", "[2, 3]"], a.scatter(2, &places, a));
    panics!(rows, "scatter", ["index 2", "size 2"], a.scatter(0, &far, a));
    panics!(rows, "scatter", ["[2, 2]", "not [1, 3]"], a.scatter(0, &places, b));
    panics!(rows, "scatter", ["not [1, 3]"], v.scatter(0, &places, v));
    panics!(rows, "scatter", TAPES, a.scatter(0, &places, f));
    panics!(rows, "scatter", TAPES, a.scatter(0, &of_other, a));
    panics!(rows, "scatter_add", ["[2, 2]", "not [1, 3]"], a.scatter_add(0, &places, b));
    panics!(rows, "scatter_add", TAPES, a.scatter_add(0, &of_other, a));
    panics!(rows, "take_along_axis", TAPES, a.take_along_axis(0, &of_other));
    panics!(rows, "index_copy", ["axis 2", "[2, 3]"], a.index_copy(2, &[0, 1], a));
    panics!(rows, "index_copy", ["index 2", "size 2"], a.index_copy(0, &[0, 2], a));
    panics!(rows, "index_copy", ["the shape [2, 3]", "it has [2, 2]"], a.index_copy(0, &[0, 1], b));
    panics!(rows, "index_copy", TAPES, a.index_copy(0, &[0, 1], f));
    panics!(rows, "index_copy", TAPES, a.index_copy(0, &other.labels(&[0, 1]), a));
    panics!(rows, "index_add", TAPES, a.index_add(0, &[0, 1], f));
    panics!(rows, "index_max", ["axis 2", "[2, 3]"], a.index_max(2, &[0, 1], a));
    panics!(rows, "index_max", ["index 2", "size 2"], a.index_max(0, &[0, 2], a));
    panics!(rows, "index_min", ["the shape [2, 3]", "it has [2, 2]"], a.index_min(0, &[0, 1], b));
    panics!(rows, "index_min", TAPES, a.index_min(0, &[0, 1], f));
    panics!(rows, "scatter_max", ["[2, 2]", "not [1, 3]"], a.scatter_max(0, &places, b));
    panics!(rows, "scatter_min", ["index 2", "size 2"], a.scatter_min(0, &far, a));
    panics!(rows, "scatter_min", TAPES, a.scatter_min(0, &of_other, a));
}
