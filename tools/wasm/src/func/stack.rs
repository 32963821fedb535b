//! The operand stack and the control frames.

use clif_cont_lowering::ContObj;
use clif_cont_program::ValType;
use cranelift_codegen::ir::{Block, BlockArg, Value};
use wasmparser::Catch;

use super::Translator;
use crate::error::Result;

/// An operand as CLIF values.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operand {
    /// A number, or a reference of one word.
    One(Value),
    /// A continuation object.
    Two([Value; 2]),
}

impl Operand {
    /// Its values.
    pub(super) fn values(&self) -> &[Value] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Two(words) => words,
        }
    }
}

/// What opened a frame.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Function,
    Block,
    /// The block at its start, where a branch to it goes.
    Loop(Block),
    /// The block of its `else`, and the operands that both arms begin with;
    /// `None` once the `else` was seen.
    If(Option<(Block, Vec<Operand>)>),
    /// The clauses of a `try_table`.
    Try(Vec<Catch>),
}

/// An open block.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) kind: Kind,
    pub(super) label: Option<String>,
    pub(super) params: Vec<ValType>,
    pub(super) results: Vec<ValType>,
    /// Where control goes on behind its end, with its results as parameters.
    pub(super) exit: Block,
    /// Does anything go there?
    pub(super) exit_used: bool,
    /// Number of operands below it.
    pub(super) height: usize,
}

impl Frame {
    /// Where a branch to it goes.
    pub(super) fn target(&self) -> Block {
        match self.kind {
            Kind::Loop(header) => header,
            _ => self.exit,
        }
    }

    /// What a branch to it takes along.
    pub(super) fn label_types(&self) -> &[ValType] {
        match self.kind {
            Kind::Loop(_) => &self.params,
            _ => &self.results,
        }
    }
}

impl Translator<'_, '_, '_> {
    pub(super) fn pop(&mut self) -> Result<Operand> {
        self.stack.pop().ok_or_else(|| self.internal("the operand stack is empty"))
    }

    /// Pops a number, or a reference of one word.
    pub(super) fn pop1(&mut self) -> Result<Value> {
        match self.pop()? {
            Operand::One(value) => Ok(value),
            Operand::Two(_) => Err(self.internal("a continuation object where a word belongs")),
        }
    }

    pub(super) fn pop_cont(&mut self) -> Result<ContObj> {
        match self.pop()? {
            Operand::Two([contref, revision]) => Ok(ContObj { contref, revision }),
            Operand::One(_) => Err(self.internal("a word where a continuation object belongs")),
        }
    }

    /// Pops the last `n` operands, and gives their values in order.
    pub(super) fn pop_n(&mut self, n: usize) -> Result<Vec<Value>> {
        let values = self.top_n(n)?;
        self.stack.truncate(self.stack.len() - n);
        Ok(values)
    }

    /// The values of the last `n` operands, in order.
    pub(super) fn top_n(&self, n: usize) -> Result<Vec<Value>> {
        match self.stack.len().checked_sub(n) {
            Some(from) => Ok(self.stack[from..].iter().flat_map(Operand::values).copied().collect()),
            None => Err(self.internal("too few operands")),
        }
    }

    /// The last `n` operands as block arguments.
    pub(super) fn top_args(&self, n: usize) -> Result<Vec<BlockArg>> {
        Ok(self.top_n(n)?.into_iter().map(BlockArg::from).collect())
    }

    pub(super) fn push1(&mut self, value: Value) {
        self.stack.push(Operand::One(value));
    }

    pub(super) fn push_cont(&mut self, obj: ContObj) {
        self.stack.push(Operand::Two(obj.words()));
    }

    /// Pushes operands of these types, whose values are given in a row.
    pub(super) fn push_all(&mut self, types: &[ValType], values: &[Value]) -> Result<()> {
        let mut values = values.iter().copied();
        for ty in types {
            let operand = match (values.next(), ty) {
                (Some(first), ValType::Cont) => match values.next() {
                    Some(second) => Operand::Two([first, second]),
                    None => return Err(self.internal("half a continuation object")),
                },
                (Some(value), _) => Operand::One(value),
                (None, _) => return Err(self.internal("too few values")),
            };
            self.stack.push(operand);
        }
        Ok(())
    }

    /// The frame that a branch of this depth goes to.
    pub(super) fn frame(&mut self, depth: u32) -> Result<&mut Frame> {
        let missing = self.internal("a branch out of the function");
        let at = self.frames.len().checked_sub(depth as usize + 1).ok_or(missing)?;
        Ok(&mut self.frames[at])
    }

    /// Marks the frame as branched to; gives the block, and the number of
    /// operands to take there.
    pub(super) fn branch_target(&mut self, depth: u32) -> Result<(Block, usize)> {
        let frame = self.frame(depth)?;
        if !matches!(frame.kind, Kind::Loop(_)) {
            frame.exit_used = true;
        }
        Ok((frame.target(), frame.label_types().len()))
    }
}
