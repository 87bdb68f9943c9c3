//! How exact ticks are and how long they take, counted without allocating.

use std::time::Duration;

use hdrhistogram::{CreationError, Histogram};

use crate::types::{TickJitter, Timestamp};

/// Longest time that is told apart, ns.
const LONGEST_NS: u64 = 10_000_000_000;
/// Two significant digits: within 1 %, in 30 KiB.
const DIGITS: u8 = 2;

/// Histograms of a control thread, ns.
pub(super) struct TickTimes {
    lateness: Histogram<u64>,
    period_error: Histogram<u64>,
    work: Histogram<u64>,
    period: Duration,
    last: Option<Timestamp>,
}

/// [`TickTimes`] as the summary shows them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TickTimesSummary {
    pub(super) lateness: TickJitter,
    pub(super) period_error: TickJitter,
    pub(super) work: TickJitter,
}

impl TickTimes {
    pub(super) fn new(period: Duration) -> Result<Self, CreationError> {
        let histogram = || {
            let mut empty = Histogram::new_with_bounds(1, LONGEST_NS, DIGITS)?;
            // Writes every counter: their pages exist before the first tick.
            empty.reset();
            Ok(empty)
        };
        let (lateness, period_error, work) = (histogram()?, histogram()?, histogram()?);
        Ok(Self { lateness, period_error, work, period, last: None })
    }

    /// A tick began at `now`, so much too late.
    pub(super) fn began(&mut self, now: Timestamp, late: Duration) {
        record(&mut self.lateness, late);
        if let Some(last) = self.last.replace(now) {
            let between = now.since(last);
            // After missed ticks the distance is to the nearest whole number of periods.
            let beats =
                (between.as_secs_f64() / self.period.as_secs_f64()).round().clamp(1.0, f64::from(u32::MAX));
            record(&mut self.period_error, between.abs_diff(self.period.mul_f64(beats)));
        }
    }

    /// The tick that began last was over at `now`.
    pub(super) fn ended(&mut self, now: Timestamp) {
        if let Some(began) = self.last {
            record(&mut self.work, now.since(began));
        }
    }

    pub(super) fn summary(&self) -> TickTimesSummary {
        TickTimesSummary {
            lateness: quantiles(&self.lateness),
            period_error: quantiles(&self.period_error),
            work: quantiles(&self.work),
        }
    }
}

/// The histogram's size is fixed: longer times count as the longest.
fn record(histogram: &mut Histogram<u64>, time: Duration) {
    histogram.saturating_record(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
}

fn quantiles(histogram: &Histogram<u64>) -> TickJitter {
    let micros = |quantile| histogram.value_at_quantile(quantile) as f64 * 1e-3;
    TickJitter {
        p50: micros(0.5),
        p99: micros(0.99),
        p999: micros(0.999),
        max: histogram.max() as f64 * 1e-3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lateness_period_and_work_are_told_apart() {
        let mut times = TickTimes::new(Duration::from_millis(20)).expect("good bounds");
        let at = |micros| Timestamp::ZERO + Duration::from_micros(micros);
        for (begun, late, ended) in [(20_000, 0, 20_010), (40_300, 300, 40_330), (100_100, 100, 100_120)] {
            times.began(at(begun), Duration::from_micros(late));
            times.ended(at(ended));
        }
        let summary = times.summary();
        let near = |value: f64, expected: f64| (value - expected).abs() <= 0.01 * expected;
        assert!(near(summary.lateness.p50, 100.0) && near(summary.lateness.max, 300.0), "{summary:?}");
        // 20.3 ms is 300 µs off one period; 59.8 ms is 200 µs off three.
        assert!(
            near(summary.period_error.p50, 200.0) && near(summary.period_error.max, 300.0),
            "{summary:?}"
        );
        assert!(near(summary.work.p50, 20.0) && near(summary.work.p999, 30.0), "{summary:?}");
    }

    #[test]
    fn a_time_beyond_the_histogram_is_the_longest() {
        let mut times = TickTimes::new(Duration::from_millis(20)).expect("good bounds");
        times.began(Timestamp::ZERO, Duration::from_secs(3600));
        assert!(times.summary().lateness.max >= LONGEST_NS as f64 * 1e-3);
    }
}
