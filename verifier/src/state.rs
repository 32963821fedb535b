//! The abstract state at a point of the function: what is known of memory, of
//! values, and of the continuation objects in play.
//!
//! Everything in a state holds on every path that leads to its point, except
//! [`Obj::fails`], [`State::dirty`], [`State::undecoded`] and [`State::duties`],
//! which hold on some path. Where paths
//! meet, states are joined: what one side does not know is forgotten, and what
//! is said of an argument of the edge is said of the block's parameter.

use cranelift_codegen::entity::EntityRef;
use cranelift_codegen::ir::Inst;
use smallvec::SmallVec;

use crate::flow::Handed;
use crate::profile::Role;
use crate::shared::Shared;
use crate::sym::Sym;

/// A word of memory whose content is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Cell {
    pub(crate) base: Sym,
    pub(crate) offset: i32,
    pub(crate) size: u32,
    pub(crate) value: Sym,
    /// The store, or the first load, that says so.
    pub(crate) by: Inst,
    /// On no path its base's object was checked since. Of two checks that meet none
    /// dominates what follows, so that the object's own cannot tell.
    pub(crate) since_check: bool,
}

impl Cell {
    /// What holds in both, of the same word.
    fn meet(&self, other: &Self) -> Self {
        Self { by: self.by.min(other.by), since_check: self.since_check && other.since_check, ..*self }
    }
}

/// Something that holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Fact {
    NonNull(Sym),
    /// A slot of the pool that belongs to this function alone.
    Taken(Sym),
    /// A revision that may still be consumed.
    Bounded(Sym),
    /// A handler: the outermost suspended ContRef, the one that waits in the
    /// resume, and the effect code (0 for a switch handler).
    Found(Sym, Sym, Sym),
    /// Whoever waits in the resume was found to have a handler for a tag.
    Serves(Sym, Sym),
    Equal(Sym, Sym),
    /// A continuation's revision was bumped for its end.
    Ended(Sym),
    /// And its slot is free, or retired.
    Done(Sym),
    /// A part of this word was compared.
    Partial(Sym),
    /// A revision and a witness, a switched word and an effect, or an entry of
    /// a handler table and a tag.
    Differ(Sym, Sym),
    /// Enough of the stack is left, or not.
    Stack(bool),
    /// Less than, unsigned; where a rule looks at it.
    Below(Sym, Sym),
    /// Not less than.
    NotBelow(Sym, Sym),
    /// The host was told of this stack: its guard, or that its frames are gone.
    Told(Sym),
    /// This stack of the chain is a continuation, not the initial stack.
    Continuation(Sym),
    /// A buffer's length counts values that begin here.
    Room(Sym),
}

impl Fact {
    /// The syms in it.
    pub(crate) fn syms(&self) -> [Option<Sym>; 3] {
        match *self {
            Self::NonNull(a)
            | Self::Taken(a)
            | Self::Bounded(a)
            | Self::Ended(a)
            | Self::Done(a)
            | Self::Partial(a)
            | Self::Told(a)
            | Self::Continuation(a)
            | Self::Room(a) => [Some(a), None, None],
            Self::Equal(a, b) | Self::Differ(a, b) | Self::Below(a, b) | Self::NotBelow(a, b) | Self::Serves(a, b) => {
                [Some(a), Some(b), None]
            }
            Self::Found(a, b, c) => [Some(a), Some(b), Some(c)],
            Self::Stack(_) => [None; 3],
        }
    }

    /// The same of other syms.
    pub(crate) fn map(self, f: impl Fn(Sym) -> Sym) -> Self {
        match self {
            Self::NonNull(a) => Self::NonNull(f(a)),
            Self::Taken(a) => Self::Taken(f(a)),
            Self::Bounded(a) => Self::Bounded(f(a)),
            Self::Ended(a) => Self::Ended(f(a)),
            Self::Done(a) => Self::Done(f(a)),
            Self::Partial(a) => Self::Partial(f(a)),
            Self::Equal(a, b) => Self::equal(f(a), f(b)),
            Self::Differ(a, b) => Self::Differ(f(a), f(b)),
            Self::Found(a, b, c) => Self::Found(f(a), f(b), f(c)),
            Self::Serves(a, b) => Self::Serves(f(a), f(b)),
            Self::Stack(enough) => Self::Stack(enough),
            Self::Below(a, b) => Self::Below(f(a), f(b)),
            Self::NotBelow(a, b) => Self::NotBelow(f(a), f(b)),
            Self::Told(a) => Self::Told(f(a)),
            Self::Continuation(a) => Self::Continuation(f(a)),
            Self::Room(a) => Self::Room(f(a)),
        }
    }

