//! The operators of the stack-switching proposal, each by one call of its
//! builder. A comment before each names types, tags and labels.

use clif_cont_lowering::{Conts, On, TagId, on, on_switch};
use clif_cont_program::OperationTypes;
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, Value};
use wasmparser::{Handle, Operator, ResumeTable};

use super::Translator;
use super::stack::Kind;
use crate::error::Result;
use crate::names::printable;
use crate::types::{Body, Heap, Ty};

impl Translator<'_, '_, '_> {
    /// Translates a continuation operator; `false` when it is none.
    pub(super) fn cont(&mut self, op: &Operator<'_>) -> Result<bool> {
        let before = self.b.func.dfg.num_insts();
        let note = match *op {
            Operator::ContNew { cont_type_index } => {
                let sig = self.env.shared.module.sig(cont_type_index, self.offset)?;
                let ty = self.env.shared.cont_type(&sig);
                let reference = self.pop1()?;
                let code = self.callee(reference);
                let obj = Conts::new(&mut self.env).cont_new(&mut self.b, code, &ty);
                let obj = self.lower(obj)?;
                self.push_cont(obj);
                format!("cont.new {}", self.type_name(cont_type_index))
            }
            Operator::ContBind { argument_index, result_index } => {
                let module = self.env.shared.module;
                let (from, to) = (module.sig(argument_index, self.offset)?, module.sig(result_index, self.offset)?);
                let given = from.params.len().checked_sub(to.params.len());
                let given = given.ok_or_else(|| self.internal("cont.bind to a type of more parameters"))?;
                let ty = self.env.shared.cont_type(&from);
                let obj = self.pop_cont()?;
                let args = self.pop_n(given)?;
                let obj = Conts::new(&mut self.env).cont_bind(&mut self.b, obj, &ty, &args);
                let obj = self.lower(obj)?;
                self.typed(OperationTypes::ContBind(from.signature(), given));
                self.push_cont(obj);
                format!("cont.bind {} {}", self.type_name(argument_index), self.type_name(result_index))
            }
            Operator::Suspend { tag_index } => {
                let sig = self.env.shared.module.tags[tag_index as usize].sig.clone();
                let args = self.pop_n(sig.params.len())?;
                let results = Conts::new(&mut self.env).suspend(&mut self.b, TagId(tag_index), &args);
                let results = self.lower(results)?;
                self.push_all(&sig.results, &results)?;
                format!("suspend {}", self.tag_name(tag_index))
            }
            Operator::Resume { cont_type_index, ref resume_table } => {
                let sig = self.env.shared.module.sig(cont_type_index, self.offset)?;
                let ty = self.env.shared.cont_type(&sig);
                let obj = self.pop_cont()?;
                let args = self.pop_n(sig.params.len())?;
                let (handlers, clauses, loops) = self.handlers(resume_table)?;
                let results = Conts::new(&mut self.env).resume(&mut self.b, obj, &ty, &args, &handlers);
                let results = self.lower(results)?;
                self.typed(OperationTypes::Resume(sig.signature()));
                self.push_all(&sig.results, &results)?;
                self.enter_loops(&loops);
                format!("resume {}{clauses}", self.type_name(cont_type_index))
            }
            Operator::ResumeThrow { cont_type_index, tag_index, ref resume_table } => {
                let sig = self.env.shared.module.sig(cont_type_index, self.offset)?;
                let ty = self.env.shared.cont_type(&sig);
                let n = self.env.shared.module.tags[tag_index as usize].sig.params.len();
                let obj = self.pop_cont()?;
                let args = self.pop_n(n)?;
                let (handlers, clauses, loops) = self.handlers(resume_table)?;
                let tag = TagId(tag_index);
                let results = Conts::new(&mut self.env).resume_throw(&mut self.b, obj, &ty, tag, &args, &handlers);
                let results = self.lower(results)?;
                self.typed(OperationTypes::ResumeThrow(sig.signature()));
                self.push_all(&sig.results, &results)?;
                self.enter_loops(&loops);
                let (ty, tag) = (self.type_name(cont_type_index), self.tag_name(tag_index));
                format!("resume_throw {ty} {tag}{clauses}")
            }
            Operator::ResumeThrowRef { cont_type_index, ref resume_table } => {
                let sig = self.env.shared.module.sig(cont_type_index, self.offset)?;
                let ty = self.env.shared.cont_type(&sig);
                let obj = self.pop_cont()?;
                let exn = self.pop1()?;
                let (handlers, clauses, loops) = self.handlers(resume_table)?;
                let results = Conts::new(&mut self.env).resume_throw_ref(&mut self.b, obj, &ty, exn, &handlers);
                let results = self.lower(results)?;
                self.typed(OperationTypes::ResumeThrow(sig.signature()));
                self.push_all(&sig.results, &results)?;
                self.enter_loops(&loops);
                format!("resume_throw_ref {}{clauses}", self.type_name(cont_type_index))
            }
            Operator::Switch { cont_type_index, tag_index } => {
                self.switch(cont_type_index, tag_index)?;
                format!("switch {} {}", self.type_name(cont_type_index), self.tag_name(tag_index))
            }
            _ => return Ok(false),
        };
        self.note(before, note);
        Ok(true)
    }

    fn switch(&mut self, cont_type: u32, tag: u32) -> Result<()> {
        let shared = self.env.shared;
        let types = &shared.module.types;
        let id = shared.module.type_ids[cont_type as usize];
        let sig = types.sig(id, self.offset)?;
        // what comes back is what the switcher's own continuation type takes
        let last = types.func(id).and_then(|(params, _)| params.last());
        let own = match last {
            Some(Ty::Ref { heap: Heap::Declared(own), .. }) if matches!(types.def(*own).body, Body::Cont(_)) => *own,
            _ => return Err(self.internal("a switch whose target does not take a continuation")),
        };
        let receive = types.sig(own, self.offset)?.params;
        let obj = self.pop_cont()?;
        let args: Vec<Value> = self.pop_n(sig.params.len() - 1)?;
        let (ty, flat) = (shared.cont_type(&sig), shared.flat(&receive));
        let values = Conts::new(&mut self.env).switch(&mut self.b, TagId(tag), obj, &ty, &args, &flat);
        let values = self.lower(values)?;
        self.typed(OperationTypes::Switch(sig.signature(), receive.clone()));
        self.push_all(&receive, &values)
    }

    /// The clauses of a resume: a suspend handler jumps to its label's block,
    /// which takes exactly what a handler brings. The start of a loop may take
    /// more by now, values of locals: a block goes between, which
    /// [`Self::enter_loops`] fills.
    fn handlers(&mut self, table: &ResumeTable) -> Result<(Vec<On>, String, Vec<[Block; 2]>)> {
        let mut text = String::new();
        let mut handlers = vec![];
        let mut loops = vec![];
        for handler in &table.handlers {
            match *handler {
                Handle::OnLabel { tag, label } => {
                    let (mut block, _) = self.branch_target(label)?;
                    let frame = self.frame(label)?;
                    if let Kind::Loop(header) = frame.kind {
                        let types = frame.label_types().to_vec();
                        block = self.block_taking(&types, "handler".into());
                        loops.push([block, header]);
                    }
                    handlers.push(on(TagId(tag), block));
                    let name = self.frame(label)?.label.clone().unwrap_or_else(|| label.to_string());
                    text += &format!(" (on {} {name})", self.tag_name(tag));
                }
                Handle::OnSwitch { tag } => {
                    handlers.push(on_switch(TagId(tag)));
                    text += &format!(" (on {} switch)", self.tag_name(tag));
                }
            }
        }
        Ok((handlers, text, loops))
    }

    /// Ends the blocks between handlers and loops; goes on in a new one.
    fn enter_loops(&mut self, loops: &[[Block; 2]]) {
        if loops.is_empty() {
            return;
        }
        let next = self.b.create_block();
        self.b.ins().jump(next, &[]);
        for [block, header] in loops {
            self.continue_in(*block);
            let args: Vec<BlockArg> = self.b.block_params(*block).iter().copied().map(BlockArg::from).collect();
            self.b.ins().jump(*header, &args);
        }
        self.continue_in(next);
    }

    pub(super) fn tag_name(&self, tag: u32) -> String {
        self.env.shared.module.tag_name(tag)
    }

    fn type_name(&self, index: u32) -> String {
        match self.env.shared.module.names.types.get(&index) {
            Some(name) => format!("${}", printable(name)),
            None => index.to_string(),
        }
    }
}
