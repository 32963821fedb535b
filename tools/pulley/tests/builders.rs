//! Programs made with the builders, without WebAssembly.

mod common;

use clif_cont_abi::{Isa, SwitchModel, Trap};
use clif_cont_link::{FunctionCx, Linker};
use clif_cont_lowering::{ContObj, ContType, LowerError, on};
use clif_cont_program::target::OptLevel;
use clif_cont_program::{NoHost, Program, ProgramError, Target, Val, ValType};
use clif_cont_pulley::{Options, Pulley, PulleyError};
use common::{finished, lanes, names, returns, start, trap, traps};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F32, F64, I32, I64};
use cranelift_codegen::ir::{
    AbiParam, BlockArg, ExtFuncData, ExternalName, InstBuilder, LibCall, MemFlagsData, Signature, StackSlotData,
    StackSlotKind, TrapCode, Type, Value,
};
use cranelift_codegen::isa::CallConv;

fn i64s(n: usize, m: usize) -> ContType {
    ContType::new(vec![I64; n], vec![I64; m])
}

fn define(
    p: &mut Linker,
    name: &str,
    ty: ContType,
    body: impl FnOnce(&mut FunctionCx<'_, '_>) -> Result<(), LowerError>,
) {
    p.declare(name, ty);
    p.define(name, body).expect("a valid function");
}

fn finish(p: Linker) -> Program {
    p.finish().expect("a complete program")
}

fn args(values: &[Value]) -> Vec<BlockArg> {
    values.iter().map(|v| BlockArg::from(*v)).collect()
}

/// `gen` yields 0, 1, .. n-1; `sum` adds them up. Both keep integers and floats
/// alive across each switch.
fn generator(target: Target) -> Program {
    let mut p = Linker::new(target);
    let w = p.word_type();
    let tag = p.tag("yield", i64s(1, 0));
    define(&mut p, "gen", i64s(1, 0), |f| {
        let n = f.params[0];
        // values that live across the switches of this stack
        let ints: Vec<Value> = (0..12).map(|i| f.b.ins().iadd_imm_s(n, i)).collect();
        let float = f.b.ins().fcvt_from_sint(F64, n);
        let floats: Vec<Value> = (0..6)
            .map(|i| {
                let c = f.b.ins().f64const(f64::from(i) + 0.5);
                f.b.ins().fadd(float, c)
            })
            .collect();
        let (head, body, done) = (f.b.create_block(), f.b.create_block(), f.b.create_block());
        let i = f.b.append_block_param(head, I64);
        let zero = f.b.ins().iconst(I64, 0);
        f.b.ins().jump(head, &args(&[zero]));
        f.b.switch_to_block(head);
        let more = f.b.ins().icmp(IntCC::UnsignedLessThan, i, n);
        f.b.ins().brif(more, body, &[], done, &[]);
        f.b.switch_to_block(body);
        let (mut k, b) = f.conts();
        k.suspend(b, tag, &[i])?;
        // traps unless every value is what it was
        for (j, v) in ints.iter().enumerate() {
            let back = b.ins().iadd_imm_s(*v, -(j as i64));
            let same = b.ins().icmp(IntCC::Equal, back, n);
            k.trap_unless(b, same, Trap::CastFailure);
        }
        for (j, v) in floats.iter().enumerate() {
            let c = b.ins().f64const(j as f64 + 0.5);
            let back = b.ins().fsub(*v, c);
            let back = b.ins().fcvt_to_sint_sat(I64, back);
            let same = b.ins().icmp(IntCC::Equal, back, n);
            k.trap_unless(b, same, Trap::CastFailure);
        }
        let next = b.ins().iadd_imm_s(i, 1);
        f.b.ins().jump(head, &args(&[next]));
        f.b.switch_to_block(done);
        f.b.ins().return_(&[]);
        Ok(())
    });
    define(&mut p, "sum", i64s(1, 1), |f| {
        let n = f.params[0];
        let ints: Vec<Value> = (1..10).map(|i| f.b.ins().imul_imm_s(n, i)).collect();
        let half = f.b.ins().f32const(0.5);
        let float = f.b.ins().fcvt_from_sint(F32, n);
        let float = f.b.ins().fmul(float, half);
        let gen_address = f.address("gen")?;
        let (mut k, b) = f.conts();
        let obj = k.cont_new(b, gen_address, &i64s(1, 0))?;
        let obj = k.cont_bind(b, obj, &i64s(1, 0), &[n])?;
        let (head, got) = (b.create_block(), b.create_block());
        let h: Vec<Value> = [w, w, I64].map(|t| b.append_block_param(head, t)).to_vec();
        let g: Vec<Value> = [I64, w, w].map(|t| b.append_block_param(got, t)).to_vec();
        let zero = b.ins().iconst(I64, 0);
        b.ins().jump(head, &args(&[obj.contref, obj.revision, zero]));
        b.switch_to_block(head);
        let obj = ContObj { contref: h[0], revision: h[1] };
        k.resume(b, obj, &ContType::default(), &[], &[on(tag, got)])?;
        let mut total = h[2];
        for v in &ints {
            total = b.ins().iadd(total, *v);
        }
        let whole = b.ins().fcvt_to_sint_sat(I64, float);
        let total = b.ins().iadd(total, whole);
        b.ins().return_(&[total]);
        b.switch_to_block(got);
        let total = b.ins().iadd(h[2], g[0]);
        b.ins().jump(head, &args(&[g[1], g[2], total]));
        Ok(())
    });
    p.export("sum", &[ValType::I64], &[ValType::I64]);
    finish(p)
}

