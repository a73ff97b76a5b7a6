//! Memory that cannot be had: the error names the operation and the line that recorded it, and the tape goes on. The sizes
//! fit a buffer, so each test runs in a process of its own, which has little address space.
#![cfg(target_os = "linux")]

use crate::outcome::{Outcome, outcome};
use autograd::{Conv, Order, Padding, Pool, Program, ProgramErrorKind, Programs, Slice, Tape, Tensor};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const CHILD: &str = "AUTOGRAD_TEST_CHILD";
/// 3 GB, in the unit of `ulimit -v`.
pub(crate) const USUAL: usize = 3_000_000;
/// A third of it.
const SMALL: usize = 1_000_000;

/// Does something in a process with so many kilobytes of address space: the test of this name, in this program.
pub(crate) fn with_memory(kilobytes: usize, test: &str, seconds: u64, f: impl FnOnce()) {
    if std::env::var_os(CHILD).is_some() {
        return f();
    }
    let script = format!("ulimit -v {kilobytes}; exec \"$0\" --exact \"$1\" --nocapture --test-threads=1");
    let mut child = Command::new("sh")
        .args(["-c", &script])
        .arg(std::env::current_exe().unwrap())
        .arg(test)
        .env(CHILD, "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while child.try_wait().unwrap().is_none() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    let late = child.try_wait().unwrap().is_none();
    if late {
        child.kill().unwrap();
    }
    let output = child.wait_with_output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!late, "{test} did not end in {seconds} s: {text}");
    assert!(output.status.success() && text.contains("1 passed"), "{test}: {:?} {text}", output.status);
}

/// That a call lacks memory for a value of this operation, which line `recorded` (or the call itself) recorded.
fn lacks(op: &str, recorded: Option<u32>, call: impl FnOnce() -> String) {
    let found = outcome(call);
    assert_eq!(found.error_of(), Some(op), "{found:?}");
    let Outcome::Panic { text, file, line } = found else { unreachable!("it was an error") };
    assert!(text.contains("bytes of memory cannot be had"), "{text}");
    assert!(file == file!() && text.contains(&format!(", at {file}:{}:", recorded.unwrap_or(line))), "{line}: {text}");
}

#[test]
fn tensors_that_do_not_fit_the_memory_are_errors_at_the_callers_line() {
    with_memory(USUAL, "sizes::memory::tensors_that_do_not_fit_the_memory_are_errors_at_the_callers_line", 60, || {
        const N: usize = 1 << 29;
        lacks("zeros", None, || Tensor::<f64>::zeros([N]).shape().to_string());
        lacks("full", None, || Tensor::full([N], 0.5).shape().to_string());
        lacks("ones", None, || Tensor::<f32>::ones([2 * N]).shape().to_string());
        lacks("eye", None, || Tensor::<f64>::eye(1 << 15).shape().to_string());
        lacks("from_fn", None, || Tensor::from_fn([N], |i| i as f64).shape().to_string());
        assert!(Tensor::try_from_fn([N], |i| i as f64).is_err());
        // Half of the memory, whose pages nobody touches.
        let mut half = Tensor::<f64>::zeros([200_000_000]);
        let shared = half.clone();
        lacks("to_vec", None, || format!("{}", half.to_vec().len()));
        lacks("map", None, || half.map(|x| x + 1.0).shape().to_string());
        lacks("cast", None, || half.cast::<f64>().shape().to_string());
        lacks("as_mut_slice", None, || format!("{}", half.as_mut_slice().len()));
        drop(shared);
        assert_eq!(half.as_mut_slice()[7], 0.0);
    });
}

#[test]
fn a_value_that_does_not_fit_the_memory_names_the_line_that_recorded_it() {
    with_memory(
        USUAL,
        "sizes::memory::a_value_that_does_not_fit_the_memory_names_the_line_that_recorded_it",
        60,
        || {
            let tape = Tape::new();
            let one = tape.scalar(1.0);
            let image = tape.var(&Tensor::ones([1, 1, 3, 3]));
            let (broad, broad_line) = (one.broadcast_to([1 << 29]), line!());
            let (padded, pad_line) = (one.reshape([1]).pad(&[(1 << 40, 3)], 0.0), line!());
            let (edged, edge_line) = (image.pad(&[(1 << 30, 0)], 1.0), line!());
            let (column, row) = (one.broadcast_to([1 << 15, 1]), one.broadcast_to([1, 1 << 15]));
            let (product, product_line) = (column.matmul(row), line!());
            let padding = Conv { padding: [1 << 15, 1 << 15], ..Conv::default() };
            let (images, conv_line) = (image.conv2d(image, None, padding), line!());
            let window = Pool { kernel: [1 << 17, 1 << 17], stride: [1, 1], padding: [1 << 16, 1 << 16] };
            let (pooled, pool_line) = (image.avg_pool2d(window, Padding::Counts), line!());
            for (value, op, line) in [
                (broad, "broadcast_to", broad_line),
                (broad.sum(), "broadcast_to", broad_line),
                (padded, "pad", pad_line),
                (edged, "pad", edge_line),
                (product, "matmul", product_line),
                (images, "pad", conv_line),
                (pooled, "pad", pool_line),
            ] {
                lacks(op, Some(line), || value.value().shape().to_string());
                lacks(op, Some(line), || tape.values(&value).shape().to_string());
                // Nothing is left undone.
                assert_eq!((one + 1.0).item(), 2.0);
            }
            lacks("full", None, || tape.full([1 << 29], 1.0).shape().to_string());
            lacks("inv", None, || one.broadcast_to([1 << 15, 1 << 15]).inv().shape().to_string());
        },
    );
}

