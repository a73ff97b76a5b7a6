//! What tables of people hold beside plain numbers and words: what is made of it, and what is told.

use nn::data::{Cells, IRIS_CSV, Notation, Output, Preparing, Preprocess, Reading, Role, Schema, Table};
use std::fmt::Write;

fn parse(text: &str) -> Table {
    Table::parse("t.csv", text).unwrap_or_else(|error| panic!("{error}: {text:?}"))
}

/// A table of so many rows: a number that looks drawn at random, and a column of these cells, one after another.
fn column(name: &str, rows: usize, cells: &[&str]) -> Table {
    let mut text = format!("first;{name};y\n");
    for row in 0..rows {
        let drawn = row * 7919 % 1000;
        writeln!(text, "{drawn}.25;{};{}.5", cells[row % cells.len()], (drawn * 31) % 977).unwrap();
    }
    parse(&text)
}

fn inferred(table: &Table, name: &str) -> (Role, String) {
    let schema = Schema::infer(table, &["y"], &[]).unwrap_or_else(|error| panic!("{error}"));
    let field = schema.column(name).unwrap();
    (field.kind, field.why.clone())
}

#[test]
fn numbers_with_a_unit_are_numbers_and_the_guess_says_so() {
    for (cells, unit, why) in [
        (&["12 kg", "13.5 kg", "7kg"][..], "`kg`", "3 different ones"),
        (&["45%", "50 %", "7.5%"], "`%`", "3 different ones"),
        (&["$1,200.50", "$300", "-$5"], "`$`", "3 different ones"),
        (&["1.234,56 €", "1.000 €", "7 €"], "`€`", "3 different ones"),
        (&["1 year", "2 years", "7 years"], "year", "3 different ones"),
        (&["80 m2", "95 m2", "101"], "`m2`", "10 cells have none and are taken in it"),
        (&["<0.5 mg/l", "1.25 mg/l", "2 mg/l"], "`mg/l`", "10 cells are limits, such as `<0.5 mg/l`"),
        (&["12 kg", "13 kg", "14 kg", "15 kg", "unknown"], "`kg`", "6 cells of `unknown`, taken as missing"),
    ] {
        let (role, told) = inferred(&column("c", 30, cells), "c");
        assert!(role == Role::Number && told.contains(unit) && told.contains(why), "{cells:?}: {told}");
    }
}

#[test]
fn a_unit_is_known_to_the_saved_preprocess_and_another_one_is_an_error() {
    let train = column("weight", 30, &["12 kg", "13.5 kg", "7 kg"]);
    let schema = Schema::infer(&train, &["y"], &[]).unwrap();
    let prepare = Preprocess::fit(&train, &schema, Preparing::default()).unwrap();
    let saved = serde_json::to_string(&(&schema, &prepare)).unwrap();
    let (schema, prepare): (Schema, Preprocess) = serde_json::from_str(&saved).unwrap();
    assert_eq!(schema.notations["weight"], Notation { after: "kg".into(), ..Notation::default() });

    let features = |text: &str| prepare.features::<f64>(&parse(text)).map(|features| features.to_vec());
    let one = features("first,weight\n1.5,12 kg\n").unwrap();
    assert_eq!(features("first,weight\n1.5,12\n").unwrap(), one);
    assert_eq!(features("weight,first\n12.0kg,1.5\n").unwrap(), one);
    assert_eq!(prepare.row::<f64>(&[("first", "1.5"), ("weight", "12 kg")]).unwrap(), one);
    let error = features("first,weight\n1.5,12 kg\n1.5,300 g\n").unwrap_err().to_string();
    assert_eq!(error, "t.csv, line 3, column 2: expected a number in `kg` for `weight`, found `300 g`");
    let notes = prepare.fills(&parse("first,weight\n1.5,12\n2.5,13\n")).unwrap();
    assert_eq!(notes, ["`weight`: 2 cells have no unit and are taken in `kg`"]);
}

