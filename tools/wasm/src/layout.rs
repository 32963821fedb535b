//! Symbols: what each item of a module is called in the link set.
//!
//! Functions are called what their author calls them, as far as a symbol can
//! be (letters, digits and underscores). Everything else has a prefix that says
//! what it is, and functions stay clear of those prefixes, so that no name of a
//! data symbol depends on which functions there are.

use std::collections::HashSet;
use std::rc::Rc;

use clif_cont_abi::symbols;
use cranelift_codegen::ir::LibCall;

use crate::module::{Addr, Module};

/// Prefixes that only generated names have.
const GENERATED: [&str; 13] = [
    symbols::PREFIX,
    "data_",
    "desc_",
    "elem_",
    "global_",
    "handlers_",
    "import_",
    "memory_",
    "object_",
    "slots_",
    "table_",
    "tag_",
    "wasm_",
];

/// The function that does what instantiation does at run time.
const INIT: &str = "init";

/// A function's name, which its descriptor has too.
#[derive(Clone, Debug)]
struct FuncName {
    prefix: Rc<str>,
    name: String,
}

/// The symbols of an instance; imported items are called what they are called
/// where they are defined.
#[derive(Clone, Default, Debug)]
pub(crate) struct Symbols {
    prefix: String,
    funcs: Vec<FuncName>,
    globals: Vec<String>,
    tags: Vec<String>,
    memories: Vec<String>,
    tables: Vec<String>,
}

impl Symbols {
    /// Names everything; `prefix` comes before every name, to keep the instances
    /// of a link set apart. `before` are those that are imported from.
    pub(crate) fn new(module: &Module<'_>, prefix: &str, before: &[Self]) -> Self {
        let shared: Rc<str> = prefix.into();
        let mut used = HashSet::from([INIT.to_owned()]);
        let mut imports = module.imports.iter();
        let funcs = (0u32..)
            .zip(&module.funcs)
            .map(|(index, func)| {
                if !module.owns(func.addr) {
                    return before[func.addr.instance as usize].funcs[func.addr.index as usize].clone();
                }
                let exported = || module.exports.iter().find(|e| e.func == index).map(|e| e.name);
                let import = func.import.and_then(|_| imports.next());
                let name = match import {
                    Some(import) => format!("import_{}_{}", sanitise(&import.module), sanitise(&import.name)),
                    None => match module.names.funcs.get(&index).copied().or_else(exported) {
                        Some(name) => function_name(name, index),
                        None => format!("func{index}"),
                    },
                };
                FuncName { prefix: Rc::clone(&shared), name: unique(name, index, &mut used) }
            })
            .collect();
        let mut symbols = Self { prefix: prefix.to_owned(), funcs, ..Self::default() };
        symbols.globals =
            named(module, &symbols, "global", module.globals.iter().map(|g| g.addr), before, |s| &s.globals);
        symbols.tags = named(module, &symbols, "tag", module.tags.iter().map(|t| t.addr), before, |s| &s.tags);
        symbols.memories =
            named(module, &symbols, "memory", module.memories.iter().map(|m| m.addr), before, |s| &s.memories);
        symbols.tables = named(module, &symbols, "table", module.tables.iter().map(|t| t.addr), before, |s| &s.tables);
        symbols
    }

    fn of(&self, name: impl std::fmt::Display) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Code of a function; for one of the host's, of the stub that calls it.
    pub(crate) fn func(&self, index: u32) -> String {
        let FuncName { prefix, name } = &self.funcs[index as usize];
        format!("{prefix}{name}")
    }

    /// Descriptor of a function: its code's address and its type.
    pub(crate) fn descriptor(&self, index: u32) -> String {
        let FuncName { prefix, name } = &self.funcs[index as usize];
        format!("{prefix}desc_{name}")
    }

    /// The `n`-th handler table of a function.
    pub(crate) fn handlers(&self, index: u32, n: u32) -> String {
        self.of(format_args!("handlers_{}_{n}", self.funcs[index as usize].name))
    }

    /// Storage of a global.
    pub(crate) fn global(&self, index: u32) -> String {
        self.globals[index as usize].clone()
    }

    /// A tag: its address is its identity.
    pub(crate) fn tag(&self, index: u32) -> String {
        self.tags[index as usize].clone()
    }

    /// A memory's record.
    pub(crate) fn memory(&self, index: u32) -> String {
        self.memories[index as usize].clone()
    }

    /// A table's record.
    pub(crate) fn table(&self, index: u32) -> String {
        self.tables[index as usize].clone()
    }

    /// The initial elements of a table.
    pub(crate) fn table_slots(&self, index: u32) -> String {
        self.of(format_args!("slots_{index}"))
    }

    /// A data segment.
    pub(crate) fn data(&self, index: u32) -> String {
        self.of(format_args!("data_{index}"))
    }

    /// An element segment.
    pub(crate) fn elem(&self, index: u32) -> String {
        self.of(format_args!("elem_{index}"))
    }

    /// An object that a constant expression makes.
    pub(crate) fn object(&self, index: u32) -> String {
        self.of(format_args!("object_{index}"))
    }

    /// The function that does what instantiation does at run time.
    pub(crate) fn init(&self) -> String {
        self.of(INIT)
    }

    /// The function that says whether imports have the sizes that they must have.
    pub(crate) fn fits(&self) -> String {
        self.of("wasm_fits")
    }

    /// The function that reads an exported global for the host.
    pub(crate) fn read(&self, index: u32) -> String {
        self.of(format_args!("wasm_read_{index}"))
    }
}

/// The symbols of an index space whose names are free to choose.
fn named(
    module: &Module<'_>,
    symbols: &Symbols,
    kind: &str,
    items: impl Iterator<Item = Addr>,
    before: &[Symbols],
    of: impl Fn(&Symbols) -> &Vec<String>,
) -> Vec<String> {
    let names = match kind {
        "global" => Some(&module.names.globals),
        "tag" => Some(&module.names.tags),
        // called by number, as they always are in a text
        _ => None,
    };
    let mut used = HashSet::new();
    let name = |(index, addr): (u32, Addr)| {
        if !module.owns(addr) {
            return of(&before[addr.instance as usize])[addr.index as usize].clone();
        }
        let name = names.and_then(|n| n.get(&index)).map(|n| sanitise(n)).filter(|n| !n.is_empty());
        let name = unique(format!("{kind}_{}", name.unwrap_or_else(|| index.to_string())), index, &mut used);
        symbols.of(name)
    };
    (0..).zip(items).map(name).collect()
}

fn sanitise(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// A name for a program's function: not one of ours, and not one that the
/// reader of CLIF takes for a library call.
fn function_name(name: &str, index: u32) -> String {
    let name = sanitise(name);
    let ours = GENERATED.iter().any(|p| name.starts_with(p)) || name.parse::<LibCall>().is_ok() || is_user_name(&name);
    match (name.is_empty(), ours) {
        (true, _) => format!("func{index}"),
        (false, true) => format!("f_{name}"),
        (false, false) => name,
    }
}

/// `u0_1` and the like would be read as a number pair, not as a name.
fn is_user_name(name: &str) -> bool {
    let Some((a, b)) = name.strip_prefix('u').and_then(|rest| rest.split_once('_')) else { return false };
    [a, b].iter().all(|part| !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit()))
}

fn unique(mut name: String, index: u32, used: &mut HashSet<String>) -> String {
    while !used.insert(name.clone()) {
        name = format!("{name}_{index}");
    }
    name
}
