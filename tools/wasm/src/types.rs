//! Canonical types: equal types have one id in the whole store.
//!
//! Types are equal as in the GC proposal: two recursion groups that have the
//! same shape are the same types, and a type may be declared to be a subtype of
//! another. A group is looked up by its definitions, in which references to the
//! group's own members are relative; what lies outside is canonical already.
//!
//! Ids are handed out in order of first appearance, so they are stable as long
//! as the type section is. A store shared by several modules makes their types
//! comparable.

use std::collections::HashMap;

use clif_cont_program::{ObjectType, Signature, ValType};
use wasmparser::{AbstractHeapType, CompositeInnerType, HeapType, PackedIndex, RefType, StorageType, SubType};

use crate::error::{Fault, Result};

/// A canonical type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct TypeId(u32);

impl TypeId {
    /// Marks ids that count from the start of their own group; in keys only.
    const RELATIVE: u32 = 1 << 31;

    /// The number that stands for the type in memory. Never 0.
    pub(crate) fn word(self) -> u64 {
        u64::from(self.0) + 1
    }

    fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a reference refers to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Heap {
    /// One of the proposal's own types.
    Abstract(AbstractHeapType),
    /// A declared type.
    Declared(TypeId),
}

/// A WebAssembly type with canonical references.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs, reason = "the proposal's names")]
pub(crate) enum Ty {
    I8,
    I16,
    I32,
    I64,
    F32,
    F64,
    V128,
    Ref { nullable: bool, heap: Heap },
}

/// What a declared type is.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Body {
    /// A function.
    Func { params: Vec<Ty>, results: Vec<Ty> },
    /// A continuation of a function type.
    Cont(TypeId),
    /// A structure, or an array (one field); may a field be written?
    Fields { array: bool, fields: Vec<(Ty, bool)> },
}

/// A declared type.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Def {
    pub(crate) is_final: bool,
    pub(crate) supertype: Option<TypeId>,
    pub(crate) body: Body,
}

/// What goes into and comes out of a function or a continuation, as the
/// generated code represents it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Sig {
    pub(crate) params: Vec<ValType>,
    pub(crate) results: Vec<ValType>,
}

impl Sig {
    /// As a program says it.
    pub(crate) fn signature(&self) -> Signature {
        Signature::new(self.params.clone(), self.results.clone())
    }
}

/// All declared types of a store.
#[derive(Clone, Default, Debug)]
pub(crate) struct TypeStore {
    defs: Vec<Def>,
    groups: HashMap<Vec<Def>, u32>,
}

impl TypeStore {
    /// The canonical ids of a recursion group whose first member has module
    /// index `first`; `known` are the ids of the module's types before it.
    pub(crate) fn group(&mut self, types: &[(u64, SubType)], first: u32, known: &[TypeId]) -> Result<Vec<TypeId>> {
        let convert = |base: u32| -> Result<Vec<Def>> {
            let resolve = |index: u32| match index.checked_sub(first) {
                Some(i) => TypeId(base + i),
                None => known[index as usize],
            };
            types.iter().map(|(offset, t)| def(t, &resolve, *offset)).collect()
        };
        let key = convert(TypeId::RELATIVE)?;
        let at = match self.groups.get(&key) {
            Some(at) => *at,
            None => {
                let at = self.defs.len() as u32;
                self.defs.extend(convert(at)?);
                self.groups.insert(key, at);
                at
            }
        };
        Ok((0..types.len() as u32).map(|i| TypeId(at + i)).collect())
    }

    /// The definition of a type.
    pub(crate) fn def(&self, id: TypeId) -> &Def {
        &self.defs[id.index()]
    }

    /// Is `a` the type `b`, or declared below it?
    pub(crate) fn is_subtype(&self, a: TypeId, b: TypeId) -> bool {
        let mut at = Some(a);
        while let Some(id) = at {
            if id == b {
                return true;
            }
            at = self.def(id).supertype;
        }
        false
    }

    /// Is every value of type `a` one of type `b`?
    pub(crate) fn matches(&self, a: Ty, b: Ty) -> bool {
        match (a, b) {
            (Ty::Ref { nullable: n1, heap: h1 }, Ty::Ref { nullable: n2, heap: h2 }) => {
                (n2 || !n1) && self.heap_matches(h1, h2)
            }
            _ => a == b,
        }
    }

