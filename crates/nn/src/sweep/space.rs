//! What settings there may be, and how some of them are taken.

use super::{List, Settings};
use crate::error::{Error, Kind, shown};
use crate::random::{Generator, Purpose, stream};
use rand::RngExt;
use serde_json::Value;

/// What a setting may be.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Range {
    /// Any number between two, each as likely.
    Uniform {
        /// The least.
        low: f64,
        /// The greatest.
        high: f64,
    },
    /// Any number between two above 0, whose logarithms are alike in likelihood: for rates and penalties.
    LogUniform {
        /// The least.
        low: f64,
        /// The greatest.
        high: f64,
    },
    /// A whole number between two, both of which it may be.
    Integer {
        /// The least.
        low: i64,
        /// The greatest.
        high: i64,
    },
    /// A whole number between two above 0, small ones more often, as their logarithms: for widths.
    LogInteger {
        /// The least.
        low: i64,
        /// The greatest.
        high: i64,
    },
    /// One of these, each as likely.
    Choice(Vec<Value>),
}

/// The settings that there may be, by name.
///
/// ```
/// use nn::sweep::Space;
/// # fn main() -> Result<(), nn::Error> {
/// let grid = Space::new().choice("rate", [0.1, 0.01]).choice("width", [8, 16, 32]).grid()?;
/// assert_eq!(grid.settings.len(), 6);
/// assert_eq!(grid.settings[1].to_string(), "rate=0.1 width=16");
///
/// let space = Space::new().log_uniform("rate", 1e-4, 1e-1).integer("layers", 1, 3).choice("activation", ["Tanh", "Relu"]);
/// let random = space.sample(20, 0)?;
/// assert!(random.settings.iter().all(|settings| (1e-4..=1e-1).contains(&settings.number("rate"))));
/// // More of them begin with the same.
/// assert_eq!(space.sample(30, 0)?.settings[..20], random.settings[..]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Space {
    /// The names, and what they may be.
    pub ranges: Vec<(String, Range)>,
}

/// So many settings are no grid that anybody runs.
const MOST: usize = 1_000_000;

impl Space {
    /// Of no settings yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with a setting more.
    pub fn with(mut self, name: &str, range: Range) -> Self {
        self.ranges.push((name.to_owned(), range));
        self
    }

    /// The same with a number between two.
    pub fn uniform(self, name: &str, low: f64, high: f64) -> Self {
        self.with(name, Range::Uniform { low, high })
    }

    /// The same with a number between two above 0, whose logarithms are alike in likelihood.
    pub fn log_uniform(self, name: &str, low: f64, high: f64) -> Self {
        self.with(name, Range::LogUniform { low, high })
    }

    /// The same with a whole number between two, both of which it may be.
    pub fn integer(self, name: &str, low: i64, high: i64) -> Self {
        self.with(name, Range::Integer { low, high })
    }

    /// The same with one of several values: numbers, texts, lists, anything that becomes a JSON value.
    pub fn choice<V: Into<Value>>(self, name: &str, values: impl IntoIterator<Item = V>) -> Self {
        self.with(name, Range::Choice(values.into_iter().map(Into::into).collect()))
    }

    /// From JSON: an object of names, each with `{"uniform": [0, 1]}`, `{"log_uniform": [1e-4, 1e-1]}`, `{"integer": [1, 3]}`,
    /// `{"log_integer": [4, 256]}`, a list of values to choose from, or one value.
    ///
    /// ```
    /// use nn::sweep::Space;
    /// use serde_json::json;
    /// # fn main() -> Result<(), nn::Error> {
    /// let space = Space::from_json(&json!({"rate": {"log_uniform": [1e-4, 0.1]}, "width": [8, 16], "epochs": 30}))?;
    /// assert_eq!(space.sample(5, 0)?.settings[4].count("epochs"), 30);
    /// let error = Space::from_json(&json!({"rate": {"log_uniform": [0.1, 1e-4]}})).unwrap_err();
    /// assert!(error.to_string().starts_with("the setting `rate` needs a range that grows, from above 0, not 0.1 to 0.0001"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Where it is something else, or a range is none.
    pub fn from_json(json: &Value) -> Result<Self, Error> {
        let Value::Object(object) = json else {
            let text = format!("expected an object of settings by name, found `{}`", shown(&json.to_string()));
            return Err(Error::of(Kind::Data(text)));
        };
        let mut space = Self::new();
        for (name, value) in object {
            space = space.with(name, Range::from_json(value).map_err(|text| wrong(name, &text))?);
        }
        space.check()?;
        Ok(space)
    }

    /// All combinations, the last setting changing first.
    ///
    /// # Errors
    /// Where a setting is no choice and no integer, a range is none, a name stands twice, or there are more than a million.
    pub fn grid(&self) -> Result<List, Error> {
        self.check()?;
        let mut all = vec![Settings::default()];
        for (name, range) in &self.ranges {
            let values = range.listed(MOST / all.len()).map_err(|text| wrong(name, &text))?;
            let with = |settings: &Settings, value: &Value| {
                let mut settings = settings.clone();
                settings.values.insert(name.clone(), value.clone());
                settings
            };
            all = all.iter().flat_map(|settings| values.iter().map(move |value| with(settings, value))).collect();
        }
        Ok(List::new(all))
    }

    /// So many settings at random. The first of them are the same however many are taken.
    ///
    /// # Errors
    /// Where a range is none, or a name stands twice.
    pub fn sample(&self, count: u32, seed: u64) -> Result<List, Error> {
        self.check()?;
        let of = |place: u32| {
            let mut rng = stream(seed, Purpose::Settings(place));
            self.ranges.iter().map(|(name, range)| (name.clone(), range.sample(&mut rng))).collect()
        };
        Ok(List::new((0..count).map(of).collect()))
    }

