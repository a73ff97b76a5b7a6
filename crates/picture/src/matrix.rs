//! Which class is taken for which.

use crate::Picture;
use crate::canvas::{Anchor, Canvas, FONT, SMALL, TINY};
use crate::table::{Cell, Table};
use crate::text::{cut, number, width};

/// How many classes one picture draws.
const MOST: usize = 40;
/// Beyond so many classes the table lists pairs, not all of them.
const MOST_IN_TABLE: usize = 20;

/// A confusion matrix: a row for each true class, a column for each predicted one, with counts in print.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matrix {
    /// What it is of.
    pub title: String,
    /// The names of the classes.
    pub names: Vec<String>,
    /// How often each is taken for each: `counts[truth][prediction]`.
    pub counts: Vec<Vec<f64>>,
}

impl Matrix {
    /// Draws it. Of many classes those are drawn that are true most often, and all others as one.
    pub fn picture(&self) -> Picture {
        let (names, counts) = self.drawn();
        let k = names.len();
        let mut canvas = Canvas::new();
        let longest = counts.iter().flatten().map(|&n| width(&number(n))).fold(0.0, f64::max);
        let (size, class) = if k <= 12 { (FONT, "") } else { (TINY, "tiny") };
        let least = match k {
            // Room for the names of the columns.
            0..=6 => names.iter().map(|name| width(name) * SMALL + 6.0).fold(44.0, f64::max).min(90.0),
            7..=12 => 30.0,
            _ => 17.0,
        };
        let cell = (longest * size + 6.0).max(least);
        let high = cell.min(44.0);
        // A column has the number of its row, since names stand well only beside each other.
        let numbered = |place: usize| {
            if k > 6 { format!("{} {}", place + 1, cut(&names[place], 10.0)) } else { cut(&names[place], 11.0) }
        };
        let rows: Vec<String> = (0..k).map(numbered).collect();
        let left = rows.iter().map(|name| width(name) * SMALL).fold(60.0, f64::max) + 10.0;
        let top = 36.0;
        canvas.text((left, 12.0), Anchor::Start, "small strong", "predicted →");
        canvas.text((left - 6.0, 28.0), Anchor::End, "small strong", "true ↓");
        for (place, name) in rows.iter().enumerate() {
            let middle = (place as f64 + 0.5) * cell;
            canvas.text((left - 6.0, top + (place as f64 + 0.5) * high + 4.0), Anchor::End, "small", name);
            let over = if k > 6 { format!("{}", place + 1) } else { cut(&names[place], (cell - 2.0) / SMALL) };
            canvas.text((left + middle, 29.0), Anchor::Middle, if k > 12 { "tiny" } else { "small" }, &over);
        }
        for (truth, row) in counts.iter().enumerate() {
            let all: f64 = row.iter().filter(|n| n.is_finite()).sum();
            for (guess, &n) in row.iter().enumerate() {
                let (x, y) = (left + cell * guess as f64, top + high * truth as f64);
                let share = if n > 0.0 && all > 0.0 { n / all } else { 0.0 };
                let right = truth == guess;
                if share > 0.0 {
                    canvas.tint([x, y, cell, high], usize::from(!right), share.clamp(0.15, 1.0));
                }
                // What is right has a thick frame, also where no colour is seen.
                canvas.rect([x, y, cell, high], "grid");
                if right {
                    canvas.rect([x + 1.0, y + 1.0, cell - 2.0, high - 2.0], "open");
                }
                if n != 0.0 || k <= 12 {
                    canvas.text((x + cell / 2.0, y + high / 2.0 + size * 0.35), Anchor::Middle, class, &number(n));
                }
            }
        }
        let side = cell * k as f64;
        Picture::new(
            &self.title,
            self.description(),
            self.table(),
            (left + side.max(80.0) + 8.0, top + high * k as f64 + 8.0),
            canvas,
        )
    }

    /// The count of a pair, 0 where there is none.
    fn at(&self, truth: usize, guess: usize) -> f64 {
        self.counts.get(truth).and_then(|row| row.get(guess)).copied().unwrap_or(0.0)
    }

