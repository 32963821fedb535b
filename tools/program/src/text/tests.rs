//! Printing and parsing undo each other, and errors have their places.

use std::collections::BTreeMap;

use clif_cont_abi::{Abi, ContRef, Exceptions, Isa, Record, Region, SwitchModel};
use cranelift_codegen::ir;

use super::{Annotate, PrintOptions, parse, print, print_function};
use crate::{Data, DataItem, Export, HostImport, Origin, Program, Signature, Target, ValType};

/// Every construct that the lowering uses, and those that have been trouble.
const FUNCTIONS: &str = r#"
; a generator
;   indented
;
function %gen(i64, i32) -> i64, i64 tail {
    ss0 = explicit_slot 32, align = 8
    region0 = 1 "context"
    region1 = 4 "last_ancestor"
    gv0 = symbol colocated %cc_store
    gv1 = symbol colocated %tag_0+8
    sig0 = (i64) -> i64 tail
    sig1 = (i64, i64, i64) -> i64, i64, i64, i64, i64 tail
    sig2 = (i32) tail
    sig3 = (i64 sext, f32) -> f64 system_v
    fn0 = colocated %other sig0
    fn1 = colocated %cc_switch sig1
    fn2 = %cc_host_call sig3
    fn3 = %Memmove sig0
    const0 = 0x00000000000000000000000000000001

block0(v0: i64, v1: i32):  ; entry
    v2 = symbol_value.i64 gv0
    v3 = load.i64 notrap aligned region0 v0-8
    ; check the revision
    ; and store it
    store notrap aligned region1 v3, v0+40
    v4 = get_stack_pointer.i64
    v5 = get_frame_pointer.i64
    v6 = stack_switch v4, v5, v3
    v21 = iconst.i64 64
    v7 = icmp ult v6, v21
    brif v7, block1(v6), block5

block1(v8: i64):
    try_call fn1(v8, v0, v0), sig1, block2(ret4), []

block2(v9: i64):  ; back: the effect
    v10 = ireduce.i32 v9
    br_table v10, block5, [block3, block4]

block3:
    v11 = func_addr.i64 fn0
    v12 = call_indirect sig0, v11(v9)
    try_call fn0(v12), sig0, block4, [ tag0: block6(exn0, exn1), default: block5 ]

block4:
    v13 = f64const 0x1.8000000000000p1
    v14 = f32const +NaN
    v15 = vconst.i8x16 const0
    v16 = bitcast.i64 v13
    v17 = stack_addr.i64 ss0+8
    v18 = load.i16 little v17-0x8000
    return v16, v17

block5 cold:  ; trap
    trap user1

block6(v19: i64, v20: i64) cold:
    return v19, v20
}

function %other(i64) -> i64 tail {
    sig0 = (i64) -> i64 tail
    fn0 = colocated %other sig0

block0(v0: i64):
    return_call fn0(v0)
}

;! runtime ; functions from here on are the lowering's own

function %cc_entry(i64) tail {
block0(v0: i64):
    trap user7
}
"#;

fn sample(target: Target) -> Program {
    let mut items = BTreeMap::new();
    items.insert(0, DataItem::Bytes(vec![0; 20]));
    items.insert(20, DataItem::Bytes([vec![1; 40], vec![0; 30], vec![2, 0, 0]].concat()));
    items.insert(96, DataItem::Symbol("gen".into()));
    items.insert(104, DataItem::Word(u64::MAX));
    let data =
        |name: &str, items| Data { name: name.into(), writable: false, align: 8, size: 128, items, comment: None };
    let text = format!("{}\n{}", header(target), FUNCTIONS.trim_start());
    let mut p = parse(&text, None).expect("a valid sample");
    p.data = vec![data("cc_store", BTreeMap::new()), data("bytes", items)];
    p.data[0].writable = true;
    p.data[1].comment = Some("tag $yield; and more".into());
    p.imports = vec![HostImport {
        module: "env \"q\" \\".into(),
        name: "prünt\n".into(),
        params: vec![ValType::F32],
        results: vec![],
    }];
    p.exports = vec![Export {
        name: "main".into(),
        function: "gen".into(),
        enter: String::new(),
        params: vec![ValType::I64, ValType::Cont],
        results: vec![ValType::Ref],
    }];
    p.init = Some(Export {
        name: "init".into(),
        function: "other".into(),
        enter: "cc_entry".into(),
        params: vec![],
        results: vec![],
    });
    p
}

