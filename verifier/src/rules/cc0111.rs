//! CC0111 migrating-values.

use cranelift_codegen::ir::Inst;

use super::{Rule, examples};
use crate::check::Check;
use crate::report::Verdict;

pub(crate) const RULE: Rule = Rule {
    id: "CC0111",
    name: "migrating-values",
    statement: "No thread-local address and no value of the pinned register is kept across a switch. Decided where the \
                switch is on every path from its definition to its use.",
    why: "The continuation may go on on another thread, where the address belongs to somebody else.",
    bugs: "LLVM #98479",
    help: "compute the value again behind the switch",
    passing: examples::RESUME,
    fault: &[
        ("    gv0 =", "    gv1 = symbol colocated tls %local\n    gv0 ="),
        ("    v17 = symbol_value", "    v40 = tls_value.i64 gv1\n    v17 = symbol_value"),
        ("return v28, v25, v29", "v41 = iadd v28, v40\n    return v41, v25, v29"),
    ],
};

/// All uses of values that belong to a thread.
pub(crate) fn judge(c: &mut Check<'_>) {
    let func = c.a.func;
    if c.a.locals.is_empty() {
        return;
    }
    let reached = func.layout.blocks().filter(|b| c.a.is_reached(*b));
    let insts: Vec<Inst> = reached.flat_map(|b| func.layout.block_insts(b)).collect();
    let switches: Vec<Inst> = insts.iter().filter(|i| c.a.switch_kinds[**i].is_some()).copied().collect();
    for inst in insts {
        let defs = func.dfg.inst_args(inst).iter();
        let mut defs = defs.filter_map(|v| func.dfg.value_def(c.a.resolve(*v)).inst());
        let Some(def) = defs.find(|d| c.a.locals.contains(d)) else { continue };
        let dominates = |a: Inst, b: Inst| c.a.graph.dominates(a, b, &func.layout);
        let across = switches.iter().find(|s| dominates(def, **s) && **s != inst && dominates(**s, inst)).copied();
        match across {
            None => c.proven(),
            Some(switch) => c.fail_with(
                &RULE,
                Verdict::Violated,
                inst,
                "a value that belongs to the thread is used behind a switch",
                vec![(def, "computed here".into()), (switch, "switched here".into())],
            ),
        }
    }
}
