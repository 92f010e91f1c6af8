//! The statements, and how they commit: nobody sees a commit, or is told of it, before the standby has it.

use crate::protocol::Protocol;
use crate::rules::Rule;
use crate::state::{Attempt, Message, Phase, Row, State, Status, Work, Worker};

type Change<'a> = &'a dyn Fn(Option<Row>) -> Option<Row>;

impl Protocol {
    pub fn intake(&self, s: &mut State, status: Status) -> Option<()> {
        let row = Row { status, fence: u8::from(status == Status::Routing), attempts: [None; 2] };
        s.client_waits = true;
        self.write(s, &|known| known.is_none().then_some(row))
    }

    pub fn start(&self, s: &mut State) -> Option<()> {
        s.client_waits = true;
        let start = |row: Row| Row { status: Status::Routing, fence: row.fence + 1, ..row };
        self.write(s, &|row| row.filter(|row| row.status == Status::Pending).map(start))
    }

    pub fn cancel(&self, s: &mut State) -> Option<()> {
        s.client_waits = true;
        let cancel = |row: Row| Row { status: Status::Cancelled, fence: row.fence + 1, ..row };
        self.write(s, &|row| row.filter(|row| row.status < Status::Submitted).map(cancel))
    }

    /// What an answer rests on that writes nothing.
    pub fn read(&self, s: &State) -> Option<Row> {
        s.row().filter(|_| s.unacknowledged() == 0 || !self.keeps(Rule::Acknowledged))
    }

    pub fn tell_end(&self, s: &mut State) -> Option<()> {
        self.read(s).filter(|row| row.status > Status::Submitted).map(|row| s.told_end = Some(row.status))
    }

    /// A lease may lapse at any moment: clocks, renewing and releasing change nothing here.
    pub fn lease_scan(&self, s: &mut State, w: usize) -> Option<()> {
        let open = |row: &Row| (Status::Routing..=Status::Submitted).contains(&row.status);
        let row = s.row().filter(|row| open(row) && row.fence < self.scope.fences)?;
        let order = Message { status: row.status, fence: row.fence + 1, forged: false };
        s.workers[w] = Worker { phase: Phase::Holds(order), writes: true };
        self.write(s, &|row| Some(Row { fence: order.fence, ..row? }))
    }

    /// Routed, the order is handed over under the next fence.
    pub fn r#move(&self, s: &mut State, w: usize, order: Message, to: Status) -> Option<()> {
        let fence = order.fence + u8::from(to == Status::Building);
        let may = order.status < Status::Submitted && order.status != to && fence <= self.scope.fences;
        self.guarded(s, w, order, Phase::Idle, &|row| may.then_some(Row { status: to, fence, ..row? }))
    }

    pub fn submit(&self, s: &mut State, w: usize, work: Work) -> Option<()> {
        let order = Message { status: Status::Submitted, ..work.order };
        self.guarded(s, w, work.order, Phase::Lands(Work { order, ..work }), &|row| {
            let mut row = Row { status: order.status, ..row? };
            let free = row.attempts[..self.scope.attempts].iter_mut().find(|attempt| attempt.is_none())?;
            *free = Some(Attempt { swap: work.swap, last_valid: work.last_valid, live: true });
            Some(row)
        })
    }

    pub fn live_attempts(&self, s: &mut State, w: usize, order: Message) -> Option<()> {
        let Attempt { swap, last_valid, .. } = self.read(s)?.attempts.into_iter().flatten().find(|it| it.live)?;
        let lands = Phase::Lands(Work { order, swap, last_valid });
        (order.status == Status::Submitted).then(|| s.workers[w].phase = lands)
    }

    /// Proven to have expired, an attempt may be followed by another.
    pub fn settle(&self, s: &mut State, w: usize, work: Work, end: Status, to: Status) -> Option<()> {
        let again = end == Status::Expired && s.attempts().len() < self.scope.attempts;
        self.guarded(s, w, work.order, Phase::Idle, &|row| {
            let mut row = Row { status: to, ..row? };
            row.attempts.iter_mut().flatten().find(|attempt| attempt.swap == work.swap)?.live = false;
            (to == end || again).then_some(row)
        })
    }

    fn guarded(&self, s: &mut State, w: usize, order: Message, phase: Phase, change: Change) -> Option<()> {
        let same = |row: &Row| row.status == order.status && row.fence == order.fence;
        let terms = !order.forged || !self.keeps(Rule::TermsCompared);
        s.workers[w] = Worker { phase, writes: true };
        self.write(s, &|row| change(Some(row.filter(|row| same(row) && terms)?)))
    }

    /// Change the row, unless another commit holds its lock. What connects after a crash waits first.
    fn write(&self, s: &mut State, change: Change) -> Option<()> {
        if s.in_commit || (s.unacknowledged() > 0 && self.keeps(Rule::Acknowledged)) { return None }
        s.behind.push(change(s.row())?);
        s.in_commit = true;
        if s.alone { s.standby_receives() } else { Some(()) }
    }

    /// Before, the statement was cancelled: PostgreSQL then shows what the standby has not.
    pub fn give_up(&self, s: &mut State) -> Option<()> {
        s.in_commit.then(|| s.in_commit = self.keeps(Rule::CommitsWait))?;
        s.connections_break()
    }
}

impl State {
    pub fn standby_receives(&mut self) -> Option<()> {
        let row = (!self.behind.is_empty()).then(|| self.behind.remove(0))?;
        self.standby = Some(row);
        if self.in_commit && self.behind.is_empty() { self.acknowledged(row) }
        Some(())
    }

    /// Who waited goes on: publishes the message that hands the lease over, and tells that an order is over.
    fn acknowledged(&mut self, row: Row) {
        let writer = self.workers.iter_mut().find(|worker| worker.writes);
        let moved = writer.as_ref().is_some_and(|worker| worker.phase == Phase::Idle);
        if row.status > Status::Submitted && (self.client_waits || moved) { self.told_end = Some(row.status) }
        if (self.client_waits && row.status == Status::Routing) || (moved && row.status == Status::Building) {
            self.topics.insert(Message { status: row.status, fence: row.fence, forged: false });
        }
        if let Some(worker) = writer { worker.writes = false }
        self.told_stored |= self.client_waits;
        (self.client_waits, self.in_commit) = (false, false);
    }

    /// What waited is committed, and shown.
    pub fn primary_restarts(&mut self) -> Option<()> {
        self.in_commit.then(|| self.in_commit = false).and_then(|()| self.connections_break())
    }

    /// The primary is gone for ever, with what the standby has not.
    pub fn standby_is_promoted(&mut self) -> Option<()> {
        (!self.alone).then(|| (self.alone, self.in_commit, self.behind) = (true, false, vec![]))?;
        self.connections_break()
    }

    fn connections_break(&mut self) -> Option<()> {
        self.client_waits = false;
        self.workers.iter_mut().filter(|worker| worker.writes).for_each(|worker| *worker = Worker::default());
        Some(())
    }
}
