//! Linux: reading and writing messages, and `cc_host_reserve` and
//! `cc_host_guard`.

use clif_cont_abi::{Abi, HostFn};
use clif_cont_arch::{MmapArguments, SYSCALL};
use clif_cont_program::ProgFunction;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, StackSlotData, StackSlotKind, Value, types::I64};

use super::{BUFFER, Fx, GUARDS_LEFT, Target, define};

/// `(address, bytes)`: reads exactly so many, or ends the process.
pub(super) const READ: &str = "cc_elf_read";
/// `(address, bytes)`: writes exactly so many, or ends the process.
pub(super) const WRITE: &str = "cc_elf_write";
/// `(status)`: does not return.
pub(super) const EXIT: &str = "cc_elf_exit";

/// Nobody is at the other end of a pipe any more.
const STATUS_CLOSED: i64 = 1;

const STDIN: i64 = 0;
const STDOUT: i64 = 1;
const EINTR: i64 = 4;
const PROT_NONE: i64 = 0;
const PROT_READ_WRITE: i64 = 3;
/// `MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE`, the same on all four ISAs.
const MAP: i64 = 0x2 | 0x20 | 0x4000;
const PR_SET_PDEATHSIG: i64 = 1;
const PR_SET_THP_DISABLE: i64 = 41;
const SIGKILL: i64 = 9;
const RLIMIT_CORE: i64 = 4;
/// Results from here up to -1 are errors.
const LOWEST_ERRNO: i64 = -4095;

/// The system call stub, with as many arguments as there are.
fn syscall(f: &mut Fx<'_, '_>, number: i64, args: &[Value]) -> Value {
    let zero = f.word(0);
    let mut all = args.to_vec();
    all.resize(6, zero);
    let number = f.word(number);
    all.push(number);
    f.call(SYSCALL, &all)
}

/// What the process asks of the kernel before it serves anything. Under an emulator it is
/// the emulator that all of it applies to.
pub(super) fn prepare(f: &mut Fx<'_, '_>, target: Target) {
    let numbers = target.arch.numbers;
    // The process ends with the thread that started it, whatever it is doing. If that is
    // gone already, the first command is the end of input.
    let (option, signal) = (f.word(PR_SET_PDEATHSIG), f.word(SIGKILL));
    syscall(f, numbers.prctl, &[option, signal]);
    // The kernel must not give two megabytes to a stack that has touched one page; where
    // that fails, stacks cost more memory.
    let (option, on) = (f.word(PR_SET_THP_DISABLE), f.word(1));
    syscall(f, numbers.prctl, &[option, on]);
    // No core file where the command happens to run: the buffer is two words of 0 still.
    let (own, resource, none) = (f.word(0), f.word(RLIMIT_CORE), f.symbol(BUFFER));
    syscall(f, numbers.prlimit64, &[own, resource, none]);
}

pub(super) fn functions(target: Target) -> Vec<ProgFunction> {
    let numbers = target.arch.numbers;
    vec![
        transfer(target, READ, numbers.read, STDIN),
        transfer(target, WRITE, numbers.write, STDOUT),
        define(target, EXIT, &[I64], &[], |f| {
            let again = f.block();
            f.jump(again);
            f.at(again);
            let status = f.params[0];
            syscall(f, numbers.exit_group, &[status]);
            f.jump(again);
        }),
        reserve(target),
        guard(target),
    ]
}

/// Repeats a read or a write until all is done.
fn transfer(target: Target, name: &str, number: i64, file: i64) -> ProgFunction {
    define(target, name, &[I64, I64], &[], |f| {
        let at = f.variable(f.params[0]);
        let left = f.variable(f.params[1]);
        f.repeat(
            |f| f.b.use_var(left),
            |f| {
                let [some, none, closed, next] = std::array::from_fn(|_| f.block());
                let args = [f.word(file), f.b.use_var(at), f.b.use_var(left)];
                let done = syscall(f, number, &args);
                let positive = f.compare(done, IntCC::SignedGreaterThan, 0);
                f.branch(positive, some, none);

                f.at(none);
                let interrupted = f.compare(done, IntCC::Equal, -EINTR);
                f.branch(interrupted, next, closed);
                f.at(closed);
                let status = f.word(STATUS_CLOSED);
                f.run(EXIT, &[status]);
                f.return_(&[]);

                f.at(some);
                let (from, rest) = (f.b.use_var(at), f.b.use_var(left));
                let from = f.b.ins().iadd(from, done);
                let rest = f.b.ins().isub(rest, done);
                f.b.def_var(at, from);
                f.b.def_var(left, rest);
                f.jump(next);
                f.at(next);
            },
        );
        f.return_(&[]);
    })
}

/// A mapping of the size and the alignment together contains an aligned range
/// of the size. What is beside it is address space, not memory, and stays.
fn reserve(target: Target) -> ProgFunction {
    let numbers = target.arch.numbers;
    define(target, HostFn::Reserve.symbol(), &[I64, I64], &[I64], |f| {
        let [failed, some] = std::array::from_fn(|_| f.block());
        let (bytes, align) = (f.params[0], f.params[1]);
        let total = f.b.ins().iadd(bytes, align);
        let overflow = f.b.ins().icmp(IntCC::UnsignedLessThan, total, bytes);
        f.jump_if(overflow, failed);
        let (none, protection, flags, no_file) = (f.word(0), f.word(PROT_READ_WRITE), f.word(MAP), f.word(-1));
        let args = [none, total, protection, flags, no_file, none];
        let start = match numbers.mmap_arguments {
            MmapArguments::Registers => syscall(f, numbers.mmap, &args),
            MmapArguments::Block => {
                let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, 6 * 8, 3);
                let slot = f.b.create_sized_stack_slot(slot);
                let block = f.b.ins().stack_addr(I64, slot, 0);
                for (i, arg) in args.into_iter().enumerate() {
                    f.store(arg, block, i as i32 * 8);
                }
                syscall(f, numbers.mmap, &[block])
            }
        };
        let error = f.compare(start, IntCC::UnsignedGreaterThanOrEqual, LOWEST_ERRNO);
        f.branch(error, failed, some);

        f.at(failed);
        let zero = f.word(0);
        f.return_(&[zero]);

        f.at(some);
        // up to the next multiple of the alignment, which is a power of two
        let last = f.b.ins().iadd(start, align);
        let last = f.b.ins().iadd_imm_s(last, -1);
        let mask = f.b.ins().ineg(align);
        let aligned = f.b.ins().band(last, mask);
        f.return_(&[aligned]);
    })
}

fn guard(target: Target) -> ProgFunction {
    define(target, HostFn::Guard.symbol(), &[I64], &[], |f| {
        let [some, none] = std::array::from_fn(|_| f.block());
        let counter = f.symbol(GUARDS_LEFT);
        let left = f.load(counter, 0);
        f.branch(left, some, none);
        f.at(some);
        let left = f.b.ins().iadd_imm_s(left, -1);
        f.store(left, counter, 0);
        let args = [f.params[0], f.word(Abi::GUARD_BYTES.into()), f.word(PROT_NONE)];
        // a failure leaves the page accessible, which `Guard` allows
        syscall(f, target.arch.numbers.mprotect, &args);
        f.jump(none);
        f.at(none);
        f.return_(&[]);
    })
}
