//! What cannot go elsewhere says so, with the line that recorded it.

use autograd::{Float, Op, Reason, Shape, Tape, Tensor, Var, View, ViewMut};
use export::{Forward, Number};

#[derive(Debug)]
struct Mine;

impl<T: Float> Op<T, 1> for Mine {
    fn name(&self) -> &'static str {
        "tanh"
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(x.clone())
    }
    fn eval(&self, [x]: [View<'_, T>; 1], y: ViewMut<'_, T>) {
        y.data.copy_from_slice(x.data);
    }
    fn vjp<'t>(&self, _: usize, _: [Var<'t, T>; 1], _: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        Some(dy)
    }
}

fn said(of: impl for<'t> Fn(&'t Tape, Var<'t>) -> Var<'t>) -> [String; 3] {
    let forward = Forward::record::<f64>(|to| {
        let x = to.input("x", [to.batch(), 3]);
        to.output("y", of(to.tape(), x));
    });
    let forward = forward.unwrap();
    let text = |result: Result<String, export::Error>| result.err().map_or_else(String::new, |error| error.to_string());
    [
        text(forward.onnx(Number::F64).map(|_| String::new())),
        text(forward.c("net", Number::F64)),
        text(forward.rust("net", Number::F64)),
    ]
}

#[test]
fn operations_without_a_counterpart_are_named_with_their_line() {
    let line = line!() + 1;
    let [onnx, c, rust] = said(|_, x| x.lgamma());
    let place = format!("`lgamma`, recorded at {}:{line}:", file!());
    assert!(
        onnx.starts_with(&place) && onnx.ends_with("cannot be taken to ONNX: it has no counterpart there"),
        "{onnx}"
    );
    assert!(c.ends_with("cannot be taken to C: it has no counterpart there"), "{c}");
    assert!(rust.ends_with("cannot be taken to Rust: it has no counterpart there"), "{rust}");
    let [onnx, c, _] = said(|tape, x| tape.apply(Mine, [x]));
    assert!(
        onnx.ends_with("it is an operation of your own") && c.ends_with("it is an operation of your own"),
        "{onnx}"
    );
}

#[test]
fn noise_is_no_constant() {
    let [onnx, c, _] = said(|tape, x| x.dropout(0.5, tape.key(autograd::Key::new(1))));
    assert!(onnx.contains("cannot be taken to ONNX") && c.contains("cannot be taken to C"), "{onnx} {c}");
}

#[test]
fn what_goes_with_the_size_of_the_batch_is_told() {
    let [onnx, c, _] = said(|_, x| x / x.shape()[0] as f64);
    assert!(onnx.contains("depends on the size"), "{onnx}");
    assert_eq!(c, "");
    let [onnx, ..] = said(|_, x| x.narrow(0, 0, x.shape()[0] - 1));
    assert!(onnx.contains("a size, recorded at") && onnx.ends_with("depends on the size"), "{onnx}");
    let [onnx, ..] = said(|tape, x| x + tape.var(&Tensor::from_fn([x.shape()[0], 1], |i| i as f64)));
    assert!(onnx.ends_with("a constant is not the same for each example of a batch"), "{onnx}");
    let [onnx, ..] = said(|_, x| x.flip(&[0]));
    assert!(onnx.ends_with("a part of the batch cannot be taken"), "{onnx}");
}

#[test]
fn names_are_there_and_apart() {
    let ports = |inputs: &[&str], outputs: &[&str]| {
        let forward = Forward::record::<f64>(|to| {
            let x: Vec<Var<'_>> = inputs.iter().map(|name| to.input(name, [to.batch()])).collect();
            for name in outputs {
                to.output(name, x.first().map_or(to.tape().scalar(1.0), |x| *x));
            }
        });
        forward.and_then(|forward| forward.c("net", Number::F64)).unwrap_err().to_string()
    };
    assert_eq!(ports(&[], &["y"]), "expected one input or more, found none");
    assert_eq!(ports(&["x"], &[]), "expected one output or more, found none");
    assert_eq!(ports(&["x"], &["x"]), "expected a name of its own for each input and output, found `x` twice");
    assert_eq!(ports(&["a b", "a_b"], &["y"]), "expected names that differ as names of C, found `a_b` twice");
    assert_eq!(ports(&["t1"], &["y"]), "expected another name for `t1`, which the source has for itself");
    let forward = Forward::record::<f64>(|to| to.output("y", to.input("x", [1]))).unwrap();
    let error = forward.c("My net", Number::F64).unwrap_err().to_string();
    assert_eq!(error, "expected a name of lower-case letters, digits and `_`, found `My net`; take `my_net`");
}
