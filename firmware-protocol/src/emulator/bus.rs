//! The seven servos on their bus, and the gravity they work against.

use std::vec::Vec;

use core::time::Duration;

use super::drive::{self, DUTY_PER_STEP, Drive, Load};
use super::gravity;
use super::servo::{Contact, Servo};
use super::servo_options::{LoadedSpeed, ServoOptions};
use crate::steps::{self, STEP_RAD};
use crate::{FirmwareAngles, Joint};

/// Ids of the servos are 11..=17; 12 and 13 share the shoulder.
pub(super) const FIRST_ID: u8 = 11;
const IDS: [u8; 7] = [11, 12, 13, 14, 15, 16, 17];
/// Places (id − 11) of the servos that the firmware polls: all but 13.
pub(super) const POLLED: [usize; 6] = [0, 1, 3, 4, 5, 6];
const MIRROR: usize = 2;

/// One write of the firmware to the servo bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServoWrite {
    /// Goals of all seven servos (ids 11..=17) in one packet.
    All {
        /// Goal steps.
        goals: [i32; 7],
        /// Speeds, steps/s; 0 is the top speed.
        speeds: [u16; 7],
        /// Accelerations, 100 steps/s²; 0 is no ramp.
        accelerations: [u8; 7],
    },
    /// Goal of one servo.
    One {
        /// Bus id.
        id: u8,
        /// Goal step.
        goal: i32,
        /// Speed, steps/s.
        speed: u16,
        /// Acceleration, 100 steps/s².
        acceleration: u8,
    },
    /// Torque register; id 254 is all.
    Torque {
        /// Bus id.
        id: u8,
        /// 0 off, 1 on, 128: present position becomes the middle.
        value: u8,
    },
    /// The present position becomes the middle (in EEPROM); id 254 is all.
    Middle {
        /// Bus id.
        id: u8,
    },
    /// Any other register: 21 P gain, 23 I gain, 48 torque limit, 55 EEPROM lock (0 opens it).
    Register {
        /// Bus id.
        id: u8,
        /// Register.
        address: u8,
        /// New value.
        value: i32,
    },
}

impl ServoWrite {
    /// The one servo that shall answer; `None` for packets to all.
    fn addressee(self) -> Option<u8> {
        let (Self::One { id, .. }
        | Self::Torque { id, .. }
        | Self::Middle { id }
        | Self::Register { id, .. }) = self
        else {
            return None;
        };
        (id != 254).then_some(id)
    }
}

/// A servo write and the board's time of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedWrite {
    /// Time since the board was made.
    pub at: Duration,
    /// What was written.
    pub write: ServoWrite,
}

pub(super) struct Bus {
    pub(super) servos: [Servo; 7],
    pub(super) options: ServoOptions,
    pub(super) contacts: [Option<Contact>; 6],
    /// Where a joint is stuck, steps of its shaft.
    stuck: [Option<f64>; 6],
    /// Torques from outside, N·m towards larger angles.
    torques_nm: [f64; 6],
    /// Servos that would not answer even with supply.
    faulty: [bool; 7],
    powered: bool,
    /// How far servo 13's zero is from the mirror image of 12's, steps.
    mirror_offset: f64,
    pub(super) writes: Option<Vec<TimedWrite>>,
    /// Ids of the servos, in their EEPROM. Two may have the same.
    ids: [u8; 7],
    /// Ticks since the joints were moved from outside; `None` while they move by themselves.
    pub(super) outside: Option<u32>,
}

/// Place of a joint's (driving) servo.
pub(super) fn place(joint: Joint) -> usize {
    POLLED[joint.index()]
}

/// Base and roll count steps against the angle.
fn sense(joint: Joint) -> f64 {
    if matches!(joint, Joint::Base | Joint::Roll) { -1.0 } else { 1.0 }
}

impl Bus {
    pub(super) fn new(options: ServoOptions, initial: [i32; 6], keep_writes: bool) -> Self {
        let [base, shoulder, elbow, wrist, roll, hand] = initial;
        let goals = [base, shoulder, steps::shoulder_mirror(shoulder), elbow, wrist, roll, hand];
        let mut servos: [Servo; 7] = core::array::from_fn(|place| {
            let goal = options.step_minus_one.goal(goals[place]);
            Servo::at_rest(goal, options.kinds[place], &options)
        });
        servos[6].torque_limit = 300;
        for (servo, dead) in servos.iter_mut().zip(options.dead) {
            servo.dead = dead;
        }
        Self {
            servos,
            faulty: options.dead,
            options,
            contacts: [None; 6],
            stuck: [None; 6],
            torques_nm: [0.0; 6],
            powered: true,
            mirror_offset: 0.0,
            writes: keep_writes.then(Vec::new),
            ids: IDS,
            outside: None,
        }
    }

    /// The supply comes on, or was off for a moment.
    pub(super) fn power_on(&mut self) {
        let Self { servos, options, .. } = self;
        servos.iter_mut().for_each(|servo| servo.power_on(options));
    }

