//! The text of a function, to a graph.
//!
//! Not Cranelift's reader: that takes the text of its own release only, and what
//! is compared is often another's. This one takes a line for a statement, as
//! every release prints it, and knows opcodes only where Cranelift's own table
//! does: one that is not in the table is an effect, never moved and never
//! dropped. A line that is no statement is an effect, too. Nothing is refused.

use cranelift_codegen::ir::instructions::InstructionFormat;
use cranelift_codegen::ir::{Opcode, types};
use rustc_hash::FxHashMap;

use crate::func::{Access, Arg, Decl, Func, N, Node, NodeKind, Piece, Target, V, Value, ty};
use crate::text::Line;
use crate::token::{Kind, Name, Token, code, integer, tokens};

/// Names of functions that are called otherwise on the other side.
pub(crate) type Renames = FxHashMap<String, String>;

struct Parser<'a> {
    func: Func,
    values: FxHashMap<u32, V>,
    blocks: FxHashMap<u32, N>,
    renames: &'a Renames,
}

/// The name of the function that a line begins, and what follows it.
pub(crate) fn header(line: &str) -> (String, String) {
    let rest = code(line).trim_start_matches("function").trim().trim_end_matches('{').trim_end();
    let end = rest.find('(').unwrap_or(rest.len());
    (rest[..end].trim().to_owned(), rest[end..].to_owned())
}

/// Reads a function. Names of functions are replaced by `renames`.
pub(crate) fn parse(lines: &[Line], renames: &Renames) -> Func {
    let mut parser =
        Parser { func: Func::default(), values: FxHashMap::default(), blocks: FxHashMap::default(), renames };
    parser.func.lines = lines.to_vec();
    if let Some(first) = lines.first() {
        let (name, signature) = header(&first.text);
        parser.func.name = renames.get(&name).cloned().unwrap_or(name);
        parser.func.signature = signature;
    }
    let body: Vec<(u32, &str, &str)> =
        lines.iter().skip(1).map(|l| (l.number, l.text.as_str(), code(&l.text))).collect();
    // blocks first: edges go forward
    for (line, _, text) in &body {
        parser.block(*line, text);
    }
    let mut current = None;
    let mut note = String::new();
    for (line, raw, text) in body {
        if let Some(annotation) = raw.trim().strip_prefix(";!") {
            note.push_str(&parser.renamed(annotation.trim()));
        }
        let text = text.trim();
        if text.is_empty() || text.starts_with('}') {
            continue;
        }
        if let Some(block) = head(text) {
            current = parser.blocks.get(&block.number).copied();
        } else if let Some(block) = current {
            parser.statement(block, line, text, &std::mem::take(&mut note));
        } else {
            parser.preamble(line, text);
        }
    }
    let mut func = parser.func;
    func.forget_aliases();
    func.index();
    func.find_flow();
    infer(&mut func);
    func
}

/// The block that a line begins.
fn head(text: &str) -> Option<Name> {
    let text = text.trim();
    let name = tokens(text.strip_suffix(':')?).first()?.name?;
    (name.kind == Kind::Block).then_some(name)
}

