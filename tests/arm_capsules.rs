//! The capsules of the collision model against the parts that the simulated cell draws.
//!
//! `calibration` cannot see the drawn parts, the cell can see both: so the proof that the first contain the second stands here.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout)] // helpers of tests fail as tests do

use calibration::collision::{ARM_CAPSULES, ArmCapsules, Capsule, MEETING_LINKS};
use calibration::kinematics::{ForwardKinematics, Link, LinkPoses};
use calibration::{DatasetAngles, Joint, JointAngles, JointLimits};
use firmware_protocol::Generation;
use nalgebra::{Point3, Vector3};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use roarm::sim::scene::{ARM_SHAPES, ArmShape, Axis, Shape};

const COLLIDING_POSES: &str = include_str!("../calibration/tests/data/colliding_poses.csv");

/// Half of the extent along x, y and z of the cuboid around a part, metres; broken edges are taken as whole.
fn half_extent_m(part: &ArmShape) -> Vector3<f64> {
    match part.shape {
        Shape::Cuboid { half_size_m, .. } => half_size_m.into(),
        Shape::Cylinder { axis, radius_m, half_length_m, .. } => {
            let mut half = Vector3::from_element(radius_m);
            half[axis as usize] = half_length_m;
            half
        }
    }
}

/// Distance of a point of the link's frame from a cylinder's axis, if the part is one, less its radius.
fn beyond_the_round_m(part: &ArmShape, point_m: &Point3<f64>) -> f64 {
    let Shape::Cylinder { axis, radius_m, .. } = part.shape else { return f64::NEG_INFINITY };
    let mut offset = point_m - Point3::from(part.centre_m);
    offset[axis as usize] = 0.0;
    offset.norm() - radius_m
}

fn is_inside(part: &ArmShape, point_m: &Point3<f64>) -> bool {
    let offset = point_m - Point3::from(part.centre_m);
    (0..3).all(|axis| offset[axis].abs() < half_extent_m(part)[axis])
        && beyond_the_round_m(part, point_m) < 0.0
}

fn capsules_of(link: Link) -> Vec<Capsule> {
    ARM_CAPSULES.iter().filter(|(owner, _)| *owner == link).map(|(_, capsule)| *capsule).collect()
}

/// Proves that a part lies in the union of capsules, or gives a cell that does not.
///
/// A cell with all corners in one capsule lies in it, since capsules are convex; others are halved along every axis down to
/// 0.3 mm. Cells wholly outside a cylinder's round are left out.
fn uncovered(
    part: &ArmShape,
    capsules: &[Capsule],
    centre_m: Point3<f64>,
    half_m: Vector3<f64>,
) -> Option<Point3<f64>> {
    if beyond_the_round_m(part, &centre_m) > half_m.norm() {
        return None;
    }
    let corner = |index: usize| {
        centre_m + half_m.map_with_location(|axis, _, half| if index >> axis & 1 == 0 { -half } else { half })
    };
    if capsules.iter().any(|capsule| (0..8).all(|index| capsule.contains(&corner(index)))) {
        return None;
    }
    if half_m.max() < 0.15e-3 {
        return Some(centre_m);
    }
    (0..8).find_map(|index| {
        uncovered(part, capsules, nalgebra::center(&centre_m, &corner(index)), half_m / 2.0)
    })
}

#[test]
fn capsules_contain_all_drawn_parts() {
    assert_eq!(ARM_SHAPES.len(), 34, "count the parts anew if the cell draws others");
    for part in ARM_SHAPES {
        let centre_m = Point3::from(part.centre_m);
        let left = uncovered(part, &capsules_of(part.link), centre_m, half_extent_m(part));
        assert_eq!(left, None, "{:?}: {:?} sticks out", part.link, part.shape);
    }
}

#[test]
fn the_proof_finds_what_sticks_out() {
    for part in ARM_SHAPES {
        let thinner: Vec<_> = capsules_of(part.link)
            .into_iter()
            .map(|capsule| Capsule { radius_m: 0.7 * capsule.radius_m, ..capsule })
            .collect();
        let left = uncovered(part, &thinner, Point3::from(part.centre_m), half_extent_m(part));
        let sampled =
            surface_points(part).iter().any(|point| !thinner.iter().any(|capsule| capsule.contains(point)));
        assert!(left.is_some() || !sampled, "{:?}: {:?}", part.link, part.shape);
    }
}

