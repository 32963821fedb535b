//! The surroundings of one function under translation: what it refers to, by
//! symbol and each declared once, in the order of first use. Also the embedder
//! that the continuation builders ask.

use std::collections::{BTreeMap, HashMap};

use clif_cont_abi::{Abi, Exceptions, symbols};
use clif_cont_lowering::{ContEnv, ContType, Emitted, LowerError, RuntimeFn, TagId, frontend_config, return_exception};
use clif_cont_program::{Data, DataItem, HostImport, Target, ValType};
use cranelift_codegen::ir::immediates::Imm64;
use cranelift_codegen::ir::{
    AbiParam, Block, ExtFuncData, ExternalName, FuncRef, Function, GlobalValue, GlobalValueData, Inst, InstBuilder,
    MemFlagsData, SigRef, Signature, Type, Value, types,
};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::FunctionBuilder;

use crate::exception;
use crate::helper::Helper;
use crate::layout::Symbols;
use crate::link::Link;
use crate::module::Module;
use crate::types::Sig;

/// What all functions of an instance share.
#[derive(Clone, Copy)]
pub(crate) struct Shared<'m> {
    pub(crate) module: &'m Module<'m>,
    pub(crate) symbols: &'m Symbols,
    /// The symbols of all instances.
    pub(crate) all: &'m [Symbols],
    /// The host's functions, by index.
    pub(crate) imports: &'m [HostImport],
    pub(crate) target: Target,
}

impl Shared<'_> {
    /// The type of a word.
    pub(crate) fn word(&self) -> Type {
        match self.target.abi.width {
            clif_cont_abi::PointerWidth::W32 => types::I32,
            clif_cont_abi::PointerWidth::W64 => types::I64,
        }
    }

    /// The CLIF types of a list of values.
    pub(crate) fn flat(&self, list: &[ValType]) -> Vec<Type> {
        list.iter().flat_map(|t| t.clif(&self.target.abi)).copied().collect()
    }

    /// What the continuation builders call the type of a function.
    pub(crate) fn cont_type(&self, sig: &Sig) -> ContType {
        ContType::new(self.flat(&sig.params), self.flat(&sig.results))
    }

    /// Do the program's functions say in their first result whether they threw?
    pub(crate) fn throws(&self) -> bool {
        self.target.abi.exceptions == Exceptions::ExtraResult
    }

    /// The signature of a program's function.
    pub(crate) fn signature(&self, sig: &Sig) -> Signature {
        let mut signature = Signature::new(CallConv::Tail);
        signature.params.extend(self.flat(&sig.params).into_iter().map(AbiParam::new));
        signature.returns.extend(self.throws().then(|| AbiParam::new(self.word())));
        signature.returns.extend(self.flat(&sig.results).into_iter().map(AbiParam::new));
        signature
    }

    /// Bytes of a table element or other value in static data.
    pub(crate) fn size(&self, ty: ValType) -> u32 {
        ty.clif(&self.target.abi).iter().map(|t| t.bytes()).sum()
    }
}

/// The surroundings of one function.
pub(crate) struct Env<'m, 'l> {
    pub(crate) shared: Shared<'m>,
    pub(crate) link: &'l mut Link,
    /// Index of the function, for what is named after it; `None` for functions
    /// that are not the module's.
    func: Option<u32>,
    globals: HashMap<String, GlobalValue>,
    funcs: HashMap<String, FuncRef>,
    sigs: HashMap<Signature, SigRef>,
    tables: u32,
    /// The instruction that stands for the operation emitted last.
    pub(crate) emitted: Option<Inst>,
    /// Where an exception goes that is raised now: the innermost last. Empty
    /// where it goes to the caller at once.
    catchers: Vec<Catcher>,
}

/// A block that takes an exception.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Catcher {
    pub(crate) block: Block,
    /// Does anything go there?
    pub(crate) used: bool,
}

impl<'m, 'l> Env<'m, 'l> {
    /// For a function in which nothing is declared yet.
    pub(crate) fn new(shared: Shared<'m>, link: &'l mut Link, func: Option<u32>) -> Self {
        let (globals, funcs, sigs) = Default::default();
        Self { shared, link, func, globals, funcs, sigs, tables: 0, emitted: None, catchers: vec![] }
    }

