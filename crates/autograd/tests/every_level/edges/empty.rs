//! Tensors without elements.

use super::row::{AtInfinity, Row, run};
use autograd::{Float, Order, Slice, Tape, Tensor, concat};
use std::panic::{UnwindSafe, catch_unwind};

table! {
    nothing<T> of T:
    "sum" [], |x| x[0].sum(), value [0.0], first [], second [] => Selected;
    "prod" [], |x| x[0].prod(), value [1.0], first [], second [] => Selected;
    "prod of long columns, of which there are none" [], |x| x[0].reshape([600, 0]).prod_axes(0), value [], first [],
        second [] => Selected;
    "logsumexp" [], |x| x[0].logsumexp(0), value [f64::NEG_INFINITY], first [] => Selected;
    "norm" [], |x| x[0].norm(2.0, ..), value [0.0], first [] => Selected;
    "element-wise" [] [], |x| (x[0] * x[1]).exp().maximum(x[1]), value [], first [] [], second [] [] => Selected;
    "a scalar broadcast against nothing" [] [2.0], |x| x[0] * x[1].reshape([]), value [], first [] [0.0],
        second [] [0.0] => Selected;
    "softmax" [], |x| x[0].softmax(0), value [], first [] => Selected;
    "log_softmax" [], |x| x[0].log_softmax(0), value [], first [] => Selected;
    "cumsum and cumprod" [], |x| x[0].cumsum(0) + x[0].cumprod(0), value [], first [], second [] => Selected;
    "sort, flip and roll" [], |x| x[0].sort(0, Order::Ascending).flip(&[0]).roll(&[1], &[0]), value [], first [],
        second [] => Selected;
    "gather of nothing" [4.0, 5.0], |x| x[0].gather::<[usize; 0]>(0, &[]), value [], first [0.0, 0.0],
        second [0.0, 0.0] => Selected;
    "a slice of nothing with a stride" [4.0, 5.0], |x| x[0].slice([Slice::from(1..1).step(3)]), value [],
        first [0.0, 0.0], second [0.0, 0.0] => Selected;
    "concat with nothing" [4.0] [], |x| concat(&[x[1], x[0], x[1]], 0), value [4.0], first [1.0] [],
        second [0.0] [] => Selected;
    "pad of nothing" [], |x| x[0].pad(&[(1, 1)], 0.0), value [0.0, 0.0], first [], second [] => Selected;
    "matmul over no inner elements" [] [], |x| x[0].reshape([2, 0]).matmul(x[1].reshape([0, 2])).reshape([4]),
        value [0.0, 0.0, 0.0, 0.0], first [] [], second [] [] => Selected;
    "matmul with no rows" [] [1.0, 2.0], |x| x[0].reshape([0, 2]).matmul(x[1].reshape([2, 1])).reshape([0]),
        value [], first [] [0.0, 0.0], second [] [0.0, 0.0] => Selected;
}

/// What an operation gives of a variable, as a number.
type Outcome = fn(autograd::Var<'_>) -> f64;

fn panics(f: impl FnOnce() -> f64 + UnwindSafe) -> bool {
    catch_unwind(f).is_err()
}

#[test]
fn every_operation_takes_tensors_without_elements() {
    run(&nothing::<f64>());
    run(&nothing::<f32>());
}

#[test]
fn what_does_not_exist_of_nothing_is_an_error_where_it_is_recorded() {
    let with_no_elements: [(&str, Outcome); 6] = [
        ("mean", |x| x.mean().item()),
        ("max", |x| x.max().item()),
        ("min", |x| x.min().item()),
        ("argmax", |x| x.argmax(0).value()[0] as f64),
        ("var", |x| x.var(0, ..).item()),
        ("norm ∞", |x| x.norm(f64::INFINITY, ..).item()),
    ];
    for (name, f) in with_no_elements {
        assert!(panics(|| f(Tape::new().var(&Tensor::zeros([0])))), "{name} of nothing has a value");
    }
    assert!(panics(|| Tape::new().scalar(1.0).reshape([1]).var(1, ..).item()), "var of one element, ddof 1");
    assert!(panics(|| Tape::new().scalar(1.0).reshape([1]).std(1, ..).item()), "std of one element, ddof 1");
}
