//! From a program to bytecode and data in memory.
//!
//! Code and data lie in one reservation, because references from code are
//! relative and reach two gigabytes. Cranelift's own linkers know nothing of
//! Pulley's host calls, so relocations are applied here. Every symbol has to be
//! defined by the program or be a host function or a libcall; nothing is looked
//! up in the process.

use std::collections::{BTreeMap, HashMap};

use clif_cont_abi::{Abi, HostFn, Isa, SwitchModel, Trap, symbols};
use clif_cont_program::compile::{self, CompileError, CompileErrorKind, Compiled, Disassembly};
use clif_cont_program::target::target_isa;
use clif_cont_program::{Data, DataItem, Export, Finished, Origin, Program};
use cranelift_codegen::FinalizedRelocTarget;
use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::ir::{ExternalName, Function, LibCall, Opcode, TrapCode, types};

use crate::PulleyError;
use crate::libcall::HostCall;
use crate::memory::Memory;

/// The most code and data, in bytes: a relative reference has 32 bits.
const MAX_IMAGE: u64 = 1 << 30;
/// The reservation is aligned to it.
const MAX_ALIGN: u32 = 4096;
/// Distance in bytes of functions.
const CODE_ALIGN: usize = 16;
/// In an instruction that calls the host, the callee's number is behind the
/// opcode (1 byte) and the extended opcode (2 bytes).
const NUMBER_OFFSET: usize = 3;

/// A function in memory.
#[derive(Clone, Debug)]
pub(crate) struct CodeRange {
    pub(crate) start: u64,
    pub(crate) len: u64,
    pub(crate) name: String,
    pub(crate) origin: Origin,
}

/// An export with its addresses.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) export: Export,
    pub(crate) function: u64,
    pub(crate) enter: u64,
}

/// The runtime functions for a host, and the store context.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Driver {
    pub(crate) begin: u64,
    pub(crate) invoke: u64,
    pub(crate) reclaim: u64,
    pub(crate) store: u64,
}

/// A program in memory.
#[derive(Debug)]
pub(crate) struct Image {
    /// Sorted by address.
    code: Vec<CodeRange>,
    traps: HashMap<u64, TrapCode>,
    pub(crate) exports: BTreeMap<String, Entry>,
    /// Names of exports in the program's order.
    pub(crate) names: Vec<String>,
    pub(crate) init: Option<Entry>,
    /// `None` in a program without exports.
    pub(crate) driver: Option<Driver>,
}

impl Image {
    /// The function that the instruction at `pc` is in.
    pub(crate) fn find(&self, pc: u64) -> Option<&CodeRange> {
        let before = &self.code[..self.code.partition_point(|r| r.start <= pc)];
        before.last().filter(|r| pc - r.start < r.len)
    }

    /// Why the instruction at `pc` traps, as far as the compiler says.
    pub(crate) fn trap_at(&self, pc: u64) -> Option<Trap> {
        let code = self.traps.get(&pc)?;
        match *code {
            TrapCode::STACK_OVERFLOW => Some(Trap::StackExhausted),
            TrapCode::HEAP_OUT_OF_BOUNDS => Some(Trap::MemoryOutOfBounds),
            TrapCode::INTEGER_OVERFLOW => Some(Trap::IntegerOverflow),
            TrapCode::INTEGER_DIVISION_BY_ZERO => Some(Trap::DivisionByZero),
            TrapCode::BAD_CONVERSION_TO_INTEGER => Some(Trap::InvalidConversion),
            user => Trap::from_code(user.as_raw().get().into()),
        }
    }
}

#[derive(Clone, Copy)]
enum Symbol {
    /// Offset in the image.
    Function(u64),
    /// Offset in the image.
    Data(u64),
    Host(HostCall),
}

/// Compiles and links.
pub(crate) fn load(program: &Finished, memory: &mut Memory) -> Result<Image, PulleyError> {
    let target = program.target;
    match target.isa {
        Isa::Pulley64 | Isa::Pulley64be if target.abi.switch == SwitchModel::HostCall => {}
        Isa::Pulley64 | Isa::Pulley64be => return Err(PulleyError::SwitchModel(target.abi.switch)),
        isa => return Err(PulleyError::NotRunnable(isa)),
    }
    program.check_to_run().map_err(PulleyError::Program)?;
    let isa = target_isa(target, program.opt()).map_err(PulleyError::Target)?;
    let mut symbols = declare(program)?;

    let mut code = vec![];
    let mut compiled: Vec<(u64, Compiled)> = vec![];
    for f in &program.functions {
        refuse_wide_accesses(&f.func)?;
        let c = compile::compile(&f.func, &*isa, Disassembly::Drop).map_err(PulleyError::Compile)?;
        code.resize(code.len().next_multiple_of(CODE_ALIGN.max(c.align as usize)), 0);
        let at = code.len() as u64;
        code.extend_from_slice(&c.code);
        symbols.insert(f.name(), Symbol::Function(at));
        compiled.push((at, c));
    }
    let mut size = code.len() as u64;
    for d in &program.data {
        check_data(d, &target.abi)?;
        size = size.next_multiple_of(d.align.into());
        symbols.insert(d.name.clone(), Symbol::Data(size));
        size = size.saturating_add(d.size);
        if size > MAX_IMAGE {
            let cause = format!("code and data take more than {MAX_IMAGE} bytes");
            return Err(PulleyError::Data { symbol: d.name.clone(), cause });
        }
    }
    let base = memory.reserve(size, MAX_ALIGN.into()).ok_or(PulleyError::Memory(size))?;
    let linker = Linker { program, base, symbols };

    for (f, (at, c)) in program.functions.iter().zip(&compiled) {
        linker.relocate(&f.name(), *at, c, &mut code)?;
    }
    copy(base, &code);
    for d in &program.data {
        linker.write_data(d)?;
    }
    linker.image(&compiled)
}