#[test]
fn a_target_with_a_unit_is_measured() {
    let mut text = "area;rent\n".to_owned();
    for row in 0..40 {
        writeln!(text, "{}.5;{} €", row * 37 % 101, ["1.200,50", "800", "950,25", "1.000", "77,5"][row % 5]).unwrap();
    }
    let table = parse(&text);
    let schema = Schema::infer(&table, &["rent"], &[]).unwrap();
    assert!(schema.why.contains("with the unit `€`"), "{}", schema.why);
    let prepare = Preprocess::fit(&table, &schema, Preparing::default()).unwrap();
    let Some(Output::Values { mean, .. }) = &prepare.output else { panic!("{schema}") };
    assert!((mean[0] - 805.65).abs() < 1e-9, "{mean:?}");
    assert_eq!(prepare.examples::<f64>(&table).unwrap().len(), 40);
}

#[test]
fn two_amounts_are_classes_unless_somebody_says_that_they_are_values() {
    let table = column("term", 30, &["36 months", "60 months"]);
    let mut schema = Schema::infer(&table, &["term"], &[]).unwrap();
    assert_eq!(schema.target, Some(nn::data::Goal::Classes("term".into())));
    schema.take("term", "values").unwrap();
    let prepare = Preprocess::fit(&table, &schema, Preparing::default()).unwrap();
    let Some(Output::Values { mean, .. }) = &prepare.output else { panic!("{schema}") };
    assert_eq!(mean[0], 48.0);
}

#[test]
fn a_mark_that_may_be_one_of_thousands_or_of_a_fraction_is_asked_for() {
    let table = |cell: &str| format!("price,y\n\"{cell}\",1.5\n\"$300\",2.5\n\"$7\",3.5\n\"$1\",4\n\"$2\",5\n");
    let error = Schema::infer(&parse(&table("$1,200").replace(".5", "")), &["y"], &[]).unwrap_err().to_string();
    assert_eq!(
        error,
        "t.csv, line 2, column 1: expected a number for `price`, found `$1,200`, which may be 1200 or 1.2: \
         say whether there are decimal commas"
    );
    // Another column tells, or somebody says so.
    assert!(Schema::infer(&parse(&table("$1,200")), &["y"], &[]).is_ok());
    let said = Reading { decimal_comma: Some(true), ..Reading::default() };
    let table = said.parse("t.csv", &table("$1,200").replace(".5", "")).unwrap();
    assert!(Schema::infer(&table, &["y"], &[]).unwrap().notations["price"].decimal_comma);
}

#[test]
fn what_may_be_meant_otherwise_is_told() {
    for (cells, role, why) in [
        (&["12 kg", "300 g", "13 kg", "500 g"][..], Role::Category, "numbers with the units `kg` and `g`"),
        (
            &["13.2.2021", "14.2.2021", "2021-02-15", "16.2.2021", "2021-02-17"],
            Role::Category,
            "dates in several orders",
        ),
        (&["yes", "no", "TRUE", "FALSE", "1", "0"], Role::Category, "`yes`, `TRUE`, `1` may mean the same"),
        (&["1", "2", "-999", "3", "4"], Role::Number, "6 cells are -999, far from the others"),
        (&["1.5", "2.5", "9999", "3.5", "4.5"], Role::Number, "6 cells are 9999, far from the others"),
        (&["01067", "89073", "50667"], Role::Category, "codes, of which some begin with 0"),
        (
            &["2021-02-13", "2021-02-14", "9999-12-31", "2021-02-15", "2021-02-16"],
            Role::Date(nn::data::DateOrder::YearMonthDay),
            "`9999-12-31` is far from the others",
        ),
    ] {
        let (found, told) = inferred(&column("c", 30, cells), "c");
        assert!(found == role && told.contains(why), "{cells:?}: {found:?}, {told}");
    }
    for (cells, role) in [
        (&["1st", "2nd", "3rd", "4th", "5th"][..], Role::Category),
        (&["yes", "no"], Role::Category),
        (&["18", "45", "80", "99"], Role::Number),
        (&["Ulm", "Bonn"], Role::Category),
        (&["12A", "3B", "7C", "12B", "9F"], Role::Category),
    ] {
        let (found, told) = inferred(&column("c", 30, cells), "c");
        assert!(found == role && !told.contains(';'), "{cells:?}: {found:?}, {told}");
    }
}

