//! What of an episode an arm cannot do as it was recorded.

use std::fmt;

use calibration::JointLimits;
use calibration::collision::{ArmCapsules, PoseRefused, Workspace};

use crate::types::{Joint, JointAngles};

/// So far beyond a limit an action still counts as on it, rad: half a digit of what goes over the wire.
const ON_THE_LIMIT_RAD: f64 = 5e-5;

/// Actions beyond one end of a joint's range: they are clamped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JointBeyond {
    /// The joint.
    pub joint: Joint,
    /// The end of the range, rad.
    pub limit_rad: f64,
    /// Whether it is the lower end.
    pub below: bool,
    /// How many actions.
    pub count: usize,
    /// The one furthest beyond, rad.
    pub furthest_rad: f64,
}

/// Actions that bring the arm where it may not be: the gate holds it back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PoseBeyond {
    /// How many.
    pub count: usize,
    /// The first one's place in the episode.
    pub first: usize,
    /// What is wrong with the first.
    pub refused: PoseRefused,
}

/// Steps between actions that are faster than the arm may move: it is slower there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpeedBeyond {
    /// How many.
    pub count: usize,
    /// The fastest joint's, rad/s.
    pub fastest_rad_s: f64,
    /// Whose that is.
    pub joint: Joint,
    /// The bound, rad/s.
    pub bound_rad_s: f64,
}

/// What of an episode cannot be done as it was recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspection {
    /// Actions of the episode.
    pub length: usize,
    /// Beyond the joints' ranges, joint by joint.
    pub limits: Vec<JointBeyond>,
    /// Beyond the workspace.
    pub workspace: Option<PoseBeyond>,
    /// Beyond the velocity bound.
    pub speed: Option<SpeedBeyond>,
}

impl Inspection {
    /// Looks at all actions (joint frame), which follow each other after `period_s` seconds.
    pub fn of(
        actions: &[JointAngles],
        period_s: f64,
        limits: &JointLimits,
        workspace: &Workspace,
        max_velocity_rad_s: f64,
    ) -> Self {
        let beyond = Joint::ALL.into_iter().flat_map(|joint| {
            let (lower, upper) = limits.range_rad(joint);
            [(true, lower), (false, upper)]
                .into_iter()
                .filter_map(move |(below, limit_rad)| beyond_limit(actions, joint, limit_rad, below))
        });
        Self {
            length: actions.len(),
            limits: beyond.collect(),
            workspace: beyond_workspace(actions, workspace),
            speed: beyond_speed(actions, period_s, max_velocity_rad_s),
        }
    }

    /// Whether all of it can be done as it was recorded.
    pub const fn is_clear(&self) -> bool {
        self.limits.is_empty() && self.workspace.is_none() && self.speed.is_none()
    }
}

fn beyond_limit(actions: &[JointAngles], joint: Joint, limit_rad: f64, below: bool) -> Option<JointBeyond> {
    let sense = if below { -1.0 } else { 1.0 };
    let distance = |action: &JointAngles| sense * (action.get(joint) - limit_rad);
    let count = actions.iter().filter(|action| distance(action) > ON_THE_LIMIT_RAD).count();
    let furthest = actions.iter().max_by(|one, other| distance(one).total_cmp(&distance(other)))?;
    (count > 0).then(|| JointBeyond { joint, limit_rad, below, count, furthest_rad: furthest.get(joint) })
}

fn beyond_workspace(actions: &[JointAngles], workspace: &Workspace) -> Option<PoseBeyond> {
    let arm = ArmCapsules::default();
    let mut refused = actions
        .iter()
        .enumerate()
        .filter_map(|(place, action)| workspace.check(&arm, action).err().map(|refused| (place, refused)));
    let (first, reason) = refused.next()?;
    Some(PoseBeyond { count: 1 + refused.count(), first, refused: reason })
}

fn beyond_speed(actions: &[JointAngles], period_s: f64, bound_rad_s: f64) -> Option<SpeedBeyond> {
    let speed =
        |pair: &[JointAngles], joint: Joint| (pair[1].get(joint) - pair[0].get(joint)).abs() / period_s;
    let fastest = actions
        .windows(2)
        .flat_map(|pair| Joint::ALL.map(|joint| (speed(pair, joint), joint)))
        .max_by(|one, other| one.0.total_cmp(&other.0))?;
    let count = actions
        .windows(2)
        .filter(|pair| Joint::ALL.iter().any(|joint| speed(pair, *joint) > bound_rad_s))
        .count();
    (count > 0).then_some(SpeedBeyond { count, fastest_rad_s: fastest.0, joint: fastest.1, bound_rad_s })
}

