//! What CLIF cannot express, as machine code: three short routines for each
//! ISA, and what a backtrace has to know of a frame. One file per ISA, all with
//! the same surface.
//!
//! - `cc_switch(word, store context, load context) -> word`, the routine of the
//!   `Routine` switch model. It is not a function in any usual sense: it
//!   returns on another stack than it was called on. Its caller has saved every
//!   register (a `try_call` to a `tail` signature clobbers all), so only stack
//!   pointer, frame pointer and the address to go on at are its business. All
//!   loads come before the stores, so the two contexts may be the same.
//! - `cc_syscall(a, b, c, d, e, f, number) -> result`, an ordinary function in
//!   the system's convention. A static executable reaches Linux through it.
//! - `cc_start`, where such an executable begins: it calls `cc_main`, which does
//!   not return.
//!
//! The bytes are data, the same on every host, and are emitted into objects for
//! other machines as well as into a JIT's memory. Each instruction stands
//! beside its text; the tests disassemble the bytes and compare. This crate
//! executes nothing and generates no code.

mod aarch64;
mod riscv64;
mod s390x;
mod x86_64;

use clif_cont_abi::Isa;
use cranelift_codegen::binemit::Reloc;

/// Symbol of [`Arch::syscall`].
pub const SYSCALL: &str = "cc_syscall";
/// Symbol of [`Arch::start`].
pub const START: &str = "cc_start";
/// Symbol of what [`Arch::start`] calls: `()`, the system's convention.
pub const MAIN: &str = "cc_main";

/// What is particular to an ISA.
#[derive(Clone, Copy, Debug)]
pub struct Arch {
    /// The ISA.
    pub isa: Isa,
    /// Alignment of each routine in bytes.
    pub align: u64,
    /// `cc_switch`: position independent, without relocations.
    pub switch: Routine,
    /// `cc_syscall`: the same. Seven words in, one out.
    pub syscall: Routine,
    /// `cc_start`: one relocation, [`Arch::start_call`].
    pub start: Routine,
    /// The call in `cc_start`.
    pub start_call: CallSite,
    /// Numbers of Linux's system calls.
    pub numbers: Numbers,
    /// How frames are linked.
    pub frames: FrameLink,
}

/// Machine code with its listing.
#[derive(Clone, Copy, Debug)]
pub struct Routine {
    /// The bytes.
    pub code: &'static [u8],
    /// The instructions, in order; their lengths add up to the code's.
    pub listing: &'static [Instruction],
}

/// A line of a listing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Instruction {
    /// Assembly, as a disassembler prints it, in Intel syntax on x86_64.
    pub text: &'static str,
    /// Length in bytes.
    pub len: usize,
}

/// A call that a linker has to patch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CallSite {
    /// Where, in bytes from the routine's start.
    pub offset: u32,
    /// Kind of the relocation.
    pub reloc: Reloc,
    /// Its addend.
    pub addend: i64,
}

/// System call numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "named after the calls")]
pub struct Numbers {
    pub read: i64,
    pub write: i64,
    pub mmap: i64,
    pub mprotect: i64,
    pub prctl: i64,
    pub prlimit64: i64,
    pub exit_group: i64,
    /// How `mmap` takes its six arguments.
    pub mmap_arguments: MmapArguments,
}

/// How `mmap` takes its arguments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MmapArguments {
    /// In registers, as every other call.
    Registers,
    /// In six words of memory, whose address is the only argument.
    Block,
}

/// How to get from a stack's saved context to its frames.
///
/// Frames are linked records: from [`FrameLink::first`] on, each has the
/// address of the next one and the address at which its function returns. The
/// record of the outermost function has 0 for the next one; its return address
/// means nothing, for nobody called it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameLink {
    /// Where the innermost record is.
    pub first: FirstRecord,
    /// Offset in a record of the address of the next record, in bytes.
    pub next: u64,
    /// Offset in a record of the return address.
    pub return_address: u64,
}

/// Where the innermost record of a stack is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FirstRecord {
    /// At the context's frame pointer.
    FramePointer,
    /// The word at the context's stack pointer is its address: the backchain.
    AtStackPointer,
}

/// The architecture of an ISA; `None` for bytecodes, which need none of this.
pub const fn of(isa: Isa) -> Option<&'static Arch> {
    match isa {
        Isa::X86_64 => Some(&x86_64::ARCH),
        Isa::Aarch64 => Some(&aarch64::ARCH),
        Isa::Riscv64 => Some(&riscv64::ARCH),
        Isa::S390x => Some(&s390x::ARCH),
        Isa::Pulley64 | Isa::Pulley64be | Isa::Pulley32 | Isa::Pulley32be => None,
    }
}

/// A [`Routine`] from lines of `text: bytes;`.
macro_rules! routine {
    ($($text:literal: $($byte:literal)+;)+) => {
        $crate::Routine {
            code: &[$($($byte),+),+],
            listing: &[$($crate::Instruction { text: $text, len: [$($byte),+].len() }),+],
        }
    };
}
use routine;
