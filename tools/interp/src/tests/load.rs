//! What cannot be loaded, and what cannot be invoked.

use clif_cont_abi::Isa;
use clif_cont_program::{Data, DataItem, Instance, InvokeError, NoHost, Outcome, Program, ValType};

use super::{data, data_of, load, program, violation};
use crate::{Interp, LoadError, Options};

fn error(program: Program) -> LoadError {
    match Interp::unverified(program, Box::new(NoHost), Options::default()) {
        Err(error) => error,
        Ok(_) => panic!("loaded"),
    }
}

const EMPTY: &str = "function %f() {\nblock0:\n return\n}";

#[test]
fn duplicates() {
    assert_eq!(error(program(Isa::X86_64, &format!("{EMPTY}\n{EMPTY}"))), LoadError::Duplicate("f".to_owned()));
    let mut p = program(Isa::X86_64, EMPTY);
    p.data = vec![data("f", 8, 8)];
    assert_eq!(error(p).to_string(), "`%f` is defined twice");
}

#[test]
fn undefined_names() {
    let call = "function %f() {\n fn0 = %nope()\nblock0:\n call fn0()\n return\n}";
    assert_eq!(error(program(Isa::X86_64, call)).to_string(), "`%f` refers to `%nope`, which is not defined");
    let symbol = "function %f() {\n gv0 = symbol %nope\nblock0:\n v0 = symbol_value.i64 gv0\n return\n}";
    assert_eq!(error(program(Isa::X86_64, symbol)).to_string(), "`%f` refers to `%nope`, which is not defined");
    let mut p = program(Isa::X86_64, EMPTY);
    p.data = vec![data_of("d", true, 8, DataItem::Symbol("nope".to_owned()))];
    assert_eq!(error(p).to_string(), "`%d` refers to `%nope`, which is not defined");
}

#[test]
fn data_that_does_not_fit() {
    let mut p = program(Isa::X86_64, EMPTY);
    p.data = vec![data_of("d", true, 7, DataItem::Word(1))];
    assert_eq!(error(p).to_string(), "data `%d`: the item at offset 0 does not fit into 7 bytes");
    let mut p = program(Isa::X86_64, EMPTY);
    p.data = vec![Data { align: 3, ..data("d", 7, 1) }];
    assert_eq!(error(p).to_string(), "data `%d`: alignment 3 is not a power of two");
    let mut p = program(Isa::X86_64, EMPTY);
    p.data = vec![data_of("d", true, 16, DataItem::Word(1))];
    p.data[0].items.insert(4, DataItem::Word(2));
    assert_eq!(error(p).to_string(), "data `%d`: the item at offset 4 overlaps the one before");
    let mut p = program(Isa::Pulley32, EMPTY);
    p.data = vec![data("d", 1 << 33, 1)];
    assert_eq!(error(p), LoadError::TooLarge);
}

const BROKEN: &str = "function %f() -> i64 {\nblock0:\n v0 = iconst.i32 1\n return v0\n}";

#[test]
fn invalid_functions_do_no_harm_unverified() {
    let bodies = [
        "v0 = iconst.i32 1\n return v0",
        "v0 = iconst.i32 1",
        "v0 = iconst.i32 1\n jump block1(v0)\nblock1(v1: i64):\n return v1",
        "v0 = iconst.i32 1\n jump block1(v0)\nblock1:\n v1 = iconst.i64 1\n return v1",
        "v0 = iconst.i64 1\n v1 = call fn0(v0, v0)\n return v1",
        "v0 = call fn0()\n return v0",
    ];
    let options = Options::default();
    for body in bodies {
        let text = format!("function %f() -> i64 {{\n fn0 = %f() -> i64\nblock0:\n {body}\n}}");
        // the reader refuses some of these itself
        let Ok(functions) = cranelift_reader::parse_functions(&text) else {
            continue;
        };
        let mut p = program(Isa::X86_64, EMPTY);
        p.functions[0].func = functions[0].clone();
        let mut interp = Interp::unverified(p, Box::new(NoHost), options).unwrap();
        let outcome = interp.invoke("f", &[]).unwrap();
        assert!(matches!(outcome, Outcome::Violation(_) | Outcome::Trapped(_)), "{body}: {outcome:?}");
    }
    let mut interp = Interp::unverified(program(Isa::X86_64, BROKEN), Box::new(NoHost), options).unwrap();
    assert_eq!(violation(&interp.invoke("f", &[]).unwrap()), "the results do not fit the signature");
}

#[test]
fn what_cannot_be_invoked() {
    let text = "function %f(i32, f64) -> i8 {\nblock0(v0: i32, v1: f64):\n v2 = iconst.i8 1\n return v2\n}\n\
                function %wide(i128) {\nblock0(v0: i128):\n return\n}";
    let mut interp = load(program(Isa::X86_64, text));
    let known = vec!["f".to_owned(), "wide".to_owned()];
    assert_eq!(interp.invoke("nope", &[]), Err(InvokeError::UnknownExport("nope".to_owned(), known.clone())));
    assert_eq!(interp.invoke("wide", &[]), Err(InvokeError::UnknownExport("wide".to_owned(), known)));
    let expected = vec![ValType::I32, ValType::F64];
    let refused = InvokeError::Arguments { export: "f".to_owned(), expected: expected.clone(), given: vec![] };
    assert_eq!(interp.invoke("f", &[]), Err(refused));
    assert_eq!(interp.signature("f"), Some((expected, vec![ValType::I32])));
}
