//! Files with a few bytes changed: each is read, or refused with an error, and nothing panics.

use nn::data::{By, Csv, IRIS_CSV, Lone, Preparing, Preprocess, Reading, Schema, Table};
use nn::generator;
use rand::RngExt;
use std::fmt::Write;
use std::path::Path;

/// Bytes that mean something to whoever reads tables.
const PIECES: [&str; 44] = [
    ",",
    ";",
    "\t",
    "|",
    " ",
    "\n",
    "\r",
    "\r\n",
    "\"",
    "\"\"",
    "#",
    "# ",
    "-",
    "+",
    ".",
    "..",
    "e",
    "1e309",
    "inf",
    "nan",
    "NA",
    "?",
    "0",
    "00",
    "-0",
    "1,234",
    "1.234,5",
    "9007199254740993",
    "1e-320",
    "2021-02-30",
    "01/02/2021",
    "sep=;\n",
    "\u{feff}",
    "\0",
    "ß",
    "\u{301}",
    "\u{200b}",
    "true",
    "%",
    "€ 5",
    "''",
    "\\",
    "\n\n",
    ",,,",
];

/// A file with some changes: pieces put in, bytes taken out, lines twice.
fn mutated(random: &mut impl RngExt, base: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = base.to_vec();
    for _ in 0..random.random_range(1..6) {
        let at = random.random_range(0..=bytes.len());
        let to = (at + random.random_range(0..12)).min(bytes.len());
        match random.random_range(0..7) {
            0 => drop(bytes.drain(at..to)),
            1 => bytes.truncate(at),
            2 if at < bytes.len() => bytes[at] = random.random(),
            3 => {
                let line = bytes[at..].split(|&byte| byte == b'\n').next().unwrap_or_default().to_vec();
                bytes.splice(at..at, line);
            }
            4 if !other.is_empty() => {
                let from = random.random_range(0..other.len());
                let piece = other[from..(from + 20).min(other.len())].to_vec();
                bytes.splice(at..to, piece);
            }
            _ => drop(bytes.splice(at..at, PIECES[random.random_range(0..PIECES.len())].bytes())),
        }
    }
    bytes
}

/// The bytes of small tables.
fn bases() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "csv"));
    paths.sort();
    let mut bases: Vec<Vec<u8>> = paths.iter().map(|path| std::fs::read(path).unwrap()).collect();
    let iris = IRIS_CSV.split('\n').step_by(7).collect::<Vec<_>>().join("\n");
    bases.push(format!("{}\n{iris}", IRIS_CSV.split('\n').next().unwrap()).into_bytes());
    let mut mixed = "Id,when,town,area,price,note,y\n".to_owned();
    for i in 0..30 {
        let town = ["Ulm", "Bonn", "NA", "Kiel"][i % 4];
        writeln!(
            mixed,
            "{},2021-{:02}-0{},{town},{}.5,\"1,{:03}\",n {i},{}",
            i + 1,
            i % 12 + 1,
            i % 9 + 1,
            i * 7 % 50,
            i * 37,
            i % 2
        )
        .unwrap();
    }
    bases.push(mixed.into_bytes());
    bases
}

/// Everything that is done with a file before training.
fn all_of_it(bytes: &[u8], seed: u64) {
    let text = String::from_utf8_lossy(bytes);
    let reading = match seed % 4 {
        0 => Reading { comment: Some(b'#'), ..Reading::default() },
        1 => Reading { header: Some(seed % 8 < 4), decimal_comma: Some(seed % 16 < 8), ..Reading::default() },
        _ => Reading::default(),
    };
    if let Ok(table) = reading.parse("m.csv", &text) {
        let names: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
        for target in [names.first(), names.last()].into_iter().flatten() {
            let Ok(schema) = Schema::infer(&table, &[target], &[]) else { continue };
            let _ = schema.to_string();
            let Ok((known, _)) = schema.with_targets(&table) else { continue };
            let _ = schema.split(&known, 0.25, seed);
            let how = Preparing {
                logarithms: seed.is_multiple_of(3),
                bend_features: seed.is_multiple_of(5),
                bend_targets: seed.is_multiple_of(7),
                flags: seed.is_multiple_of(2),
                ..Preparing::default()
            };
            if let Ok(prepare) = Preprocess::fit(&known, &schema, how)
                && let Ok(data) = prepare.examples::<f64>(&known)
            {
                assert!(data.features().as_slice().iter().all(|x| x.is_finite()), "{text:?}");
            }
        }
        let _ = table.write_csv(&mut Vec::new());
    }
    let first = text.lines().next().unwrap_or_default();
    for label in [first.split([',', ';']).next(), first.rsplit([',', ';']).next()].into_iter().flatten() {
        if let Ok(data) = Csv::new(label.trim()).parse::<f32>("m.csv", &text) {
            let _ = By::Classes { labels: data.labels(), names: data.classes(), lone: Lone::Train }.split(0.3, seed);
        }
    }
}

#[test]
fn no_file_makes_reading_panic() {
    let bases = bases();
    let rounds = std::env::var("MUTATED_FILES").map_or(600, |n| n.parse().unwrap());
    for seed in 0..rounds {
        let mut random = generator(seed);
        let [base, other] = [0; 2].map(|_| &bases[random.random_range(0..bases.len())]);
        let bytes = mutated(&mut random, base, other);
        let done = std::panic::catch_unwind(|| all_of_it(&bytes, seed));
        assert!(done.is_ok(), "file {seed}: {:?}", String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn columns_are_what_they_were_after_a_table_is_written_and_read_again() {
    for bytes in bases() {
        let Ok(table) = Table::parse("a.csv", &String::from_utf8_lossy(&bytes)) else { continue };
        let mut text = Vec::new();
        table.write_csv(&mut text).unwrap();
        let again = Table::parse("a.csv", &String::from_utf8(text).unwrap()).unwrap();
        assert_eq!((again.len(), again.columns.len()), (table.len(), table.columns.len()), "{bytes:?}");
    }
}

/// Plain rows are read in one pass; a mark of remarks that no line has sends them all the other way.
#[test]
fn rows_that_are_read_in_one_pass_are_what_they_are_record_by_record() {
    let bases = bases();
    let by_record = Reading { comment: Some(1), ..Reading::default() };
    let rounds = std::env::var("MUTATED_FILES").map_or(400, |n| n.parse().unwrap());
    let mut plain = 0;
    for seed in 0..rounds {
        let mut random = generator(7_000_000 + seed);
        let [base, other] = [0; 2].map(|_| &bases[random.random_range(0..bases.len())]);
        let bytes = mutated(&mut random, base, other);
        let text = String::from_utf8_lossy(&bytes);
        if text.contains(['\u{1}', '#']) {
            continue;
        }
        let told = |reading: &Reading| match reading.parse("m.csv", &text) {
            Ok(table) => format!("{:?} {:?} {:?}", table.columns, table.notes(), table.place(table.len() - 1, "y")),
            Err(error) => error.to_string(),
        };
        let one = told(&Reading::default());
        plain += u32::from(one.contains("Numbers"));
        assert_eq!(one, told(&by_record), "file {seed}: {text:?}");
    }
    assert!(plain > 20);
}