impl Parser<'_> {
    fn value(&mut self, number: u32) -> V {
        *self.values.entry(number).or_insert_with(|| {
            self.func.values.push(Value { number, def: None, ty: types::INVALID, alias: None });
            V(self.func.values.len() as u32 - 1)
        })
    }

    fn node(&mut self, node: Node) -> N {
        self.func.nodes.push(node);
        N(self.func.nodes.len() as u32 - 1)
    }

    fn renamed(&self, text: &str) -> String {
        if self.renames.is_empty() {
            return text.to_owned();
        }
        let mut result = String::new();
        let mut from = 0;
        for token in tokens(text) {
            if let Some(new) = self.renames.get(token.text) {
                result.push_str(&text[from..token.at]);
                result.push_str(new);
                from = token.at + token.text.len();
            }
        }
        result.push_str(&text[from..]);
        result
    }

    fn block(&mut self, line: u32, text: &str) {
        let Some(name) = head(text) else { return };
        if self.blocks.contains_key(&name.number) {
            return;
        }
        let me = N(self.func.nodes.len() as u32);
        let mut block = Node::new(NodeKind::Block, line, me);
        block.number = name.number;
        block.cold = text.trim_end_matches(':').trim_end().ends_with(" cold");
        self.node(block);
        self.blocks.insert(name.number, me);
        self.func.order.push(me);
        let words = tokens(text);
        for (at, token) in words.iter().enumerate().skip(1) {
            let Some(Name { kind: Kind::Value, number }) = token.name else { continue };
            let v = self.value(number);
            let mut param = Node::new(NodeKind::Param, line, me);
            param.pos = self.func[me].params.len() as u32;
            param.results = vec![v];
            param.suffix = words.get(at + 2).map_or("", |t| t.text).into();
            let param = self.node(param);
            self.func[v].def = Some((param, 0));
            self.func[v].ty = words.get(at + 2).and_then(|t| ty(t.text)).unwrap_or_default();
            self.func[me].params.push(param);
        }
    }

    fn preamble(&mut self, line: u32, text: &str) {
        let words = tokens(text);
        let text = self.renamed(text);
        match (words.first().and_then(|t| t.name), words.get(1).map(|t| t.text)) {
            (Some(name), Some("=")) if !self.func.decl_of.contains_key(&name) => {
                let text = text.split_once('=').map_or("", |(_, t)| t).trim().to_owned();
                self.func.decl_of.insert(name, self.func.decls.len() as u32);
                self.func.decls.push(Decl { name, text, line });
            }
            _ => self.func.other.push(Line { number: line, text }),
        }
    }

    fn statement(&mut self, block: N, line: u32, text: &str, note: &str) {
        let text = unplaced(text);
        let words = tokens(text);
        let mut words = &words[..];
        // another name for a value
        if let [from, minus, arrow, to] = words
            && let (Some(from), Some(to)) = (from.name, to.name)
            && (minus.text, arrow.text) == ("-", ">")
        {
            let (from, to) = (self.value(from.number), self.value(to.number));
            self.func[from].alias = Some(to);
            return;
        }
        let mut node = Node::new(NodeKind::Inst, line, block);
        node.note = note.into();
        let me = N(self.func.nodes.len() as u32);
        if let Some(equals) = words.iter().position(|t| t.text == "=") {
            let results: Vec<u32> = words[..equals]
                .iter()
                .filter_map(|t| t.name)
                .filter(|n| n.kind == Kind::Value)
                .map(|n| n.number)
                .collect();
            for (n, number) in (0..).zip(results) {
                let v = self.value(number);
                self.func[v].def = Some((me, n));
                node.results.push(v);
            }
            words = &words[equals + 1..];
        }
        if let Some((opcode, operands)) = words.split_first() {
            let (name, suffix) = opcode.text.split_once('.').unwrap_or((opcode.text, ""));
            node.opcode = name.into();
            node.suffix = suffix.into();
            node.code = name.parse::<Opcode>().ok();
            self.operands(&mut node, operands);
        }
        if node.opcode.as_ref() == "iconst"
            && let [Piece::Text(text)] = &node.shape[..]
        {
            node.constant = integer(text).map(|c| narrowed(c, ty(&node.suffix).map_or(128, |t| t.bits())));
        }
        node.pure = is_pure(&node);
        self.node(node);
        self.func[block].insts.push(me);
    }

    fn operands(&mut self, node: &mut Node, mut words: &[Token]) {
        if is_access(node) {
            let mut access = Access::default();
            while let Some((word, rest)) = words.split_first()
                && word.name.is_none_or(|n| n.kind != Kind::Value)
            {
                match word.name {
                    Some(name) if name.kind == Kind::Region => access.region = Some(name),
                    _ => access.flags.push(word.text.into()),
                }
                words = rest;
            }
            access.flags.sort();
            if let Some((last, rest)) = words.split_last()
                && last.name.is_none()
                && let Some(offset) = integer(last.text)
            {
                access.offset = offset;
                words = rest;
            }
            node.access = Some(access);
        }
        let mut at = 0;
        while let Some(word) = words.get(at) {
            at += 1;
            match word.name {
                Some(Name { kind: Kind::Value, number }) => {
                    let v = self.value(number);
                    node.args.push(v);
                    node.shape.push(Piece::Arg);
                }
                Some(Name { kind: Kind::Block, number }) if self.blocks.contains_key(&number) => {
                    let mut target = Target { block: self.blocks[&number], args: vec![] };
                    if words.get(at).is_some_and(|t| t.text == "(") {
                        let close = words[at..].iter().position(|t| t.text == ")").map_or(words.len(), |n| at + n);
                        for word in words[at + 1..close].iter().filter(|t| t.text != ",") {
                            target.args.push(match word.name {
                                Some(Name { kind: Kind::Value, number }) => Arg::Value(self.value(number)),
                                _ => Arg::Made(word.text.into()),
                            });
                        }
                        at = close + 1;
                    }
                    node.targets.push(target);
                    node.shape.push(Piece::Target);
                }
                Some(name) if name.kind != Kind::Block => node.shape.push(Piece::Decl(name)),
                _ => node.shape.push(Piece::Text(self.renamed(word.text).into())),
            }
        }
    }
}

