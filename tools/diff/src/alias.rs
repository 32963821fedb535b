//! Which effects may change places. The default is none.

use crate::expr::{E, Exprs};
use crate::func::{Func, N, Node};
use crate::token::Name;

/// May two effects of a function change places?
///
/// Two accesses of memory may if both are loads, if one loads what is never
/// written, if their regions differ, or if they touch different bytes from one
/// base; an access that may trap stays where it is among others that may, and among
/// stores. A load that may be anywhere may also be before a trap.
pub(crate) fn independent(func: &Func, exprs: &mut Exprs, values: &[E], a: N, b: N) -> bool {
    let (x, y) = (&func[a], &func[b]);
    let (Some(p), Some(q)) = (&x.access, &y.access) else {
        let free = |n: &Node| n.is_load() && n.access.as_ref().is_some_and(|a| a.has("can_move") && a.has("notrap"));
        let barrier = |n: &Node| n.is_terminator() || n.is_call();
        return (free(x) || free(y)) && !barrier(x) && !barrier(y);
    };
    let quiet = p.has("notrap") && q.has("notrap");
    let either_quiet = p.has("notrap") || q.has("notrap");
    let loads = x.is_load() && y.is_load();
    if !(quiet || loads && either_quiet) {
        return false;
    }
    if loads || x.is_load() && p.has("readonly") || y.is_load() && q.has("readonly") {
        return true;
    }
    let text = |region: Name| func.decl(region).map(|d| &d.text);
    if let (Some(p), Some(q)) = (p.region, q.region)
        && text(p) != text(q)
    {
        return true;
    }
    let (Some(v), Some(w)) = (x.args.last(), y.args.last()) else { return false };
    let (base, c) = exprs.split(values[v.0 as usize]);
    let (other, d) = exprs.split(values[w.0 as usize]);
    let (c, d) = (c.wrapping_add(p.offset), d.wrapping_add(q.offset));
    let ends = |n: &Node, at: i128| at.saturating_add(n.width().into());
    base == other && x.width() > 0 && y.width() > 0 && (ends(x, c) <= d || ends(y, d) <= c)
}
