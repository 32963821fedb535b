//! The types of a program: all modules declare the same recursion group, so
//! that they are one type everywhere.
//!
//! Function types are made of lists of parameters (*inputs*) and lists of
//! results: `$f{i}_{r}` takes input `i` and gives result `r`, and `$c{i}_{r}` is
//! the continuation type of it. A tag's answer is an input as well, so what a
//! handler receives always has a type. An input may end with a *peer*, a
//! continuation of the same results: that is what `switch` passes.

use std::fmt::Write;

use crate::choices::Choices;

/// A function type: input and result.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Sig {
    pub(crate) input: usize,
    pub(crate) result: usize,
}

/// What a reference refers to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Heap {
    Func,
    Extern,
    Exn,
    Any,
    Eq,
    I31,
    Cont,
    NoCont,
    Function(Sig),
    Continuation(Sig),
    /// A structure; 1 is a subtype of 0.
    Struct(usize),
    /// An array.
    Array(usize),
}

/// A value type.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Ty {
    I32,
    I64,
    F32,
    F64,
    /// A reference that may be null.
    Ref(Heap),
    /// A reference that may not.
    NonNull(Heap),
}

impl Ty {
    pub(crate) const NUMBERS: [Self; 4] = [Self::I32, Self::I64, Self::F32, Self::F64];

    pub(crate) fn cont(sig: Sig) -> Self {
        Self::Ref(Heap::Continuation(sig))
    }

    pub(crate) fn is_number(self) -> bool {
        !matches!(self, Self::Ref(_) | Self::NonNull(_))
    }

    /// Is a value of it one of that type?
    pub(crate) fn is_sub(self, of: Self) -> bool {
        match (self, of) {
            (Self::Ref(a), Self::Ref(b)) | (Self::NonNull(a), Self::NonNull(b) | Self::Ref(b)) => a.is_sub(b),
            _ => self == of,
        }
    }

    /// As text.
    pub(crate) fn text(self) -> String {
        match self {
            Self::I32 => "i32".into(),
            Self::I64 => "i64".into(),
            Self::F32 => "f32".into(),
            Self::F64 => "f64".into(),
            Self::Ref(h) => format!("(ref null {})", h.text()),
            Self::NonNull(h) => format!("(ref {})", h.text()),
        }
    }

    /// The class under which a payload of this type is counted.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::Ref(h) | Self::NonNull(h) => match h {
                Heap::Func => "funcref",
                Heap::Extern => "externref",
                Heap::Exn => "exnref",
                Heap::Any | Heap::Eq => "anyref",
                Heap::I31 => "i31ref",
                Heap::Cont | Heap::NoCont | Heap::Continuation(_) => "contref",
                Heap::Function(_) => "typed function",
                Heap::Struct(_) => "structure",
                Heap::Array(_) => "array",
            },
        }
    }
}

/// All classes of payloads.
pub(crate) const CLASSES: [&str; 13] = [
    "i32",
    "i64",
    "f32",
    "f64",
    "funcref",
    "externref",
    "exnref",
    "anyref",
    "i31ref",
    "contref",
    "typed function",
    "structure",
    "array",
];

impl Heap {
    pub(crate) fn text(self) -> String {
        match self {
            Self::Func => "func".into(),
            Self::Extern => "extern".into(),
            Self::Exn => "exn".into(),
            Self::Any => "any".into(),
            Self::Eq => "eq".into(),
            Self::I31 => "i31".into(),
            Self::Cont => "cont".into(),
            Self::NoCont => "nocont".into(),
            Self::Function(s) => format!("$f{}_{}", s.input, s.result),
            Self::Continuation(s) => format!("$c{}_{}", s.input, s.result),
            Self::Struct(n) => format!("$s{n}"),
            Self::Array(n) => format!("$a{n}"),
        }
    }

    /// Is a reference to this one to that?
    pub(crate) fn is_sub(self, of: Self) -> bool {
        self == of
            || match of {
                Self::Any => self.is_eq() || self == Self::Eq,
                Self::Eq => self.is_eq(),
                Self::Func => matches!(self, Self::Function(_)),
                Self::Cont => matches!(self, Self::Continuation(_) | Self::NoCont),
                Self::Continuation(_) => self == Self::NoCont,
                Self::Struct(0) => self == Self::Struct(1),
                _ => false,
            }
    }

