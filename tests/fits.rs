//! Programs whose parts do not fit together: no backend takes them, however they came about.

mod common;

use clif_cont::link::{LinkError, Linker};
use clif_cont::lowering::{ContType, LowerError, TagId, on};
use clif_cont::program::{NoHost, Program, ProgramError, Target, ValType};
use clif_cont::wast::Backend as _;
use common::{everywhere, ran};
use cranelift_codegen::ir::types::{F64, I32, I64};
use cranelift_codegen::ir::{AbiParam, Block, InstBuilder, Type};

fn linker(target: Target) -> Linker {
    let mut l = Linker::new(target);
    for (name, ty) in [("one", I64), ("two", F64)] {
        l.declare(name, ContType::new([ty], [ty]));
        l.define(name, |f| {
            let x = f.params[0];
            f.b.ins().return_(&[x]);
            Ok(())
        })
        .expect("it returns what it takes");
    }
    l.declare("caller", ContType::new([I64], [I64]));
    l.define("caller", |f| {
        let x = f.params[0];
        let result = f.call("one", &[x])?;
        f.b.ins().return_(&result);
        Ok(())
    })
    .expect("it calls a function");
    l
}

fn program(target: Target) -> Program {
    let mut l = linker(target);
    for (name, ty) in [("one", ValType::I64), ("two", ValType::F64), ("caller", ValType::I64)] {
        l.export(name, &[ty], &[ty]);
    }
    l.finish().expect("it fits")
}

/// A change that makes the parts of a program contradict each other, behind what is said of it.
type Contradiction = (&'static str, fn(&mut Program));

fn contradictions() -> Vec<Contradiction> {
    fn export<'p>(p: &'p mut Program, name: &str) -> &'p mut clif_cont::program::Export {
        p.exports.iter_mut().find(|e| e.name == name).expect("there is one")
    }
    fn function<'p>(p: &'p mut Program, name: &str) -> &'p mut cranelift_codegen::ir::Function {
        &mut p.functions.iter_mut().find(|f| f.name() == name).expect("there is one").func
    }
    vec![
        ("export `one` has other types than its function, %one(i64) -> i64 tail", |p| {
            export(p, "one").params = vec![ValType::I64; 40];
        }),
        ("export `one` has other types", |p| export(p, "one").params = vec![ValType::F64]),
        ("export `one` has other types", |p| export(p, "one").results = vec![]),
        ("export `one` has other types", |p| {
            let other = export(p, "one");
            (other.params, other.results) = (vec![ValType::I32, ValType::F64], vec![ValType::F32]);
        }),
        ("export `one` has other types", |p| export(p, "one").function = "two".into()),
        ("export `one` has other types", |p| export(p, "one").function = "cc_invoke".into()),
        ("export `one` is of function %three, which is not defined", |p| export(p, "one").function = "three".into()),
        ("export `one` cannot be entered by %cc_enter_f64__f64, which calls (f64) -> f64 tail, but %one is", |p| {
            export(p, "one").enter = export(p, "two").enter.clone();
        }),
        ("export `one` cannot be entered by %nobody, which is not defined", |p| {
            export(p, "one").enter = "nobody".into();
        }),
        ("export `one` cannot be entered by %two, which is (f64) -> f64 tail, not", |p| {
            export(p, "one").enter = "two".into();
        }),
        ("export `one` cannot be entered by %cc_drop", |p| {
            // of a trampoline's signature, and none
            let mut l = linker(p.target);
            let word = l.word_type();
            l.declare("ends", ContType::new([word, word], []));
            l.define("ends", |f| {
                let [contref, revision] = [f.params[0], f.params[1]];
                let (mut k, b) = f.conts();
                k.cont_drop(b, clif_cont::lowering::ContObj { contref, revision });
                b.ins().return_(&[]);
                Ok(())
            })
            .expect("it ends a continuation");
            let with = l.finish().expect("it fits");
            p.functions.extend(with.functions.into_iter().filter(|f| f.name() == "cc_drop"));
            export(p, "one").enter = "cc_drop".into();
        }),
        ("there are two exports named `one`", |p| p.exports.push(p.exports[0].clone())),
        ("%cc_begin() -> ", |p| {
            let begin = function(p, "cc_begin");
            begin.signature.call_conv = cranelift_codegen::isa::CallConv::Tail;
        }),
        ("declares %one with another signature than it has", |p| {
            let caller = function(p, "caller");
            let other: Type = F64;
            let signature = caller.dfg.ext_funcs.values().find(|f| f.name.display(None).to_string() == "%one");
            let signature = signature.expect("it calls it").signature;
            caller.dfg.signatures[signature].params.push(AbiParam::new(other));
        }),
        ("%cc_store is both a function and data", |p| {
            let mut twin = p.functions[0].clone();
            twin.func.name = cranelift_codegen::ir::UserFuncName::testcase("cc_store");
            p.functions.push(twin);
        }),
        ("data %cc_store: a store context is writable", |p| {
            p.data.iter_mut().find(|d| d.name == "cc_store").expect("there is one").size = 8;
        }),
        ("`one`: its values take", |p| {
            let one = export(p, "one");
            one.params = vec![ValType::I64; 2000];
            let signature = &mut function(p, "one").signature;
            signature.params = vec![AbiParam::new(I64); 2000];
        }),
        ("%one, which initialises the program, takes or gives values", |p| p.init = p.export("one").cloned()),
    ]
}

