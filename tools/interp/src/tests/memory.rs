//! Memory accesses: what they read and write, and which are refused.

use clif_cont_abi::{Isa, PointerWidth, Trap};
use clif_cont_program::{DataItem, Instance, Outcome, Val};

use super::{assert_contains, data, data_of, load, program, run, trap, violation};
use crate::memory::{Access, MemFault, Memory};

#[test]
fn byte_order_and_width() {
    let text = "function %f() -> i64, i64, i64, i32, i32 {
        ss0 = explicit_slot 32
        block0:
            v0 = iconst.i64 0x0102030405060788
            v1 = stack_addr.WORD ss0
            store v0, v1
            v2 = uload8.i64 v1
            v3 = sload16.i64 v1
            v4 = load.i64 big v1
            store little v0, v1
            v5 = sload8.i32 v1
            istore16 v0, v1+4
            v6 = load.i32 v1+4
            return v2, v3, v4, v5, v6
        }";
    for isa in Isa::ALL {
        let word = if isa.width() == PointerWidth::W32 { "i32" } else { "i64" };
        let mut interp = load(program(isa, &text.replace("WORD", word)));
        let native: [u8; 8] = match isa.order() {
            clif_cont_abi::ByteOrder::Little => 0x0102_0304_0506_0788u64.to_le_bytes(),
            clif_cont_abi::ByteOrder::Big => 0x0102_0304_0506_0788u64.to_be_bytes(),
        };
        // the upper half: bytes 4 and 5 by the native store, 6 and 7 by the little-endian one
        let (first, last) = match isa.order() {
            clif_cont_abi::ByteOrder::Little => (0x0788, 0x0102_0788),
            clif_cont_abi::ByteOrder::Big => (0x0102, 0x0788_0201),
        };
        let expected = vec![
            Val::I64(native[0].into()),
            Val::I64(first),
            Val::I64(i64::from_be_bytes(native)),
            Val::I32(-0x78),
            Val::I32(last),
        ];
        assert_eq!(interp.invoke("f", &[]).unwrap(), Outcome::Returned(expected), "{}", isa.name());
    }
}

#[test]
fn wide_values_have_their_first_byte_first() {
    let text = "function %f() -> i64, i64 {
        ss0 = explicit_slot 16
        block0:
            v0 = iconst.i64 1
            v1 = iconst.i64 2
            v2 = iconcat v0, v1
            v3 = stack_addr.i64 ss0
            store v2, v3
            v4 = load.i64 v3
            v5 = load.i128 v3
            v6, v7 = isplit v5
            v8 = iadd v6, v7
            return v4, v8
        }";
    for (isa, low) in [(Isa::X86_64, 1), (Isa::S390x, 2)] {
        let outcome = load(program(isa, text)).invoke("f", &[]).unwrap();
        assert_eq!(outcome, Outcome::Returned(vec![Val::I64(low), Val::I64(3)]));
    }
}

#[test]
fn data_holds_what_it_was_given() {
    let text = "function %f() -> i64, i32, i64, i64 {
            gv0 = symbol colocated %word
            gv1 = symbol colocated %bytes
            gv2 = symbol colocated %pointer
            gv3 = iadd_imm.i64 gv1, 4
            gv4 = load.i64 notrap aligned gv2
            sig0 = () -> i64
            fn0 = %g sig0
        block0:
            v0 = symbol_value.i64 gv0
            v1 = load.i64 v0
            v2 = symbol_value.i64 gv3
            v3 = load.i32 v2
            v4 = symbol_value.i64 gv4
            v5 = call_indirect sig0, v4()
            v6 = func_addr.i64 fn0
            v7 = isub v6, v4
            return v1, v3, v5, v7
        }
        function %g() -> i64 {
        block0:
            v0 = iconst.i64 11
            return v0
        }";
    for isa in [Isa::X86_64, Isa::S390x] {
        let mut p = program(isa, text);
        p.data = vec![
            data_of("word", false, 8, DataItem::Word(77)),
            data_of("bytes", true, 8, DataItem::Bytes(vec![9, 9, 9, 9, 5, 5, 5, 5])),
            data_of("pointer", false, 8, DataItem::Symbol("g".to_owned())),
        ];
        let expected = vec![Val::I64(77), Val::I32(0x0505_0505), Val::I64(11), Val::I64(0)];
        assert_eq!(load(p).invoke("f", &[]).unwrap(), Outcome::Returned(expected));
    }
}

