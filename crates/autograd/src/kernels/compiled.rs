//! The kernels that are compiled once for each number type, with this crate, and not again in every program that uses them.

use super::column_sums::column_sums;
use super::cross_entropy::{self, Gradients, Losses};
use super::finish::SliceFinish;
use super::gemm::{self, Store, Strided, gemm_f32, gemm_f64};
use super::group::{Group, Passing};
use super::perceptron::Planned;
use super::place::Base;
use super::product::{Operand, Sizes};
use crate::number::Number;
use std::ops::Range;

/// The large kernels by number type: a call from generic code leads to the one copy that there is.
#[expect(private_interfaces, reason = "nobody outside can name what is in here")]
pub trait Compiled: Number {
    /// `a · b` into `out` for sizes `(m, k, n)`, by the GEMM crate.
    fn gemm(
        sizes: (usize, usize, usize),
        a: &Strided<'_, Self>,
        b: &Strided<'_, Self>,
        out: &mut [Self],
        store: Store<Self>,
    );
    /// [`gemm::matmul`]
    fn matmul(
        sizes: Sizes,
        a: Operand<'_, Self>,
        b: Operand<'_, Self>,
        out: &mut [Self],
        finish: SliceFinish<'_, Self>,
    );
    /// [`column_sums`]
    fn column_sums(x: &[Self], out: &mut [Self], finish: SliceFinish<'_, Self>);
    /// [`cross_entropy::cross_entropy`]
    fn cross_entropy(
        scores: &[Self],
        labels: &[Self],
        n: usize,
        losses: Losses<'_, Self>,
        gradients: Gradients<'_, Self>,
    );
    /// [`Group::run`]
    fn run_group(group: &Group<Self>, buffers: &mut [Vec<Self>], bases: &mut [Base<Self>]);
    /// [`Group::run_steps`]
    fn run_steps(
        group: &Group<Self>,
        buffers: &mut [Vec<Self>],
        bases: &mut [Base<Self>],
        passing: &[Passing<'_, Self>],
        moves: &[(usize, usize)],
        steps: (Range<usize>, bool),
    );
    /// [`Planned::run`]
    fn run_net(net: &Planned<Self>, buffers: &mut [Vec<Self>]);
}

macro_rules! compiled {
    ($t:ident, $gemm:path) => {
        #[expect(private_interfaces, reason = "as above")]
        impl Compiled for $t {
            fn gemm(
                sizes: (usize, usize, usize),
                a: &Strided<'_, Self>,
                b: &Strided<'_, Self>,
                out: &mut [Self],
                store: Store<Self>,
            ) {
                $gemm(sizes, a, b, out, store);
            }
            fn matmul(
                sizes: Sizes,
                a: Operand<'_, Self>,
                b: Operand<'_, Self>,
                out: &mut [Self],
                finish: SliceFinish<'_, Self>,
            ) {
                gemm::matmul(sizes, a, b, out, finish);
            }
            fn column_sums(x: &[Self], out: &mut [Self], finish: SliceFinish<'_, Self>) {
                column_sums(x, out, finish);
            }
            fn cross_entropy(
                scores: &[Self],
                labels: &[Self],
                n: usize,
                losses: Losses<'_, Self>,
                gradients: Gradients<'_, Self>,
            ) {
                cross_entropy::cross_entropy(scores, labels, n, losses, gradients);
            }
            fn run_steps(
                group: &Group<Self>,
                buffers: &mut [Vec<Self>],
                bases: &mut [Base<Self>],
                passing: &[Passing<'_, Self>],
                moves: &[(usize, usize)],
                steps: (Range<usize>, bool),
            ) {
                group.run_steps(buffers, bases, passing, moves, steps);
            }
            fn run_group(group: &Group<Self>, buffers: &mut [Vec<Self>], bases: &mut [Base<Self>]) {
                group.run(buffers, bases);
            }
            fn run_net(net: &Planned<Self>, buffers: &mut [Vec<Self>]) {
                net.run(buffers);
            }
        }
    };
}

compiled!(f32, gemm_f32);
compiled!(f64, gemm_f64);
