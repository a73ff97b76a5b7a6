//! Pooling at borders and at ties, and what is put around a tensor.

use autograd::{Float, Padding, Pool, Tape, Tensor, Var, grad, jvp};
use std::panic::catch_unwind;

const PADDED: Pool = Pool { kernel: [2, 2], stride: [2, 2], padding: [1, 1] };

#[test]
fn the_padding_of_a_max_pool_is_never_the_largest() {
    fn check<T: Float>() {
        let tape = Tape::<T>::default();
        let x = tape.var(&Tensor::full([1, 1, 2, 2], -T::INFINITY));
        let y = x.max_pool2d(PADDED);
        assert_eq!(y.value().as_slice(), [-T::INFINITY; 4]);
        assert_eq!(grad(y.sum(), &x).value().as_slice(), [T::ONE; 4]);
        let x = tape.var(&Tensor::new([1, 1, 1, 2], vec![T::of(-3.0), -T::MAX]));
        let y = x.max_pool2d(Pool { kernel: [3, 2], stride: [1, 1], padding: [1, 1] });
        assert_eq!(y.value().as_slice(), [T::of(-3.0), T::of(-3.0), -T::MAX]);
        assert_eq!(grad(y.sum(), &x).value().as_slice(), [T::of(2.0), T::ONE]);
    }
    check::<f64>();
    check::<f32>();
}

#[test]
fn a_tie_goes_to_the_first_of_the_window_in_both_modes_and_a_nan_before_all() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::new([1, 1, 3, 3], vec![1.0, 1.0, 2.0, 0.0, 1.0, 2.0, 2.0, 2.0, f64::NAN]));
    let y = x.max_pool2d(Pool { kernel: [2, 2], stride: [1, 1], padding: [0, 0] });
    assert_eq!(y.value().as_slice()[..3], [1.0, 2.0, 2.0]);
    assert!(y.value().as_slice()[3].is_nan());
    let dy = tape.var(&Tensor::new([1, 1, 2, 2], vec![1.0, 10.0, 100.0, 1000.0]));
    let dx = grad((y.nan_to_num() * dy).sum(), &x);
    assert_eq!(dx.value().as_slice(), [1.0, 0.0, 10.0, 0.0, 0.0, 0.0, 100.0, 0.0, 0.0]);
    let tangent = tape.var(&Tensor::new([1, 1, 3, 3], (1..10).map(f64::from).collect()));
    assert_eq!(jvp(y, &x, &tangent).value().as_slice(), [1.0, 3.0, 7.0, 9.0]);
}

#[test]
fn pooling_of_images_without_rows_or_columns_is_an_error() {
    let pool = Pool { kernel: [2, 2], stride: [1, 1], padding: [1, 1] };
    for shape in [[1, 1, 0, 2], [1, 1, 2, 0]] {
        let of = |f: fn(Var<'_>, Pool) -> usize| {
            catch_unwind(move || f(Tape::new().var(&Tensor::zeros(shape)), pool)).is_err()
        };
        assert!(of(|x, pool| x.max_pool2d(pool).numel()), "the largest of {shape:?}");
        assert!(of(|x, pool| x.avg_pool2d(pool, Padding::IsLeftOut).numel()), "the mean of {shape:?}");
        // The zeros of the padding are there to count.
        assert!(!of(|x, pool| x.avg_pool2d(pool, Padding::Counts).numel()), "the mean with its padding of {shape:?}");
    }
}

#[test]
fn what_lies_beyond_the_padding_is_never_the_largest_and_never_counts() {
    fn check<T: Float>() {
        let tape = Tape::<T>::default();
        let row = |values: &[f64]| tape.var(&Tensor::from_fn([1, 1, 1, values.len()], |i| T::of(values[i])));
        let last = Pool::new([1, 2]).ceil_mode();
        let x = row(&[-3.0, f64::NEG_INFINITY, f64::NEG_INFINITY]);
        assert_eq!(x.max_pool2d(last).value().as_slice(), [T::of(-3.0), -T::INFINITY]);
        assert_eq!(grad(x.max_pool2d(last).sum(), &x).value().as_slice(), [T::ONE, T::ZERO, T::ONE]);
        let x = row(&[1.0, 2.0, 3.0]);
        assert_eq!(x.avg_pool2d(last, Padding::Counts).value().as_slice(), [T::of(1.5), T::of(3.0)]);
        // Of the second window, one element is in the image, one in the padding, and one beyond it.
        let padded = Pool { padding: [0, 1], ..Pool::new([1, 3]) }.ceil_mode();
        assert_eq!(x.avg_pool2d(padded, Padding::Counts).value().as_slice(), [T::ONE, T::of(1.5)]);
        assert_eq!(x.avg_pool2d(padded, Padding::IsLeftOut).value().as_slice(), [T::of(1.5), T::of(3.0)]);
        let dx = grad(x.avg_pool2d(padded, Padding::Counts).sum(), &x);
        assert_eq!(dx.value().as_slice(), [T::ONE / T::of(3.0), T::ONE / T::of(3.0), T::of(0.5)]);
    }
    check::<f64>();
    check::<f32>();
}

#[test]
fn a_window_that_goes_on_to_the_last_element_begins_in_the_image_or_before_it() {
    let places = |size: usize, pool: Pool| {
        let tape = Tape::new();
        let image = tape.var(&Tensor::<f64>::zeros([1, 1, 1, size]));
        let (most, mean) = (image.max_pool2d(pool.ceil_mode()), image.avg_pool2d(pool.ceil_mode(), Padding::IsLeftOut));
        assert_eq!(most.shape(), mean.shape());
        most.shape()[3]
    };
    let pool = |kernel, stride, padding| Pool { kernel: [1, kernel], stride: [1, stride], padding: [0, padding] };
    assert_eq!(places(5, pool(2, 2, 0)), 3);
    // It would begin behind the image, or in the padding behind it.
    assert_eq!(places(2, pool(1, 3, 0)), 1);
    assert_eq!(places(3, pool(2, 2, 1)), 2);
    // The window is larger than the image, but begins in it.
    assert_eq!(places(1, pool(2, 2, 0)), 1);
    assert!(catch_unwind(|| places(1, pool(3, 2, 0))).is_err());
}

#[test]
fn zeros_keep_their_sign_in_a_padded_tensor_and_around_it() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([-0.0, 2.0, 0.0]));
    let negative = |value: f64| -> Vec<bool> {
        x.pad(&[(1, 1)], value).value().as_slice().iter().map(|x| x.is_sign_negative()).collect()
    };
    assert_eq!(negative(-0.0), [true, true, false, false, true]);
    assert_eq!(negative(0.0), [false, true, false, false, false]);
    assert_eq!(negative(-1.5), [true, true, false, false, true]);
    assert_eq!(grad(x.pad(&[(1, 1)], -0.0).square().sum(), &x).value().as_slice(), [0.0, 4.0, 0.0]);
}
