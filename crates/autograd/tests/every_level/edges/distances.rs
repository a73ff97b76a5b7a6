//! Distances where vectors coincide, angles of vectors without a direction, and what they refuse.

use super::row::{AtInfinity, Row, panic_of, run};
use autograd::{Float, Reduction, Tape, Tensor, TripletMargin, Var, grad};

const INF: f64 = f64::INFINITY;

fn constant<'t, T: Float>(x: Var<'t, T>, numbers: &[f64]) -> Var<'t, T> {
    x.tape().var(&Tensor::from(numbers.iter().map(|&x| T::of(x)).collect::<Vec<T>>()))
}

table! {
    coincidence<T> of T:
    "pairwise_distance, order 1" [1.0, 2.0] [1.0, 2.0], |x| x[0].pairwise_distance(x[1], 1.0, 0.0), value [0.0],
        first [0.0, 0.0] [0.0, 0.0], second [0.0, 0.0] [0.0, 0.0] => Mixed;
    "pairwise_distance, order 2" [1.0, 2.0] [1.0, 2.0], |x| x[0].pairwise_distance(x[1], 2.0, 0.0), value [0.0],
        first [0.0, 0.0] [0.0, 0.0], second [0.0, 0.0] [0.0, 0.0] => Mixed;
    "pairwise_distance, order 3" [1.0, 2.0] [1.0, 2.0], |x| x[0].pairwise_distance(x[1], 3.0, 0.0), value [0.0],
        first [0.0, 0.0] [0.0, 0.0] => Mixed;
    "pairwise_distance, order ∞" [1.0, 2.0] [1.0, 2.0], |x| x[0].pairwise_distance(x[1], INF, 0.0), value [0.0],
        first [0.0, 0.0] [0.0, 0.0], second [0.0, 0.0] [0.0, 0.0] => Mixed;
    "pairwise_distance, moved by eps" [1.0, 2.0], |x| x[0].pairwise_distance(constant(x[0], &[1.0, 2.0]), 1.0, 0.25),
        value [0.5], first [1.0, 1.0], second [0.0, 0.0] => Mixed;
    "cdist of a vector with itself and another" [1.0, 4.0], |x| x[0].reshape([2, 1]).cdist(x[0].reshape([2, 1]), 2.0).reshape([4]),
        value [0.0, 3.0, 3.0, 0.0], first [-2.0, 2.0], second [0.0, 0.0] => Mixed;
    "cdist of order 0 counts" [1.0, 4.0], |x| x[0].reshape([1, 2]).cdist(constant(x[0], &[1.0, 3.0]).reshape([1, 2]), 0.0).reshape([1]),
        value [1.0], first [0.0, 0.0], second [0.0, 0.0] => Selected;
    "triplet_margin at the margin" [0.0],
        |x| x[0].triplet_margin(constant(x[0], &[1.0]), constant(x[0], &[-2.0]), &TripletMargin { eps: 0.0, ..TripletMargin::default() }),
        value [0.0], first [0.0], second [0.0] => Mixed;
    "triplet_margin, the swapped distance at a tie" [0.0],
        |x| x[0].triplet_margin(constant(x[0], &[2.0]), constant(x[0], &[1.0]), &TripletMargin { eps: 0.0, swap: true, ..TripletMargin::default() }),
        value [2.0], first [-0.5], second [0.0] => Mixed;
}

table! {
    angles<T> of T:
    "cosine_similarity of zero" [0.0, 0.0], |x| x[0].cosine_similarity(constant(x[0], &[3.0, 4.0]), 0, 0.5),
        value [0.0], first [1.2, 1.6], second [0.0, 0.0] => Mixed;
    "cosine_similarity of a vector shorter than eps" [0.25, 0.0], |x| x[0].cosine_similarity(constant(x[0], &[3.0, 4.0]), 0, 0.5),
        value [0.3], first [1.2, 1.6], second [0.0, 0.0] => Mixed;
    "cosine_embedding at the margin" [1.0, 0.0],
        |x| x[0].cosine_embedding(constant(x[0], &[0.0, 2.0]), constant(x[0], &[-1.0]).reshape([]), 0.0, Reduction::Sum),
        value [0.0], first [0.0, 0.0], second [0.0, 0.0] => Mixed;
}

table! {
    extremes of f64:
    "cosine_similarity of what is large" [3e200, 4e200], |x| x[0].cosine_similarity(constant(x[0], &[1e200, 0.0]), 0, 1e-8),
        value [0.6], first [1.28e-201, -0.96e-201] => Mixed;
    "cosine_similarity of what is small" [3e-200, 4e-200], |x| x[0].cosine_similarity(constant(x[0], &[1.0, 0.0]), 0, 0.0),
        value [0.6], first [1.28e199, -0.96e199] => Mixed;
    "pairwise_distance of what is large" [3e200, 0.0], |x| x[0].pairwise_distance(constant(x[0], &[0.0, 4e200]), 2.0, 0.0),
        value [5e200], first [0.6, -0.8] => Mixed;
}

#[test]
fn a_distance_of_zero_pulls_nowhere_whatever_its_order() {
    run(&coincidence::<f64>());
    run(&coincidence::<f32>());
}

