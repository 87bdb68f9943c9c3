//! The link thread.

use std::io;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use rtrb::Producer;
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::MissedTickBehavior;
use tokio_serial::{ClearBuffer, SerialPort, SerialStream};

use super::handle::{GuidingRequest, LinkSide, OfferedCommand, ReportedCommand};
use super::open::{OpenedPort, open_again};
use super::shared::{Published, Shared};
use super::{OnLook, SerialStatistics};
use crate::arm::clock::monotonic_now;
use crate::arm::link::{
    GuidingRefused, LinkEvent, LinkFault, LinkMachine, LinkOptions, TorqueRefused, WriteBuffer,
};
use crate::arm::port::PortIdentity;
use crate::types::{FeedbackSample, Parked, Timestamp};

/// A command that found no room for this long is thrown away. Frames come every 18 to 28 ms.
pub const COMMAND_MAX_AGE: Duration = Duration::from_millis(100);

/// How often time-outs are looked at.
const POLL_PERIOD: Duration = Duration::from_millis(10);

/// How long a line may take to be completed once the link was told to stop.
const STOP_TIMEOUT: Duration = Duration::from_millis(200);

/// How often the counters are published.
const STATISTICS_PERIOD: Duration = Duration::from_millis(100);

/// Pauses between attempts to open a port that was lost: from the first to the longest, each twice the one before.
const REOPEN_PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(1)];

/// How long a parked arm is waited for to stand still before its torque stays on.
const TORQUE_PATIENCE: Duration = Duration::from_secs(3);

/// Drives the port until told to stop, until the arm was taken over, or until the port is gone for good.
pub(super) fn run(
    opened: OpenedPort,
    options: LinkOptions,
    side: LinkSide,
    events: SyncSender<LinkEvent>,
    on_look: OnLook,
) {
    let OpenedPort { runtime, port, identity } = opened;
    let mut port = Some(port);
    let mut worker = Worker {
        machine: LinkMachine::new(options, monotonic_now()),
        out: WriteBuffer::default(),
        shared: Arc::clone(&side.shared),
        side,
        events,
        waiting: None,
        parked: None,
        guiding: None,
        statistics: SerialStatistics::default(),
        published: monotonic_now(),
        on_look,
    };
    // After a panic nothing but the hold is done with what it left, and that begins with the last goal that was written.
    let supervised =
        catch_unwind(AssertUnwindSafe(|| runtime.block_on(worker.supervise(&mut port, &identity))));
    match supervised {
        Ok(Ok(())) => {}
        // The eventfd could not be registered: nobody could wake this thread.
        Ok(Err(_)) => worker.tell(|machine, note| machine.fail(LinkFault::Lost, note)),
        Err(_said_by_the_hook) => {
            runtime.block_on(worker.hold_after_panic(port));
            worker.shared.set_fault(LinkFault::ThreadEnded);
        }
    }
    worker.publish_statistics();
}

struct Worker {
    machine: LinkMachine,
    out: WriteBuffer,
    shared: Arc<Shared>,
    side: LinkSide,
    events: SyncSender<LinkEvent>,
    /// Offered, and not begun.
    waiting: Option<OfferedCommand>,
    /// The proof that torque may be switched off, and since when it waits to be used.
    parked: Option<(Parked, Timestamp)>,
    /// What a person who guides the arm wants, and what was said to keep it waiting.
    guiding: Option<(GuidingRequest, Option<GuidingRefused>)>,
    statistics: SerialStatistics,
    published: Timestamp,
    on_look: OnLook,
}

impl Worker {
    /// From port to port.
    async fn supervise(
        &mut self,
        port: &mut Option<SerialStream>,
        identity: &PortIdentity,
    ) -> io::Result<()> {
        let wake = self.wake()?;
        while let Some(open) = port {
            if self.drive(open, &wake).await.is_ok() {
                break;
            }
            *port = None;
            self.lose_port(monotonic_now());
            *port = self.reopen(identity).await;
        }
        Ok(())
    }

    /// What other threads wake this one with.
    fn wake(&self) -> io::Result<AsyncFd<OwnedFd>> {
        #[expect(unsafe_code, reason = "tokio cannot see that the descriptor stays open")]
        // SAFETY: the `OwnedFd` given away keeps its descriptor open until the result is dropped, and always names the same one.
        let wake = unsafe { AsyncFd::register(rustix::io::dup(&self.shared.wake)?) }?;
        Ok(wake)
    }

