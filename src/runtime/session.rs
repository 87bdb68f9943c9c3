//! A session: everything between a ready arm and the summary.

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hdrhistogram::Histogram;

use super::arm_port::{ArmPort, HoldGuardian};
use super::camera_thread;
use super::clock::{self, SessionClocks};
use super::control_thread::{ControlOutcome, ControlThread};
use super::frame_store::frame_store;
use super::inference_thread::InferenceThread;
use super::live_summary::LiveSummary;
use super::real_time::{LockedMemory, RealTimeReport, RealTimeSettings, lock_mailbox, lock_ring};
use super::recorder::{RecorderShared, Recording, RecordingReport, recorder};
use super::shared::Shared;
use super::tick_clock::TickClock;
use super::tick_times::{TickTimes, TickTimesSummary};
use super::watchdog;
use super::watched::watched;
use crate::camera::FrameSource;
use crate::control::{
    ControlParameters, ControlReport, Controller, EndCause, MotionLimits, Phase, ShellReport,
};
use crate::episode::run_log::{EndRecord, LossRecord};
use crate::policy::{ChunkReports, ChunkSource, Interrupter};
use crate::types::{ChunkTimes, JointAngles, Timestamp, Travel};

/// A thread that does not end within this time after the run (a camera that hangs, an inference that cannot be interrupted) is left
/// behind.
const THREAD_END: Duration = Duration::from_secs(2);
/// Braking takes 0.17 s and the hold half a second; a link that needs longer is not waited for.
const TAKEN_OVER_HOLD: Duration = Duration::from_secs(5);
/// A disk that does not take the rest of the log within this time is not waited for.
const LOG_END: Duration = Duration::from_secs(10);
/// How often an end is looked for.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// What a session is made of.
pub struct SessionParts<A> {
    /// The arm, handshake done.
    pub arm: A,
    /// A source for each camera slot of the policy, in its order.
    pub cameras: Vec<Box<dyn FrameSource>>,
    /// The policy, or the recording that is played.
    pub source: Box<dyn ChunkSource>,
    /// The core's settings.
    pub parameters: ControlParameters,
    /// Time between control ticks.
    pub tick_period: Duration,
    /// What the control thread asks the system for.
    pub real_time: RealTimeSettings,
    /// The run log that this run is recorded in.
    pub recording: Option<Recording>,
}

/// What a running session shows.
#[derive(Clone, Copy, Debug)]
pub struct SessionStatus {
    /// Where the run stands.
    pub phase: Phase,
    /// The core's counters.
    pub report: ControlReport,
    /// Ticks that never happened.
    pub missed_ticks: u64,
    /// The newest measured pose.
    pub measured: Option<JointAngles>,
}

/// A session could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The system gives no more threads.
    #[error(
        "cannot start the {thread} thread: {source}. Close other programs, or raise the limit (ulimit -u)"
    )]
    Spawn {
        /// Which.
        thread: &'static str,
        /// The system's word.
        source: std::io::Error,
    },
    /// The histogram of lateness or latency could not be made.
    #[error("cannot set up the statistics: {0}")]
    Statistics(#[from] hdrhistogram::CreationError),
}

/// How a session ended.
#[derive(Debug)]
pub struct SessionEnd {
    /// Why.
    pub cause: EndCause,
    /// What the failing part said, where one failed.
    pub error: Option<String>,
    /// The numbers.
    pub summary: LiveSummary,
}

/// A running session. Dropping it eases the arm to the hold first.
pub struct Session {
    shared: Arc<Shared>,
    status: triple_buffer::Output<SessionStatus>,
    control: Option<JoinHandle<ControlOutcome>>,
    others: Vec<JoinHandle<()>>,
    recorder: Option<(Arc<RecorderShared>, JoinHandle<()>)>,
    guardian: Option<Arc<dyn HoldGuardian>>,
    latency: Arc<Mutex<Histogram<u64>>>,
    reports: Arc<Mutex<ChunkReports>>,
    interrupter: Option<Interrupter>,
    real_time: RealTimeReport,
    motion_limits: MotionLimits,
    started: Timestamp,
}

