use super::*;
use crate::data::{Csv, IRIS_CSV};
use crate::train::Better;
use crate::{Activation, Adam, Dataset, Fit, Learner, Mlp, Recipe};
use serde_json::json;
use std::collections::BTreeSet;
use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("nn-sweep-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.join("sweep.jsonl")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn grid() -> List {
    Space::new().choice("x", [0.3, 0.1, 0.7]).choice("word", ["a", "b"]).grid().unwrap()
}

fn six() -> Sweep {
    Sweep { seeds: vec![3, 1], folds: 3, ..Sweep::default() }
}

/// A run that takes longer the earlier it is asked for, so that threads finish out of order.
fn judge(run: &Run<'_>) -> Result<[(&'static str, f64); 2], Failure> {
    let x = run.settings.number("x");
    std::thread::sleep(Duration::from_micros((x * 3e3) as u64));
    if run.settings.text("word") == "b" && x == 0.7 {
        return Err(format!("seed {} is unlucky", run.seed).into());
    }
    assert!(!(x == 0.1 && run.fold == 2 && run.seed == 1), "fold {} is broken", run.fold);
    let loss = (x - 0.15).abs() + 0.01 * run.seed as f64 + 0.001 * run.fold as f64 + 1.0 / 3.0;
    Ok([("loss", loss / f64::from(run.budget)), ("twice", 2.0 * loss)])
}

#[test]
fn the_result_is_the_same_for_any_number_of_threads() {
    let one = Sweep { threads: 1, ..six() }.run(grid(), judge).unwrap();
    for threads in [2, 3, 16, 0] {
        let more = Sweep { threads, ..six() }.run(grid(), judge).unwrap();
        assert_eq!(more, one);
        assert_eq!(more.to_json().to_string(), one.to_json().to_string());
        assert_eq!(more.to_string(), one.to_string());
    }
    let order: Vec<_> = one.tried[0].runs.iter().map(|run| (run.seed, run.fold)).collect();
    assert_eq!(order, [(3, 0), (3, 1), (3, 2), (1, 0), (1, 1), (1, 2)]);
    assert_eq!(one.tried.iter().map(|tried| tried.settings.clone()).collect::<Vec<_>>(), grid().settings);
}

#[test]
fn errors_and_panics_are_kept_and_lose_no_other_run() {
    let outcome = six().run(grid(), judge).unwrap();
    let failures: Vec<String> =
        outcome.failures().map(|(tried, run, failed)| format!("{} {} {failed}", tried.settings, run.seed)).collect();
    assert_eq!(failures.len(), 2 + 6);
    assert_eq!(failures[0], "word=a x=0.1 1 panicked: fold 2 is broken");
    assert_eq!(failures[2], "word=b x=0.7 3 seed 3 is unlucky");
    assert_eq!(outcome.tried.iter().map(|tried| tried.runs.len()).sum::<usize>(), 36);
    // Settings with a failed run have no score, though those that did not fail have a mean.
    let best = outcome.best().unwrap();
    assert_eq!(best.settings.to_string(), "word=a x=0.3");
    assert!(outcome.tried[2].mean("loss").unwrap() < best.score.unwrap());
    let text = outcome.to_string();
    for word in ["1 of 6 failed", "6 of 6 failed", "8 runs have failed:", "  and 3 more", "best: word=a x=0.3: loss 0."]
    {
        assert!(text.contains(word), "{text}");
    }
    let json = outcome.to_json();
    assert_eq!(json["tried"][2]["runs"][5]["panic"], "fold 2 is broken");
    assert_eq!(json["tried"][5]["runs"][0]["error"], "seed 3 is unlucky");
    assert_eq!((&json["best"], &json["tried"][5]["score"]), (&json!(0), &json!(null)));
}

