//! Recording while somebody guides the arm by hand: measured poses and pictures at a steady rate, straight into a dataset.
//!
//! ```text
//! camera threads ──newest picture──┐
//! arm link ──newest measured pose──┤ every 1/fps: TeachSession::record ──frames──▶ dataset thread ──▶ DatasetWriter
//! ```
//!
//! Nothing is commanded. What the arm did next is its action: `action[t] = state[t+1]`. An episode is bad at once when a camera stands
//! still, feedback is old, or this machine was too slow for the rate; a bad one never gets into the dataset.

mod dataset_thread;
mod watch;

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use dataset_thread::DatasetThread;
use watch::{EpisodeWatch, Sight};

use super::camera_thread;
use super::clock;
use super::frame_store::{FrameLookup, frame_store};
use super::shared::Shared;
use crate::arm::{ArmHandle, HandsOnArm};
use crate::camera::FrameSource;
use crate::control::FrozenPicture;
use crate::episode::{DatasetWriter, EpisodeError};
use crate::types::{DatasetAngles, FeedbackSample, Frame, JointAngles, ServoProfile};

/// How fast servos may go when they hold again: they stand where they are told to go.
const CATCHING: ServoProfile = ServoProfile { speed_rad_s: 0.3, acceleration_rad_s2: 1.0 };
/// How long a camera may take to deliver its first picture.
const FIRST_PICTURE: Duration = Duration::from_secs(3);
/// How often that is looked for.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// No picture has this number: a lookup gives the newest one then.
const NEWEST: u64 = u64::MAX;

/// What is recorded, and how.
pub struct TeachParts {
    /// The arm, handshake done.
    pub arm: ArmHandle,
    /// A name and a source for each camera of the dataset, in its order.
    pub cameras: Vec<(String, Box<dyn FrameSource>)>,
    /// The dataset.
    pub writer: DatasetWriter,
    /// The instruction.
    pub task: String,
    /// The oldest pose and picture that may be recorded.
    pub max_feedback_age: Duration,
    /// See above.
    pub max_frame_age: Duration,
    /// How long a camera may deliver the same picture; `None` where nobody looks.
    pub frozen_picture: Option<FrozenPicture>,
}

/// Why nothing can be recorded any more.
#[derive(Debug, thiserror::Error)]
pub enum TeachError {
    /// The system gives no more threads.
    #[error("cannot start a thread: {0}. Close other programs, or raise the limit (ulimit -u)")]
    Spawn(#[from] std::io::Error),
    /// The dataset cannot be written; the episodes closed before are there.
    #[error(transparent)]
    Dataset(#[from] EpisodeError),
    /// Its thread panicked.
    #[error("the thread that writes the dataset panicked: this is a bug in roarm, please report it")]
    DatasetThread,
}

/// What whoever watches a recording wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steer {
    /// Go on.
    GoOn,
    /// The episode is over and good.
    End,
    /// Forget the episode and record it again.
    Redo,
    /// Forget the episode and stop recording.
    Stop,
}

/// What a recording shows at each frame.
#[derive(Clone, Debug)]
pub struct TeachStatus {
    /// Frames of the open episode.
    pub frames: usize,
    /// Seconds since its first frame.
    pub elapsed_s: f64,
    /// The newest measured pose.
    pub measured: Option<JointAngles>,
}

/// How an episode ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaughtEpisode {
    /// It is in the dataset and on the disk.
    Saved {
        /// Its frames.
        frames: usize,
    },
    /// It was forgotten, as asked for.
    Forgotten(Steer),
    /// It was forgotten, because of this.
    Bad(String),
}

/// Cameras and dataset of an arm that is guided by hand.
pub struct TeachSession {
    arm: ArmHandle,
    shared: Arc<Shared>,
    cameras: Vec<(String, FrameLookup)>,
    threads: Vec<JoinHandle<()>>,
    dataset: DatasetThread,
    newest: Option<FeedbackSample>,
    fps: f64,
    settings: (Duration, Duration, Option<Duration>),
}

