//! Plain text comparison: of what is outside of functions, and the bound that no
//! function's difference exceeds.

use rustc_hash::FxHashMap;
use similar::{Algorithm, ChangeTag, TextDiff};

use crate::pairs::Side;
use crate::result::Line;
use crate::text;

/// Operations after which a shortest difference is given up for some difference:
/// files that have little in common.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(2);

/// Compares lines as they are.
pub(crate) fn compare(old: &[text::Line], new: &[text::Line]) -> Vec<Line> {
    let [before, after] = [old, new].map(|lines| lines.iter().map(|l| l.text.as_str()).collect::<Vec<_>>());
    let diff = TextDiff::configure().algorithm(Algorithm::Myers).timeout(LIMIT).diff_slices(&before, &after);
    let line = |change: similar::Change<&str>| Line {
        side: match change.tag() {
            ChangeTag::Equal => None,
            ChangeTag::Delete => Some(Side::Old),
            ChangeTag::Insert => Some(Side::New),
        },
        old: change.old_index().map(|i| old[i].number),
        new: change.new_index().map(|j| new[j].number),
        text: change.value().to_owned(),
    };
    diff.iter_all_changes().map(line).collect()
}

/// Lines that a plain text comparison has at least: those that one side has more
/// often than the other.
pub(crate) fn at_least(old: &[text::Line], new: &[text::Line]) -> usize {
    let mut counts: FxHashMap<&str, isize> = FxHashMap::default();
    old.iter().for_each(|l| *counts.entry(&l.text).or_default() += 1);
    new.iter().for_each(|l| *counts.entry(&l.text).or_default() -= 1);
    counts.into_values().map(isize::unsigned_abs).sum()
}

/// How many lines a plain text comparison has.
pub(crate) fn count(lines: &[Line]) -> usize {
    lines.iter().filter(|l| l.side.is_some()).count()
}
