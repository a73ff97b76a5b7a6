//! Files as people have them, and what is right for each.

use nn::data::Csv;
use nn::{Dataset, Error};

fn read(file: &str, label: &str, classes: Option<&[String]>) -> Result<Dataset, Error> {
    Csv { label, classes }.read(format!("{}/tests/data/{file}", env!("CARGO_MANIFEST_DIR")))
}

/// Rows, features and classes.
type Shape<'a> = (usize, usize, &'a [&'a str]);

const RIGHT: [(&str, &str, Shape<'_>); 21] = [
    ("quote_inside.csv", "shape", (2, 1, &["12\" pipe"])),
    ("quote_after_space.csv", "shape", (3, 1, &["round", "square"])),
    ("quote_after_space_header.csv", "shape", (2, 2, &["round", "square"])),
    ("quote_after_space_comma.csv", "shape", (2, 1, &["round, flat", "square"])),
    ("quote_after_tab.csv", "shape", (2, 1, &["round"])),
    ("index_nameless.csv", "fruit", (9, 2, &["fig", "kiwi", "plum"])),
    ("index_id.csv", "fruit", (9, 2, &["fig", "kiwi", "plum"])),
    ("index_rownames.csv", "fruit", (9, 2, &["fig", "kiwi", "plum"])),
    ("index_unnamed.csv", "fruit", (9, 2, &["fig", "kiwi", "plum"])),
    ("index_index.csv", "fruit", (9, 2, &["fig", "kiwi", "plum"])),
    ("index_quoted.csv", "fruit", (9, 2, &["fig", "kiwi", "plum"])),
    ("columns_train.csv", "kind", (3, 3, &["carp", "pike"])),
    ("number_classes_5_to_12.csv", "grade", (10, 1, &["5", "6", "7", "8", "9", "10", "11", "12"])),
    ("number_classes_negative.csv", "step", (5, 1, &["-10", "-2", "0", "2", "10"])),
    ("number_classes_two_forms.csv", "grade", (4, 1, &["2", "3"])),
    ("number_classes_plus.csv", "side", (3, 1, &["-1", "1"])),
    ("encoding_bom_quoted.csv", "kind", (2, 1, &["carp", "pike"])),
    ("near_constant.csv", "kind", (60, 2, &["a", "b"])),
    ("near_constant_large.csv", "kind", (40, 2, &["a", "b"])),
    ("beyond_squares.csv", "kind", (4, 2, &["a", "b"])),
    ("rare_class.csv", "kind", (23, 1, &["common", "pair", "rare"])),
];

#[test]
fn files_that_are_right_are_read() {
    for (file, label, (rows, features, classes)) in RIGHT {
        let data = read(file, label, None).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((data.len(), data.width()), (rows, features), "{file}");
        assert_eq!(data.classes(), classes, "{file}");
    }
    let single = read("single_rows.csv", "kind", None).unwrap();
    assert_eq!((single.len(), single.width(), single.classes().len()), (30, 1, 30));
    let grades = read("number_classes_5_to_12.csv", "grade", None).unwrap();
    assert_eq!(grades.labels(), [0, 1, 2, 3, 4, 5, 6, 7, 5, 4]);
    let fruit = read("index_id.csv", "fruit", None).unwrap();
    assert_eq!(fruit.select(&[0]).features().as_slice(), [8.0, 3.0]);
}

/// A file, its label, the line and the column of the mistake (0 where there is none), and words of the message.
const WRONG: [(&str, &str, u32, u32, &[&str]); 37] = [
    ("quote_open_label.csv", "shape", 3, 3, &["quote", "closed"]),
    ("quote_open_feature.csv", "shape", 3, 1, &["quote", "closed"]),
    ("quote_open_header.csv", "shape", 1, 2, &["quote", "closed"]),
    ("quote_open_last.csv", "shape", 4, 2, &["quote", "closed"]),
    ("quote_open_closed_later.csv", "shape", 2, 2, &["line break", r"round\n2,square"]),
    ("quote_text_after.csv", "shape", 2, 2, &["quote", "`x`"]),
    ("missing_label_1.csv", "kind", 4, 2, &["`NA`", "stands for a missing"]),
    ("missing_label_2.csv", "kind", 4, 2, &["`N/A`", "stands for a missing"]),
    ("missing_label_3.csv", "kind", 4, 2, &["`nan`", "stands for a missing"]),
    ("missing_label_4.csv", "kind", 4, 2, &["`null`", "stands for a missing"]),
    ("missing_label_5.csv", "kind", 4, 2, &["`?`", "stands for a missing"]),
    ("missing_label_quoted.csv", "kind", 3, 2, &["``"]),
    ("index_last.csv", "fruit", 1, 3, &["a column without a name"]),
    ("columns_twice.csv", "kind", 1, 2, &["`length` a second time"]),
    ("spelling_case.csv", "pet", 4, 2, &["`cat`", "`Cat`", "case"]),
    ("spelling_accent.csv", "town", 3, 2, &["U+00FC", "U+0075 U+0308"]),
    ("spelling_zero_width.csv", "pet", 3, 2, &["U+200B"]),
    ("number_classes_zeros.csv", "month", 3, 2, &["`01`", "`1`"]),
    ("measured_target.csv", "price", 1, 3, &["`price`", "measured numbers", "60 different ones in 60 rows"]),
    ("separator_semicolon.csv", "kind", 1, 0, &["`,`", "`;`"]),
    ("separator_tab.csv", "kind", 1, 0, &["`,`", "tabs"]),
    ("separator_pipe.csv", "kind", 1, 0, &["`,`", "`|`"]),
    ("separator_decimal_comma.csv", "kind", 1, 0, &["`,`", "`;`"]),
    ("separator_late.csv", "kind", 3, 2, &["3 fields", "found 1"]),
    ("line_ends_cr.csv", "kind", 4, 1, &["`three`"]),
    ("line_ends_cr_blank.csv", "kind", 6, 1, &["`x`"]),
    ("line_ends_mixed.csv", "kind", 5, 1, &["`x`"]),
    ("line_ends_cr_ragged.csv", "kind", 3, 2, &["expected 2 fields", "found 1"]),
    ("encoding_utf16le.csv", "kind", 1, 0, &["UTF-16", "FF FE"]),
    ("encoding_utf16be.csv", "kind", 1, 0, &["UTF-16", "FE FF"]),
    ("encoding_utf16le_no_mark.csv", "kind", 1, 0, &["UTF-16"]),
    ("encoding_latin1.csv", "kind", 3, 0, &["UTF-8"]),
    ("encoding_nul.csv", "kind", 3, 2, &["control characters"]),
    ("encoding_escape.csv", "kind", 2, 1, &["number"]),
    ("encoding_zip.csv", "kind", 1, 0, &["zip", "text"]),
    ("cells_nan.csv", "kind", 3, 1, &["finite", "`nan`"]),
    ("cells_overflow.csv", "kind", 3, 1, &["finite", "`1e309`"]),
];

fn holds(error: &Error, (file, line, column): (&str, u32, u32), words: &[&str]) {
    let said = error.to_string();
    assert_eq!((error.line.unwrap_or(0), error.column.unwrap_or(0)), (line, column), "{said}");
    assert!(said.contains(file) && words.iter().all(|word| said.contains(word)), "{said:?} without one of {words:?}");
    assert!(!said.contains(char::is_control), "{said:?}");
}

#[test]
fn files_that_are_wrong_are_refused_with_the_place_and_what_was_found() {
    for (file, label, line, column, words) in WRONG {
        match read(file, label, None) {
            Ok(data) => panic!("{file}: {:?}", data.classes()),
            Err(error) => holds(&error, (file, line, column), words),
        }
    }
}

#[test]
fn classes_that_are_listed_are_meant() {
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let known = names(&["NA", "elm", "oak"]);
    let trees = read("missing_label_1.csv", "kind", Some(&known)).unwrap();
    assert_eq!((trees.labels(), trees.classes()), (&[2, 1, 0, 2][..], &known[..]));

    for (wrong, word) in
        [(&["carp", "pike", "pike"], "`pike`"), (&["carp", "pike", ""], "an empty name, which is no class")]
    {
        let error = read("columns_train.csv", "kind", Some(&names(wrong))).unwrap_err();
        holds(&error, ("columns_train.csv", 0, 0), &[word]);
    }
    // A number in another spelling than that of the list.
    let grades = read("number_classes_two_forms.csv", "grade", Some(&names(&["3", "2"]))).unwrap();
    assert_eq!(grades.labels(), [1, 1, 0, 0]);
}

#[test]
fn columns_are_found_by_their_names() {
    let classes = ["carp", "pike"].map(str::to_owned);
    let known = ["length", "width", "weight"];
    let csv = Csv { label: "kind", classes: Some(&classes) }.columns(&known);
    let path = |file: &str| format!("{}/tests/data/{file}", env!("CARGO_MANIFEST_DIR"));
    let data: Dataset = csv.read(path("columns_shuffled.csv")).unwrap();
    assert_eq!(data.features().as_slice(), [10.5, 1.0, 101.0, 12.5, 2.0, 112.0]);
    assert_eq!(data.labels(), [1, 0]);
    let error = csv.read::<f64>(path("columns_renamed.csv")).unwrap_err();
    holds(&error, ("columns_renamed.csv", 1, 2), &["expected the column `width`", "found `breadth`"]);
}

#[test]
fn numbers_of_f32_are_rounded_once() {
    let data = Csv::new("kind").parse::<f32>("f", "x,kind\n1.00000005960464477540,a\n").unwrap();
    assert_eq!(data.features().item(), 1.0000001);
}
