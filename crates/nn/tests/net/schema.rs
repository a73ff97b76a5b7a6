//! What is guessed of tables of many kinds.

use nn::data::{DateOrder, Goal, Role, Schema, Table};
use std::fmt::Write;

/// A table of so many rows from a function for each column.
fn table(n: usize, columns: &[(&str, &dyn Fn(usize) -> String)]) -> Table {
    let mut text = columns.iter().map(|(name, _)| format!("\"{name}\"")).collect::<Vec<_>>().join(",") + "\n";
    for row in 0..n {
        let cells: Vec<String> = columns.iter().map(|(_, cell)| cell(row)).collect();
        writeln!(text, "{}", cells.join(",")).unwrap();
    }
    Table::parse("t.csv", &text).unwrap()
}

/// A number that looks drawn at random, from 0 to 999.
fn mixed(row: usize) -> usize {
    row.wrapping_mul(7919).wrapping_add(row * row * 31) % 1000
}

#[test]
fn each_kind_of_column_is_taken_for_what_it_is() {
    type Cell = fn(usize) -> String;
    let rows: &[(&str, Cell, Role)] = &[
        ("Id", |i| (i + 1).to_string(), Role::Ignore),
        ("PassengerId", |i| (i + 892).to_string(), Role::Ignore),
        ("Unnamed: 0", |i| i.to_string(), Role::Ignore),
        ("rownames", |i| (i + 1).to_string(), Role::Ignore),
        ("counter", |i| (i + 1).to_string(), Role::Ignore),
        ("customer_id", |i| (mixed(i) + 1000).to_string(), Role::Ignore),
        ("rank of team", |i| (60 - i).to_string(), Role::Number),
        ("placing", |i| (i * 7 % 60 + 1).to_string(), Role::Number),
        ("store_id", |i| (i % 3 + 7).to_string(), Role::Category),
        ("year", |i| (1900 + i).to_string(), Role::Number),
        ("day", |i| (i + 1).to_string(), Role::Number),
        ("name", |i| format!("Person {i}"), Role::Ignore),
        ("note", |i| format!("text {} of many words {}", i / 3 * 2, i / 2), Role::Ignore),
        ("town", |i| ["Ulm", "Bonn", "Kiel"][i % 3].to_owned(), Role::Category),
        ("rare", |i| if i == 3 { "yes".into() } else { String::new() }, Role::Category),
        ("flag", |i| (i % 2 == 0).to_string(), Role::Category),
        ("binary", |i| (i % 2).to_string(), Role::Number),
        ("rooms", |i| (i % 5 + 1).to_string(), Role::Number),
        ("price", |i| format!("{}.5", mixed(i)), Role::Number),
        ("holes", |i| if i % 7 == 0 { "NA".into() } else { mixed(i).to_string() }, Role::Number),
        ("marked", |i| if i % 7 == 0 { "unknown".into() } else { mixed(i).to_string() }, Role::Number),
        ("constant", |_| "7".to_owned(), Role::Ignore),
        ("word", |_| "same".to_owned(), Role::Ignore),
        ("empty", |_| String::new(), Role::Ignore),
        ("iso", |i| format!("2021-{:02}-{:02}", i % 12 + 1, i % 28 + 1), Role::Date(DateOrder::YearMonthDay)),
        ("time", |i| format!("2021-03-{:02} {:02}:30", i % 28 + 1, i % 24), Role::Date(DateOrder::YearMonthDay)),
        ("german", |i| format!("{}.{}.2021", i % 28 + 1, i % 12 + 1), Role::Date(DateOrder::DayMonthYear)),
        ("american", |i| format!("{}/{}/2021", i % 12 + 1, i % 28 + 1), Role::Date(DateOrder::MonthDayYear)),
        ("order date", |i| format!("202103{:02}", i % 28 + 1), Role::Date(DateOrder::YearMonthDay)),
    ];
    for (name, cell, want) in rows {
        let kind = table(60, &[("first", &|i| format!("{}.25", mixed(i + 3))), (name, cell)]);
        let schema = Schema::infer(&kind, &[], &[]).unwrap();
        assert_eq!(schema.column(name).unwrap().kind, *want, "{schema}");
    }
}

