//! Shadow state: what the program did to its continuations, and where.
//!
//! Generated code counts uses of a continuation in its revision and compares;
//! this is a second account of the same, kept beside the machine's memory, from
//! what is stored to a ContRef and from the switches. It serves three readers:
//! a switch that the protocol forbids is a violation where it happens, whatever
//! it would do later; a trap because of a consumed object comes with what
//! happened to its continuation before ([`Shadow::story`]); and a trace has all
//! of it in time ([`TraceEvent`]).
//!
//! It knows the ABI and the stacks that the program made a guard page for, so
//! contexts that a hand-written program keeps elsewhere are not followed. It
//! does not know objects: which copy of one was used is not told.

use std::collections::{HashMap, VecDeque};

use clif_cont_abi::{Abi, EffectKind};

/// Steps of a continuation's history that are kept.
const HISTORY: usize = 8;
/// Events of a trace that are kept; the rest is counted.
const TRACE: usize = 1 << 20;

/// What happened to a continuation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Happened {
    /// `cont.new`, or an invocation by the host.
    Created,
    /// Its object was consumed: by a resume, a switch, or `cont.bind`.
    Consumed,
    /// Control went to it.
    Resumed,
    /// It suspended.
    Suspended,
    /// It returned, threw, was dropped, or was abandoned by a trap.
    Ended,
}

impl Happened {
    /// As it is printed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Consumed => "consumed",
            Self::Resumed => "resumed",
            Self::Suspended => "suspended",
            Self::Ended => "ended",
        }
    }
}

/// A place in the program: a function, and an operation of its decoded form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Spot {
    pub(crate) code: u32,
    pub(crate) pc: u32,
}

/// A step of a continuation's history.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// Number of the continuation, from 1 in the order of their creation.
    pub(crate) continuation: u64,
    pub(crate) happened: Happened,
    /// `None` for the host.
    pub(crate) at: Option<Spot>,
}

/// An event of a trace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    pub(crate) step: u64,
    /// Number of the continuation; 0 for the driver.
    pub(crate) continuation: u64,
    pub(crate) kind: TraceKind,
    pub(crate) at: Option<Spot>,
}

/// Where a continuation is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Life {
    /// A free slot.
    Free,
    Fresh,
    Running,
    /// For what it resumed, or for a host function.
    Waiting,
    Suspended,
}

impl Life {
    const fn name(self) -> &'static str {
        match self {
            Self::Free => "that has ended",
            Self::Fresh => "that has not started",
            Self::Running => "that is running",
            Self::Waiting => "that waits for what it resumed",
            Self::Suspended => "that is suspended",
        }
    }
}

#[derive(Debug)]
struct Slot {
    continuation: u64,
    life: Life,
    /// Was its object consumed since it was created or suspended?
    consumed: bool,
    history: VecDeque<Step>,
}

/// A switch, with what only the machine can read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Switched {
    /// The context that is left, and the one that is gone to.
    pub(crate) store: u64,
    pub(crate) load: u64,
    /// The effect code in the word.
    pub(crate) effect: u32,
    /// The parent of the outermost stack that is gone to.
    pub(crate) linked_to: Option<u64>,
    /// Does the driver leave?
    pub(crate) by_driver: bool,
    pub(crate) at: Option<Spot>,
    pub(crate) step: u64,
}

/// The account.
#[derive(Default, Debug)]
pub(crate) struct Shadow {
    slots: HashMap<u64, Slot>,
    created: u64,
    /// The ContRef whose revision the program read last.
    read: u64,
    trace: Option<Vec<Event>>,
    omitted: u64,
}

/// The offset of an address in the ContRef of its slot.
#[inline]
pub(crate) fn contref_offset(abi: &Abi, address: u64) -> i64 {
    address.wrapping_sub(abi.contref_of(address)) as i64
}

impl Shadow {
    /// Begins to keep a trace.
    pub(crate) fn start_trace(&mut self) {
        self.trace.get_or_insert_default();
    }

    /// The trace, and how many events did not fit it.
    pub(crate) fn trace(&self) -> (&[Event], u64) {
        (self.trace.as_deref().unwrap_or_default(), self.omitted)
    }

    /// A slot came to be.
    pub(crate) fn slot(&mut self, contref: u64) {
        let slot = Slot { continuation: 0, life: Life::Free, consumed: false, history: VecDeque::new() };
        self.slots.insert(contref, slot);
    }

    pub(crate) fn is_slot(&self, contref: u64) -> bool {
        self.slots.contains_key(&contref)
    }

    /// Why nobody else may access the frames on a stack, if that is so.
    pub(crate) fn frames_of_others(&self, contref: u64) -> Option<String> {
        let slot = self.slots.get(&contref)?;
        match slot.life {
            Life::Waiting | Life::Running => None,
            life => Some(format!("the stack of a continuation {}", life.name())),
        }
    }

    /// Its revision was read.
    pub(crate) fn was_read(&mut self, contref: u64) {
        self.read = contref;
    }

    /// What happened to the continuation whose revision was read last.
    pub(crate) fn story(&self) -> Vec<Step> {
        self.slots.get(&self.read).map(|s| s.history.iter().copied().collect()).unwrap_or_default()
    }

