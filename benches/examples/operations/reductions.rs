//! Reductions and scans along each axis of the shapes of the table.

use crate::row::{Range, Row, Table, slope};
use autograd::{CrossEntropyOptions, Float, IndexVar, Reduction, TripletMargin, Var, jvp, keepdims};

const ANY: Range = (-2.0, 2.0);

/// An array's name: `sum:1000x1000:0`.
pub(crate) fn named(name: &str, shape: &[usize], axis: usize) -> String {
    let sizes: Vec<String> = shape.iter().map(ToString::to_string).collect();
    format!("{name}:{}:{axis}", sizes.join("x"))
}

/// Exponentials and divisions for each element: of the value, and with the gradient.
type Formula = [(u8, u8); 2];
const NOTHING: Formula = [(0, 0); 2];

pub(crate) fn add<T: Float>(t: &mut Table<T>) {
    for shape in t.shapes() {
        for axis in 0..shape.len() {
            along(t, &shape, axis);
        }
        classes(t, &shape);
        last_axis(t, &shape);
    }
    vectors(t);
}

/// A function along an axis of one array.
struct Along<'a, T: Float> {
    t: &'a mut Table<T>,
    shape: &'a [usize],
    axis: usize,
}

impl<T: Float> Along<'_, T> {
    fn add(
        &mut self,
        name: &str,
        [value, gradient]: Formula,
        f: impl for<'t> Fn(Var<'t, T>, isize) -> Var<'t, T> + 'static,
    ) {
        let axis = self.axis as isize;
        let row = Row::new(named(name, self.shape, self.axis), self.shape, move |g| f(g.x[0], axis));
        self.t.rows.push(row.formula(value, gradient));
    }

    /// The same, of an array and a cotangent of its own shape.
    fn second(
        &mut self,
        name: &str,
        [value, gradient]: Formula,
        f: impl for<'t> Fn(Var<'t, T>, Var<'t, T>, isize) -> Var<'t, T> + 'static,
    ) {
        let axis = self.axis as isize;
        let row = Row::new(named(name, self.shape, self.axis), self.shape, move |g| f(g.x[0], g.x[1], axis));
        let numbers = [(self.shape.to_vec(), ANY), (self.shape.to_vec(), ANY)];
        self.t.rows.push(row.numbers(numbers).formula(value, gradient));
    }

    fn indices(&mut self, name: &str, f: impl for<'t> Fn(Var<'t, T>, isize) -> IndexVar<'t, T> + 'static) {
        self.add(name, NOTHING, move |x, axis| f(x, axis).numbers());
    }
}

fn along<T: Float>(t: &mut Table<T>, shape: &[usize], axis: usize) {
    let mut a = Along { t, shape, axis };
    a.add("sum", NOTHING, |x, axis| x.sum_axes(axis));
    a.add("mean", NOTHING, |x, axis| x.mean_axes(axis));
    a.add("max", NOTHING, |x, axis| x.max_axes(axis));
    a.add("min", NOTHING, |x, axis| x.min_axes(axis));
    a.add("any", NOTHING, |x, axis| x.gt(1.9).max_axes(axis));
    a.indices("argmax", |x, axis| x.argmax(axis));
    a.indices("argmin", |x, axis| x.argmin(axis));
    a.add("prod", NOTHING, |x, axis| x.prod_axes(axis));
    a.add("var", NOTHING, |x, axis| x.var(0, axis));
    a.add("std", NOTHING, |x, axis| x.std(0, axis));
    a.add("norm", NOTHING, |x, axis| x.norm(2.0, axis));
    a.add("norm1", NOTHING, |x, axis| x.norm(1.0, axis));
    a.add("logsumexp", [(1, 0), (1, 0)], |x, axis| x.logsumexp(axis));
    a.add("softmax", [(1, 0), (1, 0)], |x, axis| x.softmax(axis));
    a.add("log_softmax", [(1, 0), (1, 0)], |x, axis| x.log_softmax(axis));
    a.add("cumsum", NOTHING, |x, axis| x.cumsum(axis));
    a.add("cumsum_reverse", NOTHING, |x, axis| x.cumsum_reverse(axis));
    a.add("diff", NOTHING, |x, axis| x.diff(1, axis));
    a.add("cumprod", NOTHING, |x, axis| x.cumprod(axis));
    a.add("logcumsumexp", [(2, 1), (3, 2)], |x, axis| x.logcumsumexp(axis));
    a.add("cummax", NOTHING, |x, axis| x.cummax(axis));
    a.add("cummin", NOTHING, |x, axis| x.cummin(axis));
    a.indices("cumargmax", |x, axis| x.cumargmax(axis));
    a.indices("cumargmin", |x, axis| x.cumargmin(axis));
    a.second("recurrence", NOTHING, |x, dy, axis| slope(x.cumprod(axis), x, dy));
    a.second("prod_others", NOTHING, |x, dy, axis| slope(x.prod_axes(keepdims(axis)) * dy, x, dy));
    a.second("norm_slope", NOTHING, |x, dy, axis| slope(x.norm(2.0, keepdims(axis)) * dy, x, dy));
    a.second("extreme_share", NOTHING, |x, dy, axis| slope(x.max_axes(keepdims(axis)) * dy, x, dy));
    a.second("at_extreme", NOTHING, |x, dy, axis| slope(x.max_axes(keepdims(axis)) * dy, x, dy));
    a.second("attains", NOTHING, |x, dx, axis| jvp(x.max_axes(axis), &[x], &[dx]));
    a.second("about_likely", [(1, 0), (2, 0)], |x, dx, axis| jvp(x.log_softmax(axis), &[x], &[dx]));
    a.second("balance_likely", [(1, 0), (2, 0)], |x, dy, axis| slope(jvp(x.log_softmax(axis), &[x], &[dy]), dy, x));
    a.second("softmax_grad", [(1, 0), (2, 0)], |x, dy, axis| slope(x.softmax(axis), x, dy));
    a.second("log_softmax_grad", [(1, 0), (2, 0)], |x, dy, axis| slope(x.log_softmax(axis), x, dy));
    a.second("soft_cross_entropy", [(1, 0), (1, 0)], |x, p, axis| -(x.log_softmax(axis) * p).sum_axes(axis));
    a.second("cosine_similarity", NOTHING, |x, y, axis| x.cosine_similarity(y, axis, 1e-8));
}

