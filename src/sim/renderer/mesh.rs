//! Shapes as triangles, made once; a frame only moves them.

use std::f64::consts::TAU;
use std::ops::Range;

use nalgebra::{Point3, Vector3};

use crate::sim::scene::{ARM_SHAPES, Axis, BOX_HALF_SIZE_M, BoxColour, Material, Shape};

/// Which pose moves a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carrier {
    Link(calibration::kinematics::Link),
    Box(usize),
}

/// A corner in its carrier's frame, metres. Its normal is that of the surface, blended over broken edges.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vertex {
    pub(super) position: Point3<f32>,
    pub(super) normal: Vector3<f32>,
}

/// One shape: a range of vertices and one of triangles.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) carrier: Carrier,
    pub(super) material: Material,
    pub(super) vertices: Range<usize>,
    pub(super) triangles: Range<usize>,
}

/// All shapes of the cell. Triangles index all vertices and run counter-clockwise seen from outside.
#[derive(Clone, Debug, Default)]
pub(super) struct Mesh {
    pub(super) vertices: Vec<Vertex>,
    pub(super) triangles: Vec<[u16; 3]>,
    pub(super) parts: Vec<Part>,
}

/// Flat pieces around a cylinder.
const SEGMENTS: usize = 28;

impl Mesh {
    /// The arm and the boxes.
    pub(super) fn cell() -> Self {
        let mut mesh = Self::default();
        for piece in ARM_SHAPES {
            mesh.add(Carrier::Link(piece.link), &piece.shape, piece.centre_m, piece.material);
        }
        let cube = Shape::Cuboid { half_size_m: [BOX_HALF_SIZE_M; 3], bevel_m: 0.0012 };
        for (index, colour) in BoxColour::ALL.into_iter().enumerate() {
            mesh.add(Carrier::Box(index), &cube, [0.0; 3], colour.material());
        }
        mesh
    }

    fn add(&mut self, carrier: Carrier, shape: &Shape, centre_m: [f64; 3], material: Material) {
        let (first_vertex, first_triangle) = (self.vertices.len(), self.triangles.len());
        match *shape {
            Shape::Cuboid { half_size_m, bevel_m } => self.add_cuboid(half_size_m, bevel_m),
            Shape::Cylinder { axis, radius_m, half_length_m, bevel_m } => {
                self.add_cylinder(axis, radius_m, half_length_m, bevel_m);
            }
        }
        for vertex in &mut self.vertices[first_vertex..] {
            vertex.position += Vector3::from(centre_m).cast::<f32>();
        }
        self.parts.push(Part {
            carrier,
            material,
            vertices: first_vertex..self.vertices.len(),
            triangles: first_triangle..self.triangles.len(),
        });
    }

    fn push(&mut self, position: [f64; 3], normal: [f64; 3]) -> u16 {
        self.vertices.push(Vertex {
            position: Point3::from(position).cast(),
            normal: Vector3::from(normal).cast::<f32>().normalize(),
        });
        (self.vertices.len() - 1) as u16
    }

    /// Adds a triangle, turned so that it faces along its vertices' normals.
    fn triangle(&mut self, corners: [u16; 3]) {
        let [a, b, c] = corners.map(|corner| self.vertices[usize::from(corner)]);
        let outward = (b.position - a.position)
            .cross(&(c.position - a.position))
            .dot(&(a.normal + b.normal + c.normal));
        self.triangles.push(if outward < 0.0 { [corners[0], corners[2], corners[1]] } else { corners });
    }

    fn quad(&mut self, [a, b, c, d]: [u16; 4]) {
        self.triangle([a, b, c]);
        self.triangle([a, c, d]);
    }

