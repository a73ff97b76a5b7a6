//! What stands beside the tensors of a file: JSON with a version.

use super::header::Unique;
use crate::fault::{Fault, shown};
use serde_json::{Map, Value};

/// What is read, as errors tell it.
pub(super) struct Versioned {
    /// Such as `a model`.
    pub(super) what: &'static str,
    /// What of it the JSON holds.
    pub(super) part: &'static str,
    /// The newest version that is known.
    pub(super) known: u64,
}

impl Versioned {
    /// The values by name, each once, where their version is known.
    pub(super) fn read(&self, text: &str) -> Result<Map<String, Value>, Fault> {
        let Unique(values): Unique<Value> =
            serde_json::from_str(text).map_err(|error| self.wrong(&error.to_string()))?;
        let values: Map<String, Value> = values.into_iter().collect();
        let found = values.get("version").and_then(Value::as_u64).ok_or_else(|| self.wrong("no version"))?;
        if found > self.known {
            return Err(Fault::TooNew { what: self.what, found, known: self.known });
        }
        Ok(values)
    }

    /// Something is not as it was written.
    pub(super) fn wrong(&self, what: &str) -> Fault {
        Fault::Damaged(format!(
            "its {} {} not as expected: {}",
            self.part,
            if self.part.ends_with('s') { "are" } else { "is" },
            shown(what)
        ))
    }
}
