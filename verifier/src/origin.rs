//! Where a value comes from: through the parameters of blocks, back to what it
//! was on each path, with what is known there.

use std::borrow::Cow;

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
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin<'a> {
    pub(crate) value: Sym,
    /// The edge on which that is decided, where it is a parameter that gets it.
    pub(crate) edge: Option<&'a Edge>,
}

/// Does something hold of a value, with what is known on an edge?
type Holds<'h> = dyn Fn(&Analysis<'_>, Sym, Option<&State>) -> bool + 'h;

impl<'a> Check<'a> {
    /// Is it never 0, by what it is, or by a test on every path?
    pub(crate) fn is_non_null(&mut self, s: Sym, state: &State) -> bool {
        self.is_non_null_as(s, self.a.kind(s), state)
    }

    /// The same, of what is known to be of that kind.
    pub(crate) fn is_non_null_as(&mut self, s: Sym, kind: Kind, state: &State) -> bool {
        // where every operation tests its object, one that was made here is no
        // exception once it is handed on
        let tests_all = self.a.chain().is_some();
        let is_own =
            |kind: Kind| kind.is_protocols_own() && !(tests_all && matches!(kind, Kind::Fresh | Kind::Back(_)));
        matches!(kind, Kind::Back(_))
            || is_own(kind)
            || state.knows(Fact::NonNull(s))
            || self.every_origin_as(s, kind, &|c, s, state| {
                is_own(c.kind(s)) || state.is_some_and(|st| st.knows(Fact::NonNull(s)))
            })
    }

    /// Does it belong to the operation, or to the runtime, whatever the program
    /// did?
    pub(crate) fn is_trusted(&mut self, s: Sym, kind: Kind, state: &State) -> bool {
        let runtime = self.a.role != FunctionRole::Program;
        let is_own = |kind: Kind| match kind {
            Kind::Trapped | Kind::NewSlot => runtime,
            kind => kind.is_protocols_own(),
        };
        is_own(kind)
            || state.knows(Fact::Taken(s))
            || self.every_origin_as(s, kind, &|c, s, state| {
                is_own(c.kind(s)) || runtime && state.is_some_and(|st| st.knows(Fact::Taken(s)))
            })
    }

    /// Does a property hold of a value, or, where paths meet, of each of the
    /// values that it may be?
    pub(crate) fn every_origin(&mut self, s: Sym, holds: &Holds<'_>) -> bool {
        holds(&self.a, s, None) || self.every_origin_as(s, self.a.kind(s), holds)
    }

    /// The same, of a value of that kind of which it does not hold as it is.
    fn every_origin_as(&mut self, s: Sym, kind: Kind, holds: &Holds<'_>) -> bool {
        self.every_way(s, kind, &mut smallvec![], holds)
    }

    fn every_way(&mut self, s: Sym, kind: Kind, seen: &mut SmallVec<[Sym; 8]>, holds: &Holds<'_>) -> bool {
        if let Node::Select(_, x, y) = self.a.syms.node(s) {
            return [x, y].into_iter().all(|way| {
                holds(&self.a, way, None) || seen.contains(&way) || self.every_way(way, self.a.kind(way), seen, holds)
            });
        }
        if kind != Kind::Merged && !(self.a.is_marked(s) && self.a.param(s).is_some()) {
            return false;
        }
        let Some((block, i)) = self.a.param(s) else { return false };
        if self.a.rpo.first() == Some(&block) {
            return false;
        }
        seen.push(s);
        self.a.edges_to(block).all(|e| {
            if !self.a.is_taken(e) {
                return true;
            }
            let Some(arg) = self.a.edge_arg(e, i) else { return false };
            holds(&self.a, arg, self.a.on_edge(e))
                || holds(&self.a, arg, None)
                || seen.contains(&arg)
                || self.every_way(arg, self.a.kind(arg), seen, holds)
        })
    }

    /// What a value is on each of the ways on which it comes about; `None` where
    /// these are too many.
    pub(crate) fn origins(&mut self, value: Sym) -> Option<SmallVec<[Origin<'a>; 4]>> {
        let mut out = smallvec![];
        self.collect_origins(Origin { value, edge: None }, &mut smallvec![], &mut out).then_some(out)
    }

    fn collect_origins(
        &mut self,
        from: Origin<'a>,
        seen: &mut SmallVec<[Sym; 4]>,
        out: &mut SmallVec<[Origin<'a>; 4]>,
    ) -> bool {
        let param = self.a.param(from.value).filter(|(block, _)| self.a.rpo.first() != Some(block));
        let Some((block, i)) = param else {
            out.push(from);
            return out.len() <= MAX_ORIGINS;
        };
        if seen.contains(&from.value) {
            return true;
        }
        seen.push(from.value);
        self.a.edges_to(block).all(|e| {
            !self.a.is_taken(e)
                || self
                    .a
                    .edge_arg(e, i)
                    .is_some_and(|value| self.collect_origins(Origin { value, edge: Some(e) }, seen, out))
        })
    }

    /// The edges on which paths to an instruction meet last; none where they do not, but
    /// one way.
    pub(crate) fn arrivals(&mut self, inst: Inst) -> SmallVec<[Option<&'a Edge>; 2]> {
        let mut block = self.a.func.layout.inst_block(inst);
        while let Some(b) = block {
            let mut edges = self.a.edges_to(b);
            match (edges.next(), edges.next()) {
                (Some(only), None) if only.is_always() => block = Some(only.from),
                (_, None) => break,
                _ => return self.a.edges_to(b).filter(|e| self.a.is_taken(e)).map(Some).collect(),
            }
        }
        smallvec![None]
    }

    /// What is known where control arrives along an edge; `state` is known where it is asked
    /// for.
    pub(crate) fn known_on<'s>(&self, edge: Option<&Edge>, state: &'s State) -> Cow<'s, State> {
        edge.and_then(|e| self.a.edge_state(e)).map_or(Cow::Borrowed(state), Cow::Owned)
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
