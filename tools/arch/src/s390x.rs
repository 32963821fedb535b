//! s390x.
//!
//! Only the differences from x86_64: arguments are in `r2`, `r3`, `r4`, the
//! result is in `r2`, where the word already is; the return address is in
//! `r14`. There is no frame pointer: the middle word of a context is unused. A
//! callee owns 160 bytes above its caller's stack pointer, the register save
//! area, so an initial stack's sp is that far below the ContRef.
//!
//! Frames are linked all the same: told to preserve frame pointers, Cranelift
//! writes the backchain, each function's stack pointer at entry, into the
//! lowest word of its frame, and saves `r14` 112 bytes above where that points.
//!
//! ```text
//! initial                     running                      suspended
//! |  ContRef     |            |  ContRef     |             |  ContRef     | sp, pc
//! |  save area   |            |  r14: any    |             |  r14: any    |
//! |  ...         |            |  ...         |             |  ...         |
//! |  0           | <- r15     |  0           |             |  0           |
//! |  untouched   |            |  frames ...  |             |  frames ...  |
//! |              |            |  backchain   | <- r15      |  backchain   | <- sp
//! ```

use clif_cont_abi::Isa;
use cranelift_codegen::binemit::Reloc;

use crate::{Arch, CallSite, FirstRecord, FrameLink, MmapArguments, Numbers, Routine, routine};

pub(crate) const ARCH: Arch = Arch {
    isa: Isa::S390x,
    align: 2,
    switch: SWITCH,
    syscall: SYSCALL,
    start: START,
    start_call: CallSite { offset: 12, reloc: Reloc::S390xPLTRel32Dbl, addend: 2 },
    numbers: Numbers {
        read: 3,
        write: 4,
        mmap: 90,
        mprotect: 125,
        prctl: 172,
        prlimit64: 334,
        exit_group: 248,
        mmap_arguments: MmapArguments::Block,
    },
    frames: FrameLink { first: FirstRecord::AtStackPointer, next: 0, return_address: 112 },
};

#[rustfmt::skip]
const SWITCH: Routine = routine! {
    // here: r2 = word, r3 = context to store, r4 = context to load, r14 = pc
    "lg %r5, 0x10(%r4)":       0xe3 0x50 0x40 0x10 0x00 0x04;
    "lg %r1, 0(%r4)":          0xe3 0x10 0x40 0x00 0x00 0x04;
    // r1, r5 = sp, pc to load
    "stg %r15, 0(%r3)":        0xe3 0xf0 0x30 0x00 0x00 0x24;
    "stg %r14, 0x10(%r3)":     0xe3 0xe0 0x30 0x10 0x00 0x24;
    // the caller is suspended
    "lgr %r15, %r1":           0xb9 0x04 0x00 0xf1;
    // on the other stack; r6 is where a handler of an exception edge would look
    "lgr %r6, %r2":            0xb9 0x04 0x00 0x62;
    "br %r5":                  0x07 0xf5;
};

#[rustfmt::skip]
const SYSCALL: Routine = routine! {
    // here: r2 to r6 and 160(r15) = arguments, 168(r15) = number
    "stg %r7, 0x38(%r15)":     0xe3 0x70 0xf0 0x38 0x00 0x24;
    // r7, which belongs to the caller, is in its place of the save area
    "lg %r7, 0xa0(%r15)":      0xe3 0x70 0xf0 0xa0 0x00 0x04;
    "lg %r1, 0xa8(%r15)":      0xe3 0x10 0xf0 0xa8 0x00 0x04;
    // r2 to r7 = arguments, r1 = number
    "svc 0":                   0x0a 0x00;
    // r2 = result
    "lg %r7, 0x38(%r15)":      0xe3 0x70 0xf0 0x38 0x00 0x04;
    "br %r14":                 0x07 0xfe;
};

#[rustfmt::skip]
const START: Routine = routine! {
    // here: r15 = the kernel's record of arguments
    "aghi %r15, -0xa0":        0xa7 0xfb 0xff 0x60;
    "xc 0(8, %r15), 0(%r15)":  0xd7 0x07 0xf0 0x00 0xf0 0x00;
    // a save area with a backchain of 0, which ends the chain of frames
    "brasl %r14":              0xc0 0xe5 0x00 0x00 0x00 0x00;
    // not reached; a jump into its own middle is an illegal instruction
    "j":                       0xa7 0xf4 0x00 0x01;
};