    fn event(&mut self, step: u64, continuation: u64, kind: TraceKind, at: Option<Spot>) {
        if let Some(trace) = &mut self.trace {
            match trace.len() < TRACE {
                true => trace.push(Event { step, continuation, kind, at }),
                false => self.omitted += 1,
            }
        }
    }

    fn happened(&mut self, contref: u64, happened: Happened, at: Option<Spot>, step: u64) {
        let Some(slot) = self.slots.get_mut(&contref) else { return };
        if slot.history.len() == HISTORY {
            slot.history.pop_front();
        }
        let continuation = slot.continuation;
        slot.history.push_back(Step { continuation, happened, at });
        self.event(step, continuation, TraceKind::Happened(happened), at);
    }

    /// A free slot was given a function.
    pub(crate) fn create(&mut self, contref: u64, at: Option<Spot>, step: u64) {
        let Some(slot) = self.slots.get_mut(&contref).filter(|s| s.life == Life::Free) else { return };
        self.created += 1;
        slot.continuation = self.created;
        slot.life = Life::Fresh;
        slot.consumed = false;
        self.happened(contref, Happened::Created, at, step);
    }

    /// The runtime gives a continuation's frames up.
    pub(crate) fn end(&mut self, contref: u64, at: Option<Spot>, step: u64) {
        if let Some(slot) = self.slots.get_mut(&contref) {
            slot.life = Life::Free;
            self.happened(contref, Happened::Ended, at, step);
        }
    }

    /// The program changes a revision from `old` to `new`.
    ///
    /// # Errors
    ///
    /// Why it may not.
    pub(crate) fn bump(
        &mut self,
        contref: u64,
        (old, new, next): (u64, u64, u64),
        at: Option<Spot>,
        step: u64,
    ) -> Result<(), String> {
        let Some(slot) = self.slots.get_mut(&contref) else { return Ok(()) };
        if new != next {
            return Err(format!("the revision of a continuation is changed from {old} to {new}"));
        }
        if !matches!(slot.life, Life::Fresh | Life::Suspended) {
            return Err(format!("the revision of a continuation {} is changed", slot.life.name()));
        }
        slot.consumed = true;
        self.happened(contref, Happened::Consumed, at, step);
        Ok(())
    }

    /// Control moves between stacks.
    ///
    /// # Errors
    ///
    /// Why it may not.
    pub(crate) fn switch(&mut self, s: &Switched) -> Result<(), String> {
        let goes_on = [EffectKind::Resume.code(), EffectKind::ResumeThrow.code()].contains(&s.effect);
        let left = self.slots.get(&s.store).map_or(0, |slot| slot.continuation);
        self.event(s.step, left, TraceKind::End, s.at);
        let suspends = if goes_on && !s.by_driver {
            self.may_resume(s.load)?;
            s.linked_to != Some(s.store)
        } else {
            s.effect >= EffectKind::Suspend.code()
        };
        if let Some(slot) = self.slots.get_mut(&s.store).filter(|slot| slot.life != Life::Free) {
            slot.life = if suspends { Life::Suspended } else { Life::Waiting };
            slot.consumed = false;
            if suspends {
                self.happened(s.store, Happened::Suspended, s.at, s.step);
            }
        }
        if let Some(slot) = self.slots.get_mut(&s.load) {
            if slot.life == Life::Free {
                return Err("switch to a continuation that has ended".to_owned());
            }
            slot.life = Life::Running;
            slot.consumed = false;
            if goes_on {
                self.happened(s.load, Happened::Resumed, s.at, s.step);
            }
        }
        let entered = self.slots.get(&s.load).map_or(0, |slot| slot.continuation);
        self.event(s.step, entered, TraceKind::Begin, s.at);
        Ok(())
    }

    fn may_resume(&self, contref: u64) -> Result<(), String> {
        let Some(slot) = self.slots.get(&contref) else { return Ok(()) };
        match slot.life {
            Life::Fresh | Life::Suspended if slot.consumed => Ok(()),
            Life::Fresh | Life::Suspended => {
                Err("a continuation is resumed whose object was not consumed: it could be resumed again".to_owned())
            }
            life => Err(format!("a continuation {} is resumed", life.name())),
        }
    }
}

/// An event of a trace, with names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TraceEvent {
    /// Instructions executed before it.
    pub step: u64,
    /// Number of the continuation, from 1 in the order of creation; 0 for the
    /// stack of the host that invokes.
    pub continuation: u64,
    /// What it is.
    pub kind: TraceKind,
    /// The function that did it; empty for the host.
    pub function: String,
}

/// What an event of a trace is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TraceKind {
    /// The stack runs from here on.
    Begin,
    /// It does not any more.
    End,
    /// Something happened to the continuation.
    Happened(Happened),
}

/// A step of a continuation's history, with names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HistoryStep {
    /// Number of the continuation; a stack that is used again has several.
    pub continuation: u64,
    /// What happened.
    pub happened: Happened,
    /// The function that did it; empty for the host.
    pub function: String,
    /// Its instruction, where there is one.
    pub inst: Option<String>,
}
