//! What the tests verify: every operation in a function of its own, programs
//! that combine several in one function, and the runtime functions, at every
//! ISA's settings and switch model.

#![allow(dead_code, unreachable_pub, reason = "each test target uses a part of it")]

use clif_cont_abi::{Abi, Exceptions, Isa, Trap};
use clif_cont_lowering::{
    ContEnv, ContObj, ContPlace, ContType, Conts, Handler, LowerError, On, RuntimeFn, SymbolEnv, TagId,
    frontend_config, on, on_switch, required_by, symbol_address,
};
use clif_cont_program::target::{OptLevel, target_isa};
use clif_cont_program::{Target, compile};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    AbiParam, Block, BlockArg, Function, InstBuilder, MemFlagsData, Signature, Type, UserFuncName, Value, types,
};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};

/// A function, and what the verifier has to recognise in it: the operations in
/// the order of their names.
pub struct Sample {
    pub name: String,
    pub func: Function,
    pub operations: &'static [&'static str],
}

/// Every ISA with every switch model it has.
pub fn abis() -> impl Iterator<Item = Abi> {
    Isa::ALL.into_iter().flat_map(|isa| isa.switch_models().iter().map(move |m| Abi::new(isa, *m)))
}

/// The same, for link sets without exceptions and with them.
pub fn all_abis() -> impl Iterator<Item = Abi> {
    abis().flat_map(|abi| Exceptions::ALL.map(|exceptions| Abi { exceptions, ..abi }))
}

/// Everything there is for an ABI: operations, and the runtime.
pub fn everything(abi: &Abi) -> Vec<Sample> {
    let mut samples = operations(abi);
    samples.push(table_on_frame(abi));
    samples.extend(runtime(abi));
    samples
}

/// An ABI in the messages of a test.
pub fn name(abi: &Abi) -> String {
    format!("{} {} {}", abi.isa.name(), abi.switch.name(), abi.exceptions.name())
}

/// Returns normally.
fn return_(b: &mut FunctionBuilder<'_>, abi: &Abi, values: &[Value]) {
    let none = (abi.exceptions != Exceptions::None).then(|| b.ins().iconst(word(abi), 0));
    let values: Vec<Value> = none.into_iter().chain(values.iter().copied()).collect();
    b.ins().return_(&values);
}

/// After Cranelift's optimiser at `speed`.
pub fn optimized(func: &Function, abi: &Abi) -> Function {
    let isa = target_isa(Target { isa: abi.isa, abi: *abi }, OptLevel::Speed).expect("a supported target");
    compile::verify(func, &*isa).expect("valid CLIF");
    compile::optimize(func, &*isa).expect("optimisable CLIF")
}

/// The CLIF type of a word.
pub fn word(abi: &Abi) -> Type {
    match abi.width {
        clif_cont_abi::PointerWidth::W32 => types::I32,
        clif_cont_abi::PointerWidth::W64 => types::I64,
    }
}

struct Maker {
    abi: Abi,
    env: SymbolEnv,
    out: Vec<Sample>,
}

type Body<'x> = &'x dyn Fn(&mut SymbolEnv, &mut FunctionBuilder<'_>, &[Value]) -> Result<Vec<Value>, LowerError>;

impl Maker {
    /// A function of these parameters whose body returns what it is given.
    fn add(
        &mut self,
        name: &str,
        operations: &'static [&'static str],
        params: &[Type],
        results: &[Type],
        body: Body<'_>,
    ) {
        let mut signature = Signature::new(CallConv::Tail);
        signature.params.extend(params.iter().copied().map(AbiParam::new));
        let exn = (self.abi.exceptions != Exceptions::None).then_some(word(&self.abi));
        signature.returns.extend(exn.into_iter().chain(results.iter().copied()).map(AbiParam::new));
        let mut func = Function::with_name_signature(UserFuncName::testcase(name), signature);
        let mut context = FunctionBuilderContext::new();
        let mut b = FunctionBuilder::new(&mut func, &mut context);
        let entry = b.create_block();
        b.append_block_params_for_function_params(entry);
        b.switch_to_block(entry);
        let args = b.block_params(entry).to_vec();
        self.env.enter_function(name);
        Conts::new(&mut self.env).stack_check(&mut b);
        let values = body(&mut self.env, &mut b, &args).expect("values of the right types");
        return_(&mut b, &self.abi, &values);
        b.seal_all_blocks();
        b.finalize(frontend_config(&self.abi));
        self.out.push(Sample { name: name.into(), func, operations });
    }
}

