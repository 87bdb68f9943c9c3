//! Where the tool is and how it is turned.

use std::f64::consts::{FRAC_PI_2, PI};

use nalgebra::{Point3, Rotation3, Vector3};

use super::planar::wrapped;
use super::{ForwardKinematics, TOOL_IN_LINK5_M};
use crate::{Joint, JointAngles};

/// Position, pitch and roll of the tool: what five joints can set. The gripper does not change it.
///
/// Pitch and roll are seen from the base axis towards the tool, whichever way the base is turned, so one `ToolPose` is one pose
/// of the hand in the world. While the tool is in front of the base axis they are the firmware's: pitch is T:1051's `tit` =
/// shoulder + elbow + wrist − 90°, roll is the joint. With the arm bent backwards over its base they are the same motion seen
/// from the other side: pitch −180° − `tit`, roll + 180°.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ToolPose {
    /// The tool centre point in the world frame (on the table under the base, x forward, y left, z up), metres.
    pub position_m: Point3<f64>,
    /// Direction of the tool's axis, radians in (−π, π]: 0 level and outwards, +π/2 down, −π/2 up.
    pub pitch_rad: f64,
    /// Turn about the tool's axis, radians in (−π, π].
    pub roll_rad: f64,
}

impl ToolPose {
    /// The pose in which a point of the hand stands at `point_m` with the hand straight down and the moving jaw opening towards
    /// the bearing `opening_yaw_rad` (from +x, counter-clockwise from above).
    ///
    /// `point_in_hand_m` is given in the frame of [`super::Link::Link5`], metres: z along the tool, +x the way the jaw opens,
    /// where the fixed jaw's face is the plane x = 0. For a box of width `w` it is `(w/2, 0, z)`.
    pub fn straight_down(point_in_hand_m: Vector3<f64>, point_m: Point3<f64>, opening_yaw_rad: f64) -> Self {
        // z of the hand down, x towards the bearing; y completes the right-handed frame.
        let (sine, cosine) = opening_yaw_rad.sin_cos();
        let hand = Rotation3::from_basis_unchecked(&[
            Vector3::new(cosine, sine, 0.0),
            Vector3::new(sine, -cosine, 0.0),
            Vector3::new(0.0, 0.0, -1.0),
        ]);
        let position_m = point_m + hand * (Vector3::from(TOOL_IN_LINK5_M) - point_in_hand_m);
        // At roll 0 the jaw opens to the right of the arm; pointing down, positive roll turns it clockwise from above.
        let heading_rad = position_m.y.atan2(position_m.x);
        let roll_rad = wrapped(heading_rad - FRAC_PI_2 - opening_yaw_rad);
        Self { position_m, pitch_rad: FRAC_PI_2, roll_rad }
    }

    /// Pitch and roll as seen with the base turned half round, and back: the same hand in the world.
    pub(super) fn seen_from_behind(pitch_rad: f64, roll_rad: f64) -> (f64, f64) {
        (wrapped(-pitch_rad - PI), wrapped(roll_rad + PI))
    }
}

impl ForwardKinematics {
    /// Where the tool is for the given angles (joint frame, radians).
    pub fn tool_pose(&self, angles: &JointAngles) -> ToolPose {
        let position_m = self.link_poses(angles).tool_point_m();
        let [shoulder, elbow, wrist] =
            [Joint::Shoulder, Joint::Elbow, Joint::Wrist].map(|joint| angles.get(joint));
        let pitch_rad = wrapped(shoulder + elbow + wrist - FRAC_PI_2);
        let roll_rad = wrapped(angles.get(Joint::Roll));
        let (pitch_rad, roll_rad) = if is_behind_base_axis(&position_m, angles.get(Joint::Base)) {
            ToolPose::seen_from_behind(pitch_rad, roll_rad)
        } else {
            (pitch_rad, roll_rad)
        };
        ToolPose { position_m, pitch_rad, roll_rad }
    }
}

/// Whether the tool stands behind the base axis as the base is turned.
pub(super) fn is_behind_base_axis(tool_m: &Point3<f64>, base_rad: f64) -> bool {
    tool_m.x * base_rad.cos() + tool_m.y * base_rad.sin() < 0.0
}
