//! The same numbers by several accounts.

use crate::Picture;
use crate::canvas::{Anchor, Canvas, FONT, SMALL, mark};
use crate::table::{Cell, Table};
use crate::text::{count, cut, trimmed, width};

/// How wide a number is at most, with the sign before it.
const COLUMN: f64 = 134.0;
/// From one line of text to the next.
const LINE: f64 = 18.0;
/// Between a frame and what is in it, and between cards.
const PAD: f64 = 14.0;
/// How wide the text of a card is at most.
const WIDEST: f64 = 480.0;
/// How many cards are drawn, and how many numbers of each.
const MOST: usize = 40;
const MOST_NUMBERS: usize = 12;

/// Statements, each with numbers that several accounts give of it, and whether these agree.
///
/// ```
/// use picture::{Card, Cards};
/// let card = Card {
///     name: "slope".into(),
///     statement: "d(x²)/dx = 2x".into(),
///     numbers: vec![vec![2.0, 2.0000001], vec![4.0, 3.9999999]],
///     verdict: "within 1e-6".into(),
///     holds: true,
/// };
/// let cards = Cards { title: "Slopes".into(), accounts: vec!["formula".into(), "differences".into()], cards: vec![card] };
/// assert!(cards.picture().svg("slopes").contains("3.9999999"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cards {
    /// What they are of.
    pub title: String,
    /// The names of the accounts.
    pub accounts: Vec<String>,
    /// The statements.
    pub cards: Vec<Card>,
}

/// A statement with its numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Card {
    /// Its name.
    pub name: String,
    /// What it says.
    pub statement: String,
    /// Some numbers of it, each by every account; NaN where an account has none.
    pub numbers: Vec<Vec<f64>>,
    /// How well they agree, in words.
    pub verdict: String,
    /// Whether that is well enough.
    pub holds: bool,
}

impl Cards {
    /// Draws them, two beside each other; of many the first.
    pub fn picture(&self) -> Picture {
        let mut canvas = Canvas::new();
        let drawn = &self.cards[..self.cards.len().min(MOST)];
        let texts = drawn.iter().map(|card| width(&card.statement).max(width(&told(card))) * SMALL);
        let inner = texts.fold(COLUMN * self.accounts.len().max(1) as f64, |most, text| most.max(text.min(WIDEST)));
        let (wide, beside) = (inner + 2.0 * PAD, if drawn.len() > 1 { 2 } else { 1 });
        let mut y = 0.0;
        for cards in drawn.chunks(beside) {
            let lines = cards.iter().map(|card| card.numbers.len().min(MOST_NUMBERS)).max().unwrap_or(0);
            let high = (lines as f64 + 4.0) * LINE + 2.0 * PAD;
            for (place, card) in cards.iter().enumerate() {
                self.draw(&mut canvas, card, [(wide + PAD) * place as f64 + 1.0, y + 1.0, wide, high], inner);
            }
            y += high + PAD;
        }
        let size = ((wide + PAD) * beside as f64 - PAD + 2.0, (y - PAD).max(LINE) + 2.0);
        Picture::new(&self.title, self.description(), self.table(), size, canvas)
    }

    fn draw(&self, canvas: &mut Canvas, card: &Card, [x, y, wide, high]: [f64; 4], inner: f64) {
        let (left, column) = (x + PAD, inner / self.accounts.len().max(1) as f64);
        canvas.round([x, y, wide, high], 8.0, "grid");
        let line = |number: f64| y + PAD + LINE * (number + 0.7);
        canvas.text_in((left, line(0.0)), Anchor::Start, "strong", &card.name, inner, FONT);
        canvas.text_in((left, line(1.0)), Anchor::Start, "small", &card.statement, inner, SMALL);
        for (account, name) in self.accounts.iter().enumerate() {
            let at = left + column * account as f64;
            let under = [at, line(1.5), column - 16.0, (card.numbers.len().min(MOST_NUMBERS) as f64 + 1.2) * LINE];
            canvas.tint(under, account, 0.3);
            canvas.path(&mark(account, at + 10.0, line(2.2) - 4.0, 4.0), &format!("mark{}", account % 8));
            canvas.text_in((at + 19.0, line(2.2)), Anchor::Start, "small strong", name, column - 36.0, SMALL);
            for (row, numbers) in card.numbers.iter().take(MOST_NUMBERS).enumerate() {
                let place = line(row as f64 + 3.2);
                let text = numbers.get(account).map_or(String::new(), |&number| digits(number));
                canvas.text_in((at + column - 22.0, place), Anchor::End, "", &text, column - 24.0, FONT);
                if account > 0 {
                    canvas.text((at - 8.0, place), Anchor::Middle, "", if card.holds { "=" } else { "?" });
                }
            }
        }
        canvas.text_in((left, y + high - PAD), Anchor::Start, "small", &told(card), inner, SMALL);
    }

