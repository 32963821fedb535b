//! What the bench prints: times with their ratios to every peer, and sizes.

use std::fmt::Write;

use serde_json::json;

use crate::sizes::Size;
use crate::verification::Verification;

pub(crate) const ROUND_TRIP: &str = "suspend + resume, i64 both ways";
pub(crate) const NEW_RUN: &str = "cont.new + run to completion";
pub(crate) const SWITCH: &str = "switch, each";
pub(crate) const DEEP: &str = "suspend + resume, handler at depth 16";
pub(crate) const ROBIN: &str = "suspend + resume, 4096 in turn";
pub(crate) const INTERPRET: &str = "interpretation of one CLIF instruction";
const OPERATIONS: [&str; 6] = [ROUND_TRIP, NEW_RUN, SWITCH, DEEP, ROBIN, INTERPRET];

/// Peers, as they are named in the output.
pub(crate) const BARE: &str = "bare stack_switch";
pub(crate) const COROSENSEI: &str = "corosensei 0.3.4";
pub(crate) const CRANELIFT: &str = "cranelift-interpreter";
const PEERS: [&str; 3] = [BARE, COROSENSEI, CRANELIFT];

#[derive(Clone, Copy)]
pub(crate) enum Format {
    Human,
    Json,
}

/// The median of one operation by one worker.
pub(crate) struct Time {
    pub(crate) operation: &'static str,
    pub(crate) name: String,
    pub(crate) nanoseconds: f64,
}

pub(crate) struct Report {
    pub(crate) rounds: usize,
    pub(crate) times: Vec<Time>,
    pub(crate) sizes: Vec<Size>,
    pub(crate) verification: Vec<Verification>,
}

impl Report {
    pub(crate) fn render(&self, format: Format) -> String {
        match format {
            Format::Human => self.human(),
            Format::Json => self.json(),
        }
    }

    /// The peers of a row, each with the ratio of the row's time to its.
    fn ratios<'a>(&'a self, time: &'a Time) -> impl Iterator<Item = (&'static str, f64)> + 'a {
        PEERS.into_iter().filter(|p| *p != time.name).filter_map(|peer| {
            let other = self.times.iter().find(|t| t.operation == time.operation && t.name == peer)?;
            Some((peer, time.nanoseconds / other.nanoseconds))
        })
    }

    fn human(&self) -> String {
        let mut out = format!("medians of {} alternating rounds in one process; x = ratio to that peer\n", self.rounds);
        for operation in OPERATIONS {
            let mut times = self.times.iter().filter(|t| t.operation == operation).peekable();
            if times.peek().is_some() {
                let _ = writeln!(out, "\n{operation}");
            }
            for time in times {
                let _ = write!(out, "  {:<21} {:>8.2} ns", time.name, time.nanoseconds);
                for (peer, ratio) in self.ratios(time) {
                    let _ = write!(out, "   {ratio:.2}x {peer}");
                }
                out.push('\n');
            }
        }
        if !self.verification.is_empty() {
            out.push_str("\nverifying a function, of what Cranelift takes to compile it\n");
        }
        for v in &self.verification {
            for (how, sums) in [("each alone", &v.alone), ("all first", &v.apart), ("in turn", &v.in_turn)] {
                let _ = writeln!(
                    out,
                    "  opt {:<7}{how:<11} {:>8.1} %    {} functions with an operation, {:.1} us of {:.1} us each",
                    v.opt,
                    100.0 * sums.ratio(),
                    v.functions,
                    sums.verify_nanoseconds / v.functions as f64 / 1000.0,
                    sums.compile_nanoseconds / v.functions as f64 / 1000.0,
                );
            }
        }
        if self.sizes.is_empty() {
            return out;
        }
        out.push_str("\ncost of one more operation in a function, optimised for speed\n");
        let _ = writeln!(
            out,
            "  {:<12} {:<12} {:<12} {:>6} {:>6} {:>6} {:>7}",
            "operation", "isa", "switch", "bytes", "insts", "loads", "stores"
        );
        for s in &self.sizes {
            let _ = writeln!(
                out,
                "  {:<12} {:<12} {:<12} {:>6} {:>6} {:>6} {:>7}",
                s.operation, s.isa, s.switch, s.bytes, s.insts, s.loads, s.stores
            );
        }
        out
    }

    fn json(&self) -> String {
        let mut out = String::new();
        for t in &self.times {
            let ratios: serde_json::Map<_, _> =
                self.ratios(t).map(|(peer, ratio)| (peer.to_owned(), json!(ratio))).collect();
            let line = json!({
                "schema": 1, "kind": "time", "operation": t.operation, "by": t.name,
                "nanoseconds": t.nanoseconds, "rounds": self.rounds, "ratio": ratios,
            });
            let _ = writeln!(out, "{line}");
        }
        for v in &self.verification {
            for (order, sums) in [("alone", &v.alone), ("apart", &v.apart), ("in-turn", &v.in_turn)] {
                let line = json!({
                    "schema": 1, "kind": "verification", "opt": v.opt, "order": order, "functions": v.functions,
                    "rounds": self.rounds, "verify_nanoseconds": sums.verify_nanoseconds,
                    "compile_nanoseconds": sums.compile_nanoseconds, "ratio": sums.ratio(),
                });
                let _ = writeln!(out, "{line}");
            }
        }
        for s in &self.sizes {
            let line = json!({
                "schema": 1, "kind": "size", "operation": s.operation, "isa": s.isa, "switch": s.switch,
                "bytes": s.bytes, "insts": s.insts, "loads": s.loads, "stores": s.stores,
            });
            let _ = writeln!(out, "{line}");
        }
        out
    }
}
