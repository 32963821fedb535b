//! The whole way from a source to a program.

use std::collections::BTreeMap;

use clif_cont_abi::Exceptions;
use clif_cont_lowering::RuntimeFn;
use clif_cont_program::{Comments, Export, Origin, ProgFunction, Program, Target};
use cranelift_frontend::FunctionBuilderContext;

use crate::env::{Env, Shared};
use crate::error::{Error, Result};
use crate::exception;
use crate::func::{self, lowered};
use crate::init;
use crate::layout::Symbols;
use crate::link::Link;
use crate::module::Module;
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
/// `spectest` are supplied; any other import is an error.
///
/// # Errors
///
/// [`Error`], with its place: not a module, not valid, or not supported.
pub fn compile(source: &[u8], name: &str, target: Target, options: &Options) -> std::result::Result<Program, Error> {
    let source = Source::read(source, name)?;
    let module = Module::read(&source.binary).map_err(|f| source.error(f))?;
    translate(&module, target, options).map_err(|f| source.error(f))
}

fn translate(module: &Module<'_>, target: Target, options: &Options) -> Result<Program> {
    let mut target = target;
    if exception::used(module)? {
        target.abi.exceptions = Exceptions::ExtraResult;
    }
    let symbols = Symbols::new(module, &options.prefix);
    let shared = Shared { module, symbols: &symbols, target };
    let mut link = Link::default();
    let mut context = FunctionBuilderContext::new();
    let mut program = Program::new(target);

    let mut bodies = module.bodies.iter();
    for (index, f) in (0..).zip(&module.funcs) {
        let made = match f.import {
            Some(import) => init::stub(shared, &mut link, index, import, &mut context)?,
            None => match bodies.next() {
                Some(body) => func::translate(shared, &mut link, index, body, &mut context)?,
                None => continue,
            },
        };
        program.functions.push(made);
    }
    if let Some(made) = init::init(shared, &mut link, &mut context)? {
        program.functions.push(made);
        program.init = Some(export(&shared, &mut link, "init", symbols.init(), &Sig::default()));
    }
    for e in &module.exports {
        let sig = &module.funcs[e.func as usize].sig;
        program.exports.push(export(&shared, &mut link, e.name, symbols.func(e.func), sig));
    }
    for helper in std::mem::take(&mut link.helpers) {
        program.functions.push(helper.define(shared, &mut link, &mut context));
    }
    program.functions.extend(runtime(shared, &mut link, &mut context)?);
    program.data = Layout { shared, link: &mut link }.data()?;
    program.imports = module.imports.clone();
    Ok(program)
}

fn export(shared: &Shared<'_>, link: &mut Link, name: &str, function: String, sig: &Sig) -> Export {
    let enter = RuntimeFn::Enter(shared.cont_type(sig));
    let symbol = enter.name();
    for f in RuntimeFn::FOR_HOST.into_iter().chain([enter]) {
        link.runtime.insert(f.name(), f);
    }
    Export { name: name.to_owned(), function, enter: symbol, params: sig.params.clone(), results: sig.results.clone() }
}

/// The runtime functions that were asked for, and those that they ask for in
/// turn, by name.
fn runtime(shared: Shared<'_>, link: &mut Link, context: &mut FunctionBuilderContext) -> Result<Vec<ProgFunction>> {
    let mut made = BTreeMap::new();
    loop {
        let missing = |(name, f): &(&String, &RuntimeFn)| f.is_clif() && !made.contains_key(*name);
        let Some((name, f)) = link.runtime.iter().find(missing).map(|(n, f)| (n.clone(), f.clone())) else { break };
        let func = lowered(f.define(&mut Env::new(shared, link, None), context), None)?;
        made.insert(name, ProgFunction { func, comments: Comments::default(), origin: Origin::Runtime });
    }
    Ok(made.into_values().collect())
}
