//! Buffers of payload: a length, a capacity and an address.

use cranelift_codegen::ir::Inst;
use smallvec::SmallVec;

use crate::check::Check;
use crate::flow::Analysis;
use crate::place::{Access, Kind};
use crate::profile::{ChainShape, Role};
use crate::report::Verdict;
use crate::rules::{cc0107, cc0201, cc0203, cc0204, cc0206};
use crate::state::{Duty, Fact, Owed, OwedValue, State};
use crate::sym::{Node, Sym};

/// More values than this in one payload are not looked at one by one.
const MOST: u64 = 2000;

impl Analysis<'_> {
    /// A buffer gets longer: the values that this promises have to be stored.
    pub(crate) fn lengthened(&mut self, access: &Access, role: Role, value: Sym, state: &mut State) {
        let data = if role == Role::ArgsLength { Role::ArgsData } else { Role::ValuesData };
        let Some(before) = state.cell(access.base, access.offset).map(|c| c.value) else { return };
        let Some(more) = self.growth(before, value).filter(|n| *n <= MOST) else { return };
        match self.held(access.base, data, state) {
            Some(data) => self.owe_entries(data, before, more as u32, access.inst, state),
            // until it is known where they go
            None => {
                let value = OwedValue::Beyond(before, more as u32);
                self.owe(Owed::Payload, access.base, data, value, access.inst, state);
            }
        }
    }

    /// The address of a buffer is loaded, whose length may have grown before.
    pub(crate) fn found_buffer(&mut self, access: &Access, role: Role, state: &mut State) {
        let here = |d: &&Duty| d.what == Owed::Payload && d.base == access.base && d.offset == access.offset;
        let waiting: SmallVec<[Duty; 1]> = state.duties().iter().filter(here).copied().collect();
        let Some(data) = self.held(access.base, role, state) else { return };
        for duty in waiting {
            if let OwedValue::Beyond(before, more) = duty.value {
                state.retain_duties(|d| *d != duty);
                self.owe_entries(data, before, more, duty.since, state);
            }
        }
    }

    fn owe_entries(&mut self, data: Sym, before: Sym, more: u32, since: Inst, state: &mut State) {
        let Some(shape) = self.chain() else { return };
        let place = self.end_of(data, before);
        let (base, add) = self.syms.split_add(place);
        state.learn(Fact::Room(base));
        for i in 0..more {
            let offset = add as i32 + (i * shape.entry_bytes) as i32;
            let done = state.cell(base, offset).is_some_and(|c| self.func.dfg.insts[c.by].opcode().can_store());
            if !done {
                state.owe(Duty { what: Owed::Payload, base, offset, value: OwedValue::Any, since });
            }
        }
    }

    /// Where the next value of a buffer goes.
    fn end_of(&mut self, data: Sym, length: Sym) -> Sym {
        let bits = self.profile.word_bits();
        let step = self.chain().map_or(0, |shape| shape.entry_bytes.trailing_zeros());
        let skipped = self.syms.shl(length, step.into(), bits);
        self.syms.add(data, skipped, bits)
    }

    /// What a store to a buffer's entry behind its end asks for: a length that counts it.
    pub(crate) fn uncounted(&mut self, access: &Access, state: &State) -> Option<Duty> {
        let shape = self.chain()?;
        if access.region != Some(shape.buffers) || access.stored.is_none() {
            return None;
        }
        let Part::Buffer(record, data) = self.part(access.base) else { return None };
        let length = if data == Role::ArgsData { Role::ArgsLength } else { Role::ValuesLength };
        let before = self.held(record, length, state)?;
        let data = self.held(record, data, state)?;
        let end = self.end_of(data, before);
        let (base, add) = self.syms.split_add(end);
        let behind = u32::try_from(i64::from(access.offset) - add).ok().filter(|_| base == access.base)?;
        let value = OwedValue::Beyond(before, behind / shape.entry_bytes);
        Some(Duty { what: Owed::Count, base: record, offset: self.at(length), value, since: access.inst })
    }

    /// By how much a length grows.
    pub(crate) fn growth(&mut self, before: Sym, after: Sym) -> Option<u64> {
        let by = self.syms.sub(after, before, 32);
        self.syms.as_const(by)
    }
}

