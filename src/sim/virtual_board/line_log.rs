//! Every line that went in or out of the virtual board, and what happened to it.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::Duration;

use firmware_protocol::emulator::ReceivedLine;

use crate::sim::SimError;

/// A line that the virtual board took in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedLine {
    /// When the firmware took it in, on the board's own clock (time since it was made).
    pub board_time: Duration,
    /// When this was seen, time since [`VirtualBoard::spawn`](super::VirtualBoard::spawn) on the system's monotonic clock.
    pub arrived: Duration,
    /// The line without its LF.
    pub bytes: Vec<u8>,
    /// Whether the board's JSON library took it; others are dropped without a word.
    pub parsed: bool,
}

/// Lines kept in memory; older ones are forgotten first, so that a board may run for days.
const KEPT_LINES: usize = 200_000;

/// The received lines, newest last.
#[derive(Debug, Default)]
pub(super) struct ReceivedLines {
    lines: std::collections::VecDeque<LoggedLine>,
    pub(super) count: usize,
}

impl ReceivedLines {
    pub(super) fn push(&mut self, line: ReceivedLine, arrived: Duration) {
        if self.lines.len() == KEPT_LINES {
            self.lines.pop_front();
        }
        let ReceivedLine { at, bytes, parsed, .. } = line;
        self.lines.push_back(LoggedLine { board_time: at, arrived, bytes, parsed });
        self.count += 1;
    }

    pub(super) fn to_vec(&self) -> Vec<LoggedLine> {
        self.lines.iter().cloned().collect()
    }
}

/// What stands between time and text in a line of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// `>`: a line that the firmware took in.
    Received,
    /// `>?`: a line that the firmware took in and threw away: its JSON library refused it, or its queue was full.
    Refused,
    /// `<`: a line that the firmware sent.
    Sent,
    /// `h>`: the argument of a web request.
    Request,
    /// `h<`: the answer to a web request.
    Reply,
    /// `!`: something that happened: a fault began or ended, bytes were lost, a client came or went.
    Event,
}

impl Mark {
    /// The mark of a line that the firmware took in. An empty line is ignored, not refused.
    pub(super) fn of(line: &ReceivedLine) -> Self {
        if line.parsed || line.bytes.trim_ascii().is_empty() { Self::Received } else { Self::Refused }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Received => ">",
            Self::Refused => ">?",
            Self::Sent => "<",
            Self::Request => "h>",
            Self::Reply => "h<",
            Self::Event => "!",
        }
    }
}

/// The log file: `SECONDS MARK TEXT` a line, on the board's clock.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    file: BufWriter<File>,
}

impl LogFile {
    pub(super) fn create(path: PathBuf) -> Result<Self, SimError> {
        match File::create(&path) {
            Ok(file) => Ok(Self { path, file: BufWriter::new(file) }),
            Err(source) => Err(SimError::Log { path, source }),
        }
    }

    /// Writes a line of the log.
    pub(super) fn line(&mut self, at: Duration, mark: Mark, bytes: &[u8]) -> Result<(), SimError> {
        // a line of the log stays one line, whatever the bytes
        let text: String = String::from_utf8_lossy(bytes.strip_suffix(b"\r").unwrap_or(bytes))
            .chars()
            .map(|character| if character.is_control() { char::REPLACEMENT_CHARACTER } else { character })
            .collect();
        let text = without_passwords(&text);
        writeln!(self.file, "{:.6} {} {text}", at.as_secs_f64(), mark.text())
            .map_err(|source| SimError::Log { path: self.path.clone(), source })
    }

    /// Hands what was written to the system, so that `tail -f` sees it.
    pub(super) fn flush(&mut self) -> Result<(), SimError> {
        self.file.flush().map_err(|source| SimError::Log { path: self.path.clone(), source })
    }
}

/// Hides the values of `password`, `ap_password` and `sta_password`: a log is passed on, a WiFi password is not.
fn without_passwords(text: &str) -> std::borrow::Cow<'_, str> {
    const KEY: &str = "password";
    if !text.contains(KEY) {
        return text.into();
    }
    let mut rest = text;
    let mut shown = String::with_capacity(text.len());
    while let Some(at) = rest.find(KEY) {
        let (before, after) = rest.split_at(at + KEY.len());
        shown.push_str(before);
        // `"password": "secret"`, also with single quotes, with none at the key, or inside a step's string with escaped ones.
        let unquoted = after.trim_start_matches('\\');
        let unquoted = unquoted.strip_prefix(['"', '\'']).unwrap_or(unquoted).trim_start();
        let Some(value) = unquoted.strip_prefix(':').map(str::trim_start) else {
            rest = after;
            continue;
        };
        let opened = value.trim_start_matches('\\');
        let escaped_quotes = opened.len() < value.len();
        let (value, end) = match opened.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let value = &opened[1..];
                (value, end_of_value(value, quote, escaped_quotes))
            }
            _ => (value, value.find([',', '}'])),
        };
        shown.push_str(&after[..after.len() - value.len()]);
        shown.push_str("***");
        rest = end.map_or("", |end| &value[end..]);
    }
    shown.push_str(rest);
    shown.into()
}

