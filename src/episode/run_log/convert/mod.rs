//! Typed records to messages of the file, and back. Every number keeps its bits.

mod cause;
mod control;
mod inference;
mod parameters;
mod run;
#[cfg(test)]
pub(super) mod tests;
mod workspace;

pub(super) use control::{frame, frame_to_wire};

use std::time::Duration;

use super::error::Unreadable;
use crate::types::{JOINT_COUNT, JointAngles, Timestamp};

/// A typed value and its message. Reading checks what the types demand.
pub(super) trait Convert: Sized {
    /// The message.
    type Wire;
    /// As it is written.
    fn to_wire(&self) -> Self::Wire;
    /// As it is read.
    fn from_wire(wire: Self::Wire) -> Result<Self, Unreadable>;
}

/// A part that has to be there.
fn required<T: Convert>(wire: Option<T::Wire>, what: &str) -> Result<T, Unreadable> {
    wire.map(T::from_wire).transpose()?.ok_or_else(|| Unreadable::missing(what))
}

/// A part that may be missing.
fn optional<T: Convert>(wire: Option<T::Wire>) -> Result<Option<T>, Unreadable> {
    wire.map(T::from_wire).transpose()
}

/// A number that has to be there.
fn number<T>(wire: Option<T>, what: &str) -> Result<T, Unreadable> {
    wire.ok_or_else(|| Unreadable::missing(what))
}

const fn time(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}

/// Half a millennium at most: what is longer was never set.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

const fn duration(nanos: u64) -> Duration {
    Duration::from_nanos(nanos)
}

fn index(number: u64, what: &str) -> Result<usize, Unreadable> {
    usize::try_from(number).map_err(|_| Unreadable::invalid(what, number))
}

fn pose_to_wire(pose: &JointAngles) -> Vec<f64> {
    pose.to_array_rad().to_vec()
}

fn joints<T: Copy>(values: &[T], what: &str) -> Result<[T; JOINT_COUNT], Unreadable> {
    values.try_into().map_err(|_| Unreadable::invalid(what, format_args!("{} values", values.len())))
}

fn pose(values: &[f64], what: &str) -> Result<JointAngles, Unreadable> {
    joints(values, what).map(JointAngles::from_array_rad)
}

/// No values are no pose.
fn pose_or_none(values: &[f64], what: &str) -> Result<Option<JointAngles>, Unreadable> {
    if values.is_empty() { Ok(None) } else { pose(values, what).map(Some) }
}
