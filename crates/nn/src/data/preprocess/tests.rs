use super::*;
use crate::data::{Cells, Target};

const FLATS: &str = "area,floor,town,sold,rent\n50,1,Ulm,2023-02-01,500.5\n60,NA,Bonn,2023-08-01,610.5\n\
                     90,3,,2024-02-01,905.5\n70,2,Ulm,2024-08-01,700.5\n80,2,Bonn,2023-05-01,800.5\n55,1,Ulm,2023-06-01,540.5\n";

fn fitted(how: Preparing) -> (Table, Preprocess) {
    let table = Table::parse("flats.csv", FLATS).unwrap();
    let schema = Schema::infer(&table, &["rent"], &[]).unwrap();
    let prepare = Preprocess::fit(&table, &schema, how).unwrap();
    (table, prepare)
}

#[test]
fn features_have_mean_0_and_variance_1_and_values_come_back() {
    let (table, prepare) = fitted(Preparing::default());
    let data: Dataset = prepare.examples(&table).unwrap();
    assert_eq!(data.width(), prepare.names().len());
    let column =
        |k: usize| data.features().as_slice().iter().skip(k).step_by(data.width()).copied().collect::<Vec<f64>>();
    for k in 0..2 {
        let x = column(k);
        assert!(
            x.iter().sum::<f64>().abs() < 1e-12 && (x.iter().map(|x| x * x).sum::<f64>() - 6.0).abs() < 1e-12,
            "{x:?}"
        );
    }
    let Target::Values { values, .. } = data.target() else { panic!("a rent is a value") };
    let back = prepare.output.as_ref().unwrap().values(values);
    let Cells::Numbers(rents) = &table.column("rent").unwrap().cells else { panic!("rents are numbers") };
    assert!(back.iter().zip(rents).all(|(a, b)| (a - b).abs() < 1e-9));
}

#[test]
fn neither_the_order_of_columns_nor_further_ones_count_and_no_target_is_needed() {
    let (table, prepare) = fitted(Preparing::default());
    let mut other = table.clone();
    other.columns.reverse();
    other.columns.retain(|column| column.name != "rent");
    other.columns.insert(1, crate::data::Column { name: "note".into(), cells: Cells::Numbers(vec![7.0; 6]) });
    assert_eq!(prepare.features::<f64>(&other).unwrap(), prepare.features::<f64>(&table).unwrap());
}

#[test]
fn a_row_of_text_is_that_row_of_the_table() {
    let (table, prepare) = fitted(Preparing::default());
    let all = prepare.features::<f64>(&table).unwrap();
    let row = prepare.row::<f64>(&[("sold", "2023-08-01"), ("town", "Bonn"), ("floor", ""), ("area", "60")]).unwrap();
    assert_eq!(row, all.as_slice()[row.len()..2 * row.len()]);
    let error = prepare.row::<f64>(&[("Area", "60")]).unwrap_err().to_string();
    assert_eq!(error, "expected a column `area`, found `Area`; is it `Area`?");
}

#[test]
fn cells_that_do_not_fit_name_file_line_column_and_what_would() {
    let (_, prepare) = fitted(Preparing::default());
    let said = |text: &str| prepare.features::<f64>(&Table::parse("new.csv", text).unwrap()).unwrap_err().to_string();
    let text = said("area,floor,town,sold\n50,1,Ulm,2023-02-01\nbig,1,Ulm,2023-02-01\n");
    assert_eq!(text, "new.csv, line 3, column 1: expected a number for `area`, found `big`");
    let text = said("area,floor,town,sold\n50,1,Ulm,yesterday\n");
    assert_eq!(text, "new.csv, line 2, column 4: expected a date, year-month-day for `sold`, found `yesterday`");
    let text = said("area,floor,town,sold\n50,1,Jena,2023-02-01\n");
    assert!(text.starts_with("new.csv, line 2, column 3: expected a known word"), "{text}");
    let text = said("aera,floor,town,sold\n50,1,Ulm,2023-02-01\n");
    assert!(text.contains("expected a column `area`") && text.ends_with("is it `aera`?"), "{text}");
}

