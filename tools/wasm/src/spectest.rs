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
/// `print_i32_f32` and `print_f64_f64` of the module `spectest`. Each argument is
/// a line, as the specification's reference interpreter prints it: `1_000 : i32`.
///
/// Source: `host/spectest.ml`, and `to_string` in `exec/ixx.ml` and `exec/fxx.ml`, of
/// github.com/WebAssembly/spec.
pub struct Spectest<F> {
    print: RefCell<F>,
}

impl<F: FnMut(&str) -> Result<(), HostError>> Spectest<F> {
    /// Prints lines through `print`. When that fails, the program is ended: it may print
    /// for ever.
    pub fn new(print: F) -> Self {
        Self { print: RefCell::new(print) }
    }
}

impl Spectest<fn(&str) -> Result<(), HostError>> {
    /// Prints nothing.
    pub fn silent() -> Self {
        Self::new(|_| Ok(()))
    }
}

impl<F: FnMut(&str) -> Result<(), HostError>> Host for Spectest<F> {
    fn call(&self, import: &HostImport, args: &[Val], _: &mut dyn Invoker) -> Result<Vec<Val>, HostError> {
        if !provides(import) {
            return Err(HostError(format!("nobody supplies the function `{}` `{}`", import.module, import.name)));
        }
        let Ok(mut print) = self.print.try_borrow_mut() else {
            return Err(HostError("what is printed is being printed already".to_owned()));
        };
        args.iter().try_for_each(|arg| print(&printed(*arg)))?;
        Ok(vec![])
    }
}

/// The line that a value is printed as.
pub fn printed(value: Val) -> String {
    format!("{} : {}", shown(value), value.ty().name())
}

/// A value as the reference interpreter writes it.
fn shown(value: Val) -> String {
    match value {
        Val::I32(v) => grouped(&v.to_string(), 3),
        Val::I64(v) => grouped(&v.to_string(), 3),
        Val::F32(bits) if f32::from_bits(bits).is_nan() => nan(bits >> 31 != 0, (bits & 0x7f_ffff).into()),
        Val::F32(bits) => float(f32::from_bits(bits).into()),
        Val::F64(bits) if f64::from_bits(bits).is_nan() => nan(bits >> 63 != 0, bits & 0xf_ffff_ffff_ffff),
        Val::F64(bits) => float(f64::from_bits(bits)),
        // none of the functions takes them
        Val::Extern(_) | Val::Ref(_) | Val::Cont(_) => value.to_string(),
    }
}

fn nan(negative: bool, payload: u64) -> String {
    format!("{}nan:0x{}", if negative { "-" } else { "" }, grouped(&format!("{payload:x}"), 4))
}

/// Digits before a point in groups, from the right.
fn grouped(digits: &str, group: usize) -> String {
    let (sign, digits) = digits.split_at(usize::from(digits.starts_with('-')));
    let mut out = sign.to_owned();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(group) {
            out.push('_');
        }
        out.push(digit);
    }
    out
}

/// C's `%.17g`, with the digits before and behind the point in groups of three.
fn float(value: f64) -> String {
    const DIGITS: usize = 17;
    if value.is_infinite() {
        return if value < 0.0 { "-inf" } else { "inf" }.to_owned();
    }
    let scientific = format!("{value:.*e}", DIGITS - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let fixed = (-4..DIGITS as i32).contains(&exponent);
    let number =
        if fixed { format!("{value:.*}", (DIGITS as i32 - 1 - exponent) as usize) } else { mantissa.to_owned() };
    let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
    let mut out = grouped(whole, 3);
    let fraction: Vec<char> = fraction.trim_end_matches('0').chars().collect();
    if !fraction.is_empty() {
        let groups: Vec<String> = fraction.chunks(3).map(|group| group.iter().collect()).collect();
        out.push('.');
        out.push_str(&groups.join("_"));
    }
    if !fixed {
        let sign = if exponent < 0 { '-' } else { '+' };
        out.push_str(&format!("e{sign}{:02}", exponent.unsigned_abs()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_as_the_reference_interpreter_shows_them() {
        for (value, expected) in [
            (Val::I32(1), "1"),
            (Val::I32(-1), "-1"),
            (Val::I32(1000), "1_000"),
            (Val::I32(i32::MIN), "-2_147_483_648"),
            (Val::I64(-123_456), "-123_456"),
            (Val::F64(0f64.to_bits()), "0"),
            (Val::F64((-0f64).to_bits()), "-0"),
            (Val::F64(1.5f64.to_bits()), "1.5"),
            (Val::F64(666.6f64.to_bits()), "666.600_000_000_000_02"),
            (Val::F32(666.6f32.to_bits()), "666.599_975_585_937_5"),
            (Val::F64(0.1f64.to_bits()), "0.100_000_000_000_000_01"),
            (Val::F64(1234567.0f64.to_bits()), "1_234_567"),
            (Val::F64(0.0001f64.to_bits()), "0.000_1"),
            (Val::F64(1e-5f64.to_bits()), "1.000_000_000_000_000_1e-05"),
            (Val::F64(1e16f64.to_bits()), "10_000_000_000_000_000"),
            (Val::F64(1e17f64.to_bits()), "1e+17"),
            (Val::F64(1.25e200f64.to_bits()), "1.25e+200"),
            (Val::F64(f64::NEG_INFINITY.to_bits()), "-inf"),
            (Val::F32(0x7fc0_0000), "nan:0x40_0000"),
            (Val::F64(0xfff8_0000_0000_0000), "-nan:0x8_0000_0000_0000"),
        ] {
            assert_eq!(shown(value), expected, "{value:?}");
        }
    }
}
