//! The wait-free mailboxes between the control thread and the link thread.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use firmware_protocol::Generation;

use super::shared::{Published, Shared};
use crate::arm::clock::monotonic_now;
use crate::arm::link::{HandsOnArm, LinkFault, LinkState};
use crate::types::{
    CommandWritten, FeedbackSample, JointCommand, LinkStatus, Parked, ServoProfile, Timestamp,
};

/// Reports of written commands that may wait for the control thread: 5 s at 50 Hz. When it is full no command is written, so
/// that no report is lost.
const WRITTEN_CAPACITY: usize = 256;

/// A command with the time that the control thread made it.
#[derive(Clone, Copy, Debug)]
pub(super) struct OfferedCommand {
    pub(super) command: JointCommand,
    pub(super) offered: Timestamp,
    /// The connection that it was made for.
    pub(super) connection: u32,
}

/// What a person who guides the arm by hand wants of its servos.
#[derive(Clone, Copy, Debug)]
pub(super) enum GuidingRequest {
    LetGo(HandsOnArm),
    HoldAgain(ServoProfile),
}

/// A report with the connection that it belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReportedCommand {
    pub(super) report: CommandWritten,
    pub(super) connection: u32,
}

/// The link thread's ends.
pub(super) struct LinkSide {
    pub(super) shared: Arc<Shared>,
    pub(super) commands: triple_buffer::Output<Option<OfferedCommand>>,
    pub(super) feedback: triple_buffer::Input<Option<FeedbackSample>>,
    pub(super) written: rtrb::Producer<ReportedCommand>,
    pub(super) parked: rtrb::Consumer<Parked>,
    pub(super) guiding: rtrb::Consumer<GuidingRequest>,
}

/// The control thread's view of the arm. No method waits, allocates or locks.
///
/// **Dropping it without [`ArmHandle::release`] means that control died**: the link then brings the arm to rest by itself,
/// holds it, and ends.
#[derive(Debug)]
pub struct ArmHandle {
    commands: triple_buffer::Input<Option<OfferedCommand>>,
    feedback: triple_buffer::Output<Option<FeedbackSample>>,
    written: rtrb::Consumer<ReportedCommand>,
    parked: rtrb::Producer<Parked>,
    guiding: rtrb::Producer<GuidingRequest>,
    shared: Arc<Shared>,
    /// The connection that the control side knows of: its commands are made for this one.
    seen: Cell<u32>,
}

impl ArmHandle {
    /// Hands a command to the link; it replaces one that was not begun yet. Never waits, allocates or locks; one non-blocking
    /// system call.
    ///
    /// It is thrown away if the connection is no longer the one that [`ArmHandle::status`] showed last.
    pub fn offer(&mut self, command: JointCommand) {
        let (offered, connection) = (monotonic_now(), self.seen.get());
        self.commands.write(Some(OfferedCommand { command, offered, connection }));
        self.shared.wake();
    }

    /// The newest measured pose if one arrived since the last call.
    pub fn latest_feedback(&mut self) -> Option<FeedbackSample> {
        if self.feedback.update() { *self.feedback.output_buffer() } else { None }
    }

    /// Where the link stands. Ask once each tick, before anything else: what is offered later belongs to this connection.
    pub fn status(&self) -> LinkStatus {
        let Published { state, connection, ready, .. } = self.shared.published();
        self.seen.set(connection);
        LinkStatus { connection, connected: state == LinkState::Ready, ready }
    }

    /// Where the link stands and why, for people.
    pub fn link_state(&self) -> LinkState {
        self.shared.published().state
    }

    /// Whether a command offered now would be written at once: handshake done, a frame received since the last command.
    pub fn ready(&self) -> bool {
        self.status().ready
    }

    /// The next report of a written command, oldest first. None of the present connection is lost: take them all each tick.
    /// Reports of an earlier connection are not given.
    pub fn take_written(&mut self) -> Option<CommandWritten> {
        let connection = self.shared.published().connection;
        loop {
            let reported = self.written.pop().ok()?;
            if reported.connection == connection {
                return Some(reported.report);
            }
        }
    }

    /// Time since the newest pose arrived that was believed.
    pub fn feedback_age(&self) -> Duration {
        monotonic_now().since(self.shared.last_feedback())
    }

    /// Valid feedback a second, over the last second or so.
    pub fn feedback_hz(&self) -> f64 {
        self.shared.feedback_hz()
    }

