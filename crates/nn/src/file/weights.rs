//! The weights of a net: to a file and from one.

use super::names::{Rename, renamed};
use super::stored::Stored;
use crate::data::Array;
use crate::error::Error;
use crate::fault::{Fault, Mismatch};
use crate::pattern::fits;
use autograd::{Float, Tensor, Tree};
use std::collections::BTreeMap;
use std::path::Path;

/// Saves the tensors of a net under their paths, in PyTorch's layout: as safetensors, or where the name ends in `.npz`, for
/// NumPy (which holds no texts beside them). A file of the name is replaced as a whole, or not at all.
///
/// ```
/// use autograd::Tensor;
/// use nn::{Activation, Mlp, load, save};
/// # let path = std::env::temp_dir().join(format!("nn-doc-save-{}.safetensors", std::process::id()));
/// let net: Mlp<Tensor> = Mlp::new(&[4, 8, 3], Activation::Tanh, 0);
/// save(&net, &path)?;
/// let mut again = Mlp::new(&[4, 8, 3], Activation::Tanh, 1);
/// load(&mut again, &path)?;
/// assert_eq!(net, again);
/// # std::fs::remove_file(path).unwrap();
/// # Ok::<(), nn::Error>(())
/// ```
///
/// # Errors
/// Where the file cannot be written, or a weight is NaN (see [`Saving`]).
///
/// # Panics
/// Where two tensors have one path.
#[track_caller]
pub fn save<T: Float>(net: &impl Tree<Leaf = Tensor<T>>, path: impl AsRef<Path>) -> Result<(), Error> {
    Saving::default().save(net, path)
}

/// Loads the tensors of a net, of which each must be in the file, and no other; see [`Loading`] for all else.
///
/// # Errors
/// Where the file cannot be read, is damaged or of another kind, or its tensors are not those of the net: all that differs is
/// listed. Nothing in the net is replaced then.
pub fn load<T: Float>(net: &mut impl Tree<Leaf = Tensor<T>>, path: impl AsRef<Path>) -> Result<(), Error> {
    Loading::default().load(net, path).map(|_| ())
}

/// How a net is saved, for other readers.
#[derive(Clone, Debug, Default)]
pub struct Saving<'a> {
    /// Rules that make other names of ours.
    pub names: &'a [Rename<'a>],
    /// Texts beside the tensors.
    pub metadata: BTreeMap<String, String>,
    /// Whether weights may be NaN. Otherwise a file of good ones is not replaced by them.
    pub allow_nan: bool,
}

impl Saving<'_> {
    /// As [`save()`].
    ///
    /// # Errors
    /// As [`save()`], and where a rule for names fits none.
    ///
    /// # Panics
    /// As [`save()`].
    #[track_caller]
    pub fn save<T: Float>(&self, net: &impl Tree<Leaf = Tensor<T>>, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let mut stored = Stored::of(net);
        let mut mismatch = Mismatch::default();
        stored.tensors = renamed(&stored, self.names, &mut mismatch);
        if !self.allow_nan {
            mismatch.nan = nan(&stored.tensors);
        }
        mismatch.check().map_err(|fault| Error::stored(&path.display().to_string(), fault))?;
        stored.metadata.clone_from(&self.metadata);
        stored.write(path)
    }
}

/// The names of tensors with a NaN.
fn nan(tensors: &BTreeMap<String, Array>) -> Vec<String> {
    tensors.iter().filter(|(_, array)| array.numbers.has_nan()).map(|(name, _)| name.clone()).collect()
}

/// Holds tensors to be numbers.
pub(super) fn without_nan(tensors: &BTreeMap<String, Array>) -> Result<(), Fault> {
    Mismatch { nan: nan(tensors), ..Mismatch::default() }.check()
}

/// How a net is loaded, where the file holds more, less, or something else than its tensors.
///
/// ```
/// use autograd::Tensor;
/// use nn::file::{Loading, Stored};
/// use nn::{Activation, Mlp};
/// let trained: Mlp<Tensor<f32>> = Mlp::new(&[4, 8, 8, 3], Activation::Tanh, 0);
/// let mut net: Mlp<Tensor<f64>> = Mlp::new(&[4, 8, 8, 5], Activation::Tanh, 1); // five classes, not three
/// let loading = Loading { only: &["layers.0.*", "layers.1.*"], ..Loading::default() };
/// let loaded = loading.apply(&mut net, "trained.safetensors", &Stored::of(&trained))?;
/// assert_eq!(loaded.replaced.len(), 4);
/// assert_eq!(net.layers[0].weight.as_slice()[0], f64::from(trained.layers[0].weight.as_slice()[0]));
/// # Ok::<(), nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each permits one thing, and none excludes another")]
pub struct Loading<'a> {
    /// Patterns of the names to load, where `*` stands for any run of characters; all where there are none. Other tensors stay as
    /// they are, in the net and in the file.
    pub only: &'a [&'a str],
    /// Rules that make our names of the file's.
    pub names: &'a [Rename<'a>],
    /// Whether f64 in the file may be rounded to f32 in the net. The other way, and from f16 and bf16, nothing is lost.
    pub round: bool,
    /// Whether weights may be NaN.
    pub allow_nan: bool,
    /// Whether the file may lack tensors, which stay as they are.
    pub allow_missing: bool,
    /// Whether the file may have others.
    pub allow_unexpected: bool,
}

