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

use clif_cont_abi::{Abi, HostFn, Region, StoreContext, Trap, symbols};
use cranelift_codegen::ir::{Block, Function, Inst, InstructionData, Opcode, Value};

use crate::aspect::Aspect;
use crate::func::{
    Operand, address_operand, callee, constant, def, edge_args, edges, inner_param, insts, opcode, operand, operands,
    predecessors, target,
};

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
    /// Is it in a function of the runtime?
    pub(crate) runtime: bool,
}

impl Site {
    fn of(inst: Inst, aspect: Aspect, operands: Vec<Operand>) -> Self {
        Self { inst, aspect, operands, whole: true, needed: true, edges: vec![], runtime: false }
    }
}

/// All of a function's instructions that may be damaged: those in scope, and the
/// others with [`Aspect::Own`].
pub(crate) fn sites(func: &Function, name: &str, abi: &Abi) -> Vec<Site> {
    let runtime = name.starts_with(symbols::PREFIX);
    let mut scope = Scope {
        func,
        abi,
        found: BTreeMap::new(),
        runtime,
        ends: [symbols::ENTRY, symbols::DROP, symbols::RECLAIM].contains(&name),
        traps: name == symbols::TRAP,
        drives: name == symbols::INVOKE,
    };
    for inst in insts(func) {
        scope.root(inst);
    }
    scope.checks();
    let all = insts(func).map(|inst| {
        let rest = if scope.runtime { Aspect::Runtime } else { Aspect::Own };
        let mut site = scope.found.remove(&inst).unwrap_or_else(|| Site::of(inst, rest, operands(func, inst)));
        let all = edges(func, inst).iter().enumerate();
        // where a search leads to is the protocol's, whether or not it fails
        let free = scope.runtime || matches!(site.aspect, Aspect::Own | Aspect::Search);
        site.runtime = scope.runtime;
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
pub(crate) fn fails(func: &Function, block: Block) -> bool {
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
    abi: &'a Abi,
    found: BTreeMap<Inst, Site>,
    runtime: bool,
    /// Is it the trap function?
    traps: bool,
    /// Does it end continuations?
    ends: bool,
    /// Is it the function of an invocation?
    drives: bool,
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
                Region::Revision if self.runtime => Aspect::End,
                Region::Revision if stores => Aspect::Consume,
                Region::Revision if self.is_compared(inst) => Aspect::RevisionCheck,
                Region::Revision => Aspect::Object,
                Region::Context => Aspect::Context,
                // of a stack that ends
                Region::Parent | Region::LastAncestor if self.ends => Aspect::End,
                Region::Parent | Region::LastAncestor => Aspect::Link,
                // of a fresh continuation, which has no handlers yet
                Region::Handlers if stores && !self.runtime && self.stores_function(inst) => Aspect::Link,
                Region::Handlers if stores && !self.runtime => Aspect::Install,
                Region::Handlers | Region::HandlerTable if !self.runtime => Aspect::Search,
                Region::Handlers | Region::HandlerTable => Aspect::Handlers,
                Region::Payload if self.is_word(inst) => Aspect::Words,
                Region::Payload => Aspect::Payload,
                Region::Store | Region::StoreContext | Region::Table => self.store_field(inst),
            };
            let mut used = operands(func, inst);
            if aspect == Aspect::Payload {
                used.retain(|o| Some(*o) == address_operand(func, inst));
            }
            self.follow(inst, aspect, used);
        } else if is_switch(func, inst) {
            self.follow(inst, Aspect::Context, operands(func, inst));
            if let Some(site) = self.found.get_mut(&inst) {
                site.aspect = if self.traps { Aspect::Abort } else { Aspect::Switch };
            }
        } else if let Some(callee) = callee(func, inst) {
            let aspect = match callee.as_str() {
                symbols::SEARCH_SUSPEND | symbols::SEARCH_SWITCH => Aspect::Search,
                symbols::NEW_SLOT | symbols::GROW => Aspect::Pool,
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
                let limit = aspect == Aspect::RevisionCheck && self.compares_constant(condition);
                let aspect = if limit { Aspect::Limit } else { aspect };
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
                Region::Revision if self.runtime => Aspect::End,
                Region::Revision => Aspect::RevisionCheck,
                Region::Handlers | Region::HandlerTable if !self.runtime => Aspect::Search,
                Region::Handlers | Region::HandlerTable => Aspect::Handlers,
                Region::Parent | Region::LastAncestor => Aspect::Link,
                Region::Payload => return None,
                _ => self.store_field(d),
            });
        }
        if let Some(callee) = callee(func, d) {
            return match callee.as_str() {
                symbols::SEARCH_SUSPEND | symbols::SEARCH_SWITCH => Some(Aspect::Search),
                symbols::NEW_SLOT | symbols::GROW => Some(Aspect::Pool),
                name if name == HostFn::Call.symbol() => Some(Aspect::Failure),
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

    /// The part of the protocol that a field of the store context belongs to.
    fn store_field(&self, access: Inst) -> Aspect {
        let offset = match self.func.dfg.insts[access] {
            InstructionData::Load { offset, .. } | InstructionData::Store { offset, .. } => i32::from(offset),
            _ => return Aspect::Store,
        };
        let is = |fields: &[clif_cont_abi::Field]| fields.iter().any(|f| f.offset(self.abi) == offset);
        use StoreContext as Context;
        if is(&[Context::FREE, Context::NEXT_SLOT, Context::SLOTS_END, Context::SLOTS]) {
            Aspect::Pool
        } else if is(&[Context::TRAP_CODE, Context::TRAPPED, Context::HOST_FUNCTION]) {
            Aspect::Reason
        } else if is(&[Context::HANDLER_INDEX]) {
            if self.runtime { Aspect::Handlers } else { Aspect::Dispatch }
        } else if self.drives {
            Aspect::Store
        } else {
            // whom to switch to, and from
            Aspect::Context
        }
    }

    /// Is it the store of a word of an object that this function makes?
    fn is_word(&self, store: Inst) -> bool {
        words(self.func, store).is_some()
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

    fn stores_function(&self, store: Inst) -> bool {
        let stored = operand(self.func, store, Operand::Arg(0)).and_then(|v| def(self.func, v));
        stored.is_some_and(|d| opcode(self.func, d) == Opcode::FuncAddr)
    }

    fn compares_constant(&self, condition: Value) -> bool {
        match def(self.func, condition).map(|d| self.func.dfg.insts[d]) {
            Some(InstructionData::IntCompare { args, .. }) => args.iter().any(|a| constant(self.func, *a).is_some()),
            _ => false,
        }
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
                    let part = match (opcode(func, d), aspect) {
                        (Opcode::StackAddr, _) => Aspect::Frame,
                        (_, Aspect::Install) => Aspect::Table,
                        _ => aspect,
                    };
                    self.add(d, part, operands(func, d));
                    queue.extend(func.dfg.inst_args(d).iter().map(|a| func.dfg.resolve_aliases(*a)));
                }
            } else if let Some((block, i)) = inner_param(func, v) {
                for (branch, s) in predecessors(func, block) {
                    let at = Operand::Edge(s, i);
                    let Some(arg) = operand(func, branch, at) else { continue };
                    // the runtime's functions have no objects
                    let object =
                        matches!(aspect, Aspect::NullCheck | Aspect::RevisionCheck | Aspect::Consume | Aspect::Object);
                    let carried = if object && !self.runtime { Aspect::Pair } else { aspect };
                    let site = self
                        .found
                        .entry(branch)
                        .or_insert_with(|| Site { whole: false, ..Site::of(branch, carried, vec![]) });
                    if !site.operands.contains(&at) {
                        site.operands.push(at);
                    }
                    queue.push(arg);
                }
            }
        }
    }
}

/// The stores of the two words of an object next to each other in a payload,
/// where one of them is part of it: the contref's, and that of the revision
/// that was loaded through it.
pub(crate) fn words(func: &Function, store: Inst) -> Option<(Inst, Inst)> {
    let block = func.layout.inst_block(store)?;
    let stores: Vec<(Inst, [Value; 2])> = func
        .layout
        .block_insts(block)
        .filter(|i| region(func, *i) == Some(Region::Payload))
        .filter_map(|i| match func.dfg.insts[i] {
            InstructionData::Store { args, .. } => Some((i, args.map(|a| func.dfg.resolve_aliases(a)))),
            _ => None,
        })
        .collect();
    let loaded_through = |revision: Value| {
        let d = def(func, revision).filter(|d| region(func, *d) == Some(Region::Revision))?;
        operand(func, d, Operand::Arg(0))
    };
    let mut pairs = stores.windows(2).filter(|w| {
        let ([contref, base], [revision, same]) = (w[0].1, w[1].1);
        base == same && loaded_through(revision) == Some(contref)
    });
    pairs.find(|w| w.iter().any(|(i, _)| *i == store)).map(|w| (w[0].0, w[1].0))
}