    fn is_eq(self) -> bool {
        matches!(self, Self::I31 | Self::Struct(_) | Self::Array(_))
    }
}

/// Parameters of functions, and answers to tags.
#[derive(Clone, Default, Debug)]
pub(crate) struct Input {
    pub(crate) values: Vec<Ty>,
    /// The input of the continuation that comes last.
    pub(crate) peer: Option<usize>,
}

/// What a tag is for.
#[derive(Clone, Debug)]
pub(crate) enum Purpose {
    /// `suspend`, with these values, answered by an input.
    Suspend { params: Vec<Ty>, input: usize },
    /// `switch` between continuations of a result.
    Switch { result: usize },
    /// `throw`.
    Throw { params: Vec<Ty> },
}

#[derive(Clone, Debug)]
pub(crate) struct Tag {
    pub(crate) purpose: Purpose,
    /// The module that defines it.
    pub(crate) module: usize,
    /// Another name of an earlier tag: one that serves two purposes.
    pub(crate) alias: Option<usize>,
}

/// The types and tags of a program.
#[derive(Clone, Debug, Default)]
pub(crate) struct Types {
    pub(crate) inputs: Vec<Input>,
    pub(crate) results: Vec<Vec<Ty>>,
    pub(crate) tags: Vec<Tag>,
    /// Fields of structure 0; structure 1 has one of its own behind them.
    pub(crate) fields: Vec<Ty>,
    pub(crate) own_field: Option<Ty>,
    /// Element types of arrays.
    pub(crate) arrays: Vec<Ty>,
    /// Function types with a declared subtype, `$g{n}`, and the continuation type of that, `$d{n}`.
    pub(crate) subs: Vec<Sig>,
    /// May exceptions occur?
    pub(crate) exceptions: bool,
}

impl Types {
    pub(crate) fn choose(u: &mut Choices<'_>, modules: usize) -> Self {
        let exceptions = u.chance(1, 2);
        let plain = 1 + u.below(3);
        let switches = u.below(3);
        let results = 1 + u.below(2);
        let mut t = Self { exceptions, ..Self::default() };
        // counts first: lists may name any of the types
        t.inputs = vec![Input::default(); plain + switches];
        t.results = vec![vec![]; results];
        t.fields = vec![Ty::I32];
        t.arrays = vec![Ty::I64; 2];
        let first: Vec<Ty> = (0..u.below(4)).filter_map(|_| t.ty(u)).collect();
        t.fields.extend(first);
        t.own_field = Some(t.ty(u).unwrap_or(Ty::I32));
        for n in 0..2 {
            t.arrays[n] = t.ty(u).unwrap_or(Ty::I64);
        }
        t.arrays[1] = Ty::cont(t.sig(u));
        for i in 0..plain {
            // what is left of another one when its first values are bound
            t.inputs[i].values = match i.checked_sub(1).map(|before| t.inputs[before].values.clone()) {
                Some(before) if u.chance(1, 2) => before[u.below(before.len() + 1)..].to_vec(),
                _ => t.list(u),
            };
        }
        for i in plain..plain + switches {
            t.inputs[i].values = t.list(u);
            t.inputs[i].peer = Some(if u.chance(1, 3) { u.below(plain) } else { plain + u.below(switches) });
        }
        for r in 0..results {
            t.results[r] = if u.chance(1, 2) { t.list(u) } else { vec![Ty::I32] };
        }
        // one tag for both: what its answer is
        if u.chance(1, 3) {
            t.inputs[0].values = t.results[0].clone();
        }
        for _ in 0..1 + u.below(3) {
            let purpose = Purpose::Suspend { params: t.list(u), input: u.below(plain) };
            t.tags.push(Tag { purpose, module: 0, alias: None });
        }
        // what a handler at a function's end receives
        if let (true, Purpose::Suspend { params, input }) = (results > 1 && u.chance(1, 2), &t.tags[0].purpose) {
            let sig = Sig { input: *input, result: 1 };
            t.results[1] = params.iter().copied().chain([Ty::cont(sig)]).collect();
        }
        for result in 0..results {
            for _ in 0..usize::from(switches > 0) + u.below(2) {
                t.tags.push(Tag { purpose: Purpose::Switch { result }, module: 0, alias: None });
            }
        }
        let switch = t.tags.iter().position(|tag| matches!(tag.purpose, Purpose::Switch { result: 0 }));
        if let Some(alias) = switch.filter(|_| t.inputs[0].values == t.results[0]) {
            let purpose = Purpose::Suspend { params: vec![], input: 0 };
            t.tags.push(Tag { purpose, module: 0, alias: Some(alias) });
        }
        // another tag of the same type, which is another tag
        if modules > 1 {
            let again = t.tags[u.below(t.tags.len())].purpose.clone();
            t.tags.push(Tag { purpose: again, module: 1, alias: None });
        }
        for _ in 0..if exceptions { 1 + u.below(2) } else { 0 } {
            let purpose = Purpose::Throw { params: t.list(u) };
            t.tags.push(Tag { purpose, module: 0, alias: None });
        }
        if exceptions {
            // a tag without an answer can be thrown as well
            let silent = |tag: &Tag| match &tag.purpose {
                Purpose::Suspend { params, input } if t.inputs[*input].values.is_empty() => Some(params.clone()),
                _ => None,
            };
            if let Some((alias, params)) = t.tags.iter().enumerate().find_map(|(n, tag)| Some((n, silent(tag)?))) {
                let alias = t.tags[alias].alias.unwrap_or(alias);
                let module = t.tags[alias].module;
                t.tags.push(Tag { purpose: Purpose::Throw { params }, module, alias: Some(alias) });
            }
        }
        for _ in 0..u.below(3) {
            let sig = t.sig(u);
            t.subs.push(sig);
        }
        t
    }

