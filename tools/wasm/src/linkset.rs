//! Several modules in one program: instances that import from one another.
//!
//! Everything is linked when it is compiled. An instance's symbols have a prefix
//! of its own; what it imports has the symbol that it has where it is defined,
//! so an imported function is called directly, and a tag is its definition. Types
//! are canonical in the whole set. The set has one convention for exceptions.
//!
//! Instantiation is an export: the host invokes it when the instance is to come
//! to be. Until then nothing of the instance can be reached.
//!
//! Not decided here: which module name stands for which instance. The caller
//! says so, import by import, and may change it between modules.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::rc::Rc;

use clif_cont_abi::Exceptions;
use clif_cont_lowering::RuntimeFn;
use clif_cont_program::{HostImport, ItemExport, ItemType, Origin, ProgFunction, Program, Target, ValType};
use cranelift_frontend::FunctionBuilderContext;
use wasmparser::{ExternalKind, Operator};

use crate::compile::{Part, export, translate};
use crate::env::{Env, Shared};
use crate::error::{Error, Fault, Result};
use crate::exception;
use crate::features::Features;
use crate::func::lowered;
use crate::import::{Context, Exporter};
use crate::layout::Symbols;
use crate::link::Link;
use crate::module::{Addr, Global, Module, validate};
use crate::segment::{descriptor, exception_heap, store};
use crate::spectest;
use crate::types::{Sig, TypeStore};

/// An instance of a [`LinkSet`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct InstanceId(u32);

impl InstanceId {
    /// Its number: instances count from 0, in the order in which they were
    /// added.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// How exports are called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Naming {
    /// As in the one module that there is.
    Plain,
    /// With the number of their instance.
    Numbered,
}

/// Modules that become one program.
pub struct LinkSet<'a> {
    target: Target,
    naming: Naming,
    types: Rc<TypeStore>,
    modules: Vec<Module<'a>>,
    prefixes: Vec<String>,
    host_functions: usize,
    spectest: Option<InstanceId>,
    throws: bool,
}

/// What a host can do with an instance.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Instantiated {
    /// To be invoked before `init`, if there is one: 0 says that an import is
    /// too small, and that there can be no instance.
    pub fits: Option<String>,
    /// Instantiates: to be invoked before any other export, if there is one.
    pub init: Option<String>,
    /// What it exports, by name.
    pub exports: BTreeMap<String, Item>,
    /// The instances that it imports from.
    pub exporters: BTreeSet<InstanceId>,
}

/// Something exported. Names are those of the program's exports.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
    /// A function.
    Function {
        /// Invokes it.
        export: String,
        /// Its parameters.
        params: Vec<ValType>,
    },
    /// A global.
    Global {
        /// Reads it; takes nothing.
        export: String,
    },
    /// A memory.
    Memory,
    /// A table.
    Table,
    /// A tag.
    Tag,
}

/// A [`LinkSet`] compiled.
pub struct Linked {
    /// The program.
    pub program: Program,
    /// The instances by number; or why there is no code for one.
    pub instances: Vec<std::result::Result<Instantiated, Error>>,
}

impl<'a> LinkSet<'a> {
    /// An empty one.
    pub fn new(target: Target) -> Self {
        Self::named(target, Naming::Numbered)
    }

    pub(crate) fn named(target: Target, naming: Naming) -> Self {
        let (types, modules, prefixes) = Default::default();
        Self { target, naming, types, modules, prefixes, host_functions: 0, spectest: None, throws: false }
    }

    /// Is the binary a valid module? Nothing of it is kept.
    ///
    /// # Errors
    ///
    /// [`Error`], without a name of its source.
    pub fn validate(binary: &[u8], features: Features) -> std::result::Result<(), Error> {
        validate(binary, features).map_err(unnamed)
    }

    /// An instance of `spectest`, made when it is first asked for. Its functions
    /// are the host's.
    ///
    /// # Errors
    ///
    /// None, unless this crate is at fault.
    pub fn spectest(&mut self) -> std::result::Result<InstanceId, Error> {
        if let Some(made) = self.spectest {
            return Ok(made);
        }
        let id =
            self.read(&spectest::BINARY, "spectest_", &|_| Some(Exporter::Host), Features::ALL).map_err(unnamed)?;
        self.spectest = Some(id);
        Ok(id)
    }

