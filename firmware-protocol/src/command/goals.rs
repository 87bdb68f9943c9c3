//! Goals of joints, in radians and in degrees.

use super::text;
use crate::{Error, FirmwareAngles, Generation, Joint, limits, steps};

/// Goal angles that may be sent: finite and of a servo's size. Inside [`limits`] is the caller's choice; the board clamps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GoalAngles(FirmwareAngles);

impl GoalAngles {
    /// Largest magnitude that is taken for radians.
    pub const MAX_ABS_RAD: f64 = 9.9999;

    /// Checks the angles. NaN, infinity and magnitudes above [`Self::MAX_ABS_RAD`] are refused, naming the joint.
    pub fn new(angles: FirmwareAngles) -> Result<Self, Error> {
        for (joint, angle_rad) in Joint::ALL.into_iter().zip(angles.to_array()) {
            check(joint, angle_rad)?;
        }
        Ok(Self(angles))
    }

    /// Checks the angles and moves them into the generation's accepted ranges, as the board itself would.
    pub fn clamped(angles: FirmwareAngles, generation: Generation) -> Result<Self, Error> {
        let Self(angles) = Self::new(angles)?;
        let (ranges, mut angles) = (limits::ranges(generation), angles.to_array());
        for (angle, range) in angles.iter_mut().zip(ranges) {
            *angle = range.clamp(*angle);
        }
        Ok(Self(FirmwareAngles::from_array(angles)))
    }

    /// The angles.
    #[must_use]
    pub const fn angles(self) -> FirmwareAngles {
        self.0
    }

    /// The angles as they stand on the wire: rounded to 4 decimals.
    #[must_use]
    pub fn on_wire(self) -> FirmwareAngles {
        FirmwareAngles::from_array(self.0.to_array().map(text::on_wire))
    }
}

fn check(joint: Joint, angle_rad: f64) -> Result<(), Error> {
    if !angle_rad.is_finite() {
        return Err(Error::AngleNotFinite { joint });
    }
    if angle_rad.abs() > GoalAngles::MAX_ABS_RAD {
        return Err(Error::AngleTooLarge { joint, angle_rad });
    }
    Ok(())
}

/// Goal of one joint, rad: T:101, and T:106 for the hand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JointGoal {
    joint: Joint,
    angle_rad: f64,
}

impl JointGoal {
    /// Checks the angle as [`GoalAngles::new`] does.
    pub fn new(joint: Joint, angle_rad: f64) -> Result<Self, Error> {
        check(joint, angle_rad).map(|()| Self { joint, angle_rad })
    }

    /// The joint.
    #[must_use]
    pub const fn joint(self) -> Joint {
        self.joint
    }

    /// Its goal, rad.
    #[must_use]
    pub const fn angle_rad(self) -> f64 {
        self.angle_rad
    }
}

/// Goal of the hand, rad: π closed, smaller open; 1.0738 is wide open, and what the board makes of everything below.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HandGoal(f64);

impl HandGoal {
    /// Checks the angle as [`GoalAngles::new`] does.
    pub fn new(angle_rad: f64) -> Result<Self, Error> {
        check(Joint::Hand, angle_rad).map(|()| Self(angle_rad))
    }

    /// The goal, rad.
    #[must_use]
    pub const fn angle_rad(self) -> f64 {
        self.0
    }
}

/// Largest magnitude that is taken for degrees: what [`GoalAngles::MAX_ABS_RAD`] is in them.
const MAX_ABS_DEG: f64 = 572.9;

fn check_degrees(joint: Joint, angle_deg: f64) -> Result<(), Error> {
    if !angle_deg.is_finite() {
        return Err(Error::AngleNotFinite { joint });
    }
    Error::check_range("an angle in degrees", angle_deg, -MAX_ABS_DEG, MAX_ABS_DEG).map(|_| ())
}

/// Goal angles of T:122, degrees, sent with 4 decimals (fractions count: the vendor's clients round to whole degrees, the
/// board does not ask for it).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GoalDegrees([f64; 6]);

impl GoalDegrees {
    /// Checks the angles, in the order of [`Joint::ALL`], degrees in the firmware's frame (hand: 180 closed, smaller open).
    pub fn new(angles_deg: [f64; 6]) -> Result<Self, Error> {
        for (joint, angle_deg) in Joint::ALL.into_iter().zip(angles_deg) {
            check_degrees(joint, angle_deg)?;
        }
        Ok(Self(angles_deg))
    }

    /// The degrees of angles in radians.
    pub fn from_radians(angles: GoalAngles) -> Result<Self, Error> {
        Self::new(angles.angles().to_array().map(f64::to_degrees))
    }

    /// The angles, degrees, in the order of [`Joint::ALL`].
    #[must_use]
    pub const fn to_array(self) -> [f64; 6] {
        self.0
    }

    /// The angles in radians as the board will read them: rounded to 4 decimals of a degree, converted its way.
    #[must_use]
    pub fn on_wire(self) -> FirmwareAngles {
        FirmwareAngles::from_array(self.0.map(|angle| steps::radians_of_degrees(text::on_wire(angle))))
    }
}

/// Goal of one joint in degrees: T:121.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JointGoalDegrees {
    joint: Joint,
    angle_deg: f64,
}

impl JointGoalDegrees {
    /// Checks the angle as [`GoalDegrees::new`] does.
    pub fn new(joint: Joint, angle_deg: f64) -> Result<Self, Error> {
        check_degrees(joint, angle_deg).map(|()| Self { joint, angle_deg })
    }

    /// The joint.
    #[must_use]
    pub const fn joint(self) -> Joint {
        self.joint
    }

    /// Its goal, degrees.
    #[must_use]
    pub const fn angle_deg(self) -> f64 {
        self.angle_deg
    }
}
