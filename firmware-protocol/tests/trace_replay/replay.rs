//! One case from power-on to its end.

use std::time::Duration;

use firmware_protocol::Generation;
use firmware_protocol::emulator::{Board, BoardOptions, JsonLibrary, TimedWrite};
use serde_json::Value;

use super::record::{self, Entry};
use super::state;

/// Pause of the silent loop passes between boot and the first step.
const PAUSE: Duration = Duration::from_millis(10);
/// Between steps the board stands this long before its next loop pass.
const BEFORE_PASS: Duration = Duration::from_micros(100);
/// Longest boot: every servo dead takes 6 s.
const LONGEST_BOOT_MS: u32 = 20_000;

/// Replays a case; the first difference, if any.
pub(super) fn replay(case: &Value) -> Result<(), String> {
    let steps = case["steps"].as_array().ok_or("a case without steps")?;
    let (boot, steps) = match steps.split_first() {
        Some((first, rest)) if first["boot"] == true => (Some(first), rest),
        _ => (None, steps.as_slice()),
    };
    let mut bench = Bench::power_on(case)?;
    bench.boot(boot)?;
    bench.board.set_feedback_mode(record::feedback_mode(&case["infoprint"])?);
    let mut restarted = false;
    for (index, step) in steps.iter().enumerate() {
        restarted |= step["event"] == "restart";
        bench.step(step).map_err(|difference| format!("step {index} {}: {difference}", step["input"]))?;
    }
    state::compare(&bench.board, &case["final"], restarted)
}

/// The board under the conditions of the records: instant servos, buses and wires that cost no time and lose nothing.
struct Bench {
    board: Board,
    /// When the firmware started.
    start: Duration,
}

impl Bench {
    fn power_on(case: &Value) -> Result<Self, String> {
        let boot = &case["boot"];
        let generation = Generation::G1;
        let mut options = BoardOptions {
            baud: u32::MAX,
            json: if case["arduinojson"] == "6" { JsonLibrary::A6 } else { JsonLibrary::A7 },
            boot: true,
            network_start: Duration::ZERO,
            scan: Duration::ZERO,
            other_work: PAUSE,
            mission_step: Duration::ZERO,
            receive_ring: usize::MAX,
            transmit_fifo: 1 << 20,
            keep_writes: true,
            ..BoardOptions::new(generation)
        };
        if !boot["infoprint_at_boot"].is_null() {
            options.boot_feedback_mode = record::feedback_mode(&boot["infoprint_at_boot"])?;
        }
        options.servos.instant = true;
        options.servos.loads = Some(record::seven(&boot["loads"])?.unwrap_or_default());
        options.servos.dead = record::servos(&boot["dead"]).unwrap_or_default();
        let mut board = Board::new(options);
        board.set_encoder_steps(record::seven(&boot["pos"])?.unwrap_or([2047; 7]));
        let start = BoardOptions::new(generation).loader;
        // The text of the chip's loader is not the firmware's.
        board.advance(start + BEFORE_PASS);
        board.transmit(&mut Vec::new());
        Ok(Self { board, start })
    }

    fn take_output(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        self.board.transmit(&mut out);
        out
    }

    /// From the start of the firmware through the silent passes.
    fn boot(&mut self, expected: Option<&Value>) -> Result<(), String> {
        if let Some(step) = expected {
            let took = Duration::from_millis(record::number(step, "virtual_ms")?);
            let instant = Duration::from_nanos(1);
            self.board.advance(self.start + took - instant - self.board.now());
            let early = self.board.loop_passes() > 0;
            self.board.advance(instant);
            self.compare_output(step).map_err(|difference| format!("boot: {difference}"))?;
            self.compare_writes(step, self.start, false)
                .map_err(|difference| format!("boot: {difference}"))?;
            if early || self.board.loop_passes() == 0 {
                return Err(format!("boot: not over after exactly {took:?}"));
            }
        }
        for _ in 0..LONGEST_BOOT_MS {
            if self.board.loop_passes() == 2 && self.board.next_pass().is_some() {
                break;
            }
            self.board.advance(Duration::from_millis(1));
        }
        self.board.advance(self.board.next_pass().ok_or("boot never ends")? - self.board.now() - BEFORE_PASS);
        self.take_output();
        self.board.take_writes();
        Ok(())
    }

