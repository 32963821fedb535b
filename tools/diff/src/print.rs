//! A comparison of two functions as lines: the old text with what changed, the new
//! side in the old side's names.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::compare::{Change, View, What, increasing};
use crate::expr::E;
use crate::func::{N, NodeKind, V};
use crate::graph::Graph;
use crate::pairs::Side;
use crate::result::{Hidden, Line};
use crate::search::Best;
use crate::token::{Kind, Name, code, rename};

/// The lines, and what is known of those that changed.
pub(crate) struct Printed {
    pub(crate) lines: Vec<Line>,
    /// The change that a line of `lines` is.
    pub(crate) changes: FxHashMap<usize, Vec<Change>>,
    pub(crate) hidden: Hidden,
}

/// Names of the new function in terms of the old one.
struct Names<'a> {
    best: &'a Best,
    view: &'a View<'a>,
    values: FxHashMap<u32, V>,
    blocks: FxHashMap<u32, N>,
    by_value: FxHashMap<E, u32>,
    fresh: BTreeMap<Name, u32>,
    taken: FxHashSet<Name>,
    next: BTreeMap<Kind, u32>,
}

impl<'a> Names<'a> {
    fn new(best: &'a Best, view: &'a View<'a>) -> Self {
        let mut taken = FxHashSet::default();
        let mut next: BTreeMap<Kind, u32> = BTreeMap::new();
        for graph in [&best.old, &best.new] {
            let func = &graph.func;
            let values = func.values.iter().map(|v| Name { kind: Kind::Value, number: v.number });
            let blocks = func.nodes.iter().filter(|n| n.kind == NodeKind::Block);
            let blocks = blocks.map(|b| Name { kind: Kind::Block, number: b.number });
            for name in values.chain(blocks).chain(func.decls.iter().map(|d| d.name)) {
                let after = next.entry(name.kind).or_default();
                *after = (*after).max(name.number.saturating_add(1));
                if std::ptr::eq(graph, &best.old) {
                    taken.insert(name);
                }
            }
        }
        let old = &best.old;
        let mut by_value = FxHashMap::default();
        for v in (0..old.func.values.len() as u32).map(V).filter(|v| old.func[*v].def.is_some()) {
            let rep = old.rep[v.0 as usize];
            by_value.entry(view.value(Side::Old, v)).or_insert(old.func[rep].number);
        }
        let new = &best.new.func;
        let values = (0..).zip(&new.values).map(|(v, value)| (value.number, V(v))).collect();
        let blocks =
            (0..).zip(&new.nodes).filter(|(_, n)| n.kind == NodeKind::Block).map(|(n, b)| (b.number, N(n))).collect();
        Self { best, view, values, blocks, by_value, fresh: BTreeMap::new(), taken, next }
    }

    /// What a new name is called.
    fn old(&mut self, name: Name) -> Name {
        let known = match name.kind {
            Kind::Value => self.values.get(&name.number).and_then(|v| self.value(*v)),
            Kind::Block => {
                let partner = self.blocks.get(&name.number).and_then(|b| self.best.pairs.old_of(*b));
                partner.map(|b| self.best.old.func[b].number)
            }
            _ => self.view.decls.old_of.get(&name).map(|n| n.number),
        };
        match known {
            Some(number) => Name { number, ..name },
            None => self.fresh(name),
        }
    }

    fn value(&self, v: V) -> Option<u32> {
        let new = &self.best.new;
        let rep = new.rep[new.func.resolve(v).0 as usize];
        let (n, result) = new.func[rep].def?;
        let partner = self.best.pairs.old_of(n).and_then(|a| self.best.old.func[a].results.get(result as usize));
        match partner {
            Some(v) => Some(self.best.old.func[*v].number),
            None => self.by_value.get(&self.view.value(Side::New, rep)).copied(),
        }
    }

