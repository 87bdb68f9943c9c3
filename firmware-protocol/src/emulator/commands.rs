//! What the firmware does with a parsed command.

use core::f64::consts::PI;
use core::time::Duration;
use std::vec;
use std::vec::Vec;

use super::board::Board;
use super::bus::ServoWrite;
use super::cpu::{Step, say};
use super::json::{Document, two_decimals};
use crate::{FirmwareAngles, Joint, steps};

/// Bus ids of the servos of a joint as commands count them, 1..=6.
fn ids(joint: u8) -> &'static [u8] {
    match joint {
        1 => &[11],
        2 => &[12, 13],
        3 => &[14],
        4 => &[15],
        5 => &[16],
        6 => &[17],
        _ => &[],
    }
}

/// deg/s or deg/s² into steps, rounded.
fn steps_of_degrees(degrees: f64) -> i32 {
    libm::round(degrees / 360.0 * 4096.0) as i32
}

fn register(id: u8, address: u8, value: i32) -> Step {
    Step::Write(ServoWrite::Register { id, address, value })
}

fn torque(id: u8, value: u8) -> Step {
    Step::Write(ServoWrite::Torque { id, value })
}

/// A C `float` made a `u8`: saturates at 32 bits, then keeps the low eight.
fn float_to_byte(value: f64) -> i32 {
    i32::from(value as f32 as i32 as u8)
}

impl Board {
    /// What a command makes the firmware do, in order. Missing fields are 0, an unknown code does nothing.
    pub(super) fn execute(&mut self, command: &Document) -> Vec<Step> {
        match command.code() {
            0 if self.g3() => {
                self.emergency_flag();
                vec![]
            }
            0 => vec![torque(254, 0), Step::Delay(Duration::from_secs(10)), torque(254, 1)],
            999 => {
                self.cpu.stop_flag = false;
                vec![]
            }
            100 => self.homing(),
            101 => self.joint(
                command.byte("joint"),
                command.number("rad"),
                command.word("spd"),
                command.byte("acc"),
            ),
            102 => {
                let angles =
                    ["base", "shoulder", "elbow", "wrist", "roll", "hand"].map(|key| command.number(key));
                self.cpu.left_over = ([0; 7], [0; 7]);
                vec![self.all_joints(angles, command.word("spd"), command.byte("acc"))]
            }
            105 => vec![Step::Scan, Step::Complain, Step::Frame],
            106 => self.joint(6, command.number("cmd"), command.word("spd"), command.byte("acc")),
            107 => vec![register(17, 48, command.int("tor").clamp(50, 1000))],
            108 => {
                let gains =
                    [(21, float_to_byte(command.number("p"))), (23, float_to_byte(command.number("i")))];
                let of_servo = |id: &u8| gains.map(|(address, value)| register(*id, address, value));
                ids(command.byte("joint")).iter().flat_map(of_servo).collect()
            }
            109 => (11..=17).flat_map(|id| [register(id, 21, 16), register(id, 23, 0)]).collect(),
            111 => vec![Step::Delay(Duration::from_millis(command.int("cmd").max(0) as u64))],
            112 => adaptation(command),
            121 => self.joint_in_degrees(command),
            122 => {
                let speed = steps_of_degrees(command.word("spd").into()) as u16;
                let acceleration = steps_of_degrees(command.byte("acc").into()) as u8;
                let angles = ["b", "s", "e", "t", "r", "h"].map(|key| command.number(key) * PI / 180.0);
                self.cpu.left_over = ([speed; 7], [acceleration; 7]);
                vec![self.all_joints(angles, speed, acceleration)]
            }
            210 => self.torque_of_all(command.byte("cmd")),
            301 => {
                self.cpu.esp_now_mode = command.byte("mode");
                vec![]
            }
            302 => vec![say(super::boot::MAC)],
            502 => vec![Step::Write(ServoWrite::Middle { id: command.byte("id") })],
            503 => vec![register(command.byte("id"), 21, command.byte("p").into())],
            600 => {
                self.reboot();
                vec![]
            }
            605 => {
                self.cpu.feedback_mode = command.byte("cmd");
                vec![]
            }
            103 | 104 | 110 | 123 | 1041 => {
                self.unsupported += 1;
                vec![]
            }
            _ => vec![],
        }
    }

    /// G3: the stop ends Cartesian moves and empties the queue; torque stays on.
    pub(super) fn emergency_flag(&mut self) {
        self.cpu.stop_flag = true;
        self.cpu.queue.clear();
    }

    fn goal_of(&self, joint: Joint, angle_rad: f64) -> i32 {
        steps::goal(self.options.generation, joint, angle_rad)
    }

    /// One joint: acknowledged writes, one for each of its servos.
    fn joint(&self, number: u8, angle_rad: f64, speed: u16, acceleration: u8) -> Vec<Step> {
        let Some(&joint) = Joint::ALL.get(usize::from(number.wrapping_sub(1))) else { return vec![] };
        let goal = self.goal_of(joint, angle_rad);
        let write = |&id: &u8| {
            let goal = if id == 13 { steps::shoulder_mirror(goal) } else { goal };
            Step::Write(ServoWrite::One { id, goal, speed, acceleration })
        };
        ids(number).iter().map(write).collect()
    }

    fn joint_in_degrees(&self, command: &Document) -> Vec<Step> {
        let (number, angle_deg) = (command.byte("joint"), command.number("angle"));
        let angle_rad = angle_deg * PI / 180.0;
        let speed = steps_of_degrees(command.word("spd").into()) as u16;
        let acceleration = steps_of_degrees(command.byte("acc").into()) as u8;
        let mut steps = self.joint(number, angle_rad, speed, acceleration);
        if number == 1 {
            // A left-over debug print of the firmware.
            steps.extend([say(&two_decimals(angle_deg)), say(&two_decimals(angle_rad))]);
        }
        steps
    }

    /// All joints in one packet, servo 13 mirrored.
    pub(super) fn all_joints(&self, angles_rad: [f64; 6], speed: u16, acceleration: u8) -> Step {
        let [base, shoulder, elbow, wrist, roll, hand] =
            steps::goals(self.options.generation, FirmwareAngles::from_array(angles_rad));
        let mirror = steps::shoulder_mirror(shoulder);
        Step::Write(ServoWrite::All {
            goals: [base, shoulder, mirror, elbow, wrist, roll, hand],
            speeds: [speed; 7],
            accelerations: [acceleration; 7],
        })
    }

    fn torque_of_all(&self, value: u8) -> Vec<Step> {
        if value != 0 || !self.g3() {
            return vec![torque(254, value)];
        }
        // G3 folds the arm before it lets go.
        let folded = [0.0, -PI / 2.0, PI, 0.0, 0.0, PI];
        vec![
            self.all_joints(folded, 600, 20),
            Step::WaitNear { joint: 1, goal: 1023, window: 120 },
            Step::WaitNear { joint: 2, goal: 3071, window: 80 },
            torque(254, 0),
        ]
    }
}

/// T:112. The firmware gives wrist and roll the elbow's limit and never reads theirs.
fn adaptation(command: &Document) -> Vec<Step> {
    let limits = match command.byte("mode") {
        0 => [1000; 7],
        1 => {
            let [base, shoulder, elbow, hand] =
                ["b", "s", "e", "h"].map(|key| command.int(key).clamp(50, 1000));
            [base, shoulder, shoulder, elbow, elbow, elbow, hand]
        }
        _ => return vec![],
    };
    (11..=17).zip(limits).map(|(id, limit)| register(id, 48, limit)).collect()
}
