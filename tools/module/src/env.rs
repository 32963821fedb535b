//! [`ModuleEnv`].

use std::fmt;

use clif_cont_abi::{Abi, HostFn, Isa, SwitchModel, symbols};
use clif_cont_arch as arch;
use clif_cont_link::{runtime_functions, store_data, table_data, tag_data};
use clif_cont_lowering::{ContEnv, ContType, Conts, Emitted, LowerError, RuntimeFn, SymbolEnv, TagId, build_function};
use clif_cont_program::target::isa_of_triple;
use clif_cont_program::{Data, compile};
use cranelift_codegen::ir::{
    ExternalName, FuncRef, Function, GlobalValueData, Inst, InstBuilder, Signature, UserExternalName, UserFuncName,
    Value,
};
use cranelift_codegen::isa::{CallConv, OwnedTargetIsa, TargetIsa};
use cranelift_codegen::settings::StackSwitchModel;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_module::{DataId, FuncId, Linkage, Module};

use crate::{ModuleEnvError, PlaceError, Symbol, Symbols, host};

/// Is told of every function before its instructions are selected.
type Inspector<'m> = Box<dyn FnMut(&Function) + 'm>;

/// Who would have a function in a program of another form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Side {
    /// The program, which keeps the protocol.
    Program,
    /// The host.
    Host,
}

/// The embedder of the builders for a module.
///
/// All continuations of a module are in one store, for one thread at a time. Symbols that begin
/// with `cc_` are the runtime's, and local to the module; `mmap`, `mprotect` and `munmap` are imported.
pub struct ModuleEnv<'m, M: Module> {
    symbols: Symbols<&'m mut M>,
    isa: OwnedTargetIsa,
    env: SymbolEnv,
    imports: Vec<(String, ContType)>,
    inspector: Option<Inspector<'m>>,
    context: FunctionBuilderContext,
}

impl<M: Module> fmt::Debug for ModuleEnv<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModuleEnv").field("env", &self.env).finish_non_exhaustive()
    }
}

impl<'m, M: Module> ModuleEnv<'m, M> {
    /// For a module to which nothing of continuations was added yet.
    ///
    /// On x86_64 the switch between stacks is an instruction where the setting `stack_switch_model` is
    /// `basic`, which is faster, and a call of a routine otherwise; on the other ISAs it is always the latter.
    ///
    /// # Errors
    ///
    /// [`ModuleEnvError::Target`], and [`ModuleEnvError::Setting`] with the setting of the ISA that has to change.
    pub fn new(module: &'m mut M) -> Result<Self, ModuleEnvError> {
        let abi = abi_of(module.isa())?;
        // the module cannot be asked for its ISA while a function is made that refers to it
        let isa = cranelift_codegen::isa::Builder::from_target_isa(module.isa())
            .finish(module.isa().flags().clone())
            .map_err(|e| ModuleEnvError::Target(e.to_string()))?;
        let (symbols, context) = (Symbols::new(module), FunctionBuilderContext::new());
        Ok(Self { symbols, isa, env: SymbolEnv::new(abi), imports: vec![], inspector: None, context })
    }

    /// Passes every function that is defined from here on to `inspector`, the runtime's included: with
    /// symbols for what it refers to, and after everything that Cranelift does to it before it selects
    /// instructions. What the inspector verifies is what is compiled. What stands for the host ([`ModuleEnv::entry`],
    /// [`ModuleEnv::release`], memory for stacks) is under no protocol, and not passed.
    pub fn inspect(&mut self, inspector: impl FnMut(&Function) + 'm) {
        self.inspector = Some(Box::new(inspector));
    }

    /// The module.
    pub fn module(&mut self) -> &mut M {
        self.symbols.module
    }

    /// A new tag, with the symbol `tag_<name>`.
    ///
    /// # Errors
    ///
    /// [`PlaceError::Duplicate`] when there is one of that name.
    pub fn tag(&mut self, name: &str, ty: ContType) -> Result<TagId, ModuleEnvError> {
        let symbol = format!("tag_{name}");
        if self.env.tags().iter().any(|tag| tag.symbol == symbol) {
            return Err(PlaceError::Duplicate(symbol).into());
        }
        Ok(self.env.add_tag(symbol, ty))
    }