#[test]
fn the_mean_and_its_standard_error_are_those_of_all_seeds_and_folds() {
    let outcome = six().run(grid(), judge).unwrap();
    let losses: Vec<f64> = [(3, 0), (3, 1), (3, 2), (1, 0), (1, 1), (1, 2)]
        .map(|(seed, fold)| 0.15 + 0.01 * f64::from(seed) + 0.001 * f64::from(fold) + 1.0 / 3.0)
        .to_vec();
    let mean = losses.iter().sum::<f64>() / 6.0;
    let variance = losses.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 5.0;
    let (tried, close) = (&outcome.tried[0], |a: f64, b: f64| (a - b).abs() < 1e-12);
    assert!(close(tried.score.unwrap(), mean) && close(tried.mean("twice").unwrap(), 2.0 * mean));
    assert!(close(tried.standard_error("loss").unwrap(), (variance / 6.0).sqrt()));
    assert_eq!(tried.mean("thrice"), None);
    let single = Sweep::default().run(grid(), judge).unwrap();
    assert_eq!(single.tried[0].standard_error("loss"), None);
}

#[test]
fn csv_has_a_line_for_each_setting_or_run() {
    let outcome = six().run(grid(), judge).unwrap();
    let (mut csv, mut runs) = (Vec::new(), Vec::new());
    outcome.write_csv(&mut csv).unwrap();
    outcome.write_runs_csv(&mut runs).unwrap();
    let (csv, runs) = (String::from_utf8(csv).unwrap(), String::from_utf8(runs).unwrap());
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "word,x,budget,runs,failed,loss,loss_error,twice,twice_error");
    assert_eq!((lines.len(), lines[6]), (7, "b,0.7,1,6,6,,,,"));
    assert!(lines[1].starts_with("a,0.3,1,6,0,0.504333"), "{csv}");
    let lines: Vec<&str> = runs.lines().collect();
    assert_eq!(lines[0], "word,x,budget,seed,fold,loss,twice,failure");
    assert_eq!((lines.len(), lines[18]), (37, "a,0.1,1,1,2,,,panicked: fold 2 is broken"));
}

#[test]
fn another_number_ranks_where_it_is_asked_for_and_a_run_without_it_has_failed() {
    let sweep = Sweep { score: Some("twice".into()), better: Better::Higher, ..Sweep::default() };
    let outcome = sweep.run(grid(), judge).unwrap();
    assert_eq!(outcome.best().unwrap().settings.to_string(), "word=a x=0.7");
    let outcome = Sweep { score: Some("accuracy".into()), ..sweep }.run(grid(), judge).unwrap();
    assert!(outcome.best().is_none());
    let text = outcome.to_string();
    assert!(text.contains("the run gives no `accuracy`, which ranks, but `loss`, `twice`"), "{text}");
    let twice = Sweep::default().run(grid(), |_| Ok([("a", 1.0), ("a", 2.0)])).unwrap().to_string();
    assert!(twice.contains("the run gives `a` twice"), "{twice}");
    let none = Sweep::default().run(grid(), |_| Ok(Vec::new())).unwrap().to_string();
    assert!(none.contains("the run gives no number") && none.contains("best: none"), "{none}");
}

#[test]
fn what_is_not_finite_is_never_the_best_and_survives_the_journal() {
    let folder = Folder::new("nan");
    let sweep = Sweep { journal: Some(folder.file()), better: Better::Higher, ..Sweep::default() };
    let given = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 1.0 / 3.0, 5e-324];
    let list = || Space::new().integer("k", 0, 5).grid().unwrap();
    let outcome = sweep.run(list(), |run| Ok(given[run.settings.count("k")])).unwrap();
    assert_eq!(outcome.best().unwrap().settings.count("k"), 4);
    let again = sweep.run(list(), |_| -> Result<f64, _> { panic!("it is in the journal") }).unwrap();
    let bits = |outcome: &Outcome| -> Vec<u64> {
        let runs = outcome.tried.iter().flat_map(|tried| &tried.runs);
        runs.map(|run| run.result.as_ref().unwrap().numbers[0].1.to_bits()).collect()
    };
    assert_eq!(bits(&again), bits(&outcome));
    assert_eq!(bits(&again), given.map(f64::to_bits));
}