/// Writes into the reservation.
fn copy(address: u64, bytes: &[u8]) {
    let to = std::ptr::with_exposed_provenance_mut::<u8>(address as usize);
    // SAFETY: the caller lays out the reservation, and the bytes lie within it;
    // nobody else knows of it yet.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
}

fn declare(program: &Program) -> Result<HashMap<String, Symbol>, PulleyError> {
    let mut symbols: HashMap<String, Symbol> =
        HostFn::ALL.into_iter().map(|f| (f.symbol().to_owned(), Symbol::Host(HostCall::Interface(f)))).collect();
    let functions = program.functions.iter().map(|f| (f.name(), Symbol::Function(0)));
    let data = program.data.iter().map(|d| (d.name.clone(), Symbol::Data(0)));
    for (name, symbol) in functions.chain(data) {
        if symbols.insert(name.clone(), symbol).is_some() {
            return Err(PulleyError::Duplicate(name));
        }
    }
    Ok(symbols)
}

fn check_data(d: &Data, abi: &Abi) -> Result<(), PulleyError> {
    let error = |cause: String| Err(PulleyError::Data { symbol: d.name.clone(), cause });
    if d.align > MAX_ALIGN || !d.align.is_power_of_two() {
        return error(format!("an alignment of {} bytes is not supported", d.align));
    }
    let word = u64::from(abi.width.bytes());
    let end = |(at, item): (&u64, &DataItem)| {
        at.checked_add(match item {
            DataItem::Bytes(bytes) => bytes.len() as u64,
            DataItem::Word(_) | DataItem::Symbol(_) => word,
        })
    };
    if d.items.iter().any(|item| end(item).is_none_or(|end| end > d.size)) {
        return error(format!("an item reaches beyond its {} bytes", d.size));
    }
    Ok(())
}

/// Refuses accesses to memory of 16-byte integers: for Pulley, Cranelift 0.135
/// drops the offset of such a store, and swaps the halves of a big-endian load.
fn refuse_wide_accesses(func: &Function) -> Result<(), PulleyError> {
    for inst in func.layout.blocks().flat_map(|b| func.layout.block_insts(b)) {
        let access = matches!(func.dfg.insts[inst].opcode(), Opcode::Load | Opcode::Store);
        if access && func.dfg.ctrl_typevar(inst) == types::I128 {
            let what = format!("`{}`: Cranelift compiles i128 in memory wrongly", func.dfg.display_inst(inst));
            let kind = CompileErrorKind::Unsupported(what);
            return Err(PulleyError::Compile(CompileError { function: func.name.to_string(), kind }));
        }
    }
    Ok(())
}

fn find(symbols: &HashMap<String, Symbol>, name: &ExternalName, by: &str) -> Result<Symbol, PulleyError> {
    let undefined = |symbol: String| PulleyError::Undefined { symbol, by: format!("%{by}") };
    match name {
        ExternalName::TestCase(name) => {
            let name = String::from_utf8_lossy(name.raw());
            symbols.get(&*name).copied().ok_or_else(|| undefined(name.into_owned()))
        }
        ExternalName::LibCall(call) => supplied(*call).ok_or_else(|| undefined(call.to_string())),
        other => Err(undefined(format!("{other:?}"))),
    }
}

fn supplied(call: LibCall) -> Option<Symbol> {
    let call = HostCall::Libcall(call);
    call.number().map(|_| Symbol::Host(call))
}

fn wrong_kind(name: &ExternalName, by: &str) -> PulleyError {
    let symbol = name.display(None).to_string().trim_start_matches('%').to_owned();
    PulleyError::WrongKind { symbol, by: format!("%{by}") }
}

struct Linker<'a> {
    program: &'a Program,
    base: u64,
    symbols: HashMap<String, Symbol>,
}

