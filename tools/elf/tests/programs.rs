//! Programs made with the builders, as executables of every ISA.

mod common;

use std::collections::BTreeMap;

use clif_cont_abi::{Isa, Trap};
use clif_cont_elf::{Executable, Vectors};
use clif_cont_link::Linker;
use clif_cont_lowering::{ContObj, ContType, on};
use clif_cont_program::{
    Data, DataItem, Host, HostError, HostImport, Instance, InvokeError, Invoker, NoHost, Outcome, Program, Val, ValType,
};
use common::{everywhere, everywhere_with, names, returned, trapped};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{BlockArg, InstBuilder, MemFlagsData, types};

/// `gen(n)` suspends with n, n-1, ... 1; `sum(n)` adds up what it yields, and
/// what it returns, which is 1000.
fn generator(l: &mut Linker) {
    let ty = ContType::new([types::I64], [types::I64]);
    // what a suspended `gen` waits for
    let rest = ContType::new([], [types::I64]);
    let yields = l.tag("yield", ContType::new([types::I64], []));
    l.declare("gen", ty.clone());
    l.declare("sum", ty.clone());
    l.define("gen", |f| {
        let n = f.params[0];
        let (mut k, b) = f.conts();
        let (head, body, done) = (b.create_block(), b.create_block(), b.create_block());
        let left = b.append_block_param(head, types::I64);
        b.ins().jump(head, &[n.into()]);
        b.switch_to_block(head);
        b.ins().brif(left, body, &[], done, &[]);
        b.switch_to_block(body);
        k.suspend(b, yields, &[left])?;
        let next = b.ins().iadd_imm_s(left, -1);
        b.ins().jump(head, &[next.into()]);
        b.switch_to_block(done);
        let result = b.ins().iconst(types::I64, 1000);
        b.ins().return_(&[result]);
        Ok(())
    })
    .expect("lowers");
    l.define("sum", |f| {
        let n = f.params[0];
        let callee = f.address("gen")?;
        let word = f.word_type();
        let (mut k, b) = f.conts();
        let obj = k.cont_new(b, callee, &ty)?;
        let obj = k.cont_bind(b, obj, &ty, &[n])?;
        let (head, handler) = (b.create_block(), b.create_block());
        let [contref, revision] = [word; 2].map(|t| b.append_block_param(head, t));
        let sum = b.append_block_param(head, types::I64);
        let value = b.append_block_param(handler, types::I64);
        let suspended = [word; 2].map(|t| b.append_block_param(handler, t));
        let zero = b.ins().iconst(types::I64, 0);
        let [c, r] = obj.words();
        b.ins().jump(head, &[c.into(), r.into(), zero.into()]);
        b.switch_to_block(head);
        let result = k.resume(b, ContObj { contref, revision }, &rest, &[], &[on(yields, handler)])?;
        let all = b.ins().iadd(sum, result[0]);
        b.ins().return_(&[all]);
        b.switch_to_block(handler);
        let sum = b.ins().iadd(sum, value);
        b.ins().jump(head, &[suspended[0].into(), suspended[1].into(), sum.into()]);
        Ok(())
    })
    .expect("lowers");
    l.export("sum", &[ValType::I64], &[ValType::I64]);
}

#[test]
fn a_generator_sums_up_on_every_isa() {
    everywhere(generator, |remote, way| {
        for n in [0, 1, 100, 1000] {
            let sum = returned(remote, "sum", &[Val::I64(n)], way);
            assert_eq!(sum, [Val::I64(n * (n + 1) / 2 + 1000)], "{way}");
        }
        assert!(matches!(remote.invoke("sum", &[]), Err(InvokeError::Arguments { .. })));
        assert!(matches!(remote.invoke("gen", &[]), Err(InvokeError::UnknownExport(..))));
    });
}

