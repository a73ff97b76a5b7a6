//! Views of integers: the same places as views of numbers, each checked for its own range, eager and replayed.

use autograd::{
    CrossEntropyOptions, Float, IndexVar, Program, ProgramErrorKind, Reduction, Scan, Slice, Tape, Tensor, Var, grad,
};
use std::panic::{AssertUnwindSafe, catch_unwind};

#[test]
fn integers_are_viewed_and_joined_as_numbers_are() {
    let tape = Tape::<f64>::new();
    let index = tape.indices([2, 3], &[0, -1, 2, 3, 4, 1 << 40]);
    let numbers = tape.var(&Tensor::from_fn([2, 3], |i| [0.0, -1.0, 2.0, 3.0, 4.0, (1_u64 << 40) as f64][i]));
    let ends = [Slice::all().step(-1), Slice::from(1..)];
    let views = [
        (index.narrow(1, 1, 2), numbers.narrow(1, 1, 2)),
        (index.slice(ends), numbers.slice(ends)),
        (index.flip(&[0, 1]), numbers.flip(&[0, 1])),
        (index.transpose(&[1, 0]), numbers.transpose(&[1, 0])),
        (index.narrow(0, 1, 1).squeeze(0), numbers.narrow(0, 1, 1).squeeze(0)),
        (index.narrow(0, 0, 0), numbers.narrow(0, 0, 0)),
        (index.reshape([6]).narrow(0, 2, 3), numbers.reshape([6]).narrow(0, 2, 3)),
        (IndexVar::concat(&[index, index.flip(&[0])], 1), autograd::concat(&[numbers, numbers.flip(&[0])], 1)),
        (IndexVar::stack(&[index, index], 0), autograd::stack(&[numbers, numbers], 0)),
    ];
    for (index, numbers) in views {
        let values: Vec<i64> = numbers.value().as_slice().iter().map(|&x| x as i64).collect();
        assert_eq!((index.shape(), index.value()), (numbers.shape(), values));
    }
}

fn refused<T: autograd::Float>(x: autograd::Var<'_, T>, index: &IndexVar<'_, T>) -> String {
    x.try_gather(0, index).unwrap_err().to_string()
}

#[test]
fn a_view_is_checked_for_its_own_integers_and_not_for_those_beside_them() {
    let tape = Tape::<f32>::default();
    let x = tape.var(&Tensor::from([5.0, 6.0, 7.0]));
    let index = tape.indices([5], &[0, 9, 2, -8, i64::from(i32::MAX) + 5]);
    assert_eq!(x.gather(0, &index.slice([Slice::from(..3).step(2)])).value().as_slice(), [5.0, 7.0]);
    assert!(refused(x, &index.narrow(0, 0, 2)).contains("index 9 is out of range for size 3"));
    assert!(refused(x, &index.narrow(0, 2, 2).flip(&[0])).contains("index -8 is out of range"));
    // What does not fit the bits of `f32` is told as it came.
    assert!(refused(x, &index.narrow(0, 4, 1)).contains("index 2147483652 is out of range"));
    let joined = IndexVar::concat(&[index.narrow(0, 2, 1), index.narrow(0, 1, 1)], 0);
    assert!(refused(x, &joined).contains("index 9 is out of range"));
    let order = tape.var(&Tensor::from([3.0, 1.0, 2.0])).argsort(0, autograd::Order::Ascending);
    let both = IndexVar::concat(&[order, index.narrow(0, 0, 1)], 0);
    assert_eq!(x.gather(0, &both.flip(&[0])).value().as_slice(), [5.0, 5.0, 7.0, 6.0]);
    assert_eq!(x.gather(0, &order.narrow(0, 1, 1)).value().as_slice(), [7.0]);
}

