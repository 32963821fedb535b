//! Which proposals a module may use. What is off is not valid, as in a version
//! of the specification that does not have it.

use wasmparser::WasmFeatures;

/// A version of WebAssembly, with proposals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Features(pub(crate) WasmFeatures);

impl Features {
    /// What is translated, and beyond it what is recognised in order to be
    /// reported as unsupported rather than as wrong.
    pub const ALL: Self = Self(WasmFeatures::WASM3.union(WasmFeatures::THREADS).union(WasmFeatures::STACK_SWITCHING));

    /// Reads `wasm1`, `wasm2`, `wasm3` or `all`, and behind it names of proposals
    /// as `wasmparser` has them, each after a `+`: `wasm2+tail-call`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('+');
        let base = match parts.next()? {
            "wasm1" => WasmFeatures::WASM1,
            "wasm2" => WasmFeatures::WASM2,
            "wasm3" => WasmFeatures::WASM3,
            "all" => Self::ALL.0,
            _ => return None,
        };
        let named = |name: &str| WasmFeatures::from_name(&name.replace('-', "_").to_ascii_uppercase());
        parts.try_fold(base, |set, name| Some(set.union(named(name)?))).map(Self)
    }
}

impl Default for Features {
    fn default() -> Self {
        Self::ALL
    }
}
