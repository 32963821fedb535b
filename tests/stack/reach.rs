//! How far below the bound generated code can get before something checks it again.
//!
//! A function that checks has the bound's bytes below its frame when it goes on. What
//! it calls may check in turn, and takes its frame until then; or it does not, and may
//! call others. The graph is that of the direct calls; an indirect one is allowed to a
//! function that checks only. A tail call takes nothing more: its callee begins where its
//! caller began, or higher, unless it leaves more arguments on the stack, and then its
//! caller checks.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use clif_cont::abi::{Abi, symbols};
use clif_cont::program::compile::{Disassembly, optimize};
use clif_cont::program::target::{OptLevel, target_isa};
use clif_cont::program::{Program, Target, stack};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{ExternalName, Function, InstructionData, Opcode, Value};

/// Bytes that foreign code has below the deepest frame of generated code: a libcall,
/// the host's functions that make stacks, a signal handler.
pub(crate) const FOREIGN: u32 = 56 << 10;

/// The modules of the test data, compiled for `target`.
pub(crate) fn programs(target: Target) -> Vec<(String, Program)> {
    let mut files = vec![];
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("clif-tests"), &mut files);
    files.sort();
    let compiled = files.iter().filter_map(|path| {
        let bytes = std::fs::read(path).ok()?;
        let name = path.display().to_string();
        // some are there to be refused
        let program = clif_cont::wasm::compile(&bytes, &name, target, &Default::default()).ok()?;
        Some((name, program))
    });
    compiled.collect()
}

fn collect(dir: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "wat") {
            files.push(path);
        }
    }
}

struct Node {
    /// Bytes that it takes itself.
    takes: u32,
    checks: bool,
    calls: BTreeSet<String>,
    calls_indirectly: bool,
}

fn insts(func: &Function) -> impl Iterator<Item = &InstructionData> {
    func.layout.blocks().flat_map(|b| func.layout.block_insts(b)).map(|i| &func.dfg.insts[i])
}

/// Does it compare the rest of the stack with the bound?
fn checks(func: &Function, bound: u64) -> bool {
    let definition = |v: Value| func.dfg.value_def(v).inst().map(|i| &func.dfg.insts[i]);
    let left = |v: Value| match definition(v) {
        Some(InstructionData::Binary { opcode: Opcode::Band, args }) => {
            definition(args[0]).is_some_and(|i| i.opcode() == Opcode::GetStackPointer)
        }
        _ => false,
    };
    let enough = |v: Value| match definition(v) {
        Some(InstructionData::UnaryImm { imm, .. }) => imm.bits() as u64 >= bound,
        _ => false,
    };
    insts(func).any(|i| match i {
        InstructionData::IntCompare { cond: IntCC::UnsignedLessThan, args, .. } => left(args[0]) && enough(args[1]),
        _ => false,
    })
}

/// The symbol that an instruction calls.
fn callee(func: &Function, inst: &InstructionData) -> Option<String> {
    let (InstructionData::Call { func_ref, .. } | InstructionData::TryCall { func_ref, .. }) = inst else {
        return None;
    };
    if inst.opcode() == Opcode::ReturnCall {
        return None;
    }
    match &func.dfg.ext_funcs[*func_ref].name {
        ExternalName::TestCase(name) => Some(String::from_utf8_lossy(name.raw()).into_owned()),
        _ => None,
    }
}

/// The most bytes that generated code takes below a frame that was not checked yet, or
/// that checks nothing: for a function's own frame there is [`Abi::MAX_FRAME`].
pub(crate) fn unchecked(program: &Program, file: &str) -> u32 {
    let isa = target_isa(program.target, OptLevel::None).expect("built in");
    let bound = program.target.abi.stack_bound();
    let mut graph: BTreeMap<String, Node> = BTreeMap::new();
    for f in &program.functions {
        let func = optimize(&f.func, &*isa).expect("valid CLIF");
        let parts = stack::parts(program, &func, &*isa, Disassembly::Drop);
        for part in parts.unwrap_or_else(|e| panic!("{file}: {e}")) {
            // what is entered through a check has been checked for
            let entered = stack::function_of(&part.symbol) != part.symbol;
            let node = Node {
                takes: if entered { 0 } else { part.code.stack_bytes },
                checks: entered || checks(&part.func, bound),
                calls: insts(&part.func).filter_map(|i| callee(&part.func, i)).collect(),
                calls_indirectly: insts(&part.func).any(|i| i.opcode() == Opcode::CallIndirect),
            };
            graph.insert(part.symbol, node);
        }
    }
    // on a stack of its own, at its top, or on the driver's: called by nobody
    let on_top = |name: &str| name == symbols::ENTRY || name.starts_with(symbols::ENTER);
    let host = [symbols::BEGIN, symbols::INVOKE, symbols::RECLAIM];
    let mut below: BTreeMap<&str, u32> = BTreeMap::new();
    let mut most = 0;
    for (name, node) in &graph {
        if on_top(name) || host.contains(&name.as_str()) {
            continue;
        }
        // at its entry there is the bound, of which a frame takes no more than a caller leaves
        assert!(node.takes <= Abi::MAX_FRAME, "{file}: %{name}");
        let whole =
            if node.checks { node.takes + trap(&graph) } else { depth(&graph, name, &mut below, &mut vec![], file) };
        most = most.max(whole - node.takes);
    }
    most
}

/// What the trap function takes, which a check that fails calls.
fn trap(graph: &BTreeMap<String, Node>) -> u32 {
    graph.get(symbols::TRAP).map_or(0, |n| n.takes)
}

/// From the entry of a function that does not check.
fn depth<'g>(
    graph: &'g BTreeMap<String, Node>,
    name: &'g str,
    known: &mut BTreeMap<&'g str, u32>,
    path: &mut Vec<&'g str>,
    file: &str,
) -> u32 {
    if let Some(depth) = known.get(name) {
        return *depth;
    }
    assert!(!path.contains(&name), "{file}: %{name} calls itself without a check: {path:?}");
    let node = &graph[name];
    path.push(name);
    let mut below = 0;
    for callee in &node.calls {
        // a routine, or a function of the host: foreign
        let Some((callee, next)) = graph.get_key_value(callee) else { continue };
        below = below.max(match next.checks {
            true => next.takes + trap(graph),
            false => depth(graph, callee, known, path, file),
        });
    }
    assert!(!node.calls_indirectly, "{file}: %{name} does not check, and calls it is not known what");
    path.pop();
    let depth = node.takes + below;
    known.insert(name, depth);
    depth
}
