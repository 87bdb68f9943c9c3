//! Moves given as a pose of the tool: T:103 and T:104 (interpolated, blocking) and T:1041 (at once).

use core::f64::consts::PI;
use core::time::Duration;
use std::vec;
use std::vec::Vec;

use libm::cos;

use super::board::Board;
use super::commands::all;
use super::cpu::Step;
use super::json::Document;
use crate::kinematics::{self, ToolPose};
use crate::{FirmwareAngles, steps};

/// Pause after each point of an interpolated move.
const POINT_PAUSE: Duration = Duration::from_millis(2);
/// The hand's angle that the firmware takes for the present one, whatever it is: closed. Hence T:103 closes the hand.
#[expect(clippy::approx_constant, reason = "the firmware's number, not pi")]
pub(super) const ASSUMED_HAND_RAD: f64 = 3.14;
/// Where the boot ends: x, y, z (mm), pitch, roll, hand (rad).
pub(super) const HOME: [f64; 6] = {
    let [x, y, z] = kinematics::HOME_MM;
    [x, y, z, 0.0, 0.0, ASSUMED_HAND_RAD]
};

/// What the firmware remembers of poses.
#[derive(Clone, Debug)]
pub(super) struct Poses {
    /// Where it believes the tool is: x, y, z (mm), pitch, roll (rad). Every scan overwrites all but the roll.
    pub(super) last: [f64; 5],
    /// Where the tool shall go: the same and the hand.
    pub(super) goal: [f64; 6],
    /// The last point of an interpolated move that inverse kinematics had an answer for. Zeros until there is one.
    reachable: [f64; 5],
    /// Base, shoulder, elbow, wrist as last commanded by anything but T:102, rad.
    pub(super) commanded_rad: [f64; 4],
}

impl Poses {
    pub(super) fn new() -> Self {
        let [x, y, z, pitch, roll, _] = HOME;
        let FirmwareAngles { base_rad, shoulder_rad, elbow_rad, wrist_rad, .. } = FirmwareAngles::HOME;
        Self {
            last: [x, y, z, pitch, roll],
            goal: HOME,
            reachable: [0.0; 5],
            commanded_rad: [base_rad, shoulder_rad, elbow_rad, wrist_rad],
        }
    }

    /// Takes a pose for the present one; the roll stays what it was.
    pub(super) fn believe(&mut self, pose: ToolPose) {
        let [x, y, z] = pose.position_mm;
        self.last = [x, y, z, pose.pitch_rad, self.last[4]];
    }

    /// Takes the goal for the present pose.
    pub(super) fn arrive(&mut self) {
        let [x, y, z, pitch, roll, _] = self.goal;
        self.last = [x, y, z, pitch, roll];
    }

    /// How far along its way the next point of a move is from the last one. 0 or less: the move never ends by itself.
    fn increment(&self, speed: f32) -> f64 {
        let ways = self.last.iter().zip(self.goal).map(|(last, goal)| (goal - last).abs());
        let longest = ways.fold(0.0, f64::max);
        (1.0 / longest) * f64::from(speed)
    }

    /// The point at a fraction of the way, eased by a cosine.
    fn point(&self, fraction: f64) -> [f64; 5] {
        let eased = (cos(fraction * PI + PI) + 1.0) / 2.0;
        core::array::from_fn(|axis| (self.goal[axis] - self.last[axis]) * eased + self.last[axis])
    }
}

impl Board {
    /// T:103: one coordinate; the others keep the goals that the last loop passes left, the hand closes.
    pub(super) fn single_coordinate(&mut self, command: &Document) -> Vec<Step> {
        let axis = usize::from(command.byte("axis").wrapping_sub(1));
        let mut goal = self.cpu.poses.goal;
        if let Some(coordinate) = goal.get_mut(axis) {
            *coordinate = command.number("pos");
        }
        self.move_to(goal, command.number("spd"))
    }

    /// T:104.
    pub(super) fn pose(&mut self, command: &Document) -> Vec<Step> {
        self.move_to(["x", "y", "z", "t", "r", "g"].map(|key| command.number(key)), command.number("spd"))
    }

    /// An interpolated move from where the firmware believes the tool to be. `speed` is no speed but mm (or rad) a point.
    pub(super) fn move_to(&mut self, goal: [f64; 6], speed: f64) -> Vec<Step> {
        if self.g3() && speed == 0.0 {
            return vec![];
        }
        self.cpu.poses.goal = goal;
        let increment = self.cpu.poses.increment(speed as f32);
        self.cpu.hung = increment <= 0.0 && increment.is_finite();
        vec![Step::MoveThrough { fraction: 0.0, increment }]
    }

    /// The next point of an interpolated move.
    pub(super) fn move_through(&mut self, fraction: f64, increment: f64) {
        // Written like this, a fraction that is no number ends the move.
        if fraction <= 1.0 {
            if self.g3() && self.cpu.stop_flag {
                // The servos keep the point that they were given last.
                self.cpu.hung = false;
                return;
            }
            let point = self.cpu.poses.point(fraction);
            let [x, y, z, pitch, roll] = point;
            let hand = self.cpu.poses.goal[5];
            if let Some(write) = self.reach([x, y, z, pitch, roll, hand]) {
                self.cpu.poses.reachable = point;
                let next = Step::MoveThrough { fraction: fraction + increment, increment };
                self.cpu.first([write, Step::Delay(POINT_PAUSE), next]);
                return;
            }
            let [x, y, z, pitch, roll] = self.cpu.poses.reachable;
            self.cpu.poses.goal = [x, y, z, pitch, roll, hand];
        }
        let write = self.go(self.cpu.poses.goal);
        self.cpu.poses.arrive();
        self.cpu.hung = false;
        self.cpu.first([write]);
    }

    /// T:1041: inverse kinematics once, then one write at whatever speed and acceleration the last command left over.
    /// Out of reach the joints are NaN, and the arm swings up.
    pub(super) fn direct_pose(&mut self, command: &Document) -> Vec<Step> {
        let pose = ["x", "y", "z", "t", "r", "g"].map(|key| command.number(key));
        vec![self.go(pose)]
    }

    /// The write that brings the tool to a pose (x, y, z in mm, pitch, roll, hand in rad); `None` if it is out of reach.
    pub(super) fn reach(&mut self, pose: [f64; 6]) -> Option<Step> {
        let write = self.go(pose);
        let [_, rest @ ..] = self.cpu.poses.commanded_rad;
        (!rest.into_iter().any(f64::is_nan)).then_some(write)
    }

    /// As [`Board::reach`], out of reach or not.
    pub(super) fn go(&mut self, pose: [f64; 6]) -> Step {
        let [x, y, z, pitch_rad, roll, hand] = pose;
        let joints = kinematics::inverse_or_nan(ToolPose { position_mm: [x, y, z], pitch_rad });
        self.cpu.poses.commanded_rad = joints;
        let [base, shoulder, elbow, wrist] = joints;
        let angles = FirmwareAngles::from_array([base, shoulder, elbow, wrist, roll, hand]);
        let (speeds, accelerations) = self.cpu.left_over;
        all(steps::goals(self.options.generation, angles), speeds, accelerations)
    }

    /// T:101 and T:121 make the firmware believe that the arm already stands where joints were last commanded to.
    pub(super) fn believe_commanded(&mut self) {
        let [base_rad, shoulder_rad, elbow_rad, wrist_rad] = self.cpu.poses.commanded_rad;
        let angles =
            FirmwareAngles { base_rad, shoulder_rad, elbow_rad, wrist_rad, ..FirmwareAngles::default() };
        self.cpu.poses.believe(kinematics::forward(angles));
    }
}
