//! The link thread.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use rtrb::Producer;
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::MissedTickBehavior;
use tokio_serial::SerialStream;

use super::SerialStatistics;
use super::handle::{LinkSide, OfferedCommand, Shared};
use super::open::OpenedPort;
use crate::arm::clock::monotonic_now;
use crate::arm::link::{LinkEvent, LinkFault, LinkMachine, LinkOptions, WriteBuffer};
use crate::types::{CommandWritten, FeedbackSample, Timestamp};

/// A command that found no room for this long is thrown away. Frames come every 18 to 28 ms.
pub const COMMAND_MAX_AGE: Duration = Duration::from_millis(100);

/// How often time-outs are looked at.
const POLL_PERIOD: Duration = Duration::from_millis(10);

/// How long a line may take to be completed once the link was told to stop.
const STOP_TIMEOUT: Duration = Duration::from_millis(200);

/// How often the counters are published.
const STATISTICS_PERIOD: Duration = Duration::from_millis(100);

/// Drives the port until told to stop or the port is gone.
pub(super) fn run(opened: OpenedPort, options: LinkOptions, side: LinkSide, events: SyncSender<LinkEvent>) {
    let OpenedPort { runtime, port } = opened;
    let shared = Arc::clone(&side.shared);
    let mut worker = Worker {
        machine: LinkMachine::new(options, monotonic_now()),
        out: WriteBuffer::default(),
        side,
        events,
        waiting: None,
        statistics: SerialStatistics::default(),
        published: monotonic_now(),
    };
    let ended = runtime.block_on(worker.drive(port, &shared));
    if ended.is_err() {
        worker.machine.fail(LinkFault::Lost, &mut |event| {
            note(&event, &mut worker.side.feedback, &shared, &worker.events)
        });
    }
    worker.publish_statistics();
}

struct Worker {
    machine: LinkMachine,
    out: WriteBuffer,
    side: LinkSide,
    events: SyncSender<LinkEvent>,
    /// Offered, and not begun.
    waiting: Option<OfferedCommand>,
    statistics: SerialStatistics,
    published: Timestamp,
}

impl Worker {
    /// Ends with `Ok` when told to stop, with an error when the port is gone.
    async fn drive(&mut self, port: SerialStream, shared: &Arc<Shared>) -> io::Result<()> {
        #[expect(unsafe_code, reason = "tokio cannot see that the descriptor stays open")]
        // SAFETY: the `OwnedFd` given away keeps its descriptor open until `wake` is dropped, and always names the same one.
        let wake = unsafe { AsyncFd::register(rustix::io::dup(&shared.wake)?) }?;
        let (mut reader, mut writer) = tokio::io::split(port);
        let mut ticker = tokio::time::interval(POLL_PERIOD);
        ticker.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut received = [0; 1024];
        let mut stopping: Option<Timestamp> = None;
        loop {
            let now = monotonic_now();
            if shared.stop_requested() {
                let since = *stopping.get_or_insert(now);
                shared.ready.store(false, Ordering::Release);
                if self.out.is_empty() || now.since(since) >= STOP_TIMEOUT {
                    return Ok(());
                }
            } else {
                self.pump(now, shared);
            }
            tokio::select! {
                read = reader.read(&mut received) => {
                    let count = read?;
                    if count == 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    let bytes = received.get(..count).unwrap_or_default();
                    let Self { machine, side, events, .. } = self;
                    machine.receive(bytes, monotonic_now(), &mut |event| note(&event, &mut side.feedback, shared, events));
                }
                written = writer.write(self.out.pending()), if !self.out.is_empty() => {
                    if self.out.advance(written?) {
                        self.report_written();
                    }
                }
                woken = wake.readable() => {
                    let mut count = [0; 8];
                    let mut guard = woken?;
                    // EAGAIN: nothing left, as wanted.
                    let _ = rustix::io::read(&shared.wake, &mut count);
                    guard.clear_ready();
                }
                _ = ticker.tick() => {}
            }
        }
    }

    /// Lets time pass, begins the waiting command if there is room, and publishes where the link stands.
    fn pump(&mut self, now: Timestamp, shared: &Arc<Shared>) {
        let Self { machine, out, side, events, .. } = self;
        let LinkSide { feedback, commands, written, .. } = side;
        machine.poll(now, out, &mut |event| note(&event, feedback, shared, events));
        if commands.update() {
            self.waiting = *commands.output_buffer();
        }
        if let Some(OfferedCommand { command, offered }) = self.waiting {
            if now.since(offered) > COMMAND_MAX_AGE {
                self.waiting = None;
                self.statistics.stale_commands += 1;
            } else if out.is_empty() && machine.ready() && has_room(written) {
                self.waiting = None;
                match machine.write_joints(&command) {
                    Ok(line) => {
                        // An empty buffer has room for the longest command.
                        if out.push(line).is_err() {
                            self.statistics.refused_commands += 1;
                        }
                    }
                    Err(_) => self.statistics.refused_commands += 1,
                }
            }
        }
        let ready = machine.ready() && out.is_empty() && has_room(written);
        shared.ready.store(ready, Ordering::Release);
        if now.since(self.published) >= STATISTICS_PERIOD {
            self.published = now;
            self.publish_statistics();
        }
    }

    fn report_written(&mut self) {
        if let Some(report) = self.machine.written(monotonic_now()) {
            // There was room before the command was begun, and only this thread fills the ring.
            let _ = self.side.written.push(report);
        }
    }

    fn publish_statistics(&mut self) {
        self.statistics.link = self.machine.statistics();
        *self.side.shared.statistics.lock().unwrap_or_else(PoisonError::into_inner) = self.statistics;
    }
}

fn has_room(written: &Producer<CommandWritten>) -> bool {
    !written.is_full()
}

/// Brings an event where it belongs: poses to the control thread, the rest to the owner.
fn note(
    event: &LinkEvent,
    feedback: &mut triple_buffer::Input<Option<FeedbackSample>>,
    shared: &Shared,
    events: &SyncSender<LinkEvent>,
) {
    match *event {
        LinkEvent::Feedback { sample, .. } => return feedback.write(Some(sample)),
        LinkEvent::Ready { generation } => shared.set_generation(generation),
        LinkEvent::Fault(fault) => shared.set_fault(fault),
        _ => {}
    }
    // An owner that does not read its events loses the newest; faults are in `shared` too.
    let _ = events.try_send(*event);
}

/// Notes a thread that ended without being told to, by a panic.
pub(super) struct EndGuard(pub(super) Arc<Shared>);

impl Drop for EndGuard {
    fn drop(&mut self) {
        self.0.ready.store(false, Ordering::Release);
        if !self.0.stop_requested() && self.0.fault().is_none() {
            self.0.set_fault(LinkFault::ThreadEnded);
        }
    }
}
