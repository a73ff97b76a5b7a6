//! Settings from TOML.

use super::{Settings, beside, net};
use crate::Failure;
use crate::cli::{Missing, factor, share};
use crate::input::{delimiter, encoding, unreadable};
use std::path::Path;
use toml::{Table, Value};

/// What a file of settings may say.
const KEYS: [&str; 19] = [
    "data",
    "data_hash",
    "target",
    "ignore",
    "as",
    "seed",
    "held_out",
    "missing",
    "unknown",
    "nets",
    "penalties",
    "members",
    "iterations",
    "delimiter",
    "decimal_comma",
    "header",
    "encoding",
    "comment",
    "missing_marks",
];

const HELP: &str = "`nn train --print-settings` shows what such a file says";

impl Settings {
    /// Takes what a file says. A path in it is one from where the file lies.
    pub(super) fn take_file(&mut self, path: &Path) -> Result<(), Failure> {
        let file = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|error| Failure::from(unreadable(&file, error)))?;
        let text = String::from_utf8(bytes)
            .map_err(|_| Failure::new(format!("{file}: expected settings as text, found other bytes"), HELP))?;
        self.take_toml(&file, &text)?;
        if let Some(data) = &self.data {
            self.data = Some(beside(path, data));
        }
        Ok(())
    }

    pub(super) fn take_toml(&mut self, file: &str, text: &str) -> Result<(), Failure> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| {
            let at = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = 1 + text[..at].matches('\n').count();
            Failure::new(format!("{file}, line {line}: {}", error.message().replace('\n', " ")), HELP)
        })?;
        for (key, value) in &table {
            if !KEYS.contains(&&key[..]) {
                let text = format!("{file}: expected a setting, found `{}`", nn::shown(key));
                return Err(Failure::new(text, format!("the settings are {}", KEYS.join(", "))));
            }
            self.take(key, value).map_err(|expected| {
                let found = shown(value);
                Failure::new(format!("{file}: expected {expected} for `{key}`, found {found}"), HELP)
            })?;
        }
        Ok(())
    }

    /// One setting. An error is what was expected.
    fn take(&mut self, key: &str, value: &Value) -> Result<(), String> {
        match key {
            "data" => self.data = Some(text(value)?),
            "data_hash" => self.data_hash = Some(text(value)?),
            "target" => self.target = texts(value)?,
            "ignore" => self.ignore = texts(value)?,
            "as" => {
                let table = value.as_table().ok_or("a table of names and kinds")?;
                let pair = |(name, kind): (&String, &Value)| Ok((name.clone(), text(kind)?));
                self.kinds = table.iter().map(pair).collect::<Result<_, String>>()?;
            }
            "seed" => {
                // As text where TOML has no such number.
                let said = value.as_str().and_then(|seed| seed.parse().ok());
                let seed = value.as_integer().map_or(said, |seed| u64::try_from(seed).ok());
                self.seed = seed.ok_or("a whole number of 0 or more")?;
            }
            "held_out" => self.held_out = share(&number(value)?.to_string()).map_err(stripped)?,
            "missing" => {
                self.missing = match &text(value)?[..] {
                    "fill" => Missing::Fill,
                    "error" => Missing::Error,
                    _ => return Err("`fill` or `error`".to_owned()),
                }
            }
            "unknown" => self.unknown = truth(value)?,
            "nets" => self.nets = some(texts(value)?.iter().map(|text| net(text).map_err(stripped)).collect())?,
            "penalties" => {
                let list = value.as_array().ok_or("a list of numbers")?;
                let each = list.iter().map(|value| factor(&number(value)?.to_string()).map_err(stripped));
                self.penalties = some(each.collect())?;
            }
            "members" => self.members = count(value, 1000)?,
            "iterations" => self.iterations = count(value, 1_000_000)?,
            "delimiter" => self.written.delimiter = Some(delimiter(&text(value)?).map_err(stripped)?),
            "decimal_comma" => self.written.decimal_comma = Some(truth(value)?),
            "header" => self.written.header = Some(truth(value)?),
            "encoding" => self.written.encoding = Some(encoding(&text(value)?).map_err(stripped)?),
            "comment" => self.written.comment = Some(delimiter(&text(value)?).map_err(stripped)?),
            "missing_marks" => self.written.missing_marks = texts(value)?,
            _ => return Err("a setting".to_owned()),
        }
        Ok(())
    }
}

