//! What passes the border between a program and its host: values and their types.
//!
//! Numbers are numbers. Objects (functions, exceptions, structures, continuations) are
//! addresses to the program, and opaque to its host, which gets them from the program alone:
//! a handle names the instance that it came from ([`InstanceId`]) and its type
//! ([`ObjectType`]), and goes back into that instance, to where that type is taken
//! ([`words_of`]). A host can make a null reference, and external references, which are
//! numbers of its own that the program never looks into.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use clif_cont_abi::Abi;
use cranelift_codegen::ir;

/// What a reference refers to, by a number of the program's: places of the same number hold
/// objects of the same type. What is said of no type has number 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ObjectType {
    /// The number.
    pub number: u32,
    /// May it be null?
    pub nullable: bool,
}

/// The type of a value at the border between a program and its host.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ValType {
    /// 32-bit integer.
    I32,
    /// 64-bit integer.
    I64,
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
    /// An external reference: a number of the host's, or null. One word, the number + 1, and
    /// 0 for null.
    Extern,
    /// A reference of one word: 0 is null. Functions (address of their descriptor),
    /// exceptions, structures.
    Ref,
    /// The same, of a type with a number.
    RefOf(ObjectType),
    /// A continuation object: two words, contref and revision.
    Cont,
    /// The same, of a type with a number.
    ContOf(ObjectType),
}

impl ValType {
    /// The CLIF types of the value: two words for a continuation object.
    pub fn clif(self, abi: &Abi) -> &'static [ir::Type] {
        use clif_cont_abi::PointerWidth::*;
        use ir::types::*;
        match (self, abi.width) {
            (Self::I32, _) | (Self::Ref | Self::RefOf(_) | Self::Extern, W32) => &[I32],
            (Self::I64, _) | (Self::Ref | Self::RefOf(_) | Self::Extern, W64) => &[I64],
            (Self::F32, _) => &[F32],
            (Self::F64, _) => &[F64],
            (Self::Cont | Self::ContOf(_), W32) => &[I32, I32],
            (Self::Cont | Self::ContOf(_), W64) => &[I64, I64],
        }
    }

    /// The name in the textual form, without the number of an object's type.
    pub const fn name(self) -> &'static str {
        match self {
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::Extern => "extern",
            Self::Ref | Self::RefOf(_) => "ref",
            Self::Cont | Self::ContOf(_) => "cont",
        }
    }

    /// Those without a number.
    pub const ALL: [Self; 7] = [Self::I32, Self::I64, Self::F32, Self::F64, Self::Extern, Self::Ref, Self::Cont];

    /// The number of an object's type, and whether null is one.
    const fn object(self) -> Option<ObjectType> {
        match self {
            Self::RefOf(ty) | Self::ContOf(ty) => Some(ty),
            Self::Ref | Self::Cont => Some(ObjectType { number: 0, nullable: true }),
            _ => None,
        }
    }
}

/// `i32`, `ref.3`; a `?` behind the number where null is among the values
impl fmt::Display for ValType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::RefOf(ty) | Self::ContOf(ty) => {
                write!(f, ".{}{}", ty.number, if ty.nullable { "?" } else { "" })
            }
            _ => Ok(()),
        }
    }
}

/// Which running program an object belongs to. Each is made once in a process.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct InstanceId(u64);

impl InstanceId {
    /// A new one.
    #[allow(clippy::new_without_default, reason = "each is another")]
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// An object of a program, or null: an opaque handle. It may be kept for as long as one
/// likes; of what has ended or was consumed in the meantime the program says so.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Object {
    /// 0 for null.
    instance: u64,
    /// [`ObjectType::number`].
    ty: u32,
    words: [u64; 2],
}

impl Object {
    /// The null reference.
    pub const NULL: Self = Self { instance: 0, ty: 0, words: [0; 2] };

    /// Is it null?
    pub const fn is_null(self) -> bool {
        self.instance == 0
    }
}

/// A value at the border. Floats are their bits, so that NaNs survive.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Val {
    /// 32-bit integer.
    I32(i32),
    /// 64-bit integer.
    I64(i64),
    /// The bits of a 32-bit float.
    F32(u32),
    /// The bits of a 64-bit float.
    F64(u64),
    /// A number of the host's, or null.
    Extern(Option<u32>),
    /// A reference to an object of the program.
    Ref(Object),
    /// A continuation object.
    Cont(Object),
}

impl Val {
    /// The null reference.
    pub const NULL_REF: Self = Self::Ref(Object::NULL);
    /// The null continuation.
    pub const NULL_CONT: Self = Self::Cont(Object::NULL);

    /// Its type.
    pub const fn ty(self) -> ValType {
        match self {
            Self::I32(_) => ValType::I32,
            Self::I64(_) => ValType::I64,
            Self::F32(_) => ValType::F32,
            Self::F64(_) => ValType::F64,
            Self::Extern(_) => ValType::Extern,
            Self::Ref(Object { ty: 0, .. }) => ValType::Ref,
            Self::Ref(Object { ty, .. }) => ValType::RefOf(ObjectType { number: ty, nullable: false }),
            Self::Cont(Object { ty: 0, .. }) => ValType::Cont,
            Self::Cont(Object { ty, .. }) => ValType::ContOf(ObjectType { number: ty, nullable: false }),
        }
    }

