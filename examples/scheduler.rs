//! Green threads: a round-robin scheduler over a table of continuations.
//!
//! Each thread counts down from its number, tells the host each step, and
//! yields. The scheduler resumes whoever is next until all have returned.
//!
//! ```text
//! cargo run --release --example scheduler
//! ```

#![allow(clippy::print_stdout, reason = "an example")]

use std::collections::BTreeMap;

use clif_cont::finish::finish;
use clif_cont::link::{FunctionCx, Linker};
use clif_cont::lowering::{ContObj, ContPlace, ContType, on};
use clif_cont::program::target::OptLevel;
use clif_cont::program::{Data, HostFunctions, Target, Val, ValType};
use clif_cont::runner::{Jit, Options};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{Block, InstBuilder, MemFlagsData, Value};

const THREADS: i64 = 3;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut program = Linker::new(Target::host().ok_or("no code for this machine")?);
    let (abi, word) = (*program.abi(), program.word_type());
    let yields = program.tag("yield", ContType::default());
    let thread = ContType::new([I64], []);
    let step = program.import("example", "step", &[ValType::I64, ValType::I64], &[]);
    let size = u64::from(ContPlace::size(&abi));
    program.data(Data {
        name: "threads".into(),
        writable: true,
        align: abi.width.bytes(),
        size: size * THREADS as u64,
        items: BTreeMap::new(),
        comment: Some("the threads that are still to run".into()),
    });

    program.declare("thread", thread.clone());
    program.define("thread", |f| {
        let (head, body, done) = (f.b.create_block(), f.b.create_block(), f.b.create_block());
        let left = f.b.append_block_param(head, I64);
        let me = f.params[0];
        f.b.ins().jump(head, &[me.into()]);
        f.b.switch_to_block(head);
        f.b.ins().brif(left, body, &[], done, &[]);
        f.b.switch_to_block(body);
        let (mut k, b) = f.conts();
        k.host_call(b, step, &ContType::new([I64, I64], []), &[me, left])?;
        k.suspend(b, yields, &[])?;
        let left = b.ins().iadd_imm_s(left, -1);
        b.ins().jump(head, &[left.into()]);
        f.b.switch_to_block(done);
        f.b.ins().return_(&[]);
        Ok(())
    })?;

    program.declare("run", ContType::default());
    program.define("run", |f| {
        let place = |f: &mut FunctionCx<'_, '_>, i: Value| {
            let table = f.data("threads");
            let offset = f.b.ins().imul_imm_s(i, size as i64);
            ContPlace { base: f.b.ins().iadd(table, offset), offset: 0, flags: MemFlagsData::trusted() }
        };
        // spawn: threads 1, 2, 3
        let [spawn, turn, look, next, live, sweep, end]: [Block; 7] = std::array::from_fn(|_| f.b.create_block());
        let [i, at, alive, running] = [spawn, turn, turn, next].map(|block| f.b.append_block_param(block, I64));
        let [contref, revision] = [word, word].map(|ty| f.b.append_block_param(live, ty));
        let zero = f.b.ins().iconst(I64, 0);
        let count = f.b.ins().iconst(I64, THREADS);
        f.b.ins().jump(spawn, &[zero.into()]);
        f.b.switch_to_block(spawn);
        let entry = f.address("thread")?;
        let number = f.b.ins().iadd_imm_s(i, 1);
        let (mut k, b) = f.conts();
        let fresh = k.cont_new(b, entry, &thread)?;
        let bound = k.cont_bind(b, fresh, &thread, &[number])?;
        place(f, i).store(f.b, &abi, bound);
        let full = f.b.ins().icmp(IntCC::Equal, number, count);
        f.b.ins().brif(full, turn, &[zero.into(), zero.into()], spawn, &[number.into()]);

        // one turn: everybody who is still there, once
        f.b.switch_to_block(turn);
        let here = place(f, at);
        let object = here.load(f.b, &abi);
        let gone = object.is_null(f.b);
        f.b.ins().brif(gone, next, &[alive.into()], look, &[]);
        f.b.switch_to_block(look);
        let (mut k, b) = f.conts();
        k.resume(b, object, &ContType::default(), &[], &[on(yields, live)])?;
        let null = ContObj::null(f.b, &abi);
        here.store(f.b, &abi, null);
        f.b.ins().jump(next, &[alive.into()]);
        f.b.switch_to_block(live);
        here.store(f.b, &abi, ContObj { contref, revision });
        let more = f.b.ins().iadd_imm_s(alive, 1);
        f.b.ins().jump(next, &[more.into()]);

        f.b.switch_to_block(next);
        let at = f.b.ins().iadd_imm_s(at, 1);
        let over = f.b.ins().icmp(IntCC::Equal, at, count);
        f.b.ins().brif(over, sweep, &[], turn, &[at.into(), running.into()]);
        f.b.switch_to_block(sweep);
        f.b.ins().brif(running, turn, &[zero.into(), zero.into()], end, &[]);
        f.b.switch_to_block(end);
        f.b.ins().return_(&[]);
        Ok(())
    })?;
    program.export("run", &[], &[]);

    let (tell, told) = std::sync::mpsc::channel();
    let host = HostFunctions::new().with("example", "step", move |args| {
        let [Val::I64(thread), Val::I64(left)] = args[..] else { return Err("two numbers".into()) };
        tell.send((thread, left)).map_err(|e| e.to_string())?;
        Ok(vec![])
    });
    let mut jit = Jit::new(&finish(&program.finish()?, OptLevel::Speed)?, Box::new(host), Options::default())?;
    jit.call::<(), ()>("run", ())?;
    let steps: Vec<_> = told.try_iter().collect();
    println!("(thread, steps left): {steps:?}");
    assert_eq!(steps, [(1, 1), (2, 2), (3, 3), (2, 1), (3, 2), (3, 1)]);
    Ok(())
}