impl TeachSession {
    /// Starts cameras and the dataset's thread. The arm is left as it is.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub fn start(parts: TeachParts) -> Result<Self, TeachError> {
        let TeachParts { arm, cameras, writer, task, max_feedback_age, max_frame_age, frozen_picture } =
            parts;
        let shared = Arc::new(Shared::default());
        // Recordings that serve as cameras play from their beginning.
        shared.set_running();
        let fps = writer.outline().fps;
        let mut session = Self {
            arm,
            shared: Arc::clone(&shared),
            cameras: Vec::new(),
            threads: Vec::new(),
            dataset: DatasetThread::start(writer, task)?,
            newest: None,
            fps,
            settings: (max_feedback_age, max_frame_age, frozen_picture.map(|settings| settings.time)),
        };
        for (name, source) in cameras {
            let (publisher, _newest, lookup) = frame_store();
            session.cameras.push((name, lookup));
            let own = Arc::clone(&shared);
            session.threads.push(thread::Builder::new().name("camera".to_owned()).spawn(move || {
                camera_thread::run(source, publisher, frozen_picture, None, &own);
            })?);
        }
        Ok(session)
    }

    /// Has the servos let go: somebody holds the arm. The link's events say when.
    pub fn let_go(&mut self, confirmed: HandsOnArm) {
        self.arm.let_go(confirmed);
    }

    /// Has the servos hold the arm where it stands. The link's events say when.
    pub fn hold_again(&mut self) {
        self.arm.hold_again(CATCHING);
    }

    /// Time since the newest pose was measured.
    pub fn feedback_age(&self) -> Duration {
        self.arm.feedback_age()
    }

    /// The newest measured pose.
    pub fn measured(&mut self) -> Option<JointAngles> {
        self.newest = self.arm.latest_feedback().or(self.newest);
        self.newest.map(|sample| sample.angles)
    }

    /// Records an episode until `steer` ends it, it is bad, or it has lasted for `longest`. When it says that the episode is saved, it is.
    ///
    /// # Errors
    /// If the dataset cannot be written. The episodes closed before are there.
    pub fn record(
        &mut self,
        longest: Duration,
        steer: &mut dyn FnMut(&TeachStatus) -> Steer,
    ) -> Result<TaughtEpisode, TeachError> {
        let (max_feedback_age, max_frame_age, frozen_after) = self.settings;
        let period = Duration::from_secs_f64(1.0 / self.fps);
        self.await_pictures(max_frame_age.max(FIRST_PICTURE));
        let mut watch = EpisodeWatch::new(period, max_feedback_age, max_frame_age, frozen_after);
        let begun = clock::now();
        let mut frames = 0_usize;
        loop {
            let due = begun + Duration::from_secs_f64(frames as f64 / self.fps);
            thread::sleep(due.since(clock::now()));
            let now = clock::now();
            let measured = self.measured();
            let pictures: Vec<Option<Arc<Frame>>> =
                self.cameras.iter().map(|(_, lookup)| lookup.get(NEWEST)).collect();
            let sights = self.cameras.iter().zip(&pictures).map(|((name, _), picture)| Sight {
                camera: name,
                frame: picture.as_ref().map(|picture| &picture.metadata),
            });
            let fault = self
                .camera_fault()
                .or_else(|| watch.judge(now, due, self.newest.as_ref(), sights))
                .or_else(|| self.dataset.fault());
            let (Some(measured), None) = (measured, &fault) else {
                self.dataset.discard()?;
                return Ok(TaughtEpisode::Bad(
                    fault.unwrap_or_else(|| "no pose was ever measured".to_owned()),
                ));
            };
            if !self.dataset.add(DatasetAngles::from(measured), pictures.into_iter().flatten().collect()) {
                self.dataset.discard()?;
                let slow =
                    "this machine is too slow to store the pictures: record fewer a second, or smaller ones";
                return Ok(TaughtEpisode::Bad(slow.to_owned()));
            }
            frames += 1;
            let elapsed_s = now.seconds_since(begun);
            let status = TeachStatus { frames, elapsed_s, measured: Some(measured) };
            let wanted = match steer(&status) {
                Steer::GoOn if elapsed_s >= longest.as_secs_f64() => Steer::End,
                wanted => wanted,
            };
            match wanted {
                Steer::GoOn => {}
                Steer::End => {
                    self.dataset.close()?;
                    return Ok(TaughtEpisode::Saved { frames });
                }
                Steer::Redo | Steer::Stop => {
                    self.dataset.discard()?;
                    return Ok(TaughtEpisode::Forgotten(wanted));
                }
            }
        }
    }

    /// Waits for the first picture of each camera. One that never comes makes the episode bad.
    fn await_pictures(&self, longest: Duration) {
        let until = clock::now() + longest;
        while clock::now() < until
            && !self.shared.is_over()
            && self.cameras.iter().any(|(_, lookup)| lookup.get(NEWEST).is_none())
        {
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// What a camera's thread said when it ended.
    fn camera_fault(&self) -> Option<String> {
        self.shared.error().or_else(|| self.shared.take_stop().map(|cause| cause.to_string()))
    }
}

impl Drop for TeachSession {
    fn drop(&mut self) {
        self.shared.end();
        // The arm holds, or is in somebody's hands: the link has nothing to bring to rest.
        self.arm.release();
        for thread in self.threads.drain(..) {
            let _panicked = thread.join();
        }
    }
}
