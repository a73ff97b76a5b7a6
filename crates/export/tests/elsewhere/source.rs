//! C and Rust, compiled with all warnings as errors, and run.

use crate::passes::{self, Pass};
use autograd::Tensor;
use export::Number;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder of one's own.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(folder.join("src")).unwrap();
    folder
}

/// What a program prints; it must end well.
pub(crate) fn printed(command: &mut Command) -> String {
    let done = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

/// What a program in C prints, which is compiled with all warnings as errors.
pub(crate) fn run_in_c(folder: &Path, main: &str, more: &[&str]) -> String {
    std::fs::write(folder.join("main.c"), main).unwrap();
    let flags =
        ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-ffp-contract=off", "main.c", "-o", "main", "-lm"];
    printed(Command::new("cc").args(more).args(flags).current_dir(folder));
    printed(&mut Command::new(folder.join("main")))
}

/// What a program in Rust prints, of a library without a standard library, which lies in `src`.
pub(crate) fn run_in_rust(folder: &Path, library: &str, body: &str) -> String {
    let library = format!("#![no_std]\n#![deny(warnings)]\n{library}");
    std::fs::write(folder.join("src/lib.rs"), library).unwrap();
    std::fs::write(folder.join("src/main.rs"), format!("fn main() {{\n{body}}}\n")).unwrap();
    std::fs::write(folder.join("Cargo.toml"), MANIFEST).unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["run", "--quiet", "--offline"]).current_dir(folder).env("CARGO_TARGET_DIR", folder.join("target"));
    printed(&mut cargo)
}

/// The lines that a program printed, a row of numbers for each pass, held to what the tape says.
fn hold(passes: &[Pass], text: &str, tolerance: f64) {
    let mut lines = text.lines();
    for pass in passes {
        let wanted = pass.output(&pass.input(1));
        let line = lines.next().unwrap_or_else(|| panic!("{}: nothing came", pass.name));
        let got: Vec<f64> = line.split_whitespace().map(|word| word.parse().unwrap()).collect();
        close(&pass.name, &got, wanted.as_slice(), tolerance);
    }
    assert_eq!(lines.next(), None);
}

/// Numbers that differ by no more than rounding.
pub(crate) fn close(name: &str, got: &[f64], wanted: &[f64], tolerance: f64) {
    assert_eq!(got.len(), wanted.len(), "{name}");
    let largest = wanted.iter().fold(1.0_f64, |largest, x| largest.max(x.abs()));
    for (i, (a, b)) in got.iter().zip(wanted).enumerate() {
        let same = a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= tolerance * largest;
        assert!(same, "{name}, element {i}: {a} is not {b}");
    }
}

fn listed(x: &Tensor) -> String {
    x.as_slice().iter().map(|x| format!("{x:?}")).collect::<Vec<_>>().join(", ")
}

fn in_c(number: Number, tolerance: f64) {
    let element = if number == Number::F32 { "float" } else { "double" };
    let folder = folder(&format!("c_{element}"));
    let passes = passes::all();
    let mut main = String::from("#include <stdio.h>\n");
    let mut calls = String::new();
    for pass in &passes {
        let (x, y) = (pass.input(1), pass.output(&pass.input(1)));
        std::fs::write(folder.join(format!("{}.h", pass.name)), pass.forward().unwrap().c(&pass.name, number).unwrap())
            .unwrap();
        let _ = writeln!(main, "#include \"{}.h\"", pass.name);
        let _ = writeln!(calls, "    {{ const {element} x[] = {{{}}}; {element} y[{}];", listed(&x), y.numel());
        let _ = writeln!(
            calls,
            "      {}(x, y); for (int i = 0; i < {}; i++) printf(\"%.17g \", (double)y[i]); puts(\"\"); }}",
            pass.name,
            y.numel()
        );
    }
    let text = run_in_c(&folder, &format!("{main}int main(void) {{\n{calls}    return 0;\n}}\n"), &["-O1"]);
    hold(&passes, &text, tolerance);
}

#[test]
#[cfg(unix)]
fn c_gives_what_the_tape_gives() {
    in_c(Number::F64, 1e-13);
}

#[test]
#[cfg(unix)]
fn c_in_narrow_numbers_is_as_near_as_they_are() {
    in_c(Number::F32, 2e-5);
}

/// A package without a standard library, with all passes, and a program that calls it.
#[test]
fn rust_without_a_standard_library_gives_what_the_tape_gives() {
    let folder = folder("rust");
    let passes = passes::all();
    let (mut library, mut calls) = (String::new(), String::new());
    for pass in &passes {
        let (x, y) = (pass.input(1), pass.output(&pass.input(1)));
        let source = pass.forward().unwrap().rust(&pass.name, Number::F64).unwrap();
        std::fs::write(folder.join("src").join(format!("{}.rs", pass.name)), source).unwrap();
        let _ = writeln!(library, "pub mod {};", pass.name);
        let _ = writeln!(calls, "    let mut y = [0.0; {}];", y.numel());
        let _ = writeln!(calls, "    nets::{0}::{0}(&[{1}], &mut y);", pass.name, listed(&x));
        calls.push_str("    for y in y { print!(\"{y:?} \"); }\n    println!();\n");
    }
    hold(&passes, &run_in_rust(&folder, &library, &calls), 1e-13);
}

/// A package that needs `libm` alone.
const MANIFEST: &str = "[package]\nname = \"nets\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n\
    libm = { version = \"0.2\", default-features = false }\n\n[workspace]\n";

#[test]
#[cfg(unix)]
fn integers_go_in() {
    let (table, forward) = passes::embedding();
    let folder = folder("c_integers");
    std::fs::write(
        folder.join("mean.h"),
        forward.c("mean_word", Number::F64).unwrap_or_else(|error| panic!("{error}")),
    )
    .unwrap();
    let main = "#include <stdio.h>\n#include \"mean.h\"\nint main(void) {\n    const int words[4] = {6, 0, 3, 3};\n    double mean[3];\n    \
        mean_word(words, mean);\n    printf(\"%.17g %.17g %.17g\\n\", mean[0], mean[1], mean[2]);\n    return 0;\n}\n";
    let text = run_in_c(&folder, main, &[]);
    let got: Vec<f64> = text.split_whitespace().map(|word| word.parse().unwrap()).collect();
    let weight = &table.weight;
    let wanted: Vec<f64> =
        (0..3).map(|k| [6, 0, 3, 3].iter().map(|&row| weight.at([row, k])).sum::<f64>() / 4.0).collect();
    close("mean_word", &got, &wanted, 1e-14);
}
