//! Forward kinematics of all links from the vendor's joint table, the Jacobian and the inverse.
//!
//! [`ForwardKinematics`] says where every link stands, [`ToolPose`] where the tool is, [`Jacobian`] how it moves with the
//! joints, [`InverseKinematics`] which joints bring it somewhere.
//!
//! Source: `roarm_m3.xacro` of `waveshareteam/roarm_ws` (origins in metres, roll-pitch-yaw in radians, every axis local +z).
//! The world frame stands on the table under the base: x forward, y left, z up. It is the firmware's frame raised by
//! 122.06 mm (70.1 mm to the base link, 51.959 mm from there to the shoulder axis).

mod inverse;
mod jacobian;
mod planar;
mod tool_pose;

use std::f64::consts::FRAC_PI_2;
use std::fmt;

use nalgebra::{Isometry3, Point3, Translation3, UnitQuaternion, Vector3};

use crate::{JOINT_COUNT, JointAngles};

pub use inverse::{InverseKinematics, Unreachable};
pub use jacobian::{Jacobian, PointJacobian};
pub use tool_pose::ToolPose;

/// Height of the base link's origin above the table, metres (`world_to_base_link`).
pub const BASE_HEIGHT_M: f64 = 0.0701;

/// Origin of each joint in its parent link: translation in metres, then roll, pitch, yaw in radians.
pub(crate) const JOINT_ORIGINS: [([f64; 3], [f64; 3]); JOINT_COUNT] = [
    ([0.0, 0.0, 0.0], [0.0, 0.0, 0.0]),
    ([0.0, 0.0, 0.051_959], [-FRAC_PI_2, -FRAC_PI_2, 0.0]),
    ([0.236_815, 0.030_002, 0.0], [0.0, 0.0, FRAC_PI_2]),
    ([0.0, -0.144_586, 0.0], [0.0, 0.0, 0.0]),
    ([0.015_147, -0.053_653, 0.0], [FRAC_PI_2, FRAC_PI_2, 0.0]),
    ([0.0, 0.018_821, 0.052_035], [-FRAC_PI_2, -FRAC_PI_2, 0.0]),
];

/// The tool centre point in the frame of link 5, metres (`link5_to_hand_tcp`).
const TOOL_IN_LINK5_M: [f64; 3] = [0.0, 0.0, 0.115_428];

/// A link of the arm; the frame of each turns with the joint of the same place in [`crate::Joint::ALL`], the base stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Fixed to the table.
    Base,
    /// Turns with the base joint.
    Link1,
    /// Upper arm.
    Link2,
    /// Forearm.
    Link3,
    /// Wrist.
    Link4,
    /// Hand with the fixed jaw.
    Link5,
    /// The moving jaw.
    Gripper,
}

impl Link {
    /// All links from the table to the jaw.
    pub const ALL: [Self; JOINT_COUNT + 1] =
        [Self::Base, Self::Link1, Self::Link2, Self::Link3, Self::Link4, Self::Link5, Self::Gripper];

    /// What people call it, lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Link1 => "shoulder yoke",
            Self::Link2 => "upper arm",
            Self::Link3 => "forearm",
            Self::Link4 => "wrist",
            Self::Link5 => "hand",
            Self::Gripper => "moving jaw",
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// Where every link stands in the world frame.
#[derive(Clone, Copy, Debug)]
pub struct LinkPoses([Isometry3<f64>; JOINT_COUNT + 1]);

impl LinkPoses {
    /// The pose of a link's frame in the world frame, metres.
    pub const fn pose(&self, link: Link) -> &Isometry3<f64> {
        &self.0[link as usize]
    }

    /// The tool centre point in the world frame, metres.
    pub fn tool_point_m(&self) -> Point3<f64> {
        self.pose(Link::Link5) * Point3::from(TOOL_IN_LINK5_M)
    }
}

/// The fixed part of each joint's transform, made once.
#[derive(Clone, Debug)]
pub struct ForwardKinematics {
    origins: [Isometry3<f64>; JOINT_COUNT],
}

impl Default for ForwardKinematics {
    fn default() -> Self {
        Self {
            origins: JOINT_ORIGINS.map(|(translation, [roll, pitch, yaw])| {
                Isometry3::from_parts(
                    Translation3::from(translation),
                    UnitQuaternion::from_euler_angles(roll, pitch, yaw),
                )
            }),
        }
    }
}

impl ForwardKinematics {
    /// Poses of all links for the given angles (joint frame, radians).
    pub fn link_poses(&self, angles: &JointAngles) -> LinkPoses {
        let mut poses = [Isometry3::translation(0.0, 0.0, BASE_HEIGHT_M); JOINT_COUNT + 1];
        for (joint, angle_rad) in angles.to_array_rad().into_iter().enumerate() {
            let turn = UnitQuaternion::from_axis_angle(&Vector3::z_axis(), angle_rad);
            poses[joint + 1] = poses[joint] * self.origins[joint] * turn;
        }
        LinkPoses(poses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(angles_deg: [f64; 6]) -> Point3<f64> {
        let angles = crate::DatasetAngles::from_array_deg(angles_deg).into();
        ForwardKinematics::default().link_poses(&angles).tool_point_m()
    }

    /// The vendor's URDF at home: tool at (343.67, 0, 343.73) mm, reference firmware.md section 5.2.
    #[test]
    fn home_agrees_with_the_vendors_urdf() {
        let point = tool([0.0, 0.0, 90.0, 0.0, 0.0, 0.0]);
        assert!((point.x - 0.343_67).abs() < 1e-5 && point.y.abs() < 1e-9, "{point}");
        assert!((point.z - 0.343_73).abs() < 1e-5, "{point}");
    }

    #[test]
    fn base_turns_left_and_shoulder_leans_forward() {
        assert!(tool([30.0, 20.0, 90.0, 0.0, 0.0, 0.0]).y > 0.1);
        assert!(tool([0.0, 40.0, 60.0, 30.0, 0.0, 0.0]).x > tool([0.0, 10.0, 60.0, 30.0, 0.0, 0.0]).x);
        assert!(tool([0.0, 40.0, 90.0, 0.0, 0.0, 0.0]).z < tool([0.0, 0.0, 90.0, 0.0, 0.0, 0.0]).z);
        assert!(tool([0.0, 0.0, 90.0, 40.0, 0.0, 0.0]).z < tool([0.0, 0.0, 90.0, 0.0, 0.0, 0.0]).z);
    }

    /// The jaw's tip lies 63.4 mm from its axis and opens towards link 5's +x (reference sim.md section 2).
    #[test]
    fn the_jaw_opens_towards_plus_x_of_link_5() {
        let open_rad = 0.5;
        let mut angles = JointAngles::ZERO;
        angles.set(crate::Joint::Gripper, open_rad);
        let poses = ForwardKinematics::default().link_poses(&angles);
        let tip = poses.pose(Link::Gripper) * Point3::new(0.0634, 0.0, 0.0);
        let in_hand = poses.pose(Link::Link5).inverse_transform_point(&tip);
        assert!((in_hand.x - 0.0634 * open_rad.sin()).abs() < 1e-9, "{in_hand}");
        assert!(in_hand.z > 0.1);
    }
}
