//! Radians and servo steps: 4096 to a turn, 0.0015340 rad (0.0879°) each.
//!
//! The firmware commands around step 2047 and reads around step 2048, so a joint commanded to 0 reads back one step away:
//! base and roll +0.00153 rad, shoulder and wrist −0.00153 rad (firmware G1 `calculatePosByRad`,
//! `calculateRadByFeedback`). Both conversions here are the firmware's, with its rounding (half away from zero), its
//! order of clamping and its wrap at 16 bits.

use core::f64::consts::PI;

use crate::limits::{self, StepRange};
use crate::{FirmwareAngles, Generation, Joint};

/// Servo steps in a full turn.
pub const STEPS_PER_TURN: u16 = 4096;

/// One servo step, rad.
pub const STEP_RAD: f64 = 2.0 * PI / 4096.0;

/// Converts as the board's compiler library does: truncates towards zero, saturates, and takes NaN for the largest integer.
fn to_int(value: f64) -> i32 {
    if value.is_nan() { i32::MAX } else { value as i32 }
}

/// Keeps the low 16 bits, as the firmware's `s16` does.
fn to_s16(value: f64) -> i32 {
    i32::from(to_int(value) as i16)
}

/// `constrain` of Arduino: NaN passes through, as it does there.
fn constrain(value: f64, low: f64, high: f64) -> f64 {
    if value < low {
        low
    } else if value > high {
        high
    } else {
        value
    }
}

fn turn_steps(angle_rad: f64) -> f64 {
    libm::round((angle_rad / (2.0 * PI)) * f64::from(STEPS_PER_TURN))
}

/// The goal step that the firmware writes to a joint's (driving) servo for a commanded angle.
///
/// Any input has an answer, as on the board: base and roll at +π or above give **−1** (see [`limits`] for the ranges that
/// never do), elbow and hand wrap beyond about ±50 rad.
#[must_use]
pub fn goal(generation: Generation, joint: Joint, angle_rad: f64) -> i32 {
    let StepRange { min, max } = limits::step_range(generation, joint);
    match joint {
        Joint::Base => to_s16(turn_steps(-constrain(angle_rad, -PI, PI)) + 2047.0),
        Joint::Roll => 2047 - to_s16(turn_steps(constrain(angle_rad, -PI, PI))),
        Joint::Shoulder | Joint::Wrist => {
            2047 + to_s16(turn_steps(constrain(angle_rad, -PI / 2.0, PI / 2.0)))
        }
        Joint::Elbow => to_s16(turn_steps(angle_rad) + 1024.0).clamp(min, max),
        Joint::Hand => to_s16(turn_steps(angle_rad)).clamp(min, max),
    }
}

/// Degrees of T:121 and T:122 to radians, in the firmware's order of operations: half-way angles depend on it.
#[must_use]
pub fn radians_of_degrees(angle_deg: f64) -> f64 {
    angle_deg / 180.0 * PI
}

/// The goal step of servo 13, which mirrors the shoulder's servo 12.
#[must_use]
pub const fn shoulder_mirror(driving: i32) -> i32 {
    4094 - driving
}

/// The angle that the firmware reports for a measured step, rad.
#[must_use]
pub fn feedback_rad(joint: Joint, steps: i32) -> f64 {
    let angle_rad = f64::from(steps.wrapping_mul(2)) * PI / f64::from(STEPS_PER_TURN);
    match joint {
        Joint::Base | Joint::Roll => PI - angle_rad,
        Joint::Shoulder | Joint::Wrist => angle_rad - PI,
        Joint::Elbow => angle_rad - PI / 2.0,
        Joint::Hand => angle_rad,
    }
}

/// [`goal`] for all joints.
#[must_use]
pub fn goals(generation: Generation, angles: FirmwareAngles) -> [i32; 6] {
    let angles = angles.to_array();
    Joint::ALL.map(|joint| goal(generation, joint, angles[joint.index()]))
}

/// [`feedback_rad`] for all joints.
#[must_use]
pub fn feedback_angles(steps: [i32; 6]) -> FirmwareAngles {
    FirmwareAngles::from_array(Joint::ALL.map(|joint| feedback_rad(joint, steps[joint.index()])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commanded_zero_reads_back_one_step_away() {
        let goals = goals(Generation::G1, FirmwareAngles::default());
        assert_eq!(goals, [2047, 2047, 1024, 2047, 2047, 700]);
        let measured = feedback_angles(goals);
        assert!((measured.base_rad - STEP_RAD).abs() < 1e-9);
        assert!((measured.shoulder_rad + STEP_RAD).abs() < 1e-9);
        assert!(measured.elbow_rad.abs() < 1e-9);
        assert!((measured.roll_rad - STEP_RAD).abs() < 1e-9);
    }

    #[test]
    fn traps_of_the_reference() {
        let g1 = |joint, angle| goal(Generation::G1, joint, angle);
        assert_eq!(g1(Joint::Base, PI), -1);
        assert_eq!(g1(Joint::Roll, 99.0), -1);
        assert_eq!(g1(Joint::Base, -PI), 4095);
        assert_eq!(g1(Joint::Hand, 103.212), 1748);
        assert_eq!(g1(Joint::Elbow, -98.9), 2087);
        assert_eq!(g1(Joint::Elbow, 67.37), 512);
        assert_eq!(g1(Joint::Shoulder, 3.0), 2047 + 1024);
        assert_eq!(goal(Generation::G3, Joint::Elbow, -0.5), 1024);
        assert_eq!(goal(Generation::G1b, Joint::Elbow, 3.1), 2960);
        assert_eq!(goal(Generation::G1b, Joint::Hand, 4.5), 2596);
        // NaN, as inverse kinematics gives it for a target out of reach.
        let nan = |joint| goal(Generation::G1, joint, f64::NAN);
        assert_eq!((nan(Joint::Shoulder), nan(Joint::Elbow), nan(Joint::Wrist)), (2046, 512, 2046));
        assert!((feedback_rad(Joint::Base, -1) - 3.143126634).abs() < 1e-9);
    }

    #[test]
    fn never_read_servos_stand_at_step_zero() {
        let angles = feedback_angles([0; 6]);
        assert_eq!(angles.to_array(), [PI, -PI, -PI / 2.0, -PI, PI, 0.0]);
    }
}
