//! riscv64.
//!
//! Only the differences from x86_64: arguments are in `a0`, `a1`, `a2`, the
//! result is in `a0`, where the word already is; the return address is in `ra`,
//! so an initial stack's sp is the ContRef's address, as on aarch64.
//!
//! ```text
//! initial                     running                      suspended
//! |  ContRef    | <- sp       |  ContRef     |             |  ContRef     | sp, s0, pc
//! |  untouched  |             |  ra          |             |  ra          |
//! |             |             |  s0: ctx.fp  | <- s0       |  s0: ctx.fp  |
//! |             |             |  frames ...  | <- sp       |  frames ...  | <- sp
//! ```

use super::{Arch, FrameLink};

pub(super) const ARCH: Arch =
    Arch { switch: &SWITCH, align: 4, frames: Some(FrameLink { caller: 0, return_address: 8 }) };

#[rustfmt::skip]
const SWITCH: [u8; 36] = [
    // here: a0 = word, a1 = context to store, a2 = context to load, ra = pc
    0x83, 0x32, 0x06, 0x00, // ld   t0, 0(a2)
    0x03, 0x33, 0x86, 0x00, // ld   t1, 8(a2)
    0x83, 0x33, 0x06, 0x01, // ld   t2, 16(a2)
    // t0, t1, t2 = sp, fp, pc to load
    0x23, 0xb0, 0x25, 0x00, // sd   sp, 0(a1)
    0x23, 0xb4, 0x85, 0x00, // sd   s0, 8(a1)
    0x23, 0xb8, 0x15, 0x00, // sd   ra, 16(a1)
    // the caller is suspended
    0x13, 0x81, 0x02, 0x00, // mv   sp, t0
    0x13, 0x04, 0x03, 0x00, // mv   s0, t1
    // on the other stack
    0x67, 0x80, 0x03, 0x00, // jr   t2
];