#[test]
fn a_program_checks_those_integers_of_an_input_that_it_indexes_with() {
    let x = Tensor::from([5.0, 6.0, 7.0]);
    let mut second = Program::record(&(), &(&x, &[100_usize, 1, 2, 100]), |_, (), (x, index)| {
        let reversed = index.narrow(0, 1, 2).flip(&[0]);
        (vec![], vec![x.gather(0, &reversed), x.gather(0, &IndexVar::concat(&[reversed, reversed], 0))])
    })
    .unwrap();
    let outputs = second.run(&(&x, &[7_usize, 0, 1, 50])).unwrap();
    assert_eq!((outputs.slice(0), outputs.slice(1)), (&[6.0, 5.0][..], &[6.0, 5.0, 6.0, 5.0][..]));
    let error = second.run(&(&x, &[0_usize, 0, 3, 0])).err().unwrap();
    assert!(
        matches!(error.kind(), ProgramErrorKind::Label { input: 1, position: 2, label: 3, high: 2, .. }),
        "{error}"
    );
    let outputs = second.run(&(&x, &[0_usize, 2, 2, usize::MAX])).unwrap();
    assert_eq!(outputs.slice(0), [7.0, 7.0]);
    // The whole is checked where the whole is read.
    let mut whole = Program::record(&(), &(&x, &[0_usize, 1]), |_, (), (x, index)| {
        (vec![], vec![x.gather(0, &index), x.narrow(0, 0, 1).gather(0, &index.narrow(0, 0, 1))])
    })
    .unwrap();
    assert!(whole.run(&(&x, &[0_usize, 3])).is_err() && whole.run(&(&x, &[1_usize, 0])).is_err());
    assert_eq!(whole.run(&(&x, &[0_usize, 2])).unwrap().slice(1), [5.0]);
    // So are labels of classes, of a batch that is narrowed.
    let scores = Tensor::from_rows([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    let mut loss = Program::record(&(), &(&scores, &[0_usize, 1, 5]), |_, (), (scores, labels)| {
        (vec![], vec![scores.narrow(0, 0, 2).cross_entropy(&labels.narrow(0, 0, 2))])
    })
    .unwrap();
    assert!(loss.run(&(&scores, &[1_usize, 0, 9])).is_ok());
    assert!(loss.run(&(&scores, &[1_usize, 2, 0])).is_err());
}

/// Nobody knows which of the integers are chosen, so that all of them are checked in each run, however they are viewed then.
#[test]
fn chosen_integers_are_checked_in_each_run_also_through_views_of_them() {
    type View = for<'t> fn(IndexVar<'t>) -> IndexVar<'t>;
    let views: [View; 8] = [
        |chosen| chosen.narrow(0, 0, 1),
        |chosen| chosen.slice(1..),
        |chosen| chosen.flip(&[0]),
        |chosen| chosen.transpose(&[0]),
        |chosen| chosen.expand_dims(0).narrow(0, 0, 1).squeeze(0),
        |chosen| chosen.flip(&[0]).index_select(0, &[0]).flip(&[0]),
        |chosen| IndexVar::concat(&[chosen, chosen.narrow(0, 0, 1)], 0),
        |chosen| IndexVar::stack(&[chosen, chosen.flip(&[0])], 0),
    ];
    let x = Tensor::from_rows([[5.0, 6.0, 7.0], [8.0, 9.0, 1.0], [2.0, 3.0, 4.0]]);
    for (k, view) in views.into_iter().enumerate() {
        let inputs = (&x, &[0_usize, 1, 2, 0]);
        let mut program = Program::record(&(), &inputs, |_, (), (x, i)| {
            (vec![], vec![x.gather(0, &view(i.index_select(0, &[0, 1])))])
        })
        .unwrap();
        program.run(&(&x, &[1_usize, 2, 0, 0])).unwrap();
        // The last is never chosen.
        let error = program.run(&(&x, &[3_usize, 1, 2, 0])).unwrap_err();
        assert!(error.to_string().contains("index 3 at position 0 is out of range for gather"), "{k}: {error}");
        // Where the places are known, so are the integers.
        let tape = Tape::new();
        let chosen = tape.indices([3], &[0, 1, 100]).index_select(0, &[0, 1]);
        assert!(tape.var(&x).try_gather(0, &view(chosen)).is_ok(), "{k}");
    }
}

/// In the body of a loop nobody knows which labels a step has: all that it may have must be classes, or be ignored.
#[test]
fn labels_that_are_chosen_in_each_step_of_a_loop_may_be_ignored() {
    let scores = Tensor::from_fn([2, 3], |i| (i as f64 * 0.7).sin());
    let options = CrossEntropyOptions { ignore_index: Some(9), reduction: Reduction::Sum, ..Default::default() };
    let looped = |ids: &[i64]| {
        let tape = Tape::new();
        let (s, labels) = (tape.var(&scores), tape.indices([3, 2], ids));
        let (sum, ()) = Scan::steps(3).run(&tape, &tape.scalar(0.0), &(), |sum, (), step| {
            let labels = labels.index_select(0, &step.reshape([1])).squeeze(0);
            (sum + s.cross_entropy_opts(&labels, &options), ())
        });
        sum.item()
    };
    let tape = Tape::new();
    let each = |labels: [i64; 2]| tape.var(&scores).cross_entropy_opts(&tape.indices([2], &labels), &options).item();
    let want = each([0, 9]) + each([2, 1]) + each([9, 9]);
    assert_eq!(looped(&[0, 9, 2, 1, 9, 9]), want);
    let refused = catch_unwind(AssertUnwindSafe(|| looped(&[0, 1, 2, 1, 7, 1]))).unwrap_err();
    let text = refused.downcast_ref::<String>().unwrap();
    assert!(text.contains("cross_entropy_opts: label 7 is out of range for 3 classes"), "{text}");
}

#[test]
fn a_mean_over_computed_labels_of_which_none_counts_is_an_error_where_they_are_known() {
    let weights = CrossEntropyOptions { class_weights: Some(Tensor::from([0.0, 1.0, 1.0])), ..Default::default() };
    for options in [CrossEntropyOptions { ignore_index: Some(0), ..Default::default() }, weights] {
        let tape = Tape::new();
        let (scores, none) = (tape.var(&Tensor::ones([2, 3])), tape.var(&Tensor::zeros([2])));
        assert!(scores.cross_entropy_opts(&none.add_scalar(1.0).to_index(3), &options).item() > 0.0);
        let refused = catch_unwind(AssertUnwindSafe(|| scores.cross_entropy_opts(&none.to_index(3), &options)));
        let text = refused.unwrap_err().downcast_ref::<String>().unwrap().clone();
        assert!(text.contains("the mean over no counted examples does not exist"), "{text}");
    }
}

#[test]
fn one_hot_rows_follow_the_labels_of_each_run() {
    let tape = Tape::<f32>::default();
    let rows = tape.indices([2, 2], &[0, 1, 3, 3]).one_hot(4).value();
    let expected = [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 1.0]];
    assert_eq!((&rows.shape()[..], rows.as_slice()), (&[2, 2, 4][..], expected.as_flattened()));
    assert_eq!(tape.labels(&[]).one_hot(0).value().shape()[..], [0, 0]);
    assert_eq!(tape.indices([], &[1]).one_hot(2).value().as_slice(), [0.0, 1.0]);
    // What an operation computes, and a part of what is given.
    let x = tape.var(&Tensor::from([1.0, 3.0, 2.0]));
    assert_eq!(x.argmax(0).one_hot(3).value().as_slice(), [0.0, 1.0, 0.0]);
    assert_eq!(tape.labels(&[9, 1]).narrow(0, 1, 1).one_hot(2).value().as_slice(), [0.0, 1.0]);

    let scores = Tensor::from_rows([[1.0, 2.0], [3.0, 4.0]]);
    let mut chosen = Program::record(&(), &(&scores, &[0_usize, 1]), |_, (), (scores, labels)| {
        let chosen = (scores * labels.one_hot(2)).sum();
        (vec![], vec![chosen, autograd::grad(chosen, &scores)])
    })
    .unwrap();
    for (labels, sum, slopes) in [([1_usize, 0], 5.0, [0.0, 1.0, 1.0, 0.0]), ([0, 0], 4.0, [1.0, 0.0, 1.0, 0.0])] {
        let outputs = chosen.run(&(&scores, &labels)).unwrap();
        assert_eq!((outputs.item(0), outputs.slice(1)), (sum, &slopes[..]));
    }
    let error = chosen.run(&(&scores, &[0_usize, 2])).err().unwrap();
    assert!(
        matches!(error.kind(), ProgramErrorKind::Label { input: 1, position: 1, label: 2, high: 1, .. }),
        "{error}"
    );
}