    /// The address of a data symbol.
    pub(crate) fn symbol(&mut self, b: &mut FunctionBuilder<'_>, name: &str) -> Value {
        let global = match self.globals.get(name) {
            Some(global) => *global,
            None => {
                let global = b.create_global_value(GlobalValueData::Symbol {
                    name: ExternalName::testcase(name),
                    offset: Imm64::new(0),
                    colocated: true,
                    tls: false,
                });
                self.globals.insert(name.to_owned(), global);
                global
            }
        };
        b.ins().symbol_value(self.shared.word(), global)
    }

    /// A signature.
    pub(crate) fn sig(&mut self, func: &mut Function, signature: Signature) -> SigRef {
        *self.sigs.entry(signature).or_insert_with_key(|s| func.import_signature(s.clone()))
    }

    /// A function of the link set.
    fn named(&mut self, func: &mut Function, name: String, signature: Signature) -> FuncRef {
        if let Some(found) = self.funcs.get(&name) {
            return *found;
        }
        let signature = self.sig(func, signature);
        let data = ExtFuncData { name: ExternalName::testcase(&name), signature, colocated: true, patchable: false };
        let declared = func.import_function(data);
        self.funcs.insert(name, declared);
        declared
    }

    /// A function of the module.
    pub(crate) fn func(&mut self, func: &mut Function, index: u32) -> FuncRef {
        let signature = self.shared.signature(&self.shared.module.funcs[index as usize].sig);
        self.named(func, self.shared.symbols.func(index), signature)
    }

    /// A helper.
    pub(crate) fn helper(&mut self, func: &mut Function, helper: Helper) -> FuncRef {
        self.link.helpers.insert(helper);
        self.link.exception_heap |= matches!(helper, Helper::ExceptionAlloc | Helper::ObjectAlloc);
        let signature = helper.signature(&self.shared);
        self.named(func, helper.name(), signature)
    }

    /// The address of a function's descriptor: a reference to it.
    pub(crate) fn descriptor(&mut self, b: &mut FunctionBuilder<'_>, index: u32) -> Value {
        self.link.descriptors.insert(self.shared.module.funcs[index as usize].addr);
        let name = self.shared.symbols.descriptor(index);
        self.symbol(b, &name)
    }

    /// What is raised from here on goes to a new block, which takes it.
    pub(crate) fn push_catcher(&mut self, b: &mut FunctionBuilder<'_>) -> Block {
        let block = b.create_block();
        b.append_block_param(block, self.shared.word());
        b.set_cold_block(block);
        self.catchers.push(Catcher { block, used: false });
        block
    }

    /// What is raised from here on goes where it went before. The block is the
    /// caller's to fill, if it is used.
    pub(crate) fn pop_catcher(&mut self) -> Option<Catcher> {
        self.catchers.pop()
    }

    /// Raises the exception where `exn` is not 0; goes on in a new block.
    pub(crate) fn raise_if(&mut self, b: &mut FunctionBuilder<'_>, exn: Value) {
        let next = b.create_block();
        match self.catchers.last_mut() {
            Some(catcher) => {
                catcher.used = true;
                b.ins().brif(exn, catcher.block, &[exn.into()], next, &[]);
            }
            None => {
                let escaped = b.create_block();
                b.set_cold_block(escaped);
                b.ins().brif(exn, escaped, &[], next, &[]);
                b.seal_block(escaped);
                b.switch_to_block(escaped);
                self.raise(b, exn);
            }
        }
        b.seal_block(next);
        b.switch_to_block(next);
    }

    /// Returns normally.
    pub(crate) fn return_(&mut self, b: &mut FunctionBuilder<'_>, values: &[Value]) {
        if !self.shared.throws() {
            b.ins().return_(values);
            return;
        }
        let none = b.ins().iconst(self.shared.word(), 0);
        let values: Vec<Value> = std::iter::once(none).chain(values.iter().copied()).collect();
        b.ins().return_(&values);
    }

