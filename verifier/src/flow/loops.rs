//! Loops are gone through in rounds until one finds nothing new.
//!
//! A round may be judged while it goes on, as if it were the last. It was, when every
//! block was entered with what is known at its entry in the end, and nothing was asked of
//! an edge before what is known on it changed once more.

use std::cell::Cell;

use cranelift_codegen::ir::{Block, Inst, Opcode};

use super::{Analysis, BlockState};
use crate::graph::Edge;
use crate::profile::Callee;
use crate::state::State;
use crate::sym::Sym;
use crate::transfer;

/// After so many rounds a block of a loop only forgets, so that the analysis ends.
const FREE_ROUNDS: usize = 6;
/// And after so many more than there are blocks it gives up, which no function has been
/// seen to need: what is learnt at the end of a jump back waits for the next round.
const MAX_ROUNDS: usize = 40;
/// So many rounds begin anew with what is known of values by then.
const MAX_RESTARTS: usize = 20;
/// So many rounds are judged before it is known whether one is the last.
const MAX_TRIALS: usize = 3;

/// What became of a round.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// Nothing was new. If it was judged, that stands.
    Settled,
    /// There is more to be found out.
    Open,
    /// There may be, but it takes too long.
    GaveUp,
}

/// One round through the blocks of loops.
#[derive(Debug)]
pub(super) struct Round {
    /// So many of them, at the most.
    bound: usize,
    /// The first one that knew what it knows of values.
    restarted: usize,
    /// How many there were before.
    count: usize,
    /// The one before found nothing new.
    settled: bool,
    /// The [`Analysis::epoch`] when it began.
    epoch: u32,
    /// Position of the first block.
    first: u32,
    /// Does other code run in the loops?
    others: bool,
    /// Was something asked of an edge that was still to come?
    asked: Cell<bool>,
    /// Is anything new known on an edge that leads back?
    changed: bool,
}

impl Round {
    /// Tells this round from others, of all loops.
    pub(super) fn number(&self) -> u32 {
        self.count as u32 + 1
    }

    fn forgets(&self) -> bool {
        self.count - self.restarted >= FREE_ROUNDS
    }

    fn is_last(&self) -> bool {
        self.count >= self.bound
    }
}

