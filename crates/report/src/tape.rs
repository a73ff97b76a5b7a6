//! The tape of a loss as a graph.

use crate::Recording;
use crate::page::Page;
use crate::seen::Seen;

/// How many rows go onto the tape.
const ROWS: usize = 3;

pub(crate) fn write(page: &mut Page, seen: &Seen) {
    page.section("The tape");
    let rows: Vec<usize> = (0..seen.len().min(ROWS)).collect();
    page.says(&format!(
        "The loss of {} as the engine recorded it, from the features to the loss: each operation with its shape, its value, the derivative of the \
         loss with respect to it (cotangent), and the line of the program.",
        seen.of_all(rows.len())
    ));
    page.picture(&Recording::of_loss(seen.model, &seen.data.batch(&rows)).graph().picture());
}
