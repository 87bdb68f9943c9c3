//! What the links weigh.

use calibration::kinematics::Link;

/// Mass and its distribution of one link, in the link's frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inertia {
    /// The link.
    pub(super) link: Link,
    /// Mass, kg.
    pub(super) mass_kg: f64,
    /// Centre of mass, metres.
    pub(super) centre_m: [f64; 3],
    /// Moments about the centre of mass, axes parallel to the link's, kg·m².
    pub(super) moments_kg_m2: [f64; 3],
}

/// The vendor's file adds up to 0.45 kg, the arm on a scale to about 1 kg: the file leaves the servos out. So much heavier is each link.
const WITH_SERVOS: f64 = 2.2;

const fn vendors(link: Link, mass_kg: f64, centre_m: [f64; 3], moments_kg_m2: [f64; 3]) -> Inertia {
    let [x, y, z] = moments_kg_m2;
    Inertia {
        link,
        mass_kg: mass_kg * WITH_SERVOS,
        centre_m,
        moments_kg_m2: [x * WITH_SERVOS, y * WITH_SERVOS, z * WITH_SERVOS],
    }
}

/// Source: `roarm_m3.xacro` of `waveshareteam/roarm_ws`, as the joint origins (`calibration::kinematics`).
pub(super) const INERTIAS: [Inertia; 7] = [
    vendors(Link::Base, 0.256_218_3, [-0.0068, 0.0, -0.03], [2.921_1e-4, 3.571_9e-4, 3.494_21e-4]),
    vendors(Link::Link1, 0.072_917_7, [0.0, 0.0, 0.037], [4.684_65e-5, 3.321_07e-5, 5.010_23e-5]),
    vendors(Link::Link2, 0.070_321_6, [0.119, 0.012_247, -0.0001], [5.465_01e-5, 4.230_91e-4, 4.045_57e-4]),
    vendors(Link::Link3, 0.021_608, [-0.0015, -0.0765, 0.005_05], [6.376_99e-5, 3.670_26e-6, 6.289_65e-5]),
    vendors(Link::Link4, 0.009_993_3, [-0.0015, -0.022, -0.000_75], [4.539_79e-6, 3.781_03e-6, 5.602_38e-6]),
    vendors(Link::Link5, 0.015_392_8, [-0.0078, 0.0, 0.0595], [2.028_69e-5, 2.144_27e-5, 4.394_95e-6]),
    vendors(Link::Gripper, 0.002_870_8, [0.027, 0.0027, -0.018_935], [5.232_16e-7, 1.820_71e-6, 1.602_31e-6]),
];