    /// Does it hold whatever other code does?
    fn outlasts_others(&self) -> bool {
        !matches!(self, Self::Taken(_) | Self::Found(..) | Self::Serves(..))
    }

    /// Two syms are equal.
    pub(crate) fn equal(a: Sym, b: Sym) -> Self {
        if a <= b { Self::Equal(a, b) } else { Self::Equal(b, a) }
    }
}

/// A continuation object whose witness was found equal to the revision.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Obj {
    pub(crate) contref: Sym,
    /// Equal to the revision in memory, unless stale.
    pub(crate) witness: Sym,
    /// The branch that compared them, or the load of a constructed object.
    pub(crate) check: Inst,
    /// It was made here, and its revision is current without a comparison.
    pub(crate) made: bool,
    /// A branch that compared them once more, as is done for an object that was
    /// just made, though there is nothing to be found out.
    pub(crate) again: Option<Inst>,
    /// The last store that consumed it.
    pub(crate) bump: Option<Inst>,
    /// A call or a switch since, behind which the revision may have changed.
    pub(crate) stale: Option<Inst>,
    /// Some way to fail between the bump and here.
    pub(crate) fails: Option<Inst>,
}

impl Obj {
    /// What holds in both, of the same words.
    fn meet(&self, other: &Self) -> Option<Self> {
        let alike = self.witness == other.witness && self.bump.is_some() == other.bump.is_some();
        alike.then(|| Self {
            check: self.check.min(other.check),
            made: self.made && other.made,
            again: self.again.filter(|_| self.again == other.again),
            bump: self.bump.min(other.bump),
            stale: earliest(self.stale, other.stale),
            fails: earliest(self.fails, other.fails),
            ..*self
        })
    }
}

/// What an operation still has to do, on some path, before control leaves it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Duty {
    pub(crate) what: Owed,
    /// Where a store has to go, and what is to be stored.
    pub(crate) base: Sym,
    pub(crate) offset: i32,
    pub(crate) value: OwedValue,
    /// What it is owed for.
    pub(crate) since: Inst,
}

/// Which part of the protocol a [`Duty`] belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Owed {
    /// The chain of running stacks.
    Active,
    /// A state.
    State,
    /// A limit of the stack that now runs, or of the one that does not any more.
    Limit,
    /// Taking the handlers out of the list.
    Handlers,
    /// Clearing a buffer.
    Clear,
    /// A value that a buffer's length promises.
    Payload,
    /// A length that counts what was stored behind the end of a buffer.
    Count,
    /// Raising what the other side raised; no store.
    Raise,
    /// Making a continuation of a slot that was taken.
    Slot,
    /// Going on with a search that was begun, or giving up.
    Search,
    /// Switching to whoever a search found.
    Suspend,
    /// Handing over the running continuation's own object.
    Own,
}

/// What is to be stored for a [`Duty`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum OwedValue {
    Any,
    Is(Sym),
    /// What memory holds there.
    Held(Sym, i32),
    /// The same, as others left it.
    Found(Sym, i32),
    /// More than the sum of the two.
    Beyond(Sym, u32),
}

/// What ran last that may have changed every record.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Since {
    /// Nothing since the function's entry.
    #[default]
    Entry,
    /// This call or switch.
    Inst(Inst),
    /// One or the other.
    Several,
}

/// What is known at a point.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct State {
    /// The last call or switch.
    pub(crate) since: Since,
    /// By base and offset.
    mem: Shared<Cell>,
    /// In order.
    facts: Shared<Fact>,
    /// Effect codes that a switch may have come back with, as a bit set. All
    /// of them where a switch is not listed. In order.
    codes: Shared<(Sym, u64)>,
    /// By contref.
    objs: Shared<Obj>,
    /// Stores to a chain's links since the last switch.
    pub(crate) dirty: Shared<(Inst, Role)>,
    /// Switches whose effect may not have been told apart yet.
    pub(crate) undecoded: Shared<Inst>,
    /// What is still to be done, in order.
    duties: Shared<Duty>,
    /// A trap in front of here always happens.
    pub(crate) dead: bool,
}

