//! Symbols: what each item of a module is called in the link set.
//!
//! Functions are called what their author calls them, as far as a symbol can
//! be (letters, digits and underscores). Everything else has a prefix that says
//! what it is, and functions stay clear of those prefixes, so that no name of a
//! data symbol depends on which functions there are.

use std::collections::HashSet;

use clif_cont_abi::symbols;
use cranelift_codegen::ir::LibCall;

use crate::module::Module;

/// Prefixes that only generated names have.
const GENERATED: [&str; 12] = [
    symbols::PREFIX,
    "data_",
    "desc_",
    "elem_",
    "global_",
    "handlers_",
    "import_",
    "memory_",
    "slots_",
    "table_",
    "tag_",
    "wasm_",
];

/// The function that does what instantiation does at run time.
const INIT: &str = "init";

/// The symbols of a module.
#[derive(Clone, Debug)]
pub(crate) struct Symbols {
    prefix: String,
    funcs: Vec<String>,
    globals: Vec<String>,
    tags: Vec<String>,
}

impl Symbols {
    /// Names everything; `prefix` comes before every name, to keep several
    /// modules of one link set apart.
    pub(crate) fn new(module: &Module<'_>, prefix: &str) -> Self {
        let mut used = HashSet::from([INIT.to_owned()]);
        let funcs = (0..module.funcs.len() as u32)
            .map(|index| {
                let exported = || module.exports.iter().find(|e| e.func == index).map(|e| e.name);
                let name = match module.funcs[index as usize].import {
                    Some(import) => {
                        let import = &module.imports[import as usize];
                        format!("import_{}_{}", sanitise(&import.module), sanitise(&import.name))
                    }
                    None => match module.names.funcs.get(&index).copied().or_else(exported) {
                        Some(name) => function_name(name, index),
                        None => format!("func{index}"),
                    },
                };
                unique(name, index, &mut used)
            })
            .collect();
        let named = |kind: &str, count: usize, names: &std::collections::HashMap<u32, &str>| {
            let mut used = HashSet::new();
            (0..count as u32)
                .map(|i| {
                    let name = names.get(&i).map(|n| sanitise(n)).filter(|n| !n.is_empty());
                    unique(format!("{kind}_{}", name.unwrap_or_else(|| i.to_string())), i, &mut used)
                })
                .collect()
        };
        Self {
            prefix: prefix.to_owned(),
            funcs,
            globals: named("global", module.globals.len(), &module.names.globals),
            tags: named("tag", module.tags.len(), &module.names.tags),
        }
    }

    fn of(&self, name: impl std::fmt::Display) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Code of a function; for an imported one, of the stub that calls the host.
    pub(crate) fn func(&self, index: u32) -> String {
        self.of(&self.funcs[index as usize])
    }

    /// Descriptor of a function: its code's address and its type.
    pub(crate) fn descriptor(&self, index: u32) -> String {
        self.of(format_args!("desc_{}", self.funcs[index as usize]))
    }

    /// The `n`-th handler table of a function.
    pub(crate) fn handlers(&self, index: u32, n: u32) -> String {
        self.of(format_args!("handlers_{}_{n}", self.funcs[index as usize]))
    }

    /// Storage of a global.
    pub(crate) fn global(&self, index: u32) -> String {
        self.of(&self.globals[index as usize])
    }

    /// A tag: its address is its identity.
    pub(crate) fn tag(&self, index: u32) -> String {
        self.of(&self.tags[index as usize])
    }

    /// A memory's record.
    pub(crate) fn memory(&self, index: u32) -> String {
        self.of(format_args!("memory_{index}"))
    }

    /// A table's record.
    pub(crate) fn table(&self, index: u32) -> String {
        self.of(format_args!("table_{index}"))
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

    /// The function that does what instantiation does at run time.
    pub(crate) fn init(&self) -> String {
        self.of(INIT)
    }
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
