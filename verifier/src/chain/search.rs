//! The search for a handler, which is in line: it goes from the running stack to
//! its parent, from there to the next, until the initial stack is reached, and
//! through a part of the handler list of each.
//!
//! A search is a pair of loops, but an optimiser may have peeled, rotated or
//! duplicated any part of them. So what is looked at is what the words are: a link
//! is the running stack's own, what is loaded from a link's record, or parameters
//! that get nothing but links; an index is the first one, the one behind an index,
//! or a parameter that gets nothing but those.

use cranelift_codegen::ir::Block;

use super::Link;
use crate::flow::Analysis;
use crate::graph::Edge;
use crate::profile::Role;
use crate::rules::{self, Rule};
use crate::state::{Fact, State};
use crate::sym::{Node, Sym};

/// What is wrong with a search for a handler.
pub(crate) type SearchFault = (&'static Rule, &'static str);

/// What is known of two words that belong together.
enum Pair {
    Known(bool),
    /// It is so if it is so of these.
    Of(Sym, Sym),
    /// Where they are parameters, it is so if it is so of all that they get.
    Parameters,
}

/// What is known of two words, which an edge may have brought.
type Known<'k, 'a> = &'k mut dyn FnMut(&mut Analysis<'a>, (Sym, Sym), Option<&Edge>) -> Pair;

impl<'a> Analysis<'a> {
    /// Two words are equal: a handler's tag and the one looked for?
    pub(crate) fn chain_equal(&mut self, entry: Sym, state: &mut State) {
        if let Some((last, resumer, index, Ok(_))) = self.hit(entry, state) {
            state.learn(Fact::Found(last, resumer, index));
            // a suspend needs no more, where paths meet that have different resumers
            state.learn(Fact::Found(last, self.zero, index));
            state.learn(Fact::Continuation(self.active));
            self.mark_contref(last);
        }
    }

    /// The kind of a link is not that of the initial stack.
    pub(crate) fn passes_initial(&mut self, kind: Sym, state: &mut State) {
        let own = self.own_link();
        if kind == own.0 {
            state.learn(Fact::Continuation(own.1));
        } else if let Some((record, at)) = self.loaded_from(kind) {
            let next = self.held(record, Role::Parent, state).filter(|_| at == self.at(Role::ParentKind));
            if let Some(next) = next {
                state.learn(Fact::Continuation(next));
            }
        } else if let Some((block, i)) = self.param(kind) {
            let func = self.func;
            for (n, v) in func.dfg.block_params(block).iter().enumerate() {
                let stack = self.value(*v);
                if n != i && self.is_link((kind, stack)) {
                    state.learn(Fact::Continuation(stack));
                }
            }
        }
    }

    /// An entry of a list, at a constant index, is another tag than the one looked for.
    pub(crate) fn compared_entry(&mut self, entry: Sym, tag: Sym, state: &mut State) {
        let list = self.loaded_from(entry).and_then(|(list, _)| self.loaded_from(list));
        if list.is_some_and(|(_, at)| at == self.at(Role::Handlers)) {
            state.learn(Fact::Differ(entry, tag));
        }
    }

    /// If a word is an entry of a handler list: the stack below the one with the
    /// list, that one, the entry's index, and whether the search got there as it
    /// should. True for a suspend handler.
    pub(crate) fn hit(&mut self, entry: Sym, state: &State) -> Option<(Sym, Sym, Sym, Result<bool, SearchFault>)> {
        let (base, offset) = self.loaded_from(entry)?;
        // a table's base may be where a list is in another record
        let flags = self.def(entry).and_then(|(load, _)| self.func.dfg.insts[load].memflags_data(&self.func.dfg))?;
        let region = flags.alias_region().map(|r| self.func.dfg.alias_regions[r].user_id);
        if region != self.chain().map(|shape| shape.buffers) {
            return None;
        }
        let step = self.profile.word_bytes();
        let (resumer, index) = match self.syms.node(base) {
            Node::Sum(x, y, _) => {
                let (resumer, scaled) = match self.source(x, Role::Handlers) {
                    Some(resumer) => (resumer, y),
                    None => (self.source(y, Role::Handlers)?, x),
                };
                let Node::Shl(index, n, _) = self.syms.node(scaled) else { return None };
                (resumer, (u32::from(n) == step.trailing_zeros() && offset == 0).then_some(index))
            }
            _ => {
                let resumer = self.source(base, Role::Handlers)?;
                let at = u32::try_from(offset).ok().filter(|at| at % step == 0);
                (resumer, at.map(|at| self.syms.constant((at / step).into())))
            }
        };
        let last = self.source(resumer, Role::Parent);
        let result = match (index, last) {
            (None, _) => Err((&rules::cc0201::RULE, "the search does not read the entries of the list")),
            (_, None) => Err((&rules::cc0101::RULE, "the searched list is not that of a parent in the chain")),
            (Some(index), Some(last)) => {
                self.range(resumer, index, state).and_then(|suspend| self.starts_here(last, state).map(|()| suspend))
            }
        };
        Some((last.unwrap_or(resumer), resumer, index.unwrap_or(self.zero), result))
    }

