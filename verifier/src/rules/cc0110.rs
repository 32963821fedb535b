//! CC0110 isa.

use clif_cont_abi::SwitchModel;
use cranelift_codegen::ir::{InstructionData, Opcode};
use cranelift_codegen::isa::CallConv;

use super::{Rule, examples};
use crate::check::Check;
use crate::report::Verdict;
use crate::transfer::SwitchSite;

pub(crate) const RULE: Rule = Rule {
    id: "CC0110",
    name: "isa",
    statement: "`stack_switch` occurs only where the ISA and the profile have it. The switch routine is called by \
                `try_call` with a `tail` signature, no handler, and only the result that holds the switched word is \
                used: a plain call keeps callee-saved registers that the routine does not save. The host's switch is \
                called only in the host's model.",
    why: "Values that were kept in registers are another stack's after the switch.",
    bugs: "wt #13296, #9226",
    help: "use the switch of the profile's model",
    passing: examples::SUSPEND,
    fault: &[
        ("    sig1 =", "    sig2 = (i64, i64, i64) -> i64, i64, i64, i64, i64 tail\n    sig1 ="),
        ("    fn1 =", "    fn2 = colocated %cc_switch sig2\n    fn1 ="),
        ("v24 = stack_switch v10, v18, v23", "v40, v41, v42, v43, v24 = call fn2(v23, v10, v18)"),
    ],
};

/// Every switch.
pub(crate) fn switch(c: &mut Check<'_>, site: &SwitchSite) {
    let model = c.a.profile.switch_model();
    let data = c.a.func.dfg.insts[site.inst];
    let wrong = match data {
        InstructionData::Ternary { opcode: Opcode::StackSwitch, .. } => {
            (model != SwitchModel::Instruction).then_some("`stack_switch` does not exist in this profile")
        }
        InstructionData::Call { .. } if c.a.is_routine(site.inst) => {
            Some("the switch routine is called by a plain call, which keeps registers that it does not save")
        }
        InstructionData::Call { .. } => {
            (model != SwitchModel::HostCall).then_some("the host does not switch stacks in this profile")
        }
        InstructionData::TryCall { exception, .. } if c.a.is_routine(site.inst) => {
            let table = &c.a.func.stencil.dfg.exception_tables[exception];
            let tail = c.a.func.dfg.signatures[table.signature()].call_conv == CallConv::Tail;
            if model != SwitchModel::Routine {
                Some("the switch routine does not belong to this profile")
            } else if !tail {
                Some("the switch routine is called with another convention than `tail`")
            } else if table.all_branches().len() != 1 {
                Some("the switch routine does not throw")
            } else if !result_is_word(c, site) {
                Some("a result of the switch routine is used that does not hold the switched word")
            } else {
                None
            }
        }
        _ => Some("this is no way to switch"),
    };
    match wrong {
        None => c.proven(),
        Some(message) => c.fail(&RULE, Verdict::Violated, site.inst, message),
    }
}

fn result_is_word(c: &mut Check<'_>, site: &SwitchSite) -> bool {
    let Some(block) = c.a.func.layout.inst_block(site.inst) else { return false };
    let mut edges = c.a.edges_from(block);
    let word = c.a.switched(site.inst);
    edges.all(|e| {
        let params = c.a.func.dfg.block_params(e.to).len();
        (0..params).all(|i| !c.a.is_result_arg(e, i) || c.a.edge_arg(e, i) == Some(word))
    })
}
