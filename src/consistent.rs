//! Whether a program read from text fits together, with places: [`Program::check`] says
//! what does not. What is not defined in it matters only to who runs it: [`undefined`].

use std::collections::BTreeSet;

use clif_cont_abi::{HostFn, symbols};
use clif_cont_program::{DataItem, Program, ProgramError};
use cranelift_codegen::ir::{ExternalName, GlobalValueData, InstructionData};

/// Two definitions or declarations that contradict each other.
pub(crate) struct Contradiction {
    /// In words.
    pub(crate) message: String,
    /// The function that is wrong, as its definition spells the name, and what
    /// its declaration of the callee begins and goes on with.
    pub(crate) declaration: Option<(String, String)>,
}

/// The first contradiction.
pub(crate) fn check(program: &Program) -> Result<(), Contradiction> {
    program.check().map_err(|error| Contradiction {
        message: error.to_string(),
        declaration: match error {
            ProgramError::Callee { function, callee, .. } | ProgramError::DataCalled { function, symbol: callee } => {
                Some((function, format!("%{callee}(")))
            }
            _ => None,
        },
    })
}

/// The first use of a symbol that the program does not define, the host does not
/// supply, and no backend knows: the function with how its declaration goes on, or the data, and the symbol.
pub(crate) fn undefined(program: &Program) -> Option<(Result<String, String>, String)> {
    let known: BTreeSet<String> = (program.functions.iter().map(|f| f.name()))
        .chain(program.data.iter().map(|d| d.name.clone()))
        .chain(HostFn::ALL.iter().map(|f| f.symbol().to_owned()))
        .chain([symbols::SWITCH.to_owned()])
        .collect();
    for function in &program.functions {
        let func = &function.func;
        let used = func.layout.blocks().flat_map(|b| func.layout.block_insts(b));
        for inst in used {
            let name = match func.dfg.insts[inst] {
                InstructionData::Call { func_ref, .. }
                | InstructionData::TryCall { func_ref, .. }
                | InstructionData::FuncAddr { func_ref, .. } => &func.dfg.ext_funcs[func_ref].name,
                InstructionData::UnaryGlobalValue { global_value, .. } => match &func.global_values[global_value] {
                    GlobalValueData::Symbol { name, .. } => name,
                    _ => continue,
                },
                _ => continue,
            };
            let ExternalName::TestCase(name) = name else { continue };
            let name = name.to_string().trim_start_matches('%').to_owned();
            if !known.contains(&name) {
                return Some((Ok(func.name.to_string()), name));
            }
        }
    }
    let items = program.data.iter().flat_map(|d| d.items.values().map(move |item| (d, item)));
    items.into_iter().find_map(|(data, item)| match item {
        DataItem::Symbol(name) if !known.contains(name) => Some((Err(data.name.clone()), name.clone())),
        _ => None,
    })
}
