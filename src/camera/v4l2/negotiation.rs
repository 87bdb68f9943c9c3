//! Agreeing with a device on format, size and rate.

use std::path::Path;

use v4l::capability::Flags;
use v4l::format::FourCC;
use v4l::frameinterval::FrameIntervalEnum;
use v4l::framesize::FrameSizeEnum;
use v4l::video::Capture;
use v4l::video::capture::Parameters;
use v4l::{Device, Format, Fraction};

use crate::camera::CameraError;
use crate::camera::source_spec::{PixelFormat, V4l2Spec};
use crate::types::PixelLayout;

/// Up to this many pixels uncompressed frames are preferred; above, USB 2 has no room for them at full rate.
const MAX_UNCOMPRESSED_PIXELS: u32 = 640 * 480;

/// What was agreed on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Agreement {
    pub(super) format: PixelFormat,
    pub(super) width: u32,
    pub(super) height: u32,
    /// Bytes from row to row, for uncompressed formats.
    pub(super) stride: u32,
    /// Frames a second, if the driver says.
    pub(super) fps: Option<f64>,
    /// The device's own name.
    pub(super) card: String,
}

impl PixelFormat {
    const fn fourcc(self) -> FourCC {
        FourCC {
            repr: match self {
                Self::Yuyv => *b"YUYV",
                Self::Nv12 => *b"NV12",
                Self::Mjpeg => *b"MJPG",
            },
        }
    }

    /// The word for it in a camera source's options.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Yuyv => "yuyv",
            Self::Nv12 => "nv12",
            Self::Mjpeg => "mjpeg",
        }
    }
}

impl Agreement {
    /// How frames are handed on.
    pub(super) const fn layout(&self) -> PixelLayout {
        let stride = self.stride;
        match self.format {
            PixelFormat::Yuyv => PixelLayout::Yuyv { stride },
            PixelFormat::Nv12 => PixelLayout::Nv12 { stride },
            PixelFormat::Mjpeg => PixelLayout::Rgb8,
        }
    }
}

/// Bytes of a row without padding; some drivers leave the stride 0.
const fn shortest_row(format: PixelFormat, width: u32) -> u32 {
    match format {
        PixelFormat::Yuyv => width.next_multiple_of(2) * 2,
        PixelFormat::Nv12 => width.next_multiple_of(2),
        PixelFormat::Mjpeg => 0,
    }
}

/// Sets the device up as asked; refuses what differs from it.
pub(super) fn agree(device: &Device, spec: &V4l2Spec) -> Result<Agreement, CameraError> {
    let path = &spec.device;
    let failed = |action| move |source| CameraError::device(path, action, source);
    let capabilities = device.query_caps().map_err(failed("asking for its capabilities"))?;
    if !capabilities.capabilities.contains(Flags::VIDEO_CAPTURE | Flags::STREAMING) {
        let found = format!("{}: {}", capabilities.card, capabilities.capabilities);
        return Err(CameraError::NotACamera { device: path.clone(), found });
    }
    let current = device.format().map_err(failed("reading its format"))?;
    let (width, height) = spec.size.unwrap_or((current.width, current.height));
    let offered = device.enum_formats().map_err(failed("listing its formats"))?;
    let offers = |format: PixelFormat| offered.iter().any(|known| known.fourcc == format.fourcc());
    let unsupported = |asked: String, offered: String| CameraError::UnsupportedFormat {
        device: path.clone(),
        asked,
        offered,
    };
    let large = width.saturating_mul(height) > MAX_UNCOMPRESSED_PIXELS;
    let preferred = if large {
        [PixelFormat::Mjpeg, PixelFormat::Nv12, PixelFormat::Yuyv]
    } else {
        [PixelFormat::Yuyv, PixelFormat::Nv12, PixelFormat::Mjpeg]
    };
    let format = match spec.format {
        Some(format) => Some(format).filter(|format| offers(*format)),
        None => preferred.into_iter().find(|format| offers(*format)),
    };
    let Some(format) = format else {
        let asked = spec.format.map_or("yuyv, nv12 or mjpeg", PixelFormat::name);
        // Big-endian variants have a code that is no text.
        let names = offered.iter().filter_map(|known| known.fourcc.str().ok()).map(str::trim_end);
        return Err(unsupported(format!("the pixel format {asked}"), names.collect::<Vec<_>>().join(", ")));
    };
    let agreed = device
        .set_format(&Format::new(width, height, format.fourcc()))
        .map_err(failed("setting its format"))?;
    if (agreed.width, agreed.height, agreed.fourcc) != (width, height, format.fourcc()) {
        return Err(unsupported(
            format!("{width}x{height} in {}", format.name()),
            sizes(device, format, &agreed),
        ));
    }
    let fps = rate(device, spec.fps, path, &agreed)?;
    Ok(Agreement {
        format,
        width,
        height,
        stride: agreed.stride.max(shortest_row(format, width)),
        fps,
        card: capabilities.card,
    })
}

