//! What generated code calls by number: the host interface, and Cranelift's
//! libcalls.
//!
//! A `call` of a function that is not colocated is compiled to an instruction
//! with one byte for the callee's number, and hands control to whoever runs the
//! virtual machine, with the arguments in the ordinary argument registers.

use std::ptr::{with_exposed_provenance, with_exposed_provenance_mut};

use clif_cont_abi::HostFn;
use cranelift_codegen::ir::LibCall;
use pulley_interpreter::interp::Vm;
use pulley_interpreter::{FReg, XReg};

/// A function outside of the bytecode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum HostCall {
    Interface(HostFn),
    Libcall(LibCall),
}

/// By number.
const LIBCALLS: [LibCall; 14] = [
    LibCall::CeilF32,
    LibCall::CeilF64,
    LibCall::FloorF32,
    LibCall::FloorF64,
    LibCall::TruncF32,
    LibCall::TruncF64,
    LibCall::NearestF32,
    LibCall::NearestF64,
    LibCall::FmaF32,
    LibCall::FmaF64,
    LibCall::Memcpy,
    LibCall::Memset,
    LibCall::Memmove,
    LibCall::Memcmp,
];

impl HostCall {
    /// Its number in the bytecode; `None` for a libcall that is not supplied.
    pub(crate) fn number(self) -> Option<u8> {
        let at = match self {
            Self::Interface(f) => HostFn::ALL.iter().position(|g| *g == f)?,
            Self::Libcall(l) => HostFn::ALL.len() + LIBCALLS.iter().position(|m| *m == l)?,
        };
        u8::try_from(at).ok()
    }

    /// The function of that number.
    pub(crate) fn of_number(number: u8) -> Option<Self> {
        let at = usize::from(number);
        match HostFn::ALL.get(at) {
            Some(f) => Some(Self::Interface(*f)),
            None => LIBCALLS.get(at - HostFn::ALL.len()).copied().map(Self::Libcall),
        }
    }
}

/// Performs a libcall: arguments from, and the result into, the registers.
pub(crate) fn perform(call: LibCall, vm: &mut Vm) {
    let f32 = |vm: &Vm, r: FReg| vm[r].get_f32();
    let f64 = |vm: &Vm, r: FReg| vm[r].get_f64();
    let (a32, a64) = (f32(vm, FReg::f0), f64(vm, FReg::f0));
    match call {
        LibCall::CeilF32 => vm[FReg::f0].set_f32(a32.ceil()),
        LibCall::FloorF32 => vm[FReg::f0].set_f32(a32.floor()),
        LibCall::TruncF32 => vm[FReg::f0].set_f32(a32.trunc()),
        LibCall::NearestF32 => vm[FReg::f0].set_f32(a32.round_ties_even()),
        LibCall::CeilF64 => vm[FReg::f0].set_f64(a64.ceil()),
        LibCall::FloorF64 => vm[FReg::f0].set_f64(a64.floor()),
        LibCall::TruncF64 => vm[FReg::f0].set_f64(a64.trunc()),
        LibCall::NearestF64 => vm[FReg::f0].set_f64(a64.round_ties_even()),
        LibCall::FmaF32 => {
            let value = a32.mul_add(f32(vm, FReg::f1), f32(vm, FReg::f2));
            vm[FReg::f0].set_f32(value);
        }
        LibCall::FmaF64 => {
            let value = a64.mul_add(f64(vm, FReg::f1), f64(vm, FReg::f2));
            vm[FReg::f0].set_f64(value);
        }
        _ => memory(call, vm),
    }
}

/// The libcalls on memory; those that return a pointer return the destination,
/// which is in the result's register already.
fn memory(call: LibCall, vm: &mut Vm) {
    let [to, second, n] = [XReg::x0, XReg::x1, XReg::x2].map(|r| vm[r].get_u64() as usize);
    if n == 0 {
        // addresses may be anything then
        if call == LibCall::Memcmp {
            vm[XReg::x0].set_i32(0);
        }
        return;
    }
    match call {
        LibCall::Memcpy | LibCall::Memmove => {
            // SAFETY: what generated code copies lies in memory of its own: it
            // has checked the bounds, or a fixed layout says so.
            unsafe {
                std::ptr::copy(with_exposed_provenance::<u8>(second), with_exposed_provenance_mut::<u8>(to), n);
            }
        }
        LibCall::Memset => {
            // SAFETY: as for a copy.
            unsafe { std::ptr::write_bytes(with_exposed_provenance_mut::<u8>(to), second as u8, n) };
        }
        LibCall::Memcmp => {
            // SAFETY: as for a copy; nothing writes while the slices exist.
            let (a, b) = unsafe {
                (
                    std::slice::from_raw_parts(with_exposed_provenance::<u8>(to), n),
                    std::slice::from_raw_parts(with_exposed_provenance::<u8>(second), n),
                )
            };
            let order = a.cmp(b) as i32;
            vm[XReg::x0].set_i32(order);
        }
        // those on floats are done, and others have no number
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_find_their_functions_again() {
        let all = HostFn::ALL.into_iter().map(HostCall::Interface).chain(LIBCALLS.into_iter().map(HostCall::Libcall));
        let mut count = 0;
        for (i, call) in all.enumerate() {
            assert_eq!(call.number().map(usize::from), Some(i));
            assert_eq!(HostCall::of_number(i as u8), Some(call));
            count += 1;
        }
        assert_eq!(HostCall::of_number(count), None);
        assert_eq!(HostCall::Libcall(LibCall::ElfTlsGetAddr).number(), None);
    }
}
