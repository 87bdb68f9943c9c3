//! What a joint accepts, by firmware generation.
//!
//! The board clamps silently. A goal inside these ranges is executed as given (to half a step, 0.044°); base and roll end
//! one step short of +π, since +π itself becomes goal step −1, whose effect in the servo is unknown.
//!
//! | joint | G1 | G1b | G3 |
//! |---|---|---|---|
//! | base, roll | −π..3.1401 | as G1 | as G1 |
//! | shoulder, wrist | ±π/2 | as G1 | as G1 |
//! | elbow | −0.7854..3.1401 | −0.7854..2.9698 | 0..3.1401 |
//! | hand | 1.0738..5.2094 | 1.0738..3.9822 | 1.0738..5.2094 |
//!
//! Source: `calculatePosByRad` and `constrain` calls of firmware G1, G1b, G3. No generation checks for collisions.

use core::f64::consts::{FRAC_PI_2, PI};

use crate::steps::STEP_RAD;
use crate::{FirmwareAngles, Generation, Joint};

/// Goal steps that a servo is given, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepRange {
    /// Lowest goal step.
    pub min: i32,
    /// Highest goal step.
    pub max: i32,
}

/// An interval of angles, both ends included, rad.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AngleRange {
    /// Lowest angle, rad.
    pub min_rad: f64,
    /// Highest angle, rad.
    pub max_rad: f64,
}

impl AngleRange {
    /// Whether the angle lies inside; never for NaN.
    #[must_use]
    pub fn contains(self, angle_rad: f64) -> bool {
        self.min_rad <= angle_rad && angle_rad <= self.max_rad
    }

    /// The nearest angle inside. NaN stays NaN: test for it before.
    #[must_use]
    pub fn clamp(self, angle_rad: f64) -> f64 {
        if angle_rad < self.min_rad {
            self.min_rad
        } else if angle_rad > self.max_rad {
            self.max_rad
        } else {
            angle_rad
        }
    }
}

/// The goal steps of a joint that angles inside its range lead to.
#[must_use]
pub const fn step_range(generation: Generation, joint: Joint) -> StepRange {
    let (min, max) = match (joint, generation) {
        (Joint::Base | Joint::Roll, _) => (0, 4095),
        (Joint::Shoulder | Joint::Wrist, _) => (1023, 3071),
        (Joint::Elbow, Generation::G1) => (512, 3071),
        (Joint::Elbow, Generation::G1b) => (512, 2960),
        (Joint::Elbow, Generation::G3) => (1024, 3071),
        (Joint::Hand, Generation::G1 | Generation::G3) => (700, 3396),
        (Joint::Hand, Generation::G1b) => (700, 2596),
    };
    StepRange { min, max }
}

/// The angles that a joint of this generation really goes to.
#[must_use]
pub const fn joint_range(generation: Generation, joint: Joint) -> AngleRange {
    let StepRange { min, max } = step_range(generation, joint);
    let (min_rad, max_rad) = match joint {
        Joint::Base | Joint::Roll => (-PI, PI - STEP_RAD),
        Joint::Shoulder | Joint::Wrist => (-FRAC_PI_2, FRAC_PI_2),
        Joint::Elbow => ((min - 1024) as f64 * STEP_RAD, (max - 1024) as f64 * STEP_RAD),
        Joint::Hand => (min as f64 * STEP_RAD, max as f64 * STEP_RAD),
    };
    AngleRange { min_rad, max_rad }
}

/// [`joint_range`] of all joints, in the order of [`Joint::ALL`].
#[must_use]
pub const fn ranges(generation: Generation) -> [AngleRange; 6] {
    [
        joint_range(generation, Joint::Base),
        joint_range(generation, Joint::Shoulder),
        joint_range(generation, Joint::Elbow),
        joint_range(generation, Joint::Wrist),
        joint_range(generation, Joint::Roll),
        joint_range(generation, Joint::Hand),
    ]
}

/// The first joint whose angle lies outside the generation's range (NaN lies outside).
#[must_use]
pub fn first_outside(generation: Generation, angles: FirmwareAngles) -> Option<Joint> {
    let (ranges, angles) = (ranges(generation), angles.to_array());
    Joint::ALL.into_iter().find(|joint| !ranges[joint.index()].contains(angles[joint.index()]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps;
    use proptest::prelude::*;

    #[test]
    fn ends_of_the_ranges_are_those_of_the_reference() {
        let elbow = |generation| joint_range(generation, Joint::Elbow);
        assert!((elbow(Generation::G1).min_rad.to_degrees() + 45.0).abs() < 1e-9);
        assert!((elbow(Generation::G1b).max_rad - 2.969_8).abs() < 1e-4);
        assert!(elbow(Generation::G3).min_rad.abs() < 1e-12);
        let hand = joint_range(Generation::G1, Joint::Hand);
        assert!((hand.min_rad - 1.073_787).abs() < 1e-6 && (hand.max_rad - 5.209_4).abs() < 1e-4);
        assert_eq!(first_outside(Generation::G3, FirmwareAngles::HOME), None);
        let below = FirmwareAngles { elbow_rad: -0.1, ..FirmwareAngles::HOME };
        assert_eq!(first_outside(Generation::G3, below), Some(Joint::Elbow));
        let nan = FirmwareAngles { roll_rad: f64::NAN, ..FirmwareAngles::HOME };
        assert_eq!(first_outside(Generation::G1, nan), Some(Joint::Roll));
    }

    #[test]
    fn both_ends_of_every_range_are_servo_steps() {
        for generation in Generation::ALL {
            for joint in Joint::ALL {
                let (range, StepRange { min, max }) =
                    (joint_range(generation, joint), step_range(generation, joint));
                for end in [range.min_rad, range.max_rad] {
                    let goal = steps::goal(generation, joint, (end * 1e4).round() / 1e4);
                    assert!((min..=max).contains(&goal), "{generation} {joint} {end}: {goal}");
                }
                let goals = [range.min_rad, range.max_rad].map(|end| steps::goal(generation, joint, end));
                assert_eq!((max - min) - (goals[0] - goals[1]).abs(), 0, "{generation} {joint}");
            }
        }
    }

    proptest! {
        /// An angle inside the range is executed: its goal is a servo step, never clamped away by more than half a step.
        /// The angle is rounded to the 4 decimals of the wire first.
        #[test]
        fn inside_is_executed(generation in 0_usize..3, joint in 0_usize..6, part in 0.0..=1.0_f64) {
            let (generation, joint) = (Generation::ALL[generation], Joint::ALL[joint]);
            let range = joint_range(generation, joint);
            let angle = range.min_rad + part * (range.max_rad - range.min_rad);
            let wire = (angle * 1e4).round() / 1e4;
            let goal = steps::goal(generation, joint, wire);
            prop_assert!((0..=4095).contains(&goal));
            // 2047 commands what 2048 reads; elbow and hand have no such bias.
            let sign = if matches!(joint, Joint::Base | Joint::Roll) { -1.0 } else { 1.0 };
            let bias = if matches!(joint, Joint::Elbow | Joint::Hand) { 0.0 } else { sign * STEP_RAD };
            prop_assert!((steps::feedback_rad(joint, goal) + bias - angle).abs() <= STEP_RAD / 2.0 + 1e-4);
        }
    }
}
