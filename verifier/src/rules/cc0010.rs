//! CC0010 field-width.

use super::{Rule, cc0203, examples};
use crate::check::Check;
use crate::place::{Access, Place};
use crate::profile::{RecordKind, Role};
use crate::report::Verdict;

pub(crate) const RULE: Rule = Rule {
    id: "CC0010",
    name: "field-width",
    statement: "Every access to a protocol field has exactly the field's offset and size; a payload slot holds a value \
                of up to its size, or the first half of one that takes two.",
    why: "A narrower or misplaced access reads a part of one field, or of two.",
    bugs: "",
    help: "use the offset and the width that the ABI declares for the field",
    passing: examples::BIND,
    fault: &[("v3 = load.i64 notrap aligned region0 v0+24", "v3 = uload32.i64 notrap aligned region0 v0+24")],
};

/// Every access to a record.
pub(crate) fn access(c: &mut Check<'_>, access: &Access) {
    match access.place {
        Place::Other => {}
        Place::Between(RecordKind::ContRef) if cc0203::beyond(c, access) => {}
        Place::Between(_) => {
            let message = format!("no field begins at offset {} of the record", access.offset);
            c.fail(&RULE, Verdict::Violated, access.inst, message);
        }
        Place::Field(_, field) => {
            let fits = match field.role {
                Role::Payload(_) if access.size > field.size => return cc0203::wide(c, access, field),
                Role::Payload(_) => true,
                _ => access.size == field.size,
            };
            let elsewhere = access.declared.is_some() && access.region != Some(field.region);
            if elsewhere && c.a.chain().is_none() {
                let message = "the offset is not that of the field whose alias region the access carries";
                c.fail(&RULE, Verdict::Violated, access.inst, message);
            } else if fits {
                c.proven();
            } else {
                let message = format!("a field of {} bytes is accessed with {}", field.size, access.size);
                c.fail(&RULE, Verdict::Violated, access.inst, message);
            }
        }
    }
}
