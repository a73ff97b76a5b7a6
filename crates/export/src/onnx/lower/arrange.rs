//! Strided reads and their adjoints: slices, choices by known places, sums, paddings, windows.

use super::{Lowered, Lowering};
use crate::forward::{Node, Recording};
use crate::onnx::dims::Dim;
use crate::onnx::graph::{Graph, Value};
use crate::onnx::proto::{Element, Setting};
use crate::strided::{integer, integers, places, starts, strides};

/// The elements that windows have together, of which a file lists the place of each, at most.
const MOST_POSITIONS: usize = 1 << 26;

/// How many elements so many windows of this size have together, if that is a number.
fn elements_of_windows(places: &[usize], kernel: [i64; 2]) -> Option<usize> {
    let sizes = kernel.map(|size| usize::try_from(size).ok());
    places.iter().map(|&n| Some(n)).chain(sizes).try_fold(1_usize, |all, n| all.checked_mul(n?))
}

impl Lowering<'_> {
    /// A part of each axis; an axis that goes with the batch is taken whole.
    pub(super) fn slice(&mut self, graph: &mut Graph, at: usize) -> Lowered {
        let (first, second) = (self.first, self.second);
        let (node, other) = (&first.nodes[at], &second.nodes[at]);
        let operand = node.operands[0];
        let parts = |recording: &Recording, node: &Node| {
            let own = &recording.nodes[operand].shape;
            let first = starts(integer(&node.attributes, "offset"), own);
            let steps: Vec<i64> = integers(&node.attributes, "strides")
                .iter()
                .zip(strides(own))
                .map(|(by, whole)| if by % whole == 0 && *by != 0 { by / whole } else { 1 })
                .collect();
            (first, steps)
        };
        let ((from, steps), others) = (parts(first, node), parts(second, other));
        let (mut starts, mut ends, mut axes, mut by) = (vec![], vec![], vec![], vec![]);
        for (axis, dim) in self.dims[operand].iter().enumerate() {
            let result = self.dims[at][axis];
            if *dim == result && from[axis] == 0 && steps[axis] == 1 {
                continue;
            }
            if from[axis] != others.0[axis] || steps[axis] != others.1[axis] || matches!(result, Dim::Batch(_)) {
                return Err("a part of the batch cannot be taken".to_owned());
            }
            let end = from[axis] + steps[axis] * node.shape[axis] as i64;
            starts.push(from[axis]);
            // Before the first element there is no place with a number of its own.
            ends.push(if end < 0 { i64::MIN } else { end });
            axes.push(axis as i64);
            by.push(steps[axis]);
        }
        let value = self.values[operand].clone();
        if axes.is_empty() {
            return Ok(value);
        }
        let [starts, ends, axes, by] = [starts, ends, axes, by].map(|list| graph.list(&list));
        Ok(graph.node("Slice", &[&value, &starts, &ends, &axes, &by], &[]))
    }

    /// The last elements along an axis, and the others behind them.
    pub(super) fn rolled(&mut self, graph: &mut Graph, at: usize) -> Lowered {
        let node = &self.first.nodes[at];
        let (axis, shift) = (integer(&node.attributes, "axis"), integer(&node.attributes, "shift"));
        if matches!(self.dims[at][axis as usize], Dim::Batch(_)) {
            return Err("the examples of a batch cannot be moved".to_owned());
        }
        let value = self.values[node.operands[0]].clone();
        let mut part = |start: i64, end: i64| {
            let [starts, ends, axes] = [start, end, axis].map(|i| graph.list(&[i]));
            graph.node("Slice", &[&value, &starts, &ends, &axes], &[])
        };
        let [last, first] = [part(-shift, i64::MAX), part(0, -shift)];
        Ok(graph.node("Concat", &[&last, &first], &[("axis", Setting::Integer(axis))]))
    }

    /// An operand as rows, one for each example, or one in all; and the shape of a result behind the batch. Whether each example is read, and
    /// written, by itself.
    fn rows(&self, operand: usize, at: usize) -> Result<(bool, Vec<usize>, Vec<usize>), String> {
        let fixed = |dims: &[Dim]| -> Option<Vec<usize>> {
            dims.iter().map(|dim| if let Dim::Fixed(size) = dim { Some(*size) } else { None }).collect()
        };
        let (from, to) = (&self.dims[operand], &self.dims[at]);
        if let (Some(from), Some(to)) = (fixed(from), fixed(to)) {
            return Ok((false, from, to));
        }
        match (from.split_first(), to.split_first()) {
            (Some((a @ Dim::Batch(_), from)), Some((b, to))) if a == b => match (fixed(from), fixed(to)) {
                (Some(from), Some(to)) => Ok((true, from, to)),
                _ => Err("the batch is not its first axis alone".to_owned()),
            },
            _ => Err("the batch is not its first axis".to_owned()),
        }
    }

    /// A strided read, as a choice by known places in each example.
    pub(super) fn read(&mut self, graph: &mut Graph, at: usize) -> Lowered {
        let first = self.first;
        let node = &first.nodes[at];
        let (batched, from, to) = self.rows(node.operands[0], at)?;
        let (own, offset) = (integers(&node.attributes, "strides"), integer(&node.attributes, "offset"));
        let size: usize = from.iter().product();
        let within = if batched { own.get(1..).unwrap_or_default() } else { own };
        if batched && own[0] != size as i64 {
            return Err("it reads across the examples of a batch".to_owned());
        }
        let rows = Self::flat(graph, &self.values[node.operands[0]], (batched, size));
        let dims = self.dims[at].clone();
        self.chosen(graph, &rows, batched, &places(offset, within, &to), &dims)
    }

    /// A value as rows of a size, or as one row.
    fn flat(graph: &mut Graph, value: &str, (batched, size): (bool, usize)) -> Value {
        let sizes = [-1, size as i64];
        let sizes = graph.list(if batched { &sizes } else { &sizes[1..] });
        graph.node("Reshape", &[value, &sizes], &[])
    }

    /// One element more behind each row: 0, or what is given.
    fn longer(graph: &mut Graph, rows: &str, batched: bool, last: Option<&str>) -> Value {
        let more = graph.list(if batched { &[0, 0, 0, 1][..] } else { &[0, 1] });
        let operands: Vec<&str> = [rows, &more].into_iter().chain(last).collect();
        graph.node("Pad", &operands, &[])
    }

    /// Elements of rows by their places, in a shape.
    fn chosen(&mut self, graph: &mut Graph, rows: &str, batched: bool, by: &[i64], dims: &[Dim]) -> Lowered {
        let by = graph.list(by);
        let taken = graph.node("Gather", &[rows, &by], &[("axis", Setting::Integer(i64::from(batched)))]);
        self.reshaped(graph, &taken, dims)
    }

    /// The adjoint of a strided read: a sum, a padding, or a product with what is added to what.
    pub(super) fn add_at(&mut self, graph: &mut Graph, at: usize) -> Lowered {
        let first = self.first;
        let node = &first.nodes[at];
        let operand = node.operands[0];
        let value = self.values[operand].clone();
        let dims = self.dims[at].clone();
        if let Some(axes) = self.summed(at) {
            let axes = graph.list(&axes);
            let sum = graph.node("ReduceSum", &[&value, &axes], &[("keepdims", Setting::Integer(0))]);
            return self.reshaped(graph, &sum, &dims);
        }
        let (own, offset) = (integers(&node.attributes, "strides"), integer(&node.attributes, "offset"));
        let (batched, from, to) = self.rows(operand, at)?;
        let (m, n) = (from.iter().product::<usize>(), to.iter().product::<usize>());
        let within = if batched { own.get(1..).unwrap_or_default() } else { own };
        if batched && own[0] != n as i64 {
            return Err("it adds across the examples of a batch".to_owned());
        }
        let to_places = places(offset, within, &from);
        // Where each element of the result comes from; from behind the row where nothing is added to it.
        let mut from_places = vec![m as i64; n];
        let mut once = true;
        for (i, &to) in (0..).zip(&to_places) {
            let place = &mut from_places[to as usize];
            once &= *place == m as i64;
            *place = i;
        }
        if once {
            let rows = Self::flat(graph, &value, (batched, m));
            let rows = Self::longer(graph, &rows, batched, None);
            return self.chosen(graph, &rows, batched, &from_places, &dims);
        }
        let mut matrix = vec![0.0; m * n];
        for (i, &to) in to_places.iter().enumerate() {
            matrix[i * n + to as usize] += 1.0;
        }
        let rows = Self::flat(graph, &value, (true, m));
        let matrix = graph.numbers(self.element, &[m, n], &matrix);
        let sums = graph.node("MatMul", &[&rows, &matrix], &[]);
        self.reshaped(graph, &sums, &dims)
    }

    /// The axes that are summed, where that is all that an addition does.
    fn summed(&self, at: usize) -> Option<Vec<i64>> {
        let is_sum = |recording: &Recording| {
            let node = &recording.nodes[at];
            let own = &recording.nodes[node.operands[0]].shape;
            let by = integers(&node.attributes, "strides");
            let summed: Vec<i64> = (0..own.len()).filter(|&i| by[i] == 0).map(|i| i as i64).collect();
            let kept: Vec<usize> = (0..own.len()).filter(|&i| by[i] != 0).collect();
            let left: Vec<usize> = kept.iter().map(|&i| own[i]).collect();
            let in_order = strides(&left).iter().zip(&kept).all(|(&stride, &i)| by[i] == stride || own[i] == 1);
            let all = left.iter().product::<usize>() == node.shape.iter().product::<usize>();
            (in_order && all && integer(&node.attributes, "offset") == 0).then_some(summed)
        };
        let (a, b) = (is_sum(self.first)?, is_sum(self.second)?);
        (a == b && !a.is_empty()).then_some(a)
    }

    /// Where in its plane the largest element of each window of images stands; the padding is below all numbers.
    pub(super) fn largest_of_windows(&mut self, graph: &mut Graph, at: usize) -> Lowered {
        let first = self.first;
        let node = &first.nodes[at];
        let [_, channels, height, width] = first.nodes[node.operands[0]].shape[..] else {
            return Err("images are needed".to_owned());
        };
        let (batched, ..) = self.rows(node.operands[0], at)?;
        let pair = |name: &str| <[i64; 2]>::try_from(integers(&node.attributes, name)).unwrap_or_default();
        let (kernel, stride, padding) = (pair("kernel"), pair("stride"), pair("padding"));
        let positions = elements_of_windows(&[channels, node.shape[2], node.shape[3]], kernel);
        if positions.is_none_or(|positions| positions > MOST_POSITIONS) {
            return Err("its windows have too many elements".to_owned());
        }
        let size = channels * height * width;
        let (height, width) = (height as i64, width as i64);
        // Channel, row and column of a window, and row and column in it.
        let windows = [channels, node.shape[2], node.shape[3], kernel[0] as usize, kernel[1] as usize];
        let place = |[channel, y, x, down, right]: [i64; 5]| {
            let (row, column) = (y * stride[0] + down - padding[0], x * stride[1] + right - padding[1]);
            let inside = (0..height).contains(&row) && (0..width).contains(&column);
            if inside { (channel * height + row) * width + column } else { size as i64 }
        };
        let by: Vec<i64> = (0..windows.iter().product::<usize>() as i64)
            .map(|i| place(<[i64; 5]>::try_from(starts(i, &windows)).unwrap_or_default()))
            .collect();
        let lowest = if self.element == Element::Float { f64::from(f32::MIN) } else { f64::MIN };
        let (lowest, below) = (graph.number(self.element, lowest), graph.number(self.element, f64::NEG_INFINITY));
        let finite = graph.node("Max", &[&self.values[node.operands[0]], &lowest], &[]);
        let rows = Self::flat(graph, &finite, (batched, size));
        let rows = Self::longer(graph, &rows, batched, Some(&below));
        let mut dims = self.dims[at].clone();
        dims.push(Dim::Fixed((kernel[0] * kernel[1]) as usize));
        let windows = self.chosen(graph, &rows, batched, &by, &dims)?;
        let in_window = [("axis", Setting::Integer(4)), ("keepdims", Setting::Integer(0))];
        let in_window = graph.node("ArgMax", &[&windows], &in_window);
        // From the place in a window to that in the plane.
        let [rows, columns] = [node.shape[2], node.shape[3]].map(|n| n as i64);
        let steps: Vec<i64> = (0..kernel[0] * kernel[1]).map(|k| k / kernel[1] * width + k % kernel[1]).collect();
        let start = |k: i64| (k / columns * stride[0] - padding[0]) * width + k % columns * stride[1] - padding[1];
        let starts: Vec<i64> = (0..rows * columns).map(start).collect();
        let steps = graph.integers(&[steps.len()], &steps);
        let starts = graph.integers(&node.shape[2..], &starts);
        let step = graph.node("Gather", &[&steps, &in_window], &[]);
        Ok(graph.node("Add", &[&step, &starts], &[]))
    }
}
