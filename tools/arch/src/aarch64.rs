//! aarch64.
//!
//! Only the differences from x86_64: arguments and result of the `tail`
//! convention are in `x2`, `x3`, `x4` and `x2`; the return address is in `x30`
//! and not on the stack, so an initial stack's sp is the ContRef's address; the
//! word is copied to `x0`, where a handler of an exception edge would look.
//!
//! ```text
//! initial                     running                      suspended
//! |  ContRef    | <- sp       |  ContRef     |             |  ContRef     | sp, x29, pc
//! |  untouched  |             |  x30: any    |             |  x30: any    |
//! |             |             |  x29: 0      |             |  x29: 0      |
//! |             |             |  frames ...  | <- sp       |  frames ...  | <- sp
//! ```
//!
//! The outermost frame's saved `x30` is what the first switch to the stack was
//! called with, an address in another stack's function: a backtrace must not
//! follow it.

use clif_cont_abi::Isa;
use cranelift_codegen::binemit::Reloc;

use crate::{Arch, CallSite, FirstRecord, FrameLink, MmapArguments, Numbers, Routine, routine};

pub(crate) const ARCH: Arch = Arch {
    isa: Isa::Aarch64,
    align: 4,
    switch: SWITCH,
    syscall: SYSCALL,
    start: START,
    start_call: CallSite { offset: 8, reloc: Reloc::Arm64Call, addend: 0 },
    numbers: Numbers {
        read: 63,
        write: 64,
        mmap: 222,
        mprotect: 226,
        prctl: 167,
        prlimit64: 261,
        exit_group: 94,
        mmap_arguments: MmapArguments::Registers,
    },
    frames: FrameLink { first: FirstRecord::FramePointer, next: 0, return_address: 8 },
};

#[rustfmt::skip]
const SWITCH: Routine = routine! {
    // here: x2 = word, x3 = context to store, x4 = context to load, x30 = pc
    "ldp x9, x10, [x4]":      0x89 0x28 0x40 0xa9;
    "ldr x11, [x4, #0x10]":   0x8b 0x08 0x40 0xf9;
    // x9, x10, x11 = sp, fp, pc to load
    "mov x12, sp":            0xec 0x03 0x00 0x91;
    "stp x12, x29, [x3]":     0x6c 0x74 0x00 0xa9;
    "str x30, [x3, #0x10]":   0x7e 0x08 0x00 0xf9;
    // the caller is suspended
    "mov sp, x9":             0x3f 0x01 0x00 0x91;
    "mov x29, x10":           0xfd 0x03 0x0a 0xaa;
    // on the other stack
    "mov x0, x2":             0xe0 0x03 0x02 0xaa;
    "br x11":                 0x60 0x01 0x1f 0xd6;
};

#[rustfmt::skip]
const SYSCALL: Routine = routine! {
    // here: x0 to x5 = arguments, x6 = number
    "mov x8, x6":             0xe8 0x03 0x06 0xaa;
    "svc #0":                 0x01 0x00 0x00 0xd4;
    // x0 = result, nothing else changed
    "ret":                    0xc0 0x03 0x5f 0xd6;
};

#[rustfmt::skip]
const START: Routine = routine! {
    // here: sp = the kernel's record of arguments, aligned to 16 bytes
    "mov x29, xzr":           0xfd 0x03 0x1f 0xaa;
    "mov x30, xzr":           0xfe 0x03 0x1f 0xaa;
    // x29 = 0 ends the chain of frames
    "bl":                     0x00 0x00 0x00 0x94;
    // not reached
    "brk #1":               0x20 0x00 0x20 0xd4;
};
