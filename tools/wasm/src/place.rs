//! From an offset in a binary module back to a place in the text it was made
//! from. It is only walked for an error, and gives nothing where it is unsure.
//!
//! No debug information is needed: the n-th operator of the k-th function with
//! a body is the n-th instruction of the k-th such function of the text, and
//! declarations of one kind come in one order in both. (What the text format
//! adds behind them, types of inline signatures above all, is in neither.)

use wasmparser::{FromReader, Parser, Payload, SectionLimited};
use wast::Wat;
use wast::core::{FuncKind, GlobalKind, MemoryKind, ModuleField, ModuleKind, TableKind, TagKind};
use wast::parser::{self, ParseBuffer};
use wast::token::Span;

/// What an offset points into.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Item {
    /// A recursion group, or a type on its own.
    Type(usize),
    Import(usize),
    /// The declaration of a function with a body.
    Func(usize),
    Table(usize),
    Memory(usize),
    Tag(usize),
    Global(usize),
    /// An operator of a function with a body.
    Operator(usize, usize),
}

/// The place of what is at `offset` of `binary`, which `text` encodes to.
pub(crate) fn locate(binary: &[u8], text: &str, offset: u64) -> Option<Span> {
    let item = item_at(binary, offset)?;
    let mut buffer = ParseBuffer::new(text).ok()?;
    buffer.track_instr_spans(true);
    let Wat::Module(module) = parser::parse::<Wat<'_>>(&buffer).ok()? else { return None };
    let ModuleKind::Text(fields) = &module.kind else { return None };
    let find = |n: usize, of: &dyn Fn(&ModuleField<'_>) -> Option<Span>| fields.iter().filter_map(of).nth(n);
    match item {
        Item::Type(n) => find(n, &|f| match f {
            ModuleField::Type(t) => Some(t.span),
            ModuleField::Rec(r) => Some(r.span),
            _ => None,
        }),
        Item::Import(n) => find(n, &imported),
        Item::Func(n) => find(n, &|f| match f {
            ModuleField::Func(f) if matches!(f.kind, FuncKind::Inline { .. }) => Some(f.span),
            _ => None,
        }),
        Item::Table(n) => find(n, &|f| match f {
            ModuleField::Table(t) if !matches!(t.kind, TableKind::Import { .. }) => Some(t.span),
            _ => None,
        }),
        Item::Memory(n) => find(n, &|f| match f {
            ModuleField::Memory(m) if !matches!(m.kind, MemoryKind::Import { .. }) => Some(m.span),
            _ => None,
        }),
        Item::Tag(n) => find(n, &|f| match f {
            ModuleField::Tag(t) if !matches!(t.kind, TagKind::Import(_)) => Some(t.span),
            _ => None,
        }),
        Item::Global(n) => find(n, &|f| match f {
            ModuleField::Global(g) if !matches!(g.kind, GlobalKind::Import(_)) => Some(g.span),
            _ => None,
        }),
        Item::Operator(function, operator) => {
            let mut bodies = fields.iter().filter_map(|f| match f {
                ModuleField::Func(f) => match &f.kind {
                    FuncKind::Inline { expression, .. } => Some((f.span, expression)),
                    FuncKind::Import(..) => None,
                },
                _ => None,
            });
            let (span, body) = bodies.nth(function)?;
            let operator = body.instr_spans.as_ref().and_then(|spans| spans.get(operator).copied());
            Some(operator.unwrap_or(span))
        }
    }
}

/// The place of an import, on its own or inside of what is imported.
fn imported(field: &ModuleField<'_>) -> Option<Span> {
    match field {
        ModuleField::Import(i) => Some(i.span),
        ModuleField::Func(f) if matches!(f.kind, FuncKind::Import(..)) => Some(f.span),
        ModuleField::Table(t) if matches!(t.kind, TableKind::Import { .. }) => Some(t.span),
        ModuleField::Memory(m) if matches!(m.kind, MemoryKind::Import { .. }) => Some(m.span),
        ModuleField::Global(g) if matches!(g.kind, GlobalKind::Import(_)) => Some(g.span),
        ModuleField::Tag(t) if matches!(t.kind, TagKind::Import(_)) => Some(t.span),
        _ => None,
    }
}

/// What contains the offset.
fn item_at(binary: &[u8], offset: u64) -> Option<Item> {
    let mut function = 0;
    for payload in Parser::new(0).parse_all(binary) {
        // a parser that failed goes no further
        let found = match payload.ok()? {
            Payload::TypeSection(s) => index_at(s, offset).map(Item::Type),
            Payload::ImportSection(s) => index_at(s, offset).map(Item::Import),
            Payload::FunctionSection(s) => index_at(s, offset).map(Item::Func),
            Payload::TableSection(s) => index_at(s, offset).map(Item::Table),
            Payload::MemorySection(s) => index_at(s, offset).map(Item::Memory),
            Payload::TagSection(s) => index_at(s, offset).map(Item::Tag),
            Payload::GlobalSection(s) => index_at(s, offset).map(Item::Global),
            Payload::CodeSectionEntry(body) => {
                function += 1;
                match body.range().contains(&offset) {
                    true => Some(operator_at(&body, function - 1, offset)?),
                    false => None,
                }
            }
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// The index of the section's item that contains the offset.
fn index_at<'a, T: FromReader<'a>>(section: SectionLimited<'a, T>, offset: u64) -> Option<usize> {
    if !section.range().contains(&offset) {
        return None;
    }
    let starts = section.into_iter_with_offsets().map_while(|item| item.ok()).map(|(start, _)| start);
    starts.take_while(|start| *start <= offset).count().checked_sub(1)
}

fn operator_at(body: &wasmparser::FunctionBody<'_>, function: usize, offset: u64) -> Option<Item> {
    let mut operators = body.get_operators_reader().ok()?;
    if offset < operators.original_position() {
        return Some(Item::Func(function));
    }
    let mut n = 0;
    while !operators.eof() {
        operators.read().ok()?;
        if operators.original_position() > offset {
            return Some(Item::Operator(function, n));
        }
        n += 1;
    }
    None
}
