//! One operation alone in a function, for looking at what it costs.
//!
//! ```text
//! cont.new  (params) -> (results)
//! cont.bind (params) -> (results) N           the first N parameters are bound
//! suspend   (params) -> (results)
//! resume    (params) -> (results) [on (payload) [-> (results)]]* [on switch]*
//! switch    (params) -> (results) receive (types)
//! cont.drop
//! ```
//!
//! Types are `i32 i64 f32 f64 ref cont`. The types behind `cont.new`, `resume`,
//! `cont.bind` and `switch` are the continuation's, those behind `suspend` the
//! tag's. The last parameter of a switched-to continuation is a `cont`.
//!
//! The function is `%op`; it takes the continuation object and the values that
//! the operation needs, and returns what the operation gives. Clause `N` of a
//! `resume` ends in a tail call of `%on_N` with the clause's payload. The
//! program has data and no runtime: it is for reading, not for running.

use std::collections::BTreeMap;
use std::fmt;

use clif_cont_abi::Abi;
use clif_cont_link::{store_data, table_data, tag_data};
use clif_cont_lowering::{ContObj, ContType, Conts, LowerError, On, SymbolEnv, build_function, on, on_switch};
use clif_cont_program::{Comments, OperationTypes, Origin, ProgFunction, Program, Signature, Target, ValType};
use cranelift_codegen::ir::{self, AbiParam, ExtFuncData, ExternalName, InstBuilder, Type, Value};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::FunctionBuilder;

/// The symbol of the function that holds the operation.
const FUNCTION: &str = "op";

/// Why an operation's text was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpError {
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong: lower case.
    pub message: String,
}

impl fmt::Display for OpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.column, self.message)
    }
}

impl std::error::Error for OpError {}

/// A clause of a resume.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Clause {
    Suspend(Signature),
    Switch,
}

/// An operation as it was written.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Operation {
    New(Signature),
    Bind(Signature, usize),
    Suspend(Signature),
    Resume(Signature, Vec<Clause>),
    Switch(Signature, Vec<ValType>),
    Drop,
}

const NAMES: &str = "cont.new, cont.bind, suspend, resume, switch, cont.drop";

/// Words, punctuation and their columns.
struct Tokens<'a> {
    rest: std::iter::Peekable<std::vec::IntoIter<(usize, &'a str)>>,
    end: usize,
}

impl<'a> Tokens<'a> {
    fn new(text: &'a str) -> Self {
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_');
        let mut tokens = vec![];
        let mut chars = text.char_indices().enumerate().peekable();
        while let Some((column, (start, c))) = chars.next() {
            if c.is_whitespace() {
                continue;
            }
            let mut end = start + c.len_utf8();
            if is_word(c) {
                while let Some((_, (at, next))) = chars.next_if(|(_, (_, next))| is_word(*next)) {
                    end = at + next.len_utf8();
                }
            } else if c == '-'
                && let Some((_, (at, _))) = chars.next_if(|(_, (_, next))| *next == '>')
            {
                end = at + 1;
            }
            tokens.push((column + 1, &text[start..end]));
        }
        Self { rest: tokens.into_iter().peekable(), end: text.chars().count() + 1 }
    }

    fn column(&mut self) -> usize {
        self.rest.peek().map_or(self.end, |(column, _)| *column)
    }

    fn fail<T>(&mut self, message: impl Into<String>) -> Result<T, OpError> {
        Err(OpError { column: self.column(), message: message.into() })
    }

    fn take(&mut self, wanted: &str) -> bool {
        self.rest.next_if(|(_, token)| *token == wanted).is_some()
    }

    fn expect(&mut self, wanted: &str) -> Result<(), OpError> {
        if self.take(wanted) {
            return Ok(());
        }
        match self.rest.peek() {
            Some((_, token)) => {
                let message = format!("expected `{wanted}`, not `{token}`");
                self.fail(message)
            }
            None => self.fail(format!("expected `{wanted}`")),
        }
    }