    /// The classes that are drawn.
    fn drawn(&self) -> (Vec<String>, Vec<Vec<f64>>) {
        let k = self.names.len();
        let mut order: Vec<usize> = (0..k).collect();
        let mut names = self.names.clone();
        if k > MOST {
            let support = |class: usize| (0..k).map(|guess| self.at(class, guess)).sum::<f64>();
            order.sort_by(|&a, &b| support(b).total_cmp(&support(a)));
            order[..MOST - 1].sort_unstable();
            names = order[..MOST - 1].iter().map(|&class| self.names[class].clone()).collect();
            names.push("all others".to_owned());
        }
        let n = names.len();
        let mut counts = vec![vec![0.0; n]; n];
        let slot = |place: usize| place.min(n.saturating_sub(1));
        for (place, &truth) in order.iter().enumerate() {
            for (beside, &guess) in order.iter().enumerate() {
                counts[slot(place)][slot(beside)] += self.at(truth, guess);
            }
        }
        (names, counts)
    }

    /// Pairs of different classes, those first that are taken for each other most often.
    fn confused(&self) -> Vec<(f64, usize, usize)> {
        let k = self.names.len();
        let pairs = (0..k * k).map(|pair| (pair / k, pair % k)).filter(|(truth, guess)| truth != guess);
        let mut found: Vec<_> =
            pairs.map(|(truth, guess)| (self.at(truth, guess), truth, guess)).filter(|pair| pair.0 > 0.0).collect();
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        found
    }

    fn description(&self) -> String {
        let k = self.names.len();
        if k == 0 {
            return "There are no classes.".to_owned();
        }
        let all: f64 = (0..k * k).map(|pair| self.at(pair / k, pair % k)).sum();
        let right: f64 = (0..k).map(|class| self.at(class, class)).sum();
        let mut text =
            format!("{} of {} rows are right, in the framed cells of the diagonal.", number(right), number(all));
        if let Some(&(n, truth, guess)) = self.confused().first() {
            put!(
                text,
                " Most often {} is taken for {}: {}.",
                cut(&self.names[truth], 30.0),
                cut(&self.names[guess], 30.0),
                if n == 1.0 { "once".to_owned() } else { format!("{} times", number(n)) }
            );
        }
        if k > MOST {
            put!(text, " Of {k} classes the {} most frequent are drawn, the others as one.", MOST - 1);
        }
        text
    }

    fn table(&self) -> Table {
        let k = self.names.len();
        if k > MOST_IN_TABLE {
            let mut table = Table::new(
                format!("{}: each class", self.title),
                &["class", "number", "rows", "right", "predicted", "most often taken for"],
            );
            table.most_rows = Some(300);
            let confused = self.confused();
            for (class, name) in self.names.iter().enumerate() {
                let rows: f64 = (0..k).map(|guess| self.at(class, guess)).sum();
                let predicted: f64 = (0..k).map(|truth| self.at(truth, class)).sum();
                let other = confused.iter().find(|pair| pair.1 == class);
                let other =
                    other.map_or(String::new(), |&(n, _, guess)| format!("{} ({})", self.names[guess], number(n)));
                table.rows.push(vec![
                    Cell::text(&name[..]),
                    ((class + 1) as f64).into(),
                    rows.into(),
                    self.at(class, class).into(),
                    predicted.into(),
                    other.into(),
                ]);
            }
            return table;
        }
        let mut table = Table::new(format!("{}: rows are true classes, columns predicted ones", self.title), &["true"]);
        table.columns.extend(self.names.iter().cloned());
        table.columns.push("all".to_owned());
        for (truth, name) in self.names.iter().enumerate() {
            let counts = (0..k).map(|guess| self.at(truth, guess));
            let all: f64 = counts.clone().sum();
            table.rows.push([Cell::text(&name[..])].into_iter().chain(counts.chain([all]).map(Cell::Number)).collect());
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_count_is_printed_and_of_many_classes_none_is_lost() {
        let names: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
        let counts = vec![vec![5.0, 1.0, 0.0], vec![0.0, 7.0, 2.0], vec![0.0, 0.0, 11.0]];
        let picture = Matrix { title: "Which".into(), names, counts }.picture();
        for n in ["5", "1", "7", "2", "11"] {
            assert!(picture.svg("m").contains(&format!(">{n}</text>")), "{n}");
        }
        assert!(picture.description.starts_with("23 of 26 rows are right"));
        assert!(picture.description.contains("Most often b is taken for c: 2 times"));
        let many = Matrix {
            title: "Which".into(),
            names: (0..200).map(|k| format!("class {k}")).collect(),
            counts: (0..200).map(|k| (0..200).map(|other| f64::from(u8::from(k == other))).collect()).collect(),
        };
        let picture = many.picture();
        assert!(picture.svg("m").contains("161") && picture.description.contains("200 of 200"));
        assert!(picture.figure("m").len() < 400_000, "{}", picture.figure("m").len());
    }
}
