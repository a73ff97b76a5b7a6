//! What goes well.

use super::{Place, Ran, data, ran};
use nn::data::IRIS_CSV;
use serde_json::Value;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

#[track_caller]
fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn iris_is_trained_measured_and_predicted() {
    let place = Place::new("iris");
    place.write("iris.csv", IRIS_CSV);
    let trained = place.train("iris.csv", "species");
    assert!(trained.out.starts_with("a linear model, penalty 0.01: accuracy 0.9"), "{}", trained.out);
    assert!(trained.err.contains("taken as") && trained.err.contains("sepal_length"), "{}", trained.err);
    assert_eq!(
        place.names("model"),
        ["history.csv", "history.jsonl", "model.safetensors", "report.html", "settings.toml", "trials.csv"]
    );
    assert!(
        String::from_utf8(place.read("model/history.csv"))
            .unwrap()
            .starts_with("rows,net,iteration,loss,held_out_loss,weights of layers.0,gradient of layers.0\n100,1,1,")
    );
    assert!(
        json(String::from_utf8(place.read("model/history.jsonl")).unwrap().lines().next().unwrap())["loss"].is_f64()
    );

    for model in ["model", "model/", "model/model.safetensors"] {
        let measured = place.run(&["eval", "iris.csv", "--model", model]).good();
        assert!(measured.out.starts_with("rows 150\n") && measured.out.contains("predicted as"), "{}", measured.out);
    }
    let measured = json(&place.run(&["eval", "iris.csv", "--model", "model", "--json"]).good().out);
    assert_eq!((&measured["rows"], measured["confusion"].as_array().unwrap().len()), (&Value::from(150), 3));
    assert!(measured["measures"][0]["value"].as_f64().unwrap() > 0.9);

    let predicted = place.run(&["predict", "iris.csv", "--model", "model"]).good();
    assert!(predicted.out.starts_with("species,P(setosa),P(versicolor),P(virginica)\nsetosa,0.9"), "{}", predicted.out);
    assert_eq!(predicted.out.lines().count(), 151);
    let lines = place.run(&["predict", "iris.csv", "--model", "model", "--json", "--keep", "species"]).good();
    let line = json(lines.out.lines().last().unwrap());
    assert_eq!((&line["line"], &line["label"]), (&Value::from(151), &Value::from("virginica")));
    assert_eq!(line["kept"]["species (given)"], Value::from("virginica"));
    assert!(line["probabilities"]["virginica"].as_f64().unwrap() > 0.5);
}

#[test]
fn words_missing_cells_and_a_measured_target_are_taken() {
    let place = Place::new("flats");
    let trained = place.train(&data("flats.csv"), "rent");
    assert!(trained.out.contains("r2 0.9"), "{}", trained.out);
    assert!(trained.err.contains("note: `floor`: 9 cells are missing and taken as "), "{}", trained.err);
    let predicted =
        place.run(&["predict", &data("new_flats.csv"), "--model", "model", "--keep", "area,district"]).good();
    assert!(predicted.out.starts_with("area,district,rent,rent low,rent high\n76.8,Weststadt,"), "{}", predicted.out);
    let line = place.run(&["predict", &data("new_flats.csv"), "--model", "model", "--json"]).good();
    let value = &json(line.out.lines().next().unwrap())["values"]["rent"];
    let [low, rent, high] = ["low", "value", "high"].map(|name| value[name].as_f64().unwrap());
    assert!(low < rent && rent < high && (300.0..1500.0).contains(&rent), "{value}");
    place.run(&["predict", &data("new_flats.csv"), "--model", "model", "--missing", "error"]).failed(1, &["heating"]);
    let info = place.run(&["info", "model"]).good();
    assert!(info.out.contains("parameters") && info.out.contains("district"), "{}", info.out);
    assert_eq!(json(&place.run(&["info", "--model", "model", "--json"]).good().out)["about"]["target"][0], "rent");
}

