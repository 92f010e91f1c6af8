//! What must always hold; and what must be possible, lest all else hold because nothing happens.

use stateright::Property;

use crate::protocol::Protocol;
use crate::rules::{Scope, VALID};
use crate::state::{State, Status};

const CONFIRMED: Option<Status> = Some(Status::Confirmed);

pub fn properties(scope: &Scope) -> Vec<Property<Protocol>> {
    let (always, sometimes) = (Property::<Protocol>::always, Property::<Protocol>::sometimes);
    let mut all = vec![
        always("executed at most once", |_, s| s.executed().len() <= 1),
        always("executed as ordered", |_, s| s.executed().iter().all(|swap| !swap.forged)),
        always("answered exists", |_, s| !s.told_stored || s.row().is_some()),
        always("what was told to be over stays so", |_, s| s.told_end.is_none_or(|end| status(s) == Some(end))),
        always("a verdict told is true", |_, s| s.told_end.is_none_or(|end| is_true(s, end))),
        always("a verdict stored is true", |_, s| status(s).is_none_or(|end| is_true(s, end))),
        always("what was sent is stored", |_, s| {
            s.chain.keys().all(|swap| s.attempts().iter().any(|attempt| attempt.swap == *swap))
        }),
        always("a second attempt only when the first can never land", |_, s| {
            let [first, _] = s.attempts()[..] else { return true };
            s.height > first.swap.made + VALID && !s.executed().contains(&first.swap)
        }),
        sometimes("confirmed", |_, s| s.told_end == CONFIRMED),
    ];
    if scope.client { all.push(sometimes("cancelled", |_, s| s.told_end == Some(Status::Cancelled))) }
    if scope.standby { all.push(sometimes("promoted, and confirmed", |_, s| s.alone && s.told_end == CONFIRMED)) }
    if scope.heights > 0 { all.push(sometimes("reverted, and failed", |_, s| s.told_end == Some(Status::Failed))) }
    if scope.attempts > 1 {
        all.push(sometimes("tried again, and confirmed", |_, s| s.attempts().len() > 1 && s.told_end == CONFIRMED));
    }
    all
}

fn status(s: &State) -> Option<Status> { s.row().map(|row| row.status) }

/// Whether the ledger agrees with a status, if that is terminal.
fn is_true(s: &State, end: Status) -> bool {
    end < Status::Confirmed || (end == Status::Confirmed) == !s.executed().is_empty()
}
