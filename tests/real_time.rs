//! The control thread neither allocates nor frees after its first ticks: counted through a whole run on a virtual arm, while nobody
//! reads anything of it but the recorder.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "support/stub_session.rs"]
#[allow(dead_code, reason = "each test binary uses its own part")]
mod stub_session;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use calibration::JointLimits;
use firmware_protocol::Generation;
use firmware_protocol::emulator::BoardOptions;
use roarm::arm::{ArmHandle, LinkOptions, SerialArm};
use roarm::control::{ControlParameters, EndCause};
use roarm::episode::run_log::{
    CameraRecord, FORMAT, LogFile, PolicyRecord, Record as Logged, RunLogReader, RunLogWriter, RunRecord,
    create_log_file, summarise,
};
use roarm::replay::replay;
use roarm::runtime::{ArmPort, HoldGuardian, RealTimeSettings, Recording, Session};
use roarm::sim::{VirtualBoard, VirtualBoardOptions};
use roarm::types::{Chunk, CommandWritten, FeedbackSample, Joint, JointCommand, LinkStatus, Parked};

use stub_session::{end_of, parts, run_up};

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

/// Counts allocations and frees of the calling thread.
struct Counting;

fn count() {
    let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
}

#[expect(unsafe_code, reason = "a global allocator is an unsafe trait")]
// SAFETY: every call goes to the system's allocator unchanged; the counter neither allocates nor unwinds (`try_with` fails quietly
// while a thread ends).
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's contract is `System`'s.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count();
        // SAFETY: `pointer` came from `System.alloc` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Ticks that may still allocate.
const WARM_UP: u64 = 2;

/// What an arm saw of the thread that ticks.
#[derive(Default)]
struct Record {
    ticks: AtomicU64,
    /// Allocations and frees between the beginnings of two ticks, after the warm-up.
    calls: AtomicU64,
    commands: AtomicU64,
}

/// The real handle of a serial arm. It is asked for feedback first in each tick, on the control thread.
struct CountingArm {
    handle: ArmHandle,
    record: Arc<Record>,
    before: u64,
}

impl ArmPort for CountingArm {
    fn latest_feedback(&mut self) -> Option<FeedbackSample> {
        let calls = CALLS.get();
        if self.record.ticks.fetch_add(1, Ordering::Relaxed) > WARM_UP {
            self.record.calls.fetch_add(calls - self.before, Ordering::Relaxed);
        }
        self.before = calls;
        self.handle.latest_feedback()
    }
    fn status(&self) -> LinkStatus {
        ArmPort::status(&self.handle)
    }
    fn release_torque(&mut self, parked: Parked) {
        ArmPort::release_torque(&mut self.handle, parked);
    }
    fn offer(&mut self, command: JointCommand) {
        self.record.commands.fetch_add(1, Ordering::Relaxed);
        ArmPort::offer(&mut self.handle, command);
    }
    fn take_written(&mut self) -> Option<CommandWritten> {
        ArmPort::take_written(&mut self.handle)
    }
    fn fault(&self) -> Option<EndCause> {
        ArmPort::fault(&self.handle)
    }
    fn release(&mut self) {
        ArmPort::release(&mut self.handle);
    }
    fn guardian(&self) -> Option<Box<dyn HoldGuardian>> {
        ArmPort::guardian(&self.handle)
    }
}

/// The first record of a log of these tests.
fn run_record(parameters: ControlParameters) -> RunRecord {
    RunRecord {
        format: FORMAT,
        program: "a test".to_owned(),
        verb: "test".to_owned(),
        wall_start_ns: 0,
        start: roarm::runtime::now(),
        task: "none".to_owned(),
        configuration_file: String::new(),
        configuration: String::new(),
        arm: "virtual".to_owned(),
        firmware: "g1".to_owned(),
        tick_period: Duration::from_millis(5),
        cameras: vec![CameraRecord { name: "front".to_owned(), source: "a stub".to_owned() }],
        policy: PolicyRecord::default(),
        hashes: Vec::new(),
        parameters,
    }
}

