//! Parsing a whole file.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::catch_unwind;

use clif_cont_abi::symbols;
use cranelift_codegen::ir::{
    self, ArgumentPurpose, ExternalName, Function, GlobalValue, GlobalValueData, Inst, Opcode, UserFuncName,
};
use cranelift_reader::{IsaSpec, ParseOptions, SourceMap, TestFile, parse_test};

use super::directive::Said;
use super::header::Header;
use super::{ParseError, ParseErrorKind, columns, comments, header, numbers};
use crate::target::isa_of_triple;
use crate::{Export, ItemExport, ItemType, OperationTypes, Origin, ProgFunction, Program, Target, ValType};

/// Parses a program; see the module for the grammar. The functions are not
/// verified, and what they refer to need not be defined.
///
/// `default_target` is for a text without a header.
///
/// # Errors
///
/// The first error, with its place.
pub fn parse(source: &str, default_target: Option<Target>) -> Result<Program, ParseError> {
    let lines: Vec<&str> = source.lines().collect();
    // directives first: a misspelt one should not hide behind a CLIF error
    let first_function = lines.iter().position(|l| l.trim_start().starts_with("function ")).map(|i| i as u32 + 1);
    let header = header::parse(&lines, first_function)?;
    let numbered = numbers::check(source)?;
    let file = read(&numbered)?;
    let target = header
        .target
        .or(default_target)
        .or_else(|| filetest_target(&file.isa_spec))
        .ok_or_else(|| error(1, "the text has no `;! target`, and no default target was given"))?;

    let functions = functions(&lines, &header, file)?;
    let defined: BTreeSet<&str> = functions.iter().map(|(name, _, _)| name.as_str()).collect();
    if let Some(d) = header.data.iter().find(|d| defined.contains(d.name.as_str())) {
        let line = functions.iter().find(|(name, _, _)| *name == d.name).map_or(1, |(_, line, _)| *line);
        return Err(error(line, format!("%{} is data already", d.name)));
    }
    for (e, line) in header.exports.iter().chain(&header.init) {
        for name in [&e.function, &e.enter] {
            if !name.is_empty() && !defined.contains(name.as_str()) {
                return Err(error(*line, format!("export `{}`: there is no function %{name}", e.name)));
            }
        }
    }
    for (e, line) in &header.items {
        if !header.data.iter().any(|d| d.name == e.symbol) {
            return Err(error(*line, format!("export `{}`: there is no data %{}", e.name, e.symbol)));
        }
    }
    for (symbol, (ty, line)) in &header.tags {
        if !header.data.iter().any(|d| d.name == *symbol) {
            return Err(error(*line, format!("there is no data %{symbol}, whose address the tag would be")));
        }
        let other = |e: &&ItemExport| match &e.item {
            ItemType::Tag { params, results } => {
                e.symbol == *symbol && (*params != ty.params || *results != ty.results)
            }
            _ => false,
        };
        if let Some(e) = header.items.iter().map(|(e, _)| e).find(other) {
            return Err(error(
                *line,
                format!("the tag %{symbol} has another type where it is exported as `{}`", e.name),
            ));
        }
    }
    let exports = if header.present {
        header.exports.into_iter().map(|(e, _)| e).collect()
    } else {
        functions.iter().filter_map(|(name, _, f)| plain_export(name, &f.func.signature)).collect()
    };
    Ok(Program {
        target,
        profile: header.present.then_some(clif_cont_abi::PROFILE),
        functions: functions.into_iter().map(|(_, _, f)| f).collect(),
        data: header.data,
        tags: header.tags.into_iter().map(|(symbol, (ty, _))| (symbol, ty)).collect(),
        imports: header.imports,
        exports,
        items: header.items.into_iter().map(|(e, _)| e).collect(),
        init: header.init.map(|(e, _)| e),
    })
}

/// Where the instructions of a function are: a line, from 1, for each.
pub type InstLines = BTreeMap<ir::Inst, u32>;

/// The lines of all instructions of a program's text, by function. Numbers of
/// instructions are those that [`parse`] gives.
///
/// # Errors
///
/// As [`parse`], but for what concerns the header only.
pub fn inst_lines(source: &str) -> Result<BTreeMap<String, InstLines>, ParseError> {
    let mut all = BTreeMap::new();
    for (mut func, details) in read(&numbers::check(source)?)?.functions {
        rename_numbered(&mut func);
        let insts = func.layout.blocks().flat_map(|block| func.layout.block_insts(block));
        let line = |inst: ir::Inst| details.map.location(inst.into()).map(|at| (inst, at.line_number as u32));
        let lines = insts.filter_map(line).collect();
        all.insert(ProgFunction::new(func, Origin::Runtime).name(), lines);
    }
    Ok(all)
}

