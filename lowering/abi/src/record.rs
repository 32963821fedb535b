//! The records in memory: field offsets at both pointer widths, and the Rust
//! mirrors that a host of the same width reads them through.

use crate::{Abi, PointerWidth};

/// What a field holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FieldKind {
    /// One word, pointer wide.
    Word,
    /// The first of the payload slots; see [`Abi::payload_offset`].
    Payload,
}

/// An alias region: fields that share one share memory, and no two regions
/// overlap. The discriminant is the `user_id` in the function preamble.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u32)]
#[allow(missing_docs, reason = "named after the fields")]
pub enum Region {
    Context = 1,
    Revision = 2,
    Parent = 3,
    LastAncestor = 4,
    Handlers = 5,
    Payload = 6,
    Store = 7,
    HandlerTable = 8,
    StoreContext = 9,
    Table = 10,
}

impl Region {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Context,
        Self::Revision,
        Self::Parent,
        Self::LastAncestor,
        Self::Handlers,
        Self::Payload,
        Self::Store,
        Self::HandlerTable,
        Self::StoreContext,
        Self::Table,
    ];

    /// The `user_id` of the region.
    pub const fn id(self) -> u32 {
        self as u32
    }

    /// The description, as it is printed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Context => "context",
            Self::Revision => "revision",
            Self::Parent => "parent",
            Self::LastAncestor => "last_ancestor",
            Self::Handlers => "handlers",
            Self::Payload => "payload",
            Self::Store => "store",
            Self::HandlerTable => "handler_table",
            Self::StoreContext => "store_context",
            Self::Table => "table",
        }
    }
}

/// One field of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Field {
    /// Name of the record.
    pub record: &'static str,
    /// Name of the field.
    pub name: &'static str,
    /// What it is for.
    pub doc: &'static str,
    /// What it holds.
    pub kind: FieldKind,
    /// The alias region of every access.
    pub region: Region,
    at: [i32; 2],
}

impl Field {
    /// Offset in bytes from the record's address.
    pub const fn offset(&self, abi: &Abi) -> i32 {
        match abi.width {
            PointerWidth::W32 => self.at[0],
            PointerWidth::W64 => self.at[1],
        }
    }

    /// Size in bytes.
    pub const fn size(&self, abi: &Abi) -> u32 {
        match self.kind {
            FieldKind::Word => abi.width.bytes(),
            FieldKind::Payload => Abi::PAYLOAD_SLOT_BYTES,
        }
    }
}

/// A record: a name and its fields.
#[derive(Clone, Copy, Debug)]
pub struct Record {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub doc: &'static str,
    /// Its fields.
    pub fields: &'static [Field],
}

impl Record {
    /// All records of the ABI.
    pub const ALL: [Self; 4] = [ContRef::RECORD, StoreContext::RECORD, HandlerTable::RECORD, Table::RECORD];
}

