//! Mistakes: two lines, the exit code, nothing half written.

use super::{Place, data, ran};
use nn::data::IRIS_CSV;

/// A place with the iris and a model of them.
fn trained(name: &str) -> Place {
    let place = Place::new(name);
    place.write("iris.csv", IRIS_CSV);
    place.train("iris.csv", "species");
    place
}

#[test]
fn what_is_not_said_rightly_ends_with_2() {
    let place = Place::new("usage");
    place.write("iris.csv", IRIS_CSV);
    place.run(&[]).failed(2, &["--help"]);
    place.run(&["trian"]).failed(2, &["trian", "train"]);
    place.run(&["train", "iris.csv", "--tagret", "species"]).failed(2, &["--tagret", "--target"]);
    place.run(&["train"]).failed(2, &["expected a table"]);
    place.run(&["train", "iris.csv"]).failed(2, &["expected a target", "`species`"]);
    place.run(&["eval", "iris.csv"]).failed(2, &["--model"]);
    place.run(&["info"]).failed(2, &["MODEL"]);
    for (flag, value, word) in [
        ("--held-out", "2", "below 1"),
        ("--seed", "-1", "--seed"),
        ("--net", "0", "linear"),
        ("--penalty", "-1", "number of 0 or more"),
        ("--penalty", "much", "number of 0 or more"),
        ("--delimiter", "ab", "one character"),
        ("--encoding", "klingon", "latin1"),
        ("--as", "zone", "NAME=KIND"),
        ("--missing", "guess", "fill"),
    ] {
        place.run(&["train", "iris.csv", "--target", "species", flag, value]).failed(2, &[word]);
    }
    assert_eq!(place.names("."), ["iris.csv"]);
}

#[test]
fn tables_that_are_none_are_told() {
    let place = trained("tables");
    place.write("empty.csv", "");
    place.write("header.csv", "a,b,species\n");
    place.write("ragged.csv", "a,species\n1,x\n2,y,3\n");
    place.write("quote.csv", "a,species\n\"1,x\n2,y\n");
    place.write("zip.csv", b"PK\x03\x04\x14\x00");
    place.write("twice.csv", "a,a,species\n1,2,x\n2,3,y\n");
    std::fs::create_dir(place.0.join("folder")).unwrap();
    for (file, words) in [
        ("nothing.csv", &["nothing.csv", "No such file", "check the path"][..]),
        ("folder", &["folder", "directory", "give a file"]),
        ("empty.csv", &["empty.csv", "empty file"]),
        ("header.csv", &["header.csv", "found none"]),
        ("ragged.csv", &["ragged.csv, line 3", "expected 2 fields", "--delimiter"]),
        ("quote.csv", &["quote.csv, line 2", "quote"]),
        ("zip.csv", &["zip.csv", "zip archive"]),
        ("twice.csv", &["twice.csv, line 1", "second time"]),
        ("model/model.safetensors", &["safetensors", "--model"]),
    ] {
        place.run(&["train", file, "--target", "species", "--out", "new"]).failed(1, words);
        place.run(&["predict", file, "--model", "model"]).failed(1, words);
        place.run(&["eval", file, "--model", "model"]).failed(1, words);
        assert!(!place.has("new"), "{file}");
    }
}

