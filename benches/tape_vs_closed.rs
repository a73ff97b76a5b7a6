//! The tape against the closed form by hand, side by side: forward and backward, and for nets a full step of SGD.
//!
//! `cargo bench --bench tape_vs_closed -- toy` runs one workload; `docs/PERFORMANCE.md` has the results.

mod closed;
mod contenders;

use closed::number::Number;
use contenders::problem::{HARDLY, LEARNING, Task, WORKLOADS};
use contenders::{Contender, contenders, disagreement};
use criterion::{Criterion, criterion_group, criterion_main};
use std::time::Duration;

/// What is timed, by name.
type Pass<T> = (&'static str, fn(&mut dyn Contender<T>) -> T);

fn workloads<T: Number>(criterion: &mut Criterion) {
    let passes: [Pass<T>; 2] = [("forward_backward", |c| c.loss_and_grads()), ("step", |c| c.step())];
    for workload in WORKLOADS {
        let passes = match workload.task {
            Task::Net(_) => &passes[..],
            Task::Elementwise(_) => &passes[..1],
        };
        for &(pass, run) in passes {
            let mut group = criterion.benchmark_group(format!("{}/{pass}/{}", workload.name, T::NAME));
            let samples = if workload.name == "large" { 10 } else { 30 };
            group
                .sample_size(samples)
                .warm_up_time(Duration::from_millis(300))
                .measurement_time(Duration::from_secs(1));
            for (name, mut contender) in contenders::<T>(workload, HARDLY) {
                group.bench_function(name, |bencher| bencher.iter(|| run(&mut *contender)));
            }
            group.finish();
        }
    }
}

/// A contender that computes something else would be fast for nothing.
fn agreement<T: Number>(_: &mut Criterion) {
    for workload in WORKLOADS {
        let mut all = contenders::<T>(workload, LEARNING).into_iter();
        let (_, mut base) = all.next().expect("the base is the first contender");
        let (_, mut eager) = all.next().expect("the tape is the second");
        assert!(disagreement(&mut *base, &mut *eager) < 1e-3, "the contenders disagree on {}", workload.name);
    }
}

criterion_group!(benches, agreement::<f32>, agreement::<f64>, workloads::<f32>, workloads::<f64>);
criterion_main!(benches);