impl fmt::Display for Inspection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = |count: usize| 100.0 * count as f64 / self.length.max(1) as f64;
        if self.is_clear() {
            return write!(formatter, "all {} actions are within limits, workspace and speed", self.length);
        }
        let mut lines = Vec::new();
        for JointBeyond { joint, limit_rad, below, count, furthest_rad } in &self.limits {
            lines.push(format!(
                "{joint} {} {:.1}°: {count} of {} actions ({:.1} %), up to {:.1}°; they are clamped",
                if *below { "<" } else { ">" },
                limit_rad.to_degrees(),
                self.length,
                share(*count),
                furthest_rad.to_degrees()
            ));
        }
        if let Some(PoseBeyond { count, first, refused }) = &self.workspace {
            lines.push(format!(
                "{count} of {} actions ({:.1} %) lead where the arm may not be, first action {first}: {refused}; the gate \
                 holds the arm there (see [safety] in roarm.toml)",
                self.length,
                share(*count)
            ));
        }
        if let Some(SpeedBeyond { count, fastest_rad_s, joint, bound_rad_s }) = &self.speed {
            lines.push(format!(
                "{count} steps are faster than {:.0}°/s ({joint} up to {:.0}°/s); the arm falls behind there: slow it down with \
                 --speed, or raise max_velocity_deg_s",
                bound_rad_s.to_degrees(),
                fastest_rad_s.to_degrees()
            ));
        }
        formatter.write_str(&lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use calibration::collision::Table;
    use firmware_protocol::Generation;

    use super::*;
    use crate::types::DatasetAngles;

    fn poses(angles_deg: &[[f64; 6]]) -> Vec<JointAngles> {
        angles_deg.iter().map(|angles| DatasetAngles::from_array_deg(*angles).into()).collect()
    }

    fn look(actions: &[JointAngles]) -> Inspection {
        let workspace = Workspace {
            self_margin_m: 0.005,
            table: Some(Table { height_m: 0.0, clearance_m: 0.0 }),
            ..Workspace::default()
        };
        let limits = JointLimits::of(Generation::G1);
        Inspection::of(actions, 1.0 / 30.0, &limits, &workspace, 90.0_f64.to_radians())
    }

    #[test]
    fn what_can_be_done_is_clear() {
        let clear = look(&poses(&[[0.0, 0.0, 90.0, 0.0, 0.0, 20.0], [1.0, 0.0, 90.0, 0.0, 0.0, 20.0]]));
        assert!(clear.is_clear());
        assert_eq!(clear.to_string(), "all 2 actions are within limits, workspace and speed");
    }

    #[test]
    fn actions_beyond_the_limits_are_counted_by_joint_and_end() {
        let found = look(&poses(&[
            [0.0, 0.0, 90.0, 0.0, 0.0, 20.0],
            [0.0, 0.0, -60.0, 0.0, 0.0, 20.0],
            [0.0, 0.0, -75.0, 0.0, 0.0, 20.0],
        ]));
        assert_eq!(found.limits.len(), 1);
        assert_eq!(
            (found.limits[0].joint, found.limits[0].count, found.limits[0].below),
            (Joint::Elbow, 2, true)
        );
        let text = found.to_string();
        assert!(text.contains("elbow < -45.0°: 2 of 3 actions (66.7 %), up to -75.0°"), "{text}");
    }

    #[test]
    fn actions_into_the_table_and_fast_steps_are_told() {
        let found = look(&poses(&[
            [0.0, 0.0, 90.0, 0.0, 0.0, 20.0],
            [0.0, 80.0, 90.0, 0.0, 0.0, 20.0],
            [0.0, 80.0, 90.0, 0.0, 0.0, 20.0],
        ]));
        let beyond = found.workspace.expect("the hand is in the table");
        assert_eq!((beyond.count, beyond.first), (2, 1));
        let speed = found.speed.expect("80° in a thirtieth of a second");
        assert_eq!((speed.count, speed.joint), (1, Joint::Shoulder));
        let text = found.to_string();
        assert!(text.contains("first action 1: too near: ") && text.contains("2400°/s"), "{text}");
    }
}
