//! Control effects: why control arrives at a stack.
//!
//! The word that a switch passes is `contref | code`, where `contref` is the
//! continuation that switched away (towards a resumer or the driver), or 0
//! (towards a continuation, which knows itself), and `code` fills the low six
//! bits that a ContRef's alignment leaves free.

/// A decoded control effect.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Effect {
    /// To the resumer: the continuation returned; its results are its payload.
    Return,
    /// To a continuation: it goes on, its payload holds what it waits for.
    /// Sent by `resume`, by `switch`, and by the driver after a host call.
    Resume,
    /// To the resumer: an exception that the continuation did not catch.
    Throw,
    /// To a continuation: raise the exception in its payload where it suspended.
    ResumeThrow,
    /// To the driver: the program trapped; the code is in the store context.
    Trap,
    /// To the driver: a host function is called; its index is in the store
    /// context, its arguments are the caller's payload, and so will be its results.
    HostCall,
    /// To the resumer: suspended, served by its handler of this index among
    /// the suspend handlers of the resume, in source order.
    Suspend(u32),
}

/// The names of the effects, without what they carry.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs, reason = "the variants are those of `Effect`")]
pub enum EffectKind {
    Return,
    Resume,
    Throw,
    ResumeThrow,
    Trap,
    HostCall,
    Suspend,
    SuspendFar,
}

impl EffectKind {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 8] = [
        Self::Return,
        Self::Resume,
        Self::Throw,
        Self::ResumeThrow,
        Self::Trap,
        Self::HostCall,
        Self::Suspend,
        Self::SuspendFar,
    ];

    /// The code, for [`EffectKind::Suspend`] that of handler 0.
    pub const fn code(self) -> u32 {
        match self {
            Self::Return => 0,
            Self::Resume => 1,
            Self::Throw => 2,
            Self::ResumeThrow => 3,
            Self::Trap => 4,
            Self::HostCall => 5,
            Self::Suspend => 8,
            Self::SuspendFar => Effect::MASK,
        }
    }
}

impl Effect {
    /// The bits of a switched word that hold the code.
    pub const MASK: u32 = 63;

    /// Handlers with a code of their own. An index from here on is sent as
    /// [`EffectKind::SuspendFar`], with the index in
    /// [`StoreContext::HANDLER_INDEX`](crate::StoreContext::HANDLER_INDEX).
    pub const NEAR_HANDLERS: u32 = EffectKind::SuspendFar.code() - EffectKind::Suspend.code();

    /// The effect of a switched word; `far` is asked for the handler index
    /// when the word does not hold it. `None` where the code means nothing.
    pub fn decode(word: u64, far: impl FnOnce() -> u32) -> Option<Self> {
        let code = (word & u64::from(Self::MASK)) as u32;
        Some(match code {
            _ if code == EffectKind::Return.code() => Self::Return,
            _ if code == EffectKind::Resume.code() => Self::Resume,
            _ if code == EffectKind::Throw.code() => Self::Throw,
            _ if code == EffectKind::ResumeThrow.code() => Self::ResumeThrow,
            _ if code == EffectKind::Trap.code() => Self::Trap,
            _ if code == EffectKind::HostCall.code() => Self::HostCall,
            _ if code == EffectKind::SuspendFar.code() => Self::Suspend(far()),
            _ if code >= EffectKind::Suspend.code() => Self::Suspend(code - EffectKind::Suspend.code()),
            _ => return None,
        })
    }

    /// The ContRef in a switched word.
    pub const fn contref(word: u64) -> u64 {
        word & !(Self::MASK as u64)
    }
}