fn error(line: u32, message: impl Into<String>) -> ParseError {
    ParseError { line, column: 1, message: message.into(), kind: ParseErrorKind::Invalid }
}

/// Calls the reader, which has assertions of its own about malformed text.
fn read(source: &str) -> Result<TestFile<'_>, ParseError> {
    match catch_unwind(|| parse_test(source, ParseOptions::default())) {
        Ok(Ok(file)) => Ok(file),
        Ok(Err(e)) => Err(catch_unwind(|| columns::locate(source, &e))
            .unwrap_or_else(|_| error(e.location.line_number.max(1) as u32, e.message.clone()))),
        Err(_) => Err(error(1, "the CLIF reader failed on this text")),
    }
}

/// The functions with their names and lines.
fn functions(
    lines: &[&str],
    header: &Header,
    file: TestFile<'_>,
) -> Result<Vec<(String, u32, ProgFunction)>, ParseError> {
    let mut seen = BTreeMap::new();
    let mut out = vec![];
    let mut runtime_seen = false;
    let names = spelled_names(&file);
    let mut directives = Directives { lines, rest: &header.operations };
    for (mut func, details) in file.functions {
        let line = details.location.line_number;
        if let Some(name) = rename_numbered(&mut func).into_iter().find(|n| names.contains(n)) {
            let numbered = name.replacen('_', ":", 1);
            let message = format!("{numbered} and %{name}, which the text has too, would be one symbol");
            return Err(error(line as u32, message));
        }
        if let Some((gv, base)) = undeclared_base(&func) {
            // the reader notes where it was behind the declaration
            let declared = lines.iter().skip(line).position(|l| l.trim_start().starts_with(&format!("{gv} ")));
            let at = declared.map_or(line, |more| line + more + 1);
            return Err(error(at as u32, format!("{gv} refers to {base}, which is not declared")));
        }
        let comments = comments::gather(lines, line, &func, &details.map);
        let (operations, kept) = directives.of(&func, &details.map)?;
        let line = line as u32;
        let origin = match header.runtime {
            Some(r) if r < line => Origin::Runtime,
            _ => Origin::Program,
        };
        // a directive inside the function before it
        if origin == Origin::Runtime && !runtime_seen {
            runtime_seen = true;
            let directive = header.runtime.unwrap_or(line);
            let between = &lines[directive as usize..line as usize - 1];
            if between.iter().any(|l| !l.trim().is_empty() && !l.trim_start().starts_with(';')) {
                return Err(error(directive, "`runtime` has to stand between two functions"));
            }
        }
        let function = ProgFunction { func, comments, operations, kept, origin };
        let name = function.name();
        if name.is_empty() {
            return Err(error(line, "a function needs a name"));
        }
        if let Some(first) = seen.insert(name.clone(), line) {
            return Err(error(line, format!("second definition of %{name}; the first is on line {first}")));
        }
        out.push((name, line, function));
    }
    match directives.rest {
        [(_, place), ..] => Err(unplaced(place)),
        [] => Ok(out),
    }
}

/// A global value that is computed from one that there is not: Cranelift's verifier takes it for granted.
fn undeclared_base(func: &Function) -> Option<(GlobalValue, GlobalValue)> {
    func.global_values.iter().find_map(|(gv, data)| match *data {
        GlobalValueData::Load { base, .. } | GlobalValueData::IAddImm { base, .. } => {
            (!func.global_values.is_valid(base)).then_some((gv, base))
        }
        _ => None,
    })
}

/// What is said of instructions, in the lines directly above them.
struct Directives<'a> {
    lines: &'a [&'a str],
    /// Those of the functions to come.
    rest: &'a [(Said, ParseError)],
}