#[test]
fn a_generator_is_summed_with_values_live_on_both_stacks() {
    for (target, opt) in lanes() {
        let mut pulley = start(&generator(target), opt);
        for n in [0, 1, 5, 1000] {
            let want = n * (n - 1) / 2 + n * 45 + n / 2;
            assert_eq!(returns(&mut pulley, "sum", &[Val::I64(n)]), [Val::I64(want)]);
        }
        // the invocation's, the generator's, and a driver's
        assert_eq!((pulley.machines(), pulley.slots()), (3, 2));
    }
}

/// Functions whose instructions trap by themselves, called in a continuation.
#[test]
fn traps_of_instructions_are_told_apart_and_have_a_backtrace() {
    for (target, opt) in lanes() {
        let mut p = Linker::new(target);
        let cases = [
            ("division", Trap::DivisionByZero),
            ("overflow", Trap::IntegerOverflow),
            ("conversion", Trap::InvalidConversion),
            ("own", Trap::CastFailure),
            ("branch", Trap::TableOutOfBounds),
        ];
        for (name, _) in cases {
            define(&mut p, name, i64s(1, 1), |f| {
                let x = f.params[0];
                let b = &mut *f.b;
                let v = match name {
                    "division" => b.ins().udiv(x, x),
                    "overflow" => {
                        let min = b.ins().iconst(I64, i64::MIN);
                        let minus = b.ins().iadd_imm_s(x, -1);
                        b.ins().sdiv(min, minus)
                    }
                    "conversion" => {
                        let zero = b.ins().fcvt_from_uint(F64, x);
                        let nan = b.ins().fdiv(zero, zero);
                        b.ins().fcvt_to_sint(I64, nan)
                    }
                    "own" => {
                        b.ins().trapz(x, TrapCode::unwrap_user(Trap::CastFailure.code()));
                        x
                    }
                    _ => {
                        let other = b.create_block();
                        let end = b.create_block();
                        b.ins().brif(x, end, &[], other, &[]);
                        b.switch_to_block(other);
                        b.ins().trap(TrapCode::unwrap_user(Trap::TableOutOfBounds.code()));
                        b.switch_to_block(end);
                        x
                    }
                };
                b.ins().return_(&[v]);
                Ok(())
            });
            let main = format!("main_{name}");
            define(&mut p, &format!("in_{name}"), i64s(1, 1), |f| {
                let x = f.params[0];
                let v = f.call(name, &[x])?;
                let v = f.b.ins().iadd_imm_s(v[0], 1);
                f.b.ins().return_(&[v]);
                Ok(())
            });
            define(&mut p, &main, i64s(1, 1), |f| {
                let x = f.params[0];
                let address = f.address(&format!("in_{name}"))?;
                let (mut k, b) = f.conts();
                let obj = k.cont_new(b, address, &i64s(1, 1))?;
                let v = k.resume(b, obj, &i64s(1, 1), &[x], &[])?;
                b.ins().return_(&v);
                Ok(())
            });
            p.export(&main, &[ValType::I64], &[ValType::I64]);
        }
        let mut pulley = start(&finish(p), opt);
        for _ in 0..3 {
            for (name, want) in cases {
                let main = format!("main_{name}");
                let got = traps(&mut pulley, &main, &[Val::I64(0)]);
                assert_eq!(got.trap, want, "{name}");
                assert_eq!(names(&got), [vec![name, &format!("in_{name}")], vec![main.as_str()]]);
            }
        }
        assert_eq!(returns(&mut pulley, "main_division", &[Val::I64(3)]), [Val::I64(2)]);
        assert_eq!((pulley.machines(), pulley.slots()), (3, 2));
    }
}

