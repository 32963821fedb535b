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
//! |  untouched  |             |  x30: 0      |             |  x30: 0      |
//! |             |             |  x29: ctx.fp | <- x29      |  x29: ctx.fp |
//! |             |             |  frames ...  | <- sp       |  frames ...  | <- sp
//! ```

use super::{Arch, FrameLink};

pub(super) const ARCH: Arch =
    Arch { switch: &SWITCH, align: 4, frames: Some(FrameLink { caller: 0, return_address: 8 }) };

#[rustfmt::skip]
const SWITCH: [u8; 36] = [
    // here: x2 = word, x3 = context to store, x4 = context to load, x30 = pc
    0x89, 0x28, 0x40, 0xa9, // ldp  x9, x10, [x4]
    0x8b, 0x08, 0x40, 0xf9, // ldr  x11, [x4, #16]
    // x9, x10, x11 = sp, fp, pc to load
    0xec, 0x03, 0x00, 0x91, // mov  x12, sp
    0x6c, 0x74, 0x00, 0xa9, // stp  x12, x29, [x3]
    0x7e, 0x08, 0x00, 0xf9, // str  x30, [x3, #16]
    // the caller is suspended
    0x3f, 0x01, 0x00, 0x91, // mov  sp, x9
    0xfd, 0x03, 0x0a, 0xaa, // mov  x29, x10
    // on the other stack
    0xe0, 0x03, 0x02, 0xaa, // mov  x0, x2
    0x60, 0x01, 0x1f, 0xd6, // br   x11
];
