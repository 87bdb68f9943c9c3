//! Where a replay gives something else than the run gave.

use std::fmt;

use crate::episode::run_log::{ChunkRecord, ControlRecord};
use crate::types::{JOINT_COUNT, Joint, JointAngles, JointCommand, ServoProfile};

/// The first thing that differs.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// In which tick: the one that gave it, or that asked for the chunk.
    pub tick: u64,
    /// The chunk, where it is one that differs.
    pub chunk: Option<u64>,
    /// What differs.
    pub what: String,
    /// As it was recorded.
    pub recorded: String,
    /// As it came now.
    pub replayed: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tick, chunk, what, recorded, replayed } = self;
        match chunk {
            Some(chunk) => write!(formatter, "chunk {chunk}, asked for in tick {tick}")?,
            None => write!(formatter, "tick {tick}")?,
        }
        write!(formatter, ": {what} was {recorded} and is {replayed} now")
    }
}

/// A number with all its bits.
fn exact(value: f64) -> String {
    format!("{value:?} ({:#018x})", value.to_bits())
}

fn same(one: &JointAngles, other: &JointAngles) -> bool {
    one.to_array_rad().map(f64::to_bits) == other.to_array_rad().map(f64::to_bits)
}

/// What differs in a tick. Only what left the core is looked at: what entered is the same by construction.
pub(super) fn of_ticks(recorded: &ControlRecord, replayed: &ControlRecord) -> Option<Difference> {
    let tick = recorded.tick;
    let differs = |what: &str, recorded: String, replayed: String| {
        Some(Difference { tick, chunk: None, what: what.to_owned(), recorded, replayed })
    };
    if let (Some(one), Some(other)) = (&recorded.command, &replayed.command) {
        if let Some((joint, one, other)) = joint_that_differs(&one.goal, &other.goal) {
            return differs(&format!("the command's goal for {joint}, radians,"), exact(one), exact(other));
        }
        let bits = |command: &JointCommand| {
            let ServoProfile { speed_rad_s, acceleration_rad_s2 } = command.profile;
            (command.sequence, command.tick, speed_rad_s.to_bits(), acceleration_rad_s2.to_bits())
        };
        if bits(one) != bits(other) {
            return differs("the command", format!("{one:?}"), format!("{other:?}"));
        }
    } else if recorded.command.is_some() != replayed.command.is_some() {
        let told = |command: &Option<JointCommand>| {
            command.map_or_else(|| "none".to_owned(), |command| format!("{command:?}"))
        };
        return differs("the command", told(&recorded.command), told(&replayed.command));
    }
    // In words, which tell every bit of a number but a NaN's own: the core makes none.
    let words = |record: &ControlRecord| {
        [
            ("the number of the tick", format!("{}", record.tick)),
            ("the observation asked for", format!("{:?}", record.observation)),
            ("the torque's release", format!("{}", record.torque_released)),
            ("the phase", format!("{:?}", record.phase)),
            ("what the gate counts", format!("{:?}", record.gate)),
        ]
    };
    words(recorded)
        .into_iter()
        .zip(words(replayed))
        .find(|(one, other)| one != other)
        .and_then(|((what, one), (_, other))| differs(what, one, other))
}

fn joint_that_differs(one: &JointAngles, other: &JointAngles) -> Option<(Joint, f64, f64)> {
    if same(one, other) {
        return None;
    }
    let differs = |joint: &Joint| one.get(*joint).to_bits() != other.get(*joint).to_bits();
    Joint::ALL.into_iter().find(differs).map(|joint| (joint, one.get(joint), other.get(joint)))
}

/// What differs in a chunk: the first z-score, else the first angle.
pub(super) fn of_chunks(
    recorded: &ChunkRecord,
    z_scores: &[[f32; JOINT_COUNT]],
    actions: &[JointAngles],
) -> Option<Difference> {
    let differs = |what: String, recorded_value: String, replayed: String| Difference {
        tick: recorded.chunk.requested_tick,
        chunk: Some(recorded.chunk.id),
        what,
        recorded: recorded_value,
        replayed,
    };
    if recorded.z_scores.len() != z_scores.len() {
        let [one, other] = [recorded.z_scores.len(), z_scores.len()].map(|count| count.to_string());
        return Some(differs("the number of actions".to_owned(), one, other));
    }
    for (action, (one, other)) in recorded.z_scores.iter().zip(z_scores).enumerate() {
        for joint in Joint::ALL {
            let (one, other) = (one[joint.index()], other[joint.index()]);
            if one.to_bits() != other.to_bits() {
                let what = format!("the z-score of {joint} in action {action}");
                let told = |value: f32| format!("{value:?} ({:#010x})", value.to_bits());
                return Some(differs(what, told(one), told(other)));
            }
        }
    }
    for (action, (one, other)) in recorded.chunk.actions().iter().zip(actions).enumerate() {
        if let Some((joint, one, other)) = joint_that_differs(one, other) {
            let what = format!("the angle of {joint} in action {action}, radians,");
            return Some(differs(what, exact(one), exact(other)));
        }
    }
    None
}
