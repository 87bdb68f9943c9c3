//! An offset that fades away.

use super::JointState;

/// One joint's offset from a reference, from a given position, velocity and acceleration to none of the three.
///
/// The polynomial of fifth degree that meets all six conditions: added to a reference, it leaves pose, velocity and
/// acceleration continuous at both ends, however the reference jumped.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in super::super) struct Blend {
    initial: JointState,
    duration_s: f64,
    cubic: f64,
    quartic: f64,
    quintic: f64,
}

impl Blend {
    /// Fades `offset` away within `duration_s`; a duration of zero takes it away at once.
    pub(in super::super) fn new(offset: JointState, duration_s: f64) -> Self {
        if duration_s <= 0.0 {
            return Self::default();
        }
        let t = duration_s;
        let JointState { position, velocity, acceleration } = offset;
        Self {
            initial: offset,
            duration_s,
            cubic: -(20.0 * position + 12.0 * velocity * t + 3.0 * acceleration * t * t) / (2.0 * t.powi(3)),
            quartic: (30.0 * position + 16.0 * velocity * t + 3.0 * acceleration * t * t) / (2.0 * t.powi(4)),
            quintic: -(12.0 * position + 6.0 * velocity * t + acceleration * t * t) / (2.0 * t.powi(5)),
        }
    }

    /// The offset `elapsed_s` after the beginning.
    pub(in super::super) fn at(&self, elapsed_s: f64) -> JointState {
        if elapsed_s >= self.duration_s {
            return JointState::default();
        }
        let t = elapsed_s.max(0.0);
        let Self { initial: JointState { position, velocity, acceleration }, cubic, quartic, quintic, .. } =
            *self;
        JointState {
            position: position
                + t * (velocity + t * (acceleration / 2.0 + t * (cubic + t * (quartic + t * quintic)))),
            velocity: velocity
                + t * (acceleration + t * (3.0 * cubic + t * (4.0 * quartic + t * 5.0 * quintic))),
            acceleration: acceleration + t * (6.0 * cubic + t * (12.0 * quartic + t * 20.0 * quintic)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn without_time_there_is_no_offset() {
        let blend = Blend::new(JointState::at_rest(1.0), 0.0);
        assert_eq!(blend.at(0.0), JointState::default());
    }

    #[test]
    fn an_offset_in_pose_alone_falls_steadily() {
        let blend = Blend::new(JointState::at_rest(0.2), 0.3);
        let path: Vec<f64> = (0..=300).map(|ms| blend.at(f64::from(ms) * 1e-3).position).collect();
        assert!(path.windows(2).all(|pair| pair[1] <= pair[0]));
        assert!((path[150] - 0.1).abs() < 1e-9 && path[300].abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn both_ends_are_met(
            position in -1.0_f64..1.0, velocity in -2.0_f64..2.0, acceleration in -10.0_f64..10.0, duration in 0.05_f64..1.0,
        ) {
            let offset = JointState { position, velocity, acceleration };
            let blend = Blend::new(offset, duration);
            prop_assert_eq!(blend.at(-0.1), offset);
            let end = blend.at(duration * (1.0 - 1e-9));
            prop_assert!(end.position.abs() < 1e-6 && end.velocity.abs() < 1e-6 && end.acceleration.abs() < 1e-4, "{:?}", end);
            let (at, next) = (blend.at(duration / 3.0), blend.at(duration / 3.0 + 1e-6));
            prop_assert!(((next.position - at.position) / 1e-6 - at.velocity).abs() < 1e-2);
            prop_assert!(((next.velocity - at.velocity) / 1e-6 - at.acceleration).abs() < 1.0);
        }
    }
}
