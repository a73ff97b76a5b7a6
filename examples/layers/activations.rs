//! Activations.

use crate::case::Case;
use nn::Activation;
use nn::layers::{PRelu, glu};

pub(crate) fn compare(case: &Case) -> Option<Result<(), String>> {
    let axis = |default: i64| case.args["dim"].as_i64().unwrap_or(default) as isize;
    let activation = match &case.layer[..] {
        "PReLU" => {
            let layer = PRelu::new(case.size("num_parameters", 1));
            return Some(case.of(layer, |layer, call| Ok(vec![layer.forward(call.numbers(0)?)])));
        }
        "Softmax" => return Some(case.of_function(|call| Ok(vec![call.numbers(0)?.softmax(axis(-1))]))),
        "LogSoftmax" => return Some(case.of_function(|call| Ok(vec![call.numbers(0)?.log_softmax(axis(-1))]))),
        "GLU" => return Some(case.of_function(|call| Ok(vec![glu(call.numbers(0)?, axis(-1))]))),
        "GELU" if case.word("approximate", "none") == "tanh" => Activation::GeluTanh,
        "GELU" => Activation::Gelu,
        "SiLU" => Activation::Silu,
        "Mish" => Activation::Mish,
        "ELU" => Activation::Elu { alpha: case.number("alpha", 1.0) },
        "SELU" => Activation::Selu,
        "CELU" => Activation::Celu { alpha: case.number("alpha", 1.0) },
        "ReLU" => Activation::Relu,
        "LeakyReLU" => Activation::LeakyRelu { slope: case.number("negative_slope", 0.01) },
        "Tanh" => Activation::Tanh,
        "Sigmoid" => Activation::Sigmoid,
        "Softplus" if case.number("beta", 1.0) == 1.0 => Activation::Softplus,
        "Softsign" => Activation::Softsign,
        "Hardtanh" => Activation::Hardtanh { low: case.number("min_val", -1.0), high: case.number("max_val", 1.0) },
        "ReLU6" => Activation::Hardtanh { low: 0.0, high: 6.0 },
        "Hardswish" => Activation::Hardswish,
        "Softshrink" => Activation::Softshrink { lambda: case.number("lambd", 0.5) },
        "Identity" => Activation::Identity,
        _ => return None,
    };
    Some(case.of_function(|call| Ok(vec![activation.apply(call.numbers(0)?)])))
}
