//! Primitive shapes and what they are made of.

/// One of the three axes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// Along x.
    X,
    /// Along y.
    Y,
    /// Along z.
    Z,
}

/// A solid with slightly broken edges, so that edges catch light as real parts do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// A cuboid.
    Cuboid {
        /// Half of its extent along x, y and z, metres.
        half_size_m: [f64; 3],
        /// Width of the broken edge, metres.
        bevel_m: f64,
    },
    /// A cylinder about an axis of its frame.
    Cylinder {
        /// The axis of revolution.
        axis: Axis,
        /// Radius, metres.
        radius_m: f64,
        /// Half of its length, metres.
        half_length_m: f64,
        /// Width of the broken edge, metres.
        bevel_m: f64,
    },
}

/// What a surface is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Material {
    /// Diffuse reflectance, linear RGB in 0..1.
    pub albedo: [f32; 3],
    /// Strength of the highlight, 0 for matt.
    pub gloss: f32,
    /// Sharpness of the highlight (Blinn-Phong exponent).
    pub shininess: f32,
}

/// Brushed aluminium plates.
pub(super) const ALUMINIUM: Material = Material { albedo: [0.56, 0.57, 0.59], gloss: 0.42, shininess: 24.0 };
/// Black plastic of servo housings.
pub(super) const BLACK_PLASTIC: Material =
    Material { albedo: [0.022, 0.023, 0.027], gloss: 0.16, shininess: 18.0 };
/// Grey anodised parts: base plate and covers.
pub(super) const ANODISED_GREY: Material =
    Material { albedo: [0.085, 0.09, 0.10], gloss: 0.22, shininess: 28.0 };
/// Steel of bolts and bearing rings.
pub(super) const STEEL: Material = Material { albedo: [0.34, 0.35, 0.37], gloss: 0.6, shininess: 40.0 };
/// White matt paint.
pub(super) const WHITE_PAINT: Material =
    Material { albedo: [0.80, 0.79, 0.76], gloss: 0.06, shininess: 14.0 };
/// Red matt paint.
pub(super) const RED_PAINT: Material =
    Material { albedo: [0.62, 0.028, 0.022], gloss: 0.08, shininess: 16.0 };
