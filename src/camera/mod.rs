//! Frame sources behind one trait.
//!
//! A device delivers frames at its own time ([`FrameSource`]). A recording or a simulated cell makes the frame of any moment
//! ([`FrameGenerator`]): the virtual-time shell asks it directly, the live shell through [`PacedSource`], which keeps its rate.

mod error;
mod paced;
mod recording;
mod source_spec;
mod v4l2;

use std::time::Duration;

pub use error::CameraError;
pub use paced::PacedSource;
pub use recording::DatasetSource;
pub use source_spec::{DatasetSpec, PixelFormat, SourceSpec, V4l2Spec};
pub use v4l2::V4l2Source;

use crate::types::{Frame, FramePool, Timestamp};

/// A camera as the capture thread sees it.
pub trait FrameSource: Send {
    /// Waits for the next frame and returns it; `None` when the source has ended (a recording that does not loop).
    ///
    /// A live device returns the newest frame it has: older ones that piled up meanwhile are dropped, which shows as a gap in
    /// [`FrameMetadata::sequence`](crate::types::FrameMetadata::sequence).
    fn next_frame(&mut self, pool: &FramePool) -> Result<Option<Frame>, CameraError>;

    /// Plays a recording from its beginning again; a device goes on as it is.
    fn start_over(&mut self) {}

    /// Whether no two pictures of this source are the same to the last bit: the noise of a sensor sees to that. A recording or a
    /// simulated cell may well show the same picture again.
    fn never_repeats(&self) -> bool {
        false
    }

    /// One line for people: device or recording, size, rate.
    fn description(&self) -> String;
}

/// A source that can make the frame of any moment, without a clock of its own.
pub trait FrameGenerator: Send {
    /// Time between frames.
    fn period(&self) -> Duration;

    /// The picture with number `sequence` (from 0), taken at `captured`; `None` past the end.
    fn generate(
        &mut self,
        sequence: u64,
        captured: Timestamp,
        pool: &FramePool,
    ) -> Result<Option<Frame>, CameraError>;

    /// One line for people.
    fn description(&self) -> String;
}
