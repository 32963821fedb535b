//! [`Linker`]: functions in, a program out.

use clif_cont_abi::{Abi, symbols};
use clif_cont_lowering::{
    ContEnv, ContType, Conts, LowerError, RuntimeFn, SymbolEnv, TagId, build_function, check_values, symbol_address,
};
use clif_cont_program::{Data, Export, HostImport, Origin, ProgFunction, Program, Target, ValType};
use cranelift_codegen::ir::{Block, ExtFuncData, ExternalName, FuncRef, Function, InstBuilder, Type, Value};
use cranelift_frontend::FunctionBuilder;

use crate::complete::{LinkError, runtime_functions, store_data, table_data, tag_data};
use crate::types::{operation_types, tag_types};

/// Collects functions, tags and imports, and makes a program of them.
#[derive(Debug)]
pub struct Linker {
    target: Target,
    env: SymbolEnv,
    functions: Vec<ProgFunction>,
    signatures: Vec<(String, ContType)>,
    data: Vec<Data>,
    imports: Vec<HostImport>,
    exports: Vec<Export>,
    /// The first function that was declared again with another type.
    redeclared: Option<String>,
}

/// A function under construction.
#[allow(missing_debug_implementations, reason = "Cranelift's builder has none")]
pub struct FunctionCx<'a, 'b> {
    /// Cranelift's builder, in the entry block at first. Blocks that the body
    /// leaves unsealed are sealed at the end.
    pub b: &'a mut FunctionBuilder<'b>,
    /// The parameters.
    pub params: Vec<Value>,
    env: &'a mut SymbolEnv,
    signatures: &'a [(String, ContType)],
}

impl<'a, 'b> FunctionCx<'a, 'b> {
    /// The continuation operations, and the builder to emit them with:
    /// `let (k, b) = f.conts();`.
    pub fn conts(&mut self) -> (Conts<'_, SymbolEnv>, &mut FunctionBuilder<'b>) {
        (Conts::new(self.env), self.b)
    }

    /// Code address of a function of this program; what `cont_new` takes.
    ///
    /// # Errors
    ///
    /// [`LowerError::UnknownFunction`] when it was not declared.
    pub fn address(&mut self, function: &str) -> Result<Value, LowerError> {
        let (callee, _) = self.callee(function)?;
        let ty = self.word_type();
        Ok(self.b.ins().func_addr(ty, callee))
    }

    /// Calls a function of this program.
    ///
    /// # Errors
    ///
    /// [`LowerError::UnknownFunction`] when it was not declared, and others where `args` are
    /// not what it takes.
    pub fn call(&mut self, function: &str, args: &[Value]) -> Result<Vec<Value>, LowerError> {
        let (callee, ty) = self.callee(function)?;
        check_values(self.b, &ty.params, args)?;
        let call = self.b.ins().call(callee, args);
        Ok(self.b.inst_results(call).to_vec())
    }

    /// The address of a data symbol of this program.
    pub fn data(&mut self, symbol: &str) -> Value {
        let abi = *self.env.abi();
        symbol_address(self.b, &abi, symbol, 0)
    }

    /// The CLIF type of a word.
    pub fn word_type(&self) -> Type {
        ValType::Ref.clif(self.env.abi())[0]
    }

    fn callee(&mut self, function: &str) -> Result<(FuncRef, &'a ContType), LowerError> {
        let known = self.signatures.iter().find(|(n, _)| n == function);
        let (_, ty) = known.ok_or_else(|| LowerError::UnknownFunction(function.into()))?;
        let name = ExternalName::testcase(function);
        if let Some((known, _)) = self.b.func.dfg.ext_funcs.iter().find(|(_, f)| f.name == name) {
            return Ok((known, ty));
        }
        let signature = self.b.import_signature(ty.signature(self.env.abi()));
        let callee = self.b.import_function(ExtFuncData { name, signature, colocated: true, patchable: false });
        Ok((callee, ty))
    }
}

/// The first block that control can get to and that does not end with a terminator.
fn unterminated(func: &Function) -> Option<Block> {
    let ends =
        |block: &Block| func.layout.last_inst(*block).is_some_and(|i| func.dfg.insts[i].opcode().is_terminator());
    let pool = &func.dfg.value_lists;
    let targets = |block: Block| {
        let last = func.layout.last_inst(block)?;
        let (tables, exceptions) = (&func.dfg.jump_tables, &func.dfg.exception_tables);
        Some(func.dfg.insts[last].branch_destination(tables, exceptions).iter().map(|call| call.block(pool)))
    };
    let entered = func.layout.blocks().filter_map(targets).flatten();
    func.layout.blocks().chain(entered).find(|block| !ends(block))
}

impl Linker {
    /// An empty program for this target.
    pub fn new(target: Target) -> Self {
        Self {
            target,
            env: SymbolEnv::new(target.abi),
            functions: vec![],
            signatures: vec![],
            data: vec![],
            imports: vec![],
            exports: vec![],
            redeclared: None,
        }
    }

