//! What [`Compiled::stack_bytes`] says is what the code takes, on every ISA with
//! machine code: measured in the code itself. And who takes more than a caller leaves
//! is entered through a check.

#![allow(clippy::print_stdout, reason = "a test")]

mod walk;

use clif_cont_abi::{Abi, Isa};
use clif_cont_program::compile::{CompileErrorKind, Compiled, Disassembly, NoEntry, compile, optimize, verify};
use clif_cont_program::target::{OptLevel, target_isa};
use clif_cont_program::{Origin, ProgFunction, Program, Target, stack};
use clif_cont_verifier::Profile;
use cranelift_codegen::ir::Function;

const NATIVE: [Isa; 4] = [Isa::X86_64, Isa::Aarch64, Isa::Riscv64, Isa::S390x];

fn list(n: usize, f: impl Fn(usize) -> String) -> String {
    (0..n).map(f).collect::<Vec<_>>().join(", ")
}

fn types(n: usize, ty: &str) -> String {
    list(n, |_| ty.to_owned())
}

/// A function of that convention with so many parameters and results, and a body.
fn function(conv: &str, params: &str, results: &str, preamble: &str, body: &str) -> Function {
    let declared = params.split(", ").filter(|t| !t.is_empty());
    let declared: Vec<String> = declared.enumerate().map(|(i, t)| format!("v{i}: {t}")).collect();
    let results = if results.is_empty() { String::new() } else { format!(" -> {results}") };
    let text =
        format!("function %f({params}){results} {conv} {{\n{preamble}\nblock0({}):\n{body}\n}}\n", declared.join(", "));
    cranelift_reader::parse_functions(&text).unwrap_or_else(|e| panic!("{e}\n{text}")).remove(0)
}

/// `v10000..`, so many constants that a compiler cannot do without.
fn constants(n: usize) -> String {
    (0..n).map(|i| format!("  v{} = load.i64 notrap v0+{}\n", 10000 + i, 8 * i)).collect()
}

fn constant_names(n: usize) -> String {
    list(n, |i| format!("v{}", 10000 + i))
}

/// Stores them again, so that all are alive until here.
fn stores(n: usize) -> String {
    (0..n).map(|i| format!("  store notrap v{}, v0+{}\n", 10000 + i, 8 * i)).collect()
}

