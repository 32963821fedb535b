//! Which instructions are the protocol's: what a mutation of the project's own
//! lowerings may damage, and which rule is meant to notice.
//!
//! The criterion is syntactic and decided before anything is verified. In scope
//! are
//!
//! - accesses with an alias region of the ABI's records, switches, calls of the
//!   runtime, branches on what came from one of these or on a pointer that such
//!   an access goes through, and traps of the protocol;
//! - whatever pure arithmetic, and whatever block arguments, lead to their
//!   operands. Not the value that a store puts into a payload slot, nor whether the
//!   program loads one: what is passed is its own. Nor the tag that it names, nor
//!   where it goes on behind an operation.
//! - in the runtime's functions everything.
//!
//! All else is the program's own code: a wrong `iadd` of the user's is no fault
//! of a protocol. Mutants of it are counted apart.

use std::collections::BTreeMap;

use clif_cont_abi::{HostFn, Region, Trap, symbols};
use cranelift_codegen::ir::{Block, Function, Inst, InstructionData, Opcode, Value};

use crate::func::{
    Operand, address_operand, callee, constant, def, edge_args, edges, inner_param, insts, opcode, operand, operands,
    predecessors, target,
};

/// The part of an operation that an instruction belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Aspect {
    /// The test of a contref for null.
    NullCheck,
    /// The load of a revision, its comparison, and the branch.
    RevisionCheck,
    /// The new revision, and its store.
    Consume,
    /// The words of an object, and the revision that goes into one.
    Object,
    /// The switch, its operands, the words of a control context.
    Switch,
    /// Parents and last ancestors.
    Link,
    /// Handler tables, and the search for a tag.
    Handlers,
    /// Where payload is.
    Payload,
    /// Fields of the store context, and the pool of stacks.
    Store,
    /// What tells effects apart.
    Dispatch,
    /// Traps of the protocol.
    Trap,
    /// The test for the end of the stack.
    StackCheck,
    /// What else there is in the runtime's functions.
    Runtime,
    /// The program's own code.
    Own,
}

impl Aspect {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::NullCheck,
        Self::RevisionCheck,
        Self::Consume,
        Self::Object,
        Self::Switch,
        Self::Link,
        Self::Handlers,
        Self::Payload,
        Self::Store,
        Self::Dispatch,
        Self::Trap,
        Self::StackCheck,
        Self::Runtime,
        Self::Own,
    ];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NullCheck => "null-check",
            Self::RevisionCheck => "revision-check",
            Self::Consume => "consume",
            Self::Object => "object",
            Self::Switch => "switch",
            Self::Link => "link",
            Self::Handlers => "handlers",
            Self::Payload => "payload",
            Self::Store => "store",
            Self::Dispatch => "dispatch",
            Self::Trap => "trap",
            Self::StackCheck => "stack-check",
            Self::Runtime => "runtime",
            Self::Own => "own",
        }
    }

    /// The rules that are about it, the one meant first.
    ///
    /// A wrong pointer shows where it is used, as an access that nothing was
    /// checked for (CC0001, CC0002), or that hits the wrong field (CC0008,
    /// CC0010); a wrong search, in what is linked and switched to.
    pub const fn rules(self) -> &'static [&'static str] {
        match self {
            Self::NullCheck => &["CC0001"],
            Self::RevisionCheck => &["CC0002", "CC0007", "CC0003", "CC0009", "CC0012", "CC0001", "CC0113"],
            Self::Consume => &["CC0003", "CC0009", "CC0113", "CC0001", "CC0002", "CC0008", "CC0010"],
            Self::Object => &["CC0012", "CC0004", "CC0006", "CC0001", "CC0002", "CC0101", "CC0008", "CC0010"],
            Self::Switch => &["CC0101", "CC0102", "CC0103", "CC0110", "CC0111", "CC0001", "CC0002", "CC0008", "CC0010"],
            Self::Link => &["CC0103", "CC0104", "CC0101", "CC0105", "CC0113", "CC0001", "CC0002", "CC0008", "CC0010"],
            Self::Handlers => &[
                "CC0201", "CC0202", "CC0206", "CC0101", "CC0103", "CC0105", "CC0107", "CC0001", "CC0002", "CC0008",
                "CC0010",
            ],
            Self::Payload => {
                &["CC0204", "CC0203", "CC0205", "CC0103", "CC0001", "CC0002", "CC0008", "CC0010", "CC0012"]
            }
            Self::Store => &["CC0105", "CC0113", "CC0101", "CC0103", "CC0004", "CC0001", "CC0002", "CC0008", "CC0010"],
            Self::Dispatch => &["CC0107", "CC0108", "CC0201"],
            Self::Trap => &["CC0208", "CC0108"],
            Self::StackCheck => &["CC0109"],
            Self::Runtime => {
                &["CC0114", "CC0113", "CC0101", "CC0105", "CC0107", "CC0001", "CC0002", "CC0008", "CC0010"]
            }
            Self::Own => &[],
        }
    }
}