#[test]
fn codes_keep_their_zeros_and_are_found_again_without_them() {
    let table = column("zip", 30, &["01067", "89073", "50667"]);
    let Cells::Text { words, .. } = &table.column("zip").unwrap().cells else { panic!() };
    assert_eq!(words, &["01067", "89073", "50667"]);
    assert!(table.notes().iter().any(|note| note == "`zip` is text: `01067` in line 2 begins with 0, as codes do"));
    let schema = Schema::infer(&table, &["y"], &[]).unwrap();
    let prepare = Preprocess::fit(&table, &schema, Preparing::default()).unwrap();
    let one =
        |zip: &str| prepare.features::<f64>(&parse(&format!("first,zip\n1.5,{zip}\n"))).unwrap().to_vec()[1..].to_vec();
    assert_eq!(
        (one("01067"), one("89073"), one("1067")),
        (vec![1.0, 0.0, 0.0], vec![0.0, 0.0, 1.0], vec![1.0, 0.0, 0.0])
    );
    // Hours and months of two digits, fractions and numbers below 0 are measured.
    for cells in [&["01", "12", "07"][..], &["001.5", "012.5"], &["-012", "015"]] {
        assert!(matches!(column("c", 30, cells).columns[1].cells, Cells::Numbers(_)), "{cells:?}");
    }
    // By its name, though no zero tells it.
    let (role, why) = inferred(&column("zip_code", 30, &["89073", "50667", "10115"]), "zip_code");
    assert!(role == Role::Category && why.contains("codes, by the column's name"), "{why}");
}

#[test]
fn a_header_that_comes_again_is_left_out() {
    for (text, lines) in [
        ("x,kind\n1,a\nx,kind\n2,b\nx,kind\n3,a\n", [2, 4, 6]),
        ("x,kind\n1,a\n\"x\",\"kind\"\n2,b\n x , kind \n3,a\n", [2, 4, 6]),
        ("kind,x\na,1\nkind,x\nb,2\nc,3\n", [2, 4, 5]),
        ("kind,town\na,Ulm\nb,Bonn\nkind,town\nc,Ulm\n", [2, 3, 5]),
    ] {
        let table = parse(text);
        assert_eq!([0, 1, 2].map(|row| table.place(row, "").1), lines, "{text:?}");
        assert_eq!(table.len(), 3, "{text:?}");
        assert!(table.notes().iter().any(|note| note.contains("the header and")), "{:?}", table.notes());
    }
    assert_eq!(parse("x\n1\nx\n2\n").len(), 3); // of a single column it may be a word
}

#[test]
fn sums_below_a_table_are_left_out_and_what_may_be_one_is_told() {
    let notes = |table: &Table| table.notes().join("; ");
    for text in [
        "town,x\nUlm,1\nBonn,2\nKiel,4.5\nTotal,7.5\n",
        "town,x,y\nUlm,1,\nBonn,2,3\nKiel,4.5,5\nTOTAL:,7.5,\n",
        "id,x\n7,1\n8,2\n9,4.5\nSumme,7.5\n",
        "town,x\nUlm,1\nBonn,2\nKiel,4.5\nTotal,7.5\nAverage,2.5\n",
        "town,x\nUlm,1\nBonn,2\nKiel,4.5\n,\nTotal,7.5\n,\n",
    ] {
        let table = parse(text);
        assert!(table.len() <= 4 && notes(&table).contains("left out, from line"), "{text:?}: {}", notes(&table));
        assert!(!notes(&table).contains("is text"), "{text:?}: {}", notes(&table));
    }
    let kept = parse("town,x\nUlm,1\nBonn,2\nKiel,4.5\nTotal,9\n");
    assert!(kept.len() == 4 && notes(&kept).contains("line 5 begins with `Total`: is it a row like the others?"));
    let meant = parse("kind,x\ntotal,1\npart,2\npart,4.5\ntotal,7.5\n");
    assert!(meant.len() == 4 && meant.notes().is_empty(), "{}", notes(&meant));
}

