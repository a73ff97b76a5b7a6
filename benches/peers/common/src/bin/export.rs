//! Writes the problems for peers in other languages: `export DIRECTORY`.
//!
//! `problems.json` has a line of description for each problem; `<workload>.numbers` has its examples and parameters,
//! `X`, `W₁`, `b₁`, `W₂`, …, as little-endian `f64`; `elementwise.numbers` has the elements. Rounded to `f32`, they are
//! the numbers of the problem in `f32`.

use peer_common::{Problem, elements, problems};
use serde_json::{Value, json};
use std::error::Error;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let directory = env::args().nth(1).ok_or("export needs the directory to write to")?;
    let directory = Path::new(&directory);
    fs::create_dir_all(directory)?;
    let mut descriptions = Vec::new();
    for (double, single) in problems::<f64>().iter().zip(problems::<f32>()) {
        let layers = double.layers.iter().flat_map(|(w, b)| [w, b]);
        let numbers = std::iter::once(&double.x).chain(layers).flatten();
        write(&directory.join(format!("{}.numbers", double.name)), numbers.copied())?;
        descriptions.push(description(double, &single.losses));
    }
    write(&directory.join("elementwise.numbers"), elements::<f64>().into_iter())?;
    fs::write(directory.join("problems.json"), serde_json::to_string(&descriptions)?)?;
    Ok(())
}

fn write(path: &Path, numbers: impl Iterator<Item = f64>) -> std::io::Result<()> {
    fs::write(path, numbers.flat_map(f64::to_le_bytes).collect::<Vec<u8>>())
}

fn description(problem: &Problem<f64>, single_losses: &[f64]) -> Value {
    json!({
        "name": problem.name,
        "batch": problem.batch,
        "sizes": problem.sizes,
        "labels": problem.labels,
        "rate": problem.rate,
        "losses": { "f32": single_losses, "f64": problem.losses },
    })
}