    fn fresh(&mut self, name: Name) -> Name {
        // what is equal is one
        let key = match self.values.get(&name.number).filter(|_| name.kind == Kind::Value) {
            Some(v) => {
                let new = &self.best.new;
                let rep = new.rep[new.func.resolve(*v).0 as usize];
                Name { number: new.func[rep].number, ..name }
            }
            None => name,
        };
        if let Some(number) = self.fresh.get(&key) {
            return Name { number: *number, ..name };
        }
        let number = if self.taken.insert(key) {
            key.number
        } else {
            let next = self.next.entry(key.kind).or_default();
            *next = next.saturating_add(1);
            *next - 1
        };
        self.taken.insert(Name { number, ..key });
        self.fresh.insert(key, number);
        Name { number, ..name }
    }

    /// That a value is another one from here on, and where.
    fn replaced(&mut self, v: V, w: V) -> String {
        let (old, new) = (&self.best.old.func, &self.best.new);
        let is = self.old(Name { kind: Kind::Value, number: new.func[w].number });
        let uses = new.func[w].def.map_or(&[][..], |(n, _)| &new.users[n.0 as usize]);
        let mut lines: Vec<u32> = uses
            .iter()
            .filter(|(b, _)| {
                let Some(a) = self.best.pairs.old_of(*b) else { return false };
                let values = |f: &crate::func::Func, n: N| -> Vec<V> {
                    let passed = f[n].targets.iter().flat_map(|t| t.args.iter().filter_map(|a| a.value()));
                    f[n].args.iter().copied().chain(passed).collect()
                };
                let pairs = values(old, a).into_iter().zip(values(&new.func, *b));
                pairs.map(|(p, q)| (self.best.old.rep[p.0 as usize], new.rep[q.0 as usize])).any(|pair| pair == (v, w))
            })
            .map(|(b, _)| new.func[*b].line)
            .collect();
        lines.sort_unstable();
        lines.dedup();
        let constant =
            new.func[w].def.and_then(|(n, _)| new.func[n].constant).map_or(String::new(), |c| format!(" ({c})"));
        let uses = lines.len();
        let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
        format!("    ; v{} is {is}{constant} now, {uses} uses: lines {}", old[v].number, lines.join(", "))
    }

    fn line(&mut self, text: &str) -> String {
        rename(text, |name| Some(self.old(name).to_string()))
    }
}

/// A line as it is shown: without the place in the source and the blanks that keep
/// room for it.
fn shown(text: &str) -> String {
    let trimmed = crate::parse::unplaced(text);
    let is_head = text.starts_with(|c: char| !c.is_whitespace() && c != '@') || code(trimmed).ends_with(':');
    format!("{}{}", if is_head || trimmed.is_empty() { "" } else { "    " }, trimmed.trim_end())
}

/// The node that makes a line, or what is declared in it.
fn lines_of(graph: &Graph) -> FxHashMap<u32, N> {
    let nodes = (0..).zip(&graph.func.nodes).filter(|(_, n)| n.kind != NodeKind::Param);
    nodes.map(|(n, node)| (node.line, N(n))).collect()
}

