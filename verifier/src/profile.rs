//! Profiles: a continuation ABI as data.
//!
//! Everything the rules know of a layout, of effect codes, of callees and of
//! the assumptions that typing or the runtime provides is here. [`Profile::clif_cont`] is
//! generated from `clif_cont_abi`; another ABI is another constructor, in a
//! file of its own, that fills the same tables.

mod wasmtime_48;

use crate::sym::mask;
use clif_cont_abi::{
    Abi, ContRef, Effect, EffectKind, Exceptions, FieldKind, HandlerTable, HostFn, Isa, Region, StoreContext,
    SwitchModel, Trap, symbols,
};

/// What a protocol field is, whatever its offset.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs, reason = "see the records of `clif_cont_abi`")]
pub enum Role {
    ContextSp,
    ContextFp,
    ContextPc,
    Revision,
    Parent,
    LastAncestor,
    /// Handler table of a waiting resumer, or entry trampoline of a fresh one.
    Handlers,
    /// One of the limits of a stack that does not run, as its record keeps it.
    Limit(u32),
    /// The same of the stack that runs, in the store context.
    StoreLimit(u32),
    /// What a stack is doing.
    State,
    HandlersLength,
    HandlersCapacity,
    /// Suspend handlers come before this index, switch handlers from it on.
    FirstSwitchHandler,
    /// Is the parent a continuation, or the initial stack?
    ParentKind,
    /// Is the running stack a continuation, or the initial stack?
    ActiveKind,
    /// Address behind a stack, at which its control context is found.
    StackTop,
    ArgsLength,
    ArgsCapacity,
    ArgsData,
    ValuesLength,
    ValuesCapacity,
    ValuesData,
    /// A payload slot, counted from the last value.
    Payload(u32),
    Store,
    Driver,
    ActiveStack,
    Free,
    NextSlot,
    SlotsEnd,
    Slots,
    TrapCode,
    Trapped,
    HostFunction,
    HandlerIndex,
    SuspendHandlers,
    SwitchHandlers,
}

/// Where a field is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FieldLayout {
    /// What it is.
    pub role: Role,
    /// Offset in its record, in bytes.
    pub offset: i32,
    /// Size in bytes. A payload slot holds values of up to this size.
    pub size: u32,
    /// `user_id` of the alias region of every access.
    pub region: u32,
}

/// Which record a field belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum RecordKind {
    ContRef,
    Store,
    Table,
}

/// What calling a function may do to the protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Callee {
    /// Nothing: neither switches, nor reads or writes protocol memory.
    Harmless,
    /// The host's memory for slots.
    Reserve,
    /// Tells the host of a stack: where its guard is, or that nothing runs on
    /// it any more.
    Tell,
    /// Does not return: the trap function.
    Trap,
    /// The switch routine of the `Routine` model.
    Routine,
    /// The host's switch of the `HostCall` model.
    HostSwitch,
    /// Finds a suspend handler, or traps; writes nothing that a rule follows.
    SearchSuspend,
    /// Finds a switch handler, or traps.
    SearchSwitch,
    /// Gives a slot of its own, or 0; changes the store context only.
    NewSlot,
    /// The same, or traps.
    Grow,
    /// Ends a suspended chain.
    Drop,
    /// Performs a host function, which may invoke the program again.
    HostFunction,
    /// Gives a fresh continuation, and calls nothing of the program.
    NewCont,
    /// Raises a trap or an exception: nothing of the operation follows.
    Raise,
    /// Anything: may switch, allocate, and consume any object.
    Unknown,
}

impl Callee {
    /// Does it leave alone what the rules follow, and come back at once?
    pub const fn is_harmless(self) -> bool {
        matches!(self, Self::Harmless | Self::Reserve | Self::Tell)
    }

    /// May other code of the program run before it comes back?
    pub(crate) const fn runs_others(self) -> bool {
        matches!(self, Self::Drop | Self::HostFunction | Self::Unknown | Self::Routine | Self::HostSwitch)
    }
}

/// What a function is in the runtime: fixes the meaning of its parameters and
/// what its body has to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FunctionRole {
    /// Part of a program.
    Program,
    /// Outermost function of every stack.
    Entry,
    /// Entry trampoline: its parameter is the running continuation.
    Enter,
    /// The trap function.
    Trap,
    /// Search for a suspend handler: its parameter is the running continuation.
    SearchSuspend,
    /// The same for a switch handler.
    SearchSwitch,
    /// Makes slots.
    NewSlot,
    /// The same, or a trap.
    Grow,
    /// Ends the chain in its parameter, which the caller has checked.
    Drop,
    /// Gives the host a slot.
    Begin,
    /// Runs a slot for the host, which has prepared it.
    Invoke,
    /// Ends what a trap left behind.
    Reclaim,
    /// Goes between the host's convention and the program's.
    Trampoline,
}

