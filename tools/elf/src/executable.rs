//! [`Executable`]: a program, compiled and linked, in memory.
//!
//! Object and executable are files without a name (`memfd_create`), which the linker, the
//! emulator and the kernel reach through this process's `/proc/PID/fd`. Nothing is written
//! to a directory, so nobody else can change it, and nothing is left behind however this
//! process ends.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::path::PathBuf;
use std::process::{self, Command, Stdio};

use clif_cont_abi::Isa;
use clif_cont_arch::START;
use clif_cont_program::target::{isa_from_builder, target_isa};
use clif_cont_program::{Finished, Host, Origin, Program, stack};
use cranelift_codegen::isa::{self, OwnedTargetIsa};
use cranelift_codegen::settings::Configurable;
use object::{Object, ObjectSymbol, SymbolKind};
use rustix::fs::{MemfdFlags, memfd_create};

use crate::process::described;
use crate::tools::{Launcher, linker};
use crate::{ElfError, Options, Remote, Vectors, object as emit};

/// A static executable that runs one program, and what is known of it.
#[derive(Debug)]
pub struct Executable {
    pub(crate) program: Finished,
    pub(crate) options: Options,
    launcher: Launcher,
    file: MemoryFile,
    symbols: HashMap<String, u64>,
    functions: Vec<Range>,
}

/// A function's place in the executable.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Range {
    start: u64,
    len: u64,
    name: String,
    origin: Origin,
}

impl Executable {
    /// Compiles and links a program.
    ///
    /// # Errors
    ///
    /// [`ElfError::Missing`] when this machine cannot link, or cannot run
    /// executables of the ISA; others for a program that cannot be built.
    pub fn build(program: &Finished, options: &Options) -> Result<Self, ElfError> {
        let target = program.target;
        let launcher = Launcher::find(target.isa, options.vectors)?;
        let arch = clif_cont_arch::of(target.isa).ok_or(ElfError::Bytecode(target.isa))?;
        let linker = linker()?;
        program.check_to_run().map_err(ElfError::Program)?;
        let object = emit::emit(program, target_isa_of(program, options)?, arch)?;

        let object = MemoryFile::new("object", &object)?;
        // the linker writes to its standard output what it would write to a file of that name
        let output = Command::new(linker)
            .args(["-flavor", "gnu", "-static", "-e", START, "-o", "-"])
            .arg(object.path())
            .stdin(Stdio::null())
            .output()
            .map_err(ElfError::system("start the linker"))?;
        if !output.status.success() {
            let cause = described(output.status, &output.stderr);
            // it says 1 of what it does not take; a loader without memory and a signal say something else
            if output.status.code() != Some(1) || cause.contains("Cannot allocate memory") {
                return Err(ElfError::System { doing: "run the linker".into(), cause });
            }
            return Err(ElfError::Link(cause));
        }
        let image = output.stdout;
        let (symbols, functions) = read_symbols(program, &image)?;
        let (program, file) = (program.clone(), MemoryFile::new("program", &image)?);
        Ok(Self { program, options: options.clone(), launcher, file, symbols, functions })
    }

    /// Starts it. Imports are served by `host`.
    ///
    /// # Errors
    ///
    /// [`ElfError::System`] when the system refuses.
    pub fn start(self, host: Box<dyn Host>) -> Result<Remote, ElfError> {
        let command = self.launcher.command(&self.path());
        Remote::spawn(self, command, host)
    }

    /// [`Executable::build`] and [`Executable::start`].
    ///
    /// # Errors
    ///
    /// Theirs.
    pub fn launch(program: &Finished, host: Box<dyn Host>, options: &Options) -> Result<Remote, ElfError> {
        Self::build(program, options)?.start(host)
    }

    /// How it is started on this machine.
    pub fn launcher(&self) -> &Launcher {
        &self.launcher
    }

    /// A path to it, as long as this exists, for processes of the same user.
    pub fn path(&self) -> PathBuf {
        self.file.path()
    }

    /// Address of a function or of data. Every symbol that the program defines
    /// is there.
    pub(crate) fn address(&self, symbol: &str) -> Option<u64> {
        self.symbols.get(symbol).copied()
    }

    /// The program's own function that contains the call which returns to
    /// `address`.
    pub(crate) fn function_returned_to(&self, address: u64) -> Option<&str> {
        // a call may be the last instruction of its function
        let call = address.checked_sub(1)?;
        let range = self.functions[..self.functions.partition_point(|r| r.start <= call)].last()?;
        (call - range.start < range.len && range.origin == Origin::Program).then_some(range.name.as_str())
    }
}

/// The ISA to compile for.
pub(crate) fn target_isa_of(program: &Finished, options: &Options) -> Result<OwnedTargetIsa, ElfError> {
    let plain = target_isa(program.target, program.opt()).map_err(ElfError::Target)?;
    if options.vectors == Vectors::Off {
        return Ok(plain);
    }
    let mut builder = isa::Builder::from_target_isa(&*plain);
    if program.target.isa != Isa::Riscv64 || builder.enable("has_v").is_err() {
        return Err(ElfError::Vectors(program.target.isa));
    }
    isa_from_builder(program.target, program.opt(), builder).map_err(ElfError::Target)
}

fn read_symbols(program: &Program, image: &[u8]) -> Result<(HashMap<String, u64>, Vec<Range>), ElfError> {
    let file = object::File::parse(image).map_err(|e| ElfError::Link(format!("an unreadable executable: {e}")))?;
    let mut symbols = HashMap::new();
    let mut functions = vec![];
    for symbol in file.symbols().filter(|s| matches!(s.kind(), SymbolKind::Text | SymbolKind::Data)) {
        let Ok(name) = symbol.name() else { continue };
        symbols.insert(name.to_owned(), symbol.address());
        if symbol.kind() == SymbolKind::Text {
            functions.push(Range {
                start: symbol.address(),
                len: symbol.size(),
                name: stack::function_of(name).to_owned(),
                origin: Origin::Runtime,
            });
        }
    }
    functions.sort_by_key(|f| f.start);
    let own: HashMap<String, Origin> = program.functions.iter().map(|f| (f.name(), f.origin)).collect();
    for function in &mut functions {
        if let Some(origin) = own.get(&function.name) {
            function.origin = *origin;
        }
    }
    Ok((symbols, functions))
}

/// A file without a name. It is gone when the last process that has it open is.
#[derive(Debug)]
struct MemoryFile(File);

impl MemoryFile {
    fn new(what: &str, bytes: &[u8]) -> Result<Self, ElfError> {
        let made = memfd_create(what, MemfdFlags::CLOEXEC).map(File::from).map_err(Into::into);
        let filled = made.and_then(|mut file| file.write_all(bytes).map(|()| file));
        filled.map(Self).map_err(ElfError::system(format!("keep the {what} in memory")))
    }

    fn path(&self) -> PathBuf {
        format!("/proc/{}/fd/{}", process::id(), self.0.as_raw_fd()).into()
    }
}
