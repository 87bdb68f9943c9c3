//! What stands in the way of the joints.

use calibration::kinematics::{Link, LinkPoses};
use calibration::{Joint, JointAngles};
use firmware_protocol::Joint as BoardJoint;
use firmware_protocol::emulator::{Board, Contact};
use nalgebra::{Point3, Vector3};

/// The joints that lift and lower the hand.
const LIFTING: [(Joint, Link); 3] =
    [(Joint::Shoulder, Link::Link2), (Joint::Elbow, Link::Link3), (Joint::Wrist, Link::Link4)];
/// A joint that moves a point by less than this up or down is left alone, metres for each radian.
const LEVEL_M: f64 = 0.005;

/// How far each joint may go, joint frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Obstacles {
    joints: [Option<Contact>; 6],
}

impl Obstacles {
    /// In the way of one joint (joint frame, radians).
    pub const fn of(&self, joint: Joint) -> Option<Contact> {
        self.joints[joint.index()]
    }

    /// Whether nothing is in the way.
    pub fn is_empty(&self) -> bool {
        self.joints == [None; 6]
    }

    /// `point`, carried by the hand, must not sink further.
    pub(super) fn stop_sinking(&mut self, point: &Point3<f64>, links: &LinkPoses, angles: &JointAngles) {
        for (joint, link) in LIFTING {
            let pose = links.pose(link);
            let axis = pose.rotation * Vector3::z();
            let rise_m = axis.cross(&(point - Point3::from(pose.translation.vector))).z;
            let angle_rad = angles.get(joint);
            if rise_m < -LEVEL_M {
                self.joints[joint.index()] = Some(Contact::Above(angle_rad));
            } else if rise_m > LEVEL_M {
                self.joints[joint.index()] = Some(Contact::Below(angle_rad));
            }
        }
    }

    /// The gripper must not close further than `angle_rad` (joint frame).
    pub(super) fn stop_closing(&mut self, angle_rad: f64) {
        self.joints[Joint::Gripper.index()] = Some(Contact::Below(angle_rad));
    }

    /// Puts them into the way of a virtual board's joints, and takes away what stood there before.
    pub fn apply(&self, board: &mut Board) {
        for (joint, contact) in BoardJoint::ALL.into_iter().zip(self.joints) {
            let contact = match (joint, contact) {
                // the firmware counts the hand the other way: π is closed
                (BoardJoint::Hand, Some(Contact::Below(angle_rad))) => {
                    Some(Contact::Above(std::f64::consts::PI - angle_rad))
                }
                (BoardJoint::Hand, Some(Contact::Above(angle_rad))) => {
                    Some(Contact::Below(std::f64::consts::PI - angle_rad))
                }
                (_, contact) => contact,
            };
            board.set_contact(joint, contact);
        }
    }
}
