//! What makes no difference, and what does, said as text.

#![allow(missing_docs, reason = "a test")]

use clif_cont_diff::{Diff, Options, Side, Text, Verdict, diff};

const OLD: &str = "function %resume(i64, i64) -> i64 tail {
    ss0 = explicit_slot 16, align = 16
    ss1 = explicit_slot 16, align = 16
    region0 = 2 \"revision\"
    region1 = 3 \"parent\"
    sig0 = (i64) tail
    sig1 = (i64) -> i64 tail
    fn0 = colocated %abort sig0
    fn1 = colocated %enter sig1

block0(v0: i64, v1: i64):
    v2 = load.i64 notrap aligned region0 v0+16
    v3 = icmp eq v2, v1
    brif v3, block2, block1

block1 cold:
    v4 = iconst.i64 2
    call fn0(v4)
    trap user2

block2:
    v5 = iconst.i64 1
    v6 = iadd v2, v5
    store notrap aligned region0 v6, v0+16
    store notrap aligned region1 v0, v0+32
    v8 = stack_addr.i64 ss0
    v9 = stack_addr.i64 ss1
    store notrap aligned v6, v8
    store notrap aligned v0, v9+8
    v7 = call fn1(v0)
    return v7
}
";

fn compare(new: &str) -> Diff {
    diff(&Text::new(OLD), &Text::new(new), &Options::default())
}

/// One edit of the text, which applies.
fn edit(from: &str, to: &str) -> String {
    assert!(OLD.contains(from), "{from}");
    OLD.replacen(from, to, 1)
}

#[track_caller]
fn equal(new: &str) -> Diff {
    let found = compare(new);
    assert!(found.is_equal() && found.changed_lines() == 0, "{}", clif_cont_diff::format::unified(&found, "old", new));
    found
}

#[track_caller]
fn changed(new: &str, lines: usize) -> Diff {
    let found = compare(new);
    let text = clif_cont_diff::format::unified(&found, "old", new);
    assert!(!found.is_equal() && found.changed_lines() == lines, "{} lines:\n{text}", found.changed_lines());
    assert!(found.functions.iter().all(|f| f.plain.is_none()), "{text}");
    found
}

#[test]
fn itself() {
    equal(OLD);
}

#[test]
fn slots_by_their_use() {
    equal(&OLD.replace("ss0", "ss9").replace("ss1", "ss0").replace("ss9", "ss1"));
}

#[test]
fn declarations_in_another_order() {
    equal(&edit(
        "    region0 = 2 \"revision\"\n    region1 = 3 \"parent\"\n",
        "    region1 = 3 \"parent\"\n    region0 = 2 \"revision\"\n",
    ));
}

#[test]
fn a_declaration_twice() {
    let found = equal(&edit("    fn0", "    sig2 = (i64) tail\n    fn0"));
    assert_eq!(found.functions[0].hidden.declarations, [0, 1]);
}

#[test]
fn independent_stores() {
    let found = equal(&edit(
        "    store notrap aligned region0 v6, v0+16\n    store notrap aligned region1 v0, v0+32\n",
        "    store notrap aligned region1 v0, v0+32\n    store notrap aligned region0 v6, v0+16\n",
    ));
    assert_eq!(found.functions[0].hidden.moved.len(), 1);
}

#[test]
fn dependent_stores() {
    changed(
        &edit(
            "    store notrap aligned v6, v8\n    store notrap aligned v0, v9+8\n",
            "    store notrap aligned v0, v9+8\n    store notrap aligned v6, v8\n",
        ),
        2,
    );
}

#[test]
fn a_split_block_and_a_threaded_value() {
    equal(&edit("    v5 = iconst.i64 1\n", "    jump block3(v2)\n\nblock3(v20: i64):\n    v5 = iconst.i64 1\n"));
}

#[test]
fn folded_and_reassociated() {
    equal(&edit(
        "    v6 = iadd v2, v5\n",
        "    v30 = iconst.i64 -4\n    v31 = isub v2, v30\n    v32 = iconst.i64 -3\n    v6 = iadd v32, v31\n",
    ));
    equal(&edit(
        "store notrap aligned region1 v0, v0+32",
        "v30 = iconst.i64 24\n    v31 = iadd v0, v30\n    store notrap aligned region1 v0, v31+8",
    ));
}