    /// Whether angles and loads stay the same although joints should move.
    pub fn feedback_is_frozen(&self) -> bool {
        self.shared.published().frozen
    }

    /// Why the link gave up, if it did. It is final: nothing more will be written.
    pub fn link_fault(&self) -> Option<LinkFault> {
        self.shared.fault()
    }

    /// The board's generation, once known.
    pub fn generation(&self) -> Option<Generation> {
        self.shared.generation()
    }

    /// Has the torque of a parked arm switched off, as soon as its last command is written and it stands still. Offer nothing
    /// afterwards: it would not be sent. [`LinkEvent`](super::LinkEvent) says what became of it.
    pub fn release_torque(&mut self, parked: Parked) {
        // Asked for once already.
        let _ = self.parked.push(parked);
        self.shared.wake();
    }

    /// Has all servos let go, as soon as the arm stands still: somebody holds it. Offer nothing until
    /// [`LinkEvent::HeldAgain`](super::LinkEvent::HeldAgain); [`LinkEvent`](super::LinkEvent) says what became of it.
    pub fn let_go(&mut self, confirmed: HandsOnArm) {
        let _full_of_requests_already = self.guiding.push(GuidingRequest::LetGo(confirmed));
        self.shared.wake();
    }

    /// Has all servos hold the arm where it stands, as soon as it stands still and the firmware can hold it there. What keeps it waiting is
    /// said by [`LinkEvent::CannotHoldYet`](super::LinkEvent::CannotHoldYet).
    pub fn hold_again(&mut self, profile: ServoProfile) {
        let _full_of_requests_already = self.guiding.push(GuidingRequest::HoldAgain(profile));
        self.shared.wake();
    }

    /// For a watchdog: takes the arm from a control side that hangs.
    pub fn take_over_switch(&self) -> TakeOverSwitch {
        TakeOverSwitch(Arc::clone(&self.shared))
    }

    /// The clean end: the arm was brought to rest, and needs no hold by the link. Nothing that is offered later is sent.
    pub fn release(&mut self) {
        self.shared.release();
    }
}

impl Drop for ArmHandle {
    fn drop(&mut self) {
        self.shared.request_take_over();
    }
}

/// Takes the arm from a control side that hangs; for a watchdog on any thread.
#[derive(Clone, Debug)]
pub struct TakeOverSwitch(pub(super) Arc<Shared>);

impl TakeOverSwitch {
    /// The link brings the arm to rest by itself, holds it, and ends. Nothing that control offers is sent any more. An arm that
    /// was released is left alone.
    pub fn take_over(&self) {
        self.0.request_take_over();
    }

    /// Whether the link has ended: the hold is done, or nothing can be written any more. While the link still brakes and holds it
    /// says so as [`LinkFault::TakenOver`], and is not done.
    pub fn is_done(&self) -> bool {
        self.0.has_ended() || self.0.fault().is_some_and(|fault| fault != LinkFault::TakenOver)
    }
}

