//! Names of the symbols that a link set shares with its runtime and its host.
//!
//! All begin with `cc_`; names of a program's own functions must not.

/// Names of data and of runtime functions with a fixed signature.
pub mod symbols {
    /// What all reserved names begin with.
    pub const PREFIX: &str = "cc_";
    /// Data: the [`StoreContext`](crate::StoreContext) of the link set.
    pub const STORE: &str = "cc_store";
    /// The byte routine of the `Routine` switch model:
    /// `(word, store context, load context) -> word`, CLIF convention `tail`,
    /// reached by `try_call` only.
    pub const SWITCH: &str = "cc_switch";
    /// `(word) tail`: where a fresh stack starts.
    pub const ENTRY: &str = "cc_entry";
    /// `(i32 code) tail`: does not return.
    pub const TRAP: &str = "cc_trap";
    /// `(contref, tag) -> (last, resumer, effect code) tail`: finds a suspend
    /// handler.
    pub const SEARCH_SUSPEND: &str = "cc_search_suspend";
    /// `(contref, tag) -> (last, resumer) tail`: finds a switch handler.
    pub const SEARCH_SWITCH: &str = "cc_search_switch";
    /// `() -> contref tail`: a slot never used before, or 0 when there is no
    /// memory.
    pub const NEW_SLOT: &str = "cc_new_slot";
    /// `() -> contref tail`: the same for `cont.new`; traps when there is no
    /// memory.
    pub const GROW: &str = "cc_grow";
    /// `(contref) tail`: ends every continuation of a suspended chain.
    pub const DROP: &str = "cc_drop";
    /// `() -> contref`, the host's default convention: a slot for an
    /// invocation, or 0 when there is no memory.
    pub const BEGIN: &str = "cc_begin";
    /// `(contref) -> i32`, the host's default convention: runs a prepared slot
    /// to its end. 0, or a trap code. After a trap the abandoned chain is
    /// still as it was, from `StoreContext::TRAPPED` through the parents to
    /// the invocation's own stack, whose parent is 0 now.
    pub const INVOKE: &str = "cc_invoke";
    /// `()`, the host's default convention: after a trap, ends every
    /// continuation of the abandoned chain and recycles its stack.
    pub const RECLAIM: &str = "cc_reclaim";
    /// What the names of entry trampolines begin with; the rest encodes the
    /// signature. `(contref) tail`: loads the arguments from the payload,
    /// calls the function there, and stores its results. With exceptions
    /// `(contref) -> exnref tail`.
    pub const ENTER: &str = "cc_enter_";
}

/// The narrow host interface: what the runtime needs from where it runs.
///
/// All have the host's default convention. `w` is a word, pointer wide.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum HostFn {
    /// `(w bytes, w align) -> w`: zeroed memory that stays until the store
    /// goes, committed when touched; 0 when there is none.
    Reserve,
    /// `(w address)`: [`Abi::GUARD_BYTES`](crate::Abi::GUARD_BYTES) there may
    /// be made inaccessible. A host may ignore it.
    Guard,
    /// `(w contref) -> i32`: performs the host function whose index is in
    /// [`StoreContext::HOST_FUNCTION`](crate::StoreContext::HOST_FUNCTION),
    /// with arguments from, and results to, the contref's payload. 0 or a
    /// trap code.
    Call,
    /// `HostCall` switch model: `(w word, w store context, w load context) -> w`.
    Switch,
    /// `HostCall` switch model: `(w contref)`: forget what runs on this
    /// abandoned stack; its next switch starts at the context's pc.
    Reset,
}

impl HostFn {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Reserve, Self::Guard, Self::Call, Self::Switch, Self::Reset];

    /// The symbol.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Reserve => "cc_host_reserve",
            Self::Guard => "cc_host_guard",
            Self::Call => "cc_host_call",
            Self::Switch => "cc_host_switch",
            Self::Reset => "cc_host_reset",
        }
    }

    /// The function of that symbol.
    pub fn from_symbol(symbol: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.symbol() == symbol)
    }
}
