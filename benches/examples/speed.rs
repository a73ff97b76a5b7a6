//! Prints how many times the closed form's time each contender takes, from interleaved runs in one process:
//! `cargo run --release --example speed -- --filter toy`.

#[path = "../clock.rs"]
mod clock;
#[path = "../closed/mod.rs"]
mod closed;
#[path = "../contenders/mod.rs"]
mod contenders;

use clap::{Parser, ValueEnum};
use clock::{Clock, median};
use closed::number::Number;
use contenders::problem::{HARDLY, LEARNING, WORKLOADS, Workload};
use contenders::{BASE, Contender, contenders, disagreement};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Ratios of times against the closed form written by hand, one line each: workload, type, who, median ratio. For a
/// variant of the toy network also that of its closed form against toy's own.
#[derive(Parser)]
struct Options {
    #[arg(long, default_value = "", help = filter_help())]
    filter: String,
    /// What is timed.
    #[arg(long, value_enum, default_value_t = Pass::Step)]
    pass: Pass,
    /// Seconds for each workload and type.
    #[arg(long, default_value_t = 3.5)]
    seconds: f64,
    /// Print the median time of each contender too.
    #[arg(long)]
    times: bool,
}

fn filter_help() -> String {
    format!("Only workloads whose name contains this: {}", WORKLOADS.map(|workload| workload.name).join(", "))
}

/// What a run of a contender is.
#[derive(Clone, Copy, ValueEnum)]
enum Pass {
    /// Forward, backward, and where there are parameters, their update.
    Step,
    /// Forward and backward.
    ForwardBackward,
}

/// The shortest batch.
const SHORTEST: Duration = Duration::from_micros(200);

/// Rounds are many for small nets; the large one makes do with a few.
const ROUNDS: std::ops::RangeInclusive<usize> = 5..=2001;

fn main() {
    let options = Options::parse();
    for workload in WORKLOADS.into_iter().filter(|workload| workload.name.contains(&options.filter)) {
        compare::<f32>(workload, &options);
        compare::<f64>(workload, &options);
    }
}

/// A contender that is timed.
struct Runner {
    name: &'static str,
    clock: Clock<Box<dyn FnMut()>>,
}

impl Runner {
    fn new<T: Number>((name, mut contender): (&'static str, Box<dyn Contender<T>>), pass: Pass) -> Self {
        let run: Box<dyn FnMut()> = match pass {
            Pass::Step => Box::new(move || _ = black_box(contender.step())),
            Pass::ForwardBackward => Box::new(move || _ = black_box(contender.loss_and_grads())),
        };
        Self { name, clock: Clock::new(run, SHORTEST) }
    }
}

/// Times all contenders in turn, round after round, so that what disturbs the machine disturbs them alike; and with those
/// of a variant the closed form of what it is a variant of.
fn compare<T: Number>(workload: Workload, options: &Options) {
    agree::<T>(workload);
    let mut runners: Vec<Runner> =
        contenders::<T>(workload, HARDLY).into_iter().map(|contender| Runner::new(contender, options.pass)).collect();
    let count = runners.len();
    runners.extend(origin(workload).map(|origin| {
        let (_, closed) = contenders::<T>(origin, HARDLY).swap_remove(0);
        Runner::new((origin.name, closed), options.pass)
    }));
    let start = Instant::now();
    for round in 0..*ROUNDS.end() {
        if round >= *ROUNDS.start() && start.elapsed().as_secs_f64() > options.seconds {
            break;
        }
        for runner in &mut runners {
            runner.clock.round();
        }
    }
    let report = |runner: &Runner, base: &Runner| {
        let ratio = median(runner.clock.times.iter().zip(&base.clock.times).map(|(time, base)| time / base));
        println!("speed {} {} {}/{} {ratio:.2}", workload.name, T::NAME, runner.name, base.name);
    };
    let (of_workload, origins) = runners.split_at(count);
    let (base, others) = of_workload.split_first().expect("the base is the first contender");
    for other in others {
        report(other, base);
    }
    for origin in origins {
        report(base, origin);
    }
    if options.times {
        for Runner { name, clock } in &runners {
            println!("time {} {} {name} {:.0} ns", workload.name, T::NAME, clock.median() * 1e9);
        }
    }
}

/// The workload that this one is a variant of, by its name: `toy` of `toy-l2`.
fn origin(workload: Workload) -> Option<Workload> {
    let (origin, _) = workload.name.split_once('-')?;
    WORKLOADS.into_iter().find(|workload| workload.name == origin)
}

/// Refuses to time a contender that computes something else.
fn agree<T: Number>(workload: Workload) {
    let mut all = contenders::<T>(workload, LEARNING).into_iter();
    let (_, mut base) = all.next().expect("the base is the first contender");
    for (name, mut other) in all {
        let apart = disagreement(&mut *base, &mut *other);
        assert!(apart < 1e-3, "{name} and {BASE} disagree on {}: {apart:e}", workload.name);
        (_, base) = contenders(workload, LEARNING).swap_remove(0);
    }
}