#[test]
fn columns_and_cells_that_do_not_fit_are_told_with_their_place() {
    let place = trained("cells");
    let train = |file: &str, more: &[&str]| place.run(&[&["train", file, "--out", "new"][..], more].concat());
    train("iris.csv", &["--target", "Specis"])
        .failed(1, &["expected a column `Specis`", "is it `species`?", "`species`"]);
    train("iris.csv", &["--target", "weight"]).failed(1, &["weight", "sepal_length"]);
    train("iris.csv", &["--target", "species", "--ignore", "petal"]).failed(1, &["petal"]);
    train("iris.csv", &["--target", "species,petal_width"]).failed(1, &["line 2, column 5", "several targets"]);
    train("iris.csv", &["--target", "species,species"]).failed(1, &["named twice"]);
    train("iris.csv", &["--target", "species", "--as", "petal_width=word"]).failed(1, &["cannot be taken for"]);
    let one: String = IRIS_CSV.split_inclusive('\n').take(40).collect();
    place.write("one.csv", one);
    train("one.csv", &["--target", "species"]).failed(1, &["the same in all rows"]);
    place.write("two.csv", "a,kind\n1,x\n2,y\n");
    train("two.csv", &["--target", "kind"]).failed(1, &["--held-out 0"]);
    place.write("bad.csv", IRIS_CSV.replace("7,3.2,4.7,1.4", "7,3.2,4.7,1l4"));
    train("bad.csv", &["--target", "species"]).failed(1, &["bad.csv, line 52, column 4", "1l4", "petal_width"]);
    train("bad.csv", &["--target", "petal_width", "--ignore", "species"]).failed(1, &["line 52, column 4", "1l4"]);
    // A word that stands there once is as wrong where there are few different numbers.
    let rows: String =
        (0..40).map(|i| ["1,a\n", "2,b\n", "3,a\n", "two,b\n"][if i == 20 { 3 } else { i % 3 }]).collect();
    place.write("few.csv", format!("rooms,kind\n{rows}"));
    train("few.csv", &["--target", "kind"])
        .failed(1, &["few.csv, line 22, column 1", "`two`", "--as 'rooms=category'"]);
    assert!(!place.has("new"));
    let said = ["--missing-mark", "1l4", "--net", "linear", "--penalty", "1", "--iterations", "5"];
    train("bad.csv", &[&["--target", "species"][..], &said].concat()).good();
    std::fs::remove_dir_all(place.0.join("new")).unwrap();
    let quick = ["--held-out", "0", "--net", "linear", "--penalty", "1", "--iterations", "5"];
    let two = train("two.csv", &[&["--target", "kind"][..], &quick].concat()).good();
    assert!(two.out.contains("nothing held out"), "{}", two.out);

    let eval = |file: &str| place.run(&["eval", file, "--model", "model"]);
    eval("bad.csv").failed(1, &["bad.csv, line 52, column 4", "expected a number"]);
    place.write("other.csv", IRIS_CSV.replace("setosa", "rosa"));
    eval("other.csv").failed(1, &["other.csv, line 2, column 5", "a class", "rosa", "setosa"]);
    place.write("lacks.csv", "sepal_length,petal_length,petal_widht,species\n1,2,3,setosa\n");
    eval("lacks.csv").failed(1, &["lacks.csv", "expected a column `sepal_width`"]);
    eval(&data("flats.csv")).failed(1, &["flats.csv", "species"]);
    place.run(&["predict", &data("flats.csv"), "--model", "model"]).failed(1, &["sepal_length"]);
    place.run(&["predict", "iris.csv", "--model", "model", "--keep", "colour"]).failed(1, &["colour"]);
}

#[test]
fn words_that_training_has_not_seen_are_an_error_or_as_none() {
    let place = Place::new("unknown");
    place.train(&data("flats.csv"), "rent");
    let new = String::from_utf8(std::fs::read(data("new_flats.csv")).unwrap()).unwrap();
    place.write("new.csv", new.replacen("Weststadt", "Südstadt", 1));
    let refused = place.run(&["predict", "new.csv", "--model", "model"]);
    let refused = refused.failed(1, &["new.csv, line 2, column 3", "Südstadt", "--unknown"]);
    assert!(refused.out.is_empty(), "{}", refused.out);
    assert_eq!(place.run(&["predict", "new.csv", "--model", "model", "--unknown"]).good().out.lines().count(), 11);
}

#[test]
fn models_that_are_none_are_told() {
    let place = trained("models");
    place.write("half.safetensors", &place.read("model/model.safetensors")[..300]);
    std::fs::create_dir(place.0.join("empty")).unwrap();
    for (model, words) in [
        ("nothing", &["nothing", "nn train"][..]),
        ("empty", &["empty", "model.safetensors"]),
        ("iris.csv", &["iris.csv", "expected"]),
        ("half.safetensors", &["half.safetensors"]),
        ("model/settings.toml", &["settings.toml", "expected"]),
    ] {
        place.run(&["eval", "iris.csv", "--model", model]).failed(1, words);
        place.run(&["predict", "iris.csv", "--model", model]).failed(1, words);
        place.run(&["info", model]).failed(1, words);
    }
}