impl FunctionRole {
    /// Is it one of the searches for a handler?
    pub const fn is_search(self) -> bool {
        matches!(self, Self::SearchSuspend | Self::SearchSwitch)
    }
}

/// How the running continuation's ContRef is found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct StackShape {
    pub(crate) slot_size: u64,
    pub(crate) contref_base: u64,
    pub(crate) colour_shift: u32,
    pub(crate) colour_mask: u64,
}

/// What an ABI is in kind, beyond where its fields are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shape {
    /// The running continuation follows from the stack pointer, the effect is in
    /// the low bits of the switched word, and payloads are in the record.
    Slots,
    /// The store context knows the chain of running stacks; see [`crate::chain`].
    Chain(&'static ChainShape),
}

/// The codes and sizes of an ABI whose store context knows the chain.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct ChainShape {
    /// The effect is above this bit of the switched word; a suspend's handler
    /// index is below it.
    pub(crate) effect_shift: u32,
    // effects
    pub(crate) returned: u64,
    pub(crate) resume: u64,
    pub(crate) suspend: u64,
    pub(crate) switch: u64,
    pub(crate) trap: u64,
    pub(crate) resume_throw: u64,
    // kinds of links in the chain
    pub(crate) no_stack: u64,
    pub(crate) initial_stack: u64,
    pub(crate) continuation: u64,
    // states of stacks
    pub(crate) fresh: u64,
    pub(crate) running: u64,
    pub(crate) parent: u64,
    pub(crate) suspended: u64,
    pub(crate) ended: u64,
    pub(crate) trapped: u64,
    /// The control context is so many bytes below the top of its stack, and has
    /// so many words.
    pub(crate) context_below_top: i64,
    pub(crate) context_words: u32,
    /// Bytes of an entry of a payload buffer.
    pub(crate) entry_bytes: u32,
    /// How many limits a stack has; the first one never changes.
    pub(crate) limits: u32,
    /// Where a function's context has the address of the store context.
    pub(crate) store_context: i32,
    // trap codes
    pub(crate) null_trap: u8,
    pub(crate) consumed_trap: u8,
    pub(crate) unhandled_trap: u8,
    pub(crate) unreachable_trap: u8,
    /// `user_id` of the alias region of payload buffers, handler lists and
    /// control contexts, and the upper bits of those of stack slots.
    pub(crate) buffers: u32,
    pub(crate) frame: u32,
    /// Namespaces of the functions that a program defines.
    pub(crate) program: (u32, u32),
    /// Namespace of the runtime's functions.
    pub(crate) builtins: u32,
    /// Among those, by number: the one that makes a continuation, and those that
    /// raise a trap or an exception.
    pub(crate) new_cont: u32,
    pub(crate) raise: &'static [u32],
}

/// A continuation ABI, as the rules see it.
#[derive(Clone, Debug)]
pub struct Profile {
    name: &'static str,
    word_bits: u32,
    switch: SwitchModel,
    isa: Isa,
    exceptions: Exceptions,
    contref: Vec<FieldLayout>,
    store: Vec<FieldLayout>,
    table: Vec<FieldLayout>,
    /// Offsets of payload slots.
    payload: Vec<i32>,
    payload_region: u32,
    last_revision: Option<u64>,
    pub(crate) stack: StackShape,
    initial_sp_bias: u32,
    stack_bound: u64,
    reservation_bytes: u64,
    max_slots: u64,
    pub(crate) shape: Shape,
}

/// `i64_f32`, runs as `300xi32`, nothing as `0`.
fn type_list(text: &str) -> Option<Vec<&str>> {
    if text == "0" {
        return Some(vec![]);
    }
    let mut types = vec![];
    for run in text.split('_') {
        let (count, ty) = match run.split_once('x') {
            Some((count, ty)) if count.bytes().all(|b| b.is_ascii_digit()) => (count.parse().ok()?, ty),
            _ => (1, run),
        };
        if count > Abi::PAYLOAD_SLOTS as usize {
            return None;
        }
        types.extend(std::iter::repeat_n(ty, count));
    }
    Some(types)
}

/// The numbers in a symbol that was made of them, `u805306368_42`.
fn numbers(symbol: &str) -> Option<(u32, u32)> {
    let (namespace, index) = symbol.strip_prefix('u')?.split_once('_')?;
    Some((namespace.parse().ok()?, index.parse().ok()?))
}