/// Knowledge beyond this is forgotten, that of the program's own memory first. What a rule
/// needs is far less, but for payloads: two of a thousand values each, one received and
/// one to be handed over, are known at a time.
const MAX_CELLS: usize = 4096;

impl State {
    fn cell_at(&self, base: Sym, offset: i32) -> Result<usize, usize> {
        self.mem.binary_search_by_key(&(base, offset), |c| (c.base, c.offset))
    }

    /// What is in memory there.
    pub(crate) fn cell(&self, base: Sym, offset: i32) -> Option<&Cell> {
        self.cell_at(base, offset).ok().map(|i| &self.mem[i])
    }

    /// The cells.
    pub(crate) fn cells(&self) -> &[Cell] {
        &self.mem
    }

    /// Something became known of a word of memory.
    pub(crate) fn set_cell(&mut self, cell: Cell) {
        match self.cell_at(cell.base, cell.offset) {
            Ok(i) if self.mem[i] == cell => {}
            Ok(i) => self.mem.own()[i] = cell,
            Err(i) if self.has_room() => self.mem.insert(i, cell),
            Err(_) => {}
        }
    }

    /// Is there room for another cell?
    pub(crate) fn has_room(&self) -> bool {
        self.mem.len() < MAX_CELLS
    }

    /// Forgets all cells.
    pub(crate) fn forget_memory(&mut self) {
        self.mem.clear();
    }

    /// Forgets cells.
    pub(crate) fn retain_cells(&mut self, keep: impl FnMut(&Cell) -> bool) {
        self.mem.retain(keep);
    }

    /// Does it hold?
    pub(crate) fn knows(&self, fact: Fact) -> bool {
        self.facts.binary_search(&fact).is_ok()
    }

    /// It holds.
    pub(crate) fn learn(&mut self, fact: Fact) {
        if let Err(i) = self.facts.binary_search(&fact) {
            self.facts.insert(i, fact);
        }
    }

