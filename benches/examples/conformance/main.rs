//! Runs reference cases made by other systems against every operation: output, VJP, JVP and Hessian-vector product, in
//! `f64` and in `f32`, computed anew and replayed by a program that was recorded at other numbers.
//!
//! `cargo run --release --example conformance -- crates/autograd/data/*.jsonl`

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
    use super::{
        case::{Array, Case},
        run,
        run::Type,
    };
    use std::collections::BTreeSet;

    const CASES: &str = include_str!("../../../crates/autograd/data/op_cases.jsonl");
    const BOTH: [Type; 2] = [Type::F64, Type::F32];

    fn failures(change: impl Fn(&mut Case)) -> Vec<String> {
        let run = |line| {
            let mut case = Case::parse(line).unwrap();
            change(&mut case);
            run::run(&case, &BOTH)
        };
        CASES.lines().filter_map(|line| run(line).err()).collect()
    }

    /// The cases of every file in the folder of reference data.
    fn all_cases() -> Vec<Case> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/autograd/data");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let texts = files.filter(|path| path.extension().is_some_and(|e| e == "jsonl")).map(std::fs::read_to_string);
        texts
            .flat_map(|text| text.unwrap().lines().map(|line| Case::parse(line).unwrap()).collect::<Vec<_>>())
            .collect()
    }

    #[test]
    fn every_reference_case_passes_in_every_type_it_is_for() {
        let failures: Vec<String> = all_cases().iter().filter_map(|case| run::run(case, &BOTH).err()).collect();
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }

    /// The names in the first column of docs/OPERATIONS.md, and those in its list of primitives.
    fn documented() -> (BTreeSet<&'static str>, BTreeSet<&'static str>) {
        const DOCS: &str = include_str!("../../../docs/OPERATIONS.md");
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
        for case in all_cases() {
            assert!(operations.contains(&case.op[..]), "{}", case.op);
        }
    }

    #[test]
    fn an_unknown_operation_or_attribute_is_a_failure() {
        let all = CASES.lines().count();
        assert_eq!(failures(|case| case.op.push('?')).len(), all);
        assert_eq!(failures(|case| drop(case.attrs.insert("surprise".into(), 1.into()))).len(), all);
    }

    /// Runs a case of `logsumexp` with one number of one of its arrays times a factor.
    fn spoilt(array: impl Fn(&mut Case) -> &mut Array, factor: f64, types: &[Type]) -> Result<(), String> {
        let line = CASES.lines().find(|line| line.contains("\"op\":\"logsumexp\"")).unwrap();
        let mut case = Case::parse(line).unwrap();
        if let Some(x) = array(&mut case).data.iter_mut().find(|x| x.is_finite() && **x != 0.0) {
            *x *= factor;
        }
        run::run(&case, types)
    }

    #[test]
    fn a_wrong_reference_is_noticed_wherever_it_stands() {
        for types in BOTH.map(|number| [number]) {
            let factor = 1.0 + 1e-3;
            assert_eq!(spoilt(|case| &mut case.output, 1.0, &types), Ok(()));
            assert!(spoilt(|case| &mut case.output, factor, &types).is_err());
            assert!(spoilt(|case| case.vjp[0].as_mut().unwrap(), factor, &types).is_err());
            assert!(spoilt(|case| case.jvp.as_mut().unwrap(), factor, &types).is_err());
            assert!(spoilt(|case| case.hvp.as_mut().unwrap()[0].as_mut().unwrap(), factor, &types).is_err());
        }
    }

    #[test]
    fn a_report_tells_every_difference_and_how_large_it_is() {
        let mut case = Case::parse(CASES.lines().find(|line| line.contains("\"op\":\"exp\"")).unwrap()).unwrap();
        case.output.data[0] *= 2.0;
        case.jvp.as_mut().unwrap().data[0] *= 2.0;
        let report = run::run(&case, &[Type::F64]).unwrap_err();
        assert!(report.contains("output differs") && report.contains("jvp differs"), "{report}");
        assert!(report.contains("relatively 5.0e-1"), "{report}");
    }

    /// A case with one input, one output, and no tolerance but a relative one.
    fn tail(op: &str, x: f64, y: f64) -> Result<(), String> {
        let line = format!(
            r#"{{"id": "tail", "op": "{op}", "attrs": {{}}, "inputs": [{{"shape": [2], "data": [0, {x:e}]}}],
            "output": {{"shape": [2], "data": [0.5, {y:e}]}}, "rtol": 1e-10, "atol": 0}}"#
        );
        run::run(&Case::parse(&line).unwrap(), &BOTH)
    }

    #[test]
    fn a_tail_is_seen_beside_large_numbers_in_both_types() {
        assert_eq!(tail("sigmoid", -30.0, 9.357622968839299e-14), Ok(()));
        let report = tail("sigmoid", -30.0, 9.3586e-14).unwrap_err();
        assert!(report.contains("F64") && report.contains("F32"), "{report}");
        assert!(tail("sigmoid", -30.0, 0.0).is_err());
    }

    #[test]
    fn numbers_are_read_to_the_last_bit() {
        for text in ["0.1", "9.357622968839299e-14", "1.7976931348623157e308", "-2.2250738585072014e-308", "5e-324"] {
            let case = format!(
                r#"{{"id": "", "op": "", "inputs": [], "output": {{"shape": [], "data": [{text}]}}, "rtol": 0, "atol": 0}}"#
            );
            let read = Case::parse(&case).unwrap().output.data[0];
            assert_eq!(read.to_bits(), text.parse::<f64>().unwrap().to_bits(), "{text}");
        }
    }
}
