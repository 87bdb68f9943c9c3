//! The loop of the virtual-time shell.

use std::sync::Arc;
use std::time::Duration;

use firmware_protocol::emulator::{Board, BoardOptions, ReceivedLine};

use super::cameras::{StateSetter, VirtualCamera, newest_frames};
use crate::arm::{LinkEvent, LinkFault, LinkMachine, LinkOptions, WriteBuffer};
use crate::camera::{CameraError, FrameGenerator};
use crate::control::{ControlParameters, Controller, EndCause, Inputs, Phase, ShellReport};
use crate::policy::{ChunkReport, ChunkReports, ChunkSource, PolicyError, StageTimings};
use crate::sim::cell::Outcome;
use crate::sim::renderer::CellState;
use crate::sim::{CellWorld, SimError};
use crate::types::{
    Chunk, ChunkTimes, CommandWritten, FeedbackSample, Frame, JointAngles, Playback, RunSummary, Timestamp,
    Travel,
};

/// Grain of the logical clock.
const STEP: Duration = Duration::from_millis(1);
/// Time between two states of [`VirtualEnd::shown`]: 30 a second.
pub const SHOWN_PERIOD: Duration = Duration::from_nanos(33_333_333);
/// The clock does not start at zero, so that ages can be subtracted from it.
const START: Timestamp = Timestamp::from_nanos(10_000_000_000);

/// What a virtual run is made of.
pub struct VirtualParts {
    /// The board.
    pub board: BoardOptions,
    /// The link to it.
    pub link: LinkOptions,
    /// The core's settings, limits of the board's generation included.
    pub parameters: ControlParameters,
    /// Time between control ticks, whole milliseconds.
    pub tick_period: Duration,
    /// A generator for each camera slot of the policy, in its order.
    pub cameras: Vec<Box<dyn FrameGenerator>>,
    /// The boxes around the arm, if there are any.
    pub cell: Option<VirtualCell>,
    /// The policy, or the recording that is played.
    pub source: Box<dyn ChunkSource>,
    /// Declared time from request to chunk.
    pub inference_latency: Duration,
    /// The run is cut off after this time.
    pub time_limit: Duration,
}

/// What stands around the arm.
pub struct VirtualCell {
    /// The boxes; a run ends as soon as its instruction is decided.
    pub world: CellWorld,
    /// Where a simulated camera learns what it sees.
    pub show: StateSetter,
}

/// How a virtual run ended, and everything that went over the wire.
#[derive(Debug)]
pub struct VirtualEnd {
    /// Why.
    pub cause: EndCause,
    /// The numbers. Tick jitter is zero and chunk times are the declared latency.
    pub summary: RunSummary,
    /// Each T:102 line, with the time at which its first byte was handed to the port.
    pub commands: Vec<(Timestamp, Vec<u8>)>,
    /// Each line that the board took in, on its own clock; empty unless the board's options keep lines.
    pub board_lines: Vec<ReceivedLine>,
    /// All bytes that the host sent, handshake included.
    pub bytes: Vec<u8>,
    /// When commands of a policy began and ended.
    pub running: Option<(Timestamp, Timestamp)>,
    /// How arm and boxes stood, once each [`SHOWN_PERIOD`]; empty without a cell.
    pub shown: Vec<CellState>,
    /// What came of the instruction, where somebody watched.
    pub outcome: Option<Outcome>,
}

