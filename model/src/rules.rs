//! What the engine does, what it did before, and how much of the world is explored.

/// For so many heights a blockhash is valid, and so far behind an honest node may be.
pub const VALID: u8 = 2;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// A statement is never cancelled while its commit waits for the standby. Before: after our timeout.
    CommitsWait,
    /// Who answers without writing, and a new connection, waits for the standby first. Before: for nobody.
    Acknowledged,
    /// A guarded write compares the order's terms with the row. Before: id, status and fence alone.
    TermsCompared,
    /// The last valid height is the highest by all nodes, unknown while one is silent. Before: one node's word.
    HeightByAll,
    /// A node has a word on it only if it knows the blockhash. Without: however far behind it is.
    HashKnown,
    /// A landing is what both nodes show. Before: what one shows.
    LandingByAll,
    /// A revert is what both nodes show as finalized. Before: what one shows.
    RevertByAll,
}
use Rule::*;

/// Old rules by name, the scope that shows what they cost, and what breaks.
pub const OLD: [(&str, &[Rule], &str, &[&str]); 7] = [
    ("c1", &[CommitsWait, Acknowledged], "standby", &["answered exists", "a verdict told is true"]),
    ("c1-crash", &[Acknowledged], "standby", &["answered exists", "a verdict told is true"]),
    ("c2", &[TermsCompared], "messages", &["executed as ordered"]),
    ("c3-height", &[HeightByAll], "nodes", &["executed at most once", "a verdict told is true"]),
    ("c3-behind", &[HashKnown], "nodes", &["executed at most once", "a verdict told is true"]),
    ("c3-landing", &[LandingByAll], "nodes", &["a verdict told is true"]),
    ("c3-revert", &[RevertByAll], "nodes", &["a verdict told is true"]),
];

/// Bounds. A fence grows with each lease and hand-over, so its bound is theirs. client: it also starts and cancels.
#[derive(Clone, Copy)]
pub struct Scope {
    pub name: &'static str, pub standby: bool, pub client: bool, pub forged: bool,
    pub attempts: usize, pub fences: u8, pub heights: u8,
}

pub const SCOPES: [Scope; 4] = [
    Scope { name: "messages", standby: false, client: true, forged: true, attempts: 1, fences: 4, heights: 0 },
    Scope { name: "standby", standby: true, client: true, forged: true, attempts: 1, fences: 4, heights: 0 },
    Scope { name: "nodes", standby: false, client: false, forged: false, attempts: 2, fences: 5, heights: 5 },
    Scope { name: "both", standby: true, client: false, forged: false, attempts: 2, fences: 4, heights: 5 },
];