/// What loading did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loaded {
    /// The tensors of the net that were replaced, in its order.
    pub replaced: Vec<String>,
    /// Those that stayed.
    pub kept: Vec<String>,
    /// Tensors of the file that were not wanted, under the names that the rules gave them.
    pub ignored: Vec<String>,
}

impl Loading<'_> {
    /// As [`load()`].
    ///
    /// # Errors
    /// As [`load()`], and where a pattern or a rule fits no name.
    pub fn load<T: Float>(
        &self,
        net: &mut impl Tree<Leaf = Tensor<T>>,
        path: impl AsRef<Path>,
    ) -> Result<Loaded, Error> {
        let path = path.as_ref();
        self.apply(net, &path.display().to_string(), &Stored::read(path)?)
    }

    /// As [`Loading::load`], of what a file holds, which errors call `file`.
    ///
    /// # Errors
    /// As [`Loading::load`].
    pub fn apply<T: Float>(
        &self,
        net: &mut impl Tree<Leaf = Tensor<T>>,
        file: &str,
        stored: &Stored,
    ) -> Result<Loaded, Error> {
        self.checked(net, stored).map_err(|fault| Error::stored(file, fault))
    }

    pub(super) fn checked<T: Float>(
        &self,
        net: &mut impl Tree<Leaf = Tensor<T>>,
        stored: &Stored,
    ) -> Result<Loaded, Fault> {
        let mut mismatch = Mismatch::default();
        let mut tensors = renamed(stored, self.names, &mut mismatch);
        let wanted = |name: &str| self.only.is_empty() || self.only.iter().any(|pattern| fits(pattern, name));
        let names = net.names();
        for pattern in self.only {
            if !names.iter().any(|name| fits(pattern, name)) {
                mismatch.unused.push((*pattern).to_owned());
            }
        }
        let mut loaded = Loaded::default();
        let mut found = Vec::with_capacity(names.len());
        for (name, leaf) in names.into_iter().zip(net.leaves()) {
            let array = if wanted(&name) { tensors.remove(&name) } else { None };
            if let Some(array) = array {
                found.push(self.tensor(&name, leaf, &array, &mut mismatch));
                loaded.replaced.push(name);
            } else {
                if wanted(&name) && !self.allow_missing {
                    mismatch.missing.push(name.clone());
                }
                found.push(None);
                loaded.kept.push(name);
            }
        }
        let (unexpected, ignored) = tensors.into_keys().partition(|name| wanted(name) && !self.allow_unexpected);
        (mismatch.unexpected, loaded.ignored) = (unexpected, ignored);
        mismatch.check()?;
        // From here on nothing fails.
        for (leaf, tensor) in net.leaves_mut().into_iter().zip(found) {
            if let Some(tensor) = tensor {
                *leaf = tensor;
            }
        }
        Ok(loaded)
    }

    /// The tensor for a leaf, where it fits.
    fn tensor<T: Float>(
        &self,
        name: &str,
        leaf: &Tensor<T>,
        array: &Array,
        mismatch: &mut Mismatch,
    ) -> Option<Tensor<T>> {
        let mut fits = true;
        if array.shape != leaf.shape()[..] {
            mismatch.shapes.push((name.to_owned(), leaf.shape().to_vec(), array.shape.clone()));
            fits = false;
        }
        if !self.allow_nan && array.numbers.has_nan() {
            mismatch.nan.push(name.to_owned());
            fits = false;
        }
        let tensor = if self.round { array.rounded() } else { array.tensor() };
        if tensor.is_err() {
            match array.beyond::<T>() {
                Some(number) if self.round => mismatch.beyond.push((name.to_owned(), number, T::NAME)),
                _ => mismatch.inexact.push((name.to_owned(), array.numbers.name(), T::NAME)),
            }
        }
        tensor.ok().filter(|_| fits)
    }
}
