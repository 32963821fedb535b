//! Block parameters that are nothing but another name of one value.
//!
//! A parameter that is handed the same value on every edge, or itself on an edge
//! that goes round, is that value; so is one that is handed such a parameter.
//! Cranelift's optimiser removes them, a front end may leave them. The dataflow
//! cannot find this out by itself where the value's symbol changes between two
//! visits: the parameter would have been two things, and so be opaque.

use cranelift_codegen::entity::SecondaryMap;
use cranelift_codegen::entity::packed_option::PackedOption;
use cranelift_codegen::ir::{Block, BlockArg, Function, Value};

/// What each such parameter is.
#[derive(Debug, Default)]
pub(crate) struct Copies {
    of: SecondaryMap<Value, PackedOption<Value>>,
}

impl Copies {
    /// Looks for them. `blocks` are those that control can reach, but for the
    /// entry; `handed` gives the arguments for a parameter of a block.
    pub(crate) fn find<I>(func: &Function, blocks: &[Block], handed: impl Fn(Block, usize) -> I) -> Self
    where
        I: Iterator<Item = Option<BlockArg>>,
    {
        let mut copies = Self::default();
        loop {
            let mut again = false;
            for block in blocks {
                for (i, param) in func.dfg.block_params(*block).iter().enumerate() {
                    if copies.of[*param].is_none()
                        && let Some(source) = copies.only(func, *param, handed(*block, i))
                    {
                        copies.of[*param] = source.into();
                        again = true;
                    }
                }
            }
            if !again {
                return copies;
            }
        }
    }

    /// The one value that a parameter is handed, but for itself.
    fn only(&self, func: &Function, param: Value, args: impl Iterator<Item = Option<BlockArg>>) -> Option<Value> {
        let mut only = None;
        for arg in args {
            let Some(BlockArg::Value(v)) = arg else { return None };
            let v = self.resolve(func, v);
            if v != param && *only.get_or_insert(v) != v {
                return None;
            }
        }
        only
    }

    /// Is the parameter one of them?
    pub(crate) fn contains(&self, param: Value) -> bool {
        self.of[param].is_some()
    }

    /// The value itself, whatever it is called.
    pub(crate) fn resolve(&self, func: &Function, v: Value) -> Value {
        let mut v = func.dfg.resolve_aliases(v);
        while let Some(source) = self.of[v].expand() {
            v = func.dfg.resolve_aliases(source);
        }
        v
    }
}
