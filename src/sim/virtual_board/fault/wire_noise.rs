//! A bad cable: bytes get lost, and others appear.

use std::time::Duration;

use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Longest burst of random bytes.
const LONGEST_BURST: usize = 16;

/// One direction of the wire. The same seed, bytes and times give the same noise.
#[derive(Debug)]
pub(in crate::sim::virtual_board) struct WireNoise {
    random: ChaCha8Rng,
    /// How likely each byte is lost; 0 on a good wire.
    pub(in crate::sim::virtual_board) loss: f64,
    bursts_per_s: f64,
    next_burst: Duration,
    /// Bytes lost so far.
    pub(in crate::sim::virtual_board) lost: u64,
    /// Bytes added so far.
    pub(in crate::sim::virtual_board) added: u64,
}

impl WireNoise {
    pub(in crate::sim::virtual_board) fn new(seed: u64) -> Self {
        let random = ChaCha8Rng::seed_from_u64(seed);
        Self { random, loss: 0.0, bursts_per_s: 0.0, next_burst: Duration::MAX, lost: 0, added: 0 }
    }

    /// Sets how often random bytes appear from now on; 0 is never.
    pub(in crate::sim::virtual_board) fn set_bursts(&mut self, now: Duration, bursts_per_s: f64) {
        if self.bursts_per_s.to_bits() != bursts_per_s.to_bits() {
            self.bursts_per_s = bursts_per_s;
            self.next_burst = self.burst_after(now);
        }
    }

    /// The time of the burst after `time`: as rare events come, independent of each other.
    fn burst_after(&mut self, time: Duration) -> Duration {
        if self.bursts_per_s <= 0.0 {
            return Duration::MAX;
        }
        let share: f64 = self.random.random();
        time + Duration::from_secs_f64(-(1.0 - share).ln() / self.bursts_per_s)
    }

    /// Passes bytes that travelled until `now` on to `out`, with what the wire does to them.
    pub(in crate::sim::virtual_board) fn pass(&mut self, now: Duration, bytes: &[u8], out: &mut Vec<u8>) {
        let from = out.len();
        for &byte in bytes {
            if self.loss > 0.0 && self.random.random_bool(self.loss) {
                self.lost += 1;
            } else {
                out.push(byte);
            }
        }
        while self.next_burst <= now {
            let length = self.random.random_range(1..=LONGEST_BURST);
            let at = self.random.random_range(from..=out.len());
            let mut burst = [0; LONGEST_BURST];
            self.random.fill_bytes(&mut burst[..length]);
            out.splice(at..at, burst[..length].iter().copied());
            self.added += length as u64;
            self.next_burst = self.burst_after(self.next_burst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &[u8] = b"{\"T\":105}\n";

    /// A hundred seconds of a line each 10 ms.
    fn wire(seed: u64, loss: f64, bursts_per_s: f64) -> (WireNoise, Vec<u8>) {
        let mut noise = WireNoise::new(seed);
        noise.loss = loss;
        noise.set_bursts(Duration::ZERO, bursts_per_s);
        let mut out = Vec::new();
        for tick in 1..=10_000 {
            noise.pass(Duration::from_millis(10 * tick), LINE, &mut out);
        }
        (noise, out)
    }

    #[test]
    fn a_good_wire_changes_nothing() {
        let (noise, out) = wire(1, 0.0, 0.0);
        assert_eq!(out, LINE.repeat(10_000));
        assert_eq!((noise.lost, noise.added), (0, 0));
    }

    #[test]
    fn bytes_get_lost_at_the_rate_asked_for() {
        let (noise, out) = wire(1, 0.01, 0.0);
        // 100,000 bytes: five standard deviations around 1,000
        assert!((840..=1160).contains(&noise.lost), "{}", noise.lost);
        assert_eq!(out.len() as u64 + noise.lost, 100_000);
        assert_eq!(wire(1, 1.0, 0.0).1, b"");
    }

    #[test]
    fn garbage_comes_at_the_rate_asked_for_and_inside_lines() {
        let (noise, out) = wire(1, 0.0, 5.0);
        // 500 bursts of 8.5 bytes in the mean
        assert!((3300..=5200).contains(&noise.added), "{}", noise.added);
        assert_eq!(out.len() as u64, 100_000 + noise.added);
        let whole = out.windows(LINE.len()).filter(|window| *window == LINE).count();
        assert!((9400..10_000).contains(&whole), "{whole} lines are whole");
    }

    #[test]
    fn the_same_seed_gives_the_same_noise() {
        assert_eq!(wire(7, 0.02, 3.0).1, wire(7, 0.02, 3.0).1);
        assert_ne!(wire(7, 0.02, 3.0).1, wire(8, 0.02, 3.0).1);
    }
}
