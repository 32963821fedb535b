//! The name section: what the author called things. A malformed section is
//! ignored from there on, as the specification asks.

use std::collections::HashMap;

use wasmparser::{BinaryReader, IndirectNameMap, Name, NameMap, NameSectionReader};

type Names<'a> = HashMap<u32, &'a str>;

/// The names of a module's items, by index.
#[derive(Clone, Default, Debug)]
pub(crate) struct NameSection<'a> {
    pub(crate) funcs: Names<'a>,
    pub(crate) types: Names<'a>,
    pub(crate) globals: Names<'a>,
    pub(crate) tags: Names<'a>,
    labels: HashMap<u32, Names<'a>>,
}

impl<'a> NameSection<'a> {
    /// Reads as much as is well-formed.
    pub(crate) fn read(reader: BinaryReader<'a>) -> Self {
        let mut names = Self::default();
        for name in NameSectionReader::new(reader) {
            let Ok(name) = name else { break };
            match name {
                Name::Function(map) => names.funcs = direct(map),
                Name::Type(map) => names.types = direct(map),
                Name::Global(map) => names.globals = direct(map),
                Name::Tag(map) => names.tags = direct(map),
                Name::Label(map) => names.labels = indirect(map),
                _ => {}
            }
        }
        names
    }

    /// The name of the `label`-th block of a function.
    pub(crate) fn label(&self, func: u32, label: u32) -> Option<&'a str> {
        self.labels.get(&func)?.get(&label).copied()
    }
}

fn direct(map: NameMap<'_>) -> Names<'_> {
    map.into_iter().map_while(|n| n.ok()).map(|n| (n.index, n.name)).collect()
}

fn indirect(map: IndirectNameMap<'_>) -> HashMap<u32, Names<'_>> {
    map.into_iter().map_while(|n| n.ok()).map(|n| (n.index, direct(n.names))).collect()
}

/// Text that is safe in a comment: one line, nothing hidden.
pub(crate) fn printable(name: &str) -> String {
    clif_cont_output::line(name).into_owned()
}
