//! Where the arm may be.

use nalgebra::Point3;

use super::clearance::RULE_COUNT;
use super::{ArmCapsules, Capsule, Clearance, Clearances, KeepOutBox, PlacedCapsules, PoseRefused, Rule};
use crate::JointAngles;
use crate::kinematics::Link;

/// The links that joints bring to other places: base and yoke stay where they are.
const TRAVELLING_LINKS: [Link; 5] = [Link::Link2, Link::Link3, Link::Link4, Link::Link5, Link::Gripper];

/// The plane of the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Table {
    /// Its height in the world frame, metres: 0 where the base stands on it.
    pub height_m: f64,
    /// Least height of every link above it, metres.
    pub clearance_m: f64,
}

/// An upright cylinder about the base axis that the arm stays inside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReachCylinder {
    /// Its radius, metres.
    pub radius_m: f64,
    /// Height of its top above the table the base stands on, metres; infinite for none.
    pub top_m: f64,
}

/// A sphere that the arm stays inside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReachSphere {
    /// Its centre in the world frame, metres.
    pub centre_m: Point3<f64>,
    /// Its radius, metres.
    pub radius_m: f64,
}

/// All rules on where the arm may be. Those left out (`None`, no boxes) are not in force; self-collision always is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Workspace {
    /// Least distance between links that can meet, metres.
    pub self_margin_m: f64,
    /// The table.
    pub table: Option<Table>,
    /// Reach about the base axis.
    pub reach_cylinder: Option<ReachCylinder>,
    /// Reach about a point.
    pub reach_sphere: Option<ReachSphere>,
    /// Boxes to keep out of.
    pub keep_out: Vec<KeepOutBox>,
}

impl Workspace {
    /// Refuses a pose that breaks a rule, naming the rule, the link and the distance.
    pub fn check(&self, arm: &ArmCapsules, angles: &JointAngles) -> Result<(), PoseRefused> {
        self.clearances(&arm.place(angles)?).check()
    }

    /// The room that a pose leaves under every rule in force.
    pub fn clearances(&self, placed: &PlacedCapsules) -> Clearances {
        let mut found: [Option<Clearance>; RULE_COUNT] = [None; RULE_COUNT];
        let [self_collision, table, reach_cylinder, reach_sphere, keep_out] = &mut found;
        let (first, second, distance_m) = placed.nearest_links();
        let rule = Rule::SelfCollision { first, second };
        *self_collision = Some(Clearance { rule, distance_m, required_m: self.self_margin_m });
        if let Some(plane) = &self.table {
            let (link, distance_m) = least(placed, |capsule| capsule.lowest_m() - plane.height_m);
            *table =
                Some(Clearance { rule: Rule::Table { link }, distance_m, required_m: plane.clearance_m });
        }
        if let Some(cylinder) = &self.reach_cylinder {
            let (link, distance_m) = least(placed, |capsule| cylinder.room_m(capsule));
            *reach_cylinder =
                Some(Clearance { rule: Rule::ReachCylinder { link }, distance_m, required_m: 0.0 });
        }
        if let Some(sphere) = &self.reach_sphere {
            let (link, distance_m) = least(placed, |capsule| sphere.room_m(capsule));
            *reach_sphere = Some(Clearance { rule: Rule::ReachSphere { link }, distance_m, required_m: 0.0 });
        }
        for (index, area) in self.keep_out.iter().enumerate() {
            let (link, distance_m) = least(placed, |capsule| area.distance_m(capsule));
            let clearance =
                Clearance { rule: Rule::KeepOut { link, index }, distance_m, required_m: area.clearance_m };
            let room = |clearance: &Clearance| clearance.distance_m - clearance.required_m;
            if keep_out.as_ref().is_none_or(|least| is_less(room(&clearance), room(least))) {
                *keep_out = Some(clearance);
            }
        }
        Clearances(found)
    }
}

impl ReachCylinder {
    /// How far inside a capsule stays; the farthest point of a capsule from an axis is at one of its ends.
    fn room_m(&self, capsule: &Capsule) -> f64 {
        let farthest_m =
            capsule.start_m.x.hypot(capsule.start_m.y).max(capsule.end_m.x.hypot(capsule.end_m.y));
        let room_m = self.radius_m - farthest_m - capsule.radius_m;
        let below_m = self.top_m - capsule.highest_m();
        if is_less(below_m, room_m) { below_m } else { room_m }
    }
}

impl ReachSphere {
    /// How far inside a capsule stays.
    fn room_m(&self, capsule: &Capsule) -> f64 {
        let from_centre_m = |end: &Point3<f64>| (end - self.centre_m).norm();
        self.radius_m - from_centre_m(&capsule.start_m).max(from_centre_m(&capsule.end_m)) - capsule.radius_m
    }
}

/// The travelling link with the least of a distance.
fn least(placed: &PlacedCapsules, distance_m: impl Fn(&Capsule) -> f64) -> (Link, f64) {
    let mut found = (Link::Link2, f64::INFINITY);
    for link in TRAVELLING_LINKS {
        for capsule in placed.of(link) {
            let distance_m = distance_m(capsule);
            if is_less(distance_m, found.1) {
                found = (link, distance_m);
            }
        }
    }
    found
}

/// Order with NaN below everything, so that a NaN in the settings is found and refused instead of passed over.
fn is_less(first: f64, second: f64) -> bool {
    first < second || (first.is_nan() && !second.is_nan())
}