    /// Adds an instance of a binary module. `resolve` gives the instance that a
    /// module name stands for; for `spectest` it is not asked.
    ///
    /// # Errors
    ///
    /// [`Error`]: not valid, not supported as far as that shows in its
    /// declarations, or not to be linked. Nothing is added then.
    pub fn instantiate(
        &mut self,
        binary: &'a [u8],
        features: Features,
        resolve: &dyn Fn(&str) -> Option<InstanceId>,
    ) -> std::result::Result<InstanceId, Error> {
        let spectest = self.spectest()?;
        let prefix = format!("m{}_", self.modules.len());
        let resolve = |module: &str| match module {
            spectest::MODULE => Some(Exporter::Instance(spectest.0)),
            module => resolve(module).map(|id| Exporter::Instance(id.0)),
        };
        self.read(binary, &prefix, &resolve, features).map_err(unnamed)
    }

    pub(crate) fn read(
        &mut self,
        binary: &'a [u8],
        prefix: &str,
        resolve: &dyn Fn(&str) -> Option<Exporter>,
        features: Features,
    ) -> Result<InstanceId> {
        let context = Context { instances: &self.modules, resolve, features, host_functions: self.host_functions };
        let module = Module::read(binary, &mut self.types, &context)?;
        self.throws |= exception::used(&module)?;
        self.host_functions += module.imports.len();
        self.prefixes.push(prefix.to_owned());
        self.modules.push(module);
        Ok(InstanceId(self.modules.len() as u32 - 1))
    }

    /// Compiles everything. What is not supported costs its own instance, and
    /// those that import from it.
    ///
    /// # Errors
    ///
    /// [`Error`] for a fault of this compiler.
    pub fn finish(mut self) -> std::result::Result<Linked, Error> {
        self.bound_memories().map_err(unnamed)?;
        let (program, instances) = self.translate().map_err(unnamed)?;
        Ok(Linked { program, instances: instances.into_iter().map(|i| i.map_err(unnamed)).collect() })
    }

    /// Finds the memories that nothing grows: those take no more address space
    /// than they have from the start.
    fn bound_memories(&mut self) -> Result<()> {
        let mut grown: BTreeSet<Addr> = BTreeSet::new();
        for module in &self.modules {
            for body in &module.bodies {
                let mut operators = body.get_operators_reader()?;
                while !operators.eof() {
                    if let Operator::MemoryGrow { mem } = operators.read()? {
                        grown.insert(module.memories[mem as usize].addr);
                    }
                }
            }
        }
        for memory in self.modules.iter_mut().flat_map(|m| &mut m.memories) {
            memory.grows = grown.contains(&memory.addr);
        }
        Ok(())
    }

