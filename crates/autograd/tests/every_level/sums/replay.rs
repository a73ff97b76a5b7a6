//! Steps of nets whose batches end just before, at or after the end of a block of sums have the bits of the tape in a program,
//! whichever of its passes run.

use crate::nets::{Layer, loss, net, numbers};
use autograd::{Float, Optimisations, Program, Tape, Tensor, Tree, grad, update};

const NO_STATE: [Tensor<f32>; 0] = [];

fn bits<T: Float>(net: &[Layer<Tensor<T>>]) -> Vec<f64> {
    net.iter().flat_map(Tree::leaves).flat_map(|leaf| leaf.as_slice().iter().map(|x| x.to_f64())).collect()
}

fn replays_to_the_bits_of_the_tape<T: Float>(batch: usize, sizes: &[usize]) {
    let x: Tensor<T> = numbers([batch, sizes[0]], 9);
    let labels: Vec<usize> = (0..batch).map(|i| (i * 5) % sizes[sizes.len() - 1]).collect();
    let rate = T::of(0.1);
    let mut params = net::<T>(sizes);
    let mut repeating = Tape::<T>::default();
    for _ in 0..4 {
        let (_, grads) = Tape::default().value_and_grad(&params, |tape, net| loss(&net, tape.var(&x), &labels));
        let (_, again) = repeating.value_and_grad(&params, |tape, net| loss(&net, tape.var(&x), &labels));
        assert_eq!(bits(&grads), bits(&again), "{batch} {sizes:?} {}", T::NAME);
        for (p, g) in params.leaves_mut().into_iter().zip(grads.leaves()) {
            p.as_mut_slice().iter_mut().zip(g.as_slice()).for_each(|(p, &g)| *p -= g * rate);
        }
    }
    for passes in Optimisations::choices() {
        let mut program = Program::record_with(passes, &net::<T>(sizes), &&x, |tape, net, x| {
            let loss = loss(&net, x, &labels);
            let rate = tape.scalar(rate);
            (update(&net, &grad(loss, &net), |p, g| p - g * rate), vec![loss])
        })
        .unwrap();
        for _ in 0..4 {
            program.run(&&x).unwrap();
        }
        let mut state = net::<T>(sizes);
        program.store_state(&mut state).unwrap();
        assert_eq!(bits(&state), bits(&params), "{batch} {sizes:?} {passes:?} {}", T::NAME);
    }
}

#[test]
fn batches_around_the_ends_of_blocks() {
    // One hidden layer in one sweep, two in blocks of rows, and one that is too wide for either.
    for sizes in [&[2, 8, 3][..], &[20, 8, 8, 3]] {
        for batch in [63, 64, 65, 127, 128, 129, 255, 256, 257, 300, 1000, 1500] {
            replays_to_the_bits_of_the_tape::<f32>(batch, sizes);
            replays_to_the_bits_of_the_tape::<f64>(batch, sizes);
        }
    }
    replays_to_the_bits_of_the_tape::<f32>(5, &[700, 30, 4]);
    replays_to_the_bits_of_the_tape::<f32>(70, &[2, 1500, 2]);
}

#[test]
fn products_whose_inner_dimension_is_many_blocks() {
    for (m, k, n) in [(9, 5000, 1), (3, 700, 30), (20, 2000, 2), (400, 3000, 1), (20, 9000, 20)] {
        let (x, w) = (numbers::<f32>([m, k], 1), numbers::<f32>([k, n], 2));
        let bias = Tensor::from_fn([n], |i| 0.1 * i as f32);
        let tape = Tape::default();
        let want = ((tape.var(&x).matmul(tape.var(&w)) + tape.var(&bias)).relu() * 0.5_f32).value();
        for passes in Optimisations::choices() {
            let mut program = Program::record_with(passes, &NO_STATE, &(&x, &w, &bias), |_, [], (x, w, b)| {
                (vec![], vec![(x.matmul(w) + b).relu() * 0.5_f32])
            })
            .unwrap();
            assert_eq!(program.run(&(&x, &w, &bias)).unwrap().tensor(0), want, "{m} {k} {n} {passes:?}");
        }
    }
}
