//! The loop that nothing can beat: an absolute sleep, a look at the clock, a count.

use std::thread;
use std::time::Duration;

use hdrhistogram::Histogram;
use roarm::runtime::{self, RealTimeSettings, make_real_time};
use roarm::types::TickJitter;

use crate::statistics::{Block, Variant};

/// On a thread of its own, whose priority ends with it.
pub(crate) fn block(variant: Variant, length: Duration) -> Result<Block, Box<dyn std::error::Error>> {
    let ran = thread::spawn(move || bare_loop(variant, length)).join().map_err(|_| "a bare loop panicked")?;
    Ok(ran?)
}

fn bare_loop(variant: Variant, length: Duration) -> Result<Block, String> {
    let settings = RealTimeSettings { priority: variant.priority, ..RealTimeSettings::default() };
    let granted = make_real_time(&settings);
    if let Some(denied) = granted.denied.first() {
        return Err(denied.to_string());
    }
    let mut lateness =
        Histogram::<u64>::new_with_bounds(1, 10_000_000_000, 2).map_err(|error| error.to_string())?;
    lateness.reset();
    let period = variant.period();
    let begun = runtime::now();
    let (mut due, mut missed) = (begun + period, 0);
    while due.since(begun) < length {
        runtime::sleep_until(due);
        let late = runtime::now().since(due);
        lateness.saturating_record(u64::try_from(late.as_nanos()).unwrap_or(u64::MAX));
        due = due + period;
        while runtime::now() >= due {
            due = due + period;
            missed += 1;
        }
    }
    let micros = |quantile| lateness.value_at_quantile(quantile) as f64 * 1e-3;
    let lateness = TickJitter {
        p50: micros(0.5),
        p99: micros(0.99),
        p999: micros(0.999),
        max: lateness.max() as f64 * 1e-3,
    };
    Ok(Block { lateness, work: None, missed })
}
