//! x86_64.
//!
//! The word of a switch comes in `rdi` and stays there: `stack_switch` passes
//! its payload in `rdi` as well, so a context that one of them stored can be
//! loaded by the other. The routine's signature has five results, of which the
//! fifth is in `rdi`; the other four are whatever the registers held.
//!
//! A stack is resumed by `jmp`. A `ret` would do the same, but mislead the
//! return predictor at every switch (measured: 5 to 6 ns).
//!
//! # Stacks
//!
//! ```text
//! initial                      running                     suspended
//!
//! |  ContRef      | contref    |  ContRef      |           |  ContRef      | sp, fp, pc
//! |---------------|            |---------------|           |---------------| are stored
//! |  0 (no return |            |  0            |           |  0            |
//! |    address)   | <- rsp     |  saved rbp: 0 |           |  saved rbp: 0 |
//! |               |            |  cc_entry ... |           |  cc_entry ... |
//! |   untouched   |            |  frames  ...  |           |  frames  ...  |
//! |               |            |  current      | <- rsp    |  suspended    | <- sp
//! ```
//!
//! `rsp` of an initial stack is 8 modulo 16, as behind a `call`.

use clif_cont_abi::Isa;
use cranelift_codegen::binemit::Reloc;

use crate::{Arch, CallSite, FirstRecord, FrameLink, MmapArguments, Numbers, Routine, routine};

pub(crate) const ARCH: Arch = Arch {
    isa: Isa::X86_64,
    align: 16,
    switch: SWITCH,
    syscall: SYSCALL,
    start: START,
    start_call: CallSite { offset: 7, reloc: Reloc::X86CallPCRel4, addend: -4 },
    numbers: Numbers {
        read: 0,
        write: 1,
        mmap: 9,
        mprotect: 10,
        prctl: 157,
        prlimit64: 302,
        exit_group: 231,
        mmap_arguments: MmapArguments::Registers,
    },
    frames: FrameLink { first: FirstRecord::FramePointer, next: 0, return_address: 8 },
};

#[rustfmt::skip]
const SWITCH: Routine = routine! {
    // here: rdi = word, rsi = context to store, rdx = context to load,
    //       [rsp] = where the caller goes on
    "pop rax":                         0x58;
    // rax = the caller's pc, rsp = the caller's sp, rbp = its fp
    "mov rcx, qword ptr [rdx]":        0x48 0x8b 0x0a;
    "mov r8, qword ptr [rdx + 8]":     0x4c 0x8b 0x42 0x08;
    "mov r9, qword ptr [rdx + 0x10]":  0x4c 0x8b 0x4a 0x10;
    // rcx, r8, r9 = sp, fp, pc to load
    "mov qword ptr [rsi], rsp":        0x48 0x89 0x26;
    "mov qword ptr [rsi + 8], rbp":    0x48 0x89 0x6e 0x08;
    "mov qword ptr [rsi + 0x10], rax": 0x48 0x89 0x46 0x10;
    // the caller is suspended
    "mov rsp, rcx":                    0x48 0x89 0xcc;
    "mov rbp, r8":                     0x4c 0x89 0xc5;
    // on the other stack; the word is result 0 too
    "mov rax, rdi":                    0x48 0x89 0xf8;
    "jmp r9":                          0x41 0xff 0xe1;
};

#[rustfmt::skip]
const SYSCALL: Routine = routine! {
    // here: rdi, rsi, rdx, rcx, r8, r9 = arguments, [rsp + 8] = number
    "mov r10, rcx":                    0x49 0x89 0xca;
    "mov rax, qword ptr [rsp + 8]":    0x48 0x8b 0x44 0x24 0x08;
    // rdi, rsi, rdx, r10, r8, r9 = arguments, rax = number
    "syscall":                         0x0f 0x05;
    // rax = result; rcx and r11 are lost, as in any call
    "ret":                             0xc3;
};

#[rustfmt::skip]
const START: Routine = routine! {
    // here: rsp = the kernel's record of arguments, everything else unspecified
    "xor ebp, ebp":                    0x31 0xed;
    "and rsp, 0xfffffffffffffff0":     0x48 0x83 0xe4 0xf0;
    // rbp = 0 ends the chain of frames, rsp is aligned as before a call
    "call":                            0xe8 0x00 0x00 0x00 0x00;
    // not reached
    "ud2":                             0x0f 0x0b;
};
