//! Statistics of initialisers.

use autograd::Tensor;
use nn::{Init, generator};
use serde_json::Value;

/// Compares mean, variance and bounds of several hundred thousand entries with what is expected.
pub(crate) fn compare(row: &Value) -> Result<(), String> {
    let init = initialiser(row)?;
    let shape: Vec<usize> =
        row["shape"].as_array().into_iter().flatten().filter_map(Value::as_u64).map(|n| n as usize).collect();
    let number = |key: &str| row[key].as_f64().unwrap_or(f64::NAN);
    let rng = &mut generator(0);
    let mut entries: Vec<f64> = Vec::new();
    while entries.len() < 200_000 {
        let weight: Tensor = init.sample(shape.clone(), rng);
        orthonormal(row, &weight)?;
        entries.extend(weight.as_slice());
    }
    let n = entries.len() as f64;
    let mean = entries.iter().sum::<f64>() / n;
    let variance = entries.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    let (want, spread) = (number("variance"), number("variance_se"));
    if (mean - number("mean")).abs() > 5.0 * (want / n).sqrt() + 1e-12 {
        return Err(format!("the mean is {mean}, {} is expected", number("mean")));
    }
    if (variance / want - 1.0).abs() > 5.0 * spread / n.sqrt() + 1e-3 && want > 0.0 {
        return Err(format!("the variance is {variance}, {want} is expected"));
    }
    let [low, high] = ["lower", "upper"].map(|key| row[key].as_f64());
    let outside =
        entries.iter().find(|&&x| low.is_some_and(|low| x < low - 1e-12) || high.is_some_and(|high| x > high + 1e-12));
    outside.map_or(Ok(()), |x| Err(format!("{x} is out of bounds")))
}

fn initialiser(row: &Value) -> Result<Init, String> {
    let args = &row["args"];
    let of = |key: &str, default: f64| args[key].as_f64().unwrap_or(default);
    let by_out = args["mode"] == "fan_out";
    let kaiming_gain = row["gain"].as_f64().unwrap_or(2_f64.sqrt());
    Ok(match row["name"].as_str().unwrap_or_default() {
        "uniform_" => Init::Uniform { low: of("a", 0.0), high: of("b", 1.0) },
        "normal_" => Init::Normal { mean: of("mean", 0.0), std: of("std", 1.0) },
        "trunc_normal_" => {
            let (low, high) = (of("a", -2.0), of("b", 2.0));
            Init::TruncatedNormal { mean: of("mean", 0.0), std: of("std", 1.0), low, high }
        }
        "constant_" => Init::Constant(of("val", 0.0)),
        "zeros_" => Init::Zeros,
        "ones_" => Init::Constant(1.0),
        "xavier_uniform_" => Init::XavierUniform { gain: of("gain", 1.0) },
        "xavier_normal_" => Init::XavierNormal { gain: of("gain", 1.0) },
        "kaiming_uniform_" if by_out => Init::KaimingUniformOut { gain: kaiming_gain },
        "kaiming_uniform_" => Init::KaimingUniform { gain: kaiming_gain },
        "kaiming_normal_" if by_out => Init::KaimingNormalOut { gain: kaiming_gain },
        "kaiming_normal_" => Init::KaimingNormal { gain: kaiming_gain },
        "orthogonal_" => Init::Orthogonal { gain: of("gain", 1.0) },
        other => return Err(format!("the initialiser {other} is not known")),
    })
}

/// The rows or columns of an orthogonal matrix, divided by the gain.
fn orthonormal(row: &Value, weight: &Tensor) -> Result<(), String> {
    let Some(which) = row["orthonormal"].as_str() else { return Ok(()) };
    let rows = weight.shape()[0];
    let columns = weight.numel() / rows;
    let gain = row["args"]["gain"].as_f64().unwrap_or(1.0);
    let at = |i: usize, j: usize| weight.as_slice()[i * columns + j] / gain;
    let (count, length) = if which == "rows" { (rows, columns) } else { (columns, rows) };
    for a in 0..count {
        for b in 0..=a {
            let product: f64 =
                (0..length).map(|k| if which == "rows" { at(a, k) * at(b, k) } else { at(k, a) * at(k, b) }).sum();
            if (product - f64::from(u8::from(a == b))).abs() > 1e-12 {
                return Err(format!("{which} {a} and {b} have the product {product}"));
            }
        }
    }
    Ok(())
}