#[test]
fn free_buffers_make_room_for_a_value() {
    with_memory(USUAL, "sizes::memory::free_buffers_make_room_for_a_value", 60, || {
        let mut tape = Tape::new();
        for n in [1_usize << 27, 1 << 26, (1 << 26) + 1, 1 << 27] {
            let zero = tape.var(&Tensor::from([0.0]));
            let y = zero.pad(&[(0, n - 1)], 0.0);
            assert_eq!(tape.values(&y.slice([Slice::from(0..1)])).item(), 0.0);
            tape.clear();
        }
    });
}

#[test]
fn what_a_kernel_needs_beside_its_result_may_be_refused() {
    with_memory(SMALL, "sizes::memory::what_a_kernel_needs_beside_its_result_may_be_refused", 60, || {
        let tape = Tape::new();
        let x = tape.var(&Tensor::<f64>::zeros([1 << 25]));
        let (order, line) = (x.argsort(0, Order::Ascending), line!());
        let half = tape.var(&Tensor::<f64>::zeros([1 << 24]));
        let beside = half + 0.0;
        beside.value();
        lacks("argsort", Some(line), || format!("{}", order.value().len()));
        assert_eq!(tape.var(&Tensor::from([2.0, 1.0])).argsort(0, Order::Ascending).value(), [1, 0]);
        drop(tape);
        let tape = Tape::new();
        let matrix = tape.var(&Tensor::<f64>::zeros([9000, 9000]));
        let (det, line) = (matrix.det(), line!());
        lacks("det", Some(line), || det.item().to_string());
        let (solution, line) = (matrix.solve(tape.full([9000], 1.0)), line!());
        lacks("solve", Some(line), || solution.value().shape().to_string());
        assert_eq!(tape.var(&Tensor::from_rows([[2.0, 0.0], [0.0, 3.0]])).det().item(), 6.0);
    });
}

#[test]
fn a_program_that_does_not_fit_the_memory_is_an_error() {
    with_memory(USUAL, "sizes::memory::a_program_that_does_not_fit_the_memory_is_an_error", 60, || {
        let mut line = 0;
        let record = |n: usize, line: &mut u32| {
            Program::record(&[Tensor::from([1.0])], &Tensor::scalar(2.0), |_, [w], x| {
                let (wide, at) = (x.broadcast_to([n, 1]), line!());
                *line = at;
                (vec![w * x], vec![wide.matmul(w.reshape([1, 1])).sum()])
            })
        };
        let mut small = record(3, &mut line).unwrap();
        assert_eq!(small.run(&Tensor::scalar(2.0)).unwrap().item(0), 6.0);
        let refused = record(1 << 29, &mut line).err().unwrap();
        let ProgramErrorKind::Memory(error) = refused.kind() else { panic!("4 GB do not fit") };
        assert_eq!(error.op(), "broadcast_to");
        assert_eq!((error.location().file(), error.location().line()), (file!(), line));
        assert!(error.to_string().contains("4294967296 bytes of memory cannot be had for [536870912, 1]"), "{error}");
        // Those that were recorded go on where shapes are new and too large.
        let mut programs = Programs::record(Tensor::scalar(1.0), &(Tensor::from([1.0]),), |_, w, (x,)| {
            (vec![w + 1.0], vec![(x * w).broadcast_to([1 << 14, x.numel()]).sum()])
        })
        .unwrap();
        assert_eq!(programs.run(&(Tensor::from([1.0]),)).unwrap().item(0), 16384.0);
        let found = programs.run(&(Tensor::<f64>::zeros([1 << 15]),)).map(|_| ());
        assert!(matches!(found.unwrap_err().kind(), ProgramErrorKind::Memory(_)));
        assert_eq!(programs.run(&(Tensor::from([1.0]),)).unwrap().item(0), 2.0 * 16384.0);
    });
}
