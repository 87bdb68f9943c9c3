//! The parser of the board's lines, judged by `serde_json`.
//!
//! Input: one line. Where it is a JSON object, what the parser must say follows from the object; where it is none, the
//! parser must not call it feedback unless all that it needs is there and finite.

use firmware_protocol::{Feedback, FeedbackError, Line, parse_line};
use serde::de::{MapAccess, Visitor};
use serde_json::Value;

const POSE: [&str; 10] = ["x", "y", "z", "tit", "b", "s", "e", "t", "r", "g"];
const LOADS: [&str; 6] = ["tB", "tS", "tE", "tT", "tR", "tG"];
const SWITCHES: [&str; 6] =
    ["torswitchB", "torswitchS", "torswitchE", "torswitchT", "torswitchR", "torswitchG"];

/// Checks the parser with one line.
pub fn check(line: &[u8]) {
    let parsed = parse_line(line);
    assert_eq!(parsed, parse_line(line.trim_ascii()), "white space around a line says nothing");
    if let Line::Feedback(feedback) = &parsed {
        sound(line, feedback);
    }
    // Keys with escapes are the parser's one liberty: it compares them as they stand, and the board sends none.
    if !line.contains(&b'\\')
        && let Ok(object) = serde_json::from_slice::<Members>(line.trim_ascii())
    {
        judge(&parsed, &object.0);
    }
}

/// What holds for every accepted frame.
fn sound(line: &[u8], feedback: &Feedback) {
    let line = line.trim_ascii();
    assert!(line.starts_with(b"{") && line.ends_with(b"}"));
    assert!(feedback.angles.is_finite());
    assert!(feedback.position_mm.iter().all(|mm| mm.is_finite()) && feedback.pitch_rad.is_finite());
    assert!(feedback.supply_volt.is_none_or(f64::is_finite));
    assert!(feedback.key_count > 10, "the code and ten pose values");
    // Whatever the numbers are, these answer.
    let _ = (feedback.shape(), feedback.has_g3_keys(), feedback.bus_fault(), feedback.never_read_joints());
    let _ = feedback.agrees_with_kinematics(1e-5);
}

fn judge(parsed: &Line<'_>, members: &[(String, Value)]) {
    let last = |key: &str| members.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value);
    if last("T").and_then(Value::as_f64) != Some(1051.0) {
        assert!(matches!(parsed, Line::OtherJson(_) | Line::QueueFull), "{parsed:?}");
        return;
    }
    match parsed {
        Line::Feedback(feedback) => {
            assert_eq!(refusal(members), None);
            agree(feedback, members);
        }
        Line::InvalidFeedback(error) => {
            assert_eq!(Some(error.to_string()), refusal(members));
        }
        other => panic!("a T:1051 was taken for {other:?}"),
    }
}

/// Why a frame is to be refused, as the parser would word it.
fn refusal(members: &[(String, Value)]) -> Option<String> {
    let count = |key: &str| members.iter().filter(|(name, _)| name == key).count();
    let known = POSE.iter().chain(&LOADS).chain(&SWITCHES).chain(&["T", "v"]);
    if known.clone().any(|key| count(key) > 1) {
        return Some(FeedbackError::Duplicate.to_string());
    }
    if members.iter().any(|(name, value)| name == "feedback_valid" && *value == Value::Bool(false)) {
        return Some(FeedbackError::MarkedInvalid.to_string());
    }
    POSE.iter().find_map(|key| match members.iter().find(|(name, _)| name == key) {
        None => Some(format!("the feedback line lacks \"{key}\"")),
        Some((_, value)) if !value.is_number() => Some(format!(
            "\"{key}\" in the feedback line is no finite number; the board could not read its servos"
        )),
        Some(_) => None,
    })
}

/// Every value that both sides read is the same number, and what is missing is unknown.
fn agree(feedback: &Feedback, members: &[(String, Value)]) {
    let number =
        |key: &str| members.iter().find(|(name, _)| name == key).and_then(|(_, value)| value.as_f64());
    let [x, y, z] = feedback.position_mm;
    let pose = [x, y, z, feedback.pitch_rad].into_iter().chain(feedback.angles.to_array());
    for (key, value) in POSE.into_iter().zip(pose) {
        assert!(number(key).is_some_and(|number| same(number, value)), "{key}: {value}");
    }
    for (key, load) in LOADS.into_iter().zip(feedback.loads) {
        let least_and_most =
            number(key).map(|number| [number * ONE_LESS, number * ONE_MORE].map(|n| n as i16));
        assert_eq!(load.is_some(), least_and_most.is_some(), "{key}");
        assert!(
            load.is_none_or(|load| least_and_most.unwrap_or_default().contains(&load)),
            "{key}: {load:?}"
        );
    }
    for (key, switch) in SWITCHES.into_iter().zip(feedback.torque_switches) {
        assert_eq!(switch.is_some(), number(key).is_some(), "{key}");
    }
    assert_eq!(feedback.supply_volt.is_some(), number("v").is_some());
    let hundredths = feedback.supply_volt.zip(number("v"));
    assert!(hundredths.is_none_or(|(volt, number)| same(volt, number / 100.0)), "{hundredths:?}");
    assert_eq!(usize::from(feedback.key_count), members.len().min(255));
}

/// As it is set up here, `serde_json` rounds its numbers up to a unit in the last place wrongly.
const ONE_LESS: f64 = 1.0 - 4.0 * f64::EPSILON;
const ONE_MORE: f64 = 1.0 + 4.0 * f64::EPSILON;

fn same(one: f64, other: f64) -> bool {
    one == other || (one - other).abs() <= other.abs() * 4.0 * f64::EPSILON
}

/// The members of an object in order, with those that are there twice.
struct Members(Vec<(String, Value)>);

impl<'de> serde::Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}
