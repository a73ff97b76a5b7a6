//! Strided reads and their adjoints: slices, choices by known places, sums, paddings, windows.

use super::{Lowered, Lowering};
use crate::forward::{Node, Recording};
use crate::onnx::dims::Dim;
use crate::onnx::graph::Graph;
use crate::onnx::proto::{Element, Setting};
use crate::strided::{integer, integers, places, starts, strides};

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
        let value = self.values[node.operands[0]].clone();
        self.chosen(graph, &value, (batched, size), places(offset, within, &to), at)
    }

    /// Elements of rows by their places, in the shape of a node.
    fn chosen(
        &mut self,
        graph: &mut Graph,
        value: &str,
        (batched, size): (bool, usize),
        by: Vec<i64>,
        at: usize,
    ) -> Lowered {
        let rows = if batched { vec![-1, size as i64] } else { vec![size as i64] };
        let (rows, by) = (graph.list(&rows), graph.list(&by));
        let rows = graph.node("Reshape", &[value, &rows], &[]);
        let taken = graph.node("Gather", &[&rows, &by], &[("axis", Setting::Integer(i64::from(batched)))]);
        let dims = self.dims[at].clone();
        self.reshaped(graph, &taken, &dims)
    }

    /// The adjoint of a strided read: a sum, a padding, or a product with what is added to what.
    pub(super) fn add_at(&mut self, graph: &mut Graph, at: usize) -> Lowered {
        let first = self.first;
        let node = &first.nodes[at];
        let operand = node.operands[0];
        let value = self.values[operand].clone();
        let (own, offset) = (integers(&node.attributes, "strides"), integer(&node.attributes, "offset"));
        if let Some(axes) = self.summed(at) {
            let dims = self.dims[at].clone();
            let axes = graph.list(&axes);
            let sum = graph.node("ReduceSum", &[&value, &axes], &[("keepdims", Setting::Integer(0))]);
            return self.reshaped(graph, &sum, &dims);
        }
        let (batched, from, to) = self.rows(operand, at)?;
        let (m, n) = (from.iter().product::<usize>(), to.iter().product::<usize>());
        let within = if batched { own.get(1..).unwrap_or_default() } else { own };
        if batched && own[0] != n as i64 {
            return Err("it adds across the examples of a batch".to_owned());
        }
        let to_places = places(offset, within, &from);
        let mut from_places = vec![m as i64; n];
        let mut once = true;
        for (i, &to) in (0..).zip(&to_places) {
            let place = &mut from_places[to as usize];
            once &= *place == m as i64;
            *place = i;
        }
        if once {
            // A zero behind each row stands for what nothing is added to.
            let rows = graph.list(&if batched { vec![-1, m as i64] } else { vec![m as i64] });
            let rows = graph.node("Reshape", &[&value, &rows], &[]);
            let more = graph.list(&if batched { vec![0, 0, 0, 1] } else { vec![0, 1] });
            let rows = graph.node("Pad", &[&rows, &more], &[]);
            return self.chosen(graph, &rows, (batched, m + 1), from_places, at);
        }
        let mut matrix = vec![0.0; m * n];
        for (i, &to) in to_places.iter().enumerate() {
            matrix[i * n + to as usize] += 1.0;
        }
        let (rows, matrix) = (graph.list(&[-1, m as i64]), graph.numbers(self.element, &[m, n], &matrix));
        let rows = graph.node("Reshape", &[&value, &rows], &[]);
        let sums = graph.node("MatMul", &[&rows, &matrix], &[]);
        let dims = self.dims[at].clone();
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

    /// Where in each window of images the largest element stands; the padding is below all numbers.
    pub(super) fn largest_of_windows(&mut self, graph: &mut Graph, at: usize) -> Lowered {
        let first = self.first;
        let node = &first.nodes[at];
        let [_, channels, height, width] = first.nodes[node.operands[0]].shape[..] else {
            return Err("images are needed".to_owned());
        };
        let (batched, ..) = self.rows(node.operands[0], at)?;
        let pair = |name: &str| <[i64; 2]>::try_from(integers(&node.attributes, name)).unwrap_or_default();
        let (kernel, stride, padding) = (pair("kernel"), pair("stride"), pair("padding"));
        let size = channels * height * width;
        let mut by = Vec::new();
        for channel in 0..channels as i64 {
            for (y, x) in places(0, &[node.shape[3] as i64, 1], &node.shape[2..])
                .iter()
                .map(|i| (i / node.shape[3] as i64, i % node.shape[3] as i64))
            {
                for (down, right) in (0..kernel[0]).flat_map(|down| (0..kernel[1]).map(move |right| (down, right))) {
                    let (row, column) = (y * stride[0] + down - padding[0], x * stride[1] + right - padding[1]);
                    let inside = (0..height as i64).contains(&row) && (0..width as i64).contains(&column);
                    by.push(if inside { (channel * height as i64 + row) * width as i64 + column } else { size as i64 });
                }
            }
        }
        let lowest = if self.element == Element::Float { f64::from(f32::MIN) } else { f64::MIN };
        let value = self.values[node.operands[0]].clone();
        let (lowest, below) = (graph.number(self.element, lowest), graph.number(self.element, f64::NEG_INFINITY));
        let finite = graph.node("Max", &[&value, &lowest], &[]);
        let rows = graph.list(&if batched { vec![-1, size as i64] } else { vec![size as i64] });
        let rows = graph.node("Reshape", &[&finite, &rows], &[]);
        let more = graph.list(&if batched { vec![0, 0, 0, 1] } else { vec![0, 1] });
        let rows = graph.node("Pad", &[&rows, &more, &below], &[]);
        let by = graph.list(&by);
        let windows = graph.node("Gather", &[&rows, &by], &[("axis", Setting::Integer(i64::from(batched)))]);
        let mut dims = self.dims[at].clone();
        dims.push(Dim::Fixed((kernel[0] * kernel[1]) as usize));
        let windows = self.reshaped(graph, &windows, &dims)?;
        Ok(graph.node("ArgMax", &[&windows], &[("axis", Setting::Integer(4)), ("keepdims", Setting::Integer(0))]))
    }
}
