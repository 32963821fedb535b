//! A path on which a finding is made.
//!
//! What is found of an instruction may hold on one of the ways to it and not on
//! another: a check that one arm of a branch leaves out. So the paths are taken
//! away, one choice after another, and the function is verified without them:
//! what is left when the finding would not be made without it is a path that
//! leads to it, as far as the analysis knows of conditions.
//!
//! A finding that takes two ways at once, a loop's second turn above all, keeps
//! the shortest path.

use std::collections::HashSet;

use cranelift_codegen::ir::{Block, Function};

use crate::check::Check;
use crate::graph::{Cut, Edge, Graph};
use crate::module::Module;
use crate::profile::Profile;
use crate::report::{Finding, Report};

/// Verifying the function so many times for one finding has to do.
const MAX_RUNS: usize = 48;
/// And so many instructions for all findings of a function: a long one with many
/// findings would take minutes.
const MAX_INSTS: usize = 1_000_000;

/// Gives each finding of a function's report, by [`crate::verify`] or
/// [`crate::verify_in`], a path on which it is made, where verifying the function
/// a few dozen times more is enough to find one. The first of very many findings in a
/// very long function are given one, and the others keep a shortest path.
pub fn retrace(func: &Function, profile: &Profile, module: Option<&Module>, report: &mut Report) {
    let mut left = MAX_INSTS / func.dfg.num_insts().max(1);
    for finding in &mut report.findings {
        let runs = left.min(MAX_RUNS);
        if runs == 0 {
            return;
        }
        let mut search = Search { func, profile, module, finding, runs };
        let path = search.path();
        left -= runs - search.runs;
        if let Some(path) = path {
            finding.path = path;
        }
    }
}

struct Search<'a> {
    func: &'a Function,
    profile: &'a Profile,
    module: Option<&'a Module>,
    finding: &'a Finding,
    runs: usize,
}

impl Search<'_> {
    fn path(&mut self) -> Option<Vec<Block>> {
        let target = *self.finding.path.last()?;
        // the shortest path will do, more often than not
        let graph = Graph::new(self.func);
        let mut cut = Cut::new();
        for pair in self.finding.path.windows(2) {
            cut.extend(graph.edges_from(pair[0]).iter().filter(|e| e.to != pair[1]).map(Edge::key));
        }
        if let Some(path) = self.found_without(&cut) {
            return Some(path);
        }
        let mut path = None;
        let (mut cut, mut decided) = (Cut::new(), HashSet::new());
        loop {
            let graph = Graph::without(self.func, &cut);
            // the ways that meet last are the first to be chosen from
            let Some(block) = last_merge(&graph, target, &decided) else { return path };
            decided.insert(block);
            for way in graph.edges_to(block) {
                let others = graph.edges_to(block).filter(|e| e.key() != way.key()).map(Edge::key);
                let without: Cut = cut.iter().copied().chain(others).collect();
                if self.runs == 0 {
                    return path;
                }
                if let Some(found) = self.found_without(&without) {
                    (cut, path) = (without, Some(found));
                    break;
                }
            }
        }
    }

    /// A shortest path, where the finding is made without these edges.
    fn found_without(&mut self, cut: &Cut) -> Option<Vec<Block>> {
        self.runs = self.runs.checked_sub(1)?;
        let graph = Graph::without(self.func, cut);
        let report = Check::run(self.func, self.profile, self.module, &graph);
        let same = |f: &&Finding| {
            (f.rule, f.inst, &f.message) == (self.finding.rule, self.finding.inst, &self.finding.message)
        };
        report.findings.iter().find(same).map(|f| f.path.clone())
    }
}

/// The block furthest from the entry at which ways to a block meet.
fn last_merge(graph: &Graph, target: Block, decided: &HashSet<Block>) -> Option<Block> {
    let (mut before, mut left) = (HashSet::from([target]), vec![target]);
    while let Some(block) = left.pop() {
        left.extend(graph.edges_to(block).map(|e| e.from).filter(|from| before.insert(*from)));
    }
    let merges = before.into_iter().filter(|b| graph.edges_to(*b).len() > 1 && !decided.contains(b));
    merges.max_by_key(|b| graph.position(*b))
}
