//! Backtraces, and how repetitions in them are shown.

/// The frames of one stack, innermost first.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct StackTrace {
    /// Function names, without the `%`.
    pub frames: Vec<String>,
}

/// The longest sequence whose repetitions are found.
const LONGEST: usize = 32;

/// A sequence, and how often it stands there in a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Repeat<'a, T> {
    /// The sequence, not empty.
    pub items: &'a [T],
    /// How often, at least once; more than one item is there more than once.
    pub times: usize,
}

/// A list with its repetitions collapsed, those of sequences of up to 32 items as well:
/// `a a a b c b c d` is `a` three times, `b c` twice, and `d`. Of several ways to read the
/// beginning of the list, the one that covers most of it is taken, of equal ones that with
/// the shortest sequence.
pub fn collapse<T: PartialEq>(items: &[T]) -> Vec<Repeat<'_, T>> {
    let mut out = vec![];
    let mut rest = items;
    while !rest.is_empty() {
        let repeat = |length: usize| {
            let (sequence, tail) = rest.split_at(length);
            Repeat { items: sequence, times: 1 + tail.chunks(length).take_while(|next| *next == sequence).count() }
        };
        let longest = LONGEST.min(rest.len() / 2).max(1);
        let found = (1..=longest).map(repeat).filter(|r| r.times > 1 || r.items.len() == 1);
        // the last of the greatest: in reverse, the shortest
        let Some(best) = found.rev().max_by_key(|r| if r.times > 1 { r.items.len() * r.times } else { 0 }) else {
            break;
        };
        rest = &rest[best.items.len() * best.times..];
        out.push(best);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let items: Vec<char> = text.chars().collect();
        let repeats = collapse(&items);
        let again: String = repeats.iter().flat_map(|r| r.items.repeat(r.times)).collect();
        assert_eq!(again, text, "nothing is lost");
        assert!(repeats.iter().all(|r| r.times > 1 || r.items.len() == 1), "{repeats:?}");
        let part = |r: &Repeat<'_, char>| match (r.items.iter().collect::<String>(), r.times) {
            (items, 1) => items,
            (items, times) => format!("{items}*{times}"),
        };
        repeats.iter().map(part).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn repetitions_are_found() {
        for (text, expected) in [
            ("", ""),
            ("a", "a"),
            ("abc", "a b c"),
            ("aaa", "a*3"),
            ("aaab", "a*3 b"),
            ("abababc", "ab*3 c"),
            ("xababab", "x ab*3"),
            ("aabaab", "aab*2"),
            ("abcabcab", "abc*2 a b"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
        assert_eq!(shown(&format!("{}b", "a".repeat(700))), "a*700 b");
        assert_eq!(collapse(&["p"; 1000]).len(), 1);
    }

    #[test]
    fn nothing_is_lost_of_any_list() {
        let mut seed = 1u32;
        for length in 0..200 {
            let text: String = (0..length)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    char::from(b'a' + (seed >> 30) as u8)
                })
                .collect();
            shown(&text);
        }
    }
}
