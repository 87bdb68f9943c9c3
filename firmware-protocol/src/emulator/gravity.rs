//! What the arm's weight does to its joints.

use crate::{FirmwareAngles, Joint};

/// Lengths of upper arm, forearm and hand, mm.
const LINKS_MM: [f64; 3] = [236.8, 144.5, 171.7];
/// Their weights relative to the upper arm's. The hand's is a fit: with it, and twice the sag at joints of one servo, 3° at
/// the stretched shoulder become the 0.35° and 1.7° that were measured at wrist and elbow (see [`super::ServoOptions::stock`]).
const WEIGHTS: [f64; 3] = [1.0, 1.0, 0.45];

/// How hard gravity pulls **each servo** of a joint towards larger angles, relative to a servo of the shoulder with the arm
/// stretched out level. The shoulder has two servos, every other joint one. Base, roll and hand feel nothing.
pub(super) fn pull(angles: FirmwareAngles) -> [f64; 6] {
    let upper = angles.shoulder_rad;
    let fore = upper + angles.elbow_rad;
    let hand = fore + angles.wrist_rad;
    let moments = moments([upper, fore, hand].map(libm::sin));
    let [stretched, _, _] = moments_stretched();
    let [shoulder, elbow, wrist] = moments.map(|moment| moment / stretched);
    let mut pull = [0.0; 6];
    pull[Joint::Shoulder.index()] = shoulder;
    pull[Joint::Elbow.index()] = 2.0 * elbow;
    pull[Joint::Wrist.index()] = 2.0 * wrist;
    pull
}

fn moments_stretched() -> [f64; 3] {
    moments([1.0; 3])
}

/// Moments about shoulder, elbow and wrist for the level parts of the links' directions, each link's weight at its middle.
fn moments(level: [f64; 3]) -> [f64; 3] {
    let reach: [f64; 3] = core::array::from_fn(|link| LINKS_MM[link] * level[link]);
    core::array::from_fn(|joint| {
        (joint..3)
            .map(|link| WEIGHTS[link] * (reach[joint..link].iter().sum::<f64>() + reach[link] / 2.0))
            .sum()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stretched_arm_pulls_most_and_an_upright_one_not_at_all() {
        let level = FirmwareAngles {
            shoulder_rad: core::f64::consts::FRAC_PI_2,
            elbow_rad: 0.0,
            ..FirmwareAngles::HOME
        };
        assert!((pull(level)[1] - 1.0).abs() < 1e-12);
        let upright = FirmwareAngles::default();
        assert!(pull(upright).iter().all(|pull| pull.abs() < 1e-12));
        let home = pull(FirmwareAngles::HOME);
        assert!(home[0] == 0.0 && home[4] == 0.0 && home[5] == 0.0);
        assert!((home[1] - 0.276).abs() < 0.001 && (home[2] - 0.552).abs() < 0.001, "{home:?}");
        assert!((home[3] - 0.121).abs() < 0.001);
        let back = FirmwareAngles { shoulder_rad: -core::f64::consts::FRAC_PI_2, ..level };
        assert!(pull(back)[1] < -0.99, "behind the base it pulls back");
    }
}
