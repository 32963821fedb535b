//! Printing: the header, then the functions with their comments.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::{self, Write};

use clif_cont_abi::{ByteOrder, Exceptions};
use cranelift_codegen::entity::SecondaryMap;
use cranelift_codegen::ir::{Block, Function, Inst, Value};
use cranelift_codegen::write::{FuncWriter, PlainWriter, decorate_function};

use super::VERSION;
use super::comments::push_comment_lines;
use crate::operation::List;
use crate::{Data, DataItem, Export, ItemExport, ItemType, Origin, ProgFunction, Program, ValType};

/// Are the comments of single instructions printed?
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Annotate {
    /// No: fewer lines, and a smaller diff when code moves.
    #[default]
    Blocks,
    /// Yes, each on lines of its own above its instruction.
    Insts,
}

/// What to print.
#[derive(Clone, Copy, Default, Debug)]
pub struct PrintOptions<'a> {
    /// Only the function of this symbol (without the `%`), and no header;
    /// nothing when there is none of that name.
    pub func: Option<&'a str>,
    /// How many of the comments.
    pub annotate: Annotate,
}

/// The text of a program, and where its instructions are.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Printed {
    /// The text.
    pub text: String,
    /// The lines, from 1, of each function's instructions, in the order of its layout.
    pub lines: BTreeMap<String, Vec<u32>>,
}

/// The text of a program. Ends with a newline; the same for the same program,
/// always.
pub fn print(program: &Program, options: PrintOptions<'_>) -> String {
    match options.func {
        Some(name) => program.function(name).map(|f| print_function(f, options.annotate)).unwrap_or_default(),
        None => print_lines(program, options.annotate).text,
    }
}

/// The text of a whole program, with its lines: text of any size can be printed, but not all of it read again.
pub fn print_lines(program: &Program, annotate: Annotate) -> Printed {
    let mut out = Printed::default();
    push_header(&mut out.text, program);
    let line = Cell::new(out.text.matches('\n').count() as u32);
    let mut runtime_seen = false;
    let of = |origin| program.functions.iter().filter(move |f| f.origin == origin);
    for f in of(Origin::Program).chain(of(Origin::Runtime)) {
        let mut counting = Counting { text: &mut out.text, line: &line };
        if f.origin == Origin::Runtime && !std::mem::replace(&mut runtime_seen, true) {
            counting.push("\n;! runtime ; functions from here on are the lowering's own\n");
        }
        counting.push("\n");
        out.lines.insert(f.name(), push_function(counting, f, annotate));
    }
    out
}

/// The text of one function with its comments.
pub fn print_function(function: &ProgFunction, annotate: Annotate) -> String {
    let mut text = String::new();
    push_function(Counting { text: &mut text, line: &Cell::default() }, function, annotate);
    text
}

/// Counts the lines that are complete.
struct Counting<'a> {
    text: &'a mut String,
    line: &'a Cell<u32>,
}

impl Counting<'_> {
    fn push(&mut self, text: &str) {
        self.line.set(self.line.get() + text.bytes().filter(|b| *b == b'\n').count() as u32);
        self.text.push_str(text);
    }
}

impl Write for Counting<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text);
        Ok(())
    }
}

/// Gives the lines of its instructions.
fn push_function(mut out: Counting<'_>, function: &ProgFunction, annotate: Annotate) -> Vec<u32> {
    let mut func = function.func.clone();
    // neither has a meaning outside the front end that made them, and both
    // would hide what a person looks for
    func.dfg.resolve_all_aliases();
    func.srclocs.clear();
    func.debug_tags.clear();
    for text in &function.comments.header {
        let mut lines = String::new();
        push_comment_lines(&mut lines, "", text);
        out.push(&lines);
    }
    let mut writer = Commented { function, annotate, line: out.line, lines: vec![] };
    // writing to a string does not fail
    let _ = decorate_function(&mut writer, &mut out, &func);
    writer.lines
}

struct Commented<'a> {
    function: &'a ProgFunction,
    annotate: Annotate,
    /// How many lines are written.
    line: &'a Cell<u32>,
    /// Those of instructions.
    lines: Vec<u32>,
}

impl FuncWriter for Commented<'_> {
    fn write_block_header(&mut self, w: &mut dyn Write, func: &Function, block: Block, indent: usize) -> fmt::Result {
        let Some(comment) = self.function.comments.blocks.get(&block) else {
            return PlainWriter.write_block_header(w, func, block, indent);
        };
        let mut line = String::new();
        PlainWriter.write_block_header(&mut line, func, block, indent)?;
        writeln!(w, "{}  ; {}", line.trim_end(), one_line(comment))
    }

    fn write_instruction(
        &mut self,
        w: &mut dyn Write,
        func: &Function,
        aliases: &SecondaryMap<Value, Vec<Value>>,
        inst: Inst,
        indent: usize,
    ) -> fmt::Result {
        if let (Annotate::Insts, Some(comment)) = (self.annotate, self.function.comments.insts.get(&inst)) {
            let mut lines = String::new();
            push_comment_lines(&mut lines, "    ", comment);
            w.write_str(&lines)?;
        }
        if let Some(types) = self.function.operations.get(&inst) {
            writeln!(w, "    ;! {types}")?;
        }
        if let Some(offsets) = self.function.kept.get(&inst) {
            let offsets: String = offsets.iter().map(|offset| format!(" +{offset}")).collect();
            writeln!(w, "    ;! kept{offsets}")?;
        }
        let mut line = String::new();
        PlainWriter.write_instruction(&mut line, func, aliases, inst, indent)?;
        self.lines.push(self.line.get() + 1);
        // an instruction without operands is written with a space behind it
        writeln!(w, "{}", line.trim_end())
    }
}

