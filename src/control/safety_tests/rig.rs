//! The core, a paced link and a virtual board on one clock.

use std::time::Duration;

use calibration::JointLimits;
use firmware_protocol::emulator::{Board, BoardOptions, ServoOptions};
use firmware_protocol::{
    Command, FeedbackMode, FirmwareAngles, Generation, GoalAngles, Line, LineSplitter, ServoAcceleration,
    ServoSpeed, parse_line,
};

use crate::control::{
    AfterLinkLoss, AfterStop, ControlParameters, Controller, EndCause, GateCounts, Inputs, Phase,
};
use crate::types::{
    Chunk, CommandWritten, DatasetAngles, FeedbackSample, FrameMetadata, JointAngles, LinkStatus,
    MAX_CAMERAS, ObservationRequest, Playback, ServoProfile, Timestamp,
};

/// Between a board's time and the core's clock, so that ages can be subtracted.
const OFFSET: Duration = Duration::from_secs(10);
/// 30 actions a second.
const ACTION_PERIOD: Duration = Duration::from_nanos(33_333_333);
/// Time from the scan to the end of a feedback line on the wire.
const FEEDBACK_AGE: Duration = Duration::from_millis(25);

/// A pose from degrees.
pub(super) fn degrees(angles_deg: [f64; 6]) -> JointAngles {
    DatasetAngles::from_array_deg(angles_deg).into()
}

/// Home with the gripper a little open.
pub(super) fn home() -> JointAngles {
    degrees([0.0, 0.0, 90.0, 0.0, 0.0, 20.0])
}

/// The settings of the program's own configuration.
pub(super) fn parameters(generation: Generation) -> ControlParameters {
    ControlParameters {
        action_period: ACTION_PERIOD,
        actions_per_chunk: 15,
        inference_timeout: Duration::from_secs(3),
        rejections_before_stop: 5,
        after_stop: AfterStop::Wait,
        after_link_loss: AfterLinkLoss::Resume,
        ..ControlParameters::usual(JointLimits::of(generation).into())
    }
}

/// When the link takes a command.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Pacing {
    /// One for each feedback frame (G1).
    PerFrame,
    /// One each interval (G3).
    Interval(Duration),
}

/// What becomes of feedback on its way to the core.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum FeedbackFault {
    /// Nothing.
    Sound,
    /// No frame comes.
    Missing,
    /// Angles are NaN.
    NotANumber,
    /// The last pose comes again and again.
    Frozen,
    /// Angles are off by so much, all joints alike, radians.
    Jumped(f64),
}

/// What a policy answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Answer {
    /// A straight line to a pose in this many actions.
    Towards(JointAngles, usize),
    /// One action of the chunk is this value in one joint.
    Broken(f64),
    /// A chunk for an observation that is long past.
    Old,
    /// A chunk that was not asked for.
    Unasked,
    /// None.
    Silent,
    /// A straight line from where the goals stand to a pose, at one speed from chunk to chunk.
    Steadily {
        /// The pose.
        to: JointAngles,
        /// Speed of the fastest joint.
        speed_rad_s: f64,
    },
}

/// A command as sent, and what was known when it was made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) command: CommandWritten,
    pub(super) phase: Phase,
    pub(super) measured: Option<JointAngles>,
    /// What the gate counted in this tick.
    pub(super) held_back: bool,
    pub(super) connection: u32,
    /// Whether it is the first one after a standstill that was ended by consent.
    pub(super) first_of_ramp: bool,
}

