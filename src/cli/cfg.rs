//! `cfg`: the control flow of a function, as a picture.

use clap::Args;
use clif_cont::cfg::{Detail, Graph, mermaid, svg};
use clif_cont::diag::{Diagnostic, Place, Severity, Source};
use clif_cont::finish::FinishError;
use clif_cont::load::{InputKind, explain, read as read_program, read_text};
use clif_cont::program::target::OptLevel;
use clif_cont::program::{Program, Target, Valid};
use clif_cont::protocol::{PROFILES, profile};

use super::io::{End, Ended, Format, Input, USAGE, Ui, failure, forms, read};
use super::lower::TargetArgs;
use super::verify::in_comments;

/// Draw the control-flow graph of a function
///
/// Blocks have their instructions, or with `--brief` the operations they stand for; edges are
/// named by what takes them: a check that passes or fails, the handler of a tag, an exception.
/// Blue blocks switch stacks, red ones trap, dashed ones are cold. Of a large function the
/// blocks next to its entry are drawn, and what is missing is said.
#[derive(Args)]
pub(crate) struct Cfg {
    /// A .wat, .wasm or .clif file, text with CLIF in its comments, or `-` for standard input
    input: String,
    /// The function; it can be left out where there is only one
    #[arg(long, value_name = "NAME")]
    func: Option<String>,
    /// Operations, checks and calls instead of instructions
    #[arg(long)]
    brief: bool,
    /// The layout and protocol that the code is meant for
    #[arg(long, value_name = "PROFILE", value_parser = PROFILES, default_value = PROFILES[0])]
    abi: String,
    #[command(flatten)]
    target: TargetArgs,
    /// A picture, a Mermaid flowchart for a comment, or a line of JSON with `"schema": 1`
    #[arg(long, value_name = "FORMAT", default_value = "svg", help_heading = "Output",
        value_parser = forms([Format::Svg, Format::Mermaid, Format::Json]))]
    format: Format,
}

impl Cfg {
    pub(crate) fn run(&self, ui: &Ui) -> Ended {
        let (program, source) = self.load(&read(&self.input)?)?;
        let wanted = self.func.as_deref().map(|name| name.trim_start_matches('%'));
        let function = match wanted {
            Some(name) => program.function(name),
            None => Some(&program.functions[0]).filter(|_| program.functions.len() == 1),
        };
        let Some(function) = function else {
            let message = wanted
                .map_or("a function has to be named: `--func NAME`".to_owned(), |name| format!("no function `{name}`"));
            let known: Vec<_> = program.functions.iter().map(|f| f.name()).collect();
            let diagnostic = Diagnostic::error(message).at(Place::whole(&source));
            return Err(failure(USAGE, diagnostic.note(format!("there are: {}", known.join(", ")))));
        };
        let profile = profile(&self.abi, &program.target)
            .ok_or_else(|| failure(USAGE, Diagnostic::error(format!("there is no profile `{}`", self.abi))))?;
        let detail = if self.brief { Detail::Brief } else { Detail::Instructions };
        let graph = Graph::new(&program, function, &profile, detail);
        for left in &graph.left_out {
            let mut warning = Diagnostic::error(format!("%{}: not drawn: {left}", graph.name));
            warning.severity = Severity::Warning;
            ui.report(&warning.at(Place::whole(&source)));
        }
        match self.format {
            Format::Json => ui.json_line(graph.json())?,
            Format::Mermaid => ui.write(mermaid(&graph).as_bytes())?,
            _ => ui.write(svg(&graph).as_bytes())?,
        }
        Ok(0)
    }

    /// What is drawn need not be right, nor complete.
    fn load(&self, input: &Input) -> Result<(Program, Source), End> {
        let Input { name, bytes } = input;
        let comments = in_comments(bytes);
        let kind = if comments.is_some() { InputKind::Clif } else { InputKind::detect(name, bytes) };
        let bytes = comments.map_or_else(|| bytes.clone(), String::into_bytes);
        let source = Source::new(name, &bytes);
        let foreign = self.abi != PROFILES[0];
        // other producers write no header; their only target is this one
        let target = self.target.target()?.or(foreign.then(|| Target::new(clif_cont::abi::Isa::X86_64)));
        let program = match kind {
            InputKind::Clif if !bytes.is_empty() && source.text().is_some() => read_text(&source, target)?,
            _ => read_program(name, &bytes, target)?,
        };
        self.target.memory.check(&program, &source)?;
        if self.target.opt == OptLevel::None {
            return Ok((program, source));
        }
        let optimized = Valid::new(program).and_then(|valid| valid.optimize(self.target.opt));
        let optimized = optimized.map_err(|e| explain(FinishError::Prepare(e), &source, kind))?;
        Ok((Program::clone(&optimized), source))
    }
}
