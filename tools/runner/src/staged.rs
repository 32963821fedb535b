//! Tests of what the host does around generated code, with the memory that such code would
//! leave, and none of the code: Miri runs these.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ptr::with_exposed_provenance_mut;
use std::rc::Rc;

use clif_cont_abi::{Abi, ContRef, Field, Isa, StoreContext, SwitchModel, Trap};
use clif_cont_program::{HostFunctions, HostImport, NoHost, Origin, Val, ValType, values, words_of};

use crate::module::CodeRange;
use crate::shared::{Code, Driver, Shared};
use crate::{backtrace, host};

/// A store context and stacks as a program would have them.
struct Stage {
    shared: Rc<Shared>,
    store: u64,
}

impl Stage {
    fn new(shared: Shared, ranges: Vec<CodeRange>) -> Self {
        shared.memory.prepare();
        let store = shared.memory.reserve(4096, 64);
        assert_ne!(store, 0);
        let driver = Some(Driver { begin: 0, invoke: 0, reclaim: 0, store });
        let code = Code { ranges, exports: BTreeMap::new(), names: vec![], init: None, driver };
        assert!(shared.code.set(code).is_ok());
        Self { shared: Rc::new(shared), store }
    }

    /// The ContRef of a new slot.
    fn contref(&self) -> u64 {
        let size = self.shared.abi.slot_size();
        let base = self.shared.memory.reserve(size, size);
        assert_ne!(base, 0);
        self.shared.memory.guard(base);
        self.shared.abi.contref_of(base)
    }

    fn set(&self, record: u64, field: &Field, value: u64) {
        put(record.wrapping_add_signed(field.offset(&self.shared.abi).into()), value);
    }
}

fn put(at: u64, value: u64) {
    // SAFETY: the tests write into their own slots and store contexts.
    unsafe { with_exposed_provenance_mut::<u64>(at as usize).write(value) };
}

fn abi() -> Abi {
    Abi::new(Isa::X86_64, SwitchModel::Routine)
}

#[test]
fn values_go_through_a_payload_and_back() {
    let stage = Stage::new(Shared::new(abi(), vec![], Box::new(NoHost)), vec![]);
    let contref = stage.contref();
    let instance = &stage.shared.instance;
    let types = ValType::ALL;
    let given = [
        Val::I32(-1),
        Val::I64(i64::MIN),
        Val::F32(f32::NAN.to_bits()),
        Val::F64(u64::MAX),
        Val::Extern(Some(u32::MAX)),
        Val::NULL_REF,
        Val::NULL_CONT,
    ];
    let words = words_of(instance, &types, &given).expect("of these types");
    let behind = contref.wrapping_add_signed(abi().payload_offset(words.len() as u32).into());
    put(behind, 0x5555);
    // SAFETY: a ContRef, whose payload has room for many more.
    let read = unsafe {
        stage.shared.write_words(contref, &types, &words);
        stage.shared.read_words(contref, &types)
    };
    assert_eq!(values(instance, &types, read), Some(given.to_vec()));
    // SAFETY: the next payload slot.
    assert_eq!(unsafe { with_exposed_provenance_mut::<u64>(behind as usize).read() }, 0x5555);

    // an object comes back as the one it was, and as no other's
    let object = values(instance, &[ValType::Cont], [contref, 7]).expect("an object");
    let other = Shared::new(abi(), vec![], Box::new(NoHost));
    assert_eq!(words_of(instance, &[ValType::Cont], &object), Ok(vec![contref, 7]));
    assert!(words_of(&other.instance, &[ValType::Cont], &object).is_err());
}