/// Without the source location, encodings and debug tags in front.
pub(crate) fn unplaced(text: &str) -> &str {
    let mut text = text.trim_start();
    loop {
        let end = match text.chars().next() {
            Some('@') => text.find(char::is_whitespace),
            Some('[') => text.find(']').map(|n| n + 1),
            Some('<') => text.find('>').map(|n| n + 1),
            _ => None,
        };
        match end {
            Some(end) => text = text[end..].trim_start(),
            None => return text,
        }
    }
}

/// Loads and stores, also those of other releases; the address is the last operand.
fn is_access(node: &Node) -> bool {
    let by_format = node.code.is_some_and(|c| {
        use InstructionFormat::{Load, LoadNoOffset, Store, StoreNoOffset};
        // a `bitcast` has the format of a load, for its byte order
        matches!(c.format(), Load | LoadNoOffset | Store | StoreNoOffset) && (c.can_load() || c.can_store())
    });
    let name = node.opcode.trim_start_matches(['u', 's', 'i']);
    let digits = |rest: &str| rest.bytes().all(|b| b.is_ascii_digit() || b == b'x');
    by_format
        || node.code.is_none() && ["load", "store", "tore"].iter().any(|p| name.strip_prefix(p).is_some_and(digits))
}

fn is_pure(node: &Node) -> bool {
    let Some(code) = node.code else { return false };
    if node.results.is_empty() || !node.note.is_empty() {
        return false;
    }
    // what may be anywhere, and finds the same everywhere
    if let Some(access) = &node.access {
        return code.can_load() && ["notrap", "readonly", "can_move"].iter().all(|f| access.has(f));
    }
    !(code.is_terminator()
        || code.is_branch()
        || code.is_call()
        || code.can_trap()
        || code.can_load()
        || code.can_store()
        || code.other_side_effects())
}

/// An integer of so many bits, sign-extended.
pub(crate) fn narrowed(value: i128, bits: u32) -> i128 {
    let unused = 128u32.saturating_sub(bits.max(1));
    value.wrapping_shl(unused).wrapping_shr(unused)
}

/// Finds the types of results that the text leaves out.
fn infer(func: &mut Func) {
    for block in func.flow.clone() {
        for n in func[block].insts.clone() {
            let node = &func[n];
            let operand = |at: usize| node.args.get(at).map_or(types::INVALID, |v| func[*v].ty);
            let control = match node.code {
                _ if !node.suffix.is_empty() => ty(&node.suffix).unwrap_or_default(),
                Some(code) if code.constraints().use_typevar_operand() => operand(match code.format() {
                    InstructionFormat::Ternary => 1,
                    InstructionFormat::AtomicCas => 2,
                    _ => 0,
                }),
                Some(_) => types::INVALID,
                None => operand(0),
            };
            let results: Vec<_> = match node.code {
                Some(code) if code.is_call() && code.constraints().num_fixed_results() == 0 => {
                    let callee = node.shape.iter().find_map(|p| match p {
                        Piece::Decl(name) if matches!(name.kind, Kind::Function | Kind::Signature) => Some(*name),
                        _ => None,
                    });
                    callee.map(|name| func.returns(name)).unwrap_or_default()
                }
                Some(code) => {
                    let constraints = code.constraints();
                    let known = constraints.num_fixed_results();
                    // of another type than the instruction takes, nothing follows
                    let open = constraints.ctrl_typeset().is_some_and(|set| !set.contains(control));
                    let of = |at| if open { types::INVALID } else { constraints.result_type(at, control) };
                    (0..known.min(node.results.len())).map(of).collect()
                }
                None => vec![control; node.results.len()],
            };
            for (v, ty) in node.results.clone().into_iter().zip(results) {
                func[v].ty = ty;
            }
            func[n].control = control;
        }
    }
}
