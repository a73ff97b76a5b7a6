//! Reports of tables of every kind.

use crate::*;
use nn::data::{IRIS_CSV, Preparing, Preprocess, Schema};
use nn::{Activation, Mlp};
use std::fmt::Write as _;

/// A model of a table, not trained: reports do not depend on how good a net is.
fn model(table: &Table, targets: &[&str]) -> Model {
    let schema = Schema::infer(table, targets, &[]).unwrap();
    let preprocess =
        Preprocess::fit(table, &schema, Preparing { unknown_words: true, ..Preparing::default() }).unwrap();
    let outputs = preprocess.output.as_ref().unwrap().width();
    let net = Mlp::new(&[preprocess.names().len(), 4, outputs], Activation::Tanh, 1);
    Model::new(schema, preprocess, net)
}

/// A report is one well-formed file without scripts, addresses, or numbers that are none, and not too large.
fn held(report: &Report) -> String {
    let html = report.html().unwrap();
    picture::well_formed(html.strip_prefix("<!DOCTYPE html>\n").unwrap()).unwrap();
    assert!(html.len() < 500_000, "{}", html.len());
    for wrong in ["<script", "https:", "http://e", "src=", "@import", "url(h"] {
        assert!(!html.contains(wrong), "{wrong}");
    }
    // Names of elements are each given once, and headings come in order.
    let ids: Vec<&str> = html.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let mut distinct = ids.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(ids.len(), distinct.len());
    let levels: Vec<u8> =
        html.match_indices("<h").map(|(at, _)| html.as_bytes()[at + 2]).filter(u8::is_ascii_digit).collect();
    assert!(levels[0] == b'1' && levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
    html
}

fn words(n: usize, of: usize) -> Vec<String> {
    (0..n).map(|row| format!("class {}", row % of)).collect()
}

/// A table of numbers with a column of words behind them.
fn table(rows: usize, columns: usize, labels: &[String]) -> Table {
    let mut text: Vec<String> = (0..columns).map(|column| format!("x{column}")).collect();
    text.push("kind".to_owned());
    let mut csv = text.join(",") + "\n";
    for row in 0..rows {
        for column in 0..columns {
            write!(csv, "{},", ((row * (column + 3) * 7919) % 1013) as f64 / 100.0 + (row % 5) as f64).unwrap();
        }
        writeln!(csv, "\"{}\"", labels[row % labels.len()].replace('"', "\"\"")).unwrap();
    }
    Table::parse("t.csv", &csv).unwrap()
}

#[test]
fn iris_has_every_section_in_order() {
    let table = Table::parse("iris.csv", IRIS_CSV).unwrap();
    let model = model(&table, &["species"]);
    let mut history = History::default();
    for step in 1..60 {
        let x = f64::from(step);
        history.push(&[
            ("net", 1.0),
            ("iteration", x),
            ("loss", 1.0 / x),
            ("weights of layer 1", x),
            ("gradient of layer 1", 1.0 / x),
        ]);
    }
    let report = Report {
        rows: Exposure::HeldOut,
        history: Some(&history),
        settings: vec![("seed".into(), "7".into()), ("data hash".into(), "abc".into())],
        repeat: vec!["nn train iris.csv --target species --seed 7".into()],
        ..Report::new(&model, &table)
    };
    let html = held(&report);
    assert_eq!(html, held(&report)); // the same bytes
    let mut at = 0;
    for part in [
        "<h1>Predicting species",
        "The net is right on",
        "95 % interval",
        "What was trained",
        "abc",
        "Curves",
        "Which class is taken for which",
        "The ten worst",
        "Whether probabilities come true",
        "What it looks at",
        "Input gradients",
        "What it says over two columns",
        "Weights and gradients of each layer",
        "Size of gradients over time",
        "The tape",
        "cotangent",
        "The derivation on the last layer",
        "3 of 3 lines hold",
        "How to repeat it",
        "nn train iris.csv",
    ] {
        // The names of sections stand in the list above them, too.
        let found = html[at..].find(part).unwrap_or_else(|| panic!("no {part}"));
        at += if part == "What was trained" { html.find("<main>").unwrap() - at } else { found };
    }
}

#[test]
fn two_classes_thirty_classes_one_feature_and_many_have_reports() {
    for (rows, columns, classes) in [(40, 1, 2), (90, 3, 30), (60, 200, 3)] {
        let table = table(rows, columns, &words(rows, classes));
        let model = model(&table, &["kind"]);
        let html = held(&Report::new(&model, &table));
        assert!(html.contains("3 of 3 lines hold"), "{columns} columns, {classes} classes");
    }
}

#[test]
fn several_measured_values_have_a_report_each() {
    let table = table(60, 5, &words(60, 3));
    let mut model = model(&table, &["x0", "x1"]);
    model.spread = vec![[-1.0, 1.0], [-2.0, 2.0]];
    let html = held(&Report::new(&model, &table));
    for part in
        ["of the variance of 2 values", "x1, measured", "Whether intervals hold", "2 (S − Y) / nk", "3 of 3 lines hold"]
    {
        assert!(html.contains(part), "{part}");
    }
    let other = self::model(&table, &["x3"]);
    let html = held(&Report::new(&other, &table));
    assert!(html.contains("of the variance of `x3`") && html.contains("no intervals"));
}

#[test]
fn hostile_names_are_shown_and_do_nothing() {
    let labels = ["<script>alert(1)</script>", "</svg></table>\u{202e}", "a&b"].map(str::to_owned);
    let table = table(45, 2, &labels);
    let model = model(&table, &["kind"]);
    let report =
        Report { title: "<script>".into(), repeat: vec!["nn train '<b>'".into()], ..Report::new(&model, &table) };
    let html = held(&report);
    assert!(html.contains("&lt;script&gt;alert(1)") && html.contains("\\u{202e}"));
}

#[test]
fn weights_that_overflowed_and_rows_that_no_one_can_measure_are_told() {
    let table = table(30, 2, &words(30, 2));
    let mut model = model(&table, &["kind"]);
    for layer in &mut model.net.layers {
        layer.weight = layer.weight.map(|x| x * 1e200);
    }
    held(&Report::new(&model, &table));
    model.net.layers[1].weight = model.net.layers[1].weight.map(|_| f64::NAN);
    held(&Report::new(&model, &table));
    let none = table.select(&[]);
    assert!(Report::new(&model, &none).html().unwrap_err().to_string().contains("there are none"));
}

#[test]
fn a_live_page_loads_itself_again_also_without_scripts() {
    let mut history = History::default();
    let empty = Live::new(&history).html();
    assert!(empty.contains("No step is done yet"));
    for step in 0..100 {
        history.push(&[("epoch", f64::from(step)), ("loss", f64::NAN), ("accuracy", 0.5)]);
    }
    let live = Live { share: f64::NAN, tried: vec![("<b>".into(), 0.5)], ..Live::new(&history) };
    for html in [empty, live.html()] {
        picture::well_formed(html.strip_prefix("<!DOCTYPE html>\n").unwrap()).unwrap();
        assert!(html.contains("http-equiv=\"refresh\" content=\"1\""));
    }
}

#[test]
fn what_is_of_some_of_many_rows_says_of_how_many() {
    let table = table(2500, 3, &words(2500, 2));
    let html = held(&Report::new(&model(&table, &["kind"]), &table));
    for part in [
        "of 2500 rows",
        "Of all 2500 rows, those whose true class",
        "5 times, measured on 1000 of the 2500 rows",
        "the mean of |dL/dx| over 500 of the 2500 rows",
        "marks are 300 of the 2500 rows",
        "the gradient of the loss of 2000 of the 2500 rows",
        "The loss of 3 of the 2500 rows",
        "the last layer for 8 of the 2500 rows",
    ] {
        assert!(html.contains(part), "{part}");
    }
    let other = Report::new(&model(&table, &["x0"]), &table).html().unwrap();
    assert!(other.contains("2500 pairs of") && other.contains("one is drawn for those around it"));
}
