//! CC0208 trap-mechanism.

use clif_cont_abi::Trap;
use cranelift_codegen::ir::{Inst, InstructionData, Opcode};
use smallvec::SmallVec;

use super::{Rule, cc0001, cc0002, cc0009, cc0107, cc0108, cc0109, cc0113, cc0201, contract, examples};
use crate::check::{Check, PairDuty};
use crate::graph::Edge;
use crate::place::Kind;
use crate::profile::{Callee, FunctionRole, Role};
use crate::report::{OperationKind, Verdict};
use crate::state::{Fact, Since, State};
use crate::sym::Sym;

pub(crate) const RULE: Rule = Rule {
    id: "CC0208",
    name: "trap-mechanism",
    statement: "A trap is a call of the trap function with its code, and a trap instruction with the same code behind \
                it. No other instruction of the program traps by itself. A trap of the protocol happens only for its reason: \
                null where the contref is 0, consumed where revision and witness differ, unexpected effect where none \
                of the expected ones came back. One that nothing leads to may lack its check: a warning by the rule \
                of its reason.",
    why: "A hardware fault on a continuation's stack is not the program's trap but the end of the process.",
    bugs: "wt #14072",
    help: "call the trap function with the code, then `trap` with the same code",
    passing: examples::BIND,
    fault: &[("    call fn0(v5)\n", "")],
};

/// A trap instruction.
pub(crate) fn trap(c: &mut Check<'_>, inst: Inst, state: &State) {
    if c.a.role == FunctionRole::Trap {
        let gone = match state.since {
            Since::Inst(i) => c.a.switch_kinds[i] == Some(OperationKind::Trap),
            _ => false,
        };
        c.require(gone, &cc0108::RULE, inst, "the trap function ends without having gone to the driver");
        return;
    }
    let data = c.a.func.dfg.insts[inst];
    let InstructionData::Trap { opcode: Opcode::Trap, code } = data else {
        c.fail(&RULE, Verdict::Violated, inst, "a conditional trap is a hardware fault");
        return;
    };
    let call = c.a.before(inst).filter(|i| c.a.callee_of(*i) == Some(Callee::Trap));
    let Some(call) = call else {
        c.fail(&RULE, Verdict::Violated, inst, "the trap function is not called before the trap");
        return;
    };
    let same = c.a.trap_code(call).is_none_or(|k| k == u64::from(code.as_raw().get()));
    c.require(same, &RULE, inst, "the trap function is called with another code");
}

/// A trap of the protocol happens for its reason only.
pub(crate) fn cause(c: &mut Check<'_>, inst: Inst, code: Option<u64>, state: &State) {
    c.require(code.is_some(), &RULE, inst, "the code of a trap is no constant");
    let is = |trap: Trap| code == Some(trap.code().into());
    let Some((rule, message, _)) = reason(c, code) else { return };
    let block = c.a.func.layout.inst_block(inst);
    let edges: SmallVec<[&Edge; 4]> = block.into_iter().flat_map(|b| c.a.edges_to(b)).collect();
    let mut holds = true;
    for edge in c.arrivals(inst) {
        let state = c.known_on(edge, state);
        holds &= has_cause(c, inst, code, &state);
        let only = edges.first().copied().filter(|_| edges.len() == 1);
        if let (true, Some(edge)) = (is(Trap::NullContinuation), edge.or(only)) {
            holds &= tests_what_is_used(c, edge);
        }
    }
    // an optimiser leaves nothing but the trap of an operation that always fails
    let foldable = c.a.role == FunctionRole::Program && !is(Trap::StackExhausted) && !edges.is_empty();
    let folded = foldable && edges.iter().all(|e| e.is_always()) && !c.a.has_dead_operations();
    if is(Trap::UnhandledTag) || is(Trap::PoolExhausted) {
        c.contract(holds || folded, rule, inst, message);
    } else {
        c.require(holds || folded, rule, inst, message);
    }
}