    /// The servos' supply, as it is from now on. When it comes back they have the factory's registers.
    pub(super) fn set_powered(&mut self, powered: bool) {
        if powered != self.powered {
            self.powered = powered;
            if powered {
                self.power_on();
            } else {
                self.servos.iter_mut().for_each(Servo::power_off);
            }
        }
        self.set_faulty(self.faulty);
    }

    /// Servos that do not answer, from now on.
    pub(super) fn set_faulty(&mut self, faulty: [bool; 7]) {
        self.faulty = faulty;
        for (servo, faulty) in self.servos.iter_mut().zip(faulty) {
            servo.dead = faulty || !self.powered;
        }
    }

    /// Blocks a joint where it stands, or frees it.
    pub(super) fn set_stuck(&mut self, joint: Joint, stuck: bool) {
        self.stuck[joint.index()] = stuck.then(|| self.servos[place(joint)].shaft);
    }

    pub(super) fn set_torque_from_outside(&mut self, joint: Joint, torque_nm: f64) {
        self.torques_nm[joint.index()] = torque_nm;
    }

    /// By how many steps servo 13 pulls away from servo 12 when both stand at their goals.
    pub(super) fn mispairing(&self) -> f64 {
        self.mirror_offset
    }

    /// Greatest current of a servo, mA.
    pub(super) fn greatest_current_ma(&self) -> f64 {
        self.servos.iter().map(|servo| servo.current_ma).fold(0.0, f64::max)
    }

    /// Place of the servo that answers to an id. Of two with the same id one is heard.
    pub(super) fn answering(&self, id: u8) -> Option<usize> {
        (0..7).find(|&place| self.ids[place] == id && !self.servos[place].dead)
    }

    /// Whether a write waits in vain for the answer of a servo. Broadcasts and packets to all expect none.
    pub(super) fn is_unanswered(&self, write: ServoWrite) -> bool {
        write.addressee().is_some_and(|id| self.answering(id).is_none())
    }

    pub(super) fn write(&mut self, at: Duration, write: ServoWrite) {
        if let Some(writes) = &mut self.writes {
            writes.push(TimedWrite { at, write });
        }
        let Self { servos, options, ids, .. } = self;
        match write {
            ServoWrite::All { goals, speeds, accelerations } => {
                for (part, id) in IDS.into_iter().enumerate() {
                    for servo in addressed(servos, ids, id) {
                        servo.write_goal(goals[part], speeds[part], accelerations[part], options);
                    }
                }
            }
            ServoWrite::One { id, goal, speed, acceleration } => {
                for servo in addressed(servos, ids, id) {
                    servo.write_goal(goal, speed, acceleration, options);
                }
            }
            ServoWrite::Torque { id, value: 128 } | ServoWrite::Middle { id } => {
                self.calibrate(id);
            }
            ServoWrite::Torque { id, value } => {
                addressed(servos, ids, id).for_each(|servo| servo.write_torque(value != 0, options));
            }
            ServoWrite::Register { id, address: 5, value } => {
                for own in servos
                    .iter()
                    .zip(ids)
                    .filter(|(servo, own)| **own == id && !servo.dead)
                    .map(|(_, own)| own)
                {
                    *own = value as u8;
                }
            }
            ServoWrite::Register { id, address, value } => {
                for servo in addressed(servos, ids, id).filter(|servo| !servo.dead) {
                    match address {
                        21 | 23 => servo.write_gain(address, value as u8, options),
                        48 => servo.torque_limit = value,
                        55 => servo.unlocked = value == 0,
                        _ => {}
                    }
                }
            }
        }
    }

    /// The middle of servos is set to where they stand. At the shoulder that moves the two servos' zeros apart.
    fn calibrate(&mut self, id: u8) {
        for place in (0..7).filter(|&place| id == 254 || self.ids[place] == id) {
            let moved = self.servos[place].calibrate_middle(&self.options);
            if place == MIRROR - 1 || place == MIRROR {
                self.mirror_offset += moved;
            }
        }
    }

    /// The joints as they really stand, in the frame of the board's feedback but not rounded to steps.
    pub(super) fn angles(&self) -> FirmwareAngles {
        FirmwareAngles::from_array(Joint::ALL.map(|joint| angle_rad(joint, self.servos[place(joint)].shaft)))
    }

    /// One millisecond of all servos.
    pub(super) fn tick(&mut self) {
        if self.options.instant {
            return;
        }
        self.servos.iter_mut().for_each(Servo::tick);
        if let Some(ticks) = &mut self.outside {
            *ticks += 1;
            return;
        }
        let pull = gravity::pull(self.angles());
        for joint in Joint::ALL {
            self.tick_joint(joint, pull[joint.index()]);
        }
    }

