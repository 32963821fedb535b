//! How a text is mutated: a few edits of bytes, tokens and lines, at random.

use std::ops::Range;

use fastrand::Rng;

/// Numbers at the edges of something.
const NUMBERS: [&str; 14] = [
    "0",
    "1",
    "-1",
    "63",
    "64",
    "65535",
    "65536",
    "1000000",
    "2147483647",
    "-2147483648",
    "4294967295",
    "4294967296",
    "0xffffffffffffffff",
    "99999999999999999999999",
];
/// What means something in one of the languages.
const TOKENS: [&str; 24] = [
    "(",
    ")",
    "{",
    "}",
    "\"",
    ";",
    ";;!",
    ";!",
    "%",
    "$",
    "->",
    "=",
    ",",
    "\u{202e}",
    "\0",
    "\n",
    "v0",
    "block0",
    "fn7",
    "sig9",
    "(ref null $k)",
    "(i32.const 0)",
    "unreachable",
    "cont.new",
];
const EDITS: u32 = 4;
/// No mutant is longer, in bytes.
const LONGEST: usize = 1 << 20;

/// One to four edits; `other` is where pieces may come from.
pub(crate) fn mutate(text: &[u8], other: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut text = text.to_vec();
    let edits = if rng.bool() { 1 } else { rng.u32(1..=EDITS) };
    for _ in 0..edits {
        edit(&mut text, other, rng);
        text.truncate(LONGEST);
    }
    text
}

fn edit(text: &mut Vec<u8>, other: &[u8], rng: &mut Rng) {
    match rng.u32(0..20) {
        // most texts do not survive more than this
        11..=13 => replace(text, token_like(text, b'0', rng), choose(&NUMBERS, rng).as_bytes()),
        14.. => {
            let range = token(text, rng);
            let kind = text.get(range.start).copied().unwrap_or_default();
            let with = text[token_like(text, kind, rng)].to_vec();
            replace(text, range, &with);
        }
        0 if !text.is_empty() => {
            let at = rng.usize(..text.len());
            text[at] = rng.u8(..);
        }
        1 => {
            let range = part(text, rng);
            text.drain(range);
        }
        2 | 3 => replace(text, token(text, rng), choose(&NUMBERS, rng).as_bytes()),
        4 => replace(text, token(text, rng), choose(&TOKENS, rng).as_bytes()),
        5 => {
            let from = other[token(other, rng)].to_vec();
            replace(text, token(text, rng), &from);
        }
        6 => {
            let from = text[token(text, rng)].to_vec();
            replace(text, token(text, rng), &from);
        }
        7 => {
            let range = line(text, rng);
            text.drain(range);
        }
        8 => {
            let copy = text[line(text, rng)].to_vec();
            let to = line(text, rng).start;
            for _ in 0..rng.usize(1..=3) {
                text.splice(to..to, copy.iter().copied());
            }
        }
        9 => {
            let from = other[line(other, rng)].to_vec();
            let to = line(text, rng).start;
            text.splice(to..to, from);
        }
        _ => {
            let keep = rng.usize(..=text.len());
            text.truncate(keep);
        }
    }
}

fn choose<'a>(list: &[&'a str], rng: &mut Rng) -> &'a str {
    list[rng.usize(..list.len())]
}

fn replace(text: &mut Vec<u8>, range: Range<usize>, with: &[u8]) {
    text.splice(range, with.iter().copied());
}

/// A short part.
fn part(text: &[u8], rng: &mut Rng) -> Range<usize> {
    let start = rng.usize(..=text.len());
    start..(start + rng.usize(..=16)).min(text.len())
}

/// The token, or what lies between two, around some place.
fn token(text: &[u8], rng: &mut Rng) -> Range<usize> {
    if text.is_empty() {
        return 0..0;
    }
    let at = rng.usize(..text.len());
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b"_.$%-".contains(&b);
    let kind = is_word(text[at]);
    let start = text[..at].iter().rposition(|b| is_word(*b) != kind).map_or(0, |n| n + 1);
    let end = text[at..].iter().position(|b| is_word(*b) != kind).map_or(text.len(), |n| at + n);
    start..end
}

/// A token that begins like this, where one is found soon: with a digit for `0`.
fn token_like(text: &[u8], kind: u8, rng: &mut Rng) -> Range<usize> {
    let class = |b: u8| if b.is_ascii_digit() { b'0' } else { b };
    let mut found = 0..0;
    for _ in 0..50 {
        found = token(text, rng);
        if text.get(found.start).is_some_and(|b| class(*b) == class(kind)) {
            break;
        }
    }
    found
}

/// The line around some place, with its end.
fn line(text: &[u8], rng: &mut Rng) -> Range<usize> {
    let at = rng.usize(..=text.len());
    let start = text[..at].iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
    let end = text[at..].iter().position(|b| *b == b'\n').map_or(text.len(), |n| at + n + 1);
    start..end
}

/// A smaller text for which `fails` still holds, after at most `tries` calls: without
/// lines, then without tokens, halves first.
pub(crate) fn shrink(text: &[u8], tries: usize, mut fails: impl FnMut(&[u8]) -> bool) -> Vec<u8> {
    let mut left = tries;
    let lines = |text: &[u8]| text.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
    let words = |text: &[u8]| text.split_inclusive(|b| b" \n()".contains(b)).map(<[u8]>::to_vec).collect::<Vec<_>>();
    let mut pieces = lines(text);
    remove(&mut pieces, &mut left, &mut fails);
    let mut pieces = words(&pieces.concat());
    remove(&mut pieces, &mut left, &mut fails);
    pieces.concat()
}

fn remove(pieces: &mut Vec<Vec<u8>>, left: &mut usize, fails: &mut impl FnMut(&[u8]) -> bool) {
    let mut size = pieces.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < pieces.len() {
            if *left == 0 {
                return;
            }
            *left -= 1;
            let end = (at + size).min(pieces.len());
            let without = [&pieces[..at], &pieces[end..]].concat();
            if fails(&without.concat()) {
                *pieces = without;
            } else {
                at = end;
            }
        }
        size /= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_decides() {
        let text = b"(module\n  (func (export \"f\") (result i32)\n    (i32.const 7))\n  (func (export \"g\") (param i64)\n    (drop (local.get 0))))\n";
        let of = |seed| mutate(text, b"other line\nand another\n", &mut Rng::with_seed(seed));
        assert_eq!(of(3), of(3));
        let all: std::collections::BTreeSet<_> = (0..200).map(of).collect();
        assert!(all.len() > 150, "{} different ones of 200", all.len());
    }

    #[test]
    fn what_fails_is_shrunk_to_what_makes_it_fail() {
        let text = b"one two\nthree four\nfive six\nseven eight\n";
        let mut calls = 0;
        let small = shrink(text, 200, |t| {
            calls += 1;
            t.windows(4).any(|w| w == b"five")
        });
        assert_eq!(small, b"five ");
        assert!(calls < 50, "{calls}");
        assert_eq!(shrink(text, 0, |_| true), text);
    }
}
