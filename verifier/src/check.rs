//! The walk that demands: each reachable instruction once, with what is known
//! before it, is shown to the rules.

use cranelift_codegen::entity::{EntitySet, SecondaryMap};
use cranelift_codegen::ir::{Block, Function, Inst, InstructionData, Value};

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::chain;
use crate::flow::{Analysis, Outcome};
use crate::graph::{Edge, Graph};
use crate::module::{Module, Word};
use crate::place::Access;
use crate::profile::{Callee, FunctionRole, Profile, Role};
use crate::report::{Finding, Operation, OperationKind, Report, Severity, Verdict};
use crate::rules::{self, Rule};
use crate::state::{Fact, State};
use crate::sym::{Node, Sym};
use crate::transfer::{self, Event, SwitchSite};

/// A word that is to be shown to be the revision that belongs to a contref;
/// judged last, when all stores to revisions are known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PairDuty {
    pub(crate) inst: Inst,
    pub(crate) contref: Sym,
    pub(crate) witness: Sym,
    /// Where the two were compared.
    pub(crate) check: Inst,
    /// Is it an object that this function makes, of a fresh continuation or one
    /// that has just suspended?
    pub(crate) made: bool,
    /// Is the continuation suspended, so that only its revisions are known to anybody?
    pub(crate) suspended: bool,
    /// Another pair that will do, where two revisions were compared.
    pub(crate) alternative: Option<(Sym, Sym)>,
    /// What the two are from here on, of an edge: only what is used together is an object.
    pub(crate) params: Option<[Value; 2]>,
}

impl PairDuty {
    /// Of an object whose words were compared, or put together, at `check`, and used at `inst`.
    pub(crate) fn new(inst: Inst, contref: Sym, witness: Sym, check: Inst) -> Self {
        Self { inst, contref, witness, check, made: false, suspended: false, alternative: None, params: None }
    }
}

/// So many times a function is judged again because a value turned out to be a
/// ContRef's address behind what was judged without knowing it.
const MAX_HINDSIGHT: usize = 3;

/// The analysis, and what is made of it.
#[derive(Debug)]
pub(crate) struct Check<'a> {
    pub(crate) a: Analysis<'a>,
    /// The data around the function, where the caller has it.
    pub(crate) module: Option<&'a Module>,
    pub(crate) notes: Notes,
}

/// The report being written, and what is noted for it on the way. Of a loop that was
/// not known well enough when it was judged, it is forgotten again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes {
    pub(crate) report: Report,
    /// Stores that consume, and whether a switch used what they consumed.
    bumps: SmallVec<[(Inst, Option<Inst>, Sym); 2]>,
    switched_bumps: EntitySet<Inst>,
    pub(crate) pairs: Vec<PairDuty>,
    /// The effects with which the program goes on behind a switch.
    pub(crate) served: FxHashMap<Inst, u64>,
    /// Does a function of the runtime ever return what it is for?
    pub(crate) returned: bool,
    /// How many suspend handlers a resume installs, where a list has them.
    pub(crate) installed: Vec<(Inst, u64)>,
    /// Resumes behind which a table leads to the handlers.
    pub(crate) dispatched: EntitySet<Inst>,
    /// Stacks with a handler list above them that was searched.
    pub(crate) searched: Vec<Sym>,
    /// Where a search finds nothing, and the kind of the last link.
    pub(crate) given_up: Vec<(Inst, Sym)>,
    /// Stores of a constant as the length of another stack's buffer.
    pub(crate) counted: Vec<Inst>,
    /// The suspend handlers in the table that a resume installs.
    pub(crate) handlers: FxHashMap<Inst, u64>,
    /// What switches come back with, of those whose types are known.
    pub(crate) received: FxHashMap<Inst, rules::cc0204::Received>,
    /// Comparisons of revisions, and those that a branch or a trap looks at.
    pub(crate) comparisons: SmallVec<[Inst; 4]>,
    pub(crate) decisions: EntitySet<Inst>,
    /// Operations that pass values whose types are not known.
    pub(crate) untyped: EntitySet<Inst>,
    /// Accesses in loops that are judged when it is known what comes round.
    postponed: Vec<(Access, State)>,
}