    /// Declares a function that continuations can run, or that can use them.
    ///
    /// # Errors
    ///
    /// What the module says.
    pub fn declare(&mut self, name: &str, linkage: Linkage, ty: &ContType) -> Result<FuncId, ModuleEnvError> {
        let signature = ty.signature(self.env.abi());
        Ok(self.symbols.module.declare_function(name, linkage, &signature)?)
    }

    /// Makes an imported function, of the system's calling convention, one that runs on the stack of whoever
    /// invoked the program: the index is what [`Conts::host_call`] takes.
    ///
    /// # Errors
    ///
    /// What the module says.
    pub fn import(&mut self, name: &str, ty: ContType) -> Result<u32, ModuleEnvError> {
        let signature = host::signature(&ty);
        let id = self.symbols.module.declare_function(name, Linkage::Import, &signature)?;
        self.symbols.know(name, Symbol::Function(id));
        self.imports.push((name.to_owned(), ty));
        Ok(self.imports.len() as u32 - 1)
    }

    /// Code address of a function of the module; what [`Conts::cont_new`] takes.
    pub fn address(&mut self, b: &mut FunctionBuilder<'_>, function: FuncId) -> Value {
        let callee = self.symbols.module.declare_func_in_func(function, b.func);
        let word = self.isa.pointer_type();
        b.ins().func_addr(word, callee)
    }