fn role_of(record: &str, name: &str) -> Option<Role> {
    Some(match (record, name) {
        ("ContRef", "sp") => Role::ContextSp,
        ("ContRef", "fp") => Role::ContextFp,
        ("ContRef", "pc") => Role::ContextPc,
        ("ContRef", "revision") => Role::Revision,
        ("ContRef", "parent") => Role::Parent,
        ("ContRef", "last_ancestor") => Role::LastAncestor,
        ("ContRef", "handlers") => Role::Handlers,
        ("ContRef", "store") => Role::Store,
        ("StoreContext", "driver") => Role::Driver,
        ("StoreContext", "active") => Role::ActiveStack,
        ("StoreContext", "free") => Role::Free,
        ("StoreContext", "next_slot") => Role::NextSlot,
        ("StoreContext", "slots_end") => Role::SlotsEnd,
        ("StoreContext", "slots") => Role::Slots,
        ("StoreContext", "trap_code") => Role::TrapCode,
        ("StoreContext", "trapped") => Role::Trapped,
        ("StoreContext", "host_function") => Role::HostFunction,
        ("StoreContext", "handler_index") => Role::HandlerIndex,
        ("HandlerTable", "suspend") => Role::SuspendHandlers,
        ("HandlerTable", "switch") => Role::SwitchHandlers,
        _ => return None,
    })
}

impl Profile {
    /// The profile of this project's own ABI.
    pub fn clif_cont(abi: &Abi) -> Self {
        let layout = |record: &clif_cont_abi::Record| {
            let fields = record.fields.iter().filter(|f| f.kind == FieldKind::Word);
            fields
                .filter_map(|f| {
                    Some(FieldLayout {
                        role: role_of(f.record, f.name)?,
                        offset: f.offset(abi),
                        size: f.size(abi),
                        region: f.region.id(),
                    })
                })
                .collect::<Vec<_>>()
        };
        Self {
            name: clif_cont_abi::PROFILE,
            word_bits: abi.width.bits(),
            switch: abi.switch,
            isa: abi.isa,
            exceptions: abi.exceptions,
            contref: layout(&ContRef::RECORD),
            store: layout(&StoreContext::RECORD),
            table: layout(&HandlerTable::RECORD),
            payload: (0..Abi::PAYLOAD_SLOTS).map(|slot| abi.payload_offset(slot)).collect(),
            payload_region: Region::Payload.id(),
            last_revision: abi.last_revision(),
            stack: StackShape {
                slot_size: abi.slot_size(),
                contref_base: abi.contref_base(),
                colour_shift: abi.colour_shift(),
                colour_mask: abi.colour_mask(),
            },
            initial_sp_bias: abi.isa.initial_sp_bias(),
            stack_bound: abi.stack_bound(),
            reservation_bytes: abi.slots_per_reservation() * abi.slot_size(),
            max_slots: abi.max_slots(),
            shape: Shape::Slots,
        }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Bits of a word.
    pub fn word_bits(&self) -> u32 {
        self.word_bits
    }

    /// Bytes of a word.
    pub fn word_bytes(&self) -> u32 {
        self.word_bits / 8
    }

    /// How stacks are switched.
    pub fn switch_model(&self) -> SwitchModel {
        self.switch
    }

    /// Which result of the routine is the switched word, and how many it has.
    /// The others are not to be read.
    pub fn routine_result(&self) -> (usize, usize) {
        match self.isa {
            Isa::X86_64 => (4, 5),
            _ => (0, 1),
        }
    }

    /// The greatest revision that may be consumed, where one can be reached.
    pub fn last_revision(&self) -> Option<u64> {
        self.last_revision
    }

    /// How far below its ContRef a fresh stack's pointer starts, in bytes.
    pub fn initial_sp_bias(&self) -> u32 {
        self.initial_sp_bias
    }

    /// The same with another bound, in bytes: for the entry of one function that takes more of the stack than others.
    #[must_use]
    pub fn with_stack_bound(self, stack_bound: u64) -> Self {
        Self { stack_bound, ..self }
    }

    /// With less than this left of its slot, in bytes, a stack is exhausted.
    pub(crate) fn stack_bound(&self) -> u64 {
        self.stack_bound
    }

    /// Bytes of memory that are reserved for slots at a time.
    pub(crate) fn reservation_bytes(&self) -> u64 {
        self.reservation_bytes
    }

    /// So many slots a store makes at the most.
    pub(crate) fn max_slots(&self) -> u64 {
        self.max_slots
    }

    /// So many suspend handlers have an effect code of their own.
    pub(crate) fn near_handlers(&self) -> u64 {
        Effect::NEAR_HANDLERS.into()
    }

    /// The types in the name of an entry trampoline, by their CLIF names:
    /// parameters and results.
    pub(crate) fn enter_types<'s>(&self, symbol: &'s str) -> Option<(Vec<&'s str>, Vec<&'s str>)> {
        let (params, results) = symbol.strip_prefix(symbols::ENTER)?.split_once("__")?;
        Some((type_list(params)?, type_list(results)?))
    }

