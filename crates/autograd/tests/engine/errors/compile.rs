//! What rustc says of the mistakes that it finds: in the words of this crate where a crate can choose them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Programs, and what the first error of each must say; nothing where it compiles.
const PROGRAMS: &[(&str, &[&str])] = &[
    // A structure of parameters.
    (
        "struct Net<V> { w: V } let net = Net { w: Tensor::<f64>::zeros([2]) }; Tape::new().vars(&net);",
        &["Net<autograd::Tensor>` is no tree", "write `tree! { struct Net<V>", "`tree!(Net { w, b });` below it"],
    ),
    (
        "struct Net<V> { w: V } let net = Net { w: Tensor::<f64>::zeros([2]) };
         Tape::new().value_and_grad(&net, |_, net| net.w);",
        &["Net<autograd::Tensor>` is no tree", "tree!"],
    ),
    (
        "struct Net<V> { w: V } let net = Net { w: Tensor::<f64>::zeros([2]) };
         Program::record(&net, &(), |_, net, ()| (vec![net.w], vec![]));",
        &["Net<autograd::Tensor>` is no tree", "tree!"],
    ),
    (
        "struct Net<V> { w: V, rate: f64 } tree!(Net { w, rate });",
        &["`f64` is no tree", "tree!(Net { w, b, ..rate });`"],
    ),
    ("struct Net<V> { w: V, layers: usize } tree!(Net { w, layers });", &["`usize` is no tree", "..rate"]),
    ("struct Net<V> { w: V, layers: usize } tree!(Net { w, ..layers });", &[]),
    // Inputs of a program.
    (
        "struct Net<V> { w: V } let net = Net { w: Tensor::<f64>::zeros([2]) };
         Program::record(&[] as &[Tensor; 0], &net, |_, _, net| (vec![], vec![net.w]));",
        &["Net<autograd::Tensor>` is no input of a program of `f64`", "declared with `tree!`"],
    ),
    (
        "tree! { struct Net<V> { w: V } } let net = Net { w: Tensor::<f64>::zeros([2]) };
         Program::record(&(), &net, |_, (), net| (vec![], vec![net.w]));",
        &[],
    ),
    (
        "Program::record(&[] as &[Tensor; 0], &[1.0, 2.0], |_, _, x| (vec![], vec![x]));",
        &["is no tree of tensors", "`Tensor::from([1.0, 2.0])`"],
    ),
    (
        "Program::record(&[] as &[Tensor; 0], &3, |_, _, n| (vec![], vec![]));",
        &["is no input of a program of `f64`", "a number of type `f64`"],
    ),
    (
        "let w = Tensor::from([1.0, 2.0]);
         Program::record(&w, &(&w, 0.25_f64), |_, w, (x, r)| (vec![w - x * r], vec![])).unwrap();",
        &[],
    ),
    // Operands.
    (
        "let y = Tape::new().scalar(1.0) * Tensor::from([1.0]);",
        &["cannot stand beside a variable of `f64`", "tape.var(&x)"],
    ),
    ("let y = Tape::new().scalar(1.0) * 2;", &["cannot stand beside a variable of `f64`", "n as f64"]),
    ("let y = Tensor::from([1.0]) * 2_usize;", &["cannot stand beside a tensor of", "n as f64"]),
    // Labels.
    (
        "let x = Tape::new().var(&Tensor::<f64>::zeros([2, 3])).cross_entropy(&vec![0.0_f32, 1.0]);",
        &["`[f32]` is no list of labels", "`usize`", "tape.indices"],
    ),
    (
        "let x = Tape::new().var(&Tensor::<f64>::zeros([2, 3])).cross_entropy(&[true, false]);",
        &["`[bool]` is no list of labels", "`usize`", "to_index"],
    ),
    // Parts of dimensions.
    (
        "let x = Tape::new().var(&Tensor::<f64>::zeros([2, 3])); let y = x.slice(1);",
        &["is no part of dimensions", "a range of `usize`", "index_axis"],
    ),
    (
        "let x = Tape::new().var(&Tensor::<f64>::zeros([2, 3])); let y = x.slice((.., 1));",
        &["Slice: From<{integer}>` is not satisfied", "RangeTo<usize>"],
    ),
    // Axes and shapes of all kinds.
    (
        "let (tape, axis) = (Tape::new(), 1_usize); let x = tape.var(&Tensor::<f64>::zeros((2, 3)));
         let y = x.sum_axes(axis) + x.sum_axes(1) + x.mean_axes(-1_isize) + x.max_axes(&[1]) + x.norm(2.0, vec![1]);
         let z = Tensor::<f64>::zeros(&[2, 3]).reshape(6).reshape(&vec![3, 2]).reshape((1, 2, 3));
         let s = x.sum_axes(keepdims([0, -1])).reshape(());",
        &[],
    ),
];

/// The library as the tests have it: the newest beside this executable.
fn library(folder: &Path) -> PathBuf {
    let is_library = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("libautograd-") && name.ends_with(".rlib")
    };
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(is_library);
    files.max_by_key(|path| path.metadata().unwrap().modified().unwrap()).unwrap()
}

/// What rustc says of the body of a function.
fn compiled(body: &str) -> String {
    let executable = std::env::current_exe().unwrap();
    let folder = executable.parent().unwrap();
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut child = Command::new(rustc)
        .args(["--edition", "2024", "--crate-type", "lib", "--crate-name", "program", "--emit", "metadata"])
        // A folder of its own: rustc renames its output into place, so a device as output is replaced by a file.
        .args(["--out-dir", env!("CARGO_TARGET_TMPDIR")])
        .arg("--extern")
        .arg(format!("autograd={}", library(folder).display()))
        .arg("-L")
        .arg(format!("dependency={}", folder.display()))
        .args(["--cap-lints", "allow", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let source = format!("use autograd::*;\npub fn program() {{\n{body}\n}}\n");
    child.stdin.take().unwrap().write_all(source.as_bytes()).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap()
}

#[test]
fn what_rustc_refuses_is_said_in_words_that_help() {
    for (program, words) in PROGRAMS {
        let said = compiled(program);
        if words.is_empty() {
            assert!(said.is_empty(), "{program}\n{said}");
        }
        let first = said.split("\n\n").next().unwrap();
        for word in *words {
            assert!(first.contains(word), "no «{word}» of\n{program}\nin\n{first}");
        }
    }
}
