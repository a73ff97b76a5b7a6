//! What every operation costs beside its bound: `cargo run --release --example operations -- --filter softmax`.
//!
//! A line is `operation NAME TYPE forward|gradient NS BOUND RATIO`: nanoseconds an element in the replay of a program, the
//! bound of that, and their ratio. An array is named by its shape and axis: `sum:1000x1000:0`. Elements are those of the
//! largest operand or result; element-wise functions have 10⁵ of them. `gradient` is the function with the gradient of all
//! operands that have one, from a cotangent that is given.
//!
//! The bound is the larger of two times that are measured in the same run: copying as many bytes as must be read and
//! written, and the vector exponentials and divisions that a formula takes (`elementwise.rs` states them; a logarithm or a sine
//! counts as an exponential, a root as a division). A row whose work is of another kind has `-` for bound and ratio.
//!
//! A primitive that only rules record is measured where it stands in a derivative.

mod row;
mod elementwise;
mod reductions;
mod arrangements;
mod others;
mod measure;
#[path = "../../clock.rs"]
mod clock;
#[path = "../../closed/level.rs"]
mod level;
#[allow(dead_code, reason = "of what the closed forms compute with, the exponential is used")]
#[path = "../../closed/number.rs"]
mod number;

use clap::Parser;
use measure::{Measured, Rates};
use number::Number;
use row::{Pass, Row, Table};

/// Nanoseconds an element of every operation, their bound, and the ratio of both.
#[derive(Parser)]
struct Options {
    /// Only rows whose name contains this.
    #[arg(long, default_value = "")]
    filter: String,
    /// Seconds for each line.
    #[arg(long, default_value_t = 0.05)]
    seconds: f64,
    /// Prints recording and computing anew, too, as a multiple of replay: `eager NAME TYPE forward|gradient NS RATIO`.
    #[arg(long)]
    eager: bool,
    /// Only lines whose ratio is at least this.
    #[arg(long, default_value_t = 0.0)]
    above: f64,
}

/// Every row: arrays of the sizes that are measured, or a few elements, to see that all can be recorded.
fn rows<T: Number>(tiny: bool) -> Vec<Row<T>> {
    let mut table = Table::new(tiny);
    elementwise::add(&mut table);
    reductions::add(&mut table);
    arrangements::add(&mut table);
    others::add(&mut table);
    table.rows
}

fn main() {
    let options = Options::parse();
    print::<f32>(&options);
    print::<f64>(&options);
}

fn print<T: Number>(options: &Options) {
    let rates = Rates::measure::<T>();
    for row in rows::<T>(false).iter().filter(|row| row.name.contains(&options.filter)) {
        for pass in [Pass::Forward, Pass::Gradient] {
            let Measured { ns, bound, eager } = measure::measure(row, pass, rates, options.seconds, options.eager);
            let line = format!("{} {} {}", row.name, T::NAME, pass.name());
            if bound.is_some_and(|bound| ns / bound < options.above) || (bound.is_none() && options.above > 0.0) {
                continue;
            }
            match bound {
                Some(bound) => println!("operation {line} {ns:.3} {bound:.3} {:.2}", ns / bound),
                None => println!("operation {line} {ns:.3} - -"),
            }
            if let Some(eager) = eager {
                println!("eager {line} {eager:.3} {:.2}", eager / ns);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const DOCS: &str = include_str!("../../../docs/OPERATIONS.md");

    /// The name of an operation without its shape and axis.
    fn operation(name: &str) -> &str {
        name.split(':').next().unwrap_or(name)
    }

    #[test]
    fn every_primitive_has_a_row_that_records_it() {
        let rows = rows::<f32>(true);
        for name in autograd::primitives() {
            let row = rows.iter().find(|row| operation(&row.name) == name);
            let row = row.unwrap_or_else(|| panic!("no row is named {name}"));
            assert!(measure::records(row, name), "the row {name} does not record it");
        }
    }

    #[test]
    fn every_documented_operation_has_a_row() {
        let rows = rows::<f32>(true);
        let names: BTreeSet<&str> = rows.iter().map(|row| operation(&row.name)).collect();
        let (operations, _) = DOCS.split_once("## Primitives").unwrap();
        let first = operations.lines().filter(|line| line.starts_with("| `")).filter_map(|row| row.split('|').nth(1));
        for name in first.flat_map(|cell| cell.split('`').skip(1).step_by(2)) {
            assert!(names.contains(name), "no row is named {name}");
        }
    }

    #[test]
    fn every_row_can_be_replayed_and_moves_memory() {
        for row in &rows::<f64>(true) {
            for pass in [Pass::Forward, Pass::Gradient] {
                assert!(measure::runs(row, pass) > 0, "{} {}", row.name, pass.name());
            }
        }
    }
}
