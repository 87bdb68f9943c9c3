//! Light on surfaces, and the way from light to bytes.

use nalgebra::{Point3, Vector3};

use crate::sim::scene::{Light, Material};

/// How a corner is lit, each a factor without colour. Between corners they are blended (Gouraud shading).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Illumination {
    /// From everywhere, on the diffuse surface.
    pub(super) sky: f32,
    /// From the lamp, on the diffuse surface.
    pub(super) lamp: f32,
    /// The lamp's highlight.
    pub(super) highlight: f32,
    /// The sky's reflection.
    pub(super) reflection: f32,
}

/// The light of a scene, ready for use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lighting {
    pub(super) direction: Vector3<f32>,
    pub(super) lamp: [f32; 3],
    pub(super) ambient: [f32; 3],
}

impl Lighting {
    pub(super) fn new(light: &Light) -> Self {
        Self { direction: Vector3::from(light.direction).cast(), lamp: light.lamp, ambient: light.ambient }
    }

    /// Light at a corner with the given unit normal, seen from `eye`.
    pub(super) fn at(
        &self,
        point: &Point3<f32>,
        normal: &Vector3<f32>,
        eye: &Point3<f32>,
        material: &Material,
    ) -> Illumination {
        let view = (eye - point).normalize();
        let facing = normal.dot(&view).max(0.0);
        let lamp = normal.dot(&self.direction).max(0.0);
        let half = (self.direction + view).normalize();
        let highlight = normal.dot(&half).max(0.0).powf(material.shininess);
        let mirrored = normal * (2.0 * normal.dot(&view)) - view;
        let grazing = (1.0 - facing) * (1.0 - facing);
        Illumination {
            // the sky above, a little light back from the table below, a little from the room behind the camera
            sky: 0.60 + 0.34 * normal.z + 0.22 * facing,
            lamp,
            highlight: if lamp > 0.0 { material.gloss * highlight } else { 0.0 },
            reflection: material.gloss * (0.18 + 0.5 * grazing) * (0.5 + 0.5 * mirrored.z).max(0.0),
        }
    }

    /// Colour of a surface, linear RGB; `visibility` is the share of the lamp that reaches it.
    pub(super) fn colour(&self, material: &Material, light: &Illumination, visibility: f32) -> [f32; 3] {
        let (lamp, highlight) = (light.lamp.max(0.0) * visibility, light.highlight.max(0.0) * visibility);
        std::array::from_fn(|channel| {
            material.albedo[channel] * (self.ambient[channel] * light.sky + self.lamp[channel] * lamp)
                + self.lamp[channel] * highlight
                + self.ambient[channel] * light.reflection.max(0.0)
        })
    }

    /// Colour of the table where `occlusion` of the sky and `shadow` of the lamp are hidden, linear RGB.
    pub(super) fn table_colour(&self, albedo: [f32; 3], occlusion: f32, shadow: f32) -> [f32; 3] {
        let lamp = self.direction.z * (1.0 - shadow);
        std::array::from_fn(|channel| {
            albedo[channel] * (self.ambient[channel] * (1.0 - occlusion) + self.lamp[channel] * lamp)
        })
    }
}

/// Linear light to bytes: straight up to 0.6, a soft shoulder to white, then the sRGB curve.
#[derive(Clone, Debug)]
pub(super) struct ToneCurve {
    bytes: Vec<u8>,
}

/// Entries for each unit of linear light; fine enough for one step of 8 bits where the curve is steepest.
const ENTRIES_PER_UNIT: f32 = 2048.0;
const ENTRIES: usize = 4096;

impl ToneCurve {
    pub(super) fn new() -> Self {
        let byte = |index: usize| {
            let light = index as f32 / ENTRIES_PER_UNIT;
            let soft = if light <= 0.6 { light } else { 0.6 + 0.4 * ((light - 0.6) / 0.4).tanh() };
            let encoded =
                if soft <= 0.003_130_8 { 12.92 * soft } else { 1.055 * soft.powf(1.0 / 2.4) - 0.055 };
            (encoded * 255.0 + 0.5) as u8
        };
        Self { bytes: (0..ENTRIES).map(byte).collect() }
    }

    pub(super) fn bytes(&self, colour: [f32; 3]) -> [u8; 3] {
        colour.map(|light| self.bytes[((light * ENTRIES_PER_UNIT) as usize).min(ENTRIES - 1)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tone_curve_rises_and_meets_srgb_in_its_straight_part() {
        let curve = ToneCurve::new();
        assert_eq!(curve.bytes([0.0, 5.0, f32::NAN]), [0, 255, 0]);
        assert!(curve.bytes.windows(2).all(|pair| pair[0] <= pair[1]));
        // sRGB (IEC 61966-2-1): linear 0.2140 is byte 127.5
        let middle = curve.bytes([0.2140; 3])[0];
        assert!((127..=128).contains(&middle), "{middle}");
    }
}
