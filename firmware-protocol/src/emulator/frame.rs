//! T:1051 as text.

use std::fmt::Write as _;
use std::string::String;

use super::board::Board;
use super::json::{JsonLibrary, number_text};
use crate::{Generation, steps};

/// Members that the 256-byte pool of ArduinoJson 6 holds.
const POOL_MEMBERS: usize = 16;

/// The feedback line, without its line end, from what the servos last said.
pub(super) fn text(board: &Board) -> String {
    let library = board.options.json;
    let measured = &board.cpu.measured;
    let angles = steps::feedback_angles(measured.steps);
    let mut text = String::from("{\"T\":1051");
    let mut members = 1;
    let limit = if library == JsonLibrary::A6 { POOL_MEMBERS } else { usize::MAX };
    let mut member = |key: &str, value: f64| {
        members += 1;
        if members <= limit {
            // Writing into a String cannot fail.
            let _ = write!(text, ",\"{key}\":{}", number_text(value, library));
        }
    };
    // Where the firmware believes the tool to be: a command since the last scan may have told it something else.
    let [x, y, z, pitch, _] = board.cpu.poses.last;
    let values = [x, y, z, pitch].into_iter().chain(angles.to_array());
    for (key, value) in ["x", "y", "z", "tit", "b", "s", "e", "t", "r", "g"].into_iter().zip(values) {
        member(key, value);
    }
    for (key, joint) in ["tB", "tS", "tE", "tT", "tR", "tG"].into_iter().zip(0..) {
        let mirror = if joint == 1 { i32::from(measured.mirror_load) } else { 0 };
        member(key, f64::from(i32::from(measured.loads[joint]) - mirror));
    }
    if board.options.generation == Generation::G3 {
        let keys = ["torswitchB", "torswitchS", "torswitchE", "torswitchT", "torswitchR", "torswitchG"];
        for (key, on) in keys.into_iter().zip(measured.torque) {
            member(key, f64::from(u8::from(on)));
        }
        member("v", libm::round(board.options.supply_volt * 100.0));
    }
    text.push('}');
    text
}
