//! The eight ISAs: those that Cranelift 0.135 generates code for.

use crate::{ByteOrder, PointerWidth, SwitchModel};

/// An instruction set that Cranelift compiles for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs, reason = "the variants are the ISAs' own names")]
pub enum Isa {
    X86_64,
    Aarch64,
    Riscv64,
    S390x,
    Pulley64,
    Pulley64be,
    Pulley32,
    Pulley32be,
}

impl Isa {
    /// All of them, in the order in which tables show them.
    pub const ALL: [Self; 8] = [
        Self::X86_64,
        Self::Aarch64,
        Self::Riscv64,
        Self::S390x,
        Self::Pulley64,
        Self::Pulley64be,
        Self::Pulley32,
        Self::Pulley32be,
    ];

    /// The name in commands and file headers; also the architecture part of a
    /// target triple (for riscv64 the triple says `riscv64gc`).
    pub const fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
            Self::Riscv64 => "riscv64",
            Self::S390x => "s390x",
            Self::Pulley64 => "pulley64",
            Self::Pulley64be => "pulley64be",
            Self::Pulley32 => "pulley32",
            Self::Pulley32be => "pulley32be",
        }
    }

    /// The ISA of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|i| i.name() == name)
    }

    /// The ISA of the machine that this crate was compiled for, if it is one.
    pub const fn host() -> Option<Self> {
        if cfg!(target_arch = "x86_64") {
            Some(Self::X86_64)
        } else if cfg!(target_arch = "aarch64") {
            Some(Self::Aarch64)
        } else if cfg!(target_arch = "riscv64") {
            Some(Self::Riscv64)
        } else if cfg!(target_arch = "s390x") {
            Some(Self::S390x)
        } else {
            None
        }
    }

    /// Pointer width.
    pub const fn width(self) -> PointerWidth {
        match self {
            Self::Pulley32 | Self::Pulley32be => PointerWidth::W32,
            _ => PointerWidth::W64,
        }
    }

    /// Byte order.
    pub const fn order(self) -> ByteOrder {
        match self {
            Self::S390x | Self::Pulley64be | Self::Pulley32be => ByteOrder::Big,
            _ => ByteOrder::Little,
        }
    }

    /// Is it one of the four Pulley bytecodes?
    pub const fn is_pulley(self) -> bool {
        matches!(self, Self::Pulley64 | Self::Pulley64be | Self::Pulley32 | Self::Pulley32be)
    }

    /// The switch models that exist on this ISA; the first is the default.
    pub const fn switch_models(self) -> &'static [SwitchModel] {
        match self {
            Self::X86_64 => &[SwitchModel::Instruction, SwitchModel::Routine],
            Self::Aarch64 | Self::Riscv64 | Self::S390x => &[SwitchModel::Routine],
            _ => &[SwitchModel::HostCall],
        }
    }

    /// Distance from a fresh stack's top (the ContRef's address) down to its
    /// initial stack pointer, in bytes. x86_64 enters a function with a return
    /// address pushed; s390x callees own 160 bytes above their caller's stack
    /// pointer, the register save area of its ELF ABI.
    pub const fn initial_sp_bias(self) -> u32 {
        match self {
            Self::X86_64 => 8,
            Self::S390x => 160,
            _ => 0,
        }
    }
}
