//! The backtrace of a trap: every stack from the one that trapped to the
//! invocation's own, and on each the addresses that its functions are at.
//!
//! Each of those stacks has switched away, so its registers are in its control
//! context; from there the walk follows the ISA's frame records
//! (`clif_cont_arch::FrameLink`). The program could have damaged any of this:
//! what is not a ContRef, not between the stack pointer and the ContRef, or not
//! further up than the record before, ends the walk.

use clif_cont_abi::{ContRef, StoreContext, symbols};
use clif_cont_arch::FirstRecord;
use clif_cont_program::ProgFunction;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types::I64};
use cranelift_frontend::Variable;

use super::serve::REPLY;
use super::{BUFFER, Fx, Target, define};
use crate::protocol::{HEADER_WORDS, MAX_FRAMES, MAX_SLOTS, MAX_STACKS, Reply, WORD};

/// `()`: sends the frames.
pub(super) const BACKTRACE: &str = "cc_elf_backtrace";

/// Appends a word to the message; sends it when it is full.
fn emit(f: &mut Fx<'_, '_>, used: Variable, word: Value) {
    let [full, done] = std::array::from_fn(|_| f.block());
    let index = f.b.use_var(used);
    let buffer = f.symbol(BUFFER);
    let place = f.element(buffer, index);
    f.store(word, place, (HEADER_WORDS * WORD) as i32);
    let index = f.b.ins().iadd_imm_s(index, 1);
    f.b.def_var(used, index);
    let is_full = f.compare(index, IntCC::Equal, MAX_SLOTS as i64);
    f.branch(is_full, full, done);
    f.at(full);
    flush(f, used);
    f.jump(done);
    f.at(done);
}

fn flush(f: &mut Fx<'_, '_>, used: Variable) {
    let slots = f.b.use_var(used);
    let (kind, zero) = (f.word(Reply::FRAMES as i64), f.word(0));
    f.run(REPLY, &[kind, zero, zero, slots]);
    f.b.def_var(used, zero);
}

/// Adds to a counter, and gives the comparison of what it was with a limit.
fn count(f: &mut Fx<'_, '_>, counter: Variable, limit: i64) -> Value {
    let value = f.b.use_var(counter);
    let next = f.b.ins().iadd_imm_s(value, 1);
    f.b.def_var(counter, next);
    f.compare(value, IntCC::UnsignedGreaterThanOrEqual, limit)
}

/// The ContRef of the slot that contains `address`, as `Abi::contref_of`.
fn contref_of(f: &mut Fx<'_, '_>, address: Value) -> Value {
    let abi = f.abi;
    let base = f.b.ins().band_imm_s(address, -(abi.slot_size() as i64));
    let colour = f.b.ins().ushr_imm_u(address, i64::from(abi.colour_shift()));
    let colour = f.b.ins().band_imm_u(colour, abi.colour_mask() as i64);
    let top = f.b.ins().iadd_imm_s(base, abi.contref_base() as i64);
    f.b.ins().isub(top, colour)
}

pub(super) fn function(target: Target) -> ProgFunction {
    define(target, BACKTRACE, &[], &[], |f| {
        let [stack_head, stack_next, done] = std::array::from_fn(|_| f.block());
        let zero = f.word(0);
        let store = f.symbol(symbols::STORE);
        let trapped = f.load_field(store, &StoreContext::TRAPPED);
        let used = f.variable(zero);
        let stacks = f.variable(zero);
        let stack = f.variable(trapped);
        f.jump(stack_head);

        f.at(stack_head);
        let contref = f.b.use_var(stack);
        let end = f.compare(contref, IntCC::Equal, 0);
        f.jump_if(end, done);
        let expected = contref_of(f, contref);
        let other = f.b.ins().icmp(IntCC::NotEqual, contref, expected);
        f.jump_if(other, done);
        let enough = count(f, stacks, MAX_STACKS);
        f.jump_if(enough, done);
        frames(f, target, contref, used, stack_next);

        f.at(stack_next);
        let zero = f.word(0);
        emit(f, used, zero);
        let parent = f.load_field(contref, &ContRef::PARENT);
        f.b.def_var(stack, parent);
        f.jump(stack_head);

        f.at(done);
        flush(f, used);
        f.return_(&[]);
    })
}

/// Walks one stack, and ends in `done`.
fn frames(f: &mut Fx<'_, '_>, target: Target, contref: Value, used: Variable, done: super::Block) {
    let link = target.arch.frames;
    let record_end = link.next.max(link.return_address) as i64 + WORD as i64;
    let head = f.block();
    let [sp, fp, pc] = [ContRef::SP, ContRef::FP, ContRef::PC].map(|field| f.load_field(contref, &field));
    let zero = f.b.ins().iconst(I64, 0);
    let frames = f.variable(zero);
    let pc = f.variable(pc);
    let (first, lowest) = match link.first {
        FirstRecord::FramePointer => (fp, sp),
        FirstRecord::AtStackPointer => {
            // the stack pointer is followed, so it is not believed either
            let slot = contref_of(f, sp);
            let elsewhere = f.b.ins().icmp(IntCC::NotEqual, slot, contref);
            f.jump_if(elsewhere, done);
            (f.load(sp, 0), sp)
        }
    };
    let record = f.variable(first);
    let lowest = f.variable(lowest);
    f.jump(head);

    f.at(head);
    let here = f.b.use_var(pc);
    emit(f, used, here);
    let enough = count(f, frames, MAX_FRAMES - 1);
    f.jump_if(enough, done);
    let (at, bottom) = (f.b.use_var(record), f.b.use_var(lowest));
    let low = f.b.ins().icmp(IntCC::UnsignedLessThan, at, bottom);
    f.jump_if(low, done);
    let top = f.b.ins().iadd_imm_s(contref, -record_end);
    let high = f.b.ins().icmp(IntCC::UnsignedGreaterThan, at, top);
    f.jump_if(high, done);
    let unaligned = f.b.ins().band_imm_u(at, WORD as i64 - 1);
    f.jump_if(unaligned, done);
    let next = f.load(at, link.next as i32);
    // the outermost function was called by nobody
    let outermost = f.compare(next, IntCC::Equal, 0);
    f.jump_if(outermost, done);
    let return_address = f.load(at, link.return_address as i32);
    f.b.def_var(pc, return_address);
    f.b.def_var(record, next);
    let above = f.b.ins().iadd_imm_s(at, 1);
    f.b.def_var(lowest, above);
    f.jump(head);
}
