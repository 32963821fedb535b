//! What every subcommand shares: input, output, colours, formats, exit codes.
//!
//! All that is printed passes [`Ui`], and there the escaping for its sink: no method takes
//! text and leaves it as it is but [`Ui::write`], for what has a form of its own.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgMatches, Args, Command, ValueEnum};
use clif_cont::backend::Fault;
use clif_cont::diag::{Diagnostic, Finding, Style};
use clif_cont::load::{LoadError, LoadErrorKind};
use clif_cont::program::HostError;
use clif_cont_output::{OutputFile, Progress, coloured, json, line, lines, same_file};

/// Exit code: findings, failed tests, a mismatch.
pub(crate) const MISMATCH: u8 = 1;
/// Exit code: usage, I/O, parse or validation error.
pub(crate) const USAGE: u8 = 2;
/// Exit code: unsupported.
pub(crate) const UNSUPPORTED: u8 = 3;
/// Exit code: the program trapped.
pub(crate) const TRAPPED: u8 = 4;
/// Exit code: out of fuel, time or memory.
pub(crate) const EXHAUSTED: u8 = 5;
/// Exit code: a bug of ours.
pub(crate) const BUG: u8 = 101;

/// Options that stand before or behind the subcommand.
#[derive(Args)]
pub(crate) struct Streams {
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE", help_heading = "Output", global = true)]
    output: Option<PathBuf>,
    /// Colours in messages
    #[arg(long, value_name = "WHEN", default_value = "auto", help_heading = "Output", global = true)]
    color: ColorWhen,
    /// Form of the output and of errors; a subcommand says which it has
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "human",
        help_heading = "Output",
        global = true,
        hide_possible_values = true
    )]
    format: Format,
    /// No output but results and errors
    #[arg(short, long, conflicts_with = "verbose", help_heading = "Output", global = true)]
    quiet: bool,
    /// More about what is done
    #[arg(short, long, help_heading = "Output", global = true)]
    verbose: bool,
}

/// The forms that a subcommand has.
pub(crate) fn forms<const N: usize>(forms: [Format; N]) -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(forms.iter().filter_map(ValueEnum::to_possible_value))
        .try_map(|name| Format::from_str(&name, false))
}

/// The command, with forms of output for subcommands that do not say which they have.
pub(crate) fn with_forms(command: Command) -> Command {
    let form = Arg::new("format").long("format").value_name("FORMAT").default_value("human");
    let form = form
        .help("Text, or JSON lines with `\"schema\": 1`")
        .help_heading("Output")
        .value_parser(forms([Format::Human, Format::Json]));
    command.mut_subcommands(|subcommand| {
        if subcommand.get_arguments().any(|arg| arg.get_id() == "format") {
            return subcommand;
        }
        subcommand.arg(form.clone())
    })
}

/// What clap checks only of options on one side of the subcommand.
pub(crate) fn check_sides(command: &Command, matches: &ArgMatches) -> Result<(), clap::Error> {
    let Some((name, given)) = matches.subcommand() else { return Ok(()) };
    let Some(subcommand) = command.find_subcommand(name) else { return Ok(()) };
    let error = |kind| clap::Error::new(kind).with_cmd(subcommand);
    let text = |text: &str| ContextValue::String(text.to_owned());
    if given.get_flag("quiet") && given.get_flag("verbose") {
        let mut error = error(ErrorKind::ArgumentConflict);
        error.insert(ContextKind::InvalidArg, text("--quiet"));
        error.insert(ContextKind::PriorArg, text("--verbose"));
        return Err(error);
    }
    let forms = subcommand.get_arguments().find(|a| a.get_id() == "format").map(|a| a.get_possible_values());
    let value = given.get_one::<Format>("format").and_then(ValueEnum::to_possible_value);
    let (Some(forms), Some(value)) = (forms, value) else { return Ok(()) };
    if forms.iter().any(|form| form.get_name() == value.get_name()) {
        return Ok(());
    }
    let mut error = error(ErrorKind::InvalidValue);
    error.insert(ContextKind::InvalidArg, text("--format <FORMAT>"));
    error.insert(ContextKind::InvalidValue, text(value.get_name()));
    let valid = forms.iter().map(|form| form.get_name().to_owned()).collect();
    error.insert(ContextKind::ValidValue, ContextValue::Strings(valid));
    Err(error)
}

