//! What a user means by `--camera TEXT`.

use std::path::PathBuf;
use std::str::FromStr;

use super::CameraError;

const V4L2_FORM: &str = "v4l2:/dev/videoN[?width=W&height=H&fps=F&format=yuyv|nv12|mjpeg]";
const DATASET_FORM: &str = "dataset:DIR:EPISODE[:CAMERA_KEY][?loop=0|1]";
const CELL_FORM: &str = "cell[?seed=N]";

/// A frame source, named but not opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceSpec {
    /// A V4L2 device.
    V4l2(V4l2Spec),
    /// The pictures of a recorded episode.
    Dataset(DatasetSpec),
    /// The simulated cell, which the room `sim` builds.
    Cell {
        /// Seed of the cell's noise and of where its boxes lie, if one was given.
        seed: Option<u64>,
    },
}

/// A V4L2 device and what is asked of it; the driver chooses what is left open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct V4l2Spec {
    /// The device node.
    pub device: PathBuf,
    /// Width and height in pixels.
    pub size: Option<(u32, u32)>,
    /// Frames a second.
    pub fps: Option<u32>,
    /// Pixel format.
    pub format: Option<PixelFormat>,
}

/// The pixel formats that are read from a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PixelFormat {
    /// Uncompressed YUV 4:2:2, two bytes a pixel.
    Yuyv,
    /// Uncompressed YUV 4:2:0 in two planes, one and a half bytes a pixel.
    Nv12,
    /// One JPEG a frame.
    Mjpeg,
}

/// An episode of a LeRobot dataset as a camera.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatasetSpec {
    /// The dataset's folder.
    pub folder: PathBuf,
    /// The episode, from 0.
    pub episode: usize,
    /// The camera: its key, or the last part of it. Not needed where there is only one.
    pub camera: Option<String>,
    /// Whether it starts over at its end.
    pub looping: bool,
}

impl SourceSpec {
    /// Understands `v4l2:/dev/videoN`, `dataset:DIR:EPISODE` and `cell`, each with its options behind a `?`.
    pub fn parse(text: &str) -> Result<Self, CameraError> {
        let (body, options) = text.rsplit_once('?').map_or((text, ""), |(body, options)| (body, options));
        let options = Options { text, options };
        if let Some(device) = body.strip_prefix("v4l2:") {
            v4l2(device, &options).map(Self::V4l2)
        } else if let Some(place) = body.strip_prefix("dataset:") {
            dataset(place, &options).map(Self::Dataset)
        } else if body == "cell" {
            let mut seed = None;
            options.each(CELL_FORM, |name, value| match name {
                "seed" => value.parse().ok().map(|value| seed = Some(value)),
                _ => None,
            })?;
            Ok(Self::Cell { seed })
        } else {
            Err(CameraError::UnknownSource { text: text.to_owned() })
        }
    }
}

impl FromStr for SourceSpec {
    type Err = CameraError;

    fn from_str(text: &str) -> Result<Self, CameraError> {
        Self::parse(text)
    }
}

struct Options<'a> {
    text: &'a str,
    options: &'a str,
}

impl Options<'_> {
    fn bad(&self, problem: String, expected: &'static str) -> CameraError {
        CameraError::BadSource { text: self.text.to_owned(), problem, expected }
    }

    /// Calls `set` with each `name=value`; `None` from it means that one of the two is not understood.
    fn each(
        &self,
        form: &'static str,
        mut set: impl FnMut(&str, &str) -> Option<()>,
    ) -> Result<(), CameraError> {
        for option in self.options.split('&').filter(|option| !option.is_empty()) {
            let understood = option.split_once('=').and_then(|(name, value)| set(name, value));
            understood.ok_or_else(|| self.bad(format!("the option `{option}` is not understood"), form))?;
        }
        Ok(())
    }
}

