//! Options, sizes, axes and indices drawn from absurd numbers: every operation that has some gives a value or an error by
//! name. The process has little address space, so that whatever is large is refused. `AUTOGRAD_ABSURD_CASES` says how many
//! calls are tried, `AUTOGRAD_ABSURD_SEED` with which.

use super::memory::{USUAL, with_memory};
use crate::outcome::{Outcome, outcome};
use autograd::{
    Conv, CrossEntropyOptions, Order, Padding, Pool, Program, ProgramErrorKind, Shape, Slice, Tape, Tensor, Transposed,
    Var, concat, einsum, grad, jacobian, jvp, keepdims, stack,
};
use draw::Draw;

mod draw;
mod arrays;
mod losses;

/// One call, and the variable that its derivative is asked for.
#[expect(clippy::too_many_lines, reason = "a table")]
fn call<'t>(d: &mut Draw<'t>, x: Var<'t>) -> Option<Var<'t>> {
    let (tape, rank) = (d.tape, x.rank());
    Some(match d.below(60) {
        0 => tape.var(&Tensor::new(d.sizes(), vec![1.0; d.below(3)])),
        1 => tape.var(&Tensor::zeros(d.sizes())),
        2 => tape.var(&Tensor::full(d.sizes(), 2.0)),
        3 => tape.var(&Tensor::eye(d.size())),
        4 => tape.var(&Tensor::from_fn(d.sizes(), |i| i as f64)),
        5 => tape.var(&Tensor::from([1.0, 2.0]).reshape(d.sizes())),
        6 => tape.full(d.sizes(), 3.0),
        7 => {
            let index = tape.indices(d.sizes(), &[1, 0][..d.below(3)]);
            return if index.shape() == Shape::scalar() { None } else { Some(tape.scalar(index.value().len() as f64)) };
        }
        8 => x.reshape(d.sizes()),
        9 => x.expand_dims(d.step()),
        10 => x.squeeze(d.axis(rank)),
        11 => x.broadcast_to([&d.sizes()[..], &x.shape()].concat()),
        12 => x.broadcast_to(d.sizes()),
        13 => x.sum_to(d.sizes()),
        14 => {
            let axes: Vec<isize> = (0..rank).map(|_| d.axis(rank)).collect();
            x.transpose(&axes)
        }
        15 => {
            let one = |d: &mut Draw<'t>| Slice {
                start: d.flag().then(|| d.step()),
                stop: d.flag().then(|| d.step()),
                step: d.step(),
            };
            let slices: Vec<Slice> = (0..d.below(rank + 2)).map(|_| one(d)).collect();
            x.slice(&slices)
        }
        16 => x.narrow(d.axis(rank), d.size(), d.size()),
        17 | 18 => {
            let pads: Vec<(usize, usize)> = (0..d.below(rank + 2)).map(|_| (d.size(), d.size())).collect();
            x.pad(&pads, if d.flag() { 0.0 } else { 7.0 })
        }
        19 => x.flip(&d.axes(rank)),
        20 => x.roll(&[d.step()], &[d.axis(rank)]),
        21 => {
            let parts = x.split(&d.sizes(), d.axis(rank));
            *parts.first()?
        }
        22 => x.tril(d.step()),
        23 => x.triu(d.step()),
        24 => x.diagonal(d.axis(rank), d.axis(rank)),
        25 => concat(&[x, d.of_rank(rank), x], d.axis(rank)),
        26 => stack(&[x, x], d.axis(rank + 1)),
        27 => {
            let sizes = d.sizes();
            let list: Vec<i64> = if d.flag() { vec![0; 2] } else { vec![d.step() as i64; d.below(3)] };
            x.gather(d.axis(rank), &tape.indices(if d.flag() { vec![list.len()] } else { sizes }, &list))
        }
        28 => x.take_along_axis(d.axis(rank), &tape.indices(d.sizes(), &[0][..d.below(2)])),
        29 => x.index_select(d.axis(rank), &vec![d.size(); d.below(3)]),
        30 => x.embedding(&vec![d.size(); d.below(3)]),
        31 => {
            let source = d.of_rank(rank);
            x.index_add(d.axis(rank), &vec![d.size(); d.below(3)], source)
        }
        32 => {
            let source = d.of_rank(rank);
            x.scatter_add(d.axis(rank), &tape.indices(source.shape(), &vec![d.step() as i64; source.numel()]), source)
        }
        33 => x.sum_axes(&d.axes(rank)[..]),
        34 => x.mean_axes(&d.axes(rank)[..]),
        35 => x.max_axes(keepdims(&d.axes(rank)[..])),
        36 => x.prod_axes(&d.axes(rank)[..]),
        37 => x.logsumexp(&d.axes(rank)[..]),
        38 => x.norm([2.0, 1.0, 3.0, f64::INFINITY][d.below(4)], &d.axes(rank)[..]),
        39 => x.var(d.size(), &d.axes(rank)[..]),
        40 => x.std(d.size(), &d.axes(rank)[..]),
        41 => x.layer_norm(d.size(), None, None, 1e-5),
        42 => x.softmax(d.axis(rank)) + x.log_softmax(d.axis(rank)),
        43 => x.cumsum(d.axis(rank)) + x.cumprod(d.axis(rank)),
        44 => x.sort(d.axis(rank), [Order::Ascending, Order::Descending][usize::from(d.flag())]),
        45 => x.topk(d.size(), d.axis(rank), [Order::Ascending, Order::Descending][usize::from(d.flag())]).0,
        46 => tape.scalar(x.argmax(d.axis(rank)).value().len() as f64),
        47 => {
            let (x, kernel) = (d.of_rank(3), d.of_rank(3));
            let option = |d: &mut Draw<'t>| [if d.flag() { 1 } else { d.size() }];
            let conv = Conv { stride: option(d), padding: option(d), dilation: option(d), groups: 1 };
            x.conv1d(kernel, None, conv)
        }
        48 | 49 => {
            let (x, kernel) = (d.of_rank(4), d.of_rank(4));
            let option = |d: &mut Draw<'t>| if d.flag() { [1, 1] } else { d.pair() };
            let groups = if d.flag() { 1 } else { d.size() };
            let conv = Conv { stride: option(d), padding: option(d), dilation: option(d), groups };
            x.conv2d(kernel, None, conv)
        }
        50 | 51 => {
            let x = d.of_rank(4);
            let kernel = d.pair();
            let padding = [if d.flag() { 0 } else { kernel[0] / 2 }, if d.flag() { d.size() } else { kernel[1] / 2 }];
            let pool = Pool { kernel, stride: if d.flag() { [1, 1] } else { d.pair() }, padding };
            if d.flag() {
                x.max_pool2d(pool)
            } else {
                x.avg_pool2d(pool, [Padding::IsLeftOut, Padding::Counts][usize::from(d.flag())])
            }
        }
        52 => {
            let other = d.var();
            if d.flag() {
                x.matmul(other)
            } else {
                x.matmul_with(other, Transposed { left: d.flag(), right: d.flag() })
            }
        }
        53 => {
            let other = d.of_rank(2);
            let equation = ["ij,kj->ik", "ij,kl->ijkl", "ji,kj->ki", "ij,ij->", "ij,ij->ji"][d.below(5)];
            einsum(equation, &[d.of_rank(2), other])
        }
        54 => x.repeat(d.size(), d.axis(rank)),
        55 => x.tile(&d.sizes()),
        56 => x.index_axis(d.axis(rank), d.step()) + *x.unstack(d.axis(rank)).first()?,
        57 => {
            let number = d.number();
            x.celu(number)
                + x.softshrink(d.number())
                + x.hardshrink(d.number())
                + x.threshold(d.number(), number)
                + x.pow_of(number)
                + x.hardtanh(number, d.number())
        }
        58 => {
            let scores = d.of_rank(2);
            let rows = scores.shape()[0];
            if rows > 100 {
                return None;
            }
            let options = CrossEntropyOptions {
                ignore_index: d.flag().then(|| d.step() as i64),
                label_smoothing: if d.flag() { 0.0 } else { 0.5 },
                ..CrossEntropyOptions::default()
            };
            scores.cross_entropy_opts(&vec![d.size(); rows], &options)
        }
        _ => {
            let other = d.var();
            if d.flag() { x + other } else { jacobian(x * 2.0, x) }
        }
    })
}

