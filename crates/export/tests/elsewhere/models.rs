//! Models with their columns: each row of a table is predicted elsewhere as here, and refused there where it is here.

use crate::source::{close, folder, printed, run_in_c, run_in_rust};
use export::{Number, model};
use nn::data::{Fill, Output, Preparing, Preprocess, Schema, Table};
use nn::file::Model;
use nn::{Activation, Mlp};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

struct Case {
    name: &'static str,
    model: Model,
    /// The columns of a row as text, in the order of the model; further rows hold what may be refused.
    rows: Vec<Vec<&'static str>>,
}

const FLATS: &str = "area,floor,town,sold,zone,income,rent,heating,noise\n\
    50.5,1,Ulm,2023-02-01,1,1200,500,gas,0.5\n60,,Bonn,2022-12-31,2,90000,710.5,oil,1.5\n\
    90,3,Ulm,2020-02-29,1,33000.5,900,gas,2.5\n70,2,,2021-07-04,3,5,820.25,oil,0.25\n44,5,K\u{f6}ln \"Süd\",,2,70,650,oil,7\n";

fn case(name: &'static str, targets: &[&str], ignore: &[&str], how: Preparing, rows: &[&[&'static str]]) -> Case {
    let table = Table::parse("flats.csv", FLATS).unwrap();
    let mut schema = Schema::infer(&table, targets, ignore).unwrap();
    schema
        .columns
        .iter_mut()
        .filter(|field| field.name == "zone")
        .for_each(|field| field.kind = nn::data::Role::Category);
    let preprocess = Preprocess::fit(&table, &schema, how).unwrap();
    let output = preprocess.output.as_ref().unwrap();
    let net = Mlp::new(&[preprocess.names().len(), 6, output.width()], Activation::Silu, 1);
    let is_values = matches!(output, Output::Values { .. });
    let mut model = Model::new(schema, preprocess, net);
    if is_values {
        model.spread = vec![[-10.5, 20.25]; targets.len()];
    }
    Case { name, model, rows: rows.iter().map(|row| row.to_vec()).collect() }
}

fn cases() -> Vec<Case> {
    let usual = Preparing::default();
    let all: &[&[&str]] = &[
        &["50", "2", "Bonn", "2023-08-01", "2", "500"],
        &["", "", "", "", "", ""],
        &["70.25", "-3", "K\u{f6}ln \"Süd\"", "1969-12-31", "3", "1e5"],
        &["1e3", "4", "Ulm", "2100-03-01", "1", "7"],
        &["50", "2", "Jena", "2023-08-01", "2", "500"],
        &["50", "2", "Bonn", "2023-08-01", "9", "500"],
        &["50", "2", "Bonn", "2023-08-01", "2", "-500"],
    ];
    let open = Preparing { flags: true, unknown_words: true, bend_features: true, bend_targets: true, ..usual };
    let strict = Preparing { missing_numbers: Fill::Error, logarithms: true, ..usual };
    let places = Preparing { indices: true, scaling: nn::data::Scaling::MinMax, ..usual };
    let open_places = Preparing { indices: true, unknown_words: true, ..usual };
    vec![
        case("rents", &["rent"], &["heating", "noise"], usual, all),
        case("several", &["rent", "noise"], &["heating"], open, all),
        case(
            "heating",
            &["heating"],
            &["rent", "noise", "floor", "sold"],
            Preparing { logarithms: true, ..usual },
            &[&["50", "Ulm", "1", "3"], &["60.5", "Bonn", "2", "0"], &["", "", "2", "7e4"]],
        ),
        case(
            "strict",
            &["rent"],
            &["heating", "noise", "floor", "sold"],
            strict,
            &[&["50", "Ulm", "1", "3"], &["", "Ulm", "1", "3"], &["50", "", "1", "0"], &["50", "Ulm", "1", "0"]],
        ),
        case("places", &["rent"], &["heating", "noise"], places, all),
        case("open_places", &["rent"], &["heating", "noise"], open_places, all),
    ]
}

/// What is predicted here; nothing of a row that is refused.
fn wanted(case: &Case) -> Vec<Option<Vec<f64>>> {
    let names: Vec<&str> = case.model.preprocess.columns.iter().map(|column| &column.name[..]).collect();
    let row = |cells: &Vec<&'static str>| {
        let cells: Vec<(&str, &str)> = names.iter().copied().zip(cells.iter().copied()).collect();
        case.model.predict_row(&cells).ok().map(|predicted| predicted.numbers)
    };
    case.rows.iter().map(row).collect()
}

