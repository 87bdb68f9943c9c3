//! The seven servos on their bus, and the gravity they work against.

use std::vec::Vec;

use core::time::Duration;

use super::options::ServoOptions;
use super::servo::{Contact, Servo};
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
    pub(super) writes: Option<Vec<TimedWrite>>,
    /// Ids of the servos, in their EEPROM. Two may have the same.
    ids: [u8; 7],
}

/// Place of a joint's (driving) servo.
pub(super) fn place(joint: Joint) -> usize {
    POLLED[joint.index()]
}

impl Bus {
    pub(super) fn new(options: ServoOptions, initial: [i32; 6], keep_writes: bool) -> Self {
        let [base, shoulder, elbow, wrist, roll, hand] = initial;
        let mirror = steps::shoulder_mirror(shoulder);
        let mut servos = [base, shoulder, mirror, elbow, wrist, roll, hand].map(Servo::at_rest);
        servos[6].torque_limit = 300;
        for (servo, dead) in servos.iter_mut().zip(options.dead) {
            servo.dead = dead;
        }
        Self { servos, options, contacts: [None; 6], writes: keep_writes.then(Vec::new), ids: IDS }
    }

    /// The supply comes on.
    pub(super) fn power_on(&mut self) {
        self.servos.iter_mut().for_each(Servo::power_on);
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
                addressed(servos, ids, id).for_each(Servo::calibrate_middle);
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
                        21 => servo.p = value as u8,
                        23 => servo.i = value as u8,
                        48 => servo.torque_limit = value,
                        _ => {}
                    }
                }
            }
        }
    }

    /// The joints as they really stand, in the frame of the board's feedback but not rounded to steps.
    pub(super) fn angles(&self) -> FirmwareAngles {
        let zero = steps::feedback_angles([0; 6]).to_array();
        FirmwareAngles::from_array(Joint::ALL.map(|joint| {
            let sign = if matches!(joint, Joint::Base | Joint::Roll) { -1.0 } else { 1.0 };
            zero[joint.index()] + sign * self.servos[place(joint)].shaft * STEP_RAD
        }))
    }

    /// One millisecond of all servos.
    pub(super) fn tick(&mut self) {
        if self.options.instant {
            return;
        }
        let leverage = leverage(self.angles());
        let sag_steps = self.options.sag_deg / 360.0 * 4096.0;
        let fall_steps = self.options.fall_rad_per_s / STEP_RAD;
        for joint in Joint::ALL {
            let place = place(joint);
            let pull = leverage[joint.index()];
            let stops = stops(joint, self.contacts[joint.index()]);
            self.servos[place].tick(&self.options, sag_steps * pull, fall_steps * pull, stops);
        }
        // Servo 13 is geared to 12: it goes where 12 goes.
        let driven = 4094.0 - self.servos[1].shaft;
        self.servos[MIRROR].place(driven);
        self.servos[MIRROR].load = -self.servos[1].load;
    }

    /// Loads of all servos as read.
    pub(super) fn load(&self, place: usize) -> i16 {
        self.options.loads.map_or(self.servos[place].load, |loads| loads[place])
    }
}

/// The servos that take a packet to an id; 254 is all.
fn addressed<'a>(
    servos: &'a mut [Servo; 7],
    ids: &'a [u8; 7],
    id: u8,
) -> impl Iterator<Item = &'a mut Servo> {
    servos.iter_mut().zip(ids).filter(move |(_, own)| id == 254 || **own == id).map(|(servo, _)| servo)
}

/// Shaft steps (feedback frame) of joint angles.
fn shaft_steps(angles: FirmwareAngles) -> [f64; 6] {
    let zero = steps::feedback_angles([0; 6]).to_array();
    let angles = angles.to_array();
    Joint::ALL.map(|joint| {
        let turned = (angles[joint.index()] - zero[joint.index()]) / STEP_RAD;
        if matches!(joint, Joint::Base | Joint::Roll) { -turned } else { turned }
    })
}

/// How hard gravity pulls each joint towards larger angles, relative to the shoulder with the arm stretched out level.
/// Equal masses at the middles of upper arm, forearm and hand; base, roll and hand feel none.
fn leverage(angles: FirmwareAngles) -> [f64; 6] {
    const LINKS_MM: [f64; 3] = [236.8, 144.5, 171.7];
    const STRETCHED_MM: f64 = 118.4 + 309.05 + 467.15;
    let upper = angles.shoulder_rad;
    let fore = upper + angles.elbow_rad;
    let hand = fore + angles.wrist_rad;
    let reach = [upper, fore, hand].map(libm::sin);
    let [a, b, c] = [LINKS_MM[0] * reach[0], LINKS_MM[1] * reach[1], LINKS_MM[2] * reach[2]];
    let shoulder = (a / 2.0) + (a + b / 2.0) + (a + b + c / 2.0);
    let elbow = (b / 2.0) + (b + c / 2.0);
    let wrist = c / 2.0;
    [0.0, shoulder / STRETCHED_MM, elbow / STRETCHED_MM, wrist / STRETCHED_MM, 0.0, 0.0]
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
