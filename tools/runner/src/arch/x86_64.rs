//! x86_64.
//!
//! The word comes in `rdi` and stays there: `stack_switch` passes its payload
//! in `rdi` as well, so a context that one of them stored can be loaded by the
//! other. The routine's signature has five results, of which the fifth is in
//! `rdi`; the other four are whatever the registers held.
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

use super::{Arch, FrameLink};

pub(super) const ARCH: Arch =
    Arch { switch: &SWITCH, align: 16, frames: Some(FrameLink { caller: 0, return_address: 8 }) };

#[rustfmt::skip]
const SWITCH: [u8; 35] = [
    // here: rdi = word, rsi = context to store, rdx = context to load,
    //       [rsp] = where the caller goes on
    0x58,                   // pop  rax
    // rax = the caller's pc, rsp = the caller's sp, rbp = its fp
    0x48, 0x8b, 0x0a,       // mov  rcx, [rdx]
    0x4c, 0x8b, 0x42, 0x08, // mov  r8,  [rdx + 8]
    0x4c, 0x8b, 0x4a, 0x10, // mov  r9,  [rdx + 16]
    // rcx, r8, r9 = sp, fp, pc to load
    0x48, 0x89, 0x26,       // mov  [rsi], rsp
    0x48, 0x89, 0x6e, 0x08, // mov  [rsi + 8], rbp
    0x48, 0x89, 0x46, 0x10, // mov  [rsi + 16], rax
    // the caller is suspended
    0x48, 0x89, 0xcc,       // mov  rsp, rcx
    0x4c, 0x89, 0xc5,       // mov  rbp, r8
    // on the other stack; the word is result 0 too
    0x48, 0x89, 0xf8,       // mov  rax, rdi
    0x41, 0xff, 0xe1,       // jmp  r9
];
