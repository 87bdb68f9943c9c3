//! T:110: the arm stretches up, turns, and makes that the new direction of x, for good.

use core::time::Duration;
use std::vec::Vec;

use super::board::Board;
use super::bus::ServoWrite;
use super::commands::one;
use super::cpu::Step;
use super::json::Document;
use crate::{Joint, steps};

/// How near the joints must come before the routine goes on, steps.
const STRETCHED: i32 = 200;
const TURNED: i32 = 20;

impl Board {
    /// Blocks for more than two seconds, and for ever if a joint does not get there.
    pub(super) fn new_x_axis(&self, command: &Document) -> Vec<Step> {
        let goal = |joint: Joint, angle_rad: f64| steps::goal(self.options.generation, joint, angle_rad);
        let to = |joint: Joint, angle_rad: f64| {
            one(joint.index() as u8 + 1, |joint| goal(joint, angle_rad), 500, 20)
        };
        let wait = |joint: Joint, angle_rad: f64, window: i32| Step::WaitNear {
            joint: joint.index(),
            goal: goal(joint, angle_rad),
            window,
        };
        let settle = Step::Delay(Duration::from_secs(1));
        let turned_rad = -steps::radians_of_degrees(command.number("xAxisAngle"));
        let mut steps = to(Joint::Shoulder, 0.0);
        steps.push(wait(Joint::Shoulder, 0.0, STRETCHED));
        steps.extend([Joint::Elbow, Joint::Wrist, Joint::Roll].into_iter().flat_map(|joint| to(joint, 0.0)));
        steps.push(wait(Joint::Elbow, 0.0, STRETCHED));
        for angle_rad in [0.0, turned_rad] {
            steps.extend(to(Joint::Base, angle_rad));
            steps.extend([wait(Joint::Base, angle_rad, TURNED), settle.clone()]);
        }
        steps.extend([Step::Write(ServoWrite::Middle { id: 11 }), Step::Delay(Duration::from_millis(5))]);
        steps
    }
}
