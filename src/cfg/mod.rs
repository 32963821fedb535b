//! The control-flow graph of a function, for people: blocks with their instructions or the
//! operations they stand for, and edges named by what takes them.
//!
//! Names come from the verifier's report and from the constants that the ABI declares (effect
//! codes, handler tables, trap codes), never from the order or the look of instructions; where
//! neither says anything an edge is `taken` or `not taken`. Large functions are bounded:
//! [`Graph::left_out`] says what is missing.

mod effect;
mod layout;
mod mermaid;
mod svg;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, VecDeque};

use clif_cont_abi::Trap;
use clif_cont_program::{ProgFunction, Program};
use clif_cont_verifier::{Operation, Profile, verify_in};
use cranelift_codegen::ir::{Block, Function, Inst, InstructionData, Opcode, TrapCode};
use serde_json::{Value, json};

pub use mermaid::mermaid;
pub use svg::svg;

/// Blocks that are drawn at most; those next to the entry are.
pub const MAX_BLOCKS: usize = 200;
/// Edges that are drawn at most.
pub const MAX_EDGES: usize = 400;
/// Lines of a block that are drawn at most.
pub const MAX_LINES: usize = 60;
/// Characters of a line that are drawn at most.
pub const MAX_COLUMNS: usize = 64;

/// What is shown of a block.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Detail {
    /// Its instructions.
    #[default]
    Instructions,
    /// The operations, checks and calls it stands for, and how it ends.
    Brief,
}

/// A function's graph.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Graph {
    /// The function, without `%`.
    pub name: String,
    /// Its blocks, in the order of the layout.
    pub nodes: Vec<Node>,
    /// One for each pair of blocks that control passes between.
    pub edges: Vec<Edge>,
    /// What a bound left out, in words.
    pub left_out: Vec<String>,
}

/// A block.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Node {
    /// `block4`.
    pub id: String,
    /// What the author of the code says of it.
    pub comment: Option<String>,
    /// Control leaves the stack here.
    pub switches: bool,
    /// It is laid out apart.
    pub cold: bool,
    /// It ends in a trap.
    pub traps: bool,
    /// Instructions, or what they stand for.
    pub lines: Vec<String>,
}

impl Node {
    /// The first line: the block, and what is special about it.
    fn title(&self) -> String {
        let marks = [(self.switches, "switch"), (self.cold, "cold"), (self.traps, "trap")];
        let marks: Vec<&str> = marks.iter().filter(|(is, _)| *is).map(|(_, name)| *name).collect();
        let mut title = self.id.clone();
        if !marks.is_empty() {
            title.push_str(&format!(" [{}]", marks.join(", ")));
        }
        if let Some(comment) = &self.comment {
            title.push_str(&format!("  {comment}"));
        }
        cut(&title)
    }
}

/// Control passes between two blocks.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Edge {
    /// Index of the block that is left.
    pub from: usize,
    /// Index of the block that is entered.
    pub to: usize,
    /// When it is taken; empty where it always is. Several reasons are lines.
    pub label: String,
}

impl Graph {
    /// The graph of a function of `program`, whose operations `profile` recognises.
    pub fn new(program: &Program, function: &ProgFunction, profile: &Profile, detail: Detail) -> Self {
        let mut func = function.func.clone();
        func.dfg.resolve_all_aliases();
        let operations = verify_in(&function.func, profile, &crate::view::module(program)).operations;
        let reader = Reader { program, function, func: &func, operations: &operations };
        let (blocks, mut left_out) = drawn(&func);
        let index: HashMap<Block, usize> = blocks.iter().copied().zip(0..).collect();
        let nodes = blocks.iter().map(|b| reader.node(*b, detail)).collect();
        let mut edges: BTreeMap<(usize, usize), Vec<String>> = BTreeMap::new();
        for (from, block) in blocks.iter().enumerate() {
            for (to, label) in reader.edges(*block) {
                let Some(to) = index.get(&to) else { continue };
                edges.entry((from, *to)).or_default().push(label);
            }
        }
        if edges.len() > MAX_EDGES {
            left_out.push(format!("{} of {} edges (at most {MAX_EDGES})", edges.len() - MAX_EDGES, edges.len()));
        }
        let edges = edges.into_iter().take(MAX_EDGES);
        let edges = edges.map(|((from, to), labels)| Edge { from, to, label: join(&labels) }).collect();
        Self { name: function.name(), nodes, edges, left_out }
    }

