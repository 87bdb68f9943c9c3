//! Captures of a real board parse to what a person reads in them.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::time::Duration;

use firmware_protocol::health::{DetectedFirmware, Finding, HealthMonitor, HealthOptions};
use firmware_protocol::{
    BusFault, Feedback, FeedbackError, FeedbackShape, Line, LineSplitter, TorqueSwitch, parse_line,
};
use proptest::prelude::*;

fn each_line(log: &[u8], mut take: impl FnMut(Line<'_>)) {
    let mut lines = LineSplitter::<512>::new();
    for part in log.chunks(7) {
        lines.push(part, |line| take(parse_line(line)));
    }
    assert_eq!(lines.dropped_lines(), 0);
}

fn feedback(line: &str) -> Feedback {
    match parse_line(line.as_bytes()) {
        Line::Feedback(feedback) => feedback,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_boot_log_has_no_feedback_and_says_what_failed() {
    let (mut resets, mut failed, mut init_failed, mut low, mut noise, mut json) = (0, vec![], 0, 0, 0, 0);
    each_line(include_bytes!("data/wire/g3_boot_no_12v.log"), |line| match line {
        Line::Reset => resets += 1,
        Line::ServoFailed { id } => failed.push(id),
        Line::InitFailed => init_failed += 1,
        Line::LowSupply => low += 1,
        Line::Noise(_) => noise += 1,
        Line::OtherJson(text) => {
            assert!(text.starts_with(b"{\"name\":\"boot\""));
            json += 1;
        }
        other => panic!("{other:?}"),
    });
    assert_eq!((resets, init_failed, low, json), (1, 1, 1, 1));
    assert_eq!(failed, [11, 11, 12, 14, 15, 16, 17]);
    assert!(noise > 30);
}

#[test]
fn the_dead_bus_is_recognised_and_is_not_the_never_read_signature() {
    let (mut frames, mut failed) = (vec![], vec![]);
    each_line(include_bytes!("data/wire/g3_dead_bus_feedback.log"), |line| match line {
        Line::Feedback(feedback) => frames.push(feedback),
        Line::ServoFailed { id } => failed.push(id),
        Line::Noise(text) => assert_eq!(text, b"Bytes received: 236"),
        other => panic!("{other:?}"),
    });
    let [frame] = frames[..] else { panic!("{frames:?}") };
    assert_eq!(failed, [16, 17, 11]);
    assert_eq!(frame.shape(), FeedbackShape::Keys24);
    assert!(frame.has_g3_keys());
    assert_eq!(frame.supply_volt, Some(0.0));
    assert_eq!(frame.torque_switches, [Some(TorqueSwitch::Off); 6]);
    assert_eq!(frame.loads, [Some(21), Some(133), Some(21), Some(133), Some(0), Some(16)]);
    assert!((frame.angles.wrist_rad + 1.547_786_615).abs() < 1e-12);
    assert!(!frame.is_never_read_signature());
    assert_eq!(frame.bus_fault(), Some(BusFault::LowSupply));
    assert!(frame.agrees_with_kinematics(1e-5));
}

/// What a monitor says about a log, each line at its time on the wire.
fn findings(log: &[u8]) -> (Vec<Finding>, Option<DetectedFirmware>) {
    let mut monitor = HealthMonitor::new(HealthOptions::default());
    let (mut lines, mut at) = (LineSplitter::<512>::new(), Duration::ZERO);
    lines.push(log, |line| {
        let bytes = line.len() + 2;
        at += Duration::from_secs_f64(bytes as f64 * 10.0 / 115_200.0);
        monitor.received(at, &parse_line(line), bytes);
    });
    (monitor.findings(at).collect(), monitor.firmware())
}

#[test]
fn the_dead_bus_is_found_by_every_sign_of_it() {
    // The frame and the board's own lines together.
    let log = include_bytes!("data/wire/g3_dead_bus_feedback.log");
    let (found, firmware) = findings(log);
    let [Finding::DeadBus, Finding::ServosFailed { servos }] = found[..] else { panic!("{found:?}") };
    assert_eq!(servos.to_string(), "11, 16, 17");
    assert_eq!(firmware, None, "one frame is not enough");

    // The frame alone: supply and torque switches, once it comes twice.
    let frame =
        log.split_inclusive(|&byte| byte == b'\n').find(|line| line.starts_with(b"{\"T\":1051")).unwrap();
    assert_eq!(findings(frame).0, []);
    let (found, firmware) = findings(&frame.repeat(3));
    let [Finding::DeadBus, Finding::LowSupply { volt: Some(volt) }, Finding::TorqueOff { joints }] =
        found[..]
    else {
        panic!("{found:?}")
    };
    assert_eq!((volt, joints.iter().count()), (0.0, 6));
    assert_eq!(firmware, Some(DetectedFirmware::G2OrG3));
    // Supply alone, as where its meter is broken, is no dead bus; neither is a limp arm.
    let changed = |from: &str, to: &str| String::from_utf8_lossy(frame).replace(from, to).repeat(3);
    let powered = findings(changed("\"v\":0", "\"v\":1211").as_bytes()).0;
    assert!(matches!(powered[..], [Finding::TorqueOff { .. }]), "{powered:?}");
    let holding = findings(changed("G\":0,\"v\":0", "G\":1,\"v\":0").as_bytes()).0;
    assert!(!holding.contains(&Finding::DeadBus), "{holding:?}");

    // The boot log: all six polled servos fail, and the text about the supply.
    let (found, firmware) = findings(include_bytes!("data/wire/g3_boot_no_12v.log"));
    assert_eq!(found[0], Finding::DeadBus);
    assert!(
        found.contains(&Finding::LowSupply { volt: None }) && found.contains(&Finding::InitFailed),
        "{found:?}"
    );
    assert_eq!(firmware, Some(DetectedFirmware::G3));

    // The never-read signature, which is none of the above.
    let signature = format!("{{\"T\":1051,{POSE},\"tB\":0,\"tS\":0,\"tE\":0,\"tT\":0,\"tR\":0}}\r\n");
    let (found, firmware) = findings(signature.repeat(3).as_bytes());
    assert_eq!((found, firmware), (vec![Finding::DeadBus], Some(DetectedFirmware::G1)));
}

const POSE: &str = "\"x\":57.18,\"y\":-7.002530398e-15,\"z\":-223.13,\"tit\":-9.424777961,\"b\":3.141592654,\
    \"s\":-3.141592654,\"e\":-1.570796327,\"t\":-3.141592654,\"r\":3.141592654,\"g\":0";

#[test]
fn the_never_read_signature_is_a_dead_bus() {
    let frame = feedback(&format!("{{\"T\":1051,{POSE},\"tB\":0,\"tS\":0,\"tE\":0,\"tT\":0,\"tR\":0}}"));
    assert!(frame.is_never_read_signature());
    assert_eq!(frame.bus_fault(), Some(BusFault::NeverRead));
    assert_eq!(frame.shape(), FeedbackShape::Keys16);
    assert_eq!(frame.position_mm[1], -7.002530398e-15);
    assert_eq!((frame.loads[5], frame.supply_volt, frame.torque_switches), (None, None, [None; 6]));
    assert!(!frame.has_g3_keys());
}

#[test]
fn what_is_missing_or_null_is_no_feedback() {
    let line = |text: String| match parse_line(text.as_bytes()) {
        Line::InvalidFeedback(error) => error,
        other => panic!("{other:?}"),
    };
    let named = |error: FeedbackError| error.to_string();
    assert!(
        named(line(format!("{{\"T\":1051,{}}}", POSE.replace("\"e\":-1.570796327", "\"e\":null"))))
            .contains("\"e\"")
    );
    assert!(named(line(format!("{{\"T\":1051,{}}}", POSE.replace("\"g\":0", "\"h\":0")))).contains("\"g\""));
    assert_eq!(line(format!("{{\"T\":1051,{POSE},\"b\":1}}")), FeedbackError::Duplicate);
    assert_eq!(line(format!("{{\"T\":1051,{POSE},\"feedback_valid\":false}}")), FeedbackError::MarkedInvalid);
    assert_eq!(line(format!("{{\"T\":1051,{POSE}")), FeedbackError::Broken);
    assert!(matches!(parse_line(format!("{{\"T\":105,{POSE}}}").as_bytes()), Line::OtherJson(_)));
    assert!(matches!(parse_line(format!("{{{POSE}}}").as_bytes()), Line::OtherJson(_)));
    assert!(matches!(parse_line(format!("\"T\":1051,{POSE}}}").as_bytes()), Line::Noise(_)));
    assert_eq!(parse_line(b"{\"error\":\"Queue full\"}\r"), Line::QueueFull);
    let unknown_load = feedback(&format!("{{\"T\":1051,{POSE},\"tB\":null,\"torswitchB\":-1,\"v\":1211}}"));
    assert_eq!((unknown_load.loads[0], unknown_load.supply_volt), (None, Some(12.11)));
    assert_eq!(unknown_load.torque_switches[0], Some(TorqueSwitch::ReadError));
}

#[test]
fn a_splice_that_is_valid_json_disagrees_with_the_kinematics() {
    let whole = "{\"T\":1051,\"x\":345.837303,\"y\":0.530508195,\"z\":223.9241261,\"tit\":-0.003067962,\
        \"b\":0.001533981,\"s\":-0.001533981,\"e\":1.570796327,\"t\":-0.001533981,\"r\":0.001533981,\"g\":3.140058673}";
    assert!(feedback(whole).agrees_with_kinematics(1e-5));
    assert!(!feedback(&whole.replace("1.570796327", "1.5727")).agrees_with_kinematics(1e-2));
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse_line(&bytes);
    }

    /// Mutations of a real frame: the parser answers, and what it calls feedback has finite numbers.
    #[test]
    fn damaged_frames_never_give_wild_numbers(
        cut in 0..340_usize, length in 0..12_usize, insert in prop::collection::vec(prop_oneof![
            Just(b'"'), Just(b'{'), Just(b'}'), Just(b','), Just(b'e'), Just(b'9'), Just(b'\\'), Just(b'['), any::<u8>()], 0..6),
    ) {
        let mut line = include_bytes!("data/wire/g3_dead_bus_feedback.log").to_vec();
        let start = line.windows(9).position(|window| window == b"{\"T\":1051").unwrap();
        line.drain(..start);
        line.truncate(line.iter().position(|&byte| byte == b'\r').unwrap());
        let cut = cut.min(line.len());
        line.splice(cut..(cut + length).min(line.len()), insert);
        if let Line::Feedback(feedback) = parse_line(&line) {
            prop_assert!(feedback.angles.is_finite() && feedback.position_mm.iter().all(|mm| mm.is_finite()));
        }
    }
}
