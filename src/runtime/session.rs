//! A session: everything between a ready arm and the summary.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hdrhistogram::Histogram;

use super::camera_thread;
use super::clock;
use super::control_thread::{ControlOutcome, ControlThread};
use super::frame_store::frame_store;
use super::inference_thread::InferenceThread;
use super::shared::Shared;
use crate::arm::{ArmHandle, LinkFault};
use crate::camera::FrameSource;
use crate::control::{ControlParameters, ControlReport, Controller, EndCause, Phase, ShellReport};
use crate::policy::{ChunkProducer, ChunkReports, Interrupter};
use crate::types::{
    ChunkTimes, CommandWritten, FeedbackSample, JointAngles, JointCommand, LinkStatus, Parked, RunSummary, TickJitter, Timestamp,
};

/// The arm as the control thread sees it: wait-free ends of the link's mailboxes.
pub trait ArmPort: Send {
    /// The newest feedback, if any arrived since the last call.
    fn latest_feedback(&mut self) -> Option<FeedbackSample>;
    /// Where the link stands.
    fn status(&self) -> LinkStatus;
    /// Hands over a command. Never waits.
    fn offer(&mut self, command: JointCommand);
    /// The next report of a written command.
    fn take_written(&mut self) -> Option<CommandWritten>;
    /// Switches the torque of a parked arm off.
    fn release_torque(&mut self, parked: Parked);
    /// Why the link is gone for good, if it is.
    fn fault(&self) -> Option<EndCause>;
}

impl ArmPort for ArmHandle {
    fn latest_feedback(&mut self) -> Option<FeedbackSample> {
        Self::latest_feedback(self)
    }
    fn status(&self) -> LinkStatus {
        Self::status(self)
    }
    fn offer(&mut self, command: JointCommand) {
        Self::offer(self, command);
    }
    fn take_written(&mut self) -> Option<CommandWritten> {
        Self::take_written(self)
    }
    fn release_torque(&mut self, parked: Parked) {
        Self::release_torque(self, parked);
    }
    fn fault(&self) -> Option<EndCause> {
        self.link_fault().map(|fault| match fault {
            LinkFault::DeadBus => EndCause::DeadBus,
            _ => EndCause::LinkLost,
        })
    }
}

/// What a session is made of.
pub struct SessionParts<A> {
    /// The arm, handshake done.
    pub arm: A,
    /// A source for each camera slot of the policy, in its order.
    pub cameras: Vec<Box<dyn FrameSource>>,
    /// The policy.
    pub producer: ChunkProducer,
    /// The core's settings.
    pub parameters: ControlParameters,
    /// Time between control ticks.
    pub tick_period: Duration,
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

/// A session could not be started, or a thread of it died.
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
    /// The control thread panicked; the arm holds the last goal that was written.
    #[error(
        "the control thread ended unexpectedly; the arm holds its last goal. This is a bug in roarm, please report it"
    )]
    ControlDied,
    /// A thread other than control panicked.
    #[error("a camera or inference thread ended unexpectedly. This is a bug in roarm, please report it")]
    ThreadDied,
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
    pub summary: RunSummary,
}

