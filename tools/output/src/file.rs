//! Files that are there as a whole, or are what they were before.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use tempfile::{Builder, TempPath};

/// A file that is being written: without a name in the directory of its place, until
/// [`OutputFile::commit`] gives it one. Without that its place is what it was, and nothing is
/// left, however the process ends.
///
/// Where the file system has no files without a name it has another one beside its place. Then
/// what kills the process for good leaves it; SIGTERM, SIGINT and SIGHUP do not.
///
/// What is there and no regular file (a terminal, a pipe, `/dev/null`) is written to
/// directly. A symbolic link stays one: its target is replaced.
#[derive(Debug)]
pub struct OutputFile(Place);

#[derive(Debug)]
enum Place {
    Unnamed(File, PathBuf),
    Beside(Beside, PathBuf),
    Direct(File),
}

impl OutputFile {
    /// Begins to write a file.
    ///
    /// # Errors
    ///
    /// It could not be written: the system's.
    pub fn create(path: &Path) -> io::Result<Self> {
        let (path, permissions) = match fs::metadata(path) {
            Ok(there) => {
                // what must not be written must not be replaced either
                let file = File::options().write(true).open(path)?;
                if !there.is_file() {
                    return Ok(Self(Place::Direct(file)));
                }
                (path.canonicalize()?, Some(there.permissions()))
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => (path.to_owned(), None),
            Err(e) => return Err(e),
        };
        if path.file_name().is_none() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let new = match unnamed(directory(&path)) {
            Some(file) => Self(Place::Unnamed(file, path)),
            None => Self::beside(path)?,
        };
        if let (Some(permissions), Place::Unnamed(file, _) | Place::Beside(Beside { file, .. }, _)) =
            (permissions, &new.0)
        {
            file.set_permissions(permissions)?;
        }
        Ok(new)
    }

    /// Where there are no files without a name.
    fn beside(path: PathBuf) -> io::Result<Self> {
        // `Builder::tempfile_in` would name, in an error, a file of which nobody has heard
        let (file, name) = make_beside(&path, |path| File::options().write(true).create_new(true).open(path))?;
        Ok(Self(Place::Beside(Beside { file, name }, path)))
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn commit(self) -> io::Result<()> {
        match self.0 {
            Place::Unnamed(file, path) => {
                let of = descriptor(&file);
                match link(&of, &path) {
                    // what is there can be replaced by a name only
                    Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                        make_beside(&path, |name| link(&of, name))?.1.rename(&path)
                    }
                    linked => linked,
                }
            }
            Place::Beside(Beside { name, .. }, path) => name.rename(&path),
            Place::Direct(mut file) => file.flush(),
        }
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Place::Unnamed(file, _) | Place::Beside(Beside { file, .. }, _) => file.write(bytes),
            Place::Direct(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Place::Unnamed(file, _) | Place::Beside(Beside { file, .. }, _) => file.flush(),
            Place::Direct(file) => file.flush(),
        }
    }
}

/// A file with a name of its own beside its place.
#[derive(Debug)]
struct Beside {
    file: File,
    name: Name,
}

/// A name that goes when this is dropped, or a signal ends the process.
#[derive(Debug)]
struct Name(TempPath);

/// Names that a signal removes.
static NAMES: Mutex<Vec<PathBuf>> = Mutex::new(vec![]);

fn names() -> MutexGuard<'static, Vec<PathBuf>> {
    NAMES.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Name {
    /// Gives the file the name `to`.
    fn rename(mut self, to: &Path) -> io::Result<()> {
        fs::rename(&self.0, to)?;
        self.0.disable_cleanup(true);
        Ok(())
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        names().retain(|name| *name != *self.0);
    }
}

/// Makes something under a name that nothing has, beside `path`.
fn make_beside<T>(path: &Path, make: impl FnMut(&Path) -> io::Result<T>) -> io::Result<(T, Name)> {
    remove_on_signals();
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    // no signal comes between making it and noting its name
    let mut names = names();
    let (made, name) = Builder::new().prefix(&prefix).make_in(directory(path), make)?.into_parts();
    names.push(name.to_path_buf());
    Ok((made, Name(name)))
}

/// From now on the signals that ask a process to end remove what has to go first. One that
/// whoever started the process wants ignored stays so.
fn remove_on_signals() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let ignored = ignored_signals();
        let wanted = [SIGTERM, SIGINT, SIGHUP].into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0);
        // without the handlers or the thread all is as it was
        let Ok(mut signals) = Signals::new(wanted) else { return };
        let handle = signals.handle();
        let watch = move || {
            for signal in signals.forever() {
                let names = names();
                for name in names.iter() {
                    let _ = fs::remove_file(name);
                }
                let _ = emulate_default_handler(signal);
            }
        };
        if std::thread::Builder::new().name("signals".into()).spawn(watch).is_err() {
            handle.close();
        }
    });
}