/// Losses of classes, which are axis 1.
fn classes<T: Float>(t: &mut Table<T>, shape: &[usize]) {
    let of_labels: Vec<usize> = shape.iter().enumerate().filter(|&(i, _)| i != 1).map(|(_, &n)| n).collect();
    let (classes, name) = (shape[1], |name: &str| named(name, shape, 1));
    let options = |reduction| CrossEntropyOptions { reduction, ..CrossEntropyOptions::default() };
    let labelled = |row: Row<T>| row.integers(&of_labels, classes);
    t.rows.push(
        labelled(Row::new(name("cross_entropy"), shape, move |g| {
            g.x[0].cross_entropy_opts(&g.index[0], &options(Reduction::Mean))
        }))
        .formula((1, 0), (1, 0)),
    );
    t.rows.push(
        labelled(Row::new(name("cross_entropy_grad"), shape, move |g| {
            let loss = g.x[0].cross_entropy_opts(&g.index[0], &options(Reduction::Sum));
            slope(loss, g.x[0], g.tape.scalar(T::ONE))
        }))
        .formula((1, 0), (2, 0)),
    );
    for name in ["labels_without", "labels_differ"].map(name) {
        t.rows.push(
            labelled(Row::new(name, shape, move |g| {
                let options = CrossEntropyOptions { ignore_index: Some(0), ..options(Reduction::Mean) };
                g.x[0].cross_entropy_opts(&g.index[0], &options)
            }))
            .formula((1, 0), (1, 0)),
        );
    }
    t.rows.push(
        labelled(Row::new(name("nll"), shape, move |g| g.x[0].nll(&g.index[0], &options(Reduction::Mean))))
            .moves(2 * shape.iter().product::<usize>() / classes, 2 * shape.iter().product::<usize>()),
    );
    t.rows.push(labelled(Row::new(name("multi_margin"), shape, move |g| {
        g.x[0].multi_margin(&g.index[0], 1, 1.0, None, Reduction::Mean)
    })));
}

fn last_axis<T: Float>(t: &mut Table<T>, shape: &[usize]) {
    let axis = shape.len() - 1;
    let n = shape[axis];
    let numbers = [(shape.to_vec(), ANY), (vec![n], ANY), (vec![n], ANY)];
    t.rows.push(
        Row::new(named("layer_norm", shape, axis), shape, |g| g.x[0].layer_norm(1, Some(g.x[1]), Some(g.x[2]), 1e-5))
            .numbers(numbers.clone()),
    );
    for name in ["rms_norm", "unit_scale"] {
        t.rows.push(
            Row::new(named(name, shape, axis), shape, |g| g.x[0].rms_norm(Some(g.x[1]), 1e-5)).numbers(&numbers[..2]),
        );
    }
}

/// Distances of many short vectors.
fn vectors<T: Float>(t: &mut Table<T>) {
    let [_, shape, _] = t.shapes();
    let pair = [(shape.clone(), ANY), (shape.clone(), ANY)];
    let three = [(shape.clone(), ANY), (shape.clone(), ANY), (shape.clone(), ANY)];
    t.rows.push(
        Row::new(named("pairwise_distance", &shape, 1), &shape, |g| g.x[0].pairwise_distance(g.x[1], 2.0, 1e-6))
            .numbers(pair.clone()),
    );
    t.rows.push(
        Row::new(named("triplet_margin", &shape, 1), &shape, |g| {
            let options = TripletMargin { margin: 1.0, p: 2.0, eps: 1e-6, swap: false, reduction: Reduction::Sum };
            g.x[0].triplet_margin(g.x[1], g.x[2], &options)
        })
        .numbers(three),
    );
    let target = (vec![shape[0]], (0.5, 1.0));
    t.rows.push(
        Row::new(named("cosine_embedding", &shape, 1), &shape, |g| {
            g.x[0].cosine_embedding(g.x[1], g.x[2].sign(), 0.1, Reduction::Sum)
        })
        .numbers([&pair[..], &[target]].concat())
        .differentiated(2),
    );
    // Every pair of 300 points in 4 dimensions: a difference is an element.
    let points = vec![t.size(300), 4];
    t.rows.push(
        Row::new(named("cdist", &points, 1), &points, |g| g.x[0].cdist(g.x[1], 2.0))
            .numbers([(points.clone(), ANY), (points.clone(), ANY)])
            .formula((0, 1), (0, 2)),
    );
}