/// The rule that a trap's cause belongs to; what is wrong where it need not be
/// the cause, and where nothing leads to the trap.
fn reason(c: &Check<'_>, code: Option<u64>) -> Option<(&'static Rule, &'static str, &'static str)> {
    let is = |trap: Trap| code == Some(trap.code().into());
    Some(if is(Trap::NullContinuation) {
        (
            &cc0001::RULE,
            "the operation traps as on a null continuation, though it may be another",
            "no test for null leads to where the operation traps as on a null continuation",
        )
    } else if is(Trap::Consumed) {
        (
            &cc0002::RULE,
            "the operation traps as on a consumed continuation, though it may be current",
            "no comparison leads to where the operation traps as on a consumed continuation",
        )
    } else if is(Trap::UnexpectedEffect) {
        (
            &cc0107::RULE,
            "the operation traps as on an effect that cannot occur, though it may be another",
            "no branch leads to where the operation traps as on an effect that cannot occur",
        )
    } else if is(Trap::RevisionExhausted) {
        (
            &cc0009::RULE,
            "the operation traps as on an exhausted revision, though it may be in its limits",
            "no comparison leads to where the operation traps as on an exhausted revision",
        )
    } else if is(Trap::UnhandledTag) && c.a.role.is_search() {
        (
            &cc0201::RULE,
            "the search gives up though there may be a handler",
            "no branch leads to where the search gives up",
        )
    } else if is(Trap::PoolExhausted) && c.a.role == FunctionRole::Grow {
        (
            &cc0113::RULE,
            "the function traps as without memory, though there may be a slot",
            "no branch leads to where the function traps as without memory",
        )
    } else if is(Trap::StackExhausted) {
        (
            &cc0109::RULE,
            "the function traps as on an exhausted stack, though enough may be left",
            "no comparison leads to where the function traps as on an exhausted stack",
        )
    } else {
        return None;
    })
}

/// A trap of the protocol that nothing leads to: the check in front of it leads
/// elsewhere. Neither a front end nor an optimiser leaves such a block behind.
pub(crate) fn unreachable(c: &mut Check<'_>) {
    if c.a.is_all_reached() {
        return;
    }
    let func = c.a.func;
    let unreached = func.layout.blocks().filter(|b| !c.a.is_reached(*b)).flat_map(|b| func.layout.block_insts(b));
    for inst in unreached.filter(|i| c.a.callee_of(*i) == Some(Callee::Trap)).collect::<SmallVec<[Inst; 4]>>() {
        let code = c.a.trap_code(inst);
        c.require(code.is_some(), &RULE, inst, "the code of a trap is no constant");
        let behind = c.a.behind(inst).map(|i| func.dfg.insts[i]);
        if let (Some(called), Some(InstructionData::Trap { code, .. })) = (code, behind) {
            let same = called == u64::from(code.as_raw().get());
            c.require(same, &RULE, inst, "the trap function is called with another code");
        }
    }
    let dead: Vec<_> = func.layout.blocks().filter(|b| !c.a.graph.is_reachable(*b)).collect();
    for inst in dead.into_iter().flat_map(|b| func.layout.block_insts(b)) {
        if c.a.callee_of(inst) == Some(Callee::Trap)
            && let Some((rule, _, message)) = reason(c, c.a.trap_code(inst))
            // what was used without the check was said
            && c.notes.report.findings.iter().all(|f| f.rule != rule.id)
        {
            c.fail(rule, Verdict::Violated, inst, message);
        }
    }
}

