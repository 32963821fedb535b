//! From a program to code and data in memory.
//!
//! Everything lies in one arena, so that `colocated` references, which reach
//! two gigabytes, always reach. Nothing is looked up in the process by name but
//! the libcalls; a symbol that the program does not define is an error before
//! anything is compiled.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use clif_cont_abi::{Abi, HostFn, SwitchModel, symbols as abi_symbols};
use clif_cont_arch as arch;
use clif_cont_module::{Placed, Symbol, Symbols};
use clif_cont_program::compile;
use clif_cont_program::target::{isa_from_builder, target_isa};
use clif_cont_program::{DataItem, Finished, Origin, Program, host_signature, panic_message};
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::{self, AbiParam, Function, InstBuilder, Signature};
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_jit::{ArenaMemoryProvider, JITBuilder, JITModule};
use cranelift_module::{Linkage, Module, ModuleError, default_libcall_names};

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
    let mut symbols = Symbols::new(JITModule::new(builder));
    declare(&mut symbols, program)?;

    let abi = &program.target.abi;
    let mut placed = vec![];
    for f in &program.functions {
        placed.extend(symbols.define(abi, &f.func)?.into_iter().map(|p| (p, f.origin)));
    }
    if abi.switch == SwitchModel::Routine
        && let Some(arch) = arch::of(program.target.isa)
        && let Some(Symbol::Function(id)) = symbols.get(abi_symbols::SWITCH)
    {
        let code = arch.switch.code;
        symbols.module.define_function_bytes(id, arch.align, code, &[]).map_err(jit_error)?;
        placed.push((Placed { id, len: code.len(), symbol: abi_symbols::SWITCH.into() }, Origin::Runtime));
    }
    for (f, address) in [(HostFn::Reserve, host.reserve), (HostFn::Guard, host.guard), (HostFn::Call, host.call)] {
        let func = thunk(f, abi, host.context, address);
        let func = compile::optimize(&func, &*isa).map_err(RunError::Compile)?;
        placed.extend(symbols.define(abi, &func)?.into_iter().map(|p| (p, Origin::Runtime)));
    }
    for d in &program.data {
        symbols.define_data(abi, d)?;
    }
    symbols.module.finalize_definitions().map_err(jit_error)?;

    let address = |id| symbols.module.get_finalized_function(id).expose_provenance() as u64;
    let range = |(Placed { id, len, symbol }, origin)| CodeRange { start: address(id), len, name: symbol, origin };
    let mut code: Vec<CodeRange> = placed.into_iter().map(range).collect();
    code.sort_by_key(|r| r.start);
    let data = symbols.iter().filter_map(|(name, symbol)| match symbol {
        Symbol::Data(id) => {
            let (start, _) = symbols.module.get_finalized_data(id);
            Some((name.to_owned(), start.expose_provenance() as u64))
        }
        Symbol::Function(_) => None,
    });
    let data = data.collect();
    Ok(Loaded { module: symbols.module, code, data })
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

/// Declares all that the program and the host define.
fn declare(symbols: &mut Symbols<JITModule>, program: &Program) -> Result<(), RunError> {
    let mut functions: Vec<(String, Signature)> =
        program.functions.iter().map(|f| (f.name(), f.func.signature.clone())).collect();
    for f in [HostFn::Reserve, HostFn::Guard, HostFn::Call] {
        functions.push((f.symbol().into(), host_signature(f, &program.target.abi)));
    }
    if program.target.abi.switch == SwitchModel::Routine {
        // never called from here: any signature will do
        functions.push((abi_symbols::SWITCH.into(), Signature::new(symbols.module.isa().default_call_conv())));
    }
    for (name, signature) in functions {
        symbols.declare_function(&name, Linkage::Local, &signature)?;
    }
    for d in &program.data {
        symbols.declare_data(d)?;
    }
    Ok(())
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