/// Name, function, and the bytes of arguments that a tail call in it to a function of
/// another type may leave on the stack: which of them are in registers, and in the
/// area of its own arguments, is not counted.
fn shapes() -> Vec<(String, Function, i64)> {
    let mut shapes = vec![("leaf".to_owned(), function("tail", "i64", "i64", "", "  return v0"), 0)];
    for bytes in [8, 100, 4096, 20_000, 40_000, 300_000] {
        let slot = format!("  ss0 = explicit_slot {bytes}");
        let body = "  v1 = stack_addr.i64 ss0\n  store v0, v1\n  return";
        for conv in ["tail", "system_v"] {
            shapes.push((format!("{conv}, slot of {bytes}"), function(conv, "i64", "", &slot, body), 0));
        }
    }
    for params in [1, 12, 1000] {
        let pre = "  sig0 = () tail\n  fn0 = colocated %g sig0";
        let body = format!("{}  call fn0()\n{}  return", constants(5000), stores(5000));
        let name = format!("{params} parameters, 5000 values across a call");
        shapes.push((name, function("tail", &types(params, "i64"), "", pre, &body), 0));
    }
    for n in [1, 8, 40, 700] {
        let body = format!("{}  call fn0()\n{}  return", constants(n), stores(n));
        let pre = "  sig0 = () tail\n  fn0 = colocated %g sig0";
        shapes.push((format!("{n} values across a call"), function("tail", "i64", "", pre, &body), 0));
        let pre = "  sig0 = (i64) -> i64 tail\n  fn0 = colocated %g sig0";
        let body = format!(
            "{}  try_call fn0(v0), sig0, block1(ret0), []\nblock1(v1: i64):\n{}  return",
            constants(n),
            stores(n)
        );
        shapes.push((format!("{n} values across a switch"), function("tail", "i64", "", pre, &body), 0));
    }
    for n in [3, 7, 12, 100, 1000] {
        for (conv, callee) in [("tail", "tail"), ("tail", "system_v"), ("system_v", "tail")] {
            let pre = format!("  sig0 = ({}) -> i64 {callee}\n  fn0 = colocated %g sig0", types(n, "i64"));
            let args = list(n, |_| "v0".to_owned());
            let body = format!("  v1 = call fn0({args})\n  return v1");
            let name = format!("{conv} calls {callee} with {n} arguments");
            shapes.push((name, function(conv, "i64", "i64", &pre, &body), 0));
        }
        // results: given, and received
        let body = format!("{}  return {}", constants(n), constant_names(n));
        shapes.push((format!("{n} results"), function("tail", "i64", &types(n, "i64"), "", &body), 0));
        let pre = format!("  sig0 = (i64) -> {} tail\n  fn0 = colocated %g sig0", types(n, "i64"));
        let body = format!("  {} = call fn0(v0)\n{}  return", constant_names(n), stores(n));
        shapes.push((format!("call with {n} results"), function("tail", "i64", "", &pre, &body), 0));
        // tail calls: of more arguments than it has itself, of as many, of fewer
        for (own, other) in [(1, true), (n, false), (n + 7, true)] {
            for indirect in [false, true] {
                let pre = format!("  sig0 = ({}) -> i64 tail\n  fn0 = colocated %g sig0", types(n, "i64"));
                let args = list(n, |i| format!("v{}", i % own));
                let body = match indirect {
                    false => format!("  return_call fn0({args})"),
                    true => format!("  v9999 = func_addr.i64 fn0\n  return_call_indirect sig0, v9999({args})"),
                };
                // the return shows on s390x what the caller made room for
                let body = format!("  brif v0, block1, block2\nblock1:\n{body}\nblock2:\n  return v0");
                let name = format!("{own} parameters, tail call with {n} arguments, indirect: {indirect}");
                let own = types(own, "i64");
                shapes.push((name, function("tail", &own, "i64", &pre, &body), if other { 8 * n as i64 } else { 0 }));
            }
        }
    }
    // wide arguments are aligned
    for ty in ["i128", "i8x16", "f64", "f32"] {
        let params = list(150, |i| if i % 2 == 0 { "i64".to_owned() } else { ty.to_owned() });
        let pre = format!("  sig0 = ({params}) tail\n  fn0 = colocated %g sig0");
        let value = |to: &str| match ty {
            "f32" | "f64" => format!("  v1 = {ty}const 0.0\n  {to}"),
            "i128" => format!("  v1 = uextend.i128 v0\n  {to}"),
            _ => format!("  v2 = iconst.i8 1\n  v1 = splat.i8x16 v2\n  {to}"),
        };
        let args = list(150, |i| format!("v{}", i % 2));
        let body = value(&format!("return_call fn0({args})"));
        shapes.push((format!("tail call with arguments of {ty}"), function("tail", "i64", "", &pre, &body), 16 * 150));
        let body = value(&format!("call fn0({args})\n  return"));
        shapes.push((format!("call with arguments of {ty}"), function("tail", "i64", "", &pre, &body), 0));
    }
    shapes
}

fn program(isa: Isa, func: Function) -> Program {
    let mut program = Program::new(Target::new(isa));
    let trap = cranelift_reader::parse_functions("function %cc_trap(i32) tail {\nblock0(v0: i32):\n  trap user1\n}\n");
    program.functions.push(ProgFunction::new(func, Origin::Program));
    program.functions.push(ProgFunction::new(trap.expect("valid").remove(0), Origin::Runtime));
    program
}

fn agree(isa: Isa, name: &str, code: &Compiled, arguments: i64) {
    let (said, taken) = (i64::from(code.stack_bytes), walk::taken(isa, &code.code));
    // two words of a frame's link, which a leaf has not on every ISA; on s390x nobody
    let slack = 16 + if arguments == 0 { 0 } else { arguments + 32 };
    assert!(
        taken <= said && said - taken <= slack,
        "{}, {name}: it is said to take {said} bytes, and takes {taken}",
        isa.name()
    );
}

#[test]
fn code_takes_what_is_said_of_it() {
    // without its vector extension, riscv64 has none
    let (mut checked, mut vectors) = (0, 0);
    for isa in NATIVE {
        for opt in OptLevel::ALL {
            let target = target_isa(Target::new(isa), opt).expect("built in");
            for (name, func, arguments) in shapes() {
                verify(&func, &*target).unwrap_or_else(|e| panic!("{}, {name}: {e}", isa.name()));
                let func = optimize(&func, &*target).expect("optimises");
                let code = match compile(&func, &*target, Disassembly::Drop) {
                    Ok(code) => code,
                    Err(e) => {
                        assert!(isa == Isa::Riscv64 && name.contains("i8x16"), "{name}: {e}");
                        vectors += 1;
                        continue;
                    }
                };
                agree(isa, &name, &code, arguments);
                checked += 1;
            }
        }
    }
    println!("{checked} functions; {vectors} with vectors, which riscv64 does not have here");
    assert_eq!(checked + vectors, NATIVE.len() * OptLevel::ALL.len() * shapes().len());
}