impl<'a> Check<'a> {
    /// Judges a function, as far as a graph of it goes.
    pub(crate) fn run(
        func: &'a Function,
        profile: &'a Profile,
        module: Option<&'a Module>,
        graph: &'a Graph,
    ) -> Report {
        let new = || Analysis::new(func, profile, module, graph);
        let (report, guessed) = Self::judge(new(), module);
        // what a guess made unknown may be what was missed
        if guessed && !report.findings.is_empty() { Self::judge(new().without_guesses(), module).0 } else { report }
    }

    /// The report, and whether there was a guess in it.
    fn judge(a: Analysis<'a>, module: Option<&'a Module>) -> (Report, bool) {
        let mut c = Check::new(a, module);
        c.walk_all();
        for _ in 0..MAX_HINDSIGHT {
            if !c.a.knows_better() {
                break;
            }
            c = Check::new(c.a.again(module), module);
            c.walk_all();
        }
        let guessed = c.a.has_guessed();
        (c.finish(), guessed)
    }

    fn new(a: Analysis<'a>, module: Option<&'a Module>) -> Self {
        Self { a, module, notes: Notes::default() }
    }

    fn walk_all(&mut self) {
        for (part, loops) in self.a.graph.parts() {
            match part {
                [block] if !loops => {
                    if let Some(state) = self.a.enter(*block) {
                        self.walk(*block, state, false);
                    }
                }
                _ => self.walk_loops(part),
            }
        }
    }

    /// Goes through the blocks of loops until nothing comes round that is new. Every
    /// round is judged as if it were the last, which most first and second ones are, for
    /// as long as nothing tells that it is not; what was noted in vain is forgotten.
    fn walk_loops(&mut self, part: &[Block]) {
        self.a.begin_loops(part);
        loop {
            let (notes, noted) = (self.notes.clone(), self.a.noted.clone());
            let mut judged = true;
            for block in part {
                judged &= self.a.is_judged();
                if !judged {
                    self.a.visit(*block);
                } else if let Some((state, evaluated)) = self.a.arrive(*block) {
                    self.walk(*block, state, evaluated);
                }
            }
            match self.a.end_round(part) {
                Outcome::Settled if judged => break,
                Outcome::GaveUp => {
                    self.a.converged = false;
                    break;
                }
                _ => (self.notes, self.a.noted) = (notes, noted),
            }
        }
        self.a.end_loops();
        for (access, state) in std::mem::take(&mut self.notes.postponed) {
            rules::at_access_of(self, &access, &state);
        }
    }

    /// Where a base comes from is asked when its loop has come to rest.
    pub(crate) fn postpone(&mut self, access: &Access, state: &State) {
        self.notes.postponed.push((*access, state.clone()));
    }

    fn finish(mut self) -> Report {
        let c = &mut self;
        match c.a.chain() {
            None => {
                rules::cc0113::ends(c);
                rules::cc0114::judge(c);
                rules::cc0107::judge(c);
                rules::cc0201::far(c);
                rules::cc0204::judge(c);
                rules::cc0208::unreachable(c);
            }
            Some(shape) => chain::judge(c, shape),
        }
        rules::cc0002::judge(c);
        rules::cc0111::judge(c);
        rules::cc0012::judge(c);
        rules::cc0012::null(c);
        if !c.a.converged {
            rules::cc0101::gave_up(c);
        }
        c.finish_operations();
        for operation in &mut c.notes.report.operations {
            operation.untyped = c.notes.untyped.contains(operation.inst);
        }
        for i in 0..c.notes.report.findings.len() {
            let inst = c.notes.report.findings[i].inst;
            let reached = c.a.func.layout.inst_block(inst).is_some_and(|block| c.a.is_reached(block));
            let path = if reached { c.path_to(inst) } else { vec![] };
            let finding = &mut c.notes.report.findings[i];
            finding.path = path;
            if !reached {
                finding.severity = Severity::Warning;
                finding.help = "no execution reaches it: leave it out, or look at the conditions in front of it".into();
            }
        }
        c.notes.report.operations.sort_by_key(|o| o.inst);
        c.notes.report.findings.sort_by_key(|f| (f.inst, f.rule));
        self.notes.report
    }

