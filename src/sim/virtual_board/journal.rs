//! What happens to a board: counted, kept for its owner, and written to the log file.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use firmware_protocol::emulator::ReceivedLine;

use super::counts::{BoardCounts, BoardEvent, FaultReport};
use super::line_log::{LogFile, Mark, ReceivedLines, SentLines};
use crate::sim::SimError;

/// What the board's thread and its owner share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) received: ReceivedLines,
    pub(super) counts: BoardCounts,
    /// Not yet fetched by the owner.
    pub(super) events: Vec<BoardEvent>,
    pub(super) failure: Option<SimError>,
}

/// Locks what is shared. A thread that panicked left nothing half done: each field is whole at any time.
pub(super) fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Quiet time after which a loss in the receive ring counts as one.
const LOSS_PAUSE: Duration = Duration::from_millis(50);

pub(super) struct Journal {
    file: Option<LogFile>,
    written: bool,
    sent: SentLines,
    shared: Arc<Mutex<Shared>>,
    /// Bytes lost in the receive ring: told so far, known, and when the last one was.
    losses: (u64, u64, Duration),
}

impl Journal {
    pub(super) fn new(file: Option<LogFile>, shared: Arc<Mutex<Shared>>) -> Self {
        Self { file, written: false, sent: SentLines::default(), shared, losses: (0, 0, Duration::ZERO) }
    }

    pub(super) fn counts(&self, change: impl FnOnce(&mut BoardCounts)) {
        change(&mut lock(&self.shared).counts);
    }

    fn write(&mut self, at: Duration, mark: Mark, bytes: &[u8]) -> Result<(), SimError> {
        self.written = true;
        self.file.as_mut().map_or(Ok(()), |file| file.line(at, mark, bytes))
    }

    /// Lines that the firmware has taken in.
    pub(super) fn received(&mut self, lines: Vec<ReceivedLine>, arrived: Duration) -> Result<(), SimError> {
        for line in lines {
            let mark = Mark::of(&line);
            self.write(line.at, mark, &line.bytes)?;
            let mut shared = lock(&self.shared);
            shared.counts.lines_received += 1;
            shared.counts.lines_refused += u64::from(mark == Mark::Refused);
            shared.received.push(line, arrived);
        }
        Ok(())
    }

    /// Bytes that the board has sent.
    pub(super) fn sent(&mut self, now: Duration, bytes: &[u8]) -> Result<(), SimError> {
        if bytes.is_empty() {
            return Ok(());
        }
        let mut frames = 0;
        let Self { sent, file, .. } = self;
        sent.take(now, bytes, |begun, line| {
            frames += u64::from(line.starts_with(b"{\"T\":1051,"));
            file.as_mut().map_or(Ok(()), |file| file.line(begun, Mark::Sent, line))
        })?;
        self.written = true;
        self.counts(|counts| {
            counts.bytes_out += bytes.len() as u64;
            counts.frames_sent += frames;
        });
        Ok(())
    }

    /// A web request.
    pub(super) fn request(&mut self, at: Duration, argument: &[u8]) -> Result<(), SimError> {
        self.counts(|counts| counts.http_requests += 1);
        self.write(at, Mark::Request, argument)
    }

    /// The answer to one.
    pub(super) fn reply(&mut self, at: Duration, body: &[u8]) -> Result<(), SimError> {
        self.write(at, Mark::Reply, body)
    }

    /// Something for the log alone.
    pub(super) fn note(&mut self, at: Duration, text: &str) -> Result<(), SimError> {
        self.write(at, Mark::Event, text.as_bytes())
    }

    /// Something that the owner should hear of too.
    pub(super) fn event(&mut self, at: Duration, text: String) -> Result<(), SimError> {
        self.note(at, &text)?;
        lock(&self.shared).events.push(BoardEvent { at, text });
        Ok(())
    }

    /// Takes over how many bytes the receive ring has lost; tells it once a burst of losses is over.
    pub(super) fn ring_losses(&mut self, now: Duration, lost: u64, ended: bool) -> Result<(), SimError> {
        let (told, known, last) = &mut self.losses;
        if lost > *known {
            (*known, *last) = (lost, now);
        }
        if *known > *told && (ended || now.saturating_sub(*last) >= LOSS_PAUSE) {
            let (bytes, at) = (*known - *told, *last);
            *told = *known;
            self.note(at, &format!("{bytes} bytes lost: the receive ring was full"))?;
        }
        self.counts(|counts| counts.bytes_lost = lost);
        Ok(())
    }

    /// A fault has begun; the number by which it is ended.
    pub(super) fn fault_begins(
        &mut self,
        at: Duration,
        fault: &str,
        momentary: bool,
    ) -> Result<usize, SimError> {
        self.event(at, format!("fault {fault} {}", if momentary { "happens" } else { "begins" }))?;
        let ended = momentary.then_some(at);
        let report = FaultReport { fault: fault.to_owned(), began: at, ended, effect: None };
        let mut shared = lock(&self.shared);
        shared.counts.faults.push(report);
        Ok(shared.counts.faults.len() - 1)
    }

    /// A fault is over, or the run is.
    pub(super) fn fault_ends(
        &mut self,
        at: Duration,
        report: usize,
        effect: Option<String>,
        with_the_run: bool,
    ) -> Result<(), SimError> {
        let mut fault = String::new();
        self.counts(|counts| {
            if let Some(report) = counts.faults.get_mut(report) {
                report.ended = (!with_the_run).then_some(at);
                report.effect.clone_from(&effect);
                fault.clone_from(&report.fault);
            }
        });
        let effect = effect.map(|effect| format!(": {effect}")).unwrap_or_default();
        let ends = if with_the_run { "lasts to the end" } else { "ends" };
        self.event(at, format!("fault {fault} {ends}{effect}"))
    }

    /// Hands what was written to the system.
    pub(super) fn flush(&mut self) -> Result<(), SimError> {
        if std::mem::take(&mut self.written) {
            return self.file.as_mut().map_or(Ok(()), LogFile::flush);
        }
        Ok(())
    }
}
