//! The synchronous chunk schedule: observe, infer, play `n_action_steps`, observe again (LeRobot's `select_action`).

use std::time::Duration;

use crate::types::{Chunk, JointAngles, Timestamp};

/// Where the schedule stands.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "a box would allocate in the tick")]
pub(super) enum Schedule {
    /// The next observation is due.
    Due,
    /// A chunk was asked for.
    Waiting { chunk_id: u64, requested: Timestamp },
    /// A chunk is being played.
    Playing(Playback),
}

/// A chunk on its way to the arm.
#[derive(Clone, Debug)]
pub(super) struct Playback {
    chunk: Chunk,
    from: JointAngles,
    start: Timestamp,
    period: Duration,
    actions: usize,
}

impl Playback {
    /// Plays the first `actions` of `chunk`, one each `period`, beginning at `from`.
    pub(super) fn new(
        chunk: Chunk,
        from: JointAngles,
        start: Timestamp,
        period: Duration,
        actions: usize,
    ) -> Self {
        let actions = actions.clamp(1, chunk.actions().len().max(1));
        Self { chunk, from, start, period, actions }
    }

    /// The target at `now`: a straight line from action to action; each is reached one period after the one before, as in
    /// LeRobot 0.6's `ActionInterpolator`. After the last one, the last one.
    pub(super) fn target(&self, now: Timestamp) -> JointAngles {
        let played = now.since(self.start).as_secs_f64() / self.period.as_secs_f64();
        let index = (played as usize).min(self.actions - 1);
        let actions = self.chunk.actions();
        let from = if index == 0 { self.from } else { actions[index - 1] };
        from.interpolate(&actions[index], (played - index as f64).min(1.0))
    }

    /// Whether the last action has been reached.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        now.since(self.start) >= self.period * u32::try_from(self.actions).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reaches_each_action_in_its_turn_and_stops_after_the_last() {
        let actions: Vec<JointAngles> =
            (1..=5).map(|n| JointAngles::from_array_rad([f64::from(n); 6])).collect();
        let chunk = Chunk::new(0, Timestamp::ZERO, 0, Timestamp::ZERO, &actions).expect("5 actions fit");
        let start = Timestamp::from_nanos(1_000_000_000);
        let playback = Playback::new(chunk, JointAngles::ZERO, start, Duration::from_millis(100), 3);
        let at = |millis| playback.target(start + Duration::from_millis(millis)).to_array_rad()[0];
        for (millis, expected) in [(0, 0.0), (50, 0.5), (100, 1.0), (250, 2.5), (300, 3.0), (900, 3.0)] {
            assert!((at(millis) - expected).abs() < 1e-9, "at {millis} ms: {}", at(millis));
        }
        assert!(!playback.is_over(start + Duration::from_millis(299)));
        assert!(playback.is_over(start + Duration::from_millis(300)));
    }
}
