//! Convolutions and pooling.

use crate::case::Case;
use autograd::Conv;
use nn::generator;
use nn::layers::{Conv1d, Conv2d, ConvTranspose2d, Edges, Window, adaptive_mean};
use serde_json::Value;

/// A convolution of one kind as a case tells it.
macro_rules! convolution {
    ($case:ident, $layer:ident, $d:literal) => {{
        let conv = Conv {
            stride: $case.sizes("stride", 1),
            padding: if $case.word("padding", "").is_empty() { $case.sizes("padding", 0) } else { [0; $d] },
            dilation: $case.sizes("dilation", 1),
            groups: $case.size("groups", 1),
        };
        let channels = [$case.size("in_channels", 1), $case.size("out_channels", 1)];
        let mut layer = $layer::with(channels, $case.sizes("kernel_size", 1), conv, &mut generator(0));
        if $case.word("padding", "") == "same" {
            layer = layer.same();
        }
        layer.edges = match $case.word("padding_mode", "zeros") {
            "reflect" => Edges::Reflect,
            "replicate" => Edges::Replicate,
            "circular" => Edges::Circular,
            _ => Edges::Zeros,
        };
        if !$case.flag("bias", true) {
            layer.bias = None;
        }
        $case.of(layer, |layer, call| Ok(vec![layer.forward(call.numbers(0)?)]))
    }};
}

pub(crate) fn compare(case: &Case) -> Option<Result<(), String>> {
    Some(match &case.layer[..] {
        "Conv1d" => convolution!(case, Conv1d, 1),
        "Conv2d" => convolution!(case, Conv2d, 2),
        "ConvTranspose2d" => {
            let conv = Conv {
                stride: case.sizes("stride", 1),
                padding: case.sizes("padding", 0),
                dilation: case.sizes("dilation", 1),
                groups: case.size("groups", 1),
            };
            let channels = [case.size("in_channels", 1), case.size("out_channels", 1)];
            let mut layer = ConvTranspose2d::new(channels, case.sizes("kernel_size", 1), conv, &mut generator(0));
            layer.output_padding = case.sizes("output_padding", 0);
            if !case.flag("bias", true) {
                layer.bias = None;
            }
            case.of(layer, |layer, call| Ok(vec![layer.forward(call.numbers(0)?)]))
        }
        "MaxPool1d" => case.of_function(|call| Ok(vec![window(case, true).max_along(call.numbers(0)?)])),
        "MaxPool2d" => case.of_function(|call| Ok(vec![window(case, false).max(call.numbers(0)?)])),
        "AvgPool1d" => case.of_function(|call| Ok(vec![window(case, true).mean_along(call.numbers(0)?)])),
        "AvgPool2d" => case.of_function(|call| Ok(vec![window(case, false).mean(call.numbers(0)?)])),
        "AdaptiveAvgPool2d" => {
            let size = |value: &Value| value.as_u64().map(|size| size as usize);
            let both = &case.args["output_size"];
            let sizes = both.as_array().map_or([size(both); 2], |sizes| [size(&sizes[0]), size(&sizes[1])]);
            case.of_function(|call| Ok(vec![adaptive_mean(call.numbers(0)?, sizes)]))
        }
        _ => return None,
    })
}

/// The window of a case; along one axis it has the height 1.
fn window(case: &Case, along: bool) -> Window {
    let of = |name: &str, default: [usize; 2], row: usize| {
        let given = !case.args[name].is_null();
        match (given, along) {
            (false, _) => default,
            (true, false) => case.sizes(name, 0),
            (true, true) => [row, case.sizes::<1>(name, 0)[0]],
        }
    };
    let kernel = of("kernel_size", [1, 1], 1);
    Window {
        kernel,
        stride: of("stride", kernel, 1),
        padding: of("padding", [0, 0], 0),
        dilation: of("dilation", [1, 1], 1),
        to_the_end: case.flag("ceil_mode", false),
        counts_padding: case.flag("count_include_pad", true),
        divisor: case.args["divisor_override"].as_u64().map(|divisor| divisor as usize),
    }
}
