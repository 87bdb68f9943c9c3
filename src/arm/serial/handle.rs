//! The wait-free mailboxes between the control thread and the link thread.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex};

use firmware_protocol::Generation;
use rustix::event::{EventfdFlags, eventfd};

use super::SerialStatistics;
use crate::arm::clock::monotonic_now;
use crate::arm::link::LinkFault;
use crate::types::{CommandWritten, FeedbackSample, JointCommand, Timestamp};

/// Reports of written commands that may wait for the control thread: 5 s at 50 Hz. When it is full no command is written, so
/// that no report is lost.
const WRITTEN_CAPACITY: usize = 256;

/// A command with the time that the control thread made it.
#[derive(Clone, Copy, Debug)]
pub(super) struct OfferedCommand {
    pub(super) command: JointCommand,
    pub(super) offered: Timestamp,
}

/// Flags that both sides and the owner see.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) ready: AtomicBool,
    stop: AtomicBool,
    fault: AtomicU8,
    generation: AtomicU8,
    pub(super) wake: OwnedFd,
    /// Between the link thread and the owner only; the control thread never touches it.
    pub(super) statistics: Mutex<SerialStatistics>,
}

impl Shared {
    pub(super) fn fault(&self) -> Option<LinkFault> {
        LinkFault::from_code(self.fault.load(Ordering::Acquire))
    }

    pub(super) fn set_fault(&self, fault: LinkFault) {
        self.ready.store(false, Ordering::Release);
        self.fault.store(fault.code(), Ordering::Release);
    }

    pub(super) fn generation(&self) -> Option<Generation> {
        usize::from(self.generation.load(Ordering::Acquire))
            .checked_sub(1)
            .and_then(|index| Generation::ALL.get(index).copied())
    }

    pub(super) fn set_generation(&self, generation: Generation) {
        let place = Generation::ALL.iter().position(|known| *known == generation);
        let code = place.and_then(|index| u8::try_from(index + 1).ok()).unwrap_or(0);
        self.generation.store(code, Ordering::Release);
    }

    pub(super) fn request_stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.wake();
    }

    pub(super) fn stop_requested(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Wakes the link thread. It can only fail when the counter is full, and then the thread is awake already.
    fn wake(&self) {
        let _ = rustix::io::write(&self.wake, &1_u64.to_ne_bytes());
    }
}

/// The link thread's ends.
pub(super) struct LinkSide {
    pub(super) shared: Arc<Shared>,
    pub(super) commands: triple_buffer::Output<Option<OfferedCommand>>,
    pub(super) feedback: triple_buffer::Input<Option<FeedbackSample>>,
    pub(super) written: rtrb::Producer<CommandWritten>,
}

/// The control thread's sending end.
#[derive(Debug)]
pub struct CommandSender {
    commands: triple_buffer::Input<Option<OfferedCommand>>,
    shared: Arc<Shared>,
}

impl CommandSender {
    /// Hands a command to the link; it replaces one that was not begun yet. Never waits, allocates or locks.
    pub fn offer(&mut self, command: JointCommand) {
        self.commands.write(Some(OfferedCommand { command, offered: monotonic_now() }));
        self.shared.wake();
    }
}

/// The control thread's view of the arm. No method waits, allocates or locks.
#[derive(Debug)]
pub struct ArmHandle {
    /// Sends commands.
    pub commands: CommandSender,
    feedback: triple_buffer::Output<Option<FeedbackSample>>,
    written: rtrb::Consumer<CommandWritten>,
}

impl ArmHandle {
    /// Hands a command to the link; see [`CommandSender::offer`].
    pub fn offer(&mut self, command: JointCommand) {
        self.commands.offer(command);
    }

    /// The newest measured pose if one arrived since the last call.
    pub fn latest_feedback(&mut self) -> Option<FeedbackSample> {
        if self.feedback.update() { *self.feedback.output_buffer() } else { None }
    }

    /// Whether a command offered now would be written at once: handshake done, a frame received since the last command.
    pub fn ready(&self) -> bool {
        self.commands.shared.ready.load(Ordering::Acquire)
    }

    /// The next report of a written command, oldest first. None is lost: take them all each tick.
    pub fn take_written(&mut self) -> Option<CommandWritten> {
        self.written.pop().ok()
    }

    /// Why the link gave up, if it did. It is final: nothing more will be written.
    pub fn link_fault(&self) -> Option<LinkFault> {
        self.commands.shared.fault()
    }

    /// The board's generation, once known.
    pub fn generation(&self) -> Option<Generation> {
        self.commands.shared.generation()
    }
}

/// Both ends of new mailboxes.
pub(super) fn mailboxes() -> rustix::io::Result<(ArmHandle, LinkSide)> {
    let wake = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
    let shared = Arc::new(Shared {
        ready: AtomicBool::new(false),
        stop: AtomicBool::new(false),
        fault: AtomicU8::new(0),
        generation: AtomicU8::new(0),
        wake,
        statistics: Mutex::default(),
    });
    let (command_input, command_output) = triple_buffer::triple_buffer(&None);
    let (feedback_input, feedback_output) = triple_buffer::triple_buffer(&None);
    let (producer, consumer) = rtrb::RingBuffer::new(WRITTEN_CAPACITY);
    let commands = CommandSender { commands: command_input, shared: Arc::clone(&shared) };
    let handle = ArmHandle { commands, feedback: feedback_output, written: consumer };
    Ok((handle, LinkSide { shared, commands: command_output, feedback: feedback_input, written: producer }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::types::JointAngles;

    fn command(sequence: u64) -> JointCommand {
        JointCommand { sequence, tick: sequence, goal: JointAngles::ZERO, servo_speed_rad_s: 3.0 }
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
                .push(CommandWritten { command: command(sequence), written: Timestamp::ZERO })
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
        link.shared.ready.store(true, Ordering::Release);
        link.shared.set_fault(LinkFault::Lost);
        assert_eq!((handle.ready(), handle.link_fault()), (false, Some(LinkFault::Lost)));
    }
}
