//! One pair of functions: several searches, and the one that leaves the fewest
//! lines.

use crate::check::{Claims, Refusal, check};
use crate::compare::{Found, View, What};
use crate::decls::Decls;
use crate::func::Func;
use crate::graph::{Graph, Level};
use crate::matcher::{Matcher, Strategy, repair};
use crate::pairs::Pairs;
use crate::parse::{Renames, parse};
use crate::text::Line;

/// Functions of more nodes than this, both together, are searched in one way only,
const MANY: usize = 30_000;
/// and of more than this in two.
const SOME: usize = 4_000;

/// The best correspondence that was found.
pub(crate) struct Best {
    pub(crate) old: Graph,
    pub(crate) new: Graph,
    pub(crate) pairs: Pairs,
    pub(crate) found: Found,
    /// Was something not tried for its size?
    pub(crate) bounded: bool,
    blocks: Blocks,
}

impl Best {
    /// Has the claims checked, on functions that are read anew.
    pub(crate) fn check(&self, renames: &Renames) -> Result<(), Refusal> {
        self.check_claims(&self.claims(), renames)
    }

    pub(crate) fn check_claims(&self, claims: &Claims, renames: &Renames) -> Result<(), Refusal> {
        let read = |lines: &[Line], renames: &Renames| {
            let mut func = parse(lines, renames);
            if self.blocks == Blocks::Joined {
                func.join();
            }
            func
        };
        let old = read(&self.old.func.lines, &Renames::default());
        let new = read(&self.new.func.lines, renames);
        check(&old, &new, claims)
    }

    pub(crate) fn claims(&self) -> Claims {
        let decls = Decls::pair(&self.old, &self.new, &self.pairs);
        let mut claims = Claims {
            pairs: self.old.live.iter().filter_map(|a| Some((*a, self.pairs.new_of(*a)?))).collect(),
            decls: decls.old_of.into_iter().collect(),
            moved: self.found.moved.clone(),
            ..Claims::default()
        };
        claims.decls.sort_unstable();
        for change in &self.found.changes {
            let side = change.side as usize;
            match change.what {
                What::Signature => claims.signature = true,
                What::Other => claims.other = true,
                What::Replaced(v, w) => drop(claims.replaced.insert((v, w))),
                What::Decl(name) => drop(claims.printed_decls[side].insert(name)),
                What::Node(n) | What::Moved(n) => drop(claims.printed[side].insert(n)),
            }
        }
        claims
    }
}

/// Are blocks joined to their only predecessors before functions are compared?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Blocks {
    Joined,
    AsWritten,
}

fn graph(func: &Func, blocks: Blocks) -> Graph {
    let mut func = func.clone();
    if blocks == Blocks::Joined {
        func.join();
    }
    Graph::new(func)
}

/// Finds what corresponds in two functions.
pub(crate) fn search(old: &[Line], new: &[Line], renames: &Renames) -> Best {
    let (old, new) = (parse(old, &Renames::default()), parse(new, renames));
    let mut best: Option<Best> = None;
    for blocks in [Blocks::Joined, Blocks::AsWritten] {
        let mut keep = |mut found: Found, old: Graph, new: Graph, pairs: Pairs, bounded: bool| {
            found.bounded |= bounded;
            // of equally few lines, those of the text as it stands
            let lines = |found: &Found, blocks: Blocks| (found.changes.len(), blocks == Blocks::Joined);
            if best.as_ref().is_none_or(|b| lines(&found, blocks) < lines(&b.found, b.blocks)) {
                let bounded = found.bounded;
                best = Some(Best { old, new, pairs, found, bounded, blocks });
            }
            best.as_ref().is_some_and(|b| b.found.changes.is_empty())
        };
        let make = || (graph(&old, blocks), graph(&new, blocks));
        let (x, y) = make();
        if let Some(pairs) = Matcher::in_order(&x, &y) {
            let found = View::new(&x, &y, &pairs).compare();
            if found.changes.is_empty() {
                keep(found, x, y, pairs, false);
                break;
            }
        }
        let nodes = x.live.len() + y.live.len();
        let (many, some) = (nodes > MANY, nodes > SOME);
        let mut done = false;
        for first in [Level::Fine, Level::Mid] {
            for in_place in [false, true] {
                let (x, y) = make();
                let (mut pairs, bounded) = Matcher::run(&x, &y, Strategy { first, in_place });
                let found = repair(&x, &y, &mut pairs);
                done = keep(found, x, y, pairs, bounded || many);
                if done || some {
                    break;
                }
            }
            if done || many {
                break;
            }
        }
        if done || some {
            break;
        }
    }
    best.unwrap_or_else(|| {
        let (old, new) = (Graph::new(old), Graph::new(new));
        let pairs = Pairs::new(&old, &new);
        let found = View::new(&old, &new, &pairs).compare();
        Best { old, new, pairs, found, bounded: false, blocks: Blocks::AsWritten }
    })
}
