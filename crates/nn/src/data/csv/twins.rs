//! Words that are spelt differently and look the same.

use super::words::Words;
use crate::error::unseen;
use std::fmt::Write;
use unicode_normalization::UnicodeNormalization;

/// Two words that people take for one, by their places, the one that came first last, and in what they differ.
#[derive(Debug, PartialEq)]
pub(crate) struct Twin {
    pub(crate) later: usize,
    pub(crate) first: usize,
    pub(crate) why: String,
}

/// The words that look as an earlier one does: they differ in upper and lower case, in blanks, in characters that are not
/// seen, or in the Unicode form of a letter.
pub(crate) fn twins(words: &[String]) -> Vec<Twin> {
    // Most words have a skeleton of their own; the first word of each.
    let (mut skeletons, mut firsts, mut found) = (Words::default(), Vec::new(), Vec::new());
    for (later, word) in words.iter().enumerate() {
        let (place, new) = skeletons.place(&skeleton(word));
        if new {
            firsts.push(later);
        } else {
            let first = firsts[place as usize];
            found.push(Twin { later, first, why: difference(word, &words[first]) });
        }
    }
    found
}

/// What two words have in common that look the same.
fn skeleton(word: &str) -> String {
    if word.is_ascii() {
        return blanks(&word.to_ascii_lowercase());
    }
    blanks(&seen(&word.to_lowercase()).nfd().collect::<String>())
}

fn blanks(word: &str) -> String {
    word.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn seen(word: &str) -> String {
    word.chars().filter(|&c| !unseen(c)).collect()
}

fn difference(word: &str, first: &str) -> String {
    if let Some(c) = word.chars().find(|&c| unseen(c)) {
        return format!("it holds {}, which is not seen", code_points([c]));
    }
    if let Some(c) = first.chars().find(|&c| unseen(c)) {
        return format!("the other holds {}, which is not seen", code_points([c]));
    }
    if word.nfd().eq(first.nfd()) {
        let (mut a, mut b): (Vec<char>, Vec<char>) = (word.chars().collect(), first.chars().collect());
        for _ in 0..2 {
            while !a.is_empty() && a.last() == b.last() {
                a.pop();
                b.pop();
            }
            a.reverse();
            b.reverse();
        }
        let [a, b] = [a, b].map(|part| code_points(part.into_iter().take(4)));
        return format!("another Unicode form: {a} where the other has {b}");
    }
    if blanks(word) != word || blanks(first) != first {
        return "they differ in blanks".to_owned();
    }
    "they differ in upper and lower case".to_owned()
}

/// Characters by their numbers.
fn code_points(chars: impl IntoIterator<Item = char>) -> String {
    let mut text = String::new();
    for c in chars {
        let _ = write!(text, "{}U+{:04X}", if text.is_empty() { "" } else { " " }, u32::from(c));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_look_the_same_are_twins_and_are_told_apart() {
        for (first, later, why) in [
            ("cat", "Cat", "upper and lower case"),
            ("Ünal", "ünal", "upper and lower case"),
            ("Mu\u{308}nster", "M\u{fc}nster", "U+00FC where the other has U+0075 U+0308"),
            ("M\u{fc}nster", "Mu\u{308}nster", "U+0075 U+0308 where the other has U+00FC"),
            ("\u{ac00}", "\u{1100}\u{1161}", "U+1100 U+1161 where the other has U+AC00"),
            ("\u{1ec7}", "e\u{323}\u{302}", "U+0065 U+0323 U+0302 where the other has U+1EC7"),
            ("\u{212b}", "\u{c5}", "U+00C5 where the other has U+212B"),
            ("cat", "cat\u{200b}", "it holds U+200B"),
            ("c\u{ad}at", "cat", "the other holds U+00AD"),
            ("old town", "old  town", "blanks"),
            ("old town", "old\u{a0}town", "blanks"),
        ] {
            let words = [first.to_owned(), "other".to_owned(), later.to_owned()];
            let found = twins(&words);
            assert_eq!(found.len(), 1, "{later:?}");
            assert_eq!((found[0].later, found[0].first), (2, 0));
            assert!(found[0].why.contains(why), "{later:?}: {}", found[0].why);
        }
        let apart = ["Muller", "M\u{fc}ller", "cat", "cats", "m2", "m\u{b2}"].map(str::to_owned);
        assert_eq!(twins(&apart), []);
    }
}
