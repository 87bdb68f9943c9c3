//! Commands of numbers alone.

use std::string::ToString;
use std::vec;

use proptest::prelude::*;

use super::{Fields, LETTERS, Sent, dangerous, number, plain, text};
use crate::danger::{
    ArmMayFall, Axis, DangerousCommand, InterpolationSpeed, JogDirection, JogMode, WifiMode,
};
use crate::*;

/// A number with at most 4 decimals: what the wire carries without rounding.
pub(super) fn decimal(limit: i32) -> impl Strategy<Value = f64> {
    (-limit * 10_000 + 1..limit * 10_000).prop_map(|ten_thousandths| f64::from(ten_thousandths) / 1e4)
}

fn motion() -> impl Strategy<Value = (u16, u8)> {
    (1..=u16::MAX, 1..=254_u8)
}

fn joint() -> impl Strategy<Value = (Joint, u8)> {
    (0..6_usize).prop_map(|index| (Joint::ALL[index], index as u8 + 1))
}

fn pose() -> impl Strategy<Value = GoalPose> {
    prop::array::uniform6(0.0..1.0_f64).prop_filter_map("off the branch or clamped", |parts| {
        let ranges = limits::ranges(Generation::G1);
        let angles = Joint::ALL.map(|joint| {
            let range = ranges[joint.index()];
            range.min_rad + parts[joint.index()] * (range.max_rad - range.min_rad)
        });
        GoalPose::of_joints(Generation::G1, FirmwareAngles::from_array(angles)).ok()
    })
}

fn pose_fields(goal: GoalPose) -> Fields {
    let [x, y, z] = goal.pose().position_mm;
    let values = [x, y, z, goal.pose().pitch_rad, goal.roll_rad(), goal.hand_rad()];
    ["x", "y", "z", "t", "r", "g"].into_iter().zip(values.map(number)).collect()
}

pub(super) fn joint_commands() -> impl Strategy<Value = Sent> {
    let all = (prop::array::uniform6(decimal(10)), motion()).prop_map(|(angles, (speed, acceleration))| {
        let command = Command::Joints {
            goal: GoalAngles::new(FirmwareAngles::from_array(angles)).unwrap(),
            speed: ServoSpeed::new(speed).unwrap(),
            acceleration: ServoAcceleration::new(acceleration).unwrap(),
        };
        let names = ["base", "shoulder", "elbow", "wrist", "roll", "hand"];
        let mut fields: Fields = names.into_iter().zip(angles.map(number)).collect();
        fields.extend([("spd", number(speed)), ("acc", number(acceleration))]);
        plain(command, 102, fields)
    });
    let one = (joint(), decimal(10), motion()).prop_map(|((joint, index), angle, (speed, acceleration))| {
        let command = Command::Joint {
            goal: JointGoal::new(joint, angle).unwrap(),
            speed: ServoSpeed::new(speed).unwrap(),
            acceleration: ServoAcceleration::new(acceleration).unwrap(),
        };
        let fields = vec![
            ("joint", number(index)),
            ("rad", number(angle)),
            ("spd", number(speed)),
            ("acc", number(acceleration)),
        ];
        plain(command, 101, fields)
    });
    let hand = (decimal(10), motion()).prop_map(|(angle, (speed, acceleration))| {
        let command = Command::Hand {
            goal: HandGoal::new(angle).unwrap(),
            speed: ServoSpeed::new(speed).unwrap(),
            acceleration: ServoAcceleration::new(acceleration).unwrap(),
        };
        let fields = vec![("cmd", number(angle)), ("spd", number(speed)), ("acc", number(acceleration))];
        plain(command, 106, fields)
    });
    let degrees = (prop::array::uniform6(decimal(572)), 1..=5759_u16, 0..=22_u8).prop_map(
        |(angles, speed, acceleration)| {
            let command = Command::JointsDegrees {
                goal: GoalDegrees::new(angles).unwrap(),
                speed: DegreeSpeed::new(speed).unwrap(),
                acceleration: DegreeAcceleration::new(acceleration).unwrap_or(DegreeAcceleration::NO_RAMP),
            };
            let mut fields: Fields = LETTERS.into_iter().zip(angles.map(number)).collect();
            fields.extend([("spd", number(speed)), ("acc", number(acceleration))]);
            plain(command, 122, fields)
        },
    );
    let one_degree = (joint(), decimal(572), 1..=5759_u16, 1..=22_u8).prop_map(
        |((joint, index), angle, speed, acceleration)| {
            let command = Command::JointDegrees {
                goal: JointGoalDegrees::new(joint, angle).unwrap(),
                speed: DegreeSpeed::new(speed).unwrap(),
                acceleration: DegreeAcceleration::new(acceleration).unwrap(),
            };
            let fields = vec![
                ("joint", number(index)),
                ("angle", number(angle)),
                ("spd", number(speed)),
                ("acc", number(acceleration)),
            ];
            plain(command, 121, fields)
        },
    );
    let tool = pose().prop_map(|goal| plain(Command::ToolPose(goal), 1041, pose_fields(goal)));
    prop_oneof![all, one, hand, degrees, one_degree, tool]
}

