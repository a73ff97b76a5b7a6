//! Recurrent layers and attention.

use crate::case::{Call, Case, Given};
use nn::Activation;
use nn::generator;
use nn::layers::{Cell, LayerNorm, Mask, MultiheadAttention, Recurrent, TransformerBlock};

pub(crate) fn compare(case: &Case) -> Option<Result<(), String>> {
    let rng = &mut generator(0);
    Some(match &case.layer[..] {
        "RNN" | "GRU" | "LSTM" => {
            let cell = match &case.layer[..] {
                "GRU" => Cell::Gru,
                "LSTM" => Cell::Lstm,
                _ if case.word("nonlinearity", "tanh") == "relu" => Cell::Relu,
                _ => Cell::Tanh,
            };
            let sizes = [case.size("input_size", 1), case.size("hidden_size", 1)];
            let make = if case.flag("bidirectional", false) { Recurrent::in_both_directions } else { Recurrent::new };
            let mut layer = make(cell, sizes, case.size("num_layers", 1), rng);
            layer.batch_first = case.flag("batch_first", false);
            if !case.flag("bias", true) {
                layer = layer.without_bias();
            }
            case.of(layer, |layer, call| {
                let states = ["h_0", "c_0"].into_iter().filter_map(|name| call.named(name));
                let states = states.filter_map(|given| if let Given::Numbers(x) = given { Some(*x) } else { None });
                let (y, last) = layer.forward(call.numbers(0)?, &states.collect::<Vec<_>>());
                Ok([vec![y], last].concat())
            })
        }
        "MultiheadAttention" => {
            let (width, heads) = (case.size("embed_dim", 1), case.size("num_heads", 1));
            let widths = [case.size("kdim", width), case.size("vdim", width)];
            let mut layer = if widths == [width, width] {
                MultiheadAttention::new(width, heads, rng)
            } else {
                MultiheadAttention::of_widths(width, widths, heads, rng)
            };
            layer.batch_first = case.flag("batch_first", false);
            layer.zero_key = case.flag("add_zero_attn", false);
            if !case.flag("bias", true) {
                layer = layer.without_bias();
            }
            if case.flag("add_bias_kv", false) {
                layer = layer.with_bias_key(rng);
            }
            case.of(layer, |layer, call| {
                let given = [call.numbers(0)?, call.numbers(1)?, call.numbers(2)?];
                let masks = [mask(call, "key_padding_mask"), mask(call, "attn_mask")];
                let (y, weights) = layer.forward(given, masks[0], masks[1], &call.context);
                Ok(vec![y, weights])
            })
        }
        "TransformerEncoderLayer" => {
            let (width, heads) = (case.size("d_model", 1), case.size("nhead", 1));
            let mut layer = TransformerBlock::new(width, heads, case.size("dim_feedforward", 2048), rng);
            layer.self_attn.batch_first = case.flag("batch_first", false);
            layer.norm_first = case.flag("norm_first", false);
            layer.activation =
                if case.word("activation", "relu") == "gelu" { Activation::Gelu } else { Activation::Relu };
            let epsilon = case.number("layer_norm_eps", 1e-5);
            layer.norm1 = LayerNorm { epsilon, ..layer.norm1 };
            layer.norm2 = LayerNorm { epsilon, ..layer.norm2 };
            if !case.flag("bias", true) {
                layer = layer.without_bias();
            }
            case.of(layer, |layer, call| {
                let masks = [mask(call, "src_key_padding_mask"), mask(call, "src_mask")];
                Ok(vec![layer.forward(call.numbers(0)?, masks[0], masks[1], &call.context)])
            })
        }
        _ => return None,
    })
}

fn mask<'t>(call: &Call<'t>, name: &str) -> Option<Mask<'t>> {
    match call.named(name)? {
        Given::Mask(hidden) => Some(Mask::Hide(call.tape.var(hidden))),
        Given::Numbers(added) => Some(Mask::Add(*added)),
        Given::Integers(_) => None,
    }
}
