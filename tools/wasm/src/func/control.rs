//! Blocks and branches, and with them what is reachable.

use clif_cont_abi::Trap;
use clif_cont_lowering::Conts;
use clif_cont_program::ValType;
use cranelift_codegen::ir::{Block, BlockCall, InstBuilder, JumpTableData};
use wasmparser::{BlockType, Catch, Operator};

use super::Translator;
use super::stack::{Frame, Kind};
use crate::error::Result;
use crate::names::printable;
use crate::types::Sig;

impl Translator<'_, '_, '_> {
    /// The frame of the function itself: a branch to it returns.
    pub(super) fn push_function_frame(&mut self, sig: &Sig) {
        let exit = self.block_taking(&sig.results, "return".into());
        self.frames.push(Frame {
            kind: Kind::Function,
            label: None,
            params: vec![],
            results: sig.results.clone(),
            exit,
            exit_used: false,
            height: 0,
        });
    }

    pub(super) fn block_taking(&mut self, types: &[ValType], comment: String) -> Block {
        let block = self.b.create_block();
        for ty in self.env.shared.flat(types) {
            self.b.append_block_param(block, ty);
        }
        if !comment.is_empty() {
            self.comments.blocks.insert(block, comment);
        }
        block
    }

    /// Translates a control operator; `false` when it is none. Those that open
    /// and close blocks are followed in unreachable code too.
    pub(super) fn control(&mut self, op: &Operator<'_>) -> Result<bool> {
        match *op {
            Operator::Block { blockty } => self.open(blockty, Self::block)?,
            Operator::Loop { blockty } => self.open(blockty, Self::loop_)?,
            Operator::If { blockty } => self.open(blockty, Self::if_)?,
            Operator::TryTable { ref try_table } => {
                self.open(try_table.ty, |t, sig, label| t.try_table(sig, label, try_table.catches.clone()))?;
            }
            Operator::Else => self.else_()?,
            Operator::End => self.end()?,
            _ if !self.reachable => return Ok(false),
            Operator::Br { relative_depth } => {
                let (block, n) = self.branch_target(relative_depth)?;
                let args = self.top_args(n)?;
                self.b.ins().jump(block, &args);
                self.reachable = false;
            }
            Operator::BrIf { relative_depth } => {
                let condition = self.pop1()?;
                let (block, n) = self.branch_target(relative_depth)?;
                let args = self.top_args(n)?;
                let next = self.b.create_block();
                self.b.ins().brif(condition, block, &args, next, &[]);
                self.continue_in(next);
            }
            Operator::BrTable { ref targets } => {
                let index = self.pop1()?;
                let mut calls = vec![];
                for depth in targets.targets() {
                    calls.push(self.branch_call(depth?)?);
                }
                let default = self.branch_call(targets.default())?;
                let table = self.b.create_jump_table(JumpTableData::new(default, &calls));
                self.b.ins().br_table(index, table);
                self.reachable = false;
            }
            Operator::BrOnNull { relative_depth } => {
                let reference = self.pop()?;
                let (block, n) = self.branch_target(relative_depth)?;
                let args = self.top_args(n)?;
                let next = self.b.create_block();
                self.b.ins().brif(reference.values()[0], next, &[], block, &args);
                self.continue_in(next);
                self.stack.push(reference);
            }
            Operator::BrOnNonNull { relative_depth } => {
                let word = self.top_reference()?;
                let (block, n) = self.branch_target(relative_depth)?;
                let args = self.top_args(n)?;
                let next = self.b.create_block();
                self.b.ins().brif(word, block, &args, next, &[]);
                self.continue_in(next);
                self.pop()?;
            }
            Operator::Return => {
                let n = self.frames[0].results.len();
                let values = self.top_n(n)?;
                self.env.return_(&mut self.b, &values);
                self.reachable = false;
            }
            Operator::Unreachable => {
                Conts::new(&mut self.env).trap(&mut self.b, Trap::Unreachable);
                self.reachable = false;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn top_reference(&mut self) -> Result<cranelift_codegen::ir::Value> {
        let reference = self.pop()?;
        self.stack.push(reference);
        Ok(reference.values()[0])
    }

    fn branch_call(&mut self, depth: u32) -> Result<BlockCall> {
        let (block, n) = self.branch_target(depth)?;
        let args = self.top_args(n)?;
        Ok(BlockCall::new(block, args, &mut self.b.func.dfg.value_lists))
    }

    /// Goes on in a block that nothing else branches to.
    pub(super) fn continue_in(&mut self, block: Block) {
        self.b.seal_block(block);
        self.b.switch_to_block(block);
    }

    fn open(&mut self, ty: BlockType, how: impl FnOnce(&mut Self, Sig, Option<String>) -> Result<()>) -> Result<()> {
        let label = self.env.shared.module.names.label(self.index, self.labels);
        let label = label.map(|l| format!("${}", printable(l)));
        self.labels += 1;
        if !self.reachable {
            self.skipped += 1;
            return Ok(());
        }
        let module = self.env.shared.module;
        let sig = match ty {
            BlockType::Empty => Sig::default(),
            BlockType::Type(t) => Sig { params: vec![], results: vec![module.repr(t, self.offset)?] },
            BlockType::FuncType(index) => module.sig(index, self.offset)?,
        };
        how(self, sig, label)
    }

    fn push_frame(&mut self, kind: Kind, sig: Sig, label: Option<String>, what: &str) -> Result<()> {
        let comment = match &label {
            Some(label) => format!("end of {what} {label}"),
            None => format!("end of {what}"),
        };
        let exit = self.block_taking(&sig.results, comment);
        let height = self.stack.len().checked_sub(sig.params.len());
        let height = height.ok_or_else(|| self.internal("too few operands"))?;
        let Sig { params, results } = sig;
        self.frames.push(Frame { kind, label, params, results, exit, exit_used: false, height });
        Ok(())
    }

    fn block(&mut self, sig: Sig, label: Option<String>) -> Result<()> {
        self.push_frame(Kind::Block, sig, label, "block")
    }

    fn loop_(&mut self, sig: Sig, label: Option<String>) -> Result<()> {
        let header = self.block_taking(&sig.params, label.as_ref().map_or("loop".into(), |l| format!("loop {l}")));
        let n = sig.params.len();
        let (args, types) = (self.top_args(n)?, sig.params.clone());
        self.b.ins().jump(header, &args);
        self.b.switch_to_block(header);
        self.push_frame(Kind::Loop(header), sig, label, "loop")?;
        self.stack.truncate(self.stack.len() - n);
        let params = self.b.block_params(header).to_vec();
        self.push_all(&types, &params)
    }

    fn try_table(&mut self, sig: Sig, label: Option<String>, clauses: Vec<Catch>) -> Result<()> {
        let of = label.as_ref().map(|l| format!(" {l}")).unwrap_or_default();
        self.push_frame(Kind::Try(clauses), sig, label, "try_table")?;
        let block = self.env.push_catcher(&mut self.b);
        self.comments.blocks.insert(block, format!("thrown in try_table{of}"));
        Ok(())
    }

    fn if_(&mut self, sig: Sig, label: Option<String>) -> Result<()> {
        let condition = self.pop1()?;
        let (then, otherwise) = (self.b.create_block(), self.b.create_block());
        let of = label.as_ref().map(|l| format!(" {l}")).unwrap_or_default();
        self.comments.blocks.insert(then, format!("then{of}"));
        self.comments.blocks.insert(otherwise, format!("else{of}"));
        self.b.ins().brif(condition, then, &[], otherwise, &[]);
        self.b.seal_block(otherwise);
        self.continue_in(then);
        let from = self.stack.len().checked_sub(sig.params.len());
        let from = from.ok_or_else(|| self.internal("too few operands"))?;
        // both arms are dominated by this block: the operands stay what they are
        let operands = self.stack[from..].to_vec();
        self.push_frame(Kind::If(Some((otherwise, operands))), sig, label, "if")
    }

    fn else_(&mut self) -> Result<()> {
        if self.skipped > 0 {
            return Ok(());
        }
        if self.reachable {
            self.leave()?;
        }
        let missing = self.internal("an else without an if");
        let Some(frame) = self.frames.last_mut() else { return Err(missing) };
        let Kind::If(arm) = &mut frame.kind else { return Err(missing) };
        let (block, operands) = arm.take().ok_or(missing)?;
        self.stack.truncate(frame.height);
        self.stack.extend(operands);
        self.b.switch_to_block(block);
        self.reachable = true;
        Ok(())
    }

    /// Jumps behind the end of the innermost block.
    fn leave(&mut self) -> Result<()> {
        let missing = self.internal("no open block");
        let Some(frame) = self.frames.last_mut() else { return Err(missing) };
        frame.exit_used = true;
        let (exit, n) = (frame.exit, frame.results.len());
        let args = self.top_args(n)?;
        self.b.ins().jump(exit, &args);
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        if self.skipped > 0 {
            self.skipped -= 1;
            return Ok(());
        }
        // an `if` without an `else` has one that does nothing
        if let Some(Frame { kind: Kind::If(Some(_)), .. }) = self.frames.last() {
            self.else_()?;
        }
        let missing = self.internal("an end without a block");
        let Some(frame) = self.frames.last() else { return Err(missing) };
        if let Kind::Loop(header) = frame.kind {
            self.b.seal_block(header);
        }
        let (function, used, n) = (matches!(frame.kind, Kind::Function), frame.exit_used, frame.results.len());
        if self.reachable && function && !used {
            let values = self.top_n(n)?;
            self.env.return_(&mut self.b, &values);
        } else if self.reachable {
            self.leave()?;
        }
        let Some(frame) = self.frames.pop() else { return Err(missing) };
        self.b.seal_block(frame.exit);
        if let Kind::Try(clauses) = &frame.kind {
            self.catch(clauses)?;
        }
        self.stack.truncate(frame.height);
        self.reachable = frame.exit_used;
        if self.reachable {
            self.b.switch_to_block(frame.exit);
            let values = self.b.block_params(frame.exit).to_vec();
            if function {
                self.env.return_(&mut self.b, &values);
                self.reachable = false;
            } else {
                self.push_all(&frame.results, &values)?;
            }
        }
        if function {
            self.escape();
        }
        Ok(())
    }
}
