//! From flags, configuration and bundle to a checked plan.

mod argument;
mod camera;
mod control;
mod inference;
mod link;
mod pose;
mod workspace;

use std::path::{Path, PathBuf};

pub(super) use argument::{duration, generation, parse_firmware, parse_schedule, parse_threads};
pub(super) use camera::{camera_specs, open_camera};
pub use control::{ControlSettings, control_parameters};
pub(super) use control::{configured, real_time};
pub(super) use inference::{
    PolicyFlags, device, engine, onnxruntime, producer, real_time_chunking, warm_up_text,
};
pub(super) use link::link_options;
pub(super) use pose::{ParkPose, park, parse_park_pose, parse_start_pose, start_pose};
pub(super) use workspace::workspace;

use super::exit::CliError;
use super::recording::ConfigurationText;
use crate::config::Config;

/// The configuration file, or its defaults when there is none and none was asked for; and its text, for the run log.
pub(super) fn load_config(path: Option<&Path>) -> Result<(Config, ConfigurationText), CliError> {
    let found = path.map_or_else(|| PathBuf::from("roarm.toml"), Path::to_owned);
    match std::fs::read_to_string(&found) {
        Ok(text) => {
            let file = found.display().to_string();
            Ok((Config::parse(&text, &file)?, ConfigurationText { file, text }))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && path.is_none() => {
            Ok((Config::defaults(), ConfigurationText::default()))
        }
        Err(source) => Err(CliError::File { path: found, source }),
    }
}
