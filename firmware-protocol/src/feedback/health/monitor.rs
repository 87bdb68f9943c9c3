//! All detectors together.

use core::time::Duration;

use super::finding::Finding;
use super::generation::{DetectedFirmware, GenerationDetector};
use super::motion::Motion;
use super::options::HealthOptions;
use super::pace::Pace;
use super::sets::{JointSet, ServoSet};
use crate::{Command, Feedback, FeedbackMode, FirmwareAngles, Joint, Line, TorqueSwitch};

/// Watches one board. Times are the caller's, from any start, never going back; feed in the order of time.
#[derive(Clone, Copy, Debug)]
pub struct HealthMonitor {
    options: HealthOptions,
    generation: GenerationDetector,
    pace: Pace,
    motion: Motion,
    /// Successive frames with each sign.
    never_read: u8,
    low_without_torque: u8,
    low_supply: u8,
    torque_off: u8,
    supply_volt: Option<f64>,
    limp: JointSet,
    low_supply_said: Option<Duration>,
    servo_failed: [Option<Duration>; 7],
    queue_full: Option<Duration>,
    init_failed: bool,
    reset: Option<Duration>,
    damaged_frames: u64,
}

impl HealthMonitor {
    /// A monitor that has seen nothing and expects no stream until [`Self::wrote`] tells it of a T:605.
    #[must_use]
    pub const fn new(options: HealthOptions) -> Self {
        Self {
            generation: GenerationDetector::new(options.frames_to_believe),
            options,
            pace: Pace::new(),
            motion: Motion::new(),
            never_read: 0,
            low_without_torque: 0,
            low_supply: 0,
            torque_off: 0,
            supply_volt: None,
            limp: JointSet::of_none(),
            low_supply_said: None,
            servo_failed: [None; 7],
            queue_full: None,
            init_failed: false,
            reset: None,
            damaged_frames: 0,
        }
    }

    /// The host wrote a command. A command of another type: [`Self::wrote_other`].
    pub fn wrote(&mut self, at: Duration, command: &Command) {
        self.generation.wrote(command.encode(&mut [0; Command::MAX_BYTES]));
        match *command {
            Command::Joints { goal, speed, acceleration } => {
                self.goals(goal.angles(), speed.steps_per_s(), acceleration.rad_per_s2());
            }
            Command::Joint { goal, speed, acceleration } => {
                let steps_per_s = speed.steps_per_s().into();
                self.motion.goal(goal.joint(), goal.angle_rad(), steps_per_s, acceleration.rad_per_s2());
            }
            Command::Hand { goal, speed, acceleration } => {
                let steps_per_s = speed.steps_per_s().into();
                self.motion.goal(Joint::Hand, goal.angle_rad(), steps_per_s, acceleration.rad_per_s2());
            }
            Command::JointsDegrees { goal, speed, acceleration } => {
                self.goals(goal.on_wire(), speed.steps_per_s(), acceleration.rad_per_s2());
            }
            Command::JointDegrees { goal, speed, acceleration } => {
                let angle_rad = goal.angle_deg().to_radians();
                let steps_per_s = speed.steps_per_s().into();
                self.motion.goal(goal.joint(), angle_rad, steps_per_s, acceleration.rad_per_s2());
            }
            Command::ToolPose(_) => self.motion.forget_goals(), // at a speed that nobody can know
            Command::SetFeedbackMode(mode) => self.pace.set_mode(at, mode),
            Command::ReadFeedback => self.pace.asked(at),
            Command::Wait(delay) => {
                let board = Duration::from_millis(delay.ms().into());
                self.pace.excuse(at.saturating_add(board).saturating_add(self.options.reaction));
            }
            _ => {}
        }
    }

    /// The host wrote a line that is no [`Command`]: goals are forgotten, and feedback may pause for as long as the caller
    /// expects that command to block the board.
    pub fn wrote_other(&mut self, at: Duration, line: &[u8], blocks_for: Duration) {
        self.generation.wrote(line);
        self.motion.forget_goals();
        self.pace.excuse(at.saturating_add(blocks_for).saturating_add(self.options.reaction));
    }

    fn goals(&mut self, angles: FirmwareAngles, steps_per_s: u16, rad_per_s2: f64) {
        for (joint, angle_rad) in Joint::ALL.into_iter().zip(angles.to_array()) {
            self.motion.goal(joint, angle_rad, steps_per_s.into(), rad_per_s2);
        }
    }

