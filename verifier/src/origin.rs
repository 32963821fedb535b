//! Where a value comes from: through the parameters of blocks, back to what it
//! was on each path, with what is known there.

use cranelift_codegen::ir::Inst;
use smallvec::{SmallVec, smallvec};

use crate::check::Check;
use crate::flow::Analysis;
use crate::graph::Edge;
use crate::place::Kind;
use crate::profile::FunctionRole;
use crate::state::Fact;
use crate::state::State;
use crate::sym::{Node, Sym};

/// More ways for a value to come about than this are not followed.
const MAX_ORIGINS: usize = 64;

/// What a value is on one of the ways on which it comes about.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) value: Sym,
    /// What is known where it is decided.
    pub(crate) state: State,
}

/// The edge on which control arrives, where it is one of several, and what is known then.
pub(crate) type Arrival<'a> = (Option<&'a Edge>, State);

impl<'a> Check<'a> {
    /// Is it never 0, by what it is, or by a test on every path?
    pub(crate) fn is_non_null(&mut self, s: Sym, state: &State) -> bool {
        if state.knows(Fact::NonNull(s)) {
            return true;
        }
        // where every operation tests its object, one that was made here is no
        // exception once it is handed on
        let tests_all = self.a.chain().is_some();
        if matches!(self.a.kind(s), Kind::Back(_)) {
            return true;
        }
        let mut seen = vec![];
        self.every_origin(s, &mut seen, &|c, s, state| match c.kind(s) {
            kind if kind.is_protocols_own() && !(tests_all && matches!(kind, Kind::Fresh | Kind::Back(_))) => true,
            _ => state.is_some_and(|st| st.knows(Fact::NonNull(s))),
        })
    }

    /// Does it belong to the operation, or to the runtime, whatever the program
    /// did?
    pub(crate) fn is_trusted(&mut self, s: Sym, state: &State) -> bool {
        if state.knows(Fact::Taken(s)) {
            return true;
        }
        let runtime = self.a.role != FunctionRole::Program;
        let mut seen = vec![];
        self.every_origin(s, &mut seen, &|c, s, state| match c.kind(s) {
            kind if kind.is_protocols_own() => true,
            Kind::Trapped | Kind::NewSlot => runtime,
            _ => runtime && state.is_some_and(|st| st.knows(Fact::Taken(s))),
        })
    }

    /// Does a property hold of a value, or, where paths meet, of each of the
    /// values that it may be?
    pub(crate) fn every_origin(
        &mut self,
        s: Sym,
        seen: &mut Vec<Sym>,
        holds: &dyn Fn(&Analysis<'_>, Sym, Option<&State>) -> bool,
    ) -> bool {
        if holds(&self.a, s, None) || seen.contains(&s) {
            return true;
        }
        if let Node::Select(_, x, y) = self.a.syms.node(s) {
            return self.every_origin(x, seen, holds) && self.every_origin(y, seen, holds);
        }
        if self.a.kind(s) != Kind::Merged && !(self.a.is_marked(s) && self.a.param(s).is_some()) {
            return false;
        }
        let Some((block, i)) = self.a.param(s) else { return false };
        if self.a.rpo.first() == Some(&block) {
            return false;
        }
        seen.push(s);
        self.a.edges_to(block).all(|e| {
            let Some(state) = self.a.edge_state(e) else { return true };
            let Some(arg) = self.a.edge_arg(e, i) else { return false };
            holds(&self.a, arg, Some(&state)) || self.every_origin(arg, seen, holds)
        })
    }

    /// What a value is on each of the ways on which it comes about; `None` where
    /// these are too many.
    pub(crate) fn origins(&mut self, value: Sym, state: &State) -> Option<Vec<Origin>> {
        let mut out = vec![];
        let mut seen = vec![];
        self.collect_origins(value, state.clone(), &mut seen, &mut out).then_some(out)
    }

    fn collect_origins(&mut self, value: Sym, state: State, seen: &mut Vec<Sym>, out: &mut Vec<Origin>) -> bool {
        let param = self.a.param(value).filter(|(block, _)| self.a.rpo.first() != Some(block));
        let Some((block, i)) = param else {
            out.push(Origin { value, state });
            return out.len() <= MAX_ORIGINS;
        };
        if seen.contains(&value) {
            return true;
        }
        seen.push(value);
        self.a.edges_to(block).all(|e| {
            let Some(state) = self.a.edge_state(e) else { return true };
            match self.a.edge_arg(e, i) {
                Some(arg) => self.collect_origins(arg, state, seen, out),
                None => false,
            }
        })
    }

    /// What is known on each edge on which paths to an instruction meet last, or
    /// at the instruction, where they do not.
    pub(crate) fn arrivals(&mut self, inst: Inst, state: &State) -> SmallVec<[Arrival<'a>; 1]> {
        let mut block = self.a.func.layout.inst_block(inst);
        while let Some(b) = block {
            let mut edges = self.a.edges_to(b);
            match (edges.next(), edges.next()) {
                (Some(only), None) if only.is_always() => block = Some(only.from),
                (_, None) => break,
                _ => {
                    let edges = self.a.edges_to(b);
                    return edges.filter_map(|e| Some((Some(e), self.a.edge_state(e)?))).collect();
                }
            }
        }
        smallvec![(None, state.clone())]
    }

    /// What a value is where control arrives along an edge.
    pub(crate) fn on_edge(&mut self, edge: Option<&Edge>, value: Sym) -> Sym {
        let Some(edge) = edge else { return value };
        match self.a.param(value) {
            Some((block, i)) if block == edge.to => self.a.edge_arg(edge, i).unwrap_or(value),
            _ => value,
        }
    }
}
