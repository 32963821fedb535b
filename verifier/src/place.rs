//! Where an access goes, and what a pointer is: the vocabulary that the
//! transfer functions and the rules share.
//!
//! A pointer's kind follows from where its value came from (a field, a switch, the pool,
//! the stack pointer), never from the name that a producer gave it.

use cranelift_codegen::ir::{Inst, InstructionData, MemFlagsData, Opcode, StackSlot, Value};

use crate::flow::Analysis;
use crate::profile::{Callee, FieldLayout, FunctionRole, RecordKind, Role};
use crate::sym::{Node, Sym};

/// What a pointer is to the protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// The running continuation.
    Active,
    /// Whoever switched here: the ContRef part of this switched word.
    Back(Sym),
    /// The parent of this ContRef.
    Parent(Sym),
    /// The last ancestor of this ContRef.
    Last(Sym),
    /// The innermost driver's record.
    Driver,
    /// A driver's record on this frame.
    DriverRecord(StackSlot),
    /// Head of the free list.
    Free,
    /// What the pool's functions gave.
    NewSlot,
    /// What the runtime gave for a cont.new.
    Fresh,
    /// A handler search's outermost suspended ContRef, or resumer.
    Found(Inst, usize),
    /// The ContRef on whose stack a trap happened.
    Trapped,
    /// The parameter of a runtime function that takes a ContRef.
    Handed,
    /// 0.
    Null,
    /// A parameter of a block that several edges lead to.
    Merged,
    /// From the program: half of an object, or no ContRef at all.
    Outside,
}

impl Kind {
    /// Is it a ContRef's address, whatever is done with it?
    fn is_contref(self) -> bool {
        !matches!(self, Self::Outside | Self::Merged | Self::Null)
    }

    /// Does the protocol itself vouch for it: never null, and not the program's
    /// to give up?
    pub(crate) fn is_protocols_own(self) -> bool {
        matches!(
            self,
            Self::Active
                | Self::Back(_)
                | Self::Parent(_)
                | Self::Last(_)
                | Self::Driver
                | Self::DriverRecord(_)
                | Self::Found(..)
                | Self::Handed
                | Self::Fresh
        )
    }
}

/// Where an access goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// A field, at its own offset.
    Field(RecordKind, FieldLayout),
    /// A record, where no field begins.
    Between(RecordKind),
    /// Not protocol memory.
    Other,
}

impl Place {
    /// The field's role.
    pub(crate) fn role(&self) -> Option<Role> {
        match self {
            Self::Field(_, f) => Some(f.role),
            _ => None,
        }
    }

    /// The record.
    pub(crate) fn record(&self) -> Option<RecordKind> {
        match self {
            Self::Field(r, _) | Self::Between(r) => Some(*r),
            Self::Other => None,
        }
    }
}

/// One access to memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Access {
    pub(crate) inst: Inst,
    pub(crate) base: Sym,
    /// What the base is.
    pub(crate) kind: Kind,
    pub(crate) offset: i32,
    /// In bytes.
    pub(crate) size: u32,
    /// What is stored.
    pub(crate) stored: Option<Value>,
    /// `user_id` of the alias region.
    pub(crate) region: Option<u32>,
    pub(crate) flags: MemFlagsData,
    /// The record whose region that is.
    pub(crate) declared: Option<RecordKind>,
    pub(crate) place: Place,
}