    /// Is the index in the part of the list that is searched?
    fn range(&mut self, resumer: Sym, index: Sym, state: &State) -> Result<bool, SearchFault> {
        let ends: Vec<Sym> = state
            .facts()
            .iter()
            .filter_map(|f| match *f {
                Fact::Below(i, end) if i == index => Some(end),
                _ => None,
            })
            .collect();
        let suspend = if ends.iter().any(|end| self.source(*end, Role::FirstSwitchHandler) == Some(resumer)) {
            true
        } else if ends.iter().any(|end| self.source(*end, Role::HandlersLength) == Some(resumer)) {
            false
        } else if ends.is_empty() {
            return Err((&rules::cc0201::RULE, "the search is not bounded by the list's end"));
        } else {
            return Err((&rules::cc0201::RULE, "the search is bounded by something else than the list"));
        };
        match self.is_index(index, resumer, suspend, state) {
            true => Ok(suspend),
            false => Err((&rules::cc0201::RULE, "the search does not go through its part of the list one by one")),
        }
    }

    /// Does the search begin with the running stack, go from each stack to its
    /// parent, and stop at the initial one?
    fn starts_here(&mut self, last: Sym, state: &State) -> Result<(), SearchFault> {
        if !self.is_walked(last) {
            return Err((&rules::cc0101::RULE, "the search does not go from the running stack up the chain"));
        }
        let initial = self.chain().map_or(0, |s| s.initial_stack);
        let initial = self.syms.constant(initial);
        let kinds: Vec<Sym> = state
            .facts()
            .iter()
            .filter_map(|f| match *f {
                Fact::Differ(kind, k) if k == initial => Some(kind),
                _ => None,
            })
            .collect();
        let passed = state.knows(Fact::Continuation(last)) || kinds.into_iter().any(|kind| self.is_link((kind, last)));
        match passed {
            true => Ok(()),
            false => Err((&rules::cc0101::RULE, "the search does not stop at the initial stack")),
        }
    }

    /// Is it the kind of a link, as a search goes through them?
    pub(crate) fn is_link_kind(&mut self, s: Sym) -> bool {
        let own = self.own_link().0;
        let (mut seen, mut left) = (vec![], vec![s]);
        while let Some(s) = left.pop() {
            if s == own || self.loaded_from(s).is_some_and(|(_, at)| at == self.at(Role::ParentKind)) {
                return true;
            }
            if !seen.contains(&s) {
                seen.push(s);
                left.extend(self.gets(s));
            }
        }
        false
    }

    /// Does a search that stops by this kind of link look at handlers, with this
    /// stack as one below a list?
    pub(crate) fn searches(&mut self, kind: Sym, last: Sym) -> bool {
        if self.param(kind).is_none() {
            return true;
        }
        let (mut seen, mut left) = (vec![], vec![last]);
        while let Some(s) = left.pop() {
            if self.is_link((kind, s)) {
                return true;
            }
            if !seen.contains(&s) {
                seen.push(s);
                left.extend(self.gets(s));
            }
        }
        false
    }

    /// What a parameter gets.
    fn gets(&mut self, s: Sym) -> Vec<Sym> {
        let Some((block, i)) = self.param(s) else { return vec![] };
        let graph = self.graph;
        graph.edges_to(block).filter_map(|e| self.edge_arg(e, i)).collect()
    }

    /// The record that a word was loaded from, by a field. A parameter that gets
    /// such words is of the one record, or of the parameter that gets theirs.
    pub(crate) fn source(&mut self, s: Sym, role: Role) -> Option<Sym> {
        self.source_of(s, role, &mut vec![])
    }

    fn source_of(&mut self, s: Sym, role: Role, open: &mut Vec<Sym>) -> Option<Sym> {
        if let Some((base, at)) = self.loaded_from(s) {
            return (at == self.at(role)).then_some(base);
        }
        let (block, i) = self.param(s).filter(|_| !open.contains(&s))?;
        open.push(s);
        let graph = self.graph;
        let mut records: Vec<(&Edge, Option<Sym>)> = vec![];
        for edge in graph.edges_to(block) {
            let arg = self.edge_arg(edge, i)?;
            // a loop may leave both as they are
            let record = if arg == s { None } else { Some(self.source_of(arg, role, open)?) };
            records.push((edge, record));
        }
        open.pop();
        let (_, first) = *records.iter().find(|(_, r)| r.is_some())?;
        if let Some(first) = first.filter(|f| records.iter().all(|(_, r)| r.is_none_or(|r| r == *f)))
            && self.is_available(first, block)
        {
            return Some(first);
        }
        let func = self.func;
        func.dfg.block_params(block).iter().enumerate().find_map(|(n, v)| {
            let together = self.value(*v);
            let all = records.iter().all(|(edge, r)| self.edge_arg(edge, n) == Some(r.unwrap_or(together)));
            all.then_some(together)
        })
    }

