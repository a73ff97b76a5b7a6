//! The environment variable that chooses an instruction set, in processes of its own.

use autograd::{Float, Tape, Tensor, Var, grad};
use std::process::Command;

/// What a test prints in a process of its own, or what it dies of.
fn at_level(level: &str, test: &str) -> Result<String, String> {
    let this = std::env::current_exe().unwrap();
    let run = Command::new(this).args(["--exact", test, "--nocapture"]).env("AUTOGRAD_LEVEL", level).output().unwrap();
    let [out, err] = [run.stdout, run.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    if run.status.success() { Ok(out) } else { Err(out + &err) }
}

/// The levels of this CPU.
fn levels() -> Vec<String> {
    let text = at_level("no-such-set", "sums::levels::what_is_computed").unwrap_err();
    let list = text.lines().find_map(|line| line.split_once("possible here: ")).unwrap().1;
    list.split(", ").map(str::to_owned).collect()
}

fn numbers<T: Float>(tape: &Tape<T>, shape: [usize; 2]) -> Var<'_, T> {
    tape.var(&Tensor::from_fn(shape, |i| T::of(((i * 7919) % 2003) as f64 * 1e-3 - 1.0)))
}

/// Values that do not depend on the level.
fn values<T: Float>() -> String {
    let tape = Tape::<T>::default();
    let x = numbers(&tape, [1100, 37]);
    let b = numbers(&tape, [1, 37]);
    let bias = grad((x + b).square().sum(), &b);
    let same = [
        x.sum(),
        x.sum_axes(0),
        x.sum_axes(1),
        x.norm(2.0, 0),
        x.norm(2.0, ..),
        x.std(1, 0),
        x.cumsum(0),
        x.tanh().sum_axes(0),
        x.sigmoid().mean(),
        x.exp().sum_axes(0),
        bias,
    ];
    let bits = |y: &Var<'_, T>| {
        let bits: Vec<String> = y.value().as_slice().iter().map(|x| format!("{:x}", x.to_f64().to_bits())).collect();
        bits.join(" ")
    };
    let lines = same.iter().enumerate().map(|(i, y)| format!("{} {i}: {}\n", T::NAME, bits(y)));
    lines.collect::<Vec<String>>().concat()
}

/// Run alone it computes at the level of the environment; the others read what it prints.
#[test]
#[allow(clippy::print_stdout, reason = "another process reads it")]
fn what_is_computed() {
    let text = values::<f32>() + &values::<f64>();
    assert_eq!(text.lines().count(), 22);
    println!("\n{text}");
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.contains(": ") && (line.contains("f32 ") || line.contains("f64 "))).collect()
}

#[test]
fn sums_and_our_own_functions_have_the_same_bits_at_every_level() {
    let levels = levels();
    assert_eq!(levels[0], "baseline");
    let baseline = at_level("baseline", "sums::levels::what_is_computed").unwrap();
    assert_eq!(lines(&baseline).len(), 22, "{baseline}");
    for level in &levels {
        let text = at_level(level, "sums::levels::what_is_computed").unwrap();
        assert_eq!(lines(&text), lines(&baseline), "{level}");
    }
}

#[test]
fn a_level_that_there_is_not_is_refused_by_name() {
    for (level, problem) in
        [("sse9", "names no instruction set"), ("avx512", "is an instruction set that this CPU has not")]
    {
        if levels().iter().any(|known| known == level) {
            continue;
        }
        let text = at_level(level, "sums::levels::what_is_computed").unwrap_err();
        let message = format!("AUTOGRAD_LEVEL: {level} {problem}; possible here: {}", levels().join(", "));
        assert!(text.contains(&message), "{text}");
    }
}
