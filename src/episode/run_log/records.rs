//! What a run log holds, as values.

use std::time::Duration;

use crate::control::{ControlParameters, Controller, EndCause, GateCounts, Inputs, Outputs, Phase};
use crate::policy::ChunkReport;
use crate::types::{
    Chunk, CommandWritten, FeedbackSample, FrameMetadata, FrameSet, JOINT_COUNT, JointCommand, LinkStatus,
    ObservationRequest, PixelLayout, Playback, RealTimeChunking, Timestamp,
};

/// A version of the log's format: a newer major cannot be read, a newer minor can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormatVersion {
    /// Grows when older programs cannot read it any more.
    pub major: u32,
    /// Grows when something is added.
    pub minor: u32,
}

impl std::fmt::Display for FormatVersion {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)
    }
}

/// The format that is written.
pub const FORMAT: FormatVersion = FormatVersion { major: 1, minor: 0 };

/// What is known before the first tick: the first record of a log.
#[derive(Clone, Debug)]
pub struct RunRecord {
    /// The format in which it stands in the file; what is written always has [`FORMAT`].
    pub format: FormatVersion,
    /// Program and version.
    pub program: String,
    /// What the user called.
    pub verb: String,
    /// The wall clock, nanoseconds since 1970, a label only ...
    pub wall_start_ns: u64,
    /// ... at this moment.
    pub start: Timestamp,
    /// The instruction.
    pub task: String,
    /// The configuration file; empty when there was none.
    pub configuration_file: String,
    /// Its text.
    pub configuration: String,
    /// The arm's name or port.
    pub arm: String,
    /// The board's generation.
    pub firmware: String,
    /// Time between control ticks.
    pub tick_period: Duration,
    /// The cameras, by slot.
    pub cameras: Vec<CameraRecord>,
    /// The policy.
    pub policy: PolicyRecord,
    /// What ran.
    pub hashes: Vec<FileHash>,
    /// All settings of the core as it got them.
    pub parameters: ControlParameters,
}

/// A camera of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameraRecord {
    /// The policy's short name of the slot; topics are named so.
    pub name: String,
    /// One line for people.
    pub source: String,
}

/// The policy of a run: what is needed to run it again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PolicyRecord {
    /// The bundle's folder.
    pub folder: String,
    /// Where it ran.
    pub device: String,
    /// Seed of its noise.
    pub noise_seed: u64,
    /// How chunks go on from others.
    pub chunking: RealTimeChunking,
    /// Threads of inference: another number may round otherwise.
    pub threads: usize,
    /// What z-scores are multiplied with.
    pub action_scale: f32,
}

/// Which file was used.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct FileHash {
    /// What it was: `program`, `onnxruntime`, `bundle`.
    pub of: String,
    /// Where it lay.
    pub path: String,
    /// SHA-256, hexadecimal.
    pub sha256: String,
}

/// Everything that entered and left one tick of the core.
///
/// A plain value of fixed size: the control thread makes one a tick without allocating.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ControlRecord {
    /// Number of the tick, from 1.
    pub tick: u64,
    /// The core's time.
    pub now: Timestamp,
    /// Ticks that never happened so far.
    pub missed_ticks: u64,
    /// [`Inputs::feedback`].
    pub feedback: Option<FeedbackSample>,
    /// [`Inputs::frames`].
    pub frames: FrameSet,
    /// Number of [`Inputs::chunk`]; its content is in its own record.
    pub chunk: Option<u64>,
    /// [`Inputs::written`].
    pub written: Option<CommandWritten>,
    /// [`Inputs::link`].
    pub link: LinkStatus,
    /// [`Inputs::go`].
    pub go: Option<u32>,
    /// [`Inputs::stop`].
    pub stop: Option<EndCause>,
    /// [`Inputs::reset`].
    pub reset: bool,
    /// [`Inputs::playback`].
    pub playback: Playback,
    /// [`Outputs::command`].
    pub command: Option<JointCommand>,
    /// [`Outputs::observation`].
    pub observation: Option<ObservationRequest>,
    /// Whether [`Outputs::release_torque`] was there.
    pub torque_released: bool,
    /// Where the run stands after the tick.
    pub phase: Phase,
    /// What the gate has done so far.
    pub gate: GateCounts,
}

