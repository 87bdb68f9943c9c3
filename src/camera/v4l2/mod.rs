//! Cameras of the kernel's Video4Linux interface, through the `v4l` crate.

mod negotiation;
mod pixels;

use std::fmt;
use std::io;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use v4l::Device;
use v4l::buffer::{Flags, Metadata, Type};
use v4l::io::mmap::Stream;
use v4l::io::traits::CaptureStream;

use self::negotiation::Agreement;
use super::source_spec::{PixelFormat, V4l2Spec};
use super::{CameraError, FrameSource};
use crate::types::{Frame, FrameMetadata, FramePool, Timestamp};

/// How long a camera may stay silent.
const FRAME_TIMEOUT: Duration = Duration::from_secs(2);

/// Driver buffers. One is in our hands between two calls, the others collect frames.
const BUFFERS: u32 = 4;

/// After this many damaged frames in a row the camera is given up: one second at 30 a second.
const MAX_DAMAGED_IN_A_ROW: u32 = 30;

/// `poll(2)`'s "there is data to read".
const POLLIN: i16 = 1;

/// A V4L2 device that streams.
///
/// Each call returns the newest frame in memory of the pool, so that no frame that waits holds a driver buffer: uncompressed ones as they
/// came (a policy looks at few of them, and converts what it needs), JPEGs as RGB.
/// Times are the driver's own stamps on `CLOCK_MONOTONIC`, now at the latest. After a [`CameraError::Timeout`] the next call starts the stream anew.
pub struct V4l2Source {
    device: Device,
    spec: V4l2Spec,
    agreement: Agreement,
    stream: Option<Stream<'static>>,
    delivered: u64,
    /// Added to the driver's sequence, which begins at 0 with every start of the stream.
    sequence_base: u64,
    next_sequence: u64,
    damaged: u64,
}

/// A frame in a driver buffer, as far as it can be told without looking at its pixels.
enum Dequeued {
    /// A newer one is ready, or it waited too long: pass over it.
    Passed,
    /// Taken over.
    Taken(Metadata),
    /// The driver or the decoder says that its content is damaged.
    Damaged(String),
}

impl V4l2Source {
    /// Opens the device, agrees on a format and starts streaming with the first call of [`FrameSource::next_frame`].
    pub fn open(spec: &V4l2Spec) -> Result<Self, CameraError> {
        let device = Device::with_path(&spec.device)
            .map_err(|source| CameraError::device(&spec.device, "opening it", source))?;
        let agreement = negotiation::agree(&device, spec)?;
        Ok(Self {
            device,
            spec: spec.clone(),
            agreement,
            stream: None,
            delivered: 0,
            sequence_base: 0,
            next_sequence: 0,
            damaged: 0,
        })
    }

    /// Width and height in pixels, as agreed with the driver.
    pub const fn size(&self) -> (u32, u32) {
        (self.agreement.width, self.agreement.height)
    }

    /// Frames a second as agreed, if the driver says.
    pub const fn fps(&self) -> Option<f64> {
        self.agreement.fps
    }

    /// How many damaged frames were passed over so far.
    pub const fn damaged_frames(&self) -> u64 {
        self.damaged
    }

    fn failed(&self, action: &'static str) -> impl Fn(io::Error) -> CameraError + use<> {
        let device = self.spec.device.clone();
        move |source| match source.kind() {
            io::ErrorKind::TimedOut => CameraError::Timeout { device: device.clone(), waited: FRAME_TIMEOUT },
            _ => CameraError::device(&device, action, source),
        }
    }

    fn capture(&mut self, pool: &FramePool) -> Result<Frame, CameraError> {
        let (width, height) = self.size();
        let layout = self.agreement.layout();
        let mut pixels = pool.take(layout.byte_len(width, height));
        let deadline = Instant::now() + FRAME_TIMEOUT;
        let (mut passed, mut damaged_in_a_row) = (0, 0);
        loop {
            match self.dequeue(deadline, passed, &mut pixels)? {
                Dequeued::Passed => passed += 1,
                Dequeued::Taken(metadata) => {
                    let sequence = self.sequence_base + u64::from(metadata.sequence);
                    self.next_sequence = sequence + 1;
                    let captured = captured_at(&metadata);
                    let metadata =
                        FrameMetadata { id: self.delivered, sequence, captured, width, height, digest: None };
                    self.delivered += 1;
                    return Frame::new(metadata, layout, pixels)
                        .ok_or(CameraError::WrongSize { width, height });
                }
                Dequeued::Damaged(last) => {
                    self.damaged += 1;
                    damaged_in_a_row += 1;
                    if damaged_in_a_row == MAX_DAMAGED_IN_A_ROW {
                        let device = self.spec.device.clone();
                        return Err(CameraError::DamagedFrames { device, count: damaged_in_a_row, last });
                    }
                }
            }
        }
    }

