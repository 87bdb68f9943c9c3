//! The world around a board: its wire, and what its faults do to wire, servos and supply.

use std::time::Duration;

use firmware_protocol::Joint;
use firmware_protocol::emulator::Board;

use super::fault::{FaultKind, FaultSchedule, WireNoise};

/// Speed of a healthy wire, bytes a second.
const WIRE_BYTES_PER_S: u32 = 11_520;
/// Bytes of a client that wait for the wire, as in a serial driver: beyond them, its writes block.
const WAITING_BYTES: u32 = 4096;

/// Bytes that never arrived, and bytes that nobody sent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Damage {
    lost_in: u64,
    lost_out: u64,
    added_in: u64,
    added_out: u64,
}

/// The wire and the state of all faults.
pub(super) struct Outside {
    pub(super) cut: bool,
    /// A port that is cut comes back as another device.
    pub(super) replugged: bool,
    mute: bool,
    deaf: bool,
    swallowed: (u64, u64),
    inward: WireNoise,
    outward: WireNoise,
    bytes_per_s: u32,
    /// When the wire will have carried what was given to it.
    busy_until: Duration,
    healthy_volt: f64,
    dead_from_start: [bool; 7],
    stuck: [bool; 6],
}

impl Outside {
    pub(super) fn new(seed: u64, baud: u32, healthy_volt: f64, dead_from_start: [bool; 7]) -> Self {
        Self {
            cut: false,
            replugged: false,
            mute: false,
            deaf: false,
            swallowed: (0, 0),
            inward: WireNoise::new(seed.wrapping_mul(2)),
            outward: WireNoise::new(seed.wrapping_mul(2).wrapping_add(1)),
            bytes_per_s: if baud == 0 { WIRE_BYTES_PER_S } else { (baud / 10).max(1) },
            busy_until: Duration::ZERO,
            healthy_volt,
            dead_from_start,
            stuck: [false; 6],
        }
    }

    /// Makes wire and board what the active faults say.
    pub(super) fn apply(&mut self, schedule: &FaultSchedule, baud: u32, board: &mut Board) {
        let now = board.now();
        let (mut cut, mut replugged, mut mute, mut deaf) = (false, false, false, false);
        let (mut bursts, mut kept, mut wire) = (0.0, 1.0, baud / 10);
        let (mut dead, mut stuck, mut volt) = (self.dead_from_start, [false; 6], self.healthy_volt);
        for (_, kind) in schedule.active() {
            match kind {
                FaultKind::Cut => cut = true,
                FaultKind::Replug => (cut, replugged) = (true, true),
                FaultKind::Mute => mute = true,
                FaultKind::Deaf => deaf = true,
                FaultKind::Garbage { bursts_per_s } => bursts += bursts_per_s,
                FaultKind::Drop { probability } => kept *= 1.0 - probability,
                FaultKind::Slow { bytes_per_s } => wire = wire.min(bytes_per_s),
                FaultKind::DeadServo { servos } => {
                    dead.iter_mut().zip(servos).for_each(|(dead, fault)| *dead |= fault);
                }
                FaultKind::StuckJoint(joint) => stuck[joint.index()] = true,
                FaultKind::LowSupply { volt: low } => volt = volt.min(low),
                FaultKind::No12V => volt = 0.0,
                FaultKind::Reset => {}
            }
        }
        (self.cut, self.replugged, self.mute, self.deaf) = (cut, replugged, mute, deaf);
        for noise in [&mut self.inward, &mut self.outward] {
            noise.loss = 1.0 - kept;
            noise.set_bursts(now, bursts);
        }
        if wire.max(1) != self.bytes_per_s {
            self.bytes_per_s = wire.max(1);
            board.set_baud(self.bytes_per_s.saturating_mul(10));
        }
        board.set_supply_volt(volt);
        board.set_dead(dead);
        for joint in Joint::ALL {
            let (was, is) = (&mut self.stuck[joint.index()], stuck[joint.index()]);
            if *was != is {
                *was = is;
                board.set_stuck(joint, is);
            }
        }
    }

    /// How many bytes of clients may be taken now.
    pub(super) fn room(&self, now: Duration) -> usize {
        let waiting = self.busy_until.saturating_sub(now).as_secs_f64() * f64::from(self.bytes_per_s);
        (f64::from(WAITING_BYTES) - waiting).max(0.0) as usize
    }

    /// Carries bytes of a client to the board, if there are any, and what else is on the wire. How many arrived.
    pub(super) fn inward(&mut self, bytes: &[u8], board: &mut Board) -> u64 {
        let now = board.now();
        let mut arriving = Vec::with_capacity(bytes.len());
        self.inward.pass(now, bytes, &mut arriving);
        if self.deaf {
            self.swallowed.0 += arriving.len() as u64;
            return 0;
        }
        if !arriving.is_empty() {
            let wire = Duration::from_secs_f64(arriving.len() as f64 / f64::from(self.bytes_per_s));
            self.busy_until = self.busy_until.max(now) + wire;
            board.receive(&arriving);
        }
        arriving.len() as u64
    }

    /// Carries bytes of the board to its clients: what arrives of them, appended to `out`.
    pub(super) fn outward(&mut self, now: Duration, bytes: &[u8], out: &mut Vec<u8>) {
        let before = out.len();
        self.outward.pass(now, bytes, out);
        if self.mute {
            self.swallowed.1 += (out.len() - before) as u64;
            out.truncate(before);
        }
    }

    pub(super) const fn damage(&self) -> Damage {
        Damage {
            lost_in: self.inward.lost + self.swallowed.0,
            lost_out: self.outward.lost + self.swallowed.1,
            added_in: self.inward.added,
            added_out: self.outward.added,
        }
    }

    /// What a fault did since `before`, in words, where that can be counted.
    pub(super) fn effect(&self, kind: FaultKind, before: Damage) -> Option<String> {
        let now = self.damage();
        match kind {
            FaultKind::Drop { .. } | FaultKind::Mute | FaultKind::Deaf => {
                let (inward, outward) = (now.lost_in - before.lost_in, now.lost_out - before.lost_out);
                Some(format!("{inward} bytes to the board and {outward} to the client lost"))
            }
            FaultKind::Garbage { .. } => {
                let (inward, outward) = (now.added_in - before.added_in, now.added_out - before.added_out);
                Some(format!("{inward} bytes to the board and {outward} to the client added"))
            }
            _ => None,
        }
    }
}