/// Overflows in each kind of prologue, and in a body.
#[test]
fn an_exhausted_stack_is_a_trap_with_all_its_frames() {
    for (target, opt) in lanes() {
        let mut p = Linker::new(target);
        // many parameters: stack arguments; a slot: a frame of its own
        for (name, params, slot) in [("lean", 1, 0), ("wide", 40, 0), ("framed", 1, 400), ("huge", 1, 12_000)] {
            define(&mut p, name, i64s(params, 1), |f| {
                let mut a = f.params.clone();
                if slot != 0 {
                    let data = StackSlotData::new(StackSlotKind::ExplicitSlot, slot, 4);
                    let slot = f.b.create_sized_stack_slot(data);
                    let ty = f.word_type();
                    let at = f.b.ins().stack_addr(ty, slot, 0);
                    f.b.ins().store(MemFlagsData::trusted(), a[0], at, 0);
                }
                a[0] = f.b.ins().iadd_imm_s(a[0], 1);
                let v = f.call(name, &a)?;
                let sum = f.b.ins().iadd(v[0], a[0]);
                f.b.ins().return_(&[sum]);
                Ok(())
            });
            define(&mut p, &format!("deep_{name}"), i64s(1, 1), |f| {
                let a = vec![f.params[0]; params];
                let v = f.call(name, &a)?;
                let v = f.b.ins().iadd_imm_s(v[0], 1);
                f.b.ins().return_(&[v]);
                Ok(())
            });
            define(&mut p, &format!("main_{name}"), i64s(1, 1), |f| {
                let x = f.params[0];
                let address = f.address(&format!("deep_{name}"))?;
                let (mut k, b) = f.conts();
                let obj = k.cont_new(b, address, &i64s(1, 1))?;
                let v = k.resume(b, obj, &i64s(1, 1), &[x], &[])?;
                b.ins().return_(&v);
                Ok(())
            });
            for export in [format!("deep_{name}"), format!("main_{name}")] {
                p.export(&export, &[ValType::I64], &[ValType::I64]);
            }
        }
        let mut pulley = start(&finish(p), opt);
        for name in ["lean", "wide", "framed", "huge"] {
            let (deep, main) = (format!("deep_{name}"), format!("main_{name}"));
            for (export, stacks) in [(&deep, 1), (&main, 2)] {
                let got = traps(&mut pulley, export, &[Val::I64(0)]);
                assert_eq!(got.trap, Trap::StackExhausted);
                let all = names(&got);
                assert_eq!(all.len(), stacks);
                let (last, frames) = all[0].split_last().expect("frames");
                assert_eq!(*last, deep);
                assert!(frames.len() >= 20, "{name}: {} frames", frames.len());
                assert!(frames.iter().all(|f| *f == name), "{frames:?}");
                if stacks == 2 {
                    assert_eq!(all[1], [main.as_str()]);
                }
            }
        }
        assert_eq!((pulley.machines(), pulley.slots()), (3, 2));
    }
}

