//! What the builders say of types, as a program says it. What has a type that no
//! value at a program's border has is left out; nothing is known of it then.

use std::collections::BTreeMap;

use clif_cont_lowering::{ContType, Emitted, TagSymbol};
use clif_cont_program::{OperationTypes, Signature};
use cranelift_codegen::ir::Inst;

fn signature(ty: &ContType) -> Option<Signature> {
    Signature::of_clif(&ty.params, &ty.results)
}

/// The types of tags, by their symbols.
pub fn tag_types(tags: &[TagSymbol]) -> BTreeMap<String, Signature> {
    tags.iter().filter_map(|tag| Some((tag.symbol.clone(), signature(&tag.ty)?))).collect()
}

/// The types of a function's operations.
pub fn operation_types(emitted: &[(Inst, Emitted)]) -> BTreeMap<Inst, OperationTypes> {
    let types = |operation: &Emitted| {
        Some(match operation {
            Emitted::ContBind(ty, count) => OperationTypes::ContBind(signature(ty)?, *count),
            Emitted::Resume(ty) => OperationTypes::Resume(signature(ty)?),
            Emitted::ResumeThrow(ty) => OperationTypes::ResumeThrow(signature(ty)?),
            Emitted::Switch(ty, receive) => {
                OperationTypes::Switch(signature(ty)?, Signature::of_clif(receive, &[])?.params)
            }
        })
    };
    emitted.iter().filter_map(|(inst, operation)| Some((*inst, types(operation)?))).collect()
}
