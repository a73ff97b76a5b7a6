//! Where the nodes of a graph lie: layers by the longest path, an order within each by barycentres, places by the mean of neighbours.

/// The room between nodes of a layer, and between layers.
const BESIDE: f64 = 22.0;
const BETWEEN: f64 = 34.0;
const EDGE: f64 = 10.0;
/// How often the order is improved, down and up.
const SWEEPS: usize = 8;

/// Places of nodes, and the ways of lines.
pub(super) struct Layout {
    /// The middle of each node.
    pub(super) places: Vec<(f64, f64)>,
    /// For each line the points that it goes through, from what is read to what reads it.
    pub(super) routes: Vec<Vec<(f64, f64)>>,
    /// The size of all.
    pub(super) size: (f64, f64),
    /// How many layers there are.
    pub(super) layers: usize,
}

/// Nodes, and points of long lines in the layers that these pass.
struct Layers {
    /// Who is in each layer, from left to right.
    rows: Vec<Vec<usize>>,
    above: Vec<Vec<usize>>,
    below: Vec<Vec<usize>>,
    widths: Vec<f64>,
}

/// Of nodes of these sizes, each of which reads some before it.
pub(super) fn layout(sizes: &[(f64, f64)], reads: &[Vec<usize>]) -> Layout {
    let n = sizes.len();
    let mut layer = vec![0; n];
    for node in 0..n {
        layer[node] = reads[node].iter().map(|&read| layer[read] + 1).max().unwrap_or(0);
    }
    // A leaf stands right above the first that reads it.
    let mut first_reader = vec![usize::MAX; n];
    for node in 0..n {
        for &read in &reads[node] {
            first_reader[read] = first_reader[read].min(layer[node]);
        }
    }
    for node in 0..n {
        if reads[node].is_empty() && first_reader[node] != usize::MAX {
            layer[node] = first_reader[node] - 1;
        }
    }
    let count = layer.iter().max().map_or(0, |last| last + 1);
    let mut layers = Layers {
        rows: vec![Vec::new(); count],
        above: vec![Vec::new(); n],
        below: vec![Vec::new(); n],
        widths: sizes.iter().map(|size| size.0).collect(),
    };
    for (node, &row) in layer.iter().enumerate() {
        layers.rows[row].push(node);
    }
    let mut ways = Vec::new();
    for (node, its) in reads.iter().enumerate() {
        for &read in its {
            ways.push(layers.connect(read, node, layer[read], layer[node]));
        }
    }
    layers.order();
    let x = layers.place();
    // Layers are as high as their highest node.
    let high = |row: &Vec<usize>| row.iter().filter(|&&node| node < n).map(|&node| sizes[node].1).fold(0.0, f64::max);
    let (mut tops, mut y) = (Vec::new(), EDGE);
    for row in &layers.rows {
        tops.push((y, high(row)));
        y += high(row) + BETWEEN;
    }
    let middle = |row: usize| tops[row].0 + tops[row].1 / 2.0;
    let places: Vec<(f64, f64)> = (0..n).map(|node| (x[node], middle(layer[node]))).collect();
    let routes = ways.iter().map(|way| route(way, &x, &places, sizes, &tops, &layer)).collect();
    let wide = (0..x.len()).map(|node| x[node] + layers.widths[node] / 2.0).fold(0.0, f64::max) + EDGE;
    Layout { places, routes, size: (wide.max(60.0), (y - BETWEEN + EDGE).max(40.0)), layers: count }
}

/// The points of a line: the lower end of a node, through each layer that it passes, the upper end of another.
fn route(
    way: &[usize],
    x: &[f64],
    places: &[(f64, f64)],
    sizes: &[(f64, f64)],
    tops: &[(f64, f64)],
    layer: &[usize],
) -> Vec<(f64, f64)> {
    let (from, to) = (way[0], way[way.len() - 1]);
    let mut route = vec![(places[from].0, places[from].1 + sizes[from].1 / 2.0)];
    for (passed, &point) in way[1..way.len() - 1].iter().enumerate() {
        let (top, high) = tops[layer[from] + 1 + passed];
        route.push((x[point], top));
        route.push((x[point], top + high));
    }
    route.push((places[to].0, places[to].1 - sizes[to].1 / 2.0 - 1.0));
    route
}