    /// What holds.
    pub(crate) fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// What is known to be equal to this.
    pub(crate) fn equals(&self, s: Sym) -> impl Iterator<Item = Sym> + '_ {
        self.facts().iter().filter_map(move |f| match *f {
            Fact::Equal(a, b) if a == s => Some(b),
            Fact::Equal(a, b) if b == s => Some(a),
            _ => None,
        })
    }

    /// Forgets facts.
    pub(crate) fn retain_facts(&mut self, keep: impl FnMut(&Fact) -> bool) {
        self.facts.retain(keep);
    }

    /// What is still to be done.
    pub(crate) fn duties(&self) -> &[Duty] {
        &self.duties
    }

    /// This is to be done.
    pub(crate) fn owe(&mut self, duty: Duty) {
        if let Err(i) = self.duties.binary_search(&duty) {
            self.duties.insert(i, duty);
        }
    }

    /// Done.
    pub(crate) fn retain_duties(&mut self, keep: impl FnMut(&Duty) -> bool) {
        self.duties.retain(keep);
    }

    /// Are they equal, as far as is known?
    pub(crate) fn same(&self, a: Sym, b: Sym) -> bool {
        a == b || self.knows(Fact::equal(a, b))
    }

    /// The effect codes that this switch may have come back with.
    pub(crate) fn codes(&self, switched: Sym) -> u64 {
        self.codes.binary_search_by_key(&switched, |(s, _)| *s).map_or(u64::MAX, |at| self.codes[at].1)
    }

    /// The switches whose effect is known in part, with the codes that are left.
    pub(crate) fn decoded(&self) -> &[(Sym, u64)] {
        &self.codes
    }

    /// Only these codes are left.
    pub(crate) fn narrow(&mut self, switched: Sym, codes: u64) {
        match self.codes.binary_search_by_key(&switched, |(s, _)| *s) {
            Ok(at) => self.codes.own()[at].1 &= codes,
            Err(at) => self.codes.insert(at, (switched, codes)),
        }
    }

    /// Nothing is known of this switch any more: it was made again.
    pub(crate) fn reset_codes(&mut self, switched: Sym) {
        self.codes.retain(|(s, _)| *s != switched);
    }

    /// The object of a contref.
    pub(crate) fn obj(&self, contref: Sym) -> Option<&Obj> {
        self.objs.binary_search_by_key(&contref, |o| o.contref).ok().map(|i| &self.objs[i])
    }

    /// The object of a contref, to be changed.
    pub(crate) fn obj_mut(&mut self, contref: Sym) -> Option<&mut Obj> {
        let i = self.objs.binary_search_by_key(&contref, |o| o.contref).ok()?;
        Some(&mut self.objs.own()[i])
    }

    /// The objects.
    pub(crate) fn objs(&self) -> &[Obj] {
        &self.objs
    }

    /// The same, to be kept while the state changes.
    pub(crate) fn shared_objs(&self) -> Shared<Obj> {
        self.objs.clone()
    }

    /// A newly checked object, in place of what was known of its contref.
    pub(crate) fn set_obj(&mut self, obj: Obj) {
        self.mem.revise(|c| Some(Cell { since_check: c.since_check && c.base != obj.contref, ..*c }));
        self.put_obj(obj);
    }

    fn put_obj(&mut self, obj: Obj) {
        match self.objs.binary_search_by_key(&obj.contref, |o| o.contref) {
            Ok(i) => self.objs.own()[i] = obj,
            Err(i) => self.objs.insert(i, obj),
        }
    }

    /// Other code ran: revisions may have changed.
    pub(crate) fn make_stale(&mut self, by: Inst) {
        self.since = Since::Inst(by);
        self.objs.revise(|o| Some(Obj { stale: o.stale.or(Some(by)), ..*o }));
        self.facts.retain(Fact::outlasts_others);
    }

    /// Forgets what other code may have changed.
    pub(crate) fn forget_others(&mut self) {
        self.since = Since::Several;
        self.forget_memory();
        self.objs.clear();
        self.facts.retain(Fact::outlasts_others);
    }

    /// From here on a failure would leave consumed objects behind.
    pub(crate) fn may_fail(&mut self, at: Inst) {
        self.objs.revise(|o| {
            let in_use = o.bump.is_some() && o.stale.is_none();
            Some(Obj { fails: o.fails.or(in_use.then_some(at)), ..*o })
        });
    }

    /// Forgets what mentions a sym that is not available.
    pub(crate) fn forget_unless(&mut self, mut available: impl FnMut(Sym) -> bool) {
        self.mem.retain(|c| available(c.base) && available(c.value));
        self.facts.retain(|f| f.syms().into_iter().flatten().all(&mut available));
        self.codes.retain(|(s, _)| available(*s));
        self.objs.retain(|o| available(o.contref) && available(o.witness));
    }

    /// Says of each parameter what is said of the word that is handed to it, and nothing
    /// any more of what it was before: in a loop, in the turn that ends.
    pub(crate) fn rename(&mut self, handed: &[(Sym, Option<Sym>)]) {
        // most words are neither
        let [args, gone] = [bits(handed.iter().filter_map(|(_, a)| *a)), bits(handed.iter().map(|(p, _)| *p))];
        let is_arg = |s: Sym| args & bits([s]) != 0 && handed.iter().any(|(_, a)| *a == Some(s));
        let to = |s: Sym| handed.iter().find(|(_, a)| *a == Some(s)).map_or(s, |(p, _)| *p);
        let is_gone = |s: Sym| gone & bits([s]) != 0 && handed.iter().any(|(p, _)| *p == s);
        let stays = |s: Sym| is_arg(s) || !is_gone(s);
        let mut more: SmallVec<[Fact; 8]> = SmallVec::new();
        let given = |o: &Obj| is_arg(o.contref) && is_arg(o.witness) && is_given(o);
        for f in self.facts.iter() {
            if !f.syms().into_iter().flatten().any(is_arg)
                || matches!(*f, Fact::Taken(s) if self.obj(s).is_some_and(given))
            {
                continue;
            }
            if f.syms().into_iter().flatten().all(stays) {
                more.push(f.map(to));
            }
            // words of a triple may be parameters one by one
            if let Fact::Found(a, b, c) = *f
                && stays(c)
            {
                let [a_stays, b_stays] = [a, b].map(|s| !is_gone(s));
                if a_stays && b_stays {
                    more.push(Fact::Found(a, b, to(c)));
                }
                if a_stays && stays(b) {
                    more.push(Fact::Found(a, to(b), to(c)));
                }
                if stays(a) && stays(b) && !is_gone(c) {
                    more.push(Fact::Found(to(a), to(b), c));
                }
                if a_stays && !is_gone(c) && stays(b) {
                    more.push(Fact::Found(a, to(b), c));
                }
            }
        }
        // the same argument for two parameters
        for (p, a) in handed {
            if a.is_some_and(|a| self.knows(Fact::NonNull(a))) {
                more.push(Fact::NonNull(*p));
            }
        }
        self.facts.retain(|f| !f.syms().into_iter().flatten().any(is_gone));
        for f in more {
            self.learn(f);
        }
        self.owe_as(to);

        let mut cells: SmallVec<[Cell; 8]> = SmallVec::new();
        let revision = |c: &Cell| self.obj(c.base).is_some_and(|o| o.witness == c.value && given(o));
        for c in self.mem.iter().filter(|c| (is_arg(c.base) || is_arg(c.value)) && !revision(c)) {
            let (base, value) = (to(c.base), to(c.value));
            if stays(c.base) && stays(c.value) {
                cells.push(Cell { base, value, ..*c });
            }
            if stays(c.base) && !is_gone(c.value) {
                cells.push(Cell { base, ..*c });
            }
            if !is_gone(c.base) && stays(c.value) {
                cells.push(Cell { value, ..*c });
            }
        }
        self.mem.retain(|c| !is_gone(c.base) && !is_gone(c.value));
        // a base may have two contents that are both right: prefer parameters
        for c in cells.into_iter().rev() {
            self.set_cell(c);
        }
        let objs = self.objs.clone();
        self.objs.retain(|o| !is_gone(o.contref) && !is_gone(o.witness));
        for o in objs.iter().filter(|o| (is_arg(o.contref) || is_arg(o.witness)) && !given(o)) {
            if stays(o.contref) && stays(o.witness) {
                self.put_obj(Obj { contref: to(o.contref), witness: to(o.witness), ..*o });
            }
        }
    }

    /// Keeps what holds on another edge as well, which hands on words: each parameter is
    /// that word there, where it has one.
    ///
    /// What a cell holds may have several names on the edges `before`: the word itself, and
    /// each parameter that is handed it. It keeps one that is right on this edge too.
    pub(crate) fn meet_handed(
        &mut self,
        other: &Self,
        handed: &[(Sym, Option<Sym>)],
        before: &[Handed],
        is_available: impl Fn(Sym) -> bool,
    ) {
        if handed.is_empty() {
            return self.meet(other);
        }
        let names = |value: Sym| {
            let is_same = |name: &Sym| before.iter().all(|known| word_of(known, *name) == word_of(known, value));
            let word = before.first().and_then(|known| word_of(known, value)).filter(|w| is_available(*w));
            handed.iter().map(|(p, _)| *p).chain(word).filter(is_same).collect::<SmallVec<[Sym; 4]>>()
        };
        let params = bits(handed.iter().map(|(p, _)| *p));
        let word = |s: Sym| match handed.iter().find(|(p, _)| params & bits([s]) != 0 && *p == s) {
            Some((_, word)) => *word,
            None => Some(s),
        };
        let is_arg = |s: Sym| handed.iter().any(|(_, word)| *word == Some(s));
        let given = |o: &Obj| is_arg(o.contref) && is_arg(o.witness) && is_given(o);
        self.facts.retain(|f| {
            let known = f.syms().into_iter().flatten().all(|s| word(s).is_some());
            let said = f.map(|s| word(s).unwrap_or(s));
            let own = *f == said || !matches!(said, Fact::Taken(s) if other.obj(s).is_some_and(given));
            known && own && other.knows(said)
        });
        self.mem.revise(|c| {
            let base = word(c.base)?;
            let d = other.cell(base, c.offset).filter(|d| d.size == c.size)?;
            let fits = |name: &Sym| word(*name) == Some(d.value);
            let name = Some(c.value).filter(fits).or_else(|| names(c.value).into_iter().find(fits))?;
            let same = (base, d.value) == (c.base, name);
            let own = same || !other.obj(base).is_some_and(|o| o.witness == d.value && given(o));
            own.then(|| Cell { value: name, ..c.meet(d) })
        });
        self.objs.revise(|o| {
            let (contref, witness) = (word(o.contref)?, word(o.witness)?);
            let same = (contref, witness) == (o.contref, o.witness);
            let p = other.obj(contref).filter(|p| p.witness == witness && (same || !given(p)))?;
            o.meet(&Obj { contref: o.contref, witness: o.witness, ..*p })
        });
        // what is said of them is settled
        let mut there = other.clone();
        (there.facts, there.mem, there.objs) = (self.facts.clone(), self.mem.clone(), self.objs.clone());
        there.owe_as(|s| handed.iter().find(|(_, word)| *word == Some(s)).map_or(s, |(p, _)| *p));
        self.meet(&there);
    }

    /// What is owed of a word is owed of what it is called from here on.
    fn owe_as(&mut self, name: impl Fn(Sym) -> Sym) {
        if self.duties.iter().any(|d| name(d.base) != d.base) {
            let duties = self.duties.own();
            for d in duties.iter_mut() {
                d.base = name(d.base);
            }
            duties.sort_unstable();
            duties.dedup();
        }
    }

    /// Keeps what holds in both.
    pub(crate) fn meet(&mut self, other: &Self) {
        if self.since != other.since {
            self.since = Since::Several;
        }
        if !self.mem.is_same(&other.mem) {
            self.mem.revise(|c| {
                let d = other.cell(c.base, c.offset).filter(|d| d.value == c.value && d.size == c.size)?;
                Some(c.meet(d))
            });
        }
        if !self.facts.is_same(&other.facts) {
            self.facts.retain(|f| other.knows(*f));
        }
        if !self.codes.is_same(&other.codes) {
            self.codes.revise(|(s, m)| {
                let codes = m | other.codes(*s);
                (codes != u64::MAX).then_some((*s, codes))
            });
        }
        if !self.objs.is_same(&other.objs) {
            self.objs.revise(|o| o.meet(other.obj(o.contref)?));
        }
        unite(&mut self.dirty, &other.dirty);
        unite(&mut self.undecoded, &other.undecoded);
        if !self.duties.is_same(&other.duties) {
            for d in other.duties.iter() {
                self.owe(*d);
            }
        }
    }
}