    fn description(&self) -> String {
        let (n, held) = (self.cards.len(), self.cards.iter().filter(|card| card.holds).count());
        let accounts: Vec<String> = self.accounts.iter().map(|name| cut(name, 30.0)).collect();
        let mut text = format!(
            "{} with numbers by {}: {held} of {n} hold.",
            count(n, "statement", "statements"),
            accounts.join(", ")
        );
        if n > MOST {
            put!(text, " The first {MOST} are drawn.");
        }
        if self.cards.iter().any(|card| card.numbers.len() > MOST_NUMBERS) {
            put!(text, " Of many numbers the first {MOST_NUMBERS} are drawn.");
        }
        text
    }

    fn table(&self) -> Table {
        let mut table = Table::new(self.title.clone(), &["name", "statement", "number"]);
        table.most_rows = Some(300);
        table.columns.extend(self.accounts.iter().cloned());
        table.columns.push("holds".to_owned());
        for card in &self.cards {
            for (row, numbers) in card.numbers.iter().enumerate() {
                let mut cells = vec![
                    Cell::text(card.name.as_str()),
                    Cell::text(card.statement.as_str()),
                    Cell::Number((row + 1) as f64),
                ];
                let all = (0..self.accounts.len()).map(|account| numbers.get(account).copied());
                cells.extend(all.map(|number| Cell::text(number.map_or(String::new(), digits))));
                cells.push(Cell::text(told(card)));
                table.rows.push(cells);
            }
        }
        table
    }
}

fn told(card: &Card) -> String {
    format!("{} {}", if card.holds { "✓" } else { "✗" }, card.verdict)
}

/// A number with eight digits behind the point, so that small differences are seen and points stand below each other.
fn digits(x: f64) -> String {
    if x.is_nan() {
        "–".to_owned()
    } else if x == 0.0 || !x.is_finite() {
        crate::text::number(x)
    } else if (1e-3..100.0).contains(&x.abs()) {
        format!("{x:.8}")
    } else {
        let text = format!("{x:.7e}");
        let (head, tail) = text.split_once('e').unwrap_or((&text, "0"));
        format!("{}e{tail}", trimmed(head))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_is_printed_by_each_account_and_what_fails_is_told_in_words_and_signs() {
        let card = |name: &str, holds| Card {
            name: name.into(),
            statement: "a = b".into(),
            numbers: vec![vec![0.125, 1.0 / 3.0, f64::NAN], vec![-2e-9, 12345.678, -1.0]],
            verdict: if holds { "all alike" } else { "far apart" }.into(),
            holds,
        };
        let accounts = ["one", "two", "three"].map(str::to_owned).to_vec();
        let cards = Cards { title: "Cards".into(), accounts, cards: vec![card("first", true), card("second", false)] };
        let picture = cards.picture();
        let svg = picture.svg("cards");
        for text in
            ["0.12500000", "0.33333333", "–", "-2e-9", "1.2345678e4", "-1.00000000", "✓ all alike", "✗ far apart"]
        {
            assert!(svg.contains(&format!(">{text}</text>")), "{text} in {svg}");
        }
        assert_eq!((svg.matches(">=</text>").count(), svg.matches(">?</text>").count()), (4, 4));
        assert_eq!(picture.description, "2 statements with numbers by one, two, three: 1 of 2 hold.");
    }
}
