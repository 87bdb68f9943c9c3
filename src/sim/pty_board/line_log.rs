//! Every line that went in or out of the virtual board.

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
    /// When this was seen, time since [`PtyBoard::spawn`](super::PtyBoard::spawn) on the system's monotonic clock.
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
        let ReceivedLine { at, bytes, parsed } = line;
        self.lines.push_back(LoggedLine { board_time: at, arrived, bytes, parsed });
        self.count += 1;
    }

    pub(super) fn to_vec(&self) -> Vec<LoggedLine> {
        self.lines.iter().cloned().collect()
    }
}

/// The log file: `SECONDS > LINE` for lines to the board, `SECONDS < LINE` for lines from it, on the board's clock.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    file: BufWriter<File>,
    /// The beginning of a line that the board is still sending, and when it began.
    unfinished: Vec<u8>,
    begun: Duration,
}

impl LogFile {
    pub(super) fn create(path: PathBuf) -> Result<Self, SimError> {
        match File::create(&path) {
            Ok(file) => {
                Ok(Self { path, file: BufWriter::new(file), unfinished: Vec::new(), begun: Duration::ZERO })
            }
            Err(source) => Err(SimError::Log { path, source }),
        }
    }

    /// Writes a line that the board has taken in.
    pub(super) fn received(&mut self, line: &ReceivedLine) -> Result<(), SimError> {
        self.line(line.at, '>', &line.bytes)
    }

    /// Takes bytes that the board has sent, and writes the lines that they complete.
    pub(super) fn sent(&mut self, now: Duration, bytes: &[u8]) -> Result<(), SimError> {
        for &byte in bytes {
            if self.unfinished.is_empty() {
                self.begun = now;
            }
            if byte == b'\n' {
                let line = std::mem::take(&mut self.unfinished);
                self.line(self.begun, '<', &line)?;
                self.unfinished = line;
                self.unfinished.clear();
            } else {
                self.unfinished.push(byte);
            }
        }
        Ok(())
    }

    /// Hands what was written to the system, so that `tail -f` sees it.
    pub(super) fn flush(&mut self) -> Result<(), SimError> {
        self.file.flush().map_err(|source| SimError::Log { path: self.path.clone(), source })
    }

    fn line(&mut self, at: Duration, direction: char, bytes: &[u8]) -> Result<(), SimError> {
        // a line of the log stays one line, whatever the bytes
        let text: String = String::from_utf8_lossy(bytes.strip_suffix(b"\r").unwrap_or(bytes))
            .chars()
            .map(|character| if character.is_control() { char::REPLACEMENT_CHARACTER } else { character })
            .collect();
        writeln!(self.file, "{:.6} {direction} {text}", at.as_secs_f64())
            .map_err(|source| SimError::Log { path: self.path.clone(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_has_one_line_for_each_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines.log");
        let mut log = LogFile::create(path.clone()).unwrap();
        let line = ReceivedLine {
            at: Duration::from_micros(12_345_678),
            bytes: b"{\"T\":105}".to_vec(),
            parsed: true,
        };
        log.received(&line).unwrap();
        log.sent(Duration::from_millis(13_000), b"{\"T\":1051,").unwrap();
        log.sent(Duration::from_millis(13_010), b"\"b\":0}\r\nA\rB\xff\r\nrest").unwrap();
        log.flush().unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(
            text,
            "12.345678 > {\"T\":105}\n13.000000 < {\"T\":1051,\"b\":0}\n13.010000 < A\u{fffd}B\u{fffd}\n"
        );
    }

    #[test]
    fn a_log_that_cannot_be_written_says_where() {
        let folder = tempfile::tempdir().unwrap();
        let error = LogFile::create(folder.path().join("missing").join("lines.log")).unwrap_err();
        assert!(error.to_string().contains("lines.log") && error.to_string().contains("--log"), "{error}");
    }
}