    /// `(type, type, ...)`, the commas optional.
    fn types(&mut self) -> Result<Vec<ValType>, OpError> {
        self.expect("(")?;
        let mut types = vec![];
        while !self.take(")") {
            if !types.is_empty() && self.take(",") && self.rest.peek().is_some_and(|(_, t)| *t == ")") {
                return self.fail("expected a type behind `,`");
            }
            let Some(ty) = self.rest.peek().and_then(|(_, t)| ValType::ALL.into_iter().find(|ty| ty.name() == *t))
            else {
                return self.fail("expected a type (i32, i64, f32, f64, ref, cont) or `)`");
            };
            self.rest.next();
            types.push(ty);
        }
        Ok(types)
    }

    /// `(types) -> (types)`.
    fn ty(&mut self) -> Result<Signature, OpError> {
        let params = self.types()?;
        self.expect("->")?;
        Ok(Signature { params, results: self.types()? })
    }
}

fn parse(text: &str) -> Result<Operation, OpError> {
    let mut t = Tokens::new(text);
    let Some((column, name)) = t.rest.next() else {
        return t.fail(format!("expected an operation: {NAMES}"));
    };
    let operation = match name {
        "cont.new" => Operation::New(t.ty()?),
        "cont.bind" => {
            let ty = t.ty()?;
            let count = t.rest.peek().and_then(|(_, n)| n.parse().ok()).filter(|n| *n <= ty.params.len());
            let Some(count) = count else {
                return t.fail(format!("expected how many of the {} parameters are bound", ty.params.len()));
            };
            t.rest.next();
            Operation::Bind(ty, count)
        }
        "suspend" => Operation::Suspend(t.ty()?),
        "resume" => {
            let ty = t.ty()?;
            let mut clauses = vec![];
            while t.take("on") {
                clauses.push(if t.take("switch") {
                    Clause::Switch
                } else {
                    let params = t.types()?;
                    let results = if t.take("->") { t.types()? } else { vec![] };
                    Clause::Suspend(Signature { params, results })
                });
            }
            Operation::Resume(ty, clauses)
        }
        "switch" => {
            let at = t.column();
            let ty = t.ty()?;
            if ty.params.last() != Some(&ValType::Cont) {
                let message = "the last parameter of a switched-to continuation is a `cont`".into();
                return Err(OpError { column: at, message });
            }
            t.expect("receive")?;
            Operation::Switch(ty, t.types()?)
        }
        "cont.drop" => Operation::Drop,
        _ => return Err(OpError { column, message: format!("unknown operation `{name}`; there are {NAMES}") }),
    };
    match t.rest.peek() {
        None => Ok(operation),
        Some((_, token)) => {
            let message = format!("unexpected `{token}`");
            t.fail(message)
        }
    }
}

fn clif(abi: &Abi, types: &[ValType]) -> Vec<Type> {
    types.iter().flat_map(|t| t.clif(abi).iter().copied()).collect()
}

fn cont_type(abi: &Abi, ty: &Signature) -> ContType {
    ContType::new(clif(abi, &ty.params), clif(abi, &ty.results))
}

fn signature(params: &[Type], results: &[Type]) -> ir::Signature {
    let mut signature = ir::Signature::new(CallConv::Tail);
    signature.params.extend(params.iter().copied().map(AbiParam::new));
    signature.returns.extend(results.iter().copied().map(AbiParam::new));
    signature
}

/// Parameters and results of the function that holds the operation.
fn shape(abi: &Abi, operation: &Operation) -> (Vec<Type>, Vec<Type>) {
    let object = [ValType::Cont];
    let with_object = |params: &[ValType]| clif(abi, &[&object, params].concat());
    match operation {
        Operation::New(_) => (clif(abi, &[ValType::Ref]), clif(abi, &object)),
        Operation::Bind(ty, count) => (with_object(&ty.params[..*count]), clif(abi, &object)),
        Operation::Suspend(ty) => (clif(abi, &ty.params), clif(abi, &ty.results)),
        Operation::Resume(ty, _) => (with_object(&ty.params), clif(abi, &ty.results)),
        Operation::Switch(ty, receive) => {
            let before = ty.params.split_last().map_or(&[][..], |(_, before)| before);
            (with_object(before), clif(abi, receive))
        }
        Operation::Drop => (with_object(&[]), vec![]),
    }
}

