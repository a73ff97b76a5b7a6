//! All that the next step of training depends on.

use super::stored::Stored;
use super::versioned::Versioned;
use super::weights::{Loading, without_nan};
use crate::error::Error;
use crate::fault::{Fault, shown};
use crate::random::Generator;
use autograd::{Float, Tensor, Tree};
use rand::SeedableRng;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// The newest version of checkpoints.
const VERSION: u64 = 1;
/// Where the values stand among the texts of the file.
const KEY: &str = "nn.checkpoint";

/// A state of training in one file: trees of tensors by name (weights, an optimiser's memory, the best weights so far), and
/// values beside them (the step, a schedule, a history, positions of generators): whatever the next step depends on.
///
/// ```
/// use autograd::{Tensor, Tree};
/// use nn::file::Checkpoint;
/// use nn::{Activation, Mlp};
/// use std::collections::BTreeMap;
/// # let path = std::env::temp_dir().join(format!("nn-doc-checkpoint-{}.safetensors", std::process::id()));
/// let mut net: Mlp<Tensor> = Mlp::new(&[4, 8, 3], Activation::Tanh, 0);
/// let mut memory = BTreeMap::from([("momentum".to_owned(), Tensor::from([0.5, 0.25]))]);
///
/// let mut checkpoint = Checkpoint::new();
/// checkpoint.put("net", &net).put("memory", &memory).set("step", &17_u64);
/// checkpoint.save(&path)?;
///
/// let checkpoint = Checkpoint::load(&path)?;
/// checkpoint.restore("net", &mut net)?;
/// memory = checkpoint.tensors("memory")?; // by name, whether or not anything is there before the first step
/// let step: u64 = checkpoint.get("step")?;
/// assert_eq!((step, memory["momentum"].to_vec()), (17, vec![0.5, 0.25]));
/// # std::fs::remove_file(path).unwrap();
/// # Ok::<(), nn::Error>(())
/// ```
///
/// What is restored has the bits of what was saved, so that resumed training goes on as it would have without a stop. A
/// checkpoint is replaced as a whole: a process that is killed while it saves leaves the old one or the new one.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// The file, as errors name it; empty before it is loaded or saved.
    pub file: String,
    /// The values, by name.
    pub values: BTreeMap<String, Value>,
    /// The tensors under the names of their trees, and texts of others, which are kept.
    pub stored: Stored,
}

/// The values as they stand in the file.
#[derive(Serialize)]
struct Written<'a> {
    version: u64,
    values: &'a BTreeMap<String, Value>,
}

impl Default for Checkpoint {
    fn default() -> Self {
        Self::new()
    }
}

impl Checkpoint {
    /// An empty one.
    pub fn new() -> Self {
        Self { file: String::new(), values: BTreeMap::new(), stored: Stored::default() }
    }

    /// Takes a copy of the tensors of a tree, in place of those of the name.
    ///
    /// # Panics
    /// Where two tensors have one path.
    #[track_caller]
    pub fn put<T: Float>(&mut self, name: &str, tree: &impl Tree<Leaf = Tensor<T>>) -> &mut Self {
        let below = format!("{name}.");
        self.stored.tensors.retain(|path, _| path != name && !path.starts_with(&below));
        self.stored.put("Checkpoint::put", name, tree);
        self
    }

    /// Takes a value in place of that of the name. A float that is not finite becomes null, as JSON has none: an `Option` tells it.
    ///
    /// # Panics
    /// Where the value cannot be JSON: a map whose keys are no texts or numbers.
    #[track_caller]
    pub fn set(&mut self, name: &str, value: &impl Serialize) -> &mut Self {
        match serde_json::to_value(value) {
            Ok(value) => self.values.insert(name.to_owned(), value),
            Err(error) => panic!("Checkpoint::set: the value `{}` cannot be JSON: {error}", shown(name)),
        };
        self
    }

    /// A value.
    ///
    /// # Errors
    /// Where there is none of the name, or it is not of this type.
    pub fn get<V: DeserializeOwned>(&self, name: &str) -> Result<V, Error> {
        let wrong = |problem| self.error(Fault::Value { name: name.to_owned(), problem });
        let value = self.values.get(name).ok_or_else(|| wrong("is not there".into()))?;
        V::deserialize(value).map_err(|error| wrong(format!("is not as expected: {}", shown(&error.to_string()))))
    }

