//! s390x.
//!
//! Only the differences from x86_64: arguments are in `r2`, `r3`, `r4`, the
//! result is in `r2`, where the word already is; the return address is in
//! `r14`. There is no frame pointer: the middle word of a context is unused,
//! and backtraces have no more than each stack's innermost function. A callee
//! owns 160 bytes above its caller's stack pointer, so an initial stack's sp is
//! that far below the ContRef.
//!
//! ```text
//! initial                     running                      suspended
//! |  ContRef     |            |  ContRef     |             |  ContRef     | sp, pc
//! |  save area,  |            |  save area   |             |  save area   |
//! |  160 bytes   | <- r15     |  frames ...  |             |  frames ...  |
//! |  untouched   |            |              | <- r15      |              | <- sp
//! ```

use super::Arch;

pub(super) const ARCH: Arch = Arch { switch: &SWITCH, align: 2, frames: None };

#[rustfmt::skip]
const SWITCH: [u8; 34] = [
    // here: r2 = word, r3 = context to store, r4 = context to load, r14 = pc
    0xe3, 0x50, 0x40, 0x10, 0x00, 0x04, // lg   %r5, 16(%r4)
    0xe3, 0x10, 0x40, 0x00, 0x00, 0x04, // lg   %r1, 0(%r4)
    // r1, r5 = sp, pc to load
    0xe3, 0xf0, 0x30, 0x00, 0x00, 0x24, // stg  %r15, 0(%r3)
    0xe3, 0xe0, 0x30, 0x10, 0x00, 0x24, // stg  %r14, 16(%r3)
    // the caller is suspended
    0xb9, 0x04, 0x00, 0xf1,             // lgr  %r15, %r1
    // on the other stack; r6 is where a handler of an exception edge would look
    0xb9, 0x04, 0x00, 0x62,             // lgr  %r6, %r2
    0x07, 0xf5,                         // br   %r5
];
