//! From received bytes to commands: lines, the queue of G3, and what never becomes a command.

use std::vec::Vec;

use super::board::{Board, ReceivedLine};
use super::cpu::Step;
use super::json;

/// Lines that wait for the loop of G3.
pub(super) const QUEUE_LINES: usize = 50;
/// Bytes of a waiting line; what is longer is cut.
pub(super) const QUEUE_LINE_BYTES: usize = 255;

impl Board {
    /// G1: reads what has come in; a complete line is executed at once, and if it blocks, the rest waits in the ring.
    pub(super) fn drain(&mut self) {
        while let Some(byte) = self.uart.read() {
            self.cpu.line.push(byte);
            if byte == b'\n' {
                let line = core::mem::take(&mut self.cpu.line);
                self.cpu.first([Step::Drain]);
                self.take_line(line);
                return;
            }
        }
    }

    /// G3: a task of its own, every millisecond, also while the loop is blocked.
    pub(super) fn serial_task(&mut self) {
        if !self.g3() || !self.cpu.listening {
            return;
        }
        while let Some(byte) = self.uart.read() {
            if byte != b'\n' {
                if self.cpu.line.len() < QUEUE_LINE_BYTES {
                    self.cpu.line.push(byte);
                }
                continue;
            }
            let mut line = core::mem::take(&mut self.cpu.line);
            let holds = |text: &[u8]| line.windows(text.len()).any(|window| window == text);
            if holds(b"\"T\":999") {
                self.log(&line, true);
                self.cpu.stop_flag = false;
            } else if holds(b"\"T\":0") {
                self.log(&line, true);
                self.emergency_flag();
            } else if self.cpu.queue.len() < QUEUE_LINES {
                line.push(b'\n');
                self.cpu.queue.push_back(line);
            } else {
                self.log(&line, false);
                self.complain_of_full_queue();
            }
        }
    }

    /// The serial task prints by itself, also while the loop is blocked; only a line that the loop is printing comes first.
    fn complain_of_full_queue(&mut self) {
        let text = b"{\"error\":\"Queue full\"}\r\n".to_vec();
        if matches!(self.cpu.steps.front(), Some(Step::Print(_, 1..))) {
            self.cpu.steps.insert(1, Step::Print(text, 0));
            return;
        }
        let printed = self.uart.print(self.now_ns, &text);
        if printed < text.len() {
            self.cpu.first([Step::Print(text, printed)]);
        }
    }

    fn log(&mut self, line: &[u8], parsed: bool) {
        self.lines_received += 1;
        if self.options.keep_lines {
            let bytes = line.strip_suffix(b"\n").unwrap_or(line).to_vec();
            self.lines.push(ReceivedLine { at: self.now(), bytes, parsed });
        }
    }

    /// Parses a line (with its LF) and executes it.
    pub(super) fn take_line(&mut self, line: Vec<u8>) {
        let document = json::read(&line, self.options.json);
        self.log(&line, document.is_some());
        let Some(document) = document else { return };
        let echoes = self.cpu.feedback_mode == 1 && !self.g3();
        let steps = self.execute(&document);
        let steps = self.cpu.begin_command(steps);
        self.cpu.first(steps);
        if echoes {
            let mut echo = line;
            echo.extend(b"\r\n");
            self.cpu.first([Step::Print(echo, 0)]);
        }
    }
}