/// Where a quoted value ends: at the quote that opened it, unless a backslash stands before it; where the quotes themselves are
/// escaped, at the next escaped one. `None` for a value that was cut.
fn end_of_value(value: &str, quote: char, escaped_quotes: bool) -> Option<usize> {
    let mut backslashes = 0;
    for (at, character) in value.char_indices() {
        if character == quote && (backslashes % 2 == 1) == escaped_quotes {
            return Some(at - usize::from(escaped_quotes));
        }
        backslashes = if character == '\\' { backslashes + 1 } else { 0 };
    }
    None
}

/// Cuts what the board sends into lines. A line that never ends is cut at a length no real one has.
#[derive(Debug, Default)]
pub(super) struct SentLines {
    unfinished: Vec<u8>,
    begun: Duration,
}

const LONGEST_LINE: usize = 8192;

impl SentLines {
    /// Takes bytes and hands each line that they complete to `done`, without its LF, with the time at which it began.
    pub(super) fn take<E>(
        &mut self,
        now: Duration,
        bytes: &[u8],
        mut done: impl FnMut(Duration, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        for &byte in bytes {
            if self.unfinished.is_empty() {
                self.begun = now;
            }
            if byte != b'\n' {
                self.unfinished.push(byte);
            }
            if byte == b'\n' || self.unfinished.len() == LONGEST_LINE {
                let line = std::mem::take(&mut self.unfinished);
                done(self.begun, &line)?;
                self.unfinished = line;
                self.unfinished.clear();
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn received(bytes: &[u8], parsed: bool) -> ReceivedLine {
        ReceivedLine { at: Duration::from_micros(12_345_678), bytes: bytes.to_vec(), parsed }
    }

    #[test]
    fn the_file_has_one_line_for_each_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines.log");
        let mut log = LogFile::create(path.clone()).unwrap();
        for line in [received(b"{\"T\":105}", true), received(b"", false), received(b"{\"T\":", false)] {
            log.line(line.at, Mark::of(&line), &line.bytes).unwrap();
        }
        let mut sent = SentLines::default();
        for (ms, bytes) in [(13_000, &b"{\"T\":1051,"[..]), (13_010, b"\"b\":0}\r\nA\rB\xff\r\nrest")] {
            let at = Duration::from_millis(ms);
            sent.take(at, bytes, |begun, line| log.line(begun, Mark::Sent, line)).unwrap();
        }
        log.line(Duration::from_secs(14), Mark::Event, b"fault cut begins").unwrap();
        log.flush().unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(
            text,
            "12.345678 > {\"T\":105}\n12.345678 > \n12.345678 >? {\"T\":\n13.000000 < {\"T\":1051,\"b\":0}\n\
             13.010000 < A\u{fffd}B\u{fffd}\n14.000000 ! fault cut begins\n"
        );
    }

    #[test]
    fn a_line_without_an_end_is_cut() {
        let mut sent = SentLines::default();
        let mut lines = 0;
        let mut count = |_, line: &[u8]| {
            lines += 1;
            assert_eq!(line.len(), LONGEST_LINE);
            Ok::<(), ()>(())
        };
        for _ in 0..20 {
            sent.take(Duration::ZERO, &[b'x'; 4096], &mut count).unwrap();
        }
        assert_eq!(lines, 10);
    }

    #[test]
    fn a_log_that_cannot_be_written_says_where() {
        let folder = tempfile::tempdir().unwrap();
        let error = LogFile::create(folder.path().join("missing").join("lines.log")).unwrap_err();
        assert!(error.to_string().contains("lines.log") && error.to_string().contains("--log"), "{error}");
    }

    #[test]
    fn no_password_is_written() {
        for (line, shown) in [
            (r#"{"T":402,"ssid":"a","password":"top"}"#, r#"{"T":402,"ssid":"a","password":"***"}"#),
            (r#"{"password" : "t\"op","T":403}"#, r#"{"password" : "***","T":403}"#),
            (
                r#"{"ap_password":"top","sta_password":"top"}"#,
                r#"{"ap_password":"***","sta_password":"***"}"#,
            ),
            ("{'password':'top'", "{'password':'***'"),
            (r#"{"password":"top"#, r#"{"password":"***"#),
            (r#"{"password":"it's secret","a":1}"#, r#"{"password":"***","a":1}"#),
            (r#"{'password':'say "top"','a':1}"#, r#"{'password':'***','a':1}"#),
            (r#"{"password":"","ssid":"keep"}"#, r#"{"password":"***","ssid":"keep"}"#),
            (r#"{"password":" : top","ssid":"keep"}"#, r#"{"password":"***","ssid":"keep"}"#),
            (r#"{"password":12345678,"T":403}"#, r#"{"password":***,"T":403}"#),
            (
                r#"{"step":"{\"password\":\"top\",\"T\":403}"}"#,
                r#"{"step":"{\"password\":\"***\",\"T\":403}"}"#,
            ),
            ("the password of the network", "the password of the network"),
            (r#"{"T":105}"#, r#"{"T":105}"#),
        ] {
            assert_eq!(without_passwords(line), shown);
        }
    }
}
