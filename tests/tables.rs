//! A table of continuations, used from the builders alone: every operation on
//! it, and what it traps on, natively and under the interpreter.

#![allow(clippy::print_stdout, reason = "a test")]

use std::collections::BTreeMap;

use clif_cont::abi::{Abi, Isa, Table, Trap};
use clif_cont::finish::finish;
use clif_cont::interp::Interp;
use clif_cont::link::{LinkError, Linker};
use clif_cont::lowering::{ContObj, ContPlace, ContTable, ContType};
use clif_cont::program::target::OptLevel;
use clif_cont::program::{Data, DataItem, Instance, NoHost, Outcome, Program, Target, Val, ValType};
use clif_cont::runner::Jit;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{InstBuilder, Value};

const CAPACITY: u64 = 8;

fn table_data(abi: &Abi) -> [Data; 2] {
    let data = |name: &str, size, items| Data {
        name: name.into(),
        writable: true,
        align: 16,
        size,
        items: BTreeMap::from_iter(items),
        comment: None,
    };
    let at = |field: &clif_cont::abi::Field| field.offset(abi) as u64;
    let record = [
        (at(&Table::BASE), DataItem::Symbol("elements".into())),
        (at(&Table::LENGTH), DataItem::Word(2)),
        (at(&Table::CAPACITY), DataItem::Word(CAPACITY)),
    ];
    let elements = data("elements", CAPACITY * u64::from(ContPlace::size(abi)), vec![]);
    [data("table", Table::bytes(abi).into(), record.to_vec()), elements]
}

/// `grow(d)`, `copy(to, from, n)`, `put(i, x)`: a continuation that returns x,
/// `fill(i, n, x)`: the same object n times, `run(i)`: what element i returns.
fn program(target: Target) -> Result<Program, LinkError> {
    let mut p = Linker::new(target);
    let ct = ContType::new([I64], [I64]);
    let ready = ContType::new([], [I64]);
    for data in table_data(p.abi()) {
        p.data(data);
    }
    p.declare("identity", ct.clone());
    p.define("identity", |f| {
        let x = f.params[0];
        f.b.ins().return_(&[x]);
        Ok(())
    })?;
    let abi = *p.abi();
    let mut define = |name: &str, params: usize, body: &dyn Fn(&mut Emit<'_, '_, '_>, &[Value]) -> Value| {
        p.declare(name, ContType::new(vec![I64; params], [I64]));
        p.define(name, |f| {
            let params = f.params.clone();
            let record = f.data("table");
            let identity = f.address("identity")?;
            let (k, b) = f.conts();
            let mut emit = Emit { k, b, table: ContTable { record }, identity, ct: &ct };
            let result = body(&mut emit, &params);
            emit.b.ins().return_(&[result]);
            Ok(())
        })?;
        p.export(name, &vec![ValType::I64; params], &[ValType::I64]);
        Ok::<_, LinkError>(())
    };
    define("put", 2, &|e, a| {
        let obj = e.object(a[1]);
        e.k.table_set(e.b, e.table, a[0], obj);
        a[1]
    })?;
    define("fill", 3, &|e, a| {
        let obj = e.object(a[2]);
        e.k.table_fill(e.b, e.table, a[0], obj, a[1]);
        a[2]
    })?;
    define("copy", 3, &|e, a| {
        e.k.table_copy(e.b, (e.table, a[0]), (e.table, a[1]), a[2]);
        a[2]
    })?;
    define("grow", 1, &|e, a| {
        let null = ContObj::null(e.b, &abi);
        e.k.table_grow(e.b, e.table, null, a[0])
    })?;
    define("size", 0, &|e, _| e.k.table_size(e.b, e.table))?;
    define("run", 1, &|e, a| {
        let obj = e.k.table_get(e.b, e.table, a[0]);
        e.k.resume(e.b, obj, &ready, &[], &[]).expect("types agree")[0]
    })?;
    p.finish()
}

struct Emit<'e, 'f, 'b> {
    k: clif_cont::lowering::Conts<'e, clif_cont::lowering::SymbolEnv>,
    b: &'f mut cranelift_frontend::FunctionBuilder<'b>,
    table: ContTable,
    identity: Value,
    ct: &'e ContType,
}

impl Emit<'_, '_, '_> {
    /// A continuation that is ready to return `x`.
    fn object(&mut self, x: Value) -> ContObj {
        let fresh = self.k.cont_new(self.b, self.identity, self.ct).expect("it fits");
        self.k.cont_bind(self.b, fresh, self.ct, &[x]).expect("types agree")
    }
}

fn exercise(instance: &mut dyn Instance) {
    let mut call = |name: &str, args: &[i64]| {
        let args: Vec<Val> = args.iter().map(|x| Val::I64(*x)).collect();
        match instance.invoke(name, &args).expect("an export") {
            Outcome::Returned(values) => match values[..] {
                [Val::I64(x)] => Ok(x),
                _ => panic!("{name}: {values:?}"),
            },
            Outcome::Trapped(t) => Err(t.trap),
            other => panic!("{name}: {other:?}"),
        }
    };
    assert_eq!(call("size", &[]), Ok(2));
    assert_eq!(call("run", &[0]), Err(Trap::NullContinuation));
    assert_eq!(call("run", &[2]), Err(Trap::TableOutOfBounds));
    assert_eq!(call("put", &[-1, 5]), Err(Trap::TableOutOfBounds));
    assert_eq!(call("grow", &[4]), Ok(2));
    assert_eq!(call("grow", &[3]), Ok(-1), "beyond the capacity");
    assert_eq!(call("size", &[]), Ok(6));
    assert_eq!(call("run", &[5]), Err(Trap::NullContinuation));
    // an object is one however often it is in the table
    assert_eq!(call("fill", &[1, 3, 7]), Ok(7));
    assert_eq!(call("run", &[2]), Ok(7));
    assert_eq!(call("run", &[3]), Err(Trap::Consumed));
    assert_eq!(call("fill", &[4, 3, 7]), Err(Trap::TableOutOfBounds));
    assert_eq!(call("fill", &[6, 0, 7]), Ok(7), "nothing at the very end");
    // overlapping
    for i in 0..3 {
        assert_eq!(call("put", &[i, 10 + i]), Ok(10 + i));
    }
    assert_eq!(call("copy", &[1, 0, 3]), Ok(3));
    assert_eq!([1, 2, 3].map(|i| call("run", &[i])), [Ok(10), Ok(11), Ok(12)]);
    assert_eq!(call("run", &[0]), Err(Trap::Consumed), "the copy was used");
    assert_eq!(call("copy", &[4, 0, 3]), Err(Trap::TableOutOfBounds));
    assert_eq!(call("copy", &[0, 1, -1]), Err(Trap::TableOutOfBounds));
}

#[test]
fn natively() {
    let Some(target) = Target::host() else {
        println!("skipped: no code for this machine");
        return;
    };
    let program = finish(&program(target).expect("it links"), OptLevel::None).expect("it keeps the protocol");
    exercise(&mut Jit::new(&program, Box::new(NoHost), Default::default()).expect("it compiles"));
}

#[test]
fn interpreted() {
    for isa in [Isa::X86_64, Isa::S390x, Isa::Pulley64be] {
        let program = program(Target::new(isa)).expect("it links");
        let program = finish(&program, OptLevel::None).expect("it keeps the protocol");
        exercise(&mut Interp::new(&program, Box::new(NoHost), Default::default()).expect("it loads"));
    }
}
