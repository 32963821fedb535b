//! Invocations: of exports through the runtime of the lowering, each on a
//! continuation of its own, and of plain functions on the driver's stack.

use clif_cont_abi::{StoreContext, Trap};
use clif_cont_program::{Export, Outcome, Trapped, ValType, Violation, values};
use cranelift_codegen::ir::{Type, types};

use crate::link::{Callee, Runtime};
use crate::machine::{Args, Machine};
use crate::op::CalleeId;

/// Instructions that `cc_reclaim` may take: a base, and for each slot.
const RECLAIM_STEPS: u64 = 1_000_000;
const RECLAIM_STEPS_PER_SLOT: u64 = 1_000;

/// The host's type for a CLIF type; `None` where it has none.
pub(crate) fn val_type(ty: Type) -> Option<ValType> {
    Some(match ty {
        types::I8 | types::I16 | types::I32 => ValType::I32,
        types::I64 => ValType::I64,
        types::F32 => ValType::F32,
        types::F64 => ValType::F64,
        _ => return None,
    })
}

fn trapped(trap: Trap) -> Outcome {
    Outcome::Trapped(Trapped { trap, detail: None, backtrace: vec![] })
}

impl Machine {
    /// Invokes an export, with the words of arguments that have been checked.
    pub(crate) fn invoke_export(&mut self, export: &Export, args: &[u64]) -> Outcome {
        if let Some(outcome) = &self.poisoned {
            return outcome.clone();
        }
        let enter = self.linked.callee(&export.enter);
        let callee = self.linked.callee(&export.function);
        let (Some(runtime), Some(store), Some(enter), Some(callee)) =
            (self.linked.runtime, self.linked.store, enter, callee)
        else {
            return self.invoke_plain(&export.function, args, &export.results);
        };
        let limit = self.limit;
        let outcome = match self.invoke_on_continuation(runtime, store, (callee, enter), export, args) {
            Ok(outcome) => outcome,
            Err(outcome) => {
                // it did not end in order: the chain of its continuations is
                // still on the store, and nobody can tell what of it is sound
                self.poisoned = Some(Outcome::Violation(Violation {
                    message: format!(
                        "the store is not usable after an invocation of `{}` that had to be cut off",
                        export.name
                    ),
                    function: export.function.clone(),
                    inst: None,
                    backtrace: vec![],
                }));
                *outcome
            }
        };
        // nested invocations draw on the fuel of the outermost
        self.limit = if self.overdrawn { self.steps + RECLAIM_STEPS } else { limit };
        outcome
    }

    fn invoke_on_continuation(
        &mut self,
        runtime: Runtime,
        store: u64,
        (callee, enter): (CalleeId, CalleeId),
        export: &Export,
        args: &[u64],
    ) -> Result<Outcome, Box<Outcome>> {
        let contref = self.enter(runtime.begin, &[])?.first().copied().unwrap_or(0);
        if contref == 0 {
            return Ok(trapped(Trap::PoolExhausted));
        }
        let (callee, enter) = (self.linked.address_of(callee), self.linked.address_of(enter));
        let written =
            self.set_payload(contref, &export.params, args).and_then(|n| self.set_callee(contref, n, callee, enter));
        if let Err(fault) = written {
            return Err(Box::new(self.outcome_of(fault)));
        }
        self.invocations += 1;
        let code = self.enter(runtime.invoke, &[contref]);
        self.invocations -= 1;
        let code = code?.first().copied().unwrap_or(0);
        if code == 0 {
            return match self.payload(contref, &export.results) {
                Ok(words) => Ok(self.returned_values(&export.results, words)),
                Err(fault) => Err(Box::new(self.outcome_of(fault))),
            };
        }
        let message = self.host_message.take();
        let outcome = match self.pending.take() {
            Some(outcome) => outcome,
            None => {
                let backtrace = self.backtrace_of_trap(store);
                match u32::try_from(code).ok().and_then(Trap::from_code) {
                    Some(trap) => {
                        let detail = message.filter(|_| trap == Trap::Host);
                        Outcome::Trapped(Trapped { trap, detail, backtrace })
                    }
                    None => Outcome::Violation(Violation {
                        message: format!("the program trapped with code {code}, which has no meaning"),
                        function: export.function.clone(),
                        inst: None,
                        backtrace,
                    }),
                }
            }
        };
        let slots = self.slots().unwrap_or(0);
        // the number is the program's, which may have written anything there
        let reclaim = slots.saturating_mul(RECLAIM_STEPS_PER_SLOT).saturating_add(RECLAIM_STEPS);
        self.limit = self.steps.saturating_add(reclaim);
        self.enter(runtime.reclaim, &[])?;
        Ok(outcome)
    }