    fn check(&self) -> Result<(), Error> {
        for (place, (name, range)) in self.ranges.iter().enumerate() {
            range.check().map_err(|text| wrong(name, &text))?;
            if self.ranges[..place].iter().any(|(other, _)| other == name) {
                return Err(wrong(name, "stands twice"));
            }
        }
        Ok(())
    }
}

fn wrong(name: &str, text: &str) -> Error {
    Error::of(Kind::Data(format!("the setting `{}` {text}", shown(name))))
}

impl Range {
    fn from_json(value: &Value) -> Result<Self, String> {
        const KNOWN: &str = "`uniform`, `log_uniform`, `integer`, `log_integer` or `choice`";
        let object = match value {
            Value::Object(object) => object,
            Value::Array(values) => return Ok(Self::Choice(values.clone())),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                return Ok(Self::Choice(vec![value.clone()]));
            }
        };
        let found = || shown(&value.to_string());
        let (Some((kind, given)), 1) = (object.iter().next(), object.len()) else {
            return Err(format!("needs one of {KNOWN}, not `{}`", found()));
        };
        let wrong = |of: &str| format!("needs {of} for `{}`, not `{}`", shown(kind), shown(&given.to_string()));
        let pair = given.as_array().and_then(|pair| <&[Value; 2]>::try_from(&pair[..]).ok());
        let numbers = || {
            let [low, high] = pair?;
            Some((low.as_f64()?, high.as_f64()?))
        };
        let whole = || {
            let [low, high] = pair?;
            Some((low.as_i64()?, high.as_i64()?))
        };
        match &kind[..] {
            "uniform" => numbers().map(|(low, high)| Self::Uniform { low, high }).ok_or_else(|| wrong("two numbers")),
            "log_uniform" => {
                numbers().map(|(low, high)| Self::LogUniform { low, high }).ok_or_else(|| wrong("two numbers"))
            }
            "integer" => {
                whole().map(|(low, high)| Self::Integer { low, high }).ok_or_else(|| wrong("two whole numbers"))
            }
            "log_integer" => {
                whole().map(|(low, high)| Self::LogInteger { low, high }).ok_or_else(|| wrong("two whole numbers"))
            }
            "choice" => given.as_array().cloned().map(Self::Choice).ok_or_else(|| wrong("a list")),
            _ => Err(format!("needs one of {KNOWN}, not `{}`", found())),
        }
    }

    fn check(&self) -> Result<(), String> {
        let (grows, low, high) = match self {
            Self::Uniform { low, high } => ((high - low).is_finite() && low <= high, low.to_string(), high.to_string()),
            Self::LogUniform { low, high } => {
                (high.is_finite() && 0.0 < *low && low <= high, low.to_string(), high.to_string())
            }
            Self::Integer { low, high } => (low <= high, low.to_string(), high.to_string()),
            Self::LogInteger { low, high } => (0 < *low && low <= high, low.to_string(), high.to_string()),
            Self::Choice(values) if values.is_empty() => return Err("needs values to choose from".to_owned()),
            Self::Choice(_) => return Ok(()),
        };
        let above = match self {
            Self::LogUniform { .. } | Self::LogInteger { .. } => ", from above 0,",
            Self::Uniform { .. } | Self::Integer { .. } | Self::Choice(_) => "",
        };
        if grows { Ok(()) } else { Err(format!("needs a range that grows{above} not {low} to {high}")) }
    }

    /// All that it may be, where that is a list of so many at most.
    fn listed(&self, most: usize) -> Result<Vec<Value>, String> {
        let count = match self {
            Self::Uniform { .. } | Self::LogUniform { .. } => {
                return Err("is any number of a range: a grid needs choices, or take some at random".to_owned());
            }
            Self::Integer { low, high } | Self::LogInteger { low, high } => {
                usize::try_from(i128::from(*high) - i128::from(*low) + 1).unwrap_or(usize::MAX)
            }
            Self::Choice(values) => values.len(),
        };
        if count > most {
            return Err(format!("would make a grid of more than {MOST} settings"));
        }
        Ok(match self {
            Self::Integer { low, high } | Self::LogInteger { low, high } => (*low..=*high).map(Value::from).collect(),
            Self::Uniform { .. } | Self::LogUniform { .. } => Vec::new(),
            Self::Choice(values) => values.clone(),
        })
    }

    fn sample(&self, rng: &mut Generator) -> Value {
        match self {
            // `libm` gives the same bits on every machine.
            Self::Uniform { low, high } => Value::from((low + (high - low) * rng.random::<f64>()).clamp(*low, *high)),
            Self::LogUniform { low, high } => {
                Value::from(between_logs(*low, *high, rng.random::<f64>()).clamp(*low, *high))
            }
            Self::Integer { low, high } => Value::from(rng.random_range(*low..=*high)),
            Self::LogInteger { low, high } => {
                let x = between_logs(*low as f64, *high as f64 + 1.0, rng.random::<f64>());
                Value::from((x.floor() as i64).clamp(*low, *high))
            }
            Self::Choice(values) => values[rng.random_range(0..values.len() as u64) as usize].clone(),
        }
    }
}

/// Between two numbers, at a share of the way between their logarithms.
fn between_logs(low: f64, high: f64, share: f64) -> f64 {
    let (from, to) = (libm::log(low), libm::log(high));
    libm::exp(from + (to - from) * share)
}
