//! A program's data and types, as the verifier of the protocol looks at them.

use std::collections::BTreeMap;

use clif_cont_abi::Abi;
use clif_cont_program::{Data, DataItem, ItemType, OperationTypes, Program, Signature, ValType};
use clif_cont_verifier::{self as verifier, Module, Passed, PassedTypes, Word};

/// What `clif_cont_verifier::verify_in` wants to know beside a function.
pub fn module(program: &Program) -> Module {
    let mut module = Module::default();
    let abi = &program.target.abi;
    let word = abi.width.bytes().into();
    for data in &program.data {
        if data.writable {
            module.add_writable(&data.name);
        } else {
            module.add_constant(&data.name, data.size / word, words(data, word));
        }
    }
    for e in &program.items {
        if let ItemType::Tag { params, results } = &e.item {
            module.add_tag(&e.symbol, PassedTypes { params: passed(params, abi), results: passed(results, abi) });
        }
    }
    for (symbol, ty) in &program.tags {
        module.add_tag(symbol, signature(ty, abi));
    }
    for import in &program.imports {
        module.add_host_function(PassedTypes {
            params: passed(&import.params, abi),
            results: passed(&import.results, abi),
        });
    }
    for f in program.functions.iter().filter(|f| !f.operations.is_empty() || !f.kept.is_empty()) {
        let name = f.name();
        for (inst, offsets) in &f.kept {
            offsets.iter().for_each(|offset| module.add_kept(&name, *inst, *offset));
        }
        for (inst, types) in &f.operations {
            module.add_operation(&name, *inst, operation(types, abi));
        }
    }
    module
}

fn passed(list: &[ValType], abi: &Abi) -> Vec<Passed> {
    let one = |ty: &ValType| match ty.clif(abi) {
        [one] => Passed::Bytes(one.bytes()),
        _ => Passed::Object,
    };
    list.iter().map(one).collect()
}

fn signature(ty: &Signature, abi: &Abi) -> PassedTypes {
    PassedTypes { params: passed(&ty.params, abi), results: passed(&ty.results, abi) }
}

fn operation(types: &OperationTypes, abi: &Abi) -> verifier::OperationTypes {
    match types {
        OperationTypes::ContBind(ty, count) => verifier::OperationTypes::ContBind(signature(ty, abi), *count),
        OperationTypes::Resume(ty) => verifier::OperationTypes::Resume(signature(ty, abi)),
        OperationTypes::ResumeThrow(ty) => verifier::OperationTypes::ResumeThrow(signature(ty, abi)),
        OperationTypes::Switch(ty, receive) => {
            verifier::OperationTypes::Switch(signature(ty, abi), passed(receive, abi))
        }
    }
}

/// The words that are not 0.
fn words(data: &Data, word: u64) -> BTreeMap<u64, Word> {
    let mut words = BTreeMap::new();
    for (at, item) in &data.items {
        let (kind, bytes) = match item {
            DataItem::Symbol(name) => (Word::Address(name.clone()), word),
            DataItem::Word(0) => (Word::Zero, word),
            DataItem::Word(_) => (Word::Other, word),
            DataItem::Bytes(bytes) => (Word::Other, bytes.len() as u64),
        };
        for covered in at / word..(at + bytes).div_ceil(word) {
            words.insert(covered, if at % word == 0 { kind.clone() } else { Word::Other });
        }
    }
    words
}
