//! What the machine does itself when the program calls it: the host interface
//! of the ABI, the switch routine, and Cranelift's libcalls.

use std::rc::Rc;

use clif_cont_abi::{Abi, ContRef, HostFn, Isa, StoreContext, SwitchModel, Trap};
use clif_cont_program::{Invoker, Outcome, Val, ValType, arguments, call_host};
use cranelift_codegen::ir::LibCall;
use smallvec::{SmallVec, smallvec};

use crate::float;
use crate::link::{Callee, Linked};
use crate::machine::{Fault, Machine};
use crate::op::{CallKind, CalleeId, FloatUn, Fw};

/// Results of an intrinsic.
pub(crate) type Results = SmallVec<[u64; 4]>;

/// What a host function sees of the program that called it.
struct Nested<'a> {
    machine: &'a mut Machine,
}

impl Invoker for Nested<'_> {
    fn invoke(&mut self, export: &str, args: &[Val]) -> Outcome {
        let program = std::sync::Arc::clone(&self.machine.linked.program);
        let Some(export) = program.export(export) else {
            return Outcome::Unsupported(format!("no function `{export}` to invoke"));
        };
        let args = match arguments(&self.machine.instance, export, args) {
            Ok(args) => args,
            Err(error) => return Outcome::Unsupported(error.to_string()),
        };
        let _level = match self.machine.nesting.enter() {
            Ok(level) => level,
            Err(trapped) => return Outcome::Trapped(trapped),
        };
        let outcome = self.machine.invoke_export(export, &args);
        if matches!(outcome, Outcome::Violation(_) | Outcome::Unsupported(_) | Outcome::OutOfMemory(_)) {
            // the host may not swallow a fault of the generated code
            self.machine.sticky.get_or_insert_with(|| outcome.clone());
        }
        outcome
    }
}

impl Machine {
    /// Calls an intrinsic. `None` when it switched stacks: its results come
    /// when it is switched back to.
    pub(crate) fn intrinsic(
        &mut self,
        linked: &Linked,
        callee: CalleeId,
        kind: CallKind,
        args: &[u64],
        rets: usize,
    ) -> Result<Option<Results>, Fault> {
        let wrong = || {
            let name = &linked.names[callee as usize];
            Fault::Violation(format!("`%{name}` called with {} argument words", args.len()))
        };
        match (linked.callees[callee as usize], args) {
            (Callee::Switch, [word, store, load]) => {
                if kind == CallKind::Plain {
                    let message = "the switch routine is called by `call`, which keeps registers across it that it \
                                   does not save; it has to be a `try_call`";
                    return Err(Fault::Violation(message.to_owned()));
                }
                let expected = if linked.program.target.isa == Isa::X86_64 { 5 } else { 1 };
                if rets != expected {
                    let message = format!("the switch routine has {expected} results on this ISA, not {rets}");
                    return Err(Fault::Violation(message));
                }
                self.switch(*word, *store, *load)?;
                Ok(None)
            }
            (Callee::Host(HostFn::Switch), [word, store, load]) => {
                if linked.program.target.abi.switch != SwitchModel::HostCall {
                    return Err(Fault::Violation("the host switches stacks in the `hostcall` model only".to_owned()));
                }
                self.switch(*word, *store, *load)?;
                Ok(None)
            }
            (Callee::Host(HostFn::Reserve), [bytes, align]) => {
                let known = if *align == 0 { Some(16) } else { align.checked_next_power_of_two() };
                let name = "memory reserved by the program";
                let at = known.and_then(|a| self.mem.allocate(*bytes, a, crate::memory::Access::Write, name));
                if let Some(at) = at.filter(|_| *align >= linked.program.target.abi.slot_size()) {
                    self.stacks.include(at, *bytes);
                }
                Ok(Some(smallvec![at.unwrap_or(0)]))
            }
            (Callee::Host(HostFn::Guard), [address]) => {
                self.mem.guard(*address);
                self.shadow.slot(linked.program.target.abi.contref_of(*address));
                Ok(Some(smallvec![]))
            }
            (Callee::Host(HostFn::Reset), [context]) => {
                self.reset(*context);
                Ok(Some(smallvec![]))
            }
            (Callee::Host(HostFn::Call), [contref]) => {
                let code = match self.host_call(linked, *contref) {
                    Err(fault) if self.invocations > 0 && self.on_driver() => {
                        // the driver ends the invocation in order
                        let outcome = self.outcome_of(fault);
                        self.pending.get_or_insert(outcome);
                        Trap::Host.code()
                    }
                    other => other?,
                };
                Ok(Some(smallvec![code.into()]))
            }
            (Callee::Libcall(call), args) => self.libcall(call, args, rets)?.map(Some).ok_or_else(wrong),
            _ => Err(wrong()),
        }
    }

    /// Performs the host function that the store context names. 0, or a trap
    /// code.
    fn host_call(&mut self, linked: &Linked, contref: u64) -> Result<u8, Fault> {
        let Some(store) = linked.store else {
            return Err(Fault::Violation("host call in a program without a store context".to_owned()));
        };
        let index = self.field(store, StoreContext::HOST_FUNCTION)?;
        let import = usize::try_from(index).ok().and_then(|i| linked.program.imports.get(i));
        let Some(import) = import else {
            return Err(Fault::Violation(format!("call of host function {index}, which does not exist")));
        };
        let args = self.payload(contref, &import.params)?;
        let (host, instance) = (Rc::clone(&self.host), self.instance.clone());
        let result = call_host(&*host, &instance, import, args, &mut Nested { machine: self });
        if let Some(outcome) = self.sticky.take() {
            return Err(Fault::Again(Box::new(outcome)));
        }
        match result {
            Ok(words) => {
                self.set_payload(contref, &import.results, &words)?;
                Ok(0)
            }
            Err(error) => {
                self.host_message = Some(error.0);
                Ok(Trap::Host.code())
            }
        }
    }

