//! Host functions that are called inside of a continuation and invoke the program
//! again, several deep, on every backend. Each invocation has a chain of stacks of
//! its own: a suspend in it is not handled by what is around the host function.

use std::cell::Cell;
use std::rc::Rc;

use clif_cont::abi::{Isa, Trap};
use clif_cont::program::target::OptLevel;
use clif_cont::program::{HOST_STACK, Host, HostError, HostImport, INVOCATION_STACK, Invoker, Outcome, Val};
use clif_cont::protocol::Protocol;
use clif_cont::script::{BOUND, Backend, Place};
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
            let mut backend = Backend { place, opt, bound: BOUND, protocol: Protocol::VERIFY };
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

/// Takes what a host function may take of the stack, then invokes the program again, and
/// keeps the least that was left of the stack where a call of it began.
struct Deep(Rc<Cell<usize>>);

/// Touches that much of the stack.
#[inline(never)]
fn take(bytes: usize) -> u8 {
    const FRAME: usize = 1024;
    let frame = [bytes as u8; FRAME];
    let below = if bytes > 2 * FRAME { take(bytes - FRAME - FRAME / 4) } else { 0 };
    std::hint::black_box(&frame)[bytes % FRAME] ^ below
}

impl Host for Deep {
    fn call(&self, _: &HostImport, args: &[Val], program: &mut dyn Invoker) -> Result<Vec<Val>, HostError> {
        let left = stacker::remaining_stack().unwrap_or(0);
        self.0.set(self.0.get().min(left));
        take(HOST_STACK - 8192);
        match program.invoke("nest", args) {
            Outcome::Returned(values) => Ok(values),
            // the innermost reason, once
            Outcome::Trapped(t) => Err(HostError(t.detail.unwrap_or_default())),
            other => Err(HostError(format!("{other:?}"))),
        }
    }
}

/// The smallest stack of a thread, in KiB.
const LEAST_KIB: usize = 48;

#[test]
fn invocations_nest_as_deep_as_the_stack_of_the_thread_allows() {
    let mut deepest = 0;
    for place in Place::all().into_iter().filter(|p| p.available().reason().is_none()) {
        let mut backend = Backend { place, opt: OptLevel::None, bound: BOUND, protocol: Protocol::VERIFY };
        let program = clif_cont::wasm::compile(SOURCE.as_bytes(), "deep.wat", backend.target(), &Default::default());
        let least = Rc::new(Cell::new(usize::MAX));
        let host = Box::new(Deep(Rc::clone(&least)));
        let mut instance = backend.instantiate(&program.expect("it compiles"), host).expect("an instance");
        let mut nest = |levels: i32| instance.invoke("nest", &[Val::I32(levels)]).expect("an export");
        let mut stopped_by_stack = 0;
        for kib in (LEAST_KIB..400).step_by(11).chain([8192]) {
            let bytes = kib << 10;
            match stacker::grow(bytes, || nest(1000)) {
                Outcome::Trapped(t) if t.trap == Trap::StackExhausted => {
                    assert!(bytes < 2 * INVOCATION_STACK, "{place}")
                }
                Outcome::Trapped(t) if t.trap == Trap::Host => {
                    let detail = t.detail.unwrap_or_default();
                    let by_stack = detail.contains("left of the thread's stack");
                    assert!(by_stack || detail.contains("invocations within each other"), "{place}: {detail}");
                    assert!(!by_stack || kib < 400, "{kib} KiB on {place}: {detail}");
                    stopped_by_stack += u32::from(by_stack);
                }
                other => panic!("{kib} KiB on {place}: {other:?}"),
            }
        }
        assert!(least.get() >= HOST_STACK, "{place}: a host function has {} bytes", least.get());
        assert!(stopped_by_stack > 0, "{place}: no stack was small enough");
        assert_eq!(nest(3), Outcome::Returned(vec![Val::I32(110)]), "{place}");
        deepest = deepest.max(INVOCATION_STACK - least.get().min(INVOCATION_STACK));
        println!("{place}: at least {} bytes for a host function", least.get());
    }
    println!("an invocation takes up to {deepest} bytes before it calls the host");
}

/// A whole instance on a small thread: made, initialised, invoked.
#[test]
fn a_thread_with_a_small_stack_makes_and_invokes_an_instance() {
    for place in Place::all().into_iter().filter(|p| p.available().reason().is_none()) {
        let run = move || {
            let mut backend = Backend { place, opt: OptLevel::None, bound: BOUND, protocol: Protocol::VERIFY };
            let program =
                clif_cont::wasm::compile(SOURCE.as_bytes(), "small.wat", backend.target(), &Default::default());
            let host = Box::new(Deep(Rc::default()));
            let mut instance = backend.instantiate(&program.expect("it compiles"), host).expect("an instance");
            instance.invoke("nest", &[Val::I32(1000)])
        };
        let thread = std::thread::Builder::new().stack_size(256 << 10).spawn(run).expect("a thread");
        let outcome = thread.join().expect("no panic");
        assert!(matches!(&outcome, Ok(Outcome::Trapped(t)) if t.trap == Trap::Host), "{place}: {outcome:?}");
    }
}
