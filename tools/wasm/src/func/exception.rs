//! Exceptions: `throw`, `throw_ref`, and the clauses of `try_table`.
//!
//! What is raised goes to the block of the innermost `try_table` around it in
//! its function, which compares tags and branches; what no clause of it takes
//! goes on to the next one outwards. Around them all is a block that returns
//! the exception to the caller. How it gets there is
//! `clif_cont_abi::Exceptions`.

use clif_cont_abi::Trap;
use clif_cont_lowering::{ContEnv, TagId};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{BlockArg, InstBuilder, MemFlagsData, Value};
use wasmparser::{Catch, Operator};

use super::Translator;
use crate::error::Result;
use crate::exception;

impl Translator<'_, '_, '_> {
    /// Translates an operator that throws; `false` when it is none.
    pub(super) fn exception(&mut self, op: &Operator<'_>) -> Result<bool> {
        let before = self.b.func.dfg.num_insts();
        let (exn, note) = match *op {
            Operator::Throw { tag_index } => {
                let n = self.env.shared.module.tags[tag_index as usize].sig.params.len();
                let args = self.pop_n(n)?;
                let exn = self.env.new_exception(&mut self.b, TagId(tag_index), &args);
                (self.lower(exn)?, format!("throw {}", self.tag_name(tag_index)))
            }
            Operator::ThrowRef => {
                let exn = self.pop1()?;
                self.trap_unless(exn, Trap::NullException);
                (exn, "throw_ref".to_owned())
            }
            _ => return Ok(false),
        };
        self.env.raise(&mut self.b, exn);
        self.reachable = false;
        self.note(before, note);
        Ok(true)
    }

    /// The end of a `try_table`, whose frame is closed: what was raised inside
    /// of it is caught here. The labels of the clauses count from outside.
    pub(super) fn catch(&mut self, clauses: &[Catch]) -> Result<()> {
        let Some(catcher) = self.env.pop_catcher() else { return Err(self.internal("no open try_table")) };
        if !catcher.used {
            return Ok(());
        }
        self.continue_in(catcher.block);
        let exn = self.b.block_params(catcher.block)[0];
        let mut thrown = None;
        for clause in clauses {
            let (tag, label, with_ref) = match *clause {
                Catch::One { tag, label } => (Some(tag), label, false),
                Catch::OneRef { tag, label } => (Some(tag), label, true),
                Catch::All { label } => (None, label, false),
                Catch::AllRef { label } => (None, label, true),
            };
            let with_ref = with_ref.then_some(exn);
            let Some(tag) = tag else {
                let args: Vec<BlockArg> = with_ref.into_iter().map(BlockArg::from).collect();
                let (target, _) = self.branch_target(label)?;
                self.b.ins().jump(target, &args);
                return Ok(());
            };
            let thrown = match thrown {
                Some(tag) => tag,
                None => {
                    let word = self.env.shared.word();
                    *thrown.insert(self.b.ins().load(word, MemFlagsData::trusted(), exn, exception::TAG))
                }
            };
            let address = self.env.tag(&mut self.b, TagId(tag));
            let hit = self.b.ins().icmp(IntCC::Equal, thrown, address);
            let (caught, next) = (self.b.create_block(), self.b.create_block());
            self.b.ins().brif(hit, caught, &[], next, &[]);
            self.comments.blocks.insert(caught, format!("catch {}", self.tag_name(tag)));
            self.continue_in(caught);
            let values = self.payload(tag, exn);
            let args: Vec<BlockArg> = values.into_iter().chain(with_ref).map(BlockArg::from).collect();
            let (target, _) = self.branch_target(label)?;
            self.b.ins().jump(target, &args);
            self.continue_in(next);
        }
        self.env.raise(&mut self.b, exn);
        Ok(())
    }

    /// The values of an exception of that tag.
    fn payload(&mut self, tag: u32, exn: Value) -> Vec<Value> {
        let shared = self.env.shared;
        let types = shared.flat(&shared.module.tags[tag as usize].sig.params);
        let (offsets, _) = exception::layout(types.iter().copied());
        let load = |(ty, offset)| self.b.ins().load(ty, MemFlagsData::trusted(), exn, offset);
        types.into_iter().zip(offsets).map(load).collect()
    }

    /// The end of the function: what nothing in it caught goes to the caller.
    pub(super) fn escape(&mut self) {
        let Some(catcher) = self.env.pop_catcher().filter(|c| c.used) else { return };
        self.continue_in(catcher.block);
        let exn = self.b.block_params(catcher.block)[0];
        // no catcher is left: this returns
        self.env.raise(&mut self.b, exn);
    }
}