/// A comment behind code: without its own lines, and with nothing hidden in it.
fn one_line(text: &str) -> String {
    let words = text.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    clif_cont_output::line(&words).into_owned()
}

fn push_header(out: &mut String, program: &Program) {
    let target = program.target;
    let abi = target.abi;
    let endian = match abi.order {
        ByteOrder::Little => "little",
        ByteOrder::Big => "big",
    };
    let _ = writeln!(out, ";! {} {VERSION}", clif_cont_abi::PROFILE);
    let exceptions = match abi.exceptions {
        Exceptions::None => String::new(),
        convention => format!(" exceptions {}", convention.name()),
    };
    let _ = writeln!(
        out,
        ";! target {} width {} endian {endian} switch {} slot-bits {}{exceptions}",
        target.isa.name(),
        abi.width.bits(),
        abi.switch.name(),
        abi.slot_bits
    );
    for i in &program.imports {
        let (module, name) = (Quoted(&i.module), Quoted(&i.name));
        let _ = writeln!(out, ";! import {module} {name} {}", Types(&i.params, &i.results));
    }
    for e in &program.exports {
        push_export(out, "export", e);
    }
    for e in &program.items {
        push_item(out, e);
    }
    if let Some(e) = &program.init {
        push_export(out, "init", e);
    }
    for (symbol, ty) in &program.tags {
        let _ = writeln!(out, ";! tag %{symbol} {ty}");
    }
    for d in &program.data {
        push_data(out, d);
    }
}

fn push_export(out: &mut String, directive: &str, e: &Export) {
    let _ = write!(out, ";! {directive} {} %{}", Quoted(&e.name), e.function);
    if !e.enter.is_empty() {
        let _ = write!(out, " enter %{}", e.enter);
    }
    let _ = writeln!(out, " {}", Types(&e.params, &e.results));
}

fn push_item(out: &mut String, e: &ItemExport) {
    let (name, symbol) = (Quoted(&e.name), &e.symbol);
    let _ = match &e.item {
        ItemType::Global { ty, mutable } => {
            let mutable = if *mutable { "mutable" } else { "constant" };
            writeln!(out, ";! export global {name} %{symbol} {} {mutable}", ty.name())
        }
        ItemType::Memory => writeln!(out, ";! export memory {name} %{symbol}"),
        ItemType::Table(ty) => writeln!(out, ";! export table {name} %{symbol} {}", ty.name()),
        ItemType::Tag { params, results } => writeln!(out, ";! export tag {name} %{symbol} {}", Types(params, results)),
    };
}

fn push_data(out: &mut String, d: &Data) {
    let access = if d.writable { "writable" } else { "readonly" };
    let _ = write!(out, ";! data %{} {access} size {} align {}", d.name, d.size, d.align);
    match d.comment.as_deref().map(one_line) {
        Some(comment) if !comment.is_empty() => {
            let _ = writeln!(out, " ; {comment}");
        }
        _ => out.push('\n'),
    }
    for (at, line) in item_lines(&d.items) {
        let _ = writeln!(out, ";!   +{at} {line}");
    }
}

/// Zero bytes of this number in a row end a line of bytes.
const ZERO_RUN: usize = 16;
/// Bytes on a line.
const BYTES_A_LINE: usize = 32;

/// The lines of a data symbol's items. How bytes are cut into items does not
/// show: adjoining ones are joined, and long zero runs left out.
fn item_lines(items: &BTreeMap<u64, DataItem>) -> BTreeMap<u64, String> {
    let mut lines = BTreeMap::new();
    let mut run: Option<(u64, Vec<u8>)> = None;
    for (&at, item) in items {
        match item {
            DataItem::Bytes(bytes) => match &mut run {
                Some((start, joined)) if *start + joined.len() as u64 == at => joined.extend(bytes),
                _ => {
                    push_bytes(&mut lines, run.take());
                    run = Some((at, bytes.clone()));
                }
            },
            DataItem::Word(word) => {
                lines.insert(at, format!("word {word:#x}"));
            }
            DataItem::Symbol(name) => {
                lines.insert(at, format!("symbol %{name}"));
            }
        }
    }
    push_bytes(&mut lines, run);
    lines
}

fn push_bytes(lines: &mut BTreeMap<u64, String>, run: Option<(u64, Vec<u8>)>) {
    let Some((base, bytes)) = run else { return };
    let mut at = 0;
    while let Some(skip) = bytes[at..].iter().position(|b| *b != 0) {
        let start = at + skip;
        // the stretch ends where a long zero run, or the end, begins
        let mut end = start;
        let mut zeros = 0;
        for (i, b) in bytes.iter().enumerate().skip(start) {
            if *b != 0 {
                (end, zeros) = (i + 1, 0);
            } else {
                zeros += 1;
                if zeros == ZERO_RUN {
                    break;
                }
            }
        }
        for (i, chunk) in bytes[start..end].chunks(BYTES_A_LINE).enumerate() {
            let hex = chunk.iter().fold(String::from("bytes "), |mut s, b| {
                let _ = write!(s, "{b:02x}");
                s
            });
            lines.insert(base + (start + i * BYTES_A_LINE) as u64, hex);
        }
        at = end;
    }
}

/// A string of the header.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                c if clif_cont_output::is_hidden(c) => write!(f, "{}", c.escape_unicode())?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

/// `(i32, i64) -> (f32)`
struct Types<'a>(&'a [ValType], &'a [ValType]);

impl fmt::Display for Types<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}", List(self.0), List(self.1))
    }
}
