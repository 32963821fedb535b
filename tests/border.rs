//! What passes between a program and its host, on every backend: objects belong to the
//! instance that they came from and have a type, and a host that panics has failed.

mod common;

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{panic_any, resume_unwind};
use std::rc::Rc;

use clif_cont::abi::Trap;
use clif_cont::program::{Host, HostError, HostImport, Instance, InvokeError, Invoker, Mismatch, Outcome, Val};
use clif_cont::script::Backend;
use clif_cont::wast::Backend as _;
use common::{everywhere, ran};

const SOURCE: &str = r#"(module
  (type $f (func (result i32))) (type $k (cont $f))
  (type $g (func (param i32) (result i32))) (type $other (cont $g))
  (import "host" "keep" (func $keep (param (ref null $k)) (result (ref null $k))))
  (import "host" "panic" (func $panic))
  (func $seven (type $f) (i32.const 7))
  (func $same (type $g) (local.get 0))
  (elem declare func $seven $same)
  (func (export "make") (result (ref $k)) (cont.new $k (ref.func $seven)))
  (func (export "make_other") (result (ref $other)) (cont.new $other (ref.func $same)))
  (func (export "make_func") (result funcref) (ref.func $seven))
  (func (export "none") (result (ref null $k)) (ref.null $k))
  (func (export "run") (param (ref null $k)) (result i32) (resume $k (local.get 0)))
  (func (export "must") (param (ref $k)) (result i32) (resume $k (local.get 0)))
  (func (export "is_null") (param funcref) (result i32) (ref.is_null (local.get 0)))
  (func (export "extern") (param externref) (result externref) (local.get 0))
  (func (export "keep") (result i32) (resume $k (call $keep (cont.new $k (ref.func $seven)))))
  (func (export "panic") (call $panic)))"#;

/// What `keep` gives, if not what it is given, and what `panic` throws.
#[derive(Default)]
struct Keeper {
    instead: Cell<Option<Val>>,
    thrown: RefCell<Option<Box<dyn Any + Send>>>,
}

struct Shared(Rc<Keeper>);

impl Host for Shared {
    fn call(&self, import: &HostImport, args: &[Val], _: &mut dyn Invoker) -> Result<Vec<Val>, HostError> {
        match &*import.name {
            "keep" => Ok(vec![self.0.instead.get().unwrap_or(args[0])]),
            _ => resume_unwind(self.0.thrown.take().unwrap_or_else(|| Box::new("nothing"))),
        }
    }
}

fn start(backend: &mut Backend) -> (Box<dyn Instance>, Rc<Keeper>) {
    let source = SOURCE.as_bytes();
    let program = clif_cont::wasm::compile(source, "border.wat", backend.target(), &Default::default());
    let keeper = Rc::new(Keeper::default());
    let host = Box::new(Shared(Rc::clone(&keeper)));
    let made = backend.instantiate(&program.expect("it compiles"), host);
    (made.unwrap_or_else(|e| panic!("{}: {e}", backend.place)), keeper)
}

fn one(instance: &mut dyn Instance, export: &str, args: &[Val]) -> Val {
    match instance.invoke(export, args) {
        Ok(Outcome::Returned(values)) if values.len() == 1 => values[0],
        other => panic!("{export}{args:?}: {other:?}"),
    }
}

fn trap(instance: &mut dyn Instance, export: &str, args: &[Val]) -> (Trap, Option<String>) {
    match instance.invoke(export, args) {
        Ok(Outcome::Trapped(t)) => (t.trap, t.detail),
        other => panic!("{export}{args:?}: {other:?}"),
    }
}

fn refused(instance: &mut dyn Instance, export: &str, arg: Val) -> Option<Mismatch> {
    match instance.invoke(export, &[arg]) {
        Err(InvokeError::Arguments { .. }) => Some(Mismatch::Type),
        Err(InvokeError::Object { mismatch, .. }) => Some(mismatch),
        _ => None,
    }
}