#[test]
fn a_killed_sweep_goes_on_from_any_byte_of_its_journal() {
    let folder = Folder::new("torn");
    let sweep = Sweep { journal: Some(folder.file()), threads: 2, ..six() };
    let whole = six().run(grid(), judge).unwrap();
    assert_eq!(sweep.run(grid(), judge).unwrap(), whole);
    let bytes = fs::read(folder.file()).unwrap();
    let lines = |bytes: &[u8]| bytes.split(|&byte| byte == b'\n').count() - 1;
    assert_eq!(lines(&bytes), 37);
    for cut in (0..bytes.len()).step_by(211).chain([bytes.len() - 1]) {
        fs::write(folder.file(), &bytes[..cut]).unwrap();
        let (kept, made) = (lines(&bytes[..cut]), AtomicUsize::new(0));
        let again = sweep.run(grid(), |run| {
            made.fetch_add(1, Ordering::Relaxed);
            judge(run)
        });
        assert_eq!(again.unwrap(), whole, "cut at {cut}");
        assert_eq!(made.into_inner(), 36 - kept.saturating_sub(1), "cut at {cut}");
        let lines: BTreeSet<String> = fs::read_to_string(folder.file()).unwrap().lines().map(without_seconds).collect();
        assert_eq!(lines.len(), 37, "cut at {cut}");
    }
}

fn without_seconds(line: &str) -> String {
    line.split(",\"seconds\"").next().unwrap().to_owned()
}

#[test]
fn a_journal_of_another_sweep_is_refused_by_name_and_left_as_it_is() {
    let folder = Folder::new("other");
    let sweep = Sweep { journal: Some(folder.file()), about: about("iris"), ..six() };
    sweep.run(grid(), judge).unwrap();
    let bytes = fs::read(folder.file()).unwrap();
    let refused = |sweep: &Sweep, search: &mut dyn Search, words: &[&str]| {
        let text = sweep.run(search, judge).unwrap_err().to_string();
        assert!(text.contains("sweep.jsonl: is of a sweep with other settings: "), "{text}");
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
        assert_eq!(fs::read(folder.file()).unwrap(), bytes);
    };
    refused(&Sweep { seeds: vec![3], ..sweep.clone() }, &mut grid(), &["`seeds` is `[3,1]` there, `[3]` here"]);
    refused(&Sweep { folds: 2, ..sweep.clone() }, &mut grid(), &["`folds` is `3` there, `2` here"]);
    let other = Sweep { about: about("digits"), ..sweep.clone() };
    refused(&other, &mut grid(), &["`about.table` is `\"iris\"` there, `\"digits\"` here"]);
    let nothing = Sweep { about: serde_json::Map::new(), ..sweep.clone() };
    refused(&nothing, &mut grid(), &["`about.table` is `\"iris\"` there, absent here"]);
    let mut list = grid();
    list.settings[1].values.insert("x".into(), json!(0.25));
    refused(&sweep, &mut list, &["`search.settings[1].x` is `0.3` there, `0.25` here"]);
    let mut list = List { budget: 7, ..grid() };
    refused(&sweep, &mut list, &["`search.budget` is `1` there, `7` here"]);
    list.settings.pop();
    refused(&sweep, &mut list, &["`search.settings` is 6 of them there, 5 of them here"]);
    refused(&sweep, &mut Halving::new(grid(), 1, 9), &["`search.factor` is absent there, `3` here"]);
    // How it is run, and what ranks, may change.
    let other = Sweep { threads: 1, better: Better::Higher, score: Some("twice".into()), ..sweep };
    assert_eq!(other.run(grid(), judge).unwrap().best().unwrap().settings.to_string(), "word=a x=0.7");
}

fn about(table: &str) -> serde_json::Map<String, serde_json::Value> {
    [("table".to_owned(), json!(table))].into_iter().collect()
}