pub(super) struct Rig {
    pub(super) board: Board,
    pub(super) controller: Controller,
    pub(super) pacing: Pacing,
    pub(super) feedback: FeedbackFault,
    pub(super) camera_works: bool,
    pub(super) answer: Answer,
    pub(super) latency: Duration,
    pub(super) consent: bool,
    pub(super) link: LinkStatus,
    /// Time from the end of writing to the link's report.
    pub(super) report_delay: Duration,
    pub(super) sent: Vec<Sent>,
    pub(super) requests: Vec<ObservationRequest>,
    pub(super) stop: Option<EndCause>,
    pub(super) reset: bool,
    pub(super) playback: Playback,
    /// Phases in the order in which they were entered, and when.
    pub(super) phases: Vec<(Timestamp, Phase)>,
    /// Places in `phases` at which the link could not pass a command for want of frames.
    pub(super) silent: Vec<usize>,
    /// What the servos are told instead of the command's own profile.
    pub(super) profile: Option<ServoProfile>,
    /// Where the arm was in each millisecond, once it is watched.
    pub(super) watched: Option<Vec<JointAngles>>,
    longest_tick: Duration,
    splitter: LineSplitter<512>,
    bytes: Vec<u8>,
    newest: Option<FeedbackSample>,
    last_sound: Option<JointAngles>,
    last_frame: Option<Timestamp>,
    sequence: u64,
    credit: bool,
    last_write: Option<Timestamp>,
    unreported: Option<CommandWritten>,
    pending: Option<(ObservationRequest, Timestamp)>,
}

