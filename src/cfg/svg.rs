//! SVG without scripts, links or fonts from elsewhere.

use std::fmt::Write as _;

use super::layout::place;
use super::{Edge, Graph, Node};

const COLUMN: f64 = 6.7;
const LINE: f64 = 14.0;
const PAD: f64 = 7.0;
/// How far the edge of a block to itself reaches.
const LOOP: f64 = 16.0;

const STYLE: &str = "text{font:11px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;white-space:pre;fill:#111}\
.t{font-weight:bold}.b{fill:#fff;stroke:#555}.switch{fill:#dbeafe;stroke:#1d4ed8}.trap{fill:#fee2e2;stroke:#b91c1c}\
.cold{stroke-dasharray:4 3}.e{fill:none;stroke:#555}.back{stroke:#7c3aed;stroke-width:1.5}.l{fill:#333;font-size:10px}\
.bg{fill:#fff}";

/// Text in XML: what is not a character of XML is shown as what it is.
fn escape(text: &str) -> String {
    clif_cont_output::html(text).replace('\'', "&#39;").replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

fn width(lines: impl Iterator<Item = usize>) -> f64 {
    lines.max().unwrap_or(0) as f64 * COLUMN + 2.0 * PAD
}

fn chars(text: &str) -> usize {
    text.chars().map(|c| if c.is_ascii() || c == '…' { 1 } else { 2 }).sum()
}

/// The graph as a picture. Ends with a newline; the same for the same graph, byte for byte.
pub fn svg(graph: &Graph) -> String {
    let size = |node: &Node| {
        let lines = node.lines.iter().map(|l| chars(l));
        (width(lines.chain([chars(&node.title())])), (node.lines.len() + 1) as f64 * LINE + 2.0 * PAD)
    };
    let sizes: Vec<(f64, f64)> = graph.nodes.iter().map(size).collect();
    let label = |n: usize| {
        let lines = || graph.edges[n].label.lines();
        (width(lines().map(chars)), lines().count() as f64 * LINE)
    };
    // a block that follows itself needs room for that on its right, and stays in the middle
    let mut slots = sizes.clone();
    for (n, edge) in graph.edges.iter().enumerate().filter(|(_, e)| e.from == e.to) {
        slots[edge.from].0 += 2.0 * (label(n).0 + LOOP);
    }
    let placed = place(graph, &slots, label);
    let (w, h) = placed.size;
    let note = (!graph.left_out.is_empty()).then(|| format!("not drawn: {}", graph.left_out.join("; ")));
    let w = w.max(note.as_deref().map_or(0.0, |n| width([chars(n)].into_iter())));
    let h = h + if note.is_some() { 2.0 * LINE } else { 0.0 };
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w:.0}\" height=\"{h:.0}\" viewBox=\"0 0 {w:.0} {h:.0}\" \
role=\"img\">\n<title>{}</title>\n<style>{STYLE}</style>\n<defs><marker id=\"a\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" \
markerWidth=\"8\" markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0 0 8 4 0 8z\" fill=\"#555\"/></marker></defs>\n\
<rect class=\"bg\" width=\"100%\" height=\"100%\"/>\n",
        escape(&format!("control flow of %{}", graph.name))
    );
    for (edge, way) in graph.edges.iter().zip(&placed.ways) {
        push_edge(&mut out, edge, way, &placed.nodes, &sizes);
    }
    for ((node, (x, y)), (w, h)) in graph.nodes.iter().zip(&placed.nodes).zip(&sizes) {
        push_node(&mut out, node, (x - w / 2.0, y - h / 2.0), (*w, *h));
    }
    if let Some(note) = note {
        let _ = writeln!(out, "<text class=\"t\" x=\"{PAD}\" y=\"{:.0}\">{}</text>", h - LINE, escape(&note));
    }
    out.push_str("</svg>\n");
    out
}

fn push_node(out: &mut String, node: &Node, (x, y): (f64, f64), (w, h): (f64, f64)) {
    let marks = [(node.switches, " switch"), (node.traps, " trap"), (node.cold, " cold")];
    let class: String = marks.iter().filter(|(is, _)| *is).map(|(_, name)| *name).collect();
    let _ = writeln!(
        out,
        "<rect class=\"b{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" rx=\"3\"/>"
    );
    let lines = std::iter::once((node.title(), " class=\"t\"")).chain(node.lines.iter().map(|l| (l.clone(), "")));
    for (n, (line, class)) in lines.enumerate() {
        let y = y + PAD + (n as f64 + 0.75) * LINE;
        let _ = writeln!(out, "<text{class} x=\"{:.1}\" y=\"{y:.1}\">{}</text>", x + PAD, escape(&line));
    }
}

fn push_edge(out: &mut String, edge: &Edge, way: &[(f64, f64, f64)], nodes: &[(f64, f64)], sizes: &[(f64, f64)]) {
    let ((fx, fy), (tx, ty)) = (nodes[edge.from], nodes[edge.to]);
    let (fh, th) = (sizes[edge.from].1 / 2.0, sizes[edge.to].1 / 2.0);
    let back = fy >= ty;
    // a block that follows itself, or one beside it: around the right side
    let mut at = match () {
        () if edge.from == edge.to => (fx + sizes[edge.from].0 / 2.0, fy - LOOP / 2.0),
        () if back => (fx, fy - fh),
        () => (fx, fy + fh),
    };
    let mut path = format!("M{:.1} {:.1}", at.0, at.1);
    let mut curve = |to: (f64, f64)| {
        let middle = (at.1 + to.1) / 2.0;
        let _ = write!(path, "C{:.1} {middle:.1} {:.1} {middle:.1} {:.1} {:.1}", at.0, to.0, to.0, to.1);
        at = to;
    };
    let mut named = None;
    if edge.from == edge.to {
        let x = fx + sizes[edge.from].0 / 2.0;
        let _ = write!(path, "h{LOOP}v{LOOP}h-{LOOP}");
        named = Some((x + LOOP + width(edge.label.lines().map(chars)) / 2.0, fy));
    } else {
        for (n, (x, y, h)) in way.iter().enumerate() {
            let (near, far) = if back { (y + h / 2.0, y - h / 2.0) } else { (y - h / 2.0, y + h / 2.0) };
            curve((*x, near));
            curve((*x, far));
            if n == 0 {
                named = Some((*x, *y));
            }
        }
        curve((tx, if back { ty + th } else { ty - th }));
    }
    let class = if back { "e back" } else { "e" };
    let _ = writeln!(out, "<path class=\"{class}\" d=\"{path}\" marker-end=\"url(#a)\"/>");
    let lines: Vec<&str> = edge.label.lines().collect();
    let (x, y) = named.unwrap_or(((fx + tx) / 2.0, (fy + ty) / 2.0));
    let top = y - lines.len() as f64 * LINE / 2.0;
    if !lines.is_empty() {
        let w = width(lines.iter().map(|l| chars(l))) - PAD;
        let h = lines.len() as f64 * LINE;
        let _ = writeln!(
            out,
            "<rect class=\"bg\" x=\"{:.1}\" y=\"{top:.1}\" width=\"{w:.1}\" height=\"{h:.1}\"/>",
            x - w / 2.0
        );
    }
    for (n, line) in lines.iter().enumerate() {
        let y = top + (n as f64 + 0.75) * LINE;
        let _ =
            writeln!(out, "<text class=\"l\" text-anchor=\"middle\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escape(line));
    }
}