    /// Shows a block to the rules, and hands on what is known at its end.
    fn walk(&mut self, block: Block, mut state: State, evaluated: bool) {
        let func = self.a.func;
        // under the other shape, rules look at branches as well
        let slots = self.a.chain().is_none();
        for inst in func.layout.block_insts(block) {
            let data = &func.dfg.insts[inst];
            if !evaluated {
                self.a.evaluate_as(inst, data);
            }
            if state.dead {
                continue;
            }
            rules::cc0002::compare(self, inst, data);
            if slots && transfer::is_plain(data) {
                continue;
            }
            let event = self.a.event(inst, data);
            match (self.a.chain(), &event) {
                (Some(shape), _) => chain::walk(self, shape, inst, &state),
                (_, Event::Access(access)) => self.access(access, &state),
                (_, Event::Switch(site)) => self.switch(site, &state),
                (_, Event::Call) => self.call(inst, &state),
                (_, Event::Return) => rules::at_return(self, inst, &state),
                (_, Event::Trap) => rules::cc0208::trap(self, inst, &state),
                (_, Event::OtherStore | Event::Nothing) => {}
            }
            let before = matches!(event, Event::Trap).then(|| state.shared_objs());
            self.a.step(inst, &event, &mut state);
            if let Some(before) = before {
                rules::rechecked(self, inst, &before, &state);
            }
        }
        self.a.leave(block, &state);
        if state.dead {
            return;
        }
        let graph = self.a.graph;
        let edges = graph.edges_from(block);
        if !state.undecoded.is_empty() {
            self.dispatch(edges, &state);
        }
        if self.a.chain().is_some() {
            return;
        }
        let looked_at = self.is_looked_at(block, &state);
        for e in edges {
            if (looked_at || self.a.goes_round(e))
                && let Some(on_edge) = self.a.edge_state(e)
            {
                rules::at_edge(self, e, &state, &on_edge);
            }
        }
    }

    /// May a rule have something to say of the edges out of a block? Objects are
    /// handed on along them, or a revision is compared.
    fn is_looked_at(&mut self, block: Block, state: &State) -> bool {
        if self.a.role != FunctionRole::Program {
            return false;
        }
        let objects = !state.objs().is_empty() || state.facts().iter().any(|f| matches!(f, Fact::Taken(_)));
        let func = self.a.func;
        let Some(last) = func.layout.last_inst(block) else { return false };
        match func.dfg.insts[last] {
            InstructionData::Brif { arg, .. } => {
                let cond = self.a.value(arg);
                let compared = match self.a.syms.node(cond) {
                    Node::Icmp(_, a, b, _) => self.a.syms.as_const(a).is_none() && self.a.syms.as_const(b).is_none(),
                    _ => self.a.compares_itself(arg).is_some(),
                };
                compared || objects && self.a.edges_from(block).any(|e| func.dfg.block_params(e.to).len() > 1)
            }
            _ => objects && self.a.edges_from(block).any(|e| func.dfg.block_params(e.to).len() > 1),
        }
    }