    /// Any function type.
    pub(crate) fn sig(&self, u: &mut Choices<'_>) -> Sig {
        Sig { input: u.below(self.inputs.len()), result: u.below(self.results.len()) }
    }

    pub(crate) fn sigs(&self) -> impl Iterator<Item = Sig> + use<> {
        let (inputs, results) = (self.inputs.len(), self.results.len());
        (0..inputs).flat_map(move |input| (0..results).map(move |result| Sig { input, result }))
    }

    /// Any type of values; `None` when there is nothing left to choose from.
    fn ty(&self, u: &mut Choices<'_>) -> Option<Ty> {
        if !u.more() {
            return None;
        }
        Some(match u.below(24) {
            0..=4 => Ty::I32,
            5 | 6 => Ty::I64,
            7 | 8 => Ty::F32,
            9 | 10 => Ty::F64,
            11 => Ty::Ref(Heap::Func),
            12 => Ty::Ref(Heap::Extern),
            13 if self.exceptions => Ty::Ref(Heap::Exn),
            14 => Ty::Ref(if u.chance(1, 2) { Heap::Any } else { Heap::Eq }),
            15 => Ty::Ref(Heap::I31),
            16 => Ty::Ref(Heap::Struct(u.below(2))),
            17 => Ty::Ref(Heap::Array(u.below(2))),
            18 => Ty::Ref(Heap::Function(self.sig(u))),
            19 => Ty::Ref(if u.chance(1, 4) { Heap::NoCont } else { Heap::Cont }),
            20..=22 => Ty::cont(self.sig(u)),
            _ => Ty::I32,
        })
    }

    /// Mostly few, at most 40.
    fn list(&self, u: &mut Choices<'_>) -> Vec<Ty> {
        let n = match u.below(16) {
            0..=2 => 0,
            3..=6 => 1,
            7..=9 => 2,
            10..=12 => 3 + u.below(6),
            13 => 9 + u.below(16),
            14 => 25 + u.below(16),
            _ => 1 + u.below(3),
        };
        (0..n).map_while(|_| self.ty(u)).collect()
    }

    pub(crate) fn params(&self, sig: Sig) -> Vec<Ty> {
        let input = &self.inputs[sig.input];
        let peer = input.peer.map(|input| Ty::cont(Sig { input, ..sig }));
        input.values.iter().copied().chain(peer).collect()
    }

