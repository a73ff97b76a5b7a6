//! `nn sweep`.

mod vary;

use crate::cli::{ChoiceFlags, SweepFlags};
use crate::output::{notes, say};
use crate::progress::Bar;
use crate::score::ranked;
use crate::settings::{Settings, net};
use crate::train::{names_of, no_target, read};
use crate::{Failure, interrupt, output, run_folder};
use nn::data::{By, Goal, Lone, Preparing, Preprocess, Schema, Table, groups};
use nn::sweep::{Halving, List, Outcome, Run, Sweep, Tried};
use nn::train::Better;
use nn::{Dataset, Trial};
use serde_json::{Map, Value};
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::Path;

const JOURNAL: &str = "sweep.jsonl";
const TABLE: &str = "sweep.csv";
const RUNS: &str = "runs.csv";

/// With halving, the first rung has so many times fewer iterations than the last.
const RUNGS: u32 = 9;

pub(crate) fn sweep(flags: &SweepFlags) -> Result<(), Failure> {
    let choice = ChoiceFlags { seed: Some(flags.seed), ..ChoiceFlags::default() };
    let mut settings = Settings::of(&flags.table, &choice, &flags.reading)?;
    let space = vary::space(&flags.vary, flags.random.is_some())?;
    let list = match flags.random {
        Some(count) => space.sample(count, flags.seed)?,
        None => space.grid()?,
    };
    let Some(data) = settings.data.clone() else {
        return Err(Failure::misused("expected a table to learn from, found none", "`nn sweep TABLE --target NAME`"));
    };
    let folder = flags.out.clone().unwrap_or_else(|| run_folder::default(&data, "sweep"));
    if !folder.join(JOURNAL).exists() {
        run_folder::hold_free(&folder, &[TABLE, RUNS])?;
    }
    let (whole, schema) = read(&data, &mut settings)?;
    let (table, lost) = schema.with_targets(&whole)?;
    notes(&lost);
    let how = settings.recipe().preparing(&table, &schema, settings.preparing())?;
    // A word that only held-out rows have is no reason to measure nothing.
    let how = Preparing { unknown_words: true, ..how };
    run_folder::make(&folder)?;

    interrupt::gently();
    let outcome = run(flags, &settings, list, &Task { table: &table, schema: &schema, how }, &folder)?;
    leave(&folder, &outcome)?;
    tell(flags, &settings, &data, &outcome, &folder)
}

/// What is learnt from.
struct Task<'a> {
    table: &'a Table,
    schema: &'a Schema,
    how: Preparing,
}

