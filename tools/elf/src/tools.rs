//! The tools that this machine has to supply: a linker, which comes with the
//! Rust toolchain, and an emulator for each ISA that is not the host's.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use clif_cont_abi::Isa;
use rustix::fs::Access;

use crate::process::described;
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
        let Some(program) = on_path(&[&name, &format!("{name}-static")])? else {
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
/// [`ElfError::Missing`] without either, [`ElfError::System`] when the system refuses what
/// it takes to find out.
pub fn linker() -> Result<PathBuf, ElfError> {
    // what was found stays; what was not is looked for again
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    if let Some(found) = FOUND.get() {
        return Ok(found.clone());
    }
    let of_toolchain = toolchain_linker();
    let found = match &of_toolchain {
        Ok(Some(linker)) => Some(linker.clone()),
        // what went wrong with `rustc` matters only where there is no other linker
        _ => on_path(&["rust-lld", "ld.lld"])?,
    };
    let found = match found {
        Some(linker) => Some(linker),
        None => of_toolchain?,
    };
    let linker = found.ok_or_else(|| ElfError::Missing {
        what: "the linker rust-lld".into(),
        how: "it is part of a Rust toolchain (`rustup toolchain install stable`), found through `rustc` on the path"
            .into(),
    })?;
    Ok(FOUND.get_or_init(|| linker).clone())
}

fn toolchain_linker() -> Result<Option<PathBuf>, ElfError> {
    let rustc = match env::var_os("RUSTC") {
        Some(rustc) => PathBuf::from(rustc),
        None => match on_path(&["rustc"])? {
            Some(rustc) => rustc,
            None => return Ok(None),
        },
    };
    let output = match Command::new(&rustc).args(["--print", "sysroot"]).stdin(Stdio::null()).output() {
        Ok(output) => output,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(ElfError::system(format!("start {}", rustc.display()))(e)),
    };
    if !output.status.success() {
        let doing = format!("ask {} for its toolchain", rustc.display());
        return Err(ElfError::System { doing, cause: described(output.status, &output.stderr) });
    }
    let sysroot = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim_end());
    let Ok(hosts) = sysroot.join("lib/rustlib").read_dir() else { return Ok(None) };
    Ok(hosts.flatten().map(|host| host.path().join("bin/rust-lld")).find(|p| is_executable(p)))
}

/// The first executable of one of these names on the path, as an absolute path: names in
/// the order of preference. A directory of `PATH` may be relative.
fn on_path(names: &[&str]) -> Result<Option<PathBuf>, ElfError> {
    let Some(path) = env::var_os("PATH") else { return Ok(None) };
    let in_directories = |name| env::split_paths(&path).map(move |directory| directory.join(name));
    let found = names.iter().flat_map(in_directories).find(|p| is_executable(p));
    found.map(std::path::absolute).transpose().map_err(ElfError::system("find the current directory"))
}

fn is_executable(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, Access::EXEC_OK).is_ok()
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