/// What is handed to a continuation comes behind what it has been given before.
pub(crate) fn grown(c: &mut Check<'_>, inst: Inst, object: Sym, state: &State) {
    let set = [Role::ArgsLength, Role::ValuesLength].into_iter().any(|role| {
        let cell = state.cell(object, c.a.at(role));
        cell.is_some_and(|cell| c.a.syms.as_const(cell.value) != Some(0) && c.notes.counted.contains(&cell.by))
    });
    c.require(!set, &cc0204::RULE, inst, "values are handed over in place of those that were bound before");
}

/// Where a length of payload was set to a constant, so many entries are there by the time of a switch.
pub(crate) fn all_filled(c: &mut Check<'_>, state: &State) {
    for role in [Role::ArgsLength, Role::ValuesLength] {
        let at = c.a.at(role);
        for cell in state.cells().iter().filter(|cell| cell.offset == at) {
            let length = c.a.syms.as_const(cell.value).filter(|n| *n > 0);
            let stored = c.a.func.dfg.insts[cell.by].opcode().can_store() && c.a.is_contref(cell.base);
            if let Some(length) = length.filter(|_| stored) {
                filled(c, cell.by, cell.base, role, length, state);
            }
        }
    }
}

/// A length that is a constant: so many entries were stored, and fit.
pub(crate) fn filled(c: &mut Check<'_>, inst: Inst, base: Sym, role: Role, length: u64, state: &State) {
    let Some(shape) = c.a.chain() else { return };
    let handlers = role == Role::HandlersLength;
    let (data, capacity, step) = match role {
        Role::HandlersLength => (Role::Handlers, Role::HandlersCapacity, c.a.profile.word_bytes()),
        Role::ArgsLength => (Role::ArgsData, Role::ArgsCapacity, shape.entry_bytes),
        _ => (Role::ValuesData, Role::ValuesCapacity, shape.entry_bytes),
    };
    let rule = if handlers { &cc0201::RULE } else { &cc0204::RULE };
    let Some(data) = c.a.held(base, data, state) else {
        return c.fail(rule, Verdict::Violated, inst, "a buffer's length is set, but not where it is");
    };
    let (start, add) = c.a.syms.split_add(data);
    let stored = |i: u64| {
        let offset = add as i32 + (i * u64::from(step)) as i32;
        state.cell(start, offset).is_some_and(|cell| {
            let tag = !handlers || c.a.is_tag(cell.value);
            tag && c.a.func.dfg.insts[cell.by].opcode().can_store()
        })
    };
    let all = length <= MOST && (0..length).all(stored);
    c.require(all, rule, inst, "a buffer's length counts an entry that is not stored");
    let Node::StackAddr(slot) = c.a.syms.node(start) else { return };
    let capacity = c.a.held(base, capacity, state).and_then(|s| c.a.syms.as_const(s));
    let rule = if handlers { rule } else { &cc0203::RULE };
    c.require(capacity.is_some_and(|n| length <= n), rule, inst, "a buffer holds more than its capacity");
    let size = c.a.func.sized_stack_slots.get(slot).map_or(0, |s| u64::from(s.size));
    let end = u64::try_from(add).ok().and_then(|add| add.checked_add(capacity.unwrap_or(length) * u64::from(step)));
    let fits = end.is_some_and(|end| end <= size);
    c.require(fits, &cc0206::RULE, inst, "the buffer's stack slot is smaller than its capacity");
}

