//! The control thread: the core on an absolute clock, fed by mailboxes.
//!
//! After the first tick it neither allocates, locks, logs nor waits for anything but its timer, and its only other system call is
//! the one that wakes the link when there is a command.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use super::clock::SessionClock;
use super::frame_store::NewestFrame;
use super::real_time::{LockedMemory, RealTimeReport, RealTimeSettings};
use super::recorder::ControlTap;
use super::shared::Shared;
use super::tick_clock::TickClock;
use super::tick_times::{TickTimes, TickTimesSummary};
use super::watched::watched;
use super::{ArmPort, HoldGuardian, SessionStatus};
use crate::control::{ControlReport, Controller, EndCause, Inputs, Phase};
use crate::episode::run_log::ControlRecord;
use crate::types::{Chunk, JointAngles, MAX_CAMERAS, ObservationRequest, Timestamp, Travel};

/// Control's ends of all mailboxes.
pub(super) struct ControlThread<A> {
    pub(super) controller: Controller,
    pub(super) arm: A,
    pub(super) guardian: Option<Arc<dyn HoldGuardian>>,
    pub(super) cameras: Vec<NewestFrame>,
    pub(super) chunks: rtrb::Consumer<Chunk>,
    pub(super) requests: rtrb::Producer<ObservationRequest>,
    pub(super) shared: Arc<Shared>,
    pub(super) status: triple_buffer::Input<SessionStatus>,
    pub(super) clock: Box<dyn SessionClock>,
    /// To the recorder, where there is one.
    pub(super) tap: Option<ControlTap>,
    pub(super) tick_clock: TickClock,
    pub(super) times: TickTimes,
    pub(super) travel: Travel,
    pub(super) measured: Option<JointAngles>,
}

/// What the thread leaves behind.
pub(super) struct ControlOutcome {
    pub(super) cause: EndCause,
    pub(super) report: ControlReport,
    pub(super) missed_ticks: u64,
    pub(super) times: TickTimesSummary,
    pub(super) travel: Travel,
    /// Whether the owner of the port holds the arm in control's place.
    pub(super) taken_over: bool,
}

impl<A: ArmPort> ControlThread<A> {
    /// Asks the system for exact ticks, says what it got, then ticks until the run has ended.
    ///
    /// When it panics, it hands the arm to the owner of the port and ends.
    pub(super) fn run(
        mut self,
        settings: RealTimeSettings,
        period: Duration,
        mailboxes: LockedMemory,
        granted: &SyncSender<RealTimeReport>,
    ) -> ControlOutcome {
        let shared = Arc::clone(&self.shared);
        let ended = watched("control", &shared, || {
            let mut report = RealTimeReport::default();
            if settings.lock_memory {
                let mut locked = mailboxes;
                locked.lock(std::slice::from_ref(&self));
                locked.lock_stack();
                locked.tell(&mut report);
            }
            settings.apply_to_control(&mut report);
            if report.fifo_priority.is_some() {
                self.clock.made_real_time();
            }
            // The session waits for it, unless it gave up.
            let _nobody_waits = granted.send(report);
            self.tick_clock = TickClock::new(self.clock.now(), period);
            self.tick_until_ended()
        });
        let taken_over = ended.is_none() || shared.is_control_abandoned();
        if taken_over {
            shared.abandon_control();
            if let Some(guardian) = &self.guardian {
                guardian.take_over();
            }
        } else {
            self.arm.release();
        }
        shared.end();
        ControlOutcome {
            cause: ended.flatten().unwrap_or(EndCause::ProgramFailed),
            report: *self.controller.report(),
            missed_ticks: self.tick_clock.missed(),
            times: self.times.summary(),
            travel: self.travel,
            taken_over,
        }
    }

    /// Why the run ended; `None` when the arm was taken away.
    fn tick_until_ended(&mut self) -> Option<EndCause> {
        while self.controller.ended().is_none() && !self.shared.is_control_abandoned() {
            self.clock.sleep_until(self.tick_clock.due());
            let now = self.clock.now();
            let late = self.tick_clock.begin(now);
            self.times.began(now, late);
            self.tick(now);
            self.shared.count_tick();
            self.times.ended(self.clock.now());
        }
        self.controller.ended()
    }

    fn tick(&mut self, now: Timestamp) {
        let feedback = self.arm.latest_feedback();
        if let Some(sample) = &feedback {
            self.travel.observe(&sample.angles);
            self.measured = Some(sample.angles);
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
            playback: self.shared.playback(),
        };
        let outputs = self.controller.tick(now, &inputs);
        if self.controller.phase() == Phase::Running {
            self.shared.set_running();
        }
        // A tick that hung until the watchdog gave the arm away must not command it.
        if let Some(command) = outputs.command
            && !self.shared.is_control_abandoned()
        {
            self.arm.offer(command);
        }
        if let Some(parked) = outputs.release_torque {
            self.arm.release_torque(parked);
        }
        if let Some(request) = outputs.observation {
            // The ring holds two and control asks for one at a time: it is never full. Inference looks for it by itself.
            let _ = self.requests.push(request);
        }
        let missed_ticks = self.tick_clock.missed();
        if let Some(tap) = &mut self.tap {
            tap.push(ControlRecord::of(now, &inputs, &outputs, &self.controller, missed_ticks));
        }
        self.status.write(SessionStatus {
            phase: self.controller.phase(),
            report: *self.controller.report(),
            missed_ticks,
            measured: self.measured,
        });
    }
}
