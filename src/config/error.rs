use std::fmt;

/// Where in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Name of the file as given.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.file, self.line)
    }
}

/// Why a `roarm.toml` was refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ConfigError {
    /// Not TOML.
    #[error("{place}: {message}")]
    Syntax {
        /// Where.
        place: Place,
        /// The TOML reader's words.
        message: String,
    },
    /// No `format_version`.
    #[error("{file}: `format_version` is missing; write format_version = \"1.0\" as the first line")]
    MissingVersion {
        /// Name of the file.
        file: String,
    },
    /// A file for a newer program.
    #[error(
        "{place}: this file has format version {found}, this roarm reads {supported}.x; use a roarm that reads {found}"
    )]
    NewerVersion {
        /// Where.
        place: Place,
        /// Version in the file.
        found: String,
        /// Major version that is read.
        supported: u64,
    },
    /// A key or table that means nothing.
    #[error("{place}: unknown key `{key}` in {table}; did you mean `{nearest}`?")]
    UnknownKey {
        /// Where.
        place: Place,
        /// `[motion]`, or `the top level`.
        table: String,
        /// The key as written.
        key: String,
        /// The known key that is spelt most like it.
        nearest: String,
    },
    /// A required key that is not there.
    #[error("{place}: {table} needs `{key}`, for example {example}")]
    MissingKey {
        /// Where the table starts.
        place: Place,
        /// `[arm.NAME]`
        table: String,
        /// The key.
        key: String,
        /// A line to copy.
        example: String,
    },
    /// A value of the wrong type.
    #[error("{place}: `{key}` must be {expected}, not {found}")]
    WrongType {
        /// Where.
        place: Place,
        /// The key.
        key: String,
        /// What it takes.
        expected: String,
        /// What is there.
        found: &'static str,
    },
    /// A value outside what is allowed.
    #[error("{place}: `{key}` = {value} is not allowed; allowed: {allowed}")]
    OutOfRange {
        /// Where.
        place: Place,
        /// The key.
        key: String,
        /// The value as written.
        value: String,
        /// What is allowed.
        allowed: String,
    },
    /// Too fast for the stop ramp.
    #[error(
        "{place}: max_velocity_deg_s = {velocity} is more than a stop can end within {stop_time} s: \
         stop_deceleration_deg_s2 = {deceleration} allows {fastest:.1}. Lower the velocity or raise the deceleration"
    )]
    StopRule {
        /// Where.
        place: Place,
        /// degrees a second
        velocity: f64,
        /// degrees a second squared
        deceleration: f64,
        /// The highest velocity that this deceleration allows, degrees a second.
        fastest: f64,
        /// seconds
        stop_time: f64,
    },
    /// An arm names a camera that has no table.
    #[error("{file}: [arm.{arm}] names the camera `{camera}`, but there is no table [camera.{camera}]")]
    UnknownCamera {
        /// Name of the file.
        file: String,
        /// The arm.
        arm: String,
        /// The camera.
        camera: String,
    },
}
