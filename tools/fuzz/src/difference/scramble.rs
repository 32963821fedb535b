//! Another text of the same function: every number another one, declarations and,
//! if asked for, blocks in another order, no comments.

use std::collections::BTreeMap;

use fastrand::Rng;

/// What is shuffled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shuffle {
    /// Names; each line of the body stays in its place.
    Names,
    /// Also the order of blocks, but for the entry.
    Blocks,
}

const PREFIXES: [&str; 8] = ["v", "block", "fn", "sig", "ss", "gv", "region", "const"];

/// Prefix and number of a name.
fn name(word: &str) -> Option<(&str, u32)> {
    let digits = word.find(|c: char| c.is_ascii_digit())?;
    let (prefix, number) = word.split_at(digits);
    if !PREFIXES.contains(&prefix) {
        return None;
    }
    Some((prefix, number.parse().ok()?))
}

/// Words and what is between them.
fn words(line: &str) -> Vec<&str> {
    let mut parts = vec![];
    let mut from = 0;
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '_' | '%' | '.');
    let mut was = None;
    for (at, c) in line.char_indices() {
        if was.is_some_and(|w| w != inside(c)) {
            parts.push(&line[from..at]);
            from = at;
        }
        was = Some(inside(c));
    }
    parts.push(&line[from..]);
    parts
}

/// Shuffles a function's text as the printer makes it.
pub(super) fn scramble(text: &str, what: Shuffle, rng: &mut Rng) -> String {
    let lines: Vec<&str> = text.lines().map(|l| l.split("  ;").next().unwrap_or(l).trim_end()).collect();
    let mut numbers: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for word in lines.iter().skip(1).flat_map(|l| words(l)) {
        if let Some((prefix, number)) = name(word) {
            numbers.entry(prefix).or_default().push(number);
        }
    }
    let mut to: BTreeMap<(&str, u32), u32> = BTreeMap::new();
    for (prefix, mut all) in numbers {
        all.sort_unstable();
        all.dedup();
        let mut new: Vec<u32> = (0..all.len() as u32 * 2).collect();
        rng.shuffle(&mut new);
        to.extend(all.into_iter().zip(new).map(|(old, new)| ((prefix, old), new)));
    }
    let renamed = |line: &str| -> String {
        let rename = |word: &str| match name(word).and_then(|(p, n)| Some((p, to.get(&(p, n))?))) {
            Some((prefix, number)) => format!("{prefix}{number}"),
            None => word.to_owned(),
        };
        words(line).into_iter().map(rename).collect()
    };
    let body = lines.iter().position(|l| l.trim_start().starts_with("block")).unwrap_or(lines.len());
    let mut head: Vec<String> = lines[1.min(body)..body].iter().map(|l| renamed(l)).filter(|l| !l.is_empty()).collect();
    let blank = body.saturating_sub(1 + head.len());
    rng.shuffle(&mut head);
    let mut blocks: Vec<Vec<String>> = vec![];
    for line in &lines[body..] {
        if line.trim_start().starts_with("block") {
            blocks.push(vec![]);
        }
        if let (Some(block), false) = (blocks.last_mut(), *line == "}") {
            block.push(renamed(line));
        }
    }
    if what == Shuffle::Blocks && blocks.len() > 2 {
        rng.shuffle(&mut blocks[1..]);
    }
    let first = lines.first().copied().unwrap_or_default().to_owned();
    let mut all = vec![first];
    all.extend(head);
    all.extend(std::iter::repeat_n(String::new(), blank));
    all.extend(blocks.into_iter().flatten());
    all.push("}".to_owned());
    all.join("\n") + "\n"
}

/// A text with its names numbered in the order in which they come.
pub(super) fn in_order(text: &str) -> String {
    let mut to: BTreeMap<(String, u32), usize> = BTreeMap::new();
    let mut result = String::with_capacity(text.len());
    for word in words(text) {
        match name(word) {
            Some((prefix, number)) => {
                let next = to.len();
                result.push_str(&format!("{prefix}{}", to.entry((prefix.to_owned(), number)).or_insert(next)));
            }
            None => result.push_str(word),
        }
    }
    result
}
