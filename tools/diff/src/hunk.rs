//! Changes that belong together, and what they are in words.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::compare::{Change, What};
use crate::func::{N, Piece};
use crate::graph::Graph;
use crate::pairs::Side;
use crate::print::Printed;
use crate::result::Hunk;
use crate::search::Best;
use crate::token::{Kind, Name, tokens};

/// Lines between two changes that are read at once.
const NEAR: usize = 2;

struct Groups(Vec<usize>);

impl Groups {
    fn find(&mut self, mut i: usize) -> usize {
        while self.0[i] != i {
            self.0[i] = self.0[self.0[i]];
            i = self.0[i];
        }
        i
    }

    /// The earlier one stands for both.
    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        self.0[a.max(b)] = a.min(b);
    }
}

/// Groups the changed lines: neighbours, pairs, definitions with their users,
/// branches with their targets.
pub(crate) fn hunks(best: &Best, printed: &Printed) -> Vec<Hunk> {
    let mut at: Vec<usize> = printed.changes.keys().copied().collect();
    at.sort_unstable();
    let mut groups = Groups((0..at.len()).collect());
    let mut by_node: FxHashMap<(Side, N), usize> = FxHashMap::default();
    let mut by_decl: FxHashMap<(Side, Name), usize> = FxHashMap::default();
    for (i, line) in at.iter().enumerate() {
        if i > 0 && line - at[i - 1] <= NEAR {
            groups.join(i - 1, i);
        }
        for change in &printed.changes[line] {
            match change.what {
                What::Node(n) | What::Moved(n) => drop(by_node.insert((change.side, n), i)),
                What::Decl(name) => drop(by_decl.insert((change.side, name), i)),
                What::Signature | What::Other | What::Replaced(..) => {}
            }
        }
    }
    for (i, line) in at.iter().enumerate() {
        for change in &printed.changes[line] {
            for other in related(best, change, &by_node, &by_decl) {
                groups.join(i, other);
            }
        }
    }
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (i, line) in at.iter().enumerate() {
        members.entry(groups.find(i)).or_default().push(*line);
    }
    members
        .into_values()
        .map(|lines| Hunk { title: title(best, printed, &lines), lines, also: vec![], shown_before: false })
        .collect()
}

fn side(best: &Best, side: Side) -> &Graph {
    match side {
        Side::Old => &best.old,
        Side::New => &best.new,
    }
}

fn related(
    best: &Best,
    change: &Change,
    by_node: &FxHashMap<(Side, N), usize>,
    by_decl: &FxHashMap<(Side, Name), usize>,
) -> Vec<usize> {
    let graph = side(best, change.side);
    let mut result = vec![];
    let mut decls = |names: &mut dyn Iterator<Item = Name>| {
        result.extend(names.filter_map(|n| by_decl.get(&(change.side, n))));
    };
    match change.what {
        What::Node(n) | What::Moved(n) => {
            let node = &graph.func[n];
            decls(&mut node.shape.iter().filter_map(|p| match p {
                Piece::Decl(name) => Some(*name),
                _ => None,
            }));
            decls(&mut node.access.iter().filter_map(|a| a.region));
            let values = node
                .args
                .iter()
                .copied()
                .chain(node.targets.iter().flat_map(|t| t.args.iter().filter_map(|a| a.value())));
            let defs = values.filter_map(|v| graph.def(v));
            let blocks = node.targets.iter().map(|t| t.block);
            let partner = best.pairs.of(change.side, n).map(|m| match change.side {
                Side::Old => (Side::New, m),
                Side::New => (Side::Old, m),
            });
            let near = defs.chain(blocks).map(|m| (change.side, m)).chain(partner);
            result.extend(near.filter_map(|key| by_node.get(&key)));
        }
        What::Decl(name) => {
            let text = graph.func.decl(name).map_or("", |d| &d.text);
            decls(&mut tokens(text).into_iter().filter_map(|t| t.name));
        }
        // it goes with the definitions of both
        What::Replaced(v, w) => {
            let defs = [(Side::Old, best.old.func[v].def), (Side::New, best.new.func[w].def)];
            let near = defs.into_iter().filter_map(|(side, def)| Some((side, def?.0)));
            result.extend(near.filter_map(|key| by_node.get(&key)));
        }
        What::Signature | What::Other => {}
    }
    result
}

/// What is in an alias region, by its name.
fn place_name(graph: &Graph, n: N) -> Option<&str> {
    let text = graph.func.decl(graph.func[n].access.as_ref()?.region?)?.text.as_str();
    Some(text.split('"').nth(1).unwrap_or(text))
}

/// Values that are gone through from a condition to what was loaded for it.
const BEHIND: usize = 16;

/// The field that a condition rests on: where its operands come from several, or from
/// what is no load, nothing is said.
fn checked(graph: &Graph, n: N) -> Option<&str> {
    let func = &graph.func;
    let mut open = vec![n];
    let (mut found, mut seen) = (None, 0);
    while let Some(n) = open.pop() {
        seen += 1;
        if seen > BEHIND {
            return None;
        }
        for v in &func[n].args {
            let (def, _) = func[func.resolve(*v)].def?;
            let node = &func[def];
            if node.is_load() {
                let name = place_name(graph, def)?;
                if found.is_some_and(|other| other != name) {
                    return None;
                }
                found = Some(name);
            } else if node.constant.is_none() && node.pure {
                open.push(def);
            }
        }
    }
    found
}