impl Linker<'_> {
    /// Applies the relocations of the function whose code starts at offset `at`.
    fn relocate(&self, by: &str, at: u64, compiled: &Compiled, code: &mut [u8]) -> Result<(), PulleyError> {
        let error = |cause: String| PulleyError::Relocation { function: by.to_owned(), cause };
        for r in &compiled.relocs {
            let site = at + u64::from(r.offset);
            let symbol = match &r.target {
                FinalizedRelocTarget::ExternalName(name) => find(&self.symbols, name, by)?,
                FinalizedRelocTarget::Func(offset) => Symbol::Function(at + u64::from(*offset)),
            };
            let target = match symbol {
                Symbol::Function(to) | Symbol::Data(to) => Some(to.wrapping_add_signed(r.addend)),
                Symbol::Host(_) => None,
            };
            // each patches one field of so many bytes
            let (from, bytes) = match r.kind {
                Reloc::PulleyCallIndirectHost => (site as usize + NUMBER_OFFSET, 1),
                Reloc::Abs8 => (site as usize, 8),
                _ => (site as usize, 4),
            };
            let Some(field) = code.get_mut(from..from + bytes) else {
                return Err(error("a relocation beyond its function".into()));
            };
            match (r.kind, target, symbol) {
                (Reloc::PulleyPcRel, Some(to), _) => {
                    let mut known = [0; 4];
                    known.copy_from_slice(field);
                    let distance = i64::from(i32::from_le_bytes(known)) + (to as i64 - site as i64);
                    let distance =
                        i32::try_from(distance).map_err(|_| error(format!("a reference over {distance} bytes")))?;
                    field.copy_from_slice(&distance.to_le_bytes());
                }
                // an immediate of the instruction: little-endian in any case
                (Reloc::Abs8, Some(to), _) => {
                    field.copy_from_slice(&self.base.wrapping_add(to).to_le_bytes());
                }
                (Reloc::PulleyCallIndirectHost, None, Symbol::Host(call)) => {
                    field[0] = call.number().ok_or_else(|| error(format!("{call:?} has no number")))?;
                }
                (_, None, _) => {
                    let FinalizedRelocTarget::ExternalName(name) = &r.target else {
                        return Err(error("a reference to nothing".into()));
                    };
                    return Err(wrong_kind(name, by));
                }
                (kind, Some(_), _) => return Err(error(format!("an unexpected relocation, {kind:?}"))),
            }
        }
        Ok(())
    }

    fn address(&self, symbol: &str, by: &str) -> Result<u64, PulleyError> {
        match self.symbols.get(symbol) {
            Some(Symbol::Function(at) | Symbol::Data(at)) => Ok(self.base + at),
            Some(Symbol::Host(_)) => Err(PulleyError::WrongKind { symbol: symbol.into(), by: by.into() }),
            None => Err(PulleyError::Undefined { symbol: symbol.into(), by: by.into() }),
        }
    }

    fn function(&self, symbol: &str, by: &str) -> Result<u64, PulleyError> {
        match self.symbols.get(symbol) {
            Some(Symbol::Data(_)) => Err(PulleyError::WrongKind { symbol: symbol.into(), by: by.into() }),
            _ => self.address(symbol, by),
        }
    }

    fn write_data(&self, d: &Data) -> Result<(), PulleyError> {
        let abi = &self.program.target.abi;
        let at = self.address(&d.name, &d.name)?;
        for (offset, item) in &d.items {
            let bytes = match item {
                DataItem::Bytes(bytes) => bytes.clone(),
                DataItem::Word(word) => abi.word_bytes(*word),
                DataItem::Symbol(symbol) => abi.word_bytes(self.address(symbol, &format!("%{}", d.name))?),
            };
            copy(at + offset, &bytes);
        }
        Ok(())
    }

    fn entry(&self, export: &Export) -> Result<Entry, PulleyError> {
        let by = format!("the export `{}`", export.name);
        Ok(Entry {
            export: export.clone(),
            function: self.function(&export.function, &by)?,
            enter: self.function(&export.enter, &by)?,
        })
    }

    fn image(&self, compiled: &[(u64, Compiled)]) -> Result<Image, PulleyError> {
        let program = self.program;
        let mut code: Vec<CodeRange> = program
            .functions
            .iter()
            .zip(compiled)
            .map(|(f, (at, c))| CodeRange {
                start: self.base + at,
                len: c.code.len() as u64,
                name: f.name(),
                origin: f.origin,
            })
            .collect();
        code.sort_by_key(|r| r.start);
        let traps = compiled
            .iter()
            .flat_map(|(at, c)| c.traps.iter().map(move |t| (self.base + at + u64::from(t.offset), t.code)))
            .collect();
        let init = program.init.as_ref().map(|e| self.entry(e)).transpose()?;
        let exports = program
            .exports
            .iter()
            .map(|e| Ok((e.name.clone(), self.entry(e)?)))
            .collect::<Result<BTreeMap<_, _>, PulleyError>>()?;
        let driver = if exports.is_empty() && init.is_none() {
            None
        } else {
            let by = "whoever invokes an export";
            Some(Driver {
                begin: self.function(symbols::BEGIN, by)?,
                invoke: self.function(symbols::INVOKE, by)?,
                reclaim: self.function(symbols::RECLAIM, by)?,
                store: match self.symbols.get(symbols::STORE) {
                    Some(Symbol::Function(_)) => {
                        return Err(PulleyError::WrongKind { symbol: symbols::STORE.into(), by: by.into() });
                    }
                    _ => self.address(symbols::STORE, by)?,
                },
            })
        };
        let names = program.exports.iter().map(|e| e.name.clone()).collect();
        Ok(Image { code, traps, exports, names, init, driver })
    }
}
