//! The arm's links as capsules, each in the frame of its link.
//!
//! They contain every primitive that the simulated cell draws (a test of the cell proves it), with as little beyond as a few
//! round shapes allow: 4 to 10 mm. The vendor's meshes carry no licence that would let us ship them, so the shapes are by eye
//! from pictures; cables, a camera on the hand and a held object are not in them. Leave a margin.

use nalgebra::Point3;

use super::Capsule;
use crate::kinematics::Link;

const fn capsule(link: Link, start_m: [f64; 3], end_m: [f64; 3], radius_m: f64) -> (Link, Capsule) {
    let [start_x, start_y, start_z] = start_m;
    let [end_x, end_y, end_z] = end_m;
    let start_m = Point3::new(start_x, start_y, start_z);
    let end_m = Point3::new(end_x, end_y, end_z);
    (link, Capsule { start_m, end_m, radius_m })
}

/// Number of capsules.
pub const CAPSULE_COUNT: usize = 19;

/// All capsules from the table to the jaw, in the order of [`Link::ALL`].
pub const ARM_CAPSULES: [(Link, Capsule); CAPSULE_COUNT] = [
    // base plate in three bars, servo tower with the turntable
    capsule(Link::Base, [-0.0600, -0.031, -0.0645], [0.0465, -0.031, -0.0645], 0.0185),
    capsule(Link::Base, [-0.0600, 0.000, -0.0645], [0.0465, 0.000, -0.0645], 0.0185),
    capsule(Link::Base, [-0.0600, 0.031, -0.0645], [0.0465, 0.031, -0.0645], 0.0185),
    capsule(Link::Base, [-0.0040, 0.0, -0.0500], [-0.0040, 0.0, -0.0318], 0.0525),
    // turntable with the lower yoke, shoulder with the servo's axle
    capsule(Link::Link1, [0.0, 0.0, 0.0140], [0.0, 0.0, 0.0300], 0.0390),
    capsule(Link::Link1, [0.0, -0.0300, 0.0525], [0.0, 0.0300, 0.0525], 0.0258),
    // upper arm: one along each plate, the elbow's servo across
    capsule(Link::Link2, [-0.0090, 0.0040, -0.0145], [0.2330, 0.0040, -0.0145], 0.0203),
    capsule(Link::Link2, [-0.0090, 0.0040, 0.0145], [0.2330, 0.0040, 0.0145], 0.0203),
    capsule(Link::Link2, [0.2285, 0.0220, -0.0150], [0.2285, 0.0220, 0.0150], 0.0305),
    // forearm, elbow's axle
    capsule(Link::Link3, [0.0, 0.0070, 0.0], [0.0, -0.1510, 0.0], 0.0247),
    capsule(Link::Link3, [0.0, 0.0, -0.0200], [0.0, 0.0, 0.0200], 0.0210),
    // wrist's servo, wrist's axle
    capsule(Link::Link4, [0.0085, -0.0110, 0.0], [0.0085, -0.0430, 0.0], 0.0245),
    capsule(Link::Link4, [0.0, 0.0, -0.0160], [0.0, 0.0, 0.0160], 0.0175),
    // hand, fixed jaw as two bars
    capsule(Link::Link5, [-0.0040, 0.0, 0.0060], [-0.0040, 0.0, 0.0455], 0.0267),
    capsule(Link::Link5, [-0.0045, -0.0050, 0.0580], [-0.0045, -0.0050, 0.1116], 0.0115),
    capsule(Link::Link5, [-0.0045, 0.0050, 0.0580], [-0.0045, 0.0050, 0.1116], 0.0115),
    // jaw's axle, moving jaw as two bars
    capsule(Link::Gripper, [0.0, 0.0, -0.0255], [0.0, 0.0, 0.0065], 0.0117),
    capsule(Link::Gripper, [0.0129, 0.0045, -0.0238], [0.0551, 0.0045, -0.0238], 0.0115),
    capsule(Link::Gripper, [0.0129, 0.0045, -0.0138], [0.0551, 0.0045, -0.0138], 0.0115),
];

/// First capsule of each link, and the end: link `i` has those from `[i]` to before `[i + 1]`.
pub(super) const FIRST_OF_LINK: [usize; Link::ALL.len() + 1] = {
    let mut first = [0; Link::ALL.len() + 1];
    let mut link = 0;
    while link < Link::ALL.len() {
        let mut index = first[link];
        while index < CAPSULE_COUNT && ARM_CAPSULES[index].0 as usize == link {
            index += 1;
        }
        first[link + 1] = index;
        link += 1;
    }
    // A capsule out of order would be left out.
    assert!(first[Link::ALL.len()] == CAPSULE_COUNT);
    first
};
