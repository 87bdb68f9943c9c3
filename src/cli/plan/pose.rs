//! The poses in which a run starts and parks.

use crate::camera::{CameraError, SourceSpec};
use crate::cli::exit::CliError;
use crate::config::{Config, StartPose};
use crate::control::Park;
use crate::episode::Dataset;
use crate::policy::Bundle;
use crate::types::{DatasetAngles, Joint, JointAngles};

/// What `--park` says; `off` is none.
#[derive(Clone, Debug)]
pub(in crate::cli) struct ParkPose(Option<StartPose>);

/// A flag's text as a park pose.
pub(in crate::cli) fn parse_park_pose(text: &str) -> Result<ParkPose, String> {
    match text {
        "off" => Ok(ParkPose(None)),
        "current" | "episode" => Err(String::new()),
        other => parse_start_pose(other).map(|pose| ParkPose(Some(pose))),
    }
    .map_err(|_| {
        "use off, zero, home, dataset-mean, or six degrees from -180 to 180 such as 0,20,60,40,0,10"
            .to_owned()
    })
}

/// A flag's text as a start pose.
pub(in crate::cli) fn parse_start_pose(text: &str) -> Result<StartPose, String> {
    match text {
        "zero" => Ok(StartPose::Zero),
        "home" => Ok(StartPose::Home),
        "dataset-mean" => Ok(StartPose::DatasetMean),
        "current" => Ok(StartPose::Current),
        "episode" => Ok(StartPose::Episode),
        list => {
            let degrees: Option<Vec<f64>> =
                list.split(',').map(|degree| degree.trim().parse().ok()).collect();
            let inside = |degrees: &[f64; 6]| degrees.iter().all(|degree| (-180.0..=180.0).contains(degree));
            degrees.and_then(|degrees| <[f64; 6]>::try_from(degrees).ok()).filter(inside).map(StartPose::Degrees).ok_or_else(
                || "use zero, home, dataset-mean, current, episode, or six degrees from -180 to 180 such as 0,20,60,40,0,10".to_owned(),
            )
        }
    }
}

/// Where the arm parks at the run's own end: the flag's pose, else the configuration's. `bundle` is the policy's, where one plays.
pub(in crate::cli) fn park(
    flag: Option<&ParkPose>,
    config: &Config,
    bundle: Option<&Bundle>,
) -> Result<Option<Park>, CliError> {
    let choice = match flag {
        Some(ParkPose(choice)) => choice.as_ref(),
        None => config.motion.park_pose.as_ref(),
    };
    let Some(choice) = choice else { return Ok(None) };
    let pose = match (bundle, choice) {
        (Some(bundle), choice) => start_pose(choice, bundle, &[])?,
        (None, StartPose::DatasetMean | StartPose::Episode) => {
            return Err(CliError::Arguments(
                "the park pose dataset-mean is a policy's: give --park home, zero, off or six degrees"
                    .to_owned(),
            ));
        }
        (None, choice) => fixed_pose(choice),
    };
    Ok(pose.map(|pose| Park { pose, release_torque: config.motion.torque_off_after_park }))
}

/// A pose that nothing but its name is needed for.
fn fixed_pose(choice: &StartPose) -> Option<JointAngles> {
    match choice {
        StartPose::Zero => Some(JointAngles::ZERO),
        StartPose::Home => Some(home()),
        StartPose::Degrees(angles_deg) => Some(DatasetAngles::from_array_deg(*angles_deg).into()),
        StartPose::Current | StartPose::DatasetMean | StartPose::Episode => None,
    }
}

/// The pose that `--start-pose` or the configuration names; `None` for "where the arm stands".
pub(in crate::cli) fn start_pose(
    choice: &StartPose,
    bundle: &Bundle,
    cameras: &[SourceSpec],
) -> Result<Option<JointAngles>, CliError> {
    Ok(match choice {
        StartPose::Zero | StartPose::Home | StartPose::Degrees(_) | StartPose::Current => fixed_pose(choice),
        StartPose::DatasetMean => Some(bundle.normalization().state.mean_pose().into()),
        StartPose::Episode => {
            let recorded = cameras.iter().find_map(|camera| match camera {
                SourceSpec::Dataset(spec) => Some(spec),
                _ => None,
            });
            let spec = recorded.ok_or_else(|| {
                CliError::Arguments(
                    "--start-pose episode takes the first pose of the recorded episode that is the camera: use it with --camera dataset:DIR:EPISODE".to_owned(),
                )
            })?;
            let episode = Dataset::open(&spec.folder).and_then(|dataset| dataset.episode(spec.episode));
            let episode = episode.map_err(CameraError::from)?;
            episode.states.first().copied().map(JointAngles::from)
        }
    })
}

/// The firmware's home: upper arm upright, forearm level, gripper closed.
fn home() -> JointAngles {
    let mut pose = JointAngles::ZERO;
    pose.set(Joint::Elbow, std::f64::consts::FRAC_PI_2);
    pose
}