impl Rig {
    pub(super) fn new(parameters: ControlParameters, servos: ServoOptions, generation: Generation) -> Self {
        let options = BoardOptions {
            initial: FirmwareAngles::from(home()),
            servos,
            keep_lines: true,
            ..BoardOptions::new(generation)
        };
        let mut board = Board::new(options);
        board.set_feedback_mode(FeedbackMode::Stream);
        let pacing = match generation {
            Generation::G3 => Pacing::Interval(Duration::from_millis(28)),
            _ => Pacing::PerFrame,
        };
        Self {
            board,
            controller: Controller::new(parameters),
            pacing,
            feedback: FeedbackFault::Sound,
            camera_works: true,
            answer: Answer::Towards(home(), 15),
            latency: Duration::from_millis(60),
            consent: true,
            link: LinkStatus::READY,
            report_delay: Duration::ZERO,
            sent: Vec::with_capacity(1_024),
            requests: Vec::new(),
            stop: None,
            reset: false,
            playback: Playback::default(),
            phases: Vec::new(),
            silent: Vec::new(),
            profile: None,
            watched: None,
            longest_tick: Duration::ZERO,
            splitter: LineSplitter::new(),
            bytes: Vec::new(),
            newest: None,
            last_sound: None,
            last_frame: None,
            sequence: 0,
            credit: false,
            last_write: None,
            unreported: None,
            pending: None,
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp::ZERO + OFFSET + self.board.now()
    }

    pub(super) fn phase(&self) -> Phase {
        self.controller.phase()
    }

    pub(super) fn gate(&self) -> &GateCounts {
        &self.controller.report().gate
    }

    /// Where the arm really stands.
    pub(super) fn arm(&self) -> JointAngles {
        self.board.angles().into()
    }

    /// The goal that the board has.
    pub(super) fn goal(&self) -> JointAngles {
        self.board.goal().into()
    }

    /// The cable is pulled, or put back.
    pub(super) fn plug(&mut self, connected: bool) {
        if connected == self.link.connected {
            return;
        }
        self.link.connection += u32::from(connected);
        self.link.connected = connected;
        (self.credit, self.unreported) = (false, None);
        self.splitter.clear();
    }

    /// Time passes, and the core ticks.
    pub(super) fn tick(&mut self, duration: Duration) {
        self.longest_tick = self.longest_tick.max(duration);
        self.let_time_pass(duration);
        let now = self.now();
        self.take_in(now);
        let chunk = self.chunk(now);
        let written = self.unreported.filter(|written| now.since(written.written) >= self.report_delay);
        if written.is_some() {
            self.unreported = None;
        }
        let mut frames = [None; MAX_CAMERAS];
        if self.camera_works {
            self.last_frame = Some(now);
        }
        frames[0] = self.last_frame.map(|captured| FrameMetadata {
            id: 1,
            sequence: 1,
            captured,
            width: 96,
            height: 96,
            digest: None,
        });
        let ready = self.link.connected
            && self.unreported.is_none()
            && match self.pacing {
                Pacing::PerFrame => self.credit,
                Pacing::Interval(interval) => {
                    self.last_write.is_none_or(|before| now.since(before) >= interval)
                }
            };
        let inputs = Inputs {
            feedback: self.newest.take(),
            frames,
            chunk: chunk.as_ref(),
            written,
            link: LinkStatus { ready, ..self.link },
            go: self.controller.proposal().filter(|_| self.consent).map(|proposal| proposal.number),
            stop: self.stop.take(),
            reset: std::mem::take(&mut self.reset),
            playback: self.playback,
        };
        let (phase_before, gate_before) = (self.phase(), *self.gate());
        let outputs = self.controller.tick(now, &inputs);
        let phase = self.phase();
        if self.phases.last().is_none_or(|(_, last)| last.name() != phase.name()) {
            self.phases.push((now, phase));
        }
        if self.feedback == FeedbackFault::Missing && self.silent.last() != Some(&(self.phases.len() - 1)) {
            self.silent.push(self.phases.len() - 1);
        }
        if let Some(request) = outputs.observation {
            self.requests.push(request);
            self.pending = Some((request, now + self.latency));
        }
        if let Some(command) = outputs.command {
            assert!(ready, "a command although the link takes none");
            let written = CommandWritten { command, written: now };
            self.send(&written);
            let gate = self.gate();
            self.sent.push(Sent {
                command: written,
                phase,
                measured: self.last_sound,
                held_back: gate.lead > gate_before.lead
                    || gate.workspace.total() > gate_before.workspace.total(),
                connection: self.link.connection,
                first_of_ramp: matches!(phase_before, Phase::AwaitingGo(_)),
            });
            (self.credit, self.last_write, self.unreported) = (false, Some(now), Some(written));
        }
    }

    fn let_time_pass(&mut self, duration: Duration) {
        let Some(watched) = &mut self.watched else { return self.board.advance(duration) };
        for _ in 0..duration.as_millis() {
            self.board.advance(Duration::from_millis(1));
            watched.push(self.board.angles().into());
        }
    }

    /// Ticks of 20 ms.
    pub(super) fn run(&mut self, ticks: usize) {
        for _ in 0..ticks {
            self.tick(Duration::from_millis(20));
        }
    }

    pub(super) fn run_until(&mut self, ticks: usize, done: impl Fn(&Self) -> bool) {
        for _ in 0..ticks {
            if done(self) {
                return;
            }
            self.run(1);
        }
        panic!("still {:?} after {ticks} ticks", self.phase());
    }

    /// How long the link may take to pass what makes the core see an arm at rest: the command under way, the braking ones' last, one
    /// at rest, and the report of each.
    pub(super) fn link_delay_s(&self) -> f64 {
        let interval = match self.pacing {
            // A frame and a command on the wire, and the loop between.
            Pacing::PerFrame => Duration::from_millis(60),
            Pacing::Interval(interval) => interval,
        };
        4.0 * (interval + self.report_delay + self.longest_tick * 2).as_secs_f64()
    }

    fn take_in(&mut self, now: Timestamp) {
        self.bytes.clear();
        self.board.transmit(&mut self.bytes);
        if !self.link.connected || self.feedback == FeedbackFault::Missing {
            return;
        }
        let mut newest = None;
        self.splitter.push(&self.bytes, |line| {
            if let Line::Feedback(feedback) = parse_line(line) {
                newest = Some(JointAngles::from(feedback.angles));
            }
        });
        let Some(measured) = newest else { return };
        self.credit = true;
        let angles = match self.feedback {
            FeedbackFault::Sound | FeedbackFault::Missing => measured,
            FeedbackFault::NotANumber => JointAngles::from_array_rad([f64::NAN; 6]),
            FeedbackFault::Frozen => self.last_sound.unwrap_or(measured),
            FeedbackFault::Jumped(by) => {
                JointAngles::from_array_rad(measured.to_array_rad().map(|angle| angle + by))
            }
        };
        if can_be_measured(&angles) {
            self.last_sound = Some(angles);
        }
        self.sequence += 1;
        self.newest = Some(FeedbackSample {
            sequence: self.sequence,
            angles,
            measured: now - FEEDBACK_AGE,
            torque_off: false,
        });
    }

    fn chunk(&mut self, now: Timestamp) -> Option<Chunk> {
        let (request, _) = self.pending.take_if(|(_, due)| *due <= now)?;
        let (mut id, mut observed, from) = (request.chunk_id, request.observed, request.state);
        let actions: [JointAngles; 50] = match self.answer {
            Answer::Silent => return None,
            Answer::Steadily { to, speed_rad_s } => {
                let from = self.sent.last().map_or(from, |sent| sent.command.command.goal);
                let step = speed_rad_s * ACTION_PERIOD.as_secs_f64() / from.max_difference(&to).max(1e-9);
                std::array::from_fn(|action| from.interpolate(&to, ((action + 1) as f64 * step).min(1.0)))
            }
            Answer::Towards(pose, steps) => std::array::from_fn(|step| {
                from.interpolate(&pose, ((step + 1) as f64 / steps.max(1) as f64).min(1.0))
            }),
            Answer::Broken(value) => std::array::from_fn(|step| {
                let mut angles = from.to_array_rad();
                angles[step % 6] = if step == 7 { value } else { angles[step % 6] };
                JointAngles::from_array_rad(angles)
            }),
            Answer::Old => {
                observed = Timestamp::ZERO;
                [JointAngles::ZERO; 50]
            }
            Answer::Unasked => {
                id += 7;
                [JointAngles::ZERO; 50]
            }
        };
        Some(Chunk::new(id, observed, request.tick, now, &actions).expect("50 actions fit"))
    }

    /// As the link does it: T:102 with all fields.
    fn send(&mut self, written: &CommandWritten) {
        let goal =
            GoalAngles::new(FirmwareAngles::from(written.command.goal)).expect("the gate lets no other pass");
        let profile = self.profile.unwrap_or(written.command.profile);
        let line = Command::Joints {
            goal,
            speed: ServoSpeed::from_rad_per_s(profile.speed_rad_s).expect("a speed"),
            acceleration: ServoAcceleration::from_rad_per_s2(profile.acceleration_rad_s2)
                .expect("an acceleration"),
        };
        self.board.receive(line.encode(&mut [0; Command::MAX_BYTES]));
    }

    /// The goals of all T:102 lines that the board took in so far, as they stood on the wire.
    pub(super) fn received_goals(&mut self) -> Vec<JointAngles> {
        let lines = self.board.take_lines();
        assert!(lines.iter().all(|line| line.parsed), "the board dropped a line");
        lines.iter().filter_map(|line| goal_of(&line.bytes)).collect()
    }
}

/// Whether an encoder of one turn can say so, its zero off by a tenth of half a turn at most. Anything else is no feedback to the core,
/// so what it knew before is what it has to go by.
fn can_be_measured(angles: &JointAngles) -> bool {
    angles.to_array_rad().iter().all(|angle| angle.is_finite() && angle.abs() <= 198_f64.to_radians())
}

/// The goal in a T:102 line.
fn goal_of(line: &[u8]) -> Option<JointAngles> {
    let line: serde_json::Value = serde_json::from_slice(line).expect("the board took it");
    (line["T"] == 102).then(|| {
        let angle = |key: &str| line[key].as_f64().expect("a number");
        JointAngles::from(FirmwareAngles {
            base_rad: angle("base"),
            shoulder_rad: angle("shoulder"),
            elbow_rad: angle("elbow"),
            wrist_rad: angle("wrist"),
            roll_rad: angle("roll"),
            hand_rad: angle("hand"),
        })
    })
}
