//! Which declaration of the new function is which of the old one: by content, by
//! use, by order. Stack slots by use before order: they look alike.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::expr::Leaf;
use crate::func::Piece;
use crate::graph::{Graph, is_place};
use crate::pairs::{Pairs, Side};
use crate::token::{Kind, Name, rename};

/// Declarations of both sides.
#[derive(Clone, Default, Debug)]
pub(crate) struct Decls {
    /// Old name of a new declaration. Several new ones of equal content may have one.
    pub(crate) old_of: FxHashMap<Name, Name>,
}

impl Decls {
    /// What a name of a side stands for: one number for what corresponds.
    pub(crate) fn entity(&self, side: Side, old: &Graph, name: Name) -> Leaf {
        let number = |n: Name, top: u64| Leaf(top << 48 | u64::from(n.number) << 8 | n.kind as u64);
        let rep = |n: Name| old.decl_rep.get(&n).copied().unwrap_or(n);
        match side {
            Side::Old => number(rep(name), 0),
            Side::New => match self.old_of.get(&name) {
                Some(old) => number(rep(*old), 0),
                None => number(name, 1),
            },
        }
    }

    /// A declaration's text in terms of the old side, to be compared.
    pub(crate) fn text(&self, side: Side, old: &Graph, graph: &Graph, text: &str) -> String {
        rename(text, |n| graph.func.decl(n).map(|_| format!("#{:x}", self.entity(side, old, n).0)))
    }

    pub(crate) fn pair(old: &Graph, new: &Graph, pairs: &Pairs) -> Self {
        let mut this = Self::default();
        let mut used: FxHashSet<Name> = FxHashSet::default();
        this.by_content(old, new, &mut used);
        this.by_use(old, new, pairs, &mut used);
        this.by_order(old, new, &mut used);
        this
    }

    fn add(&mut self, used: &mut FxHashSet<Name>, old: Name, new: Name) {
        self.old_of.insert(new, old);
        used.insert(old);
    }

    fn by_content(&mut self, old: &Graph, new: &Graph, used: &mut FxHashSet<Name>) {
        let mut candidates: FxHashMap<(Kind, &str), Vec<Name>> = FxHashMap::default();
        for decl in old.func.decls.iter().filter(|d| !unlike(&d.text, d.name)) {
            candidates.entry((decl.name.kind, old.content(decl.name))).or_default().push(decl.name);
        }
        // equal to the letter first: regions of one description
        for exact in [true, false] {
            for decl in new.func.decls.iter().filter(|d| !unlike(&d.text, d.name)) {
                let Some(found) = candidates.get(&(decl.name.kind, new.content(decl.name))) else { continue };
                if self.old_of.contains_key(&decl.name) {
                    continue;
                }
                let is_exact = |n: &&Name| old.func.decl(**n).is_some_and(|d| d.text == decl.text);
                let mut fitting = found.iter().filter(|n| !exact || is_exact(n));
                let unused = fitting.clone().find(|n| !used.contains(n));
                // one that is there twice is there once
                let again = || (decl.name.kind != Kind::Region).then(|| fitting.next()).flatten();
                if let Some(partner) = unused.or_else(again) {
                    self.add(used, *partner, decl.name);
                }
            }
        }
    }

    fn by_use(&mut self, old: &Graph, new: &Graph, pairs: &Pairs, used: &mut FxHashSet<Name>) {
        let mut votes: FxHashMap<(Name, Name), usize> = FxHashMap::default();
        for (a, b) in old.insts.iter().filter_map(|a| Some((*a, pairs.new_of(*a)?))) {
            let (x, y) = (&old.func[a], &new.func[b]);
            let names = |shape: &[Piece]| -> Vec<Name> {
                let names = shape.iter().filter_map(|p| match p {
                    Piece::Decl(name) => Some(*name),
                    _ => None,
                });
                names.collect()
            };
            for pair in names(&x.shape).into_iter().zip(names(&y.shape)) {
                *votes.entry(pair).or_default() += 1;
            }
            if let (Some(p), Some(q)) = (&x.access, &y.access)
                && let (Some(p), Some(q)) = (p.region, q.region)
            {
                *votes.entry((p, q)).or_default() += 1;
            }
        }
        let mut votes: Vec<_> = votes.into_iter().collect();
        votes.sort_by_key(|((p, q), n)| (std::cmp::Reverse(*n), *p, *q));
        for ((p, q), _) in votes {
            if p.kind == q.kind && !used.contains(&p) && !self.old_of.contains_key(&q) && old.func.decl(p).is_some() {
                self.add(used, p, q);
            }
        }
    }

    /// What is left, where as many are left on both sides; what a signature of a
    /// paired function is follows it.
    fn by_order(&mut self, old: &Graph, new: &Graph, used: &mut FxHashSet<Name>) {
        for decl in &new.func.decls {
            let Some(partner) = self.old_of.get(&decl.name).and_then(|n| old.func.decl(*n)) else { continue };
            let refs = |text: &str| crate::token::tokens(text).iter().filter_map(|t| t.name).collect::<Vec<_>>();
            for (p, q) in refs(&partner.text).into_iter().zip(refs(&decl.text)) {
                if p.kind == q.kind && !used.contains(&p) && !self.old_of.contains_key(&q) && old.func.decl(p).is_some()
                {
                    self.add(used, p, q);
                }
            }
        }
        let mut kinds: Vec<Kind> = new.func.decls.iter().map(|d| d.name.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        for kind in kinds {
            let of = |g: &Graph, free: &dyn Fn(&Name) -> bool| -> Vec<Name> {
                g.func.decls.iter().map(|d| d.name).filter(|n| n.kind == kind && free(n)).collect()
            };
            let left = of(old, &|n| !used.contains(n));
            let right = of(new, &|n| !self.old_of.contains_key(n));
            if left.len() == right.len() {
                for (p, q) in left.into_iter().zip(right) {
                    self.add(used, p, q);
                }
            }
        }
    }
}

/// Is it not told from others of its kind by what it says?
fn unlike(text: &str, name: Name) -> bool {
    is_place(name.kind) || crate::token::tokens(text).iter().filter_map(|t| t.name).any(|n| is_place(n.kind))
}
