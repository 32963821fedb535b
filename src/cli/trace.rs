//! A trace of the interpreter in the format of Chrome's `about:tracing`, which
//! Perfetto reads as well: one track for each continuation, a slice for each
//! time that it runs, and marks for what happened to it.
//!
//! Format: "Trace Event Format" of the Chromium project. Times are instructions.

use std::collections::BTreeMap;

use clif_cont::interp::{TraceEvent, TraceKind};
use serde_json::{Value, json};

/// The trace as a JSON document. `end` is the number of instructions executed.
pub(crate) fn perfetto(events: impl Iterator<Item = TraceEvent>, end: u64) -> String {
    let mut out = vec![];
    // where each track's slice began; the host runs first
    let mut running = BTreeMap::from([(0, 0)]);
    for e in events {
        match e.kind {
            TraceKind::Begin => {
                running.insert(e.continuation, e.step);
            }
            TraceKind::End => {
                let begin = running.remove(&e.continuation).unwrap_or(e.step);
                out.push(slice(e.continuation, &e.function, begin, e.step));
            }
            TraceKind::Happened(happened) => out.push(json!({
                "name": happened.name(), "ph": "i", "s": "t", "pid": 1, "tid": e.continuation, "ts": e.step,
                "args": { "by": e.function },
            })),
        }
    }
    out.extend(running.into_iter().map(|(track, begin)| slice(track, "", begin, end)));
    let mut tracks: Vec<u64> = out.iter().filter_map(|e| e["tid"].as_u64()).collect();
    tracks.sort_unstable();
    tracks.dedup();
    let names = tracks.into_iter().map(|track| {
        let name = if track == 0 { "host".to_owned() } else { format!("continuation {track}") };
        json!({ "name": "thread_name", "ph": "M", "pid": 1, "tid": track, "args": { "name": name } })
    });
    let all: Vec<Value> = names.chain(out).collect();
    format!("{}\n", clif_cont_output::json(&json!({ "traceEvents": all, "displayTimeUnit": "ns" }).to_string()))
}

/// A time that a stack ran, named after the function that left it.
fn slice(track: u64, function: &str, begin: u64, end: u64) -> Value {
    let name = if function.is_empty() { "host" } else { function };
    json!({ "name": name, "ph": "X", "pid": 1, "tid": track, "ts": begin, "dur": end - begin })
}