/// Types tell only so many numbers apart, and no two classes may be one.
#[test]
fn one_hot_rows_have_as_many_classes_as_a_type_counts() {
    let tape = Tape::<f32>::default();
    let last = tape.labels(&[(1 << 24) - 1]).one_hot(1 << 24).value();
    assert_eq!(last.as_slice().iter().rposition(|&x| x == 1.0), Some((1 << 24) - 1));
    assert_eq!(last.as_slice().iter().sum::<f32>(), 1.0);
    let text = crate::semantics::operations::panic_of(|| tape.labels(&[0]).one_hot((1 << 24) + 1));
    assert!(text.contains("one_hot: 16777217 classes are more than the 16777216 that f32 tells apart"), "{text}");
}

#[test]
fn steps_that_repeat_index_with_the_integers_of_each() {
    let mut tape = Tape::new();
    for step in 0..50_i64 {
        let list: Vec<i64> = (0..6).map(|i| (i * step) % 7).collect();
        let index = tape.indices([6], &list).narrow(0, 2, 3);
        let x = tape.var(&Tensor::from_fn([7], |i| i as f64 + step as f64));
        let y = x.gather(0, &index).square().sum();
        let expected: f64 = list[2..5].iter().map(|&i| ((i + step) as f64).powi(2)).sum();
        assert_eq!(y.item(), expected, "step {step}");
        tape.clear();
    }
}

