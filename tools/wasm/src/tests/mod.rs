//! What modules become: on every target each function passes Cranelift's
//! verifier and compiles, and the text of the program reads back as the same.

mod errors;
mod exceptions;
mod linking;
mod modules;
mod objects;
mod operators;
mod symbols;

use clif_cont_abi::Isa;
use clif_cont_program::compile::{Disassembly, compile as generate, optimize, verify};
use clif_cont_program::target::{OptLevel, target_isa};
use clif_cont_program::text::{Annotate, PrintOptions, parse, print, print_function};
use clif_cont_program::{Origin, Program, Target};

use crate::{Options, compile};

/// Every ISA with every switch model it has.
fn targets() -> Vec<Target> {
    Isa::ALL
        .into_iter()
        .flat_map(|isa| isa.switch_models().iter().filter_map(move |m| Target::with_switch(isa, *m)))
        .collect()
}

fn x86() -> Target {
    Target::new(Isa::X86_64)
}

fn program(wat: &str, target: Target) -> Program {
    compile(wat.as_bytes(), "test.wat", target, &Options::default())
        .unwrap_or_else(|e| panic!("{}: {e}\n{wat}", target.isa.name()))
}

fn text(program: &Program) -> String {
    print(program, PrintOptions { annotate: Annotate::Insts, ..PrintOptions::default() })
}

/// The text of one function on x86_64.
fn function(wat: &str, name: &str) -> String {
    let program = program(wat, x86());
    let found = program.function(name);
    let names: Vec<String> = program.functions.iter().map(|f| f.name()).collect();
    print_function(found.unwrap_or_else(|| panic!("no {name} in {names:?}")), Annotate::Insts)
}

/// The value printed for a function, without its instructions' numbers.
fn contains_all(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }
}

/// Compiles for every target; verifies, generates machine code, prints twice,
/// and reads the text back.
fn check(wat: &str) {
    for target in targets() {
        let program = program(wat, target);
        let isa = target_isa(target, OptLevel::None).expect("all targets are built in");
        for f in &program.functions {
            if let Err(e) = verify(&f.func, &*isa) {
                panic!("{}: {e}\n{}", target.isa.name(), print_function(f, Annotate::Insts));
            }
            if f.origin == Origin::Program
                && let Err(e) = optimize(&f.func, &*isa).and_then(|func| generate(&func, &*isa, Disassembly::Drop))
            {
                panic!("{}: {e}\n{}", target.isa.name(), print_function(f, Annotate::Insts));
            }
        }
        let text = text(&program);
        assert_eq!(text, self::text(&self::program(wat, target)), "the text is stable");
        let back = parse(&text, None).unwrap_or_else(|e| panic!("{}: {e:?}\n{text}", target.isa.name()));
        let shape =
            |p: &Program| p.data.iter().map(|d| (d.name.clone(), d.size, d.align, d.writable)).collect::<Vec<_>>();
        assert_eq!(shape(&back), shape(&program));
        assert_eq!(back.exports, program.exports);
        assert_eq!(back.init, program.init);
        assert_eq!(back.functions.len(), program.functions.len());
        closed(&program);
    }
}

/// Every symbol that functions, data and exports refer to is defined once.
fn closed(program: &Program) {
    use cranelift_codegen::ir::{ExternalName, GlobalValueData};
    let mut defined: Vec<String> = program.functions.iter().map(|f| f.name()).collect();
    defined.extend(program.data.iter().map(|d| d.name.clone()));
    let count = defined.len();
    defined.sort();
    defined.dedup();
    assert_eq!(count, defined.len(), "a symbol is defined twice");
    defined.extend(clif_cont_abi::HostFn::ALL.iter().map(|f| f.symbol().to_owned()));
    defined.push(clif_cont_abi::symbols::SWITCH.to_owned());

    let mut used: Vec<String> = vec![];
    for f in &program.functions {
        let names = f.func.dfg.ext_funcs.values().map(|e| &e.name);
        let symbols = f.func.global_values.values().filter_map(|g| match g {
            GlobalValueData::Symbol { name, .. } => Some(name),
            _ => None,
        });
        for name in names.chain(symbols) {
            if let ExternalName::TestCase(name) = name {
                used.push(name.to_string().trim_start_matches('%').to_owned());
            }
        }
    }
    for d in &program.data {
        used.extend(d.items.values().filter_map(|i| match i {
            clif_cont_program::DataItem::Symbol(s) => Some(s.clone()),
            _ => None,
        }));
    }
    for e in program.exports.iter().chain(&program.init) {
        used.extend([e.function.clone(), e.enter.clone()]);
    }
    for name in used {
        assert!(defined.contains(&name), "`{name}` is not defined");
    }
}
