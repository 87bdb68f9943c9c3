//! Camera frames: metadata that the control core may see, and pooled pixels that it never touches.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Picture, PixelLayout, Timestamp};

/// What the control core knows of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameMetadata {
    /// Counts frames that this source delivered, from 0; unique within a run.
    pub id: u64,
    /// The driver's own sequence number (V4L2 `sequence`, or the frame number of a recording). Gaps mean dropped frames.
    pub sequence: u64,
    /// When the picture was taken, on the shell's monotonic clock (the driver's stamp where there is one).
    pub captured: Timestamp,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// [`Picture::digest`] where somebody looks for a picture that is frozen; `None` where pictures may well repeat.
    pub digest: Option<u64>,
}

/// One camera picture.
#[derive(Debug)]
pub struct Frame {
    /// Number, time and size.
    pub metadata: FrameMetadata,
    layout: PixelLayout,
    pixels: PixelBuffer,
}

impl Frame {
    /// A frame in the given layout; `None` when the buffer has another length than [`PixelLayout::byte_len`].
    pub fn new(metadata: FrameMetadata, layout: PixelLayout, pixels: PixelBuffer) -> Option<Self> {
        let expected = layout.byte_len(metadata.width, metadata.height);
        (pixels.len() == expected).then_some(Self { metadata, layout, pixels })
    }

    /// The pixels.
    pub fn picture(&self) -> Picture<'_> {
        let FrameMetadata { width, height, .. } = self.metadata;
        Picture { width, height, layout: self.layout, bytes: &self.pixels }
    }
}

/// A pool of pixel buffers, so that a camera at rate neither allocates nor frees.
///
/// Dropping a [`PixelBuffer`] brings its memory home. Only camera and inference threads hold buffers, hence the lock.
#[derive(Clone, Debug)]
pub struct FramePool {
    free: Arc<Mutex<Vec<Vec<u8>>>>,
    capacity: usize,
}

impl FramePool {
    /// A pool that keeps up to `capacity` idle buffers.
    pub fn new(capacity: usize) -> Self {
        Self { free: Arc::new(Mutex::new(Vec::with_capacity(capacity))), capacity }
    }

    /// A buffer of `len` bytes with unspecified content: a used one when there is one, else a new one.
    pub fn take(&self, len: usize) -> PixelBuffer {
        let mut bytes = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        bytes.resize(len, 0);
        PixelBuffer { bytes, home: self.clone() }
    }
}

/// Pixel memory on loan from a [`FramePool`].
#[derive(Debug)]
pub struct PixelBuffer {
    bytes: Vec<u8>,
    home: FramePool,
}

impl Deref for PixelBuffer {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl DerefMut for PixelBuffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl Drop for PixelBuffer {
    fn drop(&mut self) {
        let mut free = self.home.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < self.home.capacity {
            free.push(std::mem::take(&mut self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(width: u32, height: u32) -> FrameMetadata {
        FrameMetadata { id: 0, sequence: 0, captured: Timestamp::ZERO, width, height, digest: None }
    }

    #[test]
    fn a_buffer_of_another_length_is_no_frame() {
        let pool = FramePool::new(2);
        assert!(Frame::new(metadata(4, 2), PixelLayout::Rgb8, pool.take(24)).is_some());
        assert!(Frame::new(metadata(4, 2), PixelLayout::Rgb8, pool.take(23)).is_none());
    }

    #[test]
    fn dropped_buffers_go_home_and_are_used_again() {
        let pool = FramePool::new(1);
        let mut first = pool.take(8);
        let address = first.as_mut_ptr();
        drop(first);
        let mut second = pool.take(8);
        assert_eq!(second.as_mut_ptr(), address);
        let other = pool.take(8);
        drop(second);
        drop(other);
        assert_eq!(
            pool.free.lock().map(|free| free.len()).ok(),
            Some(1),
            "the pool keeps no more than its capacity"
        );
    }
}
