//! Functions that are not in the source: the stubs through which imported
//! functions are called, and `init`, which does at run time what instantiation
//! cannot leave to static data.

use clif_cont_abi::{HostFn, Trap};
use clif_cont_lowering::{ContEnv, Conts, RuntimeFn};
use clif_cont_program::{Comments, Origin, ProgFunction};
use cranelift_codegen::ir::{Function, InstBuilder, MemFlagsData, UserFuncName, Value};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};

use crate::env::{Env, Shared};
use crate::error::Result;
use crate::func::{heading, lowered};
use crate::link::Link;
use crate::module::Mode;
use crate::names::printable;
use crate::segment;
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

    let import = &shared.module.imports[import as usize];
    let names = format!("import \"{}\" \"{}\": ", printable(&import.module), printable(&import.name));
    let comments = Comments { header: vec![names + &heading(&shared, index)], ..Comments::default() };
    Ok(ProgFunction { func, comments, origin: Origin::Program })
}

/// The function that runs once before anything else; `None` when there is
/// nothing for it to do.
pub(crate) fn init(
    shared: Shared<'_>,
    link: &mut Link,
    context: &mut FunctionBuilderContext,
) -> Result<Option<ProgFunction>> {
    let module = shared.module;
    let trap = segment::trap_at_init(module);
    if module.memories.is_empty() && trap.is_none() && module.start.is_none() {
        return Ok(None);
    }
    let name = UserFuncName::testcase(shared.symbols.init());
    let mut func = Function::with_name_signature(name, shared.signature(&Sig::default()));
    let mut b = FunctionBuilder::new(&mut func, context);
    let mut env = Env::new(shared, link, None);
    let entry = b.create_block();
    b.switch_to_block(entry);
    b.seal_block(entry);
    Conts::new(&mut env).stack_check(&mut b);
    for memory in 0..module.memories.len() as u32 {
        reserve(&mut b, &mut env, memory)?;
    }
    for (index, data) in module.data.iter().take(segment::applied_data(module)).enumerate() {
        if let Mode::Active { index: memory, offset } = data.mode {
            copy(&mut b, &mut env, index as u32, memory, offset);
        }
    }
    match (trap, module.start) {
        (Some(trap), _) => Conts::new(&mut env).trap(&mut b, trap),
        (None, start) => {
            if let Some(start) = start {
                let start = env.func(b.func, start);
                let call = b.ins().call(start, &[]);
                if shared.throws() {
                    let exn = b.inst_results(call)[0];
                    env.raise_if(&mut b, exn);
                }
            }
            env.return_(&mut b, &[]);
        }
    }
    b.finalize(env.frontend_config());
    let header = vec!["instantiation: memories, active data segments, start function".to_owned()];
    let comments = Comments { header, ..Comments::default() };
    Ok(Some(ProgFunction { func, comments, origin: Origin::Program }))
}

/// Reserves as much address space as a memory may ever have.
fn reserve(b: &mut FunctionBuilder<'_>, env: &mut Env<'_, '_>, memory: u32) -> Result<()> {
    let pages = segment::memory_pages(&env.shared, memory, None)?;
    if pages == 0 {
        return Ok(());
    }
    let word = env.shared.word();
    let size = b.ins().iconst(word, (pages << crate::func::PAGE_BITS) as i64);
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

/// Copies an active segment, which is known to fit.
fn copy(b: &mut FunctionBuilder<'_>, env: &mut Env<'_, '_>, index: u32, memory: u32, offset: u32) {
    let bytes = env.shared.module.data[index as usize].bytes.len();
    if bytes == 0 {
        return;
    }
    env.link.data.insert(index);
    let word = env.shared.word();
    let (record, segment) = (env.shared.symbols.memory(memory), env.shared.symbols.data(index));
    let record = env.symbol(b, &record);
    let base = b.ins().load(word, MemFlagsData::trusted(), record, 0);
    let to = b.ins().iadd_imm_u(base, i64::from(offset));
    let from = env.symbol(b, &segment);
    let from = b.ins().iadd_imm_s(from, segment::CONTENT);
    let n = b.ins().iconst(word, bytes as i64);
    let config = env.frontend_config();
    b.call_memmove(config, to, from, n);
}
