//! Every operation and every runtime function passes Cranelift's verifier and that of
//! the protocol, and compiles, at every ISA's settings, before and after optimisation.

use std::str::FromStr;

use clif_cont_abi::{Abi, Exceptions, Isa, SwitchModel};
use clif_cont_lowering::{
    ContEnv, ContObj, ContType, Conts, LowerError, RuntimeFn, SymbolEnv, TagId, frontend_config, on, on_switch,
    required_by,
};
use clif_cont_verifier::{Profile, verify};
use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{AbiParam, Block, Function, InstBuilder, Signature, Type, UserFuncName, Value, types};
use cranelift_codegen::isa::{CallConv, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use target_lexicon::Triple;

fn target(isa: Isa, opt: &str) -> OwnedTargetIsa {
    let mut flags = settings::builder();
    for (name, value) in
        [("opt_level", opt), ("preserve_frame_pointers", "true"), ("enable_multi_ret_implicit_sret", "true")]
    {
        flags.set(name, value).unwrap();
    }
    let triple = match isa {
        Isa::X86_64 => "x86_64-unknown-linux-gnu",
        Isa::Aarch64 => "aarch64-unknown-linux-gnu",
        Isa::Riscv64 => "riscv64gc-unknown-linux-gnu",
        Isa::S390x => "s390x-unknown-linux-gnu",
        other => other.name(),
    };
    if isa == Isa::X86_64 {
        flags.set("stack_switch_model", "basic").unwrap();
    }
    let mut builder = cranelift_codegen::isa::lookup(Triple::from_str(triple).unwrap()).unwrap();
    if isa == Isa::Riscv64 {
        for flag in ["has_m", "has_a", "has_f", "has_d", "has_zicsr", "has_zifencei"] {
            builder.enable(flag).unwrap();
        }
    }
    builder.finish(settings::Flags::new(flags)).unwrap()
}

/// Nothing is found, and nothing is left unproven.
fn keeps_protocol(func: &Function, abi: &Abi, stage: &str) {
    let report = verify(func, &Profile::clif_cont(abi));
    let found = report.findings.iter().map(|f| {
        let inst = func.dfg.display_inst(f.inst);
        format!("{} {} at `{inst}`: {}", f.rule, f.verdict.name(), f.message)
    });
    let found: Vec<String> = found.collect();
    let (isa, model) = (abi.isa.name(), abi.switch.name());
    assert!(found.is_empty(), "{isa} {model} {stage}: {}\n{}", found.join("\n"), func.display());
}

/// Verified as it is, optimised, verified again, compiled.
fn accept(func: &Function, abi: &Abi) {
    let isa = abi.isa;
    keeps_protocol(func, abi, "as lowered");
    for opt in ["none", "speed"] {
        let target = target(isa, opt);
        if let Err(errors) = cranelift_codegen::verify_function(func, &*target) {
            panic!("{isa:?}: {errors}\n{}", func.display());
        }
        let mut context = Context::for_function(func.clone());
        if opt == "speed" {
            context.optimize(&*target, &mut ControlPlane::default()).unwrap();
            if let Err(errors) = cranelift_codegen::verify_function(&context.func, &*target) {
                panic!("{isa:?} optimised: {errors}\n{}", context.func.display());
            }
            keeps_protocol(&context.func, abi, "optimised");
        }
        let mut context = Context::for_function(func.clone());
        if let Err(error) = context.compile(&*target, &mut ControlPlane::default()) {
            panic!("{isa:?} {opt}: {:?}\n{}", error.inner, func.display());
        }
    }
}

fn abis() -> impl Iterator<Item = Abi> {
    let plain = Isa::ALL.into_iter().flat_map(|isa| isa.switch_models().iter().map(move |m| Abi::new(isa, *m)));
    plain.flat_map(|abi| Exceptions::ALL.map(|exceptions| Abi { exceptions, ..abi }))
}

fn word(abi: &Abi) -> Type {
    Type::int(abi.width.bits() as u16).unwrap()
}

/// A function of these parameters whose body returns what it is given.
fn function(
    env: &mut SymbolEnv,
    params: &[Type],
    results: &[Type],
    body: impl FnOnce(&mut SymbolEnv, &mut FunctionBuilder<'_>, &[Value]) -> Vec<Value>,
) -> Function {
    let mut signature = Signature::new(CallConv::Tail);
    signature.params.extend(params.iter().copied().map(AbiParam::new));
    let throws = env.abi().exceptions == Exceptions::ExtraResult;
    signature.returns.extend(throws.then_some(AbiParam::new(word(env.abi()))));
    signature.returns.extend(results.iter().copied().map(AbiParam::new));
    let mut func = Function::with_name_signature(UserFuncName::testcase("op"), signature);
    let mut context = FunctionBuilderContext::new();
    let mut b = FunctionBuilder::new(&mut func, &mut context);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    b.seal_block(entry);
    let args = b.block_params(entry).to_vec();
    env.enter_function("op");
    let values = body(env, &mut b, &args);
    return_normally(env, &mut b, &values);
    b.seal_all_blocks();
    b.finalize(frontend_config(env.abi()));
    func
}

/// With a null exception in front where there are exceptions.
fn return_normally(env: &SymbolEnv, b: &mut FunctionBuilder<'_>, values: &[Value]) {
    let mut all = vec![];
    if env.abi().exceptions == Exceptions::ExtraResult {
        all.push(b.ins().iconst(word(env.abi()), 0));
    }
    all.extend_from_slice(values);
    b.ins().return_(&all);
}

/// Also everything in the runtime that it takes, in turn.
fn accept_all(env: &mut SymbolEnv, func: &Function) -> usize {
    accept(func, env.abi());
    let mut count = 0;
    let wanted: Vec<RuntimeFn> = env.requested().iter().cloned().chain(RuntimeFn::FOR_HOST).collect();
    required_by(wanted, |f| {
        let mut inner = SymbolEnv::new(*env.abi());
        let func = f.define(&mut inner, &mut FunctionBuilderContext::new())?;
        assert_eq!(func.signature, f.signature(env.abi()));
        accept(&func, env.abi());
        count += 1;
        Ok::<_, LowerError>(inner.requested().to_vec())
    })
    .unwrap();
    count
}

#[test]
fn every_operation_on_every_isa() {
    let mut functions = 0;
    for abi in abis() {
        let w = word(&abi);
        let payload = vec![types::I32, types::F64, w, w, types::I8];
        let ct = ContType::new(payload.clone(), vec![types::F32, types::I64]);
        let mut switchable = payload.clone();
        switchable.extend([w, w]);
        let switchable = ContType::new(switchable, vec![types::F32, types::I64]);
        let mut env = SymbolEnv::new(abi);
        let yielding = env.add_tag("tag_yield", ContType::new(vec![types::I64], vec![types::I32]));
        let swapping = env.add_tag("tag_swap", ContType::new(vec![], vec![types::F32, types::I64]));

        let cont_new = function(&mut env, &[w], &[w, w], |env, b, a| {
            Conts::new(env).cont_new(b, a[0], &ct).unwrap().words().to_vec()
        });
        let obj = |a: &[Value]| ContObj { contref: a[0], revision: a[1] };
        let bind = function(&mut env, &[w, w, types::I32, types::F64], &[w, w], |env, b, a| {
            Conts::new(env).cont_bind(b, obj(a), &ct, &a[2..]).unwrap().words().to_vec()
        });
        let suspend = function(&mut env, &[types::I64], &[types::I32], |env, b, a| {
            let mut k = Conts::new(env);
            k.stack_check(b);
            k.suspend(b, yielding, a).unwrap()
        });
        let params: Vec<Type> = [w, w].into_iter().chain(payload.clone()).collect();
        let resume = function(&mut env, &params, &[types::F32, types::I64], |env, b, a| {
            let handlers: Vec<_> = (0..3)
                .map(|_| {
                    let block = b.create_block();
                    for ty in [types::I64, w, w] {
                        b.append_block_param(block, ty);
                    }
                    block
                })
                .collect();
            let clauses =
                [on(yielding, handlers[0]), on_switch(swapping), on(yielding, handlers[1]), on(yielding, handlers[2])];
            let values = Conts::new(env).resume(b, obj(a), &ct, &a[2..], &clauses).unwrap();
            return_normally(env, b, &values);
            for block in handlers {
                b.switch_to_block(block);
                let k = b.block_params(block)[1..].to_vec();
                let mut conts = Conts::new(env);
                conts.cont_drop(b, obj(&k));
                conts.trap(b, clif_cont_abi::Trap::Unreachable);
            }
            let last = b.create_block();
            b.switch_to_block(last);
            values
        });
        let switch = function(&mut env, &params, &[types::I64, w, w], |env, b, a| {
            Conts::new(env).switch(b, swapping, obj(a), &switchable, &a[2..], &[types::I64, w, w]).unwrap()
        });
        let host = function(&mut env, &[types::F64, types::I32], &[types::I32], |env, b, a| {
            let ty = ContType::new(vec![types::F64, types::I32], vec![types::I32]);
            Conts::new(env).host_call(b, 3, &ty, a).unwrap()
        });
        let mut all = vec![cont_new, bind, suspend, resume, switch, host];
        if abi.exceptions == Exceptions::ExtraResult {
            let results = [types::F32, types::I64];
            all.push(function(&mut env, &[w, w, w], &results, |env, b, a| {
                Conts::new(env).resume_throw_ref(b, obj(a), &ct, a[2], &[on_switch(swapping)]).unwrap()
            }));
        }
        for func in all {
            functions += 1 + accept_all(&mut env, &func);
        }
    }
    assert!(functions > 200, "only {functions} functions");
}

#[test]
fn more_handlers_than_effect_codes() {
    for abi in abis().filter(|abi| abi.switch != SwitchModel::Routine) {
        let w = word(&abi);
        let mut env = SymbolEnv::new(abi);
        let tags: Vec<TagId> = (0..100).map(|i| env.add_tag(format!("tag_{i}"), ContType::default())).collect();
        let func = function(&mut env, &[w, w], &[], |env, b, a| {
            let done = b.create_block();
            for ty in [w, w] {
                b.append_block_param(done, ty);
            }
            let clauses: Vec<_> = tags.iter().map(|t| on(*t, done)).collect();
            let obj = ContObj { contref: a[0], revision: a[1] };
            Conts::new(env).resume(b, obj, &ContType::default(), &[], &clauses).unwrap();
            return_normally(env, b, &[]);
            b.switch_to_block(done);
            vec![]
        });
        accept(&func, &abi);
    }
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_written() {
    let abi = Abi::new(Isa::X86_64, SwitchModel::Instruction);
    let mut env = SymbolEnv::new(abi);
    let tag = env.add_tag("tag", ContType::new(vec![types::I64], vec![]));
    let before = |b: &FunctionBuilder<'_>| b.func.dfg.num_insts();
    let func = function(&mut env, &[types::I64, types::I64, types::I32], &[], |env, b, a| {
        let n = before(b);
        let obj = ContObj { contref: a[0], revision: a[1] };
        let many = ContType::new(vec![types::I64; 2000], vec![]);
        let mut k = Conts::new(env);
        assert!(matches!(k.cont_new(b, a[0], &many), Err(LowerError::TooManyValues { values: 2000, .. })));
        assert!(matches!(k.suspend(b, tag, &[a[2]]), Err(LowerError::ValueType { index: 0, .. })));
        assert!(matches!(k.suspend(b, tag, &[]), Err(LowerError::ValueCount { expected: 1, given: 0 })));
        let ty = ContType::new(vec![types::I64], vec![]);
        assert!(matches!(k.cont_bind(b, obj, &ty, &[a[0], a[1]]), Err(LowerError::ValueCount { .. })));
        assert!(matches!(k.switch(b, tag, obj, &ty, &[], &[]), Err(LowerError::NoReturnContinuation)));
        let block = b.create_block();
        assert!(matches!(
            k.resume(b, obj, &ty, &[a[0]], &[on(tag, block)]),
            Err(LowerError::HandlerBlock { clause: 0, .. })
        ));
        assert_eq!(k.resume_throw_ref(b, obj, &ty, a[0], &[]), Err(LowerError::NoExceptions));
        let unknown = TagId(999);
        assert_eq!(k.suspend(b, unknown, &[]), Err(LowerError::UnknownTag(unknown)));
        assert_eq!(k.resume(b, obj, &ty, &[a[0]], &[on_switch(unknown)]), Err(LowerError::UnknownTag(unknown)));
        let switched = ContType::new(vec![types::I64; 2], vec![]);
        assert_eq!(k.switch(b, unknown, obj, &switched, &[], &[]), Err(LowerError::UnknownTag(unknown)));
        assert_eq!(k.resume_throw(b, obj, &ty, unknown, &[], &[]), Err(LowerError::UnknownTag(unknown)));
        let block = Block::from_u32(999);
        assert_eq!(
            k.resume(b, obj, &ty, &[a[0]], &[on(tag, block)]),
            Err(LowerError::UnknownBlock { clause: 0, block })
        );
        let value = Value::from_u32(999);
        assert_eq!(k.suspend(b, tag, &[value]), Err(LowerError::UnknownValue(value)));
        assert_eq!(k.cont_new(b, value, &ty), Err(LowerError::UnknownValue(value)));
        let nowhere = ContObj { contref: value, revision: a[1] };
        assert_eq!(k.cont_bind(b, nowhere, &ty, &[]), Err(LowerError::UnknownValue(value)));
        assert_eq!(k.resume(b, nowhere, &ty, &[a[0]], &[]), Err(LowerError::UnknownValue(value)));
        assert_eq!(before(b), n);
        vec![]
    });
    assert_eq!(func.dfg.num_insts(), 1);
}
