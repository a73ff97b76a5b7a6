//! What a run leaves: whole, or not at all.

use crate::settings::MARK;
use crate::{Failure, interrupt};
use nn::file::Model;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The file of the model.
pub(crate) const MODEL: &str = "model.safetensors";
pub(crate) const SETTINGS: &str = "settings.toml";
pub(crate) const HISTORY: &str = "history.csv";
pub(crate) const HISTORY_LINES: &str = "history.jsonl";

/// Where what is being written lies until it is whole.
static UNFINISHED: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Takes away what is not whole.
pub(crate) fn abandon() {
    let path = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner).take();
    // The process ends, or tells another error: there is nothing more to be done about it.
    let _ = path.map(|path| if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) });
}

/// Loads a model: from the folder of a run, or from a file.
pub(crate) fn load(path: &Path) -> Result<Model, Failure> {
    let file = if path.is_dir() {
        let file = path.join(MODEL);
        if !file.exists() {
            return Err(Failure::new(
                format!("{}: expected the folder of a run, found no `{MODEL}` in it", path.display()),
                "give the folder that `nn train` leaves, or the file of a model",
            ));
        }
        file
    } else {
        path.to_owned()
    };
    Model::load(file).map_err(|error| {
        let mut failure = Failure::from(error);
        if !path.exists() {
            "give the folder that `nn train` leaves: `nn train TABLE --target NAME` makes one"
                .clone_into(&mut failure.help);
        }
        failure
    })
}

/// The folder that is taken where none is named.
pub(crate) fn default(data: &str, kind: &str) -> PathBuf {
    let stem = Path::new(data).file_stem().filter(|_| data != "-");
    let mut name = stem.map_or_else(|| "stdin".into(), ToOwned::to_owned);
    name.push("-");
    name.push(kind);
    PathBuf::from(name)
}

/// Holds a folder to be new, or of a run, or without files of these names, before anything is trained.
pub(crate) fn hold_free(folder: &Path, names: &[&str]) -> Result<(), Failure> {
    let refuse = |text: String| Err(Failure::new(text, "leave it elsewhere: `--out FOLDER`"));
    if folder.as_os_str().is_empty() {
        return refuse("expected a folder behind `--out`, found nothing".to_owned());
    }
    let shown = folder.display();
    match fs::metadata(folder) {
        Ok(there) if !there.is_dir() => {
            refuse(format!("{shown}: expected a folder to leave the model in, found a file"))
        }
        Ok(_) => {
            let settings = fs::read_to_string(folder.join(SETTINGS)).unwrap_or_default();
            if settings.starts_with(MARK) {
                return Ok(());
            }
            match names.iter().find(|name| folder.join(name).exists()) {
                Some(name) => refuse(format!("{shown}: expected no `{name}` of anything but a run, found one")),
                None => Ok(()),
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // The folder that it will stand in must be there, so that a slip of the pen makes no tree of folders.
            let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
            match parent {
                Some(parent) if !parent.is_dir() => {
                    let text = format!("{}: expected a folder to leave `{shown}` in, found none", parent.display());
                    Err(Failure::new(text, "make it first, or leave the model elsewhere: `--out FOLDER`"))
                }
                _ => Ok(()),
            }
        }
        Err(error) => refuse(format!("{shown}: cannot be read: {error}")),
    }
}

/// Leaves a model and texts by their names: all of them are written elsewhere first, so that a folder that is new is there as a whole or
/// not at all, and in one that is there nothing changes before all is written.
pub(crate) fn leave(folder: &Path, model: &Model, texts: &[(&str, String)]) -> Result<(), Failure> {
    let _held = interrupt::hold();
    let is_new = !folder.exists();
    let temporary = if is_new { hidden(folder) } else { hidden(&folder.join("run")) };
    *UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner) = Some(temporary.clone());
    let done = fill(&temporary, model, texts).and_then(|_locked| {
        if is_new {
            return fs::rename(&temporary, folder).map_err(|error| unwritable(folder, &error));
        }
        for name in texts.iter().map(|(name, _)| *name).chain([MODEL]) {
            fs::rename(temporary.join(name), folder.join(name))
                .map_err(|error| unwritable(&folder.join(name), &error))?;
        }
        Ok(())
    });
    abandon();
    done.map_err(|mut failure| {
        // It was to stand in the folder, whatever it was called before.
        failure.text = failure.text.replace(&temporary.display().to_string(), &folder.display().to_string());
        failure
    })
}

/// The end of the names of what is not whole: `.NAME.PROCESS.tmp`.
const END: &str = ".tmp";

