//! [`Jit`]: a program in this process.
#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use clif_cont_abi::{Isa, SwitchModel, symbols};
use clif_cont_program::{Export, Finished, Host, Instance, InvokeError, Outcome, Val};
use cranelift_jit::JITModule;

use crate::module::{self, Loaded};
use crate::shared::{self, Code, Driver, Entry, Shared};
use crate::{CallError, Params, Results, RunError, host};

/// Which instructions code may use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Cpu {
    /// All that this machine has.
    #[default]
    Host,
    /// Those that every machine of the ISA has: the same code everywhere.
    Baseline,
}

/// How to compile.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// For which machine.
    pub cpu: Cpu,
}

/// A program, compiled and ready. It stays on the thread that made it.
///
/// Dropping it frees its code, data, stacks and memories.
pub struct Jit {
    shared: Rc<Shared>,
    /// `None` only while it is dropped.
    module: Option<JITModule>,
}

impl fmt::Debug for Jit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jit").field("stacks", &self.slots()).finish_non_exhaustive()
    }
}

impl Jit {
    /// Compiles and links a program. Nothing of it is run yet.
    ///
    /// # Errors
    ///
    /// [`RunError`]: another ISA than the host's, parts that do not fit together, a
    /// function that is invalid, an undefined symbol.
    pub fn new(program: &Finished, host: Box<dyn Host>, options: Options) -> Result<Self, RunError> {
        let target = program.target;
        if Isa::host() != Some(target.isa) {
            return Err(RunError::WrongIsa { program: target.isa, host: Isa::host() });
        }
        if target.abi.switch == SwitchModel::HostCall {
            return Err(RunError::SwitchModel(target.abi.switch));
        }
        program.check_to_run().map_err(RunError::Program)?;
        let shared = Rc::new(Shared::new(target.abi, program.imports.clone(), host));
        let mut jit = Self { shared, module: None };
        let Loaded { module, code, data } = module::load(program, host::addresses(&jit.shared), &options)?;
        jit.module = Some(module);

        let functions: BTreeMap<&str, u64> = code.iter().map(|r| (r.name.as_str(), r.start)).collect();
        let find = |symbol: &str, by: &str| {
            let undefined = || RunError::Undefined { symbol: symbol.to_owned(), by: by.to_owned() };
            functions.get(symbol).copied().ok_or_else(undefined)
        };
        let entry = |export: &Export| -> Result<Entry, RunError> {
            let by = format!("export `{}`", export.name);
            Ok(Entry {
                function: find(&export.function, &by)?,
                enter: find(&export.enter, &by)?,
                export: export.clone(),
            })
        };
        let exports =
            program.exports.iter().map(|e| Ok((e.name.clone(), entry(e)?))).collect::<Result<_, RunError>>()?;
        let init = program.init.as_ref().map(entry).transpose()?;
        let driver = if program.exports.is_empty() && init.is_none() {
            None
        } else {
            let by = "every invocation";
            Some(Driver {
                begin: find(symbols::BEGIN, by)?,
                invoke: find(symbols::INVOKE, by)?,
                reclaim: find(symbols::RECLAIM, by)?,
                store: data
                    .get(symbols::STORE)
                    .copied()
                    .ok_or_else(|| RunError::Undefined { symbol: symbols::STORE.into(), by: by.into() })?,
            })
        };
        let names = program.exports.iter().map(|e| e.name.clone()).collect();
        let code = Code { ranges: code, exports, names, init, driver };
        if jit.shared.code.set(code).is_err() {
            return Err(RunError::Jit("loaded twice".into()));
        }
        Ok(jit)
    }

    /// Calls an export with Rust types.
    ///
    /// # Errors
    ///
    /// [`CallError`] when the types are not those of the export, and when the
    /// program traps.
    pub fn call<P: Params, R: Results>(&mut self, export: &str, params: P) -> Result<R, CallError> {
        let asked = R::types();
        if let Some(entry) = self.shared.code.get().and_then(|c| c.exports.get(export))
            && entry.export.params == P::types()
            && entry.export.results != asked
        {
            let returns = entry.export.results.clone();
            return Err(CallError::Results { export: export.to_owned(), returns, asked });
        }
        match self.invoke(export, &params.to_vals()).map_err(CallError::Invoke)? {
            Outcome::Returned(vals) => {
                R::from_vals(&vals).ok_or_else(|| CallError::Other(format!("`{export}` gave other results")))
            }
            Outcome::Trapped(trapped) => Err(CallError::Trapped(trapped)),
            Outcome::Unsupported(what) => Err(CallError::Other(what)),
            other => Err(CallError::Other(format!("{other:?}"))),
        }
    }

    /// Size in bytes of a function's machine code; `None` for one that the
    /// program does not have.
    pub fn code_size(&self, symbol: &str) -> Option<usize> {
        self.shared.code.get()?.ranges.iter().find(|r| r.name == symbol).map(|r| r.len)
    }

    /// The number of stacks made so far. A program whose continuations end
    /// stops making them: slots are recycled.
    pub fn slots(&self) -> u64 {
        shared::stacks_made(&self.shared)
    }
}

impl Instance for Jit {
    fn invoke(&mut self, export: &str, args: &[Val]) -> Result<Outcome, InvokeError> {
        self.shared.invoke(export, args)
    }

    fn initialize(&mut self) -> Option<Outcome> {
        self.shared.initialize()
    }
}

impl Drop for Jit {
    fn drop(&mut self) {
        if let Some(module) = self.module.take() {
            // SAFETY: an invocation borrows the JIT, so no code of it runs; its
            // addresses are known to `shared` alone, which goes next.
            unsafe { module.free_memory() };
        }
    }
}
