//! Writes the page, one HTML file: `page WASM FILE`, where WASM is this package's library for `wasm32-unknown-unknown`. Or answers
//! natively what the page asks, to compare: `page --ask` reads a request from each line and writes a line for each.

#[cfg(not(target_family = "wasm"))]
mod still;

#[cfg(not(target_family = "wasm"))]
use std::io::Write;

#[cfg(not(target_family = "wasm"))]
fn main() -> std::process::ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    if matches!(&arguments[..], [only] if only == "--ask") {
        // Whoever reads no further has seen enough.
        let lines = std::io::stdin().lines().map_while(Result::ok);
        let answer = |line: String| writeln!(std::io::stdout(), "{}", page::answer(&line));
        return lines.map(answer).find_map(Result::err).map_or(0, |_| 1).into();
    }
    let [wasm, file] = &arguments[..] else {
        eprintln!("error: two arguments are needed: the library for browsers, and the file to write");
        return 2.into();
    };
    let written = std::fs::read(wasm)
        .map_err(|error| (wasm, error))
        .and_then(|wasm| still::page(&wasm).map_err(|error| (file, error)))
        .and_then(|page| std::fs::write(file, page).map_err(|error| (file, error)));
    if let Err((path, error)) = written {
        eprintln!("error: {}: {error}", path.display());
        return 1.into();
    }
    0.into()
}

#[cfg(target_family = "wasm")]
fn main() {}