    /// A panic of this thread must not leave a moving arm to its last goal either: it is brought to rest, as when control dies. A
    /// line that was half written is completed first, or, where it is not known how much was, begun again, which a board passes over.
    async fn hold_after_panic(&mut self, mut port: Option<SerialStream>) {
        self.on_look = Box::new(|| {});
        self.waiting = None;
        (self.parked, self.guiding) = (None, None);
        self.tell(|_, note| note(LinkEvent::ThreadPanicked));
        self.tell(LinkMachine::take_over);
        if let (Some(open), Ok(wake)) = (&mut port, self.wake()) {
            // Where the port is gone as well, nobody can do more.
            let _ = self.drive(open, &wake).await;
        }
    }

    /// What was queued or half written is gone with the port: nothing is sent late.
    fn lose_port(&mut self, now: Timestamp) {
        self.out = WriteBuffer::default();
        self.waiting = None;
        self.tell(|machine, note| machine.port_lost(now, note));
    }

    /// Ends with `Ok` when told to stop or when the arm was taken over, with an error when the port is gone.
    async fn drive(&mut self, port: &mut SerialStream, wake: &AsyncFd<OwnedFd>) -> io::Result<()> {
        let (mut reader, mut writer) = tokio::io::split(port);
        let ended = self.serve(&mut reader, &mut writer, wake).await;
        if ended.is_err() {
            // Where the device is still there, the system must not send the rest of a line when it closes it.
            let _ = reader.unsplit(writer).clear(ClearBuffer::Output);
        }
        ended
    }

    /// Carries bytes both ways.
    async fn serve(
        &mut self,
        reader: &mut tokio::io::ReadHalf<&mut SerialStream>,
        writer: &mut tokio::io::WriteHalf<&mut SerialStream>,
        wake: &AsyncFd<OwnedFd>,
    ) -> io::Result<()> {
        let mut ticker = tokio::time::interval(POLL_PERIOD);
        ticker.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut received = [0; 1024];
        let mut stopping: Option<Timestamp> = None;
        loop {
            let now = monotonic_now();
            self.take_over_if_asked();
            if self.is_ending() {
                let since = *stopping.get_or_insert(now);
                self.shared.set_not_ready();
                if self.out.is_empty() || now.since(since) >= STOP_TIMEOUT {
                    return Ok(());
                }
            } else {
                self.pump(now);
            }
            tokio::select! {
                read = reader.read(&mut received) => {
                    let count = read?;
                    if count == 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    let bytes = received.get(..count).unwrap_or_default();
                    self.tell(|machine, note| machine.receive(bytes, monotonic_now(), note));
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
                    let _ = rustix::io::read(&self.shared.wake, &mut count);
                    guard.clear_ready();
                }
                _ = ticker.tick() => {}
            }
        }
    }

    /// Looks for the port that was lost; `None` when it is over.
    async fn reopen(&mut self, identity: &PortIdentity) -> Option<SerialStream> {
        let [mut pause, longest] = REOPEN_PAUSES;
        let mut next = monotonic_now() + pause;
        let mut said = None;
        loop {
            self.take_over_if_asked();
            self.pump(monotonic_now());
            if self.shared.stop_requested() || self.machine.fault().is_some() {
                return None;
            }
            tokio::time::sleep(POLL_PERIOD).await;
            if monotonic_now() < next {
                continue;
            }
            match open_again(identity) {
                Ok(port) => {
                    self.tell(|machine, note| machine.port_opened(monotonic_now(), note));
                    return Some(port);
                }
                Err(obstacle) => {
                    if let Some(obstacle) = obstacle.filter(|obstacle| said != Some(*obstacle)) {
                        self.tell(|_, note| note(LinkEvent::NotReopened(obstacle)));
                    }
                    said = obstacle;
                }
            }
            pause = (pause * 2).min(longest);
            next = monotonic_now() + pause;
        }
    }

    /// Control died, hangs, or is stopped without having released the arm.
    fn take_over_if_asked(&mut self) {
        let left_alone =
            self.shared.stop_requested() && !self.shared.is_released() && self.machine.owes_hold();
        if self.shared.take_over_requested() || left_alone {
            self.waiting = None;
            self.tell(LinkMachine::take_over);
        }
    }

    /// Whether nothing is left to do but to complete the line that is being written.
    fn is_ending(&self) -> bool {
        let taken_over = self.machine.fault() == Some(LinkFault::TakenOver);
        let stopped = self.shared.stop_requested() && self.parked.is_none() && self.side.parked.is_empty();
        taken_over || (stopped && !self.machine.is_taking_over())
    }

    /// Lets time pass, begins the waiting command if there is room, and publishes where the link stands.
    fn pump(&mut self, now: Timestamp) {
        (self.on_look)();
        let Self { machine, out, side, events, shared, .. } = self;
        machine.poll(now, out, &mut |event| note(&event, &mut side.feedback, shared, events));
        if side.commands.update() {
            self.waiting = *side.commands.output_buffer();
        }
        self.release_torque_if_asked(now);
        self.guide_if_asked();
        if self.shared.is_released() {
            self.waiting = None;
        }
        if let Some(offered) = self.waiting {
            self.begin(offered, now);
        }
        self.publish();
        if now.since(self.published) >= STATISTICS_PERIOD {
            self.published = now;
            self.publish_statistics();
        }
    }