/// Whether a file is this one or one beside it.
fn is_here(file: &str) -> bool {
    file.starts_with(file!().trim_end_matches(".rs"))
}

/// Whether a panic is `operation: reason, at FILE:LINE:COLUMN` with a line of these files.
fn is_by_name(text: &str) -> bool {
    let place = text.rsplit(", at ").next().unwrap_or_default();
    is_here(place) && text.split(':').next().is_some_and(|op| !op.is_empty() && !op.contains(' '))
}

/// The variable that a call begins with, the call's value and its derivatives in both modes; nothing where it has none.
fn made<'t>(tape: &'t Tape, seed: u64, given: Option<Var<'t>>) -> Vec<Var<'t>> {
    let mut draw = Draw::new(tape, seed);
    let drawn = draw.var();
    let x = given.unwrap_or(drawn);
    let value = match draw.below(3) {
        0 => call(&mut draw, x),
        1 => arrays::call(&mut draw, x),
        _ => Some(losses::call(&mut draw, x)),
    };
    match value {
        Some(y) => vec![x, y, grad(y.sum(), &x), jvp(y, &x, &x)],
        None => vec![],
    }
}

/// Shapes, and a number that depends on all bits; each NaN is the same.
fn told(values: &[Tensor]) -> String {
    let bits = |x: &f64| if x.is_nan() { 1 } else { x.to_bits() };
    let mix = |hash: u64, x: &f64| (hash ^ bits(x)).wrapping_mul(0x100_0000_01b3).rotate_left(23);
    let one = |value: &Tensor| format!("{} {:x}", value.shape(), value.as_slice().iter().fold(0, mix));
    values.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// A value or an error by name, of a call, its derivatives and their values; and the same bits from a program.
fn tried(seed: u64) -> Result<bool, String> {
    let tape = Tape::new();
    let mut x = Tensor::scalar(0.0);
    let found = outcome(|| {
        let vars = made(&tape, seed, None);
        let values = tape.values(&vars);
        x = values.first().cloned().unwrap_or(Tensor::scalar(0.0));
        told(values.get(1..).unwrap_or_default())
    });
    let case = format!("AUTOGRAD_ABSURD_SEED={seed} AUTOGRAD_ABSURD_CASES=1");
    match &found {
        Outcome::Value(value) if value.is_empty() => return Ok(true),
        Outcome::Value(_) => {}
        Outcome::Panic { text, file, .. } if is_here(file) && is_by_name(text) => return Ok(false),
        Outcome::Panic { .. } => return Err(format!("{case}: {found:?}")),
    }
    let mut refused = false;
    let again = outcome(|| {
        let program = Program::record(&[] as &[Tensor; 0], &&x, |tape, _, x| (vec![], made(tape, seed, Some(x))));
        // Some calls read a value, which a program refuses, and it may need more memory at once.
        let run = program.and_then(|mut program| {
            let outputs = program.run(&&x)?;
            Ok(told(&(1..4).map(|i| outputs.tensor(i)).collect::<Vec<_>>()))
        });
        run.unwrap_or_else(|error| {
            refused = matches!(error.kind(), ProgramErrorKind::Read { .. } | ProgramErrorKind::Memory { .. });
            error.to_string()
        })
    });
    if refused || again == found { Ok(true) } else { Err(format!("{case}: a program gives {again:?}, not {found:?}")) }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

#[test]
#[cfg(target_os = "linux")]
fn absurd_options_give_a_value_also_in_a_program_or_an_error_by_name() {
    with_memory(USUAL, "sizes::absurd::absurd_options_give_a_value_also_in_a_program_or_an_error_by_name", 600, || {
        let (first, cases) = (number("AUTOGRAD_ABSURD_SEED", 0), number("AUTOGRAD_ABSURD_CASES", 9000));
        let (mut values, mut wrong) = (0, Vec::new());
        for seed in first..first + cases {
            match tried(seed) {
                Ok(is_value) => values += u64::from(is_value),
                Err(text) => wrong.push(text),
            }
        }
        assert!(wrong.is_empty(), "{} of {cases}:\n{}", wrong.len(), wrong.join("\n"));
        // Some of both, or the draw tells nothing.
        assert!(cases < 1000 || (values > cases / 10 && values < cases * 9 / 10), "{values} of {cases} have a value");
    });
}

/// A new operation is drawn as soon as there is one.
#[test]
fn every_function_of_options_axes_or_operands_is_drawn() {
    let drawn =
        [include_str!("absurd.rs"), include_str!("absurd/arrays.rs"), include_str!("absurd/losses.rs")].concat();
    let mut missing = Vec::new();
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/ops")).unwrap() {
        let source = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let public = source.split("#[cfg(test)]\nmod tests").next().unwrap();
        for signature in public.split("pub fn ").skip(1) {
            let name: String = signature.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let operands = signature.split_once('(').unwrap().1.split(')').next().unwrap();
            let more = operands.split(',').map(str::trim).any(|operand| !["", "self", "&self"].contains(&operand));
            if more && !name.starts_with("try_") && !drawn.contains(&format!("{name}(")) {
                missing.push(name);
            }
        }
    }
    assert!(missing.is_empty(), "no draw of {missing:?}");
}