/// A name beside another one that is taken by nobody else. What processes that were killed have left under such names is taken away.
fn hidden(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".");
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    sweep(folder, &name);
    name.push(format!("{}{END}", std::process::id()));
    path.with_file_name(name)
}

fn sweep(folder: &Path, start: &OsStr) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let rest = name.as_encoded_bytes().strip_prefix(start.as_encoded_bytes());
        let process = rest.and_then(|rest| rest.strip_suffix(END.as_bytes()));
        let process = process
            .filter(|digits| digits.iter().all(u8::is_ascii_digit))
            .and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<u32>().ok());
        if process.is_some_and(is_gone) && fs::File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
            // Another process may have taken it away by now, which is what is wanted.
            let _ = match entry.file_type() {
                Ok(kind) if kind.is_dir() => fs::remove_dir_all(path),
                Ok(kind) if kind.is_file() => fs::remove_file(path),
                _ => Ok(()),
            };
        }
    }
}

/// Whether no other process has this number. Where that is not known, the lock alone tells whether somebody still writes.
fn is_gone(process: u32) -> bool {
    process == std::process::id() || !Path::new("/proc").join(process.to_string()).exists()
}

/// A file that is there as a whole once it is finished, and not at all before. What is no file, such as a device, is written to as it is.
pub(crate) struct Whole {
    path: PathBuf,
    temporary: Option<PathBuf>,
    file: fs::File,
}

impl Whole {
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        let is_file = !path.exists() || path.is_file();
        let temporary = is_file.then(|| hidden(path));
        let file = fs::File::create(temporary.as_deref().unwrap_or(path)).map_err(|error| unwritable(path, &error))?;
        if temporary.is_some() {
            // While it is locked nobody takes it for a leftover. Where there are no locks, nothing is taken away.
            let _ = file.try_lock();
        }
        UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&temporary);
        Ok(Self { path: path.to_owned(), temporary, file })
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        io::Write::write_all(&mut self.file, bytes).map_err(|error| unwritable(&self.path, &error))
    }

    pub(crate) fn finish(self) -> Result<(), Failure> {
        let _held = interrupt::hold();
        if let Some(temporary) = &self.temporary {
            self.file
                .sync_all()
                .and_then(|()| fs::rename(temporary, &self.path))
                .map_err(|error| unwritable(&self.path, &error))?;
            UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
        Ok(())
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        abandon();
    }
}

/// Makes a folder and what is in it. It is locked as long as what is given back lives, where folders can be.
fn fill(folder: &Path, model: &Model, texts: &[(&str, String)]) -> Result<Option<fs::File>, Failure> {
    fs::create_dir(folder).map_err(|error| unwritable(folder, &error))?;
    let locked = fs::File::open(folder).ok().filter(|folder| folder.try_lock().is_ok());
    model.save(folder.join(MODEL))?;
    for (name, text) in texts {
        let path = folder.join(name);
        let synced = |path: &Path| {
            fs::write(path, text)?;
            fs::File::open(path)?.sync_all()
        };
        synced(&path).map_err(|error| unwritable(&path, &error))?;
    }
    Ok(locked)
}

/// Makes a folder, where there is none.
pub(crate) fn make(folder: &Path) -> Result<(), Failure> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(unwritable(folder, &error)),
        _ => Ok(()),
    }
}

/// Holds a file that is to be written not to be one of those that are read, by what they are.
pub(crate) fn hold_apart(out: &Path, inputs: &[(&str, &Path)]) -> Result<(), Failure> {
    let Some(place) = out.canonicalize().ok().filter(|place| place.is_file()) else { return Ok(()) };
    for (what, input) in inputs {
        let is_it = |path: &Path| path.canonicalize().is_ok_and(|path| path == place);
        if is_it(input) || is_it(&input.join(MODEL)) {
            let text = format!("{}: expected another file than {what} to write to, found the same", out.display());
            return Err(Failure::misused(text, "name another file: what is there would be lost"));
        }
    }
    Ok(())
}

/// Replaces a file as a whole, or not at all.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut file = Whole::create(path)?;
    file.write(bytes)?;
    file.finish()
}

pub(crate) fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let kind = io::Error::from(error.kind());
    let about = nn::Error {
        file: path.display().to_string(),
        line: None,
        column: None,
        kind: nn::Kind::Stored(nn::Fault::Unwritable(kind)),
    };
    Failure { text: format!("{}: cannot be written: {error}", path.display()), ..Failure::from(about) }
}