#[test]
fn pointers_have_32_bits_on_32_bit_targets() {
    let text = "function %f() -> i32, i32 {
            gv0 = symbol colocated %d
            fn0 = %f() -> i32, i32
        block0:
            v0 = symbol_value.i32 gv0
            v1 = func_addr.i32 fn0
            store v1, v0
            v2 = load.i32 v0
            v3 = isub v2, v1
            return v0, v3
        }";
    let mut p = program(Isa::Pulley32be, text);
    p.data = vec![data("d", 4, 4)];
    match load(p).invoke("f", &[]).unwrap() {
        Outcome::Returned(v) => assert!(v[0] != Val::I32(0) && v[1] == Val::I32(0), "{v:?}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn bad_accesses_are_violations() {
    let cases = [
        ("v1 = load.i64 v0+16", "0 bytes past the end of data `%d`"),
        ("v1 = load.i64 v0+12", "reaches past the end of data `%d`"),
        ("v1 = load.i64 v0-8", "past the end of a return address"),
        ("v1 = load.i64 notrap v0+0x40000000", "outside of every allocation"),
        ("v1 = load.i64 aligned v0+4", "not aligned"),
        ("v1 = iconst.i64 8\n v2 = load.i8 v1", "null pointer"),
        ("v1 = ireduce.i32 v0\n v2 = uextend.i64 v1\n v3 = load.i8 v2", "read of 1 bytes"),
        ("v1 = func_addr.i64 fn0\n v2 = load.i8 v1", "the program's code is code"),
        ("v1 = symbol_value.i64 gv1\n store v1, v1", "data `%constant` is read-only"),
        ("v1 = iconst.i64 2\n v2 = iadd v0, v1\n v3 = atomic_load.i32 v2", "not aligned"),
    ];
    for (body, message) in cases {
        let text = format!(
            "function %f() {{\n gv0 = symbol colocated %d\n gv1 = symbol colocated %constant\n fn0 = %f()\nblock0:\n \
             v0 = symbol_value.i64 gv0\n {body}\n return\n}}"
        );
        let mut p = program(Isa::X86_64, &text);
        p.data = vec![data("d", 16, 16), data_of("constant", false, 16, DataItem::Word(1))];
        assert_contains(violation(&load(p).invoke("f", &[]).unwrap()), message);
    }
}

#[test]
fn an_access_with_a_trap_code_traps() {
    let text = "function %f() -> i64 {\nblock0:\n v0 = iconst.i64 64\n v1 = load.i64 user17 v0\n return v1\n}";
    assert_eq!(trap(&run(text, &[])), Trap::NullReference);
}

#[test]
fn atomics() {
    let text = "function %f() -> i32, i32, i32, i32 {
        ss0 = explicit_slot 4
        block0:
            v0 = stack_addr.i64 ss0
            v1 = iconst.i32 -5
            v2 = iconst.i32 3
            atomic_store v1, v0
            v3 = atomic_rmw.i32 smax v0, v2
            v4 = atomic_rmw.i32 nand v0, v1
            v5 = atomic_cas.i32 v0, v2, v1
            v6 = atomic_load.i32 v0
            fence
            return v3, v4, v5, v6
        }";
    // -5; max 3; !(3 & -5) = !3 = -4, no match with 3
    let expected = [-5, 3, -4, -4].map(Val::I32).to_vec();
    assert_eq!(run(text, &[]), Outcome::Returned(expected));
}

#[test]
fn libcalls_on_memory() {
    let text = "function %f() -> i64, i32, i32 {
            ss0 = explicit_slot 16
            fn0 = %Memmove(i64, i64, i64)
            fn1 = %Memset(i64, i32, i64)
            fn2 = %Memcmp(i64, i64, i64) -> i32
            fn3 = %Memcpy(i64, i64, i64) -> i64
        block0:
            v0 = stack_addr.i64 ss0
            v1 = iconst.i64 0x0807060504030201
            store v1, v0
            v2 = iconst.i64 7
            v3 = iconst.i64 1
            v4 = iadd v0, v3
            call fn0(v4, v0, v2)
            v5 = load.i64 v0
            v6 = iconst.i32 0x1ff
            v7 = iconst.i64 8
            v8 = iadd v0, v7
            call fn1(v8, v6, v7)
            v9 = call fn2(v0, v8, v7)
            v10 = call fn3(v8, v0, v7)
            v11 = call fn2(v0, v10, v7)
            return v5, v9, v11
        }";
    let expected = vec![Val::I64(0x0706_0504_0302_0101), Val::I32(1 - 0xff), Val::I32(0)];
    assert_eq!(run(text, &[]), Outcome::Returned(expected));
    let overlapping = "function %f() {\n ss0 = explicit_slot 16\n fn0 = %Memcpy(i64, i64, i64)\nblock0:\n \
        v0 = stack_addr.i64 ss0\n v1 = iconst.i64 1\n v2 = iadd v0, v1\n v3 = iconst.i64 8\n call fn0(v0, v2, v3)\n return\n}";
    assert_eq!(violation(&run(overlapping, &[])), "memcpy of overlapping ranges");
}