    /// Takes one frame from the driver, waiting until `deadline`; `passed` frames of this call were passed over before.
    fn dequeue(
        &mut self,
        deadline: Instant,
        passed: u32,
        pixels: &mut [u8],
    ) -> Result<Dequeued, CameraError> {
        // The first frame is what starts the stream.
        let failed = self.failed(if self.stream.is_none() { "starting its stream" } else { "capturing" });
        let handle = self.device.handle();
        if self.stream.is_none() {
            let mut stream =
                Stream::with_buffers(&self.device, Type::VideoCapture, BUFFERS).map_err(&failed)?;
            stream.set_timeout(FRAME_TIMEOUT);
            self.sequence_base = self.next_sequence;
            self.stream = Some(stream);
        } else {
            wait_readable(&handle, deadline).map_err(&failed)?;
        }
        let Some(stream) = &mut self.stream else { return Ok(Dequeued::Passed) };
        let (content, metadata) = stream.next().map_err(&failed)?;
        let newer_is_ready = handle.poll(POLLIN, 0).map_err(&failed)? > 0;
        // With every buffer full the driver had no room for newer frames: all of these are old, so the next one is waited for.
        let all_were_full = passed + 2 == BUFFERS;
        if (newer_is_ready && passed < 2 * BUFFERS) || all_were_full {
            return Ok(Dequeued::Passed);
        }
        if metadata.flags.contains(Flags::ERROR) {
            return Ok(Dequeued::Damaged("the driver marked it as damaged".to_owned()));
        }
        let content = content.get(..metadata.bytesused as usize).unwrap_or(content);
        let Agreement { width, height, format, .. } = self.agreement;
        let taken = match format {
            PixelFormat::Yuyv | PixelFormat::Nv12 => pixels::copy_whole(content, pixels),
            PixelFormat::Mjpeg => pixels::mjpeg_to_rgb(content, width, height, pixels),
        };
        Ok(taken.map_or_else(Dequeued::Damaged, |()| Dequeued::Taken(*metadata)))
    }
}

impl FrameSource for V4l2Source {
    fn next_frame(&mut self, pool: &FramePool) -> Result<Option<Frame>, CameraError> {
        // After a failure it is unknown which buffers the driver holds: the next call starts with new ones.
        self.capture(pool).map(Some).inspect_err(|_| self.stream = None)
    }

    fn never_repeats(&self) -> bool {
        true
    }

    fn description(&self) -> String {
        let Agreement { format, width, height, fps, card, .. } = &self.agreement;
        let rate = fps.map_or_else(String::new, |fps| format!(" at {fps:.0} a second"));
        format!("{} ({card}), {width}x{height} {}{rate}", self.spec.device.display(), format.name())
    }
}

impl fmt::Debug for V4l2Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("V4l2Source");
        shown.field("spec", &self.spec).field("agreement", &self.agreement).finish_non_exhaustive()
    }
}

/// Waits for a frame; a signal does not end the wait.
fn wait_readable(handle: &v4l::device::Handle, deadline: Instant) -> io::Result<()> {
    loop {
        // Rounded up, so that the last millisecond is slept and not spun.
        let left = deadline.saturating_duration_since(Instant::now()).as_millis() + 1;
        match handle.poll(POLLIN, i32::try_from(left).unwrap_or(i32::MAX)) {
            Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The driver's stamp, or now where it has none on the monotonic clock.
///
/// Never later than now: some drivers stamp the planned end of the exposure, or convert the camera's own clock badly, and a frame
/// from the future would pass for fresh however old it is.
fn captured_at(metadata: &Metadata) -> Timestamp {
    let now = clock_gettime(ClockId::Monotonic);
    let now = Timestamp::from_nanos(now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs());
    let monotonic = metadata.flags & Flags::TIMESTAMP_MASK == Flags::TIMESTAMP_MONOTONIC;
    let stamp = (u64::try_from(metadata.timestamp.sec).ok()).zip(u64::try_from(metadata.timestamp.usec).ok());
    match stamp {
        Some((seconds, micros)) if monotonic && (seconds, micros) != (0, 0) => {
            now.min(Timestamp::from_nanos(seconds * 1_000_000_000 + micros * 1_000))
        }
        _ => now,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn open(device: &str) -> CameraError {
        V4l2Source::open(&V4l2Spec { device: device.into(), size: None, fps: None, format: None })
            .unwrap_err()
    }

    #[test]
    fn what_is_no_camera_is_told_apart() {
        assert!(matches!(open("/dev/no-such-camera"), CameraError::NoDevice { .. }));
        assert!(matches!(open("/dev/null"), CameraError::NotACamera { .. }));
    }

    #[test]
    fn refusals_name_the_fix() {
        let device = std::path::Path::new("/dev/video7");
        for (errno, fix) in
            [(13, "usermod -aG video"), (16, "fuser -v /dev/video7"), (19, "check the cable"), (5, "dmesg")]
        {
            let error =
                CameraError::device(device, "capturing", io::Error::from_raw_os_error(errno)).to_string();
            assert!(error.contains("/dev/video7") && error.contains(fix), "{errno}: {error}");
        }
    }

    #[test]
    fn stamps_of_another_clock_are_replaced() {
        let stamp =
            |flags| Metadata { flags, timestamp: v4l::Timestamp::new(3, 250_000), ..Metadata::default() };
        let monotonic = captured_at(&stamp(Flags::TIMESTAMP_MONOTONIC));
        assert_eq!(monotonic, Timestamp::from_nanos(3_250_000_000));
        let now = clock_gettime(ClockId::Monotonic);
        let seconds = captured_at(&stamp(Flags::TIMESTAMP_COPY)).as_nanos() / 1_000_000_000;
        assert!(seconds.abs_diff(now.tv_sec.unsigned_abs()) <= 1);
    }

    #[test]
    fn a_frame_is_never_of_the_future() {
        let now = clock_gettime(ClockId::Monotonic).tv_sec;
        let timestamp = v4l::Timestamp::new(now + 3600, 0);
        let ahead = Metadata { flags: Flags::TIMESTAMP_MONOTONIC, timestamp, ..Metadata::default() };
        let seconds = captured_at(&ahead).as_nanos() / 1_000_000_000;
        assert!(seconds.abs_diff(now.unsigned_abs()) <= 1);
    }
}
