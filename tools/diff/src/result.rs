//! What a comparison comes to: the documented result.

use crate::pairs::Side;

/// The difference of two files.
#[derive(Clone, Debug, Default)]
pub struct Diff {
    /// One for each pair of functions, and for each that has no partner: in the
    /// order of the new file, what is gone where it was.
    pub functions: Vec<FunctionDiff>,
    /// Lines outside of functions that differ, as text, with their context.
    pub outside: Vec<Line>,
}

/// The difference of two functions.
#[derive(Clone, Debug)]
pub struct FunctionDiff {
    /// Name and first line in the old file.
    pub old: Option<(String, u32)>,
    /// Name and first line in the new file.
    pub new: Option<(String, u32)>,
    /// What came of it.
    pub verdict: Verdict,
    /// The old function with what changed, line by line; empty where nothing did.
    pub lines: Vec<Line>,
    /// Changes that belong together.
    pub hunks: Vec<Hunk>,
    /// What is not printed, all of it counted.
    pub hidden: Hidden,
    /// Was some search cut short because of the function's size? The result is
    /// right, but may have more lines than it needs.
    pub bounded: bool,
    /// Why the lines are those of a plain text comparison, if they are.
    pub plain: Option<Plain>,
}

/// What came of the comparison of two functions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Verdict {
    /// They do the same: the checker has verified it.
    Equal,
    /// They do the same, under another name.
    Renamed,
    /// They differ in the lines that are printed, or could not be proven equal.
    Changed,
    /// There is no old one.
    Added,
    /// There is no new one.
    Removed,
}

impl Verdict {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Renamed => "renamed",
            Self::Changed => "changed",
            Self::Added => "added",
            Self::Removed => "removed",
        }
    }
}

/// Why a function's lines are those of a plain text comparison.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Plain {
    /// It has fewer lines.
    Shorter,
    /// The checker refused the mapping; with its reason.
    Refused(String),
}

/// A line of a difference.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// Whose it is; `None` if both have it.
    pub side: Option<Side>,
    /// Its number in the old file.
    pub old: Option<u32>,
    /// Its number in the new file.
    pub new: Option<u32>,
    /// Its text, in names of the old file: what corresponds keeps its old name,
    /// what is new has a name that is not in the old file.
    pub text: String,
}

/// Changes that belong together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hunk {
    /// What it is, in words.
    pub title: String,
    /// Indices of its lines in [`FunctionDiff::lines`], ascending.
    pub lines: Vec<usize>,
    /// Other functions in which the same is changed; printed here only. Their
    /// hunks have an empty title.
    pub also: Vec<String>,
    /// Is it printed with an earlier function?
    pub shown_before: bool,
}

/// What is not printed because it makes no difference.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Hidden {
    /// Effects that changed places with what they are independent of: old line,
    /// new line, text.
    pub moved: Vec<(u32, u32, String)>,
    /// Instructions with operands the other way round: old line, new line, text.
    pub commuted: Vec<(u32, u32, String)>,
    /// Pure instructions that are in another block.
    pub elsewhere: usize,
    /// Values that have another number.
    pub renamed: usize,
    /// Instructions that compute what is there already, in the old function and in
    /// the new one.
    pub duplicates: [usize; 2],
    /// Instructions that are part of an expression that is equal.
    pub folded: [usize; 2],
    /// Blocks joined to their only predecessor.
    pub joined: [usize; 2],
    /// Declarations that say what another one says.
    pub declarations: [usize; 2],
}

impl Hidden {
    /// The counts that are not 0, in words.
    pub fn counts(&self) -> Vec<String> {
        let both = |n: [usize; 2], what: &str| match n {
            [a, b] if a == b => String::new(),
            [a, b] => format!("{what}: {a} -> {b}"),
        };
        let one = |n: usize, what: &str| if n == 0 { String::new() } else { format!("{n} {what}") };
        let all = [
            one(self.moved.len(), "moved"),
            one(self.commuted.len(), "commuted"),
            one(self.elsewhere, "in another block"),
            one(self.renamed, "renamed"),
            both(self.duplicates, "duplicates"),
            both(self.folded, "parts of equal expressions"),
            both(self.joined, "joined blocks"),
            both(self.declarations, "repeated declarations"),
        ];
        all.into_iter().filter(|t| !t.is_empty()).collect()
    }
}

impl FunctionDiff {
    /// Lines that only one side has.
    pub fn changed_lines(&self) -> usize {
        self.lines.iter().filter(|l| l.side.is_some()).count()
    }

    /// Does it do the same, under whatever name?
    pub fn is_equal(&self) -> bool {
        matches!(self.verdict, Verdict::Equal | Verdict::Renamed)
    }

    /// The name it is known by: the new one, if there is one.
    pub fn name(&self) -> &str {
        self.new.as_ref().or(self.old.as_ref()).map_or("", |(name, _)| name)
    }
}

impl Diff {
    /// Is nothing different?
    pub fn is_equal(&self) -> bool {
        self.outside.iter().all(|l| l.side.is_none())
            && self.functions.iter().all(|f| matches!(f.verdict, Verdict::Equal | Verdict::Renamed))
    }

    /// Lines that only one side has: of functions, and outside of them.
    pub fn changed_lines(&self) -> usize {
        let outside = self.outside.iter().filter(|l| l.side.is_some()).count();
        outside + self.functions.iter().map(FunctionDiff::changed_lines).sum::<usize>()
    }
}