#[test]
fn settings_give_the_same_bits_again_and_flags_go_before_them() {
    let place = Place::new("again");
    std::fs::create_dir(place.0.join("some data")).unwrap();
    place.write("some data/iris.csv", IRIS_CSV);
    let net = ["--net", "3:tanh", "--members", "2", "--penalty", "0.1,0.01", "--iterations", "10", "--seed", "5"];
    let first = ["train", "some data/iris.csv", "--target", "species", "--out", "first", "--held-out", "0.2"];
    place.run(&[&first[..], &net].concat()).good();
    place.run(&["train", "--settings", "first/settings.toml", "--out", "second"]).good();
    for file in ["model.safetensors", "settings.toml", "history.csv", "trials.csv", "report.html"] {
        assert_eq!(place.read(&format!("first/{file}")), place.read(&format!("second/{file}")), "{file}");
    }
    place.run(&["train", "--settings", "first/settings.toml", "--out", "third", "--seed", "6"]).good();
    assert_ne!(place.read("first/model.safetensors"), place.read("third/model.safetensors"));
    let shown =
        place.run(&["train", "--settings", "third/settings.toml", "--net", "linear", "--print-settings"]).good();
    assert!(shown.out.contains("seed = 6\n") && shown.out.contains("nets = [\"linear\"]"), "{}", shown.out);
    assert!(shown.out.contains("held_out = 0.2\n") && shown.err.is_empty(), "{} {}", shown.out, shown.err);
    // Where the table has changed, that is told.
    place.write("some data/iris.csv", IRIS_CSV.replace("5.1,3.5", "5.2,3.5"));
    let changed = place.run(&["train", "--settings", "first/settings.toml", "--out", "second"]).good();
    assert!(changed.err.contains("not as it was"), "{}", changed.err);
}