#[test]
fn a_date_that_may_be_read_two_ways_says_so() {
    let both = table(12, &[("when", &|i| format!("{}/{}/2021", i % 12 + 1, i % 6 + 1))]);
    let schema = Schema::infer(&both, &[], &[]).unwrap();
    assert!(schema.columns[0].why.contains("day.month.year (each could be month/day/year as well)"), "{schema}");
}

#[test]
fn a_target_is_classes_or_values() {
    type Cell = fn(usize) -> String;
    let rows: &[(Cell, bool)] = &[
        (|i| ["cat", "dog"][i % 2].to_owned(), true),
        (|i| (i % 2).to_string(), true),
        (|i| (i % 10).to_string(), true),
        (|i| (i % 3 + 1).to_string(), true),
        (|i| (i as i32 % 2 * 2 - 1).to_string(), true),
        (|i| format!("{}.5", mixed(i)), false),
        (|i| mixed(i).to_string(), false),
        (|i| format!("{}", (i % 9) as f64 / 2.0), false),
        (|i| ((i % 8) * 50).to_string(), false),
        (|i| ["0.5", "1.5"][i % 2].to_owned(), false),
        (|i| (i + 1).to_string(), false),
    ];
    for (i, (cell, classes)) in rows.iter().enumerate() {
        let schema = Schema::infer(&table(60, &[("x", &|i| mixed(i).to_string()), ("y", cell)]), &["y"], &[]).unwrap();
        assert_eq!(matches!(schema.target, Some(Goal::Classes(_))), *classes, "row {i}: {schema}");
    }
}

#[test]
fn several_targets_are_labels_or_values() {
    let of = |a: &str| Table::parse("t.csv", &format!("x,a,b\n1,0,1\n2,{a},0\n3,0,1\n")).unwrap();
    let goal = |a: &str| Schema::infer(&of(a), &["a", "b"], &[]).unwrap().target.unwrap();
    assert_eq!(goal("1"), Goal::Labels(vec!["a".into(), "b".into()]));
    assert_eq!(goal("2.5"), Goal::Values(vec!["a".into(), "b".into()]));
    let error = Schema::infer(&of("ten"), &["a", "b"], &[]).unwrap_err().to_string();
    assert_eq!(error, "t.csv, line 3, column 2: expected a number for `a`, found `ten`");
}

#[test]
fn a_column_that_is_not_there_is_named_with_those_that_are() {
    let table = Table::parse("t.csv", "area m2,rent\n1.5,2\n2.5,3\n").unwrap();
    let error = Schema::infer(&table, &["Rents"], &[]).unwrap_err().to_string();
    assert_eq!(error, "t.csv: expected a column `Rents`, found `area m2`, `rent`; is it `rent`?");
    assert!(Schema::infer(&table, &["rent"], &["flat"]).unwrap_err().to_string().contains("`flat`"));
}

#[test]
fn a_target_with_a_wrong_cell_names_its_line() {
    let cell = |i: usize| if i == 7 { "12x".to_owned() } else { mixed(i).to_string() };
    let error = Schema::infer(&table(60, &[("x", &|i| i.to_string()), ("y", &cell)]), &["y"], &[]).unwrap_err();
    assert_eq!(error.to_string(), "t.csv, line 9, column 2: expected a number for `y`, found `12x`");
}

#[test]
fn a_target_is_named_once_and_not_left_out() {
    let table = table(9, &[("a", &|i| mixed(i).to_string()), ("b", &|i| format!("{}.5", mixed(i)))]);
    let said = |targets: &[&str], ignore: &[&str]| Schema::infer(&table, targets, ignore).unwrap_err().to_string();
    assert_eq!(said(&["b"], &["b"]), "`b` cannot be both a target and left out");
    assert_eq!(said(&["b", "a", "b"], &[]), "`b` is named twice among the targets");
}

#[test]
fn two_measured_values_are_no_classes_and_the_guess_says_why() {
    let table = table(20, &[("x", &|i| mixed(i).to_string()), ("dose", &|i| ["0.5", "1.5"][i % 2].to_owned())]);
    let schema = Schema::infer(&table, &["dose"], &[]).unwrap();
    assert_eq!(schema.target, Some(Goal::Values(vec!["dose".into()])));
    assert_eq!(schema.why, "2 different numbers in 20 rows, which are not whole and so measured");
}
