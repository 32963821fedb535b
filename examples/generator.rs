//! A generator, built on the builders alone and run through a typed call.
//!
//! `squares` suspends with 1, 4, 9, ... for ever; `sum` resumes it `n` times
//! and adds up what it gives.
//!
//! ```text
//! cargo run --release --example generator
//! ```

#![allow(clippy::print_stdout, reason = "an example")]

use clif_cont::finish::finish;
use clif_cont::link::Linker;
use clif_cont::lowering::{ContObj, ContType, on};
use clif_cont::program::target::OptLevel;
use clif_cont::program::{NoHost, Target, ValType};
use clif_cont::runner::{Jit, Options};
use cranelift_codegen::ir::InstBuilder;
use cranelift_codegen::ir::types::I64;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut program = Linker::new(Target::host().ok_or("no code for this machine")?);
    let word = program.word_type();
    let yields = program.tag("yield", ContType::new([I64], []));
    let generator = ContType::new([], []);

    program.declare("squares", generator.clone());
    program.define("squares", |f| {
        let head = f.b.create_block();
        let i = f.b.append_block_param(head, I64);
        let one = f.b.ins().iconst(I64, 1);
        f.b.ins().jump(head, &[one.into()]);

        f.b.switch_to_block(head);
        let square = f.b.ins().imul(i, i);
        let (mut k, b) = f.conts();
        k.suspend(b, yields, &[square])?;
        let next = b.ins().iadd(i, one);
        b.ins().jump(head, &[next.into()]);
        Ok(())
    })?;

    program.declare("sum", ContType::new([I64], [I64]));
    program.define("sum", |f| {
        // loop(contref, revision, count, sum)
        let (head, body, done, got) = (f.b.create_block(), f.b.create_block(), f.b.create_block(), f.b.create_block());
        let [contref, revision, count, sum] = [word, word, I64, I64].map(|ty| f.b.append_block_param(head, ty));
        let [square, next_contref, next_revision] = [I64, word, word].map(|ty| f.b.append_block_param(got, ty));
        let squares = f.address("squares")?;
        let n = f.params[0];
        let (mut k, b) = f.conts();
        let fresh = k.cont_new(b, squares, &generator)?;
        let zero = b.ins().iconst(I64, 0);
        b.ins().jump(head, &[fresh.contref.into(), fresh.revision.into(), n.into(), zero.into()]);

        b.switch_to_block(head);
        b.ins().brif(count, body, &[], done, &[]);

        b.switch_to_block(body);
        let object = ContObj { contref, revision };
        k.resume(b, object, &generator, &[], &[on(yields, got)])?;
        b.ins().return_(&[sum]); // not reached: the generator never ends

        b.switch_to_block(got);
        let count = b.ins().iadd_imm_s(count, -1);
        let more = b.ins().iadd(sum, square);
        b.ins().jump(head, &[next_contref.into(), next_revision.into(), count.into(), more.into()]);

        b.switch_to_block(done);
        k.cont_drop(b, object); // its stack can be used again
        b.ins().return_(&[sum]);
        Ok(())
    })?;
    program.export("sum", &[ValType::I64], &[ValType::I64]);

    let mut jit = Jit::new(&finish(&program.finish()?, OptLevel::Speed)?, Box::new(NoHost), Options::default())?;
    for n in [0, 1, 10, 1000] {
        let sum: i64 = jit.call("sum", (n,))?;
        assert_eq!(sum, (1..=n).map(|i| i * i).sum::<i64>());
        println!("the first {n} squares sum to {sum}");
    }
    Ok(())
}