/// A continuation that traps in a function that it calls, in each of the ways
/// that the operations have.
fn trapping(l: &mut Linker) {
    let ty = ContType::new([types::I32], [types::I32]);
    let (unserved, served) = (l.tag("unserved", ContType::default()), l.tag("served", ContType::default()));
    for name in ["inner", "body", "outer", "main", "deep", "twice"] {
        l.declare(name, ty.clone());
    }
    l.define("inner", |f| {
        let how = f.params[0];
        let (mut k, b) = f.conts();
        let [null, other, suspend, unreachable] = std::array::from_fn(|_| b.create_block());
        let is_null = b.ins().icmp_imm_u(IntCC::Equal, how, 0);
        b.ins().brif(is_null, null, &[], other, &[]);
        b.switch_to_block(null);
        let nothing = ContObj::null(b, &clif_cont_lowering::ContEnv::abi(k.env()).clone());
        let result = k.resume(b, nothing, &ty, &[how], &[])?;
        b.ins().return_(&result);
        b.switch_to_block(other);
        let is_suspend = b.ins().icmp_imm_u(IntCC::Equal, how, 1);
        b.ins().brif(is_suspend, suspend, &[], unreachable, &[]);
        b.switch_to_block(suspend);
        k.suspend(b, unserved, &[])?;
        b.ins().return_(&[how]);
        b.switch_to_block(unreachable);
        k.trap(b, Trap::Unreachable);
        Ok(())
    })
    .expect("lowers");
    l.define("body", |f| {
        let how = f.params[0];
        let results = f.call("inner", &[how])?;
        let result = f.b.ins().iadd_imm_s(results[0], 1);
        f.b.ins().return_(&[result]);
        Ok(())
    })
    .expect("lowers");
    for (name, callee) in [("outer", "body"), ("main", "outer")] {
        l.define(name, |f| {
            let how = f.params[0];
            let callee = f.address(callee)?;
            let word = f.word_type();
            let (mut k, b) = f.conts();
            let obj = k.cont_new(b, callee, &ty)?;
            let handler = b.create_block();
            for _ in 0..2 {
                b.append_block_param(handler, word);
            }
            let result = k.resume(b, obj, &ty, &[how], &[on(served, handler)])?;
            b.ins().return_(&result);
            b.switch_to_block(handler);
            b.ins().return_(&[how]);
            Ok(())
        })
        .expect("lowers");
    }
    // never ends, and not by a tail call
    l.define("deep", |f| {
        let n = f.params[0];
        let results = f.call("deep", &[n])?;
        let result = f.b.ins().iadd(results[0], n);
        f.b.ins().return_(&[result]);
        Ok(())
    })
    .expect("lowers");
    // resumes one object two times
    l.define("twice", |f| {
        let how = f.params[0];
        let callee = f.address("twice_body")?;
        let (mut k, b) = f.conts();
        let obj = k.cont_new(b, callee, &ty)?;
        k.resume(b, obj, &ty, &[how], &[])?;
        let result = k.resume(b, obj, &ty, &[how], &[])?;
        b.ins().return_(&result);
        Ok(())
    })
    .unwrap_or_else(|e| panic!("{e}"));
    for name in ["main", "inner", "deep", "twice"] {
        l.export(name, &[ValType::I32], &[ValType::I32]);
    }
}

fn trapping_complete(l: &mut Linker) {
    l.declare("twice_body", ContType::new([types::I32], [types::I32]));
    trapping(l);
    l.define("twice_body", |f| {
        let n = f.params[0];
        f.b.ins().return_(&[n]);
        Ok(())
    })
    .expect("lowers");
}

#[test]
fn traps_have_a_backtrace_across_stacks_and_leave_the_program_usable() {
    everywhere(trapping_complete, |remote, way| {
        for (how, trap) in [(0, Trap::NullContinuation), (1, Trap::UnhandledTag), (2, Trap::Unreachable)] {
            for _ in 0..3 {
                let t = trapped(remote, "main", &[Val::I32(how)], way);
                assert_eq!(t.trap, trap, "{way}");
                let want: [&[&str]; 3] = [&["inner", "body"], &["outer"], &["main"]];
                assert_eq!(names(&t), want, "{way} {trap:?}");
            }
            let t = trapped(remote, "inner", &[Val::I32(how)], way);
            assert_eq!(names(&t), [["inner"]], "{way} {trap:?}");
        }
        let t = trapped(remote, "twice", &[Val::I32(5)], way);
        assert_eq!((t.trap, names(&t)), (Trap::Consumed, vec![vec!["twice"]]), "{way}");
        assert_eq!(t.detail, None);
    });
}

