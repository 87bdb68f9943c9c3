//! Bytes from the board -> feedback, and what it says about the board.

use std::time::Duration;

use firmware_protocol::health::Finding;
use firmware_protocol::{
    BusFault, Command, Feedback, FeedbackShape, FirmwareAngles, Generation, GoalAngles, Line,
    ServoAcceleration, ServoSpeed, TorqueSwitch, parse_line,
};

use super::plausibility::{Judgement, JumpFilter};
use super::{BYTE_TIME, LinkEvent, LinkFault, LinkMachine, LinkOptions, Phase};
use crate::types::{FeedbackSample, JointAngles, JointCommand, StillnessDetector, Timestamp};

/// Frames of one shape before it is believed.
const FRAMES_TO_BELIEVE: u32 = 3;

/// Frames of a dead bus before it is believed; they come at 1.6 Hz, since each dead servo costs 101 ms.
const DEAD_FRAMES_TO_BELIEVE: u32 = 2;

/// Bytes without feedback for this long mean a board that boots; a stream that is joined half-way gives a frame sooner.
const BOOTING_AFTER: Duration = Duration::from_millis(500);

/// How long people wait for an arm to come to rest before the link says what it waits for.
const STILLNESS_SAID_AFTER: Duration = Duration::from_secs(2);

/// A spliced line can be valid JSON with a wrong number; a whole frame agrees with its own kinematics to 1e-5 mm.
const KINEMATICS_TOLERANCE_MM: f64 = 0.5;

/// What the frames of the present wait have in common, and what was already said about them.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameWatch {
    stillness: StillnessDetector,
    still: bool,
    jumps: JumpFilter,
    frozen: bool,
    shape: Option<FeedbackShape>,
    of_shape: u32,
    dead: u32,
    first: Option<Timestamp>,
    booting_said: bool,
    motion_said: bool,
    init_failed_said: bool,
    low_supply_said: bool,
    torque_off_said: bool,
}

impl FrameWatch {
    pub(super) const fn new(options: &LinkOptions) -> Self {
        Self {
            stillness: StillnessDetector::new(options.still_time, options.still_tolerance_rad),
            still: false,
            jumps: JumpFilter::new(),
            frozen: false,
            shape: None,
            of_shape: 0,
            dead: 0,
            first: None,
            booting_said: false,
            motion_said: false,
            init_failed_said: false,
            low_supply_said: false,
            torque_off_said: false,
        }
    }

    /// Whether a usable frame arrived in this wait.
    pub(super) const fn seen_any(&self) -> bool {
        self.first.is_some()
    }

    /// Whether the arm stands still.
    pub(super) const fn is_still(&self) -> bool {
        self.still
    }

    /// Whether the newest frame says that no servo holds torque.
    pub(super) const fn torque_is_off(&self) -> bool {
        self.torque_off_said
    }

    /// Whether it is time to say that the board boots.
    pub(super) fn booting_to_be_said(&mut self, first_bytes: Option<Timestamp>, now: Timestamp) -> bool {
        let booting = !self.seen_any() && first_bytes.is_some_and(|first| now.since(first) >= BOOTING_AFTER);
        booting && !std::mem::replace(&mut self.booting_said, true)
    }

    /// Counts frames of the same shape; whether there were enough of this one.
    fn believe_shape(&mut self, shape: FeedbackShape) -> bool {
        if self.shape != Some(shape) {
            (self.shape, self.of_shape) = (Some(shape), 0);
        }
        self.of_shape += 1;
        self.of_shape >= FRAMES_TO_BELIEVE
    }
}

/// Whether a frame shows that the pose is not real.
///
/// A supply below 6 V alone is not enough: where the meter of the supply is broken it reads 0 on a healthy arm.
fn is_dead(feedback: &Feedback) -> bool {
    match feedback.bus_fault() {
        Some(BusFault::NeverRead) => true,
        Some(BusFault::LowSupply) => !any_torque(feedback),
        Some(BusFault::NoTorque) | None => false,
    }
}

fn any_torque(feedback: &Feedback) -> bool {
    feedback.torque_switches.contains(&Some(TorqueSwitch::On))
}