impl Layers {
    /// A line between nodes, with a point in each layer between theirs.
    fn connect(&mut self, from: usize, to: usize, from_row: usize, to_row: usize) -> Vec<usize> {
        let mut way = vec![from];
        for row in from_row + 1..to_row {
            let point = self.widths.len();
            self.widths.push(6.0);
            self.above.push(Vec::new());
            self.below.push(Vec::new());
            self.rows[row].push(point);
            way.push(point);
        }
        way.push(to);
        for pair in way.windows(2) {
            self.below[pair[0]].push(pair[1]);
            self.above[pair[1]].push(pair[0]);
        }
        way
    }

    /// Orders the layers so that fewer lines cross.
    fn order(&mut self) {
        let (mut best, mut least) = (self.rows.clone(), self.crossings());
        for sweep in 0..SWEEPS {
            if least == 0 {
                break;
            }
            let down = sweep % 2 == 0;
            let rows: Vec<usize> = if down {
                (1..self.rows.len()).collect()
            } else {
                (0..self.rows.len().saturating_sub(1)).rev().collect()
            };
            for row in rows {
                let (fixed, next) = if down { (row - 1, &self.above) } else { (row + 1, &self.below) };
                let place = self.positions(fixed);
                let mut order: Vec<(f64, usize)> = self.rows[row]
                    .iter()
                    .enumerate()
                    .map(|(old, &node)| {
                        let beside = &next[node];
                        let mean = beside.iter().map(|other| place[*other]).sum::<f64>() / beside.len() as f64;
                        (if beside.is_empty() { old as f64 } else { mean }, node)
                    })
                    .collect();
                order.sort_by(|a, b| a.0.total_cmp(&b.0));
                self.rows[row] = order.into_iter().map(|(_, node)| node).collect();
            }
            let crossings = self.crossings();
            if crossings < least {
                (best, least) = (self.rows.clone(), crossings);
            }
        }
        self.rows = best;
    }

    /// The place of each node of a layer within it.
    fn positions(&self, row: usize) -> Vec<f64> {
        let mut place = vec![0.0; self.widths.len()];
        for (k, &node) in self.rows[row].iter().enumerate() {
            place[node] = k as f64;
        }
        place
    }

    /// How many lines cross between neighbouring layers.
    fn crossings(&self) -> usize {
        let mut crossings = 0;
        for row in 1..self.rows.len() {
            let place = self.positions(row - 1);
            // The upper ends in the order of the lower ones: each pair that is out of order crosses.
            let mut ends: Vec<f64> = Vec::new();
            for &node in &self.rows[row] {
                let mut above: Vec<f64> = self.above[node].iter().map(|&other| place[other]).collect();
                above.sort_by(f64::total_cmp);
                for end in above {
                    let after = ends.partition_point(|&known| known <= end);
                    crossings += ends.len() - after;
                    ends.insert(after, end);
                }
            }
        }
        crossings
    }