    fn returned_values(&self, types: &[ValType], words: Vec<u64>) -> Outcome {
        match values(&self.instance, types, words) {
            Some(values) => Outcome::Returned(values),
            None => Outcome::Unsupported("the results are not those of the export's types".to_owned()),
        }
    }

    /// Calls a function on the driver's stack, with the words of arguments that have been
    /// checked.
    pub(crate) fn invoke_plain(&mut self, symbol: &str, words: &[u64], results: &[ValType]) -> Outcome {
        let Some(id) = self.linked.callee(symbol).filter(|id| self.linked.code(*id).is_some()) else {
            return Outcome::Unsupported(format!("`%{symbol}` is not a function of the program"));
        };
        let shape = self.linked.signatures[id as usize].and_then(|s| self.linked.shapes.get(s as usize)).cloned();
        let Some(shape) = shape else {
            return Outcome::Unsupported(format!("`%{symbol}` has no signature"));
        };
        let plain = |types: &[Type]| types.iter().all(|t| val_type(*t).is_some());
        let abi = self.linked.program.target.abi;
        let given: usize = results.iter().map(|t| t.clif(&abi).len()).sum();
        if words.len() != shape.params.len()
            || given != shape.returns.len()
            || !plain(&shape.params)
            || !plain(&shape.returns)
        {
            return Outcome::Unsupported(format!("the host cannot call `%{symbol}` with these types"));
        }
        let bits = |t: &Type| if t.bits() < 64 { (1 << t.bits()) - 1 } else { u64::MAX };
        let words: Vec<u64> = words.iter().zip(&shape.params).map(|(w, t)| w & bits(t)).collect();
        let returned = match self.enter(id, &words) {
            Ok(returned) => returned,
            Err(outcome) => return *outcome,
        };
        let widened = returned.iter().zip(&shape.returns).map(|(word, ty)| match *ty {
            types::I8 | types::I16 => crate::int::signed(*word, ty.bits() as u8) as u64,
            _ => *word,
        });
        let words = widened.collect();
        self.returned_values(results, words)
    }

    /// Calls a function from Rust and runs until it returns.
    ///
    /// # Errors
    ///
    /// How it ended instead; nothing of it is left on the running stack.
    fn enter(&mut self, id: CalleeId, args: &[u64]) -> Result<Vec<u64>, Box<Outcome>> {
        let Callee::Function(index) = self.linked.callees[id as usize] else {
            return Err(Box::new(Outcome::Unsupported("a call to a host function".to_owned())));
        };
        let (fiber, depth) = (self.fiber.id, self.fiber.frames.len());
        self.calls += 1;
        let done = match self.push(index, Args::Values(args), self.calls) {
            Ok(()) => self.run(),
            Err(fault) => Err(Box::new(self.outcome_of(fault))),
        };
        if done.is_err() {
            self.pending = None;
            self.recover(fiber, depth);
        }
        self.calls -= 1;
        done.map(|()| std::mem::take(&mut self.returned))
    }

    /// Number of stack slots that the program has made; `None` without a store
    /// context.
    pub(crate) fn slots(&mut self) -> Option<u64> {
        let store = self.linked.store?;
        self.field(store, StoreContext::SLOTS).ok()
    }
}