impl Analysis<'_> {
    /// Decodes a load or a store.
    pub(crate) fn access(&mut self, inst: Inst) -> Option<Access> {
        self.access_as(inst, &self.func.dfg.insts[inst])
    }

    /// The same, of an instruction that is looked at already.
    pub(crate) fn access_as(&mut self, inst: Inst, data: &InstructionData) -> Option<Access> {
        let func = self.func;
        let (opcode, address, offset, stored) = match *data {
            InstructionData::Load { opcode, arg, offset, .. } => (opcode, arg, i32::from(offset), None),
            InstructionData::LoadNoOffset { opcode, arg, .. } => (opcode, arg, 0, None),
            InstructionData::Store { opcode, args, offset, .. } => (opcode, args[1], i32::from(offset), Some(args[0])),
            InstructionData::StoreNoOffset { opcode, args, .. } => (opcode, args[1], 0, Some(args[0])),
            _ => return None,
        };
        let size = match opcode {
            Opcode::Uload8 | Opcode::Sload8 | Opcode::Istore8 => 1,
            Opcode::Uload16 | Opcode::Sload16 | Opcode::Istore16 => 2,
            Opcode::Uload32 | Opcode::Sload32 | Opcode::Istore32 => 4,
            _ => {
                let v = stored.or_else(|| func.dfg.inst_results(inst).first().copied())?;
                func.dfg.value_type(v).bytes()
            }
        };
        let flags = data.memflags_data(&func.dfg)?;
        let region = flags.alias_region().map(|r| func.dfg.alias_regions[r].user_id);
        let address = self.value(address);
        let (base, add) = self.split_address(address);
        let offset = offset.wrapping_add(add as i32);
        let declared = region.and_then(|r| self.profile.record_of_region(r));
        let kind = self.kind(base);
        let record = self.record_at(base, kind, declared);
        let place = match record {
            None => Place::Other,
            Some(record) => self.field_at(record, offset, size),
        };
        if region.is_some() && record == Some(RecordKind::ContRef) {
            self.mark_contref(base);
        }
        Some(Access { inst, base, kind, offset, size, stored, region, flags, declared, place })
    }

    /// Base and offset; a ContRef that is computed from its slot is a base.
    fn split_address(&mut self, address: Sym) -> (Sym, i64) {
        let (base, add) = self.syms.split_add(address);
        if matches!(self.syms.node(base), Node::Sub(..)) {
            let from_slot = self.profile.stack.contref_base;
            let contref = self.syms.add_const(base, from_slot, self.profile.word_bits());
            if self.is_slot_contref(contref) {
                return (contref, add.wrapping_sub(from_slot as i64));
            }
        }
        (base, add)
    }

    /// Which record a base is the address of: by what it is, else as the region of
    /// the access says.
    fn record_at(&self, base: Sym, kind: Kind, named: Option<RecordKind>) -> Option<RecordKind> {
        if base == self.store_context {
            return Some(RecordKind::Store);
        }
        if named == Some(RecordKind::ContRef) || self.is_contref_as(base, kind) {
            // a driver's record and its empty table share a slot
            let on_frame = matches!(self.syms.node(base), Node::StackAddr(_));
            return Some(if named == Some(RecordKind::Table) && on_frame {
                RecordKind::Table
            } else {
                RecordKind::ContRef
            });
        }
        named
    }

    fn field_at(&self, record: RecordKind, offset: i32, size: u32) -> Place {
        let found = match record {
            RecordKind::ContRef => self.profile.contref_field(offset),
            RecordKind::Store => self.profile.fields(record).iter().find(|f| f.offset == offset).copied(),
            // entries follow each other; the address may be that of any
            RecordKind::Table => {
                let [suspend, switch] = [Role::SuspendHandlers, Role::SwitchHandlers].map(|r| self.profile.field(r));
                let aligned = offset % suspend.size as i32 == 0;
                aligned.then_some(if offset >= suspend.offset { suspend } else { switch })
            }
        };
        let ours = |f: &FieldLayout| offset < f.offset + f.size as i32 && f.offset < offset.saturating_add(size as i32);
        match found {
            Some(f) => Place::Field(record, f),
            // of a store context that others use as well, only some fields belong to the protocol
            None if self.chain().is_some()
                && record == RecordKind::Store
                && !self.profile.fields(record).iter().any(ours) =>
            {
                Place::Other
            }
            None => Place::Between(record),
        }
    }

    /// Is it a ContRef's address?
    pub(crate) fn is_contref(&self, base: Sym) -> bool {
        self.is_marked(base) || self.kind(base).is_contref()
    }

    /// The same, of what is known to be of that kind.
    fn is_contref_as(&self, base: Sym, kind: Kind) -> bool {
        self.is_marked(base) || kind.is_contref()
    }

    /// What a pointer is.
    pub(crate) fn kind(&self, s: Sym) -> Kind {
        match self.syms.node(s) {
            Node::Active => Kind::Active,
            Node::Came(inst, true) => self.syms.find(Node::Switched(inst)).map_or(Kind::Outside, Kind::Back),
            Node::Const(0) => Kind::Null,
            Node::And(r, m) if self.is_switched(r) && m == self.profile.contref_mask() => Kind::Back(r),
            Node::StackAddr(slot) if self.role == FunctionRole::Invoke => Kind::DriverRecord(slot),
            Node::Value(_) => self.kind_of_value(s),
            _ => Kind::Outside,
        }
    }

    /// Is it the word that a switch came back with?
    pub(crate) fn is_switched(&self, s: Sym) -> bool {
        matches!(self.syms.node(s), Node::Switched(_))
    }

    fn kind_of_value(&self, s: Sym) -> Kind {
        if let Some((block, i)) = self.param(s) {
            let entry = self.rpo.first() == Some(&block);
            return match self.role {
                FunctionRole::Drop | FunctionRole::Invoke if entry && i == 0 => Kind::Handed,
                _ if entry => Kind::Outside,
                _ => Kind::Merged,
            };
        }
        let Some((inst, result)) = self.def(s) else { return Kind::Outside };
        if let Some((base, offset)) = self.loaded_from(s) {
            if base == self.store_context {
                let is = |role| self.profile.field(role).offset == offset;
                return if is(Role::Driver) {
                    Kind::Driver
                } else if is(Role::Free) {
                    Kind::Free
                } else if is(Role::Trapped) {
                    Kind::Trapped
                } else {
                    Kind::Outside
                };
            }
            if !self.is_marked(base) {
                return Kind::Outside;
            }
            return if offset == self.profile.field(Role::Parent).offset {
                Kind::Parent(base)
            } else if offset == self.profile.field(Role::LastAncestor).offset {
                Kind::Last(base)
            } else {
                Kind::Outside
            };
        }
        match self.callee_of(inst) {
            Some(Callee::NewSlot | Callee::Grow) => Kind::NewSlot,
            Some(Callee::NewCont) => Kind::Fresh,
            Some(Callee::SearchSuspend | Callee::SearchSwitch) if result < 2 => Kind::Found(inst, result),
            _ => Kind::Outside,
        }
    }

    /// Base and offset of the load that an opaque value is the result of, when
    /// its address was evaluated.
    pub(crate) fn loaded_from(&self, s: Sym) -> Option<(Sym, i32)> {
        let (inst, _) = self.def(s)?;
        let InstructionData::Load { opcode: Opcode::Load, arg, offset, .. } = self.func.dfg.insts[inst] else {
            return None;
        };
        let address = self.known(arg)?;
        let (base, add) = self.syms.split_add(address);
        Some((base, i32::from(offset).wrapping_add(add as i32)))
    }
}