    /// A line arrived (its last byte at `at`), `bytes` long with its line end.
    pub fn received(&mut self, at: Duration, line: &Line<'_>, bytes: usize) {
        self.pace.bytes(bytes);
        match *line {
            Line::Feedback(ref feedback) => {
                if !feedback.agrees_with_kinematics(self.options.kinematics_tolerance_mm) {
                    self.damaged_frames += 1;
                    return;
                }
                self.frame(at, feedback);
            }
            Line::InvalidFeedback(_) => self.damaged_frames += 1,
            Line::QueueFull => self.queue_full = Some(at),
            Line::LowSupply => self.low_supply_said = Some(at),
            Line::InitFailed => self.init_failed = true,
            Line::ServoFailed { id } => {
                if let Some(said) = self.servo_failed.get_mut(usize::from(id.wrapping_sub(11))) {
                    *said = Some(at);
                }
            }
            Line::Reset => self.after_reset(at),
            Line::OtherJson(_) | Line::Noise(_) => {}
        }
        self.generation.received(line);
    }

    /// Nothing learnt before a reset holds behind it, not even the feedback mode.
    fn after_reset(&mut self, at: Duration) {
        let damaged_frames = self.damaged_frames;
        *self = Self { reset: Some(at), damaged_frames, ..Self::new(self.options) };
        self.pace.excuse(at.saturating_add(self.options.boot));
    }

    fn frame(&mut self, at: Duration, feedback: &Feedback) {
        self.pace.frame(at, &self.options);
        let count =
            |counter: &mut u8, holds: bool| *counter = if holds { counter.saturating_add(1) } else { 0 };
        let low = feedback.supply_volt.is_some_and(|volt| volt < self.options.low_supply_volt);
        let limp = JointSet::of(|joint| {
            feedback.torque_switches[joint.index()].is_some_and(|switch| switch != TorqueSwitch::On)
        });
        let all_limp = Joint::ALL.into_iter().all(|joint| limp.contains(joint));
        count(&mut self.never_read, feedback.is_never_read_signature());
        count(&mut self.low_without_torque, low && all_limp);
        count(&mut self.low_supply, low);
        count(&mut self.torque_off, !limp.is_empty());
        (self.supply_volt, self.limp) = (feedback.supply_volt, limp);
        self.motion.frame(at, feedback, self.generation.detected(), &self.options);
    }

    /// The firmware, as far as it is known.
    #[must_use]
    pub fn firmware(&self) -> Option<DetectedFirmware> {
        self.generation.detected()
    }

    /// The feedback mode that was last written, if the board has not been reset since.
    #[must_use]
    pub const fn feedback_mode(&self) -> Option<FeedbackMode> {
        self.pace.mode()
    }

    /// Feedback lines passed over since the start: broken ones, and splices that disagree with the kinematics.
    #[must_use]
    pub const fn damaged_frames(&self) -> u64 {
        self.damaged_frames
    }

    /// What is wrong now, worst first. Call it as often as you like: it changes nothing.
    pub fn findings(&self, now: Duration) -> impl Iterator<Item = Finding> + use<> {
        let options = &self.options;
        let held = |said: Option<Duration>| said.is_some_and(|at| now.saturating_sub(at) <= options.hold);
        let believe = options.frames_to_believe;
        let servos = ServoSet::of(|id| {
            self.servo_failed.get(usize::from(id.wrapping_sub(11))).is_some_and(|said| held(*said))
        });
        let dead = believe.saturating_sub(1).max(1);
        let dead_bus = self.never_read >= dead
            || self.low_without_torque >= dead
            || (self.low_without_torque > 0 && !servos.is_empty()) // one frame, and the board's own word
            || servos.has_all_polled();
        let low = self.low_supply >= dead;
        let low_volt = self.supply_volt.filter(|_| low);
        let torque_off = self.torque_off >= dead;
        let booting = self.reset.is_some_and(|at| {
            now.saturating_sub(at)
                <= if self.generation.detected().is_some() { options.hold } else { options.boot }
        });
        [
            dead_bus.then_some(Finding::DeadBus),
            booting.then_some(Finding::BoardReset),
            self.motion.finding(),
            self.pace.silent(now, options),
            self.pace.slow(),
            (!servos.is_empty()).then_some(Finding::ServosFailed { servos }),
            (low || held(self.low_supply_said)).then_some(Finding::LowSupply { volt: low_volt }),
            torque_off.then_some(Finding::TorqueOff { joints: self.limp }),
            self.init_failed.then_some(Finding::InitFailed),
            held(self.queue_full).then_some(Finding::QueueFull),
        ]
        .into_iter()
        .flatten()
    }

    /// Whether nothing is wrong, as far as can be told.
    #[must_use]
    pub fn is_healthy(&self, now: Duration) -> bool {
        self.findings(now).next().is_none()
    }
}
