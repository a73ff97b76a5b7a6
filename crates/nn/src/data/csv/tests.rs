use super::*;
use crate::data::IRIS_CSV;
use pieces::Threads;
use proptest::prelude::*;
use std::fmt::Write;

fn message(text: &str) -> String {
    Csv::new("kind").parse::<f32>("a.csv", text).unwrap_err().to_string()
}

#[test]
fn iris_is_complete() {
    let iris: Dataset = Csv::new("species").parse("iris.csv", IRIS_CSV).unwrap();
    assert_eq!((iris.len(), iris.width()), (150, 4));
    assert_eq!(iris.classes(), ["setosa", "versicolor", "virginica"]);
    assert_eq!(iris.select(&[149]).features().as_slice(), [5.9, 3.0, 5.1, 1.8]);
    for class in 0..3 {
        assert_eq!(iris.labels().iter().filter(|&&label| label == class).count(), 50);
    }
}

#[test]
fn the_label_may_stand_in_any_column_and_classes_are_sorted() {
    let data: Dataset = Csv::new("kind").parse("", "x,kind,y\n1, b ,2\n\n3,a,4").unwrap();
    assert_eq!(data.features(), &Tensor::from_rows([[1.0, 2.0], [3.0, 4.0]]));
    assert_eq!((data.labels(), data.classes()), (&[1, 0][..], &["a".to_owned(), "b".to_owned()][..]));
}

#[test]
fn errors_name_line_and_column_and_what_came() {
    let rows = [
        ("", "a.csv: expected a header with the names of the columns, found an empty file"),
        ("\n\n", "a.csv: expected a header with the names of the columns, found an empty file"),
        ("x,kind\n", "a.csv: expected rows below the header, found none"),
        ("x,y\n1,a\n", "a.csv, line 1: expected one column `kind`, found none in the header: `x`, `y`"),
        ("kind,x,kind\n", "a.csv, line 1: expected one column `kind`, found 2 in the header: `kind`, `x`, `kind`"),
        ("kind\na\n", "a.csv, line 1: expected a column of numbers beside the labels, found none"),
        ("x,kind\n1,a\n2\n", "a.csv, line 3, column 2: expected 2 fields as in the header, found 1"),
        ("x,kind\n1,a,\n", "a.csv, line 2, column 3: expected 2 fields as in the header, found 3"),
        ("x,kind\n1,a\n1.2.3,b\n", "a.csv, line 3, column 1: expected a number for `x`, found `1.2.3`"),
        ("x,kind\n,a\n", "a.csv, line 2, column 1: expected a number for `x`, found ``"),
        ("kind,x\na,NaN\n", "a.csv, line 2, column 2: expected a finite f32 for `x`, found `NaN`"),
        ("kind,x\na,-inf\n", "a.csv, line 2, column 2: expected a finite f32 for `x`, found `-inf`"),
        ("kind,x\na,1e39\n", "a.csv, line 2, column 2: expected a finite f32 for `x`, found `1e39`"),
        ("x,kind\n1,\n", "a.csv, line 2, column 2: expected a class for `kind`, found ``"),
    ];
    for (text, want) in rows {
        assert_eq!(message(text), want, "{text:?}");
    }
}

#[test]
fn lines_are_counted_as_an_editor_counts_them() {
    for (text, line) in [
        ("x,kind\n1,a\n\n\nz,b\n", 5),
        ("\n\nx,kind\n1,a\nz,b\n", 5),
        ("x,kind\r\n1,a\r\nz,b\r\n", 3),
        ("x,kind\r\n1,a\r\n\r\nz,b\r\n", 4),
        ("x,kind\n\"\n1\",a\nz,b", 4),
        ("\u{feff}x,kind\n1,a\nz,b", 3),
    ] {
        assert!(message(text).starts_with(&format!("a.csv, line {line}, column 1: ")), "{text:?}: {}", message(text));
    }
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let error = Csv::new("kind").read::<f64>("no/such/file.csv").unwrap_err();
    assert!(error.to_string().starts_with("no/such/file.csv: cannot be read: "), "{error}");
}

#[test]
fn files_that_are_not_text_are_an_error_with_a_line() {
    let path = std::env::temp_dir().join(format!("nn-encoding-{}.csv", std::process::id()));
    std::fs::write(&path, b"x,kind\n1,a\n2,\xff\n").unwrap();
    let result = Csv::new("kind").read::<f64>(&path);
    std::fs::remove_file(&path).unwrap();
    let error = result.unwrap_err();
    assert!(matches!(error.kind, Kind::Encoding));
    assert_eq!(error.line, Some(3));
}

#[test]
fn a_separator_that_would_cut_letters_is_refused() {
    for delimiter in [0xC3, b'"', b'\n'] {
        let reading = Reading { delimiter: Some(delimiter), ..Reading::default() };
        let error = reading.parse("a.csv", "größe,y\n1,2\n").unwrap_err().to_string();
        assert!(error.starts_with("a.csv: expected a separator of fields in ASCII"), "{error}");
    }
    assert!(crate::data::Table::parse("a.csv", "sep=ö\nx,y\n1,2\n").is_ok());
}

#[test]
fn a_first_line_longer_than_what_is_read_at_once_is_understood() {
    let names: Vec<String> = (0..20_000).map(|i| format!("column number {i}")).collect();
    let row = |cell: &str| vec![cell; 20_000].join(";");
    let text = format!("{}\n{}\n{}\n", names.join(";"), row("1,5"), row("2,5"));
    let table = crate::data::Table::parse("a.csv", &text).unwrap();
    assert_eq!((table.columns.len(), table.len(), &table.columns[7].name[..]), (20_000, 2, "column number 7"));
}

