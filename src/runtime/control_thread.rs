//! The control thread: the core on an absolute clock, fed by mailboxes.
//!
//! After the first tick it neither allocates, locks, logs nor waits for anything but its timer.

use std::sync::Arc;
use std::thread::Thread;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::clock;
use super::frame_store::NewestFrame;
use super::shared::Shared;
use super::tick_clock::TickClock;
use super::{ArmPort, SessionStatus};
use crate::control::{Controller, EndCause, Inputs};
use crate::types::{Chunk, JOINT_COUNT, JointAngles, MAX_CAMERAS, ObservationRequest};

/// Control's ends of all mailboxes.
pub(super) struct ControlThread<A> {
    pub(super) controller: Controller,
    pub(super) arm: A,
    pub(super) cameras: Vec<NewestFrame>,
    pub(super) chunks: rtrb::Consumer<Chunk>,
    pub(super) requests: rtrb::Producer<ObservationRequest>,
    pub(super) inference: Thread,
    pub(super) shared: Arc<Shared>,
    pub(super) status: triple_buffer::Input<SessionStatus>,
    pub(super) period: Duration,
    pub(super) lateness: Histogram<u64>,
}

/// What the thread leaves behind.
pub(super) struct ControlOutcome<A> {
    pub(super) controller: Controller,
    pub(super) arm: A,
    pub(super) missed_ticks: u64,
    pub(super) lateness: Histogram<u64>,
    pub(super) travel_rad: [f64; JOINT_COUNT],
}

impl<A: ArmPort> ControlThread<A> {
    /// Ticks until the run has ended.
    pub(super) fn run(mut self) -> ControlOutcome<A> {
        let mut tick_clock = TickClock::new(clock::now(), self.period);
        let mut travel = Travel::default();
        let mut measured = None;
        while self.controller.ended().is_none() {
            clock::sleep_until(tick_clock.due());
            let now = clock::now();
            let late = tick_clock.begin(now);
            self.lateness.saturating_record(u64::try_from(late.as_nanos()).unwrap_or(u64::MAX));

            let feedback = self.arm.latest_feedback();
            if let Some(sample) = &feedback {
                travel.observe(&sample.angles);
                measured = Some(sample.angles);
            }
            let mut frames = [None; MAX_CAMERAS];
            for (frame, camera) in frames.iter_mut().zip(&mut self.cameras) {
                *frame = camera.get();
            }
            let chunk = self.chunks.pop().ok();
            let lost = self.arm.is_lost().then_some(EndCause::LinkLost);
            let inputs = Inputs {
                feedback,
                frames,
                chunk: chunk.as_ref(),
                written: self.arm.take_written(),
                link_ready: self.arm.ready(),
                go: self.shared.motion_allowed(),
                stop: self.shared.take_stop().or(lost),
            };
            let outputs = self.controller.tick(now, &inputs);
            if let Some(command) = outputs.command {
                self.arm.offer(command);
            }
            if let Some(request) = outputs.observation
                && self.requests.push(request).is_ok()
            {
                self.inference.unpark();
            }
            self.status.write(SessionStatus {
                phase: self.controller.phase(),
                report: *self.controller.report(),
                missed_ticks: tick_clock.missed(),
                measured,
            });
        }
        self.shared.end();
        ControlOutcome {
            controller: self.controller,
            arm: self.arm,
            missed_ticks: tick_clock.missed(),
            lateness: self.lateness,
            travel_rad: travel.range(),
        }
    }
}

/// The range of measured angles.
#[derive(Default)]
struct Travel {
    bounds: Option<([f64; JOINT_COUNT], [f64; JOINT_COUNT])>,
}

impl Travel {
    fn observe(&mut self, angles: &JointAngles) {
        let angles = angles.to_array_rad();
        let (lower, upper) = self.bounds.get_or_insert((angles, angles));
        for joint in 0..JOINT_COUNT {
            lower[joint] = lower[joint].min(angles[joint]);
            upper[joint] = upper[joint].max(angles[joint]);
        }
    }

    fn range(&self) -> [f64; JOINT_COUNT] {
        self.bounds.map_or([0.0; JOINT_COUNT], |(lower, upper)| {
            std::array::from_fn(|joint| upper[joint] - lower[joint])
        })
    }
}
