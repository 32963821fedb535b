//! The declarations agree with each other.

use crate::*;

fn abis() -> impl Iterator<Item = Abi> {
    Isa::ALL.into_iter().flat_map(|isa| isa.switch_models().iter().map(move |m| Abi::new(isa, *m)))
}

#[test]
fn fields_do_not_overlap_unless_they_share_a_region_and_an_offset() {
    for abi in abis() {
        for record in Record::ALL {
            for (i, a) in record.fields.iter().enumerate() {
                for b in &record.fields[i + 1..] {
                    let apart = a.offset(&abi) + a.size(&abi) as i32 <= b.offset(&abi)
                        || b.offset(&abi) + b.size(&abi) as i32 <= a.offset(&abi);
                    let one = a.offset(&abi) == b.offset(&abi) && a.region == b.region && a.size(&abi) == b.size(&abi);
                    assert!(apart || one, "{} {} and {}", record.name, a.name, b.name);
                }
            }
        }
    }
}

#[test]
fn payload_slots_are_disjoint_from_every_field_and_fit_at_every_colour() {
    for abi in abis() {
        let mut last = None;
        for slot in 0..Abi::PAYLOAD_SLOTS {
            let at = abi.payload_offset(slot);
            assert_eq!(at % 8, 0);
            assert!(last.is_none_or(|l| at >= l + 8));
            last = Some(at);
            for f in ContRef::RECORD.fields.iter().filter(|f| f.kind == FieldKind::Word) {
                let (from, to) = (f.offset(&abi), f.offset(&abi) + f.size(&abi) as i32);
                assert!(to <= at || at + 8 <= from, "{} and payload slot {slot}", f.name);
            }
        }
        // colour 0 is the one nearest to the slot's end
        assert!(last.unwrap() + 8 <= Abi::CONTREF_AREA as i32);
    }
}

#[test]
fn a_contref_is_found_from_any_address_of_its_stack() {
    let abi = Abi::new(Isa::X86_64, SwitchModel::Instruction);
    for slot in [0u64, 1, 63, 64, 1000] {
        let base = 0x7f00_0000_0000 + slot * abi.slot_size();
        let contref = abi.contref_of(base);
        assert_eq!(contref % u64::from(Abi::CONTREF_ALIGN), 0);
        assert!(contref > base + abi.stack_bound());
        assert!(
            contref + u64::from(Abi::CONTREF_AREA)
                <= base + abi.slot_size() + u64::from(Abi::COLOURS * Abi::CONTREF_ALIGN)
        );
        for address in [base, base + 8, contref - 8, contref, base + abi.slot_size() - 1] {
            assert_eq!(abi.contref_of(address), contref);
        }
    }
    let two = [abi.contref_of(0), abi.contref_of(abi.slot_size())].map(|c| c % 4096);
    assert_ne!(two[0], two[1], "neighbours fall into different cache sets");
}

#[test]
fn effects_decode_what_they_encode() {
    for kind in EffectKind::ALL {
        let word = 0x1000 | u64::from(kind.code());
        let effect = Effect::decode(word, || 77).expect("a declared code");
        assert_eq!(Effect::contref(word), 0x1000);
        match kind {
            EffectKind::Suspend => assert_eq!(effect, Effect::Suspend(0)),
            EffectKind::SuspendFar => assert_eq!(effect, Effect::Suspend(77)),
            _ => assert_eq!(format!("{effect:?}"), format!("{kind:?}")),
        }
    }
    assert_eq!(Effect::decode(6, || 0), None);
    assert_eq!(
        Effect::decode(u64::from(8 + Effect::NEAR_HANDLERS - 1), || 0),
        Some(Effect::Suspend(Effect::NEAR_HANDLERS - 1))
    );
}

#[test]
fn names_and_codes_are_unique_and_found_again() {
    for isa in Isa::ALL {
        assert_eq!(Isa::from_name(isa.name()), Some(isa));
    }
    for t in Trap::ALL {
        assert_eq!(Trap::from_code(t.code().into()), Some(*t));
    }
    for f in HostFn::ALL {
        assert_eq!(HostFn::from_symbol(f.symbol()), Some(f));
        assert!(f.symbol().starts_with(symbols::PREFIX));
    }
    assert_eq!(Trap::from_code(0), None, "0 means that nothing trapped");
}
