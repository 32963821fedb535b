//! Programs that the tests run, made with the builders.
#![allow(dead_code, reason = "each test uses a part")]
#![allow(unsafe_code)]

use clif_cont_abi::{Isa, SwitchModel, Trap};
use clif_cont_link::{FunctionCx, Linker};
use clif_cont_lowering::{ContObj, ContType, TagId, on};
use clif_cont_program::target::OptLevel;
use clif_cont_program::{Finished, Host, HostError, HostImport, Invoker, Program, Target, Val, ValType};
use clif_cont_runner::{Jit, Options};
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{InstBuilder, Value, condcodes::IntCC};

/// The host's ISA in each of its switch models, at each level.
pub(crate) fn lanes() -> Vec<(Target, OptLevel)> {
    let isa = Isa::host().expect("Cranelift compiles for this host");
    let models = isa.switch_models().iter().filter(|m| **m != SwitchModel::HostCall);
    models.flat_map(|m| OptLevel::ALL.map(|opt| (Target::with_switch(isa, *m).unwrap(), opt))).collect()
}

/// `sum(n)`: adds up what a generator of 1, 2, 3, ... suspends with. The
/// generator is told a factor by each resume, and traps with "unreachable" at
/// `boom`. `fall(n)` recurses n deep. `stale()` uses a continuation twice.
/// `ask(n)`: calls `env.ask` on a continuation. `lost()` suspends unhandled.
pub(crate) fn program(target: Target) -> Program {
    let mut l = Linker::new(target);
    let word = l.word_type();
    let tag = l.tag("yield", ContType::new([I64], [I64]));
    let nobody = l.tag("nobody", ContType::default());
    let ask = l.import("env", "ask", &[ValType::I32, ValType::F64, ValType::I64], &[ValType::I64, ValType::I32]);
    let tell = l.import("env", "tell", &[ValType::I64], &[]);
    let gen_ty = ContType::new([I64, I64], []);

    l.declare("generate", gen_ty.clone());
    l.define("generate", |f| generate(f, tag)).unwrap();

    l.declare("sum", ContType::new([I64, I64], [I64]));
    l.define("sum", |f| {
        let [head, body, done, got] = std::array::from_fn(|_| f.b.create_block());
        let [contref, revision, count, sum] = [word, word, I64, I64].map(|ty| f.b.append_block_param(head, ty));
        let [item, next_contref, next_revision] = [I64, word, word].map(|ty| f.b.append_block_param(got, ty));
        let callee = f.address("generate")?;
        let (n, boom) = (f.params[0], f.params[1]);
        let (mut k, b) = f.conts();
        let fresh = k.cont_new(b, callee, &gen_ty)?;
        let one = b.ins().iconst(I64, 1);
        let fresh = k.cont_bind(b, fresh, &gen_ty, &[boom])?;
        let zero = b.ins().iconst(I64, 0);
        b.ins().jump(head, &[fresh.contref.into(), fresh.revision.into(), n.into(), zero.into()]);
        b.switch_to_block(head);
        b.ins().brif(count, body, &[], done, &[]);
        b.switch_to_block(body);
        let rest = ContType::new([I64], []);
        k.resume(b, ContObj { contref, revision }, &rest, &[one], &[on(tag, got)])?;
        b.ins().return_(&[sum]);
        b.switch_to_block(got);
        let count = b.ins().iadd_imm_s(count, -1);
        let more = b.ins().iadd(sum, item);
        b.ins().jump(head, &[next_contref.into(), next_revision.into(), count.into(), more.into()]);
        b.switch_to_block(done);
        k.cont_drop(b, ContObj { contref, revision });
        b.ins().return_(&[sum]);
        Ok(())
    })
    .unwrap();

    l.declare("fall", ContType::new([I64], [I64]));
    l.define("fall", |f| {
        let n = f.params[0];
        let (deeper, end) = (f.b.create_block(), f.b.create_block());
        f.b.ins().brif(n, deeper, &[], end, &[]);
        f.b.switch_to_block(deeper);
        let less = f.b.ins().iadd_imm_s(n, -1);
        let below = f.call("fall", &[less])?[0];
        let here = f.b.ins().iadd_imm_s(below, 1);
        f.b.ins().return_(&[here]);
        f.b.switch_to_block(end);
        f.b.ins().return_(&[n]);
        Ok(())
    })
    .unwrap();

    l.declare("stale", ContType::default());
    l.define("stale", |f| {
        let callee = f.address("fall")?;
        let (mut k, b) = f.conts();
        let ty = ContType::new([I64], [I64]);
        let fresh = k.cont_new(b, callee, &ty)?;
        let one = b.ins().iconst(I64, 1);
        k.resume(b, fresh, &ty, &[one], &[])?;
        k.resume(b, fresh, &ty, &[one], &[])?;
        b.ins().return_(&[]);
        Ok(())
    })
    .unwrap();

    l.declare("asker", ContType::new([I64], [I64, I32]));
    l.define("asker", |f| {
        let n = f.params[0];
        let (mut k, b) = f.conts();
        let small = b.ins().iconst(I32, -7);
        let half = b.ins().f64const(0.5);
        let ty = ContType::new([I32, cranelift_codegen::ir::types::F64, I64], [I64, I32]);
        let results = k.host_call(b, ask, &ty, &[small, half, n])?;
        b.ins().return_(&results);
        Ok(())
    })
    .unwrap();
    l.declare("ask", ContType::new([I64], [I64, I32]));
    l.define("ask", |f| {
        let callee = f.address("asker")?;
        let n = f.params[0];
        let (mut k, b) = f.conts();
        let ty = ContType::new([I64], [I64, I32]);
        let fresh = k.cont_new(b, callee, &ty)?;
        let results = k.resume(b, fresh, &ty, &[n], &[])?;
        b.ins().return_(&results);
        Ok(())
    })
    .unwrap();
    l.declare("tell", ContType::new([I64], []));
    l.define("tell", |f| {
        let n = f.params[0];
        let (mut k, b) = f.conts();
        k.host_call(b, tell, &ContType::new([I64], []), &[n])?;
        b.ins().return_(&[]);
        Ok(())
    })
    .unwrap();
    l.declare("lost", ContType::default());
    l.define("lost", |f| {
        let (mut k, b) = f.conts();
        k.suspend(b, nobody, &[])?;
        b.ins().return_(&[]);
        Ok(())
    })
    .unwrap();

    use ValType as T;
    l.export("sum", &[T::I64, T::I64], &[T::I64]);
    l.export("fall", &[T::I64], &[T::I64]);
    l.export("stale", &[], &[]);
    l.export("ask", &[T::I64], &[T::I64, T::I32]);
    l.export("tell", &[T::I64], &[]);
    l.export("lost", &[], &[]);
    l.finish().unwrap()
}

