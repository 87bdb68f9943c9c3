//! What a case leaves behind.

use std::fmt::Debug;

use firmware_protocol::emulator::{Board, Drive};
use serde_json::Value;

use super::record;

fn same<T: PartialEq + Debug>(what: &str, found: T, expected: T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("ends with {what} {found:?}, expected {expected:?}")) }
}

/// Compares the state at the end. A restart has cleared what only the firmware's memory held.
pub(super) fn compare(board: &Board, expected: &Value, restarted: bool) -> Result<(), String> {
    let seven = |key: &str| {
        record::seven::<i32>(&expected[key])?.ok_or_else(|| format!("no `{key}` in the final state"))
    };
    let registers = board.servo_registers();
    same("positions", board.encoder_steps(), seven("pos")?)?;
    same("torque", registers.map(|servo| i32::from(servo.torque)), seven("torque")?)?;
    same("speeds", registers.map(|servo| i32::from(servo.speed)), seven("spd")?)?;
    same("accelerations", registers.map(|servo| i32::from(servo.acceleration)), seven("acc")?)?;
    same("P gains", registers.map(|servo| i32::from(servo.p_gain)), seven("p")?)?;
    same("I gains", registers.map(|servo| i32::from(servo.i_gain)), seven("i")?)?;
    same("torque limits", registers.map(|servo| servo.torque_limit), seven("tlimit")?)?;
    if restarted {
        return Ok(());
    }
    let pin = |name: &str| record::number::<u32>(&expected["gpio"], name);
    for (output, names) in
        board.switch_outputs().into_iter().zip([["AIN1", "AIN2", "PWMA"], ["BIN1", "BIN2", "PWMB"]])
    {
        let bridge = match output.drive {
            Drive::Off => [0, 0],
            Drive::Forward => [0, 1],
            Drive::Reverse => [1, 0],
        };
        let [first, second, duty] = names.map(pin);
        same("12 V output", (bridge, output.duty), ([first?, second?], duty?))?;
    }
    same("feedback mode", i64::from(board.feedback_mode()), record::number(expected, "infoprint")?)?;
    same("ESP-NOW mode", i64::from(board.esp_now_mode()), record::number(expected, "espnowmode")?)
}