pub(super) fn setting_commands() -> impl Strategy<Value = Sent> {
    let limit = || 50..=1000_u16;
    prop_oneof![
        limit().prop_map(|tor| plain(
            Command::HandTorque(TorqueLimit::new(tor).unwrap()),
            107,
            vec![("tor", number(tor))]
        )),
        (joint(), 1..=255_u8, any::<u8>()).prop_map(|((joint, index), p, i)| {
            let command = Command::JointGains { joint, p: Gain::new(p).unwrap(), i };
            plain(command, 108, vec![("joint", number(index)), ("p", number(p)), ("i", number(i))])
        }),
        (1..=10_000_u16).prop_map(|ms| plain(
            Command::Wait(BoardDelay::from_ms(ms).unwrap()),
            111,
            vec![("cmd", number(ms))]
        )),
        prop::array::uniform4(limit()).prop_map(|limits| {
            let [base, shoulder, elbow_wrist_roll, hand] =
                limits.map(|limit| TorqueLimit::new(limit).unwrap());
            let command = Command::Adapt(Adaptation::On { base, shoulder, elbow_wrist_roll, hand });
            let [b, s, e, h] = limits.map(number);
            let mut fields = vec![("mode", number(1))];
            fields.extend(LETTERS.into_iter().zip([b, s, e.clone(), e.clone(), e, h]));
            plain(command, 112, fields)
        }),
        (-255..=255_i16, -255..=255_i16).prop_map(|(a, b)| {
            let command = Command::Outputs { a: Pwm::new(a).unwrap(), b: Pwm::new(b).unwrap() };
            plain(command, 113, vec![("pwm_a", number(a)), ("pwm_b", number(b))])
        }),
        any::<u8>().prop_map(|led| plain(Command::Light(led), 114, vec![("led", number(led))])),
        any::<[u8; 6]>().prop_map(|mac| {
            let fields = vec![("mode", number(0)), ("mac", text(&MacAddress(mac).to_string()))];
            plain(Command::SetRadioControl(RadioControl::Only(MacAddress(mac))), 300, fields)
        }),
    ]
}

