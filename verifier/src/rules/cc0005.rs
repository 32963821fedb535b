//! CC0005 width.

use cranelift_codegen::ir::{Inst, Opcode};

use super::{Rule, examples};
use crate::check::Check;
use crate::place::Access;
use crate::profile::Role;
use crate::report::Verdict;
use crate::state::{Fact, State};
use crate::sym::{Node, Sym};

pub(crate) const RULE: Rule = Rule {
    id: "CC0005",
    name: "width",
    statement: "Both halves of an object keep their full width: the comparison of revisions and the increment are as \
                wide as the field, and so are addresses of functions. Widths in storage that the program owns are decided by CC0012, as two adjacent \
                words.",
    why: "A revision that lost bits comes round again, and an old object is current once more.",
    bugs: "fx #182/#186 (16-bit revision), wt #12941, #13022",
    help: "compare and add whole words",
    passing: examples::BIND,
    fault: &[("v4 = icmp eq v3, v1", "v20 = ireduce.i32 v3\n    v21 = ireduce.i32 v1\n    v4 = icmp eq v20, v21")],
};

/// Is it a part of a word only: loaded by a narrower load, or masked?
pub(crate) fn is_part(c: &Check<'_>, s: Sym) -> bool {
    match c.a.syms.node(s) {
        Node::And(..) => true,
        Node::Value(_) => c.a.def(s).is_some_and(|(i, _)| {
            let opcode = c.a.func.dfg.insts[i].opcode();
            opcode.can_load() && opcode != Opcode::Load
        }),
        _ => c.a.syms.bits(s) < c.a.profile.word_bits() && c.a.syms.as_const(s).is_none(),
    }
}

/// A word that is not what it should be, on some path because it lost bits: then
/// that is said as well.
pub(crate) fn cut(c: &mut Check<'_>, inst: Inst, s: Sym) {
    let bits = c.a.profile.word_bits();
    let is_cut = |c: &Check<'_>, s: Sym| match c.a.syms.node(s) {
        // an effect is in the lower bits, and nothing is lost with it
        Node::And(_, m) => m >> (bits - 1) == 0,
        Node::Pure(opcode, ..) => opcode == Opcode::Sextend,
        Node::Value(_) => c.a.syms.bits(s) < bits || is_part(c, s),
        _ => false,
    };
    let origins = c.origins(s).unwrap_or_default();
    if origins.iter().any(|o| is_cut(c, o.value)) {
        c.fail(&RULE, Verdict::Violated, inst, "a half of an object has lost bits");
    }
}

/// An indirect call goes to a whole address.
pub(crate) fn call(c: &mut Check<'_>, inst: Inst) {
    if !matches!(
        c.a.func.dfg.insts[inst].opcode(),
        Opcode::CallIndirect | Opcode::TryCallIndirect | Opcode::ReturnCallIndirect
    ) {
        return;
    }
    let Some(&v) = c.a.func.dfg.inst_args(inst).first() else { return };
    let callee = c.a.value(v);
    let part = is_part(c, callee);
    c.require(!part, &RULE, inst, "the address that is called has lost bits");
}

/// Was a part of the revision compared, where all of it should have been? Then
/// that is the fault to report.
pub(crate) fn narrowed(c: &mut Check<'_>, access: &Access, state: &State) -> bool {
    let offset = c.a.profile.field(Role::Revision).offset;
    let Some(revision) = state.cell(access.base, offset).map(|cell| cell.value) else { return false };
    let partial = state.facts().iter().any(|f| match f {
        Fact::Partial(a) => *a == revision,
        _ => false,
    });
    if partial {
        c.fail(&RULE, Verdict::Violated, access.inst, "only a part of the revision was compared with the witness");
    }
    partial
}

/// Is a store to the revision the increment of a part of it?
pub(crate) fn stored(c: &mut Check<'_>, access: &Access, value: Sym, next: Sym) -> bool {
    let bits = c.a.profile.word_bits();
    let narrow = match c.a.syms.node(value) {
        Node::And(inner, _) => inner == next,
        Node::Add(_, _, b) => u32::from(b) < bits,
        _ => false,
    };
    if narrow {
        c.fail(&RULE, Verdict::Violated, access.inst, "the increment of the revision loses bits");
    }
    narrow
}
