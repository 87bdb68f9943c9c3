//! The arm as primitive shapes, each fixed to the frame of a link.
//!
//! Joint origins are the vendor's (`calibration::kinematics`). The shapes around them are our own, by eye from pictures of
//! the arm: the vendor's meshes carry no licence that would let us ship them.

use calibration::kinematics::Link;

use super::shape::{ALUMINIUM, ANODISED_GREY, Axis, BLACK_PLASTIC, Material, STEEL, Shape};

/// One rigid piece of the arm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ArmShape {
    /// The link that carries it.
    pub link: Link,
    /// Its shape, axes parallel to the link's frame.
    pub shape: Shape,
    /// Its centre in the link's frame, metres.
    pub centre_m: [f64; 3],
    /// Its surface.
    pub material: Material,
}

const fn cuboid(
    link: Link,
    centre_m: [f64; 3],
    half_size_m: [f64; 3],
    bevel_m: f64,
    material: Material,
) -> ArmShape {
    ArmShape { link, shape: Shape::Cuboid { half_size_m, bevel_m }, centre_m, material }
}

const fn cylinder(
    link: Link,
    axis: Axis,
    centre_m: [f64; 3],
    [radius_m, half_length_m]: [f64; 2],
    material: Material,
) -> ArmShape {
    let shape = Shape::Cylinder { axis, radius_m, half_length_m, bevel_m: 0.0015 };
    ArmShape { link, shape, centre_m, material }
}

/// The hand's body, between wrist and jaws.
pub const PALM: ArmShape =
    cuboid(Link::Link5, [-0.008, 0.0, 0.030], [0.0160, 0.0160, 0.0215], 0.002, BLACK_PLASTIC);
/// The jaw that stands still in the hand; its face is the plane x = 0 of the hand's frame.
pub const FIXED_JAW: ArmShape =
    cuboid(Link::Link5, [-0.0045, 0.0, 0.086], [0.0045, 0.0105, 0.0345], 0.001, ALUMINIUM);
/// The jaw that the gripper joint turns; its face is the plane y = 0 of its own frame.
pub const MOVING_JAW: ArmShape =
    cuboid(Link::Gripper, [0.034, 0.0045, -0.018_821], [0.0300, 0.0045, 0.0105], 0.001, ANODISED_GREY);

/// All pieces, from the table to the jaw.
pub const ARM_SHAPES: &[ArmShape] = &[
    // base plate with its four bolts, servo tower, turntable
    cuboid(Link::Base, [-0.0068, 0.0, -0.0651], [0.060, 0.047, 0.005], 0.002, ANODISED_GREY),
    cylinder(Link::Base, Axis::Z, [0.043, 0.037, -0.0590], [0.0045, 0.0022], STEEL),
    cylinder(Link::Base, Axis::Z, [0.043, -0.037, -0.0590], [0.0045, 0.0022], STEEL),
    cylinder(Link::Base, Axis::Z, [-0.057, 0.037, -0.0590], [0.0045, 0.0022], STEEL),
    cylinder(Link::Base, Axis::Z, [-0.057, -0.037, -0.0590], [0.0045, 0.0022], STEEL),
    cuboid(Link::Base, [-0.004, 0.0, -0.036], [0.035, 0.030, 0.026], 0.003, BLACK_PLASTIC),
    cylinder(Link::Base, Axis::Z, [0.0, 0.0, -0.006], [0.037, 0.006], ALUMINIUM),
    // shoulder yoke
    cylinder(Link::Link1, Axis::Z, [0.0, 0.0, 0.007], [0.034, 0.007], ANODISED_GREY),
    cuboid(Link::Link1, [0.0, 0.0, 0.042], [0.016, 0.0205, 0.030], 0.002, BLACK_PLASTIC),
    cuboid(Link::Link1, [0.0, 0.0310, 0.038], [0.017, 0.0025, 0.030], 0.001, ALUMINIUM),
    cuboid(Link::Link1, [0.0, -0.0310, 0.038], [0.017, 0.0025, 0.030], 0.001, ALUMINIUM),
    cylinder(Link::Link1, Axis::Y, [0.0, 0.0, 0.051_959], [0.0185, 0.0360], ANODISED_GREY),
    cylinder(Link::Link1, Axis::Y, [0.0, 0.0, 0.051_959], [0.0070, 0.0385], STEEL),
    // upper arm: two plates, a spacer, the elbow's servo
    cuboid(Link::Link2, [0.112, 0.004, 0.0245], [0.126, 0.0150, 0.0022], 0.001, ALUMINIUM),
    cuboid(Link::Link2, [0.112, 0.004, -0.0245], [0.126, 0.0150, 0.0022], 0.001, ALUMINIUM),
    cuboid(Link::Link2, [0.045, 0.003, 0.0], [0.024, 0.0110, 0.0215], 0.002, BLACK_PLASTIC),
    cuboid(Link::Link2, [0.135, 0.004, 0.0], [0.040, 0.0095, 0.0215], 0.002, ANODISED_GREY),
    cuboid(Link::Link2, [0.226, 0.019, 0.0], [0.0145, 0.0270, 0.0215], 0.002, BLACK_PLASTIC),
    cuboid(Link::Link2, [0.230, 0.024, 0.0245], [0.0150, 0.0200, 0.0022], 0.001, ALUMINIUM),
    cuboid(Link::Link2, [0.230, 0.024, -0.0245], [0.0150, 0.0200, 0.0022], 0.001, ALUMINIUM),
    // forearm: two plates between elbow and wrist
    cylinder(Link::Link3, Axis::Z, [0.0, 0.0, 0.0], [0.0175, 0.0305], ANODISED_GREY),
    cylinder(Link::Link3, Axis::Z, [0.0, 0.0, 0.0], [0.0065, 0.0330], STEEL),
    cuboid(Link::Link3, [0.0, -0.072, 0.0185], [0.0125, 0.084, 0.0020], 0.001, ALUMINIUM),
    cuboid(Link::Link3, [0.0, -0.072, -0.0185], [0.0125, 0.084, 0.0020], 0.001, ALUMINIUM),
    cuboid(Link::Link3, [0.0, -0.062, 0.0], [0.0090, 0.034, 0.0160], 0.002, ANODISED_GREY),
    cuboid(Link::Link3, [0.0, -0.132, 0.0], [0.0120, 0.020, 0.0162], 0.002, BLACK_PLASTIC),
    // wrist
    cylinder(Link::Link4, Axis::Z, [0.0, 0.0, 0.0], [0.0150, 0.0235], ANODISED_GREY),
    cylinder(Link::Link4, Axis::Z, [0.0, 0.0, 0.0], [0.0055, 0.0255], STEEL),
    cuboid(Link::Link4, [0.010, -0.027, 0.0], [0.0130, 0.0240, 0.0175], 0.002, BLACK_PLASTIC),
    // hand with the fixed jaw
    cylinder(Link::Link5, Axis::Z, [0.0, 0.0, 0.003], [0.0170, 0.0055], ALUMINIUM),
    PALM,
    FIXED_JAW,
    // moving jaw
    cylinder(Link::Gripper, Axis::Z, [0.0, 0.0, -0.0095], [0.0100, 0.0215], STEEL),
    MOVING_JAW,
];
