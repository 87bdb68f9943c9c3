//! From the actions of a policy to a motion that an arm can follow.
//!
//! | part | what |
//! | --- | --- |
//! | [`resampling`] | actions, a few tens a second -> position, velocity and acceleration at any time |
//! | [`follower`] | follows any reference inside bounds on position, velocity, acceleration and jerk |
//! | [`smoothness`] | how large the steps and the jerk of what was written are, at seams and elsewhere |

mod bounds;
mod follower;
mod resampling;
mod smoothness;
mod stopping;

pub use bounds::MotionBounds;
pub(super) use follower::{Follower, GRID};
pub(super) use resampling::{Segment, slope};
pub(super) use smoothness::Smoothness;
pub use smoothness::{MotionLimits, MotionReport};

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
}
