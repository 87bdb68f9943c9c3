//! T:501 to 503: ids, middles and gains in the servos' EEPROM.

use std::format;
use std::vec;
use std::vec::Vec;

use super::board::Board;
use super::bus::{POLLED, ServoWrite};
use super::cpu::{DEAD_SERVO, Step, say};
use super::json::Document;

/// Register of the EEPROM's lock.
const LOCK: u8 = 55;
/// Register of the id.
const ID: u8 = 5;

fn register(id: u8, address: u8, value: i32) -> Step {
    Step::Write(ServoWrite::Register { id, address, value })
}

impl Board {
    /// T:501 gives a servo another id; T:503 sets its P gain. Both first look whether it answers.
    pub(super) fn servo_setup_command(&mut self, command: &Document) -> Vec<Step> {
        let changes_id = command.code() == 501;
        let id = command.byte(if changes_id { "raw" } else { "id" });
        let debug = self.cpu.feedback_mode == 1;
        let report = |outcome: &str| {
            let text = (debug && changes_id).then(|| say(&format!("change: {id}{outcome}")));
            text.into_iter().collect::<Vec<Step>>()
        };
        if !self.look_at_servo(id) {
            let failed = debug.then(|| say(&format!("Servo ID:{id} status: failed.")));
            return [vec![Step::Delay(DEAD_SERVO)], failed.into_iter().collect(), report("failed")].concat();
        }
        let (address, value, then) = if changes_id {
            let new = command.byte("new");
            (ID, new, new)
        } else {
            (21, command.byte("p"), id)
        };
        let writes =
            vec![register(id, LOCK, 0), register(id, address, value.into()), register(then, LOCK, 1)];
        [writes, report("succeed")].concat()
    }

    /// Reads any servo by its id, also 13, whose load the loop never asks for.
    fn look_at_servo(&mut self, id: u8) -> bool {
        match id {
            13 => self.sample_mirror(),
            11..=17 => match POLLED.iter().position(|&place| place + 11 == usize::from(id)) {
                Some(joint) => self.sample_joint(joint),
                None => false,
            },
            // What is read from such an id goes to memory that belongs to something else.
            _ => self.bus.answering(id).is_some(),
        }
    }
}
