//! Continuations in a `JITModule` of one's own, beside functions that know nothing of them.

#![allow(missing_docs, reason = "a test")]
#![allow(unsafe_code, reason = "calls what was compiled")]

mod common;

use clif_cont_abi::{Abi, Isa, SwitchModel, Trap};
use clif_cont_lowering::{ContType, Conts};
use clif_cont_module::ModuleEnv;
use clif_cont_verifier::{Profile, Severity, verify};
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{AbiParam, InstBuilder};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Linkage, Module, default_libcall_names};

fn builder(settings: &[(&str, &str)]) -> JITBuilder {
    let mut flags = settings::builder();
    for (name, value) in settings {
        flags.set(name, value).expect("a setting");
    }
    let isa = cranelift_native::builder().expect("a host").finish(settings::Flags::new(flags)).expect("an ISA");
    JITBuilder::with_isa(isa, default_libcall_names())
}

const WITH_ROUTINE: &[(&str, &str)] =
    &[("enable_multi_ret_implicit_sret", "true"), ("preserve_frame_pointers", "true")];
const WITH_INSTRUCTION: &[(&str, &str)] =
    &[WITH_ROUTINE[0], WITH_ROUTINE[1], ("stack_switch_model", "basic"), ("opt_level", "speed")];

fn address(module: &JITModule, id: FuncId) -> *const u8 {
    module.get_finalized_function(id)
}

#[test]
fn a_generator_runs_in_a_module_of_ones_own() {
    let Some(isa) = Isa::host() else { return };
    for (settings, model) in [(WITH_INSTRUCTION, SwitchModel::Instruction), (WITH_ROUTINE, SwitchModel::Routine)] {
        if !isa.switch_models().contains(&model) {
            continue;
        }
        let mut module = JITModule::new(builder(if isa == Isa::X86_64 { settings } else { WITH_ROUTINE }));
        let profile = Profile::clif_cont(&Abi::new(isa, model));
        let (mut functions, mut operations, mut findings) = (0, 0, vec![]);
        let mut env = ModuleEnv::new(&mut module).expect("an ISA that has continuations");
        env.inspect(|func| {
            let report = verify(func, &profile);
            functions += 1;
            operations += report.operations.len();
            let errors = report.findings.iter().filter(|f| f.severity == Severity::Error);
            findings.extend(errors.map(|f| format!("{} {f:?}", func.name)));
        });
        let entry = common::generator(&mut env).expect("a generator");
        let release = env.release("release_stacks").expect("no stacks any more");
        env.finish().expect("a runtime");
        assert!(findings.is_empty(), "{findings:#?}");
        assert!(functions >= 12 && operations >= 8, "{functions} functions, {operations} operations");

        module.finalize_definitions().expect("all is defined");
        // SAFETY: what was compiled, as `entry` and `release` describe it.
        unsafe {
            let run: extern "C" fn(i64, *mut i64) -> u32 = std::mem::transmute(address(&module, entry));
            let release: extern "C" fn() = std::mem::transmute(address(&module, release));
            for round in 0..3 {
                let mut sum = 0;
                assert_eq!((run(10, &raw mut sum), sum), (0, 385), "{round}");
                assert_eq!((run(1000, &raw mut sum), sum), (0, 333_833_500), "{round}");
                release();
            }
            module.free_memory();
        }
    }
}

/// A host function, which has the whole stack of its thread.
extern "C" fn square(x: i64) -> i64 {
    let large = std::hint::black_box([x; 100_000]);
    large[x as usize] * large[99_999]
}

