//! What the functions of an instance ask for while they are translated: runtime
//! functions, helpers, descriptors, handler tables, segments. All of it is made
//! when the last function is done, in an order that does not depend on who
//! asked first.

use std::collections::{BTreeMap, BTreeSet};

use clif_cont_lowering::RuntimeFn;
use clif_cont_program::Data;

use crate::helper::Helper;
use crate::module::Addr;

/// The requests.
#[derive(Default)]
pub(crate) struct Link {
    /// By name.
    pub(crate) runtime: BTreeMap<String, RuntimeFn>,
    pub(crate) helpers: BTreeSet<Helper>,
    /// Is anything thrown that needs memory?
    pub(crate) exception_heap: bool,
    /// Functions that are referred to.
    pub(crate) descriptors: BTreeSet<Addr>,
    /// Element segments that exist at run time.
    pub(crate) elems: BTreeSet<u32>,
    /// Data segments that exist at run time.
    pub(crate) data: BTreeSet<u32>,
    /// Handler tables, in the order of the functions and resumes.
    pub(crate) handlers: Vec<Data>,
}

impl Link {
    /// Adds what another instance asked for and what has not been made yet.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.runtime.extend(other.runtime);
        self.helpers.extend(other.helpers);
        self.exception_heap |= other.exception_heap;
        self.descriptors.extend(other.descriptors);
        self.handlers.extend(other.handlers);
    }
}
