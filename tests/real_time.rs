//! The control thread neither allocates nor frees after its first ticks: counted through a whole run on a virtual arm, while nobody
//! reads anything of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "support/stub_session.rs"]
#[allow(dead_code, reason = "each test binary uses its own part")]
mod stub_session;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use calibration::JointLimits;
use firmware_protocol::Generation;
use firmware_protocol::emulator::BoardOptions;
use roarm::arm::{ArmHandle, LinkOptions, SerialArm};
use roarm::control::EndCause;
use roarm::runtime::{ArmPort, HoldGuardian, RealTimeSettings, Session};
use roarm::sim::{VirtualBoard, VirtualBoardOptions};
use roarm::types::{CommandWritten, FeedbackSample, JointCommand, LinkStatus, Parked};

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
}