fn obj(words: &[Value]) -> ContObj {
    ContObj { contref: words[0], revision: words[1] }
}

fn block(b: &mut FunctionBuilder<'_>, params: &[Type]) -> Block {
    let block = b.create_block();
    for ty in params {
        b.append_block_param(block, *ty);
    }
    block
}

fn jump(b: &mut FunctionBuilder<'_>, to: Block, args: &[Value]) {
    let args: Vec<BlockArg> = args.iter().map(|v| BlockArg::from(*v)).collect();
    b.ins().jump(to, &args);
}

/// Tags with different payloads.
struct Tags {
    plain: TagId,
    number: TagId,
    object: TagId,
    swap: TagId,
}

/// Every operation, and combinations of them.
pub fn operations(abi: &Abi) -> Vec<Sample> {
    let w = word(abi);
    let mut env = SymbolEnv::new(*abi);
    let tags = Tags {
        plain: env.add_tag("tag_plain", ContType::default()),
        number: env.add_tag("tag_number", ContType::new(vec![types::I64], vec![types::I32])),
        object: env.add_tag("tag_object", ContType::new(vec![types::I32, w, w], vec![w, w])),
        swap: env.add_tag("tag_swap", ContType::new(vec![], vec![types::F32, types::I64])),
    };
    let mut m = Maker { abi: *abi, env, out: vec![] };
    single(&mut m, &tags, w);
    resumes(&mut m, &tags, w);
    combined(&mut m, &tags, w);
    if abi.exceptions != Exceptions::None {
        raises(&mut m, &tags, w);
    }
    m.out
}

fn payloads(w: Type) -> Vec<Vec<Type>> {
    vec![
        vec![],
        vec![types::I64],
        vec![types::I32, types::F64, w, w, types::I8],
        vec![w, w],
        vec![types::F32, types::I8X16, types::I64],
    ]
}

fn single(m: &mut Maker, tags: &Tags, w: Type) {
    for (i, payload) in payloads(w).into_iter().enumerate() {
        let ct = ContType::new(payload.clone(), payload.clone());
        m.add(&format!("new_{i}"), &["cont.new"], &[w], &[w, w], &|env, b, a| {
            Ok(Conts::new(env).cont_new(b, a[0], &ct)?.words().to_vec())
        });
        for n in 0..=payload.len().min(2) {
            let params: Vec<Type> = [w, w].into_iter().chain(payload[..n].iter().copied()).collect();
            m.add(&format!("bind_{i}_{n}"), &["cont.bind"], &params, &[w, w], &|env, b, a| {
                Ok(Conts::new(env).cont_bind(b, obj(a), &ct, &a[2..])?.words().to_vec())
            });
        }
        m.add(&format!("host_{i}"), &["host call"], &payload, &payload, &|env, b, a| {
            Conts::new(env).host_call(b, 3, &ct, a)
        });
        let mut switchable = payload.clone();
        switchable.extend([w, w]);
        let switchable = ContType::new(switchable, vec![types::F32, types::I64]);
        let params: Vec<Type> = [w, w].into_iter().chain(payload.clone()).collect();
        m.add(&format!("switch_{i}"), &["switch"], &params, &payload, &|env, b, a| {
            Conts::new(env).switch(b, tags.swap, obj(a), &switchable, &a[2..], &payload)
        });
    }
    m.add("suspend_plain", &["suspend"], &[], &[], &|env, b, a| Conts::new(env).suspend(b, tags.plain, a));
    m.add("suspend_number", &["suspend"], &[types::I64], &[types::I32], &|env, b, a| {
        Conts::new(env).suspend(b, tags.number, a)
    });
    m.add("suspend_object", &["suspend"], &[types::I32, w, w], &[w, w], &|env, b, a| {
        Conts::new(env).suspend(b, tags.object, a)
    });
    m.add("drop", &["cont_drop"], &[w, w], &[], &|env, b, a| {
        Conts::new(env).cont_drop(b, obj(a));
        Ok(vec![])
    });
}

