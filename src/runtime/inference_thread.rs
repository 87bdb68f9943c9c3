//! The inference thread: an observation request in, a chunk out.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::clock;
use super::frame_store::FrameLookup;
use super::recorder::InferenceTap;
use super::shared::Shared;
use crate::control::EndCause;
use crate::policy::{ChunkReports, ChunkSource, PolicyError};
use crate::types::{Chunk, ObservationRequest};

/// How soon a request is seen once the policy moves the arm. A chunk takes 50 ms and more.
const LOOK_WHILE_RUNNING: Duration = Duration::from_millis(1);
/// As long as there is nothing to infer.
const LOOK_BEFORE: Duration = Duration::from_millis(10);

/// Inference's ends of all mailboxes.
pub(super) struct InferenceThread {
    pub(super) source: Box<dyn ChunkSource>,
    pub(super) cameras: Vec<FrameLookup>,
    pub(super) requests: rtrb::Consumer<ObservationRequest>,
    pub(super) chunks: rtrb::Producer<Chunk>,
    pub(super) shared: Arc<Shared>,
    /// Time from request to finished chunk, µs.
    pub(super) latency: Arc<Mutex<Histogram<u64>>>,
    pub(super) reports: Arc<Mutex<ChunkReports>>,
    /// To the recorder, where there is one.
    pub(super) tap: Option<InferenceTap>,
}

impl InferenceThread {
    /// Answers requests until the session is over. It looks for them itself, so that control need not wake it: that would be one more
    /// system call in a tick, into a thread of lower priority.
    ///
    /// First the policy runs once for nothing, while the arm is still on its way to the start: between loading and the episode the device
    /// may have gone to sleep.
    pub(super) fn run(mut self) {
        match self.source.warm_up() {
            // The session may be over before the warm-up is.
            Ok(()) | Err(PolicyError::Interrupted) => {}
            Err(error) => self.shared.fail(EndCause::PolicyFailed, &error),
        }
        while !self.shared.is_over() {
            match self.requests.pop() {
                Ok(request) => self.answer(&request),
                Err(_) if self.shared.is_running() => thread::sleep(LOOK_WHILE_RUNNING),
                Err(_) => thread::sleep(LOOK_BEFORE),
            }
        }
    }

    fn answer(&mut self, request: &ObservationRequest) {
        let started = clock::now();
        let frames = self.cameras.iter().zip(&request.frames);
        let by_slot: Vec<_> = frames.map(|(camera, frame)| camera.get(frame.as_ref()?.id)).collect();
        if let Some(tap) = &self.tap {
            tap.observed(request, started, &by_slot, self.source.noise_seed());
        }
        let frames: Vec<_> = by_slot.into_iter().flatten().collect();
        match self.source.chunk(request, &frames, started, &mut clock::now) {
            Ok(chunk) => {
                let micros = u64::try_from(chunk.finished.since(started).as_micros()).unwrap_or(u64::MAX);
                self.latency.lock().unwrap_or_else(PoisonError::into_inner).saturating_record(micros.max(1));
                if let Some(report) = self.source.report() {
                    self.reports.lock().unwrap_or_else(PoisonError::into_inner).add(report);
                }
                if let Some(tap) = &self.tap {
                    tap.inferred(&chunk, &*self.source);
                }
                // The ring holds two and control asks for one at a time: it is never full.
                if self.chunks.push(chunk).is_err() {
                    self.shared.ask_stop(EndCause::PolicyFailed);
                }
            }
            // The session's end asked for it.
            Err(PolicyError::Interrupted) if self.shared.is_over() => {}
            Err(error) => self.shared.fail(EndCause::PolicyFailed, &error),
        }
    }
}
