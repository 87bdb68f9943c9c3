//! A [`LinkMachine`] and a virtual board on one logical clock.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use firmware_protocol::emulator::{Board, BoardOptions};

use super::*;
use crate::types::{FeedbackSample, JointAngles};

const STEP: Duration = Duration::from_millis(1);

/// Machine and board on one clock, joined by the port.
pub(super) struct Rig {
    pub(super) board: Board,
    pub(super) machine: LinkMachine,
    pub(super) now: Timestamp,
    pub(super) out: WriteBuffer,
    pub(super) events: Vec<LinkEvent>,
    pub(super) samples: Vec<FeedbackSample>,
    pub(super) written: Vec<CommandWritten>,
}

impl Rig {
    pub(super) fn new(board: BoardOptions) -> Self {
        let now = Timestamp::from_nanos(1_000_000_000);
        Self {
            board: Board::new(BoardOptions { keep_lines: true, ..board }),
            machine: LinkMachine::new(LinkOptions::default(), now),
            now,
            out: WriteBuffer::default(),
            events: Vec::new(),
            samples: Vec::new(),
            written: Vec::new(),
        }
    }

    /// Lets time pass; before each millisecond `goal` may offer a command if the link is ready.
    pub(super) fn run(&mut self, time: Duration, mut goal: impl FnMut(u64) -> Option<JointAngles>) {
        let end = self.now + time;
        while self.now < end {
            let Self { events, samples, .. } = self;
            let mut note = |event| match event {
                LinkEvent::Feedback { sample, .. } => samples.push(sample),
                other => events.push(other),
            };
            self.machine.poll(self.now, &mut self.out, &mut note);
            let sequence = self.written.len() as u64;
            let room = self.out.is_empty() && self.machine.ready();
            if let Some(goal) = room.then(|| goal(sequence)).flatten() {
                let command = JointCommand {
                    sequence,
                    tick: sequence,
                    goal,
                    profile: crate::types::ServoProfile { speed_rad_s: 3.0, acceleration_rad_s2: 7.7 },
                };
                self.out.push(self.machine.write_joints(&command).unwrap()).unwrap();
            }
            self.board.receive(self.out.pending());
            self.out.advance(self.out.pending().len());
            self.written.extend(self.machine.written(self.now));
            self.board.advance(STEP);
            self.now = self.now + STEP;
            let mut bytes = Vec::new();
            self.board.transmit(&mut bytes);
            self.machine.receive(&bytes, self.now, &mut note);
        }
    }

    pub(super) fn idle(&mut self, time: Duration) {
        self.run(time, |_| None);
    }
}
