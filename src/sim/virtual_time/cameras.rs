//! Cameras on the logical clock: each frame exists from its moment on, and is made only when somebody looks.

use std::sync::Arc;
use std::time::Duration;

use crate::camera::{CameraError, FrameGenerator};
use crate::sim::renderer::CellState;
use crate::types::{Frame, FrameMetadata, FramePool, MAX_CAMERAS, Timestamp};

/// Shows a generator how arm and boxes stood when the frame was taken.
pub type StateSetter = Arc<dyn Fn(CellState) + Send + Sync>;

/// One camera slot.
pub(super) struct VirtualCamera {
    generator: Box<dyn FrameGenerator>,
    start: Timestamp,
    size: (u32, u32),
    newest: Option<(FrameMetadata, Option<CellState>)>,
    pool: FramePool,
}

impl VirtualCamera {
    /// Makes one frame to learn the size.
    pub(super) fn new(
        mut generator: Box<dyn FrameGenerator>,
        start: Timestamp,
    ) -> Result<Option<Self>, CameraError> {
        let pool = FramePool::new(4);
        let first = generator.generate(0, start, &pool)?;
        Ok(first.map(|frame| {
            let size = (frame.metadata.width, frame.metadata.height);
            Self { generator, start, size, newest: None, pool: pool.clone() }
        }))
    }

    /// Takes the frame that is due by `now`, of a cell in this state.
    pub(super) fn advance(&mut self, now: Timestamp, seen: Option<CellState>) {
        let period = self.generator.period().max(Duration::from_micros(1));
        let sequence =
            u64::try_from(now.since(self.start).as_nanos() / period.as_nanos()).unwrap_or(u64::MAX);
        if self.newest.is_none_or(|(newest, _)| newest.sequence < sequence) {
            let elapsed = period.saturating_mul(u32::try_from(sequence).unwrap_or(u32::MAX));
            let (width, height) = self.size;
            let captured = self.start + elapsed;
            self.newest =
                Some((FrameMetadata { id: sequence, sequence, captured, width, height, digest: None }, seen));
        }
    }

    /// Plays from the beginning again.
    pub(super) fn start_over(&mut self, now: Timestamp) {
        self.start = now;
        self.newest = None;
    }

    pub(super) fn newest(&self) -> Option<FrameMetadata> {
        self.newest.map(|(metadata, _)| metadata)
    }

    /// Makes the newest frame; `None` past the end of a recording.
    pub(super) fn picture(&mut self, show: Option<&StateSetter>) -> Result<Option<Arc<Frame>>, CameraError> {
        let Some((metadata, seen)) = self.newest else { return Ok(None) };
        if let (Some(show), Some(seen)) = (show, seen) {
            show(seen);
        }
        let frame = self.generator.generate(metadata.sequence, metadata.captured, &self.pool)?;
        Ok(frame.map(Arc::new))
    }
}

/// Newest metadata by slot.
pub(super) fn newest_frames(cameras: &[VirtualCamera]) -> [Option<FrameMetadata>; MAX_CAMERAS] {
    let mut frames = [None; MAX_CAMERAS];
    for (frame, camera) in frames.iter_mut().zip(cameras) {
        *frame = camera.newest();
    }
    frames
}