#[test]
fn an_object_goes_back_to_the_instance_and_the_type_that_it_came_from() {
    let mut count = 0;
    for mut backend in everywhere() {
        let name = format!("{} {}", backend.place, backend.opt.name());
        let (mut own, keeper) = start(&mut backend);
        let own = &mut *own;
        let k = one(own, "make", &[]);
        assert_eq!(one(own, "run", &[k]), Val::I32(7), "{name}");
        assert_eq!(trap(own, "run", &[k]), (Trap::Consumed, None), "{name}");
        assert_eq!(one(own, "none", &[]), Val::NULL_CONT, "{name}");
        assert_eq!(trap(own, "run", &[Val::NULL_CONT]), (Trap::NullContinuation, None), "{name}");
        assert_eq!(refused(own, "must", Val::NULL_CONT), Some(Mismatch::Null), "{name}");

        // of another type, or no object
        let other = one(own, "make_other", &[]);
        let func = one(own, "make_func", &[]);
        for (export, arg) in [
            ("run", other),
            ("run", func),
            ("run", Val::NULL_REF),
            ("run", Val::I64(8)),
            ("is_null", k),
            ("is_null", Val::Extern(Some(8))),
            ("extern", func),
            ("extern", Val::I64(8)),
        ] {
            assert_eq!(refused(own, export, arg), Some(Mismatch::Type), "{name}: {export} {arg:?}");
        }
        assert_eq!(one(own, "is_null", &[func]), Val::I32(0), "{name}");
        assert_eq!(one(own, "is_null", &[Val::NULL_REF]), Val::I32(1), "{name}");
        for number in [None, Some(0), Some(u32::MAX - 1)] {
            assert_eq!(one(own, "extern", &[Val::Extern(number)]), Val::Extern(number), "{name}");
        }

        // of another instance, while it is there and afterwards
        let foreign = {
            let (mut other, _) = start(&mut backend);
            let foreign = one(&mut *other, "make", &[]);
            assert_eq!(refused(own, "run", foreign), Some(Mismatch::Foreign), "{name}");
            assert_eq!(one(&mut *other, "run", &[foreign]), Val::I32(7), "{name}");
            one(&mut *other, "make", &[])
        };
        assert_eq!(refused(own, "run", foreign), Some(Mismatch::Foreign), "{name}");

        // the same of what a host function gives
        assert_eq!(one(own, "keep", &[]), Val::I32(7), "{name}");
        for (given, said) in [
            (foreign, "`host.keep` gave an object of another instance"),
            (func, "`host.keep` gave (ref."),
            (Val::I64(8), "`host.keep` gave (i64)"),
        ] {
            keeper.instead.set(Some(given));
            let (trap, detail) = trap(own, "keep", &[]);
            let detail = detail.unwrap_or_default();
            assert!(trap == Trap::Host && detail.starts_with(said), "{name}: {detail}");
        }
        keeper.instead.set(Some(Val::NULL_CONT));
        assert_eq!(trap(own, "keep", &[]), (Trap::NullContinuation, None), "{name}");
        count += 1;
    }
    ran("objects", count);
}

/// Panics when it is dropped, and so does what it throws then.
struct Bomb(u32);

impl Drop for Bomb {
    fn drop(&mut self) {
        if self.0 > 0 {
            panic_any(Self(self.0 - 1));
        }
    }
}

#[test]
fn a_host_that_panics_has_failed() {
    let mut count = 0;
    for mut backend in everywhere() {
        let name = format!("{} {}", backend.place, backend.opt.name());
        let (mut own, keeper) = start(&mut backend);
        let own = &mut *own;
        let thrown: [(Box<dyn Any + Send>, &str); 3] = [
            (Box::new("words"), "words"),
            (Box::new("more words".to_owned()), "more words"),
            (Box::new(Bomb(3)), "no message"),
        ];
        for (what, said) in thrown {
            *keeper.thrown.borrow_mut() = Some(what);
            let (trap, detail) = trap(own, "panic", &[]);
            assert_eq!(trap, Trap::Host, "{name}");
            assert_eq!(detail, Some(format!("a host function panicked: {said}")), "{name}");
            // nothing of it is left
            for _ in 0..3 {
                let k = one(own, "make", &[]);
                assert_eq!(one(own, "run", &[k]), Val::I32(7), "{name}");
            }
        }
        count += 1;
    }
    ran("panics", count);
}
