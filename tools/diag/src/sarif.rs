//! Findings as a SARIF 2.1.0 log, which code hosts show at the lines of a change.
//!
//! One run of one tool: its rules with their help, a result for each finding,
//! never merged, and a notification for each input that could not be read. The
//! place of a result is in the input as it was named, for only that is something
//! that a code host has; where the input is WebAssembly and a finding concerns
//! the code made of it, the place is what the instruction was made of, and the
//! logical location names function and instruction. It knows no rule by itself.

use std::collections::BTreeMap;

use clif_cont_output::{json, line};
use serde_sarif::sarif::{
    ArtifactContent, ArtifactLocation, CodeFlow, Invocation, Location, LogicalLocation, Message,
    MultiformatMessageString, Notification, PhysicalLocation, PropertyBag, Region, ReportingConfiguration,
    ReportingDescriptor, Result as SarifResult, ResultLevel, Run, Sarif, ThreadFlow, ThreadFlowLocation, Tool,
    ToolComponent,
};

use crate::{Diagnostic, Event, Finding, Place, Severity};

/// Where the schema of the format is.
pub const SCHEMA_URI: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The text of a message, whose names strangers gave: on one line, with nothing hidden in it,
/// and with no link (section 3.11.6 of the format) and no placeholder (3.11.5) but what is
/// meant to be one.
fn message(text: &str) -> Message {
    let mut plain = String::new();
    for c in line(text).chars() {
        match c {
            '[' | ']' => plain.extend(['\\', c]),
            '{' | '}' => plain.extend([c, c]),
            c => plain.push(c),
        }
    }
    Message::builder().text(plain).build()
}

/// A rule, as the log presents it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// Stable id: `CC0003`.
    pub id: String,
    /// Short name: `consume-once`.
    pub name: String,
    /// What holds in correct code.
    pub statement: String,
    /// Where to read about it.
    pub uri: String,
    /// Everything about it, as text.
    pub help: String,
    /// The same as Markdown.
    pub markdown: String,
    /// How bad a finding is; `None` where findings are not wanted.
    pub severity: Option<Severity>,
}

/// The tool that found it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Driver {
    /// Its name.
    pub name: String,
    /// Its version, `0.1.0`.
    pub version: String,
    /// Where to read about it.
    pub uri: String,
    /// All its rules. The log has those that results are of, in this order.
    pub rules: Vec<Rule>,
}

/// The log: one line of JSON.
pub fn log(driver: &Driver, findings: &[Finding], errors: &[Diagnostic]) -> String {
    let rules: Vec<&Rule> = driver.rules.iter().filter(|rule| findings.iter().any(|f| f.rule == rule.id)).collect();
    let number: BTreeMap<&str, i64> = rules.iter().zip(0..).map(|(r, i)| (r.id.as_str(), i)).collect();
    let component = ToolComponent::builder()
        .name(&driver.name)
        .version(&driver.version)
        .semantic_version(&driver.version)
        .information_uri(&driver.uri)
        .rules(rules.into_iter().map(descriptor).collect::<Vec<_>>())
        .build();
    let invocation = Invocation::builder()
        .execution_successful(errors.is_empty())
        .tool_execution_notifications(errors.iter().map(notification).collect::<Vec<_>>())
        .build();
    let mut seen = BTreeMap::new();
    let one = |f: &Finding| result(f, number.get(f.rule.as_str()).copied(), fingerprint(f, &mut seen));
    let results: Vec<SarifResult> = findings.iter().map(one).collect();
    let run = Run::builder()
        .tool(Tool::builder().driver(component).build())
        .invocations(vec![invocation])
        .column_kind("unicodeCodePoints")
        .results(results)
        .build();
    let log = Sarif::builder().schema(SCHEMA_URI).version("2.1.0").runs(vec![run]).build();
    // strings, numbers and lists of them always have a JSON form
    json(&serde_json::to_string(&log).unwrap_or_default()).into_owned()
}

fn level(severity: Severity) -> ResultLevel {
    match severity {
        Severity::Error => ResultLevel::Error,
        Severity::Warning => ResultLevel::Warning,
    }
}

fn text(text: &str) -> MultiformatMessageString {
    MultiformatMessageString::builder().text(text).build()
}

fn descriptor(rule: &Rule) -> ReportingDescriptor {
    let configuration = match rule.severity {
        Some(severity) => ReportingConfiguration::builder().enabled(true).level(severity.name()).build(),
        None => ReportingConfiguration::builder().enabled(false).level("none").build(),
    };
    ReportingDescriptor::builder()
        .id(&rule.id)
        .name(&rule.name)
        .short_description(text(&rule.name))
        .full_description(text(&rule.statement))
        .help_uri(&rule.uri)
        .help(MultiformatMessageString::builder().text(&rule.help).markdown(&rule.markdown).build())
        .default_configuration(configuration)
        .build()
}

fn notification(error: &Diagnostic) -> Notification {
    let said: Vec<&str> = [&error.message].into_iter().chain(&error.causes).map(String::as_str).collect();
    let builder = Notification::builder().level(error.severity.name()).message(message(&said.join(": ")));
    match &error.place {
        Some(place) => builder.locations(vec![location(place, None)]).build(),
        None => builder.build(),
    }
}