    pub(crate) fn results(&self, sig: Sig) -> &[Ty] {
        &self.results[sig.result]
    }

    /// The type of a continuation that waits for less, and what has to be bound for that.
    pub(crate) fn bound(&self, to: Sig) -> Vec<(Sig, Vec<Ty>)> {
        let rest = self.params(to);
        let from = |sig: Sig| {
            let all = self.params(sig);
            let n = all.len().checked_sub(rest.len())?;
            (all[n..] == rest[..]).then(|| (sig, all[..n].to_vec()))
        };
        self.sigs().filter(|sig| sig.result == to.result).filter_map(from).collect()
    }

    /// The name of a tag.
    pub(crate) fn tag(&self, n: usize) -> String {
        format!("$t{}", self.tags[n].alias.unwrap_or(n))
    }

    /// What the type section says, the same for every module.
    pub(crate) fn text(&self) -> String {
        let list = |what: &str, all: &[Ty]| match all {
            [] => String::new(),
            all => format!(" ({what} {})", all.iter().map(|t| t.text()).collect::<Vec<_>>().join(" ")),
        };
        let mut out = String::from("  (rec\n");
        for sig in self.sigs() {
            let (f, c) = (Heap::Function(sig).text(), Heap::Continuation(sig).text());
            let of = format!("(func{}{})", list("param", &self.params(sig)), list("result", self.results(sig)));
            let (of, cont) = match self.subs.contains(&sig) {
                true => (format!("(sub {of})"), format!("(sub (cont {f}))")),
                false => (of, format!("(cont {f})")),
            };
            let _ = writeln!(out, "    (type {f} {of})\n    (type {c} {cont})");
        }
        let field = |t: &Ty| format!(" (field (mut {}))", t.text());
        let fields: String = self.fields.iter().map(field).collect();
        let own: String = self.own_field.iter().map(field).collect();
        let _ = writeln!(out, "    (type $s0 (sub (struct{fields})))\n    (type $s1 (sub $s0 (struct{fields}{own})))");
        for (n, t) in self.arrays.iter().enumerate() {
            let _ = writeln!(out, "    (type $a{n} (array (mut {})))", t.text());
        }
        for (n, sig) in self.subs.iter().enumerate() {
            // it takes more and gives less
            let wide = |t: Ty| match t {
                Ty::Ref(Heap::Continuation(_)) => Ty::Ref(Heap::Cont),
                Ty::Ref(Heap::Struct(1)) => Ty::Ref(Heap::Struct(0)),
                t => t,
            };
            let params: Vec<Ty> = self.params(*sig).into_iter().map(wide).collect();
            let results: Vec<Ty> = self.results(*sig).iter().map(|t| narrow(*t)).collect();
            let (f, c) = (Heap::Function(*sig).text(), Heap::Continuation(*sig).text());
            let of = format!("(func{}{})", list("param", &params), list("result", &results));
            let _ = writeln!(out, "    (type $g{n} (sub {f} {of}))\n    (type $d{n} (sub {c} (cont $g{n})))");
        }
        out.push_str("  )\n");
        out
    }

    /// The type of a tag, as text.
    pub(crate) fn tag_text(&self, n: usize) -> String {
        let (params, results) = match &self.tags[n].purpose {
            Purpose::Suspend { params, input } => (params.clone(), self.inputs[*input].values.clone()),
            Purpose::Switch { result } => (vec![], self.results[*result].clone()),
            Purpose::Throw { params } => (params.clone(), vec![]),
        };
        let all =
            |what: &str, list: &[Ty]| -> String { list.iter().map(|t| format!(" ({what} {})", t.text())).collect() };
        all("param", &params) + &all("result", &results)
    }
}

/// The type that a declared subtype has for a result.
pub(crate) fn narrow(t: Ty) -> Ty {
    match t {
        Ty::Ref(Heap::Any) => Ty::Ref(Heap::Eq),
        Ty::Ref(Heap::Eq) => Ty::Ref(Heap::I31),
        Ty::Ref(Heap::Cont) => Ty::Ref(Heap::NoCont),
        t => t,
    }
}
