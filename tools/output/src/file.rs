//! Files that are there as a whole, or are what they were before.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

/// A file that is being written: beside its place, under another name, until
/// [`OutputFile::commit`] renames it. Without that its place is what it was.
///
/// What is there and no regular file (a terminal, a pipe, `/dev/null`) is written to
/// directly. A symbolic link stays one: its target is replaced.
#[derive(Debug)]
pub struct OutputFile(Place);

#[derive(Debug)]
enum Place {
    Beside(NamedTempFile, PathBuf),
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
        let Some(name) = path.file_name() else { return Err(io::ErrorKind::IsADirectory.into()) };
        let mut prefix = OsString::from(".");
        prefix.push(name);
        // `Builder::tempfile_in` would name, in an error, a file of which nobody has heard
        let new = |path: &Path| File::options().write(true).create_new(true).open(path);
        let beside = Builder::new().prefix(&prefix).make_in(directory(&path), new)?;
        if let Some(permissions) = permissions {
            beside.as_file().set_permissions(permissions)?;
        }
        Ok(Self(Place::Beside(beside, path)))
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn commit(self) -> io::Result<()> {
        match self.0 {
            Place::Beside(file, path) => file.persist(path).map(drop).map_err(|e| e.error),
            Place::Direct(mut file) => file.flush(),
        }
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Place::Beside(file, _) => file.write(bytes),
            Place::Direct(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Place::Beside(file, _) => file.flush(),
            Place::Direct(file) => file.flush(),
        }
    }
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