#[test]
fn numbers_name_places_that_are_computed_anew_in_each_run() {
    fn read<'t, T: Float>(table: Var<'t, T>, x: Var<'t, T>) -> Var<'t, T> {
        table.gather(0, &x.to_index(4))
    }
    fn check<T: Float>() {
        let table = Tensor::from([0.0, 10.0, 40.0, 90.0]).map(|x: f64| T::of(x));
        let all = [-0.0, -0.5, 0.999, 1.0, 2.75, 3.0, 3.5, 1e30, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
        let want = [0, 0, 0, 1, 2, 3, 3, 3, 3, 0, 0];
        let of = |x: &[f64]| Tensor::new([x.len()], x.iter().map(|&x| T::of(x)).collect());
        let tape = Tape::<T>::default();
        assert_eq!(tape.var(&of(&all)).to_index(4).value(), want);
        assert_eq!(tape.var(&of(&[])).to_index(0).value(), [0_i64; 0]);
        // Above 2^24 an `f32` has every other one.
        let last = if T::NAME == "f32" { 33_554_430 } else { 33_554_431 };
        assert_eq!(tape.var(&of(&[33_554_430.0, 1e30])).to_index(1 << 25).value(), [33_554_430, last]);
        let mut program = Program::record(&(), &(&table, &of(&[0.0; 11])), |tape, (), (table, x)| {
            let ((), steps) = tape.scan(&(), &x, |(), x, _| ((), read(table, x)));
            let places = read(table, x);
            (vec![], vec![places, steps, grad(places.sum(), &table), grad(steps.square().sum(), &table)])
        })
        .unwrap();
        let reversed: Vec<f64> = all.iter().rev().copied().collect();
        for x in [&all[..], &reversed] {
            let outputs = program.run(&(&table, &of(x))).unwrap();
            let places = x.iter().map(|x| want[all.iter().position(|a| a.to_bits() == x.to_bits()).unwrap()]);
            let read: Vec<T> = places.map(|place| table.as_slice()[place as usize]).collect();
            assert_eq!((outputs.slice(0), outputs.slice(1)), (&read[..], &read[..]));
            assert_eq!(outputs.slice(2), [5.0, 1.0, 1.0, 4.0].map(T::of));
            assert_eq!(outputs.slice(3), [0.0, 20.0, 80.0, 720.0].map(T::of));
        }
    }
    check::<f32>();
    check::<f64>();
}

/// Between four pixels, in straight lines along both axes.
fn bilinear<'t>(image: Var<'t>, x: Var<'t>, y: Var<'t>) -> Var<'t> {
    let ([rows, cols], flat) = ([image.shape()[0], image.shape()[1]], image.reshape([image.numel()]));
    let at = |x: Var<'t>, y: Var<'t>| flat.gather(0, &(y.floor() * cols as f64 + x.floor()).to_index(rows * cols));
    let (u, v) = (x - x.floor(), y - y.floor());
    (at(x, y) * (1.0 - u) + at(x + 1.0, y) * u) * (1.0 - v)
        + (at(x, y + 1.0) * (1.0 - u) + at(x + 1.0, y + 1.0) * u) * v
}

