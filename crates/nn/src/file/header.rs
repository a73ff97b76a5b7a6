//! What the header of a safetensors file must hold before anything is made of it.

use crate::data::array::{Stored as Type, bytes_of};
use crate::error::{Kind, hidden};
use crate::fault::{Fault, kind_of, shown};
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeSet;
use std::fmt;
use std::io::Read;
use std::marker::PhantomData;

/// The longest header that is read, in bytes; the safetensors crate's own limit is the same.
const LONGEST: u64 = 100_000_000;
/// The longest name of a tensor.
const LONGEST_NAME: usize = 4096;

/// The types that are read, by their names in the format.
const TYPES: [(&str, Type); 13] = [
    ("F64", Type::F64),
    ("F32", Type::F32),
    ("F16", Type::F16),
    ("BF16", Type::Bf16),
    ("I64", Type::I64),
    ("I32", Type::I32),
    ("I16", Type::I16),
    ("I8", Type::I8),
    ("U64", Type::U64),
    ("U32", Type::U32),
    ("U16", Type::U16),
    ("U8", Type::U8),
    ("BOOL", Type::U8),
];

/// The type that the format calls so.
pub(super) fn type_of(name: &str) -> Option<Type> {
    TYPES.iter().find(|(known, _)| *known == name).map(|(_, of)| *of)
}

/// What stands in the header of one tensor.
#[derive(Deserialize, Serialize)]
pub(super) struct Info {
    pub(super) dtype: String,
    pub(super) shape: Vec<usize>,
    pub(super) data_offsets: (usize, usize),
}

/// A header: tensors and texts in the order of the file.
pub(super) struct Header {
    pub(super) metadata: Vec<(String, String)>,
    pub(super) tensors: Vec<(String, Info)>,
}

/// The bytes of a file, once its header is known to be right. No more is read than the header tells, and memory grows with what
/// comes.
pub(super) fn checked(mut file: impl Read) -> Result<Vec<u8>, Kind> {
    let mut bytes = Vec::new();
    let mut more =
        |bytes: &mut Vec<u8>, count: u64| (&mut file).take(count).read_to_end(bytes).map_err(Kind::Unreadable);
    more(&mut bytes, 8)?;
    let foreign = |bytes: &[u8]| Kind::Stored(Fault::Foreign { expected: "a safetensors file", found: kind_of(bytes) });
    let damaged = |text: String| Kind::Stored(Fault::Damaged(text));
    let Some(length) = bytes.first_chunk().map(|length| u64::from_le_bytes(*length)) else {
        return Err(foreign(&bytes));
    };
    if length > LONGEST {
        return Err(foreign(&bytes));
    }
    if more(&mut bytes, length)? as u64 != length {
        return Err(damaged(format!("a header of {length} bytes is declared, the file ends within it")));
    }
    let header = &bytes[8..];
    if header.first() != Some(&b'{') {
        return Err(foreign(&bytes));
    }
    let size = Header::parse(header).and_then(|header| header.size()).map_err(Kind::Stored)?;
    let read = more(&mut bytes, (size as u64).saturating_add(1))?;
    if read != size {
        let problem = if read > size { "more follow" } else { "the file ends before" };
        return Err(damaged(format!("its tensors have {size} bytes, {problem}")));
    }
    Ok(bytes)
}