#[test]
fn reservations_are_lazy_and_guards_hold() {
    let text = "function %f(i64) -> i64 {
            fn0 = %cc_host_reserve(i64, i64) -> i64
            fn1 = %cc_host_guard(i64)
        block0(v0: i64):
            v1 = iconst.i64 0x200000000
            v2 = iconst.i64 65536
            v3 = call fn0(v1, v2)
            v4 = iconst.i64 65535
            v5 = band v3, v4
            trapnz v5, user1
            call fn1(v3)
            v6 = iadd v3, v1
            v7 = load.i64 v6-8
            store v6, v6-8
            v8 = load.i64 v6-8
            v9 = isub v8, v6
            v10 = bor v9, v7
            v11 = iadd v3, v0
            v12 = load.i64 v11
            v13 = bor v10, v12
            return v13
        }";
    let mut interp = load(program(Isa::X86_64, text));
    assert_eq!(interp.invoke("f", &[Val::I64(4096)]).unwrap(), Outcome::Returned(vec![Val::I64(0)]));
    assert!(interp.touched() < 1 << 20, "{}", interp.touched());
    assert_contains(violation(&interp.invoke("f", &[Val::I64(4088)]).unwrap()), "guard page of memory reserved");
    // no room
    let text = "function %f() -> i32 {\n fn0 = %cc_host_reserve(i32, i32) -> i32\nblock0:\n \
        v0 = iconst.i32 0x7fff0000\n v1 = call fn0(v0, v0)\n v2 = call fn0(v0, v0)\n v3 = call fn0(v0, v0)\n return v3\n}";
    let outcome = load(program(Isa::Pulley32, text)).invoke("f", &[]).unwrap();
    assert_eq!(outcome, Outcome::Returned(vec![Val::I32(0)]));
}

#[test]
fn bytes_across_pages() {
    let mut memory = Memory::new(PointerWidth::W64, 1 << 30);
    let at = memory.allocate(64 * 1024, 4096, Access::Write, "m").unwrap();
    let bytes: Vec<u8> = (0..10_000u32).map(|i| (i * 7 + 1) as u8).collect();
    memory.write(at + 4090, &bytes).unwrap();
    let mut back = vec![0; 10_000];
    memory.read(at + 4090, &mut back).unwrap();
    assert_eq!(back, bytes);
    assert_eq!(memory.load::<8>(at + 4090 + 4096).unwrap(), bytes[4096..4104]);
    for (to, from) in [(100u64, 4090u64), (9000, 4090), (4090, 4090)] {
        memory.write(at + 4090, &bytes).unwrap();
        memory.copy(at + to, at + from, 10_000).unwrap();
        memory.read(at + to, &mut back).unwrap();
        assert_eq!(back, bytes, "{from} to {to}");
    }
    memory.fill(at, 0, 64 * 1024).unwrap();
    memory.read(at + 4090, &mut back).unwrap();
    assert!(back.iter().all(|b| *b == 0));
    assert!(memory.contains(at) && !memory.contains(at + 64 * 1024));
    assert!(matches!(memory.fill(at, 0, 64 * 1024 + 1), Err(MemFault::Bad(_))));
}

#[test]
fn touched_memory_has_a_limit() {
    let mut memory = Memory::new(PointerWidth::W64, 8192);
    let at = memory.allocate(64 * 1024, 4096, Access::Write, "m").unwrap();
    memory.store(at, [1]).unwrap();
    memory.store(at + 4096, [1]).unwrap();
    assert_eq!(memory.store(at + 8192, [1]), Err(MemFault::Limit(8192)));
    assert_eq!(memory.load(at + 8192), Ok([0]));
}

#[test]
fn a_million_pages() {
    let mut memory = Memory::new(PointerWidth::W64, 8 << 30);
    let at = memory.allocate(1 << 33, 4096, Access::Write, "m").unwrap();
    // far apart, so that each is a page of its own
    for i in 0..100_000u64 {
        memory.store(at + i * 81920, (i + 1).to_le_bytes()).unwrap();
    }
    for i in (0..100_000u64).rev() {
        assert_eq!(memory.load(at + i * 81920), Ok((i + 1).to_le_bytes()));
    }
    assert_eq!(memory.touched(), 100_000 * 4096);
}
