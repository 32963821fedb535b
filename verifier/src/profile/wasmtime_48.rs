//! The layout of Wasmtime 48 on 64-bit hosts, x86_64 alone having switches.
//!
//! Read off that release's `wasmtime-environ` (`vmoffsets.rs`, `vmtypes.rs`,
//! `stack_switching.rs`, `builtin.rs`, `key.rs`) and `wasmtime-internal-cranelift`
//! (`alias_region.rs`); the names in comments are theirs. Another release of
//! the same shape is another file like this one.

use clif_cont_abi::{Exceptions, Isa, SwitchModel};

use super::{ChainShape, FieldLayout, Profile, Role, Shape, StackShape};

/// An alias region's `user_id`: its kind in the upper six bits, and the offset
/// of what it covers in the others.
const fn region(kind: u32, offset: u32) -> u32 {
    (kind << 26) | offset
}

const VM_STORE_CONTEXT: u32 = 0b00_0001;
const VM_CONTREF: u32 = 0b01_0000;
const CONTINUATION_STACK_MEMORY: u32 = 0b01_0001;
const STACK: u32 = 0b01_0111;

/// Namespaces have their kind in the upper four bits, and the module in the
/// others.
const DEFINED_WASM_FUNCTION: u32 = 0b0000 << 28;
const ARRAY_TO_WASM_TRAMPOLINE: u32 = 0b0001 << 28;
const WASM_TO_BUILTIN_TRAMPOLINE: u32 = 0b0011 << 28;

const fn contref(role: Role, offset: i32, size: u32) -> FieldLayout {
    FieldLayout { role, offset, size, region: region(VM_CONTREF, 0) }
}

const fn store(role: Role, offset: i32, size: u32, region_offset: u32) -> FieldLayout {
    FieldLayout { role, offset, size, region: region(VM_STORE_CONTEXT, region_offset) }
}

/// `VMContRef`, which begins with `VMCommonStackInformation`.
const CONTREF: &[FieldLayout] = &[
    contref(Role::Limit(0), 0, 8),
    contref(Role::Limit(1), 8, 8),
    contref(Role::Limit(2), 16, 8),
    contref(Role::Limit(3), 24, 8),
    contref(Role::State, 32, 4),
    contref(Role::HandlersLength, 40, 4),
    contref(Role::HandlersCapacity, 44, 4),
    contref(Role::Handlers, 48, 8),
    contref(Role::FirstSwitchHandler, 56, 4),
    contref(Role::ParentKind, 64, 8),
    contref(Role::Parent, 72, 8),
    contref(Role::LastAncestor, 80, 8),
    contref(Role::Revision, 88, 8),
    contref(Role::StackTop, 96, 8),
    contref(Role::ArgsLength, 120, 4),
    contref(Role::ArgsCapacity, 124, 4),
    contref(Role::ArgsData, 128, 8),
    contref(Role::ValuesLength, 136, 4),
    contref(Role::ValuesCapacity, 140, 4),
    contref(Role::ValuesData, 144, 8),
];

/// The fields of `VMStoreContext` that belong to the running stack: limit, frame
/// and stack pointer at the entry of WebAssembly, trap handler; and the chain.
const STORE: &[FieldLayout] = &[
    store(Role::StoreLimit(0), 24, 8, 24),
    store(Role::StoreLimit(2), 64, 8, 64),
    store(Role::StoreLimit(1), 72, 8, 72),
    store(Role::StoreLimit(3), 80, 8, 80),
    store(Role::ActiveKind, 88, 8, 88),
    store(Role::ActiveStack, 96, 8, 88),
];

static SHAPE: ChainShape = ChainShape {
    effect_shift: 32,
    returned: 0,
    resume: 1,
    suspend: 2,
    switch: 3,
    trap: 4,
    resume_throw: 5,
    no_stack: 0,
    initial_stack: 1,
    continuation: 2,
    fresh: 0,
    running: 1,
    parent: 2,
    suspended: 3,
    ended: 4,
    trapped: 5,
    context_below_top: 24,
    context_words: 3,
    entry_bytes: 16,
    limits: 4,
    store_context: 8,
    null_trap: 16,
    consumed_trap: 23,
    unhandled_trap: 22,
    unreachable_trap: 12,
    buffers: region(CONTINUATION_STACK_MEMORY, 0),
    frame: region(STACK, 0),
    program: (DEFINED_WASM_FUNCTION, ARRAY_TO_WASM_TRAMPOLINE),
    builtins: WASM_TO_BUILTIN_TRAMPOLINE,
    // positions in `foreach_builtin_function!`
    new_cont: 42,
    // trap, raise, throw_ref
    raise: &[40, 41, 44],
};

impl Profile {
    /// The name of [`Profile::wasmtime_48`].
    pub const WASMTIME_48: &'static str = "wasmtime-48";

    /// What Wasmtime 48 emits for 64-bit hosts.
    pub fn wasmtime_48() -> Self {
        Self {
            name: Self::WASMTIME_48,
            word_bits: 64,
            switch: SwitchModel::Instruction,
            isa: Isa::X86_64,
            exceptions: Exceptions::None,
            contref: CONTREF.to_vec(),
            store: STORE.to_vec(),
            table: vec![],
            payload: vec![],
            payload_region: region(VM_CONTREF, 0),
            last_revision: None,
            stack: StackShape { slot_size: 1, contref_base: 0, colour_shift: 0, colour_mask: 0 },
            initial_sp_bias: 0,
            stack_bound: 0,
            reservation_bytes: 0,
            max_slots: 0,
            shape: Shape::Chain(&SHAPE),
        }
    }
}
