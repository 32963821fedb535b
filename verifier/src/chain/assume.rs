//! What conditions say, where the store context knows the chain: effects,
//! states, and the search for a handler, which is in line.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, Inst};

use crate::assume::may_hold;
use crate::flow::Analysis;
use crate::graph::TableSet;
use crate::profile::Role;
use crate::report::OperationKind;
use crate::rules::{self, Rule};
use crate::state::{Fact, State};
use crate::sym::{Node, Sym, mask};

/// What is wrong with a search for a handler.
pub(crate) type SearchFault = (&'static Rule, &'static str);

impl Analysis<'_> {
    /// A comparison's outcome; what objects need is learned elsewhere. False
    /// where it cannot be.
    pub(crate) fn chain_assume(&mut self, cc: IntCC, a: Sym, b: Sym, state: &mut State) -> bool {
        let Some(shape) = self.chain() else { return true };
        match cc {
            IntCC::UnsignedLessThan => state.learn(Fact::Below(a, b)),
            IntCC::UnsignedGreaterThan => state.learn(Fact::Below(b, a)),
            _ => {}
        }
        let ((x, c), (y, d)) = (self.syms.split_add(a), self.syms.split_add(b));
        if cc == IntCC::Equal && c != d && state.same(x, y) {
            return false;
        }
        let Some(k) = self.syms.as_const(b) else { return true };
        let holds = |v: u64| may_hold(cc, v, k);
        let shift = shape.effect_shift;
        if let Node::Shr(switched, n) = self.syms.node(a)
            && u32::from(n) == shift
            && self.is_switched(switched)
        {
            return self.narrow_effects(switched, state, holds);
        }
        if self.is_switched(a) {
            // only a suspend's word has bits below its effect
            return self.narrow_effects(a, state, |effect| match cc {
                IntCC::Equal => effect == k >> shift,
                _ if effect == shape.suspend => true,
                _ => holds(effect << shift),
            });
        }
        match cc {
            IntCC::NotEqual => state.learn(Fact::Differ(a, b)),
            IntCC::Equal => state.learn(Fact::equal(a, b)),
            _ => {}
        }
        true
    }

    fn narrow_effects(&mut self, switched: Sym, state: &mut State, holds: impl Fn(u64) -> bool) -> bool {
        let Node::Switched(inst) = self.syms.node(switched) else { return true };
        let mut codes = state.codes(switched);
        for effect in 0..64 {
            if codes & (1 << effect) != 0 && !holds(effect) {
                codes &= !(1 << effect);
            }
        }
        state.narrow(switched, codes);
        if state.undecoded.contains(&inst) && self.is_decoded(inst, codes) {
            state.undecoded.retain(|i| *i != inst);
            self.decoded(inst, codes, state);
        }
        codes != 0
    }

    /// Is it known well enough with which of these effects a switch came back?
    fn is_decoded(&self, switch: Inst, codes: u64) -> bool {
        let (Some(shape), Some(kind)) = (self.chain(), self.switch_kinds[switch]) else { return false };
        match kind {
            OperationKind::Resume | OperationKind::ResumeThrow => codes.count_ones() == 1,
            _ => codes & (1 << shape.resume_throw) == 0 || codes == 1 << shape.resume_throw,
        }
    }

    /// The switch whose handler index a table's operand is.
    pub(crate) fn dispatches(&self, operand: Sym) -> Option<Inst> {
        let shape = self.chain()?;
        match self.syms.node(operand) {
            Node::And(switched, m) if m == mask(shape.effect_shift) => match self.syms.node(switched) {
                Node::Switched(inst) => Some(inst),
                _ => None,
            },
            _ => None,
        }
    }

    /// A table's operand is in a set.
    pub(crate) fn chain_table(&mut self, operand: Sym, set: TableSet, state: &mut State) -> bool {
        if let Some(switch) = self.dispatches(operand)
            && set.beyond.is_none()
        {
            self.dispatched(switch, state);
        }
        true
    }

    /// Two words are equal: a handler's tag and the one looked for?
    pub(crate) fn chain_equal(&mut self, entry: Sym, state: &mut State) {
        if let Some((last, resumer, index, Ok(_))) = self.hit(entry, state) {
            state.learn(Fact::Found(last, resumer, index));
            state.learn(Fact::OnContinuation);
            self.mark_contref(last);
        }
    }

    /// If a word is an entry of a handler list: the stack below the one with the
    /// list, that one, the entry's index, and whether the search got there as it
    /// should. True for a suspend handler.
    pub(crate) fn hit(&mut self, entry: Sym, state: &State) -> Option<(Sym, Sym, Sym, Result<bool, SearchFault>)> {
        let (base, offset) = self.loaded_from(entry)?;
        let Node::Sum(x, y, _) = self.syms.node(base) else { return None };
        let (resumer, scaled) = [(x, y), (y, x)].into_iter().find_map(|(list, index)| {
            let (resumer, at) = self.loaded_from(list)?;
            (at == self.at(Role::Handlers)).then_some((resumer, index))
        })?;
        let step = self.profile.word_bytes();
        let Node::Shl(index, n, _) = self.syms.node(scaled) else { return None };
        let (last, at) = self.loaded_from(resumer).unwrap_or((resumer, 0));
        let result = if u32::from(n) != step.trailing_zeros() || offset != 0 {
            Err((&rules::cc0201::RULE, "the search does not read the entries of the list"))
        } else if at != self.at(Role::Parent) {
            Err((&rules::cc0101::RULE, "the searched list is not that of a parent in the chain"))
        } else {
            self.range(resumer, index, state).and_then(|suspend| self.starts_here(last, state).map(|()| suspend))
        };
        Some((last, resumer, index, result))
    }

    /// Is the index in the part of the list that is searched?
    fn range(&mut self, resumer: Sym, index: Sym, state: &State) -> Result<bool, SearchFault> {
        let bound = state.facts().iter().find_map(|f| match *f {
            Fact::Below(i, end) if i == index => Some(end),
            _ => None,
        });
        let of = |a: &Self, s, role| a.loaded_from(s) == Some((resumer, a.at(role)));
        let suspend = match bound {
            Some(end) if of(self, end, Role::FirstSwitchHandler) => true,
            Some(end) if of(self, end, Role::HandlersLength) => false,
            Some(_) => return Err((&rules::cc0201::RULE, "the search is bounded by something else than the list")),
            None => return Err((&rules::cc0201::RULE, "the search is not bounded by the list's end")),
        };
        let begins = Err((&rules::cc0201::RULE, "the search does not go through its part of the list one by one"));
        let Some((block, i)) = self.param(index) else { return begins };
        let next = self.syms.add_const(index, 1, 32);
        for e in self.edges_to(block) {
            let Some(arg) = self.edge_arg(e, i) else { return begins };
            let first = if suspend { arg == self.zero } else { of(self, arg, Role::FirstSwitchHandler) };
            if !first && arg != next {
                return begins;
            }
        }
        Ok(suspend)
    }

    /// Does the search begin with the running stack, go from each stack to its
    /// parent, and stop at the initial one?
    fn starts_here(&mut self, last: Sym, state: &State) -> Result<(), SearchFault> {
        let other = Err((&rules::cc0101::RULE, "the search does not go from the running stack up the chain"));
        let own = self.own_link();
        let Some((block, i)) = self.param(last) else { return other };
        let count = self.func.dfg.block_params(block).len();
        let Some(kind) = (0..count).find(|k| *k != i && self.is_link(block, *k, i, last, own)) else { return other };
        let v = self.func.dfg.block_params(block)[kind];
        let (kind, initial) = (self.value(v), self.chain().map_or(0, |s| s.initial_stack));
        let initial = self.syms.constant(initial);
        match state.knows(Fact::Differ(kind, initial)) {
            true => Ok(()),
            false => Err((&rules::cc0101::RULE, "the search does not stop at the initial stack")),
        }
    }

    /// Is it the kind of a link, as a search goes through them?
    pub(crate) fn is_link_kind(&mut self, s: Sym) -> bool {
        let own = self.own_link().0;
        let Some((block, i)) = self.param(s) else { return s == own };
        self.edges_to(block).any(|e| self.edge_arg(e, i) == Some(own))
    }

    /// Do two parameters go through the links of the chain together?
    fn is_link(&mut self, block: Block, kind: usize, stack: usize, last: Sym, own: super::Link) -> bool {
        let mut edges = self.edges_to(block);
        let (parent_kind, parent) = (self.at(Role::ParentKind), self.at(Role::Parent));
        edges.all(|e| {
            let (Some(k), Some(s)) = (self.edge_arg(e, kind), self.edge_arg(e, stack)) else { return false };
            let up = self.loaded_from(k) == Some((last, parent_kind)) && self.loaded_from(s) == Some((last, parent));
            (k, s) == own || up
        })
    }
}
