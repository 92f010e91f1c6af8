//! The chain, and what two nodes say of it. One is honest, if behind or silent at times; the other says anything, so it
//! counts where its word alone is enough. Which of them it is, the engine does not know. Finality is one height behind.

use crate::protocol::Protocol;
use crate::rules::{Rule, VALID};
use crate::state::{Fate, Message, Phase, State, Status, Swap, Work};

impl Protocol {
    pub fn landings(&self, s: &mut State, w: usize, work: Work, end: Status) -> Option<()> {
        let shown = match s.chain.get(&work.swap) {
            Some(Fate::Executed(_)) if end == Status::Confirmed => true,
            Some(Fate::Reverted(at)) if end == Status::Failed && *at < s.height => true,
            _ => !self.keeps(if end == Status::Confirmed { Rule::LandingByAll } else { Rule::RevertByAll }),
        };
        shown.then(|| s.workers[w].phase = Phase::Settles(Work { last_valid: None, ..work }, end))
    }
}

impl State {
    /// said: how much higher than its blockhash the swap may land.
    pub fn build(&mut self, w: usize, order: Message, said: Option<u8>) -> Option<()> {
        let swap = Swap { made: self.height, forged: order.forged };
        let work = Work { order, swap, last_valid: said.map(|said| self.height + said) };
        (order.status == Status::Building).then(|| self.workers[w].phase = Phase::Signed(work))
    }

    /// Last valid height of the newest hash of a node as far behind as it may be, and as much as it may be behind.
    pub fn height_surely_past(&mut self, w: usize, work: Work) -> Option<()> {
        let known = Work { last_valid: Some(self.height + VALID), ..work };
        work.last_valid.is_none().then(|| self.workers[w].phase = Phase::Lands(known))
    }

    /// The honest node is finalized past the height, and finds no trace in what it knew then.
    pub fn prove_expired(&mut self, w: usize, work: Work) -> Option<()> {
        let fate = self.chain.get(&work.swap);
        let trace = matches!(fate, Some(Fate::Executed(at) | Fate::Reverted(at)) if *at < self.height);
        let proven = self.height > work.last_valid? + 1 && !trace;
        proven.then(|| self.workers[w].phase = Phase::Settles(Work { last_valid: None, ..work }, Status::Expired))
    }

    /// Heights count from the first signature.
    pub fn tick(&mut self, last: u8) -> Option<()> {
        let idle = self.workers.iter().all(|worker| matches!(worker.phase, Phase::Idle | Phase::Holds(_)));
        let began = !idle || self.height > 0 || !self.attempts().is_empty();
        (began && self.height < last).then(|| self.height += 1)
    }

    /// A swap lands, or the fork on which it reverted is given up before it is final. That a confirmed execution stays,
    /// ADR 0009 takes for granted.
    pub fn land(&mut self, swap: Swap, before: Fate, after: Fate) -> Option<()> {
        let may = self.chain[&swap] == before && self.height <= swap.made + VALID;
        may.then(|| _ = self.chain.insert(swap, after))
    }
}
