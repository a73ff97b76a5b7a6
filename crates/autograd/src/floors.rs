//! Holds the house to its plan: each floor imports only those below it, and files and functions stay short.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// The floors from the ground up; what stands together is one storey, whose rooms may know each other.
const FLOORS: [&[&str]; 7] = [
    &["number"],
    &["tensor"],
    &["kernels"],
    &["float", "tape", "ops", "diff", "scan"],
    &["program"],
    &["check"],
    &["shared"],
];
/// What exists for tests alone.
const TESTS: [&str; 3] = ["corpus", "mutation", "floors"];
/// Tables, which are as long as what they list.
const TABLES: [&str; 3] = ["ops/unary.rs", "ops/binary.rs", "lib.rs"];
const LONGEST_FILE: usize = 400;
const LONGEST_FUNCTION: usize = 80;

/// The source files, by their path below `src`, without their tests.
fn sources() -> Vec<(String, String)> {
    fn walk(dir: &Path, list: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, list);
            } else if path.extension().is_some_and(|e| e == "rs") {
                list.push(path);
            }
        }
    }
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
    let mut paths = Vec::new();
    walk(root, &mut paths);
    paths.sort();
    let name = |path: &PathBuf| path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
    let is_test = |name: &String| name.ends_with("tests.rs") || name.contains("/tests/");
    let is_code = |name: &String| !is_test(name) && !TESTS.contains(&room(name));
    let named = paths.iter().map(|path| (name(path), path)).filter(|(name, _)| is_code(name));
    named.map(|(name, path)| (name, without_tests(&fs::read_to_string(path).unwrap()))).collect()
}

/// The code before the tests, whose module comes last in a file, without lines that are compiled for tests alone.
fn without_tests(text: &str) -> String {
    let mut code = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line.trim() == "#[cfg(test)]" {
            let is_module = |next: &&str| {
                next.trim_start().starts_with("mod tests {")
                    || next.starts_with("pub(crate) mod tests {")
                    || next.starts_with("pub(in ")
            };
            if lines.peek().is_some_and(is_module) {
                break;
            }
            lines.next();
            continue;
        }
        writeln!(code, "{line}").unwrap();
    }
    code
}

/// The room that a file belongs to: its folder, or itself.
fn room(name: &str) -> &str {
    name.split('/').next().unwrap().trim_end_matches(".rs")
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// The names that follow `crate::` in a line, in braces too.
fn rooms_named(line: &str) -> Vec<&str> {
    let code = line.split("//").next().unwrap();
    let mut rooms = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with('$') {
            continue; // a macro for users names what is public
        }
        let rest = &code[at + "crate::".len()..];
        let end = |text: &str| text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        match rest.strip_prefix('{') {
            Some(list) => rooms.extend(list.split(',').map(str::trim).map(|item| &item[..end(item)])),
            None => rooms.push(&rest[..end(rest)]),
        }
    }
    rooms
}

#[test]
fn no_file_imports_from_a_later_floor() {
    let mut wrong = String::new();
    for (name, code) in sources().iter().filter(|(name, _)| name != "lib.rs") {
        let own = floor(room(name)).unwrap_or_else(|| panic!("{name} stands on no floor"));
        for (number, line) in code.lines().enumerate() {
            // Not out of its own room.
            let depth = name.trim_end_matches("/mod.rs").split('/').count();
            let climbs = line.contains(&"super::".repeat(depth));
            let later = rooms_named(line).into_iter().any(|room| floor(room).is_none_or(|floor| floor > own));
            if climbs || later {
                writeln!(wrong, "{name}:{}: {}", number + 1, line.trim()).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "these reach above their floor, or by a path that does not say where:\n{wrong}");
}

#[test]
fn methods_of_variables_stand_under_headings_of_their_own() {
    let mut titles = Vec::new();
    for (name, code) in sources() {
        let lines: Vec<&str> = code.lines().map(str::trim).collect();
        for (at, _) in lines.iter().enumerate().filter(|(_, line)| **line == "impl<'t, T: Float> Var<'t, T> {") {
            let docs = lines[..at].iter().rev().take_while(|line| line.starts_with("///"));
            let title = docs.last().and_then(|line| line.strip_prefix("/// # "));
            titles.push(
                title.unwrap_or_else(|| panic!("{name}:{}: methods of `Var` without a heading", at + 1)).to_owned(),
            );
        }
    }
    // Each is linked to in the docs of the type, by the name that rustdoc gives it.
    let docs = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tape/var.rs")).unwrap();
    for title in &titles {
        let anchor = title.to_lowercase().replace([',', ':'], "").replace(' ', "-");
        assert!(docs.contains(&format!("](#{anchor})")), "no link to #{anchor}");
    }
    let count = titles.len();
    titles.sort();
    titles.dedup();
    assert_eq!(titles.len(), count, "each heading stands once: {titles:?}");
    assert!(count > 20, "{count} headings were found");
}

#[test]
fn what_programs_take_from_this_crate_is_never_inlined() {
    let sources = sources();
    let shared = sources.iter().filter(|(name, _)| ["shared.rs", "program/mod.rs"].contains(&&name[..]));
    let named = shared.flat_map(|(_, code)| {
        code.match_indices(" as fn(").map(|(at, _)| {
            let path = code[..at].trim_end_matches("::<T>");
            path.rsplit("::").next().unwrap()
        })
    });
    let names: Vec<&str> = named.collect();
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        let (with_generics, without) = (format!("fn {name}<"), format!("fn {name}("));
        let declared = |code: &str| {
            let lines: Vec<&str> = code.lines().collect();
            let declares = |line: &str| line.contains(&with_generics) || line.contains(&without);
            (1..lines.len()).any(|at| declares(lines[at]) && lines[at - 1].trim() == "#[inline(never)]")
        };
        assert!(
            sources.iter().any(|(_, code)| declared(code)),
            "`{name}` may be inlined, and is then compiled anew by each program"
        );
    }
}

#[test]
fn files_and_functions_are_short() {
    let mut wrong = String::new();
    for (name, code) in sources().iter().filter(|(name, _)| !TABLES.contains(&&name[..])) {
        if code.lines().count() > LONGEST_FILE {
            writeln!(wrong, "{name} has {} lines", code.lines().count()).unwrap();
        }
        let mut open: Option<(usize, usize)> = None;
        for (number, line) in code.lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let starts = ["fn ", "pub fn ", "pub(crate) fn ", "pub(super) fn ", "unsafe fn ", "pub(crate) unsafe fn "];
            if open.is_none() && starts.iter().any(|start| line.trim_start().starts_with(start)) && !line.ends_with(';')
            {
                open = Some((number, indent));
            }
            if let Some((start, of)) = open
                && indent == of
                && (line.trim() == "}" || line.ends_with(';') || (number == start && line.ends_with('}')))
            {
                if number + 1 - start > LONGEST_FUNCTION {
                    writeln!(wrong, "{name}:{}: a function of {} lines", start + 1, number + 1 - start).unwrap();
                }
                open = None;
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