/// Emits the operation and the end of the function.
fn emit(
    b: &mut FunctionBuilder<'_>,
    env: &mut SymbolEnv,
    operation: &Operation,
    params: &[Value],
    results: &[Type],
) -> Result<(), LowerError> {
    let abi = *clif_cont_lowering::ContEnv::abi(env);
    let object = |params: &[Value]| ContObj { contref: params[0], revision: params[1] };
    let values = match operation {
        Operation::New(ty) => Conts::new(env).cont_new(b, params[0], &cont_type(&abi, ty))?.words().to_vec(),
        Operation::Bind(ty, _) => {
            let ty = cont_type(&abi, ty);
            Conts::new(env).cont_bind(b, object(params), &ty, &params[2..])?.words().to_vec()
        }
        Operation::Suspend(ty) => {
            let tag = env.add_tag("tag_0", cont_type(&abi, ty));
            Conts::new(env).suspend(b, tag, params)?
        }
        Operation::Switch(ty, receive) => {
            let tag = env.add_tag("tag_0", ContType::default());
            let (ty, receive) = (cont_type(&abi, ty), clif(&abi, receive));
            Conts::new(env).switch(b, tag, object(params), &ty, &params[2..], &receive)?
        }
        Operation::Drop => {
            Conts::new(env).cont_drop(b, object(params));
            vec![]
        }
        Operation::Resume(ty, clauses) => {
            let mut handlers: Vec<On> = vec![];
            let mut blocks = vec![];
            for (index, clause) in clauses.iter().enumerate() {
                let symbol = format!("tag_{index}");
                handlers.push(match clause {
                    Clause::Switch => on_switch(env.add_tag(symbol, ContType::default())),
                    Clause::Suspend(ty) => {
                        let ty = cont_type(&abi, ty);
                        let block = b.create_block();
                        for param in ty.params.iter().copied().chain(clif(&abi, &[ValType::Cont])) {
                            b.append_block_param(block, param);
                        }
                        blocks.push((index, block));
                        on(env.add_tag(symbol, ty), block)
                    }
                });
            }
            let values = Conts::new(env).resume(b, object(params), &cont_type(&abi, ty), &params[2..], &handlers)?;
            b.ins().return_(&values);
            for (index, block) in blocks {
                b.switch_to_block(block);
                let args = b.block_params(block).to_vec();
                let types: Vec<Type> = args.iter().map(|v| b.func.dfg.value_type(*v)).collect();
                let signature = b.func.import_signature(signature(&types, results));
                let callee = b.func.import_function(ExtFuncData {
                    name: ExternalName::testcase(format!("on_{index}")),
                    signature,
                    colocated: true,
                    patchable: false,
                });
                b.ins().return_call(callee, &args);
            }
            return Ok(());
        }
    };
    b.ins().return_(&values);
    Ok(())
}

/// What the operation hands over and is handed, where that is said of it.
fn types(operation: &Operation) -> Option<OperationTypes> {
    Some(match operation.clone() {
        Operation::Bind(ty, count) => OperationTypes::ContBind(ty, count),
        Operation::Resume(ty, _) => OperationTypes::Resume(ty),
        Operation::Switch(ty, receive) => OperationTypes::Switch(ty, receive),
        Operation::New(_) | Operation::Suspend(_) | Operation::Drop => return None,
    })
}

/// The types of the tags, named as [`emit`] does.
fn tags(operation: &Operation) -> BTreeMap<String, Signature> {
    let of = |clause: &Clause| match clause {
        Clause::Suspend(ty) => ty.clone(),
        Clause::Switch => Signature::default(),
    };
    let types = match operation {
        Operation::Suspend(ty) => vec![ty.clone()],
        Operation::Switch(..) => vec![Signature::default()],
        Operation::Resume(_, clauses) => clauses.iter().map(of).collect(),
        Operation::New(_) | Operation::Bind(..) | Operation::Drop => vec![],
    };
    types.into_iter().enumerate().map(|(index, ty)| (format!("tag_{index}"), ty)).collect()
}

