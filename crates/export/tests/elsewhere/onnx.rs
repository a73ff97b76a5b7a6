//! ONNX, as another program runs it. It needs Python with `onnx` and `onnxruntime`: `PYTHON=… cargo test -p export --test elsewhere`.

use crate::passes;
use crate::source::{close, folder, printed};
use export::Number;
use std::process::Command;

/// Runs each file of a folder with the numbers beside it, and leaves what comes out.
const RUN: &str = include_str!("../python/run_onnx.py");

#[test]
fn a_runtime_gives_what_the_tape_gives_for_batches_of_any_size() {
    let Some(python) = std::env::var_os("PYTHON") else {
        // Without a runtime the files are still made, for all of it.
        for pass in passes::all() {
            assert!(pass.forward().unwrap().onnx(Number::F64).unwrap().starts_with(&[8, 8]), "{}", pass.name);
        }
        return;
    };
    for (number, tolerance) in [(Number::F64, 1e-6), (Number::F32, 2e-5)] {
        let folder = folder(&format!("onnx_{number:?}"));
        let passes = passes::all();
        for pass in &passes {
            let onnx = pass.forward().unwrap().onnx(number).unwrap_or_else(|error| panic!("{}: {error}", pass.name));
            std::fs::write(folder.join(format!("{}.onnx", pass.name)), onnx).unwrap();
            for batch in [1, 3] {
                let x = pass.input(batch);
                let numbers: Vec<String> = x.as_slice().iter().map(|x| format!("{x:?}")).collect();
                let text = format!("{:?}\n{}\n", &x.shape()[..], numbers.join(" "));
                std::fs::write(folder.join(format!("{}.{batch}.in", pass.name)), text).unwrap();
            }
        }
        printed(Command::new(&python).args(["-c", RUN]).arg(&folder));
        for pass in &passes {
            for batch in [1, 3] {
                let text = std::fs::read_to_string(folder.join(format!("{}.{batch}.out", pass.name))).unwrap();
                let (shape, numbers) = text.split_once('\n').unwrap();
                let got: Vec<f64> = numbers.split_whitespace().map(|word| word.parse().unwrap()).collect();
                let wanted = pass.output(&pass.input(batch));
                assert_eq!(shape, format!("{:?}", &wanted.shape()[..]), "{}", pass.name);
                close(&format!("{} of {batch}, {number:?}", pass.name), &got, wanted.as_slice(), tolerance);
            }
        }
    }
}
