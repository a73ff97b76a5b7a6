//! What a run is made with.

use crate::error::shown;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use std::fmt;

/// Values by name, such as a rate and a width: plain data, written as a JSON object.
///
/// ```
/// use nn::sweep::Settings;
/// use serde_json::json;
/// let settings = Settings::from([("rate", json!(0.01)), ("hidden", json!([32, 16])), ("activation", json!("Tanh"))]);
/// assert_eq!(settings.number("rate"), 0.01);
/// assert_eq!(settings.read::<Vec<usize>>("hidden"), [32, 16]);
/// assert_eq!(settings.read::<nn::Activation>("activation"), nn::Activation::Tanh);
/// assert_eq!(settings.to_string(), "activation=Tanh hidden=[32,16] rate=0.01");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Settings {
    /// The values.
    pub values: Map<String, Value>,
}

impl Settings {
    /// A value, where there is one of this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// A number.
    ///
    /// # Panics
    /// Where there is no value of this name, or it is no number.
    #[track_caller]
    pub fn number(&self, name: &str) -> f64 {
        self.needed("Settings::number", name, "a number", Value::as_f64)
    }

    /// A count, such as a width: a whole number of 0 or more.
    ///
    /// # Panics
    /// Where there is no value of this name, or it is no such number.
    #[track_caller]
    pub fn count(&self, name: &str) -> usize {
        let count = |value: &Value| usize::try_from(value.as_u64()?).ok();
        self.needed("Settings::count", name, "a whole number of 0 or more", count)
    }

    /// A text, such as a choice among words.
    ///
    /// # Panics
    /// Where there is no value of this name, or it is no text.
    #[track_caller]
    pub fn text(&self, name: &str) -> &str {
        match self.get(name) {
            Some(Value::String(text)) => text,
            found => self.wrong("Settings::text", name, "a text", found, ""),
        }
    }

    /// A value of any type that [`serde`] reads, such as a `bool`, a `Vec<usize>`, or an [`Activation`](crate::Activation).
    ///
    /// # Panics
    /// Where there is no value of this name, or it is of another type.
    #[track_caller]
    pub fn read<D: DeserializeOwned>(&self, name: &str) -> D {
        let Some(value) = self.get(name) else { self.wrong("Settings::read", name, "a value", None, "") };
        match D::deserialize(value) {
            Ok(read) => read,
            Err(error) => {
                let kind = std::any::type_name::<D>().rsplit("::").next().unwrap_or("value");
                self.wrong("Settings::read", name, &format!("a `{kind}`"), Some(value), &format!(" ({error})"))
            }
        }
    }

    #[track_caller]
    fn needed<D>(&self, function: &str, name: &str, expected: &str, read: impl Fn(&Value) -> Option<D>) -> D {
        match self.get(name).map(|value| (read(value), value)) {
            Some((Some(read), _)) => read,
            found => self.wrong(function, name, expected, found.map(|(_, value)| value), ""),
        }
    }

    #[track_caller]
    fn wrong(&self, function: &str, name: &str, expected: &str, found: Option<&Value>, why: &str) -> ! {
        let found = match found {
            Some(value) => format!("it is `{}`{}", shown(&value.to_string()), shown(why)),
            None => format!("there are {}", self.names()),
        };
        panic!("{function}: {expected} is needed for `{}`, {found}", shown(name))
    }

    fn names(&self) -> String {
        let names: Vec<String> = self.values.keys().map(|name| format!("`{}`", shown(name))).collect();
        if names.is_empty() { "no settings".to_owned() } else { names.join(", ") }
    }

    /// The same text for the same settings, whatever order they were put in.
    pub(super) fn key(&self) -> String {
        let sorted: std::collections::BTreeMap<_, _> = self.values.iter().collect();
        serde_json::to_string(&sorted).expect("names are texts")
    }
}

impl<const N: usize> From<[(&str, Value); N]> for Settings {
    fn from(values: [(&str, Value); N]) -> Self {
        values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

impl FromIterator<(String, Value)> for Settings {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(values: I) -> Self {
        Self { values: values.into_iter().collect() }
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each: Vec<String> = self.values.iter().map(|(name, x)| format!("{}={}", shown(name), told(x))).collect();
        f.write_str(&each.join(" "))
    }
}

/// A value as a person reads it: texts without quotes, long numbers rounded.
pub(super) fn told(value: &Value) -> String {
    match value {
        Value::String(text) => shown(text),
        Value::Number(number) => match number.as_f64() {
            Some(x) if number.is_f64() => short(x),
            _ => number.to_string(),
        },
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => shown(&value.to_string()),
    }
}

/// A number in few characters: all its digits where they are few, else four.
pub(super) fn short(x: f64) -> String {
    let plain = format!("{x:?}");
    if plain.len() <= 7 {
        return plain;
    }
    let (size, rounded) = (x.abs(), format!("{x:.3e}").parse().unwrap_or(x));
    if (1e-4..1e5).contains(&size) { format!("{rounded}") } else { format!("{rounded:e}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_shown_in_few_characters() {
        let shown = [0.1, 1e-5, 0.012345678, 123456.789, 1.2345678e-7, 2.0, -0.33333333].map(short);
        assert_eq!(shown, ["0.1", "1e-5", "0.01235", "1.235e5", "1.235e-7", "2.0", "-0.3333"]);
    }

    #[test]
    fn the_key_tells_types_and_bits_apart() {
        let key = |value: Value| Settings::from([("x", value)]).key();
        assert_ne!(key(json!(1)), key(json!(1.0)));
        assert_ne!(key(json!(0.1)), key(json!(0.1 + 1e-17_f64.max(f64::EPSILON))));
        assert_ne!(key(json!("1")), key(json!(1)));
    }
}
