//! The thread of a virtual board: keeps its clock with the real one and carries bytes between it and its ports.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use firmware_protocol::emulator::Board;
use rustix::time::{ClockId, clock_gettime};

use super::fault::{Change, FaultKind, FaultSchedule};
use super::journal::Journal;
use super::outside::{Damage, Outside};
use super::ports::{PortChange, Ports};
use super::transport::HttpExchange;
use crate::sim::{ArmPose, CellWorld, SharedCell, SimError};

/// Longest time between two looks at the clock: 23 bytes of the wire.
const STEP: Duration = Duration::from_millis(2);

/// A delay beyond this is no load on the machine: the program was stopped, or the machine slept.
const STOOD_STILL: Duration = Duration::from_secs(2);

/// What the thread owns.
pub(super) struct Host {
    pub(super) board: Board,
    /// What stands around the arm, and where others see it.
    pub(super) cell: Option<(CellWorld, SharedCell)>,
    pub(super) baud: u32,
    pub(super) ports: Ports,
    pub(super) schedule: FaultSchedule,
    pub(super) outside: Outside,
    pub(super) journal: Journal,
    pub(super) pose: ArmPose,
    pub(super) reset_on_open: bool,
    /// The start of the board's clock; moves when the clock has stood still.
    pub(super) started: Instant,
    /// Faults under way: their report, and the damage before them.
    pub(super) under_way: BTreeMap<usize, (usize, Damage)>,
    /// Web requests that the board has not answered.
    pub(super) requests: BTreeMap<u64, HttpExchange>,
    /// Restarts of the firmware (T:600) so far.
    pub(super) restarts: u64,
}

impl Host {
    pub(super) fn run(mut self, stop: &AtomicBool) -> Result<(), SimError> {
        let mut incoming = Vec::with_capacity(4096);
        while !stop.load(Ordering::Relaxed) {
            self.ports.wait(STEP, self.outside.room(self.board.now()) > 0);
            self.look_at_ports()?;
            self.keep_time()?;
            incoming.clear();
            let change = self.ports.read(self.outside.room(self.board.now()), &mut incoming);
            let arrived = self.outside.inward(&incoming, &mut self.board);
            self.journal.counts(|counts| counts.bytes_in += arrived);
            if let Some(change) = change {
                self.port_changed(change)?;
            }
            while let Some(request) = self.ports.next_request() {
                self.journal.request(self.board.now(), &request.argument)?;
                let ticket = self.board.http_js(&request.argument);
                self.requests.insert(ticket, request);
            }
            let angles = self.board.angles().into();
            self.pose.set(angles);
            if let Some((world, seen)) = &self.cell {
                seen.set(world.seen(angles), world.outcome());
            }
            self.count();
            self.journal.flush()?;
        }
        self.end()
    }

    /// Brings the board's clock up to the real one.
    fn keep_time(&mut self) -> Result<(), SimError> {
        let behind = self.started.elapsed().saturating_sub(self.board.now());
        if behind > STOOD_STILL {
            self.started += behind - STEP;
            let text = format!(
                "this program stood still for {:.1} s, and the board's clock with it",
                behind.as_secs_f64()
            );
            self.journal.event(self.board.now(), text)?;
        }
        let target = self.started.elapsed().max(self.board.now());
        loop {
            self.change_faults()?;
            let now = self.board.now();
            let next = self.schedule.next_change().map_or(target, |change| change.clamp(now, target));
            match &mut self.cell {
                Some((world, _)) => world.advance(&mut self.board, next - now)?,
                None => self.board.advance(next - now),
            }
            self.carry_out()?;
            if next == target {
                return self.change_faults();
            }
        }
    }