    fn tick_joint(&mut self, joint: Joint, pull: f64) {
        let (index, driving) = (joint.index(), place(joint));
        let servos = if joint == Joint::Shoulder { 2.0 } else { 1.0 };
        let (mut drives, mut count) = ([Drive { target: 0.0, stiffness: 0.0, limit: 0.0 }; 2], 0);
        for drive in self.drives_of(joint).into_iter().flatten() {
            drives[count] = drive;
            count += 1;
        }

        let options = &self.options;
        let servo = &self.servos[driving];
        let heaviest = ServoOptions::steps_of_degrees(options.sag_deg) * DUTY_PER_STEP;
        let outside = servo.duty_of(self.torques_nm[index]);
        // Without gravity in the options, a limp joint gives way to other torques as the stock arm does.
        let reference = if heaviest > 0.0 { heaviest } else { STOCK_HEAVIEST };
        let load = Load {
            torque: sense(joint) * (pull * heaviest * servos + outside),
            friction: ServoOptions::steps_of_degrees(options.dead_zone_deg[index]) * DUTY_PER_STEP * servos,
            yielding: options.fall_rad_per_s / STEP_RAD / (reference * servos),
            top_speed: servo.top_speed(),
            motor: options.loaded_speed == LoadedSpeed::FallsWithLoad,
        };
        let (low, high) = self.stuck[index].map_or_else(|| stops(joint, self.contacts[index]), |at| (at, at));
        let shaft = drive::moved(servo.shaft, &drives[..count], &load).clamp(low, high);
        self.settle(joint, shaft, 1);
    }

    /// The drives of a joint that have their torque on, in the steps of its own servo.
    pub(super) fn drives_of(&self, joint: Joint) -> [Option<Drive>; 2] {
        let own = self.servos[place(joint)].drive();
        if joint != Joint::Shoulder {
            return [own, None];
        }
        let mirrored = self.servos[MIRROR].drive();
        [own, mirrored.map(|drive| Drive { target: self.mirror_sum() - drive.target, ..drive })]
    }

    /// A joint's shaft has come to `shaft` in so many ticks.
    pub(super) fn settle(&mut self, joint: Joint, shaft: f64, ticks: u32) {
        let mirrored = self.mirror_sum() - shaft;
        let servo = &mut self.servos[place(joint)];
        let drive = servo.drive();
        servo.settle(shaft, drive, ticks);
        if joint == Joint::Shoulder {
            let servo = &mut self.servos[MIRROR];
            let drive = servo.drive();
            servo.settle(mirrored, drive, ticks);
        }
    }

    /// Servo 13 is geared to 12 and counts the other way: together they are this.
    fn mirror_sum(&self) -> f64 {
        4094.0 + self.mirror_offset
    }

    /// Loads of all servos as read.
    pub(super) fn load(&self, place: usize) -> i16 {
        self.options.loads.map_or(self.servos[place].load, |loads| loads[place])
    }
}

/// Duty that holds a servo of the stock arm's shoulder, stretched out level: 3°.
const STOCK_HEAVIEST: f64 = 341.0;
/// The servos that take a packet to an id; 254 is all.
fn addressed<'a>(
    servos: &'a mut [Servo; 7],
    ids: &'a [u8; 7],
    id: u8,
) -> impl Iterator<Item = &'a mut Servo> {
    servos.iter_mut().zip(ids).filter(move |(_, own)| id == 254 || **own == id).map(|(servo, _)| servo)
}

/// Angle (feedback frame) of a joint's shaft, rad.
pub(super) fn angle_rad(joint: Joint, shaft: f64) -> f64 {
    steps::feedback_rad(joint, 0) + sense(joint) * shaft * STEP_RAD
}

/// Shaft steps (feedback frame) of joint angles.
pub(super) fn shaft_steps(angles: FirmwareAngles) -> [f64; 6] {
    let zero = steps::feedback_angles([0; 6]).to_array();
    let angles = angles.to_array();
    Joint::ALL.map(|joint| sense(joint) * (angles[joint.index()] - zero[joint.index()]) / STEP_RAD)
}

/// Mechanical stops and contact of a joint, shaft steps.
fn stops(joint: Joint, contact: Option<Contact>) -> (f64, f64) {
    let (mut low, mut high): (f64, f64) = match joint {
        Joint::Base | Joint::Roll => (-1.0, 4096.0),
        Joint::Shoulder | Joint::Wrist => (900.0, 3200.0),
        Joint::Elbow => (400.0, 3150.0),
        Joint::Hand => (600.0, 3450.0),
    };
    let shaft = |angle_rad: f64| {
        let angles = FirmwareAngles::from_array([angle_rad; 6]);
        shaft_steps(angles)[joint.index()]
    };
    // Base and roll count steps against the angle.
    let mirrored = matches!(joint, Joint::Base | Joint::Roll);
    match contact {
        Some(Contact::Above(angle_rad)) if !mirrored => high = high.min(shaft(angle_rad)).max(low),
        Some(Contact::Above(angle_rad)) => low = low.max(shaft(angle_rad)).min(high),
        Some(Contact::Below(angle_rad)) if !mirrored => low = low.max(shaft(angle_rad)).min(high),
        Some(Contact::Below(angle_rad)) => high = high.min(shaft(angle_rad)).max(low),
        None => {}
    }
    (low, high)
}
