//! `diff`: what really changed between two versions; `canonical`: one version, in
//! names that change only where the code does.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Args;
use clif_cont::diag::Diagnostic;
use clif_cont::diff::format::{self, Show};
use clif_cont::diff::{Diff as Difference, Options, Text, canonical, diff};
use clif_cont::finish::FinishError;
use clif_cont::load::{InputKind, explain};
use clif_cont::program::Valid;
use clif_cont::program::text::{Annotate, PrintOptions, print};
use clif_cont_output::line;
use serde_json::json;

use super::io::{End, Ended, Format, Input, MISMATCH, USAGE, Ui, failure, forms, read};
use super::lower::{TargetArgs, load_input_bytes};

/// Compare two versions of generated code by what they do
///
/// Functions are matched by structure, and the new side is printed in the old
/// side's names: what only has another number, place in the file, or order among
/// independent instructions is no difference. OLD and NEW are files or folders: CLIF
/// of any release of Cranelift, WebAssembly text with CLIF in its comments (golden
/// files), or any input of `lower`, which is lowered first.
#[derive(Args)]
pub(crate) struct Diff {
    /// OLD and NEW, `-` for standard input; with `--git`, what git gives an external diff
    #[arg(required = true, value_name = "OLD NEW", num_args = 1..)]
    inputs: Vec<String>,
    /// Called by git, with one, seven or nine arguments: `git config diff.clif.command 'clif-cont diff --git'`
    #[arg(long)]
    git: bool,
    /// Only this function
    #[arg(long, value_name = "NAME")]
    func: Option<String>,
    /// A line for each function
    #[arg(long)]
    summary: bool,
    /// Do not list instructions that changed places with independent ones
    #[arg(long)]
    ignore_moves: bool,
    /// Do not list instructions whose operands are the other way round
    #[arg(long)]
    ignore_commuted: bool,
    #[command(flatten)]
    target: TargetArgs,
    /// Text, as `diff -u`, JSON lines with `"schema": 1`, Markdown for a comment, or a page side by side
    #[arg(long, value_name = "FORMAT", default_value = "human", help_heading = "Output",
        value_parser = forms([Format::Human, Format::Unified, Format::Json, Format::Markdown, Format::Html]))]
    format: Format,
}

/// Print CLIF in names that change only where the code does
///
/// For `git config diff.clif.textconv 'clif-cont canonical'`, and for snapshots.
/// Numbers of values, blocks and declarations follow from what is there, not from
/// how many came before; source locations are left out. What is not CLIF stays as it is.
#[derive(Args)]
pub(crate) struct Canonical {
    /// CLIF, or text with CLIF in its comments; `-` for standard input
    input: String,
}

/// Two files that are compared.
struct Pair {
    /// What both are called.
    name: String,
    old: Option<Input>,
    new: Option<Input>,
}

impl Canonical {
    pub(crate) fn run(&self, ui: &Ui) -> Ended {
        let input = read(&self.input)?;
        match std::str::from_utf8(&input.bytes) {
            Ok(text) => ui.write(canonical(text).as_bytes())?,
            Err(_) => ui.write(&input.bytes)?,
        }
        Ok(0)
    }
}

fn utf8(input: &Input) -> Result<String, End> {
    String::from_utf8(input.bytes.clone())
        .map_err(|e| failure(USAGE, Diagnostic::error(format!("`{}` is no text", input.name)).caused_by(&e)))
}

impl Diff {
    pub(crate) fn run(&self, ui: &Ui) -> Ended {
        let pairs = if self.git { self.given_by_git(ui)? } else { self.given()? };
        let mut different = false;
        let mut pages = vec![];
        for pair in pairs {
            match self.pair(ui, &pair, &mut pages) {
                Ok(equal) => different |= !equal,
                // git would stop at this file, and show none of those behind it
                Err(End::Failed(why)) if self.git && why.exit == USAGE => {
                    ui.line(&format!("{}: not compared: {}", pair.name, why.diagnostic.message))?;
                }
                Err(end) => return Err(end),
            }
        }
        if self.format == Format::Html {
            ui.write(format::html(&pages).as_bytes())?;
        }
        Ok(if different && !self.git { MISMATCH } else { 0 })
    }

