//! Goals of the tool.

use super::text;
use crate::kinematics::{self, ToolPose};
use crate::{Error, FirmwareAngles, Generation, Joint, limits};

/// A tool pose that the board can reach and that it turns into these very joints: T:1041, and T:104 in
/// [`crate::danger`].
///
/// The firmware looks at neither: it casts what its inverse kinematics gives for a target out of reach (the arm swings up)
/// and clamps joints one by one (the tool ends elsewhere). So the check is here, on the numbers as they stand on the wire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GoalPose {
    pose: ToolPose,
    roll_rad: f64,
    hand_rad: f64,
}

impl GoalPose {
    /// How far the tool may be from the goal after inverse and forward kinematics, mm.
    const TOLERANCE_MM: f64 = 0.01;

    /// Checks that the pose is on the firmware's branch and all joints inside the generation's limits.
    ///
    /// Position in mm from the shoulder axis, pitch in rad (0 level, positive down), roll and hand in rad.
    ///
    /// ```
    /// use firmware_protocol::{Error, Generation, GoalPose, kinematics::ToolPose};
    /// let level = ToolPose { position_mm: [300.0, 0.0, 150.0], pitch_rad: 0.0 };
    /// assert!(GoalPose::new(Generation::G1, level, 0.0, 3.14).is_ok());
    /// let far = ToolPose { position_mm: [700.0, 0.0, 150.0], ..level };
    /// assert_eq!(GoalPose::new(Generation::G1, far, 0.0, 3.14), Err(Error::OutOfReach));
    /// ```
    pub fn new(generation: Generation, pose: ToolPose, roll_rad: f64, hand_rad: f64) -> Result<Self, Error> {
        let mut position_mm = pose.position_mm;
        for mm in &mut position_mm {
            *mm = text::on_wire(Error::check_range("a coordinate (mm)", *mm, -1000.0, 1000.0)?);
        }
        let pitch_rad =
            text::on_wire(Error::check_range("the pitch (rad)", pose.pitch_rad, -9.9999, 9.9999)?);
        let wire = ToolPose { position_mm, pitch_rad };
        let [base_rad, shoulder_rad, elbow_rad, wrist_rad] =
            kinematics::inverse(wire).ok_or(Error::OutOfReach)?;
        let angles = FirmwareAngles { base_rad, shoulder_rad, elbow_rad, wrist_rad, roll_rad, hand_rad };
        let reached = kinematics::forward(angles);
        let off = |(goal, reached): (f64, f64)| (goal - reached).abs() > Self::TOLERANCE_MM;
        if wire.position_mm.into_iter().zip(reached.position_mm).any(off) {
            return Err(Error::OutOfReach);
        }
        match limits::first_outside(generation, angles) {
            Some(joint) => Err(Error::OutsideLimits { joint, angle_rad: angles.to_array()[joint.index()] }),
            None => {
                Ok(Self { pose: wire, roll_rad: text::on_wire(roll_rad), hand_rad: text::on_wire(hand_rad) })
            }
        }
    }

    /// The pose that joints have, where the board's inverse kinematics leads back to them.
    pub fn of_joints(generation: Generation, angles: FirmwareAngles) -> Result<Self, Error> {
        if let Some(joint) = limits::first_outside(generation, angles) {
            return Err(Error::OutsideLimits { joint, angle_rad: angles.to_array()[joint.index()] });
        }
        if !kinematics::on_branch(angles) {
            return Err(Error::OutOfReach);
        }
        Self::new(generation, kinematics::forward(angles), angles.roll_rad, angles.hand_rad)
    }

    /// Position and pitch as on the wire.
    #[must_use]
    pub const fn pose(self) -> ToolPose {
        self.pose
    }

    /// Roll, rad, as on the wire.
    #[must_use]
    pub const fn roll_rad(self) -> f64 {
        self.roll_rad
    }

    /// Hand, rad, as on the wire.
    #[must_use]
    pub const fn hand_rad(self) -> f64 {
        self.hand_rad
    }

    /// Writes the six coordinates, each with its key.
    pub(crate) fn write(self, text: &mut text::Text<'_>) {
        let [x, y, z] = self.pose.position_mm;
        text.decimal(b",\"x\":", x);
        text.decimal(b",\"y\":", y);
        text.decimal(b",\"z\":", z);
        text.angle(b",\"t\":", self.pose.pitch_rad);
        text.angle(b",\"r\":", self.roll_rad);
        text.angle(b",\"g\":", self.hand_rad);
    }
}

/// A joint's number in commands that count from 1.
pub(crate) const fn number(joint: Joint) -> u32 {
    joint.index() as u32 + 1
}
