//! What a file of tensors holds.

use super::header::{Header, Info, checked, type_of};
use crate::data::array::{Array, Numbers, decode, encode};
use crate::data::npz;
use crate::error::Error;
use crate::fault::{Fault, shown};
use crate::replace::replace;
use autograd::{Float, Tensor, Tree};
use safetensors::SafeTensors;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Tensors by name, and texts beside them: what a safetensors file holds, as plain values.
///
/// ```
/// use autograd::Tensor;
/// use nn::file::Stored;
/// let stored = Stored::of(&vec![Tensor::from([1.0, 2.0])]);
/// let again = Stored::parse("net.safetensors", &stored.bytes())?;
/// assert_eq!(again.tensors["0"].tensor::<f64>().unwrap(), Tensor::from([1.0, 2.0]));
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stored {
    /// The tensors.
    pub tensors: BTreeMap<String, Array>,
    /// The texts (`__metadata__` in the format).
    pub metadata: BTreeMap<String, String>,
}

impl Stored {
    /// The tensors of a net, under their paths.
    ///
    /// # Panics
    /// Where two have one path.
    #[track_caller]
    pub fn of<T: Float>(tree: &impl Tree<Leaf = Tensor<T>>) -> Self {
        let mut stored = Self::default();
        stored.put("Stored::of", "", tree);
        stored
    }

    /// Adds the tensors of a tree, below a name.
    #[track_caller]
    pub(super) fn put<T: Float>(&mut self, function: &str, prefix: &str, tree: &impl Tree<Leaf = Tensor<T>>) {
        let mut names = Vec::new();
        tree.paths(prefix, &mut |path| names.push(path.to_owned()));
        for (name, leaf) in names.into_iter().zip(tree.leaves()) {
            let again = self.tensors.insert(name.clone(), Array::of(leaf));
            assert!(
                again.is_none(),
                "{function}: tensors of different names are needed, `{}` came twice",
                shown(&name)
            );
        }
    }

    /// Reads a safetensors file, or an npz file of arrays.
    ///
    /// # Errors
    /// Where the file cannot be read, is damaged or of another format, or holds numbers of a type that is not read.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let file = path.display().to_string();
        Self::of_stream(&file, File::open(path).map_err(|error| Error::unreadable(&file, error))?)
    }

    /// As [`Stored::read`], of the bytes of a file, which errors call `file`.
    ///
    /// # Errors
    /// As [`Stored::read`].
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, Error> {
        Self::of_stream(file, bytes)
    }

    fn of_stream(file: &str, mut stream: impl Read) -> Result<Self, Error> {
        let mut start = Vec::new();
        (&mut stream).take(4).read_to_end(&mut start).map_err(|error| Error::unreadable(file, error))?;
        let stored = if start == *b"PK\x03\x04" {
            stream.read_to_end(&mut start).map_err(|error| Error::unreadable(file, error))?;
            npz::arrays(&start).map(|tensors| Self { tensors, ..Self::default() }).map_err(foreign)
        } else {
            let wrong = |kind| Error { kind, ..Error::stored(file, Fault::Damaged(String::new())) };
            Self::of_bytes(&checked(start.chain(stream)).map_err(wrong)?)
        };
        stored.map_err(|fault| Error::stored(file, fault))
    }

    /// Of bytes whose header has been checked.
    fn of_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        let damaged = |error: safetensors::SafeTensorError| Fault::Damaged(shown(&error.to_string()));
        let (length, _) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
        let views = SafeTensors::deserialize(bytes).map_err(damaged)?;
        let Header { metadata, tensors } = Header::parse(&bytes[8..8 + length])?;
        let mut stored = Self { metadata: metadata.into_iter().collect(), ..Self::default() };
        for (name, info) in tensors {
            let view = views.tensor(&name).map_err(damaged)?;
            let of =
                type_of(&info.dtype).ok_or_else(|| Fault::Unsupported(format!("no type `{}`", shown(&info.dtype))))?;
            stored
                .tensors
                .insert(name, Array { shape: view.shape().to_vec(), numbers: decode(of, false, view.data()) });
        }
        Ok(stored)
    }

    /// Writes a safetensors file, or where the name ends in `.npz`, one for NumPy; a file of the name is replaced as a whole.
    ///
    /// # Errors
    /// Where the file cannot be written, or there are texts, and it would be one for NumPy, which holds none.
    ///
    /// # Panics
    /// As [`Stored::bytes`].
    #[track_caller]
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        if !path.extension().is_some_and(|end| end.eq_ignore_ascii_case("npz")) {
            return replace(path, &self.bytes());
        }
        if let Some(text) = self.metadata.keys().next() {
            let what = format!(
                "expected tensors alone, which is what an npz file holds, found texts beside them, such as `{}`: a name that ends in \
                 `.safetensors` makes a file that holds both",
                shown(text)
            );
            return Err(Error::stored(&path.display().to_string(), Fault::Unsupported(what)));
        }
        npz::write(path, self.tensors.iter().map(|(name, array)| (&name[..], array)))
    }

    /// The bytes of a safetensors file.
    ///
    /// # Panics
    /// Where the shape of an array does not fit its numbers.
    #[track_caller]
    pub fn bytes(&self) -> Vec<u8> {
        for array in self.tensors.values() {
            array.hold("Stored::bytes");
        }
        let mut order: Vec<(&String, &Array)> = self.tensors.iter().collect();
        // Longer numbers first, so that all are aligned.
        order.sort_by_key(|(_, array)| std::cmp::Reverse(name_of(&array.numbers).1));
        let mut at = 0;
        let mut tensors = Vec::with_capacity(order.len());
        for (name, array) in &order {
            let (dtype, size) = name_of(&array.numbers);
            let end = at + array.numbers.len() * size;
            let info = Info { dtype: dtype.into(), shape: array.shape.clone(), data_offsets: (at, end) };
            tensors.push(((*name).clone(), info));
            at = end;
        }
        let metadata = self.metadata.iter().map(|(key, text)| (key.clone(), text.clone())).collect();
        let mut header =
            serde_json::to_vec(&Header { metadata, tensors }).expect("names, numbers and texts can be written as JSON");
        header.resize(header.len().next_multiple_of(8), b' ');
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.reserve_exact(header.len() + at);
        bytes.extend(header);
        for (_, array) in order {
            encode(&array.numbers, &mut bytes);
        }
        bytes
    }
}

/// An archive that is no npz is no file of weights, either; without a directory, it is not known which it was.
fn foreign(fault: Fault) -> Fault {
    let unknown = matches!(&fault, Fault::Damaged(what) if what.contains("no directory"));
    if unknown || matches!(fault, Fault::Foreign { .. }) {
        return Fault::Foreign { expected: "a safetensors file", found: crate::fault::kind_of(b"PK\x03\x04") };
    }
    fault
}

/// What the format calls numbers, and their bytes.
fn name_of(numbers: &Numbers) -> (&'static str, usize) {
    match numbers {
        Numbers::F64(_) => ("F64", 8),
        Numbers::F32(_) => ("F32", 4),
        Numbers::I64(_) => ("I64", 8),
        Numbers::I32(_) => ("I32", 4),
        Numbers::U64(_) => ("U64", 8),
        Numbers::U8(_) => ("U8", 1),
    }
}
