//! A camera that fails on purpose.

use std::thread;
use std::time::Duration;

use super::{DrillClock, DrillFault, DrillKind, DrillThread};
use crate::camera::{CameraError, FrameSource};
use crate::types::{Frame, FramePool, PixelLayout};

/// How often a stalled camera looks whether it may go on.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// A picture to show again.
struct Still {
    layout: PixelLayout,
    width: u32,
    height: u32,
    bytes: Vec<u8>,
}

pub(super) struct FaultyCamera {
    source: Box<dyn FrameSource>,
    faults: Vec<DrillFault>,
    clock: DrillClock,
    still: Option<Still>,
    random: u64,
}

impl FaultyCamera {
    pub(super) fn new(source: Box<dyn FrameSource>, faults: Vec<DrillFault>, clock: DrillClock) -> Self {
        Self { source, faults, clock, still: None, random: 0x9e37_79b9_7f4a_7c15 }
    }

    fn active(&self, wanted: impl Fn(DrillKind) -> bool) -> Option<DrillKind> {
        let mut faults = self.faults.iter().filter(|fault| wanted(fault.kind));
        faults.find(|fault| self.clock.is_active(fault)).map(|fault| fault.kind)
    }

    /// xorshift64: what noise looks like does not matter, that it is the same in every run does.
    const fn random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    fn is_lost(&mut self, probability: f64) -> bool {
        (self.random() >> 11) as f64 / ((1_u64 << 53) as f64) < probability
    }

    /// The frame with every pixel replaced.
    fn with_pixels(frame: Frame, pool: &FramePool, write: impl FnOnce(&mut [u8])) -> Frame {
        let picture = frame.picture();
        let mut pixels = pool.take(picture.bytes.len());
        write(&mut pixels);
        let (metadata, layout) = (frame.metadata, picture.layout);
        // The length is the frame's own: it always fits.
        Frame::new(metadata, layout, pixels).unwrap_or(frame)
    }

    fn frozen(&mut self, frame: Frame, pool: &FramePool) -> Frame {
        let picture = frame.picture();
        let still = self.still.get_or_insert_with(|| Still {
            layout: picture.layout,
            width: picture.width,
            height: picture.height,
            bytes: picture.bytes.to_vec(),
        });
        let same = (still.layout, still.width, still.height)
            == (picture.layout, picture.width, picture.height)
            && still.bytes.len() == picture.bytes.len();
        if !same {
            return frame;
        }
        Self::with_pixels(frame, pool, |pixels| pixels.copy_from_slice(&still.bytes))
    }
}

impl FrameSource for FaultyCamera {
    #[expect(clippy::panic, reason = "a panic is the fault that was asked for")]
    fn next_frame(&mut self, pool: &FramePool) -> Result<Option<Frame>, CameraError> {
        loop {
            while self.active(|kind| kind == DrillKind::CameraStall).is_some() {
                thread::sleep(LOOK_AGAIN);
            }
            if self.active(|kind| kind == DrillKind::ThreadPanic(DrillThread::Camera)).is_some() {
                panic!("injected by --inject thread.panic=camera");
            }
            if self.active(|kind| kind == DrillKind::CameraGone).is_some() {
                return Err(CameraError::Disconnected {
                    device: "(injected by --inject camera.gone)".into(),
                });
            }
            let Some(frame) = self.source.next_frame(pool)? else { return Ok(None) };
            if let Some(DrillKind::CameraDrop { probability }) =
                self.active(|kind| matches!(kind, DrillKind::CameraDrop { .. }))
                && self.is_lost(probability)
            {
                continue;
            }
            if self.active(|kind| kind == DrillKind::CameraCorrupt).is_some() {
                return Ok(Some(Self::with_pixels(frame, pool, |pixels| {
                    pixels.fill_with(|| (self.random() >> 56) as u8);
                })));
            }
            if self.active(|kind| kind == DrillKind::CameraFreeze).is_some() {
                return Ok(Some(self.frozen(frame, pool)));
            }
            self.still = None;
            return Ok(Some(frame));
        }
    }

    fn start_over(&mut self) {
        self.source.start_over();
    }

    fn never_repeats(&self) -> bool {
        self.source.never_repeats()
    }

    fn description(&self) -> String {
        self.source.description()
    }
}