    /// Compares and shows; are they equal?
    fn pair(&self, ui: &Ui, pair: &Pair, pages: &mut Vec<(String, Difference)>) -> Result<bool, End> {
        let text = |input: &Option<Input>| input.as_ref().map_or(Ok(Text::default()), |i| self.text(ui, i));
        let options = Options { only: self.func.clone() };
        let (old, new) = (text(&pair.old)?, text(&pair.new)?);
        self.check_function(pair, &old, &new)?;
        let found = diff(&old, &new, &options);
        self.show(ui, pair, &found, pages)?;
        Ok(found.is_equal())
    }

    /// A misspelt name would compare nothing, and be equal.
    fn check_function(&self, pair: &Pair, old: &Text, new: &Text) -> Result<(), End> {
        let Some(name) = &self.func else { return Ok(()) };
        let mut known = old.names();
        known.extend(new.names());
        let bare = |name: &str| name.trim_start_matches('%').to_owned();
        if known.iter().any(|n| bare(n) == bare(name)) || self.inputs.iter().any(|i| Path::new(i).is_dir()) {
            return Ok(());
        }
        known.dedup();
        let diagnostic = Diagnostic::error(format!("no function `{name}` in `{}`", pair.name));
        Err(failure(USAGE, diagnostic.note(format!("there are: {}", known.join(", ")))))
    }

    /// Two files, or what two folders have.
    fn given(&self) -> Result<Vec<Pair>, End> {
        let [old, new] = &self.inputs[..] else {
            return Err(failure(USAGE, Diagnostic::error("two inputs are compared: OLD and NEW")));
        };
        if old == "-" && new == "-" {
            return Err(failure(USAGE, Diagnostic::error("only one input can be standard input")));
        }
        match (Path::new(old).is_dir(), Path::new(new).is_dir()) {
            (false, false) => Ok(vec![Pair { name: new.clone(), old: Some(read(old)?), new: Some(read(new)?) }]),
            (true, true) => {
                let mut names = files(Path::new(old))?;
                names.extend(files(Path::new(new))?);
                let side = |root: &str, name: &Path| -> Result<Option<Input>, End> {
                    let path = Path::new(root).join(name);
                    path.is_file().then(|| read(&path.display().to_string())).transpose()
                };
                names
                    .iter()
                    .map(|name| {
                        Ok(Pair { name: name.display().to_string(), old: side(old, name)?, new: side(new, name)? })
                    })
                    .collect()
            }
            _ => Err(failure(USAGE, Diagnostic::error("a folder is compared with a folder, a file with a file"))),
        }
    }

    /// `PATH OLD-FILE OLD-HEX OLD-MODE NEW-FILE NEW-HEX NEW-MODE`, and of a renamed
    /// file `NEW-PATH EXPLANATION`; of a file with a conflict its path alone.
    fn given_by_git(&self, ui: &Ui) -> Result<Vec<Pair>, End> {
        let given: Vec<&str> = self.inputs.iter().map(String::as_str).collect();
        let (path, old, new, modes, renamed) = match given[..] {
            [path] => {
                ui.line(&format!("{path}: not merged"))?;
                return Ok(vec![]);
            }
            [path, old, _, was, new, _, is] => (path, old, new, [was, is], None),
            [path, old, _, was, new, _, is, renamed, _] => (path, old, new, [was, is], Some(renamed)),
            _ => {
                let diagnostic = Diagnostic::error(format!("git gives 1, 7 or 9 arguments, not {}", given.len()));
                return Err(failure(USAGE, diagnostic));
            }
        };
        let side = |file: &str, name: &str| -> Result<Option<Input>, End> {
            if file == "/dev/null" {
                return Ok(None);
            }
            // the temporary file's name is not the file's
            Ok(Some(Input { name: name.to_owned(), ..read(file)? }))
        };
        let name = renamed.map_or(path.to_owned(), |to| format!("{path} -> {to}"));
        if let ([was, is], true) = (modes, old != "/dev/null" && new != "/dev/null" && modes[0] != modes[1]) {
            ui.line(&format!("{name}: mode {was} -> {is}"))?;
        }
        Ok(vec![Pair { name, old: side(old, path)?, new: side(new, renamed.unwrap_or(path))? }])
    }

