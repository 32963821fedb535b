//! Whether the functions of a program agree on what they call.
//!
//! Cranelift's verifier sees one function at a time, and takes its word for the
//! signature of every callee. Code for a callee with another signature finds its
//! arguments elsewhere; so a program read from text is checked as a whole. What
//! is not defined in it matters only to who runs it: [`undefined`].

use std::collections::{BTreeMap, BTreeSet};

use clif_cont_abi::{Exceptions, HostFn, symbols};
use clif_cont_program::{DataItem, Program};
use cranelift_codegen::ir::{AbiParam, ExternalName, GlobalValueData, InstructionData, Signature, Type, UserFuncName};

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
    let plain = |message| Err(Contradiction { message, declaration: None });
    let defined: BTreeMap<String, &Signature> =
        program.functions.iter().map(|f| (f.name(), &f.func.signature)).collect();
    if let Some(data) = program.data.iter().find(|d| defined.contains_key(&d.name)) {
        return plain(format!("%{} is both a function and data", data.name));
    }
    for export in program.exports.iter().chain(&program.init) {
        let Some(signature) = defined.get(&export.function) else { continue };
        let types = |list: &[_]| -> Vec<Type> {
            let flat = |t: &clif_cont_program::ValType| t.clif(&program.target.abi);
            list.iter().flat_map(flat).copied().collect()
        };
        let exn: Option<Type> = match program.target.abi.exceptions {
            Exceptions::None => None,
            // what came out of the function by a throw
            Exceptions::ExtraResult => Type::int(program.target.abi.width.bits() as u16),
        };
        let results: Vec<Type> = exn.into_iter().chain(types(&export.results)).collect();
        if (types(&export.params), results) != shape(signature) {
            return plain(format!(
                "export `{}` has other types than its function, %{}{signature}",
                export.name, export.function
            ));
        }
    }
    for function in &program.functions {
        let dfg = &function.func.dfg;
        for callee in dfg.ext_funcs.values() {
            let name = match &callee.name {
                ExternalName::TestCase(name) => name.to_string().trim_start_matches('%').to_owned(),
                ExternalName::User(name) => {
                    let name = &function.func.params.user_named_funcs()[*name];
                    format!("u{}_{}", name.namespace, name.index)
                }
                _ => continue,
            };
            let declared = &dfg.signatures[callee.signature];
            let Some(own) = defined.get(&name) else { continue };
            if shape(own) != shape(declared) || own.call_conv != declared.call_conv {
                let by = match &function.func.name {
                    UserFuncName::Testcase(name) => name.to_string(),
                    UserFuncName::User(name) => name.to_string(),
                };
                return Err(Contradiction {
                    message: format!(
                        "function {by} declares %{name} with another signature than it has, which is {own}"
                    ),
                    declaration: Some((by, format!("%{name}("))),
                });
            }
        }
    }
    Ok(())
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

/// What a value takes depends on its type; how it is extended is between the
/// two functions.
fn shape(signature: &Signature) -> (Vec<Type>, Vec<Type>) {
    let types = |list: &[AbiParam]| list.iter().map(|p| p.value_type).collect();
    (types(&signature.params), types(&signature.returns))
}
