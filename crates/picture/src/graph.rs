//! A graph of operations in layers.

mod layout;

use crate::Picture;
use crate::canvas::{Anchor, Canvas, SMALL, at};
use crate::table::{Cell, Table};
use crate::text::{count, cut, width};
use std::fmt::Write as _;

/// How many nodes one picture draws.
const MOST: usize = 300;
const LINE: f64 = 15.0;
const WIDEST: f64 = 230.0;

/// What a node is, which its outline tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NodeKind {
    /// A value from outside: round.
    Leaf,
    /// An operation: a box.
    #[default]
    Operation,
    /// What is asked for: a box in a box.
    Result,
}

/// An operation, and what is told of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    /// Its name, such as `#3 matmul`.
    pub name: String,
    /// What it is.
    pub kind: NodeKind,
    /// What else is told, each with its name: shape, value, cotangent, line.
    pub facts: Vec<(String, String)>,
    /// The places of the nodes that it reads, all of them before its own.
    pub reads: Vec<usize>,
}

/// Operations, and what each reads, in the order in which they were recorded.
///
/// ```
/// use picture::{Graph, Node, NodeKind};
/// let leaf = |name: &str| Node { name: name.into(), kind: NodeKind::Leaf, ..Node::default() };
/// let sum = Node { name: "add".into(), kind: NodeKind::Result, reads: vec![0, 1], ..Node::default() };
/// let graph = Graph { title: "x + y".into(), nodes: vec![leaf("x"), leaf("y"), sum] };
/// assert!(graph.dot().contains("n1 -> n2;"));
/// picture::well_formed(&graph.picture().svg("sum")).unwrap();
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// What it is of.
    pub title: String,
    /// The nodes. What a node reads and is not before it does not count.
    pub nodes: Vec<Node>,
}

impl Graph {
    /// Draws it from above to below: each node below all that it reads (longest path), those of a layer in the order that crosses the
    /// fewest lines that some sweeps of barycentres find (Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical
    /// system structures", 1981).
    pub fn picture(&self) -> Picture {
        let nodes = &self.nodes[..self.nodes.len().min(MOST)];
        let texts: Vec<Vec<String>> = nodes.iter().map(lines).collect();
        let size = |text: &Vec<String>| {
            let wide = text
                .iter()
                .enumerate()
                .map(|(k, line)| width(line) * if k == 0 { 13.5 } else { SMALL })
                .fold(30.0, f64::max);
            (wide.min(WIDEST) + 16.0, LINE * text.len() as f64 + 10.0)
        };
        let sizes: Vec<(f64, f64)> = texts.iter().map(size).collect();
        let reads: Vec<Vec<usize>> = nodes
            .iter()
            .enumerate()
            .map(|(place, node)| node.reads.iter().copied().filter(|&read| read < place).collect())
            .collect();
        let layout = layout::layout(&sizes, &reads);
        let mut canvas = Canvas::new();
        for route in &layout.routes {
            let mut d = format!("M{} {}", at(route[0].0), at(route[0].1));
            for pair in route.windows(2) {
                let ((x, y), (to_x, to_y)) = (pair[0], pair[1]);
                let middle = f64::midpoint(y, to_y);
                let _ = write!(d, "C{} {m} {} {m} {} {}", at(x), at(to_x), at(to_x), at(to_y), m = at(middle));
            }
            canvas.arrow(&d, "axis");
        }
        for (place, node) in nodes.iter().enumerate() {
            let ((x, y), (wide, high)) = (layout.places[place], sizes[place]);
            let (left, top) = (x - wide / 2.0, y - high / 2.0);
            match node.kind {
                NodeKind::Leaf => canvas.round([left, top, wide, high], (high / 2.0).min(16.0), "box"),
                NodeKind::Operation => canvas.rect([left, top, wide, high], "box"),
                NodeKind::Result => {
                    canvas.rect([left - 3.0, top - 3.0, wide + 6.0, high + 6.0], "box");
                    canvas.rect([left, top, wide, high], "box");
                }
            }
            for (k, line) in texts[place].iter().enumerate() {
                let class = if k == 0 { "strong" } else { "small" };
                canvas.text((x, top + 16.0 + LINE * k as f64), Anchor::Middle, class, line);
            }
        }
        Picture::new(&self.title, self.description(layout.layers), self.table(), layout.size, canvas)
    }

    fn description(&self, layers: usize) -> String {
        let n = self.nodes.len();
        let leaves = self.nodes.iter().filter(|node| node.kind == NodeKind::Leaf).count();
        let mut text = format!(
            "{}, {} of them from outside (round), in {}; arrows go from what is read to what reads it.",
            count(n, "node", "nodes"),
            leaves,
            count(layers, "layer", "layers")
        );
        if n > MOST {
            put!(text, " The first {MOST} are drawn, the others are in the table alone.");
        }
        text
    }

    fn table(&self) -> Table {
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in self.nodes.iter().flat_map(|node| &node.facts) {
            if !names.contains(&&name[..]) {
                names.push(name);
            }
        }
        let mut table = Table::new(&self.title[..], &["node", "reads"]);
        table.most_rows = Some(MOST);
        table.columns.extend(names.iter().map(|&name| name.to_owned()));
        for node in &self.nodes {
            let reads: Vec<&str> =
                node.reads.iter().filter_map(|&read| self.nodes.get(read)).map(|read| &read.name[..]).collect();
            let mut row = vec![Cell::text(&node.name[..]), Cell::text(reads.join(", "))];
            let fact = |name: &str| node.facts.iter().find(|fact| fact.0 == name).map_or("", |fact| &fact.1[..]);
            row.extend(names.iter().map(|name| Cell::text(fact(name))));
            table.rows.push(row);
        }
        table
    }

    /// The same graph in the language of Graphviz.
    pub fn dot(&self) -> String {
        let mut dot = String::from("digraph {\n  node [fontname=\"sans-serif\"];\n");
        let _ = writeln!(dot, "  label={};", quoted(&self.title));
        for (place, node) in self.nodes.iter().enumerate() {
            let facts = node.facts.iter().map(|(name, fact)| format!("{name} {fact}"));
            let label = std::iter::once(node.name.clone()).chain(facts).collect::<Vec<_>>().join("\n");
            let shape = match node.kind {
                NodeKind::Leaf => "shape=box, style=rounded",
                NodeKind::Operation => "shape=box",
                NodeKind::Result => "shape=box, peripheries=2",
            };
            let _ = writeln!(dot, "  n{place} [label={}, {shape}];", quoted(&label));
        }
        for (place, node) in self.nodes.iter().enumerate() {
            for read in node.reads.iter().filter(|&&read| read < place) {
                let _ = writeln!(dot, "  n{read} -> n{place};");
            }
        }
        dot.push_str("}\n");
        dot
    }
}

/// What stands in a node.
fn lines(node: &Node) -> Vec<String> {
    let fact = |(name, fact): &(String, String)| {
        // A shape or a line tells by itself what it is.
        if name == "shape" || name == "line" { fact.clone() } else { format!("{name} {fact}") }
    };
    let facts = node.facts.iter().filter(|fact| !fact.1.is_empty()).map(|told| cut(&fact(told), WIDEST / SMALL));
    std::iter::once(cut(&node.name, WIDEST / 13.5)).chain(facts).take(8).collect()
}

/// A string of DOT, whose line breaks are lines of a label.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
