//! The form for people. Everything in a diagnostic may contain names that strangers gave,
//! so it is rendered from a copy in which nothing is hidden ([`shown`]).

use clif_cont_output::{line, lines};

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use std::borrow::Cow;

use crate::{Diagnostic, FollowUp, FollowUpKind, Place, Severity};

/// With or without colours.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Style {
    /// No escape sequences.
    Plain,
    /// ANSI colours.
    Coloured,
}

/// Adds the place to a group: the marked source line, or, where that cannot be
/// shown, its name.
fn locate<'a>(group: Group<'a>, place: &'a Place) -> Group<'a> {
    if let Some((text, span)) = place.excerpt()
        && place.column > 0
    {
        // the renderer replaces all but these, which terminals take for escape sequences; the
        // replacement has the same length, for the span is one of bytes
        let c1 = |c: char| matches!(c, '\u{80}'..='\u{9f}');
        let text = if text.contains(c1) { text.replace(c1, "\u{b7}").into() } else { Cow::Borrowed(text) };
        let annotation = AnnotationKind::Primary.span(span).label(place.label.as_deref());
        let snippet = Snippet::source(text).line_start(place.line).path(place.source.name());
        return group.element(snippet.annotation(annotation));
    }
    let mut origin = Origin::path(place.source.name());
    if place.line > 0 {
        origin = origin.line(place.line);
    }
    if place.line > 0 && place.column > 0 {
        origin = origin.char_column(place.column);
    }
    group.element(origin)
}

/// A copy that is safe to show: each string on one line, with nothing hidden in it.
fn shown(diagnostic: &Diagnostic) -> Diagnostic {
    let text = |text: &String| line(text).into_owned();
    let place = |place: &Place| {
        let source = place.source.renamed(&line(place.source.name()));
        Place { source, label: place.label.as_ref().map(text), ..place.clone() }
    };
    let Diagnostic { severity, code, message, place: at, follow_ups, causes } = diagnostic;
    let follow_up =
        |f: &FollowUp| FollowUp { kind: f.kind, message: text(&f.message), place: f.place.as_ref().map(place) };
    Diagnostic {
        severity: *severity,
        code: code.as_ref().map(text),
        message: text(message),
        place: at.as_ref().map(place),
        follow_ups: follow_ups.iter().map(follow_up).collect(),
        // a cause may be another tool's report of several lines; all are indented
        causes: causes.iter().map(|cause| lines(cause).into_owned()).collect(),
    }
}

impl Diagnostic {
    /// The text, ending in a newline: message, place with its source line,
    /// notes and help, and the causes.
    pub fn render(&self, style: Style) -> String {
        shown(self).render_shown(style)
    }

    fn render_shown(&self, style: Style) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut title = level.primary_title(self.message.as_str());
        if let Some(code) = &self.code {
            title = title.id(code.as_str());
        }
        let mut group = Group::with_title(title);
        if let Some(place) = &self.place {
            group = locate(group, place);
        }
        let mut groups = vec![];
        for follow_up in &self.follow_ups {
            let level = match follow_up.kind {
                FollowUpKind::Note => Level::NOTE,
                FollowUpKind::Help => Level::HELP,
            };
            match &follow_up.place {
                None if self.place.is_some() => group = group.element(level.message(follow_up.message.as_str())),
                None => groups.push(Group::with_title(level.secondary_title(follow_up.message.as_str()))),
                Some(place) => {
                    groups.push(locate(Group::with_title(level.secondary_title(follow_up.message.as_str())), place));
                }
            }
        }
        groups.insert(0, group);
        let renderer = match style {
            Style::Plain => Renderer::plain(),
            Style::Coloured => Renderer::styled(),
        };
        // Without a place there is no margin that would join what follows.
        let mut text = match self.place {
            Some(_) => renderer.render(&groups) + "\n",
            None => groups.into_iter().map(|group| renderer.render(&[group]) + "\n").collect(),
        };
        if !self.causes.is_empty() {
            text.push_str("\nCaused by:\n");
            for cause in &self.causes {
                for line in cause.lines() {
                    text.push_str(&format!("    {line}\n"));
                }
            }
        }
        text
    }
}
