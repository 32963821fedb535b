//! Functions that are not in the source: the stubs through which imported
//! functions are called; `init`, which does at run time what instantiation
//! cannot leave to static data; and what the host asks about an instance.

use clif_cont_abi::{HostFn, Table, Trap};
use clif_cont_lowering::{ContEnv, Conts, RuntimeFn};
use clif_cont_program::{Comments, Origin, ProgFunction, ValType};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{Function, InstBuilder, MemFlagsData, UserFuncName, Value};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};

use crate::env::{Env, Shared};
use crate::error::Result;
use crate::func::{PAGE_BITS, heading, lowered};
use crate::import::SizeCheck;
use crate::link::Link;
use crate::module::Mode;
use crate::names::printable;
use crate::segment::{self, Fate};
use crate::types::Sig;

/// Alignment of a memory's region: that of a page of most systems.
const REGION_ALIGN: i64 = 4096;

/// The stub of an imported function.
pub(crate) fn stub(
    shared: Shared<'_>,
    link: &mut Link,
    index: u32,
    import: u32,
    context: &mut FunctionBuilderContext,
) -> Result<ProgFunction> {
    let sig = &shared.module.funcs[index as usize].sig;
    let name = UserFuncName::testcase(shared.symbols.func(index));
    let mut func = Function::with_name_signature(name, shared.signature(sig));
    let mut b = FunctionBuilder::new(&mut func, context);
    let mut env = Env::new(shared, link, Some(index));
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    b.seal_block(entry);
    let args: Vec<Value> = b.block_params(entry).to_vec();
    let mut k = Conts::new(&mut env);
    k.stack_check(&mut b);
    let results = k.host_call(&mut b, import, &shared.cont_type(sig), &args);
    env.return_(&mut b, &lowered(results, None)?);
    b.finalize(env.frontend_config());

    let import = &shared.imports[import as usize];
    let names = format!("import \"{}\" \"{}\": ", printable(&import.module), printable(&import.name));
    let comments = Comments { header: vec![names + &heading(&shared, index)], ..Comments::default() };
    Ok(ProgFunction { comments, ..ProgFunction::new(func, Origin::Program) })
}

/// The function that runs once before anything else; `None` when there is
/// nothing for it to do.
pub(crate) fn init(
    shared: Shared<'_>,
    link: &mut Link,
    context: &mut FunctionBuilderContext,
) -> Result<Option<ProgFunction>> {
    let module = shared.module;
    let (elems, data) = segment::fates(module);
    let memories: Vec<u32> =
        module.memories.iter().map(|m| m.addr).filter(|a| module.owns(*a)).map(|a| a.index).collect();
    let idle = |fate: &Fate| matches!(fate, Fate::Nothing | Fate::Static);
    if memories.is_empty() && module.start.is_none() && elems.iter().chain(&data).all(idle) {
        return Ok(None);
    }
    let header = "instantiation: memories, active data segments, start function";
    let made = make(shared, link, context, shared.symbols.init(), &Sig::default(), header, |f| {
        Conts::new(&mut f.env).stack_check(&mut f.b);
        for memory in memories {
            f.reserve(memory)?;
        }
        let elems = (0..).zip(elems).map(|(index, fate)| (Segment::Elem(index), fate));
        let data = (0..).zip(data).map(|(index, fate)| (Segment::Data(index), fate));
        for (segment, fate) in elems.chain(data) {
            match fate {
                Fate::Nothing | Fate::Static => {}
                Fate::Copied | Fate::Checked => f.copy(segment, fate),
                Fate::Trap(trap) => {
                    Conts::new(&mut f.env).trap(&mut f.b, trap);
                    return Ok(());
                }
            }
        }
        if let Some(start) = module.start {
            let start = f.env.func(f.b.func, start);
            let call = f.b.ins().call(start, &[]);
            if shared.throws() {
                let exn = f.b.inst_results(call)[0];
                f.env.raise_if(&mut f.b, exn);
            }
        }
        f.env.return_(&mut f.b, &[]);
        Ok(())
    });
    made.map(Some)
}

/// The function that says whether what is imported has the sizes that it must
/// have: 1 if it has. `None` when that is known.
pub(crate) fn fits(
    shared: Shared<'_>,
    link: &mut Link,
    context: &mut FunctionBuilderContext,
) -> Result<Option<ProgFunction>> {
    let checks = &shared.module.size_checks;
    if checks.is_empty() {
        return Ok(None);
    }
    let sig = Sig { params: vec![], results: vec![ValType::I32] };
    let header = "are the imported memories and tables large enough by now?";
    let made = make(shared, link, context, shared.symbols.fits(), &sig, header, |f| {
        let mut all = f.b.ins().iconst(I32, 1);
        for check in checks {
            let (size, least) = match *check {
                SizeCheck::Memory { index, min } => (f.memory_size(index), min << PAGE_BITS),
                SizeCheck::Table { index, min } => (f.table_length(index), min),
            };
            let least = f.b.ins().iconst(I64, least as i64);
            let enough = f.b.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, size, least);
            let enough = f.b.ins().uextend(I32, enough);
            all = f.b.ins().band(all, enough);
        }
        f.env.return_(&mut f.b, &[all]);
        Ok(())
    });
    made.map(Some)
}