/// `resume` with no, one, two and many handlers, of each kind.
fn resumes(m: &mut Maker, tags: &Tags, w: Type) {
    for (i, payload) in payloads(w).into_iter().enumerate() {
        for handlers in [0usize, 1, 2, 4, 70] {
            if handlers > 2 && i != 1 {
                continue;
            }
            let ct = ContType::new(payload.clone(), payload.clone());
            let params: Vec<Type> = [w, w].into_iter().chain(payload.clone()).collect();
            let ops: &'static [&'static str] = match handlers {
                0 => &["resume"],
                _ => &["resume", "cont_drop"],
            };
            m.add(&format!("resume_{i}_{handlers}"), ops, &params, &payload, &|env, b, a| {
                let number = block(b, &[types::I64, w, w]);
                let object = block(b, &[types::I32, w, w, w, w]);
                let mut clauses: Vec<On> = (0..handlers)
                    .map(|n| if n % 2 == 0 { on(tags.number, number) } else { on(tags.object, object) })
                    .collect();
                if handlers != 1 {
                    clauses.push(on_switch(tags.swap));
                }
                let values = Conts::new(env).resume(b, obj(a), &ct, &a[2..], &clauses)?;
                return_(b, env.abi(), &values);
                let ender = block(b, &[w, w]);
                for (block, from, used) in [(number, 1, handlers >= 1), (object, 3, handlers >= 2)] {
                    b.switch_to_block(block);
                    if used {
                        let k = b.block_params(block)[from..].to_vec();
                        jump(b, ender, &k);
                    } else {
                        b.ins().trap(cranelift_codegen::ir::TrapCode::unwrap_user(Trap::Unreachable.code()));
                    }
                }
                b.switch_to_block(ender);
                let k = b.block_params(ender).to_vec();
                let mut conts = Conts::new(env);
                if handlers > 0 {
                    conts.cont_drop(b, obj(&k));
                }
                conts.trap(b, Trap::Unreachable);
                let last = b.create_block();
                b.switch_to_block(last);
                Ok(values)
            });
        }
    }
}

/// `resume_throw`, with an exception from elsewhere, and with handlers.
fn raises(m: &mut Maker, tags: &Tags, w: Type) {
    let ct = ContType::new(vec![types::I64], vec![types::I64, types::F32]);
    m.add("raise_0", &["resume_throw"], &[w, w, w], &ct.results.clone(), &|env, b, a| {
        Conts::new(env).resume_throw_ref(b, obj(a), &ct, a[2], &[])
    });
    for handlers in [1usize, 3] {
        m.add(&format!("raise_{handlers}"), &["resume_throw"], &[w, w, w], &[w, w], &|env, b, a| {
            let arm = block(b, &[types::I64, w, w]);
            let clauses: Vec<On> = (0..handlers).map(|_| on(tags.number, arm)).collect();
            Conts::new(env).resume_throw_ref(b, obj(a), &ct, a[2], &clauses)?;
            let null = ContObj::null(b, env.abi()).words();
            return_(b, env.abi(), &null);
            b.switch_to_block(arm);
            let p = b.block_params(arm).to_vec();
            Ok(p[1..].to_vec())
        });
    }
}