/// The sizes that can be asked for, or at least the one that the driver proposed.
fn sizes(device: &Device, format: PixelFormat, proposed: &Format) -> String {
    let mut sizes: Vec<String> = Vec::new();
    for size in device.enum_framesizes(format.fourcc()).unwrap_or_default() {
        sizes.push(match size.size {
            FrameSizeEnum::Discrete(size) => format!("{}x{}", size.width, size.height),
            FrameSizeEnum::Stepwise(range) => {
                format!(
                    "{}x{} to {}x{}",
                    range.min_width, range.min_height, range.max_width, range.max_height
                )
            }
        });
    }
    if sizes.is_empty() { format!("{}x{}", proposed.width, proposed.height) } else { sizes.join(", ") }
}

/// Sets the frame rate if one was asked for, and returns the one in force.
fn rate(
    device: &Device,
    asked: Option<u32>,
    path: &Path,
    agreed: &Format,
) -> Result<Option<f64>, CameraError> {
    let in_force = match asked {
        Some(fps) => device.set_params(&Parameters::with_fps(fps)),
        None => device.params(),
    };
    // Drivers without a settable rate refuse both calls: that matters only if one was asked for.
    let fps = in_force.ok().and_then(|parameters| per_second(parameters.interval));
    match asked {
        // Rates such as 30000/1001 count as 30.
        Some(asked) if fps.is_none_or(|fps| (fps - f64::from(asked)).abs() > 0.01 * f64::from(asked)) => {
            Err(CameraError::UnsupportedFormat {
                device: path.to_path_buf(),
                asked: format!("{asked} frames a second at this size"),
                offered: rates(device, agreed, fps),
            })
        }
        _ => Ok(fps),
    }
}

/// The rates that can be asked for, or at least the one that the driver proposed.
fn rates(device: &Device, agreed: &Format, proposed: Option<f64>) -> String {
    let mut rates: Vec<f64> = Vec::new();
    let intervals = device.enum_frameintervals(agreed.fourcc, agreed.width, agreed.height);
    for interval in intervals.unwrap_or_default() {
        match interval.interval {
            FrameIntervalEnum::Discrete(interval) => rates.extend(per_second(interval)),
            FrameIntervalEnum::Stepwise(range) => {
                if let (Some(slowest), Some(fastest)) = (per_second(range.max), per_second(range.min)) {
                    return format!("{slowest:.2} to {fastest:.2}");
                }
            }
        }
    }
    if rates.is_empty() {
        rates.extend(proposed);
    }
    let rates: Vec<String> = rates.iter().map(|rate| format!("{rate:.2}")).collect();
    if rates.is_empty() { "no choice of rate".to_owned() } else { rates.join(", ") }
}

/// The rate that an interval in seconds makes; `None` for drivers that leave it 0.
fn per_second(interval: Fraction) -> Option<f64> {
    (interval.numerator > 0 && interval.denominator > 0)
        .then(|| f64::from(interval.denominator) / f64::from(interval.numerator))
}