#[test]
fn host_functions_and_traps() {
    if Isa::host().is_none() {
        return;
    }
    let mut builder = builder(WITH_ROUTINE);
    builder.symbol("square", square as *const u8);
    let mut module = JITModule::new(builder);

    let mut env = ModuleEnv::new(&mut module).expect("an ISA that has continuations");
    let ty = ContType::new([I64], [I64]);
    let index = env.import("square", ty.clone()).expect("an import");
    let calls = env.declare("calls", Linkage::Local, &ty).expect("a function");
    env.define(calls, |env, b, params| {
        let squared = Conts::new(env).host_call(b, index, &ty, params)?;
        b.ins().return_(&squared);
        Ok(())
    })
    .expect("a host call");
    let calls = env.entry("run_calls", calls, &ty).expect("an entry");
    // for ever deeper, with frames that take more than a caller leaves: through a check of their own
    let deep = env.declare("deep", Linkage::Local, &ty).expect("a function");
    env.define(deep, |env, b, params| {
        let slot = b.create_sized_stack_slot(cranelift_codegen::ir::StackSlotData::new(
            cranelift_codegen::ir::StackSlotKind::ExplicitSlot,
            100_000,
            3,
        ));
        b.ins().stack_store(I64, params[0], slot, 0);
        let callee = env.module().declare_func_in_func(deep, b.func);
        let call = b.ins().call(callee, params);
        let result = b.inst_results(call)[0];
        let kept = b.ins().stack_load(I64, I64, slot, 0);
        let result = b.ins().iadd(result, kept);
        b.ins().return_(&[result]);
        Ok(())
    })
    .expect("a deep function");
    let deep = env.entry("run_deep", deep, &ty).expect("an entry");
    env.finish().expect("a runtime");
    module.finalize_definitions().expect("all is defined");
    // SAFETY: as `entry` describes them.
    unsafe {
        let run: extern "C" fn(i64, *mut i64) -> u32 = std::mem::transmute(address(&module, calls));
        let deep: extern "C" fn(i64, *mut i64) -> u32 = std::mem::transmute(address(&module, deep));
        for x in [3, 70] {
            let mut result = 0;
            assert_eq!((run(x, &raw mut result), result), (0, x * x));
            assert_eq!(deep(x, &raw mut result), u32::from(Trap::StackExhausted.code()));
        }
        module.free_memory();
    }
}

#[test]
fn what_does_not_fit_is_refused_with_its_name() {
    for (n, setting) in WITH_ROUTINE.iter().enumerate() {
        let mut module = JITModule::new(builder(&WITH_ROUTINE[..n]));
        let error = ModuleEnv::new(&mut module).expect_err("a setting is missing").to_string();
        assert!(error.contains(&format!("`{}` = `true`", setting.0)), "{error}");
    }
    let mut module = JITModule::new(builder(WITH_ROUTINE));
    let mut env = ModuleEnv::new(&mut module).expect("an ISA that has continuations");
    env.tag("twice", ContType::default()).expect("a tag");
    let error = env.tag("twice", ContType::new([I64], [])).expect_err("a duplicate").to_string();
    assert_eq!(error, "%tag_twice is defined twice");

    // a continuation of another type than its function has
    let f = env.declare("f", Linkage::Local, &ContType::new([I64], [])).expect("a function");
    let g = env.declare("g", Linkage::Local, &ContType::default()).expect("a function");
    let error = env
        .define(g, |env, b, _| {
            let callee = env.address(b, f);
            Conts::new(env).cont_new(b, callee, &ContType::default())?;
            b.ins().return_(&[]);
            Ok(())
        })
        .expect_err("another type")
        .to_string();
    assert!(error.starts_with("in function `g`: "), "{error}");

    // a body without an end
    let h = env.declare("h", Linkage::Local, &ContType::default()).expect("a function");
    let error = env.define(h, |_, _, _| Ok(())).expect_err("no end").to_string();
    assert!(error.contains("%h"), "{error}");
    // a function of the host's convention that takes too much of a stack
    let mut signature = env.module().make_signature();
    signature.returns.push(AbiParam::new(I64));
    let wide = env.module().declare_function("wide", Linkage::Local, &signature).expect("a function");
    let error = env
        .define(wide, |_, b, _| {
            let slot = b.create_sized_stack_slot(cranelift_codegen::ir::StackSlotData::new(
                cranelift_codegen::ir::StackSlotKind::ExplicitSlot,
                1 << 20,
                3,
            ));
            let value = b.ins().stack_load(I64, I64, slot, 0);
            b.ins().return_(&[value]);
            Ok(())
        })
        .expect_err("too large")
        .to_string();
    assert!(error.contains("%wide"), "{error}");

    // a function of another module
    let stray = env.declare("stray", Linkage::Local, &ContType::default()).expect("a function");
    let error = env
        .define(stray, |_, b, _| {
            let number = cranelift_codegen::ir::UserExternalName { namespace: 0, index: 4_000_000 };
            let name = b.func.declare_imported_user_function(number);
            let signature =
                b.import_signature(ContType::default().signature(&Abi::new(Isa::X86_64, SwitchModel::Routine)));
            let name = cranelift_codegen::ir::ExternalName::user(name);
            let data = cranelift_codegen::ir::ExtFuncData { name, signature, colocated: true, patchable: false };
            let callee = b.import_function(data);
            b.ins().call(callee, &[]);
            b.ins().return_(&[]);
            Ok(())
        })
        .expect_err("there is no such function")
        .to_string();
    assert_eq!(error, "%u0_4000000 is not defined; %stray refers to it");
}