fn days(text: &str) -> String {
    // Days of the calendar, counted by the table reader: the shift and scale of a column of two dates tell them.
    let table = Table::parse("d.csv", &format!("d,y\n1970-01-01,1.5\n{text},2.5\n")).unwrap();
    let schema = Schema::infer(&table, &["y"], &[]).unwrap();
    let preprocess = Preprocess::fit(&table, &schema, Preparing::default()).unwrap();
    let nn::data::Map::Date { shift, .. } = preprocess.columns[0].map else { panic!("a date") };
    format!("{:?}", 2.0 * shift)
}

/// A cell as the source of a language has it.
fn cell(case: &Case, column: usize, text: &str, nan: &str) -> String {
    use nn::data::Map;
    match &case.model.preprocess.columns[column].map {
        Map::OneHot { .. } | Map::Index { .. } => format!("\"{}\"", text.replace('"', "\\\"")),
        Map::Number { .. } | Map::Date { .. } if text.is_empty() => nan.to_owned(),
        Map::Number { .. } => format!("{:?}", text.parse::<f64>().unwrap()),
        Map::Date { .. } => days(text),
    }
}

fn hold(cases: &[Case], text: &str, tolerance: f64) {
    let mut lines = text.lines();
    for case in cases {
        for (row, wanted) in wanted(case).into_iter().enumerate() {
            let line = lines.next().unwrap();
            match wanted {
                None => assert_eq!(line.trim(), "refused", "{} {row}", case.name),
                Some(wanted) => {
                    let got: Vec<f64> = line.split_whitespace().map(|word| word.parse().unwrap()).collect();
                    close(&format!("{} {row}", case.name), &got, &wanted, tolerance);
                }
            }
        }
    }
    assert_eq!(lines.next(), None);
}

#[test]
fn the_cases_have_both_kinds_of_rows() {
    let all: Vec<bool> = cases().iter().flat_map(wanted).map(|row| row.is_some()).collect();
    assert!(all.iter().filter(|taken| **taken).count() > 10 && all.iter().filter(|taken| !**taken).count() > 4);
}

#[test]
#[cfg(unix)]
fn a_header_in_c_predicts_rows_as_they_come() {
    for (number, element, tolerance) in [(Number::F64, "double", 1e-12), (Number::F32, "float", 1e-5)] {
        let folder = folder(&format!("c_models_{element}"));
        let cases = cases();
        let (mut main, mut body) = (String::from("#include <stdio.h>\n"), String::new());
        for case in &cases {
            let name = case.name;
            std::fs::write(folder.join(format!("{name}.h")), model::c(&case.model, name, number).unwrap()).unwrap();
            let _ = writeln!(main, "#include \"{name}.h\"");
            let k = case.model.preprocess.output.as_ref().unwrap().width();
            for row in &case.rows {
                let cells: Vec<String> = (0..row.len()).map(|i| cell(case, i, row[i], "NAN")).collect();
                let _ = writeln!(body, "    {{ const {name}_row row = {{{}}}; {element} y[{k}];", cells.join(", "));
                let _ = writeln!(body, "      if ({name}_predict(&row, y) != 0) puts(\"refused\");");
                let _ = writeln!(
                    body,
                    "      else {{ for (int i = 0; i < {k}; i++) printf(\"%.17g \", (double)y[i]); puts(\"\"); }} }}"
                );
            }
            if matches!(case.model.preprocess.output, Some(Output::Classes { .. })) {
                let _ = writeln!(
                    body,
                    "    {{ const {element} p[] = {{0.25, 0.75}}; if ({name}_class(p) != 1) return 1; }}"
                );
            }
        }
        let main = format!("{main}int main(void) {{\n{body}    return 0;\n}}\n");
        hold(&cases, &run_in_c(&folder, &main, &["-Wno-unused-variable"]), tolerance);
    }
}

