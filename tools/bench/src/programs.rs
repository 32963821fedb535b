//! The programs that are timed, built with the builders alone. Each export takes
//! a count `n` and gives a value that the caller checks.

use std::collections::BTreeMap;

use clif_cont_abi::{ContRef, SwitchModel, Trap};
use clif_cont_link::{FunctionCx, LinkError, Linker};
use clif_cont_lowering::{ContObj, ContPlace, ContType, LowerError, TagId, on, on_switch};
use clif_cont_program::{Data, Program, Target, ValType};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, MemFlagsData, Value};

/// Continuations alive at once in `robin`.
pub(crate) const ROBIN: i64 = 4096;
/// Resumes between the generator and its consumer in `deep`.
pub(crate) const DEPTH: i64 = 16;
const BARE_STACK: u64 = 64 * 1024;

/// All of them, for one target.
pub(crate) fn build(target: Target) -> Result<Program, LinkError> {
    let mut p = Linker::new(target);
    round_trip(&mut p)?;
    deep(&mut p)?;
    new_and_run(&mut p)?;
    symmetric(&mut p)?;
    robin(&mut p)?;
    if target.abi.switch == SwitchModel::Instruction {
        bare(&mut p)?;
    }
    sizes(&mut p)?;
    p.finish()
}

fn i64_to_i64() -> ContType {
    ContType::new(vec![I64], vec![I64])
}

fn export(p: &mut Linker, name: &str) {
    p.export(name, &[ValType::I64], &[ValType::I64]);
}

fn block(f: &mut FunctionCx<'_, '_>, params: usize) -> (Block, Vec<Value>) {
    let block = f.b.create_block();
    let params = (0..params).map(|_| f.b.append_block_param(block, I64)).collect();
    (block, params)
}

fn jump(f: &mut FunctionCx<'_, '_>, to: Block, args: &[Value]) {
    let args: Vec<BlockArg> = args.iter().map(|v| BlockArg::from(*v)).collect();
    f.b.ins().jump(to, &args);
}

fn zero(f: &mut FunctionCx<'_, '_>) -> Value {
    f.b.ins().iconst(I64, 0)
}

/// `head: while i < n { body }`: gives the blocks of body and end.
fn branch_while_less(f: &mut FunctionCx<'_, '_>, i: Value, n: Value) -> (Block, Block) {
    let (body, done) = (f.b.create_block(), f.b.create_block());
    let more = f.b.ins().icmp(IntCC::SignedLessThan, i, n);
    f.b.ins().brif(more, body, &[], done, &[]);
    (body, done)
}

fn fresh(f: &mut FunctionCx<'_, '_>, function: &str) -> Result<ContObj, LowerError> {
    let address = f.address(function)?;
    let (mut k, b) = f.conts();
    k.cont_new(b, address, &i64_to_i64())
}

/// Resumes the continuation of `child` n times: a loop over its yields.
fn consumer(p: &mut Linker, name: &str, child: &str, first: i64, tag: TagId) -> Result<(), LinkError> {
    p.declare(name, i64_to_i64());
    p.define(name, |f| {
        let n = f.params[0];
        let k = fresh(f, child)?;
        let (head, h) = block(f, 4);
        let (got, g) = block(f, 3);
        let (x, i) = (f.b.ins().iconst(I64, first), zero(f));
        jump(f, head, &[k.contref, k.revision, x, i]);
        f.b.switch_to_block(head);
        let (body, done) = branch_while_less(f, h[3], n);
        f.b.switch_to_block(body);
        let (mut k, b) = f.conts();
        let obj = ContObj { contref: h[0], revision: h[1] };
        let r = k.resume(b, obj, &i64_to_i64(), &[h[2]], &[on(tag, got)])?;
        b.ins().return_(&r);
        f.b.switch_to_block(got);
        let i = f.b.ins().iadd_imm_s(h[3], 1);
        jump(f, head, &[g[1], g[2], g[0], i]);
        f.b.switch_to_block(done);
        let (mut k, b) = f.conts();
        k.cont_drop(b, obj);
        b.ins().return_(&[h[2]]);
        Ok(())
    })?;
    export(p, name);
    Ok(())
}

/// Suspends for ever, each time with what it got plus 1.
fn generator(p: &mut Linker, name: &str, tag: TagId) -> Result<(), LinkError> {
    p.declare(name, i64_to_i64());
    p.define(name, |f| {
        let (head, h) = block(f, 1);
        let x = f.params[0];
        jump(f, head, &[x]);
        f.b.switch_to_block(head);
        let y = f.b.ins().iadd_imm_s(h[0], 1);
        let (mut k, b) = f.conts();
        let next = k.suspend(b, tag, &[y])?;
        jump(f, head, &next);
        Ok(())
    })
}

