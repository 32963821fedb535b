//! Golden files that are not what is printed now: changes that somebody accepts, or not.

use std::io;
use std::path::{Path, PathBuf};

use clif_cont_diff::format::{Show, human};
use clif_cont_diff::{Options, Text, diff};
use similar::TextDiff;

/// Lines of a text that are shown where all of it is new, or nothing of the code changed.
const SHOWN: usize = 40;

/// A file that a test compares with, and what it would have to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pending {
    /// The name of the test.
    pub test: String,
    /// The file.
    pub path: PathBuf,
    /// What is in it; `None` if there is no file.
    pub old: Option<String>,
    /// What is printed now; `None` if no directive names the file.
    pub new: Option<String>,
}

/// A unified diff, empty when the texts are equal.
pub fn unified_diff(old_name: &str, old: &str, new_name: &str, new: &str) -> String {
    TextDiff::from_lines(old, new).unified_diff().context_radius(3).header(old_name, new_name).to_string()
}

/// The first lines of a text, and how many more there are.
fn beginning(text: &str) -> String {
    let more = text.lines().count().saturating_sub(SHOWN);
    let mut shown: String = text.split_inclusive('\n').take(SHOWN).collect();
    if more > 0 {
        shown.push_str(&format!("... {more} more lines\n"));
    }
    shown
}

impl Pending {
    /// The change in a line.
    pub fn summary(&self) -> String {
        let path = self.path.display();
        match (&self.old, &self.new) {
            (None, _) => format!("`{path}` does not exist"),
            (_, None) => format!("`{path}` belongs to no directive of this test"),
            _ => format!("what is printed differs from `{path}`"),
        }
    }

    /// What changes: of CLIF in what it does, of anything else in its text. It has colours.
    pub fn difference(&self) -> String {
        let name = self.path.display().to_string();
        let (Some(old), Some(new)) = (&self.old, &self.new) else {
            let text = self.new.as_ref().or(self.old.as_ref()).map(String::as_str).unwrap_or_default();
            return beginning(text);
        };
        let as_text = || unified_diff(&name, old, "printed now", new);
        if self.path.extension().is_none_or(|e| e != "clif") {
            return as_text();
        }
        let [before, after] = [old, new].map(|text| Text::new(text));
        if before.is_empty() && after.is_empty() {
            return as_text();
        }
        let difference = diff(&before, &after, &Options::default());
        if difference.is_equal() {
            return format!("the code is equal; its text is not:\n{}", beginning(&as_text()));
        }
        human(&difference, Show::default())
    }

    /// The message of a test that fails for it. It has colours.
    pub fn message(&self) -> String {
        let difference = match (&self.old, &self.new) {
            (Some(_), Some(_)) => format!("\n{}", self.difference().trim_end()),
            _ => String::new(),
        };
        format!("{}{difference}\nto accept: clif-cont test --bless {}", self.summary(), self.test)
    }

    /// Makes the file what is printed now.
    ///
    /// # Errors
    ///
    /// The file cannot be written or removed, or is not what it was when the test ran.
    pub fn accept(&self) -> io::Result<()> {
        if read(&self.path)? != self.old {
            return Err(io::Error::other("it has changed since the test ran"));
        }
        match &self.new {
            Some(new) => {
                self.path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
                clif_cont_output::write(&self.path, new.as_bytes())
            }
            None => std::fs::remove_file(&self.path),
        }
    }
}

/// The text of a file, if there is one.
pub(crate) fn read(path: &Path) -> io::Result<Option<String>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(path: &str, old: Option<&str>, new: Option<&str>) -> Pending {
        let [old, new] = [old, new].map(|text| text.map(str::to_owned));
        Pending { test: "a.wat".into(), path: path.into(), old, new }
    }

    fn plain(pending: &Pending) -> String {
        anstream::adapter::strip_str(&pending.difference()).to_string()
    }

    const OLD: &str =
        "; 2 instructions\nfunction %f(i64) -> i64 {\nblock0(v0: i64):\n    v1 = load.i64 v0+8\n    return v1\n}\n";

    #[test]
    fn a_diff_names_both_sides_and_is_empty_for_equal_texts() {
        assert_eq!(unified_diff("a", "x\n", "b", "x\n"), "");
        let diff = unified_diff("a", "x\ny\n", "b", "x\nz\n");
        assert!(diff.starts_with("--- a\n+++ b\n") && diff.contains("-y\n+z\n"), "{diff}");
    }

    #[test]
    fn clif_differs_in_what_it_does() {
        let new = OLD.replace("    v1 =", "    store v0, v0+16\n    v1 =").replace("v1", "v9").replace("v0", "v4");
        let text = plain(&pending("a.x.clif", Some(OLD), Some(&new)));
        assert!(text.contains("function %f: changed, 1 line"), "{text}");
        let other = plain(&pending("a.txt", Some(OLD), Some(&new)));
        assert!(other.contains("+    v9 = load.i64 v4+8"), "{other}");
    }

    #[test]
    fn other_numbers_are_said_to_be_no_other_code() {
        let text = plain(&pending("a.x.clif", Some(OLD), Some(&OLD.replace("v1", "v9").replace("; 2", "; 3"))));
        assert!(text.starts_with("the code is equal; its text is not:\n--- a.x.clif"), "{text}");
        assert!(text.contains("+; 3 instructions"), "{text}");
    }

    #[test]
    fn of_a_new_file_the_beginning_is_shown() {
        let long = "line\n".repeat(100);
        assert!(plain(&pending("a.txt", None, Some(&long))).ends_with("line\n... 60 more lines\n"));
    }

    #[test]
    fn what_changed_meanwhile_is_not_overwritten() {
        let path = std::env::temp_dir().join(format!("clif-cont-pending-{}.clif", std::process::id()));
        let change = pending(&path.display().to_string(), None, Some("new"));
        std::fs::write(&path, "another").expect("written");
        assert!(change.accept().is_err());
        std::fs::remove_file(&path).expect("removed");
        change.accept().expect("accepted");
        let change = Pending { old: Some("new".into()), new: None, ..change };
        change.accept().expect("removed");
        assert!(!path.exists());
    }
}