/// An object that was made, or consumed, and is handed on with its revision is an object like
/// any other: whatever may come on other paths as well is checked by its next operation.
fn is_given(o: &Obj) -> bool {
    o.made || o.bump.is_some()
}

/// What a word is called where these are handed on; none where it has no name there.
fn word_of(handed: &[(Sym, Option<Sym>)], s: Sym) -> Option<Sym> {
    handed.iter().find(|(p, _)| *p == s).map_or(Some(s), |(_, word)| *word)
}

/// A bit for each of them; others may have the same.
fn bits(syms: impl IntoIterator<Item = Sym>) -> u64 {
    syms.into_iter().fold(0, |bits, s| bits | 1 << (s.index() % 64))
}

/// What is in one or the other, in order.
fn unite<T: Copy + Ord>(all: &mut Shared<T>, other: &Shared<T>) {
    if !all.is_same(other) {
        for x in other.iter() {
            if !all.contains(x) {
                all.push(*x);
            }
        }
    }
    if !all.is_sorted() {
        all.own().sort_unstable();
    }
}

fn earliest(a: Option<Inst>, b: Option<Inst>) -> Option<Inst> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sym(n: usize) -> Sym {
        Sym::new(n)
    }

    fn cell(base: Sym, value: Sym) -> Cell {
        Cell { base, offset: 8, size: 8, value, by: Inst::from_u32(1), since_check: true }
    }

    fn obj(contref: Sym, witness: Sym, made: bool) -> Obj {
        let check = Inst::from_u32(2);
        Obj { contref, witness, check, made, again: None, bump: None, stale: None, fails: None }
    }

    /// What is known where two edges meet that hand these words to parameters 0 and 1.
    fn meet(one: &State, words: [usize; 2], other: &State, others: [Option<usize>; 2]) -> State {
        let mut out = one.clone();
        out.rename(&[0, 1].map(|p| (sym(p), Some(sym(words[p])))));
        let [here, there]: [Handed; 2] =
            [words.map(Some), others].map(|words| [0, 1].map(|p| (sym(p), words[p].map(sym))).into_iter().collect());
        out.meet_handed(other, &there, &[here], |_| true);
        out
    }

    #[test]
    fn what_both_edges_say_of_their_words_is_said_of_the_parameter() {
        let [mut one, mut other] = [State::default(), State::default()];
        for (state, words) in [(&mut one, [10, 11]), (&mut other, [20, 21])] {
            state.learn(Fact::NonNull(sym(words[0])));
            state.learn(Fact::equal(sym(words[0]), sym(words[1])));
            state.set_obj(obj(sym(words[0]), sym(words[1]), false));
            state.set_cell(cell(sym(words[0]), sym(words[1])));
        }
        one.learn(Fact::NonNull(sym(11)));
        let out = meet(&one, [10, 11], &other, [Some(20), Some(21)]);
        assert_eq!(out.facts(), [Fact::NonNull(sym(0)), Fact::equal(sym(0), sym(1))]);
        assert_eq!(out.cells(), [cell(sym(0), sym(1))]);
        assert_eq!(out.objs(), [obj(sym(0), sym(1), false)]);
        // it is the same whichever comes first
        assert_eq!(meet(&other, [20, 21], &one, [Some(10), Some(11)]), out);
        // the other edge hands on other words, or what is none
        for others in [[Some(21), Some(20)], [Some(20), None], [None, None]] {
            let out = meet(&one, [10, 11], &other, others);
            assert!(out.cells().is_empty() && out.objs().is_empty(), "{others:?} {out:?}");
            assert_eq!(out.knows(Fact::NonNull(sym(0))), others[0] == Some(20), "{others:?}");
        }
    }

    #[test]
    fn what_was_stored_before_a_check_on_one_path_was_not_stored_since() {
        let [mut one, mut other] = [State::default(), State::default()];
        let check = |state: &mut State, inst| {
            state.set_obj(Obj { check: Inst::from_u32(inst), ..obj(sym(0), sym(1), false) });
        };
        check(&mut one, 2);
        one.set_cell(cell(sym(0), sym(5)));
        check(&mut other, 3);
        other.set_cell(cell(sym(0), sym(5)));
        let mut out = one.clone();
        out.meet(&other);
        assert!(out.cells()[0].since_check, "{out:?}");
        check(&mut other, 4);
        let mut out = one.clone();
        out.meet(&other);
        assert!(!out.cells()[0].since_check, "{out:?}");
    }

    #[test]
    fn what_a_parameter_was_in_the_turn_before_is_not_what_it_is() {
        let [mut one, mut back] = [State::default(), State::default()];
        one.learn(Fact::NonNull(sym(10)));
        one.set_cell(cell(sym(10), sym(11)));
        // in the turn that ends this was known of the parameters themselves
        back.learn(Fact::NonNull(sym(0)));
        back.set_cell(cell(sym(0), sym(1)));
        let out = meet(&one, [10, 11], &back, [Some(20), Some(1)]);
        assert!(!out.knows(Fact::NonNull(sym(0))) && out.cells().is_empty(), "{out:?}");
        // handed on, it still is
        let out = meet(&one, [10, 11], &back, [Some(0), Some(1)]);
        assert!(out.knows(Fact::NonNull(sym(0))), "{out:?}");
        assert_eq!(out.cells(), [cell(sym(0), sym(1))]);
    }

    #[test]
    fn an_object_that_was_made_is_handed_on_as_any_other() {
        let [mut one, mut other] = [State::default(), State::default()];
        one.set_obj(obj(sym(10), sym(11), false));
        other.set_obj(obj(sym(20), sym(21), true));
        other.learn(Fact::Taken(sym(20)));
        one.learn(Fact::Taken(sym(10)));
        let out = meet(&one, [10, 11], &other, [Some(20), Some(21)]);
        assert!(out.objs().is_empty() && !out.knows(Fact::Taken(sym(0))), "{out:?}");
        let out = meet(&other, [20, 21], &one, [Some(10), Some(11)]);
        assert!(out.objs().is_empty() && !out.knows(Fact::Taken(sym(0))), "{out:?}");
    }

    #[test]
    fn a_cell_keeps_the_name_that_is_right_on_every_edge() {
        let [mut one, mut other] = [State::default(), State::default()];
        let base = sym(9);
        // a constant, say, that is handed to a parameter on one of the edges
        one.set_cell(cell(base, sym(5)));
        other.set_cell(cell(base, sym(5)));
        let kept = meet(&one, [5, 7], &other, [Some(6), Some(7)]);
        assert_eq!(kept.cell(base, 8).map(|c| c.value), Some(sym(5)));
        // or what the second parameter is on both
        let mut other = State::default();
        other.set_cell(cell(base, sym(6)));
        let kept = meet(&one, [5, 5], &other, [Some(7), Some(6)]);
        assert_eq!(kept.cell(base, 8).map(|c| c.value), Some(sym(1)));
        // or neither
        let kept = meet(&one, [5, 5], &other, [Some(7), Some(8)]);
        assert!(kept.cell(base, 8).is_none());
    }
}
