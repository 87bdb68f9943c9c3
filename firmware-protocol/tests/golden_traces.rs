//! The virtual board against the vendor's own G1 firmware: the same input gives the same servo writes, the same answers to
//! the last digit, and the same final positions. Format of the traces: `data/README.md`.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::io::{BufRead, BufReader};
use std::time::Duration;

use firmware_protocol::Generation;
use firmware_protocol::emulator::{Board, BoardOptions, JsonLibrary, ServoWrite};
use serde_json::Value;

const PASS: Duration = Duration::from_millis(10);

/// Strings of the traces are bytes: one character each.
fn bytes(value: &Value) -> Vec<u8> {
    value
        .as_str()
        .unwrap_or_default()
        .chars()
        .map(|character| u8::try_from(u32::from(character)).unwrap())
        .collect()
}

fn seven<T: TryFrom<i64> + std::fmt::Debug>(value: &Value) -> Option<[T; 7]> {
    let numbers: Vec<T> =
        value.as_array()?.iter().map(|n| T::try_from(n.as_i64().unwrap()).ok().unwrap()).collect();
    numbers.try_into().ok()
}

fn expected_write(entry: &Value) -> Option<ServoWrite> {
    let number = |key: &str| entry[key].as_i64().unwrap();
    let id = || u8::try_from(number("id")).unwrap();
    Some(match entry["f"].as_str().unwrap() {
        "SyncWritePosEx" => ServoWrite::All {
            goals: seven(&entry["pos"]).unwrap(),
            speeds: seven(&entry["spd"]).unwrap(),
            accelerations: seven(&entry["acc"]).unwrap(),
        },
        "WritePosEx" => ServoWrite::One {
            id: id(),
            goal: number("pos") as i32,
            speed: number("spd") as u16,
            acceleration: number("acc") as u8,
        },
        "EnableTorque" => ServoWrite::Torque { id: id(), value: number("v") as u8 },
        "CalibrationOfs" => ServoWrite::Middle { id: id() },
        "writeByte" | "writeWord" => {
            ServoWrite::Register { id: id(), address: number("addr") as u8, value: number("v") as i32 }
        }
        // EEPROM locks and the 12 V outputs are not servo motion.
        "unLockEprom" | "LockEprom" | "digitalWrite" | "ledcWrite" => return None,
        other => panic!("unknown call {other}"),
    })
}

/// Replays a case; the first difference, if any.
fn replay(case: &Value) -> Result<(), String> {
    let library = if case["arduinojson"] == "6" { JsonLibrary::A6 } else { JsonLibrary::A7 };
    let mut options = BoardOptions {
        baud: u32::MAX,
        json: library,
        scan: Duration::ZERO,
        other_work: PASS,
        receive_ring: usize::MAX,
        transmit_fifo: 1 << 20,
        keep_writes: true,
        ..BoardOptions::new(Generation::G1)
    };
    options.servos.instant = true;
    options.servos.loads = Some(seven(&case["boot"]["loads"]).unwrap_or_default());
    let mut board = Board::new(options);
    board.advance(PASS / 2);
    board.receive(format!("{{\"T\":605,\"cmd\":{}}}\n", case["infoprint"]).as_bytes());
    board.advance(PASS);
    let mut out = Vec::new();
    board.transmit(&mut out);
    board.take_writes();
    for (index, step) in case["steps"].as_array().unwrap().iter().enumerate() {
        if let Some(steps) = seven(&step["set"]["pos"]) {
            board.set_encoder_steps(steps);
        }
        if let Some(loads) = seven(&step["set"]["loads"]) {
            board.set_loads(Some(loads));
        }
        board.receive(&bytes(&step["input"]));
        let (loops, dt) = (step["loops"].as_u64().unwrap(), step["dt"].as_u64().unwrap());
        let blocked = step["virtual_ms"].as_u64().unwrap() - loops * dt;
        board.advance(PASS * u32::try_from(loops).unwrap() + Duration::from_millis(blocked));
        let mut out = Vec::new();
        board.transmit(&mut out);
        let expected = bytes(&step["serial_out"]);
        if out != expected {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            return Err(format!("step {index}: printed {:?}\n expected {:?}", text(&out), text(&expected)));
        }
        let writes: Vec<ServoWrite> = board.take_writes().into_iter().map(|timed| timed.write).collect();
        let expected: Vec<ServoWrite> =
            step["servo_log"].as_array().unwrap().iter().filter_map(expected_write).collect();
        if writes != expected {
            return Err(format!("step {index}: wrote {writes:?}\n expected {expected:?}"));
        }
    }
    let (positions, expected) = (board.encoder_steps(), seven::<i32>(&case["final"]["pos"]).unwrap());
    if positions == expected { Ok(()) } else { Err(format!("ended at {positions:?}, expected {expected:?}")) }
}

/// Codes that the board does not execute yet.
const NOT_YET: [&str; 4] = ["103", "104", "110", "123"];

fn executes_all(case: &Value) -> bool {
    let input: String =
        case["input"].as_str().unwrap().chars().filter(|character| !character.is_whitespace()).collect();
    !NOT_YET
        .iter()
        .any(|code| input.contains(&format!("\"T\":{code},")) || input.contains(&format!("\"T\":{code}}}")))
}

fn family(compressed: &[u8], cases_expected: usize) {
    let lines = BufReader::new(flate2::read::GzDecoder::new(compressed)).lines();
    let (mut cases, mut failures) = (0, Vec::new());
    for line in lines {
        let case: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if !executes_all(&case) {
            continue;
        }
        cases += 1;
        if let Err(difference) = replay(&case) {
            failures.push(format!("{} {}\n {difference}", case["case"], case["steps"][0]["input"]));
        }
    }
    assert_eq!(cases, cases_expected);
    let shown: Vec<&String> = failures.iter().take(8).collect();
    assert!(failures.is_empty(), "{} of {cases} differ:\n{shown:#?}", failures.len());
}

macro_rules! families {
    ($($name:ident: $cases:literal),* $(,)?) => {$(
        #[test]
        fn $name() {
            family(include_bytes!(concat!("data/traces/", stringify!($name), ".jsonl.gz")), $cases);
        }
    )*};
}

families! {
    t101: 200, t102: 444, t106: 108, t121: 234, t122: 282, edge: 140, fk: 258, fkcmd: 32, numfmt: 230, malf: 208, multi: 32,
    pool: 80, misc: 272, t0: 20, t100: 8, t1041: 258,
}
