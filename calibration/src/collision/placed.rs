//! The capsules where a pose puts them.

use nalgebra::Point3;

use super::arm_capsules::{ARM_CAPSULES, CAPSULE_COUNT, FIRST_OF_LINK};
use super::travel::reaches_m;
use super::{Capsule, MEETING_LINKS, PoseRefused};
use crate::kinematics::{ForwardKinematics, Link};
use crate::{JOINT_COUNT, JointAngles};

const LINK_COUNT: usize = Link::ALL.len();

/// A ball around all capsules of a link: a cheap bound on its distance to others.
#[derive(Clone, Copy, Debug)]
struct Ball {
    centre_m: Point3<f64>,
    radius_m: f64,
}

/// The capsule model of the arm; made once.
#[derive(Clone, Debug)]
pub struct ArmCapsules {
    kinematics: ForwardKinematics,
    balls: [Ball; LINK_COUNT],
    /// Distance of the farthest point that each joint moves from the joint's axis, metres.
    pub(super) reaches_m: [f64; JOINT_COUNT],
}

/// The arm's capsules in the world frame, metres.
#[derive(Clone, Copy, Debug)]
pub struct PlacedCapsules {
    capsules: [Capsule; CAPSULE_COUNT],
    balls: [Ball; LINK_COUNT],
}

impl Default for ArmCapsules {
    fn default() -> Self {
        Self {
            kinematics: ForwardKinematics::default(),
            balls: Link::ALL.map(ball_around),
            reaches_m: reaches_m(),
        }
    }
}

impl ArmCapsules {
    /// Where the capsules are for the given angles (joint frame, radians); refuses angles that are not finite.
    pub fn place(&self, angles: &JointAngles) -> Result<PlacedCapsules, PoseRefused> {
        if !angles.is_finite() {
            return Err(PoseRefused::NotFinite);
        }
        let poses = self.kinematics.link_poses(angles);
        let capsules = ARM_CAPSULES.map(|(link, capsule)| capsule.transformed(poses.pose(link)));
        let balls = Link::ALL.map(|link| {
            let Ball { centre_m, radius_m } = self.balls[link as usize];
            Ball { centre_m: poses.pose(link) * centre_m, radius_m }
        });
        Ok(PlacedCapsules { capsules, balls })
    }
}

impl PlacedCapsules {
    /// The capsules of a link.
    pub fn of(&self, link: Link) -> &[Capsule] {
        &self.capsules[FIRST_OF_LINK[link as usize]..FIRST_OF_LINK[link as usize + 1]]
    }

    /// Least distance between two links' surfaces, metres; negative where they overlap (see [`Capsule::distance_m`]).
    pub fn link_distance_m(&self, first: Link, second: Link) -> f64 {
        let of_second = self.of(second);
        self.of(first)
            .iter()
            .flat_map(|one| of_second.iter().map(move |other| one.distance_m(other)))
            .fold(f64::INFINITY, f64::min)
    }

    /// Of the links that can meet ([`MEETING_LINKS`]) the two nearest to each other, and their distance, metres.
    pub fn nearest_links(&self) -> (Link, Link, f64) {
        let mut nearest = (MEETING_LINKS[0].0, MEETING_LINKS[0].1, f64::INFINITY);
        for (first, second) in MEETING_LINKS {
            let (one, other) = (&self.balls[first as usize], &self.balls[second as usize]);
            let at_least_m = (one.centre_m - other.centre_m).norm() - one.radius_m - other.radius_m;
            if at_least_m >= nearest.2 {
                continue;
            }
            let distance_m = self.link_distance_m(first, second);
            if distance_m < nearest.2 {
                nearest = (first, second, distance_m);
            }
        }
        nearest
    }
}

/// A ball in the link's frame around the middle of its capsules' ends.
fn ball_around(link: Link) -> Ball {
    let capsules = &ARM_CAPSULES[FIRST_OF_LINK[link as usize]..FIRST_OF_LINK[link as usize + 1]];
    let ends = || {
        capsules
            .iter()
            .flat_map(|(_, capsule)| [capsule.start_m, capsule.end_m].map(|end| (end, capsule.radius_m)))
    };
    let (low, high) = ends().fold(
        (Point3::from([f64::INFINITY; 3]), Point3::from([f64::NEG_INFINITY; 3])),
        |(low, high), (end, _)| (low.inf(&end), high.sup(&end)),
    );
    let centre_m = nalgebra::center(&low, &high);
    let radius_m = ends().map(|(end, radius_m)| (end - centre_m).norm() + radius_m).fold(0.0, f64::max);
    Ball { centre_m, radius_m }
}
