//! A [`LinkMachine`] on a logical clock, fed with scripted lines.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use firmware_protocol::{FirmwareAngles, kinematics};

use super::*;
use crate::types::JointAngles;

pub(super) const HANDSHAKE: &[u8] = b"\n{\"T\":605,\"cmd\":2}\n{\"T\":301,\"mode\":0}\n";
pub(super) const FRAME_PERIOD: Duration = Duration::from_millis(20);
pub(super) const NEVER_READ: FirmwareAngles = FirmwareAngles::from_array([
    std::f64::consts::PI,
    -std::f64::consts::PI,
    -std::f64::consts::FRAC_PI_2,
    -std::f64::consts::PI,
    std::f64::consts::PI,
    0.0,
]);

/// Keys after `g` by shape.
#[derive(Clone, Copy)]
pub(super) enum Tail {
    Keys16,
    Keys17,
    Keys24 { torque: i8, supply: u16 },
}

pub(super) fn frame(angles: FirmwareAngles, tail: Tail) -> Vec<u8> {
    let pose = kinematics::forward(angles);
    let [x, y, z] = pose.position_mm;
    let FirmwareAngles { base_rad, shoulder_rad, elbow_rad, wrist_rad, roll_rad, hand_rad } = angles;
    let mut line = format!(
        "{{\"T\":1051,\"x\":{x:.9},\"y\":{y:.9},\"z\":{z:.9},\"tit\":{:.9},\"b\":{base_rad:.9},\"s\":{shoulder_rad:.9},\
         \"e\":{elbow_rad:.9},\"t\":{wrist_rad:.9},\"r\":{roll_rad:.9},\"g\":{hand_rad:.9},\"tB\":0,\"tS\":12,\"tE\":-8,\
         \"tT\":0,\"tR\":0",
        pose.pitch_rad
    );
    if !matches!(tail, Tail::Keys16) {
        line += ",\"tG\":4";
    }
    if let Tail::Keys24 { torque, supply } = tail {
        for joint in ["B", "S", "E", "T", "R", "G"] {
            line += &format!(",\"torswitch{joint}\":{torque}");
        }
        line += &format!(",\"v\":{supply}");
    }
    line += "}\r\n";
    line.into_bytes()
}

pub(super) fn home() -> Vec<u8> {
    frame(FirmwareAngles::HOME, Tail::Keys16)
}

pub(super) fn command(sequence: u64) -> JointCommand {
    let goal = JointAngles::from(FirmwareAngles::HOME);
    JointCommand {
        sequence,
        tick: sequence,
        goal,
        profile: crate::types::ServoProfile { speed_rad_s: 3.0, acceleration_rad_s2: 7.7 },
    }
}

/// A machine on a logical clock with everything that came out of it.
pub(super) struct Bench {
    pub(super) machine: LinkMachine,
    pub(super) now: Timestamp,
    pub(super) out: WriteBuffer,
    pub(super) sent: Vec<u8>,
    pub(super) events: Vec<LinkEvent>,
}

impl Bench {
    pub(super) fn new(options: LinkOptions) -> Self {
        let now = Timestamp::from_nanos(5_000_000_000);
        Self {
            machine: LinkMachine::new(options, now),
            now,
            out: WriteBuffer::default(),
            sent: Vec::new(),
            events: Vec::new(),
        }
    }

    pub(super) fn usual() -> Self {
        Self::new(LinkOptions::default())
    }

    pub(super) fn ready() -> Self {
        let mut bench = Self::usual();
        bench.stream(&home(), Duration::from_millis(1500));
        assert!(bench.machine.ready(), "{:?}", bench.news());
        bench
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.machine.receive(bytes, self.now, &mut |event| self.events.push(event));
    }

    pub(super) fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.machine.poll(self.now, &mut self.out, &mut |event| self.events.push(event));
            self.sent.extend_from_slice(self.out.pending());
            self.out.advance(self.out.pending().len());
            self.now = (self.now + Duration::from_millis(10)).min(end);
        }
    }

    /// The same line again and again at the pace of a board.
    pub(super) fn stream(&mut self, line: &[u8], time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.feed(line);
            self.wait(FRAME_PERIOD);
        }
    }

    /// Events without feedback.
    pub(super) fn news(&self) -> Vec<LinkEvent> {
        self.events.iter().filter(|event| !matches!(event, LinkEvent::Feedback { .. })).copied().collect()
    }

    pub(super) fn samples(&self) -> Vec<crate::types::FeedbackSample> {
        let sample = |event: &LinkEvent| match event {
            LinkEvent::Feedback { sample, .. } => Some(*sample),
            _ => None,
        };
        self.events.iter().filter_map(sample).collect()
    }

    pub(super) fn handshakes(&self) -> usize {
        self.sent.windows(HANDSHAKE.len()).filter(|window| *window == HANDSHAKE).count()
    }
}