    /// Where the effects of a switch are told apart.
    fn dispatch(&mut self, edges: &[Edge], state: &State) {
        for e in edges {
            if !self.a.is_taken(e) {
                rules::cc0107::dead_arm(self, e);
                continue;
            }
            for switch in state.undecoded.iter() {
                let word = self.a.switched(*switch);
                let Some(on_edge) = self.a.on_edge(e).filter(|known| !known.undecoded.contains(switch)) else {
                    continue;
                };
                // a word that came through a parameter was compared as a whole
                let codes = match on_edge.codes(word) {
                    u64::MAX => self.a.switch_kinds[*switch].map_or(0, |k| self.a.expected_codes(k)),
                    codes => codes,
                };
                *self.notes.served.entry(*switch).or_default() |= codes;
            }
        }
    }

    fn access(&mut self, access: &Access, state: &State) {
        rules::at_access(self, access, state);
        let role = access.place.role();
        let Some(stored) = access.stored else { return };
        if role == Some(Role::Revision) {
            let consumed = state.obj(access.base).filter(|o| o.stale.is_none()).map(|o| o.check);
            if self.a.role == FunctionRole::Program {
                self.notes.bumps.push((access.inst, consumed, access.base));
            } else if !matches!(self.a.role, FunctionRole::Entry) {
                let operation = self.a.operation(OperationKind::End, access.inst, None, state);
                self.notes.report.operations.push(operation);
            }
        }
        let value = self.a.value(stored);
        if role == Some(Role::Handlers)
            && state.knows(Fact::Taken(access.base))
            && matches!(self.a.syms.node(value), Node::FuncAddr(_))
        {
            let operation = self.a.operation(OperationKind::ContNew, access.inst, None, state);
            self.notes.report.operations.push(operation);
        }
    }

    fn switch(&mut self, site: &SwitchSite, state: &State) {
        let inst = site.inst;
        let kind = self.a.classify(site, state);
        rules::at_switch(self, site, kind, state);
        if let Some(kind) = kind {
            let object = kind.runs_object().then_some(site.to);
            let operation = self.a.operation(kind, inst, object, state);
            self.consumed_by_switch(&operation);
            self.notes.report.operations.push(operation);
        }
    }

    fn call(&mut self, inst: Inst, state: &State) {
        let callee = self.a.callee_of(inst);
        if callee == Some(Callee::Trap) {
            let code = self.a.trap_code(inst);
            return rules::at_trap_call(self, inst, code, state);
        }
        rules::at_call(self, inst, state);
        if callee == Some(Callee::Drop)
            && let Some(&v) = self.a.func.dfg.inst_args(inst).first()
        {
            let contref = self.a.value(v);
            let operation = self.a.operation(OperationKind::ContDrop, inst, Some(contref), state);
            self.notes.report.operations.push(operation);
        }
        if self.a.role == FunctionRole::Entry
            && let InstructionData::CallIndirect { .. } = self.a.func.dfg.insts[inst]
        {
            let operation = self.a.operation(OperationKind::Enter, inst, None, state);
            self.notes.report.operations.push(operation);
        }
    }

    /// What an operation consumed is accounted for.
    pub(crate) fn consumed_by_switch(&mut self, operation: &Operation) {
        if let Some(bump) = operation.consumed {
            self.notes.switched_bumps.insert(bump);
        }
    }

    /// A store to the revision of an object: a switch, or a bind, will follow.
    pub(crate) fn note_bump(&mut self, access: &Access, state: &State) {
        if access.stored.is_some() && access.place.role() == Some(Role::Revision) {
            let consumed = state.obj(access.base).filter(|o| o.stale.is_none()).map(|o| o.check);
            self.notes.bumps.push((access.inst, consumed, access.base));
        }
    }

    /// What was consumed without a switch was bound.
    fn finish_operations(&mut self) {
        for (inst, check, contref) in std::mem::take(&mut self.notes.bumps) {
            if self.notes.switched_bumps.contains(inst) || check.is_none() {
                continue;
            }
            let mut operation = self.a.operation(OperationKind::ContBind, inst, Some(contref), &State::default());
            operation.revision_check = check;
            operation.consumed = Some(inst);
            self.notes.report.operations.push(operation);
            rules::cc0204::bound(self, inst);
        }
    }