fn generate(f: &mut FunctionCx<'_, '_>, tag: TagId) -> Result<(), clif_cont_lowering::LowerError> {
    let (boom, factor) = (f.params[0], f.params[1]);
    let (head, good, bad) = (f.b.create_block(), f.b.create_block(), f.b.create_block());
    let [i, factor_now]: [Value; 2] = std::array::from_fn(|_| f.b.append_block_param(head, I64));
    let one = f.b.ins().iconst(I64, 1);
    f.b.ins().jump(head, &[one.into(), factor.into()]);
    f.b.switch_to_block(head);
    let now = f.b.ins().icmp(IntCC::Equal, i, boom);
    f.b.ins().brif(now, bad, &[], good, &[]);
    let (mut k, b) = f.conts();
    b.switch_to_block(bad);
    k.trap(b, Trap::Unreachable);
    b.switch_to_block(good);
    let item = b.ins().imul(i, factor_now);
    let told = k.suspend(b, tag, &[item])?;
    let next = b.ins().iadd_imm_s(i, 1);
    b.ins().jump(head, &[next.into(), told[0].into()]);
    Ok(())
}

/// What the host does for `env.ask` and `env.tell`.
pub(crate) enum Ask {
    /// `ask(a, b, c)` gives `(a * b * c, a)`.
    Compute,
    /// `ask` invokes `sum(c, 0)`.
    Sum,
    /// `ask` invokes `tell(c)`, which calls the host.
    Tell,
    /// `ask` invokes `ask`, for ever.
    Forever,
    /// `ask` invokes `stale`.
    Stale,
    /// Errors, panics, and values of other types.
    Fail,
    Panic,
    Wrong,
}

pub(crate) struct TestHost {
    pub(crate) ask: Ask,
    pub(crate) told: std::rc::Rc<std::cell::RefCell<Vec<String>>>,
}

impl Host for TestHost {
    fn call(&self, import: &HostImport, args: &[Val], program: &mut dyn Invoker) -> Result<Vec<Val>, HostError> {
        if import.name == "tell" {
            self.told.borrow_mut().push(args[0].to_string());
            return Ok(vec![]);
        }
        let &[Val::I32(a), Val::F64(b), Val::I64(c)] = args else { panic!("{args:?}") };
        match self.ask {
            Ask::Compute => Ok(vec![Val::I64((f64::from(a) * f64::from_bits(b) * c as f64) as i64), Val::I32(a)]),
            Ask::Sum => {
                let outcome = program.invoke("sum", &[Val::I64(c), Val::I64(0)]);
                let clif_cont_program::Outcome::Returned(v) = outcome else { panic!("{outcome:?}") };
                Ok(vec![v[0], Val::I32(1)])
            }
            Ask::Tell => {
                let outcome = program.invoke("tell", &[Val::I64(c)]);
                self.told.borrow_mut().push(format!("{outcome:?}"));
                Ok(vec![Val::I64(0), Val::I32(2)])
            }
            Ask::Forever => match program.invoke("ask", &[Val::I64(c)]) {
                clif_cont_program::Outcome::Trapped(t) => Err(HostError(t.detail.unwrap_or_default())),
                other => panic!("{other:?}"),
            },
            Ask::Stale => {
                let outcome = program.invoke("stale", &[]);
                let clif_cont_program::Outcome::Trapped(t) = outcome else { panic!("{outcome:?}") };
                Ok(vec![Val::I64(t.trap.code().into()), Val::I32(3)])
            }
            Ask::Fail => Err(HostError("no answer".into())),
            Ask::Panic => panic!("the answer is lost"),
            Ask::Wrong => Ok(vec![Val::I32(1), Val::I32(1)]),
        }
    }
}

/// What the tests run was made with the builders, or written for them.
pub(crate) fn finished(program: Program, opt: OptLevel) -> Finished {
    // SAFETY: see above.
    unsafe { Finished::unverified(program, opt) }.unwrap_or_else(|e| panic!("{e}"))
}

pub(crate) fn jit(target: Target, opt: OptLevel, ask: Ask) -> (Jit, std::rc::Rc<std::cell::RefCell<Vec<String>>>) {
    let told = std::rc::Rc::default();
    let host = TestHost { ask, told: std::rc::Rc::clone(&told) };
    let program = finished(program(target), opt);
    (Jit::new(&program, Box::new(host), Options::default()).expect("a valid program"), told)
}
