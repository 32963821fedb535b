//! Types of tags and operations: what the builders say of them is in a program, survives
//! its text, and is what the verifier holds the code to.

use clif_cont::finish::finish;
use clif_cont::link::{LinkError, Linker};
use clif_cont::lowering::{ContType, on};
use clif_cont::program::target::OptLevel;
use clif_cont::program::text::{PrintOptions, parse, print};
use clif_cont::program::{Program, Target, ValType};
use clif_cont::protocol::{Verified, profile, verify_program};
use clif_cont_abi::Isa;
use cranelift_codegen::ir::types::{F32, I32, I64, I128};
use cranelift_codegen::ir::{InstBuilder, Type};

/// `run(x)`: binds x, resumes with a number, under a handler that is given a value of a
/// type, and resumes again.
fn program(target: Target, sent: Type) -> Result<Program, LinkError> {
    let mut p = Linker::new(target);
    let word = p.word_type();
    let tag = p.tag("ask", ContType::new([sent], [F32]));
    let whole = ContType::new([I64, I32], [I64]);
    let bound = ContType::new([I32], [I64]);
    let asking = ContType::new([F32], [I64]);

    p.declare("body", whole.clone());
    p.define("body", |f| {
        let x = f.params[0];
        let (mut k, b) = f.conts();
        let sent = match sent {
            I128 => b.ins().uextend(I128, x),
            _ => x,
        };
        k.suspend(b, tag, &[sent])?;
        b.ins().return_(&[x]);
        Ok(())
    })?;
    p.declare("run", ContType::new([I64], [I64]));
    p.define("run", |f| {
        let asked = f.b.create_block();
        f.b.append_block_param(asked, sent);
        let object = [word, word].map(|ty| f.b.append_block_param(asked, ty));
        let (body, x) = (f.address("body")?, f.params[0]);
        let (mut k, b) = f.conts();
        let fresh = k.cont_new(b, body, &whole)?;
        let ready = k.cont_bind(b, fresh, &whole, &[x])?;
        let n = b.ins().iconst(I32, 7);
        let returned = k.resume(b, ready, &bound, &[n], &[on(tag, asked)])?;
        b.ins().return_(&returned);
        b.switch_to_block(asked);
        let [contref, revision] = object;
        let half = b.ins().f32const(0.5);
        let again = clif_cont::lowering::ContObj { contref, revision };
        let returned = k.resume(b, again, &asking, &[half], &[])?;
        b.ins().return_(&returned);
        Ok(())
    })?;
    p.export("run", &[ValType::I64], &[ValType::I64]);
    p.finish()
}

fn verified(program: &Program) -> Verified {
    verify_program(program, &profile(clif_cont_abi::PROFILE, &program.target).expect("the usual profile"))
}

/// Functions with operations whose types are not known.
fn untyped(program: &Program) -> Vec<String> {
    let verified = verified(program);
    assert!(verified.is_clean(), "{verified:?}");
    verified.functions.iter().filter(|f| f.report.untyped() > 0).map(|f| f.name.clone()).collect()
}

#[test]
fn builders_say_what_operations_pass() {
    for isa in Isa::ALL {
        for opt in OptLevel::ALL {
            let program = program(Target::new(isa), I64).expect("a program");
            let program = finish(&program, opt).expect("it keeps the protocol");
            assert!(untyped(&program).is_empty());
            let text = print(&program, PrintOptions::default());
            for said in [
                ";! tag %tag_ask (i64) -> (f32)",
                "    ;! cont.bind (i64, i32) -> (i64) 1",
                "    ;! resume (i32) -> (i64)",
                "    ;! resume (f32) -> (i64)",
            ] {
                assert_eq!(text.lines().filter(|line| *line == said).count(), 1, "{said}\n{text}");
            }
            let read = parse(&text, None).expect("what is printed is read");
            assert_eq!(print(&read, PrintOptions::default()), text);
            assert!(untyped(&read).is_empty());
        }
    }
}

#[test]
fn what_cannot_be_said_is_not_known() {
    let program = program(Target::new(Isa::X86_64), I128).expect("a program");
    // one sends it, the other has a handler for it
    assert_eq!(untyped(&program), ["body", "run"]);
}

#[test]
fn code_is_held_to_what_is_said() {
    let program = program(Target::new(Isa::Aarch64), I64).expect("a program");
    let text = print(&program, PrintOptions::default());
    for (right, wrong) in [
        ("tag %tag_ask (i64) -> (f32)", "tag %tag_ask (i32) -> (f32)"),
        ("tag %tag_ask (i64) -> (f32)", "tag %tag_ask (i64, i64) -> (f32)"),
        ("cont.bind (i64, i32) -> (i64) 1", "cont.bind (i64, i64, i32) -> (i64) 1"),
        ("cont.bind (i64, i32) -> (i64) 1", "cont.bind (i32, i32) -> (i64) 1"),
        ("resume (i32) -> (i64)", "resume (i64) -> (i64)"),
        ("resume (f32) -> (i64)", "resume (f32) -> (i32)"),
        ("resume (f32) -> (i64)", "resume (f32) -> ()"),
        ("resume (f32) -> (i64)", "resume_throw () -> (i64)"),
    ] {
        let program = parse(&text.replacen(right, wrong, 1), None).expect("a program");
        let found = verified(&program);
        let mut rules = found.functions.iter().flat_map(|f| &f.report.findings).map(|finding| finding.rule).peekable();
        assert!(rules.peek().is_some() && rules.all(|rule| rule == "CC0204"), "{wrong}: {found:?}");
    }
}
