//! The interpreter's own account of continuations: faults in generated code
//! that a program's results may not show are violations where they happen, and
//! a trap because of a consumed object comes with its history.

use clif_cont::abi::{Isa, Region, SwitchModel};
use clif_cont::interp::{Happened, Interp, TraceKind};
use clif_cont::program::{Instance, NoHost, Outcome, Program, Target, Val};
use cranelift_codegen::ir::{Function, Inst, Opcode};

const SOURCE: &str = r#"(module
  (type $ft (func (result i32)))
  (type $ct (cont $ft))
  (tag $yield (param i32))
  (global $kept (mut (ref null $ct)) (ref.null $ct))
  (elem declare func $gen)
  (func $gen (type $ft) (suspend $yield (i32.const 1)) (i32.const 2))
  (func (export "main") (result i32) (local $k (ref null $ct))
    (block $on (result i32 (ref $ct))
      (return (resume $ct (on $yield $on) (cont.new $ct (ref.func $gen)))))
    (local.set $k)
    (global.set $kept (local.get $k))
    (i32.add (resume $ct (local.get $k))))
  (func (export "again") (result i32) (resume $ct (global.get $kept))))
"#;

fn program(isa: Isa, switch: SwitchModel) -> Program {
    let target = Target::with_switch(isa, switch).expect("the pair exists");
    clif_cont::wasm::compile(SOURCE.as_bytes(), "test.wat", target, &Default::default()).expect("compiles")
}

fn targets() -> [(Isa, SwitchModel); 4] {
    [
        (Isa::X86_64, SwitchModel::Instruction),
        (Isa::S390x, SwitchModel::Routine),
        (Isa::Pulley64, SwitchModel::HostCall),
        (Isa::Pulley32be, SwitchModel::HostCall),
    ]
}

fn run(program: Program, export: &str) -> (Outcome, Interp) {
    let mut interp = Interp::unverified(program, Box::new(NoHost), Default::default()).expect("loads");
    interp.start_trace();
    let outcome = interp.invoke(export, &[]).expect("an export");
    (outcome, interp)
}

/// The instruction that stores to a revision the `nth` time.
fn consume(func: &Function, nth: usize) -> Inst {
    let is_revision = |inst: &Inst| {
        let data = &func.dfg.insts[*inst];
        let region = data.memflags().and_then(|f| func.dfg.mem_flags[f].alias_region());
        data.opcode() == Opcode::Store
            && region.is_some_and(|r| func.dfg.alias_regions[r].user_id == Region::Revision.id())
    };
    let insts = func.layout.blocks().flat_map(|b| func.layout.block_insts(b));
    insts.filter(is_revision).nth(nth).expect("a store to a revision")
}

fn main_of(program: &mut Program) -> &mut Function {
    &mut program.functions.iter_mut().find(|f| f.name() == "main").expect("main").func
}

#[test]
fn correct_programs_are_not_accused() {
    for (isa, switch) in targets() {
        let (outcome, _) = run(program(isa, switch), "main");
        assert_eq!(outcome, Outcome::Returned(vec![Val::I32(3)]), "{isa:?}");
    }
}

#[test]
fn a_resume_without_a_consume_is_a_violation() {
    for (isa, switch) in targets() {
        for nth in [0, 1] {
            let mut program = program(isa, switch);
            let func = main_of(&mut program);
            let store = consume(func, nth);
            func.layout.remove_inst(store);
            match run(program, "main").0 {
                Outcome::Violation(v) => assert!(v.message.contains("was not consumed"), "{}", v.message),
                other => panic!("{isa:?} {nth}: {other:?}"),
            }
        }
    }
}

#[test]
fn a_revision_moves_by_one() {
    let mut program = program(Isa::X86_64, SwitchModel::Instruction);
    let func = main_of(&mut program);
    let store = consume(func, 1);
    let next = func.dfg.inst_args(store)[0];
    let add = func.dfg.value_def(next).unwrap_inst();
    let old = func.dfg.inst_args(add)[0];
    func.dfg.inst_args_mut(store)[0] = old;
    match run(program, "main").0 {
        Outcome::Violation(v) => assert!(v.message.contains("is changed from"), "{}", v.message),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_consumed_object_has_a_history() {
    for (isa, switch) in targets() {
        let (outcome, mut interp) = run(program(isa, switch), "main");
        assert_eq!(outcome, Outcome::Returned(vec![Val::I32(3)]));
        let outcome = interp.invoke("again", &[]).expect("an export");
        assert!(matches!(outcome, Outcome::Trapped(_)), "{outcome:?}");
        let history: Vec<_> = interp.history().into_iter().map(|s| (s.happened, s.function)).collect();
        let expected = [
            (Happened::Created, "main"),
            (Happened::Consumed, "main"),
            (Happened::Resumed, "main"),
            (Happened::Suspended, "gen"),
            (Happened::Consumed, "main"),
            (Happened::Resumed, "main"),
            (Happened::Ended, "cc_entry"),
        ];
        assert_eq!(history, expected.map(|(h, f)| (h, f.to_owned())), "{isa:?}");
    }
}

#[test]
fn a_trace_runs_one_stack_at_a_time() {
    let (_, interp) = run(program(Isa::X86_64, SwitchModel::Instruction), "main");
    let (events, omitted) = interp.trace();
    let events: Vec<_> = events.collect();
    assert_eq!(omitted, 0);
    assert!(events.windows(2).all(|w| w[0].step <= w[1].step));
    let (mut running, mut switches) = (0, 0);
    for e in &events {
        match e.kind {
            TraceKind::End => {
                assert_eq!(e.continuation, running);
                running = u64::MAX;
            }
            TraceKind::Begin => {
                assert_eq!(running, u64::MAX);
                running = e.continuation;
                switches += 1;
            }
            TraceKind::Happened(_) => {}
        }
    }
    // in, two resumes, a suspend, a return, out
    assert_eq!((running, switches), (0, 6));
}