    fn step(&mut self, step: &Value) -> Result<(), String> {
        let board = &mut self.board;
        let start = board.next_pass().ok_or("the board is not in its loop")?;
        let (passes, restarts) = (board.loop_passes(), board.restarts());
        if let Some(dead) = record::servos(&step["set"]["dead"]) {
            board.set_dead(dead);
        }
        if let Some(steps) = record::seven(&step["set"]["pos"])? {
            board.set_encoder_steps(steps);
        }
        if let Some(loads) = record::seven(&step["set"]["loads"])? {
            board.set_loads(Some(loads));
        }
        let request = (!step["http_js"].is_null()).then(|| record::bytes(&step["http_js"])).transpose()?;
        let request = request.map(|argument| board.http_js(&argument));
        board.set_other_work(Duration::from_millis(record::number(step, "dt")?));
        board.receive(&record::bytes(&step["input"])?);
        let took = Duration::from_millis(record::number(step, "virtual_ms")?);
        board.advance(took);
        let event = step["event"].as_str();
        let difference = match event {
            None => {
                let loops: u64 = record::number(step, "loops")?;
                let done = board.loop_passes() - passes;
                let next = board.next_pass();
                let late = next != Some(start + took);
                let span = next.map(|next| next.saturating_sub(start));
                (late || done != loops)
                    .then(|| format!("took {span:?} for {done} passes, expected {took:?} for {loops}"))
            }
            // In a command that was not over when the recording was given up.
            Some("hang") => (board.is_listening()).then(|| "it is out of its command".to_owned()),
            Some("restart") => (board.restarts() == restarts).then(|| "it did not restart".to_owned()),
            Some(other) => return Err(format!("unknown event {other:?}")),
        };
        self.compare_writes(step, start, event == Some("hang"))?;
        self.compare_output(step)?;
        self.compare_replies(step, request)?;
        difference.map_or(Ok(()), Err)
    }

    fn compare_output(&mut self, step: &Value) -> Result<(), String> {
        let (out, expected) = (self.take_output(), record::bytes(&step["serial_out"])?);
        if out == expected {
            return Ok(());
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Err(format!("printed\n  {:?}\n  expected\n  {:?}", text(&out), text(&expected)))
    }

    fn compare_replies(&mut self, step: &Value, request: Option<u64>) -> Result<(), String> {
        let replies = self.board.take_http_replies();
        let answered = replies.iter().map(|reply| (reply.ticket, reply.body.clone()));
        let expected = match request {
            Some(ticket) if !step["http_resp"].is_null() => {
                vec![(ticket, record::bytes(&step["http_resp"])?)]
            }
            _ => vec![],
        };
        let same = answered.eq(expected);
        if same { Ok(()) } else { Err(format!("answered {replies:?}\n  expected {}", step["http_resp"])) }
    }

    fn compare_writes(&mut self, step: &Value, start: Duration, first_only: bool) -> Result<(), String> {
        let mut writes = self.board.take_writes().into_iter();
        let mut count = 0;
        for entry in step["servo_log"].as_array().ok_or("no log of servo calls")? {
            match record::entry(entry)? {
                Entry::Elsewhere => {}
                Entry::Skipped(_) if first_only => return Ok(()),
                Entry::Skipped(left_out) => {
                    for _ in 0..left_out {
                        count += 1;
                        writes.next().ok_or_else(|| format!("only {} writes", count - 1))?;
                    }
                }
                Entry::Write(ms, write) => {
                    let wanted = TimedWrite { at: start + Duration::from_millis(ms), write };
                    let written = writes.next();
                    if written != Some(wanted) {
                        let at = written.map(|written| written.at.saturating_sub(start));
                        return Err(format!(
                            "write {count} at {at:?}\n  {:?}\n  expected at {ms} ms\n  {write:?}",
                            written.map(|written| written.write)
                        ));
                    }
                    count += 1;
                }
            }
        }
        match writes.count() {
            0 => Ok(()),
            _ if first_only => Ok(()),
            more => Err(format!("{more} writes more than the {count} expected")),
        }
    }
}
