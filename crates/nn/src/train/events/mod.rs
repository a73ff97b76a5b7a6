//! How training goes, as TensorBoard reads it.

mod message;
mod record;
mod histogram;

use super::History;
use crate::error::Error;
use crate::fault::Fault;
use autograd::{Float, Tensor, Tree};
use histogram::Histogram;
use std::borrow::Cow;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A file of events in a folder, which TensorBoard shows while it grows: numbers by step under their tags, and histograms. A folder is a
/// run, folders within a folder are runs beside each other: `tensorboard --logdir runs`.
///
/// ```
/// use nn::train::{Events, History};
/// # let folder = std::env::temp_dir().join(format!("nn-doc-events-{}", std::process::id()));
/// # fn losses() -> [f64; 3] { [0.9, 0.5, 0.4] }
/// # let net: nn::Mlp<autograd::Tensor> = nn::Mlp::new(&[4, 8, 3], nn::Activation::Tanh, 0);
/// let mut events = Events::create(folder.join("first"))?;
/// for (epoch, loss) in losses().into_iter().enumerate() {
///     events.numbers(epoch as u64, &[("loss/train", loss), ("rate", 0.01)])?;
///     events.histograms(epoch as u64, "weights", &net)?; // or of gradients: any structure of tensors
/// }
///
/// // Of a history, the rows that are not written yet.
/// let (mut events, mut history) = (Events::create(folder.join("second"))?, History::default());
/// for loss in losses() {
///     history.push(&[("loss", loss)]);
///     events.history(&history)?;
/// }
/// # std::fs::remove_dir_all(folder).unwrap();
/// # Ok::<(), nn::Error>(())
/// ```
///
/// Beside [`fit`](super::fit), [`Fit`](super::Fit) and a watched [`Recipe`](super::Recipe), in whose function an error has no way out,
/// so that the last call tells it:
///
/// ```
/// use nn::data::{Csv, IRIS_CSV, Standardiser};
/// use nn::train::{Events, Fit};
/// # fn main() -> Result<(), nn::Error> {
/// # let folder = std::env::temp_dir().join(format!("nn-doc-events-fit-{}", std::process::id()));
/// let iris: nn::Dataset = Csv::new("species").parse("iris.csv", IRIS_CSV)?;
/// let iris = Standardiser::fit(&iris).apply(&iris);
/// let mut net = nn::Mlp::new(&[4, 8, 3], nn::Activation::Tanh, 0);
/// let mut events = Events::create(&folder)?;
/// let fitting = Fit { epochs: 5, ..Fit::default() }.run(&mut net, &iris,
///     |net, batch| batch.loss(net.forward(batch.features)),
///     |now| _ = events.history(now.history),
/// )?;
/// events.history(&fitting.history)?;
/// # std::fs::remove_dir_all(folder).unwrap();
/// # Ok(())
/// # }
/// ```
///
/// Each call is one write, nothing is kept back: a process that is killed leaves all that was told before. Tags have slashes for groups,
/// as in `loss/train`. Numbers are rounded to `f32`, which is what the format has.
#[derive(Debug)]
pub struct Events {
    path: PathBuf,
    file: File,
    /// The length of what is whole.
    length: u64,
    /// How many rows of a history are written.
    rows: usize,
}