#[derive(Clone, Copy, ValueEnum)]
enum ColorWhen {
    Auto,
    Always,
    Never,
}

/// The form of output.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Human,
    Short,
    Unified,
    Json,
    Sarif,
    Markdown,
    Html,
    Svg,
    Mermaid,
}

/// An error to report, and the exit code that goes with it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: u8,
    pub(crate) diagnostic: Diagnostic,
    /// What it speaks of, reported before it.
    pub(crate) findings: Vec<Finding>,
}

/// Why a subcommand stopped before its end.
#[derive(Debug)]
pub(crate) enum End {
    /// With an error.
    Failed(Box<Failure>),
    /// Who reads our output has gone: nothing to say, and nobody to say it to.
    ReaderGone,
}

/// What a subcommand ends with: an exit code, or an error.
pub(crate) type Ended = Result<u8, End>;

/// An error with an exit code.
pub(crate) fn failure(exit: u8, diagnostic: Diagnostic) -> End {
    End::Failed(Box::new(Failure { exit, diagnostic, findings: vec![] }))
}

/// A fault of this program.
pub(crate) fn bug(message: &str) -> Diagnostic {
    Diagnostic::error(format!("this is a bug of clif-cont: {message}"))
        .help("please report it with the input and the command line")
}

/// What is said when code of the program ends this process by a fault.
pub(crate) fn last_words(fault: Fault, what: &str, as_json: bool) -> (String, u8) {
    let (class, exit) = match fault {
        Fault::Trap => ("trap", TRAPPED),
        Fault::Violation => ("violation", MISMATCH),
    };
    let diagnostic = Diagnostic::error(format!("{class}: the program was ended by {what}"))
        .help("under `interpret` it ends with the place and the reason");
    let text = if as_json {
        format!("{}\n", json(&diagnostic.to_json().to_string()))
    } else {
        diagnostic.render(Style::Plain)
    };
    (text, exit)
}

impl From<LoadError> for End {
    fn from(error: LoadError) -> Self {
        let LoadError { kind, diagnostic, findings } = error;
        Self::Failed(Box::new(Failure { exit: exit_code(kind), diagnostic: *diagnostic, findings }))
    }
}

/// The exit code of a refused input.
pub(crate) fn exit_code(kind: LoadErrorKind) -> u8 {
    match kind {
        LoadErrorKind::Invalid => USAGE,
        LoadErrorKind::Unsupported => UNSUPPORTED,
        LoadErrorKind::Bug => BUG,
        LoadErrorKind::Refuted => MISMATCH,
    }
}

/// Where output and messages go. It is shared with the thread that ends the process when its
/// time is over.
pub(crate) struct Ui {
    pub(crate) format: Format,
    pub(crate) quiet: bool,
    pub(crate) verbose: bool,
    output: Option<PathBuf>,
    file: Mutex<Option<OutputFile>>,
    /// How far it is; what is printed goes around it.
    pub(crate) progress: Progress,
    /// What kept a host function from printing; whoever invoked it asks.
    broken: Mutex<Option<End>>,
}

