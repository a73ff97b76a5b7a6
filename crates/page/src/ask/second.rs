//! The second order of one example's loss by its scores.

use super::{Answer, Request, closed, numbers, rows};
use crate::state::State;
use autograd::{Tape, Tensor, grad, hvp};
use serde_json::{Value, json};
use softmax_net::closed_form::probabilities;
use softmax_net::closed_form::{d2l_ds2, dl_ds};
use softmax_net::finite_differences::jacobian as by_differences;

/// The Hessian of example `i`, its eigenvalues, and its product with a direction `v` (that of class `k` where none is given) in four
/// ways.
pub(super) fn second(request: &Request) -> Answer {
    let state = State::of(request)?;
    let (forward, _) = closed(&state)?;
    let (k, label) = (state.sizes.k, state.labels[state.i]);
    let scores = forward.s[state.i * k..][..k].to_vec();
    let v = match request.get("v") {
        None | Some(Value::Null) => (0..k).map(|class| f64::from(u8::from(class == state.k))).collect(),
        Some(given) => {
            let v = given.as_array().and_then(|v| v.iter().map(Value::as_f64).collect::<Option<Vec<f64>>>());
            v.filter(|v| v.len() == k).ok_or_else(|| format!("v must be {k} numbers"))?
        }
    };
    let hessian = d2l_ds2(&probabilities(&scores, k), k);
    let product: Vec<f64> = hessian.chunks(k).map(|row| row.iter().zip(&v).map(|(entry, v)| entry * v).sum()).collect();
    let [forward_over_reverse, reverse_over_reverse] = by_tape(&scores, &v, label);
    let gradient_at = |t: &[f64]| {
        let moved: Vec<f64> = scores.iter().zip(&v).map(|(s, v)| s + t[0] * v).collect();
        dl_ds(&probabilities(&moved, k), &[label], k)
    };
    let differences = by_differences(&[0.0], gradient_at, |_| ());
    Ok(json!({
        "hessian": rows(&hessian, k),
        "eigenvalues": numbers(&eigenvalues(hessian, k)),
        "v": numbers(&v),
        "closed": numbers(&product),
        "forward_over_reverse": numbers(&forward_over_reverse),
        "reverse_over_reverse": numbers(&reverse_over_reverse),
        "differences": numbers(&differences.into_iter().map(|d| d.unwrap_or(f64::NAN)).collect::<Vec<_>>()),
        "along": numbers(&[product.iter().zip(&v).map(|(p, v)| p * v).sum()]),
    }))
}

/// The tangent of the gradient, and the gradient of the gradient along `v`.
fn by_tape(scores: &[f64], v: &[f64], label: usize) -> [Vec<f64>; 2] {
    let tape = Tape::new();
    let row = |values: &[f64]| tape.var(&Tensor::new([1, values.len()], values.to_vec()));
    let (s, v) = (row(scores), row(v));
    let loss = s.cross_entropy(&tape.labels(&[label]));
    let [forward] = hvp(loss, &[s], &[v]);
    let reverse = grad((grad(loss, &s) * v).sum(), &s);
    [forward, reverse].map(|product| product.value().to_vec())
}

/// The eigenvalues of a symmetric matrix, the largest first, by Jacobi's rotations (Golub and Van Loan, "Matrix Computations",
/// section 8.5).
fn eigenvalues(mut a: Vec<f64>, n: usize) -> Vec<f64> {
    for _sweep in 0..20 {
        for (p, q) in (0..n).flat_map(|p| (p + 1..n).map(move |q| (p, q))) {
            if a[p * n + q] == 0.0 {
                continue;
            }
            let tau = (a[q * n + q] - a[p * n + p]) / (2.0 * a[p * n + q]);
            let t = if tau >= 0.0 { 1.0 / (tau + tau.hypot(1.0)) } else { -1.0 / (-tau + tau.hypot(1.0)) };
            let c = 1.0 / t.hypot(1.0);
            let s = t * c;
            for r in 0..n {
                let (x, y) = (a[r * n + p], a[r * n + q]);
                (a[r * n + p], a[r * n + q]) = (c * x - s * y, s * x + c * y);
            }
            for r in 0..n {
                let (x, y) = (a[p * n + r], a[q * n + r]);
                (a[p * n + r], a[q * n + r]) = (c * x - s * y, s * x + c * y);
            }
        }
    }
    let mut values: Vec<f64> = (0..n).map(|k| a[k * n + k]).collect();
    values.sort_by(|a, b| b.total_cmp(a));
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eigenvalues_are_those_that_are_known() {
        let found = eigenvalues(vec![2.0, 1.0, 0.0, 1.0, 2.0, 0.0, 0.0, 0.0, -1.0], 3);
        for (found, want) in found.iter().zip([3.0, 1.0, -1.0]) {
            assert!((found - want).abs() < 1e-14, "{found}");
        }
        assert_eq!(eigenvalues(vec![0.0; 4], 2), [0.0, 0.0]);
    }
}