/// Several operations in one function: what an optimiser merges and moves.
fn combined(m: &mut Maker, tags: &Tags, w: Type) {
    let ct = ContType::new(vec![types::I64], vec![types::I64]);
    // a consumer: resumes a generator until it returns
    m.add("consume", &["cont.new", "resume"], &[w, types::I64], &[types::I64], &|env, b, a| {
        let fresh = Conts::new(env).cont_new(b, a[0], &ct)?;
        let head = block(b, &[w, w, types::I64]);
        let arm = block(b, &[types::I64, w, w]);
        jump(b, head, &[fresh.contref, fresh.revision, a[1]]);
        b.switch_to_block(head);
        let p = b.block_params(head).to_vec();
        let out = Conts::new(env).resume(b, obj(&p), &ct, &p[2..], &[on(tags.number, arm)])?;
        return_(b, env.abi(), &out);
        b.switch_to_block(arm);
        let p = b.block_params(arm).to_vec();
        let next = b.ins().iadd_imm_s(p[0], 1);
        jump(b, head, &[p[1], p[2], next]);
        let last = b.create_block();
        b.switch_to_block(last);
        Ok(out)
    });
    // a generator: suspends in a loop
    m.add("generate", &["suspend"], &[types::I64], &[], &|env, b, a| {
        let (head, body, done) = (block(b, &[types::I64]), b.create_block(), b.create_block());
        jump(b, head, &[a[0]]);
        b.switch_to_block(head);
        let n = b.block_params(head)[0];
        b.ins().brif(n, body, &[], done, &[]);
        b.switch_to_block(body);
        Conts::new(env).suspend(b, tags.number, &[n])?;
        let less = b.ins().iadd_imm_s(n, -1);
        jump(b, head, &[less]);
        b.switch_to_block(done);
        Ok(vec![])
    });
    // bind what was just made, then resume it: checks of a known revision
    m.add(
        "chain_of_binds",
        &["cont.bind", "cont.bind", "cont.new", "resume"],
        &[w, types::I64],
        &[types::I64],
        &|env, b, a| {
            let two = ContType::new(vec![types::I64, types::I64, types::I64], vec![types::I64]);
            let one = ContType::new(vec![types::I64, types::I64], vec![types::I64]);
            let mut k = Conts::new(env);
            let c = k.cont_new(b, a[0], &two)?;
            let c = k.cont_bind(b, c, &two, &a[1..])?;
            let c = k.cont_bind(b, c, &one, &a[1..])?;
            k.resume(b, c, &ct, &a[1..], &[])
        },
    );
    // objects in memory: a table of them, with the words side by side
    m.add("from_memory", &["resume"], &[types::I32, types::I64], &[types::I64], &|env, b, a| {
        let abi = *env.abi();
        let index = if w == types::I32 { a[0] } else { b.ins().uextend(w, a[0]) };
        let base = symbol_address(b, &abi, "table", 0);
        let offset = b.ins().imul_imm_s(index, i64::from(ContPlace::size(&abi)));
        let base = b.ins().iadd(base, offset);
        let place = ContPlace { base, offset: 16, flags: MemFlagsData::trusted() };
        let c = place.load(b, &abi);
        let arm = block(b, &[types::I64, w, w]);
        let out = Conts::new(env).resume(b, c, &ct, &a[1..], &[on(tags.number, arm)])?;
        return_(b, env.abi(), &out);
        b.switch_to_block(arm);
        let p = b.block_params(arm).to_vec();
        place.store(b, &abi, obj(&p[1..]));
        Ok(vec![p[0]])
    });
    // either of two objects; the same one twice (which traps the second time)
    m.add("either", &["resume", "resume"], &[w, w, w, w, types::I64], &[types::I64], &|env, b, a| {
        let (one, other) = (b.create_block(), b.create_block());
        let head = block(b, &[w, w]);
        let pick = b.ins().icmp(IntCC::Equal, a[1], a[3]);
        b.ins().brif(pick, one, &[], other, &[]);
        b.switch_to_block(one);
        jump(b, head, &a[..2]);
        b.switch_to_block(other);
        jump(b, head, &a[2..4]);
        b.switch_to_block(head);
        let p = b.block_params(head).to_vec();
        let mut k = Conts::new(env);
        let out = k.resume(b, obj(&p), &ct, &a[4..], &[])?;
        k.resume(b, obj(&a[..2]), &ct, &out, &[])
    });
    // null, tests for it, and a drop of what is not
    m.add("drop_if_any", &["cont_drop"], &[w, w], &[w, w], &|env, b, a| {
        let abi = *env.abi();
        let (some, none) = (b.create_block(), b.create_block());
        let null = obj(a).is_null(b);
        b.ins().brif(null, none, &[], some, &[]);
        b.switch_to_block(some);
        Conts::new(env).cont_drop(b, obj(a));
        b.ins().jump(none, &[]);
        b.switch_to_block(none);
        Ok(ContObj::null(b, &abi).words().to_vec())
    });
    // two coroutines that hand control to each other
    m.add("ping", &["switch", "suspend"], &[w, w, types::I64], &[types::F32], &|env, b, a| {
        let peer = ContType::new(vec![w, w], vec![types::F32, types::I64]);
        let (head, body, done) = (block(b, &[w, w, types::I64]), b.create_block(), b.create_block());
        jump(b, head, a);
        b.switch_to_block(head);
        let p = b.block_params(head).to_vec();
        b.ins().brif(p[2], body, &[], done, &[]);
        b.switch_to_block(body);
        let back = Conts::new(env).switch(b, tags.swap, obj(&p), &peer, &[], &[w, w])?;
        let less = b.ins().iadd_imm_s(p[2], -1);
        jump(b, head, &[back[0], back[1], less]);
        b.switch_to_block(done);
        Conts::new(env).suspend(b, tags.plain, &[])?;
        Ok(vec![b.ins().f32const(1.5)])
    });
    // a table on the frame, and calls of other functions in between
    m.add("host_between", &["host call", "resume", "host call"], &[w, w, types::I64], &[types::I64], &|env, b, a| {
        let mut k = Conts::new(env);
        let x = k.host_call(b, 0, &ct, &a[2..])?;
        let y = k.resume(b, obj(a), &ct, &x, &[])?;
        k.host_call(b, 1, &ct, &y)
    });
}