    /// Places along a layer: side by side, then again and again near the mean of their neighbours, as far as others leave room.
    fn place(&self) -> Vec<f64> {
        let mut x = vec![0.0; self.widths.len()];
        for row in &self.rows {
            let mut next = EDGE;
            for &node in row {
                x[node] = next + self.widths[node] / 2.0;
                next += self.widths[node] + BESIDE;
            }
        }
        for sweep in 0..12 {
            let down = sweep % 2 == 0;
            for k in 0..self.rows.len() {
                let row = if down { k } else { self.rows.len() - 1 - k };
                let next = if down { &self.above } else { &self.below };
                let wanted = |node: usize| {
                    let beside = &next[node];
                    if beside.is_empty() {
                        x[node]
                    } else {
                        beside.iter().map(|&other| x[other]).sum::<f64>() / beside.len() as f64
                    }
                };
                let wanted: Vec<f64> = self.rows[row].iter().map(|&node| wanted(node)).collect();
                for (&node, place) in self.rows[row].iter().zip(self.apart(row, &wanted)) {
                    x[node] = place;
                }
            }
        }
        let left = (0..x.len()).map(|node| x[node] - self.widths[node] / 2.0).fold(f64::INFINITY, f64::min);
        if left.is_finite() {
            for x in &mut x {
                *x += EDGE - left;
            }
        }
        x
    }

    /// The mean of what lies nearest to the wanted places from the left and from the right: neighbours keep their distance.
    fn apart(&self, row: usize, wanted: &[f64]) -> Vec<f64> {
        let nodes = &self.rows[row];
        let gap = |k: usize| f64::midpoint(self.widths[nodes[k]], self.widths[nodes[k + 1]]) + BESIDE;
        let mut right = wanted.to_vec();
        for k in 1..nodes.len() {
            right[k] = right[k].max(right[k - 1] + gap(k - 1));
        }
        let mut left = wanted.to_vec();
        for k in (0..nodes.len().saturating_sub(1)).rev() {
            left[k] = left[k].min(left[k + 1] - gap(k));
        }
        right.iter().zip(&left).map(|(a, b)| f64::midpoint(*a, *b)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(sizes: &[(f64, f64)], reads: &[Vec<usize>]) -> Layout {
        let layout = layout(sizes, reads);
        let inside = |x: f64, y: f64| x >= 0.0 && y >= 0.0 && x <= layout.size.0 && y <= layout.size.1;
        for (place, size) in layout.places.iter().zip(sizes) {
            assert!(inside(place.0 - size.0 / 2.0, place.1 - size.1 / 2.0), "{place:?}");
            assert!(inside(place.0 + size.0 / 2.0, place.1 + size.1 / 2.0), "{place:?}");
        }
        assert!(layout.routes.iter().flatten().all(|&(x, y)| inside(x, y)));
        for a in 0..sizes.len() {
            for b in 0..a {
                let (dx, dy) =
                    ((layout.places[a].0 - layout.places[b].0).abs(), (layout.places[a].1 - layout.places[b].1).abs());
                let apart = dx * 2.0 >= sizes[a].0 + sizes[b].0 || dy * 2.0 >= sizes[a].1 + sizes[b].1;
                assert!(apart, "{a} lies on {b}");
            }
            assert!(
                reads[a].iter().all(|&read| layout.places[read].1 < layout.places[a].1),
                "{a} is not below what it reads"
            );
        }
        layout
    }

    #[test]
    fn nodes_lie_below_what_they_read_and_never_on_each_other() {
        let mut state = 1_u64;
        let mut next = |n: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % n
        };
        for nodes in [0, 1, 2, 5, 20, 60] {
            let sizes: Vec<(f64, f64)> =
                (0..nodes).map(|_| (30.0 + next(150) as f64, 25.0 + next(60) as f64)).collect();
            let reads: Vec<Vec<usize>> =
                (0..nodes).map(|node| (0..if node == 0 { 0 } else { next(3) }).map(|_| next(node)).collect()).collect();
            held(&sizes, &reads);
        }
    }

    #[test]
    fn two_lines_that_need_not_cross_do_not() {
        // 0 and 1 above, 2 reads 1, 3 reads 0.
        let layout = held(&[(40.0, 20.0); 4], &[vec![], vec![], vec![1], vec![0]]);
        let side = |a: usize, b: usize| layout.places[a].0 < layout.places[b].0;
        assert_eq!(side(0, 1), side(3, 2));
    }
}