impl Events {
    /// A new file, `events.out.tfevents.…`, in a folder, which is made where there is none. Files that are there stay; TensorBoard takes all
    /// files of a folder for one run.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn create(folder: impl AsRef<Path>) -> Result<Self, Error> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let folder = folder.as_ref();
        fs::create_dir_all(folder).map_err(|error| unwritable(folder, error))?;
        let (seconds, process) = (since_1970().as_secs(), std::process::id());
        let (path, file) = loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!("events.out.tfevents.{seconds:010}.{process}.{count}"));
            match OpenOptions::new().append(true).create_new(true).open(&path) {
                Ok(file) => break (path, file),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => (),
                Err(error) => return Err(unwritable(&path, error)),
            }
        };
        let mut events = Self { path, file, length: 0, rows: 0 };
        events.append(&record::framed(&message::version(now())))?;
        Ok(events)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Numbers at a step, by tag. What is infinite or NaN is told as it is.
    ///
    /// # Errors
    /// Where it cannot be written. The file is then as before.
    pub fn numbers(&mut self, step: u64, numbers: &[(&str, f64)]) -> Result<(), Error> {
        self.append(&record::framed(&message::numbers(now(), step, numbers)))
    }

    /// How the elements of each tensor are spread at a step, under the prefix and the tensor's path, as `weights/layers.0.weight`. Those that are
    /// not finite are left out.
    ///
    /// # Errors
    /// As [`Events::numbers`].
    pub fn histograms<T: Float>(
        &mut self,
        step: u64,
        prefix: &str,
        tensors: &impl Tree<Leaf = Tensor<T>>,
    ) -> Result<(), Error> {
        let of = |(name, leaf): (String, &Tensor<T>)| {
            let numbers = leaf.as_slice().iter().map(|number| number.to_f64());
            (format!("{prefix}/{name}"), Histogram::of(numbers))
        };
        let all: Vec<_> = tensors.names().into_iter().zip(tensors.leaves()).map(of).collect();
        self.append(&record::framed(&message::histograms(now(), step, &all)))
    }

    /// The rows of a history that this file does not have yet; the step is the number of the row, from 1. `loss` and `held_out_loss`, as
    /// [`Fit`](super::Fit) and [`Recipe`](super::Recipe) name them, have the tags `loss/train` and `loss/held_out`, `weights of layers.0` has
    /// `weights/layers.0`, and what only counts (`epoch`, `net`, `iteration`) none; all else has its own name.
    ///
    /// # Errors
    /// As [`Events::numbers`]; the next call then tries these rows again.
    pub fn history(&mut self, history: &History) -> Result<(), Error> {
        let (now, tags) = (now(), history.names.iter().map(|name| tag(name)).collect::<Vec<_>>());
        let mut bytes = Vec::new();
        for (place, row) in history.rows.iter().enumerate().skip(self.rows) {
            let told = tags.iter().zip(row).filter(|(_, number)| !number.is_nan());
            let numbers: Vec<(&str, f64)> = told.filter_map(|(tag, number)| Some((tag.as_deref()?, *number))).collect();
            bytes.extend(record::framed(&message::numbers(now, place as u64 + 1, &numbers)));
        }
        self.append(&bytes)?;
        self.rows = self.rows.max(history.len());
        Ok(())
    }

    /// Writes records as a whole, or takes away what was written of them.
    fn append(&mut self, records: &[u8]) -> Result<(), Error> {
        self.file.write_all(records).map_err(|error| {
            // A reader stops at a broken record; where this fails, too, the error is told already.
            let _ = self.file.set_len(self.length);
            unwritable(&self.path, error)
        })?;
        self.length += records.len() as u64;
        Ok(())
    }
}

/// Under which tag a column of a history is shown, if at all.
fn tag(name: &str) -> Option<Cow<'_, str>> {
    match name {
        "epoch" | "net" | "iteration" => None,
        "loss" => Some("loss/train".into()),
        "held_out_loss" => Some("loss/held_out".into()),
        _ => Some(match name.split_once(" of ") {
            Some((what, of)) => format!("{what}/{of}").into(),
            None => name.into(),
        }),
    }
}

fn unwritable(path: &Path, error: io::Error) -> Error {
    Error::stored(&path.display().to_string(), Fault::Unwritable(error))
}

/// A clock before 1970 is as good as none.
fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// When it was told: the one thing in the file that is not the same for the same run.
fn now() -> f64 {
    since_1970().as_secs_f64()
}

#[cfg(test)]
mod tests;