impl Analysis<'_> {
    /// Loops are gone through from here on.
    pub(crate) fn begin_loops(&mut self, part: &[Block]) {
        self.round = Some(Round {
            bound: MAX_ROUNDS + part.len(),
            restarted: 0,
            count: 0,
            settled: false,
            epoch: self.epoch,
            first: part.first().map_or(0, |block| self.graph.position(*block)),
            others: part.iter().any(|b| self.func.layout.block_insts(*b).any(|i| self.runs_others(i))),
            asked: Cell::new(false),
            changed: false,
        });
        self.open(part);
    }

    /// Nothing is known of the blocks of loops but what their values are.
    fn open(&mut self, part: &[Block]) {
        for block in part {
            let failing = self.blocks[*block].failing;
            self.blocks[*block] = BlockState { again: true, failing, ..BlockState::default() };
            for e in self.graph.edges_from(*block) {
                self.edge_states[e.number] = None;
            }
        }
    }

    /// A block that something comes round to is reached for the first time: it is a good
    /// guess that nothing is known there of what it hands on, nor of what other code makes
    /// unknown. It is never too much, but may be too little.
    fn guess_at(&mut self, block: Block, state: &mut State) {
        let Some(round) = &self.round else { return };
        if round.count > 0 || self.guess.is_none() || self.chain().is_some() {
            return;
        }
        if self.graph.edges_to(block).any(|e| self.goes_round(e)) {
            let before = state.clone();
            state.forget_unless(|s| self.syms.home(s) != block);
            if round.others {
                state.forget_others();
            }
            if *state != before {
                self.guess = Some(true);
            }
        }
    }

    /// Does an instruction let other code of the program run, behind which nothing is known
    /// of records?
    fn runs_others(&self, inst: Inst) -> bool {
        let opcode = self.func.dfg.insts[inst].opcode();
        opcode == Opcode::StackSwitch
            || opcode.is_call()
                && !matches!(opcode, Opcode::ReturnCall | Opcode::ReturnCallIndirect)
                && self.callee_of(inst).is_none_or(Callee::runs_others)
    }

    /// Is this round worth to be judged, as far as it has gone?
    pub(crate) fn is_judged(&self) -> bool {
        self.round.as_ref().is_some_and(|round| {
            let tried = round.count <= round.restarted + MAX_TRIALS || round.settled;
            let may_settle = self.epoch == round.epoch && !(round.asked.get() && round.count == round.restarted);
            tried && may_settle || round.is_last()
        })
    }

    /// All blocks were gone through.
    pub(crate) fn end_round(&mut self, part: &[Block]) -> Outcome {
        let Some(mut round) = self.round.take() else { return Outcome::Settled };
        let premature = round.asked.get() && round.changed;
        round.settled = !premature && self.epoch == round.epoch && self.is_settled(part, round.forgets());
        let outcome = match round.settled {
            true => Outcome::Settled,
            false if round.is_last() => Outcome::GaveUp,
            false => Outcome::Open,
        };
        round.count += 1;
        // what a loop said of a value that turned out to be opaque would
        // keep out what can be said of it now
        let restarts = self.epoch != round.epoch && self.chain().is_some() && round.count <= MAX_RESTARTS;
        if restarts {
            round.restarted = round.count;
        }
        (round.epoch, round.changed) = (self.epoch, false);
        round.asked.set(false);
        self.round = Some(round);
        if restarts {
            self.open(part);
        }
        outcome
    }

    /// The loops are known.
    pub(crate) fn end_loops(&mut self) {
        self.round = None;
    }

    /// Is everything known that leads into these blocks, and the same as before?
    fn is_settled(&mut self, part: &[Block], forget: bool) -> bool {
        part.iter().all(|block| {
            if !self.is_outdated(*block) {
                return true;
            }
            let mut state = self.enter(*block);
            let known = &self.blocks[*block];
            if let (true, Some(state), Some(old)) = (forget, &mut state, &known.entry) {
                state.meet(old);
            }
            let same = state == known.entry && known.epoch == self.epoch;
            self.blocks[*block].again = !same;
            same
        })
    }

    /// Was it gone through before a symbol changed, or a state that leads to it?
    fn is_outdated(&self, block: Block) -> bool {
        let known = &self.blocks[block];
        known.again || known.entry.is_some() && known.epoch != self.epoch
    }

    /// What is known at the entry of a block of loops, and whether its values are,
    /// too.
    pub(crate) fn arrive(&mut self, block: Block) -> Option<(State, bool)> {
        self.blocks[block].again = false;
        let mut state = self.enter(block)?;
        self.guess_at(block, &mut state);
        let round = self.round.as_mut()?;
        let known = &mut self.blocks[block];
        let evaluated = known.entry.is_some() && known.epoch == self.epoch;
        if let Some(old) = known.entry.as_ref().filter(|_| round.forgets()) {
            state.meet(old);
        }
        known.entry = Some(state.clone());
        Some((state, evaluated))
    }

    /// Goes through a block of a loop, where there is something new.
    pub(crate) fn visit(&mut self, block: Block) {
        if !self.is_outdated(block) {
            return;
        }
        let before = self.blocks[block].entry.clone();
        let Some((mut state, evaluated)) = self.arrive(block) else { return };
        if evaluated && before.is_some_and(|before| before == state) {
            return;
        }
        for inst in self.func.layout.block_insts(block) {
            let data = &self.func.dfg.insts[inst];
            if !evaluated {
                self.evaluate_as(inst, data);
            }
            if transfer::is_plain(data) {
                continue;
            }
            let event = self.event(inst, data);
            self.step(inst, &event, &mut state);
        }
        self.leave(block, &state);
    }

    /// May it be something that a loop hands on, which is not known before its end?
    pub(crate) fn may_come_round(&self, s: Sym) -> bool {
        self.round
            .as_ref()
            .is_some_and(|round| self.param(s).is_some_and(|(block, _)| self.graph.position(block) >= round.first))
    }

    /// Something is asked of an edge.
    pub(super) fn look_ahead(&self, edge: &Edge) {
        if let Some(round) = &self.round
            && self.graph.position(edge.from) >= round.first
            && self.blocks[edge.from].round != round.number()
        {
            round.asked.set(true);
        }
    }

    /// Something new is known on an edge.
    pub(super) fn note_change(&mut self, edge: &Edge) {
        let leads_back = self.goes_round(edge);
        if let Some(round) = &mut self.round {
            round.changed |= leads_back;
        }
    }
}
