//! Commands with texts.

use std::string::{String, ToString};
use std::vec;

use proptest::prelude::*;

use super::numbers::decimal;
use super::{Fields, LETTERS, Sent, number, text};
use crate::danger::{InterpolationSpeed, MissionEdit, NetworkCommand, WifiMode, boot_mission};
use crate::*;

/// Text as people and missions write it, quotes and other scripts included.
fn content() -> impl Strategy<Value = String> {
    prop_oneof![
        r#"[ -~]{0,40}"#.boxed(),
        r#"[a-z"\\/{}:,'äπ🤖]{0,20}"#.boxed(),
        Just(r#"{"T":102,"base":0.5}"#.to_string()).boxed(),
        Just(r#"{"T":0}"#.to_string()).boxed(),
        Just(r#"{"T":999}\"T":0"#.to_string()).boxed(),
    ]
}

pub(super) fn file_commands() -> impl Strategy<Value = Sent> {
    ("[A-Za-z0-9._-]{1,31}", content(), 1..=9999_u16, 0..8_u8).prop_map(|(name, words, line, which)| {
        let (file, place) = (FileName::new(&name).unwrap(), Place::new(line).unwrap());
        let (name, content, line) =
            (("name", text(&name)), ("content", text(&words)), ("lineNum", number(line)));
        match which {
            0 => super::sent!(FileCommand::create(file, &words), 201, vec![name, content]),
            1 => super::sent!(FileCommand::read(file), 202, vec![name]),
            2 => super::sent!(FileCommand::delete(file), 203, vec![name]),
            3 => super::sent!(FileCommand::append_line(file, &words), 204, vec![name, content]),
            4 => super::sent!(FileCommand::insert_line(file, place, &words), 205, vec![name, line, content]),
            5 => super::sent!(FileCommand::replace_line(file, place, &words), 206, vec![name, line, content]),
            6 => super::sent!(FileCommand::read_line(file, place), 207, vec![name, line]),
            _ => super::sent!(FileCommand::delete_line(file, place), 208, vec![name, line]),
        }
    })
}

pub(super) fn mission_commands() -> impl Strategy<Value = Sent> {
    ("[A-Za-z0-9._-]{1,23}", content(), 1..=9999_u16, 1..=10_000_u16, 1..=1000_u16, 0..15_u8).prop_map(
        |(name, words, step, ms, times, which)| {
            let name = if which == 14 { "boot".to_string() } else { name };
            let mission = if which == 14 { boot_mission() } else { MissionName::new(&name).unwrap() };
            let (place, wait) = (Place::new(step).unwrap(), BoardDelay::from_ms(ms).unwrap());
            let speed = InterpolationSpeed::new(0.25).unwrap();
            let (name, number_of, command) =
                (("name", text(&name)), ("stepNum", number(step)), ("step", text(&words)));
            let (delay, spd) = (("delay", number(ms)), ("spd", number(0.25)));
            match which {
                0 => super::sent!(
                    MissionCommand::create(mission, &words),
                    220,
                    vec![name, ("intro", text(&words))]
                ),
                1 => super::sent!(MissionCommand::print(mission), 221, vec![name]),
                2 | 14 => super::sent!(MissionEdit::append(mission, &words), 222, vec![name, command]),
                3 => super::sent!(MissionEdit::append_pose(mission, speed), 223, vec![name, spd]),
                4 => super::sent!(MissionCommand::append_delay(mission, wait), 224, vec![name, delay]),
                5 => super::sent!(
                    MissionEdit::insert(mission, place, &words),
                    225,
                    vec![name, number_of, command]
                ),
                6 => super::sent!(
                    MissionEdit::insert_pose(mission, place, speed),
                    226,
                    vec![name, number_of, spd]
                ),
                7 => {
                    let both = vec![name, number_of, delay, ("spd", number(ms))];
                    super::sent!(MissionCommand::insert_delay(mission, place, wait), 227, both)
                }
                8 => super::sent!(
                    MissionEdit::replace(mission, place, &words),
                    228,
                    vec![name, number_of, command]
                ),
                9 => super::sent!(
                    MissionEdit::replace_by_pose(mission, place, speed),
                    229,
                    vec![name, number_of, spd]
                ),
                10 => super::sent!(
                    MissionEdit::replace_by_delay(mission, place, wait),
                    230,
                    vec![name, number_of, delay]
                ),
                11 => super::sent!(MissionCommand::delete_step(mission, place), 231, vec![name, number_of]),
                12 => super::sent!(MissionCommand::run_step(mission, place), 241, vec![name, number_of]),
                13 if times % 2 == 0 => {
                    super::sent!(MissionEdit::play_for_ever(mission), 242, vec![name, ("times", number(-1))])
                }
                _ => {
                    let repeats = Repeats::new(times).unwrap();
                    super::sent!(
                        MissionCommand::play(mission, repeats),
                        242,
                        vec![name, ("times", number(times))]
                    )
                }
            }
        },
    )
}

pub(super) fn radio_and_network_commands() -> impl Strategy<Value = Sent> {
    (any::<[u8; 6]>(), content(), prop::array::uniform6(decimal(10)), 0..10_u8, "[ -~]{8,20}").prop_map(
        |(mac, words, angles, which, password)| {
            let peer = MacAddress(mac);
            let address = ("mac", text(&peer.to_string()));
            let mut joints = vec![("dev", number(0))];
            joints.extend(LETTERS.into_iter().zip(angles.map(number)));
            joints.extend([("cmd", number(0)), ("megs", text(""))]);
            let goal = RadioMessage::Joints(GoalAngles::new(FirmwareAngles::from_array(angles)).unwrap());
            let said = |kind: u8| vec![("dev", number(0)), ("cmd", number(kind)), ("megs", text(&words))];
            let to_one = |fields: Fields| [vec![address.clone()], fields].concat();
            let two = vec![("ssid", text("lab \"5\"")), ("password", text(&password))];
            let four = vec![
                ("ap_ssid", text("arm")),
                ("ap_password", text(&password)),
                ("sta_ssid", text("lab")),
                ("sta_password", text(&password)),
            ];
            let (arm, lab) = (("arm", password.as_str()), ("lab", password.as_str()));
            match which {
                0 => super::sent!(Ok::<_, Error>(RadioCommand::add_peer(peer)), 303, to_one(vec![])),
                1 => super::sent!(Ok::<_, Error>(RadioCommand::remove_peer(peer)), 304, to_one(vec![])),
                2 => super::sent!(RadioCommand::send_to_all(goal), 305, joints),
                3 => super::sent!(RadioCommand::send_to(peer, goal), 306, to_one(joints)),
                4 => super::sent!(RadioCommand::send_to_all(RadioMessage::RunNow(&words)), 305, said(1)),
                5 => super::sent!(
                    RadioCommand::send_to(peer, RadioMessage::RunNext(&words)),
                    306,
                    to_one(said(2))
                ),
                6 => super::sent!(
                    RadioCommand::send_to(peer, RadioMessage::Print(&words)),
                    306,
                    to_one(said(3))
                ),
                7 => super::sent!(NetworkCommand::access_point("lab \"5\"", &password), 402, two),
                8 => super::sent!(NetworkCommand::station("lab \"5\"", &password), 403, two),
                _ if password.len() % 2 == 0 => {
                    super::sent!(NetworkCommand::access_point_and_station(arm, lab), 404, four)
                }
                _ => {
                    let fields = [vec![("mode", number(2))], four].concat();
                    super::sent!(NetworkCommand::save(WifiMode::Station, arm, lab), 407, fields)
                }
            }
        },
    )
}