fn spawn<T: Send + 'static>(
    name: &'static str,
    body: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, SessionError> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .map_err(|source| SessionError::Spawn { thread: name, source })
}

/// A thread whose panic ends the run in the hold.
fn spawn_watched(
    name: &'static str,
    shared: &Arc<Shared>,
    body: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, SessionError> {
    let shared = Arc::clone(shared);
    spawn(name, move || {
        let _panicked = watched(name, &shared, body);
    })
}

impl Session {
    /// Starts all threads. Nothing moves before [`Session::allow_motion`].
    pub fn start<A: ArmPort + 'static>(parts: SessionParts<A>) -> Result<Self, SessionError> {
        Self::start_by(parts, SessionClocks::default())
    }

    /// As [`Session::start`], by other clocks than the system's.
    pub fn start_by<A: ArmPort + 'static>(
        parts: SessionParts<A>,
        clocks: SessionClocks,
    ) -> Result<Self, SessionError> {
        let shared = Arc::new(Shared::default());
        // The threads that were started already end by themselves.
        Self::start_threads(parts, clocks, &shared).inspect_err(|_| shared.end())
    }

    fn start_threads<A: ArmPort + 'static>(
        parts: SessionParts<A>,
        clocks: SessionClocks,
        shared: &Arc<Shared>,
    ) -> Result<Self, SessionError> {
        let latency = Arc::new(Mutex::new(Histogram::new_with_bounds(1, 600_000_000, 3)?));
        let reports = Arc::new(Mutex::new(ChunkReports::new()?));
        let times = TickTimes::new(parts.tick_period)?;
        let interrupter = parts.source.interrupter();
        let guardian: Option<Arc<dyn HoldGuardian>> = parts.arm.guardian().map(Arc::from);
        let patience = watchdog::patience(parts.tick_period, parts.parameters.max_feedback_age);
        let (mut request_in, request_out) = rtrb::RingBuffer::new(2);
        let (mut chunk_in, chunk_out) = rtrb::RingBuffer::new(2);
        let motion_limits = parts.parameters.motion_limits;
        let frozen_picture = parts.parameters.frozen_picture;
        let controller = Controller::new(parts.parameters);
        let initial = SessionStatus {
            phase: controller.phase(),
            report: ControlReport::default(),
            missed_ticks: 0,
            measured: None,
        };
        let (mut status_in, mut status) = triple_buffer::triple_buffer(&initial);
        let mut mailboxes = LockedMemory::default();
        if parts.real_time.lock_memory {
            lock_ring(&mut mailboxes, &mut request_in);
            lock_ring(&mut mailboxes, &mut chunk_in);
            lock_mailbox(&mut mailboxes, &mut status_in, &mut status);
        }
        let recording = parts.recording.map(|recording| recorder(recording, parts.tick_period));
        let (mut control_tap, mut inference_tap, mut all_frames, mut recorder) = (None, None, None, None);
        if let Some(mut ends) = recording {
            if parts.real_time.lock_memory {
                lock_ring(&mut mailboxes, ends.control.ring());
            }
            let (writing, own) = (ends.recorder, ends.shared);
            recorder = Some((own, spawn("recorder", move || writing.run())?));
            (control_tap, inference_tap) = (Some(ends.control), Some(ends.inference));
            all_frames = ends.frames;
        }
        let mut others = Vec::new();
        let (mut seen, mut lookups) = (Vec::new(), Vec::new());
        for (slot, source) in parts.cameras.into_iter().enumerate() {
            let recorded = all_frames.clone().map(|queue| (slot, queue));
            let (publisher, newest, lookup) = frame_store();
            seen.push(newest);
            lookups.push(lookup);
            let own = Arc::clone(shared);
            others.push(spawn_watched("camera", shared, move || {
                camera_thread::run(source, publisher, frozen_picture, recorded, &own);
            })?);
        }
        let inference = InferenceThread {
            source: parts.source,
            cameras: lookups,
            requests: request_out,
            chunks: chunk_in,
            shared: Arc::clone(shared),
            latency: Arc::clone(&latency),
            reports: Arc::clone(&reports),
            tap: inference_tap,
        };
        others.push(spawn_watched("inference", shared, move || inference.run())?);
        let (own, watching, mut clock) = (Arc::clone(shared), guardian.clone(), clocks.watchdog);
        others.push(spawn_watched("watchdog", shared, move || {
            watchdog::run(&own, watching.as_deref(), &mut *clock, patience);
        })?);
        let started = clock::now();
        let control = ControlThread {
            controller,
            arm: parts.arm,
            guardian: guardian.clone(),
            cameras: seen,
            chunks: chunk_out,
            requests: request_in,
            shared: Arc::clone(shared),
            status: status_in,
            clock: clocks.control,
            tap: control_tap,
            tick_clock: TickClock::new(started, parts.tick_period),
            times,
            travel: Travel::default(),
            measured: None,
        };
        let (granted, answer) = mpsc::sync_channel(1);
        let (settings, period) = (parts.real_time, parts.tick_period);
        let control = spawn("control", move || control.run(settings, period, mailboxes, &granted))?;
        // A control thread that ends before it answers has told why.
        let real_time = answer.recv().unwrap_or_default();
        Ok(Self {
            shared: Arc::clone(shared),
            status,
            control: Some(control),
            others,
            recorder,
            guardian,
            latency,
            reports,
            interrupter,
            real_time,
            motion_limits,
            started,
        })
    }

    /// What the system granted the control thread.
    pub const fn real_time(&self) -> &RealTimeReport {
        &self.real_time
    }

    /// Consents to the first motion of the proposal with this number.
    pub fn allow_motion(&self, proposal: u32) {
        self.shared.allow_motion(proposal);
    }

    /// Asks for the end; the arm eases to the hold first.
    pub fn stop(&self, cause: EndCause) {
        self.shared.ask_stop(cause);
    }

    /// Takes the arm out of its latched stop; the first motion is then proposed anew.
    pub fn reset(&self) {
        self.shared.ask_reset();
    }

    /// Handles that pause what is played (or let it go on), and that let a paused one go on by one action.
    pub fn playback(&self) -> (impl Fn() + Send + 'static, impl Fn() + Send + 'static) {
        let (pausing, stepping) = (Arc::clone(&self.shared), Arc::clone(&self.shared));
        (move || pausing.toggle_pause(), move || stepping.step_once())
    }

    /// A handle that may ask for the end from another thread (a signal's, say).
    pub fn stopper(&self) -> impl Fn(EndCause) + Send + 'static {
        let shared = Arc::clone(&self.shared);
        move |cause| shared.ask_stop(cause)
    }

    /// The body of a thread that belongs to the run (one that brings signals, say): its panic ends the run in the hold, at once.
    pub fn watch(
        &self,
        name: &'static str,
        body: impl FnOnce() + Send + 'static,
    ) -> impl FnOnce() + Send + 'static {
        let shared = Arc::clone(&self.shared);
        move || {
            let _panicked = watched(name, &shared, body);
        }
    }

    /// Where the run stands now.
    pub fn status(&mut self) -> SessionStatus {
        *self.status.read()
    }

    /// Whether the control thread has ended, or lost the arm.
    pub fn is_over(&self) -> bool {
        self.shared.is_control_abandoned() || self.control.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Median of inference so far, ms.
    pub fn chunk_p50_ms(&self) -> f64 {
        self.latency.lock().unwrap_or_else(PoisonError::into_inner).value_at_quantile(0.5) as f64 * 1e-3
    }

    /// What people have to know of the run log at once, each line once.
    pub fn take_recording_notice(&self) -> Option<String> {
        self.recorder.as_ref().and_then(|(recorder, _)| recorder.take_notice())
    }

    /// Waits for the end and gives the summary. `feedback_hz` is what the link counted.
    pub fn join(mut self, feedback_hz: impl FnOnce() -> f64) -> SessionEnd {
        let outcome = self.end_control();
        self.end_others();
        let latency = self.latency.lock().unwrap_or_else(PoisonError::into_inner);
        let millis = |quantile| latency.value_at_quantile(quantile) as f64 * 1e-3;
        let error = self.shared.error();
        let shell = ShellReport {
            error: error.clone(),
            missed_ticks: outcome.missed_ticks,
            motion_limits: self.motion_limits,
            chunk_ms: ChunkTimes { p50: millis(0.5), p95: millis(0.95) },
            tick_jitter_us: outcome.times.lateness,
            feedback_hz: feedback_hz(),
            travel: outcome.travel,
            elapsed_s: clock::now().seconds_since(self.started),
            inference: self.reports.lock().unwrap_or_else(PoisonError::into_inner).summary(),
        };
        let mut summary = LiveSummary {
            run: outcome.report.summary(outcome.cause, shell),
            tick_period_us: outcome.times.period_error,
            tick_work_us: outcome.times.work,
            real_time: std::mem::take(&mut self.real_time),
            run_log: None,
        };
        drop(latency);
        let text = serde_json::to_string(&summary).unwrap_or_default();
        if let Some(report) = self.end_recording(Some(outcome.cause), summary.run.ended.clone(), text) {
            if let Some(failure) = report.failure() {
                summary.run.ok = false;
                summary.run.ended = format!("{}; {failure}", summary.run.ended);
            }
            summary.run_log = Some(report);
        }
        SessionEnd { cause: outcome.cause, error, summary }
    }

    /// Waits until the arm is held: by control, or by the owner of the port in its place.
    fn end_control(&mut self) -> ControlOutcome {
        while !self.is_over() {
            thread::sleep(LOOK_AGAIN);
        }
        let finished = self.control.take().filter(JoinHandle::is_finished);
        let outcome = finished.and_then(|control| control.join().ok()).unwrap_or_else(|| {
            // It hangs, with its statistics: what it last published is left.
            let status = *self.status.read();
            ControlOutcome {
                cause: EndCause::ProgramFailed,
                report: status.report,
                missed_ticks: status.missed_ticks,
                times: TickTimesSummary::default(),
                travel: Travel::default(),
                taken_over: true,
            }
        });
        if outcome.taken_over
            && let Some(guardian) = &self.guardian
        {
            guardian.take_over();
            wait_for(TAKEN_OVER_HOLD, || guardian.is_done());
        }
        outcome
    }

    /// Closes the run log, once nobody hands anything over any more.
    fn end_recording(
        &mut self,
        cause: Option<EndCause>,
        text: String,
        summary: String,
    ) -> Option<RecordingReport> {
        let (recorder, thread) = self.recorder.take()?;
        let lost = LossRecord::default();
        recorder.end_with(EndRecord { cause, text, summary, lost, cut: String::new() });
        wait_for(LOG_END, || recorder.is_done());
        if recorder.is_done() {
            // It catches its own panics.
            let _ended = thread.join();
            return Some(recorder.report());
        }
        let waited = format!("the disk did not take its end within {} s", LOG_END.as_secs());
        Some(RecordingReport { stopped: Some(waited), ..recorder.report() })
    }

    /// Ends the threads that only serve control.
    fn end_others(&mut self) {
        self.shared.end();
        if let Some(interrupter) = &self.interrupter {
            // Nobody waits for the chunk that is being computed any more.
            interrupter.interrupt();
        }
        for thread in &self.others {
            thread.thread().unpark();
        }
        let others = &self.others;
        wait_for(THREAD_END, || others.iter().all(JoinHandle::is_finished));
        for thread in self.others.drain(..).filter(JoinHandle::is_finished) {
            // A panic was told when it happened.
            let _ = thread.join();
        }
    }
}

fn wait_for(limit: Duration, mut done: impl FnMut() -> bool) {
    let until = clock::now() + limit;
    while !done() && clock::now() < until {
        thread::sleep(LOOK_AGAIN);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.control.is_some() {
            // Whoever drops a session early has an error of its own to tell.
            self.shared.ask_stop(EndCause::ProgramFailed);
            let _outcome = self.end_control();
        }
        self.end_others();
        let _nobody_asks = self.end_recording(None, "the run was given up".to_owned(), String::new());
    }
}