/// A suspend and a resume, an i64 each way: n round trips give n.
fn round_trip(p: &mut Linker) -> Result<(), LinkError> {
    let tag = p.tag("yield", i64_to_i64());
    generator(p, "generator", tag)?;
    consumer(p, "round", "generator", 0, tag)
}

/// The same with more resumes in between, each with a handler for another tag.
fn deep(p: &mut Linker) -> Result<(), LinkError> {
    let tag = p.tag("deep_yield", i64_to_i64());
    let other = p.tag("other", i64_to_i64());
    p.declare("nest", i64_to_i64());
    p.define("nest", |f| {
        let d = f.params[0];
        let (deeper, leaf) = (f.b.create_block(), f.b.create_block());
        let more = f.b.ins().icmp_imm_s(IntCC::SignedGreaterThan, d, 1);
        f.b.ins().brif(more, deeper, &[], leaf, &[]);
        f.b.switch_to_block(deeper);
        let obj = fresh(f, "nest")?;
        let d = f.b.ins().iadd_imm_s(d, -1);
        let (got, _) = block(f, 3);
        let (mut k, b) = f.conts();
        let r = k.resume(b, obj, &i64_to_i64(), &[d], &[on(other, got)])?;
        b.ins().return_(&r);
        f.b.switch_to_block(got);
        let (mut k, b) = f.conts();
        k.trap(b, Trap::Unreachable);
        f.b.switch_to_block(leaf);
        let (head, h) = block(f, 1);
        let x = zero(f);
        jump(f, head, &[x]);
        f.b.switch_to_block(head);
        let y = f.b.ins().iadd_imm_s(h[0], 1);
        let (mut k, b) = f.conts();
        let next = k.suspend(b, tag, &[y])?;
        jump(f, head, &next);
        Ok(())
    })?;
    consumer(p, "deep", "nest", DEPTH, tag)
}

/// n continuations, one after the other, each run to its end.
fn new_and_run(p: &mut Linker) -> Result<(), LinkError> {
    p.declare("increment", i64_to_i64());
    p.define("increment", |f| {
        let r = f.b.ins().iadd_imm_s(f.params[0], 1);
        f.b.ins().return_(&[r]);
        Ok(())
    })?;
    p.declare("new_run", i64_to_i64());
    p.define("new_run", |f| {
        let n = f.params[0];
        let (head, h) = block(f, 1);
        let x = zero(f);
        jump(f, head, &[x]);
        f.b.switch_to_block(head);
        let (body, done) = branch_while_less(f, h[0], n);
        f.b.switch_to_block(body);
        let obj = fresh(f, "increment")?;
        let (mut k, b) = f.conts();
        let r = k.resume(b, obj, &i64_to_i64(), &[h[0]], &[])?;
        jump(f, head, &r);
        f.b.switch_to_block(done);
        f.b.ins().return_(&[h[0]]);
        Ok(())
    })?;
    export(p, "new_run");
    Ok(())
}

/// Two continuations that switch to each other n times in all.
fn symmetric(p: &mut Linker) -> Result<(), LinkError> {
    let w = p.word_type();
    let tag = p.tag("swap", ContType::new(vec![], vec![I64]));
    // n, and the continuation to go back to; null for the first of the two
    let ty = ContType::new(vec![I64, w, w], vec![I64]);
    let pong_type = ty.clone();
    p.declare("pong", ty.clone());
    p.define("pong", |f| {
        let (head, h) = block(f, 3);
        let (first, second) = (f.b.create_block(), f.b.create_block());
        let (n, contref, revision) = (f.params[0], f.params[1], f.params[2]);
        f.b.ins().brif(contref, second, &[], first, &[]);
        f.b.switch_to_block(first);
        let address = f.address("pong")?;
        let (mut k, b) = f.conts();
        let peer = k.cont_new(b, address, &pong_type)?;
        jump(f, head, &[n, peer.contref, peer.revision]);
        f.b.switch_to_block(second);
        jump(f, head, &[n, contref, revision]);
        f.b.switch_to_block(head);
        let (go, done) = (f.b.create_block(), f.b.create_block());
        f.b.ins().brif(h[0], go, &[], done, &[]);
        f.b.switch_to_block(go);
        let less = f.b.ins().iadd_imm_s(h[0], -1);
        let (mut k, b) = f.conts();
        let peer = ContObj { contref: h[1], revision: h[2] };
        let next = k.switch(b, tag, peer, &pong_type, &[less], &[I64, w, w])?;
        jump(f, head, &next);
        f.b.switch_to_block(done);
        let (mut k, b) = f.conts();
        k.cont_drop(b, ContObj { contref: h[1], revision: h[2] });
        b.ins().return_(&[h[0]]);
        Ok(())
    })?;
    p.declare("switch", i64_to_i64());
    p.define("switch", |f| {
        let n = f.params[0];
        let address = f.address("pong")?;
        let null = zero(f);
        let (mut k, b) = f.conts();
        let obj = k.cont_new(b, address, &ty)?;
        let r = k.resume(b, obj, &ty, &[n, null, null], &[on_switch(tag)])?;
        let r = b.ins().iadd(r[0], n);
        b.ins().return_(&[r]);
        Ok(())
    })?;
    export(p, "switch");
    Ok(())
}

