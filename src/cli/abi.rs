//! `abi`: the contract between generated code, runtime and host, as a table.

use clap::Args;
use clif_cont::abi::{Abi, EffectKind, HostFn, Isa, Record, Region, Trap, symbols};
use serde_json::{Value, json};

use super::io::{End, Ended, Ui, table};
use super::lower::parse_isa;

/// Print the continuation ABI: records, offsets, regions, effects, traps, symbols
#[derive(Args)]
pub(crate) struct AbiTable {
    /// The ISA whose pointer width and switch model count
    #[arg(long, default_value = "x86_64", value_parser = parse_isa)]
    isa: Isa,
}

/// The symbols with a fixed signature.
const SYMBOLS: [&str; 12] = [
    symbols::STORE,
    symbols::SWITCH,
    symbols::ENTRY,
    symbols::TRAP,
    symbols::SEARCH_SUSPEND,
    symbols::SEARCH_SWITCH,
    symbols::GROW,
    symbols::DROP,
    symbols::BEGIN,
    symbols::INVOKE,
    symbols::RECLAIM,
    symbols::ENTER,
];

fn row(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|c| (*c).to_owned()).collect()
}

/// Text wrapped to about 100 columns, indented.
fn wrapped(text: &str) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        if column > 0 && column + word.len() > 96 {
            out.push('\n');
            column = 0;
        }
        out.push_str(if column == 0 { "  " } else { " " });
        out.push_str(word);
        column += word.len() + 1;
    }
    out.push('\n');
    out
}

impl AbiTable {
    pub(crate) fn run(&self, ui: &Ui) -> Ended {
        let isa = self.isa;
        let abi = Abi::new(isa, isa.switch_models()[0]);
        if ui.json() {
            json_lines(ui, isa, &abi)?
        } else {
            ui.lines(&text(isa, &abi))?
        }
        Ok(0)
    }
}

fn text(isa: Isa, abi: &Abi) -> String {
    let mut out = format!(
        "{} for {}: words of {} bytes, slots of {} KiB, ContRef at {} bytes from a slot's base (colour 0)\n",
        clif_cont::abi::PROFILE,
        isa.name(),
        abi.width.bytes(),
        abi.slot_size() / 1024,
        abi.contref_base(),
    );
    for record in Record::ALL {
        out.push_str(&format!("\n{}\n{}", record.name, wrapped(record.doc)));
        let mut rows = vec![row(&["  offset", "size", "field", "region", "meaning"])];
        for field in record.fields {
            let offset = format!("{:>8}", field.offset(abi));
            let size = format!("{:>4}", field.size(abi));
            rows.push(row(&[&offset, &size, field.name, field.region.name(), field.doc]));
        }
        out.push_str(&table(&rows));
    }
    out.push_str("\nRegions: memory of two regions never overlaps\n");
    for region in Region::ALL {
        out.push_str(&format!("  {:>4}  {}\n", region.id(), region.name()));
    }
    out.push_str("\nEffects: the low six bits of a switched word\n");
    for effect in EffectKind::ALL {
        out.push_str(&format!("  {:>4}  {effect:?}\n", effect.code()));
    }
    out.push_str("\nTraps: the code that `cc_trap` is given\n");
    for trap in Trap::ALL {
        out.push_str(&format!("  {:>4}  {}\n", trap.code(), trap.message()));
    }
    out.push_str("\nSymbols\n");
    for symbol in SYMBOLS {
        out.push_str(&format!("  {symbol}\n"));
    }
    out.push_str("\nSymbols that the host supplies\n");
    for function in HostFn::ALL {
        out.push_str(&format!("  {}\n", function.symbol()));
    }
    out
}

fn json_lines(ui: &Ui, isa: Isa, abi: &Abi) -> Result<(), End> {
    ui.json_line(json!({
        "kind": "abi",
        "profile": clif_cont::abi::PROFILE,
        "isa": isa.name(),
        "word_bytes": abi.width.bytes(),
        "slot_bytes": abi.slot_size(),
        "contref_base": abi.contref_base(),
    }))?;
    for record in Record::ALL {
        for field in record.fields {
            ui.json_line(json!({
                "kind": "field",
                "record": record.name,
                "field": field.name,
                "offset": field.offset(abi),
                "size": field.size(abi),
                "region": field.region.name(),
                "doc": field.doc,
            }))?;
        }
    }
    let lines = Region::ALL
        .map(|r| json!({ "kind": "region", "id": r.id(), "name": r.name() }))
        .into_iter()
        .chain(EffectKind::ALL.map(|e| json!({ "kind": "effect", "code": e.code(), "name": format!("{e:?}") })))
        .chain(Trap::ALL.iter().map(|t| json!({ "kind": "trap", "code": t.code(), "message": t.message() })))
        .chain(SYMBOLS.map(|s| json!({ "kind": "symbol", "name": s, "host": false })))
        .chain(HostFn::ALL.map(|f| json!({ "kind": "symbol", "name": f.symbol(), "host": true })));
    for line in lines.collect::<Vec<Value>>() {
        ui.json_line(line)?;
    }
    Ok(())
}
