//! ABIs whose store context knows the chain of running stacks, as Wasmtime's
//! does.
//!
//! What differs in kind from this project's own ABI, and therefore is here and
//! not in a profile's data: the running stack is read from the store context; a
//! switch passes an effect and, with a suspend, a handler's index, but not who
//! switched, which the receiver reads from the chain; a control context is found
//! through the address behind its stack; a resume installs its handlers in a
//! list of its own record, and takes them out again; payloads are in buffers
//! with a length; every stack has a state, and limits that move to and from the
//! store context.
//!
//! Objects (checks, revisions, pairs) are the same as everywhere: those rules
//! know nothing of this module.
//!
//! Before a switch the rules look at what memory holds ([`resume`],
//! [`suspend`]). Behind it the operation still *owes* stores; [`duty`] keeps
//! account of them on every path, until control leaves or something can trap.

mod assume;
mod buffers;
mod duty;
mod resume;
mod search;
mod suspend;
mod transfer;
mod walk;

pub(crate) use walk::{judge, owed, walk};

use cranelift_codegen::ir::{Block, Inst, Value, ValueDef};

use crate::flow::Analysis;
use crate::place::Kind;
use crate::profile::{ChainShape, Role, Shape};
use crate::state::{Fact, State};
use crate::sym::{Node, Sym};

/// What a link of the chain is made of: its kind, and the stack's record.
pub(crate) type Link = (Sym, Sym);

impl Analysis<'_> {
    /// The shape, where the profile's is of this kind.
    pub(crate) fn chain(&self) -> Option<&'static ChainShape> {
        match self.profile.shape {
            Shape::Chain(shape) => Some(shape),
            Shape::Slots => None,
        }
    }

    /// Offset of a field.
    pub(crate) fn at(&self, role: Role) -> i32 {
        self.profile.field(role).offset
    }

    /// What memory holds there.
    pub(crate) fn held(&self, base: Sym, role: Role, state: &State) -> Option<Sym> {
        state.cell(base, self.at(role)).map(|c| c.value)
    }

    /// The same, when it was stored since the last switch or call.
    pub(crate) fn stored(&self, base: Sym, role: Role, state: &State) -> Option<Sym> {
        let cell = state.cell(base, self.at(role))?;
        self.func.dfg.insts[cell.by].opcode().can_store().then_some(cell.value)
    }

    /// The running stack, as the chain has it.
    pub(crate) fn own_link(&mut self) -> Link {
        let bits = self.profile.word_bits();
        (self.syms.global(Node::ActiveKind, bits), self.active)
    }

    /// Whose control context an address is: the record whose stack it is at the
    /// top of.
    pub(crate) fn context_of(&self, s: Sym) -> Option<Sym> {
        let shape = self.chain()?;
        let (top, add) = self.syms.split_add(s);
        if add != -shape.context_below_top {
            return None;
        }
        self.top_of(top)
    }

    /// Whose stack ends at this address.
    pub(crate) fn top_of(&self, top: Sym) -> Option<Sym> {
        let (base, offset) = self.loaded_from(top)?;
        (offset == self.at(Role::StackTop)).then_some(base)
    }

    /// Is it part of a chain that cannot run now: of an object that is current,
    /// or what a switch came back from?
    pub(crate) fn is_suspended(&self, base: Sym, state: &State) -> bool {
        let object = |s| state.obj(s).is_some_and(|o| o.stale.is_none()) || matches!(self.kind(s), Kind::Back(_));
        base != self.active && (object(base) || matches!(self.kind(base), Kind::Last(of) if object(of)))
    }

    /// Is it the running stack, or one that waits for it?
    pub(crate) fn is_running(&self, base: Sym, state: &State) -> bool {
        base == self.active
            || matches!(self.kind(base), Kind::Parent(of) if of == self.active)
            || state.facts().iter().any(|f| matches!(f, Fact::Found(l, r, _) if *l == base || *r == base))
    }

    /// Does something hold in front of this instruction: at that point, or on every
    /// way to it, where those have nothing but computations in common?
    pub(crate) fn holds_before(&self, inst: Inst, state: &State, holds: &dyn Fn(&State) -> bool) -> bool {
        if holds(state) {
            return true;
        }
        let mut seen = vec![];
        let mut left: Vec<Block> = self.starts_block(inst).into_iter().collect();
        while let Some(block) = left.pop() {
            if seen.contains(&block) {
                continue;
            }
            seen.push(block);
            let mut any = false;
            for edge in self.edges_to(block) {
                any = true;
                let Some(known) = self.edge_state(edge) else { continue };
                if holds(&known) {
                    continue;
                }
                match self.starts_block(edge.inst).filter(|_| edge.is_always()) {
                    Some(before) => left.push(before),
                    None => return false,
                }
            }
            if !any {
                return false;
            }
        }
        !seen.is_empty()
    }

    /// The block that an instruction is in, if all in front of it only computes.
    fn starts_block(&self, inst: Inst) -> Option<Block> {
        let block = self.func.layout.inst_block(inst)?;
        let mut before = std::iter::successors(self.func.layout.prev_inst(inst), |i| self.func.layout.prev_inst(*i));
        before.all(|i| self.only_computes(i)).then_some(block)
    }

    /// Was a value there before an instruction? The program may keep an object
    /// that it has used.
    pub(crate) fn is_defined_before(&self, v: Value, inst: Inst) -> bool {
        let v = self.resolve(v);
        let (dfg, layout) = (&self.func.dfg, &self.func.layout);
        let Some(at) = layout.inst_block(inst) else { return false };
        match dfg.value_def(v) {
            ValueDef::Result(def, _) => layout.inst_block(def).is_some_and(|block| {
                if block == at { layout.pp_cmp(def, inst).is_lt() } else { self.graph.block_dominates(block, at) }
            }),
            ValueDef::Param(block, _) => self.graph.block_dominates(block, at),
            ValueDef::Union(..) => false,
        }
    }
}