#[test]
fn what_is_no_journal_or_is_damaged_is_told_and_left_as_it_is() {
    let folder = Folder::new("damaged");
    let sweep = Sweep { journal: Some(folder.file()), ..Sweep::default() };
    sweep.run(grid(), judge).unwrap();
    let good = fs::read_to_string(folder.file()).unwrap();
    let lines: Vec<&str> = good.lines().collect();
    let with = |place: usize, line: &str| {
        let mut lines = lines.clone();
        lines[place] = line;
        (lines.join("\n") + "\n").into_bytes()
    };
    let cases: Vec<(Vec<u8>, &[&str])> = vec![
        (b"name,age\nAda,36\n".to_vec(), &["expected a journal of a sweep, found text that begins with `name,age`"]),
        (b"half a line of something".to_vec(), &["expected a journal of a sweep"]),
        (b"\n\n".to_vec(), &["expected a journal of a sweep"]),
        (b"PK\x03\x04 and\nmore\n".to_vec(), &["found a zip archive"]),
        (with(0, r#"{"nn_sweep":2,"what":"else"}"#), &["version 1 or older, found version 2"]),
        (with(0, r#"{"nn_sweep":"one"}"#), &["sweep.jsonl, line 1: is damaged"]),
        (with(2, "{\"settings\":{}"), &["sweep.jsonl, line 3: is damaged: EOF"]),
        (with(3, "\0\0\0"), &["line 4: is damaged"]),
        (with(1, r#"{"settings":{},"budget":-1,"seed":0,"fold":0}"#), &["line 2: is damaged", "-1"]),
        (with(1, r#"{"settings":{},"budget":1,"seed":0,"fold":0}"#), &["line 2: is damaged", "one of `numbers`"]),
        (with(1, r#"{"settings":{},"budget":1,"seed":0,"fold":0,"numbers":[]}"#), &["line 2: is damaged", "no number"]),
        (with(1, r#"{"settings":{},"x\u001b":1}"#), &["line 2: is damaged", "unknown field `x\\u{1b}`"]),
        ([good.as_bytes(), b"\xff\xfe\n"].concat(), &["line 8: is damaged: it is no UTF-8 text"]),
    ];
    for (bytes, words) in cases {
        fs::write(folder.file(), &bytes).unwrap();
        let text = sweep.run(grid(), judge).unwrap_err().to_string();
        assert!(words.iter().all(|word| text.contains(word)), "{words:?}: {text}");
        assert_eq!(fs::read(folder.file()).unwrap(), bytes);
    }
    let text = Sweep { journal: Some(folder.0.clone()), ..sweep }.run(grid(), judge).unwrap_err().to_string();
    assert!(text.contains("cannot be written: "), "{text}");
}

#[test]
fn a_journal_with_any_bytes_changed_is_read_or_told() {
    use rand::RngExt;
    let folder = Folder::new("mutated");
    let sweep = Sweep { journal: Some(folder.file()), threads: 1, ..Sweep::default() };
    let quick = |run: &Run<'_>| Ok(run.settings.number("x"));
    sweep.run(grid(), quick).unwrap();
    let good = fs::read(folder.file()).unwrap();
    let (mut rng, mut counts) = (crate::generator(0), [0; 2]);
    for _ in 0..400 {
        let mut bytes = good.clone();
        for _ in 0..rng.random_range(1..4) {
            let at = rng.random_range(0..bytes.len());
            let end = (at + rng.random_range(0..40)).min(bytes.len());
            match rng.random_range(0..5) {
                0 => bytes[at] = rng.random(),
                1 => bytes[at] = b"{}[]\",:0919e-\n"[rng.random_range(0..14)],
                2 => bytes.truncate(at.max(1)),
                3 if end - at < bytes.len() => drop(bytes.drain(at..end)),
                _ => {
                    let from = rng.random_range(0..good.len());
                    bytes.splice(at..end, good[from..].iter().copied().take(60));
                }
            }
        }
        fs::write(folder.file(), &bytes).unwrap();
        match sweep.run(grid(), quick) {
            Ok(outcome) => {
                counts[0] += 1;
                assert!(outcome.tried.len() == 6 && outcome.tried.iter().all(|tried| tried.runs.len() == 1));
            }
            Err(error) => {
                counts[1] += 1;
                let text = error.to_string();
                assert!(text.contains("sweep.jsonl") && !text.contains(char::is_control), "{text:?}");
                assert_eq!(fs::read(folder.file()).unwrap(), bytes);
            }
        }
    }
    assert!(counts.iter().all(|&count| count > 40), "{counts:?}");
}

#[test]
fn a_journal_is_of_one_sweep_at_a_time() {
    let folder = Folder::new("locked");
    let sweep = Sweep { journal: Some(folder.file()), ..Sweep::default() };
    let outcome = sweep.run(grid(), |_| Ok(sweep.run(grid(), judge).map(|_| 1.0)?)).unwrap();
    let text = outcome.to_string();
    assert!(text.contains("cannot be written: another sweep is writing to it"), "{text}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_journal_that_cannot_be_written_ends_the_sweep() {
    let sweep = Sweep { journal: Some("/dev/full".into()), ..Sweep::default() };
    let text = sweep.run(grid(), judge).unwrap_err().to_string();
    assert!(text.contains("/dev/full: cannot be written: it is no file"), "{text}");
}

#[test]
fn failed_runs_are_made_again_where_that_is_asked_for() {
    let folder = Folder::new("retry");
    let sweep = Sweep { journal: Some(folder.file()), ..six() };
    sweep.run(grid(), judge).unwrap();
    let (kept, made) = (sweep.run(grid(), |_| -> Result<f64, _> { panic!() }).unwrap(), AtomicUsize::new(0));
    assert_eq!(kept.failures().count(), 8);
    let mended = |_: &Run<'_>| {
        made.fetch_add(1, Ordering::Relaxed);
        Ok([("loss", 0.25), ("twice", 0.5)])
    };
    let outcome = Sweep { retry: true, ..sweep.clone() }.run(grid(), mended).unwrap();
    assert_eq!((outcome.failures().count(), made.load(Ordering::Relaxed)), (0, 8));
    assert_eq!(sweep.run(grid(), mended).unwrap(), outcome);
    assert_eq!(made.into_inner(), 8);
}

#[test]
fn it_stops_by_a_flag_and_goes_on_later() {
    let folder = Folder::new("stop");
    let flag = Arc::new(AtomicBool::new(false));
    let sweep = Sweep { journal: Some(folder.file()), stop: Some(flag.clone()), threads: 2, ..six() };
    let made = AtomicUsize::new(0);
    let stopped = sweep
        .run(grid(), |run| {
            if made.fetch_add(1, Ordering::Relaxed) == 7 {
                flag.store(true, Ordering::Relaxed);
                assert!(run.goes_on().is_break());
                return Ok([("loss", f64::NAN), ("twice", f64::NAN)]); // not a result
            }
            judge(run)
        })
        .unwrap();
    assert!(stopped.stopped && stopped.to_string().contains("stopped before all was done"), "{stopped}");
    let finished: usize = stopped.tried.iter().map(|tried| tried.runs.len()).sum();
    assert!((6..=9).contains(&finished), "{finished}");
    assert!(stopped.tried.last().unwrap().score.is_none());
    // Asked to stop from the start: what the journal has is told, and nothing is run.
    let told = sweep.run(grid(), |_| -> Result<f64, _> { panic!("nothing is to be run") }).unwrap();
    assert_eq!(told, stopped);
    flag.store(false, Ordering::Relaxed);
    assert_eq!(sweep.run(grid(), judge).unwrap(), six().run(grid(), judge).unwrap());
}

#[test]
fn who_is_told_of_each_run_may_stop_it() {
    let mut told = Vec::new();
    let sweep = Sweep { threads: 1, ..six() };
    let outcome = sweep
        .run_with(grid(), judge, |now| {
            told.push((now.done, now.asked, now.run.fold));
            if now.done == 4 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap();
    assert_eq!(told[..4], [(1, 36, 0), (2, 36, 1), (3, 36, 2), (4, 36, 0)]);
    assert!(outcome.stopped && told.len() < 8, "{told:?}");
    let all = sweep.run_with(grid(), judge, |now| assert!(now.seconds >= 0.0)).unwrap();
    assert!(!all.stopped);
}

#[test]
fn halving_promotes_the_best_share_and_is_resumed_in_the_middle_of_a_rung() {
    let folder = Folder::new("halving");
    let list = || Space::new().uniform("x", 0.0, 1.0).choice("word", ["a"]).sample(10, 4).unwrap();
    let halving = || Halving { factor: 2, ..Halving::new(list(), 2, 11) };
    let sweep = Sweep { journal: Some(folder.file()), seeds: vec![0, 2], ..Sweep::default() };
    let outcome = sweep.run(halving(), judge).unwrap();
    let rungs = |budget: u32| outcome.tried.iter().filter(|tried| tried.budget == budget).collect::<Vec<_>>();
    assert_eq!([2, 4, 8, 11].map(|budget| rungs(budget).len()), [10, 5, 3, 2]);
    for (budget, next) in [(2, 4), (4, 8), (8, 11)] {
        let worst = rungs(next).iter().map(|tried| (tried.settings.number("x") - 0.15).abs()).fold(0.0, f64::max);
        let better = rungs(budget).iter().filter(|tried| (tried.settings.number("x") - 0.15).abs() <= worst).count();
        assert_eq!(better, rungs(next).len());
    }
    assert_eq!(outcome.best().unwrap().budget, 11);
    assert!(outcome.to_string().lines().next().unwrap().contains("budget"));
    let text = fs::read_to_string(folder.file()).unwrap();
    for lines in [1, 12, 24, 33, 40] {
        let part: String = text.split_inclusive('\n').take(lines).collect();
        fs::write(folder.file(), part).unwrap();
        assert_eq!(Sweep { threads: 3, ..sweep.clone() }.run(halving(), judge).unwrap(), outcome);
    }
    // Asked to stop from the start, it tells what the journal has, over all rungs.
    let stop = Some(Arc::new(AtomicBool::new(true)));
    let told = Sweep { stop: stop.clone(), ..sweep.clone() }.run(halving(), judge).unwrap();
    assert_eq!(told, outcome);
    fs::write(folder.file(), text.split_inclusive('\n').take(24).collect::<String>()).unwrap();
    let told = Sweep { stop, ..sweep.clone() }.run(halving(), judge).unwrap();
    assert_eq!((told.tried.len(), told.stopped), (12, true), "{told}");
    assert!(format!("{told:.2}").contains("\nand 10 more\n\nbest: "), "{told:.2}");
    // Settings that fail are not promoted; one that is left alone goes to the end at once.
    let one = |run: &Run<'_>| if run.settings.number("x") < 0.2 { judge(run) } else { Err("too large".into()) };
    let few = Space::new().choice("x", [0.9, 0.1, 0.8, 0.7]).choice("word", ["a"]).grid().unwrap();
    let outcome = Sweep::default().run(Halving::new(few, 1, 81), one).unwrap();
    assert_eq!(outcome.tried.iter().map(|tried| tried.budget).collect::<Vec<_>>(), [1, 1, 1, 1, 81]);
    let none = Sweep::default().run(Halving::new(grid(), 1, 81), |_| -> Result<f64, _> { Err("no".into()) }).unwrap();
    assert_eq!((none.tried.len(), none.stopped), (6, false));
}

#[test]
fn random_settings_are_within_their_ranges_and_spread_over_them() {
    let space = Space::new()
        .uniform("u", -1.0, 3.0)
        .log_uniform("l", 1e-4, 1e-1)
        .integer("i", -1, 2)
        .with("w", Range::LogInteger { low: 1, high: 64 })
        .choice("c", [json!(null), json!([1, 2]), json!("x")]);
    let all = space.sample(400, 9).unwrap().settings;
    let share =
        |holds: &dyn Fn(&Settings) -> bool| all.iter().filter(|settings| holds(settings)).count() as f64 / 400.0;
    assert!(all.iter().all(|s| (-1.0..=3.0).contains(&s.number("u")) && (1e-4..=1e-1).contains(&s.number("l"))));
    assert!(all.iter().all(|s| (-1..=2).contains(&s.read::<i64>("i")) && (1..=64).contains(&s.count("w"))));
    let near = |share: f64, want: f64| assert!((share - want).abs() < 0.09, "{share} is not {want}");
    near(share(&|s| s.number("u") < 1.0), 0.5);
    near(share(&|s| s.number("l") < 1e-3), 1.0 / 3.0);
    near(share(&|s| s.read::<i64>("i") == 2), 0.25);
    near(share(&|s| s.count("w") < 8), 3.0 * 2.0_f64.ln() / 65.0_f64.ln());
    near(share(&|s| s.get("c") == Some(&json!([1, 2]))), 1.0 / 3.0);
    assert_ne!(space.sample(5, 1).unwrap(), space.sample(5, 2).unwrap());
    // The same numbers on every machine.
    let first = space.sample(1, 0).unwrap().settings[0].to_string();
    assert_eq!(first, "c=null i=2 l=0.0005141 u=0.002254 w=3");
}

#[test]
fn a_space_that_is_none_is_an_error_that_names_the_setting() {
    let wrong = |space: Space, words: &str| {
        for text in [space.sample(3, 0).err(), space.grid().err()].into_iter().flatten().map(|error| error.to_string())
        {
            assert!(text.contains(words), "{text}");
        }
        assert!(space.grid().is_err());
    };
    wrong(Space::new().uniform("a", 2.0, 1.0), "the setting `a` needs a range that grows not 2 to 1");
    wrong(Space::new().uniform("a", 0.0, f64::INFINITY), "`a` needs a range that grows not 0 to inf");
    wrong(
        Space::new().log_uniform("a\u{1b}", 0.0, 1.0),
        "`a\\u{1b}` needs a range that grows, from above 0, not 0 to 1",
    );
    wrong(Space::new().integer("a", 2, 1), "needs a range that grows not 2 to 1");
    wrong(Space::new().choice("a", [1]).choice("a", [2]), "the setting `a` stands twice");
    wrong(Space::new().choice::<f64>("a", []), "the setting `a` needs values to choose from");
    assert!(Space::new().uniform("a", 0.0, 1.0).grid().unwrap_err().to_string().contains("a grid needs choices"));
    let large = Space::new().integer("a", 1, 5000).integer("b", i64::MIN, i64::MAX);
    assert!(large.grid().unwrap_err().to_string().contains("`b` would make a grid of more than 1000000 settings"));
    for (json, words) in [
        (json!([1]), "expected an object of settings by name, found `[1]`"),
        (json!({"a": {"normal": [0, 1]}}), "the setting `a` needs one of `uniform`"),
        (json!({"a": {}}), "needs one of `uniform`"),
        (json!({"a": {"uniform": [0, 1], "choice": [1]}}), "needs one of `uniform`"),
        (json!({"a": {"uniform": [0, "1"]}}), "`a` needs two numbers for `uniform`, not `[0,\"1\"]`"),
        (json!({"a": {"log_uniform": 3}}), "needs two numbers for `log_uniform`, not `3`"),
        (json!({"a": {"integer": [1, 2.5]}}), "needs two whole numbers for `integer`"),
        (json!({"a": {"log_integer": [0, 2]}}), "needs a range that grows, from above 0, not 0 to 2"),
        (json!({"a": {"choice": 3}}), "needs a list for `choice`, not `3`"),
        (json!({"a": []}), "needs values to choose from"),
    ] {
        let text = Space::from_json(&json).unwrap_err().to_string();
        assert!(text.contains(words), "{text}");
    }
    let nothing = Sweep::default().run(List::new(Vec::new()), judge).unwrap_err().to_string();
    assert_eq!(nothing, "there are no settings to try");
}

fn iris() -> Dataset {
    let iris = Csv::new("species").parse("iris.csv", IRIS_CSV).unwrap();
    crate::data::Standardiser::fit(&iris).apply(&iris)
}

#[test]
fn fits_learners_and_recipes_are_runs_with_folds() {
    let data = iris();
    let sweep = Sweep { folds: 3, threads: 2, ..Sweep::default() };
    let list = || List {
        budget: 2,
        ..Space::new().choice("rate", [0.05]).choice("kind", ["fit", "learner", "recipe"]).grid().unwrap()
    };
    let judge = |run: &Run<'_>| -> Result<Scores, Failure> {
        let (train, test) = run.split(&data)?;
        assert_eq!((train.len(), test.len()), (100, 50));
        let net = || Mlp::new(&[4, 4, 3], Activation::Tanh, run.seed);
        let rule = Adam::new(run.settings.number("rate"));
        Ok(match run.settings.text("kind") {
            "fit" => {
                let fit = Fit { epochs: run.budget, ..Fit::default() };
                fit.by(&mut net(), &mut { rule }, &train, |net, b| b.loss(net.forward(b.features)), |_| run.goes_on())?
                    .into()
            }
            "learner" => {
                let mut learner = Learner::new(net(), rule, |net, b| b.loss(net.forward(b.features)));
                for epoch in 0..run.budget {
                    learner.epoch(&mut crate::data::Batcher::new(&train, 32, run.seed), epoch)?;
                }
                [("loss", learner.measure(&test.whole())?)].into()
            }
            _ => Recipe {
                candidates: vec![(vec![], Activation::Identity)],
                penalties: vec![0.1],
                max_iterations: 3,
                ..Recipe::default()
            }
            .fit(&train)?
            .into(),
        })
    };
    let outcome = sweep.run(list(), judge).unwrap();
    assert_eq!(outcome.failures().count(), 0, "{outcome}");
    assert!(outcome.tried.iter().all(|tried| tried.score.is_some_and(|loss| loss < 1.2)), "{outcome}");
    let one = Sweep { threads: 1, ..sweep }.run(list(), judge).unwrap();
    assert_eq!(one.to_json(), outcome.to_json());
}

#[test]
fn a_fit_that_takes_long_ends_where_it_is_asked_to() {
    let (data, flag) = (iris(), Arc::new(AtomicBool::new(false)));
    let sweep = Sweep { seeds: vec![0, 1, 2], threads: 2, stop: Some(flag.clone()), ..Sweep::default() };
    let fit = Fit { epochs: u32::MAX, patience: u32::MAX, ..Fit::default() };
    let outcome = sweep
        .run(List::new(vec![Settings::default()]), |run| {
            flag.fetch_or(run.seed == 1, Ordering::Relaxed);
            let (mut net, mut adam) = (Mlp::new(&[4, 3], Activation::Identity, 0), Adam::new(0.01));
            let loss =
                fit.by(&mut net, &mut adam, &data, |net, b| b.loss(net.forward(b.features)), |_| run.goes_on())?;
            Ok(Scores::from(loss))
        })
        .unwrap();
    assert!(outcome.stopped && outcome.tried.is_empty(), "{outcome}");
    assert!(outcome.to_string().starts_with("runs\n\nbest: none"), "{outcome}");
}

#[test]
fn folds_hold_each_row_out_once_and_are_those_of_the_seed() {
    let (data, settings) = (iris(), Settings::default());
    let of = |seed, fold| {
        let mut run = Run::new(&settings);
        (run.seed, run.fold, run.folds) = (seed, fold, 4);
        run.parts(crate::data::By::Rows(data.len())).unwrap()
    };
    let mut held: Vec<usize> = (0..4).flat_map(|fold| of(1, fold).held_out).collect();
    held.sort_unstable();
    assert_eq!(held, (0..150).collect::<Vec<_>>());
    assert_ne!(of(1, 0), of(2, 0));
    let (train, test) = Run::new(&settings).split(&data).unwrap();
    assert_eq!((train.len(), test.len()), (120, 30));
}
