//! How points of the arm and the tool's pose move with the joints.

use nalgebra::{Point3, SMatrix, Vector3};

use super::tool_pose::is_behind_base_axis;
use super::{ForwardKinematics, Link, LinkPoses};
use crate::{JOINT_COUNT, Joint, JointAngles};

/// Rows: x, y, z (metres), pitch, roll (radians) of [`super::ToolPose`]; columns: the joints in order (radians). The gripper's
/// column is zero.
pub type Jacobian = SMatrix<f64, 5, JOINT_COUNT>;

/// Rows: x, y, z of a point fixed to a link (metres, world frame); columns: the joints in order (radians).
pub type PointJacobian = SMatrix<f64, 3, JOINT_COUNT>;

impl LinkPoses {
    /// How a point of the world frame that is fixed to `link` moves with the joints: for each joint before the link its axis
    /// crossed with the arm from the axis to the point.
    pub fn point_jacobian(&self, link: Link, point_m: &Point3<f64>) -> PointJacobian {
        let mut jacobian = PointJacobian::zeros();
        for (joint, moved) in Link::ALL.into_iter().skip(1).take(link as usize).enumerate() {
            let pose = self.pose(moved);
            let axis = pose.rotation * Vector3::z();
            jacobian.set_column(joint, &axis.cross(&(point_m - Point3::from(pose.translation.vector))));
        }
        jacobian
    }
}

impl ForwardKinematics {
    /// The Jacobian of [`ForwardKinematics::tool_pose`]. Where the tool stands on the base axis pitch and roll jump, and the
    /// rows are those of the front side.
    pub fn jacobian(&self, angles: &JointAngles) -> Jacobian {
        let poses = self.link_poses(angles);
        let mut jacobian = Jacobian::zeros();
        let tool_m = poses.tool_point_m();
        jacobian.fixed_rows_mut::<3>(0).copy_from(&poses.point_jacobian(Link::Link5, &tool_m));
        let pitch = if is_behind_base_axis(&tool_m, angles.get(Joint::Base)) { -1.0 } else { 1.0 };
        for joint in [Joint::Shoulder, Joint::Elbow, Joint::Wrist] {
            jacobian[(3, joint.index())] = pitch;
        }
        jacobian[(4, Joint::Roll.index())] = 1.0;
        jacobian
    }
}
