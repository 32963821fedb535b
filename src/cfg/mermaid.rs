//! Mermaid, which code hosts draw inside a comment.

use std::fmt::Write as _;

use super::{Graph, Node};

/// Lines that are no markup of Mermaid's, of Markdown's or of HTML's: what could be is a character code.
fn escape<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for (i, line) in lines.into_iter().enumerate() {
        if i > 0 {
            out.push_str("<br/>");
        }
        for c in clif_cont_output::line(line).chars() {
            if c.is_alphanumeric() || " ,.:=+()/_-".contains(c) {
                out.push(c);
            } else {
                let _ = write!(out, "#{};", u32::from(c));
            }
        }
    }
    out
}

/// The graph as a Mermaid flowchart. Ends with a newline.
pub fn mermaid(graph: &Graph) -> String {
    let mut out = String::from("flowchart TD\n");
    for (n, node) in graph.nodes.iter().enumerate() {
        let title = node.title();
        let text = escape(std::iter::once(title.as_str()).chain(node.lines.iter().map(String::as_str)));
        let _ = writeln!(out, "  b{n}[\"{text}\"]{}", class(node));
    }
    for edge in &graph.edges {
        let label = if edge.label.is_empty() { String::new() } else { format!("|\"{}\"|", escape(edge.label.lines())) };
        let _ = writeln!(out, "  b{} -->{label} b{}", edge.from, edge.to);
    }
    if !graph.left_out.is_empty() {
        let _ = writeln!(out, "  left[\"{}\"]", escape([format!("not drawn: {}", graph.left_out.join("; ")).as_str()]));
    }
    out.push_str("  classDef switch fill:#dbeafe,stroke:#1d4ed8\n  classDef trap fill:#fee2e2,stroke:#b91c1c\n");
    out.push_str("  classDef cold stroke-dasharray:4 3\n");
    out
}

fn class(node: &Node) -> &'static str {
    match node {
        Node { switches: true, .. } => ":::switch",
        Node { traps: true, .. } => ":::trap",
        Node { cold: true, .. } => ":::cold",
        _ => "",
    }
}