fn has_cause(c: &mut Check<'_>, inst: Inst, code: Option<u64>, state: &State) -> bool {
    let is = |trap: Trap| code == Some(trap.code().into());
    let zero = c.a.zero;
    if is(Trap::UnhandledTag) {
        return contract::search::gives_up(c, state);
    }
    if is(Trap::NullContinuation) || is(Trap::PoolExhausted) {
        let program = c.a.role == FunctionRole::Program && is(Trap::NullContinuation);
        return state.equals(zero).collect::<Vec<_>>().into_iter().any(|null| {
            let tested = matches!(c.a.kind(null), Kind::Outside | Kind::Merged | Kind::Back(_));
            !program || null == zero || tested && becomes_contref(c, null)
        });
    }
    if is(Trap::StackExhausted) {
        return state.knows(Fact::Stack(false));
    }
    if is(Trap::RevisionExhausted) {
        let limit = c.a.profile.last_revision();
        let beyond = |f: &Fact| matches!(*f, Fact::Differ(_, k) if c.a.syms.as_const(k) == limit);
        return limit.is_some() && state.facts().iter().any(beyond);
    }
    if is(Trap::Consumed) {
        let offset = c.a.profile.field(Role::Revision).offset;
        let compared: SmallVec<[(Sym, Sym); 4]> = state
            .facts()
            .iter()
            .flat_map(|f| match *f {
                Fact::Differ(revision, witness) => [Some((revision, witness)), Some((witness, revision))],
                _ => [None, None],
            })
            .flatten()
            .collect();
        let bases = |revision: Sym| {
            let of = state.cells().iter().filter(move |cell| cell.offset == offset && cell.value == revision);
            of.map(|cell| cell.base).filter(|base| c.a.is_contref(*base)).collect::<SmallVec<[Sym; 4]>>()
        };
        for (revision, witness) in &compared {
            // of two revisions, either may be the witness
            let alternative = bases(*witness).first().map(|contref| (*contref, *revision));
            for contref in bases(*revision) {
                c.notes.pairs.push(PairDuty { alternative, ..PairDuty::new(inst, contref, *witness, inst) });
            }
        }
        // or the object was consumed a moment ago, and the comparison folded
        let block = c.a.func.layout.inst_block(inst);
        let jumped = block.is_some_and(|b| c.a.edges_to(b).all(Edge::is_always));
        let consumed = jumped && state.objs().iter().any(|o| o.bump.is_some() && o.stale.is_none());
        let known = compared.iter().any(|(revision, _)| !bases(*revision).is_empty());
        return consumed || known;
    }
    is_unexpected(c, state)
        || last_switches(state).any(|switch| {
            let Some(word) = c.a.syms.find(crate::sym::Node::Switched(switch)) else { return false };
            let must = match c.a.switch_kinds[switch] {
                Some(kind) if kind.installs_handlers() => c.a.profile.ending_codes(),
                Some(kind) => c.a.expected_codes(kind),
                None => 0,
            };
            state.codes(word) & must == 0
        })
}

/// Where a branch always goes to the trap, what it is on is what the operation
/// behind it would have used.
fn tests_what_is_used(c: &mut Check<'_>, edge: &Edge) -> bool {
    let func = c.a.func;
    let others: Vec<_> = c.a.edges_from(edge.from).filter(|e| e.to != edge.to).copied().collect();
    let revision = c.a.profile.field(Role::Revision).region;
    others.into_iter().all(|e| {
        if c.a.is_taken(&e) {
            return true;
        }
        let used = func.layout.block_insts(e.to).find_map(|i| match func.dfg.insts[i] {
            InstructionData::Load { arg, .. } => {
                let region = func.dfg.insts[i].memflags_data(&func.dfg)?.alias_region()?;
                (func.dfg.alias_regions[region].user_id == revision).then_some(arg)
            }
            _ => None,
        });
        // what it computes was not looked at yet
        func.layout.block_insts(e.to).for_each(|i| c.a.evaluate(i));
        used.is_none_or(|v| {
            let address = c.a.value(v);
            c.a.syms.as_const(address).is_some()
        })
    })
}

/// Is a continuation accessed through it, or through a parameter that it is
/// handed to?
fn becomes_contref(c: &mut Check<'_>, s: Sym) -> bool {
    let (mut queue, mut seen) = (vec![s], vec![]);
    while let Some(s) = queue.pop() {
        if c.a.is_marked(s) {
            return true;
        }
        if seen.contains(&s) {
            continue;
        }
        seen.push(s);
        let func = c.a.func;
        for edge in c.a.rpo.iter().flat_map(|b| c.a.edges_from(*b)).collect::<Vec<_>>() {
            for (i, param) in func.dfg.block_params(edge.to).iter().enumerate() {
                if c.a.edge_arg(edge, i) == Some(s) {
                    queue.push(c.a.value(*param));
                }
            }
        }
    }
    false
}

/// Is there a word that differs from every effect with which a continuation is
/// told to go on?
fn is_unexpected(c: &Check<'_>, state: &State) -> bool {
    let differs = |word: Sym, code: u32| {
        let is = |k: Sym| c.a.syms.as_const(k) == Some(code.into());
        state.facts().iter().any(|f| matches!(*f, Fact::Differ(a, k) if a == word && is(k)))
    };
    let codes = c.a.profile.waking_codes();
    let words = state.facts().iter().filter_map(|f| match *f {
        Fact::Differ(word, _) => Some(word),
        _ => None,
    });
    words.into_iter().any(|word| (0..64).filter(|code| codes & (1 << code) != 0).all(|code| differs(word, code)))
}

/// What may have come back last, its effect known or not.
fn last_switches(state: &State) -> impl Iterator<Item = Inst> {
    let last = match state.since {
        Since::Inst(inst) => Some(inst),
        _ => None,
    };
    state.undecoded.iter().copied().chain(last)
}
