//! Compares recorded layers and losses of PyTorch with ours: outputs, buffers after the call, first gradients and products of the second
//! derivative with a direction, in `f64`, with the names and shapes of parameters as PyTorch saves them:
//!
//! `cargo run --release --example layers -- FILES`
//!
//! A case names a layer with its arguments. What is not known here is an error that names it.

mod activations;
mod case;
mod images;
mod initialisers;
mod losses;
mod norms;
mod sequences;
mod simple;

use case::Case;
use clap::Parser;
use serde_json::Value;
use std::path::PathBuf;
use std::process::ExitCode;

/// Compare recorded layers.
#[derive(Parser)]
struct Options {
    /// Files of recorded cases.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let (mut passed, mut failed) = (0, 0);
    for file in &Options::parse().files {
        let read = std::fs::read_to_string(file).map_err(|error| error.to_string());
        let all = match read.and_then(|text| serde_json::from_str::<Value>(&text).map_err(|error| error.to_string())) {
            Ok(all) => all,
            Err(error) => {
                eprintln!("error: {}: {error}", file.display());
                return ExitCode::FAILURE;
            }
        };
        let rows = |key: &str| all[key].as_array().cloned().unwrap_or_default();
        let cases = rows("cases")
            .into_iter()
            .map(|case| (case["id"].clone(), Case::read(case).and_then(|case| compare(&case))));
        let more = rows("initialisers").into_iter().map(|row| (row["id"].clone(), initialisers::compare(&row)));
        for (id, result) in cases.chain(more) {
            match result {
                Ok(()) => passed += 1,
                Err(error) => {
                    failed += 1;
                    println!("{}: {error}", id.as_str().unwrap_or("a case without a name"));
                }
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Asks each family whether the layer is one of its own.
fn compare(case: &Case) -> Result<(), String> {
    let families =
        [images::compare, sequences::compare, simple::compare, norms::compare, activations::compare, losses::compare];
    let known = families.into_iter().find_map(|family| family(case));
    known.unwrap_or_else(|| Err(format!("the layer {} is not known", case.layer)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Some of the recorded cases, one of each layer at least.
    const CASES: &str = include_str!("../../crates/nn/data/layers.json");

    #[test]
    fn each_layer_is_that_of_pytorch() {
        let all: Value = serde_json::from_str(CASES).expect("the file is JSON");
        let cases = all["cases"].as_array().expect("there are cases");
        assert!(cases.len() > 60);
        for case in cases {
            let result = Case::read(case.clone()).and_then(|case| compare(&case));
            assert_eq!(result, Ok(()), "{}", case["id"]);
        }
    }

    #[test]
    fn a_number_that_is_off_in_its_last_digits_is_told() {
        let all: Value = serde_json::from_str(CASES).expect("the file is JSON");
        for case in all["cases"].as_array().expect("there are cases") {
            for key in ["gradients", "second"] {
                let mut wrong = case.clone();
                let Some(array) = wrong[key]["inputs"].get_mut(0).and_then(|input| input["data"].as_array_mut()) else {
                    continue;
                };
                let largest = array.iter().filter_map(Value::as_f64).fold(0.0_f64, |most, x| most.max(x.abs()));
                let Some(first) = array[0].as_f64() else { continue };
                array[0] = (first + 1e-10 * largest.max(1.0)).into();
                let result = Case::read(wrong).and_then(|case| compare(&case));
                assert!(result.is_err(), "{} with a wrong {key}", case["id"]);
            }
        }
    }

    #[test]
    fn names_of_parameters_and_initialisers_are_held() {
        let all: Value = serde_json::from_str(CASES).expect("the file is JSON");
        for row in all["initialisers"].as_array().expect("there are rows") {
            assert_eq!(initialisers::compare(row), Ok(()), "{}", row["id"]);
        }
        let mut linear = all["cases"][0].clone();
        let weight = linear["parameters"]["weight"].take();
        linear["parameters"] = serde_json::json!({"kernel": weight});
        let result = Case::read(linear).and_then(|case| compare(&case));
        assert!(result.is_err_and(|error| error.contains("kernel")));
    }
}
