//! How files are written in the wild, and what is read from each.

use nn::data::{Cells, Encoding, Preparing, Preprocess, Reading, Schema, Table};
use std::fmt::Write as _;

/// The names of a table, and its cells as text.
fn shown(table: &Table) -> Vec<Vec<String>> {
    let mut all = vec![table.columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>()];
    for row in 0..table.len() {
        let cell = |cells: &Cells| match cells {
            Cells::Numbers(numbers) => numbers[row].to_string(),
            Cells::Text { words, rows } => rows[row].map_or("-".into(), |word| format!("'{}", words[word as usize])),
        };
        all.push(table.columns.iter().map(|column| cell(&column.cells)).collect());
    }
    all
}

fn rows(table: &Table) -> String {
    shown(table).iter().map(|row| row.join("|")).collect::<Vec<_>>().join(" / ")
}

#[test]
fn a_table_is_read_however_it_is_written() {
    let rows_of = [
        ("sep=;\nx;kind\n1,5;a\n", "x|kind / 1.5|'a"),
        ("\"sep=;\"\r\nx;kind\r\n1,5;a\r\n", "x|kind / 1.5|'a"),
        ("x;y\n1,5;2\n3,25;4\n", "x|y / 1.5|2 / 3.25|4"),
        ("x\tkind\n1\ta b\n", "x|kind / 1|'a b"),
        ("x|kind\n1|a\n2|b\n", "x|kind / 1|'a / 2|'b"),
        ("5.1,a\n4.9,b\n", "column_1|column_2 / 5.1|'a / 4.9|'b"),
        ("# made by hand\n# in May\nx,kind\n1,a\n", "x|kind / 1|'a"),
        ("# x,kind\n1,a\n2,b\n", "x|kind / 1|'a / 2|'b"),
        ("x,note\n1,\"two\nlines\"\n2,one\n", "x|note / 1|'two\nlines / 2|'one"),
        ("x,note\r\n1,\"two\r\nlines\"\r\n", "x|note / 1|'two\r\nlines"),
        ("x,kind\r1,a\r2,b\r", "x|kind / 1|'a / 2|'b"),
        ("\u{feff}x,kind\n1,a\n", "x|kind / 1|'a"),
        ("x,kind\n\n1,a\n\n\n2,b", "x|kind / 1|'a / 2|'b"),
        ("x\n1\n2\n", "x / 1 / 2"),
        ("price,n\n\"1,234\",1\n\"12,500\",2\n\"1,234,567\",3\n", "price|n / 1234|1 / 12500|2 / 1234567|3"),
        ("price;n\n1.234,5;1\n12.500,25;2\n", "price|n / 1234.5|1 / 12500.25|2"),
        ("\"x\",\"y\"\n\"1.5\",\"2\"\n", "x|y / 1.5|2"),
        ("x,y\n1e3,-2.5E-1\n", "x|y / 1000|-0.25"),
        ("x,y\n 1 , 2\n", "x|y / 1|2"),
        ("x,y\n1,2,\n3,4,\n", "x|y / 1|2 / 3|4"),
        ("x,y\n1,-\n2,3\n", "x|y / 1|NaN / 2|3"),
        ("\"a\nb\",y\n1,2\n", "a b|y / 1|2"),
    ];
    for (text, want) in rows_of {
        let table = Table::parse("t.csv", text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert_eq!(rows(&table), want, "{text:?}: {:?}", table.notes());
    }
}

#[test]
fn lines_that_begin_with_the_mark_of_remarks_count_nowhere() {
    for (mark, text) in [
        ('#', "# made; by; hand\nx,kind\n1,a\n# 7,7,7\n2,b\n"),
        ('#', "#one,two\n#three\nx,kind\n1,a\n2,b\n"),
        ('%', "% a, b\n%\n%\nx,kind\n1,a\n2,b\n% the end"),
        ('/', "x,kind\n/ first\n/ second\n1,a\n2,b\n"),
    ] {
        let reading = Reading { comment: Some(mark as u8), ..Reading::default() };
        assert_eq!(rows(&reading.parse("t.csv", text).unwrap()), "x|kind / 1|'a / 2|'b", "{text:?}");
    }
    let reading = Reading { comment: Some(b'#'), ..Reading::default() };
    let table = reading.parse("t.csv", "# x\n5.1,a\n4.9,b\n").unwrap();
    assert_eq!(rows(&table), "column_1|column_2 / 5.1|'a / 4.9|'b");
    assert_eq!(table.place(1, "column_1").1, 3);
    let wrong = Reading { comment: Some(b','), ..Reading::default() }.parse("t.csv", "x,y\n1,2\n").unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "t.csv: expected a mark of remarks that is no separator, quote or line end, found `,`"
    );
}