#[test]
fn what_is_missing_or_unknown_is_as_was_asked() {
    let how = Preparing { flags: true, unknown_words: true, ..Preparing::default() };
    let (_, prepare) = fitted(how);
    let new = Table::parse("new.csv", "area,floor,town,sold\n50,,Jena,2023-02-01\n").unwrap();
    let x = prepare.features::<f64>(&new).unwrap().to_vec();
    let names = prepare.names();
    let of = |name: &str| x[names.iter().position(|known| known == name).unwrap()];
    assert_eq!((of("floor is missing"), of("town=Ulm"), of("town=Bonn"), of("town is missing")), (1.0, 0.0, 0.0, 0.0));
    assert_eq!(
        prepare.fills(&new).unwrap(),
        [
            "`floor`: 1 cell is missing and taken as 2",
            "`town`: 1 cell has a word that training has not seen, such as `Jena`"
        ]
    );

    let table = Table::parse("flats.csv", FLATS).unwrap();
    let schema = Schema::infer(&table, &["rent"], &[]).unwrap();
    let strict = Preparing { missing_numbers: Fill::Error, ..Preparing::default() };
    let error = Preprocess::fit(&table, &schema, strict).unwrap_err().to_string();
    assert_eq!(error, "flats.csv, line 3, column 2: expected a number for `floor`, found a missing cell");
    let strict = Preparing { missing_words: false, ..Preparing::default() };
    let error = Preprocess::fit(&table, &schema, strict).unwrap_err().to_string();
    assert_eq!(error, "flats.csv, line 4, column 3: expected a word for `town`, found a missing cell");
}

#[test]
fn what_was_fitted_is_saved_and_read_to_the_last_bit() {
    let (table, prepare) = fitted(Preparing { logarithms: true, ..Preparing::default() });
    let text = serde_json::to_string(&prepare).unwrap();
    let read: Preprocess = serde_json::from_str(&text).unwrap();
    assert_eq!(read, prepare);
    assert_eq!(read.features::<f64>(&table).unwrap(), prepare.features::<f64>(&table).unwrap());
}

#[test]
fn features_have_names_of_their_own() {
    let table = Table::parse("a.csv", "t,t=x,y\nx,0.5,1.5\nz,1.5,2.25\nx,2.25,3.5\n").unwrap();
    let schema = Schema::infer(&table, &["y"], &[]).unwrap();
    let prepare = Preprocess::fit(&table, &schema, Preparing::default()).unwrap();
    assert_eq!(prepare.names(), ["t=x", "t=z", "t=x (2)"]);
    assert_eq!(prepare.examples::<f64>(&table).unwrap().width(), 3);
}

#[test]
fn unknown_words_are_taken_where_that_is_asked_for_with_a_note_and_gaps_can_be_refused() {
    let (table, mut prepare) = fitted(Preparing::default());
    let new = Table::parse("new.csv", "area,floor,town,sold\n50,1,Jena,2023-02-01\n60,2,Ulm,2023-02-01\n").unwrap();
    assert!(prepare.features::<f64>(&new).is_err());
    prepare.take_unknown_words();
    assert_eq!(prepare.fills(&new).unwrap(), ["`town`: 1 cell has a word that training has not seen, such as `Jena`"]);
    let towns = |row: usize| prepare.features::<f64>(&new).unwrap().as_slice()[row * 8 + 2..row * 8 + 5].to_vec();
    assert_eq!((prepare.names().len(), towns(0), towns(1)), (8, vec![0.0; 3], vec![0.0, 1.0, 0.0]));
    assert!(prepare.hold_filled(&new).is_ok());
    let error = prepare.hold_filled(&table).unwrap_err().to_string();
    assert_eq!(error, "flats.csv, line 3, column 2: expected a number for `floor`, found a missing cell");
}

#[test]
fn skewed_numbers_are_bent_where_that_is_asked_for_and_come_back_in_their_unit() {
    let x: Vec<f64> = (0..40).map(|i| (f64::from(i * 7 % 40) / 5.0 - 1.0).exp()).collect();
    let even: Vec<f64> = (0..40).map(f64::from).map(|i| (i * 1.7).sin()).collect();
    let y: Vec<f64> = x.iter().map(|x| -2.5 * x).collect();
    let table = Table::from_columns([("x", &x[..]), ("even", &even), ("y", &y)]);
    let schema = Schema::infer(&table, &["y"], &[]).unwrap();
    let how = Preparing { bend_features: true, bend_targets: true, ..Preparing::default() };
    let prepare = Preprocess::fit(&table, &schema, how).unwrap();
    let [of_x, of_y] = &prepare.bends()[..] else { panic!("two columns are skewed: {:?}", prepare.bends()) };
    assert!(of_x.starts_with("`x` is skewed") && of_y.starts_with("`y` is skewed"), "{of_x}, {of_y}");
    let data: Dataset = prepare.examples(&table).unwrap();
    let Target::Values { values, .. } = data.target() else { panic!("y is a value") };
    assert!(values.as_slice().iter().all(|y| y.abs() < 2.5), "{values:?}");
    for (back, y) in prepare.output.as_ref().unwrap().values(values).into_iter().zip(&y) {
        approx::assert_relative_eq!(back, *y, max_relative = 1e-12);
    }
    let plain = Preprocess::fit(&table, &schema, Preparing::default()).unwrap();
    assert!(plain.bends().is_empty() && plain.to_string() != prepare.to_string());
    let saved = serde_json::to_string(&prepare).unwrap();
    assert_eq!(serde_json::from_str::<Preprocess>(&saved).unwrap(), prepare);
}
