//! The form for people.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::{Diagnostic, FollowUpKind, Place, Severity};

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

impl Diagnostic {
    /// The text, ending in a newline: message, place with its source line,
    /// notes and help, and the causes.
    pub fn render(&self, style: Style) -> String {
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