fn v4l2(device: &str, options: &Options<'_>) -> Result<V4l2Spec, CameraError> {
    if device.is_empty() {
        return Err(options.bad("it names no device".to_owned(), V4L2_FORM));
    }
    let (mut width, mut height, mut fps, mut format) = (None, None, None, None);
    options.each(V4L2_FORM, |name, value| {
        let positive = || value.parse::<u32>().ok().filter(|value| *value > 0);
        match name {
            "width" => width = Some(positive()?),
            "height" => height = Some(positive()?),
            "fps" => fps = Some(positive()?),
            "format" => {
                format = Some(match value {
                    "yuyv" => PixelFormat::Yuyv,
                    "nv12" => PixelFormat::Nv12,
                    "mjpeg" => PixelFormat::Mjpeg,
                    _ => return None,
                });
            }
            _ => return None,
        }
        Some(())
    })?;
    if width.is_some() != height.is_some() {
        return Err(options.bad("width and height go together".to_owned(), V4L2_FORM));
    }
    Ok(V4l2Spec { device: PathBuf::from(device), size: width.zip(height), fps, format })
}

fn dataset(place: &str, options: &Options<'_>) -> Result<DatasetSpec, CameraError> {
    // The folder's own name may hold colons, so the text is read from its end.
    let (head, last) = place.rsplit_once(':').unwrap_or(("", place));
    let (folder, episode, camera) = match (last.parse::<usize>(), head.rsplit_once(':')) {
        (Ok(episode), _) => (head, Some(episode), None),
        (Err(_), Some((folder, episode))) => (folder, episode.parse().ok(), Some(last.to_owned())),
        (Err(_), None) => ("", None, None),
    };
    let Some(episode) = episode.filter(|_| !folder.is_empty()) else {
        return Err(options.bad("it names no folder and episode number".to_owned(), DATASET_FORM));
    };
    let mut looping = true;
    options.each(DATASET_FORM, |name, value| {
        looping = match (name, value) {
            ("loop", "0") => false,
            ("loop", "1") => true,
            _ => return None,
        };
        Some(())
    })?;
    Ok(DatasetSpec { folder: PathBuf::from(folder), episode, camera, looping })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn understands_each_kind() {
        let plain = V4l2Spec { device: "/dev/video2".into(), size: None, fps: None, format: None };
        assert_eq!(SourceSpec::parse("v4l2:/dev/video2").unwrap(), SourceSpec::V4l2(plain.clone()));
        let full = SourceSpec::parse("v4l2:/dev/video2?width=1280&height=720&fps=30&format=mjpeg").unwrap();
        let asked =
            V4l2Spec { size: Some((1280, 720)), fps: Some(30), format: Some(PixelFormat::Mjpeg), ..plain };
        assert_eq!(full, SourceSpec::V4l2(asked));
        assert_eq!(SourceSpec::parse("cell").unwrap(), SourceSpec::Cell { seed: None });
        assert_eq!(SourceSpec::parse("cell?seed=7").unwrap(), SourceSpec::Cell { seed: Some(7) });
        let first = DatasetSpec { folder: "data/a:b".into(), episode: 3, camera: None, looping: true };
        assert_eq!(SourceSpec::parse("dataset:data/a:b:3").unwrap(), SourceSpec::Dataset(first.clone()));
        let named = DatasetSpec { camera: Some("observation.images.front".into()), looping: false, ..first };
        let text = "dataset:data/a:b:3:observation.images.front?loop=0";
        assert_eq!(SourceSpec::parse(text).unwrap(), SourceSpec::Dataset(named));
    }

    #[test]
    fn refuses_the_rest_and_says_what_is_expected() {
        for (text, part) in [
            ("/dev/video0", "v4l2:/dev/videoN"),
            ("v4l2:", "names no device"),
            ("v4l2:/dev/video0?width=640", "go together"),
            ("v4l2:/dev/video0?width=0&height=480", "width=0"),
            ("v4l2:/dev/video0?format=rgb", "yuyv|nv12|mjpeg"),
            ("v4l2:/dev/video0?speed=3", "speed=3"),
            ("dataset:folder", "DIR:EPISODE"),
            ("dataset:folder:front", "DIR:EPISODE"),
            ("dataset:folder:-1", "DIR:EPISODE"),
            ("dataset:folder:0?loop=maybe", "loop=maybe"),
            ("cell?seed=x", "seed=x"),
        ] {
            let error = SourceSpec::parse(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(v4l2:|dataset:|cell)?[a-z0-9:?=&./]{0,30}") {
            let _ = SourceSpec::parse(&text);
        }
    }
}
