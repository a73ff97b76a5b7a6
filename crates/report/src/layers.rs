//! Weights and gradients of each layer.

use crate::curves::{is_norm, time, trainings};
use crate::page::Page;
use crate::seen::Seen;
use autograd::{Tape, Tensor, grad};
use nn::data::BatchVars;
use nn::train::History;
use picture::{Heat, Table, Tone};

/// How many layers are drawn.
const MOST: usize = 5;
/// How many steps of training are drawn.
const MOST_STEPS: usize = 48;

pub(crate) fn write(page: &mut Page, seen: &Seen, history: Option<&History>) {
    page.section("Weights and gradients of each layer");
    let rows = seen.some(2000);
    let tape = Tape::new();
    let net = tape.vars(&seen.model.net);
    let vars = BatchVars::new(&tape, &seen.data.batch(&rows));
    let slopes = tape.values(&grad(vars.loss(net.forward(vars.features)), &net));
    page.says(&format!(
        "The weights of each layer after training, and the gradient of the loss of {}. Weights that are all near 0 do nothing; a gradient that is \
         small against the weights says that training has come to rest.",
        seen.of_all(rows.len())
    ));
    let norm = |all: &Tensor| all.as_slice().iter().map(|x| x * x).sum::<f64>().sqrt();
    let mut table = Table::new(
        "Each tensor",
        &["tensor", "size of the weights (norm)", "largest weight", "size of the gradient (norm)"],
    );
    for (i, (layer, slope)) in seen.model.net.layers.iter().zip(&slopes.layers).enumerate() {
        for (name, tensor, slope) in
            [("weight", Some(&layer.weight), Some(&slope.weight)), ("bias", layer.bias.as_ref(), slope.bias.as_ref())]
        {
            if let (Some(tensor), Some(slope)) = (tensor, slope) {
                let largest = tensor.as_slice().iter().fold(0.0, |most: f64, x| most.max(x.abs()));
                table.rows.push(vec![
                    format!("layers.{i}.{name}").into(),
                    norm(tensor).into(),
                    largest.into(),
                    norm(slope).into(),
                ]);
            }
        }
    }
    page.table(&table);
    let layers = seen.model.net.layers.len();
    for (i, (layer, slope)) in seen.model.net.layers.iter().zip(&slopes.layers).enumerate().take(MOST) {
        let columns = if i == 0 { seen.model.preprocess.names() } else { Vec::new() };
        let rows = if i + 1 == layers { seen.names().to_vec() } else { Vec::new() };
        let (y, x) = (if i + 1 == layers { "output" } else { "node" }, if i == 0 { "feature" } else { "node before" });
        let heat = |what: &str, tensor: &Tensor| {
            let cells = tensor.as_slice().chunks(tensor.shape()[1].max(1)).map(<[f64]>::to_vec).collect();
            let title = format!("{what} of layer {}", i + 1);
            let (rows, columns) = (rows.clone(), columns.clone());
            lying(Heat { title, y: y.into(), x: x.into(), rows, columns, cells, tone: Tone::Signed })
        };
        page.picture(&heat("Weights", &layer.weight).picture());
        page.picture(&heat("Gradient", &slope.weight).picture());
    }
    if layers > MOST {
        page.note(&format!("The first {MOST} of {layers} layers are drawn."));
    }
    if let Some(history) = history {
        over_time(page, history);
    }
}

/// What is higher than wide lies down, where it would be long.
fn lying(heat: Heat) -> Heat {
    let (m, n) = (heat.cells.len(), heat.cells.first().map_or(0, Vec::len));
    if m <= 20 || m <= n {
        return heat;
    }
    let cells = (0..n).map(|column| heat.cells.iter().map(|row| row[column]).collect()).collect();
    Heat { y: heat.x, x: heat.y, rows: heat.columns, columns: heat.rows, cells, ..heat }
}

/// How large weights and gradients were, step by step.
fn over_time(page: &mut Page, history: &History) {
    // Of several trainings, the last, from which the net came, and of its nets the last.
    let own = trainings(history).pop().map(|(_, rows)| rows).unwrap_or_default();
    let made = own.len();
    let times = history.column(time(history)).unwrap_or_else(|| (1..=history.len()).map(|row| row as f64).collect());
    let steps: Vec<usize> = if own.len() <= MOST_STEPS {
        own
    } else {
        (0..MOST_STEPS).map(|k| own[k * (own.len() - 1) / (MOST_STEPS - 1)]).collect()
    };
    let norms: Vec<&String> = history.names.iter().filter(|name| is_norm(name)).collect();
    if norms.is_empty() || steps.is_empty() {
        return;
    }
    page.heading("Over time");
    let drawn = if steps.len() < made { format!(" Drawn are {} of {made} steps.", steps.len()) } else { String::new() };
    page.says(&format!(
        "How large the weights and the gradient of each layer were while it was trained: gradients become small where training comes to rest.{drawn}"
    ));
    for (start, title) in
        [("weights of ", "Size of weights over time"), ("gradient of ", "Size of gradients over time")]
    {
        let own: Vec<&&String> = norms.iter().filter(|name| name.starts_with(start)).collect();
        let cells = own
            .iter()
            .filter_map(|name| history.column(name))
            .map(|column| steps.iter().map(|&row| column[row]).collect());
        let heat = Heat {
            title: title.to_owned(),
            y: "layer".into(),
            x: time(history).to_owned(),
            rows: own.iter().map(|name| name[start.len()..].to_owned()).collect(),
            columns: steps.iter().map(|&row| picture::number(times[row])).collect(),
            cells: cells.collect(),
            tone: Tone::Logarithm,
        };
        if !heat.cells.is_empty() {
            page.picture(&heat.picture());
        }
    }
}
