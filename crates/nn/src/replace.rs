//! Writing a file so that at every moment the old one or the new one is there as a whole.

use crate::error::{Error, Kind};
use crate::fault::Fault;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Replaces a file by these bytes: they are written to a temporary name in the same folder, synced, and renamed, and the folder
/// is synced. Permissions are kept, a link leads where it led. Where that fails, the old file is as it was, and nothing
/// temporary stays; what a killed process has left, the next call takes away.
///
/// What is no file, such as `/dev/stdout`, is written to as it is.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    try_replace(path, bytes).map_err(|error| Error {
        file: path.display().to_string(),
        line: None,
        column: None,
        kind: Kind::Stored(Fault::Unwritable(error)),
    })
}

fn try_replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if path.as_os_str().is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the name is empty"));
    }
    if path.as_os_str().as_encoded_bytes().last().is_some_and(|&byte| std::path::is_separator(char::from(byte))) {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let path = &behind_links(path)?;
    let old = match fs::metadata(path) {
        Ok(old) => {
            // A file, or a folder, that must not be written to says so here.
            let mut there = OpenOptions::new().write(true).open(path)?;
            if !old.is_file() {
                return there.write_all(bytes);
            }
            Some(old)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let Some(name) = path.file_name() else { return Err(io::ErrorKind::IsADirectory.into()) };
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    sweep(folder, name);
    let mut tries = 0;
    loop {
        let temporary = Temporary::create(folder, name)?;
        temporary.fill(bytes, old.as_ref())?;
        match fs::rename(&temporary.path, path) {
            Ok(()) => {
                temporary.keep();
                break;
            }
            // Another process took it away in the moment before it was locked.
            Err(error) if error.kind() == io::ErrorKind::NotFound && tries < 3 => tries += 1,
            Err(error) => return Err(error),
        }
    }
    sync_folder(folder)
}

/// Where a path leads through links, so that they stay, also where the last one leads to no file yet.
fn behind_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    // As many as Linux follows.
    for _ in 0..40 {
        match fs::canonicalize(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => (),
            found => return found,
        }
        let Ok(to) = fs::read_link(&path) else { return Ok(path) };
        path = path.parent().map_or_else(|| to.clone(), |folder| folder.join(&to));
    }
    Ok(path)
}

/// The ends of the names of temporary files of a target: `.NAME.PID-COUNT.tmp`.
const END: &str = ".tmp";

fn start_of(name: &OsStr) -> OsString {
    let mut start = OsString::from(".");
    start.push(name);
    start.push(".");
    start
}

/// A file that goes away when it is dropped. It is locked, so that others see that its process lives.
struct Temporary {
    path: PathBuf,
    file: File,
    kept: bool,
}

impl Temporary {
    fn create(folder: &Path, name: &OsStr) -> io::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let mut own = start_of(name);
            own.push(format!("{}-{count}{END}", std::process::id()));
            let path = folder.join(own);
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => {
                    // Where a file system has no locks, nothing is swept there either.
                    let _ = file.try_lock();
                    return Ok(Self { path, file, kept: false });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => (),
                Err(error) => return Err(error),
            }
        }
    }

    fn fill(&self, bytes: &[u8], old: Option<&fs::Metadata>) -> io::Result<()> {
        (&self.file).write_all(bytes)?;
        if let Some(old) = old {
            keep_owner(&self.path, old);
            self.file.set_permissions(old.permissions())?;
        }
        self.file.sync_all()
    }

    fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.kept {
            // The error that led here is told; this one would hide it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Takes away what killed processes have left: temporary files of this name that nobody has locked.
fn sweep(folder: &Path, name: &OsStr) {
    let start = start_of(name);
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let found = entry.file_name();
        let found = found.as_encoded_bytes();
        let middle = found.strip_prefix(start.as_encoded_bytes()).and_then(|rest| rest.strip_suffix(END.as_bytes()));
        let ours = middle.is_some_and(|middle| {
            !middle.is_empty() && middle.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-')
        });
        if ours
            && let Ok(file) = OpenOptions::new().write(true).open(entry.path())
            && file.try_lock().is_ok()
        {
            // It may be gone by now, which is what is wanted.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// A file written by root for somebody stays theirs. Where that is not permitted, it belongs to the writer.
#[cfg(unix)]
fn keep_owner(path: &Path, old: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt, chown};
    let _ = chown(path, Some(old.uid()), Some(old.gid()));
}

#[cfg(not(unix))]
fn keep_owner(_: &Path, _: &fs::Metadata) {}

/// The new name is on the disk, too.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Some file systems, and folders that may be written but not read, have no such thing.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied
            ) =>
        {
            Ok(())
        }
        result => result,
    }
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("nn-replace-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_and_nothing_else_stays() {
        let folder = folder("plain");
        let path = folder.join("a.bin");
        replace(&path, b"one").unwrap();
        // What a killed process left, and a file that only looks a little like it.
        fs::write(folder.join(".a.bin.123-4.tmp"), b"half").unwrap();
        fs::write(folder.join(".a.bin.mine.tmp"), b"mine").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(names(&folder), [".a.bin.mine.tmp", "a.bin"]);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    #[cfg(unix)]
    fn permissions_and_links_stay() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = folder("unix");
        let (path, link) = (folder.join("a.bin"), folder.join("link"));
        fs::write(&path, b"one").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("a.bin", &link).unwrap();
        replace(&link, b"two").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    #[cfg(unix)]
    fn a_link_to_no_file_yet_stays_and_one_to_itself_is_an_error() {
        use std::os::unix::fs::symlink;
        let folder = folder("links");
        fs::create_dir(folder.join("runs")).unwrap();
        symlink("runs/new", folder.join("latest")).unwrap();
        symlink("of_today.bin", folder.join("runs/new")).unwrap();
        symlink("self", folder.join("self")).unwrap();
        replace(&folder.join("latest"), b"one").unwrap();
        assert!(fs::symlink_metadata(folder.join("latest")).unwrap().is_symlink());
        assert_eq!(fs::read(folder.join("runs/of_today.bin")).unwrap(), b"one");
        let text = replace(&folder.join("self"), b"one").unwrap_err().to_string();
        assert!(text.contains("self: cannot be written: "), "{text}");
        assert_eq!(names(&folder), ["latest", "runs", "self"]);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_cannot_be_written_is_an_error_that_names_it() {
        let folder = folder("errors");
        let text = replace(Path::new(""), b"one").unwrap_err().to_string();
        assert!(text.contains("the name is empty"), "{text}");
        let text = replace(&folder.join("new/"), b"one").unwrap_err().to_string();
        assert!(text.contains("new/: cannot be written: is a directory"), "{text}");
        let text = replace(&folder, b"one").unwrap_err().to_string();
        assert!(text.starts_with(&format!("{}: cannot be written: ", folder.display())), "{text}");
        let text = replace(&folder.join("none/a.bin"), b"one").unwrap_err().to_string();
        assert!(text.contains("none/a.bin: cannot be written: "), "{text}");
        assert!(names(&folder).is_empty());
        #[cfg(target_os = "linux")]
        {
            let text = replace(Path::new("/dev/full"), b"one").unwrap_err().to_string();
            assert!(text.contains("/dev/full: cannot be written: "), "{text}");
        }
        fs::remove_dir_all(folder).unwrap();
    }
}
