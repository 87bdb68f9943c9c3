//! Taking something away from the policy, to see that it counts.

use std::time::Duration;

use clap::ValueEnum;

use crate::camera::{CameraError, FrameGenerator};
use crate::types::{Frame, FramePool, PixelLayout, Timestamp};

/// What the policy does without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Ablation {
    /// Every picture is an even grey
    BlankPicture,
    /// The policy is told the other instruction; the box of yours is still what counts
    WrongInstruction,
}

/// A camera that shows an even grey.
pub(super) struct BlankCamera<G>(pub(super) G);

impl<G: FrameGenerator> FrameGenerator for BlankCamera<G> {
    fn period(&self) -> Duration {
        self.0.period()
    }

    fn generate(
        &mut self,
        sequence: u64,
        captured: Timestamp,
        pool: &FramePool,
    ) -> Result<Option<Frame>, CameraError> {
        let Some(frame) = self.0.generate(sequence, captured, pool)? else { return Ok(None) };
        let mut pixels = pool.take(frame.picture().bytes.len());
        pixels.fill(128);
        Ok(Frame::new(frame.metadata, PixelLayout::Rgb8, pixels))
    }

    fn description(&self) -> String {
        format!("{}, blanked", self.0.description())
    }
}