#[test]
fn tables_in_other_spellings_are_read() {
    let place = Place::new("spellings");
    let rows: Vec<String> =
        IRIS_CSV.lines().map(|line| line.replace('.', "_").replace(',', ";").replace('_', ",")).collect();
    place.write("european.csv", rows.join("\r\n"));
    place.train("european.csv", "species");
    let settings = String::from_utf8(place.read("model/settings.toml")).unwrap();
    assert!(settings.contains("target = [\"species\"]"), "{settings}");
    place.run(&["eval", "european.csv", "--model", "model"]).good();

    let (_, body) = IRIS_CSV.split_once('\n').unwrap();
    place.write("bare.csv", body);
    place.train("bare.csv", "column_5");
    assert!(place.run(&["predict", "bare.csv", "--model", "model"]).good().out.starts_with("column_5,P(setosa)"));

    let latin: Vec<u8> =
        IRIS_CSV.replace("setosa", "sét").chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    place.write("latin.csv", latin);
    place.run(&["train", "latin.csv", "--target", "species"]).failed(1, &["latin.csv", "--encoding"]);
    let quick = ["--encoding", "latin1", "--net", "linear", "--penalty", "0.1", "--iterations", "5", "--out", "model"];
    place.run(&[&["train", "latin.csv", "--target", "species"][..], &quick].concat()).good();
    assert!(String::from_utf8(place.read("model/settings.toml")).unwrap().contains("encoding = \"latin1\""));
    let wide: Vec<u8> = [0xFEFF].into_iter().chain(IRIS_CSV.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    place.write("wide.csv", wide);
    place.run(&["train", "wide.csv", "--target", "species"]).failed(1, &["UTF-16", "--encoding utf-16le"]);
}

#[test]
fn several_targets_are_values_or_labels() {
    let place = Place::new("several");
    let row = |i: u32| {
        let (x, y) = (f64::from(i * 37 % 60) / 10.0, f64::from(i * 23 % 60) / 10.0);
        format!("{x},{y},{},{},{},{}\n", 2.0 * x + 0.25, y - x, u8::from(x > 3.0), u8::from(y > 2.0))
    };
    let table = format!("x,y,sum,diff,big,high\n{}", (0..60).map(row).collect::<String>());
    place.write("t.csv", &table);
    let quick = ["--net", "linear", "--penalty", "1e-4", "--iterations", "30", "--out", "model"];
    place.run(&[&["train", "t.csv", "--target", "sum,diff", "--ignore", "big,high"][..], &quick].concat()).good();
    let header = "sum,sum low,sum high,diff,diff low,diff high\n";
    assert!(place.run(&["predict", "t.csv", "--model", "model"]).good().out.starts_with(header));
    assert!(place.run(&["eval", "t.csv", "--model", "model"]).good().out.contains("r2 of diff"));
    let labels = ["train", "t.csv", "--target", "big", "--target", "high", "--ignore", "sum,diff"];
    place.run(&[&labels[..], &quick].concat()).good();
    let line = place.run(&["predict", "t.csv", "--model", "model", "--json"]).good().out;
    let line = json(line.lines().next().unwrap());
    assert!(line["labels"]["big"].is_boolean() && line["probabilities"]["high"].is_f64(), "{line}");
}

#[test]
fn rows_are_taken_from_standard_input() {
    let place = Place::new("stdin");
    place.write("iris.csv", IRIS_CSV);
    place.train("iris.csv", "species");
    let from = |arguments: &[&str], text: &str| {
        let mut command = place.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let whole = place.run(&["predict", "iris.csv", "--model", "model"]).good().out;
    assert_eq!(from(&["predict", "-", "--model", "model"], IRIS_CSV), whole);
    assert_eq!(from(&["predict", "--model", "model"], IRIS_CSV), whole);
    assert!(from(&["eval", "-", "--model", "model"], IRIS_CSV).starts_with("rows 150"));
    let quick = ["train", "-", "--target", "species", "--net", "linear", "--penalty", "0.01", "--iterations", "30"];
    from(&quick, IRIS_CSV);
    assert_eq!(
        place.read("stdin-model/model.safetensors").len() / 1000,
        place.read("model/model.safetensors").len() / 1000
    );
}

#[test]
fn every_line_of_the_derivation_holds() {
    let place = Place::new("check");
    let checked = place.run(&["check", "--line", "Eq. 1.1"]).good();
    assert!(checked.out.contains("Eq. 1.1") && checked.out.contains("lines hold."), "{}", checked.out);
    let lines = json(&place.run(&["check", "--json"]).good().out);
    assert!(lines["holds"] == true && lines["lines"].as_array().unwrap().len() > 10, "{lines}");
    place.run(&["check", "--line", "nothing"]).failed(2, &["nothing", "the lines are"]);
}

#[test]
fn the_manual_and_completions_are_printed() {
    let place = Place::new("manual");
    assert!(place.run(&["manual"]).good().out.contains(".TH nn 1"));
    assert!(place.run(&["manual", "train"]).good().out.contains("held"));
    for shell in ["bash", "zsh", "fish"] {
        assert!(place.run(&["completions", shell]).good().out.contains("predict"), "{shell}");
    }
    assert!(place.run(&["--help"]).good().out.contains("predict"));
    assert!(place.run(&["help", "train"]).good().out.contains("--target"));
    assert!(place.run(&["train", "--help"]).good().out.contains("--target"));
    assert!(place.run(&["--version"]).good().out.starts_with("nn "));
}

#[test]
fn the_tape_of_a_net_is_shown_with_values_and_derivatives() {
    let place = Place::new("graph");
    place.write("iris.csv", IRIS_CSV);
    let net = ["--net", "3:tanh", "--members", "1", "--penalty", "0.1", "--iterations", "5", "--out", "model"];
    place.run(&[&["train", "iris.csv", "--target", "species"][..], &net].concat()).good();
    let dot = place.run(&["graph", "model"]).good().out;
    assert!(dot.starts_with("digraph {") && dot.contains("layers.1.weight") && dot.contains("tanh"), "{dot}");
    assert!(!dot.contains("cotangent"), "{dot}");
    let loss = ["graph", "--model", "model", "--data", "iris.csv", "--rows", "2"];
    assert!(place.run(&loss).good().out.contains("cotangent"));
    let all = json(&place.run(&[&loss[..], &["--json"]].concat()).good().out);
    let nodes = all["nodes"].as_array().unwrap();
    let result: Vec<&Value> = nodes.iter().filter(|node| node["result"] == true).collect();
    assert_eq!((result.len(), &result[0]["cotangent"][0]), (1, &Value::from(1.0)));
    let weight = nodes.iter().find(|node| node["name"] == "layers.0.weight").unwrap();
    assert_eq!((&weight["shape"], weight["cotangent"].as_array().unwrap().len()), (&serde_json::json!([3, 4]), 12));
    let svg = place.run(&[&loss[..], &["--svg"]].concat()).good().out;
    picture::well_formed(&svg).unwrap();
    place.run(&["graph", "model", "--data", "nothing.csv"]).failed(1, &["nothing.csv"]);
}

#[test]
fn a_model_is_taken_elsewhere_with_its_columns() {
    let place = Place::new("export");
    place.write("iris.csv", IRIS_CSV);
    let net = ["--net", "3:tanh", "--members", "1", "--penalty", "0.1", "--iterations", "5", "--out", "model"];
    place.run(&[&["train", "iris.csv", "--target", "species"][..], &net].concat()).good();
    let files = ["--onnx", "iris.onnx", "--c", "My iris.h", "--rust", "iris.rs"];
    let ran = place.run(&[&["export", "model", "--json", "-", "--f32"][..], &files].concat()).good();
    assert_eq!(json(&ran.out)["layers"].as_array().unwrap().len(), 2);
    let text = |name: &str| String::from_utf8(place.read(name)).unwrap();
    assert!(
        text("My iris.h").contains("static inline int my_iris_predict(const my_iris_row *row, float probabilities[3])")
    );
    assert!(text("iris.rs").contains("pub fn predict(row: &Row) -> Result<[f32; 3], Refused>"));
    let onnx = place.read("iris.onnx");
    assert!(onnx.windows(13).any(|bytes| bytes == b"probabilities") && onnx.windows(5).any(|bytes| bytes == b"label"));

    place.run(&["export", "model"]).failed(2, &["--onnx", "--json"]);
    place.run(&["export", "model", "--c", "-", "--json", "-"]).failed(2, &["one file at most", "found 2"]);
    place.run(&["export", "model", "--c", "a.h", "--name", "My net"]).failed(2, &["`My net`", "my_net", "--name"]);
    place.run(&["export", "model", "--onnx", "nowhere/a.onnx"]).failed(1, &["nowhere/a.onnx", "cannot be written"]);
    place.run(&["export", "nothing", "--onnx", "a.onnx"]).failed(1, &["nothing"]);
    assert!(!place.has("a.h") && !place.has("a.onnx"));
}

#[test]
fn a_sweep_is_the_same_on_any_number_of_threads_and_goes_on_where_it_was() {
    let place = Place::new("sweep");
    place.write("iris.csv", IRIS_CSV);
    let quick = ["--vary", "penalty=0.1,0.01", "--vary", "net=linear", "--folds", "3", "--iterations", "10"];
    let sweep = ["sweep", "iris.csv", "--target", "species"];
    let one = place.run(&[&sweep[..], &quick, &["--threads", "1"]].concat()).good();
    assert!(one.out.contains("accuracy") && one.out.contains("best: net=linear penalty="), "{}", one.out);
    assert!(one.err.contains("`nn train iris.csv --target species --net linear --penalty 0.0"), "{}", one.err);
    assert_eq!(place.names("iris-sweep"), ["runs.csv", "sweep.csv", "sweep.jsonl"]);
    let two = place.run(&[&sweep[..], &quick, &["--threads", "2", "--out", "two"]].concat()).good();
    assert_eq!((&one.out, place.read("iris-sweep/runs.csv")), (&two.out, place.read("two/runs.csv")));

    // Half of the journal, as a killed sweep leaves it.
    let journal = String::from_utf8(place.read("two/sweep.jsonl")).unwrap();
    let half: String = journal.split_inclusive('\n').take(4).collect();
    place.write("two/sweep.jsonl", half);
    let again = place.run(&[&sweep[..], &quick, &["--out", "two", "--json"]].concat()).good();
    let all = json(&again.out);
    assert_eq!((&all["stopped"], all["tried"].as_array().unwrap().len()), (&Value::from(false), 2));
    assert_eq!(place.read("iris-sweep/runs.csv"), place.read("two/runs.csv"));
    place.run(&[&sweep[..], &quick, &["--out", "two", "--seeds", "2"]].concat()).failed(1, &["two", "--out"]);
    let few = [
        "--vary",
        "penalty=1e-3..1",
        "--random",
        "3",
        "--halving",
        "--folds",
        "2",
        "--iterations",
        "9",
        "--out",
        "few",
    ];
    place.run(&[&sweep[..], &["--vary", "net=linear"], &few].concat()).good();
    place.run(&[&sweep[..], &["--vary", "rate=1"]].concat()).failed(2, &["rate", "penalty"]);
    place.run(&["sweep", "iris.csv", "--out", "new"]).failed(2, &["--target NAME", "`species`"]);
    assert!(!place.has("new"));
}

#[test]
fn a_report_is_left_by_training_and_made_of_any_rows() {
    let place = Place::new("report");
    place.write("iris.csv", IRIS_CSV);
    let net = ["--net", "3:tanh", "--members", "2", "--penalty", "0.1", "--iterations", "10", "--out", "model"];
    place.run(&[&["train", "iris.csv", "--target", "species", "--report", "live.html"][..], &net].concat()).good();
    let left = String::from_utf8(place.read("model/report.html")).unwrap();
    let holds = |html: &str| {
        picture::well_formed(html.trim_start_matches("<!DOCTYPE html>\n")).unwrap();
        assert!(html.contains("Predicting species") && html.contains("virginica") && html.len() < 500_000);
    };
    holds(&left);
    for words in ["that training has not seen", "Over time", "fnv1a-64:"] {
        assert!(left.contains(words), "{words}");
    }
    assert_eq!(String::from_utf8(place.read("live.html")).unwrap(), left);
    let printed = place.run(&["report", "iris.csv", "--model", "model"]).good();
    holds(&printed.out);
    let told = place.run(&["report", "iris.csv", "--model", "model/model.safetensors", "--out", "r.html"]).good();
    assert!(told.out.is_empty() && told.err.contains("r.html"), "{}", told.err);
    holds(&String::from_utf8(place.read("r.html")).unwrap());
    place.run(&["report", "nothing.csv", "--model", "model"]).failed(1, &["nothing.csv"]);
    place.run(&["report", &data("flats.csv"), "--model", "model"]).failed(1, &["expected a column"]);
    let early = place.run(&["train", "iris.csv", "--target", "species", "--report", "no/live.html", "--out", "new"]);
    early.failed(1, &["no/live.html"]);
    assert!(!place.has("new"));
}

/// The picture of README.md, which is made by `scripts/readme-picture`.
#[test]
fn the_picture_of_the_readme_is_what_the_command_draws() {
    let place = Place::new("readme picture");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let script = std::fs::read_to_string(root.join("scripts/readme-picture")).unwrap();
    // The lines that the script asks for, in quotes.
    let lines = script.lines().find_map(|line| line.strip_prefix("lines=(")).unwrap();
    let lines: Vec<&str> = lines.split('\'').skip(1).step_by(2).collect();
    assert!(lines.len() >= 2, "{script}");
    for colours in ["light", "dark"] {
        let mut arguments = vec!["check".to_owned(), format!("--svg={colours}")];
        arguments.extend(lines.iter().flat_map(|line| ["--line".to_owned(), (*line).to_owned()]));
        let drawn = place.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).good().out;
        assert_eq!(drawn.matches("✓").count(), lines.len());
        let stored = std::fs::read_to_string(root.join(format!("docs/derivation-{colours}.svg"))).unwrap();
        assert_eq!(drawn, stored, "run scripts/readme-picture");
    }
}

/// Files of events below a folder, by the folders in it.
fn events(place: &Place, folder: &str) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for name in place.names(folder) {
        let path = format!("{folder}/{name}");
        if place.0.join(&path).is_dir() {
            found.extend(events(place, &path));
        } else {
            assert!(name.starts_with("events.out.tfevents."), "{name}");
            found.push((folder.to_owned(), place.read(&path)));
        }
    }
    found
}