impl Header {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        let text = std::str::from_utf8(bytes).map_err(|_| Fault::Damaged("its header is no UTF-8 text".into()))?;
        serde_json::from_str(text).map_err(|error| {
            Fault::Damaged(format!("its header is not as the format wants it: {}", shown(&error.to_string())))
        })
    }

    /// The bytes of all tensors, where each lies at its place and none over another.
    fn size(&self) -> Result<usize, Fault> {
        let mut places = Vec::with_capacity(self.tensors.len());
        for (name, info) in &self.tensors {
            check_name(name)?;
            let wrong = |what: String| Err(Fault::Damaged(format!("of the tensor `{}`, {what}", shown(name))));
            let Some(of) = type_of(&info.dtype) else {
                let known: Vec<&str> = TYPES.iter().map(|(name, _)| *name).collect();
                let (name, dtype) = (shown(name), shown(&info.dtype));
                return Err(Fault::Unsupported(format!(
                    "expected numbers of a type among {}, found `{dtype}` for the tensor `{name}`",
                    known.join(", ")
                )));
            };
            let Some(bytes) = bytes_of(&info.shape, of.size()) else {
                return wrong(format!("no memory holds the shape {}", shape(&info.shape)));
            };
            let (start, end) = info.data_offsets;
            if end.checked_sub(start) != Some(bytes) {
                return wrong(format!(
                    "the shape {} takes {bytes} bytes, not those from {start} to {end}",
                    shape(&info.shape)
                ));
            }
            places.push((start, end, name));
        }
        places.sort_unstable();
        let mut at = 0;
        for (start, end, name) in places {
            if start != at {
                let what = if start < at { "lie over another's" } else { "leave a gap before them" };
                return Err(Fault::Damaged(format!("the bytes of the tensor `{}` {what}", shown(name))));
            }
            at = end;
        }
        Ok(at)
    }
}

/// A shape as it may be shown; a hostile one is long.
fn shape(sizes: &[usize]) -> String {
    shown(&format!("{:?}", &sizes[..sizes.len().min(20)]))
}