/// Values that were stored for the other side are counted.
pub(crate) fn handed(c: &mut Check<'_>, inst: Inst, base: Sym, state: &State) {
    let Some(data) = c.a.stored(base, Role::ValuesData, state) else { return };
    let (start, add) = c.a.syms.split_add(data);
    let first = state.cell(start, add as i32).is_some_and(|cell| c.a.func.dfg.insts[cell.by].opcode().can_store());
    let length = c.a.stored(base, Role::ValuesLength, state).and_then(|s| c.a.syms.as_const(s));
    let counted = !first || length.is_some_and(|n| n > 0);
    c.require(counted, &cc0204::RULE, inst, "values are stored for the other side, and their number is not");
}

/// A slot is as aligned as what is in it, and not beyond reason.
pub(crate) fn aligned(c: &mut Check<'_>, inst: Inst, address: Sym, entry: u32) {
    let Node::StackAddr(slot) = c.a.syms.node(address) else { return };
    let Some(data) = c.a.func.sized_stack_slots.get(slot) else { return };
    let align = 1u64 << data.align_shift.min(31);
    let entry = u64::from(entry);
    if align < entry {
        let message = format!("a stack slot for entries of {entry} bytes is aligned to {align}");
        c.fail(&cc0206::RULE, Verdict::Violated, inst, message);
    } else if align > 2 * entry {
        let message =
            format!("a stack slot for entries of {entry} bytes is aligned to {align}: the frame grows for it");
        c.warn(&cc0206::RULE, inst, message);
    } else {
        c.proven();
    }
}

/// What an address in buffer memory belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    /// This function's frame.
    Frame,
    /// A control context.
    Context,
    /// The list of handlers of this record.
    Handlers,
    /// The buffer whose address this record has in this field.
    Buffer(Sym, Role),
    Unknown,
}

impl Analysis<'_> {
    /// Is it a tag's address: in the function's context, or imported?
    pub(crate) fn is_tag(&self, s: Sym) -> bool {
        let context = self.rpo.first().and_then(|b| self.func.dfg.block_params(*b).first().copied());
        let context = context.and_then(|v| self.known(v));
        let own = |s| Some(self.syms.split_add(s).0) == context;
        own(s) || matches!(self.syms.node(s), Node::Pure(cranelift_codegen::ir::Opcode::Load, _, base, _) if own(base))
    }

    /// Is it in a buffer of another stack than the running one?
    pub(crate) fn is_buffer_of_another(&self, base: Sym) -> bool {
        matches!(self.part(base), Part::Buffer(record, _) if record != self.active)
    }

    fn part(&self, base: Sym) -> Part {
        if matches!(self.syms.node(base), Node::StackAddr(_)) {
            return Part::Frame;
        }
        if self.top_of(base).is_some() {
            return Part::Context;
        }
        let field = |s: Sym| {
            let (record, at) = self.loaded_from(s)?;
            let role = [Role::ArgsData, Role::ValuesData, Role::Handlers].into_iter().find(|r| self.at(*r) == at)?;
            Some((record, role))
        };
        let of = match self.syms.node(base) {
            Node::Sum(x, y, _) => field(x).or_else(|| field(y)),
            _ => field(base),
        };
        match of {
            Some((_, Role::Handlers)) => Part::Handlers,
            Some((record, role)) => Part::Buffer(record, role),
            None => Part::Unknown,
        }
    }
}

/// An access to a buffer, to a context, or to a field that describes a buffer.
pub(crate) fn access(c: &mut Check<'_>, shape: &ChainShape, access: &Access, state: &State) {
    if let (Some(stored), Some(role)) = (access.stored, access.place.role()) {
        let value = c.a.value(stored);
        described(c, shape, access, role, value, state);
    }
    if access.place.record().is_some() || access.region != Some(shape.buffers) {
        return;
    }
    let part = c.a.part(access.base);
    if access.stored.is_some() {
        stored(c, access, part, state);
    } else {
        loaded(c, shape, access, part, state);
    }
    if let Part::Buffer(..) | Part::Unknown = part {
        let entry = shape.entry_bytes as i32;
        let within = access.offset % entry == 0 && access.size <= shape.entry_bytes && access.offset >= 0;
        c.require(within, &cc0203::RULE, access.inst, "a value is not at the beginning of an entry of its buffer");
    }
}

