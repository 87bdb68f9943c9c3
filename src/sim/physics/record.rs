//! What goes to and fro once a step: numbers of 64 bits, little-endian, always equally many.

use calibration::{JOINT_COUNT, JointAngles};
use nalgebra::{Isometry3, Point3, Quaternion, Translation3, UnitQuaternion};

use crate::sim::scene::{BOX_COUNT, BoxPose};

const NUMBER: usize = size_of::<f64>();

/// What the joints' servos pull with, for a step of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Request {
    /// Counts the requests, from 1.
    pub(super) number: u32,
    /// Time to pass, seconds.
    pub(super) time_s: f64,
    /// For each joint: where its servos pull to (joint frame, rad), with how much for each radian (N·m/rad), and at most (N·m).
    pub(super) drives: [[f64; 3]; JOINT_COUNT],
}

impl Request {
    const NUMBERS: usize = 2 + 3 * JOINT_COUNT;
    pub(super) const BYTES: usize = Self::NUMBERS * NUMBER;

    pub(super) fn encode(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let numbers =
            [f64::from(self.number), self.time_s].into_iter().chain(self.drives.into_iter().flatten());
        for (place, number) in bytes.as_chunks_mut::<NUMBER>().0.iter_mut().zip(numbers) {
            *place = number.to_le_bytes();
        }
        bytes
    }
}

/// Where everything has come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct State {
    /// The joints (joint frame).
    pub(super) angles: JointAngles,
    /// Where the simulator has the tool centre point, metres.
    pub(super) tool_m: Point3<f64>,
    /// The boxes.
    pub(super) boxes: [BoxPose; BOX_COUNT],
    /// Which of them touch both jaws.
    pub(super) held: [bool; BOX_COUNT],
}

/// Position and quaternion (w, x, y, z) of a box.
const POSE: usize = 7;

impl State {
    const NUMBERS: usize = 1 + JOINT_COUNT + 3 + BOX_COUNT * POSE + BOX_COUNT;
    pub(super) const BYTES: usize = Self::NUMBERS * NUMBER;

    /// Reads the answer to a request; the error says what is wrong with it.
    pub(super) fn decode(bytes: &[u8; Self::BYTES], request: u32) -> Result<Self, &'static str> {
        let mut numbers = [0.0; Self::NUMBERS];
        for (number, place) in numbers.iter_mut().zip(bytes.as_chunks::<NUMBER>().0) {
            *number = f64::from_le_bytes(*place);
        }
        let [answered, rest @ ..] = &numbers;
        if answered.to_bits() != f64::from(request).to_bits() {
            return Err("something that is no answer to the step");
        }
        if !rest.iter().all(|number| number.is_finite()) {
            return Err("numbers that are not finite");
        }
        let (angles, rest) = rest.split_at(JOINT_COUNT);
        let (tool, rest) = rest.split_at(3);
        let (poses, held) = rest.split_at(BOX_COUNT * POSE);
        let mut boxes = [BoxPose::default(); BOX_COUNT];
        for (place, pose) in boxes.iter_mut().zip(poses.as_chunks::<POSE>().0) {
            let [x, y, z, w, i, j, k] = *pose;
            let turn = UnitQuaternion::try_new(Quaternion::new(w, i, j, k), 0.5)
                .ok_or("a quaternion that is none")?;
            *place = BoxPose::at(&Isometry3::from_parts(Translation3::new(x, y, z), turn));
        }
        Ok(Self {
            angles: JointAngles::from_array_rad(std::array::from_fn(|joint| angles[joint])),
            tool_m: Point3::new(tool[0], tool[1], tool[2]),
            boxes,
            held: std::array::from_fn(|colour| held[colour] > 0.5),
        })
    }
}