#[test]
fn an_image_is_read_between_its_pixels_with_derivatives_by_both() {
    let tape = Tape::new();
    let image = tape.var(&Tensor::from_rows([[1.0, 2.0, 4.0], [8.0, 16.0, 32.0]]));
    let (x, y) = (tape.var(&Tensor::from([0.25, 1.5])), tape.var(&Tensor::from([0.5, 0.75])));
    let read = bilinear(image, x, y);
    assert_eq!(read.value().as_slice(), [5.625, 18.75]);
    let [by_image, by_x] = grad(read.sum(), &[image, x]);
    assert_eq!(by_x.value().as_slice(), [4.5, 12.5]);
    assert_eq!(by_image.value().as_slice(), [0.375, 0.125 + 0.125, 0.125, 0.375, 0.125 + 0.375, 0.375]);
    // A mixed second derivative: of the slopes in x by y.
    assert_eq!(grad(by_x.sum(), &y).value().as_slice(), [8.0 - 1.0, 16.0 - 2.0]);
}

#[test]
fn places_that_numbers_name_have_a_range_that_is_checked_where_they_are_used() {
    let tape = Tape::<f64>::new();
    let x = tape.var(&Tensor::from([5.0, 6.0, 7.0]));
    assert!(refused(x, &x.to_index(4)).contains("a computed index may be 3, which is out of range for size 3"));
    assert_eq!(x.gather(0, &x.narrow(0, 0, 0).to_index(4)).value().as_slice(), [0.0; 0]);
    assert_eq!(x.gather(0, &(x - 5.0).to_index(2)).value().as_slice(), [5.0, 6.0, 6.0]);
}

#[test]
fn computed_labels_are_checked_by_what_they_may_be_also_beside_an_ignored_one() {
    let scores = Tensor::from_fn([4, 3], |i| (i as f64 * 0.7).sin());
    let ignoring = |ignore| CrossEntropyOptions { ignore_index: Some(ignore), ..Default::default() };
    let options = ignoring(3);
    let tape = Tape::new();
    let (s, x) = (tape.var(&scores), tape.var(&Tensor::from([0.0, 1.0, 2.0, 3.0])));
    let want = s.narrow(0, 0, 3).cross_entropy(&[0, 1, 2]).item();
    assert_eq!(s.cross_entropy_opts(&x.to_index(4), &options).item(), want);
    let joined = IndexVar::concat(&[x.narrow(0, 2, 1).to_index(4), tape.labels(&[0, 3, 1])], 0);
    assert!(s.cross_entropy_opts(&joined, &options).item() > 0.0);
    // In the body of a loop nobody knows them.
    let (last, ()) = tape.scan(&tape.scalar(0.0), &tape.var(&Tensor::zeros([3])), |sum, zero, _| {
        (sum + s.cross_entropy_opts(&(x + zero).to_index(4), &options), ())
    });
    assert!((last.item() - 3.0 * want).abs() < 1e-14);
    // In a program they are those of each run.
    let mut loss = Program::record(&(), &(&scores, &x.value()), |_, (), (s, x)| {
        (vec![], vec![s.cross_entropy_opts(&x.to_index(4), &options)])
    })
    .unwrap();
    let others = Tensor::from([3.0, 2.0, 3.0, 7.0]);
    let run = loss.run(&(&scores, &others)).unwrap().item(0);
    assert_eq!(run, s.narrow(0, 1, 1).cross_entropy(&[2]).item());
    // What may be no class is refused before a run could meet it.
    let refused = |f: &dyn Fn()| *catch_unwind(AssertUnwindSafe(f)).unwrap_err().downcast::<String>().unwrap();
    for (ignore, places) in [(2, 10), (9, 10), (-100, 4), (0, 5)] {
        let text = refused(&|| _ = s.cross_entropy_opts(&x.to_index(places), &ignoring(ignore)));
        assert!(text.contains("a computed label may be") && text.contains("out of range for 3 classes"), "{text}");
    }
    let mixed = IndexVar::concat(&[x.narrow(0, 0, 3).to_index(5), tape.labels(&[1])], 0);
    assert!(refused(&|| _ = s.cross_entropy_opts(&mixed, &options)).contains("a computed label may be 4"));
}

