//! A state's next value and an output must have a buffer of their own: where they are leaves, or one value is wanted twice,
//! they are copied. No option; programs rest on it.

use crate::float::Float;
use crate::program::graph::Graph;
use crate::program::ids::IdSet;

pub(super) fn add_copies<T: Float>(graph: &mut Graph<T>) {
    let mut taken = IdSet::default();
    let mut own = |graph: &mut Graph<T>, list: Vec<u32>, unchanged: &[u32]| -> Vec<u32> {
        let mut result = Vec::new();
        for (k, value) in list.into_iter().enumerate() {
            let stays = unchanged.get(k) == Some(&value) || (graph.is_computed(value) && !taken.contains(&value));
            taken.insert(value);
            result.push(if stays { value } else { graph.copy(value) });
        }
        result
    };
    let (next, outputs) = (std::mem::take(&mut graph.next), std::mem::take(&mut graph.outputs));
    let state = graph.state.clone();
    graph.next = own(graph, next, &state);
    graph.outputs = own(graph, outputs, &[]);
}
