//! Recognition of operations: what a switch is for, and where the parts of the
//! operation are. A switch that is none of them is a finding, see `CC0101`.

use clif_cont_abi::EffectKind;
use cranelift_codegen::ir::Inst;

use crate::flow::Analysis;
use crate::place::Kind;
use crate::profile::Role;
use crate::report::{Operation, OperationKind};
use crate::state::{Fact, State};
use crate::sym::Sym;
use crate::transfer::SwitchSite;

impl Analysis<'_> {
    /// What a switch is for, by the word that it passes and by what is linked.
    pub(crate) fn classify(&self, site: &SwitchSite, state: &State) -> Option<OperationKind> {
        if self.chain().is_some() {
            return self.chain_classify(site);
        }
        let code = |kind| self.profile.effect(kind);
        if let Some(word) = self.syms.as_const(site.word) {
            if word == code(EffectKind::ResumeThrow) && self.profile.throws() {
                return Some(OperationKind::ResumeThrow);
            }
            if word != code(EffectKind::Resume) {
                return None;
            }
            if matches!(self.kind(site.from), Kind::DriverRecord(_)) {
                return Some(OperationKind::Invoke);
            }
            return Some(if self.hands_over(site, state) { OperationKind::Switch } else { OperationKind::Resume });
        }
        match self.syms.as_const(self.effect_code(site.word)?) {
            Some(c) if c == code(EffectKind::Return) => Some(OperationKind::Return),
            Some(c) if c == code(EffectKind::Throw) && self.profile.throws() => Some(OperationKind::Throw),
            Some(c) if c == code(EffectKind::Trap) => Some(OperationKind::Trap),
            Some(c) if c == code(EffectKind::HostCall) => Some(OperationKind::HostCall),
            Some(c) if c < code(EffectKind::Suspend) => None,
            _ => Some(OperationKind::Suspend),
        }
    }

    /// The effect code in a word that passes the running continuation.
    pub(crate) fn effect_code(&self, word: Sym) -> Option<Sym> {
        if word == self.active {
            return Some(self.zero);
        }
        let (contref, code) = self.syms.split_or(word, self.profile.effect_mask())?;
        if contref == self.active {
            Some(code)
        } else if code == self.active {
            Some(contref)
        } else {
            None
        }
    }

    /// Does the running continuation suspend as well? Then the chain is linked
    /// to somebody else, or its own last ancestor was set.
    fn hands_over(&self, site: &SwitchSite, state: &State) -> bool {
        let field = |role| self.profile.field(role).offset;
        let last = state.cell(site.to, field(Role::LastAncestor)).map(|c| c.value);
        let parent = last.and_then(|l| state.cell(l, field(Role::Parent))).map(|c| c.value);
        let searched = |p| state.facts().iter().any(|f| matches!(f, Fact::Found(_, r, _) if *r == p));
        parent.is_some_and(|p| p != self.active && searched(p))
            || state.dirty.iter().any(|(_, role)| *role == Role::LastAncestor)
    }

    /// The branch on whether this contref is null that dominates `at`.
    fn null_check(&self, contref: Sym, at: Inst) -> Option<Inst> {
        let dominating = |i: &Inst| self.graph.dominates(*i, at, &self.func.layout);
        self.null_checks.iter().filter(|(s, _)| *s == contref).map(|(_, i)| *i).rfind(dominating)
    }

    /// An operation on an object, with the checks in front of it.
    pub(crate) fn operation(&self, kind: OperationKind, inst: Inst, object: Option<Sym>, state: &State) -> Operation {
        let obj = object.and_then(|o| state.obj(o)).filter(|o| o.stale.is_none());
        Operation {
            kind,
            inst,
            null_check: object.and_then(|o| self.null_check(o, inst)),
            revision_check: obj.map(|o| o.check),
            consumed: obj.and_then(|o| o.bump),
            untyped: false,
        }
    }
}
