//! The byte routine of the `Routine` switch model, and what a backtrace has to
//! know of a frame; one file per ISA, all with the same surface.
//!
//! The routine is `cc_switch(word, store context, load context) -> word`. It is
//! not a function in any usual sense: it returns on another stack than it was
//! called on. Its caller has saved every register (`try_call` to a `tail`
//! signature clobbers all), so only stack pointer, frame pointer and the
//! address to go on at are its business. All loads come before the stores, so
//! the two contexts may be the same.
//!
//! The bytes are data, the same on every host, and can be emitted into objects
//! for other machines as well.

mod aarch64;
mod riscv64;
mod s390x;
mod x86_64;

use clif_cont_abi::Isa;

/// What is particular to an ISA.
#[derive(Clone, Copy, Debug)]
pub struct Arch {
    /// The machine code of `cc_switch`. Position independent, without
    /// relocations.
    pub switch: &'static [u8],
    /// Alignment of that code in bytes.
    pub align: u64,
    /// How frames are linked, where they are linked through a frame pointer.
    pub frames: Option<FrameLink>,
}

/// Where a frame keeps its caller's state, as offsets in bytes from the frame
/// pointer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameLink {
    /// The caller's frame pointer.
    pub caller: u64,
    /// The return address.
    pub return_address: u64,
}

/// The architecture of an ISA; `None` for bytecodes, which have no routine.
pub const fn of(isa: Isa) -> Option<&'static Arch> {
    match isa {
        Isa::X86_64 => Some(&x86_64::ARCH),
        Isa::Aarch64 => Some(&aarch64::ARCH),
        Isa::Riscv64 => Some(&riscv64::ARCH),
        Isa::S390x => Some(&s390x::ARCH),
        Isa::Pulley64 | Isa::Pulley64be | Isa::Pulley32 | Isa::Pulley32be => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clif_cont_abi::SwitchModel;

    #[test]
    fn exactly_the_isas_with_the_routine_model_have_a_routine() {
        for isa in Isa::ALL {
            assert_eq!(of(isa).is_some(), isa.switch_models().contains(&SwitchModel::Routine), "{}", isa.name());
        }
    }

    #[test]
    fn fixed_width_code_has_whole_instructions() {
        for isa in [Isa::Aarch64, Isa::Riscv64] {
            let arch = of(isa).expect("has a routine");
            assert_eq!(arch.switch.len() % 4, 0);
            assert_eq!(arch.align, 4);
        }
    }
}