fn run(flags: &SweepFlags, settings: &Settings, list: List, task: &Task, folder: &Path) -> Result<Outcome, Failure> {
    let all = Sweep {
        seeds: (0..u64::from(flags.seeds)).map(|seed| flags.seed.wrapping_add(seed)).collect(),
        folds: flags.folds as usize,
        threads: flags.threads as usize,
        better: Better::Higher,
        journal: Some(folder.join(JOURNAL)),
        about: about(settings),
        stop: Some(interrupt::flag()),
        ..Sweep::default()
    };
    let bar = Bar::new();
    let judge = |run: &Run| judged(run, settings, flags.halving, task).map_err(|error| error.to_string().into());
    let report = |now: nn::sweep::Finished| {
        bar.at(
            now.done as f64 / now.asked.max(1) as f64,
            format!("{} of {} runs: {}", now.done, now.asked, now.settings),
        );
        if interrupt::asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let outcome = if flags.halving {
        let most = settings.iterations as u32;
        all.run_with(Halving::new(list, most.div_ceil(RUNGS), most), judge, report)
    } else {
        all.run_with(list, judge, report)
    };
    bar.end();
    outcome.map_err(|error| {
        let mut failure = Failure::from(error);
        if failure.text.contains(" is of a sweep with other ") {
            "sweep into another folder, `--out FOLDER`, or say what was said before".clone_into(&mut failure.help);
        }
        failure
    })
}

/// All that decides a run and is no setting of it.
fn about(settings: &Settings) -> Map<String, Value> {
    let all = Settings { data: None, seed: 0, held_out: 0.0, ..settings.clone() };
    Map::from_iter([("command".to_owned(), Value::from(all.to_toml()))])
}

/// One run: trained on all folds but one, measured on that one.
fn judged(run: &Run, settings: &Settings, halving: bool, task: &Task) -> Result<Vec<(String, f64)>, nn::Error> {
    let Task { table, schema, how } = task;
    let parts = match &schema.target {
        Some(Goal::Classes(name)) => {
            let labels = table.column(name).map(groups).unwrap_or_default();
            run.parts(By::Classes { labels: &labels, names: &[], lone: Lone::Train })?
        }
        _ => run.parts(By::Rows(table.len()))?,
    };
    let (rows, held_out) = (table.select(&parts.train), table.select(&parts.held_out));
    let preprocess = Preprocess::fit(&rows, schema, *how)?;
    let (rows, held_out): (Dataset, Dataset) = (preprocess.examples(&rows)?, preprocess.examples(&held_out)?);

    let mut recipe = settings.recipe();
    recipe.seed = run.seed;
    let count = |name: &str| run.settings.get(name).and_then(Value::as_u64).map(|count| count as usize);
    recipe.nets = count("members").unwrap_or(recipe.nets);
    recipe.max_iterations = count("iterations").unwrap_or(recipe.max_iterations);
    if halving {
        recipe.max_iterations = run.budget as usize;
    }
    let said = run.settings.get("net").and_then(Value::as_str).and_then(|text| net(text).ok());
    if let Some(net) = said {
        recipe.candidates = vec![(net.hidden, net.activation)];
    }
    if let Some(penalty) = run.settings.get("penalty").and_then(Value::as_f64) {
        recipe.penalties = vec![penalty];
    }
    let mut watched = recipe.watched(|_| run.goes_on());
    let net = match (&recipe.candidates[..], &recipe.penalties[..]) {
        ([(hidden, activation)], &[penalty]) => {
            let trial = Trial { hidden: hidden.clone(), activation: *activation, penalty, loss: f64::NAN };
            watched.train(&trial, &rows)?
        }
        // What is not varied is chosen as `nn train` chooses it, by parts of these rows.
        _ => watched.fit(&rows)?.net,
    };
    let Some(output) = &preprocess.output else { return Err(no_target()) };
    Ok(ranked(&held_out, output, &net.predict(held_out.features())))
}

fn leave(folder: &Path, outcome: &Outcome) -> Result<(), Failure> {
    let (mut table, mut runs) = (Vec::new(), Vec::new());
    let written = outcome.write_csv(&mut table).and_then(|()| outcome.write_runs_csv(&mut runs));
    written.expect("a list of bytes takes what is written");
    run_folder::replace(&folder.join(TABLE), &table)?;
    run_folder::replace(&folder.join(RUNS), &runs)
}

fn tell(flags: &SweepFlags, settings: &Settings, data: &str, outcome: &Outcome, folder: &Path) -> Result<(), Failure> {
    if flags.json {
        output::write(|out| writeln!(out, "{}", outcome.to_json()))?;
    } else {
        output::write(|out| write!(out, "{outcome}"))?;
    }
    let shown = folder.display();
    if outcome.stopped {
        return Err(Failure::interrupted(
            format!("interrupted; the runs that were finished are kept in {shown}"),
            "the same command goes on from there",
        ));
    }
    let Some(best) = outcome.best() else {
        let first =
            outcome.failures().next().map_or("no run has a score".to_owned(), |(_, _, failed)| failed.to_string());
        return Err(Failure::new(
            format!("expected settings that can be trained, found none: {first}"),
            "look at the table, or try other settings with `--vary`",
        ));
    };
    say(format_args!("all runs are in {shown}; `{}` trains the best", command(settings, data, best)));
    Ok(())
}

/// The command that trains the best.
fn command(settings: &Settings, data: &str, best: &Tried) -> String {
    let quoted = |text: &str| {
        let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./,:".contains(c));
        if plain { text.to_owned() } else { format!("'{text}'") }
    };
    let mut words = vec!["nn train".to_owned(), quoted(data)];
    words.extend(settings.target.iter().map(|name| format!("--target {}", quoted(name))));
    words.extend(settings.ignore.iter().map(|name| format!("--ignore {}", quoted(name))));
    words.extend(settings.kinds.iter().map(|(name, kind)| format!("--as {}", quoted(&format!("{name}={kind}")))));
    for (name, value) in names_of(&best.settings) {
        words.push(format!("--{name} {}", quoted(&value)));
    }
    words.join(" ")
}
