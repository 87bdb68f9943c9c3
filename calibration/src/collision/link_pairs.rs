//! Which links can meet.

use crate::kinematics::Link::{self, Base, Gripper, Link1, Link2, Link3, Link4, Link5};

/// Pairs of links that some pose inside the widest firmware limits brings together, forearm and base only just.
///
/// Left out are neighbours, which always touch at their joint and are kept apart by its limits (the elbow stands 30 mm before
/// the upper arm, so that the folded forearm lies beside it, and what follows is checked: wrist and hand against upper arm),
/// and pairs kept apart by the arm's own lengths, such as forearm and yoke (a test samples them over all limits).
pub const MEETING_LINKS: [(Link, Link); 10] = [
    (Base, Link3),
    (Base, Link4),
    (Base, Link5),
    (Base, Gripper),
    (Link1, Link4),
    (Link1, Link5),
    (Link1, Gripper),
    (Link2, Link4),
    (Link2, Link5),
    (Link2, Gripper),
];