impl Directives<'_> {
    /// Those of a function, by its instructions.
    fn of(&mut self, func: &Function, map: &SourceMap) -> Result<OfInsts, ParseError> {
        let (mut operations, mut kept) = OfInsts::default();
        if self.rest.is_empty() {
            return Ok((operations, kept));
        }
        for inst in func.layout.blocks().flat_map(|b| func.layout.block_insts(b)) {
            let Some(at) = map.location(inst.into()) else { continue };
            while let Some(((said, place), rest)) = self.rest.split_first()
                && (place.line as usize) < at.line_number
            {
                let between = &self.lines[place.line as usize..at.line_number - 1];
                let above = between.iter().all(|l| l.trim_start().starts_with(';'));
                if !above || !may_be(func.dfg.insts[inst].opcode(), said) {
                    return Err(unplaced(place));
                }
                let twice = match said {
                    Said::Types(types) => operations.insert(inst, types.clone()).is_some(),
                    Said::Kept(offsets) => kept.insert(inst, offsets.clone()).is_some(),
                };
                if twice {
                    return Err(ParseError {
                        message: "this is said of one instruction twice".into(),
                        ..place.clone()
                    });
                }
                self.rest = rest;
            }
        }
        Ok((operations, kept))
    }
}

/// What is said of a function's instructions.
type OfInsts = (BTreeMap<Inst, OperationTypes>, BTreeMap<Inst, Vec<i32>>);

/// May such an instruction stand for the operation?
fn may_be(opcode: Opcode, said: &Said) -> bool {
    let switch = matches!(opcode, Opcode::StackSwitch | Opcode::TryCall | Opcode::Call);
    match said {
        Said::Types(OperationTypes::ContBind(..)) => opcode == Opcode::Store,
        Said::Types(_) => switch,
        Said::Kept(_) => switch || opcode == Opcode::Store,
    }
}

fn unplaced(place: &ParseError) -> ParseError {
    let message =
        "this has to stand directly above the operation's switch, or the store with which `cont.bind` consumes";
    ParseError { message: message.into(), ..place.clone() }
}

/// The names that are spelled out, of functions and in references.
fn spelled_names(file: &TestFile<'_>) -> BTreeSet<String> {
    let plain = |name: &ExternalName| match name {
        ExternalName::TestCase(name) => Some(name.to_string().trim_start_matches('%').to_owned()),
        _ => None,
    };
    let mut names = BTreeSet::new();
    for (func, _) in &file.functions {
        if let UserFuncName::Testcase(name) = &func.name {
            names.insert(name.to_string().trim_start_matches('%').to_owned());
        }
        names.extend(func.dfg.ext_funcs.values().filter_map(|f| plain(&f.name)));
        names.extend(func.global_values.values().filter_map(|gv| match gv {
            GlobalValueData::Symbol { name, .. } => plain(name),
            _ => None,
        }));
    }
    names
}

/// `u0:3` becomes `%u0_3`, in the name and in all references; gives those new names.
fn rename_numbered(func: &mut Function) -> Vec<String> {
    let rename = |u: &ir::UserExternalName| format!("u{}_{}", u.namespace, u.index);
    let names: Vec<String> = func.params.user_named_funcs().values().map(rename).collect();
    let mut renamed = names.clone();
    if let UserFuncName::User(u) = &func.name {
        let name = rename(u);
        func.name = UserFuncName::testcase(&name);
        renamed.push(name);
    }
    let replace = |name: &mut ExternalName| {
        if let ExternalName::User(r) = name
            && let Some(new) = names.get(r.as_u32() as usize)
        {
            *name = ExternalName::testcase(new);
        }
    };
    for f in func.dfg.ext_funcs.values_mut() {
        replace(&mut f.name);
    }
    for gv in func.global_values.values_mut() {
        if let GlobalValueData::Symbol { name, .. } = gv {
            replace(name);
        }
    }
    renamed
}

/// The export of a function in a text without a header, when a host can call
/// it.
fn plain_export(name: &str, sig: &ir::Signature) -> Option<Export> {
    let types = |params: &[ir::AbiParam]| -> Option<Vec<ValType>> {
        params
            .iter()
            .map(|p| match p.value_type {
                _ if p.purpose != ArgumentPurpose::Normal => None,
                ir::types::I32 => Some(ValType::I32),
                ir::types::I64 => Some(ValType::I64),
                ir::types::F32 => Some(ValType::F32),
                ir::types::F64 => Some(ValType::F64),
                _ => None,
            })
            .collect()
    };
    if name.starts_with(symbols::PREFIX) {
        return None;
    }
    Some(Export {
        name: name.to_owned(),
        function: name.to_owned(),
        enter: String::new(),
        params: types(&sig.params)?,
        results: types(&sig.returns)?,
    })
}

/// The first `target` line of a Cranelift filetest that we know.
fn filetest_target(spec: &IsaSpec) -> Option<Target> {
    match spec {
        IsaSpec::None(_) => None,
        IsaSpec::Some(isas) => isas.iter().find_map(|isa| isa_of_triple(isa.triple())).map(Target::new),
    }
}
