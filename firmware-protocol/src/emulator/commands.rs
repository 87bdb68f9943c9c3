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

/// A write between the opening and the closing of the servo's EEPROM.
fn unlocked(write: Step, id: u8) -> [Step; 3] {
    [register(id, 55, 0), write, register(id, 55, 1)]
}

/// Torque limit, which the firmware writes as if it lay in EEPROM.
pub(super) fn torque_limit(id: u8, limit: i32) -> [Step; 3] {
    unlocked(register(id, 48, limit), id)
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
            101 => {
                let (number, angle_rad) = (command.byte("joint"), command.number("rad"));
                let goal = |joint| self.goal_of(joint, angle_rad);
                let steps = one(number, goal, command.word("spd"), command.byte("acc"));
                self.believe_joint(number, angle_rad);
                steps
            }
            102 => {
                let angles =
                    ["base", "shoulder", "elbow", "wrist", "roll", "hand"].map(|key| command.number(key));
                self.cpu.left_over = ([0; 7], [0; 7]);
                let goals = steps::goals(self.options.generation, FirmwareAngles::from_array(angles));
                vec![all(goals, [command.word("spd"); 7], [command.byte("acc"); 7])]
            }
            105 => vec![Step::Scan, Step::Complain, Step::Frame],
            106 => {
                let goal = |joint| self.goal_of(joint, command.number("cmd"));
                one(6, goal, command.word("spd"), command.byte("acc"))
            }
            107 => torque_limit(17, command.int("tor").clamp(50, 1000)).to_vec(),
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
                let angles =
                    ["b", "s", "e", "t", "r", "h"].map(|key| steps::radians_of_degrees(command.number(key)));
                let goals = steps::goals(self.options.generation, FirmwareAngles::from_array(angles));
                self.cpu.left_over = ([speed; 7], [acceleration; 7]);
                self.cpu.poses.commanded_rad = core::array::from_fn(|joint| angles[joint]);
                vec![all(goals, [speed; 7], [acceleration; 7])]
            }
            210 => self.torque_of_all(command.byte("cmd")),
            113..=115 => {
                self.output_command(command);
                vec![]
            }
            200..=208 | 601 | 603 => self.file_command(command),
            220..=231 | 241 | 242 | 602 => self.mission_command(command),
            300..=306 => self.radio_command(command),
            401..=408 => self.network_command(command),
            501 | 503 => self.servo_setup_command(command),
            502 => vec![Step::Write(ServoWrite::Middle { id: command.byte("id") })],
            600 => vec![Step::Restart],
            // The settings that are erased matter to nothing that shows.
            604 => vec![Step::Delay(Duration::from_secs(1))],
            605 => {
                let mode = command.byte("cmd");
                if mode <= 2 {
                    self.cpu.feedback_mode = mode;
                }
                vec![]
            }
            1041 => self.direct_pose(command),
            103 => self.single_coordinate(command),
            104 => self.pose(command),
            110 => self.new_x_axis(command),
            123 => {
                self.cpu.jog.command(command);
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

    fn believe_joint(&mut self, number: u8, angle_rad: f64) {
        if let Some(angle) = self.cpu.poses.commanded_rad.get_mut(usize::from(number.wrapping_sub(1))) {
            *angle = angle_rad;
        }
        self.believe_commanded();
    }

    fn joint_in_degrees(&mut self, command: &Document) -> Vec<Step> {
        let (number, angle_deg) = (command.byte("joint"), command.number("angle"));
        let speed = steps_of_degrees(command.word("spd").into()) as u16;
        let acceleration = steps_of_degrees(command.byte("acc").into()) as u8;
        let angle_rad = steps::radians_of_degrees(angle_deg);
        let goal = |joint| self.goal_of(joint, angle_rad);
        let mut steps = one(number, goal, speed, acceleration);
        if number == 1 {
            // A left-over debug print of the firmware.
            steps.extend([say(&two_decimals(angle_deg)), say(&two_decimals(angle_rad))]);
        }
        self.believe_joint(number, angle_rad);
        steps
    }

    fn torque_of_all(&self, value: u8) -> Vec<Step> {
        if value != 0 || !self.g3() {
            return vec![torque(254, value)];
        }
        // G3 folds the arm before it lets go.
        let folded = FirmwareAngles::from_array([0.0, -PI / 2.0, PI, 0.0, 0.0, PI]);
        vec![
            all(steps::goals(self.options.generation, folded), [600; 7], [20; 7]),
            Step::WaitNear { joint: 1, goal: 1023, window: 120 },
            Step::WaitNear { joint: 2, goal: 3071, window: 80 },
            torque(254, 0),
        ]
    }
}

/// One joint: acknowledged writes, one for each of its servos.
pub(super) fn one(number: u8, goal: impl Fn(Joint) -> i32, speed: u16, acceleration: u8) -> Vec<Step> {
    let Some(&joint) = Joint::ALL.get(usize::from(number.wrapping_sub(1))) else { return vec![] };
    let driving = goal(joint);
    let write = |&id: &u8| {
        let goal = if id == 13 { steps::shoulder_mirror(driving) } else { driving };
        Step::Write(ServoWrite::One { id, goal, speed, acceleration })
    };
    ids(number).iter().map(write).collect()
}

/// All joints in one packet, servo 13 mirrored.
pub(super) fn all(goals: [i32; 6], speeds: [u16; 7], accelerations: [u8; 7]) -> Step {
    let [base, shoulder, elbow, wrist, roll, hand] = goals;
    let goals = [base, shoulder, steps::shoulder_mirror(shoulder), elbow, wrist, roll, hand];
    Step::Write(ServoWrite::All { goals, speeds, accelerations })
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
    (11..=17).zip(limits).flat_map(|(id, limit)| torque_limit(id, limit)).collect()
}
