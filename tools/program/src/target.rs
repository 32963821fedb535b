//! Cranelift settings for each [`Isa`].
//!
//! One place decides the flags, so that what is verified, printed as assembly,
//! emitted as an object and run is the same code. It does not detect the host:
//! who runs code in process passes a builder with the host's features to
//! [`isa_from_builder`].

use std::fmt;

use clif_cont_abi::Isa;
use cranelift_codegen::isa::{self, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use target_lexicon::Triple;

use crate::Target;

/// How much Cranelift optimises.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum OptLevel {
    /// As the front end left it.
    #[default]
    None,
    /// Cranelift's mid-end: egraphs, redundant load removal, hoisting.
    Speed,
}

impl OptLevel {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::None, Self::Speed];

    /// The name in commands, and Cranelift's own.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Speed => "speed",
        }
    }

    /// The level of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|l| l.name() == name)
    }
}

/// Cranelift refused a target; with its own message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TargetError {
    /// The ISA.
    pub isa: Isa,
    /// What Cranelift said.
    pub cause: String,
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot compile for {}: {}", self.isa.name(), self.cause)
    }
}

impl std::error::Error for TargetError {}

/// The target triple of an ISA: ELF under Linux, or a Pulley bytecode.
pub const fn triple_name(isa: Isa) -> &'static str {
    match isa {
        Isa::X86_64 => "x86_64-unknown-linux-gnu",
        Isa::Aarch64 => "aarch64-unknown-linux-gnu",
        Isa::Riscv64 => "riscv64gc-unknown-linux-gnu",
        Isa::S390x => "s390x-unknown-linux-gnu",
        Isa::Pulley64 => "pulley64",
        Isa::Pulley64be => "pulley64be",
        Isa::Pulley32 => "pulley32",
        Isa::Pulley32be => "pulley32be",
    }
}

/// ISA flags beyond Cranelift's minimum: x86-64-v2, and what `riscv64gc` means.
const fn baseline(isa: Isa) -> &'static [&'static str] {
    match isa {
        Isa::X86_64 => &["has_cmpxchg16b", "has_sse3", "has_ssse3", "has_sse41", "has_sse42", "has_popcnt"],
        Isa::Riscv64 => &["has_m", "has_a", "has_f", "has_d", "has_zicsr", "has_zifencei"],
        _ => &[],
    }
}

/// The flags that every ISA is compiled with.
fn flags(target: Target, opt: OptLevel) -> Result<settings::Flags, settings::SetError> {
    let mut b = settings::builder();
    b.set("opt_level", opt.name())?;
    // backtraces walk frame pointers
    b.enable("preserve_frame_pointers")?;
    // functions with more results than registers
    b.enable("enable_multi_ret_implicit_sret")?;
    b.set("is_pic", "false")?;
    b.set("unwind_info", "false")?;
    b.set("enable_probestack", "false")?;
    // libcalls may be further away than a short call reaches
    b.set("use_colocated_libcalls", "false")?;
    // verification is explicit: `compile::verify`
    b.set("enable_verifier", "false")?;
    if target.isa == Isa::X86_64 {
        b.set("stack_switch_model", "basic")?;
    }
    Ok(settings::Flags::new(b))
}

/// The ISA with its baseline features: the same code on every machine.
///
/// # Errors
///
/// [`TargetError`] when this build of Cranelift lacks the ISA.
pub fn target_isa(target: Target, opt: OptLevel) -> Result<OwnedTargetIsa, TargetError> {
    let error = |cause: String| TargetError { isa: target.isa, cause };
    let triple: Triple = triple_name(target.isa).parse().map_err(|e| error(format!("{e}")))?;
    let mut builder = isa::lookup(triple).map_err(|e| error(e.to_string()))?;
    for flag in baseline(target.isa) {
        builder.enable(flag).map_err(|e| error(format!("{flag}: {e}")))?;
    }
    isa_from_builder(target, opt, builder)
}

/// The ISA with the features of `builder`, `cranelift_native::builder` above
/// all, and this project's flags.
///
/// # Errors
///
/// [`TargetError`] when the builder is for another architecture.
pub fn isa_from_builder(target: Target, opt: OptLevel, builder: isa::Builder) -> Result<OwnedTargetIsa, TargetError> {
    let error = |cause: String| TargetError { isa: target.isa, cause };
    let flags = flags(target, opt).map_err(|e| error(e.to_string()))?;
    let isa = builder.finish(flags).map_err(|e| error(e.to_string()))?;
    match isa_of_triple(isa.triple()) {
        Some(got) if got == target.isa => Ok(isa),
        _ => Err(error(format!("the given builder is for {}", isa.triple()))),
    }
}

/// The same ISA, whose compilations end with Cranelift's symbolic check of its register
/// allocation: for tests, since it takes as long as the allocation.
///
/// # Errors
///
/// None, unless Cranelift does not accept its own flags.
pub fn with_regalloc_checker(isa: &dyn isa::TargetIsa) -> Result<OwnedTargetIsa, TargetError> {
    let same = || {
        let mut flags = settings::builder();
        for flag in isa.flags().iter() {
            flags.set(flag.name, &flag.value_string())?;
        }
        flags.enable("regalloc_checker")?;
        Ok::<_, settings::SetError>(settings::Flags::new(flags))
    };
    let of = isa_of_triple(isa.triple()).unwrap_or(Isa::X86_64);
    let error = |cause: String| TargetError { isa: of, cause };
    let flags = same().map_err(|e| error(e.to_string()))?;
    isa::Builder::from_target_isa(isa).finish(flags).map_err(|e| error(e.to_string()))
}

/// The ISA of a target triple, as a `target` line of a Cranelift filetest names
/// it; `None` for those that are not among [`Isa::ALL`].
pub fn isa_of_triple(triple: &Triple) -> Option<Isa> {
    use target_lexicon::Architecture;
    match triple.architecture {
        Architecture::Riscv64(_) => Some(Isa::Riscv64),
        Architecture::Aarch64(_) => Some(Isa::Aarch64),
        other => Isa::from_name(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clif_cont_abi::ByteOrder;
    use cranelift_codegen::ir::Endianness;

    #[test]
    fn every_isa_has_a_target_that_agrees_with_the_abi() {
        for isa in Isa::ALL {
            for opt in OptLevel::ALL {
                let target = Target::new(isa);
                let owned = target_isa(target, opt).expect("all ISAs are built in");
                assert_eq!(isa_of_triple(owned.triple()), Some(isa));
                assert_eq!(u32::from(owned.pointer_bits()), isa.width().bits());
                let big = owned.endianness() == Endianness::Big;
                assert_eq!(big, isa.order() == ByteOrder::Big, "{}", isa.name());
                assert!(owned.flags().preserve_frame_pointers());
            }
        }
    }

    #[test]
    fn a_builder_for_another_architecture_is_refused() {
        let builder = isa::lookup("s390x".parse().expect("a triple")).expect("built in");
        let e = isa_from_builder(Target::new(Isa::Aarch64), OptLevel::None, builder).map(|_| ()).unwrap_err();
        assert!(e.to_string().contains("s390x"), "{e}");
    }
}