    fn heap_matches(&self, a: Heap, b: Heap) -> bool {
        use AbstractHeapType::{
            Any, Array, Cont, Eq, Exn, Extern, Func, I31, NoCont, NoExn, NoExtern, NoFunc, None, Struct,
        };
        match (a, b) {
            (Heap::Declared(a), Heap::Declared(b)) => self.is_subtype(a, b),
            (Heap::Declared(a), Heap::Abstract(b)) => match self.def(a).body {
                Body::Func { .. } => b == Func,
                Body::Cont(_) => b == Cont,
                Body::Fields { array, .. } => matches!(b, Any | Eq) || b == if array { Array } else { Struct },
            },
            (Heap::Abstract(a), Heap::Declared(b)) => match self.def(b).body {
                Body::Func { .. } => a == NoFunc,
                Body::Cont(_) => a == NoCont,
                Body::Fields { .. } => a == None,
            },
            (Heap::Abstract(a), Heap::Abstract(b)) => {
                let below = match b {
                    Any => matches!(a, Eq | I31 | Struct | Array | None),
                    Eq => matches!(a, I31 | Struct | Array | None),
                    I31 | Struct | Array => a == None,
                    Func => a == NoFunc,
                    Extern => a == NoExtern,
                    Exn => a == NoExn,
                    Cont => a == NoCont,
                    _ => false,
                };
                a == b || below
            }
        }
    }

    /// The types declared below `id`, itself first.
    pub(crate) fn subtypes(&self, id: TypeId) -> Vec<TypeId> {
        if self.def(id).is_final {
            return vec![id];
        }
        let below = (0..self.defs.len() as u32).map(TypeId).filter(|t| *t != id && self.is_subtype(*t, id));
        std::iter::once(id).chain(below).collect()
    }

    /// All types of structures, or all of arrays.
    pub(crate) fn all_fields(&self, arrays: bool) -> Vec<TypeId> {
        let is = |t: &TypeId| matches!(self.def(*t).body, Body::Fields { array, .. } if array == arrays);
        (0..self.defs.len() as u32).map(TypeId).filter(is).collect()
    }

    /// The function type behind a function or continuation type.
    pub(crate) fn func(&self, id: TypeId) -> Option<(&[Ty], &[Ty])> {
        match &self.def(id).body {
            Body::Func { params, results } => Some((params, results)),
            Body::Cont(f) => self.func(*f),
            Body::Fields { .. } => None,
        }
    }

    /// How values of a type are represented.
    pub(crate) fn repr(&self, ty: Ty, offset: u64) -> Result<ValType> {
        Ok(match ty {
            Ty::I32 => ValType::I32,
            Ty::I64 => ValType::I64,
            Ty::F32 => ValType::F32,
            Ty::F64 => ValType::F64,
            Ty::V128 => return Err(Fault::unsupported("SIMD: the type v128", offset)),
            Ty::I8 | Ty::I16 => return Err(Fault::internal("a packed type outside of a field", offset)),
            Ty::Ref { heap, .. } => self.heap_repr(heap),
        })
    }

    /// How references are represented: continuations as two words.
    pub(crate) fn heap_repr(&self, heap: Heap) -> ValType {
        match heap {
            Heap::Abstract(AbstractHeapType::Cont | AbstractHeapType::NoCont) => ValType::Cont,
            Heap::Abstract(_) => ValType::Ref,
            Heap::Declared(id) => match self.def(id).body {
                Body::Cont(_) => ValType::Cont,
                Body::Func { .. } | Body::Fields { .. } => ValType::Ref,
            },
        }
    }

    /// The representation of everything that a function or continuation type
    /// takes and gives.
    pub(crate) fn sig(&self, id: TypeId, offset: u64) -> Result<Sig> {
        let Some((params, results)) = self.func(id) else {
            return Err(Fault::internal("neither a function nor a continuation type", offset));
        };
        let all = |types: &[Ty]| types.iter().map(|t| self.repr(*t, offset)).collect::<Result<Vec<_>>>();
        Ok(Sig { params: all(params)?, results: all(results)? })
    }

