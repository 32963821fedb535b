//! The form for programs: one object on one line.

use serde_json::{Map, Value, json};

use crate::{Diagnostic, Place};

/// The version of the JSON lines that the command prints, their `schema`. It
/// changes when a field changes its meaning or goes; new fields may appear.
pub const SCHEMA: u32 = 1;

fn place(place: &Place) -> Value {
    let mut object = Map::new();
    object.insert("file".into(), place.source.name().into());
    if place.line > 0 {
        object.insert("line".into(), place.line.into());
    }
    if place.column > 0 {
        object.insert("column".into(), place.column.into());
    }
    if let Some(label) = &place.label {
        object.insert("label".into(), label.as_str().into());
    }
    Value::Object(object)
}

impl Diagnostic {
    /// `{"schema":1,"kind":"diagnostic","severity":…,"message":…}` with
    /// `code`, `place`, `notes` and `causes` where there are any.
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("schema".into(), SCHEMA.into());
        object.insert("kind".into(), "diagnostic".into());
        object.insert("severity".into(), self.severity.name().into());
        object.insert("message".into(), self.message.as_str().into());
        if let Some(code) = &self.code {
            object.insert("code".into(), code.as_str().into());
        }
        if let Some(at) = &self.place {
            object.insert("place".into(), place(at));
        }
        if !self.follow_ups.is_empty() {
            let notes = self.follow_ups.iter().map(|f| {
                let mut note = json!({ "kind": f.kind.name(), "message": f.message });
                if let (Some(at), Some(note)) = (&f.place, note.as_object_mut()) {
                    note.insert("place".into(), place(at));
                }
                note
            });
            object.insert("notes".into(), notes.collect());
        }
        if !self.causes.is_empty() {
            object.insert("causes".into(), self.causes.as_slice().into());
        }
        Value::Object(object)
    }
}