/// How many messages a file of events has: each has its length before it, and twelve bytes more and four behind it.
fn messages(file: &[u8]) -> usize {
    let (mut rest, mut count) = (file, 0);
    while !rest.is_empty() {
        let length = u64::from_le_bytes(rest[..8].try_into().unwrap());
        rest = &rest[16 + usize::try_from(length).unwrap()..];
        count += 1;
    }
    count
}

#[test]
fn each_training_has_its_events_in_a_folder_of_its_own_and_they_are_those_of_the_history() {
    let place = Place::new("events");
    place.write("iris.csv", IRIS_CSV);
    let flags = ["--target", "species", "--net", "4:tanh", "--penalty", "0.01", "--members", "2", "--iterations", "20"];
    let train = || place.run(&[&["train", "iris.csv", "--tensorboard", "board"], &flags[..]].concat()).good();
    assert!(train().err.contains("events are in board/run-1"));
    train();
    assert_eq!(place.names("board"), ["run-1", "run-2"]);
    let history = String::from_utf8(place.read("iris-model/history.csv")).unwrap();
    for run in ["board/run-1", "board/run-2"] {
        let found = events(&place, run);
        assert_eq!(found.len(), 5, "{found:?}");
        for (folder, file) in found {
            let tags = |tag: &str| file.windows(tag.len()).filter(|part| *part == tag.as_bytes()).count();
            let (rows, held_out) = match folder.strip_prefix(run).unwrap() {
                // The version, the loss of the one trial, the weights.
                "" => {
                    assert_eq!((messages(&file), tags("loss/trial"), tags("weights/layers.0.weight")), (3, 1, 1));
                    continue;
                }
                "/all-rows/net-1" => ("150,1,", false),
                "/all-rows/net-2" => ("150,2,", false),
                "/measured/net-1" => ("100,1,", true),
                "/measured/net-2" => ("100,2,", true),
                other => panic!("{other}"),
            };
            let count = history.lines().filter(|line| line.starts_with(rows)).count();
            assert!(count > 5, "{history}");
            assert_eq!((messages(&file), tags("loss/train"), tags("gradient/layers.1")), (count + 1, count, count));
            assert_eq!(tags("loss/held_out"), if held_out { count } else { 0 }, "{folder}");
        }
    }
}