    /// The program, and its instances or why there is no code for one.
    pub(crate) fn translate(self) -> Result<(Program, Vec<Result<Instantiated>>)> {
        let Self { mut target, naming, types, mut modules, prefixes, throws, .. } = self;
        if throws {
            target.abi.exceptions = Exceptions::ExtraResult;
        }
        for module in &mut modules {
            module.types = Rc::clone(&types);
        }
        let mut all: Vec<Symbols> = vec![];
        for (module, prefix) in modules.iter().zip(&prefixes) {
            let symbols = Symbols::new(module, prefix, &all);
            all.push(symbols);
        }
        let imports: Vec<HostImport> = modules.iter().flat_map(|m| &m.imports).cloned().collect();
        let shared = |i: usize| Shared { module: &modules[i], symbols: &all[i], all: &all, imports: &imports, target };
        let mut parts: Vec<Result<Part>> = vec![];
        for (i, module) in modules.iter().enumerate() {
            let failed = module.exporters.iter().find_map(|e| parts[*e as usize].as_ref().err());
            parts.push(match failed {
                Some(fault) => Err(Fault { offset: None, ..fault.clone() }),
                // one that fails leaves its context in the middle of a function
                None => translate(shared(i), &naming.readers(module), &mut FunctionBuilderContext::new()),
            });
        }

        let mut program = Program::new(target);
        let mut common = Link::default();
        let mut instances = vec![];
        let (mut tags, mut items) = (vec![], vec![]);
        for (i, part) in parts.into_iter().enumerate() {
            let made = part.map(|part| {
                program.functions.extend(part.functions);
                for (index, tag) in (0..).zip(&modules[i].tags) {
                    program.tags.insert(all[i].tag(index), tag.sig.signature());
                }
                tags.extend(part.tags);
                items.extend(part.items);
                common.absorb(part.link);
                let mut made = Instantiated {
                    exporters: modules[i].exporters.iter().copied().map(InstanceId).collect(),
                    ..Instantiated::default()
                };
                if part.fits {
                    let sig = Sig { params: vec![], results: vec![ValType::I32] };
                    let name = naming.own("fits", &i);
                    program.exports.push(export(&shared(i), &mut common, name.clone(), all[i].fits(), &sig));
                    made.fits = Some(name);
                }
                if part.init {
                    let name = naming.own("init", &i);
                    let init = export(&shared(i), &mut common, name.clone(), all[i].init(), &Sig::default());
                    match naming {
                        Naming::Plain => program.init = Some(init),
                        Naming::Numbered => program.exports.push(init),
                    }
                    made.init = Some(name);
                }
                for item in &modules[i].items {
                    let name = naming.export(i, item.name);
                    let mut data = |symbol: String, item: ItemType| {
                        program.items.push(ItemExport { name: name.clone(), symbol, item });
                    };
                    let exported = match item.kind {
                        ExternalKind::Func | ExternalKind::FuncExact => {
                            let func = &modules[i].funcs[item.index as usize];
                            let sig = types.border_sig(func.ty, 0).unwrap_or_else(|_| func.sig.clone());
                            let symbol = all[i].func(item.index);
                            program.exports.push(export(&shared(i), &mut common, name.clone(), symbol, &sig));
                            Item::Function { export: name, params: sig.params }
                        }
                        ExternalKind::Global => {
                            let Global { ty, content, mutable, .. } = modules[i].globals[item.index as usize];
                            data(all[i].global(item.index), ItemType::Global { ty, mutable });
                            let read = naming.own("get", &name);
                            if naming == Naming::Numbered {
                                let sig = Sig { params: vec![], results: vec![types.border(content, 0).unwrap_or(ty)] };
                                let symbol = all[i].read(item.index);
                                program.exports.push(export(&shared(i), &mut common, read.clone(), symbol, &sig));
                            }
                            Item::Global { export: read }
                        }
                        ExternalKind::Memory => {
                            data(all[i].memory(item.index), ItemType::Memory);
                            Item::Memory
                        }
                        ExternalKind::Table => {
                            let elem = modules[i].tables[item.index as usize].elem;
                            data(all[i].table(item.index), ItemType::Table(elem));
                            Item::Table
                        }
                        ExternalKind::Tag => {
                            let Sig { params, results } = modules[i].tags[item.index as usize].sig.clone();
                            data(all[i].tag(item.index), ItemType::Tag { params, results });
                            Item::Tag
                        }
                    };
                    made.exports.insert(item.name.to_owned(), exported);
                }
                made
            });
            instances.push(made);
        }

        // what belongs to no instance
        let mut context = FunctionBuilderContext::new();
        let (module, symbols) = (Module::default(), Symbols::default());
        let nobody = Shared { module: &module, symbols: &symbols, all: &all, imports: &imports, target };
        for helper in std::mem::take(&mut common.helpers) {
            program.functions.push(helper.define(nobody, &mut common, &mut context));
        }
        program.functions.extend(runtime(nobody, &mut common, &mut context)?);
        program.data.push(store());
        program.data.extend(tags);
        program.data.extend(common.exception_heap.then(|| exception_heap(&nobody)));
        program.data.extend(items);
        program.data.extend(common.descriptors.iter().map(|a| descriptor(&shared(a.instance as usize), a.index)));
        program.data.append(&mut common.handlers);
        program.imports = imports.clone();
        Ok((program, instances))
    }
}

impl Naming {
    /// An export of an instance.
    fn export(self, instance: usize, name: &str) -> String {
        match self {
            Self::Plain => name.to_owned(),
            Self::Numbered => format!("{instance} {name}"),
        }
    }

    /// What the instance itself can do; no export's name is like that.
    fn own(self, what: &str, of: &dyn Display) -> String {
        match self {
            Self::Plain => what.to_owned(),
            Self::Numbered => format!("{what} {of}"),
        }
    }

    /// The globals that the host may want to read.
    fn readers(self, module: &Module<'_>) -> BTreeSet<u32> {
        let globals = module.items.iter().filter(|e| e.kind == ExternalKind::Global).map(|e| e.index);
        match self {
            Self::Plain => BTreeSet::new(),
            Self::Numbered => globals.collect(),
        }
    }
}

/// The runtime functions that were asked for, and those that they ask for in
/// turn, by name.
fn runtime(shared: Shared<'_>, link: &mut Link, context: &mut FunctionBuilderContext) -> Result<Vec<ProgFunction>> {
    let mut made = BTreeMap::new();
    loop {
        let missing = |(name, f): &(&String, &RuntimeFn)| f.is_clif() && !made.contains_key(*name);
        let Some((name, f)) = link.runtime.iter().find(missing).map(|(n, f)| (n.clone(), f.clone())) else { break };
        let func = lowered(f.define(&mut Env::new(shared, link, None), context), None)?;
        made.insert(name, ProgFunction::new(func, Origin::Runtime));
    }
    Ok(made.into_values().collect())
}

fn unnamed(fault: Fault) -> Error {
    Error {
        kind: fault.kind,
        message: fault.message,
        file: String::new(),
        offset: fault.offset.and_then(|o| usize::try_from(o).ok()),
        position: None,
    }
}
