//! Normalising layers.

use crate::case::Case;
use nn::layers::{BatchNorm, GroupNorm, InstanceNorm, LayerNorm, RmsNorm};
use serde_json::Value;

pub(crate) fn compare(case: &Case) -> Option<Result<(), String>> {
    let channels = case.size("num_features", case.size("num_channels", 1));
    Some(match &case.layer[..] {
        "LayerNorm" => {
            let mut layer = LayerNorm::new(last_axes(case));
            layer.epsilon = case.number("eps", layer.epsilon);
            if !case.flag("elementwise_affine", true) {
                layer = layer.without_affine();
            }
            if !case.flag("bias", true) {
                layer.bias = None;
            }
            case.of(layer, |layer, call| Ok(vec![layer.forward(call.numbers(0)?)]))
        }
        "RMSNorm" => {
            let mut layer = RmsNorm::new(last_axes(case));
            layer.epsilon = case.number("eps", layer.epsilon);
            if !case.flag("elementwise_affine", true) {
                layer = layer.without_affine();
            }
            case.of(layer, |layer, call| Ok(vec![layer.forward(call.numbers(0)?)]))
        }
        "BatchNorm1d" | "BatchNorm2d" | "BatchNorm3d" => {
            let mut layer = BatchNorm::new(channels);
            layer.epsilon = case.number("eps", layer.epsilon);
            if let Some(momentum) = case.args.get("momentum") {
                layer.momentum = momentum.as_f64();
            }
            if !case.flag("affine", true) {
                layer = layer.without_affine();
            }
            if !case.flag("track_running_stats", true) {
                layer = layer.without_running();
            }
            case.of(layer, |layer, call| Ok(vec![layer.forward(call.numbers(0)?, &call.context)]))
        }
        "GroupNorm" => {
            let mut layer = GroupNorm::new(case.size("num_groups", 1), channels);
            layer.epsilon = case.number("eps", layer.epsilon);
            if !case.flag("affine", true) {
                layer = layer.without_affine();
            }
            case.of(layer, |layer, call| Ok(vec![layer.forward(call.numbers(0)?)]))
        }
        "InstanceNorm1d" | "InstanceNorm2d" | "InstanceNorm3d" => {
            let mut layer = InstanceNorm::new();
            if case.flag("affine", false) {
                layer = layer.with_affine(channels);
            }
            if case.flag("track_running_stats", false) {
                layer = layer.with_running(channels);
            }
            layer.epsilon = case.number("eps", layer.epsilon);
            layer.momentum = case.number("momentum", layer.momentum);
            case.of(layer, |layer, call| Ok(vec![layer.forward(call.numbers(0)?, &call.context)]))
        }
        _ => return None,
    })
}

fn last_axes(case: &Case) -> Vec<usize> {
    let shape = &case.args["normalized_shape"];
    let sizes = shape.as_array().map_or(std::slice::from_ref(shape), Vec::as_slice);
    sizes.iter().filter_map(Value::as_u64).map(|size| size as usize).collect()
}
