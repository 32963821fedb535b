//! Finding test files.
//!
//! A directory is searched recursively, in the order of names. Golden files
//! are recognised by their test: `a.LABEL.clif` and the directory `a` belong to
//! `a.wat`, `a.clif` or `a.op` beside them, `a.txt` to `a.clif`. Directories named
//! `inputs` hold inputs of transcripts, not tests; `.wast` scripts, what is known of
//! them (`.json`), and the directory `core` have runners of their own.
//! A file that is none of this is an error, so that no test is lost by a wrong
//! name.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A test file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TestFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its golden files that exist: those beside it and in its directory.
    pub goldens: Vec<PathBuf>,
}

impl TestFile {
    /// The name in reports: its path with `/`.
    pub fn name(&self) -> String {
        self.path.to_string_lossy().replace('\\', "/")
    }

    /// The extension.
    pub(crate) fn extension(&self) -> &str {
        extension(&self.path)
    }
}

/// Why the tests cannot be listed.
#[derive(Debug)]
pub enum DiscoverError {
    /// Reading this failed.
    Io(PathBuf, io::Error),
    /// This is no test.
    NotATest(PathBuf),
    /// There are no tests at these paths.
    Nothing,
}

impl fmt::Display for DiscoverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, _) => write!(f, "cannot read `{}`", path.display()),
            Self::NotATest(path) => {
                write!(f, "`{}` is neither a test (.wat, .clif, .op, .cli) nor a golden file of one", path.display())
            }
            Self::Nothing => f.write_str("no tests found"),
        }
    }
}

impl std::error::Error for DiscoverError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(_, error) => Some(error),
            _ => None,
        }
    }
}

const TESTS: [&str; 4] = ["wat", "clif", "op", "cli"];

fn extension(path: &Path) -> &str {
    path.extension().and_then(|e| e.to_str()).unwrap_or_default()
}

/// The tests at these paths, files or directories.
///
/// # Errors
///
/// [`DiscoverError`], also when there are none.
pub fn discover(paths: &[PathBuf]) -> Result<Vec<TestFile>, DiscoverError> {
    let mut found = vec![];
    for path in paths {
        let meta = std::fs::metadata(path).map_err(|e| DiscoverError::Io(path.clone(), e))?;
        if meta.is_dir() {
            walk(path, &mut found)?;
        } else if TESTS.contains(&extension(path)) {
            let parent = match path.parent() {
                Some(parent) if parent != Path::new("") => parent,
                _ => Path::new("."),
            };
            let entries = list(parent)?;
            found.push(TestFile { goldens: goldens(path, &entries)?, path: path.clone() });
        } else {
            return Err(DiscoverError::NotATest(path.clone()));
        }
    }
    found.sort();
    found.dedup();
    if found.is_empty() { Err(DiscoverError::Nothing) } else { Ok(found) }
}

fn list(dir: &Path) -> Result<Vec<PathBuf>, DiscoverError> {
    let error = |e| DiscoverError::Io(dir.to_owned(), e);
    let mut paths = vec![];
    for entry in std::fs::read_dir(dir).map_err(error)? {
        let entry = entry.map_err(error)?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            paths.push(if dir == Path::new(".") { PathBuf::from(entry.file_name()) } else { entry.path() });
        }
    }
    paths.sort();
    Ok(paths)
}

/// The test that a file or directory belongs to as golden, among its siblings.
fn owner<'a>(path: &Path, siblings: &'a [PathBuf]) -> Option<&'a PathBuf> {
    let name = path.file_name()?.to_str()?;
    siblings.iter().find(|test| {
        let stem = test.file_stem().and_then(|s| s.to_str()).unwrap_or_default();
        let rest = name.strip_prefix(stem);
        *test != path
            && match extension(test) {
                "clif" if rest == Some(".txt") => true,
                "wat" | "clif" => rest.is_some_and(|r| r.starts_with('.') && r.ends_with(".clif") && r != ".clif"),
                "op" => rest == Some("") && path.is_dir(),
                _ => false,
            }
    })
}

fn goldens(test: &Path, siblings: &[PathBuf]) -> Result<Vec<PathBuf>, DiscoverError> {
    let mut goldens = vec![];
    for path in siblings.iter().filter(|p| owner(p, siblings).is_some_and(|o| o == test)) {
        if path.is_dir() {
            goldens.extend(list(path)?);
        } else {
            goldens.push(path.clone());
        }
    }
    Ok(goldens)
}

fn walk(dir: &Path, found: &mut Vec<TestFile>) -> Result<(), DiscoverError> {
    let entries = list(dir)?;
    let owned: BTreeSet<_> = entries.iter().filter(|p| owner(p, &entries).is_some()).collect();
    for path in &entries {
        if owned.contains(path) {
            continue;
        }
        if path.is_dir() {
            if path.file_name().is_none_or(|n| n != "inputs" && n != "core") {
                walk(path, found)?;
            }
        } else if TESTS.contains(&extension(path)) {
            found.push(TestFile { path: path.clone(), goldens: goldens(path, &entries)? });
        } else if !matches!(extension(path), "md" | "wast" | "json") {
            return Err(DiscoverError::NotATest(path.clone()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Dir(PathBuf);
    impl Dir {
        fn new(name: &str, files: &[&str]) -> Self {
            let dir = std::env::temp_dir().join(format!("clif-cont-{name}-{}", std::process::id()));
            for file in files {
                let path = dir.join(file);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, "").unwrap();
            }
            Self(dir)
        }
    }
    impl Drop for Dir {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn golden_files_belong_to_their_test() {
        let dir = Dir::new(
            "golden",
            &[
                "b.wat",
                "b.x86_64.clif",
                "c.clif",
                "o.op",
                "o/x.clif",
                "t.cli",
                "inputs/z.wat",
                "r.md",
                ".keep",
                "d/e.wat",
            ],
        );
        let found = discover(std::slice::from_ref(&dir.0)).unwrap();
        let short = |p: &Path| p.strip_prefix(&dir.0).unwrap().to_str().unwrap().to_owned();
        let names: Vec<_> =
            found.iter().map(|t| (short(&t.path), t.goldens.iter().map(|g| short(g)).collect::<Vec<_>>())).collect();
        let expected = [
            ("b.wat", vec!["b.x86_64.clif"]),
            ("c.clif", vec![]),
            ("d/e.wat", vec![]),
            ("o.op", vec!["o/x.clif"]),
            ("t.cli", vec![]),
        ];
        let expected: Vec<_> = expected
            .iter()
            .map(|(n, g)| ((*n).to_owned(), g.iter().map(|g| (*g).to_owned()).collect::<Vec<_>>()))
            .collect();
        assert_eq!(names, expected);
        let one = discover(&[dir.0.join("b.wat")]).unwrap();
        assert_eq!(one[0].goldens.len(), 1);
    }

    #[test]
    fn no_test_is_lost_by_its_name() {
        let dir = Dir::new("name", &["a.wta"]);
        assert!(matches!(discover(std::slice::from_ref(&dir.0)), Err(DiscoverError::NotATest(_))));
        let empty = Dir::new("empty", &["inputs/a.wat"]);
        assert!(matches!(discover(std::slice::from_ref(&empty.0)), Err(DiscoverError::Nothing)));
        assert!(matches!(discover(&[dir.0.join("none")]), Err(DiscoverError::Io(..))));
    }
}
