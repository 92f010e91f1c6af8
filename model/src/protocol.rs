//! Every step that may be taken, named after the statement or the effect it stands for (README.md says where that is).

use stateright::{Model, Property};

use crate::rules::{Rule, Scope, VALID};
use crate::state::{Fate, Message, Phase, State, Status::*};

pub struct Protocol {
    pub old: &'static [Rule],
    pub scope: Scope,
    pub symmetric: bool, // workers are alike: states that differ by their order are one; not in traces
}

type Does<'a> = &'a dyn Fn(&mut State) -> Option<()>;

/// What is done, by which worker, with which message, and where it leads.
#[derive(Clone, Debug, PartialEq)]
pub struct Step { pub name: &'static str, pub worker: Option<usize>, pub message: Option<Message>, to: State }

impl Model for Protocol {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> { vec![State { alone: !self.scope.standby, ..State::default() }] }
    fn properties(&self) -> Vec<Property<Self>> { crate::properties::properties(&self.scope) }
    fn next_state(&self, _: &State, mut step: Step) -> Option<State> {
        if self.symmetric { step.to.workers.sort() }
        Some(step.to)
    }

    fn actions(&self, s: &State, steps: &mut Vec<Step>) {
        let mut add = |name, worker, message, does: Does| {
            let mut to = s.clone();
            if does(&mut to).is_some() && to != *s { steps.push(Step { name, worker, message, to }) }
        };
        let mut can = |name, does: Does| add(name, None, None, does);
        can("intake (execute)", &|s| self.intake(s, Routing));
        if self.scope.client {
            can("intake", &|s| self.intake(s, Pending));
            can("start", &|s| self.start(s));
            can("cancel", &|s| self.cancel(s));
            can("intake_find: stored before", &|s| self.read(s).map(|_| s.told_stored = true));
            can("cancel_explain: over", &|s| (!s.in_commit).then(|| self.tell_end(s))?); // after the lock of cancel
            can("read_order: over", &|s| self.tell_end(s));
        }
        can("statement given up", &|s| self.give_up(s));
        can("primary restarts", &|s| s.primary_restarts());
        can("standby receives a commit", &|s| s.standby_receives());
        can("standby is promoted", &|s| s.standby_is_promoted());
        can("a block", &|s| s.tick(self.scope.heights));
        for swap in s.chain.keys() {
            can("the swap executes", &|s| s.land(*swap, Fate::Sent, Fate::Executed(s.height)));
            can("the swap reverts", &|s| s.land(*swap, Fate::Sent, Fate::Reverted(s.height)));
            can("the revert is rolled back", &|s| s.land(*swap, Fate::Reverted(s.height), Fate::Sent));
        }
        for w in 0..s.workers.len() {
            let mut works = |name, does: Does| add(name, Some(w), None, does);
            works("dies", &|s| Some(s.workers[w] = Default::default()));
            match s.workers[w].phase {
                _ if s.workers[w].writes => {}
                Phase::Idle => {
                    works("lease_scan", &|s| self.lease_scan(s, w));
                    let take = |s: &mut State, message| Some(s.workers[w].phase = Phase::Holds(message));
                    s.topics.iter().for_each(|it| add("deliver", Some(w), Some(*it), &|s| take(s, *it)));
                    self.forgeries(s).for_each(|it| add("deliver forged", Some(w), Some(it), &|s| take(s, it)));
                }
                Phase::Holds(order) => {
                    works("move: routed", &|s| self.r#move(s, w, order, Building));
                    works("move: route stale", &|s| self.r#move(s, w, order, Routing));
                    works("move: out of time", &|s| self.r#move(s, w, order, Expired));
                    works("live_attempts", &|s| self.live_attempts(s, w, order));
                    works("build: last_valid_height", &|s| s.build(w, order, Some(VALID)));
                    let mut words = |may: bool, name, said| if may { works(name, &|s| s.build(w, order, said)) };
                    words(self.scope.heights > 0, "build: height unknown", None);
                    words(!self.keeps(Rule::HeightByAll), "build: height by the liar", Some(0));
                    words(!self.keeps(Rule::HashKnown), "build: height by one that is behind", Some(0));
                }
                Phase::Signed(work) => works("submit", &|s| self.submit(s, w, work)),
                Phase::Lands(work) => {
                    works("send", &|s| Some(_ = s.chain.entry(work.swap).or_insert(Fate::Sent)));
                    works("height_surely_past", &|s| s.height_surely_past(w, work));
                    works("landings: executed", &|s| self.landings(s, w, work, Confirmed));
                    works("landings: reverted", &|s| self.landings(s, w, work, Failed));
                    works("prove_expired", &|s| s.prove_expired(w, work));
                }
                Phase::Settles(work, end) => {
                    works("settle", &|s| self.settle(s, w, work, end, end));
                    works("settle: route again", &|s| self.settle(s, w, work, end, Routing));
                }
            }
        }
    }
}

impl Protocol {
    pub fn keeps(&self, rule: Rule) -> bool { !self.old.contains(&rule) }

    /// What an attacker may write: its terms out of turn, or another order's. Fences that are over never come again.
    fn forgeries(&self, s: &State) -> impl Iterator<Item = Message> {
        let row = s.row().filter(|row| self.scope.forged && row.status < Confirmed);
        row.into_iter().flat_map(|row| (0..12).map(move |n| {
            let status = [Routing, Building, Submitted][usize::from(n % 3)];
            Message { status, fence: row.fence + n / 3 % 2, forged: n < 6 }
        }))
    }
}
