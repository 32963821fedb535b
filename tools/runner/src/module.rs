//! From a program to code and data in memory.
//!
//! Everything lies in one arena, so that `colocated` references, which reach
//! two gigabytes, always reach. Nothing is looked up in the process by name but
//! the libcalls; a symbol that the program does not define is an error before
//! anything is compiled.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use clif_cont_abi::{Abi, HostFn, SwitchModel, symbols};
use clif_cont_arch as arch;
use clif_cont_program::compile::{self, Disassembly};
use clif_cont_program::stack::{self, Part};
use clif_cont_program::target::{isa_from_builder, target_isa};
use clif_cont_program::{Data, DataItem, Finished, Origin, Program, host_signature, panic_message};
use cranelift_codegen::FinalizedRelocTarget;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::{self, AbiParam, ExternalName, Function, InstBuilder, Signature};
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_jit::{ArenaMemoryProvider, JITBuilder, JITModule};
use cranelift_module::{
    DataDescription, DataId, FuncId, Linkage, Module, ModuleError, ModuleReloc, ModuleRelocTarget,
    default_libcall_names,
};

use crate::{Cpu, Options, RunError};

/// Address space of the arena beside the program's data, in bytes.
const CODE_ARENA: usize = 256 << 20;
/// The most data, in bytes; `colocated` references reach two gigabytes.
const MAX_DATA: u64 = 1 << 30;
/// The arena aligns to pages at most.
const MAX_ALIGN: u32 = 4096;

/// Addresses of the Rust functions behind the host interface. Each takes the
/// address of the JIT's state, `context`, before the parameters of its
/// [`HostFn`].
#[derive(Clone, Copy)]
pub(crate) struct HostAddresses {
    pub(crate) context: u64,
    pub(crate) reserve: u64,
    pub(crate) guard: u64,
    pub(crate) call: u64,
}

/// A function in memory.
#[derive(Clone, Debug)]
pub(crate) struct CodeRange {
    pub(crate) start: u64,
    pub(crate) len: usize,
    pub(crate) name: String,
    pub(crate) origin: Origin,
}

/// A program in memory.
pub(crate) struct Loaded {
    pub(crate) module: JITModule,
    /// Sorted by address.
    pub(crate) code: Vec<CodeRange>,
    /// Addresses of data.
    pub(crate) data: BTreeMap<String, u64>,
}

#[derive(Clone, Copy)]
enum Symbol {
    Function(FuncId),
    Data(DataId),
}

/// Compiles and links. A panic of the code generator becomes an error.
pub(crate) fn load(program: &Finished, host: HostAddresses, options: &Options) -> Result<Loaded, RunError> {
    catch_unwind(AssertUnwindSafe(|| load_program(program, host, options))).unwrap_or_else(|payload| {
        let what = panic_message(payload);
        Err(RunError::Jit(what))
    })
}

fn isa(program: &Finished, options: &Options) -> Result<OwnedTargetIsa, RunError> {
    match options.cpu {
        Cpu::Baseline => target_isa(program.target, program.opt()),
        Cpu::Host => {
            let builder = cranelift_native::builder().map_err(|e| RunError::Jit(e.to_owned()))?;
            isa_from_builder(program.target, program.opt(), builder)
        }
    }
    .map_err(RunError::Target)
}

fn load_program(program: &Finished, host: HostAddresses, options: &Options) -> Result<Loaded, RunError> {
    let isa = isa(program, options)?;
    let data_bytes = check_data(program)?;
    let mut builder = JITBuilder::with_isa(isa.clone(), default_libcall_names());
    let arena =
        ArenaMemoryProvider::new_with_size(CODE_ARENA + data_bytes).map_err(|e| RunError::Jit(e.to_string()))?;
    builder.memory_provider(Box::new(arena));
    let mut linker = Linker { module: JITModule::new(builder), symbols: BTreeMap::new() };
    linker.declare(program, &*isa)?;

    let mut sizes = vec![];
    for f in &program.functions {
        linker.define(program, &f.func, f.origin, &mut sizes)?;
    }
    if program.target.abi.switch == SwitchModel::Routine
        && let Some(arch) = arch::of(program.target.isa)
        && let Some(Symbol::Function(id)) = linker.symbols.get(symbols::SWITCH).copied()
    {
        linker.module.define_function_bytes(id, arch.align, arch.switch.code, &[]).map_err(jit_error)?;
        sizes.push((id, arch.switch.code.len(), symbols::SWITCH.into(), Origin::Runtime));
    }
    for (f, address) in [(HostFn::Reserve, host.reserve), (HostFn::Guard, host.guard), (HostFn::Call, host.call)] {
        let func = thunk(f, &program.target.abi, host.context, address);
        let func = compile::optimize(&func, &*isa).map_err(RunError::Compile)?;
        linker.define(program, &func, Origin::Runtime, &mut sizes)?;
    }
    for d in &program.data {
        linker.define_data(d, &program.target.abi)?;
    }
    linker.module.finalize_definitions().map_err(jit_error)?;

    let Linker { module, symbols } = linker;
    let mut code: Vec<CodeRange> = sizes
        .into_iter()
        .map(|(id, len, name, origin)| {
            let start = module.get_finalized_function(id).expose_provenance() as u64;
            CodeRange { start, len, name, origin }
        })
        .collect();
    code.sort_by_key(|r| r.start);
    let data = symbols
        .iter()
        .filter_map(|(name, symbol)| match symbol {
            Symbol::Data(id) => Some((name.clone(), module.get_finalized_data(*id).0.expose_provenance() as u64)),
            Symbol::Function(_) => None,
        })
        .collect();
    Ok(Loaded { module, code, data })
}