// What design.md allows the control queue a tick.
const _: () = assert!(size_of::<ControlRecord>() <= 2048);

impl ControlRecord {
    /// Of a tick that `core` has just made at `now`.
    pub fn of(
        now: Timestamp,
        inputs: &Inputs<'_>,
        outputs: &Outputs,
        core: &Controller,
        missed_ticks: u64,
    ) -> Self {
        let Inputs { feedback, frames, chunk, written, link, go, stop, reset, playback } = *inputs;
        let Outputs { command, observation, release_torque } = *outputs;
        let report = core.report();
        Self {
            tick: report.ticks,
            now,
            missed_ticks,
            feedback,
            frames,
            chunk: chunk.map(|chunk| chunk.id),
            written,
            link,
            go,
            stop,
            reset,
            playback,
            command,
            observation,
            torque_released: release_torque.is_some(),
            phase: core.phase(),
            gate: report.gate,
        }
    }
}

/// What the policy was shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ObservationRecord {
    /// What the core asked for.
    pub request: ObservationRequest,
    /// When inference began.
    pub started: Timestamp,
    /// The pictures that were really used, by slot.
    pub frames: FrameSet,
    /// Seed of the noise: with the chunk's number it determines every value.
    pub noise_seed: u64,
}

/// What the policy said.
#[derive(Clone, Debug, PartialEq)]
pub struct ChunkRecord {
    /// The chunk as the core gets it.
    pub chunk: Box<Chunk>,
    /// Distances from the training data's mean in standard deviations.
    pub z_scores: Vec<[f32; JOINT_COUNT]>,
    /// What flow matching started from.
    pub noise: Vec<f32>,
    /// Timings, ages, range.
    pub report: ChunkReport,
}

/// A picture, exactly as it was captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameRecord {
    /// Camera slot.
    pub slot: usize,
    /// Number, time and size.
    pub metadata: FrameMetadata,
    /// How the pixels are laid out.
    pub layout: PixelLayout,
    /// The pixels; empty where the reader was told to pass over them.
    pub pixels: Vec<u8>,
}

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeLevel {
    /// As it should be.
    Info,
    /// Not as it should be.
    Warning,
    /// Something failed.
    Error,
}

/// A line for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeRecord {
    /// When.
    pub time: Timestamp,
    /// How bad.
    pub level: NoticeLevel,
    /// What.
    pub text: String,
}

/// What could not be recorded, counted from the start of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct LossRecord {
    /// Ticks, observations and chunks: the run cannot be played again.
    pub control_records: u64,
    /// Pictures that the policy saw.
    pub policy_frames: u64,
    /// Other pictures.
    pub other_frames: u64,
}

/// How a run ended: the last record of a log that was closed.
#[derive(Clone, Debug, PartialEq)]
pub struct EndRecord {
    /// Why; `None` where the log was cut and repaired.
    pub cause: Option<EndCause>,
    /// Why, in words.
    pub text: String,
    /// The run's summary, JSON.
    pub summary: String,
    /// What is missing.
    pub lost: LossRecord,
    /// Why the log ends before its run, where it was repaired; empty else.
    pub cut: String,
}

/// A record of a log.
#[derive(Clone, Debug)]
pub enum Record {
    /// One tick.
    Control(Box<ControlRecord>),
    /// What the policy was shown.
    Observation(Box<ObservationRecord>),
    /// What the policy said.
    Chunk(ChunkRecord),
    /// A picture.
    Frame(FrameRecord),
    /// A line for people.
    Notice(NoticeRecord),
    /// Something was lost.
    Lost(LossRecord),
    /// The end.
    End(EndRecord),
}