#[test]
fn objects_that_are_null_or_consumed_and_tags_without_a_handler() {
    for (target, opt) in lanes() {
        let mut p = Linker::new(target);
        let abi = *p.abi();
        let tag = p.tag("nobody", i64s(0, 0));
        define(&mut p, "noop", i64s(0, 0), |f| {
            f.b.ins().return_(&[]);
            Ok(())
        });
        define(&mut p, "suspender", i64s(0, 0), |f| {
            let (mut k, b) = f.conts();
            k.suspend(b, tag, &[])?;
            b.ins().return_(&[]);
            Ok(())
        });
        define(&mut p, "null", i64s(0, 0), |f| {
            let (mut k, b) = f.conts();
            let obj = ContObj::null(b, &abi);
            k.resume(b, obj, &ContType::default(), &[], &[])?;
            b.ins().return_(&[]);
            Ok(())
        });
        define(&mut p, "twice", i64s(0, 0), |f| {
            let address = f.address("noop")?;
            let (mut k, b) = f.conts();
            let obj = k.cont_new(b, address, &ContType::default())?;
            k.resume(b, obj, &ContType::default(), &[], &[])?;
            k.resume(b, obj, &ContType::default(), &[], &[])?;
            b.ins().return_(&[]);
            Ok(())
        });
        define(&mut p, "unhandled", i64s(0, 0), |f| {
            let address = f.address("suspender")?;
            let (mut k, b) = f.conts();
            let obj = k.cont_new(b, address, &ContType::default())?;
            k.resume(b, obj, &ContType::default(), &[], &[])?;
            b.ins().return_(&[]);
            Ok(())
        });
        for export in ["null", "twice", "unhandled", "noop"] {
            p.export(export, &[], &[]);
        }
        let mut pulley = start(&finish(p), opt);
        for _ in 0..10 {
            assert_eq!(trap(&mut pulley, "null", &[]), Trap::NullContinuation);
            assert_eq!(trap(&mut pulley, "twice", &[]), Trap::Consumed);
            let got = traps(&mut pulley, "unhandled", &[]);
            assert_eq!(got.trap, Trap::UnhandledTag);
            assert_eq!(names(&got), [["suspender"], ["unhandled"]]);
            assert_eq!(returns(&mut pulley, "noop", &[]), []);
        }
        assert_eq!((pulley.machines(), pulley.slots()), (3, 2));
    }
}

/// A function of the program that calls one libcall with its parameters.
fn libcall(p: &mut Linker, call: LibCall, params: &[Type], result: Type) {
    let ty = ContType::new(params.to_vec(), vec![result]);
    define(p, &format!("call_{call}"), ty, |f| {
        let mut signature = Signature::new(CallConv::SystemV);
        signature.params.extend(params.iter().copied().map(AbiParam::new));
        signature.returns.push(AbiParam::new(result));
        let signature = f.b.import_signature(signature);
        let name = ExternalName::LibCall(call);
        let callee = f.b.import_function(ExtFuncData { name, signature, colocated: false, patchable: false });
        let call = f.b.ins().call(callee, &f.params);
        let values = f.b.inst_results(call).to_vec();
        f.b.ins().return_(&values);
        Ok(())
    });
    let val = |t: &Type| match *t {
        I32 => ValType::I32,
        I64 => ValType::I64,
        F32 => ValType::F32,
        _ => ValType::F64,
    };
    let params: Vec<ValType> = params.iter().map(val).collect();
    p.export(&format!("call_{call}"), &params, &[val(&result)]);
}