/// Refuses names that could do harm where somebody makes a path or a line of text of them.
fn check_name(name: &str) -> Result<(), Fault> {
    let part = |part: &str| part == ".." || part == ".";
    let problem = if name.len() > LONGEST_NAME {
        "is longer than any that is read"
    } else if name.contains(hidden) {
        "holds control characters"
    } else if name.starts_with('/') || name.contains('\\') || name.split('/').any(part) || name.get(1..3) == Some(":/")
    {
        "is a path"
    } else {
        return Ok(());
    };
    Err(Fault::Damaged(format!("the name of a tensor, `{}`, {problem}", shown(name))))
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Header;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a map of tensors")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
                let mut header = Header { metadata: Vec::new(), tensors: Vec::new() };
                let mut seen = BTreeSet::new();
                while let Some(key) = map.next_key::<String>()? {
                    if !seen.insert(key.clone()) {
                        return Err(twice(&key));
                    }
                    if key == "__metadata__" {
                        header.metadata = map.next_value::<Unique<String>>()?.0;
                    } else {
                        header.tensors.push((key, map.next_value()?));
                    }
                }
                Ok(header)
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

fn twice<E: serde::de::Error>(key: &str) -> E {
    E::custom(format_args!("the name `{}` comes twice", shown(key)))
}

/// A map in which each name comes once.
pub(super) struct Unique<V>(pub(super) Vec<(String, V)>);

impl<'de, V: DeserializeOwned> Deserialize<'de> for Unique<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<V>(PhantomData<V>);
        impl<'de, V: DeserializeOwned> Visitor<'de> for Entries<V> {
            type Value = Unique<V>;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a map of texts")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Unique<V>, A::Error> {
                let (mut entries, mut seen) = (Vec::new(), BTreeSet::new());
                while let Some(key) = map.next_key::<String>()? {
                    if !seen.insert(key.clone()) {
                        return Err(twice(&key));
                    }
                    entries.push((key, map.next_value()?));
                }
                Ok(Unique(entries))
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

impl Serialize for Header {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(None)?;
        if !self.metadata.is_empty() {
            let texts: std::collections::BTreeMap<_, _> = self.metadata.iter().map(|(key, text)| (key, text)).collect();
            map.serialize_entry("__metadata__", &texts)?;
        }
        for (name, info) in &self.tensors {
            map.serialize_entry(name, info)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, data: usize) -> Vec<u8> {
        [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &vec![0; data]].concat()
    }

    #[test]
    fn hostile_headers_are_refused_before_anything_is_made_of_them() {
        let one = |name: &str, dtype: &str, shape: &str, offsets: &str| {
            format!(r#"{{"{name}":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}}}}}"#)
        };
        let two = |a: &str, b: &str| {
            let info = |offsets: &str| format!(r#"{{"dtype":"F32","shape":[1],"data_offsets":{offsets}}}"#);
            format!(r#"{{"a":{},"b":{}}}"#, info(a), info(b))
        };
        assert!(checked(&file(&one("a", "F32", "[2]", "[0,8]"), 8)[..]).is_ok());
        assert!(checked(&file(&two("[4,8]", "[0,4]"), 8)[..]).is_ok());
        for (header, data, word) in [
            (one("a", "F32", "[2]", "[0,4]"), 4, "takes 8 bytes"),
            (one("a", "F32", "[2]", "[8,0]"), 8, "takes 8 bytes"),
            (one("a", "F32", "[9223372036854775807,9]", "[0,8]"), 8, "no memory holds"),
            (one("a", "F32", "[0,18446744073709551615,9]", "[0,0]"), 0, "no memory holds"),
            (one("a", "F32", "[-1]", "[0,8]"), 8, "not as the format wants"),
            (one("a", "F32", "[4611686018427387904]", "[0,18446744073709551615]"), 8, "no memory holds"),
            (one("a", "F32", "[268435456]", "[0,1073741824]"), 8, "the file ends before"),
            (one("a", "F8_E4M3", "[1]", "[0,1]"), 1, "found `F8_E4M3` for the tensor `a`"),
            (one("../../etc/passwd", "F32", "[1]", "[0,4]"), 4, "is a path"),
            (one("/etc/passwd", "F32", "[1]", "[0,4]"), 4, "is a path"),
            (one("C:/a", "F32", "[1]", "[0,4]"), 4, "is a path"),
            (one("a\\u001b[2J", "F32", "[1]", "[0,4]"), 4, "control characters"),
            (one(&"a".repeat(5000), "F32", "[1]", "[0,4]"), 4, "longer than any"),
            (two("[0,4]", "[0,4]"), 4, "lie over another's"),
            (two("[0,4]", "[8,12]"), 12, "leave a gap"),
            (two("[0,4]", "[4,8]").replace("\"b\"", "\"a\""), 8, "`a` comes twice"),
            (r#"{"__metadata__":{"x":"1","x":"2"}}"#.into(), 0, "`x` comes twice"),
            (r#"{"__metadata__":{"x":1}}"#.into(), 0, "not as the format wants"),
            ("{".repeat(1000), 0, "not as the format wants"),
            (one("a", "F32", "[2]", "[0,8]"), 7, "the file ends before"),
            (one("a", "F32", "[2]", "[0,8]"), 9, "more follow"),
            (String::new(), 0, "expected a safetensors file"),
            ("[]".into(), 0, "expected a safetensors file"),
        ] {
            let error = checked(&file(&header, data)[..]).unwrap_err().to_string();
            assert!(error.contains(word), "{header}: {error}");
        }
    }

    #[test]
    fn a_declared_header_asks_for_no_memory() {
        let cut = [&99_999_999_u64.to_le_bytes()[..], b"{}"].concat();
        assert!(checked(&cut[..]).unwrap_err().to_string().contains("99999999 bytes is declared"));
        let more = [&u64::MAX.to_le_bytes()[..], b"{}"].concat();
        assert!(checked(&more[..]).unwrap_err().to_string().contains("expected a safetensors file"));
    }

    #[test]
    fn a_file_that_cannot_be_read_on_is_not_told_to_be_damaged() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::Error::other("the disk is gone"))
            }
        }
        let header = r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
        let file = file(header, 8);
        for known in [0, 4, 20, file.len() - 3] {
            let error = checked((&file[..known]).chain(Broken)).unwrap_err();
            assert!(matches!(&error, Kind::Unreadable(error) if error.to_string() == "the disk is gone"), "{error}");
        }
    }
}