    /// The settings that `FunctionBuilder` needs for library calls.
    pub(crate) fn frontend_config(&self) -> cranelift_codegen::isa::TargetFrontendConfig {
        frontend_config(&self.shared.target.abi)
    }
}

impl ContEnv for Env<'_, '_> {
    fn abi(&self) -> &Abi {
        &self.shared.target.abi
    }

    fn store(&mut self, b: &mut FunctionBuilder<'_>) -> Value {
        self.symbol(b, symbols::STORE)
    }

    fn tag(&mut self, b: &mut FunctionBuilder<'_>, tag: TagId) -> Value {
        let name = self.shared.symbols.tag(tag.0);
        self.symbol(b, &name)
    }

    fn tag_type(&self, tag: TagId) -> Option<ContType> {
        Some(self.shared.cont_type(&self.shared.module.tags.get(tag.0 as usize)?.sig))
    }

    fn runtime(&mut self, func: &mut Function, f: &RuntimeFn) -> FuncRef {
        let name = f.name();
        if let Some(found) = self.funcs.get(&name) {
            return *found;
        }
        let declared = f.declare_in(func, &self.shared.target.abi);
        self.link.runtime.insert(name.clone(), f.clone());
        self.funcs.insert(name, declared);
        declared
    }

    fn raise(&mut self, b: &mut FunctionBuilder<'_>, exn: Value) {
        if let Some(catcher) = self.catchers.last_mut() {
            catcher.used = true;
            b.ins().jump(catcher.block, &[exn.into()]);
            return;
        }
        return_exception(b, exn);
    }

    fn new_exception(&mut self, b: &mut FunctionBuilder<'_>, tag: TagId, args: &[Value]) -> Result<Value, LowerError> {
        let alloc = self.helper(b.func, Helper::ExceptionAlloc);
        let (offsets, size) = exception::layout(args.iter().map(|v| b.func.dfg.value_type(*v)));
        let size = b.ins().iconst(self.shared.word(), size);
        let call = b.ins().call(alloc, &[size]);
        let exn = b.inst_results(call)[0];
        let tag = self.tag(b, tag);
        b.ins().store(MemFlagsData::trusted(), tag, exn, exception::TAG);
        for (offset, value) in offsets.into_iter().zip(args) {
            b.ins().store(MemFlagsData::trusted(), *value, exn, offset);
        }
        Ok(exn)
    }

    fn emitted(&mut self, inst: Inst, _: Emitted) {
        // what its types are in WebAssembly says more
        self.emitted = Some(inst);
    }

    fn handler_table(&mut self, b: &mut FunctionBuilder<'_>, suspend: &[TagId], switch: &[TagId]) -> Option<Value> {
        let (symbols, abi) = (self.shared.symbols, self.shared.target.abi);
        let name = symbols.handlers(self.func?, self.tables);
        self.tables += 1;
        let word = u64::from(abi.width.bytes());
        // from the low end: 0, the switch list backwards; then the suspend list, 0
        let tag = |t: &TagId| DataItem::Symbol(symbols.tag(t.0));
        let zero = || DataItem::Word(0);
        let entries = std::iter::once(zero())
            .chain(switch.iter().rev().map(tag))
            .chain(suspend.iter().map(tag))
            .chain(std::iter::once(zero()));
        let items: BTreeMap<u64, DataItem> = entries.enumerate().map(|(i, e)| (i as u64 * word, e)).collect();
        let list = |tags: &[TagId]| tags.iter().map(|t| self.shared.module.tag_name(t.0)).collect::<Vec<_>>();
        let mut comment = list(suspend);
        comment.extend(list(switch).into_iter().map(|t| format!("{t} switch")));
        self.link.handlers.push(Data {
            name: name.clone(),
            writable: false,
            align: abi.width.bytes(),
            size: items.len() as u64 * word,
            items,
            comment: (!comment.is_empty()).then(|| format!("on {}", comment.join(", on "))),
        });
        let table = self.symbol(b, &name);
        Some(b.ins().iadd_imm_s(table, (switch.len() as i64 + 1) * i64::from(abi.word())))
    }
}
