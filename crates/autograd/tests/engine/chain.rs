//! Long tapes: no recursion anywhere, and cost linear in the length.

use autograd::{Tape, Tensor, Var, grad, jvp};

fn chain(tape: &Tape, n: usize) -> (Var<'_>, Var<'_>) {
    let x = tape.var(&Tensor::scalar(1.0));
    let y = (0..n).fold(x, |y, i| if i % 2 == 0 { y * 1.5 } else { y / 1.5 });
    (x, y)
}

#[test]
fn a_chain_of_a_million_nodes_goes_forward_backward_and_away() {
    let n = 1_000_000;
    // A thread with a small stack: whatever recursed along the chain would overflow it.
    let run = move || {
        let mut tape = Tape::new();
        {
            let (x, y) = chain(&tape, n);
            assert_eq!(y.item(), 1.0);
            let dx = grad(y, &x);
            assert_eq!(dx.item(), 1.0);
            let dy = jvp(y, &x, &tape.scalar(2.0));
            assert_eq!(dy.item(), 2.0);
        }
        // One leaf and n nodes forward, a seed and at most one node for each on either sweep.
        assert!(tape.len() <= 3 * n + 3, "{} nodes", tape.len());
        tape.clear();
        let (x, y) = chain(&tape, 10);
        assert_eq!(tape.values(&(y, grad(y, &x))).1.item(), 1.0);
    };
    std::thread::Builder::new().stack_size(256 * 1024).spawn(run).unwrap().join().unwrap();
}

#[test]
fn the_length_of_a_gradient_grows_linearly() {
    let lengths = [1_000, 2_000, 4_000].map(|n| {
        let tape = Tape::new();
        let (x, y) = chain(&tape, n);
        grad(y, &x);
        tape.len()
    });
    assert_eq!(lengths[1] - lengths[0], (lengths[2] - lengths[1]) / 2);
}

#[test]
fn asking_for_every_value_of_a_long_chain_is_not_quadratic() {
    // Each question walks only what is not computed yet; a walk from the start each time would take 10^10 steps.
    let tape = Tape::new();
    let mut y = tape.scalar(0.0);
    for i in 1..=100_000 {
        y += 1.0;
        assert_eq!(y.item(), f64::from(i));
    }
}