/// An instruction that may be damaged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Site {
    pub(crate) inst: Inst,
    pub(crate) aspect: Aspect,
    /// The operands that are in scope.
    pub(crate) operands: Vec<Operand>,
    /// Is the instruction itself in scope, or only these operands of it?
    pub(crate) whole: bool,
    /// May it be missing? A program need not look at what it is passed.
    pub(crate) needed: bool,
    /// The successors that may be others: where an operation that fails goes.
    /// Where the program goes on is its own affair.
    pub(crate) edges: Vec<usize>,
}

impl Site {
    fn of(inst: Inst, aspect: Aspect, operands: Vec<Operand>) -> Self {
        Self { inst, aspect, operands, whole: true, needed: true, edges: vec![] }
    }
}

/// All of a function's instructions that may be damaged: those in scope, and the
/// others with [`Aspect::Own`].
pub(crate) fn sites(func: &Function, name: &str) -> Vec<Site> {
    let mut scope = Scope { func, found: BTreeMap::new(), runtime: name.starts_with(symbols::PREFIX) };
    for inst in insts(func) {
        scope.root(inst);
    }
    scope.checks();
    let all = insts(func).map(|inst| {
        let rest = if scope.runtime { Aspect::Runtime } else { Aspect::Own };
        let mut site = scope.found.remove(&inst).unwrap_or_else(|| Site::of(inst, rest, operands(func, inst)));
        let all = edges(func, inst).iter().enumerate();
        let free = scope.runtime || site.aspect == Aspect::Own;
        site.edges = all.filter(|(_, e)| free || fails(func, target(func, e))).map(|(n, _)| n).collect();
        site.needed = free || region(func, inst) != Some(Region::Payload) || !opcode(func, inst).can_load();
        site
    });
    all.collect()
}

/// The alias region of an access, when it is one of the protocol's records.
fn region(func: &Function, inst: Inst) -> Option<Region> {
    let region = func.dfg.insts[inst].memflags_data(&func.dfg)?.alias_region()?;
    let id = func.dfg.alias_regions[region].user_id;
    // elements of tables are the program's own
    Region::ALL.into_iter().find(|r| r.id() == id && *r != Region::Table)
}

pub(crate) fn is_switch(func: &Function, inst: Inst) -> bool {
    opcode(func, inst) == Opcode::StackSwitch
        || callee(func, inst).is_some_and(|c| c == symbols::SWITCH || c == HostFn::Switch.symbol())
}

/// What can be walked through from an operand to what it is made of.
pub(crate) fn is_pure(func: &Function, inst: Inst) -> bool {
    let opcode = opcode(func, inst);
    !opcode.is_call()
        && !opcode.can_load()
        && !opcode.can_store()
        && !opcode.is_terminator()
        && !opcode.can_trap()
        && opcode != Opcode::StackSwitch
}

/// Traps with which an operation fails, or that say that the protocol is broken.
fn is_protocol_trap(code: u64) -> bool {
    [
        Trap::NullContinuation,
        Trap::Consumed,
        Trap::UnhandledTag,
        Trap::RevisionExhausted,
        Trap::PoolExhausted,
        Trap::UnexpectedEffect,
        Trap::NullException,
    ]
    .iter()
    .any(|t| u64::from(t.code()) == code)
}