    /// Is it the running stack, or above it in the chain?
    fn is_walked(&mut self, stack: Sym) -> bool {
        let (mut seen, mut left) = (vec![], vec![stack]);
        while let Some(s) = left.pop() {
            if s == self.active || seen.contains(&s) {
                continue;
            }
            seen.push(s);
            match self.loaded_from(s) {
                Some((below, at)) if at == self.at(Role::Parent) => left.push(below),
                Some(_) => return false,
                None => {
                    let gets = self.gets(s);
                    if gets.is_empty() {
                        return false;
                    }
                    left.extend(gets);
                }
            }
        }
        true
    }

    /// Is it a link of the chain that begins with the running stack?
    pub(crate) fn is_link(&mut self, link: Link) -> bool {
        let own = self.own_link();
        self.always(link, None, &mut vec![], &mut |a, (kind, stack), _| {
            if (kind, stack) == own {
                return Pair::Known(true);
            }
            match (a.loaded_from(kind), a.loaded_from(stack)) {
                (Some((x, kind)), Some((y, next))) => {
                    let one = x == y && kind == a.at(Role::ParentKind) && next == a.at(Role::Parent);
                    Pair::Known(one && a.is_walked(x))
                }
                _ => Pair::Parameters,
            }
        })
    }

    /// Is it an index into a record's list, with all in front of it in its part
    /// looked at?
    fn is_index(&mut self, index: Sym, resumer: Sym, suspend: bool, state: &State) -> bool {
        self.always((index, resumer), None, &mut vec![], &mut |a, (index, resumer), edge| {
            let first = if suspend {
                index == a.zero
            } else {
                a.loaded_from(index) == Some((resumer, a.at(Role::FirstSwitchHandler)))
            };
            if first {
                return Pair::Known(true);
            }
            if let Some(k) = a.syms.as_const(index) {
                let known = edge.map(|e| a.edge_state(e));
                let all = match &known {
                    Some(None) => true,
                    Some(Some(state)) => a.compared(k, resumer, state),
                    None => a.compared(k, resumer, state),
                };
                return Pair::Known(suspend && all);
            }
            match a.syms.split_add(index) {
                (before, 1) => Pair::Of(before, resumer),
                _ => Pair::Parameters,
            }
        })
    }

    /// Were so many entries of a record's list compared?
    fn compared(&mut self, entries: u64, resumer: Sym, state: &State) -> bool {
        let step = u64::from(self.profile.word_bytes());
        (0..entries).all(|i| {
            state.facts().iter().any(|f| match *f {
                Fact::Differ(entry, _) => self.loaded_from(entry).is_some_and(|(list, at)| {
                    u64::try_from(at) == Ok(i * step) && self.source(list, Role::Handlers) == Some(resumer)
                }),
                _ => false,
            })
        })
    }

    /// Does something hold of two words, and of all that parameters get for them?
    fn always(
        &mut self,
        pair: (Sym, Sym),
        edge: Option<&Edge>,
        seen: &mut Vec<(Sym, Sym)>,
        known: Known<'_, 'a>,
    ) -> bool {
        match known(self, pair, edge) {
            Pair::Known(holds) => return holds,
            Pair::Of(a, b) => return self.always((a, b), edge, seen, known),
            Pair::Parameters => {}
        }
        if seen.contains(&pair) {
            return true;
        }
        seen.push(pair);
        let params = [self.param(pair.0), self.param(pair.1)];
        let Some(block) = self.innermost(params) else { return false };
        let graph = self.graph;
        let mut edges = graph.edges_to(block).peekable();
        edges.peek().is_some()
            && edges.all(|e| {
                let arg = |a: &mut Self, s: Sym, param: Option<(Block, usize)>| match param {
                    Some((b, i)) if b == block => a.edge_arg(e, i),
                    _ => Some(s),
                };
                let args = (arg(self, pair.0, params[0]), arg(self, pair.1, params[1]));
                matches!(args, (Some(a), Some(b)) if self.always((a, b), Some(e), seen, known))
            })
    }

    fn innermost(&self, params: [Option<(Block, usize)>; 2]) -> Option<Block> {
        let blocks = params.into_iter().flatten().map(|(block, _)| block);
        blocks.max_by_key(|block| self.graph.position(*block))
    }
}
