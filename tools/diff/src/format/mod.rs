//! How a difference looks: as text for people, as unified text, JSON, Markdown, HTML.

mod html;
mod human;
mod json;
mod markdown;
mod unified;

pub use html::html;
pub use human::{Show, human, summary};
pub use json::json;
pub use markdown::markdown;
pub use unified::unified;

/// Unchanged lines around a change.
pub(crate) const CONTEXT: usize = 3;

/// Ranges of lines that are shown: those named, with context, joined where they
/// touch.
pub(crate) fn windows(lines: &[usize], all: usize, context: usize) -> Vec<std::ops::Range<usize>> {
    let mut result: Vec<std::ops::Range<usize>> = vec![];
    for line in lines {
        let window = line.saturating_sub(context)..(line + context + 1).min(all);
        match result.last_mut() {
            Some(last) if last.end >= window.start => last.end = last.end.max(window.end),
            _ => result.push(window),
        }
    }
    result
}
