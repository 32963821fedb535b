//! Findings as a SARIF 2.1.0 log, which code hosts show at the lines of a change.
//!
//! One run of one tool: its rules with their help, a result for each finding,
//! never merged, and a notification for each input that could not be read. The
//! place of a result is in the input as it was named, for only that is something
//! that a code host has; where the input is WebAssembly and a finding concerns
//! the code made of it, the place is what the instruction was made of, and the
//! logical location names function and instruction. It knows no rule by itself.

use std::collections::BTreeMap;

use serde_sarif::sarif::{
    ArtifactContent, ArtifactLocation, CodeFlow, Invocation, Location, LogicalLocation, Message,
    MultiformatMessageString, Notification, PhysicalLocation, PropertyBag, Region, ReportingConfiguration,
    ReportingDescriptor, Result as SarifResult, ResultLevel, Run, Sarif, ThreadFlow, ThreadFlowLocation, Tool,
    ToolComponent,
};

use crate::{Diagnostic, Finding, Place, Severity};

/// Where the schema of the format is.
pub const SCHEMA_URI: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// A rule, as the log presents it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// Stable id: `CC0003`.
    pub id: String,
    /// Short name: `consume-once`.
    pub name: String,
    /// What holds in correct code.
    pub statement: String,
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
    /// All its rules; a result refers to one by its number.
    pub rules: Vec<Rule>,
}

/// The log: one line of JSON.
pub fn log(driver: &Driver, findings: &[Finding], errors: &[Diagnostic]) -> String {
    let number: BTreeMap<&str, i64> = driver.rules.iter().zip(0..).map(|(r, i)| (r.id.as_str(), i)).collect();
    let component = ToolComponent::builder()
        .name(&driver.name)
        .version(&driver.version)
        .semantic_version(&driver.version)
        .information_uri(&driver.uri)
        .rules(driver.rules.iter().map(descriptor).collect::<Vec<_>>())
        .build();
    let invocation = Invocation::builder()
        .execution_successful(errors.is_empty())
        .tool_execution_notifications(errors.iter().map(notification).collect::<Vec<_>>())
        .build();
    let run = Run::builder()
        .tool(Tool::builder().driver(component).build())
        .invocations(vec![invocation])
        .column_kind("unicodeCodePoints")
        .results(findings.iter().map(|f| result(f, number.get(f.rule.as_str()).copied())).collect::<Vec<_>>())
        .build();
    let log = Sarif::builder().schema(SCHEMA_URI).version("2.1.0").runs(vec![run]).build();
    // strings, numbers and lists of them always have a JSON form
    serde_json::to_string(&log).unwrap_or_default()
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
        .help(MultiformatMessageString::builder().text(&rule.help).markdown(&rule.markdown).build())
        .default_configuration(configuration)
        .build()
}

fn notification(error: &Diagnostic) -> Notification {
    let message = Message::builder().text(&error.message).build();
    let builder = Notification::builder().level(error.severity.name()).message(message);
    match &error.place {
        Some(place) => builder.locations(vec![location(place, None)]).build(),
        None => builder.build(),
    }
}

fn result(finding: &Finding, rule: Option<i64>) -> SarifResult {
    let message = format!("{}: {}; {}", finding.verdict.name(), finding.message, finding.help);
    let properties = BTreeMap::from([
        ("verdict".to_owned(), finding.verdict.name().into()),
        ("function".to_owned(), finding.function.as_str().into()),
        ("inst".to_owned(), finding.inst.as_str().into()),
        ("path".to_owned(), finding.path.clone().into()),
    ]);
    // The input, where that is another text than what was verified.
    let here = finding.origin.as_ref().unwrap_or(&finding.place);
    let related: Vec<Location> = finding
        .related
        .iter()
        .zip(1..)
        .map(|((place, what), id): (_, i64)| Location {
            id: Some(id),
            message: Some(Message::builder().text(what).build()),
            ..location(finding.origin.as_ref().map_or(place, |_| here), Some((finding, None)))
        })
        .collect();
    let mut steps = related.clone();
    steps.push(Location {
        message: Some(Message::builder().text(&finding.message).build()),
        ..location(here, Some((finding, Some(&finding.inst))))
    });
    let steps = steps.into_iter().map(|l| ThreadFlowLocation::builder().location(l).build()).collect::<Vec<_>>();
    let flow = ThreadFlow::builder()
        .message(Message::builder().text(format!("path {}", finding.path.join(" -> "))).build())
        .locations(steps)
        .build();
    let built = SarifResult::builder()
        .rule_id(&finding.rule)
        .level(level(finding.severity))
        .message(Message::builder().text(message).build())
        .locations(vec![location(here, Some((finding, Some(&finding.inst))))])
        .related_locations(related)
        .code_flows(vec![CodeFlow::builder().thread_flows(vec![flow]).build()])
        .properties(PropertyBag::builder().additional_properties(properties).build())
        .build();
    SarifResult { rule_index: rule, ..built }
}

/// A place, and for one in a function its name, and the instruction's text.
fn location(place: &Place, function: Option<(&Finding, Option<&str>)>) -> Location {
    let artifact = ArtifactLocation::builder().uri(uri(place.source.name())).build();
    let physical =
        PhysicalLocation { region: region(place), ..PhysicalLocation::builder().artifact_location(artifact).build() };
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

/// Lines and columns from 1, the end column behind the last character.
fn region(place: &Place) -> Option<Region> {
    let number = |n: usize| i64::try_from(n).ok().filter(|n| *n > 0);
    let line = number(place.line)?;
    let snippet = place.source.line(place.line).map(|l| ArtifactContent::builder().text(l.trim_end()).build());
    Some(Region {
        start_column: number(place.column),
        end_line: Some(line),
        end_column: place.end.and_then(number),
        snippet,
        ..Region::builder().start_line(line).build()
    })
}

/// A path as a relative URI reference: what is not allowed in one is escaped. A
/// `./` in front would be another name for the same file.
fn uri(path: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
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