/// A running session. Dropping it eases the arm to the hold first.
pub struct Session {
    shared: Arc<Shared>,
    status: triple_buffer::Output<SessionStatus>,
    control: Option<JoinHandle<ControlOutcome>>,
    others: Vec<JoinHandle<()>>,
    latency: Arc<Mutex<Histogram<u64>>>,
    reports: Arc<Mutex<ChunkReports>>,
    interrupter: Option<Interrupter>,
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

impl Session {
    /// Starts all threads. Nothing moves before [`Session::allow_motion`].
    pub fn start<A: ArmPort + 'static>(parts: SessionParts<A>) -> Result<Self, SessionError> {
        let shared = Arc::new(Shared::default());
        let latency = Arc::new(Mutex::new(Histogram::new_with_bounds(1, 600_000_000, 3)?));
        let reports = Arc::new(Mutex::new(ChunkReports::new()?));
        let interrupter = parts.producer.interrupter();
        let (request_in, request_out) = rtrb::RingBuffer::new(2);
        let (chunk_in, chunk_out) = rtrb::RingBuffer::new(2);
        let controller = Controller::new(parts.parameters);
        let initial = SessionStatus {
            phase: controller.phase(),
            report: ControlReport::default(),
            missed_ticks: 0,
            measured: None,
        };
        let (status_in, status) = triple_buffer::triple_buffer(&initial);
        let mut others = Vec::new();
        let (mut seen, mut lookups) = (Vec::new(), Vec::new());
        for source in parts.cameras {
            let (publisher, newest, lookup) = frame_store();
            seen.push(newest);
            lookups.push(lookup);
            let shared = Arc::clone(&shared);
            others.push(spawn("camera", move || camera_thread::run(source, publisher, &shared))?);
        }
        let inference = InferenceThread {
            producer: parts.producer,
            cameras: lookups,
            requests: request_out,
            chunks: chunk_in,
            shared: Arc::clone(&shared),
            latency: Arc::clone(&latency),
            reports: Arc::clone(&reports),
        };
        let inference = spawn("inference", move || inference.run())?;
        let control = ControlThread {
            controller,
            arm: parts.arm,
            cameras: seen,
            chunks: chunk_out,
            requests: request_in,
            inference: inference.thread().clone(),
            shared: Arc::clone(&shared),
            status: status_in,
            period: parts.tick_period,
            lateness: Histogram::new_with_bounds(1, 10_000_000_000, 3)?,
        };
        others.push(inference);
        let started = clock::now();
        let control = Some(spawn("control", move || control.run())?);
        Ok(Self { shared, status, control, others, latency, reports, interrupter, started })
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

    /// A handle that may ask for the end from another thread (a signal's, say).
    pub fn stopper(&self) -> impl Fn(EndCause) + Send + 'static {
        let shared = Arc::clone(&self.shared);
        move |cause| shared.ask_stop(cause)
    }

    /// Where the run stands now.
    pub fn status(&mut self) -> SessionStatus {
        *self.status.read()
    }

    /// Whether the control thread has ended.
    pub fn is_over(&self) -> bool {
        self.control.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Median of inference so far, ms.
    pub fn chunk_p50_ms(&self) -> f64 {
        self.latency.lock().unwrap_or_else(PoisonError::into_inner).value_at_quantile(0.5) as f64 * 1e-3
    }

    /// Waits for the end and gives the summary. `feedback_hz` is what the link counted.
    pub fn join(mut self, feedback_hz: impl FnOnce() -> f64) -> Result<SessionEnd, SessionError> {
        let outcome = self.control.take().map(JoinHandle::join);
        self.shared.end();
        self.end_inference();
        let outcome = outcome.and_then(Result::ok).ok_or(SessionError::ControlDied)?;
        let cause = outcome.controller.ended().unwrap_or(EndCause::ProgramFailed);
        for thread in self.others.drain(..) {
            thread.thread().unpark();
            // An inference that hangs cannot be waited for; everything else ends by itself.
            if !matches!(cause, EndCause::PolicyStalled { .. }) && thread.join().is_err() {
                self.shared.fail(EndCause::ProgramFailed, &SessionError::ThreadDied);
            }
        }
        let latency = self.latency.lock().unwrap_or_else(PoisonError::into_inner);
        let millis = |quantile| latency.value_at_quantile(quantile) as f64 * 1e-3;
        let micros = |quantile| outcome.lateness.value_at_quantile(quantile) as f64 * 1e-3;
        let error = self.shared.error();
        let shell = ShellReport {
            error: error.clone(),
            missed_ticks: outcome.missed_ticks,
            chunk_ms: ChunkTimes { p50: millis(0.5), p95: millis(0.95) },
            tick_jitter_us: TickJitter {
                p50: micros(0.5),
                p99: micros(0.99),
                max: outcome.lateness.max() as f64 * 1e-3,
            },
            feedback_hz: feedback_hz(),
            travel: outcome.travel,
            elapsed_s: clock::now().seconds_since(self.started),
            inference: self.reports.lock().unwrap_or_else(PoisonError::into_inner).summary(),
        };
        let summary = outcome.controller.report().summary(cause, shell);
        Ok(SessionEnd { cause, error, summary })
    }
}

impl Session {
    /// Nobody waits for the chunk that is being computed any more.
    fn end_inference(&self) {
        if let Some(interrupter) = &self.interrupter {
            interrupter.interrupt();
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(control) = self.control.take() {
            self.shared.ask_stop(EndCause::ProgramFailed);
            // Whoever drops a session early has an error of its own to tell.
            let _outcome = control.join();
        }
        self.shared.end();
        self.end_inference();
    }
}
