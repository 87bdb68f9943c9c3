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
const LEVEL_M: f64 = 0.0005;

/// How far one joint may go, joint frame, radians.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Room {
    /// It cannot go below this.
    pub least_rad: Option<f64>,
    /// It cannot go above this.
    pub most_rad: Option<f64>,
}

impl Room {
    /// Whether it can go neither way.
    const fn is_none(&self) -> bool {
        self.least_rad.is_some() && self.most_rad.is_some()
    }
}

/// How far each joint may go, joint frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Obstacles {
    joints: [Room; 6],
}

impl Obstacles {
    /// The room of one joint.
    pub const fn of(&self, joint: Joint) -> Room {
        self.joints[joint.index()]
    }

    /// Whether nothing is in the way.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// `point`, carried by the hand, must not sink further.
    pub(super) fn stop_sinking(&mut self, point: &Point3<f64>, links: &LinkPoses, angles: &JointAngles) {
        for (joint, link) in LIFTING {
            let pose = links.pose(link);
            let axis = pose.rotation * Vector3::z();
            let rise_m = axis.cross(&(point - Point3::from(pose.translation.vector))).z;
            let angle_rad = angles.get(joint);
            if rise_m < -LEVEL_M {
                self.joints[joint.index()].most_rad = Some(angle_rad);
            } else if rise_m > LEVEL_M {
                self.joints[joint.index()].least_rad = Some(angle_rad);
            }
        }
    }

    /// The gripper must not close further than `angle_rad` (joint frame).
    pub(super) fn stop_closing(&mut self, angle_rad: f64) {
        self.joints[Joint::Gripper.index()].least_rad = Some(angle_rad);
    }

    /// Puts them into the way of a virtual board's joints, and takes away what stood there `before`.
    pub fn apply(&self, before: &Self, board: &mut Board) {
        for (place, joint) in BoardJoint::ALL.into_iter().enumerate() {
            let (room, room_before) = (self.joints[place], before.joints[place]);
            if room == room_before {
                continue;
            }
            if room.is_none() != room_before.is_none() {
                board.set_stuck(joint, room.is_none());
            }
            // the firmware counts the hand the other way: π is closed
            let hand = |angle_rad: f64| std::f64::consts::PI - angle_rad;
            let contact = match (joint, room) {
                (BoardJoint::Hand, Room { least_rad: Some(least_rad), .. }) => {
                    Some(Contact::Above(hand(least_rad)))
                }
                (BoardJoint::Hand, Room { most_rad: Some(most_rad), .. }) => {
                    Some(Contact::Below(hand(most_rad)))
                }
                (_, Room { least_rad: Some(least_rad), .. }) => Some(Contact::Below(least_rad)),
                (_, Room { most_rad: Some(most_rad), .. }) => Some(Contact::Above(most_rad)),
                (_, Room { least_rad: None, most_rad: None }) => None,
            };
            board.set_contact(joint, contact);
        }
    }
}