fn wire_time(bytes: usize) -> Duration {
    BYTE_TIME * u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// The monitor of the board's health counts from the clock's origin.
const fn since_origin(time: Timestamp) -> Duration {
    Duration::from_nanos(time.as_nanos())
}

impl LinkMachine {
    /// Takes in bytes that were read at `arrived`. Every whole feedback line becomes an event, in order: the newest is last.
    ///
    /// A pose is stamped with the time before its line began: arrival, less the time on the wire of the line and of the bytes
    /// that arrived behind it.
    pub fn receive(&mut self, bytes: &[u8], arrived: Timestamp, events: &mut dyn FnMut(LinkEvent)) {
        if bytes.is_empty() || self.fault().is_some() {
            return;
        }
        self.heard = true;
        self.first_bytes.get_or_insert(arrived);
        let mut behind = bytes.len();
        // The splitter lends its lines, so it steps aside while they are handled.
        let mut splitter = std::mem::take(&mut self.splitter);
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            behind -= part.len();
            splitter.push(part, |line| {
                let wire_bytes = line.len() + "\r\n".len() + behind;
                let measured = arrived - wire_time(wire_bytes);
                let (line, length) = (parse_line(line), line.len() + "\r\n".len());
                self.health.received(since_origin(arrived), &line, length);
                self.take_line(line, wire_time(length), measured, arrived, events);
            });
        }
        self.splitter = splitter;
    }

    fn take_line(
        &mut self,
        line: Line<'_>,
        wire_time: Duration,
        measured: Timestamp,
        arrived: Timestamp,
        events: &mut dyn FnMut(LinkEvent),
    ) {
        if self.fault().is_some() {
            return;
        }
        match line {
            Line::Feedback(feedback) if feedback.agrees_with_kinematics(KINEMATICS_TOLERANCE_MM) => {
                self.take_feedback(feedback, wire_time, measured, arrived, events);
            }
            Line::Feedback(_) | Line::InvalidFeedback(_) => self.statistics.invalid_feedback_lines += 1,
            Line::QueueFull => {
                self.statistics.queue_full += 1;
                events(LinkEvent::QueueFull);
            }
            Line::InitFailed => {
                if !std::mem::replace(&mut self.frames.init_failed_said, true) {
                    events(LinkEvent::InitFailed);
                }
            }
            Line::Reset => match self.phase {
                Phase::Ready | Phase::HandGuided(_) => {
                    self.wait_again(arrived);
                    self.first_bytes = Some(arrived);
                    self.frames.booting_said = true;
                    events(LinkEvent::BoardReset);
                }
                // The arm moves by itself now: there is nothing left to bring to rest.
                Phase::TakingOver(_) => self.fail(LinkFault::TakenOver, events),
                _ => {}
            },
            _ => self.statistics.noise_lines += 1,
        }
    }

    fn take_feedback(
        &mut self,
        feedback: Feedback,
        wire_time: Duration,
        measured: Timestamp,
        arrived: Timestamp,
        events: &mut dyn FnMut(LinkEvent),
    ) {
        self.statistics.feedback_lines += 1;
        self.handshake.frame_received();
        if let Some(rate) = self.rate.count(arrived) {
            self.statistics.feedback_hz = rate;
        }
        if is_dead(&feedback) {
            // Not shown to the control core: it is no pose. In a wait it counts as no feedback.
            self.frames.dead += 1;
            if self.frames.dead >= DEAD_FRAMES_TO_BELIEVE {
                self.fail(LinkFault::DeadBus, events);
            }
            return;
        }
        self.frames.dead = 0;
        if matches!(self.phase, Phase::Ready | Phase::TakingOver(_) | Phase::HandGuided(_)) {
            // Whatever the pose: the board's loop went round.
            self.credit = true;
        }
        let angles = JointAngles::from(feedback.angles);
        if let Judgement::Doubted { joint, jump_rad, first } =
            self.frames.jumps.judge(angles, measured, wire_time)
        {
            self.statistics.implausible_frames += 1;
            if first {
                events(LinkEvent::ImpossibleJump { joint, jump_rad });
            }
            return;
        }
        self.frames.first.get_or_insert(arrived);
        self.last_feedback = arrived;
        // Lines that a busy machine hands on in a burst arrive closer together than the wire carried them.
        let measured = measured.max(self.last_measured);
        self.last_measured = measured;
        self.warn(&feedback, events);
        self.watch_for_frozen_feedback(arrived, events);
        let sample = FeedbackSample {
            sequence: self.sequence,
            angles,
            measured,
            torque_off: feedback.bus_fault() == Some(BusFault::NoTorque),
        };
        self.sequence += 1;
        self.newest_pose = Some(angles);
        self.frames.still = self.frames.stillness.observe(&sample.angles, sample.measured);
        events(LinkEvent::Feedback { sample, feedback });
        if matches!(self.phase, Phase::Waiting) {
            self.maybe_ready(&feedback, arrived, events);
        }
    }

    /// The end of the wait: the lines went out, the shape is believed, the arm stands still.
    fn maybe_ready(&mut self, feedback: &Feedback, arrived: Timestamp, events: &mut dyn FnMut(LinkEvent)) {
        if !self.frames.believe_shape(feedback.shape()) {
            return;
        }
        if self.shape.is_some_and(|shape| shape != feedback.shape()) {
            return self.fail(LinkFault::AnotherBoard, events);
        }
        let seen_g3 = feedback.has_g3_keys();
        let generation = match self.generation {
            Some(told) if (told == Generation::G3) != seen_g3 => {
                return self.fail(LinkFault::WrongGeneration, events);
            }
            Some(told) => told,
            None if seen_g3 => Generation::G3,
            None => Generation::G1,
        };
        self.generation = Some(generation);
        if self.frames.still && self.handshake.done() {
            self.shape = Some(feedback.shape());
            self.become_ready(arrived);
            events(LinkEvent::Ready { generation });
            return;
        }
        let waited = self.frames.first.map_or(Duration::ZERO, |first| arrived.since(first));
        if waited >= STILLNESS_SAID_AFTER && !std::mem::replace(&mut self.frames.motion_said, true) {
            events(LinkEvent::WaitingForStillness);
        }
    }

    /// Tells the monitor of the board's health where joints were sent.
    pub(super) fn note_motion(&mut self, command: &JointCommand, written: Timestamp) {
        let goal = GoalAngles::new(FirmwareAngles::from(command.goal));
        let speed = ServoSpeed::from_rad_per_s(command.profile.speed_rad_s);
        let acceleration = ServoAcceleration::from_rad_per_s2(command.profile.acceleration_rad_s2);
        if let (Ok(goal), Ok(speed), Ok(acceleration)) = (goal, speed, acceleration) {
            self.health.wrote(since_origin(written), &Command::Joints { goal, speed, acceleration });
        }
    }

    /// Angles and loads that stay the same to the last digit while joints should move: the board repeats an old scan.
    fn watch_for_frozen_feedback(&mut self, arrived: Timestamp, events: &mut dyn FnMut(LinkEvent)) {
        let joints = self.health.findings(since_origin(arrived)).find_map(|finding| match finding {
            Finding::FrozenFeedback { joints } => Some(joints),
            _ => None,
        });
        if !std::mem::replace(&mut self.frames.frozen, joints.is_some())
            && let Some(joints) = joints
        {
            self.statistics.frozen_feedback += 1;
            events(LinkEvent::FeedbackFrozen { joints });
        }
    }

    /// Whether feedback is frozen now, see [`LinkEvent::FeedbackFrozen`].
    pub const fn feedback_is_frozen(&self) -> bool {
        self.frames.frozen
    }

    fn warn(&mut self, feedback: &Feedback, events: &mut dyn FnMut(LinkEvent)) {
        let fault = feedback.bus_fault();
        let low = fault == Some(BusFault::LowSupply);
        if low && !self.frames.low_supply_said {
            events(LinkEvent::LowSupply);
        }
        self.frames.low_supply_said = low;
        let limp = fault == Some(BusFault::NoTorque);
        if limp && !self.frames.torque_off_said {
            events(LinkEvent::TorqueOff);
        }
        self.frames.torque_off_said = limp;
    }
}