#[test]
fn endless_recursion_exhausts_the_stack_and_nothing_else() {
    everywhere(trapping_complete, |remote, way| {
        for _ in 0..2 {
            let t = trapped(remote, "deep", &[Val::I32(1)], way);
            assert_eq!(t.trap, Trap::StackExhausted, "{way}");
            let names = names(&t);
            assert_eq!(names.len(), 1, "{way}");
            assert!(names[0].len() > 900 && names[0].iter().all(|n| *n == "deep"), "{way}: {}", names[0].len());
        }
    });
}

/// `apply(x)` calls the host from a continuation, twice.
fn calling(l: &mut Linker) {
    let ty = ContType::new([types::I32, types::F64], [types::F64]);
    let signature = [ValType::I32, ValType::F64];
    let host = l.import("host", "apply", &signature, &[ValType::F64]);
    let nothing = l.import("host", "nothing", &[], &[]);
    l.declare("body", ty.clone());
    l.declare("apply", ty.clone());
    l.define("body", |f| {
        let params = f.params.clone();
        let (mut k, b) = f.conts();
        let first = k.host_call(b, host, &ty, &params)?;
        k.host_call(b, nothing, &ContType::default(), &[])?;
        let second = k.host_call(b, host, &ty, &[params[0], first[0]])?;
        let sum = b.ins().fadd(second[0], params[1]);
        b.ins().return_(&[sum]);
        Ok(())
    })
    .expect("lowers");
    l.define("apply", |f| {
        let params = f.params.clone();
        let callee = f.address("body")?;
        let (mut k, b) = f.conts();
        let obj = k.cont_new(b, callee, &ty)?;
        let result = k.resume(b, obj, &ty, &params, &[])?;
        b.ins().return_(&result);
        Ok(())
    })
    .expect("lowers");
    l.export("apply", &signature, &[ValType::F64]);
    generator(l);
}

/// Multiplies; by way of the program itself where the factor is negative.
struct Factors;

impl Host for Factors {
    fn call(&self, import: &HostImport, args: &[Val], program: &mut dyn Invoker) -> Result<Vec<Val>, HostError> {
        match (import.name.as_str(), args) {
            ("nothing", []) => Ok(vec![]),
            ("apply", [Val::I32(0), _]) => Err(HostError("nothing to multiply with".into())),
            ("apply", [Val::I32(-2), _]) => match program.invoke("apply", &[Val::I32(0), Val::F64(0)]) {
                Outcome::Trapped(t) => Err(HostError(format!("inside: {}", t.detail.unwrap_or_default()))),
                other => Err(HostError(format!("{other:?}"))),
            },
            ("apply", [Val::I32(factor), Val::F64(x)]) if *factor < 0 => {
                let Outcome::Returned(values) = program.invoke("sum", &[Val::I64(10)]) else {
                    return Err(HostError("no sum".into()));
                };
                let [Val::I64(sum)] = values[..] else { return Err(HostError("no number".into())) };
                Ok(vec![Val::F64((f64::from_bits(*x) * sum as f64).to_bits())])
            }
            ("apply", [Val::I32(factor), Val::F64(x)]) => {
                Ok(vec![Val::F64((f64::from_bits(*x) * f64::from(*factor)).to_bits())])
            }
            other => Err(HostError(format!("unexpected {other:?}"))),
        }
    }
}

#[test]
fn host_functions_are_called_fail_and_invoke_the_program_again() {
    everywhere_with(
        calling,
        || Box::new(Factors),
        |remote, way| {
            let float = |x: f64| Val::F64(x.to_bits());
            for _ in 0..2 {
                assert_eq!(returned(remote, "apply", &[Val::I32(3), float(1.5)], way), [float(15.0)], "{way}");
                // 1055 is the sum; twice by way of the host
                let want = 2.0 * 1055.0 * 1055.0 + 2.0;
                assert_eq!(returned(remote, "apply", &[Val::I32(-1), float(2.0)], way), [float(want)], "{way}");
                let t = trapped(remote, "apply", &[Val::I32(0), float(1.0)], way);
                assert_eq!((t.trap, t.detail.as_deref()), (Trap::Host, Some("nothing to multiply with")), "{way}");
                assert_eq!(names(&t), [["body"], ["apply"]], "{way}");
                let t = trapped(remote, "apply", &[Val::I32(-2), float(1.0)], way);
                assert_eq!(t.detail.as_deref(), Some("inside: nothing to multiply with"), "{way}");
                assert_eq!(names(&t), [["body"], ["apply"]], "{way}");
            }
        },
    );
}

