//! The module around a function, as far as rules look at it: constant data,
//! which is where handler tables are.
//!
//! ```
//! use clif_cont_verifier::{Module, Word};
//!
//! // one suspend handler; the address between the lists is 8
//! let mut module = Module::default();
//! module.add_constant("handlers_f_0", vec![Word::Zero, Word::Address, Word::Zero]);
//! ```

use std::collections::HashMap;

/// A word of constant data, as wide as the profile's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Word {
    /// All bits are 0.
    Zero,
    /// The address of a symbol, which is never 0.
    Address,
    /// Anything else.
    Other,
}

/// What is known of a data symbol.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Data {
    Constant(Vec<Word>),
    Writable,
}

/// The data of a module.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Module {
    data: HashMap<String, Data>,
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
    /// Data that nobody writes: its words in order. A last part of a word is to
    /// be left out.
    pub fn add_constant(&mut self, symbol: impl Into<String>, words: Vec<Word>) {
        self.data.insert(symbol.into(), Data::Constant(words));
    }

    /// Data that a program may write to.
    pub fn add_writable(&mut self, symbol: impl Into<String>) {
        self.data.insert(symbol.into(), Data::Writable);
    }

    /// The table at an offset of a symbol, in words, with its lists' first
    /// entries at `suspend` and `switch` words from there.
    pub(crate) fn table(&self, symbol: &str, at: i64, suspend: i64, switch: i64) -> Table {
        let words = match self.data.get(symbol) {
            None => return Table::Unknown,
            Some(Data::Writable) => return Table::Broken("the installed handler table can be written to"),
            Some(Data::Constant(words)) => words,
        };
        let length = |mut at: i64, step: i64| {
            let mut n = 0;
            loop {
                match usize::try_from(at).ok().and_then(|i| words.get(i)) {
                    Some(Word::Zero) => return Some(n),
                    Some(Word::Address) => n += 1,
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
