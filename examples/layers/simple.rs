//! Layers without a family.

use crate::case::Case;
use nn::layers::{Bilinear, Embedding};
use nn::{Init, Linear, generator};

pub(crate) fn compare(case: &Case) -> Option<Result<(), String>> {
    let (rng, init) = (&mut generator(0), Init::Zeros);
    Some(match &case.layer[..] {
        "Linear" => {
            let layer = Linear::new([case.size("in_features", 1), case.size("out_features", 1)], init, rng);
            let layer = if case.flag("bias", true) { layer } else { Linear { bias: None, ..layer } };
            case.of(layer, |layer, call| Ok(vec![layer.forward(call.numbers(0)?)]))
        }
        "Bilinear" => {
            let inputs = [case.size("in1_features", 1), case.size("in2_features", 1)];
            let layer = Bilinear::new(inputs, case.size("out_features", 1), rng);
            let layer = if case.flag("bias", true) { layer } else { Bilinear { bias: None, ..layer } };
            case.of(layer, |layer, call| Ok(vec![layer.forward(call.numbers(0)?, call.numbers(1)?)]))
        }
        "Embedding" => {
            let layer = Embedding::new(case.size("num_embeddings", 1), case.size("embedding_dim", 1), rng);
            let padding = case.args["padding_idx"].as_u64();
            let layer = padding.map_or_else(|| layer.clone(), |padding| layer.clone().with_padding(padding as usize));
            case.of(layer, |layer, call| Ok(vec![layer.forward(&call.integers(0)?)]))
        }
        "Flatten" => {
            let [start, end] =
                [("start_dim", 1), ("end_dim", -1)].map(|(name, default)| case.args[name].as_i64().unwrap_or(default));
            let rank = case.shape_of(0).len() as i64;
            let place = |axis: i64| (if axis < 0 { axis + rank } else { axis }) as usize;
            let shape = case.shape_of(0);
            let middle = shape[place(start)..=place(end)].iter().product::<usize>();
            let flat = [&shape[..place(start)], &[middle], &shape[place(end) + 1..]].concat();
            case.of_function(|call| Ok(vec![call.numbers(0)?.reshape(flat.clone())]))
        }
        _ => return None,
    })
}
