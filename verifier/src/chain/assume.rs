//! What conditions say, where the store context knows the chain: effects and
//! states.

use cranelift_codegen::ir::Inst;
use cranelift_codegen::ir::condcodes::IntCC;

use crate::assume::may_hold;
use crate::flow::Analysis;
use crate::graph::TableSet;
use crate::report::OperationKind;
use crate::state::{Fact, State};
use crate::sym::{Node, Sym, mask};

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
        let Some(k) = self.syms.as_const(b) else {
            if cc == IntCC::NotEqual {
                self.compared_entry(a, b, state);
                self.compared_entry(b, a, state);
            }
            return true;
        };
        let holds = |v: u64| may_hold(cc, v, k);
        if cc == IntCC::NotEqual && k == shape.initial_stack {
            self.passes_initial(a, state);
        }
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
}