/// Is it where an operation goes that fails?
fn fails(func: &Function, block: Block) -> bool {
    match func.layout.last_inst(block).map(|last| func.dfg.insts[last]) {
        Some(InstructionData::Trap { code, .. }) => {
            let code = u64::from(code.as_raw().get());
            is_protocol_trap(code) || code == u64::from(Trap::StackExhausted.code())
        }
        _ => false,
    }
}

struct Scope<'a> {
    func: &'a Function,
    found: BTreeMap<Inst, Site>,
    runtime: bool,
}

impl Scope<'_> {
    fn add(&mut self, inst: Inst, aspect: Aspect, operands: Vec<Operand>) {
        match self.found.get_mut(&inst) {
            Some(known) if known.whole => {}
            Some(known) => {
                known.whole = true;
                known.aspect = aspect;
                known.operands.extend(operands);
            }
            None => {
                self.found.insert(inst, Site::of(inst, aspect, operands));
            }
        }
    }

    /// An instruction that is the protocol's by what it is.
    fn root(&mut self, inst: Inst) {
        let func = self.func;
        if let Some(region) = region(func, inst) {
            let stores = opcode(func, inst).can_store();
            let aspect = match region {
                Region::Revision if stores => Aspect::Consume,
                Region::Revision if self.is_compared(inst) => Aspect::RevisionCheck,
                Region::Revision => Aspect::Object,
                Region::Context => Aspect::Switch,
                Region::Parent | Region::LastAncestor => Aspect::Link,
                Region::Handlers | Region::HandlerTable => Aspect::Handlers,
                Region::Payload => Aspect::Payload,
                Region::Store | Region::StoreContext | Region::Table => Aspect::Store,
            };
            let mut used = operands(func, inst);
            if region == Region::Payload {
                used.retain(|o| Some(*o) == address_operand(func, inst));
            }
            self.follow(inst, aspect, used);
        } else if is_switch(func, inst) {
            self.follow(inst, Aspect::Switch, operands(func, inst));
        } else if let Some(callee) = callee(func, inst) {
            let aspect = match callee.as_str() {
                symbols::SEARCH_SUSPEND | symbols::SEARCH_SWITCH => Aspect::Handlers,
                symbols::NEW_SLOT | symbols::GROW => Aspect::Store,
                symbols::DROP => Aspect::Object,
                symbols::TRAP => {
                    let code = operand(func, inst, Operand::Arg(0)).and_then(|v| constant(func, v));
                    match code.map(|c| c as u64) {
                        Some(c) if c == u64::from(Trap::StackExhausted.code()) => Aspect::StackCheck,
                        Some(c) if is_protocol_trap(c) => Aspect::Trap,
                        _ => return,
                    }
                }
                _ => return,
            };
            self.follow(inst, aspect, operands(func, inst));
        } else if let InstructionData::Trap { code, .. } = func.dfg.insts[inst] {
            let code = u64::from(code.as_raw().get());
            if is_protocol_trap(code) {
                self.add(inst, Aspect::Trap, vec![]);
            }
        }
    }

    /// Branches on what the protocol made, and on the pointers it goes through.
    fn checks(&mut self) {
        let func = self.func;
        let mut bases = vec![];
        for inst in insts(func) {
            if region(func, inst).is_some_and(|r| r != Region::StoreContext)
                && let Some(base) = address_operand(func, inst).and_then(|o| operand(func, inst, o))
            {
                bases.push(base);
            }
        }
        for inst in insts(func) {
            if !matches!(opcode(func, inst), Opcode::Brif | Opcode::BrTable | Opcode::Trapz | Opcode::Trapnz) {
                continue;
            }
            let Some(condition) = operand(func, inst, Operand::Arg(0)) else { continue };
            let aspect = self.source(condition, 0).or_else(|| {
                let mut tested = vec![condition];
                if let Some(InstructionData::IntCompare { args, .. }) = def(func, condition).map(|d| func.dfg.insts[d])
                {
                    tested.extend(args.map(|a| func.dfg.resolve_aliases(a)));
                }
                // without a trap it is a test of the program's own
                let traps = edges(func, inst).iter().any(|e| fails(func, target(func, e)));
                (traps && tested.iter().any(|v| bases.contains(v))).then_some(Aspect::NullCheck)
            });
            if let Some(aspect) = aspect {
                self.follow(inst, aspect, vec![Operand::Arg(0)]);
            }
        }
    }

    /// What a condition is about, by where it came from.
    fn source(&self, v: Value, depth: usize) -> Option<Aspect> {
        let func = self.func;
        if depth > 12 {
            return None;
        }
        let Some(d) = def(func, v) else {
            let (block, i) = inner_param(func, v)?;
            // what a `try_call` gives comes in through a parameter
            return predecessors(func, block).into_iter().find_map(|(branch, s)| {
                let returned = edges(func, branch)
                    .get(s)
                    .is_some_and(|c| edge_args(func, c).get(i).is_some_and(|a| a.as_value().is_none()));
                (returned && is_switch(func, branch)).then_some(Aspect::Dispatch)
            });
        };
        if is_switch(func, d) {
            return Some(Aspect::Dispatch);
        }
        if let Some(region) = region(func, d) {
            return Some(match region {
                Region::Revision => Aspect::RevisionCheck,
                Region::Handlers | Region::HandlerTable => Aspect::Handlers,
                Region::Parent | Region::LastAncestor => Aspect::Link,
                Region::Payload => return None,
                _ => Aspect::Store,
            });
        }
        if let Some(callee) = callee(func, d) {
            return match callee.as_str() {
                symbols::SEARCH_SUSPEND | symbols::SEARCH_SWITCH => Some(Aspect::Handlers),
                symbols::NEW_SLOT | symbols::GROW => Some(Aspect::Store),
                _ => None,
            };
        }
        if opcode(func, d) == Opcode::GetStackPointer {
            return Some(Aspect::StackCheck);
        }
        if !is_pure(func, d) {
            return None;
        }
        let args = func.dfg.inst_args(d);
        args.iter().find_map(|a| self.source(*a, depth + 1))
    }

    /// Is it the address of the tag that an operation names?
    fn is_tag(&self, v: Value, def_of: Inst) -> bool {
        let func = self.func;
        if !matches!(func.dfg.insts[def_of], InstructionData::UnaryGlobalValue { .. }) || self.runtime {
            return false;
        }
        insts(func).any(|i| {
            let search = matches!(callee(func, i).as_deref(), Some(symbols::SEARCH_SUSPEND | symbols::SEARCH_SWITCH));
            search && operand(func, i, Operand::Arg(1)) == Some(v)
        })
    }

    fn is_compared(&self, load: Inst) -> bool {
        let Some(result) = self.func.dfg.inst_results(load).first() else { return false };
        insts(self.func).any(|i| {
            matches!(self.func.dfg.insts[i], InstructionData::IntCompare { args, .. }
                if args.iter().any(|a| self.func.dfg.resolve_aliases(*a) == *result))
        })
    }

    /// Takes in an instruction, and what leads to its operands.
    fn follow(&mut self, inst: Inst, aspect: Aspect, used: Vec<Operand>) {
        let func = self.func;
        self.add(inst, aspect, used.clone());
        let mut seen = vec![];
        let mut queue: Vec<Value> = used.iter().filter_map(|o| operand(func, inst, *o)).collect();
        while let Some(v) = queue.pop() {
            if seen.contains(&v) || seen.len() > 60 {
                continue;
            }
            seen.push(v);
            if let Some(d) = def(func, v) {
                if is_pure(func, d) && !self.is_tag(v, d) {
                    self.add(d, aspect, operands(func, d));
                    queue.extend(func.dfg.inst_args(d).iter().map(|a| func.dfg.resolve_aliases(*a)));
                }
            } else if let Some((block, i)) = inner_param(func, v) {
                for (branch, s) in predecessors(func, block) {
                    let at = Operand::Edge(s, i);
                    let Some(arg) = operand(func, branch, at) else { continue };
                    let site = self
                        .found
                        .entry(branch)
                        .or_insert_with(|| Site { whole: false, ..Site::of(branch, Aspect::Object, vec![]) });
                    if !site.operands.contains(&at) {
                        site.operands.push(at);
                    }
                    queue.push(arg);
                }
            }
        }
    }
}
