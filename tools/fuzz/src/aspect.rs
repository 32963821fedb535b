//! The parts of the protocol that instructions belong to, and the rules that are
//! meant to notice damage to each.

/// The part of an operation that an instruction belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Aspect {
    /// The test of a contref for null.
    NullCheck,
    /// The load of a revision, its comparison, and the branch.
    RevisionCheck,
    /// The comparison of a revision with its limit.
    Limit,
    /// The new revision, and its store.
    Consume,
    /// The same where the runtime ends a continuation.
    End,
    /// The revision that goes into an object.
    Object,
    /// Words that block arguments hand on.
    Pair,
    /// The two words of an object in a payload.
    Words,
    /// The switch.
    Switch,
    /// What leads to its operands, and the words of a control context.
    Context,
    /// The switch of the trap function.
    Abort,
    /// Parents and last ancestors.
    Link,
    /// The store of the handler table that a resume installs.
    Install,
    /// The address of that table.
    Table,
    /// The search for a handler, as far as a suspend or a switch does it itself.
    Search,
    /// The searches of the runtime.
    Handlers,
    /// Where payload is.
    Payload,
    /// Fields of the store context that say who runs.
    Store,
    /// What the driver is told: why the program stopped, or what the host is to do.
    Reason,
    /// The pool of stacks.
    Pool,
    /// Records on the frame.
    Frame,
    /// What tells effects apart.
    Dispatch,
    /// What tells whether a host function failed.
    Failure,
    /// Traps of the protocol.
    Trap,
    /// The test for the end of the stack.
    StackCheck,
    /// What else there is in the runtime's functions.
    Runtime,
    /// The program's own code.
    Own,
}

impl Aspect {
    /// All of them.
    pub const ALL: [Self; 27] = [
        Self::NullCheck,
        Self::RevisionCheck,
        Self::Limit,
        Self::Consume,
        Self::End,
        Self::Object,
        Self::Pair,
        Self::Words,
        Self::Switch,
        Self::Context,
        Self::Abort,
        Self::Link,
        Self::Install,
        Self::Table,
        Self::Search,
        Self::Handlers,
        Self::Payload,
        Self::Store,
        Self::Reason,
        Self::Pool,
        Self::Frame,
        Self::Dispatch,
        Self::Failure,
        Self::Trap,
        Self::StackCheck,
        Self::Runtime,
        Self::Own,
    ];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NullCheck => "null-check",
            Self::RevisionCheck => "revision-check",
            Self::Limit => "limit",
            Self::Consume => "consume",
            Self::End => "end",
            Self::Object => "object",
            Self::Pair => "pair",
            Self::Words => "words",
            Self::Switch => "switch",
            Self::Context => "context",
            Self::Abort => "abort",
            Self::Link => "link",
            Self::Install => "install",
            Self::Table => "table",
            Self::Search => "search",
            Self::Handlers => "handlers",
            Self::Payload => "payload",
            Self::Store => "store",
            Self::Reason => "reason",
            Self::Pool => "pool",
            Self::Frame => "frame",
            Self::Dispatch => "dispatch",
            Self::Failure => "failure",
            Self::Trap => "trap",
            Self::StackCheck => "stack-check",
            Self::Runtime => "runtime",
            Self::Own => "own",
        }
    }

    /// Is it a part of what the runtime's functions do, most of all?
    pub(crate) const fn is_runtimes(self) -> bool {
        matches!(
            self,
            Self::End
                | Self::Abort
                | Self::Handlers
                | Self::Store
                | Self::Reason
                | Self::Pool
                | Self::Failure
                | Self::Runtime
        )
    }

    /// The rules that are about it, the one meant first.
    ///
    /// A wrong pointer shows where it is used, as an access that nothing was
    /// checked for (CC0001, CC0002), or that hits the wrong field (CC0008,
    /// CC0010); a wrong search, in what is linked and switched to.
    pub const fn rules(self) -> &'static [&'static str] {
        match self {
            Self::NullCheck => &["CC0001"],
            Self::RevisionCheck => &["CC0002", "CC0007", "CC0003", "CC0012", "CC0001"],
            Self::Limit => &["CC0009"],
            Self::Consume => &["CC0003", "CC0009", "CC0001", "CC0002", "CC0008", "CC0010"],
            Self::End => &["CC0113", "CC0101", "CC0103", "CC0001", "CC0002", "CC0008", "CC0010"],
            Self::Object => &["CC0004", "CC0012", "CC0001", "CC0002", "CC0008", "CC0010"],
            Self::Pair => &["CC0012", "CC0004", "CC0001", "CC0002", "CC0101", "CC0103"],
            Self::Words => &["CC0006", "CC0004", "CC0012", "CC0204"],
            Self::Switch | Self::Context => {
                &["CC0101", "CC0102", "CC0103", "CC0110", "CC0001", "CC0002", "CC0008", "CC0010"]
            }
            Self::Abort => &["CC0101", "CC0108", "CC0102"],
            Self::Link => &["CC0103", "CC0104", "CC0101", "CC0105", "CC0113", "CC0001", "CC0002", "CC0008", "CC0010"],
            Self::Install => &["CC0202", "CC0201", "CC0103", "CC0001", "CC0002", "CC0008", "CC0010"],
            Self::Table => &["CC0201", "CC0202", "CC0001", "CC0002", "CC0008", "CC0010"],
            Self::Search => &["CC0101", "CC0103", "CC0201", "CC0001", "CC0002", "CC0008", "CC0010"],
            Self::Handlers => {
                &["CC0201", "CC0202", "CC0101", "CC0103", "CC0107", "CC0001", "CC0002", "CC0008", "CC0010"]
            }
            Self::Payload => &["CC0204", "CC0203", "CC0007", "CC0001", "CC0002", "CC0008", "CC0010", "CC0012"],
            Self::Store => &["CC0105", "CC0101", "CC0103", "CC0113", "CC0001", "CC0002", "CC0008", "CC0010"],
            Self::Reason => &["CC0101", "CC0107", "CC0113", "CC0103", "CC0001", "CC0002", "CC0008", "CC0010"],
            Self::Pool => &["CC0113", "CC0101", "CC0103", "CC0004", "CC0001", "CC0002", "CC0008", "CC0010"],
            Self::Frame => &["CC0105", "CC0206", "CC0201", "CC0103", "CC0101", "CC0008", "CC0010"],
            Self::Dispatch => &["CC0107", "CC0108", "CC0201"],
            // and whom to go on with, where it did not
            Self::Failure => &["CC0108", "CC0107", "CC0101"],
            Self::Trap => &["CC0208", "CC0108"],
            // what traps there is a trap like any other
            Self::StackCheck => &["CC0109", "CC0208"],
            Self::Runtime => {
                &["CC0114", "CC0113", "CC0101", "CC0105", "CC0107", "CC0001", "CC0002", "CC0008", "CC0010"]
            }
            Self::Own => &[],
        }
    }
}