/// A value as messages show it.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{}`", nn::shown(text)),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Datetime(_) | Value::Array(_) | Value::Table(_) => format!("one of type {}", value.type_str()),
    }
}

/// What was expected, without the word.
fn stripped(text: String) -> String {
    text.strip_prefix("expected ").map_or(text.clone(), str::to_owned)
}

fn some<T>(list: Result<Vec<T>, String>) -> Result<Vec<T>, String> {
    list.and_then(|list| if list.is_empty() { Err("one or more".to_owned()) } else { Ok(list) })
}

fn text(value: &Value) -> Result<String, String> {
    value.as_str().map(str::to_owned).ok_or_else(|| "a text".to_owned())
}

/// A list of texts, or one.
fn texts(value: &Value) -> Result<Vec<String>, String> {
    if let Some(one) = value.as_str() {
        return Ok(vec![one.to_owned()]);
    }
    let each = value.as_array().and_then(|list| list.iter().map(|value| text(value).ok()).collect());
    each.ok_or_else(|| "a list of texts".to_owned())
}

fn truth(value: &Value) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| "`true` or `false`".to_owned())
}

fn number(value: &Value) -> Result<f64, String> {
    let number = value.as_float().or_else(|| value.as_integer().map(|x| x as f64));
    number.ok_or_else(|| "a number".to_owned())
}

fn count(value: &Value, most: usize) -> Result<usize, String> {
    let count = value.as_integer().and_then(|x| usize::try_from(x).ok()).filter(|count| (1..=most).contains(count));
    count.ok_or_else(|| format!("a whole number from 1 to {most}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Written;
    use nn::data::Encoding;

    #[test]
    fn what_is_written_is_read_back() {
        let all = Settings {
            data: Some("a \"b\"\\c\n.csv".into()),
            data_hash: Some("fnv1a-64:0123".into()),
            target: vec!["a,b".into(), "c".into()],
            ignore: vec!["d".into()],
            kinds: vec![("x y".into(), "category".into()), ("z".into(), "day.month.year".into())],
            written: Written {
                delimiter: Some('\t'),
                decimal_comma: Some(true),
                header: Some(false),
                encoding: Some(Encoding::Utf16Le),
                comment: Some('#'),
                missing_marks: vec!["-".into()],
            },
            seed: u64::MAX,
            held_out: 0.1,
            missing: Missing::Error,
            unknown: true,
            nets: vec![net("linear").unwrap(), net("8,4:tanh").unwrap()],
            penalties: vec![0.0, 1e-300, 0.1],
            members: 2,
            iterations: 7,
        };
        for settings in [Settings::default(), all] {
            let mut read = Settings::default();
            read.take_toml("a", &settings.to_toml()).unwrap();
            assert_eq!(read, settings);
        }
    }

    #[test]
    fn what_is_no_setting_is_told_with_what_is() {
        let said = |text: &str| Settings::default().take_toml("s.toml", text).unwrap_err();
        let unknown = said("trget = \"a\"\n");
        assert_eq!(unknown.text, "s.toml: expected a setting, found `trget`");
        assert!(unknown.help.contains("target"));
        assert!(said("seed = 1\nheld_out = \n").text.starts_with("s.toml, line 2: "));
        assert_eq!(said("seed = -1").text, "s.toml: expected a whole number of 0 or more for `seed`, found -1");
        assert!(said("held_out = 1.5").text.contains("a share of 0 or more and below 1"));
        assert!(said("nets = []").text.contains("expected one or more for `nets`"));
        assert!(said("members = 0").text.contains("from 1 to 1000"));
        assert!(said("target = [1]").text.contains("a list of texts"));
    }
}