    /// Slot and type size of each value of a payload, from the first, and the
    /// slot behind them.
    pub(crate) fn payload_layout(&self, sizes: impl DoubleEndedIterator<Item = u32>) -> (Vec<u32>, u32) {
        let mut next = 0;
        let mut slots: Vec<u32> = sizes.rev().map(|size| Self::payload_slot_from(&mut next, size)).collect();
        slots.reverse();
        (slots, next)
    }

    /// The slot of a value of that size, where those before it take the slots up to
    /// `next`; moves that on.
    pub(crate) fn payload_slot_from(next: &mut u32, size: u32) -> u32 {
        let wide = size > Abi::PAYLOAD_SLOT_BYTES;
        // slot 0 and slot 1 need not be neighbours
        let slot = if wide { (*next).max(1) } else { *next };
        *next = slot + if wide { 2 } else { 1 };
        slot
    }

    /// Bits of a switched word that hold the effect code.
    pub(crate) fn effect_mask(&self) -> u64 {
        Effect::MASK.into()
    }

    /// Bits of a switched word that hold the ContRef.
    pub(crate) fn contref_mask(&self) -> u64 {
        !self.effect_mask() & mask(self.word_bits)
    }

    /// Code of an effect.
    pub(crate) fn effect(&self, kind: EffectKind) -> u64 {
        kind.code().into()
    }

    /// Does every function have a first result more, an exception reference?
    pub(crate) fn throws(&self) -> bool {
        self.exceptions != Exceptions::None
    }

    /// The codes of these effects, as a bit set.
    fn codes(&self, kinds: impl IntoIterator<Item = EffectKind>) -> u64 {
        kinds.into_iter().fold(0, |set, kind| set | 1 << self.effect(kind))
    }

    /// The effects with which a continuation ends under its resumer.
    pub(crate) fn ending_codes(&self) -> u64 {
        let threw = self.throws().then_some(EffectKind::Throw);
        self.codes([EffectKind::Return].into_iter().chain(threw))
    }

    /// The effects with which a continuation that waits is told to go on.
    pub(crate) fn waking_codes(&self) -> u64 {
        let raise = self.throws().then_some(EffectKind::ResumeThrow);
        self.codes([EffectKind::Resume].into_iter().chain(raise))
    }

    /// The effects with which a continuation suspends: one code for each
    /// handler.
    pub(crate) fn suspending_codes(&self) -> u64 {
        u64::MAX << self.effect(EffectKind::Suspend)
    }

