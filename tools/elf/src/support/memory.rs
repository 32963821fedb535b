//! `memcpy`, `memmove`, `memset` and `memcmp`: loops over words, then bytes.
//! Right, and short; nothing that a program does often goes through them.

use clif_cont_program::ProgFunction;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    InstBuilder, MemFlagsData, Type, Value,
    types::{I8, I32, I64},
};
use cranelift_frontend::Variable;

use super::{Fx, Target, define};

/// A program's memory: any alignment, and it may not be there.
const ANY: MemFlagsData = MemFlagsData::new();

pub(super) fn function(target: Target, symbol: &str) -> Option<ProgFunction> {
    Some(match symbol {
        // the stricter one will do for both
        "memcpy" | "memmove" => move_(target, symbol),
        "memset" => set(target),
        "memcmp" => compare(target),
        _ => return None,
    })
}

/// While at least `ty`'s bytes are `left`, takes so many off and runs `body`
/// with what is left then.
fn chunks(f: &mut Fx<'_, '_>, ty: Type, left: Variable, body: impl FnOnce(&mut Fx<'_, '_>, Value)) {
    let bytes = i64::from(ty.bytes());
    f.repeat(
        |f| {
            let left = f.b.use_var(left);
            f.compare(left, IntCC::UnsignedGreaterThanOrEqual, bytes)
        },
        |f| {
            let rest = f.b.use_var(left);
            let rest = f.b.ins().iadd_imm_s(rest, -bytes);
            f.b.def_var(left, rest);
            body(f, rest);
        },
    );
}

fn advance(f: &mut Fx<'_, '_>, variable: Variable, bytes: i64) {
    let at = f.b.use_var(variable);
    let at = f.b.ins().iadd_imm_s(at, bytes);
    f.b.def_var(variable, at);
}

fn move_(target: Target, name: &str) -> ProgFunction {
    define(target, name, &[I64; 3], &[I64], |f| {
        let [forwards, backwards, done] = std::array::from_fn(|_| f.block());
        let [to, from, bytes] = [f.params[0], f.params[1], f.params[2]];
        let left = f.variable(bytes);
        // from above, the destination begins inside the source
        let distance = f.b.ins().isub(to, from);
        let inside = f.b.ins().icmp(IntCC::UnsignedLessThan, distance, bytes);
        f.branch(inside, backwards, forwards);

        f.at(forwards);
        let (source, destination) = (f.variable(from), f.variable(to));
        for ty in [I64, I8] {
            chunks(f, ty, left, |f, _| {
                let (s, d) = (f.b.use_var(source), f.b.use_var(destination));
                let value = f.b.ins().load(ty, ANY, s, 0);
                f.b.ins().store(ANY, value, d, 0);
                advance(f, source, ty.bytes().into());
                advance(f, destination, ty.bytes().into());
            });
        }
        f.jump(done);

        f.at(backwards);
        for ty in [I64, I8] {
            chunks(f, ty, left, |f, rest| {
                let s = f.b.ins().iadd(from, rest);
                let d = f.b.ins().iadd(to, rest);
                let value = f.b.ins().load(ty, ANY, s, 0);
                f.b.ins().store(ANY, value, d, 0);
            });
        }
        f.jump(done);

        f.at(done);
        f.return_(&[to]);
    })
}

fn set(target: Target) -> ProgFunction {
    define(target, "memset", &[I64, I32, I64], &[I64], |f| {
        let [to, byte, bytes] = [f.params[0], f.params[1], f.params[2]];
        let left = f.variable(bytes);
        let destination = f.variable(to);
        let byte = f.b.ins().ireduce(I8, byte);
        let word = f.b.ins().uextend(I64, byte);
        let word = f.b.ins().imul_imm_s(word, 0x0101_0101_0101_0101);
        for value in [word, byte] {
            let ty = f.b.func.dfg.value_type(value);
            chunks(f, ty, left, |f, _| {
                let d = f.b.use_var(destination);
                f.b.ins().store(ANY, value, d, 0);
                advance(f, destination, ty.bytes().into());
            });
        }
        f.return_(&[to]);
    })
}

fn compare(target: Target) -> ProgFunction {
    define(target, "memcmp", &[I64; 3], &[I32], |f| {
        let differ = f.block();
        let [a, b] = [0, 1].map(|i| f.variable(f.params[i]));
        let left = f.variable(f.params[2]);
        let equal = f.b.ins().iconst(I32, 0);
        let difference = f.variable(equal);
        chunks(f, I8, left, |f, _| {
            let [x, y] = [a, b].map(|side| {
                let at = f.b.use_var(side);
                advance(f, side, 1);
                f.b.ins().uload8(I32, ANY, at, 0)
            });
            let d = f.b.ins().isub(x, y);
            f.b.def_var(difference, d);
            f.jump_if(d, differ);
        });
        f.jump(differ);
        f.at(differ);
        let d = f.b.use_var(difference);
        f.return_(&[d]);
    })
}