/// Lowers one operation, alone in the function `%op`.
///
/// # Errors
///
/// [`OpError`] where the text is not an operation, or its values do not fit
/// into a payload.
pub fn lower_op(text: &str, target: Target) -> Result<Program, OpError> {
    let operation = parse(text)?;
    let abi = target.abi;
    let mut env = SymbolEnv::new(abi);
    env.enter_function(FUNCTION);
    let (params, results) = shape(&abi, &operation);
    let func = build_function(&abi, FUNCTION, signature(&params, &results), &mut Default::default(), |b, params| {
        emit(b, &mut env, &operation, params, &results)
            .map_err(|error| OpError { column: 1, message: error.to_string() })
    })?;

    let mut program = Program::new(target);
    let comments = Comments { header: vec![text.trim().to_owned()], ..Comments::default() };
    let operations = env.operations().iter().filter_map(|(inst, _)| Some((*inst, types(&operation)?))).collect();
    program.functions.push(ProgFunction { comments, operations, ..ProgFunction::new(func, Origin::Program) });
    program.tags = tags(&operation);
    program.data.push(store_data());
    program.data.extend(env.tags().iter().map(|tag| tag_data(&abi, tag)));
    program.data.extend(env.tables().iter().map(|table| table_data(&abi, table)));
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clif_cont_abi::Isa;

    const EVERY: [&str; 9] = [
        "cont.new (i32) -> (i64)",
        "cont.bind (i32, i64, cont) -> () 2",
        "suspend (f64) -> (i32)",
        "suspend () -> ()",
        "resume (i64, f64) -> (i32) on (i64) on switch",
        "resume () -> () on (cont) -> (i32) on () on (f32, ref)",
        "resume () -> ()",
        "switch (i32, cont) -> (i64) receive (i64, cont)",
        "cont.drop",
    ];

    #[test]
    fn every_operation_passes_cranelifts_verifier_on_every_isa() {
        use clif_cont_program::{compile, target};
        for isa in Isa::ALL {
            for switch in isa.switch_models() {
                let target = Target::with_switch(isa, *switch).expect("listed");
                let owned = target::target_isa(target, target::OptLevel::Speed).expect("built in");
                for text in EVERY {
                    let program = lower_op(text, target).expect(text);
                    let func = &program.functions[0].func;
                    compile::verify(func, &*owned).unwrap_or_else(|e| panic!("{text} for {}: {e}", isa.name()));
                    let better = compile::optimize(func, &*owned).expect(text);
                    compile::verify(&better, &*owned).unwrap_or_else(|e| panic!("{text} for {}: {e}", isa.name()));
                    compile::compile(func, &*owned, compile::Disassembly::Drop).expect(text);
                }
            }
        }
    }

    #[test]
    fn errors_have_a_column() {
        for (text, column) in [
            ("", 1),
            ("  ", 3),
            ("frob", 1),
            ("resume", 7),
            ("resume (i33) -> ()", 9),
            ("resume (i32,) -> ()", 13),
            ("resume (i32) ()", 14),
            ("resume () -> () on", 19),
            ("resume () -> () off", 17),
            ("cont.bind (i32) -> () 2", 23),
            ("cont.bind (i32) -> ()", 22),
            ("switch (i32) -> () receive ()", 8),
            ("switch (cont) -> ()", 20),
            ("cont.drop x", 11),
        ] {
            let error = lower_op(text, Target::new(Isa::X86_64)).expect_err(text);
            assert_eq!(error.column, column, "{text}: {error}");
        }
        let many = format!("suspend ({}) -> ()", vec!["i32"; 2000].join(", "));
        assert!(lower_op(&many, Target::new(Isa::X86_64)).expect_err("too many").message.contains("2000"));
    }
}
