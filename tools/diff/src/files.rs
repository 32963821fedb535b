//! Two files: which functions correspond, and what is outside of them.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::hunk::hunks;
use crate::pairs::Side;
use crate::parse::{Renames, header, parse};
use crate::plain;
use crate::print::Printed;
use crate::result::{Diff, FunctionDiff, Hidden, Hunk, Line, Plain, Verdict};
use crate::search::{Best, search};
use crate::text::{self, Text};
use crate::token::{code, tokens};

/// Functions that two files may have without being compared each with each.
const EACH: usize = 64;

/// Which functions are compared.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Only the function of this name, in the new file or the old one; its `%` may be
    /// left out.
    pub only: Option<String>,
}

impl Options {
    fn wants(&self, name: &str) -> bool {
        let bare = |name: &str| name.trim_start_matches('%').to_owned();
        self.only.as_ref().is_none_or(|only| bare(only) == bare(name))
    }
}

struct Function<'a> {
    name: String,
    lines: &'a [text::Line],
    /// What its statements are without any name: how often each.
    outline: BTreeMap<String, usize>,
    size: usize,
}

impl<'a> Function<'a> {
    fn new(lines: &'a [text::Line]) -> Self {
        let name = lines.first().map(|l| header(&l.text).0).unwrap_or_default();
        let mut outline: BTreeMap<String, usize> = BTreeMap::new();
        let func = parse(lines, &Renames::default());
        for n in func.insts().filter(|n| func[*n].constant.is_none()) {
            let node = &func[n];
            let access = node.access.as_ref().map(|a| a.offset).unwrap_or_default();
            *outline.entry(format!("{} {access}", node.opcode)).or_default() += 1;
        }
        let size = outline.values().sum();
        Self { name, lines, outline, size }
    }

    fn first_line(&self) -> u32 {
        self.lines.first().map_or(0, |l| l.number)
    }

    /// The part that two functions have in common, from 0 to 1.
    fn likeness(&self, other: &Self) -> f64 {
        let common = |(statement, n): (&String, &usize)| (*n).min(other.outline.get(statement).copied().unwrap_or(0));
        let shared: usize = self.outline.iter().map(common).sum();
        if self.size.max(other.size) == 0 { 1.0 } else { shared as f64 / self.size.max(other.size) as f64 }
    }
}

/// Pairs of indices: by name, unless what has the name is another function now;
/// then by what is in them.
fn pair(old: &[Function], new: &[Function]) -> Vec<(usize, usize)> {
    let mut pairs = vec![];
    let (mut left, mut right): (Vec<bool>, Vec<bool>) = (vec![true; old.len()], vec![true; new.len()]);
    let mut take = |i: usize, j: usize, left: &mut [bool], right: &mut [bool]| {
        if left[i] && right[j] {
            (left[i], right[j]) = (false, false);
            pairs.push((i, j));
        }
    };
    let by_name: FxHashMap<&str, usize> = old.iter().enumerate().rev().map(|(i, f)| (f.name.as_str(), i)).collect();
    let named = |f: &Function| by_name.get(f.name.as_str()).copied();
    // a number is no name: when a function is inserted, all others have another one
    let exact = |f: &Function, g: &Function| f.size > 0 && f.likeness(g) > 0.999 && f.size == g.size;
    for (j, f) in new.iter().enumerate() {
        let Some(i) = named(f) else { continue };
        let numbered = f.name.starts_with(|c: char| c != '%');
        if !numbered || exact(&old[i], f) || old[i].likeness(f) >= 0.5 {
            take(i, j, &mut left, &mut right);
        }
    }
    let rest = |free: &[bool]| free.iter().enumerate().filter(|(_, f)| **f).map(|(i, _)| i).collect::<Vec<_>>();
    let (xs, ys) = (rest(&left), rest(&right));
    if xs.len().min(ys.len()) <= EACH {
        let mut candidates = vec![];
        for i in &xs {
            for j in &ys {
                let like = old[*i].likeness(&new[*j]);
                if like >= 0.6 {
                    candidates.push((like, i.abs_diff(*j), *i, *j));
                }
            }
        }
        candidates.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| (a.1, a.2, a.3).cmp(&(b.1, b.2, b.3))));
        for (_, _, i, j) in candidates {
            take(i, j, &mut left, &mut right);
        }
    } else {
        for (i, j) in xs.iter().zip(&ys).filter(|(i, j)| exact(&old[**i], &new[**j])) {
            take(*i, *j, &mut left, &mut right);
        }
    }
    for (j, f) in new.iter().enumerate() {
        if let Some(i) = named(f) {
            take(i, j, &mut left, &mut right);
        }
    }
    pairs
}

/// Compares two files.
pub fn diff(old: &Text, new: &Text, options: &Options) -> Diff {
    let before: Vec<Function> = old.functions.iter().map(|f| Function::new(f)).collect();
    let after: Vec<Function> = new.functions.iter().map(|f| Function::new(f)).collect();
    let pairs = pair(&before, &after);
    let renames: Renames = pairs
        .iter()
        .filter(|(i, j)| before[*i].name != after[*j].name)
        .map(|(i, j)| (after[*j].name.clone(), before[*i].name.clone()))
        .collect();
    let partner: FxHashMap<usize, usize> = pairs.iter().map(|(i, j)| (*j, *i)).collect();
    let paired: std::collections::BTreeSet<usize> = pairs.iter().map(|(i, _)| *i).collect();
    let mut result = Diff::default();
    let mut gone = before.iter().enumerate().filter(|(i, f)| !paired.contains(i) && options.wants(&f.name)).peekable();
    for (j, f) in after.iter().enumerate() {
        let i = partner.get(&j).copied();
        while let Some((_, f)) = gone.next_if(|(at, _)| i.is_some_and(|i| *at < i)) {
            result.functions.push(alone(f, Side::Old));
        }
        let wanted = options.wants(&f.name) || i.is_some_and(|i| options.wants(&before[i].name));
        match i {
            _ if !wanted => {}
            Some(i) => result.functions.push(compare(&before[i], f, &renames)),
            None => result.functions.push(alone(f, Side::New)),
        }
    }
    result.functions.extend(gone.map(|(_, f)| alone(f, Side::Old)));
    if options.only.is_none() {
        result.outside = outside(old, new, &renames);
    }
    repeat(&mut result);
    result
}

