#![allow(clippy::unwrap_used)]
use super::*;
use crate::{Error, FirmwareAngles, Generation};
use proptest::prelude::*;
use std::vec::Vec;

fn encoded(command: Command) -> Vec<u8> {
    command.encode(&mut [0; Command::MAX_BYTES]).to_vec()
}

fn joints(angles: [f64; 6], speed: u16, acceleration: u8) -> Command {
    Command::Joints {
        goal: GoalAngles::new(FirmwareAngles::from_array(angles)).unwrap(),
        speed: ServoSpeed::new(speed).unwrap(),
        acceleration: ServoAcceleration::new(acceleration).unwrap(),
    }
}

#[test]
fn the_longest_command_fits() {
    let bytes = encoded(joints([-9.9999; 6], 65535, 254));
    assert!(bytes.ends_with(b",\"hand\":-9.9999,\"spd\":65535,\"acc\":254}\n"));
    assert!(bytes.len() <= Command::MAX_BYTES, "{}", bytes.len());
}

#[test]
fn zero_has_no_sign_and_small_numbers_no_exponent() {
    let bytes = encoded(joints([-0.0, -0.000_04, 0.000_06, 1e-12, -0.000_06, -1e-300], 1, 1));
    let expected: &[u8] =
        b"{\"T\":102,\"base\":0.0000,\"shoulder\":0.0000,\"elbow\":0.0001,\"wrist\":0.0000,\
        \"roll\":-0.0001,\"hand\":0.0000,\"spd\":1,\"acc\":1}\n";
    assert_eq!(bytes, expected);
}

#[test]
fn what_is_no_angle_is_refused_by_name() {
    let nan = FirmwareAngles { wrist_rad: f64::NAN, ..FirmwareAngles::HOME };
    assert_eq!(GoalAngles::new(nan), Err(Error::AngleNotFinite { joint: Joint::Wrist }));
    let infinite = FirmwareAngles { base_rad: f64::NEG_INFINITY, ..FirmwareAngles::HOME };
    assert_eq!(
        GoalAngles::clamped(infinite, Generation::G1),
        Err(Error::AngleNotFinite { joint: Joint::Base })
    );
    let degrees = FirmwareAngles { elbow_rad: 90.0, ..FirmwareAngles::HOME };
    let refused = GoalAngles::new(degrees);
    assert_eq!(refused, Err(Error::AngleTooLarge { joint: Joint::Elbow, angle_rad: 90.0 }));
}

#[test]
fn clamping_uses_the_generation() {
    let low = FirmwareAngles { elbow_rad: -1.3, ..FirmwareAngles::HOME };
    let elbow = |generation| GoalAngles::clamped(low, generation).unwrap().angles().elbow_rad;
    assert!((elbow(Generation::G1).to_degrees() + 45.0).abs() < 1e-9);
    assert!(elbow(Generation::G3).abs() < 1e-12);
}

proptest! {
    /// Another parser reads every T:102 back: all fields, compact, one line, the numbers of `on_wire`.
    #[test]
    fn every_joint_command_is_valid_json(
        angles in prop::array::uniform6(-9.9999..9.9999_f64), speed in 1..=u16::MAX, acceleration in 1..=254_u8,
    ) {
        let command = joints(angles, speed, acceleration);
        let bytes = encoded(command);
        let compact = bytes.ends_with(b"}\n") && !bytes.contains(&b' ');
        prop_assert!(compact);
        let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let Command::Joints { goal, .. } = command else { unreachable!() };
        prop_assert_eq!(value.as_object().unwrap().len(), 9);
        prop_assert_eq!(&value["T"], 102);
        prop_assert_eq!(&value["spd"], speed);
        prop_assert_eq!(&value["acc"], acceleration);
        for ((joint, sent), wire) in Joint::ALL.into_iter().zip(angles).zip(goal.on_wire().to_array()) {
            let read = value[joint.name()].as_f64().unwrap();
            prop_assert!((read - sent).abs() <= 0.500_001e-4);
            prop_assert_eq!(read, wire);
        }
    }
}
