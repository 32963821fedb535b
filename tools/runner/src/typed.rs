//! Calls with Rust types: `jit.call::<(i64, i32), i64>("name", (1, 2))`.
//!
//! The types are compared with those of the export when it is called.

use clif_cont_program::{Val, ValType};

/// A Rust type of one value.
pub trait Scalar: Copy {
    /// The value's type.
    const TYPE: ValType;
    /// To a value.
    fn to_val(self) -> Val;
    /// From a value; `None` for one of another type.
    fn from_val(val: Val) -> Option<Self>;
}

macro_rules! scalar {
    ($($ty:ty, $variant:ident, $from:expr, $to:expr;)*) => {$(
        impl Scalar for $ty {
            const TYPE: ValType = ValType::$variant;
            fn to_val(self) -> Val {
                Val::$variant($from(self))
            }
            fn from_val(val: Val) -> Option<Self> {
                match val {
                    Val::$variant(v) => Some($to(v)),
                    _ => None,
                }
            }
        }
    )*};
}

scalar! {
    i32, I32, |v| v, |v| v;
    i64, I64, |v| v, |v| v;
    f32, F32, f32::to_bits, f32::from_bits;
    f64, F64, f64::to_bits, f64::from_bits;
}

/// Parameters of a typed call: a tuple of up to eight scalars.
pub trait Params {
    /// Their types.
    fn types() -> Vec<ValType>;
    /// To values.
    fn to_vals(self) -> Vec<Val>;
}

/// Results of a typed call: `()`, a scalar, or a tuple of up to eight.
pub trait Results: Sized {
    /// Their types.
    fn types() -> Vec<ValType>;
    /// From values; `None` where number or types do not fit.
    fn from_vals(vals: &[Val]) -> Option<Self>;
}

impl<T: Scalar> Results for T {
    fn types() -> Vec<ValType> {
        vec![T::TYPE]
    }
    fn from_vals(vals: &[Val]) -> Option<Self> {
        match vals {
            [one] => T::from_val(*one),
            _ => None,
        }
    }
}

macro_rules! tuples {
    ($($($name:ident $var:ident)*;)*) => {$(
        impl<$($name: Scalar),*> Params for ($($name,)*) {
            fn types() -> Vec<ValType> {
                vec![$($name::TYPE),*]
            }
            fn to_vals(self) -> Vec<Val> {
                let ($($var,)*) = self;
                vec![$($var.to_val()),*]
            }
        }
        impl<$($name: Scalar),*> Results for ($($name,)*) {
            fn types() -> Vec<ValType> {
                vec![$($name::TYPE),*]
            }
            fn from_vals(vals: &[Val]) -> Option<Self> {
                let &[$($var),*] = vals else { return None };
                Some(($($name::from_val($var)?,)*))
            }
        }
    )*};
}

tuples! {
    ;
    A a;
    A a B b;
    A a B b C c;
    A a B b C c D d;
    A a B b C c D d E e;
    A a B b C c D d E e F f;
    A a B b C c D d E e F f G g;
    A a B b C c D d E e F f G g H h;
}
