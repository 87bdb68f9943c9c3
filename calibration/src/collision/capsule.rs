//! A capsule: all points within a radius of a line segment.

use nalgebra::{Isometry3, Point3};

/// A line segment and a radius, metres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capsule {
    /// One end of the segment.
    pub start_m: Point3<f64>,
    /// The other end.
    pub end_m: Point3<f64>,
    /// Radius around the segment.
    pub radius_m: f64,
}

impl Capsule {
    /// The capsule carried by a frame, in the frame's parent.
    pub fn transformed(&self, pose: &Isometry3<f64>) -> Self {
        Self { start_m: pose * self.start_m, end_m: pose * self.end_m, radius_m: self.radius_m }
    }

    /// Whether a point lies inside or on the surface.
    pub fn contains(&self, point_m: &Point3<f64>) -> bool {
        let along = self.end_m - self.start_m;
        let length2 = along.norm_squared();
        let offset = point_m - self.start_m;
        let fraction = if length2 > 0.0 { (offset.dot(&along) / length2).clamp(0.0, 1.0) } else { 0.0 };
        (offset - along * fraction).norm_squared() <= self.radius_m * self.radius_m
    }

    /// Distance between two surfaces, metres. Where they overlap it is minus the depth along the line between the nearest
    /// points of the two segments; when the segments themselves cross it stays at minus both radii.
    pub fn distance_m(&self, other: &Self) -> f64 {
        segment_distance2_m2(&self.start_m, &self.end_m, &other.start_m, &other.end_m).sqrt()
            - self.radius_m
            - other.radius_m
    }

    /// Lowest point, metres.
    pub fn lowest_m(&self) -> f64 {
        self.start_m.z.min(self.end_m.z) - self.radius_m
    }

    /// Highest point, metres.
    pub fn highest_m(&self) -> f64 {
        self.start_m.z.max(self.end_m.z) + self.radius_m
    }
}

/// Squared distance of two segments, square metres.
///
/// The nearest points of the two lines, clamped to one segment, then to the other, then to the first again (Ericson, Real-Time
/// Collision Detection, 2005, section 5.1.9). Segments may be points.
fn segment_distance2_m2(p: &Point3<f64>, p_end: &Point3<f64>, q: &Point3<f64>, q_end: &Point3<f64>) -> f64 {
    let (u, v, w) = (p_end - p, q_end - q, p - q);
    let (uu, vv, uv) = (u.dot(&u), v.dot(&v), u.dot(&v));
    let (uw, vw) = (u.dot(&w), v.dot(&w));
    // uu·vv − uv² = uu·vv·sin²; for parallel segments any point of the first will do to begin with.
    let determinant = uu * vv - uv * uv;
    let mut s =
        if determinant > 1e-12 * uu * vv { ((uv * vw - uw * vv) / determinant).clamp(0.0, 1.0) } else { 0.0 };
    let mut t = if vv > 0.0 { (uv * s + vw) / vv } else { 0.0 };
    if !(0.0..=1.0).contains(&t) || vv == 0.0 {
        t = t.clamp(0.0, 1.0);
        s = if uu > 0.0 { ((uv * t - uw) / uu).clamp(0.0, 1.0) } else { 0.0 };
    }
    (w + u * s - v * t).norm_squared()
}

#[cfg(test)]
mod tests {
    use nalgebra::Vector3;
    use proptest::prelude::*;

    use super::*;

    fn point() -> impl Strategy<Value = Point3<f64>> {
        proptest::array::uniform3(-1.0..1.0_f64).prop_map(Point3::from)
    }

    /// Distance from a point to a segment, by search: the distance is convex along it.
    fn point_to_segment(point: &Point3<f64>, start: &Point3<f64>, end: &Point3<f64>) -> f64 {
        let at = |fraction: f64| (start + (end - start) * fraction - point).norm();
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..100 {
            let (first, second) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
            if at(first) < at(second) { high = second } else { low = first }
        }
        at(0.5 * (low + high))
    }

    /// The same for two segments: convex in both fractions, so a search in a search finds it.
    fn by_search(p: &Point3<f64>, p_end: &Point3<f64>, q: &Point3<f64>, q_end: &Point3<f64>) -> f64 {
        let at = |fraction: f64| point_to_segment(&(p + (p_end - p) * fraction), q, q_end);
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..100 {
            let (first, second) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
            if at(first) < at(second) { high = second } else { low = first }
        }
        at(0.5 * (low + high))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]
        #[test]
        fn distance_is_the_least_over_both_segments(p in point(), p_end in point(), q in point(), q_end in point(), kind in 0..5) {
            let (p_end, q_end) = match kind {
                0 => (p, q_end),                        // a point and a segment
                1 => (p_end, q),                        // a segment and a point
                2 => (p_end, q + (p_end - p) * 0.7),    // parallel
                3 => (p_end, q - (p_end - p) * 1.3),    // parallel, the other way
                _ => (p_end, q_end),
            };
            let found = segment_distance2_m2(&p, &p_end, &q, &q_end).sqrt();
            prop_assert!((found - by_search(&p, &p_end, &q, &q_end)).abs() < 1e-6);
        }

        #[test]
        fn a_point_is_inside_when_it_is_near_the_segment(start in point(), end in point(), at in point(), radius_m in 0.01..1.0_f64) {
            let distance = point_to_segment(&at, &start, &end);
            prop_assume!((distance - radius_m).abs() > 1e-6);
            prop_assert_eq!(Capsule { start_m: start, end_m: end, radius_m }.contains(&at), distance < radius_m);
        }
    }

    #[test]
    fn crossed_capsules_overlap_by_both_radii() {
        let x = Capsule {
            start_m: Point3::new(-1.0, 0.0, 0.0),
            end_m: Point3::new(1.0, 0.0, 0.0),
            radius_m: 0.1,
        };
        let mut y = Capsule {
            start_m: Point3::new(0.0, -1.0, 0.0),
            end_m: Point3::new(0.0, 1.0, 0.0),
            radius_m: 0.2,
        };
        assert!((x.distance_m(&y) + 0.3).abs() < 1e-12);
        let up = Isometry3::translation(0.0, 0.0, 0.5);
        y = y.transformed(&up);
        assert!((x.distance_m(&y) - 0.2).abs() < 1e-12);
        assert!((y.lowest_m() - 0.3).abs() < 1e-12 && (y.highest_m() - 0.7).abs() < 1e-12);
        let tilted = Isometry3::rotation(Vector3::x() * std::f64::consts::FRAC_PI_2);
        assert!((y.transformed(&tilted).highest_m() - 1.2).abs() < 1e-12);
    }
}