fn jit_error(e: ModuleError) -> RunError {
    RunError::Jit(e.to_string())
}

/// Refuses what the arena cannot hold; gives the space that data takes.
fn check_data(program: &Program) -> Result<usize, RunError> {
    let word = u64::from(program.target.abi.width.bytes());
    let mut total = 0u64;
    for d in &program.data {
        let error = |cause: String| RunError::Data { symbol: d.name.clone(), cause };
        if d.align > MAX_ALIGN || !d.align.is_power_of_two() {
            return Err(error(format!("an alignment of {} bytes is not supported", d.align)));
        }
        let end = |(at, item): (&u64, &DataItem)| {
            at.checked_add(match item {
                DataItem::Bytes(bytes) => bytes.len() as u64,
                DataItem::Word(_) | DataItem::Symbol(_) => word,
            })
        };
        if d.items.iter().any(|item| end(item).is_none_or(|end| end > d.size)) {
            return Err(error(format!("an item reaches beyond its {} bytes", d.size)));
        }
        total = total.saturating_add(d.size).saturating_add(u64::from(MAX_ALIGN));
        if total > MAX_DATA {
            return Err(error(format!("the program has more than {MAX_DATA} bytes of data")));
        }
    }
    Ok(total as usize)
}

struct Linker {
    module: JITModule,
    symbols: BTreeMap<String, Symbol>,
}

impl Linker {
    fn declare(&mut self, program: &Program, isa: &dyn cranelift_codegen::isa::TargetIsa) -> Result<(), RunError> {
        let mut functions: Vec<(String, Signature)> =
            program.functions.iter().map(|f| (f.name(), f.func.signature.clone())).collect();
        for f in [HostFn::Reserve, HostFn::Guard, HostFn::Call] {
            functions.push((f.symbol().into(), host_signature(f, &program.target.abi)));
        }
        if program.target.abi.switch == SwitchModel::Routine {
            // never called from here: any signature will do
            functions.push((symbols::SWITCH.into(), Signature::new(isa.default_call_conv())));
        }
        for (name, signature) in functions {
            self.declare_function(&name, &signature)?;
        }
        for d in &program.data {
            if self.symbols.contains_key(&d.name) {
                return Err(RunError::Duplicate(d.name.clone()));
            }
            let id = self.module.declare_data(&d.name, Linkage::Local, d.writable, false).map_err(jit_error)?;
            self.symbols.insert(d.name.clone(), Symbol::Data(id));
        }
        Ok(())
    }

    fn declare_function(&mut self, name: &str, signature: &Signature) -> Result<(), RunError> {
        let id = self.module.declare_function(name, Linkage::Local, signature).map_err(jit_error)?;
        match self.symbols.insert(name.to_owned(), Symbol::Function(id)) {
            Some(_) => Err(RunError::Duplicate(name.to_owned())),
            None => Ok(()),
        }
    }

    fn find(&self, symbol: &str, by: &str) -> Result<Symbol, RunError> {
        let undefined = || RunError::Undefined { symbol: symbol.to_owned(), by: format!("%{by}") };
        self.symbols.get(symbol).copied().ok_or_else(undefined)
    }

