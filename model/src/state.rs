//! One order wherever it is: PostgreSQL and its standby, topics, two workers, the chain, and what its client was told.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status { Pending, Routing, Building, Submitted, Confirmed, Failed, Expired, Cancelled }

/// Signed bytes: the height of their blockhash, and whether they say something else than the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Swap { pub made: u8, pub forged: bool }

/// A row of tx_attempts; last_valid: its height, None while that is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Attempt { pub swap: Swap, pub last_valid: Option<u8>, pub live: bool }

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Row { pub status: Status, pub fence: u8, pub attempts: [Option<Attempt>; 2] }

/// An order as a topic or a lease shows it; forged: its terms or its route are not the row's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Message { pub status: Status, pub fence: u8, pub forged: bool }

/// An attempt in a worker's hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Work { pub order: Message, pub swap: Swap, pub last_valid: Option<u8> }

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase { #[default] Idle, Holds(Message), Signed(Work), Lands(Work), Settles(Work, Status) }

/// writes: a statement waits for its commit, and phase is what follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Worker { pub phase: Phase, pub writes: bool }

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate { Sent, Executed(u8), Reverted(u8) }

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    pub standby: Option<Row>,
    pub behind: Vec<Row>, // what the primary committed and the standby has not
    pub in_commit: bool,  // the last of it waits for the standby, and is invisible
    pub alone: bool,      // there is no standby, or it was promoted
    pub topics: BTreeSet<Message>,
    pub workers: [Worker; 2],
    pub height: u8,
    pub chain: BTreeMap<Swap, Fate>,
    pub client_waits: bool,
    pub told_stored: bool,
    pub told_end: Option<Status>,
}

impl State {
    /// How many commits can be read that the standby has not.
    pub fn unacknowledged(&self) -> usize { self.behind.len() - usize::from(self.in_commit) }
    pub fn row(&self) -> Option<Row> { self.behind[..self.unacknowledged()].last().copied().or(self.standby) }
    pub fn attempts(&self) -> Vec<Attempt> { self.row().into_iter().flat_map(|row| row.attempts).flatten().collect() }
    pub fn executed(&self) -> Vec<Swap> {
        self.chain.iter().filter(|(_, fate)| matches!(fate, Fate::Executed(_))).map(|(swap, _)| *swap).collect()
    }
}