    /// The same for programs to read.
    pub fn json(&self) -> Value {
        let node = |n: &Node| {
            json!({ "block": n.id, "comment": n.comment, "switch": n.switches, "cold": n.cold, "trap": n.traps,
                "lines": n.lines })
        };
        let edge = |e: &Edge| json!({ "from": self.nodes[e.from].id, "to": self.nodes[e.to].id, "label": e.label });
        json!({
            "kind": "cfg", "function": self.name, "blocks": self.nodes.iter().map(node).collect::<Vec<_>>(),
            "edges": self.edges.iter().map(edge).collect::<Vec<_>>(), "left_out": self.left_out,
        })
    }
}

/// The reasons for an edge; of many only some.
fn join(labels: &[String]) -> String {
    const SHOWN: usize = 4;
    let mut shown: Vec<String> = labels.iter().take(SHOWN).map(|l| cut(l)).collect();
    if labels.len() > SHOWN {
        shown.push(format!("and {} more", labels.len() - SHOWN));
    }
    shown.join("\n")
}

/// A line, as far as it is shown.
fn cut(line: &str) -> String {
    let line = clif_cont_output::line(line);
    match line.char_indices().nth(MAX_COLUMNS) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.into_owned(),
    }
}

/// The blocks next to the entry, in the order of the layout; and what is missing.
fn drawn(func: &Function) -> (Vec<Block>, Vec<String>) {
    let all: Vec<Block> = func.layout.blocks().collect();
    if all.len() <= MAX_BLOCKS {
        return (all, vec![]);
    }
    let mut near = std::collections::HashSet::new();
    let mut next: VecDeque<Block> = func.layout.entry_block().into_iter().collect();
    while let Some(block) = next.pop_front() {
        if near.len() == MAX_BLOCKS || !near.insert(block) {
            continue;
        }
        next.extend(func.block_successors(block).take(MAX_BLOCKS));
    }
    let left = format!("{} of {} blocks (at most {MAX_BLOCKS}, next to the entry)", all.len() - near.len(), all.len());
    (all.into_iter().filter(|b| near.contains(b)).collect(), vec![left])
}

/// Reads one function.
struct Reader<'a> {
    program: &'a Program,
    function: &'a ProgFunction,
    func: &'a Function,
    operations: &'a [Operation],
}