/// Points on the surface of a part, in the frame of its link, about 3 mm apart.
fn surface_points(part: &ArmShape) -> Vec<Point3<f64>> {
    const STEPS: [f64; 9] = [-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0];
    let (centre, half) = (Point3::from(part.centre_m), half_extent_m(part));
    let mut points = Vec::new();
    for a in STEPS {
        for b in STEPS {
            for c in STEPS.into_iter().filter(|c| [a, b, *c].iter().any(|step| step.abs() == 1.0)) {
                points.push(centre + half.component_mul(&Vector3::new(a, b, c)));
            }
        }
    }
    if let Shape::Cylinder { axis, .. } = part.shape {
        // Onto the round: what stood in the corners of the cuboid around it.
        for point in &mut points {
            let beyond = beyond_the_round_m(part, point).max(0.0);
            let mut out = *point - centre;
            out[axis as usize] = 0.0;
            if beyond > 0.0 {
                *point -= out * (beyond / out.norm());
            }
        }
    }
    points
}

/// Pairs of links, neighbours aside, whose drawn parts go through each other.
fn overlapping_links(poses: &LinkPoses, points: &[Vec<Point3<f64>>]) -> Vec<(Link, Link)> {
    let mut found = Vec::new();
    for (part, points) in ARM_SHAPES.iter().zip(points) {
        for other in ARM_SHAPES {
            let (first, second) = if (part.link as usize) < other.link as usize {
                (part.link, other.link)
            } else {
                (other.link, part.link)
            };
            if second as usize - (first as usize) < 2 || found.contains(&(first, second)) {
                continue;
            }
            let into_other = poses.pose(other.link).inverse() * poses.pose(part.link);
            let apart = (into_other * Point3::from(part.centre_m) - Point3::from(other.centre_m)).norm();
            if apart < half_extent_m(part).norm() + half_extent_m(other).norm()
                && points.iter().any(|point| is_inside(other, &(into_other * point)))
            {
                found.push((first, second));
            }
        }
    }
    found
}

#[test]
fn drawn_parts_overlap_in_the_poses_named_colliding() {
    let points: Vec<_> = ARM_SHAPES.iter().map(surface_points).collect();
    let (kinematics, arm) = (ForwardKinematics::default(), ArmCapsules::default());
    let lines = COLLIDING_POSES.lines().filter(|line| !line.starts_with('#')).skip(1);
    for line in lines {
        let fields: Vec<_> = line.splitn(7, ',').collect();
        let degrees = std::array::from_fn(|joint| fields[joint].parse().expect("a number"));
        let angles = DatasetAngles::from_array_deg(degrees).into();
        let overlapping = overlapping_links(&kinematics.link_poses(&angles), &points);
        assert!(!overlapping.is_empty(), "{line}: nothing overlaps");
        let placed = arm.place(&angles).expect("finite");
        for (first, second) in overlapping {
            assert!(placed.link_distance_m(first, second) < 0.0, "{line}: {first} and {second}");
        }
    }
}

/// Whatever drawn parts go through each other, over the whole space of the widest limits, the model refuses.
#[test]
fn whatever_overlaps_as_drawn_is_refused() {
    let points: Vec<_> = ARM_SHAPES.iter().map(surface_points).collect();
    let (kinematics, arm) = (ForwardKinematics::default(), ArmCapsules::default());
    let limits = JointLimits::of(Generation::G1);
    let mut generator = ChaCha8Rng::seed_from_u64(5);
    let (mut drawn, mut refused) = (0, 0);
    const POSES: usize = 4_000;
    for _ in 0..POSES {
        let mut angles = JointAngles::ZERO;
        for joint in Joint::ALL {
            let (min, max) = limits.range_rad(joint);
            angles.set(joint, generator.random_range(min..max));
        }
        // Folded twice as often as by chance: there the arm meets itself. The fixed jaw keeps the other from going beyond closed.
        if generator.random_bool(0.5) {
            angles.set(Joint::Elbow, generator.random_range(2.2..limits.range_rad(Joint::Elbow).1));
        }
        angles.set(Joint::Gripper, angles.get(Joint::Gripper).abs());
        let overlapping = overlapping_links(&kinematics.link_poses(&angles), &points);
        let (_, _, distance_m) = arm.place(&angles).expect("finite").nearest_links();
        for pair in &overlapping {
            assert!(MEETING_LINKS.contains(pair), "{pair:?} meet at {angles:?}");
        }
        assert!(overlapping.is_empty() || distance_m < 0.0, "{overlapping:?} at {angles:?}: {distance_m}");
        drawn += usize::from(!overlapping.is_empty());
        refused += usize::from(distance_m < 0.0);
    }
    // The model may refuse more than overlaps as drawn, but not much: a model that refuses all would pass the above.
    println!("{drawn} overlap as drawn, {refused} refused, of {POSES}");
    assert!(
        drawn > POSES / 50 && refused < drawn * 3 / 2,
        "{drawn} overlap as drawn, {refused} refused, of {POSES}"
    );
}

#[test]
fn axes_are_numbered_as_coordinates() {
    assert_eq!([Axis::X as usize, Axis::Y as usize, Axis::Z as usize], [0, 1, 2]);
}