    /// The ABI, for `ContObj::null` and the like.
    pub fn abi(&self) -> &Abi {
        &self.target.abi
    }

    /// The CLIF type of a word; two of them are a continuation object.
    pub fn word_type(&self) -> Type {
        ValType::Ref.clif(&self.target.abi)[0]
    }

    /// A new tag, with the symbol `tag_<name>`.
    pub fn tag(&mut self, name: &str, ty: ContType) -> TagId {
        self.env.add_tag(format!("tag_{name}"), ty)
    }

    /// Adds data under a symbol of its own.
    pub fn data(&mut self, data: Data) {
        self.data.push(data);
    }

    /// A host function; the index is what `Conts::host_call` takes.
    pub fn import(&mut self, module: &str, name: &str, params: &[ValType], results: &[ValType]) -> u32 {
        self.imports.push(HostImport {
            module: module.into(),
            name: name.into(),
            params: params.into(),
            results: results.into(),
        });
        self.imports.len() as u32 - 1
    }

    /// Makes a function known, so that others can refer to it before it is
    /// defined. Of two declarations of one name the first counts, and
    /// [`Linker::finish`] refuses a second one with another type.
    pub fn declare(&mut self, name: &str, ty: ContType) {
        match self.signatures.iter().find(|(n, _)| n == name) {
            None => self.signatures.push((name.into(), ty)),
            Some((_, known)) if *known == ty => {}
            Some(_) => {
                self.redeclared.get_or_insert_with(|| name.into());
            }
        }
    }

    /// Defines a declared function. `body` terminates its blocks.
    ///
    /// # Errors
    ///
    /// [`LinkError::Lower`] with the error of `body`, [`LinkError::Duplicate`] for a function
    /// defined before, [`LinkError::Undeclared`], and [`LinkError::Unterminated`] where `body`
    /// leaves a block without its end.
    pub fn define(
        &mut self,
        name: &str,
        body: impl FnOnce(&mut FunctionCx<'_, '_>) -> Result<(), LowerError>,
    ) -> Result<(), LinkError> {
        if self.functions.iter().any(|f| f.name() == name) {
            return Err(LinkError::Duplicate(name.into()));
        }
        let Some((_, ty)) = self.signatures.iter().find(|(n, _)| n == name) else {
            return Err(LinkError::Undeclared(name.into()));
        };
        let signature = ty.signature(&self.target.abi);
        let Self { target, env, signatures, .. } = self;
        env.enter_function(name);
        let func = build_function(&target.abi, name, signature, &mut Default::default(), |b, params| {
            Conts::new(env).stack_check(b);
            let mut cx = FunctionCx { b, params: params.to_vec(), env, signatures };
            body(&mut cx).map_err(|e| LinkError::Lower(name.into(), e))?;
            match unterminated(cx.b.func) {
                Some(block) => Err(LinkError::Unterminated { function: name.into(), block }),
                None => Ok(()),
            }
        })?;
        let operations = operation_types(self.env.operations());
        self.functions.push(ProgFunction { operations, ..ProgFunction::new(func, Origin::Program) });
        Ok(())
    }

    /// Lets the host invoke a function. `params` and `results` say how its
    /// CLIF types are to be read.
    pub fn export(&mut self, function: &str, params: &[ValType], results: &[ValType]) {
        let abi = &self.target.abi;
        let flat = |types: &[ValType]| types.iter().flat_map(|t| t.clif(abi)).copied().collect::<Vec<_>>();
        let enter = RuntimeFn::Enter(ContType::new(flat(params), flat(results)));
        self.env.request(&enter);
        self.exports.push(Export {
            name: function.into(),
            function: function.into(),
            enter: enter.name(),
            params: params.into(),
            results: results.into(),
        });
    }

    /// The program, with its part of the runtime.
    ///
    /// # Errors
    ///
    /// [`LinkError`] where an exported function is missing or has other types, values do not
    /// fit into a payload, or functions do not agree on each other's signatures.
    pub fn finish(self) -> Result<Program, LinkError> {
        let abi = self.target.abi;
        let mut program = Program::new(self.target);
        program.functions = self.functions;
        if let Some(name) = self.redeclared {
            return Err(LinkError::Redeclared(name));
        }
        program.functions.extend(runtime_functions(&abi, self.env.requested().iter().cloned())?);
        program.data.push(store_data());
        program.data.extend(self.env.tags().iter().map(|t| tag_data(&abi, t)));
        program.tags = tag_types(self.env.tags());
        program.data.extend(self.env.tables().iter().map(|t| table_data(&abi, t)));
        program.data.extend(self.data);
        debug_assert!(program.data[0].name == symbols::STORE);
        program.imports = self.imports;
        program.exports = self.exports;
        program.check().map_err(LinkError::Program)?;
        Ok(program)
    }
}
