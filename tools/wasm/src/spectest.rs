//! The module `spectest` that WebAssembly scripts import from: its values, and
//! its functions as a [`Host`].

use std::cell::RefCell;
use std::sync::LazyLock;

use clif_cont_program::{Host, HostError, HostImport, Invoker, Program, Val, ValType};

use wast::Wat;
use wast::parser::{self, ParseBuffer};

use crate::constant::Const;

/// The name under which it is imported.
pub(crate) const MODULE: &str = "spectest";

/// Initial and maximal size of its memory, in pages.
pub(crate) const MEMORY_PAGES: (u64, u64) = (1, 2);

/// Initial and maximal size of its table of functions.
pub(crate) const TABLE_ELEMENTS: (u64, u64) = (10, 20);

/// Its functions print what they are given.
const FUNCTIONS: [(&str, &[ValType]); 7] = [
    ("print", &[]),
    ("print_i32", &[ValType::I32]),
    ("print_i64", &[ValType::I64]),
    ("print_f32", &[ValType::F32]),
    ("print_f64", &[ValType::F64]),
    ("print_i32_f32", &[ValType::I32, ValType::F32]),
    ("print_f64_f64", &[ValType::F64, ValType::F64]),
];

/// The module itself, as an instance that others import from: all of it is what
/// the host supplies to who imports it from there.
pub(crate) static BINARY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    const TEXT: &str = r#"(module
      (func (export "print") (import "spectest" "print"))
      (func (export "print_i32") (import "spectest" "print_i32") (param i32))
      (func (export "print_i64") (import "spectest" "print_i64") (param i64))
      (func (export "print_f32") (import "spectest" "print_f32") (param f32))
      (func (export "print_f64") (import "spectest" "print_f64") (param f64))
      (func (export "print_i32_f32") (import "spectest" "print_i32_f32") (param i32 f32))
      (func (export "print_f64_f64") (import "spectest" "print_f64_f64") (param f64 f64))
      (global (export "global_i32") (import "spectest" "global_i32") i32)
      (global (export "global_i64") (import "spectest" "global_i64") i64)
      (global (export "global_f32") (import "spectest" "global_f32") f32)
      (global (export "global_f64") (import "spectest" "global_f64") f64)
      (memory (export "memory") (import "spectest" "memory") 1 2)
      (table (export "table") (import "spectest" "table") 10 20 funcref))"#;
    // the text is right; were it not, the empty module would be refused
    let encode = |buffer: &ParseBuffer<'_>| parser::parse::<Wat<'_>>(buffer)?.encode();
    ParseBuffer::new(TEXT).and_then(|buffer| encode(&buffer)).unwrap_or_default()
});

/// The value of one of its globals.
pub(crate) fn global(name: &str) -> Option<Const> {
    Some(match name {
        "global_i32" => Const::I32(666),
        "global_i64" => Const::I64(666),
        "global_f32" => Const::F32(666.6f32.to_bits()),
        "global_f64" => Const::F64(666.6f64.to_bits()),
        _ => return None,
    })
}

fn provides(import: &HostImport) -> bool {
    import.module == MODULE
        && import.results.is_empty()
        && FUNCTIONS.iter().any(|(name, params)| *name == import.name && *params == import.params)
}

/// The functions that a program imports and [`Spectest`] does not provide,
/// which it needs another host for.
pub fn unknown_imports(program: &Program) -> Vec<&HostImport> {
    program.imports.iter().filter(|i| !provides(i)).collect()
}

/// The functions `print`, `print_i32`, `print_i64`, `print_f32`, `print_f64`,
/// `print_i32_f32` and `print_f64_f64` of the module `spectest`. Each call
/// gives one line to the callback: its arguments as bare numbers, separated by
/// spaces.
pub struct Spectest<F> {
    print: RefCell<F>,
}

impl<F: FnMut(&str)> Spectest<F> {
    /// Prints through `print`.
    pub fn new(print: F) -> Self {
        Self { print: RefCell::new(print) }
    }
}

impl<F: FnMut(&str)> Host for Spectest<F> {
    fn call(&self, import: &HostImport, args: &[Val], _: &mut dyn Invoker) -> Result<Vec<Val>, HostError> {
        if !provides(import) {
            return Err(HostError(format!("nobody supplies the function `{}` `{}`", import.module, import.name)));
        }
        let line = args.iter().map(Val::to_string).collect::<Vec<_>>().join(" ");
        let Ok(mut print) = self.print.try_borrow_mut() else {
            return Err(HostError("what is printed is being printed already".to_owned()));
        };
        print(&line);
        Ok(vec![])
    }
}
