//! The reader of run logs, on files that are cut, damaged or made up.
//!
//! Input: a mode, two bytes, and a text. Mode 0: the text is the file. Mode 1: it follows the fixture, cut at a place that the two bytes
//! give. Mode 2: it is a message (or, where the second byte is odd, a chunk's content) with a valid checksum, behind the fixture's
//! records: so it gets past the checksum to the parsers.

use std::io::{self, Read};
use std::path::Path;

use mcap::records::op;
use roarm::episode::run_log::{LogState, RunLogReader};

const FIXTURE: &[u8] = include_bytes!("../../tests/data/run_log/1.0.mcap");

/// Checks the reader with one input.
pub fn check(input: &[u8]) {
    let [mode, first, second, text @ ..] = input else { return };
    let (file, intact) = match mode % 3 {
        0 => ([if first % 2 == 1 { mcap::MAGIC } else { &[] }, text].concat(), 0),
        1 => {
            let share = usize::from(u16::from_le_bytes([*first, *second]));
            let cut = FIXTURE.len() * share / usize::from(u16::MAX);
            ([&FIXTURE[..cut], text].concat(), cut)
        }
        _ => {
            let data_end = data_end();
            ([&FIXTURE[..data_end], &chunk(*first, *second, text)].concat(), data_end)
        }
    };
    let whole = read(file.as_slice());
    assert_eq!(whole, read(Crumbs(&file)), "how the file is cut into reads makes no difference");
    let Some((records, state)) = whole else { return };
    assert!(state.verified_bytes <= file.len() as u64);
    // What stood there before is read as it was.
    let (before, _) = read(&FIXTURE[..intact]).unwrap_or_default();
    assert!(records.starts_with(&before), "a later byte changed an earlier record");
}

/// A file that gives a few bytes at a time.
struct Crumbs<'a>(&'a [u8]);

impl Read for Crumbs<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(self.0.len()).min(7);
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

/// All records in words, and how much of the log is there.
fn read(file: impl Read) -> Option<(Vec<String>, LogState)> {
    let mut reader = RunLogReader::new(file, Path::new("fuzz.mcap")).ok()?;
    let mut records = Vec::new();
    while let Some(record) = reader.next_record().expect("memory can be read") {
        records.push(format!("{record:?}"));
    }
    Some((records, reader.state().clone()))
}

/// Where the fixture's data ends.
fn data_end() -> usize {
    let mut at = mcap::MAGIC.len();
    while FIXTURE[at] != op::DATA_END {
        let length = FIXTURE[at + 1..at + 9].try_into().expect("eight bytes");
        at += 9 + u64::from_le_bytes(length) as usize;
    }
    at
}

fn record(code: u8, body: &[u8]) -> Vec<u8> {
    [&[code][..], &(body.len() as u64).to_le_bytes(), body].concat()
}

/// A chunk whose checksum holds.
fn chunk(channel: u8, raw: u8, text: &[u8]) -> Vec<u8> {
    let content = if raw % 2 == 1 {
        text.to_vec()
    } else {
        let head = [&u16::from(channel % 12).to_le_bytes()[..], &[0; 4 + 8 + 8]].concat();
        record(op::MESSAGE, &[&head, text].concat())
    };
    let mut body = [0; 16].to_vec();
    body.extend((content.len() as u64).to_le_bytes());
    body.extend(crc32fast::hash(&content).to_le_bytes());
    body.extend(0_u32.to_le_bytes());
    body.extend((content.len() as u64).to_le_bytes());
    body.extend(&content);
    record(op::CHUNK, &body)
}
