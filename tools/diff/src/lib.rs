//! stub
#![allow(missing_docs)]
mod alias;
mod check;
mod compare;
mod decls;
mod expr;
mod func;
mod graph;
mod matcher;
mod pairs;
mod parse;
mod search;
pub mod text;
mod token;

pub fn try_it(old: &str, new: &str) -> usize {
    let (old, new) = (text::Text::new(old), text::Text::new(new));
    let mut total = 0;
    for (a, b) in old.functions.iter().zip(&new.functions) {
        let best = search::search(a, b, &Default::default());
        println!("check {:?}", best.check(&Default::default()));
        total += best.found.changes.len();
        for c in &best.found.changes {
            let g = if c.side == pairs::Side::Old { &best.old } else { &best.new };
            let l = g.func.lines.iter().find(|l| l.number == c.line);
            let p = if let compare::What::Node(n) = c.what { best.pairs.of(c.side, n).map(|m| { let o = if c.side == pairs::Side::Old { &best.new } else { &best.old }; (o.func[m].line, format!("{:?}", o.func[m].control)) }) } else { None };
            let ctl = if let compare::What::Node(n) = c.what { format!("{:?}", g.func[n].control) } else { String::new() };
            println!("{}{:5} {:?} {ctl} {:?} {}", c.side.mark(), c.line, c.what, p, l.map_or("", |l| l.text.trim()));
        }
        println!("{} changes {} moved {} elsewhere dup {:?} fold {:?} decl {:?} joined {:?}", best.found.changes.len(), best.found.moved.len(), best.found.elsewhere, best.found.duplicates, best.found.folded, best.found.declarations, (best.old.func.joined, best.new.func.joined));
    }
    total
}
