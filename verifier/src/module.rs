//! The module around a function, as far as rules look at it: constant data,
//! which is where handler tables are, and the types of tags and operations.
//!
//! ```
//! use clif_cont_verifier::{Module, Passed, PassedTypes, Word};
//!
//! // one suspend handler; the address between the lists is 8
//! let mut module = Module::default();
//! module.add_constant("handlers_f_0", 3, [(1, Word::Address("tag_0".into()))]);
//! // its tag sends an i32
//! module.add_tag("tag_0", PassedTypes { params: vec![Passed::Bytes(4)], results: vec![] });
//! ```

use cranelift_codegen::ir::Inst;
use rustc_hash::FxHashMap;

use crate::types::{OperationTypes, PassedTypes};

/// A word of constant data, as wide as the profile's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Word {
    /// All bits are 0.
    Zero,
    /// The address of this symbol, which is never 0.
    Address(String),
    /// Anything else.
    Other,
}

/// What is known of a data symbol.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Data {
    /// So many words; those that are not listed are 0.
    Constant(u64, FxHashMap<u64, Word>),
    Writable,
}

impl Data {
    /// A word, at an offset in words; none where nothing is known of it.
    fn word(&self, at: i64) -> Option<&Word> {
        static ZERO: Word = Word::Zero;
        let (Self::Constant(len, words), Ok(at)) = (self, u64::try_from(at)) else { return None };
        (at < *len).then(|| words.get(&at).unwrap_or(&ZERO))
    }
}

/// What is known of a function's operations, by the instruction that stands for each.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct FunctionTypes {
    types: FxHashMap<Inst, OperationTypes>,
    kept: FxHashMap<Inst, Vec<i32>>,
}

impl FunctionTypes {
    /// The types of an operation.
    pub(crate) fn of(&self, inst: Inst) -> Option<&OperationTypes> {
        self.types.get(&inst)
    }

    /// Does the operation hand over what was loaded from there?
    pub(crate) fn is_kept(&self, inst: Inst, offset: i32) -> bool {
        self.kept.get(&inst).is_some_and(|kept| kept.contains(&offset))
    }
}

/// The data and the types of a module. What is left out is not known.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Module {
    data: FxHashMap<String, Data>,
    tags: FxHashMap<String, PassedTypes>,
    host: Vec<PassedTypes>,
    operations: FxHashMap<String, FunctionTypes>,
}

/// A handler table of a module.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Table {
    /// Both lists end; so many suspend handlers.
    Suspends(u64),
    /// There is no such table, or it has no ends: the reason.
    Broken(&'static str),
    /// The module says nothing of this symbol.
    Unknown,
}

impl Module {
    /// Data that nobody writes: how many words it has, without a last part of one, and those
    /// that are not 0, by their place.
    pub fn add_constant(&mut self, symbol: impl Into<String>, len: u64, words: impl IntoIterator<Item = (u64, Word)>) {
        self.data.insert(symbol.into(), Data::Constant(len, words.into_iter().collect()));
    }

    /// Data that a program may write to.
    pub fn add_writable(&mut self, symbol: impl Into<String>) {
        self.data.insert(symbol.into(), Data::Writable);
    }

    /// The type of the tag whose address is that of a symbol.
    pub fn add_tag(&mut self, symbol: impl Into<String>, types: PassedTypes) {
        self.tags.insert(symbol.into(), types);
    }

    /// The type of the host's next function: they are added in the order of their
    /// numbers.
    pub fn add_host_function(&mut self, types: PassedTypes) {
        self.host.push(types);
    }

    /// The types of an operation of a function: of a `cont.bind` at the store that
    /// consumes the object, of any other at its switch.
    pub fn add_operation(&mut self, function: &str, inst: Inst, types: OperationTypes) {
        self.operations.entry(function.to_owned()).or_default().types.insert(inst, types);
    }

    /// At this offset in the ContRef an operation hands over the value that the function
    /// has loaded from there. An optimiser removes a store that changes nothing; where
    /// it is not said that one was removed, its absence is a fault.
    pub fn add_kept(&mut self, function: &str, inst: Inst, offset: i32) {
        self.operations.entry(function.to_owned()).or_default().kept.entry(inst).or_default().push(offset);
    }

    /// A tag's type.
    pub(crate) fn tag(&self, symbol: &str) -> Option<&PassedTypes> {
        self.tags.get(symbol)
    }

    /// The type of a function of the host.
    pub(crate) fn host_function(&self, number: u64) -> Option<&PassedTypes> {
        self.host.get(usize::try_from(number).ok()?)
    }

    /// Does it know the host's functions?
    pub(crate) fn has_host(&self) -> bool {
        !self.host.is_empty()
    }

    /// Does it know the program's tags?
    pub(crate) fn has_tags(&self) -> bool {
        !self.tags.is_empty()
    }

    /// A word of constant data, at an offset in words; none where nothing is known of
    /// it.
    pub(crate) fn word(&self, symbol: &str, at: i64) -> Option<&Word> {
        self.data.get(symbol)?.word(at)
    }

    /// May a program write to it?
    pub(crate) fn is_writable(&self, symbol: &str) -> bool {
        self.data.get(symbol) == Some(&Data::Writable)
    }

    /// Is it the symbol of data?
    pub(crate) fn is_data(&self, symbol: &str) -> bool {
        self.data.contains_key(symbol)
    }

    /// The types of a function's operations; none where it has none.
    pub(crate) fn operations(&self, function: &str) -> Option<&FunctionTypes> {
        self.operations.get(function)
    }

    /// The tags of the suspend handlers in a table, whose list begins so many words
    /// behind the beginning of the symbol; none where there is no such list.
    pub(crate) fn suspend_tags(&self, symbol: &str, first: i64) -> Option<Vec<&str>> {
        let data = self.data.get(symbol)?;
        data.word(first)?;
        let tags = (first..).map_while(|at| match data.word(at)? {
            Word::Address(tag) => Some(tag.as_str()),
            _ => None,
        });
        Some(tags.collect())
    }

    /// The table at an offset of a symbol, in words, with its lists' first
    /// entries at `suspend` and `switch` words from there.
    pub(crate) fn table(&self, symbol: &str, at: i64, suspend: i64, switch: i64) -> Table {
        let data = match self.data.get(symbol) {
            None => return Table::Unknown,
            Some(Data::Writable) => return Table::Broken("the installed handler table can be written to"),
            Some(data) => data,
        };
        let length = |mut at: i64, step: i64| {
            let mut n = 0;
            loop {
                match data.word(at) {
                    Some(Word::Zero) => return Some(n),
                    Some(Word::Address(_)) => n += 1,
                    Some(Word::Other) | None => return None,
                }
                at += step;
            }
        };
        match (length(at + suspend, 1), length(at + switch, -1)) {
            (Some(n), Some(_)) => Table::Suspends(n),
            _ => Table::Broken("the installed handler table is none: its lists are not tags up to a 0"),
        }
    }
}