/// What became of a text: its cells and their lines, or the error.
fn told(reading: &Reading, text: &str) -> String {
    match reading.parse("a.csv", text) {
        Err(error) => error.to_string(),
        Ok(table) => {
            let mut cells = Vec::new();
            table.write_csv(&mut cells).unwrap();
            let lines: Vec<u32> = (0..table.len()).map(|row| table.place(row, "").1).collect();
            format!("{} {lines:?} {:?}", String::from_utf8(cells).unwrap(), table.notes())
        }
    }
}

const CELLS: [&str; 30] = [
    "1",
    "-2.5",
    "0",
    "007",
    "1234567.25",
    "12345678",
    "1e3",
    "12345678901234567",
    "+1",
    "-",
    ".5",
    "5.",
    "",
    "",
    "NA",
    "Ulm",
    "K\u{f6}ln",
    "Malm\u{f6}",
    "\u{e9}t\u{e9}",
    " a ",
    "\"b, c\"",
    "\"1.5\"",
    "\"a\"\"b\"",
    "\"\"",
    "\u{a0}b",
    "\" d\"",
    "2021-03-04",
    "a word of many letters",
    "x\u{7f}",
    "\"two\nlines\"",
];

proptest! {
    /// A mark of remarks, though none comes, lets all rows go by the records.
    #[test]
    fn rows_that_are_read_in_one_pass_are_those_that_are_read_record_by_record(
        rows in prop::collection::vec((0..30_usize, 0..30_usize, 0..30_usize), 1..40),
        columns in 1..4_usize,
        few in 1..6_usize,
        ends in prop::sample::select(vec!["\n", "\r\n"]),
        broken in prop::option::of((0..200_usize, "[,\"\n\ra1]")),
    ) {
        let mut text = ["x", "kind", "y"][..columns].join(",") + ends;
        for (a, b, c) in rows {
            // Of few different cells columns are of numbers more often.
            let cells = [a % (6 * few), b, c % (6 * few)].map(|cell| CELLS[cell.min(29)]);
            text += &(cells[..columns].join(",") + ends);
        }
        if let Some((at, with)) = broken {
            let at = at.min(text.len());
            if text.is_char_boundary(at) {
                text.insert_str(at, &with);
            }
        }
        let slow = Reading { comment: Some(1), ..Reading::default() };
        prop_assert_eq!(told(&Reading::default(), &text), told(&slow, &text), "{:?}", text);
    }
}

/// What reading by so many threads tells of a text, all of it.
fn told_by(text: &[u8], threads: Threads) -> String {
    let source = Source::Held(text);
    match Reading::default().load_by("a.csv", &source, threads) {
        Ok(table) => {
            let lines: Vec<u32> = (0..table.len()).map(|row| table.place(row, "").1).collect();
            format!("{:?} {:?} {:?} {lines:?}", table.columns, table.notes(), table.comma)
        }
        Err(error) => error.to_string(),
    }
}

/// Rows of a table of three columns, a few of which are not plain.
fn rows() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        20 => "[a-c]{1,2}|\"[a-c]\"|",
        1 => prop::sample::select(vec!["é", "\"a\nb\"", "\"x\"\"y\"", " a", "\"", "NA", "total", "\u{a0}c", "-", "007", "a\rb"]).prop_map(str::to_owned),
    ];
    let number = prop_oneof![
        20 => "[1-9]{1,3}(\\.[0-9]{1,3})?|",
        1 => prop::sample::select(vec!["1e3", "-5", "\"7\"", "n/a", "-", "007", "1,5", "sum", "x", "12345678.12345678"]).prop_map(str::to_owned),
    ];
    let row = prop_oneof![
        30 => (word.clone(), number, word).prop_map(|(a, x, b)| format!("{a},{x},{b}")),
        1 => prop::sample::select(vec!["", ",,", "kind,x,note", "\"kind\",\"x\",\"note\"", "a,1", "a,1,b,", "a,1,b,c", "\"", "#"])
            .prop_map(str::to_owned),
    ];
    let end = prop_oneof![30 => Just("\n"), 1 => Just("\r\n"), 1 => Just("\r")];
    let rows = prop::collection::vec((row, end), 0..60);
    rows.prop_map(|rows| rows.iter().flat_map(|(row, end)| [&row[..], end]).collect())
}

proptest! {
    #[test]
    fn threads_change_nothing(rows in rows(), count in 2_usize..6, least in 1_usize..40) {
        let text = format!("kind,x,note\n{rows}");
        let threads = Threads { count, least, ..Threads::ONE };
        prop_assert_eq!(told_by(text.as_bytes(), threads), told_by(text.as_bytes(), Threads::ONE), "{:?}", text);
    }
}

#[test]
fn a_long_text_is_the_same_by_blocks_on_threads() {
    let mut text = "kind,x,note\n".to_owned();
    for i in 0..60_000_u32 {
        let note = match i * 7919 % 997 {
            0 => "\"two\nlines, 1\"",
            1 => "\"a \"\"b\"\"\"",
            2 => "NA",
            n => &format!("note {}", n % (1 + i / 1000)),
        };
        let _ = writeln!(text, "{},{}.{},{note}", ["ash", "elm", ""][i as usize % 3], i % 83, i % 10);
    }
    for wrong in ["", "oak,seven,x\n", "oak\n", "\"oak,1,x\n"] {
        let text = text.clone() + wrong + &text[12..];
        let one = told_by(text.as_bytes(), Threads::ONE);
        let several = told_by(text.as_bytes(), Threads { count: 3, block: 50_000, least: 1000 });
        assert!(one == several, "{wrong:?}");
        assert_eq!(
            one.contains("Numbers"),
            matches!(wrong, "" | "oak,seven,x\n") && !wrong.contains("seven"),
            "{wrong:?}"
        );
    }
}
