//! Parameters of any structure as one row of numbers.

use autograd::{Float, Tape, Tensor, Tree, Var};
use std::collections::BTreeMap;

/// Tensors by name, which is what a method remembers.
pub(super) type Memory<T> = BTreeMap<String, Tensor<T>>;

/// The numbers of all leaves, one leaf after the other.
pub(super) fn gather<T: Float>(tree: &impl Tree<Leaf = Tensor<T>>) -> Vec<T> {
    let mut row = Vec::new();
    tree.visit(&mut |leaf| row.extend_from_slice(leaf.as_slice()));
    row
}

/// Writes a row of as many numbers into the leaves.
pub(super) fn scatter<T: Float>(row: &[T], tree: &mut impl Tree<Leaf = Tensor<T>>) {
    let mut rest = row;
    tree.visit_mut(&mut |leaf| {
        let (these, others) = rest.split_at(leaf.numel());
        leaf.as_mut_slice().copy_from_slice(these);
        rest = others;
    });
}

/// A function of a row of numbers: its value and its gradient.
pub(super) type Evaluate<'a, T> = dyn FnMut(&[T]) -> (f64, Vec<T>) + 'a;

/// What is wrong with a loss that is not one number. Recording it computes nothing.
pub(super) fn wrong_loss<T: Float, P>(
    tape: &mut Tape<T>,
    params: &P,
    f: &mut impl for<'t> FnMut(&'t Tape<T>, P::With<Var<'t, T>>) -> Var<'t, T>,
) -> Option<String>
where
    P: Tree<Leaf = Tensor<T>>,
{
    tape.clear();
    let shape = {
        let tape = &*tape;
        f(tape, tape.vars(params)).shape()
    };
    tape.clear();
    (shape.numel() != 1).then(|| format!("a loss of one number is needed, its shape is {shape}"))
}

/// What is wrong with settings: numbers that must be finite and not below 0, and counts of 1 or more.
pub(super) fn wrong_settings(numbers: &[(&str, f64)], counts: &[(&str, usize)]) -> Option<String> {
    if let Some((name, value)) = numbers.iter().find(|(_, x)| !x.is_finite() || *x < 0.0) {
        return Some(format!("`{name}` must be finite and not below 0, it is {value}"));
    }
    let (name, _) = counts.iter().find(|(_, count)| *count == 0)?;
    Some(format!("`{name}` must be 1 or more, it is 0"))
}

/// The sum of products, in `f64`, in eight sums of every eighth: one order on every CPU.
pub(super) fn dot<T: Float>(a: &[T], b: &[T]) -> f64 {
    let mut sums = [0.0; 8];
    let (a, b) = (a.chunks_exact(8), b.chunks_exact(8));
    let (rest_a, rest_b) = (a.remainder(), b.remainder());
    for (a, b) in a.zip(b) {
        for i in 0..8 {
            sums[i] += a[i].to_f64() * b[i].to_f64();
        }
    }
    for ((sum, a), b) in sums.iter_mut().zip(rest_a).zip(rest_b) {
        *sum += a.to_f64() * b.to_f64();
    }
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

/// `y ← y + factor · x`
pub(super) fn add<T: Float>(y: &mut [T], factor: f64, x: &[T]) {
    let factor = T::of(factor);
    for (y, &x) in y.iter_mut().zip(x) {
        *y += factor * x;
    }
}

/// The largest magnitude, NaN if there is a NaN.
pub(super) fn largest<T: Float>(x: &[T]) -> f64 {
    x.iter().fold(T::ZERO, |most, x| most.larger(x.abs())).to_f64()
}

/// Whether all are finite.
pub(super) fn all_finite<T: Float>(x: &[T]) -> bool {
    x.iter().all(|x| x.is_finite())
}

/// A remembered number.
pub(super) fn number<T: Float>(memory: &Memory<T>, name: &str) -> Option<f64> {
    memory.get(name).and_then(|tensor| tensor.as_slice().first()).map(|x| x.to_f64())
}

/// Remembers a number.
pub(super) fn keep<T: Float>(memory: &mut Memory<T>, name: &str, value: f64) {
    memory.insert(name.to_owned(), Tensor::scalar(T::of(value)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_into_their_leaves() {
        let mut tree = (Tensor::from([1.0, 2.0]), vec![Tensor::from_rows([[3.0], [4.0]])]);
        let row = gather(&tree);
        assert_eq!(row, [1.0, 2.0, 3.0, 4.0]);
        scatter(&[5.0, 6.0, 7.0, 8.0], &mut tree);
        assert_eq!((tree.0.as_slice(), tree.1[0].at([1, 0])), (&[5.0, 6.0][..], 8.0));
    }

    #[test]
    fn dot_products_of_any_length_count_each_element_once() {
        for n in 0..40 {
            let a: Vec<f32> = (0..n).map(|i: u16| f32::from(i)).collect();
            let want: f64 = (0..n).map(|i| f64::from(i * i)).sum();
            assert_eq!(dot(&a, &a), want);
        }
    }
}