    fn add_cuboid(&mut self, half: [f64; 3], bevel: f64) {
        // corner[axis][sx][sy][sz]: the corner's vertex on the face across `axis`
        let mut corner = [[[[0_u16; 2]; 2]; 2]; 3];
        for (axis, corner) in corner.iter_mut().enumerate() {
            for bits in 0..8_usize {
                let side = [bits & 1, bits >> 1 & 1, bits >> 2 & 1];
                let sign = side.map(|side| if side == 1 { 1.0 } else { -1.0 });
                let position = std::array::from_fn(|k| {
                    sign[k] * if k == axis { half[k] } else { (half[k] - bevel).max(0.0) }
                });
                let normal = std::array::from_fn(|k| if k == axis { sign[k] } else { 0.0 });
                corner[side[0]][side[1]][side[2]] = self.push(position, normal);
            }
        }
        let at = |axis: usize, side: [usize; 3]| corner[axis][side[0]][side[1]][side[2]];
        for axis in 0..3 {
            let (next, last) = ((axis + 1) % 3, (axis + 2) % 3);
            for outer in 0..2 {
                // the face across `axis`
                let face = |u: usize, v: usize| {
                    let mut side = [0; 3];
                    (side[axis], side[next], side[last]) = (outer, u, v);
                    at(axis, side)
                };
                let face = [face(0, 0), face(1, 0), face(1, 1), face(0, 1)];
                self.quad(face);
                // the two broken edges between it and the face across `next`
                for other in 0..2 {
                    let edge = |from: usize, v: usize| {
                        let mut side = [0; 3];
                        (side[axis], side[next], side[last]) = (outer, other, v);
                        at(from, side)
                    };
                    let edge = [edge(axis, 0), edge(axis, 1), edge(next, 1), edge(next, 0)];
                    self.quad(edge);
                }
            }
        }
        for bits in 0..8_usize {
            let side = [bits & 1, bits >> 1 & 1, bits >> 2 & 1];
            let tip = [at(0, side), at(1, side), at(2, side)];
            self.triangle(tip);
        }
    }

    fn add_cylinder(&mut self, axis: Axis, radius: f64, half_length: f64, bevel: f64) {
        let along = axis as usize;
        let (next, last) = ((along + 1) % 3, (along + 2) % 3);
        let place = |u: f64, v: f64, w: f64| {
            let mut point = [0.0; 3];
            (point[along], point[next], point[last]) = (w, u, v);
            point
        };
        for end in [-1.0, 1.0] {
            let centre = self.push(place(0.0, 0.0, end * half_length), place(0.0, 0.0, end));
            let rim = |mesh: &mut Self, segment: usize| {
                let (sin, cos) = (TAU * segment as f64 / SEGMENTS as f64).sin_cos();
                let inner = (radius - bevel).max(0.0);
                let cap = mesh.push(place(inner * cos, inner * sin, end * half_length), place(0.0, 0.0, end));
                let side = place(radius * cos, radius * sin, end * (half_length - bevel).max(0.0));
                (cap, mesh.push(side, place(cos, sin, 0.0)))
            };
            let rim: [(u16, u16); SEGMENTS] = std::array::from_fn(|segment| rim(self, segment));
            for segment in 0..SEGMENTS {
                let ((cap, side), (next_cap, next_side)) = (rim[segment], rim[(segment + 1) % SEGMENTS]);
                self.triangle([centre, cap, next_cap]);
                self.quad([cap, next_cap, next_side, side]);
                if end > 0.0 {
                    // the other end's rim was pushed just before this end's centre
                    let per_end = 2 * SEGMENTS as u16 + 1;
                    self.quad([side, next_side, next_side - per_end, side - per_end]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Volume by the divergence theorem: right only when every surface is closed and faces outwards.
    fn volume(mesh: &Mesh) -> f64 {
        mesh.triangles
            .iter()
            .map(|triangle| {
                let [a, b, c] =
                    triangle.map(|corner| mesh.vertices[usize::from(corner)].position.coords.cast::<f64>());
                a.dot(&b.cross(&c)) / 6.0
            })
            .sum()
    }

    fn mesh_of(shape: Shape) -> Mesh {
        let mut mesh = Mesh::default();
        mesh.add(Carrier::Box(0), &shape, [0.3, -0.2, 0.1], BoxColour::Red.material());
        mesh
    }

    #[test]
    fn shapes_are_closed_and_face_outwards() {
        let cuboid = mesh_of(Shape::Cuboid { half_size_m: [0.1, 0.2, 0.3], bevel_m: 1e-6 });
        assert!((volume(&cuboid) - 0.048).abs() < 1e-5, "{}", volume(&cuboid));
        for axis in [Axis::X, Axis::Y, Axis::Z] {
            let shape = Shape::Cylinder { axis, radius_m: 0.1, half_length_m: 0.2, bevel_m: 1e-6 };
            // a regular prism of SEGMENTS sides
            let sides = SEGMENTS as f64;
            let expected = sides / 2.0 * 0.01 * (TAU / sides).sin() * 0.4;
            let volume = volume(&mesh_of(shape));
            assert!((volume - expected).abs() < 1e-5, "{axis:?}: {volume} instead of {expected}");
        }
    }

    #[test]
    fn vertex_numbers_fit_their_type() {
        let mesh = Mesh::cell();
        assert!(mesh.vertices.len() < usize::from(u16::MAX), "{}", mesh.vertices.len());
        assert_eq!(mesh.parts.len(), ARM_SHAPES.len() + 2);
    }
}
