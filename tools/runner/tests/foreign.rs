//! Foreign code on a continuation's stack: a signal handler that has no stack of its own,
//! and an allocator, which has no business there. One test alone in its process, because
//! of the signal, and because it counts all allocations.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};

use clif_cont_abi::Trap;
use clif_cont_program::target::OptLevel;
use clif_cont_program::{Finished, Instance, NoHost, Outcome, Target, Val};
use clif_cont_runner::{Jit, Options};

/// Bytes that a handler takes, of the 56 KiB that foreign code has: less what the
/// system puts there for a signal, and what the host's part of making a stack may
/// take when it is interrupted.
const HANDLER: usize = 40 << 10;

/// Counts the allocations that are made on another stack than this thread's.
struct Watching;

static WATCHED: AtomicBool = AtomicBool::new(false);
static ELSEWHERE: AtomicUsize = AtomicUsize::new(0);
static STACK: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];

fn on_own_stack() -> bool {
    let here = 0u8;
    let here = (&raw const here).addr();
    (STACK[0].load(SeqCst)..STACK[1].load(SeqCst)).contains(&here)
}

// SAFETY: the system's allocator does it.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if WATCHED.load(SeqCst) && !on_own_stack() {
            ELSEWHERE.fetch_add(1, SeqCst);
        }
        // SAFETY: the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Watching = Watching;