    /// Takes what the board has said and done since the last call.
    fn carry_out(&mut self) -> Result<(), SimError> {
        let now = self.board.now();
        self.journal.received(self.board.take_lines(), now)?;
        let mut sent = Vec::new();
        self.board.transmit(&mut sent);
        self.journal.sent(now, &sent)?;
        let mut arriving = Vec::with_capacity(sent.len());
        self.outside.outward(now, &sent, &mut arriving);
        self.ports.write(&arriving);
        if self.board.restarts() != self.restarts {
            self.restarts = self.board.restarts();
            self.forget_requests();
        }
        for reply in self.board.take_http_replies() {
            self.journal.reply(now, &reply.body)?;
            if let Some(request) = self.requests.remove(&reply.ticket) {
                request.answer(reply.content_type, &reply.body);
            }
        }
        self.journal.ring_losses(now, self.board.lost_bytes(), false)
    }

    /// Begins and ends the faults that are due.
    fn change_faults(&mut self) -> Result<(), SimError> {
        let now = self.board.now();
        while let Some(change) = self.schedule.take_due(now) {
            let (Change::Begins(number) | Change::Ends(number)) = change;
            let fault = self.schedule.fault(number);
            let (kind, text) = (fault.kind, fault.to_string());
            match change {
                Change::Begins(_) => {
                    let report = self.journal.fault_begins(now, &text, kind.is_momentary())?;
                    self.under_way.insert(number, (report, self.outside.damage()));
                    if kind == FaultKind::Reset {
                        self.reset();
                    }
                }
                Change::Ends(_) => self.fault_ends(number, false)?,
            }
            self.outside.apply(&self.schedule, self.baud, &mut self.board);
            self.cut_or_mend()?;
        }
        Ok(())
    }

    fn fault_ends(&mut self, number: usize, with_the_run: bool) -> Result<(), SimError> {
        let Some((report, before)) = self.under_way.remove(&number) else { return Ok(()) };
        let kind = self.schedule.fault(number).kind;
        if kind.is_momentary() {
            return Ok(());
        }
        let effect = self.outside.effect(kind, before);
        self.journal.fault_ends(self.board.now(), report, effect, with_the_run)
    }

    fn reset(&mut self) {
        self.board.reset();
        self.forget_requests();
    }

    /// A chip that restarts, or is cut off, closes its connections without a word.
    fn forget_requests(&mut self) {
        self.requests.clear();
    }

    fn cut_or_mend(&mut self) -> Result<(), SimError> {
        if self.outside.cut {
            self.ports.close(self.outside.replugged);
            self.forget_requests();
        } else if self.ports.path().is_none() {
            self.ports.reopen()?;
            if let Some(path) = self.ports.path() {
                let text = format!("the port is back as {}", path.display());
                self.journal.event(self.board.now(), text)?;
            }
        }
        Ok(())
    }

    fn look_at_ports(&mut self) -> Result<(), SimError> {
        for change in self.ports.changes()? {
            self.port_changed(change)?;
        }
        Ok(())
    }

    fn port_changed(&mut self, change: PortChange) -> Result<(), SimError> {
        let now = self.board.now();
        match change {
            PortChange::Opened(text) if self.reset_on_open => {
                self.reset();
                self.journal.note(now, &format!("{text}, which resets the board"))
            }
            PortChange::Opened(text) | PortChange::Closed(text) => self.journal.note(now, &text),
            PortChange::Moved(path) => self.journal.event(
                now,
                format!(
                    "a client left the port locked (exclusive), so there is a new one: {}",
                    path.display()
                ),
            ),
        }
    }

    fn count(&self) {
        let thread = clock_gettime(ClockId::ThreadCPUTime);
        let processor_time = Duration::new(
            u64::try_from(thread.tv_sec).unwrap_or(0),
            u32::try_from(thread.tv_nsec).unwrap_or(0),
        );
        self.journal.counts(|counts| {
            if counts.path.as_deref() != self.ports.path() {
                counts.path = self.ports.path().map(std::path::Path::to_owned);
            }
            counts.board_time = self.board.now();
            counts.pose = self.pose.get().into();
            counts.processor_time = processor_time;
        });
    }

    fn end(mut self) -> Result<(), SimError> {
        let now = self.board.now();
        let under_way: Vec<usize> = self.under_way.keys().copied().collect();
        for number in under_way {
            self.fault_ends(number, true)?;
        }
        self.journal.ring_losses(now, self.board.lost_bytes(), true)?;
        self.count();
        self.journal.flush()
    }
}