#[test]
fn a_title_above_the_header_is_left_out() {
    for text in [
        "Sales of 2023\nx,kind\n1,a\n2,b\n",
        "Sales of 2023,\n,\nx,kind\n1,a\n2,b\n",
        "Sales, 2023\n\nas of May\nx;kind\n1;a\n2;b\n",
        "Sales of 2023,,\nx,kind,day\n5 kg,a,7.1.2023\nx,kind,day\n7 kg,b,8.1.2023\n",
    ] {
        let table = parse(text);
        assert_eq!((table.len(), &table.columns[0].name[..]), (2, "x"), "{text:?}");
        assert!(table.notes().iter().any(|note| note.contains("above the header")), "{:?}", table.notes());
    }
    for text in ["x\n1\n2\n", "x,y\n1,2\n", "name\nUlm, old\n"] {
        assert!(!parse_notes(text).contains("above the header"), "{text:?}");
    }
    let said = Reading { header: Some(false), ..Reading::default() }.parse("t.csv", "a title\n1,2\n").unwrap_err();
    assert_eq!((said.line, said.column), (Some(2), Some(2)));
}

/// The notes of a table, or its error.
fn parse_notes(text: &str) -> String {
    Table::parse("t.csv", text).map_or_else(|error| error.to_string(), |table| table.notes().join("; "))
}

#[test]
fn a_number_can_stand_for_a_missing_cell() {
    let mut reading = Reading::default();
    reading.missing.push("-999".to_owned());
    let table = reading.parse("t.csv", "x,y\n1.5,2\n-999,3\n-999.0,\n4,-999\n").unwrap();
    let missing: Vec<usize> = table.columns.iter().map(|column| column.cells.missing()).collect();
    assert_eq!(missing, [2, 2]);
}

#[test]
fn a_column_that_tells_the_target_is_told() {
    let mut text = "x,code,euro,kind,price\n".to_owned();
    for row in 0..60 {
        let (drawn, kind) = (row * 7919 % 1000, row % 3);
        writeln!(
            text,
            "{drawn}.5,{},{}.25,{},{drawn}.25",
            ["A", "B", "C"][kind],
            2 * drawn,
            ["cat", "dog", "pig"][kind]
        )
        .unwrap();
    }
    let table = parse(&text);
    let why = |target: &str, name: &str| {
        let schema = Schema::infer(&table, &[target], &[]).unwrap();
        schema.column(name).unwrap().why.clone()
    };
    assert!(why("kind", "code").contains("each of its 3 different cells goes with one class"));
    assert!(why("price", "euro").contains("goes up as the target does, on a straight line"));
    assert!(!why("kind", "x").contains("target") && !why("price", "code").contains("target"));
}

#[test]
fn of_a_plain_table_nothing_more_is_told() {
    let table = parse(IRIS_CSV);
    assert!(table.notes().is_empty());
    let schema = Schema::infer(&table, &["species"], &[]).unwrap();
    assert!(schema.columns.iter().all(|field| !field.why.contains(';')), "{schema}");
    assert!(schema.notations.is_empty());
}

#[test]
fn tables_of_unusual_sizes_are_read() {
    let mut many = "name,x\n".to_owned();
    (0..100_000).for_each(|row| writeln!(many, "category number {row},{row}.5").unwrap());
    let table = parse(&many);
    let Cells::Text { words, rows } = &table.columns[0].cells else { panic!() };
    assert_eq!((words.len(), rows.len(), rows[99_999]), (100_000, 100_000, Some(99_999)));
    let long = format!("x,note\n1,{}\n2,b\n", "a".repeat(3_000_000));
    assert_eq!(parse(&long).len(), 2);
    let wide: Vec<String> = (0..10_000).map(|column| format!("c{column}")).collect();
    let table = parse(&format!("{}\n{}\n", wide.join(","), vec!["7"; 10_000].join(",")));
    assert_eq!((table.columns.len(), table.len()), (10_000, 1));
    assert_eq!(table.place(0, "c9999"), ("t.csv", 2, 10_000));
    for (text, place) in [
        ("x,y\n1,2\n3\0,4\n", "t.csv, line 3, column 1"),
        ("x,kind\n1,a\n2,b\0c\n", "t.csv, line 3, column 2"),
        ("x,kind\n1,\"a\n\n2,b\n", "t.csv, line 2, column 2"),
        ("x,\0\n1,2\n", "t.csv, line 1, column 2"),
    ] {
        let error = Table::parse("t.csv", text).and_then(|table| Schema::infer(&table, &["x"], &[]));
        let error = error.map_or_else(|error| error.to_string(), |schema| schema.to_string());
        assert!(error.starts_with(place), "{text:?}: {error}");
    }
}