fn described(c: &mut Check<'_>, shape: &ChainShape, access: &Access, role: Role, value: Sym, state: &State) {
    let constant = c.a.syms.as_const(value);
    let before = state.cell(access.base, access.offset).map(|cell| cell.value);
    match role {
        Role::Handlers => aligned(c, access.inst, value, c.a.profile.word_bytes()),
        Role::ValuesData => aligned(c, access.inst, value, shape.entry_bytes),
        Role::ArgsLength | Role::ValuesLength => match constant {
            Some(0) => {}
            // judged at the switch
            Some(_) if before.is_none_or(|b| c.a.syms.as_const(b).is_none()) => {
                if access.base != c.a.active {
                    c.notes.counted.push(access.inst);
                }
            }
            _ => {
                let grows = before.and_then(|b| c.a.growth(b, value)).is_some_and(|n| n > 0 && n <= MOST);
                c.require(grows, &cc0203::RULE, access.inst, "a buffer's length does not grow by a number of values");
                if access.base != c.a.active {
                    started(c, access, role, state);
                }
            }
        },
        _ => {}
    }
}

/// What a continuation that never ran gets goes to its arguments, and to the
/// values that it waits for otherwise.
fn started(c: &mut Check<'_>, access: &Access, role: Role, state: &State) {
    let is = |s: Sym| c.a.loaded_from(s) == Some((access.base, c.a.at(Role::State)));
    let zero = c.a.zero;
    let fresh = state.equals(zero).any(is);
    let ran = state.facts().iter().any(|f| match *f {
        Fact::Differ(a, b) => is(a) && b == zero,
        Fact::NonNull(a) => is(a),
        _ => false,
    });
    let holds = if role == Role::ArgsLength { fresh } else { ran };
    c.require(
        holds,
        &cc0204::RULE,
        access.inst,
        "whether the continuation has started does not tell which buffer is used",
    );
}

fn stored(c: &mut Check<'_>, access: &Access, part: Part, state: &State) {
    let counted_later = c.a.uncounted(access, state).is_some();
    let promised = counted_later
        || state.knows(Fact::Room(access.base))
            && state
                .duties()
                .iter()
                .any(|d| d.what == Owed::Payload && d.base == access.base && d.offset == access.offset);
    let holds = match part {
        Part::Frame | Part::Context => true,
        // the exception of a resume that throws comes before its length
        Part::Buffer(record, Role::ValuesData) if c.a.top_of(access.base).is_none() => {
            promised || (access.offset == 0 && state.obj(record).is_some())
        }
        _ => promised,
    };
    c.require(holds, &cc0203::RULE, access.inst, "a value is stored that no buffer's length counts");
}

fn loaded(c: &mut Check<'_>, shape: &ChainShape, access: &Access, part: Part, state: &State) {
    let (holds, message) = match part {
        Part::Context | Part::Handlers | Part::Frame => (true, ""),
        Part::Buffer(record, role) => match c.a.kind(record) {
            Kind::Back(switched) => {
                let effect = if role == Role::ArgsData { shape.returned } else { shape.suspend };
                (state.codes(switched) == 1 << effect, "values are read where another effect may have come back")
            }
            Kind::Active if role == Role::ValuesData => {
                (state.undecoded.is_empty(), "values are read before it is known what they are")
            }
            _ => (false, "values are read that are not this operation's"),
        },
        Part::Unknown => (false, "values are read from a place that is no buffer of this operation"),
    };
    c.require(holds, &cc0107::RULE, access.inst, message);
}