#[test]
fn lines_of_the_derivation_are_chosen_by_name_or_part_of_it_and_drawn_with_their_numbers() {
    let place = Place::new("lines");
    let names = |arguments: &[&str]| -> Vec<String> {
        let all = json(&place.run(&[&["check", "--json"], arguments].concat()).good().out);
        all["lines"].as_array().unwrap().iter().map(|line| line["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&["--line", "2nd: s"]), ["2nd: S"]);
    assert_eq!(names(&["--line", "bias", "--line", "hidden: W"]), ["bias", "hidden: W1"]);
    assert_eq!(names(&[]).len(), 20);
    let svg = place.run(&["check", "--svg", "--line", "Eq. 1.3"]).good().out;
    assert!(svg.contains("prefers-color-scheme:dark") && svg.contains("✓ all 15 numbers"), "{svg}");
    // The first score of the published net: P − 1 by all three accounts.
    let first = svg.split("text-anchor=\"end\">").nth(1).unwrap().split('<').next().unwrap();
    assert!(first.starts_with("-0.6355") && svg.matches(&format!(">{first}<")).count() == 3, "{first}");
}

/// What a model predicts of a table that comes through standard input.
fn served(place: &Place, name: &str, more: &[&str]) -> Ran {
    let rows = std::fs::File::open(place.0.join(name)).unwrap();
    ran(place.command([&["predict", "--model", "model"][..], more].concat()).stdin(rows))
}

#[test]
fn rows_are_written_as_those_of_the_models_table_where_they_do_not_tell() {
    let place = Place::new("marks");
    let table = |between: char, number: &dyn Fn(f64) -> String| {
        let row = |i: usize| format!("{}{between}{}\n", number(i as f64 * 0.125), number(i as f64 * 0.25 + 0.5));
        format!("x{between}y\n{}", (1..60).map(row).collect::<String>())
    };
    place.write("point.csv", table(',', &|x| x.to_string()));
    place.write("comma.csv", table(';', &|x| x.to_string().replace('.', ",")));
    place.write("plain.csv", "x\n1.125\n");
    place.write("other.csv", "x;z\n1,125;0,5\n");
    place.write("alone.csv", "x\n1,125\n2,5\n");
    let value = |ran: Ran| ran.good().out.lines().nth(1).unwrap().split(',').next().unwrap().parse::<f64>().unwrap();
    place.train("point.csv", "y");
    let want = value(place.run(&["predict", "plain.csv", "--model", "model"]));
    assert!((want - 2.75).abs() < 0.1, "{want}");
    // One row tells nothing of `1.125`.
    assert_eq!(value(served(&place, "plain.csv", &[])), want);
    assert_eq!(value(served(&place, "other.csv", &[])), want);
    place.train("comma.csv", "y");
    let want = value(place.run(&["predict", "other.csv", "--model", "model"]));
    assert!((want - 2.75).abs() < 0.1, "{want}");
    for name in ["other.csv", "alone.csv"] {
        assert_eq!(value(served(&place, name, &[])), want, "{name}");
        assert_eq!(value(place.run(&["predict", name, "--model", "model"])), want, "{name}");
        assert_eq!(value(place.run(&["predict", name, "--model", "model", "--decimal-comma"])), want, "{name}");
    }
}

#[test]
fn an_interval_holds_what_is_predicted_and_few_rows_are_told() {
    let place = Place::new("interval");
    place.write("few.csv", "x,y\n0,3\n1,7\n2,5\n3,17\n4,20\n5,14\n6,22\n7,21\n8,11\n9,15\n10,10\n11,19\n");
    place.train("few.csv", "y");
    let told = place.run(&["predict", "few.csv", "--model", "model"]).good();
    assert!(told.err.contains("too few for an interval of 90 %"), "{}", told.err);
    for line in told.out.lines().skip(1) {
        let [y, low, high] = line.split(',').map(|x| x.parse::<f64>().unwrap()).collect::<Vec<_>>()[..3] else {
            panic!()
        };
        assert!(low <= y && y <= high, "{line}");
    }
}

#[test]
fn what_a_sweep_does_not_vary_is_chosen_as_training_chooses_it() {
    let place = Place::new("chosen");
    let row = |i: usize| format!("{},{},{}\n", i % 7, i % 5, 3 * (i % 7) + 10 - (i % 5));
    place.write("line.csv", format!("x,z,y\n{}", (0..35).map(row).collect::<String>()));
    for varied in ["net=linear", "members=1"] {
        let out = ["--out", varied, "--seeds", "1", "--folds", "3", "--iterations", "30"];
        place.run(&[&["sweep", "line.csv", "--target", "y", "--vary", varied][..], &out].concat()).good();
        let table = String::from_utf8(place.read(&format!("{varied}/sweep.csv"))).unwrap();
        let [names, best] = [0, 1].map(|line| table.lines().nth(line).unwrap().split(',').collect::<Vec<_>>());
        let r2: f64 = best[names.iter().position(|name| *name == "r2").unwrap()].parse().unwrap();
        // A penalty of 1 comes to 0.9.
        assert!(r2 > 0.99, "{varied}: {table}");
    }
}
