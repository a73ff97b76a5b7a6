//! Operations along rows that go in blocks of rows with the chains around them give the bits of recording and computing anew.

use autograd::{Float, Optimisations, Order, Program, Tape, Tensor, Var, grad, keepdims, vjp};

/// So many that some values of so many rows are more than a block holds; with planes and axes of size 1 before, between and behind.
const SHAPE: [usize; 4] = [900, 1, 6, 4];

fn numbers<T: Float>(shape: &[usize], seed: usize) -> Tensor<T> {
    Tensor::from_fn(shape, |i| T::of((((i + seed) * 7919 % 2003) as f64 - 1001.0) * 0.002))
}

type Along<T> = for<'t> fn(Var<'t, T>) -> Var<'t, T>;

/// The rows of the shape from the last to the first, every other one that before it.
fn turned() -> Vec<usize> {
    (0..5400).map(|i| (5399 - i) / 2 * 2).collect()
}

/// Each keeps the shape, or leaves one that broadcasts to it.
fn operations<T: Float>() -> Vec<(&'static str, Along<T>)> {
    vec![
        ("sum", |x| x.sum_axes(keepdims(3))),
        ("sum", |x| x.sum_axes(keepdims(2))),
        ("sum", |x| x.sum_axes(keepdims([2, 3]))),
        ("sum", |x| x.sum_axes(keepdims([1, 3]))),
        ("sum", |x| x.sum_axes(keepdims([1, 2, 3]))),
        ("sum", |x| x.sum_axes([1, 2]).expand_dims(1).expand_dims(1)),
        ("sum", |x| x.reshape([900, 24]).sum_axes(keepdims(1)).reshape([900, 1, 1, 1])),
        ("max", |x| x.max_axes(keepdims(3))),
        ("min", |x| x.min_axes(keepdims(2))),
        ("softmax", |x| x.softmax(3)),
        ("softmax", |x| x.softmax(2)),
        ("softmax", |x| x.softmax(1)),
        ("log_softmax · softmax", |x| x.reshape([900, 24]).log_softmax(1).reshape(SHAPE)),
        ("logsumexp · softmax", |x| x.logsumexp(keepdims(2))),
        ("norm", |x| x.norm(2.0, keepdims(3))),
        ("square · sum", |x| x.var(1, keepdims(2))),
        ("square · sum", |x| x.square().sum_axes(keepdims(3))),
        ("square · sum", |x| x.square().sum_axes(keepdims([2, 3]))),
        ("square · sum", |x| (x * x).mean_axes(keepdims(2)) + x),
        ("norm_slope", |x| x.std(0, keepdims(3))),
        ("at_extreme", |x| x.norm(f64::INFINITY, keepdims(2))),
        ("gather", |x| x.reshape([5400, 4]).index_select(0, &turned()).reshape(SHAPE)),
        ("cumsum", |x| x.cumsum(3)),
        ("recurrence", |x| x.cumprod(2)),
        ("cumprod", |x| x.cumprod(3)),
        ("prod", |x| x.prod_axes(keepdims(2))),
        ("max", |x| x.max_axes(keepdims([2, 3]))),
        ("norm", |x| x.norm(2.0, keepdims([2, 3]))),
        ("logcumsumexp", |x| x.logcumsumexp(3)),
        ("cumargmax", |x| x.cummax(2)),
        ("argmax", |x| x.argmax(3).numbers().expand_dims(3) * x),
        ("take_along_axis", |x| x.take_along_axis(3, &x.argsort(3, Order::Descending))),
    ]
}

fn check<T: Float>(name: &str, f: Along<T>) {
    fn step<'t, T: Float>(f: Along<T>, a: Var<'t, T>, x: Var<'t, T>) -> [Vec<Var<'t, T>>; 2] {
        let y = f((x * a).tanh());
        let z = (y * x + a) * T::of(0.5);
        let [da] = vjp(z, &[a], z.sin());
        let loss = (z * da).sum();
        let slope = grad(loss, &x);
        [vec![a - da * T::of(0.1)], vec![loss, slope, y]]
    }
    let bits = |x: &Tensor<T>| x.as_slice().iter().map(|x| x.to_f64().to_bits()).collect::<Vec<_>>();
    let (state, x) = (vec![numbers::<T>(&SHAPE, 1)], numbers::<T>(&SHAPE, 2));
    let tape = Tape::<T>::default();
    let [next, outputs] = tape.values(&step(f, tape.var(&state[0]), tape.var(&x)));
    // Slopes are kernels along rows where they are no links of chains.
    let all = Optimisations::default().without("slopes");
    for passes in [all, all.without("blocks"), Optimisations::default(), Optimisations::NONE] {
        let mut program =
            Program::<T>::record_with(passes, &state, &x, |_, state, x| step(f, state[0], x).into()).unwrap();
        if passes == all {
            let text = program.to_string();
            assert!(text.contains("rows in blocks of") && text.contains(&format!("{name}(")), "{name}:\n{text}");
        }
        let replayed = program.run(&x).unwrap();
        for (k, output) in outputs.iter().enumerate() {
            assert!(bits(&replayed.tensor(k)) == bits(output), "output {k} of {name}, {passes:?}");
        }
        assert!(bits(&program.state("0").unwrap()) == bits(&next[0]), "state of {name}, {passes:?}");
    }
}

#[test]
fn each_operation_along_rows_goes_in_blocks() {
    for (name, f) in operations::<f64>() {
        check(name, f);
    }
    for (name, f) in operations::<f32>() {
        check(name, f);
    }
}

/// Statistics of each channel of a batch of one.
#[test]
fn squares_are_added_over_leading_axes_of_one_element_too() {
    type Statistic = for<'t> fn(Var<'t, f64>) -> Var<'t, f64>;
    let shapes: [(&[usize], Statistic); 5] = [
        (&[1, 3, 4], |x| x.var(0, [0, 2])),
        (&[1, 3, 4], |x| x.square().mean_axes([0, 2]).sqrt()),
        (&[1, 3, 2, 5], |x| x.std(1, [0, 2, 3]) + x.var(0, [0, 2, 3])),
        (&[1, 1, 5, 2, 3], |x| x.var(0, [0, 1, 3])),
        (&[1, 5, 1, 2, 3], |x| x.var(0, [0, 3])),
    ];
    for (shape, f) in shapes {
        let x = numbers::<f64>(shape, 3);
        let tape = Tape::new();
        let on_tape = tape.var(&x);
        let want = [f(on_tape).value(), grad(f(on_tape).sum(), &on_tape).value()];
        for passes in Optimisations::choices() {
            let mut program =
                Program::record_with(passes, &(), &x, |_, (), x| (vec![], vec![f(x), grad(f(x).sum(), &x)])).unwrap();
            let got = program.run(&x).unwrap();
            assert_eq!([got.tensor(0), got.tensor(1)], want, "{shape:?} {passes:?}");
        }
    }
}
