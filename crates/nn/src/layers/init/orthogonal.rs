//! Matrices with orthonormal rows or columns.

use autograd::{Error, Float, Shape, Tensor};
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

/// `gain` times orthonormal lines: the shorter side of the matrix `[out, rest]` tells how many.
///
/// Normal vectors point everywhere with equal likelihood; each is made orthogonal to those before (Gram and Schmidt, twice,
/// which leaves rounding alone: Giraud et al., "The loss of orthogonality in the Gram-Schmidt process", 2005).
#[inline(never)]
pub(super) fn sample<T: Float>(gain: f64, shape: Shape, rng: &mut impl Rng) -> Result<Tensor<T>, Error> {
    let mut weight = Tensor::try_from_fn(shape, |_| T::ZERO)?;
    let rows = weight.shape()[0];
    let columns: usize = weight.shape()[1..].iter().product();
    if rows == 0 || columns == 0 {
        return Ok(weight);
    }
    let (lines, length) = (rows.min(columns), rows.max(columns));
    let mut done: Vec<Vec<f64>> = Vec::with_capacity(lines);
    while done.len() < lines {
        let mut line: Vec<f64> = (0..length).map(|_| rng.sample(StandardNormal)).collect();
        let before = norm(&line);
        for _ in 0..2 {
            for other in &done {
                let along = dot(&line, other);
                for (x, y) in line.iter_mut().zip(other) {
                    *x -= along * y;
                }
            }
        }
        let left = norm(&line);
        // A vector that nearly lies among those before is drawn again.
        if left > 1e-6 * before {
            for x in &mut line {
                *x /= left;
            }
            done.push(line);
        }
    }
    let by_row = rows <= columns;
    for (i, to) in weight.as_mut_slice().iter_mut().enumerate() {
        let (row, column) = (i / columns, i % columns);
        *to = T::of(gain * if by_row { done[row][column] } else { done[column][row] });
    }
    Ok(weight)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}
