//! The text of each command.

use super::{Adaptation, Command, MacAddress, RadioControl, Text, number};
use crate::{DegreeAcceleration, DegreeSpeed, ServoAcceleration, ServoSpeed, TorqueLimit};

impl Command {
    /// All but T:102, apart from it: that one is written at every tick of a control loop.
    pub(super) fn write_rarer(&self, text: &mut Text<'_>) {
        match *self {
            Self::Joints { .. } => {}
            Self::Joint { goal, speed, acceleration } => {
                text.integer(b"{\"T\":101,\"joint\":", number(goal.joint()));
                text.angle(b",\"rad\":", goal.angle_rad());
                text.servo_motion(speed, acceleration);
            }
            Self::ReadFeedback => text.literal(b"{\"T\":105"),
            Self::Hand { goal, speed, acceleration } => {
                text.angle(b"{\"T\":106,\"cmd\":", goal.angle_rad());
                text.servo_motion(speed, acceleration);
            }
            Self::HandTorque(limit) => text.integer(b"{\"T\":107,\"tor\":", limit.per_mille().into()),
            Self::JointGains { joint, p, i } => {
                text.integer(b"{\"T\":108,\"joint\":", number(joint));
                text.integer(b",\"p\":", p.units().into());
                text.integer(b",\"i\":", i.into());
            }
            Self::ResetGains => text.literal(b"{\"T\":109"),
            Self::Wait(delay) => text.integer(b"{\"T\":111,\"cmd\":", delay.ms().into()),
            Self::Adapt(adaptation) => text.adaptation(adaptation),
            Self::Outputs { a, b } => {
                text.signed(b"{\"T\":113,\"pwm_a\":", a.duty().into());
                text.signed(b",\"pwm_b\":", b.duty().into());
            }
            Self::Light(brightness) => text.integer(b"{\"T\":114,\"led\":", brightness.into()),
            Self::OutputsOff => text.literal(b"{\"T\":115"),
            Self::JointDegrees { goal, speed, acceleration } => {
                text.integer(b"{\"T\":121,\"joint\":", number(goal.joint()));
                text.decimal(b",\"angle\":", goal.angle_deg());
                text.degree_motion(speed, acceleration);
            }
            Self::JointsDegrees { goal, speed, acceleration } => {
                text.literal(b"{\"T\":122");
                let keys: [&[u8]; 6] =
                    [b",\"b\":", b",\"s\":", b",\"e\":", b",\"t\":", b",\"r\":", b",\"h\":"];
                for (key, angle_deg) in keys.into_iter().zip(goal.to_array()) {
                    text.decimal(key, angle_deg);
                }
                text.degree_motion(speed, acceleration);
            }
            Self::TorqueOn => text.literal(b"{\"T\":210,\"cmd\":1"),
            Self::SetRadioControl(control) => {
                let (mode, leader) = match control {
                    RadioControl::Anybody => (1, MacAddress::BROADCAST),
                    RadioControl::Only(leader) => (0, leader),
                };
                text.integer(b"{\"T\":300,\"mode\":", mode);
                text.literal(b",\"mac\":");
                leader.write(text);
            }
            Self::SetEspNow(mode) => text.integer(b"{\"T\":301,\"mode\":", mode as u32),
            Self::ReadMacAddress => text.literal(b"{\"T\":302"),
            Self::SetFeedbackMode(mode) => text.integer(b"{\"T\":605,\"cmd\":", mode as u32),
            Self::ResetEmergencyStop => text.literal(b"{\"T\":999"),
            Self::ToolPose(goal) => {
                text.literal(b"{\"T\":1041");
                goal.write(text);
            }
        }
    }
}

impl Text<'_> {
    pub(super) fn servo_motion(&mut self, speed: ServoSpeed, acceleration: ServoAcceleration) {
        self.integer(b",\"spd\":", speed.steps_per_s().into());
        self.integer(b",\"acc\":", acceleration.units().into());
    }

    fn degree_motion(&mut self, speed: DegreeSpeed, acceleration: DegreeAcceleration) {
        self.integer(b",\"spd\":", speed.deg_per_s().into());
        self.integer(b",\"acc\":", acceleration.wire_value().into());
    }

    fn adaptation(&mut self, adaptation: Adaptation) {
        let (mode, base, shoulder, others, hand) = match adaptation {
            Adaptation::Off => {
                (0, TorqueLimit::FULL, TorqueLimit::FULL, TorqueLimit::FULL, TorqueLimit::FULL)
            }
            Adaptation::On { base, shoulder, elbow_wrist_roll, hand } => {
                (1, base, shoulder, elbow_wrist_roll, hand)
            }
        };
        self.integer(b"{\"T\":112,\"mode\":", mode);
        let keys: [&[u8]; 6] = [b",\"b\":", b",\"s\":", b",\"e\":", b",\"t\":", b",\"r\":", b",\"h\":"];
        for (key, limit) in keys.into_iter().zip([base, shoulder, others, others, others, hand]) {
            self.integer(key, limit.per_mille().into());
        }
    }
}
