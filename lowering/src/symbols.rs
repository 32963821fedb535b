//! [`SymbolEnv`]: a ready embedder in which everything is a symbol of one
//! statically linked program: `%cc_store`, a word for each tag, a constant
//! table for each resume.

use clif_cont_abi::{Abi, HandlerTable, symbols};
use cranelift_codegen::ir::{ExternalName, FuncRef, Function, GlobalValueData, Inst, InstBuilder, Value};
use cranelift_frontend::FunctionBuilder;

use crate::util::word_type;
use crate::{ContEnv, ContType, Emitted, RuntimeFn, TagId};

/// The address of a symbol, plus `offset` bytes, as a value. One global value
/// serves all uses of it in the function.
pub fn symbol_address(b: &mut FunctionBuilder<'_>, abi: &Abi, symbol: &str, offset: i64) -> Value {
    let data = GlobalValueData::Symbol {
        name: ExternalName::testcase(symbol),
        offset: offset.into(),
        colocated: true,
        tls: false,
    };
    let known = b.func.global_values.iter().find(|(_, known)| match (known, &data) {
        (GlobalValueData::Symbol { name: a, offset: m, .. }, GlobalValueData::Symbol { name: b, offset: n, .. }) => {
            a == b && m == n
        }
        _ => false,
    });
    let gv = match known {
        Some((gv, _)) => gv,
        None => b.create_global_value(data),
    };
    b.ins().symbol_value(word_type(abi), gv)
}

/// A tag: a word of data whose address is the tag's identity.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TagSymbol {
    /// Symbol of the word.
    pub symbol: String,
    /// What the tag carries.
    pub ty: ContType,
}

/// A constant handler table, to be emitted as data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableSymbol {
    /// Symbol of the data.
    pub symbol: String,
    /// Its words in order: symbols of tags, and `None` for 0.
    pub words: Vec<Option<String>>,
}

/// A symbol environment. Everything that it was asked for is recorded, and has
/// to be defined by whoever makes the program: [`SymbolEnv::requested`],
/// [`SymbolEnv::tables`], one word for each tag, and the store context.
#[derive(Clone, Debug)]
pub struct SymbolEnv {
    abi: Abi,
    tags: Vec<TagSymbol>,
    requested: Vec<RuntimeFn>,
    tables: Vec<TableSymbol>,
    function: String,
    tables_of_function: usize,
    operations: Vec<(Inst, Emitted)>,
}

impl SymbolEnv {
    /// Without tags.
    pub fn new(abi: Abi) -> Self {
        let (tags, requested, tables, operations) = Default::default();
        Self { abi, tags, requested, tables, function: String::new(), tables_of_function: 0, operations }
    }

    /// Adds a tag.
    pub fn add_tag(&mut self, symbol: impl Into<String>, ty: ContType) -> TagId {
        self.tags.push(TagSymbol { symbol: symbol.into(), ty });
        TagId(self.tags.len() as u32 - 1)
    }

    /// What follows is emitted into the function of this symbol: its handler
    /// tables are numbered on their own, so that another function's do not
    /// change its text.
    pub fn enter_function(&mut self, symbol: &str) {
        symbol.clone_into(&mut self.function);
        self.tables_of_function = 0;
        self.operations.clear();
    }

    /// The operations that were emitted into the function, in order.
    pub fn operations(&self) -> &[(Inst, Emitted)] {
        &self.operations
    }

    /// The tags, by number.
    pub fn tags(&self) -> &[TagSymbol] {
        &self.tags
    }

    /// Every runtime function that was asked for, in order.
    pub fn requested(&self) -> &[RuntimeFn] {
        &self.requested
    }

    /// The handler tables that were asked for, in order.
    pub fn tables(&self) -> &[TableSymbol] {
        &self.tables
    }

    /// Asks for a runtime function without referring to it.
    pub fn request(&mut self, f: &RuntimeFn) {
        if !self.requested.contains(f) {
            self.requested.push(f.clone());
        }
    }
}

/// The words of a constant handler table, and the offset of the address that
/// code uses: it points between the two lists.
pub fn handler_table_words(abi: &Abi, suspend: &[String], switch: &[String]) -> (Vec<Option<String>>, i64) {
    let mut words = vec![None];
    words.extend(switch.iter().rev().cloned().map(Some));
    let between = words.len() as i64 * i64::from(abi.word()) - i64::from(HandlerTable::SUSPEND.offset(abi));
    words.extend(suspend.iter().cloned().map(Some));
    words.push(None);
    (words, between)
}

impl ContEnv for SymbolEnv {
    fn abi(&self) -> &Abi {
        &self.abi
    }

    fn store(&mut self, b: &mut FunctionBuilder<'_>) -> Value {
        symbol_address(b, &self.abi, symbols::STORE, 0)
    }

    fn tag(&mut self, b: &mut FunctionBuilder<'_>, tag: TagId) -> Value {
        symbol_address(b, &self.abi, &self.tags[tag.0 as usize].symbol, 0)
    }

    fn tag_type(&self, tag: TagId) -> Option<ContType> {
        Some(self.tags.get(tag.0 as usize)?.ty.clone())
    }

    fn runtime(&mut self, func: &mut Function, f: &RuntimeFn) -> FuncRef {
        self.request(f);
        f.declare_in(func, &self.abi)
    }

    fn emitted(&mut self, inst: Inst, operation: Emitted) {
        self.operations.push((inst, operation));
    }

    fn handler_table(&mut self, b: &mut FunctionBuilder<'_>, suspend: &[TagId], switch: &[TagId]) -> Option<Value> {
        let names = |tags: &[TagId]| tags.iter().map(|t| self.tags[t.0 as usize].symbol.clone()).collect::<Vec<_>>();
        let (words, between) = handler_table_words(&self.abi, &names(suspend), &names(switch));
        let symbol = format!("handlers_{}_{}", self.function, self.tables_of_function);
        self.tables_of_function += 1;
        let address = symbol_address(b, &self.abi, &symbol, between);
        self.tables.push(TableSymbol { symbol, words });
        Some(address)
    }
}