/// A virtual run could not go on.
#[derive(Debug, thiserror::Error)]
pub enum VirtualError {
    /// The link gave up.
    #[error(transparent)]
    Link(#[from] LinkFault),
    /// The physics of the cell failed.
    #[error(transparent)]
    Sim(#[from] SimError),
    /// A camera failed.
    #[error(transparent)]
    Camera(#[from] CameraError),
    /// Inference failed.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The statistics could not be set up.
    #[error("cannot set up the statistics: {0}")]
    Statistics(#[from] hdrhistogram::CreationError),
    /// A recording without a frame.
    #[error("camera slot {slot} has no frame at all: choose another episode")]
    NoFrame {
        /// Slot.
        slot: usize,
    },
    /// The run did not end in time.
    #[error("the run was still {phase} after {} s of virtual time: give it a duration", limit.as_secs())]
    TimeLimit {
        /// Where it stood.
        phase: String,
        /// The limit.
        limit: Duration,
    },
}

/// A chunk on its way.
struct Pending {
    chunk: Chunk,
    due: Timestamp,
}

/// The moving parts of one run.
struct Shell {
    now: Timestamp,
    board: Board,
    link: LinkMachine,
    out: WriteBuffer,
    scratch: Vec<u8>,
    feedback: Option<FeedbackSample>,
    written: Option<CommandWritten>,
    commands: Vec<(Timestamp, Vec<u8>)>,
    bytes: Vec<u8>,
    feedback_lines: (u64, Option<Timestamp>, Timestamp),
    world: Option<CellWorld>,
}

impl Shell {
    /// One grain of board and wire.
    fn step(&mut self) -> Result<(), VirtualError> {
        self.now = self.now + STEP;
        match &mut self.world {
            Some(world) => world.advance(&mut self.board, STEP)?,
            None => self.board.advance(STEP),
        }
        self.scratch.clear();
        self.board.transmit(&mut self.scratch);
        let (feedback, lines, now) = (&mut self.feedback, &mut self.feedback_lines, self.now);
        let mut fault = None;
        let mut note = |event: LinkEvent| match event {
            LinkEvent::Feedback { sample, .. } => {
                *feedback = Some(sample);
                lines.0 += 1;
                lines.1.get_or_insert(now);
                lines.2 = now;
            }
            LinkEvent::Fault(found) => fault = Some(found),
            _ => {}
        };
        self.link.receive(&self.scratch, now, &mut note);
        self.link.poll(now, &mut self.out, &mut note);
        if let Some(fault) = fault {
            return Err(fault.into());
        }
        let pending = self.out.pending().len();
        if pending > 0 {
            self.bytes.extend_from_slice(self.out.pending());
            self.board.receive(self.out.pending());
            self.out.advance(pending);
        }
        Ok(())
    }

    fn feedback_hz(&self) -> f64 {
        let (count, Some(first), last) = self.feedback_lines else { return 0.0 };
        if count > 1 { (count - 1) as f64 / last.seconds_since(first) } else { 0.0 }
    }
}

/// Runs to the end in virtual time.
pub fn run(mut parts: VirtualParts) -> Result<VirtualEnd, VirtualError> {
    let (world, show) = match parts.cell {
        Some(VirtualCell { world, show }) => (Some(world), Some(show)),
        None => (None, None),
    };
    let mut shell = Shell {
        now: START,
        board: Board::new(parts.board),
        link: LinkMachine::new(parts.link, START),
        out: WriteBuffer::default(),
        scratch: Vec::new(),
        feedback: None,
        written: None,
        commands: Vec::new(),
        bytes: Vec::new(),
        feedback_lines: (0, None, START),
        world,
    };
    let mut cameras = Vec::new();
    for (slot, generator) in parts.cameras.into_iter().enumerate() {
        cameras.push(VirtualCamera::new(generator, START)?.ok_or(VirtualError::NoFrame { slot })?);
    }
    let motion_limits = parts.parameters.motion_limits;
    let mut controller = Controller::new(parts.parameters);
    let mut next_tick = START + parts.tick_period;
    let mut pending: Option<Pending> = None;
    let mut source_ended = false;
    let mut travel = Travel::default();
    let mut reports = ChunkReports::new()?;
    let mut running: Option<(Timestamp, Timestamp)> = None;
    let (mut shown, mut next_shown) = (Vec::new(), START);
    while controller.ended().is_none() {
        if shell.now.since(START) > parts.time_limit {
            let phase = format!("{:?}", controller.phase());
            return Err(VirtualError::TimeLimit { phase, limit: parts.time_limit });
        }
        shell.step()?;
        let angles = JointAngles::from(shell.board.angles());
        let seen = shell.world.as_ref().map(|world| world.seen(angles));
        for camera in &mut cameras {
            camera.advance(shell.now, seen);
        }
        if let Some(seen) = seen.filter(|_| shell.now >= next_shown) {
            shown.push(seen);
            next_shown = next_shown + SHOWN_PERIOD;
        }
        if shell.now < next_tick {
            continue;
        }
        next_tick = next_tick + parts.tick_period;
        let feedback = shell.feedback.take();
        if let Some(sample) = &feedback {
            travel.observe(&sample.angles);
        }
        let chunk = pending.take_if(|pending| pending.due <= shell.now);
        let decided = running.is_some() && shell.world.as_ref().is_some_and(CellWorld::is_decided);
        let inputs = Inputs {
            feedback,
            frames: newest_frames(&cameras),
            chunk: chunk.as_ref().map(|pending| &pending.chunk),
            written: shell.written.take(),
            link: shell.link.status(),
            go: controller.proposal().map(|proposal| proposal.number),
            stop: if decided {
                Some(EndCause::EpisodeOver)
            } else {
                source_ended.then_some(EndCause::SourceEnded)
            },
            reset: false,
            playback: Playback::default(),
        };
        let outputs = controller.tick(shell.now, &inputs);
        if controller.phase() == Phase::Running {
            if running.is_none() {
                cameras.iter_mut().for_each(|camera| camera.start_over(shell.now));
                shell.world.iter_mut().for_each(CellWorld::start_clock);
            }
            let (_, latest) = running.get_or_insert((shell.now, shell.now));
            *latest = shell.now;
        }
        if let Some(command) = outputs.command
            && let Ok(line) = shell.link.write_joints(&command)
        {
            shell.bytes.extend_from_slice(line);
            shell.commands.push((shell.now, line.to_vec()));
            shell.board.receive(line);
            shell.written = shell.link.written(shell.now);
        }
        if let Some(request) = outputs.observation {
            let mut frames: Vec<Arc<Frame>> = Vec::with_capacity(cameras.len());
            for camera in &mut cameras {
                frames.extend(camera.picture(show.as_ref())?);
            }
            if frames.len() == cameras.len() {
                let due = shell.now + parts.inference_latency;
                let chunk = parts.source.chunk(&request, &frames, shell.now, &mut || due)?;
                pending = Some(Pending { chunk, due });
                if let Some(report) = parts.source.report() {
                    // What the real clock says would differ from run to run.
                    reports.add(&ChunkReport { timings: StageTimings::default(), ..*report });
                }
            } else {
                source_ended = true;
            }
        }
    }
    let cause = controller.ended().unwrap_or(EndCause::LinkLost);
    let latency_ms = parts.inference_latency.as_secs_f64() * 1e3;
    let summary = controller.report().summary(
        cause,
        ShellReport {
            chunk_ms: ChunkTimes { p50: latency_ms, p95: latency_ms },
            feedback_hz: shell.feedback_hz(),
            travel,
            elapsed_s: shell.now.seconds_since(START),
            inference: reports.summary(),
            motion_limits,
            ..ShellReport::default()
        },
    );
    let board_lines = shell.board.take_lines();
    let outcome = shell.world.as_ref().and_then(CellWorld::outcome);
    Ok(VirtualEnd {
        cause,
        summary,
        commands: shell.commands,
        board_lines,
        bytes: shell.bytes,
        running,
        shown,
        outcome,
    })
}
