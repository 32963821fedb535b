//! Host functions by way of the host interface, without a runtime around.

use std::cell::RefCell;
use std::rc::Rc;

use clif_cont_abi::{Abi, Isa, StoreContext, Trap};
use clif_cont_program::{Host, HostError, HostImport, Instance, Invoker, Outcome, Program, Val, ValType};

use super::{assert_contains, data, program, violation};
use crate::{Interp, Options};

type Log = Rc<RefCell<Vec<(String, Vec<Val>)>>>;

/// Notes each call and gives the arguments back in reverse.
struct Echo(Log);

impl Host for Echo {
    fn call(&self, import: &HostImport, args: &[Val], program: &mut dyn Invoker) -> Result<Vec<Val>, HostError> {
        self.0.borrow_mut().push((import.name.clone(), args.to_vec()));
        match import.name.as_str() {
            "fail" => Err(HostError("no luck".to_owned())),
            "again" => match program.invoke("g", &[]) {
                Outcome::Returned(values) => Ok(values),
                other => Err(HostError(format!("{other:?}"))),
            },
            _ => Ok(args.iter().rev().copied().collect()),
        }
    }
}

/// `%f(index)` calls the import of that index with the payload (5: i32, 6: i64)
/// and gives the code, and the first and the last slot.
fn caller(isa: Isa) -> Program {
    let abi = Abi::new(isa, isa.switch_models()[0]);
    let text = format!(
        "function %f(WORD) -> i32, i64, i64 {{
            gv0 = symbol colocated %cc_store
            gv1 = symbol colocated %contref
            fn0 = %cc_host_call(WORD) -> i32
        block0(v0: WORD):
            v1 = symbol_value.WORD gv0
            store v0, v1+{host_function}
            v2 = symbol_value.WORD gv1
            v3 = iconst.i32 5
            store v3, v2+{slot1}
            v4 = iconst.i64 -6
            store v4, v2+{slot0}
            v5 = call fn0(v2)
            v6 = load.i64 v2+{slot0}
            v7 = load.i64 v2+{slot1}
            return v5, v6, v7
        }}
        function %g() -> i64, i64 {{
        block0:
            v0 = iconst.i64 1
            v1 = iconst.i64 2
            return v0, v1
        }}",
        host_function = StoreContext::HOST_FUNCTION.offset(&abi),
        slot0 = abi.payload_offset(0),
        slot1 = abi.payload_offset(1),
    );
    let mut p = program(isa, &text.replace("WORD", if isa.width().bytes() == 4 { "i32" } else { "i64" }));
    p.data = vec![data("cc_store", 128, 64), data("contref", 1024, 64)];
    let import = |name: &str, results: &[ValType]| HostImport {
        module: "m".to_owned(),
        name: name.to_owned(),
        params: vec![ValType::I32, ValType::I64],
        results: results.to_vec(),
    };
    p.imports = vec![
        import("echo", &[ValType::I64, ValType::I32]),
        import("fail", &[]),
        import("liar", &[ValType::F32]),
        import("again", &[ValType::I64, ValType::I64]),
    ];
    p.exports = vec![clif_cont_program::Export {
        name: "g".to_owned(),
        function: "g".to_owned(),
        enter: "cc_enter_".to_owned(),
        params: vec![],
        results: vec![ValType::I64, ValType::I64],
    }];
    p
}

fn start(isa: Isa) -> (Interp, Log) {
    let log = Log::default();
    let interp = Interp::unverified(caller(isa), Box::new(Echo(Rc::clone(&log))), Options::default());
    (interp.unwrap_or_else(|e| panic!("{e}")), log)
}

#[test]
fn arguments_and_results_are_in_the_payload() {
    for isa in Isa::ALL {
        let (mut interp, log) = start(isa);
        let index = if isa.width().bytes() == 4 { Val::I32(0) } else { Val::I64(0) };
        let args = vec![Val::I32(5), Val::I64(-6)];
        let high = |v: u32| if isa.order() == clif_cont_abi::ByteOrder::Big { i64::from(v) << 32 } else { v.into() };
        // the results: -6 in slot 1 (i64), 5 in slot 0 (i32, over the -6 there)
        let slot0 = match isa.order() {
            clif_cont_abi::ByteOrder::Big => high(5) | 0xffff_fffa,
            clif_cont_abi::ByteOrder::Little => high(5) | (-1i64 << 32),
        };
        let expected = vec![Val::I32(0), Val::I64(slot0), Val::I64(-6)];
        assert_eq!(interp.invoke("f", &[index]).unwrap(), Outcome::Returned(expected), "{}", isa.name());
        assert_eq!(*log.borrow(), [("echo".to_owned(), args)]);
    }
}

#[test]
fn a_failing_host_function_gives_a_trap_code() {
    let (mut interp, _) = start(Isa::X86_64);
    for index in [1, 2] {
        match interp.invoke("f", &[Val::I64(index)]).unwrap() {
            Outcome::Returned(v) => assert_eq!(v[0], Val::I32(Trap::Host.code().into())),
            other => panic!("{other:?}"),
        }
    }
    let outcome = interp.invoke("f", &[Val::I64(9)]).unwrap();
    assert_contains(violation(&outcome), "call of host function 9, which does not exist");
}

#[test]
fn a_host_function_can_invoke_the_program() {
    let (mut interp, log) = start(Isa::X86_64);
    let expected = vec![Val::I32(0), Val::I64(2), Val::I64(1)];
    assert_eq!(interp.invoke("f", &[Val::I64(3)]).unwrap(), Outcome::Returned(expected));
    assert_eq!(log.borrow().len(), 1);
}
