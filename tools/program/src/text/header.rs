//! Parsing the directives into everything of a program but its functions.

use std::collections::{BTreeMap, BTreeSet};

use clif_cont_abi::{ByteOrder, Exceptions, Isa, PROFILE, SwitchModel};

use super::directive::{Cursor, Said};
use super::{ParseError, ParseErrorKind, VERSION};
use crate::{Data, DataItem, Export, HostImport, ItemExport, ItemType, MAX_DATA, Signature, Target};

/// What the directives say.
#[derive(Default)]
pub(super) struct Header {
    /// Were there any directives?
    pub(super) present: bool,
    pub(super) target: Option<Target>,
    pub(super) imports: Vec<HostImport>,
    /// With the line of the directive.
    pub(super) exports: Vec<(Export, u32)>,
    pub(super) items: Vec<(ItemExport, u32)>,
    pub(super) init: Option<(Export, u32)>,
    pub(super) data: Vec<Data>,
    /// By symbol, with the line of the directive.
    pub(super) tags: BTreeMap<String, (Signature, u32)>,
    /// What is said of instructions, with the directive's place, in order. No part of a
    /// header: also where there is none.
    pub(super) operations: Vec<(Said, ParseError)>,
    /// The line of the `runtime` directive.
    pub(super) runtime: Option<u32>,
}

/// The words with which directives of the header begin, and `runtime`.
const DIRECTIVES: [&str; 8] = [PROFILE, "target", "import", "export", "init", "tag", "data", "runtime"];

/// Parses all directives. `functions` has the lines of each function's
/// `function` keyword and (roughly) its end, in order.
pub(super) fn parse(lines: &[&str], first_function: Option<u32>) -> Result<Header, ParseError> {
    let mut header = Header::default();
    let mut names = Names::default();
    for (i, text) in lines.iter().enumerate() {
        let line = i as u32 + 1;
        let Some(mut c) = Cursor::new(text, line) else { continue };
        let begin = c.error("");
        if let Some(said) = c.of_inst()? {
            header.operations.push((said, begin));
            continue;
        }
        let late = first_function.is_some_and(|f| line > f);
        // in a function of a text without a header it may be a misspelt one of an instruction
        if !header.present && (!late || DIRECTIVES.contains(&c.peek_word())) {
            header.present = true;
            version(&mut c)?;
            continue;
        }
        if c.eat("+") {
            data_item(&mut c, &mut header)?;
        } else {
            let name = c.word("a directive")?;
            match name {
                "runtime" if header.runtime.is_some() => return Err(at(begin, "second `runtime`")),
                "runtime" => {
                    c.end()?;
                    header.runtime = Some(line);
                    continue;
                }
                "target" => target(&mut c, &mut header, &begin)?,
                "import" => import(&mut c, &mut header)?,
                "export" => match item(&mut c, &mut names)? {
                    Some(e) => header.items.push((e, line)),
                    None => {
                        let e = export(&mut c, &mut names)?;
                        header.exports.push((e, line));
                    }
                },
                "init" if header.init.is_some() => return Err(at(begin, "second `init`")),
                "init" => header.init = Some((export(&mut c, &mut Names::default())?, line)),
                "tag" => tag(&mut c, &mut header, line)?,
                "data" => data(&mut c, &mut header, &mut names)?,
                _ => {
                    return Err(at(
                        begin,
                        format!(
                            "unknown directive `{name}`; there are: target, import, export, init, tag, data, runtime, \
                             +OFFSET behind data, and above an instruction cont.bind, resume, resume_throw, switch, kept"
                        ),
                    ));
                }
            }
        }
        if late {
            let message = "only `runtime` and what is said of an instruction may stand behind the first function";
            return Err(at(begin, message));
        }
    }
    if header.present && header.target.is_none() {
        let line = lines.iter().position(|l| Cursor::new(l, 1).is_some()).unwrap_or(0) as u32 + 1;
        return Err(ParseError {
            line,
            column: 1,
            message: "the header has no `;! target`".into(),
            kind: ParseErrorKind::Invalid,
        });
    }
    Ok(header)
}