/// [`ROBIN`] generators in a table, resumed in turn, n times each.
fn robin(p: &mut Linker) -> Result<(), LinkError> {
    let tag = p.tag("robin_yield", ContType::new(vec![I64], vec![I64]));
    let abi = *p.abi();
    let size = ContPlace::size(&abi);
    p.data(Data {
        name: "robin_table".into(),
        writable: true,
        align: 64,
        size: u64::from(size) * ROBIN as u64,
        items: BTreeMap::new(),
        comment: None,
    });
    let place = |f: &mut FunctionCx<'_, '_>, i: Value| {
        let table = f.data("robin_table");
        let offset = f.b.ins().imul_imm_s(i, i64::from(size));
        let base = f.b.ins().iadd(table, offset);
        ContPlace { base, offset: 0, flags: MemFlagsData::trusted() }
    };
    generator(p, "robin_generator", tag)?;
    p.declare("robin_fill", i64_to_i64());
    p.define("robin_fill", |f| {
        let end = f.params[0];
        let (head, h) = block(f, 1);
        let x = zero(f);
        jump(f, head, &[x]);
        f.b.switch_to_block(head);
        let (body, done) = branch_while_less(f, h[0], end);
        f.b.switch_to_block(body);
        let obj = fresh(f, "robin_generator")?;
        let at = place(f, h[0]);
        at.store(f.b, &abi, obj);
        let i = f.b.ins().iadd_imm_s(h[0], 1);
        jump(f, head, &[i]);
        f.b.switch_to_block(done);
        f.b.ins().return_(&[h[0]]);
        Ok(())
    })?;
    export(p, "robin_fill");
    p.declare("robin", i64_to_i64());
    p.define("robin", |f| {
        let n = f.params[0];
        let (head, h) = block(f, 2);
        let (got, g) = block(f, 3);
        let (x, i) = (zero(f), zero(f));
        jump(f, head, &[x, i]);
        f.b.switch_to_block(head);
        let (body, done) = branch_while_less(f, h[1], n);
        f.b.switch_to_block(body);
        let index = f.b.ins().band_imm_s(h[1], ROBIN - 1);
        let at = place(f, index);
        let obj = at.load(f.b, &abi);
        let (mut k, b) = f.conts();
        let r = k.resume(b, obj, &i64_to_i64(), &[h[0]], &[on(tag, got)])?;
        b.ins().return_(&r);
        f.b.switch_to_block(got);
        at.store(f.b, &abi, ContObj { contref: g[1], revision: g[2] });
        let i = f.b.ins().iadd_imm_s(h[1], 1);
        jump(f, head, &[g[0], i]);
        f.b.switch_to_block(done);
        f.b.ins().return_(&[h[0]]);
        Ok(())
    })?;
    export(p, "robin");
    Ok(())
}