#[test]
fn a_vector_without_a_direction_counts_as_if_it_were_as_long_as_eps() {
    run(&angles::<f64>());
    run(&angles::<f32>());
}

#[test]
fn lengths_neither_overflow_nor_vanish() {
    run(&extremes());
}

#[test]
fn distances_of_nothing_have_their_shapes_and_vectors_without_elements_a_distance_of_zero() {
    let tape = Tape::new();
    let shape = |shape: &[usize]| tape.var(&Tensor::<f64>::zeros(shape));
    for p in [0.0, 1.0, 2.0, 3.0, INF] {
        let (none, two, flat) = (shape(&[0, 3]), shape(&[2, 3]), shape(&[4, 2, 0]));
        let d = two.cdist(none, p);
        assert_eq!(d.shape()[..], [2, 0]);
        assert_eq!(grad(d.sum(), &[two, none]).map(|g| g.value().to_vec()), [vec![0.0; 6], vec![]]);
        let d = flat.cdist(flat, p);
        assert_eq!((d.shape()[..].to_vec(), d.value().to_vec()), (vec![4, 2, 2], vec![0.0; 16]));
        assert_eq!(flat.pairwise_distance(flat, p, 1e-6).value().to_vec(), [0.0; 8]);
    }
    let none = shape(&[3, 0]);
    assert_eq!(none.cosine_similarity(none, 1, 1e-8).value().to_vec(), [0.0; 3]);
}

#[test]
fn leading_axes_broadcast() {
    let tape = Tape::new();
    let a = tape.var(&Tensor::from_fn([2, 1, 3, 4], |i| (i as f64).sin()));
    let b = tape.var(&Tensor::from_fn([5, 2, 4], |i| (i as f64).cos()));
    let d = a.cdist(b, 2.0);
    assert_eq!(d.shape()[..], [2, 5, 3, 2]);
    let one = a.narrow(0, 1, 1).narrow(2, 2, 1).reshape([4]).pairwise_distance(
        b.narrow(0, 3, 1).narrow(1, 1, 1).reshape([4]),
        2.0,
        0.0,
    );
    assert_eq!(d.value().as_slice()[((5 + 3) * 3 + 2) * 2 + 1], one.item());
    assert_eq!(a.cosine_similarity(b.narrow(1, 0, 1), -1, 1e-8).shape()[..], [2, 5, 3]);
}

/// A mistake, and how the message starts.
type Mistake = (fn(Var<'_>), &'static str);

const MISTAKES: &[Mistake] = &[
    (|x| _ = x.cosine_similarity(x.sum_axes(1), 1, 1e-8), "cosine_similarity: the shapes do not broadcast"),
    (|x| _ = x.cosine_similarity(x, 2, 1e-8), "cosine_similarity: axis 2"),
    (|x| _ = x.cosine_similarity(x, 1, -1.0), "cosine_similarity: an eps of 0 or more is needed, not -1"),
    (|x| _ = x.pairwise_distance(x.sum_axes(1), 2.0, 0.0), "pairwise_distance: vectors whose shapes broadcast"),
    (|x| _ = x.sum().pairwise_distance(x.sum(), 2.0, 0.0), "pairwise_distance: vectors whose shapes broadcast"),
    (|x| _ = x.pairwise_distance(x, -1.0, 0.0), "pairwise_distance: an order of at least 0 is needed, not -1"),
    (|x| _ = x.pairwise_distance(x, f64::NAN, 0.0), "pairwise_distance: an order of at least 0"),
    (|x| _ = x.pairwise_distance(x, 2.0, f64::NAN), "pairwise_distance: an eps of 0 or more"),
    (|x| _ = x.cdist(x.t(), 2.0), "cdist: vectors of one length"),
    (|x| _ = x.cdist(x.sum_axes(0), 2.0), "cdist: vectors of one length"),
    (|x| _ = x.cdist(x, f64::NAN), "cdist: an order of at least 0"),
    (|x| _ = x.triplet_margin(x.t(), x, &TripletMargin::default()), "triplet_margin: a positive of the anchor's shape"),
    (|x| _ = x.triplet_margin(x, x.t(), &TripletMargin::default()), "triplet_margin: a negative of the anchor's shape"),
    (
        |x| _ = x.triplet_margin(x, x, &TripletMargin { p: -2.0, ..TripletMargin::default() }),
        "triplet_margin: an order of at least 0",
    ),
    (
        |x| _ = x.triplet_margin(x, x, &TripletMargin { margin: INF, ..TripletMargin::default() }),
        "triplet_margin: a finite margin",
    ),
    (|x| _ = x.cosine_embedding(x, x, 0.0, Reduction::Sum), "cosine_embedding: vectors [.., d] and targets [..]"),
    (
        |x| _ = x.cosine_embedding(x, x.sum_axes(1), f64::NAN, Reduction::Sum),
        "cosine_embedding: a finite margin is needed",
    ),
];

#[test]
fn a_distance_refuses_by_its_own_name_what_makes_no_sense() {
    for (mistake, start) in MISTAKES {
        let text = panic_of(|| {
            let tape = Tape::new();
            mistake(tape.var(&Tensor::from_fn([2, 3], |i| i as f64)));
        });
        assert!(text.starts_with(start), "«{text}» should start with «{start}»");
        assert!(text.contains("edges/distances.rs"), "{text}");
    }
}