    /// The CLIF of an input: its own, or what it is lowered to.
    fn text(&self, ui: &Ui, input: &Input) -> Result<Text, End> {
        let own = std::str::from_utf8(&input.bytes).ok().map(Text::new);
        let is_wasm = InputKind::detect(&input.name, &input.bytes) == InputKind::Wasm;
        match own {
            // golden files without a function say what they are
            Some(text) if !text.is_empty() || !is_wasm || text.has_directives() => return Ok(text),
            _ if !is_wasm => return Ok(Text::new(&utf8(input)?)),
            _ => {}
        }
        let loaded = load_input_bytes(ui, input, self.target.target()?)?;
        // what is compared need not be right
        let optimized = Valid::new(loaded.program).and_then(|valid| valid.optimize(self.target.opt));
        let program = optimized.map_err(|e| explain(FinishError::Prepare(e), &loaded.source, loaded.kind))?;
        Ok(Text::new(&print(&program, PrintOptions { func: None, annotate: Annotate::Blocks })))
    }

    fn show(&self, ui: &Ui, pair: &Pair, found: &Difference, pages: &mut Vec<(String, Difference)>) -> Result<(), End> {
        let show = Show { moves: !self.ignore_moves, commuted: !self.ignore_commuted, ..Show::default() };
        let several = self.git || self.inputs.iter().any(|i| Path::new(i).is_dir());
        let side = |input: &Option<Input>| input.as_ref().map_or("/dev/null", |i| &i.name).to_owned();
        let title = if several { format!("{}\n", pair.name) } else { String::new() };
        match self.format {
            Format::Json => ui.json_line(json!({
                "kind": "diff", "file": pair.name, "old": side(&pair.old), "new": side(&pair.new),
                "diff": format::json(found),
            })),
            Format::Html => {
                pages.push((pair.name.clone(), found.clone()));
                Ok(())
            }
            Format::Markdown => ui.write(format::markdown(found, &pair.name, show).as_bytes()),
            _ if self.summary => ui.lines(&format!("{title}{}", format::summary(found))),
            Format::Unified => {
                let (old, new) = (side(&pair.old), side(&pair.new));
                ui.write(format::unified(found, &line(&old), &line(&new)).as_bytes())
            }
            _ => {
                let text = format::human(found, show);
                if text.is_empty() && (self.git || ui.verbose) {
                    return ui.line(&format!("{}: no difference", pair.name));
                }
                if text.is_empty() { Ok(()) } else { ui.coloured(&format!("{title}{text}")) }
            }
        }
    }
}

/// Puts a `--` in front of what git gives, for a path may begin with `-`.
pub(crate) fn shield_paths(mut words: Vec<OsString>) -> Vec<OsString> {
    let has = |word: &str| words.iter().any(|w| w == word);
    if has("--") || !(has("canonical") || has("diff") && has("--git")) {
        return words;
    }
    // modes are octal, or `.` where there is no file
    let is_mode = |from_end: usize| {
        let word = words.len().checked_sub(from_end).and_then(|at| words[at].to_str());
        word.is_some_and(|w| w == "." || w.len() == 6 && w.bytes().all(|b| (b'0'..b'8').contains(&b)))
    };
    let given = if is_mode(6) && is_mode(3) {
        9
    } else if is_mode(4) && is_mode(1) {
        7
    } else {
        1
    };
    let at = words.len().saturating_sub(given);
    let is_option = |word: &OsString| word.as_encoded_bytes().starts_with(b"-") && word != "-";
    let is_path = given > 1 || words.last().is_some_and(|last| Path::new(last).is_file());
    if is_path && words[at..].iter().any(is_option) {
        words.insert(at, "--".into());
    }
    words
}

/// Files under a folder that may have CLIF, by their path from there.
fn files(root: &Path) -> Result<BTreeSet<PathBuf>, End> {
    let mut result = BTreeSet::new();
    let mut open = vec![root.to_owned()];
    while let Some(dir) = open.pop() {
        let broken = |e: std::io::Error| {
            failure(USAGE, Diagnostic::error(format!("cannot read `{}`", dir.display())).caused_by(&e))
        };
        for entry in std::fs::read_dir(&dir).map_err(broken)? {
            let entry = entry.map_err(broken)?;
            let path = entry.path();
            // a link may lead back here
            if entry.file_type().map_err(broken)?.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| ["clif", "wat", "wast", "wasm"].iter().any(|k| e == *k))
                && let Ok(name) = path.strip_prefix(root)
            {
                result.insert(name.to_owned());
            }
        }
    }
    Ok(result)
}
