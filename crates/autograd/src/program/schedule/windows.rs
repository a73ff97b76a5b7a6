//! Windows: parts of values, values with zeros around them, and broadcasts, which only element-wise operations of their shape read.
//! Each chain sees them as it goes, so nobody stores them.

use crate::float::Float;
use crate::ops::table::Kind;
use crate::program::graph::{Graph, Links};
use crate::program::layout::{Layout, is_element_wise};

/// Which nodes make windows.
pub(super) struct Windows {
    is: Vec<bool>,
}

impl Windows {
    /// All of a graph; none where there are no chains.
    pub(super) fn of<T: Float>(graph: &Graph<T>, links: &Links, chains: bool) -> Self {
        let mut is = vec![false; graph.nodes.len()];
        if !chains {
            return Self { is };
        }
        for (i, is) in is.iter_mut().enumerate() {
            let node = &graph.nodes[i];
            let layout = || Layout::of_member(graph, node, node.args[0]);
            *is = is_window(graph, i as u32) && layout().is_some();
        }
        graph.keep_read_by(links, &mut is, |node| is_element_wise(graph, node));
        Self { is }
    }

    pub(super) fn has(&self, node: u32) -> bool {
        self.is.get(node as usize) == Some(&true)
    }

    /// The value that is seen where nodes read this one: itself, or what it is a window of.
    pub(super) fn seen<T: Float>(&self, graph: &Graph<T>, links: &Links, value: u32) -> u32 {
        let maker = links.maker[value as usize];
        if self.has(maker) { graph.nodes[maker as usize].args[0] } else { value }
    }

    /// Adds the windows that members read; both in ascending order.
    pub(super) fn join<T: Float>(&self, graph: &Graph<T>, links: &Links, members: &mut Vec<u32>) {
        let args = members.iter().flat_map(|&node| &graph.nodes[node as usize].args);
        let mut windows: Vec<u32> = args.map(|&a| links.maker[a as usize]).filter(|&maker| self.has(maker)).collect();
        if !windows.is_empty() {
            members.append(&mut windows);
            members.sort_unstable();
            members.dedup();
        }
    }
}

/// Whether a node is a view as windows are; one that is in a chain is a window.
pub(in crate::program) fn is_window<T: Float>(graph: &Graph<T>, node: u32) -> bool {
    match graph.nodes[node as usize].kind() {
        Some(Kind::Read(_) | Kind::Roll(_)) => true,
        Some(Kind::AddAt(op)) => !op.0.sums_all(),
        _ => false,
    }
}
