//! Runs reference cases made by other systems against every operation: output, VJP, JVP and Hessian-vector product, in
//! `f64` and in `f32`.
//!
//! `cargo run --release --example conformance -- crates/autograd/data/op_cases.jsonl`

mod case;
mod operations;
mod run;

use clap::Parser;
use std::process::ExitCode;

/// Checks operations and their derivatives against files of reference cases, one JSON object a line.
#[derive(Parser)]
struct Options {
    /// The files of cases.
    #[arg(required = true)]
    files: Vec<std::path::PathBuf>,
    /// The number types to compute in.
    #[arg(long = "type", value_delimiter = ',', default_values = ["f64", "f32"])]
    types: Vec<run::Type>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let (mut passed, mut failed) = (0, 0);
    for file in &options.files {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) => {
                eprintln!("{}: {error}", file.display());
                return ExitCode::FAILURE;
            }
        };
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let result = case::Case::parse(line)
                .map_err(|error| format!("{}:{}: {error}", file.display(), number + 1))
                .and_then(|case| run::run(&case, &options.types));
            match result {
                Ok(()) => passed += 1,
                Err(report) => {
                    failed += 1;
                    println!("{report}");
                }
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::{case::Case, run};

    const CASES: &str = include_str!("../../crates/autograd/data/op_cases.jsonl");

    fn failures(change: impl Fn(&mut Case)) -> Vec<String> {
        let run = |line| {
            let mut case = Case::parse(line).unwrap();
            change(&mut case);
            run::run(&case, &[run::Type::F64, run::Type::F32])
        };
        CASES.lines().filter_map(|line| run(line).err()).collect()
    }

    #[test]
    fn every_reference_case_passes_in_both_types() {
        let failures = failures(|_| {});
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }

    #[test]
    fn an_unknown_operation_or_attribute_is_a_failure() {
        let all = CASES.lines().count();
        assert_eq!(failures(|case| case.op.push('?')).len(), all);
        assert_eq!(failures(|case| drop(case.attrs.insert("surprise".into(), 1.into()))).len(), all);
    }

    #[test]
    fn a_wrong_reference_is_noticed_wherever_it_stands() {
        let spoil = |array: &mut super::case::Array| {
            if let Some(x) = array.data.iter_mut().find(|x| x.is_finite()) {
                *x += 1e-3 * x.abs().max(1.0);
            }
        };
        let line = CASES.lines().find(|line| line.contains("\"op\":\"logsumexp\"")).unwrap();
        let run = |change: &dyn Fn(&mut Case)| {
            let mut case = Case::parse(line).unwrap();
            change(&mut case);
            run::run(&case, &[run::Type::F32])
        };
        assert!(run(&|_| {}).is_ok());
        assert!(run(&|case| spoil(&mut case.output)).is_err());
        assert!(run(&|case| spoil(case.vjp[0].as_mut().unwrap())).is_err());
        assert!(run(&|case| spoil(case.jvp.as_mut().unwrap())).is_err());
        assert!(run(&|case| spoil(case.hvp.as_mut().unwrap()[0].as_mut().unwrap())).is_err());
    }
}