/// Lines outside of functions; comments of CLIF are none.
fn outside(old: &Text, new: &Text, renames: &Renames) -> Vec<Line> {
    let lines = |text: &Text, renames: &Renames| -> Vec<text::Line> {
        let significant = text.outside.iter().filter(|l| {
            let t = l.text.trim();
            text.in_comments || !t.starts_with(';') || t.starts_with(";!")
        });
        let renamed = |l: &text::Line| {
            let mut line = l.clone();
            for token in tokens(&l.text).iter().rev() {
                if let Some(name) = renames.get(token.text) {
                    line.text.replace_range(token.at..token.at + token.text.len(), name);
                }
            }
            line
        };
        significant.map(renamed).collect()
    };
    let lines = plain::compare(&lines(old, &Renames::default()), &lines(new, renames));
    if plain::count(&lines) == 0 { vec![] } else { lines }
}

fn place(f: &Function) -> Option<(String, u32)> {
    Some((f.name.clone(), f.first_line()))
}

/// A function without a partner.
fn alone(f: &Function, side: Side) -> FunctionDiff {
    let line = |l: &text::Line| Line {
        side: Some(side),
        old: (side == Side::Old).then_some(l.number),
        new: (side == Side::New).then_some(l.number),
        text: l.text.clone(),
    };
    let lines: Vec<Line> = f.lines.iter().filter(|l| !code(&l.text).trim().is_empty()).map(line).collect();
    let (verdict, what) = match side {
        Side::Old => (Verdict::Removed, "function gone"),
        Side::New => (Verdict::Added, "new function"),
    };
    let all = Hunk { title: what.to_owned(), lines: (0..lines.len()).collect(), also: vec![], shown_before: false };
    FunctionDiff {
        old: place(f).filter(|_| side == Side::Old),
        new: place(f).filter(|_| side == Side::New),
        verdict,
        lines,
        hunks: vec![all],
        hidden: Hidden::default(),
        bounded: false,
        plain: None,
    }
}

fn compare(old: &Function, new: &Function, renames: &Renames) -> FunctionDiff {
    let best = search(old.lines, new.lines, renames);
    let refused = best.check(renames).err();
    finish(old, new, &best, refused.map(|r| r.to_string()))
}

fn finish(old: &Function, new: &Function, best: &Best, refused: Option<String>) -> FunctionDiff {
    let printed = Printed::new(best);
    let equal = best.found.changes.is_empty();
    let mut result = FunctionDiff {
        old: place(old),
        new: place(new),
        verdict: match (equal, old.name == new.name) {
            (true, true) => Verdict::Equal,
            (true, false) => Verdict::Renamed,
            (false, _) => Verdict::Changed,
        },
        hunks: hunks(best, &printed),
        lines: printed.lines,
        hidden: printed.hidden,
        bounded: best.bounded,
        plain: None,
    };
    let plain = match refused {
        Some(why) => Some(Plain::Refused(why)),
        None if equal || plain::at_least(old.lines, new.lines) >= result.changed_lines() => None,
        None => {
            let lines = plain::compare(old.lines, new.lines);
            (plain::count(&lines) < result.changed_lines()).then_some(Plain::Shorter)
        }
    };
    if plain.is_some() {
        result.verdict = Verdict::Changed;
        result.lines = plain::compare(old.lines, new.lines);
        let changed = result.lines.iter().enumerate().filter(|(_, l)| l.side.is_some()).map(|(i, _)| i).collect();
        result.hunks = vec![Hunk { title: "text".to_owned(), lines: changed, also: vec![], shown_before: false }];
        result.plain = plain;
    }
    result
}

/// The same hunk in several functions is printed with the first of them.
fn repeat(diff: &mut Diff) {
    let mut first: FxHashMap<String, (usize, usize)> = FxHashMap::default();
    for f in 0..diff.functions.len() {
        for h in 0..diff.functions[f].hunks.len() {
            let function = &diff.functions[f];
            let text = anonymous(function, &function.hunks[h]);
            let name = function.name().to_owned();
            match first.get(&text) {
                // one line says no more than where it is
                Some((g, k)) if *g != f && function.hunks[h].lines.len() > 2 => {
                    diff.functions[*g].hunks[*k].also.push(name);
                    diff.functions[f].hunks[h].shown_before = true;
                }
                Some(_) => {}
                None => drop(first.insert(text, (f, h))),
            }
        }
    }
}

/// A hunk with its names numbered as they come.
fn anonymous(function: &FunctionDiff, hunk: &Hunk) -> String {
    let mut numbers = FxHashMap::default();
    let mut text = String::new();
    for line in hunk.lines.iter().map(|l| &function.lines[*l]) {
        text.push(line.side.map_or(' ', Side::mark));
        text.push_str(&crate::token::rename(code(&line.text), |name| {
            let next = numbers.len();
            Some(format!("{}{}", name.kind.prefix(), numbers.entry(name).or_insert(next)))
        }));
        text.push('\n');
    }
    text
}