/// A resume whose handler table the builders put onto the frame.
pub fn table_on_frame(abi: &Abi) -> Sample {
    let w = word(abi);
    let mut inner = SymbolEnv::new(*abi);
    let tag = inner.add_tag("tag_plain", ContType::default());
    let swap = inner.add_tag("tag_swap", ContType::default());
    let mut env = NoTables(inner);
    let signature = {
        let mut s = Signature::new(CallConv::Tail);
        s.params.extend([AbiParam::new(w), AbiParam::new(w)]);
        s.returns.extend((abi.exceptions != Exceptions::None).then_some(AbiParam::new(w)));
        s.returns.extend([AbiParam::new(w), AbiParam::new(w)]);
        s
    };
    let mut func = Function::with_name_signature(UserFuncName::testcase("on_frame"), signature);
    let mut context = FunctionBuilderContext::new();
    let mut b = FunctionBuilder::new(&mut func, &mut context);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    let args = b.block_params(entry).to_vec();
    let arm = block(&mut b, &[w, w]);
    let clauses = [on(tag, arm), On { tag: swap, handler: Handler::Switch }];
    let mut k = Conts::new(&mut env);
    k.resume(&mut b, obj(&args), &ContType::default(), &[], &clauses).expect("right types");
    let null = ContObj::null(&mut b, abi).words();
    return_(&mut b, abi, &null);
    b.switch_to_block(arm);
    let p = b.block_params(arm).to_vec();
    return_(&mut b, abi, &p);
    b.seal_all_blocks();
    b.finalize(frontend_config(abi));
    Sample { name: "on_frame".into(), func, operations: &["resume"] }
}

struct NoTables(SymbolEnv);

impl ContEnv for NoTables {
    fn abi(&self) -> &Abi {
        self.0.abi()
    }
    fn store(&mut self, b: &mut FunctionBuilder<'_>) -> Value {
        self.0.store(b)
    }
    fn tag(&mut self, b: &mut FunctionBuilder<'_>, tag: TagId) -> Value {
        self.0.tag(b, tag)
    }
    fn tag_type(&self, tag: TagId) -> Option<ContType> {
        self.0.tag_type(tag)
    }
    fn runtime(&mut self, func: &mut Function, f: &RuntimeFn) -> cranelift_codegen::ir::FuncRef {
        self.0.runtime(func, f)
    }
    fn handler_table(&mut self, _: &mut FunctionBuilder<'_>, _: &[TagId], _: &[TagId]) -> Option<Value> {
        None
    }
}

/// The runtime functions, and entry trampolines of several signatures.
pub fn runtime(abi: &Abi) -> Vec<Sample> {
    let w = word(abi);
    let wanted = RuntimeFn::FOR_HOST
        .into_iter()
        .chain([RuntimeFn::SearchSuspend, RuntimeFn::SearchSwitch, RuntimeFn::Grow, RuntimeFn::Drop])
        .chain(payloads(w).into_iter().map(|p| RuntimeFn::Enter(ContType::new(p.clone(), p))));
    let mut out = vec![];
    let mut context = FunctionBuilderContext::new();
    required_by(wanted, |f| {
        let mut env = SymbolEnv::new(*abi);
        let func = f.define(&mut env, &mut context)?;
        let operations: &'static [&'static str] = match f {
            RuntimeFn::Entry if abi.exceptions != Exceptions::None => &["enter", "return", "throw"],
            RuntimeFn::Entry => &["enter", "return"],
            RuntimeFn::Trap => &["trap"],
            RuntimeFn::Invoke => &["invoke"],
            RuntimeFn::Drop => &["end"],
            RuntimeFn::Reclaim => &["end"],
            _ => &[],
        };
        out.push(Sample { name: f.name(), func, operations });
        Ok::<_, LowerError>(env.requested().to_vec())
    })
    .expect("the runtime's values fit");
    out
}
