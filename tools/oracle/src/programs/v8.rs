//! Programs on V8, through `node`.
//!
//! `CLIF_CONT_NODE` names the command; without it, it is the `node` in `PATH`. It has
//! to be version 26 or newer: `npm install --prefix DIR node@26` puts one to
//! `DIR/node_modules/.bin/node`.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::Command;

use clif_cont_generate::Case;
use serde::Serialize;
use wasmparser::{CompositeInnerType, ExternalKind, Parser, Payload, TypeRef};

use super::seen::{Step, steps};

/// The lanes, with what makes them: as it is by default, and without the baseline compiler.
pub(crate) const LANES: [(&str, &str); 2] = [("V8 tiering", "--liftoff"), ("V8 turbofan", "--no-liftoff")];

/// The first version whose V8 has continuations.
const OLDEST: u32 = 26;

/// A command that is new enough, with its version; or why there is none.
pub fn node() -> Result<(PathBuf, String), String> {
    let path = std::env::var_os("CLIF_CONT_NODE").map_or_else(|| PathBuf::from("node"), PathBuf::from);
    let says = |expression: &str| -> Result<String, String> {
        let output = Command::new(&path).args(["-p", expression]).output();
        let output = output.map_err(|e| format!("`{}` cannot be started: {e}", path.display()))?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let version = says("process.versions.node + ', V8 ' + process.versions.v8")?;
    let major = version.split('.').next().and_then(|n| n.parse::<u32>().ok()).unwrap_or_default();
    if major < OLDEST {
        return Err(format!("`{}` is node {version}, not {OLDEST} or newer (see CLIF_CONT_NODE)", path.display()));
    }
    Ok((path, version))
}

/// The command that runs programs.
pub(crate) fn command(node: &PathBuf, lane: usize) -> Command {
    let (name, flag) = LANES[lane];
    let mut command = Command::new(node);
    command.args(["--experimental-wasm-wasmfx", flag, "--input-type=module", "-e", include_str!("v8.mjs"), "--", name]);
    command
}

#[derive(Serialize)]
struct Program {
    modules: Vec<String>,
    steps: Vec<Typed>,
}

/// JavaScript does not tell an `f32` from an `f64`.
#[derive(Serialize)]
struct Typed {
    #[serde(flatten)]
    step: Step,
    results: Vec<&'static str>,
}

/// Why V8 cannot run a program, if that shows in its text.
pub(crate) fn masked(case: &Case) -> Option<String> {
    let switches = |line: &str| line.contains("switch)") || line.trim_start().trim_start_matches('(').starts_with("switch ");
    case.modules.iter().any(|m| m.lines().any(switches)).then(|| "there is no `switch`".to_owned())
}

/// A program as the script reads it.
///
/// # Errors
///
/// It is no WebAssembly.
pub(crate) fn line(case: &Case) -> Result<String, String> {
    let binaries = case.modules.iter().map(|m| wat::parse_str(m).map_err(|e| e.to_string()));
    let binaries = binaries.collect::<Result<Vec<_>, _>>()?;
    let typed = |step: Step| {
        let results = results(&binaries[step.module], &step.export).map_err(|e| e.to_string())?;
        Ok::<_, String>(Typed { step, results })
    };
    let steps = steps(case).into_iter().map(typed).collect::<Result<_, _>>()?;
    let program = Program { modules: binaries.iter().map(|b| base64(b)).collect(), steps };
    serde_json::to_string(&program).map_err(|e| e.to_string())
}

/// The types of an exported function's results.
fn results(binary: &[u8], export: &str) -> wasmparser::Result<Vec<&'static str>> {
    let (mut types, mut functions, mut found) = (vec![], vec![], vec![]);
    for payload in Parser::new(0).parse_all(binary) {
        match payload? {
            Payload::TypeSection(section) => {
                for group in section {
                    for ty in group?.into_types() {
                        types.push(match ty.composite_type.inner {
                            CompositeInnerType::Func(f) => f.results().iter().map(|t| name(*t)).collect(),
                            _ => vec![],
                        });
                    }
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    if let TypeRef::Func(ty) = import?.ty {
                        functions.push(ty);
                    }
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    functions.push(ty?);
                }
            }
            Payload::ExportSection(section) => {
                for e in section {
                    let e = e?;
                    if e.kind == ExternalKind::Func && e.name == export {
                        found = types[functions[e.index as usize] as usize].clone();
                    }
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

fn name(ty: wasmparser::ValType) -> &'static str {
    match ty {
        wasmparser::ValType::I64 => "i64",
        wasmparser::ValType::F32 => "f32",
        wasmparser::ValType::F64 => "f64",
        _ => "i32",
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0u32, |w, b| w << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * at)) as usize & 63];
            let _ = write!(out, "{}", if at <= chunk.len() { digit as char } else { '=' });
        }
    }
    out
}

/// Why a module is refused, without where.
pub(crate) fn reason(text: &str) -> String {
    let what = text.rsplit("failed: ").next().unwrap_or(text);
    let what = what.split(" @+").next().unwrap_or(what);
    let what = what.split('[').next().unwrap_or(what);
    what.chars().filter(|c| !c.is_ascii_digit()).collect()
}