#[test]
fn no_backend_takes_a_program_that_contradicts_itself() {
    let mut count = 0;
    for mut backend in everywhere() {
        let name = backend.place.to_string();
        for (message, change) in contradictions() {
            let mut program = program(backend.target());
            backend.instantiate(&program, Box::new(NoHost)).unwrap_or_else(|e| panic!("{name}: {e}"));
            change(&mut program);
            match backend.instantiate(&program, Box::new(NoHost)) {
                Ok(_) => panic!("{name} took it: {message}"),
                Err(error) => assert!(error.to_string().contains(message), "{name}: {error}, not {message}"),
            }
        }
        count += 1;
    }
    ran("contradictions", count);
}

#[test]
fn the_linker_refuses_what_does_not_fit() {
    let target = Target::new(clif_cont::abi::Isa::X86_64);
    let refused = |params: &[ValType], results: &[ValType]| {
        let mut l = linker(target);
        l.export("one", params, results);
        l.finish().map(drop)
    };
    for (params, results) in [(vec![ValType::I64; 40], vec![]), (vec![ValType::F64], vec![ValType::I64])] {
        let error = refused(&params, &results).expect_err("other types");
        assert!(matches!(&error, LinkError::Program(ProgramError::ExportTypes { export, .. }) if export == "one"));
        assert_eq!(error.to_string(), "export `one` has other types than its function, %one(i64) -> i64 tail");
    }
    let mut l = linker(target);
    l.export("nobody", &[], &[]);
    let error = l.finish().expect_err("not defined").to_string();
    assert_eq!(error, "export `nobody` is of function %nobody, which is not defined");

    let mut l = linker(target);
    let empty = ContType::default();
    assert_eq!(l.define("f", |_| Ok(())), Err(LinkError::Undeclared("f".into())));
    l.declare("f", empty.clone());
    let error = l.define("f", |_| Ok(())).expect_err("an empty body");
    assert!(matches!(&error, LinkError::Unterminated { function, .. } if function == "f"), "{error}");
    let error = l.define("f", |f| {
        let (other, exit) = (f.b.create_block(), f.b.create_block());
        let zero = f.b.ins().iconst(I32, 0);
        f.b.ins().brif(zero, other, &[], exit, &[]);
        f.b.switch_to_block(exit);
        f.b.ins().return_(&[]);
        Ok(())
    });
    assert!(matches!(error, Err(LinkError::Unterminated { .. })), "{error:?}");
    type Body = fn(&mut clif_cont::link::FunctionCx<'_, '_>) -> Result<(), LowerError>;
    let bodies: [(&str, Body); 7] = [
        ("in function `f`: function `nobody` was not declared", |f| f.address("nobody").map(drop)),
        ("in function `f`: function `nobody` was not declared", |f| f.call("nobody", &[]).map(drop)),
        ("in function `f`: expected 1 values, not 0", |f| f.call("one", &[]).map(drop)),
        ("in function `f`: there is no tag 999", |f| {
            let (mut k, b) = f.conts();
            k.suspend(b, TagId(999), &[]).map(drop)
        }),
        ("in function `f`: there is no tag 999", |f| {
            let one = f.address("one")?;
            let (mut k, b) = f.conts();
            let ty = ContType::new([I64], [I64]);
            let object = k.cont_new(b, one, &ty)?;
            let x = b.ins().iconst(I64, 1);
            k.resume(b, object, &ty, &[x], &[on(TagId(999), Block::from_u32(0))]).map(drop)
        }),
        ("in function `f`: the function has no value v999", |f| {
            f.call("one", &[cranelift_codegen::ir::Value::from_u32(999)]).map(drop)
        }),
        (
            "in function `f`: a continuation that runs %two(f64) -> f64 tail is made with a type that asks for (i64) -> i64 tail",
            |f| {
                let two = f.address("two")?;
                let (mut k, b) = f.conts();
                k.cont_new(b, two, &ContType::new([I64], [I64])).map(drop)
            },
        ),
    ];
    for (message, body) in bodies {
        assert_eq!(l.define("f", body).expect_err(message).to_string(), message);
    }
    l.declare("f", ContType::new([I64], []));
    l.define("f", |f| {
        f.b.ins().return_(&[]);
        Ok(())
    })
    .expect("the first declaration counts");
    assert_eq!(l.finish().expect_err("declared twice"), LinkError::Redeclared("f".into()));
}