    /// Reads the words of values from a ContRef's payload, in the order of the values.
    pub(crate) fn payload(&mut self, contref: u64, types: &[ValType]) -> Result<Vec<u64>, Fault> {
        let abi = self.linked.program.target.abi;
        let sizes: Vec<u32> = types.iter().flat_map(|t| t.clif(&abi)).map(|t| t.bytes()).collect();
        let word = |(i, bytes): (usize, &u32)| Ok(self.int(slot(&abi, contref, sizes.len() - 1 - i), *bytes)?);
        sizes.iter().enumerate().map(word).collect()
    }

    /// Writes the words of values into a ContRef's payload.
    pub(crate) fn set_payload(&mut self, contref: u64, types: &[ValType], words: &[u64]) -> Result<usize, Fault> {
        let abi = self.linked.program.target.abi;
        let sizes = types.iter().flat_map(|t| t.clif(&abi)).map(|t| t.bytes());
        for (i, (word, bytes)) in words.iter().zip(sizes).enumerate() {
            self.set_int(slot(&abi, contref, words.len() - 1 - i), bytes, *word)?;
        }
        Ok(words.len())
    }

    /// Writes the code address that a fresh continuation calls, behind its
    /// `n` argument slots, and its entry trampoline.
    pub(crate) fn set_callee(&mut self, contref: u64, n: usize, callee: u64, enter: u64) -> Result<(), Fault> {
        let abi = self.linked.program.target.abi;
        self.set_int(slot(&abi, contref, n), abi.width.bytes(), callee)?;
        self.set_field(contref, ContRef::FUNCTION, enter)?;
        self.shadow.create(contref, None, self.steps);
        Ok(())
    }

    fn libcall(&mut self, call: LibCall, args: &[u64], rets: usize) -> Result<Option<Results>, Fault> {
        let one = |v: u64| Ok(Some(smallvec![v]));
        let round = |op, w, x| one(float::unary(op, w, x));
        // C gives the destination back; Cranelift's own signature does not
        let destination = |to: u64| if rets == 0 { Ok(Some(smallvec![])) } else { one(to) };
        match (call, args) {
            (LibCall::CeilF32, [x]) => round(FloatUn::Ceil, Fw::F32, *x),
            (LibCall::CeilF64, [x]) => round(FloatUn::Ceil, Fw::F64, *x),
            (LibCall::FloorF32, [x]) => round(FloatUn::Floor, Fw::F32, *x),
            (LibCall::FloorF64, [x]) => round(FloatUn::Floor, Fw::F64, *x),
            (LibCall::TruncF32, [x]) => round(FloatUn::Trunc, Fw::F32, *x),
            (LibCall::TruncF64, [x]) => round(FloatUn::Trunc, Fw::F64, *x),
            (LibCall::NearestF32, [x]) => round(FloatUn::Nearest, Fw::F32, *x),
            (LibCall::NearestF64, [x]) => round(FloatUn::Nearest, Fw::F64, *x),
            (LibCall::FmaF32, [x, y, z]) => one(float::fma(Fw::F32, *x, *y, *z)),
            (LibCall::FmaF64, [x, y, z]) => one(float::fma(Fw::F64, *x, *y, *z)),
            (LibCall::Memcpy, [to, from, n]) => {
                if *n > 0 && to.abs_diff(*from) < *n {
                    return Err(Fault::Violation("memcpy of overlapping ranges".to_owned()));
                }
                self.mem.copy(*to, *from, *n)?;
                destination(*to)
            }
            (LibCall::Memmove, [to, from, n]) => {
                self.mem.copy(*to, *from, *n)?;
                destination(*to)
            }
            (LibCall::Memset, [to, byte, n]) => {
                self.mem.fill(*to, *byte as u8, *n)?;
                destination(*to)
            }
            (LibCall::Memcmp, [a, b, n]) => {
                self.mem.check_range(*a, *n, false)?;
                self.mem.check_range(*b, *n, false)?;
                for i in 0..*n {
                    let ([x], [y]) = (self.mem.load(a + i)?, self.mem.load(b + i)?);
                    if x != y {
                        return one(u64::from((i32::from(x) - i32::from(y)) as u32));
                    }
                }
                one(0)
            }
            (LibCall::Probestack, _) => Ok(Some(smallvec![])),
            (LibCall::ElfTlsGetAddr | LibCall::ElfTlsGetOffset | LibCall::X86Pshufb, _) => {
                Err(Fault::Unsupported(format!("the libcall {call}")))
            }
            _ => Ok(None),
        }
    }
}

/// Address of a payload slot.
fn slot(abi: &Abi, contref: u64, slot: usize) -> u64 {
    let slot = u32::try_from(slot).unwrap_or(Abi::PAYLOAD_SLOTS);
    contref.wrapping_add(abi.payload_offset(slot) as u64) & abi.width.max_word()
}