/// A bit for each signal that is ignored; the first is the lowest.
fn ignored_signals() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// A file without a name in a directory, where there is such a thing and it can get one.
#[cfg(target_os = "linux")]
fn unnamed(directory: &Path) -> Option<File> {
    use rustix::fs::{Mode, OFlags, open};
    let file = open(directory, OFlags::WRONLY | OFlags::TMPFILE | OFlags::CLOEXEC, Mode::from_raw_mode(0o666)).ok()?;
    let file = File::from(file);
    fs::symlink_metadata(descriptor(&file)).is_ok().then_some(file)
}

#[cfg(not(target_os = "linux"))]
fn unnamed(_: &Path) -> Option<File> {
    None
}

/// What stands for an open file where a path is wanted.
fn descriptor(file: &File) -> PathBuf {
    format!("/proc/self/fd/{}", file.as_raw_fd()).into()
}

/// Gives the file a name that nothing has yet.
fn link(descriptor: &Path, name: &Path) -> io::Result<()> {
    use rustix::fs::{AtFlags, CWD, linkat};
    Ok(linkat(CWD, descriptor, CWD, name, AtFlags::SYMLINK_FOLLOW)?)
}

fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Writes a whole file.
///
/// # Errors
///
/// The system's; the file is what it was then.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OutputFile::create(path)?;
    file.write_all(bytes)?;
    file.commit()
}