#[test]
fn a_folder_that_is_somebody_elses_is_left_alone() {
    let place = trained("folders");
    let train = |out: &str| {
        let quick = ["--net", "linear", "--penalty", "0.1", "--iterations", "5"];
        place.run(&[&["train", "iris.csv", "--target", "species", "--out", out][..], &quick].concat())
    };
    place.write("file", "mine");
    train("file").failed(1, &["file", "expected a folder"]);
    train("no/such/folder").failed(1, &["no/such", "--out"]);
    train("").failed(2, &["--out"]);
    std::fs::create_dir(place.0.join("theirs")).unwrap();
    place.write("theirs/settings.toml", "mine = true");
    train("theirs").failed(1, &["settings.toml", "--out"]);
    assert_eq!(place.read("theirs/settings.toml"), b"mine = true");
    // A run is replaced by the next one, and other files stay.
    let before = place.read("model/model.safetensors");
    place.write("model/notes.txt", "mine");
    train("model").good();
    assert_ne!(place.read("model/model.safetensors"), before);
    assert_eq!(place.read("model/notes.txt"), b"mine");
    train("a folder with blanks").good();
    place.run(&["predict", "iris.csv", "--model", "a folder with blanks"]).good();
}

#[test]
fn settings_that_are_none_are_told() {
    let place = trained("settings");
    place.write("typo.toml", "data = \"iris.csv\"\ntraget = \"species\"\n");
    place.run(&["train", "--settings", "typo.toml"]).failed(1, &["typo.toml", "traget", "target"]);
    place.write("broken.toml", "data = \"iris.csv\"\ntarget = [\n");
    place.run(&["train", "--settings", "broken.toml"]).failed(1, &["broken.toml, line"]);
    place.run(&["train", "--settings", "none.toml"]).failed(1, &["none.toml"]);
    place.run(&["train", "--settings", "model/model.safetensors"]).failed(1, &["model.safetensors"]);
    assert_eq!(place.names("."), ["broken.toml", "iris.csv", "model", "typo.toml"]);
}

#[test]
fn a_cell_with_another_unit_is_told_with_its_place_and_what_to_do() {
    let place = Place::new("units");
    let rows = ["12 kg,cat\n", "13.5 kg,cat\n", "30 kg,dog\n", "41 kg,dog\n"].concat().repeat(10);
    place.write("pets.csv", format!("Pets of 2023\nweight,kind\n{rows}"));
    place.train("pets.csv", "kind");
    place.write("grams.csv", "weight\n12 kg\n300 g\n");
    place
        .run(&["predict", "grams.csv", "--model", "model"])
        .failed(1, &["grams.csv, line 3, column 1", "a number in `kg`", "`300 g`", "bring the cell to this unit"]);
}

#[test]
fn what_is_read_is_not_written_over() {
    let place = Place::new("same");
    place.write("iris.csv", IRIS_CSV);
    place.train("iris.csv", "species");
    let (table, model) = (place.read("iris.csv"), place.read("model/model.safetensors"));
    for arguments in [
        &["predict", "iris.csv", "--model", "model", "--out", "./iris.csv"][..],
        &["report", "iris.csv", "--model", "model", "--out", "iris.csv"],
        &["train", "iris.csv", "--target", "species", "--out", "other", "--report", "iris.csv"],
        &["export", "model", "--c", "model/model.safetensors"],
        &["predict", "iris.csv", "--model", "model", "--out", "model/model.safetensors"],
    ] {
        place.run(arguments).failed(2, &["expected another file than", "would be lost"]);
    }
    assert!(place.read("iris.csv") == table && place.read("model/model.safetensors") == model && !place.has("other"));
}

#[test]
fn instructions_that_no_cpu_has_are_told_in_two_lines() {
    let place = Place::new("level");
    place.write("iris.csv", IRIS_CSV);
    let mut command = place.command(["train", "iris.csv", "--target", "species"]);
    ran(command.env("AUTOGRAD_LEVEL", "mmx")).failed(2, &["mmx names no instruction set; possible here: baseline"]);
}
