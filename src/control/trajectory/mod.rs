//! From the actions of a policy to a motion that an arm can follow.
//!
//! | part | what |
//! | --- | --- |
//! | [`resampling`] | actions, a few tens a second -> position, velocity and acceleration at any time |
//! | [`blending`] | an offset in pose, velocity and acceleration that fades away |
//! | [`follower`] | follows any reference inside bounds on position, velocity, acceleration and jerk |
//! | [`smoothness`] | how large the steps and the jerk of what was sent are |
//! | [`servo_profile`] | speed and acceleration for the servos' own trapezoid |

mod blending;
mod bounds;
mod follower;
mod resampling;
mod servo_profile;
mod smoothness;
mod stopping;

pub(super) use blending::Blend;
pub use bounds::MotionBounds;
pub(super) use follower::{Follower, GRID};
pub(super) use resampling::{Segment, slope};
pub use servo_profile::{ServoProfile, servo_profile};
pub use smoothness::{JerkReport, StepReport};

/// Position, velocity and acceleration of one joint: rad, rad/s, rad/s² (or, where said, per action).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct JointState {
    pub(super) position: f64,
    pub(super) velocity: f64,
    pub(super) acceleration: f64,
}

impl JointState {
    /// Standing at a position.
    pub(super) const fn at_rest(position: f64) -> Self {
        Self { position, velocity: 0.0, acceleration: 0.0 }
    }

    /// Component by component.
    pub(super) fn minus(&self, other: &Self) -> Self {
        Self {
            position: self.position - other.position,
            velocity: self.velocity - other.velocity,
            acceleration: self.acceleration - other.acceleration,
        }
    }

    /// Component by component.
    pub(super) fn plus(&self, other: &Self) -> Self {
        Self {
            position: self.position + other.position,
            velocity: self.velocity + other.velocity,
            acceleration: self.acceleration + other.acceleration,
        }
    }
}
