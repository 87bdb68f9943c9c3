//! Counters of a link.

use std::time::Duration;

use crate::types::Timestamp;

/// What went over the link so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LinkStatistics {
    /// Valid T:1051 lines.
    pub feedback_lines: u64,
    /// T:1051 lines that were broken, spliced, or marked invalid, and poses that contradict their own kinematics.
    pub invalid_feedback_lines: u64,
    /// Text, other JSON, halves of lines.
    pub noise_lines: u64,
    /// Lines longer than any the board sends.
    pub overlong_lines: u64,
    /// `Queue full` replies of G3.
    pub queue_full: u64,
    /// Whole T:102 lines handed to the port.
    pub commands: u64,
    /// Handshakes sent.
    pub handshakes: u64,
    /// Times that the link fell from ready to waiting.
    pub interruptions: u64,
    /// Valid frames whose pose no arm can have come to, and that the next frames did not confirm in time.
    pub implausible_frames: u64,
    /// Times that feedback froze while the arm should have moved.
    pub frozen_feedback: u64,
    /// Times that the link took the arm from its control side: 0 or 1.
    pub take_overs: u64,
    /// Valid feedback a second, over the last whole second or more.
    pub feedback_hz: f64,
}

impl LinkStatistics {
    pub(super) const ZERO: Self = Self {
        feedback_lines: 0,
        invalid_feedback_lines: 0,
        noise_lines: 0,
        overlong_lines: 0,
        queue_full: 0,
        commands: 0,
        handshakes: 0,
        interruptions: 0,
        implausible_frames: 0,
        frozen_feedback: 0,
        take_overs: 0,
        feedback_hz: 0.0,
    };
}

/// Counts events and gives their rate over windows of a second.
#[derive(Clone, Copy, Debug)]
pub(super) struct RateCounter {
    window_start: Option<Timestamp>,
    count: u32,
}

impl RateCounter {
    const WINDOW: Duration = Duration::from_secs(1);

    pub(super) const fn new() -> Self {
        Self { window_start: None, count: 0 }
    }

    /// One more event; a rate in Hz each time that a window is full.
    pub(super) fn count(&mut self, now: Timestamp) -> Option<f64> {
        let Some(start) = self.window_start else {
            self.window_start = Some(now);
            return None;
        };
        self.count = self.count.saturating_add(1);
        let elapsed = now.since(start);
        (elapsed >= Self::WINDOW).then(|| {
            let rate = f64::from(self.count) / elapsed.as_secs_f64();
            *self = Self { window_start: Some(now), count: 0 };
            rate
        })
    }

    /// The rate of a window that no event came to close: it falls while nothing arrives.
    pub(super) fn idle(&mut self, now: Timestamp) -> Option<f64> {
        let elapsed = now.since(self.window_start?);
        (elapsed >= Self::WINDOW + Self::WINDOW / 10).then(|| {
            let rate = f64::from(self.count) / elapsed.as_secs_f64();
            *self = Self { window_start: Some(now), count: 0 };
            rate
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_is_events_over_time() {
        let mut counter = RateCounter::new();
        let rates: Vec<f64> =
            (0..200).filter_map(|event| counter.count(Timestamp::from_nanos(event * 20_000_000))).collect();
        assert_eq!(rates, [50.0, 50.0, 50.0]);
    }

    #[test]
    fn a_stream_that_stops_falls_to_zero() {
        let mut counter = RateCounter::new();
        for event in 0..10 {
            counter.count(Timestamp::from_nanos(event * 20_000_000));
        }
        let idle: Vec<f64> =
            (0..40).filter_map(|look| counter.idle(Timestamp::from_nanos(look * 100_000_000))).collect();
        let rounded: Vec<f64> = idle.iter().map(|rate| rate.round()).collect();
        assert_eq!(rounded, [8.0, 0.0, 0.0]);
    }
}