fn result(finding: &Finding, rule: Option<i64>, fingerprints: BTreeMap<String, String>) -> SarifResult {
    let told = format!("{}: {}; {}", finding.verdict.name(), finding.message, finding.help);
    let properties = BTreeMap::from([
        ("verdict".to_owned(), finding.verdict.name().into()),
        ("function".to_owned(), finding.function.as_str().into()),
        ("inst".to_owned(), finding.inst.as_str().into()),
        ("path".to_owned(), finding.path.clone().into()),
    ]);
    let event = |event: &Event| Location {
        message: Some(message(&event.what)),
        ..location(event.here(), Some((finding, None)))
    };
    let numbered = finding.related.iter().zip(1..);
    let related: Vec<Location> = numbered.map(|(e, id): (_, i64)| Location { id: Some(id), ..event(e) }).collect();
    let here = location(finding.here(), Some((finding, Some(&finding.inst))));
    let mut steps: Vec<Location> = finding.steps.iter().map(event).collect();
    steps.push(Location { message: Some(message(&finding.message)), ..here.clone() });
    let steps = steps.into_iter().map(|l| ThreadFlowLocation::builder().location(l).build()).collect::<Vec<_>>();
    let flow =
        ThreadFlow::builder().message(message(&format!("path {}", finding.short_path()))).locations(steps).build();
    let built = SarifResult::builder()
        .rule_id(&finding.rule)
        .level(level(finding.severity))
        .message(message(&told))
        .locations(vec![here])
        .partial_fingerprints(fingerprints)
        .related_locations(related)
        .code_flows(vec![CodeFlow::builder().thread_flows(vec![flow]).build()])
        .properties(PropertyBag::builder().additional_properties(properties).build())
        .build();
    SarifResult { rule_index: rule, ..built }
}

/// What a finding is told by when lines have moved and values have other numbers: rule,
/// verdict, function, and the instruction without the numbers; and how many there were
/// that are told by the same. The name is the one that code hosts look at.
fn fingerprint(finding: &Finding, seen: &mut BTreeMap<u64, u32>) -> BTreeMap<String, String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '%');
    let words = finding.inst.split_inclusive(|c| !is_word(c)).map(|word| {
        let name = word.trim_end_matches(|c| !is_word(c));
        let letters = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let numbered = !letters.is_empty() && letters.chars().all(|c| c.is_ascii_lowercase());
        if numbered { [letters, &word[name.len()..]].concat() } else { word.to_owned() }
    });
    let shape: String = words.collect();
    let parts = [&finding.rule, finding.verdict.name(), finding.here().source.name(), &finding.function, &shape];
    // FNV-1a: the same on every machine and in every version
    let byte = |hash: u64, b: u8| (hash ^ u64::from(b)).wrapping_mul(0x100_0000_01b3);
    let hash = parts.iter().fold(0xcbf2_9ce4_8422_2325, |hash, part| byte(part.bytes().fold(hash, byte), 0));
    let count = seen.entry(hash).or_default();
    *count += 1;
    BTreeMap::from([("primaryLocationLineHash".to_owned(), format!("{hash:016x}:{count}"))])
}

/// A place, and for one in a function its name, and the instruction's text.
fn location(place: &Place, function: Option<(&Finding, Option<&str>)>) -> Location {
    let artifact = ArtifactLocation::builder().uri(uri(place.source.name())).build();
    let physical = PhysicalLocation::builder().artifact_location(artifact).region(region(place)).build();
    let logical = function.map(|(finding, inst)| {
        let name = &finding.function;
        let logical = LogicalLocation::builder().name(name).fully_qualified_name(format!("%{name}"));
        let mut list = vec![logical.kind("function").build()];
        if let Some(inst) = inst {
            let block = finding.path.last().map_or_else(String::new, |block| format!("::{block}"));
            let logical = LogicalLocation::builder().name(inst);
            list.push(logical.fully_qualified_name(format!("%{name}{block}::{inst}")).kind("instruction").build());
        }
        list
    });
    Location { logical_locations: logical, ..Location::builder().physical_location(physical).build() }
}

/// Lines and columns from 1, the end column behind the last character. Code hosts show
/// nothing that has no line: what is known of an input as a whole is at its first one.
fn region(place: &Place) -> Region {
    let number = |n: usize| i64::try_from(n).ok().filter(|n| *n > 0);
    let Some(line) = number(place.line) else { return Region::builder().start_line(1).build() };
    let snippet = place.source.line(place.line).map(|l| ArtifactContent::builder().text(l.trim_end()).build());
    Region {
        start_column: number(place.column),
        end_line: Some(line),
        end_column: place.end.and_then(number),
        snippet,
        ..Region::builder().start_line(line).build()
    }
}

/// A path as a relative URI reference: what is not allowed in one is escaped. A
/// `./` in front would be another name for the same file.
fn uri(path: &str) -> String {
    let path = match path {
        "<stdin>" => "stdin",
        path => path.strip_prefix("./").unwrap_or(path),
    };
    let absolute = if path.starts_with('/') { "file://" } else { "" };
    let mut uri = absolute.to_owned();
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(byte.into()),
            b'\\' => uri.push('/'),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
