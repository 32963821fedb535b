//! One file in names that depend on what is there, not on how much came before:
//! a change shows where it is, also to a comparison of text.
//!
//! A value is numbered by what makes it, a constant by what uses it, a block by the
//! branch that leads to it, a declaration by what it declares. Where that is the
//! same for several, their order decides. The result is CLIF.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use crate::func::N;
use crate::graph::{Graph, Level, hash};
use crate::parse::{Renames, parse, unplaced};
use crate::text::Text;
use crate::token::{Kind, Name, code, rename};

/// Numbers are below this, if there is room.
const NUMBERS: u64 = 9000;

/// A file with all its functions in canonical names; everything else as it is.
pub fn canonical(text: &str) -> String {
    let parts = Text::new(text);
    let mut by_line: FxHashMap<u32, Option<String>> = FxHashMap::default();
    for function in &parts.functions {
        let graph = Graph::new(parse(function, &Renames::default()));
        let names = names(&graph);
        for line in function {
            let trimmed = unplaced(&line.text);
            let is_head = code(trimmed).ends_with(':') && trimmed.starts_with("block");
            let outer =
                line.text.starts_with("function") || line.text.starts_with('}') || is_head || trimmed.is_empty();
            let text = match line.text.starts_with("function") {
                true => line.text.clone(),
                false => rename(trimmed, |name| Some(names.get(&name).unwrap_or(&name).to_string())),
            };
            let mark = if parts.in_comments { ";; " } else { "" };
            let indent = if outer { "" } else { "    " };
            by_line.insert(line.number, Some(format!("{mark}{indent}{}", text.trim_end()).trim_end().to_owned()));
        }
    }
    let mut result = String::with_capacity(text.len());
    for (number, line) in (1..).zip(text.lines()) {
        let line = by_line.remove(&number).flatten().unwrap_or_else(|| line.to_owned());
        result.push_str(&line);
        result.push('\n');
    }
    result
}

/// Numbers that follow from keys; keys that are equal count up.
#[derive(Default)]
struct Numbers {
    taken: BTreeSet<u32>,
    seen: FxHashMap<u64, u64>,
}

impl Numbers {
    fn next(&mut self, key: u64) -> u32 {
        let count = self.seen.entry(key).or_default();
        *count += 1;
        let room = NUMBERS.max(4 * self.taken.len() as u64);
        // the key of the first one is the one that the others do not move
        let mut number = (hash((key, *count)) >> 16) % room + 1;
        while !self.taken.insert(number as u32) {
            number += 1;
        }
        number as u32
    }
}

fn names(graph: &Graph) -> BTreeMap<Name, Name> {
    let func = &graph.func;
    let mut result = BTreeMap::new();
    let mut numbers: BTreeMap<Kind, Numbers> = BTreeMap::new();
    let mut add = |kind: Kind, number: u32, key: u64| {
        let to = numbers.entry(kind).or_default().next(key);
        result.insert(Name { kind, number }, Name { kind, number: to });
    };
    let blocks = block_keys(graph);
    for block in &func.order {
        let own = blocks.get(block).copied().unwrap_or_default();
        let node = &func[*block];
        add(Kind::Block, node.number, hash(("block", own)));
        for param in &node.params {
            let v = func[*param].results[0];
            add(Kind::Value, func[v].number, hash(("param", own, func[*param].pos)));
        }
        for n in &node.insts {
            let inst = &func[*n];
            for (at, v) in inst.results.iter().enumerate() {
                let key = match inst.constant {
                    Some(_) => user(graph, *n),
                    None => graph.get(*n, Level::Fine),
                };
                add(Kind::Value, func[*v].number, hash((key, at)));
            }
        }
    }
    for decl in &func.decls {
        add(decl.name.kind, decl.name.number, hash(("decl", graph.content(decl.name))));
    }
    result
}

/// How deep the expression is looked at that a branch depends on.
const DEPTH: u32 = 3;

/// Blocks by the branches that lead to them, through jumps. What is in a block does
/// not matter: an instruction more does not rename it.
fn block_keys(graph: &Graph) -> FxHashMap<N, u64> {
    let func = &graph.func;
    let mut keys: FxHashMap<N, u64> = FxHashMap::default();
    for block in &func.flow {
        let from = func[*block].preds.iter().filter_map(|(branch, edge)| {
            let known = keys.get(&func[*branch].block)?;
            let is_jump = func[*branch].targets.len() == 1;
            Some(hash((edge, if is_jump { hash(("jump", known)) } else { above(graph, *branch, DEPTH) })))
        });
        let key = from.min().unwrap_or_default();
        keys.insert(*block, key);
    }
    keys
}

/// What an instruction is, with its operands so far.
fn above(graph: &Graph, n: N, depth: u32) -> u64 {
    let own = graph.get(n, Level::Fine);
    if depth == 0 {
        return own;
    }
    let operands = graph.func[n].args.iter().map(|v| graph.def(*v).map(|d| above(graph, d, depth - 1)));
    hash((own, operands.collect::<Vec<_>>()))
}

/// The first use of a constant.
fn user(graph: &Graph, n: N) -> u64 {
    let first = graph.users[n.0 as usize].iter().min_by_key(|(u, _)| graph.index[u.0 as usize]);
    hash(("constant", graph.get(n, Level::Coarse), first.map(|(u, slot)| (graph.get(*u, Level::Mid), *slot))))
}

#[cfg(test)]
mod tests {
    use super::canonical;

    const OLD: &str = "function %f(i64) -> i64 {\nblock0(v0: i64):\n    v1 = load.i64 v0+8\n    v2 = load.i64 v0+16\n    v3 = iadd v1, v2\n    brif v3, block1, block2\n\nblock1:\n    store v3, v0\n    return v3\n\nblock2:\n    trap user1\n}\n";

    #[test]
    fn numbers_do_not_matter() {
        let new = OLD.replace("v1", "v11").replace("v2", "v12").replace("block2", "block7");
        assert_eq!(canonical(OLD), canonical(&new));
        assert_eq!(canonical(&canonical(OLD)), canonical(OLD));
    }

    #[test]
    fn an_instruction_more_is_a_line_more() {
        let new = OLD.replace("    v3 = iadd", "    v9 = load.i64 v0+24\n    v3 = iadd").replace("v1", "v21");
        let (old, new) = (canonical(OLD), canonical(&new));
        assert_eq!(
            similar::TextDiff::from_lines(&old, &new)
                .iter_all_changes()
                .filter(|c| c.tag() != similar::ChangeTag::Equal)
                .count(),
            1
        );
    }
}
