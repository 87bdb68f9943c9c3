//! A byte stream as a port gives it: halves of lines, text, glued objects, several shapes of frames.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use firmware_protocol::{Feedback, FeedbackError, FeedbackShape, Line, LineSplitter, parse_line};
use proptest::prelude::*;

const POSE: &str = "\"T\":1051,\"x\":345.837303,\"y\":-7.002530398e-15,\"z\":223.9241261,\"tit\":-0.003067962,\
    \"b\":1.5e-3,\"s\":-1.533981E-3,\"e\":1.570796327,\"t\":-0.001533981,\"r\":0.001533981,\"g\":3.140058673";
const LOADS: &str = ",\"tB\":0,\"tS\":-12,\"tE\":104,\"tT\":0,\"tR\":-1000";
const SWITCHES: &str = ",\"torswitchB\":1,\"torswitchS\":1,\"torswitchE\":0,\"torswitchT\":1,\"torswitchR\":-1,\
    \"torswitchG\":1,\"v\":1211";

/// What a line turned out to be, owned.
#[derive(Clone, Debug, PartialEq)]
enum Seen {
    Frame(FeedbackShape),
    Invalid(FeedbackError),
    Json(String),
    Noise(String),
    Other,
}

fn seen(line: &[u8]) -> Seen {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match parse_line(line) {
        Line::Feedback(feedback) => Seen::Frame(feedback.shape()),
        Line::InvalidFeedback(error) => Seen::Invalid(error),
        Line::OtherJson(json) => Seen::Json(text(json)),
        Line::Noise(noise) => Seen::Noise(text(noise)),
        _ => Seen::Other,
    }
}

/// The stream and what a person reads in it.
fn stream() -> (Vec<u8>, Vec<Seen>) {
    let noise = |text: &str| Seen::Noise(text.to_owned());
    let parts = [
        // Joined in the middle of a frame.
        (format!("83,\"g\":3.14{LOADS}}}\r\n"), vec![noise(&format!("83,\"g\":3.14{LOADS}}}"))]),
        (format!("{{{POSE}{LOADS}}}\r\n"), vec![Seen::Frame(FeedbackShape::Keys16)]),
        ("\r\n\n".to_owned(), vec![]),
        (format!("{{{POSE}{LOADS},\"tG\":16}}\n"), vec![Seen::Frame(FeedbackShape::Keys17)]),
        ("90.00\r\n1.57\r\n".to_owned(), vec![noise("90.00"), noise("1.57")]),
        (format!("{{{POSE}{LOADS},\"tG\":16{SWITCHES}}}\r\r\n"), vec![Seen::Frame(FeedbackShape::Keys24)]),
        // T:405 has no line end of its own, and two frames may be glued.
        (
            format!("{{\"ip\":\"0.0.0.0\",\"rssi\":0}}{{{POSE}{LOADS}}}{{{POSE}}}\r\n"),
            vec![
                Seen::Json("{\"ip\":\"0.0.0.0\",\"rssi\":0}".to_owned()),
                Seen::Frame(FeedbackShape::Keys16),
                Seen::Frame(FeedbackShape::Other),
            ],
        ),
        // Longer than any frame: dropped, and the next line is whole again.
        (format!("{{\"T\":1051,{}}}\r\n", "9".repeat(600)), vec![]),
        ("Servo ID:15 status: failed.\r\n".to_owned(), vec![Seen::Other]),
        // A patched build's null, and a line that lost its end.
        (
            format!("{{{}}}\r\n", POSE.replace("223.9241261", "null")),
            vec![Seen::Invalid(parse_error(&format!("{{{}}}", POSE.replace("223.9241261", "null"))))],
        ),
        (format!("{{{POSE}{LOADS}\r\n"), vec![Seen::Invalid(FeedbackError::Broken)]),
        (format!("{{{POSE}{LOADS}}}\r\n{{\"T\":10"), vec![Seen::Frame(FeedbackShape::Keys16)]),
    ];
    let bytes = parts.iter().flat_map(|(text, _)| text.bytes()).collect();
    (bytes, parts.into_iter().flat_map(|(_, seen)| seen).collect())
}

fn parse_error(line: &str) -> FeedbackError {
    match parse_line(line.as_bytes()) {
        Line::InvalidFeedback(error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_stream_is_what_a_person_reads_in_it() {
    let (bytes, expected) = stream();
    let mut splitter = LineSplitter::<512>::new();
    let mut lines = Vec::new();
    splitter.push(&bytes, |line| lines.push(seen(line)));
    assert_eq!(lines, expected);
    assert_eq!((splitter.dropped_lines(), splitter.pending()), (1, 7));
    let null = format!("{{{}}}", POSE.replace("223.9241261", "null"));
    assert!(parse_error(&null).to_string().starts_with("\"z\""));
}

#[test]
fn unknown_is_not_zero_and_exponents_are_numbers() {
    let frame = |text: String| -> Feedback {
        match parse_line(text.as_bytes()) {
            Line::Feedback(feedback) => feedback,
            other => panic!("{other:?}"),
        }
    };
    let short = frame(format!("{{{POSE}{LOADS}}}"));
    assert_eq!(short.position_mm[1], -7.002530398e-15);
    assert_eq!((short.angles.base_rad, short.angles.shoulder_rad), (0.0015, -0.001533981));
    assert_eq!(short.loads, [Some(0), Some(-12), Some(104), Some(0), Some(-1000), None]);
    assert_eq!((short.torque_switches, short.supply_volt), ([None; 6], None));
    let long = frame(format!("{{{POSE}{LOADS},\"tG\":null{}}}", SWITCHES.replace("1211", "null")));
    assert_eq!((long.loads[5], long.supply_volt, long.shape()), (None, None, FeedbackShape::Other));
    assert!(long.has_g3_keys() && long.bus_fault().is_none());
}

proptest! {
    /// However the port cuts the bytes.
    #[test]
    fn cuts_make_no_difference(size in 1..700_usize) {
        let (bytes, expected) = stream();
        let mut splitter = LineSplitter::<512>::new();
        let mut lines = Vec::new();
        for part in bytes.chunks(size) {
            splitter.push(part, |line| lines.push(seen(line)));
        }
        prop_assert_eq!(lines, expected);
    }

    /// Whatever stood on the wire before: after one line end the next frame is read.
    #[test]
    fn any_noise_before_a_line_end_is_over_with_it(noise in prop::collection::vec(any::<u8>(), 0..900)) {
        let mut splitter = LineSplitter::<512>::new();
        let mut last = None;
        splitter.push(&noise, |line| { let _ = seen(line); });
        let frame = format!("\n{{{POSE}{LOADS}}}\r\n");
        splitter.push(frame.as_bytes(), |line| last = Some(seen(line)));
        prop_assert_eq!(last, Some(Seen::Frame(FeedbackShape::Keys16)));
    }
}