    /// Takes a value of a type from the front of the words that an instance's payload slots
    /// hold; `None` where there are too few, or one is no such value.
    pub fn from_words(instance: &InstanceId, ty: ValType, words: &mut impl Iterator<Item = u64>) -> Option<Self> {
        let word = words.next()?;
        let object = |first: u64, second: u64, ty: ValType| match first {
            // whatever its revision
            0 => Object::NULL,
            _ => Object { instance: instance.0, ty: ty.object().map_or(0, |ty| ty.number), words: [first, second] },
        };
        Some(match ty {
            ValType::I32 => Self::I32(word as i32),
            ValType::I64 => Self::I64(word as i64),
            ValType::F32 => Self::F32(word as u32),
            ValType::F64 => Self::F64(word),
            ValType::Extern => Self::Extern(word.checked_sub(1).map(u32::try_from).transpose().ok()?),
            ValType::Ref | ValType::RefOf(_) => Self::Ref(object(word, 0, ty)),
            ValType::Cont | ValType::ContOf(_) => Self::Cont(object(word, words.next()?, ty)),
        })
    }

    /// The value as the words that payload slots of an instance hold, one a slot: for each its
    /// bits, zero-extended.
    fn words(self, instance: &InstanceId, ty: ValType) -> Result<([u64; 2], usize), Mismatch> {
        let object = |object: Object, count: usize| {
            let Some(wanted) = ty.object() else { return Err(Mismatch::Type) };
            match object.is_null() {
                true if wanted.nullable => Ok(([0; 2], count)),
                true => Err(Mismatch::Null),
                false if object.instance != instance.0 => Err(Mismatch::Foreign),
                false if object.ty != wanted.number => Err(Mismatch::Type),
                false => Ok((object.words, count)),
            }
        };
        Ok(match (self, ty) {
            (Self::I32(v), ValType::I32) => ([u64::from(v as u32), 0], 1),
            (Self::I64(v), ValType::I64) => ([v as u64, 0], 1),
            (Self::F32(v), ValType::F32) => ([u64::from(v), 0], 1),
            (Self::F64(v), ValType::F64) => ([v, 0], 1),
            (Self::Extern(v), ValType::Extern) => ([v.map_or(0, |v| u64::from(v) + 1), 0], 1),
            (Self::Ref(v), ValType::Ref | ValType::RefOf(_)) => object(v, 1)?,
            (Self::Cont(v), ValType::Cont | ValType::ContOf(_)) => object(v, 2)?,
            _ => return Err(Mismatch::Type),
        })
    }

    /// Parses an argument of the command line: integers in decimal (signed or
    /// unsigned range) or `0x` hexadecimal, floats as Rust writes them, or
    /// `nan`, `inf`, `0x` bits; external references as numbers or `null`, others `null` only.
    pub fn parse(ty: ValType, text: &str) -> Option<Self> {
        fn int(text: &str) -> Option<i128> {
            let (negative, digits) = match text.strip_prefix('-') {
                Some(rest) => (true, rest),
                None => (false, text),
            };
            let v: u64 = match digits.strip_prefix("0x") {
                Some(hex) => u64::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            Some(if negative { -i128::from(v) } else { v.into() })
        }
        let ranged = |bits: u32| int(text).filter(|v| *v >= -(1i128 << (bits - 1)) && *v < 1i128 << bits);
        match ty {
            ValType::I32 => ranged(32).map(|v| Self::I32(v as i32)),
            ValType::I64 => ranged(64).map(|v| Self::I64(v as i64)),
            ValType::F32 => match text.strip_prefix("0x") {
                Some(hex) => u32::from_str_radix(hex, 16).ok().map(Self::F32),
                None => text.parse::<f32>().ok().map(|v| Self::F32(v.to_bits())),
            },
            ValType::F64 => match text.strip_prefix("0x") {
                Some(hex) => u64::from_str_radix(hex, 16).ok().map(Self::F64),
                None => text.parse::<f64>().ok().map(|v| Self::F64(v.to_bits())),
            },
            ValType::Extern if text == "null" => Some(Self::Extern(None)),
            ValType::Extern => text.parse().ok().map(|n| Self::Extern(Some(n))),
            ValType::Ref | ValType::RefOf(_) => (text == "null").then_some(Self::NULL_REF),
            ValType::Cont | ValType::ContOf(_) => (text == "null").then_some(Self::NULL_CONT),
        }
    }
}

/// A bare number: signed decimal, floats in Rust's shortest form; references
/// as `null`, `ref`, `cont`, external ones as their number.
impl fmt::Display for Val {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::I32(v) => write!(f, "{v}"),
            Self::I64(v) => write!(f, "{v}"),
            Self::F32(v) => write!(f, "{}", f32::from_bits(v)),
            Self::F64(v) => write!(f, "{}", f64::from_bits(v)),
            Self::Extern(None) => f.write_str("null"),
            Self::Extern(Some(n)) => write!(f, "{n}"),
            Self::Ref(v) | Self::Cont(v) if v.is_null() => f.write_str("null"),
            Self::Ref(_) => f.write_str("ref"),
            Self::Cont(_) => f.write_str("cont"),
        }
    }
}

/// Why values are not what a function takes, or may give.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mismatch {
    /// Another number of values, or one of another type.
    Type,
    /// Null, where there is no null.
    Null,
    /// An object of another instance.
    Foreign,
}

impl Mismatch {
    /// In words.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Type => "values of other types",
            Self::Null => "null, where there is none",
            Self::Foreign => "an object of another instance",
        }
    }
}

/// The words of values in the order of the values, for payload slots of an instance.
///
/// # Errors
///
/// [`Mismatch`] where they are not of these types, or an object is another instance's.
pub fn words_of(instance: &InstanceId, types: &[ValType], values: &[Val]) -> Result<Vec<u64>, Mismatch> {
    if types.len() != values.len() {
        return Err(Mismatch::Type);
    }
    let mut words = Vec::with_capacity(values.len());
    for (ty, value) in types.iter().zip(values) {
        let (own, count) = value.words(instance, *ty)?;
        words.extend(&own[..count]);
    }
    Ok(words)
}
