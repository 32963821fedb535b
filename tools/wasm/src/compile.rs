//! From an instance to functions and data; and the whole way for a module that
//! is a program by itself.

use std::collections::BTreeSet;

use clif_cont_lowering::RuntimeFn;
use clif_cont_program::{Data, Export, ProgFunction, Program, Target};
use cranelift_frontend::FunctionBuilderContext;

use crate::env::Shared;
use crate::error::{Error, Result};
use crate::features::Features;
use crate::func;
use crate::import::Exporter;
use crate::init;
use crate::link::Link;
use crate::linkset::{LinkSet, Naming};
use crate::segment::Layout;
use crate::source::Source;
use crate::types::Sig;

/// Choices of a compilation.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Options {
    /// What every symbol of the module begins with (letters, digits and
    /// underscores): keeps several modules of one link set apart. Names of the
    /// runtime have no prefix.
    pub prefix: String,
}

/// Compiles a module, given as text or as a binary (told apart by its first
/// four bytes), for a target. `name` is what the source is called in errors.
///
/// Function imports are left to the host; [`unknown_imports`](crate::unknown_imports)
/// says which of them `spectest` does not have. Memory, table and globals of
/// `spectest` are supplied; any other import is an error. For modules that
/// import from one another there is [`LinkSet`].
///
/// # Errors
///
/// [`Error`], with its place: not a module, not valid, or not supported.
pub fn compile(source: &[u8], name: &str, target: Target, options: &Options) -> std::result::Result<Program, Error> {
    let source = Source::read(source, name)?;
    let mut set = LinkSet::named(target, Naming::Plain);
    let host = |_: &str| Some(Exporter::Host);
    set.read(&source.binary, &options.prefix, &host, Features::ALL).map_err(|f| source.error(f))?;
    let (program, mut instances) = set.translate().map_err(|f| source.error(f))?;
    match instances.pop() {
        Some(Err(fault)) => Err(source.error(fault)),
        _ => Ok(program),
    }
}

/// What an instance adds to a program.
#[derive(Default)]
pub(crate) struct Part {
    pub(crate) functions: Vec<ProgFunction>,
    pub(crate) tags: Vec<Data>,
    /// Globals, memories, tables and segments.
    pub(crate) items: Vec<Data>,
    pub(crate) link: Link,
    /// Does it have an `init`?
    pub(crate) init: bool,
    /// Does it have to be asked whether its imports fit?
    pub(crate) fits: bool,
}

/// Translates an instance. `read_globals` are those to make readers for.
pub(crate) fn translate(
    shared: Shared<'_>,
    read_globals: &BTreeSet<u32>,
    context: &mut FunctionBuilderContext,
) -> Result<Part> {
    let module = shared.module;
    let mut part = Part::default();
    let link = &mut part.link;
    let mut bodies = module.bodies.iter();
    for (index, f) in (0..).zip(&module.funcs) {
        if !module.owns(f.addr) {
            continue;
        }
        let made = match f.import {
            Some(import) => init::stub(shared, link, index, import, context)?,
            None => match bodies.next() {
                Some(body) => func::translate(shared, link, index, body, context)?,
                None => continue,
            },
        };
        part.functions.push(made);
    }
    if let Some(made) = init::init(shared, link, context)? {
        part.functions.push(made);
        part.init = true;
    }
    if let Some(made) = init::fits(shared, link, context)? {
        part.functions.push(made);
        part.fits = true;
    }
    for index in read_globals {
        part.functions.push(init::read(shared, link, context, *index)?);
    }
    part.tags = Layout { shared, link }.tags();
    part.items = Layout { shared, link }.items()?;
    Ok(part)
}

/// An export of a program, and the runtime that it takes.
pub(crate) fn export(shared: &Shared<'_>, link: &mut Link, name: String, function: String, sig: &Sig) -> Export {
    let enter = RuntimeFn::Enter(shared.cont_type(sig));
    let symbol = enter.name();
    for f in RuntimeFn::FOR_HOST.into_iter().chain([enter]) {
        link.runtime.insert(f.name(), f);
    }
    Export { name, function, enter: symbol, params: sig.params.clone(), results: sig.results.clone() }
}