    /// How a value is told to the host.
    pub(crate) fn border(&self, ty: Ty, offset: u64) -> Result<ValType> {
        let repr = self.repr(ty, offset)?;
        let Ty::Ref { nullable, heap } = ty else { return Ok(repr) };
        use AbstractHeapType::{Any, Array, Cont, Eq, Exn, Extern, Func, I31, NoExtern, Struct};
        let number = match heap {
            Heap::Abstract(Extern | NoExtern) => return Ok(ValType::Extern),
            Heap::Declared(id) => 100 + id.0,
            Heap::Abstract(Func) => 1,
            Heap::Abstract(Any) => 2,
            Heap::Abstract(Eq) => 3,
            Heap::Abstract(I31) => 4,
            Heap::Abstract(Struct) => 5,
            Heap::Abstract(Array) => 6,
            Heap::Abstract(Exn) => 7,
            Heap::Abstract(Cont) => 8,
            // those without a value but null
            Heap::Abstract(_) => 9,
        };
        let ty = ObjectType { number, nullable };
        Ok(if repr == ValType::Cont { ValType::ContOf(ty) } else { ValType::RefOf(ty) })
    }

    /// What a function takes and gives, as the host is told.
    pub(crate) fn border_sig(&self, id: TypeId, offset: u64) -> Result<Sig> {
        let Some((params, results)) = self.func(id) else {
            return Err(Fault::internal("neither a function nor a continuation type", offset));
        };
        let all = |types: &[Ty]| types.iter().map(|t| self.border(*t, offset)).collect::<Result<Vec<_>>>();
        Ok(Sig { params: all(params)?, results: all(results)? })
    }
}

/// A type as it stands in a module, with its indices resolved.
pub(crate) fn ty(t: wasmparser::ValType, resolve: &dyn Fn(u32) -> TypeId, offset: u64) -> Result<Ty> {
    Ok(match t {
        wasmparser::ValType::I32 => Ty::I32,
        wasmparser::ValType::I64 => Ty::I64,
        wasmparser::ValType::F32 => Ty::F32,
        wasmparser::ValType::F64 => Ty::F64,
        wasmparser::ValType::V128 => Ty::V128,
        wasmparser::ValType::Ref(r) => reference(r, resolve, offset)?,
    })
}

/// The same for a reference type.
pub(crate) fn reference(r: RefType, resolve: &dyn Fn(u32) -> TypeId, offset: u64) -> Result<Ty> {
    Ok(Ty::Ref { nullable: r.is_nullable(), heap: heap(r.heap_type(), resolve, offset)? })
}

/// The same for a heap type.
pub(crate) fn heap(h: HeapType, resolve: &dyn Fn(u32) -> TypeId, offset: u64) -> Result<Heap> {
    match h {
        HeapType::Abstract { shared: false, ty } => Ok(Heap::Abstract(ty)),
        HeapType::Abstract { shared: true, .. } => Err(Fault::unsupported("a shared type", offset)),
        HeapType::Concrete(index) => match index.as_module_index() {
            Some(index) => Ok(Heap::Declared(resolve(index))),
            None => Err(Fault::internal("a type index that is not the module's", offset)),
        },
        HeapType::Exact(_) => Err(Fault::unsupported("an exact type", offset)),
    }
}

fn def(t: &SubType, resolve: &dyn Fn(u32) -> TypeId, offset: u64) -> Result<Def> {
    let index = |i: PackedIndex| match i.unpack().as_module_index() {
        Some(i) => Ok(resolve(i)),
        None => Err(Fault::internal("a type index that is not the module's", offset)),
    };
    if t.composite_type.shared {
        return Err(Fault::unsupported("a shared type", offset));
    }
    let field = |f: &wasmparser::FieldType| -> Result<(Ty, bool)> {
        let ty = match f.element_type {
            StorageType::I8 => Ty::I8,
            StorageType::I16 => Ty::I16,
            StorageType::Val(v) => ty(v, resolve, offset)?,
        };
        Ok((ty, f.mutable))
    };
    let all = |types: &[wasmparser::ValType]| types.iter().map(|t| ty(*t, resolve, offset)).collect::<Result<Vec<_>>>();
    let body = match &t.composite_type.inner {
        CompositeInnerType::Func(f) => Body::Func { params: all(f.params())?, results: all(f.results())? },
        CompositeInnerType::Cont(c) => Body::Cont(index(c.0)?),
        CompositeInnerType::Struct(s) => {
            Body::Fields { array: false, fields: s.fields.iter().map(field).collect::<Result<_>>()? }
        }
        CompositeInnerType::Array(a) => Body::Fields { array: true, fields: vec![field(&a.0)?] },
    };
    let supertype = t.supertype_idxs.first().map(|i| index(*i)).transpose()?;
    Ok(Def { is_final: t.is_final, supertype, body })
}