pub(super) fn fixed_commands() -> impl Strategy<Value = Sent> {
    let cmd = |value: u8| vec![("cmd", number(value))];
    let mode = |value: u8| vec![("mode", number(value))];
    let off = ["b", "s", "e", "t", "r", "h"].map(|key| (key, number(1000)));
    let adapt_off = [("mode", number(0))].into_iter().chain(off).collect();
    let anybody = vec![("mode", number(1)), ("mac", text("FF:FF:FF:FF:FF:FF"))];
    prop::sample::select(vec![
        plain(Command::ReadFeedback, 105, vec![]),
        plain(Command::ResetGains, 109, vec![]),
        plain(Command::Adapt(Adaptation::Off), 112, adapt_off),
        plain(Command::OutputsOff, 115, vec![]),
        plain(Command::TorqueOn, 210, cmd(1)),
        plain(Command::SetRadioControl(RadioControl::Anybody), 300, anybody),
        plain(Command::SetEspNow(EspNowMode::Off), 301, mode(0)),
        plain(Command::SetEspNow(EspNowMode::LeaderGroup), 301, mode(1)),
        plain(Command::SetEspNow(EspNowMode::LeaderSingle), 301, mode(2)),
        plain(Command::SetEspNow(EspNowMode::Follower), 301, mode(3)),
        plain(Command::ReadMacAddress, 302, vec![]),
        plain(Command::SetFeedbackMode(FeedbackMode::Quiet), 605, cmd(0)),
        plain(Command::SetFeedbackMode(FeedbackMode::Debug), 605, cmd(1)),
        plain(Command::SetFeedbackMode(FeedbackMode::Stream), 605, cmd(2)),
        plain(Command::ResetEmergencyStop, 999, vec![]),
        dangerous(DangerousCommand::EmergencyStop, 0, vec![]),
        dangerous(DangerousCommand::MoveHome, 100, vec![]),
        dangerous(DangerousCommand::TorqueOff(ArmMayFall::acknowledged()), 210, cmd(0)),
        dangerous(DangerousCommand::WifiAtBoot(WifiMode::Off), 401, cmd(0)),
        dangerous(DangerousCommand::WifiAtBoot(WifiMode::Both), 401, cmd(3)),
        dangerous(DangerousCommand::ReadNetwork, 405, vec![]),
        dangerous(DangerousCommand::SaveNetwork, 406, vec![]),
        dangerous(DangerousCommand::Disconnect, 408, vec![]),
        dangerous(DangerousCommand::Reboot, 600, vec![]),
        dangerous(DangerousCommand::ReadFlashSpace, 601, vec![]),
        dangerous(DangerousCommand::ReadBootMission, 602, vec![]),
        dangerous(DangerousCommand::DeleteBootMission, 603, vec![]),
        dangerous(DangerousCommand::EraseSettings, 604, vec![]),
        super::sent!(Ok::<_, Error>(FileCommand::list()), 200, vec![]),
    ])
}

pub(super) fn dangerous_commands() -> impl Strategy<Value = Sent> {
    let speed = || (500..100_000_i32).prop_map(|value| f64::from(value) / 1e4);
    prop_oneof![
        (0..6_u8, decimal(9), speed()).prop_map(|(index, pos, spd)| {
            let axis = Axis::ALL[usize::from(index)];
            let command =
                DangerousCommand::move_axis(axis, pos, InterpolationSpeed::new(spd).unwrap()).unwrap();
            let fields = vec![("axis", number(index + 1)), ("pos", number(pos)), ("spd", number(spd))];
            dangerous(command, 103, fields)
        }),
        (pose(), speed()).prop_map(|(goal, spd)| {
            let command = DangerousCommand::MoveTool(goal, InterpolationSpeed::new(spd).unwrap());
            let mut fields = pose_fields(goal);
            fields.push(("spd", number(spd)));
            dangerous(command, 104, fields)
        }),
        decimal(180).prop_map(|angle| dangerous(
            DangerousCommand::set_forward_deg(angle).unwrap(),
            110,
            vec![("xAxisAngle", number(angle))]
        )),
        (any::<bool>(), 0..6_u8, 0..3_u8, any::<u8>()).prop_map(|(tool, index, way, speed)| {
            let mode = if tool { JogMode::Tool } else { JogMode::Joints };
            let direction = [JogDirection::Stop, JogDirection::Up, JogDirection::Down][usize::from(way)];
            let axis = Axis::ALL[usize::from(index)];
            let command = DangerousCommand::Jog { mode, axis, direction, speed };
            let m = u8::from(tool);
            let fields = vec![
                ("m", number(m)),
                ("axis", number(index + 1)),
                ("cmd", number(way)),
                ("spd", number(speed)),
            ];
            dangerous(command, 123, fields)
        }),
        (11..=17_u8, 11..=17_u8, 1..=255_u8, 0..3_u8).prop_map(|(id, new, p, which)| {
            let servo = ServoId::new(id).unwrap();
            match which {
                0 => {
                    let command =
                        DangerousCommand::ChangeServoId { from: servo, to: ServoId::new(new).unwrap() };
                    dangerous(command, 501, vec![("raw", number(id)), ("new", number(new))])
                }
                1 => dangerous(DangerousCommand::SetServoMiddle(servo), 502, vec![("id", number(id))]),
                _ => {
                    let command = DangerousCommand::SetServoGain { servo, p: Gain::new(p).unwrap() };
                    dangerous(command, 503, vec![("id", number(id)), ("p", number(p))])
                }
            }
        }),
    ]
}
