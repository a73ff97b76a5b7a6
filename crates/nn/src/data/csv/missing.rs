//! What stands for a cell that is missing.

/// What stands for a missing cell anywhere: an empty cell, what pandas 2 takes for one, other cases of the same, and `?`, as the
/// archive of the UCI has it. (`none` is a word like others, `Na` an element.)
pub(crate) const MISSING: [&str; 29] = [
    "", "#N/A", "#N/A N/A", "#NA", "#n/a", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "<na>",
    "N/A", "n/a", "NA", "na", "NULL", "Null", "null", "NaN", "nan", "NAN", "Nan", "None", "?", "\\N", "#NULL!", "NaT",
];

/// What stands for a missing number besides, in a column of numbers only: points and dashes, and what spreadsheets write.
pub(super) const NO_NUMBER: [&str; 15] = [
    ".", "..", "...", "-", "--", "---", "\u{2013}", "\u{2014}", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!",
    "missing", "none",
];

/// Whether a text stands for a missing cell.
pub(crate) fn is_missing(text: &str) -> bool {
    MISSING.contains(&text)
}
