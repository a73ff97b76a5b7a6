//! Makes a table of the lines that the peers print, read from standard input.
//!
//! A line `round` begins a round. A time is the median of the rounds' times; a multiple is the median of the rounds'
//! multiples of the closed form's time, so that what disturbs a round disturbs both.

use peer_common::CLOSED_FORM;
use std::collections::{BTreeSet, HashMap};
use std::io::{self, BufRead};

/// What the peers printed.
#[derive(Default)]
struct Lines {
    /// In the order in which they came.
    peers: Vec<String>,
    columns: Vec<String>,
    /// µs by peer and column, for each round.
    rounds: Vec<HashMap<(String, String), f64>>,
    /// What was not timed, and why.
    notes: BTreeSet<String>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut lines = Lines::default();
    for line in io::stdin().lock().lines() {
        lines.add(&line?)?;
    }
    for number in ["f32", "f64"] {
        lines.print(number);
    }
    for note in &lines.notes {
        println!("- {note}");
    }
    Ok(())
}

impl Lines {
    fn add(&mut self, line: &str) -> Result<(), String> {
        match line.split('\t').collect::<Vec<_>>()[..] {
            ["round"] => self.rounds.push(HashMap::new()),
            ["time", peer, column, time] => {
                let time: f64 = time.parse().map_err(|error| format!("{line:?} has no time: {error}"))?;
                let round = self.rounds.last_mut().ok_or("a time before the first round")?;
                round.insert((peer.to_owned(), column.to_owned()), time);
                self.know(peer, column);
            }
            ["wrong", peer, column, why] => {
                self.know(peer, column);
                self.notes.insert(format!("{peer}, {column}: wrong, not timed: {why}"));
            }
            ["missing", peer, _, why] => {
                self.notes.insert(format!("{peer}: {why}"));
            }
            _ => return Err(format!("not a line of a peer: {line:?}")),
        }
        Ok(())
    }

    fn know(&mut self, peer: &str, column: &str) {
        for (known, name) in [(&mut self.peers, peer), (&mut self.columns, column)] {
            if !known.iter().any(|other| other == name) {
                known.push(name.to_owned());
            }
        }
    }

    /// The table of all columns of one type.
    fn print(&self, number: &str) {
        let of_type = |column: &&String| column.ends_with(number);
        let columns: Vec<&String> = self.columns.iter().filter(of_type).collect();
        if columns.is_empty() {
            return;
        }
        let names = columns.iter().map(|column| column.trim_end_matches(number).trim_end_matches('/'));
        println!("| {number}, µs a step | {} |", names.collect::<Vec<_>>().join(" | "));
        println!("|---|{}", "---|".repeat(columns.len()));
        for peer in &self.peers {
            let cells = columns.iter().map(|column| self.cell(peer, column));
            println!("| {peer} | {} |", cells.collect::<Vec<_>>().join(" | "));
        }
        println!();
    }

    fn cell(&self, peer: &str, column: &str) -> String {
        let time = |round: &HashMap<_, f64>, peer: &str| round.get(&(peer.to_owned(), column.to_owned())).copied();
        let times = self.rounds.iter().filter_map(|round| time(round, peer));
        let multiples = self.rounds.iter().filter_map(|round| Some(time(round, peer)? / time(round, CLOSED_FORM)?));
        match (median(times), median(multiples)) {
            (Some(time), Some(multiple)) => format!("{} ({}×)", short(time), short(multiple)),
            (Some(time), None) => short(time),
            (None, _) => "–".to_owned(),
        }
    }
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// About three digits.
fn short(x: f64) -> String {
    let decimals = match x {
        100.0.. => 0,
        10.0.. => 1,
        1.0.. => 2,
        _ => 3,
    };
    format!("{x:.decimals$}")
}
