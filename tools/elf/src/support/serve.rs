//! The driver: `cc_main`, the loop that serves commands, and `cc_host_call`,
//! which serves them again while a host function is being performed. See
//! [`crate::protocol`].

use clif_cont_abi::{Abi, ContRef, HostFn, StoreContext, Trap, symbols};
use clif_cont_arch::MAIN;
use clif_cont_program::ProgFunction;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types::I32, types::I64};

use super::backtrace::BACKTRACE;
use super::os::{EXIT, READ, WRITE, prepare};
use super::{BUFFER, Fx, IMPORT_SLOTS, Target, define};
use crate::protocol::{Command, HEADER_WORDS, MAX_SLOTS, Reply, WORD};

/// `(contref) -> trap code or 0`: serves commands until there are results for
/// the host call of that contref; 0 when there is no call.
const SERVE: &str = "cc_elf_serve";
/// `(kind, a, b, slots)`: sends the buffer with this header.
pub(super) const REPLY: &str = "cc_elf_reply";
/// `(to, from, slots)`: copies payload slots that are neighbours.
const COPY: &str = "cc_elf_copy";

/// The command makes no sense.
const STATUS_PROTOCOL: i64 = 2;

const HEADER_BYTES: usize = HEADER_WORDS * WORD;

/// Offset of a word of the header.
const fn operand(index: usize) -> i32 {
    (index * WORD) as i32
}

/// The driver of a program with nothing to invoke, which need not contain the
/// functions that an invocation takes: it waits for the end of its input.
pub(super) fn idle(target: Target) -> ProgFunction {
    define(target, MAIN, &[], &[], |f| {
        let buffer = f.symbol(BUFFER);
        let bytes = f.word(HEADER_BYTES as i64);
        f.run(READ, &[buffer, bytes]);
        let status = f.word(STATUS_PROTOCOL);
        f.run(EXIT, &[status]);
        f.return_(&[]);
    })
}

pub(super) fn functions(target: Target, imports: usize) -> Vec<ProgFunction> {
    vec![
        define(target, MAIN, &[], &[], |f| {
            prepare(f, target);
            let zero = f.word(0);
            f.call_typed(SERVE, &[zero], &[I32]);
            f.run(EXIT, &[zero]);
            f.return_(&[]);
        }),
        copy(target),
        define(target, REPLY, &[I64; 4], &[], |f| {
            let buffer = f.symbol(BUFFER);
            for index in 0..HEADER_WORDS {
                let value = f.params[index];
                f.store(value, buffer, operand(index));
            }
            let bytes = f.b.ins().imul_imm_s(f.params[3], WORD as i64);
            let bytes = f.b.ins().iadd_imm_s(bytes, HEADER_BYTES as i64);
            f.run(WRITE, &[buffer, bytes]);
            f.return_(&[]);
        }),
        serve(target),
        host_call(target, imports),
    ]
}

fn copy(target: Target) -> ProgFunction {
    define(target, COPY, &[I64; 3], &[], |f| {
        let [to, from, left] = [0, 1, 2].map(|i| f.variable(f.params[i]));
        f.repeat(
            |f| f.b.use_var(left),
            |f| {
                let (source, destination) = (f.b.use_var(from), f.b.use_var(to));
                let slot = f.load(source, 0);
                f.store(slot, destination, 0);
                for (variable, step) in [(to, WORD as i64), (from, WORD as i64), (left, -1)] {
                    let value = f.b.use_var(variable);
                    let value = f.b.ins().iadd_imm_s(value, step);
                    f.b.def_var(variable, value);
                }
            },
        );
        f.return_(&[]);
    })
}

/// Which way slots are copied.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    ToPayload,
    FromPayload,
}

/// Copies between the buffer and a ContRef's payload, whose first slot has no
/// neighbour.
fn payload(f: &mut Fx<'_, '_>, contref: Value, slots: Value, direction: Direction) {
    let [some, done] = std::array::from_fn(|_| f.block());
    let abi = f.abi;
    f.branch(slots, some, done);
    f.at(some);
    let buffer = f.symbol(BUFFER);
    let (first, second) = (HEADER_BYTES as i32, (HEADER_BYTES + WORD) as i64);
    let rest = f.b.ins().iadd_imm_s(slots, -1);
    let ours = f.b.ins().iadd_imm_s(buffer, second);
    let theirs = f.b.ins().iadd_imm_s(contref, i64::from(abi.payload_offset(1)));
    match direction {
        Direction::ToPayload => {
            let slot = f.load(buffer, first);
            f.store(slot, contref, abi.payload_offset(0));
            f.run(COPY, &[theirs, ours, rest]);
        }
        Direction::FromPayload => {
            let slot = f.load(contref, abi.payload_offset(0));
            f.store(slot, buffer, first);
            f.run(COPY, &[ours, theirs, rest]);
        }
    }
    f.jump(done);
    f.at(done);
}