#[test]
fn what_is_no_table_is_an_error_with_its_place() {
    for (text, want) in [
        ("", "t.csv: expected a header with the names of the columns, found an empty file"),
        ("x,y\n", "t.csv: expected rows below the header, found none"),
        ("x,y\n1,2\n3\n", "t.csv, line 3, column 2: expected 2 fields as in the header, found 1"),
        ("x,y\n1,2\n3,4,5\n", "t.csv, line 3, column 3: expected 2 fields as in the header, found 3"),
        ("x,y\ninf,2\n-inf,3\n", "t.csv, line 2, column 1: expected a finite f64 for `x`, found `inf`"),
        ("x,y\nNA,2\nInfinity,3\n", "t.csv, line 3, column 1: expected a finite f64 for `x`, found `Infinity`"),
        ("x,y\n1,2\ninf,3\n", "t.csv, line 3, column 1: expected a finite f64 for `x`, found `inf`"),
    ] {
        let found = Table::parse("t.csv", text).map_or_else(|error| error.to_string(), |table| rows(&table));
        assert_eq!(found, want, "{text:?}");
    }
}

#[test]
fn a_column_that_turns_to_text_late_keeps_the_spelling_of_all_its_cells() {
    let mut text = "x,y\n".to_owned();
    for row in 0..1000 {
        writeln!(text, "{row}.50,{row}").unwrap();
    }
    text += "late,7\n";
    let table = Table::parse("t.csv", &text).unwrap();
    let Cells::Text { words, rows } = &table.columns[0].cells else { panic!("{:?}", table.notes()) };
    assert_eq!((words.len(), rows.len()), (1001, 1001));
    assert_eq!((&words[0][..], &words[1000][..]), ("0.50", "late"));
    assert!(matches!(&table.columns[1].cells, Cells::Numbers(numbers) if numbers[1000] == 7.0));
    assert!(table.notes().iter().any(|note| note.contains("`late` in line 1002")), "{:?}", table.notes());
}

#[test]
fn another_encoding_is_told_of_and_can_be_said() {
    let path = std::env::temp_dir().join(format!("nn_encodings_{}.csv", std::process::id()));
    let utf16 = |mark: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        format!("{mark}town,x\nKöln €,1\n").encode_utf16().flat_map(bytes).collect()
    };
    let windows = b"town,x\nK\xF6ln \x80,1\n".to_vec();
    for (bytes, told, encoding) in [
        (windows, "expected UTF-8 text", Encoding::Windows1252),
        (utf16("\u{feff}", u16::to_le_bytes), "UTF-16", Encoding::Utf16Le),
        (utf16("\u{feff}", u16::to_be_bytes), "UTF-16", Encoding::Utf16Be),
        (utf16("", u16::to_le_bytes), "UTF-16", Encoding::Utf16Le),
        (utf16("", u16::to_be_bytes), "UTF-16", Encoding::Utf16Be),
    ] {
        std::fs::write(&path, &bytes).unwrap();
        let error = Table::read(&path).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
        let table = Reading { encoding: Some(encoding), ..Reading::default() }.read(&path).unwrap();
        assert_eq!(rows(&table), "town|x / 'Köln €|1", "{encoding:?}");
    }
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn a_first_column_without_a_name_is_a_feature_with_one() {
    let table = Table::parse("t.csv", ",y\n2.5,1\n3.5,0\n1.5,1\n").unwrap();
    let schema = Schema::infer(&table, &["y"], &[]).unwrap();
    let prepare = Preprocess::fit(&table, &schema, Preparing::default()).unwrap();
    assert_eq!(prepare.names(), ["column_1"]);
    assert_eq!(prepare.examples::<f64>(&table).unwrap().len(), 3);
}

#[test]
fn a_file_of_one_nameless_and_empty_column_is_no_table() {
    let error = Table::parse("t.csv", "\n\"\n\"\n\"\n\"\n").unwrap_err().to_string();
    assert!(error.contains("a column without a name"), "{error}");
}