#[test]
#[allow(clippy::needless_borrows_for_generic_args, reason = "arrays may be borrowed, too")]
#[allow(clippy::reversed_empty_ranges, clippy::single_range_in_vec_init, reason = "ranges that stand for parts")]
fn parts_of_dimensions_are_ranges_of_any_integers_alone_in_tuples_and_in_arrays() {
    let tape = Tape::<f64>::new();
    let x = tape.var(&Tensor::from_fn([4, 5], |i| i as f64));
    let rows = |y: Var<'_, f64>| (y.shape()[..].to_vec(), y.sum().item());
    let n = 3_usize;
    let whole = [Slice::from(1..3), Slice::all()];
    for y in [
        x.slice(1..3),
        x.slice(1..n),
        x.slice(1..=2),
        x.slice(-3..-1),
        x.slice(1..-1_isize),
        x.slice([1..3]),
        x.slice(&[1..n]),
        x.slice((1..n, ..)),
        x.slice((1..n, ..=-1)),
        x.slice((1..n, 0_usize..=usize::MAX)),
        x.slice(whole),
        x.slice(&whole),
        x.slice(&whole[..]),
        x.slice(&whole.to_vec()),
        x.slice(whole[0]),
    ] {
        assert_eq!(rows(y), (vec![2, 5], 95.0));
    }
    assert_eq!(rows(x.slice((.., -1..))), (vec![4, 1], 46.0));
    assert_eq!(rows(x.slice([..2, ..2])), (vec![2, 2], 12.0));
    assert_eq!(rows(x.slice((Slice::from(3..).step(-3), Slice::all().step(-4)))), (vec![2, 2], 38.0));
    assert_eq!(rows(x.slice(4..)), (vec![0, 5], 0.0));
    let ids = tape.indices([4], &[7, 8, 9, 10]);
    assert_eq!((ids.slice(..-1).value(), ids.slice(2..).value()), (vec![7, 8, 9], vec![9, 10]));
}

#[test]
fn lists_of_places_are_of_any_integers_and_count_from_the_end_where_they_are_negative() {
    let tape = Tape::<f32>::default();
    let x = tape.var(&Tensor::from([5.0, 6.0, 7.0]));
    let wide: Vec<i64> = vec![-1, 0];
    for y in [
        x.gather(0, &[-1, 0]),
        x.gather(0, &[2, 0]),
        x.gather(0, &[2_usize, 0]),
        x.gather(0, &[2_u8, 0]),
        x.gather(0, &[2_u32, 0][..]),
        x.gather(0, &[-1_isize, 0]),
        x.gather(0, &wide),
        x.index_select(-1, &wide[..]),
        x.embedding(&[-1, -3]),
    ] {
        assert_eq!(y.value().as_slice(), [7.0, 5.0]);
    }
    let added = x.index_add(0, &[-1, -1, 0], tape.var(&Tensor::from([1.0, 2.0, 4.0])));
    assert_eq!(added.value().as_slice(), [9.0, 6.0, 10.0]);
    assert_eq!(grad(x.gather(0, &[-1, 2]).sum(), &x).value().as_slice(), [0.0, 0.0, 2.0]);
    let error = x.try_gather(0, &[0, -4]).unwrap_err();
    assert!(error.to_string().contains("index -4 is out of range for size 3"), "{error}");
    assert_eq!(error.location().file(), file!());
}

#[test]
fn differences_and_sums_from_the_end_undo_each_other() {
    let tape = Tape::<f64>::new();
    let x = tape.var(&Tensor::from_fn([2, 4, 3], |i| ((i * 7) % 11) as f64));
    for axis in [0_isize, 1, 2, -1] {
        let (n, at) = (x.shape()[axis.rem_euclid(3) as usize], axis.rem_euclid(3));
        assert_eq!(x.cumsum(axis).diff(1, axis).value(), x.narrow(at, 1, n - 1).value());
        assert_eq!((-x.cumsum_reverse(axis).diff(1, axis)).value(), x.narrow(at, 0, n - 1).value());
        assert_eq!(x.cumsum_reverse(axis).value(), x.flip(&[axis]).cumsum(axis).flip(&[axis]).value());
        assert_eq!(x.diff(0, axis).value(), x.value());
        assert_eq!(x.diff(2, axis).value(), x.diff(1, axis).diff(1, axis).value());
        assert_eq!(x.diff(usize::MAX, axis).shape()[at as usize], 0);
    }
}