fn reply(f: &mut Fx<'_, '_>, kind: u64, a: Value, slots: Value) {
    let (kind, b) = (f.word(kind as i64), f.word(0));
    f.run(REPLY, &[kind, a, b, slots]);
}

fn serve(target: Target) -> ProgFunction {
    define(target, SERVE, &[I64], &[I32], |f| {
        let [again, broken, invoke, results, begun, no_memory, returned, trapped] = std::array::from_fn(|_| f.block());
        let waiting = f.params[0];
        f.jump(again);

        f.at(again);
        let buffer = f.symbol(BUFFER);
        let bytes = f.word(HEADER_BYTES as i64);
        f.run(READ, &[buffer, bytes]);
        let [kind, a, b, slots] = [0, 1, 2, 3].map(|i| f.load(buffer, operand(i)));
        for count in [b, slots] {
            let too_many = f.compare(count, IntCC::UnsignedGreaterThan, MAX_SLOTS as i64);
            f.jump_if(too_many, broken);
        }
        let bytes = f.b.ins().imul_imm_s(slots, WORD as i64);
        let body = f.b.ins().iadd_imm_s(buffer, HEADER_BYTES as i64);
        f.run(READ, &[body, bytes]);
        let is_invoke = f.compare(kind, IntCC::Equal, Command::INVOKE as i64);
        f.jump_if(is_invoke, invoke);
        let is_results = f.compare(kind, IntCC::Equal, Command::RESULTS as i64);
        f.jump_if(is_results, results);
        f.jump(broken);

        f.at(invoke);
        let contref = f.call(symbols::BEGIN, &[]);
        f.branch(contref, begun, no_memory);
        f.at(no_memory);
        let (code, none) = (f.word(Trap::PoolExhausted.code().into()), f.word(0));
        reply(f, Reply::TRAPPED, code, none);
        f.jump(again);
        f.at(begun);
        payload(f, contref, slots, Direction::ToPayload);
        f.store_field(a, contref, &ContRef::FUNCTION);
        let code = f.call_typed(symbols::INVOKE, &[contref], &[I32])[0];
        f.branch(code, trapped, returned);
        f.at(returned);
        payload(f, contref, b, Direction::FromPayload);
        let none = f.word(0);
        reply(f, Reply::RETURNED, none, b);
        f.jump(again);
        f.at(trapped);
        f.run(BACKTRACE, &[]);
        let (code, none) = (f.b.ins().uextend(I64, code), f.word(0));
        reply(f, Reply::TRAPPED, code, none);
        f.run(symbols::RECLAIM, &[]);
        f.jump(again);

        f.at(results);
        let none_wait = f.compare(waiting, IntCC::Equal, 0);
        f.jump_if(none_wait, broken);
        payload(f, waiting, slots, Direction::ToPayload);
        let code = f.b.ins().ireduce(I32, a);
        f.return_(&[code]);

        f.at(broken);
        let status = f.word(STATUS_PROTOCOL);
        f.run(EXIT, &[status]);
        let zero = f.b.ins().iconst(I32, 0);
        f.return_(&[zero]);
    })
}

fn host_call(target: Target, imports: usize) -> ProgFunction {
    debug_assert_eq!(target.abi.width.bytes() as usize, WORD);
    define(target, HostFn::Call.symbol(), &[I64], &[I32], |f| {
        let [known, unknown] = std::array::from_fn(|_| f.block());
        let contref = f.params[0];
        let store = f.symbol(symbols::STORE);
        let index = f.load_field(store, &StoreContext::HOST_FUNCTION);
        let exists = f.compare(index, IntCC::UnsignedLessThan, imports as i64);
        f.branch(exists, known, unknown);
        f.at(unknown);
        let code = f.b.ins().iconst(I32, i64::from(Trap::Host.code()));
        f.return_(&[code]);
        f.at(known);
        let table = f.symbol(IMPORT_SLOTS);
        let entry = f.element(table, index);
        let slots = f.load(entry, 0);
        payload(f, contref, slots, Direction::FromPayload);
        reply(f, Reply::HOST_CALL, index, slots);
        let code = f.call_typed(SERVE, &[contref], &[I32])[0];
        f.return_(&[code]);
    })
}

const _: () = assert!(MAX_SLOTS == Abi::PAYLOAD_SLOTS as usize);