/// The function that reads an exported global for the host.
pub(crate) fn read(
    shared: Shared<'_>,
    link: &mut Link,
    context: &mut FunctionBuilderContext,
    index: u32,
) -> Result<ProgFunction> {
    let global = shared.module.globals[index as usize];
    let sig = Sig { params: vec![], results: vec![global.ty] };
    make(shared, link, context, shared.symbols.read(index), &sig, "a global, for the host", |f| {
        let address = f.env.symbol(&mut f.b, &shared.symbols.global(index));
        let mut offset = 0;
        let mut values = vec![];
        for ty in shared.flat(&[global.ty]) {
            values.push(f.b.ins().load(ty, MemFlagsData::trusted(), address, offset));
            offset += ty.bytes() as i32;
        }
        f.env.return_(&mut f.b, &values);
        Ok(())
    })
}

/// Makes a function without parameters; `body` ends its last block.
fn make(
    shared: Shared<'_>,
    link: &mut Link,
    context: &mut FunctionBuilderContext,
    name: String,
    sig: &Sig,
    header: &str,
    body: impl FnOnce(&mut Maker<'_, '_, '_>) -> Result<()>,
) -> Result<ProgFunction> {
    let mut func = Function::with_name_signature(UserFuncName::testcase(name), shared.signature(sig));
    let mut f = Maker { b: FunctionBuilder::new(&mut func, context), env: Env::new(shared, link, None) };
    let entry = f.b.create_block();
    f.b.switch_to_block(entry);
    f.b.seal_block(entry);
    body(&mut f)?;
    let config = f.env.frontend_config();
    f.b.finalize(config);
    let comments = Comments { header: vec![header.to_owned()], ..Comments::default() };
    Ok(ProgFunction { comments, ..ProgFunction::new(func, Origin::Program) })
}

/// An active segment.
#[derive(Clone, Copy)]
enum Segment {
    Elem(u32),
    Data(u32),
}

/// A function being made.
struct Maker<'b, 'm, 'l> {
    b: FunctionBuilder<'b>,
    env: Env<'m, 'l>,
}

impl Maker<'_, '_, '_> {
    /// Reserves as much address space as a memory may ever have.
    fn reserve(&mut self, memory: u32) -> Result<()> {
        let (b, env) = (&mut self.b, &mut self.env);
        let pages = segment::memory_pages(&env.shared, memory, None)?;
        if pages == 0 {
            return Ok(());
        }
        let word = env.shared.word();
        let size = b.ins().iconst(word, (pages << PAGE_BITS) as i64);
        let align = b.ins().iconst(word, REGION_ALIGN);
        let host = env.runtime(b.func, &RuntimeFn::Host(HostFn::Reserve));
        let call = b.ins().call(host, &[size, align]);
        let base = b.inst_results(call)[0];
        Conts::new(env).trap_unless(b, base, Trap::MemoryExhausted);
        let name = env.shared.symbols.memory(memory);
        let record = env.symbol(b, &name);
        b.ins().store(MemFlagsData::trusted(), base, record, 0);
        Ok(())
    }

    /// Copies an active segment.
    fn copy(&mut self, segment: Segment, fate: Fate) {
        let (shared, module) = (self.env.shared, self.env.shared.module);
        let (mode, items, bytes, trap) = match segment {
            Segment::Elem(index) => {
                let elem = &module.elems[index as usize];
                (elem.mode, elem.items.len(), shared.size(elem.ty), Trap::TableOutOfBounds)
            }
            Segment::Data(index) => {
                let data = &module.data[index as usize];
                (data.mode, data.bytes.len(), 1, Trap::MemoryOutOfBounds)
            }
        };
        let Mode::Active { index: target, offset } = mode else { return };
        if fate == Fate::Checked {
            let size = match segment {
                Segment::Elem(_) => self.table_length(target),
                Segment::Data(_) => self.memory_size(target),
            };
            let end = u64::from(offset) + items as u64;
            let beyond = self.b.ins().icmp_imm_u(IntCC::UnsignedLessThan, size, end as i64);
            Conts::new(&mut self.env).trap_if(&mut self.b, beyond, trap);
        }
        if items == 0 {
            return;
        }
        let (record, at, content) = match segment {
            Segment::Elem(index) => {
                self.env.link.elems.insert(index);
                let at = Table::BASE.offset(&shared.target.abi);
                (shared.symbols.table(target), at, shared.symbols.elem(index))
            }
            Segment::Data(index) => {
                self.env.link.data.insert(index);
                (shared.symbols.memory(target), 0, shared.symbols.data(index))
            }
        };
        let (b, env) = (&mut self.b, &mut self.env);
        let record = env.symbol(b, &record);
        let base = b.ins().load(shared.word(), MemFlagsData::trusted(), record, at);
        let to = b.ins().iadd_imm_u(base, i64::from(offset) * i64::from(bytes));
        let from = env.symbol(b, &content);
        let from = b.ins().iadd_imm_s(from, segment::CONTENT);
        let n = b.ins().iconst(shared.word(), items as i64 * i64::from(bytes));
        let config = env.frontend_config();
        b.call_memmove(config, to, from, n);
    }

    /// A memory's present size in bytes, in 64 bits.
    fn memory_size(&mut self, memory: u32) -> Value {
        let name = self.env.shared.symbols.memory(memory);
        self.size_at(&name, self.env.shared.target.abi.word())
    }

    /// A table's present length, in 64 bits.
    fn table_length(&mut self, table: u32) -> Value {
        let name = self.env.shared.symbols.table(table);
        self.size_at(&name, Table::LENGTH.offset(&self.env.shared.target.abi))
    }

    fn size_at(&mut self, record: &str, at: i32) -> Value {
        let word = self.env.shared.word();
        let record = self.env.symbol(&mut self.b, record);
        let size = self.b.ins().load(word, MemFlagsData::trusted(), record, at);
        if word == I64 { size } else { self.b.ins().uextend(I64, size) }
    }
}
