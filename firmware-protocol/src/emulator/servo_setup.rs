//! T:501 and T:503: ids and gains in the servos' EEPROM.

use std::format;
use std::vec;
use std::vec::Vec;

use super::board::Board;
use super::bus::ServoWrite;
use super::cpu::{Step, say};
use super::json::Document;

/// Register of the EEPROM's lock.
const LOCK: u8 = 55;
/// Register of the id.
const ID: u8 = 5;
const P_GAIN: u8 = 21;

fn register(id: u8, address: u8, value: i32) -> Step {
    Step::Write(ServoWrite::Register { id, address, value })
}

impl Board {
    /// T:501 gives a servo another id; T:503 sets its P gain. Both first look whether it answers.
    pub(super) fn servo_setup_command(&mut self, command: &Document) -> Vec<Step> {
        let changes_id = command.code() == 501;
        let id = command.byte(if changes_id { "raw" } else { "id" });
        let report = |outcome: &str| {
            let text =
                (changes_id && self.cpu.feedback_mode == 1).then(|| say(&format!("change: {id}{outcome}")));
            text.into_iter().collect::<Vec<Step>>()
        };
        let look = vec![Step::Look(id)];
        if self.bus.answering(id).is_none() {
            return [look, report("failed")].concat();
        }
        let (address, value, then) = match command.byte("new") {
            new if changes_id => (ID, new, new),
            _ => (P_GAIN, command.byte("p"), id),
        };
        let writes =
            vec![register(id, LOCK, 0), register(id, address, value.into()), register(then, LOCK, 1)];
        [look, writes, report("succeed")].concat()
    }
}