    /// What constant data of the module holds at an offset in bytes, where that is known.
    pub(crate) fn constant_word(&self, data: Sym, offset: i32) -> Option<&'a Word> {
        let Node::Symbol(symbol) = self.a.syms.node(data) else { return None };
        let word = i64::from(self.a.profile.word_bytes());
        let name = self.a.symbol_name(symbol)?;
        self.module?.word(&name, i64::from(offset) / word).filter(|_| i64::from(offset) % word == 0)
    }

    /// Is it the address of data that the program writes to?
    pub(crate) fn is_written(&self, data: Sym) -> bool {
        let Node::Symbol(symbol) = self.a.syms.node(data) else { return false };
        let name = self.a.symbol_name(symbol);
        self.module.zip(name).is_some_and(|(module, name)| module.is_writable(&name))
    }

    /// An obligation was met.
    pub(crate) fn proven(&mut self) {
        self.notes.report.proven += 1;
    }

    /// An obligation was not met. One finding for each rule and instruction.
    #[cold]
    pub(crate) fn fail(&mut self, rule: &'static Rule, verdict: Verdict, inst: Inst, message: impl Into<String>) {
        self.fail_with(rule, verdict, inst, message, vec![]);
    }

    /// The same, with the instructions that led to it.
    #[cold]
    pub(crate) fn fail_with(
        &mut self,
        rule: &'static Rule,
        verdict: Verdict,
        inst: Inst,
        message: impl Into<String>,
        related: Vec<(Inst, String)>,
    ) {
        if self.notes.report.findings.iter().any(|f| f.rule == rule.id && f.inst == inst) {
            return;
        }
        self.notes.report.findings.push(Finding {
            rule: rule.id,
            verdict,
            severity: Severity::Error,
            inst,
            related,
            message: message.into(),
            help: rule.help.into(),
            // told at the end, when it is known what is reached
            path: vec![],
        });
    }

    /// Something is as no rule wants it, and does no harm.
    #[cold]
    pub(crate) fn warn(&mut self, rule: &'static Rule, inst: Inst, message: impl Into<String>) {
        let before = self.notes.report.findings.len();
        self.fail(rule, Verdict::Violated, inst, message);
        if let Some(finding) = self.notes.report.findings.get_mut(before) {
            finding.severity = Severity::Warning;
        }
    }

    /// Demands that something holds.
    #[inline]
    pub(crate) fn require(&mut self, holds: bool, rule: &'static Rule, inst: Inst, message: &str) {
        if holds {
            self.proven();
        } else {
            self.fail(rule, Verdict::Violated, inst, message);
        }
    }

    /// Demands what a function of the runtime owes its callers, where another rule
    /// says the same of every program: both are broken then.
    pub(crate) fn contract(&mut self, holds: bool, rule: &'static Rule, inst: Inst, message: &str) {
        self.require(holds, rule, inst, message);
        if !holds {
            self.fail(&rules::cc0114::RULE, Verdict::Violated, inst, message);
        }
    }

    /// A shortest path of reachable blocks from the entry.
    fn path_to(&self, inst: Inst) -> Vec<Block> {
        let Some(target) = self.a.func.layout.inst_block(inst) else { return vec![] };
        let Some(&entry) = self.a.rpo.first() else { return vec![] };
        let mut from: SecondaryMap<Block, Option<Block>> = SecondaryMap::new();
        let mut queue = std::collections::VecDeque::from([entry]);
        while let Some(block) = queue.pop_front() {
            if block == target {
                break;
            }
            for e in self.a.edges_from(block) {
                if e.to != entry && from[e.to].is_none() && self.a.is_reached(e.to) {
                    from[e.to] = Some(block);
                    queue.push_back(e.to);
                }
            }
        }
        let mut path = vec![target];
        let mut at = target;
        while let Some(before) = from[at] {
            path.push(before);
            at = before;
        }
        path.reverse();
        path
    }
}
