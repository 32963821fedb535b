//! riscv64, without compressed instructions.
//!
//! Only the differences from x86_64: arguments are in `a0`, `a1`, `a2`, the
//! result is in `a0`, where the word already is; the return address is in `ra`,
//! so an initial stack's sp is the ContRef's address, as on aarch64.
//!
//! ```text
//! initial                     running                      suspended
//! |  ContRef    | <- sp       |  ContRef     |             |  ContRef     | sp, s0, pc
//! |  untouched  |             |  ra: any     |             |  ra: any     |
//! |             |             |  s0: 0       |             |  s0: 0       |
//! |             |             |  frames ...  | <- sp       |  frames ...  | <- sp
//! ```
//!
//! Vector registers are no part of a context: none is callee-saved.

use clif_cont_abi::Isa;
use cranelift_codegen::binemit::Reloc;

use crate::{Arch, CallSite, FirstRecord, FrameLink, MmapArguments, Numbers, Routine, routine};

pub(crate) const ARCH: Arch = Arch {
    isa: Isa::Riscv64,
    align: 4,
    switch: SWITCH,
    syscall: SYSCALL,
    start: START,
    start_call: CallSite { offset: 8, reloc: Reloc::RiscvCallPlt, addend: 0 },
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
    // Cranelift keeps the pair where the frame pointer points, not below it
    frames: FrameLink { first: FirstRecord::FramePointer, next: 0, return_address: 8 },
};

#[rustfmt::skip]
const SWITCH: Routine = routine! {
    // here: a0 = word, a1 = context to store, a2 = context to load, ra = pc
    "ld t0, 0(a2)":      0x83 0x32 0x06 0x00;
    "ld t1, 8(a2)":      0x03 0x33 0x86 0x00;
    "ld t2, 0x10(a2)":   0x83 0x33 0x06 0x01;
    // t0, t1, t2 = sp, fp, pc to load
    "sd sp, 0(a1)":      0x23 0xb0 0x25 0x00;
    "sd s0, 8(a1)":      0x23 0xb4 0x85 0x00;
    "sd ra, 0x10(a1)":   0x23 0xb8 0x15 0x00;
    // the caller is suspended
    "mv sp, t0":         0x13 0x81 0x02 0x00;
    "mv s0, t1":         0x13 0x04 0x03 0x00;
    // on the other stack
    "jr t2":             0x67 0x80 0x03 0x00;
};

#[rustfmt::skip]
const SYSCALL: Routine = routine! {
    // here: a0 to a5 = arguments, a6 = number
    "mv a7, a6":         0x93 0x08 0x08 0x00;
    "ecall":             0x73 0x00 0x00 0x00;
    // a0 = result, nothing else changed
    "ret":               0x67 0x80 0x00 0x00;
};

#[rustfmt::skip]
const START: Routine = routine! {
    // here: sp = the kernel's record of arguments, aligned to 16 bytes
    "mv s0, zero":       0x13 0x04 0x00 0x00;
    "mv ra, zero":       0x93 0x00 0x00 0x00;
    // s0 = 0 ends the chain of frames; auipc and jalr are one call
    "auipc ra, 0":       0x97 0x00 0x00 0x00;
    "jalr ra":           0xe7 0x80 0x00 0x00;
    // not reached
    "ebreak":            0x73 0x00 0x10 0x00;
};