macro_rules! record {
    (
        #[doc = $doc:literal] $(#[$more:meta])*
        $record:ident {
            $(#[doc = $fdoc:literal] $const:ident $name:ident: $kind:ident in $region:ident at $at32:literal | $at64:literal;)*
        }
    ) => {
        #[doc = $doc] $(#[$more])*
        #[derive(Clone, Copy, Debug)]
        pub enum $record {}

        impl $record {
            $(
                #[doc = $fdoc]
                pub const $const: Field = Field {
                    record: stringify!($record),
                    name: stringify!($name),
                    doc: $fdoc,
                    kind: FieldKind::$kind,
                    region: Region::$region,
                    at: [$at32, $at64],
                };
            )*
            /// The record.
            pub const RECORD: Record = Record {
                name: stringify!($record),
                doc: $doc,
                fields: &[$(Self::$const),*],
            };
        }
    };
}

record! {
    #[doc = "A continuation's own record, above its stack; 64-byte aligned, its first cache line is all that a switch touches."]
    ///
    /// Offsets are `32-bit | 64-bit`.
    ContRef {
        #[doc = "Control context: stack pointer. A fresh or recycled stack's is the ContRef's address less the ISA's bias."]
        SP sp: Word in Context at 0 | 0;
        #[doc = "Control context: frame pointer."]
        FP fp: Word in Context at 4 | 8;
        #[doc = "Control context: where to go on."]
        PC pc: Word in Context at 8 | 16;
        #[doc = "Counts consumptions and ends; an object is current while its own revision equals it."]
        REVISION revision: Word in Revision at 12 | 24;
        #[doc = "The resumer's ContRef while it runs; stale while suspended, when nobody reads it; the next free slot while it is free; 0 in a driver's record."]
        PARENT parent: Word in Parent at 16 | 32;
        #[doc = "Outermost ContRef of the chain that is resumed as one; the ContRef itself when it is alone."]
        LAST_ANCESTOR last_ancestor: Word in LastAncestor at 20 | 40;
        #[doc = "While it is somebody's parent: the handler table of the resume it waits in."]
        HANDLERS handlers: Word in Handlers at 24 | 48;
        #[doc = "The same word while it is fresh: address of the entry trampoline of its function type."]
        FUNCTION function: Word in Handlers at 24 | 48;
        #[doc = "Payload slot 0, the last value of what is passed; further slots by `payload_offset`."]
        PAYLOAD payload: Payload in Payload at 32 | 56;
        #[doc = "The StoreContext that the slot belongs to; set once when the slot is made."]
        STORE store: Word in Store at 28 | 64;
    }
}

record! {
    #[doc = "One per link set: what invocations share. 64-byte aligned."]
    ///
    /// Offsets are `32-bit | 64-bit`.
    StoreContext {
        #[doc = "ContRef record of the innermost invocation's driver; 0 outside of one."]
        DRIVER driver: Word in StoreContext at 0 | 0;
        #[doc = "HostCall switch model only: the running ContRef, set by the host when it switches."]
        ACTIVE active: Word in StoreContext at 4 | 8;
        #[doc = "First free slot, linked through `parent`; 0 when there is none."]
        FREE free: Word in StoreContext at 8 | 16;
        #[doc = "Base of the next slot never used, in the current reservation."]
        NEXT_SLOT next_slot: Word in StoreContext at 12 | 24;
        #[doc = "End of the current reservation."]
        SLOTS_END slots_end: Word in StoreContext at 16 | 32;
        #[doc = "Number of slots ever made."]
        SLOTS slots: Word in StoreContext at 20 | 40;
        #[doc = "Code of the trap being delivered to the driver."]
        TRAP_CODE trap_code: Word in StoreContext at 24 | 48;
        #[doc = "The ContRef on whose stack that trap happened."]
        TRAPPED trapped: Word in StoreContext at 28 | 56;
        #[doc = "Index of the host function being called."]
        HOST_FUNCTION host_function: Word in StoreContext at 32 | 64;
        #[doc = "Handler index of a suspend whose effect code cannot hold it."]
        HANDLER_INDEX handler_index: Word in StoreContext at 36 | 72;
    }
}

record! {
    #[doc = "The handlers of a resume. The address points between two lists of tag addresses, each ended by 0: suspend handlers go up from it in source order, switch handlers go down from the word before it in source order."]
    ///
    /// Both lists begin at a constant offset, so that the common search, a hit
    /// in the first entry, is one load and one comparison.
    HandlerTable {
        #[doc = "Tag of the first suspend handler, or 0; the others follow upwards."]
        SUSPEND suspend: Word in HandlerTable at 0 | 0;
        #[doc = "Tag of the first switch handler, or 0; the others follow downwards."]
        SWITCH switch: Word in HandlerTable at -4 | -8;
    }
}

record! {
    #[doc = "A growable table of references; its elements are elsewhere, and stay where they are."]
    ///
    /// Offsets are `32-bit | 64-bit`.
    Table {
        #[doc = "Address of element 0; there is memory for as many elements as the capacity says."]
        BASE base: Word in Table at 0 | 0;
        #[doc = "Elements there are."]
        LENGTH length: Word in Table at 4 | 8;
        #[doc = "Elements there can be."]
        CAPACITY capacity: Word in Table at 8 | 16;
    }
}

impl Table {
    /// Size in bytes.
    pub const fn bytes(abi: &Abi) -> u32 {
        3 * abi.width.bytes()
    }
}

impl ContRef {
    /// Bytes of a driver's record: a ContRef without a stack or a payload, and
    /// an empty handler table behind it.
    pub const DRIVER_BYTES: u32 = 128;
}

impl StoreContext {
    /// Size in bytes, at either width.
    pub const BYTES: u32 = 128;
    /// Alignment in bytes.
    pub const ALIGN: u32 = 64;
}

/// Rust mirrors of the records for a 64-bit host in its own byte order.
///
/// Checked against the declarations above when this crate is compiled.
pub mod mirror64 {
    /// [`super::ContRef`], without the payload slots beyond the first.
    #[repr(C, align(64))]
    #[derive(Clone, Copy, Debug)]
    #[allow(missing_docs, reason = "see the fields of `ContRef`")]
    pub struct ContRef {
        pub sp: u64,
        pub fp: u64,
        pub pc: u64,
        pub revision: u64,
        pub parent: u64,
        pub last_ancestor: u64,
        pub handlers: u64,
        pub payload: u64,
        pub store: u64,
    }

    /// [`super::StoreContext`].
    #[repr(C, align(64))]
    #[derive(Clone, Copy, Debug)]
    #[allow(missing_docs, reason = "see the fields of `StoreContext`")]
    pub struct StoreContext {
        pub driver: u64,
        pub active: u64,
        pub free: u64,
        pub next_slot: u64,
        pub slots_end: u64,
        pub slots: u64,
        pub trap_code: u64,
        pub trapped: u64,
        pub host_function: u64,
        pub handler_index: u64,
    }

    macro_rules! same {
        ($record:ident: $($field:ident $const:ident),*) => {
            $(const _: () = assert!(
                core::mem::offset_of!($record, $field) as i32 == super::$record::$const.at[1]
            );)*
        };
    }
    same!(ContRef: sp SP, fp FP, pc PC, revision REVISION, parent PARENT, last_ancestor LAST_ANCESTOR,
        handlers HANDLERS, payload PAYLOAD, store STORE);
    same!(StoreContext: driver DRIVER, active ACTIVE, free FREE, next_slot NEXT_SLOT, slots_end SLOTS_END,
        slots SLOTS, trap_code TRAP_CODE, trapped TRAPPED, host_function HOST_FUNCTION, handler_index HANDLER_INDEX);
    const _: () = assert!(core::mem::size_of::<StoreContext>() == super::StoreContext::BYTES as usize);
    const _: () = assert!(core::mem::align_of::<ContRef>() == crate::Abi::CONTREF_ALIGN as usize);
}