#[test]
fn a_renamed_function() {
    let found = compare(&OLD.replace("%resume", "%other"));
    assert_eq!((found.functions[0].verdict, found.changed_lines()), (Verdict::Renamed, 0));
}

#[test]
fn one_instruction_more_and_less() {
    changed(&edit("    v8 = stack", "    store notrap aligned region1 v1, v0+40\n    v8 = stack"), 1);
    changed(&edit("    store notrap aligned region0 v6, v0+16\n", ""), 1);
}

#[test]
fn one_of_everything() {
    for (from, to) in [
        ("iconst.i64 1\n", "iconst.i64 3\n"),
        ("v0+32", "v0+40"),
        ("icmp eq", "icmp ne"),
        ("user2", "user3"),
        ("call fn1(v0)", "call fn1(v6)"),
        ("block1 cold", "block1"),
        ("load.i64 notrap aligned", "load.i64 notrap"),
        ("load.i64 notrap aligned region0", "load.i64 notrap aligned region1"),
        ("return v7", "return v6"),
        ("align = 16", "align = 8"),
        ("%enter", "%leave"),
        ("-> i64 tail {", "-> i64 fast {"),
        ("brif v3, block2, block1", "brif v3, block1, block2"),
        ("iadd v2, v5", "isub v2, v5"),
    ] {
        let found = changed(&edit(from, to), 2);
        let line = OLD.lines().position(|l| l.contains(from.trim_end())).map(|n| n as u32 + 1);
        let old = found.functions[0].lines.iter().filter(|l| l.side == Some(Side::Old));
        let numbers: Vec<_> = old.map(|l| l.old).collect();
        assert!(numbers.contains(&line) || from.contains("iconst"), "{from}: {numbers:?}");
    }
}

#[test]
fn text_of_other_releases() {
    // no such opcode, no such region: an effect
    let odd = edit("    v8 = stack", "    v40 = frobnicate.i64 v2, weird{3}, \"a;b\"\n    v8 = stack");
    let found = diff(&Text::new(&odd), &Text::new(&odd.replace("v40", "v77")), &Options::default());
    assert!(found.is_equal());
    let found = diff(&Text::new(&odd), &Text::new(&odd.replace("{3}", "{4}")), &Options::default());
    assert_eq!(found.changed_lines(), 2);
}

#[test]
fn nonsense_is_compared_as_well() {
    for text in [
        "",
        "function",
        "function %f() {",
        "function %f() {\nblock0(\n v1 = v1 -> v1\n",
        "function %f() {\nblock0:\n v1 -> v1\n v2 = iadd v2, v1\n jump block0(v9)\n}\n}\n",
    ] {
        for other in [text, OLD, "function %f() {\nblock7(v1: i64x2, v2: nothing):\n return\n}"] {
            let found = diff(&Text::new(text), &Text::new(other), &Options::default());
            assert!(found.is_equal() || text != other, "{text}");
        }
    }
}

#[test]
fn titles_name_what_a_check_reads() {
    let titles = |new: &str| -> Vec<String> {
        let found = diff(&Text::new(OLD), &Text::new(new), &Options::default());
        found.functions.iter().flat_map(|f| f.hunks.iter().map(|h| h.title.clone())).collect()
    };
    assert_eq!(titles(&OLD.replace("icmp eq v2", "icmp ne v2")), ["the check of revision: changed"]);
    // what is read is the same, and the comparison is gone
    let unchecked = OLD.replace("    v3 = icmp eq v2, v1\n    brif v3, block2, block1", "    jump block2");
    let gone = titles(&unchecked);
    assert_eq!(gone, ["the check of revision and one more line: gone"]);
    // and for which operation, where its annotation says so
    let annotated = |text: &str| text.replace("    return", "    ;! resume () -> ()\n    return");
    let of = diff(&Text::new(&annotated(OLD)), &Text::new(&annotated(&unchecked)), &Options::default());
    assert_eq!(of.functions[0].hunks[0].title, "resume: the check of revision and one more line: gone");
}
