//! Small pieces of JSON.

use serde_json::{Map, Value};

/// A number; what is not finite is `null`, as JSON has no such numbers.
pub(crate) fn number(x: f64) -> Value {
    serde_json::Number::from_f64(x).map_or(Value::Null, Value::Number)
}

/// An object of these, in this order where the writer keeps one.
pub(crate) fn object<N: Into<String>>(entries: impl IntoIterator<Item = (N, Value)>) -> Value {
    Value::Object(entries.into_iter().map(|(name, value)| (name.into(), value)).collect::<Map<_, _>>())
}