impl Ui {
    pub(crate) fn new(streams: &Streams) -> Self {
        let choice = match streams.color {
            ColorWhen::Auto => anstream::ColorChoice::Auto,
            ColorWhen::Always => anstream::ColorChoice::Always,
            ColorWhen::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
        Self {
            format: streams.format,
            quiet: streams.quiet,
            verbose: streams.verbose,
            output: streams.output.clone(),
            file: Mutex::new(None),
            progress: Progress::default(),
            broken: Mutex::new(None),
        }
    }

    /// Does output go to a terminal?
    pub(crate) fn is_terminal(&self) -> bool {
        self.output.is_none() && io::stdout().is_terminal()
    }

    /// Is output JSON?
    pub(crate) fn json(&self) -> bool {
        self.format == Format::Json
    }

    /// Refuses a second file to write that is the one of `--output`.
    pub(crate) fn other_than_output(&self, option: &str, path: &Path) -> Result<(), End> {
        match &self.output {
            Some(output) if same_file(output, path) => {
                let message = format!("`{option}` and `--output` name the same file, `{}`", path.display());
                Err(failure(USAGE, Diagnostic::error(message)))
            }
            _ => Ok(()),
        }
    }

    /// Writes output bytes, which have a form of their own: CLIF, assembly, an object. The
    /// output file is beside its place until [`Ui::commit`].
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<(), End> {
        let Some(path) = &self.output else {
            // Output is never coloured, and may be binary.
            let print = || {
                let mut stdout = io::stdout().lock();
                stdout.write_all(bytes).and_then(|()| stdout.flush())
            };
            return self.progress.around(print).map_err(|e| broken(e, "standard output"));
        };
        let mut file = locked(&self.file);
        let written = match &mut *file {
            Some(file) => file.write_all(bytes),
            None => OutputFile::create(path).and_then(|new| file.insert(new).write_all(bytes)),
        };
        written.map_err(|e| broken(e, &format!("`{}`", path.display())))
    }

    /// Puts the output file in its place, if one was written.
    pub(crate) fn commit(&self) -> Result<(), End> {
        let file = locked(&self.file).take();
        let (Some(file), Some(path)) = (file, &self.output) else { return Ok(()) };
        file.commit().map_err(|e| broken(e, &format!("`{}`", path.display())))
    }

    /// Writes lines of output that may have colours: they reach terminals only.
    pub(crate) fn coloured(&self, text: &str) -> Result<(), End> {
        let text = coloured(text);
        if self.output.is_some() {
            return self.write(anstream::adapter::strip_str(&text).to_string().as_bytes());
        }
        let print = || {
            let mut stdout = anstream::stdout().lock();
            stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
        };
        self.progress.around(print).map_err(|e| broken(e, "standard output"))
    }

    /// Writes a line of output.
    pub(crate) fn line(&self, text: &str) -> Result<(), End> {
        self.write(format!("{}\n", line(text)).as_bytes())
    }

    /// Writes lines of output, each with its end.
    pub(crate) fn lines(&self, text: &str) -> Result<(), End> {
        self.write(lines(text).as_bytes())
    }

    /// Writes a line of JSON output, adding the schema's version.
    pub(crate) fn json_line(&self, mut value: serde_json::Value) -> Result<(), End> {
        if let Some(object) = value.as_object_mut() {
            object.insert("schema".to_owned(), clif_cont::diag::SCHEMA.into());
        }
        self.json_text(&value.to_string())
    }

    /// Writes a line of JSON output that is text already.
    pub(crate) fn json_text(&self, text: &str) -> Result<(), End> {
        self.write(format!("{}\n", json(text)).as_bytes())
    }

    /// Prints a line for a host function. When that fails the program has to be ended:
    /// [`Ui::printed`] says why then.
    pub(crate) fn print(&self, text: &str, value: serde_json::Value) -> Result<(), HostError> {
        let printed = if self.json() { self.json_line(value) } else { self.line(text) };
        printed.map_err(|end| {
            *locked(&self.broken) = Some(end);
            HostError("what it prints cannot be written".to_owned())
        })
    }

    /// Whether all could be written that host functions printed.
    pub(crate) fn printed(&self) -> Result<(), End> {
        locked(&self.broken).take().map_or(Ok(()), Err)
    }

    /// Writes a message for the user to standard error; it has no effect on the
    /// outcome whether anybody reads it.
    pub(crate) fn message(&self, text: &str) {
        if self.json() {
            let text = text.trim_end();
            let value = serde_json::json!({ "schema": clif_cont::diag::SCHEMA, "kind": "message", "text": text });
            self.say(&format!("{}\n", json(&value.to_string())));
        } else {
            self.say(&lines(text));
        }
    }

    /// Writes what is safe to show.
    fn say(&self, text: &str) {
        let _ = self.progress.around(|| anstream::stderr().lock().write_all(text.as_bytes()));
    }

    /// Says something that only `-v` asks for.
    pub(crate) fn detail(&self, text: &str) {
        if self.verbose {
            self.message(&format!("{}\n", line(text)));
        }
    }

    /// Reports an error: to standard error as text, or as JSON.
    pub(crate) fn report(&self, diagnostic: &Diagnostic) {
        if self.json() {
            self.say(&format!("{}\n", json(&diagnostic.to_json().to_string())));
        } else {
            self.say(&diagnostic.render(Style::Coloured));
        }
    }

    /// Reports why a subcommand stopped.
    pub(crate) fn fail(&self, failure: &Failure) {
        failure.findings.iter().for_each(|finding| self.finding(finding));
        self.report(&failure.diagnostic);
    }

    /// Reports what a verifier found, to standard error.
    pub(crate) fn finding(&self, finding: &Finding) {
        let text =
            if self.json() { json(&finding.to_json_line()).into_owned() } else { finding.render(Style::Coloured) };
        self.say(&format!("{text}\n"));
    }
}

/// What is behind a mutex, also when somebody panicked who had it: it is whole at any time.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn broken(error: io::Error, what: &str) -> End {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return End::ReaderGone;
    }
    failure(USAGE, Diagnostic::error(format!("cannot write to {what}")).caused_by(&error))
}

