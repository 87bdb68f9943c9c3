//! How long the policy takes, as a schedule plans with it.

use std::time::Duration;

/// Delays that are remembered.
const WINDOW: usize = 32;
/// The delay that is planned with: as many of those in the window may be longer, percent.
const PERCENTILE: usize = 95;

/// The last delays from request to chunk. The first one of a run is not among them: it warms the policy up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delays {
    newest: [Duration; WINDOW],
    count: usize,
    first: Option<Duration>,
}

impl Delays {
    pub(super) const fn new() -> Self {
        Self { newest: [Duration::ZERO; WINDOW], count: 0, first: None }
    }

    /// Takes note of one.
    pub(super) fn add(&mut self, delay: Duration) {
        if self.first.is_none() {
            self.first = Some(delay);
            return;
        }
        self.newest[self.count % WINDOW] = delay;
        self.count += 1;
    }

    /// The delay to plan with: the 95th percentile (nearest rank) of the window; the warm-up's until there is another; `None`
    /// before any.
    pub(super) fn planned(&self) -> Option<Duration> {
        let known = self.count.min(WINDOW);
        if known == 0 {
            return self.first;
        }
        let mut sorted = self.newest;
        let sorted = &mut sorted[..known];
        sorted.sort_unstable();
        Some(sorted[(known * PERCENTILE).div_ceil(100) - 1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn the_warm_up_counts_only_until_there_is_another() {
        let mut delays = Delays::new();
        assert_eq!(delays.planned(), None);
        delays.add(millis(900));
        assert_eq!(delays.planned(), Some(millis(900)));
        delays.add(millis(100));
        assert_eq!(delays.planned(), Some(millis(100)));
    }

    #[test]
    fn one_in_twenty_may_be_longer_and_the_old_ones_are_forgotten() {
        let mut delays = Delays::new();
        delays.add(millis(0));
        for delay in 1..=20 {
            delays.add(millis(delay));
        }
        assert_eq!(delays.planned(), Some(millis(19)));
        for _ in 0..WINDOW {
            delays.add(millis(5));
        }
        assert_eq!(delays.planned(), Some(millis(5)));
    }
}
