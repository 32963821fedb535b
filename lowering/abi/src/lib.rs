//! The continuation ABI of clif-cont: every offset, effect, trap code, symbol
//! name and table shape that generated code, the runtime, the interpreter, the
//! verifier and a host have to agree on. Each is declared here and nowhere
//! else; no other crate contains a literal offset or discriminant.
//!
//! An [`Abi`] is a pointer width, a byte order, a [`SwitchModel`] and the size
//! of a stack slot. Everything else follows from it.
//!
//! This crate generates no code and knows nothing of Cranelift.
//!
//! # The picture
//!
//! ```text
//!  slot base (aligned to the slot size)                     slot end
//!  v                                                               v
//!  [ guard | headroom |  ... frames <-- sp  ][ ContRef ][ payload  ]
//!            ^ stack bound: below it a        ^ at a constant offset from the
//!              function entry traps             base, less the slot's colour
//! ```
//!
//! One allocation per continuation. The [`ContRef`] sits above the stack it
//! describes, so that the running continuation finds its own ContRef from the
//! stack pointer by arithmetic alone ([`Abi::contref_of`]): no load, and
//! nothing to keep up to date when stacks switch.

mod effect;
mod isa;
mod record;
mod symbol;
mod trap;

pub use effect::{Effect, EffectKind};
pub use isa::Isa;
pub use record::{ContRef, Field, FieldKind, HandlerTable, Record, Region, StoreContext, Table, mirror64};
pub use symbol::{HostFn, symbols};
pub use trap::Trap;

/// Name and version of this ABI, as it stands in the header of printed files.
pub const PROFILE: &str = "clif-cont";

/// Width of a pointer, and of each word of a continuation object.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PointerWidth {
    /// 4 bytes (pulley32).
    W32,
    /// 8 bytes.
    W64,
}

impl PointerWidth {
    /// In bytes: 4 or 8.
    pub const fn bytes(self) -> u32 {
        match self {
            Self::W32 => 4,
            Self::W64 => 8,
        }
    }

    /// In bits: 32 or 64.
    pub const fn bits(self) -> u32 {
        self.bytes() * 8
    }

    /// The greatest value of a word: all bits set.
    pub const fn max_word(self) -> u64 {
        match self {
            Self::W32 => u32::MAX as u64,
            Self::W64 => u64::MAX,
        }
    }
}

/// Byte order of protocol fields: always the target's own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ByteOrder {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

/// How control moves from one stack to another.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SwitchModel {
    /// The CLIF instruction `stack_switch`; x86_64 only.
    Instruction,
    /// A `try_call` of a `tail` signature to a byte routine of about 35 bytes;
    /// x86_64, aarch64, riscv64, s390x.
    Routine,
    /// A call to a host function; Pulley, where each continuation has a
    /// virtual machine of its own.
    HostCall,
}

impl SwitchModel {
    /// All models, in the order of their declaration.
    pub const ALL: [Self; 3] = [Self::Instruction, Self::Routine, Self::HostCall];

    /// The name in commands and file headers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Instruction => "instruction",
            Self::Routine => "routine",
            Self::HostCall => "hostcall",
        }
    }

    /// The model of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.name() == name)
    }
}

/// How an exception that a function does not catch gets to its caller. One
/// convention for a whole link set.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Exceptions {
    /// Nothing throws; nothing is paid for it.
    #[default]
    None,
    /// Every function of the program has a first result more: an exception
    /// reference, 0 when it returns normally. The other results mean nothing
    /// when it is not 0.
    ExtraResult,
}

impl Exceptions {
    /// All conventions.
    pub const ALL: [Self; 2] = [Self::None, Self::ExtraResult];

    /// The name in file headers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ExtraResult => "extra-result",
        }
    }

    /// The convention of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|e| e.name() == name)
    }
}

/// One concrete ABI.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Abi {
    /// Width of pointers and of object words.
    pub width: PointerWidth,
    /// Byte order of protocol fields.
    pub order: ByteOrder,
    /// How control moves between stacks.
    pub switch: SwitchModel,
    /// The instruction set.
    pub isa: Isa,
    /// How uncaught exceptions travel.
    pub exceptions: Exceptions,
    /// log2 of the size, and of the alignment, of a stack slot in bytes.
    pub slot_bits: u8,
}

impl Abi {
    /// Default for [`Abi::slot_bits`]: slots of 1 MiB of address space (512
    /// KiB where an address has 32 bits), of which only touched pages are ever
    /// resident.
    pub const fn default_slot_bits(width: PointerWidth) -> u8 {
        match width {
            PointerWidth::W32 => 19,
            PointerWidth::W64 => 20,
        }
    }

    /// Slots that a store makes at most: more continuations than this at a time
    /// trap with [`Trap::PoolExhausted`], before a program that makes them
    /// without end takes all of the machine's memory. With 64-bit words
    /// 1,048,576 of them; with 32-bit words as many as there are addresses for.
    pub const fn max_slots(&self) -> u64 {
        match self.width {
            PointerWidth::W32 => 1 << (32 - self.slot_bits),
            PointerWidth::W64 => 1 << 20,
        }
    }

    /// Slots that the pool reserves address space for at a time.
    pub const fn slots_per_reservation(&self) -> u64 {
        match self.width {
            PointerWidth::W32 => 64,
            PointerWidth::W64 => 256,
        }
    }