/// Both ends of new mailboxes.
pub(super) fn mailboxes() -> rustix::io::Result<(ArmHandle, LinkSide)> {
    let shared = Arc::new(Shared::new()?);
    let (command_input, command_output) = triple_buffer::triple_buffer(&None);
    let (feedback_input, feedback_output) = triple_buffer::triple_buffer(&None);
    let (producer, consumer) = rtrb::RingBuffer::new(WRITTEN_CAPACITY);
    let (parked_producer, parked_consumer) = rtrb::RingBuffer::new(1);
    let (guiding_producer, guiding_consumer) = rtrb::RingBuffer::new(2);
    let handle = ArmHandle {
        commands: command_input,
        feedback: feedback_output,
        written: consumer,
        parked: parked_producer,
        guiding: guiding_producer,
        shared: Arc::clone(&shared),
        seen: Cell::new(0),
    };
    let link_side = LinkSide {
        shared,
        commands: command_output,
        feedback: feedback_input,
        written: producer,
        parked: parked_consumer,
        guiding: guiding_consumer,
    };
    Ok((handle, link_side))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::types::JointAngles;

    fn command(sequence: u64) -> JointCommand {
        JointCommand {
            sequence,
            tick: sequence,
            goal: JointAngles::ZERO,
            profile: crate::types::ServoProfile { speed_rad_s: 3.0, acceleration_rad_s2: 7.7 },
        }
    }

    #[test]
    fn the_newest_command_wins_and_wakes_the_link() {
        let (mut handle, mut link) = mailboxes().unwrap();
        for sequence in 0..5 {
            handle.offer(command(sequence));
        }
        assert!(link.commands.update());
        assert_eq!(link.commands.output_buffer().unwrap().command.sequence, 4);
        let mut count = [0; 8];
        rustix::io::read(&link.shared.wake, &mut count).unwrap();
        assert_eq!(u64::from_ne_bytes(count), 5);
    }

    #[test]
    fn feedback_is_delivered_once_and_reports_all() {
        let (mut handle, mut link) = mailboxes().unwrap();
        assert_eq!(handle.latest_feedback(), None);
        for sequence in 0..3 {
            link.feedback.write(Some(FeedbackSample {
                sequence,
                angles: JointAngles::ZERO,
                measured: Timestamp::ZERO,
                torque_off: false,
            }));
            link.written
                .push(ReportedCommand {
                    report: CommandWritten { command: command(sequence), written: Timestamp::ZERO },
                    connection: 0,
                })
                .unwrap();
        }
        assert_eq!(handle.latest_feedback().unwrap().sequence, 2);
        assert_eq!(handle.latest_feedback(), None);
        let reports: Vec<u64> =
            std::iter::from_fn(|| handle.take_written()).map(|report| report.command.sequence).collect();
        assert_eq!(reports, [0, 1, 2]);
    }

    #[test]
    fn generations_and_faults_pass_through_the_atomics() {
        let (handle, link) = mailboxes().unwrap();
        assert_eq!((handle.generation(), handle.link_fault()), (None, None));
        for generation in Generation::ALL {
            link.shared.set_generation(generation);
            assert_eq!(handle.generation(), Some(generation));
        }
        let ready = Published { state: LinkState::Ready, connection: 7, ready: true, frozen: false };
        link.shared.publish(&ready);
        assert_eq!(handle.status(), LinkStatus { connection: 7, connected: true, ready: true });
        link.shared.set_fault(LinkFault::Lost);
        assert_eq!((handle.ready(), handle.link_fault()), (false, Some(LinkFault::Lost)));
    }

    #[test]
    fn what_is_published_survives_its_word() {
        let (handle, link) = mailboxes().unwrap();
        let since = Timestamp::from_nanos(3);
        for published in [
            Published {
                state: LinkState::Reconnecting { since },
                connection: u32::MAX,
                ready: false,
                frozen: true,
            },
            Published { state: LinkState::Ready, connection: 1, ready: true, frozen: false },
        ] {
            link.shared.publish(&published);
            assert_eq!(link.shared.published(), published);
            assert_eq!(handle.feedback_is_frozen(), published.frozen);
        }
    }

    #[test]
    fn commands_and_reports_belong_to_a_connection() {
        let (mut handle, mut link) = mailboxes().unwrap();
        let connection =
            |connection| Published { state: LinkState::Ready, connection, ready: true, frozen: false };
        let report = |sequence, connection| ReportedCommand {
            report: CommandWritten { command: command(sequence), written: Timestamp::ZERO },
            connection,
        };
        link.shared.publish(&connection(4));
        assert_eq!(handle.status().connection, 4);
        link.written.push(report(0, 4)).unwrap();
        link.shared.publish(&connection(5));
        link.written.push(report(1, 5)).unwrap();
        assert_eq!(handle.take_written().map(|report| report.command.sequence), Some(1));
        // Control has not seen the new connection: what it offers was made for the old one.
        handle.offer(command(2));
        assert!(link.commands.update());
        assert_eq!(link.commands.output_buffer().unwrap().connection, 4);
        handle.status();
        handle.offer(command(3));
        assert!(link.commands.update());
        assert_eq!(link.commands.output_buffer().unwrap().connection, 5);
    }

    #[test]
    fn a_handle_dropped_without_a_release_asks_for_the_hold() {
        let (handle, link) = mailboxes().unwrap();
        assert!(!link.shared.take_over_requested());
        drop(handle);
        assert!(link.shared.take_over_requested());
        let (mut handle, link) = mailboxes().unwrap();
        handle.release();
        drop(handle);
        assert!(link.shared.is_released() && !link.shared.take_over_requested());
    }
}