/// Two bare `stack_switch` a round, with the values live that `round` has live,
/// and no protocol at all.
fn bare(p: &mut Linker) -> Result<(), LinkError> {
    let abi = *p.abi();
    for (name, size) in [("bare_contexts", 256), ("bare_stack", BARE_STACK)] {
        p.data(Data { name: name.into(), writable: true, align: 64, size, items: BTreeMap::new(), comment: None });
    }
    let contexts = |f: &mut FunctionCx<'_, '_>| {
        let mine = f.data("bare_contexts");
        let other = f.b.ins().iadd_imm_s(mine, i64::from(ContRef::DRIVER_BYTES));
        (mine, other)
    };
    p.declare("bare_child", ContType::new(vec![I64], vec![]));
    p.define("bare_child", |f| {
        let (head, h) = block(f, 1);
        let x = f.params[0];
        jump(f, head, &[x]);
        f.b.switch_to_block(head);
        let y = f.b.ins().iadd_imm_s(h[0], 1);
        let (parent, child) = contexts(f);
        let y = f.b.ins().stack_switch(child, parent, y);
        jump(f, head, &[y]);
        Ok(())
    })?;
    p.declare("bare", i64_to_i64());
    p.define("bare", |f| {
        let n = f.params[0];
        let (parent, child) = contexts(f);
        let stack = f.data("bare_stack");
        let top = f.b.ins().iadd_imm_s(stack, BARE_STACK as i64 - i64::from(abi.isa.initial_sp_bias()));
        let pc = f.address("bare_child")?;
        for (value, field) in [(top, ContRef::SP), (pc, ContRef::PC)] {
            f.b.ins().store(MemFlagsData::trusted(), value, child, field.offset(&abi));
        }
        let (head, h) = block(f, 2);
        let (x, i) = (zero(f), zero(f));
        jump(f, head, &[x, i]);
        f.b.switch_to_block(head);
        let (body, done) = branch_while_less(f, h[1], n);
        f.b.switch_to_block(body);
        let y = f.b.ins().stack_switch(parent, child, h[0]);
        let i = f.b.ins().iadd_imm_s(h[1], 1);
        jump(f, head, &[y, i]);
        f.b.switch_to_block(done);
        f.b.ins().return_(&[h[0]]);
        Ok(())
    })?;
    export(p, "bare");
    Ok(())
}

/// Functions with one and with two of each operation: the difference of their
/// sizes is what one more costs.
fn sizes(p: &mut Linker) -> Result<(), LinkError> {
    let w = p.word_type();
    let tag = p.tag("size", i64_to_i64());
    let swap = p.tag("size_swap", ContType::new(vec![], vec![I64]));
    let bound = ContType::new(vec![I64, I64], vec![I64]);
    let peer = ContType::new(vec![I64, w, w], vec![I64]);
    for count in 1..=2 {
        let name = format!("size_resume_{count}");
        p.declare(&name, ContType::new(vec![w, w, I64], vec![I64]));
        p.define(&name, |f| {
            let (mut obj, mut x) = (ContObj { contref: f.params[0], revision: f.params[1] }, f.params[2]);
            for _ in 0..count {
                let (got, g) = block(f, 3);
                let (mut k, b) = f.conts();
                let r = k.resume(b, obj, &i64_to_i64(), &[x], &[on(tag, got)])?;
                b.ins().return_(&r);
                b.switch_to_block(got);
                (x, obj) = (g[0], ContObj { contref: g[1], revision: g[2] });
            }
            let sum = f.b.ins().iadd(x, obj.revision);
            let sum = f.b.ins().iadd(sum, obj.contref);
            f.b.ins().return_(&[sum]);
            Ok(())
        })?;
        let name = format!("size_suspend_{count}");
        p.declare(&name, i64_to_i64());
        p.define(&name, |f| {
            let mut values = f.params.clone();
            let (mut k, b) = f.conts();
            for _ in 0..count {
                values = k.suspend(b, tag, &values)?;
            }
            b.ins().return_(&values);
            Ok(())
        })?;
        let name = format!("size_switch_{count}");
        p.declare(&name, ContType::new(vec![I64, w, w], vec![I64, w, w]));
        p.define(&name, |f| {
            let mut v = f.params.clone();
            let (mut k, b) = f.conts();
            for _ in 0..count {
                let obj = ContObj { contref: v[1], revision: v[2] };
                v = k.switch(b, swap, obj, &peer, &v[..1], &[I64, w, w])?;
            }
            b.ins().return_(&v);
            Ok(())
        })?;
        let name = format!("size_cont_bind_{count}");
        p.declare(&name, ContType::new(vec![I64, w, w], vec![w, w]));
        p.define(&name, |f| {
            let x = f.params[0];
            let mut obj = ContObj { contref: f.params[1], revision: f.params[2] };
            let (mut k, b) = f.conts();
            for _ in 0..count {
                obj = k.cont_bind(b, obj, &bound, &[x])?;
            }
            b.ins().return_(&obj.words());
            Ok(())
        })?;
        let name = format!("size_cont_new_{count}");
        p.declare(&name, ContType::new(vec![w], vec![w, w]));
        p.define(&name, |f| {
            let callee = f.params[0];
            let (mut k, b) = f.conts();
            let mut words = k.cont_new(b, callee, &i64_to_i64())?.words();
            for _ in 1..count {
                let more = k.cont_new(b, callee, &i64_to_i64())?.words();
                words = [b.ins().iadd(words[0], more[0]), b.ins().iadd(words[1], more[1])];
            }
            b.ins().return_(&words);
            Ok(())
        })?;
    }
    Ok(())
}