impl Reader<'_> {
    fn node(&self, block: Block, detail: Detail) -> Node {
        let func = self.func;
        let mut lines = vec![];
        let (mut switches, mut traps) = (false, false);
        for inst in func.layout.block_insts(block) {
            let opcode = func.dfg.insts[inst].opcode();
            let leaves = |o: &Operation| o.inst == inst && (o.kind.runs_object() || o.kind.name() == "suspend");
            switches |= opcode == Opcode::StackSwitch || self.operations.iter().any(leaves);
            traps |= opcode == Opcode::Trap;
            match detail {
                Detail::Instructions => lines.push(cut(&func.dfg.display_inst(inst).to_string())),
                Detail::Brief => lines.extend(self.brief(inst).into_iter().map(|l| cut(&l))),
            }
        }
        if lines.len() > MAX_LINES {
            let more = lines.len() - MAX_LINES;
            lines.truncate(MAX_LINES);
            lines.push(format!("and {more} more"));
        }
        Node {
            id: block.to_string(),
            comment: self.function.comments.blocks.get(&block).cloned(),
            switches,
            cold: func.layout.is_cold(block),
            traps,
            lines,
        }
    }

    /// What an instruction stands for.
    fn brief(&self, inst: Inst) -> Vec<String> {
        let mut lines = vec![];
        for o in self.operations {
            let parts = [(o.null_check, "null check"), (o.revision_check, "revision check"), (o.consumed, "consumed")];
            let part = parts.iter().filter(|(at, _)| *at == Some(inst));
            lines.extend(part.map(|(_, what)| format!("{}: {what}", o.kind.name())));
            if o.inst == inst {
                let types = self.function.operations.get(&inst).map(ToString::to_string);
                lines.push(types.unwrap_or_else(|| o.kind.name().to_owned()));
            }
        }
        let data = &self.func.dfg.insts[inst];
        let is_operation = self.operations.iter().any(|o| o.inst == inst);
        match data {
            InstructionData::Call { func_ref, .. } | InstructionData::TryCall { func_ref, .. } if !is_operation => {
                let name = self.func.dfg.ext_funcs[*func_ref].name.display(Some(&self.func.params)).to_string();
                let traps = name.trim_start_matches('%') == clif_cont_abi::symbols::TRAP;
                if !traps {
                    lines.push(format!("{} {name}", data.opcode()));
                }
            }
            InstructionData::Trap { code, .. } => lines.push(format!("trap: {}", trap(*code))),
            data if data.opcode().is_return() || data.opcode().is_call() && !is_operation => {
                lines.push(data.opcode().to_string());
            }
            _ => {}
        }
        lines
    }

    /// What follows a block, and when.
    fn edges(&self, block: Block) -> Vec<(Block, String)> {
        let dfg = &self.func.dfg;
        let Some(inst) = self.func.layout.last_inst(block) else { return vec![] };
        let pool = &dfg.value_lists;
        match &dfg.insts[inst] {
            InstructionData::Jump { destination, .. } => vec![(destination.block(pool), String::new())],
            InstructionData::Brif { arg, blocks, .. } => {
                let targets = blocks.map(|b| b.block(pool));
                let labels = self.check(inst, targets).or_else(|| self.effect_test(*arg));
                let labels = labels.unwrap_or_else(|| ["taken".to_owned(), "not taken".to_owned()]);
                targets.into_iter().zip(labels).collect()
            }
            InstructionData::BranchTable { arg, table, .. } => {
                let table = &dfg.jump_tables[*table];
                let dispatch = self.dispatch(*arg);
                let otherwise = table.default_block().block(pool);
                let cases = table.as_slice().iter().map(|to| to.block(pool)).enumerate();
                // what the default takes as well needs no name of its own
                let cases = cases.filter(|(_, to)| *to != otherwise);
                let name = |n: usize| match &dispatch {
                    Some(tags) => effect::name(n as u32, tags),
                    None => format!("is {n}"),
                };
                let mut edges: Vec<_> = cases.map(|(n, to)| (to, name(n))).collect();
                let other = if dispatch.is_some() { "another effect" } else { "otherwise" };
                edges.push((otherwise, other.to_owned()));
                edges
            }
            InstructionData::TryCall { exception, .. } | InstructionData::TryCallIndirect { exception, .. } => {
                use cranelift_codegen::ir::ExceptionTableItem as Item;
                let table = &dfg.exception_tables[*exception];
                let mut edges = vec![(table.normal_return().block(pool), "returns".to_owned())];
                edges.extend(table.items().filter_map(|item| match item {
                    Item::Tag(tag, to) => Some((to.block(pool), format!("exception {tag}"))),
                    Item::Default(to) => Some((to.block(pool), "exception".to_owned())),
                    Item::Context(_) => None,
                }));
                edges
            }
            _ => vec![],
        }
    }

    /// Names of the arms of a branch that checks an operation's object.
    fn check(&self, inst: Inst, targets: [Block; 2]) -> Option<[String; 2]> {
        let what = self.operations.iter().find_map(|o| match Some(inst) {
            at if o.null_check == at => Some("null check"),
            at if o.revision_check == at => Some("revision check"),
            _ => None,
        })?;
        let traps = targets
            .map(|b| self.func.layout.last_inst(b).is_some_and(|i| self.func.dfg.insts[i].opcode() == Opcode::Trap));
        Some(match traps {
            [false, true] => [format!("{what} passes"), format!("{what} fails")],
            [true, false] => [format!("{what} fails"), format!("{what} passes")],
            _ => [format!("{what}: taken"), format!("{what}: not taken")],
        })
    }
}

/// What a person reads of a trap.
fn trap(code: TrapCode) -> String {
    let known = Trap::ALL.iter().find(|t| TrapCode::user(t.code()) == Some(code));
    known.map_or_else(|| code.to_string(), |t| t.message().to_owned())
}