impl Printed {
    pub(crate) fn new(best: &Best) -> Self {
        let view = View::new(&best.old, &best.new, &best.pairs);
        let mut names = Names::new(best, &view);
        let hidden = hidden(best);
        if best.found.changes.is_empty() {
            return Self { lines: vec![], changes: FxHashMap::default(), hidden };
        }
        let mut changed: [BTreeMap<u32, Vec<Change>>; 2] = Default::default();
        let mut replaced: BTreeMap<u32, Vec<Change>> = BTreeMap::new();
        for change in &best.found.changes {
            if matches!(change.what, What::Replaced(..)) {
                replaced.entry(change.line).or_default().push(*change);
                continue;
            }
            changed[change.side as usize].entry(change.line).or_default().push(*change);
        }
        let partners = partners(best, &view);
        let (old, new) = (&best.old.func.lines, &best.new.func.lines);
        let at: FxHashMap<u32, usize> = old.iter().enumerate().map(|(i, l)| (l.number, i)).collect();
        // lines of both sides that keep their order
        let anchors: Vec<(usize, usize)> =
            new.iter().enumerate().filter_map(|(j, l)| Some((*at.get(partners.get(&l.number)?)?, j))).collect();
        let kept = increasing(&anchors.iter().map(|(i, _)| *i).collect::<Vec<_>>());
        let mut after: FxHashMap<usize, usize> = kept.into_iter().map(|k| (anchors[k].1, anchors[k].0)).collect();
        let mut added: Vec<Vec<usize>> = vec![vec![]; old.len()];
        let mut here = 0;
        for (j, line) in new.iter().enumerate() {
            here = after.remove(&j).unwrap_or(here);
            if changed[1].contains_key(&line.number) {
                added[here].push(j);
            }
        }
        let to_new: FxHashMap<u32, u32> = partners.iter().map(|(new, old)| (*old, *new)).collect();
        let mut lines = vec![];
        let mut changes = FxHashMap::default();
        for (i, line) in old.iter().enumerate() {
            let here = to_new.get(&line.number).and_then(|new| replaced.remove(new));
            for change in here.into_iter().flatten() {
                let What::Replaced(v, w) = change.what else { continue };
                let text = names.replaced(v, w);
                changes.insert(lines.len(), vec![change]);
                lines.push(Line { side: Some(Side::New), old: None, new: Some(change.line), text });
            }
            let change = changed[0].remove(&line.number);
            let side = change.is_some().then_some(Side::Old);
            if let Some(change) = change {
                changes.insert(lines.len(), change);
            }
            let partner = to_new.get(&line.number).copied().filter(|_| side.is_none());
            lines.push(Line { side, old: Some(line.number), new: partner, text: shown(&line.text) });
            for j in &added[i] {
                let line = &new[*j];
                changes.insert(lines.len(), changed[1].remove(&line.number).unwrap_or_default());
                let text = match *j {
                    // its name is said apart
                    0 => line.text.clone(),
                    _ => names.line(&line.text),
                };
                lines.push(Line { side: Some(Side::New), old: None, new: Some(line.number), text: shown(&text) });
            }
        }
        Self { lines, changes, hidden }
    }
}

/// New lines, and the old lines that they are or were.
fn partners(best: &Best, view: &View) -> FxHashMap<u32, u32> {
    let (old, new) = (&best.old, &best.new);
    let mut result = FxHashMap::default();
    if let (Some(p), Some(q)) = (old.func.lines.first(), new.func.lines.first()) {
        result.insert(q.number, p.number);
    }
    for (q, p) in &view.decls.old_of {
        if let (Some(q), Some(p)) = (new.func.decl(*q), old.func.decl(*p)) {
            result.insert(q.line, p.line);
        }
    }
    let moved: FxHashSet<N> = best
        .found
        .changes
        .iter()
        .filter_map(|c| match (c.side, c.what) {
            (Side::New, What::Moved(n)) => Some(n),
            _ => None,
        })
        .collect();
    for (line, n) in lines_of(new) {
        if let Some(a) = best.pairs.old_of(n).filter(|_| !moved.contains(&n)) {
            result.insert(line, old.func[a].line);
        }
    }
    if let (Some(p), Some(q)) = (old.func.lines.last(), new.func.lines.last()) {
        result.insert(q.number, p.number);
    }
    result
}

fn hidden(best: &Best) -> Hidden {
    let (old, new) = (&best.old.func, &best.new.func);
    let text = |line: u32| {
        let text = old.lines.iter().find(|l| l.number == line).map_or("", |l| &l.text);
        shown(code(text)).trim_start().to_owned()
    };
    let places = |pairs: &[(N, N)]| -> Vec<(u32, u32, String)> {
        let lines = pairs.iter().map(|(a, b)| (old[*a].line, new[*b].line));
        lines.map(|(a, b)| (a, b, text(a))).collect()
    };
    let renamed = |n: &N| {
        let Some(a) = best.pairs.old_of(*n) else { return 0 };
        let pairs = old[a].results.iter().zip(&new[*n].results);
        pairs.filter(|(v, w)| old[**v].number != new[**w].number).count()
    };
    Hidden {
        moved: places(&best.found.moved),
        commuted: places(&best.found.commuted),
        elsewhere: best.found.elsewhere,
        renamed: best.new.live.iter().map(renamed).sum(),
        duplicates: best.found.duplicates,
        folded: best.found.folded,
        joined: [old.joined, new.joined],
        declarations: best.found.declarations,
    }
}
