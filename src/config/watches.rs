//! `[plateau]`, `[gripper]` and `[frozen_picture]`: what is made of an arm that no longer gets on, and of a camera that shows the past.

use super::error::ConfigError;
use super::reader::Section;

/// What follows a plateau.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlateauChoice {
    /// It is counted.
    #[default]
    Warn,
    /// The policy sees a perturbed state.
    Noise,
    /// The run ends.
    Stop,
    /// It is not looked for.
    Off,
}

/// `[plateau]`
#[derive(Clone, Debug, PartialEq)]
pub struct PlateauConfig {
    /// What follows.
    pub action: PlateauChoice,
    /// No joint moves further than this, degrees …
    pub threshold_deg: f64,
    /// … for so long, seconds.
    pub window_s: f64,
    /// Greatest perturbation of a joint, degrees.
    pub noise_deg: f64,
}

impl Default for PlateauConfig {
    fn default() -> Self {
        Self { action: PlateauChoice::Warn, threshold_deg: 1.0, window_s: 5.0, noise_deg: 2.0 }
    }
}

impl PlateauConfig {
    pub(super) fn read(section: &mut Section<'_>) -> Result<Self, ConfigError> {
        let default = Self::default();
        Ok(Self {
            action: section.choice(
                "action",
                &[
                    ("warn", PlateauChoice::Warn),
                    ("noise", PlateauChoice::Noise),
                    ("stop", PlateauChoice::Stop),
                    ("off", PlateauChoice::Off),
                ],
            )?,
            threshold_deg: section.number("threshold_deg", default.threshold_deg, 0.1..=30.0)?,
            window_s: section.number("window_s", default.window_s, 0.5..=600.0)?,
            noise_deg: section.number("noise_deg", default.noise_deg, 0.0..=30.0)?,
        })
    }
}

/// What follows a gripper that is closed while nothing goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IdleChoice {
    /// The episode counts as failed.
    #[default]
    Label,
    /// The run ends, failed.
    End,
    /// It is not looked for.
    Off,
}

/// `[gripper]`
#[derive(Clone, Debug, PartialEq)]
pub struct GripperConfig {
    /// What follows.
    pub idle: IdleChoice,
    /// A gripper below this, degrees in the joint frame (0 is closed), or one that squeezes something, is closed.
    pub closed_below_deg: f64,
    /// No other joint moves further than this, degrees …
    pub idle_threshold_deg: f64,
    /// … for so long, seconds.
    pub idle_time_s: f64,
}

impl Default for GripperConfig {
    fn default() -> Self {
        Self { idle: IdleChoice::Label, closed_below_deg: 10.0, idle_threshold_deg: 1.0, idle_time_s: 10.0 }
    }
}

impl GripperConfig {
    pub(super) fn read(section: &mut Section<'_>) -> Result<Self, ConfigError> {
        let default = Self::default();
        Ok(Self {
            idle: section.choice(
                "idle",
                &[("label", IdleChoice::Label), ("end", IdleChoice::End), ("off", IdleChoice::Off)],
            )?,
            closed_below_deg: section.number("closed_below_deg", default.closed_below_deg, 0.0..=90.0)?,
            idle_threshold_deg: section.number(
                "idle_threshold_deg",
                default.idle_threshold_deg,
                0.1..=30.0,
            )?,
            idle_time_s: section.number("idle_time_s", default.idle_time_s, 1.0..=600.0)?,
        })
    }
}

/// What follows a camera that goes on delivering the same picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FrozenPictureChoice {
    /// It is told.
    #[default]
    Warn,
    /// The run ends.
    Stop,
    /// It is not looked for.
    Off,
}

/// `[frozen_picture]`
#[derive(Clone, Debug, PartialEq)]
pub struct FrozenPictureConfig {
    /// What follows.
    pub action: FrozenPictureChoice,
    /// All pictures are the same to the last bit for so long, seconds.
    pub time_s: f64,
    /// Whether recordings and simulated cells are looked at too.
    pub every_source: bool,
}

impl Default for FrozenPictureConfig {
    fn default() -> Self {
        Self { action: FrozenPictureChoice::Warn, time_s: 2.0, every_source: false }
    }
}

impl FrozenPictureConfig {
    pub(super) fn read(section: &mut Section<'_>) -> Result<Self, ConfigError> {
        let default = Self::default();
        Ok(Self {
            action: section.choice(
                "action",
                &[
                    ("warn", FrozenPictureChoice::Warn),
                    ("stop", FrozenPictureChoice::Stop),
                    ("off", FrozenPictureChoice::Off),
                ],
            )?,
            time_s: section.number("time_s", default.time_s, 0.2..=600.0)?,
            every_source: section.choice("every_source", &[("off", false), ("on", true)])?,
        })
    }
}
