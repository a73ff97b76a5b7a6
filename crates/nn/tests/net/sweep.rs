//! What a sweep promises to whoever uses it: wrong calls, and a process that is killed.

use crate::rows::{Rows, panics};
use nn::data::By;
use nn::sweep::{Failure, Halving, List, Run, Settings, Space, Sweep};
use serde_json::json;
use std::process::Command;
use std::time::{Duration, Instant};

#[expect(clippy::unnecessary_wraps, reason = "a run may fail")]
fn one(_: &Run<'_>) -> Result<f64, Failure> {
    Ok(1.0)
}

fn list() -> List {
    Space::new().choice("x", [1, 2, 3]).grid().unwrap()
}

#[test]
fn every_public_function_names_itself_what_is_wrong_and_the_callers_line() {
    let settings = Settings::from([("rate", json!(0.5)), ("word", json!("a")), ("below", json!(-1))]);
    let data = nn::Dataset::new(autograd::Tensor::<f64>::zeros([4, 1]), vec![0; 4], vec!["a".into()]);
    let mut run = Run::new(&settings);
    run.fold = 3;
    let sweep = Sweep::default();
    let no_seeds = Sweep { seeds: vec![], ..Sweep::default() };
    let twice = Sweep { seeds: vec![1, 5, 1], ..Sweep::default() };
    let no_folds = Sweep { folds: 0, ..Sweep::default() };
    let halving = |factor| Halving { factor, ..Halving::new(list(), 1, 9) };

    let mut rows = Rows::default();
    panics!(rows, "Settings::number", ["`width`", "there are `below`, `rate`, `word`"], settings.number("width"));
    panics!(rows, "Settings::number", ["a number is needed for `word`", "it is `\"a\"`"], settings.number("word"));
    panics!(rows, "Settings::number", ["there are no settings"], Settings::default().number("word"));
    panics!(rows, "Settings::count", ["a whole number of 0 or more", "`rate`, it is `0.5`"], settings.count("rate"));
    panics!(rows, "Settings::count", ["`below`, it is `-1`"], settings.count("below"));
    panics!(rows, "Settings::text", ["a text is needed for `rate`", "it is `0.5`"], settings.text("rate"));
    panics!(rows, "Settings::text", ["a text is needed for `name`", "there are"], settings.text("name"));
    panics!(rows, "Settings::read", ["a `bool` is needed for `word`"], settings.read::<bool>("word"));
    panics!(rows, "Settings::read", ["a value is needed for `no\\u{1b}`"], settings.read::<bool>("no\u{1b}"));
    panics!(rows, "Run::parts", ["a fold below 1 is needed, not 3"], run.parts(By::Rows(9)));
    panics!(rows, "Run::split", ["a fold below 1 is needed, not 3"], run.split(&data));
    panics!(rows, "Sweep::run", ["1 seed or more is needed, there are none"], no_seeds.run(list(), one));
    panics!(rows, "Sweep::run", ["different seeds are needed, 1 stands twice"], twice.run(list(), one));
    panics!(rows, "Sweep::run", ["1 fold or more is needed, not 0"], no_folds.run(list(), one));
    panics!(rows, "Sweep::run_with", ["1 fold or more is needed, not 0"], no_folds.run_with(list(), one, |_| ()));
    panics!(rows, "Halving", ["a factor of 2 or more is needed, not 1"], sweep.run(halving(1), one));
    panics!(rows, "Halving", ["not 0 to 9"], sweep.run(Halving::new(list(), 0, 9), one));
    panics!(rows, "Halving", ["not 9 to 3"], sweep.run(&mut Halving::new(list(), 9, 3), one));
    rows.hold_all(&["sweep"], NO_ROW);
}

/// Functions that no caller can give anything wrong, or that return errors.
const NO_ROW: &[&str] = &[
    "new",
    "get",
    "with",
    "uniform",
    "log_uniform",
    "integer",
    "choice",
    "from_json",
    "grid",
    "sample",
    "goes_on",
    "mean",
    "standard_error",
    "failed",
    "best",
    "ranked",
    "failures",
    "write_csv",
    "write_runs_csv",
    "to_json",
];

/// The sweep that is killed: this test in a process of its own, with the journal's name in its environment.
const JOURNAL: &str = "NN_TEST_SWEEP_JOURNAL";

#[expect(clippy::unnecessary_wraps, reason = "a run may fail")]
fn slow(run: &Run<'_>) -> Result<f64, Failure> {
    std::thread::sleep(Duration::from_millis(5));
    Ok(run.settings.number("x") / 7.0 + run.seed as f64)
}

fn long(journal: Option<std::path::PathBuf>) -> Sweep {
    Sweep { seeds: (0..40).collect(), threads: 2, journal, ..Sweep::default() }
}

#[test]
fn a_process_that_is_killed_loses_only_the_runs_that_it_was_at() {
    if let Some(journal) = std::env::var_os(JOURNAL) {
        long(Some(journal.into())).run(list(), slow).unwrap();
        return;
    }
    let folder = std::env::temp_dir().join(format!("nn-killed-sweep-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let journal = folder.join("sweep.jsonl");
    let lines = || std::fs::read_to_string(&journal).unwrap_or_default().lines().count();
    let mut before = 0;
    for _ in 0..3 {
        let name = "sweep::a_process_that_is_killed_loses_only_the_runs_that_it_was_at";
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name])
            .env(JOURNAL, &journal)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let start = Instant::now();
        while lines() < before + 12 && start.elapsed() < Duration::from_mins(1) {
            std::thread::sleep(Duration::from_millis(2));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let now = lines();
        assert!((before + 12..110).contains(&now), "{now} lines, {before} before");
        before = now;
    }
    let mut made = 0;
    let outcome = long(Some(journal.clone())).run_with(list(), slow, |_| made += 1).unwrap();
    assert!(made <= 121 - before + 1, "{made} runs were made again, {before} lines were there");
    assert_eq!(outcome, long(None).run(list(), slow).unwrap());
    std::fs::remove_dir_all(folder).unwrap();
}