fn header(target: Target) -> String {
    print(&Program::new(target), PrintOptions::default())
}

const ALL: PrintOptions<'static> = PrintOptions { func: None, annotate: Annotate::Insts };

#[test]
fn printing_and_parsing_undo_each_other_on_every_target() {
    for isa in Isa::ALL {
        for model in isa.switch_models() {
            let target = Target::with_switch(isa, *model).expect("listed");
            let p = sample(target);
            for options in [ALL, PrintOptions::default()] {
                let once = print(&p, options);
                let q = parse(&once, None).unwrap_or_else(|e| panic!("{e}\n{once}"));
                assert_eq!(once, print(&q, options), "{}", isa.name());
                assert_eq!((q.target, &q.imports, &q.exports, &q.init), (p.target, &p.imports, &p.exports, &p.init));
                assert_eq!(
                    q.functions.iter().map(|f| f.origin).collect::<Vec<_>>(),
                    [Origin::Program, Origin::Program, Origin::Runtime]
                );
            }
        }
    }
}

#[test]
fn the_functions_of_the_sample_are_printed_as_they_were_written() {
    let target = Target::with_switch(Isa::X86_64, SwitchModel::Instruction).expect("exists");
    let text = format!("{}\n{}", header(target), FUNCTIONS.trim_start());
    let printed = print(&parse(&text, None).expect("valid"), ALL);
    // but for the comments that Cranelift adds behind instructions
    let plain = |text: &str| {
        text.lines()
            .map(|l| {
                if l.starts_with("    v") || l.starts_with("    return") {
                    l.split("  ;").next().unwrap_or(l)
                } else {
                    l
                }
            })
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_eq!(plain(&printed), plain(&text).trim_end());
}

/// Names and comments from strangers: nothing hidden is printed, and what can be read is read again.
#[test]
fn hostile_names_are_printed_so_that_they_can_be_read() {
    let name = "a\n;! runtime\u{1b}[31m\u{202e}\r\u{2028}; error: CC0003 */ --> {\u{feff}\"\\\n}";
    let mut program = sample(Target::new(Isa::X86_64));
    program.exports[0].name = name.to_owned();
    program.imports[0].module = name.to_owned();
    program.data[1].comment = Some(name.to_owned());
    let f = &mut program.functions[0];
    f.comments.header = vec![name.to_owned()];
    f.comments.blocks.values_mut().for_each(|c| *c = name.to_owned());
    f.comments.insts.values_mut().for_each(|c| *c = name.to_owned());
    let text = print(&program, ALL);
    assert!(!text.contains(|c| c != '\n' && clif_cont_output::is_hidden(c)), "{text:?}");
    let read = parse(&text, None).expect("it is read again");
    assert_eq!((&read.exports, &read.imports), (&program.exports, &program.imports));
    assert_eq!(read.functions.len(), program.functions.len());
    assert_eq!(print(&read, ALL), text);
}

#[test]
fn comments_survive_in_their_places() {
    let p = sample(Target::new(Isa::X86_64));
    let f = &p.functions[0];
    assert_eq!(f.comments.header, ["a generator", "  indented", ""]);
    assert_eq!(f.comments.blocks.values().collect::<Vec<_>>(), ["entry", "back: the effect", "trap"]);
    assert_eq!(f.comments.insts.values().collect::<Vec<_>>(), ["check the revision\nand store it"]);
    let quiet = print(&p, PrintOptions::default());
    assert!(!quiet.contains("revision") && quiet.contains("; entry"));
}

#[test]
fn data_is_cut_into_lines_without_long_zero_runs() {
    let p = sample(Target::new(Isa::X86_64));
    let text = print(&p, PrintOptions::default());
    let items: Vec<&str> = text.lines().filter(|l| l.starts_with(";!   +")).collect();
    assert_eq!(
        items,
        [
            &format!(";!   +20 bytes {}", "01".repeat(32)),
            ";!   +52 bytes 0101010101010101",
            ";!   +90 bytes 02",
            ";!   +96 symbol %gen",
            ";!   +104 word 0xffffffffffffffff",
        ]
    );
}

#[test]
fn one_function_can_be_printed_alone() {
    let p = sample(Target::new(Isa::X86_64));
    let text = print(&p, PrintOptions { func: Some("other"), ..ALL });
    assert!(text.starts_with("function %other(i64)") && text.ends_with("}\n"));
    let q = parse(&text, Some(p.target)).expect("parses alone");
    assert_eq!(q.functions.len(), 1);
    assert_eq!(print(&p, PrintOptions { func: Some("none"), ..ALL }), "");
}

#[test]
fn regions_and_offsets_of_the_abi_roundtrip() {
    for isa in [Isa::X86_64, Isa::Pulley32be] {
        let target = Target::new(isa);
        let mut func = String::from("function %f(i64) tail {\n");
        for r in Region::ALL {
            func.push_str(&format!("    region{} = {} \"{}\"\n", r as u32 - 1, r.id(), r.name()));
        }
        func.push_str("\nblock0(v0: i64):\n");
        let mut n = 0;
        for field in Record::ALL.iter().flat_map(|r| r.fields) {
            n += 1;
            let offset = ir::immediates::Offset32::new(field.offset(&target.abi));
            func.push_str(&format!(
                "    v{n} = load.i64 notrap aligned region{} v0{offset}\n",
                field.region as u32 - 1
            ));
        }
        func.push_str("    return\n}\n");
        let text = format!("{}\n{func}", header(target));
        assert_eq!(print(&parse(&text, None).expect("valid"), ALL), text);
        assert!(text.contains(&format!("v0+{}", ContRef::STORE.offset(&target.abi))));
    }
}

#[test]
fn plain_clif_gets_exports_and_names() {
    let text = "test interpret\nset opt_level=speed\ntarget aarch64\n\n; header\nfunction u0:3(i32) -> i64 {\n    sig0 = (i64)\n    fn0 = u1:0 sig0\n    gv0 = symbol u1:0\nblock0(v0: i32):\n    v1 = sextend.i64 v0\n    return v1\n}\n; run: u0:3(1) == 1\n\nfunction %narrow(i8) {\nblock0(v0: i8):\n    return\n}\nfunction u1:0(i64) {\nblock0(v0: i64):\n    return\n}\n";
    let p = parse(text, None).expect("valid");
    assert_eq!(p.target, Target::new(Isa::Aarch64));
    assert_eq!(parse(text, Some(Target::new(Isa::S390x))).expect("valid").target, Target::new(Isa::S390x));
    let names: Vec<_> = p.exports.iter().map(|e| (e.name.as_str(), e.function.as_str(), e.enter.as_str())).collect();
    assert_eq!(names, [("u0_3", "u0_3", ""), ("u1_0", "u1_0", "")]);
    assert_eq!(
        (p.exports[0].params.as_slice(), p.exports[0].results.as_slice()),
        ([ValType::I32].as_slice(), [ValType::I64].as_slice())
    );
    let printed = print(&p, ALL);
    assert!(printed.contains("fn0 = %u1_0 sig0") && printed.contains("gv0 = symbol %u1_0"), "{printed}");
    assert_eq!(print(&parse(&printed, None).expect("valid"), ALL), printed);
}

#[test]
fn test_directives_are_ignored() {
    let text = "; what this tests\n;;! run: f() == 1\nfunction %f() -> i32 {\nblock0:\n    ;;! nothing\n    v0 = iconst.i32 1\n    return v0\n}\n";
    let p = parse(text, Some(Target::new(Isa::X86_64))).expect("valid");
    assert_eq!(p.functions[0].comments.header, ["what this tests"]);
    assert!(p.functions[0].comments.insts.is_empty());
}

#[track_caller]
fn fails(text: &str, line: u32, column: u32, message: &str) {
    let e = parse(text, Some(Target::new(Isa::X86_64))).expect_err("invalid");
    assert!(e.message.contains(message), "{e}");
    assert_eq!((e.line, e.column), (line, column), "{e}");
}

#[test]
fn errors_in_directives_have_their_place() {
    let h = header(Target::new(Isa::X86_64));
    fails(&format!("{h};! exprot \"f\" %f () -> ()\n"), 3, 4, "unknown directive `exprot`");
    fails(&format!("{h};! export \"f\" %f () -> (i33)\n"), 3, 25, "expected a type");
    fails(&format!("{h};! export \"f\" %f () -> ()\n"), 3, 1, "there is no function %f");
    fails(&format!("{h};! data %d writable size 8 align 3\n"), 3, 34, "power of two");
    fails(&format!("{h};! data %d writable size 8 align 8\n;!   +4 word 1\n"), 4, 7, "beyond the size of %d");
    fails(&format!("{h};!   +4 word 1\n"), 3, 7, "without data");
    fails(
        &format!("{h};! data %d writable size 8 align 8\n;! data %d readonly size 8 align 8\n"),
        4,
        9,
        "second definition",
    );
    fails(&format!("{h};! import \"a\" \"b () -> ()\n"), 3, 15, "does not end");
    fails(";! clif-cont 2\n", 1, 14, "version 2");
    fails("; x\n;! target x86_64\n", 2, 4, "first directive");
    fails(";! clif-cont 1\n", 1, 1, "no `;! target`");
    fails(&h.replace("width 64", "width 32"), 2, 24, "is 64");
    fails(&h.replace("little", "big"), 2, 34, "byte order");
    fails(&h.replace("instruction", "hostcall"), 2, 48, "no switch model");
    fails(&h.replace("slot-bits 20", "slot-bits 20 exceptions all"), 2, 84, "convention for exceptions");
    fails(
        &format!("{h}function %f() {{\nblock0:\n    return\n}}\n;! data %d writable size 8 align 8\n"),
        7,
        4,
        "behind the first function",
    );
    fails(
        &format!(
            "{h}function %f() {{\n;! runtime\nblock0:\n    return\n}}\nfunction %g() {{\nblock0:\n    return\n}}\n"
        ),
        4,
        1,
        "between two functions",
    );
}

/// A switch of each kind of directive; `@` is where they go.
fn with_operation(directives: &str) -> String {
    let indented: String = directives.lines().map(|l| format!("    {l}\n")).collect();
    format!(
        "function %f(i64, i64) -> i64 tail {{\nblock0(v0: i64, v1: i64):\n{indented}    v2 = stack_switch v0, v1, v0\n    store v2, v0+24\n    return v2\n}}\n"
    )
}

#[test]
fn types_of_operations_and_tags_are_kept() {
    let header = header(Target::new(Isa::X86_64));
    let said = [
        "resume (i32, cont) -> (f64, ref)",
        "resume_throw () -> ()",
        "switch (i64, cont) -> () receive (f32, i32)",
        "switch (i64, i64) -> () receive ()",
    ];
    for said in said {
        for more in ["", "\n;! kept +56 +72"] {
            let text = format!(
                "{header};! tag %t (i32) -> (cont)\n;! data %t readonly size 8 align 8\n\n{}",
                with_operation(&format!("; above\n;! {said}{more}"))
            );
            let program = parse(&text, None).unwrap_or_else(|e| panic!("{e}\n{text}"));
            assert_eq!(print(&program, ALL), text);
            let [f] = &program.functions[..] else { panic!("one function") };
            assert_eq!(f.operations.values().map(ToString::to_string).collect::<Vec<_>>(), [said]);
            assert_eq!(
                f.kept.values().flatten().copied().collect::<Vec<_>>(),
                if more.is_empty() { vec![] } else { vec![56, 72] }
            );
            let types = Signature::new([ValType::I32], [ValType::Cont]);
            assert_eq!(program.tags.into_iter().collect::<Vec<_>>(), [("t".to_owned(), types)]);
        }
    }
    let bind = with_operation("").replace("    store", "    ;! cont.bind (i32, cont) -> () 1\n    store");
    let program = parse(&bind, Some(Target::new(Isa::X86_64))).expect("valid");
    assert_eq!(print_function(&program.functions[0], Annotate::Blocks), bind);
}

#[test]
fn errors_in_types_have_their_place() {
    fails(&with_operation(";! resume (i32) -> (i33)"), 3, 25, "expected a type");
    fails(&with_operation(";! resume (i32)"), 3, 20, "expected `->`");
    fails(&with_operation(";! resume () -> () 1"), 3, 24, "the end of the directive");
    fails(&with_operation(";! switch (i32) -> () receive ()"), 3, 15, "is a `cont`");
    fails(&with_operation(";! switch (cont) -> ()"), 3, 27, "expected `receive`");
    fails(&with_operation(";! cont.bind (i32) -> () 2"), 3, 30, "how many of the parameters");
    fails(&with_operation(";! cont.bind (i32) -> () 1"), 3, 8, "directly above");
    fails(&with_operation(";! kept 56"), 3, 13, "expected `+`");
    fails(&with_operation(";! resum () -> ()"), 3, 8, "unknown directive `resum`");
    fails(&with_operation(";! runtime"), 3, 8, "the first directive has to be");
    fails(&with_operation(";! resume () -> ()\n;! resume () -> ()"), 4, 8, "twice");
    fails(&with_operation(";! resume () -> ()\nv5 = iconst.i64 1"), 3, 8, "directly above");
    let above = |what: &str, at: &str| with_operation("").replace(at, &format!("{what}\n{at}"));
    fails(&above("    ;! resume () -> ()", "    store"), 4, 8, "directly above");
    fails(&above(";! resume () -> ()", "function"), 1, 4, "directly above");
    fails(&above(";! resume () -> ()", "}"), 6, 4, "directly above");
    let h = header(Target::new(Isa::X86_64));
    fails(&format!("{h};! tag %t (i32) -> ()\n"), 3, 1, "there is no data %t");
    fails(&format!("{h};! tag %t (i32) -> ()\n;! tag %t (i32) -> ()\n"), 4, 8, "second type of the tag %t");
    fails(&format!("{h};! tag t () -> ()\n"), 3, 8, "expected %name of the tag");
    let exported = format!("{h};! data %t readonly size 8 align 8\n;! export tag \"t\" %t (i32) -> ()\n");
    fails(&format!("{exported};! tag %t (i64) -> ()\n"), 5, 1, "another type where it is exported as `t`");
}

#[test]
fn errors_in_clif_have_their_place() {
    fails("function %f() {\nblock0:\n    v1 = iadd v0, v0\n    return\n}\n", 3, 19, "v0");
    fails("\n\nfunction %f() {\n block0:\n    retrun\n}\n", 5, 5, "retrun");
    fails("function %f(i32 -> i32 {\n", 1, 17, "expected ')'");
    fails("function %f() {\nblock0:\n    v0 = iconst.i32 99999999999999999999\n", 3, 21, "");
    fails(
        "function %f() {\nblock0:\n    return\n}\nfunction %f() {\nblock0:\n    return\n}\n",
        5,
        1,
        "second definition of %f",
    );
    fails("function %f() {\nblock0:\n    v4000000000 = iconst.i32 8\n", 3, 5, "v4000000000");
    fails("function %f() {\nblock0:\n    return é\n}\n", 3, 12, "");
    fails("function %f() {\nblock0:\n", 2, 7, "");
}

#[test]
fn a_text_without_any_target_is_refused() {
    assert!(parse("function %f() {\nblock0:\n    return\n}\n", None).is_err());
}

#[test]
fn slot_bits_are_kept() {
    let mut target = Target::new(Isa::Riscv64);
    target.abi.slot_bits = Abi::default_slot_bits(target.abi.width) + 2;
    assert_eq!(parse(&header(target), None).expect("valid").target, target);
}

#[test]
fn the_convention_of_exceptions_is_said_where_there_are_any() {
    let mut target = Target::new(Isa::S390x);
    assert!(!header(target).contains("exceptions"));
    target.abi.exceptions = Exceptions::ExtraResult;
    let text = header(target);
    assert!(text.contains(" exceptions extra-result\n"), "{text}");
    assert_eq!(parse(&text, None).expect("valid").target, target);
    let none = text.replace("extra-result", "none");
    assert_eq!(parse(&none, None).expect("valid").target, Target::new(Isa::S390x));
}

#[test]
fn a_global_value_has_a_declared_base() {
    for (gv, line) in [("gv0 = iadd_imm.i64 gv7, 4", 3), ("gv3 = load.i64 notrap aligned gv4", 3)] {
        let text = format!("function %f() {{\n    ss0 = explicit_slot 8\n    {gv}\n\nblock0:\n    return\n}}\n");
        let error = parse(&text, Some(Target::new(Isa::X86_64))).expect_err("the base is missing");
        assert_eq!(error.line, line, "{error:?}");
        assert!(error.message.ends_with("which is not declared"), "{error:?}");
    }
}