#[test]
fn a_host_call_takes_arguments_and_gives_results_or_a_trap() {
    let import = |name: &str| HostImport {
        module: "m".into(),
        name: name.into(),
        params: vec![ValType::I32, ValType::F64],
        results: vec![ValType::I64],
    };
    let seen = Rc::new(RefCell::new(vec![]));
    let told = Rc::clone(&seen);
    let functions = HostFunctions::new()
        .with("m", "good", move |args| {
            told.borrow_mut().extend_from_slice(args);
            Ok(vec![Val::I64(-3)])
        })
        .with("m", "wrong", |_| Ok(vec![Val::I32(1)]))
        .with("m", "fails", |_| Err("no".into()))
        .with("m", "panics", |_| panic!("lost"));
    let imports = ["good", "wrong", "fails", "panics", "missing"].map(import);
    let stage = Stage::new(Shared::new(abi(), imports.to_vec(), Box::new(functions)), vec![]);
    let contref = stage.contref();
    let args = [Val::I32(5), Val::F64(2.5f64.to_bits())];
    let words = words_of(&stage.shared.instance, &imports[0].params, &args).expect("of these types");
    let call = |index: u64| {
        stage.set(stage.store, &StoreContext::HOST_FUNCTION, index);
        // SAFETY: a ContRef.
        unsafe { stage.shared.write_words(contref, &imports[0].params, &words) };
        host::call(Rc::as_ptr(&stage.shared), contref)
    };
    assert_eq!(call(0), 0);
    assert_eq!(*seen.borrow(), args);
    // SAFETY: a ContRef, which holds the result.
    assert_eq!(unsafe { stage.shared.read_words(contref, &[ValType::I64]) }, [-3i64 as u64]);
    for index in [1, 2, 3, 4, 5, u64::MAX] {
        assert_eq!(call(index), u32::from(Trap::Host.code()), "{index}");
    }
}

/// Two stacks with frames as the compiler lays them out on this machine, and what a damaged
/// chain may hold.
#[test]
fn a_backtrace_reads_stacks_and_believes_nothing() {
    let Some(link) = Isa::host().and_then(clif_cont_arch::of).map(|a| a.frames) else { return };
    if link.first != clif_cont_arch::FirstRecord::FramePointer {
        return;
    }
    let range = |start, name: &str| CodeRange { start, len: 16, name: name.into(), origin: Origin::Program };
    let ranges = vec![range(0x1000, "inner"), range(0x2000, "outer"), range(0x3000, "main")];
    let stage = Stage::new(Shared::new(abi(), vec![], Box::new(NoHost)), ranges);
    let [inner, outer] = [(); 2].map(|()| stage.contref());
    let frame = |contref: u64, n: u64| contref - 1024 + 64 * n;
    let begin = |contref, pc| {
        stage.set(contref, &ContRef::SP, frame(contref, 0) - 64);
        stage.set(contref, &ContRef::FP, frame(contref, 0));
        stage.set(contref, &ContRef::PC, pc);
    };
    let record = |at: u64, next, return_address| {
        put(at + link.next, next);
        put(at + link.return_address, return_address);
    };
    begin(inner, 0x1008);
    record(frame(inner, 0), frame(inner, 1), 0x2010);
    record(frame(inner, 1), 0, 0);
    begin(outer, 0x3001);
    record(frame(outer, 0), 0, 0);
    stage.set(stage.store, &StoreContext::TRAPPED, inner);
    let taken = || -> Vec<Vec<String>> { backtrace::take(&stage.shared).into_iter().map(|s| s.frames).collect() };
    stage.set(inner, &ContRef::PARENT, outer);
    stage.set(outer, &ContRef::PARENT, 0);
    assert_eq!(taken(), [vec!["inner", "outer"], vec!["main"]]);
    for parent in [1, outer + 8, outer + (1 << 40), u64::MAX, stage.store] {
        stage.set(inner, &ContRef::PARENT, parent);
        assert_eq!(taken(), [["inner", "outer"]], "{parent:#x}");
    }
    let end = inner - 8;
    for next in [0, 8, frame(inner, 0), frame(inner, 1) + 1, end, inner, inner + 64, u64::MAX - 7] {
        record(frame(inner, 0), next, 0x2010);
        assert_eq!(taken()[0][0], "inner", "{next:#x}");
    }
    // a chain that bites its tail ends all the same
    stage.set(inner, &ContRef::PARENT, outer);
    stage.set(outer, &ContRef::PARENT, inner);
    assert_eq!(taken().len(), 1000);
}