/// Do both paths name one file, that is there or would be made? Two names of what is no
/// regular file are two: a terminal can be written to twice.
pub fn same_file(a: &Path, b: &Path) -> bool {
    let regular = fs::metadata(a).map_or(true, |m| m.is_file());
    let place = |path: &Path| {
        let made = || directory(path).canonicalize().ok().map(|d| d.join(path.file_name().unwrap_or_default()));
        path.canonicalize().ok().or_else(made)
    };
    regular && (a == b || place(a).is_some_and(|one| place(b) == Some(one)))
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::process::{Command, Stdio};
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_or_not_at_all() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("kept");
        write(&path, b"before").expect("new");
        fs::set_permissions(&path, Permissions::from_mode(0o640)).expect("ours");
        let mut file = OutputFile::create(&path).expect("it can be written");
        file.write_all(b"after").expect("beside");
        assert_eq!(fs::read(&path).expect("there"), b"before");
        drop(file);
        assert_eq!(fs::read(&path).expect("there"), b"before");
        assert_eq!(fs::read_dir(directory.path()).expect("a directory").count(), 1, "nothing is left beside it");
        write(&path, b"after").expect("it can be written");
        assert_eq!(fs::read(&path).expect("there"), b"after");
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o640, "as it was");
    }

    /// What a process of its own does in a directory: it writes, says so, and waits for its end.
    const WRITES: &str = "CLIF_CONT_TEST_WRITES";
    const BESIDE: &str = "CLIF_CONT_TEST_BESIDE";

    #[test]
    fn a_killed_process_leaves_nothing_beside() {
        if let Some(path) = std::env::var_os(WRITES) {
            let path = PathBuf::from(path);
            let beside = std::env::var_os(BESIDE).is_some();
            let file = if beside { OutputFile::beside(path.clone()) } else { OutputFile::create(&path) };
            file.and_then(|mut file| file.write_all(b"half").map(|()| std::mem::forget(file))).expect("written");
            fs::write(path.with_extension("ready"), "").expect("written");
            loop {
                std::thread::park();
            }
        }
        let scratch = tempfile::tempdir().expect("a directory");
        let has_unnamed = unnamed(scratch.path()).is_some();
        for (number, beside) in [false, true].into_iter().enumerate() {
            for (signal, clean) in [("TERM", true), ("INT", true), ("HUP", true), ("KILL", has_unnamed && !beside)] {
                let directory = scratch.path().join(format!("{number}{signal}"));
                fs::create_dir(&directory).expect("a directory");
                let path = directory.join("kept");
                fs::write(&path, "before").expect("new");
                let this = std::env::current_exe().expect("a test");
                let mut child = Command::new(this);
                child.arg("a_killed_process_leaves_nothing_beside").env(WRITES, &path).stdout(Stdio::null());
                child.envs(beside.then_some((BESIDE, "1")));
                let mut child = child.spawn().expect("it runs");
                while !path.with_extension("ready").exists() {
                    assert!(child.try_wait().expect("ours").is_none(), "it ended by itself");
                    std::thread::sleep(Duration::from_millis(5));
                }
                let kill = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status();
                assert!(kill.expect("a command").success());
                assert_eq!(child.wait().expect("ours").code(), None, "it ends by the signal");
                let left = fs::read_dir(&directory).expect("a directory").count();
                assert_eq!(left == 2, clean, "{signal}, beside {beside}: {left} files");
                assert_eq!(fs::read(&path).expect("there"), b"before");
            }
        }
    }

    #[test]
    fn a_file_beside_is_renamed_or_goes() {
        let scratch = tempfile::tempdir().expect("a directory");
        let path = scratch.path().join("kept");
        for text in ["one", "two"] {
            let mut file = OutputFile::beside(path.clone()).expect("it can be written");
            file.write_all(text.as_bytes()).expect("beside");
            file.commit().expect("renamed");
            assert_eq!(fs::read_to_string(&path).expect("there"), text);
            drop(OutputFile::beside(path.clone()));
            assert_eq!(fs::read_dir(scratch.path()).expect("a directory").count(), 1);
        }
        assert!(!names().iter().any(|name| name.starts_with(scratch.path())));
    }

    #[test]
    fn links_and_devices_stay_what_they_are() {
        let directory = tempfile::tempdir().expect("a directory");
        let [path, link] = ["target", "link"].map(|name| directory.path().join(name));
        write(&path, b"before").expect("new");
        symlink("target", &link).expect("a link");
        write(&link, b"after").expect("through the link");
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        assert_eq!(fs::read(&path).expect("there"), b"after");
        write(Path::new("/dev/null"), b"nothing").expect("a device");
        assert!(!fs::metadata("/dev/null").expect("there").is_file());
        assert!(write(directory.path(), b"").is_err(), "a directory");
        let error = write(&directory.path().join("no/where"), b"").expect_err("there is no such directory");
        assert_eq!(error.to_string(), "No such file or directory (os error 2)");
    }

    #[test]
    fn two_names_of_a_file_are_known() {
        let directory = tempfile::tempdir().expect("a directory");
        let [path, link, other] = ["target", "link", "other"].map(|name| directory.path().join(name));
        let around = directory.path().join(".").join("target");
        assert!(same_file(&path, &around), "before it is made");
        write(&path, b"").expect("new");
        symlink("target", &link).expect("a link");
        assert!(same_file(&path, &around) && same_file(&path, &link));
        assert!(!same_file(&path, &other));
        assert!(!same_file(Path::new("/dev/null"), Path::new("/dev/null")));
    }
}