#[test]
fn a_module_in_rust_predicts_rows_as_they_come() {
    let folder = folder("rust_models");
    let cases = cases();
    let (mut library, mut body) = (String::new(), String::new());
    for case in &cases {
        let name = case.name;
        let source = model::rust(&case.model, name, if name == "places" { Number::F32 } else { Number::F64 }).unwrap();
        std::fs::write(folder.join("src").join(format!("{name}.rs")), &source).unwrap();
        let _ = writeln!(library, "pub mod {name};");
        let fields: Vec<&str> = source
            .lines()
            .filter_map(|line| line.trim().strip_prefix("pub "))
            .filter_map(|line| Some(line.split_once(": ")?.0))
            .collect();
        for row in &case.rows {
            let cells: Vec<String> =
                (0..row.len()).map(|i| format!("{}: {}", fields[i], cell(case, i, row[i], "f64::NAN"))).collect();
            let _ = writeln!(body, "    match nets::{name}::predict(&nets::{name}::Row {{ {} }}) {{", cells.join(", "));
            let _ = writeln!(body, "        Ok(y) => {{ for y in y {{ print!(\"{{y:?}} \"); }} println!(); }}");
            let _ = writeln!(body, "        Err(_) => println!(\"refused\"),\n    }}");
        }
    }
    hold(&cases, &run_in_rust(&folder, &library, &body), 1e-5);
}

/// The rows as JSON, column by column, for a runtime of ONNX.
fn columns(case: &Case, to: &Path) {
    use nn::data::Map;
    let mut all = serde_json::Map::new();
    for (i, column) in case.model.preprocess.columns.iter().enumerate() {
        let is_word = matches!(column.map, Map::OneHot { .. } | Map::Index { .. });
        let cells: Vec<serde_json::Value> = case
            .rows
            .iter()
            .map(|row| if is_word { row[i].into() } else { cell(case, i, row[i], "nan").into() })
            .collect();
        all.insert(column.name.clone(), cells.into());
    }
    std::fs::write(to, serde_json::Value::Object(all).to_string()).unwrap();
}

#[test]
fn onnx_predicts_rows_as_they_come() {
    let python = std::env::var_os("PYTHON");
    for (number, tolerance) in [(Number::F64, 1e-6), (Number::F32, 1e-5)] {
        let folder = folder(&format!("onnx_models_{number:?}"));
        let cases = cases();
        for case in &cases {
            let onnx = model::onnx(&case.model, number).unwrap();
            std::fs::write(folder.join(format!("{}.onnx", case.name)), onnx).unwrap();
            columns(case, &folder.join(format!("{}.json", case.name)));
        }
        let Some(python) = &python else { continue };
        let run = include_str!("../python/run_model.py");
        hold(
            &cases,
            &printed(Command::new(python).args(["-c", run]).arg(&folder).args(cases.iter().map(|case| case.name))),
            tolerance,
        );
    }
}

#[test]
fn json_holds_all_of_it() {
    for case in cases() {
        let value: serde_json::Value = serde_json::from_str(&model::json(&case.model)).unwrap();
        let preprocess: Preprocess = serde_json::from_value(value["preprocess"].clone()).unwrap();
        assert_eq!(preprocess, case.model.preprocess);
        let layers = value["layers"].as_array().unwrap();
        assert_eq!(layers.len(), case.model.net.layers.len());
        for (layer, net) in layers.iter().zip(&case.model.net.layers) {
            let weight: Vec<Vec<f64>> = serde_json::from_value(layer["weight"].clone()).unwrap();
            assert_eq!(weight.concat(), net.weight.to_vec());
        }
        assert_eq!(value["features"].as_array().unwrap().len(), case.model.preprocess.names().len());
    }
}

#[test]
fn what_is_told_of_outputs_and_intervals_is_in_the_source() {
    let cases = cases();
    let of =
        |name: &str| model::c(&cases.iter().find(|case| case.name == name).unwrap().model, name, Number::F64).unwrap();
    assert!(of("several").contains("static const double several_spread[2][2] = {{-10.5, 20.25}, {-10.5, 20.25}};"));
    assert!(of("several").contains("several_outputs[2] = {\"rent\", \"noise\"};"));
}

#[test]
fn numbers_that_were_written_with_a_unit_go_in_by_their_value_in_it() {
    let table = Table::parse("pets.csv", "weight,age\n4.5 kg,1.5\n30 kg,2.25\n3.8 kg,7.5\n12 kg,3.75\n").unwrap();
    let schema = Schema::infer(&table, &["age"], &[]).unwrap();
    let preprocess = Preprocess::fit(&table, &schema, Preparing::default()).unwrap();
    let model = Model::new(schema, preprocess, Mlp::new(&[1, 3, 1], Activation::Tanh, 0));
    let c = model::c(&model, "pets", Number::F64).unwrap();
    assert!(c.contains("/* weight, in `kg` */\n    double weight;"), "{c}");
    let onnx = model::onnx(&model, Number::F64).unwrap();
    assert!(String::from_utf8_lossy(&onnx).contains("`weight`: a number, NaN where it is missing, in `kg`"));
}