    /// Compiles into the arena, and adds what there is then to `made`. The function is what
    /// `clif_cont_program::compile::optimize` gave.
    fn define(
        &mut self,
        program: &Program,
        func: &Function,
        origin: Origin,
        made: &mut Vec<(FuncId, usize, String, Origin)>,
    ) -> Result<(), RunError> {
        let parts = stack::parts(program, func, self.module.isa(), Disassembly::Drop).map_err(RunError::Compile)?;
        for part in parts.iter().skip(1) {
            self.declare_function(&part.symbol, &part.func.signature)?;
        }
        for Part { symbol, func, code } in &parts {
            let Symbol::Function(id) = self.find(symbol, symbol)? else {
                return Err(RunError::Duplicate(symbol.clone()));
            };
            let mut relocs = vec![];
            for r in &code.relocs {
                let name = match &r.target {
                    FinalizedRelocTarget::Func(offset) => ModuleRelocTarget::FunctionOffset(id, *offset),
                    FinalizedRelocTarget::ExternalName(ExternalName::LibCall(call)) => {
                        ModuleRelocTarget::LibCall(*call)
                    }
                    FinalizedRelocTarget::ExternalName(ExternalName::TestCase(name)) => {
                        match self.find(&String::from_utf8_lossy(name.raw()), symbol)? {
                            Symbol::Function(id) => id.into(),
                            Symbol::Data(id) => id.into(),
                        }
                    }
                    FinalizedRelocTarget::ExternalName(other) => {
                        let name = other.display(Some(&func.params)).to_string();
                        return Err(RunError::Undefined { symbol: name, by: format!("%{symbol}") });
                    }
                };
                relocs.push(ModuleReloc { offset: r.offset, kind: r.kind, name, addend: r.addend });
            }
            self.module.define_function_bytes(id, code.align.into(), &code.code, &relocs).map_err(jit_error)?;
            made.push((id, code.code.len(), symbol.clone(), origin));
        }
        Ok(())
    }

    fn define_data(&mut self, d: &Data, abi: &Abi) -> Result<(), RunError> {
        let Symbol::Data(id) = self.find(&d.name, &d.name)? else { return Err(RunError::Duplicate(d.name.clone())) };
        let mut description = DataDescription::new();
        description.set_align(u64::from(d.align));
        if d.items.is_empty() {
            description.define_zeroinit(d.size as usize);
            return self.module.define_data(id, &description).map_err(jit_error);
        }
        let mut bytes = vec![0; d.size as usize];
        let mut put = |at: u64, item: &[u8]| {
            let at = at as usize;
            bytes[at..at + item.len()].copy_from_slice(item);
        };
        for (&at, item) in &d.items {
            match item {
                DataItem::Bytes(item) => put(at, item),
                DataItem::Word(word) => put(at, &abi.word_bytes(*word)),
                DataItem::Symbol(symbol) => match self.find(symbol, &d.name)? {
                    Symbol::Function(f) => {
                        let f = self.module.declare_func_in_data(f, &mut description);
                        description.write_function_addr(at as u32, f);
                    }
                    Symbol::Data(target) => {
                        let target = self.module.declare_data_in_data(target, &mut description);
                        description.write_data_addr(at as u32, target, 0);
                    }
                },
            }
        }
        description.define(bytes.into_boxed_slice());
        self.module.define_data(id, &description).map_err(jit_error)
    }
}

/// A host function: calls the Rust function at `address` with `context` before
/// its own parameters. That is how Rust code finds the JIT that it is called
/// by, without a global.
fn thunk(f: HostFn, abi: &Abi, context: u64, address: u64) -> Function {
    let signature = host_signature(f, abi);
    let mut inner = signature.clone();
    inner.params.insert(0, AbiParam::new(ir::types::I64));
    let name = ir::UserFuncName::testcase(f.symbol());
    let mut func = Function::with_name_signature(name, signature);
    let inner = func.import_signature(inner);
    let block = func.dfg.make_block();
    func.layout.append_block(block);
    let params: Vec<ir::Type> = func.signature.params.iter().map(|p| p.value_type).collect();
    let params: Vec<ir::Value> = params.into_iter().map(|ty| func.dfg.append_block_param(block, ty)).collect();
    let mut at = FuncCursor::new(&mut func).at_bottom(block);
    let context = at.ins().iconst(ir::types::I64, context as i64);
    let address = at.ins().iconst(ir::types::I64, address as i64);
    let args: Vec<ir::Value> = std::iter::once(context).chain(params).collect();
    let call = at.ins().call_indirect(inner, address, &args);
    let results = at.func.dfg.inst_results(call).to_vec();
    at.ins().return_(&results);
    func
}