#[test]
fn libcalls_are_supplied() {
    let f32v = |v: f32| Val::F32(v.to_bits());
    let f64v = |v: f64| Val::F64(v.to_bits());
    for (target, opt) in lanes() {
        let mut p = Linker::new(target);
        for call in [LibCall::CeilF32, LibCall::FloorF32, LibCall::TruncF32, LibCall::NearestF32] {
            libcall(&mut p, call, &[F32], F32);
        }
        for call in [LibCall::CeilF64, LibCall::FloorF64, LibCall::TruncF64, LibCall::NearestF64] {
            libcall(&mut p, call, &[F64], F64);
        }
        libcall(&mut p, LibCall::FmaF32, &[F32; 3], F32);
        libcall(&mut p, LibCall::FmaF64, &[F64; 3], F64);
        libcall(&mut p, LibCall::Memmove, &[I64; 3], I64);
        libcall(&mut p, LibCall::Memcpy, &[I64; 3], I64);
        libcall(&mut p, LibCall::Memset, &[I64, I32, I64], I64);
        libcall(&mut p, LibCall::Memcmp, &[I64; 3], I32);
        let mut pulley = start(&finish(p), opt);
        for (name, x, want) in [
            ("Ceil", 1.25, 2.0),
            ("Floor", -1.25, -2.0),
            ("Trunc", -1.75, -1.0),
            ("Nearest", 2.5, 2.0),
            ("Nearest", 3.5, 4.0),
        ] {
            let small = returns(&mut pulley, &format!("call_{name}F32"), &[f32v(x)]);
            assert_eq!(small, [f32v(want)]);
            let large = returns(&mut pulley, &format!("call_{name}F64"), &[f64v(f64::from(x))]);
            assert_eq!(large, [f64v(f64::from(want))]);
        }
        let fma = returns(&mut pulley, "call_FmaF64", &[f64v(1e16), f64v(1.0 + f64::EPSILON), f64v(-1e16)]);
        assert_eq!(fma, [f64v(1e16f64.mul_add(1.0 + f64::EPSILON, -1e16))]);
        assert_eq!(returns(&mut pulley, "call_FmaF32", &[f32v(2.0), f32v(3.0), f32v(4.0)]), [f32v(10.0)]);

        let mut bytes = *b"0123456789";
        let at = bytes.as_mut_ptr().expose_provenance() as i64;
        let mut call = |name: &str, args: &[Val]| returns(&mut pulley, name, args)[0];
        let i64v = Val::I64;
        assert_eq!(call("call_Memmove", &[i64v(at + 2), i64v(at), i64v(5)]), i64v(at + 2));
        assert_eq!(call("call_Memcpy", &[i64v(at + 8), i64v(at), i64v(2)]), i64v(at + 8));
        assert_eq!(call("call_Memset", &[i64v(at), Val::I32(0x141), i64v(1)]), i64v(at));
        assert_eq!(call("call_Memcmp", &[i64v(at), i64v(at + 2), i64v(2)]), Val::I32(1));
        assert_eq!(call("call_Memcmp", &[i64v(at + 2), i64v(at + 2), i64v(5)]), Val::I32(0));
        assert_eq!(call("call_Memcmp", &[i64v(0), i64v(0), i64v(0)]), Val::I32(0));
        assert_eq!(call("call_Memmove", &[i64v(0), i64v(1), i64v(0)]), i64v(0));
        assert_eq!(&bytes, b"A101234701");
    }
}

#[test]
fn what_cannot_be_run_says_why() {
    let refused =
        |program: &Program| match Pulley::new(&finished(program, OptLevel::None), Box::new(NoHost), Options::default())
        {
            Ok(_) => panic!("accepted"),
            Err(e) => e,
        };
    for isa in [Isa::Pulley32, Isa::Pulley32be, Isa::X86_64] {
        let e = refused(&Program::new(Target::new(isa)));
        assert_eq!(e, PulleyError::NotRunnable(isa));
        assert!(e.to_string().contains(isa.name()), "{e}");
    }
    let mut target = Target::new(Isa::Pulley64);
    target.abi.switch = SwitchModel::Routine;
    assert_eq!(refused(&Program::new(target)), PulleyError::SwitchModel(SwitchModel::Routine));

    let good = generator(Target::new(Isa::Pulley64));
    let mut twice = good.clone();
    twice.functions.push(twice.functions[0].clone());
    assert_eq!(refused(&twice), PulleyError::Duplicate("gen".into()));
    let mut bare = good.clone();
    bare.exports[0].enter.clear();
    assert_eq!(refused(&bare), PulleyError::Program(ProgramError::NoTrampoline("sum".into())));
    let mut missing = good.clone();
    missing.functions.retain(|f| f.name() != "cc_trap");
    assert!(matches!(refused(&missing), PulleyError::Undefined { symbol, .. } if symbol == "cc_trap"));
    let mut headless = good.clone();
    headless.data.retain(|d| d.name != "cc_store");
    assert!(matches!(refused(&headless), PulleyError::Program(ProgramError::Missing("cc_store"))));
    let mut crooked = good;
    crooked.data[1].align = 3;
    assert!(matches!(refused(&crooked), PulleyError::Data { .. }));
    // a program without exports is nothing to complain about
    assert_eq!(
        Pulley::new(
            &finished(&Program::new(Target::new(Isa::Pulley64)), OptLevel::None),
            Box::new(NoHost),
            Options::default()
        )
        .map(|p| p.slots())
        .ok(),
        Some(0)
    );
    assert_eq!(OptLevel::ALL.len() * 2, lanes().len());
}
