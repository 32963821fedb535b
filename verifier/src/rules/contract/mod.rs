//! What the functions of the runtime have to do, for `CC0114`: one file for
//! each group of them.
//!
//! Most demands are those of another rule, made of a function that all programs
//! rely on; then that rule speaks as well.

pub(crate) mod driver;
pub(crate) mod search;
pub(crate) mod slots;
pub(crate) mod stack;

use cranelift_codegen::entity::{EntitySet, SecondaryMap};
use cranelift_codegen::ir::Block;

use crate::check::Check;
use crate::graph::Edge;
use crate::place::Kind;
use crate::rules::cc0103;

/// A function that waits for nobody comes to an end: each circle in it is a walk,
/// which goes on to the next stack, or to the next entry of a list, in every turn.
pub(crate) fn ends(c: &mut Check<'_>) {
    let blocks = c.a.rpo.to_vec();
    let edges: Vec<Edge> = blocks.iter().flat_map(|b| c.a.edges_from(*b)).copied().collect();
    let mut standing: SecondaryMap<Block, Vec<Edge>> = SecondaryMap::new();
    for e in edges {
        if c.a.is_taken(&e) && !advances(c, &e) {
            standing[e.from].push(e);
        }
    }
    // what is left of the blocks when those that lead nowhere are taken out, again and again
    let mut over: EntitySet<Block> = EntitySet::new();
    loop {
        let done = |b: &Block| !over.contains(*b) && standing[*b].iter().all(|e| over.contains(e.to));
        let more: Vec<Block> = blocks.iter().copied().filter(done).collect();
        if more.is_empty() {
            break;
        }
        over.extend(more);
    }
    let circle =
        blocks.iter().find(|b| !over.contains(**b)).and_then(|b| standing[*b].iter().find(|e| !over.contains(e.to)));
    match circle.copied() {
        None => c.proven(),
        Some(e) => c.contract(false, &cc0103::RULE, e.inst, "the function goes in a circle, and nothing advances"),
    }
}

/// Is a parameter the stack, or the entry, behind the one that it was?
fn advances(c: &mut Check<'_>, edge: &Edge) -> bool {
    let func = c.a.func;
    let step = i64::from(c.a.profile.word_bytes());
    func.dfg.block_params(edge.to).iter().enumerate().any(|(i, v)| {
        let (param, arg) = (c.a.value(*v), c.a.edge_arg(edge, i));
        arg.is_some_and(|arg| {
            let (base, by) = c.a.syms.split_add(arg);
            c.a.kind(arg) == Kind::Parent(param) || base == param && by.abs() == step
        })
    })
}
