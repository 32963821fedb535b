//! Host functions that are called inside of a continuation and invoke the program
//! again, several deep, on every backend. Each invocation has a chain of stacks of
//! its own: a suspend in it is not handled by what is around the host function.

use clif_cont::abi::{Isa, Trap};
use clif_cont::program::target::OptLevel;
use clif_cont::program::{Host, HostError, HostImport, Invoker, Outcome, Val};
use clif_cont::protocol::Protocol;
use clif_cont::script::{Backend, FUEL, Place};
use clif_cont::wast::Backend as _;

const SOURCE: &str = r#"(module
  (type $f (func (param i32) (result i32))) (type $k (cont $f))
  (import "host" "again" (func $again (type $f)))
  (tag $ask (param i32) (result i32))
  ;; the innermost asks, the others call the host, which invokes `nest`
  (func $body (type $f)
    (if (i32.eqz (local.get 0)) (then (return (suspend $ask (i32.const 100)))))
    (i32.add (i32.const 1) (call $again (i32.sub (local.get 0) (i32.const 1)))))
  (func $alone (type $f) (i32.add (call $again (i32.const -1)) (suspend $ask (local.get 0))))
  (elem declare func $body $alone)
  (func $answer (param $k (ref $k)) (param i32) (result i32)
    (local $asked i32)
    (block $asked (result i32 (ref $k))
      (return (resume $k (on $ask $asked) (local.get 1) (local.get $k))))
    (local.set $k) (local.set $asked)
    (return_call $answer (local.get $k) (i32.add (local.get $asked) (i32.const 7))))
  (func (export "nest") (type $f) (call $answer (cont.new $k (ref.func $body)) (local.get 0)))
  (func (export "alone") (type $f) (call $answer (cont.new $k (ref.func $alone)) (local.get 0)))
  (func (export "bare") (type $f) (suspend $ask (local.get 0))))"#;

struct Again;

impl Host for Again {
    fn call(&self, _: &HostImport, args: &[Val], program: &mut dyn Invoker) -> Result<Vec<Val>, HostError> {
        match args {
            [Val::I32(-1)] => match program.invoke("bare", &[Val::I32(1)]) {
                Outcome::Trapped(t) if t.trap == Trap::UnhandledTag => Ok(vec![Val::I32(1000)]),
                other => Err(HostError(format!("{other:?}"))),
            },
            _ => match program.invoke("nest", args) {
                Outcome::Returned(values) => Ok(values),
                other => Err(HostError(format!("{other:?}"))),
            },
        }
    }
}

#[test]
fn host_functions_invoke_the_program_out_of_continuations() {
    let mut places = Place::all();
    places.extend([Isa::S390x, Isa::Pulley32, Isa::Pulley32be].map(Place::Interpreter));
    let mut ran = 0;
    for place in places.into_iter().filter(|p| p.available().reason().is_none()) {
        for opt in OptLevel::ALL {
            let mut backend = Backend { place, opt, fuel: FUEL, protocol: Protocol::VERIFY };
            let program =
                clif_cont::wasm::compile(SOURCE.as_bytes(), "reentry.wat", backend.target(), &Default::default())
                    .expect("it compiles");
            let mut instance =
                backend.instantiate(&program, Box::new(Again)).unwrap_or_else(|e| panic!("{place}: {e}"));
            let mut returns = |export: &str, arg: i32, result: i32| {
                let outcome = instance.invoke(export, &[Val::I32(arg)]);
                assert_eq!(outcome, Ok(Outcome::Returned(vec![Val::I32(result)])), "{export}({arg}) on {place}");
            };
            for levels in [0, 1, 2, 12] {
                returns("nest", levels, 107 + levels);
            }
            // the handler serves the continuation that the host was called from, once the host is back
            returns("alone", 30, 1037);
            ran += 1;
        }
    }
    assert!(ran >= 8, "{ran}");
}
