//! A session whose arm, camera and policy are values in memory: what the runtime does is all that is left.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use roarm::camera::{CameraError, FrameGenerator, FrameSource, PacedSource};
use roarm::control::{ControlParameters, EndCause, JointBounds, Phase, Workspace};
use roarm::policy::bundle::CameraSlot;
use roarm::policy::{ChunkPolicy, ChunkProducer, PolicyError, PolicyInput, Prediction};
use roarm::runtime::{
    self, ArmPort, HoldGuardian, RealTimeSettings, Session, SessionEnd, SessionParts, SessionStatus,
};
use roarm::types::{
    CommandWritten, DatasetAngles, FeedbackSample, Frame, FrameMetadata, FramePool, JointAngles,
    JointCommand, LinkStatus, Parked, PixelLayout, Timestamp,
};
use rustix::event::{EventfdFlags, eventfd};

/// Actions of a chunk.
const HORIZON: usize = 50;

/// Settings that let the stub arm be moved by the stub policy.
pub(crate) fn parameters() -> ControlParameters {
    let pose = |angle: f64| JointAngles::from_array_rad([angle; 6]);
    ControlParameters {
        trained_range: Some(JointBounds { lower: pose(-1.2), upper: pose(1.2) }),
        workspace: Workspace::default(),
        // A busy machine may stall this program: that is not what is looked at here.
        max_feedback_age: Duration::from_secs(2),
        max_frame_age: Duration::from_secs(5),
        max_observation_age: Duration::from_secs(5),
        inference_timeout: Duration::from_secs(10),
        rejections_before_stop: 3,
        ..ControlParameters::usual(JointBounds { lower: pose(-1.5), upper: pose(1.5) })
    }
}

/// What became of the arm, seen from outside.
#[derive(Debug, Default)]
pub(crate) struct ArmRecord {
    pub(crate) commands: AtomicU64,
    pub(crate) released: AtomicBool,
    pub(crate) taken_over: AtomicU32,
    pub(crate) dropped: AtomicBool,
}

/// An arm that is at its goal at once.
pub(crate) struct MemoryArm {
    pose: JointAngles,
    sequence: u64,
    written: Option<CommandWritten>,
    /// Stands for the link's: a command is one system call, as with a real arm.
    wake: rustix::fd::OwnedFd,
    pub(crate) record: Arc<ArmRecord>,
}

impl MemoryArm {
    pub(crate) fn new() -> Self {
        let wake = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC).expect("an eventfd");
        let pose = JointAngles::from_array_rad([0.1; 6]);
        Self { pose, sequence: 0, written: None, wake, record: Arc::default() }
    }
}

impl ArmPort for MemoryArm {
    fn latest_feedback(&mut self) -> Option<FeedbackSample> {
        self.sequence += 1;
        let measured = runtime::now();
        Some(FeedbackSample { sequence: self.sequence, angles: self.pose, measured, torque_off: false })
    }
    fn status(&self) -> LinkStatus {
        LinkStatus::READY
    }
    fn release_torque(&mut self, _parked: Parked) {}
    fn offer(&mut self, command: JointCommand) {
        self.record.commands.fetch_add(1, Ordering::Relaxed);
        self.pose = command.goal;
        self.written = Some(CommandWritten { command, written: runtime::now() });
        let _ = rustix::io::write(&self.wake, &1_u64.to_ne_bytes());
    }
    fn take_written(&mut self) -> Option<CommandWritten> {
        self.written.take()
    }
    fn fault(&self) -> Option<EndCause> {
        None
    }
    fn release(&mut self) {
        self.record.released.store(true, Ordering::Release);
    }
    fn guardian(&self) -> Option<Box<dyn HoldGuardian>> {
        Some(Box::new(Guardian(Arc::clone(&self.record))))
    }
}

impl Drop for MemoryArm {
    fn drop(&mut self) {
        self.record.dropped.store(true, Ordering::Release);
    }
}

struct Guardian(Arc<ArmRecord>);

impl HoldGuardian for Guardian {
    fn take_over(&self) {
        self.0.taken_over.fetch_add(1, Ordering::AcqRel);
    }
    fn is_done(&self) -> bool {
        true
    }
}

/// 30 small pictures a second.
pub(crate) struct SmallPictures;

impl FrameGenerator for SmallPictures {
    fn period(&self) -> Duration {
        Duration::from_millis(33)
    }
    fn generate(
        &mut self,
        sequence: u64,
        captured: Timestamp,
        pool: &FramePool,
    ) -> Result<Option<Frame>, CameraError> {
        let metadata = FrameMetadata { id: sequence, sequence, captured, width: 8, height: 8, digest: None };
        Ok(Frame::new(metadata, PixelLayout::Rgb8, pool.take(8 * 8 * 3)))
    }
    fn description(&self) -> String {
        "8x8".to_owned()
    }
}

pub(crate) fn camera() -> Box<dyn FrameSource> {
    Box::new(PacedSource::new(SmallPictures, runtime::now))
}

/// Waves, after so long.
pub(crate) struct WavingPolicy {
    pub(crate) inference: Duration,
    slots: Vec<CameraSlot>,
}

impl WavingPolicy {
    pub(crate) fn new(inference: Duration) -> Self {
        Self { inference, slots: vec![CameraSlot { name: "front".to_owned(), width: 8, height: 8 }] }
    }
}

impl ChunkPolicy for WavingPolicy {
    fn horizon(&self) -> usize {
        HORIZON
    }
    fn noise_len(&self) -> usize {
        HORIZON
    }
    fn slots(&self) -> &[CameraSlot] {
        &self.slots
    }
    fn predict(&mut self, _: &PolicyInput<'_>, out: &mut Prediction) -> Result<(), PolicyError> {
        std::thread::sleep(self.inference);
        out.z_scores.clear();
        out.actions.clear();
        for step in 0..HORIZON {
            let degrees = 20.0 * (step as f64 / HORIZON as f64 * std::f64::consts::TAU).sin();
            let mut angles = DatasetAngles::from(JointAngles::ZERO);
            for joint in roarm::types::Joint::ALL {
                angles.set(joint, angles.get(joint) + degrees);
            }
            out.z_scores.push([0.0; 6]);
            out.actions.push(angles);
        }
        Ok(())
    }
}

/// A session of these parts at `tick_period`.
pub(crate) fn parts<A: ArmPort>(
    arm: A,
    tick_period: Duration,
    real_time: RealTimeSettings,
) -> SessionParts<A> {
    let policy = WavingPolicy::new(Duration::from_millis(50));
    SessionParts {
        arm,
        cameras: vec![camera()],
        source: Box::new(ChunkProducer::new(Box::new(policy), 0)),
        parameters: parameters(),
        tick_period,
        real_time,
        recording: None,
    }
}

/// Consents to the first motion and waits until the policy has charge, or the run is over.
pub(crate) fn run_up(session: &mut Session) -> SessionStatus {
    loop {
        let status = session.status();
        match status.phase {
            Phase::AwaitingGo(proposal) => session.allow_motion(proposal.number),
            Phase::Running => return status,
            _ if session.is_over() => return status,
            _ => {}
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits for an end that comes by itself.
pub(crate) fn end_of(session: Session) -> SessionEnd {
    session.join(|| 0.0)
}