    /// Defines a declared function. `body` gets the builder in the entry block, behind the check that
    /// there is stack left, and the parameters; it terminates its blocks, which are sealed behind it.
    ///
    /// # Errors
    ///
    /// What `body` says, and [`ModuleEnv::define_function`].
    pub fn define(
        &mut self,
        function: FuncId,
        body: impl FnOnce(&mut Self, &mut FunctionBuilder<'_>, &[Value]) -> Result<(), LowerError>,
    ) -> Result<(), ModuleEnvError> {
        let func = self.build(function, body)?;
        self.define_function(function, func)
    }

    fn build(
        &mut self,
        function: FuncId,
        body: impl FnOnce(&mut Self, &mut FunctionBuilder<'_>, &[Value]) -> Result<(), LowerError>,
    ) -> Result<Function, ModuleEnvError> {
        let name = self.function_symbol(function);
        let signature = self.symbols.module.declarations().get_function_decl(function).signature.clone();
        let (abi, mut context) = (*self.env.abi(), std::mem::take(&mut self.context));
        self.env.enter_function(&name);
        let built = build_function(&abi, &name, signature, &mut context, |b, params| {
            if b.func.signature.call_conv == CallConv::Tail {
                Conts::new(self).stack_check(b);
            }
            body(self, b, params)
        });
        let mut func = built.map_err(|e| ModuleEnvError::Lower(name, e))?;
        self.context = context;
        self.name_symbols(&mut func)?;
        Ok(func)
    }

    /// Defines a declared function that was built elsewhere, in place of `Module::define_function`: what the
    /// builders emit refers to symbols that only this environment resolves.
    ///
    /// # Errors
    ///
    /// [`ModuleEnvError::Place`]: what Cranelift's verifier or its code generator says, or the module; a function
    /// that takes more of the stack than its callers leave and cannot be entered through a check.
    pub fn define_function(&mut self, function: FuncId, mut func: Function) -> Result<(), ModuleEnvError> {
        let name = self.function_symbol(function);
        func.name = UserFuncName::testcase(name);
        self.name_symbols(&mut func)?;
        self.place(&func, Side::Program)
    }

    /// Defines `name`, an exported function of the system's calling convention: it runs `function` on a
    /// continuation of its own. It takes the parameters of `ty`, and behind them the address of one slot of 8
    /// bytes for each result of `ty`, if there is any; it returns 0, or the code of the trap
    /// (`clif_cont_abi::Trap::from_code`) that ended the invocation.
    ///
    /// # Errors
    ///
    /// Values that do not fit into a payload, and what the module says.
    pub fn entry(&mut self, name: &str, function: FuncId, ty: &ContType) -> Result<FuncId, ModuleEnvError> {
        let enter = RuntimeFn::Enter(ty.clone());
        for f in RuntimeFn::FOR_HOST.iter().chain([&enter]) {
            self.env.request(f);
        }
        let signature = host::entry_signature(ty, self.isa.pointer_type());
        let id = self.symbols.module.declare_function(name, Linkage::Export, &signature)?;
        let abi = *self.env.abi();
        let func = self.build(id, |env, b, params| {
            let callee = env.address(b, function);
            host::entry(b, &abi, params, callee, ty)
        })?;
        self.place(&func, Side::Host)?;
        Ok(id)
    }

    /// Defines `name`, an exported function without parameters: it gives the memory of all stacks back. No
    /// continuation is running then, and none of before is used again; new ones can be made.
    ///
    /// # Errors
    ///
    /// What the module says.
    pub fn release(&mut self, name: &str) -> Result<FuncId, ModuleEnvError> {
        let signature = host::signature(&ContType::default());
        let id = self.symbols.module.declare_function(name, Linkage::Export, &signature)?;
        let abi = *self.env.abi();
        let func = self.build(id, |_, b, _| {
            host::release(b, &abi);
            Ok(())
        })?;
        self.place(&func, Side::Host)?;
        Ok(id)
    }

    /// Defines what the functions refer to: runtime functions, the store context, tags and handler tables.
    /// The module is finished as usual then.
    ///
    /// # Errors
    ///
    /// [`ModuleEnvError`].
    pub fn finish(mut self) -> Result<(), ModuleEnvError> {
        let abi = *self.env.abi();
        let wanted = self.env.requested().iter().cloned();
        let runtime = runtime_functions(&abi, wanted.chain([RuntimeFn::Trap]))?;
        for f in &runtime {
            self.declare_symbol(&f.name(), Linkage::Local, &f.func.signature)?;
        }
        let host = host::functions(&abi, &self.imports).map_err(|e| ModuleEnvError::Lower("the host".into(), e))?;
        for f in &runtime {
            self.place(&f.func, Side::Program)?;
        }
        for func in &host {
            self.place(func, Side::Host)?;
        }
        if let (Some(arch), Some(Symbol::Function(id))) = (arch::of(abi.isa), self.symbols.get(symbols::SWITCH)) {
            self.symbols.module.define_function_bytes(id, arch.align, arch.switch.code, &[])?;
        }
        let data = [store_data(), host::mappings_data(&abi)].into_iter();
        let tags = self.env.tags().iter().map(|tag| tag_data(&abi, tag));
        let tables = self.env.tables().iter().map(|table| table_data(&abi, table));
        for data in data.chain(tags).chain(tables) {
            self.symbols.define_data(&abi, &data)?;
        }
        Ok(())
    }

    /// Optimises a function whose references are symbols, and makes it part of the module.
    fn place(&mut self, func: &Function, side: Side) -> Result<(), ModuleEnvError> {
        compile::verify(func, &*self.isa)?;
        let func = compile::optimize(func, &*self.isa)?;
        if let (Side::Program, Some(inspector)) = (side, &mut self.inspector) {
            inspector(&func);
        }
        self.declare_all()?;
        self.symbols.define(self.env.abi(), &func)?;
        Ok(())
    }

    /// Declares what functions refer to by symbol and is not declared yet.
    fn declare_all(&mut self) -> Result<(), ModuleEnvError> {
        let abi = *self.env.abi();
        // an entry that checks the stack calls it
        let wanted = self.env.requested().iter().chain([&RuntimeFn::Trap]);
        let host = [HostFn::Reserve, HostFn::Guard, HostFn::Call].map(RuntimeFn::Host);
        let switch = (abi.switch == SwitchModel::Routine).then_some(RuntimeFn::Switch);
        let wanted: Vec<(String, Signature)> =
            wanted.chain(&host).chain(&switch).map(|f| (f.name(), f.signature(&abi))).collect();
        for (name, signature) in wanted {
            self.declare_symbol(&name, Linkage::Local, &signature)?;
        }
        for (name, signature) in host::library() {
            self.declare_symbol(name, Linkage::Import, &signature)?;
        }
        let data = [store_data(), host::mappings_data(&abi)].into_iter();
        let tags = self.env.tags().iter().map(|tag| tag_data(&abi, tag));
        let tables = self.env.tables().iter().map(|table| table_data(&abi, table));
        let data: Vec<Data> = data.chain(tags).chain(tables).collect();
        for data in data.iter().filter(|data| self.symbols.get(&data.name).is_none()).collect::<Vec<_>>() {
            self.symbols.declare_data(data)?;
        }
        Ok(())
    }

    fn declare_symbol(&mut self, name: &str, linkage: Linkage, signature: &Signature) -> Result<(), ModuleEnvError> {
        if self.symbols.get(name).is_none() {
            self.symbols.declare_function(name, linkage, signature)?;
        }
        Ok(())
    }

    /// The symbol of a function of the module, which is known from here on.
    fn function_symbol(&mut self, id: FuncId) -> String {
        let name = self.symbols.module.declarations().get_function_decl(id).linkage_name(id).into_owned();
        self.symbols.know(&name, Symbol::Function(id));
        name
    }

    fn data_symbol(&mut self, id: DataId) -> String {
        let name = self.symbols.module.declarations().get_data_decl(id).linkage_name(id).into_owned();
        self.symbols.know(&name, Symbol::Data(id));
        name
    }

    /// Refers to everything by its symbol that the module refers to by number.
    fn name_symbols(&mut self, func: &mut Function) -> Result<(), PlaceError> {
        let numbers = func.params.user_named_funcs().values().cloned().collect::<Vec<_>>();
        let mut symbols = vec![];
        for number in numbers {
            symbols.push(ExternalName::testcase(self.numbered_symbol(&number, func)?));
        }
        let rename = |name: &mut ExternalName| {
            if let ExternalName::User(user) = name {
                *name = symbols[user.as_u32() as usize].clone();
            }
        };
        func.dfg.ext_funcs.values_mut().for_each(|f| rename(&mut f.name));
        for gv in func.global_values.values_mut() {
            if let GlobalValueData::Symbol { name, .. } = gv {
                rename(name);
            }
        }
        Ok(())
    }

    /// The symbol behind a number, as `Module::declare_func_in_func` and `declare_data_in_func` give them.
    fn numbered_symbol(&mut self, number: &UserExternalName, func: &Function) -> Result<String, PlaceError> {
        let UserExternalName { namespace, index } = *number;
        let declared = self.symbols.module.declarations();
        if namespace == 0 && (index as usize) < declared.get_functions().count() {
            return Ok(self.function_symbol(FuncId::from_u32(index)));
        }
        if namespace == 1 && (index as usize) < declared.get_data_objects().count() {
            return Ok(self.data_symbol(DataId::from_u32(index)));
        }
        Err(PlaceError::Undefined { symbol: format!("u{namespace}_{index}"), by: func.name.to_string() })
    }
}

/// The ABI for a module's target.
fn abi_of(isa: &dyn TargetIsa) -> Result<Abi, ModuleEnvError> {
    let refused = || ModuleEnvError::Target(isa.triple().to_string());
    let known = isa_of_triple(isa.triple()).filter(|known| !known.is_pulley()).ok_or_else(refused)?;
    if isa.default_call_conv() != CallConv::SystemV {
        return Err(refused());
    }
    // what the runtime gives back does not fit into registers everywhere; Cranelift's tail calls go through frame
    // pointers
    let needed = [
        ("enable_multi_ret_implicit_sret", isa.flags().enable_multi_ret_implicit_sret()),
        ("preserve_frame_pointers", isa.flags().preserve_frame_pointers()),
    ];
    if let Some((name, _)) = needed.into_iter().find(|(_, set)| !set) {
        return Err(ModuleEnvError::Setting { name, needed: "true" });
    }
    let instruction = known == Isa::X86_64 && isa.flags().stack_switch_model() == StackSwitchModel::Basic;
    Ok(Abi::new(known, if instruction { SwitchModel::Instruction } else { SwitchModel::Routine }))
}

impl<M: Module> ContEnv for ModuleEnv<'_, M> {
    fn abi(&self) -> &Abi {
        self.env.abi()
    }

    fn store(&mut self, b: &mut FunctionBuilder<'_>) -> Value {
        self.env.store(b)
    }

    fn tag(&mut self, b: &mut FunctionBuilder<'_>, tag: TagId) -> Value {
        self.env.tag(b, tag)
    }

    fn tag_type(&self, tag: TagId) -> Option<ContType> {
        self.env.tag_type(tag)
    }

    fn runtime(&mut self, func: &mut Function, f: &RuntimeFn) -> FuncRef {
        self.env.runtime(func, f)
    }

    fn emitted(&mut self, inst: Inst, operation: Emitted) {
        self.env.emitted(inst, operation);
    }

    fn handler_table(&mut self, b: &mut FunctionBuilder<'_>, suspend: &[TagId], switch: &[TagId]) -> Option<Value> {
        self.env.handler_table(b, suspend, switch)
    }
}
