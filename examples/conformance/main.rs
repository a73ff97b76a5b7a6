//! Runs reference cases made by other systems against every operation: output, VJP, JVP and Hessian-vector product, in
//! `f64` and in `f32`, computed anew and replayed by a program.
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
    use std::collections::BTreeSet;

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

    /// The names in the first column of docs/OPERATIONS.md, and those in its list of primitives.
    fn documented() -> (BTreeSet<&'static str>, BTreeSet<&'static str>) {
        const DOCS: &str = include_str!("../../docs/OPERATIONS.md");
        let (operations, primitives) = DOCS.split_once("## Primitives").unwrap();
        let quoted = |text: &'static str| text.split('`').skip(1).step_by(2).collect::<BTreeSet<_>>();
        let rows = operations.lines().filter(|line| line.starts_with("| `"));
        let first = rows.filter_map(|row| row.split('|').nth(1)).flat_map(quoted).collect();
        (first, quoted(primitives))
    }

    #[test]
    fn the_documentation_lists_what_a_case_can_name_and_what_is_built_in() {
        let (operations, primitives) = documented();
        assert_eq!(operations, super::operations::NAMES.iter().copied().collect());
        assert_eq!(primitives, autograd::primitives().into_iter().collect());
    }

    #[test]
    fn the_reference_cases_name_only_documented_operations() {
        let (operations, _) = documented();
        for line in CASES.lines() {
            let case = Case::parse(line).unwrap();
            assert!(operations.contains(&case.op[..]), "{}", case.op);
        }
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