    /// Puts the tensors of a name into a tree of the same structure.
    ///
    /// # Errors
    /// Where the tensors differ in names, shapes or type; nothing in the tree is replaced then.
    pub fn restore<T: Float>(&self, name: &str, tree: &mut impl Tree<Leaf = Tensor<T>>) -> Result<(), Error> {
        Loading::default().checked(tree, &self.below(name)).map(|_| ()).map_err(|fault| self.error(fault))
    }

    /// The tensors of a name, by the rest of their paths. There may be none: an optimiser's memory before the first step.
    ///
    /// # Errors
    /// Where one is of another type.
    pub fn tensors<T: Float>(&self, name: &str) -> Result<BTreeMap<String, Tensor<T>>, Error> {
        let tensor = |(name, array): (String, crate::data::Array)| match array.tensor() {
            Ok(tensor) => Ok((name, tensor)),
            Err(fault) => Err(self.error(Fault::Value { name, problem: fault.to_string() })),
        };
        self.below(name).tensors.into_iter().map(tensor).collect()
    }

    /// What has a name before its own.
    fn below(&self, name: &str) -> Stored {
        let own = |path: &str| match path.strip_prefix(name)? {
            "" => Some(String::new()),
            rest => rest.strip_prefix('.').map(str::to_owned),
        };
        let tensors = self.stored.tensors.iter();
        let tensors = tensors.filter_map(|(path, array)| Some((own(path)?, array.clone()))).collect();
        Stored { tensors, ..Stored::default() }
    }

    fn error(&self, fault: Fault) -> Error {
        let file = if self.file.is_empty() { "checkpoint" } else { &self.file };
        Error::stored(file, fault)
    }

    /// Saves it; a file of the name is replaced as a whole, or not at all.
    ///
    /// # Errors
    /// Where the file cannot be written, or a tensor holds NaN: training that resumed there would be lost.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        without_nan(&self.stored.tensors).map_err(|fault| Error::stored(&path.display().to_string(), fault))?;
        let mut stored = self.stored.clone();
        let text = serde_json::to_string(&Written { version: VERSION, values: &self.values })
            .expect("values of JSON can be written");
        stored.metadata.insert(KEY.into(), text);
        stored.write(path)
    }

    /// Loads a checkpoint.
    ///
    /// # Errors
    /// Where the file cannot be read, is damaged, is no checkpoint, holds NaN, or a newer version wrote it.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        Self::of(&path.display().to_string(), Stored::read(path)?)
    }

    /// As [`Checkpoint::load`], of the bytes of a file, which errors call `file`.
    ///
    /// # Errors
    /// As [`Checkpoint::load`].
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, Error> {
        Self::of(file, Stored::parse(file, bytes)?)
    }

    fn of(file: &str, mut stored: Stored) -> Result<Self, Error> {
        let values = values(&mut stored).map_err(|fault| Error::stored(file, fault))?;
        Ok(Self { file: file.to_owned(), values, stored })
    }
}

/// The values of a checkpoint, taken from its texts.
fn values(stored: &mut Stored) -> Result<BTreeMap<String, Value>, Fault> {
    let text = stored.metadata.remove(KEY).ok_or_else(|| Fault::Foreign {
        expected: "a checkpoint",
        found: "a file of tensors without a state of training: `nn::load` reads its weights".into(),
    })?;
    let told = Versioned { what: "a checkpoint", part: "values", known: VERSION };
    let Some(Value::Object(values)) = told.read(&text)?.remove("values") else { return Err(told.wrong("no values")) };
    without_nan(&stored.tensors)?;
    Ok(values.into_iter().collect())
}

/// Where a [`Generator`] stands: with it, the next numbers are those that would have come.
///
/// ```
/// use nn::file::GeneratorState;
/// use rand::Rng;
/// let mut rng = nn::generator(7);
/// rng.next_u32();
/// let state = GeneratorState::of(&rng);
/// assert_eq!(state.generator().next_u64(), rng.next_u64());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GeneratorState {
    /// The key that the seed gave.
    pub seed: [u8; 32],
    /// Which of its streams.
    pub stream: u64,
    /// How many words of 32 bits came before: the lower and the upper 64 bits.
    pub position: [u64; 2],
}

impl GeneratorState {
    /// Of a generator.
    pub fn of(generator: &Generator) -> Self {
        let position = generator.get_word_pos();
        Self {
            seed: generator.get_seed(),
            stream: generator.get_stream(),
            position: [position as u64, (position >> 64) as u64],
        }
    }

    /// The generator that stands there.
    pub fn generator(&self) -> Generator {
        let mut generator = Generator::from_seed(self.seed);
        generator.set_stream(self.stream);
        generator.set_word_pos(u128::from(self.position[0]) | u128::from(self.position[1]) << 64);
        generator
    }
}