#[derive(Default)]
struct Names {
    exports: BTreeSet<String>,
    data: BTreeSet<String>,
}

fn at(place: ParseError, message: impl Into<String>) -> ParseError {
    ParseError { message: message.into(), ..place }
}

fn version(c: &mut Cursor<'_>) -> Result<(), ParseError> {
    let begin = c.error(format!("the first directive has to be `;! {PROFILE} {VERSION}`"));
    if !c.eat_keyword(PROFILE) {
        return Err(begin);
    }
    let place = c.error("");
    let version = c.number("the version")?;
    if version != u64::from(VERSION) {
        return Err(at(place, format!("version {version} of the format; this program reads version {VERSION}")));
    }
    c.end().map(|_| ())
}

fn target(c: &mut Cursor<'_>, header: &mut Header, begin: &ParseError) -> Result<(), ParseError> {
    if header.target.is_some() {
        return Err(at(begin.clone(), "second `target`"));
    }
    let isa = c.choice("an ISA", Isa::from_name)?;
    c.keyword("width")?;
    let place = c.error("");
    let width = c.number("the pointer width")?;
    if width != u64::from(isa.width().bits()) {
        return Err(at(place, format!("the pointer width of {} is {}", isa.name(), isa.width().bits())));
    }
    c.keyword("endian")?;
    let place = c.error("");
    let order = c.choice("`little` or `big`", |w| match w {
        "little" => Some(ByteOrder::Little),
        "big" => Some(ByteOrder::Big),
        _ => None,
    })?;
    if order != isa.order() {
        return Err(at(place, format!("{} has the other byte order", isa.name())));
    }
    c.keyword("switch")?;
    let place = c.error("");
    let switch = c.choice("a switch model: instruction, routine or hostcall", SwitchModel::from_name)?;
    let mut target = Target::with_switch(isa, switch)
        .ok_or_else(|| at(place, format!("{} has no switch model `{}`", isa.name(), switch.name())))?;
    c.keyword("slot-bits")?;
    let bits = c.choice("the logarithm of the slot size, from 16 to 30", |w| {
        w.parse().ok().filter(|b| (16..=30).contains(b))
    })?;
    target.abi.slot_bits = bits;
    if c.eat_keyword("exceptions") {
        target.abi.exceptions = c.choice("a convention for exceptions: none or extra-result", Exceptions::from_name)?;
    }
    c.end()?;
    header.target = Some(target);
    Ok(())
}

fn import(c: &mut Cursor<'_>, header: &mut Header) -> Result<(), ParseError> {
    let module = c.string("the module")?;
    let name = c.string("the name")?;
    let (params, results) = c.types()?;
    c.end()?;
    header.imports.push(HostImport { module, name, params, results });
    Ok(())
}

/// The rest of an export that is no function; `None` for a function.
fn item(c: &mut Cursor<'_>, names: &mut Names) -> Result<Option<ItemExport>, ParseError> {
    const KINDS: [&str; 4] = ["global", "memory", "table", "tag"];
    let Some(kind) = KINDS.into_iter().find(|kind| c.eat_keyword(kind)) else { return Ok(None) };
    let place = c.error("");
    let name = c.string("the name")?;
    if !names.exports.insert(name.clone()) {
        return Err(at(place, format!("second export `{name}`")));
    }
    let symbol = c.symbol("the data")?;
    let item = match kind {
        "global" => {
            let ty = c.val_type()?;
            let mutable = c.choice("`mutable` or `constant`", |w| match w {
                "mutable" => Some(true),
                "constant" => Some(false),
                _ => None,
            })?;
            ItemType::Global { ty, mutable }
        }
        "memory" => ItemType::Memory,
        "table" => ItemType::Table(c.val_type()?),
        _ => {
            let (params, results) = c.types()?;
            ItemType::Tag { params, results }
        }
    };
    c.end()?;
    Ok(Some(ItemExport { name, symbol, item }))
}

