//! Reading the servos: what the firmware believes of the joints.

use std::vec::Vec;

use super::board::Board;
use super::bus::{FIRST_ID, POLLED};
use super::cpu::{DEAD_SERVO, Step, say};
use crate::{kinematics, steps};

/// The servo that no scan reads.
pub(super) const MIRROR_ID: u8 = 13;

impl Board {
    /// Takes over what all polled servos say.
    pub(super) fn sample(&mut self) {
        for joint in 0..POLLED.len() {
            self.sample_joint(joint);
        }
        self.cpu.seen = steps::feedback_angles(self.cpu.measured.steps);
        self.cpu.poses.believe(kinematics::forward(self.cpu.seen));
    }

    /// Takes over what a joint's servo says; a dead one leaves the old values, without a mark in the feedback.
    pub(super) fn sample_joint(&mut self, joint: usize) -> bool {
        let answering = self.bus.answering(FIRST_ID + POLLED[joint] as u8);
        let measured = &mut self.cpu.measured;
        measured.answered[joint] = answering.is_some();
        measured.torque[joint] = false;
        let Some(place) = answering else { return false };
        let servo = &self.bus.servos[place];
        measured.torque[joint] = servo.torque;
        measured.steps[joint] = servo.measured();
        measured.loads[joint] = self.bus.load(place);
        true
    }

    /// One read of one servo, outside of the scans.
    pub(super) fn look(&mut self, id: u8) {
        let answering = self.bus.answering(id);
        if let (MIRROR_ID, Some(place)) = (id, answering) {
            self.cpu.measured.mirror_load = self.bus.load(place);
        }
        if let Some(joint) = POLLED.iter().position(|&place| place + usize::from(FIRST_ID) == usize::from(id))
        {
            self.sample_joint(joint);
        }
        if answering.is_none() {
            let complaint = say(&std::format!("Servo ID:{id} status: failed."));
            let complaint = (self.cpu.feedback_mode == 1).then_some(complaint);
            self.cpu.first([Step::Delay(DEAD_SERVO)].into_iter().chain(complaint));
        }
    }

    /// Debug text about polled servos that did not answer.
    pub(super) fn complain(&mut self) {
        let mut text = Vec::new();
        if self.cpu.feedback_mode == 1 {
            for (joint, place) in POLLED.into_iter().enumerate() {
                if !self.cpu.measured.answered[joint] {
                    text.push(say(&std::format!("Servo ID:{} status: failed.", place + 11)));
                }
            }
        }
        self.cpu.first(text);
    }
}
