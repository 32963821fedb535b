//! Structures, arrays, small integers, and casts. See [`crate::object`].

use clif_cont_abi::Trap;
use clif_cont_program::ValType;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I8, I32, I64};
use cranelift_codegen::ir::{BlockArg, InstBuilder, MemFlagsData, Type, Value};
use wasmparser::{AbstractHeapType, HeapType, Operator};

use super::Translator;
use crate::error::Result;
use crate::helper::Helper;
use crate::object::{self, FIELDS, LENGTH};
use crate::types::{self, Body, Heap, Ty, TypeId};

/// How a packed field is read.
#[derive(Clone, Copy)]
enum Widen {
    Signed,
    Unsigned,
}

/// A field: its offset in an object, or an element's address.
struct Place {
    base: Value,
    offset: i32,
    ty: Ty,
}

impl Translator<'_, '_, '_> {
    /// Translates an operator on objects; `false` when it is none.
    pub(super) fn object(&mut self, op: &Operator<'_>) -> Result<bool> {
        use Widen::{Signed, Unsigned};
        match *op {
            Operator::StructNew { struct_type_index } => {
                let id = self.type_id(struct_type_index);
                let fields = self.fields(id)?;
                let values = self.pop_n(fields.len())?;
                let object = self.new_struct(id, &fields)?;
                self.store_fields(object, &fields, &values)?;
                self.push1(object);
            }
            Operator::StructNewDefault { struct_type_index } => {
                let id = self.type_id(struct_type_index);
                let fields = self.fields(id)?;
                let object = self.new_struct(id, &fields)?;
                self.push1(object);
            }
            Operator::StructGet { struct_type_index, field_index }
            | Operator::StructGetU { struct_type_index, field_index } => {
                let place = self.field(struct_type_index, field_index)?;
                self.read(&place, Unsigned)?;
            }
            Operator::StructGetS { struct_type_index, field_index } => {
                let place = self.field(struct_type_index, field_index)?;
                self.read(&place, Signed)?;
            }
            Operator::StructSet { struct_type_index, field_index } => {
                let value = self.pop()?;
                let place = self.field(struct_type_index, field_index)?;
                self.store_field(place.base, place.offset, value.values());
            }
            Operator::ArrayNew { array_type_index } => {
                let id = self.type_id(array_type_index);
                let (n, value) = (self.pop1()?, self.pop()?);
                let object = self.new_array(id, n)?;
                let start = self.b.ins().iadd_imm_s(object, i64::from(FIELDS));
                self.fill_fields(start, n, value.values());
                self.push1(object);
            }
            Operator::ArrayNewDefault { array_type_index } => {
                let n = self.pop1()?;
                let object = self.new_array(self.type_id(array_type_index), n)?;
                self.push1(object);
            }
            Operator::ArrayNewFixed { array_type_index, array_size } => {
                let values = self.pop_n(array_size as usize)?;
                let n = self.b.ins().iconst(I32, i64::from(array_size));
                let id = self.type_id(array_type_index);
                let object = self.new_array(id, n)?;
                let elements = vec![self.fields(id)?[0]; array_size as usize];
                self.store_fields(object, &elements, &values)?;
                self.push1(object);
            }
            Operator::ArrayGet { array_type_index } | Operator::ArrayGetU { array_type_index } => {
                let place = self.element(array_type_index)?;
                self.read(&place, Unsigned)?;
            }
            Operator::ArrayGetS { array_type_index } => {
                let place = self.element(array_type_index)?;
                self.read(&place, Signed)?;
            }
            Operator::ArraySet { array_type_index } => {
                let value = self.pop()?;
                let place = self.element(array_type_index)?;
                self.store_field(place.base, place.offset, value.values());
            }
            Operator::ArrayLen => {
                let object = self.pop_object()?;
                let length = self.b.ins().load(I32, MemFlagsData::trusted(), object, LENGTH);
                self.push1(length);
            }
            Operator::ArrayFill { array_type_index } => {
                let (n, value, start) = (self.pop1()?, self.pop()?, self.pop1()?);
                let object = self.pop_object()?;
                let at = self.elements(array_type_index, object, start, n)?;
                self.fill_fields(at, n, value.values());
            }
            Operator::ArrayCopy { array_type_index_dst, array_type_index_src } => {
                let (n, from) = (self.pop1()?, self.pop1()?);
                let source = self.pop_object()?;
                let to = self.pop1()?;
                let target = self.pop_object()?;
                let to = self.elements(array_type_index_dst, target, to, n)?;
                let from = self.elements(array_type_index_src, source, from, n)?;
                let bytes = self.element_bytes(self.type_id(array_type_index_dst))?;
                let n = self.word(n);
                let n = self.b.ins().imul_imm_s(n, bytes);
                let config = self.env.frontend_config();
                self.b.call_memmove(config, to, from, n);
            }
            Operator::RefEq => {
                let (b, a) = (self.pop1()?, self.pop1()?);
                let equal = self.b.ins().icmp(IntCC::Equal, a, b);
                self.push_bool(equal);
            }
            Operator::RefI31 => {
                let number = self.pop1()?;
                let twice = self.b.ins().ishl_imm_u(number, 1);
                let tagged = self.b.ins().bor_imm_u(twice, 1);
                let reference = self.word(tagged);
                self.push1(reference);
            }
            Operator::I31GetS => {
                let twice = self.i31()?;
                let number = self.b.ins().sshr_imm_u(twice, 1);
                self.push1(number);
            }
            Operator::I31GetU => {
                let twice = self.i31()?;
                let number = self.b.ins().ushr_imm_u(twice, 1);
                self.push1(number);
            }
            Operator::RefTestNonNull { hty } => self.test(hty, false)?,
            Operator::RefTestNullable { hty } => self.test(hty, true)?,
            Operator::RefCastNonNull { hty } => self.cast(hty, false)?,
            Operator::RefCastNullable { hty } => self.cast(hty, true)?,
            Operator::BrOnCast { relative_depth, to_ref_type, .. }
            | Operator::BrOnCastFail { relative_depth, to_ref_type, .. } => {
                let reference = self.pop1()?;
                let hit = self.is(reference, to_ref_type.heap_type(), to_ref_type.is_nullable())?;
                self.push1(reference);
                let (block, n) = self.branch_target(relative_depth)?;
                let args = self.top_args(n)?;
                let next = self.b.create_block();
                if matches!(op, Operator::BrOnCast { .. }) {
                    self.b.ins().brif(hit, block, &args, next, &[]);
                } else {
                    self.b.ins().brif(hit, next, &[], block, &args);
                }
                self.continue_in(next);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn type_id(&self, index: u32) -> TypeId {
        self.env.shared.module.type_ids[index as usize]
    }

    fn fields(&self, id: TypeId) -> Result<Vec<Ty>> {
        let fields = object::fields(&self.env.shared.module.types, id, self.offset)?;
        Ok(fields.iter().map(|(ty, _)| *ty).collect())
    }

    fn flat_field(&self, ty: Ty) -> Result<Vec<Type>> {
        object::flat(&self.env.shared, ty, self.offset)
    }

    /// Bytes of an array's element.
    fn element_bytes(&self, id: TypeId) -> Result<i64> {
        let ty = self.fields(id)?[0];
        Ok(i64::from(object::bytes(&self.flat_field(ty)?)))
    }

    /// Memory for an object of that many bytes, all zero but its type.
    fn allocate(&mut self, id: TypeId, bytes: Value) -> Value {
        let helper = self.env.helper(self.b.func, Helper::ObjectAlloc);
        let call = self.b.ins().call(helper, &[bytes]);
        let object = self.b.inst_results(call)[0];
        let ty = self.b.ins().iconst(self.env.shared.word(), id.word() as i64);
        self.b.ins().store(MemFlagsData::trusted(), ty, object, 0);
        object
    }

    fn new_struct(&mut self, id: TypeId, fields: &[Ty]) -> Result<Value> {
        let mut bytes = i64::from(FIELDS);
        for ty in fields {
            bytes += i64::from(object::bytes(&self.flat_field(*ty)?));
        }
        let bytes = self.b.ins().iconst(self.env.shared.word(), bytes);
        Ok(self.allocate(id, bytes))
    }

    fn new_array(&mut self, id: TypeId, n: Value) -> Result<Value> {
        let element = self.element_bytes(id)?;
        let wide = self.b.ins().uextend(I64, n);
        let bytes = self.b.ins().imul_imm_s(wide, element);
        let bytes = self.b.ins().iadd_imm_s(bytes, i64::from(FIELDS));
        let large = self.b.ins().icmp_imm_u(IntCC::UnsignedGreaterThan, bytes, object::MOST);
        self.trap_if(large, Trap::MemoryExhausted);
        let bytes = if self.env.shared.word() == I64 { bytes } else { self.b.ins().ireduce(I32, bytes) };
        let object = self.allocate(id, bytes);
        self.b.ins().store(MemFlagsData::trusted(), n, object, LENGTH);
        Ok(object)
    }

    /// Pops an object that may be null.
    fn pop_object(&mut self) -> Result<Value> {
        let object = self.pop1()?;
        self.trap_unless(object, Trap::NullReference);
        Ok(object)
    }

    fn i31(&mut self) -> Result<Value> {
        let reference = self.pop_object()?;
        Ok(if self.env.shared.word() == I64 { self.b.ins().ireduce(I32, reference) } else { reference })
    }

    fn field(&mut self, ty: u32, field: u32) -> Result<Place> {
        let fields = self.fields(self.type_id(ty))?;
        let mut offset = FIELDS;
        for before in &fields[..field as usize] {
            offset += object::bytes(&self.flat_field(*before)?) as i32;
        }
        Ok(Place { base: self.pop_object()?, offset, ty: fields[field as usize] })
    }

    fn element(&mut self, ty: u32) -> Result<Place> {
        let index = self.pop1()?;
        let object = self.pop_object()?;
        let length = self.b.ins().load(I32, MemFlagsData::trusted(), object, LENGTH);
        let beyond = self.b.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, index, length);
        self.trap_if(beyond, Trap::ArrayOutOfBounds);
        let id = self.type_id(ty);
        let base = self.element_address(id, object, index)?;
        Ok(Place { base, offset: 0, ty: self.fields(id)?[0] })
    }

    fn element_address(&mut self, id: TypeId, object: Value, index: Value) -> Result<Value> {
        let bytes = self.element_bytes(id)?;
        let index = self.word(index);
        let offset = self.b.ins().imul_imm_s(index, bytes);
        let at = self.b.ins().iadd(object, offset);
        Ok(self.b.ins().iadd_imm_s(at, i64::from(FIELDS)))
    }

    /// The address of `n` elements from `start`, checked.
    fn elements(&mut self, ty: u32, object: Value, start: Value, n: Value) -> Result<Value> {
        let length = self.b.ins().load(I32, MemFlagsData::trusted(), object, LENGTH);
        let length = self.word(length);
        self.check_range(start, n, length, Trap::ArrayOutOfBounds);
        self.element_address(self.type_id(ty), object, start)
    }

    fn read(&mut self, place: &Place, extend: Widen) -> Result<()> {
        let mut values = vec![];
        for (i, ty) in self.flat_field(place.ty)?.into_iter().enumerate() {
            let offset = place.offset + i as i32 * ty.bytes() as i32;
            values.push(self.b.ins().load(ty, MemFlagsData::trusted(), place.base, offset));
        }
        if let Some(width) = object::packed(place.ty) {
            let narrow = self.b.ins().ireduce(width, values[0]);
            values[0] = match extend {
                Widen::Signed => self.b.ins().sextend(I32, narrow),
                Widen::Unsigned => self.b.ins().uextend(I32, narrow),
            };
        }
        let ty: ValType = object::operand(&self.env.shared.module.types, place.ty, self.offset)?;
        self.push_all(&[ty], &values)
    }

    /// Writes a field, whose values are side by side.
    fn store_field(&mut self, base: Value, offset: i32, values: &[Value]) {
        for (i, value) in values.iter().enumerate() {
            let bytes = self.b.func.dfg.value_type(*value).bytes() as i32;
            self.b.ins().store(MemFlagsData::trusted(), *value, base, offset + i as i32 * bytes);
        }
    }

    /// Writes all fields of a new object.
    fn store_fields(&mut self, object: Value, fields: &[Ty], mut values: &[Value]) -> Result<()> {
        let mut offset = FIELDS;
        for ty in fields {
            let flat = self.flat_field(*ty)?;
            let Some((field, rest)) = values.split_at_checked(flat.len()) else {
                return Err(self.internal("too few values for an object"));
            };
            self.store_field(object, offset, field);
            offset += object::bytes(&flat) as i32;
            values = rest;
        }
        Ok(())
    }

    /// Writes `n` elements from `address`; goes on behind the loop.
    fn fill_fields(&mut self, address: Value, n: Value, values: &[Value]) {
        let word = self.env.shared.word();
        let (test, body, done) = (self.b.create_block(), self.b.create_block(), self.b.create_block());
        let at = self.b.append_block_param(test, word);
        let left = self.b.append_block_param(test, I32);
        self.b.ins().jump(test, &[address.into(), n.into()]);
        self.b.switch_to_block(test);
        self.b.ins().brif(left, body, &[], done, &[]);
        self.continue_in(body);
        self.store_field(at, 0, values);
        let flat: Vec<Type> = values.iter().map(|v| self.b.func.dfg.value_type(*v)).collect();
        let next = self.b.ins().iadd_imm_s(at, i64::from(object::bytes(&flat)));
        let fewer = self.b.ins().iadd_imm_s(left, -1);
        self.b.ins().jump(test, &[next.into(), fewer.into()]);
        self.b.seal_block(test);
        self.continue_in(done);
    }

    fn test(&mut self, heap: HeapType, nullable: bool) -> Result<()> {
        let reference = self.pop1()?;
        let hit = self.is(reference, heap, nullable)?;
        self.push_bool(hit);
        Ok(())
    }

    fn cast(&mut self, heap: HeapType, nullable: bool) -> Result<()> {
        let reference = self.pop1()?;
        let hit = self.is(reference, heap, nullable)?;
        self.trap_unless(hit, Trap::CastFailure);
        self.push1(reference);
        Ok(())
    }

    /// Is a reference of this type? A boolean; goes on in a new block.
    fn is(&mut self, reference: Value, heap: HeapType, nullable: bool) -> Result<Value> {
        let module = self.env.shared.module;
        let heap = types::heap(heap, &|i| module.type_ids[i as usize], self.offset)?;
        let (some, done) = (self.b.create_block(), self.b.create_block());
        let result = self.b.append_block_param(done, I8);
        let null = self.b.ins().iconst(I8, i64::from(nullable));
        self.b.ins().brif(reference, some, &[], done, &[null.into()]);
        self.continue_in(some);
        let hit = match heap {
            Heap::Abstract(AbstractHeapType::I31) => {
                let tag = self.b.ins().band_imm_u(reference, 1);
                self.b.ins().icmp_imm_u(IntCC::Equal, tag, 1)
            }
            Heap::Abstract(kind @ (AbstractHeapType::Struct | AbstractHeapType::Array)) => {
                let array = kind == AbstractHeapType::Array;
                let all = module.types.all_fields(array);
                self.has_type(reference, &all, done)
            }
            Heap::Declared(id) => {
                let all = module.types.subtypes(id);
                match module.types.def(id).body {
                    Body::Fields { .. } => self.has_type(reference, &all, done),
                    _ => self.type_at(reference, self.env.shared.target.abi.word(), &all),
                }
            }
            Heap::Abstract(kind) => {
                use AbstractHeapType::{NoCont, NoExn, NoExtern, NoFunc, None};
                let bottom = matches!(kind, None | NoFunc | NoExtern | NoExn | NoCont);
                self.b.ins().iconst(I8, i64::from(!bottom))
            }
        };
        self.b.ins().jump(done, &[BlockArg::from(hit)]);
        self.continue_in(done);
        Ok(result)
    }

    /// Is a reference that is not null an object of one of these types? Small
    /// integers are none.
    fn has_type(&mut self, reference: Value, all: &[TypeId], done: cranelift_codegen::ir::Block) -> Value {
        let object = self.b.create_block();
        let tag = self.b.ins().band_imm_u(reference, 1);
        let no = self.b.ins().iconst(I8, 0);
        self.b.ins().brif(tag, done, &[no.into()], object, &[]);
        self.continue_in(object);
        self.type_at(reference, 0, all)
    }

    /// Is the type in memory there one of these?
    fn type_at(&mut self, address: Value, offset: i32, all: &[TypeId]) -> Value {
        let actual = self.b.ins().load(self.env.shared.word(), MemFlagsData::trusted(), address, offset);
        let mut matches = self.b.ins().iconst(I8, 0);
        for id in all {
            let equal = self.b.ins().icmp_imm_u(IntCC::Equal, actual, id.word() as i64);
            matches = self.b.ins().bor(matches, equal);
        }
        matches
    }
}
