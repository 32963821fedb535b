//! Where blocks and edges are drawn. Ranks come from here, so that an edge over several of them
//! has a point on each; order and positions within a rank come from `rust-sugiyama`.

use std::collections::HashMap;

use rust_sugiyama::configure::{Config, RankingType};
use rust_sugiyama::from_vertices_and_edges;

use super::Graph;

/// Points of edges at most; what is over that is drawn straight.
const MAX_POINTS: usize = 1500;
/// Between neighbours.
const GAP: f64 = 18.0;
/// Between ranks.
const RANK_GAP: f64 = 46.0;

/// Positions, in pixels from the upper left corner.
pub(super) struct Placed {
    /// Centres of the blocks.
    pub(super) nodes: Vec<(f64, f64)>,
    /// For each edge the points it goes through, from its source's side to its target's, and their ranks' heights.
    pub(super) ways: Vec<Vec<(f64, f64, f64)>>,
    pub(super) size: (f64, f64),
}

/// Ranks: the longest way from the entry, without edges that go back.
fn ranks(graph: &Graph) -> Vec<usize> {
    let n = graph.nodes.len();
    let mut next = vec![vec![]; n];
    for e in &graph.edges {
        next[e.from].push(e.to);
    }
    // reverse postorder, without recursion
    let (mut seen, mut order) = (vec![false; n], vec![]);
    for root in 0..n {
        let mut stack = vec![(root, 0)];
        if std::mem::replace(&mut seen[root], true) {
            continue;
        }
        while let Some((node, at)) = stack.pop() {
            match next[node].get(at) {
                Some(to) => {
                    stack.push((node, at + 1));
                    if !std::mem::replace(&mut seen[*to], true) {
                        stack.push((*to, 0));
                    }
                }
                None => order.push(node),
            }
        }
    }
    order.reverse();
    let position: HashMap<usize, usize> = order.iter().copied().zip(0..).collect();
    let mut rank = vec![0; n];
    for node in &order {
        for to in &next[*node] {
            if position[to] > position[node] {
                rank[*to] = rank[*to].max(rank[*node] + 1);
            }
        }
    }
    rank
}

/// Places blocks of the given sizes; `label` is the width of an edge's name.
pub(super) fn place(graph: &Graph, sizes: &[(f64, f64)], label: impl Fn(usize) -> (f64, f64)) -> Placed {
    // a name is on a rank of its own between two of blocks
    let rank: Vec<usize> = ranks(graph).iter().map(|r| r * 2).collect();
    let mut vertices: Vec<(f64, f64, usize)> = sizes.iter().zip(&rank).map(|((w, h), r)| (*w, *h, *r)).collect();
    let mut links = vec![];
    let mut ways: Vec<Vec<usize>> = vec![];
    for (n, e) in graph.edges.iter().enumerate() {
        let back = rank[e.from] >= rank[e.to];
        let (upper, lower) = if back { (e.to, e.from) } else { (e.from, e.to) };
        let mut way = vec![];
        if vertices.len() - sizes.len() + (rank[lower] - rank[upper]) < MAX_POINTS {
            let mut last = upper;
            for r in rank[upper] + 1..rank[lower] {
                let named = r == if back { rank[lower] - 1 } else { rank[upper] + 1 };
                let (w, h) = if named { label(n) } else { (8.0, 1.0) };
                vertices.push((w, h, r));
                links.push((last as u32, (vertices.len() - 1) as u32));
                last = vertices.len() - 1;
                way.push(last);
            }
            if lower != upper && rank[lower] > rank[upper] {
                links.push((last as u32, lower as u32));
            }
        }
        if back {
            way.reverse();
        }
        ways.push(way);
    }
    let xs = columns(&vertices, &links);
    let last = vertices.iter().map(|(_, _, r)| *r).max().unwrap_or(0);
    let mut heights = vec![1.0f64; last + 1];
    for (_, h, r) in &vertices {
        heights[*r] = heights[*r].max(*h);
    }
    let mut tops = vec![GAP];
    for h in &heights {
        tops.push(tops.last().copied().unwrap_or(0.0) + h + RANK_GAP / 2.0);
    }
    let middle = |r: usize| tops[r] + heights[r] / 2.0;
    let left = vertices.iter().zip(&xs).map(|((w, ..), x)| x - w / 2.0).fold(f64::MAX, f64::min);
    let x = |n: usize| xs[n] - left + GAP;
    let right = vertices.iter().enumerate().map(|(n, (w, ..))| x(n) + w / 2.0).fold(0.0, f64::max);
    Placed {
        nodes: (0..sizes.len()).map(|n| (x(n), middle(rank[n]))).collect(),
        ways: ways
            .iter()
            .map(|way| way.iter().map(|p| (x(*p), middle(vertices[*p].2), heights[vertices[*p].2])).collect())
            .collect(),
        size: (right + GAP, tops[last + 1]),
    }
}

/// The middle of each vertex, from left to right.
fn columns(vertices: &[(f64, f64, usize)], links: &[(u32, u32)]) -> Vec<f64> {
    let sized: Vec<(u32, (f64, f64))> =
        vertices.iter().enumerate().map(|(n, (w, _, _))| (n as u32, (*w, 1.0))).collect();
    let config = Config {
        vertex_spacing: GAP,
        dummy_vertices: false,
        ranking_type: RankingType::Up,
        transpose: vertices.len() < 300,
        ..Config::default()
    };
    let mut xs = vec![0.0; vertices.len()];
    let mut base = 0.0;
    // parts without a way between them are placed each for itself
    for (part, _, _) in from_vertices_and_edges(&sized, links, &config) {
        let left = part.iter().map(|(n, (x, _))| x - vertices[*n].0 / 2.0).fold(f64::MAX, f64::min);
        let mut right = base;
        for (n, (x, _)) in &part {
            xs[*n] = base + x - left;
            right = f64::max(right, xs[*n] + vertices[*n].0 / 2.0);
        }
        base = right + GAP;
    }
    xs
}
