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
use crate::control::{Controller, Inputs, Phase};
use crate::types::{Chunk, MAX_CAMERAS, ObservationRequest, Travel};

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
pub(super) struct ControlOutcome {
    pub(super) controller: Controller,
    pub(super) missed_ticks: u64,
    pub(super) lateness: Histogram<u64>,
    pub(super) travel: Travel,
}

impl<A: ArmPort> ControlThread<A> {
    /// Ticks until the run has ended.
    pub(super) fn run(mut self) -> ControlOutcome {
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
            let inputs = Inputs {
                feedback,
                frames,
                chunk: chunk.as_ref(),
                written: self.arm.take_written(),
                link: self.arm.status(),
                go: self.shared.motion_allowed(),
                stop: self.shared.take_stop().or_else(|| self.arm.fault()),
                reset: self.shared.take_reset(),
            };
            let outputs = self.controller.tick(now, &inputs);
            if self.controller.phase() == Phase::Running {
                self.shared.set_running();
            }
            if let Some(command) = outputs.command {
                self.arm.offer(command);
            }
            if let Some(parked) = outputs.release_torque {
                self.arm.release_torque(parked);
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
            missed_ticks: tick_clock.missed(),
            lateness: self.lateness,
            travel,
        }
    }
}
