//! Programs that came as text: linking, data, initialisation, and errors.
#![allow(unsafe_code)]

use clif_cont_abi::{Isa, SwitchModel};
use clif_cont_link::complete;
use clif_cont_program::target::OptLevel;
use clif_cont_program::text::parse;
use clif_cont_program::{
    DataItem, Finished, Instance, NoHost, Outcome, PrepareError, Program, ProgramError, Target, Val,
};
use clif_cont_runner::{Cpu, Jit, Options, RunError};

fn target() -> Target {
    Target::host().expect("Cranelift compiles for this host")
}

fn bare(text: &str) -> Program {
    parse(text, Some(target())).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

fn finished(program: &Program) -> Result<Finished, PrepareError> {
    // SAFETY: the tests' own programs.
    unsafe { Finished::unverified(program.clone(), OptLevel::None) }
}

fn jit(program: &Program) -> Result<Jit, RunError> {
    Jit::new(&finished(program).unwrap_or_else(|e| panic!("{e}")), Box::new(NoHost), Options::default())
}

fn header() -> String {
    clif_cont_program::text::print(&Program::new(target()), Default::default())
}

#[test]
fn bare_functions_run_once_they_are_completed() {
    let program = bare(
        "function %add(i32, i32) -> i32 tail {\nblock0(v0: i32, v1: i32):\n  v2 = iadd v0, v1\n  return v2\n}\n
function %mix(f32, i64, f64) -> f64, i64, f32 system_v {\nblock0(v0: f32, v1: i64, v2: f64):\n  v3 = ceil v2\n  return v3, v1, v0\n}\n",
    );
    assert_eq!(jit(&program).unwrap_err(), RunError::Program(ProgramError::NoTrampoline("add".into())));
    let mut jit = jit(&complete(program).expect("completes")).expect("valid");
    assert_eq!(jit.call("add", (40i32, 2i32)), Ok(42i32));
    assert_eq!(jit.call("add", (i32::MAX, 1i32)), Ok(i32::MIN));
    assert_eq!(jit.call("mix", (1.5f32, -9i64, 2.25f64)), Ok((3.0f64, -9i64, 1.5f32)));
}

#[test]
fn data_is_initialised_and_refers_to_data_and_functions() {
    let text = format!(
        "{}\
;! export \"get\" %get (i64) -> (i64)
;! export \"bump\" %bump () -> (i64)
;! export \"far\" %far () -> (i64)
;! init \"start\" %start () -> ()
;! data %numbers readonly size 24 align 8
;!   +0 word 0x10
;!   +8 bytes 2a00000000000000
;! data %pointers writable size 24 align 64
;!   +8 symbol %numbers
;!   +16 symbol %seven
;! data %counter writable size 8 align 8
;! data %big writable size 100000 align 4096

function %get(i64) -> i64 tail {{
    gv0 = symbol colocated %numbers
block0(v0: i64):
    v1 = symbol_value.i64 gv0
    v2 = iadd v1, v0
    v3 = load.i64 v2
    return v3
}}

function %seven() -> i64 tail {{
block0:
    v0 = iconst.i64 7
    return v0
}}

function %far() -> i64 tail {{
    gv0 = symbol %pointers+8
    sig0 = () -> i64 tail
block0:
    v0 = symbol_value.i64 gv0
    v1 = load.i64 v0
    v2 = load.i64 v1+8
    v3 = load.i64 v0+8
    v4 = call_indirect sig0, v3()
    v5 = iadd v2, v4
    return v5
}}

function %start() tail {{
    gv0 = symbol colocated %counter
block0:
    v0 = symbol_value.i64 gv0
    v1 = load.i64 v0
    v2 = iconst.i64 100
    v3 = iadd v1, v2
    store v3, v0
    return
}}

function %bump() -> i64 tail {{
    gv0 = symbol colocated %counter
block0:
    v0 = symbol_value.i64 gv0
    v1 = load.i64 v0
    v2 = iconst.i64 1
    v3 = iadd v1, v2
    store v3, v0
    return v3
}}
",
        header()
    );
    let program = complete(parse(&text, None).unwrap_or_else(|e| panic!("{e}"))).expect("completes");
    for cpu in [Cpu::Host, Cpu::Baseline] {
        let mut jit =
            Jit::new(&finished(&program).expect("valid"), Box::new(NoHost), Options { cpu }).expect("it links");
        assert_eq!(jit.call("get", (0i64,)), Ok(16i64));
        assert_eq!(jit.call("get", (8i64,)), Ok(42i64));
        assert_eq!(jit.call("get", (16i64,)), Ok(0i64));
        assert_eq!(jit.call("far", ()), Ok(49i64));
        // initialised once, before the first call
        assert_eq!(jit.initialize(), None);
        assert_eq!(jit.call("bump", ()), Ok(101i64));
        assert_eq!(jit.call("bump", ()), Ok(102i64));
    }
    let mut first = jit(&program).expect("it links");
    assert_eq!(first.initialize(), Some(Outcome::Returned(vec![])));
    assert_eq!(first.invoke("bump", &[]), Ok(Outcome::Returned(vec![Val::I64(101)])));
}

#[test]
fn an_initialisation_that_traps_is_the_outcome_of_the_first_invocation() {
    let mut program = bare(
        "function %f() -> i32 tail {\nblock0:\n  v0 = iconst.i32 1\n  return v0\n}\nfunction %boom() tail {\n  sig0 = (i32) tail\n  fn0 = colocated %cc_trap sig0\nblock0:\n  v0 = iconst.i32 8\n  call fn0(v0)\n  trap user8\n}\n",
    );
    program.init = program.exports.pop();
    let program = complete(program).expect("completes");
    if program.function("cc_trap").is_none() {
        panic!("the runtime has a trap function");
    }
    let mut jit = jit(&program).expect("valid");
    let Ok(Outcome::Trapped(t)) = jit.invoke("f", &[]) else { panic!("a trap") };
    assert_eq!(t.backtrace[0].frames, ["boom"]);
    assert_eq!(jit.invoke("f", &[]), Ok(Outcome::Returned(vec![Val::I32(1)])));
}

#[test]
fn undefined_and_doubly_defined_symbols_are_named() {
    let call =
        "function %f() tail {\n  sig0 = () tail\n  fn0 = colocated %missing sig0\nblock0:\n  call fn0()\n  return\n}\n";
    let e = jit(&complete(bare(call)).expect("completes")).unwrap_err();
    assert_eq!(e.to_string(), "%missing is not defined; %f refers to it");

    let data =
        "function %f() -> i64 tail {\n  gv0 = symbol %missing\nblock0:\n  v0 = symbol_value.i64 gv0\n  return v0\n}\n";
    assert!(matches!(jit(&complete(bare(data)).expect("completes")), Err(RunError::Undefined { .. })));

    let mut twice = complete(bare("function %f() tail {\nblock0:\n  return\n}\n")).expect("completes");
    twice.functions.push(twice.functions[0].clone());
    assert_eq!(jit(&twice).unwrap_err(), RunError::Duplicate("f".into()));

    let store = call.replace("missing", "cc_store");
    let called = finished(&complete(bare(&store)).expect("completes"));
    assert!(matches!(called, Err(PrepareError::Program(ProgramError::DataCalled { .. }))));

    let mut item = complete(bare("function %f() tail {\nblock0:\n  return\n}\n")).expect("completes");
    item.data[0].items.insert(124, DataItem::Word(1));
    assert!(matches!(jit(&item), Err(RunError::Data { .. })));
}

#[test]
fn invalid_functions_and_foreign_programs_are_refused() {
    let invalid = bare("function %f(i32) -> i64 tail {\nblock0(v0: i32):\n  return v0\n}\n");
    let e = finished(&complete(invalid).expect("completes")).unwrap_err();
    assert!(e.to_string().starts_with("function %f: invalid CLIF"), "{e}");

    let foreign = if target().isa == Isa::S390x { Isa::X86_64 } else { Isa::S390x };
    let e = jit(&Program::new(Target::new(foreign))).unwrap_err();
    assert_eq!(e, RunError::WrongIsa { program: foreign, host: Isa::host() });
}

#[test]
fn a_program_without_exports_has_nothing_to_invoke() {
    let mut empty = jit(&Program::new(target())).expect("valid");
    assert!(empty.invoke("f", &[]).unwrap_err().to_string().contains("exports none"));
    assert_eq!((empty.slots(), empty.initialize()), (0, None));
}

#[test]
fn an_export_needs_its_functions_and_the_runtime() {
    let mut program = bare("function %f() tail {\nblock0:\n  return\n}\n");
    program.exports[0].enter = "cc_enter_0__0".into();
    let e = finished(&program).unwrap_err();
    assert_eq!(e.to_string(), "export `f` cannot be entered by %cc_enter_0__0, which is not defined");
    program = complete(bare("function %f() tail {\nblock0:\n  return\n}\n")).expect("completes");
    program.functions.retain(|f| f.name() != "cc_begin");
    assert_eq!(jit(&program).unwrap_err(), RunError::Program(ProgramError::Missing("cc_begin")));
}

#[test]
fn the_instruction_and_the_routine_resume_each_others_contexts() {
    // the runtime of one model, a program of the other
    if target().isa != Isa::X86_64 {
        return;
    }
    let text = "function %f(i64) -> i64 tail {\nblock0(v0: i64):\n  return v0\n}\n";
    for (runtime, own) in
        [(SwitchModel::Instruction, SwitchModel::Routine), (SwitchModel::Routine, SwitchModel::Instruction)]
    {
        let of = |m| complete(parse(text, Target::with_switch(Isa::X86_64, m)).expect("valid")).expect("completes");
        let (mut mixed, other) = (of(SwitchModel::Routine), [of(runtime), of(own)]);
        for f in &mut mixed.functions {
            let from = if f.name() == "cc_entry" { &other[1] } else { &other[0] };
            f.func = from.function(&f.name()).expect("both have it").func.clone();
        }
        let mut jit = jit(&mixed).expect("valid");
        for n in 0..10i64 {
            assert_eq!(jit.call("f", (n,)), Ok(n));
        }
        assert_eq!(jit.slots(), 1);
    }
}