/// Blocks that are looked through for the operation that a check is for.
const AHEAD: usize = 8;

/// The operation that control comes to next, by its annotation: nothing where a branch leads to more
/// than one block that is not cold, for then it may be either's.
fn operation(graph: &Graph, n: N) -> Option<&str> {
    let func = &graph.func;
    let (mut block, mut from) = (func[n].block, func[n].pos);
    for _ in 0..AHEAD {
        let insts = || func[block].insts.iter().filter(|i| func[**i].pos >= from);
        if let Some(word) = insts().find_map(|i| func[*i].note.split_whitespace().next()) {
            return Some(word);
        }
        let mut next = insts().flat_map(|i| &func[*i].targets).map(|t| t.block).filter(|b| !func[*b].cold);
        block = next.next()?;
        if next.any(|other| other != block) {
            return None;
        }
        from = 0;
    }
    None
}

/// What a change does, and how much it matters to a reader.
fn describe(graph: &Graph, what: What) -> (u32, String) {
    let func = &graph.func;
    let n = match what {
        What::Signature => return (0, "the signature".to_owned()),
        What::Replaced(..) => return (4, "a value that is another one".to_owned()),
        What::Other => return (5, "a preamble line".to_owned()),
        What::Decl(name) => {
            let kind = match name.kind {
                Kind::Slot | Kind::DynamicSlot => "a stack slot",
                Kind::Function => "a function reference",
                Kind::Signature => "a signature",
                Kind::Region => "an alias region",
                Kind::Global => "a global value",
                _ => "a constant",
            };
            return (7, kind.to_owned());
        }
        What::Node(n) | What::Moved(n) => n,
    };
    let node = &func[n];
    if !node.is_inst() {
        return (8, format!("block{}", node.number));
    }
    // which Cranelift counts as a call
    if &*node.opcode == "stack_switch" {
        return (0, "the stack switch".to_owned());
    }
    if let Some(access) = &node.access {
        let place = access.region.and_then(|r| func.decl(r)).map_or("memory", |d| d.text.as_str());
        let place = place.split('"').nth(1).unwrap_or(place);
        return match node.is_load() {
            true => (4, format!("the load of {place}")),
            false => (3, format!("the store to {place}")),
        };
    }
    let callee = node.shape.iter().find_map(|p| match p {
        Piece::Decl(name) if name.kind == Kind::Function => func.decl(*name),
        _ => None,
    });
    if node.code.is_some_and(|c| c.is_call()) {
        let name = callee.map_or(String::new(), |d| {
            let words: Vec<_> = d.text.split_whitespace().filter(|w| *w != "colocated").collect();
            format!(" of {}", words.first().copied().unwrap_or(""))
        });
        return (1, format!("the {}{name}", node.opcode));
    }
    if matches!(&*node.opcode, "icmp" | "brif" | "trapz" | "trapnz")
        && let Some(field) = checked(graph, n)
    {
        let operation = operation(graph, n).map_or(String::new(), |name| format!("{name}: "));
        return (2, format!("{operation}the check of {field}"));
    }
    let code = node.shape.iter().rev().find_map(|p| match p {
        Piece::Text(t) if t.starts_with(char::is_alphabetic) => Some(t),
        _ => None,
    });
    match (&*node.opcode, code) {
        ("trap" | "trapz" | "trapnz", Some(code)) => (2, format!("the {} {code}", node.opcode)),
        ("jump" | "brif" | "br_table", _) => (5, format!("the {}", node.opcode)),
        (opcode, _) => (6, format!("the {opcode}")),
    }
}

/// A hunk in words.
fn title(best: &Best, printed: &Printed, lines: &[usize]) -> String {
    let mut sides: [Vec<(u32, String)>; 2] = Default::default();
    let mut moved = true;
    for line in lines {
        for change in &printed.changes[line] {
            moved &= matches!(change.what, What::Moved(_));
            sides[change.side as usize].push(describe(side(best, change.side), change.what));
        }
    }
    let more = |side: &[(u32, String)]| match side.len() {
        0 | 1 => String::new(),
        2 => " and one more line".to_owned(),
        n => format!(" and {} more lines", n - 1),
    };
    // a jump in place of a branch that is decided
    let is_way = |side: &[(u32, String)]| side.iter().all(|(_, text)| text == "the jump");
    let main = |side: &[(u32, String)]| {
        let first = side.iter().min_by_key(|(rank, _)| *rank).map_or("", |(_, text)| text).to_owned();
        first + &more(side)
    };
    match &sides {
        [old, _] if moved => format!("{} is elsewhere", main(old)),
        [old, new] if is_way(new) => format!("{}: gone", main(old)),
        [old, new] if is_way(old) => format!("{}: new", main(new)),
        [old, new] => {
            let (was, is) = (main(old), main(new));
            if was == is { format!("{was}: changed") } else { format!("{was} -> {is}") }
        }
    }
}