/// Data that refers to data and to functions.
fn with_data(l: &mut Linker) {
    let ty = ContType::new([], [types::I64]);
    for name in ["read", "seven", "count"] {
        l.declare(name, ty.clone());
    }
    let data = |name: &str, writable, size, items: Vec<(u64, DataItem)>| Data {
        name: name.into(),
        writable,
        align: 8,
        size,
        items: BTreeMap::from_iter(items),
        comment: None,
    };
    l.data(data("number", false, 12, vec![(0, DataItem::Word(0x1234)), (8, DataItem::Bytes(vec![1, 2, 3, 4]))]));
    l.data(data(
        "table",
        false,
        24,
        vec![(0, DataItem::Symbol("number".into())), (16, DataItem::Symbol("seven".into()))],
    ));
    l.data(data("counter", true, 4096, vec![]));
    l.data(data("writable", true, 16, vec![(8, DataItem::Symbol("counter".into()))]));
    l.define("seven", |f| {
        let seven = f.b.ins().iconst(types::I64, 7);
        f.b.ins().return_(&[seven]);
        Ok(())
    })
    .expect("lowers");
    let flags = MemFlagsData::new();
    l.define("read", |f| {
        let table = f.data("table");
        let expected = f.address("seven")?;
        let b = &mut *f.b;
        let number = b.ins().load(types::I64, flags, table, 0);
        let function = b.ins().load(types::I64, flags, table, 16);
        let word = b.ins().load(types::I64, flags, number, 0);
        let byte = b.ins().uload8(types::I64, flags, number, 10);
        let same = b.ins().icmp(IntCC::Equal, function, expected);
        let same = b.ins().uextend(types::I64, same);
        let high = b.ins().imul_imm_s(byte, 0x10000);
        let result = b.ins().iadd(word, high);
        let top = b.ins().imul_imm_s(same, 0x100_0000);
        let result = b.ins().iadd(result, top);
        b.ins().return_(&[result]);
        Ok(())
    })
    .expect("lowers");
    l.define("count", |f| {
        let writable = f.data("writable");
        let b = &mut *f.b;
        let counter = b.ins().load(types::I64, flags, writable, 8);
        let old = b.ins().load(types::I64, flags, counter, 4088);
        let new = b.ins().iadd_imm_s(old, 1);
        b.ins().store(flags, new, counter, 4088);
        b.ins().return_(&[old]);
        Ok(())
    })
    .expect("lowers");
    l.export("read", &[], &[ValType::I64]);
    l.export("count", &[], &[ValType::I64]);
}

#[test]
fn data_refers_to_data_and_functions_and_keeps_its_state() {
    everywhere(with_data, |remote, way| {
        assert_eq!(returned(remote, "read", &[], way), [Val::I64(0x103_1234)], "{way}");
        for n in 0..3 {
            assert_eq!(returned(remote, "count", &[], way), [Val::I64(n)], "{way}");
        }
    });
}

const LIVE: u64 = 24;

