//! The WebAssembly front end: modules with stack switching to CLIF.