/// Copies a log, with the lowest bit of one command's goal or with other chunks: the replay names it.
fn a_changed_bit_is_found(from: &Path, folder: &Path, tick: u64) {
    let lowest = |angle: f64| f64::from_bits(angle.to_bits() ^ 1);
    let mut changed = 0;
    let command = copy(from, &folder.join("command.mcap"), |record| {
        if let Logged::Control(record) = record
            && record.tick >= tick
            && changed == 0
            && let Some(command) = &mut record.command
        {
            command.goal.set(Joint::Elbow, lowest(command.goal.get(Joint::Elbow)));
            changed = record.tick;
        }
    });
    let difference = replay(&command, None).unwrap().difference.expect("a bit was changed");
    assert_eq!(difference.tick, changed, "{difference}");
    assert!(difference.what.contains("elbow"), "{difference}");
    let chunk = copy(from, &folder.join("chunk.mcap"), |record| {
        if let Logged::Chunk(record) = record {
            let chunk = &record.chunk;
            let mut actions = chunk.actions().to_vec();
            // Far enough for every bound on the way from an action to a command.
            for action in &mut actions {
                for joint in Joint::ALL {
                    let angle = action.get(joint);
                    action.set(joint, angle - 0.1);
                }
            }
            let (id, observed, tick, finished) =
                (chunk.id, chunk.observed, chunk.requested_tick, chunk.finished);
            *record.chunk = Chunk::new(id, observed, tick, finished, &actions).unwrap();
        }
    });
    assert!(!replay(&chunk, None).unwrap().identical, "other chunks were played");
}

fn copy(from: &Path, to: &Path, mut change: impl FnMut(&mut Logged)) -> PathBuf {
    let mut reader = RunLogReader::open(from).unwrap();
    let mut writer = RunLogWriter::create(File::create_new(to).unwrap(), reader.run()).unwrap();
    while let Some(mut record) = reader.next_record().unwrap() {
        change(&mut record);
        match record {
            Logged::Control(record) => writer.control(&record).unwrap(),
            Logged::Chunk(record) => writer.chunk(&record).unwrap(),
            Logged::End(record) => {
                writer.finish(roarm::runtime::now(), &record).unwrap();
                return to.to_owned();
            }
            _ => {}
        }
    }
    panic!("{} has no end", from.display());
}

#[test]
fn the_counter_counts() {
    let before = CALLS.get();
    drop(std::hint::black_box(vec![1]));
    assert_eq!(CALLS.get() - before, 2);
}

#[test]
fn a_whole_run_ticks_without_allocating_or_freeing() {
    let board = VirtualBoard::spawn(VirtualBoardOptions::new(BoardOptions::new(Generation::G1))).unwrap();
    let options = LinkOptions::default();
    let (arm, handle) = SerialArm::open(&board.path(), options).unwrap();
    arm.wait_until_ready(|_| {}, || false).unwrap();
    let record = Arc::new(Record::default());
    let counting = CountingArm { handle, record: Arc::clone(&record), before: 0 };
    let mut parts = parts(counting, Duration::from_millis(5), RealTimeSettings::default());
    // The board stands where its firmware goes after boot.
    parts.parameters.joint_limits = JointLimits::of(Generation::G1).into();
    parts.parameters.trained_range = None;
    let folder = tempfile::tempdir().unwrap();
    let (path, file) = create_log_file(folder.path(), "run.mcap").unwrap();
    let file: Box<dyn LogFile> = Box::new(file);
    let writer = RunLogWriter::create(file, &run_record(parts.parameters.clone())).unwrap();
    parts.recording = Some(Recording { writer, path: path.clone(), all_frames: true });
    let mut session = Session::start(parts).unwrap();
    run_up(&mut session);
    // From here on nobody reads status, events or statistics, as if every observer were stopped. The link's queue of events fills up,
    // chunks come and go, and the run ends through its brakes.
    let begun = record.ticks.load(Ordering::Relaxed);
    while record.ticks.load(Ordering::Relaxed) < begun + 1000 {
        std::thread::sleep(Duration::from_millis(50));
        assert!(!session.is_over(), "{}", end_of(session).summary);
    }
    session.stop(EndCause::Interrupted);
    let end = end_of(session);
    arm.stop();
    board.stop();
    assert_eq!(end.cause, EndCause::Interrupted, "{}", end.summary);
    assert!(end.summary.run.chunks >= 3, "{}", end.summary);
    assert!(record.commands.load(Ordering::Relaxed) > 50);
    let (ticks, calls) = (record.ticks.load(Ordering::Relaxed), record.calls.load(Ordering::Relaxed));
    assert_eq!(calls, 0, "allocations and frees in {ticks} ticks");
    let log = summarise(&path).unwrap();
    assert!(log.complete && log.replayable, "{log:?}");
    assert_eq!((log.ticks, log.policy_frames_missing), (end.summary.run.ticks, 0), "{log:?}");
    assert!(log.chunks >= 3 && log.commands > 50, "{log:?}");
    let again = replay(&path, None).unwrap();
    assert!(again.identical && again.ticks == log.ticks && again.commands == log.commands, "{again:?}");
    a_changed_bit_is_found(&path, folder.path(), log.ticks / 2);
}
