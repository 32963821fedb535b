//! How Wasmtime is configured: every proposal that the programs here use, one
//! thread, nothing that hides a function (no inlining, no cache).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use wasmtime::{Collector, Config, Engine, Module, OptLevel};

/// The proposals of the front end, and those that scripts touch beside them.
pub(crate) fn config(opt: OptLevel) -> Config {
    let mut config = Config::new();
    config
        .cranelift_opt_level(opt)
        .collector(Collector::Null)
        .wasm_tail_call(true)
        .wasm_extended_const(true)
        .wasm_multi_memory(true)
        .wasm_function_references(true)
        .wasm_gc(true)
        .wasm_exceptions(true)
        .wasm_stack_switching(true);
    config
}

/// An engine that runs modules.
pub(crate) fn engine() -> Result<Engine, wasmtime::Error> {
    Engine::new(&config(OptLevel::Speed))
}

/// An engine that writes the CLIF of what it compiles to a directory.
pub(crate) fn emitting(opt: OptLevel, directory: &Path) -> Result<Engine, wasmtime::Error> {
    Engine::new(config(opt).emit_clif(directory))
}

/// Compiles a module; the error is what Wasmtime says, or what it panicked with.
pub(crate) fn compile(engine: &Engine, binary: &[u8]) -> Result<Module, String> {
    match catch_unwind(AssertUnwindSafe(|| Module::from_binary(engine, binary))) {
        Ok(made) => made.map_err(|e| format!("refused: {e:#}")),
        Err(panic) => {
            let message = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(|s| &**s));
            Err(format!("panicked: {}", message.unwrap_or("no message")))
        }
    }
}

/// Panics of Wasmtime's are results here: nothing is to be printed when one happens.
pub fn expect_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !info.location().is_some_and(|l| l.file().contains("/wasmtime-")) {
            usual(info);
        }
    }));
}
