//! A box that the arm must keep out of.

use nalgebra::{Point3, Vector3};

use super::Capsule;

/// An upright box in the world frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KeepOutBox {
    /// Its centre, metres.
    pub centre_m: Point3<f64>,
    /// Half of its extent along its own x, y and z, metres.
    pub half_size_m: Vector3<f64>,
    /// Turn of its x axis from the world's about the vertical, radians.
    pub yaw_rad: f64,
    /// Least distance that every link keeps from it, metres.
    pub clearance_m: f64,
}

impl KeepOutBox {
    /// Distance of a capsule's surface from the box, metres; negative by how much of the radius is inside, at most the radius.
    pub fn distance_m(&self, capsule: &Capsule) -> f64 {
        let (sine, cosine) = self.yaw_rad.sin_cos();
        let into_box = |point: Point3<f64>| {
            let offset = point - self.centre_m;
            Vector3::new(cosine * offset.x + sine * offset.y, cosine * offset.y - sine * offset.x, offset.z)
        };
        let (start, end) = (into_box(capsule.start_m), into_box(capsule.end_m));
        self.segment_distance_m(start, end - start) - capsule.radius_m
    }

    /// Distance of the segment from `start` along `along` (box frame) from the box.
    ///
    /// The squared distance is convex along the segment and its slope is piecewise linear with kinks where the segment crosses a
    /// face's plane: narrow the interval of changing sign by the kinks, then the root between two of them is exact.
    fn segment_distance_m(&self, start: Vector3<f64>, along: Vector3<f64>) -> f64 {
        let half = &self.half_size_m;
        let outside = |fraction: f64| {
            (start + along * fraction)
                .zip_map(half, |value, half| value - value.clamp(-half.abs(), half.abs()))
        };
        let slope = |fraction: f64| outside(fraction).dot(&along);
        let (mut low, mut high) = (0.0, 1.0);
        if slope(low) >= 0.0 {
            return outside(low).norm();
        }
        if slope(high) <= 0.0 {
            return outside(high).norm();
        }
        for axis in 0..3 {
            for face in [-half[axis], half[axis]] {
                let kink = (face - start[axis]) / along[axis];
                // Also refuses the infinities and NaN of a segment parallel to the face.
                if kink > low && kink < high {
                    if slope(kink) < 0.0 { low = kink } else { high = kink }
                }
            }
        }
        let (falling, rising) = (slope(low), slope(high));
        outside(low + (high - low) * falling / (falling - rising)).norm()
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::{Isometry3, Translation3, UnitQuaternion};
    use proptest::prelude::*;

    use super::*;

    fn point() -> impl Strategy<Value = Point3<f64>> {
        proptest::array::uniform3(-1.0..1.0_f64).prop_map(Point3::from)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]
        #[test]
        fn distance_is_the_least_along_the_segment(
            start in point(), end in point(), centre in point(), half in proptest::array::uniform3(0.01..0.8_f64),
            yaw_rad in -4.0..4.0_f64, flat in 0..4_usize,
        ) {
            let half = Vector3::from(half);
            let boxed = KeepOutBox { centre_m: centre, half_size_m: half, yaw_rad, clearance_m: 0.0 };
            let pose = Isometry3::from_parts(Translation3::from(centre.coords), UnitQuaternion::from_euler_angles(0.0, 0.0, yaw_rad));
            let mut end = end;
            if flat < 3 {
                // parallel to a face
                let mut local = pose.inverse() * end;
                local[flat] = (pose.inverse() * start)[flat];
                end = pose * local;
            }
            let at = |fraction: f64| {
                let local = pose.inverse() * (start + (end - start) * fraction);
                local.coords.zip_map(&half, |value, half| (value.abs() - half).max(0.0)).norm()
            };
            let (mut low, mut high) = (0.0, 1.0);
            for _ in 0..100 {
                let (first, second) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
                if at(first) < at(second) { high = second } else { low = first }
            }
            // A search cannot see where a distance of 0 begins and ends, but any point there will do.
            let expected = at(0.5 * (low + high)).min((0..=1000).map(|step| at(f64::from(step) * 1e-3)).fold(1e9, f64::min));
            let found = boxed.distance_m(&Capsule { start_m: start, end_m: end, radius_m: 0.05 }) + 0.05;
            prop_assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }
}
