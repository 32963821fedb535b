//! The interpreters: the same loop of arithmetic, memory and a branch, by this
//! project's with all its checks, and by Cranelift's own, which has no stacks
//! to switch between.

use std::error::Error;

use clif_cont_interp::{Interp, Options};
use clif_cont_program::{Instance, NoHost, Origin, Outcome, ProgFunction, Program, Target, Val};
use cranelift_codegen::data_value::DataValue;
use cranelift_codegen::ir;
use cranelift_interpreter::environment::FunctionStore;
use cranelift_interpreter::interpreter::{Interpreter, InterpreterState};
use cranelift_interpreter::step::ControlFlow;

const NAME: &str = "%count";

/// Counts to its argument; `block1` is one turn.
const TEXT: &str = "function %count(i64) -> i64 {
    ss0 = explicit_slot 8

block0(v0: i64):
    v1 = iconst.i64 0
    v3 = stack_addr.i64 ss0
    jump block1(v1)

block1(v2: i64):
    store.i64 v2, v3
    v4 = load.i64 v3
    v5 = iconst.i64 1
    v6 = iadd v4, v5
    v7 = bxor v6, v0
    v8 = bxor v7, v0
    v9 = icmp ult v8, v0
    brif v9, block1(v8), block2(v8)

block2(v10: i64):
    return v10
}
";

/// The function, and how many instructions one turn of it has.
pub(crate) fn program() -> Result<(ir::Function, f64), Box<dyn Error>> {
    let func = cranelift_reader::parse_functions(TEXT)?.pop().ok_or("no function")?;
    let turn = func.layout.blocks().nth(1).ok_or("no loop")?;
    let insts = func.layout.block_insts(turn).count();
    Ok((func, insts as f64))
}

/// This project's interpreter.
pub(crate) struct Checked(Interp);

impl Checked {
    pub(crate) fn new(func: &ir::Function) -> Result<Self, Box<dyn Error>> {
        let target = Target::host().ok_or("there is no code for this machine")?;
        let mut program = Program::new(target);
        let comments = Default::default();
        program.functions.push(ProgFunction { comments, ..ProgFunction::new(func.clone(), Origin::Program) });
        Ok(Self(Interp::unverified(program, Box::new(NoHost), Options::default())?))
    }

    pub(crate) fn run(&mut self, n: i64) -> Result<i64, Box<dyn Error>> {
        let outcome = self.0.invoke(NAME, &[Val::I64(n)])?;
        match &outcome {
            Outcome::Returned(values) => match values[..] {
                [Val::I64(v)] => Ok(v),
                _ => Err(format!("{values:?}").into()),
            },
            other => Err(format!("{other:?}").into()),
        }
    }
}

/// Cranelift's.
pub(crate) struct Peer(ir::Function);

impl Peer {
    pub(crate) fn new(func: ir::Function) -> Self {
        Self(func)
    }

    pub(crate) fn run(&self, n: i64) -> Result<i64, Box<dyn Error>> {
        let mut store = FunctionStore::default();
        store.add(NAME.to_owned(), &self.0);
        let state = InterpreterState::default().with_function_store(store);
        let done = Interpreter::new(state).call_by_name(NAME, &[DataValue::I64(n)]);
        match done.map_err(|e| e.to_string())? {
            ControlFlow::Return(values) => match values.as_slice() {
                [DataValue::I64(v)] => Ok(*v),
                other => Err(format!("{other:?}").into()),
            },
            other => Err(format!("{other:?}").into()),
        }
    }
}