#[test]
fn who_takes_more_than_a_caller_leaves_is_entered_through_a_check() {
    let (mut plain, mut entered) = (0, 0);
    for isa in NATIVE {
        let target = target_isa(Target::new(isa), OptLevel::None).expect("built in");
        for (name, func, arguments) in shapes() {
            let tail = func.signature.call_conv == cranelift_codegen::isa::CallConv::Tail;
            let program = program(isa, func);
            let func = &program.functions[0].func;
            let parts = match stack::parts(&program, func, &*target, Disassembly::Drop) {
                Ok(parts) => parts,
                Err(e) => {
                    let large = !tail
                        && matches!(e.kind, CompileErrorKind::Frame(n, NoEntry::Convention) if n > Abi::MAX_FRAME);
                    assert!(large || isa == Isa::Riscv64 && name.contains("i8x16"), "{name}: {e}");
                    continue;
                }
            };
            let [first, rest @ ..] = &parts[..] else { panic!("{name}: no code") };
            assert!(first.symbol == "f" && first.code.stack_bytes <= Abi::MAX_FRAME, "{name}");
            let [body] = rest else {
                agree(isa, &name, &first.code, arguments);
                plain += 1;
                continue;
            };
            // an entry does not return, so that its code does not show there how much room
            // its caller made: an area for registers, and the arguments
            let room = if isa == Isa::S390x { 160 + 8 * func.signature.params.len() as i64 } else { 0 };
            agree(isa, &name, &first.code, room);
            entered += 1;
            assert!(body.code.stack_bytes > Abi::MAX_FRAME && stack::function_of(&body.symbol) == "f", "{name}");
            agree(isa, &name, &body.code, arguments);
            verify(&first.func, &*target).unwrap_or_else(|e| panic!("{name}: {e}"));
            // it has the usual shape, and compares with exactly what the body needs
            let least = program.target.abi.stack_bound() + u64::from(body.code.stack_bytes);
            let profile = Profile::clif_cont(&program.target.abi).with_stack_bound(least);
            let report = clif_cont_verifier::verify(&first.func, &profile);
            assert!(report.findings.is_empty(), "{name}: {:?}", report.findings);
        }
    }
    println!("{plain} plain, {entered} entered through a check");
    assert!(plain > 300 && entered >= NATIVE.len() * 5);
}

#[test]
fn what_cannot_have_an_entry_is_refused_and_pulley_needs_none() {
    let big = |conv| function(conv, "", "", "  ss0 = explicit_slot 100000", "  return");
    for isa in NATIVE {
        let target = target_isa(Target::new(isa), OptLevel::None).expect("built in");
        let refused = |program: &Program, why| {
            let e = stack::parts(program, &program.functions[0].func, &*target, Disassembly::Drop).unwrap_err();
            assert!(matches!(e.kind, CompileErrorKind::Frame(n, w) if n > Abi::MAX_FRAME && w == why), "{e}");
        };
        refused(&program(isa, big("system_v")), NoEntry::Convention);
        let mut without = program(isa, big("tail"));
        without.functions.pop();
        refused(&without, NoEntry::NoTrap);
        let many = function("tail", &types(5000, "i64"), "", "  ss0 = explicit_slot 100000", "  return");
        refused(&program(isa, many), NoEntry::Arguments);
    }
    for isa in [Isa::Pulley64, Isa::Pulley64be] {
        let target = target_isa(Target::new(isa), OptLevel::None).expect("built in");
        let program = program(isa, big("tail"));
        let parts = stack::parts(&program, &program.functions[0].func, &*target, Disassembly::Drop).expect("compiles");
        assert_eq!(parts.len(), 1);
    }
}

/// The measure itself would see it: code that was compiled with a larger frame than is said.
#[test]
fn the_measure_finds_what_is_not_said() {
    for isa in NATIVE {
        let target = target_isa(Target::new(isa), OptLevel::None).expect("built in");
        let slot = |bytes: u32| {
            let func = function("tail", "i64", "", &format!("  ss0 = explicit_slot {bytes}"), "  return");
            walk::taken(isa, &compile(&func, &*target, Disassembly::Drop).expect("compiles").code)
        };
        assert_eq!(slot(70_000) - slot(4_000), 66_000, "{}", isa.name());
    }
}
