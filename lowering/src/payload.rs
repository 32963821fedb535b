//! Payloads: which value of a list is in which slot of a ContRef.

use std::fmt;

use clif_cont_abi::{Abi, ContRef, FieldKind};
use cranelift_codegen::ir::{Block, InstBuilder, MemFlagsData, Signature, Type, Value};
use cranelift_frontend::FunctionBuilder;

use crate::TagId;
use crate::util::field_flags;

/// Where the values of a payload are.
///
/// Slots count from the last value, so that the slots of a list's tail are
/// those of the tail on its own; that is what lets `cont.bind` supply the first
/// values without knowing how many were supplied before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PayloadLayout {
    /// Offset in the ContRef of each value, in bytes.
    offsets: Vec<i32>,
    types: Vec<Type>,
    /// Number of slots taken; also the first free one.
    slots: u32,
}

impl PayloadLayout {
    /// The layout of a list of values.
    ///
    /// # Errors
    ///
    /// [`LowerError::TooManyValues`] when they do not fit into
    /// [`Abi::PAYLOAD_SLOTS`] less one (which `cont.new` needs), and
    /// [`LowerError::UnsupportedType`] for a value of more than 16 bytes.
    pub fn new(abi: &Abi, types: &[Type]) -> Result<Self, LowerError> {
        let mut slot = 0;
        let mut offsets = vec![0; types.len()];
        for (offset, ty) in offsets.iter_mut().zip(types).rev() {
            match ty.bytes() {
                1..=8 => {
                    *offset = abi.payload_offset(slot);
                    slot += 1;
                }
                16 => {
                    // slot 0 and slot 1 need not be neighbours
                    slot = slot.max(1);
                    *offset = abi.payload_offset(slot);
                    slot += 2;
                }
                _ => return Err(LowerError::UnsupportedType(*ty)),
            }
            if slot >= Abi::PAYLOAD_SLOTS {
                return Err(LowerError::TooManyValues { values: types.len(), slots: Abi::PAYLOAD_SLOTS - 1 });
            }
        }
        Ok(Self { offsets, types: types.to_vec(), slots: slot })
    }

    /// The number of slots taken.
    pub fn slots(&self) -> u32 {
        self.slots
    }

    /// Offset in the ContRef and type of each value, in order.
    pub fn values(&self) -> impl Iterator<Item = (i32, Type)> {
        self.offsets.iter().copied().zip(self.types.iter().copied())
    }

    /// Reads all values from the payload of a ContRef.
    pub fn load(&self, b: &mut FunctionBuilder<'_>, contref: Value) -> Vec<Value> {
        self.values()
            .map(|(offset, ty)| {
                let flags = payload_flags(b, ty);
                b.ins().load(ty, flags, contref, offset)
            })
            .collect()
    }

    /// Writes the first values to the payload of a ContRef; as many as are given.
    pub fn store(&self, b: &mut FunctionBuilder<'_>, contref: Value, values: &[Value]) {
        for ((offset, ty), value) in self.values().zip(values) {
            let flags = payload_flags(b, ty);
            b.ins().store(flags, *value, contref, offset);
        }
    }
}

fn payload_flags(b: &mut FunctionBuilder<'_>, ty: Type) -> MemFlagsData {
    debug_assert_eq!(ContRef::PAYLOAD.kind, FieldKind::Payload);
    let flags = field_flags(b.func, ContRef::PAYLOAD.region);
    if ty.bytes() > Abi::PAYLOAD_SLOT_BYTES {
        // only slots of 8 bytes are aligned
        MemFlagsData::new().with_notrap().with_alias_region(flags.alias_region())
    } else {
        flags
    }
}

/// Checks values against the types they are meant for.
///
/// # Errors
///
/// [`LowerError`]: another number of values, one that the function does not have, or one of
/// another type.
pub fn check_values(b: &FunctionBuilder<'_>, types: &[Type], values: &[Value]) -> Result<(), LowerError> {
    if types.len() != values.len() {
        return Err(LowerError::ValueCount { expected: types.len(), given: values.len() });
    }
    for (index, (expected, value)) in types.iter().zip(values).enumerate() {
        if !b.func.dfg.value_is_valid(*value) {
            return Err(LowerError::UnknownValue(*value));
        }
        let given = b.func.dfg.value_type(*value);
        if given != *expected {
            return Err(LowerError::ValueType { index, expected: *expected, given });
        }
    }
    Ok(())
}

/// Why an operation was not emitted. Nothing was written to the function then.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LowerError {
    /// The payload does not fit.
    TooManyValues {
        /// CLIF values in the list.
        values: usize,
        /// Slots there are.
        slots: u32,
    },
    /// No payload slot for a value of this type.
    UnsupportedType(Type),
    /// The wrong number of values.
    ValueCount {
        /// By the continuation's or the tag's type.
        expected: usize,
        /// By the caller.
        given: usize,
    },
    /// A value of the wrong type.
    ValueType {
        /// Which value.
        index: usize,
        /// By the continuation's or the tag's type.
        expected: Type,
        /// By the caller.
        given: Type,
    },
    /// A handler's block takes other parameters than the tag's values and a
    /// continuation object.
    HandlerBlock {
        /// Index of the clause.
        clause: usize,
        /// What the block has to take.
        expected: Vec<Type>,
    },
    /// `switch` to a continuation type whose last parameter is not a
    /// continuation object (two words).
    NoReturnContinuation,
    /// A tag that the embedder does not know.
    UnknownTag(TagId),
    /// A handler's block that the function does not have.
    UnknownBlock {
        /// Index of the clause.
        clause: usize,
        /// The block.
        block: Block,
    },
    /// A value that the function does not have.
    UnknownValue(Value),
    /// A function that was not declared to the embedder.
    UnknownFunction(String),
    /// `cont.new` of a function with another signature than the continuation's type asks
    /// for.
    Callee {
        /// The function.
        function: String,
        /// The signature that it is declared with.
        declared: Box<Signature>,
        /// What the type asks for.
        wanted: Box<Signature>,
    },
    /// An exception in a link set without exceptions, or from an embedder that
    /// cannot make one.
    NoExceptions,
}

impl fmt::Display for LowerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyValues { values, slots } => {
                write!(f, "a payload of {values} values does not fit into {slots} slots")
            }
            Self::UnsupportedType(ty) => write!(f, "a value of type {ty} cannot be passed between continuations"),
            Self::ValueCount { expected, given } => write!(f, "expected {expected} values, not {given}"),
            Self::ValueType { index, expected, given } => {
                write!(f, "value {index} has type {given}, expected {expected}")
            }
            Self::HandlerBlock { clause, expected } => {
                let types = expected.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                write!(f, "the block of handler clause {clause} has to take ({types})")
            }
            Self::UnknownTag(TagId(tag)) => write!(f, "there is no tag {tag}"),
            Self::UnknownBlock { clause, block } => {
                write!(f, "handler clause {clause} goes to {block}, which the function does not have")
            }
            Self::UnknownValue(value) => write!(f, "the function has no value {value}"),
            Self::UnknownFunction(name) => write!(f, "function `{name}` was not declared"),
            Self::Callee { function, declared, wanted } => {
                write!(f, "a continuation that runs {function}{declared} is made with a type that asks for {wanted}")
            }
            Self::NoExceptions => f.write_str("this link set has no exceptions"),
            Self::NoReturnContinuation => {
                f.write_str("the last parameter of a switched-to continuation has to be a continuation object")
            }
        }
    }
}

impl std::error::Error for LowerError {}
