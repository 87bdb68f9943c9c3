//! What all logs of a dataset have to have in common.

use std::path::Path;
use std::time::Duration;

use super::ticks::LoggedTicks;
use crate::episode::{CameraInfo, DatasetOutline, EpisodeError, PictureStorage};

/// The name of a camera's slot, and its width and height as far as they are known.
type NamedSize = (String, Option<(u32, u32)>);

/// Compares each log with those before it.
pub(super) struct Outlines {
    /// As it was asked for.
    asked_fps: Option<f64>,
    fps: Option<f64>,
    cameras: Option<Vec<NamedSize>>,
}

impl Outlines {
    pub(super) const fn new(asked_fps: Option<f64>) -> Self {
        Self { asked_fps, fps: None, cameras: None }
    }

    /// Takes a log and gives the rate of its frames.
    pub(super) fn add(&mut self, log: &Path, logged: &LoggedTicks) -> Result<f64, EpisodeError> {
        let differs = |what: &str, own: String, before: String| {
            let problem = format!("its {what} {own}, those before it have {before}: export them one by one");
            Err(EpisodeError::unfit(log, problem))
        };
        let own = logged.run.parameters.action_period;
        let fps = self.asked_fps.unwrap_or_else(|| rate(own));
        let fastest = 1.0 / logged.run.tick_period.as_secs_f64().max(1e-9);
        if fps > fastest * 1.001 {
            let problem = format!(
                "it has {fastest:.1} ticks a second, which makes no {fps} frames a second: ask for fewer with --fps"
            );
            return Err(EpisodeError::unfit(log, problem));
        }
        let before = *self.fps.get_or_insert(fps);
        if (before - fps).abs() > 1e-9 {
            return differs("actions come at", format!("{fps} a second"), before.to_string());
        }
        let names = logged.run.cameras.iter().map(|camera| camera.name.clone());
        let own: Vec<_> = names.zip(logged.sizes.iter().copied()).collect();
        let Some(before) = &mut self.cameras else {
            self.cameras = Some(own);
            return Ok(fps);
        };
        let agree = before.len() == own.len()
            && before.iter().zip(&own).all(|((name, size), (own_name, own_size))| {
                name == own_name && (size.is_none() || own_size.is_none() || size == own_size)
            });
        if !agree {
            return differs("cameras are", told(&own), told(before));
        }
        for ((_, size), (_, own)) in before.iter_mut().zip(own) {
            *size = size.or(own);
        }
        Ok(fps)
    }

    /// The outline of all. A camera of which no log has a picture is left out.
    pub(super) fn finish(self, robot_type: &str) -> Result<DatasetOutline, EpisodeError> {
        let cameras = self.cameras.unwrap_or_default().into_iter().filter_map(|(name, size)| {
            let (width, height) = size?;
            let key = format!("observation.images.{name}");
            Some(CameraInfo { key, width, height, storage: PictureStorage::Images })
        });
        Ok(DatasetOutline {
            fps: self.fps.unwrap_or(30.0),
            robot_type: Some(robot_type.to_owned()),
            cameras: cameras.collect(),
        })
    }
}

/// Frames a second, without the rounding of a period to nanoseconds.
fn rate(period: Duration) -> f64 {
    let fps = 1.0 / period.as_secs_f64().max(1e-9);
    if (fps - fps.round()).abs() < 1e-4 { fps.round() } else { fps }
}

fn told(cameras: &[NamedSize]) -> String {
    let told = cameras.iter().map(|(name, size)| match size {
        Some((width, height)) => format!("{name} {width}x{height}"),
        None => name.clone(),
    });
    told.collect::<Vec<_>>().join(", ")
}
