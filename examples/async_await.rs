//! async/await: an async function suspends with what it waits for, and an
//! executor resumes it with the answer.
//!
//! `total` awaits two requests, one inside an ordinary call (no colour: any
//! function may await). The executor hands each request to the host, which is
//! the event loop here, and goes on with the answer.
//!
//! ```text
//! cargo run --release --example async_await
//! ```

#![allow(clippy::print_stdout, reason = "an example")]

use clif_cont::finish::finish;
use clif_cont::link::Linker;
use clif_cont::lowering::{ContObj, ContType, on};
use clif_cont::program::target::OptLevel;
use clif_cont::program::{HostFunctions, Target, Val, ValType};
use clif_cont::runner::{Jit, Options};
use cranelift_codegen::ir::InstBuilder;
use cranelift_codegen::ir::types::I64;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut program = Linker::new(Target::host().ok_or("no code for this machine")?);
    let word = program.word_type();
    let request_type = ContType::new([I64], [I64]);
    let awaits = program.tag("await", request_type.clone());
    let task = ContType::new([I64], [I64]);
    let poll = program.import("loop", "poll", &[ValType::I64], &[ValType::I64]);

    // awaits deep inside, in an ordinary call
    program.declare("fetch_twice_as_much", task.clone());
    program.define("fetch_twice_as_much", |f| {
        let request = f.b.ins().imul_imm_s(f.params[0], 2);
        let (mut k, b) = f.conts();
        let answer = k.suspend(b, awaits, &[request])?;
        b.ins().return_(&answer);
        Ok(())
    })?;

    program.declare("total", task.clone());
    program.define("total", |f| {
        let request = f.params[0];
        let (mut k, b) = f.conts();
        let first = k.suspend(b, awaits, &[request])?[0];
        let second = f.call("fetch_twice_as_much", &[request])?[0];
        let sum = f.b.ins().iadd(first, second);
        f.b.ins().return_(&[sum]);
        Ok(())
    })?;

    program.declare("block_on", task.clone());
    program.define("block_on", |f| {
        // loop(contref, revision, value to resume with)
        let (head, waits) = (f.b.create_block(), f.b.create_block());
        let [contref, revision, value] = [word, word, I64].map(|ty| f.b.append_block_param(head, ty));
        let [request, pending, pending_revision] = [I64, word, word].map(|ty| f.b.append_block_param(waits, ty));
        let total = f.address("total")?;
        let argument = f.params[0];
        let (mut k, b) = f.conts();
        let fresh = k.cont_new(b, total, &task)?;
        b.ins().jump(head, &[fresh.contref.into(), fresh.revision.into(), argument.into()]);

        // an await expects an i64, and so did the start of the task
        b.switch_to_block(head);
        let result = k.resume(b, ContObj { contref, revision }, &task, &[value], &[on(awaits, waits)])?;
        b.ins().return_(&result);

        b.switch_to_block(waits);
        let answer = k.host_call(b, poll, &request_type, &[request])?;
        b.ins().jump(head, &[pending.into(), pending_revision.into(), answer[0].into()]);
        Ok(())
    })?;
    program.export("block_on", &[ValType::I64], &[ValType::I64]);

    // the event loop: an answer is the square of its request
    let host = HostFunctions::new().with("loop", "poll", |args| match args[..] {
        [Val::I64(request)] => Ok(vec![Val::I64(request * request)]),
        _ => Err("one number".into()),
    });
    let mut jit = Jit::new(&finish(&program.finish()?, OptLevel::Speed)?, Box::new(host), Options::default())?;
    let total: i64 = jit.call("block_on", (3_i64,))?;
    println!("3 squared and 6 squared are {total} together");
    assert_eq!(total, 3 * 3 + 6 * 6);
    Ok(())
}