/// An input: its name for messages, and its bytes.
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// Reads a file, or standard input for `-`.
pub(crate) fn read(path: &str) -> Result<Input, End> {
    let mut bytes = vec![];
    let (name, result) = match path {
        "-" => ("<stdin>".to_owned(), io::stdin().lock().read_to_end(&mut bytes)),
        path => {
            let file = std::fs::File::open(path);
            (path.to_owned(), file.and_then(|mut f| f.read_to_end(&mut bytes)))
        }
    };
    match result {
        Ok(_) => {
            // what some editors put in front of text is no part of it
            if bytes.starts_with("\u{feff}".as_bytes()) {
                bytes.drain(.."\u{feff}".len());
            }
            Ok(Input { name, bytes })
        }
        Err(error) => Err(failure(USAGE, Diagnostic::error(format!("cannot read `{name}`")).caused_by(&error))),
    }
}

/// `1 function`, `2 functions`.
pub(crate) fn count(n: impl Into<u64>, what: &str) -> String {
    let n = n.into();
    let plural = if n == 1 { "" } else { "s" };
    format!("{n} {what}{plural}")
}

/// The value of `--format` in arguments that clap refuses.
pub(crate) fn wanted_format(args: impl Iterator<Item = OsString>) -> Option<String> {
    let args: Vec<_> = args.map(|a| a.to_string_lossy().into_owned()).collect();
    let behind = args.windows(2).find(|w| w[0] == "--format").map(|w| w[1].clone());
    behind.or_else(|| args.iter().find_map(|a| a.strip_prefix("--format=").map(str::to_owned)))
}

/// Prints what clap says: help and version to standard output, errors to standard error, in
/// colours unless it repeats what must not be shown as it is.
pub(crate) fn print_clap(error: &clap::Error) {
    let shown = |arg: &OsString| line(&arg.to_string_lossy()).into_owned();
    let hidden: Vec<_> = std::env::args_os().filter(|arg| shown(arg) != arg.to_string_lossy()).collect();
    if hidden.is_empty() {
        let _ = error.print();
        return;
    }
    // the text has no escape sequences, so it has none of the argument's either
    let as_repeated = |arg: &OsString| anstream::adapter::strip_str(&arg.to_string_lossy()).to_string();
    let text = error.render().to_string();
    let text = hidden.iter().fold(text, |text, arg| text.replace(&as_repeated(arg), &shown(arg)));
    clif_cont_output::print_error(format_args!("{}", lines(&text)));
}

/// What clap says of a wrong command line, as one of our errors.
pub(crate) fn usage_error(error: &clap::Error) -> Diagnostic {
    let text = error.to_string();
    let mut paragraphs = text.split("\n\n").map(|p| p.split_whitespace().collect::<Vec<_>>().join(" "));
    let first = paragraphs.next().unwrap_or_default();
    let diagnostic = Diagnostic::error(first.strip_prefix("error: ").unwrap_or(&first));
    paragraphs.filter(|p| !p.is_empty()).fold(diagnostic, Diagnostic::note)
}

/// Aligns the columns of a table, two blanks between them; the first row is the
/// header.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|r| r.get(column)).map(|c| c.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{cell:width$}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
