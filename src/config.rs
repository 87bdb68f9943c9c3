//! `roarm.toml` -> a checked [`Config`].
//!
//! Every value is checked when the file is read, so that a mistake is told with its line before anything is opened. Units are part of
//! the key names. `docs/configuration.md` describes every key; a test compares it with [`Config::keys`].

mod chunks;
mod error;
mod reader;
mod tables;
#[cfg(test)]
mod tests;
mod watches;

use std::collections::BTreeMap;

use toml::de::DeTable;

pub use chunks::{AggregationChoice, ChunkConfig, ScheduleChoice};
pub use error::ConfigError;
pub use reader::KeyDescription;
pub use tables::{
    AfterLinkLoss, AfterStop, ArmConfig, CameraConfig, Device, Firmware, MotionConfig, PolicyConfig,
    RealTimeConfig, SafetyConfig, StartPose,
};

pub use watches::{
    FrozenPictureChoice, FrozenPictureConfig, GripperConfig, IdleChoice, PlateauChoice, PlateauConfig,
};

use reader::{Section, Source};

/// Major version of the format that this program reads. A newer minor version only adds keys.
const MAJOR: u64 = 1;

/// Time in which an emergency stop must end from full speed.
const STOP_TIME_S: f64 = 0.17;

/// All settings, checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// `[arm.NAME]`: the arms, by the name that `--arm` takes.
    pub arms: BTreeMap<String, ArmConfig>,
    /// `[camera.SLOT]`: frame sources, by the policy's slot name (`front`, or the whole `observation.images.front`).
    pub cameras: BTreeMap<String, CameraConfig>,
    /// `[motion]`: speeds and rates.
    pub motion: MotionConfig,
    /// `[safety]`: limits of the gate.
    pub safety: SafetyConfig,
    /// `[realtime]`: what the control thread asks the system for.
    pub real_time: RealTimeConfig,
    /// `[plateau]`: an arm that no longer moves.
    pub plateau: PlateauConfig,
    /// `[gripper]`: a closed gripper and nothing that goes on.
    pub gripper: GripperConfig,
    /// `[frozen_picture]`: a camera that goes on delivering the same picture.
    pub frozen_picture: FrozenPictureConfig,
    /// `[policy]`: what runs, and on what.
    pub policy: PolicyConfig,
}

impl Config {
    /// The settings that hold without a file.
    #[must_use]
    pub fn defaults() -> Self {
        Self::default()
    }

    /// Reads the text of a `roarm.toml`. `file_name` is only used in messages.
    ///
    /// # Errors
    /// Anything that is not as `docs/configuration.md` says: the message names file, line, key and what is allowed.
    pub fn parse(text: &str, file_name: &str) -> Result<Self, ConfigError> {
        Self::read(text, file_name).map(|(config, _)| config)
    }

    /// Every key with its default and what is allowed, as the reader itself uses them. `NAME` and `SLOT` stand for names of the user's.
    #[must_use]
    pub fn keys() -> Vec<KeyDescription> {
        let smallest = "format_version = \"1.0\"\n[arm.NAME]\nport = \"/dev/ttyUSB0\"\n[camera.SLOT]\nsource = \"cell\"\n";
        Self::read(smallest, "roarm.toml").map(|(_, keys)| keys).unwrap_or_default()
    }

    fn read(text: &str, file_name: &str) -> Result<(Self, Vec<KeyDescription>), ConfigError> {
        let source = Source::new(text, file_name);
        let document = DeTable::parse(text).map_err(|error| ConfigError::Syntax {
            place: source.place(error.span().map_or(0, |span| span.start)),
            message: error.message().to_owned(),
        })?;
        let root = document.into_inner();
        let mut top = Section::top(&source, &root);
        check_version(&mut top)?;

        let mut keys = Vec::new();
        let mut config = Self::default();
        for (name, mut section) in top.named_tables("arm", "NAME")? {
            config.arms.insert(name, ArmConfig::read(&mut section)?);
            keys.extend(section.finish()?);
        }
        for (name, mut section) in top.named_tables("camera", "SLOT")? {
            config.cameras.insert(name, CameraConfig::read(&mut section)?);
            keys.extend(section.finish()?);
        }
        let mut motion = top.table("motion")?;
        config.motion = MotionConfig::read(&mut motion)?;
        check_stop_rule(&config.motion, &motion)?;
        keys.extend(motion.finish()?);

        let mut safety = top.table("safety")?;
        config.safety = SafetyConfig::read(&mut safety)?;
        keys.extend(safety.finish()?);

        let mut real_time = top.table("realtime")?;
        config.real_time = RealTimeConfig::read(&mut real_time)?;
        keys.extend(real_time.finish()?);

        let mut plateau = top.table("plateau")?;
        config.plateau = PlateauConfig::read(&mut plateau)?;
        keys.extend(plateau.finish()?);

        let mut gripper = top.table("gripper")?;
        config.gripper = GripperConfig::read(&mut gripper)?;
        keys.extend(gripper.finish()?);

        let mut frozen_picture = top.table("frozen_picture")?;
        config.frozen_picture = FrozenPictureConfig::read(&mut frozen_picture)?;
        keys.extend(frozen_picture.finish()?);

        let mut policy = top.table("policy")?;
        config.policy = PolicyConfig::read(&mut policy)?;
        keys.extend(policy.finish()?);

        keys.extend(top.finish()?);
        config.check_cameras(&source)?;
        Ok((config, keys))
    }

    /// Every camera that an arm names has a table.
    fn check_cameras(&self, source: &Source<'_>) -> Result<(), ConfigError> {
        for (arm, settings) in &self.arms {
            for camera in &settings.cameras {
                if !self.cameras.contains_key(camera) {
                    return Err(ConfigError::UnknownCamera {
                        file: source.file_name().to_owned(),
                        arm: arm.clone(),
                        camera: camera.clone(),
                    });
                }
            }
        }
        Ok(())
    }
}

/// `format_version = "MAJOR.MINOR"` must be there: a file of another program, or of a newer one, is refused before its keys are.
fn check_version(top: &mut Section<'_>) -> Result<(), ConfigError> {
    let Some(version) = top.optional_text("format_version", "\"1.0\", required")? else {
        return Err(ConfigError::MissingVersion { file: top.file_name().to_owned() });
    };
    let parts = version.split_once('.').map(|(major, minor)| (major.parse::<u64>(), minor.parse::<u64>()));
    match parts {
        Some((Ok(MAJOR), Ok(_))) => Ok(()),
        Some((Ok(major), Ok(_))) if major > MAJOR => Err(ConfigError::NewerVersion {
            place: top.place("format_version"),
            found: version,
            supported: MAJOR,
        }),
        _ => Err(top.out_of_range("format_version", &format!("{version:?}"), "\"1.0\"")),
    }
}

/// From full speed the stop ramp must end within [`STOP_TIME_S`].
fn check_stop_rule(motion: &MotionConfig, section: &Section<'_>) -> Result<(), ConfigError> {
    let fastest = motion.stop_deceleration_deg_s2 * STOP_TIME_S;
    if motion.max_velocity_deg_s <= fastest {
        return Ok(());
    }
    let key =
        if section.has("max_velocity_deg_s") { "max_velocity_deg_s" } else { "stop_deceleration_deg_s2" };
    Err(ConfigError::StopRule {
        place: section.place(key),
        velocity: motion.max_velocity_deg_s,
        deceleration: motion.stop_deceleration_deg_s2,
        fastest,
        stop_time: STOP_TIME_S,
    })
}