    /// Alignment of a ContRef in bytes. The low six bits of a ContRef's
    /// address are free to carry an [`Effect`] in the word that a switch
    /// passes.
    pub const CONTREF_ALIGN: u32 = 64;

    /// Bytes at the end of a slot for the ContRef and its payload, at colour 0.
    pub const CONTREF_AREA: u32 = 8192 + 64;

    /// Number of colours: neighbouring slots have their ContRefs at different
    /// distances from the slot's end, 64 bytes apart, because a power-of-two
    /// stride would put all of them into one cache set. (Measured by the
    /// project's sketches: 77 ns against 25 ns for a handler at depth 16.)
    pub const COLOURS: u32 = 64;

    /// Payload slots of a ContRef. One slot holds one value of up to 8 bytes;
    /// a continuation object takes two. Enough for the 1,000 parameters that
    /// WebAssembly implementations accept, and an object beside them.
    pub const PAYLOAD_SLOTS: u32 = 1008;

    /// Bytes of one payload slot, at either pointer width.
    pub const PAYLOAD_SLOT_BYTES: u32 = 8;

    /// Bytes at the bottom of a slot that may be made inaccessible.
    pub const GUARD_BYTES: u32 = 4096;

    /// The most bytes of the stack that a function takes before it checks the
    /// bound, or that a leaf takes which does not. One that a compiler measures to
    /// take more has to be entered through another function that checks for it.
    pub const MAX_FRAME: u32 = 32 * 1024;

    /// What is left below the bound, and below such a frame, for code that nobody
    /// checks: runtime functions, libcalls, and foreign code, above all a signal
    /// handler that has no stack of its own.
    pub const HEADROOM: u32 = 60 * 1024;

    /// The ABI of an ISA with one of its switch models.
    pub const fn new(isa: Isa, switch: SwitchModel) -> Self {
        Self {
            width: isa.width(),
            order: isa.order(),
            switch,
            isa,
            exceptions: Exceptions::None,
            slot_bits: Self::default_slot_bits(isa.width()),
        }
    }

    /// Pointer width in bytes, as an offset.
    pub const fn word(&self) -> i32 {
        self.width.bytes() as i32
    }

    /// Size of a stack slot in bytes.
    pub const fn slot_size(&self) -> u64 {
        1 << self.slot_bits
    }

    /// Distance from a slot's base to its ContRef, in bytes, at colour 0.
    pub const fn contref_base(&self) -> u64 {
        self.slot_size() - Self::CONTREF_AREA as u64
    }

    /// The ContRef of the slot that contains `address` (which may be any
    /// address in the slot, a stack pointer above all):
    ///
    /// `(address & -slot_size) + contref_base - colour * 64`, where the colour
    /// is `(address >> slot_bits) % 64`.
    ///
    /// Generated code computes the same with [`Abi::colour_shift`] and
    /// [`Abi::colour_mask`].
    pub const fn contref_of(&self, address: u64) -> u64 {
        let base = address & !(self.slot_size() - 1);
        base + self.contref_base() - ((base >> self.colour_shift()) & self.colour_mask())
    }

    /// Right shift that brings a slot's colour, times 64, into place.
    pub const fn colour_shift(&self) -> u32 {
        self.slot_bits as u32 - 6
    }

    /// Mask to apply after [`Abi::colour_shift`].
    pub const fn colour_mask(&self) -> u64 {
        ((Self::COLOURS - 1) * Self::CONTREF_ALIGN) as u64
    }

    /// At function entry, after the prologue: `sp % slot_size` below this many
    /// bytes means that the stack is exhausted.
    pub const fn stack_bound(&self) -> u64 {
        (Self::GUARD_BYTES + Self::HEADROOM + Self::MAX_FRAME) as u64
    }

    /// Offset in a ContRef of payload slot `slot`, in bytes.
    ///
    /// Slots count from the **last** value of a payload: the last value is in
    /// slot 0. A `cont.bind`, which supplies the first of the values awaited,
    /// therefore never moves the others, and every slot number is known when
    /// code is generated.
    pub const fn payload_offset(&self, slot: u32) -> i32 {
        let first = ContRef::PAYLOAD.offset(self);
        if slot == 0 {
            return first;
        }
        match self.width {
            // payload[0] ends the first cache line; `store` follows it
            PointerWidth::W64 => ContRef::STORE.offset(self) + (slot * Self::PAYLOAD_SLOT_BYTES) as i32,
            PointerWidth::W32 => first + (slot * Self::PAYLOAD_SLOT_BYTES) as i32,
        }
    }

    /// Revisions above this one are not consumed any more: the operation traps
    /// with [`Trap::RevisionExhausted`], and a slot that ends beyond it is
    /// retired. `None` where the word is too wide for the limit to be reached
    /// (64 bits: 580 years at a consumption each nanosecond).
    pub const fn last_revision(&self) -> Option<u64> {
        match self.width {
            PointerWidth::W32 => Some(u32::MAX as u64 - 4),
            PointerWidth::W64 => None,
        }
    }

    /// A word as its bytes in this ABI's width and order. Higher bits are
    /// dropped.
    pub fn word_bytes(&self, word: u64) -> Vec<u8> {
        let n = self.width.bytes() as usize;
        match self.order {
            ByteOrder::Little => word.to_le_bytes()[..n].to_vec(),
            ByteOrder::Big => word.to_be_bytes()[8 - n..].to_vec(),
        }
    }
}

#[cfg(test)]
mod tests;