/// `make(n)`: so many continuations that stay suspended. `deep(n, rounds)`: n frames, and
/// then a leaf with a frame as large as an unchecked one may be, which takes its time.
fn source() -> String {
    const VALUES: usize = 3900;
    let each = |f: &dyn Fn(usize) -> String| (0..VALUES).map(f).collect::<String>();
    format!(
        r#"(module
  (type $f (func)) (type $k (cont $f)) (tag $pause) (memory 1)
  (func $paused (type $f) (suspend $pause))
  (elem declare func $paused)
  (func (export "make") (param $n i32)
    (loop $more
      (block $on (result (ref $k))
        (resume $k (on $pause $on) (cont.new $k (ref.func $paused)))
        (unreachable))
      (drop)
      (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func $leaf (param $rounds i32) (result i64)
    {}
    (loop $spin (br_if $spin (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    {})
  (func $deep (export "deep") (param $n i32) (param $rounds i32) (result i64)
    (if (result i64) (i32.eqz (local.get $n))
      (then (call $leaf (local.get $rounds)))
      (else (i64.add (i64.const 1) (call $deep (i32.sub (local.get $n) (i32.const 1)) (local.get $rounds)))))))"#,
        each(&|i| format!("(i64.load offset={} (i32.const 0))", 8 * i)),
        each(&|_| "(i64.add)".to_owned()).replacen("(i64.add)", "", 1),
    )
}

/// Signals on a continuation's stack that the test waits for.
const ENOUGH: u64 = 100;

static TAKEN: AtomicUsize = AtomicUsize::new(0);
static SIGNALS: AtomicU64 = AtomicU64::new(0);
static DEEPEST: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Touches that many bytes of the stack.
#[inline(never)]
fn take(bytes: usize) -> u8 {
    const FRAME: usize = 1024;
    let frame = [bytes as u8; FRAME];
    let below = if bytes > 2 * FRAME { take(bytes - FRAME) } else { 0 };
    std::hint::black_box(&frame)[bytes % FRAME] ^ below
}

extern "C" fn handler(_: i32) {
    if on_own_stack() {
        return;
    }
    let here = 0u8;
    DEEPEST.fetch_min((&raw const here).addr() % (1 << 20), SeqCst);
    SIGNALS.fetch_add(1, SeqCst);
    take(TAKEN.load(SeqCst));
}

/// From now on this thread gets SIGALRM every millisecond, and its handler runs where the
/// thread is.
fn start_signals() {
    // SAFETY: zeros are valid for the type; the handler touches its stack and atomics only.
    let this = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        let f: extern "C" fn(i32) = handler;
        action.sa_sigaction = f as *const () as libc::sighandler_t;
        action.sa_flags = libc::SA_RESTART;
        assert_eq!(libc::sigaction(libc::SIGALRM, &raw const action, std::ptr::null_mut()), 0);
        libc::pthread_self()
    };
    std::thread::spawn(move || {
        while SIGNALS.load(SeqCst) < ENOUGH {
            std::thread::sleep(std::time::Duration::from_millis(1));
            // SAFETY: that thread runs until there are enough.
            unsafe { libc::pthread_kill(this, libc::SIGALRM) };
        }
    });
}

fn note_own_stack() {
    // SAFETY: asks for this thread's attributes, and gives them back.
    unsafe {
        let mut attributes: libc::pthread_attr_t = std::mem::zeroed();
        assert_eq!(libc::pthread_getattr_np(libc::pthread_self(), &raw mut attributes), 0);
        let (mut low, mut bytes) = (std::ptr::null_mut(), 0);
        assert_eq!(libc::pthread_attr_getstack(&raw const attributes, &raw mut low, &raw mut bytes), 0);
        libc::pthread_attr_destroy(&raw mut attributes);
        STACK[0].store(low.addr(), SeqCst);
        STACK[1].store(low.addr() + bytes, SeqCst);
    }
}

fn deep(jit: &mut Jit, n: i32, rounds: i32) -> bool {
    match jit.invoke("deep", &[Val::I32(n), Val::I32(rounds)]) {
        Ok(Outcome::Returned(values)) => values == [Val::I64(i64::from(n))],
        Ok(Outcome::Trapped(t)) if t.trap == Trap::StackExhausted => false,
        other => panic!("{other:?}"),
    }
}

/// In the process of its own that [`foreign_code_has_room_and_faults_beyond_it`] starts.
const TAKES: &str = "CLIF_CONT_TEST_HANDLER_TAKES";

#[test]
fn foreign_code_has_room_and_faults_beyond_it() {
    note_own_stack();
    let target = Target::host().expect("Cranelift compiles for this host");
    let program = clif_cont_wasm::compile(source().as_bytes(), "foreign.wat", target, &Default::default());
    // SAFETY: what the front end makes keeps the protocol, and its accesses are checked.
    let program = unsafe { Finished::unverified(program.expect("it compiles"), OptLevel::None) }.expect("valid");
    let mut jit = Jit::new(&program, Box::new(NoHost), Options::default()).expect("loads");

    WATCHED.store(true, SeqCst);
    assert_eq!(jit.invoke("make", &[Val::I32(2000)]), Ok(Outcome::Returned(vec![])));
    WATCHED.store(false, SeqCst);
    assert!(jit.slots() > 2000);
    assert_eq!(ELSEWHERE.load(SeqCst), 0, "allocations on a continuation's stack");

    let (mut fits, mut too_deep) = (0, 1 << 20);
    while too_deep - fits > 1 {
        let middle = (fits + too_deep) / 2;
        if deep(&mut jit, middle, 1) { fits = middle } else { too_deep = middle }
    }
    let own = std::env::var(TAKES).ok().and_then(|n| n.parse().ok());
    TAKEN.store(own.unwrap_or(HANDLER), SeqCst);
    start_signals();
    while SIGNALS.load(SeqCst) < ENOUGH {
        assert!(deep(&mut jit, fits, 10_000_000));
    }
    let (signals, deepest) = (SIGNALS.load(SeqCst), DEEPEST.load(SeqCst));
    println!("{fits} frames; {signals} signals, the deepest {deepest} bytes above the stack's lower end");
    // most of the time is spent in the leaf, whose frame is below the last check
    let bound = target.abi.stack_bound() as usize;
    assert!((HANDLER..bound).contains(&deepest), "{deepest}");
    if own.is_some() {
        return;
    }
    // the same with more than there is: the guard stops it
    let this = std::env::current_exe().expect("linux");
    let ended = Command::new(this).env(TAKES, (160 << 10).to_string()).output().expect("runs");
    use std::os::unix::process::ExitStatusExt as _;
    assert_eq!(ended.status.signal(), Some(libc::SIGSEGV), "{ended:?}");
}
