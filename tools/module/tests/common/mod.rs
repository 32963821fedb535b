//! A generator on the builders, in any module.

use clif_cont_lowering::{ContObj, ContType, Conts, on};
use clif_cont_module::{ModuleEnv, ModuleEnvError};
use cranelift_codegen::ir::InstBuilder;
use cranelift_codegen::ir::types::I64;
use cranelift_module::{FuncId, Linkage, Module};

/// `squares` yields 1, 4, 9, ...; `sum(n)` adds up the first n.
pub(crate) fn generator<M: Module>(env: &mut ModuleEnv<'_, M>) -> Result<FuncId, ModuleEnvError> {
    let yields = env.tag("yield", ContType::new([I64], []))?;
    let generator = ContType::new([], []);
    let squares = env.declare("squares", Linkage::Local, &generator)?;
    env.define(squares, |env, b, _| {
        let head = b.create_block();
        let i = b.append_block_param(head, I64);
        let one = b.ins().iconst(I64, 1);
        b.ins().jump(head, &[one.into()]);
        b.switch_to_block(head);
        let square = b.ins().imul(i, i);
        Conts::new(env).suspend(b, yields, &[square])?;
        let next = b.ins().iadd(i, one);
        b.ins().jump(head, &[next.into()]);
        Ok(())
    })?;
    let ty = ContType::new([I64], [I64]);
    let sum = env.declare("sum", Linkage::Local, &ty)?;
    env.define(sum, |env, b, params| {
        let [head, body, done, got] = std::array::from_fn(|_| b.create_block());
        let [contref, revision, count, sum] = [I64; 4].map(|ty| b.append_block_param(head, ty));
        let [square, contref_next, revision_next] = [I64; 3].map(|ty| b.append_block_param(got, ty));
        let callee = env.address(b, squares);
        let fresh = Conts::new(env).cont_new(b, callee, &generator)?;
        let zero = b.ins().iconst(I64, 0);
        b.ins().jump(head, &[fresh.contref.into(), fresh.revision.into(), params[0].into(), zero.into()]);
        b.switch_to_block(head);
        b.ins().brif(count, body, &[], done, &[]);
        b.switch_to_block(body);
        Conts::new(env).resume(b, ContObj { contref, revision }, &generator, &[], &[on(yields, got)])?;
        b.ins().return_(&[sum]);
        b.switch_to_block(got);
        let more = b.ins().iadd(sum, square);
        let count = b.ins().iadd_imm_s(count, -1);
        b.ins().jump(head, &[contref_next.into(), revision_next.into(), count.into(), more.into()]);
        b.switch_to_block(done);
        b.ins().return_(&[sum]);
        Ok(())
    })?;
    env.entry("sum_of_squares", sum, &ty)
}