/// `worker(x)` and its resumer each keep 24 integers and 24 floats across
/// every switch, in a function that is called with others live in its caller.
fn live(l: &mut Linker) {
    let ty = ContType::new([types::I64], [types::I64]);
    let ping = l.tag("ping", ContType::new([types::I64], [types::I64]));
    for name in ["worker", "parent", "caller"] {
        l.declare(name, ty.clone());
    }
    // folds all that was live and x into one number, in order
    type B<'x, 'y> = &'x mut cranelift_frontend::FunctionBuilder<'y>;
    type Values = Vec<cranelift_codegen::ir::Value>;
    fn make(b: B<'_, '_>, x: cranelift_codegen::ir::Value) -> (Values, Values) {
        let ints = (0..LIVE).map(|i| b.ins().imul_imm_s(x, i as i64 + 3)).collect::<Vec<_>>();
        let floats = ints
            .iter()
            .map(|v| {
                let f = b.ins().fcvt_from_sint(types::F64, *v);
                let half = b.ins().f64const(0.5);
                b.ins().fadd(f, half)
            })
            .collect();
        (ints, floats)
    }
    fn fold(
        b: B<'_, '_>,
        (ints, floats): (Values, Values),
        start: cranelift_codegen::ir::Value,
    ) -> cranelift_codegen::ir::Value {
        let mut sum = start;
        for (i, f) in ints.into_iter().zip(floats) {
            sum = b.ins().imul_imm_s(sum, 31);
            sum = b.ins().iadd(sum, i);
            let bits = b.ins().bitcast(types::I64, MemFlagsData::new(), f);
            let bits = b.ins().ushr_imm_u(bits, 40);
            sum = b.ins().iadd(sum, bits);
        }
        sum
    }
    l.define("worker", |f| {
        let x = f.params[0];
        let values = make(f.b, x);
        let (mut k, b) = f.conts();
        let first = k.suspend(b, ping, &[x])?[0];
        let second = k.suspend(b, ping, &[first])?[0];
        let result = fold(b, values, second);
        b.ins().return_(&[result]);
        Ok(())
    })
    .expect("lowers");
    l.define("parent", |f| {
        let x = f.params[0];
        let values = make(f.b, x);
        let callee = f.address("worker")?;
        let word = f.word_type();
        let (mut k, b) = f.conts();
        let obj = k.cont_new(b, callee, &ty)?;
        let (head, handler) = (b.create_block(), b.create_block());
        let [contref, revision] = [word; 2].map(|t| b.append_block_param(head, t));
        let send = b.append_block_param(head, types::I64);
        let got = b.append_block_param(handler, types::I64);
        let suspended = [word; 2].map(|t| b.append_block_param(handler, t));
        let args: Vec<BlockArg> = obj.words().into_iter().chain([x]).map(BlockArg::from).collect();
        b.ins().jump(head, &args);
        b.switch_to_block(head);
        let result = k.resume(b, ContObj { contref, revision }, &ty, &[send], &[on(ping, handler)])?[0];
        let result = fold(b, values, result);
        b.ins().return_(&[result]);
        b.switch_to_block(handler);
        let next = b.ins().iadd_imm_s(got, 17);
        let args: Vec<BlockArg> = suspended.into_iter().chain([next]).map(BlockArg::from).collect();
        b.ins().jump(head, &args);
        Ok(())
    })
    .expect("lowers");
    l.define("caller", |f| {
        let x = f.params[0];
        let more = f.b.ins().iadd_imm_s(x, 1000);
        let values = make(f.b, more);
        let result = f.call("parent", &[x])?[0];
        let result = fold(f.b, values, result);
        f.b.ins().return_(&[result]);
        Ok(())
    })
    .expect("lowers");
    l.export("caller", &[ValType::I64], &[ValType::I64]);
}

fn live_expected(x: i64) -> i64 {
    let fold = |x: i64, start: i64| {
        (0..LIVE as i64).fold(start, |sum, i| {
            let int = x.wrapping_mul(i + 3);
            let bits = ((int as f64 + 0.5).to_bits() >> 40) as i64;
            sum.wrapping_mul(31).wrapping_add(int).wrapping_add(bits)
        })
    };
    let worker = fold(x, x + 17 + 17);
    fold(x + 1000, fold(x, worker))
}

#[test]
fn values_live_on_both_stacks_and_in_their_callers_across_switches() {
    everywhere(live, |remote, way| {
        for x in [0, 1, -5, 123_456_789] {
            let got = returned(remote, "caller", &[Val::I64(x)], way);
            assert_eq!(got, [Val::I64(live_expected(x))], "{way} {x}");
        }
    });
}

/// Many suspended stacks at a time, and values of every type at the border.
fn border(l: &mut Linker) {
    let (i32, i64, f32, f64) = (ValType::I32, ValType::I64, ValType::F32, ValType::F64);
    let types = [i32, f32, ValType::Cont, f64, ValType::Ref, ValType::Extern, i64];
    let flat: Vec<cranelift_codegen::ir::Type> = types.iter().flat_map(|t| t.clif(l.abi())).copied().collect();
    l.declare("same", ContType::new(flat.clone(), flat));
    l.define("same", |f| {
        let params = f.params.clone();
        f.b.ins().return_(&params);
        Ok(())
    })
    .expect("lowers");
    l.export("same", &types, &types);

    let objects = ContType::new([], [l.word_type(); 3]);
    l.declare("objects", objects.clone());
    l.define("objects", |f| {
        let callee = f.address("objects")?;
        let (mut k, b) = f.conts();
        let object = k.cont_new(b, callee, &objects)?;
        b.ins().return_(&[object.contref, object.revision, callee]);
        Ok(())
    })
    .expect("lowers");
    l.export("objects", &[], &[ValType::Cont, ValType::Ref]);
}

