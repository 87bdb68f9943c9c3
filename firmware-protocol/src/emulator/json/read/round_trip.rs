//! Every command that this crate can write, read by the board's own JSON reader: exactly the fields meant, whichever
//! library the board was built with.
#![allow(clippy::unwrap_used, clippy::panic)]

mod numbers;
mod texts;

use core::time::Duration;
use std::string::{String, ToString};
use std::vec::Vec;

use proptest::prelude::*;

use super::{Document, Number, Value, read};
use crate::danger::DangerousCommand;
use crate::emulator::{Board, BoardOptions, JsonLibrary};
use crate::*;

#[derive(Clone, Debug, PartialEq)]
enum Field {
    Number(f64),
    Text(String),
}

/// A written command and what it should say.
#[derive(Clone, Debug)]
struct Sent {
    line: Vec<u8>,
    code: u16,
    fields: Vec<(&'static str, Field)>,
}

type Fields = Vec<(&'static str, Field)>;

fn number(value: impl Into<f64>) -> Field {
    Field::Number(value.into())
}

fn text(value: &str) -> Field {
    Field::Text(value.to_string())
}

fn plain(command: Command, code: u16, fields: Fields) -> Sent {
    Sent { line: command.encode(&mut [0; Command::MAX_BYTES]).to_vec(), code, fields }
}

fn dangerous(command: DangerousCommand, code: u16, fields: Fields) -> Sent {
    Sent { line: command.encode(&mut [0; DangerousCommand::MAX_BYTES]).to_vec(), code, fields }
}

macro_rules! sent {
    ($command:expr, $code:expr, $fields:expr) => {
        Sent {
            line: $command.unwrap().encode(&mut [0; MAX_LINE_BYTES]).to_vec(),
            code: $code,
            fields: $fields,
        }
    };
}
use sent;

const LETTERS: [&str; 6] = ["b", "s", "e", "t", "r", "h"];

fn any_command() -> impl Strategy<Value = Sent> {
    prop_oneof![
        numbers::joint_commands(),
        numbers::setting_commands(),
        numbers::fixed_commands(),
        numbers::dangerous_commands(),
        texts::file_commands(),
        texts::mission_commands(),
        texts::radio_and_network_commands(),
    ]
}

fn as_f64(number: Number) -> f64 {
    match number {
        Number::Unsigned(value) => value as f64,
        Number::Negative(value) => value as f64,
        Number::Real(value) => value,
    }
}

fn same(value: &Value, field: &Field, library: JsonLibrary) -> bool {
    match (value, field) {
        (Value::Text(value), Field::Text(text)) => value == text.as_bytes(),
        // Version 7 keeps short decimal numbers in single precision; neither rounds the last bit correctly.
        (Value::Number(value), Field::Number(wanted)) => {
            let precision = if library == JsonLibrary::A7 { 1.2e-7 } else { 1e-15 };
            (as_f64(*value) - wanted).abs() <= wanted.abs() * precision
        }
        _ => false,
    }
}

fn differences(document: &Document, sent: &Sent, library: JsonLibrary) -> Option<String> {
    let (code, fields) = document.members.split_first()?;
    let whole = code.0 == b"T"
        && same(&code.1, &number(sent.code), library)
        && document.code() == i32::from(sent.code)
        && fields.len() == sent.fields.len()
        && fields
            .iter()
            .zip(&sent.fields)
            .all(|(read, (key, field))| read.0 == key.as_bytes() && same(&read.1, field, library));
    (!whole).then(|| std::format!("{:?}\n{:?}", document.members, sent.fields))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_command_comes_out_as_meant(sent in any_command()) {
        let whole = sent.line.len() <= MAX_LINE_BYTES && sent.line.ends_with(b"}\n");
        prop_assert!(whole, "{}", String::from_utf8_lossy(&sent.line));
        prop_assert_eq!(sent.line.iter().filter(|&&byte| byte == b'\n').count(), 1);
        for library in [JsonLibrary::A6, JsonLibrary::A7] {
            let document = read(&sent.line, library);
            let shown = String::from_utf8_lossy(&sent.line);
            prop_assert!(document.is_some(), "{:?} refuses {}", library, shown);
            prop_assert_eq!(differences(&document.unwrap(), &sent, library), None);
        }
        // The serial task of G3 looks for these texts anywhere in a line.
        let holds = |text: &[u8]| sent.line.windows(text.len()).any(|window| window == text);
        prop_assert_eq!(holds(b"\"T\":0"), sent.code == 0);
        prop_assert_eq!(holds(b"\"T\":999"), sent.code == 999);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Over the wire, through ring and queue.
    #[test]
    fn every_command_reaches_the_board_whole(sent in any_command(), which in 0..4_usize) {
        let (generation, json) = [
            (Generation::G1, JsonLibrary::A6),
            (Generation::G1, JsonLibrary::A7),
            (Generation::G1b, JsonLibrary::A6),
            (Generation::G3, JsonLibrary::A7),
        ][which];
        let mut board = Board::new(BoardOptions { json, keep_lines: true, ..BoardOptions::new(generation) });
        board.receive(&sent.line);
        board.advance(Duration::from_millis(60));
        let lines = board.take_lines();
        prop_assert_eq!(lines.len(), 1);
        prop_assert!(lines[0].parsed);
        prop_assert_eq!(&lines[0].bytes[..], &sent.line[..sent.line.len() - 1]);
    }

    /// The limits are the boards' own: what is refused would have been dropped by the small pool, or cut by G3.
    #[test]
    fn what_is_refused_would_have_been_lost(length in 100..260_usize, quotes in 0..80_usize) {
        let words = [&"x".repeat(length)[..], &"\"".repeat(quotes)].concat();
        let file = FileName::new("notes.txt").unwrap();
        let object = || std::format!(
            "{{\"T\":204,\"name\":\"notes.txt\",\"content\":\"{}\"}}\n", words.replace('"', "\\\"")
        );
        let taken_by_pool = read(object().as_bytes(), JsonLibrary::A6).is_some();
        let kept_by_g3 = object().len() <= MAX_LINE_BYTES;
        match FileCommand::append_line(file, &words) {
            Ok(command) => {
                prop_assert!(taken_by_pool && kept_by_g3);
                prop_assert_eq!(command.encode(&mut [0; MAX_LINE_BYTES]).to_vec(), object().into_bytes());
            }
            Err(Error::PoolTooSmall { bytes }) => prop_assert!(!taken_by_pool && bytes > 256),
            Err(Error::LineTooLong { bytes }) => prop_assert!(!kept_by_g3 && bytes == object().len() - 1),
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}

#[test]
fn control_characters_are_refused() {
    let file = FileName::new("a").unwrap();
    for words in ["a\nb", "\0", "tab\t", "\u{85}"] {
        assert_eq!(FileCommand::append_line(file, words), Err(Error::ControlCharacter));
    }
}
