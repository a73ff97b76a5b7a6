//! The command as a user runs it: what it leaves, what it prints where, and how it ends.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod faults;
#[cfg(unix)]
mod stops;
mod work;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a run of the command came to.
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    /// Holds it to have gone well.
    #[track_caller]
    fn good(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.err);
        self
    }

    /// Holds it to have failed in two lines with this code, and these words in them.
    #[track_caller]
    fn failed(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        let lines: Vec<&str> = self.err.lines().collect();
        let [.., error, help] = lines[..] else { panic!("two lines are needed: {}", self.err) };
        assert!(error.starts_with("error: ") && error.len() > 10, "{}", self.err);
        assert!(help.starts_with("help: ") && help.len() > 10, "{}", self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
        for word in words {
            assert!(error.contains(word) || help.contains(word), "`{word}` is not told: {}", self.err);
        }
        self
    }
}

/// A folder of a test's own, in which the command runs.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        // Two tests may take one name.
        static PLACES: AtomicUsize = AtomicUsize::new(0);
        let number = PLACES.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("nn command {name} {} {number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.0.join(name), bytes).unwrap();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.0.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn has(&self, name: &str) -> bool {
        self.0.join(name).exists()
    }

    /// What is in it, hidden files too.
    fn names(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.join(folder)).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nn"));
        command.current_dir(&self.0).args(arguments).stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        ran(&mut self.command(arguments))
    }

    /// A model that is trained quickly, in the folder `model`.
    fn train(&self, table: &str, target: &str) -> Ran {
        let quick = ["--net", "linear", "--penalty", "0.01", "--iterations", "30", "--out", "model"];
        self.run(&[&["train", table, "--target", target][..], &quick].concat()).good()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn ran(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// A file of the project.
fn data(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = if name == "iris.csv" { folder.join("../nn/data/iris.csv") } else { folder.join("data").join(name) };
    path.to_string_lossy().into_owned()
}
