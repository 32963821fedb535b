//! What the functions of the runtime have to do, for `CC0114`: one file for
//! each group of them.

pub(crate) mod driver;
pub(crate) mod search;
pub(crate) mod slots;
pub(crate) mod stack;