#[test]
fn values_of_every_type_cross_the_border() {
    everywhere(border, |remote, way| {
        let objects = returned(remote, "objects", &[], way);
        let values = [
            Val::I32(-2),
            Val::F32(1.5f32.to_bits()),
            objects[0],
            Val::F64(f64::NAN.to_bits() | 5),
            objects[1],
            Val::Extern(Some(77)),
            Val::I64(i64::MIN + 1),
        ];
        assert_eq!(returned(remote, "same", &values, way), values, "{way}");
    });
}

/// `vectors(x)` keeps 20 vectors across a switch to a continuation that keeps
/// others, and adds up all their lanes.
fn vectors(l: &mut Linker) {
    let ty = ContType::new([types::I32], [types::I32]);
    let pause = l.tag("pause", ContType::default());
    for name in ["inside", "vectors"] {
        l.declare(name, ty.clone());
    }
    let make = |b: &mut cranelift_frontend::FunctionBuilder<'_>, x| {
        let splat = b.ins().splat(types::I32X4, x);
        let mut last = b.ins().insertlane(splat, x, 3);
        let all = (0..20).map(|_| {
            last = b.ins().iadd(last, splat);
            last
        });
        all.collect::<Vec<_>>()
    };
    let fold = |b: &mut cranelift_frontend::FunctionBuilder<'_>, all: Vec<cranelift_codegen::ir::Value>, start| {
        all.into_iter().fold(start, |sum, v| {
            let [first, last] = [0, 3].map(|lane| b.ins().extractlane(v, lane));
            let sum = b.ins().iadd(sum, first);
            b.ins().iadd(sum, last)
        })
    };
    l.define("inside", |f| {
        let x = f.params[0];
        let all = make(f.b, x);
        let (mut k, b) = f.conts();
        k.suspend(b, pause, &[])?;
        let result = fold(b, all, x);
        b.ins().return_(&[result]);
        Ok(())
    })
    .expect("lowers");
    l.define("vectors", |f| {
        let x = f.params[0];
        let all = make(f.b, x);
        let callee = f.address("inside")?;
        let word = f.word_type();
        let (mut k, b) = f.conts();
        let obj = k.cont_new(b, callee, &ty)?;
        let handler = b.create_block();
        let [contref, revision] = [word; 2].map(|t| b.append_block_param(handler, t));
        let seven = b.ins().iconst(types::I32, 7);
        let early = k.resume(b, obj, &ty, &[seven], &[on(pause, handler)])?;
        b.ins().return_(&early);
        b.switch_to_block(handler);
        let rest = ContType::new([], [types::I32]);
        let inside = k.resume(b, ContObj { contref, revision }, &rest, &[], &[])?[0];
        let result = fold(b, all, inside);
        b.ins().return_(&[result]);
        Ok(())
    })
    .expect("lowers");
    l.export("vectors", &[ValType::I32], &[ValType::I32]);
}

#[test]
fn vectors_live_across_switches_where_there_are_vectors() {
    let sum = |x: i32| (0..20).map(|i| 2 * x * (i + 2)).sum::<i32>();
    let lacks = |way: &common::Way| way.target.isa == Isa::Riscv64 && way.options.vectors == Vectors::Off;
    for way in common::ways().into_iter().filter(|way| !lacks(way)) {
        let program = common::program(way.target, vectors);
        let mut remote = Executable::launch(&way.finished(&program), Box::new(NoHost), &way.options).expect("starts");
        let got = returned(&mut remote, "vectors", &[Val::I32(3)], &way.name());
        assert_eq!(got, [Val::I32(7 + sum(7) + sum(3))], "{}", way.name());
    }
}

#[test]
fn a_program_without_exports_starts_and_ends() {
    for way in common::ways() {
        // as a front end makes it: without the functions for a host
        let program = Program::new(way.target);
        let mut remote = Executable::launch(&way.finished(&program), Box::new(NoHost), &way.options).expect("it links");
        let error = remote.invoke("anything", &[]);
        assert!(matches!(error, Err(InvokeError::UnknownExport(..))), "{}: {error:?}", way.name());
        assert_eq!(remote.initialize(), None, "{}", way.name());
    }
}
