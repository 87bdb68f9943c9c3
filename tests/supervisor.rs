//! Whatever dies, the run ends in the hold: panics in every thread of a session, and a control thread that hangs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "support/stub_session.rs"]
#[allow(dead_code, reason = "each test binary uses its own part")]
mod stub_session;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use roarm::camera::{CameraError, FrameSource};
use roarm::control::EndCause;
use roarm::policy::bundle::CameraSlot;
use roarm::policy::{ChunkPolicy, ChunkProducer, PolicyError, PolicyInput, Prediction};
use roarm::runtime::{ArmPort, HoldGuardian, RealTimeSettings, Session, SessionEnd, SessionParts};
use roarm::types::{CommandWritten, FeedbackSample, Frame, FramePool, JointCommand, LinkStatus, Parked};

use stub_session::{ArmRecord, MemoryArm, WavingPolicy, end_of, parts, run_up};

const PERIOD: Duration = Duration::from_millis(20);

fn usual() -> SessionParts<MemoryArm> {
    parts(MemoryArm::new(), PERIOD, RealTimeSettings::NONE)
}

/// The run ended because of a failure that the summary tells, with its thread.
#[track_caller]
fn assert_failed(end: &SessionEnd, thread: &str, message: &str) {
    assert_eq!(end.cause, EndCause::ProgramFailed);
    let said = &end.summary.run.ended;
    assert!(said.contains(&format!("the {thread} thread")) && said.contains(message), "{said}");
    assert!(!end.summary.run.ok);
}

/// Control brought the arm to rest by itself.
#[track_caller]
fn assert_released(record: &ArmRecord) {
    assert!(record.released.load(Ordering::Acquire));
    assert_eq!(record.taken_over.load(Ordering::Acquire), 0);
}

/// The owner of the port was told to hold.
#[track_caller]
fn assert_taken_over(record: &ArmRecord) {
    assert!(!record.released.load(Ordering::Acquire));
    assert!(record.taken_over.load(Ordering::Acquire) > 0);
}

/// Panics once it was told to.
struct Fuse<T> {
    inner: T,
    lit: Arc<AtomicBool>,
}

impl<T> Fuse<T> {
    fn new(inner: T) -> (Self, Arc<AtomicBool>) {
        let lit = Arc::new(AtomicBool::new(false));
        (Self { inner, lit: Arc::clone(&lit) }, lit)
    }

    fn check(&self, message: &str) {
        assert!(!self.lit.load(Ordering::Acquire), "{message}");
    }
}

impl FrameSource for Fuse<Box<dyn FrameSource>> {
    fn next_frame(&mut self, pool: &FramePool) -> Result<Option<Frame>, CameraError> {
        self.check("the lens fell off");
        self.inner.next_frame(pool)
    }
    fn description(&self) -> String {
        self.inner.description()
    }
}

impl ChunkPolicy for Fuse<WavingPolicy> {
    fn horizon(&self) -> usize {
        self.inner.horizon()
    }
    fn noise_len(&self) -> usize {
        self.inner.noise_len()
    }
    fn slots(&self) -> &[CameraSlot] {
        self.inner.slots()
    }
    fn predict(&mut self, input: &PolicyInput<'_>, out: &mut Prediction) -> Result<(), PolicyError> {
        self.check("a tensor burst");
        self.inner.predict(input, out)
    }
}

impl ArmPort for Fuse<MemoryArm> {
    fn latest_feedback(&mut self) -> Option<FeedbackSample> {
        self.check("a servo said pi");
        self.inner.latest_feedback()
    }
    fn status(&self) -> LinkStatus {
        self.inner.status()
    }
    fn release_torque(&mut self, parked: Parked) {
        self.inner.release_torque(parked);
    }
    fn offer(&mut self, command: JointCommand) {
        self.inner.offer(command);
    }
    fn take_written(&mut self) -> Option<CommandWritten> {
        self.inner.take_written()
    }
    fn fault(&self) -> Option<EndCause> {
        self.inner.fault()
    }
    fn release(&mut self) {
        self.inner.release();
    }
    fn guardian(&self) -> Option<Box<dyn HoldGuardian>> {
        self.inner.guardian()
    }
}

#[test]
fn a_run_that_ends_by_itself_releases_the_arm() {
    let parts = usual();
    let record = Arc::clone(&parts.arm.record);
    let mut session = Session::start(parts).unwrap();
    run_up(&mut session);
    session.stop(EndCause::Interrupted);
    let end = end_of(session);
    assert_eq!((end.cause, end.error), (EndCause::Interrupted, None));
    assert_released(&record);
    assert!(record.commands.load(Ordering::Relaxed) > 0);
    let summary = end.summary;
    assert!(summary.tick_work_us.p50 > 0.0 && summary.tick_period_us.max >= summary.tick_period_us.p50);
    assert!(summary.to_string().contains("tick_work_us"), "{summary}");
    let json = serde_json::to_value(&summary).unwrap();
    assert!(json["ticks"].is_u64() && json["tick_work_us"]["p999"].is_number(), "{json}");
}

#[test]
fn a_panic_of_a_camera_ends_in_the_hold() {
    let mut parts = usual();
    let record = Arc::clone(&parts.arm.record);
    let (camera, fuse) = Fuse::new(stub_session::camera());
    parts.cameras = vec![Box::new(camera)];
    let mut session = Session::start(parts).unwrap();
    run_up(&mut session);
    fuse.store(true, Ordering::Release);
    // By itself: nobody joins before the end.
    while !session.is_over() {
        std::thread::sleep(PERIOD);
    }
    assert_failed(&end_of(session), "camera", "the lens fell off");
    assert_released(&record);
}