    /// The symbol of the store context.
    pub(crate) fn store_symbol(&self) -> &'static str {
        symbols::STORE
    }

    /// The symbol that a fresh context's program counter is the address of.
    pub(crate) fn entry_symbol(&self) -> &'static str {
        symbols::ENTRY
    }

    /// Do the names of entry trampolines begin like this?
    pub(crate) fn is_enter(&self, symbol: &str) -> bool {
        symbol.starts_with(symbols::ENTER)
    }

    /// The fields of a record.
    pub(crate) fn fields(&self, record: RecordKind) -> &[FieldLayout] {
        match record {
            RecordKind::ContRef => &self.contref,
            RecordKind::Store => &self.store,
            RecordKind::Table => &self.table,
        }
    }

    /// Where a field of a ContRef, of the store context or of a table is.
    pub(crate) fn field(&self, role: Role) -> FieldLayout {
        if let Role::Payload(slot) = role {
            return self.payload_slot(slot);
        }
        for record in [&self.contref, &self.store, &self.table] {
            if let Some(field) = record.iter().find(|f| f.role == role) {
                return *field;
            }
        }
        // every role but those of payload slots is in one of the tables
        FieldLayout { role, offset: i32::MIN, size: 0, region: 0 }
    }

    fn payload_slot(&self, slot: u32) -> FieldLayout {
        let offset = self.payload.get(slot as usize).copied().unwrap_or(i32::MIN);
        FieldLayout { role: Role::Payload(slot), offset, size: Abi::PAYLOAD_SLOT_BYTES, region: self.payload_region }
    }

    /// The field of a ContRef at this offset exactly.
    pub(crate) fn contref_field(&self, offset: i32) -> Option<FieldLayout> {
        if let Some(f) = self.contref.iter().find(|f| f.offset == offset) {
            return Some(*f);
        }
        // most slots follow each other
        let first = *self.payload.first()?;
        let near = usize::try_from(offset.checked_sub(first)?).ok()? / Abi::PAYLOAD_SLOT_BYTES as usize;
        let is_slot = |slot: &usize| self.payload.get(*slot) == Some(&offset);
        let slot = [near, near.saturating_sub(1)].into_iter().find(is_slot);
        let slot = slot.or_else(|| self.payload.binary_search(&offset).ok())?;
        Some(self.payload_slot(slot as u32))
    }

    /// The fields whose accesses carry this region.
    pub(crate) fn record_of_region(&self, region: u32) -> Option<RecordKind> {
        if region == self.payload_region || self.contref.iter().any(|f| f.region == region) {
            Some(RecordKind::ContRef)
        } else if self.store.iter().any(|f| f.region == region) {
            Some(RecordKind::Store)
        } else if self.table.iter().any(|f| f.region == region) {
            Some(RecordKind::Table)
        } else {
            None
        }
    }

    /// Number of payload slots.
    pub(crate) fn payload_slots(&self) -> u32 {
        self.payload.len() as u32
    }

    /// What a function of that symbol does.
    pub fn callee(&self, symbol: &str) -> Callee {
        if let Shape::Chain(_) = self.shape {
            return numbers(symbol)
                .map_or(Callee::Unknown, |(namespace, index)| self.numbered_callee(namespace, index));
        }
        match symbol {
            symbols::TRAP => Callee::Trap,
            symbols::SWITCH => Callee::Routine,
            symbols::SEARCH_SUSPEND => Callee::SearchSuspend,
            symbols::SEARCH_SWITCH => Callee::SearchSwitch,
            symbols::NEW_SLOT => Callee::NewSlot,
            symbols::GROW => Callee::Grow,
            symbols::DROP => Callee::Drop,
            _ => match HostFn::from_symbol(symbol) {
                Some(HostFn::Switch) => Callee::HostSwitch,
                Some(HostFn::Reserve) => Callee::Reserve,
                Some(HostFn::Guard | HostFn::Reset) => Callee::Tell,
                Some(HostFn::Call) => Callee::HostFunction,
                None => Callee::Unknown,
            },
        }
    }

    /// What a function of that number does, where functions have no symbols.
    pub(crate) fn numbered_callee(&self, namespace: u32, index: u32) -> Callee {
        match self.shape {
            Shape::Chain(shape) if namespace == shape.builtins => match index {
                i if i == shape.new_cont => Callee::NewCont,
                i if shape.raise.contains(&i) => Callee::Raise,
                // they run no code of the program, so that no revision changes
                _ => Callee::Harmless,
            },
            _ => Callee::Unknown,
        }
    }

    /// What the function of that number is.
    pub(crate) fn numbered_role(&self, namespace: u32) -> FunctionRole {
        match self.shape {
            Shape::Chain(shape) if !(shape.program.0..shape.program.1).contains(&namespace) => FunctionRole::Trampoline,
            _ => FunctionRole::Program,
        }
    }

    /// What the function of that name is.
    pub fn function_role(&self, name: &str) -> FunctionRole {
        if let Shape::Chain(_) = self.shape {
            return numbers(name).map_or(FunctionRole::Program, |(namespace, _)| self.numbered_role(namespace));
        }
        match name {
            symbols::ENTRY => FunctionRole::Entry,
            symbols::TRAP => FunctionRole::Trap,
            symbols::SEARCH_SUSPEND => FunctionRole::SearchSuspend,
            symbols::SEARCH_SWITCH => FunctionRole::SearchSwitch,
            symbols::NEW_SLOT => FunctionRole::NewSlot,
            symbols::GROW => FunctionRole::Grow,
            symbols::DROP => FunctionRole::Drop,
            symbols::BEGIN => FunctionRole::Begin,
            symbols::INVOKE => FunctionRole::Invoke,
            symbols::RECLAIM => FunctionRole::Reclaim,
            _ if self.is_enter(name) => FunctionRole::Enter,
            _ => FunctionRole::Program,
        }
    }

    /// Is it a trap with which an operation fails? Then nothing may have been
    /// written before it.
    pub(crate) fn fails_operation(&self, trap: u64) -> bool {
        let failing = [
            Trap::NullContinuation,
            Trap::Consumed,
            Trap::UnhandledTag,
            Trap::RevisionExhausted,
            Trap::PoolExhausted,
            Trap::NullException,
        ];
        failing.iter().any(|t| u64::from(t.code()) == trap)
    }
}
