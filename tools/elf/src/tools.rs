//! The tools that this machine has to supply: a linker, which comes with the
//! Rust toolchain, and an emulator for each ISA that is not the host's.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use clif_cont_abi::Isa;

use crate::{ElfError, Vectors};

/// How an executable for an ISA is started on this machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Launcher {
    /// As it is: the host has this ISA.
    Native,
    /// By an emulator with these arguments before the executable's name.
    Emulator {
        /// The emulator.
        program: PathBuf,
        /// Its arguments.
        args: Vec<String>,
    },
}

impl Launcher {
    /// Finds the way for an ISA.
    ///
    /// # Errors
    ///
    /// [`ElfError::Missing`] without the emulator, [`ElfError::Bytecode`] and
    /// [`ElfError::Vectors`] where there is no way anywhere.
    pub fn find(isa: Isa, vectors: Vectors) -> Result<Self, ElfError> {
        if isa.is_pulley() {
            return Err(ElfError::Bytecode(isa));
        }
        if vectors == Vectors::On && isa != Isa::Riscv64 {
            return Err(ElfError::Vectors(isa));
        }
        // a host with this ISA need not have its optional vectors
        if cfg!(target_os = "linux") && Isa::host() == Some(isa) && vectors == Vectors::Off {
            return Ok(Self::Native);
        }
        let name = format!("qemu-{}", isa.name());
        let Some(program) = on_path(&name).or_else(|| on_path(&format!("{name}-static"))) else {
            return Err(ElfError::Missing {
                what: format!("the emulator {name}"),
                how: "`apt-get install qemu-user` (Debian, Ubuntu) supplies it".into(),
            });
        };
        let args = match vectors {
            Vectors::Off => vec![],
            Vectors::On => vec!["-cpu".into(), "rv64,v=true,vext_spec=v1.0".into()],
        };
        Ok(Self::Emulator { program, args })
    }

    /// The command that starts `executable`.
    pub(crate) fn command(&self, executable: &Path) -> Command {
        match self {
            Self::Native => Command::new(executable),
            Self::Emulator { program, args } => {
                let mut command = Command::new(program);
                command.args(args).arg(executable);
                command
            }
        }
    }
}

/// The linker: `rust-lld` of the toolchain, else `ld.lld` on the path.
///
/// # Errors
///
/// [`ElfError::Missing`] without either.
pub fn linker() -> Result<PathBuf, ElfError> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOUND
        .get_or_init(|| toolchain_linker().or_else(|| on_path("rust-lld")).or_else(|| on_path("ld.lld")))
        .clone()
        .ok_or(ElfError::Missing {
            what: "the linker rust-lld".into(),
            how:
                "it is part of a Rust toolchain (`rustup toolchain install stable`), found through `rustc` on the path"
                    .into(),
        })
}

fn toolchain_linker() -> Option<PathBuf> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
    let output = Command::new(rustc).args(["--print", "sysroot"]).output().ok()?;
    let sysroot = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim_end());
    let hosts = sysroot.join("lib/rustlib").read_dir().ok()?;
    hosts.flatten().map(|host| host.path().join("bin/rust-lld")).find(|p| p.is_file())
}

fn on_path(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|dir| dir.join(name)).find(|p| p.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_exists_nowhere_is_no_missing_tool() {
        assert_eq!(Launcher::find(Isa::Pulley64, Vectors::Off), Err(ElfError::Bytecode(Isa::Pulley64)));
        assert_eq!(Launcher::find(Isa::S390x, Vectors::On), Err(ElfError::Vectors(Isa::S390x)));
    }

    #[test]
    fn the_host_needs_no_emulator() {
        if let Some(host) = Isa::host() {
            assert_eq!(Launcher::find(host, Vectors::Off), Ok(Launcher::Native));
        }
    }

    #[test]
    fn the_toolchain_that_runs_this_test_has_a_linker() {
        assert!(linker().expect("rust-lld").is_file());
    }
}