#[test]
fn a_panic_of_inference_ends_in_the_hold() {
    let mut parts = usual();
    let record = Arc::clone(&parts.arm.record);
    let (policy, fuse) = Fuse::new(WavingPolicy::new(Duration::from_millis(20)));
    parts.source = Box::new(ChunkProducer::new(Box::new(policy), 0));
    let mut session = Session::start(parts).unwrap();
    run_up(&mut session);
    fuse.store(true, Ordering::Release);
    while !session.is_over() {
        std::thread::sleep(PERIOD);
    }
    assert_failed(&end_of(session), "inference", "a tensor burst");
    assert_released(&record);
}

#[test]
fn a_panic_of_a_helper_thread_ends_in_the_hold() {
    let parts = usual();
    let record = Arc::clone(&parts.arm.record);
    let mut session = Session::start(parts).unwrap();
    run_up(&mut session);
    std::thread::spawn(session.watch("signals", || panic!("no signal"))).join().unwrap();
    while !session.is_over() {
        std::thread::sleep(PERIOD);
    }
    assert_failed(&end_of(session), "signals", "no signal");
    assert_released(&record);
}

#[test]
fn a_panic_of_control_hands_the_arm_over() {
    let SessionParts { arm, cameras, source, parameters, tick_period, real_time, recording } = usual();
    let record = Arc::clone(&arm.record);
    let (arm, fuse) = Fuse::new(arm);
    let parts = SessionParts { arm, cameras, source, parameters, tick_period, real_time, recording };
    let mut session = Session::start(parts).unwrap();
    run_up(&mut session);
    fuse.store(true, Ordering::Release);
    while !session.is_over() {
        std::thread::sleep(PERIOD);
    }
    let end = end_of(session);
    assert_failed(&end, "control", "a servo said pi");
    assert_taken_over(&record);
    assert!(record.dropped.load(Ordering::Acquire), "dropped without a release");
    assert!(end.summary.run.ticks > 0, "its numbers are kept");
}

/// Hangs in a tick until it may go on.
struct HangingArm {
    arm: MemoryArm,
    hang: Arc<AtomicBool>,
}

impl ArmPort for HangingArm {
    fn latest_feedback(&mut self) -> Option<FeedbackSample> {
        while self.hang.load(Ordering::Acquire) {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.arm.latest_feedback()
    }
    fn status(&self) -> LinkStatus {
        self.arm.status()
    }
    fn release_torque(&mut self, parked: Parked) {
        self.arm.release_torque(parked);
    }
    fn offer(&mut self, command: JointCommand) {
        self.arm.offer(command);
    }
    fn take_written(&mut self) -> Option<CommandWritten> {
        self.arm.take_written()
    }
    fn fault(&self) -> Option<EndCause> {
        self.arm.fault()
    }
    fn release(&mut self) {
        self.arm.release();
    }
    fn guardian(&self) -> Option<Box<dyn HoldGuardian>> {
        self.arm.guardian()
    }
}

/// A session whose control thread hangs, and what lets it go on.
fn hung() -> (Session, Arc<ArmRecord>, Arc<AtomicBool>) {
    let SessionParts { arm, cameras, source, parameters, tick_period, real_time, recording } = usual();
    let record = Arc::clone(&arm.record);
    let hang = Arc::new(AtomicBool::new(false));
    let arm = HangingArm { arm, hang: Arc::clone(&hang) };
    let parts = SessionParts { arm, cameras, source, parameters, tick_period, real_time, recording };
    let mut session = Session::start(parts).unwrap();
    run_up(&mut session);
    hang.store(true, Ordering::Release);
    while !session.is_over() {
        std::thread::sleep(PERIOD);
    }
    (session, record, hang)
}

#[test]
fn a_control_thread_that_hangs_loses_the_arm_for_good() {
    let (session, record, hang) = hung();
    assert_taken_over(&record);
    assert!(!record.dropped.load(Ordering::Acquire), "control still hangs");
    let commands = record.commands.load(Ordering::Relaxed);
    hang.store(false, Ordering::Release);
    while !record.dropped.load(Ordering::Acquire) {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(record.commands.load(Ordering::Relaxed), commands, "it woke up and commanded nothing");
    assert!(!record.released.load(Ordering::Acquire));
    assert_failed(&end_of(session), "control", "has not ticked for 2000 ms");
}

#[test]
fn nobody_waits_for_a_control_thread_that_hangs() {
    let (session, record, hang) = hung();
    let end = end_of(session);
    assert_failed(&end, "control", "has not ticked");
    assert!(end.summary.run.ticks > 0, "what it last published is kept");
    assert!(!record.dropped.load(Ordering::Acquire));
    hang.store(false, Ordering::Release);
}

#[test]
fn a_session_that_is_dropped_comes_to_the_hold_first() {
    let parts = usual();
    let record = Arc::clone(&parts.arm.record);
    let owner = std::thread::spawn(move || {
        let mut session = Session::start(parts).unwrap();
        run_up(&mut session);
        panic!("the owner's own trouble");
    });
    assert!(owner.join().is_err());
    assert_released(&record);
}