fn export(c: &mut Cursor<'_>, names: &mut Names) -> Result<Export, ParseError> {
    let place = c.error("");
    let name = c.string("the name")?;
    if !names.exports.insert(name.clone()) {
        return Err(at(place, format!("second export `{name}`")));
    }
    let function = c.symbol("the function")?;
    let enter = if c.eat_keyword("enter") { c.symbol("the entry trampoline")? } else { String::new() };
    let (params, results) = c.types()?;
    c.end()?;
    Ok(Export { name, function, enter, params, results })
}

fn tag(c: &mut Cursor<'_>, header: &mut Header, line: u32) -> Result<(), ParseError> {
    let place = c.error("");
    let symbol = c.symbol("the tag")?;
    let ty = c.signature()?;
    c.end()?;
    if header.tags.contains_key(&symbol) {
        return Err(at(place, format!("second type of the tag %{symbol}")));
    }
    header.tags.insert(symbol, (ty, line));
    Ok(())
}

fn data(c: &mut Cursor<'_>, header: &mut Header, names: &mut Names) -> Result<(), ParseError> {
    let place = c.error("");
    let name = c.symbol("the data")?;
    if !names.data.insert(name.clone()) {
        return Err(at(place, format!("second definition of %{name}")));
    }
    let writable = c.choice("`writable` or `readonly`", |w| match w {
        "writable" => Some(true),
        "readonly" => Some(false),
        _ => None,
    })?;
    c.keyword("size")?;
    let place = c.error("");
    let size = c.number("the size")?;
    let before = header.data.iter().map(|d| d.size).sum::<u64>();
    if size > MAX_DATA - before {
        return Err(at(place, format!("a program may have {MAX_DATA} bytes of data, and has {before} already")));
    }
    c.keyword("align")?;
    let align = c.choice("an alignment: a power of two up to 65536", |w| {
        w.parse::<u32>().ok().filter(|a| a.is_power_of_two() && *a <= 65536)
    })?;
    let comment = c.end()?;
    header.data.push(Data { name, writable, align, size, items: BTreeMap::new(), comment });
    Ok(())
}

fn data_item(c: &mut Cursor<'_>, header: &mut Header) -> Result<(), ParseError> {
    let place = c.error("");
    let offset = c.number("an offset")?;
    let item = match c.word("`word`, `symbol` or `bytes`")? {
        "word" => DataItem::Word(c.number("a word")?),
        "symbol" => DataItem::Symbol(c.symbol("a symbol")?),
        "bytes" => DataItem::Bytes(c.choice("pairs of hexadecimal digits", hex_bytes)?),
        other => return Err(at(place, format!("unknown data item `{other}`; there are: word, symbol, bytes"))),
    };
    c.end()?;
    let word = header.target.map(|t| u64::from(t.abi.width.bytes()));
    let Some(word) = word else { return Err(at(place, "`target` has to stand before data")) };
    let Some(data) = header.data.last_mut() else { return Err(at(place, "a data item without data before it")) };
    let free = data.items.last_key_value().map_or(0, |(at, last)| at + item_len(last, word));
    if offset < free {
        return Err(at(place, format!("the item at {offset} is not behind the one before it, which ends at {free}")));
    }
    if offset.checked_add(item_len(&item, word)).is_none_or(|end| end > data.size) {
        return Err(at(place, format!("the item reaches beyond the size of %{}, {} bytes", data.name, data.size)));
    }
    data.items.insert(offset, item);
    Ok(())
}

fn item_len(item: &DataItem, word: u64) -> u64 {
    match item {
        DataItem::Bytes(bytes) => bytes.len() as u64,
        DataItem::Word(_) | DataItem::Symbol(_) => word,
    }
}

fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect::<Option<_>>()?;
    let pairs = digits.chunks_exact(2);
    pairs.remainder().is_empty().then(|| pairs.map(|p| p[0] << 4 | p[1]).collect())
}
