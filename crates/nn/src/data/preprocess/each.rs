//! The cells of a column, of which each different one is looked at once.

use crate::data::cells::{self, Raw};
use crate::data::{Cells, Column};

/// Calls a function with the number of each row and what another one makes of its cell, which may be missing or one of the marks. That one is asked
/// once for each word, at the first row that has it; of numbers, once more where many others have come since.
pub(super) fn each<'a, V: Clone, E>(
    column: &'a Column,
    marks: &[String],
    mut make: impl FnMut(usize, Option<Raw<'a>>) -> Result<V, E>,
    mut take: impl FnMut(usize, V),
) -> Result<(), E> {
    let mut made = |row: usize, slot: &mut Option<V>| match slot {
        Some(made) => Ok(made.clone()),
        None => make(row, Raw::of(column, row, marks)).inspect(|made| *slot = Some(made.clone())),
    };
    match &column.cells {
        Cells::Numbers(numbers) => {
            const SLOTS: usize = 256;
            let mut slots = vec![(0, None); SLOTS];
            for (row, number) in numbers.iter().enumerate() {
                let bits = number.to_bits();
                let hash = bits.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56;
                let (known, slot) = &mut slots[hash as usize];
                if *known != bits {
                    (*known, *slot) = (bits, None);
                }
                take(row, made(row, slot)?);
            }
        }
        Cells::Text { words, rows } => {
            let (mut slots, mut missing) = (vec![None; words.len()], None);
            for (row, word) in rows.iter().enumerate() {
                let slot = word.map_or(&mut missing, |word| &mut slots[word as usize]);
                take(row, made(row, slot)?);
            }
        }
    }
    Ok(())
}

/// The different words of a column, sorted; `empty` is told of the first row that has none, and may refuse it.
pub(super) fn words<E>(
    column: &Column,
    marks: &[String],
    mut empty: impl FnMut(usize) -> Result<(), E>,
) -> Result<Vec<String>, E> {
    let mut words = Vec::new();
    match &column.cells {
        Cells::Numbers(numbers) => {
            numbers.iter().position(|x| x.is_nan()).map_or(Ok(()), &mut empty)?;
            let mut numbers: Vec<f64> = numbers.iter().copied().filter(|x| !x.is_nan()).collect();
            numbers.sort_unstable_by(f64::total_cmp);
            numbers.dedup();
            words.extend(numbers.into_iter().map(|x| Raw::Number(x).text().into_owned()));
        }
        Cells::Text { .. } => {
            let note = |row: usize, cell: Option<Raw>| match cell {
                Some(cell) => {
                    words.push(cell.text().into_owned());
                    Ok(())
                }
                None => empty(row),
            };
            each(column, marks, note, |_, ()| ())?;
        }
    }
    cells::sort(&mut words);
    words.dedup();
    Ok(words)
}

/// The features of a cell.
#[derive(Clone, Copy)]
pub(super) enum Part {
    /// 1 at this place, where there is one, and 0 elsewhere.
    Hot(Option<usize>),
    /// So many of these numbers.
    Numbers([f64; 3], usize),
}

impl Part {
    pub(super) fn numbers<const N: usize>(numbers: [f64; N]) -> Self {
        let mut all = [0.0; 3];
        all[..N].copy_from_slice(&numbers);
        Self::Numbers(all, N)
    }

    /// Writes it over zeros.
    pub(super) fn write(self, mut to: impl FnMut(usize, f64)) {
        match self {
            Self::Hot(place) => place.into_iter().for_each(|place| to(place, 1.0)),
            Self::Numbers(numbers, count) => (0..count).for_each(|i| to(i, numbers[i])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Table;

    #[test]
    fn each_cell_comes_once_in_the_order_of_rows_and_a_word_is_asked_for_once() {
        let row = |i: usize| {
            let number = if i.is_multiple_of(11) { String::new() } else { (i % 700).to_string() };
            format!("{number},{}\n", ["a", "b", "", "c"][i * i % 4 + i % 2])
        };
        let text = "x,word\n".to_owned() + &(0..2000).map(row).collect::<String>();
        let table = Table::parse("a.csv", &text).unwrap();
        for column in &table.columns {
            let (mut asked, mut got) = (0, Vec::new());
            let make = |_, cell: Option<Raw>| {
                asked += 1;
                Ok::<_, ()>(cell.map(|cell| cell.text().into_owned()))
            };
            each(column, &["b".to_owned()], make, |row, made| got.push((row, made))).unwrap();
            let want: Vec<_> = (0..table.len())
                .map(|row| (row, Raw::of(column, row, &["b".to_owned()]).map(|cell| cell.text().into_owned())))
                .collect();
            assert_eq!(got, want);
            assert!(asked <= 2000 && (column.name != "word" || asked <= 4), "{asked}");
        }
    }
}