    /// Begins a command, keeps it for the next frame, or throws it away.
    fn begin(&mut self, offered: OfferedCommand, now: Timestamp) {
        let Self { machine, out, side, .. } = self;
        let OfferedCommand { command, offered, connection } = offered;
        let outdated = connection != machine.connection()
            || machine.ready_since().is_some_and(|ready_since| offered < ready_since);
        if outdated {
            self.waiting = None;
            self.statistics.outdated_commands += 1;
        } else if now.since(offered) > COMMAND_MAX_AGE {
            self.waiting = None;
            self.statistics.stale_commands += 1;
        } else if out.is_empty() && machine.ready() && has_room(&side.written) {
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

    /// Switches the torque of a parked arm off once nothing is in the way, or says that it stays on.
    fn release_torque_if_asked(&mut self, now: Timestamp) {
        if self.parked.is_none() {
            self.parked = self.side.parked.pop().ok().map(|parked| (parked, now));
        }
        let Some((parked, since)) = self.parked else { return };
        self.waiting = None;
        let Self { machine, out, side, events, shared, .. } = self;
        let mut note = |event: LinkEvent| note(&event, &mut side.feedback, shared, events);
        match machine.release_torque(parked, out, &mut note) {
            Ok(()) => self.parked = None,
            Err(TorqueRefused::InFlight | TorqueRefused::Moving) if now.since(since) < TORQUE_PATIENCE => {}
            Err(_) => {
                self.parked = None;
                note(LinkEvent::TorqueKept);
            }
        }
    }

    /// Has the servos let go or hold once nothing is in the way. What a person can change is said, once for each reason.
    fn guide_if_asked(&mut self) {
        if self.guiding.is_none() {
            self.guiding = self.side.guiding.pop().ok().map(|request| (request, None));
        }
        let Some((request, said)) = self.guiding else { return };
        self.waiting = None;
        let Self { machine, out, side, events, shared, .. } = self;
        let mut note = |event: LinkEvent| note(&event, &mut side.feedback, shared, events);
        let done = match request {
            GuidingRequest::LetGo(confirmed) => machine.let_go(confirmed, out, &mut note),
            GuidingRequest::HoldAgain(profile) => machine.hold_again(profile, out),
        };
        self.guiding = match done {
            Ok(()) => None,
            Err(reason @ (GuidingRefused::Moving | GuidingRefused::OutsideLimits { .. }))
                if said != Some(reason) =>
            {
                note(LinkEvent::CannotHoldYet(reason));
                Some((request, Some(reason)))
            }
            Err(GuidingRefused::NotConnected) => {
                note(LinkEvent::GuidingRefused);
                None
            }
            Err(_) => Some((request, said)),
        };
    }

    fn report_written(&mut self) {
        let connection = self.machine.connection();
        if let Some(report) = self.machine.written(monotonic_now()) {
            // There was room before the command was begun, and only this thread fills the ring.
            let _ = self.side.written.push(ReportedCommand { report, connection });
        }
    }

    /// Has the machine do something that may bring events.
    fn tell<T>(&mut self, action: impl FnOnce(&mut LinkMachine, &mut dyn FnMut(LinkEvent)) -> T) -> T {
        let Self { machine, side, events, shared, .. } = self;
        let done = action(machine, &mut |event| note(&event, &mut side.feedback, shared, events));
        self.publish();
        done
    }

    fn publish(&self) {
        let Self { machine, out, side, shared, .. } = self;
        let ready = machine.ready()
            && out.is_empty()
            && has_room(&side.written)
            && self.parked.is_none()
            && self.guiding.is_none()
            && !shared.is_released()
            && !shared.stop_requested();
        let (state, connection) = (machine.state(), machine.connection());
        shared.set_feedback(machine.last_feedback(), machine.statistics().feedback_hz);
        shared.publish(&Published { state, connection, ready, frozen: machine.feedback_is_frozen() });
    }

    fn publish_statistics(&mut self) {
        self.statistics.link = self.machine.statistics();
        *self.shared.statistics.lock().unwrap_or_else(PoisonError::into_inner) = self.statistics;
    }
}

fn has_room(written: &Producer<ReportedCommand>) -> bool {
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
        self.0.set_not_ready();
        if !self.0.stop_requested() && self.0.fault().is_none() {
            self.0.set_fault(LinkFault::ThreadEnded);
        }
        self.0.set_ended();
    }
}

#[cfg(test)]
mod tests;
