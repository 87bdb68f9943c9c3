//! Parts of the hand as solids, and how far a box must move to be clear of one.

use calibration::kinematics::LinkPoses;
use nalgebra::{Point3, Vector2, Vector3};

use crate::sim::scene::{ArmShape, BOX_HALF_SIZE_M, BoxPose, Shape};

/// Corner numbers of a cuboid's edges: corner `k` has its x, y, z signs in bits 0, 1, 2.
const EDGES: [[usize; 2]; 12] =
    [[0, 1], [2, 3], [4, 5], [6, 7], [0, 2], [1, 3], [4, 6], [5, 7], [0, 4], [1, 5], [2, 6], [3, 7]];

/// A cuboid in the world.
#[derive(Clone, Copy, Debug)]
pub(super) struct Solid {
    /// Its corners, metres.
    pub(super) corners_m: [Point3<f64>; 8],
}

/// What it takes to get a box out of a solid, sideways.
#[derive(Clone, Copy, Debug)]
pub(super) struct Overlap {
    /// The shortest way for the box, metres.
    pub(super) way_m: Vector2<f64>,
    /// Its length.
    pub(super) depth_m: f64,
    /// How far the solid's lowest corner lies below the top of the box, metres.
    pub(super) below_top_m: f64,
}

impl Solid {
    /// A piece of the arm where its link stands.
    pub(super) fn of(shape: &ArmShape, links: &LinkPoses) -> Self {
        let half_m = match shape.shape {
            Shape::Cuboid { half_size_m, .. } => half_size_m,
            Shape::Cylinder { radius_m, .. } => [radius_m; 3],
        };
        let pose = links.pose(shape.link);
        Self {
            corners_m: std::array::from_fn(|corner| {
                pose * Point3::from(std::array::from_fn::<f64, 3, _>(|axis| {
                    let sign = if corner >> axis & 1 == 1 { 1.0 } else { -1.0 };
                    shape.centre_m[axis] + sign * half_m[axis]
                }))
            }),
        }
    }

    /// A box.
    pub(super) fn of_box(pose: &BoxPose) -> Self {
        let (sine, cosine) = pose.yaw_rad.sin_cos();
        Self {
            corners_m: std::array::from_fn(|corner| {
                let [x, y, z] = std::array::from_fn(|axis| {
                    if corner >> axis & 1 == 1 { BOX_HALF_SIZE_M } else { -BOX_HALF_SIZE_M }
                });
                Point3::from(pose.centre_m) + Vector3::new(cosine * x - sine * y, sine * x + cosine * y, z)
            }),
        }
    }

    /// Its lowest corner.
    pub(super) fn lowest(&self) -> Point3<f64> {
        self.corners_m
            .into_iter()
            .fold(self.corners_m[0], |low, corner| if corner.z < low.z { corner } else { low })
    }

    /// How it overlaps with a box; `None` where a plane lies between them.
    pub(super) fn overlap(&self, pose: &BoxPose) -> Option<Overlap> {
        let [x, y, z] = pose.centre_m;
        let (bottom, top) = (z - BOX_HALF_SIZE_M, z + BOX_HALF_SIZE_M);
        let mut slice = Slice { points: [Vector2::zeros(); 24], count: 0 };
        for [from, to] in EDGES {
            slice.add_edge(self.corners_m[from], self.corners_m[to], bottom, top);
        }
        let centre = Vector2::new(x, y);
        let (sine, cosine) = pose.yaw_rad.sin_cos();
        let faces = [Vector2::new(cosine, sine), Vector2::new(-sine, cosine)];
        // across the solid's own edges
        let edges = [[0, 1], [0, 2], [0, 4]].into_iter().filter_map(|[from, to]| {
            let edge = (self.corners_m[to] - self.corners_m[from]).xy();
            Vector2::new(-edge.y, edge.x).try_normalize(1e-3)
        });
        let mut least: Option<(f64, Vector2<f64>)> = None;
        for axis in faces.into_iter().chain(edges) {
            let [low, high] = slice.extent(&axis)?;
            let middle = centre.dot(&axis);
            let reach: f64 = faces.iter().map(|face| BOX_HALF_SIZE_M * face.dot(&axis).abs()).sum();
            for (depth, way) in [(high - (middle - reach), axis), (middle + reach - low, -axis)] {
                if depth <= 0.0 {
                    return None;
                }
                if least.is_none_or(|(other, _)| depth < other) {
                    least = Some((depth, way));
                }
            }
        }
        let (depth_m, way) = least?;
        Some(Overlap { way_m: way * depth_m, depth_m, below_top_m: top - self.lowest().z })
    }
}

/// The part of a solid between two heights, seen from above: the corners of its outline, in no order.
struct Slice {
    /// Two for each edge.
    points: [Vector2<f64>; 24],
    count: usize,
}

impl Slice {
    fn add_edge(&mut self, from: Point3<f64>, to: Point3<f64>, bottom: f64, top: f64) {
        let rise = to.z - from.z;
        let (mut start, mut end) = (0.0, 1.0);
        for (height, sign) in [(bottom, 1.0), (top, -1.0)] {
            let (inside_from, inside_to) = (sign * (from.z - height), sign * (to.z - height));
            if inside_from < 0.0 && inside_to < 0.0 {
                return;
            }
            // one end inside, the other not: then the edge rises or falls
            if inside_from < 0.0 {
                start = f64::max(start, (height - from.z) / rise);
            } else if inside_to < 0.0 {
                end = f64::min(end, (height - from.z) / rise);
            }
        }
        if start > end {
            return;
        }
        for fraction in [start, end] {
            self.points[self.count] = (from + (to - from) * fraction).xy().coords;
            self.count += 1;
        }
    }

    /// From where to where it reaches along an axis; `None` where nothing lies between the heights.
    fn extent(&self, axis: &Vector2<f64>) -> Option<[f64; 2]> {
        let along = self.points[..self.count].iter().map(|point| point.dot(axis));
        (self.count > 0).then(|| {
            along.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], at| [low.min(at), high.max(at)])
        })
    }
}

/// The way that clears `moved` from the box `other`, both standing upright; `None` where they are clear.
pub(super) fn box_overlap(other: &BoxPose, moved: &BoxPose) -> Option<Overlap> {
    Solid::of_box(other).overlap(moved)
}
