//! Where the boxes stand.

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

/// Pose of a box; it stands upright.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoxPose {
    /// Its centre, metres.
    pub centre_m: [f64; 3],
    /// Turn about the vertical, radians.
    pub yaw_rad: f64,
}

impl BoxPose {
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
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

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
