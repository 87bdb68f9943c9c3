//! Where the boxes stand.

use nalgebra::{Isometry3, Translation3, UnitQuaternion, Vector3};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::BOX_COUNT;

/// Half the edge of a box, metres.
pub const BOX_HALF_SIZE_M: f64 = 0.015;

/// Distance of a box from the base axis, metres: what the hand reaches pointing down.
const REACH_M: [f64; 2] = [0.19, 0.33];
/// Largest bearing of a box to either side, radians.
const BEARING_RAD: f64 = 35.0 * std::f64::consts::PI / 180.0;
/// Largest turn of a box against its bearing, radians: the hand, which points straight ahead, meets faces and not corners.
const TURN_RAD: f64 = 0.2;
/// Least distance between box centres, metres: room for the open hand.
const CLEARANCE_M: f64 = 0.085;

/// Pose of a box.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BoxPose {
    /// Its centre, metres.
    pub centre_m: [f64; 3],
    /// Turn about the vertical, radians.
    pub yaw_rad: f64,
    /// Roll and pitch before that turn, radians: 0 for a box that stands upright, as all do at the start.
    pub tilt_rad: [f64; 2],
}

impl BoxPose {
    /// The box whose frame stands so.
    pub fn at(frame: &Isometry3<f64>) -> Self {
        let (roll_rad, pitch_rad, yaw_rad) = frame.rotation.euler_angles();
        Self { centre_m: frame.translation.vector.into(), yaw_rad, tilt_rad: [roll_rad, pitch_rad] }
    }

    /// Its frame in the world.
    pub fn in_world(&self) -> Isometry3<f64> {
        let turn = UnitQuaternion::from_axis_angle(&Vector3::z_axis(), self.yaw_rad);
        let [roll_rad, pitch_rad] = self.tilt_rad;
        let tilt = UnitQuaternion::from_euler_angles(roll_rad, pitch_rad, 0.0);
        Isometry3::from_parts(Translation3::from(self.centre_m), turn * tilt)
    }

    fn distance_m(&self, other: &Self) -> f64 {
        f64::hypot(self.centre_m[0] - other.centre_m[0], self.centre_m[1] - other.centre_m[1])
    }
}

/// Draws until the boxes stand apart; two of three draws do.
pub(super) fn place_boxes(generator: &mut ChaCha8Rng) -> [BoxPose; BOX_COUNT] {
    loop {
        let boxes = [draw(generator), draw(generator)];
        if boxes[0].distance_m(&boxes[1]) >= CLEARANCE_M {
            return boxes;
        }
    }
}

fn draw(generator: &mut ChaCha8Rng) -> BoxPose {
    let reach_m = generator.random_range(REACH_M[0]..REACH_M[1]);
    let bearing_rad: f64 = generator.random_range(-BEARING_RAD..BEARING_RAD);
    BoxPose {
        centre_m: [reach_m * bearing_rad.cos(), reach_m * bearing_rad.sin(), BOX_HALF_SIZE_M],
        yaw_rad: bearing_rad + generator.random_range(-TURN_RAD..TURN_RAD),
        tilt_rad: [0.0; 2],
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn a_frame_makes_a_box_and_a_box_its_frame() {
        let frame = Isometry3::from_parts(
            Translation3::new(0.2, -0.1, 0.07),
            UnitQuaternion::from_euler_angles(0.4, -0.3, 2.1),
        );
        let again = BoxPose::at(&frame).in_world();
        assert!((again.to_homogeneous() - frame.to_homogeneous()).norm() < 1e-12, "{again}");
        let upright = BoxPose { centre_m: [0.2, 0.0, 0.015], yaw_rad: 0.7, tilt_rad: [0.0; 2] };
        let turn = UnitQuaternion::from_axis_angle(&Vector3::z_axis(), 0.7);
        assert_eq!(upright.in_world().rotation, turn, "to the last bit: pictures depend on it");
    }

    #[test]
    fn boxes_stand_apart_and_in_reach() {
        for seed in 0..500 {
            let boxes = place_boxes(&mut ChaCha8Rng::seed_from_u64(seed));
            assert!(boxes[0].distance_m(&boxes[1]) >= CLEARANCE_M, "seed {seed}");
            for pose in boxes {
                let [x, y, z] = pose.centre_m;
                assert!((REACH_M[0]..=REACH_M[1]).contains(&x.hypot(y)), "seed {seed}");
                assert!(y.atan2(x).abs() <= BEARING_RAD && z == BOX_HALF_SIZE_M, "seed {seed}");
                assert!((pose.yaw_rad - y.atan2(x)).abs() <= TURN_RAD, "seed {seed}");
            }
        }
    }
}
